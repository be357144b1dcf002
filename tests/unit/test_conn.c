/* A connection and the clock: who is silent with a request open is asked whether he is there. */
#include "http_fixture.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/socket.h"
#include "server/conn.h"

enum { BEGIN_MS = 1000, FRAME_HEAD = 9, TYPE_PING = 6, ACK = 1 };

/* The preface, empty settings, and stream 1: GET /later, which is held (RFC 9113 §4.1; RFC 7541
 * appendix A). */
static const char request[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                              "\0\0\0\4\0\0\0\0\0"
                              "\0\0\15\1\5\0\0\0\1\x82\x86\4\6/later\1\1x";
static const char pong[] = "\0\0\10\6\1\0\0\0\0\0\0\0\0\0\0\0\0";

static struct ph_conn *conn;
static int client;
static char room[4096];

static void say(const char *bytes, size_t len, int64_t now_ms)
{
    assert_int_equal(send(client, bytes, len, 0), len);
    assert_true(ph_conn_ready(conn, true, room, sizeof room, now_ms));
}

/* How many pings that are no answers the client has got by now. */
static int pings(void)
{
    unsigned char bytes[4096];
    int count = 0;
    ssize_t len = recv(client, bytes, sizeof bytes, MSG_DONTWAIT);
    for (ssize_t at = 0; at + FRAME_HEAD <= len;
         at += FRAME_HEAD + (bytes[at] << 16 | bytes[at + 1] << 8 | bytes[at + 2]))
        count += bytes[at + 3] == TYPE_PING && (bytes[at + 4] & ACK) == 0;
    return count;
}

static int begin(void **state)
{
    int ends[2];
    if (open_fixture(state) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return -1;
    client = ends[1];
    conn = ph_conn_new(&fixture->site, ends[0], NULL, BEGIN_MS);
    say(request, sizeof request - 1, BEGIN_MS);
    assert_string_equal(fixture->log, "GET /later ;");
    assert_int_equal(pings(), 0);
    return 0;
}

static int end(void **state)
{
    ph_conn_free(conn);
    close(client);
    return close_fixture(state);
}

static void who_answers_no_ping_is_closed_and_counted(void **state)
{
    const int64_t asked_ms = BEGIN_MS + PH_KEEPALIVE_MS;
    (void)state;
    assert_true(ph_conn_tick(conn, asked_ms - 1));
    assert_int_equal(pings(), 0);
    assert_true(ph_conn_tick(conn, asked_ms));
    assert_int_equal(pings(), 1);
    assert_true(ph_conn_tick(conn, asked_ms + PH_KEEPALIVE_WAIT_MS - 1));
    assert_int_equal(pings(), 0);
    assert_int_equal(fixture->counters.limit_keepalive, 0);
    assert_false(ph_conn_tick(conn, asked_ms + PH_KEEPALIVE_WAIT_MS));
    assert_int_equal(fixture->counters.limit_keepalive, 1);
}

static void who_answers_stays_and_is_asked_again_after_the_next_silence(void **state)
{
    const int64_t asked_ms = BEGIN_MS + PH_KEEPALIVE_MS,
                  answered_ms = asked_ms + PH_KEEPALIVE_WAIT_MS - 1;
    (void)state;
    assert_true(ph_conn_tick(conn, asked_ms));
    assert_int_equal(pings(), 1);
    say(pong, sizeof pong - 1, answered_ms);
    assert_true(ph_conn_tick(conn, answered_ms + PH_KEEPALIVE_MS - 1));
    assert_int_equal(pings(), 0);
    assert_true(ph_conn_tick(conn, answered_ms + PH_KEEPALIVE_MS));
    assert_int_equal(pings(), 1);
    assert_int_equal(fixture->counters.limit_keepalive, 0);
}

static void addresses_read_as_the_library_prints_them(void **state)
{
    static const char *const texts[] = {"0.0.0.0", "9.10.99.100", "199.200.249.255", "192.0.2.1",
                                        "::",      "::1",         "2001:db8::9",     "fe80::1:0:2"};
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(texts); i++) {
        uint8_t address[16] = {[10] = 0xff, [11] = 0xff};
        char text[PH_OS_IP_TEXT_BYTES];
        bool is_ipv4 = strchr(texts[i], '.') != NULL;
        assert_int_equal(
            inet_pton(is_ipv4 ? AF_INET : AF_INET6, texts[i], is_ipv4 ? address + 12 : address), 1);
        ph_os_ip_text(address, text);
        assert_string_equal(text, texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_answers_no_ping_is_closed_and_counted, begin, end),
        cmocka_unit_test_setup_teardown(who_answers_stays_and_is_asked_again_after_the_next_silence,
                                        begin, end),
        cmocka_unit_test(addresses_read_as_the_library_prints_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
