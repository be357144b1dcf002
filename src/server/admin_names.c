/* Names in filters. One that is of nothing in the configuration, and of nothing that is kept, is a
 * slip of the hand and an error (Q1): what was configured once stays to be looked for. */
#include "server/admin_call.h"

/* Whether events are kept that fit. What cannot be asked now is for the call itself to tell. */
static bool is_kept(struct ph_admin_call *call, const struct ph_inbox_filter *filter)
{
    struct ph_inbox_event_row *rows;
    size_t count = 0;
    return ph_inbox_events(call->room->reader, filter, 1, &call->room->arena, &rows, &count) !=
               PH_OK ||
           count > 0;
}

static bool is_among(struct ph_slice name, const struct ph_slice *known, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ph_slice_eq(known[i], name))
            return true;
    return false;
}

size_t ph_admin_destination_names(const struct ph_admin_call *call,
                                  struct ph_slice ret[PH_DESTINATIONS_MAX])
{
    size_t count = 0;
    for (size_t bit = 0; bit < call->view->destination_count; bit++)
        if (call->view->destinations[bit] != NULL)
            ret[count++] = call->view->names[bit];
    return count;
}

static bool knows_destination(struct ph_admin_call *call, struct ph_slice name,
                              struct ph_slice *ret_why)
{
    const struct ph_inbox_filter filter = {.destination = name};
    struct ph_slice known[PH_DESTINATIONS_MAX], what = PH_S("destination");
    size_t count = ph_admin_destination_names(call, known);
    if (name.len == 0 || is_among(name, known, count) || is_kept(call, &filter))
        return true;
    *ret_why = ph_admin_unknown(&call->room->arena, what, "destination", name, known, count);
    return false;
}

static bool knows_endpoint(struct ph_admin_call *call, struct ph_slice name,
                           struct ph_slice *ret_why)
{
    const struct ph_inbox_filter filter = {.endpoint = name};
    const struct ph_config *config = call->view->config;
    struct ph_arena *arena = &call->room->arena;
    struct ph_slice *known = ph_arena_alloc(arena, (config->endpoints.count + 1) * sizeof *known);
    if (name.len == 0 || known == NULL)
        return true; /* the answer will find no memory, too */
    for (size_t i = 0; i < config->endpoints.count; i++)
        known[i] = config->endpoints.items[i].entry.name;
    if (is_among(name, known, config->endpoints.count) || is_kept(call, &filter))
        return true;
    *ret_why =
        ph_admin_unknown(arena, PH_S("endpoint"), "endpoint", name, known, config->endpoints.count);
    return false;
}

/* Those compiled in are words that one may ask for, whether or not an endpoint is theirs. */
static bool knows_connector(struct ph_admin_call *call, struct ph_slice name,
                            struct ph_slice *ret_why)
{
    const struct ph_inbox_filter filter = {.connector = name};
    const struct ph_config *config = call->view->config;
    struct ph_arena *arena = &call->room->arena;
    size_t count = 0, room = config->endpoints.count + ph_connectors_builtin_count;
    struct ph_slice *known = ph_arena_alloc(arena, (room + 1) * sizeof *known);
    if (name.len == 0 || known == NULL)
        return true;
    for (size_t i = 0; i < ph_connectors_builtin_count; i++)
        known[count++] = ph_connectors_builtin[i]->name;
    for (size_t i = 0; i < config->endpoints.count; i++)
        known[count++] = config->endpoints.items[i].connector;
    if (is_among(name, known, count) || is_kept(call, &filter))
        return true;
    *ret_why = ph_admin_unknown(arena, PH_S("connector"), "connector", name, known, count);
    return false;
}

bool ph_admin_filter_of(struct ph_admin_call *call, const struct ph_admin_params *params,
                        uint32_t takes, struct ph_admin_filter *ret, struct ph_slice *ret_why)
{
    return ph_admin_filter_read(&call->room->arena, params, takes, call->now_ms, ret, ret_why) &&
           knows_endpoint(call, ret->inbox.endpoint, ret_why) &&
           knows_connector(call, ret->inbox.connector, ret_why) &&
           knows_destination(call, ret->inbox.destination, ret_why);
}
