/* Readers: a read-only connection each, for one thread; every read is one snapshot, short, and
 * ended when it is not. */
#include <stdio.h>
#include <stdlib.h>

#include "inbox/reads.h"
#include "os/clock.h"

enum {
    PROGRESS_STEPS = 10 * 1000
}; /* of SQLite's machine between two looks at the clock: about a millisecond */

static const char *const reads[] = {
#define PH_READ_TEXT(name, text) text,
    PH_READS(PH_READ_TEXT)
#undef PH_READ_TEXT
};
_Static_assert((int)PH_R_COUNT <= (int)PH_SQL_STATEMENTS_MAX,
               "the table of statements is too small");

static int is_too_long(void *ctx)
{
    const struct ph_inbox_reader *reader = ctx;
    return ph_os_steady_ms() > reader->until_ms;
}

enum ph_status ph_inbox_reader_open(struct ph_inbox *inbox, struct ph_inbox_reader **ret)
{
    char text[128];
    struct ph_inbox_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return PH_ERR_NO_MEMORY;
    reader->inbox = inbox;
    reader->sql.texts = reads;
    int rc = sqlite3_open_v2(inbox->path, &reader->sql.db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, inbox->vfs);
    (void)snprintf(text, sizeof text,
                   "PRAGMA query_only=1; PRAGMA cache_size=-%d; PRAGMA temp_store=MEMORY",
                   PH_INBOX_READER_CACHE_KIB);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(reader->sql.db, PH_INBOX_BUSY_MS);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(reader->sql.db, text, NULL, NULL, NULL);
    if (rc != SQLITE_OK) {
        ph_inbox_reader_close(reader);
        return PH_ERR_IO;
    }
    (void)sqlite3_extended_result_codes(reader->sql.db, 1);
    sqlite3_progress_handler(reader->sql.db, PROGRESS_STEPS, is_too_long, reader);
    *ret = reader;
    return PH_OK;
}

void ph_inbox_reader_close(struct ph_inbox_reader *reader)
{
    if (reader == NULL)
        return;
    ph_sql_done(&reader->sql);
    free(reader);
}

enum ph_status ph_read_begin(struct ph_inbox_reader *reader)
{
    reader->until_ms = ph_os_steady_ms() + PH_INBOX_READ_MS;
    return ph_sql_run(&reader->sql, PH_R_BEGIN, NULL, 0);
}

enum ph_status ph_read_end(struct ph_inbox_reader *reader, enum ph_status st)
{
    bool too_long = st == PH_ERR_IO && (reader->sql.rc & 0xff) == SQLITE_INTERRUPT;
    for (int i = 0; i < PH_R_COUNT; i++)
        if (reader->sql.statements[i] != NULL && sqlite3_stmt_busy(reader->sql.statements[i]))
            ph_sql_end(reader->sql.statements[i]);
    reader->until_ms = INT64_MAX;
    if (ph_sql_run(&reader->sql, PH_R_END, NULL, 0) != PH_OK)
        (void)sqlite3_exec(reader->sql.db, "ROLLBACK", NULL, NULL, NULL);
    return too_long ? PH_ERR_AGAIN : st;
}

int ph_read_number(struct ph_inbox_reader *reader, size_t destination, int64_t *ret_oldest)
{
    *ret_oldest = 0;
    if (destination >= PH_DESTINATIONS_MAX)
        return -1;
    pthread_mutex_lock(&reader->inbox->mutex);
    int number = reader->inbox->shared_numbers[destination];
    *ret_oldest = ph_delivery_event(reader->inbox->shared_oldest[destination]);
    pthread_mutex_unlock(&reader->inbox->mutex);
    return number;
}

enum ph_status ph_read_columns(sqlite3_stmt *statement, struct ph_arena *arena,
                               const struct ph_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int at = (int)i;
        switch (columns[i].kind) {
        case PH_COLUMN_INT64:
            *(int64_t *)columns[i].place = sqlite3_column_int64(statement, at);
            break;
        case PH_COLUMN_INT32:
            *(int32_t *)columns[i].place = sqlite3_column_int(statement, at);
            break;
        case PH_COLUMN_BOOL:
            *(bool *)columns[i].place = sqlite3_column_int(statement, at) != 0;
            break;
        case PH_COLUMN_TEXT:
            PH_TRY(ph_sql_copy(statement, at, arena, columns[i].place));
            break;
        }
    }
    return PH_OK;
}

