/* Messages that nobody reads, checked by their descriptors. Private to wire/. */
#ifndef PH_WIRE_SCAN_H
#define PH_WIRE_SCAN_H

#include <protobuf-c/protobuf-c.h>

#include "wire/fields.h"

enum ph_scan { PH_SCAN_GOOD, PH_SCAN_TEXT, PH_SCAN_MALFORMED };
/* A whole message, nested ones to `depth`. TEXT: a string, *ret_field, is not UTF-8 or holds
 * NUL. */
enum ph_scan ph_scan_message(const ProtobufCMessageDescriptor *type, struct ph_slice bytes,
                             size_t depth, const char **ret_field);

#endif
