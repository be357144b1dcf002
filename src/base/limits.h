/* Every limit of the engine, with its reason. Nothing that strangers feed grows without one. */
#ifndef PH_BASE_LIMITS_H
#define PH_BASE_LIMITS_H

enum {
    /* A webhook body. The largest documented one is some hundred KiB (Stripe invoices). */
    PH_BODY_BYTES_MAX = 1024 * 1024,
    /* Nesting of JSON and XML: processors use under 12; the parsers recurse or keep a stack. */
    PH_DEPTH_MAX = 64,
    /* Headers of one request, and their bytes. nginx allows 32 KiB by default. */
    PH_HEADERS_MAX = 128,
    PH_HEADER_BYTES_MAX = 32 * 1024,
    PH_URI_BYTES_MAX = 8 * 1024,
    /* Events in one request: GoCardless sends up to 250, Adyen six. */
    PH_ITEMS_MAX = 1000,
    /* Entries of a signature header, and signatures tried in it: senders use two during a rotation. */
    PH_SIGNATURE_ENTRIES_MAX = 32,
    PH_SIGNATURES_MAX = 8,
    /* Secrets of one endpoint: a rotation needs two. */
    PH_SECRETS_MAX = 16,
    PH_SECRET_BYTES_MAX = 64 * 1024, /* a JWKS document may be handed over as a secret */
    /* Form fields and XML elements of one body. */
    PH_FORM_FIELDS_MAX = 2000,
    PH_XML_NODES_MAX = 20000,
    /* Keys of one JWKS document; TrueLayer has four. */
    PH_JWKS_KEYS_MAX = 64,
    /* Memory of one request: a 1 MiB body decoded twice, its tree (13 x its size in yyjson's worst
     * case, which has a pool of its own), its answer. */
    PH_ARENA_BYTES_MAX = 64 * 1024 * 1024,
    PH_ARENA_KEEP_BYTES = 1024 * 1024,
};

#endif
