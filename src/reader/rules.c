/* Blocks, `require`, rules, and the grouping of rules by event type. */
#include "reader/build.h"

static const struct {
    struct ph_slice name;
    enum ph_kind kind;
    enum ph_vocabulary words;
} kinds[] = {{PH_SI("payment"), PH_KIND_PAYMENT, PH_WORDS_PAYMENT_STATUS},
             {PH_SI("refund"), PH_KIND_REFUND, PH_WORDS_REFUND_STATUS},
             {PH_SI("dispute"), PH_KIND_DISPUTE, PH_WORDS_DISPUTE_STATUS},
             {PH_SI("mandate"), PH_KIND_MANDATE, PH_WORDS_PAYMENT_STATUS},
             {PH_SI("payout"), PH_KIND_PAYOUT, PH_WORDS_PAYOUT_STATUS}};

/* "payment", "payment.charge": the index in kinds, or -1. */
static int kind_of(struct ph_slice name)
{
    size_t dot = ph_slice_find(name, PH_S("."), 0);
    struct ph_slice head = dot == SIZE_MAX ? name : ph_slice_of(name.ptr, dot);
    for (size_t i = 0; i < PH_COUNTOF(kinds); i++)
        if (ph_slice_eq(kinds[i].name, head))
            return (int)i;
    return -1;
}

const struct ph_need *ph_build_needs(struct ph_build *b, struct ph_yaml *map, uint16_t *ret_count)
{
    static const struct ph_slice types[] = {PH_SI("any"), PH_SI("string"), PH_SI("integer"), PH_SI("number"), PH_SI("decimal"),
                                            PH_SI("boolean"), PH_SI("object"), PH_SI("array"), PH_SI("currency")};
    size_t count = 0;
    *ret_count = 0;
    if (map == NULL)
        return NULL;
    for (struct ph_yaml *e = map->first; e != NULL; e = e->next)
        count++;
    struct ph_need *needs = ph_build_alloc(b, (count + 1) * sizeof(*needs));
    for (struct ph_yaml *e = map->first; e != NULL; e = e->next) {
        struct ph_need *need = &needs[(*ret_count)++];
        struct ph_slice type = e->text;
        need->of = ph_build_expr(b, e, e->key);
        need->optional = type.len > 0 && type.ptr[type.len - 1] == '?';
        type.len -= need->optional;
        size_t i = 0;
        while (i < PH_COUNTOF(types) && !ph_slice_eq(types[i], type))
            i++;
        if (i == PH_COUNTOF(types))
            ph_build_unknown(b, e, "type", type, types, PH_COUNTOF(types));
        need->type = (uint8_t)(i % PH_COUNTOF(types));
    }
    return needs;
}

/* ---- blocks --------------------------------------------------------------------------------------------- */

static bool field_of(struct ph_build *b, const struct ph_yaml *at, enum ph_kind kind, enum ph_field *ret)
{
    struct ph_slice known[PH_FIELD_COUNT];
    size_t count = 0;
    for (int f = 0; f < PH_FIELD_COUNT; f++) {
        if (!ph_field_fits(kind, (enum ph_field)f))
            continue;
        known[count] = ph_field_name((enum ph_field)f);
        if (ph_slice_eq(known[count++], at->key)) {
            *ret = (enum ph_field)f;
            return true;
        }
    }
    if (kind != PH_KIND_MANDATE && ph_slice_eq(at->key, PH_S("connector_mandate_id"))) {
        *ret = PH_F_CONNECTOR_MANDATE_ID;
        return true;
    }
    ph_build_unknown(b, at, "field", at->key, known, count);
    return false;
}

static void money_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text, struct ph_field_rule *rule)
{
    struct ph_slice word = ph_cut_word(&text);
    rule->unit = ph_slice_eq(word, PH_S("minor")) ? PH_UNIT_MINOR : PH_UNIT_MAJOR;
    size_t in = ph_slice_find(text, PH_S(" in "), 0);
    if ((rule->unit == PH_UNIT_MAJOR && !ph_slice_eq(word, PH_S("major"))) || in == SIZE_MAX) {
        ph_build_error(b, at, "money is written `minor VALUE in CURRENCY` or `major VALUE in CURRENCY`, not ", at->text, "");
        return;
    }
    rule->value = ph_build_many_expr(b, at, ph_slice_of(text.ptr, in));
    rule->currency = ph_build_many_expr(b, at, ph_slice_from(text, in + 4));
    if (ph_expr_is_many(&rule->currency) && !ph_expr_is_many(&rule->value))
        ph_build_error(b, at, "a currency of many places needs an amount of many: ", at->text, "");
}

