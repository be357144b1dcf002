/* Protobuf bytes, field by field, in place. Private to wire/. */
#ifndef PH_WIRE_SCAN_H
#define PH_WIRE_SCAN_H

#include <protobuf-c/protobuf-c.h>

#include "base/slice.h"

enum { PH_WIRE_VARINT = 0, PH_WIRE_64 = 1, PH_WIRE_BYTES = 2, PH_WIRE_32 = 5 };

struct ph_scanned {
    uint32_t number;
    unsigned wire;
    uint64_t varint;       /* VARINT */
    struct ph_slice bytes; /* of all other kinds */
};

/* Takes the next field off `in`. False: no protobuf (groups are refused: proto3 has none). */
bool ph_scan_next(struct ph_slice *in, struct ph_scanned *ret);

enum ph_scan { PH_SCAN_GOOD, PH_SCAN_TEXT, PH_SCAN_MALFORMED };
/* A whole message that nobody reads, by its descriptor, nested ones to `depth`: TEXT: a string, *ret_field, is not
 * UTF-8 or holds NUL. */
enum ph_scan ph_scan_message(const ProtobufCMessageDescriptor *type, struct ph_slice bytes, size_t depth,
                             const char **ret_field);

#endif
