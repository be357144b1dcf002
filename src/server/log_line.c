#include "server/log_line.h"

#include <stdio.h>
#include <time.h>

/* For the end: `}` and a line feed. */
enum { END_BYTES = 2, CARD_DIGITS_MIN = 13, CARD_DIGITS_MAX = 19, CARD_DIGITS_SHOWN = 4 };

static bool put(struct ph_log_line *line, const char *bytes, size_t len)
{
    if (sizeof line->bytes - END_BYTES - line->len < len)
        return false;
    memcpy(line->bytes + line->len, bytes, len);
    line->len += len;
    return true;
}

/* ---- masks
 * ---------------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ISO/IEC 7812-1, annex B. */
static bool luhn(const char *digits, size_t count)
{
    int sum = 0;
    for (size_t i = 0; i < count; i++) {
        int digit = digits[count - 1 - i] - '0';
        if (i % 2 == 1)
            digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return sum % 10 == 0;
}

static void mask_cards(char *text, size_t len)
{
    for (size_t start = 0; start < len;) {
        char digits[CARD_DIGITS_MAX + 1];
        size_t count = 0, end = start;
        if (!is_digit(text[start])) {
            start++;
            continue;
        }
        /* Groups of digits, as they are printed on cards. */
        for (; end < len && (is_digit(text[end]) ||
                             ((text[end] == ' ' || text[end] == '-') && is_digit(text[end - 1])));
             end++)
            if (is_digit(text[end]) && count++ < sizeof digits)
                digits[count - 1] = text[end];
        if (count >= CARD_DIGITS_MIN && count <= CARD_DIGITS_MAX && luhn(digits, count)) {
            size_t hidden = count - CARD_DIGITS_SHOWN;
            for (size_t i = start; i < end && hidden > 0; i++)
                if (is_digit(text[i])) {
                    text[i] = '*';
                    hidden--;
                }
        }
        start = end;
    }
}

static void mask_mail(char *text, size_t len)
{
    for (size_t at = 1; at < len; at++) {
        if (text[at] != '@')
            continue;
        for (size_t i = at; i > 0 && text[i - 1] != ' ' && text[i - 1] != '<' && text[i - 1] != '"';
             i--)
            text[i - 1] = '*';
    }
}

/* ---- fields
 * --------------------------------------------------------------------------------------- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
           strchr("-_.:/+*@,;%()", c) != NULL;
}

/* The text within quotes, both formats alike; logfmt does without them where it can. */
static size_t quote(struct ph_slice text, bool bare_may_be, char *to)
{
    char clean[PH_LOG_TEXT_BYTES_MAX];
    size_t len = text.len < sizeof clean ? text.len : sizeof clean, out = 0;
    bool bare = bare_may_be;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        clean[i] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
    }
    mask_cards(clean, len);
    mask_mail(clean, len);
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
        put_field(line, key, quoted, quote(text, !line->json, quoted));
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
    size_t what_len = quote(what, false, what_quoted);
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
