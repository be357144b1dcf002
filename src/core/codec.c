#include "core/codec.h"

#include "base/digits.h"
#include "base/limits.h"

/* Values of hex digits, marked as such; 0: none. */
enum { HEX = 0x10 };
#define HEX_DIGITS                                                                                 \
    ['0'] = HEX | 0, ['1'] = HEX | 1, ['2'] = HEX | 2, ['3'] = HEX | 3, ['4'] = HEX | 4,           \
    ['5'] = HEX | 5, ['6'] = HEX | 6, ['7'] = HEX | 7, ['8'] = HEX | 8, ['9'] = HEX | 9,           \
    ['a'] = HEX | 10, ['b'] = HEX | 11, ['c'] = HEX | 12, ['d'] = HEX | 13, ['e'] = HEX | 14,      \
    ['f'] = HEX | 15
static const unsigned char hex_lower[256] = {HEX_DIGITS};
static const unsigned char hex_any[256] = {
    HEX_DIGITS,       ['A'] = HEX | 10, ['B'] = HEX | 11, ['C'] = HEX | 12,
    ['D'] = HEX | 13, ['E'] = HEX | 14, ['F'] = HEX | 15};

/* Sixteen hex digits to eight bytes; false: a byte is none. */
static bool hex16(const char *text, bool lower_only, char *out)
{
    typedef uint8_t sixteen __attribute__((vector_size(16)));
    typedef uint16_t pairs __attribute__((vector_size(16)));
    typedef uint8_t eight __attribute__((vector_size(8)));
    sixteen v;
    memcpy(&v, text, sizeof(v));
    sixteen digit = v - '0', letter = (lower_only ? v : v | 0x20) - 'a';
    sixteen is_digit = (sixteen)(digit <= 9), is_letter = (sixteen)(letter <= 5),
            is_none = ~(is_digit | is_letter);
    pairs values = (pairs)((digit & is_digit) | ((letter + 10) & is_letter));
    /* The first of two digits is the upper half of its byte, and the lower one of its pair where
     * that is how bytes lie. */
    pairs bytes = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? (values << 4 | values >> 8) & 0xff
                                                            : (values >> 4 | values) & 0xff;
    eight packed = __builtin_convertvector(bytes, eight);
    uint64_t none[2];
    memcpy(none, &is_none, sizeof(none));
    memcpy(out, &packed, sizeof(packed));
    return (none[0] | none[1]) == 0;
}

bool ph_hex_decode(struct ph_arena *arena, struct ph_slice in, bool lower_only,
                   struct ph_slice *ret)
{
    const unsigned char *digits = lower_only ? hex_lower : hex_any;
    if (in.len % 2 != 0)
        return false;
    char *out = ph_arena_alloc(arena, in.len / 2 + 1);
    if (out == NULL)
        return false;
    size_t i = 0;
    for (; in.len - i >= 16; i += 16)
        if (!hex16(in.ptr + i, lower_only, out + i / 2))
            return false;
    for (; i < in.len; i += 2) {
        unsigned high = digits[(unsigned char)in.ptr[i]],
                 low = digits[(unsigned char)in.ptr[i + 1]];
        if ((high & low & HEX) == 0)
            return false;
        out[i / 2] = (char)(unsigned char)(high << 4 ^ low ^ HEX);
    }
    *ret = ph_slice_of(out, in.len / 2);
    return true;
}

bool ph_hex_encode(struct ph_arena *arena, struct ph_slice in, struct ph_slice *ret)
{
    static const char digits[] = "0123456789abcdef";
    char *out = ph_arena_alloc(arena, in.len * 2 + 1);
    if (out == NULL)
        return false;
    for (size_t i = 0; i < in.len; i++) {
        unsigned char byte = (unsigned char)in.ptr[i];
        out[2 * i] = digits[byte >> 4];
        out[2 * i + 1] = digits[byte & 15];
    }
    *ret = ph_slice_of(out, in.len * 2);
    return true;
}

static int base64_digit(char c, bool url, bool lenient)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if ((c == '+' && (!url || lenient)) || (c == '-' && (url || lenient)))
        return 62;
    if ((c == '/' && (!url || lenient)) || (c == '_' && (url || lenient)))
        return 63;
    return -1;
}

bool ph_base64_decode(struct ph_arena *arena, struct ph_slice in, bool url, bool lenient,
                      struct ph_slice *ret)
{
    char *out = ph_arena_alloc(arena, in.len / 4 * 3 + 4);
    if (out == NULL)
        return false;
    uint32_t bits = 0;
    size_t held = 0, written = 0, digits = 0, pads = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        if (lenient && (c == ' ' || c == '\n' || c == '\r' || c == '\t'))
            continue;
        if (c == '=') {
            pads++;
            continue;
        }
        int digit = base64_digit(c, url, lenient);
        if (digit < 0 || pads > 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        digits++;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[written++] = (char)(bits >> held & 0xff);
            bits &= (1U << held) - 1;
        }
    }
    if (digits % 4 == 1 || pads > 2 || (pads > 0 && (digits + pads) % 4 != 0))
        return false;
    if (!lenient && bits != 0)
        return false;
    *ret = ph_slice_of(out, written);
    return true;
}

