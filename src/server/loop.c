#include "server/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/limits.h"
#include "gateway/view.h"
#include "os/clock.h"
#include "os/heap.h"
#include "os/socket.h"
#include "os/thread.h"
#include "server/admin.h"
#include "server/conn.h"
#include "server/ingress.h"
#include "server/later.h"
#include "server/receive.h"
#include "server/rpc.h"
#include "server/watch.h"

enum { EVENTS_MAX = 256, TRIM_BYTES = 1024 * 1024, TICK_MS = 1000, DRAIN_TICK_MS = 100 };

struct dealt {
    int fd;
    struct ph_tls *tls;
    enum ph_reactor_site site;
};

struct ph_reactor {
    pthread_t thread;
    int epoll, wake;      /* wake: an eventfd; its events carry a NULL pointer */
    pthread_mutex_t lock; /* of dealt[], new_view and what follows it */
    struct dealt dealt[PH_DEALT_MAX];
    size_t dealt_count;
    struct ph_view *new_view; /* NULL: the one in use stays */
    size_t dealt_before;      /* the new view: of dealt[] these */
    unsigned leaving;
    atomic_size_t load;
    atomic_bool stopping;
    /* The thread's own from here on. */
    struct ph_counters counters; /* others read it, and the tally */
    struct ph_tally tally;
    struct ph_memory memory;
    struct ph_h2_spares spares;
    struct ph_later *later;
    struct ph_service service;
    struct ph_http_handler handlers[PH_SITE_ADMIN + 1];
    struct ph_http_site sites[PH_SITE_ADMIN + 1];
    struct ph_http_limits limits;
    struct ph_conn *first;
    bool draining;
    int64_t now_ms, drain_end_ms, tick_ms;
    char room[PH_READ_BYTES];
};

/* ---- connections ----------------------------------------------------------------------------- */

static void drop(struct ph_reactor *r, struct ph_conn *conn)
{
    if (conn->previous != NULL)
        conn->previous->next = conn->next;
    else
        r->first = conn->next;
    if (conn->next != NULL)
        conn->next->previous = conn->previous;
    ph_conn_free(conn);
    ph_count_by(&r->counters.connections_open, -1);
    atomic_fetch_sub_explicit(&r->load, 1, memory_order_relaxed);
}

static bool register_events(struct ph_reactor *r, struct ph_conn *conn, int op)
{
    uint32_t wanted = (ph_conn_wants_read(conn) ? (uint32_t)EPOLLIN : 0) |
                      (ph_conn_wants_write(conn) ? (uint32_t)EPOLLOUT : 0);
    struct epoll_event event = {.events = wanted, .data.ptr = conn};
    conn->registered = wanted;
    return epoll_ctl(r->epoll, op, conn->fd, &event) == 0;
}

/* That it need not be told of what comes in is let stand until something does: of a request that
 * is stored, and answered soon, nothing more comes until then. */
static bool is_registered(const struct ph_conn *conn)
{
    uint32_t in = ph_conn_wants_read(conn) ? (uint32_t)EPOLLIN : conn->registered & EPOLLIN;
    return conn->registered == (in | (ph_conn_wants_write(conn) ? (uint32_t)EPOLLOUT : 0));
}

/* After anything was done with a connection: forget it, or wait for what it wants now. */
static void settle(struct ph_reactor *r, struct ph_conn *conn, bool alive)
{
    if (!alive || (!is_registered(conn) && !register_events(r, conn, EPOLL_CTL_MOD)))
        drop(r, conn);
}

static void adopt(struct ph_reactor *r, struct dealt dealt, int64_t now_ms)
{
    struct ph_conn *conn = ph_conn_new(&r->sites[dealt.site], dealt.fd, dealt.tls, now_ms);
    if (conn == NULL) {
        atomic_fetch_sub_explicit(&r->load, 1, memory_order_relaxed);
        return;
    }
    ph_count(&r->counters.connections_accepted);
    ph_count(&r->counters.connections_open);
    conn->age_max_ms = r->service.config->connection_age_max_ms;
    conn->next = r->first;
    if (r->first != NULL)
        r->first->previous = conn;
    r->first = conn;
    if (!register_events(r, conn, EPOLL_CTL_ADD))
        drop(r, conn);
}

/* An exchange of this connection was answered out of turn. */
static void on_answered(void *ctx, void *connection)
{
    struct ph_reactor *r = ctx;
    struct ph_conn *conn = connection;
    settle(r, conn, ph_conn_flush(conn, r->now_ms));
}

static struct ph_http_limits limits_of(const struct ph_config *config)
{
    return (struct ph_http_limits){.headers = (size_t)config->limits.headers,
                                   .header_bytes = (size_t)config->limits.header_bytes,
                                   .head_ms = config->limits.head_ms,
                                   .body_ms = config->limits.body_ms,
                                   .idle_ms = config->limits.idle_ms};
}

/* Between two requests: none has slices into the view that goes. */
static void use_view(struct ph_reactor *r, struct ph_view *view)
{
    ph_view_unref(r->service.view);
    r->service.view = view;
    r->limits = limits_of(view->config);
}

