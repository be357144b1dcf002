#include "server/conn.h"

#include "base/limits.h"
#include "os/socket.h"

_Static_assert(PH_PREFACE_BYTES == sizeof("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") - 1, "RFC 9113 §3.4");

struct ph_conn *ph_conn_new(const struct ph_http_site *site, int fd, struct ph_tls *tls,
                            int64_t now_ms)
{
    struct ph_conn *conn = ph_memory_take(site->memory, sizeof *conn);
    if (conn == NULL) {
        ph_count(&site->counters->limit_memory);
        ph_tls_free(tls);
        ph_os_close(fd);
        return NULL;
    }
    conn->fd = fd;
    conn->tls = tls;
    conn->state = tls != NULL ? PH_CONN_HANDSHAKE : PH_CONN_PROBE;
    conn->site = site;
    conn->born_ms = conn->state_since_ms = conn->read_ms = conn->progress_ms = now_ms;
    ph_buffer_init(&conn->out, site->memory);
    return conn;
}

void ph_conn_free(struct ph_conn *conn)
{
    if (conn == NULL)
        return;
    ph_h1_free(conn->h1);
    ph_h2_free(conn->h2);
    ph_buffer_done(&conn->out);
    ph_tls_free(conn->tls);
    ph_os_close(conn->fd);
    ph_memory_give(conn->site->memory, conn, sizeof *conn);
}

const uint8_t *ph_conn_peer(struct ph_conn *conn)
{
    if (!conn->peer_known)
        ph_os_peer(conn->fd, conn->peer);
    conn->peer_known = true;
    return conn->peer;
}

static void enter(struct ph_conn *conn, enum ph_conn_state state, int64_t now_ms)
{
    conn->state = state;
    conn->state_since_ms = now_ms;
}

