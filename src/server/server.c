/* The acceptor: listens, deals, stops. */
#include "server/server.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/limits.h"
#include "client/callouts.h"
#include "gateway/gateway.h"
#include "http/counters.h"
#include "os/clock.h"
#include "os/heap.h"
#include "os/socket.h"
#include "os/tls.h"
#include "server/admin.h"
#include "server/loop.h"
#include "server/watch.h"

enum { LISTENERS_MAX = 3 };

struct listener {
    int fd;
    char bound[PH_OS_ADDRESS_TEXT_BYTES]; /* the address that it got */
    enum ph_reactor_site site;
    struct ph_tls_context *tls;   /* NULL: plain */
    struct ph_tls_context *fresh; /* of a configuration that is not in use yet; NULL: none */
};

struct server {
    const struct ph_server_config *config;
    struct listener listeners[LISTENERS_MAX];
    size_t listener_count;
    struct ph_client *client; /* NULL, as the next: no callouts are made */
    struct ph_callouts *callouts;
    struct ph_gateway *gateway;       /* NULL: none */
    struct ph_view *view;             /* the configuration in use */
    struct ph_arena kept;             /* of the next */
    const struct ph_config *at_start; /* what takes a restart, as it runs; NULL: no memory for it */
    struct ph_admin *admin;           /* NULL: none */
    struct ph_reactor *reactors[PH_THREADS_MAX];
    size_t reactor_count;
    int epoll;
    int reserve;                 /* see shed */
    struct ph_counters counters; /* the acceptor's own */
    struct ph_counter_set counter_set;
    struct ph_watch watch;
};

/* ---- start ----------------------------------------------------------------------------------- */

static void say_reload(struct ph_log *log, enum ph_log_severity severity, const char *what,
                       struct ph_slice state, struct ph_slice text)
{
    struct ph_log_line line;
    if (!ph_log_open(log, severity, PH_S("reload"), &line))
        return;
    ph_log_text(&line, what, state);
    ph_log_ours(&line, "text", text);
    ph_log_write(log, &line);
}

/* NULL: no configuration says anything of it. */
static const struct ph_config_listener *settings_of(const struct listener *listener,
                                                    const struct ph_config *c)
{
    return listener->site == PH_SITE_ADMIN      ? NULL
           : listener->site == PH_SITE_WEBHOOKS ? &c->webhooks
                                                : &c->service;
}

static const char *text_of(struct ph_slice text)
{
    return text.len > 0 ? text.ptr : NULL; /* the configuration's texts end with a NUL */
}

static enum ph_status read_certificates(const struct ph_config_tls *tls,
                                        struct ph_tls_context **ret, char ret_why[PH_TLS_WHY_BYTES])
{
    const struct ph_tls_files files = {text_of(tls->certificate), text_of(tls->key),
                                       text_of(tls->ca)};
    return ph_tls_context_new(&files, ret, ret_why);
}

static bool add_listener(struct server *server, const char *address, enum ph_reactor_site site)
{
    struct listener *listener = &server->listeners[server->listener_count];
    errno = 0;
    if (ph_os_listen(address, &listener->fd, listener->bound) != PH_OK) {
        fprintf(stderr, "payhook: cannot listen on %s: %s\n", address, strerror(errno));
        return false;
    }
    listener->site = site;
    server->listener_count++;
    const struct ph_config_tls *tls = &settings_of(listener, server->view->config)->tls;
    char why[PH_TLS_WHY_BYTES];
    if (tls->certificate.len > 0 && read_certificates(tls, &listener->tls, why) != PH_OK) {
        fprintf(stderr, "payhook: %s\n", why);
        return false;
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};
    if (epoll_ctl(server->epoll, EPOLL_CTL_ADD, listener->fd, &event) != 0)
        return false;
    return true;
}

/* The admin API's socket: for the user that we run as. */
static bool add_admin_socket(struct server *server)
{
    const char *path = server->config->admin_socket;
    struct listener *listener = &server->listeners[server->listener_count];
    if (server->admin == NULL || path == NULL)
        return true;
    errno = 0;
    if (ph_os_listen_unix(path, &listener->fd) != PH_OK) {
        fprintf(stderr, "payhook: cannot listen on %s: %s (admin.socket; none: off)\n", path,
                errno == EADDRINUSE ? "another process answers there" : strerror(errno));
        return false;
    }
    listener->site = PH_SITE_ADMIN;
    server->listener_count++;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = listener};
    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, listener->fd, &event) == 0;
}

