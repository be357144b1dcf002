/* The admin thread: runs calls one after the other, and those that wait for news when there is
 * some. */
#include "server/admin_thread.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/limits.h"
#include "os/clock.h"
#include "os/heap.h"
#include "os/thread.h"

struct ph_admin {
    struct ph_admin_room room;
    pthread_t thread;
    bool running;
    struct ph_admin_call *parked; /* the thread's */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct ph_admin_call *first, **last;
    size_t places; /* taken: reserved, queued, running, parked */
    bool draining, stopping;
};

void ph_admin_call_free(struct ph_admin_call *call)
{
    if (call == NULL)
        return;
    if (call->answer != NULL)
        explicit_bzero(call->answer, call->answer_bytes); /* it may be a request, unmasked */
    free(call->answer);
    free(call);
}

/* ---- the queue ------------------------------------------------------------------------------- */

enum ph_status ph_admin_reserve(struct ph_admin *admin)
{
    pthread_mutex_lock(&admin->lock);
    bool free = admin->places < PH_ADMIN_CALLS_MAX && !admin->stopping;
    admin->places += free;
    pthread_mutex_unlock(&admin->lock);
    return free ? PH_OK : PH_ERR_AGAIN;
}

void ph_admin_release(struct ph_admin *admin)
{
    pthread_mutex_lock(&admin->lock);
    admin->places--;
    pthread_mutex_unlock(&admin->lock);
}

void ph_admin_queue(struct ph_admin *admin, struct ph_admin_call *call)
{
    pthread_mutex_lock(&admin->lock);
    call->next = NULL;
    *admin->last = call;
    admin->last = &call->next;
    pthread_cond_signal(&admin->changed);
    pthread_mutex_unlock(&admin->lock);
}

static void end(struct ph_admin *admin, struct ph_admin_call *call)
{
    ph_admin_release(admin);
    ph_later_complete(call->ticket); /* from here on it is the reactor's */
}

/* ---- running --------------------------------------------------------------------------------- */

static enum ph_admin_end run_route(struct ph_admin_call *call)
{
    struct ph_slice why;
    struct ph_arena *arena = &call->room->arena;
    if (ph_admin_word_read(arena, call->word, &call->named) != PH_OK)
        return ph_admin_invalid(call, PH_S("the path does not read: a bad escape"));
    if (ph_admin_params_read(arena, call->query, &call->params) != PH_OK)
        return ph_admin_invalid(call,
                                PH_S("the query does not read: a name twice, or a bad escape"));
    if (!ph_admin_filter_of(call, &call->params, call->route->takes, &call->filter, &why))
        return ph_admin_invalid(call, why);
    if (call->filter.unmasked && (call->scopes & PH_SCOPE_RAW) == 0)
        return ph_admin_error(call, 403, PH_S("PERMISSION_DENIED"),
                              PH_S("unmasked needs the scope raw"));
    return call->route->run(call);
}

static void run_call(struct ph_admin *admin, struct ph_admin_call *call)
{
    enum ph_admin_end ended = PH_ADMIN_ENDED;
    call->room = &admin->room;
    if (!atomic_load_explicit(&call->gone, memory_order_relaxed)) {
        call->now_ms = ph_os_unix_ms();
        call->view = ph_gateway_view(admin->room.gateway);
        ended = run_route(call);
        ph_view_unref(call->view);
        call->view = NULL;
        ph_arena_wipe(&admin->room.arena);
    }
    if (ended == PH_ADMIN_ENDED) {
        end(admin, call);
        return;
    }
    call->next = admin->parked;
    admin->parked = call;
}

/* Those for whom there is news, whose time is over, or who have gone. */
static void look_at_parked(struct ph_admin *admin)
{
    struct ph_inbox_counts counts;
    struct ph_admin_call *list = admin->parked, *next;
    int64_t now_ms = ph_os_steady_ms();
    admin->parked = NULL;
    if (list != NULL)
        ph_inbox_counts(ph_gateway_inbox(admin->room.gateway), &counts);
    for (struct ph_admin_call *call = list; call != NULL; call = next) {
        next = call->next;
        bool due = admin->room.draining || counts.events != call->events_seen ||
                   now_ms >= call->until_ms ||
                   atomic_load_explicit(&call->gone, memory_order_relaxed);
        if (due) {
            run_call(admin, call);
        } else {
            call->next = admin->parked;
            admin->parked = call;
        }
    }
}

/* The next call, or NULL after a while with calls parked; false: it is time to end. */
static bool take(struct ph_admin *admin, struct ph_admin_call **ret)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (int64_t)PH_ADMIN_POLL_MS * 1000000;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&admin->lock);
    int waited = 0;
    while (admin->first == NULL && !admin->stopping && waited == 0 &&
           !(admin->draining && !admin->room.draining))
        waited = admin->parked != NULL
                     ? pthread_cond_timedwait(&admin->changed, &admin->lock, &until)
                     : pthread_cond_wait(&admin->changed, &admin->lock);
    struct ph_admin_call *call = admin->first;
    if (call != NULL && (admin->first = call->next) == NULL)
        admin->last = &admin->first;
    admin->room.draining = admin->draining || admin->stopping;
    bool go_on = !admin->stopping;
    pthread_mutex_unlock(&admin->lock);
    *ret = call;
    return go_on || call != NULL;
}

static void *run(void *arg)
{
    struct ph_admin *admin = arg;
    struct ph_admin_call *call;
    ph_os_thread_name("admin");
    while (take(admin, &call)) {
        if (call != NULL)
            run_call(admin, call);
        look_at_parked(admin);
    }
    look_at_parked(admin); /* draining by now: none stays */
    return NULL;
}

/* ---- outside --------------------------------------------------------------------------------- */

struct ph_admin *ph_admin_start(struct ph_gateway *gateway)
{
    struct ph_admin *admin = calloc(1, sizeof *admin);
    pthread_condattr_t steady;
    if (admin == NULL)
        return NULL;
    admin->last = &admin->first;
    admin->room.gateway = gateway;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&admin->lock, NULL);
    pthread_cond_init(&admin->changed, &steady);
    pthread_condattr_destroy(&steady);
    ph_arena_init(&admin->room.arena, &ph_os_heap, PH_ARENA_BYTES_MAX, PH_ARENA_KEEP_BYTES);
    admin->room.worker = ph_worker_new(&ph_os_heap);
    if (admin->room.worker != NULL &&
        ph_inbox_reader_open(ph_gateway_inbox(gateway), &admin->room.reader) == PH_OK)
        admin->running = pthread_create(&admin->thread, NULL, run, admin) == 0;
    if (admin->running)
        return admin;
    ph_admin_stop(admin);
    return NULL;
}

static void change(struct ph_admin *admin, bool *what)
{
    pthread_mutex_lock(&admin->lock);
    *what = true;
    pthread_cond_signal(&admin->changed);
    pthread_mutex_unlock(&admin->lock);
}

void ph_admin_drain(struct ph_admin *admin)
{
    if (admin != NULL)
        change(admin, &admin->draining);
}

void ph_admin_stop(struct ph_admin *admin)
{
    if (admin == NULL)
        return;
    change(admin, &admin->stopping);
    if (admin->running)
        pthread_join(admin->thread, NULL);
    ph_inbox_reader_close(admin->room.reader);
    ph_worker_free(admin->room.worker);
    ph_arena_done(&admin->room.arena);
    pthread_cond_destroy(&admin->changed);
    pthread_mutex_destroy(&admin->lock);
    free(admin);
}
