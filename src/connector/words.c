/* The vocabularies, from words.def. */
#include "connector/words.h"

#define PH_WORD_ROW(name, number) {PH_SI(#name), (number)},
static const struct ph_word event_types[] = {PH_EVENT_TYPES(PH_WORD_ROW)};
static const struct ph_word payment_statuses[] = {PH_PAYMENT_STATUSES(PH_WORD_ROW)};
static const struct ph_word refund_statuses[] = {PH_REFUND_STATUSES(PH_WORD_ROW)};
static const struct ph_word dispute_statuses[] = {PH_DISPUTE_STATUSES(PH_WORD_ROW)};
static const struct ph_word dispute_stages[] = {PH_DISPUTE_STAGES(PH_WORD_ROW)};
static const struct ph_word payout_statuses[] = {PH_PAYOUT_STATUSES(PH_WORD_ROW)};
static const struct ph_word capture_methods[] = {PH_CAPTURE_METHODS(PH_WORD_ROW)};
static const struct ph_word modes[] = {PH_MODES(PH_WORD_ROW)};
static const struct ph_word verdicts[] = {PH_VERDICTS(PH_WORD_ROW)};

/* The specification's names where they differ (DESIGN §5). */
static const struct ph_word aliases[] = {
    {PH_SI("PAYMENT_INTENT_PAYMENT_FAILED"), PH_PAYMENT_INTENT_FAILURE},
    {PH_SI("CHARGE_REFUNDED"), PH_WEBHOOK_REFUND_SUCCESS},
    {PH_SI("DISPUTE_CREATED"), PH_WEBHOOK_DISPUTE_OPENED},
};

const struct ph_word *ph_words(enum ph_vocabulary vocabulary, size_t *ret_count)
{
    static const struct {
        const struct ph_word *words;
        size_t count;
    } table[] = {
        [PH_WORDS_NONE] = {NULL, 0},
        [PH_WORDS_EVENT_TYPE] = {event_types, PH_COUNTOF(event_types)},
        [PH_WORDS_PAYMENT_STATUS] = {payment_statuses, PH_COUNTOF(payment_statuses)},
        [PH_WORDS_REFUND_STATUS] = {refund_statuses, PH_COUNTOF(refund_statuses)},
        [PH_WORDS_DISPUTE_STATUS] = {dispute_statuses, PH_COUNTOF(dispute_statuses)},
        [PH_WORDS_DISPUTE_STAGE] = {dispute_stages, PH_COUNTOF(dispute_stages)},
        [PH_WORDS_PAYOUT_STATUS] = {payout_statuses, PH_COUNTOF(payout_statuses)},
        [PH_WORDS_CAPTURE_METHOD] = {capture_methods, PH_COUNTOF(capture_methods)},
        [PH_WORDS_MODE] = {modes, PH_COUNTOF(modes)},
        [PH_WORDS_VERDICT] = {verdicts, PH_COUNTOF(verdicts)},
    };
    *ret_count = table[vocabulary].count;
    return table[vocabulary].words;
}

int32_t ph_word_number(enum ph_vocabulary vocabulary, struct ph_slice name)
{
    size_t count;
    const struct ph_word *words = ph_words(vocabulary, &count);
    for (size_t i = 0; i < count; i++)
        if (ph_slice_eq(words[i].name, name))
            return words[i].number;
    for (size_t i = 0; vocabulary == PH_WORDS_EVENT_TYPE && i < PH_COUNTOF(aliases); i++)
        if (ph_slice_eq(aliases[i].name, name))
            return aliases[i].number;
    return -1;
}

struct ph_slice ph_word_name(enum ph_vocabulary vocabulary, int32_t number)
{
    size_t count;
    const struct ph_word *words = ph_words(vocabulary, &count);
    /* Most vocabularies have no gaps: a number is a place. */
    int64_t place = count > 0 ? (int64_t)number - words[0].number : -1;
    if (place >= 0 && place < (int64_t)count && words[place].number == number)
        return words[place].name;
    for (size_t i = 0; i < count; i++)
        if (words[i].number == number)
            return words[i].name;
    return (struct ph_slice){0};
}

