/* What a connector can say: the tables that a page (connectors/<name>.yaml) becomes and the
 * engine (core/) runs. docs/connector-language.md is the same thing seen from the page.
 *
 * C1: tables are const and point only to const things: any number of threads may read them.
 * C2: the reader has checked them: indexes are in range, words fit their vocabulary, a digest or
 *     a token names a secret, every capture that is used is made by every layout. The engine
 *     relies on it.
 * C3: nothing here knows a processor's name. */
#ifndef PH_CONNECTOR_CONNECTOR_H
#define PH_CONNECTOR_CONNECTOR_H

#include <endian.h>

#include "base/slice.h"
#include "connector/words.h"

enum { PH_LANGUAGE_VERSION = 1 };

/* ---- values ---------------------------------------------------------------------------------- */

enum ph_step_kind {
    PH_STEP_KEY,    /* member `key` of an object, or element `index` when key is digits */
    PH_STEP_LAST,   /* the last element of an array (member "last" of an object) */
    PH_STEP_ANY,    /* every element: in `items`, tests and money */
    PH_STEP_SELECT, /* the first element whose member `key` has the text `value`: [rel=up] */
};

struct ph_step {
    enum ph_step_kind kind;
    int32_t index; /* of an array; -1: the key is no number */
    struct ph_slice key;
    struct ph_slice value;
};

/* A JSON pointer (RFC 6901) with the two additions above. count 0 is the whole document. */
struct ph_pointer {
    struct ph_slice text; /* as the page wrote it, for messages */
    const struct ph_step *steps;
    uint16_t count;
    /* a PH_STEP_ANY among them: a test holds for all, money is the sum (paypal's purchase units) */
    bool many;
    uint16_t shared; /* the first steps that stand in the connector's `nodes` too */
    uint16_t node;   /* … and where they lead; 0: none of them does */
};

/* The steps that a connector's pointers into the event begin with, as one tree: what begins
 * alike is one node, so an object is walked once for all that is read of it. nodes[0] is the
 * whole event. */
struct ph_node {
    /* What every member of an object is held against, side by side: a key that is found is one
     * line of the cache. */
    uint64_t head, tail; /* of its key: ph_key_head and ph_key_tail */
    uint32_t key_bytes;
    /* a power of two, at least four times as many as nodes one step further; 0: a leaf */
    uint16_t slot_count;
    uint16_t parent;
    /* The nodes one step further, each at the slot that ph_key_slot gives for its key or the
     * next free one after it; 0: free. */
    const uint16_t *slots;
    struct ph_step step; /* KEY or LAST */
};

/* What is left of eight bytes where a key has fewer. */
static inline uint64_t ph_key_cut(uint64_t head, size_t len)
{
    static const uint64_t masks[] = {
        0x0,          0xff,           0xffff,           0xffffff,          0xffffffff,
        0xffffffffff, 0xffffffffffff, 0xffffffffffffff, 0xffffffffffffffff};
    /* a branch would be guessed wrongly for every other key */
    return head & masks[len < 8 ? len : 8];
}

/* A key's first eight bytes, zeros behind a shorter one; the first is the lowest, whatever
 * machine made the tables. */
static inline uint64_t ph_key_head(struct ph_slice key)
{
    uint64_t head = 0;
    for (size_t i = 0; i < key.len && i < sizeof(head); i++)
        head |= (uint64_t)(unsigned char)key.ptr[i] << 8 * i;
    return head;
}

/* Its last eight bytes; of a shorter one its head again. */
static inline uint64_t ph_key_tail(struct ph_slice key)
{
    return key.len < 8 ? ph_key_head(key) : ph_key_head(ph_slice_from(key, key.len - 8));
}

/* Where a key with that beginning and length is looked for first. */
static inline size_t ph_key_slot(uint64_t head, size_t len, size_t slot_count)
{
    /* spreads what differs in few bits over the upper half */
    const uint64_t odd = 0x9e3779b97f4a7c15U;
    return (size_t)((head ^ len) * odd >> 48) & (slot_count - 1);
}

