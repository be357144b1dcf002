/* gzip (RFC 1952), whole messages, in memory that is the caller's. */
#ifndef PH_HTTP_GZIP_H
#define PH_HTTP_GZIP_H

#include "base/arena.h"

/* PH_ERR_TOO_LARGE past bytes_max, before it is reached: a small message cannot become a large one.
 * PH_ERR_MALFORMED: no gzip, cut short, or more behind it. */
PH_MUST_USE enum ph_status ph_gzip_inflate(struct ph_arena *arena, struct ph_slice in,
                                           size_t bytes_max, struct ph_slice *ret);
PH_MUST_USE enum ph_status ph_gzip_deflate(struct ph_arena *arena, struct ph_slice in,
                                           struct ph_slice *ret);

#endif
