/* Whether the file is sound: SQLite's own check, and what must be true of ours. */
#include <stdio.h>
#include <stdlib.h>

#include "inbox/inbox_private.h"
#include "os/folder.h"
#include "os/heap.h"
#include "os/socket.h"

enum { FINDINGS_BYTES_MAX = 16 * 1024 };

/* Each counts what must not be. */
static const struct {
    const char *what, *count;
} rules[] = {
    {"events of no request", "SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT 1 FROM "
                             "requests r WHERE r.id=e.id/1024)"},
    {"deliveries of no event", "SELECT count(*) FROM deliveries d WHERE NOT EXISTS (SELECT 1 FROM "
                               "events e WHERE e.id=d.id/65536)"},
    {"deliveries of a held event",
     "SELECT count(*) FROM deliveries d JOIN events e ON e.id=d.id/65536 WHERE e.held<>0"},
    {"deliveries of no destination", "SELECT count(*) FROM deliveries d WHERE NOT EXISTS (SELECT 1 "
                                     "FROM destinations n WHERE n.id=d.destination)"},
    {"deliveries whose id names another destination",
     "SELECT count(*) FROM deliveries WHERE destination<>id/256%256"},
    {"attempts of no delivery", "SELECT count(*) FROM attempts a WHERE NOT EXISTS (SELECT 1 FROM "
                                "deliveries d WHERE d.id=a.delivery)"},
    {"told events whose key is not known",
     "SELECT count(*) FROM events e WHERE verdict=1 AND held=0 AND dedupe_key IS NOT NULL"
     " AND NOT EXISTS (SELECT 1 FROM keys k WHERE k.key=e.dedupe_key)"
     " AND (digest IS NULL OR id<(SELECT keys_from FROM figures))"},
    {"keys that two events have",
     "SELECT count(*) FROM events e JOIN keys k ON k.key=e.dedupe_key WHERE e.digest IS NOT NULL"
     " AND e.id>=(SELECT keys_from FROM figures) AND k.event<>e.id"},
    {"events of an unknown kind",
     "SELECT count(*) FROM events e WHERE NOT EXISTS (SELECT 1 FROM kinds k WHERE k.id=e.kind)"},
    {"ids that would be given again",
     "SELECT count(*) FROM figures WHERE next_request<=(SELECT coalesce(max(id),0) FROM requests)"
     " OR next_request<=(SELECT coalesce(max(event),0)/1024 FROM keys)"},
    {"destinations whose backlog is miscounted",
     "SELECT count(*) FROM destinations n WHERE backlog<>(SELECT count(*) FROM deliveries d WHERE "
     "d.destination=n.id AND d.state<=3)"},
    {"destinations whose dead are miscounted",
     "SELECT count(*) FROM destinations n WHERE dead<>(SELECT count(*) FROM deliveries d WHERE "
     "d.destination=n.id AND d.state=5)"},
    {"destinations with an open delivery before their oldest",
     "SELECT count(*) FROM destinations n WHERE EXISTS (SELECT 1 FROM deliveries d WHERE "
     "d.destination=n.id AND d.state<=3 AND"
     " d.id<n.oldest)"},
    {"miscounts of the quarantine",
     "SELECT count(*) FROM figures WHERE quarantined<>(SELECT count(*) FROM requests WHERE "
     "standing=4)"
     " OR quarantined_bytes<>(SELECT coalesce(sum(bytes),0) FROM requests WHERE standing=4)"},
    {"miscounts of what is pending",
     "SELECT count(*) FROM figures WHERE pending<>(SELECT count(*) FROM requests WHERE standing=3)"
     " OR pending_bytes<>(SELECT coalesce(sum(bytes),0) FROM requests WHERE standing=3)"},
    {"miscounts of the hints",
     "SELECT count(*) FROM figures WHERE hints<>(SELECT count(*) FROM requests WHERE standing=2"
     " AND requests.id>=hints_from) OR hint_bytes<>(SELECT coalesce(sum(bytes),0) FROM requests"
     " WHERE standing=2 AND requests.id>=hints_from)"},
};

