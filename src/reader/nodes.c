/* The pointers of a page as one tree (struct ph_node): pointers that begin alike share what they
 * begin with. A step that chooses among elements ([name=text], *) ends the shared part: which
 * element it gives is no matter of keys. */
#include "reader/build.h"

enum { SLOTS = 2 * PH_POINTER_NODES_MAX }; /* open addressing, half full at most */

void ph_nodes_start(struct ph_build *b)
{
    b->nodes = ph_build_alloc(b, PH_POINTER_NODES_MAX * sizeof(*b->nodes));
    b->node_slots = ph_build_alloc(b, SLOTS * sizeof(*b->node_slots));
    b->node_count = 1;
}

static bool is_step(const struct ph_step *a, const struct ph_step *b)
{
    return a->kind == b->kind && ph_slice_eq(a->key, b->key);
}

/* FNV-1a over the parent and the key: a page of a thousand pointers must not search all for
 * each. */
static size_t slot_of(uint16_t parent, struct ph_slice key)
{
    uint32_t hash = 2166136261U ^ parent;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.ptr[i]) * 16777619U;
    return (hash ^ hash >> 16) % SLOTS;
}

/* The node one step behind `parent`, new or known; 0: no room. */
static uint16_t child(struct ph_build *b, uint16_t parent, const struct ph_step *step)
{
    size_t at = slot_of(parent, step->key);
    for (; b->node_slots[at] != 0; at = (at + 1) % SLOTS) {
        const struct ph_node *node = &b->nodes[b->node_slots[at]];
        if (node->parent == parent && is_step(&node->step, step))
            return b->node_slots[at];
    }
    if (b->node_count == PH_POINTER_NODES_MAX)
        return 0;
    b->nodes[b->node_count] = (struct ph_node){.head = ph_key_head(step->key),
                                               .tail = ph_key_tail(step->key),
                                               .key_bytes = (uint32_t)step->key.len,
                                               .parent = parent,
                                               .step = *step};
    b->node_slots[at] = (uint16_t)b->node_count;
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
            ph_build_error(b, at, "more than 1023 different pointers, at ", pointer->text,
                           "; a page has no need of so many");
            return;
        }
        pointer->node = next;
        pointer->shared = (uint16_t)(i + 1);
    }
}

void ph_nodes_end(struct ph_build *b, struct ph_connector *connector)
{
    for (size_t i = 1; i < b->node_count; i++)
        b->nodes[b->nodes[i].parent].slot_count++; /* of children, until it is of slots */
    uint16_t **tables = ph_build_alloc(b, b->node_count * sizeof(*tables));
    for (size_t i = 0; i < b->node_count; i++) {
        size_t children = b->nodes[i].slot_count, slots = 1;
        while (slots < 4 * children)
            slots *= 2;
        if (children == 0)
            continue;
        b->nodes[i].slots = tables[i] = ph_build_alloc(b, slots * sizeof(**tables));
        b->nodes[i].slot_count = (uint16_t)slots;
    }
    for (size_t i = 1; i < b->node_count; i++) {
        uint16_t parent = b->nodes[i].parent, slot_count = b->nodes[parent].slot_count;
        size_t at = ph_key_slot(b->nodes[i].head, b->nodes[i].step.key.len, slot_count);
        while (tables[parent][at] != 0)
            at = (at + 1) & (slot_count - 1U);
        tables[parent][at] = (uint16_t)i;
    }
    connector->nodes = b->nodes;
    connector->node_count = (uint16_t)b->node_count;
}