enum ph_source {
    PH_SRC_LITERAL,        /* text */
    PH_SRC_POINTER,        /* pointer into the event: the decoded body, or one item of it */
    PH_SRC_OUTER,          /* pointer into the body as it was sent */
    PH_SRC_FETCHED,        /* pointer into the answer of `fetch` */
    PH_SRC_JWS,            /* pointer into the protected header of the JWS */
    PH_SRC_CLAIMS,         /* pointer into the object that the JWS carries: tamara */
    PH_SRC_HEADER,         /* text: name */
    PH_SRC_QUERY,          /* text: name; percent-decoded */
    PH_SRC_CONFIG,         /* text: name of a config field */
    PH_SRC_CONTEXT,        /* capture_method, as its word */
    PH_SRC_BODY,           /* raw bytes as received */
    PH_SRC_METHOD,         /* GET, POST, … */
    PH_SRC_PATH,           /* of the URI, without query */
    PH_SRC_URL,            /* as configured (config: notification_url), never from Host */
    PH_SRC_SECRET,         /* the secret being tried */
    PH_SRC_SECRET2,        /* its additional secret */
    PH_SRC_TYPE,           /* the event's type, as `event.type` read it */
    PH_SRC_CAPTURE,        /* index: of the signature's captures */
    PH_SRC_LET,            /* index: of the variant's lets */
    PH_SRC_NOW,            /* unix seconds, as decimal text: the clock value passed in */
    PH_SRC_UNIQUE,         /* a fresh id when signing (webhook-id and the like); absent otherwise */
    PH_SRC_LISTED_HEADERS, /* pointer into the JWS header: a comma list of names; gives
                              "Name: value\n" for each, names as listed */
};

enum ph_filter_op {
    PH_FILTER_LOWER,
    PH_FILTER_UPPER,
    PH_FILTER_TRIM,
    PH_FILTER_STRIP_SPACE, /* all white space: payjustnow */
    PH_FILTER_REVERSE,     /* bytes back to front: novalnet */
    PH_FILTER_HEX,         /* lower case */
    PH_FILTER_UNHEX,
    PH_FILTER_BASE64,
    PH_FILTER_BASE64URL, /* unpadded */
    PH_FILTER_UNBASE64,  /* either alphabet, white space and padding optional */
    PH_FILTER_MD5,       /* digests give lower-case hex */
    PH_FILTER_SHA1,
    PH_FILTER_SHA256,
    PH_FILTER_SHA384,
    PH_FILTER_SHA512,
    PH_FILTER_CRC32,      /* unsigned decimal: paypal */
    PH_FILTER_JSON,       /* as inside a JSON string */
    PH_FILTER_URL_ENCODE, /* RFC 3986 */
    PH_FILTER_URL_DECODE,
    PH_FILTER_SORTED,  /* a JSON value as keys (byte order) and values, run together: trustly */
    PH_FILTER_MINIFY,  /* a JSON value's text without white space */
    PH_FILTER_RFC8785, /* a JSON value as the JSON Canonicalization Scheme writes it: glomopay */
    /* keys in byte order, whole numbers and fractions (10.0) kept apart: calida */
    PH_FILTER_SORTED_JSON,
    PH_FILTER_PICK,         /* text holds JSON; arg: pointer into it: fiuu */
    PH_FILTER_BEFORE_FIRST, /* arg: text; the whole when arg is not in it */
    PH_FILTER_AFTER_FIRST,
    PH_FILTER_AFTER_LAST,
    PH_FILTER_STRIP_PREFIX, /* arg: text; absent when it does not start so */
    PH_FILTER_PAD2,         /* one digit gets a leading zero: adyen expiry months */
    PH_FILTER_ISO,          /* unix seconds as 2026-11-24T10:00:00Z */
    PH_FILTER_MS,           /* unix seconds as milliseconds */
    PH_FILTER_COUNT,
};

