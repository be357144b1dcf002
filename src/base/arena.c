#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>

enum { PH_ARENA_BLOCK_BYTES = 32 * 1024 };

struct ph_arena_block {
    struct ph_arena_block *next;
    size_t size; /* of data */
    size_t used; /* from the front */
    size_t end;  /* where the plain begins (A5); of data's size as long as there is none */
    alignas(max_align_t) char data[];
};

void ph_arena_init(struct ph_arena *arena, const struct ph_allocator *allocator, size_t limit,
                   size_t keep)
{
    *arena = (struct ph_arena){.allocator = allocator, .limit = limit, .keep = keep};
}

static void free_from(struct ph_arena *arena, struct ph_arena_block *block)
{
    while (block != NULL) {
        struct ph_arena_block *next = block->next;
        arena->total -= block->size;
        arena->allocator->free(arena->allocator->ctx, block);
        block = next;
    }
}

void ph_arena_done(struct ph_arena *arena)
{
    free_from(arena, arena->head);
    arena->head = NULL;
}

/* Keeps one block, the largest that `keep` allows: the next request then fits into it whole. */
void ph_arena_reset(struct ph_arena *arena)
{
    struct ph_arena_block *best = NULL;
    for (struct ph_arena_block *b = arena->head; b != NULL; b = b->next)
        if (b->size <= arena->keep && (best == NULL || b->size > best->size))
            best = b;
    struct ph_arena_block *rest = arena->head;
    arena->head = NULL;
    while (rest != NULL) {
        struct ph_arena_block *next = rest->next;
        rest->next = NULL;
        if (rest == best) {
            rest->used = 0;
            rest->end = rest->size;
            arena->head = rest;
        } else {
            free_from(arena, rest);
        }
        rest = next;
    }
}

void ph_arena_wipe(struct ph_arena *arena)
{
    for (struct ph_arena_block *b = arena->head; b != NULL; b = b->next)
        explicit_bzero(b->data, b->used);
    ph_arena_reset(arena);
}

/* Blocks double, so that a request that needs much does so in few
 * steps (A3: and the largest is kept). */
static size_t block_size(const struct ph_arena *arena, size_t bytes)
{
    size_t size = PH_ARENA_BLOCK_BYTES;
    if (arena->exact)
        return bytes;
    if (arena->head != NULL && arena->head->size <= SIZE_MAX / 4)
        size = arena->head->size * 2;
    if (size > arena->limit - arena->total)
        size = arena->limit - arena->total;
    return size < bytes ? bytes : size;
}

/* Cuts from a new block; NULL: A2, or the allocator refused. */
PH_COLD static void *grow(struct ph_arena *arena, size_t bytes, size_t rounded)
{
    size_t size = block_size(arena, arena->exact ? bytes : rounded);
    struct ph_arena_block *block = NULL;
    if (size <= arena->limit - arena->total && size <= SIZE_MAX - sizeof(*block))
        block = arena->allocator->alloc(arena->allocator->ctx, sizeof(*block) + size);
    if (block == NULL) {
        arena->ran_out = true;
        return NULL;
    }
    *block = (struct ph_arena_block){
        .next = arena->head, .size = size, .used = arena->exact ? size : rounded, .end = size};
    arena->head = block;
    arena->total += size;
    return block->data;
}

void *ph_arena_alloc(struct ph_arena *arena, size_t bytes)
{
    assert(arena->allocator != NULL);
    size_t rounded = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct ph_arena_block *block = arena->head;
    if (rounded < bytes || block == NULL || block->end - block->used < rounded)
        return grow(arena, bytes, rounded < bytes ? SIZE_MAX : rounded);
    void *ptr = block->data + block->used;
    block->used += rounded;
    return ptr;
}

void *ph_arena_zalloc(struct ph_arena *arena, size_t bytes)
{
    void *ptr = ph_arena_alloc(arena, bytes);
    if (ptr != NULL)
        memset(ptr, 0, bytes);
    return ptr;
}

void *ph_arena_plain(struct ph_arena *arena, size_t bytes)
{
    struct ph_arena_block *block = arena->head;
    if (block == NULL || block->end - block->used < bytes)
        return ph_arena_zalloc(arena, bytes); /* a wipe that reaches it does no harm */
    size_t at = (block->end - bytes) & ~(alignof(max_align_t) - 1);
    if (at < block->used)
        return ph_arena_zalloc(arena, bytes);
    block->end = at;
    return memset(block->data + at, 0, bytes);
}

struct ph_slice ph_arena_copy(struct ph_arena *arena, struct ph_slice s)
{
    char *ptr = ph_arena_alloc(arena, s.len + 1);
    if (ptr == NULL)
        return (struct ph_slice){0};
    if (s.len > 0)
        memcpy(ptr, s.ptr, s.len);
    ptr[s.len] = '\0';
    return ph_slice_of(ptr, s.len);
}
