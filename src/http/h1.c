/* llhttp finds the parts of a request; this file keeps them, and refuses what it is too kind to. */
#include "http/h1_private.h"

void ph_h1_enter(struct ph_h1 *h1, enum ph_h1_phase phase)
{
    h1->phase = phase;
    h1->since_ms = h1->now_ms;
}

/* ---- the head -------------------------------------------------------------------------------- */

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

static int keep(struct ph_h1 *h1, struct ph_span *span, const char *at, size_t len)
{
    if (span->len == 0)
        span->start = (uint32_t)h1->exchange.head.len;
    if (ph_buffer_append(&h1->exchange.head, ph_slice_of(at, len)) != PH_OK)
        return stop_with(h1, 503);
    span->len += (uint32_t)len;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct ph_h1 *h1 = of(parser);
    if (h1->exchange.target.len + len > PH_URI_BYTES_MAX)
        return stop_with(h1, 414);
    return keep(h1, &h1->exchange.target, at, len);
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
    struct ph_h1 *h1 = of(parser);
    h1->line_named |= len > 0;
    if (!h1->in_head) /* a trailer: counted by feed, not kept */
        return 0;
    if (h1->exchange.field_count >= h1->site->limits->headers)
        return stop_with(h1, 431);
    return keep(h1, &h1->exchange.fields[h1->exchange.field_count].name, at, len);
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
    struct ph_h1 *h1 = of(parser);
    if (!h1->in_head)
        return 0;
    return keep(h1, &h1->exchange.fields[h1->exchange.field_count].value, at, len);
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct ph_h1 *h1 = of(parser);
    if (!h1->line_named) /* ": value", which llhttp lets through */
        return stop_with(h1, 400);
    h1->line_named = false;
    if (h1->in_head)
        h1->exchange.field_count++;
    return 0;
}

/* Refusals that llhttp leaves to us; 0: none. Sets *ret_continue for Expect: 100-continue. */
static int judge_headers(const struct ph_h1 *h1, bool *ret_continue)
{
    const struct ph_http_exchange *x = &h1->exchange;
    size_t hosts = 0;
    bool http10 = h1->parser.http_major == 1 && h1->parser.http_minor == 0;
    for (size_t i = 0; i < h1->exchange.field_count; i++) {
        struct ph_slice name = ph_http_span(&x->head, x->fields[i].name);
        struct ph_slice value = ph_slice_trim(ph_http_span(&x->head, x->fields[i].value));
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

static struct ph_slice header_of(const struct ph_h1 *h1, struct ph_slice name, size_t *ret_count)
{
    const struct ph_http_exchange *x = &h1->exchange;
    struct ph_slice found = {0};
    *ret_count = 0;
    for (size_t i = 0; i < x->field_count; i++) {
        if (!ph_slice_eq_nocase(ph_http_span(&x->head, x->fields[i].name), name))
            continue;
        found = ph_slice_trim(ph_http_span(&x->head, x->fields[i].value));
        (*ret_count)++;
    }
    return found;
}

/* RFC 7540 §3.2, which RFC 9113 no longer describes but clients still use (curl --http2). */
static bool asks_for_h2c(const struct ph_h1 *h1)
{
    size_t upgrades, connections, settings;
    struct ph_slice upgrade = header_of(h1, PH_S("upgrade"), &upgrades);
    struct ph_slice connection = header_of(h1, PH_S("connection"), &connections);
    (void)header_of(h1, PH_S("http2-settings"), &settings);
    return h1->parser.http_minor == 1 && upgrades == 1 && connections == 1 && settings == 1 &&
           ph_http_list_has(upgrade, PH_S("h2c")) &&
           ph_http_list_has(connection, PH_S("upgrade")) &&
           ph_http_list_has(connection, PH_S("http2-settings"));
}

/* RFC 9112 §3.2.2: "GET http://host/path" is what a client sends to a proxy, and a server has to
 * take it. Its host stands for the Host header, and neither is read here. False: there is no host
 * in it. */
static bool take_absolute_form(struct ph_h1 *h1)
{
    struct ph_span *span = &h1->exchange.target;
    char *text = h1->exchange.head.ptr + span->start;
    struct ph_slice target = ph_http_span(&h1->exchange.head, *span);
    size_t at =
        target.len > 0 && target.ptr[0] != '/' ? ph_slice_find(target, PH_S("://"), 0) : SIZE_MAX;
    if (at == SIZE_MAX || !(ph_slice_eq_nocase(ph_slice_of(target.ptr, at), PH_S("http")) ||
                            ph_slice_eq_nocase(ph_slice_of(target.ptr, at), PH_S("https"))))
        return true;
    size_t host = at + 3, end = host;
    while (end < target.len && text[end] != '/' && text[end] != '?' && text[end] != '#')
        end++;
    if (end == host)
        return false;
    if (end == target.len || text[end] != '/')
        text[--end] = '/'; /* an empty path; the host's last byte makes room */
    span->start += (uint32_t)end;
    span->len -= (uint32_t)end;
    return true;
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
    if (!take_absolute_form(h1))
        return stop_with(h1, 400);
    if (parser->content_length > PH_MESSAGE_BYTES_MAX)
        return stop_with(h1, 413);
    parser->upgrade =
        0; /* an Upgrade is an offer; it is ours to take it, when the request is complete */
    bool has_body = parser->content_length > 0 || (parser->flags & F_CHUNKED) != 0;
    h1->asks_upgrade = h1->may_upgrade && !has_body && asks_for_h2c(h1);
    if (wants_continue && has_body &&
        ph_buffer_append(h1->out, PH_S("HTTP/1.1 100 Continue\r\n\r\n")) != PH_OK)
        return stop_with(h1, 503);
    h1->in_head = false;
    h1->is_http = true;
    h1->exchange.headers_ms = h1->now_ms;
    ph_h1_enter(h1, PH_H1_BODY);
    return 0;
}

/* ---- the body, and the whole ----------------------------------------------------------------- */

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct ph_h1 *h1 = of(parser);
    if (len > PH_MESSAGE_BYTES_MAX - h1->exchange.body.len)
        return stop_with(h1, 413);
    if (ph_buffer_append(&h1->exchange.body, ph_slice_of(at, len)) != PH_OK)
        return stop_with(h1, 503);
    return 0;
}

/* A chunk that would not fit is not waited for. */
static int on_chunk_header(llhttp_t *parser)
{
    struct ph_h1 *h1 = of(parser);
    return parser->content_length > PH_MESSAGE_BYTES_MAX - h1->exchange.body.len
               ? stop_with(h1, 413)
               : 0;
}

static int on_message_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED; /* so that llhttp_execute says where the next request begins */
}