struct findings {
    char *text;
    size_t len;
};

static void add(struct findings *f, const char *format, long long count, const char *what)
{
    int len = snprintf(f->text + f->len, FINDINGS_BYTES_MAX - f->len, format, count, what);
    if (len > 0 && (size_t)len < FINDINGS_BYTES_MAX - f->len)
        f->len += (size_t)len;
}

static enum ph_status run_integrity_check(struct ph_sql *sql, struct findings *f)
{
    sqlite3_stmt *rows;
    int rc = sqlite3_prepare_v2(sql->db, "PRAGMA integrity_check(20)", -1, &rows, NULL);
    if (rc != SQLITE_OK)
        return ph_sql_failed(sql, rc);
    while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(rows, 0);
        if (text != NULL && strcmp(text, "ok") != 0)
            add(f, "%.0lldSQLite: %s\n", 0, text);
    }
    enum ph_status st = rc == SQLITE_DONE ? PH_OK : ph_sql_failed(sql, rc);
    (void)sqlite3_finalize(rows);
    return st;
}

static enum ph_status run_rule(struct ph_sql *sql, size_t i, struct findings *f)
{
    sqlite3_stmt *row;
    int rc = sqlite3_prepare_v2(sql->db, rules[i].count, -1, &row, NULL);
    if (rc != SQLITE_OK)
        return ph_sql_failed(sql, rc);
    rc = sqlite3_step(row);
    int64_t count = rc == SQLITE_ROW ? sqlite3_column_int64(row, 0) : 0;
    enum ph_status st = rc == SQLITE_ROW ? PH_OK : ph_sql_failed(sql, rc);
    (void)sqlite3_finalize(row);
    if (count > 0)
        add(f, "%lld %s\n", (long long)count, rules[i].what);
    return st;
}

enum ph_status ph_check_db(struct ph_sql *sql, struct ph_arena *arena,
                           struct ph_slice *ret_findings)
{
    struct findings f = {.text = ph_arena_alloc(arena, FINDINGS_BYTES_MAX)};
    if (f.text == NULL)
        return PH_ERR_NO_MEMORY;
    enum ph_status st = run_integrity_check(sql, &f);
    for (size_t i = 0; st == PH_OK && i < PH_COUNTOF(rules); i++)
        st = run_rule(sql, i, &f);
    if (st == PH_ERR_IO && (sql->rc & 0xff) == SQLITE_CORRUPT) {
        add(&f, "%.0lldSQLite: %s\n", 0, sql->why);
        st = PH_OK;
    }
    if (st == PH_OK)
        *ret_findings = ph_slice_of(f.text, f.len);
    return st;
}

static enum ph_status check_file(const char *path, struct ph_arena *arena,
                                 struct ph_slice *ret_findings)
{
    struct ph_sql sql = {0};
    int rc = sqlite3_open_v2(path, &sql.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    enum ph_status st = rc == SQLITE_OK         ? PH_OK
                        : rc == SQLITE_CANTOPEN ? PH_ERR_NOT_FOUND
                                                : PH_ERR_IO;
    if (st == PH_OK)
        st = ph_check_db(&sql, arena, ret_findings);
    if (st == PH_ERR_IO && (sql.rc & 0xff) == SQLITE_NOTADB) {
        *ret_findings = PH_S("SQLite: this is no database, or its head is damaged\n");
        st = PH_OK;
    }
    ph_sql_done(&sql);
    return st;
}

enum ph_status ph_inbox_check(const char *folder, struct ph_arena *arena,
                              struct ph_slice *ret_findings)
{
    int fd = -1, holder;
    size_t room = strlen(folder) + sizeof "/inbox.db";
    char *path = ph_arena_alloc(arena, room);
    if (path == NULL)
        return PH_ERR_NO_MEMORY;
    (void)snprintf(path, room, "%s/lock", folder);
    PH_TRY(ph_os_lock(path, &fd, &holder));
    (void)snprintf(path, room, "%s/inbox.db", folder);
    enum ph_status st = check_file(path, arena, ret_findings);
    ph_os_close(fd);
    return st;
}
