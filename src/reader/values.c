/* The value grammar of docs/connector-language.md: references, alternatives, templates, filters, tests,
 * choices. */
#include "reader/build.h"

#define WORDS(array) array, PH_COUNTOF(array)

struct ph_slice ph_cut_word(struct ph_slice *text)
{
    *text = ph_slice_trim(*text);
    size_t end = ph_slice_find(*text, PH_S(" "), 0);
    struct ph_slice word = end == SIZE_MAX ? *text : ph_slice_of(text->ptr, end);
    *text = ph_slice_trim(ph_slice_from(*text, word.len));
    return word;
}

/* ---- pointers ---------------------------------------------------------------------------------------- */

static struct ph_slice unescape(struct ph_build *b, struct ph_slice s)
{
    if (ph_slice_find(s, PH_S("~"), 0) == SIZE_MAX)
        return s;
    char *out = ph_build_alloc(b, s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        bool escaped = s.ptr[i] == '~' && i + 1 < s.len;
        out[len++] = escaped ? s.ptr[i + 1] == '1' ? '/' : '~' : s.ptr[i];
        i += escaped;
    }
    return ph_slice_of(out, len);
}

static struct ph_step step_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice part)
{
    struct ph_step step = {.kind = PH_STEP_KEY, .index = -1};
    if (part.len > 2 && part.ptr[0] == '[' && part.ptr[part.len - 1] == ']') {
        struct ph_slice inside = ph_slice_of(part.ptr + 1, part.len - 2);
        size_t equals = ph_slice_find(inside, PH_S("="), 0);
        if (equals == SIZE_MAX)
            ph_build_error(b, at, "an element is chosen by [name=text], not ", part, "");
        else
            return (struct ph_step){.kind = PH_STEP_SELECT, .index = -1, .key = ph_slice_of(inside.ptr, equals),
                                    .value = ph_slice_from(inside, equals + 1)};
    }
    step.key = unescape(b, part);
    if (ph_slice_eq(part, PH_S("*")))
        step.kind = PH_STEP_ANY;
    else if (ph_slice_eq(part, PH_S("last")))
        step.kind = PH_STEP_LAST;
    int32_t index = 0;
    bool digits = part.len > 0 && part.len < 6;
    for (size_t i = 0; i < part.len && digits; i++) {
        digits = part.ptr[i] >= '0' && part.ptr[i] <= '9';
        index = index * 10 + (part.ptr[i] - '0');
    }
    if (digits)
        step.index = index;
    return step;
}

struct ph_pointer *ph_build_pointer(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text)
{
    struct ph_pointer *pointer = ph_build_alloc(b, sizeof(*pointer));
    pointer->text = text;
    if (text.len == 0 || text.ptr[0] != '/') {
        ph_build_error(b, at, "a pointer begins with '/': ", text, "");
        return pointer;
    }
    if (text.len == 1)
        return pointer;
    size_t count = 1;
    for (size_t i = 1; i < text.len; i++)
        count += text.ptr[i] == '/';
    struct ph_step *steps = ph_build_alloc(b, count * sizeof(*steps));
    size_t n = 0;
    for (size_t start = 1; start <= text.len;) {
        size_t end = ph_slice_find(text, PH_S("/"), start);
        if (end == SIZE_MAX)
            end = text.len;
        steps[n++] = step_of(b, at, ph_slice_of(text.ptr + start, end - start));
        pointer->many = pointer->many || steps[n - 1].kind == PH_STEP_ANY;
        start = end + 1;
    }
    pointer->steps = steps;
    pointer->count = (uint16_t)n;
    return pointer;
}

/* ---- references and filters ---------------------------------------------------------------------------- */

