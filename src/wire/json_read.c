/* JSON in, by descriptors: protobuf's canonical form and the peer's own (ph_wire_write_serde),
 * which differ where one can tell them apart; and the connector-config header's own JSON. */
#include <yyjson.h>

#include "core/codec.h"
#include "wire/message.h"
#include "wire/wire.h"

struct in {
    struct ph_arena *arena;
    struct ph_slice why; /* "request_details.body: ...": every level puts its name before it */
    size_t depth;
};

static bool bad(struct in *in, const char *what)
{
    in->why = ph_slice_str(what);
    return false;
}

static bool bad_in(struct in *in, const char *name, bool leaf)
{
    struct ph_slice parts[] = {ph_slice_str(name), leaf ? PH_S(": ") : PH_S("."), in->why};
    struct ph_slice why = ph_text_join(in->arena, parts, PH_COUNTOF(parts));
    if (ph_slice_present(why))
        in->why = why;
    return false;
}

static struct ph_slice text_of(yyjson_val *v)
{
    return ph_slice_of(unsafe_yyjson_get_str(v), unsafe_yyjson_get_len(v));
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

static bool number(yyjson_val *v, int64_t min, int64_t max, int64_t *ret)
{
    return (yyjson_is_str(v) || yyjson_is_raw(v)) && ph_parse_int64(text_of(v), ret) &&
           *ret >= min && *ret <= max;
}

/* A word, or a number: proto3 enums are open, so any 32-bit number will do. */
static bool read_enum(const ProtobufCFieldDescriptor *f, yyjson_val *v, int *ret)
{
    const ProtobufCEnumValue *e = NULL;
    int64_t n;
    if (yyjson_is_str(v) && strlen(yyjson_get_str(v)) == yyjson_get_len(v))
        e = protobuf_c_enum_descriptor_get_value_by_name(f->descriptor, yyjson_get_str(v));
    if (e == NULL && !number(v, INT32_MIN, INT32_MAX, &n))
        return false;
    *ret = e != NULL ? e->value : (int)n;
    return true;
}

/* [123,34,…], as serde writes bytes. */
static bool read_byte_list(struct in *in, yyjson_val *v, void *at)
{
    size_t index, count;
    int64_t n;
    yyjson_val *e;
    unsigned char *bytes = ph_arena_alloc(in->arena, yyjson_arr_size(v) + 1);
    if (bytes == NULL)
        return bad(in, "out of memory");
    yyjson_arr_foreach(v, index, count, e)
    {
        if (!yyjson_is_raw(e) || !number(e, 0, UINT8_MAX, &n))
            return bad(in, "a list of bytes holds integers from 0 to 255");
        bytes[index] = (unsigned char)n;
    }
    *(ProtobufCBinaryData *)at = (ProtobufCBinaryData){yyjson_arr_size(v), bytes};
    return true;
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
        if (yyjson_is_arr(v))
            return read_byte_list(in, v, at);
        if (!yyjson_is_str(v) ||
            !ph_base64_decode(in->arena, ph_slice_of(yyjson_get_str(v), yyjson_get_len(v)), false,
                              true, &raw))
            return bad(in, "bytes are written as base64 text, or as a list of integers");
        *(ProtobufCBinaryData *)at = (ProtobufCBinaryData){raw.len, (uint8_t *)(uintptr_t)raw.ptr};
        return true;
    }
    case PROTOBUF_C_TYPE_MESSAGE: {
        ProtobufCMessage *sub = ph_message_new(in->arena, f->descriptor);
        if (sub == NULL)
            return bad(in, "out of memory");
        *(ProtobufCMessage **)at = sub;
        return read_message(in, v, sub);
    }
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(f, v, at) || bad(in, "an enum's word is not known");
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = yyjson_get_bool(v);
        return yyjson_is_bool(v) || bad(in, "true or false belongs where something else is");
    case PROTOBUF_C_TYPE_INT64:
        return number(v, INT64_MIN, INT64_MAX, at) ||
               bad(in, "a whole number belongs where something else is");
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_UINT32: {
        bool sign = f->type == PROTOBUF_C_TYPE_INT32;
        if (!number(v, sign ? INT32_MIN : 0, sign ? INT32_MAX : UINT32_MAX, &n))
            return bad(in, "a 32-bit whole number belongs where something else is");
        *(uint32_t *)at = (uint32_t)n;
        return true;
    }
    default: /* the schema has no other types */
        return bad(in, "a value of a type that cannot be read");
    }
}

