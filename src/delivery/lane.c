#include "delivery/lane.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "os/clock.h"
#include "os/heap.h"
#include "os/random.h"
#include "os/thread.h"

enum { REOPEN_MS = 10 * 1000, GIVE_UP_MS = 3000 };

/* ---- small things ---------------------------------------------------------------------------- */

/* splitmix64: jitter needs no secrecy. */
uint64_t ph_lane_random(struct ph_lane *lane)
{
    uint64_t z = lane->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void __attribute__((format(printf, 4, 0)))
say(struct ph_lane *lane, bool warning, int64_t delivery, const char *format, va_list args)
{
    char text[512];
    if (lane->log == NULL)
        return;
    int len = vsnprintf(text, sizeof text, format, args);
    if (len < 0)
        return;
    size_t used = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    const struct ph_dispatcher_news news = {.warning = warning,
                                            .destination =
                                                lane->now != NULL ? lane->now->d.name : PH_S(""),
                                            .delivery = delivery,
                                            .text = ph_slice_of(text, used)};
    lane->log(lane->log_ctx, &news);
}

void ph_lane_say(struct ph_lane *lane, bool warning, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(lane, warning, 0, format, args);
    va_end(args);
}

void ph_lane_warn_of(struct ph_lane *lane, int64_t delivery, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(lane, true, delivery, format, args);
    va_end(args);
}

/* ---- its destination ------------------------------------------------------------------------- */

static void open_destination(struct ph_lane *lane)
{
    enum ph_status st = ph_destination_open(&lane->now->d.settings, &lane->destination);
    if (st == PH_OK)
        return;
    lane->destination = NULL;
    lane->hold_ms = ph_os_steady_ms() + REOPEN_MS;
    ph_lane_say(lane, true, "cannot be made ready: %s; its events wait", ph_status_text(st));
}

/* Goes by other settings, now that nothing is on its way. */
static void change(struct ph_lane *lane, struct ph_lane_settings *next)
{
    ph_destination_close(lane->destination);
    ph_lane_settings_free(lane->now);
    lane->destination = NULL;
    lane->now = next;
    lane->breaker = (struct ph_breaker){.epoch = lane->breaker.epoch + 1};
    lane->width = (struct ph_width){0};
    lane->pace = (struct ph_pace){.rate = next != NULL ? next->d.rate : 0};
    lane->hold_ms = 0;
    lane->next_due_ms = INT64_MAX;
    ph_lane_forget_page(lane);
    if (next != NULL)
        open_destination(lane);
}

/* ---- the worker ------------------------------------------------------------------------------ */

struct news {
    struct ph_parcel *ended;
    bool woken, settled, stopping;
    int64_t stop_by_ms;
};

static struct news take_news(struct ph_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    struct news news = {.ended = lane->ended,
                        .woken = lane->woken,
                        .settled = lane->settled,
                        .stopping = lane->stopping,
                        .stop_by_ms = lane->stop_by_ms};
    lane->ended = NULL;
    lane->woken = lane->settled = false;
    pthread_mutex_unlock(&lane->lock);
    return news;
}

/* Newest first, as they were put there: turned round, so that they are stored in the order they
 * ended. */
static void end_all(struct ph_lane *lane, struct ph_parcel *ended)
{
    struct ph_parcel *in_order = NULL;
    while (ended != NULL) {
        struct ph_parcel *next = ended->next;
        ended->next = in_order;
        in_order = ended;
        ended = next;
    }
    while (in_order != NULL) {
        struct ph_parcel *next = in_order->next;
        ph_lane_end(lane, in_order);
        in_order = next;
    }
}

/* Whether a change is wanted; made, once nothing is on its way. */
static bool is_changing(struct ph_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    bool changing = lane->changing;
    struct ph_lane_settings *next = lane->next;
    if (changing && lane->in_flight == 0) {
        lane->changing = false;
        lane->next = NULL;
    }
    pthread_mutex_unlock(&lane->lock);
    if (!changing || lane->in_flight > 0)
        return changing;
    change(lane, next);
    return false;
}

static void look_whether_paused(struct ph_lane *lane)
{
    struct ph_inbox_counts counts;
    ph_inbox_counts(lane->inbox, &counts);
    if (lane->paused && !counts.paused[lane->number])
        ph_lane_forget_page(lane);
    lane->paused = counts.paused[lane->number];
}

static void show(struct ph_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    struct ph_dispatcher_stats *stats = &lane->stats;
    stats->breaker_openings +=
        lane->breaker.state == PH_BREAKER_OPEN && stats->breaker != PH_BREAKER_OPEN;
    stats->runs = lane->now != NULL;
    stats->in_flight = (int64_t)lane->in_flight;
    stats->leases = (int64_t)lane->leases.count;
    stats->breaker = lane->breaker.state;
    stats->breaker_until_ms = lane->breaker.state == PH_BREAKER_OPEN
                                  ? lane->now_ms() + lane->breaker.until_ms - ph_os_steady_ms()
                                  : 0;
    stats->paused = lane->paused;
    pthread_mutex_unlock(&lane->lock);
}

/* Until there are news, or that time (steady); at most PH_DELIVERY_IDLE_MS. */
static void wait_for_news(struct ph_lane *lane, int64_t until_ms)
{
    int64_t idle_ms = ph_os_steady_ms() + PH_DELIVERY_IDLE_MS;
    if (until_ms > idle_ms)
        until_ms = idle_ms;
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    pthread_mutex_lock(&lane->lock);
    while (lane->ended == NULL && !lane->woken && !lane->settled && !lane->stopping &&
           !lane->changing)
        if (pthread_cond_timedwait(&lane->news, &lane->lock, &until) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&lane->lock);
}

/* The same, for when stopping and changing are no news any more. */
static void wait_for_ends(struct ph_lane *lane, int64_t until_ms)
{
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    pthread_mutex_lock(&lane->lock);
    while (lane->ended == NULL && !lane->settled)
        if (pthread_cond_timedwait(&lane->news, &lane->lock, &until) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&lane->lock);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* One round. False: it is stopping, by *ret_stop_by_ms. */
static bool work(struct ph_lane *lane, int64_t *ret_stop_by_ms)
{
    struct news news = take_news(lane);
    lane->scan = lane->scan || news.woken;
    end_all(lane, news.ended);
    if (news.settled)
        ph_settling_returned(lane);
    *ret_stop_by_ms = news.stop_by_ms;
    if (news.stopping)
        return false;
    int64_t until_ms = ph_settling_push(lane);
    look_whether_paused(lane);
    bool changing = is_changing(lane);
    if (lane->now != NULL && lane->destination == NULL && ph_os_steady_ms() >= lane->hold_ms)
        open_destination(lane);
    if (!changing)
        until_ms = least(until_ms, ph_lane_send(lane));
    show(lane);
    if (changing)
        wait_for_ends(lane, least(until_ms, ph_os_steady_ms() + PH_DELIVERY_IDLE_MS));
    else
        wait_for_news(lane, until_ms);
    return true;
}

/* V6: what is on its way may end until the time is over; then it stays due. What has ended is
 * stored; an inbox that does not store is given up on after a while: it is sent again after the
 * next start (I5). */
static void drain(struct ph_lane *lane, int64_t stop_by_ms)
{
    int64_t give_up_ms = 0;
    while (lane->in_flight > 0 || !ph_settling_empty(lane)) {
        int64_t now_ms = ph_os_steady_ms(), until_ms = ph_settling_push(lane);
        if (lane->in_flight > 0 && now_ms >= stop_by_ms) {
            ph_destination_close(lane->destination);
            lane->destination = NULL;
        } else if (lane->in_flight == 0 && give_up_ms == 0) {
            give_up_ms = now_ms + GIVE_UP_MS;
        } else if (lane->in_flight == 0 && now_ms >= give_up_ms && !lane->settling.out) {
            break;
        }
        wait_for_ends(
            lane, least(until_ms, lane->in_flight > 0 ? stop_by_ms : now_ms + PH_DELIVERY_IDLE_MS));
        struct news news = take_news(lane);
        end_all(lane, news.ended);
        if (news.settled)
            ph_settling_returned(lane);
    }
}

static void *run(void *arg)
{
    struct ph_lane *lane = arg;
    sigset_t all;
    ph_os_thread_name("lane");
    sigfillset(&all); /* signals are the main thread's */
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    int64_t stop_by_ms;
    while (work(lane, &stop_by_ms))
        ;
    drain(lane, stop_by_ms);
    ph_destination_close(lane->destination);
    lane->destination = NULL;
    show(lane);
    return NULL;
}

/* ---- outside --------------------------------------------------------------------------------- */

static bool init(struct ph_lane *lane, const struct ph_dispatcher_options *options, size_t number)
{
    pthread_condattr_t steady;
    lane->inbox = options->inbox;
    lane->now_ms = options->now_ms != NULL ? options->now_ms : ph_os_unix_ms;
    lane->log = options->log;
    lane->log_ctx = options->log_ctx;
    lane->number = number;
    lane->next_due_ms = INT64_MAX;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&lane->news, &steady);
    pthread_condattr_destroy(&steady);
    ph_arena_init(&lane->page.arena, &ph_os_heap, PH_ARENA_BYTES_MAX, PH_ARENA_KEEP_BYTES);
    ph_settling_init(lane);
    return ph_os_random(&lane->random, sizeof lane->random) == PH_OK &&
           ph_inbox_reader_open(lane->inbox, &lane->reader) == PH_OK;
}

static void done(struct ph_lane *lane)
{
    ph_lane_settings_free(lane->now);
    ph_lane_settings_free(lane->next);
    ph_inbox_reader_close(lane->reader);
    ph_settling_done(lane);
    ph_arena_done(&lane->page.arena);
    pthread_cond_destroy(&lane->news);
    pthread_mutex_destroy(&lane->lock);
    free(lane);
}

struct ph_lane *ph_lane_new(const struct ph_dispatcher_options *options, size_t number)
{
    struct ph_lane *lane = calloc(1, sizeof *lane);
    if (lane == NULL)
        return NULL;
    if (init(lane, options, number) && pthread_create(&lane->thread, NULL, run, lane) == 0)
        return lane;
    done(lane);
    return NULL;
}

void ph_lane_change(struct ph_lane *lane, struct ph_lane_settings *settings)
{
    pthread_mutex_lock(&lane->lock);
    struct ph_lane_settings *overtaken = lane->next;
    lane->next = settings;
    lane->changing = true;
    pthread_cond_signal(&lane->news);
    pthread_mutex_unlock(&lane->lock);
    ph_lane_settings_free(overtaken);
}

void ph_lane_wake(struct ph_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    lane->woken = true;
    pthread_cond_signal(&lane->news);
    pthread_mutex_unlock(&lane->lock);
}

void ph_lane_stop(struct ph_lane *lane, int64_t stop_by_ms)
{
    pthread_mutex_lock(&lane->lock);
    lane->stopping = true;
    lane->stop_by_ms = stop_by_ms;
    pthread_cond_signal(&lane->news);
    pthread_mutex_unlock(&lane->lock);
}

void ph_lane_free(struct ph_lane *lane)
{
    pthread_join(lane->thread, NULL);
    done(lane);
}
