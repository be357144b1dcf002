/* The inbox's promises (src/inbox/inbox.h): I1, I2 and what becomes of a request on its way in. */
#include "inbox_fixture.h"

PH_TEST(what_is_done_is_in_the_file)
{
    struct sample s;
    (void)state;
    store(&s, "stripe:acct:evt_1");
    assert_int_equal(s.store.stored, PH_STORED_NEW);
    assert_int_equal(s.events[0].found, PH_FOUND_NEW);
    assert_int_equal(ask("SELECT count(*) FROM requests"), 1);
    assert_int_equal(ask("SELECT count(*) FROM event_list WHERE event_id='stripe:acct:evt_1' AND "
                         "verdict='verified'"),
                     1);
    assert_int_equal(ask("SELECT id FROM events"), s.events[0].id);
    assert_int_equal(
        ask("SELECT count(*) FROM delivery_list WHERE destination='shop' AND state='queued'"), 1);
    assert_int_equal(counts().backlog[0], 1);
    assert_int_equal(counts().backlog[1], 0);
    assert_int_equal(woken_soon(1), 1);
}

PH_TEST(one_event_for_one_key)
{
    struct sample s, again;
    (void)state;
    store(&s, "stripe:acct:evt_1");
    store(&again, "stripe:acct:evt_1");
    assert_int_equal(again.store.stored, PH_STORED_DUPLICATE);
    assert_int_equal(again.events[0].found, PH_FOUND_DUPLICATE);
    assert_int_equal(again.events[0].id, s.events[0].id);
    assert_int_equal(ask("SELECT count(*) FROM requests"), 1);
    assert_int_equal(ask("SELECT duplicates FROM keys"), 1);
    reopen();
    store(&again, "stripe:acct:evt_1");
    assert_int_equal(again.store.stored, PH_STORED_DUPLICATE);
    assert_int_equal(counts().duplicates, 2);
    assert_int_equal(counts().events, 1);
}

PH_TEST(fifty_copies_at_once_are_one_event)
{
    static struct sample s[50];
    int fresh = 0, duplicates = 0;
    (void)state;
    for (int i = 0; i < 50; i++)
        begin(&make(&s[i], "stripe:acct:evt_1")->op);
    fixture_wait();
    for (int i = 0; i < 50; i++) {
        assert_int_equal(s[i].store.op.status, PH_OK);
        fresh += s[i].store.stored == PH_STORED_NEW;
        duplicates += s[i].store.stored == PH_STORED_DUPLICATE;
    }
    assert_int_equal(fresh, 1);
    assert_int_equal(duplicates, 49);
    assert_int_equal(ask("SELECT count(*) FROM events"), 1);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 1);
}

PH_TEST(two_items_of_one_request_with_one_key_are_one_event)
{
    struct sample s;
    (void)state;
    make(&s, "k");
    make_event(&s.events[1], "k");
    s.events[1].item = 1;
    s.store.event_count = 2;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_NEW);
    assert_int_equal(s.events[1].found, PH_FOUND_DUPLICATE);
    assert_int_equal(ask("SELECT count(*) FROM events"), 1);
}

PH_TEST(other_content_is_a_revision_kept_once)
{
    struct sample s;
    (void)state;
    store(&s, "k");
    for (int i = 0; i < 2; i++) {
        make(&s, "k");
        s.events[0].digest[0] = 9;
        assert_int_equal(run(&s.store.op), PH_OK);
        assert_int_equal(s.store.stored, PH_STORED_DUPLICATE);
        assert_int_equal(s.events[0].found, PH_FOUND_REVISION);
    }
    assert_int_equal(ask("SELECT count(*) FROM events"), 1);
    assert_int_equal(ask("SELECT count(*) FROM request_list WHERE standing='revision'"), 1);
    assert_int_equal(ask("SELECT revisions FROM keys"), 1);
    assert_int_equal(counts().revisions, 1);
    for (int i = 0; i < PH_INBOX_REVISIONS_MAX + 5; i++) {
        make(&s, "k");
        s.events[0].digest[0] = (unsigned char)(20 + i);
        assert_int_equal(run(&s.store.op), PH_OK);
    }
    assert_int_equal(ask("SELECT count(*) FROM request_list WHERE standing='revision'"),
                     PH_INBOX_REVISIONS_MAX);
}

