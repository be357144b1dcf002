/* The value grammar of docs/connector-language.md: pointers, references, templates,
 * alternatives. */
#include "reader/build.h"

/* ---- pointers -------------------------------------------------------------------------------- */

static struct ph_slice unescape(struct ph_build *b, const struct ph_yaml *at, struct ph_slice s)
{
    if (ph_slice_find(s, PH_S("~"), 0) == SIZE_MAX)
        return s;
    char *out = ph_build_alloc(b, s.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] != '~') {
            out[len++] = s.ptr[i];
            continue;
        }
        i++;
        if (i == s.len || (s.ptr[i] != '0' && s.ptr[i] != '1')) {
            ph_build_error(b, at,
                           "in a pointer ~0 stands for ~ and ~1 for /, and ~ for nothing else: ", s,
                           "");
            return s;
        }
        out[len++] = s.ptr[i] == '1' ? '/' : '~';
    }
    return ph_slice_of(out, len);
}

static struct ph_step step_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice part)
{
    struct ph_step step = {.kind = PH_STEP_KEY, .index = -1};
    if (part.len > 2 && part.ptr[0] == '[' && part.ptr[part.len - 1] == ']') {
        struct ph_slice inside = ph_slice_of(part.ptr + 1, part.len - 2);
        size_t equals = ph_slice_find(inside, PH_S("="), 0);
        if (equals == SIZE_MAX || equals == 0)
            ph_build_error(b, at, "an element is chosen by [name=text], not ", part, "");
        else
            return (struct ph_step){.kind = PH_STEP_SELECT,
                                    .index = -1,
                                    .key = ph_slice_of(inside.ptr, equals),
                                    .value = ph_slice_from(inside, equals + 1)};
    }
    step.key = unescape(b, at, part);
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

struct ph_pointer *ph_build_pointer(struct ph_build *b, const struct ph_yaml *at,
                                    struct ph_slice text)
{
    struct ph_pointer *pointer = ph_build_alloc(b, sizeof(*pointer));
    pointer->text = text;
    if (text.len == 0 || text.ptr[0] != '/') {
        ph_build_error(b, at, "a pointer begins with '/', not `", text, "`");
        return pointer;
    }
    if (text.len == 1)
        return pointer;
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '/';
    if (!ph_build_within(b, at, count, PH_POINTER_STEPS_MAX, "a pointer of more than 64 steps"))
        return pointer;
    struct ph_step *steps = ph_build_alloc(b, count * sizeof(*steps));
    size_t n = 0;
    for (size_t start = 1; start <= text.len; n++) {
        size_t end = ph_slice_find(text, PH_S("/"), start);
        if (end == SIZE_MAX)
            end = text.len;
        steps[n] = step_of(b, at, ph_slice_of(text.ptr + start, end - start));
        pointer->many = pointer->many || steps[n].kind == PH_STEP_ANY;
        start = end + 1;
    }
    pointer->steps = steps;
    pointer->count = (uint16_t)n;
    return pointer;
}

struct ph_pointer *ph_build_place(struct ph_build *b, const struct ph_yaml *at,
                                  struct ph_slice text)
{
    struct ph_pointer *pointer = ph_build_pointer(b, at, text);
    if (pointer->many && !b->many_fits)
        ph_build_error(b, at,
                       "'*' stands in `items`, and alone in tests and money; here name one element "
                       "(0, last, [name=text]): ",
                       text, "");
    return pointer;
}

/* ---- references ------------------------------------------------------------------------------ */

static const struct {
    struct ph_slice name;
    enum ph_source source;
} bare[] = {{PH_SI("body"), PH_SRC_BODY},     {PH_SI("method"), PH_SRC_METHOD},
            {PH_SI("path"), PH_SRC_PATH},     {PH_SI("url"), PH_SRC_URL},
            {PH_SI("secret"), PH_SRC_SECRET}, {PH_SI("secret2"), PH_SRC_SECRET2},
            {PH_SI("type"), PH_SRC_TYPE},     {PH_SI("now"), PH_SRC_NOW},
            {PH_SI("unique"), PH_SRC_UNIQUE}};

bool ph_is_reference_word(struct ph_slice name)
{
    for (size_t i = 0; i < PH_COUNTOF(bare); i++)
        if (ph_slice_eq(bare[i].name, name))
            return true;
    return false;
}

static void refuse_secret(struct ph_build *b, const struct ph_yaml *at, struct ph_slice name)
{
    ph_build_error(b, at, "`", name,
                   "` would bring the secret where it is not known: only `signature` (and a `let` "
                   "it uses) may name it");
}

static bool let_ref(struct ph_build *b, const struct ph_yaml *at, struct ph_slice name,
                    struct ph_piece *piece)
{
    for (size_t i = 0; i < b->let_count; i++) {
        if (!ph_slice_eq(b->lets[i].name, name))
            continue;
        piece->source = PH_SRC_LET;
        piece->index = (int16_t)i;
        b->let_nodes[i]->used = true;
        if (!b->secrets && (b->let_holds[i][true] & (PH_HOLDS_SECRET | PH_HOLDS_CUT)) != 0)
            refuse_secret(b, at, name);
        return true;
    }
    return false;
}

static void name_ref(struct ph_build *b, const struct ph_yaml *at, struct ph_slice name,
                     struct ph_piece *piece)
{
    for (size_t i = 0; i < PH_COUNTOF(bare); i++) {
        if (!ph_slice_eq(bare[i].name, name))
            continue;
        piece->source = bare[i].source;
        if (!b->secrets && (piece->source == PH_SRC_SECRET || piece->source == PH_SRC_SECRET2))
            refuse_secret(b, at, name);
        return;
    }
    for (size_t i = b->signature_visible ? 0 : 1; i < b->capture_count; i++) {
        if (ph_slice_eq(b->captures[i], name)) {
            piece->source = PH_SRC_CAPTURE;
            piece->index = (int16_t)i;
            return;
        }
    }
    if (let_ref(b, at, name, piece))
        return;
    struct ph_slice known[PH_COUNTOF(bare) + PH_READER_CAPTURES_MAX + PH_PAGE_LETS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < PH_COUNTOF(bare); i++)
        known[count++] = bare[i].name;
    for (size_t i = b->signature_visible ? 0 : 1; i < b->capture_count; i++)
        known[count++] = b->captures[i];
    for (size_t i = 0; i < b->let_count; i++)
        known[count++] = b->lets[i].name;
    ph_build_unknown(b, at, "reference", name, known, count);
}

/* Config fields that every connector has: what callouts bring and what the engine itself reads. */
static const struct ph_slice public_config[] = {PH_SI("notification_url"),
                                                PH_SI("certificate_pem"),
                                                PH_SI("fetched_certificate_pem"),
                                                PH_SI("jwks"),
                                                PH_SI("verdict"),
                                                PH_SI("fetched"),
                                                PH_SI("kid"),
                                                PH_SI("tolerance_seconds"),
                                                PH_SI("root_certificates_der_base64"),
                                                PH_SI("public_key_pem")};

bool ph_config_is_public(struct ph_slice name)
{
    for (size_t i = 0; i < PH_COUNTOF(public_config); i++)
        if (ph_slice_eq(public_config[i], name))
            return true;
    return false;
}

static void config_ref(struct ph_build *b, const struct ph_yaml *at, struct ph_slice name)
{
    struct ph_slice known[PH_COUNTOF(public_config) + PH_CONFIG_VALUES_MAX];
    size_t count = 0;
    if (ph_config_is_public(name) || ph_slice_eq(name, PH_S("private_key_pem")))
        return;
    for (size_t i = 0; i < b->config_count; i++) {
        if (ph_slice_eq(b->config[i].name, name))
            return;
        known[count++] = b->config[i].name;
    }
    for (size_t i = 0; i < PH_COUNTOF(public_config); i++)
        known[count++] = public_config[i];
    ph_build_unknown(b, at, "config field (the page's `config` names its own)", name, known, count);
}

/* RFC 9110, 5.6.2: what a header's name is made of. */
static bool is_token(struct ph_slice s)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || strchr(marks, c) == NULL))
            return false;
    }
    return s.len > 0;
}