static void field_rule(struct ph_build *b, const struct ph_yaml *at, enum ph_field field, struct ph_field_rule *rule)
{
    struct ph_slice text = at->text, rest = at->text;
    *rule = (struct ph_field_rule){.field = field};
    if (at->kind != PH_YAML_TEXT) {
        ph_build_error(b, at, "a value belongs here", PH_S(""), "");
        return;
    }
    if (ph_slice_eq(ph_cut_word(&rest), PH_S("required"))) {
        rule->required = true;
        text = rest;
    }
    switch (ph_field_type(field)) {
    case PH_FIELD_TEXT:
        rule->value = ph_build_expr(b, at, text);
        break;
    case PH_FIELD_MONEY:
        money_of(b, at, text, rule);
        break;
    case PH_FIELD_TIME:
        if (!ph_build_time_unit(&text, &rule->unit))
            ph_build_error(b, at, "a time begins with unix, unix-ms or iso: ", text, "");
        else
            rule->value = ph_build_expr(b, at, text);
        break;
    case PH_FIELD_STAGE:
        rule->unit = PH_UNIT_WORD;
        rule->choice = ph_build_choice(b, at, PH_WORDS_DISPUTE_STAGE);
        break;
    }
}

static void reference_of(struct ph_build *b, struct ph_yaml *map, struct ph_block *block)
{
    size_t count = 0;
    for (struct ph_yaml *e = map->first; e != NULL; e = e->next)
        count++;
    struct ph_field_rule *rules = ph_build_alloc(b, (count + 1) * sizeof(*rules));
    block->reference_own = true;
    for (struct ph_yaml *e = map->first; e != NULL; e = e->next) {
        if (ph_slice_eq(e->key, PH_S("of"))) {
            int kind = kind_of(e->text);
            if (kind < 0)
                ph_build_error(b, e, "a reference is of payment, refund, dispute, mandate or payout, not ", e->text, "");
            else
                block->reference_kind = kinds[kind].kind;
            continue;
        }
        bool found = false;
        for (int f = 0; f < PH_REFERENCE_COUNT; f++) {
            if (!ph_slice_eq(ph_field_name((enum ph_field)f), e->key))
                continue;
            found = true;
            field_rule(b, e, (enum ph_field)f, &rules[block->reference_count++]);
        }
        if (!found)
            ph_build_error(b, e, "a reference has no field ", e->key, "");
    }
    block->reference = rules;
}

static void block_of(struct ph_build *b, struct ph_yaml *at, int kind, struct ph_block *block)
{
    size_t count = 0;
    for (struct ph_yaml *e = at->first; e != NULL; e = e->next)
        count++;
    struct ph_field_rule *fields = ph_build_alloc(b, (count + 1) * sizeof(*fields));
    *block = (struct ph_block){.name = at->key, .kind = kinds[kind].kind, .reference_kind = kinds[kind].kind, .fields = fields};
    if (at->kind != PH_YAML_MAP) {
        ph_build_error(b, at, "fields and their values belong here", PH_S(""), "");
        return;
    }
    for (struct ph_yaml *e = at->first; e != NULL; e = e->next) {
        enum ph_field field;
        if (ph_slice_eq(e->key, PH_S("reference")))
            reference_of(b, e, block);
        else if (ph_slice_eq(e->key, PH_S("effect")))
            block->effect = ph_build_expr(b, e, e->text);
        else if (ph_slice_eq(e->key, PH_S("require")))
            block->needs = ph_build_needs(b, e, &block->need_count);
        else if (field_of(b, e, block->kind, &field))
            field_rule(b, e, field, &fields[block->field_count++]);
    }
}

/* ---- rules ---------------------------------------------------------------------------------------------- */

struct blocks {
    struct ph_block *list;
    size_t count;
};

static void on_of(struct ph_build *b, struct ph_yaml *at, struct ph_rule *rule)
{
    struct ph_slice *types = (struct ph_slice *)(uintptr_t)ph_build_list(b, at, &rule->on_count);
    for (uint16_t i = 0; i < rule->on_count; i++) {
        bool prefix = types[i].len > 0 && types[i].ptr[types[i].len - 1] == '*';
        if (i > 0 && prefix != rule->on_prefix)
            ph_build_error(b, at, "types and prefixes do not mix in one rule: ", types[i], "");
        rule->on_prefix = prefix;
        types[i].len -= prefix;
    }
    rule->on = types;
}

static void status_of(struct ph_build *b, struct ph_yaml *at, int kind, const struct blocks *blocks, struct ph_rule *rule)
{
    if (rule->content != NULL)
        ph_build_error(b, at, "a rule has one block, this is its second: ", at->key, "");
    for (size_t i = 0; i < blocks->count; i++)
        if (ph_slice_eq(blocks->list[i].name, at->key))
            rule->content = &blocks->list[i];
    if (rule->content == NULL)
        ph_build_error(b, at, "the page has no block ", at->key, "");
    rule->status = ph_build_choice(b, at, kinds[kind].words);
}

