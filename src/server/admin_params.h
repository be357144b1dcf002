/* What a caller of the admin API asks for: the query's (or a JSON object's) names and values, as a
 * filter of the inbox. Pure.
 *
 * Q1: a name that is not known is an error, not ignored: a filter misspelt would show, or send
 * again, everything. */
#ifndef PH_SERVER_ADMIN_PARAMS_H
#define PH_SERVER_ADMIN_PARAMS_H

#include "inbox/inbox.h"

enum { PH_ADMIN_PARAMS_MAX = 24 };

struct ph_admin_params {
    struct ph_slice names[PH_ADMIN_PARAMS_MAX], values[PH_ADMIN_PARAMS_MAX];
    size_t count;
};

/* What goes beyond the inbox's own filter. */
struct ph_admin_filter {
    struct ph_inbox_filter inbox;
    int32_t standing; /* of a request: enum ph_inbox_standing; 0: any */
    size_t limit;
    bool unmasked, dry_run;
    bool bounded; /* something is given that narrows it */
};

/* Which of them a route takes. */
enum ph_admin_takes {
    PH_TAKES_EVENTS = 1,    /* endpoint, connector, type, class, subject, event_id, from, to */
    PH_TAKES_DELIVERY = 2,  /* destination, state */
    PH_TAKES_REQUESTS = 4,  /* endpoint, connector, standing, from, to */
    PH_TAKES_PAGE = 8,      /* limit, cursor */
    PH_TAKES_UNMASKED = 16, /* unmasked */
    PH_TAKES_TAIL = 32,     /* after, wait */
};

/* "a=1&b=x%20y"; PH_ERR_MALFORMED: a bad escape, a name twice, NUL, too many. Texts are in the
 * arena. */
PH_MUST_USE enum ph_status ph_admin_params_read(struct ph_arena *arena, struct ph_slice query,
                                                struct ph_admin_params *ret);
/* A part of a path, its escapes read. */
PH_MUST_USE enum ph_status ph_admin_word_read(struct ph_arena *arena, struct ph_slice text,
                                              struct ph_slice *ret);
/* Absent: not given. */
struct ph_slice ph_admin_param(const struct ph_admin_params *params, struct ph_slice name);
/* False: *ret_why says which one, and what it takes. `takes`: bits of enum ph_admin_takes. Relative
 * times ("2h": so long ago) are counted from now_ms. */
bool ph_admin_filter_read(struct ph_arena *arena, const struct ph_admin_params *params,
                          uint32_t takes, int64_t now_ms, struct ph_admin_filter *ret,
                          struct ph_slice *ret_why);
/* "name: no KIND is called "word"; did you mean …?", or which there are. */
struct ph_slice ph_admin_unknown(struct ph_arena *arena, struct ph_slice name, const char *kind,
                                 struct ph_slice word, const struct ph_slice *known, size_t count);
/* A number above 0, in digits alone. */
bool ph_admin_id_read(struct ph_slice text, int64_t *ret);

#endif
