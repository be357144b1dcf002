/* Decimal texts to whole numbers, exactly: no floats, nothing rounded, nothing wrapped around. */
#include "base/digits.h"
#include "core/value.h"

/* A number as read: digits * 10^exponent, the digits without zeros at the end. */
struct decimal {
    int64_t digits; /* kept negative: the most negative number fits too */
    int exponent;
    int zeros; /* met, not yet in `digits` */
    bool any, too_large;
};

static void take_digit(struct decimal *d, char c)
{
    d->any = true;
    if (c == '0') {
        d->zeros++;
        return;
    }
    for (int i = 0; i <= d->zeros && !d->too_large; i++)
        d->too_large = d->digits != 0 && __builtin_mul_overflow(d->digits, 10, &d->digits);
    if (__builtin_sub_overflow(d->digits, c - '0', &d->digits))
        d->too_large = true;
    d->zeros = 0;
}

/* Digits with "," between groups of three, if any. False: commas elsewhere ("12,50" is not
 * 1250). */
static bool take_whole(struct decimal *d, struct ph_slice text, size_t *at)
{
    size_t group = 0, commas = 0;
    for (; *at < text.len; (*at)++) {
        char c = text.ptr[*at];
        if (c >= '0' && c <= '9') {
            take_digit(d, c);
            group++;
        } else if (c == ',') {
            if (group == 0 || group > 3 || (commas > 0 && group != 3))
                return false;
            commas++;
            group = 0;
        } else {
            break;
        }
    }
    return commas == 0 || group == 3;
}

/* "e+02" and the like, as JSON numbers may end. */
static bool take_exponent(struct decimal *d, struct ph_slice text, size_t *at)
{
    enum { EXPONENT_MAX = 99 };
    if (*at == text.len || (text.ptr[*at] != 'e' && text.ptr[*at] != 'E'))
        return true;
    int value = 0, sign = 1;
    size_t digits = 0;
    (*at)++;
    if (*at < text.len && (text.ptr[*at] == '+' || text.ptr[*at] == '-'))
        sign = text.ptr[(*at)++] == '-' ? -1 : 1;
    for (; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; (*at)++, digits++)
        value = value > EXPONENT_MAX ? value : value * 10 + (text.ptr[*at] - '0');
    d->exponent += sign * value;
    return digits > 0 && value <= EXPONENT_MAX;
}

PH_COLD static enum ph_exact parse_decimal(struct ph_slice text, int shift, int64_t *ret)
{
    struct decimal d = {0};
    text = ph_slice_trim(text);
    bool negative = text.len > 0 && text.ptr[0] == '-';
    size_t at = negative ? 1 : 0;
    if (!take_whole(&d, text, &at))
        return PH_EXACT_NOT_A_NUMBER;
    if (at < text.len && text.ptr[at] == '.') {
        size_t dot = ++at;
        for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++)
            take_digit(&d, text.ptr[at]);
        /* A fraction longer than a body's limit cannot be: the difference fits. */
        d.exponent -= (int)(at - dot);
    }
    if (!d.any || !take_exponent(&d, text, &at) || at != text.len)
        return PH_EXACT_NOT_A_NUMBER;
    if (d.too_large)
        return PH_EXACT_TOO_LARGE;
    int power = d.digits == 0 ? 0 : d.exponent + d.zeros + shift;
    if (power < 0)
        return PH_EXACT_NEEDS_ROUNDING;
    for (; power > 0; power--)
        if (__builtin_mul_overflow(d.digits, 10, &d.digits))
            return PH_EXACT_TOO_LARGE;
    if (!negative && __builtin_mul_overflow(d.digits, -1, &d.digits))
        return PH_EXACT_TOO_LARGE;
    *ret = d.digits;
    return PH_EXACT_OK;
}

enum ph_exact ph_parse_exact(struct ph_slice text, int shift, int64_t *ret)
{
    static const int64_t powers[] = {1, 10, 100, 1000};
    enum { SAFE_DIGITS = PH_DIGITS_MAX - 3 };
    int64_t whole;
    /* Digits alone, too few to overflow, are what nearly all amounts and times are. */
    if (shift < 0 || (size_t)shift >= PH_COUNTOF(powers) || text.len > SAFE_DIGITS ||
        !ph_digits(text, &whole))
        return parse_decimal(text, shift, ret);
    *ret = whole * powers[shift];
    return PH_EXACT_OK;
}
