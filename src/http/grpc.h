/* gRPC over HTTP/2: messages, compression, time-outs, statuses. Bytes in, bytes out.
 * Facts: github.com/grpc/grpc doc/PROTOCOL-HTTP2.md (read 2026-11-24). */
#ifndef PH_HTTP_GRPC_H
#define PH_HTTP_GRPC_H

#include "base/arena.h"
#include "http/message.h"

enum ph_grpc_code {
    PH_GRPC_OK = 0,
    PH_GRPC_CANCELLED = 1,
    PH_GRPC_INVALID_ARGUMENT = 3,
    PH_GRPC_DEADLINE_EXCEEDED = 4,
    PH_GRPC_NOT_FOUND = 5,
    PH_GRPC_PERMISSION_DENIED = 7,
    PH_GRPC_RESOURCE_EXHAUSTED = 8,
    PH_GRPC_FAILED_PRECONDITION = 9,
    PH_GRPC_UNIMPLEMENTED = 12,
    PH_GRPC_INTERNAL = 13,
    PH_GRPC_UNAVAILABLE = 14,
    PH_GRPC_UNAUTHENTICATED = 16,
};

enum { PH_GRPC_PREFIX_BYTES = 5 };

/* Where a call ends when it does not end well. `name` is the code of JSON answers. */
struct ph_fault {
    int code; /* enum ph_grpc_code; OK: none */
    struct ph_slice name;
    struct ph_slice message;
    bool integration; /* one of headers or config: told with its details (PEER-CONTRACT §7) */
    struct ph_slice suggestion; /* what to try; may be absent */
};

/* Whether this is a gRPC call: by its content type (application/grpc, +proto; grpc-web is not). */
bool ph_grpc_is_call(const struct ph_http_request *request);
/* What the encodings of a call are, by its headers. */
struct ph_grpc_encodings {
    bool request_gzip; /* compressed messages are gzip; else none may be */
    bool accepts_gzip;
};
/* False, with PH_GRPC_UNIMPLEMENTED: an encoding that we do not know. */
bool ph_grpc_encodings(const struct ph_http_request *request, struct ph_grpc_encodings *ret,
                       struct ph_fault *ret_fault);
#define PH_GRPC_ACCEPT_ENCODING PH_S("identity,gzip")

/* The first message of `bytes`, and how long it is with its prefix; 0: there is not all of it yet.
 * The message points into `bytes`, or when it was compressed into the arena. False: *ret_fault says
 * why. */
bool ph_grpc_take(struct ph_slice bytes, bool gzip, size_t message_max, struct ph_arena *arena,
                  struct ph_slice *ret_message, size_t *ret_used, struct ph_fault *ret_fault);
/* The message of a unary call: one, and nothing behind it. */
bool ph_grpc_read(struct ph_slice body, bool gzip, size_t message_max, struct ph_arena *arena,
                  struct ph_slice *ret_message, struct ph_fault *ret_fault);
/* "100m", "5S" in ms, rounded up; false when it is none. */
bool ph_grpc_timeout_ms(struct ph_slice text, int64_t *ret_ms);
void ph_grpc_write_prefix(char prefix[PH_GRPC_PREFIX_BYTES], size_t message_bytes, bool compressed);
/* The first PH_GRPC_TEXT_BYTES_MAX bytes of `text`, or up to three less so that no character is
 * cut, percent-encoded as the grpc-message header wants it; {NULL,0} without memory. */
struct ph_slice ph_grpc_encode_message(struct ph_arena *arena, struct ph_slice text);
/* The code as the decimal text of grpc-status. */
struct ph_slice ph_grpc_status_text(int code);
/* "INVALID_ARGUMENT", for JSON. */
struct ph_slice ph_grpc_code_name(int code);

#endif
