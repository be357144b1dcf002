/* The metadata of a call: which connector, with what config, received when (PEER: x-… headers). */
#ifndef PH_SERVER_METADATA_H
#define PH_SERVER_METADATA_H

#include "http/grpc.h"
#include "server/server.h"

struct ph_metadata {
    const struct ph_connector *connector;
    struct ph_config_value *config;
    size_t config_count;
    int64_t received_ms;
};

/* Reads it from the request's headers; x-received-at absent: now_ms. False: *ret_fault says why. */
bool ph_metadata_read(const struct ph_server_config *config, struct ph_arena *arena,
                      const struct ph_http_request *request, int64_t now_ms,
                      struct ph_metadata *ret, struct ph_fault *ret_fault);
/* By name, case-sensitive; NULL: unknown. */
const struct ph_connector *ph_metadata_connector(const struct ph_server_config *config,
                                                 struct ph_slice name);
/* Unix ms as digits, or an RFC 3339 time. */
bool ph_metadata_time(struct ph_slice text, int64_t *ret_ms);

#endif
