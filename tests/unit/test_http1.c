/* HTTP/1 as a machine over bytes: the same wherever they are split, in order whatever waits. */
#include <stdio.h>

#include "http_fixture.h"

#include "http/h1.h"

static struct ph_h1 *h1;

static void open_h1(void)
{
    h1 = ph_h1_new(&fixture->site, NULL, &fixture->out, true);
    assert_non_null(h1);
}

static void close_h1(void)
{
    ph_h1_free(h1);
    h1 = NULL;
}

static void feed(struct ph_slice bytes)
{
    ph_h1_feed(h1, bytes, 1);
}

static void assert_log(const char *text)
{
    assert_string_equal(fixture->log, text);
}

static size_t count_of(const char *needle)
{
    size_t count = 0;
    struct ph_slice text = ph_buffer_slice(&fixture->out), what = ph_slice_str(needle);
    for (size_t at = ph_slice_find(text, what, 0); at != SIZE_MAX;
         at = ph_slice_find(text, what, at + 1))
        count++;
    return count;
}

static size_t place_of(const char *needle)
{
    size_t at = ph_slice_find(ph_buffer_slice(&fixture->out), ph_slice_str(needle), 0);
    assert_true(at != SIZE_MAX);
    return at;
}

#define POST_A "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
#define CHUNKED                                                                                    \
    "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "                                           \
    "chunked\r\n\r\n2;x=y\r\nde\r\n1\r\nf\r\n0\r\nT: v\r\n\r\n"
#define GET_C     "GET /c HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_LATER "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_OPEN  "GET /open HTTP/1.1\r\nHost: x\r\n\r\n"

static void pipelined_requests_are_the_same_wherever_they_are_split(void **state)
{
    (void)state;
    struct ph_slice all = PH_S(POST_A CHUNKED GET_C);
    for (size_t piece = 1; piece <= all.len; piece += piece < 8 ? 1 : 13) {
        open_h1();
        fixture->log_len = fixture->out.len = 0;
        for (size_t at = 0; at < all.len; at += piece)
            feed(ph_slice_of(all.ptr + at, all.len - at < piece ? all.len - at : piece));
        assert_log("POST /a abc;POST /b def;GET /c ;");
        assert_int_equal(count_of("HTTP/1.1 200 OK\r\n"), 3);
        assert_int_equal(ph_h1_phase(h1), PH_H1_IDLE);
        close_h1();
    }
}

static void what_follows_a_request_that_waits_is_kept_and_answered_after_it(void **state)
{
    (void)state;
    open_h1();
    feed(PH_S(GET_LATER GET_C POST_A));
    assert_log("GET /later ;");
    assert_int_equal(ph_h1_phase(h1), PH_H1_WAITING);
    assert_false(ph_h1_wants_read(h1));
    assert_int_equal(fixture->out.len, 0);
    answer_held(0, PH_S("first"));
    feed((struct ph_slice){0});
    assert_log("GET /later ;GET /c ;POST /a abc;");
    assert_int_equal(count_of("HTTP/1.1 200"), 3);
    assert_true(place_of("first") < place_of("ok"));
    assert_true(ph_h1_wants_read(h1));
    close_h1();
}

static void two_waiting_requests_in_a_row_keep_their_order(void **state)
{
    (void)state;
    open_h1();
    feed(PH_S(GET_LATER GET_LATER GET_C));
    answer_held(0, PH_S("one"));
    feed((struct ph_slice){0});
    assert_int_equal(fixture->held_count, 2);
    assert_int_equal(ph_h1_phase(h1), PH_H1_WAITING);
    answer_held(1, PH_S("two"));
    feed((struct ph_slice){0});
    assert_true(place_of("one") < place_of("two"));
    assert_true(place_of("two") < place_of("ok"));
    close_h1();
}

static void a_connection_that_ends_first_tells_the_owner_once(void **state)
{
    (void)state;
    open_h1();
    feed(PH_S(GET_LATER GET_C));
    close_h1();
    assert_log("GET /later ;gone;");
    assert_int_equal(fixture->gone_count, 1);
}

