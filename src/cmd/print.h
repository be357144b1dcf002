/* Texts of strangers on a terminal: every byte visible, none acted on. Private to cmd/. */
#ifndef PH_CMD_PRINT_H
#define PH_CMD_PRINT_H

#include <stdio.h>

#include "core/engine.h"

/* CR, LF, tab, NUL and other control bytes, backslashes, bytes that are not UTF-8 and characters
 * that hide (ph_utf8_hidden) come out as \r \n \t \x00 \\ \xff: what is printed can be read back
 * to the bytes. */
void ph_print_escaped(struct ph_slice s);
void ph_print_escaped_to(FILE *out, struct ph_slice s);
/* A JSON string, quotes included; bytes that are not UTF-8 come out as U+FFFD. */
void ph_print_json_string(struct ph_arena *arena, struct ph_slice s);
/* JSON text as it is, but for characters that hide or act on a terminal (ph_utf8_hidden): those
 * as \u009b, which is the same text to whoever reads JSON. */
void ph_print_json(struct ph_slice text);
/* One event for a person, as label and value lines. */
void ph_print_event(const struct ph_event *event);

#endif
