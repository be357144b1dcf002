/* UTF-8 (RFC 3629): shortest forms, no surrogates, nothing above U+10FFFF. NUL is a character like others. */
#ifndef PH_BASE_UTF8_H
#define PH_BASE_UTF8_H

#include "base/slice.h"

/* Bytes of the well-formed character that a text begins with; 0: none. */
size_t ph_utf8_char(struct ph_slice text);
bool ph_utf8_valid(struct ph_slice text);
/* As much of the front as fits into that many bytes without cutting a character in two. */
struct ph_slice ph_utf8_cut(struct ph_slice text, size_t bytes_max);
/* Bytes of the character that a text begins with, where it is one that acts on a terminal or hides: C1 controls, what
 * turns the direction of writing, line separators, what has no width. 0: it is none. */
size_t ph_utf8_hidden(struct ph_slice text);

#endif
