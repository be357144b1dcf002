/* The inside of struct ph_worker: arena, parser pool, crypto contexts. Private to core/. */
#ifndef PH_CORE_WORKER_H
#define PH_CORE_WORKER_H

#include <expat.h>
#include <yyjson.h>

#include "core/engine.h"

/* A yyjson allocator with `bytes` of room, good until the worker's reset. The first documents of
 * a request are cut from one pool that is kept; what does not fit comes from the arena. False:
 * no memory. */
bool ph_worker_pool(struct ph_worker *worker, size_t bytes, yyjson_alc *ret);
/* expat's memory from the worker's arena. One parser at a time per thread: expat hands no
 * context to its allocator, so the arena is found through a thread-local while a parser lives. */
void ph_worker_xml_memory(struct ph_worker *worker, XML_Memory_Handling_Suite *ret);

#endif