static const struct ph_slice filter_names[PH_FILTER_COUNT] = {
    [PH_FILTER_LOWER] = PH_SI("lower"), [PH_FILTER_UPPER] = PH_SI("upper"), [PH_FILTER_TRIM] = PH_SI("trim"),
    [PH_FILTER_STRIP_SPACE] = PH_SI("strip-space"), [PH_FILTER_REVERSE] = PH_SI("reverse"),
    [PH_FILTER_HEX] = PH_SI("hex"), [PH_FILTER_UNHEX] = PH_SI("unhex"), [PH_FILTER_BASE64] = PH_SI("base64"),
    [PH_FILTER_BASE64URL] = PH_SI("base64url"), [PH_FILTER_UNBASE64] = PH_SI("unbase64"),
    [PH_FILTER_MD5] = PH_SI("md5"), [PH_FILTER_SHA1] = PH_SI("sha1"), [PH_FILTER_SHA256] = PH_SI("sha256"),
    [PH_FILTER_SHA384] = PH_SI("sha384"), [PH_FILTER_SHA512] = PH_SI("sha512"), [PH_FILTER_CRC32] = PH_SI("crc32"),
    [PH_FILTER_JSON] = PH_SI("json"), [PH_FILTER_URL_ENCODE] = PH_SI("url-encode"),
    [PH_FILTER_URL_DECODE] = PH_SI("url-decode"), [PH_FILTER_SORTED] = PH_SI("sorted"),
    [PH_FILTER_MINIFY] = PH_SI("minify"), [PH_FILTER_PICK] = PH_SI("pick"),
    [PH_FILTER_BEFORE_FIRST] = PH_SI("before-first"), [PH_FILTER_AFTER_FIRST] = PH_SI("after-first"),
    [PH_FILTER_AFTER_LAST] = PH_SI("after-last"), [PH_FILTER_STRIP_PREFIX] = PH_SI("strip-prefix"),
    [PH_FILTER_PAD2] = PH_SI("pad2"), [PH_FILTER_ISO] = PH_SI("iso"), [PH_FILTER_MS] = PH_SI("ms")};

static struct ph_filter filter_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text)
{
    struct ph_filter filter = {0};
    size_t colon = ph_slice_find(text, PH_S(":"), 0);
    struct ph_slice name = colon == SIZE_MAX ? text : ph_slice_of(text.ptr, colon);
    if (colon != SIZE_MAX)
        filter.arg = ph_slice_from(text, colon + 1);
    for (int op = 0; op < PH_FILTER_COUNT; op++) {
        if (!ph_slice_eq(filter_names[op], name))
            continue;
        filter.op = (enum ph_filter_op)op;
        bool wants = op >= PH_FILTER_PICK && op <= PH_FILTER_STRIP_PREFIX;
        if (wants != (filter.arg.len > 0))
            ph_build_error(b, at, wants ? "this filter needs an argument: " : "this filter takes no argument: ", name, "");
        if (op == PH_FILTER_PICK && filter.arg.len > 0)
            filter.pointer = ph_build_pointer(b, at, filter.arg);
        return filter;
    }
    ph_build_unknown(b, at, "filter", name, WORDS(filter_names));
    return filter;
}

static bool prefixed(struct ph_slice text, const char *prefix, struct ph_slice *ret_rest)
{
    struct ph_slice p = ph_slice_str(prefix);
    if (!ph_slice_starts(text, p) || text.len == p.len)
        return false;
    *ret_rest = ph_slice_from(text, p.len);
    return true;
}

static bool bare_source(struct ph_slice name, enum ph_source *ret)
{
    static const struct {
        struct ph_slice name;
        enum ph_source source;
    } sources[] = {{PH_SI("body"), PH_SRC_BODY},       {PH_SI("method"), PH_SRC_METHOD}, {PH_SI("path"), PH_SRC_PATH},
                   {PH_SI("url"), PH_SRC_URL},         {PH_SI("secret"), PH_SRC_SECRET}, {PH_SI("secret2"), PH_SRC_SECRET2},
                   {PH_SI("type"), PH_SRC_TYPE},       {PH_SI("now"), PH_SRC_NOW},       {PH_SI("unique"), PH_SRC_UNIQUE}};
    for (size_t i = 0; i < PH_COUNTOF(sources); i++) {
        if (ph_slice_eq(sources[i].name, name)) {
            *ret = sources[i].source;
            return true;
        }
    }
    return false;
}

