/* What nghttp2 tells us, and the connection as a whole. Streams gather a request; when it is
 * complete the handler answers and nghttp2 gets a source to read the answer from. */
#include "http/h2_private.h"

#include "http/grpc.h"

enum {
    WINDOW_BYTES = 1024 * 1024, /* of the connection: one round trip at 100 Mbit/s and 80 ms */
    STREAM_WINDOW_BYTES = 256 * 1024,
    /* What a frame that carries something earns in control frames: acknowledgements and windows. */
    CREDIT_PER_FRAME = 4,
};

/* What nghttp2 tells is of one stream many times over: the one it told of last is looked at first.
 */
static struct ph_h2_stream *stream_of(struct ph_h2 *h2, int32_t id)
{
    if (h2->told == NULL || h2->told->id != id)
        h2->told = nghttp2_session_get_stream_user_data(h2->session, id);
    return h2->told;
}

/* ---- frames that ask for work ---------------------------------------------------------------- */

static void earn(int *credit, int by, int max)
{
    *credit = *credit + by < max ? *credit + by : max;
}

static int send_away(struct ph_h2 *h2, _Atomic uint64_t *counter, struct ph_slice why)
{
    ph_count(counter);
    int32_t last = nghttp2_session_get_last_proc_stream_id(h2->session);
    if (nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_ENHANCE_YOUR_CALM,
                              (const uint8_t *)why.ptr, why.len) != 0 ||
        nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    return 0;
}

/* "too_many_pings" is what gRPC clients know: they ask less often after it (gRFC A8). */
static int on_control_frame(struct ph_h2 *h2)
{
    if (h2->control_credit < 0)
        return 0; /* already sent away */
    if (--h2->control_credit >= 0)
        return 0;
    return send_away(h2, &h2->site->counters->limit_control_frames, PH_S("too_many_pings"));
}

static int on_reset(struct ph_h2 *h2)
{
    if (h2->reset_credit < 0)
        return 0;
    if (--h2->reset_credit >= 0)
        return 0;
    return send_away(h2, &h2->site->counters->limit_resets, PH_S("too many resets"));
}

