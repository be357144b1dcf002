/* Which rule fits, and what it says. */
#include "core/steps.h"

static bool on_fits(const struct ph_rule *rule, struct ph_slice type)
{
    if (rule->on_count == 0)
        return true;
    for (uint16_t i = 0; i < rule->on_count; i++)
        if (rule->on_prefix ? ph_slice_starts(type, rule->on[i]) : ph_slice_eq(type, rule->on[i]))
            return true;
    return false;
}

/* The rules an event of that type can reach. True: each of them fits it, as it is in a group;
 * false: they are those with prefixes, and those of every type. */
static bool candidates(const struct ph_variant *v, struct ph_slice type, const uint16_t **ret,
                       uint16_t *ret_count)
{
    size_t last = v->group_slot_count - 1U,
           at = v->group_count > 0 ? ph_type_slot(type, v->group_slot_count) : 0;
    for (; v->group_count > 0 && v->group_slots[at] != 0; at = (at + 1) & last) {
        const struct ph_rule_group *group = &v->groups[v->group_slots[at] - 1];
        if (ph_slice_eq(type, group->type)) {
            *ret = group->rules;
            *ret_count = group->count;
            return true;
        }
    }
    *ret = v->open_rules;
    *ret_count = v->open_rule_count;
    return false;
}

enum ph_status ph_find_rule(struct ph_run *run, const struct ph_rule **ret)
{
    const uint16_t *indexes;
    uint16_t count;
    *ret = NULL;
    bool all_fit = candidates(run->variant, run->type, &indexes, &count);
    for (uint16_t i = 0; i < count; i++) {
        const struct ph_rule *rule = &run->variant->rules[indexes[i]];
        bool holds = false;
        if (!all_fit && !on_fits(rule, run->type))
            continue;
        PH_TRY(ph_eval_tests(run, rule->when, rule->test_count, &holds));
        if (holds) {
            *ret = rule;
            return PH_OK;
        }
    }
    return PH_OK;
}

/* The specification's reader looks at the event type alone: money that is only reserved must not
 * read as paid (Fiuu's 00 with manual capture), and a captured authorisation must (Adyen,
 * automatic capture). */
static int32_t told_type(const struct ph_event *event)
{
    if (event->kind != PH_KIND_PAYMENT)
        return event->event_type;
    if (event->event_type == PH_PAYMENT_INTENT_AUTHORIZATION_SUCCESS && event->status == PH_CHARGED)
        return PH_PAYMENT_INTENT_SUCCESS;
    if (event->event_type == PH_PAYMENT_INTENT_SUCCESS && event->status == PH_AUTHORIZED)
        return PH_PAYMENT_INTENT_AUTHORIZATION_SUCCESS;
    return event->event_type;
}

enum ph_status ph_apply_rule(struct ph_run *run, const struct ph_rule *rule, bool content,
                             struct ph_event *event, struct ph_problem *ret)
{
    PH_TRY(ph_eval_choice(run, &rule->is, &event->event_type));
    event->handle_event_type = event->event_type;
    if (!rule->fetch || run->fetched == NULL)
        event->incomplete = rule->incomplete;
    if (rule->fetch && run->fetched == NULL && !ph_slice_present(event->incomplete))
        event->incomplete = PH_S("the notice is thin: ask the processor for the object");
    if (rule->content == NULL)
        return PH_OK;
    event->kind = rule->content->kind;
    if (content && rule->needs_capture_method && run->in->capture_method == 0) {
        *ret = (struct ph_problem){
            PH_E_WEBHOOK_MISSING_REQUIRED_CONTEXT,
            PH_S("event_context.payment.capture_method is missing: this processor's status "
                 "means authorised or captured depending on it")};
        return PH_OK;
    }
    PH_TRY(ph_eval_choice(run, &rule->status, &event->status));
    event->handle_event_type = told_type(event);
    return PH_OK;
}