static void prefixed_ref(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text,
                         size_t colon, struct ph_piece *piece)
{
    static const struct ph_slice prefixes[] = {PH_SI("outer"),  PH_SI("fetched"), PH_SI("jws"),
                                               PH_SI("claims"), PH_SI("listed"),  PH_SI("header"),
                                               PH_SI("query"),  PH_SI("config"),  PH_SI("context")};
    static const enum ph_source sources[] = {PH_SRC_OUTER,  PH_SRC_FETCHED,        PH_SRC_JWS,
                                             PH_SRC_CLAIMS, PH_SRC_LISTED_HEADERS, PH_SRC_HEADER,
                                             PH_SRC_QUERY,  PH_SRC_CONFIG,         PH_SRC_CONTEXT};
    struct ph_slice rest = ph_slice_from(text, colon + 1);
    size_t i = ph_build_word(b, at, "kind of reference", ph_slice_of(text.ptr, colon), prefixes,
                             PH_COUNTOF(prefixes));
    if (i == SIZE_MAX)
        return;
    piece->source = sources[i];
    if (i < 5) {
        piece->pointer = ph_build_place(b, at, rest);
        return;
    }
    piece->text = rest;
    if (piece->source == PH_SRC_HEADER && !is_token(rest))
        ph_build_error(b, at, "no header has the name `", rest, "`");
    else if (piece->source == PH_SRC_CONFIG)
        config_ref(b, at, rest);
    else if (piece->source == PH_SRC_CONTEXT && !ph_slice_eq(rest, PH_S("capture_method")))
        ph_build_error(b, at, "the context says capture_method, and nothing else: ", rest, "");
    else if (rest.len == 0)
        ph_build_error(b, at, "a name is missing behind the colon of ", text, "");
}