void ph_h1_begin_request(struct ph_h1 *h1)
{
    ph_http_exchange_clear(&h1->exchange);
    h1->head_bytes = h1->header_bytes = 0;
    h1->in_head = true;
    h1->line_empty = true;
    h1->after_cr = h1->line_seen = h1->line_named = h1->after_space = false;
    h1->asks_upgrade = h1->open = h1->chunked = h1->stalled = false;
}

/* The method's name goes behind the headers: llhttp keeps only its number. */
static bool keep_method(struct ph_h1 *h1)
{
    const char *name = llhttp_method_name((llhttp_method_t)h1->parser.method);
    return ph_http_keep(&h1->exchange.head, ph_slice_str(name), &h1->exchange.method) == PH_OK;
}

static void handle(struct ph_h1 *h1)
{
    const struct ph_http_handler *handler = h1->site->handler;
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_http_request request;
    struct ph_http_response response = {.status = 500};
    if (!keep_method(h1)) {
        ph_h1_refuse(h1, 503);
        return;
    }
    if (h1->asks_upgrade && !h1->draining) {
        ph_h1_enter(h1, PH_H1_UPGRADED);
        return;
    }
    ph_count(&h1->site->counters->requests_http1);
    h1->keep_alive = llhttp_should_keep_alive(&h1->parser) != 0;
    ph_http_exchange_request(&h1->exchange, headers, &request);
    h1->exchange.held = true; /* so that the handler can note it; undone when it answers at once */
    if (handler->handle(handler->ctx, &h1->exchange, &request, &response) == PH_HTTP_LATER) {
        if (h1->exchange.held)
            ph_h1_enter(h1, PH_H1_WAITING);
        return;
    }
    ph_h1_respond(h1, &response, h1->draining || !h1->keep_alive);
    if (response.open && !h1->exchange.held)
        h1->exchange.owner->gone(h1->exchange.owner, &h1->exchange);
}

static int judge_size(const struct ph_h1 *h1)
{
    enum { LINE_BYTES = 64 }; /* of the request line beside its target */
    if (h1->head_bytes - h1->header_bytes > PH_URI_BYTES_MAX + LINE_BYTES)
        return 414;
    return h1->header_bytes > h1->site->limits->header_bytes ? 431 : 0;
}

static bool has_two_spaces(struct ph_h1 *h1, struct ph_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool space = text.ptr[i] == ' ';
        if (space && h1->after_space)
            return true;
        h1->after_space = space;
    }
    return false;
}

