/* HTTP/2 as a machine over bytes, with a client of nghttp2's own on the other side and no socket
 * between. */
#include "http_fixture.h"

#include <nghttp2/nghttp2.h>

#include "http/h2.h"

struct client {
    nghttp2_session *session;
    char body[64 * 1024];
    size_t body_len;
    int statuses[SEEN_MAX]; /* by stream id / 2 */
    uint32_t closed[SEEN_MAX];
    int closed_count, goaway_count, trailer_count;
    uint32_t goaway_error;
    char goaway_text[64];
    struct ph_slice upload;
    size_t uploaded;
    bool upload_stays_open;
};

static struct ph_h2 *h2;
static struct client client;
static int64_t now_ms;

static int c_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                    size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                    void *user)
{
    (void)session, (void)flags, (void)user;
    if (frame->headers.cat != NGHTTP2_HCAT_RESPONSE)
        client.trailer_count++;
    else if (ph_slice_eq(ph_slice_of(name, name_len), PH_S(":status")))
        client.statuses[frame->hd.stream_id / 2] =
            (value[0] - '0') * 100 + (value[1] - '0') * 10 + value[2] - '0';
    (void)value_len;
    return 0;
}

static int c_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                  size_t len, void *user)
{
    (void)session, (void)flags, (void)id, (void)user;
    size_t room = sizeof client.body - client.body_len;
    memcpy(client.body + client.body_len, data, len < room ? len : room);
    client.body_len += len < room ? len : room;
    return 0;
}

static int c_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    (void)session, (void)user;
    client.closed[id / 2] = error;
    client.closed_count++;
    return 0;
}

static int c_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session, (void)user;
    if (frame->hd.type != NGHTTP2_GOAWAY)
        return 0;
    client.goaway_count++;
    client.goaway_error = frame->goaway.error_code;
    size_t len = frame->goaway.opaque_data_len;
    if (len > 0 && len < sizeof client.goaway_text)
        memcpy(client.goaway_text, frame->goaway.opaque_data, len);
    return 0;
}

static ssize_t c_upload(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
                        uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session, (void)id, (void)source, (void)user;
    size_t left = client.upload.len - client.uploaded, count = left < len ? left : len;
    if (count > 0)
        memcpy(buf, client.upload.ptr + client.uploaded, count);
    client.uploaded += count;
    if (client.uploaded == client.upload.len && !client.upload_stays_open)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    else if (count == 0)
        return NGHTTP2_ERR_DEFERRED;
    return (ssize_t)count;
}

static void open_h2(bool manual_window)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    memset(&client, 0, sizeof client);
    now_ms = 1000;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, manual_window);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, c_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, c_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, c_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, c_frame);
    nghttp2_session_client_new2(&client.session, callbacks, NULL, option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    nghttp2_submit_settings(client.session, 0, NULL, 0);
    h2 = ph_h2_new(&fixture->site, NULL, &fixture->out);
    assert_non_null(h2);
}

static void close_h2(void)
{
    ph_h2_free(h2);
    nghttp2_session_del(client.session);
    h2 = NULL;
}

static void server_to_client(void)
{
    assert_int_equal(ph_h2_flush(h2, 1 << 20), PH_OK);
    struct ph_slice bytes = ph_buffer_slice(&fixture->out);
    if (bytes.len > 0)
        assert_true(
            nghttp2_session_mem_recv(client.session, (const uint8_t *)bytes.ptr, bytes.len) >= 0);
    fixture->out.len = 0;
}

/* Moves bytes both ways until nobody has more; `piece`: how many at a time the server gets. */
static enum ph_status exchange_bytes(size_t piece)
{
    for (;;) {
        const uint8_t *bytes;
        server_to_client();
        ssize_t len = nghttp2_session_mem_send(client.session, &bytes);
        assert_true(len >= 0);
        if (len == 0)
            return PH_OK;
        for (size_t at = 0; at < (size_t)len; at += piece) {
            size_t left = (size_t)len - at;
            enum ph_status st =
                ph_h2_feed(h2, ph_slice_of(bytes + at, left < piece ? left : piece), now_ms);
            if (st != PH_OK)
                return st;
        }
    }
}

/* clang-format off */
#define NV(n, v) {(uint8_t *)(uintptr_t)(n), (uint8_t *)(uintptr_t)(v), sizeof(n) - 1, strlen(v), 0}
/* clang-format on */

