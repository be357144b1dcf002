#include "reader/yaml.h"

#include <yaml.h>

/* A page under way: `status` says why the tree ends, once it has to. */
struct loader {
    struct ph_arena *arena;
    struct ph_slice file;
    struct ph_page_errors *errors;
    yaml_parser_t parser;
    size_t nodes;
    enum ph_status status;
    bool crooked; /* the tree is not what was meant: nothing more can be said of it */
};

static void tell(struct loader *l, const yaml_mark_t *mark, const char *what,
                 struct ph_slice detail, const char *more)
{
    struct ph_slice parts[] = {ph_slice_str(what), detail, ph_slice_str(more)};
    ph_page_error(l->arena, l->errors, l->file, mark->line + 1, mark->column + 1, parts,
                  PH_COUNTOF(parts));
}

static void *stop(struct loader *l, enum ph_status status)
{
    l->status = status;
    return NULL;
}

static bool next(struct loader *l, yaml_event_t *event)
{
    if (yaml_parser_parse(&l->parser, event))
        return true;
    const char *problem = l->parser.problem, *context = l->parser.context;
    /* Where a tag does not fit into memory libyaml ends without naming an error; it has no other
     * cause to. */
    if (l->parser.error == YAML_MEMORY_ERROR || l->parser.error == YAML_NO_ERROR) {
        stop(l, PH_ERR_NO_MEMORY);
        return false;
    }
    struct ph_slice parts[] = {PH_S("not YAML: "),
                               ph_slice_str(problem != NULL ? problem : "it does not read"),
                               PH_S(" "), ph_slice_str(context != NULL ? context : ""),
                               PH_S("; look at quotes, brackets and indentation here and above")};
    ph_page_error(l->arena, l->errors, l->file, l->parser.problem_mark.line + 1,
                  l->parser.problem_mark.column + 1, parts, PH_COUNTOF(parts));
    stop(l, PH_ERR_MALFORMED);
    return false;
}

static struct ph_yaml *node_of(struct loader *l, enum ph_yaml_kind kind, const yaml_mark_t *mark)
{
    if (++l->nodes > PH_PAGE_NODES_MAX) {
        tell(l, mark, "the page has more than 50000 texts, lists and maps", PH_S(""), "");
        return stop(l, PH_ERR_MALFORMED);
    }
    struct ph_yaml *node = ph_arena_zalloc(l->arena, sizeof(*node));
    if (node == NULL)
        return stop(l, PH_ERR_NO_MEMORY);
    *node = (struct ph_yaml){.kind = kind, .line = mark->line + 1, .column = mark->column + 1};
    return node;
}

static bool append(struct loader *l, struct ph_yaml *parent, struct ph_yaml *child,
                   const yaml_mark_t *mark)
{
    if (parent->first == NULL)
        parent->first = child;
    else
        parent->last->next = child;
    parent->last = child;
    if (++parent->count <= PH_PAGE_MEMBERS_MAX)
        return true;
    tell(l, mark, "more than 1000 members in one map or list", PH_S(""), "");
    stop(l, PH_ERR_MALFORMED);
    return false;
}

static struct ph_yaml *load_text(struct loader *l, yaml_event_t *event)
{
    struct ph_yaml *node = node_of(l, PH_YAML_TEXT, &event->start_mark);
    struct ph_slice text = ph_slice_of(event->data.scalar.value, event->data.scalar.length);
    if (node == NULL)
        return NULL;
    if (text.len > PH_PAGE_TEXT_BYTES_MAX) {
        tell(l, &event->start_mark, "a text of more than 4096 bytes: ", text, "");
        text.len = 0;
    } else if (text.len > 0 && memchr(text.ptr, '\0', text.len) != NULL) {
        tell(l, &event->start_mark, "a NUL (\\0) in a text: ", text, "; leave it out");
    }
    node->text = ph_arena_copy(l->arena, text);
    return ph_slice_present(node->text) ? node : stop(l, PH_ERR_NO_MEMORY);
}

/* Anchors, aliases and tags: what they stand for would not be where one reads it, and aliases
 * multiply. */
static void refuse_extras(struct loader *l, yaml_event_t *event)
{
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_ALIAS_EVENT:
        tell(l, &event->start_mark, "an alias (*",
             ph_slice_str((const char *)event->data.alias.anchor),
             ") is not part of the language; write it out");
        l->crooked = true;
        break;
    default:
        break;
    }
    if (anchor != NULL)
        tell(l, &event->start_mark, "an anchor (&", ph_slice_str((const char *)anchor),
             ") is not part of the language; leave it out");
    if (tag != NULL)
        tell(l, &event->start_mark, "a tag (", ph_slice_str((const char *)tag),
             ") is not part of the language; leave it out");
}

static struct ph_yaml *load(struct loader *l, yaml_event_t *event, size_t depth);

static struct ph_yaml *load_list(struct loader *l, struct ph_yaml *list, size_t depth)
{
    for (;;) {
        yaml_event_t event;
        if (list == NULL || !next(l, &event))
            return NULL;
        if (event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            return list;
        }
        struct ph_yaml *child = load(l, &event, depth + 1);
        if (child != NULL && !append(l, list, child, &event.start_mark))
            child = NULL;
        yaml_event_delete(&event);
        if (child == NULL)
            return NULL;
    }
}

