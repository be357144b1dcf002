/* llhttp finds the parts of a request; this file keeps them, and refuses what it is too kind to. */
#include "http/h1.h"

#include "base/limits.h"
#include "http/grpc.h"

#if !defined(LLHTTP_STRICT_MODE) || LLHTTP_STRICT_MODE != 1
#error "compile with -DLLHTTP_STRICT_MODE=1: the lax parser lets smuggled headers through"
#endif
#include <llhttp.h>

struct span {
    uint32_t start, len;
};

struct ph_h1 {
    llhttp_t parser;
    llhttp_settings_t settings;
    struct ph_memory *memory;
    const struct ph_http_handler *handler;
    struct ph_buffer *out;
    struct ph_buffer head; /* target, then names and values, one after the other */
    struct ph_buffer body;
    struct span target;
    struct span names[PH_HEADERS_MAX], values[PH_HEADERS_MAX];
    size_t header_count;
    size_t head_bytes; /* as received, trailers and chunk heads included */
    bool in_head;      /* the head of a request is being read */
    bool line_empty, after_cr, line_seen, line_folds;
    bool draining;
    int refusal; /* HTTP status; 0: none */
    enum ph_h1_phase phase;
    int64_t since_ms, now_ms, headers_ms;
};

/* ---- answers ----------------------------------------------------------------------------------- */

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

static enum ph_status write_response(struct ph_h1 *h1, const struct ph_http_response *response,
                                     bool close)
{
    struct ph_buffer *out = h1->out;
    PH_TRY(ph_buffer_append(out, PH_S("HTTP/1.1 ")));
    PH_TRY(ph_buffer_append_number(out, (uint64_t)response->status));
    const struct ph_slice first[] = {PH_S(" "), ph_http_reason(response->status), PH_S("\r\n")};
    PH_TRY(append_all(out, first, PH_COUNTOF(first)));
    PH_TRY(append_headers(out, response));
    if (!has_no_body(response->status)) {
        PH_TRY(ph_buffer_append(out, PH_S("content-length: ")));
        PH_TRY(ph_buffer_append_number(out, response->prefix.len + response->body.len));
        PH_TRY(ph_buffer_append(out, PH_S("\r\n")));
    }
    if (close)
        PH_TRY(ph_buffer_append(out, PH_S("connection: close\r\n")));
    PH_TRY(ph_buffer_append(out, PH_S("\r\n")));
    if (has_no_body(response->status) || h1->parser.method == HTTP_HEAD)
        return PH_OK;
    PH_TRY(ph_buffer_append(out, response->prefix));
    return ph_buffer_append(out, response->body);
}

static void enter(struct ph_h1 *h1, enum ph_h1_phase phase)
{
    h1->phase = phase;
    h1->since_ms = h1->now_ms;
}

/* Half an answer would be worse than none: it is taken back. */
static void respond(struct ph_h1 *h1, const struct ph_http_response *response, bool close)
{
    size_t before = h1->out->len;
    if (write_response(h1, response, close) != PH_OK) {
        h1->out->len = before;
        close = true;
    }
    enter(h1, close ? PH_H1_CLOSED : PH_H1_IDLE);
}

