/* Messages handled by their descriptors: set a field by name, print and read JSON. One code for every
 * message. Private to wire/. */
#ifndef PH_WIRE_MESSAGE_H
#define PH_WIRE_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/limits.h"

/* Setters find the field by name (a page-sized binary search) and note its presence. They need memory only
 * where they copy; without it they leave the field out and set *failed. */
struct ph_message_writer {
    struct ph_arena *arena;
    bool failed;
};
ProtobufCMessage *ph_message_new(struct ph_message_writer *w, const ProtobufCMessageDescriptor *type);
/* Absent texts are not set; bytes that are not UTF-8, and NUL, become U+FFFD. */
void ph_message_text(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, struct ph_slice text);
void ph_message_bytes(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, struct ph_slice bytes);
/* Enums, bools and integers. */
void ph_message_number(ProtobufCMessage *m, const char *name, int64_t number);
ProtobufCMessage *ph_message_sub(struct ph_message_writer *w, ProtobufCMessage *m, const char *name);
/* Appends to a repeated field of messages, that has room for `room` of them. */
ProtobufCMessage *ph_message_add(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, size_t room);
void ph_message_add_text(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, struct ph_slice text,
                         size_t room);
void ph_message_add_number(struct ph_message_writer *w, ProtobufCMessage *m, const char *name, int32_t number,
                           size_t room);

/* Map fields are repeated messages called ...Entry, of a key and a value. */
bool ph_message_is_map(const ProtobufCFieldDescriptor *f);
/* Bytes of one element of a repeated field. */
size_t ph_message_value_size(const ProtobufCFieldDescriptor *f);

/* UTF-8 without NUL; the same bytes when they already are. {NULL,0} without memory. */
struct ph_slice ph_text_clean(struct ph_arena *arena, struct ph_slice text);
bool ph_text_valid(struct ph_slice text);
/* All parts in a row; {NULL,0} without memory. */
struct ph_slice ph_text_join(struct ph_arena *arena, const struct ph_slice *parts, size_t count);

/* Whether every string of an encoded message is UTF-8 without NUL, nested ones to `depth` included; else
 * *ret_field names it. Bytes that are no protobuf pass: unpacking refuses them. (check.c) */
bool ph_message_texts_valid(const ProtobufCMessageDescriptor *type, struct ph_slice bytes, size_t depth,
                            const char **ret_field);

PH_MUST_USE enum ph_status ph_message_pack(struct ph_arena *arena, const ProtobufCMessage *m, struct ph_slice *ret);
PH_MUST_USE enum ph_status ph_message_json(struct ph_arena *arena, const ProtobufCMessage *m, struct ph_slice *ret);
/* Canonical JSON to a message; unknown members are skipped, wrong types are not (*ret_why). */
PH_MUST_USE enum ph_status ph_message_read_json(struct ph_arena *arena, const ProtobufCMessageDescriptor *type,
                                                struct ph_slice text, ProtobufCMessage **ret, struct ph_slice *ret_why);

#endif