struct ph_filter {
    enum ph_filter_op op;
    struct ph_slice arg;
    const struct ph_pointer *pointer; /* PICK */
};

struct ph_piece {
    enum ph_source source;
    int16_t index; /* CAPTURE, LET */
    uint16_t filter_count;
    struct ph_slice text;             /* LITERAL, HEADER, QUERY, CONFIG, CONTEXT */
    const struct ph_pointer *pointer; /* POINTER, OUTER, FETCHED, JWS, CLAIMS, LISTED_HEADERS */
    const struct ph_filter *filters;
};

/* Pieces, one after the other. An absent piece counts as empty text; a template none of whose
 * pieces (literals aside) is present is absent. */
struct ph_template {
    const struct ph_piece *pieces;
    uint16_t count;
    /* it names no secret, config field or configured URL, lets looked into: it can lack none.
     * False: not known */
    bool open;
};

/* The first alternative that is present and not empty. count 0: the page says nothing. */
struct ph_expr {
    const struct ph_template *alternatives;
    uint16_t count;
    /* where it is nothing but one pointer into the event, all of it shared: its node; else 0 */
    uint16_t node;
};

/* Whether it names many values: one pointer with a `*` (which stands alone). */
bool ph_expr_is_many(const struct ph_expr *expr);

/* A text built once and used in templates by name. */
enum ph_let_kind {
    PH_LET_TEMPLATE,
    PH_LET_EACH,   /* all members of an object, as pairs */
    PH_LET_LEAVES, /* all values of a document, in byte order: trustpay */
};
enum ph_order { PH_ORDER_RECEIVED, PH_ORDER_KEY, PH_ORDER_KEY_NOCASE };
struct ph_let {
    struct ph_slice name;
    enum ph_let_kind kind;
    struct ph_template value; /* TEMPLATE */
    /* EACH: the object; LEAVES: the document, of which `drop` and `between` hold too */
    struct ph_piece of;
    enum ph_order order;
    bool skip_empty;
    const struct ph_slice *drop; /* names left out */
    uint16_t drop_count;
    struct ph_slice between_pair; /* "=" in k=v; */
    bool keys, values;            /* which halves are written */
    struct ph_slice between;      /* "&" between pairs */
};

/* ---- tests and choices ----------------------------------------------------------------------- */

enum ph_test_op {
    PH_TEST_ONE_OF,     /* the text is one of values */
    PH_TEST_NOT_ONE_OF, /* … is none of them (an absent text is none of them) */
    PH_TEST_PREFIX,     /* … starts with values[0] */
    PH_TEST_PRESENT,    /* there, not null, not empty */
    PH_TEST_ABSENT,
    PH_TEST_OVER, /* a decimal number greater than values[0] */
    /* … less than the one `against` gives: a part of an amount was captured (stripe) */
    PH_TEST_UNDER,
    PH_TEST_UTF8, /* the text is UTF-8: processors whose own code decodes the body first (stripe) */
    /* the text has that shape: 9 is a digit, 9+ one or more, the rest stands for itself (fiuu) */
    PH_TEST_SHAPE,
    /* none of the characters of values[0] is in it: what is joined with them stays apart (adyen) */
    PH_TEST_WITHOUT,
    /* the text is a media type (parameters aside, any case): header:Content-Type */
    PH_TEST_MEDIA_TYPE,
};

struct ph_test {
    struct ph_expr of;
    enum ph_test_op op;
    const struct ph_slice *values;
    uint16_t value_count;
    struct ph_expr against; /* UNDER */
};

struct ph_map_entry {
    struct ph_slice from;
    int32_t to;
};

/* Texts to words of one vocabulary. */
struct ph_map {
    struct ph_slice name;
    enum ph_vocabulary vocabulary;
    const struct ph_map_entry *entries;
    uint16_t count;
    bool has_otherwise;
    int32_t otherwise;
};

