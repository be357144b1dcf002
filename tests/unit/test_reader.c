/* What a page that is wrong is told: the place, what, the nearest known word; everything at
 * once. */
#include "mends.h"

/* ---- words, texts, sections ------------------------------------------------------------------ */

static void the_page_of_these_tests_reads(void **state)
{
    (void)state;
    char *page = mends_file("acme.yaml");
    assert_told(ph_slice_str(page), "");
    free(page);
}

static void every_error_has_its_place_and_the_nearest_known_word(void **state)
{
    (void)state;
    char *page = mends_file("acme.yaml"), *cases = mends_file("errors.txt");
    const char *at = cases;
    struct mend m;
    size_t count = 0;
    for (; mend_next(&at, &m); count++) {
        char *wrong = page_edited(page, m.right, m.wrong);
        assert_told(ph_slice_str(wrong), m.told);
        free(wrong);
    }
    assert_true(count > 130);
    free(cases);
    free(page);
}

/* ---- how much is told ------------------------------------------------------------------------ */

#define HEAD "language: 1\nname: acme\ntitle: Acme\nsources: { S1: acme.example (2026-11-25) }\n"
#define BODY "event: { type: /type }\ndedupe: none\n"

static void all_that_is_wrong_is_told_at_once_in_the_page_s_order(void **state)
{
    (void)state;
    assert_told(
        PH_S("language: 1\nname: acme\ntitel: Acme\n"
             "rules:\n  - no: x\n  - is: REFUND_SUCCESS\n"
             "signature: { kind: hmac-sha257, from: header:A b }\n"
             "event: { type: type, id: haeder:x }\n"),
        "acme.yaml:1:1: `title` is missing: the processor's name as people write it\n"
        "acme.yaml:1:1: `sources` is missing: where the facts come from, and when they were read\n"
        "acme.yaml:1:1: `dedupe` is missing: what names one event, or `none`\n"
        "acme.yaml:3:1: unknown key `titel`; did you mean `title`?\n"
        "acme.yaml:5:5: unknown key `no`\n"
        "acme.yaml:6:9: `REFUND_SUCCESS` is a word for refund status; what uses it wants a word "
        "for event type\n"
        "acme.yaml:7:20: unknown kind of signature `hmac-sha257`; did you mean `hmac-sha256`?\n"
        "acme.yaml:7:39: no header has the name `A b`\n"
        "acme.yaml:8:16: the type cannot be read from `type` itself\n"
        "acme.yaml:8:26: unknown kind of reference `haeder`; did you mean `header`?");
}

static void what_variants_share_is_told_once(void **state)
{
    (void)state;
    assert_told(
        PH_S(HEAD BODY
             "signature: { kind: nothing }\nrules: []\n"
             "variants:\n  - { name: a, when: { /a: b } }\n  - { name: b, when: { /b: c } }\n"),
        "acme.yaml:7:20: unknown kind of signature `nothing`");
}

static void a_screenful_is_told_and_that_there_is_more(void **state)
{
    (void)state;
    char text[4096] = HEAD BODY "signature: { kind: none }\nrules:\n";
    for (int i = 0; i < PH_PAGE_ERRORS_MAX + 5; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "  - { is: WRONG_%d }\n", i);
    struct page p;
    page_read(&p, ph_slice_str(text));
    assert_int_equal(p.errors.count, PH_PAGE_ERRORS_MAX + 1);
    const char *told = page_told(&p);
    assert_non_null(strstr(told, "acme.yaml:28:11: unknown event type `WRONG_19`\nacme.yaml: more "
                                 "is wrong; mend these first"));
    assert_null(strstr(told, "WRONG_20"));
    page_done(&p);
}

static void what_is_quoted_is_cut_between_characters_and_cannot_move_a_terminal(void **state)
{
    (void)state;
    char text[2048] = HEAD BODY "signature: { kind: none }\nrules: []\nmode: \"\\e[2J", told[512];
    for (size_t i = 0; i < PH_PAGE_DETAIL_BYTES_MAX; i++)
        strcat(text, "é");
    strcat(text, "\"\n");
    strcpy(told, "acme.yaml:9:7: unknown mode `?[2J");
    for (size_t i = 0; i < (PH_PAGE_DETAIL_BYTES_MAX - 4) / 2; i++)
        strcat(told, "é");
    strcat(told, "…`; known: MODE_UNSPECIFIED, TEST, LIVE");
    assert_told(ph_slice_str(text), told);
}

