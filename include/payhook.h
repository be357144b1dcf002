/* libpayhook: who sent this webhook, and what happened. No I/O.
 *
 * One `struct ph_hook` handles one webhook after the other, in three moves:
 *
 *     ph_hook_begin(hook, "stripe");               say what arrived: ph_hook_header, _body, _secret, …
 *     ph_hook_run(hook, PH_HOOK_HANDLE);           read it, verify it, tell it
 *     ph_hook_text(hook, 0, "event_type");         ask
 *
 * It opens nothing, reads no clock, takes memory only from the functions it is given, and keeps
 * no global state. Use one hook per thread; hooks share nothing.
 *
 * Ownership. What is passed in is copied (borrowed until the call returns). What comes out
 * belongs to the hook and lives until the next ph_hook_begin or ph_hook_free. Texts that come
 * out end with a NUL that their length does not count. Secrets are wiped when the hook forgets
 * them.
 *
 * Fails closed. Unless the verdict is PH_HOOK_VERIFIED, ph_hook_text, ph_hook_money and
 * ph_hook_time tell nothing of what happened; ph_hook_unverified_text does, for people. */
#ifndef PAYHOOK_H
#define PAYHOOK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(PH_BUILDING) && defined(__GNUC__)
#define PH_API __attribute__((visibility("default")))
#else
#define PH_API
#endif

/* The version of this header: major * 10000 + minor * 100 + patch. */
#define PAYHOOK_VERSION_NUMBER 100

struct ph_hook;

/* Operating errors; ph_hook_status_text tells them. */
enum ph_hook_status {
    PH_HOOK_OK = 0,
    PH_HOOK_NO_MEMORY = -1,
    PH_HOOK_TOO_LARGE = -2,   /* over a limit of docs/embed.md */
    PH_HOOK_MALFORMED = -3,   /* ph_hook_sign: the body is not of the connector's format */
    PH_HOOK_INVALID = -4,     /* an argument: NULL, an unknown word, a key that does not read */
    PH_HOOK_NOT_FOUND = -5,   /* no such connector */
    PH_HOOK_UNSUPPORTED = -6, /* ph_hook_sign: only the processor's API can sign so */
    PH_HOOK_CRYPTO = -7       /* the crypto library failed */
};

/* What verification found. Zero is the cautious answer. */
enum ph_hook_verdict {
    PH_HOOK_VERDICT_UNSPECIFIED = 0,
    PH_HOOK_VERIFIED = 1,
    PH_HOOK_FORGED = 2,
    PH_HOOK_STALE = 3, /* signed, but outside the connector's tolerance */
    PH_HOOK_NO_SIGNATURE = 4,
    PH_HOOK_NO_SECRET = 5, /* none was given: nothing could be checked */
    PH_HOOK_UNSIGNED = 6,  /* this processor signs nothing: a hint, never proof */
    PH_HOOK_UNSUPPORTED_SIGNATURE = 7,
    PH_HOOK_UNREACHABLE = 8 /* a callout's answer is missing (ph_hook_callout) */
};

enum ph_hook_want {
    PH_HOOK_PARSE = 0,  /* event type and reference only; no verdict */
    PH_HOOK_VERIFY = 1, /* the verdict, and what PARSE tells */
    PH_HOOK_HANDLE = 3  /* all */
};

/* Messages of ph_hook_json and ph_hook_protobuf (proto/events.proto). */
enum ph_hook_message {
    PH_HOOK_MESSAGE_HANDLE = 0,       /* types.HandleResponse */
    PH_HOOK_MESSAGE_HANDLE_EVENT = 1, /* types.EventServiceHandleResponse */
    PH_HOOK_MESSAGE_PARSE = 2         /* types.EventServiceParseResponse */
};

/* ---- the library ----------------------------------------------------------------------------- */

/* "0.1.0" */
PH_API const char *ph_hook_version(void);
PH_API const char *ph_hook_status_text(int status);
/* The connectors compiled in, sorted by name; NULL past the end. */
PH_API const char *ph_hook_connector_name(size_t index);
PH_API const char *ph_hook_connector_title(size_t index);

/* ---- a hook ---------------------------------------------------------------------------------- */

/* `alloc` may answer NULL; `release` takes what it gave: malloc and free will do. Both are kept,
 * and called from the threads that use the hook. Gives a hook, or NULL without memory. */
PH_API struct ph_hook *ph_hook_new(void *(*alloc)(size_t bytes), void (*release)(void *ptr));
/* NULL is fine. */
PH_API void ph_hook_free(struct ph_hook *hook);

/* Forgets the last webhook; the next one is for `connector`. PH_HOOK_NOT_FOUND: there is no
 * such. */
PH_API int ph_hook_begin(struct ph_hook *hook, const char *connector);

/* ---- what arrived ---------------------------------------------------------------------------- */

/* Default "POST". */
PH_API int ph_hook_method(struct ph_hook *hook, const char *method);
/* As in the request line, with its query: "/webhooks/x?a=b". */
PH_API int ph_hook_uri(struct ph_hook *hook, const char *uri);
/* One header; call again for each. Names in any case. */
PH_API int ph_hook_header(struct ph_hook *hook, const char *name, const char *value);
/* The raw bytes, before anybody parsed them. */
PH_API int ph_hook_body(struct ph_hook *hook, const void *bytes, size_t len);
/* A secret to try; call again for each, tried in order. `additional` is what some processors
 * have beside it (Braintree's public key); NULL: none. An empty secret never verifies anything. */
