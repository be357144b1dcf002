/* HTTP/2 over any bytes behind the preface, whole, one by one and in pieces of the size that the
 * first byte says: all come to the same requests and the same frames. The memory that a client
 * can make us hold is bounded, and comes back. */
#include "http.h"
#include "http/h2.h"

static void feed(struct ph_slice bytes, size_t piece, struct run *run)
{
    run_init(run);
    struct ph_h2 *h2 = ph_h2_new(&run->site, NULL, &run->out);
    must(h2 != NULL && ph_h2_feed(h2, PH_H2_PREFACE, 1) == PH_OK);
    enum ph_status st = PH_OK;
    for (size_t at = 0; at < bytes.len && st == PH_OK; at += piece) {
        size_t left = bytes.len - at;
        st = ph_h2_feed(h2, ph_slice_of(bytes.ptr + at, left < piece ? left : piece), 1);
        must(ph_h2_open_streams(h2) <= PH_STREAMS_MAX);
    }
    must(ph_h2_flush(h2, SIZE_MAX) == PH_OK || st != PH_OK);
    ph_h2_drain(h2);
    ph_h2_expire(h2, 1 + PH_BODY_READ_MS + PH_WRITE_STALL_MS);
    ph_h2_drain(h2);
    (void)!ph_h2_flush(h2, SIZE_MAX);
    ph_h2_free(h2);
    run->answers = ph_buffer_slice(&run->out);
}

/* Where the answer depends on how the bytes came, rightly: nghttp2 bounds the CONTINUATION
 * frames in a row, and counts one anew with each piece of its nine bytes that comes: after a
 * head that is to be continued, bytes that drip in are sent away where whole ones are read. And
 * a client's GOAWAY with nothing open ends the connection as soon as it is read: what came in
 * the same read is still looked at, what comes later is not. */
static bool may_differ(struct ph_slice bytes)
{
    enum { FRAME_HEAD_BYTES = 9, HEADERS = 1, END_HEADERS = 4, GOAWAY = 7 };
    for (size_t at = 0; at + 4 < bytes.len;) {
        const uint8_t *p = (const uint8_t *)bytes.ptr + at;
        if (p[3] == GOAWAY || (p[3] == HEADERS && (p[4] & END_HEADERS) == 0))
            return true;
        at += FRAME_HEAD_BYTES + ((size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2]);
    }
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    feed_all(feed, ph_slice_of(data, size), may_differ);
    return 0;
}
