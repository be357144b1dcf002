/* What readers say to SQLite, by number, and what their two files share. */
#ifndef PH_INBOX_READS_H
#define PH_INBOX_READS_H

#include "inbox/inbox_private.h"

#define PH_DUE_COLUMNS                                                                             \
    "SELECT d.id, d.state, d.made_ms, d.due_ms, d.tries, e.late, e.received_ms, e.occurred_ms,"    \
    " coalesce(e.event_id, e.dedupe_key), k.type, k.class, e.subject, k.connector, k.endpoint, "   \
    "e.trace, e.answer"                                                                            \
    " FROM deliveries d INDEXED BY deliveries_due CROSS JOIN events e ON e.id=d.id/65536 CROSS "   \
    "JOIN kinds k ON k.id=e.kind"                                                                  \
    " WHERE d.destination=?1 AND d.state<=3 AND (d.due_ms, d.id)>(?2, ?3) AND d.due_ms<=?4"
/* A parked delivery goes before nobody: what it waits for may be behind it. */
#define PH_DUE_IN_ORDER                                                                            \
    " AND (e.subject IS NULL OR NOT EXISTS (SELECT 1 FROM events f INDEXED BY events_subject"      \
    " CROSS JOIN deliveries g WHERE f.subject=e.subject AND f.held=0 AND f.id>=?6 AND f.id<e.id"   \
    " AND g.id BETWEEN f.id*65536+?1*256 AND f.id*65536+?1*256+255 AND g.state<=2))"
#define PH_EVENT_COLUMNS                                                                           \
    "SELECT e.id, e.received_ms, e.occurred_ms, coalesce(e.event_id, e.dedupe_key), k.type, "      \
    "k.class, e.processor_id,"                                                                     \
    " e.processor_type, e.subject, k.endpoint, k.connector, e.account, e.dedupe_key, "             \
    "e.effect_key, e.currency, e.amount,"                                                          \
    " e.verdict, e.mode, e.incomplete, e.held, e.late, y.duplicates, y.revisions, e.answer"        \
    " FROM events e JOIN kinds k ON k.id=e.kind LEFT JOIN keys y ON y.key=e.dedupe_key AND "       \
    "y.event=e.id WHERE e.id=?"

#define PH_DELIVERY_COLUMNS                                                                        \
    "SELECT d.id, d.state, d.made_ms, d.due_ms, d.ended_ms, d.tries, d.attempts, n.name, "         \
    "a.status, a.reason"                                                                           \
    " FROM deliveries d JOIN destinations n ON n.id=d.destination LEFT JOIN attempts a ON "        \
    "a.delivery=d.id"                                                                              \
    " AND a.number=d.attempts WHERE d.id BETWEEN ?1*65536 AND ?1*65536+65535"                      \
    " AND (?2<0 OR d.destination=?2) AND (?3=0 OR d.state=?3)"

