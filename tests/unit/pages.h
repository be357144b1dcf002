/* For the reader's tests: a page's text in, its tables or what is wrong with it out. */
#ifndef PH_TESTS_PAGES_H
#define PH_TESTS_PAGES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "reader/page.h"

static inline void *pages_take(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}
static inline void pages_give(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}
static const struct ph_allocator pages_heap = {pages_take, pages_give, NULL};

/* A page that was read; given back by page_done. */
struct page {
    struct ph_arena arena;
    struct ph_page_errors errors;
    const struct ph_connector *connector; /* NULL: it did not read */
    enum ph_status status;
};

static inline void page_read(struct page *p, struct ph_slice text)
{
    *p = (struct page){0};
    ph_arena_init(&p->arena, &pages_heap, PH_ARENA_BYTES_MAX, 0);
    p->status = ph_page_read(&p->arena, PH_S("acme.yaml"), text, &p->errors, &p->connector);
    assert_int_equal(p->status == PH_OK, p->connector != NULL);
    assert_int_equal(p->status == PH_OK, p->errors.count == 0);
}

static inline void page_done(struct page *p)
{
    ph_arena_done(&p->arena);
}

/* What is wrong, one error a line; "" where nothing is. Lives as long as the page. */
static inline const char *page_told(struct page *p)
{
    size_t room = 1, len = 0;
    for (size_t i = 0; i < p->errors.count; i++)
        room += p->errors.list[i].text.len + 1;
    char *out = ph_arena_zalloc(&p->arena, room);
    assert_non_null(out);
    for (size_t i = 0; i < p->errors.count; i++) {
        struct ph_slice line = p->errors.list[i].text;
        memcpy(out + len, line.ptr, line.len);
        len += line.len;
        if (i + 1 < p->errors.count)
            out[len++] = '\n';
    }
    return out;
}

/* Asserts what is wrong with the page, all of it. */
static inline void assert_told(struct ph_slice text, const char *expected)
{
    struct page p;
    page_read(&p, text);
    assert_string_equal(page_told(&p), expected);
    page_done(&p);
}

/* The page with `from`, which must stand there once, changed to `to`. The caller frees it. */
static inline char *page_edited(const char *page, const char *from, const char *to)
{
    const char *at = strstr(page, from);
    assert_non_null(at);
    assert_null(strstr(at + 1, from));
    char *out = malloc(strlen(page) + strlen(to) + 1);
    assert_non_null(out);
    snprintf(out, strlen(page) + strlen(to) + 1, "%.*s%s%s", (int)(at - page), page, to,
             at + strlen(from));
    return out;
}

#endif
