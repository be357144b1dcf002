/* What HTTP/1 and HTTP/2 have in common: a request that is complete, and its answer.
 *
 * M1: a handler answers at once; what it answers lives until its next call, and is copied by then. */
#ifndef PH_HTTP_MESSAGE_H
#define PH_HTTP_MESSAGE_H

#include "core/engine.h"

enum ph_http_refusal {
    PH_HTTP_FINE,
    PH_HTTP_BODY_TOO_LARGE,
    PH_HTTP_HEADERS_TOO_LARGE,
    PH_HTTP_NO_ROOM, /* the thread's buffers are used up */
};

struct ph_http_request {
    struct ph_slice method;
    struct ph_slice target; /* as in the request line, or :path */
    const struct ph_header *headers;
    size_t header_count;
    struct ph_slice body;
    int64_t headers_ms;           /* when the head was complete, by the clock given to feed */
    bool http2;
    enum ph_http_refusal refusal; /* not FINE: what there is may be cut short */
};

struct ph_http_response {
    int status;
    const struct ph_header *headers; /* lower-case names; no connection or length headers */
    size_t header_count;
    struct ph_slice prefix, body;    /* one after the other */
    const struct ph_header *trailers; /* HTTP/2 only */
    size_t trailer_count;
};

enum { PH_TRAILERS_MAX = 4 };

struct ph_http_handler {
    void (*handle)(void *ctx, const struct ph_http_request *request,
                   struct ph_http_response *ret_response);
    void *ctx;
};

/* The first header of that name, any case; absent when there is none. */
struct ph_slice ph_http_header(const struct ph_http_request *request, struct ph_slice name);
/* The target without query and fragment. */
struct ph_slice ph_http_path(const struct ph_http_request *request);
/* The reason phrase of a status; never empty. */
struct ph_slice ph_http_reason(int status);

#endif
