/* Slices: bytes that somebody else owns. Parsers point into their input and copy nothing; whoever
 * made the bytes says how long they live (usually: as long as the request's arena). */
#ifndef PH_BASE_SLICE_H
#define PH_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* `len` bytes at `ptr`, not terminated. ptr may be NULL only when len is 0: "absent". An empty text
 * that is present has a non-NULL ptr. */
struct ph_slice {
    const char *ptr;
    size_t len;
};

/* A constant slice of a string literal: PH_S("abc"). */
#define PH_S(literal)                                                                              \
    (struct ph_slice)                                                                              \
    {                                                                                              \
        .ptr = "" literal "", .len = sizeof(literal) - 1                                           \
    }
/* The same as an initialiser in const tables: PH_SI("abc"). */
/* clang-format off */
#define PH_SI(literal) {.ptr = "" literal "", .len = sizeof(literal) - 1}
/* clang-format on */

#define PH_COUNTOF(array) (sizeof(array) / sizeof((array)[0]))

static inline struct ph_slice ph_slice_of(const void *ptr, size_t len)
{
    return (struct ph_slice){.ptr = ptr, .len = len};
}

static inline struct ph_slice ph_slice_str(const char *text)
{
    return (struct ph_slice){.ptr = text, .len = text != NULL ? strlen(text) : 0};
}

static inline bool ph_slice_present(struct ph_slice s)
{
    return s.ptr != NULL;
}

/* Whether `len` bytes are the same. Names are short: two loads that overlap beat a call. Not for
 * secrets. */
static inline bool ph_bytes_eq(const char *a, const char *b, size_t len)
{
    uint64_t a8, b8, c8, d8;
    uint32_t a4, b4, c4, d4;
    if (len > 16)
        return memcmp(a, b, len) == 0;
    if (len >= 8) {
        memcpy(&a8, a, 8), memcpy(&b8, b, 8), memcpy(&c8, a + len - 8, 8),
            memcpy(&d8, b + len - 8, 8);
        return ((a8 ^ b8) | (c8 ^ d8)) == 0;
    }
    if (len >= 4) {
        memcpy(&a4, a, 4), memcpy(&b4, b, 4), memcpy(&c4, a + len - 4, 4),
            memcpy(&d4, b + len - 4, 4);
        return ((a4 ^ b4) | (c4 ^ d4)) == 0;
    }
    return len == 0 || (a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1]);
}

static inline bool ph_slice_eq(struct ph_slice a, struct ph_slice b)
{
    return a.len == b.len && ph_bytes_eq(a.ptr, b.ptr, a.len);
}

static inline bool ph_slice_starts(struct ph_slice s, struct ph_slice prefix)
{
    return s.len >= prefix.len && ph_bytes_eq(s.ptr, prefix.ptr, prefix.len);
}

static inline struct ph_slice ph_slice_from(struct ph_slice s, size_t start)
{
    return (struct ph_slice){.ptr = s.ptr + start, .len = s.len - start};
}

/* ASCII letters compare equal in any case; other bytes as they are. */
bool ph_slice_eq_nocase(struct ph_slice a, struct ph_slice b);

/* Index of the first `needle` in `s` at or after `start`, or SIZE_MAX. An empty needle is found at
 * once. */
size_t ph_slice_find(struct ph_slice s, struct ph_slice needle, size_t start);

static inline bool ph_is_space(char c)
{
    return (unsigned char)c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

/* `s` without ASCII white space at both ends. */
static inline struct ph_slice ph_slice_trim(struct ph_slice s)
{
    while (s.len > 0 && ph_is_space(s.ptr[0]))
        s = ph_slice_from(s, 1);
    while (s.len > 0 && ph_is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* FNV-1a onwards from `h`, which begins as this: for tables of our own. Who may choose texts may
 * choose those that meet. */
#define PH_HASH_START 14695981039346656037u
static inline uint64_t ph_slice_hash(uint64_t h, struct ph_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * 1099511628211u;
    return h;
}

#endif
