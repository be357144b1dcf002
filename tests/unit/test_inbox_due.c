/* What is due, how it is settled, sent again, paused; and stored requests judged again
 * (src/inbox/inbox.h, I5). */
#include "inbox_fixture.h"

static struct ph_inbox_due *due;
static size_t due_count;

static void load_due(size_t destination, bool ordered)
{
    assert_int_equal(ph_inbox_due(reader, destination, ordered, clock_ms,
                                  (struct ph_inbox_place){0}, 100, &memory, &due, &due_count),
                     PH_OK);
}

static void settle(int64_t delivery, enum ph_delivery_state state, int64_t due_ms, int32_t status)
{
    struct ph_inbox_attempt attempt = {.delivery = delivery,
                                       .state = state,
                                       .due_ms = due_ms,
                                       .tries = state != PH_DELIVERY_DONE,
                                       .counted = true,
                                       .at_ms = clock_ms,
                                       .elapsed_ms = 12,
                                       .status = status,
                                       .reason = state == PH_DELIVERY_DONE ? (struct ph_slice){0}
                                                                           : PH_S("it said no")};
    struct ph_inbox_settle op = {.op = {.kind = PH_INBOX_SETTLE}, .attempts = &attempt, .count = 1};
    assert_int_equal(run(&op.op), PH_OK);
}

PH_TEST(what_was_stored_is_due_until_it_is_settled)
{
    struct sample s;
    (void)state;
    store(&s, "k");
    for (int round = 0; round < 2; round++) { /* no lease outlives the process: I5 */
        load_due(0, false);
        assert_int_equal(due_count, 1);
        reopen();
    }
    assert_int_equal(due[0].event, s.events[0].id);
    assert_int_equal(due[0].request, s.store.request.id);
    assert_int_equal(due[0].state, PH_DELIVERY_QUEUED);
    assert_true(ph_slice_eq(due[0].event_id, PH_S("k")));
    assert_true(ph_slice_eq(due[0].type, PH_S("PAYMENT_INTENT_SUCCESS")));
    assert_true(ph_slice_eq(due[0].endpoint, PH_S("stripe-shop")));
    assert_true(ph_slice_eq(due[0].trace, PH_S("00-aa-bb-01")));
    assert_true(ph_slice_eq(due[0].answer, s.events[0].answer));
    settle(due[0].delivery, PH_DELIVERY_DONE, 0, 200);
    load_due(0, false);
    assert_int_equal(due_count, 0);
    assert_int_equal(counts().backlog[0], 0);
    assert_int_equal(ask("SELECT count(*) FROM attempt_list WHERE status=200 AND state='done'"), 1);
    assert_int_equal(ask("SELECT count(*) FROM delivery_list WHERE state='done' AND attempts=1"),
                     1);
}

PH_TEST(what_failed_waits_for_its_time_and_then_is_dead)
{
    struct sample s;
    int64_t next;
    (void)state;
    store(&s, "k");
    load_due(0, false);
    int64_t id = due[0].delivery;
    settle(id, PH_DELIVERY_WAITING, clock_ms + 5000, 500);
    load_due(0, false);
    assert_int_equal(due_count, 0);
    assert_int_equal(ph_inbox_next_due(reader, 0, &next), PH_OK);
    assert_int_equal(next, clock_ms + 5000);
    clock_ms += 5000;
    load_due(0, false);
    assert_int_equal(due_count, 1);
    assert_int_equal(due[0].tries, 1);
    settle(id, PH_DELIVERY_DEAD, 0, 500);
    load_due(0, false);
    assert_int_equal(due_count, 0);
    assert_int_equal(counts().dead[0], 1);
    assert_int_equal(ph_inbox_next_due(reader, 0, &next), PH_OK);
    assert_int_equal(next, INT64_MAX);
    struct ph_inbox_send again = {
        .op = {.kind = PH_INBOX_SEND}, .deliveries = &id, .delivery_count = 1};
    assert_int_equal(run(&again.op), PH_OK);
    assert_int_equal(again.made, 1);
    load_due(0, false);
    assert_int_equal(due_count, 1);
    assert_int_equal(due[0].tries, 0);
    assert_false(due[0].replay);
    assert_int_equal(counts().dead[0], 0);
    assert_int_equal(counts().backlog[0], 1);
}

