/* Follow-up work on stored requests: verdicts and objects that have to be asked for, and
 * quarantined and dropped requests once more when secrets change. Some threads, because each asks
 * and waits; ingest and deliveries wait for none of it.
 *
 * C1: a request is judged as of its receipt, with what is configured now, and with the secrets of
 *     ph_view_keys_again.
 * C2: a callout that fails is tried again by a ladder, for PH_WORK_FOR_MS; then the request is
 *     DROPPED (it proved nothing), or its events are told as they are, INCOMPLETE.
 * C3: a request has one thread: two never judge the same.
 * C4: one whose address has never brought anything makes room among the pending ones as soon as
 *     its host says that there is nothing, or after PH_WORK_UNKNOWN_MS: it is DROPPED, and still
 *     asked for as C2 says.
 * C5: the first thread keeps the file of proven addresses (proven.h): now and then, and at the
 *     end.
 * C6: for a dropped request that is looked at again only addresses that have brought something are
 *     asked: what somebody made up costs nobody a fetch.
 * C7: work whose endpoint or account is not configured any more waits for it. What was verified and
 *     is to be completed does not become a forgery by its secret being taken out: it waits for that
 *     one, for PH_WORK_FOR_MS. */
#ifndef PH_GATEWAY_COMPLETER_H
#define PH_GATEWAY_COMPLETER_H

#include "gateway/gateway.h"

struct ph_completer;

/* Gives running threads, or NULL. Keeps the gateway; its inbox is open. Keeps `proven_path`. */
struct ph_completer *ph_completer_start(struct ph_gateway *gateway, struct ph_callouts *callouts,
                                        struct ph_slice roots, const char *proven_path);
/* Ends once what is under way has ended; a callout ends within its time limit. NULL is fine. */
void ph_completer_stop(struct ph_completer *completer);
/* Any thread. */
void ph_completer_wake(struct ph_completer *completer);
/* Every quarantined or dropped request once more. */
void ph_completer_reverify(struct ph_completer *completer);
void ph_completer_counts(struct ph_completer *completer, struct ph_gateway_counts *ret);

/* C4. Pure; `denied`: its host said so. */
bool ph_work_leaves(bool denied, int64_t since_ms, int64_t now_ms);
/* When work that has failed `tries` times is tried again; 0: no more (C2). Pure; `since_ms`: the
 * request's receipt. */
int64_t ph_work_due(int32_t tries, int64_t since_ms, int64_t now_ms);

#endif
