/* Protobuf libraries in C take any bytes for a string and end it at the first NUL, so a header
 * could mean one thing to us and another to whoever logged it. Other runtimes refuse what is not
 * UTF-8; we refuse NUL too. */
#include "wire/scan.h"

#include "wire/message.h"

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

enum ph_scan ph_scan_message(const ProtobufCMessageDescriptor *type, struct ph_slice bytes,
                             size_t depth, const char **ret_field)
{
    while (bytes.len > 0) {
        struct ph_scanned s;
        if (!ph_scan_next(&bytes, &s))
            return PH_SCAN_MALFORMED;
        const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(type, s.number);
        if (f == NULL)
            continue;
        if (s.wire != wire_of(f) &&
            !(f->label == PROTOBUF_C_LABEL_REPEATED && s.wire == PH_WIRE_BYTES))
            return PH_SCAN_MALFORMED;
        *ret_field = f->name;
        if (f->type == PROTOBUF_C_TYPE_STRING && !ph_text_valid(s.bytes))
            return PH_SCAN_TEXT;
        if (f->type != PROTOBUF_C_TYPE_MESSAGE)
            continue;
        enum ph_scan inner = depth > 0
                                 ? ph_scan_message(f->descriptor, s.bytes, depth - 1, ret_field)
                                 : PH_SCAN_MALFORMED;
        if (inner != PH_SCAN_GOOD)
            return inner;
    }
    return PH_SCAN_GOOD;
}