/* ---- what is due ----------------------------------------------------------------------------- */

static enum ph_status take_due(sqlite3_stmt *row, struct ph_arena *arena, struct ph_inbox_due *due)
{
    int32_t state = 0;
    *due = (struct ph_inbox_due){0};
    const struct ph_column columns[] = {
        {PH_COLUMN_INT64, &due->delivery},    {PH_COLUMN_INT32, &state},
        {PH_COLUMN_INT64, &due->made_ms},     {PH_COLUMN_INT64, &due->due_ms},
        {PH_COLUMN_INT32, &due->tries},       {PH_COLUMN_BOOL, &due->late},
        {PH_COLUMN_INT64, &due->received_ms}, {PH_COLUMN_INT64, &due->occurred_ms},
        {PH_COLUMN_TEXT, &due->event_id},     {PH_COLUMN_TEXT, &due->type},
        {PH_COLUMN_TEXT, &due->class},        {PH_COLUMN_TEXT, &due->subject},
        {PH_COLUMN_TEXT, &due->connector},    {PH_COLUMN_TEXT, &due->endpoint},
        {PH_COLUMN_TEXT, &due->trace},        {PH_COLUMN_TEXT, &due->answer}};
    PH_TRY(ph_read_columns(row, arena, columns, PH_COUNTOF(columns)));
    due->state = (enum ph_delivery_state)state;
    due->event = ph_delivery_event(due->delivery);
    due->request = ph_event_request(due->event);
    due->replay = due->delivery % PH_INBOX_SENDINGS_MAX != 0;
    return PH_OK;
}

struct asked {
    bool ordered;
    int64_t now_ms;
    struct ph_inbox_place after;
    size_t max;
};

static enum ph_status read_due(struct ph_inbox_reader *reader, int number, int64_t oldest,
                               const struct asked *asked, struct ph_arena *arena,
                               struct ph_inbox_due *due, size_t *count)
{
    const struct ph_sql_value values[] = {
        ph_sql_int(number),        ph_sql_int(asked->after.due_ms), ph_sql_int(asked->after.id),
        ph_sql_int(asked->now_ms), ph_sql_int((int64_t)asked->max), ph_sql_int(oldest)};
    sqlite3_stmt *rows;
    bool row;
    PH_TRY(ph_sql_bind(&reader->sql, asked->ordered ? PH_R_DUE_IN_ORDER : PH_R_DUE, values,
                       asked->ordered ? 6 : 5, &rows));
    for (;;) {
        PH_TRY(ph_sql_next(&reader->sql, rows, &row));
        if (!row)
            return PH_OK;
        PH_TRY(take_due(rows, arena, &due[*count]));
        ++*count;
    }
}

enum ph_status ph_inbox_due(struct ph_inbox_reader *reader, size_t destination, bool ordered,
                            int64_t now_ms, struct ph_inbox_place after, size_t max,
                            struct ph_arena *arena, struct ph_inbox_due **ret, size_t *ret_count)
{
    const struct asked asked = {ordered, now_ms, after, max};
    int64_t oldest;
    int number = ph_read_number(reader, destination, &oldest);
    size_t count = 0;
    struct ph_inbox_due *due = ph_arena_alloc(arena, (max + 1) * sizeof *due);
    if (due == NULL)
        return PH_ERR_NO_MEMORY;
    enum ph_status st = PH_OK;
    if (number >= 0) {
        PH_TRY(ph_read_begin(reader));
        st = ph_read_end(reader, read_due(reader, number, oldest, &asked, arena, due, &count));
        if (st == PH_ERR_AGAIN && count > 0)
            st = PH_OK; /* what was found in time; the rest comes after it */
    }
    if (st == PH_OK) {
        *ret = due;
        *ret_count = count;
    }
    return st;
}

