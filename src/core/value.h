/* Values and their filters, beside what run.h declares. Private to core/. */
#ifndef PH_CORE_VALUE_H
#define PH_CORE_VALUE_H

#include "core/run.h"

/* "key x comes twice": run->ambiguous, unless there is one already. in_head: a header or query
 * parameter does, not something of the body. (point.c) */
void ph_note_ambiguous(struct ph_run *run, bool in_head, struct ph_slice what,
                       struct ph_slice name);
/* Whether a collection leaves that member out. */
bool ph_let_drops(const struct ph_let *let, struct ph_slice key);
/* All values under `from`, in byte order, with what stands between them. (leaves.c) */
PH_MUST_USE enum ph_status ph_leaves_text(struct ph_run *run, const struct ph_let *let,
                                          yyjson_val *from, struct ph_slice *ret);
/* The texts of a template's pieces, one each, not yet joined: what is only hashed need not be
 * copied. false: the template is absent. */
enum { PH_PARTS_USUAL = 24 };
PH_MUST_USE enum ph_status ph_eval_parts(struct ph_run *run, const struct ph_template *t,
                                         struct ph_slice *parts, bool *ret_there);
/* The tree a plain pointer value names, null counting as none; NULL: none, or not a pointer. */
yyjson_val *ph_eval_tree_alternatives(struct ph_run *run, const struct ph_expr *expr);
static inline yyjson_val *ph_eval_tree(struct ph_run *run, const struct ph_expr *expr)
{
    if (expr->node == 0)
        return ph_eval_tree_alternatives(run, expr);
    yyjson_val *value = ph_point_node(run, expr->node);
    return yyjson_is_null(value) ? NULL : value;
}

/* One step of a pointer, PH_STEP_ANY aside; NULL: not there. */
yyjson_val *ph_step_into(struct ph_run *run, yyjson_val *from, const struct ph_step *step);
/* Every value that a many-valued expression names, NULL for one that is not there (an empty list
 * names one such). `visit` says whether to go on; false: it stopped. (many.c) */
typedef bool (*ph_visit)(void *ctx, yyjson_val *value);
bool ph_visit_many(struct ph_run *run, const struct ph_expr *expr, ph_visit visit, void *ctx);
/* The tree a pointer of that source starts from; NULL for other sources. */
yyjson_val *ph_tree_of(struct ph_run *run, enum ph_source source);

/* Filters that read a whole JSON value (`sorted`, `minify`) come first in their chain. */
bool ph_filter_takes_tree(enum ph_filter_op op);
PH_MUST_USE enum ph_status ph_filter_tree(struct ph_run *run, const struct ph_filter *filter,
                                          yyjson_val *value, struct ph_slice *ret);
/* *ret absent when the text is not of the filter's kind. */
PH_MUST_USE enum ph_status ph_filter_text(struct ph_run *run, const struct ph_filter *filter,
                                          struct ph_slice in, struct ph_slice *ret);

/* A decimal number times 10^shift, exactly. "," may stand between groups of three digits.
 * (number.c) */
enum ph_exact { PH_EXACT_OK, PH_EXACT_NOT_A_NUMBER, PH_EXACT_NEEDS_ROUNDING, PH_EXACT_TOO_LARGE };
enum ph_exact ph_parse_exact(struct ph_slice text, int shift, int64_t *ret);

#endif
