#include "client/callouts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/cache.h"
#include "os/clock.h"
#include "os/heap.h"

/* Of a cacheable URL:
 *
 * UNKNOWN -> FETCHING  somebody asks, and few such are under way at its host (L6)
 * FETCHING -> KEPT     2xx, and the body reads: every waiter gets it
 * FETCHING -> as before  it failed: every waiter hears so
 * KEPT -> FETCHING     expired, or somebody wants it fresher: who asks meanwhile waits
 * KEPT -> UNKNOWN      expired, and another needs its place (cache.h), or its host says that it is
 * gone (L7) */
struct waiter {
    struct waiter *next;
    ph_callout_done *done;
    void *ctx;
};

/* A cacheable URL that is being fetched. */
struct pending {
    char *url; /* NULL: the place is free */
    size_t url_len, host_len;
    bool known; /* it is in the cache, or was and has not been put out */
    struct waiter *waiters;
};

/* CLOSED -> OPEN       PH_CALLOUT_FAILURES_MAX failures running
 * OPEN   -> PROBING    the pause is over and somebody asks: one request goes out
 * PROBING -> CLOSED    it answered
 * PROBING -> OPEN      it did not */
struct breaker {
    unsigned failures;
    int64_t paused_until_ms;
    bool probing;
};

struct host {
    char name[PH_CALLOUT_HOST_BYTES_MAX];
    struct breaker known,
        unknown; /* L4: addresses that strangers made up pause nothing but their like */
    int64_t used_ms;
};

struct ph_callouts {
    struct ph_client *client;
    struct ph_callouts_options options;
    struct ph_worker
        *reader;          /* the client's thread's: whether a body reads; NULL until the first */
    pthread_mutex_t lock; /* of what follows */
    struct ph_cache cache;
    bool proven_changed; /* since ph_callouts_proven */
    struct pending pending[PH_CALLOUT_PENDING_MAX];
    struct host hosts[PH_CALLOUT_HOSTS_MAX];
    struct ph_callout_counts counts;
};

/* One fetch in flight. */
struct fetch {
    struct ph_callouts *callouts;
    enum ph_fetch_kind kind;
    struct pending *pending; /* NULL: not cacheable; then: */
    ph_callout_done *done;
    void *ctx;
    char host[PH_CALLOUT_HOST_BYTES_MAX];
};

struct ph_callouts *ph_callouts_new(struct ph_client *client,
                                    const struct ph_callouts_options *options)
{
    struct ph_callouts *callouts = calloc(1, sizeof *callouts);
    if (callouts == NULL)
        return NULL;
    callouts->client = client;
    callouts->options = *options;
    if (callouts->options.connect_ms == 0)
        callouts->options.connect_ms = PH_CALLOUT_CONNECT_MS;
    if (callouts->options.total_ms == 0)
        callouts->options.total_ms = PH_CALLOUT_TOTAL_MS;
    if (callouts->options.now_ms == NULL)
        callouts->options.now_ms = ph_os_steady_ms;
    pthread_mutex_init(&callouts->lock, NULL);
    return callouts;
}

void ph_callouts_free(struct ph_callouts *callouts)
{
    if (callouts == NULL)
        return;
    ph_worker_free(callouts->reader);
    ph_cache_done(&callouts->cache);
    pthread_mutex_destroy(&callouts->lock);
    free(callouts);
}

static void bring(ph_callout_done *done, void *ctx, struct ph_slice body, int64_t age_ms)
{
    done(ctx, &(struct ph_callout_result){.ok = true, .body = body, .age_ms = age_ms});
}

static void fail(ph_callout_done *done, void *ctx, struct ph_slice reason)
{
    done(ctx, &(struct ph_callout_result){.reason = reason});
}

/* ---- how long to keep ------------------------------------------------------------------------ */