static void add_counters(struct server *server, const struct ph_counters *counters)
{
    size_t count = atomic_load_explicit(&server->counter_set.count, memory_order_relaxed);
    server->counter_set.of[count] = counters;
    atomic_store_explicit(&server->counter_set.count, count + 1, memory_order_release);
}

static void add_tally(struct server *server, const struct ph_tally *tally)
{
    size_t count = atomic_load_explicit(&server->watch.tally_count, memory_order_relaxed);
    server->watch.tallies[count] = tally;
    atomic_store_explicit(&server->watch.tally_count, count + 1, memory_order_release);
}

static bool start_reactors(struct server *server)
{
    const struct ph_reactor_shared shared = {server->config, server->callouts,     server->gateway,
                                             server->admin,  &server->counter_set, &server->watch,
                                             server->view};
    add_counters(server, &server->counters);
    while (server->reactor_count < server->config->threads) {
        struct ph_reactor *reactor = ph_reactor_start(&shared);
        if (reactor == NULL) {
            fprintf(stderr, "payhook: cannot start a thread: out of memory or threads\n");
            return false;
        }
        server->reactors[server->reactor_count++] = reactor;
        add_counters(server, ph_reactor_counters(reactor));
        add_tally(server, ph_reactor_tally(reactor));
    }
    return true;
}

/* Its thread starts with the first callout. */
static bool start_callouts(struct server *server)
{
    const struct ph_server_config *config = server->config;
    if (!config->callouts)
        return true;
    server->client = ph_client_new(
        &(struct ph_client_options){.ca_file = config->ca_file, .connect_to = config->egress});
    if (server->client != NULL)
        server->callouts = ph_callouts_new(
            server->client, &(struct ph_callouts_options){.allow_private = config->egress != NULL});
    if (server->callouts == NULL)
        fprintf(stderr, "payhook: out of memory\n");
    return server->callouts != NULL;
}

static void log_delivery(void *ctx, const struct ph_dispatcher_news *news)
{
    struct ph_log_line line;
    if (!ph_log_open(ctx, news->warning ? PH_SEVERITY_WARNING : PH_SEVERITY_INFO, PH_S("delivery"),
                     &line))
        return;
    ph_log_text(&line, "destination", news->destination);
    if (news->delivery != 0)
        ph_log_number(&line, "delivery", news->delivery);
    ph_log_text(&line, "text", news->text);
    ph_log_write(ctx, &line);
}

static void log_round(void *ctx, const struct ph_gateway_round *round)
{
    struct ph_log_line line;
    if (!ph_log_open(ctx, PH_SEVERITY_INFO, PH_S("quarantine verified again"), &line))
        return;
    ph_log_number(&line, "requests", (int64_t)round->looked_at);
    ph_log_number(&line, "accepted", (int64_t)round->accepted);
    ph_log_number(&line, "known", (int64_t)round->known);
    ph_log_number(&line, "pending", (int64_t)round->pending);
    ph_log_number(&line, "refused", (int64_t)round->refused);
    ph_log_number(&line, "skipped", (int64_t)round->skipped);
    ph_log_write(ctx, &line);
}

static void log_health(void *ctx, const struct ph_inbox_health *health)
{
    struct ph_log_line line;
    bool is_well = !health->ailing && !health->failed;
    if (!ph_log_open(ctx, is_well ? PH_SEVERITY_INFO : PH_SEVERITY_ERROR, PH_S("inbox"), &line))
        return;
    ph_log_text(&line, "state",
                is_well          ? PH_S("healthy")
                : health->failed ? PH_S("failed")
                                 : PH_S("ailing"));
    if (!is_well)
        ph_log_text(&line, "text", ph_slice_str(health->why));
    ph_log_write(ctx, &line);
}

static void log_lack(void *ctx, struct ph_slice endpoint, struct ph_slice field)
{
    struct ph_log_line line;
    if (!ph_log_open(ctx, PH_SEVERITY_WARNING, PH_S("thin events are held"), &line))
        return;
    ph_log_text(&line, "endpoint", endpoint);
    ph_log_text(&line, "lacks", field);
    ph_log_text(&line, "text",
                PH_S("they cannot be fetched without this field of the endpoint's config"));
    ph_log_write(ctx, &line);
}