static struct ph_slice refusal_body(int status)
{
#define REFUSAL(code, message) PH_S("{\"error\":{\"code\":\"" code "\",\"message\":\"" message "\"}}")
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

static void refuse(struct ph_h1 *h1, int status)
{
    static const struct ph_header type[] = {
        {PH_SI("content-type"), PH_SI("application/json")},
    };
    const struct ph_http_response response = {
        .status = status, .headers = type, .header_count = 1, .body = refusal_body(status)};
    respond(h1, &response, true);
}

/* ---- the head ---------------------------------------------------------------------------------- */

static struct ph_h1 *of(llhttp_t *parser)
{
    return parser->data;
}

/* Makes llhttp stop. */
static int stop_with(struct ph_h1 *h1, int status)
{
    if (h1->refusal == 0)
        h1->refusal = status;
    return -1;
}

static int keep(struct ph_h1 *h1, struct span *span, const char *at, size_t len)
{
    if (span->len == 0)
        span->start = (uint32_t)h1->head.len;
    if (ph_buffer_append(&h1->head, ph_slice_of(at, len)) != PH_OK)
        return stop_with(h1, 503);
    span->len += (uint32_t)len;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct ph_h1 *h1 = of(parser);
    if (h1->target.len + len > PH_URI_BYTES_MAX)
        return stop_with(h1, 414);
    return keep(h1, &h1->target, at, len);
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
    struct ph_h1 *h1 = of(parser);
    if (!h1->in_head) /* a trailer: counted by feed, not kept */
        return 0;
    if (h1->header_count == PH_HEADERS_MAX)
        return stop_with(h1, 431);
    return keep(h1, &h1->names[h1->header_count], at, len);
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
    struct ph_h1 *h1 = of(parser);
    if (!h1->in_head)
        return 0;
    return keep(h1, &h1->values[h1->header_count], at, len);
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct ph_h1 *h1 = of(parser);
    if (h1->in_head)
        h1->header_count++;
    return 0;
}

static struct ph_slice span_slice(const struct ph_h1 *h1, struct span span)
{
    return ph_slice_of(span.len > 0 ? h1->head.ptr + span.start : "", span.len);
}

/* Refusals that llhttp leaves to us; 0: none. Sets *ret_continue for Expect: 100-continue. */
static int judge_headers(const struct ph_h1 *h1, bool *ret_continue)
{
    size_t hosts = 0;
    bool http10 = h1->parser.http_major == 1 && h1->parser.http_minor == 0;
    for (size_t i = 0; i < h1->header_count; i++) {
        struct ph_slice name = span_slice(h1, h1->names[i]);
        struct ph_slice value = ph_slice_trim(span_slice(h1, h1->values[i]));
        if (ph_slice_eq_nocase(name, PH_S("host"))) {
            hosts++;
        } else if (ph_slice_eq_nocase(name, PH_S("transfer-encoding"))) {
            if (http10)
                return 400;
            if (!ph_slice_eq_nocase(value, PH_S("chunked")))
                return 501;
        } else if (ph_slice_eq_nocase(name, PH_S("expect"))) {
            if (!ph_slice_eq_nocase(value, PH_S("100-continue")))
                return 417;
            *ret_continue = !http10;
        }
    }
    return hosts > 1 || (hosts == 0 && !http10) ? 400 : 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct ph_h1 *h1 = of(parser);
    bool wants_continue = false;
    if (parser->http_major != 1)
        return stop_with(h1, 505);
    int refusal = judge_headers(h1, &wants_continue);
    if (refusal != 0)
        return stop_with(h1, refusal);
    if (parser->method == HTTP_CONNECT)
        return stop_with(h1, 405);
    if (parser->content_length > PH_MESSAGE_BYTES_MAX)
        return stop_with(h1, 413);
    parser->upgrade = 0; /* an Upgrade is an offer; we stay with what was asked otherwise */
    bool has_body = parser->content_length > 0 || (parser->flags & F_CHUNKED) != 0;
    if (wants_continue && has_body &&
        ph_buffer_append(h1->out, PH_S("HTTP/1.1 100 Continue\r\n\r\n")) != PH_OK)
        return stop_with(h1, 503);
    h1->in_head = false;
    h1->headers_ms = h1->now_ms;
    enter(h1, PH_H1_BODY);
    return 0;
}

/* ---- the body, and the whole ------------------------------------------------------------------- */

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct ph_h1 *h1 = of(parser);
    if (len > PH_MESSAGE_BYTES_MAX - h1->body.len)
        return stop_with(h1, 413);
    if (ph_buffer_append(&h1->body, ph_slice_of(at, len)) != PH_OK)
        return stop_with(h1, 503);
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED; /* so that llhttp_execute says where the next request begins */
}

static void begin_request(struct ph_h1 *h1)
{
    ph_buffer_clear(&h1->head);
    ph_buffer_clear(&h1->body);
    h1->target = (struct span){0};
    memset(h1->names, 0, h1->header_count < PH_HEADERS_MAX ? (h1->header_count + 1) * sizeof(struct span)
                                                           : sizeof h1->names);
    memset(h1->values, 0, h1->header_count < PH_HEADERS_MAX
                              ? (h1->header_count + 1) * sizeof(struct span)
                              : sizeof h1->values);
    h1->header_count = 0;
    h1->head_bytes = 0;
    h1->in_head = true;
    h1->line_empty = true;
    h1->after_cr = h1->line_seen = h1->line_folds = false;
}

static void handle(struct ph_h1 *h1)
{
    struct ph_header headers[PH_HEADERS_MAX];
    for (size_t i = 0; i < h1->header_count; i++)
        headers[i] = (struct ph_header){.name = span_slice(h1, h1->names[i]),
                                        .value = ph_slice_trim(span_slice(h1, h1->values[i]))};
    const struct ph_http_request request = {
        .method = ph_slice_str(llhttp_method_name((llhttp_method_t)h1->parser.method)),
        .target = span_slice(h1, h1->target),
        .headers = headers,
        .header_count = h1->header_count,
        .body = ph_slice_of(h1->body.ptr != NULL ? h1->body.ptr : "", h1->body.len),
        .headers_ms = h1->headers_ms,
    };
    struct ph_http_response response = {.status = 500};
    h1->handler->handle(h1->handler->ctx, &request, &response);
    bool close = h1->draining || llhttp_should_keep_alive(&h1->parser) == 0;
    respond(h1, &response, close);
    begin_request(h1);
}

