/* Rules by event type, and rules that no event reaches. */
#include "reader/build.h"

static bool can_fit(const struct ph_rule *rule, struct ph_slice type)
{
    bool fits = rule->on_count == 0;
    for (uint16_t i = 0; i < rule->on_count && !fits; i++)
        fits =
            rule->on_prefix ? ph_slice_starts(type, rule->on[i]) : ph_slice_eq(type, rule->on[i]);
    return fits;
}

/* ---- what is never reached ------------------------------------------------------------------- */

/* The first rule before `index` that takes every event of that type (or of every type with that
 * prefix). */
static const struct ph_rule *taken_by(const struct ph_variant *v, uint16_t index,
                                      const struct ph_slice *type, bool prefix)
{
    for (uint16_t i = 0; i < index; i++) {
        const struct ph_rule *rule = &v->rules[i];
        if (rule->test_count > 0)
            continue;
        if (rule->on_count == 0 ||
            (type != NULL && (!prefix || rule->on_prefix) && can_fit(rule, *type)))
            return rule;
    }
    return NULL;
}

static void tell_taken(struct ph_build *b, const struct ph_yaml *at, struct ph_slice type,
                       const struct ph_rule *by)
{
    char line[12];
    size_t n = sizeof(line) - 1;
    line[n] = '\0';
    for (int32_t left = by->line; n > 0 && (left > 0 || n == sizeof(line) - 1); left /= 10)
        line[--n] = (char)('0' + left % 10);
    struct ph_slice parts[] = {type.len > 0 ? PH_S("`") : PH_S("this rule"), type,
                               type.len > 0 ? PH_S("` never gets here: the rule at line ")
                                            : PH_S(" is never reached: the rule at line "),
                               ph_slice_str(&line[n]),
                               PH_S(" takes it; move that one below, or give it a `when`")};
    ph_page_error(b->arena, b->errors, b->file, at->line, at->column, parts, PH_COUNTOF(parts));
}

static void check_reach(struct ph_build *b, const struct ph_yaml *rules, const struct ph_variant *v)
{
    const struct ph_yaml *at = rules->first;
    for (uint16_t i = 0; i < v->rule_count && at != NULL; i++, at = at->next) {
        const struct ph_rule *rule = &v->rules[i], *all = taken_by(v, i, NULL, false);
        if (all != NULL) {
            tell_taken(b, at, (struct ph_slice){0}, all);
            continue;
        }
        const struct ph_yaml *on = ph_yaml_get(at, "on");
        const struct ph_yaml *type_at = on != NULL && on->kind == PH_YAML_LIST ? on->first : on;
        for (uint16_t k = 0; k < rule->on_count && type_at != NULL; k++, type_at = type_at->next) {
            const struct ph_rule *by = taken_by(v, i, &rule->on[k], rule->on_prefix);
            for (uint16_t earlier = 0; earlier < k && by == NULL; earlier++)
                if (rule->on_prefix ? ph_slice_starts(rule->on[k], rule->on[earlier])
                                    : ph_slice_eq(rule->on[k], rule->on[earlier]))
                    by = rule;
            if (by != NULL && type_at->kind == PH_YAML_TEXT)
                tell_taken(b, type_at, type_at->text, by);
            if (on->kind == PH_YAML_TEXT)
                break;
        }
    }
}

/* ---- groups ---------------------------------------------------------------------------------- */

/* For every type a rule spells out: the rules that can fit it, in the page's order. */
static void fill(struct ph_build *b, const struct ph_variant *v, struct ph_rule_group *group)
{
    size_t count = 0;
    for (uint16_t i = 0; i < v->rule_count; i++)
        count += can_fit(&v->rules[i], group->type);
    uint16_t *rules = ph_build_alloc(b, (count + 1) * sizeof(*rules));
    for (uint16_t i = 0; i < v->rule_count; i++)
        if (can_fit(&v->rules[i], group->type))
            rules[group->count++] = i;
    group->rules = rules;
}

/* Room for the type among the sorted groups; false: it has one. */
static bool insert(struct ph_rule_group *groups, size_t count, struct ph_slice type)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ph_type_order(groups[middle].type, type) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < count && ph_slice_eq(groups[low].type, type))
        return false;
    memmove(&groups[low + 1], &groups[low], (count - low) * sizeof(*groups));
    groups[low] = (struct ph_rule_group){.type = type};
    return true;
}

/* Where the engine finds them. */
static void place(struct ph_build *b, struct ph_variant *v)
{
    size_t slots = 1;
    if (v->group_count == 0)
        return;
    while (slots < 2U * v->group_count)
        slots *= 2;
    uint16_t *table = ph_build_alloc(b, slots * sizeof(*table));
    for (uint16_t g = 0; g < v->group_count; g++) {
        size_t at = ph_type_slot(v->groups[g].type, slots);
        while (table[at] != 0)
            at = (at + 1) & (slots - 1);
        table[at] = (uint16_t)(g + 1);
    }
    v->group_slots = table;
    v->group_slot_count = (uint16_t)slots;
}

void ph_build_groups(struct ph_build *b, const struct ph_yaml *rules, struct ph_variant *v)
{
    size_t types = 0, count = 0;
    for (uint16_t i = 0; i < v->rule_count; i++)
        types += v->rules[i].on_count;
    if (!ph_build_within(b, rules, types, PH_PAGE_TYPES_MAX,
                         "more than 1000 event types in all rules"))
        return;
    if (!b->rules_crooked)
        check_reach(b, rules, v);
    struct ph_rule_group *groups = ph_build_alloc(b, (types + 1) * sizeof(*groups));
    for (uint16_t i = 0; i < v->rule_count; i++)
        for (uint16_t k = 0; !v->rules[i].on_prefix && k < v->rules[i].on_count; k++)
            count += insert(groups, count, v->rules[i].on[k]);
    for (size_t g = 0; g < count; g++)
        fill(b, v, &groups[g]);
    uint16_t *open = ph_build_alloc(b, (v->rule_count + 1U) * sizeof(*open));
    for (uint16_t i = 0; i < v->rule_count; i++)
        if (v->rules[i].on_prefix || v->rules[i].on_count == 0)
            open[v->open_rule_count++] = i;
    v->groups = groups;
    v->group_count = (uint16_t)count;
    place(b, v);
    v->open_rules = open;
}
