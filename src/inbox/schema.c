#include "inbox/schema.h"

#include <stdio.h>

/* Version 1. What is long stands last in its row: SQLite reads a row from its front.
 * Indexes of the way in: deliveries_due and events_kind grow at their ends, keys and events_subject
 * anywhere. */
static const char *const version_1[] = {
    /* One HTTP request as it arrived. */
    "CREATE TABLE requests(id INTEGER PRIMARY KEY, standing INTEGER NOT NULL, received_ms INTEGER "
    "NOT NULL,"
    " endpoint TEXT NOT NULL, connector TEXT NOT NULL, verdict INTEGER NOT NULL, verdict_reason "
    "TEXT, secret TEXT,"
    " work INTEGER NOT NULL, work_due_ms INTEGER, work_tries INTEGER NOT NULL, event_count INTEGER "
    "NOT NULL,"
    " bytes INTEGER NOT NULL, method TEXT, uri TEXT, remote TEXT, trace TEXT, page_hash TEXT, "
    "engine_version TEXT,"
    " brought BLOB, headers TEXT, body BLOB)",
    "CREATE INDEX requests_standing ON requests(standing, id, endpoint, work, bytes) WHERE "
    "standing <> 1",
    "CREATE INDEX requests_work ON requests(work_due_ms) WHERE work > 0",

    /* What events have in common: few rows, by which events are found. */
    "CREATE TABLE kinds(id INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, connector TEXT NOT NULL, "
    "type TEXT NOT NULL,"
    " class TEXT NOT NULL, UNIQUE(endpoint, connector, type, class))",

    /* One thing that happened. event_id NULL: it is the dedupe_key. */
    "CREATE TABLE events(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, verdict INTEGER NOT NULL, "
    "mode INTEGER NOT NULL,"
    " held INTEGER NOT NULL, incomplete INTEGER NOT NULL, late INTEGER NOT NULL, received_ms "
    "INTEGER NOT NULL,"
    " occurred_ms INTEGER, amount INTEGER, currency TEXT, dedupe_key TEXT, effect_key TEXT, "
    "event_id TEXT,"
    " processor_id TEXT, processor_type TEXT, subject TEXT, account TEXT, trace TEXT, answer TEXT,"
    " request INTEGER GENERATED ALWAYS AS (id / 1024) VIRTUAL, item INTEGER GENERATED ALWAYS AS "
    "(id % 1024) VIRTUAL)",
    "CREATE INDEX events_kind ON events(kind, id)",
    "CREATE INDEX events_subject ON events(subject, occurred_ms) WHERE subject IS NOT NULL AND "
    "held = 0",

    /* Which event a key means. Not touched when the event goes (G3). digest: 16 bytes of SHA-256 of
       what it said. */
    "CREATE TABLE keys(key TEXT PRIMARY KEY, event INTEGER NOT NULL, seen_ms INTEGER NOT NULL, "
    "digest BLOB NOT NULL,"
    " duplicates INTEGER NOT NULL DEFAULT 0, revisions INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
    /* Event ids that are not dedupe keys. */
    "CREATE TABLE event_names(event_id TEXT PRIMARY KEY, event INTEGER NOT NULL) WITHOUT ROWID",
    /* Which event told a destination of a change, where it is to be told once. */
    "CREATE TABLE effects(effect_key TEXT, destination INTEGER, event INTEGER NOT NULL, seen_ms "
    "INTEGER NOT NULL,"
    " PRIMARY KEY(effect_key, destination)) WITHOUT ROWID",
    /* The same key, said otherwise by a later request. (A table WITHOUT ROWID begins with its key's
       columns: of others SQLite's integrity_check, up to 3.40 at least, reports NULLs that are not
       there.) */
    "CREATE TABLE revisions(event INTEGER, digest BLOB, request INTEGER NOT NULL, item INTEGER NOT "
    "NULL,"
    " PRIMARY KEY(event, digest)) WITHOUT ROWID",
    "CREATE INDEX revisions_request ON revisions(request)",

    /* backlog, dead: deliveries that are open, that are dead. oldest: no open delivery has a
       smaller id. */
    "CREATE TABLE destinations(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, paused INTEGER "
    "NOT NULL DEFAULT 0,"
    " gone INTEGER NOT NULL DEFAULT 0, backlog INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL "
    "DEFAULT 0,"
    " oldest INTEGER NOT NULL DEFAULT 0)",
    /* One event for one destination. */
    "CREATE TABLE deliveries(id INTEGER PRIMARY KEY, destination INTEGER NOT NULL, state INTEGER "
    "NOT NULL,"
    " made_ms INTEGER NOT NULL, due_ms INTEGER, ended_ms INTEGER, tries INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 0,"
    " event INTEGER GENERATED ALWAYS AS (id / 65536) VIRTUAL, sending INTEGER GENERATED ALWAYS AS "
    "(id % 256) VIRTUAL)",
    "CREATE INDEX deliveries_due ON deliveries(destination, due_ms, id) WHERE state <= 3",
    "CREATE INDEX deliveries_ended ON deliveries(destination, state, id) WHERE state > 3",
    /* The oldest that waits is found by when it was made, for a replay's id is its event's, so
     * ids do not tell. While it has not been put off it is due when it was made, and
     * deliveries_due has it. */
    "CREATE INDEX deliveries_made ON deliveries(destination, made_ms) WHERE state <= 3 AND due_ms "
    "IS NOT made_ms",
    "CREATE TABLE attempts(delivery INTEGER, number INTEGER, at_ms INTEGER NOT NULL, elapsed_ms "
    "INTEGER NOT NULL,"
    " status INTEGER, state INTEGER NOT NULL, due_ms INTEGER, tries INTEGER NOT NULL, reason TEXT,"
    " PRIMARY KEY(delivery, number)) WITHOUT ROWID",

    /* When a secret has verified what, first and last; account: whose it is, '' the endpoint's.
       alone_ms: where its present run began, unless another of the same was used since. */
    "CREATE TABLE uses(endpoint TEXT, account TEXT, secret TEXT, used INTEGER NOT NULL, first_ms "
    "INTEGER NOT NULL,"
    " last_ms INTEGER NOT NULL, alone_ms INTEGER NOT NULL, PRIMARY KEY(endpoint, account, secret)) "
    "WITHOUT ROWID",

    /* One row: figures that nobody should have to count, and the file's own name, which makes event
       ids its own. hints, hint_bytes: of requests from hints_from on; those before are too old to
       count. */
    "CREATE TABLE figures(id INTEGER PRIMARY KEY CHECK(id = 1), file TEXT NOT NULL, next_request "
    "INTEGER NOT NULL,"
    " requests INTEGER NOT NULL, events INTEGER NOT NULL, duplicates INTEGER NOT NULL, revisions "
    "INTEGER NOT NULL,"
    " quarantined INTEGER NOT NULL, quarantined_bytes INTEGER NOT NULL, pending INTEGER NOT NULL,"
    " pending_bytes INTEGER NOT NULL, hints INTEGER NOT NULL, hint_bytes INTEGER NOT NULL,"
    " hints_from INTEGER NOT NULL)",
    "INSERT INTO figures VALUES(1, lower(hex(randomblob(5))), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",

    /* ---- for people -------------------------------------------------------------------------- */
    "CREATE VIEW request_list AS SELECT id, datetime(received_ms / 1000, 'unixepoch') AS received, "
    "endpoint, connector,"
    " CASE standing WHEN 1 THEN 'accepted' WHEN 2 THEN 'hint' WHEN 3 THEN 'pending' WHEN 4 THEN "
    "'quarantined'"
    " WHEN 5 THEN 'revision' WHEN 6 THEN 'dropped' END AS standing,"
    " CASE verdict WHEN 1 THEN 'verified' WHEN 2 THEN 'forged' WHEN 3 THEN 'stale' WHEN 4 THEN "
    "'no_signature'"
    " WHEN 5 THEN 'no_secret' WHEN 6 THEN 'unsigned' WHEN 7 THEN 'unsupported' WHEN 8 THEN "
    "'unreachable' END AS verdict,"
    " verdict_reason, secret, event_count AS events, bytes, method, uri, remote, headers, "
    "CAST(body AS TEXT) AS body"
    " FROM requests",
    "CREATE VIEW event_list AS SELECT e.id, datetime(e.received_ms / 1000, 'unixepoch') AS "
    "received, k.endpoint, k.connector,"
    " k.type, k.class, coalesce(e.event_id, e.dedupe_key) AS event_id, e.subject, e.amount, "
    "e.currency,"
    " CASE e.verdict WHEN 1 THEN 'verified' WHEN 2 THEN 'forged' WHEN 3 THEN 'stale' WHEN 4 THEN "
    "'no_signature'"
    " WHEN 5 THEN 'no_secret' WHEN 6 THEN 'unsigned' WHEN 7 THEN 'unsupported' WHEN 8 THEN "
    "'unreachable' END AS verdict,"
    " CASE e.mode WHEN 1 THEN 'test' WHEN 2 THEN 'live' END AS mode, e.held, e.incomplete, e.late,"
    " datetime(e.occurred_ms / 1000, 'unixepoch') AS occurred, e.processor_id, e.processor_type, "
    "e.account, e.request,"
    " e.answer FROM events e JOIN kinds k ON k.id = e.kind",
    "CREATE VIEW delivery_list AS SELECT d.id, d.event, k.type, coalesce(e.event_id, e.dedupe_key) "
    "AS event_id,"
    " n.name AS destination, CASE d.state WHEN 1 THEN 'queued' WHEN 2 THEN 'waiting' WHEN 3 THEN "
    "'parked'"
    " WHEN 4 THEN 'done' WHEN 5 THEN 'dead' WHEN 6 THEN 'dropped' END AS state, d.sending > 0 AS "
    "replay,"
    " datetime(d.made_ms / 1000, 'unixepoch') AS made, datetime(d.due_ms / 1000, 'unixepoch') AS "
    "due,"
    " datetime(d.ended_ms / 1000, 'unixepoch') AS ended, d.tries, d.attempts"
    " FROM deliveries d JOIN events e ON e.id = d.event JOIN kinds k ON k.id = e.kind"
    " JOIN destinations n ON n.id = d.destination",
    "CREATE VIEW attempt_list AS SELECT delivery, number, datetime(at_ms / 1000, 'unixepoch') AS "
    "at, elapsed_ms, status,"
    " CASE state WHEN 1 THEN 'queued' WHEN 2 THEN 'waiting' WHEN 3 THEN 'parked' WHEN 4 THEN "
    "'done' WHEN 5 THEN 'dead'"
    " WHEN 6 THEN 'dropped' END AS state, reason FROM attempts",
    NULL,
};

