/* Requests as the processor would make them, for sign, sign --ndjson and trigger. Private to
 * cmd/. */
#ifndef PH_CMD_SIGN_H
#define PH_CMD_SIGN_H

#include "core/engine.h"

struct ph_args;

/* A whole request, ready to be sent. Lives as long as the worker's answer and the input. */
struct ph_made {
    struct ph_slice method, uri, body; /* uri with the query that the signature may be in */
    struct ph_header headers[2 * PH_HEADERS_MAX]; /* the caller's, then those of the signature */
    size_t header_count;
};

/* The sample of that name, of that variant where shapes share names ({NULL,0}: the first); NULL:
 * none. */
const struct ph_sample *ph_sample_find(const struct ph_connector *connector, struct ph_slice event,
                                       struct ph_slice variant);
/* Why there is no such sample, with the nearest name; PH_EXIT_USAGE. `variant` may be NULL. */
int ph_sample_unknown(struct ph_args *args, const struct ph_connector *connector, const char *event,
                      const char *variant);
/* Signs in->request, whose body is the event unsigned, as that variant ({NULL,0}: the first
 * shape it fits). False: *ret_why. `arena` must outlive *ret. */
bool ph_make(struct ph_worker *worker, struct ph_arena *arena, const struct ph_input *in,
             struct ph_slice variant, struct ph_made *ret, struct ph_slice *ret_why);
/* {"method","uri","headers":[[name,value]…],"body" or "body_base64"}: what --ndjson takes as
 * `request`. */
void ph_made_print_json(struct ph_arena *arena, const struct ph_made *made);

#endif
