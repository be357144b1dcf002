/* Pointers into trees. Those into the event share one walk (struct ph_node): the first look at
 * an event goes once over the members of each object that some pointer of the page leads into,
 * keeps every one that is named, and notes which come twice. Whoever reads the event then finds
 * its values without searching.
 *
 * P1: what is kept is of one tree of this run; another event of the batch begins afresh.
 * P2: a member that comes twice is ambiguous each time it is read, and only then: kept values
 *     say so again. */
#include <assert.h>
#include <endian.h>

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
    return unsafe_yyjson_get_len(k) == key.len &&
           ph_bytes_eq(unsafe_yyjson_get_str(k), key.ptr, key.len);
}

/* ---- any tree: step by step ------------------------------------------------------------------ */

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
        yyjson_arr_foreach(array, index, count, one)
        {
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
        return step->kind == PH_STEP_KEY || step->kind == PH_STEP_LAST
                   ? member(run, from, step->key)
                   : NULL;
    return yyjson_is_arr(from) ? element(run, from, step) : NULL;
}

/* ---- the event: one walk for all pointers ---------------------------------------------------- */

/* Nodes that were found and have nodes behind them, in the order they are to be walked. */
struct todo {
    size_t count;
    uint16_t nodes[PH_POINTER_NODES_MAX]; /* each once */
};

PH_COLD static void set_twice(struct ph_run *run, uint16_t node, uint16_t by)
{
    run->seen.clear = &run->seen.nobody;
    run->seen.twice[node] = by;
}

/* A key's first bytes in one load: eight can be read from wherever a key of a parsed document
 * begins, for its closing quote, a colon, a value and a brace follow it, and then the parser's
 * padding. */
static inline uint64_t head_of(const char *key, size_t len)
{
    static_assert(YYJSON_PADDING_SIZE >= 4, "a key is followed by eight bytes");
    uint64_t head;
    memcpy(&head, key, sizeof(head));
    return ph_key_cut(le64toh(head), len);
}

/* Two words that overlap say all of a key of up to sixteen bytes, in one compare. */
static inline bool is_named(const struct ph_node *node, uint64_t head, const char *key, size_t len)
{
    uint64_t tail = head_of(key + (len > 8 ? len - 8 : 0), len);
    if (((node->head ^ head) | (node->tail ^ tail) | (node->key_bytes ^ len)) != 0)
        return false;
    return len <= 16 || memcmp(node->step.key.ptr + 8, key + 8, len - 16) == 0;
}

/* The key behind that value. Most values are no containers: a guess is quicker than reading
 * where each ends. */
static inline yyjson_val *next_key(yyjson_val *v)
{
    return __builtin_expect(unsafe_yyjson_is_ctn(v), 0) ? unsafe_yyjson_get_next(v) : v + 1;
}

/* Every named member of an object gets its place, from one look at each. */
static void walk_object(struct ph_run *run, const struct ph_node *node, yyjson_val *object,
                        struct todo *todo)
{
    const struct ph_node *nodes = run->connector->nodes;
    const uint16_t *slots = node->slots;
    yyjson_val **values = run->seen.values;
    size_t slot_count = node->slot_count;
    yyjson_val *end = unsafe_yyjson_get_next(object);
    for (yyjson_val *k = unsafe_yyjson_get_first(object), *v; k < end; k = next_key(v)) {
        const char *key = unsafe_yyjson_get_str(k);
        size_t len = unsafe_yyjson_get_len(k);
        uint64_t head = head_of(key, len);
        size_t at = ph_key_slot(head, len, slot_count);
        uint16_t child;
        v = k + 1;
        while ((child = slots[at]) != 0 && !is_named(&nodes[child], head, key, len))
            at = (at + 1) & (slot_count - 1);
        if (child == 0)
            continue;
        if (values[child] != NULL) {
            set_twice(run, child, child); /* P2; the first stands */
            continue;
        }
        values[child] = v;
        if (nodes[child].slot_count > 0)
            todo->nodes[todo->count++] = child;
    }
}

/* Elements of an array; and what a doubled key on the way is told to, whether it is there or
 * not. */
PH_COLD static void walk_others(struct ph_run *run, uint16_t at, yyjson_val *from,
                                struct todo *todo)
{
    const struct ph_node *nodes = run->connector->nodes, *node = &nodes[at];
    struct ph_seen *seen = &run->seen;
    uint16_t twice = seen->twice[at];
    for (uint16_t i = 0; i < node->slot_count; i++) {
        uint16_t child = node->slots[i];
        if (child == 0)
            continue;
        bool known = seen->values[child] != NULL; /* and walked already */
        if (yyjson_is_arr(from))
            seen->values[child] = element(run, from, &nodes[child].step);
        if (twice != 0)
            set_twice(run, child, twice); /* P2: the first on the way is told */
        if (!known && nodes[child].slot_count > 0 && (twice != 0 || seen->values[child] != NULL))
            todo->nodes[todo->count++] = child;
    }
}

static void look(struct ph_run *run)
{
    const struct ph_connector *c = run->connector;
    struct ph_seen *seen = &run->seen;
    struct todo todo;
    assert(seen->values != NULL); /* ph_run_open made room */
    if (seen->tree != NULL) {     /* and cleared it for the first event */
        memset(seen->values, 0, c->node_count * sizeof(*seen->values));
        memset(seen->twice, 0, c->node_count * sizeof(*seen->twice));
    }
    seen->values[0] = seen->tree = seen->clear = run->item;
    todo.nodes[0] = 0;
    todo.count = 1;
    for (size_t i = 0; i < todo.count; i++) {
        const struct ph_node *node = &c->nodes[todo.nodes[i]];
        yyjson_val *from = seen->values[todo.nodes[i]];
        if (yyjson_is_obj(from) && node->slot_count > 0)
            walk_object(run, node, from, &todo);
        if (yyjson_is_arr(from) || seen->clear != seen->tree)
            walk_others(run, todo.nodes[i], from, &todo);
    }
}

enum ph_status ph_point_room(struct ph_run *run)
{
    size_t count = run->connector->node_count + 1U; /* a page without pointers has no nodes */
    run->seen.values =
        ph_arena_plain(run->arena, count * (sizeof(*run->seen.values) + sizeof(*run->seen.twice)));
    run->seen.twice = (uint16_t *)(run->seen.values + count);
    return run->seen.values != NULL ? PH_OK : PH_ERR_NO_MEMORY;
}

yyjson_val *ph_point_anew(struct ph_run *run, uint16_t node)
{
    if (run->item == NULL)
        return NULL;
    if (run->seen.tree != run->item)
        look(run);
    uint16_t by = run->seen.twice[node];
    if (by != 0)
        ph_note_ambiguous(run, false, PH_S("key "), run->connector->nodes[by].step.key);
    return run->seen.values[node];
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
