/* The durable half: the inbox, the deliveries out of it, and what is to be done with stored
 * requests, behind one handle that the webhooks' listener and the admin API share.
 *
 * W1: a request's configuration is one view from its first look to its store: a reload in between
 *     changes nothing.
 * W2: whatever a processor was answered with success for is in the inbox; what is still to be
 *     asked of the network (a verdict, a thin event's object) is asked by the completer,
 *     afterwards. */
#ifndef PH_GATEWAY_GATEWAY_H
#define PH_GATEWAY_GATEWAY_H

#include "client/callouts.h"
#include "delivery/dispatcher.h"
#include "gateway/view.h"

struct ph_gateway;

/* What became of the quarantine, and of what was dropped, when all of it was verified again. */
struct ph_gateway_round {
    uint64_t looked_at;
    uint64_t accepted; /* told from now on */
    uint64_t known;    /* genuine, and had come again meanwhile */
    uint64_t pending;  /* the network does not answer yet */
    uint64_t refused;  /* as before */
    uint64_t skipped;  /* their endpoint or account is not configured */
};

struct ph_gateway_options {
    struct ph_view *view;         /* takes the reference */
    struct ph_callouts *callouts; /* NULL: none are made; outlives the gateway */
    struct ph_slice roots;        /* what a fetched certificate must lead to (ph_roots_read) */
    ph_dispatcher_log *log;       /* NULL, as the next two: nobody listens */
    /* From threads of the gateway's: a round has ended; an endpoint has thin events, and no config
     * field to fetch them with, said once until the next reload. */
    void (*verified_again)(void *log_ctx, const struct ph_gateway_round *round);
    void (*lacks)(void *log_ctx, struct ph_slice endpoint, struct ph_slice field);
    /* The inbox ails, is well again, or has failed for good. NULL: nobody listens. */
    void (*health)(void *log_ctx, const struct ph_inbox_health *health);
    void *log_ctx;
};

/* Opens the inbox and starts the completer and the dispatcher. Gives a gateway; on failure ret_why
 * says what. Takes the view in either case. */
PH_MUST_USE enum ph_status ph_gateway_open(const struct ph_gateway_options *options,
                                           struct ph_gateway **ret,
                                           char ret_why[PH_INBOX_WHY_BYTES]);
/* Ends deliveries and the completer, commits what was submitted, closes the inbox: first, before
 * the callouts and the client end. Then ph_gateway_free. NULL is fine. */
void ph_gateway_close(struct ph_gateway *gateway);
/* Nobody refers to it any more. NULL is fine. */
void ph_gateway_free(struct ph_gateway *gateway);

/* The present view, with a reference: ph_view_unref it. Any thread. */
struct ph_view *ph_gateway_view(struct ph_gateway *gateway);
/* Takes the view's reference; requests from now on are judged with it, and when anything differs
 * that may change a verdict, quarantined ones are verified again. On failure the old one stays, and
 * ret_why says why. */
PH_MUST_USE enum ph_status ph_gateway_reload(struct ph_gateway *gateway, struct ph_view *view,
                                             char ret_why[PH_INBOX_WHY_BYTES]);
struct ph_inbox *ph_gateway_inbox(struct ph_gateway *gateway);
/* From its opening to its closing. */
struct ph_dispatcher *ph_gateway_dispatcher(struct ph_gateway *gateway);
/* The data folder, which a reload does not change. */
struct ph_slice ph_gateway_folder(const struct ph_gateway *gateway);
/* What a fetched certificate must lead to; absent: nothing is known. */
struct ph_slice ph_gateway_roots(const struct ph_gateway *gateway);
/* Every quarantined request is verified again. Any thread; it happens later. */
void ph_gateway_reverify(struct ph_gateway *gateway);
/* There is work on a request that was just stored. Any thread. */
void ph_gateway_work(struct ph_gateway *gateway);

struct ph_gateway_counts {
    uint64_t reverified, recovered; /* quarantined requests looked at again; found genuine */
    uint64_t completed, given_up, postponed; /* follow-up work */
};
void ph_gateway_counts(struct ph_gateway *gateway, struct ph_gateway_counts *ret);

/* ---- for the completer ----------------------------------------------------------------------- */
void ph_gateway_tell_round(struct ph_gateway *gateway, const struct ph_gateway_round *round);
void ph_gateway_tell_lack(struct ph_gateway *gateway, struct ph_slice endpoint,
                          struct ph_slice field);

#endif
