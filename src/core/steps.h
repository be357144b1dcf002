/* The steps of engine.c that live in files of their own. Private to core/. */
#ifndef PH_CORE_STEPS_H
#define PH_CORE_STEPS_H

#include "core/run.h"

/* Finding that ends the answer: a code and its words. code PH_E_NONE: none. */
struct ph_problem {
    enum ph_error_code code;
    struct ph_slice message;
};

/* The page's `require` over run->item. (content.c) */
PH_MUST_USE enum ph_status ph_check_needs(struct ph_run *run, const struct ph_need *needs,
                                          size_t count, struct ph_problem *ret);
/* The first rule that fits run->type; NULL: none. (rules.c) */
PH_MUST_USE enum ph_status ph_find_rule(struct ph_run *run, const struct ph_rule **ret);
/* Event type, status, kind; and the context it needs. (rules.c) */
PH_MUST_USE enum ph_status ph_apply_rule(struct ph_run *run, const struct ph_rule *rule,
                                         bool content, struct ph_event *event,
                                         struct ph_problem *ret);
/* Fields of the rule's block; what cannot be told makes the event incomplete, or a problem.
 * (content.c) */
PH_MUST_USE enum ph_status ph_read_content(struct ph_run *run, const struct ph_block *block,
                                           struct ph_event *event, struct ph_problem *ret);
PH_MUST_USE enum ph_status ph_read_reference(struct ph_run *run, const struct ph_block *block,
                                             struct ph_event *event);
/* A time by its unit; false: absent or not a time. (content.c) */
PH_MUST_USE enum ph_status ph_read_time(struct ph_run *run, const struct ph_expr *expr,
                                        enum ph_unit unit, int64_t *ret_ms, bool *ret_there);
/* dedupe_key, effect_key, merchant_event_id; both keys are only read where they are not `told`.
 * (keys.c) */
PH_MUST_USE enum ph_status ph_name_event(struct ph_run *run, const struct ph_rule *rule,
                                         size_t index, bool told, struct ph_event *event);

#endif
