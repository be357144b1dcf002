#include "client/cache.h"

#include <stdlib.h>

struct ph_kept *ph_cache_find(struct ph_cache *cache, struct ph_slice url)
{
    for (size_t i = 0; i < PH_CALLOUT_CACHE_MAX; i++) {
        struct ph_kept *k = &cache->places[i];
        if (k->url != NULL && ph_slice_eq(ph_slice_of(k->url, k->url_len), url))
            return k;
    }
    return NULL;
}

void ph_cache_forget(struct ph_kept *k)
{
    free(k->url);
    free(k->body);
    *k = (struct ph_kept){0};
}

static bool same_host(const struct ph_kept *k, struct ph_slice host)
{
    return k->url != NULL && ph_slice_eq(ph_slice_of(k->url, k->host_len), host);
}

/* Whether what has expired is to go before the other (B4). */
static bool goes_before(const struct ph_kept *k, const struct ph_kept *other)
{
    bool proven = k->proven_ms > 0, other_proven = other->proven_ms > 0;
    return proven != other_proven ? other_proven : k->expires_ms < other->expires_ms;
}

/* A free place, or the one that expired first, of the host's own where it has all that it may (B1,
 * B2). */
static struct ph_kept *place_for(struct ph_cache *cache, struct ph_slice host, int64_t now_ms)
{
    struct ph_kept *best = NULL;
    size_t own = 0;
    for (size_t i = 0; i < PH_CALLOUT_CACHE_MAX; i++)
        own += same_host(&cache->places[i], host);
    bool full = own >= PH_CALLOUT_CACHE_PER_HOST_MAX;
    for (size_t i = 0; i < PH_CALLOUT_CACHE_MAX; i++) {
        struct ph_kept *k = &cache->places[i];
        if ((full && !same_host(k, host)) || (k->url != NULL && now_ms < k->expires_ms))
            continue;
        if (k->url == NULL)
            return k;
        if (best == NULL || goes_before(k, best))
            best = k;
    }
    return best;
}

bool ph_cache_put(struct ph_cache *cache, struct ph_slice url, size_t host_len,
                  struct ph_slice body, int64_t now_ms, int64_t expires_ms)
{
    struct ph_kept *k = ph_cache_find(cache, url);
    if (k == NULL)
        k = place_for(cache, ph_slice_of(url.ptr, host_len), now_ms);
    char *url_copy = k != NULL ? malloc(url.len + 1) : NULL,
         *body_copy = k != NULL ? malloc(body.len + 1) : NULL;
    if (url_copy == NULL || body_copy == NULL) {
        free(url_copy);
        free(body_copy);
        return false;
    }
    memcpy(url_copy, url.ptr, url.len);
    if (body.len > 0)
        memcpy(body_copy, body.ptr, body.len);
    bool same = k->url != NULL && ph_slice_eq(ph_slice_of(k->url, k->url_len), url);
    int64_t proven_ms = same ? k->proven_ms : 0;
    ph_cache_forget(k);
    *k = (struct ph_kept){.url = url_copy,
                          .url_len = url.len,
                          .host_len = host_len,
                          .body = body_copy,
                          .body_len = body.len,
                          .fetched_ms = now_ms,
                          .expires_ms = expires_ms,
                          .proven_ms = proven_ms};
    return true;
}

bool ph_cache_recall(struct ph_cache *cache, struct ph_slice url, size_t host_len,
                     int64_t proven_ms)
{
    if (ph_cache_find(cache, url) != NULL ||
        !ph_cache_put(cache, url, host_len, PH_S(""), INT64_MIN, INT64_MIN))
        return false;
    ph_cache_find(cache, url)->proven_ms = proven_ms;
    return true;
}

void ph_cache_done(struct ph_cache *cache)
{
    for (size_t i = 0; i < PH_CALLOUT_CACHE_MAX; i++)
        ph_cache_forget(&cache->places[i]);
}