static void name_ref(struct ph_build *b, const struct ph_yaml *at, struct ph_slice name, struct ph_piece *piece)
{
    if (bare_source(name, &piece->source))
        return;
    for (size_t i = 0; i < b->capture_count; i++) {
        if (ph_slice_eq(b->captures[i], name)) {
            piece->source = PH_SRC_CAPTURE;
            piece->index = (int16_t)i;
            return;
        }
    }
    for (size_t i = 0; i < b->let_count; i++) {
        if (ph_slice_eq(b->lets[i].name, name)) {
            piece->source = PH_SRC_LET;
            piece->index = (int16_t)i;
            return;
        }
    }
    struct ph_slice known[32] = {PH_S("body"), PH_S("method"), PH_S("path"), PH_S("url"), PH_S("secret"),
                                 PH_S("secret2"), PH_S("type"), PH_S("now"), PH_S("unique")};
    size_t count = 9;
    for (size_t i = 0; i < b->capture_count && count < PH_COUNTOF(known); i++)
        known[count++] = b->captures[i];
    for (size_t i = 0; i < b->let_count && count < PH_COUNTOF(known); i++)
        known[count++] = b->lets[i].name;
    ph_build_unknown(b, at, "reference", name, known, count);
}

static void ref_source(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text, struct ph_piece *piece)
{
    struct ph_slice rest;
    if (text.len > 0 && text.ptr[0] == '/') {
        struct ph_pointer *pointer = ph_build_pointer(b, at, text);
        ph_nodes_note(b, at, pointer);
        piece->source = PH_SRC_POINTER;
        piece->pointer = pointer;
    } else if (text.len > 0 && text.ptr[0] == '=') {
        piece->source = PH_SRC_LITERAL;
        piece->text = ph_slice_from(text, 1);
    } else if (prefixed(text, "outer:", &rest)) {
        piece->source = PH_SRC_OUTER;
        piece->pointer = ph_build_pointer(b, at, rest);
    } else if (prefixed(text, "fetched:", &rest)) {
        piece->source = PH_SRC_FETCHED;
        piece->pointer = ph_build_pointer(b, at, rest);
    } else if (prefixed(text, "jws:", &rest)) {
        piece->source = PH_SRC_JWS;
        piece->pointer = ph_build_pointer(b, at, rest);
    } else if (prefixed(text, "listed:", &rest)) {
        piece->source = PH_SRC_LISTED_HEADERS;
        piece->pointer = ph_build_pointer(b, at, rest);
    } else if (prefixed(text, "header:", &rest)) {
        piece->source = PH_SRC_HEADER;
        piece->text = rest;
    } else if (prefixed(text, "query:", &rest)) {
        piece->source = PH_SRC_QUERY;
        piece->text = rest;
    } else if (prefixed(text, "config:", &rest)) {
        piece->source = PH_SRC_CONFIG;
        piece->text = rest;
    } else if (ph_slice_eq(text, PH_S("context:capture_method"))) {
        piece->source = PH_SRC_CONTEXT;
        piece->text = PH_S("capture_method");
    } else {
        name_ref(b, at, text, piece);
    }
}