bool ph_base64_encode(struct ph_arena *arena, struct ph_slice in, bool url, bool pad,
                      struct ph_slice *ret)
{
    const char *digits = url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                             : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = ph_arena_alloc(arena, in.len / 3 * 4 + 8);
    if (out == NULL)
        return false;
    size_t written = 0;
    for (size_t i = 0; i < in.len; i += 3) {
        size_t have = in.len - i < 3 ? in.len - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < have ? (unsigned char)in.ptr[i + k] : 0U);
        for (size_t k = 0; k < 4; k++) {
            if (k <= have)
                out[written++] = digits[bits >> (18 - 6 * k) & 63];
            else if (pad)
                out[written++] = '=';
        }
    }
    *ret = ph_slice_of(out, written);
    return true;
}

bool ph_percent_decode(struct ph_arena *arena, struct ph_slice in, bool form, struct ph_slice *ret)
{
    if (in.len == 0 ||
        (memchr(in.ptr, '%', in.len) == NULL && (!form || memchr(in.ptr, '+', in.len) == NULL))) {
        *ret = in.ptr != NULL ? in : PH_S("");
        return true;
    }
    char *out = ph_arena_alloc(arena, in.len + 1);
    if (out == NULL)
        return false;
    size_t written = 0;
    for (size_t i = 0; i < in.len; i++) {
        char c = in.ptr[i];
        unsigned high = 0, low = 0;
        if (c == '%' && i + 2 < in.len) {
            high = hex_any[(unsigned char)in.ptr[i + 1]];
            low = hex_any[(unsigned char)in.ptr[i + 2]];
        }
        if (high != 0 && low != 0) {
            c = (char)(unsigned char)(high << 4 ^ low ^ HEX);
            i += 2;
        } else if (form && c == '+') {
            c = ' ';
        }
        out[written++] = c;
    }
    *ret = ph_slice_of(out, written);
    return true;
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

bool ph_percent_encode(struct ph_arena *arena, struct ph_slice in, struct ph_slice *ret)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = ph_arena_alloc(arena, in.len * 3 + 1);
    if (out == NULL)
        return false;
    size_t written = 0;
    for (size_t i = 0; i < in.len; i++) {
        unsigned char c = (unsigned char)in.ptr[i];
        if (is_unreserved(c)) {
            out[written++] = (char)c;
        } else {
            out[written++] = '%';
            out[written++] = digits[c >> 4];
            out[written++] = digits[c & 15];
        }
    }
    *ret = ph_slice_of(out, written);
    return true;
}

bool ph_json_escape(struct ph_arena *arena, struct ph_slice in, struct ph_slice *ret)
{
    static const char digits[] = "0123456789abcdef";
    char *out = ph_arena_alloc(arena, in.len * 6 + 1);
    if (out == NULL)
        return false;
    size_t written = 0;
    for (size_t i = 0; i < in.len; i++) {
        unsigned char c = (unsigned char)in.ptr[i];
        if (c == '"' || c == '\\') {
            out[written++] = '\\';
            out[written++] = (char)c;
        } else if (c >= '\b' && c <= '\r' && c != '\v') {
            out[written++] = '\\';
            out[written++] = "btn?fr"[c - '\b'];
        } else if (c < 0x20) {
            memcpy(out + written, "\\u00", 4);
            out[written + 4] = digits[c >> 4];
            out[written + 5] = digits[c & 15];
            written += 6;
        } else {
            out[written++] = (char)c;
        }
    }
    *ret = ph_slice_of(out, written);
    return true;
}

uint32_t ph_crc32(struct ph_slice in)
{
    /* Four bits at a time: 16 words of table, quick enough for the one processor that needs it. */
    static const uint32_t table[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < in.len; i++) {
        crc ^= (unsigned char)in.ptr[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

struct ph_slice ph_decimal(struct ph_arena *arena, int64_t number)
{
    enum { DIGITS_MAX = 20 };
    char *out = ph_arena_alloc(arena, DIGITS_MAX + 1);
    if (out == NULL)
        return (struct ph_slice){0};
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    size_t at = DIGITS_MAX + 1;
    do {
        out[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        out[--at] = '-';
    return ph_slice_of(out + at, DIGITS_MAX + 1 - at);
}

bool ph_parse_int64(struct ph_slice text, int64_t *ret)
{
    if (ph_digits(text, ret)) /* as nearly all are */
        return true;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    size_t start = negative ? 1 : 0;
    if (text.len == start)
        return false;
    int64_t value = 0;
    for (size_t i = start; i < text.len; i++) {
        char c = text.ptr[i];
        if (c < '0' || c > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, c - '0', &value)) /* downwards: INT64_MIN fits too */
            return false;
    }
    if (!negative && __builtin_mul_overflow(value, -1, &value))
        return false;
    *ret = value;
    return true;
}

size_t ph_json_too_deep(struct ph_slice text)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > PH_DEPTH_MAX)
                return i;
        } else if (c == '}' || c == ']') {
            if (depth > 0)
                depth--;
        }
    }
    return SIZE_MAX;
}
