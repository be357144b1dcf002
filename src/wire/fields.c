#include "wire/fields.h"

enum { VARINT_BYTES_MAX = 10, NUMBER_MAX = (1 << 29) - 1 };

static bool take_varint(struct ph_slice *in, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < in->len && i < VARINT_BYTES_MAX; i++) {
        unsigned char byte = (unsigned char)in->ptr[i];
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            *in = ph_slice_from(*in, i + 1);
            *ret = value;
            return true;
        }
    }
    return false;
}

static bool take(struct ph_slice *in, uint64_t len, struct ph_slice *ret)
{
    if (len > in->len)
        return false;
    *ret = ph_slice_of(in->ptr, (size_t)len);
    *in = ph_slice_from(*in, (size_t)len);
    return true;
}

bool ph_scan_next(struct ph_slice *in, struct ph_scanned *ret)
{
    uint64_t key, len;
    if (!take_varint(in, &key) || key >> 3 == 0 || key >> 3 > NUMBER_MAX)
        return false;
    *ret = (struct ph_scanned){.number = (uint32_t)(key >> 3), .wire = (unsigned)(key & 7)};
    switch (ret->wire) {
    case PH_WIRE_VARINT:
        return take_varint(in, &ret->varint);
    case PH_WIRE_64:
        return take(in, 8, &ret->bytes);
    case PH_WIRE_BYTES:
        return take_varint(in, &len) && take(in, len, &ret->bytes);
    case PH_WIRE_32:
        return take(in, 4, &ret->bytes);
    default:
        return false;
    }
}

struct ph_slice ph_scan_bytes_of(struct ph_slice message, uint32_t number)
{
    struct ph_slice found = {0};
    struct ph_scanned field;
    while (message.len > 0) {
        if (!ph_scan_next(&message, &field))
            return (struct ph_slice){0};
        if (field.number == number && field.wire == PH_WIRE_BYTES)
            found = field.bytes;
    }
    return found;
}
