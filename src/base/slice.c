#include "base/slice.h"

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Eight bytes at once: below 0x80 a byte's top bit is free to tell whether it passed 'A' and
 * whether it passed 'Z'. */
static uint64_t lower8(const char *p)
{
    const uint64_t ones = 0x0101010101010101U, tops = ones * 0x80;
    uint64_t v;
    memcpy(&v, p, sizeof(v));
    uint64_t low = v & ~tops, from_a = low + ones * (0x80 - 'A'),
             after_z = low + ones * (0x7f - 'Z');
    return v | ((from_a & ~after_z & ~v & tops) >> 2);
}

bool ph_slice_eq_nocase(struct ph_slice a, struct ph_slice b)
{
    size_t i = 0;
    if (a.len != b.len)
        return false;
    if (ph_bytes_eq(a.ptr, b.ptr, a.len)) /* most write a name as its owner does */
        return true;
    for (; a.len - i >= 8; i += 8)
        if (lower8(a.ptr + i) != lower8(b.ptr + i))
            return false;
    if (a.len >= 8) /* the last eight, some of them once more */
        return lower8(a.ptr + a.len - 8) == lower8(b.ptr + a.len - 8);
    for (; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

size_t ph_slice_find(struct ph_slice s, struct ph_slice needle, size_t start)
{
    if (needle.len == 0)
        return start <= s.len ? start : SIZE_MAX;
    if (needle.len == 1) { /* as of nearly all lists */
        const char *hit =
            start < s.len ? memchr(s.ptr + start, needle.ptr[0], s.len - start) : NULL;
        return hit != NULL ? (size_t)(hit - s.ptr) : SIZE_MAX;
    }
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
