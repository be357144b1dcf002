/* Randomness from the kernel. */
#ifndef PH_OS_RANDOM_H
#define PH_OS_RANDOM_H

#include <stddef.h>

#include "base/status.h"

PH_MUST_USE enum ph_status ph_os_random(void *ret_bytes, size_t count);

enum { PH_UUID_TEXT_BYTES = 36, PH_UUID_BYTES = 16, PH_RANDOM_POOL_BYTES = 4096 };

/* Random bytes fetched in advance: one system call for many small wants. One thread's own;
 * zeroed it is empty. Not for keys: a copy of the process would hand out the same ones. */
struct ph_random_pool {
    unsigned char bytes[PH_RANDOM_POOL_BYTES];
    size_t left;
};

/* A version 4 UUID as text, without NUL. */
PH_MUST_USE enum ph_status ph_os_uuid(struct ph_random_pool *pool,
                                      char ret_text[PH_UUID_TEXT_BYTES]);

#endif