static void ref_source(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text,
                       struct ph_piece *piece)
{
    size_t colon = ph_slice_find(text, PH_S(":"), 0);
    if (text.len == 0) {
        ph_build_error(b, at, "a reference is missing (or a ` or ` has nothing on one side)",
                       PH_S(""), "");
    } else if (text.ptr[0] == '/') {
        struct ph_pointer *pointer = ph_build_place(b, at, text);
        ph_nodes_note(b, at, pointer);
        piece->source = PH_SRC_POINTER;
        piece->pointer = pointer;
    } else if (text.ptr[0] == '=') {
        piece->source = PH_SRC_LITERAL;
        piece->text = ph_slice_from(text, 1);
        if (text.len == 1 || ph_slice_find(text, PH_S(" "), 0) != SIZE_MAX)
            ph_build_error(b, at, "=TEXT is one word; write a longer text in quotes, not ", text,
                           "");
    } else if (colon != SIZE_MAX) {
        prefixed_ref(b, at, text, colon, piece);
    } else {
        name_ref(b, at, text, piece);
    }
}

struct ph_piece ph_build_ref(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text)
{
    struct ph_piece piece = {0};
    bool many_fits = b->many_fits;
    text = ph_slice_trim(text);
    /* a filter makes one text of one */
    b->many_fits = many_fits && ph_slice_find(text, PH_S("|"), 0) == SIZE_MAX;
    piece.filters = ph_build_filters(b, at, &text, &piece.filter_count);
    ref_source(b, at, text, &piece);
    b->many_fits = many_fits;
    return piece;
}

/* ---- templates ------------------------------------------------------------------------------- */

/* A template under construction: literals gather in one buffer until a reference ends them. */
struct writer {
    struct ph_piece *pieces;
    size_t count;
    char *literal;
    size_t used, start;
};

static void end_literal(struct writer *w)
{
    if (w->used > w->start)
        w->pieces[w->count++] =
            (struct ph_piece){.source = PH_SRC_LITERAL,
                              .text = ph_slice_of(w->literal + w->start, w->used - w->start)};
    w->start = w->used;
}

static struct ph_template template_of(const struct ph_build *b, const struct ph_piece *pieces,
                                      size_t count)
{
    const unsigned ours = PH_HOLDS_SECRET | PH_HOLDS_CONFIG | PH_HOLDS_PUBLIC | PH_HOLDS_CUT;
    struct ph_template t = {.pieces = pieces, .count = (uint16_t)count};
    t.open = (ph_template_holds(b, &t, false) & ours) == 0;
    return t;
}

struct ph_template ph_build_template(struct ph_build *b, const struct ph_yaml *at,
                                     struct ph_slice text)
{
    size_t opened = 0;
    for (size_t i = 0; i < text.len; i++)
        opened += text.ptr[i] == '{';
    size_t room = opened < PH_TEMPLATE_PIECES_MAX ? 2 * opened + 1 : 2 * PH_TEMPLATE_PIECES_MAX + 1;
    struct writer w = {.pieces = ph_build_alloc(b, room * sizeof(*w.pieces)),
                       .literal = ph_build_alloc(b, text.len + 1)};
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool doubled = i + 1 < text.len && text.ptr[i + 1] == c;
        if (c == '}' && !doubled) {
            ph_build_error(b, at, "a '}' without '{' in ", text, "; write }} for a brace");
            break;
        }
        if (c != '{' || doubled) {
            w.literal[w.used++] = c;
            i += c == '{' || c == '}';
            continue;
        }
        end_literal(&w);
        size_t end = ph_slice_find(text, PH_S("}"), i);
        if (end == SIZE_MAX) {
            ph_build_error(b, at, "a '{' that is not closed in ", text, "; write {{ for a brace");
            break;
        }
        if (w.count + 2 > PH_TEMPLATE_PIECES_MAX) {
            ph_build_error(b, at, "more than 64 pieces in ", text,
                           "; a `let` can hold a part of them");
            break;
        }
        w.pieces[w.count++] = ph_build_ref(b, at, ph_slice_of(text.ptr + i + 1, end - i - 1));
        i = end;
    }
    end_literal(&w);
    return template_of(b, w.pieces, w.count);
}

