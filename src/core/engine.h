/* The engine: one request in, what it proves and says out. It runs a connector's tables
 * (connector/) and knows no processor.
 *
 * E1: pure. Bytes, secrets, config and a clock value come in; an answer goes out. It opens
 *     nothing, reads no clock, keeps no global state.
 * E2: fails closed. The zero of every finding is the cautious one; only a signature that was
 *     checked with a non-empty secret makes PH_VERIFIED.
 * E3: what it needs from the network it describes (struct ph_callout) and is called again with
 *     the response among the config.
 * E4: an answer points into the input and the worker's arena: it lives until the worker's next
 *     call.
 * E5: where memory or the crypto library fails there is no answer, PH_ERR_NO_MEMORY or
 *     PH_ERR_CRYPTO instead: never another verdict, never a part. */
#ifndef PH_CORE_ENGINE_H
#define PH_CORE_ENGINE_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/slice.h"
#include "base/status.h"
#include "connector/connector.h"

struct ph_header {
    struct ph_slice name, value;
};

/* One HTTP request as it arrived. Borrows everything. */
struct ph_request {
    struct ph_slice method; /* "POST" */
    struct ph_slice uri; /* as in the request line: "/webhooks/x?a=b", or absolute; may be absent */
    struct ph_slice query; /* without '?'; absent: taken from uri */
    const struct ph_header *headers;
    size_t header_count;
    struct ph_slice body; /* raw bytes */
};

struct ph_secret_pair {
    struct ph_slice secret;     /* absent or empty: never verifies anything */
    struct ph_slice additional; /* Braintree's public key and the like */
};

struct ph_config_value {
    struct ph_slice name, value; /* "certificate_pem", "notification_url", "api_key", … */
};

struct ph_input {
    const struct ph_connector *connector;
    const struct ph_request *request;
    const struct ph_secret_pair *secrets; /* tried in order */
    size_t secret_count;
    /* The connector's config fields, and what callouts brought: `fetched` (JSON text of the API
     * read), `jwks`, `fetched_certificate_pem`, `verdict` (the verify API's JSON).
     * `tolerance_seconds` overrides the page's. */
    const struct ph_config_value *config;
    size_t config_count;
    int32_t capture_method; /* enum ph_capture_method; 0: not told */
    /* when the request was received, unix ms; negative: no clock, then no age is judged
     * (archives without a receipt time) */
    int64_t now_ms;
    struct ph_slice merchant_event_id; /* echoed; absent: derived from dedupe_key */
    bool explain;                      /* fill ph_answer.trace */
};

/* What a caller wants done. Parsing is always done. */
enum ph_want {
    PH_WANT_REFERENCE = 0, /* type and reference only: ParseEvent */
    PH_WANT_VERDICT = 1,
    PH_WANT_CONTENT = 2,
    PH_WANT_ALL = 3,
    /* The page's success reply whatever the verdict: the peer's HandleEvent answers so, its
     * callers rely on it. */
    PH_WANT_PEER_REPLY = 4,
    /* The gateway's: an event that cannot be read takes no other of its batch with it, the first
     * one included. It is INCOMPLETE then, without content, and ph_answer.error is of the whole
     * body only. */
    PH_WANT_EVERY_ITEM = 8,
    /* For answers that tell neither key: they are read, as what comes twice in them is wrong all
     * the same, and not written. */
    PH_WANT_NO_KEYS = 16,
};

/* The peer's error codes (PEER-CONTRACT §7), and where they lead on the wire. */
#define PH_ERROR_CODES(X)                                                                          \
    X(NONE)                                                                                        \
    X(WEBHOOKS_NOT_IMPLEMENTED)                                                                    \
    X(WEBHOOK_EVENT_TYPE_NOT_FOUND)                                                                \
    X(WEBHOOK_REFERENCE_ID_NOT_FOUND)                                                              \
    X(WEBHOOK_RESOURCE_OBJECT_NOT_FOUND)                                                           \
    X(WEBHOOK_BODY_DECODING_FAILED)                                                                \
    X(WEBHOOK_MISSING_REQUIRED_FIELD)                                                              \
    X(WEBHOOK_MISSING_REQUIRED_CONTEXT)                                                            \
    X(WEBHOOK_AMOUNT_CONVERSION_FAILED)                                                            \
    X(WEBHOOK_PROCESSING_FAILED)
enum ph_error_code {
#define PH_ERROR_ENUM(name) PH_E_##name,
    PH_ERROR_CODES(PH_ERROR_ENUM)
#undef PH_ERROR_ENUM
};
struct ph_slice ph_error_code_name(enum ph_error_code code);

/* One value of an event. Which member counts follows from ph_field_type. */
struct ph_value {
    bool present;
    int32_t currency;     /* MONEY: wire number; STAGE: enum ph_dispute_stage */
    int64_t number;       /* MONEY: ISO minor units; TIME: unix ms */
    struct ph_slice text; /* TEXT: UTF-8, without NUL */
};

