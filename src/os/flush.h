/* A thread that has a file's pages written to the disk when it is asked to, so that a later sync
 * finds little left to do. No promise rests on it: who needs a file to be on disk syncs it himself.
 */
#ifndef PH_OS_FLUSH_H
#define PH_OS_FLUSH_H

#include <stdbool.h>

struct ph_os_flush;

/* NULL: no memory, thread or file; then nothing is written ahead. */
struct ph_os_flush *ph_os_flush_start(const char *path);
/* Returns at once. */
void ph_os_flush_ask(struct ph_os_flush *flush);
/* Nothing that was asked for is still to be done; true of NULL. */
bool ph_os_flush_is_done(struct ph_os_flush *flush);
/* The disk refused, for good: the errno of it; 0: it did not. */
int ph_os_flush_failed(struct ph_os_flush *flush);
/* Only when the process has no connection to the file any more: closing a file ends the process'
 * locks on it (fcntl(2)). */
void ph_os_flush_stop(struct ph_os_flush *flush);

#endif
