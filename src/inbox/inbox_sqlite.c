/* The embedded inbox: one SQLite file in the data folder, one writer. Opening, closing, and what
 * other threads ask. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "inbox/gather.h"
#include "inbox/inbox_private.h"
#include "os/clock.h"
#include "os/flush.h"
#include "os/folder.h"
#include "os/heap.h"
#include "os/socket.h"

enum { SCRATCH_BYTES_MAX = 8 * 1024 * 1024, SCRATCH_KEEP_BYTES = 64 * 1024 };

static const char *const writes[] = {
#define PH_WRITE_TEXT(name, text) text,
    PH_WRITES(PH_WRITE_TEXT)
#undef PH_WRITE_TEXT
};
_Static_assert((int)PH_W_COUNT <= (int)PH_SQL_STATEMENTS_MAX,
               "the table of statements is too small");

/* SQLite counts its memory under one lock for all threads unless it is told not to, once and before
 * its first use. */
static void set_up_sqlite(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int on_wal(void *ctx, sqlite3 *db, const char *schema, int pages)
{
    struct ph_inbox *inbox = ctx;
    (void)db;
    (void)schema;
    inbox->copying.wal_pages = pages;
    return SQLITE_OK;
}

static char *join_path(const char *folder, const char *name)
{
    size_t len = strlen(folder) + strlen(name) + 2;
    char *path = malloc(len);
    if (path != NULL)
        (void)snprintf(path, len, "%s/%s", folder, name);
    return path;
}

static enum ph_status hold_folder(struct ph_inbox *inbox, const char *folder, char *why)
{
    int holder = 0;
    if (ph_os_folder_make(folder) != PH_OK) {
        (void)snprintf(why, PH_INBOX_WHY_BYTES, "the data folder %s cannot be made: %s", folder,
                       strerror(errno));
        return PH_ERR_IO;
    }
    char *lock = join_path(folder, "lock");
    if (lock == NULL)
        return PH_ERR_NO_MEMORY;
    enum ph_status st = ph_os_lock(lock, &inbox->lock_fd, &holder);
    int error = errno;
    free(lock);
    if (st == PH_ERR_AGAIN)
        (void)snprintf(
            why, PH_INBOX_WHY_BYTES,
            "the data folder %s is in use by process %d: stop it, or choose another folder", folder,
            holder);
    else if (st != PH_OK)
        (void)snprintf(why, PH_INBOX_WHY_BYTES, "the data folder %s cannot be locked: %s", folder,
                       strerror(error));
    return st;
}

/* Figures and names, and the configured names' numbers, which may have to be written. */
static enum ph_status load(struct ph_inbox *inbox)
{
    PH_TRY(ph_figures_load(inbox));
    PH_TRY(ph_names_load(inbox));
    PH_TRY(ph_sql_run(&inbox->sql, PH_W_BEGIN, NULL, 0));
    inbox->now_ms = inbox->settings.options.now_ms();
    PH_TRY(ph_names_apply(inbox));
    PH_TRY(ph_oldest_find(inbox));
    PH_TRY(ph_figures_save(inbox));
    PH_TRY(ph_sql_run(&inbox->sql, PH_W_COMMIT, NULL, 0));
    inbox->committed = inbox->figures;
    ph_figures_publish(inbox);
    return PH_OK;
}

static enum ph_status load_or_say(struct ph_inbox *inbox, char *why)
{
    enum ph_status st = load(inbox);
    if (st == PH_ERR_IO)
        (void)snprintf(why, PH_INBOX_WHY_BYTES,
                       "%s cannot be read: %s; `payhook inbox check` says more", inbox->path,
                       inbox->sql.why);
    if (st == PH_ERR_MALFORMED)
        (void)snprintf(why, PH_INBOX_WHY_BYTES,
                       "%s is damaged: its figures make no sense; restore a backup", inbox->path);
    if (st == PH_ERR_TOO_LARGE)
        (void)snprintf(why, PH_INBOX_WHY_BYTES,
                       "%s has had %d destinations, and something of each is still kept: use a "
                       "name again, or shorten "
                       "retention",
                       inbox->path, PH_INBOX_NAMES_MAX);
    return st == PH_ERR_IO && (inbox->sql.rc & 0xff) == SQLITE_CORRUPT ? PH_ERR_MALFORMED : st;
}

static enum ph_status start(struct ph_inbox *inbox, char *why)
{
    sigset_t all, before;
    pthread_condattr_t steady;
    if (pthread_condattr_init(&steady) != 0)
        return PH_ERR_NO_MEMORY;
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&inbox->mutex, NULL);
    (void)pthread_cond_init(&inbox->work, &steady);
    (void)pthread_condattr_destroy(&steady);
    sigfillset(&all); /* signals are the main thread's, but for those of our own mistakes */
    const int ours[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < PH_COUNTOF(ours); i++)
        (void)sigdelset(&all, ours[i]);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&inbox->thread, NULL, ph_writer_run, inbox);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0)
        return PH_OK;
    (void)pthread_mutex_destroy(&inbox->mutex);
    (void)pthread_cond_destroy(&inbox->work);
    (void)snprintf(why, PH_INBOX_WHY_BYTES, "no thread for the inbox: %s", strerror(failed));
    return PH_ERR_SYSTEM;
}