/* A word, written down or looked up. map NULL: `word`. A text the map lacks (and no `else`)
 * chooses 0, the cautious word. */
struct ph_choice {
    int32_t word;
    const struct ph_map *map;
    struct ph_expr of;
};

/* ---- content --------------------------------------------------------------------------------- */

enum ph_kind {
    PH_KIND_NONE,
    PH_KIND_PAYMENT,
    PH_KIND_REFUND,
    PH_KIND_DISPUTE,
    PH_KIND_MANDATE,
    PH_KIND_PAYOUT,
};

enum ph_field_type { PH_FIELD_TEXT, PH_FIELD_MONEY, PH_FIELD_TIME, PH_FIELD_STAGE };

/* Every field an event can carry: X(NAME, page_name, type). The first eight are ids and may
 * stand in a reference too. Which kinds take which: ph_field_fits. */
#define PH_FIELDS(X)                                                                               \
    X(CONNECTOR_TRANSACTION_ID, connector_transaction_id, TEXT)                                    \
    X(MERCHANT_TRANSACTION_ID, merchant_transaction_id, TEXT)                                      \
    X(CONNECTOR_REFUND_ID, connector_refund_id, TEXT)                                              \
    X(MERCHANT_REFUND_ID, merchant_refund_id, TEXT)                                                \
    X(CONNECTOR_DISPUTE_ID, connector_dispute_id, TEXT)                                            \
    X(CONNECTOR_MANDATE_ID, connector_mandate_id, TEXT)                                            \
    X(CONNECTOR_PAYOUT_ID, connector_payout_id, TEXT)                                              \
    X(MERCHANT_PAYOUT_ID, merchant_payout_id, TEXT)                                                \
    X(MERCHANT_DISPUTE_ID, merchant_dispute_id, TEXT)                                              \
    X(MERCHANT_ORDER_ID, merchant_order_id, TEXT)                                                  \
    X(NETWORK_TRANSACTION_ID, network_transaction_id, TEXT)                                        \
    X(CONNECTOR_CUSTOMER_ID, connector_customer_id, TEXT)                                          \
    X(CUSTOMER_NAME, customer_name, TEXT)                                                          \
    X(EMAIL, email, TEXT)                                                                          \
    X(SENDER_PAYMENT_INSTRUMENT_ID, sender_payment_instrument_id, TEXT)                            \
    X(CARD_EXP_MONTH, card_exp_month, TEXT)                                                        \
    X(CARD_EXP_YEAR, card_exp_year, TEXT)                                                          \
    X(CARD_LAST4, card_last4_digits, TEXT)                                                         \
    X(CARD_NETWORK, card_network, TEXT)                                                            \
    X(CARD_ISSUER, card_issuer, TEXT)                                                              \
    X(CARD_ISSUER_COUNTRY, card_issuer_country, TEXT)                                              \
    X(CARD_HOLDER_NAME, card_holder_name, TEXT)                                                    \
    X(ERROR_CODE, error_code, TEXT)                                                                \
    X(ERROR_MESSAGE, error_message, TEXT)                                                          \
    X(ERROR_REASON, error_reason, TEXT)                                                            \
    X(REFUND_REASON, refund_reason, TEXT)                                                          \
    X(ACQUIRER_REFERENCE_NUMBER, acquirer_reference_number, TEXT)                                  \
    X(DISPUTE_REASON, dispute_reason, TEXT)                                                        \
    X(DISPUTE_MESSAGE, dispute_message, TEXT)                                                      \
    X(CONNECTOR_STATUS_CODE, connector_status_code, TEXT)                                          \
    X(AMOUNT, amount, MONEY)                                                                       \
    X(CAPTURED_AMOUNT, captured_amount, MONEY)                                                     \
    X(REFUND_AMOUNT, refund_amount, MONEY)                                                         \
    X(PAYMENT_AMOUNT, payment_amount, MONEY)                                                       \
    X(DISPUTE_AMOUNT, dispute_amount, MONEY)                                                       \
    X(CREATED_AT, created_at, TIME)                                                                \
    X(UPDATED_AT, updated_at, TIME)                                                                \
    X(AUTHORIZED_AT, authorized_at, TIME)                                                          \
    X(CAPTURED_AT, captured_at, TIME)                                                              \
    X(PROCESSED_AT, processed_at, TIME)                                                            \
    X(DISPUTE_DATE, dispute_date, TIME)                                                            \
    X(DUE_DATE, due_date, TIME)                                                                    \
    X(DISPUTE_STAGE, dispute_stage, STAGE)

