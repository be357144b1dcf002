/* Every sample of every page compiled in: signed as the processor would sign it, it must verify,
 * and it must not under another secret or none. `payhook trigger` sends just these. */
#include "sample_fixture.h"
#include "wire/wire.h"

static bool make_signed(struct ph_worker *worker, const struct ph_connector *c,
                        const struct ph_sample *sample, struct signed_sample *ret)
{
    for (size_t i = 0; i < KEYS; i++)
        if (sign_with(worker, c, sample, &keys[i], ret))
            return true;
    return false;
}

static enum ph_verdict verdict_of(struct ph_worker *worker, const struct signed_sample *s,
                                  const struct ph_variant **ret_variant)
{
    struct ph_answer answer;
    assert_int_equal(ph_engine_run(worker, &s->in, PH_WANT_ALL, &answer), PH_OK);
    if (ret_variant != NULL)
        *ret_variant = answer.variant;
    if (answer.event_count == 0 || answer.error != PH_E_NONE)
        return PH_VERDICT_UNSPECIFIED;
    return answer.events[0].verdict;
}

/* Which verdict a sound sample earns: some processors sign nothing, some keep the key to
 * themselves. */
static enum ph_verdict deserved(const struct ph_variant *variant)
{
    const struct ph_signature *last = &variant->signatures[variant->signature_count - 1];
    if (last->kind == PH_SIG_NONE)
        return PH_UNSIGNED;
    if (last->fetch != NULL && last->fetch->kind == PH_FETCH_CERTIFICATE)
        return PH_UNREACHABLE;
    return PH_VERIFIED;
}

static void name_failure(const struct ph_connector *c, const struct ph_sample *s, const char *what,
                         int verdict)
{
    fail_msg("%.*s %.*s/%.*s: %s (verdict %d)", (int)c->name.len, c->name.ptr, (int)s->variant.len,
             s->variant.len > 0 ? s->variant.ptr : "", (int)s->event.len, s->event.ptr, what,
             verdict);
}

static void samples_sign_and_verify(void **state)
{
    (void)state;
    static struct signed_sample made;
    struct ph_worker *signer = ph_worker_new(&ph_os_heap), *worker = ph_worker_new(&ph_os_heap);
    size_t verified = 0;
    for (size_t n = 0; n < ph_connectors_builtin_count; n++) {
        const struct ph_connector *c = ph_connectors_builtin[n];
        for (uint16_t i = 0; i < c->sample_count; i++) {
            const struct ph_variant *variant = NULL;
            if (!make_signed(signer, c, &c->samples[i], &made))
                name_failure(c, &c->samples[i], "cannot be signed", 0);
            enum ph_verdict got = verdict_of(worker, &made, &variant);
            if (variant == NULL || got != deserved(variant))
                name_failure(c, &c->samples[i], "does not verify as it should", (int)got);
            verified += got == PH_VERIFIED;
        }
    }
    assert_true(verified > 100);
    ph_worker_free(signer);
    ph_worker_free(worker);
}

