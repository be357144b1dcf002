/* What the files of the embedded inbox share.
 *
 * writer.c takes ops in and commits them in batches, store.c, judge.c and settle.c do them, keys.c
 * knows who has been here, names.c knows the destinations, figures.c counts, tend.c forgets what is
 * old, present.c sees whether the files are still there. All of these run on the writer's thread;
 * what other threads see is behind `mutex`. read.c and look.c have connections of their own. */
#ifndef PH_INBOX_INBOX_PRIVATE_H
#define PH_INBOX_INBOX_PRIVATE_H

#include <pthread.h>

#include "crypto/crypto.h"
#include "inbox/inbox.h"
#include "inbox/schema.h"
#include "inbox/statements.h"
#include "os/file.h"

enum { PH_KEY_DIGEST_BYTES = 16, PH_EVENT_NAME_BYTES = 48, PH_FILE_NAME_BYTES = 16 };
enum { PH_INBOX_FILES = 3 }; /* the database, its log, the index of that */

/* What stands in one of I4's rooms. */
struct ph_room {
    int64_t requests, bytes;
};

/* A request as I4 counts it. */
struct ph_standing {
    int64_t request;
    enum ph_inbox_standing standing;
    enum ph_inbox_work work;
    struct ph_slice endpoint;
    int64_t bytes;
};

/* Figures that live in the file too (`figures`, `destinations`), by a destination's number in the
 * file. */
struct ph_figures {
    int64_t next_request;
    int64_t requests, events, duplicates, revisions;
    int64_t quarantined, quarantined_bytes, pending, pending_bytes;
    int64_t hints, hint_bytes, hints_from; /* from that request on; older ones no longer count */
    int64_t keys_from;                     /* K1 */
    /* ---- not in the file: counted when it is opened ------------------------------------------ */
    struct ph_room unknown, dropped;           /* of `pending` those by unknown addresses */
    struct ph_room shares[2][PH_INBOX_SHARES]; /* of pending ones, by unknown or not, by endpoint */
    int64_t backlog[PH_INBOX_NAMES_MAX], dead[PH_INBOX_NAMES_MAX];
    int64_t oldest[PH_INBOX_NAMES_MAX]; /* no open delivery has a smaller id */
    bool paused[PH_INBOX_NAMES_MAX];
};

struct ph_name {
    char *text;      /* NULL: the number is free */
    int64_t gone_ms; /* unix: since when it is not configured; 0: it is */
    int bit;         /* in masks; -1: not configured */
};

struct ph_known_kind {
    int64_t id; /* 0: empty */
    uint64_t hash;
};

/* A copy of ph_inbox_options with texts of its own. */
struct ph_settings {
    struct ph_inbox_options options;
    struct ph_slice names[PH_DESTINATIONS_MAX];
    char *texts;
};

/* What a secret verified in this batch; the texts are its ops'. */
struct ph_used {
    struct ph_slice endpoint, account, secret;
    int64_t count, first_ms, last_ms;
};

/* How far the passes of tend.c have come. */
struct ph_pass {
    char at[512]; /* keys, effects: up to here */
    size_t at_len;
    int64_t again_ms; /* steady: when the next pass begins */
};

struct ph_tending {
    bool more;        /* a pass is not at its end: go on with the next batch, or at once */
    int64_t again_ms; /* steady */
    int64_t request;  /* retention has looked at requests up to this */
    int64_t passed;   /* … and left so many that it may not forget yet */
    int64_t pages, pages_free;
    struct ph_pass keys, effects;
};

/* How far the log is copied into the database (checkpoint.c); in pages of the log. */
struct ph_copying {
    int wal_pages;    /* its length, as of the last commit */
    int copied_pages; /* these were copied, but for what a reader still needed */
    /* its length when the whole of it was last copied; 0: not yet since it began */
    int ended_pages;
    int kept_pages;  /* of those that ended_pages counts, not copied all the same: for a reader */
    bool is_cramped; /* the volume has little more than what they take: nothing new is taken in */
    sqlite3 *reader; /* NULL: the log is copied as a whole */
    sqlite3_stmt *snapshot;
    bool is_held; /* the statement stands on its row, and with it a snapshot of so many pages */
    int held_pages;
    struct ph_os_flush *flush; /* may be NULL */
};

