#include "server/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/thread.h"

struct half {
    size_t len;
    char bytes[PH_LOG_BUFFER_BYTES];
};

struct ph_log {
    int fd;
    pthread_t thread;
    atomic_bool json;
    atomic_int most;
    atomic_uint_fast64_t lines, lost;
    pthread_mutex_t lock;
    pthread_cond_t filled; /* there is something, or much, or the end has come */
    bool idle, stopping;
    uint64_t lost_now;              /* since the last line that was taken */
    struct half *filling, *writing; /* lines go into one while the other is written */
};

/* ---- the thread ------------------------------------------------------------------------------ */

static int64_t flush_until(struct ph_log *log)
{
    pthread_mutex_lock(&log->lock);
    bool stopping = log->stopping;
    pthread_mutex_unlock(&log->lock);
    return stopping ? ph_os_steady_ms() + PH_LOG_FLUSH_MS : INT64_MAX;
}

/* A reader that does not read is waited for; at the end only for a while. */
static void write_all(struct ph_log *log, const char *bytes, size_t len)
{
    int64_t until_ms = INT64_MAX;
    while (len > 0) {
        struct pollfd ready = {.fd = log->fd, .events = POLLOUT};
        if (until_ms == INT64_MAX)
            until_ms = flush_until(log);
        if (ph_os_steady_ms() >= until_ms)
            return;
        /* Only what a pipe takes at once: a longer write would wait for its reader. */
        int polled = poll(&ready, 1, 100);
        if (polled == 0 || (polled < 0 && errno == EINTR))
            continue;
        ssize_t written = write(log->fd, bytes, len < PIPE_BUF ? len : PIPE_BUF);
        if (written < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (written <= 0)
            return; /* nobody is there any more */
        bytes += written;
        len -= (size_t)written;
    }
}

/* Waits for lines, then a little for more of them; swaps the halves. False: that was all. */
static bool take(struct ph_log *log, uint64_t *ret_lost)
{
    pthread_mutex_lock(&log->lock);
    log->idle = true;
    while (log->filling->len == 0 && log->lost_now == 0 && !log->stopping)
        pthread_cond_wait(&log->filled, &log->lock);
    log->idle = false;
    if (!log->stopping && log->filling->len < PH_LOG_BUFFER_BYTES / 2) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t ns = until.tv_nsec + (int64_t)PH_LOG_GATHER_MS * 1000000;
        until.tv_sec += (time_t)(ns / 1000000000);
        until.tv_nsec = (long)(ns % 1000000000);
        (void)pthread_cond_timedwait(&log->filled, &log->lock, &until);
    }
    struct half *full = log->filling;
    log->filling = log->writing;
    log->writing = full;
    log->filling->len = 0;
    *ret_lost = log->lost_now;
    log->lost_now = 0;
    bool more = !log->stopping || full->len > 0 || *ret_lost > 0;
    pthread_mutex_unlock(&log->lock);
    return more;
}

static void *run(void *arg)
{
    struct ph_log *log = arg;
    uint64_t lost;
    ph_os_thread_name("log");
    while (take(log, &lost)) {
        write_all(log, log->writing->bytes, log->writing->len);
        if (lost > 0) {
            struct ph_log_line line;
            ph_log_begin(&line, atomic_load(&log->json), ph_os_unix_ms(), PH_SEVERITY_WARNING,
                         PH_S("the log is not read fast enough: lines were lost"));
            ph_log_number(&line, "lines", (int64_t)lost);
            struct ph_slice text = ph_log_end(&line);
            write_all(log, text.ptr, text.len);
        }
    }
    return NULL;
}

/* ---- outside --------------------------------------------------------------------------------- */

static void destroy(struct ph_log *log)
{
    pthread_mutex_destroy(&log->lock);
    pthread_cond_destroy(&log->filled);
    free(log->filling);
    free(log->writing);
    free(log);
}

struct ph_log *ph_log_start(int fd, bool json, enum ph_log_severity most)
{
    struct ph_log *log = calloc(1, sizeof *log);
    pthread_condattr_t steady;
    if (log == NULL)
        return NULL;
    log->fd = fd;
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&log->filled, &steady);
    pthread_condattr_destroy(&steady);
    log->filling = calloc(1, sizeof *log->filling);
    log->writing = calloc(1, sizeof *log->writing);
    ph_log_configure(log, json, most);
    if (log->filling == NULL || log->writing == NULL ||
        pthread_create(&log->thread, NULL, run, log) != 0) {
        destroy(log);
        return NULL;
    }
    return log;
}

void ph_log_stop(struct ph_log *log)
{
    if (log == NULL)
        return;
    pthread_mutex_lock(&log->lock);
    log->stopping = true;
    pthread_cond_signal(&log->filled);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    destroy(log);
}

void ph_log_configure(struct ph_log *log, bool json, enum ph_log_severity most)
{
    atomic_store(&log->json, json);
    atomic_store(&log->most, (int)most);
}

bool ph_log_open(struct ph_log *log, enum ph_log_severity severity, struct ph_slice what,
                 struct ph_log_line *line)
{
    if (log == NULL || (int)severity > atomic_load_explicit(&log->most, memory_order_relaxed))
        return false;
    ph_log_begin(line, atomic_load_explicit(&log->json, memory_order_relaxed), ph_os_unix_ms(),
                 severity, what);
    return true;
}

void ph_log_write(struct ph_log *log, struct ph_log_line *line)
{
    struct ph_slice text = ph_log_end(line);
    bool wake = false, fits;
    pthread_mutex_lock(&log->lock);
    struct half *half = log->filling;
    fits = sizeof half->bytes - half->len >= text.len;
    if (fits) {
        size_t before = half->len;
        memcpy(half->bytes + half->len, text.ptr, text.len);
        half->len += text.len;
        wake =
            log->idle || (before < PH_LOG_BUFFER_BYTES / 2 && half->len >= PH_LOG_BUFFER_BYTES / 2);
    } else {
        log->lost_now++;
    }
    if (wake) {
        log->idle = false;
        pthread_cond_signal(&log->filled);
    }
    pthread_mutex_unlock(&log->lock);
    atomic_fetch_add_explicit(fits ? &log->lines : &log->lost, 1, memory_order_relaxed);
}

uint64_t ph_log_lines(struct ph_log *log)
{
    return atomic_load_explicit(&log->lines, memory_order_relaxed);
}

uint64_t ph_log_lost(struct ph_log *log)
{
    return atomic_load_explicit(&log->lost, memory_order_relaxed);
}
