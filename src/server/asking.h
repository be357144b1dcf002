/* Calls that need something from the network first: a certificate, a key set, the processor's
 * own verdict. Nothing of a call is kept half done: it is run again, whole, with what was
 * brought.
 *
 *   run -> needs a callout -> asked -> run again with its answer -> …   at most PH_CALLOUTS_PER_CALL_MAX
 *
 * A1: a callout that fails leaves the verdict the engine gave without it: `unreachable`, never
 *     `forged`.
 * A2: a key set out of the cache that lacks the key named is fetched again, unless it is younger
 *     than PH_JWKS_FRESH_MS: processors rotate keys.
 * A3: a call's time of receipt is that of its first run. */
#ifndef PH_SERVER_ASKING_H
#define PH_SERVER_ASKING_H

#include "client/callouts.h"
#include "server/later.h"
#include "server/service.h"

struct ph_asking {
    struct ph_service *service;
    struct ph_ticket ticket;
    int64_t received_ms; /* A3 */
    /* what each callout answered; values are ours */
    struct ph_config_value brought[PH_CALLOUTS_PER_CALL_MAX];
    size_t count;
    enum ph_fetch_kind kind; /* of the last one */
    int64_t age_ms;          /* of its answer: how long it had been in the cache */
    bool fresh;              /* A2: the next key set is not to come from the cache */
    bool grpc;
    bool failed; /* the last one: its reason is in `why` */
};

/* ---- for the operation, between the engine and the answer ------------------------------------ */

/* What the call's config gains: what was brought, and the roots that a fetched certificate must
 * lead to. In the worker's arena; false: no memory. */
bool ph_asking_config(const struct ph_service *service, const struct ph_config_value **config,
                      size_t *count);
/* Looks at what the engine found: notes in the service what is wanted from the network, if
 * anything. */
void ph_asking_look(struct ph_service *service, const struct ph_answer *answer,
                    int64_t received_ms);

/* ---- for whoever handles the exchange -------------------------------------------------------- */

/* After a run that left something wanted: asks for it. True: the answer comes later, and what
 * the run answered is dropped. False: it stands. */
bool ph_asking_begin(struct ph_service *service, struct ph_http_exchange *exchange,
                     const struct ph_http_request *request);

#endif
