#include "client/callouts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "os/clock.h"

/* ABSENT -> FETCHING   somebody asks
 * FETCHING -> KEPT     2xx: every waiter gets the body
 * FETCHING -> ABSENT   it failed: every waiter hears so
 * KEPT -> FETCHING     expired, or somebody wants it fresher: who asks meanwhile waits */
struct waiter {
    struct waiter *next;
    ph_callout_done *done;
    void *ctx;
};

struct entry {
    char *url; /* NULL: the place is free */
    size_t url_len;
    char *body; /* NULL: none kept */
    size_t body_len;
    int64_t fetched_ms, expires_ms, used_ms;
    bool fetching;
    struct waiter *waiters;
};

struct host {
    char name[PH_CALLOUT_HOST_BYTES_MAX];
    unsigned failures;
    int64_t paused_until_ms;
    bool probing;
    int64_t used_ms;
};

struct ph_callouts {
    struct ph_client *client;
    struct ph_callouts_options options;
    pthread_mutex_t lock; /* of what follows */
    struct entry entries[PH_CALLOUT_CACHE_MAX];
    struct host hosts[PH_CALLOUT_HOSTS_MAX];
    struct ph_callout_counts counts;
};

/* One fetch in flight. */
struct fetch {
    struct ph_callouts *callouts;
    struct entry *entry; /* NULL: not cacheable; then: */
    ph_callout_done *done;
    void *ctx;
    char host[PH_CALLOUT_HOST_BYTES_MAX];
};

struct ph_callouts *ph_callouts_new(struct ph_client *client, const struct ph_callouts_options *options)
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

static void clear_entry(struct entry *e)
{
    free(e->url);
    free(e->body);
    *e = (struct entry){0};
}

void ph_callouts_free(struct ph_callouts *callouts)
{
    if (callouts == NULL)
        return;
    for (size_t i = 0; i < PH_CALLOUT_CACHE_MAX; i++)
        clear_entry(&callouts->entries[i]);
    pthread_mutex_destroy(&callouts->lock);
    free(callouts);
}

static void answer(ph_callout_done *done, void *ctx, bool ok, struct ph_slice text, int64_t age_ms)
{
    struct ph_callout_result result = {.ok = ok,
                                       .body = ok ? text : (struct ph_slice){0},
                                       .reason = ok ? (struct ph_slice){0} : text,
                                       .age_ms = age_ms};
    done(ctx, &result);
}

/* ---- how long to keep -------------------------------------------------------------------------- */

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

/* ---- hosts --------------------------------------------------------------------------------------- */

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

/* With the lock. */
static bool may_ask(struct ph_callouts *callouts, const char *name, int64_t now_ms)
{
    struct host *h = find_host(callouts, name, now_ms);
    if (h->failures < PH_CALLOUT_FAILURES_MAX)
        return true;
    if (now_ms < h->paused_until_ms || h->probing)
        return false;
    h->probing = true;
    return true;
}

/* With the lock. A host that answers, even with an error of its own making below 500, is alive. */
static void note_host(struct ph_callouts *callouts, const char *name, bool alive, int64_t now_ms)
{
    struct host *h = find_host(callouts, name, now_ms);
    h->probing = false;
    h->failures = alive ? 0 : h->failures + 1;
    if (h->failures >= PH_CALLOUT_FAILURES_MAX)
        h->paused_until_ms = now_ms + PH_CALLOUT_PAUSE_MS;
}

/* ---- entries ------------------------------------------------------------------------------------- */

/* The URL's place, a free one for it, or NULL: all are being fetched, or no memory. With the lock. */
static struct entry *find_entry(struct ph_callouts *callouts, struct ph_slice url)
{
    struct entry *best = NULL;
    for (size_t i = 0; i < PH_CALLOUT_CACHE_MAX; i++) {
        struct entry *e = &callouts->entries[i];
        if (e->url != NULL && ph_slice_eq(ph_slice_of(e->url, e->url_len), url))
            return e;
        if (!e->fetching && (best == NULL || (best->url != NULL && (e->url == NULL || e->used_ms < best->used_ms))))
            best = e;
    }
    char *copy = best != NULL ? malloc(url.len + 1) : NULL;
    if (copy == NULL)
        return NULL;
    memcpy(copy, url.ptr, url.len);
    clear_entry(best);
    best->url = copy;
    best->url_len = url.len;
    return best;
}

