#include "gateway/trace.h"

/* version "-" trace-id "-" parent-id "-" flags */
enum { DASH_1 = 2, DASH_2 = 35, DASH_3 = 52, PARENT_START = 36, PARENT_BYTES = 16 };

static bool is_hex(struct ph_slice text, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        char c = text.ptr[i];
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f'))
            return false;
    }
    return true;
}

static bool is_zero(struct ph_slice text, size_t start, size_t count)
{
    for (size_t i = start; i < start + count; i++)
        if (text.ptr[i] != '0')
            return false;
    return true;
}

static bool is_well_formed(struct ph_slice text)
{
    if (text.len < PH_TRACE_BYTES || text.ptr[DASH_1] != '-' || text.ptr[DASH_2] != '-' ||
        text.ptr[DASH_3] != '-')
        return false;
    if (!is_hex(text, 0, DASH_1) || !is_hex(text, DASH_1 + 1, DASH_2) ||
        !is_hex(text, DASH_2 + 1, DASH_3) || !is_hex(text, DASH_3 + 1, PH_TRACE_BYTES))
        return false;
    if (is_zero(text, PH_TRACE_ID_START, PH_TRACE_ID_BYTES) ||
        is_zero(text, PARENT_START, PARENT_BYTES))
        return false;
    bool first_version = ph_slice_starts(text, PH_S("00")),
         no_version = ph_slice_starts(text, PH_S("ff"));
    return !no_version &&
           (text.len == PH_TRACE_BYTES || (!first_version && text.ptr[PH_TRACE_BYTES] == '-'));
}

struct ph_slice ph_trace_parent(const struct ph_header *headers, size_t count)
{
    struct ph_slice found = {0};
    for (size_t i = 0; i < count; i++) {
        if (!ph_slice_eq_nocase(headers[i].name, PH_S("traceparent")))
            continue;
        struct ph_slice value = ph_slice_trim(headers[i].value);
        if (ph_slice_present(found) && !ph_slice_eq(found, value))
            return (struct ph_slice){0};
        found = value;
    }
    if (!ph_slice_present(found) || !is_well_formed(found))
        return (struct ph_slice){0};
    return ph_slice_of(found.ptr, PH_TRACE_BYTES);
}