PH_TEST(only_a_verified_event_takes_or_matches_a_key)
{
    struct sample s;
    (void)state;
    make(&s, "k"); /* forged, with a guessed id */
    s.store.request.standing = PH_STANDING_QUARANTINED;
    s.store.request.verdict = s.events[0].verdict = PH_FORGED;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_HELD);
    assert_int_equal(ask("SELECT count(*) FROM key_list"), 0);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 0);
    store(&s, "k");
    assert_int_equal(s.events[0].found, PH_FOUND_NEW);
    make(&s, "k"); /* forged again: it is not acknowledged as a duplicate */
    s.store.request.standing = PH_STANDING_QUARANTINED;
    s.store.request.verdict = s.events[0].verdict = PH_FORGED;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(s.store.stored, PH_STORED_NEW);
    assert_int_equal(s.events[0].found, PH_FOUND_HELD);
    assert_int_equal(counts().quarantined, 2);
}

PH_TEST(a_stale_request_is_a_duplicate_only_when_all_its_keys_are_known)
{
    struct sample s;
    (void)state;
    for (int round = 0; round < 2; round++) {
        make(&s, "k");
        s.store.request.standing = PH_STANDING_QUARANTINED;
        s.store.request.verdict = s.events[0].verdict = PH_STALE;
        s.store.request.match_only = true;
        assert_int_equal(run(&s.store.op), PH_OK);
        assert_int_equal(s.store.stored, round == 0 ? PH_STORED_NEW : PH_STORED_DUPLICATE);
        assert_int_equal(counts().quarantined, 1);
        if (round == 0)
            store(&s, "k");
    }
    make(&s, "k");
    make_event(&s.events[1], "unknown");
    s.events[1].item = 1;
    s.store.event_count = 2;
    s.store.request.standing = PH_STANDING_QUARANTINED;
    s.events[0].verdict = s.events[1].verdict = PH_STALE;
    s.store.request.match_only = true;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(s.store.stored, PH_STORED_NEW);
    assert_int_equal(counts().quarantined, 2);
}

PH_TEST(sqlite_finds_a_file_sound_in_which_every_table_has_rows)
{
    struct sample s;
    (void)state;
    make(&s, "k");
    s.events[0].once_per_effect = 1;
    s.events[0].event_id = PH_S("a-name");
    assert_int_equal(run(&s.store.op), PH_OK);
    struct ph_inbox_attempt attempt = {
        .delivery = s.events[0].id * 65536, .state = PH_DELIVERY_DONE, .counted = true};
    struct ph_inbox_settle settle = {
        .op = {.kind = PH_INBOX_SETTLE}, .attempts = &attempt, .count = 1};
    assert_int_equal(run(&settle.op), PH_OK);
    make(&s, "k");
    s.events[0].digest[0] = 9;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(ask("SELECT (SELECT count(*) FROM revisions) + (SELECT count(*) FROM effects)"
                         " + (SELECT count(*) FROM event_names) + (SELECT count(*) FROM attempts)"),
                     4);
    assert_int_equal(ask("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check<>'ok'"),
                     0);
}

static struct ph_slice at = PH_SI("stripe-shop"); /* the endpoint of what follows */

/* One more that nobody has proven. */
static enum ph_inbox_stored store_unproven(enum ph_inbox_standing standing, struct ph_slice body)
{
    struct sample s;
    make(&s, "k");
    s.store.request.standing = standing;
    s.store.request.endpoint = at;
    s.store.request.body = body;
    s.events[0].verdict = standing == PH_STANDING_QUARANTINED ? PH_FORGED
                          : standing == PH_STANDING_PENDING   ? PH_UNREACHABLE
                                                              : PH_UNSIGNED;
    assert_int_equal(run(&s.store.op), PH_OK);
    return s.store.stored;
}

PH_TEST(refused_pending_and_unproven_ones_have_room_each_and_when_it_is_full_nothing_is_kept)
{
    static const enum ph_inbox_standing standings[] = {PH_STANDING_QUARANTINED, PH_STANDING_PENDING,
                                                       PH_STANDING_HINT};
    struct sample s;
    (void)state;
    for (int place = 0; place < 3; place++)
        for (int i = 0; i < 12; i++)
            assert_int_equal(store_unproven(standings[place], PH_S("{}")),
                             i < (standings[place] == PH_STANDING_PENDING ? 5 : 10)
                                 ? PH_STORED_NEW
                                 : PH_STORED_FULL);
    assert_int_equal(ask("SELECT count(*) FROM requests"), 25);
    assert_int_equal(ask("SELECT count(*) FROM events"), 25);
    assert_int_equal(counts().quarantined, 10);
    assert_int_equal(counts().pending, 5); /* what one endpoint may have of it: see below */
    assert_int_equal(counts().hinted, 10);
    assert_int_equal(counts().backlog[0], 10); /* a hint that is not kept is told to nobody */
    store(&s, "k");                            /* what is verified still comes in */
    assert_int_equal(s.store.stored, PH_STORED_NEW);
}

