/* Content: ids, money, times. What is not certain is left out and said (INCOMPLETE), never
 * rounded. */
#include "base/digits.h"
#include "base/utf8.h"
#include "core/codec.h"
#include "core/steps.h"
#include "core/value.h"

/* Apart from what is read when nothing is wrong, which is nearly always. Quotes no more of the
 * sender's text than tells which it is. */
PH_COLD static struct ph_slice say(struct ph_run *run, const char *before, struct ph_slice what,
                                   const char *after)
{
    bool whole = what.len <= PH_QUOTED_BYTES_MAX;
    struct ph_slice head = whole ? what : ph_utf8_cut(what, PH_QUOTED_BYTES_MAX);
    struct ph_slice parts[] = {ph_slice_str(before), head, whole ? PH_S("") : PH_S("…"),
                               ph_slice_str(after)};
    return ph_join(run, parts, PH_COUNTOF(parts));
}

PH_COLD static struct ph_slice expr_name(const struct ph_expr *expr)
{
    if (expr->count == 0 || expr->alternatives[0].count == 0)
        return PH_S("value");
    const struct ph_piece *piece = &expr->alternatives[0].pieces[0];
    return piece->pointer != NULL ? piece->pointer->text : piece->text;
}

/* ---- require --------------------------------------------------------------------------------- */

static bool is_number(struct ph_slice text)
{
    size_t at = text.len > 0 && text.ptr[0] == '-' ? 1 : 0, digits = 0, dots = 0;
    for (; at < text.len; at++) {
        if (text.ptr[at] >= '0' && text.ptr[at] <= '9')
            digits++;
        else if (text.ptr[at] == '.')
            dots++;
        else
            return false;
    }
    return digits > 0 && dots <= 1;
}

/* Forms and XML have texts only: a number is a text that reads as one. */
static bool fits_text(const struct ph_need *need, struct ph_slice text)
{
    int64_t number;
    switch ((enum ph_need_type)need->type) {
    case PH_NEED_INTEGER:
        return ph_parse_int64(text, &number);
    case PH_NEED_NUMBER:
        return is_number(text);
    case PH_NEED_BOOLEAN:
        return ph_slice_eq(text, PH_S("true")) || ph_slice_eq(text, PH_S("false"));
    default:
        return false;
    }
}

static bool is_texts_only(const struct ph_variant *v)
{
    if (v->decode_count > 0)
        return v->decode[v->decode_count - 1] == PH_DECODE_XML ||
               v->decode[v->decode_count - 1] == PH_DECODE_FORM;
    return v->format == PH_FORMAT_FORM || v->format == PH_FORMAT_XML ||
           v->format == PH_FORMAT_MEDIA_TYPE;
}

static const struct ph_currency_exception *exception_of(const struct ph_run *run,
                                                        struct ph_slice code)
{
    const struct ph_currency_exception *list = run->connector->currencies;
    /* filled up with NUL, as those of the page are: one compare each */
    char text[sizeof(list->code)] = "";
    if (code.len == 0 || code.len >= sizeof(text) || code.ptr[code.len - 1] == '\0')
        return NULL;
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = i < code.len ? code.ptr[i] : '\0';
    for (uint16_t i = 0; i < run->connector->currency_count; i++)
        if (memcmp(text, list[i].code, sizeof(text)) == 0)
            return &list[i];
    return NULL;
}

/* What a code means to this processor. currency NULL: none that an answer can carry. */
static const struct ph_money_unit *find_money(struct ph_run *run, struct ph_slice code)
{
    struct ph_money_unit *unit = &run->money;
    const struct ph_currency_exception *exception = exception_of(run, code);
    bool other = exception != NULL && exception->is[0] != '\0';
    *unit = (struct ph_money_unit){code,
                                   ph_currency_find(other ? ph_slice_str(exception->is) : code), 0};
    if (unit->currency != NULL) {
        exception = exception_of(run, ph_slice_of(unit->currency->code, 3));
        unit->decimals = exception != NULL ? exception->decimals : unit->currency->decimals;
    }
    return unit;
}

static inline const struct ph_money_unit *money_of(struct ph_run *run, struct ph_slice code)
{
    const struct ph_money_unit *unit = &run->money; /* an event's amounts mostly share one */
    return ph_slice_present(code) && code.ptr == unit->code.ptr && code.len == unit->code.len
               ? unit
               : find_money(run, code);
}

