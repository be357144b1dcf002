/* Pointers with a `*`: every element of a list, several times where the page says so. The depth
 * is the page's, the number of values at most the document's. */
#include "core/value.h"

struct walk {
    struct ph_run *run;
    const struct ph_pointer *pointer;
    ph_visit visit;
    void *ctx;
};

static bool walk(const struct walk *w, yyjson_val *from, uint16_t step)
{
    for (; from != NULL && step < w->pointer->count; step++) {
        if (w->pointer->steps[step].kind != PH_STEP_ANY) {
            from = ph_step_into(w->run, from, &w->pointer->steps[step]);
            continue;
        }
        size_t index, count;
        yyjson_val *element;
        if (yyjson_arr_size(from) == 0)
            break;
        yyjson_arr_foreach(from, index, count, element)
        {
            if (!walk(w, element, (uint16_t)(step + 1)))
                return false;
        }
        return true;
    }
    return w->visit(w->ctx, step < w->pointer->count || yyjson_is_null(from) ? NULL : from);
}

bool ph_visit_many(struct ph_run *run, const struct ph_expr *expr, ph_visit visit, void *ctx)
{
    const struct ph_piece *piece = &expr->alternatives[0].pieces[0];
    struct walk w = {.run = run, .pointer = piece->pointer, .visit = visit, .ctx = ctx};
    return walk(&w, ph_tree_of(run, piece->source), 0);
}
