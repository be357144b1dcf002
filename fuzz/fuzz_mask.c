/* Masking on any bytes: JSON that reads stays JSON that reads, what is masked stays as it is when
 * masked again, and nothing is read past its end (the input is a block of its own). */
#include <stdlib.h>
#include <yyjson.h>

#include "base/limits.h"
#include "gateway/mask.h"
#include "heap.h"

/* JSON that is masked as JSON. A number alone is a text like any other: a card number by itself. */
static bool reads(struct ph_slice text)
{
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool is_document = yyjson_is_ctn(root) || yyjson_is_str(root);
    yyjson_doc_free(doc);
    return is_document;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_arena arena;
    char *own = malloc(size > 0 ? size : 1);
    memcpy(own, data, size);
    struct ph_slice text = ph_slice_of(own, size);
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    struct ph_slice masked = ph_mask_text(&arena, text);
    (void)ph_mask_uri(&arena, text);
    (void)ph_mask_url(&arena, text);
    (void)ph_mask_header(&arena, text, text);
    if (ph_slice_present(masked) && reads(text) && !reads(masked))
        must(false);
    char *words = malloc(size > 0 ? size : 1);
    must(ph_mask_words(text, words) <= size);
    free(words);
    ph_arena_done(&arena);
    free(own);
    return 0;
}