static bool fits_type(struct ph_run *run, const struct ph_need *need, yyjson_val *value)
{
    int64_t number;
    struct ph_slice text;
    switch ((enum ph_need_type)need->type) {
    case PH_NEED_ANY:
        return true;
    case PH_NEED_STRING:
        return yyjson_is_str(value);
    case PH_NEED_INTEGER:
        return yyjson_is_raw(value) && ph_parse_int64(ph_json_text(value), &number);
    case PH_NEED_NUMBER:
        return yyjson_is_raw(value);
    case PH_NEED_DECIMAL:
        return is_number(ph_json_text(value));
    case PH_NEED_BOOLEAN:
        return yyjson_is_bool(value);
    case PH_NEED_OBJECT:
        return yyjson_is_obj(value);
    case PH_NEED_ARRAY:
        return yyjson_is_arr(value);
    case PH_NEED_CURRENCY:
        text = ph_json_text(value);
        return yyjson_is_str(value) &&
               (money_of(run, text)->currency != NULL || exception_of(run, text) != NULL);
    }
    return false;
}

PH_COLD static struct ph_problem need_problem(struct ph_run *run, const struct ph_need *need,
                                              bool there)
{
    static const char *const names[] = {"there",     "a string",         "an integer",
                                        "a number",  "a decimal number", "a boolean",
                                        "an object", "an array",         "a currency code"};
    struct ph_slice what =
        say(run, "", expr_name(&need->of), there ? " is not " : " is missing: it must be ");
    return (struct ph_problem){PH_E_WEBHOOK_BODY_DECODING_FAILED,
                               say(run, "", what, names[need->type])};
}

enum ph_status ph_check_needs(struct ph_run *run, const struct ph_need *needs, size_t count,
                              struct ph_problem *ret)
{
    for (size_t i = 0; i < count; i++) {
        const struct ph_need *need = &needs[i];
        yyjson_val *value = ph_eval_tree(run, &need->of);
        if (value != NULL &&
            (fits_type(run, need, value) || (yyjson_is_str(value) && is_texts_only(run->variant) &&
                                             fits_text(need, ph_json_text(value)))))
            continue;
        struct ph_slice text = {0};
        if (value == NULL && need->of.node == 0) /* what is no tree may be a text all the same */
            PH_TRY(ph_eval_expr(run, &need->of, &text));
        if (value == NULL && (ph_slice_present(text) || need->optional))
            continue;
        *ret = need_problem(run, need, value != NULL);
        return PH_OK;
    }
    return PH_OK;
}

/* ---- money ----------------------------------------------------------------------------------- */

static enum ph_exact to_minor(enum ph_unit unit, struct ph_slice text,
                              const struct ph_money_unit *of, int64_t *ret)
{
    int written = unit == PH_UNIT_MAJOR ? 0 : of->decimals;
    return ph_parse_exact(text, of->currency->decimals - written, ret);
}

static struct ph_slice left_out(struct ph_run *run, struct ph_slice text, enum ph_exact why)
{
    const char *after = why == PH_EXACT_NOT_A_NUMBER     ? "\" is not a number"
                        : why == PH_EXACT_NEEDS_ROUNDING ? "\" is no whole number of minor units"
                                                         : "\" is too large";
    return say(run, "the amount is left out: \"", text, after);
}

/* Money in many places: their sum, in the one currency of all. */
struct total {
    const struct ph_field_rule *rule;
    const struct ph_money_unit *unit; /* NULL: not known; how much does not matter then */
    int64_t minor;
    size_t there, missing;
    enum ph_exact found;
    struct ph_slice text; /* of the one that spoils it */
};

static bool same_currency(void *ctx, yyjson_val *value)
{
    struct ph_slice *code = ctx, text = ph_json_text(value);
    if (ph_slice_present(*code) && !ph_slice_eq(*code, text))
        text = PH_S("several");
    *code = ph_slice_present(text) ? text : PH_S("");
    return !ph_slice_eq(text, PH_S("several"));
}