enum ph_field {
#define PH_FIELD_ENUM(name, page_name, type) PH_F_##name,
    PH_FIELDS(PH_FIELD_ENUM)
#undef PH_FIELD_ENUM
        PH_FIELD_COUNT,
    PH_REFERENCE_COUNT = PH_F_MERCHANT_PAYOUT_ID + 1,
};

struct ph_slice ph_field_name(enum ph_field field);
enum ph_field_type ph_field_type(enum ph_field field);
/* Whether content of that kind has such a field on the wire. */
bool ph_field_fits(enum ph_kind kind, enum ph_field field);

enum ph_unit {
    PH_UNIT_TEXT,
    PH_UNIT_MINOR, /* integer in the processor's minor units */
    PH_UNIT_MAJOR, /* decimal text or number in major units */
    PH_UNIT_UNIX,  /* seconds */
    PH_UNIT_UNIX_MS,
    PH_UNIT_ISO,  /* RFC 3339; also a date, a space for the T, no zone (then UTC) */
    PH_UNIT_WORD, /* by `map` or `word`: dispute stages */
};

struct ph_field_rule {
    enum ph_field field;
    enum ph_unit unit;
    bool required; /* without it the content cannot be told: an error */
    struct ph_expr value;
    struct ph_expr currency; /* MINOR, MAJOR */
    struct ph_choice choice; /* WORD */
};

struct ph_need {
    struct ph_expr of;
    uint8_t type;  /* enum ph_need_type */
    bool optional; /* may be absent or null */
};
enum ph_need_type {
    PH_NEED_ANY,
    PH_NEED_STRING,
    PH_NEED_INTEGER,
    PH_NEED_NUMBER,
    PH_NEED_DECIMAL, /* text or number in decimal notation */
    PH_NEED_BOOLEAN,
    PH_NEED_OBJECT,
    PH_NEED_ARRAY,
    PH_NEED_CURRENCY, /* a code of the currency table */
};

/* How content of one kind is read: `payment:`, `refund.late:`, … */
struct ph_block {
    struct ph_slice name; /* "payment", "refund.late" */
    enum ph_kind kind;
    const struct ph_field_rule *fields;
    uint16_t field_count;
    uint16_t id_count;           /* the first so many of them hold all that a reference may take */
    enum ph_kind reference_kind; /* of the arm the reference is given in */
    const struct ph_field_rule *reference; /* TEXT fields; those the page names apart from fields */
    uint16_t reference_count;
    bool reference_own;    /* `reference` replaces what fields would give */
    struct ph_expr effect; /* the object of effect_key; default: its id */
    const struct ph_need *needs;
    uint16_t need_count;
};

struct ph_rule {
    /* types it is for; none: every type. A trailing '*' is cut and marked */
    const struct ph_slice *on;
    uint16_t on_count;
    bool on_prefix; /* on[] are prefixes */
    uint16_t test_count;
    const struct ph_test *when;
    struct ph_choice is;            /* event type */
    const struct ph_block *content; /* NULL: none */
    struct ph_choice status;        /* vocabulary by content->kind */
    struct ph_slice incomplete;     /* why the processor must be asked; {NULL,0}: complete */
    bool fetch;                     /* incomplete until `fetched:` is there */
    bool needs_capture_method;      /* without the context this cannot be told */
    int32_t line;                   /* in the page */
};

