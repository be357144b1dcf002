/* Readers: a read-only connection each, for one thread; every read is short, and ended when it is
 * not. */
#include <stdio.h>
#include <stdlib.h>

#include "inbox/inbox_private.h"
#include "os/clock.h"

struct ph_inbox_reader {
    struct ph_sql sql;
    struct ph_inbox *inbox;
};

static const char *const reads[] = {""};

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
        rc = sqlite3_exec(reader->sql.db, text, NULL, NULL, NULL);
    if (rc != SQLITE_OK) {
        ph_inbox_reader_close(reader);
        return PH_ERR_IO;
    }
    (void)sqlite3_busy_timeout(reader->sql.db, PH_INBOX_BUSY_MS);
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
