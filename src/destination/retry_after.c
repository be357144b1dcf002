#include "destination/retry_after.h"

#include <time.h>

#include "core/codec.h"

/* "Sun, 06 Nov 1994 08:49:37 GMT", the form that is sent today; in seconds, or -1. */
static int64_t date_s(struct ph_slice value)
{
    enum { DATE_BYTES = 29 };
    char text[DATE_BYTES + 1];
    struct tm tm = {0};
    if (value.len != DATE_BYTES)
        return -1;
    memcpy(text, value.ptr, DATE_BYTES);
    text[DATE_BYTES] = '\0';
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT",
                               &tm); /* in the C locale, which nothing here leaves */
    return end != NULL && *end == '\0' ? (int64_t)timegm(&tm) : -1;
}

int64_t ph_retry_after_ms(struct ph_slice value, int64_t now_ms)
{
    enum { SECONDS_MAX = 366 * 24 * 3600 };
    int64_t seconds;
    value = ph_slice_trim(value);
    if (ph_parse_int64(value, &seconds))
        return seconds <= 0 ? 0 : (seconds < SECONDS_MAX ? seconds : SECONDS_MAX) * 1000;
    int64_t at_s = date_s(value);
    return at_s < 0 || at_s * 1000 <= now_ms ? 0 : at_s * 1000 - now_ms;
}
