#include "gateway/gateway.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "delivery/dispatcher.h"
#include "gateway/completer.h"
#include "gateway/proven.h"
#include "os/clock.h"

enum { DRAIN_MS = 2000, PATH_BYTES_MAX = 4096 };

struct ph_gateway {
    pthread_mutex_t lock; /* of view */
    struct ph_view *view;
    struct ph_inbox *inbox;
    struct ph_completer *completer;
    char folder[PATH_BYTES_MAX]; /* of its data, and in it: */
    char proven_path[PATH_BYTES_MAX + sizeof PH_PROVEN_FILE + 1];
    pthread_mutex_t
        waking; /* of dispatcher: the writer's thread wakes it, and it may be ended meanwhile */
    struct ph_dispatcher *dispatcher; /* NULL: not yet, or no more */
    struct ph_slice roots;
    ph_dispatcher_log *log;
    void (*verified_again)(void *log_ctx, const struct ph_gateway_round *round);
    void (*lacks)(void *log_ctx, struct ph_slice endpoint, struct ph_slice field);
    void (*health)(void *log_ctx, const struct ph_inbox_health *health);
    void *log_ctx;
};

/* ---- from the configuration ------------------------------------------------------------------ */

/* What a destination's settings need of memory, for as long as it takes to hand them over. */
struct destinations {
    struct ph_dispatcher_destination list[PH_DESTINATIONS_MAX];
    struct ph_destination_secret secrets[PH_DESTINATIONS_MAX][PH_SECRETS_MAX];
    size_t count;
};

static void translate(const struct ph_config_destination *from, size_t bit, struct destinations *to)
{
    struct ph_destination_secret *secrets = to->secrets[to->count];
    size_t secret_count = 0;
    for (; secret_count < from->secrets.count && secret_count < PH_SECRETS_MAX; secret_count++) {
        const struct ph_config_secret *s = &from->secrets.items[secret_count];
        secrets[secret_count] =
            (struct ph_destination_secret){s->secret.value, s->not_before_ms, s->not_after_ms};
    }
    to->list[to->count++] = (struct ph_dispatcher_destination){
        .number = bit,
        .name = from->entry.name,
        .settings =
            {
                .url = from->url,
                .allow_private = from->allow_private,
                .ca_file = from->tls.ca,
                .certificate_file = from->tls.certificate,
                .key_file = from->tls.key,
                .files_content = from->tls.content,
                .connect_ms = from->timeout.connect_ms,
                .total_ms = from->timeout.total_ms,
                .secrets = secrets,
                .secret_count = secret_count,
                .batches = from->format == PH_CONFIG_BATCH,
                .stream = from->redis.stream,
                .username = from->redis.username,
                .password = from->redis.password.value,
                .stream_length = from->redis.length,
                .agent = PH_S("payhook/" PAYHOOK_VERSION),
            },
        .retry = {from->retry.after_ms.items, from->retry.after_ms.count, from->retry.every_ms,
                  from->retry.for_ms, from->retry.park_ms},
        .concurrency = from->concurrency,
        .rate = from->rate,
        .batch = from->format == PH_CONFIG_BATCH || from->kind == PH_CONFIG_REDIS ? from->batch : 1,
        .ordered = from->ordering == PH_ORDERING_PAYMENT,
    };
}

static void translate_all(const struct ph_view *view, struct destinations *to)
{
    to->count = 0;
    for (size_t bit = 0; bit < view->destination_count; bit++)
        if (view->destinations[bit] != NULL)
            translate(view->destinations[bit], bit, to);
}

static void on_commit(void *ctx, uint64_t destinations)
{
    struct ph_gateway *g = ctx;
    pthread_mutex_lock(&g->waking);
    if (g->dispatcher != NULL)
        ph_dispatcher_wake(g->dispatcher, destinations);
    pthread_mutex_unlock(&g->waking);
}

static void set_dispatcher(struct ph_gateway *g, struct ph_dispatcher *dispatcher)
{
    pthread_mutex_lock(&g->waking);
    g->dispatcher = dispatcher;
    pthread_mutex_unlock(&g->waking);
}

static void on_health(void *ctx, const struct ph_inbox_health *health)
{
    struct ph_gateway *g = ctx;
    if (g->health != NULL)
        g->health(g->log_ctx, health);
}

static void inbox_options(struct ph_gateway *g, const struct ph_view *view, const char *folder,
                          struct ph_inbox_options *ret)
{
    const struct ph_config *c = view->config;
    *ret = (struct ph_inbox_options){
        .folder = folder,
        .destinations = view->names,
        .destination_count = view->destination_count,
        .quarantine_requests = c->quarantine.requests,
        .quarantine_bytes = c->quarantine.bytes,
        .quarantine_age_ms = c->quarantine.age_ms,
        .retention_age_ms = c->retention.age_ms,
        .retention_bytes = c->retention.size_bytes,
        .keys_ms = c->retention.keys_ms,
        .wake = on_commit,
        .wake_ctx = g,
        .health = on_health,
    };
}

/* ---- opening and closing --------------------------------------------------------------------- */

static enum ph_status start_dispatcher(struct ph_gateway *g)
{
    struct destinations *d = calloc(1, sizeof *d);
    struct ph_dispatcher *dispatcher = NULL;
    if (d == NULL)
        return PH_ERR_NO_MEMORY;
    translate_all(g->view, d);
    const struct ph_dispatcher_options options = {.inbox = g->inbox,
                                                  .destinations = d->list,
                                                  .count = d->count,
                                                  .log = g->log,
                                                  .log_ctx = g->log_ctx};
    enum ph_status st = ph_dispatcher_start(&options, &dispatcher);
    free(d); /* it held names of secrets' places only: their bytes are the configuration's */
    set_dispatcher(g, dispatcher);
    return st;
}

