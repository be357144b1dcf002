/* Keys, those that wait for their place in the table among them (src/inbox/keys.c): nothing shows
 * whether one does. */
#include "inbox_fixture.h"

#include "base/limits.h"

enum { MANY = 2 * PH_INBOX_KEYS_WAITING + 1000, AT_ONCE = 100 };

static char names[MANY][24];
static struct sample samples[MANY];

/* In an order that no table has. */
static const char *name_of(int i)
{
    (void)snprintf(names[i], sizeof names[i], "k%08x", (uint32_t)i * 2654435761u);
    return names[i];
}

static void store_some(int from, int to)
{
    for (int i = from; i < to; i++) {
        begin(&make(&samples[i], name_of(i))->op);
        if (i % AT_ONCE == AT_ONCE - 1)
            fixture_wait();
    }
    fixture_wait();
}

static void assert_all(int from, int to, enum ph_inbox_stored stored)
{
    for (int i = from; i < to; i++) {
        assert_int_equal(samples[i].store.op.status, PH_OK);
        assert_int_equal(samples[i].store.stored, stored);
    }
}

/* Once nobody comes, the file is as people expect it. */
static void until_none_waits(int64_t keys)
{
    static const char waiting[] =
        "SELECT count(*) FROM events WHERE id>=(SELECT keys_from FROM figures)";
    for (int i = 0; i < 10000 && ask(waiting) > 0; i++)
        (void)usleep(1000);
    assert_int_equal(ask(waiting), 0);
    assert_int_equal(ask("SELECT count(*) FROM keys"), keys);
}

static void assert_sound(void)
{
    struct ph_slice findings;
    close_inbox();
    assert_int_equal(ph_inbox_check(folder, &memory, &findings), PH_OK);
    if (findings.len > 0)
        fail_msg("%.*s", (int)findings.len, findings.ptr);
    open_inbox();
}

PH_TEST(each_of_many_is_known_whether_it_waits_or_not)
{
    static int64_t ids[MANY];
    (void)state;
    store_some(0, MANY);
    assert_all(0, MANY, PH_STORED_NEW);
    assert_int_equal(ask("SELECT count(*) FROM key_list"), MANY);
    for (int i = 0; i < MANY; i++)
        ids[i] = samples[i].events[0].id;
    store_some(0, MANY);
    assert_all(0, MANY, PH_STORED_DUPLICATE);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(samples[i].events[0].id, ids[i]);
    assert_int_equal(ask("SELECT count(*) FROM events"), MANY);
    until_none_waits(MANY);
    assert_int_equal(ask("SELECT count(*) FROM keys WHERE duplicates=1"), MANY);
    assert_sound();
}

PH_TEST(what_is_on_its_way_to_the_table_is_known)
{
    enum { ONE_MORE = PH_INBOX_KEYS_WAITING + 1 };
    (void)state;
    store_some(0, ONE_MORE);
    store_some(0, ONE_MORE);
    assert_all(0, ONE_MORE, PH_STORED_DUPLICATE);
    assert_sound();
}

PH_TEST(more_at_once_than_may_wait_are_known_all_the_same)
{
    enum { ITEMS = 1000, REQUESTS = MANY / ITEMS };
    static struct ph_inbox_event events[REQUESTS][ITEMS];
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int r = 0; r < REQUESTS; r++) {
            struct ph_inbox_store *op = make(&samples[r], "");
            op->events = events[r];
            op->event_count = ITEMS;
            for (int i = 0; i < ITEMS; i++) {
                make_event(&events[r][i], name_of(r * ITEMS + i));
                events[r][i].item = i;
            }
            begin(&op->op);
        }
        fixture_wait();
        assert_all(0, REQUESTS, round == 0 ? PH_STORED_NEW : PH_STORED_DUPLICATE);
    }
    assert_int_equal(ask("SELECT count(*) FROM key_list"), REQUESTS * ITEMS);
    assert_sound();
}

PH_TEST(what_waits_is_known_after_a_restart)
{
    enum { SOME = PH_INBOX_KEYS_WAITING + 300 };
    (void)state;
    for (int round = 0; round < 2; round++) { /* each restart, not the first alone */
        store_some(round * SOME / 2, (round + 1) * SOME / 2);
        reopen();
    }
    store_some(0, SOME);
    assert_all(0, SOME, PH_STORED_DUPLICATE);
    assert_int_equal(ask("SELECT count(*) FROM events"), SOME);
    assert_sound();
}

