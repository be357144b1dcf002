/* One request, waited for: what a command asks of a server that the user names. No redirects, no
 * proxies from the environment. */
#ifndef PH_CLIENT_ASK_H
#define PH_CLIENT_ASK_H

#include "base/arena.h"

enum { PH_ASK_WHY_BYTES = 256 };

struct ph_ask {
    const char *socket; /* path of a unix socket; NULL: by the URL's host */
    const char *url;    /* http:// or https:// */
    const char *method;
    const char *token;    /* authorization: Bearer; NULL: none */
    const char *ca_file;  /* PEM; NULL: the system's */
    struct ph_slice body; /* JSON; absent: none */
    int64_t total_ms;
    size_t answer_bytes_max;
};

struct ph_asked {
    int status;
    struct ph_slice body;
    struct ph_slice after; /* payhook-after; absent: none */
};

/* Texts of the answer are in the arena. PH_ERR_IO: ret_why says what went wrong. */
PH_MUST_USE enum ph_status ph_ask(struct ph_arena *arena, const struct ph_ask *ask,
                                  struct ph_asked *ret, char ret_why[PH_ASK_WHY_BYTES]);

#endif
