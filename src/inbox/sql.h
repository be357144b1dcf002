/* SQLite, as little of it as the inbox needs: prepared statements by number, typed values in,
 * slices out.
 *
 * Q1: a failure is PH_ERR_IO here; `rc` has SQLite's extended code and `why` its words, until the
 * next failure. Q2: values are borrowed until the statement has been stepped to its end or reset.
 */
#ifndef PH_INBOX_SQL_H
#define PH_INBOX_SQL_H

#include <sqlite3.h>

#include "base/arena.h"

enum { PH_SQL_WHY_BYTES = 256, PH_SQL_STATEMENTS_MAX = 96 };

struct ph_sql {
    sqlite3 *db;
    const char *const *texts; /* keeps */
    sqlite3_stmt *statements[PH_SQL_STATEMENTS_MAX];
    int rc;
    char why[PH_SQL_WHY_BYTES];
};

struct ph_sql_value {
    enum { PH_SQL_NULL, PH_SQL_INT, PH_SQL_TEXT, PH_SQL_BLOB } kind;
    int64_t number;
    struct ph_slice bytes;
};

static inline struct ph_sql_value ph_sql_int(int64_t number)
{
    return (struct ph_sql_value){.kind = PH_SQL_INT, .number = number};
}
/* 0 is NULL: "not told". */
static inline struct ph_sql_value ph_sql_int_or_null(int64_t number)
{
    return (struct ph_sql_value){.kind = number != 0 ? PH_SQL_INT : PH_SQL_NULL, .number = number};
}
/* Absent is NULL. */
static inline struct ph_sql_value ph_sql_text(struct ph_slice text)
{
    return (struct ph_sql_value){.kind = text.ptr != NULL ? PH_SQL_TEXT : PH_SQL_NULL,
                                 .bytes = text};
}
static inline struct ph_sql_value ph_sql_blob(struct ph_slice bytes)
{
    return (struct ph_sql_value){.kind = bytes.ptr != NULL ? PH_SQL_BLOB : PH_SQL_NULL,
                                 .bytes = bytes};
}

/* Remembers a failure (Q1). */
PH_COLD enum ph_status ph_sql_failed(struct ph_sql *sql, int rc);
/* Statement `number`, prepared, reset, with these values. */
PH_MUST_USE enum ph_status ph_sql_bind(struct ph_sql *sql, int number,
                                       const struct ph_sql_value *values, size_t count,
                                       sqlite3_stmt **ret);
/* The next row, if any. At the end the statement is reset. */
PH_MUST_USE enum ph_status ph_sql_next(struct ph_sql *sql, sqlite3_stmt *statement, bool *ret_row);
/* Bind and run; rows are ignored. */
PH_MUST_USE enum ph_status ph_sql_run(struct ph_sql *sql, int number,
                                      const struct ph_sql_value *values, size_t count);
/* Bind and read the first row's first column; PH_ERR_NOT_FOUND without a row. NULL is 0. */
PH_MUST_USE enum ph_status ph_sql_number(struct ph_sql *sql, int number,
                                         const struct ph_sql_value *values, size_t count,
                                         int64_t *ret);
/* One statement or several, not prepared. */
PH_MUST_USE enum ph_status ph_sql_exec(struct ph_sql *sql, const char *text);
/* An ended read's statement: it holds no snapshot. */
void ph_sql_end(sqlite3_stmt *statement);
void ph_sql_done(struct ph_sql *sql);

/* PH_SQL_RUN(sql, NUMBER, ph_sql_int(1), …) and its kin, with values in place. */
#define PH_SQL_VALUES(...)                                                                         \
    (const struct ph_sql_value[]){__VA_ARGS__},                                                    \
        sizeof((struct ph_sql_value[]){__VA_ARGS__}) / sizeof(struct ph_sql_value)
#define PH_SQL_RUN(sql, number, ...)       ph_sql_run(sql, number, PH_SQL_VALUES(__VA_ARGS__))
#define PH_SQL_BIND(sql, number, ret, ...) ph_sql_bind(sql, number, PH_SQL_VALUES(__VA_ARGS__), ret)
#define PH_SQL_NUMBER(sql, number, ret, ...)                                                       \
    ph_sql_number(sql, number, PH_SQL_VALUES(__VA_ARGS__), ret)

/* A column's bytes, SQLite's until the next step; absent for NULL. */
struct ph_slice ph_sql_bytes(sqlite3_stmt *statement, int column);
/* … copied. PH_ERR_NO_MEMORY. */
PH_MUST_USE enum ph_status ph_sql_copy(sqlite3_stmt *statement, int column, struct ph_arena *arena,
                                       struct ph_slice *ret);

#endif
