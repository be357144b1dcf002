#include "server/override.h"

#include <yyjson.h>

static bool fail(struct ph_fault *ret_fault, enum ph_grpc_code code, struct ph_slice name,
                 struct ph_slice message)
{
    *ret_fault = (struct ph_fault){.code = code, .name = name, .message = message};
    return false;
}

static struct ph_slice text_of(yyjson_val *value)
{
    return ph_slice_of(yyjson_get_str(value), yyjson_get_len(value));
}

/* The connector's part of the patch; NULL: it says nothing of it. */
static yyjson_val *find_part(yyjson_val *root, struct ph_slice connector)
{
    yyjson_val *all = yyjson_obj_get(root, "connectors");
    return yyjson_obj_getn(all, connector.ptr, connector.len);
}

static enum ph_status merge(struct ph_arena *arena, yyjson_val *part, struct ph_metadata *metadata)
{
    size_t room = yyjson_obj_size(part) + metadata->config_count, count = 0, i, max;
    struct ph_config_value *values = ph_arena_zalloc(arena, (room + 1) * sizeof *values);
    yyjson_val *key, *value;
    if (values == NULL)
        return PH_ERR_NO_MEMORY;
    yyjson_obj_foreach(part, i, max, key, value)
    {
        if (!yyjson_is_str(value))
            continue;
        values[count] = (struct ph_config_value){.name = ph_arena_copy(arena, text_of(key)),
                                                 .value = ph_arena_copy(arena, text_of(value))};
        if (!ph_slice_present(values[count].name) || !ph_slice_present(values[count].value))
            return PH_ERR_NO_MEMORY;
        count++;
    }
    for (size_t k = 0; k < metadata->config_count; k++)
        values[count++] = metadata->config[k];
    metadata->config = values;
    metadata->config_count = count;
    return PH_OK;
}

bool ph_override_apply(const struct ph_server_config *config, struct ph_arena *arena,
                       struct ph_slice text, struct ph_metadata *metadata,
                       struct ph_fault *ret_fault)
{
    if (ph_slice_trim(text).len == 0)
        return true;
    if (!config->allow_config_override)
        return fail(ret_fault, PH_GRPC_PERMISSION_DENIED, PH_S("PERMISSION_DENIED"),
                    PH_S("x-config-override is not accepted here (payhook serve "
                         "--allow-config-override)"));
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool good = yyjson_is_obj(root);
    enum ph_status st = PH_OK;
    if (good)
        st = merge(arena, find_part(root, metadata->connector->name), metadata);
    yyjson_doc_free(doc);
    if (!good)
        return fail(ret_fault, PH_GRPC_INTERNAL, PH_S("INTERNAL"),
                    PH_S("Failed to merge config with override config: x-config-override is not a "
                         "JSON object"));
    if (st != PH_OK)
        return fail(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED, PH_S("RESOURCE_EXHAUSTED"),
                    PH_S("out of memory"));
    return true;
}
