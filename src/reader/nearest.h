/* "did you mean". Pure. */
#ifndef PH_READER_NEAREST_H
#define PH_READER_NEAREST_H

#include "base/arena.h"
#include "base/slice.h"

/* The nearest of `known` to `word`; absent: none is near. */
struct ph_slice ph_nearest(struct ph_slice word, const struct ph_slice *known, size_t count);
/* For messages: `what`, `shown` (the word as it may be shown), and the nearest of `known`, which
 * may be the word in capitals; where none is near and they are few, all of them. In the arena;
 * absent: no memory. */
struct ph_slice ph_unknown(struct ph_arena *arena, struct ph_slice what, struct ph_slice shown,
                           struct ph_slice word, const struct ph_slice *known, size_t count);

#endif
