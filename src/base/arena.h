/* One arena per request: everything a request needs is cut from it and freed in one call.
 *
 * A1: memory handed out stays put until ph_arena_reset or ph_arena_done.
 * A2: an arena never grows past `limit`; past it every allocation answers NULL.
 * A3: after warm-up (one request of the largest kind) a reset arena serves the next request
 *     without touching the allocator: blocks are kept, up to `keep` bytes.
 * A4: that something was refused is remembered in `ran_out`: who cannot tell "absent" from "no
 *     memory" on the way asks at the end.
 * A5: a wipe need not reach what was cut as plain, from the far end of a block: it holds no byte
 *     of any text. */
#ifndef PH_BASE_ARENA_H
#define PH_BASE_ARENA_H

#include "base/slice.h"
#include "base/status.h"

/* Where an arena (and nothing else above the I/O line) gets its blocks. The caller keeps it
 * alive as long as the arena. `alloc` may answer NULL. */
struct ph_allocator {
    void *(*alloc)(void *ctx, size_t bytes);
    void (*free)(void *ctx, void *ptr);
    void *ctx;
};

struct ph_arena_block;

struct ph_arena {
    const struct ph_allocator *allocator; /* keeps */
    struct ph_arena_block *head;          /* the block being cut */
    size_t limit;                         /* bytes, all blocks together */
    size_t keep;                          /* bytes kept over a reset */
    size_t total;                         /* bytes held in blocks */
    bool ran_out;                         /* A4; whoever asks clears it first */
    /* for tests: each cut is a block of its own, so that each can fail and a sanitizer sees what
     * reaches past it */
    bool exact;
};

/* Starts empty; allocates nothing yet. Keeps `allocator`. */
void ph_arena_init(struct ph_arena *arena, const struct ph_allocator *allocator, size_t limit,
                   size_t keep);
/* Gives all blocks back. Takes a zeroed arena too. */
void ph_arena_done(struct ph_arena *arena);
/* Forgets all that was handed out; keeps up to `keep` bytes of blocks. */
void ph_arena_reset(struct ph_arena *arena);
/* Wipes all that was handed out, the plain aside (A5), then resets: for arenas that held
 * secrets. */
void ph_arena_wipe(struct ph_arena *arena);

/* `bytes` bytes, not cleared, aligned for any type; NULL when there is no memory or the limit is
 * reached. Lives until reset. */
void *ph_arena_alloc(struct ph_arena *arena, size_t bytes);
/* The same, zeroed. */
void *ph_arena_zalloc(struct ph_arena *arena, size_t bytes);
/* The same, for pointers and numbers alone (A5). */
void *ph_arena_plain(struct ph_arena *arena, size_t bytes);
/* A copy of `s` with a NUL behind it that len does not count. {NULL,0} when there is no memory. */
struct ph_slice ph_arena_copy(struct ph_arena *arena, struct ph_slice s);

#endif
