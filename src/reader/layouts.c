/* `layout`: the shapes of a signature text. */
#include "reader/build.h"

static int16_t capture_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice name)
{
    for (size_t i = 0; i < b->capture_count; i++)
        if (ph_slice_eq(b->captures[i], name))
            return (int16_t)i;
    bool let = false;
    for (size_t i = 0; i < b->let_count; i++)
        let = let || ph_slice_eq(b->lets[i].name, name);
    if (!ph_is_name(name) || ph_is_reference_word(name) || let)
        ph_build_error(b, at, "a name in a layout is one of its own, of a-z, 0-9, _ and -, not `",
                       name, "`");
    if (b->capture_count == PH_COUNTOF(b->captures)) {
        ph_build_error(b, at, "more than 7 names in the layouts: ", name, "");
        return 1;
    }
    b->captures[b->capture_count] = name;
    return (int16_t)b->capture_count++;
}

static struct ph_layout_part part_of(struct ph_build *b, const struct ph_yaml *at,
                                     struct ph_slice name)
{
    if (ph_slice_eq(name, PH_S("signature")))
        return (struct ph_layout_part){.kind = PH_LAYOUT_SIGNATURE};
    if (ph_slice_eq(name, PH_S("secret2")))
        return (struct ph_layout_part){.kind = PH_LAYOUT_SECRET2};
    return (struct ph_layout_part){.kind = PH_LAYOUT_CAPTURE, .capture = capture_of(b, at, name)};
}

static bool catches(const struct ph_layout_part *part)
{
    return part->kind == PH_LAYOUT_SIGNATURE || part->kind == PH_LAYOUT_CAPTURE;
}

static bool catches_same(const struct ph_layout_part *a, const struct ph_layout_part *b)
{
    return catches(a) && a->kind == b->kind && a->capture == b->capture;
}

static void check_parts(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text,
                        const struct ph_layout *layout)
{
    for (uint16_t i = 0; i < layout->count; i++) {
        if (i > 0 && catches(&layout->parts[i - 1]) && catches(&layout->parts[i]))
            ph_build_error(b, at,
                           "two names with nothing between them: where would the first end? ", text,
                           "");
        for (uint16_t k = 0; k < i; k++)
            if (catches_same(&layout->parts[k], &layout->parts[i]))
                ph_build_error(b, at, "one name stands twice in ", text, "");
    }
    if (layout->count == 0)
        ph_build_error(b, at, "a layout is missing", PH_S(""), "");
}

static void layout_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text,
                      struct ph_layout *layout)
{
    struct ph_layout_part *parts = ph_build_alloc(b, PH_PAGE_LAYOUT_PARTS_MAX * sizeof(*parts));
    size_t count = 0;
    for (size_t i = 0; i < text.len;) {
        if (count == PH_PAGE_LAYOUT_PARTS_MAX) {
            ph_build_error(b, at, "more than 16 parts in ", text, "");
            break;
        }
        size_t open = ph_slice_find(text, PH_S("{"), i);
        if (open != i) {
            size_t end = open == SIZE_MAX ? text.len : open;
            parts[count++] = (struct ph_layout_part){.kind = PH_LAYOUT_LITERAL,
                                                     .text = ph_slice_of(text.ptr + i, end - i)};
            i = end;
            continue;
        }
        size_t close = ph_slice_find(text, PH_S("}"), i);
        if (close == SIZE_MAX) {
            ph_build_error(b, at, "a '{' that is not closed in ", text, "");
            break;
        }
        parts[count++] = part_of(b, at, ph_slice_of(text.ptr + i + 1, close - i - 1));
        i = close + 1;
    }
    layout->parts = parts;
    layout->count = (uint16_t)count;
    check_parts(b, at, text, layout);
}

/* A shape may say the algorithm, but only one that takes the same kind of key: a public key must
 * never serve as a shared secret, nor a message without a secret be compared as a digest. */
static bool same_family(enum ph_signature_kind a, enum ph_signature_kind b)
{
    bool a_public = a >= PH_SIG_RSA && a <= PH_SIG_ED25519,
         b_public = b >= PH_SIG_RSA && b <= PH_SIG_ED25519;
    return a == b || (a_public && b_public);
}

