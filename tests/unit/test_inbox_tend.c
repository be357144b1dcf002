/* Retention, the quarantine's age, keys, destinations that are gone; files that are refused; a
 * folder in use. */
#include <sys/stat.h>

#include "inbox_fixture.h"

#include "inbox/schema.h"

/* Tending goes on by itself, a step at a time: looks until it is so, for a while. */
static void until(const char *sql, int64_t expected)
{
    for (int i = 0; i < 100 && ask(sql) != expected; i++)
        usleep(50 * 1000);
    assert_int_equal(ask(sql), expected);
}

static void settle_done(int64_t delivery)
{
    struct ph_inbox_attempt attempt = {
        .delivery = delivery, .state = PH_DELIVERY_DONE, .counted = true, .status = 200};
    struct ph_inbox_settle op = {.op = {.kind = PH_INBOX_SETTLE}, .attempts = &attempt, .count = 1};
    assert_int_equal(run(&op.op), PH_OK);
}

PH_TEST(what_is_old_and_told_goes_and_its_key_stays)
{
    struct sample told, open;
    (void)state;
    options.retention_age_ms = 86400000;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    store(&told, "told");
    store(&open, "open");
    settle_done(told.events[0].id * 65536);
    clock_ms += 86400001;
    until("SELECT count(*) FROM requests", 1);
    assert_int_equal(ask("SELECT count(*) FROM events"), 1);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), 1);
    assert_int_equal(ask("SELECT count(*) FROM attempts"), 0);
    assert_int_equal(counts().backlog[0], 1); /* what is not told stays, however old */
    store(&told, "told");                     /* the processor sends it again */
    assert_int_equal(told.store.stored, PH_STORED_DUPLICATE);
    assert_int_equal(ask("SELECT count(*) FROM events"), 1);
    assert_int_equal(ask("SELECT count(*) FROM key_list"), 2);
}

PH_TEST(a_file_that_is_too_large_loses_its_oldest)
{
    static char large[20000];
    struct sample s;
    char key[16];
    (void)state;
    options.retention_bytes = 4 << 20;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    for (int i = 0; i < 400; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        make(&s, key);
        s.store.request.body = ph_slice_of(large, sizeof large);
        s.events[0].destinations = 0;
        assert_int_equal(run(&s.store.op), PH_OK);
    }
    for (int i = 0; i < 100 && ask("SELECT count(*) FROM requests") > 250; i++)
        usleep(50 * 1000);
    assert_in_range(ask("SELECT count(*) FROM requests"), 100, 250);
    assert_int_equal(ask("SELECT max(id) FROM requests"), 400);
    assert_int_equal(ask("SELECT min(id) + count(*) - 1 FROM requests"),
                     400); /* the oldest went, no others */
    int64_t pages = ask("SELECT page_count FROM pragma_page_count()");
    for (int i = 0; i < 400; i++) {
        (void)snprintf(key, sizeof key, "m%d", i);
        make(&s, key);
        s.store.request.body = ph_slice_of(large, sizeof large);
        s.events[0].destinations = 0;
        assert_int_equal(run(&s.store.op), PH_OK);
        if (i % 50 == 0)
            usleep(1100 * 1000 / 4);
    }
    assert_in_range(ask("SELECT page_count FROM pragma_page_count()"), 1,
                    pages + pages / 2); /* room is used again */
}

/* A run of what may go ends where one may not, and another begins behind it. */
PH_TEST(what_is_open_stays_between_what_goes)
{
    enum { COUNT = 200, OPEN_EACH = 7 };
    struct sample s;
    char key[16];
    int64_t open = 0;
    (void)state;
    options.retention_age_ms = 86400000;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        store(&s, key);
        if (i % OPEN_EACH == 0)
            open++;
        else
            settle_done(s.events[0].id * 65536);
    }
    clock_ms += 86400001;
    until("SELECT count(*) FROM requests", open);
    assert_int_equal(ask("SELECT count(*) FROM requests WHERE (id - 1) % 7 = 0"), open);
    assert_int_equal(ask("SELECT count(*) FROM events WHERE (request - 1) % 7 = 0"), open);
    assert_int_equal(ask("SELECT count(*) FROM events"), open);
    assert_int_equal(ask("SELECT count(*) FROM deliveries WHERE state <= 3"), open);
    assert_int_equal(ask("SELECT count(*) FROM deliveries"), open);
    assert_int_equal(ask("SELECT count(*) FROM attempts"), 0);
    assert_int_equal(counts().backlog[0], open);
    assert_int_equal(ask("SELECT count(*) FROM key_list"), COUNT);
}

