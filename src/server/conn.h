/* One accepted socket: finds out which HTTP is spoken, moves bytes between the socket and the state
 * machine, and knows when it has waited long enough.
 *
 *   HANDSHAKE -> PROBE, H1, H2   TLS is agreed on; ALPN says which, or nothing
 *   PROBE  -> H2      the client's first bytes are the HTTP/2 preface
 *   PROBE  -> H1      they are anything else
 *   H1     -> H2      a request asked for it (Upgrade: h2c)
 *   H1, H2 -> LINGER  the last answer is sent: our side is ended, the client's rest is thrown away
 *   any    -> gone    the peer closes, an error, a time limit
 *
 * K1: while more than PH_OUTPUT_BYTES_HIGH waits to be sent, or an HTTP/1 request waits for its
 *     answer, nothing is read.
 * K2: an exchange that is held when its connection goes tells its owner. */
#ifndef PH_SERVER_CONN_H
#define PH_SERVER_CONN_H

#include "http/h1.h"
#include "http/h2.h"
#include "os/tls.h"

enum ph_conn_state { PH_CONN_PROBE, PH_CONN_HANDSHAKE, PH_CONN_H1, PH_CONN_H2, PH_CONN_LINGER };

enum { PH_PREFACE_BYTES = 24 };

struct ph_conn {
    struct ph_conn *next, *previous; /* of the reactor */
    int fd;
    uint32_t registered; /* the epoll events asked for: the reactor's note */
    enum ph_conn_state state;
    bool draining, peer_ended, last_answer;
    const struct ph_http_site *site;
    struct ph_tls *tls; /* NULL: none */
    struct ph_h1 *h1;
    struct ph_h2 *h2;
    struct ph_buffer out;
    size_t out_sent;
    int64_t born_ms, age_max_ms;                  /* 0: any age */
    int64_t pinged_ms;                            /* 0: no ping is out */
    int64_t read_count;                           /* reads that brought something */
    int64_t state_since_ms, read_ms, progress_ms; /* progress: of sending */
    uint8_t peer[16];                             /* asked for once */
    bool peer_known;
    size_t probe_bytes;
    char probe[PH_PREFACE_BYTES];
};

/* Takes `fd` and `tls` (NULL: plain), also when it answers NULL for want of memory. Keeps `site`.
 */
struct ph_conn *ph_conn_new(const struct ph_http_site *site, int fd, struct ph_tls *tls,
                            int64_t now_ms);
void ph_conn_free(struct ph_conn *conn);
/* The socket is ready. `room` is scratch for one recv. False: free it. */
bool ph_conn_ready(struct ph_conn *conn, bool readable, char *room, size_t room_bytes,
                   int64_t now_ms);
/* An exchange of its was answered: sends, and goes on with what waited. False: free it. */
bool ph_conn_flush(struct ph_conn *conn, int64_t now_ms);
/* Looks at the clock. False: free it. */
bool ph_conn_tick(struct ph_conn *conn, int64_t now_ms);
/* Finishes what is in flight and then closes. False: free it. */
bool ph_conn_drain(struct ph_conn *conn, int64_t now_ms);
/* The peer's address, IPv4 as ::ffff:a.b.c.d. Lives with the connection. */
const uint8_t *ph_conn_peer(struct ph_conn *conn);
/* Whether it waits for the socket to become readable, writable. */
bool ph_conn_wants_read(const struct ph_conn *conn);
bool ph_conn_wants_write(const struct ph_conn *conn);

#endif