static void tied_layout(struct ph_build *b, const struct ph_yaml *member, struct ph_signature *sig,
                        struct ph_layout *layout)
{
    struct ph_yaml key = ph_yaml_key(member);
    layout_of(b, &key, member->key, layout);
    layout->has_kind = true;
    if (ph_build_kind(b, member, &layout->kind, &layout->hash) &&
        !same_family(sig->kind, layout->kind))
        ph_build_error(b, member,
                       "a shape may name another algorithm for the same kind of key only; this is "
                       "none for the scheme's `kind`: ",
                       member->text, "");
}

static bool has_signature(const struct ph_layout *layout)
{
    for (uint16_t i = 0; i < layout->count; i++)
        if (layout->parts[i].kind == PH_LAYOUT_SIGNATURE)
            return true;
    return false;
}

static bool makes(const struct ph_layout *layout, int16_t capture)
{
    for (uint16_t i = 0; i < layout->count; i++)
        if (layout->parts[i].kind == PH_LAYOUT_CAPTURE && layout->parts[i].capture == capture)
            return true;
    return false;
}

/*   layout: "text"      layout: [ "text", { "text": kind } ]      layout: { "text": kind } */
void ph_build_layouts(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig)
{
    size_t count = at->kind == PH_YAML_TEXT ? 1 : at->count;
    if (!ph_build_within(b, at, count, PH_PAGE_LAYOUTS_MAX, "more than 16 layouts"))
        return;
    struct ph_layout *layouts = ph_build_alloc(b, (count + 1) * sizeof(*layouts));
    size_t n = 0;
    if (at->kind == PH_YAML_TEXT)
        layout_of(b, at, at->text, &layouts[n++]);
    for (const struct ph_yaml *e = at->first; e != NULL; e = e->next) {
        if (at->kind == PH_YAML_MAP)
            tied_layout(b, e, sig, &layouts[n++]);
        else if (e->kind == PH_YAML_MAP && e->count == 1)
            tied_layout(b, e->first, sig, &layouts[n++]);
        else if (ph_build_is(b, e, PH_YAML_TEXT))
            layout_of(b, e, e->text, &layouts[n++]);
    }
    sig->layouts = layouts;
    sig->layout_count = (uint16_t)n;
}

/* Whether the name is known wherever a signature is: caught beside it, or by an entry of its own
 * in a list. */
static bool always_made(const struct ph_signature *sig, int16_t capture)
{
    bool beside = true;
    for (uint16_t i = 0; i < sig->layout_count; i++) {
        if (!has_signature(&sig->layouts[i]) && sig->list.len > 0 &&
            makes(&sig->layouts[i], capture))
            return true;
        beside = beside && (!has_signature(&sig->layouts[i]) || makes(&sig->layouts[i], capture));
    }
    return beside;
}

static void check_used(struct ph_build *b, const struct ph_yaml *at, const struct ph_signature *sig,
                       const struct ph_template *t)
{
    for (uint16_t i = 0; i < t->count; i++)
        if (t->pieces[i].source == PH_SRC_CAPTURE && !always_made(sig, t->pieces[i].index))
            ph_build_error(b, at, "`", b->captures[t->pieces[i].index],
                           "` is used here, but not every layout with {signature} catches it");
}

void ph_check_captures(struct ph_build *b, const struct ph_yaml *at, const struct ph_signature *sig)
{
    const struct ph_yaml *layout = ph_yaml_get(at, "layout"), *message = ph_yaml_get(at, "message"),
                         *time = ph_yaml_get(at, "time");
    bool any = sig->layout_count == 0;
    for (uint16_t i = 0; i < sig->layout_count; i++)
        any = any || has_signature(&sig->layouts[i]);
    if (layout != NULL && !any)
        ph_build_error(b, layout, "no layout has {signature}: where is it?", PH_S(""), "");
    for (uint16_t i = 0; i < sig->layout_count && any && sig->list.len == 0; i++)
        if (!has_signature(&sig->layouts[i])) {
            ph_build_error(
                b, layout,
                "a layout without {signature} is an entry of a list: say `list` and its separator",
                PH_S(""), "");
            return;
        }
    for (uint16_t i = 0; i < sig->message_count && message != NULL; i++)
        check_used(b, message, sig, &sig->messages[i]);
    for (uint16_t i = 0; i < sig->time.count && time != NULL; i++)
        check_used(b, time, sig, &sig->time.alternatives[i]);
}
