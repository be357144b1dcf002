/* What is on disk when it is said to be: our own syncs, beside those of SQLite. A new name is on disk once the folder that has it is
 * synced. The linker turns fsync to this test (tests/meson.build), which notes what is synced, and what there was by then. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "inbox/inbox.h"
#include "os/file.h"
#include "os/folder.h"

#define PH_TEST(name) static void name(void **state)

enum { NOTES = 16, PATH_BYTES = 256 };

static struct {
    char path[PATH_BYTES]; /* what was synced */
    long watched_bytes;    /* of the watched file then; -1: there was none */
} notes[NOTES];
static int count, fails_at; /* 0: never */
static char base[64], watched[PATH_BYTES];

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
    char link[32];
    struct stat found;
    assert_true(count < NOTES);
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, notes[count].path, PATH_BYTES - 1);
    notes[count].path[len > 0 ? len : 0] = '\0';
    notes[count].watched_bytes = stat(watched, &found) == 0 ? (long)found.st_size : -1;
    if (++count != fails_at)
        return __real_fsync(fd);
    errno = EIO;
    return -1;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(base, sizeof base, "/tmp/payhook-syncs-XXXXXX");
    count = fails_at = 0;
    return mkdtemp(base) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", base);
    return system(command);
}

/* The path of a name in the test's folder, which is watched from now on. */
static const char *watch(const char *name)
{
    (void)snprintf(watched, sizeof watched, "%s/%s", base, name);
    count = fails_at = 0;
    return watched;
}

static void assert_synced(int place, const char *name)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s%s%s", base, name[0] != '\0' ? "/" : "", name);
    assert_true(place < count);
    assert_string_equal(notes[place].path, path);
}

PH_TEST(a_new_folder_is_in_its_synced_parent)
{
    char path[PATH_BYTES + 1];
    (void)state;
    assert_int_equal(ph_os_folder_make(watch("data")), PH_OK);
    assert_int_equal(count, 1);
    assert_synced(0, "");
    assert_true(notes[0].watched_bytes >= 0);
    (void)snprintf(path, sizeof path, "%s/", watch("other"));
    assert_int_equal(ph_os_folder_make(path), PH_OK);
    assert_synced(0, "");
    assert_true(notes[0].watched_bytes >= 0);
    assert_int_equal(chdir(base), 0);
    (void)watch("third");
    assert_int_equal(ph_os_folder_make("third"), PH_OK);
    assert_synced(0, "");
    assert_true(notes[0].watched_bytes >= 0);
    assert_int_equal(chdir("/"), 0);
}

/* Else it would be found by the next try, and never synced. */
PH_TEST(a_folder_whose_parent_cannot_be_synced_is_not_made)
{
    (void)state;
    const char *path = watch("data");
    fails_at = 1;
    errno = 0;
    assert_int_equal(ph_os_folder_make(path), PH_ERR_IO);
    assert_int_equal(errno, EIO);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(ph_os_folder_make(path), PH_OK);
    assert_int_equal(count, 2);
}

static enum ph_status open_inbox(struct ph_inbox **ret, char why[PH_INBOX_WHY_BYTES])
{
    static char folder[PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "%s/data", base);
    const struct ph_inbox_options options = {.folder = folder,
                                             .quarantine_requests = 10,
                                             .quarantine_bytes = 100000,
                                             .quarantine_age_ms = 86400000};
    return ph_inbox_open(&options, ret, why);
}

PH_TEST(a_new_inbox_has_its_folder_and_its_files_on_disk)
{
    char why[PH_INBOX_WHY_BYTES];
    struct ph_inbox *inbox = NULL;
    (void)state;
    (void)watch("data/inbox.db");
    assert_int_equal(open_inbox(&inbox, why), PH_OK);
    ph_inbox_close(inbox);
    assert_int_equal(count, 2);
    assert_synced(0, "");
    assert_int_equal(notes[0].watched_bytes, -1);
    assert_synced(1, "data");
    assert_true(notes[1].watched_bytes > 0);
}

