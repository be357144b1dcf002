/* What HTTP/1 and HTTP/2 have in common: an exchange, which is one request and its answer.
 *
 *   READING -> ANSWERED   the handler answers at once
 *   READING -> HELD       it says "later", or begins an answer of many parts
 *   HELD    -> ANSWERED   ph_http_answer without `open`, or ph_http_end
 *   HELD    -> GONE       the client went away first: the owner is told, once
 *
 * M1: what a handler answers lives until its next call, and is copied by then.
 * M2: while an exchange is held, its request's bytes stay where they are; when it is gone its
 *     owner may take them over (ph_http_take_bytes) for those who still read them. A body that
 *     passes (ph_http_handler.passes) moves once: when the handler has said "later".
 * M3: an exchange, and all calls on it, belong to one thread. Others speak to it through
 *     server/later.h. */
#ifndef PH_HTTP_MESSAGE_H
#define PH_HTTP_MESSAGE_H

#include "base/limits.h"
#include "core/engine.h"
#include "http/buffer.h"
#include "http/counters.h"

enum ph_http_refusal {
    PH_HTTP_FINE,
    PH_HTTP_BODY_TOO_LARGE,
    PH_HTTP_HEADERS_TOO_LARGE,
    PH_HTTP_NO_ROOM,  /* the thread's buffers are used up */
    PH_HTTP_TOO_LATE, /* grpc-timeout is over, and the request is not all there */
};

struct ph_http_request {
    struct ph_slice method;
    struct ph_slice target; /* as in the request line, or :path */
    const struct ph_header *headers;
    size_t header_count;
    uint64_t marks; /* ph_http_mark of each header's name */
    struct ph_slice body;
    int64_t headers_ms; /* when the head was complete, by the clock given to feed */
    bool http2;
    bool streams;                 /* the body comes in parts: see ph_http_handler.streams */
    enum ph_http_refusal refusal; /* not FINE: what there is may be cut short */
};

struct ph_http_response {
    int status;
    const struct ph_header *headers; /* lower-case names; no connection or length headers */
    size_t header_count;
    struct ph_slice prefix, body;     /* one after the other */
    const struct ph_header *trailers; /* HTTP/2 only */
    size_t trailer_count;
    bool open; /* more of the body follows by ph_http_write; the trailers come with ph_http_end */
};

enum { PH_TRAILERS_MAX = 4 };

struct ph_span {
    uint32_t start, len;
};

struct ph_http_transport;
struct ph_http_exchange;

/* Whoever holds an exchange; the first member of what it really is. */
struct ph_http_owner {
    /* The exchange has died: it is not to be touched afterwards. */
    void (*gone)(struct ph_http_owner *owner, struct ph_http_exchange *exchange);
    /* There are new bytes at the end of exchange->body, the client has ended, exchange->refusal was
     * set, or there is room again after a PH_ERR_AGAIN. The owner drops what it has used. NULL: it
     * writes no parts. */
    void (*data)(struct ph_http_owner *owner, struct ph_http_exchange *exchange, bool ended);
};

struct ph_http_field {
    struct ph_span name, value;
};

struct ph_http_exchange {
    const struct ph_http_transport *transport;
    void *connection;            /* the server's note: whom to flush after an answer */
    struct ph_http_owner *owner; /* who holds it: set by the handler that says so */
    bool held, http2, streams;
    enum ph_http_refusal refusal;
    int64_t headers_ms;
    /* The request: the texts of its head one after the other, and where each lies. */
    struct ph_buffer head, body;
    struct ph_slice passing; /* the body, while it lies where it was read; else absent */
    struct ph_span method, target;
    size_t field_count;
    struct ph_http_field fields[PH_HEADERS_MAX]; /* last: what is used of it lies beside the rest */
};

/* How an answer leaves; one per HTTP version. */
struct ph_http_transport {
    enum ph_status (*answer)(struct ph_http_exchange *, const struct ph_http_response *);
    enum ph_status (*write)(struct ph_http_exchange *, struct ph_slice prefix,
                            struct ph_slice body);
    void (*end)(struct ph_http_exchange *, const struct ph_header *trailers, size_t count);
};

enum ph_http_outcome {
    PH_HTTP_ANSWERED, /* *ret_response is the answer, or with `open` and an owner its beginning */
    PH_HTTP_LATER,    /* exchange->owner is set, and ph_http_answer will follow */
};

struct ph_http_handler {
    /* A request that is complete, or refused; with `streams`, its head. */
    enum ph_http_outcome (*handle)(void *ctx, struct ph_http_exchange *exchange,
                                   const struct ph_http_request *request,
                                   struct ph_http_response *ret_response);
    /* Whether this target's body is wanted in parts, as they come (HTTP/2). NULL: none is. */
    bool (*streams)(void *ctx, struct ph_slice target);
    /* Whether whoever handles this target reads nothing of the body once `handle` has returned, but
     * for what the exchange then has: a body that came in one piece is not copied for them
     * (HTTP/2). NULL: nobody is so quick. */
    bool (*passes)(void *ctx, struct ph_slice target);
    void *ctx;
};

/* What a request may cost: `limits` of the configuration. headers is at most PH_HEADERS_MAX. Only
 * the thread of the connections changes them, between two calls; a request that has begun goes on
 * under the new ones. */
struct ph_http_limits {
    size_t headers, header_bytes; /* of one request: how many, and all their bytes */
    int64_t head_ms, body_ms,
        idle_ms; /* for the head, then for the body; of a connection without a request */
};
/* Those of base/limits.h: what the configuration has by default. */
extern const struct ph_http_limits ph_http_limits_usual;

