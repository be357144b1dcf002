/* The inbox: what was received, what it says, and who has been told, on disk. This is the
 * contract of every engine; inbox_sqlite.c is the embedded default.
 *
 * I1 (G1): an op's `done` says PH_OK only when the transaction that holds it is on disk.
 * I2 (G3): one event for one key. Keys are in a table of their own that retention does not
 *     touch; only a verified event takes or matches one. The same key with another digest is a
 *     revision: kept with its request, flagged, no event.
 * I3 (G4, G7): an op fails or is done, never both and never neither. After a failed fsync the
 *     writer is stopped for good: that op and all later ones fail with PH_ERR_IO, and
 *     ph_inbox_health says why. A full disk or a failed write fails the ops of its batch; the
 *     next batch tries anew.
 * I4 (G8): ops waiting are bounded, by count and bytes; past that ph_inbox_submit answers
 *     PH_ERR_AGAIN. So is what strangers can bring: requests that are QUARANTINED, that are
 *     PENDING, and that were HINTs within quarantine_age_ms each have quarantine_requests and
 *     quarantine_bytes for themselves; STORE then ends in PH_STORED_FULL. An ACCEPTED request
 *     whose good events are all known, with others beside them that are not trusted, counts as
 *     QUARANTINED. PENDING ones with PH_WORK_VERIFY_UNKNOWN, whose address the sender may have
 *     made up, have a quarter of that, apart; and of either an endpoint has at most as much as
 *     it leaves free, so that one that is flooded leaves room for others. What JUDGE makes
 *     QUARANTINED past the bound is DROPPED. Of what is DROPPED the oldest are forgotten past
 *     the same bound: it was acknowledged, so it cannot be refused any more.
 * I5: leases are not stored: a delivery is due until it was settled. After a crash whatever was
 *     on its way is sent again.
 * I6: one thread writes and checkpoints, on one connection; readers have snapshots, short and
 *     read-only.
 *
 * Life of an op: the caller makes it (heap, its own), submits it; the inbox keeps it and all it
 * points to until `done`, which runs on the writer's thread, must not block, and gives it back. */
#ifndef PH_INBOX_INBOX_H
#define PH_INBOX_INBOX_H

#include "core/engine.h"

struct ph_inbox;
struct ph_inbox_reader;

/* ---- what is written ------------------------------------------------------------------------- */

enum ph_inbox_op_kind {
    PH_INBOX_STORE, /* struct ph_inbox_store: a request and its events, as received */
    /* struct ph_inbox_store: a stored request again: its secrets changed, a callout has
     * answered, its events were fetched, a newer page reads it */
    PH_INBOX_JUDGE,
    PH_INBOX_SETTLE, /* struct ph_inbox_settle: how attempts ended */
    PH_INBOX_SEND, /* struct ph_inbox_send: deliveries made anew: a replay, a dead letter's retry */
    PH_INBOX_CONTROL, /* struct ph_inbox_control: a destination paused or resumed */
};

struct ph_inbox_op {
    struct ph_inbox_op *next; /* the inbox's while it has the op */
    enum ph_inbox_op_kind kind;
    size_t bytes;          /* what the op holds, for I4 */
    enum ph_status status; /* set before `done` */
    void (*done)(struct ph_inbox_op *op);
};

/* Where a request stands. */
enum ph_inbox_standing {
    PH_STANDING_ACCEPTED = 1,    /* verified, all or some of its events: the sender heard success */
    PH_STANDING_HINT = 2,        /* unsigned or unsupported: kept, told as a hint */
    PH_STANDING_PENDING = 3,     /* unreachable: to be verified when the callout answers */
    PH_STANDING_QUARANTINED = 4, /* refused: kept for a while, verified again when secrets change */
    PH_STANDING_REVISION = 5,    /* all its keys were known, some with another digest (I2) */
    /* it was pending, and has no room there any more; what is still asked for, `work` says */
    PH_STANDING_DROPPED = 6,
};

struct ph_slice ph_standing_name(enum ph_inbox_standing standing); /* "accepted" */

/* Follow-up work on a stored request, for the completer. */
enum ph_inbox_work {
    PH_WORK_NONE,
    PH_WORK_VERIFY,         /* PENDING: the callout once more */
    PH_WORK_FETCH,          /* an event is INCOMPLETE and the page can fetch it */
    PH_WORK_VERIFY_UNKNOWN, /* as VERIFY, of an address that has never brought anything */
};