struct ph_inbox {
    /* ---- the writer's ------------------------------------------------------------------------ */
    struct ph_sql sql;
    struct ph_arena scratch; /* of one op */
    struct ph_settings settings;
    char *path, *vfs;
    char file[PH_FILE_NAME_BYTES];
    int lock_fd;
    struct ph_os_file_id noted[PH_INBOX_FILES]; /* present.c */
    bool is_noted[PH_INBOX_FILES];
    const char *missing; /* one is gone, and what the log holds is not all copied yet */
    pthread_t thread;
    struct ph_figures figures, committed; /* now; as of the last commit */
    bool touched[PH_INBOX_NAMES_MAX];     /* its row of `destinations` is behind */
    bool figures_touched;
    struct ph_name names[PH_INBOX_NAMES_MAX];
    int numbers[PH_DESTINATIONS_MAX]; /* bit to number in the file; -1: none */
    struct ph_known_kind kinds[PH_INBOX_KINDS_CACHED];
    uint64_t woken;                        /* bits that got deliveries in this batch */
    int64_t now_ms;                        /* of this batch */
    bool oldest_stale[PH_INBOX_NAMES_MAX]; /* figures.oldest has been closed */
    bool made_stale[PH_INBOX_NAMES_MAX];   /* oldest_ms may be another's */
    int64_t oldest_ms[PH_INBOX_NAMES_MAX];
    struct ph_used used[PH_INBOX_USES_MAX]; /* in this batch */
    size_t used_count;
    struct ph_waiting_keys *waiting_keys;
    uint64_t keys_let_wait; /* a change that SQLite does not count */
    struct ph_copying copying;
    int64_t quiet_ms; /* steady: is_quiet from then on */
    struct ph_tending tending;

    /* ---- everybody's, behind `mutex` --------------------------------------------------------- */
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct ph_inbox_op *first, **last;
    size_t waiting_ops, waiting_bytes;
    struct ph_settings *next_settings; /* from the next batch on */
    bool closing, stopped;
    struct ph_inbox_health health;
    struct ph_inbox_counts counts;
    int shared_numbers[PH_DESTINATIONS_MAX]; /* as `numbers` */
    int64_t shared_oldest[PH_DESTINATIONS_MAX];
};

/* ---- writer.c -------------------------------------------------------------------------------- */
void *ph_writer_run(void *inbox);
/* PH_ERR_IO with SQLite's code in sql.rc is the disk's; others are the op's own. */
PH_MUST_USE enum ph_status ph_writer_op(struct ph_inbox *inbox, struct ph_inbox_op *op);

/* ---- keys.c ---------------------------------------------------------------------------------- */
PH_MUST_USE enum ph_status ph_keys_open(struct ph_inbox *inbox);
void ph_keys_close(struct ph_inbox *inbox);
/* When a transaction begins. */
PH_MUST_USE enum ph_status ph_keys_ready(struct ph_inbox *inbox);
/* When one was rolled back (K3). */
void ph_keys_forget(struct ph_inbox *inbox);
/* A step within a batch of so many ops. */
PH_MUST_USE enum ph_status ph_keys_move(struct ph_inbox *inbox, size_t ops);
/* Before anything else is done with these events: none of their keys waits any longer (K2). */
PH_MUST_USE enum ph_status ph_keys_settle(struct ph_inbox *inbox, int64_t first_event,
                                          int64_t last_event);
/* Who has a key. */
struct ph_known {
    int64_t event;
    bool same; /* digest */
};
PH_MUST_USE enum ph_status ph_key_get(struct ph_inbox *inbox, const struct ph_inbox_event *event,
                                      bool *ret_found, struct ph_known *ret);
/* Takes the key for `event`; *ret_taken false: somebody has it, see *ret_known. One that may wait
 * is held by its event's row, to be put with has_key, in the same transaction. */
enum ph_key_wait { PH_KEY_NOW, PH_KEY_MAY_WAIT };
PH_MUST_USE enum ph_status ph_key_take(struct ph_inbox *inbox, const struct ph_inbox_event *event,
                                       int64_t id, enum ph_key_wait wait, bool *ret_taken,
                                       struct ph_known *ret_known);
/* Counts another notice of a known event; a revision is kept with `request` where there is room. */
PH_MUST_USE enum ph_status ph_key_again(struct ph_inbox *inbox, const struct ph_inbox_event *event,
                                        struct ph_known known, int64_t request, bool *ret_kept);

/* ---- store.c --------------------------------------------------------------------------------- */
PH_MUST_USE enum ph_status ph_store(struct ph_inbox *inbox, struct ph_inbox_store *op);
/* What the two ways in share. */
struct ph_context {
    struct ph_slice endpoint, connector, trace;
    int64_t received_ms;
};
/* What the event was before: nothing, a row that was held, or told. */
enum ph_event_was { PH_EVENT_WAS_NOT, PH_EVENT_WAS_HELD, PH_EVENT_WAS_TOLD };
/* The event's row, and unless it is held its deliveries. Sets event->late. One that was told only
 * reads otherwise now: no deliveries, and as late as it was. */
PH_MUST_USE enum ph_status ph_event_put(struct ph_inbox *inbox, const struct ph_context *context,
                                        enum ph_event_was was, bool has_key,
                                        struct ph_inbox_event *event);
/* A verdict that lets an event be told: verified, or a hint. */
bool ph_may_be_told(enum ph_verdict verdict);
/* For one more that stands so (I4); what is trusted has no bound. */
bool ph_has_room(const struct ph_inbox *inbox, const struct ph_standing *s);
/* `by` 1: the request stands so from now on; -1: no longer. */
void ph_count_standing(struct ph_inbox *inbox, const struct ph_standing *s, int64_t by);
/* By how much the dropped ones are past their bound, in either. */
struct ph_room ph_dropped_over(const struct ph_inbox *inbox);
/* Counts one that the file has, and what its figures do not. */
void ph_count_room(struct ph_figures *f, const struct ph_standing *s, int64_t by_requests,
                   int64_t by_bytes);