static void tell_waiters(struct waiter *list, bool ok, struct ph_slice text)
{
    while (list != NULL) {
        struct waiter *w = list;
        list = w->next;
        answer(w->done, w->ctx, ok, text, 0);
        free(w);
    }
}

/* ---- a fetch ---------------------------------------------------------------------------------------- */

static void fetched(void *ctx, const struct ph_client_response *response)
{
    struct fetch *f = ctx;
    struct ph_callouts *callouts = f->callouts;
    int64_t now_ms = callouts->options.now_ms();
    bool ok = response->result == PH_CLIENT_ANSWERED && response->status >= 200 && response->status < 300;
    bool alive = response->result == PH_CLIENT_ANSWERED && response->status < 500;
    char said[96];
    struct ph_slice text = ok ? response->body : response->reason;
    struct waiter *waiters = NULL;
    if (response->result == PH_CLIENT_ANSWERED && !ok) {
        snprintf(said, sizeof said, "the processor's server answered HTTP %d", response->status);
        text = ph_slice_str(said);
    }
    pthread_mutex_lock(&callouts->lock);
    note_host(callouts, f->host, alive || response->result == PH_CLIENT_STOPPED, now_ms);
    *(ok ? &callouts->counts.fetched : &callouts->counts.failed) += 1;
    if (f->entry != NULL) {
        waiters = f->entry->waiters;
        f->entry->waiters = NULL;
        f->entry->fetching = false;
        char *copy = ok ? malloc(text.len + 1) : NULL;
        if (copy != NULL) {
            memcpy(copy, text.ptr, text.len);
            free(f->entry->body);
            f->entry->body = copy;
            f->entry->body_len = text.len;
            f->entry->fetched_ms = f->entry->used_ms = now_ms;
            f->entry->expires_ms = now_ms + ph_callout_keep_ms(response);
        }
    }
    pthread_mutex_unlock(&callouts->lock);
    if (f->entry == NULL)
        answer(f->done, f->ctx, ok, text, 0);
    tell_waiters(waiters, ok, text);
    free(f);
}

/* Without the lock: `done` may be called at once. */
static void send(struct ph_callouts *callouts, const struct ph_callout *callout, struct entry *entry,
                 const char *host, ph_callout_done *done, void *ctx)
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
    struct fetch *f = malloc(sizeof *f);
    enum ph_status st = PH_ERR_NO_MEMORY;
    if (f != NULL) {
        *f = (struct fetch){.callouts = callouts, .entry = entry, .done = done, .ctx = ctx};
        memcpy(f->host, host, strlen(host) + 1);
        st = ph_client_submit(callouts->client, &request, fetched, f);
    }
    if (st == PH_OK)
        return;
    free(f);
    struct ph_slice reason =
        st == PH_ERR_AGAIN ? PH_S("too many requests of ours are in flight") : ph_slice_str(ph_status_text(st));
    struct waiter *waiters = NULL;
    pthread_mutex_lock(&callouts->lock);
    find_host(callouts, host, callouts->options.now_ms())->probing = false;
    callouts->counts.failed++;
    if (entry != NULL) {
        waiters = entry->waiters;
        entry->waiters = NULL;
        entry->fetching = false;
    }
    pthread_mutex_unlock(&callouts->lock);
    if (entry == NULL)
        answer(done, ctx, false, reason, 0);
    tell_waiters(waiters, false, reason);
}

/* ---- asking ------------------------------------------------------------------------------------------ */

