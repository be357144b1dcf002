/* Growable bytes for connections and streams. They outlive requests, so they are not cut from an
 * arena; they come from an allocator under one budget per reactor thread.
 *
 * B1: a buffer never takes its memory past memory->limit: the append fails, nothing is lost.
 * B2: bytes are wiped before they go back: messages carry webhook secrets. */
#ifndef PH_HTTP_BUFFER_H
#define PH_HTTP_BUFFER_H

#include "base/arena.h"

struct ph_memory {
    const struct ph_allocator *allocator; /* keeps */
    size_t used, limit;
    size_t beside; /* taken from no budget: what is bounded otherwise */
    size_t most;   /* of both together, since whoever looks at it set it back */
};

struct ph_buffer {
    struct ph_memory *memory; /* keeps */
    char *ptr;
    size_t len, room;
};

/* Zeroed memory under the budget, NULL when it is spent. */
void *ph_memory_take(struct ph_memory *memory, size_t bytes);
/* Memory beside the budget, not zeroed, and back. */
void *ph_memory_take_beside(struct ph_memory *memory, size_t bytes);
void ph_memory_give_beside(struct ph_memory *memory, void *ptr, size_t bytes);
/* Takes `ptr` back; NULL is fine. */
void ph_memory_give(struct ph_memory *memory, void *ptr, size_t bytes);

static inline void ph_buffer_init(struct ph_buffer *buffer, struct ph_memory *memory)
{
    *buffer = (struct ph_buffer){.memory = memory};
}
/* What ph_buffer_reserve does when there is no room yet. */
PH_MUST_USE enum ph_status ph_buffer_grow(struct ph_buffer *buffer, size_t more);
/* Room for `more` bytes behind len. PH_ERR_NO_MEMORY past the budget. */
PH_MUST_USE static inline enum ph_status ph_buffer_reserve(struct ph_buffer *buffer, size_t more)
{
    return more <= buffer->room - buffer->len ? PH_OK : ph_buffer_grow(buffer, more);
}
PH_MUST_USE static inline enum ph_status ph_buffer_append(struct ph_buffer *buffer,
                                                          struct ph_slice bytes)
{
    if (bytes.len == 0)
        return PH_OK;
    PH_TRY(ph_buffer_reserve(buffer, bytes.len));
    memcpy(buffer->ptr + buffer->len, bytes.ptr, bytes.len);
    buffer->len += bytes.len;
    return PH_OK;
}
/* Decimal digits. */
PH_MUST_USE enum ph_status ph_buffer_append_number(struct ph_buffer *buffer, uint64_t number);
/* Forgets the first `count` bytes. */
void ph_buffer_drop(struct ph_buffer *buffer, size_t count);
/* Empties it, wiped; a large one gives its memory back. */
void ph_buffer_clear(struct ph_buffer *buffer);
void ph_buffer_done(struct ph_buffer *buffer);

static inline struct ph_slice ph_buffer_slice(const struct ph_buffer *buffer)
{
    return ph_slice_of(buffer->ptr, buffer->len);
}

#endif