static void an_answered_exchange_is_not_told_gone(void **state)
{
    (void)state;
    open_h1();
    feed(PH_S(GET_LATER));
    answer_held(0, PH_S("x"));
    close_h1();
    assert_int_equal(fixture->gone_count, 0);
}

static void headers_are_found_by_name_in_any_case(void **state)
{
    (void)state;
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_http_request request;
    open_h1();
    feed(PH_S("POST /later HTTP/1.1\r\nHost: x\r\nX-CONNECTOR: one\r\nx-connector: "
              "two\r\nCoNTeNT-TyPE: \t three \t\r\n"
              "x-request-iD: four\r\nContent-Length: 0\r\n\r\n"));
    ph_http_exchange_request(fixture->held[0], headers, &request);
    assert_true(ph_slice_eq(ph_http_header(&request, PH_S("x-connector")), PH_S("one")));
    assert_true(ph_slice_eq(ph_http_header(&request, PH_S("content-type")), PH_S("three")));
    assert_true(ph_slice_eq(ph_http_header(&request, PH_S("X-REQUEST-ID")), PH_S("four")));
    assert_false(ph_slice_present(ph_http_header(&request, PH_S("x-connectors"))));
    assert_false(ph_slice_present(ph_http_header(&request, PH_S("y-connector"))));
    answer_held(0, PH_S("x"));
    close_h1();
}

static void request_bytes_can_be_taken_over_when_the_connection_ends(void **state)
{
    (void)state;
    struct ph_header headers[PH_HEADERS_MAX];
    struct ph_http_request request;
    struct ph_buffer head, body;
    open_h1();
    feed(PH_S("POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbytes"));
    ph_http_exchange_request(fixture->held[0], headers, &request);
    ph_http_take_bytes(fixture->held[0], &head, &body);
    close_h1();
    assert_memory_equal(request.body.ptr, "bytes", 5);
    assert_memory_equal(request.target.ptr, "/later", 6);
    ph_buffer_done(&head);
    ph_buffer_done(&body);
}

static void connection_close_closes_after_the_late_answer(void **state)
{
    (void)state;
    open_h1();
    feed(PH_S("GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" GET_C));
    answer_held(0, PH_S("x"));
    feed((struct ph_slice){0});
    assert_log("GET /later ;");
    assert_int_equal(ph_h1_phase(h1), PH_H1_CLOSED);
    assert_int_equal(count_of("connection: close"), 1);
    close_h1();
}

static void draining_finishes_what_waits_and_closes(void **state)
{
    (void)state;
    open_h1();
    feed(PH_S(GET_LATER GET_C));
    ph_h1_drain(h1);
    answer_held(0, PH_S("x"));
    feed((struct ph_slice){0});
    assert_log("GET /later ;");
    assert_int_equal(ph_h1_phase(h1), PH_H1_CLOSED);
    close_h1();
}

static void an_answer_of_many_parts_goes_in_chunks(void **state)
{
    (void)state;
    open_h1();
    feed(PH_S(GET_OPEN GET_C));
    assert_int_equal(count_of("transfer-encoding: chunked\r\n\r\n2\r\nok\r\n"), 1);
    assert_int_equal(ph_http_write(fixture->held[0], PH_S("a"), PH_S("bcdefghijklmnopq")), PH_OK);
    assert_int_equal(count_of("11\r\nabcdefghijklmnopq\r\n"), 1);
    ph_http_end(fixture->held[0], NULL, 0);
    feed((struct ph_slice){0});
    assert_true(place_of("0\r\n\r\n") < place_of("content-length: 2"));
    assert_int_equal(ph_h1_phase(h1), PH_H1_IDLE);
    close_h1();
}

