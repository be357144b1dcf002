#include "reader/yaml.h"

#include <yaml.h>

static struct ph_slice number(struct ph_arena *arena, size_t n)
{
    enum { DIGITS = 20 };
    char *out = ph_arena_alloc(arena, DIGITS);
    size_t at = DIGITS;
    if (out == NULL)
        return PH_S("?");
    do {
        out[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return ph_slice_of(out + at, DIGITS - at);
}

void ph_page_error(struct ph_arena *arena, struct ph_page_errors *errors, struct ph_slice file, size_t line,
                   size_t column, const struct ph_slice *parts, size_t count)
{
    if (errors->count == PH_PAGE_ERRORS_MAX)
        return;
    struct ph_slice head[] = {file, PH_S(":"), number(arena, line), PH_S(":"), number(arena, column), PH_S(": ")};
    size_t len = 0;
    for (size_t i = 0; i < PH_COUNTOF(head); i++)
        len += head[i].len;
    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    char *out = ph_arena_alloc(arena, len + 1);
    if (out == NULL)
        return;
    size_t at = 0;
    for (size_t i = 0; i < PH_COUNTOF(head) + count; i++) {
        struct ph_slice s = i < PH_COUNTOF(head) ? head[i] : parts[i - PH_COUNTOF(head)];
        if (s.len > 0)
            memcpy(out + at, s.ptr, s.len);
        at += s.len;
    }
    out[at] = '\0';
    errors->list[errors->count++].text = ph_slice_of(out, at);
}

struct loader {
    struct ph_arena *arena;
    struct ph_slice file;
    struct ph_page_errors *errors;
    yaml_parser_t parser;
    size_t nodes;
};

static void fail(struct loader *l, size_t line, size_t column, const char *what, struct ph_slice detail)
{
    struct ph_slice parts[] = {ph_slice_str(what), detail};
    ph_page_error(l->arena, l->errors, l->file, line, column, parts, 2);
}

static bool next(struct loader *l, yaml_event_t *event)
{
    if (yaml_parser_parse(&l->parser, event))
        return true;
    fail(l, l->parser.problem_mark.line + 1, l->parser.problem_mark.column + 1,
         l->parser.problem != NULL ? l->parser.problem : "not YAML", PH_S(""));
    return false;
}

static struct ph_yaml *node_of(struct loader *l, enum ph_yaml_kind kind, const yaml_mark_t *mark)
{
    struct ph_yaml *node = ph_arena_zalloc(l->arena, sizeof(*node));
    if (node == NULL || ++l->nodes > PH_PAGE_NODES_MAX) {
        fail(l, mark->line + 1, mark->column + 1, "the page is too large", PH_S(""));
        return NULL;
    }
    *node = (struct ph_yaml){.kind = kind, .line = mark->line + 1, .column = mark->column + 1};
    return node;
}

static void append(struct ph_yaml *parent, struct ph_yaml *child)
{
    if (parent->first == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
}

static struct ph_yaml *load(struct loader *l, yaml_event_t *event, size_t depth);

static struct ph_yaml *load_text(struct loader *l, yaml_event_t *event)
{
    struct ph_yaml *node = node_of(l, PH_YAML_TEXT, &event->start_mark);
    if (node == NULL)
        return NULL;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = ph_arena_copy(l->arena, ph_slice_of(event->data.scalar.value, event->data.scalar.length));
    return ph_slice_present(node->text) ? node : NULL;
}

static bool refuse_extras(struct loader *l, yaml_event_t *event)
{
    const yaml_char_t *anchor = event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
                                : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.anchor
                                : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
                                                                           : NULL;
    const yaml_char_t *tag = event->type == YAML_SCALAR_EVENT           ? event->data.scalar.tag
                             : event->type == YAML_MAPPING_START_EVENT  ? event->data.mapping_start.tag
                             : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.tag
                                                                        : NULL;
    if (event->type != YAML_ALIAS_EVENT && anchor == NULL && tag == NULL)
        return true;
    fail(l, event->start_mark.line + 1, event->start_mark.column + 1,
         "anchors, aliases and tags are not part of the language; write it out", PH_S(""));
    return false;
}

static struct ph_yaml *load_list(struct loader *l, struct ph_yaml *list, size_t depth)
{
    for (;;) {
        yaml_event_t event;
        if (!next(l, &event))
            return NULL;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return list;
        }
        struct ph_yaml *child = load(l, &event, depth + 1);
        yaml_event_delete(&event);
        if (child == NULL)
            return NULL;
        append(list, child);
    }
}

static struct ph_yaml *load_map(struct loader *l, struct ph_yaml *map, size_t depth)
{
    for (;;) {
        yaml_event_t event;
        if (!next(l, &event))
            return NULL;
        if (event.type == YAML_MAPPING_END_EVENT) {
            yaml_event_delete(&event);
            return map;
        }
        size_t line = event.start_mark.line + 1, column = event.start_mark.column + 1;
        struct ph_yaml *key = refuse_extras(l, &event) ? event.type == YAML_SCALAR_EVENT ? load_text(l, &event) : NULL : NULL;
        bool scalar = event.type == YAML_SCALAR_EVENT;
        yaml_event_delete(&event);
        if (key == NULL) {
            if (!scalar)
                fail(l, line, column, "a key must be a plain text", PH_S(""));
            return NULL;
        }
        for (struct ph_yaml *o = map->first; o != NULL; o = o->next)
            if (ph_slice_eq(o->key, key->text))
                fail(l, line, column, "this key stands here twice: ", key->text);
        if (!next(l, &event))
            return NULL;
        struct ph_yaml *child = load(l, &event, depth + 1);
        yaml_event_delete(&event);
        if (child == NULL)
            return NULL;
        child->key = key->text;
        child->line = line;
        child->column = column;
        append(map, child);
    }
}

static struct ph_yaml *load(struct loader *l, yaml_event_t *event, size_t depth)
{
    if (!refuse_extras(l, event))
        return NULL;
    if (depth > PH_PAGE_DEPTH_MAX) {
        fail(l, event->start_mark.line + 1, event->start_mark.column + 1, "nested deeper than 16 levels", PH_S(""));
        return NULL;
    }
    struct ph_yaml *node;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return load_text(l, event);
    case YAML_SEQUENCE_START_EVENT:
        node = node_of(l, PH_YAML_LIST, &event->start_mark);
        return node != NULL ? load_list(l, node, depth) : NULL;
    case YAML_MAPPING_START_EVENT:
        node = node_of(l, PH_YAML_MAP, &event->start_mark);
        return node != NULL ? load_map(l, node, depth) : NULL;
    default:
        fail(l, event->start_mark.line + 1, event->start_mark.column + 1, "unexpected end of the page", PH_S(""));
        return NULL;
    }
}

struct ph_yaml *ph_yaml_read(struct ph_arena *arena, struct ph_slice file, struct ph_slice text,
                             struct ph_page_errors *errors)
{
    struct loader l = {.arena = arena, .file = file, .errors = errors};
    struct ph_yaml *root = NULL;
    if (text.len > PH_PAGE_BYTES_MAX) {
        fail(&l, 1, 1, "the page is larger than 512 KiB", PH_S(""));
        return NULL;
    }
    if (!yaml_parser_initialize(&l.parser)) {
        fail(&l, 1, 1, "no memory to read the page", PH_S(""));
        return NULL;
    }
    yaml_parser_set_input_string(&l.parser, (const unsigned char *)(text.ptr != NULL ? text.ptr : ""), text.len);
    for (bool open = true; open;) {
        yaml_event_t event;
        if (!next(&l, &event)) {
            root = NULL;
            break;
        }
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_STREAM_END_EVENT:
            open = false;
            break;
        default:
            if (root != NULL) {
                fail(&l, event.start_mark.line + 1, 1, "a page is one document", PH_S(""));
                open = false;
            } else {
                root = load(&l, &event, 0);
                open = root != NULL;
            }
        }
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&l.parser);
    if (root == NULL && errors->count == 0)
        fail(&l, 1, 1, "the page is empty", PH_S(""));
    return errors->count == 0 ? root : NULL;
}

struct ph_yaml *ph_yaml_get(struct ph_yaml *map, const char *key)
{
    for (struct ph_yaml *node = map != NULL && map->kind == PH_YAML_MAP ? map->first : NULL; node != NULL;
         node = node->next) {
        if (ph_slice_eq(node->key, ph_slice_str(key))) {
            node->used = true;
            return node;
        }
    }
    return NULL;
}
