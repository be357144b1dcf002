/* Protobuf without a schema: the fields of a message one by one, and messages written field by
 * field. For messages that are small, or that are passed on rather than understood. */
#ifndef PH_WIRE_FIELDS_H
#define PH_WIRE_FIELDS_H

#include "base/arena.h"

enum ph_pb_type { PH_PB_VARINT = 0, PH_PB_FIXED64 = 1, PH_PB_BYTES = 2, PH_PB_FIXED32 = 5 };

struct ph_pb_field {
    uint32_t number;
    enum ph_pb_type type;
    uint64_t value;        /* VARINT */
    struct ph_slice bytes; /* BYTES: the content; else as encoded, without the tag */
};

/* Takes the next field off *rest; PH_ERR_NOT_FOUND at the end, PH_ERR_MALFORMED. */
PH_MUST_USE enum ph_status ph_pb_next(struct ph_slice *rest, struct ph_pb_field *ret);
/* The last field of that number and type BYTES; absent: there is none, or the message is malformed.
 */
struct ph_slice ph_pb_bytes_of(struct ph_slice message, uint32_t number);

/* Without memory it writes nothing more and `failed` is set. */
struct ph_pb_writer {
    struct ph_arena *arena;
    char *ptr;
    size_t len, room;
    bool failed;
};
void ph_pb_put_bytes(struct ph_pb_writer *w, uint32_t number, struct ph_slice bytes);
void ph_pb_put_number(struct ph_pb_writer *w, uint32_t number, uint64_t value);
/* The same field under another number. */
void ph_pb_put_field(struct ph_pb_writer *w, uint32_t number, const struct ph_pb_field *field);
static inline struct ph_slice ph_pb_written(const struct ph_pb_writer *w)
{
    return ph_slice_of(w->ptr != NULL ? w->ptr : "", w->len);
}

#endif