/* Rules that can fit one event type, in the page's order. Groups are sorted by type (bytes). */
struct ph_rule_group {
    struct ph_slice type;
    const uint16_t *rules;
    uint16_t count;
};

/* How groups are sorted: by length, which parts most types without a look at their text. */
static inline int ph_type_order(struct ph_slice a, struct ph_slice b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len > 0 ? memcmp(a.ptr, b.ptr, a.len) : 0;
}

/* Where the group of a type is looked for first. The ends of types differ more than their
 * beginnings do. */
static inline size_t ph_type_slot(struct ph_slice type, size_t slot_count)
{
    uint64_t tail;
    if (type.len < sizeof(tail))
        return ph_key_slot(ph_key_head(type), type.len, slot_count);
    memcpy(&tail, type.ptr + type.len - sizeof(tail), sizeof(tail));
    return ph_key_slot(le64toh(tail), type.len, slot_count);
}

/* ---- signatures ------------------------------------------------------------------------------ */

enum ph_signature_kind {
    PH_SIG_NONE, /* this processor signs nothing */
    PH_SIG_HMAC,
    PH_SIG_DIGEST, /* hash of a text that holds the secret */
    PH_SIG_RSA,    /* PKCS #1 v1.5 */
    PH_SIG_RSA_PSS,
    PH_SIG_ECDSA, /* DER */
    PH_SIG_ED25519,
    PH_SIG_JWS,    /* compact, or detached when `message` is given */
    PH_SIG_TOKEN,  /* the text itself, compared */
    PH_SIG_BASIC,  /* Authorization: Basic */
    PH_SIG_CALLOUT /* the processor's API decides */
};

enum ph_hash {
    PH_HASH_NONE,
    PH_HASH_MD5,
    PH_HASH_SHA1,
    PH_HASH_SHA256,
    PH_HASH_SHA384,
    PH_HASH_SHA512
};

enum ph_encoding {
    PH_ENC_TEXT,
    PH_ENC_HEX,       /* either case */
    PH_ENC_HEX_LOWER, /* lower case only: braintree's SDK compares text */
    PH_ENC_BASE64,    /* padded or not */
    PH_ENC_BASE64URL, /* unpadded */
};

enum ph_secret_form {
    PH_SECRET_TEXT, /* its bytes are the key */
    PH_SECRET_HEX,
    PH_SECRET_BASE64,
    PH_SECRET_WHSEC, /* whsec_ cut off, then base64; plain text keys stay text */
    PH_SECRET_SHA1,  /* the SHA-1 of its bytes is the key: braintree */
    PH_SECRET_PEM,   /* a public key or certificate, PEM or base64 of the PEM or of DER */
    PH_SECRET_JWKS,  /* a JSON Web Key Set; PEM is taken too */
};

/* One shape of the signature text: literals, and names that catch what stands between them. */
enum ph_layout_part_kind {
    PH_LAYOUT_LITERAL,
    PH_LAYOUT_CAPTURE,
    PH_LAYOUT_SIGNATURE,
    PH_LAYOUT_SECRET2
};
struct ph_layout_part {
    enum ph_layout_part_kind kind;
    int16_t capture;      /* CAPTURE: index */
    struct ph_slice text; /* LITERAL */
};
struct ph_layout {
    const struct ph_layout_part *parts;
    uint16_t count;
    bool has_kind; /* this shape says the algorithm */
    enum ph_signature_kind kind;
    enum ph_hash hash;
};

