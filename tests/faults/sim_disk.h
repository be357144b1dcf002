/* A disk that can lose power: a SQLite VFS of files in memory, where a write is certain only once
 * it was synced.
 *
 * D1: a write, truncation, creation or deletion is pending until its file (or, for names, the
 * folder) is synced, as on a real disk: SQLite's unix VFS syncs the folder with the first sync of a
 * new journal or log, and after a deletion. D2: at a cut every pending write of every file is kept,
 * lost or torn (some of its 512-byte sectors), each by its own coin: so they are reordered too.
 * Bytes beside a write are never harmed (SQLite's "powersafe overwrite", as its own VFS assumes).
 * Names not synced come or go by a coin. D3: after the cut every call fails until sim_disk_reboot.
 */
#ifndef PH_TESTS_SIM_DISK_H
#define PH_TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum sim_sync { SIM_SYNC_DATABASE = 1, SIM_SYNC_LOG = 2, SIM_SYNC_NAMES = 4 };

/* Registers the VFS "sim-disk", once. */
void sim_disk_register(void);
/* An empty disk; `seed` decides what a cut does. */
void sim_disk_format(uint64_t seed);
/* The power fails at the n-th call from now that changes the disk; 0: it does not. */
void sim_disk_cut_after(int64_t calls);
bool sim_disk_is_cut(void);
/* What the cut left is the disk now; no file is open. */
void sim_disk_reboot(void);
/* Syncs of these kinds (a mask) do nothing, and say that they did. */
void sim_disk_drop_syncs(int kinds);
/* Faults, until they are set to 0: writes fail for want of room, fail, syncs fail (a mask of
 * kinds), syncs take so long. */
void sim_disk_full(bool full);
void sim_disk_fail_writes(bool fail);
void sim_disk_fail_syncs(int kinds);
void sim_disk_slow(int sync_ms);
/* How many there were, of the database or the log. */
int64_t sim_disk_syncs(enum sim_sync kind);
int64_t sim_disk_writes(enum sim_sync kind);

#endif