PH_TEST(what_is_done_stays_done)
{
    struct sample s;
    (void)state;
    store(&s, "k");
    int64_t id = s.events[0].id * 65536;
    settle(id, PH_DELIVERY_DONE, 0, 200);
    settle(id, PH_DELIVERY_WAITING, clock_ms, 500); /* another attempt was on its way */
    load_due(0, false);
    assert_int_equal(due_count, 0);
    assert_int_equal(ask("SELECT count(*) FROM delivery_list WHERE state='done' AND attempts=2"),
                     1);
    assert_int_equal(counts().backlog[0], 0);
    settle(id + 1, PH_DELIVERY_DONE, 0, 200); /* one that is not there: nothing happens */
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 1);
}

PH_TEST(due_pages_go_on_where_the_last_one_ended)
{
    static struct sample s[7];
    char key[8];
    struct ph_inbox_place after = {0};
    int64_t last = 0;
    size_t seen = 0;
    (void)state;
    for (int i = 0; i < 7; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        store(&s[i], key);
    }
    do {
        assert_int_equal(
            ph_inbox_due(reader, 0, false, clock_ms, after, 3, &memory, &due, &due_count), PH_OK);
        for (size_t i = 0; i < due_count; i++, seen++) {
            assert_true(due[i].delivery > last);
            last = due[i].delivery;
            after = (struct ph_inbox_place){due[i].due_ms, due[i].delivery};
        }
    } while (due_count > 0);
    assert_int_equal(seen, 7);
}

PH_TEST(in_order_nothing_overtakes_its_subject_but_parked_ones_are_passed)
{
    struct sample s;
    int64_t first;
    (void)state;
    store(&s, "a");
    store(&s, "b");
    make(&s, "c");
    s.events[0].subject = PH_S("pi_2");
    assert_int_equal(run(&s.store.op), PH_OK);
    load_due(0, true);
    assert_int_equal(due_count, 2);
    assert_true(ph_slice_eq(due[0].event_id, PH_S("a")));
    assert_true(ph_slice_eq(due[1].event_id, PH_S("c")));
    load_due(0, false);
    assert_int_equal(due_count, 3);
    first = due[0].delivery;
    settle(first, PH_DELIVERY_WAITING, clock_ms + 1000, 500);
    load_due(0, true);
    assert_int_equal(due_count, 1); /* c: b still waits for a */
    settle(first, PH_DELIVERY_PARKED, clock_ms + 1000, 409);
    load_due(0, true);
    assert_int_equal(due_count, 2);
    settle(first, PH_DELIVERY_DEAD, 0, 409);
    load_due(0, true);
    assert_int_equal(due_count, 2);
}

PH_TEST(a_replay_is_another_delivery_of_the_same_event)
{
    struct sample s;
    (void)state;
    store(&s, "k");
    load_due(0, false);
    settle(due[0].delivery, PH_DELIVERY_DONE, 0, 200);
    struct ph_inbox_send send = {.op = {.kind = PH_INBOX_SEND},
                                 .events = &s.events[0].id,
                                 .event_count = 1,
                                 .destinations = 3};
    woken = 0;
    assert_int_equal(run(&send.op), PH_OK);
    assert_int_equal(send.made, 2);
    assert_int_equal(woken_soon(3), 3);
    for (size_t destination = 0; destination < 2; destination++) {
        load_due(destination, false);
        assert_int_equal(due_count, 1);
        assert_true(due[0].replay);
        assert_true(ph_slice_eq(due[0].event_id, PH_S("k")));
    }
    int made = 2, denied = 0;
    for (int i = 0; i < 300; i++) { /* there is an end to it */
        assert_int_equal(run(&send.op), PH_OK);
        made += (int)send.made;
        denied += (int)send.denied;
    }
    assert_int_equal(made, 2 * (PH_INBOX_SENDINGS_MAX - 1));
    assert_int_equal(made + denied, 2 * 301); /* and it says so */
}