_Static_assert((int)PH_LOG_ERROR == (int)PH_SEVERITY_ERROR &&
                   (int)PH_LOG_DEBUG == (int)PH_SEVERITY_DEBUG,
               "the configuration's words are the log's");

static bool start_log(struct server *server)
{
    const struct ph_config *c = server->view->config;
    server->watch.log = ph_log_start(STDERR_FILENO, c->log.format == PH_LOG_JSON,
                                     (enum ph_log_severity)c->log.level);
    if (server->watch.log == NULL)
        fprintf(stderr, "payhook: cannot start a thread: out of memory or threads\n");
    return server->watch.log != NULL;
}

static bool start_gateway(struct server *server)
{
    const struct ph_server_config *config = server->config;
    char why[PH_INBOX_WHY_BYTES];
    if (!start_log(server))
        return false;
    if (config->dev || config->listen_webhooks == NULL)
        return true;
    const struct ph_gateway_options options = {.view = ph_view_ref(server->view),
                                               .callouts = server->callouts,
                                               .roots = config->roots,
                                               .log = log_delivery,
                                               .verified_again = log_round,
                                               .lacks = log_lack,
                                               .health = log_health,
                                               .log_ctx = server->watch.log};
    if (ph_gateway_open(&options, &server->gateway, why) != PH_OK) {
        fprintf(stderr, "payhook: %s\n", why);
        return false;
    }
    server->admin = ph_admin_start(server->gateway);
    if (server->admin == NULL)
        fprintf(stderr, "payhook: cannot start the admin API: out of memory or threads\n");
    return server->admin != NULL;
}

/* What a newcomer wants to know: where to post to, where it is kept, who is told. */
static void say_gateway(struct server *server, const char *bound)
{
    struct ph_view *view = ph_gateway_view(server->gateway);
    const struct ph_config *c = view->config;
    const char *scheme = c->webhooks.tls.certificate.len > 0 ? "https" : "http";
    for (size_t i = 0; i < c->endpoints.count; i++) {
        const struct ph_config_endpoint *e = &c->endpoints.items[i];
        printf("endpoint %.*s: POST %s://%s/webhooks/%.*s (%.*s)\n", (int)e->entry.name.len,
               e->entry.name.ptr, scheme, bound, (int)e->entry.name.len, e->entry.name.ptr,
               (int)e->connector.len, e->connector.ptr);
    }
    if (c->endpoints.count == 0)
        printf("no endpoints: nothing can be received; see docs/config.md\n");
    for (size_t i = 0; i < c->destinations.count; i++)
        printf("destination %.*s\n", (int)c->destinations.items[i].entry.name.len,
               c->destinations.items[i].entry.name.ptr);
    if (c->destinations.count == 0)
        printf("no destinations: events are kept, and told to nobody; see docs/config.md\n");
    printf("inbox in %.*s\n", (int)c->data.len, c->data.ptr);
    ph_view_unref(view);
}

/* What came of the start, once all of it has come. */
static void tell_started(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        const struct listener *listener = &server->listeners[i];
        bool webhooks = listener->site == PH_SITE_WEBHOOKS;
        if (listener->site == PH_SITE_ADMIN) {
            printf("admin API on %s\n", server->config->admin_socket);
            continue;
        }
        if (webhooks && server->config->dev)
            printf("NOT DURABLE: dev mode prints webhooks and keeps none\n");
        printf("listening on %s (%s%s)\n", listener->bound, webhooks ? "webhooks" : "event service",
               listener->tls != NULL ? ", TLS" : "");
        if (webhooks && server->gateway != NULL)
            say_gateway(server, listener->bound);
    }
    fflush(stdout);
}

static bool start(struct server *server)
{
    const struct ph_server_config *config = server->config;
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll < 0)
        return false;
    if (!start_callouts(server) || !start_gateway(server) || !start_reactors(server))
        return false;
    if (config->listen != NULL && !add_listener(server, config->listen, PH_SITE_CALLS))
        return false;
    if (config->listen_webhooks != NULL &&
        !add_listener(server, config->listen_webhooks, PH_SITE_WEBHOOKS))
        return false;
    if (!add_admin_socket(server))
        return false;
    tell_started(server);
    return true;
}

/* ---- run ------------------------------------------------------------------------------------- */

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

/* Out of files the kernel would tell of the same connection again and again: one file kept in
 * reserve takes it, so that it can be closed. */
