/* Pointers into the event share one walk (core/point.c): it must say what a walk of each says,
 * and keep nothing from one event to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/engine.h"
#include "core/run.h"
#include "os/heap.h"
#include "reader/page.h"

static int open_worker(void **state)
{
    *state = ph_worker_new(&ph_os_heap);
    return *state == NULL;
}

static int close_worker(void **state)
{
    ph_worker_free(*state);
    return 0;
}

/* ---- every connector's nodes over its samples ------------------------------------------------ */

enum { STEPS_MAX = 32 };

/* The steps from the root to a node. */
static uint16_t steps_to(const struct ph_connector *c, uint16_t node,
                         struct ph_step steps[STEPS_MAX])
{
    if (node == 0)
        return 0;
    uint16_t count = steps_to(c, c->nodes[node].parent, steps);
    assert_true(count < STEPS_MAX);
    steps[count] = c->nodes[node].step;
    return (uint16_t)(count + 1);
}

static size_t compare_walks(struct ph_worker *worker, const struct ph_connector *c,
                            struct ph_slice body)
{
    struct ph_input in = {.connector = c};
    struct ph_run run = {
        .worker = worker, .arena = ph_worker_arena(worker), .in = &in, .connector = c};
    struct ph_slice why;
    size_t found = 0;
    assert_int_equal(ph_point_room(&run), PH_OK);
    run.item = ph_read_json(&run, body, &why);
    for (uint16_t n = 1; run.item != NULL && n < c->node_count; n++) {
        struct ph_step steps[STEPS_MAX];
        uint16_t count = steps_to(c, n, steps);
        struct ph_pointer alone = {.steps = steps, .count = count};
        struct ph_pointer shared = {.steps = steps, .count = count, .shared = count, .node = n};
        run.ambiguous = (struct ph_slice){0};
        yyjson_val *want = ph_point(&run, run.item, &alone);
        struct ph_slice want_ambiguous = run.ambiguous;
        for (int again = 0; again < 2; again++) {
            run.ambiguous = (struct ph_slice){0};
            assert_ptr_equal(ph_point(&run, run.item, &shared), want);
            assert_int_equal(run.ambiguous.len, want_ambiguous.len);
            if (want_ambiguous.len > 0)
                assert_memory_equal(run.ambiguous.ptr, want_ambiguous.ptr, want_ambiguous.len);
        }
        found += want != NULL && want_ambiguous.len == 0;
    }
    ph_worker_reset(worker);
    return found;
}

/* {"a":1} as {"a":1,"a":1}. */
static struct ph_slice doubled(struct ph_slice body, char *out)
{
    size_t end = body.len;
    while (end > 0 && body.ptr[end - 1] != '}')
        end--;
    size_t start = ph_slice_find(body, PH_S("{"), 0);
    if (end == 0 || start == SIZE_MAX || end - start < 3)
        return body;
    size_t half = end - 1 - (start + 1);
    out[0] = '{';
    memcpy(out + 1, body.ptr + start + 1, half);
    out[1 + half] = ',';
    memcpy(out + 2 + half, body.ptr + start + 1, half);
    out[2 + 2 * half] = '}';
    return ph_slice_of(out, 3 + 2 * half);
}

static void one_walk_finds_what_each_pointer_finds_alone(void **state)
{
    size_t found = 0;
    for (size_t i = 0; i < ph_connectors_builtin_count; i++) {
        const struct ph_connector *c = ph_connectors_builtin[i];
        for (uint16_t s = 0; s < c->sample_count; s++) {
            struct ph_slice body = c->samples[s].body;
            char *twice = malloc(2 * body.len + 3);
            assert_non_null(twice);
            found += compare_walks(*state, c, body);
            (void)compare_walks(*state, c, doubled(body, twice));
            free(twice);
        }
    }
    assert_true(found > 500); /* the samples do have what the pages read */
}

/* Names are looked up by their first eight bytes and their length: the rest must count too, and
 * what follows a short key in the body must not. */