enum ph_status ph_inbox_next_due(struct ph_inbox_reader *reader, size_t destination,
                                 int64_t *ret_ms)
{
    int64_t oldest;
    int number = ph_read_number(reader, destination, &oldest);
    int64_t due_ms = INT64_MAX;
    PH_TRY(ph_read_begin(reader));
    enum ph_status st = ph_read_end(
        reader, PH_SQL_NUMBER(&reader->sql, PH_R_NEXT_DUE, &due_ms, ph_sql_int(number)));
    if (st != PH_OK && st != PH_ERR_NOT_FOUND)
        return st;
    *ret_ms = due_ms;
    return PH_OK;
}

/* ---- requests to judge again ----------------------------------------------------------------- */

static enum ph_status take_request(sqlite3_stmt *row, struct ph_arena *arena,
                                   struct ph_inbox_request *r)
{
    int32_t standing = 0, verdict = 0, work = 0;
    struct ph_slice brought = {0}, headers = {0};
    *r = (struct ph_inbox_request){0};
    const struct ph_column columns[] = {{PH_COLUMN_INT64, &r->id},
                                        {PH_COLUMN_INT32, &standing},
                                        {PH_COLUMN_INT64, &r->received_ms},
                                        {PH_COLUMN_TEXT, &r->endpoint},
                                        {PH_COLUMN_TEXT, &r->connector},
                                        {PH_COLUMN_INT32, &verdict},
                                        {PH_COLUMN_TEXT, &r->verdict_reason},
                                        {PH_COLUMN_TEXT, &r->secret},
                                        {PH_COLUMN_INT32, &work},
                                        {PH_COLUMN_INT64, &r->work_due_ms},
                                        {PH_COLUMN_INT32, &r->work_tries},
                                        {PH_COLUMN_TEXT, &r->method},
                                        {PH_COLUMN_TEXT, &r->uri},
                                        {PH_COLUMN_TEXT, &r->remote},
                                        {PH_COLUMN_TEXT, &r->trace},
                                        {PH_COLUMN_TEXT, &r->page_hash},
                                        {PH_COLUMN_TEXT, &r->engine_version},
                                        {PH_COLUMN_TEXT, &brought},
                                        {PH_COLUMN_TEXT, &headers},
                                        {PH_COLUMN_TEXT, &r->body}};
    PH_TRY(ph_read_columns(row, arena, columns, PH_COUNTOF(columns)));
    r->standing = (enum ph_inbox_standing)standing;
    r->verdict = (enum ph_verdict)verdict;
    r->work = (enum ph_inbox_work)work;
    PH_TRY(ph_brought_read(arena, brought, &r->brought, &r->brought_count));
    return ph_headers_read(arena, headers, &r->headers, &r->header_count);
}

static enum ph_status read_request(struct ph_inbox_reader *reader, int64_t id,
                                   struct ph_arena *arena, struct ph_inbox_kept *kept)
{
    sqlite3_stmt *row;
    bool found;
    PH_TRY(PH_SQL_BIND(&reader->sql, PH_R_REQUEST, &row, ph_sql_int(id)));
    PH_TRY(ph_sql_next(&reader->sql, row, &found));
    if (!found)
        return PH_ERR_NOT_FOUND;
    PH_TRY(take_request(row, arena, &kept->request));
    PH_TRY(PH_SQL_BIND(&reader->sql, PH_R_REQUEST_EVENTS, &row, ph_sql_int(ph_event_id(id, 0)),
                       ph_sql_int(ph_event_id(id, PH_INBOX_ITEMS_MAX - 1))));
    PH_TRY(ph_sql_next(&reader->sql, row, &found));
    kept->event_count = sqlite3_column_int(row, 0);
    kept->held = sqlite3_column_int(row, 1);
    return PH_OK;
}

enum ph_status ph_inbox_request_get(struct ph_inbox_reader *reader, int64_t id,
                                    struct ph_arena *arena, struct ph_inbox_kept *ret)
{
    struct ph_inbox_kept kept = {0};
    PH_TRY(ph_read_begin(reader));
    PH_TRY(ph_read_end(reader, read_request(reader, id, arena, &kept)));
    *ret = kept;
    return PH_OK;
}

