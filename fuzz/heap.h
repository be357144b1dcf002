/* What every target needs: memory, and a way to say that a promise is broken. */
#ifndef PH_FUZZ_HEAP_H
#define PH_FUZZ_HEAP_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/limits.h"
#include "os/heap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void broken(const char *promise, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, promise);
    abort();
}

#define must(promise) ((promise) ? (void)0 : broken(#promise, __FILE__, __LINE__))

#endif