/* ---- judge.c, settle.c ----------------------------------------------------------------------- */
PH_MUST_USE enum ph_status ph_judge(struct ph_inbox *inbox, struct ph_inbox_store *op);
PH_MUST_USE enum ph_status ph_settle(struct ph_inbox *inbox, const struct ph_inbox_settle *op);
PH_MUST_USE enum ph_status ph_send(struct ph_inbox *inbox, struct ph_inbox_send *op);
PH_MUST_USE enum ph_status ph_control(struct ph_inbox *inbox, const struct ph_inbox_control *op);
PH_MUST_USE enum ph_status ph_delivery_add(struct ph_inbox *inbox, int64_t event, int number,
                                           int64_t sending);

/* ---- bytes.c: headers and callout answers as texts ------------------------------------------- */
PH_MUST_USE enum ph_status ph_headers_text(struct ph_arena *arena, const struct ph_header *headers,
                                           size_t count, struct ph_slice *ret);
PH_MUST_USE enum ph_status ph_headers_read(struct ph_arena *arena, struct ph_slice text,
                                           const struct ph_header **ret, size_t *ret_count);
PH_MUST_USE enum ph_status ph_brought_bytes(struct ph_arena *arena,
                                            const struct ph_config_value *values, size_t count,
                                            struct ph_slice *ret);
PH_MUST_USE enum ph_status ph_brought_read(struct ph_arena *arena, struct ph_slice bytes,
                                           const struct ph_config_value **ret, size_t *ret_count);

/* ---- tend.c ---------------------------------------------------------------------------------- */
/* A small step within a batch that brought so many ops. */
PH_MUST_USE enum ph_status ph_tend(struct ph_inbox *inbox, size_t ops);
/* Finds the oldest open deliveries anew: where ids begin a little way at a time, their age at once.
 */
PH_MUST_USE enum ph_status ph_oldest_find(struct ph_inbox *inbox);

/* ---- checkpoint.c ---------------------------------------------------------------------------- */
/* What fails here only makes checkpoints longer. */
void ph_copying_open(struct ph_inbox *inbox);
/* Before the writer's connection is closed: that one ends the log. (`flush` is stopped after
 * it.) */
void ph_copying_close(struct ph_inbox *inbox);
/* Copies all of the log that can be. PH_ERR_IO: sql.rc. */
PH_MUST_USE enum ph_status ph_copying_all(struct ph_inbox *inbox);
/* Whether all of it has been copied: waits so long for readers. */
bool ph_copying_rescue(struct ph_inbox *inbox, int wait_ms);
/* Behind a batch that was committed, or when there was none. PH_ERR_IO: sql.rc is what the disk
 * refused. */
PH_MUST_USE enum ph_status ph_copying_step(struct ph_inbox *inbox, bool idle);

/* ---- present.c ------------------------------------------------------------------------------- */
/* Of the open files, which they are. */
void ph_present_note(struct ph_inbox *inbox);
/* What follows inbox.db in the name of one that is gone, or another by now; NULL: all are there. */
const char *ph_present_missing(const struct ph_inbox *inbox);

/* ---- check.c --------------------------------------------------------------------------------- */
/* As ph_inbox_check, of an open file. */
PH_MUST_USE enum ph_status ph_check_db(struct ph_sql *sql, struct ph_arena *arena,
                                       struct ph_slice *ret_findings);

/* ---- names.c --------------------------------------------------------------------------------- */
PH_MUST_USE enum ph_status ph_settings_copy(const struct ph_inbox_options *options,
                                            struct ph_settings *ret);
void ph_settings_free(struct ph_settings *settings);
PH_MUST_USE enum ph_status ph_names_load(struct ph_inbox *inbox);
/* Gives the configured names their numbers; the others are gone. Within a transaction.
 * PH_ERR_TOO_LARGE: no number is free. */
PH_MUST_USE enum ph_status ph_names_apply(struct ph_inbox *inbox);

/* ---- figures.c ------------------------------------------------------------------------------- */
PH_MUST_USE enum ph_status ph_figures_load(struct ph_inbox *inbox);
/* Writes what has changed; the last step of a batch. */
PH_MUST_USE enum ph_status ph_figures_save(struct ph_inbox *inbox);
/* A delivery of the destination changed from one state (0: none) to another. */
void ph_figures_moved(struct ph_inbox *inbox, int64_t delivery, int32_t from, int32_t to);
/* A request was verified with the secret it names; its texts live until the batch is committed. */
PH_MUST_USE enum ph_status ph_use_note(struct ph_inbox *inbox, const struct ph_inbox_request *r);
/* Writes what the batch used. */
PH_MUST_USE enum ph_status ph_uses_save(struct ph_inbox *inbox);
/* For other threads; the mutex is held. */
void ph_figures_publish(struct ph_inbox *inbox);

static inline bool ph_state_open(int32_t state)
{
    return state >= PH_DELIVERY_QUEUED && state <= PH_DELIVERY_PARKED;
}

#endif
