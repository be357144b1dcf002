/* The schema's words as C constants, PH_<WORD>; their texts and the currency table. */
#ifndef PH_CONNECTOR_WORDS_H
#define PH_CONNECTOR_WORDS_H

#include "base/slice.h"
#include "connector/words.def"

#define PH_WORD_ENUM(name, number) PH_##name = (number),
enum ph_event_type { PH_EVENT_TYPES(PH_WORD_ENUM) };
enum ph_payment_status { PH_PAYMENT_STATUSES(PH_WORD_ENUM) };
enum ph_refund_status { PH_REFUND_STATUSES(PH_WORD_ENUM) };
enum ph_dispute_status { PH_DISPUTE_STATUSES(PH_WORD_ENUM) };
enum ph_dispute_stage { PH_DISPUTE_STAGES(PH_WORD_ENUM) };
enum ph_capture_method { PH_CAPTURE_METHODS(PH_WORD_ENUM) };
enum ph_mode { PH_MODES(PH_WORD_ENUM) };
enum ph_verdict { PH_VERDICTS(PH_WORD_ENUM) };
#undef PH_WORD_ENUM
/* SUCCESS, FAILED, … are too common for names of their own. */
#define PH_WORD_ENUM(name, number) PH_PAYOUT_IS_##name = (number),
enum ph_payout_status { PH_PAYOUT_STATUSES(PH_WORD_ENUM) };
#undef PH_WORD_ENUM

/* The vocabularies a page may take words from. */
enum ph_vocabulary {
    PH_WORDS_NONE,
    PH_WORDS_EVENT_TYPE,
    PH_WORDS_PAYMENT_STATUS,
    PH_WORDS_REFUND_STATUS,
    PH_WORDS_DISPUTE_STATUS,
    PH_WORDS_DISPUTE_STAGE,
    PH_WORDS_PAYOUT_STATUS,
    PH_WORDS_CAPTURE_METHOD,
    PH_WORDS_MODE,
    PH_WORDS_VERDICT,
};

struct ph_word {
    struct ph_slice name;
    int32_t number;
};

/* All words of a vocabulary, in the order of their numbers; *ret_count 0 for PH_WORDS_NONE. */
const struct ph_word *ph_words(enum ph_vocabulary vocabulary, size_t *ret_count);
/* The number of a word, or -1. Case matters. PH_WORDS_EVENT_TYPE accepts the specification's
 * aliases (CHARGE_REFUNDED, DISPUTE_CREATED, PAYMENT_INTENT_PAYMENT_FAILED) too. */
int32_t ph_word_number(enum ph_vocabulary vocabulary, struct ph_slice name);
/* The text of a number; {NULL,0} when the vocabulary lacks it. */
struct ph_slice ph_word_name(enum ph_vocabulary vocabulary, int32_t number);
/* The specification's name of an event type, {NULL,0} where it has none (DESIGN §5). */
struct ph_slice ph_event_type_specification_name(int32_t event_type);

/* What an event is about: "payment", "refund", "dispute", "mandate", "payout", "recovery",
 * "fraud"; empty for the rest. */
struct ph_slice ph_event_type_class(int32_t event_type);
/* All of them. */
const struct ph_slice *ph_event_classes(size_t *ret_count);
/* Every name that event types go by, the specification's too, up to `room`; gives how many. */
size_t ph_event_type_names(struct ph_slice *ret, size_t room);

struct ph_currency {
    char code[4];
    uint8_t decimals; /* ISO 4217 */
    int16_t number;   /* of the wire's enum */
};

/* By code, in any case; NULL when unknown. */
const struct ph_currency *ph_currency_find(struct ph_slice code);
/* By the wire's number; NULL when unknown. */
const struct ph_currency *ph_currency_by_number(int32_t number);

#endif
