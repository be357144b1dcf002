/* A page, section by section; variants inherit the page's sections and replace those they name. */
#include "reader/page.h"

#include <openssl/evp.h>

#include "reader/build.h"

/* ---- errors and memory ------------------------------------------------------------------------------------ */

void *ph_build_alloc(struct ph_build *b, size_t bytes)
{
    /* Without memory the page is given up at the end; until then what is written goes to waste here. */
    static _Thread_local char waste[PH_PAGE_BYTES_MAX];
    void *ptr = ph_arena_zalloc(b->arena, bytes);
    if (ptr == NULL) {
        b->no_memory = true;
        memset(waste, 0, sizeof(waste));
        ptr = waste;
    }
    return ptr;
}

void ph_build_error(struct ph_build *b, const struct ph_yaml *at, const char *what, struct ph_slice detail, const char *more)
{
    struct ph_slice parts[] = {ph_slice_str(what), detail, ph_slice_str(more)};
    ph_page_error(b->arena, b->errors, b->file, at->line, at->column, parts, PH_COUNTOF(parts));
}

void ph_build_unknown(struct ph_build *b, const struct ph_yaml *at, const char *what, struct ph_slice word,
                      const struct ph_slice *known, size_t count)
{
    struct ph_slice near = ph_nearest(word, known, count);
    struct ph_slice parts[] = {PH_S("unknown "), ph_slice_str(what), PH_S(" `"), word, PH_S("`"),
                               near.len > 0 ? PH_S("; did you mean `") : PH_S(""), near, near.len > 0 ? PH_S("`?") : PH_S("")};
    ph_page_error(b->arena, b->errors, b->file, at->line, at->column, parts, PH_COUNTOF(parts));
}

void ph_build_keys(struct ph_build *b, struct ph_yaml *map, const struct ph_slice *known, size_t count)
{
    if (map->kind != PH_YAML_MAP) {
        ph_build_error(b, map, "a map belongs here", PH_S(""), "");
        return;
    }
    for (struct ph_yaml *e = map->first; e != NULL; e = e->next) {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++) {
            bool prefix = known[i].ptr[known[i].len - 1] == '.';
            found = ph_slice_eq(known[i], e->key) || (prefix && ph_slice_starts(e->key, known[i]));
        }
        if (!found)
            ph_build_unknown(b, e, "key", e->key, known, count);
    }
}

/* ---- small sections ----------------------------------------------------------------------------------------- */

static bool format_of(struct ph_slice name, enum ph_format *ret)
{
    static const struct ph_slice names[] = {[PH_FORMAT_JSON] = PH_SI("json"), [PH_FORMAT_FORM] = PH_SI("form"),
                                            [PH_FORMAT_XML] = PH_SI("xml"), [PH_FORMAT_MEDIA_TYPE] = PH_SI("media-type"),
                                            [PH_FORMAT_TEXT] = PH_SI("text")};
    for (size_t i = 0; i < PH_COUNTOF(names); i++) {
        if (ph_slice_eq(names[i], name)) {
            *ret = (enum ph_format)i;
            return true;
        }
    }
    return false;
}

