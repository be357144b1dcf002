/* The writer: takes the ops that wait, does them in one transaction, commits, tells their
 * callers. While one batch is being synced the next gathers: nothing waits for a timer.
 *
 * W1: `done` runs after the commit that holds the op, or after it failed; in the order of
 * submission. W2: what SQLite says about a sync that failed, or a damaged file, stops the writer
 * for good (G7). W3: an op that fails for a reason of its own fails alone: if it had begun to
 * write, the batch is done again one by one. W4: when one of the files is not in its place any
 * more the batch fails, and the writer stops for good. W5: what fills a disk may be the log: all
 * of it is copied, and the next batch is written over it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "inbox/gather.h"
#include "inbox/inbox_private.h"
#include "os/clock.h"
#include "os/thread.h"

enum {
    TICK_MS = 100, /* how often an idle writer looks for what to tend */
    STEP_MS = 1    /* … and while it forgets something, once nobody has come for a tick */
};

static bool is_fatal(int rc)
{
    return rc == SQLITE_IOERR_FSYNC || rc == SQLITE_IOERR_DIR_FSYNC ||
           rc == SQLITE_IOERR_CORRUPTFS || (rc & 0xff) == SQLITE_CORRUPT ||
           (rc & 0xff) == SQLITE_NOTADB;
}

/* Failures that one op can bring about. */
static bool is_the_ops(int rc)
{
    int kind = rc & 0xff;
    return kind == SQLITE_CONSTRAINT || kind == SQLITE_TOOBIG || kind == SQLITE_MISMATCH;
}

enum ph_status ph_writer_op(struct ph_inbox *inbox, struct ph_inbox_op *op)
{
    switch (op->kind) {
    case PH_INBOX_STORE:
        if (inbox->copying.is_cramped)
            return PH_ERR_AGAIN; /* W5 */
        return ph_store(inbox, (struct ph_inbox_store *)op);
    case PH_INBOX_JUDGE:
        return ph_judge(inbox, (struct ph_inbox_store *)op);
    case PH_INBOX_SETTLE:
        return ph_settle(inbox, (const struct ph_inbox_settle *)op);
    case PH_INBOX_SEND:
        return ph_send(inbox, (struct ph_inbox_send *)op);
    case PH_INBOX_CONTROL:
        return ph_control(inbox, (const struct ph_inbox_control *)op);
    }
    return PH_ERR_INVALID;
}

static void roll_back(struct ph_inbox *inbox)
{
    if (!sqlite3_get_autocommit(inbox->sql.db))
        (void)sqlite3_exec(inbox->sql.db, "ROLLBACK", NULL, NULL, NULL);
    ph_gather_forget(inbox->sql.db); /* SQLite may have rolled back by itself */
    ph_keys_forget(inbox);
    inbox->figures = inbox->committed;
    memset(inbox->touched, 0, sizeof inbox->touched);
    memset(inbox->kinds, 0, sizeof inbox->kinds);
    memset(inbox->oldest_stale, 1, sizeof inbox->oldest_stale);
    memset(inbox->made_stale, 1, sizeof inbox->made_stale);
    inbox->used_count = 0;
    inbox->figures_touched = false;
    inbox->woken = 0;
}

static enum ph_status do_op(struct ph_inbox *inbox, struct ph_inbox_op *op, bool *ret_wrote)
{
    int before = sqlite3_total_changes(inbox->sql.db);
    uint64_t keys = inbox->keys_let_wait;
    enum ph_status st = ph_writer_op(inbox, op);
    ph_arena_reset(&inbox->scratch);
    *ret_wrote = sqlite3_total_changes(inbox->sql.db) != before || inbox->keys_let_wait != keys;
    return st;
}

static enum ph_status begin(struct ph_inbox *inbox)
{
    PH_TRY(ph_sql_run(&inbox->sql, PH_W_BEGIN, NULL, 0));
    return ph_keys_ready(inbox);
}

static enum ph_status finish(struct ph_inbox *inbox, size_t ops)
{
    PH_TRY(ph_uses_save(inbox));
    PH_TRY(ph_tend(inbox, ops));
    PH_TRY(ph_keys_move(inbox, ops));
    PH_TRY(ph_oldest_find(inbox));
    PH_TRY(ph_figures_save(inbox));
    PH_TRY(ph_sql_run(&inbox->sql, PH_W_COMMIT, NULL, 0));
    inbox->committed = inbox->figures;
    return PH_OK;
}

/* All ops in one transaction. *ret_apart: one of them failed for its own reason after it had
 * written. */
