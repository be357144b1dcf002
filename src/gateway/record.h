/* From a judged request to what the inbox stores of it. */
#ifndef PH_GATEWAY_RECORD_H
#define PH_GATEWAY_RECORD_H

#include "gateway/view.h"

struct ph_record_input {
    const struct ph_view *view;
    const struct ph_config_endpoint *endpoint;
    const struct ph_input *in; /* as the engine had it; its request's bytes are stored */
    struct ph_answer *answer;  /* its events get the ids that they are told under */
    struct ph_slice account;   /* ph_view_keys.account */
    struct ph_slice secret;    /* the name of the secret that matched; absent: none */
    struct ph_slice secret_of; /* ph_view_keys.secret_of */
    struct ph_slice remote, trace;
    /* what it waits for has an address that never brought anything (ph_callouts_knows) */
    bool unknown;
    const struct ph_config_value *brought; /* what callouts answered */
    size_t brought_count;
};

/* Where several accounts share an endpoint, a batch was judged with the keys of the one that its
 * request names: an item of another account proves nothing, and becomes FORGED. */
void ph_record_part_accounts(const struct ph_config_endpoint *endpoint, struct ph_answer *answer);

/* Fills a store op: everything in it is in the worker's arena or borrowed from the input. */
PH_MUST_USE enum ph_status ph_record_make(struct ph_worker *worker,
                                          const struct ph_record_input *input,
                                          struct ph_inbox_store *ret);

/* A copy that stands alone, one block of the heap with `extra` zeroed bytes in front of it (a
 * multiple of 16), for whoever embeds it. Gives the block; NULL: no memory. `op.bytes` is its
 * size. */
void *ph_record_copy(const struct ph_inbox_store *store, size_t extra, struct ph_inbox_store **ret);

#endif
