/* The log's way into the database, in steps that hold nobody up for long.
 *
 * SQLite syncs the database when a checkpoint has copied the whole log, and not when it ends at the
 * snapshot of a reader: what is behind that keeps the log from beginning anew, so that nothing is
 * lost that is only in the log. So the writer takes a snapshot behind one batch, and copies up to
 * it behind the next, without a sync. A thread asks the disk meanwhile to write what was copied
 * (os/flush.h); what is left for the checkpoint that ends the log, and syncs, is little. Nothing
 * here is a promise: that a page is on disk before the log it came from is written over is SQLite's
 * own care. */
#include "inbox/inbox_private.h"
#include "os/flush.h"

enum { COPIES_PER_LOG = 4 }; /* at least, in a log that is shorter than usual */

void ph_copying_open(struct ph_inbox *inbox)
{
    struct ph_copying *c = &inbox->copying;
    int rc = sqlite3_open_v2(inbox->path, &c->reader, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                             inbox->vfs);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v3(c->reader, "SELECT id FROM figures", -1, SQLITE_PREPARE_PERSISTENT,
                                &c->snapshot, NULL);
    if (rc != SQLITE_OK)
        ph_copying_close(inbox); /* then the log is copied as a whole */
    if (inbox->vfs == NULL)
        c->flush = ph_os_flush_start(inbox->path);
}

void ph_copying_close(struct ph_inbox *inbox)
{
    struct ph_copying *c = &inbox->copying;
    (void)sqlite3_finalize(c->snapshot);
    (void)sqlite3_close(c->reader);
    c->snapshot = NULL;
    c->reader = NULL;
    c->is_held = false;
}

static void hold_snapshot(struct ph_copying *c)
{
    if (c->reader == NULL)
        return;
    c->is_held = sqlite3_step(c->snapshot) == SQLITE_ROW;
    c->held_pages = c->wal_pages;
    if (!c->is_held)
        (void)sqlite3_reset(c->snapshot);
}

static void release_snapshot(struct ph_copying *c)
{
    if (c->is_held)
        (void)sqlite3_reset(c->snapshot);
    c->is_held = false;
}

static enum ph_status copy(struct ph_inbox *inbox, int mode)
{
    int rc = sqlite3_wal_checkpoint_v2(inbox->sql.db, NULL, mode, NULL, NULL);
    return rc == SQLITE_OK || rc == SQLITE_BUSY ? PH_OK : ph_sql_failed(&inbox->sql, rc);
}

static enum ph_status copy_to_snapshot(struct ph_inbox *inbox)
{
    struct ph_copying *c = &inbox->copying;
    enum ph_status st = copy(inbox, SQLITE_CHECKPOINT_PASSIVE);
    c->copied_pages = c->held_pages;
    release_snapshot(c);
    ph_os_flush_ask(c->flush);
    return st;
}

/* All of it, so that the log begins anew with the next batch, unless somebody reads it; one that is
 * far too long waits a little for who does. */
enum ph_status ph_copying_all(struct ph_inbox *inbox)
{
    struct ph_copying *c = &inbox->copying;
    bool waits = c->wal_pages >= PH_INBOX_WAL_PAGES_HIGH;
    release_snapshot(c);
    if (waits)
        (void)sqlite3_busy_timeout(inbox->sql.db, PH_INBOX_WAIT_MS);
    enum ph_status st = copy(inbox, waits ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE);
    if (waits)
        (void)sqlite3_busy_timeout(inbox->sql.db, PH_INBOX_BUSY_MS);
    c->copied_pages = c->ended_pages = c->wal_pages;
    return st;
}

/* A PASSIVE copy ends where a reader stands, and leaves a database that is nothing without its log:
 * this one waits for readers, and says whether it is whole. */
bool ph_copying_rescue(struct ph_inbox *inbox, int wait_ms)
{
    int pages = -1, copied = -1;
    release_snapshot(&inbox->copying);
    (void)sqlite3_busy_timeout(inbox->sql.db, wait_ms);
    int rc =
        sqlite3_wal_checkpoint_v2(inbox->sql.db, NULL, SQLITE_CHECKPOINT_FULL, &pages, &copied);
    (void)sqlite3_busy_timeout(inbox->sql.db, PH_INBOX_BUSY_MS);
    return rc == SQLITE_OK && pages == copied;
}

