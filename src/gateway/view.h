/* A configuration as the gateway uses it, shared by all threads and counted: a reload swaps it
 * for another, and the old one goes when the last request that reads it is done. */
#ifndef PH_GATEWAY_VIEW_H
#define PH_GATEWAY_VIEW_H

#include <stdatomic.h>

#include "base/limits.h"
#include "config/config.h"
#include "delivery/selection.h"
#include "inbox/inbox.h"

struct ph_view {
    atomic_int refs;
    const struct ph_config *config; /* ours: freed with the view */
    struct ph_arena *pages; /* ours: the connectors of its folder; freed after the configuration */
    /* Destinations by their bit in the inbox's masks; those that are gone have an empty name and
     * no settings. */
    size_t destination_count;
    struct ph_slice names[PH_DESTINATIONS_MAX];
    const struct ph_config_destination *destinations[PH_DESTINATIONS_MAX];
    struct ph_selection selections[PH_DESTINATIONS_MAX];
};

/* Takes both: `pages` is an arena of the heap, ready for use with the pages in it. `before`: the
 * view it takes over from, whose destinations keep their bits; NULL: none. Gives a view with one
 * reference; NULL: no memory, or more destinations (those that are gone included) than
 * PH_DESTINATIONS_MAX, which takes a restart. */
struct ph_view *ph_view_new(const struct ph_config *config, struct ph_arena *pages,
                            const struct ph_view *before);
struct ph_view *ph_view_ref(struct ph_view *view);
/* NULL is fine. */
void ph_view_unref(struct ph_view *view);

/* Which destinations are told of an event: bits; *ret_once those that are told once for each
 * effect. */
uint64_t ph_view_pick(const struct ph_view *view, const struct ph_config_endpoint *endpoint,
                      const struct ph_inbox_event *event, uint64_t *ret_once);

/* ---- an endpoint's request ------------------------------------------------------------------- */

/* Whose secrets and fields a request is judged with. */
struct ph_view_keys {
    struct ph_secret_pair pairs[PH_SECRETS_MAX];
    struct ph_slice names[PH_SECRETS_MAX]; /* "env:STRIPE_WHSEC" */
    size_t count;
    const struct ph_config_value *values;
    size_t value_count;
    /* the one of the endpoint's accounts that `by` picked; absent: it has one only */
    struct ph_slice account;
    struct ph_slice named; /* what `by` reads; absent: nothing, or there is no `by` */
    /* the account, when the secrets are its own and not the endpoint's */
    struct ph_slice secret_of;
};
/* False: the endpoint serves several accounts, and the request names none of them. */
bool ph_view_keys_for(const struct ph_config_endpoint *endpoint, const struct ph_request *request,
                      int64_t now_ms, struct ph_arena *arena, struct ph_view_keys *ret);
/* The same for a request that is read again from the inbox: by whichever way, to verify it or to
 * read its events anew, it is judged with the same secrets (ph_config_secrets_for). */
bool ph_view_keys_again(const struct ph_config_endpoint *endpoint,
                        const struct ph_inbox_request *kept, int64_t now_ms, struct ph_arena *arena,
                        struct ph_view_keys *ret);
/* The name of the secret that verified the first of its events that one did; absent: none. */
struct ph_slice ph_view_matched(const struct ph_view_keys *keys, const struct ph_answer *answer);
/* That the request names no account, for a person: what the sender wrote is masked and cut. */
struct ph_slice ph_view_no_account(const struct ph_config_endpoint *endpoint, struct ph_slice named,
                                   struct ph_arena *arena);

#endif