/* ---- alternatives ---------------------------------------------------------------------------- */

static void quotes_and_braces_hold_an_alternative_together(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        unsigned alternatives, pieces; /* of the first */
    } cases[] = {
        {"/a", 1, 1},
        {"/a or /b", 2, 1},
        {"'/a or {/b}:{/c} or =x'", 3, 1},
        {"'{/a}:{/b} or /c'", 2, 3},
        {"'\"a or {/b}\" or /c'", 2, 2},
        {"'\"a or b\"'", 1, 1},
        {"'{/a|before-first: or } or /c'", 2, 1},
        {"'{{ or }} or {/c}'", 3, 1},
    };
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        char text[512];
        struct page p;
        snprintf(text, sizeof(text),
                 HEAD BODY "signature: { kind: none }\nrules: []\naccount: %s\n", cases[i].value);
        page_read(&p, ph_slice_str(text));
        assert_string_equal(page_told(&p), "");
        const struct ph_expr *account = &p.connector->variants[0].account;
        assert_int_equal(account->count, cases[i].alternatives);
        assert_int_equal(account->alternatives[0].count, cases[i].pieces);
        page_done(&p);
    }
}

/* ---- what nothing uses ----------------------------------------------------------------------- */

static void what_nothing_names_is_told_of_a_page_that_reads_otherwise(void **state)
{
    (void)state;
    static const char unused[] =
        HEAD BODY "signature: { kind: none }\nrules: %s\nmaps: { m: { a: LIVE } }\n"
                  "let: { l: \"{/a}\" }\npayment: { amount: minor /a in =EUR }\n";
    char text[1024];
    snprintf(text, sizeof(text), unused, "[]");
    assert_told(ph_slice_str(text),
                "acme.yaml:9:9: no choice uses the map `m`; use it or leave it out\n"
                "acme.yaml:10:8: nothing uses the let `l`; use it or leave it out\n"
                "acme.yaml:11:1: no rule uses the block `payment`; use it or leave it out");
    snprintf(text, sizeof(text), unused, "{}");
    assert_told(ph_slice_str(text), "acme.yaml:8:8: a list belongs here, not a map");
}

static void a_variant_that_no_request_reaches_is_told(void **state)
{
    (void)state;
    static const char page[] = HEAD BODY "signature: { kind: none }\nrules: []\nvariants:\n  - { "
                                         "name: a, %s }\n  - { name: %s, body: %s }\n";
    char text[1024];
    snprintf(text, sizeof(text), page, "body: json", "b", "json");
    assert_told(ph_slice_str(text), "acme.yaml:11:5: this variant is never used: one before it has "
                                    "no `when` and takes every body "
                                    "that this one reads: a");
    snprintf(text, sizeof(text), page, "body: json", "b", "form");
    assert_told(ph_slice_str(text), "");
    snprintf(text, sizeof(text), page, "when: { /a: b }", "b", "json");
    assert_told(ph_slice_str(text), "");
    snprintf(text, sizeof(text), page, "when: { /a: b }", "a", "json");
    assert_told(ph_slice_str(text), "acme.yaml:11:13: another variant has this name: a");
    snprintf(text, sizeof(text), page, "when: { /a: b }", "A B", "json");
    assert_told(ph_slice_str(text),
                "acme.yaml:11:13: a variant needs a `name`, of a-z, 0-9, _ and -");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_of_these_tests_reads),
        cmocka_unit_test(every_error_has_its_place_and_the_nearest_known_word),
        cmocka_unit_test(all_that_is_wrong_is_told_at_once_in_the_page_s_order),
        cmocka_unit_test(what_variants_share_is_told_once),
        cmocka_unit_test(a_screenful_is_told_and_that_there_is_more),
        cmocka_unit_test(what_is_quoted_is_cut_between_characters_and_cannot_move_a_terminal),
        cmocka_unit_test(quotes_and_braces_hold_an_alternative_together),
        cmocka_unit_test(what_nothing_names_is_told_of_a_page_that_reads_otherwise),
        cmocka_unit_test(a_variant_that_no_request_reaches_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
