#include "config/quantity.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "client/address.h"
#include "core/codec.h"

/* ---- times and sizes ------------------------------------------------------------------------- */

struct unit {
    struct ph_slice name;
    int64_t factor;
};

/* Each is a multiple of the one before it. */
static const struct unit times[] = {{PH_SI("ms"), 1},       {PH_SI("s"), 1000},
                                    {PH_SI("m"), 60000},    {PH_SI("h"), 3600000},
                                    {PH_SI("d"), 86400000}, {PH_SI("w"), 604800000}};
static const struct unit sizes[] = {{PH_SI("B"), 1},
                                    {PH_SI("KiB"), (int64_t)1 << 10},
                                    {PH_SI("MiB"), (int64_t)1 << 20},
                                    {PH_SI("GiB"), (int64_t)1 << 30},
                                    {PH_SI("TiB"), (int64_t)1 << 40}};

static bool read_unit(struct ph_slice text, const struct unit *units, size_t count, int64_t *ret)
{
    size_t digits = 0;
    int64_t number;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (digits == 0 || !ph_parse_int64(ph_slice_of(text.ptr, digits), &number))
        return false;
    struct ph_slice name = ph_slice_trim(ph_slice_from(text, digits));
    for (size_t i = 0; i < count; i++)
        if (ph_slice_eq(units[i].name, name))
            return !__builtin_mul_overflow(number, units[i].factor, ret);
    return false;
}

static struct ph_slice unit_text(struct ph_arena *arena, int64_t number, const struct unit *units,
                                 size_t count)
{
    size_t best = 0;
    for (size_t i = 1; number != 0 && i < count; i++)
        if (number % units[i].factor == 0)
            best = i;
    struct ph_slice digits = ph_decimal(arena, number / units[best].factor);
    char *out = ph_arena_alloc(arena, digits.len + units[best].name.len + 1);
    if (!ph_slice_present(digits) || out == NULL)
        return (struct ph_slice){0};
    memcpy(out, digits.ptr, digits.len);
    memcpy(out + digits.len, units[best].name.ptr, units[best].name.len);
    return ph_slice_of(out, digits.len + units[best].name.len);
}

bool ph_duration_read(struct ph_slice text, int64_t *ret_ms)
{
    return read_unit(text, times, PH_COUNTOF(times), ret_ms);
}
bool ph_size_read(struct ph_slice text, int64_t *ret_bytes)
{
    return read_unit(text, sizes, PH_COUNTOF(sizes), ret_bytes);
}
struct ph_slice ph_duration_text(struct ph_arena *arena, int64_t ms)
{
    return unit_text(arena, ms, times, PH_COUNTOF(times));
}
struct ph_slice ph_size_text(struct ph_arena *arena, int64_t bytes)
{
    return unit_text(arena, bytes, sizes, PH_COUNTOF(sizes));
}

/* ---- networks -------------------------------------------------------------------------------- */

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
enum { MAPPED_BITS = 96, ADDRESS_BITS = 128 };

/* An address alone; *ret_first is where its own bits begin. */
static bool read_address(struct ph_slice text, uint8_t ret[16], unsigned *ret_first)
{
    char copy[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len) != NULL)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *ret_first = MAPPED_BITS;
    memcpy(ret, mapped, sizeof mapped);
    if (inet_pton(AF_INET, copy, ret + sizeof mapped) == 1)
        return true;
    *ret_first = 0;
    return inet_pton(AF_INET6, copy, ret) == 1;
}

static bool keep_bits(uint8_t address[16], unsigned bits)
{
    bool all = true;
    for (unsigned i = 0; i < 16; i++) {
        unsigned kept = bits >= 8 * (i + 1) ? 8 : bits <= 8 * i ? 0 : bits - 8 * i;
        uint8_t mask = (uint8_t)(0xff00 >> kept);
        all = all && (address[i] & (uint8_t)~mask) == 0;
        address[i] &= mask;
    }
    return all;
}

enum ph_network_result ph_network_read(struct ph_slice text, struct ph_network *ret)
{
    size_t slash = ph_slice_find(text, PH_S("/"), 0);
    unsigned first;
    int64_t bits;
    struct ph_network network;
    if (!read_address(ph_slice_of(text.ptr, slash == SIZE_MAX ? text.len : slash), network.address,
                      &first))
        return PH_NETWORK_NOT_ONE;
    bits = ADDRESS_BITS - first;
    if (slash != SIZE_MAX &&
        (text.len - slash > 4 || !ph_parse_int64(ph_slice_from(text, slash + 1), &bits) ||
         bits < 0 || bits > ADDRESS_BITS - (int64_t)first))
        return PH_NETWORK_NOT_ONE;
    network.bits = (uint8_t)(first + (unsigned)bits);
    bool clean = keep_bits(network.address, network.bits);
    *ret = network;
    return clean ? PH_NETWORK_OK : PH_NETWORK_HOST_BITS;
}

