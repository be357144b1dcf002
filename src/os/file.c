#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "os/folder.h"

enum { PATH_BYTES_MAX = 4096 };

static enum ph_status read_all(int fd, struct ph_arena *arena, size_t bytes_max,
                               struct ph_slice *ret_bytes, uint32_t *ret_mode)
{
    struct stat found;
    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode))
        return PH_ERR_IO;
    if ((uint64_t)found.st_size > bytes_max)
        return PH_ERR_TOO_LARGE;
    size_t room = (size_t)found.st_size, len = 0;
    char *bytes = ph_arena_alloc(arena, room + 1);
    if (bytes == NULL)
        return PH_ERR_NO_MEMORY;
    while (len < room) {
        ssize_t got = read(fd, bytes + len, room - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return PH_ERR_IO;
        if (got == 0)
            break;
        len += (size_t)got;
    }
    *ret_bytes = ph_slice_of(bytes, len);
    *ret_mode = found.st_mode & 07777;
    return PH_OK;
}

enum ph_status ph_os_read_file(struct ph_arena *arena, const char *path, size_t bytes_max,
                               struct ph_slice *ret_bytes)
{
    uint32_t mode;
    return ph_os_read_file_mode(arena, path, bytes_max, ret_bytes, &mode);
}

enum ph_status ph_os_read_file_mode(struct ph_arena *arena, const char *path, size_t bytes_max,
                                    struct ph_slice *ret_bytes, uint32_t *ret_mode)
{
    /* Not blocking: a pipe in a file's place is refused, not waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? PH_ERR_NOT_FOUND : PH_ERR_IO;
    enum ph_status st = read_all(fd, arena, bytes_max, ret_bytes, ret_mode);
    (void)close(fd);
    return st;
}

bool ph_os_is_file(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 && S_ISREG(found.st_mode);
}

enum ph_status ph_os_file_id(const char *path, struct ph_os_file_id *ret)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return errno == ENOENT || errno == ENOTDIR ? PH_ERR_NOT_FOUND : PH_ERR_IO;
    *ret =
        (struct ph_os_file_id){.device = (uint64_t)found.st_dev, .number = (uint64_t)found.st_ino};
    return PH_OK;
}

int64_t ph_os_free_bytes(const char *path)
{
    struct statvfs volume;
    if (statvfs(path, &volume) != 0)
        return INT64_MAX;
    return (int64_t)((uint64_t)volume.f_bavail * volume.f_frsize);
}

static bool ends_with(const char *name, struct ph_slice suffix)
{
    size_t len = strlen(name);
    return len > suffix.len && memcmp(name + len - suffix.len, suffix.ptr, suffix.len) == 0;
}

static const char *join(struct ph_arena *arena, const char *folder, const char *name)
{
    size_t folder_len = strlen(folder), name_len = strlen(name);
    char *path = ph_arena_alloc(arena, folder_len + name_len + 2);
    if (path == NULL)
        return NULL;
    memcpy(path, folder, folder_len);
    path[folder_len] = '/';
    memcpy(path + folder_len + 1, name, name_len + 1);
    return path;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum ph_status list(DIR *folder_open, struct ph_arena *arena, const char *folder,
                           struct ph_slice suffix, size_t count_max, const char **paths,
                           size_t *ret_count)
{
    const struct dirent *entry;
    size_t count = 0;
    while ((entry = readdir(folder_open)) != NULL) {
        if (entry->d_name[0] == '.' || !ends_with(entry->d_name, suffix))
            continue;
        if (count == count_max)
            return PH_ERR_TOO_LARGE;
        paths[count] = join(arena, folder, entry->d_name);
        if (paths[count++] == NULL)
            return PH_ERR_NO_MEMORY;
    }
    qsort(paths, count, sizeof *paths, by_text);
    *ret_count = count;
    return PH_OK;
}

enum ph_status ph_os_list_files(struct ph_arena *arena, const char *folder, struct ph_slice suffix,
                                size_t count_max, const char ***ret_paths, size_t *ret_count)
{
    const char **paths = ph_arena_alloc(arena, (count_max + 1) * sizeof *paths);
    if (paths == NULL)
        return PH_ERR_NO_MEMORY;
    DIR *folder_open = opendir(folder);
    if (folder_open == NULL)
        return errno == ENOENT ? PH_ERR_NOT_FOUND : PH_ERR_IO;
    enum ph_status st = list(folder_open, arena, folder, suffix, count_max, paths, ret_count);
    (void)closedir(folder_open);
    if (st == PH_OK)
        *ret_paths = paths;
    return st;
}

/* What is in it is on disk, its name not yet. */
static enum ph_status write_new(const char *path, struct ph_slice bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? PH_ERR_INVALID : PH_ERR_IO;
    bool written = write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len && fsync(fd) == 0;
    int why = errno;
    (void)close(fd);
    if (written)
        return PH_OK;
    (void)unlink(path);
    errno = why;
    return PH_ERR_IO;
}

enum ph_status ph_os_write_new_file(const char *path, struct ph_slice bytes)
{
    PH_TRY(write_new(path, bytes));
    if (ph_os_folder_sync_parent(path) == PH_OK)
        return PH_OK;
    int why = errno;
    (void)unlink(path);
    errno = why;
    return PH_ERR_IO;
}

enum ph_status ph_os_replace_file(const char *path, struct ph_slice bytes)
{
    char fresh[PATH_BYTES_MAX];
    int len = snprintf(fresh, sizeof fresh, "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof fresh) {
        errno = ENAMETOOLONG;
        return PH_ERR_IO;
    }
    (void)unlink(fresh); /* of a process that ended on the way */
    PH_TRY(write_new(fresh, bytes));
    return rename(fresh, path) == 0 ? ph_os_folder_sync_parent(path) : PH_ERR_IO;
}
