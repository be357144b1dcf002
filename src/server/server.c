/* The acceptor: listens, deals, stops. */
#include "server/server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "base/limits.h"
#include "os/socket.h"
#include "server/loop.h"

enum { LISTENERS_MAX = 2 };

struct listener {
    int fd;
    bool ingress;
};

struct server {
    const struct ph_server_config *config;
    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
    struct ph_reactor *reactors[PH_THREADS_MAX];
    size_t reactor_count;
    int epoll;
};

/* ---- start -------------------------------------------------------------------------------------
 */

static bool add_listener(struct server *server, const char *address, bool ingress)
{
    struct listener *listener = &server->listeners[server->listener_count];
    char bound[PH_OS_ADDRESS_TEXT_BYTES];
    errno = 0;
    if (ph_os_listen(address, &listener->fd, bound) != PH_OK) {
        fprintf(stderr, "payhook: cannot listen on %s: %s\n", address, strerror(errno));
        return false;
    }
    listener->ingress = ingress;
    server->listener_count++;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, listener->fd, &event) != 0)
        return false;
    printf("listening on %s (%s)\n", bound, ingress ? "webhooks" : "event service");
    return true;
}

static bool start_reactors(struct server *server)
{
    while (server->reactor_count < server->config->threads) {
        struct ph_reactor *reactor = ph_reactor_start(server->config);
        if (reactor == NULL) {
            fprintf(stderr, "payhook: cannot start a thread: out of memory or threads\n");
            return false;
        }
        server->reactors[server->reactor_count++] = reactor;
    }
    return true;
}

static bool start(struct server *server)
{
    const struct ph_server_config *config = server->config;
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll < 0)
        return false;
    if (config->listen_webhooks != NULL && config->dev)
        printf("NOT DURABLE: dev mode prints webhooks and keeps none\n");
    if (!start_reactors(server) || !add_listener(server, config->listen, false))
        return false;
    if (config->listen_webhooks != NULL && !add_listener(server, config->listen_webhooks, true))
        return false;
    fflush(stdout);
    return true;
}

/* ---- run ---------------------------------------------------------------------------------------
 */

static struct ph_reactor *least_loaded(struct server *server, size_t *ret_total)
{
    struct ph_reactor *best = server->reactors[0];
    size_t best_load = SIZE_MAX;
    *ret_total = 0;
    for (size_t i = 0; i < server->reactor_count; i++) {
        size_t load = ph_reactor_load(server->reactors[i]);
        *ret_total += load;
        if (load < best_load) {
            best = server->reactors[i];
            best_load = load;
        }
    }
    return best;
}

static void accept_all(struct server *server, const struct listener *listener)
{
    enum { AT_ONCE = 64 };
    for (int i = 0; i < AT_ONCE; i++) {
        int fd = -1;
        size_t total = 0;
        enum ph_status st = ph_os_accept(listener->fd, &fd);
        if (st == PH_ERR_NO_MEMORY)
            (void)poll(NULL, 0, 50); /* out of files: give the reactors time to close some */
        if (st != PH_OK)
            return;
        struct ph_reactor *reactor = least_loaded(server, &total);
        if (total >= PH_CONNECTIONS_MAX)
            ph_os_close(fd);
        else
            ph_reactor_deal(reactor, fd, listener->ingress);
    }
}

/* Signals come through only while it waits: none is lost between the look at *stop and the wait. */
static void accept_until(struct server *server, volatile sig_atomic_t *stop,
                         const sigset_t *waiting)
{
    while (*stop == 0) {
        struct epoll_event events[LISTENERS_MAX];
        int count = epoll_pwait(server->epoll, events, LISTENERS_MAX, -1, waiting);
        for (int i = 0; i < count; i++)
            accept_all(server, events[i].data.ptr);
    }
}

static void finish(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++)
        ph_os_close(server->listeners[i].fd);
    for (size_t i = 0; i < server->reactor_count; i++)
        ph_reactor_stop(server->reactors[i]);
    for (size_t i = 0; i < server->reactor_count; i++)
        ph_reactor_join(server->reactors[i]);
    ph_os_close(server->epoll);
}

int ph_server_run(const struct ph_server_config *config, volatile sig_atomic_t *stop)
{
    struct server server = {.config = config, .epoll = -1};
    sigset_t signals, before;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    ph_os_raise_file_limit();
    bool started = start(&server);
    if (started)
        accept_until(&server, stop, &before);
    finish(&server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started ? 0 : 1;
}