static void a_part_that_finds_no_room_waits_until_there_is(void **state)
{
    (void)state;
    static char part[64 * 1024];
    size_t count = 0;
    open_h1();
    feed(PH_S(GET_OPEN));
    while (ph_http_write(fixture->held[0], (struct ph_slice){0}, ph_slice_of(part, sizeof part)) ==
           PH_OK)
        assert_true(++count < 100);
    assert_true(fixture->out.len < PH_STREAM_OUTPUT_BYTES_MAX + sizeof part + 1024);
    feed((struct ph_slice){0});
    assert_int_equal(fixture->data_count, 0);
    fixture->out.len = 0;
    feed((struct ph_slice){0});
    assert_int_equal(fixture->data_count, 1);
    ph_http_end(fixture->held[0], NULL, 0);
    close_h1();
}

static void an_upgrade_to_h2c_hands_the_request_over(void **state)
{
    (void)state;
    struct ph_slice settings, rest;
    open_h1();
    feed(
        PH_S("GET /c HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
             "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nPRI * "));
    assert_int_equal(ph_h1_phase(h1), PH_H1_UPGRADED);
    const struct ph_http_exchange *x = ph_h1_upgraded(h1, &settings, &rest);
    assert_true(ph_slice_eq(ph_http_span(&x->head, x->target), PH_S("/c")));
    assert_true(ph_slice_eq(settings, PH_S("AAMAAABkAAQAAP__")));
    assert_true(ph_slice_eq(rest, PH_S("PRI * ")));
    assert_log("");
    close_h1();
}

static void an_upgrade_that_is_no_clean_offer_is_passed_over(void **state)
{
    (void)state;
    static const char *const offers[] = {
        "Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n",
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: websocket\r\nHTTP2-Settings: AAMAAABk\r\n",
        ("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
         "HTTP2-Settings: AA\r\nHTTP2-Settings: AA\r\n"),
    };
    for (size_t i = 0; i < PH_COUNTOF(offers); i++) {
        open_h1();
        fixture->log_len = 0;
        feed(PH_S("GET /c HTTP/1.1\r\nHost: x\r\n"));
        feed(ph_slice_str(offers[i]));
        feed(PH_S("\r\n"));
        assert_log("GET /c ;");
        close_h1();
    }
}

static void a_chunk_that_cannot_fit_is_refused_before_it_comes(void **state)
{
    static const struct {
        const char *size, *status;
    } cases[] = {{"ffffffffffffffff", "HTTP/1.1 413"},
                 {"7fffffffffffffff", "HTTP/1.1 413"},
                 {"fffffffffffffffff", "HTTP/1.1 400"},
                 {"180000", NULL}, /* 3/2 MiB: just fits */
                 {"180001", "HTTP/1.1 413"}};
    (void)state;
    assert_int_equal(PH_MESSAGE_BYTES_MAX, 0x180000);
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        char text[160];
        snprintf(text, sizeof text,
                 "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
                 cases[i].size);
        open_h1();
        ph_buffer_clear(&fixture->out);
        feed(ph_slice_str(text));
        if (cases[i].status != NULL)
            assert_int_equal(count_of(cases[i].status), 1);
        else
            assert_int_equal(fixture->out.len, 0);
        close_h1();
    }
    ph_buffer_clear(&fixture->out);
    open_h1(); /* and one that would not fit behind what came */
    feed(PH_S(
        "POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n180000\r\n"));
    assert_int_equal(count_of("HTTP/1.1 413"), 1);
    close_h1();
}

static void refusals_are_counted_by_their_limit(void **state)
{
    (void)state;
    open_h1();
    feed(PH_S("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"));
    assert_int_equal(ph_h1_phase(h1), PH_H1_CLOSED);
    assert_int_equal(fixture->counters.limit_body_bytes, 1);
    close_h1();
    open_h1();
    feed(PH_S("GET / HTTP/1.1\r\nHost: x\r\n"));
    for (int i = 0; i < 200; i++)
        feed(PH_S("x: y\r\n"));
    assert_int_equal(ph_h1_phase(h1), PH_H1_CLOSED);
    assert_int_equal(fixture->counters.limit_head_bytes, 1);
    close_h1();
    open_h1();
    feed(PH_S("GET / HTTP/1.1\r\nHost : x\r\n\r\n"));
    assert_int_equal(fixture->counters.malformed, 1);
    close_h1();
    assert_log("");
}

