/* Streams gather a request; when it is complete the handler answers and nghttp2 gets a source to read
 * the answer from. Stream objects and their buffers are used again: a call costs no allocation of
 * ours once the connection is warm. */
#include "http/h2.h"

#include <nghttp2/nghttp2.h>

#include "base/limits.h"

enum {
    WINDOW_BYTES = 1024 * 1024,          /* of the connection: one round trip at 100 Mbit/s and 80 ms */
    STREAM_WINDOW_BYTES = 256 * 1024,
    STREAMS_KEPT = 16,
    RESPONSE_HEADERS_MAX = 32,
    /* A header block is decoded to its end even when it is refused; past this it is an attack. */
    HEADER_BYTES_HOPELESS = 16 * PH_HEADER_BYTES_MAX,
};

struct span {
    uint32_t start, len;
};

struct stream {
    struct stream *next, *previous; /* open ones, in order of their begin; or the spare list by next */
    int32_t id;
    int64_t begun_ms, headers_ms;
    enum ph_http_refusal refusal;
    bool complete; /* handled: later bytes are dropped */
    bool remote_closed;
    struct ph_buffer head, body, out;
    struct span method, target;
    struct span names[PH_HEADERS_MAX], values[PH_HEADERS_MAX];
    size_t header_count, head_bytes;
    size_t out_body_bytes, out_sent; /* `out` is the body, then the trailers' texts */
    struct span trailer_names[PH_TRAILERS_MAX], trailer_values[PH_TRAILERS_MAX];
    size_t trailer_count;
};

struct ph_h2 {
    nghttp2_session *session;
    struct ph_memory *memory;
    const struct ph_http_handler *handler;
    struct ph_buffer *out;
    struct stream *first, *last, *spare;
    size_t open_count, spare_count;
    int64_t now_ms;
    int reset_credit;
    bool failed;
};

/* ---- streams ----------------------------------------------------------------------------------- */

static struct stream *stream_take(struct ph_h2 *h2, int32_t id)
{
    struct stream *s = h2->spare;
    if (s != NULL) {
        h2->spare = s->next;
        h2->spare_count--;
    } else {
        s = ph_memory_take(h2->memory, sizeof *s);
        if (s == NULL)
            return NULL;
        ph_buffer_init(&s->head, h2->memory);
        ph_buffer_init(&s->body, h2->memory);
        ph_buffer_init(&s->out, h2->memory);
    }
    s->id = id;
    s->begun_ms = h2->now_ms;
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

static void stream_free(struct ph_h2 *h2, struct stream *s)
{
    ph_buffer_done(&s->head);
    ph_buffer_done(&s->body);
    ph_buffer_done(&s->out);
    ph_memory_give(h2->memory, s, sizeof *s);
}

static void stream_unlink(struct ph_h2 *h2, struct stream *s)
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
}

static void stream_give(struct ph_h2 *h2, struct stream *s)
{
    stream_unlink(h2, s);
    if (h2->spare_count == STREAMS_KEPT) {
        stream_free(h2, s);
        return;
    }
    ph_buffer_clear(&s->head);
    ph_buffer_clear(&s->body);
    ph_buffer_clear(&s->out);
    s->refusal = PH_HTTP_FINE;
    s->complete = s->remote_closed = false;
    s->method = s->target = (struct span){0};
    s->header_count = s->head_bytes = s->trailer_count = s->out_sent = s->out_body_bytes = 0;
    s->headers_ms = 0;
    s->next = h2->spare;
    h2->spare = s;
    h2->spare_count++;
}

static struct stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* Appends `bytes` and says where they are. */
static enum ph_status put(struct ph_buffer *buffer, struct ph_slice bytes, struct span *ret)
{
    size_t start = buffer->len;
    PH_TRY(ph_buffer_append(buffer, bytes));
    *ret = (struct span){.start = (uint32_t)start, .len = (uint32_t)bytes.len};
    return PH_OK;
}

