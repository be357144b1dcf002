/* A message on its way out, written straight as protobuf or as canonical protobuf JSON: no tree
 * of it is built.
 *
 * O1: fields are put in the order of their numbers, as every protobuf library packs them.
 * O2: names, numbers and kinds stand in const rows; a test reads every JSON answer back by the
 *     descriptors and compares it with the protobuf one, so a row that is wrong does not pass. */
#ifndef PH_WIRE_OUT_H
#define PH_WIRE_OUT_H

#include "base/arena.h"
#include "connector/words.h"

/* One field: its number, whether its default is told too (optional fields, members of a oneof),
 * and its name as JSON writes it, quotes and colon included. */
struct ph_row {
    uint16_t number;
    bool always;
    struct ph_slice name;
};
/* clang-format off */
#define PH_ROW(number, name) {number, false, PH_SI("\"" #name "\":")}
#define PH_ROW_ALWAYS(number, name) {number, true, PH_SI("\"" #name "\":")}
/* clang-format on */

struct ph_out {
    struct ph_arena *arena;
    bool json;
    bool serde;  /* JSON: the dialect of the peer's HTTP server (ph_wire_write_serde) */
    bool comma;  /* JSON: something stands before, in the same braces */
    bool failed; /* no memory: what is put is lost, and said at the end */
    char *ptr;
    size_t len, room;
};

/* JSON begins and ends the outermost braces; protobuf has none. PH_ERR_NO_MEMORY where anything
 * failed. */
void ph_out_begin(struct ph_out *out);
PH_MUST_USE enum ph_status ph_out_end(struct ph_out *out, struct ph_slice *ret);

/* Absent texts are not put; bytes that are not UTF-8, and NUL, become U+FFFD (W1). */
void ph_out_text(struct ph_out *out, const struct ph_row *row, struct ph_slice text);
void ph_out_bytes(struct ph_out *out, const struct ph_row *row, struct ph_slice bytes);
void ph_out_bool(struct ph_out *out, const struct ph_row *row, bool value);
void ph_out_int32(struct ph_out *out, const struct ph_row *row, int32_t number); /* uint32 too */
void ph_out_int64(struct ph_out *out, const struct ph_row *row, int64_t number);
/* An enum; JSON tells its word, or the number where the vocabulary has none. */
void ph_out_word(struct ph_out *out, const struct ph_row *row, enum ph_vocabulary words,
                 int32_t number);
void ph_out_named(struct ph_out *out, const struct ph_row *row, int32_t number,
                  struct ph_slice name);

/* A message within. What ph_out_open gives goes to ph_out_close. */
size_t ph_out_open(struct ph_out *out, const struct ph_row *row);
void ph_out_close(struct ph_out *out, size_t mark);
/* The same for an arm of a oneof, which serde writes one level deeper:
 * {"content":{"PaymentsResponse":{…}}}. */
size_t ph_out_open_arm(struct ph_out *out, const struct ph_row *row, struct ph_slice oneof);
void ph_out_close_arm(struct ph_out *out, size_t mark);

/* A repeated field, element by element; `index` counts from 0, and ph_out_list_end follows the
 * last one. */
void ph_out_list_text(struct ph_out *out, const struct ph_row *row, size_t index,
                      struct ph_slice text);
size_t ph_out_list_open(struct ph_out *out, const struct ph_row *row, size_t index);
void ph_out_list_end(struct ph_out *out);
/* A repeated enum, packed. */
void ph_out_list_named(struct ph_out *out, const struct ph_row *row, const struct ph_word *words,
                       size_t count);
/* One entry of a map of texts; the whole map ends with ph_out_map_end. */
void ph_out_map_text(struct ph_out *out, const struct ph_row *row, size_t index,
                     struct ph_slice name, struct ph_slice value);
void ph_out_map_end(struct ph_out *out);

#endif
