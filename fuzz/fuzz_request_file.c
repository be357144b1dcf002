/* Files that people save: raw HTTP messages and HARs. The first byte is the entry asked for.
 * What reads stays within the limits, and goes through the engine unproved. */
#include "engine.h"

#include "cmd/request_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ph_request_file file;
    struct ph_slice why = {0};
    if (size < 1)
        return 0;
    ph_worker_reset(the_worker());
    if (!ph_request_file_read(ph_worker_arena(the_worker()), ph_slice_of(data + 1, size - 1),
                              data[0] % 4, &file, &why)) {
        must(why.len > 0);
        return 0;
    }
    must(file.header_count <= PH_HEADERS_MAX && file.method.len > 0);
    for (size_t i = 0; i < file.header_count; i++)
        must(file.headers[i].name.len > 0 &&
             memchr(file.headers[i].value.ptr, '\n', file.headers[i].value.len) == NULL);
    const struct ph_request request = {.method = file.method,
                                       .uri = file.uri,
                                       .headers = file.headers,
                                       .header_count = file.header_count,
                                       .body = file.body};
    struct ph_input in = {.connector = connector_of("stripe"), .request = &request};
    must_not_verify(&in);
    return 0;
}