static size_t unsent(const struct ph_conn *conn)
{
    return conn->out.len - conn->out_sent;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool feed(struct ph_conn *conn, struct ph_slice bytes, int64_t now_ms);

static bool start(struct ph_conn *conn, enum ph_conn_state state, int64_t now_ms)
{
    if (state == PH_CONN_H2)
        conn->h2 = ph_h2_new(conn->site, conn, &conn->out);
    else
        conn->h1 = ph_h1_new(conn->site, conn, &conn->out, conn->tls == NULL);
    if (conn->h1 == NULL && conn->h2 == NULL)
        return false;
    enter(conn, state, now_ms);
    return feed(conn, ph_slice_of(conn->probe, conn->probe_bytes), now_ms);
}

/* The request that asked for it becomes stream 1; what the client sent behind it is HTTP/2 already.
 */
static bool upgrade(struct ph_conn *conn, int64_t now_ms)
{
    struct ph_slice settings, rest;
    struct ph_http_exchange *request = ph_h1_upgraded(conn->h1, &settings, &rest);
    conn->h2 = ph_h2_new(conn->site, conn, &conn->out);
    if (conn->h2 == NULL ||
        ph_buffer_append(&conn->out, PH_S("HTTP/1.1 101 Switching Protocols\r\n"
                                          "connection: upgrade\r\nupgrade: h2c\r\n\r\n")) !=
            PH_OK ||
        ph_h2_upgrade(conn->h2, request, settings, now_ms) != PH_OK)
        return false;
    enter(conn, PH_CONN_H2, now_ms);
    bool alive = feed(conn, rest, now_ms);
    ph_h1_free(conn->h1);
    conn->h1 = NULL;
    return alive;
}

static bool feed_h1(struct ph_conn *conn, struct ph_slice bytes, int64_t now_ms)
{
    ph_h1_feed(conn->h1, bytes, now_ms);
    if (ph_h1_phase(conn->h1) == PH_H1_UPGRADED)
        return upgrade(conn, now_ms);
    conn->last_answer = ph_h1_phase(conn->h1) == PH_H1_CLOSED;
    return true;
}

/* The preface is the client's first 24 bytes; the first byte that differs makes it HTTP/1. */
static bool probe(struct ph_conn *conn, struct ph_slice bytes, int64_t now_ms)
{
    struct ph_slice preface = PH_H2_PREFACE;
    size_t at = 0;
    bool same = true;
    while (same && at < bytes.len && conn->probe_bytes < preface.len) {
        same = bytes.ptr[at] == preface.ptr[conn->probe_bytes];
        if (same) {
            conn->probe[conn->probe_bytes++] = bytes.ptr[at];
            at++;
        }
    }
    if (same && conn->probe_bytes < preface.len)
        return true;
    if (!start(conn, same ? PH_CONN_H2 : PH_CONN_H1, now_ms))
        return false;
    return feed(conn, ph_slice_from(bytes, at), now_ms);
}

static bool feed(struct ph_conn *conn, struct ph_slice bytes, int64_t now_ms)
{
    if (bytes.len == 0)
        return true;
    switch (conn->state) {
    case PH_CONN_PROBE:
        return probe(conn, bytes, now_ms);
    case PH_CONN_H1:
        return feed_h1(conn, bytes, now_ms);
    case PH_CONN_H2:
        if (!conn->last_answer)
            conn->last_answer = ph_h2_feed(conn->h2, bytes, now_ms) != PH_OK;
        return true;
    case PH_CONN_HANDSHAKE:
    case PH_CONN_LINGER:
        break;
    }
    return true;
}

/* True when it is not done yet, too. */
static bool shake_hands(struct ph_conn *conn, int64_t now_ms)
{
    enum ph_status st = ph_tls_handshake(conn->tls);
    if (st == PH_ERR_AGAIN)
        return true;
    if (st != PH_OK) {
        ph_count(&conn->site->counters->tls_failures);
        return false;
    }
    ph_count(&conn->site->counters->tls_handshakes);
    switch (ph_tls_protocol(conn->tls)) {
    case PH_TLS_H2:
        return start(conn, PH_CONN_H2, now_ms);
    case PH_TLS_HTTP1:
        return start(conn, PH_CONN_H1, now_ms);
    case PH_TLS_UNSAID:
        break;
    }
    enter(conn, PH_CONN_PROBE, now_ms);
    return true;
}

static bool read_some(struct ph_conn *conn, char *room, size_t room_bytes, int64_t now_ms)
{
    size_t count = 0;
    if (conn->state == PH_CONN_HANDSHAKE && !shake_hands(conn, now_ms))
        return false;
    if (conn->state == PH_CONN_HANDSHAKE)
        return true;
    switch (conn->tls != NULL ? ph_tls_recv(conn->tls, room, room_bytes, &count)
                              : ph_os_recv(conn->fd, room, room_bytes, &count)) {
    case PH_OK:
        conn->read_ms = now_ms;
        conn->read_count++;
        conn->pinged_ms = 0;
        return feed(conn, ph_slice_of(room, count), now_ms);
    case PH_ERR_AGAIN:
        return true;
    case PH_ERR_NOT_FOUND:
        conn->peer_ended = true;
        return true;
    default:
        return false;
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static bool send_some(struct ph_conn *conn, int64_t now_ms, bool *ret_blocked)
{
    size_t count = 0;
    struct ph_slice bytes = ph_slice_of(conn->out.ptr + conn->out_sent, unsent(conn));
    enum ph_status st = conn->tls != NULL ? ph_tls_send(conn->tls, bytes, &count)
                                          : ph_os_send(conn->fd, bytes, &count);
    *ret_blocked = st == PH_ERR_AGAIN;
    if (st != PH_OK)
        return st == PH_ERR_AGAIN;
    conn->progress_ms = now_ms;
    conn->out_sent += count;
    *ret_blocked = conn->out_sent < conn->out.len;
    if (!*ret_blocked)
        conn->out.len = conn->out_sent = 0;
    return true;
}

/* Frames into `out`, `out` into the socket, until either has no more. */
static bool write_all(struct ph_conn *conn, int64_t now_ms)
{
    bool blocked = false;
    if (unsent(conn) == 0)
        conn->progress_ms = now_ms; /* the stall clock starts with the first byte that waits */
    while (!blocked) {
        if (conn->h2 != NULL && ph_h2_flush(conn->h2, PH_OUTPUT_BYTES_HIGH) != PH_OK)
            return false;
        if (unsent(conn) == 0)
            return true;
        if (!send_some(conn, now_ms, &blocked))
            return false;
    }
    return true;
}

static bool is_done(const struct ph_conn *conn)
{
    if (unsent(conn) > 0)
        return false;
    if (conn->last_answer)
        return true;
    if (conn->h2 == NULL)
        return false;
    return ph_h2_finished(conn->h2) ||
           (ph_h2_drained(conn->h2) && ph_h2_open_streams(conn->h2) == 0);
}

/* Sends what there is, then closes if that was all. Closing at once would throw away what the
 * client has not read yet when it is still sending: so our side is ended and the rest is read away.
 */
static bool settle(struct ph_conn *conn, int64_t now_ms)
{
    if (conn->state == PH_CONN_LINGER)
        return !conn->peer_ended;
    if (conn->state == PH_CONN_HANDSHAKE)
        return true;
    if (!write_all(conn, now_ms))
        return false;
    if (is_done(conn)) {
        if (conn->peer_ended)
            return false;
        if (conn->tls != NULL)
            ph_tls_end_sending(conn->tls);
        ph_os_end_sending(conn->fd);
        enter(conn, PH_CONN_LINGER, now_ms);
        return true;
    }
    /* Whoever ended its side has asked all it will ask; what it asked is answered. */
    return !conn->peer_ended || unsent(conn) > 0 ||
           (conn->h1 != NULL && (ph_h1_owes_answer(conn->h1) || ph_h1_has_rest(conn->h1)));
}

/* Lets an HTTP/1 connection go on with the requests it has kept while one waited, or while nobody
 * read the answers. */
static bool go_on(struct ph_conn *conn, int64_t now_ms)
{
    if (conn->state != PH_CONN_H1 || conn->last_answer)
        return true;
    return feed_h1(conn, (struct ph_slice){0}, now_ms);
}

/* ---- outside --------------------------------------------------------------------------------- */

bool ph_conn_ready(struct ph_conn *conn, bool readable, char *room, size_t room_bytes,
                   int64_t now_ms)
{
    bool wants = readable || (conn->tls != NULL && ph_tls_wants_write(conn->tls));
    if (wants && !read_some(conn, room, room_bytes, now_ms))
        return false;
    if (!ph_conn_flush(conn, now_ms))
        return false;
    /* What TLS has read already the socket will not announce again. */
    while (conn->tls != NULL && conn->state != PH_CONN_HANDSHAKE && ph_conn_wants_read(conn) &&
           ph_tls_has_pending(conn->tls)) {
        int64_t read_before = conn->read_count;
        if (!read_some(conn, room, room_bytes, now_ms) || !ph_conn_flush(conn, now_ms))
            return false;
        if (conn->read_count == read_before)
            break; /* half a record: the socket will say when the rest is there */
    }
    return true;
}

bool ph_conn_flush(struct ph_conn *conn, int64_t now_ms)
{
    do {
        if (!go_on(conn, now_ms) || !settle(conn, now_ms))
            return false;
    } while (conn->state == PH_CONN_H1 && !conn->last_answer && unsent(conn) == 0 &&
             ph_h1_has_rest(conn->h1));
    return true;
}

static bool tick_h1(struct ph_conn *conn, int64_t now_ms)
{
    const struct ph_http_limits *limits = conn->site->limits;
    int64_t waited = now_ms - ph_h1_phase_since_ms(conn->h1);
    switch (ph_h1_phase(conn->h1)) {
    case PH_H1_IDLE:
        return now_ms - (conn->read_ms > conn->progress_ms ? conn->read_ms : conn->progress_ms) <
               limits->idle_ms;
    case PH_H1_HEAD:
        if (waited < limits->head_ms)
            return true;
        break;
    case PH_H1_BODY:
        if (waited < limits->body_ms)
            return true;
        break;
    case PH_H1_WAITING: /* for us: whoever holds the exchange has a deadline */
        return ph_conn_flush(conn, now_ms);
    case PH_H1_UPGRADED:
    case PH_H1_CLOSED:
        return true;
    }
    ph_h1_expire(conn->h1);
    conn->last_answer = true;
    return settle(conn, now_ms);
}

/* A peer that has gone without a word would hold its streams for ever. */
static bool is_alive(struct ph_conn *conn, int64_t now_ms)
{
    if (conn->pinged_ms == 0 && now_ms - conn->read_ms >= PH_KEEPALIVE_MS) {
        conn->pinged_ms = now_ms;
        ph_h2_ping(conn->h2);
    }
    if (conn->pinged_ms == 0 || now_ms - conn->pinged_ms < PH_KEEPALIVE_WAIT_MS)
        return true;
    ph_count(&conn->site->counters->limit_keepalive);
    return false;
}

static bool tick_h2(struct ph_conn *conn, int64_t now_ms)
{
    ph_h2_expire(conn->h2, now_ms);
    bool idle =
        ph_h2_open_streams(conn->h2) == 0 && now_ms - conn->read_ms >= conn->site->limits->idle_ms;
    if (conn->draining || idle)
        return ph_conn_drain(conn, now_ms);
    if (ph_h2_open_streams(conn->h2) > 0 && !is_alive(conn, now_ms))
        return false;
    return settle(conn, now_ms);
}

/* Nothing is known of who is there, but that it sends little. */
static bool tick_stranger(struct ph_conn *conn, int64_t now_ms)
{
    const struct ph_http_limits *limits = conn->site->limits;
    int64_t waited = now_ms - conn->state_since_ms;
    if (conn->state == PH_CONN_PROBE && conn->probe_bytes == 0 && waited >= limits->idle_ms)
        return false;
    if (waited < limits->head_ms)
        return true;
    ph_count(&conn->site->counters->limit_head_time);
    return false;
}

static bool is_too_old(const struct ph_conn *conn, int64_t now_ms)
{
    return conn->age_max_ms > 0 && !conn->draining && now_ms - conn->born_ms >= conn->age_max_ms;
}

bool ph_conn_tick(struct ph_conn *conn, int64_t now_ms)
{
    if (unsent(conn) > 0 && now_ms - conn->progress_ms >= PH_WRITE_STALL_MS) {
        ph_count(&conn->site->counters->limit_write_stall);
        return false;
    }
    if (is_too_old(conn, now_ms))
        return ph_conn_drain(conn, now_ms);
    if (unsent(conn) == 0 && now_ms - conn->read_ms > 1000)
        ph_buffer_done(&conn->out); /* a quiet connection gives its memory back */
    switch (conn->state) {
    case PH_CONN_HANDSHAKE:
    case PH_CONN_PROBE:
        return tick_stranger(conn, now_ms);
    case PH_CONN_H1:
        return tick_h1(conn, now_ms);
    case PH_CONN_H2:
        return tick_h2(conn, now_ms);
    case PH_CONN_LINGER:
        return now_ms - conn->state_since_ms < PH_LINGER_MS;
    }
    return false;
}

bool ph_conn_drain(struct ph_conn *conn, int64_t now_ms)
{
    conn->draining = true;
    switch (conn->state) {
    case PH_CONN_HANDSHAKE:
    case PH_CONN_PROBE:
        return false;
    case PH_CONN_H1:
        ph_h1_drain(conn->h1);
        conn->last_answer = ph_h1_phase(conn->h1) == PH_H1_CLOSED;
        return settle(conn, now_ms);
    case PH_CONN_H2:
        ph_h2_drain(conn->h2);
        return settle(conn, now_ms);
    case PH_CONN_LINGER:
        break;
    }
    return true;
}

bool ph_conn_wants_read(const struct ph_conn *conn)
{
    if (conn->peer_ended)
        return false;
    if (conn->state == PH_CONN_LINGER)
        return true;
    return unsent(conn) < PH_OUTPUT_BYTES_HIGH &&
           (conn->state != PH_CONN_H1 || ph_h1_wants_read(conn->h1));
}

bool ph_conn_wants_write(const struct ph_conn *conn)
{
    return unsent(conn) > 0 || (conn->tls != NULL && ph_tls_wants_write(conn->tls));
}