/* X(name, text) */
/* clang-format off */
#define PH_READS(X)                                                                                \
    X(BEGIN, "BEGIN")                                                                              \
    X(END, "COMMIT")                                                                               \
    X(DUE, PH_DUE_COLUMNS " ORDER BY d.due_ms, d.id LIMIT ?5")                                     \
    X(DUE_IN_ORDER, PH_DUE_COLUMNS PH_DUE_IN_ORDER " ORDER BY d.due_ms, d.id LIMIT ?5")            \
    X(NEXT_DUE,                                                                                    \
      "SELECT due_ms FROM deliveries INDEXED BY deliveries_due WHERE destination=? AND state<=3"   \
      " ORDER BY due_ms LIMIT 1")                                                                  \
    X(REQUEST,                                                                                     \
      "SELECT id, standing, received_ms, endpoint, connector, verdict, verdict_reason, secret, "   \
      "work, work_due_ms,"                                                                         \
      " work_tries, method, uri, remote, trace, page_hash, engine_version, brought, headers, body" \
      " FROM requests WHERE id=?")                                                                 \
    X(REQUEST_EVENTS, "SELECT count(*), sum(held) FROM events WHERE id BETWEEN ? AND ?")           \
    X(WORK, "SELECT id FROM requests INDEXED BY requests_work WHERE work>0 AND work_due_ms<=? "    \
      "ORDER BY work_due_ms LIMIT ?")                                                              \
    X(WORK_NEXT,                                                                                   \
      "SELECT work_due_ms FROM requests INDEXED BY requests_work WHERE work>0 AND work_due_ms>?"   \
      " ORDER BY work_due_ms LIMIT 1")                                                             \
    X(USE, "SELECT used, first_ms, last_ms, alone_ms * (alone_ms > coalesce((SELECT max(last_ms)"  \
      " FROM uses WHERE endpoint=?1 AND account=?2 AND secret<>?3), 0)) FROM uses WHERE"           \
      " endpoint=?1 AND account=?2 AND secret=?3")                                                 \
    X(STANDING_IDS, "SELECT id FROM requests INDEXED BY requests_standing WHERE standing=?4 AND "  \
      "standing<>1 AND id>?1"                                                                      \
      " AND (?2 IS NULL OR endpoint=?2) ORDER BY id LIMIT ?3")                                     \
    /* ---- looking: each finds the next id below or above a place ---- */                         \
    X(ALL_BELOW, "SELECT id FROM events WHERE id<?3 AND ?1=0 AND ?2=0 ORDER BY id DESC LIMIT 1")   \
    X(ALL_ABOVE, "SELECT id FROM events WHERE id>?3 AND ?1=0 AND ?2=0 ORDER BY id LIMIT 1")        \
    X(KIND_BELOW, "SELECT id FROM events INDEXED BY events_kind WHERE kind=?1 AND ?2=0 AND id<?3 " \
      "ORDER BY id DESC LIMIT 1")                                                                  \
    X(KIND_ABOVE, "SELECT id FROM events INDEXED BY events_kind WHERE kind=?1 AND ?2=0 AND id>?3 " \
      "ORDER BY id LIMIT 1")                                                                       \
    X(ENDED_BELOW, "SELECT id/65536 FROM deliveries INDEXED BY deliveries_ended WHERE "            \
      "destination=?1 AND state=?2"                                                                \
      " AND state>3 AND id<?3*65536 ORDER BY id DESC LIMIT 1")                                     \
    X(ENDED_ABOVE, "SELECT id/65536 FROM deliveries INDEXED BY deliveries_ended WHERE "            \
      "destination=?1 AND state=?2"                                                                \
      " AND state>3 AND id>=(?3+1)*65536 ORDER BY id LIMIT 1")                                     \
    X(OPEN_BELOW, "SELECT max(id)/65536 FROM deliveries INDEXED BY deliveries_due WHERE "          \
      "destination=?1 AND state<=3"                                                                \
      " AND state=?2 AND id<?3*65536")                                                             \
    X(OPEN_ABOVE, "SELECT min(id)/65536 FROM deliveries INDEXED BY deliveries_due WHERE "          \
      "destination=?1 AND state<=3"                                                                \
      " AND state=?2 AND id>=(?3+1)*65536")                                                        \
    X(SUBJECT_BELOW, "SELECT max(id) FROM events INDEXED BY events_subject WHERE subject=?1 AND "  \
      "held=0 AND id<?2")                                                                          \
    X(SUBJECT_ABOVE, "SELECT min(id) FROM events INDEXED BY events_subject WHERE subject=?1 AND "  \
      "held=0 AND id>?2")                                                                          \
    X(KINDS,                                                                                       \
      "SELECT id FROM kinds WHERE (?1 IS NULL OR endpoint=?1) AND (?2 IS NULL OR connector=?2)"    \
      " AND (?3 IS NULL OR type=?3) AND (?4 IS NULL OR class=?4) ORDER BY id")                     \
    X(RECEIVED_AT, "SELECT id, received_ms FROM requests WHERE id>=? ORDER BY id LIMIT 1")         \
    X(LAST_REQUEST, "SELECT max(id) FROM requests")                                                \
    X(EVENT, PH_EVENT_COLUMNS)                                                                     \
    X(EVENT_TALLY,                                                                                 \
      "SELECT sum(state<=3), sum(state=4), sum(state=5) FROM deliveries WHERE id BETWEEN ?1*65536" \
      " AND ?1*65536+65535")                                                                       \
    X(EVENT_BY_KEY, "SELECT y.event FROM keys y JOIN events e ON e.id=y.event WHERE y.key=?1"      \
      " AND coalesce(e.event_id, e.dedupe_key)=?1 UNION ALL SELECT e.id FROM events"               \
      " e WHERE e.id>=(SELECT keys_from FROM figures) AND e.digest IS NOT NULL"                    \
      " AND e.dedupe_key=?1 AND coalesce(e.event_id, e.dedupe_key)=?1")                            \
    X(EVENT_BY_NAME, "SELECT event FROM event_names WHERE event_id=?")                             \
    X(EVENT_NAMED, "SELECT id FROM events WHERE id=? AND event_id=?")                              \
    X(DESTINATION, "SELECT id FROM destinations WHERE name=?")                                     \
    X(DELIVERIES, PH_DELIVERY_COLUMNS " ORDER BY d.id")                                            \
    X(DELIVERIES_DOWN, PH_DELIVERY_COLUMNS " ORDER BY d.id DESC")                                  \
    X(EVENT_KIND, "SELECT kind, received_ms FROM events WHERE id=?")                               \
    X(ATTEMPTS, "SELECT delivery, state, due_ms, tries, at_ms, elapsed_ms, status, reason FROM "   \
      "attempts WHERE delivery=?"                                                                  \
      " ORDER BY number DESC LIMIT ?")                                                             \
    X(STANDING_BELOW,                                                                              \
      "SELECT id FROM requests INDEXED BY requests_standing WHERE standing=?1 "                    \
      "AND standing<>1 AND (?2 IS NULL OR endpoint=?2)"                                            \
      " AND id<?3 ORDER BY id DESC LIMIT 1")                                                       \
    X(STANDING_ABOVE,                                                                              \
      "SELECT id FROM requests INDEXED BY requests_standing WHERE standing=?1 "                    \
      "AND standing<>1 AND (?2 IS NULL OR endpoint=?2)"                                            \
      " AND id>?3 ORDER BY id LIMIT 1")                                                            \
    X(REQUESTS_BELOW, "SELECT id FROM requests WHERE id<?3 AND "                                   \
      "?1=0 AND ?2=0 ORDER BY id DESC LIMIT 1")                                                    \
    X(REQUESTS_ABOVE,                                                                              \
      "SELECT id FROM requests WHERE id>?3 AND ?1=0 AND ?2=0 ORDER BY id LIMIT 1")                 \
    X(KIND_REQUEST_BELOW, "SELECT id/1024 FROM events INDEXED BY events_kind "                     \
      "WHERE kind=?1 AND ?2=0 AND id<?3*1024"                                                      \
      " ORDER BY id DESC LIMIT 1")                                                                 \
    X(KIND_REQUEST_ABOVE, "SELECT id/1024 FROM events INDEXED BY "                                 \
      "events_kind WHERE kind=?1 AND "                                                             \
      "?2=0 AND id>=(?3+1)*1024"                                                                   \
      " ORDER BY id LIMIT 1")                                                                      \
    X(REQUEST_ROW, "SELECT id, received_ms, endpoint, connector, "                                 \
      "remote, verdict_reason, secret, "                                                           \
      "standing, verdict, ifnull(length(body), 0),"                                                \
      " event_count FROM requests WHERE id=?")