static void shed(struct server *server, struct listener *listener)
{
    int fd = -1;
    ph_os_close(server->reserve);
    if (ph_os_accept(listener->fd, &fd) == PH_OK)
        ph_os_close(fd);
    server->reserve = ph_os_reserve_file();
    ph_count(&server->counters.limit_descriptors);
}

static void deal(struct server *server, const struct listener *listener, int fd)
{
    size_t total = 0;
    struct ph_tls *tls = NULL;
    struct ph_reactor *reactor = least_loaded(server, &total);
    size_t spare = listener->site == PH_SITE_ADMIN ? PH_ADMIN_CONNECTIONS_SPARE : 0;
    if (total >= server->config->connections_max + spare) {
        ph_count(&server->counters.limit_connections);
        ph_os_close(fd);
        return;
    }
    if (listener->tls != NULL && (tls = ph_tls_new(listener->tls, fd)) == NULL) {
        ph_count(&server->counters.limit_memory);
        ph_os_close(fd);
        return;
    }
    if (!ph_reactor_deal(reactor, fd, tls, listener->site))
        ph_count(&server->counters.limit_dealt);
}

static void accept_all(struct server *server, struct listener *listener)
{
    enum { AT_ONCE = 64 };
    for (int i = 0; i < AT_ONCE; i++) {
        int fd = -1;
        enum ph_status st = ph_os_accept(listener->fd, &fd);
        if (st == PH_ERR_NO_MEMORY)
            shed(server, listener);
        else if (st != PH_OK)
            return;
        else
            deal(server, listener, fd);
    }
}

/* ---- another configuration ------------------------------------------------------------------- */

/* Whether one asks for less than the other. */
static bool gives_up(const struct ph_config_listener *before, const struct ph_config_listener *now)
{
    return (before->token.value.len > 0 && now->token.value.len == 0) ||
           (before->tls.ca.len > 0 && now->tls.ca.len == 0) ||
           (before->tls.certificate.len > 0 && now->tls.certificate.len == 0);
}

/* What is safe at an address is said of the one that the configuration names, and a listener stays
 * where it was at the start. */
static bool is_safe_where_it_is(const struct server *server, const struct listener *listener,
                                const struct ph_config *before, const struct ph_config *now,
                                char ret_why[PH_INBOX_WHY_BYTES])
{
    bool webhooks = listener->site == PH_SITE_WEBHOOKS;
    const struct ph_config_listener *settings = settings_of(listener, now);
    const char *address = webhooks ? server->config->listen_webhooks : server->config->listen;
    if (settings->insecure || ph_slice_eq(settings->listen, ph_slice_str(address)) ||
        !gives_up(settings_of(listener, before), settings))
        return true;
    (void)snprintf(ret_why, PH_INBOX_WHY_BYTES,
                   "%s.listen takes a restart, and a token or tls that goes with it would be "
                   "missing at %s until then",
                   webhooks ? "webhooks" : "service", address);
    return false;
}

/* Whether TLS asks for what whoever is connected already was not asked for. */
static bool asks_more(const struct ph_config_tls *before, const struct ph_config_tls *now)
{
    return (before->certificate.len == 0 && now->certificate.len > 0) ||
           (now->ca.len > 0 && !ph_slice_eq(before->ca, now->ca));
}

/* By listener: those that are connected are to come again. */
static unsigned leaving(const struct server *server, const struct ph_config *before,
                        const struct ph_config *now)
{
    unsigned sites = 0;
    for (size_t i = 0; i < server->listener_count; i++) {
        const struct listener *listener = &server->listeners[i];
        const struct ph_config_listener *settings = settings_of(listener, now);
        if (settings != NULL && asks_more(&settings_of(listener, before)->tls, &settings->tls))
            sites |= 1U << listener->site;
    }
    return sites;
}

static bool same_files(const struct ph_config_tls *a, const struct ph_config_tls *b)
{
    return ph_slice_eq(a->certificate, b->certificate) && ph_slice_eq(a->key, b->key) &&
           ph_slice_eq(a->ca, b->ca);
}

/* Reads the certificates that another configuration names. False: it cannot be taken, and ret_why
 * says why. */
