/* The page reader on any bytes: an error with a place, or tables. */
#include <stdlib.h>

#include "reader/page.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *plain_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}
static void plain_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}
static const struct ph_allocator allocator = {.alloc = plain_alloc, .free = plain_free};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_arena arena;
    struct ph_page_errors errors = {0};
    const struct ph_connector *c = NULL;
    ph_arena_init(&arena, &allocator, 64 * 1024 * 1024, 0);
    enum ph_status st = ph_page_read(&arena, PH_S("page"), ph_slice_of(data, size), &errors, &c);
    if ((st == PH_OK) != (c != NULL) || (st == PH_ERR_MALFORMED && errors.count == 0))
        abort();
    ph_arena_done(&arena);
    return 0;
}