/* ---- room on the volume ---------------------------------------------------------------------- */

/* What is left to copy may all be new to the database. */
static int64_t left_bytes(const struct ph_copying *c)
{
    return (int64_t)(c->kept_pages + c->wal_pages - c->ended_pages) * PH_INBOX_PAGE_BYTES;
}

static int64_t room_bytes(const struct ph_inbox *inbox)
{
    int64_t (*free_bytes)(const char *path) = inbox->settings.options.free_bytes;
    if (free_bytes != NULL)
        return free_bytes(inbox->path);
    return inbox->vfs == NULL ? ph_os_free_bytes(inbox->path) : INT64_MAX;
}

/* Copies all of it, and gives its place on the volume back, unless a reader stands in the way. */
static enum ph_status make_room(struct ph_inbox *inbox)
{
    struct ph_copying *c = &inbox->copying;
    int pages = 0, copied = 0;
    release_snapshot(c);
    (void)sqlite3_busy_timeout(inbox->sql.db, PH_INBOX_WAIT_MS);
    int rc =
        sqlite3_wal_checkpoint_v2(inbox->sql.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &pages, &copied);
    (void)sqlite3_busy_timeout(inbox->sql.db, PH_INBOX_BUSY_MS);
    if (rc == SQLITE_OK)
        c->wal_pages = 0;
    c->copied_pages = c->ended_pages = c->wal_pages;
    c->kept_pages = rc != SQLITE_OK && pages > copied ? pages - copied : 0;
    c->is_cramped = room_bytes(inbox) < left_bytes(c) + PH_INBOX_ROOM_BYTES;
    return rc == SQLITE_OK || rc == SQLITE_BUSY ? PH_OK : ph_sql_failed(&inbox->sql, rc);
}

/* The log never takes what the database needs to take it in. True: it was seen to. */
static bool see_to_room(struct ph_inbox *inbox, enum ph_status *ret)
{
    struct ph_copying *c = &inbox->copying;
    int64_t room = room_bytes(inbox), left = left_bytes(c);
    c->is_cramped = room < left + PH_INBOX_ROOM_BYTES;
    if (left == 0 || room >= left + 2 * PH_INBOX_ROOM_BYTES)
        return false;
    *ret = make_room(inbox);
    return true;
}

/* ---- after each batch ------------------------------------------------------------------------ */

enum ph_status ph_copying_step(struct ph_inbox *inbox, bool idle)
{
    struct ph_copying *c = &inbox->copying;
    int log_pages = inbox->settings.options.log_pages > 0 ? inbox->settings.options.log_pages
                                                          : PH_INBOX_LOG_PAGES;
    int copy_pages = log_pages / COPIES_PER_LOG < PH_INBOX_COPY_PAGES ? log_pages / COPIES_PER_LOG
                                                                      : PH_INBOX_COPY_PAGES;
    if (ph_os_flush_failed(c->flush) != 0)
        return ph_sql_failed(&inbox->sql, SQLITE_IOERR_FSYNC);
    if (c->wal_pages < c->copied_pages) /* the log has begun anew */
        c->copied_pages = c->ended_pages = c->kept_pages = 0;
    enum ph_status st;
    if (see_to_room(inbox, &st))
        return st;
    if (idle)
        return c->wal_pages > c->ended_pages ? ph_copying_all(inbox) : PH_OK;
    if (c->is_held)
        return copy_to_snapshot(inbox);
    if (c->wal_pages - c->ended_pages >= (c->ended_pages == 0 ? log_pages : copy_pages)) {
        bool is_ready = ph_os_flush_is_done(c->flush) || c->wal_pages >= 2 * log_pages;
        return is_ready ? ph_copying_all(inbox) : PH_OK;
    }
    if (c->ended_pages == 0 && c->wal_pages - c->copied_pages >= copy_pages)
        hold_snapshot(c);
    return PH_OK;
}