/* A request to somebody else's API that the engine asks for and never makes. */
enum ph_fetch_kind { PH_FETCH_EVENT, PH_FETCH_CERTIFICATE, PH_FETCH_JWKS, PH_FETCH_VERDICT };
struct ph_header_template {
    struct ph_slice name;
    struct ph_template value;
};
struct ph_fetch {
    enum ph_fetch_kind kind;
    struct ph_slice method;
    struct ph_template url;
    const struct ph_slice *hosts; /* allowed, exact; the only ones */
    uint16_t host_count;
    const struct ph_header_template *headers;
    uint16_t header_count;
    struct ph_template body;
    const struct ph_test *accept; /* VERDICT: tests over fetched:/ that say verified */
    uint16_t accept_count;
};

struct ph_signature {
    const struct ph_test *when; /* this scheme is used when all hold; the first that fits */
    uint16_t when_count;
    enum ph_signature_kind kind;
    enum ph_hash hash;
    struct ph_expr from;             /* where the signature text is */
    struct ph_slice list;            /* separator; {NULL,0}: one entry */
    const struct ph_layout *layouts; /* none: the whole entry is the signature */
    uint16_t layout_count;
    uint16_t capture_count;
    const struct ph_slice *captures; /* names; [0] is always "signature" */
    bool first_only;                 /* of several signatures only the first counts: braintree */
    bool header_may_repeat;          /* the header may come twice; both are read */
    enum ph_encoding encoding;
    enum ph_secret_form secret_form;
    struct ph_expr key;                 /* key material; default: secret */
    const struct ph_template *messages; /* any one that fits; JWS: the detached payload */
    uint16_t message_count;
    const struct ph_test *require; /* what must hold of the request, or it is forged */
    uint16_t require_count;
    struct ph_expr time; /* the signed time; none: not signed */
    enum ph_unit time_unit;
    int64_t past_ms, future_ms;    /* tolerance; -1: any age */
    const struct ph_slice *covers; /* what it protects, in words: body, headers, url, fields … */
    uint16_t cover_count;
    const struct ph_slice *algorithms; /* JWS: pinned `alg` values */
    uint16_t algorithm_count;
    const struct ph_fetch *fetch;             /* key material, or the verdict */
    const struct ph_slice *certificate_names; /* one of them must be the certificate's: paypal */
    uint16_t certificate_name_count;
    const struct ph_header_template *send; /* signing: further headers */
    uint16_t send_count;
    /* signing a JWS: members of its header (all strings) */
    const struct ph_header_template *protect;
    uint16_t protect_count;
    bool per_item; /* reads from the event: each item of a batch is verified */
};

/* ---- the whole ------------------------------------------------------------------------------- */

enum ph_format {
    PH_FORMAT_JSON,
    PH_FORMAT_FORM,
    PH_FORMAT_XML,
    PH_FORMAT_MEDIA_TYPE, /* Content-Type says which of JSON and form; without one: an error */
    PH_FORMAT_TEXT,       /* nothing to read in it */
};

enum ph_decode { PH_DECODE_BASE64, PH_DECODE_JSON, PH_DECODE_XML, PH_DECODE_FORM, PH_DECODE_JWT };

struct ph_reply {
    int32_t status;
    /* refuse: what comes after waits until it is accepted, so whoever keeps it says so */
    bool stops_queue;
    const struct ph_header_template *headers;
    uint16_t header_count;
    struct ph_template body;
    /* A signed reply: {signature} in body. kind NONE: unsigned. */
    enum ph_signature_kind sign_kind;
    enum ph_hash sign_hash;
    enum ph_encoding sign_encoding;
    struct ph_expr sign_key;
    struct ph_template sign_message;
};

/* What a page says of a currency code: decimals other than ISO 4217's; a word of the processor's
 * own for one (Fiuu: RM is MYR); or `none`, a code that it uses and no answer has a number for
 * (Adyen: CNH, XCG): well-formed, its amounts are left out and said to be. */
enum { PH_DECIMALS_NONE = 255 };

struct ph_currency_exception {
    char code[4]; /* two or three letters, zero-ended */
    char is[4];   /* the ISO code it stands for; empty: `code` is one */
    uint8_t decimals;
};

