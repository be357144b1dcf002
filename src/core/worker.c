/* One thread's memory and contexts, kept over requests so that none is made twice. */
#include "core/worker.h"

#include <stdalign.h>

#include "core/run.h"
#include "crypto/crypto.h"

enum { POOL_BODY_BYTES = 64 * 1024 };

struct ph_worker {
    const struct ph_allocator *allocator;
    struct ph_arena arena;
    char *pool; /* for documents of up to POOL_BODY_BYTES together */
    size_t pool_bytes, pool_used;
    struct ph_crypto *crypto;
};

struct ph_worker *ph_worker_new(const struct ph_allocator *allocator)
{
    struct ph_worker *worker = allocator->alloc(allocator->ctx, sizeof(*worker));
    if (worker == NULL)
        return NULL;
    *worker = (struct ph_worker){.allocator = allocator};
    ph_arena_init(&worker->arena, allocator, PH_ARENA_BYTES_MAX, PH_ARENA_KEEP_BYTES);
    worker->pool_bytes = yyjson_read_max_memory_usage(POOL_BODY_BYTES, 0);
    worker->crypto = ph_crypto_new(allocator);
    if (worker->crypto == NULL) {
        ph_worker_free(worker);
        return NULL;
    }
    return worker;
}

void ph_worker_free(struct ph_worker *worker)
{
    if (worker == NULL)
        return;
    const struct ph_allocator *allocator = worker->allocator;
    ph_crypto_free(worker->crypto);
    ph_arena_wipe(&worker->arena);
    ph_arena_done(&worker->arena);
    if (worker->pool != NULL)
        allocator->free(allocator->ctx, worker->pool);
    allocator->free(allocator->ctx, worker);
}

struct ph_arena *ph_worker_arena(struct ph_worker *worker)
{
    return &worker->arena;
}

void ph_worker_reset(struct ph_worker *worker)
{
    ph_arena_wipe(&worker->arena); /* decoded keys lie in it */
    worker->pool_used = 0;
}

struct ph_crypto *ph_worker_crypto(struct ph_worker *worker)
{
    return worker->crypto;
}

bool ph_worker_pool(struct ph_worker *worker, size_t bytes, yyjson_alc *ret)
{
    /* yyjson's pool wants some room for its own bookkeeping. */
    size_t need = (bytes + 256 + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    char *from;
    if (worker->pool == NULL)
        worker->pool = worker->allocator->alloc(worker->allocator->ctx, worker->pool_bytes);
    if (worker->pool != NULL && worker->pool_bytes - worker->pool_used >= need) {
        from = worker->pool + worker->pool_used;
        worker->pool_used += need;
    } else {
        from = ph_arena_alloc(&worker->arena, need);
    }
    return from != NULL && yyjson_alc_pool_init(ret, from, need);
}

static _Thread_local struct ph_arena *xml_arena;

static void *xml_alloc(size_t bytes)
{
    size_t *block = ph_arena_alloc(xml_arena, bytes + alignof(max_align_t));
    if (block == NULL)
        return NULL;
    *block = bytes;
    return (char *)block + alignof(max_align_t);
}

static void *xml_realloc(void *ptr, size_t bytes)
{
    void *fresh = xml_alloc(bytes);
    if (fresh == NULL || ptr == NULL)
        return fresh;
    size_t had = *(size_t *)(void *)((char *)ptr - alignof(max_align_t));
    memcpy(fresh, ptr, had < bytes ? had : bytes);
    return fresh;
}

static void xml_free(void *ptr)
{
    (void)ptr; /* the arena has it */
}

void ph_worker_xml_memory(struct ph_worker *worker, XML_Memory_Handling_Suite *ret)
{
    xml_arena = &worker->arena;
    *ret = (XML_Memory_Handling_Suite){xml_alloc, xml_realloc, xml_free};
}