static enum ph_status do_together(struct ph_inbox *inbox, struct ph_inbox_op *first, size_t count,
                                  bool *ret_apart)
{
    enum ph_status st = begin(inbox);
    *ret_apart = false;
    for (struct ph_inbox_op *op = first; st == PH_OK && op != NULL; op = op->next) {
        bool wrote;
        op->status = do_op(inbox, op, &wrote);
        if (op->status == PH_ERR_IO)
            st = PH_ERR_IO;
        *ret_apart = (op->status == PH_ERR_IO && is_the_ops(inbox->sql.rc)) ||
                     (op->status != PH_OK && op->status != PH_ERR_IO && wrote);
        if (*ret_apart)
            st = PH_ERR_INVALID;
    }
    if (st == PH_OK)
        st = finish(inbox, count);
    if (st != PH_OK)
        roll_back(inbox);
    return st;
}

static void fail_from(struct ph_inbox_op *first)
{
    for (struct ph_inbox_op *op = first; op != NULL; op = op->next)
        op->status = PH_ERR_IO;
}

/* A transaction of nothing but what is due anyway: first what a rollback made due (keys.c, K3),
 * which each op that fails would undo. */
static enum ph_status catch_up(struct ph_inbox *inbox)
{
    enum ph_status st = begin(inbox);
    if (st == PH_OK)
        st = finish(inbox, 1);
    if (st != PH_OK)
        roll_back(inbox);
    return st;
}

/* Each op in a transaction of its own. PH_ERR_IO: the disk's failure, from which on none was done.
 */
static enum ph_status do_apart(struct ph_inbox *inbox, struct ph_inbox_op *first)
{
    uint64_t woken = 0;
    if (catch_up(inbox) != PH_OK) {
        fail_from(first);
        return PH_ERR_IO;
    }
    for (struct ph_inbox_op *op = first; op != NULL; op = op->next) {
        bool wrote;
        enum ph_status st = begin(inbox);
        op->status = st == PH_OK ? do_op(inbox, op, &wrote) : st;
        if (op->status == PH_ERR_IO && is_the_ops(inbox->sql.rc))
            op->status = PH_ERR_INVALID;
        if (op->status == PH_OK)
            op->status = finish(inbox, 1);
        if (op->status == PH_OK) {
            woken |= inbox->woken;
            inbox->woken = 0;
            continue;
        }
        enum ph_status failed = op->status;
        roll_back(inbox);
        if (failed != PH_ERR_IO)
            continue;
        fail_from(op);
        inbox->woken = woken;
        return PH_ERR_IO;
    }
    inbox->woken = woken;
    return PH_OK;
}

static bool is_full(const struct ph_inbox *inbox)
{
    return (inbox->sql.rc & 0xff) == SQLITE_FULL;
}

/* A write had no room: on the volume, or in what we may use of it (EFBIG, EDQUOT). */
static bool is_refused(const struct ph_inbox *inbox)
{
    return is_full(inbox) || inbox->sql.rc == SQLITE_IOERR_WRITE;
}

/* With the mutex held: whether it is news. */
static bool set_health(struct ph_inbox *inbox, const struct ph_inbox_health *next)
{
    struct ph_inbox_health *now = &inbox->health;
    bool is_news = now->ailing != next->ailing || now->failed != next->failed ||
                   (next->failed && strcmp(now->why, next->why) != 0);
    *now = *next;
    inbox->stopped = inbox->stopped || next->failed;
    return is_news;
}

static void tell_health(struct ph_inbox *inbox, const struct ph_inbox_health *health, bool is_news)
{
    if (is_news && inbox->settings.options.health != NULL)
        inbox->settings.options.health(inbox->settings.options.wake_ctx, health);
}

static void take_health(struct ph_inbox *inbox, const struct ph_inbox_health *next)
{
    pthread_mutex_lock(&inbox->mutex);
    bool is_news = set_health(inbox, next);
    pthread_mutex_unlock(&inbox->mutex);
    tell_health(inbox, next, is_news);
}

static void note_failure(struct ph_inbox *inbox, const char *what)
{
    bool fatal = is_fatal(inbox->sql.rc) || inbox->health.failed;
    struct ph_inbox_health next = {
        .ailing = true, .failed = fatal, .missing = inbox->health.missing};
    (void)snprintf(next.why, sizeof next.why, "%s: %s: %s; %s", inbox->path, what, inbox->sql.why,
                   fatal ? "nothing more is written: check the disk, then start payhook again"
                   : is_full(inbox) ? "make room: it goes on by itself"
                   : (inbox->sql.rc & 0xff) == SQLITE_BUSY
                       ? "another program writes to the file: close it, and it goes on by itself"
                       : "check the disk: it goes on by itself");
    take_health(inbox, &next);
}

