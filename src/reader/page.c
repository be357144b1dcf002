/* A page, section by section; variants inherit the page's sections and replace those they name. */
#include "reader/page.h"

#include <openssl/evp.h>

#include "reader/build.h"

#define WORDS(array) array, PH_COUNTOF(array)

/* ---- variants -------------------------------------------------------------------------------- */

/* The section of the variant, else of the page. */
static struct ph_yaml *section(const struct ph_yaml *own, const struct ph_yaml *page,
                               const char *name)
{
    struct ph_yaml *e = ph_yaml_get(own, name);
    return e != NULL ? e : ph_yaml_get(page, name);
}

static void items_of(struct ph_build *b, const struct ph_yaml *at, struct ph_variant *v)
{
    size_t any = 0;
    if (!ph_build_is(b, at, PH_YAML_TEXT))
        return;
    v->items = ph_build_pointer(b, at, at->text);
    for (uint16_t i = 0; i < v->items->count; i++)
        any += v->items->steps[i].kind == PH_STEP_ANY;
    if (any != 1 && v->items->count > 0)
        ph_build_error(b, at,
                       "`items` is a pointer with one '*', where the events are: /list/*, not ",
                       at->text, "");
}

static void rules_of(struct ph_build *b, const struct ph_yaml *own, const struct ph_yaml *page,
                     struct ph_variant *v)
{
    struct ph_built_blocks blocks;
    const struct ph_yaml *rules = section(own, page, "rules");
    ph_build_blocks(b, own, page, &blocks);
    if (rules == NULL)
        ph_build_error(b, own != NULL ? own : page,
                       "`rules` is missing: what the events mean (`rules: [ ]`: nothing we know)",
                       PH_S(""), "");
    else
        ph_build_rules(b, rules, &blocks, v);
}

/* A value, or `{ of: value, keys: false }`. */
static void account_of(struct ph_build *b, const struct ph_yaml *at, struct ph_variant *v)
{
    static const struct ph_slice known[] = {PH_SI("of"), PH_SI("keys")};
    const struct ph_yaml *of = at, *keys = NULL;
    if (at->kind == PH_YAML_MAP) {
        ph_build_keys(b, at, WORDS(known));
        of = ph_yaml_get(at, "of");
        keys = ph_yaml_get(at, "keys");
    }
    if (of == NULL || of->kind == PH_YAML_LIST)
        ph_build_error(b, at, "an account is a value, or { of: value, keys: false }", PH_S(""), "");
    else
        v->account = ph_build_expr(b, of, ph_build_text(b, of));
    v->account_apart = keys != NULL && !ph_build_flag(b, keys);
}

static void variant_of(struct ph_build *b, const struct ph_yaml *own, const struct ph_yaml *page,
                       struct ph_variant *v)
{
    const struct ph_yaml *e, *name = ph_yaml_get(own, "name");
    v->name = name != NULL ? ph_build_text(b, name) : PH_S("");
    b->maps = section(own, page, "maps");
    if (b->maps != NULL && !ph_build_is(b, b->maps, PH_YAML_MAP))
        b->maps = NULL;
    ph_build_lets(b, section(own, page, "let"), v);
    v->when = ph_build_tests(b, ph_yaml_get(own, "when"), &v->when_count);
    ph_build_body(b, section(own, page, "body"), v);
    items_of(b, section(own, page, "items"), v);
    if ((e = section(own, page, "signature")) != NULL)
        v->signatures = ph_build_signatures(b, e, &v->signature_count);
    else
        ph_build_error(b, page,
                       "`signature` is missing; a processor that signs nothing says `kind: none`",
                       PH_S(""), "");
    if ((e = section(own, page, "event")) != NULL)
        ph_build_event(b, e, v);
    else
        ph_build_error(b, page, "`event` is missing: where its id, type and time are", PH_S(""),
                       "");
    if ((e = section(own, page, "account")) != NULL)
        account_of(b, e, v);
    if ((e = section(own, page, "mode")) != NULL)
        v->mode = ph_build_choice(b, e, PH_WORDS_MODE);
    v->needs = ph_build_needs(b, section(own, page, "require"), &v->need_count);
    v->fetch = ph_build_fetch(b, section(own, page, "fetch"), PH_FETCH_EVENT);
    rules_of(b, own, page, v);
    ph_build_dedupe(b, section(own, page, "dedupe"), page, v);
    ph_build_reply(b, section(own, page, "ack"), true, v, &v->ack);
    ph_build_reply(b, section(own, page, "refuse"), false, v, &v->refuse);
}

