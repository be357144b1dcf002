/* One request in flight: its copy, its curl handle, its response. Private to client/. */
#ifndef PH_CLIENT_TRANSFER_H
#define PH_CLIENT_TRANSFER_H

#include <curl/curl.h>

#include "client/client.h"

struct ph_transfer {
    struct ph_transfer *next;
    struct ph_arena arena; /* everything of it */
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    char *url, *method;
    struct ph_slice body;
    int64_t connect_ms, total_ms;
    bool https_only, allow_private;
    const char *certificate_file, *key_file;
    ph_client_done *done;
    void *ctx;
    /* The response, as it comes. */
    struct ph_header response_headers[PH_CLIENT_HEADERS_MAX];
    size_t response_header_count;
    char *response;
    size_t response_bytes, response_room, response_bytes_max, header_bytes;
    bool too_large, header_too_large, private_address, no_memory;
    char error[CURL_ERROR_SIZE];
};

/* Whether it can be written as a request: no line break hides in it. */
bool ph_transfer_fits(const struct ph_client_request *request);
/* A copy of `request`, which fits; NULL: no memory. */
struct ph_transfer *ph_transfer_new(const struct ph_client_request *request, ph_client_done *done,
                                    void *ctx);
void ph_transfer_free(struct ph_transfer *transfer);
/* Whether the TLS files are regular ones: curl opens them on the thread of all transfers, and would
 * wait for a pipe's other end. */
bool ph_transfer_has_files(const struct ph_transfer *transfer,
                           const struct ph_client_options *options);
/* Makes the curl handle. False: curl refused an option or has no memory. */
bool ph_transfer_prepare(struct ph_transfer *transfer, const struct ph_client_options *options);
/* Calls `done` with what came of it. */
void ph_transfer_finish(struct ph_transfer *transfer, CURLcode code);
/* Calls `done` with a failure that needs no curl. */
void ph_transfer_fail(struct ph_transfer *transfer, enum ph_client_result result,
                      struct ph_slice reason);

#endif
