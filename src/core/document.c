/* Bodies to trees: JSON as it is; forms and XML by way of JSON text in the arena, so that one
 * kind of tree serves every pointer.
 *
 * D1: numbers keep their source text (money never passes through a float).
 * D2: XML has no DOCTYPE, hence no entities of its own and nothing to expand.
 * D3: depth, fields and nodes are bounded (base/limits.h).
 * D4: JSON that the parser takes without leave for invalid Unicode is UTF-8 as a whole: outside
 *     its strings there is only ASCII. Nobody need look at it again (run->utf8). */
#include <expat.h>

#include "core/codec.h"
#include "core/order.h"
#include "core/run.h"
#include "core/worker.h"

static struct ph_slice text_at(struct ph_run *run, const char *what, size_t at)
{
    struct ph_slice parts[] = {ph_slice_str(what), PH_S(" at byte "),
                               ph_decimal(run->arena, (int64_t)at)};
    return ph_join(run, parts, PH_COUNTOF(parts));
}

/* Whether the tree nests deeper than PH_DEPTH_MAX. The parser built it flat: no recursion. */
static bool tree_too_deep(yyjson_val *root)
{
    yyjson_val *end = unsafe_yyjson_get_next(root);
    size_t count = (size_t)(end - root), at = 0;
    uint32_t containers = 0;
    /* Whether there are enough containers to be so deep: of nearly all events the first values
     * tell that there are not, were all that follow them containers. In strides that the
     * compiler can count several at once. */
    while (at < count && containers <= PH_DEPTH_MAX && containers + (count - at) > PH_DEPTH_MAX) {
        size_t stop = count + containers - PH_DEPTH_MAX;
        for (; at < stop; at++) {
            uint32_t type = (uint32_t)root[at].tag & YYJSON_TYPE_MASK;
            containers += type > YYJSON_TYPE_STR;
        }
    }
    if (containers + (count - at) <= PH_DEPTH_MAX)
        return false;
    size_t depth = 0;
    yyjson_val *ends[PH_DEPTH_MAX];
    for (yyjson_val *v = root; v < end; v++) {
        while (depth > 0 && v >= ends[depth - 1])
            depth--;
        if (!unsafe_yyjson_is_ctn(v))
            continue;
        if (depth == PH_DEPTH_MAX)
            return true;
        ends[depth++] = unsafe_yyjson_get_next(v);
    }
    return false;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* "\uDxxx" at `at`, the second of its digits within `from` and `to` (capitals). */
static bool is_surrogate(struct ph_slice text, size_t at, char from, char to)
{
    if (at + 6 > text.len || text.ptr[at] != '\\' || text.ptr[at + 1] != 'u')
        return false;
    const char *digits = text.ptr + at + 2;
    char second = digits[1] >= 'a' ? (char)(digits[1] - 32) : digits[1];
    return (digits[0] == 'd' || digits[0] == 'D') && second >= from && second <= to &&
           is_hex(second) && is_hex(digits[2]) && is_hex(digits[3]);
}

/* The text with half a surrogate pair replaced as unreadable signs are (U+FFFD): a name or a
 * note that its sender cut in the middle of a sign makes no event unreadable. */
static struct ph_slice without_halves(struct ph_run *run, struct ph_slice text)
{
    char *out = ph_arena_alloc(run->arena, text.len);
    if (out == NULL)
        return (struct ph_slice){0};
    memcpy(out, text.ptr, text.len);
    for (size_t at = 0; at + 1 < text.len; at++) {
        if (text.ptr[at] != '\\')
            continue;
        bool whole = is_surrogate(text, at, '8', 'B') && is_surrogate(text, at + 6, 'C', 'F');
        if (!whole && is_surrogate(text, at, '8', 'F'))
            memcpy(out + at + 2, "fffd", 4);
        at += whole ? 11 : 1;
    }
    return ph_slice_of(out, text.len);
}

yyjson_val *ph_read_json(struct ph_run *run, struct ph_slice text, struct ph_slice *ret_why)
{
    if (text.len == 0) {
        *ret_why = PH_S("the body is empty");
        return NULL;
    }
    const yyjson_read_flag flags = YYJSON_READ_NUMBER_AS_RAW;
    yyjson_alc alc;
    if (!ph_worker_pool(run->worker, yyjson_read_max_memory_usage(text.len, flags), &alc)) {
        *ret_why = PH_S("no memory to parse the body");
        return NULL;
    }
    yyjson_read_err err;
    char *in = (char *)(uintptr_t)text.ptr; /* not written to: in-situ is not asked for */
    yyjson_doc *doc = yyjson_read_opts(in, text.len, flags, &alc, &err);
    if (doc != NULL) {
        run->utf8 = text;
    } else if (err.code == YYJSON_READ_ERROR_INVALID_STRING) {
        doc = yyjson_read_opts(in, text.len, flags | YYJSON_READ_ALLOW_INVALID_UNICODE, &alc, &err);
        if (doc == NULL && err.code == YYJSON_READ_ERROR_INVALID_STRING) {
            struct ph_slice mended = without_halves(run, text);
            if (!ph_slice_present(mended)) {
                *ret_why = PH_S("no memory to parse the body");
                return NULL;
            }
            in = (char *)(uintptr_t)mended.ptr;
            doc = yyjson_read_opts(in, mended.len, flags | YYJSON_READ_ALLOW_INVALID_UNICODE, &alc,
                                   &err);
        }
    }
    if (doc == NULL) {
        *ret_why = text_at(run, err.msg, err.pos);
        return NULL;
    }
    yyjson_val *root = yyjson_doc_get_root(doc);
    if (tree_too_deep(root)) {
        *ret_why = text_at(run, "nested deeper than 64 levels", ph_json_too_deep(text));
        return NULL;
    }
    return root;
}

/* ---- JSON text under construction ------------------------------------------------------------ */

struct writer {
    struct ph_run *run;
    char *ptr;
    size_t len, room;
    bool failed;
};

static void put(struct writer *w, struct ph_slice s)
{
    if (w->failed || s.len == 0)
        return;
    if (w->room - w->len < s.len) {
        size_t room = w->room * 2 + s.len + 256;
        char *ptr = ph_arena_alloc(w->run->arena, room);
        if (ptr == NULL) {
            w->failed = true;
            return;
        }
        if (w->len > 0)
            memcpy(ptr, w->ptr, w->len);
        w->ptr = ptr;
        w->room = room;
    }
    memcpy(w->ptr + w->len, s.ptr, s.len);
    w->len += s.len;
}

static void put_string(struct writer *w, struct ph_slice s)
{
    struct ph_slice escaped = {0};
    if (!ph_json_escape(w->run->arena, s, &escaped)) {
        w->failed = true;
        return;
    }
    put(w, PH_S("\""));
    put(w, escaped);
    put(w, PH_S("\""));
}

/* ---- forms ----------------------------------------------------------------------------------- */

yyjson_val *ph_read_form(struct ph_run *run, struct ph_slice text, struct ph_slice *ret_why)
{
    struct writer w = {.run = run};
    size_t fields = 0;
    put(&w, PH_S("{"));
    for (size_t at = 0; at < text.len;) {
        size_t end = ph_slice_find(text, PH_S("&"), at);
        if (end == SIZE_MAX)
            end = text.len;
        struct ph_slice pair = ph_slice_of(text.ptr + at, end - at);
        at = end + 1;
        if (pair.len == 0)
            continue;
        size_t equals = ph_slice_find(pair, PH_S("="), 0);
        if (equals == SIZE_MAX || equals == 0) {
            *ret_why =
                text_at(run, "not a form: a field without '='", (size_t)(pair.ptr - text.ptr));
            return NULL;
        }
        if (++fields > PH_FORM_FIELDS_MAX) {
            *ret_why = PH_S("more than 2000 form fields");
            return NULL;
        }
        struct ph_slice name, value;
        if (!ph_percent_decode(run->arena, ph_slice_of(pair.ptr, equals), true, &name) ||
            !ph_percent_decode(run->arena, ph_slice_from(pair, equals + 1), true, &value)) {
            w.failed = true;
            break;
        }
        if (fields > 1)
            put(&w, PH_S(","));
        put_string(&w, name);
        put(&w, PH_S(":"));
        put_string(&w, value);
    }
    put(&w, PH_S("}"));
    if (fields == 0 || w.failed) {
        *ret_why = w.failed ? PH_S("no memory to decode the form") : PH_S("the form has no fields");
        return NULL;
    }
    return ph_read_json(run, ph_slice_of(w.ptr, w.len), ret_why);
}

/* ---- XML ------------------------------------------------------------------------------------- */

struct element {
    struct ph_slice name, text;
    size_t text_room;
    struct element *parent, *first, *last, *next;
    struct element *same; /* the next one of that name below the same parent */
    size_t depth, children;
    bool nil, attribute, repeated; /* `repeated`: not the first of its name */
};

struct xml {
    struct ph_run *run;
    XML_Parser parser;
    struct element *root, *open;
    size_t nodes;
    const char *refused; /* why we stopped it */
};

static void refuse(struct xml *x, const char *why)
{
    if (x->refused == NULL)
        x->refused = why;
    XML_StopParser(x->parser, XML_FALSE);
}

static struct element *add(struct xml *x, struct element *parent, struct ph_slice name)
{
    struct element *e = ph_arena_zalloc(x->run->arena, sizeof(*e));
    struct ph_slice copy = ph_arena_copy(x->run->arena, name);
    if (e == NULL || copy.ptr == NULL || ++x->nodes > PH_XML_NODES_MAX) {
        refuse(x, "more than 20000 XML elements");
        return NULL;
    }
    e->name = copy;
    e->parent = parent;
    if (parent == NULL) {
        x->root = e;
    } else {
        e->depth = parent->depth + 1;
        if (parent->first == NULL)
            parent->first = e;
        else
            parent->last->next = e;
        parent->last = e;
        parent->children++;
    }
    return e;
}

static void on_start(void *data, const char *name, const char **attributes)
{
    struct xml *x = data;
    struct element *e = add(x, x->open, ph_slice_str(name));
    if (e == NULL)
        return;
    if (e->depth + 2 > PH_DEPTH_MAX) {
        refuse(x, "nested deeper than 64 levels");
        return;
    }
    x->open = e;
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        if (strcmp(attributes[i], "nil") == 0 && strcmp(attributes[i + 1], "true") == 0)
            e->nil = true;
        struct ph_slice at[] = {PH_S("@"), ph_slice_str(attributes[i])};
        struct element *attribute = add(x, e, ph_join(x->run, at, PH_COUNTOF(at)));
        if (attribute == NULL)
            return;
        attribute->attribute = true;
        attribute->text = ph_arena_copy(x->run->arena, ph_slice_str(attributes[i + 1]));
    }
}