/* clang-format on */

enum ph_read {
#define PH_READ_ENUM(name, text) PH_R_##name,
    PH_READS(PH_READ_ENUM)
#undef PH_READ_ENUM
        PH_R_COUNT
};

struct ph_inbox_reader {
    struct ph_sql sql;
    struct ph_inbox *inbox; /* keeps */
    int64_t until_ms;       /* steady: a read that takes longer is ended */
};

/* One snapshot for all that follows, up to ph_read_end, which turns SQLite's failures into ours:
 * PH_ERR_AGAIN for a read that took too long. */
PH_MUST_USE enum ph_status ph_read_begin(struct ph_inbox_reader *reader);
PH_MUST_USE enum ph_status ph_read_end(struct ph_inbox_reader *reader, enum ph_status st);
/* A destination's number in the file; -1: none. *ret_oldest: no event before it is open there,
 * which spares a look at all the events that a subject ever had. */
int ph_read_number(struct ph_inbox_reader *reader, size_t destination, int64_t *ret_oldest);

/* Columns of a row into places, texts into the arena. */
struct ph_column {
    enum { PH_COLUMN_INT64, PH_COLUMN_INT32, PH_COLUMN_BOOL, PH_COLUMN_TEXT } kind;
    void *place;
};
PH_MUST_USE enum ph_status ph_read_columns(sqlite3_stmt *statement, struct ph_arena *arena,
                                           const struct ph_column *columns, size_t count);

#endif
