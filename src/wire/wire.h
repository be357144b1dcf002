/* The wire: requests in and answers out, as protobuf and as canonical protobuf JSON (proto field
 * names, enum names, defaults omitted, bytes base64, int64 as text). Bytes in, bytes out; no
 * I/O.
 *
 * W1: a string that leaves is valid UTF-8 without NUL: bad bytes become U+FFFD.
 * W2: Handle fails closed: unless a verdict is VERIFIED, event_type is UNSPECIFIED,
 *     event_response absent and what was read is in unverified_response. */
#ifndef PH_WIRE_WIRE_H
#define PH_WIRE_WIRE_H

#include "core/engine.h"

enum ph_form {
    PH_FORM_HANDLE,       /* HandleResponse (DESIGN §5) */
    PH_FORM_HANDLE_EVENT, /* EventServiceHandleResponse, the peer's */
    PH_FORM_PARSE,        /* EventServiceParseResponse */
    PH_FORM_COMPOSITE,    /* CompositeEventHandleResponse: the two above in one */
};

/* EventServiceHandleRequest, or EventServiceParseRequest (a prefix of its meaning), or
 * CompositeEventHandleRequest (the same under other numbers), decoded. Points into the bytes
 * given and the arena. */
struct ph_call {
    struct ph_request request;
    struct ph_secret_pair secret; /* as sent */
    bool has_secret;
    struct ph_slice merchant_event_id;
    int32_t capture_method;
};

/* The decoders answer PH_ERR_MALFORMED with *ret_why, PH_ERR_INVALID when request_details is
 * missing ("Missing required field 'request_details' in webhook request"). Unknown fields are
 * skipped. */
PH_MUST_USE enum ph_status ph_wire_read_call(struct ph_arena *arena, enum ph_form form,
                                             struct ph_slice bytes, struct ph_call *ret_call,
                                             struct ph_slice *ret_why);
/* Canonical protobuf JSON, or the peer's (ph_wire_write_serde); field names in snake_case or
 * lowerCamelCase, enums as names or numbers. */
PH_MUST_USE enum ph_status ph_wire_read_call_json(struct ph_arena *arena, enum ph_form form,
                                                  struct ph_slice text, struct ph_call *ret_call,
                                                  struct ph_slice *ret_why);
/* Answers without ->error only; an error is the caller's status. */
PH_MUST_USE enum ph_status ph_wire_write(struct ph_arena *arena, enum ph_form form,
                                         const struct ph_answer *answer,
                                         struct ph_slice *ret_bytes);
PH_MUST_USE enum ph_status ph_wire_write_json(struct ph_arena *arena, enum ph_form form,
                                              const struct ph_answer *answer,
                                              struct ph_slice *ret_text);
/* JSON as the peer's HTTP server writes it, by serde: bytes as a list of integers, 64-bit
 * numbers as numbers, a oneof one level deeper under the PascalCase name of its arm, and only
 * absent values and empty texts left out. */
PH_MUST_USE enum ph_status ph_wire_write_serde(struct ph_arena *arena, enum ph_form form,
                                               const struct ph_answer *answer,
                                               struct ph_slice *ret_text);
/* One event of an answer by itself, as Handle tells it in canonical JSON: without the reply to
 * the processor and the rest of its batch. Also of an answer whose ->error is not NONE, as far
 * as it was read. */
PH_MUST_USE enum ph_status ph_wire_write_event_json(struct ph_arena *arena,
                                                    const struct ph_answer *answer, size_t index,
                                                    struct ph_slice *ret_text);
/* What an event says and nothing of how it came, as protobuf: two notices of one event differ in
 * these bytes when the second is a revision. */
PH_MUST_USE enum ph_status ph_wire_write_said(struct ph_arena *arena,
                                              const struct ph_answer *answer, size_t index,
                                              struct ph_slice *ret_bytes);
/* types.IntegrationError: what grpc-status-details-bin carries for errors of headers and config
 * (the peer puts it there itself, not in a google.rpc.Status). `suggestion` may be absent. */
PH_MUST_USE enum ph_status ph_wire_write_integration_error(struct ph_arena *arena,
                                                           struct ph_slice code,
                                                           struct ph_slice message,
                                                           struct ph_slice suggestion,
                                                           struct ph_slice *ret_bytes);
/* {"error":{"code","message"}} */
PH_MUST_USE enum ph_status ph_wire_write_error_json(struct ph_arena *arena, struct ph_slice code,
                                                    struct ph_slice message,
                                                    struct ph_slice *ret_text);

/* {"error":{"message","code"}}, the code being the HTTP status as text: the peer's HTTP server. */
PH_MUST_USE enum ph_status ph_wire_write_peer_error(struct ph_arena *arena, int http_status,
                                                    struct ph_slice message,
                                                    struct ph_slice *ret_text);

/* The peer's mapping of an error code (PEER-CONTRACT §7). */
int ph_wire_grpc_status(enum ph_error_code code);
int ph_wire_http_status(int grpc_status);

/* x-connector-config / x-connector-auth: {"config":{"Stripe":{"api_key":"…"}}} to the
 * connector's name in snake_case and its values (nested objects flattened to their JSON text;
 * {"value":"x"} to x). PH_ERR_MALFORMED: not such JSON; PH_ERR_NOT_FOUND: `config` is missing or
 * null. */
PH_MUST_USE enum ph_status ph_wire_read_config(struct ph_arena *arena, struct ph_slice text,
                                               struct ph_slice member,
                                               struct ph_slice *ret_connector,
                                               struct ph_config_value **ret_values,
                                               size_t *ret_count, struct ph_slice *ret_why);
#endif