PH_TEST(the_room_of_each_is_measured_in_bytes_too)
{
    static char body[40000];
    static const enum ph_inbox_standing standings[] = {PH_STANDING_HINT, PH_STANDING_PENDING,
                                                       PH_STANDING_QUARANTINED};
    (void)state;
    for (int place = 0; place < 3; place++)
        for (int i = 0; i < 4; i++)
            assert_int_equal(store_unproven(standings[place], ph_slice_of(body, sizeof body)),
                             i < (standings[place] == PH_STANDING_PENDING ? 1 : 2)
                                 ? PH_STORED_NEW
                                 : PH_STORED_FULL);
    assert_in_range(counts().hinted_bytes, 80000, 100000);
    assert_int_equal(counts().hinted_bytes, 2 * counts().pending_bytes);
    assert_int_equal(counts().hinted_bytes, counts().quarantined_bytes);
    reopen();
    assert_in_range(counts().hinted_bytes, 80000, 100000);
    assert_int_equal(store_unproven(PH_STANDING_HINT, ph_slice_of(body, sizeof body)),
                     PH_STORED_FULL);
}

static enum ph_inbox_stored store_pending(struct ph_slice endpoint, enum ph_inbox_work work)
{
    struct sample s;
    make(&s, "k");
    s.store.request.standing = PH_STANDING_PENDING;
    s.store.request.endpoint = endpoint;
    s.store.request.work = work;
    s.store.request.work_due_ms = clock_ms;
    s.events[0].verdict = PH_UNREACHABLE;
    assert_int_equal(run(&s.store.op), PH_OK);
    return s.store.stored;
}

static int fill_pending(struct ph_slice endpoint, enum ph_inbox_work work)
{
    int count = 0;
    while (store_pending(endpoint, work) == PH_STORED_NEW)
        count++;
    return count;
}

PH_TEST(an_endpoint_that_is_flooded_leaves_room_for_what_is_pending_at_others)
{
    (void)state;
    assert_int_equal(fill_pending(PH_S("flooded"), PH_WORK_VERIFY), 5);
    assert_int_equal(fill_pending(PH_S("quiet"), PH_WORK_VERIFY), 3);
    assert_int_equal(fill_pending(PH_S("third"), PH_WORK_VERIFY), 1);
    assert_int_equal(store_pending(PH_S("flooded"), PH_WORK_VERIFY), PH_STORED_FULL);
    reopen();
    assert_int_equal(fill_pending(PH_S("flooded"), PH_WORK_VERIFY), 0);
    assert_int_equal(fill_pending(PH_S("fourth"), PH_WORK_VERIFY), 1);
    assert_int_equal(counts().pending, 10);
}

PH_TEST(addresses_that_were_made_up_take_no_room_of_those_that_are_known)
{
    (void)state;
    options.quarantine_requests = 40;
    options.quarantine_bytes = 1000000;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    /* half of a quarter */
    assert_int_equal(fill_pending(PH_S("paypal"), PH_WORK_VERIFY_UNKNOWN), 5);
    assert_int_equal(fill_pending(PH_S("paypal-books"), PH_WORK_VERIFY_UNKNOWN), 3);
    assert_int_equal(counts().pending_unknown, 8);
    reopen();
    assert_int_equal(counts().pending_unknown, 8);
    assert_int_equal(fill_pending(PH_S("paypal"), PH_WORK_VERIFY_UNKNOWN), 0);
    assert_int_equal(fill_pending(PH_S("paypal"), PH_WORK_VERIFY), 20);
    assert_int_equal(counts().pending, 28);
}

