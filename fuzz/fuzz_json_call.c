/* JSON calls and connector configs over any bytes: what is read must hold only clean texts. */
#include <stdint.h>
#include <stdlib.h>

#include "wire/message.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *take(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}

static void give(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check(const struct ph_call *call)
{
    const struct ph_request *r = &call->request;
    must(r->header_count <= PH_HEADERS_MAX && r->method.len > 0);
    must(ph_text_valid(r->uri) && ph_text_valid(r->query) &&
         ph_text_valid(call->merchant_event_id));
    for (size_t i = 0; i < r->header_count; i++)
        must(ph_text_valid(r->headers[i].name) && ph_text_valid(r->headers[i].value));
    must(ph_slice_present(ph_word_name(PH_WORDS_CAPTURE_METHOD, call->capture_method)));
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < r->body.len; i++) /* every byte is there to be read */
        sum = (uint8_t)(sum + (uint8_t)r->body.ptr[i]);
}

static void read_as(enum ph_form form, struct ph_slice bytes)
{
    static const struct ph_allocator heap = {.alloc = take, .free = give};
    struct ph_arena arena;
    struct ph_call call = {0};
    struct ph_slice why = {0};
    ph_arena_init(&arena, &heap, PH_ARENA_BYTES_MAX, 0);
    enum ph_status st = ph_wire_read_call_json(&arena, form, bytes, &call, &why);
    if (st == PH_OK)
        check(&call);
    else
        must(why.len > 0);
    ph_arena_done(&arena);
}

static void read_config(struct ph_slice text)
{
    static const struct ph_allocator heap = {.alloc = take, .free = give};
    struct ph_arena arena;
    struct ph_slice connector = {0}, why = {0};
    struct ph_config_value *values = NULL;
    size_t count = 0;
    ph_arena_init(&arena, &heap, PH_ARENA_BYTES_MAX, 0);
    if (ph_wire_read_config(&arena, text, PH_S("config"), &connector, &values, &count, &why) ==
        PH_OK)
        for (size_t i = 0; i < count; i++)
            must(values[i].name.ptr != NULL && values[i].value.ptr != NULL);
    ph_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_slice text = ph_slice_of(data, size);
    read_as(PH_FORM_HANDLE, text);
    read_as(PH_FORM_PARSE, text);
    read_as(PH_FORM_COMPOSITE, text);
    read_config(text);
    return 0;
}
