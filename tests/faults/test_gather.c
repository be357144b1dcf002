/* The log is written in few large pieces, and nobody can tell: neither readers nor a disk that
 * fails (src/inbox/gather.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "inbox/gather.h"
#include "sim_disk.h"

#define PH_TEST(name) static void name(void **state)

enum { CACHE_PAGES = 10, LARGE_BYTES = 400 * 1000 };

static sqlite3 *writer, *other; /* one through the gathering VFS, one beside it */

static int try_run(sqlite3 *db, const char *text)
{
    return sqlite3_exec(db, text, NULL, NULL, NULL);
}

static void run(sqlite3 *db, const char *text)
{
    if (try_run(db, text) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
}

static int64_t ask(sqlite3 *db, const char *text)
{
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
    int64_t answer =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    return answer;
}

static void assert_sound(sqlite3 *db)
{
    assert_int_equal(
        ask(db, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check<>'ok'"), 0);
}

static sqlite3 *open_db(const char *vfs)
{
    sqlite3 *db;
    char text[64];
    assert_int_equal(sqlite3_open_v2("t.db", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
                     SQLITE_OK);
    run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
            "PRAGMA temp_store=MEMORY");
    (void)snprintf(text, sizeof text, "PRAGMA cache_size=%d", CACHE_PAGES);
    run(db, text);
    return db;
}

static int set_up(void **state)
{
    const char *name;
    (void)state;
    sim_disk_register();
    sim_disk_format(1);
    assert_int_equal(ph_gather_vfs("sim-disk", &name), PH_OK);
    writer = open_db(name);
    other = open_db("sim-disk");
    run(writer, "CREATE TABLE t(id INTEGER PRIMARY KEY, text TEXT)");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sqlite3_close(other);
    sqlite3_close(writer);
    return 0;
}

/* A row of 400 KB: ten times what the cache holds. */
static void add_large(int id)
{
    char text[96];
    (void)snprintf(text, sizeof text, "INSERT INTO t VALUES(%d, hex(randomblob(%d)))", id,
                   LARGE_BYTES / 2);
    run(writer, text);
}

PH_TEST(a_commit_is_one_write_of_the_log_for_many_pages)
{
    (void)state;
    run(writer, "PRAGMA cache_size=1000; INSERT INTO t VALUES(1, '')");
    int64_t before = sim_disk_writes(SIM_SYNC_LOG);
    add_large(2);
    assert_in_range(sim_disk_writes(SIM_SYNC_LOG) - before, 1, 5); /* 124 KiB each */
    assert_int_equal(ask(other, "SELECT length(text) FROM t WHERE id=2"), LARGE_BYTES);
}

PH_TEST(what_is_committed_is_at_once_there_for_others)
{
    char text[64];
    (void)state;
    for (int i = 1; i <= 100; i++) {
        (void)snprintf(text, sizeof text, "INSERT INTO t VALUES(%d, 'a')", i);
        run(writer, text);
        assert_int_equal(ask(other, "SELECT count(*) FROM t"), i);
    }
}

PH_TEST(pages_that_go_before_the_commit_are_read_back_and_written_again)
{
    (void)state;
    run(writer, "BEGIN");
    for (int i = 1; i <= 5; i++)
        add_large(i);
    /* the last of it is still gathered */
    assert_int_equal(ask(writer, "SELECT length(text) FROM t WHERE id=5"), LARGE_BYTES);
    for (int i = 1; i <= 5; i++) /* each of the 500 pages once more */
        run(writer, "UPDATE t SET text=replace(text, 'A', 'x')");
    assert_int_equal(ask(writer, "SELECT sum(length(text)) FROM t"), 5 * LARGE_BYTES);
    assert_int_equal(ask(other, "SELECT count(*) FROM t"), 0);
    run(writer, "COMMIT");
    assert_sound(other);
    assert_int_equal(ask(other, "SELECT count(*) FROM t WHERE text LIKE '%A%'"), 0);
    sim_disk_cut_after(1);
    sqlite3_close(other);
    sqlite3_close(writer);
    sim_disk_reboot();
    other = writer = NULL;
    writer = open_db("sim-disk");
    assert_sound(writer);
    assert_int_equal(ask(writer, "SELECT sum(length(text)) FROM t"), 5 * LARGE_BYTES);
}

PH_TEST(what_was_rolled_back_never_overwrites_what_another_has_committed)
{
    (void)state;
    sim_disk_fail_writes(true);
    assert_int_equal(try_run(writer, "INSERT INTO t VALUES(1, 'a')"), SQLITE_IOERR);
    sim_disk_fail_writes(false);
    ph_gather_forget(writer);
    run(other, "INSERT INTO t VALUES(2, 'b')");
    run(writer, "INSERT INTO t VALUES(3, 'c')");
    sim_disk_cut_after(1);
    sqlite3_close(other);
    sqlite3_close(writer);
    sim_disk_reboot();
    other = NULL;
    writer = open_db("sim-disk");
    assert_sound(writer);
    assert_int_equal(ask(writer, "SELECT count(*) FROM t"), 2);
}

PH_TEST(a_write_that_fails_fails_the_commit_and_no_sync)
{
    (void)state;
    sim_disk_fail_writes(true);
    assert_int_equal(try_run(writer, "INSERT INTO t VALUES(1, 'a')"), SQLITE_IOERR);
    assert_int_equal(sqlite3_extended_errcode(writer), SQLITE_IOERR_WRITE);
    ph_gather_forget(writer);
    sim_disk_fail_writes(false);
    sim_disk_full(true);
    assert_int_equal(try_run(writer, "INSERT INTO t VALUES(1, hex(randomblob(100000)))"),
                     SQLITE_FULL);
    ph_gather_forget(writer);
    sim_disk_full(false);
    run(writer, "INSERT INTO t VALUES(2, 'b')");
    assert_int_equal(ask(other, "SELECT sum(id) FROM t"), 2);
    assert_sound(other);
}

PH_TEST(the_log_begins_anew_and_nothing_is_left_of_the_old_one)
{
    char text[96];
    (void)state;
    for (int i = 1; i <= 30; i++) {
        (void)snprintf(text, sizeof text, "INSERT INTO t VALUES(%d, hex(randomblob(%d)))", i,
                       i * 1000);
        run(writer, text);
        if (i % 7 == 0)
            assert_int_equal(
                sqlite3_wal_checkpoint_v2(writer, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL),
                SQLITE_OK);
        assert_int_equal(ask(other, "SELECT count(*) FROM t"), i);
    }
    assert_sound(other);
}

PH_TEST(a_base_that_is_not_there_is_told)
{
    const char *name;
    (void)state;
    assert_int_equal(ph_gather_vfs("no such thing", &name), PH_ERR_NOT_FOUND);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_commit_is_one_write_of_the_log_for_many_pages),
        T(what_is_committed_is_at_once_there_for_others),
        T(pages_that_go_before_the_commit_are_read_back_and_written_again),
        T(what_was_rolled_back_never_overwrites_what_another_has_committed),
        T(a_write_that_fails_fails_the_commit_and_no_sync),
        T(the_log_begins_anew_and_nothing_is_left_of_the_old_one),
        T(a_base_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
