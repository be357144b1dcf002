/* The pointers of a page as one tree (struct ph_node): pointers that begin alike share what they begin
 * with. A step that chooses among elements ([name=text], *) ends the shared part: which element it gives is
 * no matter of keys. */
#include "reader/build.h"

void ph_nodes_start(struct ph_build *b)
{
    b->nodes = ph_build_alloc(b, PH_NODES_MAX * sizeof(*b->nodes));
    b->node_count = 1;
}

static bool is_step(const struct ph_step *a, const struct ph_step *b)
{
    return a->kind == b->kind && ph_slice_eq(a->key, b->key);
}

/* The node one step behind `parent`, new or known; 0: no room. */
static uint16_t child(struct ph_build *b, uint16_t parent, const struct ph_step *step)
{
    for (size_t i = 1; i < b->node_count; i++)
        if (b->nodes[i].parent == parent && is_step(&b->nodes[i].step, step))
            return (uint16_t)i;
    if (b->node_count == PH_NODES_MAX)
        return 0;
    b->nodes[b->node_count] = (struct ph_node){.step = *step, .parent = parent};
    return (uint16_t)b->node_count++;
}

void ph_nodes_note(struct ph_build *b, const struct ph_yaml *at, struct ph_pointer *pointer)
{
    for (uint16_t i = 0; i < pointer->count; i++) {
        const struct ph_step *step = &pointer->steps[i];
        if (step->kind != PH_STEP_KEY && step->kind != PH_STEP_LAST)
            return;
        uint16_t next = child(b, pointer->node, step);
        if (next == 0) {
            ph_build_error(b, at, "more than 1023 different pointers, at ", pointer->text, "");
            return;
        }
        pointer->node = next;
        pointer->shared = (uint16_t)(i + 1);
    }
}

static void table_of(struct ph_build *b, size_t parent)
{
    size_t count = 0, slot_count = 1;
    for (size_t i = 1; i < b->node_count; i++)
        count += b->nodes[i].parent == parent;
    if (count == 0)
        return;
    while (slot_count < 2 * count)
        slot_count *= 2;
    uint16_t *slots = ph_build_alloc(b, slot_count * sizeof(*slots));
    for (size_t i = 1; i < b->node_count; i++) {
        if (b->nodes[i].parent != parent)
            continue;
        size_t at = ph_key_slot(b->nodes[i].step.key, slot_count);
        while (slots[at] != 0)
            at = (at + 1) & (slot_count - 1);
        slots[at] = (uint16_t)i;
    }
    b->nodes[parent].slots = slots;
    b->nodes[parent].slot_count = (uint16_t)slot_count;
}

void ph_nodes_end(struct ph_build *b, struct ph_connector *connector)
{
    for (size_t i = 0; i < b->node_count; i++)
        table_of(b, i);
    connector->nodes = b->nodes;
    connector->node_count = (uint16_t)b->node_count;
}