PH_TEST(a_pause_outlives_the_process)
{
    struct ph_inbox_control op = {
        .op = {.kind = PH_INBOX_CONTROL}, .destination = PH_S("books"), .paused = true};
    (void)state;
    assert_int_equal(run(&op.op), PH_OK);
    assert_false(counts().paused[0]);
    assert_true(counts().paused[1]);
    reopen();
    assert_true(counts().paused[1]);
    op.paused = false;
    assert_int_equal(run(&op.op), PH_OK);
    assert_false(counts().paused[1]);
    op.destination = PH_S("nobody");
    assert_int_equal(run(&op.op), PH_ERR_NOT_FOUND);
}

PH_TEST(names_keep_their_deliveries_whatever_their_order)
{
    static const struct ph_slice turned[] = {PH_SI("books"), PH_SI("new"), PH_SI("shop")};
    struct sample s;
    (void)state;
    store(&s, "k"); /* for shop */
    close_inbox();
    options.destinations = turned;
    options.destination_count = 3;
    open_inbox();
    assert_int_equal(counts().backlog[0], 0);
    assert_int_equal(counts().backlog[2], 1);
    load_due(2, false);
    assert_int_equal(due_count, 1);
    load_due(0, false);
    assert_int_equal(due_count, 0);
}

PH_TEST(a_request_comes_back_as_it_came)
{
    static const struct ph_config_value brought[] = {{PH_SI("jwks"), PH_SI("{\n\"keys\": []}\n")},
                                                     {PH_SI("verdict"), PH_SI("")}};
    struct sample s;
    struct ph_inbox_kept kept;
    (void)state;
    make(&s, "k");
    s.store.request.body = ph_slice_of("\0\xff\n", 3);
    s.store.request.brought = brought;
    s.store.request.brought_count = 2;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(ph_inbox_request_get(reader, s.store.request.id, &memory, &kept), PH_OK);
    const struct ph_inbox_request *a = &s.store.request, *b = &kept.request;
    assert_true(ph_slice_eq(a->body, b->body));
    assert_true(ph_slice_eq(a->uri, b->uri));
    assert_true(ph_slice_eq(a->endpoint, b->endpoint));
    assert_true(ph_slice_eq(a->secret, b->secret));
    assert_int_equal(b->received_ms, a->received_ms);
    assert_int_equal(b->standing, PH_STANDING_ACCEPTED);
    assert_int_equal(b->verdict, PH_VERIFIED);
    assert_int_equal(b->header_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(ph_slice_eq(a->headers[i].name, b->headers[i].name));
        assert_true(ph_slice_eq(a->headers[i].value, b->headers[i].value));
        assert_true(ph_slice_eq(brought[i].name, b->brought[i].name));
        assert_true(ph_slice_eq(brought[i].value, b->brought[i].value));
    }
    assert_int_equal(b->brought_count, 2);
    assert_int_equal(kept.event_count, 1);
    assert_int_equal(kept.held, 0);
    assert_int_equal(ph_inbox_request_get(reader, 99, &memory, &kept), PH_ERR_NOT_FOUND);
}

/* ---- judged again ---------------------------------------------------------------------------- */

static int64_t quarantine(const char *key)
{
    static struct sample s;
    make(&s, key);
    s.store.request.standing = PH_STANDING_QUARANTINED;
    s.store.request.verdict = s.events[0].verdict = PH_FORGED;
    assert_int_equal(run(&s.store.op), PH_OK);
    return s.store.request.id;
}

static struct ph_inbox_store *judge(struct sample *s, const char *key, int64_t request)
{
    make(s, key);
    s->store.op.kind = PH_INBOX_JUDGE;
    s->store.request.id = request;
    return &s->store;
}

