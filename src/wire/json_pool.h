/* An arena as yyjson's memory. */
#ifndef PH_WIRE_JSON_POOL_H
#define PH_WIRE_JSON_POOL_H

#include <yyjson.h>

#include "base/arena.h"

/* Keeps `arena`; nothing is freed before it. What has to grow is copied: for documents, not for
 * long texts. */
yyjson_alc ph_json_pool(struct ph_arena *arena);

#endif
