/* gRPC's framing. The first byte's lowest bit: gzip is agreed. Then any bytes as messages in a
 * row: what is taken is within the bytes and the limit, does not depend on what comes behind it,
 * and comes back when it is framed again. The same bytes as a text: a status message that
 * decodes to what was encoded, and a time-out. */
#include <string.h>

#include "heap.h"
#include "http/grpc.h"

enum { MESSAGE_MAX = 64 * 1024 };

static void must_frame(struct ph_arena *arena, struct ph_slice message)
{
    struct ph_slice again = {0};
    struct ph_fault fault = {0};
    size_t used = 0, len = PH_GRPC_PREFIX_BYTES + message.len;
    char *framed = malloc(len);
    must(framed != NULL);
    ph_grpc_write_prefix(framed, message.len, false);
    if (message.len > 0)
        memcpy(framed + PH_GRPC_PREFIX_BYTES, message.ptr, message.len);
    must(ph_grpc_take(ph_slice_of(framed, len), false, MESSAGE_MAX, arena, &again, &used, &fault));
    must(used == len && ph_slice_eq(again, message));
    must(ph_grpc_read(ph_slice_of(framed, len), false, MESSAGE_MAX, arena, &again, &fault) &&
         ph_slice_eq(again, message));
    /* Cut short it waits, and is no call. */
    must(ph_grpc_take(ph_slice_of(framed, len - 1), false, MESSAGE_MAX, arena, &again, &used,
                      &fault) &&
         used == 0);
    must(!ph_grpc_read(ph_slice_of(framed, len - 1), false, MESSAGE_MAX, arena, &again, &fault) &&
         fault.code != PH_GRPC_OK);
    free(framed);
}

static void take_all(struct ph_arena *arena, struct ph_slice bytes, bool gzip)
{
    for (;;) {
        struct ph_slice message = {0}, alone = {0};
        struct ph_fault fault = {0};
        size_t used = 0, used_alone = 0;
        if (!ph_grpc_take(bytes, gzip, MESSAGE_MAX, arena, &message, &used, &fault)) {
            must(fault.code != PH_GRPC_OK && fault.message.len > 0);
            return;
        }
        if (used == 0)
            return;
        must(used >= PH_GRPC_PREFIX_BYTES && used <= bytes.len && message.len <= MESSAGE_MAX);
        must(ph_grpc_take(ph_slice_of(bytes.ptr, used), gzip, MESSAGE_MAX, arena, &alone,
                          &used_alone, &fault));
        must(used_alone == used && ph_slice_eq(alone, message));
        must(ph_grpc_read(ph_slice_of(bytes.ptr, used), gzip, MESSAGE_MAX, arena, &alone, &fault));
        must(bytes.len == used || !ph_grpc_read(bytes, gzip, MESSAGE_MAX, arena, &alone, &fault));
        must_frame(arena, message);
        bytes = ph_slice_from(bytes, used);
    }
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* As a client decodes it: a beginning of the text, in printable ASCII until then. */
static void must_decode(struct ph_slice encoded, struct ph_slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < encoded.len; i++, n++) {
        char c = encoded.ptr[i];
        must(c >= 0x20 && c < 0x7f && n < text.len);
        if (c == '%') {
            must(i + 2 < encoded.len && hex(encoded.ptr[i + 1]) >= 0 &&
                 hex(encoded.ptr[i + 2]) >= 0);
            c = (char)(hex(encoded.ptr[i + 1]) * 16 + hex(encoded.ptr[i + 2]));
            i += 2;
        }
        must(c == text.ptr[n]);
    }
    /* All of it, or as much as fits without the character that would be cut. */
    must(n == text.len || (n <= PH_GRPC_TEXT_BYTES_MAX && n + 3 >= PH_GRPC_TEXT_BYTES_MAX));
    must(n == text.len || n + 3 == PH_GRPC_TEXT_BYTES_MAX ||
         ((unsigned char)text.ptr[n] & 0xc0) != 0x80);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_arena arena;
    int64_t timeout_ms = -1;
    if (size == 0)
        return 0;
    struct ph_slice bytes = ph_slice_of(data + 1, size - 1);
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    take_all(&arena, bytes, (data[0] & 1) != 0);
    must_decode(ph_grpc_encode_message(&arena, bytes), bytes);
    if (ph_grpc_timeout_ms(bytes, &timeout_ms))
        must(timeout_ms >= 0 && bytes.len >= 2 && bytes.len <= 9);
    ph_arena_done(&arena);
    return 0;
}
