/* Dev mode's lines: what a developer wants to see of a webhook, without its secrets. */
#include <stdio.h>

#include "server/ingress.h"

static struct ph_slice or_else(struct ph_slice text, struct ph_slice otherwise)
{
    return text.len > 0 ? text : otherwise;
}

/* A processor's text could move the cursor, fake a line or turn the reading direction: what is
 * not printable ASCII becomes '?'. */
static void print_text(struct ph_slice text)
{
    enum { SHOWN_MAX = 200 };
    char shown[SHOWN_MAX];
    size_t len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        shown[i] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
    }
    /* Not putchar_unlocked: TSan does not know stdout's lock, and takes its writes for races. */
    (void)fwrite(shown, 1, len, stdout);
}

static void print_amount(const struct ph_value *value)
{
    const struct ph_currency *currency = ph_currency_by_number(value->currency);
    if (currency == NULL)
        return;
    /* Digits without floating point: the sign, the major part, then as many digits as the currency
     * has. */
    uint64_t number = value->number < 0 ? 0 - (uint64_t)value->number : (uint64_t)value->number;
    uint64_t unit = 1;
    for (uint8_t i = 0; i < currency->decimals; i++)
        unit *= 10;
    printf("  %s%llu", value->number < 0 ? "-" : "", (unsigned long long)(number / unit));
    if (currency->decimals > 0)
        printf(".%0*llu", (int)currency->decimals, (unsigned long long)(number % unit));
    printf(" %s", currency->code);
}

static void print_event(const struct ph_endpoint *endpoint, const struct ph_event *event)
{
    static const enum ph_field amounts[] = {PH_F_REFUND_AMOUNT, PH_F_DISPUTE_AMOUNT, PH_F_AMOUNT,
                                            PH_F_CAPTURED_AMOUNT, PH_F_PAYMENT_AMOUNT};
    print_text(endpoint->name);
    printf("  ");
    /* The verdict first: nobody is to read what a forgery says before that. */
    print_text(or_else(ph_word_name(PH_WORDS_VERDICT, event->verdict), PH_S("?")));
    printf("  ");
    print_text(or_else(ph_word_name(PH_WORDS_EVENT_TYPE, event->event_type), PH_S("?")));
    printf("  ");
    print_text(or_else(event->id, or_else(event->dedupe_key, PH_S("-"))));
    for (size_t i = 0; i < PH_COUNTOF(amounts); i++)
        if (event->fields[amounts[i]].present) {
            print_amount(&event->fields[amounts[i]]);
            break;
        }
    if (event->type.len > 0) {
        printf("  (");
        print_text(event->type);
        printf(")");
    }
    printf("\n");
    if (event->verdict != PH_VERIFIED) {
        printf("  ");
        print_text(event->verdict_reason);
        printf("\n");
    }
}

void ph_ingress_print(const struct ph_endpoint *endpoint, const struct ph_answer *answer)
{
    flockfile(stdout);
    for (size_t i = 0; i < answer->event_count; i++)
        print_event(endpoint, &answer->events[i]);
    if (answer->error != PH_E_NONE) {
        print_text(endpoint->name);
        printf("  ");
        print_text(ph_error_code_name(answer->error));
        printf("  ");
        print_text(answer->error_message);
        printf("\n");
    }
    fflush(stdout);
    funlockfile(stdout);
}
