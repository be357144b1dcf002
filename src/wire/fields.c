#include "wire/fields.h"

static bool take_varint(struct ph_slice *rest, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 10 && i < rest->len; i++) {
        unsigned char c = (unsigned char)rest->ptr[i];
        if (i == 9 && c > 1)
            return false;
        value |= (uint64_t)(c & 0x7f) << (7 * i);
        if (c < 0x80) {
            *ret = value;
            *rest = ph_slice_from(*rest, i + 1);
            return true;
        }
    }
    return false;
}

enum ph_status ph_pb_next(struct ph_slice *rest, struct ph_pb_field *ret)
{
    struct ph_slice at = *rest;
    uint64_t tag, len;
    if (at.len == 0)
        return PH_ERR_NOT_FOUND;
    if (!take_varint(&at, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
        return PH_ERR_MALFORMED;
    *ret = (struct ph_pb_field){.number = (uint32_t)(tag >> 3), .type = (enum ph_pb_type)(tag & 7)};
    const char *start = at.ptr;
    switch (ret->type) {
    case PH_PB_VARINT:
        if (!take_varint(&at, &ret->value))
            return PH_ERR_MALFORMED;
        ret->bytes = ph_slice_of(start, (size_t)(at.ptr - start));
        *rest = at;
        return PH_OK;
    case PH_PB_FIXED64:
        len = 8;
        break;
    case PH_PB_FIXED32:
        len = 4;
        break;
    case PH_PB_BYTES:
        if (!take_varint(&at, &len))
            return PH_ERR_MALFORMED;
        break;
    default: /* groups: not of proto3 */
        return PH_ERR_MALFORMED;
    }
    if (len > at.len)
        return PH_ERR_MALFORMED;
    ret->bytes = ph_slice_of(at.ptr, (size_t)len);
    *rest = ph_slice_from(at, (size_t)len);
    return PH_OK;
}

struct ph_slice ph_pb_bytes_of(struct ph_slice message, uint32_t number)
{
    struct ph_slice found = {0};
    struct ph_pb_field field;
    enum ph_status st;
    while ((st = ph_pb_next(&message, &field)) == PH_OK)
        if (field.number == number && field.type == PH_PB_BYTES)
            found = field.bytes;
    return st == PH_ERR_NOT_FOUND ? found : (struct ph_slice){0};
}

/* ---- writing --------------------------------------------------------------------------------- */

static char *room_for(struct ph_pb_writer *w, size_t more)
{
    enum { ROOM_MIN = 256 };
    if (w->failed)
        return NULL;
    if (more > w->room - w->len) {
        size_t room = w->room > ROOM_MIN ? w->room : ROOM_MIN;
        while (room - w->len < more)
            room *= 2;
        char *larger = ph_arena_alloc(w->arena, room);
        if (larger == NULL) {
            w->failed = true;
            return NULL;
        }
        if (w->len > 0)
            memcpy(larger, w->ptr, w->len);
        w->ptr = larger;
        w->room = room;
    }
    return w->ptr + w->len;
}

static void put_varint(struct ph_pb_writer *w, uint64_t value)
{
    char *at = room_for(w, 10);
    if (at == NULL)
        return;
    for (; value >= 0x80; value >>= 7, w->len++)
        *at++ = (char)(0x80 | (value & 0x7f));
    *at = (char)value;
    w->len++;
}

static void put_raw(struct ph_pb_writer *w, struct ph_slice bytes)
{
    char *at = room_for(w, bytes.len);
    if (at == NULL || bytes.len == 0)
        return;
    memcpy(at, bytes.ptr, bytes.len);
    w->len += bytes.len;
}

void ph_pb_put_bytes(struct ph_pb_writer *w, uint32_t number, struct ph_slice bytes)
{
    put_varint(w, (uint64_t)number << 3 | PH_PB_BYTES);
    put_varint(w, bytes.len);
    put_raw(w, bytes);
}

void ph_pb_put_number(struct ph_pb_writer *w, uint32_t number, uint64_t value)
{
    put_varint(w, (uint64_t)number << 3 | PH_PB_VARINT);
    put_varint(w, value);
}

void ph_pb_put_field(struct ph_pb_writer *w, uint32_t number, const struct ph_pb_field *field)
{
    if (field->type == PH_PB_BYTES) {
        ph_pb_put_bytes(w, number, field->bytes);
        return;
    }
    put_varint(w, (uint64_t)number << 3 | field->type);
    put_raw(w, field->bytes);
}