struct ph_h2_spares;

/* What the connections of one listener share on one thread. */
struct ph_http_site {
    struct ph_memory *memory;
    const struct ph_http_handler *handler;
    struct ph_counters *counters;
    const struct ph_http_limits *limits;
    struct ph_h2_spares *spares; /* of all the thread's listeners */
};

/* The answer of a held exchange, or with `open` its beginning. PH_ERR_*: the exchange was aborted,
 * and is no longer held. Whoever calls flushes the connection afterwards. */
PH_MUST_USE enum ph_status ph_http_answer(struct ph_http_exchange *exchange,
                                          const struct ph_http_response *response);
/* More of an open answer; one part or nothing. PH_ERR_AGAIN: more than PH_STREAM_OUTPUT_BYTES_MAX
 * waits already; the owner's `data` is called when there is room. */
PH_MUST_USE enum ph_status ph_http_write(struct ph_http_exchange *exchange, struct ph_slice prefix,
                                         struct ph_slice body);
/* The end of an open answer: the exchange is no longer held. */
void ph_http_end(struct ph_http_exchange *exchange, const struct ph_header *trailers, size_t count);
/* The request of an exchange, as `handle` saw it. `headers` is room for it. */
void ph_http_exchange_request(const struct ph_http_exchange *exchange,
                              struct ph_header headers[PH_HEADERS_MAX],
                              struct ph_http_request *ret_request);
/* Gives the request's bytes away, with the pointers into them still good. */
void ph_http_take_bytes(struct ph_http_exchange *exchange, struct ph_buffer *ret_head,
                        struct ph_buffer *ret_body);

/* ---- for the transports ---------------------------------------------------------------------- */
void ph_http_exchange_init(struct ph_http_exchange *exchange, struct ph_memory *memory);
/* Ready for the next request. Keeps small buffers. */
void ph_http_exchange_clear(struct ph_http_exchange *exchange);
void ph_http_exchange_done(struct ph_http_exchange *exchange);
/* A body that passes moves to where it stays. PH_ERR_NO_MEMORY: it is lost. */
PH_MUST_USE enum ph_status ph_http_exchange_settle(struct ph_http_exchange *exchange);
/* Tells the owner, when the exchange is held, that it has died. */
void ph_http_exchange_gone(struct ph_http_exchange *exchange);
/* Tells the owner, when the exchange is held, to look at it. */
void ph_http_exchange_data(struct ph_http_exchange *exchange, bool ended);
/* Appends a text of the head and says where it is. */
PH_MUST_USE static inline enum ph_status ph_http_keep(struct ph_buffer *head, struct ph_slice text,
                                                      struct ph_span *ret_span)
{
    size_t start = head->len;
    PH_TRY(ph_buffer_append(head, text));
    *ret_span = (struct ph_span){.start = (uint32_t)start, .len = (uint32_t)text.len};
    return PH_OK;
}
/* A header, the same way: both of its texts or, on an error, none. */
PH_MUST_USE static inline enum ph_status
ph_http_keep_header(struct ph_http_exchange *exchange, struct ph_slice name, struct ph_slice value)
{
    struct ph_buffer *head = &exchange->head;
    struct ph_http_field *field = &exchange->fields[exchange->field_count];
    size_t start = head->len;
    PH_TRY(ph_buffer_reserve(head, name.len + value.len));
    memcpy(head->ptr + start, name.ptr, name.len);
    memcpy(head->ptr + start + name.len, value.ptr, value.len);
    head->len = start + name.len + value.len;
    field->name = (struct ph_span){.start = (uint32_t)start, .len = (uint32_t)name.len};
    field->value =
        (struct ph_span){.start = (uint32_t)(start + name.len), .len = (uint32_t)value.len};
    exchange->field_count++;
    return PH_OK;
}
static inline struct ph_slice ph_http_span(const struct ph_buffer *head, struct ph_span span)
{
    return ph_slice_of(span.len > 0 ? head->ptr + span.start : "", span.len);
}

/* One of 64 bits, the same for a name in any case: most names that are looked for are not there,
 * and their bit says so. */
static inline uint64_t ph_http_mark(struct ph_slice name)
{
    unsigned last = name.len > 0 ? (unsigned char)name.ptr[name.len - 1] | 0x20U : 0;
    return (uint64_t)1 << ((name.len * 5 + last) % 64);
}
/* What ph_http_header does when the name's bit is set. */
struct ph_slice ph_http_find_header(const struct ph_http_request *request, struct ph_slice name);
/* The first header of that name, any case; absent when there is none. */
static inline struct ph_slice ph_http_header(const struct ph_http_request *request,
                                             struct ph_slice name)
{
    return (request->marks & ph_http_mark(name)) != 0 ? ph_http_find_header(request, name)
                                                      : (struct ph_slice){0};
}
/* The token of `Authorization: Bearer`; absent: none, another scheme, or the header comes more than
 * once: which one somebody in front of us has judged nobody knows. */
struct ph_slice ph_http_bearer(const struct ph_http_request *request);
/* Whether a list with commas, as of Connection, has the word, in any case. */
bool ph_http_list_has(struct ph_slice list, struct ph_slice word);
/* The target without query and fragment. */
struct ph_slice ph_http_path(const struct ph_http_request *request);
/* The reason phrase of a status; never empty. */
struct ph_slice ph_http_reason(int status);

#endif