struct ph_inbox_request {
    int64_t id; /* STORE: given by the inbox; JUDGE: which one */
    enum ph_inbox_standing standing;
    /* `stale`: a duplicate when all its keys are known, else QUARANTINED as `standing` says */
    bool match_only;
    int64_t received_ms;
    struct ph_slice endpoint, connector;
    struct ph_slice method, uri, remote;
    const struct ph_header *headers;
    size_t header_count;
    struct ph_slice body;
    enum ph_verdict verdict; /* the worst of its events' */
    struct ph_slice verdict_reason;
    struct ph_slice
        secret; /* the name of the secret that verified it ("env:STRIPE_WHSEC"); absent: none */
    /* STORE, JUDGE: the account of the endpoint whose secret it is; absent: the endpoint's own */
    struct ph_slice secret_of;
    struct ph_slice page_hash, engine_version;
    struct ph_slice trace;                 /* W3C traceparent; absent: none */
    const struct ph_config_value *brought; /* callout answers it was judged with (G6) */
    size_t brought_count;
    enum ph_inbox_work work;
    int64_t work_due_ms;
    int32_t work_tries;
};

/* What became of an event in STORE or JUDGE. */
enum ph_inbox_found {
    PH_FOUND_NEW = 1,
    PH_FOUND_DUPLICATE,
    PH_FOUND_REVISION,
    PH_FOUND_HELD, /* not told to anybody: not trusted, or waiting to be completed */
};

enum { PH_DIGEST_BYTES = 32 };

struct ph_inbox_event {
    int32_t item; /* place in the request, from 0 */
    enum ph_verdict verdict;
    struct ph_slice dedupe_key, effect_key; /* absent: none; a key counts only when VERIFIED */
    unsigned char digest[PH_DIGEST_BYTES];  /* SHA-256 of what it says (normalised), for I2 */
    struct ph_slice
        event_id; /* merchant_event_id; absent: the inbox makes "evt_…" of its row's number */
    struct ph_slice type; /* as told: event_name, or event_type: the CloudEvents type */
    struct ph_slice class
        ; /* "payment", "refund", "dispute", "mandate", "payout", "recovery", "fraud", "" */
    struct ph_slice processor_id, processor_type;
    /* the payment's (or other object's) id: CloudEvents subject, ordering, lateness */
    struct ph_slice subject;
    struct ph_slice account;
    enum ph_mode mode;
    int64_t occurred_ms;      /* 0: not told */
    int64_t amount;           /* minor units, when currency is present */
    struct ph_slice currency; /* "EUR"; absent: no amount */
    struct ph_slice answer;   /* JSON: its Handle answer, canonical; told as `data` */
    bool incomplete;          /* … and nothing more will come */
    bool held;                /* stored, not told yet: it is being completed, or quarantined */
    uint64_t destinations; /* bit n: destination n (ph_inbox_options.destinations) is to be told */
    uint64_t once_per_effect; /* … of which those only once for an effect_key */
    /* ---- filled before `done` ---------------------------------------------------------------- */
    int64_t id;
    enum ph_inbox_found found;
    /* a newer event of its subject had been stored for its endpoint; one that lies more than
     * PH_INBOX_AHEAD_MS_MAX after its own receipt is no newer one */
    bool late;
};

enum ph_inbox_stored {
    PH_STORED_NEW = 1,
    /* all its keys were known: nothing kept but a count, or the request as a revision */
    PH_STORED_DUPLICATE,
    PH_STORED_FULL, /* no room for one that stands so (I4): nothing kept */
};

struct ph_inbox_store {
    struct ph_inbox_op op; /* first */
    struct ph_inbox_request request;
    struct ph_inbox_event *events;
    size_t event_count;
    enum ph_inbox_stored stored; /* filled before `done` */
};

/* A delivery's states (STYLE §6); a lease is the dispatcher's own affair (I5). */
enum ph_delivery_state {
    PH_DELIVERY_QUEUED = 1,  /* not tried yet */
    PH_DELIVERY_WAITING = 2, /* failed, tries left: due_ms */
    PH_DELIVERY_PARKED = 3,  /* the application does not know the object yet: due_ms */
    PH_DELIVERY_DONE = 4,
    PH_DELIVERY_DEAD = 5,
    PH_DELIVERY_DROPPED = 6, /* its destination is gone, or somebody cancelled it */
};

struct ph_slice ph_delivery_state_name(enum ph_delivery_state state); /* "queued" */