static enum ph_status read_ids(struct ph_inbox_reader *reader, sqlite3_stmt *rows, int64_t *ids,
                               size_t *count)
{
    for (;;) {
        bool row;
        PH_TRY(ph_sql_next(&reader->sql, rows, &row));
        if (!row)
            return PH_OK;
        ids[(*count)++] = sqlite3_column_int64(rows, 0);
    }
}

static enum ph_status read_work(struct ph_inbox_reader *reader, int64_t now_ms, size_t max,
                                int64_t *ids, size_t *count, int64_t *next_ms)
{
    sqlite3_stmt *rows;
    PH_TRY(
        PH_SQL_BIND(&reader->sql, PH_R_WORK, &rows, ph_sql_int(now_ms), ph_sql_int((int64_t)max)));
    PH_TRY(read_ids(reader, rows, ids, count));
    *next_ms = now_ms;
    if (*count == max)
        return PH_OK;
    *next_ms = INT64_MAX;
    enum ph_status st = PH_SQL_NUMBER(&reader->sql, PH_R_WORK_NEXT, next_ms, ph_sql_int(now_ms));
    return st == PH_ERR_NOT_FOUND ? PH_OK : st;
}

enum ph_status ph_inbox_work_due(struct ph_inbox_reader *reader, int64_t now_ms, size_t max,
                                 struct ph_arena *arena, int64_t **ret_ids, size_t *ret_count,
                                 int64_t *ret_next_ms)
{
    size_t count = 0;
    int64_t next_ms, *ids = ph_arena_alloc(arena, (max + 1) * sizeof *ids);
    if (ids == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(ph_read_begin(reader));
    PH_TRY(ph_read_end(reader, read_work(reader, now_ms, max, ids, &count, &next_ms)));
    *ret_ids = ids;
    *ret_count = count;
    *ret_next_ms = next_ms;
    return PH_OK;
}

static enum ph_status read_use(struct ph_inbox_reader *reader, const struct ph_sql_value names[3],
                               struct ph_inbox_use *use)
{
    sqlite3_stmt *row;
    bool found;
    PH_TRY(ph_sql_bind(&reader->sql, PH_R_USE, names, 3, &row));
    PH_TRY(ph_sql_next(&reader->sql, row, &found));
    if (!found)
        return PH_ERR_NOT_FOUND;
    use->used = sqlite3_column_int64(row, 0);
    use->first_ms = sqlite3_column_int64(row, 1);
    use->last_ms = sqlite3_column_int64(row, 2);
    use->alone_ms = sqlite3_column_int64(row, 3);
    return PH_OK;
}

enum ph_status ph_inbox_use_get(struct ph_inbox_reader *reader, struct ph_slice endpoint,
                                struct ph_slice account, struct ph_slice secret,
                                struct ph_inbox_use *ret)
{
    struct ph_inbox_use use;
    const struct ph_sql_value names[3] = {ph_sql_text(endpoint),
                                          ph_sql_text(account.len > 0 ? account : PH_S("")),
                                          ph_sql_text(secret)};
    PH_TRY(ph_read_begin(reader));
    PH_TRY(ph_read_end(reader, read_use(reader, names, &use)));
    *ret = use;
    return PH_OK;
}

enum ph_status ph_inbox_standing_ids(struct ph_inbox_reader *reader,
                                     enum ph_inbox_standing standing, struct ph_slice endpoint,
                                     int64_t after, size_t max, struct ph_arena *arena,
                                     int64_t **ret_ids, size_t *ret_count)
{
    size_t count = 0;
    sqlite3_stmt *rows;
    int64_t *ids = ph_arena_alloc(arena, (max + 1) * sizeof *ids);
    if (ids == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(ph_read_begin(reader));
    enum ph_status st =
        PH_SQL_BIND(&reader->sql, PH_R_STANDING_IDS, &rows, ph_sql_int(after),
                    ph_sql_text(endpoint), ph_sql_int((int64_t)max), ph_sql_int(standing));
    if (st == PH_OK)
        st = read_ids(reader, rows, ids, &count);
    PH_TRY(ph_read_end(reader, st));
    *ret_ids = ids;
    *ret_count = count;
    return PH_OK;
}
