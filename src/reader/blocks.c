/* Blocks: how the content of one kind is read, field by field. */
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

enum ph_kind ph_block_kind(struct ph_slice key)
{
    size_t dot = ph_slice_find(key, PH_S("."), 0);
    struct ph_slice head = dot == SIZE_MAX ? key : ph_slice_of(key.ptr, dot);
    for (size_t i = 0; i < PH_COUNTOF(kinds); i++)
        if (ph_slice_eq(kinds[i].name, head))
            return kinds[i].kind;
    return PH_KIND_NONE;
}

enum ph_vocabulary ph_block_words(enum ph_kind kind)
{
    for (size_t i = 0; i < PH_COUNTOF(kinds); i++)
        if (kinds[i].kind == kind)
            return kinds[i].words;
    return PH_WORDS_NONE;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static bool field_of(struct ph_build *b, const struct ph_yaml *member, enum ph_kind kind,
                     enum ph_field *ret)
{
    static const struct ph_slice others[] = {PH_SI("connector_mandate_id"), PH_SI("reference"),
                                             PH_SI("effect"), PH_SI("require")};
    struct ph_slice known[PH_FIELD_COUNT + PH_COUNTOF(others)];
    size_t count = 0;
    bool of_another = false;
    for (int f = 0; f < PH_FIELD_COUNT; f++) {
        known[count] = ph_field_name((enum ph_field)f);
        if (!ph_field_fits(kind, (enum ph_field)f)) {
            of_another = of_another || ph_slice_eq(known[count], member->key);
            continue;
        }
        if (ph_slice_eq(known[count++], member->key)) {
            *ret = (enum ph_field)f;
            return true;
        }
    }
    if (kind != PH_KIND_MANDATE && ph_slice_eq(member->key, PH_S("connector_mandate_id"))) {
        *ret = PH_F_CONNECTOR_MANDATE_ID;
        return true;
    }
    if (of_another) {
        ph_build_error_key(b, member, "`", "` is a field of other content, not of this kind");
        return false;
    }
    for (size_t i = kind == PH_KIND_MANDATE; i < PH_COUNTOF(others); i++)
        known[count++] = others[i];
    struct ph_yaml key = ph_yaml_key(member);
    ph_build_unknown(b, &key, "field", member->key, known, count);
    return false;
}

static void money_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text,
                     struct ph_field_rule *rule)
{
    struct ph_slice word = ph_cut_word(&text), in = PH_S(" in ");
    bool minor = ph_slice_eq(word, PH_S("minor"));
    size_t cut = ph_slice_find(text, in, 0);
    if ((!minor && !ph_slice_eq(word, PH_S("major"))) || cut == SIZE_MAX) {
        ph_build_error(
            b, at, "money is written `minor VALUE in CURRENCY` or `major VALUE in CURRENCY`, not ",
            at->text, "");
        return;
    }
    rule->unit = minor ? PH_UNIT_MINOR : PH_UNIT_MAJOR;
    rule->value = ph_build_many_expr(b, at, ph_slice_of(text.ptr, cut));
    rule->currency = ph_build_many_expr(b, at, ph_slice_from(text, cut + in.len));
    if (ph_expr_is_many(&rule->currency) && !ph_expr_is_many(&rule->value))
        ph_build_error(b, at, "a currency of many places needs an amount of many: ", at->text, "");
}

static void field_rule(struct ph_build *b, const struct ph_yaml *at, enum ph_field field,
                       struct ph_field_rule *rule)
{
    struct ph_slice text = ph_build_text(b, at), rest = text;
    *rule = (struct ph_field_rule){.field = field};
    if (at->kind != PH_YAML_TEXT)
        return;
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
        rule->value = ph_build_time(b, at, text, &rule->unit);
        break;
    case PH_FIELD_STAGE:
        rule->unit = PH_UNIT_WORD;
        if (rule->required)
            ph_build_error(b, at, "a stage cannot be `required`: ", at->text, "");
        else
            rule->choice = ph_build_choice(b, at, PH_WORDS_DISPUTE_STAGE);
        break;
    }
}

