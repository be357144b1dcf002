/* Answers on HTTP/1: whole ones with their length, those of many parts in chunks. */
#include "http/h1_private.h"

static enum ph_status append_all(struct ph_buffer *out, const struct ph_slice *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        PH_TRY(ph_buffer_append(out, parts[i]));
    return PH_OK;
}

static enum ph_status append_headers(struct ph_buffer *out, const struct ph_http_response *response)
{
    for (size_t i = 0; i < response->header_count; i++) {
        const struct ph_slice line[] = {response->headers[i].name, PH_S(": "),
                                        response->headers[i].value, PH_S("\r\n")};
        PH_TRY(append_all(out, line, PH_COUNTOF(line)));
    }
    return PH_OK;
}

static bool has_no_body(int status)
{
    return status == 204 || status == 304;
}

static enum ph_status append_chunk(struct ph_buffer *out, struct ph_slice prefix,
                                   struct ph_slice body)
{
    static const char hex[] = "0123456789abcdef";
    char size[2 * sizeof(size_t)];
    size_t at = sizeof size, bytes = prefix.len + body.len;
    if (bytes == 0)
        return PH_OK; /* an empty chunk would be the last one */
    for (; bytes > 0; bytes >>= 4)
        size[--at] = hex[bytes & 15];
    const struct ph_slice parts[] = {ph_slice_of(size + at, sizeof size - at), PH_S("\r\n"), prefix,
                                     body, PH_S("\r\n")};
    return append_all(out, parts, PH_COUNTOF(parts));
}

static enum ph_status write_framing(struct ph_h1 *h1, const struct ph_http_response *response)
{
    if (response->open)
        return h1->chunked ? ph_buffer_append(h1->out, PH_S("transfer-encoding: chunked\r\n"))
                           : PH_OK;
    if (has_no_body(response->status))
        return PH_OK;
    PH_TRY(ph_buffer_append(h1->out, PH_S("content-length: ")));
    PH_TRY(ph_buffer_append_number(h1->out, response->prefix.len + response->body.len));
    return ph_buffer_append(h1->out, PH_S("\r\n"));
}

static enum ph_status write_response(struct ph_h1 *h1, const struct ph_http_response *response,
                                     bool close)
{
    struct ph_buffer *out = h1->out;
    PH_TRY(ph_buffer_append(out, PH_S("HTTP/1.1 ")));
    PH_TRY(ph_buffer_append_number(out, (uint64_t)response->status));
    const struct ph_slice first[] = {PH_S(" "), ph_http_reason(response->status), PH_S("\r\n")};
    PH_TRY(append_all(out, first, PH_COUNTOF(first)));
    PH_TRY(append_headers(out, response));
    PH_TRY(write_framing(h1, response));
    if (close)
        PH_TRY(ph_buffer_append(out, PH_S("connection: close\r\n")));
    PH_TRY(ph_buffer_append(out, PH_S("\r\n")));
    if (has_no_body(response->status) || h1->parser.method == HTTP_HEAD)
        return PH_OK;
    if (response->open && h1->chunked)
        return append_chunk(out, response->prefix, response->body);
    PH_TRY(ph_buffer_append(out, response->prefix));
    return ph_buffer_append(out, response->body);
}

/* Half an answer would be worse than none: it is taken back. */
void ph_h1_respond(struct ph_h1 *h1, const struct ph_http_response *response, bool close)
{
    size_t before = h1->out->len;
    bool http11 = h1->parser.http_major == 1 && h1->parser.http_minor >= 1;
    h1->chunked = response->open && http11;
    if (response->open && !http11)
        close = true; /* to HTTP/1.0 the end of the connection is the end of such an answer */
    h1->keep_alive = !close;
    if (write_response(h1, response, close) != PH_OK) {
        h1->out->len = before;
        h1->exchange.held = false;
        ph_count(&h1->site->counters->limit_memory);
        ph_h1_enter(h1, PH_H1_CLOSED);
        return;
    }
    h1->open = h1->exchange.held = response->open;
    if (response->open) {
        ph_h1_enter(h1, PH_H1_WAITING);
        return;
    }
    ph_h1_begin_request(h1);
    ph_h1_enter(h1, close ? PH_H1_CLOSED : PH_H1_IDLE);
}