static void leave(struct ph_reactor *r, unsigned leaving, int64_t now_ms)
{
    struct ph_conn *next;
    for (struct ph_conn *conn = r->first; conn != NULL; conn = next) {
        next = conn->next;
        if ((leaving >> (conn->site - r->sites) & 1) != 0)
            settle(r, conn, ph_conn_drain(conn, now_ms));
    }
}

static void on_wake(struct ph_reactor *r, int64_t now_ms)
{
    struct dealt dealt[PH_DEALT_MAX];
    uint64_t count = 0;
    (void)!read(r->wake, &count, sizeof count);
    pthread_mutex_lock(&r->lock);
    size_t dealt_count = r->dealt_count;
    memcpy(dealt, r->dealt, dealt_count * sizeof dealt[0]);
    r->dealt_count = 0;
    struct ph_view *view = r->new_view;
    size_t dealt_before = r->dealt_before;
    unsigned leaving = r->leaving;
    r->new_view = NULL;
    r->dealt_before = 0;
    r->leaving = 0;
    pthread_mutex_unlock(&r->lock);
    for (size_t i = 0; i < dealt_before; i++)
        adopt(r, dealt[i], now_ms);
    if (view != NULL)
        use_view(r, view);
    leave(r, leaving, now_ms);
    for (size_t i = dealt_before; i < dealt_count; i++)
        adopt(r, dealt[i], now_ms);
    ph_later_run(r->later, on_answered, r);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void on_event(struct ph_reactor *r, const struct epoll_event *event, int64_t now_ms)
{
    struct ph_conn *conn = event->data.ptr;
    if ((event->events & (EPOLLERR | EPOLLHUP)) != 0) { /* nothing can be sent any more */
        drop(r, conn);
        return;
    }
    bool readable = (event->events & EPOLLIN) != 0;
    if (readable && !ph_conn_wants_read(conn)) {
        readable = false;
        if (!register_events(r, conn, EPOLL_CTL_MOD)) {
            drop(r, conn);
            return;
        }
    }
    settle(r, conn, ph_conn_ready(conn, readable, r->room, sizeof r->room, now_ms));
}

static void for_all(struct ph_reactor *r, bool (*visit)(struct ph_conn *, int64_t), int64_t now_ms)
{
    struct ph_conn *next;
    for (struct ph_conn *conn = r->first; conn != NULL; conn = next) {
        next = conn->next;
        settle(r, conn, visit(conn, now_ms));
    }
}

static bool is_finished(struct ph_reactor *r, int64_t now_ms)
{
    if (!r->draining && atomic_load_explicit(&r->stopping, memory_order_acquire)) {
        r->draining = true;
        r->drain_end_ms = now_ms + PH_DRAIN_MS;
        ph_rpc_drain(&r->service); /* what it writes goes out with the next line */
        for_all(r, ph_conn_drain, now_ms);
    }
    return r->draining && (r->first == NULL || now_ms >= r->drain_end_ms);
}

/* What a rush of connections has left behind. */
static size_t memory_now(const struct ph_reactor *r)
{
    return r->memory.used + r->memory.beside;
}

static bool has_memory_to_give(const struct ph_reactor *r)
{
    return r->memory.most - memory_now(r) >= TRIM_BYTES;
}

static void give_memory_back(struct ph_reactor *r)
{
    if (r->first == NULL)
        ph_h2_spares_done(&r->spares, &r->memory);
    else
        ph_h2_spares_rest(&r->spares, &r->memory);
    if (!has_memory_to_give(r))
        return;
    ph_os_heap_trim();
    r->memory.most = memory_now(r);
}

static int wait_ms(const struct ph_reactor *r)
{
    bool ticks = r->first != NULL || r->spares.count > 0 || has_memory_to_give(r);
    int wait = r->draining ? DRAIN_TICK_MS / 2 : ticks ? TICK_MS : -1;
    int64_t until = ph_later_next_ms(r->later);
    if (until == INT64_MAX)
        return wait;
    int64_t left = until > r->now_ms ? until - r->now_ms : 0;
    return wait < 0 || left < wait ? (int)(left < TICK_MS ? left : TICK_MS) : wait;
}

static void *run(void *arg)
{
    struct ph_reactor *r = arg;
    struct epoll_event events[EVENTS_MAX];
    int64_t now_ms = ph_os_steady_ms();
    ph_os_thread_name("reactor");
    while (!is_finished(r, now_ms)) {
        int count = epoll_wait(r->epoll, events, EVENTS_MAX, wait_ms(r));
        r->now_ms = now_ms = ph_os_steady_ms();
        bool woken = false;
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr != NULL)
                on_event(r, &events[i], now_ms);
            else
                woken = true;
        }
        if (woken) /* last: it may end connections that other events of this round point at */
            on_wake(r, now_ms);
        ph_later_expire(r->later, now_ms, on_answered, r);
        if (now_ms - r->tick_ms >= (r->draining ? DRAIN_TICK_MS : TICK_MS)) {
            r->tick_ms = now_ms;
            ph_rpc_expire(&r->service, now_ms);
            for_all(r, ph_conn_tick, now_ms);
            give_memory_back(r);
        }
    }
    while (r->first != NULL)
        drop(r, r->first);
    return NULL;
}