/* Looks over the lines of a head before llhttp does: line ends are CR LF and nothing else, no line is
 * folded, and it is within the limit. Bytes behind the head are left alone. */
static int scan_head(struct ph_h1 *h1, struct ph_slice bytes)
{
    size_t i = 0;
    bool ended = false;
    for (; i < bytes.len && !ended; i++) {
        char c = bytes.ptr[i];
        if ((c == '\n') != h1->after_cr || c == '\0')
            return 400;
        if (c == '\n') {
            ended = h1->line_empty && h1->line_seen;
            h1->line_seen |= !h1->line_empty;
            h1->line_empty = true;
        } else if (c != '\r') {
            if (h1->line_empty && h1->line_seen && (c == ' ' || c == '\t'))
                return 400;
            h1->line_empty = false;
        }
        h1->after_cr = c == '\r';
    }
    h1->head_bytes += i;
    return h1->head_bytes > PH_HEADER_BYTES_MAX + PH_URI_BYTES_MAX ? 431 : 0;
}

/* llhttp's own view of an error, as a status. */
static int status_of(llhttp_errno_t error)
{
    return error == HPE_INVALID_VERSION ? 505 : 400;
}

/* One llhttp run: to the end of the bytes or of a request. Gives how much it took. */
static size_t step(struct ph_h1 *h1, struct ph_slice bytes)
{
    if (h1->in_head) {
        int status = scan_head(h1, bytes);
        if (status != 0) {
            refuse(h1, h1->target.len >= PH_URI_BYTES_MAX ? 414 : status);
            return bytes.len;
        }
    }
    size_t body_before = h1->body.len;
    bool was_head = h1->in_head;
    llhttp_errno_t error = llhttp_execute(&h1->parser, bytes.ptr, bytes.len);
    if (error == HPE_PAUSED) {
        size_t used = (size_t)(llhttp_get_error_pos(&h1->parser) - bytes.ptr);
        llhttp_resume(&h1->parser);
        handle(h1);
        return used;
    }
    if (error != HPE_OK) {
        refuse(h1, h1->refusal != 0 ? h1->refusal : status_of(error));
        return bytes.len;
    }
    /* Chunk heads and trailers have no end of their own: they share the head's limit. */
    if (!was_head && (h1->parser.flags & F_CHUNKED) != 0) {
        size_t grown = h1->body.len - body_before;
        h1->head_bytes += bytes.len > grown ? bytes.len - grown : 0;
        if (h1->head_bytes > h1->body.len + 2 * (PH_HEADER_BYTES_MAX + PH_URI_BYTES_MAX))
            refuse(h1, 431);
    }
    return bytes.len;
}

/* ---- outside ----------------------------------------------------------------------------------- */

struct ph_h1 *ph_h1_new(struct ph_memory *memory, const struct ph_http_handler *handler,
                        struct ph_buffer *out)
{
    struct ph_h1 *h1 = ph_memory_take(memory, sizeof *h1);
    if (h1 == NULL)
        return NULL;
    h1->memory = memory;
    h1->handler = handler;
    h1->out = out;
    ph_buffer_init(&h1->head, memory);
    ph_buffer_init(&h1->body, memory);
    llhttp_settings_init(&h1->settings);
    h1->settings.on_url = on_url;
    h1->settings.on_header_field = on_header_field;
    h1->settings.on_header_value = on_header_value;
    h1->settings.on_header_value_complete = on_header_value_complete;
    h1->settings.on_headers_complete = on_headers_complete;
    h1->settings.on_body = on_body;
    h1->settings.on_message_complete = on_message_complete;
    llhttp_init(&h1->parser, HTTP_REQUEST, &h1->settings);
    h1->parser.data = h1;
    begin_request(h1);
    return h1;
}

void ph_h1_free(struct ph_h1 *h1)
{
    if (h1 == NULL)
        return;
    ph_buffer_done(&h1->head);
    ph_buffer_done(&h1->body);
    ph_memory_give(h1->memory, h1, sizeof *h1);
}

void ph_h1_feed(struct ph_h1 *h1, struct ph_slice bytes, int64_t now_ms)
{
    h1->now_ms = now_ms;
    while (bytes.len > 0 && h1->phase != PH_H1_CLOSED) {
        if (h1->phase == PH_H1_IDLE)
            enter(h1, PH_H1_HEAD);
        bytes = ph_slice_from(bytes, step(h1, bytes));
    }
}

enum ph_h1_phase ph_h1_phase(const struct ph_h1 *h1)
{
    return h1->phase;
}

int64_t ph_h1_phase_since_ms(const struct ph_h1 *h1)
{
    return h1->since_ms;
}

void ph_h1_drain(struct ph_h1 *h1)
{
    h1->draining = true;
    if (h1->phase == PH_H1_IDLE)
        h1->phase = PH_H1_CLOSED;
}

void ph_h1_expire(struct ph_h1 *h1)
{
    refuse(h1, 408);
}
