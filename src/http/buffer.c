#include "http/buffer.h"

#include "base/limits.h"

enum { BUFFER_ROOM_MIN = 512 };

static void note_most(struct ph_memory *memory)
{
    if (memory->used + memory->beside > memory->most)
        memory->most = memory->used + memory->beside;
}

static void note_used(struct ph_memory *memory, size_t more)
{
    memory->used += more;
    note_most(memory);
}

void *ph_memory_take(struct ph_memory *memory, size_t bytes)
{
    if (bytes > memory->limit - memory->used)
        return NULL;
    void *ptr = memory->allocator->alloc(memory->allocator->ctx, bytes);
    if (ptr == NULL)
        return NULL;
    note_used(memory, bytes);
    return memset(ptr, 0, bytes);
}

void *ph_memory_take_beside(struct ph_memory *memory, size_t bytes)
{
    void *ptr = memory->allocator->alloc(memory->allocator->ctx, bytes);
    if (ptr == NULL)
        return NULL;
    memory->beside += bytes;
    note_most(memory);
    return ptr;
}

void ph_memory_give_beside(struct ph_memory *memory, void *ptr, size_t bytes)
{
    memory->beside -= bytes;
    memory->allocator->free(memory->allocator->ctx, ptr);
}

void ph_memory_give(struct ph_memory *memory, void *ptr, size_t bytes)
{
    if (ptr == NULL)
        return;
    memory->used -= bytes;
    memory->allocator->free(memory->allocator->ctx, ptr);
}

static enum ph_status move(struct ph_buffer *buffer, size_t room)
{
    struct ph_memory *memory = buffer->memory;
    if (room > memory->limit - memory->used)
        return PH_ERR_NO_MEMORY;
    char *ptr = memory->allocator->alloc(memory->allocator->ctx, room);
    if (ptr == NULL)
        return PH_ERR_NO_MEMORY;
    note_used(memory, room);
    if (buffer->len > 0)
        memcpy(ptr, buffer->ptr, buffer->len);
    size_t len = buffer->len;
    ph_buffer_done(buffer);
    buffer->ptr = ptr;
    buffer->len = len;
    buffer->room = room;
    return PH_OK;
}

enum ph_status ph_buffer_grow(struct ph_buffer *buffer, size_t more)
{
    if (more > SIZE_MAX / 4 - buffer->len)
        return PH_ERR_NO_MEMORY;
    size_t room = buffer->room > 0 ? buffer->room : BUFFER_ROOM_MIN;
    while (room < buffer->len + more)
        room *= 2;
    return move(buffer, room);
}

enum ph_status ph_buffer_append_number(struct ph_buffer *buffer, uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return ph_buffer_append(buffer, ph_slice_of(digits + at, sizeof digits - at));
}

void ph_buffer_drop(struct ph_buffer *buffer, size_t count)
{
    if (count < buffer->len)
        memmove(buffer->ptr, buffer->ptr + count, buffer->len - count);
    buffer->len -= count;
}

void ph_buffer_clear(struct ph_buffer *buffer)
{
    if (buffer->room > PH_BUFFER_KEEP_BYTES) {
        ph_buffer_done(buffer);
        return;
    }
    if (buffer->len > 0)
        explicit_bzero(buffer->ptr, buffer->len);
    buffer->len = 0;
}

void ph_buffer_done(struct ph_buffer *buffer)
{
    if (buffer->ptr != NULL) {
        explicit_bzero(buffer->ptr, buffer->len);
        ph_memory_give(buffer->memory, buffer->ptr, buffer->room);
    }
    buffer->ptr = NULL;
    buffer->len = buffer->room = 0;
}