struct ph_event {
    enum ph_verdict verdict;
    struct ph_slice verdict_reason; /* for a person; never absent */
    int32_t matched_secret;         /* from 1; 0: none */
    int32_t event_type;             /* enum ph_event_type, as HandleEvent and ParseEvent say it */
    /* as Handle says it if verified: paid only when the money is taken */
    int32_t handle_event_type;
    enum ph_kind kind; /* of fields; PH_KIND_NONE: no content */
    int32_t status;    /* in kind's vocabulary */
    struct ph_value fields[PH_FIELD_COUNT];
    enum ph_kind reference_kind;
    struct ph_value reference[PH_REFERENCE_COUNT];
    struct ph_slice incomplete; /* why; {NULL,0}: complete */
    struct ph_slice id, type;   /* the processor's own */
    int64_t time_ms;            /* the processor's own; has_time false: none */
    bool has_time;
    struct ph_slice dedupe_key; /* absent: the page has none */
    struct ph_slice effect_key; /* absent: no content with an id */
    struct ph_slice merchant_event_id;
    struct ph_slice account;
    enum ph_mode mode;
    /* What was signed, for people: filled when verdict was wanted. */
    const struct ph_slice *covers;
    size_t cover_count;
};

/* A request the engine would like made; borrows like the answer does. */
struct ph_callout {
    enum ph_fetch_kind kind;
    struct ph_slice method, url, body;
    const struct ph_header *headers;
    size_t header_count;
    struct ph_slice result_name; /* config name to hand the response body back under */
};

/* One step of `explain`: "signed text", "t=..." */
struct ph_trace_step {
    struct ph_slice label, text;
};

struct ph_answer {
    enum ph_error_code error; /* not NONE: `events` is empty, or holds only what Handle may tell */
    struct ph_slice error_message;
    const struct ph_variant *variant;
    struct ph_event *events; /* in the order of the request */
    size_t event_count;
    bool merchant_event_id_given; /* the caller sent one: the peer's answer echoes only that */
    /* What to answer the processor: ack when verified (or unsigned), else the page's refusal. */
    int32_t ack_status;
    const struct ph_header *ack_headers;
    size_t ack_header_count;
    struct ph_slice ack_body;
    const struct ph_callout *callout; /* NULL: nothing more is needed */
    const struct ph_trace_step *trace;
    size_t trace_count;
};

/* Parser pool, arena and keyed contexts of one thread; never shared. */
struct ph_worker;
/* Gives a worker, or NULL without memory. Keeps `allocator`. */
struct ph_worker *ph_worker_new(const struct ph_allocator *allocator);
void ph_worker_free(struct ph_worker *worker);
/* The arena of the current call: callers may cut from it what goes with the answer. */
struct ph_arena *ph_worker_arena(struct ph_worker *worker);
/* Its crypto contexts (crypto/crypto.h), for digests of what was answered. */
struct ph_crypto;
struct ph_crypto *ph_worker_crypto(struct ph_worker *worker);
/* Forgets the last answer, with its memory. ph_engine_run does it first thing. */
void ph_worker_reset(struct ph_worker *worker);

/* Runs the tables of in->connector over in->request. Answers PH_OK whenever there is something
 * to say, a malformed body included (ret_answer->error); other statuses are failures of ours
 * (memory). */
PH_MUST_USE enum ph_status ph_engine_run(struct ph_worker *worker, const struct ph_input *in,
                                         enum ph_want want, struct ph_answer *ret_answer);
/* The same without forgetting first: for callers whose input already lies in the worker's arena
 * (they call ph_worker_reset themselves, before they decode). */
PH_MUST_USE enum ph_status ph_engine_run_keep(struct ph_worker *worker, const struct ph_input *in,
                                              enum ph_want want, struct ph_answer *ret_answer);

/* What a processor hears that asks the URL before it sends anything (a page's `handshake`):
 * ack_status, headers and body of the answer, nothing else. PH_ERR_NOT_FOUND: the page has none, or
 * the request is no such. Does not forget first. */
PH_MUST_USE enum ph_status ph_engine_handshake(struct ph_worker *worker, const struct ph_input *in,
                                               struct ph_answer *ret_answer);

/* Whether what a callout brought has its kind's form: a certificate in PEM, a key set with a key
 * in it; any text for the other kinds. What has not is the far end's fault: the verdict is
 * `unreachable` with it, as without. */
bool ph_engine_reads(struct ph_worker *worker, enum ph_fetch_kind kind, struct ph_slice text);

/* A request signed as the processor would sign it. */
struct ph_signed {
    struct ph_slice method;
    const struct ph_header *headers; /* Content-Type and what the signature needs */
    size_t header_count;
    struct ph_slice body;
    struct ph_slice query;
};
/* Signs `body` (the unsigned event; the inner text where the variant decodes one) for the
 * variant of that name (absent: the first). in->request gives method, uri and further headers
 * (may be empty); in->secrets[0] or in->config the keys (private_key_pem for asymmetric kinds),
 * in->now_ms the time. PH_ERR_UNSUPPORTED: the kind cannot be made by us (an API decides);
 * PH_ERR_INVALID: the key is missing or wrong; PH_ERR_MALFORMED: the body is not of the page's
 * format. `unique` goes where the page wants a fresh id. *ret_reason says what went wrong, on
 * failure. */
PH_MUST_USE enum ph_status ph_engine_sign(struct ph_worker *worker, const struct ph_input *in,
                                          struct ph_slice variant, struct ph_slice body,
                                          struct ph_slice unique, struct ph_signed *ret_signed,
                                          struct ph_slice *ret_reason);
/* The same without forgetting first, as ph_engine_run_keep. */
PH_MUST_USE enum ph_status ph_engine_sign_keep(struct ph_worker *worker, const struct ph_input *in,
                                               struct ph_slice variant, struct ph_slice body,
                                               struct ph_slice unique, struct ph_signed *ret_signed,
                                               struct ph_slice *ret_reason);

#endif