/* Its bytes are there as long as we have it open: what only the log holds is copied (W4). It is told
 * before that, and after. */
static void note_missing(struct ph_inbox *inbox, const char *suffix, int wait_ms)
{
    struct ph_inbox_health next = {.ailing = true, .failed = true, .missing = true};
    bool is_log = suffix[0] != '\0', saved = false;
    for (int i = 0; i < (is_log ? 2 : 1); i++) {
        saved = i > 0 && ph_copying_rescue(inbox, wait_ms);
        (void)snprintf(
            next.why, sizeof next.why,
            "%s%s was deleted or replaced under payhook; nothing more is written: %s", inbox->path,
            suffix,
            saved ? "what it held is in inbox.db: remove what stands in its place, then start "
                    "payhook again"
            : is_log
                ? "what it held is not all in inbox.db yet: close what reads the file, wait until "
                  "this says otherwise, and do not end payhook before"
                : "before payhook ends, put it back (its bytes are in /proc, see docs/inbox.md), "
                  "then start payhook again");
        take_health(inbox, &next);
    }
    inbox->missing = is_log && !saved ? suffix : NULL;
}

static void note_success(struct ph_inbox *inbox, int64_t took_us, size_t ops)
{
    /* Quarter powers of two without a logarithm: 2^(n/4) grows by 1189/1000. */
    int bucket = 0;
    int64_t bound_ns = 1000;
    while (bucket < 63 && took_us * 1000 > bound_ns) {
        bound_ns = bound_ns * 1189 / 1000 + 1;
        bucket++;
    }
    assert(!inbox->health.failed); /* nothing is committed from then on */
    struct ph_inbox_health well = {.ailing = inbox->copying.is_cramped};
    if (well.ailing)
        (void)snprintf(well.why, sizeof well.why,
                       "%s: the volume has less than %d MiB free beyond what the log takes; no "
                       "webhook is taken in: make room, it goes on by itself",
                       inbox->path, PH_INBOX_ROOM_BYTES >> 20);
    pthread_mutex_lock(&inbox->mutex);
    bool is_news = set_health(inbox, &well);
    if (ops > 0) {
        inbox->counts.batches++;
        inbox->counts.ops += (int64_t)ops;
        inbox->counts.commit_us[bucket]++;
        inbox->counts.commit_us_sum += took_us;
    }
    ph_figures_publish(inbox);
    pthread_mutex_unlock(&inbox->mutex);
    tell_health(inbox, &well, is_news);
}

/* Nobody has come for a tick. Else what is done for nobody (a step of forgetting, the checkpoint of
 * a short log) waits: with its syncs it would be in the way of whoever comes next. */
static bool is_quiet(const struct ph_inbox *inbox)
{
    return ph_os_steady_ms() >= inbox->quiet_ms;
}

static void tell_callers(struct ph_inbox *inbox, struct ph_inbox_op *first)
{
    uint64_t woken = inbox->woken;
    inbox->woken = 0;
    while (first != NULL) {
        struct ph_inbox_op *op = first;
        first = op->next;
        op->next = NULL;
        op->done(op); /* it is its caller's now */
    }
    if (woken != 0 && inbox->settings.options.wake != NULL)
        inbox->settings.options.wake(inbox->settings.options.wake_ctx, woken);
}

/* By writing: else nobody would know that it is well again, should no more come in. What is written
 * must differ, or SQLite writes nothing: a request's number is spent. */
static void ask_the_disk(struct ph_inbox *inbox)
{
    inbox->figures.next_request++;
    inbox->figures_touched = true;
}

/* Whether the batch stands, and may be told; else all of it has failed. */
static bool note_outcome(struct ph_inbox *inbox, struct ph_inbox_op *first, enum ph_status st,
                         size_t count, int64_t start_us)
{
    const char *missing = st == PH_OK ? ph_present_missing(inbox) : NULL;
    if (missing != NULL) {
        fail_from(first);
        note_missing(inbox, missing, PH_INBOX_RESCUE_MS);
        return false;
    }
    if (st == PH_OK) {
        note_success(inbox, ph_os_steady_us() - start_us, count);
        return true;
    }
    note_failure(inbox, "a commit failed");
    if (!inbox->health.failed && is_refused(inbox) && ph_copying_all(inbox) != PH_OK)
        note_failure(inbox, "a checkpoint failed");
    return false;
}

