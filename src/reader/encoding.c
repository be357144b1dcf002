/* A page's bytes before YAML sees them: UTF-8, and nothing that shows as something else than it
 * is. The YAML library would guess UTF-16 from a byte order mark, count NEL as a line and point
 * elsewhere. */
#include "reader/yaml.h"

/* The character at s, and its bytes; 0 bytes: not UTF-8 (RFC 3629: no overlong forms, no
 * surrogates). */
static size_t character(struct ph_slice s, uint32_t *ret)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    uint32_t c = p[0], least;
    size_t more;
    if (c < 0x80) {
        *ret = c;
        return 1;
    }
    if (c >= 0xc2 && c < 0xe0)
        more = 1, least = 0x80, c &= 0x1f;
    else if (c >= 0xe0 && c < 0xf0)
        more = 2, least = 0x800, c &= 0x0f;
    else if (c >= 0xf0 && c < 0xf5)
        more = 3, least = 0x10000, c &= 0x07;
    else
        return 0;
    if (s.len <= more)
        return 0;
    for (size_t i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fU);
    }
    if (c < least || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *ret = c;
    return more + 1;
}

static const char *wrong_with(uint32_t c, bool before_line_feed, bool first)
{
    if (c == 0)
        return "a NUL byte; a page is text";
    if (c == '\t')
        return "a tab; indent and separate by blanks (in double quotes \\t stands for one)";
    if (c == '\r' && !before_line_feed)
        return "a carriage return without a line feed; end lines with LF";
    if ((c < 0x20 && c != '\n' && c != '\r') || (c >= 0x7f && c < 0xa0))
        return "a control character; a page is text";
    if (c == 0x2028 || c == 0x2029)
        return "a Unicode line separator; end lines with LF";
    if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
        return "a character that turns the direction of writing: the page would not read as it "
               "shows";
    if (c == 0xfeff && !first)
        return "a byte order mark in the middle of the page";
    return NULL;
}

bool ph_yaml_encoding_ok(struct ph_arena *arena, struct ph_slice file, struct ph_slice text,
                         struct ph_page_errors *errors)
{
    size_t line = 1, column = 1;
    bool good = true;
    for (size_t i = 0; i < text.len && errors->count < PH_PAGE_ERRORS_MAX;) {
        uint32_t c = 0;
        size_t bytes = character(ph_slice_from(text, i), &c);
        bool before_line_feed = i + 1 < text.len && text.ptr[i + 1] == '\n';
        const char *what = bytes == 0 ? "not UTF-8; save the page as UTF-8"
                                      : wrong_with(c, before_line_feed, i == 0);
        if (what != NULL) {
            struct ph_slice part = ph_slice_str(what);
            ph_page_error(arena, errors, file, line, column, &part, 1);
            good = false;
        }
        if (bytes == 0)
            return false; /* what follows cannot be counted in characters */
        i += bytes;
        column += c != 0xfeff;
        if (c == '\n') {
            line++;
            column = 1;
        }
    }
    return good;
}
