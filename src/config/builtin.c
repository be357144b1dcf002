/* The configuration of those who have written none: as the text of a file, so that it is read,
 * checked and shown like any other. PAYHOOK_STRIPE_SECRET=… alone is an endpoint `stripe`. */
#include "config/reading.h"

/* Where nothing else is set up: a development endpoint of the one scheme that is nobody's own. */
#define DEVELOPMENT_CONNECTOR "standardwebhooks"

static struct ph_slice variable_of(struct ph_reading *r, struct ph_slice connector,
                                   struct ph_slice end)
{
    struct ph_slice name = ph_config_join(r, PH_PARTS(PH_S("PAYHOOK_"), connector, end));
    for (char *c = (char *)name.ptr; c < name.ptr + name.len; c++) /* ours, from join */
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c == '-' ? '_' : *c);
    return name;
}

static struct ph_slice endpoint_of(struct ph_reading *r, struct ph_slice connector)
{
    struct ph_slice secret = variable_of(r, connector, PH_S("_SECRET"));
    struct ph_slice additional = variable_of(r, connector, PH_S("_ADDITIONAL_SECRET"));
    if (!ph_slice_present(ph_config_env(r, secret)))
        return PH_S("");
    bool two = ph_slice_present(ph_config_env(r, additional));
    return ph_config_join(r, PH_PARTS(PH_S("  "), connector, PH_S(":\n    connector: "), connector,
                                      PH_S("\n    secrets: [ { secret: env:"), secret,
                                      two ? PH_S(", additional: env:") : PH_S(""),
                                      two ? additional : PH_S(""), PH_S(" } ]\n")));
}

static struct ph_slice development(struct ph_reading *r)
{
    struct ph_slice data = ph_config_env(r, PH_S("PAYHOOK_DATA")), found;
    uint32_t mode;
    if (!ph_slice_present(data))
        data = ph_slice_str(ph_setting_find(PH_IN_CONFIG, PH_S("data"))->fallback);
    struct ph_slice file = ph_config_join(r, PH_PARTS(data, PH_S("/" PH_DEVELOPMENT_SECRET_FILE)));
    if (r->world->read_file(r->arena, file.ptr, PH_SECRET_BYTES_MAX, &found, &mode) != PH_OK)
        return PH_S("");
    return ph_config_join(
        r, PH_PARTS(PH_S("  dev:\n    connector: " DEVELOPMENT_CONNECTOR "\n    secrets: [ 'file:"),
                    file, PH_S("' ]\n")));
}

struct ph_slice ph_config_builtin(struct ph_reading *r)
{
    const struct ph_connector *const *pages = NULL;
    size_t count = 0;
    struct ph_slice folder = ph_config_env(r, PH_S("PAYHOOK_CONNECTORS")), endpoints = PH_S("");
    r->file = PH_S("built-in configuration");
    if (!r->world->pages(r->world->ctx, folder.len > 0 ? folder.ptr : NULL, &pages, &count))
        return PH_S(""); /* said again, and better, when the configuration is checked */
    for (size_t i = 0; i < count; i++)
        endpoints = ph_config_join(r, PH_PARTS(endpoints, endpoint_of(r, pages[i]->name)));
    if (endpoints.len == 0)
        endpoints = development(r);
    return endpoints.len > 0 ? ph_config_join(r, PH_PARTS(PH_S("endpoints:\n"), endpoints))
                             : endpoints;
}
