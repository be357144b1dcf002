/* What a caller of the admin API asks for: queries, filters, routes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "config/config.h"
#include "os/heap.h"
#include "server/admin_call.h"
#include "server/admin_params.h"

static struct ph_arena arena;

static int begin(void **state)
{
    (void)state;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    ph_arena_done(&arena);
    return 0;
}

static void is(struct ph_slice slice, const char *text)
{
    assert_int_equal(slice.len, strlen(text));
    assert_memory_equal(slice.ptr, text, slice.len);
}

enum { EVENTS = PH_TAKES_EVENTS | PH_TAKES_DELIVERY | PH_TAKES_PAGE };

static bool read_takes(const char *query, uint32_t takes, struct ph_admin_filter *ret,
                       struct ph_slice *ret_why)
{
    struct ph_admin_params params;
    *ret_why = PH_S("query");
    return ph_admin_params_read(&arena, ph_slice_str(query), &params) == PH_OK &&
           ph_admin_filter_read(&arena, &params, takes, 1000000000000, ret, ret_why);
}

static void a_query_becomes_a_filter(void **state)
{
    struct ph_admin_filter f;
    struct ph_slice why;
    (void)state;
    assert_true(read_takes("endpoint=shop&subject=a%20b+c%2B&type=PAYMENT_INTENT_FAILURE&state="
                           "dead&destination=app&limit=7&cursor=42",
                           EVENTS, &f, &why));
    is(f.inbox.endpoint, "shop");
    is(f.inbox.subject, "a b c+");
    is(f.inbox.type, "PAYMENT_INTENT_PAYMENT_FAILED"); /* the name that events are kept under */
    is(f.inbox.destination, "app");
    assert_int_equal(f.inbox.state, PH_DELIVERY_DEAD);
    assert_int_equal(f.inbox.before, 42);
    assert_int_equal(f.limit, 7);
    assert_true(f.bounded);
    assert_true(read_takes("class=Refund", EVENTS, &f, &why));
    is(f.inbox.class, "refund"); /* as it is kept */
    assert_true(read_takes("", EVENTS, &f, &why));
    assert_int_equal(f.limit, PH_ADMIN_PAGE);
    assert_false(f.bounded);
    assert_false(ph_slice_present(f.inbox.endpoint));
    assert_true(read_takes("limit=100000", EVENTS, &f, &why));
    assert_int_equal(f.limit, PH_ADMIN_PAGE_MAX);
    assert_false(f.bounded); /* a page of everything is everything */
}

static void times_are_absolute_or_so_long_ago(void **state)
{
    struct ph_admin_filter f;
    struct ph_slice why;
    (void)state;
    assert_true(read_takes("from=2h&to=2001-09-09T01:46:40Z", EVENTS, &f, &why));
    assert_int_equal(f.inbox.from_ms, 1000000000000 - 2 * 3600 * 1000);
    assert_int_equal(f.inbox.to_ms, 1000000000000);
    assert_true(read_takes("from=1970-01-01&to=999", EVENTS, &f, &why));
    assert_int_equal(f.inbox.from_ms, 1); /* 0 would be no bound */
    assert_int_equal(f.inbox.to_ms, 999);
}

