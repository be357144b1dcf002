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
    (struct ph_slice) { .ptr = "" literal "", .len = sizeof(literal) - 1 }
/* The same as an initialiser in const tables: PH_SI("abc"). */
#define PH_SI(literal) { .ptr = "" literal "", .len = sizeof(literal) - 1 }

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

static inline bool ph_slice_eq(struct ph_slice a, struct ph_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool ph_slice_starts(struct ph_slice s, struct ph_slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
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

/* `s` without ASCII white space at both ends. */
struct ph_slice ph_slice_trim(struct ph_slice s);

#endif