static int32_t request(const char *path, struct ph_slice upload)
{
    const nghttp2_nv fields[] = {NV(":method", "POST"), NV(":scheme", "http"), NV(":path", path),
                                 NV(":authority", "x")};
    const nghttp2_data_provider source = {.read_callback = c_upload};
    client.upload = upload;
    client.uploaded = 0;
    return nghttp2_submit_request(client.session, NULL, fields, PH_COUNTOF(fields),
                                  upload.ptr != NULL ? &source : NULL, NULL);
}

static void an_answer_to_HEAD_has_no_body(void **state)
{
    const nghttp2_nv fields[] = {NV(":method", "HEAD"), NV(":scheme", "http"), NV(":path", "/a"),
                                 NV(":authority", "x")};
    (void)state;
    open_h2(false);
    client.body_len = 0;
    nghttp2_submit_request(client.session, NULL, fields, PH_COUNTOF(fields), NULL, NULL);
    assert_int_equal(exchange_bytes(1000), PH_OK);
    assert_int_equal(client.statuses[0], 200);
    assert_int_equal(client.body_len, 0);
    assert_int_equal(client.goaway_count, 0);
    assert_int_equal(ph_h2_open_streams(h2), 0);
    close_h2();
}

static void requests_are_the_same_wherever_they_are_split(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 100; piece += piece < 8 ? 1 : 31) {
        open_h2(false);
        fixture->log_len = 0;
        request("/a", PH_S("abc"));
        assert_int_equal(exchange_bytes(piece), PH_OK);
        assert_string_equal(fixture->log, "POST /a abc;");
        assert_int_equal(client.statuses[0], 200);
        assert_memory_equal(client.body, "ok", 2);
        assert_int_equal(ph_h2_open_streams(h2), 0);
        close_h2();
    }
}

static void a_body_that_passes_is_the_same_wherever_it_is_split(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 200; piece += piece < 8 ? 1 : 31) {
        open_h2(false);
        fixture->log_len = 0;
        request("/a-passing", PH_S("abc"));
        assert_int_equal(exchange_bytes(piece), PH_OK);
        assert_string_equal(fixture->log, "POST /a-passing abc;");
        close_h2();
    }
}

/* All that the client has to say, as one read brings it. */
static struct ph_slice read_of_client(char *room, size_t room_bytes)
{
    const uint8_t *bytes;
    size_t count = 0;
    for (ssize_t len; (len = nghttp2_session_mem_send(client.session, &bytes)) > 0;
         count += (size_t)len) {
        assert_true((size_t)len <= room_bytes - count);
        memcpy(room + count, bytes, (size_t)len);
    }
    return ph_slice_of(room, count);
}

/* A connection that has served a request, when the budget is spent. */
static void open_h2_without_memory(void)
{
    open_h2(false);
    request("/warm", (struct ph_slice){0});
    exchange_bytes(1000);
    fixture->log_len = 0;
    fixture->memory.limit = fixture->memory.used;
}

static void a_body_that_passes_takes_no_memory(void **state)
{
    (void)state;
    char room[4096];
    open_h2_without_memory();
    request("/a-passing", PH_S("abc"));
    assert_int_equal(ph_h2_feed(h2, read_of_client(room, sizeof room), now_ms), PH_OK);
    assert_string_equal(fixture->log, "POST /a-passing abc;");
    close_h2();
}

static void a_body_that_passes_stays_for_an_answer_that_comes_later(void **state)
{
    (void)state;
    char room[4096];
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_http_request seen;
    open_h2(false);
    request("/later-passing", PH_S("abc"));
    assert_int_equal(ph_h2_feed(h2, read_of_client(room, sizeof room), now_ms), PH_OK);
    memset(room, '?', sizeof room);
    ph_http_exchange_request(fixture->held[0], headers, &seen);
    assert_true(ph_slice_eq(seen.body, PH_S("abc")));
    answer_held(0, PH_S("x"));
    exchange_bytes(1000);
    assert_int_equal(client.statuses[0], 200);
    close_h2();
}

