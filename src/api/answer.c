/* The public face of the engine, outwards: what a hook's answer tells. Only a verified event tells
 * what happened; the unverified one has a door of its own. */
#include "api/hook.h"
#include "wire/wire.h"

_Static_assert((int)PH_HOOK_VERIFIED == (int)PH_VERIFIED && (int)PH_HOOK_FORGED == (int)PH_FORGED &&
                   (int)PH_HOOK_STALE == (int)PH_STALE &&
                   (int)PH_HOOK_NO_SIGNATURE == (int)PH_NO_SIGNATURE &&
                   (int)PH_HOOK_NO_SECRET == (int)PH_NO_SECRET &&
                   (int)PH_HOOK_UNSIGNED == (int)PH_UNSIGNED &&
                   (int)PH_HOOK_UNSUPPORTED_SIGNATURE == (int)PH_UNSUPPORTED &&
                   (int)PH_HOOK_UNREACHABLE == (int)PH_UNREACHABLE,
               "the public verdicts are the engine's");
_Static_assert((int)PH_HOOK_MESSAGE_HANDLE == (int)PH_FORM_HANDLE &&
                   (int)PH_HOOK_MESSAGE_HANDLE_EVENT == (int)PH_FORM_HANDLE_EVENT &&
                   (int)PH_HOOK_MESSAGE_PARSE == (int)PH_FORM_PARSE,
               "the public messages are the wire's");

const char *ph_hook_give(const struct ph_hook *hook, struct ph_slice text, size_t *ret_len)
{
    if (!ph_slice_present(text))
        return NULL;
    struct ph_slice copy = ph_arena_copy(ph_worker_arena(hook->worker), text);
    if (ph_slice_present(copy) && ret_len != NULL)
        *ret_len = copy.len;
    return copy.ptr;
}

static const struct ph_event *event_at(const struct ph_hook *hook, size_t event)
{
    return hook != NULL && hook->answered && event < hook->answer.event_count
               ? &hook->answer.events[event]
               : NULL;
}

/* ---- findings -------------------------------------------------------------------------------- */

const char *ph_hook_error(const struct ph_hook *hook)
{
    if (hook == NULL || !hook->answered || hook->answer.error == PH_E_NONE)
        return NULL;
    return ph_hook_give(hook, ph_error_code_name(hook->answer.error), NULL);
}

const char *ph_hook_error_message(const struct ph_hook *hook)
{
    if (hook == NULL || !hook->answered || hook->answer.error == PH_E_NONE)
        return NULL;
    return ph_hook_give(hook, hook->answer.error_message, NULL);
}

size_t ph_hook_event_count(const struct ph_hook *hook)
{
    return hook != NULL && hook->answered ? hook->answer.event_count : 0;
}

int ph_hook_verdict(const struct ph_hook *hook, size_t event)
{
    const struct ph_event *e = event_at(hook, event);
    return e != NULL ? (int)e->verdict : PH_HOOK_VERDICT_UNSPECIFIED;
}

int ph_hook_matched_secret(const struct ph_hook *hook, size_t event)
{
    const struct ph_event *e = event_at(hook, event);
    return e != NULL ? e->matched_secret : 0;
}

/* ---- content --------------------------------------------------------------------------------- */

static struct ph_slice kind_name(enum ph_kind kind)
{
    static const struct ph_slice names[] = {
        [PH_KIND_NONE] = {NULL, 0},           [PH_KIND_PAYMENT] = PH_SI("payment"),
        [PH_KIND_REFUND] = PH_SI("refund"),   [PH_KIND_DISPUTE] = PH_SI("dispute"),
        [PH_KIND_MANDATE] = PH_SI("mandate"), [PH_KIND_PAYOUT] = PH_SI("payout")};
    return names[kind];
}

static struct ph_slice status_name(const struct ph_event *e)
{
    static const enum ph_vocabulary words[] = {[PH_KIND_NONE] = PH_WORDS_NONE,
                                               [PH_KIND_PAYMENT] = PH_WORDS_PAYMENT_STATUS,
                                               [PH_KIND_REFUND] = PH_WORDS_REFUND_STATUS,
                                               [PH_KIND_DISPUTE] = PH_WORDS_DISPUTE_STATUS,
                                               [PH_KIND_MANDATE] = PH_WORDS_PAYMENT_STATUS,
                                               [PH_KIND_PAYOUT] = PH_WORDS_PAYOUT_STATUS};
    return ph_word_name(words[e->kind], e->status);
}

