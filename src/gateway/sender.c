#include "gateway/sender.h"

static bool is_in(const struct ph_network *list, size_t count, const uint8_t address[16])
{
    for (size_t i = 0; i < count; i++)
        if (ph_network_has(&list[i], address))
            return true;
    return false;
}

/* The last entry of the list, taken off it. */
static struct ph_slice take_last(struct ph_slice *list)
{
    size_t start = list->len;
    while (start > 0 && list->ptr[start - 1] != ',')
        start--;
    struct ph_slice last = ph_slice_trim(ph_slice_from(*list, start));
    list->len = start > 0 ? start - 1 : 0;
    return last;
}

static bool read_address(struct ph_slice text, uint8_t ret[16])
{
    struct ph_network network;
    if (text.len == 0 || ph_network_read(text, &network) != PH_NETWORK_OK || network.bits != 128)
        return false;
    memcpy(ret, network.address, 16);
    return true;
}

void ph_sender_address(const struct ph_config_endpoint *endpoint, const uint8_t peer[16],
                       const struct ph_request *request, uint8_t ret_address[16])
{
    const struct ph_network *trusted = endpoint->trusted_proxies.items;
    size_t count = endpoint->trusted_proxies.count;
    memcpy(ret_address, peer, 16);
    /* Several headers of the name are one list: the last line is the nearest proxy's. */
    for (size_t i = request->header_count; i > 0; i--) {
        struct ph_slice list = request->headers[i - 1].value;
        if (!ph_slice_eq_nocase(request->headers[i - 1].name, PH_S("x-forwarded-for")))
            continue;
        while (list.len > 0) {
            if (!is_in(trusted, count, ret_address))
                return;
            uint8_t before[16];
            if (!read_address(take_last(&list), before))
                return;
            memcpy(ret_address, before, 16);
        }
    }
}

bool ph_sender_allowed(const struct ph_config_endpoint *endpoint, const uint8_t address[16])
{
    return endpoint->allow_ips.count == 0 ||
           is_in(endpoint->allow_ips.items, endpoint->allow_ips.count, address);
}