static void on_end(void *data, const char *name)
{
    struct xml *x = data;
    (void)name;
    if (x->open != NULL)
        x->open = x->open->parent;
}

static void on_text(void *data, const char *text, int len)
{
    struct xml *x = data;
    struct element *e = x->open;
    if (e == NULL)
        return;
    size_t more = (size_t)len;
    if (e->text_room - e->text.len < more) {
        /* The parser hands over a line at a time: room doubles, so that long texts are not
         * copied in n². */
        size_t room = e->text.len * 2 + more + 32;
        char *wider = ph_arena_alloc(x->run->arena, room);
        if (wider == NULL) {
            refuse(x, "no memory to decode the XML");
            return;
        }
        if (e->text.len > 0)
            memcpy(wider, e->text.ptr, e->text.len);
        e->text.ptr = wider;
        e->text_room = room;
    }
    memcpy((char *)(uintptr_t)e->text.ptr + e->text.len, text, more);
    e->text.len += more;
}

static void on_doctype(void *data, const char *name, const char *system_id, const char *public_id,
                       int subset)
{
    (void)name, (void)system_id, (void)public_id, (void)subset;
    refuse(data, "a DOCTYPE is not accepted"); /* D2 */
}

static int by_name(const void *a, const void *b, const void *ctx)
{
    (void)ctx;
    return ph_order_bytes(((const struct element *)a)->name, ((const struct element *)b)->name,
                          false);
}

