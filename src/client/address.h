/* Which addresses a request of ours may connect to. Pure. */
#ifndef PH_CLIENT_ADDRESS_H
#define PH_CLIENT_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* Whether the address is on the public internet. Not public: everything that IANA's
 * special-purpose registries (RFC 6890 and its updates, read 2026-11-25) do not call globally
 * reachable, and what carries such an IPv4 address inside: IPv4-mapped, NAT64, 6to4. Families
 * other than IPv4 and IPv6 are not public. */
bool ph_address_is_public(const struct sockaddr *address);

#endif