struct ph_slice ph_network_text(struct ph_arena *arena, const struct ph_network *network)
{
    bool is4 = network->bits >= MAPPED_BITS && memcmp(network->address, mapped, sizeof mapped) == 0;
    char host[INET6_ADDRSTRLEN] = "";
    if (inet_ntop(is4 ? AF_INET : AF_INET6, network->address + (is4 ? sizeof mapped : 0), host,
                  sizeof host) == NULL)
        return (struct ph_slice){0};
    struct ph_slice bits = ph_decimal(arena, network->bits - (is4 ? MAPPED_BITS : 0)),
                    text = ph_slice_str(host);
    char *out = ph_arena_alloc(arena, text.len + bits.len + 1);
    if (!ph_slice_present(bits) || out == NULL)
        return (struct ph_slice){0};
    memcpy(out, text.ptr, text.len);
    out[text.len] = '/';
    memcpy(out + text.len + 1, bits.ptr, bits.len);
    return ph_slice_of(out, text.len + 1 + bits.len);
}

bool ph_network_has(const struct ph_network *network, const uint8_t address[16])
{
    uint8_t begin[16];
    memcpy(begin, address, sizeof begin);
    (void)keep_bits(begin, network->bits);
    return memcmp(begin, network->address, sizeof begin) == 0;
}

/* ---- URLs ------------------------------------------------------------------------------------ */

static bool wrong(struct ph_slice why, struct ph_slice *ret_why)
{
    *ret_why = why;
    return false;
}

static bool is_host(struct ph_slice host)
{
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '-' || c == '_'))
            return false;
    }
    return host.len > 0;
}

/* "host", "host:port", "[address]:port". */
static bool read_authority(struct ph_slice text, struct ph_url *ret, struct ph_slice *ret_why)
{
    uint8_t address[16];
    unsigned first;
    int64_t port;
    struct ph_slice rest;
    if (text.len > 0 && text.ptr[0] == '[') {
        size_t end = ph_slice_find(text, PH_S("]"), 0);
        if (end == SIZE_MAX)
            return wrong(PH_S("an address in brackets has no end"), ret_why);
        ret->host = ph_slice_of(text.ptr + 1, end - 1);
        rest = ph_slice_from(text, end + 1);
        if (!read_address(ret->host, address, &first) || first != 0)
            return wrong(PH_S("what stands in brackets is no IPv6 address"), ret_why);
    } else {
        size_t colon = ph_slice_find(text, PH_S(":"), 0);
        ret->host = ph_slice_of(text.ptr, colon == SIZE_MAX ? text.len : colon);
        rest = ph_slice_from(text, ret->host.len);
        if (!is_host(ret->host))
            return wrong(PH_S("it names no host"), ret_why);
    }
    ret->port = (struct ph_slice){0};
    if (rest.len == 0)
        return true;
    ret->port = ph_slice_from(rest, 1);
    if (rest.ptr[0] != ':' || ret->port.len > 5 || !ph_parse_int64(ret->port, &port) || port < 1 ||
        port > 65535)
        return wrong(PH_S("its port is no number from 1 to 65535"), ret_why);
    return true;
}

bool ph_url_read(struct ph_slice text, struct ph_url *ret, struct ph_slice *ret_why)
{
    size_t colon = ph_slice_find(text, PH_S("://"), 0);
    if (colon == SIZE_MAX || colon == 0)
        return wrong(PH_S("a URL begins with a scheme, as https://"), ret_why);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f || text.ptr[i] == '\\')
            return wrong(PH_S("a URL has no blanks, control characters or backslashes"), ret_why);
    ret->scheme = ph_slice_of(text.ptr, colon);
    struct ph_slice rest = ph_slice_from(text, colon + 3);
    size_t end = 0;
    while (end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?' && rest.ptr[end] != '#')
        end++;
    ret->path = ph_slice_from(rest, end);
    if (ph_slice_find(ph_slice_of(rest.ptr, end), PH_S("@"), 0) != SIZE_MAX)
        return wrong(
            PH_S("a URL here has no user or password: it would be seen wherever the URL is"),
            ret_why);
    if (ph_slice_find(ret->path, PH_S("#"), 0) != SIZE_MAX)
        return wrong(PH_S("a URL here has no fragment (#…)"), ret_why);
    return read_authority(ph_slice_of(rest.ptr, end), ret, ret_why);
}

bool ph_url_host_is_private(struct ph_slice host)
{
    uint8_t address[16];
    unsigned first;
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (ph_slice_eq_nocase(host, PH_S("localhost")))
        return true;
    if (!read_address(host, address, &first))
        return false;
    memcpy(&in6.sin6_addr, address, sizeof address);
    return !ph_address_is_public((const struct sockaddr *)&in6);
}