static void run_batch(struct ph_inbox *inbox, struct ph_inbox_op *first, size_t count)
{
    bool apart = false;
    int64_t start_us = ph_os_steady_us();
    inbox->now_ms = inbox->settings.options.now_ms();
    if (inbox->health.ailing) /* only this thread writes `health` */
        ask_the_disk(inbox);
    enum ph_status st = do_together(inbox, first, count, &apart);
    if (apart)
        st = do_apart(inbox, first);
    else if (st != PH_OK)
        fail_from(first);
    bool is_good = note_outcome(inbox, first, st, count, start_us);
    tell_callers(inbox, first);
    if (count > 0)
        inbox->quiet_ms = ph_os_steady_ms() + TICK_MS;
    if (is_good && ph_copying_step(inbox, is_quiet(inbox)) != PH_OK)
        note_failure(inbox, "a checkpoint failed");
}

/* The names of a new configuration, in a transaction of their own. */
static void take_settings(struct ph_inbox *inbox, struct ph_settings *next, bool stopped)
{
    struct ph_settings before = inbox->settings;
    inbox->settings = *next;
    free(next);
    inbox->now_ms = inbox->settings.options.now_ms();
    if (stopped) { /* nothing is written any more */
        ph_settings_free(&before);
        return;
    }
    enum ph_status st = begin(inbox);
    if (st == PH_OK)
        st = ph_names_apply(inbox);
    if (st == PH_OK)
        st = finish(inbox, 0);
    if (st == PH_OK) {
        pthread_mutex_lock(&inbox->mutex);
        ph_figures_publish(inbox);
        pthread_mutex_unlock(&inbox->mutex);
    } else {
        roll_back(inbox);
        note_failure(inbox, st == PH_ERR_IO ? "the new destinations could not be written"
                                            : "too many destinations");
        if (ph_names_load(inbox) != PH_OK)
            note_failure(inbox, "the destinations could not be read");
    }
    ph_settings_free(&before);
}

/* A batch off the queue; the mutex is held. */
static struct ph_inbox_op *take_batch(struct ph_inbox *inbox, size_t *ret_count)
{
    struct ph_inbox_op *first = inbox->first, **end = &first;
    size_t bytes = 0;
    *ret_count = 0;
    while (*end != NULL && *ret_count < PH_INBOX_BATCH_OPS_MAX &&
           (bytes == 0 || bytes < PH_INBOX_BATCH_BYTES_MAX)) {
        bytes += (*end)->bytes;
        ++*ret_count;
        end = &(*end)->next;
    }
    inbox->first = *end;
    *end = NULL;
    if (inbox->first == NULL)
        inbox->last = &inbox->first;
    inbox->waiting_ops -= *ret_count;
    inbox->waiting_bytes -= bytes;
    return first;
}

/* Waits for ops, settings, the end or a tick; the mutex is held. */
static void wait_for_work(struct ph_inbox *inbox)
{
    struct timespec until;
    if (inbox->first != NULL || inbox->closing || inbox->next_settings != NULL)
        return;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (inbox->tending.more && is_quiet(inbox) ? STEP_MS : TICK_MS) * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    (void)pthread_cond_timedwait(&inbox->work, &inbox->mutex, &until);
}

static void fail_all(struct ph_inbox *inbox, struct ph_inbox_op *first)
{
    fail_from(first);
    tell_callers(inbox, first);
}

void *ph_writer_run(void *ctx)
{
    struct ph_inbox *inbox = ctx;
    ph_os_thread_name("inbox-writer");
    pthread_mutex_lock(&inbox->mutex);
    for (;;) {
        size_t count;
        wait_for_work(inbox);
        struct ph_settings *settings = inbox->next_settings;
        inbox->next_settings = NULL;
        struct ph_inbox_op *first = take_batch(inbox, &count);
        bool stopped = inbox->stopped, end = inbox->closing && count == 0;
        pthread_mutex_unlock(&inbox->mutex);
        if (settings != NULL)
            take_settings(inbox, settings, stopped);
        stopped = stopped || inbox->health.failed; /* with these: only this thread writes it */
        if (stopped)
            fail_all(inbox, first);
        else if (count > 0 || ph_os_steady_ms() >= inbox->tending.again_ms || inbox->tending.more)
            run_batch(inbox, first, count);
        if (stopped && inbox->missing != NULL)
            note_missing(inbox, inbox->missing, end ? PH_INBOX_RESCUE_MS : 0);
        if (end)
            return NULL;
        pthread_mutex_lock(&inbox->mutex);
    }
}
