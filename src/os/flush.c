#include "os/flush.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/thread.h"

struct ph_os_flush {
    pthread_t thread;
    int fd;
    pthread_mutex_t mutex; /* of what follows */
    pthread_cond_t work;
    bool asked, busy, end;
    int failed;
};

static void *run(void *ctx)
{
    struct ph_os_flush *flush = ctx;
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    ph_os_thread_name("flush");
    pthread_mutex_lock(&flush->mutex);
    while (!flush->end) {
        if (!flush->asked) {
            (void)pthread_cond_wait(&flush->work, &flush->mutex);
            continue;
        }
        flush->asked = false;
        flush->busy = true;
        pthread_mutex_unlock(&flush->mutex);
        int failed = fdatasync(flush->fd) == 0 ? 0 : errno;
        pthread_mutex_lock(&flush->mutex);
        flush->busy = false;
        flush->failed = flush->failed != 0 ? flush->failed : failed;
    }
    pthread_mutex_unlock(&flush->mutex);
    return NULL;
}

struct ph_os_flush *ph_os_flush_start(const char *path)
{
    struct ph_os_flush *flush = calloc(1, sizeof *flush);
    if (flush == NULL)
        return NULL;
    (void)pthread_mutex_init(&flush->mutex, NULL);
    (void)pthread_cond_init(&flush->work, NULL);
    flush->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (flush->fd >= 0 && pthread_create(&flush->thread, NULL, run, flush) == 0)
        return flush;
    if (flush->fd >= 0)
        (void)close(flush->fd);
    (void)pthread_mutex_destroy(&flush->mutex);
    (void)pthread_cond_destroy(&flush->work);
    free(flush);
    return NULL;
}

void ph_os_flush_ask(struct ph_os_flush *flush)
{
    if (flush == NULL)
        return;
    pthread_mutex_lock(&flush->mutex);
    flush->asked = true;
    (void)pthread_cond_signal(&flush->work);
    pthread_mutex_unlock(&flush->mutex);
}

bool ph_os_flush_is_done(struct ph_os_flush *flush)
{
    if (flush == NULL)
        return true;
    pthread_mutex_lock(&flush->mutex);
    bool done = !flush->asked && !flush->busy;
    pthread_mutex_unlock(&flush->mutex);
    return done;
}

int ph_os_flush_failed(struct ph_os_flush *flush)
{
    if (flush == NULL)
        return 0;
    pthread_mutex_lock(&flush->mutex);
    int failed = flush->failed;
    pthread_mutex_unlock(&flush->mutex);
    return failed;
}

void ph_os_flush_stop(struct ph_os_flush *flush)
{
    if (flush == NULL)
        return;
    pthread_mutex_lock(&flush->mutex);
    flush->end = true;
    (void)pthread_cond_signal(&flush->work);
    pthread_mutex_unlock(&flush->mutex);
    (void)pthread_join(flush->thread, NULL);
    (void)close(flush->fd);
    (void)pthread_mutex_destroy(&flush->mutex);
    (void)pthread_cond_destroy(&flush->work);
    free(flush);
}
