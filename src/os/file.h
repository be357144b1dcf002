/* Files, read whole. */
#ifndef PH_OS_FILE_H
#define PH_OS_FILE_H

#include "base/arena.h"

/* The file's bytes, in the arena. PH_ERR_TOO_LARGE past bytes_max; PH_ERR_NOT_FOUND; PH_ERR_IO. */
PH_MUST_USE enum ph_status ph_os_read_file(struct ph_arena *arena, const char *path,
                                           size_t bytes_max, struct ph_slice *ret_bytes);
/* The same with its permission bits: who else may read a secret. */
PH_MUST_USE enum ph_status ph_os_read_file_mode(struct ph_arena *arena, const char *path,
                                                size_t bytes_max, struct ph_slice *ret_bytes,
                                                uint32_t *ret_mode);
/* Whether it is a regular file: one that a library may open for itself, which would wait for a
 * pipe's other end. */
bool ph_os_is_file(const char *path);
/* Which file stands at a path: equal ones are the same file, whatever is in it. */
struct ph_os_file_id {
    uint64_t device, number;
};
/* PH_ERR_NOT_FOUND: none does; PH_ERR_IO: errno says why. */
PH_MUST_USE enum ph_status ph_os_file_id(const char *path, struct ph_os_file_id *ret);
/* Free for us on the volume of what stands there; INT64_MAX: not known. */
int64_t ph_os_free_bytes(const char *path);
/* Paths of a folder's files whose name ends in `suffix`, sorted, terminated by NUL. */
PH_MUST_USE enum ph_status ph_os_list_files(struct ph_arena *arena, const char *folder,
                                            struct ph_slice suffix, size_t count_max,
                                            const char ***ret_paths, size_t *ret_count);

/* A new file for this user alone (0600), on disk, name and all, when this returns. PH_ERR_INVALID: it is there
 * already, and is left as it is; PH_ERR_IO: errno says why. */
PH_MUST_USE enum ph_status ph_os_write_new_file(const char *path, struct ph_slice bytes);
/* The file has these bytes afterwards, on disk, or what it had, whatever happens meanwhile; for this
 * user alone (0600). The name with ".new" behind it is used on the way. PH_ERR_IO: errno says why. */
PH_MUST_USE enum ph_status ph_os_replace_file(const char *path, struct ph_slice bytes);

#endif
