/* Streams and their answers. Stream objects and their buffers are used again: a call costs no
 * allocation of ours once the thread is warm. */
#include "http/h2_private.h"

/* Kept: what some busy clients have in flight; a quiet thread keeps none (ph_h2_spares_rest). */
enum { STREAMS_KEPT = 4 * PH_STREAMS_MAX, RESPONSE_HEADERS_MAX = 32 };

static const struct ph_http_transport transport;

/* ---- spare ones ------------------------------------------------------------------------------ */

static struct ph_h2_stream *stream_new(struct ph_memory *memory)
{
    struct ph_h2_stream *s = ph_memory_take(memory, sizeof *s);
    if (s == NULL)
        return NULL;
    ph_http_exchange_init(&s->exchange, memory);
    ph_buffer_init(&s->out, memory);
    return s;
}

static void stream_free(struct ph_memory *memory, struct ph_h2_stream *s)
{
    ph_http_exchange_done(&s->exchange);
    ph_buffer_done(&s->out);
    ph_memory_give(memory, s, sizeof *s);
}

static struct ph_h2_stream *take_spare(struct ph_h2_spares *spares)
{
    struct ph_h2_stream *s = spares->first;
    if (s == NULL)
        return NULL;
    spares->first = s->next;
    if (--spares->count < spares->least)
        spares->least = spares->count;
    return s;
}

static void give_spare(struct ph_h2_spares *spares, struct ph_h2_stream *s)
{
    ph_http_exchange_clear(&s->exchange);
    ph_buffer_clear(&s->out);
    s->handled = s->remote_closed = s->ended = s->may_pass = false;
    s->unconsumed = s->head_bytes = s->trailer_count = s->out_sent = s->out_body_bytes = 0;
    s->next = spares->first;
    spares->first = s;
    spares->count++;
}

void ph_h2_spares_rest(struct ph_h2_spares *spares, struct ph_memory *memory)
{
    for (size_t unused = spares->least; unused > 0; unused--)
        stream_free(memory, take_spare(spares));
    spares->least = spares->count;
    ph_h2_memory_rest(spares, memory);
}

void ph_h2_spares_done(struct ph_h2_spares *spares, struct ph_memory *memory)
{
    spares->least = spares->count;
    ph_h2_spares_rest(spares, memory);
}

/* ---- open ones ------------------------------------------------------------------------------- */

struct ph_h2_stream *ph_h2_stream_take(struct ph_h2 *h2, int32_t id)
{
    struct ph_h2_stream *s = take_spare(h2->site->spares);
    if (s == NULL)
        s = stream_new(h2->site->memory);
    if (s == NULL)
        return NULL;
    s->h2 = h2;
    s->exchange.transport = &transport;
    s->exchange.connection = h2->connection;
    s->exchange.http2 = true;
    s->id = id;
    s->begun_ms = s->progress_ms = h2->now_ms;
    s->next = NULL;
    s->previous = h2->last;
    if (h2->last != NULL)
        h2->last->next = s;
    else
        h2->first = s;
    h2->last = s;
    h2->open_count++;
    return s;
}

static void set_held(struct ph_h2_stream *s, bool held)
{
    if (s->exchange.held != held)
        s->h2->held_count += held ? 1 : (size_t)-1;
    s->exchange.held = held;
}

static void set_stalled(struct ph_h2_stream *s, bool stalled)
{
    if (s->stalled != stalled)
        s->h2->stalled_count += stalled ? 1 : (size_t)-1;
    s->stalled = stalled;
}

static void tell_gone(struct ph_h2_stream *s)
{
    if (!s->exchange.held)
        return;
    s->h2->held_count--;
    ph_http_exchange_gone(&s->exchange);
}

static void unlink_stream(struct ph_h2 *h2, struct ph_h2_stream *s)
{
    if (s->previous != NULL)
        s->previous->next = s->next;
    else
        h2->first = s->next;
    if (s->next != NULL)
        s->next->previous = s->previous;
    else
        h2->last = s->previous;
    h2->open_count--;
    if (h2->told == s)
        h2->told = NULL;
    if (h2->passing == s)
        h2->passing = NULL;
}

