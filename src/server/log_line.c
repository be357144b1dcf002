#include "server/log_line.h"

#include <stdio.h>
#include <time.h>

#include "gateway/mask.h"

/* For the end: `}` and a line feed. */
enum { END_BYTES = 2 };

static bool put(struct ph_log_line *line, const char *bytes, size_t len)
{
    if (sizeof line->bytes - END_BYTES - line->len < len)
        return false;
    memcpy(line->bytes + line->len, bytes, len);
    line->len += len;
    return true;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           strchr("-_.:/+*@,;%()", c) != NULL;
}

/* The text within quotes, both formats alike; logfmt does without them where it can. */
static size_t quote(struct ph_slice text, size_t most, bool bare_may_be, char *to)
{
    char printable[PH_LOG_OURS_BYTES_MAX], clean[PH_LOG_OURS_BYTES_MAX];
    size_t len = text.len < most ? text.len : most, out = 0;
    bool bare = bare_may_be;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        printable[i] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
    }
    len = ph_mask_words(ph_slice_of(printable, len), clean);
    for (size_t i = 0; i < len; i++)
        bare = bare && is_plain(clean[i]);
    if (!bare)
        to[out++] = '"';
    for (size_t i = 0; i < len; i++) {
        if (clean[i] == '"' || clean[i] == '\\')
            to[out++] = '\\';
        to[out++] = clean[i];
    }
    if (!bare)
        to[out++] = '"';
    return out;
}

static void put_field(struct ph_log_line *line, const char *key, const char *value,
                      size_t value_len)
{
    size_t before = line->len;
    bool fits = line->json
                    ? put(line, ",\"", 2) && put(line, key, strlen(key)) && put(line, "\":", 2)
                    : put(line, " ", 1) && put(line, key, strlen(key)) && put(line, "=", 1);
    if (!fits || !put(line, value, value_len))
        line->len = before;
}

void ph_log_text(struct ph_log_line *line, const char *key, struct ph_slice text)
{
    char quoted[2 * PH_LOG_TEXT_BYTES_MAX + 2];
    if (text.len > 0)
        put_field(line, key, quoted, quote(text, PH_LOG_TEXT_BYTES_MAX, !line->json, quoted));
}

void ph_log_ours(struct ph_log_line *line, const char *key, struct ph_slice text)
{
    char quoted[2 * PH_LOG_OURS_BYTES_MAX + 2];
    if (text.len > 0)
        put_field(line, key, quoted, quote(text, PH_LOG_OURS_BYTES_MAX, !line->json, quoted));
}

void ph_log_number(struct ph_log_line *line, const char *key, int64_t number)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%lld", (long long)number);
    put_field(line, key, text, (size_t)len);
}

void ph_log_begin(struct ph_log_line *line, bool json, int64_t unix_ms,
                  enum ph_log_severity severity, struct ph_slice what)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    struct tm parts = {0};
    time_t seconds = (time_t)(unix_ms / 1000);
    char time[40], what_quoted[2 * PH_LOG_TEXT_BYTES_MAX + 2];
    line->json = json;
    line->len = 0;
    (void)gmtime_r(&seconds, &parts);
    size_t time_len = strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &parts);
    time_len +=
        (size_t)snprintf(time + time_len, sizeof time - time_len, ".%03dZ", (int)(unix_ms % 1000));
    size_t what_len = quote(what, PH_LOG_TEXT_BYTES_MAX, false, what_quoted);
    if (json) {
        (void)(put(line, "{\"time\":\"", 9) && put(line, time, time_len) &&
               put(line, "\",\"level\":\"", 11) &&
               put(line, names[severity], strlen(names[severity])) &&
               put(line, "\",\"message\":", 12) && put(line, what_quoted, what_len));
        return;
    }
    (void)(put(line, time, time_len) && put(line, " ", 1) &&
           put(line, names[severity], strlen(names[severity])) && put(line, " ", 1) &&
           put(line, what_quoted + 1, what_len - 2));
}

struct ph_slice ph_log_end(struct ph_log_line *line)
{
    if (line->json)
        line->bytes[line->len++] = '}';
    line->bytes[line->len++] = '\n';
    return ph_slice_of(line->bytes, line->len);
}