static void while_nobody_reads_the_answers_no_further_request_is_handled(void **state)
{
    (void)state;
    static const char unread[PH_OUTPUT_BYTES_HIGH];
    open_h1();
    feed(PH_S(GET_C));
    assert_int_equal(ph_buffer_append(&fixture->out, ph_slice_of(unread, sizeof unread)), PH_OK);
    feed(PH_S(POST_A GET_C));
    assert_log("GET /c ;");
    assert_false(ph_h1_wants_read(h1));
    assert_true(ph_h1_has_rest(h1));
    fixture->out.len = 0; /* read at last */
    feed((struct ph_slice){0});
    assert_log("GET /c ;POST /a abc;GET /c ;");
    assert_true(ph_h1_wants_read(h1));
    assert_false(ph_h1_has_rest(h1));
    close_h1();
}

static void a_request_line_has_one_space_between_its_parts(void **state)
{
    (void)state;
    static const char *const lines[] = {"GET  /c HTTP/1.1\r\nHost: x\r\n\r\n",
                                        "GET /c  HTTP/1.1\r\nHost: x\r\n\r\n"};
    for (size_t i = 0; i < PH_COUNTOF(lines); i++) {
        open_h1();
        feed(ph_slice_str(lines[i]));
        assert_int_equal(ph_h1_phase(h1), PH_H1_CLOSED);
        close_h1();
    }
    assert_int_equal(fixture->counters.malformed, PH_COUNTOF(lines));
    open_h1();
    feed(PH_S("GET /c HTTP/1.1\r\nHost:  x\r\n\r\n"));
    assert_log("GET /c ;");
    close_h1();
}

/* A request with so many headers whose lines, the empty one included, are so many bytes. */
static struct ph_slice request_of(char *text, size_t room, const char *target, size_t headers,
                                  size_t bytes)
{
    size_t at = (size_t)snprintf(text, room, "GET %s HTTP/1.1\r\n", target), begun = at;
    at += (size_t)snprintf(text + at, room - at, "Host: x\r\n");
    for (size_t i = 2; i < headers; i++)
        at += (size_t)snprintf(text + at, room - at, "x: y\r\n");
    size_t filling = bytes - (at - begun) - strlen("z: \r\n\r\n");
    assert_true(filling < room - at);
    at += (size_t)snprintf(text + at, room - at, "z: ");
    memset(text + at, 'z', filling);
    at += filling;
    at += (size_t)snprintf(text + at, room - at, "\r\n\r\n");
    return ph_slice_of(text, at);
}

/* Gives the status of the answer, however it is split. */
static int status_in_pieces(struct ph_slice text, size_t piece)
{
    int status = 0;
    open_h1();
    ph_buffer_clear(&fixture->out);
    fixture->log_len = 0;
    for (size_t at = 0; at < text.len; at += piece)
        feed(ph_slice_of(text.ptr + at, text.len - at < piece ? text.len - at : piece));
    assert_true(ph_buffer_append(&fixture->out, ph_slice_of("", 1)) == PH_OK);
    assert_int_equal(sscanf(fixture->out.ptr, "HTTP/1.1 %d", &status), 1);
    close_h1();
    return status;
}

static int status_of(struct ph_slice text)
{
    int whole = status_in_pieces(text, text.len);
    assert_int_equal(status_in_pieces(text, 1), whole);
    assert_int_equal(status_in_pieces(text, 7), whole);
    return whole;
}

