/* Canonical protobuf JSON in, by descriptors; and the connector-config header's own JSON. */
#include <yyjson.h>

#include "core/codec.h"
#include "wire/message.h"
#include "wire/wire.h"

struct in {
    struct ph_arena *arena;
    struct ph_slice why;
    size_t depth;
};

static bool bad(struct in *in, const char *what)
{
    if (!ph_slice_present(in->why))
        in->why = ph_slice_str(what);
    return false;
}

static bool read_message(struct in *in, yyjson_val *v, ProtobufCMessage *m);

/* snake_case or lowerCamelCase. */
static const ProtobufCFieldDescriptor *find(const ProtobufCMessageDescriptor *d, const char *key)
{
    const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field_by_name(d, key);
    for (unsigned i = 0; f == NULL && i < d->n_fields; i++) {
        const char *a = d->fields[i].name, *b = key;
        for (; *a != '\0'; a++, b++) {
            char want = *a;
            if (want == '_') {
                a++;
                want = (char)(*a >= 'a' && *a <= 'z' ? *a - 32 : *a);
            }
            if (*b != want)
                break;
        }
        if (*a == '\0' && *b == '\0')
            f = &d->fields[i];
    }
    return f;
}

static bool number(yyjson_val *v, int64_t *ret)
{
    struct ph_slice text = {0};
    if (yyjson_is_str(v) || yyjson_is_raw(v))
        text = ph_slice_of(unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v));
    return ph_parse_int64(text, ret);
}

static bool read_value(struct in *in, const ProtobufCFieldDescriptor *f, yyjson_val *v, void *at)
{
    int64_t n = 0;
    switch (f->type) {
    case PROTOBUF_C_TYPE_STRING: {
        if (!yyjson_is_str(v) || memchr(yyjson_get_str(v), '\0', yyjson_get_len(v)) != NULL)
            return bad(in, "a text (without NUL) belongs where something else is");
        *(char **)at = (char *)(uintptr_t)yyjson_get_str(v);
        return true;
    }
    case PROTOBUF_C_TYPE_BYTES: {
        struct ph_slice raw;
        if (!yyjson_is_str(v) ||
            !ph_base64_decode(in->arena, ph_slice_of(yyjson_get_str(v), yyjson_get_len(v)), false, true, &raw))
            return bad(in, "bytes are written as base64 text");
        *(ProtobufCBinaryData *)at = (ProtobufCBinaryData){raw.len, (uint8_t *)(uintptr_t)raw.ptr};
        return true;
    }
    case PROTOBUF_C_TYPE_MESSAGE: {
        struct ph_message_writer w = {.arena = in->arena};
        ProtobufCMessage *sub = ph_message_new(&w, f->descriptor);
        if (sub == NULL)
            return bad(in, "out of memory");
        *(ProtobufCMessage **)at = sub;
        return read_message(in, v, sub);
    }
    case PROTOBUF_C_TYPE_ENUM: {
        const ProtobufCEnumValue *e = yyjson_is_str(v) ? protobuf_c_enum_descriptor_get_value_by_name(f->descriptor, yyjson_get_str(v)) : NULL;
        if (e == NULL && !number(v, &n))
            return bad(in, "an enum's word is not known");
        *(int *)at = e != NULL ? e->value : (int)n;
        return true;
    }
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = yyjson_get_bool(v);
        return yyjson_is_bool(v) || bad(in, "true or false belongs where something else is");
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return number(v, (int64_t *)at) || bad(in, "a whole number belongs where something else is");
    default:
        if (!number(v, &n) || n < INT32_MIN || n > UINT32_MAX)
            return bad(in, "a whole number belongs where something else is");
        *(int32_t *)at = (int32_t)n;
        return true;
    }
}

static size_t size_of(const ProtobufCFieldDescriptor *f)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_UINT64:
        return 8;
    default:
        return 4;
    }
}

