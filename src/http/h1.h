/* One HTTP/1 connection as a state machine over bytes, on llhttp.
 *
 *   IDLE    -> HEAD      the first byte of a request
 *   HEAD    -> BODY      its head is complete
 *   BODY    -> IDLE      it is complete and answered at once
 *   BODY    -> WAITING   the handler answers later, or in many parts
 *   WAITING -> IDLE      the answer is complete
 *   BODY    -> UPGRADED  it asked for h2c: the caller goes on with HTTP/2
 *   any     -> CLOSED    the last answer is in `out`
 *
 * H1: a request is handled once, when it is complete, and in order: what follows a request that
 *     waits for its answer is kept unread.
 * H2: what two HTTP readers could read differently is refused (RFC 9112 §11.2): bare CR or LF,
 *     folded lines, both lengths, an encoding other than chunked, no Host or two.
 * H3: after a refusal nothing more is read from the connection.
 * H4: with PH_OUTPUT_BYTES_HIGH in `out` no further request of a pipeline is handled: a few bytes
 *     may ask for thousands of answers, and nobody may be reading them. */
#ifndef PH_HTTP_H1_H
#define PH_HTTP_H1_H

#include "http/buffer.h"
#include "http/message.h"

struct ph_h1;

enum ph_h1_phase {
    PH_H1_IDLE,
    PH_H1_HEAD,
    PH_H1_BODY,
    PH_H1_WAITING,
    PH_H1_UPGRADED,
    PH_H1_CLOSED,
};

/* Gives a connection, or NULL without memory. Keeps all; `connection` goes into its exchange.
 * Answers go to the end of `out`. may_upgrade: takes offers of h2c. */
struct ph_h1 *ph_h1_new(const struct ph_http_site *site, void *connection, struct ph_buffer *out,
                        bool may_upgrade);
/* A held exchange is gone by it. NULL is fine. */
void ph_h1_free(struct ph_h1 *h1);
/* Reads bytes, those kept from before first; handles the requests they complete. Called with no
 * bytes after an answer that came later, and when `out` has room again. now_ms: of a clock that
 * never goes back. */
void ph_h1_feed(struct ph_h1 *h1, struct ph_slice bytes, int64_t now_ms);
/* False while a request waits for its answer, or bytes for room (H4). */
bool ph_h1_wants_read(const struct ph_h1 *h1);
/* Bytes are kept that a feed without bytes would go on with, given room in `out`. */
bool ph_h1_has_rest(const struct ph_h1 *h1);
/* A request waits for an answer that is to come whole: also a client that ended its side gets it.
 */
bool ph_h1_owes_answer(const struct ph_h1 *h1);
enum ph_h1_phase ph_h1_phase(const struct ph_h1 *h1);
/* When the current phase began. */
int64_t ph_h1_phase_since_ms(const struct ph_h1 *h1);
/* UPGRADED: the request that asked for it, the bytes that came behind it, and the value of its
 * HTTP2-Settings header. All live as long as the connection does. */
struct ph_http_exchange *ph_h1_upgraded(struct ph_h1 *h1, struct ph_slice *ret_settings,
                                        struct ph_slice *ret_rest);
/* The next answer is the last one. */
void ph_h1_drain(struct ph_h1 *h1);
/* Answers 408 and closes: the client was too slow. */
void ph_h1_expire(struct ph_h1 *h1);

#endif
