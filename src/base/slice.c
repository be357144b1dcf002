#include "base/slice.h"

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool ph_slice_eq_nocase(struct ph_slice a, struct ph_slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

size_t ph_slice_find(struct ph_slice s, struct ph_slice needle, size_t start)
{
    if (needle.len == 0)
        return start <= s.len ? start : SIZE_MAX;
    for (size_t i = start; i + needle.len <= s.len; i++) {
        const char *hit = memchr(s.ptr + i, needle.ptr[0], s.len - needle.len - i + 1);
        if (hit == NULL)
            return SIZE_MAX;
        i = (size_t)(hit - s.ptr);
        if (memcmp(hit, needle.ptr, needle.len) == 0)
            return i;
    }
    return SIZE_MAX;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct ph_slice ph_slice_trim(struct ph_slice s)
{
    while (s.len > 0 && is_space(s.ptr[0]))
        s = ph_slice_from(s, 1);
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}
