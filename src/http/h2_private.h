/* The inside of an HTTP/2 connection: h2.c speaks with nghttp2, h2_stream.c keeps streams and
 * answers. */
#ifndef PH_HTTP_H2_PRIVATE_H
#define PH_HTTP_H2_PRIVATE_H

#include <nghttp2/nghttp2.h>

#include "http/h2.h"

struct ph_h2_stream {
    struct ph_http_exchange exchange; /* first: an exchange leads to its stream */
    struct ph_h2 *h2;
    struct ph_h2_stream *next,
        *previous; /* open ones, in order of their begin; or the spare ones by next */
    int32_t id;
    int64_t begun_ms;
    int64_t progress_ms; /* when output last moved, or began to wait */
    bool handled;        /* later bytes are for `data`, or dropped */
    bool remote_closed;
    bool ended;        /* the answer is whole */
    bool stalled;      /* the handler waits for room */
    bool may_pass;     /* the body need not be copied: ph_http_handler.passes */
    size_t unconsumed; /* body bytes for which the client got no window yet */
    size_t head_bytes;
    struct ph_buffer out; /* the body; when it has ended, the trailers' texts behind it */
    size_t out_body_bytes, out_sent;
    struct ph_span trailer_names[PH_TRAILERS_MAX], trailer_values[PH_TRAILERS_MAX];
    size_t trailer_count;
};

struct ph_h2 {
    nghttp2_session *session;
    const struct ph_http_site *site;
    void *connection;
    struct ph_buffer *out;
    struct ph_h2_stream *first, *last;
    struct ph_h2_stream *told;    /* an open one, or NULL */
    struct ph_h2_stream *passing; /* whose body lies in what is being fed; NULL: nobody's */
    size_t open_count, stalled_count, held_count;
    int64_t now_ms, credit_ms;
    int reset_credit, control_credit;
    int32_t last_id, gap_first,
        gap_last; /* streams the client passed over: they cannot come later */
    int drain_step;
    bool id_told; /* x-request-id is in the table of what we send */
    bool failed;
};

/* The memory of the site's connections, for nghttp2. */
nghttp2_mem ph_h2_memory(const struct ph_http_site *site);
void ph_h2_memory_rest(struct ph_h2_spares *spares, struct ph_memory *memory);
/* An open stream, or NULL without memory. */
struct ph_h2_stream *ph_h2_stream_take(struct ph_h2 *h2, int32_t id);
/* Closes it: its exchange is gone if it was held. */
void ph_h2_stream_give(struct ph_h2 *h2, struct ph_h2_stream *s);
void ph_h2_streams_done(struct ph_h2 *h2);
/* Hands the request to the handler and begins the answer. */
void ph_h2_stream_handle(struct ph_h2_stream *s);
/* Bytes came, the client ended, or there is room again: for exchanges in parts. */
void ph_h2_stream_data(struct ph_h2_stream *s);
/* Streams whose handler waits for room and has it are told. True: one was. */
bool ph_h2_streams_wake(struct ph_h2 *h2);
void ph_h2_reset(struct ph_h2 *h2, int32_t id, uint32_t why);

static inline size_t ph_h2_unsent(const struct ph_h2_stream *s)
{
    return s->out_body_bytes - s->out_sent;
}

#endif