static struct ph_slice span_slice(const struct ph_buffer *buffer, struct span span)
{
    return ph_slice_of(span.len > 0 ? buffer->ptr + span.start : "", span.len);
}

/* ---- the answer -------------------------------------------------------------------------------- */

static nghttp2_nv field(struct ph_slice name, struct ph_slice value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.ptr,
                        .value = (uint8_t *)(uintptr_t)value.ptr,
                        .namelen = name.len,
                        .valuelen = value.len};
}

static int submit_trailers(nghttp2_session *session, struct stream *s)
{
    nghttp2_nv fields[PH_TRAILERS_MAX];
    for (size_t i = 0; i < s->trailer_count; i++)
        fields[i] = field(span_slice(&s->out, s->trailer_names[i]),
                          span_slice(&s->out, s->trailer_values[i]));
    return nghttp2_submit_trailer(session, s->id, fields, s->trailer_count);
}

static ssize_t on_source_read(nghttp2_session *session, int32_t stream_id, uint8_t *buf,
                              size_t length, uint32_t *data_flags, nghttp2_data_source *source,
                              void *user_data)
{
    (void)stream_id;
    (void)user_data;
    struct stream *s = source->ptr;
    size_t left = s->out_body_bytes - s->out_sent;
    size_t count = left < length ? left : length;
    if (count > 0)
        memcpy(buf, s->out.ptr + s->out_sent, count);
    s->out_sent += count;
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

static enum ph_status keep_answer(struct stream *s, const struct ph_http_response *response)
{
    if (response->trailer_count > PH_TRAILERS_MAX)
        return PH_ERR_TOO_LARGE;
    PH_TRY(ph_buffer_reserve(&s->out, response->prefix.len + response->body.len));
    PH_TRY(ph_buffer_append(&s->out, response->prefix));
    PH_TRY(ph_buffer_append(&s->out, response->body));
    s->out_body_bytes = s->out.len;
    for (size_t i = 0; i < response->trailer_count; i++) {
        PH_TRY(put(&s->out, response->trailers[i].name, &s->trailer_names[i]));
        PH_TRY(put(&s->out, response->trailers[i].value, &s->trailer_values[i]));
    }
    s->trailer_count = response->trailer_count;
    return PH_OK;
}

static int submit(struct ph_h2 *h2, struct stream *s, const struct ph_http_response *response)
{
    nghttp2_nv fields[1 + RESPONSE_HEADERS_MAX];
    size_t count = 0;
    const char status[] = {(char)('0' + response->status / 100 % 10),
                           (char)('0' + response->status / 10 % 10),
                           (char)('0' + response->status % 10)};
    fields[count++] = field(PH_S(":status"), ph_slice_of(status, sizeof status));
    for (size_t i = 0; i < response->header_count && count < PH_COUNTOF(fields); i++)
        fields[count++] = field(response->headers[i].name, response->headers[i].value);
    const nghttp2_data_provider source = {.source.ptr = s, .read_callback = on_source_read};
    bool has_more = s->out_body_bytes > 0 || s->trailer_count > 0;
    return nghttp2_submit_response(h2->session, s->id, fields, count, has_more ? &source : NULL);
}

static void reset(struct ph_h2 *h2, int32_t id, uint32_t why)
{
    if (nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, id, why) != 0)
        h2->failed = true;
}

static void handle(struct ph_h2 *h2, struct stream *s)
{
    struct ph_header headers[PH_HEADERS_MAX];
    s->complete = true;
    for (size_t i = 0; i < s->header_count; i++)
        headers[i] = (struct ph_header){.name = span_slice(&s->head, s->names[i]),
                                        .value = span_slice(&s->head, s->values[i])};
    const struct ph_http_request request = {
        .method = span_slice(&s->head, s->method),
        .target = span_slice(&s->head, s->target),
        .headers = headers,
        .header_count = s->header_count,
        .body = ph_slice_of(s->body.ptr != NULL ? s->body.ptr : "", s->body.len),
        .headers_ms = s->headers_ms,
        .http2 = true,
        .refusal = s->refusal,
    };
    struct ph_http_response response = {.status = 500};
    h2->handler->handle(h2->handler->ctx, &request, &response);
    ph_buffer_clear(&s->body);
    if (keep_answer(s, &response) != PH_OK || submit(h2, s, &response) != 0)
        reset(h2, s->id, NGHTTP2_INTERNAL_ERROR);
}

