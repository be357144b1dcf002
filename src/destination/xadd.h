/* Events as commands to Redis: XADD stream [MAXLEN ~ length] * with the CloudEvents attributes and
 * `data` as fields (redis.io/docs/latest/commands/xadd, read 2026-11-29). */
#ifndef PH_DESTINATION_XADD_H
#define PH_DESTINATION_XADD_H

#include "destination/destination.h"

/* One command for each notice, one behind the other, in the arena. length 0: the stream is not cut.
 */
PH_MUST_USE enum ph_status ph_xadd_write(struct ph_arena *arena, struct ph_slice stream,
                                         int64_t length, const struct ph_notice *notices,
                                         size_t count, struct ph_slice *ret);

#endif
