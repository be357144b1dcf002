/* A VFS over another that gathers what is written to the log (`-wal`): SQLite writes a frame in two
 * pieces, each a call of the system; a batch has hundreds. All other files are the other VFS's own.
 *
 * V1: what is gathered goes out before anything else is done to the log or asked of it, in the
 * order in which it came. A commit ends with a sync of the log (synchronous=FULL), and only then
 * does the index of the log tell of its frames: no other connection looks for one that is still
 * here. V2: between transactions nothing is gathered: a commit's sync lets it go, ph_gather_forget
 * what was rolled back. Later it might overwrite what another program has committed meanwhile. V3:
 * a write that fails is that which made it go out, a commit's sync say, but its failure is a
 * write's and no sync's (G7: none was tried). */
#ifndef PH_INBOX_GATHER_H
#define PH_INBOX_GATHER_H

#include <sqlite3.h>

#include "base/status.h"

/* Makes it known to SQLite, once for each `base` (NULL: the default one), and gives its name.
 * PH_ERR_NOT_FOUND: there is no such base; PH_ERR_NO_MEMORY. Any thread. */
PH_MUST_USE enum ph_status ph_gather_vfs(const char *base, const char **ret_name);
/* To be called whenever a transaction of `db` was rolled back (V2). */
void ph_gather_forget(sqlite3 *db);

#endif