static enum ph_status open_inbox(struct ph_gateway *g, char ret_why[PH_INBOX_WHY_BYTES])
{
    struct ph_inbox_options options;
    struct ph_slice data = g->view->config->data;
    if (data.len >= sizeof g->folder) {
        snprintf(ret_why, PH_INBOX_WHY_BYTES, "the path of the data folder is too long");
        return PH_ERR_INVALID;
    }
    memcpy(g->folder, data.ptr, data.len); /* zeroed before */
    inbox_options(g, g->view, g->folder, &options);
    (void)snprintf(g->proven_path, sizeof g->proven_path, "%s/%s", g->folder, PH_PROVEN_FILE);
    return ph_inbox_open(&options, &g->inbox, ret_why);
}

enum ph_status ph_gateway_open(const struct ph_gateway_options *options, struct ph_gateway **ret,
                               char ret_why[PH_INBOX_WHY_BYTES])
{
    struct ph_gateway *g = calloc(1, sizeof *g);
    ret_why[0] = '\0';
    if (g == NULL) {
        ph_view_unref(options->view);
        return PH_ERR_NO_MEMORY;
    }
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_init(&g->waking, NULL);
    g->view = options->view;
    g->roots = options->roots;
    g->log = options->log;
    g->verified_again = options->verified_again;
    g->lacks = options->lacks;
    g->health = options->health;
    g->log_ctx = options->log_ctx;
    enum ph_status st = open_inbox(g, ret_why);
    if (st == PH_OK) {
        if (options->callouts != NULL)
            ph_proven_load(g->proven_path, options->callouts, ph_os_unix_ms());
        g->completer = ph_completer_start(g, options->callouts, options->roots, g->proven_path);
        st = g->completer != NULL ? start_dispatcher(g) : PH_ERR_NO_MEMORY;
    }
    if (st != PH_OK) {
        if (ret_why[0] == '\0')
            snprintf(ret_why, PH_INBOX_WHY_BYTES, "cannot start the gateway: %s",
                     ph_status_text(st));
        ph_gateway_close(g);
        ph_gateway_free(g);
        return st;
    }
    *ret = g;
    return PH_OK;
}

void ph_gateway_close(struct ph_gateway *g)
{
    if (g == NULL)
        return;
    ph_completer_stop(g->completer);
    g->completer = NULL;
    struct ph_dispatcher *dispatcher = g->dispatcher;
    set_dispatcher(g, NULL);
    ph_dispatcher_stop(dispatcher, DRAIN_MS);
    ph_inbox_close(g->inbox);
    g->inbox = NULL;
}

void ph_gateway_free(struct ph_gateway *g)
{
    if (g == NULL)
        return;
    ph_view_unref(g->view);
    pthread_mutex_destroy(&g->waking);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

/* ---- in use ---------------------------------------------------------------------------------- */

struct ph_view *ph_gateway_view(struct ph_gateway *g)
{
    pthread_mutex_lock(&g->lock);
    struct ph_view *view = ph_view_ref(g->view);
    pthread_mutex_unlock(&g->lock);
    return view;
}

enum ph_status ph_gateway_reload(struct ph_gateway *g, struct ph_view *view,
                                 char ret_why[PH_INBOX_WHY_BYTES])
{
    struct ph_inbox_options options;
    struct destinations *d = calloc(1, sizeof *d);
    inbox_options(g, view, NULL, &options);
    enum ph_status st = d != NULL ? ph_inbox_reconfigure(g->inbox, &options) : PH_ERR_NO_MEMORY;
    if (st == PH_OK) {
        translate_all(view, d);
        st = ph_dispatcher_reconfigure(g->dispatcher, d->list, d->count);
    }
    free(d);
    if (st != PH_OK) {
        snprintf(ret_why, PH_INBOX_WHY_BYTES, "the new configuration cannot be used: %s",
                 ph_status_text(st));
        ph_view_unref(view);
        return st;
    }
    pthread_mutex_lock(&g->lock);
    struct ph_view *before = g->view;
    g->view = view;
    pthread_mutex_unlock(&g->lock);
    ph_view_unref(before);
    ph_completer_reverify(g->completer);
    return PH_OK;
}

struct ph_inbox *ph_gateway_inbox(struct ph_gateway *g)
{
    return g->inbox;
}

struct ph_dispatcher *ph_gateway_dispatcher(struct ph_gateway *g)
{
    return g->dispatcher;
}

struct ph_slice ph_gateway_folder(const struct ph_gateway *g)
{
    return ph_slice_str(g->folder);
}

struct ph_slice ph_gateway_roots(const struct ph_gateway *g)
{
    return g->roots;
}

void ph_gateway_reverify(struct ph_gateway *g)
{
    ph_completer_reverify(g->completer);
}

void ph_gateway_work(struct ph_gateway *g)
{
    ph_completer_wake(g->completer);
}

void ph_gateway_counts(struct ph_gateway *g, struct ph_gateway_counts *ret)
{
    ph_completer_counts(g->completer, ret);
}

void ph_gateway_tell_round(struct ph_gateway *g, const struct ph_gateway_round *round)
{
    if (g->verified_again != NULL)
        g->verified_again(g->log_ctx, round);
}

void ph_gateway_tell_lack(struct ph_gateway *g, struct ph_slice endpoint, struct ph_slice field)
{
    if (g->lacks != NULL)
        g->lacks(g->log_ctx, endpoint, field);
}
