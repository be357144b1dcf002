/* connectorc: checks connector pages and prints them as const tables.
 *
 * usage: connectorc --out FILE.c [--samples DIR] PAGE...
 *
 * Every table becomes a static const array with a number in its name, printed before what points
 * to it; empty ones are NULL. Errors name file, line and column, and stop the build. */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reader/page.h"

static FILE *out;
static unsigned serial;

static void *plain_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}
static void plain_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}
static const struct ph_allocator allocator = {.alloc = plain_alloc, .free = plain_free};

/* A text as an initialiser. Octal escapes of three digits end by themselves. */
static void text(FILE *f, struct ph_slice s)
{
    if (s.ptr == NULL) {
        fputs("{0}", f);
        return;
    }
    fputs("PH_SI(\"", f);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '\n' && i + 1 < s.len)
            fputs("\\n\"\n    \"", f);
        else if (c == '"' || c == '\\' || c == '?' || c < 0x20 || c > 0x7e)
            fprintf(f, "\\%03o", c);
        else
            fputc(c, f);
    }
    fputs("\")", f);
}

/* A table under construction: its rows are written to memory, so that what they point to can be
 * printed first. */
struct table {
    FILE *rows;
    char *bytes;
    size_t len;
    unsigned id;
    const char *type;
    size_t count;
};

static void begin(struct table *t, const char *type)
{
    *t = (struct table){.type = type, .id = ++serial};
    t->rows = open_memstream(&t->bytes, &t->len);
    if (t->rows == NULL)
        abort();
}

/* Prints the table; answers its number, 0 for an empty one. */
static unsigned end(struct table *t)
{
    fclose(t->rows);
    if (t->count > 0)
        fprintf(out, "static const %s t%u[] = {\n%s};\n", t->type, t->id, t->bytes);
    free(t->bytes);
    return t->count > 0 ? t->id : 0;
}

static void pointer(FILE *f, const char *name, unsigned id)
{
    if (id != 0)
        fprintf(f, ", .%s = t%u", name, id);
}

static unsigned slices(const struct ph_slice *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_slice");
    for (size_t i = 0; i < count; i++, t.count++) {
        fputs("    ", t.rows);
        text(t.rows, list[i]);
        fputs(",\n", t.rows);
    }
    return end(&t);
}

/* One step, as an initialiser. */
static void step(FILE *f, const struct ph_step *s)
{
    fprintf(f, "{.kind = %d, .index = %d, .key = ", (int)s->kind, s->index);
    text(f, s->key);
    fputs(", .value = ", f);
    text(f, s->value);
    fputs("}", f);
}

static unsigned pointer_table(const struct ph_pointer *p)
{
    struct table steps, t;
    if (p == NULL)
        return 0;
    begin(&steps, "struct ph_step");
    for (uint16_t i = 0; i < p->count; i++, steps.count++) {
        fputs("    ", steps.rows);
        step(steps.rows, &p->steps[i]);
        fputs(",\n", steps.rows);
    }
    unsigned steps_id = end(&steps);
    begin(&t, "struct ph_pointer");
    fputs("    {.text = ", t.rows);
    text(t.rows, p->text);
    pointer(t.rows, "steps", steps_id);
    fprintf(t.rows, ", .count = %u, .many = %d, .shared = %u, .node = %u},\n", p->count, p->many,
            p->shared, p->node);
    t.count = 1;
    return end(&t);
}