static void a_key_that_differs_in_one_byte_is_another(void **state)
{
    size_t tried = 0;
    for (size_t i = 0; i < ph_connectors_builtin_count; i++) {
        const struct ph_connector *c = ph_connectors_builtin[i];
        for (uint16_t n = 1; n < c->node_count; n++) {
            struct ph_slice key = c->nodes[n].step.key;
            if (c->nodes[n].parent != 0 || key.len > 64)
                continue;
            for (size_t at = 0; at <= key.len; at++, tried++) {
                char body[80] = "{\"";
                memcpy(body + 2, key.ptr, key.len);
                memcpy(body + 2 + key.len, "\":0}", 4);
                assert_int_equal(compare_walks(*state, c, ph_slice_of(body, key.len + 6)), 1);
                if (at == key.len) /* one byte shorter */
                    memcpy(body + 1 + key.len, "\":0} ", 5);
                else
                    body[2 + at] ^= 1;
                (void)compare_walks(*state, c, ph_slice_of(body, key.len + 6));
            }
        }
    }
    assert_true(tried > 1000);
}

/* ---- events of one page ---------------------------------------------------------------------- */

static const char page[] =
    "language: 1\nname: acme\ntitle: Acme\nsources: { S1: acme.example (2026-11-24) }\n"
    "body: json\nitems: /events/*\nsignature: { kind: none }\n"
    "event: { id: /id, type: /type }\n"
    "rules:\n"
    "  - on: paid\n    is: PAYMENT_INTENT_SUCCESS\n    payment: CHARGED\n"
    "  - on: noted\n    is: PAYMENT_INTENT_PROCESSING\n"
    "payment:\n  connector_transaction_id: /payment/id\n  merchant_transaction_id: "
    "/payment/refs/1\n"
    "  merchant_order_id: /payment/refs/last\n  email: /payment/people/[role=payer]/email\n"
    "dedupe: [ /id ]\nack: { status: 200 }\nrefuse: { status: 401 }\n"
    "variants:\n"
    "  - name: old\n    when: { /version: \"1\" }\n"
    "  - name: new\n    items: /events/*/inner\n";

static const struct ph_connector *acme(struct ph_arena *arena)
{
    struct ph_page_errors errors = {0};
    const struct ph_connector *c = NULL;
    ph_arena_init(arena, &ph_os_heap, 1 << 20, 0);
    enum ph_status st =
        ph_page_read(arena, PH_S("acme.yaml"), ph_slice_of(page, sizeof(page) - 1), &errors, &c);
    if (st != PH_OK)
        print_message("%.*s\n", (int)errors.list[0].text.len, errors.list[0].text.ptr);
    assert_int_equal(st, PH_OK);
    return c;
}

static struct ph_answer answer_to(struct ph_worker *worker, const struct ph_connector *c,
                                  const char *body)
{
    struct ph_request request = {.method = PH_S("POST"), .body = ph_slice_str(body)};
    struct ph_input in = {.connector = c, .request = &request, .now_ms = -1};
    struct ph_answer answer = {0};
    assert_int_equal(ph_engine_run(worker, &in, PH_WANT_CONTENT, &answer), PH_OK);
    return answer;
}

static void assert_field(const struct ph_event *e, enum ph_field field, const char *want)
{
    assert_int_equal(e->fields[field].present, want != NULL);
    if (want == NULL)
        return;
    assert_int_equal(e->fields[field].text.len, strlen(want));
    assert_memory_equal(e->fields[field].text.ptr, want, strlen(want));
}

