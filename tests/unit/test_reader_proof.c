/* Pages that would call a forgery genuine do not read: every rule of src/reader/proof.c and
 * keys.c by cases that break it, each beside the same page mended; and what is read verifies
 * nothing that is unsigned. */
#include "mends.h"

#include "core/engine.h"

static char *page_of(const char *frame, const char *scheme)
{
    return page_edited(frame, "SCHEME", scheme);
}

static size_t mends_of(const char *frame_name, const char *cases_name)
{
    char *frame = mends_file(frame_name), *cases = mends_file(cases_name);
    const char *at = cases;
    struct mend m;
    size_t count = 0;
    for (; mend_next(&at, &m); count++) {
        char *wrong = page_of(frame, m.wrong), *right = page_of(frame, m.right);
        assert_told(ph_slice_str(wrong), m.told);
        assert_told(ph_slice_str(right), "");
        free(wrong);
        free(right);
    }
    free(cases);
    free(frame);
    return count;
}

static void a_scheme_that_anyone_could_sign_for_is_refused_and_the_mended_one_is_not(void **state)
{
    (void)state;
    assert_true(mends_of("proof.yaml", "proof.txt") > 35);
}

static void a_key_that_a_replay_could_change_is_refused_and_the_mended_one_is_not(void **state)
{
    (void)state;
    assert_true(mends_of("keys.yaml", "keys.txt") > 9);
    assert_true(mends_of("keys_again.yaml", "keys_again.txt") > 5);
}

static size_t verified(struct ph_worker *worker, const struct ph_connector *c,
                       struct ph_slice value, const struct ph_secret_pair *pair)
{
    const struct ph_header headers[] = {{PH_SI("S"), value},
                                        {PH_SI("T"), value},
                                        {PH_SI("Key"), value},
                                        {PH_SI("Cert"), value},
                                        {PH_SI("Time"), PH_SI("1795600000")},
                                        {PH_SI("Authorization"), value}};
    struct ph_request request = {
        .method = PH_SI("POST"),
        .uri = PH_SI("/w?s="),
        .headers = headers,
        .header_count = PH_COUNTOF(headers),
        .body =
            PH_SI("{\"type\":\"t\",\"id\":\"\",\"sign\":\"\",\"data\":{\"created\":1795600000}}")};
    struct ph_input in = {.connector = c,
                          .request = &request,
                          .secrets = pair,
                          .secret_count = pair != NULL,
                          .now_ms = 1795600000000};
    struct ph_answer answer;
    size_t hits = 0;
    assert_int_equal(ph_engine_run(worker, &in, PH_WANT_ALL, &answer), PH_OK);
    for (size_t i = 0; i < answer.event_count; i++)
        hits += answer.events[i].verdict == PH_VERIFIED;
    assert_true(answer.event_count > 0);
    return hits;
}

static void no_scheme_that_reads_takes_an_empty_signature_or_an_empty_secret(void **state)
{
    (void)state;
    char *frame = mends_file("proof.yaml"), *cases = mends_file("proof.txt");
    const char *at = cases;
    struct mend m;
    struct ph_worker *worker = ph_worker_new(&pages_heap);
    const struct ph_secret_pair secrets[] = {
        {PH_SI("whsec_c2VjcmV0"), PH_SI("second")}, {PH_SI("only"), {0}}, {PH_SI(""), PH_SI("")}};
    const struct ph_slice values[] = {PH_SI(""),       PH_SI(" "),   PH_SI("Basic Og=="),
                                      PH_SI("Basic "), PH_SI("hs="), PH_SI("rs=")};
    assert_non_null(worker);
    while (mend_next(&at, &m)) {
        struct page p;
        char *right = page_of(frame, m.right);
        page_read(&p, ph_slice_str(right));
        for (size_t v = 0; v < PH_COUNTOF(values); v++)
            for (size_t s = 0; s <= PH_COUNTOF(secrets); s++)
                assert_int_equal(verified(worker, p.connector, values[v],
                                          s < PH_COUNTOF(secrets) ? &secrets[s] : NULL),
                                 0);
        page_done(&p);
        free(right);
    }
    ph_worker_free(worker);
    free(cases);
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scheme_that_anyone_could_sign_for_is_refused_and_the_mended_one_is_not),
        cmocka_unit_test(a_key_that_a_replay_could_change_is_refused_and_the_mended_one_is_not),
        cmocka_unit_test(no_scheme_that_reads_takes_an_empty_signature_or_an_empty_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