static bool is_control(const nghttp2_frame *frame)
{
    switch (frame->hd.type) {
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS:
        return (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0;
    case NGHTTP2_PRIORITY:
    case NGHTTP2_WINDOW_UPDATE:
        return true;
    case NGHTTP2_DATA:
        return frame->hd.length == 0 && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    default:
        return false;
    }
}

/* ---- what nghttp2 tells us ------------------------------------------------------------------- */

/* RFC 9113 §5.1.1: ids only grow. nghttp2 takes any smaller one for a stream it has forgotten, and
 * passes over it; those that were skipped it cannot have forgotten. */
static void note_id(struct ph_h2 *h2, int32_t id)
{
    if (id > h2->last_id + 2) {
        h2->gap_first = h2->last_id + (h2->last_id == 0 ? 1 : 2);
        h2->gap_last = id - 2;
    }
    h2->last_id = id;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user_data)
{
    struct ph_h2 *h2 = user_data;
    if (hd->type != NGHTTP2_HEADERS || hd->stream_id < h2->gap_first ||
        hd->stream_id > h2->gap_last)
        return 0;
    ph_count(&h2->site->counters->malformed);
    return nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR) == 0
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    struct ph_h2 *h2 = user_data;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    note_id(h2, frame->hd.stream_id);
    struct ph_h2_stream *s = ph_h2_stream_take(h2, frame->hd.stream_id);
    if (s == NULL) {
        ph_count(&h2->site->counters->limit_memory);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return nghttp2_session_set_stream_user_data(session, s->id, s) == 0
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static enum ph_status keep_header(struct ph_http_exchange *x, size_t headers_max,
                                  struct ph_slice name, struct ph_slice value)
{
    if (name.len > 0 && name.ptr[0] == ':') {
        if (ph_slice_eq(name, PH_S(":method")))
            return ph_http_keep(&x->head, value, &x->method);
        if (ph_slice_eq(name, PH_S(":path")))
            return ph_http_keep(&x->head, value, &x->target);
        return PH_OK;
    }
    if (x->field_count >= headers_max)
        return PH_ERR_TOO_LARGE;
    return ph_http_keep_header(x, name, value);
}

static void refuse(struct ph_h2_stream *s, enum ph_http_refusal why)
{
    struct ph_counters *counters = s->h2->site->counters;
    if (s->exchange.refusal != PH_HTTP_FINE)
        return;
    s->exchange.refusal = why;
    ph_count(why == PH_HTTP_BODY_TOO_LARGE      ? &counters->limit_body_bytes
             : why == PH_HTTP_HEADERS_TOO_LARGE ? &counters->limit_head_bytes
                                                : &counters->limit_memory);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user_data)
{
    (void)session, (void)flags;
    struct ph_h2 *h2 = user_data;
    struct ph_h2_stream *s = stream_of(h2, frame->hd.stream_id);
    if (s == NULL)
        return 0;
    s->head_bytes += name_len + value_len + 32; /* as RFC 9113 §6.5.2 counts */
    if (s->head_bytes > PH_HEADER_BLOCK_BYTES_MAX) {
        ph_count(&h2->site->counters->limit_header_block);
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST || s->exchange.refusal != PH_HTTP_FINE)
        return 0; /* a client's trailers mean nothing to us */
    if (s->head_bytes > h2->site->limits->header_bytes) {
        refuse(s, PH_HTTP_HEADERS_TOO_LARGE);
        return 0;
    }
    enum ph_status st = keep_header(&s->exchange, h2->site->limits->headers,
                                    ph_slice_of(name, name_len), ph_slice_of(value, value_len));
    if (st != PH_OK)
        refuse(s, st == PH_ERR_TOO_LARGE ? PH_HTTP_HEADERS_TOO_LARGE : PH_HTTP_NO_ROOM);
    return 0;
}

/* What passes is not to be waited for any longer. */
static void settle(struct ph_h2 *h2)
{
    struct ph_h2_stream *s = h2->passing;
    h2->passing = NULL;
    if (s == NULL || s->handled || ph_http_exchange_settle(&s->exchange) == PH_OK)
        return;
    refuse(s, PH_HTTP_NO_ROOM);
    ph_h2_stream_handle(s);
}

/* The first piece passes until another comes, of this body or of another's. */
static void take_body(struct ph_h2_stream *s, struct ph_slice bytes)
{
    struct ph_h2 *h2 = s->h2;
    struct ph_buffer *body = &s->exchange.body;
    settle(h2);
    if (s->exchange.refusal != PH_HTTP_FINE)
        return; /* that was its body, and there was no room */
    if (bytes.len > PH_MESSAGE_BYTES_MAX - body->len) {
        refuse(s, PH_HTTP_BODY_TOO_LARGE);
    } else if (s->may_pass && body->len == 0) {
        s->exchange.passing = bytes;
        h2->passing = s;
    } else if (ph_buffer_append(body, bytes) != PH_OK) {
        refuse(s, PH_HTTP_NO_ROOM);
    }
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t len, void *user_data)
{
    (void)flags;
    struct ph_h2_stream *s = stream_of(user_data, stream_id);
    bool in_parts = s != NULL && s->exchange.streams && s->exchange.held;
    if (in_parts || (s != NULL && !s->handled))
        take_body(s, ph_slice_of(data, len));
    if (in_parts && s->stalled) { /* no window for more until the handler goes on */
        s->unconsumed += len;
        return nghttp2_session_consume_connection(session, len) == 0 ? 0
                                                                     : NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (nghttp2_session_consume(session, stream_id, len) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (in_parts)
        ph_h2_stream_data(s);
    else if (s != NULL && !s->handled && s->exchange.refusal != PH_HTTP_FINE)
        ph_h2_stream_handle(s);
    return 0;
}

static bool wants_parts(const struct ph_h2_stream *s)
{
    const struct ph_http_handler *handler = s->h2->site->handler;
    return handler->streams != NULL && s->exchange.refusal == PH_HTTP_FINE &&
           handler->streams(handler->ctx, ph_http_span(&s->exchange.head, s->exchange.target));
}

static bool may_pass(const struct ph_h2_stream *s)
{
    const struct ph_http_handler *handler = s->h2->site->handler;
    return handler->passes != NULL &&
           handler->passes(handler->ctx, ph_http_span(&s->exchange.head, s->exchange.target));
}

static void on_request_frame(struct ph_h2_stream *s, bool is_head, bool ended)
{
    s->remote_closed |= ended;
    if (is_head) {
        s->exchange.headers_ms = s->h2->now_ms;
        s->exchange.streams = wants_parts(s);
        s->may_pass = !s->exchange.streams && may_pass(s);
        if (s->exchange.streams)
            ph_h2_stream_handle(s);
    }
    if (!s->handled && (ended || s->exchange.refusal != PH_HTTP_FINE))
        ph_h2_stream_handle(s);
    else if (ended && s->exchange.streams)
        ph_h2_stream_data(s);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    (void)session;
    struct ph_h2 *h2 = user_data;
    if (is_control(frame))
        return on_control_frame(h2);
    if (frame->hd.type == NGHTTP2_RST_STREAM)
        return on_reset(h2);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    if (h2->control_credit >= 0)
        earn(&h2->control_credit, CREDIT_PER_FRAME, PH_CONTROL_FRAMES_MAX);
    struct ph_h2_stream *s = stream_of(h2, frame->hd.stream_id);
    if (s == NULL)
        return 0;
    bool is_head = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    on_request_frame(s, is_head, (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0);
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *user_data)
{
    (void)session, (void)error;
    struct ph_h2 *h2 = user_data;
    bool refused = frame->hd.type == NGHTTP2_HEADERS && h2->open_count >= PH_STREAMS_MAX;
    ph_count(refused ? &h2->site->counters->limit_streams : &h2->site->counters->malformed);
    return 0;
}

/* An answer that ended before its request did: the rest need not be sent (RFC 9113 §8.1). */
/* A stream that we reset for what the client did in it cost as much as one that it reset itself,
 * and frees its place as soon (CVE-2025-8671). */
static bool is_for_the_clients_fault(const nghttp2_frame *frame)
{
    return frame->hd.type == NGHTTP2_RST_STREAM &&
           (frame->rst_stream.error_code == NGHTTP2_PROTOCOL_ERROR ||
            frame->rst_stream.error_code == NGHTTP2_FLOW_CONTROL_ERROR ||
            frame->rst_stream.error_code == NGHTTP2_STREAM_CLOSED ||
            frame->rst_stream.error_code == NGHTTP2_FRAME_SIZE_ERROR);
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user_data)
{
    (void)session;
    struct ph_h2 *h2 = user_data;
    if (is_for_the_clients_fault(frame))
        return on_reset(h2);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    if (h2->control_credit >= 0)
        earn(&h2->control_credit, CREDIT_PER_FRAME, PH_CONTROL_FRAMES_MAX);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    struct ph_h2_stream *s = stream_of(h2, frame->hd.stream_id);
    if (s != NULL && !s->remote_closed)
        ph_h2_reset(h2, s->id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *user_data)
{
    struct ph_h2 *h2 = user_data;
    struct ph_h2_stream *s = stream_of(h2, stream_id);
    if (s == NULL)
        return 0;
    if (error_code == NGHTTP2_NO_ERROR && h2->reset_credit >= 0)
        earn(&h2->reset_credit, 1, PH_RESETS_MAX);
    (void)nghttp2_session_set_stream_user_data(session, stream_id, NULL);
    ph_h2_stream_give(h2, s);
    return 0;
}

/* ---- the connection -------------------------------------------------------------------------- */

static nghttp2_session_callbacks *new_callbacks(void)
{
    nghttp2_session_callbacks *callbacks = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
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
        nghttp2_option_set_max_continuations(option, PH_CONTINUATIONS_MAX);
        nghttp2_option_set_max_outbound_ack(option, 1000); /* control_credit is met first */
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_mem memory = ph_h2_memory(h2->site);
        rc = nghttp2_session_server_new3(&h2->session, callbacks, h2, option, &memory);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return rc;
}

static int send_settings(struct ph_h2 *h2)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, PH_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)h2->site->limits->header_bytes},
    };
    int rc =
        nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, PH_COUNTOF(settings));
    if (rc != 0)
        return rc;
    return nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, WINDOW_BYTES);
}

