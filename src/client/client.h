/* Requests that we make: callouts and deliveries. libcurl on a thread of its own; the thread,
 * libcurl and the CA store start with the first request.
 *
 * H1: a request that was taken ends in exactly one call of its `done`, on the client's thread:
 *     with a response, a failure, or STOPPED.
 * H2: bounded: PH_CLIENT_INFLIGHT_MAX requests, each with time limits and a response limit.
 * H3: no redirects, no proxies from the environment, no protocol but HTTP; unless the request
 *     allows it, no connection to an address that is not public: judged on the address connected
 *     to, not on the name.
 * H4: what was sent and not stopped by us never ends as STOPPED: who retries must know that it
 *     was made. */
#ifndef PH_CLIENT_CLIENT_H
#define PH_CLIENT_CLIENT_H

#include "core/engine.h"

struct ph_client;

struct ph_client_options {
    const char *ca_file; /* PEM; NULL: the system's */
    /* HOST:PORT that every connection goes to (an egress gateway, a test); NULL: none. Names in
     * TLS and Host stay the request's. */
    const char *connect_to;
};

struct ph_client_request {
    struct ph_slice method, url; /* http:// or https:// */
    const struct ph_header *headers;
    size_t header_count;
    struct ph_slice body;
    int64_t connect_ms, total_ms;
    size_t response_bytes_max;
    bool https_only, allow_private;
    const char *certificate_file, *key_file; /* mTLS, PEM; NULL: none. Kept until the answer */
};

enum ph_client_result {
    PH_CLIENT_ANSWERED,        /* an HTTP response, of any status */
    PH_CLIENT_BAD_URL,         /* not a URL we may ask */
    PH_CLIENT_PRIVATE_ADDRESS, /* the name leads to an address that is not public (H3) */
    PH_CLIENT_UNREACHABLE,     /* no name, no route, connection refused or lost */
    PH_CLIENT_TLS,             /* the peer is not who it should be, or speaks no TLS of ours */
    PH_CLIENT_TIMEOUT,
    PH_CLIENT_TOO_LARGE, /* the response is over its limit, or over what memory there is */
    PH_CLIENT_STOPPED,   /* we are stopping, or had no memory to begin */
};

struct ph_client_response {
    enum ph_client_result result;
    int status;                      /* ANSWERED */
    struct ph_slice reason;          /* for a person, when not ANSWERED */
    const struct ph_header *headers; /* of the last response, in order */
    size_t header_count;
    struct ph_slice body;
    int64_t elapsed_ms;
    bool connected; /* bytes may have reached the peer: it may have acted */
};

/* On the client's thread; `response` is borrowed. Must not block. */
typedef void ph_client_done(void *ctx, const struct ph_client_response *response);

/* Gives a client, or NULL without memory. Keeps the options' texts. Starts nothing yet. */
struct ph_client *ph_client_new(const struct ph_client_options *options);
/* Ends what is in flight as STOPPED and joins the thread. NULL is fine. */
void ph_client_free(struct ph_client *client);

/* Takes a copy of `request`. From any thread, before ph_client_free begins. PH_ERR_AGAIN: as
 * many are in flight as may be; PH_ERR_INVALID: a line break hides in it. On failure `done` is
 * never called. */
PH_MUST_USE enum ph_status ph_client_submit(struct ph_client *client,
                                            const struct ph_client_request *request,
                                            ph_client_done *done, void *ctx);
/* Requests taken and not ended. */
size_t ph_client_inflight(struct ph_client *client);

/* A response's header, trimmed, in any case; absent: none. */
struct ph_slice ph_client_header(const struct ph_client_response *response, struct ph_slice name);

#endif
