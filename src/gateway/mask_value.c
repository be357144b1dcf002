/* Card numbers, e-mail addresses and encoded documents in a text. Each character is looked at a
 * bounded number of times. */
#include "gateway/mask_private.h"

enum { DIGITS_MAX = 19, KEPT = 4 };

static int hex(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* `count` hex digits at `at`; -1: they are not. */
static int32_t hex_at(struct ph_slice text, size_t at, size_t count)
{
    int32_t value = 0;
    if (at > text.len || text.len - at < count)
        return -1;
    for (size_t i = 0; i < count; i++) {
        int digit = hex((unsigned char)text.ptr[at + i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static unsigned char ascii(int32_t code)
{
    return code < 0 || code > 0x7f ? 0x80 : (unsigned char)code;
}

/* &#64; or &#x40; */
static struct ph_mask_unit entity_at(struct ph_slice text, size_t at)
{
    enum { LONGEST = 10 };
    int32_t code = 0;
    bool is_hex = at + 2 < text.len && (text.ptr[at + 2] | 0x20) == 'x';
    size_t i = at + (is_hex ? 3 : 2), first = i;
    for (; i < text.len && i < at + LONGEST && text.ptr[i] != ';'; i++) {
        int digit = hex((unsigned char)text.ptr[i]);
        if (digit < 0 || (!is_hex && digit > 9))
            return (struct ph_mask_unit){'&', 1};
        if (code <= 0x10ffff)
            code = code * (is_hex ? 16 : 10) + digit;
    }
    if (i == first || i >= text.len || text.ptr[i] != ';')
        return (struct ph_mask_unit){'&', 1};
    return (struct ph_mask_unit){ascii(code), i + 1 - at};
}

struct ph_mask_unit ph_mask_unit_at(struct ph_slice text, size_t at)
{
    unsigned char c = (unsigned char)text.ptr[at],
                  next = at + 1 < text.len ? (unsigned char)text.ptr[at + 1] : 0;
    int32_t code;
    if (c == '\\' && next == 'u' && (code = hex_at(text, at + 2, 4)) >= 0)
        return (struct ph_mask_unit){ascii(code), 6};
    if (c == '\\' && next != 0 && !(next >= '0' && next <= '9')) /* no escape has a digit there */
        return (struct ph_mask_unit){0, 2};
    if (c == '%' && (code = hex_at(text, at + 1, 2)) >= 0)
        return (struct ph_mask_unit){ascii(code), 3};
    if (c == '&' && next == '#')
        return entity_at(text, at);
    return (struct ph_mask_unit){c < 0x80 ? c : 0x80, 1};
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(unsigned char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == 0x80;
}

/* ---- cards ----------------------------------------------------------------------------------- */

static bool luhn(const unsigned char *digits, size_t count)
{
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned digit = digits[count - 1 - i] - (unsigned)'0';
        if (i % 2 == 1)
            digit = digit < 5 ? digit * 2 : digit * 2 - 9;
        sum += digit;
    }
    return sum % 10 == 0;
}

/* ISO/IEC 7812-1: the first digits of who issues cards, and how long their numbers are. What begins
 * otherwise is no card whatever its check digit, but a processor's reference (Adyen's 88…,
 * Novalnet's 14…), which people search by, or a time. */
static const struct scheme {
    struct ph_slice first;
    size_t least, most;
} schemes[] = {
    {PH_SI("1"), 15, 15},                           /* UATP */
    {PH_SI("1946"), 16, 16},                        /* GPN */
    {PH_SI("2"), 16, 19},                           /* Mastercard, Mir */
    {PH_SI("3"), 14, 19},                           /* American Express, Diners, JCB */
    {PH_SI("4"), 13, 19},    {PH_SI("5"), 13, 19},  /* Visa; Mastercard, Maestro */
    {PH_SI("6"), 13, 19},                           /* Discover, Maestro, UnionPay */
    {PH_SI("70"), 16, 19},                          /* fuel cards */
    {PH_SI("81"), 16, 19},   {PH_SI("82"), 16, 19}, /* UnionPay; RuPay */
    {PH_SI("86"), 16, 16},   {PH_SI("9"), 16, 19},  /* Uzcard; Troy, Napas, Humo … */
};

static bool is_card(const unsigned char *digits, size_t count)
{
    const struct ph_slice number = ph_slice_of(digits, count);
    bool issued = false;
    for (size_t i = 0; i < PH_COUNTOF(schemes); i++)
        issued = issued || (count >= schemes[i].least && count <= schemes[i].most &&
                            ph_slice_starts(number, schemes[i].first));
    return issued && luhn(digits, count);
}

/* Groups of digits that begin at `at`, joined by single spaces or dashes: the longest that is a
 * card. Gives its end; 0: none. */
static size_t card_at(struct ph_slice text, size_t at, size_t *ret_digits)
{
    unsigned char digits[DIGITS_MAX];
    size_t count = 0, end = 0, i = at;
    while (i < text.len) {
        struct ph_mask_unit unit = ph_mask_unit_at(text, i);
        if (is_digit(unit.c)) {
            if (count == DIGITS_MAX)
                return end;
            digits[count++] = unit.c;
            i += unit.width;
            struct ph_mask_unit next =
                i < text.len ? ph_mask_unit_at(text, i) : (struct ph_mask_unit){0, 1};
            if (!is_digit(next.c) && is_card(digits, count)) {
                end = i;
                *ret_digits = count;
            }
        } else if (count > 0 && (unit.c == ' ' || unit.c == '-' || unit.c == '+') &&
                   i + unit.width < text.len && is_digit(ph_mask_unit_at(text, i + unit.width).c)) {
            i += unit.width;
        } else {
            return end;
        }
    }
    return end;
}

static void put_card(struct ph_mask_out *out, struct ph_slice text, size_t at, size_t end,
                     size_t digits)
{
    while (at < end) {
        struct ph_mask_unit unit = ph_mask_unit_at(text, at);
        if (!is_digit(unit.c))
            ph_mask_put(out, ph_slice_of(text.ptr + at, unit.width));
        else
            ph_mask_put_byte(out, digits-- > KEPT ? '*' : (char)unit.c);
        at += unit.width;
    }
}

bool ph_mask_card_number(struct ph_mask_out *out, struct ph_slice number)
{
    size_t count = 0;
    for (size_t i = 0; i < number.len; i++) {
        bool first = is_digit((unsigned char)number.ptr[i]) &&
                     (i == 0 || !is_digit((unsigned char)number.ptr[i - 1]));
        if (!first || card_at(number, i, &count) == 0)
            continue;
        ph_mask_put_byte(out, '"');
        ph_mask_value(out, number);
        ph_mask_put_byte(out, '"');
        return true;
    }
    return false;
}

/* ---- ids ------------------------------------------------------------------------------------- */

/* How many hex digits stand between dashes: a UUID's, a traceparent's (W3C Trace Context, 3.2). */
static const struct shape {
    size_t groups[5]; /* 0: no more */
} shapes[] = {{{8, 4, 4, 4, 12}}, {{2, 32, 16, 2}}};

/* An id of that shape that begins at `at`; gives its end, 0: none. A letter is in it: digits alone
 * might be anything. */
static size_t shape_at(struct ph_slice text, size_t at, const struct shape *shape)
{
    bool letter = false;
    for (size_t g = 0; g < PH_COUNTOF(shape->groups) && shape->groups[g] > 0; g++) {
        if (g > 0 && (at >= text.len || text.ptr[at++] != '-'))
            return 0;
        for (size_t i = 0; i < shape->groups[g]; i++, at++) {
            if (at >= text.len || hex((unsigned char)text.ptr[at]) < 0)
                return 0;
            letter = letter || !is_digit((unsigned char)text.ptr[at]);
        }
    }
    return letter && (at == text.len || !is_word((unsigned char)text.ptr[at])) ? at : 0;
}

/* Parts of it may look like a card. */
static size_t id_at(struct ph_slice text, size_t at)
{
    size_t end = 0;
    for (size_t i = 0; i < PH_COUNTOF(shapes) && end == 0; i++)
        end = shape_at(text, at, &shapes[i]);
    return end;
}

/* ---- e-mail ---------------------------------------------------------------------------------- */

static bool is_local(unsigned char c)
{
    return is_word(c) || (c != 0 && strchr("._+-'~/#$*!", c) != NULL);
}

/* An address that begins at `at`; gives its end, 0: none, and *ret_run where its first part ends in
 * either case. */
static size_t address_at(struct ph_slice text, size_t at, size_t *ret_run)
{
    size_t i = at, host;
    struct ph_mask_unit unit = {0};
    while (i < text.len && is_local((unit = ph_mask_unit_at(text, i)).c))
        i += unit.width;
    *ret_run = i;
    if (i == at || i >= text.len || unit.c != '@')
        return 0;
    for (host = i += unit.width; i < text.len; i += unit.width) {
        unit = ph_mask_unit_at(text, i);
        if (!is_word(unit.c) && unit.c != '.' && unit.c != '-')
            break;
    }
    return i > host ? i : 0;
}

static void put_address(struct ph_mask_out *out, struct ph_slice text, size_t at, size_t end)
{
    for (struct ph_mask_unit unit; at < end; at += unit.width) {
        unit = ph_mask_unit_at(text, at);
        if (unit.c == '@' || unit.c == '.')
            ph_mask_put(out, ph_slice_of(text.ptr + at, unit.width));
        else if (unit.c != 0x80 ||
                 ((unsigned char)text.ptr[at] & 0xc0) != 0x80) /* one star for one character */
            ph_mask_put_byte(out, '*');
    }
}

/* ---- all ------------------------------------------------------------------------------------- */

static bool is_base64url(unsigned char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_';
}

/* A JWS or JWE in its compact form (RFC 7515, 7516): three or five parts with points between them,
 * of which the first is a JSON object, in base64url. The middle ones may be empty. Gives its end,
 * 0: none. */
static size_t jwt_at(struct ph_slice text, size_t at)
{
    enum { PARTS_LEAST = 3, PARTS_MOST = 5, HEADER_LEAST = 12 }; /* {"alg":"x"} takes 15 */
    size_t parts = 0, end = 0;
    if (!ph_slice_starts(ph_slice_from(text, at), PH_S("eyJ")))
        return 0;
    while (parts < PARTS_MOST) {
        size_t begin = at;
        while (at < text.len && is_base64url((unsigned char)text.ptr[at]))
            at++;
        if (parts == 0 && at - begin < HEADER_LEAST)
            return 0;
        if (++parts >= PARTS_LEAST && at > begin)
            end = at;
        if (at == text.len || text.ptr[at] != '.')
            break;
        at++;
    }
    return end;
}

bool ph_mask_is_encoded(struct ph_slice text)
{
    enum { LEAST = 24 };
    /* What a document's first bytes become: {" and blanks, [{, <?, and < with a letter. */
    static const struct ph_slice begins[] = {PH_SI("eyJ"), PH_SI("eyA"), PH_SI("ewo"), PH_SI("ew0"),
                                             PH_SI("W3s"), PH_SI("PD9"), PH_SI("PG"),  PH_SI("PH")};
    bool found = false;
    if (text.len < LEAST)
        return false;
    for (size_t i = 0; i < PH_COUNTOF(begins); i++)
        found = found || ph_slice_starts(text, begins[i]);
    for (size_t i = 0; found && i < text.len;) {
        struct ph_mask_unit unit = ph_mask_unit_at(text, i);
        if (!is_word(unit.c) && unit.c != 0 && strchr("+/=-_. \r\n", unit.c) == NULL)
            return false;
        i += unit.width;
    }
    return found;
}

void ph_mask_value(struct ph_mask_out *out, struct ph_slice text)
{
    size_t i = 0, run_end = 0, plain = 0, digits = 0;
    unsigned char before = 0;
    while (i < text.len) {
        struct ph_mask_unit unit = ph_mask_unit_at(text, i);
        size_t end = 0;
        bool card = false, jwt = false;
        if (unit.c == 'e' && !is_base64url(before))
            jwt = (end = jwt_at(text, i)) > 0;
        if (!jwt && i >= run_end && is_local(unit.c))
            end = address_at(text, i, &run_end);
        size_t id_end = end == 0 && !is_word(before) ? id_at(text, i) : 0;
        if (id_end > 0) {
            i = id_end;
            before = (unsigned char)text.ptr[i - 1];
            continue;
        }
        if (end == 0 && is_digit(unit.c) && !is_digit(before))
            card = (end = card_at(text, i, &digits)) > 0;
        if (end == 0) {
            i += unit.width;
            before = unit.c;
            continue;
        }
        ph_mask_put(out, ph_slice_of(text.ptr + plain, i - plain));
        if (jwt)
            ph_mask_put(out, PH_MASK_STARS);
        else if (card)
            put_card(out, text, i, end, digits);
        else
            put_address(out, text, i, end);
        i = plain = run_end = end;
        before = 0;
    }
    ph_mask_put(out, ph_slice_of(text.ptr + plain, text.len - plain));
}
