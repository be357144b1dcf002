#include "os/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/socket.h"

enum { PATH_BYTES_MAX = 4096 };

enum ph_status ph_os_folder_sync(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return PH_ERR_IO;
    enum ph_status st = fsync(fd) == 0 ? PH_OK : PH_ERR_IO;
    int why = errno;
    ph_os_close(fd);
    errno = why;
    return st;
}

enum ph_status ph_os_folder_sync_parent(const char *path)
{
    char parent[PATH_BYTES_MAX];
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    if (len >= sizeof parent) {
        errno = ENAMETOOLONG;
        return PH_ERR_IO;
    }
    memcpy(parent, path, len);
    parent[len] = '\0';
    return ph_os_folder_sync(len > 0 ? parent : ".");
}

enum ph_status ph_os_folder_make(const char *path)
{
    struct stat found;
    if (mkdir(path, 0700) == 0) {
        if (ph_os_folder_sync_parent(path) == PH_OK)
            return PH_OK;
        int why = errno;
        (void)rmdir(path); /* else the next try finds it, and syncs nothing */
        errno = why;
        return PH_ERR_IO;
    }
    if (errno != EEXIST || stat(path, &found) != 0)
        return PH_ERR_IO;
    if (!S_ISDIR(found.st_mode)) {
        errno = ENOTDIR;
        return PH_ERR_IO;
    }
    return PH_OK;
}

static int read_holder(int fd)
{
    char text[16] = {0};
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    if (len <= 0)
        return 0;
    long pid = strtol(text, NULL, 10);
    return pid > 0 && pid <= INT32_MAX ? (int)pid : 0;
}

enum ph_status ph_os_lock(const char *path, int *ret_fd, int *ret_holder)
{
    char text[16];
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return PH_ERR_IO;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int why = errno;
        if (why == EWOULDBLOCK)
            *ret_holder = read_holder(fd);
        ph_os_close(fd);
        errno = why;
        return why == EWOULDBLOCK ? PH_ERR_AGAIN : PH_ERR_IO;
    }
    /* The text is for people; the lock is the kernel's. That it cannot be written (a full disk)
     * stops nobody. */
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) != len)
        (void)!ftruncate(fd, 0); /* glibc minds (void) alone */
    *ret_fd = fd;
    return PH_OK;
}