static void a_body_that_passes_stays_when_its_end_is_not_there_yet(void **state)
{
    (void)state;
    char room[4096];
    open_h2(false);
    client.upload_stays_open = true;
    int32_t id = request("/a-passing", PH_S("abc"));
    assert_int_equal(ph_h2_feed(h2, read_of_client(room, sizeof room), now_ms), PH_OK);
    memset(room, '?', sizeof room);
    client.upload = PH_S("abcdef");
    client.upload_stays_open = false;
    nghttp2_session_resume_data(client.session, id);
    exchange_bytes(1000);
    assert_string_equal(fixture->log, "POST /a-passing abcdef;");
    close_h2();
}

static void bodies_that_pass_do_not_take_each_others_place(void **state)
{
    (void)state;
    char room[4096];
    open_h2(false);
    client.upload_stays_open = true;
    int32_t first = request("/1-passing", PH_S("abc"));
    struct ph_slice one = read_of_client(room, sizeof room);
    int32_t second = request("/2-passing", PH_S("xyz"));
    struct ph_slice two = read_of_client(room + one.len, sizeof room - one.len);
    assert_int_equal(ph_h2_feed(h2, ph_slice_of(room, one.len + two.len), now_ms), PH_OK);
    memset(room, '?', sizeof room);
    client.upload_stays_open = false; /* nothing more of either but the end */
    nghttp2_session_resume_data(client.session, second);
    exchange_bytes(1000);
    nghttp2_session_resume_data(client.session, first);
    exchange_bytes(1000);
    assert_string_equal(fixture->log, "POST /2-passing xyz;POST /1-passing abc;");
    close_h2();
}

/* One read of two requests; *ret_first: the id of the first. */
static struct ph_slice read_of_two(char *room, size_t room_bytes, struct ph_slice one,
                                   struct ph_slice two, int32_t *ret_first)
{
    *ret_first = request("/1-passing", one);
    struct ph_slice first = read_of_client(room, room_bytes);
    request("/2-passing", two);
    struct ph_slice second = read_of_client(room + first.len, room_bytes - first.len);
    return ph_slice_of(room, first.len + second.len);
}

static void requests_of_one_read_are_handled_in_order_and_none_takes_memory(void **state)
{
    (void)state;
    char room[4096];
    int32_t first;
    open_h2(false);
    for (int i = 0; i < 2; i++) {
        fixture->log_len = 0;
        struct ph_slice both = read_of_two(room, sizeof room, PH_S("abc"), PH_S("xyz"), &first);
        assert_int_equal(ph_h2_feed(h2, both, now_ms), PH_OK);
        assert_string_equal(fixture->log, "POST /1-passing abc;POST /2-passing xyz;");
        server_to_client();
        fixture->memory.limit = fixture->memory.used; /* the second time everything is there */
    }
    assert_int_equal(client.statuses[first / 2], 200);
    close_h2();
}

static void a_request_that_is_reset_at_once_is_handled_however_the_bytes_come(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 4096; piece *= 4) {
        char room[4096];
        int32_t first;
        open_h2(false);
        fixture->log_len = 0;
        struct ph_slice both = read_of_two(room, sizeof room, PH_S("abc"), PH_S("xyz"), &first);
        nghttp2_submit_rst_stream(client.session, 0, first, NGHTTP2_CANCEL);
        struct ph_slice reset = read_of_client(room + both.len, sizeof room - both.len);
        for (size_t at = 0, len = both.len + reset.len; at < len; at += piece)
            assert_int_equal(
                ph_h2_feed(h2, ph_slice_of(room + at, len - at < piece ? len - at : piece), now_ms),
                PH_OK);
        assert_string_equal(fixture->log, "POST /1-passing abc;POST /2-passing xyz;");
        close_h2();
    }
}

static void requests_before_bytes_that_are_no_http2_are_handled(void **state)
{
    (void)state;
    char room[4096];
    int32_t first;
    open_h2(false);
    struct ph_slice both = read_of_two(room, sizeof room, PH_S("abc"), PH_S("xyz"), &first);
    memcpy(room + both.len, "\0\0\1\0\0\0\0\0\0?", 10); /* DATA of no stream */
    (void)!ph_h2_feed(h2, ph_slice_of(room, both.len + 10), now_ms);
    assert_string_equal(fixture->log, "POST /1-passing abc;POST /2-passing xyz;");
    close_h2();
}

static void a_body_that_passes_and_finds_no_room_to_stay_is_refused(void **state)
{
    (void)state;
    char room[4096];
    open_h2_without_memory();
    client.upload_stays_open = true;
    request("/a-passing", PH_S("abc"));
    assert_int_equal(ph_h2_feed(h2, read_of_client(room, sizeof room), now_ms), PH_OK);
    assert_string_equal(fixture->log, "POST /a-passing  refused;");
    assert_int_equal(fixture->counters.limit_memory, 1);
    close_h2();
}

