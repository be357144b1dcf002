#include "server/admin_params.h"

#include <stddef.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "config/quantity.h"
#include "core/codec.h"
#include "reader/nearest.h"

/* ---- the query ------------------------------------------------------------------------------- */

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

/* ---- values ---------------------------------------------------------------------------------- */

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

/* In any case, as destinations' `events` take it. */
static bool read_class(struct reading *r, size_t offset, struct ph_slice value)
{
    size_t count;
    const struct ph_slice *classes = ph_event_classes(&count);
    for (size_t i = 0; i < count; i++)
        if (ph_slice_eq_nocase(classes[i], value))
            return read_text(r, offset, classes[i]);
    return false;
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

/* ---- words, for "did you mean" --------------------------------------------------------------- */

enum { KNOWN_MAX = 160 };

static size_t classes(struct ph_slice known[KNOWN_MAX])
{
    size_t count;
    const struct ph_slice *names = ph_event_classes(&count);
    memcpy(known, names, count * sizeof *known);
    return count;
}

static size_t types(struct ph_slice known[KNOWN_MAX])
{
    return ph_event_type_names(known, KNOWN_MAX);
}

static size_t states(struct ph_slice known[KNOWN_MAX])
{
    size_t count = 0;
    for (int i = PH_DELIVERY_QUEUED; i <= PH_DELIVERY_DROPPED; i++)
        known[count++] = ph_delivery_state_name((enum ph_delivery_state)i);
    return count;
}

static size_t standings(struct ph_slice known[KNOWN_MAX])
{
    size_t count = 0;
    for (int i = PH_STANDING_ACCEPTED; i <= PH_STANDING_DROPPED; i++)
        known[count++] = ph_standing_name((enum ph_inbox_standing)i);
    return count;
}

/* ---- the rows -------------------------------------------------------------------------------- */

#define IN(member) offsetof(struct ph_admin_filter, member)
#define TIME_HELP  "a time (2026-11-29T12:00:00Z, or 2h: so long ago)"
static const struct row {
    struct ph_slice name;
    uint32_t takes;
    size_t offset;
    bool (*read)(struct reading *, size_t, struct ph_slice);
    const char *help; /* what it takes; of a row with words: what they are */
    size_t (*words)(struct ph_slice known[KNOWN_MAX]);
} rows[] = {
    {PH_SI("endpoint"), PH_TAKES_EVENTS | PH_TAKES_REQUESTS, IN(inbox.endpoint), read_text,
     "a name", NULL},
    {PH_SI("connector"), PH_TAKES_EVENTS | PH_TAKES_REQUESTS, IN(inbox.connector), read_text,
     "a name", NULL},
    {PH_SI("type"), PH_TAKES_EVENTS, IN(inbox.type), read_type, "event type", types},
    {PH_SI("class"), PH_TAKES_EVENTS, IN(inbox.class), read_class, "class", classes},
    {PH_SI("subject"), PH_TAKES_EVENTS, IN(inbox.subject), read_text, "the payment's id", NULL},
    {PH_SI("event_id"), PH_TAKES_EVENTS, IN(inbox.event_id), read_text, "an event's id", NULL},
    {PH_SI("from"), PH_TAKES_EVENTS | PH_TAKES_REQUESTS, IN(inbox.from_ms), read_time, TIME_HELP,
     NULL},
    {PH_SI("to"), PH_TAKES_EVENTS | PH_TAKES_REQUESTS, IN(inbox.to_ms), read_time, TIME_HELP, NULL},
    {PH_SI("destination"), PH_TAKES_DELIVERY, IN(inbox.destination), read_text, "a name", NULL},
    {PH_SI("state"), PH_TAKES_DELIVERY, 0, read_state, "state", states},
    {PH_SI("standing"), PH_TAKES_REQUESTS, 0, read_standing, "standing", standings},
    {PH_SI("limit"), PH_TAKES_PAGE, 0, read_limit, "a number above 0", NULL},
    {PH_SI("cursor"), PH_TAKES_PAGE, IN(inbox.before), read_id, "the `next` of the page before",
     NULL},
    {PH_SI("unmasked"), PH_TAKES_UNMASKED, IN(unmasked), read_flag, "true or false", NULL},
    {PH_SI("after"), PH_TAKES_TAIL, IN(inbox.after), read_nothing,
     "the payhook-after of the answer before", NULL},
    {PH_SI("wait"), PH_TAKES_TAIL, 0, read_nothing, "how many seconds to wait for news", NULL},
};

/* "name: what", both cut where they are longer than ours are. */
static struct ph_slice say(struct ph_arena *arena, struct ph_slice name, struct ph_slice what)
{
    enum { NAME_SHOWN = 60 };
    size_t room = NAME_SHOWN + what.len + 16;
    char *text = ph_arena_alloc(arena, room);
    if (text == NULL)
        return PH_S("out of memory");
    int len =
        snprintf(text, room, "%.*s: %.*s", (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN),
                 name.ptr, (int)what.len, what.ptr);
    return ph_slice_of(text, len > 0 ? (size_t)len : 0);
}

struct ph_slice ph_admin_unknown(struct ph_arena *arena, struct ph_slice name, const char *kind,
                                 struct ph_slice word, const struct ph_slice *known, size_t count)
{
    enum { WORD_SHOWN = 60 };
    char what[64], quoted[WORD_SHOWN + 3];
    (void)snprintf(what, sizeof what, "no %s is called", kind);
    (void)snprintf(quoted, sizeof quoted, "\"%.*s\"",
                   (int)(word.len < WORD_SHOWN ? word.len : WORD_SHOWN),
                   word.len > 0 ? word.ptr : "");
    struct ph_slice text =
        ph_unknown(arena, ph_slice_str(what), ph_slice_str(quoted), word, known, count);
    return ph_slice_present(text) ? say(arena, name, text) : PH_S("out of memory");
}

static struct ph_slice say_wrong(struct ph_arena *arena, const struct row *row,
                                 struct ph_slice value)
{
    struct ph_slice known[KNOWN_MAX];
    if (row->words == NULL)
        return say(arena, row->name, ph_slice_str(row->help));
    return ph_admin_unknown(arena, row->name, row->help, value, known, row->words(known));
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
            *ret_why = say(arena, params->names[i], PH_S("there is no such parameter here"));
            return false;
        }
        if (!row->read(&r, row->offset, params->values[i])) {
            *ret_why = say_wrong(arena, row, params->values[i]);
            return false;
        }
    }
    return true;
}
