/* nghttp2's memory: a stream, its frames and their header lists are eight small blocks a
 * request. A block that is given back is kept for the next of its size, on whichever connection,
 * until ph_h2_spares_rest. They are taken beside the thread's budget: a connection has no more
 * of them than PH_STREAMS_MAX streams need, and connections that only stand open take no room
 * from bodies. */
#include <stdalign.h>

#include "http/h2_private.h"

enum { STEP_BYTES = 64 }; /* sizes are rounded up to it */

/* Before the bytes that nghttp2 sees. */
struct ph_h2_block {
    alignas(max_align_t) struct ph_h2_block *next; /* while it is kept */
    size_t bytes;
};

/* The list for blocks of that size; NULL: they are not kept. */
static struct ph_h2_block **list_for(const struct ph_http_site *site, size_t bytes)
{
    size_t steps = bytes / STEP_BYTES;
    return steps < PH_COUNTOF(site->spares->blocks) ? &site->spares->blocks[steps] : NULL;
}

static struct ph_h2_block *block_of(void *ptr)
{
    return (struct ph_h2_block *)ptr - 1;
}

static void *take(size_t bytes, void *ctx)
{
    const struct ph_http_site *site = ctx;
    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES;
    struct ph_h2_block **list = list_for(site, bytes), *block;
    if (list != NULL && *list != NULL) {
        block = *list;
        *list = block->next;
        return block + 1;
    }
    block = ph_memory_take_beside(site->memory, sizeof *block + bytes);
    if (block == NULL)
        return NULL;
    block->bytes = bytes;
    return block + 1;
}

static void give(void *ptr, void *ctx)
{
    const struct ph_http_site *site = ctx;
    if (ptr == NULL)
        return;
    struct ph_h2_block *block = block_of(ptr), **list = list_for(site, block->bytes);
    if (list == NULL) {
        ph_memory_give_beside(site->memory, block, sizeof *block + block->bytes);
        return;
    }
    block->next = *list;
    *list = block;
}

static void *take_zeroed(size_t count, size_t bytes, void *ctx)
{
    size_t all;
    void *ptr = __builtin_mul_overflow(count, bytes, &all) ? NULL : take(all, ctx);
    return ptr != NULL ? memset(ptr, 0, all) : NULL;
}

static void *resize(void *ptr, size_t bytes, void *ctx)
{
    if (ptr == NULL)
        return take(bytes, ctx);
    size_t had = block_of(ptr)->bytes;
    if (bytes <= had)
        return ptr;
    void *larger = take(bytes, ctx);
    if (larger == NULL)
        return NULL;
    memcpy(larger, ptr, had);
    give(ptr, ctx);
    return larger;
}

nghttp2_mem ph_h2_memory(const struct ph_http_site *site)
{
    return (nghttp2_mem){.mem_user_data = (void *)(uintptr_t)site,
                         .malloc = take,
                         .free = give,
                         .calloc = take_zeroed,
                         .realloc = resize};
}

void ph_h2_memory_rest(struct ph_h2_spares *spares, struct ph_memory *memory)
{
    for (size_t i = 0; i < PH_COUNTOF(spares->blocks); i++) {
        while (spares->blocks[i] != NULL) {
            struct ph_h2_block *block = spares->blocks[i];
            spares->blocks[i] = block->next;
            ph_memory_give_beside(memory, block, sizeof *block + block->bytes);
        }
    }
}