/* ---- what nghttp2 tells us --------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct ph_h2 *h2 = user_data;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct stream *s = stream_take(h2, frame->hd.stream_id);
    if (s == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return nghttp2_session_set_stream_user_data(session, s->id, s) == 0
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static enum ph_status keep_header(struct stream *s, struct ph_slice name, struct ph_slice value)
{
    if (ph_slice_eq(name, PH_S(":method")))
        return put(&s->head, value, &s->method);
    if (ph_slice_eq(name, PH_S(":path")))
        return put(&s->head, value, &s->target);
    if (name.len > 0 && name.ptr[0] == ':')
        return PH_OK;
    if (s->header_count == PH_HEADERS_MAX)
        return PH_ERR_TOO_LARGE;
    PH_TRY(put(&s->head, name, &s->names[s->header_count]));
    PH_TRY(put(&s->head, value, &s->values[s->header_count]));
    s->header_count++;
    return PH_OK;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data)
{
    (void)flags;
    (void)user_data;
    struct stream *s = stream_of(session, frame->hd.stream_id);
    if (s == NULL)
        return 0;
    s->head_bytes += name_len + value_len + 32; /* as RFC 9113 §6.5.2 counts */
    if (s->head_bytes > HEADER_BYTES_HOPELESS)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST || s->refusal != PH_HTTP_FINE)
        return 0; /* a client's trailers mean nothing to us */
    if (s->head_bytes > PH_HEADER_BYTES_MAX) {
        s->refusal = PH_HTTP_HEADERS_TOO_LARGE;
        return 0;
    }
    enum ph_status st = keep_header(s, ph_slice_of(name, name_len), ph_slice_of(value, value_len));
    if (st == PH_ERR_TOO_LARGE)
        s->refusal = PH_HTTP_HEADERS_TOO_LARGE;
    else if (st != PH_OK)
        s->refusal = PH_HTTP_NO_ROOM;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t len, void *user_data)
{
    (void)flags;
    struct ph_h2 *h2 = user_data;
    struct stream *s = stream_of(session, stream_id);
    if (s == NULL || s->complete)
        return 0;
    if (len > PH_MESSAGE_BYTES_MAX - s->body.len)
        s->refusal = PH_HTTP_BODY_TOO_LARGE;
    else if (ph_buffer_append(&s->body, ph_slice_of(data, len)) != PH_OK)
        s->refusal = PH_HTTP_NO_ROOM;
    if (s->refusal != PH_HTTP_FINE)
        handle(h2, s);
    return 0;
}

static int on_reset(struct ph_h2 *h2)
{
    if (--h2->reset_credit >= 0)
        return 0;
    return nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM) == 0
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct ph_h2 *h2 = user_data;
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        return on_reset(h2);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct stream *s = stream_of(session, frame->hd.stream_id);
    if (s == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        s->headers_ms = h2->now_ms;
    bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    s->remote_closed |= ended;
    if (!s->complete && (ended || s->refusal != PH_HTTP_FINE))
        handle(h2, s);
    return 0;
}

/* An answer that ended before its request did: the rest need not be sent (RFC 9113 §8.1). */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct ph_h2 *h2 = user_data;
    if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    struct stream *s = stream_of(session, frame->hd.stream_id);
    if (s != NULL && !s->remote_closed)
        reset(h2, s->id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *user_data)
{
    struct ph_h2 *h2 = user_data;
    struct stream *s = stream_of(session, stream_id);
    if (s == NULL)
        return 0;
    if (error_code == NGHTTP2_NO_ERROR && h2->reset_credit < PH_RESETS_MAX)
        h2->reset_credit++;
    (void)nghttp2_session_set_stream_user_data(session, stream_id, NULL);
    stream_give(h2, s);
    return 0;
}