static void a_body_that_passes_and_finds_no_room_to_wait_ends_its_stream(void **state)
{
    (void)state;
    char room[4096];
    open_h2_without_memory();
    request("/later-passing", PH_S("abc"));
    assert_int_equal(ph_h2_feed(h2, read_of_client(room, sizeof room), now_ms), PH_OK);
    assert_int_equal(fixture->gone_count, 1);
    assert_int_equal(fixture->counters.limit_memory, 1);
    assert_int_equal(ph_h2_held(h2), 0);
    exchange_bytes(1000);
    assert_int_equal(client.closed[1], NGHTTP2_INTERNAL_ERROR);
    close_h2();
}

static void nghttp2_takes_nothing_from_the_budget_and_its_small_blocks_are_used_again(void **state)
{
    (void)state;
    open_h2_without_memory();
    for (int i = 0; i < 2 * PH_STREAMS_MAX; i++) { /* more than the closed ones it remembers */
        request("/a", (struct ph_slice){0});
        exchange_bytes(1000);
        fixture->log_len = 0;
    }
    size_t warm = fixture->memory.beside;
    assert_true(warm > 16 * 1024);
    for (int i = 0; i < PH_STREAMS_MAX; i++) {
        request("/a", (struct ph_slice){0});
        exchange_bytes(1000);
        fixture->log_len = 0;
    }
    assert_int_equal(fixture->memory.beside, warm);
    assert_int_equal(fixture->memory.used, fixture->memory.limit);
    assert_true(fixture->memory.most >= warm + fixture->memory.used);
    close_h2();
    ph_h2_spares_done(&fixture->spares, &fixture->memory);
    assert_int_equal(fixture->memory.beside, 0);
}

static void when_the_budget_is_spent_a_refusal_is_told_still(void **state)
{
    (void)state;
    open_h2_without_memory();
    for (int i = 0; i < 3; i++) {
        request("/a", PH_S("abc"));
        exchange_bytes(1000);
        assert_int_equal(client.statuses[1 + i], 200);
    }
    assert_string_equal(fixture->log, "POST /a  refused;POST /a  refused;POST /a  refused;");
    close_h2();
}

static void a_stream_that_ended_serves_the_next_connection(void **state)
{
    (void)state;
    open_h2(false);
    request("/a", PH_S("abc"));
    request("/b", PH_S("abc"));
    exchange_bytes(1000);
    close_h2();
    assert_int_equal(fixture->spares.count, 2);
    fixture->log_len = 0;
    open_h2(false);
    request("/c", (struct ph_slice){0});
    fixture->memory.limit = fixture->memory.used;
    exchange_bytes(1000);
    assert_string_equal(fixture->log, "POST /c ;"); /* and nothing of /a and /b */
    assert_int_equal(fixture->spares.count, 2);
    close_h2();
}

static void streams_that_nobody_needed_for_a_while_are_given_back(void **state)
{
    (void)state;
    char room[4096];
    open_h2(false);
    request("/a", (struct ph_slice){0});
    request("/b", (struct ph_slice){0});
    assert_int_equal(ph_h2_feed(h2, read_of_client(room, sizeof room), now_ms), PH_OK);
    exchange_bytes(1000);
    ph_h2_spares_rest(&fixture->spares, &fixture->memory);
    assert_int_equal(fixture->spares.count, 2); /* needed since the beginning */
    request("/c", (struct ph_slice){0});
    exchange_bytes(1000);
    ph_h2_spares_rest(&fixture->spares, &fixture->memory);
    assert_int_equal(fixture->spares.count, 1); /* one was enough */
    ph_h2_spares_rest(&fixture->spares, &fixture->memory);
    assert_int_equal(fixture->spares.count, 0);
    close_h2();
}

