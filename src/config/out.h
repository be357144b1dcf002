/* Text that grows in an arena. Private to config/. */
#ifndef PH_CONFIG_OUT_H
#define PH_CONFIG_OUT_H

#include "base/arena.h"

struct ph_out_text {
    struct ph_arena *arena;
    char *bytes;
    size_t len, room;
    bool no_memory;
};

static inline void ph_out(struct ph_out_text *out, struct ph_slice text)
{
    if (out->len + text.len > out->room && !out->no_memory) {
        size_t room = (out->len + text.len) * 2 + 1024;
        char *bytes = ph_arena_alloc(out->arena, room);
        if (bytes != NULL && out->len > 0)
            memcpy(bytes, out->bytes, out->len);
        out->no_memory = bytes == NULL;
        out->bytes = bytes;
        out->room = room;
    }
    if (out->no_memory || text.len == 0)
        return;
    memcpy(out->bytes + out->len, text.ptr, text.len);
    out->len += text.len;
}

/* What was written; absent: there was no memory for it. */
static inline struct ph_slice ph_out_done(const struct ph_out_text *out)
{
    return out->no_memory || out->len == 0 ? (struct ph_slice){0}
                                           : ph_slice_of(out->bytes, out->len);
}

#endif