PH_API int ph_hook_secret(struct ph_hook *hook, const char *secret, const char *additional);
/* A config field of the connector (`payhook connectors show NAME` lists them). */
PH_API int ph_hook_config(struct ph_hook *hook, const char *name, const void *value, size_t len);
/* "AUTOMATIC", "MANUAL", …: how the payment was created. */
PH_API int ph_hook_capture_method(struct ph_hook *hook, const char *word);
/* When it was received, unix ms. Without it no age is judged, and nothing is ever stale. */
PH_API int ph_hook_received_at(struct ph_hook *hook, int64_t unix_ms);
/* Your own id for it, echoed as merchant_event_id. */
PH_API int ph_hook_event_id(struct ph_hook *hook, const char *id);

/* ---- run ------------------------------------------------------------------------------------- */

/* PH_HOOK_OK whenever there is something to say, a malformed webhook included (ph_hook_error). */
PH_API int ph_hook_run(struct ph_hook *hook, int want);

/* The code of what is wrong with the webhook, "WEBHOOK_BODY_DECODING_FAILED"; NULL: nothing. */
PH_API const char *ph_hook_error(const struct ph_hook *hook);
/* The same for a person; NULL: nothing is wrong. */
PH_API const char *ph_hook_error_message(const struct ph_hook *hook);

/* Events of the webhook, from 0. A batch has several, each with its own verdict. */
PH_API size_t ph_hook_event_count(const struct ph_hook *hook);
/* enum ph_hook_verdict; PH_HOOK_VERDICT_UNSPECIFIED past the end. */
PH_API int ph_hook_verdict(const struct ph_hook *hook, size_t event);
/* Which secret verified it, from 1; 0: none. */
PH_API int ph_hook_matched_secret(const struct ph_hook *hook, size_t event);

/* One text of a verified event; NULL: it has none, or is not verified. `what` is
 *   event_type, event_name, kind (payment, refund, …), status, incomplete, dedupe_key, effect_key,
 *   merchant_event_id, account, mode, processor_event_id, processor_event_type,
 *   or a text field of the content: connector_transaction_id, connector_refund_id, error_code, …
 * verdict and verdict_reason are told of every event. */
PH_API const char *ph_hook_text(const struct ph_hook *hook, size_t event, const char *what);
/* The same of an event that is not verified: to look at, never to act on. */
PH_API const char *ph_hook_unverified_text(const struct ph_hook *hook, size_t event,
                                           const char *what);
/* amount, captured_amount, refund_amount, payment_amount, dispute_amount, in ISO 4217 minor
 * units with the currency's code. 1: told; 0: there is none, or the event is not verified. */
PH_API int ph_hook_money(const struct ph_hook *hook, size_t event, const char *field,
                         int64_t *ret_minor, const char **ret_currency);
/* processor_event_time, created_at, due_date, …, unix ms. 1: told; 0: as above. */
PH_API int ph_hook_time(const struct ph_hook *hook, size_t event, const char *field,
                        int64_t *ret_unix_ms);

/* What to answer the processor: its own idea of success when verified, else its refusal. */
PH_API int ph_hook_ack_status(const struct ph_hook *hook);
/* NULL past the end. */
PH_API const char *ph_hook_ack_header(const struct ph_hook *hook, size_t index,
                                      const char **ret_value);
PH_API const char *ph_hook_ack_body(const struct ph_hook *hook, size_t *ret_len);

/* The answer as a message (enum ph_hook_message): canonical protobuf JSON, or protobuf. NULL:
 * there is no answer (ph_hook_error), or no memory. */
PH_API const char *ph_hook_json(struct ph_hook *hook, int message, size_t *ret_len);
PH_API const void *ph_hook_protobuf(struct ph_hook *hook, int message, size_t *ret_len);

/* ---- callouts --------------------------------------------------------------------------------
 *
 * Some webhooks can be judged or completed only with something from the network. The library
 * does not fetch it: it describes the HTTPS request it wants. Make it, hand the response's body
 * back, and run again; or do not, and the verdict stays PH_HOOK_UNREACHABLE, or the event
 * incomplete. */

/* The URL; NULL: nothing is wanted. */
PH_API const char *ph_hook_callout(const struct ph_hook *hook);
PH_API const char *ph_hook_callout_method(const struct ph_hook *hook);
/* NULL past the end. */
PH_API const char *ph_hook_callout_header(const struct ph_hook *hook, size_t index,
                                          const char **ret_value);
PH_API const char *ph_hook_callout_body(const struct ph_hook *hook, size_t *ret_len);
/* The body of a 2xx response. Then call ph_hook_run again. */
PH_API int ph_hook_callout_done(struct ph_hook *hook, const void *body, size_t len);

/* ---- sign ------------------------------------------------------------------------------------ */

/* Signs the body as the processor would: for tests. The first secret is the key (asymmetric
 * kinds: config private_key_pem). `variant` is one of the connector's shapes, NULL: the first
 * that the body fits. `unique` is an id no other request has. Needs ph_hook_received_at. */
PH_API int ph_hook_sign(struct ph_hook *hook, const char *variant, const char *unique);
/* Why ph_hook_sign failed; NULL: it did not. */
PH_API const char *ph_hook_sign_reason(const struct ph_hook *hook);
PH_API const char *ph_hook_signed_method(const struct ph_hook *hook);
/* NULL past the end. */
PH_API const char *ph_hook_signed_header(const struct ph_hook *hook, size_t index,
                                         const char **ret_value);
/* The query (without "?") that the processor adds to the URL; "": none. */
PH_API const char *ph_hook_signed_query(const struct ph_hook *hook);
PH_API const char *ph_hook_signed_body(const struct ph_hook *hook, size_t *ret_len);

#ifdef __cplusplus
}
#endif

#endif