/* The first of a generation may have a smaller id than the last of the one before. */
PH_TEST(items_of_one_request_may_be_divided)
{
    enum { FULL = PH_INBOX_KEYS_WAITING };
    struct sample *both = &samples[FULL - 1];
    (void)state;
    store_some(0, FULL - 1);
    make(both, "last of one");
    make_event(&both->events[1], "first of the next");
    both->events[0].item = 7;
    both->events[1].item = 3;
    both->store.event_count = 2;
    assert_int_equal(run(&both->store.op), PH_OK);
    store_some(FULL, FULL + FULL / 8); /* till the first has gone to its place, and no longer */
    reopen();
    make(both, "first of the next");
    assert_int_equal(run(&both->store.op), PH_OK);
    assert_int_equal(both->store.stored, PH_STORED_DUPLICATE);
    assert_sound();
}

PH_TEST(one_that_comes_again_at_once_is_counted)
{
    struct sample s;
    (void)state;
    store(&s, "k");
    store(&s, "k");
    make(&s, "k");
    s.events[0].digest[0] = 9;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_REVISION);
    assert_int_equal(ask("SELECT duplicates FROM keys WHERE key='k'"), 1);
    assert_int_equal(ask("SELECT revisions FROM keys WHERE key='k'"), 1);
}

PH_TEST(an_event_is_found_by_its_id_while_its_key_waits)
{
    struct sample s;
    int64_t id;
    (void)state;
    store(&s, "k");
    assert_int_equal(ph_inbox_event_find(reader, PH_S("k"), &id), PH_OK);
    assert_int_equal(id, s.events[0].id);
    until_none_waits(1);
    assert_int_equal(ph_inbox_event_find(reader, PH_S("k"), &id), PH_OK);
    assert_int_equal(id, s.events[0].id);
    assert_int_equal(ph_inbox_event_find(reader, PH_S("l"), &id), PH_ERR_NOT_FOUND);
}

/* A verified event that is held has its key; a later reading of its request may drop the event. */
PH_TEST(what_is_judged_while_its_key_waits_keeps_it)
{
    struct sample s, again;
    (void)state;
    make(&s, "k");
    s.events[0].held = true;
    s.events[0].incomplete = true;
    assert_int_equal(run(&s.store.op), PH_OK);
    make(&again, "other");
    again.store.op.kind = PH_INBOX_JUDGE;
    again.store.request.id = s.store.request.id;
    again.events[0].item = 1;
    assert_int_equal(run(&again.store.op), PH_OK);
    assert_int_equal(ask("SELECT count(*) FROM events"), 1);
    reopen(); /* of what memory knows nothing is left */
    store(&again, "k");
    assert_int_equal(again.store.stored, PH_STORED_DUPLICATE);
    assert_sound();
}

PH_TEST(what_is_judged_while_its_key_waits_is_known_by_what_it_says_now)
{
    struct sample s;
    (void)state;
    store(&s, "k");
    s.store.op.kind = PH_INBOX_JUDGE;
    s.events[0].digest[0] = 9;
    assert_int_equal(run(&s.store.op), PH_OK);
    make(&s, "k");
    s.events[0].digest[0] = 9;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_DUPLICATE);
}

PH_TEST(what_is_forgotten_while_its_key_waits_keeps_it)
{
    struct sample s;
    (void)state;
    options.retention_age_ms = 1000;
    reopen();
    make(&s, "k");
    s.events[0].destinations = 0;
    assert_int_equal(run(&s.store.op), PH_OK);
    clock_ms += 2000;
    for (int i = 0; i < 10000 && ask("SELECT count(*) FROM events") > 0; i++)
        (void)usleep(1000);
    reopen();
    store(&s, "k");
    assert_int_equal(s.store.stored, PH_STORED_DUPLICATE);
    assert_sound();
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(each_of_many_is_known_whether_it_waits_or_not),
        T(what_is_on_its_way_to_the_table_is_known),
        T(more_at_once_than_may_wait_are_known_all_the_same),
        T(what_waits_is_known_after_a_restart),
        T(items_of_one_request_may_be_divided),
        T(one_that_comes_again_at_once_is_counted),
        T(an_event_is_found_by_its_id_while_its_key_waits),
        T(what_is_judged_while_its_key_waits_keeps_it),
        T(what_is_judged_while_its_key_waits_is_known_by_what_it_says_now),
        T(what_is_forgotten_while_its_key_waits_keeps_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