static void late_answers_come_in_any_order(void **state)
{
    (void)state;
    open_h2(false);
    request("/later1", (struct ph_slice){0});
    request("/later2", (struct ph_slice){0});
    request("/now", (struct ph_slice){0});
    exchange_bytes(1000);
    assert_int_equal(client.statuses[2], 200);
    assert_int_equal(client.statuses[0], 0);
    assert_int_equal(ph_h2_held(h2), 2);
    answer_held(1, PH_S("two"));
    exchange_bytes(1000);
    assert_int_equal(client.statuses[1], 200);
    answer_held(0, PH_S("one"));
    exchange_bytes(1000);
    assert_memory_equal(client.body, "oktwoone", 8);
    assert_int_equal(ph_h2_held(h2), 0);
    assert_int_equal(fixture->gone_count, 0);
    close_h2();
}

static void a_stream_that_the_client_resets_tells_its_owner_once(void **state)
{
    (void)state;
    open_h2(false);
    int32_t id = request("/later", (struct ph_slice){0});
    exchange_bytes(1000);
    nghttp2_submit_rst_stream(client.session, 0, id, NGHTTP2_CANCEL);
    exchange_bytes(1000);
    assert_int_equal(fixture->gone_count, 1);
    assert_int_equal(ph_h2_held(h2), 0);
    close_h2();
    assert_int_equal(fixture->gone_count, 1);
}

static void a_connection_that_ends_tells_the_owners_of_its_streams(void **state)
{
    (void)state;
    open_h2(false);
    request("/later", (struct ph_slice){0});
    request("/open", (struct ph_slice){0});
    exchange_bytes(1000);
    close_h2();
    assert_int_equal(fixture->gone_count, 2);
}

static void an_open_answer_goes_on_until_its_trailers(void **state)
{
    (void)state;
    static const struct ph_header trailers[] = {{PH_SI("grpc-status"), PH_SI("0")}};
    open_h2(false);
    request("/open", (struct ph_slice){0});
    exchange_bytes(1000);
    assert_memory_equal(client.body, "ok", 2);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ph_http_write(fixture->held[0], PH_S("-"), PH_S("part")), PH_OK);
        exchange_bytes(1000);
    }
    assert_int_equal(client.body_len, 17);
    ph_http_end(fixture->held[0], trailers, 1);
    exchange_bytes(1000);
    assert_int_equal(client.trailer_count, 1);
    assert_int_equal(client.closed_count, 1);
    assert_int_equal(client.closed[0], NGHTTP2_NO_ERROR);
    close_h2();
    assert_int_equal(fixture->gone_count, 0);
}

static void a_body_in_parts_is_told_as_it_comes(void **state)
{
    (void)state;
    open_h2(false);
    client.upload_stays_open = true;
    int32_t id = request("/parts", PH_S("one"));
    exchange_bytes(1000);
    assert_string_equal(fixture->log, "POST /parts ;one");
    assert_false(fixture->ended);
    client.upload = PH_S("onetwo");
    client.upload_stays_open = false;
    nghttp2_session_resume_data(client.session, id);
    exchange_bytes(1000);
    assert_string_equal(fixture->log, "POST /parts ;onetwo");
    assert_true(fixture->ended);
    ph_http_end(fixture->held[0], NULL, 0);
    exchange_bytes(1000);
    assert_int_equal(client.closed[0], NGHTTP2_NO_ERROR);
    close_h2();
}

static void a_reader_that_does_not_read_makes_its_writer_wait_and_not_grow(void **state)
{
    (void)state;
    static char part[16 * 1024];
    static char upload[1024 * 1024];
    size_t count = 0;
    open_h2(true);
    client.upload_stays_open = true;
    int32_t id = request("/parts", ph_slice_of(upload, 0));
    exchange_bytes(1000);
    while (ph_http_write(fixture->held[0], (struct ph_slice){0}, ph_slice_of(part, sizeof part)) ==
           PH_OK)
        assert_true(++count < 100);
    assert_int_equal(fixture->counters.limit_stream_output, 1);
    size_t told = fixture->data_count;
    client.upload.len = sizeof upload; /* the client goes on sending, but gets no window for it */
    nghttp2_session_resume_data(client.session, id);
    exchange_bytes(1 << 20);
    assert_true(client.uploaded < 600 * 1024);
    assert_int_equal(fixture->data_count, told);
    assert_true(fixture->memory.used < 1400 * 1024);
    fixture->log_len = 0;
    /* It reads at last: window for all it got, and for the rest to come. */
    nghttp2_submit_window_update(client.session, 0, 0, 4 << 20);
    nghttp2_submit_window_update(client.session, 0, id, 4 << 20);
    exchange_bytes(1 << 20);
    assert_int_equal(client.uploaded, sizeof upload);
    assert_true(fixture->data_count > told);
    assert_int_equal(client.body_len, sizeof client.body);
    assert_int_equal(ph_http_write(fixture->held[0], PH_S("x"), PH_S("")), PH_OK);
    close_h2();
}

