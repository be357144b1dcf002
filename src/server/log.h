/* The log: lines of many threads, written to standard error by one thread of its own.
 *
 * G1: writing a line never waits for whoever reads the log: past PH_LOG_BUFFER_BYTES lines are
 * lost, counted, and their number is the next line written. G2: lines are whole, and one thread's
 * in their order. */
#ifndef PH_SERVER_LOG_H
#define PH_SERVER_LOG_H

#include "server/log_line.h"

struct ph_log;

/* Gives a log that runs, or NULL. `fd` is kept, and not closed. Signals must be blocked in the
 * calling thread. */
struct ph_log *ph_log_start(int fd, bool json, enum ph_log_severity most);
/* Writes what there is, for at most PH_LOG_FLUSH_MS. When nobody writes lines any more. NULL is
 * fine. */
void ph_log_stop(struct ph_log *log);
/* From now on; any thread. */
void ph_log_configure(struct ph_log *log, bool json, enum ph_log_severity most);

/* Any thread. False: nobody wants lines of this severity (or log is NULL), and `line` is not begun.
 */
bool ph_log_open(struct ph_log *log, enum ph_log_severity severity, struct ph_slice what,
                 struct ph_log_line *line);
void ph_log_write(struct ph_log *log, struct ph_log_line *line);

uint64_t ph_log_lines(struct ph_log *log); /* since the start */
uint64_t ph_log_lost(struct ph_log *log);

#endif
