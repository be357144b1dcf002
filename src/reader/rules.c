/* `rules`, one by one. Which of them an event can reach is groups.c's. */
#include "reader/build.h"

#define WORDS(array) array, PH_COUNTOF(array)

static void on_of(struct ph_build *b, const struct ph_yaml *at, struct ph_rule *rule)
{
    struct ph_build_list list = ph_build_list(b, at);
    for (uint16_t i = 0; i < list.count; i++) {
        struct ph_slice *type = &list.texts[i];
        bool prefix = type->len > 0 && type->ptr[type->len - 1] == '*';
        type->len -= prefix;
        if (type->len == 0)
            ph_build_error(b, list.at[i],
                           prefix ? "`*` alone is every type: leave `on` out"
                                  : "an event type is missing",
                           PH_S(""), "");
        else if (ph_slice_find(*type, PH_S("*"), 0) != SIZE_MAX)
            ph_build_error(b, list.at[i], "'*' stands only at the end of a prefix, not in ",
                           list.at[i]->text, "");
        if (i > 0 && prefix != rule->on_prefix)
            ph_build_error(b, list.at[i], "types and prefixes do not mix in one rule; write two: ",
                           list.at[i]->text, "");
        rule->on_prefix = prefix;
    }
    rule->on = list.texts;
    rule->on_count = list.count;
}

static void content_of(struct ph_build *b, const struct ph_yaml *at,
                       const struct ph_built_blocks *blocks, struct ph_rule *rule)
{
    struct ph_slice known[PH_PAGE_BLOCKS_MAX];
    struct ph_yaml key = ph_yaml_key(at);
    if (rule->content != NULL)
        ph_build_error(b, &key, "a rule has one block, and `", at->key, "` is its second");
    for (size_t i = 0; i < blocks->count; i++) {
        known[i] = blocks->at[i]->key;
        if (!ph_slice_eq(known[i], at->key))
            continue;
        rule->content = &blocks->list[i];
        blocks->at[i]->used = true;
        rule->status = ph_build_choice(b, at, ph_block_words(rule->content->kind));
        return;
    }
    ph_build_unknown(b, &key, "block (the page has none of that name)", at->key, known,
                     blocks->count);
}

static void rule_of(struct ph_build *b, const struct ph_yaml *at,
                    const struct ph_built_blocks *blocks, const struct ph_variant *v,
                    struct ph_rule *rule)
{
    static const struct ph_slice known[] = {
        PH_SI("on"),      PH_SI("when"),     PH_SI("is"),       PH_SI("incomplete"),
        PH_SI("fetch"),   PH_SI("needs"),    PH_SI("payment"),  PH_SI("refund"),
        PH_SI("dispute"), PH_SI("mandate"),  PH_SI("payout"),   PH_SI("payment."),
        PH_SI("refund."), PH_SI("dispute."), PH_SI("mandate."), PH_SI("payout.")};
    static const struct ph_slice needs[] = {PH_SI("capture_method")};
    const struct ph_yaml *e;
    size_t errors_before = b->errors->count;
    rule->line = (int32_t)at->line;
    if (!ph_build_keys(b, at, WORDS(known)))
        return;
    if ((e = ph_yaml_get(at, "on")) != NULL)
        on_of(b, e, rule);
    rule->when = ph_build_tests(b, ph_yaml_get(at, "when"), &rule->test_count);
    if (b->errors->count > errors_before)
        b->rules_crooked = true;
    if ((e = ph_yaml_get(at, "is")) != NULL)
        rule->is = ph_build_choice(b, e, PH_WORDS_EVENT_TYPE);
    if ((e = ph_yaml_get(at, "incomplete")) != NULL &&
        (rule->incomplete = ph_build_text(b, e)).len == 0 && e->kind == PH_YAML_TEXT)
        ph_build_error(b, e, "why the processor must be asked is missing", PH_S(""), "");
    if ((e = ph_yaml_get(at, "needs")) != NULL)
        rule->needs_capture_method =
            ph_build_word(b, e, "context", ph_build_text(b, e), WORDS(needs)) == 0;
    for (e = at->first; e != NULL; e = e->next)
        if (ph_block_kind(e->key) != PH_KIND_NONE)
            content_of(b, e, blocks, rule);
    if ((e = ph_yaml_get(at, "fetch")) != NULL)
        rule->fetch = ph_build_flag(b, e);
    if (v->fetch != NULL)
        return;
    if (rule->fetch)
        ph_build_error(b, e, "nothing can be fetched: the page has no section `fetch`", PH_S(""),
                       "");
    else if (rule->content != NULL && ph_block_reads_fetched(b, rule->content))
        ph_build_error(b, at,
                       "nothing is ever fetched (the page has no section `fetch`), but this rule's "
                       "block reads fetched: `",
                       rule->content->name, "`");
}

void ph_build_rules(struct ph_build *b, const struct ph_yaml *rules,
                    const struct ph_built_blocks *blocks, struct ph_variant *v)
{
    if (!ph_build_is(b, rules, PH_YAML_LIST) ||
        !ph_build_within(b, rules, rules->count, PH_PAGE_RULES_MAX, "more than 500 rules"))
        return;
    struct ph_rule *list = ph_build_alloc(b, (rules->count + 1) * sizeof(*list));
    b->rules_crooked = false;
    for (const struct ph_yaml *e = rules->first; e != NULL; e = e->next)
        rule_of(b, e, blocks, v, &list[v->rule_count++]);
    v->rules = list;
    ph_build_groups(b, rules, v);
}
