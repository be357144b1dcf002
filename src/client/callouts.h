/* Callouts: what the engine wants from the network (struct ph_callout), fetched with a memory.
 *
 * L1: only https, and the connected address is public: hosts were checked by the engine against
 *     the page.
 * L2: certificates and key sets are cached by URL for as long as their response says, between
 *     PH_CALLOUT_CACHE_MIN_MS and PH_CALLOUT_CACHE_MAX_MS; verdicts and events never are.
 * L3: one fetch of a cacheable URL at a time; who asks meanwhile waits for it.
 * L4: a host that fails PH_CALLOUT_FAILURES_MAX times running is not asked for
 *     PH_CALLOUT_PAUSE_MS; then one request probes it. Addresses that have brought something, and
 *     those that the page writes down, are counted apart from the rest.
 * L5: whatever fails is "failed", with a reason: it leads to the verdict `unreachable`, never
 *     `forged`. So does a body that is no certificate or key set, which is not kept.
 * L6: who may write to us may name addresses (paypal's certificates): at most
 *     PH_CALLOUT_UNKNOWN_MAX that never brought anything are fetched from one host at a time, and
 *     none takes the place of what is kept (cache.h).
 * L7: an address that proved a request may be kept across a restart, the address alone: it is
 *     known then, and what it brings is fetched again. One that its host says is gone is unknown
 *     from then on, once what it brought has expired. */
#ifndef PH_CLIENT_CALLOUTS_H
#define PH_CLIENT_CALLOUTS_H

#include "client/client.h"

struct ph_callouts;

struct ph_callout_result {
    bool ok;
    struct ph_slice body;   /* ok */
    struct ph_slice reason; /* not ok: for a person */
    bool denied;            /* not ok: the host answered, and what was asked for is not there */
    int64_t age_ms;         /* ok: since it was fetched; 0: just now */
};

/* `result` is borrowed. On the caller's thread before ph_callouts_ask returns, or on the client's.
 */
typedef void ph_callout_done(void *ctx, const struct ph_callout_result *result);

struct ph_callouts_options {
    bool allow_private;           /* for an egress gateway, and tests */
    int64_t connect_ms, total_ms; /* 0: the defaults of limits.h */
    int64_t (*now_ms)(void);      /* a clock that never goes back; NULL: ph_os_steady_ms */
};

/* Keeps `client`. NULL: no memory. */
struct ph_callouts *ph_callouts_new(struct ph_client *client,
                                    const struct ph_callouts_options *options);
/* After the client has stopped: no answer is on its way. NULL is fine. */
void ph_callouts_free(struct ph_callouts *callouts);

/* Asks. From any thread. Calls `done` exactly once, whatever happens. `fresh_ms`: a cached body
 * older than that is not good enough (a key set without the key that is looked for); INT64_MAX: any
 * that has not expired. */
void ph_callouts_ask(struct ph_callouts *callouts, const struct ph_callout *callout,
                     int64_t fresh_ms, ph_callout_done *done, void *ctx);

/* What the cache has for it, copied into the arena: for whoever cannot wait. False: nothing that
 * has not expired, or no memory. Any thread. */
bool ph_callouts_peek(struct ph_callouts *callouts, const struct ph_callout *callout,
                      struct ph_arena *arena, struct ph_slice *ret_body, int64_t *ret_age_ms);

/* Whether its address has brought something, or is none that a sender could make up: not cached, as
 * the page writes it down. Any thread. */
bool ph_callouts_knows(struct ph_callouts *callouts, const struct ph_callout *callout);

/* What was fetched from there proved a request at that time (unix). Any thread; nothing happens to
 * an address that was put out meanwhile. */
void ph_callouts_prove(struct ph_callouts *callouts, struct ph_slice url, int64_t now_ms);

struct ph_proven {
    struct ph_slice url;
    int64_t at_ms; /* unix, to the day */
};
/* All proven addresses, in the arena, when they are others than at the last call; false: they are
 * not, or no memory. */
bool ph_callouts_proven(struct ph_callouts *callouts, struct ph_arena *arena,
                        struct ph_proven **ret, size_t *ret_count);
/* What the last call gave could not be kept: the next one gives them, too. */
void ph_callouts_proven_again(struct ph_callouts *callouts);
/* Makes a proven address known again (L7), as long as there is room. Before anything is asked. */
void ph_callouts_recall(struct ph_callouts *callouts, const struct ph_proven *proven);

/* How long a response may be kept, by its Cache-Control and Age (RFC 9111), within L2's bounds. */
int64_t ph_callout_keep_ms(const struct ph_client_response *response);

struct ph_callout_counts {
    uint64_t asked, cached, joined, fetched, failed, paused, full;
};
void ph_callouts_counts(struct ph_callouts *callouts, struct ph_callout_counts *ret_counts);

#endif
