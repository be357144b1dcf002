/* Who sent a request, when proxies stand between. Pure. */
#ifndef PH_GATEWAY_SENDER_H
#define PH_GATEWAY_SENDER_H

#include "config/config.h"

/* The sender's address: the peer's own, or when the peer is a trusted proxy the last address of
 * X-Forwarded-For that is none of them. What others write there does not count; a list that
 * cannot be read ends with what was read of it from its end. */
void ph_sender_address(const struct ph_config_endpoint *endpoint, const uint8_t peer[16],
                       const struct ph_request *request, uint8_t ret_address[16]);
/* Whether it may post here: allow_ips. */
bool ph_sender_allowed(const struct ph_config_endpoint *endpoint, const uint8_t address[16]);

#endif
