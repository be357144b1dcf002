/* An arena for the running test. */
#ifndef TESTS_ARENA_FIXTURE_H
#define TESTS_ARENA_FIXTURE_H

#include "base/limits.h"
#include "os/heap.h"

static struct ph_arena arena;

static int open_arena(void **state)
{
    (void)state;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, PH_ARENA_KEEP_BYTES);
    return 0;
}

static int close_arena(void **state)
{
    (void)state;
    ph_arena_done(&arena);
    return 0;
}

#endif