/* Version 2: keys wait for their place (keys.c). An event that came with a key has the key's
 * digest; of events from keys_from on, some keys are still there alone. And destinations.gone is
 * since when. */
static const char *const version_2[] = {
    "ALTER TABLE events ADD COLUMN digest BLOB",
    "ALTER TABLE figures ADD COLUMN keys_from INTEGER NOT NULL DEFAULT 0",
    "UPDATE figures SET keys_from = next_request * 1024",
    "CREATE VIEW key_list AS SELECT key, event, datetime(seen_ms / 1000, 'unixepoch') AS seen, "
    "duplicates, revisions FROM keys"
    " UNION ALL SELECT dedupe_key, id, datetime(received_ms / 1000, 'unixepoch'), 0, 0 FROM events"
    " WHERE id >= (SELECT keys_from FROM figures) AND digest IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM keys WHERE key = dedupe_key)",
    NULL,
};

static const char *const *const versions[PH_INBOX_VERSION] = {version_1, version_2};

static PH_COLD enum ph_status say(struct ph_sql *sql, const char *path, const char *what,
                                  char *ret_why)
{
    int kind = sql->rc & 0xff;
    const char *todo =
        kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB
            ? "the file is damaged or not payhook's: move it aside and restore a backup"
        : kind == SQLITE_FULL ? "the disk is full: make room and start again"
        : kind == SQLITE_BUSY || kind == SQLITE_LOCKED
            ? "another program has the file open for writing: close it and start again"
            : "check the disk and the folder's permissions";
    (void)snprintf(ret_why, PH_INBOX_WHY_BYTES, "%s: %s: %s; %s", path, what, sql->why, todo);
    return kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB ? PH_ERR_MALFORMED : PH_ERR_IO;
}