static bool add_one(void *ctx, yyjson_val *value)
{
    struct total *t = ctx;
    int64_t minor = 0;
    struct ph_slice text = ph_json_text(value);
    t->there += text.len > 0;
    t->missing += text.len == 0;
    if (text.len == 0 || t->found != PH_EXACT_OK || t->unit == NULL)
        return true;
    t->text = text;
    t->found = to_minor(t->rule->unit, text, t->unit, &minor);
    if (t->found == PH_EXACT_OK && __builtin_add_overflow(t->minor, minor, &t->minor))
        t->found = PH_EXACT_TOO_LARGE;
    return true;
}

static enum ph_status read_sum(struct ph_run *run, const struct ph_field_rule *rule,
                               struct ph_event *event)
{
    struct ph_slice code = {0};
    struct total t = {.rule = rule};
    if (ph_expr_is_many(&rule->currency))
        (void)ph_visit_many(run, &rule->currency, same_currency, &code);
    else
        PH_TRY(ph_eval_expr(run, &rule->currency, &code));
    const struct ph_money_unit *unit = money_of(run, code);
    t.unit = unit->currency != NULL ? unit : NULL;
    (void)ph_visit_many(run, &rule->value, add_one, &t);
    if (t.there == 0)
        return PH_OK;
    if (t.unit == NULL)
        event->incomplete = say(run, "the amount is left out: unknown currency \"", code, "\"");
    else if (t.missing > 0)
        event->incomplete = PH_S("the amount is left out: one of its parts has none");
    else if (t.found != PH_EXACT_OK)
        event->incomplete = left_out(run, t.text, t.found);
    else
        event->fields[rule->field] = (struct ph_value){
            .present = true, .currency = unit->currency->number, .number = t.minor};
    return PH_OK;
}

static enum ph_status read_money(struct ph_run *run, const struct ph_field_rule *rule,
                                 struct ph_event *event, struct ph_problem *ret)
{
    struct ph_slice amount = {0}, code = {0};
    struct ph_value *value = &event->fields[rule->field];
    if (rule->value.node == 0 && ph_expr_is_many(&rule->value))
        return read_sum(run, rule, event);
    PH_TRY(ph_eval_expr(run, &rule->value, &amount));
    PH_TRY(ph_eval_expr(run, &rule->currency, &code));
    if (amount.len == 0) {
        if (rule->required)
            *ret = (struct ph_problem){
                PH_E_WEBHOOK_BODY_DECODING_FAILED,
                say(run, "", expr_name(&rule->value), " is missing: the amount")};
        return PH_OK;
    }
    const struct ph_money_unit *unit = money_of(run, code);
    if (unit->currency == NULL) {
        event->incomplete = say(run, "the amount is left out: unknown currency \"", code, "\"");
        return PH_OK;
    }
    int64_t minor = 0;
    enum ph_exact found = to_minor(rule->unit, amount, unit, &minor);
    if (found == PH_EXACT_OK) {
        value->present = true;
        value->currency = unit->currency->number;
        value->number = minor;
    } else if (found == PH_EXACT_NOT_A_NUMBER && rule->required)
        *ret = (struct ph_problem){PH_E_WEBHOOK_AMOUNT_CONVERSION_FAILED,
                                   say(run, "the amount is not a number: \"", amount, "\"")};
    else
        event->incomplete = left_out(run, amount, found);
    return PH_OK;
}

/* ---- times, words, texts --------------------------------------------------------------------- */

/* Unix seconds or milliseconds, with or without a fraction; what is finer than a millisecond is
 * cut. */
static bool unix_ms(struct ph_slice text, enum ph_unit unit, int64_t *ret)
{
    if (text.len <= PH_DIGITS_MAX - 3 && ph_digits(text, ret)) { /* as nearly all are */
        *ret *= unit == PH_UNIT_UNIX ? 1000 : 1;
        return true;
    }
    size_t dot = ph_slice_find(text, PH_S("."), 0);
    size_t keep = unit == PH_UNIT_UNIX ? 3 : 0;
    if (dot != SIZE_MAX && dot > 0 && text.len - dot - 1 > keep) {
        for (size_t i = dot + 1 + keep; i < text.len; i++)
            if (text.ptr[i] < '0' || text.ptr[i] > '9')
                return false;
        text.len = keep > 0 ? dot + 1 + keep : dot;
    }
    return ph_parse_exact(text, unit == PH_UNIT_UNIX ? 3 : 0, ret) == PH_EXACT_OK;
}

