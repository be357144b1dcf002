/* HTTP/1 over any bytes, whole and in pieces: both must come to the same answers. */
#include <stdint.h>
#include <stdlib.h>

#include "base/limits.h"
#include "http/h1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *take(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}

static void give(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

static enum ph_http_outcome answer(void *ctx, struct ph_http_exchange *exchange,
                                   const struct ph_http_request *request,
                                   struct ph_http_response *ret_response)
{
    (void)exchange;
    size_t *count = ctx;
    (*count)++;
    if (request->body.len > PH_MESSAGE_BYTES_MAX || request->header_count > PH_HEADERS_MAX)
        abort();
    *ret_response = (struct ph_http_response){.status = 200, .body = PH_S("ok")};
    return PH_HTTP_ANSWERED;
}

static void feed(struct ph_slice bytes, size_t piece, struct ph_memory *memory,
                 struct ph_buffer *out, size_t *ret_requests)
{
    const struct ph_http_handler handler = {.handle = answer, .ctx = ret_requests};
    struct ph_counters counters = {0};
    const struct ph_http_site site = {memory, &handler, &counters};
    struct ph_h1 *h1 = ph_h1_new(&site, NULL, out, true);
    if (h1 == NULL)
        return;
    for (size_t at = 0; at < bytes.len; at += piece) {
        size_t left = bytes.len - at;
        ph_h1_feed(h1, ph_slice_of(bytes.ptr + at, left < piece ? left : piece), 1);
    }
    ph_h1_free(h1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct ph_allocator heap = {.alloc = take, .free = give};
    struct ph_memory memory = {.allocator = &heap, .limit = 64 * 1024 * 1024};
    struct ph_buffer whole, pieces;
    size_t whole_requests = 0, piece_requests = 0;
    ph_buffer_init(&whole, &memory);
    ph_buffer_init(&pieces, &memory);
    struct ph_slice bytes = ph_slice_of(data, size);
    if (size > 0) {
        feed(bytes, size, &memory, &whole, &whole_requests);
        feed(bytes, 1, &memory, &pieces, &piece_requests);
    }
    if (whole_requests != piece_requests)
        abort();
    ph_buffer_done(&whole);
    ph_buffer_done(&pieces);
    if (memory.used != 0)
        abort();
    return 0;
}