struct ph_inbox_attempt {
    int64_t delivery;
    enum ph_delivery_state state; /* from now on */
    int64_t due_ms;               /* WAITING, PARKED */
    int32_t tries;                /* failures counted so far, this one included */
    bool counted; /* an attempt was made: a row of `attempts`; else only state and due_ms change */
    int64_t at_ms, elapsed_ms;
    int32_t status;         /* HTTP; 0: none */
    struct ph_slice reason; /* for a person, masked, bounded; absent on success */
};

struct ph_inbox_settle {
    struct ph_inbox_op op; /* first */
    const struct ph_inbox_attempt *attempts;
    size_t count;
};

/* Events sent again: same id, marked as a replay; or dead deliveries tried again. */
struct ph_inbox_send {
    struct ph_inbox_op op; /* first */
    const int64_t *events; /* replay: ids of events, each to `destinations` */
    size_t event_count;
    uint64_t destinations;
    /* retry: ids of deliveries that are DEAD, DROPPED, WAITING or PARKED: due now */
    const int64_t *deliveries;
    size_t delivery_count;
    int64_t now_ms;
    size_t made; /* filled before `done` */
    /* deliveries not made: the event was sent there PH_INBOX_SENDINGS_MAX times; filled, too */
    size_t denied;
};

struct ph_inbox_control {
    struct ph_inbox_op op; /* first */
    struct ph_slice destination;
    bool paused;
};

/* ---- opening --------------------------------------------------------------------------------- */

enum { PH_INBOX_WHY_BYTES = 512 };

struct ph_inbox_health {
    bool failed;  /* for good (G7): restart once the disk is trusted again */
    bool missing; /* … because one of the files is not in its place any more */
    bool ailing;  /* the last batch failed: the next may not */
    char why[PH_INBOX_WHY_BYTES];
};

struct ph_inbox_options {
    const char *folder; /* made with mode 0700 when it is not there; locked while open */
    const char *vfs;    /* SQLite's VFS by name, for tests that break the disk; NULL: the default */
    const struct ph_slice *destinations; /* names; bit n of a mask is the n-th */
    size_t destination_count;            /* up to PH_DESTINATIONS_MAX */
    int64_t quarantine_requests, quarantine_bytes, quarantine_age_ms;
    int64_t retention_age_ms, retention_bytes, keys_ms; /* 0: for ever, no bound */
    int32_t log_pages;    /* 0: PH_INBOX_LOG_PAGES; tests want the log to begin anew more often */
    int32_t keys_waiting; /* 0: PH_INBOX_KEYS_WAITING; tests want keys to move more often */
    int32_t cache_kib; /* 0: PH_INBOX_WRITER_CACHE_KIB; tests want pages to go before the commit */
    int64_t (*now_ms)(void);                 /* unix; NULL: ph_os_unix_ms */
    int64_t (*free_bytes)(const char *path); /* NULL: ph_os_free_bytes; tests want small volumes */
    /* After a commit that made deliveries due: which destinations have new ones. The writer's
     * thread. NULL: nobody. */
    void (*wake)(void *ctx, uint64_t destinations);
    void *wake_ctx; /* of the next one, too */
    /* It ails, is well again, or has failed for good. The writer's thread. NULL: nobody. */
    void (*health)(void *ctx, const struct ph_inbox_health *health);
};

/* Opens, migrates, starts the writer. Gives an inbox; on failure ret_why says what and what to
 * do: a folder in use (and by whom), a file of a newer version, a file that is damaged. */
PH_MUST_USE enum ph_status ph_inbox_open(const struct ph_inbox_options *options,
                                         struct ph_inbox **ret, char ret_why[PH_INBOX_WHY_BYTES]);
/* Commits what was submitted, checkpoints, closes. All readers are closed before. NULL is fine. */
void ph_inbox_close(struct ph_inbox *inbox);

/* Any thread. PH_ERR_AGAIN: no room (I4), PH_ERR_IO: the writer has stopped (I3); then `done` is
 * never called. */
PH_MUST_USE enum ph_status ph_inbox_submit(struct ph_inbox *inbox, struct ph_inbox_op *op);
/* Other limits from the next batch on. Destinations may be added at the end and renamed to ""
 * (gone: their open deliveries wait for its name to come back for PH_INBOX_GONE_MS, then become
 * DROPPED, in small steps); a name keeps its bit. Options' texts are copied. Any thread. */