static bool read_map(struct in *in, const ProtobufCFieldDescriptor *f, yyjson_val *v, ProtobufCMessage *m)
{
    const ProtobufCMessageDescriptor *d = f->descriptor;
    size_t count = yyjson_obj_size(v), i = 0;
    ProtobufCMessage **list = ph_arena_zalloc(in->arena, (count + 1) * sizeof(*list));
    struct ph_message_writer w = {.arena = in->arena};
    if (list == NULL)
        return bad(in, "out of memory");
    yyjson_obj_iter it = yyjson_obj_iter_with(v);
    for (yyjson_val *k; (k = yyjson_obj_iter_next(&it)) != NULL; i++) {
        list[i] = ph_message_new(&w, d);
        if (list[i] == NULL || !read_value(in, &d->fields[0], k, (char *)list[i] + d->fields[0].offset) ||
            !read_value(in, &d->fields[1], yyjson_obj_iter_get_val(k), (char *)list[i] + d->fields[1].offset))
            return bad(in, "a map is an object of texts");
    }
    *(ProtobufCMessage ***)(void *)((char *)m + f->offset) = list;
    *(size_t *)(void *)((char *)m + f->quantifier_offset) = count;
    return true;
}

static bool read_repeated(struct in *in, const ProtobufCFieldDescriptor *f, yyjson_val *v, ProtobufCMessage *m)
{
    if (yyjson_is_obj(v) && f->type == PROTOBUF_C_TYPE_MESSAGE)
        return read_map(in, f, v, m);
    if (!yyjson_is_arr(v))
        return bad(in, "a list belongs where something else is");
    size_t count = yyjson_arr_size(v), index, max;
    char *list = ph_arena_zalloc(in->arena, (count + 1) * size_of(f));
    yyjson_val *e;
    if (list == NULL)
        return bad(in, "out of memory");
    yyjson_arr_foreach(v, index, max, e) {
        if (!read_value(in, f, e, list + index * size_of(f)))
            return false;
    }
    *(char **)(void *)((char *)m + f->offset) = list;
    *(size_t *)(void *)((char *)m + f->quantifier_offset) = count;
    return true;
}

static bool read_message(struct in *in, yyjson_val *v, ProtobufCMessage *m)
{
    if (!yyjson_is_obj(v))
        return bad(in, "an object belongs where something else is");
    if (++in->depth > PH_DEPTH_MAX)
        return bad(in, "nested deeper than 64 levels");
    yyjson_obj_iter it = yyjson_obj_iter_with(v);
    for (yyjson_val *k; (k = yyjson_obj_iter_next(&it)) != NULL;) {
        yyjson_val *value = yyjson_obj_iter_get_val(k);
        const ProtobufCFieldDescriptor *f = find(m->descriptor, yyjson_get_str(k));
        if (f == NULL || yyjson_is_null(value))
            continue;
        bool ok = f->label == PROTOBUF_C_LABEL_REPEATED ? read_repeated(in, f, value, m)
                                                        : read_value(in, f, value, (char *)m + f->offset);
        if (!ok)
            return false;
        if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
            *(uint32_t *)(void *)((char *)m + f->quantifier_offset) = f->id;
    }
    in->depth--;
    return true;
}

static yyjson_val *read_json(struct ph_arena *arena, struct ph_slice text, struct ph_slice *ret_why)
{
    yyjson_alc alc;
    yyjson_read_err err;
    /* The caller limits the text; yyjson's worst case is some thirteen times its size. */
    size_t room = yyjson_read_max_memory_usage(text.len, 0) + 256;
    void *pool = ph_arena_alloc(arena, room);
    *ret_why = PH_S("out of memory");
    if (pool == NULL || !yyjson_alc_pool_init(&alc, pool, room))
        return NULL;
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text.ptr, text.len, YYJSON_READ_NUMBER_AS_RAW, &alc, &err);
    if (doc == NULL)
        *ret_why = ph_slice_str(err.msg);
    return yyjson_doc_get_root(doc);
}

