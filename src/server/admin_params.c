#include "server/admin_params.h"

#include <stddef.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "config/quantity.h"
#include "core/codec.h"

/* ---- the query
 * --------------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

static enum ph_status decode(struct ph_arena *arena, struct ph_slice text, bool query,
                             struct ph_slice *ret)
{
    char *room = ph_arena_alloc(arena, text.len + 1);
    size_t len = 0;
    if (room == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < text.len; i++) {
        char c = query && text.ptr[i] == '+' ? ' ' : text.ptr[i];
        if (text.ptr[i] == '%') {
            int high = i + 2 < text.len ? digit_of(text.ptr[i + 1]) : -1,
                low = high >= 0 ? digit_of(text.ptr[i + 2]) : -1;
            if (low < 0)
                return PH_ERR_MALFORMED;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return PH_ERR_MALFORMED;
        room[len++] = c;
    }
    room[len] = '\0';
    *ret = ph_slice_of(room, len);
    return ph_utf8_valid(*ret) ? PH_OK : PH_ERR_MALFORMED;
}

enum ph_status ph_admin_params_read(struct ph_arena *arena, struct ph_slice query,
                                    struct ph_admin_params *ret)
{
    *ret = (struct ph_admin_params){0};
    for (size_t at = 0; at < query.len;) {
        size_t end = ph_slice_find(query, PH_S("&"), at);
        struct ph_slice part =
                            ph_slice_of(query.ptr + at, (end == SIZE_MAX ? query.len : end) - at),
                        name, value;
        size_t equals = ph_slice_find(part, PH_S("="), 0);
        at += part.len + 1;
        if (part.len == 0)
            continue;
        PH_TRY(decode(arena, ph_slice_of(part.ptr, equals == SIZE_MAX ? part.len : equals), true,
                      &name));
        PH_TRY(decode(arena, equals == SIZE_MAX ? PH_S("") : ph_slice_from(part, equals + 1), true,
                      &value));
        if (ret->count == PH_ADMIN_PARAMS_MAX || ph_slice_present(ph_admin_param(ret, name)))
            return PH_ERR_MALFORMED;
        ret->names[ret->count] = name;
        ret->values[ret->count++] = value;
    }
    return PH_OK;
}

enum ph_status ph_admin_word_read(struct ph_arena *arena, struct ph_slice text,
                                  struct ph_slice *ret)
{
    return decode(arena, text, false, ret);
}

struct ph_slice ph_admin_param(const struct ph_admin_params *params, struct ph_slice name)
{
    for (size_t i = 0; i < params->count; i++)
        if (ph_slice_eq(params->names[i], name))
            return params->values[i];
    return (struct ph_slice){0};
}

/* ---- values
 * ------------------------------------------------------------------------------------------ */

bool ph_admin_id_read(struct ph_slice text, int64_t *ret)
{
    enum { DIGITS_MAX = 19 };
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0 && text.len <= DIGITS_MAX && ph_parse_int64(text, ret) && *ret > 0;
}

struct reading {
    struct ph_admin_filter *filter;
    int64_t now_ms;
};

static bool read_text(struct reading *r, size_t offset, struct ph_slice value)
{
    *(struct ph_slice *)(void *)((char *)r->filter + offset) = value;
    r->filter->bounded = true;
    return value.len > 0;
}

/* Events keep the specification's name of a type where it has one. */
static bool read_type(struct reading *r, size_t offset, struct ph_slice value)
{
    int32_t number = ph_word_number(PH_WORDS_EVENT_TYPE, value);
    struct ph_slice named =
        number >= 0 ? ph_event_type_specification_name(number) : (struct ph_slice){0};
    return number >= 0 &&
           read_text(r, offset, named.len > 0 ? named : ph_word_name(PH_WORDS_EVENT_TYPE, number));
}

static bool read_time(struct reading *r, size_t offset, struct ph_slice value)
{
    int64_t ms = 0, ago_ms;
    if (ph_duration_read(value, &ago_ms))
        ms = r->now_ms - ago_ms;
    else if (!ph_admin_id_read(value, &ms) && !ph_parse_iso(value, &ms))
        return false;
    *(int64_t *)(void *)((char *)r->filter + offset) = ms > 0 ? ms : 1;
    r->filter->bounded = true;
    return true;
}

static bool read_id(struct reading *r, size_t offset, struct ph_slice value)
{
    return ph_admin_id_read(value, (int64_t *)(void *)((char *)r->filter + offset));
}

/* Above the largest page: the largest page. */
static bool read_limit(struct reading *r, size_t offset, struct ph_slice value)
{
    int64_t limit;
    (void)offset;
    if (!ph_admin_id_read(value, &limit))
        return false;
    r->filter->limit = limit > PH_ADMIN_PAGE_MAX ? PH_ADMIN_PAGE_MAX : (size_t)limit;
    return true;
}

static bool read_flag(struct reading *r, size_t offset, struct ph_slice value)
{
    bool yes = ph_slice_eq(value, PH_S("true")) || ph_slice_eq(value, PH_S("1"));
    *(bool *)(void *)((char *)r->filter + offset) = yes;
    return yes || ph_slice_eq(value, PH_S("false")) || ph_slice_eq(value, PH_S("0"));
}

