/* The errors of a page: collected, each once, at most PH_PAGE_ERRORS_MAX, and told in the file's
 * order. */
#include "reader/yaml.h"

struct line {
    char *ptr;
    size_t len;
};

static void put(struct line *out, struct ph_slice s)
{
    if (s.len > 0)
        memcpy(out->ptr + out->len, s.ptr, s.len);
    out->len += s.len;
}

static void put_number(struct line *out, size_t n)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    put(out, ph_slice_of(digits + at, sizeof(digits) - at));
}

/* What a page holds may be megabytes, or move a terminal's cursor: neither gets through. */
static void put_quoted(struct line *out, struct ph_slice s)
{
    size_t len = s.len;
    if (len > PH_PAGE_DETAIL_BYTES_MAX) {
        len = PH_PAGE_DETAIL_BYTES_MAX;
        while (len > 0 && ((unsigned char)s.ptr[len] & 0xc0) == 0x80)
            len--; /* not within a character */
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        out->ptr[out->len++] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
    }
    if (len < s.len)
        put(out, PH_S("…"));
}

static void note(struct ph_page_errors *errors, size_t line, size_t column, struct ph_slice text)
{
    for (size_t i = 0; i < errors->count; i++)
        if (ph_slice_eq(errors->list[i].text, text))
            return; /* variants read the same section again */
    errors->list[errors->count++] = (struct ph_page_error){line, column, text};
}

void ph_page_error(struct ph_arena *arena, struct ph_page_errors *errors, struct ph_slice file,
                   size_t line, size_t column, const struct ph_slice *parts, size_t count)
{
    enum { NUMBERS_BYTES = 48, CUT_BYTES = 4 };
    if (errors->count > PH_PAGE_ERRORS_MAX)
        return;
    size_t room = file.len + NUMBERS_BYTES;
    for (size_t i = 0; i < count; i++)
        room += parts[i].len + CUT_BYTES;
    struct line out = {.ptr = ph_arena_alloc(arena, room)};
    if (out.ptr == NULL) {
        errors->no_memory = true;
        return;
    }
    put(&out, file);
    put(&out, PH_S(":"));
    put_number(&out, line);
    put(&out, PH_S(":"));
    put_number(&out, column);
    put(&out, PH_S(": "));
    for (size_t i = 0; i < count; i++) {
        /* Our own words are the even parts; they may be longer than what is quoted. */
        if (i % 2 == 0)
            put(&out, parts[i]);
        else
            put_quoted(&out, parts[i]);
    }
    if (errors->count < PH_PAGE_ERRORS_MAX) {
        note(errors, line, column, ph_slice_of(out.ptr, out.len));
        return;
    }
    for (size_t i = 0; i < errors->count; i++)
        if (ph_slice_eq(errors->list[i].text, ph_slice_of(out.ptr, out.len)))
            return;
    out.len = 0;
    put(&out, file);
    put(&out, PH_S(": more is wrong; mend these first"));
    errors->list[errors->count++] =
        (struct ph_page_error){SIZE_MAX, SIZE_MAX, ph_slice_of(out.ptr, out.len)};
}

void ph_page_errors_sort(struct ph_page_errors *errors)
{
    for (size_t i = 1; i < errors->count; i++) {
        struct ph_page_error e = errors->list[i];
        size_t at = i;
        while (at > 0 &&
               (errors->list[at - 1].line > e.line ||
                (errors->list[at - 1].line == e.line && errors->list[at - 1].column > e.column))) {
            errors->list[at] = errors->list[at - 1];
            at--;
        }
        errors->list[at] = e;
    }
}
