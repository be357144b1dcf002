/* The inside of struct ph_hook: one webhook, its answer and the worker that makes it. Private to
 * api/. */
#ifndef PH_API_HOOK_H
#define PH_API_HOOK_H

#include "core/engine.h"
#include "payhook.h"

struct ph_hook {
    struct ph_allocator allocator; /* its ctx is the hook */
    void *(*alloc)(size_t bytes);
    void (*release)(void *ptr);
    struct ph_worker *worker;
    /* What arrived. Texts lie in the worker's arena. */
    struct ph_request request;
    struct ph_header headers[PH_HEADERS_MAX];
    size_t header_bytes;
    struct ph_secret_pair secrets[PH_SECRETS_MAX];
    struct ph_config_value config[PH_CONFIG_VALUES_MAX];
    struct ph_input in;
    /* What came out. */
    bool answered;
    struct ph_answer answer;
    struct ph_signed signature;
    struct ph_slice sign_reason;
};

/* A text for the caller: with a NUL behind it. NULL: absent, or no memory. */
const char *ph_hook_give(const struct ph_hook *hook, struct ph_slice text, size_t *ret_len);

#endif
