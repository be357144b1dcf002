/* `*` in a page's pointers, what a reader says where it may not stand, and keys without the
 * account: pages and bodies in, answers out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "connector/words.h"
#include "core/engine.h"
#include "os/heap.h"
#include "reader/page.h"

struct fixture {
    struct ph_arena arena;
    struct ph_worker *worker;
};

static int open_worker(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    ph_arena_init(&f->arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    f->worker = ph_worker_new(&ph_os_heap);
    *state = f;
    return f->worker == NULL;
}

static int close_worker(void **state)
{
    struct fixture *f = *state;
    ph_worker_free(f->worker);
    ph_arena_done(&f->arena);
    free(f);
    return 0;
}

#define HEAD                                                                                       \
    "language: 1\nname: acme\ntitle: Acme\nsources:\n  S1: acme.example (2026-11-25)\nsignature: " \
    "{ kind: none }\n"
static const char page[] = HEAD
    "event: { type: /type }\n"
    "account: { of: /account, keys: false }\n"
    "dedupe: [ /type ]\n"
    "rules:\n"
    "  - on: sum\n    is: PAYMENT_INTENT_SUCCESS\n    payment: CHARGED\n"
    "  - on: all\n    when: { /parts/*/state: [ done, closed ] }\n    is: PAYMENT_INTENT_SUCCESS\n"
    "  - on: all\n    when: { /parts/*/state: { not: done } }\n    is: PAYMENT_INTENT_FAILURE\n"
    "  - on: all\n    when: { /parts/*/state: { present: true } }\n    is: "
    "PAYMENT_INTENT_PROCESSING\n"
    "payment:\n"
    "  connector_transaction_id: required /id\n"
    "  amount: major /parts/*/paid/*/value in /parts/*/paid/*/currency\n";

static struct ph_event run(struct fixture *f, const char *body)
{
    struct ph_page_errors errors = {0};
    const struct ph_connector *c = NULL;
    assert_int_equal(ph_page_read(&f->arena, PH_S("acme.yaml"), ph_slice_str(page), &errors, &c),
                     PH_OK);
    struct ph_request request = {.method = PH_SI("POST"), .body = ph_slice_str(body)};
    struct ph_input in = {.connector = c, .request = &request, .now_ms = 1795600000000};
    struct ph_answer answer;
    assert_int_equal(ph_engine_run(f->worker, &in, PH_WANT_CONTENT, &answer), PH_OK);
    assert_int_equal(answer.error, PH_E_NONE);
    return answer.events[0];
}

#define PAID(value, currency) "{\"value\":\"" value "\",\"currency\":\"" currency "\"}"
#define SUM(parts)            "{\"type\":\"sum\",\"id\":\"p1\",\"account\":\"a1\",\"parts\":[" parts "]}"

static void money_of_many_places_is_their_sum(void **state)
{
    struct ph_event one = run(*state, SUM("{\"paid\":[" PAID("5.55", "USD") "]}"));
    assert_true(one.fields[PH_F_AMOUNT].present);
    assert_int_equal(one.fields[PH_F_AMOUNT].number, 555);
    struct ph_event three = run(*state, SUM("{\"paid\":[" PAID("5.55", "USD") "," PAID(
                                            "0.45", "USD") "]},"
                                                           "{\"paid\":[" PAID("4", "USD") "]}"));
    assert_int_equal(three.fields[PH_F_AMOUNT].number, 1000);
    assert_false(ph_slice_present(three.incomplete));
}

static void a_sum_that_is_not_certain_is_left_out_and_said(void **state)
{
    static const char *const bodies[] = {
        SUM("{\"paid\":[" PAID("5.55", "USD") "," PAID("1.00", "EUR") "]}"), /* two currencies */
        SUM("{\"paid\":[" PAID("5.55", "USD") "]},{\"paid\":[]}"),           /* a part without */
        SUM("{\"paid\":[" PAID("5.55", "USD") "]},{}"),                      /* a part without */
        SUM("{\"paid\":[" PAID("5.55", "USD") ",{\"currency\":\"USD\"}]}"),  /* an amount without */
        SUM("{\"paid\":[" PAID("5.55", "USD") "," PAID("x", "USD") "]}"),    /* no number */
        /* would be rounded, each */
        SUM("{\"paid\":[" PAID("5.555", "USD") "," PAID("0.005", "USD") "]}"),
        /* too large */
        SUM("{\"paid\":[" PAID("92233720368547758.07", "USD") "," PAID("0.01", "USD") "]}"),
        SUM("{\"paid\":[" PAID("5.55", "ZZZ") "]}"), /* no currency of ours */
        /* no list */
        SUM("{\"paid\":{\"0\":" PAID("5.55", "USD") "}},{\"paid\":[" PAID("1", "USD") "]}"),
    };
    for (size_t i = 0; i < PH_COUNTOF(bodies); i++) {
        struct ph_event event = run(*state, bodies[i]);
        assert_false(event.fields[PH_F_AMOUNT].present);
        assert_true(ph_slice_present(event.incomplete));
    }
}