PH_MUST_USE enum ph_status ph_inbox_reconfigure(struct ph_inbox *inbox,
                                                const struct ph_inbox_options *options);

void ph_inbox_health(struct ph_inbox *inbox, struct ph_inbox_health *ret);
/* Why an op failed, for a person: what the disk said and what to do, while that is known; else
 * the status' text. Any thread. Lives as long as `room`. */
struct ph_slice ph_inbox_op_why(struct ph_inbox *inbox, const struct ph_inbox_op *op,
                                char room[PH_INBOX_WHY_BYTES]);

/* Kept in memory by the writer, exact after each commit; any thread, cheap. */
struct ph_inbox_counts {
    int64_t requests, events, duplicates, revisions;                /* since the file was made */
    int64_t quarantined, quarantined_bytes, pending, pending_bytes; /* now */
    int64_t pending_unknown;        /* of these, by addresses that never brought anything */
    int64_t dropped, dropped_bytes; /* now */
    int64_t hinted, hinted_bytes;   /* hints received within quarantine_age_ms */
    /* by destination: deliveries not final; DEAD. PH_DESTINATIONS_MAX */
    int64_t backlog[64], dead[64];
    int64_t oldest_ms[64]; /* … when its oldest open delivery was made; 0: none */
    int64_t batches, ops;  /* committed; ops/batches is the batch size */
    int64_t commit_us[64]; /* histogram: bucket n counts commits of up to 2^(n/4) µs … */
    int64_t commit_us_sum;
    int64_t file_bytes, wal_bytes, waiting_ops, waiting_bytes;
    bool paused[64];
};
void ph_inbox_counts(struct ph_inbox *inbox, struct ph_inbox_counts *ret);

/* ---- reading --------------------------------------------------------------------------------- */

/* One thread's. Gives a reader. */
PH_MUST_USE enum ph_status ph_inbox_reader_open(struct ph_inbox *inbox,
                                                struct ph_inbox_reader **ret);
void ph_inbox_reader_close(struct ph_inbox_reader *reader);

/* A delivery, with the event it tells. Texts are in the arena given. */
struct ph_inbox_due {
    int64_t delivery, event, request;
    enum ph_delivery_state state;
    int64_t made_ms, due_ms; /* made: when its retries began */
    int32_t tries;
    bool replay, late;
    int64_t received_ms, occurred_ms;
    struct ph_slice event_id, type, class, subject, connector, endpoint, trace, answer;
};

/* Open deliveries of a destination that are due, by (due_ms, delivery), after the place given
 * ({0,0}: from the start): the dispatcher leaves out what it has on its way, and pages on.
 * `ordered`: leaves out those that an earlier open delivery of the same subject (QUEUED or
 * WAITING; a parked one goes before nobody) goes before. */
struct ph_inbox_place {
    int64_t due_ms, id;
};
PH_MUST_USE enum ph_status ph_inbox_due(struct ph_inbox_reader *reader, size_t destination,
                                        bool ordered, int64_t now_ms, struct ph_inbox_place after,
                                        size_t max, struct ph_arena *arena,
                                        struct ph_inbox_due **ret, size_t *ret_count);
/* When the next one is due; INT64_MAX: none. */
PH_MUST_USE enum ph_status ph_inbox_next_due(struct ph_inbox_reader *reader, size_t destination,
                                             int64_t *ret_ms);

/* A stored request with all that it was judged with, to judge it again. */
struct ph_inbox_kept {
    struct ph_inbox_request request;
    int32_t event_count;
    int32_t held; /* of its events */
};
PH_MUST_USE enum ph_status ph_inbox_request_get(struct ph_inbox_reader *reader, int64_t id,
                                                struct ph_arena *arena, struct ph_inbox_kept *ret);
/* What a secret has verified: kept by the writer, and not touched by retention. */
struct ph_inbox_use {
    int64_t used, first_ms, last_ms; /* requests, repetitions included, by their receipt */
    int64_t alone_ms; /* since then no other of the same was used; 0: another was used since */
};
/* `account`: whose secret it is (ph_inbox_request.secret_of). PH_ERR_NOT_FOUND: it was never
 * used. */
PH_MUST_USE enum ph_status ph_inbox_use_get(struct ph_inbox_reader *reader,
                                            struct ph_slice endpoint, struct ph_slice account,
                                            struct ph_slice secret, struct ph_inbox_use *ret);