PH_TEST(good_items_go_on_and_bad_ones_are_held)
{
    struct sample s;
    (void)state;
    make(&s, "good");
    make_event(&s.events[1], "bad");
    s.events[1].item = 1;
    s.events[1].verdict = PH_FORGED; /* and nobody said `held`: it is, all the same */
    s.store.event_count = 2;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(s.events[0].found, PH_FOUND_NEW);
    assert_int_equal(s.events[1].found, PH_FOUND_HELD);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 1);
    assert_int_equal(ask("SELECT count(*) FROM key_list"), 1);
    assert_int_equal(counts().quarantined, 0);
    /* The good item sent again with other bad ones: the sender's own, and bounded. */
    make(&s, "good");
    make_event(&s.events[1], "bad");
    s.events[1].item = 1;
    s.events[1].verdict = PH_FORGED;
    s.store.event_count = 2;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(counts().quarantined, 1);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 1);
    assert_int_equal(counts().duplicates, 1);
    int64_t request = s.store.request.id;
    for (int i = 0; i < 3; i++) { /* however often it is verified again */
        make(&s, "good");
        make_event(&s.events[1], "bad");
        s.events[1].item = 1;
        s.events[1].verdict = PH_FORGED;
        s.store.event_count = 2;
        s.store.op.kind = PH_INBOX_JUDGE;
        s.store.request.id = request;
        assert_int_equal(run(&s.store.op), PH_OK);
        assert_int_equal(s.events[0].found, PH_FOUND_DUPLICATE);
    }
    assert_int_equal(counts().duplicates, 1);
    assert_int_equal(counts().quarantined, 1);
}

PH_TEST(an_effect_is_told_once_where_that_is_asked_for)
{
    struct sample s;
    (void)state;
    for (int i = 0; i < 2; i++) {
        make(&s, i == 0 ? "a" : "b");
        s.events[0].destinations = 3;
        s.events[0].once_per_effect = 2;
        assert_int_equal(run(&s.store.op), PH_OK);
        assert_int_equal(s.events[0].found, PH_FOUND_NEW);
    }
    assert_int_equal(counts().backlog[0], 2);
    assert_int_equal(counts().backlog[1], 1);
}

PH_TEST(late_is_what_a_newer_one_of_its_object_came_before)
{
    struct sample s;
    (void)state;
    store(&s, "new");
    assert_false(s.events[0].late);
    make(&s, "old");
    s.events[0].occurred_ms -= 1;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_true(s.events[0].late);
    make(&s, "other");
    s.events[0].occurred_ms -= 1;
    s.events[0].subject = PH_S("pi_2");
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_false(s.events[0].late);
    make(&s, "forged"); /* from the future: it makes nobody late */
    s.store.request.standing = PH_STANDING_QUARANTINED;
    s.events[0].verdict = PH_FORGED;
    s.events[0].occurred_ms += 1000000;
    assert_int_equal(run(&s.store.op), PH_OK);
    store(&s, "same");
    assert_false(s.events[0].late);
}

/* An event of pi_1, a second before the sample's time. */
static bool is_late(const char *key)
{
    struct sample s;
    make(&s, key);
    s.events[0].occurred_ms -= 1000;
    assert_int_equal(run(&s.store.op), PH_OK);
    return s.events[0].late;
}

PH_TEST(an_event_of_another_endpoint_makes_nobody_late)
{
    struct sample s;
    (void)state;
    make(&s, "elsewhere");
    s.store.request.endpoint = PH_S("stripe-test");
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_false(is_late("a"));
    store(&s, "here");
    assert_true(is_late("b"));
}

PH_TEST(what_claims_to_happen_long_after_its_receipt_makes_nobody_late)
{
    static char keys[PH_INBOX_NEWER_LOOKED_AT + 1][16];
    struct sample s;
    (void)state;
    for (int i = 0; i <= PH_INBOX_NEWER_LOOKED_AT; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "year 9999 %d", i);
        make(&s, keys[i]);
        s.events[0].occurred_ms = 253402300799000;
        assert_int_equal(run(&s.store.op), PH_OK);
        assert_false(s.events[0].late);
    }
    assert_false(is_late("a"));
    make(&s, "two days");
    s.events[0].occurred_ms = clock_ms + 2 * 86400000LL;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_false(is_late("b"));
    clock_ms +=
        3 * 86400000LL; /* also once that time has come: it was told before it could be known */
    assert_false(is_late("c"));
    make(&s, "an hour"); /* a clock that is wrong, or a time without a zone: believed */
    s.events[0].occurred_ms = clock_ms + 3600000;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_true(is_late("d"));
}

PH_TEST(events_without_a_key_are_each_kept_with_ids_of_their_own)
{
    struct sample s;
    (void)state;
    for (int i = 0; i < 2; i++) {
        make(&s, "k");
        s.events[0].dedupe_key = s.events[0].event_id = (struct ph_slice){0};
        assert_int_equal(run(&s.store.op), PH_OK);
    }
    assert_int_equal(
        ask("SELECT count(DISTINCT event_id) FROM event_list WHERE event_id LIKE 'evt_%'"), 2);
}

