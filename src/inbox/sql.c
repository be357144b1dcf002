#include "inbox/sql.h"

#include <assert.h>
#include <stdio.h>

enum ph_status ph_sql_failed(struct ph_sql *sql, int rc)
{
    int extended = sql->db != NULL ? sqlite3_extended_errcode(sql->db) : rc;
    sql->rc = (extended & 0xff) == (rc & 0xff) ? extended : rc;
    (void)snprintf(sql->why, sizeof sql->why, "%s (SQLite %d)",
                   sql->db != NULL ? sqlite3_errmsg(sql->db) : sqlite3_errstr(rc), sql->rc);
    return PH_ERR_IO;
}

static int bind_value(sqlite3_stmt *statement, int at, const struct ph_sql_value *value)
{
    switch (value->kind) {
    case PH_SQL_INT:
        return sqlite3_bind_int64(statement, at, value->number);
    case PH_SQL_TEXT:
        return sqlite3_bind_text64(statement, at, value->bytes.ptr, value->bytes.len, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case PH_SQL_BLOB:
        return sqlite3_bind_blob64(statement, at, value->bytes.ptr, value->bytes.len,
                                   SQLITE_STATIC);
    case PH_SQL_NULL:
        break;
    }
    return sqlite3_bind_null(statement, at);
}

enum ph_status ph_sql_bind(struct ph_sql *sql, int number, const struct ph_sql_value *values,
                           size_t count, sqlite3_stmt **ret)
{
    assert(number >= 0 && number < PH_SQL_STATEMENTS_MAX);
    sqlite3_stmt **statement = &sql->statements[number];
    int rc = SQLITE_OK;
    if (*statement == NULL)
        rc = sqlite3_prepare_v3(sql->db, sql->texts[number], -1, SQLITE_PREPARE_PERSISTENT,
                                statement, NULL);
    else
        (void)sqlite3_reset(*statement); /* repeats the last step's failure, which was told */
    for (size_t i = 0; rc == SQLITE_OK && i < count; i++)
        rc = bind_value(*statement, (int)i + 1, &values[i]);
    if (rc != SQLITE_OK)
        return ph_sql_failed(sql, rc);
    assert(sqlite3_bind_parameter_count(*statement) == (int)count);
    *ret = *statement;
    return PH_OK;
}

enum ph_status ph_sql_next(struct ph_sql *sql, sqlite3_stmt *statement, bool *ret_row)
{
    int rc = sqlite3_step(statement);
    *ret_row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW)
        return PH_OK;
    enum ph_status st = rc == SQLITE_DONE ? PH_OK : ph_sql_failed(sql, rc);
    (void)sqlite3_reset(statement);
    return st;
}

enum ph_status ph_sql_run(struct ph_sql *sql, int number, const struct ph_sql_value *values,
                          size_t count)
{
    sqlite3_stmt *statement;
    bool row;
    PH_TRY(ph_sql_bind(sql, number, values, count, &statement));
    do
        PH_TRY(ph_sql_next(sql, statement, &row));
    while (row);
    return PH_OK;
}

enum ph_status ph_sql_number(struct ph_sql *sql, int number, const struct ph_sql_value *values,
                             size_t count, int64_t *ret)
{
    sqlite3_stmt *statement;
    bool row;
    PH_TRY(ph_sql_bind(sql, number, values, count, &statement));
    PH_TRY(ph_sql_next(sql, statement, &row));
    if (!row)
        return PH_ERR_NOT_FOUND;
    *ret = sqlite3_column_int64(statement, 0);
    ph_sql_end(statement);
    return PH_OK;
}

enum ph_status ph_sql_exec(struct ph_sql *sql, const char *text)
{
    int rc = sqlite3_exec(sql->db, text, NULL, NULL, NULL);
    return rc == SQLITE_OK ? PH_OK : ph_sql_failed(sql, rc);
}

void ph_sql_end(sqlite3_stmt *statement)
{
    (void)sqlite3_reset(statement);
}

void ph_sql_done(struct ph_sql *sql)
{
    for (size_t i = 0; i < PH_SQL_STATEMENTS_MAX; i++)
        (void)sqlite3_finalize(sql->statements[i]);
    (void)sqlite3_close_v2(sql->db);
    *sql = (struct ph_sql){0};
}

struct ph_slice ph_sql_bytes(sqlite3_stmt *statement, int column)
{
    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return (struct ph_slice){0};
    const void *bytes = sqlite3_column_blob(statement, column);
    size_t len = (size_t)sqlite3_column_bytes(statement, column);
    return len == 0 ? PH_S("") : ph_slice_of(bytes, len);
}

enum ph_status ph_sql_copy(sqlite3_stmt *statement, int column, struct ph_arena *arena,
                           struct ph_slice *ret)
{
    struct ph_slice bytes = ph_sql_bytes(statement, column);
    if (bytes.ptr == NULL) {
        *ret = bytes;
        return PH_OK;
    }
    struct ph_slice copy = ph_arena_copy(arena, bytes);
    if (copy.ptr == NULL)
        return PH_ERR_NO_MEMORY;
    *ret = copy;
    return PH_OK;
}