PH_TEST(the_log_of_an_inbox_is_there_when_its_folder_is_synced)
{
    char why[PH_INBOX_WHY_BYTES];
    struct ph_inbox *inbox = NULL;
    (void)state;
    (void)watch("data/inbox.db-wal");
    assert_int_equal(open_inbox(&inbox, why), PH_OK);
    ph_inbox_close(inbox);
    assert_synced(1, "data");
    assert_true(notes[1].watched_bytes >= 0);
    (void)watch("data/inbox.db-wal"); /* it went with the last one, and is made anew */
    assert_int_equal(access(watched, F_OK), -1);
    assert_int_equal(open_inbox(&inbox, why), PH_OK);
    ph_inbox_close(inbox);
    assert_int_equal(count, 1);
    assert_synced(0, "data");
    assert_true(notes[0].watched_bytes >= 0);
}

PH_TEST(an_inbox_whose_folder_cannot_be_synced_does_not_open)
{
    char why[PH_INBOX_WHY_BYTES];
    struct ph_inbox *inbox = NULL;
    (void)state;
    for (int place = 1; place <= 2; place++) {
        (void)watch("data/inbox.db");
        fails_at = place;
        assert_int_equal(open_inbox(&inbox, why), PH_ERR_IO);
        assert_non_null(strstr(why, base));
        assert_non_null(strstr(why, strerror(EIO)));
    }
    (void)watch("data/inbox.db");
    assert_int_equal(open_inbox(&inbox, why), PH_OK);
    ph_inbox_close(inbox);
}

PH_TEST(a_new_file_is_synced_and_then_its_folder)
{
    (void)state;
    assert_int_equal(ph_os_write_new_file(watch("file"), PH_S("four")), PH_OK);
    assert_int_equal(count, 2);
    assert_synced(0, "file");
    assert_int_equal(notes[0].watched_bytes, 4);
    assert_synced(1, "");
    assert_int_equal(notes[1].watched_bytes, 4);
}

PH_TEST(a_new_file_that_cannot_be_synced_is_not_there)
{
    (void)state;
    for (int place = 1; place <= 2; place++) {
        const char *path = watch("file");
        fails_at = place;
        errno = 0;
        assert_int_equal(ph_os_write_new_file(path, PH_S("four")), PH_ERR_IO);
        assert_int_equal(errno, EIO);
        assert_int_equal(access(path, F_OK), -1);
    }
}

PH_TEST(a_replaced_file_is_synced_before_it_takes_the_name_and_its_folder_after)
{
    (void)state;
    assert_int_equal(ph_os_write_new_file(watch("file"), PH_S("four")), PH_OK);
    assert_int_equal(ph_os_replace_file(watch("file"), PH_S("longer")), PH_OK);
    assert_int_equal(count, 2);
    assert_synced(0, "file.new");
    assert_int_equal(notes[0].watched_bytes, 4);
    assert_synced(1, "");
    assert_int_equal(notes[1].watched_bytes, 6);
}

PH_TEST(a_replacement_that_cannot_be_synced_is_told)
{
    (void)state;
    assert_int_equal(ph_os_write_new_file(watch("file"), PH_S("four")), PH_OK);
    for (int place = 1; place <= 2; place++) {
        struct stat found;
        const char *path = watch("file");
        fails_at = place;
        errno = 0;
        assert_int_equal(ph_os_replace_file(path, PH_S("longer")), PH_ERR_IO);
        assert_int_equal(errno, EIO);
        assert_int_equal(stat(path, &found), 0);
        assert_int_equal(found.st_size, place == 1 ? 4 : 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_new_folder_is_in_its_synced_parent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_whose_parent_cannot_be_synced_is_not_made, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_inbox_has_its_folder_and_its_files_on_disk, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_log_of_an_inbox_is_there_when_its_folder_is_synced,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_inbox_whose_folder_cannot_be_synced_does_not_open,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_file_is_synced_and_then_its_folder, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_new_file_that_cannot_be_synced_is_not_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_replaced_file_is_synced_before_it_takes_the_name_and_its_folder_after, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(a_replacement_that_cannot_be_synced_is_told, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
