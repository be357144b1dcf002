/* The dedupe key: its parts, and that nobody can make keys of his own with them.
 *
 * K1: a part that the signature does not cover is limited to values that the page knows: who
 *     sends a genuine notice again, changed where nobody signed, makes few keys of it and not as
 *     many as he likes.
 * K2: where a message signs a document as it is written again, a part is a string, or written so
 *     too: 10.5, 10.50 and 1.05e1 have one signature there. */
#include "reader/build.h"

#define WORDS(array) array, PH_COUNTOF(array)

/* ---- K1 -------------------------------------------------------------------------------------- */

/* Whether the scheme signs some of the request, so that a part may be left out. Tokens, signed
 * ones too, and digests of credentials cover nothing, and an API judges all: there K1 has
 * nothing to add. */
static bool signs_parts(const struct ph_build *b, const struct ph_signature *sig)
{
    if (sig->kind == PH_SIG_NONE || sig->kind == PH_SIG_TOKEN || sig->kind == PH_SIG_BASIC ||
        sig->kind == PH_SIG_CALLOUT || ph_is_bare_token(sig))
        return false;
    for (uint16_t m = 0; m < sig->message_count; m++)
        if ((ph_template_holds(b, &sig->messages[m], false) & PH_HOLDS_REQUEST) == 0)
            return false;
    return true;
}

/* By one of the schemes: which of them a request takes is its `when`'s affair, and what else it
 * may then bring its `require`'s (standardwebhooks: two names for one header). */
static bool piece_signed(const struct ph_build *b, const struct ph_variant *v,
                         const struct ph_piece *p)
{
    bool any = p->source == PH_SRC_LITERAL || p->source == PH_SRC_CONFIG;
    for (uint16_t s = 0; s < v->signature_count && !any; s++)
        any = ph_piece_is_signed(b, &v->signatures[s], p);
    return any;
}

static bool template_signed(const struct ph_build *b, const struct ph_variant *v,
                            const struct ph_template *t, int depth)
{
    bool all = depth <= PH_LET_DEPTH_MAX;
    for (uint16_t i = 0; i < t->count && all; i++) {
        const struct ph_piece *p = &t->pieces[i];
        if (p->source == PH_SRC_TYPE) /* stands for what the event's type is read from */
            for (uint16_t k = 0; k < v->type.count && all; k++)
                all = template_signed(b, v, &v->type.alternatives[k], depth + 1);
        else if (p->source == PH_SRC_LET && b->lets[p->index].kind == PH_LET_TEMPLATE)
            all = template_signed(b, v, &b->lets[p->index].value, depth + 1);
        else
            all = piece_signed(b, v, p);
    }
    return all;
}

/* ---- K2 -------------------------------------------------------------------------------------- */

static bool is_written_by(const struct ph_piece *p, enum ph_filter_op op)
{
    return p->filter_count > 0 && p->filters[0].op == op;
}

static bool writes_by(const struct ph_build *b, const struct ph_template *t, enum ph_filter_op op,
                      int depth)
{
    bool any = false;
    for (uint16_t i = 0; i < t->count && !any; i++) {
        const struct ph_piece *p = &t->pieces[i];
        bool looked_into = p->source == PH_SRC_LET && depth < PH_LET_DEPTH_MAX &&
                           b->lets[p->index].kind == PH_LET_TEMPLATE;
        any = is_written_by(p, op) ||
              (looked_into && writes_by(b, &b->lets[p->index].value, op, depth + 1));
    }
    return any;
}

static bool signs_written_by(const struct ph_build *b, const struct ph_variant *v,
                             enum ph_filter_op op)
{
    bool any = false;
    for (uint16_t s = 0; s < v->signature_count && !any; s++)
        for (uint16_t m = 0; m < v->signatures[s].message_count && !any; m++)
            any = writes_by(b, &v->signatures[s].messages[m], op, 0);
    return any;
}

static bool is_string(const struct ph_need *need, const struct ph_piece *p)
{
    const struct ph_template *only = need->of.count == 1 ? &need->of.alternatives[0] : NULL;
    return need->type == PH_NEED_STRING && only != NULL && only->count == 1 &&
           only->pieces[0].source == p->source && only->pieces[0].pointer != NULL &&
           ph_slice_eq(only->pieces[0].pointer->text, p->pointer->text);
}

/* It has one text for all that is signed alike. A let and the type are not looked into, or a
 * page could take long to read. */
static bool is_alike(const struct ph_variant *v, const struct ph_piece *p, bool by_rfc8785)
{
    if (p->source != PH_SRC_POINTER && p->source != PH_SRC_OUTER)
        return p->source != PH_SRC_LET && p->source != PH_SRC_TYPE;
    /* sorted-json tells 10 from 10.0, which rfc8785 does not. */
    bool alike = is_written_by(p, PH_FILTER_RFC8785) ||
                 (is_written_by(p, PH_FILTER_SORTED_JSON) && !by_rfc8785);
    for (uint16_t i = 0; i < v->need_count && !alike; i++)
        alike = is_string(&v->needs[i], p);
    return alike;
}