/* One part of the dedupe key: it joins while all its tests hold, else its place stays empty. So
 * does what the signature leaves out, for the types and with the values the page knows, where
 * two events would have one key without it (adyen's disputeStatus, novalnet's status and
 * refund). */
struct ph_key_part {
    struct ph_expr of;
    const struct ph_test *when;
    uint16_t when_count;
};

/* One shape of a processor's webhooks: most have one, some an older and a newer. */
struct ph_variant {
    struct ph_slice name;
    const struct ph_test *when; /* over the outer body and the request; all must hold */
    uint16_t when_count;
    enum ph_format format;
    struct ph_piece inner;        /* text of the inner document; pointer NULL: none */
    const enum ph_decode *decode; /* how the inner text is decoded, in order */
    uint16_t decode_count;
    const struct ph_pointer *items; /* with one PH_STEP_ANY; NULL: one event */
    const struct ph_let *lets;
    uint16_t let_count;
    const struct ph_signature *signatures;
    uint16_t signature_count;
    struct ph_expr id, type, time;
    enum ph_unit time_unit;
    struct ph_expr account;
    /* told, but no part of the keys: not every notice of one change carries it (paypal) */
    bool account_apart;
    struct ph_choice mode;
    const struct ph_need *needs;
    uint16_t need_count;
    const struct ph_rule *rules;
    uint16_t rule_count;
    const struct ph_rule_group *groups; /* sorted by ph_type_order */
    uint16_t group_count;
    /* The groups, from 1, each at the slot that ph_type_slot gives for its type or the next free
     * one after it; 0: free. */
    const uint16_t *group_slots;
    /* a power of two, at least twice as many as groups; 0: there are none */
    uint16_t group_slot_count;
    const uint16_t *open_rules; /* for types in no group */
    uint16_t open_rule_count;
    const struct ph_key_part *dedupe; /* none: no key */
    uint16_t dedupe_count;
    struct ph_reply ack, refuse;
    int32_t ack_within_ms;        /* the processor's deadline; 0: not known */
    const struct ph_fetch *fetch; /* what completes a thin notice; NULL: none */
};

/* What a processor asks the URL by GET, before it sends anything, and what it hears. Strangers ask
 * it too: it is made of what they sent and of texts of the page, of no secret, and signs nothing. */
struct ph_handshake {
    const struct ph_test *when; /* of headers and the query */
    uint16_t when_count;
    struct ph_reply reply;
};

struct ph_sample {
    struct ph_slice event; /* name for `trigger`: file name without extension */
    struct ph_slice variant;
    struct ph_slice body; /* unsigned; the inner text where the variant decodes one */
};

struct ph_source_note {
    struct ph_slice tag, text; /* "S1", "docs.stripe.com/webhooks (2026-11-24)" */
};

struct ph_config_field {
    struct ph_slice name, help;
};

struct ph_connector {
    struct ph_slice name, title;
    const struct ph_source_note *sources;
    uint16_t source_count;
    const struct ph_config_field *config;
    uint16_t config_count;
    const struct ph_variant *variants; /* the first that fits; at least one */
    uint16_t variant_count;
    const struct ph_handshake *handshake; /* NULL: it has none */
    const struct ph_node *nodes; /* of the pointers into the event, all variants' together */
    uint16_t node_count;
    const struct ph_currency_exception *currencies; /* decimals that differ from ISO 4217 */
    uint16_t currency_count;
    const struct ph_sample *samples;
    uint16_t sample_count;
    struct ph_slice retry;  /* the processor's retry ladder, in words */
    struct ph_slice notes;  /* what an operator should know */
    struct ph_slice hash;   /* lower-case hex SHA-256 of the page's bytes */
    struct ph_slice native; /* name of the native hook; {NULL,0}: none */
};

/* The connectors compiled into the program, sorted by name. Generated by connectorc. */
extern const struct ph_connector *const ph_connectors_builtin[];
extern const size_t ph_connectors_builtin_count;

#endif
