/* The admin API's routes. */
#include "server/admin_call.h"

#define GET  PH_SI("GET")
#define POST PH_SI("POST")
const struct ph_admin_route ph_admin_routes[] = {
    {GET, PH_SI("events"), PH_SCOPE_READ, PH_TAKES_EVENTS | PH_TAKES_DELIVERY | PH_TAKES_PAGE,
     ph_admin_events_list},
    {GET, PH_SI("events/{id}"), PH_SCOPE_READ, PH_TAKES_UNMASKED, ph_admin_events_show},
    {GET, PH_SI("requests"), PH_SCOPE_READ, PH_TAKES_REQUESTS | PH_TAKES_PAGE,
     ph_admin_requests_list},
    {POST, PH_SI("requests/reverify"), PH_SCOPE_CONTROL, 0, ph_admin_requests_reverify},
    {GET, PH_SI("requests/{id}"), PH_SCOPE_READ, PH_TAKES_UNMASKED, ph_admin_requests_show},
    {GET, PH_SI("requests/{id}/raw"), PH_SCOPE_RAW, PH_TAKES_UNMASKED, ph_admin_requests_raw},
    {GET, PH_SI("deliveries"), PH_SCOPE_READ, PH_TAKES_EVENTS | PH_TAKES_DELIVERY | PH_TAKES_PAGE,
     ph_admin_deliveries_list},
    {POST, PH_SI("deliveries/retry"), PH_SCOPE_REPLAY, 0, ph_admin_deliveries_retry_many},
    {GET, PH_SI("deliveries/{id}"), PH_SCOPE_READ, 0, ph_admin_deliveries_show},
    {POST, PH_SI("deliveries/{id}/retry"), PH_SCOPE_REPLAY, 0, ph_admin_deliveries_retry},
    {POST, PH_SI("replay"), PH_SCOPE_REPLAY, 0, ph_admin_replay},
    {GET, PH_SI("destinations"), PH_SCOPE_READ, 0, ph_admin_destinations},
    {POST, PH_SI("destinations/{name}/pause"), PH_SCOPE_CONTROL, 0, ph_admin_pause},
    {POST, PH_SI("destinations/{name}/resume"), PH_SCOPE_CONTROL, 0, ph_admin_resume},
    {GET, PH_SI("endpoints"), PH_SCOPE_READ, 0, ph_admin_endpoints},
    {GET, PH_SI("tail"), PH_SCOPE_READ, PH_TAKES_EVENTS | PH_TAKES_TAIL, ph_admin_tail},
    {GET, PH_SI("status"), PH_SCOPE_READ, 0, ph_admin_status},
};
const size_t ph_admin_route_count = PH_COUNTOF(ph_admin_routes);

static struct ph_slice part(struct ph_slice path, size_t *at)
{
    size_t end = ph_slice_find(path, PH_S("/"), *at);
    struct ph_slice found = ph_slice_of(path.ptr + *at, (end == SIZE_MAX ? path.len : end) - *at);
    *at = end == SIZE_MAX ? path.len + 1 : end + 1;
    return found;
}

static bool fits(struct ph_slice pattern, struct ph_slice path, struct ph_slice *ret_word)
{
    size_t a = 0, b = 0;
    *ret_word = (struct ph_slice){0};
    while (a <= pattern.len && b <= path.len) {
        struct ph_slice wanted = part(pattern, &a), found = part(path, &b);
        if (ph_slice_starts(wanted, PH_S("{")) && found.len > 0)
            *ret_word = found;
        else if (!ph_slice_eq(wanted, found))
            return false;
    }
    return a > pattern.len && b > path.len;
}

const struct ph_admin_route *ph_admin_route_find(struct ph_slice method, struct ph_slice path,
                                                 struct ph_slice *ret_word,
                                                 struct ph_slice *ret_allow)
{
    *ret_allow = (struct ph_slice){0};
    for (size_t i = 0; i < ph_admin_route_count; i++) {
        const struct ph_admin_route *route = &ph_admin_routes[i];
        if (!fits(route->path, path, ret_word))
            continue;
        if (ph_slice_eq(route->method, method))
            return route;
        *ret_allow = route->method;
    }
    return NULL;
}