static struct ph_slice refusal_body(int status)
{
#define REFUSAL(code, message)                                                                     \
    PH_S("{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}")
    switch (status) {
    case 405:
        return REFUSAL("METHOD_NOT_ALLOWED", "this method is not served here");
    case 408:
        return REFUSAL("DEADLINE_EXCEEDED", "the request came too slowly");
    case 413:
        return REFUSAL("RESOURCE_EXHAUSTED", "the body is larger than the limit");
    case 414:
        return REFUSAL("RESOURCE_EXHAUSTED", "the request target is longer than the limit");
    case 417:
        return REFUSAL("INVALID_ARGUMENT", "only Expect: 100-continue is known");
    case 431:
        return REFUSAL("RESOURCE_EXHAUSTED", "too many headers, or too long");
    case 501:
        return REFUSAL("UNIMPLEMENTED", "only the transfer encoding chunked is known");
    case 503:
        return REFUSAL("UNAVAILABLE", "no room for this request now; try again");
    case 505:
        return REFUSAL("INVALID_ARGUMENT", "only HTTP/1.0, HTTP/1.1 and HTTP/2 are spoken here");
    default:
        return REFUSAL("INVALID_ARGUMENT", "this is not a well-formed HTTP request");
    }
#undef REFUSAL
}

static _Atomic uint64_t *counter_of(struct ph_counters *counters, const struct ph_h1 *h1,
                                    int status)
{
    switch (status) {
    case 408:
        return h1->in_head ? &counters->limit_head_time : &counters->limit_body_time;
    case 413:
        return &counters->limit_body_bytes;
    case 414:
        return &counters->limit_target_bytes;
    case 431:
        return &counters->limit_head_bytes;
    case 503:
        return &counters->limit_memory;
    default:
        return &counters->malformed;
    }
}

void ph_h1_refuse(struct ph_h1 *h1, int status)
{
    static const struct ph_header type[] = {
        {PH_SI("content-type"), PH_SI("application/json")},
    };
    const struct ph_http_response response = {
        .status = status, .headers = type, .header_count = 1, .body = refusal_body(status)};
    ph_count(counter_of(h1->site->counters, h1, status));
    ph_h1_respond(h1, &response, true);
}

/* ---- the transport of a held exchange -------------------------------------------------------- */

static struct ph_h1 *of(struct ph_http_exchange *exchange)
{
    return (struct ph_h1 *)(void *)exchange; /* its first member */
}

static enum ph_status on_answer(struct ph_http_exchange *exchange,
                                const struct ph_http_response *response)
{
    struct ph_h1 *h1 = of(exchange);
    ph_h1_respond(h1, response, h1->draining || !h1->keep_alive);
    return h1->phase == PH_H1_CLOSED && response->open ? PH_ERR_NO_MEMORY : PH_OK;
}

static enum ph_status on_write(struct ph_http_exchange *exchange, struct ph_slice prefix,
                               struct ph_slice body)
{
    struct ph_h1 *h1 = of(exchange);
    if (h1->out->len >= PH_STREAM_OUTPUT_BYTES_MAX) {
        h1->stalled = true;
        ph_count(&h1->site->counters->limit_stream_output);
        return PH_ERR_AGAIN;
    }
    if (h1->parser.method == HTTP_HEAD)
        return PH_OK;
    size_t before = h1->out->len;
    enum ph_status st = PH_OK;
    if (h1->chunked) {
        st = append_chunk(h1->out, prefix, body);
    } else {
        st = ph_buffer_append(h1->out, prefix);
        if (st == PH_OK)
            st = ph_buffer_append(h1->out, body);
    }
    if (st != PH_OK) {
        h1->out->len = before;
        exchange->held = h1->open = false;
        ph_count(&h1->site->counters->limit_memory);
        ph_h1_enter(h1, PH_H1_CLOSED); /* without its end: the client sees that it is cut */
    }
    return st;
}

static void on_end(struct ph_http_exchange *exchange, const struct ph_header *trailers,
                   size_t count)
{
    (void)trailers, (void)count;
    struct ph_h1 *h1 = of(exchange);
    exchange->held = h1->open = false;
    bool close = h1->draining || !h1->keep_alive;
    if (h1->chunked && h1->parser.method != HTTP_HEAD &&
        ph_buffer_append(h1->out, PH_S("0\r\n\r\n")) != PH_OK)
        close = true;
    ph_h1_begin_request(h1);
    ph_h1_enter(h1, close ? PH_H1_CLOSED : PH_H1_IDLE);
}

const struct ph_http_transport ph_h1_transport = {
    .answer = on_answer, .write = on_write, .end = on_end};