static void no_amount_anywhere_is_no_amount(void **state)
{
    struct ph_event event = run(*state, "{\"type\":\"sum\",\"id\":\"p1\"}");
    assert_false(event.fields[PH_F_AMOUNT].present);
    assert_false(ph_slice_present(event.incomplete));
}

static void a_test_of_many_holds_when_all_pass(void **state)
{
    static const struct {
        const char *body;
        int32_t type;
    } cases[] = {
        {"{\"type\":\"all\",\"parts\":[{\"state\":\"done\"},{\"state\":\"closed\"}]}",
         PH_PAYMENT_INTENT_SUCCESS},
        {"{\"type\":\"all\",\"parts\":[{\"state\":\"done\"},{\"state\":\"open\"}]}",
         PH_PAYMENT_INTENT_PROCESSING},
        {"{\"type\":\"all\",\"parts\":[{\"state\":\"open\"},{\"state\":\"open\"}]}",
         PH_PAYMENT_INTENT_FAILURE},
        {"{\"type\":\"all\",\"parts\":[{\"state\":\"done\"},{}]}",
         PH_WEBHOOK_EVENT_TYPE_UNSPECIFIED},
        {"{\"type\":\"all\",\"parts\":[]}", PH_PAYMENT_INTENT_FAILURE}, /* none is done */
        {"{\"type\":\"all\"}", PH_PAYMENT_INTENT_FAILURE},
    };
    for (size_t i = 0; i < PH_COUNTOF(cases); i++)
        assert_int_equal(run(*state, cases[i].body).event_type, cases[i].type);
}

static void an_account_apart_is_told_and_in_no_key(void **state)
{
    struct ph_event event = run(*state, SUM("{\"paid\":[" PAID("1", "USD") "]}"));
    assert_true(ph_slice_eq(event.account, PH_S("a1")));
    assert_true(ph_slice_eq(event.effect_key, PH_S("acme::payment:p1:CHARGED:100:USD")));
}

static void the_reader_says_where_many_may_not_stand(void **state)
{
    static const char *const bad[] = {
        HEAD "event: { type: /a/* }\ndedupe: none\nrules: []\n",
        HEAD "event: { type: /type }\ndedupe: [ /a/* ]\nrules: []\n",
        HEAD "event: { type: /type }\ndedupe: none\nrules:\n  - when: { \"/a/* or /b\": x }\n",
        HEAD "event: { type: /type }\ndedupe: none\nrules:\n  - when: { /a/*|lower: x }\n",
        HEAD "event: { type: /type }\ndedupe: none\nrules:\n  - payment: CHARGED\npayment:\n"
             "  connector_transaction_id: /id\n  amount: minor /amount in /a/*/currency\n",
        HEAD "event: { type: /type }\naccount: { keys: false }\ndedupe: none\nrules: []\n",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < PH_COUNTOF(bad); i++) {
        struct ph_page_errors errors = {0};
        const struct ph_connector *c = NULL;
        assert_int_equal(
            ph_page_read(&f->arena, PH_S("acme.yaml"), ph_slice_str(bad[i]), &errors, &c),
            PH_ERR_MALFORMED);
        assert_true(errors.count > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_of_many_places_is_their_sum),
        cmocka_unit_test(a_sum_that_is_not_certain_is_left_out_and_said),
        cmocka_unit_test(no_amount_anywhere_is_no_amount),
        cmocka_unit_test(a_test_of_many_holds_when_all_pass),
        cmocka_unit_test(an_account_apart_is_told_and_in_no_key),
        cmocka_unit_test(the_reader_says_where_many_may_not_stand),
    };
    return cmocka_run_group_tests(tests, open_worker, close_worker);
}
