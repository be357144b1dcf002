#include "os/heap.h"

#include <malloc.h>
#include <stdlib.h>

static void *heap_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}

static void heap_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

const struct ph_allocator ph_os_heap = {.alloc = heap_alloc, .free = heap_free};

void ph_os_heap_trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}
