/* Listings: every filter finds what a plain look at all rows finds, in order, page by page. */
#include "inbox_fixture.h"

enum { EVENTS = 60, READ_TRIES = 60 };

/* A read that took longer than its bound is ended with PH_ERR_AGAIN; on a busy machine that can be
 * any, and its caller asks again. One that always takes too long stays a failure. */
#define ASSERT_READ(call, expected)                                                                \
    do {                                                                                           \
        enum ph_status read_status = PH_ERR_AGAIN;                                                 \
        for (int tries = 0; tries < READ_TRIES && read_status == PH_ERR_AGAIN; tries++)            \
            read_status = (call);                                                                  \
        assert_int_equal(read_status, expected);                                                   \
    } while (0)

static const char *const endpoints[] = {"stripe-shop", "stripe-eu", "adyen"};
static const char *const connectors[] = {"stripe", "stripe", "adyen"};
static const char *const types[] = {"PAYMENT_INTENT_SUCCESS", "CHARGE_REFUNDED"};
static const char *const classes[] = {"payment", "refund"};
static const char *const subjects[] = {"pi_1", "pi_2", "pi_3", "pi_4", "pi_5"};
static struct sample samples[EVENTS];
static char keys[EVENTS][8];
static int states[EVENTS]; /* of its delivery to shop; 0: none */
static int64_t shown[EVENTS];

static void fill(void)
{
    for (int i = 0; i < EVENTS; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%d", i);
        clock_ms += 1000;
        make(&samples[i], keys[i]);
        samples[i].store.request.endpoint = ph_slice_str(endpoints[i % 3]);
        samples[i].store.request.connector = ph_slice_str(connectors[i % 3]);
        samples[i].events[0].type = ph_slice_str(types[i % 2]);
        samples[i].events[0].class = ph_slice_str(classes[i % 2]);
        samples[i].events[0].subject = ph_slice_str(subjects[i % 5]);
        samples[i].events[0].destinations = i % 4 == 0 ? 2 : 1;
        assert_int_equal(run(&samples[i].store.op), PH_OK);
        states[i] = i % 4 == 0 ? 0 : 1 + i % 6;
        if (states[i] <= 1)
            continue;
        struct ph_inbox_attempt attempt = {.delivery = samples[i].events[0].id * 65536,
                                           .state = states[i],
                                           .counted = true,
                                           .at_ms = clock_ms,
                                           .due_ms = clock_ms,
                                           .status = 500,
                                           .reason = PH_S("no")};
        struct ph_inbox_settle op = {
            .op = {.kind = PH_INBOX_SETTLE}, .attempts = &attempt, .count = 1};
        assert_int_equal(run(&op.op), PH_OK);
    }
}

static bool wanted(const struct ph_inbox_filter *f, int i)
{
    const struct ph_inbox_event *e = &samples[i].events[0];
    const struct ph_inbox_request *r = &samples[i].store.request;
    if ((f->endpoint.ptr != NULL && !ph_slice_eq(f->endpoint, r->endpoint)) ||
        (f->connector.ptr != NULL && !ph_slice_eq(f->connector, r->connector)) ||
        (f->type.ptr != NULL && !ph_slice_eq(f->type, e->type)) ||
        (f->class.ptr != NULL && !ph_slice_eq(f->class, e->class)) ||
        (f->subject.ptr != NULL && !ph_slice_eq(f->subject, e->subject)) ||
        (f->event_id.ptr != NULL && !ph_slice_eq(f->event_id, e->event_id)))
        return false;
    if (f->from_ms > 0 && r->received_ms < f->from_ms)
        return false;
    if (f->to_ms > 0 && r->received_ms >= f->to_ms)
        return false;
    if (f->destination.ptr != NULL && ph_slice_eq(f->destination, PH_S("shop")))
        return states[i] != 0 && (f->state == 0 || f->state == states[i]);
    if (f->destination.ptr != NULL)
        return states[i] == 0 && (f->state == 0 || f->state == PH_DELIVERY_QUEUED);
    return f->state == 0 || f->state == (states[i] != 0 ? states[i] : PH_DELIVERY_QUEUED);
}