struct ph_h2 *ph_h2_new(const struct ph_http_site *site, void *connection, struct ph_buffer *out)
{
    struct ph_h2 *h2 = ph_memory_take(site->memory, sizeof *h2);
    if (h2 == NULL)
        return NULL;
    h2->site = site;
    h2->connection = connection;
    h2->out = out;
    h2->reset_credit = PH_RESETS_MAX;
    h2->control_credit = PH_CONTROL_FRAMES_MAX;
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
    ph_h2_streams_done(h2);
    ph_memory_give(h2->site->memory, h2, sizeof *h2);
}

/* base64url without padding (RFC 4648 §5); SIZE_MAX: it is none, or too long. */
static size_t decode_settings(struct ph_slice text, uint8_t *ret, size_t room)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    size_t count = 0, held = 0;
    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
        const char *at = memchr(alphabet, text.ptr[i], sizeof alphabet - 1);
        if (at == NULL || count == room)
            return SIZE_MAX;
        bits = bits << 6 | (uint32_t)(at - alphabet);
        held += 6;
        if (held >= 8) {
            held -= 8;
            ret[count++] = (uint8_t)(bits >> held);
        }
    }
    return count;
}

enum ph_status ph_h2_upgrade(struct ph_h2 *h2, struct ph_http_exchange *request,
                             struct ph_slice settings, int64_t now_ms)
{
    enum { SETTINGS_BYTES_MAX = 16 * 6 };
    uint8_t payload[SETTINGS_BYTES_MAX + 1];
    size_t len = decode_settings(settings, payload, sizeof payload);
    bool is_head = ph_slice_eq(ph_http_span(&request->head, request->method), PH_S("HEAD"));
    h2->now_ms = now_ms;
    if (len > SETTINGS_BYTES_MAX)
        return PH_ERR_MALFORMED;
    h2->last_id = 1;
    struct ph_h2_stream *s = ph_h2_stream_take(h2, 1);
    if (s == NULL)
        return PH_ERR_NO_MEMORY;
    if (nghttp2_session_upgrade2(h2->session, payload, len, is_head, s) != 0)
        return PH_ERR_MALFORMED;
    struct ph_http_exchange *x = &s->exchange;
    ph_http_take_bytes(request, &x->head, &x->body);
    x->method = request->method;
    x->target = request->target;
    x->field_count = request->field_count;
    memcpy(x->fields, request->fields, sizeof x->fields);
    x->headers_ms = now_ms;
    s->remote_closed = true;
    ph_h2_stream_handle(s);
    return PH_OK;
}

