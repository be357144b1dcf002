#include "delivery/selection.h"

/* An event under every name it goes by. */
struct names {
    const struct ph_inbox_event *event;
    struct ph_slice schema;  /* "WEBHOOK_REFUND_SUCCESS" */
    struct ph_slice special; /* the specification's, "CHARGE_REFUNDED"; absent: none */
};

/* The schema's own type. `type` may be a name that the specification has for several
 * ("DISPUTE_CLOSED"); the answer says which: its first field, as canonical JSON is written in the
 * order of the fields' numbers. */
static struct ph_slice schema_type(const struct ph_inbox_event *event)
{
    struct ph_slice before = PH_S("{\"event_type\":\""), rest;
    if (!ph_slice_starts(event->answer, before))
        return event->type;
    rest = ph_slice_from(event->answer, before.len);
    size_t end = ph_slice_find(rest, PH_S("\""), 0);
    return end == SIZE_MAX ? event->type : ph_slice_of(rest.ptr, end);
}

static struct names names_of(const struct ph_inbox_event *event)
{
    struct names n = {.event = event, .schema = schema_type(event)};
    int32_t number = ph_word_number(PH_WORDS_EVENT_TYPE, n.schema);
    if (number > 0) {
        n.schema =
            ph_word_name(PH_WORDS_EVENT_TYPE, number); /* an alias becomes the schema's word */
        n.special = ph_event_type_specification_name(number);
    }
    return n;
}

static bool is_called(const struct names *n, struct ph_slice word)
{
    return ph_slice_eq_nocase(word, n->schema) || ph_slice_eq_nocase(word, n->event->type) ||
           (n->event->class.len > 0 && ph_slice_eq_nocase(word, n->event->class)) ||
           (n->special.len > 0 && ph_slice_eq_nocase(word, n->special));
}

static bool wants_type(const struct ph_selection *s, const struct names *n)
{
    for (size_t i = 0; i < s->event_count; i++)
        if (is_called(n, s->events[i]))
            return true;
    return s->event_count == 0;
}

static bool wants_connector(const struct ph_selection *s, struct ph_slice connector)
{
    for (size_t i = 0; i < s->connector_count; i++)
        if (ph_slice_eq_nocase(s->connectors[i], connector))
            return true;
    return s->connector_count == 0;
}

/* No bit for a verdict that proves the sender to be another, or nothing at all. */
static uint32_t verdict_bit(enum ph_verdict verdict)
{
    switch (verdict) {
    case PH_VERIFIED:
        return PH_SELECT_VERIFIED;
    case PH_UNSIGNED:
        return PH_SELECT_UNSIGNED;
    case PH_UNSUPPORTED:
        return PH_SELECT_UNSUPPORTED;
    default:
        return 0;
    }
}

/* An event that does not say its mode is of the mode that its endpoint is for. */
static bool wants_mode(const struct ph_selection *s, enum ph_mode mode, enum ph_mode endpoint_mode)
{
    if (s->modes == 0)
        return mode == PH_MODE_UNSPECIFIED || endpoint_mode == PH_MODE_UNSPECIFIED ||
               mode == endpoint_mode;
    uint32_t bit = mode == PH_LIVE   ? PH_SELECT_LIVE
                   : mode == PH_TEST ? PH_SELECT_TEST
                                     : PH_SELECT_UNKNOWN;
    return (s->modes & bit) != 0;
}

static bool wants_amount(const struct ph_selection *s, const struct ph_inbox_event *event)
{
    if (s->currency.len == 0)
        return true;
    return event->currency.len > 0 && ph_slice_eq_nocase(event->currency, s->currency) &&
           (s->least == 0 || event->amount >= s->least) &&
           (s->most == 0 || event->amount <= s->most);
}

uint64_t ph_selection_pick(const struct ph_selection *selections, size_t count,
                           const struct ph_inbox_event *event, struct ph_slice connector,
                           enum ph_mode endpoint_mode, uint64_t *ret_once_per_effect)
{
    struct names names = names_of(event);
    uint64_t picked = 0, once = 0;
    for (size_t i = 0; i < count && i < 64; i++) {
        const struct ph_selection *s = &selections[i];
        if (s->off || (s->verdicts & verdict_bit(event->verdict)) == 0 ||
            !wants_mode(s, event->mode, endpoint_mode) || !wants_connector(s, connector) ||
            !wants_amount(s, event) || !wants_type(s, &names))
            continue;
        picked |= UINT64_C(1) << i;
        if (s->once_per_effect && event->effect_key.len > 0)
            once |= UINT64_C(1) << i;
    }
    *ret_once_per_effect = once;
    return picked;
}