static bool prepare(struct server *server, const struct ph_config *before,
                    const struct ph_config *now, char ret_why[PH_INBOX_WHY_BYTES])
{
    for (size_t i = 0; i < server->listener_count; i++) {
        struct listener *listener = &server->listeners[i];
        const struct ph_config_listener *settings = settings_of(listener, now);
        char why[PH_TLS_WHY_BYTES];
        if (settings == NULL)
            continue;
        if (!is_safe_where_it_is(server, listener, before, now, ret_why))
            return false;
        if (settings->tls.certificate.len == 0 ||
            same_files(&settings_of(listener, before)->tls, &settings->tls))
            continue;
        if (read_certificates(&settings->tls, &listener->fresh, why) != PH_OK) {
            (void)snprintf(ret_why, PH_INBOX_WHY_BYTES, "%s", why);
            return false;
        }
    }
    return true;
}

static void forget_prepared(struct server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        ph_tls_context_free(server->listeners[i].fresh);
        server->listeners[i].fresh = NULL;
    }
}

/* For those who come from now on: by the configuration in use. Its files may have other content,
 * too; when that is wrong, what they held stays. */
static void renew_certificates(struct listener *listener, const struct ph_config *c,
                               struct ph_log *log)
{
    const struct ph_config_listener *settings = settings_of(listener, c);
    char why[PH_TLS_WHY_BYTES];
    if (settings == NULL)
        return;
    bool has_tls = settings->tls.certificate.len > 0;
    if (has_tls && listener->fresh == NULL &&
        read_certificates(&settings->tls, &listener->fresh, why) != PH_OK) {
        say_reload(log, PH_SEVERITY_ERROR, "certificates", PH_S("kept"), ph_slice_str(why));
        return;
    }
    ph_tls_context_free(listener->tls);
    listener->tls = listener->fresh;
    listener->fresh = NULL;
    if (has_tls)
        say_reload(log, PH_SEVERITY_INFO, "certificates", PH_S("read"),
                   listener->site == PH_SITE_WEBHOOKS ? PH_S("webhooks") : PH_S("event service"));
}

/* Takes the new one, with a reference. False: the old one stays, and ret_why says why. */
static bool use_view(struct server *server, struct ph_view *view, char ret_why[PH_INBOX_WHY_BYTES])
{
    const struct ph_config *c = view->config;
    if (!prepare(server, server->view->config, c, ret_why) ||
        (server->gateway != NULL &&
         ph_gateway_reload(server->gateway, ph_view_ref(view), ret_why) != PH_OK)) {
        forget_prepared(server);
        ph_view_unref(view);
        return false;
    }
    for (size_t i = 0; i < server->reactor_count; i++)
        ph_reactor_set_view(server->reactors[i], view, leaving(server, server->view->config, c));
    ph_log_configure(server->watch.log, c->log.format == PH_LOG_JSON,
                     (enum ph_log_severity)c->log.level);
    ph_view_unref(server->view);
    server->view = view;
    return true;
}

/* Paths of settings, never their values; as many as a line holds. `restart`: of those that wait for
 * one. */
static void tell_settings(struct ph_log_line *line, const struct ph_config_changes *changes,
                          bool restart)
{
    char text[PH_LOG_OURS_BYTES_MAX];
    size_t len = 0;
    for (size_t i = 0; i < changes->count; i++) {
        const struct ph_config_change *c = &changes->list[i];
        size_t before = len > 0 ? 1 : 0;
        if (restart != c->restart || c->path.len + before > sizeof text - len)
            continue;
        if (before > 0)
            text[len++] = ',';
        memcpy(text + len, c->path.ptr, c->path.len);
        len += c->path.len;
    }
    ph_log_ours(line, restart ? "restart_for" : "settings", ph_slice_of(text, len));
}

static void tell_reload(struct server *server, const struct ph_view *before,
                        const struct ph_view *now)
{
    struct ph_log_line line;
    struct ph_arena arena;
    struct ph_config_changes changes = {0}, waiting = {0};
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    if (ph_config_diff(before->config, now->config, &arena, &changes) != PH_OK)
        changes = (struct ph_config_changes){0};
    if (server->at_start == NULL ||
        ph_config_restart_diff(server->at_start, now->config, &arena, &waiting) != PH_OK)
        waiting = (struct ph_config_changes){0};
    if (ph_log_open(server->watch.log, waiting.restart ? PH_SEVERITY_WARNING : PH_SEVERITY_INFO,
                    PH_S("reload"), &line)) {
        ph_log_text(&line, "configuration", PH_S("read"));
        ph_log_number(&line, "changed", (int64_t)changes.count);
        tell_settings(&line, &changes, false);
        tell_settings(&line, &waiting, true);
        ph_log_write(server->watch.log, &line);
    }
    ph_arena_done(&arena);
}

