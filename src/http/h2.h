/* One HTTP/2 connection (prior knowledge) as a state machine over bytes, on nghttp2.
 *
 * T1: a stream's request is handled once, when it is complete or refused; its answer is copied.
 * T2: what a client can make us hold is bounded: PH_STREAMS_MAX streams, PH_MESSAGE_BYTES_MAX each, and
 *     the thread's budget; output waits inside the streams until there is room for it.
 * T3: a client that resets more than it lets finish is sent away (CVE-2023-44487). */
#ifndef PH_HTTP_H2_H
#define PH_HTTP_H2_H

#include "http/buffer.h"
#include "http/message.h"

/* What opens such a connection. */
#define PH_H2_PREFACE PH_S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

struct ph_h2;

/* Gives a connection, or NULL without memory. Keeps all three. */
struct ph_h2 *ph_h2_new(struct ph_memory *memory, const struct ph_http_handler *handler,
                        struct ph_buffer *out);
void ph_h2_free(struct ph_h2 *h2);
/* Reads bytes; handles the requests they complete. Not PH_OK: flush, then close. */
PH_MUST_USE enum ph_status ph_h2_feed(struct ph_h2 *h2, struct ph_slice bytes, int64_t now_ms);
/* Moves frames into `out` while it holds less than `out_max` bytes. */
PH_MUST_USE enum ph_status ph_h2_flush(struct ph_h2 *h2, size_t out_max);
/* Nothing more to read or write: close. */
bool ph_h2_finished(const struct ph_h2 *h2);
size_t ph_h2_open_streams(const struct ph_h2 *h2);
/* Takes no new streams (GOAWAY); those open are finished. */
void ph_h2_drain(struct ph_h2 *h2);
/* Resets streams that began before `before_ms` and whose request is not complete; those whose answer
 * the client does not take, PH_WRITE_STALL_MS later. */
void ph_h2_expire(struct ph_h2 *h2, int64_t before_ms);

#endif
