#include "wire/message.h"

ProtobufCMessage *ph_message_new(struct ph_arena *arena, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *m = ph_arena_alloc(arena, type->sizeof_message);
    if (m != NULL)
        type->message_init(m);
    return m;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static size_t good_char(struct ph_slice s)
{
    return s.ptr[0] != '\0' ? ph_utf8_char(s) : 0;
}

bool ph_text_valid_rare(struct ph_slice text)
{
    return text.len == 0 || (memchr(text.ptr, 0, text.len) == NULL && ph_utf8_valid(text));
}

struct ph_slice ph_text_clean(struct ph_arena *arena, struct ph_slice text)
{
    if (ph_text_valid(text))
        return text;
    char *out = ph_arena_alloc(arena, text.len * 3 + 1);
    size_t len = 0;
    if (out == NULL)
        return (struct ph_slice){0};
    while (text.len > 0) {
        size_t n = good_char(text);
        if (n == 0) {
            memcpy(out + len, "\xef\xbf\xbd", 3);
            len += 3;
            n = 1;
        } else {
            memcpy(out + len, text.ptr, n);
            len += n;
        }
        text = ph_slice_from(text, n);
    }
    return ph_slice_of(out, len);
}

struct ph_slice ph_text_join(struct ph_arena *arena, const struct ph_slice *parts, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    char *out = ph_arena_alloc(arena, len + 1);
    if (out == NULL)
        return (struct ph_slice){0};
    len = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0)
            memcpy(out + len, parts[i].ptr, parts[i].len);
        len += parts[i].len;
    }
    return ph_slice_of(out, len);
}

/* ---- shapes ---------------------------------------------------------------------------------- */

bool ph_message_is_map(const ProtobufCFieldDescriptor *f)
{
    if (f->type != PROTOBUF_C_TYPE_MESSAGE || f->label != PROTOBUF_C_LABEL_REPEATED)
        return false;
    const ProtobufCMessageDescriptor *d = f->descriptor;
    size_t len = strlen(d->short_name);
    return len > 5 && strcmp(d->short_name + len - 5, "Entry") == 0 && d->n_fields == 2 &&
           strcmp(d->fields[0].name, "key") == 0 && strcmp(d->fields[1].name, "value") == 0;
}

size_t ph_message_value_size(const ProtobufCFieldDescriptor *f)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return sizeof(int64_t);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return sizeof(int32_t);
    }
}
