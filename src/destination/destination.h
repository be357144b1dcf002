/* Where events go: the contract of every kind of destination, one file each (http.c, redis.c).
 *
 * N1: a parcel that was taken ends in exactly one call of its `done`, on a thread of the
 *     destination's.
 * N2: nothing is retried here, and nothing stored: that is the dispatcher's.
 * N3: a parcel is all sent before its `done`; the first `accepted` notices were taken by the other
 *     side for good.
 * N4: no connection to an address that is not public unless the settings allow it (the address
 *     connected to is judged); secrets are wiped by ph_destination_close.
 *
 * One thread opens, sends and closes. */
#ifndef PH_DESTINATION_DESTINATION_H
#define PH_DESTINATION_DESTINATION_H

#include "inbox/inbox.h"

struct ph_destination_secret {
    struct ph_slice key;                 /* "whsec_" and base64, or the key itself */
    int64_t not_before_ms, not_after_ms; /* valid from, and up to (not at); 0: no bound */
};

struct ph_destination_settings {
    struct ph_slice url; /* its scheme says which kind */
    bool allow_private;
    struct ph_slice ca_file, certificate_file, key_file; /* PEM; absent: none */
    struct ph_slice files_content; /* a digest: other settings when it is another */
    int64_t connect_ms, total_ms;  /* of one attempt */
    /* http: Standard Webhooks; each that is valid signs. */
    const struct ph_destination_secret *secrets;
    size_t secret_count;
    bool batches;                               /* http: CloudEvents' batch format, also for one */
    struct ph_slice stream, username, password; /* redis */
    int64_t stream_length;                      /* redis; 0: the stream is not cut */
    struct ph_slice agent;                      /* http: User-Agent; "payhook/0.1.0" */
};

/* One event for this destination. Borrowed until ph_destination_send returns. */
struct ph_notice {
    const struct ph_inbox_due *due;
    int32_t attempt; /* from 1 */
};

enum ph_told {
    PH_TOLD_ACCEPTED = 1,
    PH_TOLD_NOT_YET,  /* it does not know the object yet */
    PH_TOLD_REFUSED,  /* it lives, and does not want this */
    PH_TOLD_FAILED,   /* not reached, no answer, or it is ill itself; it may have taken them */
    PH_TOLD_RETURNED, /* no attempt: we are stopping, or had no memory to begin; nothing else */
};

struct ph_outcome {
    size_t accepted;        /* the first so many notices (N3) */
    enum ph_told told;      /* the others; ACCEPTED: there are none */
    int32_t status;         /* HTTP; 0: none */
    int64_t retry_after_ms; /* as it asks; 0: it does not */
    struct ph_slice reason; /* for a person, without anything of the event's; absent: accepted */
    int64_t elapsed_ms;
};

typedef void ph_destination_done(void *ctx, const struct ph_outcome *outcome);

struct ph_destination;

/* Of a file: how its kind does it. Its own struct begins with a struct ph_destination. */
struct ph_destination_kind {
    const struct ph_slice *schemes;
    size_t scheme_count;
    enum ph_status (*open)(const struct ph_destination_settings *settings,
                           struct ph_destination **ret);
    enum ph_status (*send)(struct ph_destination *destination, const struct ph_notice *notices,
                           size_t count, int64_t now_ms, ph_destination_done *done, void *ctx);
    void (*close)(struct ph_destination *destination);
};
struct ph_destination {
    const struct ph_destination_kind *kind;
};

extern const struct ph_destination_kind ph_destination_http, ph_destination_redis;

/* Gives a destination; connects to nothing yet. Keeps the settings. PH_ERR_UNSUPPORTED: no kind has
 * that scheme. */
PH_MUST_USE enum ph_status ph_destination_open(const struct ph_destination_settings *settings,
                                               struct ph_destination **ret);
/* Takes what it needs of the notices. now_ms: unix, of the attempt. PH_ERR_AGAIN: too many are
 * under way; PH_ERR_INVALID: these can never be sent. On failure `done` is never called. */
PH_MUST_USE enum ph_status ph_destination_send(struct ph_destination *destination,
                                               const struct ph_notice *notices, size_t count,
                                               int64_t now_ms, ph_destination_done *done,
                                               void *ctx);
/* Ends what is under way as RETURNED, joins its threads. NULL is fine. */
void ph_destination_close(struct ph_destination *destination);

#endif