/* All pages of a filter, both ways, against the plain look. */
static void check(struct ph_inbox_filter f)
{
    int64_t expected[EVENTS];
    size_t expected_count = 0;
    for (int i = 0; i < EVENTS; i++)
        if (wanted(&f, i))
            expected[expected_count++] = samples[i].events[0].id;
    for (int newest_first = 0; newest_first < 2; newest_first++) {
        size_t count = 0, page;
        f.before = 0;
        f.after = newest_first ? 0 : 1;
        do {
            struct ph_inbox_event_row *rows;
            ASSERT_READ(ph_inbox_events(reader, &f, 7, &memory, &rows, &page), PH_OK);
            for (size_t i = 0; i < page; i++) {
                assert_true(count < EVENTS);
                shown[count++] = rows[i].id;
            }
            if (page > 0 && newest_first)
                f.before = rows[page - 1].id;
            else if (page > 0)
                f.after = rows[page - 1].id;
        } while (page > 0);
        assert_int_equal(count, expected_count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(shown[i], expected[newest_first ? count - 1 - i : i]);
    }
}

PH_TEST(every_filter_finds_what_a_plain_look_finds)
{
    int checked = 0;
    (void)state;
    fill();
    for (int mask = 0; mask < 128; mask++) {
        for (int s = 0; s <= 6; s++) {
            struct ph_inbox_filter f = {.state = s};
            f.endpoint = mask & 1 ? PH_S("stripe-eu") : (struct ph_slice){0};
            f.connector = mask & 2 ? PH_S("stripe") : (struct ph_slice){0};
            f.type = mask & 4 ? PH_S("CHARGE_REFUNDED") : (struct ph_slice){0};
            f.subject = mask & 8 ? PH_S("pi_3") : (struct ph_slice){0};
            f.destination = mask & 16 ? PH_S("shop") : (struct ph_slice){0};
            f.from_ms = mask & 32 ? 1700000000000 + 15000 : 0;
            f.to_ms = mask & 64 ? 1700000000000 + 40000 : 0;
            check(f);
            ph_arena_reset(&memory);
            checked++;
        }
    }
    assert_int_equal(checked, 128 * 7);
    check((struct ph_inbox_filter){.to_ms = INT64_MAX}); /* the slack on top of it is not to wrap */
    check((struct ph_inbox_filter){.event_id = PH_S("k7")});
    check((struct ph_inbox_filter){.event_id = PH_S("nobody")});
    check((struct ph_inbox_filter){.event_id = PH_S("k7"), .endpoint = PH_S("adyen")});
    check((struct ph_inbox_filter){.class = PH_S("refund"), .destination = PH_S("books")});
    check((struct ph_inbox_filter){.endpoint = PH_S("unknown")});
}

PH_TEST(an_event_says_how_it_fares)
{
    struct ph_inbox_event_row row;
    struct sample s;
    int64_t id;
    (void)state;
    fill();
    store(&s, "k7");
    ASSERT_READ(ph_inbox_event_find(reader, PH_S("k7"), &id), PH_OK);
    assert_int_equal(id, samples[7].events[0].id);
    ASSERT_READ(ph_inbox_event_find(reader, PH_S("k70"), &id), PH_ERR_NOT_FOUND);
    ASSERT_READ(ph_inbox_event_get(reader, id, &memory, &row), PH_OK);
    assert_int_equal(row.duplicates, 1);
    assert_int_equal(row.open, 1);
    assert_int_equal(row.request, samples[7].store.request.id);
    assert_int_equal(row.amount, 1000);
    assert_true(ph_slice_eq(row.currency, PH_S("EUR")));
    assert_true(ph_slice_eq(row.answer, samples[7].events[0].answer));
    assert_int_equal(row.verdict, PH_VERIFIED);
    assert_int_equal(row.mode, PH_LIVE);
    ASSERT_READ(ph_inbox_event_get(reader, 1, &memory, &row), PH_ERR_NOT_FOUND);
}

PH_TEST(events_are_found_by_ids_that_are_no_keys)
{
    struct sample s;
    struct ph_inbox_event_row row;
    int64_t id;
    (void)state;
    make(&s, "k");
    s.events[0].event_id = PH_S("given-by-the-merchant");
    assert_int_equal(run(&s.store.op), PH_OK);
    ASSERT_READ(ph_inbox_event_find(reader, PH_S("given-by-the-merchant"), &id), PH_OK);
    assert_int_equal(id, s.events[0].id);
    ASSERT_READ(ph_inbox_event_find(reader, PH_S("k"), &id), PH_ERR_NOT_FOUND);
    make(&s, "k2");
    s.events[0].event_id = s.events[0].dedupe_key = (struct ph_slice){0};
    assert_int_equal(run(&s.store.op), PH_OK);
    ASSERT_READ(ph_inbox_event_get(reader, s.events[0].id, &memory, &row), PH_OK);
    ASSERT_READ(ph_inbox_event_find(reader, row.event_id, &id), PH_OK);
    assert_int_equal(id, s.events[0].id);
    make(&s, "hint");
    s.store.request.standing = PH_STANDING_HINT;
    s.events[0].verdict = PH_UNSIGNED;
    assert_int_equal(run(&s.store.op), PH_OK);
    ASSERT_READ(ph_inbox_event_find(reader, PH_S("hint"), &id), PH_OK);
    assert_int_equal(id, s.events[0].id);
}

PH_TEST(deliveries_and_their_attempts_are_listed)
{
    struct ph_inbox_delivery_row *rows;
    struct ph_inbox_attempt *attempts;
    size_t count, total = 0;
    struct ph_inbox_filter f = {.destination = PH_S("shop")};
    int64_t last = INT64_MAX;
    (void)state;
    fill();
    struct ph_inbox_send send = {.op = {.kind = PH_INBOX_SEND},
                                 .events = &samples[5].events[0].id,
                                 .event_count = 1,
                                 .destinations = 3};
    for (int i = 0; i < 12; i++) /* more deliveries of one event than a page holds */
        assert_int_equal(run(&send.op), PH_OK);
    do {
        ASSERT_READ(ph_inbox_deliveries(reader, &f, 0, 7, &memory, &rows, &count), PH_OK);
        for (size_t i = 0; i < count; i++, total++) {
            assert_true(rows[i].id < last);
            last = f.before = rows[i].id;
        }
    } while (count > 0);
    assert_int_equal(total, EVENTS / 4 * 3 + 12);
    f = (struct ph_inbox_filter){.after = 1};
    total = 0;
    do {
        ASSERT_READ(ph_inbox_deliveries(reader, &f, 0, 7, &memory, &rows, &count), PH_OK);
        for (size_t i = 0; i < count; i++, total++) {
            assert_true(rows[i].id > f.after);
            f.after = rows[i].id;
        }
    } while (count > 0);
    assert_int_equal(total, EVENTS + 24);
    f = (struct ph_inbox_filter){.state = PH_DELIVERY_DEAD, .class = PH_S("payment")};
    ASSERT_READ(ph_inbox_deliveries(reader, &f, 0, 100, &memory, &rows, &count), PH_OK);
    assert_int_equal(count, 5);
    assert_int_equal(rows[0].last_status, 500);
    assert_true(ph_slice_eq(rows[0].last_reason, PH_S("no")));
    assert_true(ph_slice_eq(rows[0].destination, PH_S("shop")));
    ASSERT_READ(ph_inbox_attempts(reader, rows[0].id, 10, &memory, &attempts, &count), PH_OK);
    assert_int_equal(count, 1);
    assert_int_equal(attempts[0].state, PH_DELIVERY_DEAD);
    f = (struct ph_inbox_filter){0};
    ASSERT_READ(
        ph_inbox_deliveries(reader, &f, samples[5].events[0].id, 100, &memory, &rows, &count),
        PH_OK);
    assert_int_equal(count, 25);
}

PH_TEST(requests_are_listed_by_where_they_stand)
{
    struct ph_inbox_request_row *rows;
    size_t count;
    struct sample s;
    struct ph_inbox_filter all = {0}, eu = {.endpoint = PH_S("stripe-eu")};
    (void)state;
    fill();
    for (int i = 0; i < 4; i++) {
        make(&s, "forged");
        s.store.request.standing = PH_STANDING_QUARANTINED;
        s.store.request.endpoint = i == 0 ? PH_S("stripe-eu") : PH_S("adyen");
        s.events[0].verdict = PH_FORGED;
        assert_int_equal(run(&s.store.op), PH_OK);
    }
    ASSERT_READ(ph_inbox_requests(reader, &all, 0, 100, &memory, &rows, &count), PH_OK);
    assert_int_equal(count, EVENTS + 4);
    ASSERT_READ(
        ph_inbox_requests(reader, &all, PH_STANDING_QUARANTINED, 100, &memory, &rows, &count),
        PH_OK);
    assert_int_equal(count, 4);
    ASSERT_READ(ph_inbox_requests(reader, &all, PH_STANDING_ACCEPTED, 100, &memory, &rows, &count),
                PH_OK);
    assert_int_equal(count, EVENTS);
    ASSERT_READ(ph_inbox_requests(reader, &eu, 0, 100, &memory, &rows, &count), PH_OK);
    assert_int_equal(count, EVENTS / 3 + 1);
    assert_int_equal(rows[0].standing, PH_STANDING_QUARANTINED);
    assert_int_equal(rows[1].standing, PH_STANDING_ACCEPTED);
    ASSERT_READ(
        ph_inbox_requests(reader, &eu, PH_STANDING_QUARANTINED, 100, &memory, &rows, &count),
        PH_OK);
    assert_int_equal(count, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(every_filter_finds_what_a_plain_look_finds), T(an_event_says_how_it_fares),
        T(events_are_found_by_ids_that_are_no_keys),   T(deliveries_and_their_attempts_are_listed),
        T(requests_are_listed_by_where_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