static void events_of_a_batch_keep_nothing_of_each_other(void **state)
{
    struct ph_arena arena;
    const struct ph_connector *c = acme(&arena);
    struct ph_answer a = answer_to(
        *state, c,
        "{\"version\":\"1\",\"events\":["
        "{\"id\":\"1\",\"type\":\"paid\",\"payment\":{\"id\":\"p1\",\"refs\":[\"a\",\"b\",\"c\"],"
        "\"people\":[{\"role\":\"payee\",\"email\":\"x\"},{\"role\":\"payer\",\"email\":\"y\"}]}},"
        "{\"id\":\"2\",\"type\":\"paid\",\"payment\":{\"refs\":[\"d\"]}},"
        "{\"id\":\"3\",\"type\":\"paid\"},"
        "{\"id\":\"4\",\"type\":\"paid\",\"payment\":{\"id\":\"p4\"}}]}");
    assert_int_equal(a.error, PH_E_NONE);
    assert_int_equal(a.event_count, 4);
    assert_field(&a.events[0], PH_F_CONNECTOR_TRANSACTION_ID, "p1");
    assert_field(&a.events[0], PH_F_MERCHANT_TRANSACTION_ID, "b");
    assert_field(&a.events[0], PH_F_MERCHANT_ORDER_ID, "c");
    assert_field(&a.events[0], PH_F_EMAIL, "y");
    assert_field(&a.events[1], PH_F_CONNECTOR_TRANSACTION_ID, NULL);
    assert_field(&a.events[1], PH_F_MERCHANT_TRANSACTION_ID, NULL);
    assert_field(&a.events[1], PH_F_MERCHANT_ORDER_ID, "d");
    assert_field(&a.events[1], PH_F_EMAIL, NULL);
    assert_field(&a.events[2], PH_F_MERCHANT_ORDER_ID, NULL);
    assert_field(&a.events[3], PH_F_CONNECTOR_TRANSACTION_ID, "p4");
    ph_arena_done(&arena);
}

static void a_variant_reads_its_own_item_of_the_same_body(void **state)
{
    struct ph_arena arena;
    const struct ph_connector *c = acme(&arena);
    struct ph_answer a =
        answer_to(*state, c,
                  "{\"version\":\"2\",\"events\":[{\"id\":\"outside\",\"type\":\"noted\","
                  "\"inner\":{\"id\":\"1\",\"type\":\"paid\",\"payment\":{\"id\":\"p1\"}}}]}");
    assert_int_equal(a.error, PH_E_NONE);
    assert_int_equal(a.event_count, 1);
    assert_int_equal(a.events[0].id.len, 1);
    assert_field(&a.events[0], PH_F_CONNECTOR_TRANSACTION_ID, "p1");
    ph_arena_done(&arena);
}

static void a_doubled_key_is_ambiguous_in_its_own_event_only(void **state)
{
    struct ph_arena arena;
    const struct ph_connector *c = acme(&arena);
    struct ph_answer a = answer_to(
        *state, c,
        "{\"version\":\"1\",\"events\":["
        "{\"id\":\"1\",\"type\":\"paid\",\"payment\":{\"id\":\"p1\"}},"
        "{\"id\":\"2\",\"type\":\"paid\",\"payment\":{\"id\":\"p2\"},\"payment\":{\"id\":\"p3\"}},"
        "{\"id\":\"3\",\"type\":\"paid\",\"payment\":{\"id\":\"p4\"}},"
        "{\"id\":\"4\",\"type\":\"noted\",\"payment\":1,\"payment\":2}]}");
    assert_int_equal(a.error, PH_E_NONE);
    assert_int_equal(a.event_count, 4);
    assert_field(&a.events[0], PH_F_CONNECTOR_TRANSACTION_ID, "p1");
    assert_int_equal(a.events[1].kind, PH_KIND_NONE);
    assert_true(ph_slice_find(a.events[1].incomplete, PH_S("key payment comes twice"), 0) !=
                SIZE_MAX);
    assert_field(&a.events[2], PH_F_CONNECTOR_TRANSACTION_ID, "p4");
    assert_false(ph_slice_present(a.events[3].incomplete)); /* nobody read it */
    ph_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_walk_finds_what_each_pointer_finds_alone, open_worker,
                                        close_worker),
        cmocka_unit_test_setup_teardown(a_key_that_differs_in_one_byte_is_another, open_worker,
                                        close_worker),
        cmocka_unit_test_setup_teardown(events_of_a_batch_keep_nothing_of_each_other, open_worker,
                                        close_worker),
        cmocka_unit_test_setup_teardown(a_variant_reads_its_own_item_of_the_same_body, open_worker,
                                        close_worker),
        cmocka_unit_test_setup_teardown(a_doubled_key_is_ambiguous_in_its_own_event_only,
                                        open_worker, close_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