static unsigned filters(const struct ph_filter *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_filter");
    for (size_t i = 0; i < count; i++, t.count++) {
        unsigned p = pointer_table(list[i].pointer);
        fprintf(t.rows, "    {.op = %d, .arg = ", (int)list[i].op);
        text(t.rows, list[i].arg);
        pointer(t.rows, "pointer", p);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

/* One piece, as an initialiser into f; what it points to is printed. */
static void piece(FILE *f, const struct ph_piece *p)
{
    unsigned where = pointer_table(p->pointer), with = filters(p->filters, p->filter_count);
    fprintf(f, "{.source = %d, .index = %d, .filter_count = %u, .text = ", (int)p->source, p->index,
            p->filter_count);
    text(f, p->text);
    pointer(f, "pointer", where);
    pointer(f, "filters", with);
    fputs("}", f);
}

static void template(FILE *f, const struct ph_template *tpl)
{
    struct table t;
    begin(&t, "struct ph_piece");
    for (uint16_t i = 0; i < tpl->count; i++, t.count++) {
        fputs("    ", t.rows);
        piece(t.rows, &tpl->pieces[i]);
        fputs(",\n", t.rows);
    }
    unsigned id = end(&t);
    fprintf(f, "{.count = %u, .open = %d", tpl->count, tpl->open);
    pointer(f, "pieces", id);
    fputs("}", f);
}

static unsigned templates(const struct ph_template *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_template");
    for (size_t i = 0; i < count; i++, t.count++) {
        fputs("    ", t.rows);
        template(t.rows, &list[i]);
        fputs(",\n", t.rows);
    }
    return end(&t);
}

static void expr(FILE *f, const struct ph_expr *e)
{
    unsigned id = templates(e->alternatives, e->count);
    fprintf(f, "{.count = %u, .node = %u", e->count, e->node);
    pointer(f, "alternatives", id);
    fputs("}", f);
}

static unsigned map(const struct ph_map *m)
{
    struct table entries, t;
    if (m == NULL)
        return 0;
    begin(&entries, "struct ph_map_entry");
    for (uint16_t i = 0; i < m->count; i++, entries.count++) {
        fputs("    {.from = ", entries.rows);
        text(entries.rows, m->entries[i].from);
        fprintf(entries.rows, ", .to = %d},\n", m->entries[i].to);
    }
    unsigned id = end(&entries);
    begin(&t, "struct ph_map");
    fputs("    {.name = ", t.rows);
    text(t.rows, m->name);
    fprintf(t.rows, ", .vocabulary = %d, .count = %u, .has_otherwise = %d, .otherwise = %d",
            (int)m->vocabulary, m->count, m->has_otherwise, m->otherwise);
    pointer(t.rows, "entries", id);
    fputs("},\n", t.rows);
    t.count = 1;
    return end(&t);
}

static void choice(FILE *f, const struct ph_choice *c)
{
    unsigned id = map(c->map);
    fprintf(f, "{.word = %d", c->word);
    pointer(f, "map", id);
    fputs(", .of = ", f);
    expr(f, &c->of);
    fputs("}", f);
}

static unsigned tests(const struct ph_test *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_test");
    for (size_t i = 0; i < count; i++, t.count++) {
        unsigned values = slices(list[i].values, list[i].value_count);
        fprintf(t.rows, "    {.op = %d, .value_count = %u", (int)list[i].op, list[i].value_count);
        pointer(t.rows, "values", values);
        fputs(", .of = ", t.rows);
        expr(t.rows, &list[i].of);
        fputs(", .against = ", t.rows);
        expr(t.rows, &list[i].against);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

static unsigned key_parts(const struct ph_key_part *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_key_part");
    for (size_t i = 0; i < count; i++, t.count++) {
        unsigned when = tests(list[i].when, list[i].when_count);
        fprintf(t.rows, "    {.when_count = %u", list[i].when_count);
        pointer(t.rows, "when", when);
        fputs(", .of = ", t.rows);
        expr(t.rows, &list[i].of);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

static unsigned needs(const struct ph_need *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_need");
    for (size_t i = 0; i < count; i++, t.count++) {
        fprintf(t.rows, "    {.type = %u, .optional = %d, .of = ", list[i].type, list[i].optional);
        expr(t.rows, &list[i].of);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

static unsigned lets(const struct ph_let *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_let");
    for (size_t i = 0; i < count; i++, t.count++) {
        unsigned drop = slices(list[i].drop, list[i].drop_count);
        fputs("    {.name = ", t.rows);
        text(t.rows, list[i].name);
        fprintf(t.rows,
                ", .kind = %d, .order = %d, .skip_empty = %d, .drop_count = %u, .keys = %d, "
                ".values = %d",
                (int)list[i].kind, (int)list[i].order, list[i].skip_empty, list[i].drop_count,
                list[i].keys, list[i].values);
        pointer(t.rows, "drop", drop);
        fputs(", .between_pair = ", t.rows);
        text(t.rows, list[i].between_pair);
        fputs(", .between = ", t.rows);
        text(t.rows, list[i].between);
        fputs(", .value = ", t.rows);
        template(t.rows, &list[i].value);
        fputs(", .of = ", t.rows);
        piece(t.rows, &list[i].of);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

static unsigned headers(const struct ph_header_template *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_header_template");
    for (size_t i = 0; i < count; i++, t.count++) {
        fputs("    {.name = ", t.rows);
        text(t.rows, list[i].name);
        fputs(", .value = ", t.rows);
        template(t.rows, &list[i].value);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

static unsigned fetch(const struct ph_fetch *f)
{
    struct table t;
    if (f == NULL)
        return 0;
    unsigned hosts = slices(f->hosts, f->host_count), with = headers(f->headers, f->header_count);
    unsigned accept = tests(f->accept, f->accept_count);
    begin(&t, "struct ph_fetch");
    fprintf(t.rows,
            "    {.kind = %d, .host_count = %u, .header_count = %u, .accept_count = %u, .method = ",
            (int)f->kind, f->host_count, f->header_count, f->accept_count);
    text(t.rows, f->method);
    pointer(t.rows, "hosts", hosts);
    pointer(t.rows, "headers", with);
    pointer(t.rows, "accept", accept);
    fputs(", .url = ", t.rows);
    template(t.rows, &f->url);
    fputs(", .body = ", t.rows);
    template(t.rows, &f->body);
    fputs("},\n", t.rows);
    t.count = 1;
    return end(&t);
}

static unsigned layouts(const struct ph_layout *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_layout");
    for (size_t i = 0; i < count; i++, t.count++) {
        struct table parts;
        begin(&parts, "struct ph_layout_part");
        for (uint16_t k = 0; k < list[i].count; k++, parts.count++) {
            fprintf(parts.rows,
                    "    {.kind = %d, .capture = %d, .text = ", (int)list[i].parts[k].kind,
                    list[i].parts[k].capture);
            text(parts.rows, list[i].parts[k].text);
            fputs("},\n", parts.rows);
        }
        unsigned id = end(&parts);
        fprintf(t.rows, "    {.count = %u, .has_kind = %d, .kind = %d, .hash = %d", list[i].count,
                list[i].has_kind, (int)list[i].kind, (int)list[i].hash);
        pointer(t.rows, "parts", id);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

static unsigned signatures(const struct ph_signature *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_signature");
    for (size_t i = 0; i < count; i++, t.count++) {
        const struct ph_signature *s = &list[i];
        FILE *f = t.rows;
        unsigned when = tests(s->when, s->when_count),
                 require = tests(s->require, s->require_count);
        unsigned shapes = layouts(s->layouts, s->layout_count),
                 names = slices(s->captures, s->capture_count);
        unsigned messages = templates(s->messages, s->message_count),
                 covers = slices(s->covers, s->cover_count);
        unsigned algorithms = slices(s->algorithms, s->algorithm_count), from_net = fetch(s->fetch);
        unsigned certificate_names = slices(s->certificate_names, s->certificate_name_count);
        unsigned send = headers(s->send, s->send_count),
                 protect = headers(s->protect, s->protect_count);
        fprintf(f,
                "    {.kind = %d, .hash = %d, .when_count = %u, .layout_count = %u, .capture_count "
                "= %u",
                (int)s->kind, (int)s->hash, s->when_count, s->layout_count, s->capture_count);
        fprintf(f, ", .first_only = %d, .header_may_repeat = %d, .encoding = %d, .secret_form = %d",
                s->first_only, s->header_may_repeat, (int)s->encoding, (int)s->secret_form);
        fprintf(f,
                ", .message_count = %u, .require_count = %u, .time_unit = %d, .past_ms = %lld, "
                ".future_ms = %lld",
                s->message_count, s->require_count, (int)s->time_unit, (long long)s->past_ms,
                (long long)s->future_ms);
        fprintf(f,
                ", .cover_count = %u, .algorithm_count = %u, .send_count = %u, .protect_count = "
                "%u, .per_item = %d",
                s->cover_count, s->algorithm_count, s->send_count, s->protect_count, s->per_item);
        pointer(f, "when", when);
        pointer(f, "require", require);
        pointer(f, "layouts", shapes);
        pointer(f, "captures", names);
        pointer(f, "messages", messages);
        pointer(f, "covers", covers);
        pointer(f, "algorithms", algorithms);
        pointer(f, "fetch", from_net);
        fprintf(f, ", .certificate_name_count = %u", s->certificate_name_count);
        pointer(f, "certificate_names", certificate_names);
        pointer(f, "send", send);
        pointer(f, "protect", protect);
        fputs(", .list = ", f);
        text(f, s->list);
        fputs(", .from = ", f);
        expr(f, &s->from);
        fputs(", .key = ", f);
        expr(f, &s->key);
        fputs(", .time = ", f);
        expr(f, &s->time);
        fputs("},\n", f);
    }
    return end(&t);
}

static unsigned field_rules(const struct ph_field_rule *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_field_rule");
    for (size_t i = 0; i < count; i++, t.count++) {
        fprintf(t.rows,
                "    {.field = %d, .unit = %d, .required = %d, .value = ", (int)list[i].field,
                (int)list[i].unit, list[i].required);
        expr(t.rows, &list[i].value);
        fputs(", .currency = ", t.rows);
        expr(t.rows, &list[i].currency);
        fputs(", .choice = ", t.rows);
        choice(t.rows, &list[i].choice);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

/* Blocks are shared by rules: each is printed once and found again by address. */
static const struct ph_block *printed[256];
static unsigned printed_id[256], printed_count;

static unsigned block(const struct ph_block *b)
{
    struct table t;
    if (b == NULL)
        return 0;
    for (unsigned i = 0; i < printed_count; i++)
        if (printed[i] == b)
            return printed_id[i];
    unsigned fields = field_rules(b->fields, b->field_count),
             reference = field_rules(b->reference, b->reference_count);
    unsigned required = needs(b->needs, b->need_count);
    begin(&t, "struct ph_block");
    fputs("    {.name = ", t.rows);
    text(t.rows, b->name);
    fprintf(t.rows,
            ", .kind = %d, .field_count = %u, .id_count = %u, .reference_kind = %d, "
            ".reference_count = %u, .reference_own = %d, .need_count = %u",
            (int)b->kind, b->field_count, b->id_count, (int)b->reference_kind, b->reference_count,
            b->reference_own, b->need_count);
    pointer(t.rows, "fields", fields);
    pointer(t.rows, "reference", reference);
    pointer(t.rows, "needs", required);
    fputs(", .effect = ", t.rows);
    expr(t.rows, &b->effect);
    fputs("},\n", t.rows);
    t.count = 1;
    unsigned id = end(&t);
    if (printed_count < 256) {
        printed[printed_count] = b;
        printed_id[printed_count++] = id;
    }
    return id;
}

static unsigned rules(const struct ph_rule *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_rule");
    for (size_t i = 0; i < count; i++, t.count++) {
        const struct ph_rule *r = &list[i];
        unsigned on = slices(r->on, r->on_count), when = tests(r->when, r->test_count),
                 content = block(r->content);
        fprintf(t.rows,
                "    {.on_count = %u, .on_prefix = %d, .test_count = %u, .fetch = %d, "
                ".needs_capture_method = %d, .line = %d",
                r->on_count, r->on_prefix, r->test_count, r->fetch, r->needs_capture_method,
                r->line);
        pointer(t.rows, "on", on);
        pointer(t.rows, "when", when);
        pointer(t.rows, "content", content);
        fputs(", .incomplete = ", t.rows);
        text(t.rows, r->incomplete);
        fputs(", .is = ", t.rows);
        choice(t.rows, &r->is);
        fputs(", .status = ", t.rows);
        choice(t.rows, &r->status);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

static unsigned numbers(const uint16_t *list, size_t count)
{
    struct table t;
    begin(&t, "uint16_t");
    for (size_t i = 0; i < count; i++, t.count++)
        fprintf(t.rows, "%s%u,%s", i % 16 == 0 ? "    " : " ", list[i],
                i % 16 == 15 || i + 1 == count ? "\n" : "");
    return end(&t);
}

static unsigned nodes(const struct ph_node *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_node");
    for (size_t i = 0; i < count; i++, t.count++) {
        unsigned slots = numbers(list[i].slots, list[i].slot_count);
        fputs("    {.step = ", t.rows);
        step(t.rows, &list[i].step);
        fprintf(t.rows,
                ", .head = 0x%" PRIx64 ", .tail = 0x%" PRIx64
                ", .key_bytes = %u, .parent = %u, .slot_count = %u",
                list[i].head, list[i].tail, list[i].key_bytes, list[i].parent, list[i].slot_count);
        pointer(t.rows, "slots", slots);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

static unsigned groups(const struct ph_rule_group *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_rule_group");
    for (size_t i = 0; i < count; i++, t.count++) {
        unsigned id = numbers(list[i].rules, list[i].count);
        fprintf(t.rows, "    {.count = %u", list[i].count);
        pointer(t.rows, "rules", id);
        fputs(", .type = ", t.rows);
        text(t.rows, list[i].type);
        fputs("},\n", t.rows);
    }
    return end(&t);
}

static unsigned decodes(const enum ph_decode *list, size_t count)
{
    struct table t;
    begin(&t, "enum ph_decode");
    for (size_t i = 0; i < count; i++, t.count++)
        fprintf(t.rows, "    (enum ph_decode)%d,\n", (int)list[i]);
    return end(&t);
}

static void reply(FILE *f, const struct ph_reply *r)
{
    unsigned with = headers(r->headers, r->header_count);
    fprintf(f,
            "{.status = %d, .stops_queue = %d, .header_count = %u, .sign_kind = %d, .sign_hash = "
            "%d, .sign_encoding = %d",
            r->status, r->stops_queue, r->header_count, (int)r->sign_kind, (int)r->sign_hash,
            (int)r->sign_encoding);
    pointer(f, "headers", with);
    fputs(", .body = ", f);
    template(f, &r->body);
    fputs(", .sign_key = ", f);
    expr(f, &r->sign_key);
    fputs(", .sign_message = ", f);
    template(f, &r->sign_message);
    fputs("}", f);
}

static unsigned variants(const struct ph_variant *list, size_t count)
{
    struct table t;
    begin(&t, "struct ph_variant");
    for (size_t i = 0; i < count; i++, t.count++) {
        const struct ph_variant *v = &list[i];
        FILE *f = t.rows;
        unsigned when = tests(v->when, v->when_count), decode = decodes(v->decode, v->decode_count),
                 items = pointer_table(v->items);
        unsigned let = lets(v->lets, v->let_count),
                 sig = signatures(v->signatures, v->signature_count);
        unsigned required = needs(v->needs, v->need_count), rule = rules(v->rules, v->rule_count);
        unsigned by_type = groups(v->groups, v->group_count),
                 open = numbers(v->open_rules, v->open_rule_count);
        unsigned slots = numbers(v->group_slots, v->group_slot_count);
        unsigned dedupe = key_parts(v->dedupe, v->dedupe_count), from_net = fetch(v->fetch);
        fputs("    {.name = ", f);
        text(f, v->name);
        fprintf(f,
                ", .format = %d, .when_count = %u, .decode_count = %u, .let_count = %u, "
                ".signature_count = %u",
                (int)v->format, v->when_count, v->decode_count, v->let_count, v->signature_count);
        fprintf(f,
                ", .time_unit = %d, .need_count = %u, .rule_count = %u, .group_count = %u, "
                ".group_slot_count = %u, .open_rule_count = %u",
                (int)v->time_unit, v->need_count, v->rule_count, v->group_count,
                v->group_slot_count, v->open_rule_count);
        fprintf(f, ", .dedupe_count = %u, .ack_within_ms = %d", v->dedupe_count, v->ack_within_ms);
        pointer(f, "when", when);
        pointer(f, "decode", decode);
        pointer(f, "items", items);
        pointer(f, "lets", let);
        pointer(f, "signatures", sig);
        pointer(f, "needs", required);
        pointer(f, "rules", rule);
        pointer(f, "groups", by_type);
        pointer(f, "group_slots", slots);
        pointer(f, "open_rules", open);
        pointer(f, "dedupe", dedupe);
        pointer(f, "fetch", from_net);
        fputs(", .inner = ", f);
        piece(f, &v->inner);
        fputs(", .id = ", f);
        expr(f, &v->id);
        fputs(", .type = ", f);
        expr(f, &v->type);
        fputs(", .time = ", f);
        expr(f, &v->time);
        fputs(", .account = ", f);
        expr(f, &v->account);
        fprintf(f, ", .account_apart = %d", v->account_apart);
        fputs(", .mode = ", f);
        choice(f, &v->mode);
        fputs(", .ack = ", f);
        reply(f, &v->ack);
        fputs(", .refuse = ", f);
        reply(f, &v->refuse);
        fputs("},\n", f);
    }
    return end(&t);
}

/* ---- samples and files ----------------------------------------------------------------------- */

static char *read_file(const char *path, size_t *ret_len)
{
    FILE *f = fopen(path, "rb");
    char *bytes = NULL;
    if (f == NULL)
        return NULL;
    fseek(f, 0, SEEK_END);
    long len = ftell(f);
    rewind(f);
    if (len >= 0 && (bytes = malloc((size_t)len + 1)) != NULL &&
        fread(bytes, 1, (size_t)len, f) == (size_t)len) {
        *ret_len = (size_t)len;
    } else { /* a part of it is no file */
        free(bytes);
        bytes = NULL;
    }
    fclose(f);
    return bytes;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void sample_rows(struct table *t, const char *dir, const char *variant)
{
    struct dirent **list;
    int n = scandir(dir, &list, NULL, by_name);
    for (int i = 0; i < n; i++) {
        char path[4096];
        const char *dot = strrchr(list[i]->d_name, '.');
        snprintf(path, sizeof(path), "%s/%s", dir, list[i]->d_name);
        if (list[i]->d_name[0] == '.') {
            free(list[i]);
            continue;
        }
        size_t len = 0;
        char *body = dot != NULL && list[i]->d_type == DT_REG ? read_file(path, &len) : NULL;
        if (body != NULL) {
            while (len > 0 &&
                   body[len - 1] == '\n') /* an editor's line end is none of the sender's */
                len--;
            fputs("    {.event = ", t->rows);
            text(t->rows, ph_slice_of(list[i]->d_name, (size_t)(dot - list[i]->d_name)));
            fputs(", .variant = ", t->rows);
            text(t->rows, ph_slice_str(variant));
            fputs(", .body = ", t->rows);
            text(t->rows, ph_slice_of(body, len));
            fputs("},\n", t->rows);
            t->count++;
            free(body);
        } else if (list[i]->d_type == DT_DIR && variant[0] == '\0') {
            sample_rows(t, path, list[i]->d_name);
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

static unsigned handshake(const struct ph_handshake *h)
{
    struct table t;
    begin(&t, "struct ph_handshake");
    if (h != NULL) {
        unsigned when = tests(h->when, h->when_count);
        fprintf(t.rows, "    {.when_count = %u", h->when_count);
        pointer(t.rows, "when", when);
        fputs(", .reply = ", t.rows);
        reply(t.rows, &h->reply);
        fputs("},\n", t.rows);
        t.count++;
    }
    return end(&t);
}

static void connector(const struct ph_connector *c, const char *samples_dir)
{
    struct table t;
    char dir[2048];
    snprintf(dir, sizeof(dir), "%s/%.*s", samples_dir, (int)c->name.len, c->name.ptr);
    fprintf(out, "\n/* ---- %.*s ---- */\n", (int)c->name.len, c->name.ptr);
    unsigned shapes = variants(c->variants, c->variant_count),
             tree = nodes(c->nodes, c->node_count), greeting = handshake(c->handshake);
    begin(&t, "struct ph_sample");
    sample_rows(&t, dir, "");
    size_t sample_count = t.count;
    unsigned samples = end(&t);
    begin(&t, "struct ph_source_note");
    for (uint16_t i = 0; i < c->source_count; i++, t.count++) {
        fputs("    {.tag = ", t.rows);
        text(t.rows, c->sources[i].tag);
        fputs(", .text = ", t.rows);
        text(t.rows, c->sources[i].text);
        fputs("},\n", t.rows);
    }
    unsigned sources = end(&t);
    begin(&t, "struct ph_config_field");
    for (uint16_t i = 0; i < c->config_count; i++, t.count++) {
        fputs("    {.name = ", t.rows);
        text(t.rows, c->config[i].name);
        fputs(", .help = ", t.rows);
        text(t.rows, c->config[i].help);
        fputs("},\n", t.rows);
    }
    unsigned config = end(&t);
    begin(&t, "struct ph_currency_exception");
    for (uint16_t i = 0; i < c->currency_count; i++, t.count++)
        fprintf(t.rows, "    {.code = \"%s\", .is = \"%s\", .decimals = %u},\n",
                c->currencies[i].code, c->currencies[i].is, c->currencies[i].decimals);
    unsigned currencies = end(&t);
    fprintf(out,
            "static const struct ph_connector connector_%.*s = {\n    .name = ", (int)c->name.len,
            c->name.ptr);
    text(out, c->name);
    fputs(", .title = ", out);
    text(out, c->title);
    fputs(",\n    .retry = ", out);
    text(out, c->retry);
    fputs(",\n    .notes = ", out);
    text(out, c->notes);
    fputs(",\n    .hash = ", out);
    text(out, c->hash);
    fputs(", .native = ", out);
    text(out, c->native);
    fprintf(out,
            ",\n    .variant_count = %u, .source_count = %u, .config_count = %u, .currency_count = "
            "%u, .sample_count = %zu, .node_count = %u",
            c->variant_count, c->source_count, c->config_count, c->currency_count, sample_count,
            c->node_count);
    pointer(out, "variants", shapes);
    pointer(out, "handshake", greeting);
    pointer(out, "nodes", tree);
    pointer(out, "samples", samples);
    pointer(out, "sources", sources);
    pointer(out, "config", config);
    pointer(out, "currencies", currencies);
    fputs("};\n", out);
}

static int by_connector(const void *a, const void *b)
{
    const struct ph_connector *x = *(const struct ph_connector *const *)a,
                              *y = *(const struct ph_connector *const *)b;
    size_t shared = x->name.len < y->name.len ? x->name.len : y->name.len;
    int order = memcmp(x->name.ptr, y->name.ptr, shared);
    return order != 0 ? order : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

int main(int argc, char **argv)
{
    enum { CONNECTORS_MAX = 512 };
    static const struct ph_connector *list[CONNECTORS_MAX];
    const char *out_path = NULL, *samples = "connectors/samples";
    size_t count = 0;
    bool bad = false;
    struct ph_arena arena;
    ph_arena_init(&arena, &allocator, SIZE_MAX / 4, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--out") == 0 && i + 1 < argc) {
            out_path = argv[++i];
        } else if (strcmp(argv[i], "--samples") == 0 && i + 1 < argc) {
            samples = argv[++i];
        } else if (count < CONNECTORS_MAX) {
            size_t len = 0;
            char *bytes = read_file(argv[i], &len);
            struct ph_page_errors errors = {0};
            if (bytes == NULL) {
                fprintf(stderr, "connectorc: cannot read %s\n", argv[i]);
                return 1;
            }
            struct ph_slice kept = ph_arena_copy(&arena, ph_slice_of(bytes, len));
            free(bytes);
            if (ph_page_read(&arena, ph_slice_str(argv[i]), kept, &errors, &list[count]) == PH_OK)
                count++;
            else
                bad = true;
            for (size_t e = 0; e < errors.count; e++)
                fprintf(stderr, "%.*s\n", (int)errors.list[e].text.len, errors.list[e].text.ptr);
        }
    }
    if (bad || out_path == NULL || count == 0) {
        fprintf(stderr, bad ? "connectorc: the pages above are wrong\n"
                            : "usage: connectorc --out FILE.c [--samples DIR] PAGE...\n");
        ph_arena_done(&arena);
        return 1;
    }
    out = fopen(out_path, "w");
    if (out == NULL) {
        perror(out_path);
        return 1;
    }
    qsort(list, count, sizeof(list[0]), by_connector);
    fputs("/* Generated by connectorc from connectors/. */\n#include \"connector/connector.h\"\n",
          out);
    for (size_t i = 0; i < count; i++)
        connector(list[i], samples);
    fputs("\nconst struct ph_connector *const ph_connectors_builtin[] = {\n", out);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "    &connector_%.*s,\n", (int)list[i]->name.len, list[i]->name.ptr);
    fprintf(out, "};\nconst size_t ph_connectors_builtin_count = %zu;\n", count);
    ph_arena_done(&arena);
    return fclose(out) == 0 ? 0 : 1;
}
