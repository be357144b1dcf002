/* What the inbox promises when the disk breaks its promises: power cuts, a full disk, writes and
 * syncs that fail, slowness. usage: test_inbox_faults [CUTS [SEED]] (300 without; the long run
 * takes 10000) */
#include <errno.h>
#include <time.h>

#include "../unit/inbox_fixture.h"
#include "inbox/inbox_private.h"
#include "os/flush.h"
#include "sim_disk.h"

enum { WAVE_MAX = 24, KEYS_MAX = 4000, CUTS_PER_DISK = 15, SMALL_CACHE_KIB = 96 };

static long cuts_wanted = 300;
static uint64_t seed = 20260;

static uint64_t random_state;
static uint64_t pick(uint64_t below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (random_state * 0x2545f4914f6cdd1du >> 20) % below;
}

/* What was acknowledged. */
struct known {
    char key[16];
    int64_t event;
    bool done;  /* its delivery was settled, and that was acknowledged */
    bool asked; /* … was asked for: it may be done */
};
static struct known known[KEYS_MAX];
static int known_count, key_number;
static char broken[1024]; /* what went wrong first; empty: nothing */

static void note(const char *format, ...)
{
    va_list args;
    if (broken[0] != '\0')
        return;
    va_start(args, format);
    (void)vsnprintf(broken, sizeof broken, format, args);
    va_end(args);
}

struct job {
    struct sample sample;
    bool hint; /* nobody has proven it: it may be told that there is no room */
    char key[16];
    int of; /* index in known, for settles and duplicates; -1: a new key */
    struct ph_inbox_attempt attempt;
    struct ph_inbox_settle settle;
    bool begun;
};
static struct job jobs[WAVE_MAX];
static char large_body[30000];

static bool begin_job(struct job *job)
{
    struct ph_inbox_op *op;
    memset(job, 0, sizeof *job);
    job->of = known_count > 0 && pick(3) == 0 ? (int)pick((uint64_t)known_count) : -1;
    if (job->of >= 0 && pick(2) == 0) {
        known[job->of].asked = true;
        job->attempt = (struct ph_inbox_attempt){.delivery = known[job->of].event * 65536,
                                                 .state = PH_DELIVERY_DONE,
                                                 .counted = true,
                                                 .status = 200,
                                                 .at_ms = clock_ms};
        job->settle = (struct ph_inbox_settle){
            .op = {.kind = PH_INBOX_SETTLE}, .attempts = &job->attempt, .count = 1};
        op = &job->settle.op;
    } else {
        (void)snprintf(job->key, sizeof job->key, "%s%d", job->of >= 0 ? "" : "k",
                       job->of >= 0 ? 0 : key_number++);
        if (job->of >= 0)
            memcpy(job->key, known[job->of].key, sizeof job->key);
        op = &make(&job->sample, job->key)->op;
        if (pick(4) == 0)
            job->sample.store.request.body = ph_slice_of(large_body, pick(sizeof large_body));
        job->hint = job->of < 0 && pick(5) == 0;
        if (job->hint) {
            job->sample.store.request.standing = PH_STANDING_HINT;
            job->sample.events[0].verdict = PH_UNSIGNED;
            job->sample.events[0].destinations = 0;
        }
    }
    op->done = on_done;
    job->begun = ph_inbox_submit(inbox, op) == PH_OK;
    waited_count += job->begun;
    return job->begun;
}

/* What the done op means from now on. */
static void take_job(const struct job *job)
{
    if (!job->begun)
        return;
    if (job->settle.count > 0) {
        if (job->settle.op.status == PH_OK)
            known[job->of].done = true;
        return;
    }
    if (job->sample.store.op.status != PH_OK)
        return;
    if (job->of >= 0 && job->sample.store.stored != PH_STORED_DUPLICATE)
        note("%s was acknowledged, and then stored once more", job->key);
    if (job->of >= 0 || job->hint || known_count == KEYS_MAX)
        return;
    struct known *k = &known[known_count++];
    *k = (struct known){.event = job->sample.events[0].id};
    memcpy(k->key, job->key, sizeof k->key);
}

