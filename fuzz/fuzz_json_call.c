/* JSON calls, in both dialects, and connector configs over any bytes: what is read holds only
 * clean texts, and is the same call when it comes again in either dialect and as protobuf. */
#include "calls.h"

static void read_config(struct ph_slice text)
{
    struct ph_arena arena;
    struct ph_slice connector = {0}, why = {0};
    struct ph_config_value *values = NULL;
    size_t count = 0;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    if (ph_wire_read_config(&arena, text, PH_S("config"), &connector, &values, &count, &why) ==
        PH_OK)
        for (size_t i = 0; i < count; i++)
            must(values[i].name.ptr != NULL && values[i].value.ptr != NULL);
    ph_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_slice text = ph_slice_of(data, size);
    read_forms(ph_wire_read_call_json, text);
    read_config(text);
    return 0;
}
