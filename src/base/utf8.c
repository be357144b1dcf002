#include "base/utf8.h"

size_t ph_utf8_char(struct ph_slice s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    if (s.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xc2 && p[0] < 0xe0   ? 2
                 : (p[0] & 0xf0) == 0xe0       ? 3
                 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                               : 0;
    if (len == 0 || len > s.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return len;
}

/* Bytes of ASCII at the front, counted in the strides that nearly all bodies and headers are
 * made of. */
static size_t ascii(struct ph_slice s)
{
    enum { STRIDE = 64 };
    uint64_t words[STRIDE / sizeof(uint64_t)];
    size_t at = 0;
    for (; s.len - at >= STRIDE; at += STRIDE) {
        uint64_t any = 0;
        memcpy(words, s.ptr + at, STRIDE);
        for (size_t i = 0; i < PH_COUNTOF(words); i++)
            any |= words[i];
        if ((any & 0x8080808080808080U) != 0)
            return at;
    }
    for (; s.len - at >= sizeof(words[0]); at += sizeof(words[0])) {
        memcpy(words, s.ptr + at, sizeof(words[0]));
        if ((words[0] & 0x8080808080808080U) != 0)
            return at;
    }
    return at;
}

bool ph_utf8_valid(struct ph_slice text)
{
    while (text.len > 0) {
        text = ph_slice_from(text, ascii(text));
        for (size_t i = 0; i < 8 && text.len > 0; i++) {
            size_t n = ph_utf8_char(text);
            if (n == 0)
                return false;
            text = ph_slice_from(text, n);
        }
    }
    return true;
}

struct ph_slice ph_utf8_cut(struct ph_slice text, size_t bytes_max)
{
    size_t len = text.len < bytes_max ? text.len : bytes_max;
    while (len > 0 && len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return ph_slice_of(text.ptr, len);
}

size_t ph_utf8_hidden(struct ph_slice s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    if (s.len >= 2 && p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) /* C1 */
        return 2;
    if (s.len >= 2 && p[0] == 0xd8 && p[1] == 0x9c) /* U+061C */
        return 2;
    if (s.len < 3)
        return 0;
    unsigned c = (unsigned)(p[0] & 0x0f) << 12 | (unsigned)(p[1] & 0x3f) << 6 | (p[2] & 0x3fU);
    bool three = (p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80;
    bool hidden = (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
                  (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
    return three && hidden ? 3 : 0;
}