/* Old ones that wait for a destination do not shield what is behind them from the bound of the
 * file's size. */
PH_TEST(a_file_that_is_too_large_loses_what_it_may_behind_what_it_may_not)
{
    static char large[20000];
    struct sample s;
    char key[16];
    (void)state;
    options.retention_bytes = 4 << 20;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    for (int i = 0; i < 400; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        make(&s, key);
        s.store.request.body = ph_slice_of(large, sizeof large);
        if (i >= 100)
            s.events[0].destinations = 0;
        assert_int_equal(run(&s.store.op), PH_OK);
    }
    for (int i = 0; i < 100 && ask("SELECT count(*) FROM requests") > 250; i++)
        usleep(50 * 1000);
    assert_in_range(ask("SELECT count(*) FROM requests"), 100, 250);
    assert_int_equal(ask("SELECT count(*) FROM requests WHERE id <= 100"), 100);
    assert_int_equal(ask("SELECT max(id) FROM requests"), 400);
    assert_int_equal(counts().backlog[0], 100);
}

PH_TEST(the_quarantine_has_an_age)
{
    struct sample s;
    (void)state;
    make(&s, "k");
    s.store.request.standing = PH_STANDING_QUARANTINED;
    s.events[0].verdict = PH_FORGED;
    assert_int_equal(run(&s.store.op), PH_OK);
    clock_ms += options.quarantine_age_ms - 1000;
    usleep(1200 * 1000);
    assert_int_equal(counts().quarantined, 1);
    clock_ms += 2000;
    until("SELECT count(*) FROM requests", 0);
    assert_int_equal(ask("SELECT count(*) FROM events"), 0);
    assert_int_equal(counts().quarantined, 0);
    assert_int_equal(counts().quarantined_bytes, 0);
}

static enum ph_inbox_stored store_hint(void)
{
    struct sample s;
    make(&s, "k");
    s.store.request.standing = PH_STANDING_HINT;
    s.events[0].verdict = PH_UNSIGNED;
    s.events[0].destinations = 0;
    assert_int_equal(run(&s.store.op), PH_OK);
    return s.store.stored;
}

static void until_hinted(int64_t expected)
{
    for (int i = 0; i < 100 && counts().hinted != expected; i++)
        usleep(50 * 1000);
    assert_int_equal(counts().hinted, expected);
}

PH_TEST(old_hints_stay_and_no_longer_count)
{
    int64_t half_ms = options.quarantine_age_ms / 2;
    (void)state;
    options.quarantine_requests = 400;
    options.quarantine_bytes = 1000000;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    for (int i = 0; i < 300; i++) /* more than one step's */
        assert_int_equal(store_hint(), PH_STORED_NEW);
    clock_ms += half_ms;
    for (int i = 0; i < 101; i++)
        assert_int_equal(store_hint(), i < 100 ? PH_STORED_NEW : PH_STORED_FULL);
    clock_ms += half_ms + 1;
    until_hinted(100);
    assert_int_equal(ask("SELECT count(*) FROM requests"), 400);
    reopen(); /* where the counting has come to is in the file */
    assert_int_equal(counts().hinted, 100);
    assert_int_equal(ask("SELECT hints_from FROM figures"), 301);
    for (int i = 0; i < 301; i++)
        assert_int_equal(store_hint(), i < 300 ? PH_STORED_NEW : PH_STORED_FULL);
    clock_ms += 2 * half_ms + 1;
    until_hinted(0);
    assert_int_equal(counts().hinted_bytes, 0);
}