/* The number behind `name=` in a comma list of directives; -1: not there. */
static int64_t directive(struct ph_slice list, struct ph_slice name)
{
    for (size_t at = 0; at <= list.len;) {
        size_t end = ph_slice_find(list, PH_S(","), at);
        if (end == SIZE_MAX)
            end = list.len;
        struct ph_slice item = ph_slice_trim(ph_slice_of(list.ptr + at, end - at));
        at = end + 1;
        if (item.len < name.len || !ph_slice_eq_nocase(ph_slice_of(item.ptr, name.len), name))
            continue;
        if (item.len == name.len)
            return 0;
        int64_t number = 0;
        for (size_t i = name.len; i < item.len && number < INT32_MAX; i++) {
            char c = item.ptr[i];
            if (c >= '0' && c <= '9')
                number = number * 10 + (c - '0');
            else if (c != '=' && c != '"')
                return -1;
        }
        return number;
    }
    return -1;
}

int64_t ph_callout_keep_ms(const struct ph_client_response *response)
{
    struct ph_slice control = ph_client_header(response, PH_S("Cache-Control"));
    int64_t seconds = PH_CALLOUT_CACHE_DEFAULT_MS / 1000;
    if (directive(control, PH_S("no-store")) >= 0 || directive(control, PH_S("no-cache")) >= 0) {
        seconds = 0;
    } else if (directive(control, PH_S("max-age")) >= 0) {
        seconds = directive(control, PH_S("max-age"));
        int64_t age = directive(ph_client_header(response, PH_S("Age")), PH_S(""));
        seconds -= age > 0 ? age : 0;
    }
    int64_t ms = seconds * 1000;
    return ms < PH_CALLOUT_CACHE_MIN_MS   ? PH_CALLOUT_CACHE_MIN_MS
           : ms > PH_CALLOUT_CACHE_MAX_MS ? PH_CALLOUT_CACHE_MAX_MS
                                          : ms;
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static bool host_of(struct ph_slice url, char ret[PH_CALLOUT_HOST_BYTES_MAX])
{
    struct ph_slice scheme = PH_S("https://");
    if (!ph_slice_starts(url, scheme))
        return false;
    size_t len = 0;
    while (scheme.len + len < url.len && strchr("/?#", url.ptr[scheme.len + len]) == NULL)
        len++;
    if (len == 0 || len >= PH_CALLOUT_HOST_BYTES_MAX)
        return false;
    memcpy(ret, url.ptr + scheme.len, len);
    ret[len] = '\0';
    return true;
}

/* The host's place; the one longest unused when all are taken. With the lock. */
static struct host *find_host(struct ph_callouts *callouts, const char *name, int64_t now_ms)
{
    struct host *oldest = &callouts->hosts[0];
    for (size_t i = 0; i < PH_CALLOUT_HOSTS_MAX; i++) {
        struct host *h = &callouts->hosts[i];
        if (strcmp(h->name, name) == 0) {
            h->used_ms = now_ms;
            return h;
        }
        if (h->name[0] == '\0' || (oldest->name[0] != '\0' && h->used_ms < oldest->used_ms))
            oldest = h;
    }
    *oldest = (struct host){.used_ms = now_ms};
    memcpy(oldest->name, name, strlen(name) + 1);
    return oldest;
}

static struct breaker *breaker_of(struct ph_callouts *callouts, const char *name, bool known,
                                  int64_t now_ms)
{
    struct host *h = find_host(callouts, name, now_ms);
    return known ? &h->known : &h->unknown;
}

/* With the lock. */
static bool may_ask(struct breaker *b, int64_t now_ms)
{
    if (b->failures < PH_CALLOUT_FAILURES_MAX)
        return true;
    if (now_ms < b->paused_until_ms || b->probing)
        return false;
    b->probing = true;
    return true;
}

/* With the lock. A host that answers, even with an error of its own making below 500, is alive. */
static void note_host(struct breaker *b, bool alive, int64_t now_ms)
{
    b->probing = false;
    b->failures = alive ? 0 : b->failures + 1;
    if (b->failures >= PH_CALLOUT_FAILURES_MAX)
        b->paused_until_ms = now_ms + PH_CALLOUT_PAUSE_MS;
}

/* ---- what is being fetched ------------------------------------------------------------------- */

static struct pending *find_pending(struct ph_callouts *callouts, struct ph_slice url)
{
    for (size_t i = 0; i < PH_CALLOUT_PENDING_MAX; i++) {
        struct pending *p = &callouts->pending[i];
        if (p->url != NULL && ph_slice_eq(ph_slice_of(p->url, p->url_len), url))
            return p;
    }
    return NULL;
}

/* A place for the URL; NULL: none is free, its host has as many unknown ones under way as it may
 * (L6), or no memory. With the lock. */
static struct pending *new_pending(struct ph_callouts *callouts, struct ph_slice url,
                                   size_t host_len, bool known)
{
    struct pending *place = NULL;
    size_t unknown = 0;
    for (size_t i = 0; i < PH_CALLOUT_PENDING_MAX; i++) {
        struct pending *p = &callouts->pending[i];
        if (p->url == NULL)
            place = p;
        else
            unknown += !p->known && ph_slice_eq(ph_slice_of(p->url, p->host_len),
                                                ph_slice_of(url.ptr, host_len));
    }
    if (place == NULL || (!known && unknown >= PH_CALLOUT_UNKNOWN_MAX) ||
        (place->url = malloc(url.len + 1)) == NULL)
        return NULL;
    memcpy(place->url, url.ptr, url.len);
    place->url_len = url.len;
    place->host_len = host_len;
    place->known = known;
    return place;
}

/* Gives the place back; answers who waited. With the lock. */
static struct waiter *end_pending(struct pending *p)
{
    struct waiter *waiters = p->waiters;
    free(p->url);
    *p = (struct pending){0};
    return waiters;
}

static void tell_waiters(struct waiter *list, const struct ph_callout_result *result)
{
    while (list != NULL) {
        struct waiter *w = list;
        list = w->next;
        w->done(w->ctx, result);
        free(w);
    }
}

/* ---- a fetch --------------------------------------------------------------------------------- */

/* The client's thread. */
static bool reads(struct ph_callouts *callouts, enum ph_fetch_kind kind, struct ph_slice body)
{
    if (callouts->reader == NULL)
        callouts->reader = ph_worker_new(&ph_os_heap);
    return callouts->reader != NULL && ph_engine_reads(callouts->reader, kind, body);
}

/* What is wrong with the answer, for a person; absent: nothing. `said` is room for it. */
static struct ph_slice fault_of(struct fetch *f, const struct ph_client_response *response,
                                char said[96])
{
    if (response->result != PH_CLIENT_ANSWERED)
        return response->reason;
    if (response->status < 200 || response->status >= 300) {
        snprintf(said, 96, "the processor's server answered HTTP %d", response->status);
        return ph_slice_str(said);
    }
    if (f->pending != NULL &&
        !reads(f->callouts, f->kind,
               response->body)) /* L5: garbage is no word against the sender */
        return f->kind == PH_FETCH_CERTIFICATE
                   ? PH_S("the processor's server answered what is no certificate")
                   : PH_S("the processor's server answered what is no key set");
    return (struct ph_slice){0};
}

/* Whether the host lives: it answered, if only more than we take or with an error below 500. */
static bool is_alive(const struct ph_client_response *response)
{
    switch (response->result) {
    case PH_CLIENT_ANSWERED:
        return response->status < 500;
    case PH_CLIENT_TOO_LARGE:
    case PH_CLIENT_STOPPED: /* we went, not the host */
        return true;
    default:
        return false;
    }
}

/* It was understood, and is not held against us: who may ask too often, or through whom, is another
 * matter. */
static bool is_denied(const struct ph_client_response *response)
{
    bool ours = response->status == 407 || response->status == 408 || response->status == 429;
    return response->result == PH_CLIENT_ANSWERED && response->status < 500 && !ours;
}

/* With the lock: L7. */
static void forget_gone(struct ph_callouts *callouts, const struct pending *p,
                        const struct ph_client_response *response, int64_t now_ms)
{
    enum { NOT_FOUND = 404, GONE = 410 };
    struct ph_kept *kept = ph_cache_find(&callouts->cache, ph_slice_of(p->url, p->url_len));
    if (kept == NULL || now_ms < kept->expires_ms || response->result != PH_CLIENT_ANSWERED ||
        (response->status != NOT_FOUND && response->status != GONE))
        return;
    callouts->proven_changed = callouts->proven_changed || kept->proven_ms > 0;
    ph_cache_forget(kept);
}

static void fetched(void *ctx, const struct ph_client_response *response)
{
    struct fetch *f = ctx;
    struct ph_callouts *callouts = f->callouts;
    int64_t now_ms = callouts->options.now_ms();
    char said[96];
    struct ph_slice fault = fault_of(f, response, said);
    bool ok = !ph_slice_present(fault);
    const struct ph_callout_result result = {.ok = ok,
                                             .body = ok ? response->body : (struct ph_slice){0},
                                             .reason = fault,
                                             .denied = !ok && is_denied(response)};
    struct waiter *waiters = NULL;
    pthread_mutex_lock(&callouts->lock);
    bool known = f->pending == NULL || f->pending->known;
    note_host(breaker_of(callouts, f->host, known, now_ms), is_alive(response), now_ms);
    *(ok ? &callouts->counts.fetched : &callouts->counts.failed) += 1;
    if (f->pending != NULL) {
        struct pending *p = f->pending;
        if (ok) /* where there is no place for it, it is not kept */
            (void)ph_cache_put(&callouts->cache, ph_slice_of(p->url, p->url_len), p->host_len,
                               result.body, now_ms, now_ms + ph_callout_keep_ms(response));
        else
            forget_gone(callouts, p, response, now_ms);
        waiters = end_pending(p);
    }
    pthread_mutex_unlock(&callouts->lock);
    if (f->pending == NULL)
        f->done(f->ctx, &result);
    tell_waiters(waiters, &result);
    free(f);
}

/* Without the lock: `done` may be called at once. */
static void send(struct ph_callouts *callouts, const struct ph_callout *callout,
                 struct pending *pending, const char *host, ph_callout_done *done, void *ctx)
{
    const struct ph_client_request request = {
        .method = callout->method,
        .url = callout->url,
        .headers = callout->headers,
        .header_count = callout->header_count,
        .body = callout->body,
        .connect_ms = callouts->options.connect_ms,
        .total_ms = callouts->options.total_ms,
        .response_bytes_max = PH_CALLOUT_RESPONSE_BYTES_MAX,
        .https_only = true,
        .allow_private = callouts->options.allow_private,
    };
    bool known = pending == NULL || pending->known; /* ours until it is submitted */
    struct fetch *f = malloc(sizeof *f);
    enum ph_status st = PH_ERR_NO_MEMORY;
    if (f != NULL) {
        *f = (struct fetch){.callouts = callouts,
                            .kind = callout->kind,
                            .pending = pending,
                            .done = done,
                            .ctx = ctx};
        memcpy(f->host, host, strlen(host) + 1);
        st = ph_client_submit(callouts->client, &request, fetched, f);
    }
    if (st == PH_OK)
        return;
    free(f);
    struct ph_slice reason = st == PH_ERR_AGAIN ? PH_S("too many requests of ours are in flight")
                                                : ph_slice_str(ph_status_text(st));
    struct waiter *waiters = NULL;
    pthread_mutex_lock(&callouts->lock);
    breaker_of(callouts, host, known, callouts->options.now_ms())->probing = false;
    callouts->counts.failed++;
    if (pending != NULL)
        waiters = end_pending(pending);
    pthread_mutex_unlock(&callouts->lock);
    if (pending == NULL)
        fail(done, ctx, reason);
    tell_waiters(waiters, &(struct ph_callout_result){.reason = reason});
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool is_cacheable(const struct ph_callout *callout)
{
    return callout->kind == PH_FETCH_CERTIFICATE || callout->kind == PH_FETCH_JWKS;
}

/* What an ask becomes, decided under the lock. */
enum asked { ASK_CACHED, ASK_JOINED, ASK_SEND, ASK_PAUSED, ASK_FULL };

struct decision {
    struct pending *pending; /* SEND: the URL's place; NULL: not cacheable */
    struct ph_slice body;    /* CACHED: a copy, the asker's */
    int64_t age_ms;
};

static enum asked decide(struct ph_callouts *callouts, const struct ph_callout *callout,
                         const char *host, int64_t fresh_ms, struct waiter *waiter, int64_t now_ms,
                         struct decision *ret)
{
    *ret = (struct decision){0};
    if (!is_cacheable(callout))
        return may_ask(breaker_of(callouts, host, true, now_ms), now_ms) ? ASK_SEND : ASK_PAUSED;
    struct ph_kept *kept = ph_cache_find(&callouts->cache, callout->url);
    if (kept != NULL && now_ms < kept->expires_ms && now_ms - kept->fetched_ms <= fresh_ms) {
        /* Copied: the place may be another's as soon as the lock is gone. */
        char *copy = malloc(kept->body_len + 1);
        if (copy == NULL)
            return ASK_FULL;
        memcpy(copy, kept->body, kept->body_len);
        ret->body = ph_slice_of(copy, kept->body_len);
        ret->age_ms = now_ms - kept->fetched_ms;
        return ASK_CACHED;
    }
    struct pending *p = find_pending(callouts, callout->url);
    if (p != NULL) {
        waiter->next = p->waiters;
        p->waiters = waiter;
        return ASK_JOINED;
    }
    size_t host_len = PH_S("https://").len + strlen(host);
    p = new_pending(callouts, callout->url, host_len, kept != NULL);
    if (p == NULL)
        return ASK_FULL;
    if (!may_ask(breaker_of(callouts, host, p->known, now_ms), now_ms)) {
        (void)end_pending(p);
        return ASK_PAUSED;
    }
    waiter->next = NULL;
    p->waiters = waiter;
    ret->pending = p;
    return ASK_SEND;
}

void ph_callouts_ask(struct ph_callouts *callouts, const struct ph_callout *callout,
                     int64_t fresh_ms, ph_callout_done *done, void *ctx)
{
    char host[PH_CALLOUT_HOST_BYTES_MAX];
    if (!host_of(callout->url, host)) {
        fail(done, ctx, PH_S("not an https URL"));
        return;
    }
    struct waiter *waiter = malloc(sizeof *waiter);
    if (waiter == NULL) {
        fail(done, ctx, PH_S("out of memory"));
        return;
    }
    *waiter = (struct waiter){.done = done, .ctx = ctx};
    struct decision decision;
    pthread_mutex_lock(&callouts->lock);
    enum asked asked =
        decide(callouts, callout, host, fresh_ms, waiter, callouts->options.now_ms(), &decision);
    callouts->counts.asked++;
    callouts->counts.cached += asked == ASK_CACHED;
    callouts->counts.joined += asked == ASK_JOINED;
    callouts->counts.paused += asked == ASK_PAUSED;
    callouts->counts.full += asked == ASK_FULL;
    pthread_mutex_unlock(&callouts->lock);
    if (asked == ASK_JOINED || (asked == ASK_SEND && decision.pending != NULL))
        waiter = NULL; /* the URL's place has it */
    free(waiter);
    switch (asked) {
    case ASK_CACHED:
        bring(done, ctx, decision.body, decision.age_ms);
        free((char *)decision.body.ptr);
        break;
    case ASK_JOINED:
        break;
    case ASK_SEND:
        send(callouts, callout, decision.pending, host, done, ctx);
        break;
    case ASK_PAUSED:
        fail(done, ctx, PH_S("the processor's server fails; it is asked again later"));
        break;
    case ASK_FULL:
        fail(done, ctx, PH_S("no room for another fetch"));
        break;
    }
}

bool ph_callouts_peek(struct ph_callouts *callouts, const struct ph_callout *callout,
                      struct ph_arena *arena, struct ph_slice *ret_body, int64_t *ret_age_ms)
{
    struct ph_slice copy = {0};
    if (!is_cacheable(callout))
        return false;
    pthread_mutex_lock(&callouts->lock);
    int64_t now_ms = callouts->options.now_ms();
    const struct ph_kept *kept = ph_cache_find(&callouts->cache, callout->url);
    if (kept != NULL && now_ms < kept->expires_ms) {
        copy = ph_arena_copy(arena, ph_slice_of(kept->body, kept->body_len));
        *ret_age_ms = now_ms - kept->fetched_ms;
        callouts->counts.cached += ph_slice_present(copy);
    }
    pthread_mutex_unlock(&callouts->lock);
    *ret_body = copy;
    return ph_slice_present(copy);
}

bool ph_callouts_knows(struct ph_callouts *callouts, const struct ph_callout *callout)
{
    if (!is_cacheable(callout))
        return true;
    pthread_mutex_lock(&callouts->lock);
    bool knows = ph_cache_find(&callouts->cache, callout->url) != NULL;
    pthread_mutex_unlock(&callouts->lock);
    return knows;
}

void ph_callouts_prove(struct ph_callouts *callouts, struct ph_slice url, int64_t now_ms)
{
    enum { DAY_MS = 24 * 3600 * 1000 };
    pthread_mutex_lock(&callouts->lock);
    struct ph_kept *kept = ph_cache_find(&callouts->cache, url);
    if (kept != NULL && (kept->proven_ms == 0 || now_ms - kept->proven_ms >= DAY_MS)) {
        kept->proven_ms = now_ms;
        callouts->proven_changed = true;
    }
    pthread_mutex_unlock(&callouts->lock);
}

bool ph_callouts_proven(struct ph_callouts *callouts, struct ph_arena *arena,
                        struct ph_proven **ret, size_t *ret_count)
{
    struct ph_proven *list = ph_arena_alloc(arena, PH_CALLOUT_CACHE_MAX * sizeof *list);
    size_t count = 0;
    bool good = list != NULL;
    pthread_mutex_lock(&callouts->lock);
    bool changed = callouts->proven_changed;
    for (size_t i = 0; changed && good && i < PH_CALLOUT_CACHE_MAX; i++) {
        const struct ph_kept *k = &callouts->cache.places[i];
        if (k->url == NULL || k->proven_ms == 0)
            continue;
        list[count] =
            (struct ph_proven){ph_arena_copy(arena, ph_slice_of(k->url, k->url_len)), k->proven_ms};
        good = ph_slice_present(list[count++].url);
    }
    callouts->proven_changed = changed && !good;
    pthread_mutex_unlock(&callouts->lock);
    if (!changed || !good)
        return false;
    *ret = list;
    *ret_count = count;
    return true;
}

void ph_callouts_proven_again(struct ph_callouts *callouts)
{
    pthread_mutex_lock(&callouts->lock);
    callouts->proven_changed = true;
    pthread_mutex_unlock(&callouts->lock);
}

void ph_callouts_recall(struct ph_callouts *callouts, const struct ph_proven *proven)
{
    char host[PH_CALLOUT_HOST_BYTES_MAX];
    if (!host_of(proven->url, host))
        return;
    pthread_mutex_lock(&callouts->lock);
    (void)ph_cache_recall(&callouts->cache, proven->url, PH_S("https://").len + strlen(host),
                          proven->at_ms);
    pthread_mutex_unlock(&callouts->lock);
}

void ph_callouts_counts(struct ph_callouts *callouts, struct ph_callout_counts *ret_counts)
{
    pthread_mutex_lock(&callouts->lock);
    *ret_counts = callouts->counts;
    pthread_mutex_unlock(&callouts->lock);
}
