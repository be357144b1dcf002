/* One line of the log, for people ("2026-11-29T10:00:00.123Z info webhook endpoint=shop …") or
 * for programs (a JSON object). Pure.
 *
 * N1: a line is one line, and JSON is JSON, whatever strangers sent: what is not printable ASCII
 * becomes '?'. N2: bounded: a text is cut after PH_LOG_TEXT_BYTES_MAX, and a field for which
 * there is no room is left out whole. N3: what looks like a card number or an address of e-mail
 * is masked (gateway/mask.h, M1); ids that people search by stay. Secrets and bodies are never
 * given to it. */
#ifndef PH_SERVER_LOG_LINE_H
#define PH_SERVER_LOG_LINE_H

#include "base/limits.h"
#include "base/slice.h"

enum ph_log_severity {
    PH_SEVERITY_ERROR,
    PH_SEVERITY_WARNING,
    PH_SEVERITY_INFO,
    PH_SEVERITY_DEBUG
};

struct ph_log_line {
    bool json;
    size_t len;
    char bytes[PH_LOG_LINE_BYTES_MAX];
};

void ph_log_begin(struct ph_log_line *line, bool json, int64_t unix_ms,
                  enum ph_log_severity severity, struct ph_slice what);
/* Empty texts are left out. The key is ours: letters and '_'. */
void ph_log_text(struct ph_log_line *line, const char *key, struct ph_slice text);
/* The same for a text of our own, which may be as long as PH_LOG_OURS_BYTES_MAX. */
void ph_log_ours(struct ph_log_line *line, const char *key, struct ph_slice text);
void ph_log_number(struct ph_log_line *line, const char *key, int64_t number);
/* The line feed, too. */
struct ph_slice ph_log_end(struct ph_log_line *line);

#endif