PH_TEST(a_hint_that_retention_forgets_is_taken_off_once)
{
    struct ph_slice findings;
    (void)state;
    options.retention_age_ms = options.quarantine_age_ms - 86400000;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(store_hint(), PH_STORED_NEW);
    clock_ms += 2 * 86400000LL;
    for (int i = 0; i < 3; i++)
        assert_int_equal(store_hint(), PH_STORED_NEW);
    clock_ms += options.retention_age_ms - 86400000; /* five are forgotten while they count */
    until("SELECT count(*) FROM requests", 3);
    until_hinted(3);
    options.retention_age_ms = 0; /* then three stop counting, and are forgotten later */
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    clock_ms += options.quarantine_age_ms;
    until_hinted(0);
    assert_int_equal(store_hint(), PH_STORED_NEW);
    options.retention_age_ms = 3600000;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    until("SELECT count(*) FROM requests", 1);
    assert_int_equal(counts().hinted, 1);
    assert_int_equal(counts().hinted_bytes, ask("SELECT bytes FROM requests"));
    close_inbox();
    assert_int_equal(ph_inbox_check(folder, &memory, &findings), PH_OK);
    assert_int_equal(findings.len, 0);
}

PH_TEST(a_key_goes_when_its_event_is_gone_and_it_is_old_itself)
{
    struct sample s;
    (void)state;
    options.retention_age_ms = 1000;
    options.keys_ms = 3600000;
    close_inbox();
    open_inbox();
    make(&s, "k");
    s.events[0].destinations = 0;
    assert_int_equal(run(&s.store.op), PH_OK);
    clock_ms += 2000;
    until("SELECT count(*) FROM events", 0);
    assert_int_equal(ask("SELECT count(*) FROM key_list"), 1);
    clock_ms += 3600000;
    reopen();
    until("SELECT count(*) FROM key_list", 0);
    store(&s, "k"); /* a new event by now, with an id that was never given before */
    assert_int_equal(s.store.stored, PH_STORED_NEW);
    assert_int_equal(s.store.request.id, 2);
}

/* It may have been a slip of the pen, or a file that was half written when it was read. */
PH_TEST(deliveries_to_a_destination_that_is_gone_wait_a_day_for_it_and_are_dropped_then)
{
    static const struct ph_slice left[] = {PH_SI(""), PH_SI("books"), PH_SI("later")},
                                 back[] = {PH_SI(""), PH_SI("books"), PH_SI("later"),
                                           PH_SI("shop")};
    static struct sample s[300];
    static char key[300][16];
    (void)state;
    for (int i = 0; i < 300; i++) {
        (void)snprintf(key[i], sizeof key[i], "k%d", i);
        make(&s[i], key[i]);
        s[i].events[0].destinations = 3;
        begin(&s[i].store.op);
    }
    fixture_wait();
    options.destinations = left;
    options.destination_count = 3;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    until("SELECT gone<>0 FROM destinations WHERE name='shop'", 1);
    clock_ms += PH_INBOX_GONE_MS - 1;
    reopen(); /* since when is known of the file */
    store(&s[0], "another day");
    options.destinations = back;
    options.destination_count = 4;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    until("SELECT gone FROM destinations WHERE name='shop'", 0);
    assert_int_equal(counts().backlog[3], 300);
    options.destinations = left;
    options.destination_count = 3;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    until("SELECT gone<>0 FROM destinations WHERE name='shop'", 1);
    clock_ms += PH_INBOX_GONE_MS;
    until("SELECT count(*) FROM delivery_list WHERE destination='shop' AND state='dropped'", 300);
    assert_int_equal(counts().backlog[1], 300);
    assert_int_equal(counts().backlog[0], 0);
    make(&s[0], "new");
    s[0].events[0].destinations = 7;
    assert_int_equal(run(&s[0].store.op), PH_OK);
    assert_int_equal(ask("SELECT count(*) FROM delivery_list WHERE event_id='new'"), 2);
    assert_int_equal(counts().backlog[2], 1);
}

PH_TEST(the_age_of_the_oldest_is_known)
{
    struct sample s;
    int64_t start = clock_ms, first;
    (void)state;
    assert_int_equal(counts().oldest_ms[0], 0);
    store(&s, "a");
    first = s.events[0].id;
    clock_ms += 1000;
    store(&s, "b");
    assert_int_equal(counts().oldest_ms[0], start);
    reopen();
    assert_int_equal(counts().oldest_ms[0], start);
    settle_done(first * 65536);
    assert_int_equal(counts().oldest_ms[0], start + 1000);
    settle_done(s.events[0].id * 65536);
    assert_int_equal(counts().oldest_ms[0], 0);
}