void ph_h2_stream_give(struct ph_h2 *h2, struct ph_h2_stream *s)
{
    tell_gone(s);
    set_stalled(s, false);
    unlink_stream(h2, s);
    if (h2->site->spares->count < STREAMS_KEPT)
        give_spare(h2->site->spares, s);
    else
        stream_free(h2->site->memory, s);
}

void ph_h2_streams_done(struct ph_h2 *h2)
{
    while (h2->first != NULL) {
        struct ph_h2_stream *s = h2->first;
        tell_gone(s);
        unlink_stream(h2, s);
        stream_free(h2->site->memory, s);
    }
}

void ph_h2_reset(struct ph_h2 *h2, int32_t id, uint32_t why)
{
    if (nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, id, why) != 0)
        h2->failed = true;
}

/* ---- the answer ------------------------------------------------------------------------------ */

/* What nearly all answers to calls are made of: nghttp2 need not copy it. */
enum { LASTING = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE };
/* clang-format off */
#define LASTING_FIELD(name_text, value_text)                                                       \
    {                                                                                              \
        .name = (uint8_t *)(uintptr_t)(name_text), .value = (uint8_t *)(uintptr_t)(value_text),    \
        .namelen = sizeof(name_text) - 1, .valuelen = sizeof(value_text) - 1, .flags = LASTING     \
    }
/* clang-format on */
static const nghttp2_nv status_ok = LASTING_FIELD(":status", "200"),
                        grpc_type = LASTING_FIELD("content-type", "application/grpc"),
                        grpc_ok = LASTING_FIELD("grpc-status", "0"),
                        request_id = LASTING_FIELD("x-request-id", "");

static bool is_name_of(const nghttp2_nv *nv, struct ph_slice name)
{
    return ph_slice_eq(ph_slice_of(nv->name, nv->namelen), name);
}

static bool is_same(const nghttp2_nv *nv, struct ph_slice name, struct ph_slice value)
{
    return ph_slice_eq(ph_slice_of(nv->value, nv->valuelen), value) && is_name_of(nv, name);
}

/* The value is one that no later answer repeats: in the table it would push out those that come
 * again. The first id of a connection goes in all the same, for its name's sake. */
static nghttp2_nv id_field(struct ph_h2 *h2, struct ph_slice id)
{
    nghttp2_nv nv = request_id;
    nv.value = (uint8_t *)(uintptr_t)id.ptr;
    nv.valuelen = id.len;
    nv.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME;
    if (h2->id_told)
        nv.flags |= NGHTTP2_NV_FLAG_NO_INDEX;
    h2->id_told = true;
    return nv;
}

static bool is_unique(struct ph_slice name)
{
    return ph_slice_eq(name, PH_S("grpc-message")) ||
           ph_slice_eq(name, PH_S("grpc-status-details-bin"));
}

static nghttp2_nv field(struct ph_h2 *h2, struct ph_slice name, struct ph_slice value)
{
    if (is_name_of(&request_id, name))
        return id_field(h2, value);
    if (is_same(&grpc_type, name, value))
        return grpc_type;
    if (is_same(&grpc_ok, name, value))
        return grpc_ok;
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.ptr,
                        .value = (uint8_t *)(uintptr_t)value.ptr,
                        .namelen = name.len,
                        .valuelen = value.len,
                        .flags = is_unique(name) ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE};
}

static nghttp2_nv status_field(int status, char text[3])
{
    if (status == 200)
        return status_ok;
    text[0] = (char)('0' + status / 100 % 10);
    text[1] = (char)('0' + status / 10 % 10);
    text[2] = (char)('0' + status % 10);
    return (nghttp2_nv){.name = status_ok.name,
                        .value = (uint8_t *)text,
                        .namelen = status_ok.namelen,
                        .valuelen = 3,
                        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME};
}

static int submit_trailers(nghttp2_session *session, struct ph_h2_stream *s)
{
    nghttp2_nv fields[PH_TRAILERS_MAX];
    for (size_t i = 0; i < s->trailer_count; i++)
        fields[i] = field(s->h2, ph_http_span(&s->out, s->trailer_names[i]),
                          ph_http_span(&s->out, s->trailer_values[i]));
    return nghttp2_submit_trailer(session, s->id, fields, s->trailer_count);
}