static void what_does_not_read_is_refused_by_name(void **state)
{
    static const struct {
        const char *query, *why;
        uint32_t takes;
    } cases[] = {
        {"endpont=shop", "endpont: there is no such parameter here", EVENTS},
        {"standing=pending", "standing: there is no such parameter here", EVENTS},
        {"unmasked=true", "unmasked: there is no such parameter here", EVENTS},
        {"state=dead", "state: there is no such parameter here", PH_TAKES_REQUESTS | PH_TAKES_PAGE},
        {"limit=0", "limit: a number above 0", EVENTS},
        {"limit=-1", "limit: a number above 0", EVENTS},
        {"limit=1e3", "limit: a number above 0", EVENTS},
        {"cursor=0", "cursor: the `next` of the page before", EVENTS},
        {"cursor=9223372036854775808", "cursor: the `next` of the page before", EVENTS},
        {"cursor=%2042", "cursor: the `next` of the page before", EVENTS},
        {"endpoint=", "endpoint: a name", EVENTS},
        {"unmasked=yes", "unmasked: true or false", PH_TAKES_UNMASKED},
        {"class=paymet", "class: no class is called \"paymet\"; did you mean \"payment\"?", EVENTS},
        {"class=card",
         "class: no class is called \"card\"; known: payment, refund, dispute, mandate, payout, "
         "recovery, fraud",
         EVENTS},
        {"class=",
         "class: no class is called \"\"; known: payment, refund, dispute, mandate, payout, "
         "recovery, fraud",
         EVENTS},
        {"type=dispute_create",
         "type: no event type is called \"dispute_create\"; did you mean \"DISPUTE_CREATED\"?",
         EVENTS},
        {"state=deed", "state: no state is called \"deed\"; did you mean \"dead\"?", EVENTS},
        {"standing=quarantine",
         "standing: no standing is called \"quarantine\"; did you mean \"quarantined\"?",
         PH_TAKES_REQUESTS},
        {"a=%", "query", EVENTS},
        {"a=%0", "query", EVENTS},
        {"a=%00", "query", EVENTS},
        {"a=%ff", "query", EVENTS},
        {"endpoint=a&endpoint=b", "query", EVENTS},
        {"1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17&18&19&20&21&22&23&24&25", "query", EVENTS},
    };
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        struct ph_admin_filter f;
        struct ph_slice why;
        assert_false(read_takes(cases[i].query, cases[i].takes, &f, &why));
        is(why, cases[i].why);
    }
}

static void a_path_leads_to_its_row_and_to_no_other(void **state)
{
    static const struct {
        const char *method, *path, *row, *word, *allow;
    } cases[] = {
        {"GET", "events", "events", "", ""},
        {"GET", "events/stripe:evt_1", "events/{id}", "stripe:evt_1", ""},
        {"POST", "deliveries/retry", "deliveries/retry", "", ""},
        {"GET", "deliveries/retry", "deliveries/{id}", "retry", ""},
        {"POST", "deliveries/7/retry", "deliveries/{id}/retry", "7", ""},
        {"GET", "requests/7/raw", "requests/{id}/raw", "7", ""},
        {"POST", "destinations/a/pause", "destinations/{name}/pause", "a", ""},
        {"POST", "events", NULL, "", "GET"},
        {"PUT", "replay", NULL, "", "POST"},
        {"GET", "events/", NULL, "", ""},
        {"GET", "events/1/2", NULL, "", ""},
        {"GET", "", NULL, "", ""},
        {"GET", "/events", NULL, "", ""},
        {"GET", "requests//raw", NULL, "", ""},
    };
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        struct ph_slice word, allow;
        const struct ph_admin_route *route = ph_admin_route_find(
            ph_slice_str(cases[i].method), ph_slice_str(cases[i].path), &word, &allow);
        assert_int_equal(route != NULL, cases[i].row != NULL);
        if (route != NULL) {
            is(route->path, cases[i].row);
            is(word.len > 0 ? word : PH_S(""), cases[i].word);
        } else {
            is(allow.len > 0 ? allow : PH_S(""), cases[i].allow);
        }
    }
}

static void every_row_has_one_scope_and_what_changes_things_is_not_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ph_admin_route_count; i++) {
        const struct ph_admin_route *route = &ph_admin_routes[i];
        bool reads = ph_slice_eq(route->method, PH_S("GET"));
        assert_int_equal(__builtin_popcount(route->scope), 1);
        assert_int_equal(reads, route->scope == PH_SCOPE_READ || route->scope == PH_SCOPE_RAW);
        assert_true(ph_admin_is_path(PH_S("/admin/v1/events")));
    }
    assert_false(ph_admin_is_path(PH_S("/administer")));
    assert_false(ph_admin_is_path(PH_S("/metrics")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_becomes_a_filter),
        cmocka_unit_test(times_are_absolute_or_so_long_ago),
        cmocka_unit_test(what_does_not_read_is_refused_by_name),
        cmocka_unit_test(a_path_leads_to_its_row_and_to_no_other),
        cmocka_unit_test(every_row_has_one_scope_and_what_changes_things_is_not_read),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
