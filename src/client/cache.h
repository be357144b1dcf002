/* Bodies of callouts, kept by their URLs. Private to client/; whoever owns it holds its lock.
 *
 * B1: only what was fetched and reads is put in, and what has not expired is never put out: a
 *     stranger who names addresses that nobody has heard of changes nothing of what is here.
 * B2: one host has at most PH_CALLOUT_CACHE_PER_HOST_MAX places.
 * B3: what has expired stays known until its place is needed: its address has proven good.
 * B4: an address whose content has proven a request gives its place up last. */
#ifndef PH_CLIENT_CACHE_H
#define PH_CLIENT_CACHE_H

#include "base/limits.h"
#include "base/slice.h"

struct ph_kept {
    char *url;                /* NULL: the place is free */
    size_t url_len, host_len; /* the URL's beginning up to its path */
    char *body;
    size_t body_len;
    int64_t fetched_ms, expires_ms;
    int64_t proven_ms; /* unix: when it last proved a request, to the day; 0: it never did */
};

struct ph_cache {
    struct ph_kept places[PH_CALLOUT_CACHE_MAX];
};

/* What is kept of that URL, expired or not; NULL: nothing. */
struct ph_kept *ph_cache_find(struct ph_cache *cache, struct ph_slice url);
/* Keeps a copy. `host_len`: where the URL's path begins. False: no place is free or expired, or no
 * memory. */
bool ph_cache_put(struct ph_cache *cache, struct ph_slice url, size_t host_len,
                  struct ph_slice body, int64_t now_ms, int64_t expires_ms);
/* The address alone, of which nothing is kept: it has expired ever since. False: as above, or it is
 * there already. */
bool ph_cache_recall(struct ph_cache *cache, struct ph_slice url, size_t host_len,
                     int64_t proven_ms);
void ph_cache_forget(struct ph_kept *kept);
void ph_cache_done(struct ph_cache *cache);

#endif
