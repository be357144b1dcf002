/* Pointers into trees. Those into the event share one walk (struct ph_node): the first look at an event goes
 * once over the members of each object that some pointer of the page leads into, keeps every one that is named,
 * and notes which come twice. Whoever reads the event then finds its values without searching.
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

/* Every named member of an object gets its place, from one look at each. */
static void walk_object(const struct ph_node *nodes, const struct ph_node *node, yyjson_val *object, struct ph_found *found)
{
    const uint16_t *slots = node->slots;
    size_t left = unsafe_yyjson_get_len(object), slot_count = node->slot_count;
    for (yyjson_val *k = unsafe_yyjson_get_first(object); left > 0; left--) {
        yyjson_val *v = k + 1;
        struct ph_slice key = ph_slice_of(unsafe_yyjson_get_str(k), unsafe_yyjson_get_len(k));
        uint16_t child;
        for (size_t at = ph_key_slot(key, slot_count); (child = slots[at]) != 0; at = (at + 1) & (slot_count - 1)) {
            if (!ph_slice_eq(nodes[child].step.key, key))
                continue;
            if (found[child].value == NULL)
                found[child].value = v;
            else if (found[child].twice == 0)
                found[child].twice = child; /* P2; the first stands */
            break;
        }
        k = unsafe_yyjson_get_next(v);
    }
}

static void walk(struct ph_run *run, uint16_t at)
{
    const struct ph_node *nodes = run->connector->nodes, *node = &nodes[at];
    struct ph_found *found = run->seen.found;
    yyjson_val *from = found[at].value;
    if (yyjson_is_obj(from) && node->slot_count > 0)
        walk_object(nodes, node, from, found);
    if (found[at].twice == 0 && !yyjson_is_arr(from))
        return;
    for (uint16_t i = 0; i < node->slot_count; i++) {
        uint16_t child = node->slots[i];
        if (child != 0 && yyjson_is_arr(from))
            found[child].value = element(run, from, &nodes[child].step);
        if (child != 0 && found[at].twice != 0)
            found[child].twice = found[at].twice; /* P2: the first on the way is told */
    }
}

void ph_point_look(struct ph_run *run)
{
    const struct ph_connector *c = run->connector;
    struct ph_seen *seen = &run->seen;
    assert(seen->found != NULL); /* ph_run_open made it */
    memset(seen->found, 0, c->node_count * sizeof(*seen->found));
    seen->found[0].value = seen->tree = run->item;
    uint16_t at = 0;
    do {
        if (seen->found[at].value != NULL || seen->found[at].twice != 0)
            walk(run, at);
        at = c->nodes[at].next;
    } while (at != 0);
}

void ph_point_twice(struct ph_run *run, const struct ph_found *found)
{
    ph_note_ambiguous(run, false, PH_S("key "), run->connector->nodes[found->twice].step.key);
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