/* What is wrong with a new configuration has been said, and the old one stays. */
static void reload_configuration(struct server *server)
{
    struct ph_log *log = server->watch.log;
    char why[PH_INBOX_WHY_BYTES] = "what is wrong stands above";
    struct ph_view *before = ph_view_ref(server->view);
    struct ph_view *view = server->config->load(server->config->load_ctx, before, log);
    bool good = view != NULL && use_view(server, view, why);
    ph_watch_reloaded(&server->watch, good);
    if (good)
        tell_reload(server, before, server->view);
    else
        say_reload(log, PH_SEVERITY_ERROR, "configuration", PH_S("kept"), ph_slice_str(why));
    ph_view_unref(before);
}

static void reload(struct server *server)
{
    reload_configuration(server);
    for (size_t i = 0; i < server->listener_count; i++)
        renew_certificates(&server->listeners[i], server->view->config, server->watch.log);
}

/* Signals come through only while it waits: none is lost between the look at *signals and the wait.
 */
static void accept_until_stopped(struct server *server, struct ph_server_signals *signals,
                                 const sigset_t *waiting)
{
    while (signals->stop == 0) {
        struct epoll_event events[LISTENERS_MAX];
        int count = epoll_pwait(server->epoll, events, LISTENERS_MAX, -1, waiting);
        for (int i = 0; i < count; i++)
            accept_all(server, events[i].data.ptr);
        if (signals->reload != 0) {
            signals->reload = 0;
            reload(server);
        }
    }
}

static void tell_end(struct server *server, struct ph_slice state, const char *key, int64_t number)
{
    struct ph_log_line line;
    if (!ph_log_open(server->watch.log, PH_SEVERITY_INFO, PH_S("shutdown"), &line))
        return;
    ph_log_text(&line, "state", state);
    ph_log_number(&line, key, number);
    ph_log_write(server->watch.log, &line);
}

static void finish(struct server *server, bool started)
{
    int64_t began_ms = ph_os_steady_ms();
    size_t connections = 0;
    if (started) {
        (void)least_loaded(server, &connections);
        tell_end(server, PH_S("draining"), "connections", (int64_t)connections);
    }
    for (size_t i = 0; i < server->listener_count; i++) {
        ph_os_close(server->listeners[i].fd);
        ph_tls_context_free(server->listeners[i].tls);
        if (server->listeners[i].site == PH_SITE_ADMIN)
            ph_os_unlisten_unix(server->config->admin_socket);
    }
    ph_admin_drain(server->admin);
    for (size_t i = 0; i < server->reactor_count; i++)
        ph_reactor_stop(server->reactors[i]);
    for (size_t i = 0; i < server->reactor_count; i++)
        ph_reactor_join(server->reactors[i]);
    ph_admin_stop(server->admin);
    ph_gateway_close(server->gateway); /* the last commits: their tickets are the reactors' */
    ph_client_free(server->client); /* ends what is asked still: the reactors' tables hear of it */
    ph_callouts_free(server->callouts);
    for (size_t i = 0; i < server->reactor_count; i++)
        ph_reactor_free(server->reactors[i]);
    ph_gateway_free(server->gateway);
    ph_view_unref(server->view);
    if (started)
        tell_end(server, PH_S("finished"), "ms", ph_os_steady_ms() - began_ms);
    ph_log_stop(server->watch.log);
    ph_os_close(server->reserve);
    ph_os_close(server->epoll);
}

int ph_server_run(const struct ph_server_config *config, struct ph_view *view,
                  struct ph_server_signals *signals)
{
    struct server server = {
        .config = config, .view = view, .epoll = -1, .reserve = ph_os_reserve_file()};
    sigset_t ours, before;
    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGTERM);
    sigaddset(&ours, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &ours, &before);
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that may be closed */
    (void)signal(
        SIGXFSZ,
        SIG_IGN); /* a file that may not grow is a disk that is full: an error, and no end */
    ph_os_raise_file_limit();
    ph_arena_init(&server.kept, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    server.at_start = ph_config_keep_restart(view->config, &server.kept);
    bool started = start(&server);
    if (started)
        accept_until_stopped(&server, signals, &before);
    finish(&server, started);
    ph_arena_done(&server.kept);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started ? 0 : 1;
}