static void reference_of(struct ph_build *b, const struct ph_yaml *map, struct ph_block *block)
{
    struct ph_slice known[PH_REFERENCE_COUNT + 1];
    if (!ph_build_is(b, map, PH_YAML_MAP))
        return;
    for (int f = 0; f < PH_REFERENCE_COUNT; f++)
        known[f] = ph_field_name((enum ph_field)f);
    known[PH_REFERENCE_COUNT] = PH_S("of");
    struct ph_field_rule *rules = ph_build_alloc(b, (map->count + 1) * sizeof(*rules));
    block->reference_own = true;
    for (const struct ph_yaml *e = map->first; e != NULL; e = e->next) {
        struct ph_yaml key = ph_yaml_key(e);
        size_t field =
            ph_build_word(b, &key, "field of a reference", e->key, known, PH_COUNTOF(known));
        if (field < PH_REFERENCE_COUNT) {
            field_rule(b, e, (enum ph_field)field, &rules[block->reference_count++]);
        } else if (field == PH_REFERENCE_COUNT) {
            struct ph_slice name = ph_build_text(b, e), dot = PH_S(".");
            enum ph_kind kind =
                ph_slice_find(name, dot, 0) == SIZE_MAX ? ph_block_kind(name) : PH_KIND_NONE;
            if (kind == PH_KIND_NONE && e->kind == PH_YAML_TEXT)
                ph_build_error(
                    b, e, "a reference is of payment, refund, dispute, mandate or payout, not `",
                    name, "`");
            block->reference_kind = kind;
        }
    }
    block->reference = rules;
}

static void block_of(struct ph_build *b, const struct ph_yaml *at, struct ph_block *block)
{
    enum ph_kind kind = ph_block_kind(at->key);
    *block = (struct ph_block){.name = at->key, .kind = kind, .reference_kind = kind};
    if (!ph_build_is(b, at, PH_YAML_MAP))
        return;
    struct ph_field_rule *fields = ph_build_alloc(b, (at->count + 1) * sizeof(*fields));
    for (const struct ph_yaml *e = at->first; e != NULL; e = e->next) {
        enum ph_field field;
        if (ph_slice_eq(e->key, PH_S("reference")))
            reference_of(b, e, block);
        else if (ph_slice_eq(e->key, PH_S("effect")))
            block->effect = ph_build_expr(b, e, ph_build_text(b, e));
        else if (ph_slice_eq(e->key, PH_S("require")))
            block->needs = ph_build_needs(b, e, &block->need_count);
        else if (field_of(b, e, block->kind, &field))
            field_rule(b, e, field, &fields[block->field_count++]);
        if (block->field_count > 0 && fields[block->field_count - 1].field < PH_REFERENCE_COUNT)
            block->id_count = block->field_count;
    }
    block->fields = fields;
}

void ph_build_blocks(struct ph_build *b, const struct ph_yaml *own, const struct ph_yaml *page,
                     struct ph_built_blocks *ret)
{
    ret->list = ph_build_alloc(b, PH_PAGE_BLOCKS_MAX * sizeof(*ret->list));
    ret->at = ph_build_alloc(b, PH_PAGE_BLOCKS_MAX * sizeof(struct ph_yaml *));
    ret->count = 0;
    for (int pass = 0; pass < 2; pass++) {
        const struct ph_yaml *from = pass == 0 ? own : page;
        for (struct ph_yaml *e = from != NULL ? from->first : NULL; e != NULL; e = e->next) {
            bool have = ph_block_kind(e->key) == PH_KIND_NONE;
            for (size_t i = 0; i < ret->count && !have; i++)
                have = ph_slice_eq(ret->at[i]->key, e->key);
            if (have)
                continue;
            if (!ph_build_within(b, e, ret->count + 1, PH_PAGE_BLOCKS_MAX, "more than 64 blocks"))
                return;
            ret->at[ret->count] = e;
            block_of(b, e, &ret->list[ret->count++]);
        }
    }
}

static bool reads(const struct ph_build *b, const struct ph_expr *e)
{
    return (ph_expr_holds(b, e) & PH_HOLDS_FETCHED) != 0;
}

bool ph_block_reads_fetched(const struct ph_build *b, const struct ph_block *block)
{
    bool any = reads(b, &block->effect);
    for (uint16_t i = 0; i < block->field_count && !any; i++)
        any = reads(b, &block->fields[i].value) || reads(b, &block->fields[i].currency) ||
              reads(b, &block->fields[i].choice.of);
    for (uint16_t i = 0; i < block->reference_count && !any; i++)
        any = reads(b, &block->reference[i].value);
    return any;
}