/* A replay's id is its event's: by ids it would stand before what was made before it. */
PH_TEST(a_replay_of_an_older_event_is_not_the_oldest_that_waits)
{
    struct sample s;
    int64_t first, second;
    (void)state;
    store(&s, "a");
    first = s.events[0].id;
    settle_done(first * 65536);
    clock_ms += 1000;
    store(&s, "b");
    second = s.events[0].id;
    const int64_t waits_since = clock_ms;
    clock_ms += 5000;
    struct ph_inbox_send replay = {.op = {.kind = PH_INBOX_SEND, .bytes = 10},
                                   .events = &first,
                                   .event_count = 1,
                                   .destinations = 1,
                                   .now_ms = clock_ms};
    assert_int_equal(run(&replay.op), PH_OK);
    assert_int_equal(replay.made, 1);
    assert_int_equal(counts().oldest_ms[0], waits_since);
    reopen();
    assert_int_equal(counts().oldest_ms[0], waits_since);
    settle_done(second * 65536);
    assert_int_equal(counts().oldest_ms[0], clock_ms);
}

/* Retried by hand it begins anew, where it stands. */
PH_TEST(what_is_tried_anew_is_as_old_as_that)
{
    struct sample s;
    (void)state;
    store(&s, "a");
    int64_t delivery = s.events[0].id * 65536;
    const struct ph_inbox_attempt failed = {
        .delivery = delivery, .state = PH_DELIVERY_WAITING, .due_ms = clock_ms + 60000, .tries = 1};
    struct ph_inbox_settle settle = {
        .op = {.kind = PH_INBOX_SETTLE, .bytes = 10}, .attempts = &failed, .count = 1};
    assert_int_equal(run(&settle.op), PH_OK);
    clock_ms += 1000;
    store(&s, "b");
    assert_int_equal(counts().oldest_ms[0], clock_ms - 1000);
    clock_ms += 1000;
    struct ph_inbox_send retry = {.op = {.kind = PH_INBOX_SEND, .bytes = 10},
                                  .deliveries = &delivery,
                                  .delivery_count = 1,
                                  .now_ms = clock_ms};
    assert_int_equal(run(&retry.op), PH_OK);
    assert_int_equal(counts().oldest_ms[0], clock_ms - 1000);
}

static void verify_with(const char *key, const char *secret, const char *account)
{
    struct sample s;
    make(&s, key);
    s.store.request.secret = ph_slice_str(secret);
    s.store.request.secret_of = ph_slice_str(account);
    assert_int_equal(run(&s.store.op), PH_OK);
}

static struct ph_inbox_use use_of(const char *secret, const char *account)
{
    struct ph_inbox_use use = {0};
    enum ph_status st = ph_inbox_use_get(reader, PH_S("stripe-shop"), ph_slice_str(account),
                                         ph_slice_str(secret), &use);
    assert_true(st == PH_OK || st == PH_ERR_NOT_FOUND);
    return use;
}

PH_TEST(since_when_a_secret_alone_is_used_is_known_whatever_has_been_forgotten)
{
    int64_t start = clock_ms;
    (void)state;
    verify_with("a", "old", NULL);
    assert_int_equal(use_of("old", NULL).alone_ms, start);
    assert_int_equal(use_of("new", NULL).used, 0);
    clock_ms += 1000;
    verify_with("b", "new", NULL);
    assert_int_equal(use_of("new", NULL).alone_ms, start + 1000);
    assert_int_equal(use_of("old", NULL).alone_ms, 0);
    clock_ms += 1000;
    verify_with("b", "old", NULL); /* a repetition was signed with it, too */
    assert_int_equal(use_of("old", NULL).used, 2);
    assert_int_equal(use_of("new", NULL).alone_ms, 0);
    for (int i = 0; i < 3; i++) {
        char key[8];
        clock_ms += 1000;
        (void)snprintf(key, sizeof key, "k%d", i);
        verify_with(key, "new", NULL);
    }
    clock_ms += 1000;
    verify_with("x", "theirs", "EU"); /* another account's secrets are none of these */
    options.retention_age_ms = 500;
    clock_ms += 1000;
    assert_int_equal(ph_inbox_reconfigure(inbox, &options), PH_OK);
    settle_done(1024 * 65536);
    until("SELECT count(*) FROM requests WHERE id=1", 0);
    reopen();
    assert_int_equal(use_of("new", NULL).alone_ms, start + 3000);
    assert_int_equal(use_of("new", NULL).used, 4);
    assert_int_equal(use_of("new", NULL).first_ms, start + 1000);
    assert_int_equal(use_of("new", NULL).last_ms, start + 5000);
    assert_int_equal(use_of("theirs", "EU").alone_ms, start + 6000);
    assert_int_equal(use_of("theirs", NULL).used, 0);
}

