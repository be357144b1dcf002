#include "inbox/gather.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum { NAME_BYTES_MAX = 64 };

struct gather {
    sqlite3_vfs vfs; /* first */
    sqlite3_vfs *base;
    char name[NAME_BYTES_MAX];
};

/* An open log; the base's file stands behind it. */
struct log {
    sqlite3_file file;    /* first */
    unsigned char *bytes; /* NULL: nothing is gathered here */
    size_t count;
    sqlite3_int64 at; /* where they belong */
};

static sqlite3_file *base_of(sqlite3_file *file)
{
    return (sqlite3_file *)(void *)((struct log *)(void *)file + 1);
}

/* ---- the log --------------------------------------------------------------------------------- */

static int let_go(sqlite3_file *file)
{
    struct log *log = (struct log *)(void *)file;
    if (log->count == 0)
        return SQLITE_OK;
    int rc = base_of(file)->pMethods->xWrite(base_of(file), log->bytes, (int)log->count, log->at);
    if (rc == SQLITE_OK)
        log->count = 0;
    return rc;
}

static bool has_room_for(const struct log *log, size_t bytes, sqlite3_int64 at)
{
    return log->count == 0 || (at == log->at + (sqlite3_int64)log->count &&
                               log->count + bytes <= PH_INBOX_GATHER_BYTES);
}

static int log_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    struct log *log = (struct log *)(void *)file;
    size_t bytes = (size_t)len;
    bool plain = log->bytes == NULL || bytes > PH_INBOX_GATHER_BYTES;
    int rc = SQLITE_OK;
    if (plain || !has_room_for(log, bytes, at))
        rc = let_go(file);
    if (rc == SQLITE_OK && plain)
        rc = base_of(file)->pMethods->xWrite(base_of(file), data, len, at);
    if (rc != SQLITE_OK || plain)
        return rc;
    if (log->count == 0)
        log->at = at;
    memcpy(log->bytes + log->count, data, bytes);
    log->count += bytes;
    return SQLITE_OK;
}

static int log_sync(sqlite3_file *file, int flags)
{
    int rc = let_go(file);
    return rc != SQLITE_OK ? rc : base_of(file)->pMethods->xSync(base_of(file), flags);
}

static int log_read(sqlite3_file *file, void *out, int len, sqlite3_int64 at)
{
    int rc = let_go(file);
    return rc != SQLITE_OK ? rc : base_of(file)->pMethods->xRead(base_of(file), out, len, at);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int rc = let_go(file);
    return rc != SQLITE_OK ? rc : base_of(file)->pMethods->xTruncate(base_of(file), size);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    int rc = let_go(file);
    return rc != SQLITE_OK ? rc : base_of(file)->pMethods->xFileSize(base_of(file), ret);
}

static int log_control(sqlite3_file *file, int op, void *arg)
{
    int rc = let_go(file);
    return rc != SQLITE_OK ? rc : base_of(file)->pMethods->xFileControl(base_of(file), op, arg);
}

/* What is gathered now was not committed. */
static int log_close(sqlite3_file *file)
{
    sqlite3_free(((struct log *)(void *)file)->bytes);
    return base_of(file)->pMethods->xClose(base_of(file));
}

static int log_lock(sqlite3_file *file, int level)
{
    return base_of(file)->pMethods->xLock(base_of(file), level);
}

static int log_unlock(sqlite3_file *file, int level)
{
    return base_of(file)->pMethods->xUnlock(base_of(file), level);
}

static int log_check_reserved(sqlite3_file *file, int *ret)
{
    return base_of(file)->pMethods->xCheckReservedLock(base_of(file), ret);
}

static int log_sector(sqlite3_file *file)
{
    return base_of(file)->pMethods->xSectorSize(base_of(file));
}

static int log_device(sqlite3_file *file)
{
    return base_of(file)->pMethods->xDeviceCharacteristics(base_of(file));
}

/* Memory is shared and mapped through the database's file, not the log's: version 1 is enough. */
static const sqlite3_io_methods log_methods = {.iVersion = 1,
                                               .xClose = log_close,
                                               .xRead = log_read,
                                               .xWrite = log_write,
                                               .xTruncate = log_truncate,
                                               .xSync = log_sync,
                                               .xFileSize = log_size,
                                               .xLock = log_lock,
                                               .xUnlock = log_unlock,
                                               .xCheckReservedLock = log_check_reserved,
                                               .xFileControl = log_control,
                                               .xSectorSize = log_sector,
                                               .xDeviceCharacteristics = log_device};

void ph_gather_forget(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    if (rc == SQLITE_OK && file != NULL && file->pMethods == &log_methods)
        ((struct log *)(void *)file)->count = 0;
}

/* ---- the VFS --------------------------------------------------------------------------------- */

/* Where a write may damage what stands beside it, SQLite writes once more after a commit's sync. */
static bool may_gather(sqlite3_file *base)
{
    return (base->pMethods->xDeviceCharacteristics(base) & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0;
}

static int open_log(sqlite3_vfs *base, const char *name, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    struct log *log = (struct log *)(void *)file;
    *log = (struct log){0};
    int rc = base->xOpen(base, name, base_of(file), flags, ret_flags);
    if (rc != SQLITE_OK)
        return rc;
    file->pMethods = &log_methods;
    if (may_gather(base_of(file)))
        log->bytes = sqlite3_malloc(PH_INBOX_GATHER_BYTES); /* without it, nothing is gathered */
    return SQLITE_OK;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    sqlite3_vfs *base = ((struct gather *)(void *)vfs)->base;
    return (flags & SQLITE_OPEN_WAL) != 0 ? open_log(base, name, file, flags, ret_flags)
                                          : base->xOpen(base, name, file, flags, ret_flags);
}

static enum ph_status make_known(const char *name, sqlite3_vfs *base, const char **ret_name)
{
    struct gather *made = calloc(1, sizeof *made); /* SQLite's, until the process ends */
    if (made == NULL)
        return PH_ERR_NO_MEMORY;
    (void)snprintf(made->name, sizeof made->name, "%s", name);
    made->vfs = *base; /* what it does for a path, a time, random bytes, it does for us */
    made->base = base;
    made->vfs.pNext = NULL;
    made->vfs.zName = made->name;
    made->vfs.szOsFile = (int)sizeof(struct log) + base->szOsFile;
    made->vfs.xOpen = vfs_open;
    if (sqlite3_vfs_register(&made->vfs, 0) != SQLITE_OK) {
        free(made);
        return PH_ERR_NO_MEMORY;
    }
    *ret_name = made->name;
    return PH_OK;
}

enum ph_status ph_gather_vfs(const char *base_name, const char **ret_name)
{
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    char name[NAME_BYTES_MAX];
    sqlite3_vfs *base = sqlite3_vfs_find(base_name);
    if (base == NULL)
        return PH_ERR_NOT_FOUND;
    (void)snprintf(name, sizeof name, "gather-%s", base->zName);
    pthread_mutex_lock(&once);
    const sqlite3_vfs *known = sqlite3_vfs_find(name);
    enum ph_status st = PH_OK;
    if (known != NULL)
        *ret_name = known->zName;
    else
        st = make_known(name, base, ret_name);
    pthread_mutex_unlock(&once);
    return st;
}