PH_TEST(a_late_secret_takes_the_normal_path)
{
    struct sample s;
    int64_t *ids;
    size_t count;
    (void)state;
    int64_t request = quarantine("k");
    assert_int_equal(ph_inbox_standing_ids(reader, PH_STANDING_QUARANTINED, PH_S("stripe-shop"), 0,
                                           10, &memory, &ids, &count),
                     PH_OK);
    assert_int_equal(count, 1);
    assert_int_equal(ids[0], request);
    assert_int_equal(ph_inbox_standing_ids(reader, PH_STANDING_QUARANTINED, PH_S("other"), 0, 10,
                                           &memory, &ids, &count),
                     PH_OK);
    assert_int_equal(count, 0);
    assert_int_equal(run(&judge(&s, "k", request)->op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_NEW);
    assert_int_equal(counts().quarantined, 0);
    assert_int_equal(counts().quarantined_bytes, 0);
    load_due(0, false);
    assert_int_equal(due_count, 1);
    store(&s, "k");
    assert_int_equal(s.store.stored, PH_STORED_DUPLICATE);
    assert_int_equal(run(&judge(&s, "k", request)->op), PH_OK); /* once more: told once */
    assert_int_equal(s.events[0].found, PH_FOUND_DUPLICATE);
    load_due(0, false);
    assert_int_equal(due_count, 1);
}

PH_TEST(a_quarantined_copy_of_what_came_again_goes)
{
    struct sample s;
    (void)state;
    int64_t request = quarantine("k");
    store(&s, "k"); /* the sender's retry, with the right secret */
    assert_int_equal(run(&judge(&s, "k", request)->op), PH_OK);
    assert_int_equal(s.store.stored, PH_STORED_DUPLICATE);
    assert_int_equal(ask("SELECT count(*) FROM requests"), 1);
    assert_int_equal(ask("SELECT count(*) FROM events"), 1);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 1);
    assert_int_equal(counts().quarantined, 0);
}

PH_TEST(an_event_that_is_being_completed_has_its_key_and_is_told_when_it_is_whole)
{
    struct sample s;
    int64_t *ids, next;
    size_t count;
    (void)state;
    make(&s, "k");
    s.events[0].held = true;
    s.store.request.work = PH_WORK_FETCH;
    s.store.request.work_due_ms = clock_ms + 10;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_HELD);
    int64_t request = s.store.request.id;
    assert_int_equal(ph_inbox_work_due(reader, clock_ms, 10, &memory, &ids, &count, &next), PH_OK);
    assert_int_equal(count, 0);
    assert_int_equal(next, clock_ms + 10);
    assert_int_equal(ph_inbox_work_due(reader, clock_ms + 10, 10, &memory, &ids, &count, &next),
                     PH_OK);
    assert_int_equal(count, 1);
    assert_int_equal(ids[0], request);
    store(&s, "k");
    assert_int_equal(s.store.stored, PH_STORED_DUPLICATE);
    judge(&s, "k", request);
    s.events[0].answer = PH_S("{\"whole\":true}");
    s.events[0].digest[3] = 77;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_NEW);
    load_due(0, false);
    assert_int_equal(due_count, 1);
    assert_true(ph_slice_eq(due[0].answer, PH_S("{\"whole\":true}")));
    assert_int_equal(ph_inbox_work_due(reader, clock_ms + 10, 10, &memory, &ids, &count, &next),
                     PH_OK);
    assert_int_equal(count, 0);
    assert_int_equal(next, INT64_MAX);
}

PH_TEST(pending_ones_are_verified_tried_later_or_dropped)
{
    struct sample s;
    (void)state;
    int64_t requests[2];
    for (int i = 0; i < 2; i++) {
        make(&s, i == 0 ? "a" : "b");
        s.store.request.standing = PH_STANDING_PENDING;
        s.store.request.verdict = s.events[0].verdict = PH_UNREACHABLE;
        s.store.request.work = PH_WORK_VERIFY;
        s.store.request.work_due_ms = clock_ms;
        assert_int_equal(run(&s.store.op), PH_OK);
        requests[i] = s.store.request.id;
    }
    assert_int_equal(counts().pending, 2);
    judge(&s, "a", requests[0]);
    s.store.request.standing = PH_STANDING_PENDING;
    s.events[0].verdict = PH_UNREACHABLE;
    s.store.request.work = PH_WORK_VERIFY;
    s.store.request.work_due_ms = clock_ms + 60000;
    s.store.request.work_tries = 1;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_HELD);
    assert_int_equal(ask("SELECT count(*) FROM requests WHERE work_tries=1"), 1);
    assert_int_equal(run(&judge(&s, "a", requests[0])->op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_NEW);
    judge(&s, "b", requests[1]);
    s.store.request.standing = PH_STANDING_DROPPED;
    s.store.event_count = 0;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(counts().pending, 0);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 1);
    assert_int_equal(run(&judge(&s, "b", 4711)->op), PH_ERR_NOT_FOUND);
}