PH_TEST(what_proves_nothing_uses_no_secret)
{
    struct sample s;
    (void)state;
    make(&s, "a");
    s.store.request.standing = PH_STANDING_QUARANTINED;
    s.store.request.verdict = PH_FORGED;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(use_of("env:STRIPE_WHSEC", NULL).used, 0);
    int64_t id = s.store.request.id, received = clock_ms;
    clock_ms += 1000;
    make(&s, "a"); /* its secret came later */
    s.store.op.kind = PH_INBOX_JUDGE;
    s.store.request.id = id;
    assert_int_equal(run(&s.store.op), PH_OK);
    assert_int_equal(use_of("env:STRIPE_WHSEC", NULL).used, 1);
    assert_int_equal(use_of("env:STRIPE_WHSEC", NULL).last_ms, received);
    assert_int_equal(run(&s.store.op), PH_OK); /* read once more: no further use */
    assert_int_equal(use_of("env:STRIPE_WHSEC", NULL).used, 1);
}

PH_TEST(a_folder_in_use_names_its_holder)
{
    struct ph_inbox *second;
    char pid[32], path[96];
    struct stat found;
    (void)state;
    assert_int_equal(ph_inbox_open(&options, &second, why), PH_ERR_AGAIN);
    (void)snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(why, pid));
    (void)snprintf(path, sizeof path, "%s/new", folder);
    struct ph_inbox_options other = options;
    other.folder = path;
    assert_int_equal(ph_inbox_open(&other, &second, why), PH_OK);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
    ph_inbox_close(second);
}