/* Links the children of one name, in the order they came. */
static bool link_same(struct ph_run *run, struct element *e)
{
    const void **items = ph_arena_alloc(run->arena, (e->children + 1) * 2 * sizeof(*items));
    if (items == NULL)
        return false;
    size_t count = 0;
    for (struct element *c = e->first; c != NULL; c = c->next)
        items[count++] = c;
    ph_order(items, items + count, count, by_name, NULL);
    for (size_t i = 1; i < count; i++) {
        struct element *before = (struct element *)(uintptr_t)items[i - 1];
        struct element *after = (struct element *)(uintptr_t)items[i];
        if (by_name(before, after, NULL) == 0) {
            before->same = after;
            after->repeated = true;
        }
    }
    return true;
}

/* Attributes alone make no object: the text of <amount currency="EUR">1</amount> stays readable. */
static bool is_leaf(const struct element *e)
{
    return e->last == NULL || e->last->attribute;
}

/* Elements below `e` of the same name come together in one array, where the first stands. */
static void put_element(struct writer *w, struct element *e)
{
    if (e->nil && is_leaf(e)) {
        put(w, PH_S("null"));
        return;
    }
    if (is_leaf(e)) {
        put_string(w, e->text.ptr != NULL ? e->text : PH_S(""));
        return;
    }
    if (!link_same(w->run, e))
        w->failed = true;
    put(w, PH_S("{"));
    bool wrote = false;
    for (struct element *c = e->first; c != NULL && !w->failed; c = c->next) {
        if (c->repeated)
            continue;
        if (wrote)
            put(w, PH_S(","));
        wrote = true;
        put_string(w, c->name);
        put(w, c->same != NULL ? PH_S(":[") : PH_S(":"));
        for (struct element *o = c; o != NULL; o = o->same) {
            if (o != c)
                put(w, PH_S(","));
            put_element(w, o); /* depth is bounded: D3 */
        }
        if (c->same != NULL)
            put(w, PH_S("]"));
    }
    put(w, PH_S("}"));
}

