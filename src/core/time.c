/* Times: what processors write, to and from unix milliseconds. Years 1970 to 9999; no floats. */
#include "core/codec.h"
#include "core/value.h"

/* Days from 1970-01-01 of a proleptic Gregorian date (the usual era arithmetic). */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    y -= m <= 2;
    int64_t era = y / 400, yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static bool digits(struct ph_slice text, size_t at, size_t count, int64_t *ret)
{
    if (at + count > text.len)
        return false;
    for (size_t i = 0; i < count; i++)
        if (text.ptr[at + i] < '0' || text.ptr[at + i] > '9')
            return false;
    return ph_parse_int64(ph_slice_of(text.ptr + at, count), ret);
}

static bool is_date(int64_t y, int64_t m, int64_t d)
{
    static const int64_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return y >= 1970 && m >= 1 && m <= 12 && d >= 1 &&
           d <= lengths[m - 1] + (m == 2 && leap ? 1 : 0);
}

/* "Z", "+01:00", "+0100", "+01", " UTC", or nothing: the offset in minutes. */
static bool zone(struct ph_slice text, int64_t *ret_minutes)
{
    text = ph_slice_trim(text);
    *ret_minutes = 0;
    if (text.len == 0 || ph_slice_eq(text, PH_S("Z")) || ph_slice_eq(text, PH_S("z")) ||
        ph_slice_eq(text, PH_S("UTC")) || ph_slice_eq(text, PH_S("GMT")))
        return true;
    int64_t hours, minutes = 0;
    if ((text.ptr[0] != '+' && text.ptr[0] != '-') || !digits(text, 1, 2, &hours))
        return false;
    size_t at = text.len > 3 && text.ptr[3] == ':' ? 4 : 3;
    if (text.len > 3 && (!digits(text, at, 2, &minutes) || text.len != at + 2))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *ret_minutes = (hours * 60 + minutes) * (text.ptr[0] == '-' ? -1 : 1);
    return true;
}

bool ph_parse_iso(struct ph_slice text, int64_t *ret_ms)
{
    int64_t y, mo, d, h = 0, mi = 0, s = 0, ms = 0, offset = 0;
    text = ph_slice_trim(text);
    if (!digits(text, 0, 4, &y) || !digits(text, 5, 2, &mo) || !digits(text, 8, 2, &d) ||
        text.ptr[4] != '-' || text.ptr[7] != '-' || !is_date(y, mo, d))
        return false;
    size_t at = 10;
    if (text.len > at && (text.ptr[at] == 'T' || text.ptr[at] == 't' || text.ptr[at] == ' ')) {
        if (!digits(text, 11, 2, &h) || !digits(text, 14, 2, &mi) || text.ptr[13] != ':')
            return false;
        at = 16;
        if (text.len > at && text.ptr[at] == ':') {
            if (!digits(text, 17, 2, &s))
                return false;
            at = 19;
        }
        if (text.len > at && (text.ptr[at] == '.' || text.ptr[at] == ',')) {
            int64_t scale = 100;
            for (at++; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++) {
                ms += (text.ptr[at] - '0') * scale;
                scale /= 10;
            }
        }
        if (h > 23 || mi > 59 || s > 60 || !zone(ph_slice_from(text, at), &offset))
            return false;
    } else if (text.len != at) {
        return false;
    }
    *ret_ms = ((days_of(y, mo, d) * 24 + h) * 60 + mi - offset) * 60000 + s * 1000 + ms;
    return *ret_ms >= 0;
}

static void two(char *out, int64_t number)
{
    out[0] = (char)('0' + number / 10 % 10);
    out[1] = (char)('0' + number % 10);
}

struct ph_slice ph_iso_text(struct ph_arena *arena, int64_t ms)
{
    enum { ISO_BYTES = 20 };
    char *out = ph_arena_alloc(arena, ISO_BYTES);
    if (out == NULL || ms < 0 || ms >= PH_ISO_END_MS)
        return (struct ph_slice){0};
    int64_t days = ms / 86400000, rest = ms % 86400000 / 1000;
    int64_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int64_t d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
    int64_t y = yoe + era * 400 + (m <= 2 ? 1 : 0);
    memcpy(out, "0000-00-00T00:00:00Z", ISO_BYTES);
    two(out, y / 100);
    two(out + 2, y % 100);
    two(out + 5, m);
    two(out + 8, d);
    two(out + 11, rest / 3600);
    two(out + 14, rest / 60 % 60);
    two(out + 17, rest % 60);
    return ph_slice_of(out, ISO_BYTES);
}
