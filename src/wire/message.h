/* Messages that come in, handled by their descriptors: one code for every message. Private to
 * wire/. */
#ifndef PH_WIRE_MESSAGE_H
#define PH_WIRE_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/utf8.h"

/* Empty; NULL without memory. */
ProtobufCMessage *ph_message_new(struct ph_arena *arena, const ProtobufCMessageDescriptor *type);

/* Map fields are repeated messages called ...Entry, of a key and a value. */
bool ph_message_is_map(const ProtobufCFieldDescriptor *f);
/* Bytes of one element of a repeated field. */
size_t ph_message_value_size(const ProtobufCFieldDescriptor *f);

/* UTF-8 without NUL; the same bytes when they already are. {NULL,0} without memory. */
struct ph_slice ph_text_clean(struct ph_arena *arena, struct ph_slice text);
bool ph_text_valid_rare(struct ph_slice text); /* of texts that are not ASCII alone */
static inline bool ph_text_valid(struct ph_slice text)
{
    return ph_utf8_plain(text) || ph_text_valid_rare(text);
}
/* All parts in a row; {NULL,0} without memory. */
struct ph_slice ph_text_join(struct ph_arena *arena, const struct ph_slice *parts, size_t count);

/* Canonical JSON to a message; unknown members are skipped, wrong types are not (*ret_why). */
PH_MUST_USE enum ph_status ph_message_read_json(struct ph_arena *arena,
                                                const ProtobufCMessageDescriptor *type,
                                                struct ph_slice text, ProtobufCMessage **ret,
                                                struct ph_slice *ret_why);

#endif