static void body_of(struct ph_build *b, struct ph_yaml *at, struct ph_variant *v)
{
    static const struct ph_slice known[] = {PH_SI("format"), PH_SI("inner"), PH_SI("decode")};
    static const struct ph_slice words[] = {[PH_DECODE_BASE64] = PH_SI("base64"), [PH_DECODE_JSON] = PH_SI("json"),
                                            [PH_DECODE_XML] = PH_SI("xml"), [PH_DECODE_FORM] = PH_SI("form"),
                                            [PH_DECODE_JWT] = PH_SI("jwt")};
    if (at == NULL)
        return;
    struct ph_yaml *format = at->kind == PH_YAML_MAP ? ph_yaml_get(at, "format") : at, *e;
    if (format != NULL && !format_of(format->text, &v->format))
        ph_build_error(b, format, "a body is json, form, xml, media-type or text, not ", format->text, "");
    if (at->kind != PH_YAML_MAP)
        return;
    ph_build_keys(b, at, known, PH_COUNTOF(known));
    if ((e = ph_yaml_get(at, "inner")) != NULL)
        v->inner = ph_build_ref(b, e, e->text);
    if ((e = ph_yaml_get(at, "decode")) != NULL) {
        const struct ph_slice *list = ph_build_list(b, e, &v->decode_count);
        enum ph_decode *decode = ph_build_alloc(b, (v->decode_count + 1U) * sizeof(*decode));
        for (uint16_t i = 0; i < v->decode_count; i++) {
            size_t w = 0;
            while (w < PH_COUNTOF(words) && !ph_slice_eq(words[w], list[i]))
                w++;
            if (w == PH_COUNTOF(words))
                ph_build_unknown(b, e, "decoding", list[i], words, PH_COUNTOF(words));
            decode[i] = (enum ph_decode)(w % PH_COUNTOF(words));
        }
        v->decode = decode;
    }
}

static void each_of(struct ph_build *b, struct ph_yaml *at, struct ph_let *let)
{
    static const struct ph_slice known[] = {PH_SI("each"), PH_SI("drop"), PH_SI("order"), PH_SI("pair"), PH_SI("join"), PH_SI("skip-empty")};
    struct ph_yaml *e;
    ph_build_keys(b, at, known, PH_COUNTOF(known));
    let->kind = PH_LET_EACH;
    let->keys = let->values = true;
    let->between_pair = PH_S("=");
    if ((e = ph_yaml_get(at, "each")) != NULL)
        let->of = ph_build_ref(b, e, e->text);
    else
        ph_build_error(b, at, "`each` is missing: the object", PH_S(""), "");
    if ((e = ph_yaml_get(at, "drop")) != NULL)
        let->drop = ph_build_list(b, e, &let->drop_count);
    if ((e = ph_yaml_get(at, "order")) != NULL)
        let->order = ph_slice_eq(e->text, PH_S("key")) ? PH_ORDER_KEY : ph_slice_eq(e->text, PH_S("key-nocase")) ? PH_ORDER_KEY_NOCASE : PH_ORDER_RECEIVED;
    if ((e = ph_yaml_get(at, "join")) != NULL)
        let->between = e->text;
    if ((e = ph_yaml_get(at, "skip-empty")) != NULL)
        let->skip_empty = ph_slice_eq(e->text, PH_S("true"));
    if ((e = ph_yaml_get(at, "pair")) != NULL) {
        let->keys = e->text.len > 0 && e->text.ptr[0] == 'k';
        let->values = e->text.len > 0 && e->text.ptr[e->text.len - 1] == 'v';
        let->between_pair = let->keys && let->values ? ph_slice_of(e->text.ptr + 1, e->text.len - 2) : PH_S("");
    }
}

static void lets_of(struct ph_build *b, struct ph_yaml *at, struct ph_variant *v)
{
    enum { LETS_MAX = 16 };
    b->lets = NULL;
    b->let_count = 0;
    if (at == NULL)
        return;
    struct ph_let *lets = ph_build_alloc(b, LETS_MAX * sizeof(*lets));
    b->lets = lets;
    for (struct ph_yaml *e = at->first; e != NULL; e = e->next) {
        if (b->let_count == LETS_MAX) {
            ph_build_error(b, e, "more than 16 lets", PH_S(""), "");
            break;
        }
        struct ph_let *let = &lets[b->let_count];
        let->name = e->key;
        if (e->kind == PH_YAML_MAP)
            each_of(b, e, let);
        else
            let->value = ph_build_template(b, e, e->text);
        b->let_count++;
    }
    v->lets = lets;
    v->let_count = (uint16_t)b->let_count;
}

