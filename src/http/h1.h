/* One HTTP/1 connection as a state machine over bytes, on llhttp.
 *
 * H1: a request is handled once, when it is complete, and in order; pipelined ones follow.
 * H2: what two HTTP readers could read differently is refused (RFC 9112 §11.2): bare CR or LF, folded
 *     lines, both lengths, an encoding other than chunked, no Host or two.
 * H3: after a refusal nothing more is read from the connection. */
#ifndef PH_HTTP_H1_H
#define PH_HTTP_H1_H

#include "http/buffer.h"
#include "http/message.h"

struct ph_h1;

enum ph_h1_phase {
    PH_H1_IDLE, /* between requests */
    PH_H1_HEAD,
    PH_H1_BODY,
    PH_H1_CLOSED, /* the last answer is in `out` */
};

/* Gives a connection, or NULL without memory. Keeps all three. Answers go to the end of `out`. */
struct ph_h1 *ph_h1_new(struct ph_memory *memory, const struct ph_http_handler *handler,
                        struct ph_buffer *out);
void ph_h1_free(struct ph_h1 *h1);
/* Reads bytes; handles the requests they complete. now_ms: of a clock that never goes back. */
void ph_h1_feed(struct ph_h1 *h1, struct ph_slice bytes, int64_t now_ms);
enum ph_h1_phase ph_h1_phase(const struct ph_h1 *h1);
/* When the current phase began. */
int64_t ph_h1_phase_since_ms(const struct ph_h1 *h1);
/* The next answer is the last one. */
void ph_h1_drain(struct ph_h1 *h1);
/* Answers 408 and closes: the client was too slow. */
void ph_h1_expire(struct ph_h1 *h1);

#endif