static struct ph_slice stage_name(const struct ph_event *e)
{
    const struct ph_value *stage = &e->fields[PH_F_DISPUTE_STAGE];
    return stage->present ? ph_word_name(PH_WORDS_DISPUTE_STAGE, stage->currency)
                          : (struct ph_slice){0};
}

/* The field of that name and type; PH_FIELD_COUNT: there is none. */
static enum ph_field find_field(struct ph_slice name, enum ph_field_type type)
{
    for (int f = 0; f < PH_FIELD_COUNT; f++)
        if (ph_field_type((enum ph_field)f) == type &&
            ph_slice_eq(ph_field_name((enum ph_field)f), name))
            return (enum ph_field)f;
    return PH_FIELD_COUNT;
}

static struct ph_slice event_text(const struct ph_event *e, struct ph_slice what)
{
    const struct {
        struct ph_slice name, text;
    } own[] = {{PH_S("event_type"), ph_word_name(PH_WORDS_EVENT_TYPE, e->handle_event_type)},
               {PH_S("event_name"), ph_event_type_specification_name(e->handle_event_type)},
               {PH_S("kind"), kind_name(e->kind)},
               {PH_S("status"), status_name(e)},
               {PH_S("dispute_stage"), stage_name(e)},
               {PH_S("incomplete"), e->incomplete},
               {PH_S("dedupe_key"), e->dedupe_key},
               {PH_S("effect_key"), e->effect_key},
               {PH_S("merchant_event_id"), e->merchant_event_id},
               {PH_S("account"), e->account},
               {PH_S("mode"), ph_word_name(PH_WORDS_MODE, (int32_t)e->mode)},
               {PH_S("processor_event_id"), e->id},
               {PH_S("processor_event_type"), e->type},
               {PH_S("verdict"), ph_word_name(PH_WORDS_VERDICT, (int32_t)e->verdict)},
               {PH_S("verdict_reason"), e->verdict_reason}};
    for (size_t i = 0; i < PH_COUNTOF(own); i++)
        if (ph_slice_eq(own[i].name, what))
            return own[i].text;
    enum ph_field f = find_field(what, PH_FIELD_TEXT);
    return f != PH_FIELD_COUNT && e->fields[f].present ? e->fields[f].text : (struct ph_slice){0};
}

const char *ph_hook_text(const struct ph_hook *hook, size_t event, const char *what)
{
    const struct ph_event *e = event_at(hook, event);
    struct ph_slice name = ph_slice_str(what);
    bool always = ph_slice_eq(name, PH_S("verdict")) || ph_slice_eq(name, PH_S("verdict_reason"));
    if (e == NULL || (e->verdict != PH_VERIFIED && !always))
        return NULL;
    return ph_hook_give(hook, event_text(e, name), NULL);
}

const char *ph_hook_unverified_text(const struct ph_hook *hook, size_t event, const char *what)
{
    const struct ph_event *e = event_at(hook, event);
    if (e == NULL || e->verdict == PH_VERIFIED)
        return NULL;
    return ph_hook_give(hook, event_text(e, ph_slice_str(what)), NULL);
}

int ph_hook_money(const struct ph_hook *hook, size_t event, const char *field, int64_t *ret_minor,
                  const char **ret_currency)
{
    const struct ph_event *e = event_at(hook, event);
    enum ph_field f = find_field(ph_slice_str(field), PH_FIELD_MONEY);
    if (e == NULL || e->verdict != PH_VERIFIED || f == PH_FIELD_COUNT || !e->fields[f].present)
        return 0;
    const struct ph_currency *currency = ph_currency_by_number(e->fields[f].currency);
    if (currency == NULL)
        return 0;
    *ret_minor = e->fields[f].number;
    *ret_currency = currency->code;
    return 1;
}

int ph_hook_time(const struct ph_hook *hook, size_t event, const char *field, int64_t *ret_unix_ms)
{
    const struct ph_event *e = event_at(hook, event);
    struct ph_slice name = ph_slice_str(field);
    enum ph_field f = find_field(name, PH_FIELD_TIME);
    if (e == NULL || e->verdict != PH_VERIFIED)
        return 0;
    if (ph_slice_eq(name, PH_S("processor_event_time")) && e->has_time)
        *ret_unix_ms = e->time_ms;
    else if (f != PH_FIELD_COUNT && e->fields[f].present)
        *ret_unix_ms = e->fields[f].number;
    else
        return 0;
    return 1;
}