static void event_of(struct ph_build *b, struct ph_yaml *at, struct ph_variant *v)
{
    static const struct ph_slice known[] = {PH_SI("id"), PH_SI("type"), PH_SI("time")};
    struct ph_yaml *e;
    if (at == NULL)
        return;
    ph_build_keys(b, at, known, PH_COUNTOF(known));
    if ((e = ph_yaml_get(at, "id")) != NULL)
        v->id = ph_build_expr(b, e, e->text);
    if ((e = ph_yaml_get(at, "type")) != NULL)
        v->type = ph_build_expr(b, e, e->text);
    if ((e = ph_yaml_get(at, "time")) != NULL) {
        struct ph_slice text = e->text;
        if (!ph_build_time_unit(&text, &v->time_unit))
            ph_build_error(b, e, "a time begins with unix, unix-ms or iso: ", e->text, "");
        else
            v->time = ph_build_expr(b, e, text);
    }
}

static int32_t number_of(struct ph_build *b, const struct ph_yaml *at, int32_t max)
{
    int32_t n = 0;
    for (size_t i = 0; i < at->text.len; i++) {
        if (at->text.ptr[i] < '0' || at->text.ptr[i] > '9' || n > max) {
            ph_build_error(b, at, "a number belongs here, not ", at->text, "");
            return 0;
        }
        n = n * 10 + (at->text.ptr[i] - '0');
    }
    return n;
}

static void reply_of(struct ph_build *b, struct ph_yaml *at, int32_t status, struct ph_variant *v, struct ph_reply *reply)
{
    static const struct ph_slice known[] = {PH_SI("status"), PH_SI("headers"), PH_SI("body"), PH_SI("within"), PH_SI("sign")};
    static const struct ph_slice sign_known[] = {PH_SI("kind"), PH_SI("key"), PH_SI("message"), PH_SI("encoding")};
    struct ph_yaml *e, *sign;
    *reply = (struct ph_reply){.status = status};
    if (at == NULL)
        return;
    ph_build_keys(b, at, known, PH_COUNTOF(known));
    if ((e = ph_yaml_get(at, "status")) != NULL)
        reply->status = number_of(b, e, 599);
    reply->headers = ph_build_headers(b, ph_yaml_get(at, "headers"), &reply->header_count);
    if ((e = ph_yaml_get(at, "within")) != NULL && e->text.len > 1 && e->text.ptr[e->text.len - 1] == 's') {
        struct ph_yaml seconds = *e;
        seconds.text.len--;
        v->ack_within_ms = number_of(b, &seconds, 100000) * 1000;
    }
    if ((sign = ph_yaml_get(at, "sign")) != NULL) {
        ph_build_keys(b, sign, sign_known, PH_COUNTOF(sign_known));
        if ((e = ph_yaml_get(sign, "kind")) == NULL || !ph_build_kind(e->text, &reply->sign_kind, &reply->sign_hash))
            ph_build_error(b, sign, "a signed reply needs its `kind`", PH_S(""), "");
        if ((e = ph_yaml_get(sign, "key")) != NULL)
            reply->sign_key = ph_build_expr(b, e, e->text);
        if ((e = ph_yaml_get(sign, "message")) != NULL)
            reply->sign_message = ph_build_template(b, e, e->text);
        if ((e = ph_yaml_get(sign, "encoding")) != NULL && !ph_build_encoding(e->text, &reply->sign_encoding))
            ph_build_error(b, e, "an encoding is hex, hex-lower, base64, base64url or text, not ", e->text, "");
        b->captures[0] = PH_S("signature");
        b->capture_count = 1;
    }
    if ((e = ph_yaml_get(at, "body")) != NULL)
        reply->body = ph_build_template(b, e, e->text);
    b->capture_count = 0;
}

/* ---- variants ------------------------------------------------------------------------------------------------ */

/* The section of the variant, else of the page. */
static struct ph_yaml *section(struct ph_yaml *variant, struct ph_yaml *page, const char *name)
{
    struct ph_yaml *own = variant != NULL ? ph_yaml_get(variant, name) : NULL;
    struct ph_yaml *shared = ph_yaml_get(page, name);
    return own != NULL ? own : shared;
}

