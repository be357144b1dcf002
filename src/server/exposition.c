#include "server/exposition.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { FIRST_ROOM = 16 * 1024 };

static char *room_for(struct ph_exposition *out, size_t more)
{
    if (out->failed)
        return NULL;
    if (out->room - out->len < more) {
        size_t room = out->room * 2 + more + FIRST_ROOM;
        char *ptr = ph_arena_alloc(out->arena, room);
        out->failed = ptr == NULL;
        if (ptr == NULL)
            return NULL;
        if (out->len > 0)
            memcpy(ptr, out->ptr, out->len);
        out->ptr = ptr;
        out->room = room;
    }
    return out->ptr + out->len;
}

static void put(struct ph_exposition *out, const char *bytes, size_t len)
{
    char *to = len > 0 ? room_for(out, len) : NULL;
    if (to == NULL)
        return;
    memcpy(to, bytes, len);
    out->len += len;
}

static void put_text(struct ph_exposition *out, const char *text)
{
    put(out, text, strlen(text));
}

/* HELP knows two escapes, label values a third. */
static void put_escaped(struct ph_exposition *out, struct ph_slice text, bool quotes)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n')
            put(out, "\\n", 2);
        else if (c == '\\' || (quotes && c == '"'))
            put(out, c == '"' ? "\\\"" : "\\\\", 2);
        else
            put(out, &c, 1);
    }
}

__attribute__((format(printf, 2, 3))) static void put_format(struct ph_exposition *out,
                                                             const char *format, ...)
{
    char text[64];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len > 0 && (size_t)len < sizeof text)
        put(out, text, (size_t)len);
}

void ph_exposition_family(struct ph_exposition *out, const char *name, enum ph_metric_kind kind,
                          const char *help)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    out->family = name;
    put_text(out, "# HELP ");
    put_text(out, name);
    put_text(out, " ");
    put_escaped(out, ph_slice_str(help), false);
    put_text(out, "\n# TYPE ");
    put_text(out, name);
    put_text(out, " ");
    put_text(out, kinds[kind]);
    put_text(out, "\n");
}

/* Name and labels; `more` is one label more, whose value needs no escape; NULL: none. */
static void put_series(struct ph_exposition *out, const char *suffix, const struct ph_label *labels,
                       size_t count, const char *more)
{
    put_text(out, out->family);
    put_text(out, suffix);
    if (count > 0 || more != NULL)
        put_text(out, "{");
    for (size_t i = 0; i < count; i++) {
        put_text(out, i > 0 ? "," : "");
        put_text(out, labels[i].name);
        put_text(out, "=\"");
        put_escaped(out, labels[i].value, true);
        put_text(out, "\"");
    }
    if (more != NULL) {
        put_text(out, count > 0 ? "," : "");
        put_text(out, more);
    }
    if (count > 0 || more != NULL)
        put_text(out, "}");
    put_text(out, " ");
}

void ph_exposition_sample(struct ph_exposition *out, const struct ph_label *labels, size_t count,
                          int64_t value)
{
    put_series(out, "", labels, count, NULL);
    put_format(out, "%" PRId64 "\n", value);
}

void ph_exposition_sample_ms(struct ph_exposition *out, const struct ph_label *labels, size_t count,
                             int64_t ms)
{
    int64_t whole = ms < 0 ? 0 : ms; /* a clock set back: no age is below nothing */
    put_series(out, "", labels, count, NULL);
    put_format(out, "%" PRId64 ".%03d\n", whole / 1000, (int)(whole % 1000));
}

void ph_exposition_histogram(struct ph_exposition *out, const struct ph_label *labels, size_t count,
                             const struct ph_exposition_histogram *h)
{
    enum { SECOND_US = 1000000 };
    uint64_t sum = 0;
    for (size_t i = 0; i <= h->buckets; i++) {
        char bound[48];
        sum += h->counts[i];
        if (i < h->buckets)
            (void)snprintf(bound, sizeof bound, "le=\"%" PRId64 ".%06d\"",
                           h->bounds_us[i] / SECOND_US, (int)(h->bounds_us[i] % SECOND_US));
        put_series(out, "_bucket", labels, count, i < h->buckets ? bound : "le=\"+Inf\"");
        put_format(out, "%" PRIu64 "\n", sum);
    }
    put_series(out, "_sum", labels, count, NULL);
    put_format(out, "%" PRId64 ".%06d\n", h->sum_us / SECOND_US, (int)(h->sum_us % SECOND_US));
    put_series(out, "_count", labels, count, NULL);
    put_format(out, "%" PRIu64 "\n", sum);
}

struct ph_slice ph_exposition_text(const struct ph_exposition *out)
{
    return out->failed ? (struct ph_slice){0} : ph_slice_of(out->ptr, out->len);
}