/* Stored as pending; answers its number, or 0 when there was no room. */
static int64_t store_pending(struct sample *s, const char *key)
{
    make(s, key);
    s->store.request.standing = PH_STANDING_PENDING;
    s->store.request.verdict = s->events[0].verdict = PH_UNREACHABLE;
    assert_int_equal(run(&s->store.op), PH_OK);
    return s->store.stored == PH_STORED_FULL ? 0 : s->store.request.id;
}

/* JUDGE takes no room that is not there: what was pending is DROPPED where the quarantine is
 * full. */
PH_TEST(pending_ones_that_are_refused_grow_past_no_bound_and_take_nobodys_room)
{
    struct sample s;
    int64_t last = 0;
    (void)state;
    for (int i = 0; i < 50; i++) {
        last = store_pending(&s, "k");
        assert_true(last > 0);
        judge(&s, "k", last);
        s.store.request.standing = PH_STANDING_QUARANTINED;
        s.events[0].verdict = PH_FORGED;
        assert_int_equal(run(&s.store.op), PH_OK);
        /* the oldest are forgotten, at once */
        assert_true(ask("SELECT count(*) FROM requests WHERE standing=6") <= 10);
    }
    assert_int_equal(counts().pending, 0);
    assert_int_equal(counts().quarantined, 10);
    assert_int_equal(counts().dropped, 10);
    assert_int_equal(ask("SELECT count(*) FROM requests"), 20);
    assert_int_equal(ask("SELECT max(id) FROM requests"), last);
    reopen();
    assert_int_equal(counts().dropped, 10);
    assert_int_equal(counts().dropped_bytes,
                     ask("SELECT sum(bytes) FROM requests WHERE standing=6"));
}

PH_TEST(what_is_dropped_and_still_asked_for_makes_room_and_comes_back)
{
    struct sample s;
    (void)state;
    int64_t request = store_pending(&s, "k");
    judge(&s, "k", request);
    s.store.request.standing = PH_STANDING_DROPPED;
    s.events[0].verdict = PH_UNREACHABLE;
    s.store.request.work = PH_WORK_VERIFY_UNKNOWN;
    s.store.request.work_due_ms = clock_ms + 60000;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(counts().pending, 0);
    assert_int_equal(counts().dropped, 1);
    assert_int_equal(ask("SELECT count(*) FROM requests WHERE work>0"), 1);
    assert_int_equal(run(&judge(&s, "k", request)->op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_NEW);
    assert_int_equal(counts().dropped, 0);
    assert_int_equal(counts().dropped_bytes, 0);
    assert_int_equal(counts().backlog[0], 1);
}

PH_TEST(a_hint_that_is_proven_makes_room)
{
    struct sample s;
    (void)state;
    make(&s, "k");
    s.store.request.standing = PH_STANDING_HINT;
    s.events[0].verdict = PH_UNSIGNED;
    s.events[0].held = true;
    s.store.request.work = PH_WORK_FETCH;
    s.store.request.work_due_ms = clock_ms;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(counts().hinted, 1);
    assert_int_equal(run(&judge(&s, "k", s.store.request.id)->op), PH_OK);
    assert_int_equal(counts().hinted, 0);
    assert_int_equal(counts().hinted_bytes, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(what_was_stored_is_due_until_it_is_settled),
        T(what_failed_waits_for_its_time_and_then_is_dead),
        T(what_is_done_stays_done),
        T(due_pages_go_on_where_the_last_one_ended),
        T(in_order_nothing_overtakes_its_subject_but_parked_ones_are_passed),
        T(a_replay_is_another_delivery_of_the_same_event),
        T(a_pause_outlives_the_process),
        T(names_keep_their_deliveries_whatever_their_order),
        T(a_request_comes_back_as_it_came),
        T(a_late_secret_takes_the_normal_path),
        T(a_quarantined_copy_of_what_came_again_goes),
        T(an_event_that_is_being_completed_has_its_key_and_is_told_when_it_is_whole),
        T(pending_ones_are_verified_tried_later_or_dropped),
        T(pending_ones_that_are_refused_grow_past_no_bound_and_take_nobodys_room),
        T(what_is_dropped_and_still_asked_for_makes_room_and_comes_back),
        T(a_hint_that_is_proven_makes_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
