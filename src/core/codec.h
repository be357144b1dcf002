/* Text encodings, strict: what a sender may write in more than one way is refused unless asked
 * for. */
#ifndef PH_CORE_CODEC_H
#define PH_CORE_CODEC_H

#include "base/arena.h"

/* Each answers false when `in` is not of that encoding, or memory ran out (then *ret is unchanged).
 * Results lie in the arena; an empty input gives an empty, present text. */
bool ph_hex_decode(struct ph_arena *arena, struct ph_slice in, bool lower_only,
                   struct ph_slice *ret);
bool ph_hex_encode(struct ph_arena *arena, struct ph_slice in, struct ph_slice *ret);
/* `url`: the URL alphabet. Padding may be there or not; unused bits must be zero. `lenient`: either
 * alphabet, white space between, unused bits free. */
bool ph_base64_decode(struct ph_arena *arena, struct ph_slice in, bool url, bool lenient,
                      struct ph_slice *ret);
bool ph_base64_encode(struct ph_arena *arena, struct ph_slice in, bool url, bool pad,
                      struct ph_slice *ret);
/* %XX; with `form`, '+' is a space. A '%' without two hex digits stands for itself, as browsers
 * do. */
bool ph_percent_decode(struct ph_arena *arena, struct ph_slice in, bool form, struct ph_slice *ret);
/* RFC 3986: all but unreserved bytes. */
bool ph_percent_encode(struct ph_arena *arena, struct ph_slice in, struct ph_slice *ret);
/* As inside a JSON string, quotes not included. Bytes over 0x7f pass as they are. */
bool ph_json_escape(struct ph_arena *arena, struct ph_slice in, struct ph_slice *ret);
/* Where JSON text nests deeper than PH_DEPTH_MAX; SIZE_MAX: nowhere. yyjson keeps no limit of
 * its own. */
size_t ph_json_too_deep(struct ph_slice text);
/* CRC-32 (IEEE 802.3). */
uint32_t ph_crc32(struct ph_slice in);
/* Decimal text of a number. */
struct ph_slice ph_decimal(struct ph_arena *arena, int64_t number);
/* Unix ms as 2026-11-24T10:00:00Z; absent outside the years 1970 to 9999. (time.c) */
#define PH_ISO_END_MS ((int64_t)253402300800000) /* 10000-01-01 */
struct ph_slice ph_iso_text(struct ph_arena *arena, int64_t ms);
/* RFC 3339 and its relatives to unix ms; false: not a time of those years. (time.c) */
bool ph_parse_iso(struct ph_slice text, int64_t *ret_ms);
/* Plain decimal digits with an optional '-': no blanks, no '+', no exponent. False on overflow
 * too. */
bool ph_parse_int64(struct ph_slice text, int64_t *ret);

#endif