static bool is_block(struct ph_slice key)
{
    static const struct ph_slice heads[] = {PH_SI("payment"), PH_SI("refund"), PH_SI("dispute"), PH_SI("mandate"), PH_SI("payout")};
    for (size_t i = 0; i < PH_COUNTOF(heads); i++)
        if (ph_slice_starts(key, heads[i]) && (key.len == heads[i].len || key.ptr[heads[i].len] == '.'))
            return true;
    return false;
}

/* Blocks and rules of both, the variant's in place of the page's of the same name. */
static struct ph_yaml *merged(struct ph_build *b, struct ph_yaml *variant, struct ph_yaml *page)
{
    struct ph_yaml *out = ph_build_alloc(b, sizeof(*out));
    *out = (struct ph_yaml){.kind = PH_YAML_MAP, .line = page->line, .column = page->column};
    for (int pass = 0; pass < 2; pass++) {
        struct ph_yaml *from = pass == 0 ? variant : page;
        for (struct ph_yaml *e = from != NULL ? from->first : NULL; e != NULL; e = e->next) {
            if (!is_block(e->key) && !ph_slice_eq(e->key, PH_S("rules")))
                continue;
            bool have = false;
            for (struct ph_yaml *o = out->first; o != NULL && !have; o = o->next)
                have = ph_slice_eq(o->key, e->key);
            if (have)
                continue;
            struct ph_yaml *copy = ph_build_alloc(b, sizeof(*copy));
            *copy = *e;
            copy->next = NULL;
            if (out->first == NULL)
                out->first = copy;
            else
                out->last->next = copy;
            out->last = copy;
        }
    }
    return out;
}

/* A value, or `{ of: value, keys: false }`. */
static void account_of(struct ph_build *b, struct ph_yaml *at, struct ph_variant *v)
{
    static const struct ph_slice known[] = {PH_SI("of"), PH_SI("keys")};
    struct ph_yaml *of = at, *keys = NULL;
    if (at->kind == PH_YAML_MAP) {
        ph_build_keys(b, at, known, PH_COUNTOF(known));
        of = ph_yaml_get(at, "of");
        keys = ph_yaml_get(at, "keys");
    }
    if (of == NULL || of->kind != PH_YAML_TEXT)
        ph_build_error(b, at, "an account is a value, or { of: value, keys: false }", PH_S(""), "");
    else
        v->account = ph_build_expr(b, of, of->text);
    v->account_apart = keys != NULL && ph_slice_eq(keys->text, PH_S("false"));
}

static void variant_of(struct ph_build *b, struct ph_yaml *own, struct ph_yaml *page, struct ph_variant *v)
{
    struct ph_yaml *e;
    struct ph_yaml *name = own != NULL ? ph_yaml_get(own, "name") : NULL;
    v->name = name != NULL ? name->text : PH_S("");
    lets_of(b, section(own, page, "let"), v);
    b->maps = section(own, page, "maps");
    v->when = ph_build_tests(b, own != NULL ? ph_yaml_get(own, "when") : NULL, &v->when_count);
    body_of(b, section(own, page, "body"), v);
    if ((e = section(own, page, "items")) != NULL)
        v->items = ph_build_pointer(b, e, e->text);
    if ((e = section(own, page, "signature")) != NULL)
        v->signatures = ph_build_signatures(b, e, &v->signature_count);
    else
        ph_build_error(b, page, "`signature` is missing; a processor that signs nothing says `kind: none`", PH_S(""), "");
    event_of(b, section(own, page, "event"), v);
    if ((e = section(own, page, "account")) != NULL)
        account_of(b, e, v);
    if ((e = section(own, page, "mode")) != NULL)
        v->mode = ph_build_choice(b, e, PH_WORDS_MODE);
    v->needs = ph_build_needs(b, section(own, page, "require"), &v->need_count);
    ph_build_rules(b, merged(b, own, page), v);
    if ((e = section(own, page, "dedupe")) == NULL) {
        ph_build_error(b, page, "`dedupe` is missing: what names one event, or `none`", PH_S(""), "");
    } else if (!(e->kind == PH_YAML_TEXT && ph_slice_eq(e->text, PH_S("none")))) {
        const struct ph_slice *texts = ph_build_list(b, e, &v->dedupe_count);
        struct ph_expr *dedupe = ph_build_alloc(b, (v->dedupe_count + 1U) * sizeof(*dedupe));
        for (uint16_t i = 0; i < v->dedupe_count; i++)
            dedupe[i] = ph_build_expr(b, e, texts[i]);
        v->dedupe = dedupe;
    }
    reply_of(b, section(own, page, "ack"), 200, v, &v->ack);
    reply_of(b, section(own, page, "refuse"), 401, v, &v->refuse);
    v->fetch = ph_build_fetch(b, section(own, page, "fetch"), PH_FETCH_EVENT);
}

