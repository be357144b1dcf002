/* One HTTP/2 connection as a state machine over bytes, on nghttp2.
 *
 * T1: a stream's request is handled once, when it is complete or refused (or, where the handler
 *     wants parts, when its head is complete); its answer is copied.
 * T2: what a client can make us hold is bounded: PH_STREAMS_MAX streams, PH_MESSAGE_BYTES_MAX
 *     each, PH_STREAM_OUTPUT_BYTES_MAX of open answers, and the thread's budget; output waits
 *     inside the streams until there is room for it.
 * T3: a client that resets more than it lets finish is sent away (CVE-2023-44487), and so is
 *     one that keeps us busy with frames that carry nothing.
 * T4: a stream that dies while the handler holds its exchange tells the handler, once. */
#ifndef PH_HTTP_H2_H
#define PH_HTTP_H2_H

#include "http/buffer.h"
#include "http/message.h"

/* What opens such a connection. */
#define PH_H2_PREFACE PH_S("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

struct ph_h2;
struct ph_h2_stream;
struct ph_h2_block;

/* Streams between two requests, with their buffers, wiped, and nghttp2's small blocks: one
 * thread's, for all its connections. What was given last is taken first, as it is still in the
 * processor's cache. Zeroed it is empty. */
struct ph_h2_spares {
    struct ph_h2_stream *first;
    size_t count, least;            /* least: of `count`, since ph_h2_spares_rest */
    struct ph_h2_block *blocks[17]; /* by size, in steps of 64 bytes: up to 1 KiB */
};
/* Gives back the blocks, and the streams that nobody has needed since the last call. */
void ph_h2_spares_rest(struct ph_h2_spares *spares, struct ph_memory *memory);
void ph_h2_spares_done(struct ph_h2_spares *spares, struct ph_memory *memory);

/* Gives a connection, or NULL without memory. Keeps all; `connection` goes into its exchanges. */
struct ph_h2 *ph_h2_new(const struct ph_http_site *site, void *connection, struct ph_buffer *out);
/* Held exchanges are gone by it. NULL is fine. */
void ph_h2_free(struct ph_h2 *h2);
/* Makes an HTTP/1 request stream 1 of a fresh connection (Upgrade: h2c) and handles it; takes its
 * bytes. Not PH_OK: close. */
PH_MUST_USE enum ph_status ph_h2_upgrade(struct ph_h2 *h2, struct ph_http_exchange *request,
                                         struct ph_slice settings, int64_t now_ms);
/* Reads bytes; handles the requests they complete. Not PH_OK: flush, then close. */
PH_MUST_USE enum ph_status ph_h2_feed(struct ph_h2 *h2, struct ph_slice bytes, int64_t now_ms);
/* Moves frames into `out` while it holds less than `out_max` bytes. */
PH_MUST_USE enum ph_status ph_h2_flush(struct ph_h2 *h2, size_t out_max);
/* Nothing more to read or write: close. */
bool ph_h2_finished(const struct ph_h2 *h2);
size_t ph_h2_open_streams(const struct ph_h2 *h2);
/* Exchanges that the handler holds. */
size_t ph_h2_held(const struct ph_h2 *h2);
/* Ends in two steps (RFC 9113 §6.8): the first call says that the end is near, the second, a round
 * trip later, that no new streams are taken. Those open are finished. Further calls do nothing. */
void ph_h2_drain(struct ph_h2 *h2);
/* Whether the second step is done. */
bool ph_h2_drained(const struct ph_h2 *h2);
/* Resets streams whose head or body takes longer than the site's limits, and those whose answer the
 * client has not taken for PH_WRITE_STALL_MS. */
void ph_h2_expire(struct ph_h2 *h2, int64_t now_ms);
/* Asks the peer for a sign of life. */
void ph_h2_ping(struct ph_h2 *h2);

#endif