PH_TEST(the_log_begins_anew_before_it_is_long)
{
    static char body[100 * 1024];
    const int64_t most = (PH_INBOX_LOG_PAGES + PH_INBOX_COPY_PAGES) * (int64_t)PH_INBOX_PAGE_BYTES;
    int64_t before = 0, begun = 0;
    struct sample s;
    char key[16];
    (void)state;
    memset(body, 'b', sizeof body);
    for (int i = 0; i < 700; i++) { /* 13 pages and more each */
        (void)snprintf(key, sizeof key, "k%d", i);
        make(&s, key);
        s.store.request.body = ph_slice_of(body, sizeof body);
        assert_int_equal(run(&s.store.op), PH_OK);
        int64_t now = counts().wal_bytes;
        assert_true(now < most);
        begun += now < before;
        before = now;
    }
    assert_true(begun >= 2);
}

PH_TEST(an_op_that_fails_for_its_own_reason_fails_alone)
{
    static const struct ph_config_value odd[] = {
        {PH_SI("a name"), PH_SI("")}}; /* found out after the first write */
    static const struct ph_header split[] = {{PH_SI("X"), PH_SI("a\nb")}}; /* … and before it */
    static struct sample s[9];
    static char keys[9][4];
    (void)state;
    for (int i = 0; i < 9; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%d", i);
        make(&s[i], keys[i]);
        if (i == 4) {
            s[i].store.request.brought = odd;
            s[i].store.request.brought_count = 1;
        }
        if (i == 6) {
            s[i].store.request.headers = split;
            s[i].store.request.header_count = 1;
        }
        begin(&s[i].store.op);
    }
    fixture_wait();
    for (int i = 0; i < 9; i++)
        assert_int_equal(s[i].store.op.status, i == 4 || i == 6 ? PH_ERR_INVALID : PH_OK);
    assert_int_equal(ask("SELECT count(*) FROM key_list"), 7);
    assert_int_equal(ask("SELECT count(*) FROM events"), 7);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 7);
    assert_int_equal(counts().requests, 7);
    assert_int_equal(counts().backlog[0], 7);
    store(&s[4], "k4"); /* nothing of it was left behind */
    assert_int_equal(s[4].store.stored, PH_STORED_NEW);
    s[4].events[0].item = PH_INBOX_ITEMS_MAX;
    assert_int_equal(run(&s[4].store.op), PH_ERR_INVALID);
}

/* Refused at once, or when its turn has come: an idle writer looks, too. */
static bool is_refused(struct ph_inbox_op *op)
{
    op->done = on_done;
    if (ph_inbox_submit(inbox, op) != PH_OK)
        return true;
    waited_count++;
    fixture_wait();
    return op->status == PH_ERR_IO;
}

static struct ph_inbox_health told;
static int times_told;

static void note_health(void *ctx, const struct ph_inbox_health *health)
{
    (void)ctx;
    told = *health;
    times_told++;
}

/* What is in a file without a name is gone when we end. */
static void await_word(struct ph_inbox_health *ret, const char *word)
{
    ph_inbox_health(inbox, ret);
    for (int i = 0; i < 500 && strstr(ret->why, word) == NULL; i++) {
        usleep(10 * 1000);
        ph_inbox_health(inbox, ret);
    }
    assert_non_null(strstr(ret->why, word));
}

PH_TEST(nothing_is_acknowledged_into_a_file_that_was_deleted_or_replaced)
{
    static const char *const gone[] = {"inbox.db-wal", "inbox.db-shm", "inbox.db"};
    struct ph_inbox_health health;
    char path[128], fresh[160];
    (void)state;
    options.health = note_health;
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        struct sample s;
        reopen();
        store(&s, "kept");
        assert_int_equal(ask("SELECT count(*) FROM key_list WHERE key='kept'"), 1);
        times_told = 0;
        (void)snprintf(path, sizeof path, "%s/%s", folder, gone[i]);
        (void)snprintf(fresh, sizeof fresh, "%s.new", path);
        FILE *other = i == 1 ? fopen(fresh, "w") : NULL;
        if (other != NULL)
            assert_int_equal(fclose(other) + rename(fresh, path), 0);
        else
            assert_int_equal(unlink(path), 0);
        assert_true(is_refused(&make(&s, "into nothing")->op));
        await_word(&health, "start payhook again");
        assert_true(health.failed);
        assert_true(health.missing);
        assert_non_null(strstr(health.why, gone[i]));
        assert_int_equal(ph_inbox_submit(inbox, &make(&s, "later")->op), PH_ERR_IO);
        assert_int_equal(times_told, i < 2 ? 2 : 1); /* before it copies, and after */
        assert_true(told.failed && told.missing);
        assert_string_equal(told.why, health.why);
    }
}