/* ---- alternatives ---------------------------------------------------------------------------- */

/* The end of the alternative that begins at `start`: the next " or " outside of braces and
 * quotes. */
static size_t alternative_end(struct ph_slice text, size_t start)
{
    size_t i = start;
    while (i < text.len && text.ptr[i] == ' ')
        i++;
    if (i < text.len && text.ptr[i] == '"') {
        size_t close = ph_slice_find(text, PH_S("\""), i + 1);
        i = close == SIZE_MAX ? text.len : close + 1;
    }
    for (; i < text.len; i++) {
        bool doubled = i + 1 < text.len && text.ptr[i + 1] == text.ptr[i];
        if (text.ptr[i] == '{' && doubled)
            i++;
        else if (text.ptr[i] == '{')
            while (i < text.len && text.ptr[i] != '}')
                i++;
        else if (ph_slice_starts(ph_slice_from(text, i), PH_S(" or ")))
            return i;
    }
    return text.len;
}

/* A template where there are braces or quotes, else a reference. */
static struct ph_template alternative_of(struct ph_build *b, const struct ph_yaml *at,
                                         struct ph_slice text)
{
    text = ph_slice_trim(text);
    if (text.len > 1 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        return ph_build_template(b, at, ph_slice_of(text.ptr + 1, text.len - 2));
    if (ph_slice_find(text, PH_S("{"), 0) != SIZE_MAX ||
        ph_slice_find(text, PH_S("}"), 0) != SIZE_MAX)
        return ph_build_template(b, at, text);
    struct ph_piece *piece = ph_build_alloc(b, sizeof(*piece));
    *piece = ph_build_ref(b, at, text);
    return template_of(b, piece, 1);
}

struct ph_expr ph_build_expr(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text)
{
    size_t count = 0;
    text = ph_slice_trim(text);
    if (text.len == 0) {
        if (at->kind == PH_YAML_TEXT)
            ph_build_error(b, at, "a value is missing", PH_S(""), "");
        return (struct ph_expr){0};
    }
    struct ph_slice left = PH_S("or "), right = PH_S(" or");
    if (ph_slice_starts(text, left) ||
        (text.len > 3 && ph_slice_eq(ph_slice_from(text, text.len - 3), right))) {
        ph_build_error(b, at, "` or ` has nothing on one side: ", text, "");
        return (struct ph_expr){0};
    }
    for (size_t start = 0; start <= text.len; start = alternative_end(text, start) + 4)
        count++;
    if (!ph_build_within(b, at, count, PH_ALTERNATIVES_MAX, "more than 16 alternatives"))
        return (struct ph_expr){0};
    struct ph_template *list = ph_build_alloc(b, count * sizeof(*list));
    size_t n = 0;
    for (size_t start = 0; n < count; n++) {
        size_t end = alternative_end(text, start);
        list[n] = alternative_of(b, at, ph_slice_of(text.ptr + start, end - start));
        start = end + 4;
    }
    const struct ph_piece *only = n == 1 && list[0].count == 1 ? &list[0].pieces[0] : NULL;
    bool pointer = only != NULL && only->source == PH_SRC_POINTER && only->filter_count == 0 &&
                   only->pointer->shared == only->pointer->count;
    return (struct ph_expr){
        .alternatives = list, .count = (uint16_t)n, .node = pointer ? only->pointer->node : 0};
}

struct ph_expr ph_build_many_expr(struct ph_build *b, const struct ph_yaml *at,
                                  struct ph_slice text)
{
    b->many_fits = ph_slice_find(text, PH_S(" or "), 0) == SIZE_MAX &&
                   ph_slice_find(text, PH_S("{"), 0) == SIZE_MAX;
    struct ph_expr expr = ph_build_expr(b, at, text);
    b->many_fits = false;
    return expr;
}