#define SECTION_WORDS                                                                              \
    PH_SI("body"), PH_SI("items"), PH_SI("let"), PH_SI("maps"), PH_SI("signature"),                \
        PH_SI("event"), PH_SI("account"), PH_SI("mode"), PH_SI("require"), PH_SI("rules"),         \
        PH_SI("payment"), PH_SI("refund"), PH_SI("dispute"), PH_SI("mandate"), PH_SI("payout"),    \
        PH_SI("payment."), PH_SI("refund."), PH_SI("dispute."), PH_SI("mandate."),                 \
        PH_SI("payout."), PH_SI("dedupe"), PH_SI("ack"), PH_SI("refuse"), PH_SI("fetch")
static const struct ph_slice variant_keys[] = {PH_SI("name"), PH_SI("when"), SECTION_WORDS};
static const struct ph_slice page_keys[] = {
    PH_SI("language"), PH_SI("name"),   PH_SI("title"),     PH_SI("sources"),
    PH_SI("retry"),    PH_SI("notes"),  PH_SI("config"),    PH_SI("currencies"),
    PH_SI("variants"), PH_SI("native"), PH_SI("handshake"), SECTION_WORDS};

/* Whether `earlier` takes every request that `later` could: bodies are read before `when` is
 * judged. */
static bool takes_all(const struct ph_variant *earlier, const struct ph_variant *later)
{
    return earlier->when_count == 0 && earlier->decode_count == 0 && earlier->items == NULL &&
           (earlier->format == later->format || earlier->format == PH_FORMAT_TEXT);
}

static const struct ph_yaml *item(const struct ph_yaml *list, size_t index)
{
    const struct ph_yaml *e = list->first;
    while (index-- > 0)
        e = e->next;
    return e;
}

static void variant_checks(struct ph_build *b, const struct ph_yaml *list,
                           const struct ph_variant *variants)
{
    size_t n = 0;
    for (const struct ph_yaml *e = list->first; e != NULL; e = e->next, n++) {
        const struct ph_yaml *name = ph_yaml_get(e, "name");
        if (!ph_is_name(variants[n].name) && e->kind == PH_YAML_MAP)
            ph_build_error(b, name != NULL ? name : e,
                           "a variant needs a `name`, of a-z, 0-9, _ and -", PH_S(""), "");
        for (size_t i = 0; i < n; i++) {
            if (name != NULL && ph_slice_eq(variants[i].name, variants[n].name))
                ph_build_error(b, name, "another variant has this name: ", variants[n].name, "");
            if (ph_yaml_get(item(list, i), "when") == NULL && takes_all(&variants[i], &variants[n]))
                ph_build_error(b, e,
                               "this variant is never used: one before it has no `when` and takes "
                               "every body that this one reads: ",
                               variants[i].name, "");
        }
    }
}

static void variants_of(struct ph_build *b, const struct ph_yaml *page, struct ph_connector *c)
{
    const struct ph_yaml *list = ph_yaml_get(page, "variants");
    if (list == NULL) {
        struct ph_variant *one = ph_build_alloc(b, sizeof(*one));
        variant_of(b, NULL, page, one);
        c->variants = one;
        c->variant_count = 1;
        return;
    }
    if (!ph_build_is(b, list, PH_YAML_LIST) ||
        !ph_build_within(b, list, list->count, PH_PAGE_VARIANTS_MAX, "more than 16 variants"))
        return;
    if (list->count == 0)
        ph_build_error(b, list, "no variant stands here; leave `variants` out", PH_S(""), "");
    struct ph_variant *variants = ph_build_alloc(b, (list->count + 1) * sizeof(*variants));
    for (const struct ph_yaml *e = list->first; e != NULL; e = e->next) {
        struct ph_variant *v = &variants[c->variant_count++];
        if (ph_build_keys(b, e, WORDS(variant_keys)))
            variant_of(b, e, page, v);
    }
    variant_checks(b, list, variants);
    c->variants = variants;
}

/* What stands on the page and nobody names is a word misspelt somewhere: told of pages that
 * read, as what did not read may have named it. */
static void unused_in(struct ph_build *b, const struct ph_yaml *at)
{
    const char *const sections[] = {"maps", "let"};
    const char *const what[] = {"no choice uses the map `", "nothing uses the let `"};
    for (size_t i = 0; i < PH_COUNTOF(sections); i++) {
        const struct ph_yaml *section = ph_yaml_get(at, sections[i]);
        for (const struct ph_yaml *e =
                 section != NULL && section->kind == PH_YAML_MAP ? section->first : NULL;
             e != NULL; e = e->next)
            if (!e->used)
                ph_build_error_key(b, e, what[i], "`; use it or leave it out");
    }
    for (const struct ph_yaml *e = at->first; e != NULL; e = e->next)
        if (ph_block_kind(e->key) != PH_KIND_NONE && !e->used)
            ph_build_error_key(b, e, "no rule uses the block `", "`; use it or leave it out");
}

