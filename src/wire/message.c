#include "wire/message.h"

#include "base/utf8.h"

static void *at(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    return (char *)m + f->offset;
}

static const ProtobufCFieldDescriptor *field(ProtobufCMessage *m, const char *name)
{
    return protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
}

/* proto3 optional and oneof members keep their number where the quantifier points. */
static void note(ProtobufCMessage *m, const ProtobufCFieldDescriptor *f)
{
    if ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        *(uint32_t *)(void *)((char *)m + f->quantifier_offset) = f->id;
    else if (f->label == PROTOBUF_C_LABEL_OPTIONAL && f->quantifier_offset != 0)
        *(protobuf_c_boolean *)((char *)m + f->quantifier_offset) = 1;
}

ProtobufCMessage *ph_message_new(struct ph_message_writer *w, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *m = ph_arena_alloc(w->arena, type->sizeof_message);
    if (m == NULL) {
        w->failed = true;
        return NULL;
    }
    type->message_init(m);
    return m;
}

/* ---- texts ------------------------------------------------------------------------------------------- */

static size_t good_char(struct ph_slice s)
{
    return s.ptr[0] != '\0' ? ph_utf8_char(s) : 0;
}

bool ph_text_valid(struct ph_slice text)
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

/* ---- shapes ------------------------------------------------------------------------------------------- */

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

/* ---- setters ------------------------------------------------------------------------------------------- */

static char *c_text(struct ph_message_writer *w, struct ph_slice text)
{
    struct ph_slice copy = ph_arena_copy(w->arena, ph_text_clean(w->arena, text));
    if (copy.ptr == NULL)
        w->failed = true;
    return (char *)(uintptr_t)copy.ptr;
}

void ph_message_text(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, struct ph_slice text)
{
    const ProtobufCFieldDescriptor *f = m != NULL ? field(m, name) : NULL;
    char *copy;
    if (f == NULL || !ph_slice_present(text) || (copy = c_text(w, text)) == NULL)
        return;
    *(char **)at(m, f) = copy;
    note(m, f);
}

void ph_message_bytes(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, struct ph_slice bytes)
{
    const ProtobufCFieldDescriptor *f = m != NULL ? field(m, name) : NULL;
    (void)w;
    if (f == NULL || bytes.len == 0)
        return;
    *(ProtobufCBinaryData *)at(m, f) = (ProtobufCBinaryData){bytes.len, (uint8_t *)(uintptr_t)bytes.ptr};
    note(m, f);
}

void ph_message_number(ProtobufCMessage *m, const char *name, int64_t number)
{
    const ProtobufCFieldDescriptor *f = m != NULL ? field(m, name) : NULL;
    if (f == NULL)
        return;
    if (f->type == PROTOBUF_C_TYPE_INT64 || f->type == PROTOBUF_C_TYPE_UINT64)
        *(int64_t *)at(m, f) = number;
    else
        *(int32_t *)at(m, f) = (int32_t)number; /* enums, booleans and 32-bit numbers alike */
    note(m, f);
}

ProtobufCMessage *ph_message_sub(struct ph_message_writer *w, ProtobufCMessage *m, const char *name)
{
    const ProtobufCFieldDescriptor *f = m != NULL ? field(m, name) : NULL;
    if (f == NULL)
        return NULL;
    ProtobufCMessage *sub = *(ProtobufCMessage **)at(m, f);
    bool there = sub != NULL && ((f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0 ||
                                 *(uint32_t *)(void *)((char *)m + f->quantifier_offset) == f->id);
    if (there)
        return sub;
    sub = ph_message_new(w, f->descriptor);
    if (sub != NULL) {
        *(ProtobufCMessage **)at(m, f) = sub;
        note(m, f);
    }
    return sub;
}

/* The next slot of a repeated field of `size`-byte elements. */
static void *append(struct ph_message_writer *w, ProtobufCMessage *m, const ProtobufCFieldDescriptor *f, size_t size,
                    size_t room)
{
    size_t *count = (size_t *)(void *)((char *)m + f->quantifier_offset);
    char **list = at(m, f);
    if (*count == 0)
        *list = ph_arena_zalloc(w->arena, (room + 1) * size);
    if (*list == NULL || *count > room) {
        w->failed = true;
        return NULL;
    }
    return *list + (*count)++ * size;
}

ProtobufCMessage *ph_message_add(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, size_t room)
{
    const ProtobufCFieldDescriptor *f = m != NULL ? field(m, name) : NULL;
    ProtobufCMessage *sub = f != NULL ? ph_message_new(w, f->descriptor) : NULL;
    ProtobufCMessage **slot = sub != NULL ? append(w, m, f, sizeof(sub), room) : NULL;
    if (slot == NULL)
        return NULL;
    *slot = sub;
    return sub;
}

void ph_message_add_text(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, struct ph_slice text,
                         size_t room)
{
    const ProtobufCFieldDescriptor *f = m != NULL ? field(m, name) : NULL;
    char *copy = f != NULL ? c_text(w, text) : NULL;
    char **slot = copy != NULL ? append(w, m, f, sizeof(copy), room) : NULL;
    if (slot != NULL)
        *slot = copy;
}

void ph_message_add_number(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, int32_t number,
                           size_t room)
{
    const ProtobufCFieldDescriptor *f = m != NULL ? field(m, name) : NULL;
    int32_t *slot = f != NULL ? append(w, m, f, sizeof(number), room) : NULL;
    if (slot != NULL)
        *slot = number;
}

enum ph_status ph_message_pack(struct ph_arena *arena, const ProtobufCMessage *m, struct ph_slice *ret)
{
    size_t size = protobuf_c_message_get_packed_size(m);
    uint8_t *out = ph_arena_alloc(arena, size + 1);
    if (out == NULL)
        return PH_ERR_NO_MEMORY;
    *ret = ph_slice_of(out, protobuf_c_message_pack(m, out));
    return PH_OK;
}
