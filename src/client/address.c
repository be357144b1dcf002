#include "client/address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

struct range4 {
    uint32_t prefix;
    int bits;
};

static bool is_public4(uint32_t a)
{
    static const struct range4 special[] = {
        {0x00000000, 8},  /* "this" network */
        {0x0a000000, 8},  /* private */
        {0x64400000, 10}, /* carrier-grade NAT */
        {0x7f000000, 8},  /* loopback */
        {0xa9fe0000, 16}, /* link-local, cloud metadata among it */
        {0xac100000, 12}, /* private */
        {0xc0000000, 24}, /* protocol assignments */
        {0xc0000200, 24}, /* documentation */
        {0xc0586300, 24}, /* 6to4 relays */
        {0xc0a80000, 16}, /* private */
        {0xc6120000, 15}, /* benchmarks */
        {0xc6336400, 24}, /* documentation */
        {0xcb007100, 24}, /* documentation */
        {0xe0000000, 3},  /* multicast, reserved, broadcast */
    };
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (((a ^ special[i].prefix) >> (32 - special[i].bits)) == 0)
            return false;
    return true;
}

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool starts(const uint8_t a[16], const char *prefix, int bits)
{
    const uint8_t *p = (const uint8_t *)prefix;
    if (memcmp(a, p, (size_t)bits / 8) != 0)
        return false;
    int rest = bits % 8;
    return rest == 0 || (a[bits / 8] ^ p[bits / 8]) >> (8 - rest) == 0;
}

static bool is_public6(const uint8_t a[16])
{
    static const struct {
        const char *prefix;
        int bits, inner; /* where the IPv4 address inside begins */
    } carriers[] = {
        {"\0\0\0\0\0\0\0\0\0\0\xff\xff", 96, 12},   /* IPv4-mapped */
        {"\0\0\0\0\0\0\0\0\xff\xff\0\0", 96, 12},   /* IPv4-translated */
        {"\0\x64\xff\x9b\0\0\0\0\0\0\0\0", 96, 12}, /* NAT64 */
        {"\x20\x02", 16, 2},                        /* 6to4 */
    };
    static const struct {
        const char *prefix;
        int bits;
    } special[] = {
        {"\0\x64\xff\x9b\0\x01", 48}, /* local NAT64: may lead anywhere inside */
        {"\x20\x01\0\0", 23},         /* protocol assignments, Teredo among them */
        {"\x20\x01\x0d\xb8", 32},     /* documentation */
        {"\x3f\xff\0", 20},           /* documentation */
    };
    for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++)
        if (starts(a, carriers[i].prefix, carriers[i].bits))
            return is_public4(be32(a + carriers[i].inner));
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (starts(a, special[i].prefix, special[i].bits))
            return false;
    return starts(a, "\x20", 3); /* 2000::/3 is all the unicast that is given out */
}

bool ph_address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, address, sizeof in);
        return is_public4(ntohl(in.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, address, sizeof in6);
        return is_public6(in6.sin6_addr.s6_addr);
    }
    return false;
}
