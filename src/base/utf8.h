/* UTF-8 (RFC 3629): shortest forms, no surrogates, nothing above U+10FFFF. NUL is a character like others. */
#ifndef PH_BASE_UTF8_H
#define PH_BASE_UTF8_H

#include "base/slice.h"

/* Bytes of the well-formed character that a text begins with; 0: none. */
size_t ph_utf8_char(struct ph_slice text);
bool ph_utf8_valid(struct ph_slice text);

#endif
