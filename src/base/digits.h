/* Decimal digits to a number, eight at once: what amounts and times are written in. */
#ifndef PH_BASE_DIGITS_H
#define PH_BASE_DIGITS_H

#include <endian.h>

#include "base/slice.h"

enum { PH_DIGITS_MAX = 18 }; /* any so many fit into 63 bits */

/* Eight digits; false: a byte is none. Neighbours are added up: digits to pairs, pairs to fours,
 * fours to eight. */
static inline bool ph_digits8(const char *text, uint64_t *ret)
{
    const uint64_t ones = 0x0101010101010101U, tops = ones * 0x80;
    uint64_t v;
    memcpy(&v, text, sizeof(v));
    v = le64toh(v) ^ ones * '0'; /* of a digit its value, of any other byte more than nine */
    if (((v | (v + ones * (0x80 - 10))) & tops) != 0)
        return false;
    v = (v * 10 + (v >> 8)) & 0x00ff00ff00ff00ffU;
    v = (v * 100 + (v >> 16)) & 0x0000ffff0000ffffU;
    *ret = (v * 10000 + (v >> 32)) & 0xffffffffU;
    return true;
}

/* The same of four. */
static inline bool ph_digits4(const char *text, uint64_t *ret)
{
    const uint32_t ones = 0x01010101U, tops = ones * 0x80;
    uint32_t v;
    memcpy(&v, text, sizeof(v));
    v = le32toh(v) ^ ones * '0';
    if (((v | (v + ones * (0x80 - 10))) & tops) != 0)
        return false;
    v = (v * 10 + (v >> 8)) & 0x00ff00ffU;
    *ret = (v * 100 + (v >> 16)) & 0xffffU;
    return true;
}

/* One to PH_DIGITS_MAX digits and nothing else. */
static inline bool ph_digits(struct ph_slice text, int64_t *ret)
{
    uint64_t value = 0, more;
    size_t at = 0;
    if (text.len == 0 || text.len > PH_DIGITS_MAX)
        return false;
    for (; text.len - at >= 8; at += 8) {
        if (!ph_digits8(text.ptr + at, &more))
            return false;
        value = value * 100000000 + more;
    }
    if (text.len - at >= 4) {
        if (!ph_digits4(text.ptr + at, &more))
            return false;
        value = value * 10000 + more;
        at += 4;
    }
    for (; at < text.len; at++) {
        unsigned digit = (unsigned char)text.ptr[at] - (unsigned)'0';
        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    *ret = (int64_t)value;
    return true;
}

#endif
