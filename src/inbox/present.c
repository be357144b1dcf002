/* Are the files still in the data folder? One that was deleted or replaced under us takes along
 * what is written to it, when we end. So nothing is acknowledged unless they stood there after the
 * commit's sync (G1), and a writer that misses one stops for good. */
#include <stdio.h>

#include "inbox/inbox_private.h"

enum { PATH_BYTES_MAX = 4096 };

static const char *const suffixes[PH_INBOX_FILES] = {"", "-wal", "-shm"};

static enum ph_status look(const struct ph_inbox *inbox, int file, struct ph_os_file_id *ret)
{
    char path[PATH_BYTES_MAX];
    int len = snprintf(path, sizeof path, "%s%s", inbox->path, suffixes[file]);
    return len > 0 && (size_t)len < sizeof path ? ph_os_file_id(path, ret) : PH_ERR_TOO_LARGE;
}

void ph_present_note(struct ph_inbox *inbox)
{
    for (int i = 0; i < PH_INBOX_FILES; i++)
        inbox->is_noted[i] = inbox->vfs == NULL && look(inbox, i, &inbox->noted[i]) == PH_OK;
}

const char *ph_present_missing(const struct ph_inbox *inbox)
{
    for (int i = 0; i < PH_INBOX_FILES; i++) {
        struct ph_os_file_id is;
        if (!inbox->is_noted[i])
            continue;
        enum ph_status st = look(inbox, i, &is);
        if (st == PH_ERR_NOT_FOUND || (st == PH_OK && (is.device != inbox->noted[i].device ||
                                                       is.number != inbox->noted[i].number)))
            return suffixes[i];
    }
    return NULL;
}
