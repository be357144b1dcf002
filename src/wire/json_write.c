/* Canonical protobuf JSON out, by descriptors: proto field names, enum names, defaults omitted, bytes in
 * base64, 64-bit integers as texts. */
#include "core/codec.h"
#include "wire/message.h"

struct out {
    struct ph_arena *arena;
    char *ptr;
    size_t len, room;
    bool failed;
};

static void put(struct out *o, struct ph_slice s)
{
    if (o->failed || s.len == 0)
        return;
    if (o->room - o->len < s.len) {
        size_t room = o->room * 2 + s.len + 2048;
        char *ptr = ph_arena_alloc(o->arena, room);
        if (ptr == NULL) {
            o->failed = true;
            return;
        }
        if (o->len > 0)
            memcpy(ptr, o->ptr, o->len);
        o->ptr = ptr;
        o->room = room;
    }
    memcpy(o->ptr + o->len, s.ptr, s.len);
    o->len += s.len;
}

static void put_string(struct out *o, struct ph_slice s)
{
    struct ph_slice escaped = {0};
    if (!ph_json_escape(o->arena, s, &escaped))
        o->failed = true;
    put(o, PH_S("\""));
    put(o, escaped);
    put(o, PH_S("\""));
}

static void put_message(struct out *o, const ProtobufCMessage *m, size_t depth);

/* One value at `p`, of the field's type. */
static void put_value(struct out *o, const ProtobufCFieldDescriptor *f, const void *p, size_t depth)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        put_string(o, ph_slice_str(*(char *const *)p));
        break;
    case PROTOBUF_C_TYPE_BYTES: {
        const ProtobufCBinaryData *b = p;
        struct ph_slice text = {0};
        if (!ph_base64_encode(o->arena, ph_slice_of(b->data, b->len), false, true, &text))
            o->failed = true;
        put_string(o, text);
        break;
    }
    case PROTOBUF_C_TYPE_MESSAGE:
        put_message(o, *(ProtobufCMessage *const *)p, depth + 1);
        break;
    case PROTOBUF_C_TYPE_ENUM: {
        const ProtobufCEnumValue *v = protobuf_c_enum_descriptor_get_value(f->descriptor, *(const int *)p);
        if (v != NULL)
            put_string(o, ph_slice_str(v->name));
        else
            put(o, ph_decimal(o->arena, *(const int *)p));
        break;
    }
    case PROTOBUF_C_TYPE_BOOL:
        put(o, *(const protobuf_c_boolean *)p ? PH_S("true") : PH_S("false"));
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        put_string(o, ph_decimal(o->arena, *(const int64_t *)p));
        break;
    case PROTOBUF_C_TYPE_UINT32:
        put(o, ph_decimal(o->arena, *(const uint32_t *)p));
        break;
    default:
        put(o, ph_decimal(o->arena, *(const int32_t *)p));
    }
}

static bool is_default(const ProtobufCFieldDescriptor *f, const void *p)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING:
        return *(char *const *)p == NULL || **(char *const *)p == '\0';
    case PROTOBUF_C_TYPE_BYTES:
        return ((const ProtobufCBinaryData *)p)->len == 0;
    case PROTOBUF_C_TYPE_MESSAGE:
        return *(ProtobufCMessage *const *)p == NULL;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return *(const int64_t *)p == 0;
    default:
        return *(const int32_t *)p == 0;
    }
}

static bool there(const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, const void *p)
{
    if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        return *(const uint32_t *)(const void *)((const char *)m + f->quantifier_offset) == f->id;
    return !is_default(f, p);
}

static void put_repeated(struct out *o, const ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t depth)
{
    size_t count = *(const size_t *)(const void *)((const char *)m + f->quantifier_offset);
    const char *list = *(char *const *)(const void *)((const char *)m + f->offset);
    bool map = ph_message_is_map(f);
    put(o, map ? PH_S("{") : PH_S("["));
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            put(o, PH_S(","));
        if (map) {
            const ProtobufCMessage *entry = *(ProtobufCMessage *const *)(const void *)(list + i * sizeof(void *));
            const ProtobufCFieldDescriptor *k = &entry->descriptor->fields[0], *v = &entry->descriptor->fields[1];
            put_value(o, k, (const char *)entry + k->offset, depth);
            put(o, PH_S(":"));
            put_value(o, v, (const char *)entry + v->offset, depth);
        } else {
            put_value(o, f, list + i * ph_message_value_size(f), depth);
        }
    }
    put(o, map ? PH_S("}") : PH_S("]"));
}

static void put_message(struct out *o, const ProtobufCMessage *m, size_t depth)
{
    bool wrote = false;
    if (depth > PH_DEPTH_MAX) {
        o->failed = true;
        return;
    }
    put(o, PH_S("{"));
    for (unsigned i = 0; i < m->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &m->descriptor->fields[i];
        const void *p = (const char *)m + f->offset;
        bool repeated = f->label == PROTOBUF_C_LABEL_REPEATED;
        if (repeated ? *(const size_t *)(const void *)((const char *)m + f->quantifier_offset) == 0 : !there(m, f, p))
            continue;
        if (wrote)
            put(o, PH_S(","));
        wrote = true;
        put_string(o, ph_slice_str(f->name));
        put(o, PH_S(":"));
        if (repeated)
            put_repeated(o, m, f, depth);
        else
            put_value(o, f, p, depth);
    }
    put(o, PH_S("}"));
}

enum ph_status ph_message_json(struct ph_arena *arena, const ProtobufCMessage *m, struct ph_slice *ret)
{
    struct out o = {.arena = arena};
    put_message(&o, m, 0);
    if (o.failed)
        return PH_ERR_NO_MEMORY;
    *ret = ph_slice_of(o.ptr, o.len);
    return PH_OK;
}