/* ---- the connection ---------------------------------------------------------------------------- */

static nghttp2_session_callbacks *new_callbacks(void)
{
    nghttp2_session_callbacks *callbacks = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    return callbacks;
}

static int new_session(struct ph_h2 *h2)
{
    nghttp2_session_callbacks *callbacks = new_callbacks();
    nghttp2_option *option = NULL;
    int rc = callbacks != NULL ? nghttp2_option_new(&option) : NGHTTP2_ERR_NOMEM;
    if (rc == 0) {
        nghttp2_option_set_max_settings(option, 16);
        nghttp2_option_set_max_outbound_ack(option, 256);
        nghttp2_option_set_no_closed_streams(option, 1);
        rc = nghttp2_session_server_new2(&h2->session, callbacks, h2, option);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return rc;
}

static int send_settings(struct ph_h2 *h2)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, PH_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, PH_HEADER_BYTES_MAX},
    };
    int rc = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, PH_COUNTOF(settings));
    if (rc != 0)
        return rc;
    return nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES);
}

struct ph_h2 *ph_h2_new(struct ph_memory *memory, const struct ph_http_handler *handler,
                        struct ph_buffer *out)
{
    struct ph_h2 *h2 = ph_memory_take(memory, sizeof *h2);
    if (h2 == NULL)
        return NULL;
    h2->memory = memory;
    h2->handler = handler;
    h2->out = out;
    h2->reset_credit = PH_RESETS_MAX;
    if (new_session(h2) != 0 || send_settings(h2) != 0) {
        ph_h2_free(h2);
        return NULL;
    }
    return h2;
}

void ph_h2_free(struct ph_h2 *h2)
{
    if (h2 == NULL)
        return;
    nghttp2_session_del(h2->session);
    while (h2->first != NULL) {
        struct stream *s = h2->first;
        stream_unlink(h2, s);
        stream_free(h2, s);
    }
    while (h2->spare != NULL) {
        struct stream *s = h2->spare;
        h2->spare = s->next;
        stream_free(h2, s);
    }
    ph_memory_give(h2->memory, h2, sizeof *h2);
}

enum ph_status ph_h2_feed(struct ph_h2 *h2, struct ph_slice bytes, int64_t now_ms)
{
    h2->now_ms = now_ms;
    ssize_t used = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes.ptr, bytes.len);
    return used < 0 || h2->failed ? PH_ERR_MALFORMED : PH_OK;
}

enum ph_status ph_h2_flush(struct ph_h2 *h2, size_t out_max)
{
    while (h2->out->len < out_max) {
        const uint8_t *bytes = NULL;
        ssize_t len = nghttp2_session_mem_send(h2->session, &bytes);
        if (len < 0)
            return PH_ERR_NO_MEMORY;
        if (len == 0)
            return PH_OK;
        PH_TRY(ph_buffer_append(h2->out, ph_slice_of(bytes, (size_t)len)));
    }
    return PH_OK;
}

bool ph_h2_finished(const struct ph_h2 *h2)
{
    return nghttp2_session_want_read(h2->session) == 0 &&
           nghttp2_session_want_write(h2->session) == 0;
}

size_t ph_h2_open_streams(const struct ph_h2 *h2)
{
    return h2->open_count;
}

void ph_h2_drain(struct ph_h2 *h2)
{
    int32_t last = nghttp2_session_get_last_proc_stream_id(h2->session);
    if (nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0) != 0)
        h2->failed = true;
}

void ph_h2_expire(struct ph_h2 *h2, int64_t before_ms)
{
    for (struct stream *s = h2->first; s != NULL && s->begun_ms < before_ms; s = s->next)
        if (!s->complete || s->begun_ms < before_ms - PH_WRITE_STALL_MS) {
            s->complete = true;
            reset(h2, s->id, NGHTTP2_CANCEL);
        }
}