/* ---- replies and messages -------------------------------------------------------------------- */

static const char *header_at(const struct ph_hook *hook, const struct ph_header *headers,
                             size_t count, size_t index, const char **ret_value)
{
    if (index >= count)
        return NULL;
    const char *name = ph_hook_give(hook, headers[index].name, NULL);
    const char *value = ph_hook_give(hook, headers[index].value, NULL);
    if (name == NULL || value == NULL)
        return NULL;
    *ret_value = value;
    return name;
}

int ph_hook_ack_status(const struct ph_hook *hook)
{
    return hook != NULL && hook->answered ? hook->answer.ack_status : 0;
}

const char *ph_hook_ack_header(const struct ph_hook *hook, size_t index, const char **ret_value)
{
    if (hook == NULL || !hook->answered)
        return NULL;
    return header_at(hook, hook->answer.ack_headers, hook->answer.ack_header_count, index,
                     ret_value);
}

const char *ph_hook_ack_body(const struct ph_hook *hook, size_t *ret_len)
{
    return hook != NULL && hook->answered ? ph_hook_give(hook, hook->answer.ack_body, ret_len)
                                          : NULL;
}

static bool has_message(const struct ph_hook *hook, int message)
{
    return hook != NULL && hook->answered && hook->answer.error == PH_E_NONE &&
           message >= PH_HOOK_MESSAGE_HANDLE && message <= PH_HOOK_MESSAGE_PARSE;
}

const char *ph_hook_json(struct ph_hook *hook, int message, size_t *ret_len)
{
    struct ph_slice text;
    if (!has_message(hook, message) ||
        ph_wire_write_json(ph_worker_arena(hook->worker), (enum ph_form)message, &hook->answer,
                           &text) != PH_OK)
        return NULL;
    return ph_hook_give(hook, text, ret_len);
}

const void *ph_hook_protobuf(struct ph_hook *hook, int message, size_t *ret_len)
{
    struct ph_slice bytes;
    if (!has_message(hook, message) ||
        ph_wire_write(ph_worker_arena(hook->worker), (enum ph_form)message, &hook->answer,
                      &bytes) != PH_OK)
        return NULL;
    return ph_hook_give(hook, ph_slice_present(bytes) ? bytes : PH_S(""), ret_len);
}

/* ---- callouts and signatures ----------------------------------------------------------------- */

static const struct ph_callout *callout_of(const struct ph_hook *hook)
{
    return hook != NULL && hook->answered ? hook->answer.callout : NULL;
}

const char *ph_hook_callout(const struct ph_hook *hook)
{
    const struct ph_callout *c = callout_of(hook);
    return c != NULL ? ph_hook_give(hook, c->url, NULL) : NULL;
}

const char *ph_hook_callout_method(const struct ph_hook *hook)
{
    const struct ph_callout *c = callout_of(hook);
    return c != NULL ? ph_hook_give(hook, c->method, NULL) : NULL;
}

const char *ph_hook_callout_header(const struct ph_hook *hook, size_t index, const char **ret_value)
{
    const struct ph_callout *c = callout_of(hook);
    return c != NULL ? header_at(hook, c->headers, c->header_count, index, ret_value) : NULL;
}

const char *ph_hook_callout_body(const struct ph_hook *hook, size_t *ret_len)
{
    const struct ph_callout *c = callout_of(hook);
    return c != NULL ? ph_hook_give(hook, c->body, ret_len) : NULL;
}

const char *ph_hook_sign_reason(const struct ph_hook *hook)
{
    return hook != NULL ? ph_hook_give(hook, hook->sign_reason, NULL) : NULL;
}

const char *ph_hook_signed_method(const struct ph_hook *hook)
{
    return hook != NULL ? ph_hook_give(hook, hook->signature.method, NULL) : NULL;
}

const char *ph_hook_signed_header(const struct ph_hook *hook, size_t index, const char **ret_value)
{
    return hook != NULL ? header_at(hook, hook->signature.headers, hook->signature.header_count,
                                    index, ret_value)
                        : NULL;
}

const char *ph_hook_signed_query(const struct ph_hook *hook)
{
    return hook != NULL && hook->signature.query.len > 0
               ? ph_hook_give(hook, hook->signature.query, NULL)
               : "";
}

const char *ph_hook_signed_body(const struct ph_hook *hook, size_t *ret_len)
{
    return hook != NULL ? ph_hook_give(hook, hook->signature.body, ret_len) : NULL;
}