/* Requests with work that is due, by time. */
PH_MUST_USE enum ph_status ph_inbox_work_due(struct ph_inbox_reader *reader, int64_t now_ms,
                                             size_t max, struct ph_arena *arena, int64_t **ret_ids,
                                             size_t *ret_count, int64_t *ret_next_ms);
/* Requests of an endpoint (absent: of all) that stand so, not ACCEPTED, by id, after the one
 * given. */
PH_MUST_USE enum ph_status ph_inbox_standing_ids(struct ph_inbox_reader *reader,
                                                 enum ph_inbox_standing standing,
                                                 struct ph_slice endpoint, int64_t after,
                                                 size_t max, struct ph_arena *arena,
                                                 int64_t **ret_ids, size_t *ret_count);

/* ---- looking (admin) ------------------------------------------------------------------------- */

struct ph_inbox_filter {
    struct ph_slice endpoint, connector, type, class, subject, event_id; /* absent: any */
    struct ph_slice destination;                                         /* absent: any */
    int32_t state;          /* of a delivery: enum ph_delivery_state; 0: any */
    int64_t from_ms, to_ms; /* by receipt: from, up to (not at); 0: no bound */
    /* pages: ids below `before`, newest first; or above `after`, oldest first. 0: not */
    int64_t before, after;
};

struct ph_inbox_event_row {
    int64_t id, request;
    int32_t item; /* its place in the request */
    int64_t received_ms, occurred_ms;
    struct ph_slice event_id, type, class, processor_id, processor_type, subject, endpoint,
        connector, account, dedupe_key, effect_key, currency;
    int64_t amount;
    enum ph_verdict verdict;
    enum ph_mode mode;
    bool incomplete, held, late;
    int32_t open, done, dead; /* its deliveries */
    int32_t duplicates, revisions;
    struct ph_slice answer; /* ph_inbox_event_get only */
};
PH_MUST_USE enum ph_status ph_inbox_events(struct ph_inbox_reader *reader,
                                           const struct ph_inbox_filter *filter, size_t max,
                                           struct ph_arena *arena, struct ph_inbox_event_row **ret,
                                           size_t *ret_count);
PH_MUST_USE enum ph_status ph_inbox_event_get(struct ph_inbox_reader *reader, int64_t id,
                                              struct ph_arena *arena,
                                              struct ph_inbox_event_row *ret);
/* The row's number of an event id. PH_ERR_NOT_FOUND. */
PH_MUST_USE enum ph_status ph_inbox_event_find(struct ph_inbox_reader *reader,
                                               struct ph_slice event_id, int64_t *ret_id);

struct ph_inbox_delivery_row {
    int64_t id, event;
    struct ph_slice event_id, type, destination;
    enum ph_delivery_state state;
    bool replay;
    int64_t made_ms, due_ms, ended_ms;
    int32_t tries, attempts;
    int32_t last_status;
    struct ph_slice last_reason;
};
PH_MUST_USE enum ph_status ph_inbox_deliveries(struct ph_inbox_reader *reader,
                                               const struct ph_inbox_filter *filter, int64_t event,
                                               size_t max, struct ph_arena *arena,
                                               struct ph_inbox_delivery_row **ret,
                                               size_t *ret_count);
PH_MUST_USE enum ph_status ph_inbox_attempts(struct ph_inbox_reader *reader, int64_t delivery,
                                             size_t max, struct ph_arena *arena,
                                             struct ph_inbox_attempt **ret, size_t *ret_count);

struct ph_inbox_request_row {
    int64_t id, received_ms;
    struct ph_slice endpoint, connector, remote, verdict_reason, secret;
    enum ph_inbox_standing standing;
    enum ph_verdict verdict;
    int64_t bytes; /* of its body */
    int32_t events;
};
/* `standing` 0: any. */
PH_MUST_USE enum ph_status ph_inbox_requests(struct ph_inbox_reader *reader,
                                             const struct ph_inbox_filter *filter, int32_t standing,
                                             size_t max, struct ph_arena *arena,
                                             struct ph_inbox_request_row **ret, size_t *ret_count);

/* ---- tending --------------------------------------------------------------------------------- */

/* PRAGMA integrity_check and our own invariants of a closed inbox's file, findings one per line
 * in the arena. PH_OK with no findings: sound. */
PH_MUST_USE enum ph_status ph_inbox_check(const char *folder, struct ph_arena *arena,
                                          struct ph_slice *ret_findings);

#endif