static void rule_of(struct ph_build *b, struct ph_yaml *at, const struct blocks *blocks, struct ph_rule *rule)
{
    static const struct ph_slice known[] = {PH_SI("on"), PH_SI("when"), PH_SI("is"), PH_SI("incomplete"), PH_SI("fetch"),
                                            PH_SI("needs"), PH_SI("payment"), PH_SI("refund"), PH_SI("dispute"),
                                            PH_SI("mandate"), PH_SI("payout")};
    rule->line = (int32_t)at->line;
    if (at->kind != PH_YAML_MAP) {
        ph_build_error(b, at, "a rule is a map: on, when, is, …", PH_S(""), "");
        return;
    }
    for (struct ph_yaml *e = at->first; e != NULL; e = e->next) {
        int kind = kind_of(e->key);
        if (kind >= 0)
            status_of(b, e, kind, blocks, rule);
        else if (ph_slice_eq(e->key, PH_S("on")))
            on_of(b, e, rule);
        else if (ph_slice_eq(e->key, PH_S("when")))
            rule->when = ph_build_tests(b, e, &rule->test_count);
        else if (ph_slice_eq(e->key, PH_S("is")))
            rule->is = ph_build_choice(b, e, PH_WORDS_EVENT_TYPE);
        else if (ph_slice_eq(e->key, PH_S("incomplete")))
            rule->incomplete = e->text;
        else if (ph_slice_eq(e->key, PH_S("fetch")))
            rule->fetch = ph_slice_eq(e->text, PH_S("true"));
        else if (ph_slice_eq(e->key, PH_S("needs")) && ph_slice_eq(e->text, PH_S("capture_method")))
            rule->needs_capture_method = true;
        else
            ph_build_unknown(b, e, "key", e->key, known, PH_COUNTOF(known));
    }
}

static int compare(struct ph_slice a, struct ph_slice b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared > 0 ? memcmp(a.ptr, b.ptr, shared) : 0;
    return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

static bool can_fit(const struct ph_rule *rule, struct ph_slice type)
{
    bool fits = rule->on_count == 0;
    for (uint16_t i = 0; i < rule->on_count; i++)
        fits = fits || (rule->on_prefix ? ph_slice_starts(type, rule->on[i]) : ph_slice_eq(type, rule->on[i]));
    return fits;
}

/* For every type a rule spells out: the rules that can fit it, in the page's order. */
static void group(struct ph_build *b, struct ph_variant *v)
{
    size_t room = 0;
    for (uint16_t i = 0; i < v->rule_count; i++)
        room += v->rules[i].on_prefix ? 0 : v->rules[i].on_count;
    struct ph_rule_group *groups = ph_build_alloc(b, (room + 1) * sizeof(*groups));
    size_t count = 0;
    for (uint16_t i = 0; i < v->rule_count; i++) {
        for (uint16_t k = 0; !v->rules[i].on_prefix && k < v->rules[i].on_count; k++) {
            struct ph_slice type = v->rules[i].on[k];
            size_t at = 0;
            while (at < count && compare(groups[at].type, type) < 0)
                at++;
            if (at < count && ph_slice_eq(groups[at].type, type))
                continue;
            memmove(&groups[at + 1], &groups[at], (count - at) * sizeof(*groups));
            groups[at] = (struct ph_rule_group){.type = type};
            count++;
        }
    }
    for (size_t g = 0; g < count; g++) {
        uint16_t *rules = ph_build_alloc(b, (v->rule_count + 1U) * sizeof(*rules));
        for (uint16_t i = 0; i < v->rule_count; i++)
            if (can_fit(&v->rules[i], groups[g].type))
                rules[groups[g].count++] = i;
        groups[g].rules = rules;
    }
    uint16_t *open = ph_build_alloc(b, (v->rule_count + 1U) * sizeof(*open));
    for (uint16_t i = 0; i < v->rule_count; i++)
        if (v->rules[i].on_prefix || v->rules[i].on_count == 0)
            open[v->open_rule_count++] = i;
    v->groups = groups;
    v->group_count = (uint16_t)count;
    v->open_rules = open;
}

void ph_build_rules(struct ph_build *b, struct ph_yaml *page, struct ph_variant *variant)
{
    struct blocks blocks = {0};
    size_t count = 0;
    for (struct ph_yaml *e = page->first; e != NULL; e = e->next)
        blocks.count += kind_of(e->key) >= 0;
    blocks.list = ph_build_alloc(b, (blocks.count + 1) * sizeof(*blocks.list));
    blocks.count = 0;
    for (struct ph_yaml *e = page->first; e != NULL; e = e->next)
        if (kind_of(e->key) >= 0)
            block_of(b, e, kind_of(e->key), &blocks.list[blocks.count++]);
    struct ph_yaml *rules = ph_yaml_get(page, "rules");
    for (struct ph_yaml *e = rules != NULL ? rules->first : NULL; e != NULL; e = e->next)
        count++;
    struct ph_rule *list = ph_build_alloc(b, (count + 1) * sizeof(*list));
    for (struct ph_yaml *e = rules != NULL ? rules->first : NULL; e != NULL; e = e->next)
        rule_of(b, e, &blocks, &list[variant->rule_count++]);
    variant->rules = list;
    group(b, variant);
}
