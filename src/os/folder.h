/* A data folder: made for its owner alone, and held by one process at a time. */
#ifndef PH_OS_FOLDER_H
#define PH_OS_FOLDER_H

#include "base/status.h"

/* The folder is there afterwards: made with mode 0700 if it was not, and its name is on disk. Its
 * parent must exist. PH_ERR_IO: errno says why. */
PH_MUST_USE enum ph_status ph_os_folder_make(const char *path);
/* What was made in the folder is on disk, names included. */
PH_MUST_USE enum ph_status ph_os_folder_sync(const char *path);
/* The same of the folder that the path's last name is in. PH_ERR_IO: errno says why, of both. */
PH_MUST_USE enum ph_status ph_os_folder_sync_parent(const char *path);

/* Holds `path` (made if it is not there) until ph_os_close or the end of the process, and writes
 * our process id into it. *ret_fd: gives. PH_ERR_AGAIN: somebody holds it, *ret_holder is the
 * process (0: it does not say). PH_ERR_IO: errno. */
PH_MUST_USE enum ph_status ph_os_lock(const char *path, int *ret_fd, int *ret_holder);

#endif
