/* Protobuf bytes, field by field, in place and without a schema. */
#ifndef PH_WIRE_FIELDS_H
#define PH_WIRE_FIELDS_H

#include "base/slice.h"

enum { PH_WIRE_VARINT = 0, PH_WIRE_64 = 1, PH_WIRE_BYTES = 2, PH_WIRE_32 = 5 };

struct ph_scanned {
    uint32_t number;
    unsigned wire;
    uint64_t varint;       /* VARINT */
    struct ph_slice bytes; /* of all other kinds */
};

/* Takes the next field off `in`, which has one. False: no protobuf (groups are refused: proto3
 * has none). */
bool ph_scan_next(struct ph_slice *in, struct ph_scanned *ret);
/* The last field of that number that has bytes; absent: there is none, or the message is
 * malformed. */
struct ph_slice ph_scan_bytes_of(struct ph_slice message, uint32_t number);

#endif
