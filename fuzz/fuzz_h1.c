/* HTTP/1 over any bytes, whole, one by one and in pieces of the size that the first byte says:
 * all come to the same requests, byte for byte, and to the same answers; of what is wrong with
 * the last one either thing may be told. */
#include "http.h"
#include "http/h1.h"

/* Those to what was read: the refusal that may follow, or the silence to what is no HTTP at all,
 * depends on what is seen first. */
static struct ph_slice answers(struct ph_slice out)
{
    static const char *const refusals[] = {"HTTP/1.1 4", "HTTP/1.1 5"};
    for (size_t i = 0; i < PH_COUNTOF(refusals); i++) {
        size_t at = ph_slice_find(out, ph_slice_str(refusals[i]), 0);
        if (at != SIZE_MAX)
            return ph_slice_of(out.ptr, at);
    }
    return out;
}

static void feed(struct ph_slice bytes, size_t piece, struct run *run)
{
    run_init(run);
    struct ph_h1 *h1 = ph_h1_new(&run->site, NULL, &run->out, true);
    must(h1 != NULL);
    for (size_t at = 0; at < bytes.len; at += piece) {
        size_t left = bytes.len - at;
        ph_h1_feed(h1, ph_slice_of(bytes.ptr + at, left < piece ? left : piece), 1);
    }
    ph_h1_free(h1);
    run->answers = answers(ph_buffer_slice(&run->out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    feed_all(feed, ph_slice_of(data, size), NULL);
    return 0;
}