struct ph_piece ph_build_ref(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text)
{
    struct ph_piece piece = {0};
    text = ph_slice_trim(text);
    size_t bar = ph_slice_find(text, PH_S("|"), 0);
    ref_source(b, at, bar == SIZE_MAX ? text : ph_slice_of(text.ptr, bar), &piece);
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '|';
    struct ph_filter *filters = ph_build_alloc(b, (count + 1) * sizeof(*filters));
    for (size_t i = 0; i < count; i++) {
        size_t end = ph_slice_find(text, PH_S("|"), bar + 1);
        size_t stop = end == SIZE_MAX ? text.len : end;
        filters[i] = filter_of(b, at, ph_slice_of(text.ptr + bar + 1, stop - bar - 1));
        bar = stop;
    }
    piece.filters = filters;
    piece.filter_count = (uint16_t)count;
    if (piece.pointer != NULL && piece.pointer->many && (!b->many_fits || count > 0))
        ph_build_error(b, at, "a `*` stands in items, and alone in tests and money, not in ", text, "");
    return piece;
}

/* ---- templates and alternatives -------------------------------------------------------------------------- */

struct ph_template ph_build_template(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text)
{
    enum { PIECES_MAX = 32 };
    struct ph_piece *pieces = ph_build_alloc(b, PIECES_MAX * sizeof(*pieces));
    char *literal = ph_build_alloc(b, text.len + 1);
    size_t count = 0, used = 0, start = 0;
    for (size_t i = 0; i <= text.len && count < PIECES_MAX - 1; i++) {
        char c = i < text.len ? text.ptr[i] : '\0';
        bool doubled = i + 1 < text.len && text.ptr[i + 1] == c;
        if ((c == '{' || c == '}') && doubled) {
            literal[used++] = c;
            i++;
            continue;
        }
        if (i < text.len && c != '{') {
            if (c == '}')
                ph_build_error(b, at, "a '}' without '{' in ", text, "; write }} for a brace");
            literal[used++] = c;
            continue;
        }
        if (used > start) {
            pieces[count++] = (struct ph_piece){.source = PH_SRC_LITERAL, .text = ph_slice_of(literal + start, used - start)};
            start = used;
        }
        if (i >= text.len)
            break;
        size_t end = ph_slice_find(text, PH_S("}"), i);
        if (end == SIZE_MAX) {
            ph_build_error(b, at, "a '{' that is not closed in ", text, "; write {{ for a brace");
            break;
        }
        pieces[count++] = ph_build_ref(b, at, ph_slice_of(text.ptr + i + 1, end - i - 1));
        i = end;
    }
    if (count >= PIECES_MAX - 1)
        ph_build_error(b, at, "more than 30 pieces in ", text, "");
    return (struct ph_template){.pieces = pieces, .count = (uint16_t)count};
}

struct ph_expr ph_build_expr(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text)
{
    text = ph_slice_trim(text);
    if (text.len == 0) {
        ph_build_error(b, at, "a value is missing", PH_S(""), "");
        return (struct ph_expr){0};
    }
    if (ph_slice_find(text, PH_S("{"), 0) != SIZE_MAX) {
        struct ph_template *t = ph_build_alloc(b, sizeof(*t));
        *t = ph_build_template(b, at, text);
        return (struct ph_expr){.alternatives = t, .count = 1};
    }
    struct ph_slice word = PH_S(" or ");
    size_t count = 1;
    for (size_t i = ph_slice_find(text, word, 0); i != SIZE_MAX; i = ph_slice_find(text, word, i + word.len))
        count++;
    struct ph_template *templates = ph_build_alloc(b, count * sizeof(*templates));
    struct ph_piece *pieces = ph_build_alloc(b, count * sizeof(*pieces));
    for (size_t i = 0, start = 0; i < count; i++) {
        size_t end = ph_slice_find(text, word, start);
        if (end == SIZE_MAX)
            end = text.len;
        pieces[i] = ph_build_ref(b, at, ph_slice_of(text.ptr + start, end - start));
        templates[i] = (struct ph_template){.pieces = &pieces[i], .count = 1};
        start = end + word.len;
    }
    struct ph_expr expr = {.alternatives = templates, .count = (uint16_t)count};
    const struct ph_pointer *pointer = pieces[0].source == PH_SRC_POINTER ? pieces[0].pointer : NULL;
    if (count == 1 && pieces[0].filter_count == 0 && pointer != NULL && pointer->shared == pointer->count)
        expr.node = pointer->node;
    return expr;
}

