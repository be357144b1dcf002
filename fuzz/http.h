/* What the targets of HTTP share: a connection's memory and handler, and a log of what was
 * asked. */
#ifndef PH_FUZZ_HTTP_H
#define PH_FUZZ_HTTP_H

#include "heap.h"
#include "http/h2.h"
#include "http/message.h"

/* One run over the input: what it handled, and what it answered. */
struct run {
    struct ph_memory memory;
    struct ph_buffer log, out;
    struct ph_counters counters;
    struct ph_http_handler handler;
    struct ph_http_site site;
    struct ph_h2_spares spares;
    size_t requests;
    struct ph_slice answers; /* what of `out` must not depend on how the bytes arrived */
};

static inline void note(struct run *run, struct ph_slice text)
{
    must(ph_buffer_append(&run->log, text) == PH_OK &&
         ph_buffer_append(&run->log, PH_S("\n")) == PH_OK);
}

static inline enum ph_http_outcome on_request(void *ctx, struct ph_http_exchange *exchange,
                                              const struct ph_http_request *request,
                                              struct ph_http_response *ret_response)
{
    (void)exchange;
    struct run *run = ctx;
    run->requests++;
    must(request->body.len <= PH_MESSAGE_BYTES_MAX && request->header_count <= PH_HEADERS_MAX);
    note(run, request->method);
    note(run, request->target);
    for (size_t i = 0; i < request->header_count; i++) {
        const struct ph_slice whole[] = {request->headers[i].name, request->headers[i].value};
        for (size_t k = 0; k < PH_COUNTOF(whole); k++) { /* nothing that could end a line of HTTP */
            must(whole[k].len == 0 || (memchr(whole[k].ptr, '\n', whole[k].len) == NULL &&
                                       memchr(whole[k].ptr, '\0', whole[k].len) == NULL));
            note(run, whole[k]);
        }
    }
    note(run, request->body);
    note(run, request->refusal != PH_HTTP_FINE ? PH_S("refused") : PH_S(""));
    *ret_response = (struct ph_http_response){.status = 200, .body = PH_S("ok")};
    return PH_HTTP_ANSWERED;
}

static inline bool lets_pass(void *ctx, struct ph_slice target)
{
    (void)ctx, (void)target;
    return true;
}

static inline void run_init(struct run *run)
{
    *run = (struct run){.memory = {.allocator = &ph_os_heap, .limit = 64 * 1024 * 1024}};
    run->handler = (struct ph_http_handler){.handle = on_request, .passes = lets_pass, .ctx = run};
    run->site = (struct ph_http_site){&run->memory, &run->handler, &run->counters,
                                      &ph_http_limits_usual, &run->spares};
    ph_buffer_init(&run->log, &run->memory);
    ph_buffer_init(&run->out, &run->memory);
}

static inline void run_done(struct run *run)
{
    ph_buffer_done(&run->log);
    ph_buffer_done(&run->out);
    ph_h2_spares_done(&run->spares, &run->memory);
    must(run->memory.used == 0 && run->memory.beside == 0);
}

/* However the bytes arrived, they asked and were answered the same. */
static inline void must_agree(const struct run *a, const struct run *b)
{
    must(a->requests == b->requests);
    must(ph_slice_eq(ph_buffer_slice(&a->log), ph_buffer_slice(&b->log)));
    must(ph_slice_eq(a->answers, b->answers));
}

typedef void feed_fn(struct ph_slice bytes, size_t piece, struct run *run);

/* The first byte is the size of pieces, the others are fed: whole, one by one, and in such
 * pieces. */
static inline void feed_all(feed_fn *feed, struct ph_slice input,
                            bool (*may_differ)(struct ph_slice bytes))
{
    struct run whole, other;
    if (input.len < 2)
        return;
    struct ph_slice bytes = ph_slice_from(input, 1);
    const size_t pieces[] = {1, (size_t)(uint8_t)input.ptr[0] + 2};
    feed(bytes, bytes.len, &whole);
    for (size_t i = 0; i < PH_COUNTOF(pieces); i++) {
        feed(bytes, pieces[i], &other);
        if (may_differ == NULL || !may_differ(bytes))
            must_agree(&whole, &other);
        run_done(&other);
    }
    run_done(&whole);
}

#endif
