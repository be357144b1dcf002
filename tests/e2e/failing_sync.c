/* Preloaded: once there is the file that FAILING_SYNC names, syncs of the inbox's log fail, as those of a disk that has lost what
 * was written. What it has written is in the page cache still, and reads well (gateway_sync.test.mjs). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fsync(int fd);
int fdatasync(int fd);

static int fails(int fd)
{
    static const char suffix[] = "/inbox.db-wal";
    char link[32], path[4096];
    const char *trigger = getenv("FAILING_SYNC");
    if (trigger == NULL || access(trigger, F_OK) != 0)
        return 0;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof path - 1);
    if (len < (ssize_t)sizeof suffix)
        return 0;
    path[len] = '\0';
    return strcmp(path + len - (sizeof suffix - 1), suffix) == 0;
}

static int sync_by(const char *name, int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (!fails(fd))
        return real(fd);
    errno = EIO;
    return -1;
}

int fsync(int fd)
{
    return sync_by("fsync", fd);
}

int fdatasync(int fd)
{
    return sync_by("fdatasync", fd);
}