struct ph_expr ph_build_many_expr(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text)
{
    bool alone = ph_slice_find(text, PH_S(" or "), 0) == SIZE_MAX && ph_slice_find(text, PH_S("{"), 0) == SIZE_MAX;
    b->many_fits = alone;
    struct ph_expr expr = ph_build_expr(b, at, text);
    b->many_fits = false;
    return expr;
}

bool ph_build_time_unit(struct ph_slice *text, enum ph_unit *ret)
{
    struct ph_slice rest = *text, word = ph_cut_word(&rest);
    if (ph_slice_eq(word, PH_S("unix")))
        *ret = PH_UNIT_UNIX;
    else if (ph_slice_eq(word, PH_S("unix-ms")))
        *ret = PH_UNIT_UNIX_MS;
    else if (ph_slice_eq(word, PH_S("iso")))
        *ret = PH_UNIT_ISO;
    else
        return false;
    *text = rest;
    return true;
}

/* ---- choices ---------------------------------------------------------------------------------------------- */

static int32_t word_of(struct ph_build *b, const struct ph_yaml *at, enum ph_vocabulary words, struct ph_slice text)
{
    size_t count;
    int32_t number = ph_word_number(words, text);
    if (number >= 0)
        return number;
    const struct ph_word *list = ph_words(words, &count);
    struct ph_slice *names = ph_build_alloc(b, (count + 1) * sizeof(*names));
    for (size_t i = 0; i < count; i++)
        names[i] = list[i].name;
    ph_build_unknown(b, at, "word", text, names, count);
    return 0;
}

static const struct ph_map *map_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice name,
                                   enum ph_vocabulary words)
{
    struct ph_yaml *found = NULL;
    struct ph_slice known[PH_NAMES_MAX];
    size_t known_count = 0;
    for (struct ph_yaml *m = b->maps != NULL ? b->maps->first : NULL; m != NULL; m = m->next) {
        if (ph_slice_eq(m->key, name))
            found = m;
        if (known_count < PH_NAMES_MAX)
            known[known_count++] = m->key;
    }
    if (found == NULL || found->kind != PH_YAML_MAP) {
        ph_build_unknown(b, at, "map", name, known, known_count);
        return NULL;
    }
    found->used = true;
    size_t count = 0;
    for (struct ph_yaml *e = found->first; e != NULL; e = e->next)
        count++;
    struct ph_map *map = ph_build_alloc(b, sizeof(*map));
    struct ph_map_entry *entries = ph_build_alloc(b, (count + 1) * sizeof(*entries));
    *map = (struct ph_map){.name = name, .vocabulary = words, .entries = entries};
    for (struct ph_yaml *e = found->first; e != NULL; e = e->next) {
        int32_t number = word_of(b, e, words, e->text);
        if (ph_slice_eq(e->key, PH_S("else"))) {
            map->has_otherwise = true;
            map->otherwise = number;
        } else {
            entries[map->count++] = (struct ph_map_entry){e->key, number};
        }
    }
    return map;
}

struct ph_choice ph_build_choice(struct ph_build *b, const struct ph_yaml *at, enum ph_vocabulary words)
{
    struct ph_choice choice = {0};
    struct ph_slice rest = at->text;
    if (at->kind != PH_YAML_TEXT) {
        ph_build_error(b, at, "a word or `map NAME VALUE` belongs here", PH_S(""), "");
        return choice;
    }
    if (!ph_slice_eq(ph_cut_word(&rest), PH_S("map")) || rest.len == 0) {
        choice.word = word_of(b, at, words, at->text);
        return choice;
    }
    struct ph_slice name = ph_cut_word(&rest);
    choice.map = map_of(b, at, name, words);
    choice.of = ph_build_expr(b, at, rest);
    return choice;
}