static bool read_map(struct in *in, const ProtobufCFieldDescriptor *f, yyjson_val *v,
                     ProtobufCMessage *m)
{
    if (!yyjson_is_obj(v))
        return bad(in, "an object belongs where something else is");
    const ProtobufCMessageDescriptor *d = f->descriptor;
    size_t count = yyjson_obj_size(v), i = 0;
    ProtobufCMessage **list = ph_arena_zalloc(in->arena, (count + 1) * sizeof(*list));
    if (list == NULL)
        return bad(in, "out of memory");
    yyjson_obj_iter it = yyjson_obj_iter_with(v);
    for (yyjson_val *k; (k = yyjson_obj_iter_next(&it)) != NULL; i++) {
        list[i] = ph_message_new(in->arena, d);
        if (list[i] == NULL)
            return bad(in, "out of memory");
        if (!read_value(in, &d->fields[0], k, (char *)list[i] + d->fields[0].offset) ||
            !read_value(in, &d->fields[1], yyjson_obj_iter_get_val(k),
                        (char *)list[i] + d->fields[1].offset))
            return false;
    }
    *(ProtobufCMessage ***)(void *)((char *)m + f->offset) = list;
    *(size_t *)(void *)((char *)m + f->quantifier_offset) = count;
    return true;
}

static bool read_repeated(struct in *in, const ProtobufCFieldDescriptor *f, yyjson_val *v,
                          ProtobufCMessage *m)
{
    if (ph_message_is_map(f))
        return read_map(in, f, v, m);
    if (!yyjson_is_arr(v))
        return bad(in, "a list belongs where something else is");
    size_t count = yyjson_arr_size(v), index, max;
    char *list = ph_arena_zalloc(in->arena, (count + 1) * ph_message_value_size(f));
    yyjson_val *e;
    if (list == NULL)
        return bad(in, "out of memory");
    yyjson_arr_foreach(v, index, max, e)
    {
        if (!read_value(in, f, e, list + index * ph_message_value_size(f)))
            return false;
    }
    *(char **)(void *)((char *)m + f->offset) = list;
    *(size_t *)(void *)((char *)m + f->quantifier_offset) = count;
    return true;
}

/* The arm of a oneof as serde writes it: {"event_context": {"Payment": {…}}}, where the key is
 * no field's and the one member's name is an arm's in PascalCase. NULL: it is not that. */
static const ProtobufCFieldDescriptor *find_arm(const ProtobufCMessageDescriptor *d, yyjson_val *v,
                                                yyjson_val **ret_value)
{
    if (!yyjson_is_obj(v) || yyjson_obj_size(v) != 1)
        return NULL;
    yyjson_val *k = unsafe_yyjson_get_first(v);
    struct ph_slice name = text_of(k);
    enum { ARM_BYTES_MAX = 64 };
    char key[ARM_BYTES_MAX];
    if (name.len == 0 || name.len >= sizeof(key) || name.ptr[0] < 'A' || name.ptr[0] > 'Z' ||
        memchr(name.ptr, '\0', name.len) != NULL)
        return NULL;
    memcpy(key, name.ptr, name.len);
    key[name.len] = '\0';
    key[0] = (char)(key[0] - 'A' + 'a');
    const ProtobufCFieldDescriptor *f = find(d, key);
    *ret_value = yyjson_obj_iter_get_val(k);
    return f != NULL && (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
                   f->type == PROTOBUF_C_TYPE_MESSAGE
               ? f
               : NULL;
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
        bool plain = strlen(yyjson_get_str(k)) == yyjson_get_len(k);
        const ProtobufCFieldDescriptor *f = plain ? find(m->descriptor, yyjson_get_str(k)) : NULL;
        if (f == NULL)
            f = find_arm(m->descriptor, value, &value);
        if (f == NULL || yyjson_is_null(value))
            continue;
        bool ok = f->label == PROTOBUF_C_LABEL_REPEATED
                      ? read_repeated(in, f, value, m)
                      : read_value(in, f, value, (char *)m + f->offset);
        bool leaf =
            f->type != PROTOBUF_C_TYPE_MESSAGE || !yyjson_is_obj(value) || ph_message_is_map(f);
        if (!ok)
            return bad_in(in, f->name, leaf);
        if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
            *(uint32_t *)(void *)((char *)m + f->quantifier_offset) = f->id;
    }
    in->depth--;
    return true;
}

/* "unexpected character, at byte 17" */
static struct ph_slice syntax_error(struct ph_arena *arena, const yyjson_read_err *err)
{
    struct ph_slice parts[] = {ph_slice_str(err->msg), PH_S(", at byte "),
                               ph_decimal(arena, (int64_t)err->pos)};
    return ph_text_join(arena, parts, PH_COUNTOF(parts));
}

static enum ph_status read_json(struct ph_arena *arena, struct ph_slice text, yyjson_val **ret,
                                struct ph_slice *ret_why)
{
    yyjson_alc alc;
    yyjson_read_err err;
    if (text.len == 0) {
        *ret_why = PH_S("the text is empty");
        return PH_ERR_MALFORMED;
    }
    /* The caller limits the text; yyjson's worst case is some thirteen times its size. */
    size_t room = yyjson_read_max_memory_usage(text.len, 0) + 256;
    void *pool = ph_arena_alloc(arena, room);
    *ret_why = PH_S("out of memory");
    if (pool == NULL || !yyjson_alc_pool_init(&alc, pool, room))
        return PH_ERR_NO_MEMORY;
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)text.ptr, text.len,
                                       YYJSON_READ_NUMBER_AS_RAW, &alc, &err);
    if (doc == NULL) {
        *ret_why = syntax_error(arena, &err);
        return PH_ERR_MALFORMED;
    }
    *ret = yyjson_doc_get_root(doc);
    return PH_OK;
}