static void dispose(struct ph_inbox *inbox)
{
    ph_copying_close(inbox);
    ph_keys_close(inbox);
    ph_sql_done(&inbox->sql);
    ph_os_flush_stop(inbox->copying.flush);
    ph_os_close(inbox->lock_fd);
    ph_settings_free(&inbox->settings);
    for (int i = 0; i < PH_INBOX_NAMES_MAX; i++)
        free(inbox->names[i].text);
    ph_arena_done(&inbox->scratch);
    free(inbox->path);
    free(inbox->vfs);
    free(inbox);
}

static enum ph_status set_cache(struct ph_sql *sql, int32_t kib)
{
    char text[48];
    (void)snprintf(text, sizeof text, "PRAGMA cache_size=-%d", (int)kib);
    return kib > 0 ? ph_sql_exec(sql, text) : PH_OK;
}

/* A log without its database: SQLite would drop it, and begin an empty inbox in its place. */
static enum ph_status refuse_orphan(const struct ph_inbox *inbox, const char *folder, char *why)
{
    struct ph_os_file_id id;
    char *log = join_path(folder, "inbox.db-wal");
    if (log == NULL)
        return PH_ERR_NO_MEMORY;
    bool orphan =
        ph_os_file_id(inbox->path, &id) == PH_ERR_NOT_FOUND && ph_os_file_id(log, &id) == PH_OK;
    if (orphan)
        (void)snprintf(why, PH_INBOX_WHY_BYTES,
                       "%s is missing, and its log %s is there: put inbox.db back, or a backup of "
                       "both, or move the log away to begin with nothing",
                       inbox->path, log);
    free(log);
    return orphan ? PH_ERR_MALFORMED : PH_OK;
}

static enum ph_status open_all(struct ph_inbox *inbox, const struct ph_inbox_options *options,
                               char *why)
{
    const char *writers_vfs;
    PH_TRY(ph_settings_copy(options, &inbox->settings));
    if (inbox->settings.options.now_ms == NULL)
        inbox->settings.options.now_ms = ph_os_unix_ms;
    inbox->path = join_path(options->folder, "inbox.db");
    inbox->vfs = options->vfs != NULL ? strdup(options->vfs) : NULL;
    if (inbox->path == NULL || (options->vfs != NULL && inbox->vfs == NULL))
        return PH_ERR_NO_MEMORY;
    PH_TRY(hold_folder(inbox, options->folder, why));
    if (inbox->vfs == NULL)
        PH_TRY(refuse_orphan(inbox, options->folder, why));
    inbox->sql.texts = writes;
    PH_TRY(ph_gather_vfs(inbox->vfs, &writers_vfs));
    PH_TRY(ph_schema_open(&inbox->sql, inbox->path, writers_vfs, why));
    PH_TRY(set_cache(&inbox->sql, options->cache_kib));
    PH_TRY(ph_schema_migrate(&inbox->sql, inbox->path, why));
    if (ph_os_folder_sync(options->folder) != PH_OK) {
        (void)snprintf(why, PH_INBOX_WHY_BYTES, "the data folder %s cannot be synced: %s",
                       options->folder, strerror(errno));
        return PH_ERR_IO;
    }
    (void)sqlite3_wal_hook(inbox->sql.db, on_wal, inbox);
    PH_TRY(load_or_say(inbox, why));
    PH_TRY(ph_keys_open(inbox));
    ph_copying_open(inbox);
    ph_present_note(inbox);
    return start(inbox, why);
}

