/* Texts of a configuration to exact numbers and back: times, sizes, counts, networks, URLs.
 * Pure. */
#ifndef PH_CONFIG_QUANTITY_H
#define PH_CONFIG_QUANTITY_H

#include "base/arena.h"

/* "15s", "500ms", "5m", "3h", "3d", "2w": whole ms. False: not such, or over INT64_MAX. */
bool ph_duration_read(struct ph_slice text, int64_t *ret_ms);
/* "64KiB", "10B", "1GiB": whole bytes. */
bool ph_size_read(struct ph_slice text, int64_t *ret_bytes);
/* The shortest text that reads back to the same; absent: no memory. */
struct ph_slice ph_duration_text(struct ph_arena *arena, int64_t ms);
struct ph_slice ph_size_text(struct ph_arena *arena, int64_t bytes);

/* Addresses that begin alike; IPv4 as ::ffff:a.b.c.d. */
struct ph_network {
    uint8_t address[16];
    uint8_t bits;
};
enum ph_network_result { PH_NETWORK_OK, PH_NETWORK_NOT_ONE, PH_NETWORK_HOST_BITS };
/* "10.0.0.0/8", "2001:db8::/32", "127.0.0.1". HOST_BITS: bits are set that the prefix leaves
 * out; *ret is then the network they lie in. */
enum ph_network_result ph_network_read(struct ph_slice text, struct ph_network *ret);
struct ph_slice ph_network_text(struct ph_arena *arena, const struct ph_network *network);
/* `address` as in struct ph_network. */
bool ph_network_has(const struct ph_network *network, const uint8_t address[16]);

/* A URL's parts, pointing into it. */
struct ph_url {
    /* host without brackets; port without colon; path with its slash */
    struct ph_slice scheme, host, port, path;
};
/* *ret_why says what is wrong; it never quotes the text, which may hold a password. */
bool ph_url_read(struct ph_slice text, struct ph_url *ret, struct ph_slice *ret_why);
/* Whether the host is written as an address that is not public, or as localhost. */
bool ph_url_host_is_private(struct ph_slice host);

#endif