/* Waves of ops until the power fails, or enough of them. */
static void load_disk(int waves)
{
    for (int wave = 0; wave < waves && !sim_disk_is_cut(); wave++) {
        int count = 1 + (int)pick(WAVE_MAX), begun = 0;
        clock_ms += (int64_t)pick(5000);
        while (begun < count && begin_job(&jobs[begun]))
            begun++;
        fixture_wait();
        for (int i = 0; i < begun; i++)
            take_job(&jobs[i]);
    }
}

static const char *const no_statements[] = {""};

static void check_known(struct ph_sql *sql)
{
    sqlite3_stmt *key, *delivery;
    if (sqlite3_prepare_v2(sql->db, "SELECT event FROM key_list WHERE key=?", -1, &key, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v2(
            sql->db, "SELECT d.state FROM deliveries d JOIN events e ON e.id=d.event WHERE d.id=?",
            -1, &delivery, NULL) != SQLITE_OK) {
        note("the file cannot be asked: %s", sqlite3_errmsg(sql->db));
        return;
    }
    for (int i = 0; i < known_count; i++) {
        const struct known *k = &known[i];
        sqlite3_bind_text(key, 1, k->key, -1, SQLITE_STATIC);
        if (sqlite3_step(key) != SQLITE_ROW)
            note("%s was acknowledged and is lost", k->key);
        else if (sqlite3_column_int64(key, 0) != k->event)
            note("%s is another event now", k->key);
        sqlite3_reset(key);
        sqlite3_bind_int64(delivery, 1, k->event * 65536);
        int state = sqlite3_step(delivery) == SQLITE_ROW ? sqlite3_column_int(delivery, 0) : 0;
        if (k->done && state != 0 && state != PH_DELIVERY_DONE)
            note("%s was settled, and is open again", k->key);
        if (!k->asked && state != PH_DELIVERY_QUEUED)
            note("%s was acknowledged, and its delivery is %d", k->key, state);
        sqlite3_reset(delivery);
    }
    sqlite3_finalize(key);
    sqlite3_finalize(delivery);
}

static void check_disk(void)
{
    struct ph_sql sql = {.texts = no_statements};
    struct ph_slice findings = {0};
    char path[96];
    (void)snprintf(path, sizeof path, "%s/inbox.db", folder);
    if (sqlite3_open_v2(path, &sql.db, SQLITE_OPEN_READWRITE, "sim-disk") != SQLITE_OK)
        note("the file does not open: %s", sqlite3_errmsg(sql.db));
    else if (ph_check_db(&sql, &memory, &findings) != PH_OK)
        note("the file cannot be checked: %s", sql.why);
    else if (findings.len > 0)
        note("the file is not sound: %.*s", (int)findings.len, findings.ptr);
    check_known(&sql);
    ph_sql_done(&sql);
    ph_arena_reset(&memory);
}

static bool try_open(void)
{
    if (ph_inbox_open(&options, &inbox, why) == PH_OK)
        return true;
    inbox = NULL;
    return false;
}

static void new_disk(int dropped)
{
    sim_disk_format(random_state);
    sim_disk_drop_syncs(dropped);
    /* On every second disk a batch is more than the cache holds: pages are in the log before the
     * commit, and some are there twice. */
    options.cache_kib = pick(2) == 0 ? SMALL_CACHE_KIB : 0;
    known_count = 0;
}

/* One cut: at any moment, the file's making included; then a look at what is left. */
static void one_cut(void)
{
    sim_disk_cut_after(1 + (int64_t)pick(pick(4) == 0 ? 60 : 600));
    if (try_open())
        load_disk(20);
    bool early = !sim_disk_is_cut();
    if (early)
        sim_disk_cut_after(1); /* while it closes */
    ph_inbox_close(inbox);
    inbox = NULL;
    sim_disk_reboot();
    if (!try_open()) {
        note("it does not open again: %s", why);
        return;
    }
    check_disk();
    ph_inbox_close(inbox);
    inbox = NULL;
}

static long run_cuts(long count, int dropped)
{
    long cut = 0;
    broken[0] = '\0';
    for (; cut < count && broken[0] == '\0'; cut++) {
        if (cut % CUTS_PER_DISK == 0)
            new_disk(dropped);
        one_cut();
    }
    return cut;
}

static int faults_set_up(void **state)
{
    (void)state;
    /* Only the lock is on a real disk; where there is one in memory, opening waits for none. */
    (void)snprintf(folder, sizeof folder, "%s/payhook-faults-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(folder) == NULL)
        return -1;
    clock_ms = 1700000000000;
    random_state = seed * 0x9e3779b97f4a7c15u + 1;
    sim_disk_register();
    options = (struct ph_inbox_options){.folder = folder,
                                        .vfs = "sim-disk",
                                        .destinations = two_names,
                                        .destination_count = 2,
                                        .quarantine_requests = 10,
                                        .quarantine_bytes = 100000,
                                        .quarantine_age_ms = 20000,
                                        .now_ms = fixture_now,
                                        .wake = fixture_wake,
                                        .retention_age_ms = 60000,
                                        .log_pages = 12,
                                        .keys_waiting = 20};
    ph_arena_init(&memory, &fixture_heap, 64 << 20, 1 << 20);
    new_disk(0);
    return 0;
}

PH_TEST(no_acknowledged_op_is_lost_in_a_power_cut)
{
    (void)state;
    long cuts = run_cuts(cuts_wanted, 0);
    if (broken[0] != '\0')
        fail_msg("cut %ld of seed %llu: %s", cuts, (unsigned long long)seed, broken);
    printf("             %ld cuts, %d keys in all, nothing lost\n", cuts, key_number);
    assert_int_equal(cuts, cuts_wanted);
    assert_true(sim_disk_syncs(SIM_SYNC_DATABASE) > cuts); /* checkpoints were among what was cut */
}

/* The control: a test that could not see a missing sync would be no test. */
static void expect_loss(int kind, const char *name)
{
    long cuts = run_cuts(3000, kind);
    if (broken[0] == '\0')
        fail_msg("3000 cuts without syncs of the %s, and nothing was lost: this test sees nothing",
                 name);
    printf("             without syncs of the %s, cut %ld: %s\n", name, cuts, broken);
}

PH_TEST(without_syncs_of_the_log_something_is_lost)
{
    (void)state;
    expect_loss(SIM_SYNC_LOG, "log");
}

PH_TEST(without_syncs_of_the_database_something_is_lost)
{
    (void)state;
    expect_loss(SIM_SYNC_DATABASE, "database");
}

PH_TEST(without_syncs_of_names_something_is_lost)
{
    (void)state;
    expect_loss(SIM_SYNC_NAMES, "names");
}

/* ---- a disk that says so --------------------------------------------------------------------- */

static enum ph_status store_key(const char *key)
{
    static struct sample s;
    return run(&make(&s, key)->op);
}

static void reboot_and_check(void)
{
    ph_inbox_close(inbox);
    inbox = NULL;
    sim_disk_reboot();
    assert_true(try_open());
    check_disk();
    if (broken[0] != '\0')
        fail_msg("%s", broken);
}

PH_TEST(a_full_disk_refuses_and_goes_on_by_itself_when_there_is_room)
{
    struct ph_inbox_health health;
    (void)state;
    broken[0] = '\0';
    assert_true(try_open());
    load_disk(3);
    sim_disk_full(true);
    int refused = 0;
    for (int i = 0; i < 40; i++) { /* what the log has room for may still go in */
        char key[16];
        (void)snprintf(key, sizeof key, "full%d", i);
        refused += store_key(key) == PH_ERR_IO;
    }
    assert_true(refused > 0);
    ph_inbox_health(inbox, &health);
    assert_true(health.ailing);
    assert_false(health.failed);
    assert_non_null(strstr(health.why, "make room"));
    const struct ph_inbox_op failed = {.status = PH_ERR_IO}, other = {.status = PH_ERR_NO_MEMORY};
    char room[PH_INBOX_WHY_BYTES];
    assert_string_equal(ph_inbox_op_why(inbox, &failed, room).ptr, health.why);
    assert_string_equal(ph_inbox_op_why(inbox, &other, room).ptr, "out of memory");
    sim_disk_full(false);
    assert_int_equal(store_key("after"), PH_OK);
    ph_inbox_health(inbox, &health);
    assert_false(health.ailing);
    load_disk(3);
    reboot_and_check();
}

PH_TEST(a_failing_write_fails_its_batch_alone)
{
    (void)state;
    broken[0] = '\0';
    assert_true(try_open());
    load_disk(3);
    sim_disk_fail_writes(true);
    assert_int_equal(store_key("refused"), PH_ERR_IO);
    assert_int_equal(store_key("refused"), PH_ERR_IO);
    sim_disk_fail_writes(false);
    struct sample s;
    assert_int_equal(run(&make(&s, "refused")->op), PH_OK);
    assert_int_equal(s.store.stored, PH_STORED_NEW); /* nothing was kept of the failures */
    load_disk(3);
    reboot_and_check();
}

PH_TEST(nothing_of_a_failed_batch_overwrites_what_another_program_has_committed)
{
    char path[96];
    sqlite3 *shell;
    (void)state;
    broken[0] = '\0';
    assert_true(try_open());
    load_disk(3);
    sim_disk_fail_writes(true);
    assert_int_equal(store_key("refused"), PH_ERR_IO);
    sim_disk_fail_writes(false);
    (void)snprintf(path, sizeof path, "%s/inbox.db", folder);
    assert_int_equal(sqlite3_open_v2(path, &shell, SQLITE_OPEN_READWRITE, "sim-disk"), SQLITE_OK);
    assert_int_equal(sqlite3_exec(shell, "CREATE TABLE theirs AS SELECT 1", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(store_key("after"), PH_OK);
    assert_int_equal(sqlite3_exec(shell, "SELECT * FROM theirs", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(shell);
    reboot_and_check();
}

PH_TEST(an_ailing_disk_is_ailing_until_a_write_succeeds_whoever_asks)
{
    struct ph_inbox_health health;
    (void)state;
    assert_true(try_open());
    sim_disk_fail_writes(true);
    assert_int_equal(store_key("refused"), PH_ERR_IO);
    int64_t before = sim_disk_writes(SIM_SYNC_LOG);
    for (int i = 0; i < 200 && sim_disk_writes(SIM_SYNC_LOG) < before + 2; i++)
        usleep(50 * 1000); /* nothing comes in, and it looks for itself meanwhile */
    assert_true(sim_disk_writes(SIM_SYNC_LOG) >= before + 2);
    ph_inbox_health(inbox, &health);
    assert_true(health.ailing);
    sim_disk_fail_writes(false);
    for (int i = 0; i < 60 && health.ailing; i++) {
        usleep(50 * 1000);
        ph_inbox_health(inbox, &health);
    }
    assert_false(health.ailing);
    reboot_and_check();
}

PH_TEST(a_failing_sync_stops_the_writer_for_good)
{
    struct ph_inbox_health health;
    struct sample s;
    (void)state;
    broken[0] = '\0';
    assert_true(try_open());
    load_disk(3);
    sim_disk_fail_syncs(SIM_SYNC_LOG);
    assert_int_equal(store_key("refused"), PH_ERR_IO);
    sim_disk_fail_syncs(0);
    make(&s, "too late");
    assert_int_equal(ph_inbox_submit(inbox, &s.store.op), PH_ERR_IO);
    ph_inbox_health(inbox, &health);
    assert_true(health.failed);
    assert_non_null(strstr(health.why, "start payhook again"));
    reboot_and_check();
    assert_int_equal(store_key("again"), PH_OK);
}

static struct sample second;
static const struct ph_slice three_names[] = {PH_SI("shop"), PH_SI("books"), PH_SI("more")};

/* The writer's thread, while it tells of the first batch: the next is of new settings and one op. */
static void change_and_go_on(struct ph_inbox_op *op)
{
    struct ph_inbox_options next = options;
    next.destinations = three_names;
    next.destination_count = 3;
    sim_disk_fail_syncs(SIM_SYNC_LOG);
    assert_int_equal(ph_inbox_reconfigure(inbox, &next), PH_OK);
    begin(&make(&second, "behind the change")->op);
    on_done(op);
}

static void sync_again(void *ctx, const struct ph_inbox_health *health)
{
    (void)ctx;
    if (health->failed)
        sim_disk_fail_syncs(0);
}

PH_TEST(nothing_is_written_behind_settings_whose_sync_has_failed)
{
    static struct sample first;
    struct ph_inbox_health health;
    (void)state;
    broken[0] = '\0';
    options.log_pages = 100000;
    options.health = sync_again;
    assert_true(try_open());
    make(&first, "first")->op.done = change_and_go_on;
    waited_count++;
    assert_int_equal(ph_inbox_submit(inbox, &first.store.op), PH_OK);
    fixture_wait();
    assert_int_equal(second.store.op.status, PH_ERR_IO);
    ph_inbox_health(inbox, &health);
    assert_true(health.failed);
    reboot_and_check();
}

static bool stops_soon(struct ph_inbox_health *ret)
{
    for (int i = 0; i < 200; i++) {
        ph_inbox_health(inbox, ret);
        if (ret->failed)
            return true;
        usleep(10 * 1000);
    }
    return false;
}

/* What the disk refuses of pages that were copied ahead it would refuse of the sync behind them,
 * too. */
PH_TEST(a_failing_flush_stops_the_writer_for_good)
{
    struct ph_inbox_health health;
    struct sample s;
    (void)state;
    broken[0] = '\0';
    assert_true(try_open());
    load_disk(3);
    /* which cannot be synced (fdatasync(2): EINVAL) */
    struct ph_os_flush *flush = ph_os_flush_start("/dev/null");
    assert_non_null(flush);
    ph_os_flush_ask(flush);
    while (!ph_os_flush_is_done(flush))
        usleep(1000);
    assert_int_equal(ph_os_flush_failed(flush), EINVAL);
    inbox->copying.flush = flush; /* the writer waits for work */
    assert_int_equal(store_key("synced"), PH_OK);
    assert_true(stops_soon(&health));
    assert_non_null(strstr(health.why, "start payhook again"));
    make(&s, "too late");
    assert_int_equal(ph_inbox_submit(inbox, &s.store.op), PH_ERR_IO);
    reboot_and_check();
    assert_int_equal(store_key("again"), PH_OK);
}

/* Fills the log nearly; false: the writer was idle meanwhile, and has copied all. */
static bool fill_log(int pages, int *ret_pieces)
{
    /* the writer's, which waits for work whenever this looks */
    const struct ph_copying *copying = &inbox->copying;
    static struct sample s;
    int copied = 0;
    *ret_pieces = 0;
    while (copying->wal_pages < pages) {
        int before = copying->wal_pages;
        char key[16];
        (void)snprintf(key, sizeof key, "piece%d", key_number++);
        make(&s, key);
        s.store.request.body = ph_slice_of(large_body, sizeof large_body);
        assert_int_equal(run(&s.store.op), PH_OK);
        usleep(2000);
        if (copying->ended_pages != 0 || copying->wal_pages < before)
            return false;
        *ret_pieces += copying->copied_pages > copied;
        copied = copying->copied_pages;
    }
    return true;
}

PH_TEST(the_log_is_copied_in_pieces_and_the_database_is_synced_at_its_end)
{
    enum { LOG_PAGES = 400 };
    int64_t syncs;
    int pieces, tries = 0;
    (void)state;
    broken[0] = '\0';
    options.log_pages = LOG_PAGES;
    assert_true(try_open());
    options.log_pages = 12;
    do {
        assert_true(tries++ < 50);
        assert_int_equal(store_key("first"), PH_OK);
        usleep(2000);
        syncs = sim_disk_syncs(SIM_SYNC_DATABASE);
    } while (!fill_log(LOG_PAGES - 20, &pieces));
    assert_in_range(pieces, 2, 4);
    assert_int_equal(sim_disk_syncs(SIM_SYNC_DATABASE), syncs);
    while (inbox->copying.ended_pages == 0) {
        assert_int_equal(store_key("last"), PH_OK);
        usleep(2000);
    }
    assert_true(sim_disk_syncs(SIM_SYNC_DATABASE) > syncs);
    reboot_and_check();
}

/* Requests without deliveries, old enough to be forgotten from now on. */
static void store_what_is_old(int count, size_t body_bytes)
{
    static struct sample s;
    char key[16];
    assert_true(try_open());
    for (int i = 0; i < count; i++) {
        (void)snprintf(key, sizeof key, "old%d", i);
        make(&s, key);
        s.events[0].destinations = 0;
        s.store.request.body = ph_slice_of(large_body, body_bytes);
        assert_int_equal(run(&s.store.op), PH_OK);
    }
    clock_ms += 2 * options.retention_age_ms;
}

static int64_t requests_there(void)
{
    char path[96];
    sqlite3 *db;
    sqlite3_stmt *count;
    (void)snprintf(path, sizeof path, "%s/inbox.db", folder);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "sim-disk"), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM requests", -1, &count, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(count), SQLITE_ROW);
    int64_t there = sqlite3_column_int64(count, 0);
    sqlite3_finalize(count);
    sqlite3_close(db);
    return there;
}

PH_TEST(what_is_forgotten_is_not_written_once_more)
{
    enum { OLD = 100, PAGES_EACH = 4 }; /* each has 30 KB */
    (void)state;
    store_what_is_old(OLD, sizeof large_body);
    int64_t before = sim_disk_writes(SIM_SYNC_DATABASE);
    for (int i = 0; i < 1000 && requests_there() > 0; i++)
        usleep(10 * 1000);
    assert_int_equal(requests_there(), 0);
    ph_inbox_close(inbox); /* what is in the log goes to the file */
    inbox = NULL;
    assert_in_range(sim_disk_writes(SIM_SYNC_DATABASE) - before, 1, OLD * PAGES_EACH / 2);
    assert_true(try_open());
}

PH_TEST(a_disk_that_the_log_has_filled_goes_on_once_the_log_is_copied)
{
    enum { OLD = 100, NEW_MAX = 60 };
    static struct sample s;
    enum ph_status st = PH_OK;
    char key[16];
    (void)state;
    broken[0] = '\0';
    options.log_pages = 100000;
    store_what_is_old(OLD, sizeof large_body);
    for (int i = 0; i < 1000 && requests_there() > 0; i++)
        usleep(10 * 1000);
    assert_int_equal(requests_there(), 0); /* the database has room, the log begins anew */
    ph_inbox_close(inbox);
    assert_true(try_open());
    for (int i = 0; i < NEW_MAX && st == PH_OK; i++) {
        (void)snprintf(key, sizeof key, "new%d", i);
        make(&s, key);
        s.store.request.body = ph_slice_of(large_body, sizeof large_body);
        sim_disk_full(i >= NEW_MAX / 3);
        st = run(&s.store.op);
    }
    assert_int_equal(st, PH_ERR_IO);
    assert_int_equal(store_key("after"), PH_OK); /* nobody has made room */
    sim_disk_full(false);
    reboot_and_check();
}

static int64_t little_room(const char *path)
{
    (void)path;
    return 2 * PH_INBOX_ROOM_BYTES + 50 * PH_INBOX_PAGE_BYTES;
}

static _Atomic int64_t room_left;
static int64_t what_is_left(const char *path)
{
    (void)path;
    return room_left;
}

static bool health_soon(bool ailing, const char *word)
{
    struct ph_inbox_health health;
    for (int i = 0; i < 500; i++) {
        ph_inbox_health(inbox, &health);
        if (health.ailing == ailing && strstr(health.why, word) != NULL)
            return true;
        usleep(10 * 1000);
    }
    return false;
}

PH_TEST(in_the_last_of_the_room_no_webhook_is_taken_in_and_what_was_goes_on)
{
    static struct sample s;
    (void)state;
    broken[0] = '\0';
    room_left = INT64_MAX;
    options.free_bytes = what_is_left;
    assert_true(try_open());
    assert_int_equal(run(&make(&s, "in time")->op), PH_OK);
    const int64_t event = s.events[0].id;
    room_left = PH_INBOX_ROOM_BYTES - 1;
    for (int i = 0; i < 100 && store_key("found out") != PH_ERR_AGAIN; i++)
        usleep(1000); /* with the first batch it is seen */
    assert_int_equal(store_key("too late"), PH_ERR_AGAIN);
    assert_true(health_soon(true, "make room"));
    struct ph_inbox_attempt attempt = {
        .delivery = event * 65536, .state = PH_DELIVERY_DONE, .counted = true, .status = 200};
    struct ph_inbox_settle settle = {
        .op = {.kind = PH_INBOX_SETTLE}, .attempts = &attempt, .count = 1};
    assert_int_equal(run(&settle.op), PH_OK);
    room_left = INT64_MAX;
    assert_true(health_soon(false, "")); /* by itself */
    assert_int_equal(store_key("after"), PH_OK);
    options.free_bytes = NULL;
    reboot_and_check();
}

/* Else the log would take what the database needs to take it in. */
PH_TEST(the_log_is_copied_while_the_volume_has_room_for_what_it_holds)
{
    static struct sample s;
    int most = 0;
    (void)state;
    broken[0] = '\0';
    options.log_pages = 100000;
    options.free_bytes = little_room;
    assert_true(try_open());
    for (int i = 0; i < 100; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "piece%d", key_number++);
        make(&s, key);
        s.store.request.body = ph_slice_of(large_body, sizeof large_body);
        assert_int_equal(run(&s.store.op), PH_OK);
        /* the writer's, which is at rest but for its copying */
        most = inbox->copying.wal_pages > most ? inbox->copying.wal_pages : most;
    }
    assert_in_range(most, 40, 80);
    options.free_bytes = NULL;
    reboot_and_check();
}

static int64_t steady_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

PH_TEST(nothing_is_done_for_nobody_while_somebody_comes_now_and_then)
{
    enum { OLD = 2000, RUN_MS = 1500, SHORT_MS = 60 }; /* short: well below a writer's tick */
    char key[16];
    int64_t syncs = 0;
    (void)state;
    options.log_pages = 100000;
    store_what_is_old(OLD, 10);
    int64_t end = steady_ms() + RUN_MS; /* a pass of forgetting begins each second */
    for (int i = 0; steady_ms() < end; i++) {
        int64_t start = steady_ms();
        (void)snprintf(key, sizeof key, "new%d", i);
        assert_int_equal(store_key(key), PH_OK);
        int64_t before = sim_disk_syncs(SIM_SYNC_DATABASE);
        usleep(3000);
        int64_t now = sim_disk_syncs(SIM_SYNC_DATABASE);
        if (steady_ms() - start < SHORT_MS)
            syncs += now - before;
    }
    assert_int_equal(syncs, 0);
    assert_in_range(requests_there(), 0, OLD); /* it forgot meanwhile, with what came */
}

PH_TEST(a_slow_disk_makes_batches_larger_and_loses_nothing)
{
    static struct sample s[60];
    static char keys[60][8];
    struct ph_inbox_counts before, after;
    (void)state;
    broken[0] = '\0';
    assert_true(try_open());
    ph_inbox_counts(inbox, &before);
    sim_disk_slow(30);
    for (int i = 0; i < 60; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "s%d", i);
        begin(&make(&s[i], keys[i])->op);
        usleep(1000);
    }
    fixture_wait();
    sim_disk_slow(0);
    for (int i = 0; i < 60; i++)
        assert_int_equal(s[i].store.op.status, PH_OK);
    ph_inbox_counts(inbox, &after);
    assert_in_range(after.batches - before.batches, 1, 15);
    reboot_and_check();
}

int main(int argc, char **argv)
{
#define T(name) cmocka_unit_test_setup_teardown(name, faults_set_up, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        T(no_acknowledged_op_is_lost_in_a_power_cut),
        T(without_syncs_of_the_log_something_is_lost),
        T(without_syncs_of_the_database_something_is_lost),
        T(without_syncs_of_names_something_is_lost),
        T(a_full_disk_refuses_and_goes_on_by_itself_when_there_is_room),
        T(a_disk_that_the_log_has_filled_goes_on_once_the_log_is_copied),
        T(the_log_is_copied_while_the_volume_has_room_for_what_it_holds),
        T(in_the_last_of_the_room_no_webhook_is_taken_in_and_what_was_goes_on),
        T(a_failing_write_fails_its_batch_alone),
        T(nothing_of_a_failed_batch_overwrites_what_another_program_has_committed),
        T(an_ailing_disk_is_ailing_until_a_write_succeeds_whoever_asks),
        T(a_failing_sync_stops_the_writer_for_good),
        T(nothing_is_written_behind_settings_whose_sync_has_failed),
        T(a_failing_flush_stops_the_writer_for_good),
        T(the_log_is_copied_in_pieces_and_the_database_is_synced_at_its_end),
        T(what_is_forgotten_is_not_written_once_more),
        T(nothing_is_done_for_nobody_while_somebody_comes_now_and_then),
        T(a_slow_disk_makes_batches_larger_and_loses_nothing),
    };
    if (argc > 1)
        cuts_wanted = strtol(argv[1], NULL, 10);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