static bool read_state(struct reading *r, size_t offset, struct ph_slice value)
{
    (void)offset;
    for (int32_t i = PH_DELIVERY_QUEUED; i <= PH_DELIVERY_DROPPED; i++)
        if (ph_slice_eq(value, ph_delivery_state_name((enum ph_delivery_state)i)))
            r->filter->inbox.state = i;
    r->filter->bounded = true;
    return r->filter->inbox.state != 0;
}

static bool read_standing(struct reading *r, size_t offset, struct ph_slice value)
{
    (void)offset;
    for (int32_t i = PH_STANDING_ACCEPTED; i <= PH_STANDING_DROPPED; i++)
        if (ph_slice_eq(value, ph_standing_name((enum ph_inbox_standing)i)))
            r->filter->standing = i;
    return r->filter->standing != 0;
}

static bool read_nothing(struct reading *r, size_t offset, struct ph_slice value)
{
    (void)r, (void)offset;
    int64_t number;
    return ph_slice_eq(value, PH_S("0")) || ph_admin_id_read(value, &number);
}

/* ---- the rows
 * ---------------------------------------------------------------------------------------- */

#define IN(member) offsetof(struct ph_admin_filter, member)
#define TIME_HELP  "a time (2026-11-29T12:00:00Z, or 2h: so long ago)"
static const struct row {
    struct ph_slice name;
    uint32_t takes;
    size_t offset;
    bool (*read)(struct reading *, size_t, struct ph_slice);
    const char *help;
} rows[] = {
    {PH_SI("endpoint"), PH_TAKES_EVENTS | PH_TAKES_REQUESTS, IN(inbox.endpoint), read_text,
     "a name"},
    {PH_SI("connector"), PH_TAKES_EVENTS | PH_TAKES_REQUESTS, IN(inbox.connector), read_text,
     "a name"},
    {PH_SI("type"), PH_TAKES_EVENTS, IN(inbox.type), read_type,
     "an event type (PAYMENT_INTENT_SUCCESS)"},
    {PH_SI("class"), PH_TAKES_EVENTS, IN(inbox.class), read_text,
     "payment, refund, dispute, mandate, payout, …"},
    {PH_SI("subject"), PH_TAKES_EVENTS, IN(inbox.subject), read_text, "the payment's id"},
    {PH_SI("event_id"), PH_TAKES_EVENTS, IN(inbox.event_id), read_text, "an event's id"},
    {PH_SI("from"), PH_TAKES_EVENTS | PH_TAKES_REQUESTS, IN(inbox.from_ms), read_time, TIME_HELP},
    {PH_SI("to"), PH_TAKES_EVENTS | PH_TAKES_REQUESTS, IN(inbox.to_ms), read_time, TIME_HELP},
    {PH_SI("destination"), PH_TAKES_DELIVERY, IN(inbox.destination), read_text, "a name"},
    {PH_SI("state"), PH_TAKES_DELIVERY, 0, read_state,
     "queued, waiting, parked, done, dead or dropped"},
    {PH_SI("standing"), PH_TAKES_REQUESTS, 0, read_standing,
     "accepted, hint, pending, quarantined, revision or dropped"},
    {PH_SI("limit"), PH_TAKES_PAGE, 0, read_limit, "a number above 0"},
    {PH_SI("cursor"), PH_TAKES_PAGE, IN(inbox.before), read_id, "the `next` of the page before"},
    {PH_SI("unmasked"), PH_TAKES_UNMASKED, IN(unmasked), read_flag, "true or false"},
    {PH_SI("after"), PH_TAKES_TAIL, IN(inbox.after), read_nothing,
     "the payhook-after of the answer before"},
    {PH_SI("wait"), PH_TAKES_TAIL, 0, read_nothing, "how many seconds to wait for news"},
};

static struct ph_slice say(struct ph_arena *arena, struct ph_slice name, const char *what)
{
    enum { NAME_SHOWN = 60 };
    size_t room = NAME_SHOWN + strlen(what) + 16;
    char *text = ph_arena_alloc(arena, room);
    if (text == NULL)
        return PH_S("out of memory");
    int len = snprintf(text, room, "%.*s: %s", (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN),
                       name.ptr, what);
    return ph_slice_of(text, len > 0 ? (size_t)len : 0);
}

static const struct row *find(struct ph_slice name, uint32_t takes)
{
    for (size_t i = 0; i < PH_COUNTOF(rows); i++)
        if ((rows[i].takes & takes) != 0 && ph_slice_eq(rows[i].name, name))
            return &rows[i];
    return NULL;
}

bool ph_admin_filter_read(struct ph_arena *arena, const struct ph_admin_params *params,
                          uint32_t takes, int64_t now_ms, struct ph_admin_filter *ret,
                          struct ph_slice *ret_why)
{
    struct reading r = {.filter = ret, .now_ms = now_ms};
    *ret = (struct ph_admin_filter){.limit = PH_ADMIN_PAGE};
    for (size_t i = 0; i < params->count; i++) {
        const struct row *row = find(params->names[i], takes);
        if (row == NULL) {
            *ret_why = say(arena, params->names[i], "there is no such parameter here");
            return false;
        }
        if (!row->read(&r, row->offset, params->values[i])) {
            *ret_why = say(arena, row->name, row->help);
            return false;
        }
    }
    return true;
}
