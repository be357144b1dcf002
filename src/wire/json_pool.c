#include "wire/json_pool.h"

static void *pool_alloc(void *ctx, size_t bytes)
{
    return ph_arena_alloc(ctx, bytes);
}

static void *pool_realloc(void *ctx, void *ptr, size_t old_bytes, size_t bytes)
{
    void *more = ph_arena_alloc(ctx, bytes);
    if (more != NULL && ptr != NULL)
        memcpy(more, ptr, old_bytes < bytes ? old_bytes : bytes);
    return more;
}

static void pool_free(void *ctx, void *ptr)
{
    (void)ctx, (void)ptr; /* the arena goes as a whole */
}

yyjson_alc ph_json_pool(struct ph_arena *arena)
{
    return (yyjson_alc){pool_alloc, pool_realloc, pool_free, arena};
}