static void check_alike(struct ph_build *b, const struct ph_yaml *at, const struct ph_variant *v,
                        const struct ph_expr *of)
{
    bool by_rfc8785 = signs_written_by(b, v, PH_FILTER_RFC8785), all = true;
    if (!by_rfc8785 && !signs_written_by(b, v, PH_FILTER_SORTED_JSON))
        return;
    for (uint16_t i = 0; i < of->count; i++)
        for (uint16_t k = 0; k < of->alternatives[i].count && all; k++)
            all = is_alike(v, &of->alternatives[i].pieces[k], by_rfc8785);
    if (!all)
        ph_build_error(b, at,
                       "a number is signed as it is written again (10.5 and 10.50 alike), and here "
                       "it is taken as it was sent, so a "
                       "replay could count as another event; `require` a string at that pointer, "
                       "or write it again as `message` does",
                       PH_S(""), "");
}

/* ---- both ------------------------------------------------------------------------------------ */

static void check_signed(struct ph_build *b, const struct ph_yaml *at, const struct ph_variant *v,
                         const struct ph_expr *of)
{
    size_t pieces = 0;
    for (uint16_t i = 0; i < of->count; i++)
        pieces += of->alternatives[i].count;
    if (b->errors->count > 0 || !ph_build_within(b, at, pieces, PH_PAGE_KEY_PIECES_MAX,
                                                 "a part of the key of more than 16 pieces"))
        return;
    bool all = true;
    for (uint16_t s = 0; s < v->signature_count; s++)
        if (!signs_parts(b, &v->signatures[s]))
            return;
    for (uint16_t i = 0; i < of->count && all; i++)
        all = template_signed(b, v, &of->alternatives[i], 0);
    if (!all)
        ph_build_error(b, at,
                       "this part of the key is not signed, so a replay could change it and count "
                       "as another event; leave it out, "
                       "or say which values it may have: { of: VALUE, known: [ … ] }",
                       PH_S(""), "");
    else
        check_alike(b, at, v, of);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static bool is_text_or_list(const struct ph_yaml *at)
{
    return at->kind == PH_YAML_TEXT || at->kind == PH_YAML_LIST;
}

/* `{ of: VALUE, on: types, known: values }` */
static void limited_part(struct ph_build *b, const struct ph_yaml *at, struct ph_key_part *part)
{
    static const struct ph_slice known[] = {PH_SI("of"), PH_SI("on"), PH_SI("known")};
    static const struct ph_slice type = PH_SI("type");
    const struct ph_yaml *of = ph_yaml_get(at, "of"), *on = ph_yaml_get(at, "on"),
                         *values = ph_yaml_get(at, "known");
    struct ph_test *when = ph_build_alloc(b, 2 * sizeof(*when));
    if (!ph_build_keys(b, at, WORDS(known)))
        return;
    if (of == NULL || (on == NULL && values == NULL)) {
        ph_build_error(b, at,
                       "a limited part of the key says `of` (its value), and `known` (the values "
                       "it may have) or `on` (for which types), or both",
                       PH_S(""), "");
        return;
    }
    part->of = ph_build_expr(b, of, ph_build_text(b, of));
    part->when = when;
    if (on != NULL) {
        struct ph_test *test = &when[part->when_count++];
        test->of = ph_build_expr(b, on, type);
        if (!is_text_or_list(on))
            ph_build_error(b, on, "`on` takes a type or a list of them", PH_S(""), "");
        else
            ph_build_expected(b, on, test);
    }
    if (values != NULL) {
        struct ph_test *test = &when[part->when_count++];
        test->of = part->of;
        ph_build_expected(b, values, test);
        if (test->op != PH_TEST_ONE_OF && test->op != PH_TEST_SHAPE)
            ph_build_error(b, values, "`known` takes a list of values, or { shape: … }", PH_S(""),
                           "");
        else if (test->op == PH_TEST_SHAPE && test->value_count == 1 &&
                 ph_slice_find(test->values[0], PH_S("9+"), 0) != SIZE_MAX)
            ph_build_error(
                b, values,
                "`known` takes a shape that ends: 9+ would let any number of values join", PH_S(""),
                "");
    }
}

void ph_build_dedupe(struct ph_build *b, const struct ph_yaml *at, const struct ph_yaml *page,
                     struct ph_variant *v)
{
    if (at == NULL) {
        ph_build_error(b, page, "`dedupe` is missing: what names one event, or `none`", PH_S(""),
                       "");
        return;
    }
    if (at->kind == PH_YAML_TEXT && ph_slice_eq(at->text, PH_S("none")))
        return;
    if (at->kind == PH_YAML_MAP) {
        (void)ph_build_list(b, at); /* says that it is none */
        return;
    }
    const struct ph_yaml *first = at->kind == PH_YAML_LIST ? at->first : at;
    size_t count = at->kind == PH_YAML_LIST ? at->count : 1;
    if (!ph_build_within(b, at, count, PH_PAGE_KEY_PARTS_MAX, "a key of more than 32 parts"))
        return;
    struct ph_key_part *parts = ph_build_alloc(b, (count + 1U) * sizeof(*parts));
    for (const struct ph_yaml *e = first; e != NULL && v->dedupe_count < count; e = e->next) {
        struct ph_key_part *part = &parts[v->dedupe_count++];
        if (e->kind == PH_YAML_MAP)
            limited_part(b, e, part);
        else
            part->of = ph_build_expr(b, e, ph_build_text(b, e));
        if (ph_yaml_get(e, "known") == NULL)
            check_signed(b, e, v, &part->of);
    }
    v->dedupe = parts;
}
