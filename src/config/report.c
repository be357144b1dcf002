/* What is wrong, said so that it can be printed anywhere: with its place, never with a secret,
 * harmless to a terminal. */
#include <stdlib.h>

#include "config/reading.h"
#include "core/codec.h"
#include "reader/nearest.h"

enum { QUOTE_BYTES_MAX = 60, REPORT_BYTES_MAX = 4 * 1024 * 1024 };

void ph_config_report_init(struct ph_config_report *report, const struct ph_allocator *allocator)
{
    memset(report, 0, sizeof *report);
    ph_arena_init(&report->arena, allocator, REPORT_BYTES_MAX, 0);
}

void ph_config_report_done(struct ph_config_report *report)
{
    ph_arena_done(&report->arena);
}

/* ---- memory ---------------------------------------------------------------------------------- */

void *ph_config_alloc(struct ph_reading *r, size_t bytes)
{
    void *ptr = ph_arena_zalloc(r->arena, bytes);
    r->no_memory = r->no_memory || ptr == NULL;
    return ptr;
}

static struct ph_slice join(struct ph_arena *arena, const struct ph_slice *parts, size_t count)
{
    size_t len = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    char *out = ph_arena_alloc(arena, len + 1);
    if (out == NULL)
        return (struct ph_slice){0};
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0)
            memcpy(out + at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    out[at] = '\0';
    return ph_slice_of(out, len);
}

struct ph_slice ph_config_join(struct ph_reading *r, const struct ph_slice *parts, size_t count)
{
    struct ph_slice text = join(r->arena, parts, count);
    r->no_memory = r->no_memory || !ph_slice_present(text);
    return ph_slice_present(text) ? text : PH_S("");
}

/* ---- findings -------------------------------------------------------------------------------- */

static void add(struct ph_config_report *report, uint32_t line, uint32_t column, bool warning,
                struct ph_slice text)
{
    if (!ph_slice_present(text)) {
        report->no_memory = true;
        return;
    }
    for (char *c = (char *)text.ptr; c < text.ptr + text.len;
         c++) /* ours, from join: nothing acts on a terminal */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    for (size_t i = 0; i < report->count; i++)
        if (ph_slice_eq(report->list[i].text, text))
            return;
    if (report->count == PH_CONFIG_FINDINGS_MAX)
        report->left_out++;
    else
        report->list[report->count++] = (struct ph_config_finding){
            .text = text, .warning = warning, .line = line, .column = column};
    report->errors += !warning;
}

static void say(struct ph_reading *r, bool warning, struct ph_place at, struct ph_slice path,
                const struct ph_slice *parts, size_t count)
{
    struct ph_arena *arena = &r->report->arena;
    struct ph_slice message = join(arena, parts, count), head;
    if (ph_slice_present(at.variable)) {
        head = join(arena, PH_PARTS(PH_S("environment variable "), at.variable));
    } else if (at.line > 0) {
        struct ph_slice line = ph_decimal(arena, at.line), column = ph_decimal(arena, at.column);
        head = join(arena, PH_PARTS(r->file, PH_S(":"), line, PH_S(":"), column));
    } else {
        head = r->file;
    }
    if (!ph_slice_present(message) || !ph_slice_present(head)) {
        r->report->no_memory = true;
        return;
    }
    add(r->report, at.line, at.column, warning,
        join(arena, PH_PARTS(head, warning ? PH_S(": warning: ") : PH_S(": "), path,
                             path.len > 0 ? PH_S(": ") : PH_S(""), message)));
}

void ph_config_error(struct ph_reading *r, struct ph_place at, struct ph_slice path,
                     const struct ph_slice *parts, size_t count)
{
    say(r, false, at, path, parts, count);
}

void ph_config_warn(struct ph_reading *r, struct ph_place at, struct ph_slice path,
                    const struct ph_slice *parts, size_t count)
{
    say(r, true, at, path, parts, count);
}

void ph_config_unknown(struct ph_reading *r, struct ph_place at, struct ph_slice path,
                       struct ph_slice what, struct ph_slice word, const struct ph_slice *known,
                       size_t count)
{
    struct ph_slice text = ph_unknown(r->arena, what, ph_config_quote(r, word), word, known, count);
    r->no_memory = r->no_memory || !ph_slice_present(text);
    ph_config_error(r, at, path, &text, 1);
}

void ph_config_error_text(struct ph_config_report *report, uint32_t line, uint32_t column,
                          struct ph_slice text)
{
    add(report, line, column, false, join(&report->arena, &text, 1));
}

static int by_place(const void *a, const void *b)
{
    const struct ph_config_finding *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->text.ptr < y->text.ptr ? -1 : x->text.ptr > y->text.ptr;
}

void ph_config_report_sort(struct ph_config_report *report)
{
    qsort(report->list, report->count, sizeof report->list[0], by_place);
}

/* ---- quoting --------------------------------------------------------------------------------- */

bool ph_looks_secret(struct ph_slice text)
{
    static const struct ph_slice beginnings[] = {PH_SI("whsec_"), PH_SI("sk_"),   PH_SI("rk_"),
                                                 PH_SI("wsk_"),   PH_SI("live_"), PH_SI("test_"),
                                                 PH_SI("Bearer ")};
    if (ph_slice_find(text, PH_S("PRIVATE KEY"), 0) != SIZE_MAX ||
        ph_slice_find(text, PH_S("@"), 0) != SIZE_MAX)
        return true;
    for (size_t i = 0; i < PH_COUNTOF(beginnings); i++)
        if (ph_slice_starts(text, beginnings[i]) && text.len > beginnings[i].len)
            return true;
    return false;
}

struct ph_slice ph_config_quote(struct ph_reading *r, struct ph_slice text)
{
    if (ph_looks_secret(text))
        return PH_S("(not shown: it looks like a secret)");
    if (text.len > QUOTE_BYTES_MAX)
        return PH_S("(not shown: it is long)");
    return ph_config_join(r, PH_PARTS(PH_S("\""), text, PH_S("\"")));
}

/* ---- places ---------------------------------------------------------------------------------- */

static const struct ph_config_origin *origin_of(const void *scope, enum ph_scope which,
                                                const char *key)
{
    const struct ph_config_entry *entry = scope;
    const struct ph_setting *row = ph_setting_find(which, ph_slice_str(key));
    return row != NULL && entry->origins != NULL ? &entry->origins[row - ph_scopes[which].rows]
                                                 : &entry->at;
}

struct ph_place ph_place_of(struct ph_reading *r, const void *scope, enum ph_scope which,
                            const char *key)
{
    const struct ph_config_entry *entry = scope;
    const struct ph_config_origin *origin = origin_of(scope, which, key);
    const struct ph_setting *row = ph_setting_find(which, ph_slice_str(key));
    if (origin->source == PH_FROM_ENVIRONMENT && row != NULL && row->env != NULL)
        return (struct ph_place){.variable = ph_config_env_name(r, row, entry->name)};
    if (!origin->given) /* what is missing is missing from its entry */
        origin = &entry->at;
    return (struct ph_place){.line = origin->line, .column = origin->column};
}

struct ph_slice ph_path_of(struct ph_reading *r, const void *scope, const char *key)
{
    const struct ph_config_entry *entry = scope;
    return ph_config_join(r, PH_PARTS(entry->path, ph_slice_str(key)));
}

bool ph_is_given(const void *scope, enum ph_scope which, const char *key)
{
    return origin_of(scope, which, key)->given;
}