enum ph_status ph_inbox_open(const struct ph_inbox_options *options, struct ph_inbox **ret,
                             char ret_why[PH_INBOX_WHY_BYTES])
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, set_up_sqlite);
    struct ph_inbox *inbox = calloc(1, sizeof *inbox);
    (void)snprintf(ret_why, PH_INBOX_WHY_BYTES, "out of memory");
    if (inbox == NULL)
        return PH_ERR_NO_MEMORY;
    inbox->lock_fd = -1;
    inbox->last = &inbox->first;
    ph_arena_init(&inbox->scratch, &ph_os_heap, SCRATCH_BYTES_MAX, SCRATCH_KEEP_BYTES);
    enum ph_status st = open_all(inbox, options, ret_why);
    if (st != PH_OK) {
        dispose(inbox);
        return st;
    }
    ret_why[0] = '\0';
    *ret = inbox;
    return PH_OK;
}

void ph_inbox_close(struct ph_inbox *inbox)
{
    if (inbox == NULL)
        return;
    pthread_mutex_lock(&inbox->mutex);
    inbox->closing = true;
    (void)pthread_cond_signal(&inbox->work);
    pthread_mutex_unlock(&inbox->mutex);
    (void)pthread_join(inbox->thread, NULL);
    (void)pthread_mutex_destroy(&inbox->mutex);
    (void)pthread_cond_destroy(&inbox->work);
    if (inbox->next_settings != NULL)
        ph_settings_free(inbox->next_settings);
    free(inbox->next_settings);
    dispose(inbox);
}

enum ph_status ph_inbox_submit(struct ph_inbox *inbox, struct ph_inbox_op *op)
{
    enum ph_status st = PH_OK;
    pthread_mutex_lock(&inbox->mutex);
    if (inbox->stopped || inbox->closing)
        st = PH_ERR_IO;
    else if (inbox->waiting_ops >= PH_INBOX_OPS_MAX ||
             inbox->waiting_bytes + op->bytes > PH_INBOX_OPS_BYTES_MAX)
        st = PH_ERR_AGAIN;
    if (st == PH_OK) {
        op->next = NULL;
        if (inbox->first == NULL)
            (void)pthread_cond_signal(&inbox->work);
        *inbox->last = op;
        inbox->last = &op->next;
        inbox->waiting_ops++;
        inbox->waiting_bytes += op->bytes;
    }
    pthread_mutex_unlock(&inbox->mutex);
    return st;
}

enum ph_status ph_inbox_reconfigure(struct ph_inbox *inbox, const struct ph_inbox_options *options)
{
    struct ph_settings *next = malloc(sizeof *next), *before;
    if (next == NULL)
        return PH_ERR_NO_MEMORY;
    enum ph_status st = ph_settings_copy(options, next);
    if (st != PH_OK) {
        free(next);
        return st;
    }
    if (next->options.now_ms == NULL)
        next->options.now_ms = ph_os_unix_ms;
    pthread_mutex_lock(&inbox->mutex);
    before = inbox->next_settings;
    inbox->next_settings = next;
    (void)pthread_cond_signal(&inbox->work);
    pthread_mutex_unlock(&inbox->mutex);
    if (before != NULL)
        ph_settings_free(before);
    free(before);
    return PH_OK;
}

void ph_inbox_health(struct ph_inbox *inbox, struct ph_inbox_health *ret)
{
    pthread_mutex_lock(&inbox->mutex);
    *ret = inbox->health;
    pthread_mutex_unlock(&inbox->mutex);
}

struct ph_slice ph_inbox_op_why(struct ph_inbox *inbox, const struct ph_inbox_op *op,
                                char room[PH_INBOX_WHY_BYTES])
{
    pthread_mutex_lock(&inbox->mutex);
    memcpy(room, inbox->health.why, PH_INBOX_WHY_BYTES);
    pthread_mutex_unlock(&inbox->mutex);
    bool is_the_disks = op->status == PH_ERR_IO || op->status == PH_ERR_AGAIN;
    return ph_slice_str(is_the_disks && room[0] != '\0' ? room : ph_status_text(op->status));
}

void ph_inbox_counts(struct ph_inbox *inbox, struct ph_inbox_counts *ret)
{
    pthread_mutex_lock(&inbox->mutex);
    *ret = inbox->counts;
    ret->waiting_ops = (int64_t)inbox->waiting_ops;
    ret->waiting_bytes = (int64_t)inbox->waiting_bytes;
    pthread_mutex_unlock(&inbox->mutex);
}
