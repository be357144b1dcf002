#include "http/gzip.h"

#define ZLIB_CONST
#include <zlib.h>

enum { GZIP_ONLY = 15 + 16, MEMORY_LEVEL = 8, ROOM_MIN = 4096 };

static void *take(void *arena, unsigned int count, unsigned int bytes)
{
    return ph_arena_alloc(arena, (size_t)count * bytes);
}

static void give(void *arena, void *ptr)
{
    (void)arena, (void)ptr; /* the arena has it */
}

/* More room behind what is there, up to one byte past the limit: that byte tells that it was
 * passed. */
static bool grow(struct ph_arena *arena, z_stream *z, char **out, size_t *room, size_t bytes_max)
{
    size_t used = *room, more = used < bytes_max / 2 ? used * 2 : bytes_max + 1;
    char *larger = ph_arena_alloc(arena, more);
    if (larger == NULL)
        return false;
    memcpy(larger, *out, used);
    *out = larger;
    *room = more;
    z->next_out = (Bytef *)larger + used;
    z->avail_out = (uInt)(more - used);
    return true;
}

static enum ph_status inflate_all(struct ph_arena *arena, z_stream *z, size_t bytes_max,
                                  struct ph_slice *ret)
{
    size_t room = bytes_max + 1 < ROOM_MIN ? bytes_max + 1 : ROOM_MIN;
    char *out = ph_arena_alloc(arena, room);
    if (out == NULL)
        return PH_ERR_NO_MEMORY;
    z->next_out = (Bytef *)out;
    z->avail_out = (uInt)room;
    for (;;) {
        int rc = inflate(z, Z_NO_FLUSH);
        if (rc == Z_MEM_ERROR)
            return PH_ERR_NO_MEMORY;
        if (rc == Z_STREAM_END)
            break;
        if (rc != Z_OK || z->avail_out > 0) /* room is left, so the input ended too early */
            return PH_ERR_MALFORMED;
        if (room > bytes_max)
            return PH_ERR_TOO_LARGE;
        if (!grow(arena, z, &out, &room, bytes_max))
            return PH_ERR_NO_MEMORY;
    }
    if (z->total_out > bytes_max)
        return PH_ERR_TOO_LARGE;
    if (z->avail_in > 0)
        return PH_ERR_MALFORMED;
    *ret = ph_slice_of(out, z->total_out);
    return PH_OK;
}

enum ph_status ph_gzip_inflate(struct ph_arena *arena, struct ph_slice in, size_t bytes_max,
                               struct ph_slice *ret)
{
    z_stream z = {.zalloc = take,
                  .zfree = give,
                  .opaque = arena,
                  .next_in = (const Bytef *)in.ptr,
                  .avail_in = (uInt)in.len};
    if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
        return PH_ERR_NO_MEMORY;
    enum ph_status st = inflate_all(arena, &z, bytes_max, ret);
    (void)inflateEnd(&z);
    return st;
}

enum ph_status ph_gzip_deflate(struct ph_arena *arena, struct ph_slice in, struct ph_slice *ret)
{
    z_stream z = {.zalloc = take, .zfree = give, .opaque = arena};
    if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_ONLY, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return PH_ERR_NO_MEMORY;
    size_t room = deflateBound(&z, (uLong)in.len);
    char *out = ph_arena_alloc(arena, room);
    z.next_in = (const Bytef *)in.ptr;
    z.avail_in = (uInt)in.len;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)room;
    bool done = out != NULL && deflate(&z, Z_FINISH) == Z_STREAM_END;
    if (done)
        *ret = ph_slice_of(out, z.total_out);
    (void)deflateEnd(&z);
    return done ? PH_OK : PH_ERR_NO_MEMORY;
}