/* Of the database as it stands, as after a kill: without what closing would still do. */
static int64_t count_in_copy(const char *sql)
{
    char command[256], path[160];
    sqlite3 *db;
    sqlite3_stmt *statement;
    (void)snprintf(path, sizeof path, "%s/copy.db", folder);
    (void)snprintf(command, sizeof command, "cp '%s/inbox.db' '%s'", folder, path);
    assert_int_equal(system(command), 0);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    int64_t count = -1;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return count;
}

/* A copy that ends where a reader stands leaves a database that is nothing without its log. */
PH_TEST(a_deleted_log_is_saved_when_all_of_it_is_copied_and_not_before)
{
    struct ph_inbox_health health;
    struct sample s;
    sqlite3 *shell;
    char path[128];
    (void)state;
    options.health = note_health;
    reopen();
    store(&s, "before");
    (void)snprintf(path, sizeof path, "%s/inbox.db", folder);
    assert_int_equal(sqlite3_open_v2(path, &shell, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(shell, "BEGIN; SELECT * FROM events", NULL, NULL, NULL),
                     SQLITE_OK);
    store(&s, "after");
    (void)strcat(path, "-wal");
    assert_int_equal(unlink(path), 0);
    assert_true(is_refused(&make(&s, "into nothing")->op));
    ph_inbox_health(inbox, &health);
    assert_true(health.failed);
    assert_non_null(strstr(health.why, "do not end payhook before"));
    assert_null(strstr(health.why, "start payhook again"));
    sqlite3_close(shell);
    await_word(&health, "start payhook again");
    assert_int_equal(
        count_in_copy("SELECT count(*) FROM key_list WHERE key IN ('before', 'after')"), 2);
    assert_string_equal(told.why, health.why);
}

PH_TEST(a_log_without_its_database_is_no_empty_inbox)
{
    struct sample s;
    char path[128];
    (void)state;
    store(&s, "kept");
    (void)snprintf(path, sizeof path, "%s/inbox.db", folder);
    assert_int_equal(unlink(path), 0);
    close_inbox(); /* SQLite leaves the log where it is */
    assert_int_equal(ph_inbox_open(&options, &inbox, why), PH_ERR_MALFORMED);
    inbox = NULL;
    assert_non_null(strstr(why, "inbox.db is missing"));
    assert_non_null(strstr(why, "inbox.db-wal"));
    (void)snprintf(path, sizeof path, "%s/inbox.db-wal", folder);
    assert_int_equal(unlink(path), 0);
    open_inbox(); /* who moved it away wants to begin anew */
    assert_int_equal(ask("SELECT count(*) FROM events"), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(what_is_done_is_in_the_file),
        T(one_event_for_one_key),
        T(fifty_copies_at_once_are_one_event),
        T(two_items_of_one_request_with_one_key_are_one_event),
        T(other_content_is_a_revision_kept_once),
        T(only_a_verified_event_takes_or_matches_a_key),
        T(a_stale_request_is_a_duplicate_only_when_all_its_keys_are_known),
        T(sqlite_finds_a_file_sound_in_which_every_table_has_rows),
        T(refused_pending_and_unproven_ones_have_room_each_and_when_it_is_full_nothing_is_kept),
        T(the_room_of_each_is_measured_in_bytes_too),
        T(an_endpoint_that_is_flooded_leaves_room_for_what_is_pending_at_others),
        T(addresses_that_were_made_up_take_no_room_of_those_that_are_known),
        T(good_items_go_on_and_bad_ones_are_held),
        T(an_effect_is_told_once_where_that_is_asked_for),
        T(late_is_what_a_newer_one_of_its_object_came_before),
        T(an_event_of_another_endpoint_makes_nobody_late),
        T(what_claims_to_happen_long_after_its_receipt_makes_nobody_late),
        T(the_log_begins_anew_before_it_is_long),
        T(an_op_that_fails_for_its_own_reason_fails_alone),
        T(nothing_is_acknowledged_into_a_file_that_was_deleted_or_replaced),
        T(a_deleted_log_is_saved_when_all_of_it_is_copied_and_not_before),
        T(a_log_without_its_database_is_no_empty_inbox),
        T(events_without_a_key_are_each_kept_with_ids_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
