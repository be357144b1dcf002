/* What protobuf-c does not check: texts. It takes any bytes for a string and ends it at the first
 * NUL, so a header could mean one thing to us and another to whoever logged it. Other runtimes
 * refuse what is not UTF-8; we refuse NUL too, before anything is unpacked. */
#include "wire/message.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5, VARINT_BYTES_MAX = 10 };

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

/* The next field's key and value; *ret_value means something for WIRE_BYTES only. Groups are
 * refused: proto3 has none. */
static bool take_field(struct ph_slice *in, uint64_t *ret_key, struct ph_slice *ret_value)
{
    uint64_t number;
    if (!take_varint(in, ret_key))
        return false;
    switch (*ret_key & 7) {
    case WIRE_VARINT:
        return take_varint(in, &number);
    case WIRE_64:
        return take(in, 8, ret_value);
    case WIRE_BYTES:
        return take_varint(in, &number) && take(in, number, ret_value);
    case WIRE_32:
        return take(in, 4, ret_value);
    default:
        return false;
    }
}

bool ph_message_texts_valid(const ProtobufCMessageDescriptor *type, struct ph_slice bytes,
                            size_t depth, const char **ret_field)
{
    while (bytes.len > 0) {
        uint64_t key;
        struct ph_slice value = {0};
        if (!take_field(&bytes, &key, &value))
            return true; /* no protobuf at all: unpacking will say so */
        if ((key & 7) != WIRE_BYTES || key >> 3 > INT32_MAX)
            continue;
        const ProtobufCFieldDescriptor *f =
            protobuf_c_message_descriptor_get_field(type, (unsigned)(key >> 3));
        if (f == NULL)
            continue;
        *ret_field = f->name;
        if (f->type == PROTOBUF_C_TYPE_STRING && !ph_text_valid(value))
            return false;
        if (f->type == PROTOBUF_C_TYPE_MESSAGE &&
            (depth == 0 || !ph_message_texts_valid(f->descriptor, value, depth - 1, ret_field)))
            return false;
    }
    return true;
}
