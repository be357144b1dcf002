#include "base/utf8.h"

size_t ph_utf8_char(struct ph_slice s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    if (s.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (len == 0 || len > s.len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return len;
}

/* Bytes of ASCII at the front, counted in the strides that nearly all bodies and headers are made of. */
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