static void samples_do_not_verify_under_another_secret(void **state)
{
    (void)state;
    static struct signed_sample made;
    struct ph_worker *signer = ph_worker_new(&ph_os_heap), *worker = ph_worker_new(&ph_os_heap);
    for (size_t n = 0; n < ph_connectors_builtin_count; n++) {
        const struct ph_connector *c = ph_connectors_builtin[n];
        for (uint16_t i = 0; i < c->sample_count; i++) {
            if (!make_signed(signer, c, &c->samples[i], &made))
                name_failure(c, &c->samples[i], "cannot be signed", 0);
            made.secret = (struct ph_secret_pair){
                PH_S("ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
                PH_S("additional")};
            if (verdict_of(worker, &made, NULL) == PH_VERIFIED)
                name_failure(c, &c->samples[i], "verifies under a secret that did not sign it",
                             PH_VERIFIED);
            made.secret.secret = PH_S("");
            if (verdict_of(worker, &made, NULL) == PH_VERIFIED)
                name_failure(c, &c->samples[i], "verifies under an empty secret", PH_VERIFIED);
        }
    }
    ph_worker_free(signer);
    ph_worker_free(worker);
}

/* Whoever triggers two of them should see two events, not a duplicate or a revision. A sample
 * that two shapes have is one. */
static void samples_of_different_names_are_different_events(void **state)
{
    (void)state;
    enum { KEY_BYTES_MAX = 256, SAMPLES_MAX = 256 };
    static struct signed_sample made;
    static char found[SAMPLES_MAX][KEY_BYTES_MAX];
    size_t same = 0;
    struct ph_worker *signer = ph_worker_new(&ph_os_heap), *worker = ph_worker_new(&ph_os_heap);
    for (size_t n = 0; n < ph_connectors_builtin_count; n++) {
        const struct ph_connector *c = ph_connectors_builtin[n];
        assert_true(c->sample_count <= SAMPLES_MAX);
        for (uint16_t i = 0; i < c->sample_count; i++) {
            struct ph_answer answer;
            found[i][0] = '\0';
            if (!make_signed(signer, c, &c->samples[i], &made))
                name_failure(c, &c->samples[i], "cannot be signed", 0);
            assert_int_equal(ph_engine_run(worker, &made.in, PH_WANT_ALL, &answer), PH_OK);
            struct ph_slice key =
                answer.event_count > 0 ? answer.events[0].dedupe_key : (struct ph_slice){0};
            /* by the signer: fresh each time */
            bool is_made_up = ph_slice_find(key, PH_S("msg_1"), 0) != SIZE_MAX;
            if (key.len == 0 || key.len >= KEY_BYTES_MAX || is_made_up)
                continue;
            memcpy(found[i], key.ptr, key.len);
            found[i][key.len] = '\0';
            for (uint16_t k = 0; k < i; k++)
                if (strcmp(found[k], found[i]) == 0 &&
                    !ph_slice_eq(c->samples[k].event, c->samples[i].event) && ++same > 0)
                    print_error("%.*s: samples %.*s and %.*s have one key, %s\n", (int)c->name.len,
                                c->name.ptr, (int)c->samples[k].event.len, c->samples[k].event.ptr,
                                (int)c->samples[i].event.len, c->samples[i].event.ptr, found[i]);
        }
    }
    assert_int_equal(same, 0);
    ph_worker_free(signer);
    ph_worker_free(worker);
}

/* One answer without its keys. */
static size_t compare_without_keys(struct ph_worker *worker, const struct ph_input *in,
                                   enum ph_form form, char *room, size_t room_bytes)
{
    const enum ph_want want = (enum ph_want)(PH_WANT_ALL | PH_WANT_PEER_REPLY);
    struct ph_answer answer;
    struct ph_slice told = {0}, again = {0};
    assert_int_equal(ph_engine_run(worker, in, want, &answer), PH_OK);
    if (answer.error != PH_E_NONE)
        return 0;
    assert_int_equal(ph_wire_write(ph_worker_arena(worker), form, &answer, &told), PH_OK);
    assert_true(told.len <= room_bytes);
    memcpy(room, told.ptr, told.len);
    told.ptr = room;
    assert_int_equal(ph_engine_run(worker, in, (enum ph_want)(want | PH_WANT_NO_KEYS), &answer),
                     PH_OK);
    assert_int_equal(answer.error, PH_E_NONE);
    assert_false(ph_slice_present(answer.events[0].dedupe_key) ||
                 ph_slice_present(answer.events[0].effect_key));
    assert_int_equal(ph_wire_write(ph_worker_arena(worker), form, &answer, &again), PH_OK);
    assert_true(ph_slice_eq(told, again));
    return 1;
}

static void the_peers_answers_are_the_same_whether_keys_are_written_or_not(void **state)
{
    static struct signed_sample made;
    static char room[64 * 1024];
    (void)state;
    size_t compared = 0;
    struct ph_worker *signer = ph_worker_new(&ph_os_heap), *worker = ph_worker_new(&ph_os_heap);
    for (size_t n = 0; n < ph_connectors_builtin_count; n++) {
        const struct ph_connector *c = ph_connectors_builtin[n];
        for (uint16_t i = 0; i < c->sample_count; i++) {
            if (!make_signed(signer, c, &c->samples[i], &made))
                name_failure(c, &c->samples[i], "cannot be signed", 0);
            compared +=
                compare_without_keys(worker, &made.in, PH_FORM_HANDLE_EVENT, room, sizeof(room));
            compared +=
                compare_without_keys(worker, &made.in, PH_FORM_COMPOSITE, room, sizeof(room));
        }
    }
    assert_true(compared > 500);
    ph_worker_free(signer);
    ph_worker_free(worker);
}

static int set_up(void **state)
{
    (void)state;
    make_keys();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_sign_and_verify),
        cmocka_unit_test(samples_of_different_names_are_different_events),
        cmocka_unit_test(samples_do_not_verify_under_another_secret),
        cmocka_unit_test(the_peers_answers_are_the_same_whether_keys_are_written_or_not),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