enum ph_status ph_h2_feed(struct ph_h2 *h2, struct ph_slice bytes, int64_t now_ms)
{
    h2->now_ms = now_ms;
    int64_t seconds = (now_ms - h2->credit_ms) / 1000;
    if (seconds > 0 && h2->control_credit >= 0) {
        earn(&h2->control_credit,
             seconds < PH_CONTROL_FRAMES_MAX ? (int)seconds : PH_CONTROL_FRAMES_MAX,
             PH_CONTROL_FRAMES_MAX);
        h2->credit_ms = now_ms;
    }
    ssize_t used = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes.ptr, bytes.len);
    settle(h2); /* these bytes are the caller's again */
    if (used >= 0 && !h2->failed)
        return PH_OK;
    ph_count(used == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS ? &h2->site->counters->limit_header_block
                                                        : &h2->site->counters->malformed);
    return PH_ERR_MALFORMED;
}

enum ph_status ph_h2_flush(struct ph_h2 *h2, size_t out_max)
{
    while (h2->out->len < out_max) {
        const uint8_t *bytes = NULL;
        ssize_t len = nghttp2_session_mem_send(h2->session, &bytes);
        if (len < 0)
            return PH_ERR_NO_MEMORY;
        if (len > 0)
            PH_TRY(ph_buffer_append(h2->out, ph_slice_of(bytes, (size_t)len)));
        else if (!ph_h2_streams_wake(h2))
            return PH_OK;
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

size_t ph_h2_held(const struct ph_h2 *h2)
{
    return h2->held_count;
}

void ph_h2_drain(struct ph_h2 *h2)
{
    if (h2->drain_step == 2)
        return;
    int rc = h2->drain_step == 0
                 ? nghttp2_submit_shutdown_notice(h2->session)
                 : nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE,
                                         nghttp2_session_get_last_proc_stream_id(h2->session),
                                         NGHTTP2_NO_ERROR, NULL, 0);
    h2->drain_step++;
    if (rc != 0)
        h2->failed = true;
}

bool ph_h2_drained(const struct ph_h2 *h2)
{
    return h2->drain_step == 2;
}

/* A head in many CONTINUATIONs, or a body, that takes too long. *ret_counter: which. */
static bool is_slow(const struct ph_h2_stream *s, int64_t now_ms, _Atomic uint64_t **ret_counter)
{
    const struct ph_http_site *site = s->h2->site;
    bool in_head = s->exchange.headers_ms == 0;
    *ret_counter = in_head ? &site->counters->limit_head_time : &site->counters->limit_body_time;
    int64_t begun_ms = in_head ? s->begun_ms : s->exchange.headers_ms;
    return !s->handled &&
           begun_ms < now_ms - (in_head ? site->limits->head_ms : site->limits->body_ms);
}

/* A call whose own deadline is over while it comes in. Looked for here alone, once a second: of
 * nearly all calls the whole has come long before. */
static bool is_late(struct ph_h2_stream *s, int64_t now_ms)
{
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_http_request request;
    int64_t timeout_ms;
    if (s->handled || s->exchange.headers_ms == 0)
        return false;
    ph_http_exchange_request(&s->exchange, headers, &request);
    struct ph_slice text = ph_http_header(&request, PH_S("grpc-timeout"));
    return ph_slice_present(text) && ph_grpc_timeout_ms(text, &timeout_ms) &&
           now_ms - s->exchange.headers_ms >= timeout_ms;
}

void ph_h2_expire(struct ph_h2 *h2, int64_t now_ms)
{
    _Atomic uint64_t *slow_counter;
    h2->now_ms = now_ms;
    for (struct ph_h2_stream *s = h2->first; s != NULL; s = s->next) {
        if (is_late(s, now_ms)) {
            s->exchange.refusal = PH_HTTP_TOO_LATE;
            ph_count(&h2->site->counters->limit_deadline);
            ph_h2_stream_handle(s);
            continue;
        }
        bool slow = is_slow(s, now_ms, &slow_counter);
        bool stuck = ph_h2_unsent(s) > 0 && s->progress_ms < now_ms - PH_WRITE_STALL_MS;
        if (!slow && !stuck)
            continue;
        ph_count(slow ? slow_counter : &h2->site->counters->limit_write_stall);
        s->handled = true;
        s->progress_ms = now_ms;
        ph_h2_reset(h2, s->id, NGHTTP2_CANCEL);
    }
}

void ph_h2_ping(struct ph_h2 *h2)
{
    if (nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        h2->failed = true;
}
