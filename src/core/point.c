/* Pointers into trees. Those into the event share one walk (struct ph_node): the first look into an object
 * goes over its members once, keeps every one that some pointer of the page names, and notes which come
 * twice. The rules' tests then find what they compare without searching.
 *
 * P1: what is kept is of one tree of this run; another event of the batch begins afresh.
 * P2: a member that comes twice is ambiguous each time it is read, and only then: kept values say so again. */
#include <assert.h>

#include "core/value.h"

void ph_note_ambiguous(struct ph_run *run, bool in_head, struct ph_slice what, struct ph_slice name)
{
    if (ph_slice_present(run->ambiguous))
        return;
    run->ambiguous_head = in_head;
    struct ph_slice parts[] = {PH_S("ambiguous: "), what, name, PH_S(" comes twice")};
    run->ambiguous = ph_join(run, parts, PH_COUNTOF(parts));
    if (!ph_slice_present(run->ambiguous))
        run->ambiguous = PH_S("ambiguous: a key or header comes twice");
}

struct ph_slice ph_json_text(yyjson_val *v)
{
    switch (yyjson_get_type(v)) {
    case YYJSON_TYPE_STR:
    case YYJSON_TYPE_RAW:
        return ph_slice_of(unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v));
    case YYJSON_TYPE_BOOL:
        return yyjson_get_bool(v) ? PH_S("true") : PH_S("false");
    default:
        return (struct ph_slice){0};
    }
}

static bool is_key(yyjson_val *k, struct ph_slice key)
{
    return unsafe_yyjson_get_len(k) == key.len && ph_bytes_eq(unsafe_yyjson_get_str(k), key.ptr, key.len);
}

/* ---- any tree: step by step --------------------------------------------------------------------- */

/* The member of that name. All members are looked at: one that comes twice means two things. */
static yyjson_val *member(struct ph_run *run, yyjson_val *object, struct ph_slice key)
{
    yyjson_val *hit = NULL;
    size_t left = unsafe_yyjson_get_len(object);
    for (yyjson_val *k = unsafe_yyjson_get_first(object); left > 0; left--) {
        yyjson_val *v = k + 1;
        if (is_key(k, key)) {
            if (hit != NULL) {
                ph_note_ambiguous(run, false, PH_S("key "), key);
                return hit;
            }
            hit = v;
        }
        k = unsafe_yyjson_get_next(v);
    }
    return hit;
}

static yyjson_val *element(struct ph_run *run, yyjson_val *array, const struct ph_step *step)
{
    switch (step->kind) {
    case PH_STEP_KEY:
        return step->index >= 0 ? yyjson_arr_get(array, (size_t)step->index) : NULL;
    case PH_STEP_LAST:
        return yyjson_arr_get_last(array);
    case PH_STEP_SELECT: {
        size_t index, count;
        yyjson_val *one;
        yyjson_arr_foreach(array, index, count, one) {
            yyjson_val *v = yyjson_is_obj(one) ? member(run, one, step->key) : NULL;
            if (v != NULL && ph_slice_eq(ph_json_text(v), step->value))
                return one;
        }
        return NULL;
    }
    case PH_STEP_ANY:
        return NULL;
    }
    return NULL;
}

yyjson_val *ph_step_into(struct ph_run *run, yyjson_val *from, const struct ph_step *step)
{
    if (yyjson_is_obj(from))
        return step->kind == PH_STEP_KEY || step->kind == PH_STEP_LAST ? member(run, from, step->key) : NULL;
    return yyjson_is_arr(from) ? element(run, from, step) : NULL;
}

/* ---- the event: one walk for all pointers ------------------------------------------------------- */

/* P1. */
static void begin(struct ph_run *run)
{
    struct ph_seen *seen = &run->seen;
    assert(seen->found != NULL); /* ph_run_open made it */
    if (seen->tree == run->item)
        return;
    memset(seen->found, 0, run->connector->node_count * sizeof(*seen->found));
    seen->found[0].value = seen->tree = run->item;
}

/* Every named member gets its place, from one look at each. */
static void walk_object(struct ph_run *run, const struct ph_node *node, yyjson_val *object)
{
    size_t left = unsafe_yyjson_get_len(object);
    for (yyjson_val *k = unsafe_yyjson_get_first(object); left > 0; left--) {
        yyjson_val *v = k + 1;
        struct ph_slice key = ph_slice_of(unsafe_yyjson_get_str(k), unsafe_yyjson_get_len(k));
        for (size_t at = ph_key_slot(key, node->slot_count); node->slots[at] != 0; at = (at + 1) & (node->slot_count - 1U)) {
            uint16_t child = node->slots[at];
            if (!ph_slice_eq(run->connector->nodes[child].step.key, key))
                continue;
            struct ph_found *found = &run->seen.found[child];
            if (found->value == NULL)
                found->value = v;
            else if (found->twice == 0)
                found->twice = child; /* P2; the first stands */
        }
        k = unsafe_yyjson_get_next(v);
    }
}

static void walk(struct ph_run *run, uint16_t at);

/* What a node led to, its parents walked where they are not yet. */
static const struct ph_found *find(struct ph_run *run, uint16_t at)
{
    uint16_t parent = run->connector->nodes[at].parent;
    if (!run->seen.found[parent].walked)
        walk(run, parent);
    return &run->seen.found[at];
}

static void walk(struct ph_run *run, uint16_t at)
{
    const struct ph_node *node = &run->connector->nodes[at];
    struct ph_found *found = run->seen.found;
    if (at != 0)
        (void)find(run, at); /* no deeper than a pointer has steps */
    yyjson_val *from = found[at].value;
    found[at].walked = true;
    if (yyjson_is_obj(from))
        walk_object(run, node, from);
    if (found[at].twice == 0 && !yyjson_is_arr(from))
        return;
    for (uint16_t i = 0; i < node->slot_count; i++) {
        uint16_t child = node->slots[i];
        if (child != 0 && yyjson_is_arr(from))
            found[child].value = element(run, from, &run->connector->nodes[child].step);
        if (child != 0 && found[at].twice != 0)
            found[child].twice = found[at].twice; /* P2: the first on the way is told */
    }
}

yyjson_val *ph_point_node(struct ph_run *run, uint16_t node)
{
    if (run->item == NULL)
        return NULL;
    begin(run);
    const struct ph_found *found = find(run, node);
    if (found->twice != 0)
        ph_note_ambiguous(run, false, PH_S("key "), run->connector->nodes[found->twice].step.key);
    return found->value;
}

yyjson_val *ph_point(struct ph_run *run, yyjson_val *from, const struct ph_pointer *pointer)
{
    uint16_t at = 0;
    if (pointer->node != 0 && from == run->item) {
        from = ph_point_node(run, pointer->node);
        at = pointer->shared;
    }
    for (; from != NULL && at < pointer->count; at++)
        from = ph_step_into(run, from, &pointer->steps[at]);
    return from;
}