static enum ph_status pragma(struct ph_sql *sql, const char *name, int64_t *ret)
{
    char text[64];
    sqlite3_stmt *statement;
    (void)snprintf(text, sizeof text, "PRAGMA %s", name);
    int rc = sqlite3_prepare_v2(sql->db, text, -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return ph_sql_failed(sql, rc);
    rc = sqlite3_step(statement);
    *ret = rc == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    enum ph_status st = rc == SQLITE_ROW ? PH_OK : ph_sql_failed(sql, rc);
    (void)sqlite3_finalize(statement);
    return st;
}

/* The file is ours and not of a newer version; 0: empty. */
static enum ph_status look_at_version(struct ph_sql *sql, const char *path, int64_t *ret_version,
                                      char *ret_why)
{
    int64_t id, version;
    if (pragma(sql, "application_id", &id) != PH_OK ||
        pragma(sql, "user_version", &version) != PH_OK)
        return say(sql, path, "cannot be read", ret_why);
    if (id != PH_INBOX_APPLICATION_ID && !(id == 0 && version == 0)) {
        (void)snprintf(ret_why, PH_INBOX_WHY_BYTES,
                       "%s is a SQLite file of another program: choose another data folder", path);
        return PH_ERR_UNSUPPORTED;
    }
    if (version > PH_INBOX_VERSION) {
        (void)snprintf(ret_why, PH_INBOX_WHY_BYTES,
                       "%s was written by a newer payhook (schema %lld, this one knows up to %d): "
                       "start that version, or "
                       "another data folder",
                       path, (long long)version, PH_INBOX_VERSION);
        return PH_ERR_UNSUPPORTED;
    }
    *ret_version = version;
    return PH_OK;
}

enum ph_status ph_schema_open(struct ph_sql *sql, const char *path, const char *vfs, char *ret_why)
{
    char text[400];
    int64_t version;
    int rc = sqlite3_open_v2(path, &sql->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                 SQLITE_OPEN_PRIVATECACHE,
                             vfs);
    if (rc != SQLITE_OK) {
        (void)ph_sql_failed(sql, rc);
        return say(sql, path, "cannot be opened", ret_why);
    }
    (void)sqlite3_extended_result_codes(sql->db, 1);
    (void)sqlite3_busy_timeout(sql->db, PH_INBOX_BUSY_MS);
    PH_TRY(look_at_version(sql, path, &version, ret_why));
    /* page_size and auto_vacuum count for a file that is still empty. secure_delete: where SQLite
     * is built with it (Debian), each page that retention frees is filled with zeros and written
     * twice, to the log and to the file. */
    (void)snprintf(text, sizeof text,
                   "PRAGMA page_size=%d; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL; "
                   "PRAGMA synchronous=FULL;"
                   "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-%d; PRAGMA temp_store=MEMORY; "
                   "PRAGMA foreign_keys=OFF;"
                   "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; "
                   "PRAGMA secure_delete=OFF",
                   PH_INBOX_PAGE_BYTES, PH_INBOX_WRITER_CACHE_KIB);
    if (ph_sql_exec(sql, text) != PH_OK)
        return say(sql, path, "cannot be used", ret_why);
    return PH_OK;
}

static enum ph_status migrate_to(struct ph_sql *sql, int64_t version)
{
    char text[96];
    PH_TRY(ph_sql_exec(sql, "BEGIN IMMEDIATE"));
    for (const char *const *step = versions[version - 1]; *step != NULL; step++)
        PH_TRY(ph_sql_exec(sql, *step));
    (void)snprintf(text, sizeof text, "PRAGMA application_id=%d; PRAGMA user_version=%lld; COMMIT",
                   PH_INBOX_APPLICATION_ID, (long long)version);
    return ph_sql_exec(sql, text);
}

enum ph_status ph_schema_migrate(struct ph_sql *sql, const char *path, char *ret_why)
{
    int64_t version;
    PH_TRY(look_at_version(sql, path, &version, ret_why));
    while (version < PH_INBOX_VERSION)
        if (migrate_to(sql, ++version) != PH_OK)
            return say(sql, path, "cannot be brought to this version", ret_why);
    return PH_OK;
}