static void check_unused(struct ph_build *b, const struct ph_yaml *page)
{
    const struct ph_yaml *list = ph_yaml_get(page, "variants");
    if (b->errors->count > 0)
        return;
    unused_in(b, page);
    for (const struct ph_yaml *e = list != NULL && list->kind == PH_YAML_LIST ? list->first : NULL;
         e != NULL; e = e->next)
        if (e->kind == PH_YAML_MAP)
            unused_in(b, e);
}

/* ---- facts about the page -------------------------------------------------------------------- */

static struct ph_slice hash_of(struct ph_build *b, struct ph_slice text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    static const char digits[] = "0123456789abcdef";
    if (EVP_Digest(text.ptr, text.len, digest, &len, EVP_sha256(), NULL) != 1)
        longjmp(b->no_memory, 1); /* nothing else can go wrong with a digest */
    char *out = ph_build_alloc(b, len * 2U + 1);
    for (unsigned int i = 0; i < len; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    return ph_slice_of(out, len * 2U);
}

static void names_of(struct ph_build *b, const struct ph_yaml *page, struct ph_connector *c)
{
    const struct ph_yaml *first = page->first, *name = ph_yaml_get(page, "name"),
                         *title = ph_yaml_get(page, "title");
    if (first == NULL || !ph_slice_eq(first->key, PH_S("language")) ||
        !ph_slice_eq(first->text, PH_S("1")))
        ph_build_error(b, page, "a page begins with `language: 1`", PH_S(""), "");
    c->name = name != NULL ? ph_build_text(b, name) : PH_S("");
    c->title = title != NULL ? ph_build_text(b, title) : PH_S("");
    if (name == NULL)
        ph_build_error(b, page, "`name` is missing: the connector's, of a-z, 0-9 and _", PH_S(""),
                       "");
    if (title == NULL)
        ph_build_error(b, page, "`title` is missing: the processor's name as people write it",
                       PH_S(""), "");
    bool plain = c->name.len <= PH_PAGE_NAME_BYTES_MAX && ph_is_name(c->name) &&
                 ph_slice_find(c->name, PH_S("-"), 0) == SIZE_MAX;
    if (name != NULL && name->kind == PH_YAML_TEXT && !plain)
        ph_build_error(b, name, "a name is of a-z, 0-9 and _, at most 64 of them, not `", c->name,
                       "`");
    if (title != NULL && title->kind == PH_YAML_TEXT && c->title.len == 0)
        ph_build_error(b, title, "the title is empty: the processor's name as people write it",
                       PH_S(""), "");
}

static void facts_of(struct ph_build *b, const struct ph_yaml *page, struct ph_connector *c)
{
    const struct ph_yaml *sources = ph_yaml_get(page, "sources"),
                         *config = ph_yaml_get(page, "config"), *e;
    if (sources == NULL || (sources->kind == PH_YAML_MAP && sources->count == 0)) {
        ph_build_error(b, sources != NULL ? sources : page,
                       "`sources` is missing: where the facts come from, and when they were read",
                       PH_S(""), "");
    } else if (ph_build_is(b, sources, PH_YAML_MAP)) {
        struct ph_source_note *notes = ph_build_alloc(b, sources->count * sizeof(*notes));
        for (e = sources->first; e != NULL; e = e->next)
            notes[c->source_count++] = (struct ph_source_note){e->key, ph_build_text(b, e)};
        c->sources = notes;
    }
    if (ph_build_is(b, config, PH_YAML_MAP)) {
        (void)ph_build_within(b, config, config->count, PH_CONFIG_VALUES_MAX,
                              "more than 64 config fields");
        struct ph_config_field *fields = ph_build_alloc(b, (config->count + 1) * sizeof(*fields));
        for (e = config->first; e != NULL && c->config_count < PH_CONFIG_VALUES_MAX; e = e->next) {
            if (!ph_is_name(e->key))
                ph_build_error_key(b, e, "a config field's name is of a-z, 0-9, _ and -, not `",
                                   "`");
            fields[c->config_count++] = (struct ph_config_field){e->key, ph_build_text(b, e)};
        }
        c->config = fields;
    }
    b->config = c->config;
    b->config_count = c->config_count;
    if ((e = ph_yaml_get(page, "retry")) != NULL)
        c->retry = ph_build_text(b, e);
    if ((e = ph_yaml_get(page, "notes")) != NULL)
        c->notes = ph_build_text(b, e);
    if ((e = ph_yaml_get(page, "native")) != NULL)
        ph_build_error(b, e, "there is no native hook of that name: ", ph_build_text(b, e), "");
}

static bool is_currency(struct ph_slice code)
{
    const struct ph_currency *currency = ph_currency_find(code);
    return currency != NULL && memcmp(currency->code, code.ptr, 3) == 0;
}

/* Decimals for a code of ISO 4217; that code, or `none`, for a word of the processor's own. */
static bool currency_of(struct ph_build *b, const struct ph_yaml *at,
                        struct ph_currency_exception *ret)
{
    enum { CODE_BYTES_MIN = 2, CODE_BYTES_MAX = 3, DECIMALS_MAX = 4 };
    struct ph_slice text = ph_build_text(b, at);
    bool known = is_currency(at->key), none = ph_slice_eq(text, PH_S("none")),
         is_code = is_currency(text);
    bool word = at->key.len >= CODE_BYTES_MIN && at->key.len <= CODE_BYTES_MAX &&
                memchr(at->key.ptr, '\0', at->key.len) == NULL;
    *ret = (struct ph_currency_exception){0};
    if (at->kind != PH_YAML_TEXT)
        return false;
    if (!known && (!word || ph_currency_find(at->key) != NULL)) {
        ph_build_error_key(b, at,
                           "not a currency code, of ISO 4217 in capitals or of the processor's own "
                           "(two or three letters): ",
                           "");
        return false;
    }
    if (known == (none || is_code)) {
        ph_build_error(b, at,
                       "a code of ISO 4217 takes its decimals; another takes the code it stands "
                       "for, or `none`; not `",
                       text, "`");
        return false;
    }
    memcpy(ret->code, at->key.ptr, at->key.len);
    if (is_code)
        memcpy(ret->is, text.ptr, CODE_BYTES_MAX);
    else
        ret->decimals =
            none ? PH_DECIMALS_NONE : (uint8_t)ph_build_number(b, at, text, 0, DECIMALS_MAX);
    return true;
}

static void currencies_of(struct ph_build *b, const struct ph_yaml *at, struct ph_connector *c)
{
    if (!ph_build_is(b, at, PH_YAML_MAP))
        return;
    struct ph_currency_exception *list = ph_build_alloc(b, (at->count + 1) * sizeof(*list));
    for (const struct ph_yaml *e = at->first; e != NULL; e = e->next)
        c->currency_count += currency_of(b, e, &list[c->currency_count]);
    c->currencies = list;
}

/* ---- the page -------------------------------------------------------------------------------- */

static enum ph_status read_page(struct ph_build *b, struct ph_slice text,
                                const struct ph_connector **ret)
{
    struct ph_yaml *page;
    PH_TRY(ph_yaml_read(b->arena, b->file, text, b->errors, &page));
    if (!ph_build_keys(b, page, WORDS(page_keys)))
        return PH_ERR_MALFORMED;
    struct ph_connector *c = ph_build_alloc(b, sizeof(*c));
    c->hash = hash_of(b, text);
    names_of(b, page, c);
    facts_of(b, page, c);
    currencies_of(b, ph_yaml_get(page, "currencies"), c);
    ph_nodes_start(b);
    c->handshake = ph_build_handshake(b, ph_yaml_get(page, "handshake"));
    variants_of(b, page, c);
    ph_nodes_end(b, c);
    check_unused(b, page);
    if (b->errors->count > 0 || b->errors->no_memory)
        return PH_ERR_MALFORMED;
    *ret = c;
    return PH_OK;
}

enum ph_status ph_page_read(struct ph_arena *arena, struct ph_slice file, struct ph_slice text,
                            struct ph_page_errors *errors, const struct ph_connector **ret)
{
    struct ph_build *b = ph_arena_zalloc(arena, sizeof(*b));
    if (b == NULL)
        return PH_ERR_NO_MEMORY;
    b->arena = arena;
    b->file = file;
    b->errors = errors;
    if (setjmp(b->no_memory) != 0) /* R1: comes back here from ph_build_alloc */
        return PH_ERR_NO_MEMORY;
    enum ph_status st = read_page(b, text, ret);
    if (errors->no_memory)
        return PH_ERR_NO_MEMORY;
    ph_page_errors_sort(errors);
    return st;
}