struct ph_slice ph_event_type_specification_name(int32_t event_type)
{
    switch (event_type) {
    case PH_PAYMENT_INTENT_SUCCESS:
        return PH_S("PAYMENT_INTENT_SUCCESS");
    case PH_PAYMENT_INTENT_FAILURE:
        return PH_S("PAYMENT_INTENT_PAYMENT_FAILED");
    case PH_WEBHOOK_REFUND_SUCCESS:
        return PH_S("CHARGE_REFUNDED");
    case PH_WEBHOOK_DISPUTE_OPENED:
        return PH_S("DISPUTE_CREATED");
    case PH_WEBHOOK_DISPUTE_WON:
    case PH_WEBHOOK_DISPUTE_LOST:
    case PH_WEBHOOK_DISPUTE_ACCEPTED:
    case PH_WEBHOOK_DISPUTE_EXPIRED:
    case PH_WEBHOOK_DISPUTE_CANCELLED:
        return PH_S("DISPUTE_CLOSED");
    default:
        return (struct ph_slice){0};
    }
}

struct ph_slice ph_event_type_class(int32_t event_type)
{
    static const struct {
        const char *prefix, *name;
    } classes[] = {{"PAYMENT_", "payment"},       {"SOURCE_", "payment"},
                   {"WEBHOOK_REFUND_", "refund"}, {"WEBHOOK_DISPUTE_", "dispute"},
                   {"MANDATE_", "mandate"},       {"PAYOUT_", "payout"},
                   {"RECOVERY_", "recovery"},     {"FRM_", "fraud"}};
    struct ph_slice word = ph_word_name(PH_WORDS_EVENT_TYPE, event_type);
    for (size_t i = 0; i < PH_COUNTOF(classes); i++)
        if (ph_slice_starts(word, ph_slice_str(classes[i].prefix)))
            return ph_slice_str(classes[i].name);
    return PH_S("");
}

const struct ph_slice *ph_event_classes(size_t *ret_count)
{
    static const struct ph_slice classes[] = {PH_SI("payment"), PH_SI("refund"), PH_SI("dispute"),
                                              PH_SI("mandate"), PH_SI("payout"), PH_SI("recovery"),
                                              PH_SI("fraud")};
    *ret_count = PH_COUNTOF(classes);
    return classes;
}

size_t ph_event_type_names(struct ph_slice *ret, size_t room)
{
    size_t count = 0, word_count;
    const struct ph_word *words = ph_words(PH_WORDS_EVENT_TYPE, &word_count);
    for (size_t i = 1; i < word_count && count + 2 <= room; i++) { /* [0] says that there is none */
        struct ph_slice named = ph_event_type_specification_name(words[i].number);
        ret[count++] = words[i].name;
        if (named.len > 0)
            ret[count++] = named;
    }
    return count;
}

#define PH_CURRENCY_ROW(name, wire_number, minor)                                                  \
    {.code = #name, .decimals = (minor), .number = (wire_number)},
/* Sorted by code, and the number is the place, from 1 (a test holds both). */
static const struct ph_currency currencies[] = {PH_CURRENCIES(PH_CURRENCY_ROW)};

/* Three letters as a number that sorts like them. */
static uint32_t packed(const char *code)
{
    return (uint32_t)(unsigned char)code[0] << 16 | (uint32_t)(unsigned char)code[1] << 8 |
           (unsigned char)code[2];
}

const struct ph_currency *ph_currency_find(struct ph_slice code)
{
    if (code.len != 3)
        return NULL;
    char upper[3];
    for (size_t i = 0; i < 3; i++)
        upper[i] =
            (char)(code.ptr[i] >= 'a' && code.ptr[i] <= 'z' ? code.ptr[i] - 32 : code.ptr[i]);
    uint32_t want = packed(upper);
    size_t low = 0, high = PH_COUNTOF(currencies);
    while (low < high) {
        size_t middle = (low + high) / 2;
        uint32_t here = packed(currencies[middle].code);
        if (here == want)
            return &currencies[middle];
        if (here < want)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct ph_currency *ph_currency_by_number(int32_t number)
{
    return number >= 1 && number <= (int32_t)PH_COUNTOF(currencies) ? &currencies[number - 1]
                                                                    : NULL;
}