/* Of one line what is there, without its LF; `ends`: that comes next. */
static bool is_strict(struct ph_h1 *h1, struct ph_slice part, bool ends)
{
    struct ph_slice text = part;
    if (part.len > 0) {
        if (h1->after_cr || memchr(part.ptr, '\0', part.len) != NULL)
            return false;
        const char *cr = memchr(part.ptr, '\r', part.len);
        if (cr != NULL && cr != part.ptr + part.len - 1)
            return false;
        h1->after_cr = cr != NULL;
        text.len -= cr != NULL;
    }
    if (ends && !h1->after_cr)
        return false;
    if (text.len == 0)
        return true;
    if (h1->line_empty && h1->line_seen && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        return false;
    if (!h1->line_seen && has_two_spaces(h1, text))
        return false;
    h1->line_empty = false;
    return true;
}

/* Looks over the lines of a head before llhttp does: line ends are CR LF and nothing else, no line
 * is folded, the parts of the request line have one space between them, and it is within the
 * limits. Bytes behind the head are left alone. */
static int scan_head(struct ph_h1 *h1, struct ph_slice bytes)
{
    size_t at = 0, headers_at = 0;
    bool ended = false;
    while (at < bytes.len && !ended) {
        const char *lf = memchr(bytes.ptr + at, '\n', bytes.len - at);
        size_t end = lf != NULL ? (size_t)(lf - bytes.ptr) : bytes.len;
        if (!is_strict(h1, ph_slice_of(bytes.ptr + at, end - at), lf != NULL))
            return 400;
        at = end;
        if (lf == NULL)
            break;
        at++;
        ended = h1->line_empty && h1->line_seen;
        if (!h1->line_seen && !h1->line_empty) {
            h1->line_seen = true;
            headers_at = at;
        }
        h1->line_empty = true;
        h1->after_cr = false;
    }
    h1->head_bytes += at;
    h1->header_bytes += h1->line_seen ? at - headers_at : 0;
    return judge_size(h1);
}

/* llhttp's own view of an error, as a status. */
static int status_of(llhttp_errno_t error)
{
    return error == HPE_INVALID_VERSION ? 505 : 400;
}

/* TLS, a broken HTTP/2 preface, garbage: whoever sends it would not understand an answer. */
static size_t drop_noise(struct ph_h1 *h1, struct ph_slice bytes)
{
    ph_count(&h1->site->counters->malformed);
    ph_h1_enter(h1, PH_H1_CLOSED);
    return bytes.len;
}

static bool begins_no_method(const struct ph_h1 *h1, struct ph_slice bytes)
{
    char c = bytes.ptr[0];
    return h1->head_bytes == 0 && (c < 'A' || c > 'Z') && c != '\r' && c != '\n';
}

/* One llhttp run: to the end of the bytes or of a request. Gives how much it took. */
static size_t step(struct ph_h1 *h1, struct ph_slice bytes)
{
    if (h1->in_head) {
        if (!h1->is_http && begins_no_method(h1, bytes))
            return drop_noise(h1, bytes);
        int status = scan_head(h1, bytes);
        if (status != 0) {
            ph_h1_refuse(h1, status);
            return bytes.len;
        }
    }
    size_t body_before = h1->exchange.body.len;
    bool was_head = h1->in_head;
    llhttp_errno_t error = llhttp_execute(&h1->parser, bytes.ptr, bytes.len);
    if (error == HPE_PAUSED) {
        size_t used = (size_t)(llhttp_get_error_pos(&h1->parser) - bytes.ptr);
        llhttp_resume(&h1->parser);
        handle(h1);
        return used;
    }
    if (error == HPE_INVALID_METHOD && !h1->is_http)
        return drop_noise(h1, bytes);
    if (error != HPE_OK) {
        ph_h1_refuse(h1, h1->refusal != 0 ? h1->refusal : status_of(error));
        return bytes.len;
    }
    /* Chunk heads and trailers have no end of their own: they share the head's limit. */
    if (!was_head && (h1->parser.flags & F_CHUNKED) != 0) {
        size_t grown = h1->exchange.body.len - body_before;
        h1->head_bytes += bytes.len > grown ? bytes.len - grown : 0;
        if (h1->head_bytes >
            h1->exchange.body.len + 2 * (h1->site->limits->header_bytes + PH_URI_BYTES_MAX))
            ph_h1_refuse(h1, 431);
    }
    return bytes.len;
}

/* H4: who asks without reading is not answered without end. */
static bool has_room(const struct ph_h1 *h1)
{
    return h1->phase != PH_H1_IDLE || h1->out->len < PH_OUTPUT_BYTES_HIGH;
}

/* Gives how many bytes it took: all, unless a request now waits for its answer, or the answers for
 * whoever reads them. */
static size_t run(struct ph_h1 *h1, struct ph_slice bytes)
{
    size_t used = 0;
    while (used < bytes.len && h1->phase <= PH_H1_BODY && has_room(h1)) {
        if (h1->phase == PH_H1_IDLE)
            ph_h1_enter(h1, PH_H1_HEAD);
        used += step(h1, ph_slice_from(bytes, used));
    }
    return h1->phase == PH_H1_CLOSED ? bytes.len : used;
}

/* What cannot be kept is lost, and with it the place where the next request begins: so the answer
 * that is being made is the last. */
static void keep_rest(struct ph_h1 *h1, struct ph_slice bytes)
{
    if (ph_buffer_append(&h1->rest, bytes) == PH_OK)
        return;
    ph_count(&h1->site->counters->limit_memory);
    ph_buffer_clear(&h1->rest);
    h1->draining = true;
}

/* ---- outside --------------------------------------------------------------------------------- */

struct ph_h1 *ph_h1_new(const struct ph_http_site *site, void *connection, struct ph_buffer *out,
                        bool may_upgrade)
{
    struct ph_h1 *h1 = ph_memory_take(site->memory, sizeof *h1);
    if (h1 == NULL)
        return NULL;
    h1->site = site;
    h1->out = out;
    h1->may_upgrade = may_upgrade;
    h1->exchange.transport = &ph_h1_transport;
    h1->exchange.connection = connection;
    ph_http_exchange_init(&h1->exchange, site->memory);
    ph_buffer_init(&h1->rest, site->memory);
    llhttp_settings_init(&h1->settings);
    h1->settings.on_url = on_url;
    h1->settings.on_header_field = on_header_field;
    h1->settings.on_header_value = on_header_value;
    h1->settings.on_header_value_complete = on_header_value_complete;
    h1->settings.on_headers_complete = on_headers_complete;
    h1->settings.on_body = on_body;
    h1->settings.on_chunk_header = on_chunk_header;
    h1->settings.on_message_complete = on_message_complete;
    llhttp_init(&h1->parser, HTTP_REQUEST, &h1->settings);
    h1->parser.data = h1;
    ph_h1_begin_request(h1);
    return h1;
}

void ph_h1_free(struct ph_h1 *h1)
{
    if (h1 == NULL)
        return;
    ph_http_exchange_gone(&h1->exchange);
    ph_http_exchange_done(&h1->exchange);
    ph_buffer_done(&h1->rest);
    ph_memory_give(h1->site->memory, h1, sizeof *h1);
}

static void on_room(struct ph_h1 *h1)
{
    if (!h1->stalled || h1->out->len >= PH_STREAM_OUTPUT_BYTES_MAX)
        return;
    h1->stalled = false;
    ph_http_exchange_data(&h1->exchange, false);
}

void ph_h1_feed(struct ph_h1 *h1, struct ph_slice bytes, int64_t now_ms)
{
    h1->now_ms = now_ms;
    on_room(h1);
    if (h1->rest.len > 0)
        ph_buffer_drop(&h1->rest, run(h1, ph_buffer_slice(&h1->rest)));
    size_t used = h1->rest.len == 0 ? run(h1, bytes) : 0;
    if (used < bytes.len)
        keep_rest(h1, ph_slice_from(bytes, used));
    else if (h1->rest.len == 0)
        ph_buffer_done(&h1->rest);
}

bool ph_h1_wants_read(const struct ph_h1 *h1)
{
    return h1->rest.len == 0 && h1->phase != PH_H1_WAITING;
}

bool ph_h1_has_rest(const struct ph_h1 *h1)
{
    return h1->rest.len > 0 && h1->phase <= PH_H1_BODY;
}

bool ph_h1_owes_answer(const struct ph_h1 *h1)
{
    return h1->phase == PH_H1_WAITING && !h1->open;
}

enum ph_h1_phase ph_h1_phase(const struct ph_h1 *h1)
{
    return h1->phase;
}

int64_t ph_h1_phase_since_ms(const struct ph_h1 *h1)
{
    return h1->since_ms;
}

struct ph_http_exchange *ph_h1_upgraded(struct ph_h1 *h1, struct ph_slice *ret_settings,
                                        struct ph_slice *ret_rest)
{
    size_t count;
    *ret_settings = header_of(h1, PH_S("http2-settings"), &count);
    *ret_rest = ph_buffer_slice(&h1->rest);
    return &h1->exchange;
}

void ph_h1_drain(struct ph_h1 *h1)
{
    h1->draining = true;
    if (h1->phase == PH_H1_IDLE)
        h1->phase = PH_H1_CLOSED;
}

void ph_h1_expire(struct ph_h1 *h1)
{
    ph_h1_refuse(h1, 408);
}
