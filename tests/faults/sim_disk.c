#include "sim_disk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 16, SECTOR = 512, REGIONS_MAX = 64, SHM_LOCKS = 8 };

struct bytes {
    unsigned char *ptr;
    size_t len, room;
};

/* A write, or with `data` NULL a truncation to `at`. */
struct pending {
    struct pending *next;
    size_t at, len;
    unsigned char *data;
};

struct file {
    char *name;
    struct bytes now, safe;
    struct pending *first, **last;
    bool there, safely_there; /* its name */
    bool sync_names;          /* with its next sync */
    enum sim_sync kind;
    int handles, shared;
    void *reserved, *waiting, *exclusive; /* who holds it */
    void *regions[REGIONS_MAX];
    int shm_shared[SHM_LOCKS];
    bool shm_exclusive[SHM_LOCKS];
};

struct handle {
    sqlite3_file base; /* first */
    struct file *file;
    int lock;
    unsigned shm_mask, shm_exclusive_mask;
};

static struct {
    pthread_mutex_t mutex;
    struct file files[FILES_MAX];
    uint64_t random;
    _Atomic int64_t until_cut;
    bool cut;
    _Atomic bool full, fail_writes;
    _Atomic int dropped, failing, slow_ms;
    int64_t syncs[8], writes[8];
} disk = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static uint64_t toss(void)
{
    disk.random ^= disk.random << 13;
    disk.random ^= disk.random >> 7;
    disk.random ^= disk.random << 17;
    return disk.random * 0x2545f4914f6cdd1du >> 20;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static void grow(struct bytes *b, size_t len)
{
    if (len > b->room) {
        b->room = len * 2 + 4096;
        b->ptr = realloc(b->ptr, b->room);
    }
    if (len > b->len) {
        memset(b->ptr + b->len, 0, len - b->len);
        b->len = len;
    }
}

static void put(struct bytes *b, size_t at, const unsigned char *data, size_t len)
{
    grow(b, at + len);
    memcpy(b->ptr + at, data, len);
}

static void empty(struct file *f)
{
    while (f->first != NULL) {
        struct pending *p = f->first;
        f->first = p->next;
        free(p->data);
        free(p);
    }
    f->last = &f->first;
}

static void copy(struct bytes *to, const struct bytes *from)
{
    to->len = 0;
    grow(to, from->len);
    if (from->len > 0)
        memcpy(to->ptr, from->ptr, from->len);
}

static void apply(struct bytes *b, const struct pending *p)
{
    if (p->data != NULL)
        put(b, p->at, p->data, p->len);
    else if (p->at < b->len)
        b->len = p->at;
}

static void tear(struct bytes *b, const struct pending *p)
{
    for (size_t i = 0; i < p->len; i += SECTOR)
        if (toss() & 1)
            put(b, p->at + i, p->data + i, p->len - i < SECTOR ? p->len - i : SECTOR);
}

/* ---- calls ----------------------------------------------------------------------------------- */

/* A call that changes the disk; false: the power is gone. The mutex is held. */
static bool may_change(void)
{
    if (!disk.cut && disk.until_cut > 0 && --disk.until_cut == 0)
        disk.cut = true;
    return !disk.cut;
}

static void add_pending(struct file *f, size_t at, const void *data, size_t len)
{
    struct pending *p = calloc(1, sizeof *p);
    p->at = at;
    p->len = len;
    if (data != NULL) {
        p->data = malloc(len);
        memcpy(p->data, data, len);
    }
    *f->last = p;
    f->last = &p->next;
}

static void sync_names(void)
{
    disk.syncs[SIM_SYNC_NAMES]++;
    for (int i = 0; i < FILES_MAX && !(disk.dropped & SIM_SYNC_NAMES); i++)
        disk.files[i].safely_there = disk.files[i].there;
}

static struct file *find(const char *name, bool make)
{
    struct file *room = NULL;
    for (int i = 0; i < FILES_MAX; i++) {
        if (disk.files[i].name != NULL && strcmp(disk.files[i].name, name) == 0)
            return &disk.files[i];
        if (disk.files[i].name == NULL && room == NULL)
            room = &disk.files[i];
    }
    if (!make || room == NULL)
        return NULL;
    room->name = strdup(name);
    room->last = &room->first;
    return room;
}

static int do_read(sqlite3_file *handle, void *out, int len, sqlite3_int64 at)
{
    struct file *f = ((struct handle *)handle)->file;
    int rc = SQLITE_OK;
    pthread_mutex_lock(&disk.mutex);
    size_t have = (size_t)at < f->now.len ? f->now.len - (size_t)at : 0;
    if (have > (size_t)len)
        have = (size_t)len;
    if (have > 0)
        memcpy(out, f->now.ptr + at, have);
    memset((char *)out + have, 0, (size_t)len - have);
    if (disk.cut)
        rc = SQLITE_IOERR_READ;
    else if (have < (size_t)len)
        rc = SQLITE_IOERR_SHORT_READ;
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static int do_write(sqlite3_file *handle, const void *data, int len, sqlite3_int64 at)
{
    struct file *f = ((struct handle *)handle)->file;
    int rc = SQLITE_OK;
    pthread_mutex_lock(&disk.mutex);
    bool gone = disk.cut, alive = may_change();
    disk.writes[f->kind]++;
    if (gone)
        rc = SQLITE_IOERR_WRITE;
    else if (disk.full && (size_t)at + (size_t)len > f->now.len)
        rc = SQLITE_FULL;
    else if (disk.fail_writes)
        rc = SQLITE_IOERR_WRITE;
    else
        add_pending(f, (size_t)at, data,
                    (size_t)len); /* of the write that the cut struck some may arrive */
    if (rc == SQLITE_OK && alive)
        put(&f->now, (size_t)at, data, (size_t)len);
    if (rc == SQLITE_OK && !alive)
        rc = SQLITE_IOERR_WRITE;
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static int do_truncate(sqlite3_file *handle, sqlite3_int64 size)
{
    struct file *f = ((struct handle *)handle)->file;
    pthread_mutex_lock(&disk.mutex);
    bool alive = may_change();
    if (alive) {
        add_pending(f, (size_t)size, NULL, 0);
        if ((size_t)size < f->now.len)
            f->now.len = (size_t)size;
    }
    pthread_mutex_unlock(&disk.mutex);
    return alive ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

static int do_sync(sqlite3_file *handle, int flags)
{
    struct file *f = ((struct handle *)handle)->file;
    int rc = SQLITE_OK;
    (void)flags;
    if (disk.slow_ms > 0)
        usleep((unsigned)disk.slow_ms * 1000);
    pthread_mutex_lock(&disk.mutex);
    disk.syncs[f->kind]++;
    if (!may_change() || (disk.failing & f->kind)) {
        rc = SQLITE_IOERR_FSYNC;
    } else {
        if (!(disk.dropped & f->kind)) {
            for (struct pending *p = f->first; p != NULL; p = p->next)
                apply(&f->safe, p);
            empty(f);
        }
        if (f->sync_names)
            sync_names();
        f->sync_names = false;
    }
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static int do_size(sqlite3_file *handle, sqlite3_int64 *size)
{
    pthread_mutex_lock(&disk.mutex);
    *size = (sqlite3_int64)((struct handle *)handle)->file->now.len;
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

/* ---- locks: as POSIX would, within one process ----------------------------------------------- */

static int do_lock(sqlite3_file *handle, int level)
{
    struct handle *h = (struct handle *)handle;
    struct file *f = h->file;
    int rc = SQLITE_OK;
    pthread_mutex_lock(&disk.mutex);
    if (h->lock < SQLITE_LOCK_SHARED && level >= SQLITE_LOCK_SHARED) {
        if (f->waiting != NULL || f->exclusive != NULL) {
            rc = SQLITE_BUSY;
        } else {
            f->shared++;
            h->lock = SQLITE_LOCK_SHARED;
        }
    }
    if (rc == SQLITE_OK && level >= SQLITE_LOCK_RESERVED && h->lock < SQLITE_LOCK_RESERVED) {
        if (f->reserved != NULL && f->reserved != h) {
            rc = SQLITE_BUSY;
        } else {
            f->reserved = h;
            h->lock = SQLITE_LOCK_RESERVED;
        }
    }
    if (rc == SQLITE_OK && level == SQLITE_LOCK_EXCLUSIVE && h->lock < SQLITE_LOCK_EXCLUSIVE) {
        f->waiting = h;
        h->lock = SQLITE_LOCK_PENDING;
        if (f->shared > 1) {
            rc = SQLITE_BUSY;
        } else {
            f->exclusive = h;
            h->lock = SQLITE_LOCK_EXCLUSIVE;
        }
    }
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static int do_unlock(sqlite3_file *handle, int level)
{
    struct handle *h = (struct handle *)handle;
    struct file *f = h->file;
    pthread_mutex_lock(&disk.mutex);
    if (h->lock > SQLITE_LOCK_SHARED) {
        f->reserved = f->reserved == h ? NULL : f->reserved;
        f->waiting = f->waiting == h ? NULL : f->waiting;
        f->exclusive = f->exclusive == h ? NULL : f->exclusive;
    }
    if (level == SQLITE_LOCK_NONE && h->lock >= SQLITE_LOCK_SHARED)
        f->shared--;
    if (h->lock > level)
        h->lock = level;
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

static int do_check_reserved(sqlite3_file *handle, int *out)
{
    *out = ((struct handle *)handle)->file->reserved != NULL;
    return SQLITE_OK;
}

static int do_control(sqlite3_file *handle, int op, void *arg)
{
    (void)handle, (void)op, (void)arg;
    return SQLITE_NOTFOUND;
}

static int do_sector(sqlite3_file *handle)
{
    (void)handle;
    return 4096;
}

static int do_device(sqlite3_file *handle)
{
    (void)handle;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int do_shm_map(sqlite3_file *handle, int region, int bytes, int make, void volatile **out)
{
    struct file *f = ((struct handle *)handle)->file;
    pthread_mutex_lock(&disk.mutex);
    if (f->regions[region] == NULL && make)
        f->regions[region] = calloc(1, (size_t)bytes);
    *out = f->regions[region];
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

static int do_shm_lock(sqlite3_file *handle, int first, int count, int flags)
{
    struct handle *h = (struct handle *)handle;
    struct file *f = h->file;
    unsigned mask = (1u << (first + count)) - (1u << first);
    int rc = SQLITE_OK;
    pthread_mutex_lock(&disk.mutex);
    for (int i = first; i < first + count && (flags & SQLITE_SHM_LOCK); i++) {
        int others = f->shm_shared[i] - ((h->shm_mask >> i & 1) != 0);
        bool theirs = f->shm_exclusive[i] && !(h->shm_exclusive_mask >> i & 1);
        if (theirs || ((flags & SQLITE_SHM_EXCLUSIVE) && others > 0))
            rc = SQLITE_BUSY;
    }
    for (int i = first; i < first + count && rc == SQLITE_OK; i++) {
        unsigned bit = 1u << i;
        if (flags & SQLITE_SHM_UNLOCK) {
            f->shm_shared[i] -= (h->shm_mask & bit) != 0;
            f->shm_exclusive[i] = f->shm_exclusive[i] && !(h->shm_exclusive_mask & bit);
        } else if (flags & SQLITE_SHM_SHARED) {
            f->shm_shared[i] += (h->shm_mask & bit) == 0;
        } else {
            f->shm_exclusive[i] = true;
        }
    }
    if (rc == SQLITE_OK && (flags & SQLITE_SHM_UNLOCK))
        h->shm_mask &= ~mask, h->shm_exclusive_mask &= ~mask;
    else if (rc == SQLITE_OK && (flags & SQLITE_SHM_SHARED))
        h->shm_mask |= mask;
    else if (rc == SQLITE_OK)
        h->shm_exclusive_mask |= mask;
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static void do_shm_barrier(sqlite3_file *handle)
{
    (void)handle;
    pthread_mutex_lock(&disk.mutex);
    pthread_mutex_unlock(&disk.mutex);
}

static void drop_regions(struct file *f)
{
    for (int i = 0; i < REGIONS_MAX; i++) {
        free(f->regions[i]);
        f->regions[i] = NULL;
    }
}

static int do_shm_unmap(sqlite3_file *handle, int erase)
{
    struct handle *h = (struct handle *)handle;
    (void)do_shm_lock(handle, 0, SHM_LOCKS, SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED);
    pthread_mutex_lock(&disk.mutex);
    if (erase)
        drop_regions(h->file);
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

static int do_close(sqlite3_file *handle)
{
    struct handle *h = (struct handle *)handle;
    (void)do_unlock(handle, SQLITE_LOCK_NONE);
    pthread_mutex_lock(&disk.mutex);
    h->file->handles--;
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = do_close,
                                           .xRead = do_read,
                                           .xWrite = do_write,
                                           .xTruncate = do_truncate,
                                           .xSync = do_sync,
                                           .xFileSize = do_size,
                                           .xLock = do_lock,
                                           .xUnlock = do_unlock,
                                           .xCheckReservedLock = do_check_reserved,
                                           .xFileControl = do_control,
                                           .xSectorSize = do_sector,
                                           .xDeviceCharacteristics = do_device,
                                           .xShmMap = do_shm_map,
                                           .xShmLock = do_shm_lock,
                                           .xShmBarrier = do_shm_barrier,
                                           .xShmUnmap = do_shm_unmap};

static int do_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *handle, int flags,
                   int *out_flags)
{
    struct handle *h = (struct handle *)handle;
    (void)vfs;
    memset(h, 0, sizeof *h);
    pthread_mutex_lock(&disk.mutex);
    struct file *f = name != NULL ? find(name, (flags & SQLITE_OPEN_CREATE) != 0) : NULL;
    bool good = f != NULL && (f->there || ((flags & SQLITE_OPEN_CREATE) != 0 && may_change()));
    if (good && !f->there) {
        f->there = true;
        f->now.len = 0;
        add_pending(f, 0, NULL, 0);
        f->sync_names = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
        f->kind = (flags & SQLITE_OPEN_WAL) ? SIM_SYNC_LOG : SIM_SYNC_DATABASE;
    }
    if (good) {
        f->handles++;
        h->file = f;
        h->base.pMethods = &methods;
        if (out_flags != NULL)
            *out_flags = flags;
    }
    pthread_mutex_unlock(&disk.mutex);
    return good ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int do_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    int rc = SQLITE_OK;
    (void)vfs;
    pthread_mutex_lock(&disk.mutex);
    struct file *f = find(name, false);
    if (!may_change())
        rc = SQLITE_IOERR_DELETE;
    else if (f == NULL || !f->there)
        rc = SQLITE_IOERR_DELETE_NOENT;
    if (rc == SQLITE_OK) {
        f->there = false;
        if (sync)
            sync_names();
    }
    pthread_mutex_unlock(&disk.mutex);
    return rc;
}

static int do_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs, (void)flags;
    pthread_mutex_lock(&disk.mutex);
    struct file *f = find(name, false);
    *out = f != NULL && f->there && (flags != SQLITE_ACCESS_EXISTS || f->now.len > 0);
    pthread_mutex_unlock(&disk.mutex);
    return SQLITE_OK;
}

static int do_path(sqlite3_vfs *vfs, const char *name, int room, char *out)
{
    (void)vfs;
    (void)sqlite3_snprintf(room, out, "%s", name);
    return SQLITE_OK;
}

void sim_disk_register(void)
{
    static sqlite3_vfs vfs;
    if (vfs.zName != NULL)
        return;
    vfs = *sqlite3_vfs_find(NULL); /* random bytes, sleep and clock are the real ones */
    vfs.iVersion = 1;
    vfs.pNext = NULL;
    vfs.zName = "sim-disk";
    vfs.szOsFile = sizeof(struct handle);
    vfs.xOpen = do_open;
    vfs.xDelete = do_delete;
    vfs.xAccess = do_access;
    vfs.xFullPathname = do_path;
    sqlite3_vfs_register(&vfs, 0);
}

static void forget(struct file *f)
{
    empty(f);
    drop_regions(f);
    free(f->name);
    free(f->now.ptr);
    free(f->safe.ptr);
    *f = (struct file){0};
}

void sim_disk_format(uint64_t seed)
{
    for (int i = 0; i < FILES_MAX; i++)
        forget(&disk.files[i]);
    disk.random = seed * 0x9e3779b97f4a7c15u + 1;
    disk.until_cut = 0;
    disk.cut = false;
    disk.full = disk.fail_writes = false;
    disk.dropped = disk.failing = disk.slow_ms = 0;
}

void sim_disk_reboot(void)
{
    pthread_mutex_lock(&disk.mutex);
    for (int i = 0; i < FILES_MAX; i++) {
        struct file *f = &disk.files[i];
        if (f->name == NULL)
            continue;
        uint64_t mood = toss() % 4; /* all lost, all kept, each by a coin (twice as often) */
        for (struct pending *p = f->first; p != NULL; p = p->next) {
            uint64_t coin = mood == 0 ? 0 : mood == 1 ? 1 : toss() % 3;
            if (coin == 1)
                apply(&f->safe, p);
            else if (coin == 2 && p->data != NULL)
                tear(&f->safe, p);
        }
        empty(f);
        if (f->there != f->safely_there && (toss() & 1))
            f->safely_there = f->there;
        f->there = f->safely_there;
        if (!f->there)
            f->safe.len = 0;
        copy(&f->now, &f->safe);
        drop_regions(f);
        f->shared = 0;
        f->reserved = f->waiting = f->exclusive = NULL;
        memset(f->shm_shared, 0, sizeof f->shm_shared);
        memset(f->shm_exclusive, 0, sizeof f->shm_exclusive);
        f->sync_names = false;
    }
    disk.cut = false;
    disk.until_cut = 0;
    pthread_mutex_unlock(&disk.mutex);
}

void sim_disk_cut_after(int64_t calls)
{
    disk.until_cut = calls;
}

bool sim_disk_is_cut(void)
{
    pthread_mutex_lock(&disk.mutex);
    bool cut = disk.cut;
    pthread_mutex_unlock(&disk.mutex);
    return cut;
}

void sim_disk_drop_syncs(int kinds)
{
    disk.dropped = kinds;
}

void sim_disk_full(bool full)
{
    disk.full = full;
}

void sim_disk_fail_writes(bool fail)
{
    disk.fail_writes = fail;
}

void sim_disk_fail_syncs(int kinds)
{
    disk.failing = kinds;
}

void sim_disk_slow(int sync_ms)
{
    disk.slow_ms = sync_ms;
}

int64_t sim_disk_syncs(enum sim_sync kind)
{
    return disk.syncs[kind];
}

int64_t sim_disk_writes(enum sim_sync kind)
{
    return disk.writes[kind];
}
