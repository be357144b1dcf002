/* A request out of a file: a raw HTTP/1 message or an HTTP archive (HAR 1.2). Pure: bytes in, a
 * request or the reason out; nothing is printed. Private to cmd/.
 *
 * Raw: request line, headers, an empty line, the body byte for byte; lines end in CRLF or LF.
 * With Content-Length the body is as long as it says; with `Transfer-Encoding: chunked` the
 * chunks are put together. Of a HAR: its only POST entry, or the one asked for; the body as
 * text, or base64 where `encoding` says so. */
#ifndef PH_CMD_REQUEST_FILE_H
#define PH_CMD_REQUEST_FILE_H

#include "core/engine.h"

struct ph_request_file {
    struct ph_slice method, uri, body;
    struct ph_header headers[PH_HEADERS_MAX];
    size_t header_count;
};

/* entry: of a HAR, from 1; 0: the only POST. Points into `text` and the arena. False: *ret_why
 * says what is wrong and where. */
bool ph_request_file_read(struct ph_arena *arena, struct ph_slice text, int64_t entry,
                          struct ph_request_file *ret, struct ph_slice *ret_why);
/* "Name: value" to its halves; false: no colon, no name, or a byte that no header may have. */
bool ph_request_file_header(struct ph_slice line, struct ph_header *ret);

#endif