enum ph_status ph_message_read_json(struct ph_arena *arena, const ProtobufCMessageDescriptor *type,
                                    struct ph_slice text, ProtobufCMessage **ret,
                                    struct ph_slice *ret_why)
{
    struct in in = {.arena = arena};
    yyjson_val *root;
    arena->ran_out = false;
    PH_TRY(read_json(arena, text, &root, ret_why));
    ProtobufCMessage *m = ph_message_new(arena, type);
    if (m == NULL)
        return PH_ERR_NO_MEMORY;
    if (!read_message(&in, root, m)) {
        *ret_why = in.why;
        /* base64 that found no room is no bad base64 */
        return arena->ran_out ? PH_ERR_NO_MEMORY : PH_ERR_MALFORMED;
    }
    *ret = m;
    return PH_OK;
}

/* ---- x-connector-config ---------------------------------------------------------------------- */

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

/* yyjson's writer gets its memory from the arena; what it outgrows stays there until reset. */
static void *writer_alloc(void *ctx, size_t size)
{
    return ph_arena_alloc(ctx, size);
}

static void *writer_realloc(void *ctx, void *ptr, size_t old_size, size_t size)
{
    void *grown = ph_arena_alloc(ctx, size);
    if (grown != NULL)
        memcpy(grown, ptr, old_size < size ? old_size : size);
    return grown;
}

static void writer_free(void *ctx, void *ptr)
{
    (void)ctx, (void)ptr;
}

/* The text of a config value; absent for null. */
static enum ph_status value_text(struct ph_arena *arena, yyjson_val *v, struct ph_slice *ret)
{
    *ret = (struct ph_slice){0};
    yyjson_val *inner =
        yyjson_is_obj(v) && yyjson_obj_size(v) == 1 ? yyjson_obj_get(v, "value") : NULL;
    if (yyjson_is_str(inner))
        v = inner;
    if (yyjson_is_str(v) || yyjson_is_raw(v)) {
        *ret = text_of(v);
    } else if (yyjson_is_bool(v)) {
        *ret = yyjson_get_bool(v) ? PH_S("true") : PH_S("false");
    } else if (yyjson_is_ctn(v)) {
        const yyjson_alc alc = {writer_alloc, writer_realloc, writer_free, arena};
        size_t len = 0;
        char *text = yyjson_val_write_opts(v, 0, &alc, &len, NULL);
        if (text == NULL)
            return PH_ERR_NO_MEMORY;
        *ret = ph_slice_of(text, len);
    }
    return PH_OK;
}

enum ph_status ph_wire_read_config(struct ph_arena *arena, struct ph_slice text,
                                   struct ph_slice member, struct ph_slice *ret_connector,
                                   struct ph_config_value **ret_values, size_t *ret_count,
                                   struct ph_slice *ret_why)
{
    yyjson_val *root;
    PH_TRY(read_json(arena, text, &root, ret_why));
    *ret_why = PH_S("it must hold one connector's object, by its name");
    if (!yyjson_is_obj(root))
        return PH_ERR_MALFORMED;
    yyjson_val *config = yyjson_obj_getn(root, member.ptr, member.len);
    if (config == NULL || yyjson_is_null(config))
        return PH_ERR_NOT_FOUND;
    if (!yyjson_is_obj(config) || yyjson_obj_size(config) != 1)
        return PH_ERR_MALFORMED;
    yyjson_val *key = unsafe_yyjson_get_first(config), *fields = yyjson_obj_iter_get_val(key);
    if (!yyjson_is_obj(fields))
        return PH_ERR_MALFORMED;
    struct ph_slice connector = snake(arena, text_of(key));
    size_t count = yyjson_obj_size(fields), n = 0;
    struct ph_config_value *values = ph_arena_alloc(arena, (count + 1) * sizeof(*values));
    if (values == NULL || !ph_slice_present(connector))
        return PH_ERR_NO_MEMORY;
    yyjson_obj_iter it = yyjson_obj_iter_with(fields);
    for (yyjson_val *k; (k = yyjson_obj_iter_next(&it)) != NULL;) {
        struct ph_slice value;
        PH_TRY(value_text(arena, yyjson_obj_iter_get_val(k), &value));
        if (ph_slice_present(value))
            values[n++] = (struct ph_config_value){text_of(k), value};
    }
    *ret_connector = connector;
    *ret_values = values;
    *ret_count = n;
    return PH_OK;
}
