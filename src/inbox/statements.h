/* What the writer says to SQLite, by number. */
#ifndef PH_INBOX_STATEMENTS_H
#define PH_INBOX_STATEMENTS_H

#define PH_EVENT_ROW                                                                               \
    "(id, kind, verdict, mode, held, incomplete, late, received_ms, occurred_ms, amount, "         \
    "currency, dedupe_key, effect_key, event_id, processor_id, processor_type, subject, account, " \
    "trace, digest, answer) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"

/* X(name, text) */
/* clang-format off */
#define PH_WRITES(X)                                                                               \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                    \
    X(COMMIT, "COMMIT")                                                                            \
    /* ---- STORE ---- */                                                                          \
    X(REQUEST_ADD,                                                                                 \
      "INSERT INTO requests(id, standing, received_ms, endpoint, connector, verdict, "             \
      "verdict_reason, secret,"                                                                    \
      " work, work_due_ms, work_tries, event_count, bytes, method, uri, remote, trace, page_hash," \
      " engine_version, brought, headers, body)"                                                   \
      " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)")                                      \
    X(KIND_GET, "SELECT id FROM kinds WHERE endpoint=? AND connector=? AND type=? AND class=?")    \
    X(KIND_ADD,                                                                                    \
      "INSERT INTO kinds(endpoint, connector, type, class) VALUES(?,?,?,?) RETURNING id")          \
    /* To undo a REPLACE alone SQLite copies every page it touches: for rows that were there. */   \
    X(EVENT_ADD, "INSERT INTO events" PH_EVENT_ROW)                                                \
    X(EVENT_SET, "INSERT OR REPLACE INTO events" PH_EVENT_ROW)                                     \
    X(EVENT_NAME_ADD, "INSERT OR IGNORE INTO event_names(event_id, event) VALUES(?,?)")            \
    X(EVENT_NEWER,                                                                                 \
      "SELECT kind, verdict, occurred_ms - received_ms FROM events INDEXED BY events_subject"      \
      " WHERE subject=? AND held=0 AND occurred_ms>? AND occurred_ms<=?"                           \
      " ORDER BY occurred_ms DESC LIMIT ?")                                                        \
    X(KIND_IS_OF, "SELECT 1 FROM kinds WHERE id=? AND endpoint=? AND connector=?")                 \
    X(KEY_TAKE,                                                                                    \
      "INSERT INTO keys(key, event, seen_ms, digest) VALUES(?,?,?,?) ON CONFLICT(key) DO NOTHING") \
    X(KEY_GET, "SELECT event, digest FROM keys WHERE key=?")                                       \
    /* What events still hold of keys (keys.c, K3). */                                             \
    X(KEYS_OF_EVENTS,                                                                              \
      "INSERT INTO keys(key, event, seen_ms, digest) SELECT dedupe_key, id, received_ms, digest"   \
      " FROM events WHERE id>=? AND digest IS NOT NULL ORDER BY dedupe_key"                        \
      " ON CONFLICT(key) DO NOTHING")                                                              \
    X(KEY_SEEN,                                                                                    \
      "UPDATE keys SET seen_ms=?, duplicates=duplicates+?, revisions=revisions+? WHERE key=?")     \
    X(KEY_DIGEST, "UPDATE keys SET digest=?, seen_ms=? WHERE key=?")                               \
    X(REVISION_COUNT, "SELECT count(*) FROM revisions WHERE event=?")                              \
    X(REVISION_ADD,                                                                                \
      "INSERT OR IGNORE INTO revisions(event, request, item, digest) VALUES(?,?,?,?)")             \
    X(EFFECT_TAKE, "INSERT INTO effects(effect_key, destination, event, seen_ms) VALUES(?,?,?,?)"  \
      " ON CONFLICT DO NOTHING")                                                                   \
    X(DELIVERY_ADD,                                                                                \
      "INSERT INTO deliveries(id, destination, state, made_ms, due_ms) VALUES(?,?,1,?,?)")         \
    /* ---- JUDGE ---- */                                                                          \
    X(REQUEST_GET,                                                                                 \
      "SELECT standing, bytes, received_ms, endpoint, connector, trace, work FROM requests WHERE"  \
      " id=?")                                                                                     \
    X(REQUEST_JUDGE, "UPDATE requests SET standing=?, verdict=?, verdict_reason=?, secret=?, "     \
      "work=?, work_due_ms=?,"                                                                     \
      " work_tries=?, event_count=?, page_hash=?, engine_version=?, "                              \
      "brought=coalesce(?, brought) WHERE id=?")                                                   \
    X(REQUEST_DROP, "DELETE FROM requests WHERE id=?")                                             \
    X(EVENTS_OF, "SELECT id, held, late FROM events WHERE id BETWEEN ? AND ?")                     \
    X(EVENT_HELD, "SELECT held FROM events WHERE id=?")                                            \
    X(EVENT_DROP, "DELETE FROM events WHERE id=?")                                                 \
    /* ---- SETTLE, SEND, CONTROL ---- */                                                          \
    X(DELIVERY_GET, "SELECT state, attempts FROM deliveries WHERE id=?")                           \
    X(DELIVERY_SET,                                                                                \
      "UPDATE deliveries SET state=?, due_ms=?, ended_ms=?, tries=?, attempts=? WHERE id=?")       \
    X(DELIVERY_AGAIN,                                                                              \
      "UPDATE deliveries SET state=1, made_ms=?1, due_ms=?1, ended_ms=NULL, tries=0 WHERE id=?2")  \
    X(DELIVERY_LAST, "SELECT max(id) FROM deliveries WHERE id BETWEEN ? AND ?")                    \
    X(ATTEMPT_ADD, "INSERT OR REPLACE INTO attempts(delivery, number, at_ms, elapsed_ms, status, " \
      "state, due_ms, tries,"                                                                      \
      " reason) VALUES(?,?,?,?,?,?,?,?,?)")                                                        \
    X(DESTINATION_PAUSE, "UPDATE destinations SET paused=? WHERE id=?")                            \
    /* A run of uses is broken when another secret of the same was used since it began. */         \
    X(USE_ADD,                                                                                     \
      "INSERT INTO uses(endpoint, account, secret, used, first_ms, last_ms, alone_ms)"             \
      " VALUES(?1,?2,?3,?4,?5,?6,?5) ON CONFLICT DO UPDATE SET used=used+?4,"                      \
      " first_ms=min(first_ms, ?5), last_ms=max(last_ms, ?6), alone_ms=CASE WHEN EXISTS (SELECT 1" \
      " FROM uses o WHERE o.endpoint=?1 AND o.account=?2 AND o.secret<>?3"                         \
      " AND o.last_ms>=uses.alone_ms) THEN ?6 ELSE alone_ms END")                                  \
    /* ---- figures ---- */                                                                        \
    X(FIGURES_SET, "UPDATE figures SET next_request=?, requests=?, events=?, duplicates=?, "       \
      "revisions=?, quarantined=?,"                                                                \
      " quarantined_bytes=?, pending=?, pending_bytes=?, hints=?, hint_bytes=?,"                   \
      " hints_from=?, keys_from=?")                                                                \
    X(DESTINATION_SET, "UPDATE destinations SET backlog=?, dead=?, oldest=? WHERE id=?")           \
    X(DESTINATION_ADD, "INSERT INTO destinations(id, name) VALUES(?,?)")                           \
    X(DESTINATION_NAME,                                                                            \
      "UPDATE destinations SET name=?, paused=0, gone=0, backlog=0, dead=0, oldest=0 WHERE id=?")  \
    X(DESTINATION_GONE, "UPDATE destinations SET gone=? WHERE id=?")                               \
    /* ---- tending ---- */                                                                        \
    X(PAGES, "SELECT (SELECT page_count FROM pragma_page_count())")                                \
    X(PAGES_FREE, "SELECT (SELECT freelist_count FROM pragma_freelist_count())")                   \
    X(OLDEST_SCAN,                                                                                 \
      "SELECT id, destination, state FROM deliveries WHERE id>=? ORDER BY id LIMIT ?")             \
    X(OLDEST_MADE,                                                                                 \
      "SELECT min(since) FROM"                                                                     \
      " (SELECT (SELECT due_ms FROM deliveries INDEXED BY deliveries_due WHERE destination=?1"     \
      " AND state<=3 AND due_ms>=0 ORDER BY due_ms LIMIT 1) AS since UNION ALL"                    \
      " SELECT (SELECT made_ms FROM deliveries INDEXED BY deliveries_made WHERE destination=?1"    \
      " AND state<=3 AND due_ms IS NOT made_ms ORDER BY made_ms LIMIT 1))")                        \
    X(GONE_SCAN, "SELECT id, state FROM deliveries INDEXED BY deliveries_due WHERE destination=?"  \
      " AND state<=3 LIMIT ?")                                                                     \
    X(DELIVERY_DROP, "UPDATE deliveries SET state=6, due_ms=NULL, ended_ms=? WHERE id=?")          \
    X(STANDING_SCAN, "SELECT id, standing, received_ms, work, bytes FROM requests INDEXED BY"      \
      " requests_standing WHERE id>?1 AND standing=?3 AND standing<>1 ORDER BY id"                 \
      " LIMIT ?2")                                                                                 \
    X(REQUEST_SCAN, "SELECT id, standing, received_ms, work, bytes FROM requests WHERE id>?1"      \
      " ORDER BY id LIMIT ?2")                                                                     \
    X(OPEN_FIRST, "SELECT id FROM deliveries WHERE id BETWEEN ? AND ? AND state<=3 ORDER BY id"    \
      " LIMIT 1")                                                                                  \
    X(DELIVERIES_OF, "SELECT id, state FROM deliveries WHERE id BETWEEN ? AND ?")                  \
    X(DELIVERIES_FORGET, "DELETE FROM deliveries WHERE id BETWEEN ? AND ?")                        \
    X(ATTEMPTS_FORGET, "DELETE FROM attempts WHERE delivery BETWEEN ? AND ?")                      \
    X(EVENT_NAMES_FORGET, "DELETE FROM event_names WHERE event BETWEEN ?1 AND ?2 AND event_id IN"  \
      " (SELECT event_id FROM events WHERE id BETWEEN ?1 AND ?2)")                                 \
    X(EVENTS_FORGET, "DELETE FROM events WHERE id BETWEEN ? AND ?")                                \
    X(REVISIONS_FORGET, "DELETE FROM revisions WHERE request BETWEEN ? AND ?")                     \
    X(REQUESTS_FORGET, "DELETE FROM requests WHERE id BETWEEN ? AND ?")                            \
    X(KEY_SCAN, "SELECT key, event, seen_ms FROM keys WHERE key>? ORDER BY key LIMIT ?")           \
    X(KEY_FORGET, "DELETE FROM keys WHERE key=?")                                                  \
    X(EFFECT_SCAN, "SELECT effect_key, event, seen_ms FROM effects WHERE effect_key>? ORDER BY"    \
      " effect_key LIMIT ?")                                                                       \
    X(EFFECT_FORGET, "DELETE FROM effects WHERE effect_key=?")                                     \
    X(DESTINATION_USED,                                                                            \
      "SELECT 1 FROM deliveries INDEXED BY deliveries_ended WHERE destination=?1 AND state>3"      \
      " UNION ALL SELECT 1 FROM deliveries INDEXED BY deliveries_due WHERE destination=?1 AND "    \
      "state<=3 LIMIT 1")
/* clang-format on */

enum ph_write {
#define PH_WRITE_ENUM(name, text) PH_W_##name,
    PH_WRITES(PH_WRITE_ENUM)
#undef PH_WRITE_ENUM
        PH_W_COUNT
};

#endif