static void headers_are_bounded_by_the_sites_limits_and_the_target_is_not_counted(void **state)
{
    (void)state;
    enum { ROOM = 48 * 1024 };
    static char text[ROOM], target[PH_URI_BYTES_MAX + 2];
    memset(target, '/', PH_URI_BYTES_MAX);
    fixture->limits.headers = 16;
    fixture->limits.header_bytes = 1024;
    assert_int_equal(status_of(request_of(text, ROOM, "/a", 16, 1000)), 200);
    assert_int_equal(status_of(request_of(text, ROOM, "/a", 17, 1000)), 431);
    assert_int_equal(status_of(request_of(text, ROOM, target, 2, 1024)), 200);
    assert_int_equal(status_of(request_of(text, ROOM, "/a", 2, 1025)), 431);
    target[PH_URI_BYTES_MAX] = '/';
    assert_int_equal(status_of(request_of(text, ROOM, target, 2, 100)), 414);
    fixture->limits = ph_http_limits_usual;
    assert_int_equal(status_of(request_of(text, ROOM, "/a", 128, PH_HEADER_BYTES_MAX)), 200);
    assert_int_equal(status_of(request_of(text, ROOM, "/a", 2, PH_HEADER_BYTES_MAX + 1)), 431);
    assert_true(fixture->counters.limit_head_bytes > 0 && fixture->counters.limit_target_bytes > 0);
}

static void limits_that_shrink_below_what_was_read_refuse_the_rest(void **state)
{
    (void)state;
    open_h1();
    feed(PH_S("GET / HTTP/1.1\r\nHost: x\r\n"));
    for (int i = 0; i < 30; i++)
        feed(PH_S("x: y\r\n"));
    fixture->limits.headers = 16;
    feed(PH_S("x: y\r\n"));
    assert_int_equal(count_of("HTTP/1.1 431"), 1);
    close_h1();
}

/* RFC 9112 §3.2.2 */
static void a_target_in_absolute_form_is_taken_by_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *target, *log;
    } taken[] = {{"http://x/c", "GET /c ;"},
                 {"HTTPS://x.example:81/c/d?e", "GET /c/d?e ;"},
                 {"http://x", "GET / ;"},
                 {"http://x?q=http://y/", "GET /?q=http://y/ ;"},
                 {"/c?u=http://x/d", "GET /c?u=http://x/d ;"},
                 {"http://u:p@x//c", "GET //c ;"}};
    for (size_t i = 0; i < PH_COUNTOF(taken); i++)
        for (size_t step = 1; step < 100; step += 98) {
            char text[128];
            int len =
                snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: y\r\n\r\n", taken[i].target);
            fixture->log_len = 0;
            open_h1();
            for (size_t at = 0; at < (size_t)len; at += step)
                feed(ph_slice_of(text + at, (size_t)len - at < step ? (size_t)len - at : step));
            assert_log(taken[i].log);
            close_h1();
        }
    fixture->log[fixture->log_len = 0] = '\0';
    open_h1();
    feed(PH_S("GET http:///c HTTP/1.1\r\nHost: y\r\n\r\n"));
    assert_log("");
    assert_int_equal(ph_h1_phase(h1), PH_H1_CLOSED);
    close_h1();
}

