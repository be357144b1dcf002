/* Protobuf calls over any bytes: what is read holds only clean texts within the limits, and is
 * the same call when it comes again as protobuf, as canonical JSON and as the peer's JSON. */
#include "calls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_forms(ph_wire_read_call, ph_slice_of(data, size));
    return 0;
}