/* ---- tests and lists ---------------------------------------------------------------------------------------- */

const struct ph_slice *ph_build_list(struct ph_build *b, const struct ph_yaml *at, uint16_t *ret_count)
{
    size_t count = at->kind == PH_YAML_TEXT ? 1 : 0;
    for (struct ph_yaml *e = at->kind == PH_YAML_LIST ? at->first : NULL; e != NULL; e = e->next)
        count++;
    struct ph_slice *out = ph_build_alloc(b, (count + 1) * sizeof(*out));
    size_t n = 0;
    if (at->kind == PH_YAML_TEXT)
        out[n++] = at->text;
    for (struct ph_yaml *e = at->kind == PH_YAML_LIST ? at->first : NULL; e != NULL; e = e->next) {
        if (e->kind != PH_YAML_TEXT)
            ph_build_error(b, e, "a plain text belongs here", PH_S(""), "");
        out[n++] = e->text;
    }
    if (at->kind == PH_YAML_MAP)
        ph_build_error(b, at, "a text or a list belongs here", PH_S(""), "");
    *ret_count = (uint16_t)n;
    return out;
}

static void test_map(struct ph_build *b, struct ph_yaml *at, struct ph_test *test)
{
    static const struct ph_slice known[] = {PH_SI("not"), PH_SI("prefix"), PH_SI("present"), PH_SI("over"), PH_SI("under"), PH_SI("media-type"), PH_SI("utf8")};
    struct ph_yaml *e = at->first;
    if (e == NULL || e->next != NULL) {
        ph_build_error(b, at, "one test belongs here: not, prefix, present, over, under, utf8 or media-type", PH_S(""), "");
        return;
    }
    ph_build_keys(b, at, WORDS(known));
    test->values = ph_build_list(b, e, &test->value_count);
    if (ph_slice_eq(e->key, PH_S("not")))
        test->op = PH_TEST_NOT_ONE_OF;
    else if (ph_slice_eq(e->key, PH_S("prefix")))
        test->op = PH_TEST_PREFIX;
    else if (ph_slice_eq(e->key, PH_S("over")))
        test->op = PH_TEST_OVER;
    else if (ph_slice_eq(e->key, PH_S("under"))) {
        test->op = PH_TEST_UNDER;
        test->against = ph_build_expr(b, e, e->text);
    }
    else if (ph_slice_eq(e->key, PH_S("utf8")))
        test->op = PH_TEST_UTF8;
    else if (ph_slice_eq(e->key, PH_S("media-type")))
        test->op = PH_TEST_MEDIA_TYPE;
    else if (ph_slice_eq(e->key, PH_S("present")))
        test->op = ph_slice_eq(e->text, PH_S("false")) ? PH_TEST_ABSENT : PH_TEST_PRESENT;
}

struct ph_test *ph_build_tests(struct ph_build *b, struct ph_yaml *map, uint16_t *ret_count)
{
    size_t count = 0;
    *ret_count = 0;
    if (map == NULL)
        return NULL;
    if (map->kind != PH_YAML_MAP) {
        ph_build_error(b, map, "tests are written as VALUE: expected", PH_S(""), "");
        return NULL;
    }
    for (struct ph_yaml *e = map->first; e != NULL; e = e->next)
        count++;
    struct ph_test *tests = ph_build_alloc(b, (count + 1) * sizeof(*tests));
    count = 0;
    for (struct ph_yaml *e = map->first; e != NULL; e = e->next) {
        struct ph_test *test = &tests[count++];
        test->of = ph_build_many_expr(b, e, e->key);
        if (e->kind == PH_YAML_MAP)
            test_map(b, e, test);
        else
            test->values = ph_build_list(b, e, &test->value_count);
    }
    *ret_count = (uint16_t)count;
    return tests;
}