/* ---- the page ------------------------------------------------------------------------------------------------- */

static const struct ph_slice page_keys[] = {
    PH_SI("language"), PH_SI("name"), PH_SI("title"), PH_SI("sources"), PH_SI("retry"), PH_SI("notes"), PH_SI("config"),
    PH_SI("body"), PH_SI("items"), PH_SI("let"), PH_SI("maps"), PH_SI("signature"), PH_SI("event"), PH_SI("account"),
    PH_SI("mode"), PH_SI("require"), PH_SI("rules"), PH_SI("payment"), PH_SI("refund"), PH_SI("dispute"), PH_SI("mandate"),
    PH_SI("payout"), PH_SI("payment."), PH_SI("refund."), PH_SI("dispute."), PH_SI("mandate."), PH_SI("payout."),
    PH_SI("dedupe"), PH_SI("currencies"), PH_SI("ack"), PH_SI("refuse"), PH_SI("fetch"), PH_SI("variants"), PH_SI("native"),
    PH_SI("when")};

static struct ph_slice hash_of(struct ph_build *b, struct ph_slice text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    static const char digits[] = "0123456789abcdef";
    if (EVP_Digest(text.ptr, text.len, digest, &len, EVP_sha256(), NULL) != 1)
        return PH_S("");
    char *out = ph_build_alloc(b, len * 2U + 1);
    for (unsigned int i = 0; i < len; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    return ph_slice_of(out, len * 2U);
}

static struct ph_slice needed(struct ph_build *b, struct ph_yaml *page, const char *key)
{
    struct ph_yaml *e = ph_yaml_get(page, key);
    if (e != NULL && e->kind == PH_YAML_TEXT && e->text.len > 0)
        return e->text;
    ph_build_error(b, page, "this key is missing: ", ph_slice_str(key), "");
    return PH_S("");
}

static void facts_of(struct ph_build *b, struct ph_yaml *page, struct ph_connector *c)
{
    struct ph_yaml *e, *sources = ph_yaml_get(page, "sources"), *config = ph_yaml_get(page, "config");
    size_t count = 0;
    for (e = sources != NULL ? sources->first : NULL; e != NULL; e = e->next)
        count++;
    if (count == 0)
        ph_build_error(b, page, "`sources` is missing: where the facts come from, and when they were read", PH_S(""), "");
    struct ph_source_note *notes = ph_build_alloc(b, (count + 1) * sizeof(*notes));
    for (e = sources != NULL ? sources->first : NULL; e != NULL; e = e->next)
        notes[c->source_count++] = (struct ph_source_note){e->key, e->text};
    c->sources = notes;
    count = 0;
    for (e = config != NULL ? config->first : NULL; e != NULL; e = e->next)
        count++;
    struct ph_config_field *fields = ph_build_alloc(b, (count + 1) * sizeof(*fields));
    for (e = config != NULL ? config->first : NULL; e != NULL; e = e->next)
        fields[c->config_count++] = (struct ph_config_field){e->key, e->text};
    c->config = fields;
    if ((e = ph_yaml_get(page, "retry")) != NULL)
        c->retry = e->text;
    if ((e = ph_yaml_get(page, "notes")) != NULL)
        c->notes = e->text;
    if ((e = ph_yaml_get(page, "native")) != NULL)
        c->native = e->text;
}

static void currencies_of(struct ph_build *b, struct ph_yaml *at, struct ph_connector *c)
{
    size_t count = 0;
    for (struct ph_yaml *e = at != NULL ? at->first : NULL; e != NULL; e = e->next)
        count++;
    struct ph_currency_exception *list = ph_build_alloc(b, (count + 1) * sizeof(*list));
    for (struct ph_yaml *e = at != NULL ? at->first : NULL; e != NULL; e = e->next) {
        struct ph_currency_exception *row = &list[c->currency_count];
        bool known = ph_currency_find(e->key) != NULL, is_code = ph_currency_find(e->text) != NULL;
        bool none = ph_slice_eq(e->text, PH_S("none"));
        if (e->key.len < 2 || e->key.len > 3 || known == (none || is_code)) {
            ph_build_error(b, e, "decimals are for ISO codes, `none` and another code for those that are not: ", e->key, "");
            continue;
        }
        memcpy(row->code, e->key.ptr, e->key.len);
        if (is_code)
            memcpy(row->is, e->text.ptr, 3);
        else
            row->decimals = none ? PH_DECIMALS_NONE : (uint8_t)number_of(b, e, 4);
        c->currency_count++;
    }
    c->currencies = list;
}

enum ph_status ph_page_read(struct ph_arena *arena, struct ph_slice file, struct ph_slice text,
                            struct ph_page_errors *errors, const struct ph_connector **ret)
{
    struct ph_build b = {.arena = arena, .file = file, .errors = errors};
    struct ph_yaml *page = ph_yaml_read(arena, file, text, errors), *e;
    if (page == NULL)
        return PH_ERR_MALFORMED;
    if (page->kind != PH_YAML_MAP) {
        ph_build_error(&b, page, "a page is a map that begins with `language: 1`", PH_S(""), "");
        return PH_ERR_MALFORMED;
    }
    struct ph_connector *c = ph_arena_zalloc(arena, sizeof(*c));
    if (c == NULL)
        return PH_ERR_NO_MEMORY;
    if (page->first == NULL || !ph_slice_eq(page->first->key, PH_S("language")) || !ph_slice_eq(page->first->text, PH_S("1")))
        ph_build_error(&b, page, "a page begins with `language: 1`", PH_S(""), "");
    ph_build_keys(&b, page, page_keys, PH_COUNTOF(page_keys) - 1); /* `when` is a variant's */
    c->name = needed(&b, page, "name");
    c->title = needed(&b, page, "title");
    for (size_t i = 0; i < c->name.len; i++) {
        char ch = c->name.ptr[i];
        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_')) {
            ph_build_error(&b, ph_yaml_get(page, "name"), "a name is of a-z, 0-9 and _: ", c->name, "");
            break;
        }
    }
    c->hash = hash_of(&b, text);
    facts_of(&b, page, c);
    currencies_of(&b, ph_yaml_get(page, "currencies"), c);
    struct ph_yaml *list = ph_yaml_get(page, "variants");
    size_t count = list == NULL;
    for (e = list != NULL ? list->first : NULL; e != NULL; e = e->next)
        count++;
    struct ph_variant *variants = ph_build_alloc(&b, (count + 1) * sizeof(*variants));
    ph_nodes_start(&b);
    if (list == NULL)
        variant_of(&b, NULL, page, &variants[c->variant_count++]);
    for (e = list != NULL ? list->first : NULL; e != NULL; e = e->next) {
        ph_build_keys(&b, e, page_keys, PH_COUNTOF(page_keys));
        variant_of(&b, e, page, &variants[c->variant_count++]);
    }
    c->variants = variants;
    ph_nodes_end(&b, c);
    if (b.no_memory)
        return PH_ERR_NO_MEMORY;
    if (errors->count > 0)
        return PH_ERR_MALFORMED;
    *ret = c;
    return PH_OK;
}