enum ph_status ph_read_time(struct ph_run *run, const struct ph_expr *expr, enum ph_unit unit,
                            int64_t *ret_ms, bool *ret_there)
{
    const int64_t end_ms = 253402300800000; /* 10000-01-01 */
    struct ph_slice text = {0};
    int64_t number = 0;
    *ret_there = false;
    PH_TRY(ph_eval_expr(run, expr, &text));
    if (text.len == 0)
        return PH_OK;
    if (unit == PH_UNIT_ISO) {
        if (!ph_parse_iso(text, &number))
            return PH_OK;
    } else if (!unix_ms(text, unit, &number)) {
        return PH_OK;
    }
    if (number < 0 || number >= end_ms)
        return PH_OK;
    *ret_ms = number;
    *ret_there = true;
    return PH_OK;
}

PH_COLD static struct ph_problem text_problem(struct ph_run *run, const struct ph_field_rule *rule)
{
    bool is_id = rule->field < PH_REFERENCE_COUNT;
    return (struct ph_problem){is_id ? PH_E_WEBHOOK_REFERENCE_ID_NOT_FOUND
                                     : PH_E_WEBHOOK_BODY_DECODING_FAILED,
                               say(run, "", expr_name(&rule->value), " is missing")};
}

/* Half of what an event has: in line, for the sake of those that are nothing but one pointer. */
static inline enum ph_status read_text(struct ph_run *run, const struct ph_field_rule *rule,
                                       struct ph_value *value, struct ph_problem *ret)
{
    struct ph_slice text;
    PH_TRY(ph_eval_expr(run, &rule->value, &text));
    if (ph_slice_present(text)) {
        value->present = true;
        value->text = text;
    } else if (rule->required) {
        *ret = text_problem(run, rule);
    }
    return PH_OK;
}

static enum ph_status read_field(struct ph_run *run, const struct ph_field_rule *rule,
                                 struct ph_event *event, struct ph_problem *ret)
{
    struct ph_value *value = &event->fields[rule->field];
    switch (rule->unit) {
    case PH_UNIT_MINOR:
    case PH_UNIT_MAJOR:
        return read_money(run, rule, event, ret);
    case PH_UNIT_UNIX:
    case PH_UNIT_UNIX_MS:
    case PH_UNIT_ISO:
        return ph_read_time(run, &rule->value, rule->unit, &value->number, &value->present);
    case PH_UNIT_WORD:
        PH_TRY(ph_eval_choice(run, &rule->choice, &value->currency));
        value->present = value->currency != 0;
        return PH_OK;
    case PH_UNIT_TEXT:
        break; /* ph_read_content's */
    }
    return PH_OK;
}

enum ph_status ph_read_content(struct ph_run *run, const struct ph_block *block,
                               struct ph_event *event, struct ph_problem *ret)
{
    PH_TRY(ph_check_needs(run, block->needs, block->need_count, ret));
    for (uint16_t i = 0; ret->code == PH_E_NONE && i < block->field_count; i++) {
        const struct ph_field_rule *rule = &block->fields[i];
        if (rule->unit == PH_UNIT_TEXT)
            PH_TRY(read_text(run, rule, &event->fields[rule->field], ret));
        else
            PH_TRY(read_field(run, rule, event, ret));
    }
    return PH_OK;
}

static enum ph_status read_ids(struct ph_run *run, const struct ph_field_rule *rules, size_t count,
                               struct ph_event *event)
{
    struct ph_problem ignored; /* a reference tells what it can */
    for (size_t i = 0; i < count; i++)
        if (rules[i].field < PH_REFERENCE_COUNT && rules[i].unit == PH_UNIT_TEXT)
            PH_TRY(read_text(run, &rules[i], &event->reference[rules[i].field], &ignored));
    return PH_OK;
}

enum ph_status ph_read_reference(struct ph_run *run, const struct ph_block *block,
                                 struct ph_event *event)
{
    event->reference_kind = block->reference_kind;
    if (!block->reference_own)
        PH_TRY(read_ids(run, block->fields, block->id_count, event));
    return read_ids(run, block->reference, block->reference_count, event);
}
