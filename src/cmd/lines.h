/* Lines of standard input, each with a bound. Private to cmd/. */
#ifndef PH_CMD_LINES_H
#define PH_CMD_LINES_H

#include "base/slice.h"

/* L1: holds at most PH_LINE_BYTES_MAX and one read, whatever comes. L2: a line that is too long
 * is skipped to its end and reported once. */
struct ph_lines;
enum ph_line { PH_LINE_END, PH_LINE_OK, PH_LINE_TOO_LONG, PH_LINE_FAILED };

/* NULL: no memory. */
struct ph_lines *ph_lines_new(int fd);
/* Wipes what it read: lines carry secrets. */
void ph_lines_free(struct ph_lines *lines);
/* The next line without its LF; the last one needs none. Lives until the next call, and may be
 * written to. */
enum ph_line ph_lines_next(struct ph_lines *lines, char **ret, size_t *ret_len);

#endif