static void draining_tells_twice_and_finishes_what_is_open(void **state)
{
    (void)state;
    open_h2(false);
    request("/later", (struct ph_slice){0});
    exchange_bytes(1000);
    ph_h2_drain(h2);
    exchange_bytes(1000);
    assert_int_equal(client.goaway_count, 1);
    ph_h2_drain(h2);
    ph_h2_drain(h2);
    exchange_bytes(1000);
    assert_int_equal(client.goaway_count, 2);
    assert_true(ph_h2_drained(h2));
    assert_int_equal(ph_h2_open_streams(h2), 1);
    answer_held(0, PH_S("x"));
    exchange_bytes(1000);
    assert_int_equal(client.statuses[0], 200);
    assert_int_equal(ph_h2_open_streams(h2), 0);
    close_h2();
}

static void a_ping_flood_is_sent_away_and_patient_pings_are_not(void **state)
{
    (void)state;
    open_h2(false);
    for (int i = 0; i < 2000; i++) {
        now_ms += 1000;
        nghttp2_submit_ping(client.session, 0, NULL);
        assert_int_equal(exchange_bytes(1000), PH_OK);
    }
    assert_int_equal(client.goaway_count, 0);
    for (int i = 0; i < PH_CONTROL_FRAMES_MAX + 10 && client.goaway_count == 0; i++) {
        nghttp2_submit_ping(client.session, 0, NULL);
        exchange_bytes(1000);
    }
    assert_int_equal(client.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_string_equal(client.goaway_text, "too_many_pings");
    assert_int_equal(fixture->counters.limit_control_frames, 1);
    close_h2();
}

static void a_settings_flood_is_sent_away(void **state)
{
    (void)state;
    open_h2(false);
    for (int i = 0; i < PH_CONTROL_FRAMES_MAX + 10 && client.goaway_count == 0; i++) {
        nghttp2_submit_settings(client.session, 0, NULL, 0);
        exchange_bytes(1000);
    }
    assert_int_equal(client.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    close_h2();
}

static void a_rapid_reset_is_sent_away_and_honest_cancels_are_not(void **state)
{
    (void)state;
    open_h2(false);
    for (int i = 0; i < 240; i++) { /* one in two is cancelled */
        request("/a", (struct ph_slice){0});
        exchange_bytes(1000);
        int32_t id = request("/later", (struct ph_slice){0});
        exchange_bytes(1000);
        fixture->held_count = fixture->log_len = 0;
        nghttp2_submit_rst_stream(client.session, 0, id, NGHTTP2_CANCEL);
        exchange_bytes(1000);
    }
    assert_int_equal(client.goaway_count, 0);
    close_h2();
    open_h2(false);
    for (int i = 0; i < PH_RESETS_MAX + 10 && client.goaway_count == 0; i++) {
        int32_t id = request("/later", (struct ph_slice){0});
        const uint8_t *bytes;
        ssize_t len = nghttp2_session_mem_send(client.session, &bytes);
        assert_int_equal(ph_h2_feed(h2, ph_slice_of(bytes, (size_t)len), now_ms), PH_OK);
        nghttp2_submit_rst_stream(client.session, 0, id, NGHTTP2_CANCEL);
        len = nghttp2_session_mem_send(client.session, &bytes);
        if (ph_h2_feed(h2, ph_slice_of(bytes, (size_t)len), now_ms) != PH_OK)
            break;
        fixture->held_count = fixture->log_len = 0;
        server_to_client();
    }
    assert_int_equal(client.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_int_equal(fixture->counters.limit_resets, 1);
    close_h2();
}

static void requests_past_their_time_are_reset_and_held_ones_are_not(void **state)
{
    (void)state;
    open_h2(false);
    client.upload_stays_open = true;
    request("/slow", PH_S("a"));
    exchange_bytes(1000);
    request("/later", (struct ph_slice){0});
    exchange_bytes(1000);
    ph_h2_expire(h2, now_ms + PH_BODY_READ_MS);
    assert_int_equal(fixture->counters.limit_body_time, 0);
    ph_h2_expire(h2, now_ms + PH_BODY_READ_MS + 1);
    exchange_bytes(1000);
    assert_int_equal(fixture->counters.limit_body_time, 1);
    assert_int_equal(client.closed[0], NGHTTP2_CANCEL);
    assert_int_equal(ph_h2_held(h2), 1);
    close_h2();
}

/* A request with so many headers of its own; ended: nothing follows it. */
static void request_with(const char *path, size_t headers, const char *value)
{
    enum { FIELDS_MAX = 64 };
    nghttp2_nv fields[FIELDS_MAX] = {NV(":method", "GET"), NV(":scheme", "http"), NV(":path", path),
                                     NV(":authority", "x")};
    const nghttp2_nv field = NV("x", value);
    assert_true(4 + headers <= FIELDS_MAX);
    for (size_t i = 0; i < headers; i++)
        fields[4 + i] = field;
    nghttp2_submit_request(client.session, NULL, fields, 4 + headers, NULL, NULL);
}

static void headers_are_bounded_by_the_sites_limits(void **state)
{
    (void)state;
    static char large[901];
    memset(large, 'a', sizeof large - 1);
    fixture->limits.headers = 16;
    fixture->limits.header_bytes = 1024;
    open_h2(false);
    request_with("/few", 16, "");
    request_with("/many", 17, "");
    request_with("/large", 1, large);
    exchange_bytes(1000);
    assert_string_equal(fixture->log, "GET /few ;GET /many  refused;GET /large  refused;");
    assert_int_equal(fixture->counters.limit_head_bytes, 2);
    assert_int_equal(
        nghttp2_session_get_remote_settings(client.session, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE),
        1024);
    close_h2();
}

static void a_body_has_the_sites_time_from_its_head_on(void **state)
{
    (void)state;
    fixture->limits.body_ms = 2000;
    open_h2(false);
    client.upload_stays_open = true;
    request("/slow", PH_S("a"));
    exchange_bytes(1000);
    ph_h2_expire(h2, now_ms + 2000);
    assert_int_equal(ph_h2_open_streams(h2), 1);
    ph_h2_expire(h2, now_ms + 2001);
    exchange_bytes(1000);
    assert_int_equal(client.closed[0], NGHTTP2_CANCEL);
    assert_int_equal(fixture->counters.limit_body_time, 1);
    close_h2();
}

static void a_head_that_does_not_end_has_the_sites_time(void **state)
{
    (void)state;
    /* HEADERS of stream 1 without END_HEADERS: a CONTINUATION is to come. */
    static const char half[] = "\0\0\1\1\1\0\0\0\1\202";
    fixture->limits.head_ms = 1000;
    open_h2(false);
    exchange_bytes(1000);
    assert_int_equal(ph_h2_feed(h2, ph_slice_of(half, sizeof half - 1), now_ms), PH_OK);
    assert_int_equal(ph_h2_open_streams(h2), 1);
    ph_h2_expire(h2, now_ms + 1000);
    assert_int_equal(fixture->counters.limit_head_time, 0);
    ph_h2_expire(h2, now_ms + 1001);
    assert_int_equal(fixture->counters.limit_head_time, 1);
    assert_int_equal(fixture->counters.limit_body_time, 0);
    close_h2();
}

static void an_http1_request_becomes_stream_one(void **state)
{
    (void)state;
    static struct ph_http_exchange x;
    memset(&x, 0, sizeof x);
    open_h2(false);
    ph_http_exchange_init(&x, &fixture->memory);
    assert_int_equal(ph_http_keep(&x.head, PH_S("GET"), &x.method), PH_OK);
    assert_int_equal(ph_http_keep(&x.head, PH_S("/c"), &x.target), PH_OK);
    nghttp2_session_upgrade2(client.session, NULL, 0, 0, NULL);
    assert_int_equal(ph_h2_upgrade(h2, &x, PH_S(""), now_ms), PH_OK);
    assert_string_equal(fixture->log, "GET /c ;");
    assert_int_equal(exchange_bytes(1000), PH_OK);
    assert_int_equal(client.statuses[0], 200);
    request("/next", (struct ph_slice){0});
    exchange_bytes(1000);
    assert_int_equal(client.statuses[1], 200);
    close_h2();
}

static void an_upgrade_with_malformed_settings_is_refused(void **state)
{
    (void)state;
    static struct ph_http_exchange x;
    memset(&x, 0, sizeof x);
    ph_http_exchange_init(&x, &fixture->memory);
    open_h2(false);
    assert_int_equal(ph_h2_upgrade(h2, &x, PH_S("!!"), now_ms), PH_ERR_MALFORMED);
    close_h2();
    open_h2(false);
    assert_int_equal(ph_h2_upgrade(h2, &x, PH_S("AAAA"), now_ms), PH_ERR_MALFORMED);
    close_h2();
}

static void without_memory_streams_are_refused_and_nothing_leaks(void **state)
{
    (void)state;
    for (size_t room = 0; room < 64 * 1024; room += 701) {
        fixture->memory.limit = room;
        memset(&client, 0, sizeof client);
        struct ph_h2 *made = ph_h2_new(&fixture->site, NULL, &fixture->out);
        ph_h2_free(made);
        ph_h2_spares_done(&fixture->spares, &fixture->memory);
        if (made != NULL) {
            open_h2(false);
            request("/a", PH_S("abc"));
            const uint8_t *bytes;
            ssize_t len;
            while ((len = nghttp2_session_mem_send(client.session, &bytes)) > 0)
                (void)!ph_h2_feed(h2, ph_slice_of(bytes, (size_t)len), now_ms);
            (void)!ph_h2_flush(h2, 1 << 20);
            close_h2();
        }
        ph_buffer_done(&fixture->out);
        ph_h2_spares_done(&fixture->spares, &fixture->memory);
        fixture->log_len = 0;
        assert_int_equal(fixture->memory.used, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(an_answer_to_HEAD_has_no_body),
        HTTP_TEST(requests_are_the_same_wherever_they_are_split),
        HTTP_TEST(a_body_that_passes_is_the_same_wherever_it_is_split),
        HTTP_TEST(a_body_that_passes_takes_no_memory),
        HTTP_TEST(a_body_that_passes_stays_for_an_answer_that_comes_later),
        HTTP_TEST(a_body_that_passes_stays_when_its_end_is_not_there_yet),
        HTTP_TEST(bodies_that_pass_do_not_take_each_others_place),
        HTTP_TEST(requests_of_one_read_are_handled_in_order_and_none_takes_memory),
        HTTP_TEST(a_request_that_is_reset_at_once_is_handled_however_the_bytes_come),
        HTTP_TEST(requests_before_bytes_that_are_no_http2_are_handled),
        HTTP_TEST(a_body_that_passes_and_finds_no_room_to_stay_is_refused),
        HTTP_TEST(a_body_that_passes_and_finds_no_room_to_wait_ends_its_stream),
        HTTP_TEST(nghttp2_takes_nothing_from_the_budget_and_its_small_blocks_are_used_again),
        HTTP_TEST(when_the_budget_is_spent_a_refusal_is_told_still),
        HTTP_TEST(a_stream_that_ended_serves_the_next_connection),
        HTTP_TEST(streams_that_nobody_needed_for_a_while_are_given_back),
        HTTP_TEST(late_answers_come_in_any_order),
        HTTP_TEST(a_stream_that_the_client_resets_tells_its_owner_once),
        HTTP_TEST(a_connection_that_ends_tells_the_owners_of_its_streams),
        HTTP_TEST(an_open_answer_goes_on_until_its_trailers),
        HTTP_TEST(a_body_in_parts_is_told_as_it_comes),
        HTTP_TEST(a_reader_that_does_not_read_makes_its_writer_wait_and_not_grow),
        HTTP_TEST(draining_tells_twice_and_finishes_what_is_open),
        HTTP_TEST(a_ping_flood_is_sent_away_and_patient_pings_are_not),
        HTTP_TEST(a_settings_flood_is_sent_away),
        HTTP_TEST(a_rapid_reset_is_sent_away_and_honest_cancels_are_not),
        HTTP_TEST(requests_past_their_time_are_reset_and_held_ones_are_not),
        HTTP_TEST(headers_are_bounded_by_the_sites_limits),
        HTTP_TEST(a_body_has_the_sites_time_from_its_head_on),
        HTTP_TEST(a_head_that_does_not_end_has_the_sites_time),
        HTTP_TEST(an_http1_request_becomes_stream_one),
        HTTP_TEST(an_upgrade_with_malformed_settings_is_refused),
        HTTP_TEST(without_memory_streams_are_refused_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