static void change(const char *sql)
{
    sqlite3 *db;
    char path[96];
    (void)snprintf(path, sizeof path, "%s/inbox.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    size_t size = (size_t)ftell(f);
    char *text = malloc(size + 1);
    rewind(f);
    assert_int_equal(fread(text, 1, size, f), size);
    text[size] = '\0';
    (void)fclose(f);
    return text;
}

/* inbox-v1.sql is what a payhook of that version made. */
PH_TEST(a_file_of_version_1_is_brought_to_this_one_with_all_it_has)
{
    struct ph_slice findings;
    struct sample s;
    int64_t id;
    char path[96];
    (void)state;
    close_inbox();
    (void)snprintf(path, sizeof path, "%s/inbox.db", folder);
    assert_int_equal(remove(path), 0);
    char *made = read_text(PAYHOOK_SOURCE_DIR "/tests/unit/inbox-v1.sql");
    change(made);
    free(made);
    assert_int_equal(ask("SELECT user_version FROM pragma_user_version()"), 1);
    open_inbox();
    assert_int_equal(ask("SELECT user_version FROM pragma_user_version()"), PH_INBOX_VERSION);
    assert_int_equal(counts().backlog[0], 2);
    assert_int_equal(ph_inbox_event_find(reader, PH_S("stripe:stripe:evt_1Sample0001"), &id),
                     PH_OK);
    assert_int_equal(id, 1024);
    store(&s, "stripe:stripe:evt_1Sample0001");
    assert_int_equal(s.store.stored, PH_STORED_DUPLICATE);
    assert_int_equal(s.events[0].id, 1024);
    store(&s, "new");
    assert_int_equal(s.store.stored, PH_STORED_NEW);
    assert_true(s.store.request.id > 2); /* never given before */
    reopen();
    store(&s, "new");
    assert_int_equal(s.store.stored, PH_STORED_DUPLICATE);
    assert_int_equal(ask("SELECT count(*) FROM key_list"), 3);
    close_inbox();
    assert_int_equal(ph_inbox_check(folder, &memory, &findings), PH_OK);
    assert_int_equal(findings.len, 0);
}

PH_TEST(a_file_of_a_newer_version_is_not_touched)
{
    (void)state;
    close_inbox();
    change("PRAGMA user_version=99");
    assert_int_equal(ph_inbox_open(&options, &inbox, why), PH_ERR_UNSUPPORTED);
    assert_non_null(strstr(why, "newer payhook"));
    inbox = NULL;
    assert_int_equal(ask("SELECT user_version FROM pragma_user_version()"), 99);
    change("PRAGMA application_id=7; PRAGMA user_version=1");
    assert_int_equal(ph_inbox_open(&options, &inbox, why), PH_ERR_UNSUPPORTED);
    assert_non_null(strstr(why, "another program"));
    inbox = NULL;
}

PH_TEST(a_damaged_file_is_refused_with_what_to_do)
{
    char path[96];
    (void)state;
    close_inbox();
    (void)snprintf(path, sizeof path, "%s/inbox.db", folder);
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    for (int i = 0; i < 3 * 8192; i++)
        (void)fputc('x', f);
    (void)fclose(f);
    assert_int_equal(ph_inbox_open(&options, &inbox, why), PH_ERR_MALFORMED);
    assert_non_null(strstr(why, "restore a backup"));
    inbox = NULL;
}

PH_TEST(a_check_finds_what_must_not_be)
{
    struct ph_slice findings;
    struct sample s;
    (void)state;
    store(&s, "k");
    assert_int_equal(ph_inbox_check(folder, &memory, &findings), PH_ERR_AGAIN); /* it is in use */
    close_inbox();
    assert_int_equal(ph_inbox_check(folder, &memory, &findings), PH_OK);
    assert_int_equal(findings.len, 0);
    change("DELETE FROM keys; UPDATE figures SET keys_from=next_request*1024; UPDATE destinations "
           "SET backlog=7");
    assert_int_equal(ph_inbox_check(folder, &memory, &findings), PH_OK);
    assert_true(ph_slice_find(findings, PH_S("1 told events whose key is not known\n"), 0) !=
                SIZE_MAX);
    assert_true(ph_slice_find(findings, PH_S("backlog is miscounted"), 0) != SIZE_MAX);
    change("DELETE FROM events");
    assert_int_equal(ph_inbox_check(folder, &memory, &findings), PH_OK);
    assert_true(ph_slice_find(findings, PH_S("1 deliveries of no event\n"), 0) != SIZE_MAX);
    change("UPDATE figures SET hints=1, pending_bytes=1");
    assert_int_equal(ph_inbox_check(folder, &memory, &findings), PH_OK);
    assert_true(ph_slice_find(findings, PH_S("miscounts of the hints"), 0) != SIZE_MAX);
    assert_true(ph_slice_find(findings, PH_S("miscounts of what is pending"), 0) != SIZE_MAX);
}

PH_TEST(more_than_fits_is_told_to_come_again)
{
    struct sample s;
    (void)state;
    make(&s, "k");
    s.store.op.bytes = PH_INBOX_OPS_BYTES_MAX + 1;
    assert_int_equal(ph_inbox_submit(inbox, &s.store.op), PH_ERR_AGAIN);
    store(&s, "k");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(what_is_old_and_told_goes_and_its_key_stays),
        T(a_file_that_is_too_large_loses_its_oldest),
        T(what_is_open_stays_between_what_goes),
        T(a_file_that_is_too_large_loses_what_it_may_behind_what_it_may_not),
        T(the_quarantine_has_an_age),
        T(old_hints_stay_and_no_longer_count),
        T(a_hint_that_retention_forgets_is_taken_off_once),
        T(a_key_goes_when_its_event_is_gone_and_it_is_old_itself),
        T(deliveries_to_a_destination_that_is_gone_wait_a_day_for_it_and_are_dropped_then),
        T(the_age_of_the_oldest_is_known),
        T(a_replay_of_an_older_event_is_not_the_oldest_that_waits),
        T(what_is_tried_anew_is_as_old_as_that),
        T(since_when_a_secret_alone_is_used_is_known_whatever_has_been_forgotten),
        T(what_proves_nothing_uses_no_secret),
        T(a_folder_in_use_names_its_holder),
        T(a_file_of_version_1_is_brought_to_this_one_with_all_it_has),
        T(a_file_of_a_newer_version_is_not_touched),
        T(a_damaged_file_is_refused_with_what_to_do),
        T(a_check_finds_what_must_not_be),
        T(more_than_fits_is_told_to_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
