#include "destination/cloudevent.h"

#include <assert.h>

#include "base/utf8.h"
#include "core/codec.h"

/* ---- attributes ------------------------------------------------------------------------------ */

/* Bytes of an allowed character that the text begins with; 0: it begins with none. C0, DEL and C1
 * are not allowed. */
static size_t allowed_char(struct ph_slice text)
{
    unsigned char c = (unsigned char)text.ptr[0];
    if (c < 0x80)
        return c >= 0x20 && c != 0x7f;
    if (c == 0xc2 && text.len > 1 && (unsigned char)text.ptr[1] < 0xa0)
        return 0;
    return ph_utf8_char(text);
}

static bool is_clean(struct ph_slice text)
{
    for (size_t i = 0, n; i < text.len; i += n)
        if ((n = allowed_char(ph_slice_from(text, i))) == 0)
            return false;
    return true;
}

/* The text with U+FFFD in place of each byte that is not allowed; absent: no memory. */
static struct ph_slice cleaned(struct ph_arena *arena, struct ph_slice text)
{
    enum { REPLACEMENT_BYTES = 3 };
    if (is_clean(text))
        return text;
    char *out = ph_arena_alloc(arena, text.len * REPLACEMENT_BYTES);
    size_t len = 0;
    if (out == NULL)
        return (struct ph_slice){0};
    for (size_t i = 0; i < text.len;) {
        size_t n = allowed_char(ph_slice_from(text, i));
        memcpy(out + len, n > 0 ? text.ptr + i : "\xef\xbf\xbd", n > 0 ? n : REPLACEMENT_BYTES);
        len += n > 0 ? n : REPLACEMENT_BYTES;
        i += n > 0 ? n : 1;
    }
    return ph_slice_of(out, len);
}

struct list {
    struct ph_arena *arena;
    struct ph_attribute *items;
    size_t count;
    bool no_memory;
};

static void add(struct list *list, struct ph_slice name, struct ph_slice value, bool bare)
{
    assert(list->count < PH_ATTRIBUTES_MAX);
    if (value.len == 0)
        return; /* an attribute that is there has a value */
    struct ph_slice text = cleaned(list->arena, value);
    list->no_memory = list->no_memory || !ph_slice_present(text);
    list->items[list->count++] = (struct ph_attribute){.name = name, .value = text, .bare = bare};
}

static struct ph_slice source_of(struct ph_arena *arena, struct ph_slice endpoint)
{
    struct ph_slice prefix = PH_S("/webhooks/");
    char *out = ph_arena_alloc(arena, prefix.len + endpoint.len);
    if (out == NULL)
        return (struct ph_slice){0};
    memcpy(out, prefix.ptr, prefix.len);
    if (endpoint.len > 0)
        memcpy(out + prefix.len, endpoint.ptr, endpoint.len);
    return ph_slice_of(out, prefix.len + endpoint.len);
}

enum ph_status ph_cloudevent_attributes(struct ph_arena *arena, const struct ph_notice *notice,
                                        struct ph_attribute ret[PH_ATTRIBUTES_MAX],
                                        size_t *ret_count)
{
    const struct ph_inbox_due *due = notice->due;
    struct list list = {.arena = arena, .items = ret};
    struct ph_slice source = source_of(arena, due->endpoint),
                    attempt = ph_decimal(arena, notice->attempt);
    if (!ph_slice_present(source) || !ph_slice_present(attempt))
        return PH_ERR_NO_MEMORY;
    add(&list, PH_S("specversion"), PH_S("1.0"), false);
    add(&list, PH_S("id"), due->event_id, false);
    add(&list, PH_S("source"), source, false);
    add(&list, PH_S("type"), due->type, false);
    add(&list, PH_S("subject"), due->subject, false);
    add(&list, PH_S("time"),
        ph_iso_text(arena, due->occurred_ms > 0 ? due->occurred_ms : due->received_ms), false);
    add(&list, PH_S("datacontenttype"), PH_S("application/json"), false);
    add(&list, PH_S("connector"), due->connector, false);
    add(&list, PH_S("receivedtime"), ph_iso_text(arena, due->received_ms), false);
    add(&list, PH_S("attempt"), attempt, true);
    add(&list, PH_S("replay"), due->replay ? PH_S("true") : PH_S(""), true);
    add(&list, PH_S("late"), due->late ? PH_S("true") : PH_S(""), true);
    add(&list, PH_S("traceparent"), due->trace, false);
    *ret_count = list.count;
    return list.no_memory ? PH_ERR_NO_MEMORY : PH_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static char *put(char *to, struct ph_slice s)
{
    if (s.len > 0)
        memcpy(to, s.ptr, s.len);
    return to + s.len;
}

/* Clean text: of what JSON escapes only quotes and backslashes are left. */
static char *put_text(char *to, struct ph_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            *to++ = '\\';
        *to++ = s.ptr[i];
    }
    return to;
}

static char *put_attribute(char *to, const struct ph_attribute *a, bool first)
{
    to = put(to, first ? PH_S("{\"") : PH_S(",\""));
    to = put(to, a->name);
    to = put(to, a->bare ? PH_S("\":") : PH_S("\":\""));
    to = put_text(to, a->value);
    return put(to, a->bare ? PH_S("") : PH_S("\""));
}

struct event {
    struct ph_attribute attributes[PH_ATTRIBUTES_MAX];
    size_t count;
};

static char *put_event(char *to, const struct event *event, struct ph_slice data)
{
    for (size_t i = 0; i < event->count; i++)
        to = put_attribute(to, &event->attributes[i], i == 0);
    if (data.len > 0)
        to = put(put(to, PH_S(",\"data\":")), data);
    return put(to, PH_S("}"));
}

/* As many bytes as it has at most. */
static size_t room_of(const struct event *event, struct ph_slice data)
{
    enum { AROUND = 8, AROUND_DATA = 16 };
    size_t room = AROUND_DATA + data.len;
    for (size_t i = 0; i < event->count; i++)
        room += AROUND + event->attributes[i].name.len + 2 * event->attributes[i].value.len;
    return room;
}

enum ph_status ph_cloudevent_json(struct ph_arena *arena, const struct ph_notice *notices,
                                  size_t count, bool batch, struct ph_slice *ret)
{
    size_t room = 2;
    struct event *events = ph_arena_alloc(arena, count * sizeof *events);
    if (events == NULL)
        return PH_ERR_NO_MEMORY;
    assert(batch || count == 1);
    for (size_t i = 0; i < count; i++) {
        PH_TRY(
            ph_cloudevent_attributes(arena, &notices[i], events[i].attributes, &events[i].count));
        room += 1 + room_of(&events[i], notices[i].due->answer);
    }
    char *out = ph_arena_alloc(arena, room), *to = out;
    if (out == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (batch)
            *to++ = i == 0 ? '[' : ',';
        to = put_event(to, &events[i], notices[i].due->answer);
    }
    if (batch)
        *to++ = ']';
    assert((size_t)(to - out) <= room);
    *ret = ph_slice_of(out, (size_t)(to - out));
    return PH_OK;
}