static void a_header_without_a_name_is_refused(void **state)
{
    (void)state;
    assert_int_equal(status_of(PH_S("GET / HTTP/1.1\r\nHost: x\r\n: x\r\n\r\n")), 400);
    assert_int_equal(status_of(PH_S("GET / HTTP/1.1\r\n: x\r\nHost: x\r\n\r\n")), 400);
    assert_int_equal(status_of(PH_S("GET / HTTP/1.1\r\nHost: x\r\n:\r\n\r\n")), 400);
    assert_int_equal(status_of(PH_S("GET / HTTP/1.1\r\nHost: x\r\nx:\r\ny:\r\n\r\n")), 200);
    assert_int_equal(status_of(PH_S("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                    "chunked\r\n\r\n1\r\nx\r\n0\r\n: x\r\n\r\n")),
                     400);
    assert_int_equal(status_of(PH_S("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                    "chunked\r\n\r\n1\r\nx\r\n0\r\nt: x\r\n\r\n")),
                     200);
}

/* Smuggling begins with lines that two servers end at different places. */
static void
a_line_ends_with_cr_lf_is_not_folded_and_holds_nothing_odd_however_it_is_split(void **state)
{
    static const struct {
        struct ph_slice text;
        int status;
    } cases[] = {
        {PH_SI("\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), 200},
        {PH_SI("GET / HTTP/1.1\r\nHost: x y  z\r\n\r\n"), 200},
        {PH_SI("GET / HTTP/1.1\nHost: x\r\n\r\n"), 400},
        {PH_SI("GET / HTTP/1.1\r\nHost: x\n\r\n"), 400},
        {PH_SI("GET / HTTP/1.1\r\nHost: x\r\n\n"), 400},
        {PH_SI("GET / HTTP/1.1\r\nHost: x\r\r\n\r\n"), 400},
        {PH_SI("GET / HTTP/1.1\r\nHost: x\ry: z\r\n\r\n"), 400},
        {PH_SI("GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n"), 400},
        {PH_SI("GET / HTTP/1.1\r\n Host: x\r\n\r\n"), 400},
        {PH_SI("GET / HTTP/1.1\r\nHost: x\r\n\ty: z\r\n\r\n"), 400},
        {PH_SI("GET / HTTP/1.1\r\nHost: x\0\r\n\r\n"), 400},
        {PH_SI("GET  / HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
        {PH_SI("GET /  HTTP/1.1\r\nHost: x\r\n\r\n"), 400},
    };
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(cases); i++)
        for (size_t piece = 1; piece <= cases[i].text.len; piece++)
            assert_int_equal(status_in_pieces(cases[i].text, piece), cases[i].status);
}

static void without_memory_the_connection_closes_and_nothing_leaks(void **state)
{
    (void)state;
    for (size_t room = 0; room < 40 * 1024; room += 509) {
        fixture->memory.limit = room;
        h1 = ph_h1_new(&fixture->site, NULL, &fixture->out, true);
        if (h1 != NULL) {
            feed(PH_S(POST_A GET_OPEN));
            close_h1();
        }
        ph_buffer_done(&fixture->out);
        fixture->log_len = fixture->held_count = 0;
        assert_int_equal(fixture->memory.used, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(pipelined_requests_are_the_same_wherever_they_are_split),
        HTTP_TEST(what_follows_a_request_that_waits_is_kept_and_answered_after_it),
        HTTP_TEST(two_waiting_requests_in_a_row_keep_their_order),
        HTTP_TEST(a_connection_that_ends_first_tells_the_owner_once),
        HTTP_TEST(an_answered_exchange_is_not_told_gone),
        HTTP_TEST(headers_are_found_by_name_in_any_case),
        HTTP_TEST(request_bytes_can_be_taken_over_when_the_connection_ends),
        HTTP_TEST(connection_close_closes_after_the_late_answer),
        HTTP_TEST(draining_finishes_what_waits_and_closes),
        HTTP_TEST(an_answer_of_many_parts_goes_in_chunks),
        HTTP_TEST(a_part_that_finds_no_room_waits_until_there_is),
        HTTP_TEST(an_upgrade_to_h2c_hands_the_request_over),
        HTTP_TEST(an_upgrade_that_is_no_clean_offer_is_passed_over),
        HTTP_TEST(a_chunk_that_cannot_fit_is_refused_before_it_comes),
        HTTP_TEST(refusals_are_counted_by_their_limit),
        HTTP_TEST(while_nobody_reads_the_answers_no_further_request_is_handled),
        HTTP_TEST(a_request_line_has_one_space_between_its_parts),
        HTTP_TEST(headers_are_bounded_by_the_sites_limits_and_the_target_is_not_counted),
        HTTP_TEST(limits_that_shrink_below_what_was_read_refuse_the_rest),
        HTTP_TEST(a_target_in_absolute_form_is_taken_by_its_path),
        HTTP_TEST(a_header_without_a_name_is_refused),
        HTTP_TEST(a_line_ends_with_cr_lf_is_not_folded_and_holds_nothing_odd_however_it_is_split),
        HTTP_TEST(without_memory_the_connection_closes_and_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