/* The key is read; its value follows. */
static struct ph_yaml *load_member(struct loader *l, struct ph_yaml *map, yaml_event_t *at,
                                   size_t depth)
{
    yaml_event_t event;
    refuse_extras(l, at);
    if (at->type != YAML_SCALAR_EVENT) {
        if (at->type != YAML_ALIAS_EVENT)
            tell(l, &at->start_mark, "a key must be a plain text", PH_S(""), "");
        return stop(l, PH_ERR_MALFORMED);
    }
    struct ph_yaml *key = load_text(l, at);
    if (key == NULL || !next(l, &event))
        return NULL;
    for (struct ph_yaml *o = map->first; o != NULL; o = o->next)
        if (ph_slice_eq(o->key, key->text))
            tell(l, &at->start_mark, "this key stands here twice: ", key->text,
                 "; keep one of them");
    struct ph_yaml *child = load(l, &event, depth + 1);
    yaml_event_delete(&event);
    if (child == NULL)
        return NULL;
    child->key = key->text;
    child->key_line = key->line;
    child->key_column = key->column;
    return append(l, map, child, &at->start_mark) ? child : NULL;
}

static struct ph_yaml *load_map(struct loader *l, struct ph_yaml *map, size_t depth)
{
    for (;;) {
        yaml_event_t event;
        if (map == NULL || !next(l, &event))
            return NULL;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        struct ph_yaml *member = end ? NULL : load_member(l, map, &event, depth);
        yaml_event_delete(&event);
        if (end)
            return map;
        if (member == NULL)
            return NULL;
    }
}

static struct ph_yaml *load(struct loader *l, yaml_event_t *event, size_t depth)
{
    refuse_extras(l, event);
    if (depth > PH_PAGE_DEPTH_MAX) {
        tell(l, &event->start_mark, "nested deeper than 16 levels", PH_S(""), "");
        return stop(l, PH_ERR_MALFORMED);
    }
    struct ph_yaml *node = NULL;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return load_text(l, event);
    case YAML_ALIAS_EVENT: /* refused above; the rest of the page may have more to tell */
        node = node_of(l, PH_YAML_TEXT, &event->start_mark);
        if (node != NULL)
            node->text = PH_S("");
        return node;
    case YAML_SEQUENCE_START_EVENT:
        return load_list(l, node_of(l, PH_YAML_LIST, &event->start_mark), depth);
    case YAML_MAPPING_START_EVENT:
        return load_map(l, node_of(l, PH_YAML_MAP, &event->start_mark), depth);
    default:
        tell(l, &event->start_mark, "unexpected end of the page", PH_S(""), "");
        return stop(l, PH_ERR_MALFORMED);
    }
}

static void start_document(struct loader *l, yaml_event_t *event, bool second)
{
    if (event->data.document_start.version_directive != NULL ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end)
        tell(l, &event->start_mark,
             "a YAML directive (%) is not part of the language; leave it out", PH_S(""), "");
    if (second) {
        tell(l, &event->start_mark, "a second document begins here; a page is one", PH_S(""), "");
        stop(l, PH_ERR_MALFORMED);
    }
}

static struct ph_yaml *load_page(struct loader *l)
{
    struct ph_yaml *root = NULL;
    for (bool open = true; open && l->status == PH_OK;) {
        yaml_event_t event;
        if (!next(l, &event))
            break;
        switch (event.type) {
        case YAML_STREAM_END_EVENT:
            open = false;
            break;
        case YAML_DOCUMENT_START_EVENT:
            start_document(l, &event, root != NULL);
            break;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        default:
            root = load(l, &event, 0);
        }
        yaml_event_delete(&event);
    }
    return root;
}

enum ph_status ph_yaml_read(struct ph_arena *arena, struct ph_slice file, struct ph_slice text,
                            struct ph_page_errors *errors, struct ph_yaml **ret)
{
    struct loader l = {.arena = arena, .file = file, .errors = errors};
    const yaml_mark_t start = {0};
    if (text.len > PH_PAGE_BYTES_MAX) {
        tell(&l, &start, "the page is larger than 512 KiB", PH_S(""), "");
        return errors->no_memory ? PH_ERR_NO_MEMORY : PH_ERR_MALFORMED;
    }
    if (!ph_yaml_encoding_ok(arena, file, text, errors))
        return errors->no_memory ? PH_ERR_NO_MEMORY : PH_ERR_MALFORMED;
    if (!yaml_parser_initialize(&l.parser))
        return PH_ERR_NO_MEMORY;
    yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
    if (ph_slice_starts(text, PH_S("\xef\xbb\xbf")))
        text = ph_slice_from(text, 3); /* some editors begin so; no column is spent on it */
    yaml_parser_set_input_string(
        &l.parser, (const unsigned char *)(text.ptr != NULL ? text.ptr : ""), text.len);
    struct ph_yaml *root = load_page(&l);
    yaml_parser_delete(&l.parser);
    if (l.status == PH_OK && root == NULL) {
        tell(&l, &start, "the page is empty", PH_S(""), "");
        l.status = PH_ERR_MALFORMED;
    }
    if (errors->no_memory)
        return PH_ERR_NO_MEMORY;
    if (l.status == PH_OK && l.crooked)
        return PH_ERR_MALFORMED;
    if (l.status == PH_OK)
        *ret = root;
    return l.status;
}

struct ph_yaml *ph_yaml_get(const struct ph_yaml *map, const char *key)
{
    struct ph_slice name = ph_slice_str(key);
    for (struct ph_yaml *node = map != NULL && map->kind == PH_YAML_MAP ? map->first : NULL;
         node != NULL; node = node->next)
        if (ph_slice_eq(node->key, name))
            return node;
    return NULL;
}

struct ph_yaml ph_yaml_key(const struct ph_yaml *member)
{
    return (struct ph_yaml){.kind = PH_YAML_TEXT,
                            .line = member->key_line,
                            .column = member->key_column,
                            .text = member->key};
}
