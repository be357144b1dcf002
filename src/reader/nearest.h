/* "did you mean". Pure. */
#ifndef PH_READER_NEAREST_H
#define PH_READER_NEAREST_H

#include "base/slice.h"

/* The nearest of `known` to `word`; absent: none is near. */
struct ph_slice ph_nearest(struct ph_slice word, const struct ph_slice *known, size_t count);

#endif