yyjson_val *ph_read_xml(struct ph_run *run, struct ph_slice text, struct ph_slice *ret_why)
{
    if (text.len == 0 || text.len > INT32_MAX) {
        *ret_why = PH_S("the XML is empty");
        return NULL;
    }
    XML_Memory_Handling_Suite memory;
    ph_worker_xml_memory(run->worker, &memory);
    struct xml x = {.run = run, .parser = XML_ParserCreate_MM(NULL, &memory, NULL)};
    if (x.parser == NULL) {
        *ret_why = PH_S("no memory to decode the XML");
        return NULL;
    }
    XML_SetUserData(x.parser, &x);
    XML_SetElementHandler(x.parser, on_start, on_end);
    XML_SetCharacterDataHandler(x.parser, on_text);
    XML_SetStartDoctypeDeclHandler(x.parser, on_doctype);
    enum XML_Status status = XML_Parse(x.parser, text.ptr, (int)text.len, XML_TRUE);
    if (status != XML_STATUS_OK || x.root == NULL) {
        long long at = XML_GetCurrentByteIndex(x.parser);
        const char *why =
            x.refused != NULL ? x.refused : XML_ErrorString(XML_GetErrorCode(x.parser));
        *ret_why = text_at(run, why != NULL ? why : "not XML", at > 0 ? (size_t)at : 0);
        XML_ParserFree(x.parser);
        return NULL;
    }
    XML_ParserFree(x.parser);
    struct writer w = {.run = run};
    put(&w, PH_S("{"));
    put_string(&w, x.root->name);
    put(&w, PH_S(":"));
    put_element(&w, x.root);
    put(&w, PH_S("}"));
    if (w.failed) {
        *ret_why = PH_S("no memory to decode the XML");
        return NULL;
    }
    return ph_read_json(run, ph_slice_of(w.ptr, w.len), ret_why);
}