static ssize_t on_source_read(nghttp2_session *session, int32_t stream_id, uint8_t *buf,
                              size_t length, uint32_t *data_flags, nghttp2_data_source *source,
                              void *user_data)
{
    (void)stream_id;
    (void)user_data;
    struct ph_h2_stream *s = source->ptr;
    size_t left = ph_h2_unsent(s);
    size_t count = left < length ? left : length;
    if (count > 0) {
        memcpy(buf, s->out.ptr + s->out_sent, count);
        s->progress_ms = s->h2->now_ms;
    }
    s->out_sent += count;
    if (!s->ended)
        return count > 0 ? (ssize_t)count : NGHTTP2_ERR_DEFERRED;
    if (s->out_sent < s->out_body_bytes)
        return (ssize_t)count;
    *data_flags |= NGHTTP2_DATA_FLAG_EOF;
    if (s->trailer_count > 0) {
        if (submit_trailers(session, s) != 0)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        *data_flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    }
    return (ssize_t)count;
}

static enum ph_status keep_body(struct ph_h2_stream *s, struct ph_slice prefix,
                                struct ph_slice body)
{
    size_t before = s->out.len;
    PH_TRY(ph_buffer_reserve(&s->out, prefix.len + body.len));
    if (ph_buffer_append(&s->out, prefix) != PH_OK || ph_buffer_append(&s->out, body) != PH_OK) {
        s->out.len = before;
        return PH_ERR_NO_MEMORY;
    }
    s->out_body_bytes = s->out.len;
    return PH_OK;
}

static enum ph_status keep_trailers(struct ph_h2_stream *s, const struct ph_header *trailers,
                                    size_t count)
{
    if (count > PH_TRAILERS_MAX)
        return PH_ERR_TOO_LARGE;
    for (size_t i = 0; i < count; i++) {
        PH_TRY(ph_http_keep(&s->out, trailers[i].name, &s->trailer_names[i]));
        PH_TRY(ph_http_keep(&s->out, trailers[i].value, &s->trailer_values[i]));
    }
    s->trailer_count = count;
    s->ended = true;
    return PH_OK;
}

static int submit(struct ph_h2_stream *s, const struct ph_http_response *response)
{
    nghttp2_nv fields[1 + RESPONSE_HEADERS_MAX];
    size_t count = 0;
    char status[3];
    fields[count++] = status_field(response->status, status);
    for (size_t i = 0; i < response->header_count && count < PH_COUNTOF(fields); i++)
        fields[count++] = field(s->h2, response->headers[i].name, response->headers[i].value);
    const nghttp2_data_provider source = {.source.ptr = s, .read_callback = on_source_read};
    bool has_more = s->out_body_bytes > 0 || s->trailer_count > 0 || response->open;
    return nghttp2_submit_response(s->h2->session, s->id, fields, count, has_more ? &source : NULL);
}

static enum ph_status abort_answer(struct ph_h2_stream *s, enum ph_status st)
{
    if (st == PH_ERR_NO_MEMORY)
        ph_count(&s->h2->site->counters->limit_memory);
    set_held(s, false);
    set_stalled(s, false);
    ph_h2_reset(s->h2, s->id, NGHTTP2_INTERNAL_ERROR);
    return st;
}

static enum ph_status respond(struct ph_h2_stream *s, const struct ph_http_response *response)
{
    s->progress_ms = s->h2->now_ms;
    struct ph_slice method = ph_http_span(&s->exchange.head, s->exchange.method);
    enum ph_status st =
        ph_slice_eq(method, PH_S("HEAD")) ? PH_OK : keep_body(s, response->prefix, response->body);
    if (st == PH_OK && !response->open)
        st = keep_trailers(s, response->trailers, response->trailer_count);
    if (st == PH_OK && submit(s, response) != 0)
        st = PH_ERR_NO_MEMORY;
    if (st != PH_OK)
        return abort_answer(s, st);
    set_held(s, response->open);
    if (!s->exchange.streams)
        ph_buffer_clear(&s->exchange.body);
    return PH_OK;
}