enum ph_status ph_message_read_json(struct ph_arena *arena, const ProtobufCMessageDescriptor *type, struct ph_slice text,
                                    ProtobufCMessage **ret, struct ph_slice *ret_why)
{
    yyjson_val *root = read_json(arena, text, ret_why);
    if (root == NULL)
        return PH_ERR_MALFORMED;
    struct ph_message_writer w = {.arena = arena};
    struct in in = {.arena = arena};
    ProtobufCMessage *m = ph_message_new(&w, type);
    if (m == NULL)
        return PH_ERR_NO_MEMORY;
    if (!read_message(&in, root, m)) {
        *ret_why = in.why;
        return PH_ERR_MALFORMED;
    }
    *ret = m;
    return PH_OK;
}

/* ---- x-connector-config ---------------------------------------------------------------------------------- */

/* PascalCase to snake_case. */
static struct ph_slice snake(struct ph_arena *arena, struct ph_slice name)
{
    char *out = ph_arena_alloc(arena, name.len * 2 + 1);
    size_t len = 0;
    for (size_t i = 0; out != NULL && i < name.len; i++) {
        char c = name.ptr[i];
        bool upper = c >= 'A' && c <= 'Z';
        if (upper && i > 0)
            out[len++] = '_';
        out[len++] = (char)(upper ? c + 32 : c);
    }
    return ph_slice_of(out, len);
}

static struct ph_slice value_text(struct ph_arena *arena, yyjson_val *v)
{
    if (yyjson_is_str(v) || yyjson_is_raw(v))
        return ph_slice_of(unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v));
    if (yyjson_is_bool(v))
        return yyjson_get_bool(v) ? PH_S("true") : PH_S("false");
    yyjson_val *inner = yyjson_is_obj(v) && yyjson_obj_size(v) == 1 ? yyjson_obj_get(v, "value") : NULL;
    if (yyjson_is_str(inner))
        return ph_slice_of(yyjson_get_str(inner), yyjson_get_len(inner));
    if (!yyjson_is_ctn(v))
        return (struct ph_slice){0};
    yyjson_alc alc;
    enum { TEXT_ROOM = 256 * 1024 };
    void *pool = ph_arena_alloc(arena, TEXT_ROOM);
    size_t len = 0;
    if (pool == NULL || !yyjson_alc_pool_init(&alc, pool, TEXT_ROOM))
        return (struct ph_slice){0};
    char *text = yyjson_val_write_opts(v, 0, &alc, &len, NULL);
    return ph_slice_of(text, text != NULL ? len : 0);
}

enum ph_status ph_wire_read_config(struct ph_arena *arena, struct ph_slice text, struct ph_slice member,
                                   struct ph_slice *ret_connector, struct ph_config_value **ret_values, size_t *ret_count,
                                   struct ph_slice *ret_why)
{
    yyjson_val *root = read_json(arena, text, ret_why);
    if (root == NULL || !yyjson_is_obj(root))
        return PH_ERR_MALFORMED;
    yyjson_val *config = yyjson_obj_getn(root, member.ptr, member.len);
    if (!yyjson_is_obj(config) || yyjson_obj_size(config) != 1) {
        *ret_why = PH_S("it must hold one connector's object, by its name");
        return config == NULL || yyjson_is_null(config) ? PH_ERR_NOT_FOUND : PH_ERR_MALFORMED;
    }
    yyjson_val *key = unsafe_yyjson_get_first(config), *fields = yyjson_obj_iter_get_val(key);
    *ret_connector = snake(arena, ph_slice_of(yyjson_get_str(key), yyjson_get_len(key)));
    size_t count = yyjson_obj_size(fields), n = 0;
    struct ph_config_value *values = ph_arena_alloc(arena, (count + 1) * sizeof(*values));
    if (values == NULL || !ph_slice_present(*ret_connector))
        return PH_ERR_NO_MEMORY;
    yyjson_obj_iter it = yyjson_obj_iter_with(fields);
    for (yyjson_val *k; (k = yyjson_obj_iter_next(&it)) != NULL;) {
        struct ph_slice value = value_text(arena, yyjson_obj_iter_get_val(k));
        if (ph_slice_present(value))
            values[n++] = (struct ph_config_value){ph_slice_of(yyjson_get_str(k), yyjson_get_len(k)), value};
    }
    *ret_values = values;
    *ret_count = n;
    return PH_OK;
}