/* ---- outside --------------------------------------------------------------------------------- */

static void destroy(struct ph_reactor *r)
{
    for (size_t i = 0; i < r->dealt_count; i++) {
        ph_tls_free(r->dealt[i].tls);
        ph_os_close(r->dealt[i].fd);
    }
    ph_view_unref(r->new_view);
    ph_view_unref(r->service.view);
    ph_later_free(r->later);
    ph_h2_spares_done(&r->spares, &r->memory);
    ph_worker_free(r->service.worker);
    ph_tally_done(&r->tally);
    ph_os_close(r->epoll);
    ph_os_close(r->wake);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void wake(void *ctx)
{
    struct ph_reactor *r = ctx;
    const uint64_t one = 1;
    (void)!write(r->wake, &one, sizeof one); /* full means: awake anyway */
}

static bool open_queues(struct ph_reactor *r)
{
    struct epoll_event event = {.events = EPOLLIN};
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    r->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return r->epoll >= 0 && r->wake >= 0 &&
           epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->wake, &event) == 0;
}

struct ph_reactor *ph_reactor_start(const struct ph_reactor_shared *shared)
{
    struct ph_reactor *r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->epoll = r->wake = -1;
    pthread_mutex_init(&r->lock, NULL);
    r->memory = (struct ph_memory){.allocator = &ph_os_heap, .limit = PH_REACTOR_BYTES_MAX};
    use_view(r, ph_view_ref(shared->view));
    r->later = ph_later_new(&r->counters, wake, r);
    r->service.config = shared->config;
    r->service.later = r->later;
    r->service.callouts = shared->callouts;
    r->service.gateway = shared->gateway;
    r->service.admin = shared->admin;
    r->service.counters = &r->counters;
    r->service.counter_set = shared->counters;
    r->service.watch = shared->watch;
    r->service.tally = &r->tally;
    r->service.memory = &r->memory;
    r->service.worker = ph_worker_new(&ph_os_heap);
    r->handlers[PH_SITE_CALLS] = (struct ph_http_handler){.handle = ph_service_handle,
                                                          .streams = ph_service_streams,
                                                          .passes = ph_service_passes,
                                                          .ctx = &r->service};
    r->handlers[PH_SITE_WEBHOOKS] = (struct ph_http_handler){
        .handle = shared->gateway != NULL ? ph_receive_handle : ph_ingress_handle,
        .ctx = &r->service};
    r->handlers[PH_SITE_ADMIN] =
        (struct ph_http_handler){.handle = ph_admin_handle_local, .ctx = &r->service};
    for (size_t i = 0; i < PH_COUNTOF(r->sites); i++)
        r->sites[i] = (struct ph_http_site){&r->memory, &r->handlers[i], &r->counters, &r->limits,
                                            &r->spares};
    if (r->later == NULL || r->service.worker == NULL || !open_queues(r) ||
        pthread_create(&r->thread, NULL, run, r) != 0) {
        destroy(r);
        return NULL;
    }
    return r;
}

bool ph_reactor_deal(struct ph_reactor *r, int fd, struct ph_tls *tls, enum ph_reactor_site site)
{
    atomic_fetch_add_explicit(&r->load, 1, memory_order_relaxed);
    pthread_mutex_lock(&r->lock);
    bool has_room = r->dealt_count < PH_DEALT_MAX;
    if (has_room)
        r->dealt[r->dealt_count++] = (struct dealt){.fd = fd, .tls = tls, .site = site};
    pthread_mutex_unlock(&r->lock);
    if (!has_room) {
        atomic_fetch_sub_explicit(&r->load, 1, memory_order_relaxed);
        ph_tls_free(tls);
        ph_os_close(fd);
        return false;
    }
    wake(r);
    return true;
}

void ph_reactor_set_view(struct ph_reactor *r, struct ph_view *view, unsigned leaving)
{
    pthread_mutex_lock(&r->lock);
    struct ph_view *unseen = r->new_view;
    r->new_view = ph_view_ref(view);
    r->dealt_before = r->dealt_count;
    r->leaving |= leaving;
    pthread_mutex_unlock(&r->lock);
    ph_view_unref(unseen);
    wake(r);
}

size_t ph_reactor_load(struct ph_reactor *r)
{
    return atomic_load_explicit(&r->load, memory_order_relaxed);
}

void ph_reactor_stop(struct ph_reactor *r)
{
    atomic_store_explicit(&r->stopping, true, memory_order_release);
    wake(r);
}

void ph_reactor_join(struct ph_reactor *r)
{
    pthread_join(r->thread, NULL);
}

void ph_reactor_free(struct ph_reactor *r)
{
    destroy(r);
}

const struct ph_counters *ph_reactor_counters(const struct ph_reactor *r)
{
    return &r->counters;
}

const struct ph_tally *ph_reactor_tally(const struct ph_reactor *r)
{
    return &r->tally;
}