/* M2: the answer comes later, and the body is to be there until then. */
static void await(struct ph_h2_stream *s)
{
    enum ph_status st = ph_http_exchange_settle(&s->exchange);
    if (st == PH_OK)
        return;
    (void)abort_answer(s, st);
    s->exchange.owner->gone(s->exchange.owner, &s->exchange);
}

void ph_h2_stream_handle(struct ph_h2_stream *s)
{
    const struct ph_http_handler *handler = s->h2->site->handler;
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_http_request request;
    struct ph_http_response response = {.status = 500};
    ph_count(&s->h2->site->counters->requests_http2);
    s->handled = true;
    ph_http_exchange_request(&s->exchange, headers, &request);
    set_held(s, true);
    if (handler->handle(handler->ctx, &s->exchange, &request, &response) == PH_HTTP_LATER) {
        await(s);
        return;
    }
    s->exchange.passing = (struct ph_slice){0};
    if (respond(s, &response) != PH_OK && response.open) /* what failed has reset the stream */
        s->exchange.owner->gone(s->exchange.owner, &s->exchange);
}

/* ---- answers of many parts ------------------------------------------------------------------- */

/* What is sent makes room before more is added. */
static void compact(struct ph_h2_stream *s)
{
    enum { WORTH_MOVING = 64 * 1024 };
    if (s->out_sent < s->out.len && s->out_sent < WORTH_MOVING)
        return;
    ph_buffer_drop(&s->out, s->out_sent);
    s->out_body_bytes -= s->out_sent;
    s->out_sent = 0;
}

static void resume(struct ph_h2_stream *s)
{
    /* An error says that the stream is not waiting for data: then it reads on by itself. */
    (void)nghttp2_session_resume_data(s->h2->session, s->id);
}

static struct ph_h2_stream *of(struct ph_http_exchange *exchange)
{
    return (struct ph_h2_stream *)(void *)exchange; /* its first member */
}

static enum ph_status on_answer(struct ph_http_exchange *exchange,
                                const struct ph_http_response *response)
{
    return respond(of(exchange), response);
}

static enum ph_status on_write(struct ph_http_exchange *exchange, struct ph_slice prefix,
                               struct ph_slice body)
{
    struct ph_h2_stream *s = of(exchange);
    if (ph_h2_unsent(s) >= PH_STREAM_OUTPUT_BYTES_MAX) {
        set_stalled(s, true);
        ph_count(&s->h2->site->counters->limit_stream_output);
        return PH_ERR_AGAIN;
    }
    if (ph_h2_unsent(s) == 0)
        s->progress_ms = s->h2->now_ms;
    compact(s);
    enum ph_status st = keep_body(s, prefix, body);
    if (st != PH_OK)
        return abort_answer(s, st);
    resume(s);
    return PH_OK;
}

static void on_end(struct ph_http_exchange *exchange, const struct ph_header *trailers,
                   size_t count)
{
    struct ph_h2_stream *s = of(exchange);
    compact(s);
    enum ph_status st = keep_trailers(s, trailers, count);
    if (st != PH_OK) {
        (void)abort_answer(s, st);
        return;
    }
    set_held(s, false);
    set_stalled(s, false);
    ph_buffer_clear(&exchange->body);
    resume(s);
}

static const struct ph_http_transport transport = {
    .answer = on_answer, .write = on_write, .end = on_end};

/* Window for what was held back, once the handler goes on. */
static void consume_waiting(struct ph_h2_stream *s)
{
    if (s->unconsumed > 0 && !s->stalled &&
        nghttp2_session_consume_stream(s->h2->session, s->id, s->unconsumed) == 0)
        s->unconsumed = 0;
}

void ph_h2_stream_data(struct ph_h2_stream *s)
{
    if (!s->stalled)
        ph_http_exchange_data(&s->exchange, s->remote_closed);
    consume_waiting(s);
}

bool ph_h2_streams_wake(struct ph_h2 *h2)
{
    bool any = false;
    if (h2->stalled_count == 0)
        return false;
    for (struct ph_h2_stream *s = h2->first; s != NULL; s = s->next) {
        if (!s->stalled || ph_h2_unsent(s) >= PH_STREAM_OUTPUT_BYTES_MAX / 2)
            continue;
        set_stalled(s, false);
        ph_h2_stream_data(s);
        any = true;
    }
    return any;
}