static bool is_cacheable(const struct ph_callout *callout)
{
    return callout->kind == PH_FETCH_CERTIFICATE || callout->kind == PH_FETCH_JWKS;
}

/* What an ask becomes, decided under the lock. */
enum asked { ASK_CACHED, ASK_JOINED, ASK_SEND, ASK_PAUSED, ASK_FULL };

static enum asked decide(struct ph_callouts *callouts, const struct ph_callout *callout, const char *host,
                         int64_t fresh_ms, struct waiter *waiter, int64_t now_ms, struct entry **ret_entry,
                         struct ph_slice *ret_body)
{
    struct entry *e = NULL;
    if (is_cacheable(callout)) {
        e = find_entry(callouts, callout->url);
        if (e == NULL)
            return ASK_FULL;
        e->used_ms = now_ms;
        if (e->body != NULL && now_ms < e->expires_ms && now_ms - e->fetched_ms <= fresh_ms) {
            /* Copied: the entry may be replaced as soon as the lock is gone. */
            char *copy = malloc(e->body_len + 1);
            if (copy == NULL)
                return ASK_FULL;
            memcpy(copy, e->body, e->body_len);
            *ret_body = ph_slice_of(copy, e->body_len);
            *ret_entry = e;
            return ASK_CACHED;
        }
        if (e->fetching) {
            waiter->next = e->waiters;
            e->waiters = waiter;
            return ASK_JOINED;
        }
    }
    if (!may_ask(callouts, host, now_ms))
        return ASK_PAUSED;
    if (e != NULL) {
        e->fetching = true;
        waiter->next = e->waiters;
        e->waiters = waiter;
    }
    *ret_entry = e;
    return ASK_SEND;
}

void ph_callouts_ask(struct ph_callouts *callouts, const struct ph_callout *callout, int64_t fresh_ms,
                     ph_callout_done *done, void *ctx)
{
    char host[PH_CALLOUT_HOST_BYTES_MAX];
    if (!host_of(callout->url, host)) {
        answer(done, ctx, false, PH_S("not an https URL"), 0);
        return;
    }
    struct waiter *waiter = malloc(sizeof *waiter);
    if (waiter == NULL) {
        answer(done, ctx, false, PH_S("out of memory"), 0);
        return;
    }
    *waiter = (struct waiter){.done = done, .ctx = ctx};
    int64_t now_ms = callouts->options.now_ms(), age_ms = 0;
    struct entry *entry = NULL;
    struct ph_slice body = {0};
    pthread_mutex_lock(&callouts->lock);
    enum asked asked = decide(callouts, callout, host, fresh_ms, waiter, now_ms, &entry, &body);
    callouts->counts.asked++;
    callouts->counts.cached += asked == ASK_CACHED;
    callouts->counts.joined += asked == ASK_JOINED;
    callouts->counts.paused += asked == ASK_PAUSED;
    if (asked == ASK_CACHED)
        age_ms = now_ms - entry->fetched_ms;
    pthread_mutex_unlock(&callouts->lock);
    if (asked == ASK_JOINED || (asked == ASK_SEND && entry != NULL))
        waiter = NULL; /* the entry has it */
    free(waiter);
    switch (asked) {
    case ASK_CACHED:
        answer(done, ctx, true, body, age_ms);
        free((char *)body.ptr);
        break;
    case ASK_JOINED:
        break;
    case ASK_SEND:
        send(callouts, callout, entry, host, done, ctx);
        break;
    case ASK_PAUSED:
        answer(done, ctx, false, PH_S("the processor's server fails; it is asked again later"), 0);
        break;
    case ASK_FULL:
        answer(done, ctx, false, PH_S("no room for another fetch"), 0);
        break;
    }
}

void ph_callouts_counts(struct ph_callouts *callouts, struct ph_callout_counts *ret_counts)
{
    pthread_mutex_lock(&callouts->lock);
    *ret_counts = callouts->counts;
    pthread_mutex_unlock(&callouts->lock);
}
