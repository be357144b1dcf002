/* UTF-8 (RFC 3629): shortest forms, no surrogates, nothing above U+10FFFF. NUL is a character
 * like others. */
#ifndef PH_BASE_UTF8_H
#define PH_BASE_UTF8_H

#include "base/slice.h"

/* Bytes of the well-formed character that a text begins with; 0: none. */
size_t ph_utf8_char(struct ph_slice text);
bool ph_utf8_valid(struct ph_slice text);
/* Whether it is ASCII without NUL, as nearly all texts are; in words of which the last overlaps
 * the one before. */
static inline bool ph_utf8_plain(struct ph_slice text)
{
    const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    uint64_t v, odd = 0; /* the top bit of a byte that is 0x80 or more, or NUL */
    uint32_t front, back;
    size_t at = 0;
    if (text.len >= sizeof(v)) {
        for (; at + sizeof(v) < text.len; at += sizeof(v)) {
            memcpy(&v, text.ptr + at, sizeof(v));
            odd |= v | (v - ones);
        }
        memcpy(&v, text.ptr + text.len - sizeof(v), sizeof(v));
        return ((odd | v | (v - ones)) & tops) == 0;
    }
    if (text.len >= sizeof(front)) {
        memcpy(&front, text.ptr, sizeof(front)),
            memcpy(&back, text.ptr + text.len - sizeof(back), sizeof(back));
        v = (uint64_t)front << 32 | back;
        return ((v | (v - ones)) & tops) == 0;
    }
    for (; at < text.len; at++)
        if ((unsigned char)(text.ptr[at] - 1) >= 0x7f)
            return false;
    return true;
}
/* As much of the front as fits into that many bytes without cutting a character in two. */
struct ph_slice ph_utf8_cut(struct ph_slice text, size_t bytes_max);
/* Bytes of the character that a text begins with, where it is one that acts on a terminal or
 * hides: C1 controls, what turns the direction of writing, line separators, what has no width.
 * 0: it is none. */
size_t ph_utf8_hidden(struct ph_slice text);

#endif
