/* Protobuf libraries in C take any bytes for a string and end it at the first NUL, so a header could mean one thing
 * to us and another to whoever logged it. Other runtimes refuse what is not UTF-8; we refuse NUL too. */
#include "wire/scan.h"

#include "wire/message.h"

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

static unsigned wire_of(const ProtobufCFieldDescriptor *f)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return PH_WIRE_BYTES;
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return PH_WIRE_64;
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return PH_WIRE_32;
    default:
        return PH_WIRE_VARINT;
    }
}

enum ph_scan ph_scan_message(const ProtobufCMessageDescriptor *type, struct ph_slice bytes, size_t depth,
                             const char **ret_field)
{
    while (bytes.len > 0) {
        struct ph_scanned s;
        if (!ph_scan_next(&bytes, &s))
            return PH_SCAN_MALFORMED;
        const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(type, s.number);
        if (f == NULL)
            continue;
        if (s.wire != wire_of(f) && !(f->label == PROTOBUF_C_LABEL_REPEATED && s.wire == PH_WIRE_BYTES))
            return PH_SCAN_MALFORMED;
        *ret_field = f->name;
        if (f->type == PROTOBUF_C_TYPE_STRING && !ph_text_valid(s.bytes))
            return PH_SCAN_TEXT;
        if (f->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        enum ph_scan inner = depth > 0 ? ph_scan_message(f->descriptor, s.bytes, depth - 1, ret_field) : PH_SCAN_MALFORMED;
        if (inner != PH_SCAN_GOOD)
            return inner;
    }
    return PH_SCAN_GOOD;
}
