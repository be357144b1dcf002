/* `signature:` and what belongs to it: layouts, fetches, headers. */
#include "reader/build.h"

bool ph_build_kind(struct ph_slice name, enum ph_signature_kind *ret_kind, enum ph_hash *ret_hash)
{
    static const struct {
        struct ph_slice prefix;
        enum ph_signature_kind kind;
    } families[] = {{PH_SI("hmac-"), PH_SIG_HMAC},   {PH_SI("rsa-pss-"), PH_SIG_RSA_PSS}, {PH_SI("rsa-"), PH_SIG_RSA},
                    {PH_SI("ecdsa-"), PH_SIG_ECDSA}, {PH_SI(""), PH_SIG_DIGEST}};
    static const struct ph_slice hashes[] = {[PH_HASH_NONE] = PH_SI("-"),        [PH_HASH_MD5] = PH_SI("md5"),
                                             [PH_HASH_SHA1] = PH_SI("sha1"),     [PH_HASH_SHA256] = PH_SI("sha256"),
                                             [PH_HASH_SHA384] = PH_SI("sha384"), [PH_HASH_SHA512] = PH_SI("sha512")};
    static const struct {
        struct ph_slice name;
        enum ph_signature_kind kind;
    } plain[] = {{PH_SI("none"), PH_SIG_NONE},   {PH_SI("ed25519"), PH_SIG_ED25519}, {PH_SI("jws"), PH_SIG_JWS},
                 {PH_SI("token"), PH_SIG_TOKEN}, {PH_SI("basic"), PH_SIG_BASIC},     {PH_SI("callout"), PH_SIG_CALLOUT}};
    *ret_hash = PH_HASH_NONE;
    for (size_t i = 0; i < PH_COUNTOF(plain); i++) {
        if (ph_slice_eq(plain[i].name, name)) {
            *ret_kind = plain[i].kind;
            return true;
        }
    }
    for (size_t i = 0; i < PH_COUNTOF(families); i++) {
        if (!ph_slice_starts(name, families[i].prefix))
            continue;
        struct ph_slice rest = ph_slice_from(name, families[i].prefix.len);
        for (int h = PH_HASH_MD5; h <= PH_HASH_SHA512; h++) {
            if (ph_slice_eq(hashes[h], rest)) {
                *ret_kind = families[i].kind;
                *ret_hash = (enum ph_hash)h;
                return true;
            }
        }
    }
    return false;
}

bool ph_build_encoding(struct ph_slice name, enum ph_encoding *ret)
{
    static const struct ph_slice names[] = {[PH_ENC_TEXT] = PH_SI("text"), [PH_ENC_HEX] = PH_SI("hex"),
                                            [PH_ENC_HEX_LOWER] = PH_SI("hex-lower"), [PH_ENC_BASE64] = PH_SI("base64"),
                                            [PH_ENC_BASE64URL] = PH_SI("base64url")};
    for (size_t i = 0; i < PH_COUNTOF(names); i++) {
        if (ph_slice_eq(names[i], name)) {
            *ret = (enum ph_encoding)i;
            return true;
        }
    }
    return false;
}

static int16_t capture_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice name)
{
    for (size_t i = 0; i < b->capture_count; i++)
        if (ph_slice_eq(b->captures[i], name))
            return (int16_t)i;
    if (b->capture_count == PH_COUNTOF(b->captures)) {
        ph_build_error(b, at, "more than 7 names in the layouts: ", name, "");
        return 0;
    }
    b->captures[b->capture_count] = name;
    return (int16_t)b->capture_count++;
}

static void layout_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text, struct ph_layout *layout)
{
    enum { PARTS_MAX = 16 };
    struct ph_layout_part *parts = ph_build_alloc(b, PARTS_MAX * sizeof(*parts));
    size_t count = 0;
    for (size_t i = 0; i < text.len && count < PARTS_MAX;) {
        size_t open = ph_slice_find(text, PH_S("{"), i);
        if (open != i) {
            size_t end = open == SIZE_MAX ? text.len : open;
            parts[count++] = (struct ph_layout_part){.kind = PH_LAYOUT_LITERAL, .text = ph_slice_of(text.ptr + i, end - i)};
            i = end;
            continue;
        }
        size_t close = ph_slice_find(text, PH_S("}"), i);
        if (close == SIZE_MAX) {
            ph_build_error(b, at, "a '{' that is not closed in ", text, "");
            break;
        }
        struct ph_slice name = ph_slice_of(text.ptr + i + 1, close - i - 1);
        struct ph_layout_part *part = &parts[count++];
        if (ph_slice_eq(name, PH_S("signature")))
            part->kind = PH_LAYOUT_SIGNATURE;
        else if (ph_slice_eq(name, PH_S("secret2")))
            part->kind = PH_LAYOUT_SECRET2;
        else
            *part = (struct ph_layout_part){.kind = PH_LAYOUT_CAPTURE, .capture = capture_of(b, at, name)};
        i = close + 1;
    }
    layout->parts = parts;
    layout->count = (uint16_t)count;
}

static void layouts_of(struct ph_build *b, struct ph_yaml *at, struct ph_signature *sig)
{
    size_t count = 1;
    for (struct ph_yaml *e = at->first; e != NULL; e = e->next)
        count++;
    struct ph_layout *layouts = ph_build_alloc(b, count * sizeof(*layouts));
    size_t n = 0;
    if (at->kind == PH_YAML_TEXT)
        layout_of(b, at, at->text, &layouts[n++]);
    for (struct ph_yaml *e = at->first; e != NULL; e = e->next) {
        struct ph_yaml *shape = e;
        struct ph_layout *layout = &layouts[n++];
        /* - "text"   - { "text": kind }   or a map "text": kind */
        if (e->kind == PH_YAML_MAP && e->first != NULL)
            shape = e->first;
        bool tied = shape != e || at->kind == PH_YAML_MAP;
        layout_of(b, shape, tied ? shape->key : shape->text, layout);
        layout->has_kind = tied;
        if (tied && !ph_build_kind(shape->text, &layout->kind, &layout->hash))
            ph_build_error(b, shape, "not a kind of signature: ", shape->text, "");
    }
    sig->layouts = layouts;
    sig->layout_count = (uint16_t)n;
}

const struct ph_header_template *ph_build_headers(struct ph_build *b, struct ph_yaml *map, uint16_t *ret_count)
{
    size_t count = 0;
    *ret_count = 0;
    if (map == NULL)
        return NULL;
    for (struct ph_yaml *e = map->first; e != NULL; e = e->next)
        count++;
    struct ph_header_template *headers = ph_build_alloc(b, (count + 1) * sizeof(*headers));
    for (struct ph_yaml *e = map->first; e != NULL; e = e->next) {
        headers[(*ret_count)++] = (struct ph_header_template){e->key, ph_build_template(b, e, e->text)};
    }
    return headers;
}

const struct ph_fetch *ph_build_fetch(struct ph_build *b, struct ph_yaml *at, enum ph_fetch_kind kind)
{
    static const struct ph_slice known[] = {PH_SI("kind"), PH_SI("method"),  PH_SI("url"),   PH_SI("hosts"),
                                            PH_SI("headers"), PH_SI("body"), PH_SI("accept")};
    if (at == NULL)
        return NULL;
    ph_build_keys(b, at, known, PH_COUNTOF(known));
    struct ph_fetch *fetch = ph_build_alloc(b, sizeof(*fetch));
    struct ph_yaml *e;
    fetch->kind = kind;
    if ((e = ph_yaml_get(at, "kind")) != NULL) {
        static const struct ph_slice kinds[] = {PH_SI("event"), PH_SI("certificate"), PH_SI("jwks"), PH_SI("verdict")};
        size_t i = 0;
        while (i < PH_COUNTOF(kinds) && !ph_slice_eq(kinds[i], e->text))
            i++;
        if (i == PH_COUNTOF(kinds))
            ph_build_unknown(b, e, "kind of fetch", e->text, kinds, PH_COUNTOF(kinds));
        else
            fetch->kind = (enum ph_fetch_kind)i;
    }
    if ((e = ph_yaml_get(at, "method")) != NULL)
        fetch->method = e->text;
    if ((e = ph_yaml_get(at, "url")) != NULL)
        fetch->url = ph_build_template(b, e, e->text);
    else
        ph_build_error(b, at, "a fetch needs its `url`", PH_S(""), "");
    if ((e = ph_yaml_get(at, "hosts")) != NULL)
        fetch->hosts = ph_build_list(b, e, &fetch->host_count);
    else
        ph_build_error(b, at, "a fetch needs its `hosts`: no other is ever asked", PH_S(""), "");
    fetch->headers = ph_build_headers(b, ph_yaml_get(at, "headers"), &fetch->header_count);
    if ((e = ph_yaml_get(at, "body")) != NULL)
        fetch->body = ph_build_template(b, e, e->text);
    fetch->accept = ph_build_tests(b, ph_yaml_get(at, "accept"), &fetch->accept_count);
    return fetch;
}

/* "300s past", "5m", "4d past", "none" */
static void tolerance_of(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig)
{
    struct ph_slice rest = at->text, word = ph_cut_word(&rest);
    if (ph_slice_eq(word, PH_S("none")))
        return;
    int64_t number = 0, unit = 0;
    size_t i = 0;
    for (; i < word.len && i < 9 && word.ptr[i] >= '0' && word.ptr[i] <= '9'; i++)
        number = number * 10 + (word.ptr[i] - '0');
    if (i > 0 && i + 1 == word.len)
        unit = word.ptr[i] == 's' ? 1000 : word.ptr[i] == 'm' ? 60000 : word.ptr[i] == 'h' ? 3600000 : word.ptr[i] == 'd' ? 86400000 : 0;
    bool past_only = ph_slice_eq(rest, PH_S("past"));
    if (unit == 0 || (rest.len > 0 && !past_only)) {
        ph_build_error(b, at, "a tolerance is `300s`, `300s past` or `none` (s, m, h, d), not ", at->text, "");
        return;
    }
    sig->past_ms = number * unit;
    sig->future_ms = past_only ? -1 : number * unit;
}

static bool reads_event(const struct ph_template *t)
{
    for (uint16_t i = 0; i < t->count; i++)
        if (t->pieces[i].source == PH_SRC_POINTER || t->pieces[i].source == PH_SRC_LET)
            return true;
    return false;
}

static bool names_secret(struct ph_build *b, const struct ph_template *t)
{
    for (uint16_t i = 0; i < t->count; i++) {
        enum ph_source s = t->pieces[i].source;
        if (s == PH_SRC_SECRET || s == PH_SRC_SECRET2 || s == PH_SRC_CONFIG)
            return true;
        if (s == PH_SRC_LET && names_secret(b, &b->lets[t->pieces[i].index].value))
            return true;
    }
    return false;
}

static void check(struct ph_build *b, struct ph_yaml *at, struct ph_signature *sig)
{
    bool in_text = sig->kind == PH_SIG_DIGEST || sig->kind == PH_SIG_TOKEN;
    bool secret = sig->message_count > 0;
    for (uint16_t i = 0; i < sig->message_count; i++) {
        secret = secret && names_secret(b, &sig->messages[i]);
        sig->per_item = sig->per_item || reads_event(&sig->messages[i]);
    }
    for (uint16_t i = 0; i < sig->from.count; i++)
        sig->per_item = sig->per_item || reads_event(&sig->from.alternatives[i]);
    if (in_text && !secret)
        ph_build_error(b, at, "anyone could make this: the message of a digest or token must name secret, secret2 or config:…", PH_S(""), "");
    if (sig->kind != PH_SIG_NONE && sig->from.count == 0)
        ph_build_error(b, at, "`from` is missing: where the signature text is", PH_S(""), "");
    if (!in_text && sig->kind != PH_SIG_NONE && sig->kind != PH_SIG_JWS && sig->kind != PH_SIG_BASIC &&
        sig->kind != PH_SIG_CALLOUT && sig->message_count == 0)
        ph_build_error(b, at, "`message` is missing: the signed text", PH_S(""), "");
    if (sig->kind == PH_SIG_JWS && sig->algorithm_count == 0)
        ph_build_error(b, at, "`algorithms` is missing: which `alg` values are taken", PH_S(""), "");
    if (sig->fetch != NULL && sig->fetch->kind == PH_FETCH_CERTIFICATE && sig->kind != PH_SIG_CALLOUT &&
        sig->certificate_name_count == 0)
        ph_build_error(b, at, "a fetched certificate needs `certificate`: the names it may bear", PH_S(""), "");
    if (sig->kind == PH_SIG_CALLOUT && (sig->fetch == NULL || sig->fetch->accept_count == 0))
        ph_build_error(b, at, "a callout needs `fetch` with `accept`", PH_S(""), "");
}

static void forms_of(struct ph_build *b, struct ph_yaml *at, struct ph_signature *sig)
{
    static const struct ph_slice forms[] = {PH_SI("text"), PH_SI("hex"), PH_SI("base64"), PH_SI("whsec"),
                                            PH_SI("sha1"), PH_SI("pem"), PH_SI("jwks")};
    struct ph_yaml *e;
    sig->encoding = sig->kind == PH_SIG_HMAC || sig->kind == PH_SIG_DIGEST ? PH_ENC_HEX
                    : sig->kind == PH_SIG_JWS || sig->kind == PH_SIG_TOKEN || sig->kind == PH_SIG_BASIC ? PH_ENC_TEXT
                                                                                                         : PH_ENC_BASE64;
    if ((e = ph_yaml_get(at, "encoding")) != NULL && !ph_build_encoding(e->text, &sig->encoding))
        ph_build_error(b, e, "an encoding is hex, hex-lower, base64, base64url or text, not ", e->text, "");
    if ((e = ph_yaml_get(at, "secret")) != NULL) {
        size_t i = 0;
        while (i < PH_COUNTOF(forms) && !ph_slice_eq(forms[i], e->text))
            i++;
        if (i == PH_COUNTOF(forms))
            ph_build_unknown(b, e, "form of a secret", e->text, forms, PH_COUNTOF(forms));
        else
            sig->secret_form = (enum ph_secret_form)i;
    } else if (sig->kind >= PH_SIG_RSA && sig->kind <= PH_SIG_ED25519) {
        sig->secret_form = PH_SECRET_PEM;
    } else if (sig->kind == PH_SIG_JWS) {
        sig->secret_form = PH_SECRET_JWKS;
    }
}

static void signature_of(struct ph_build *b, struct ph_yaml *at, struct ph_signature *sig)
{
    static const struct ph_slice known[] = {
        PH_SI("when"), PH_SI("kind"), PH_SI("from"), PH_SI("list"), PH_SI("layout"), PH_SI("pick"), PH_SI("repeat"),
        PH_SI("encoding"), PH_SI("secret"), PH_SI("key"), PH_SI("message"), PH_SI("require"), PH_SI("time"),
        PH_SI("tolerance"), PH_SI("covers"), PH_SI("algorithms"), PH_SI("fetch"), PH_SI("send"), PH_SI("protect"),
        PH_SI("certificate")};
    struct ph_yaml *e;
    *sig = (struct ph_signature){.past_ms = -1, .future_ms = -1};
    ph_build_keys(b, at, known, PH_COUNTOF(known));
    b->captures[0] = PH_S("signature");
    b->capture_count = 1;
    if ((e = ph_yaml_get(at, "kind")) == NULL || !ph_build_kind(e->text, &sig->kind, &sig->hash))
        ph_build_error(b, e != NULL ? e : at, "`kind` says how it is signed (hmac-sha256, …, none), not ",
                       e != NULL ? e->text : PH_S("nothing"), "");
    if ((e = ph_yaml_get(at, "layout")) != NULL)
        layouts_of(b, e, sig);
    if ((e = ph_yaml_get(at, "list")) != NULL)
        sig->list = e->text;
    sig->when = ph_build_tests(b, ph_yaml_get(at, "when"), &sig->when_count);
    if ((e = ph_yaml_get(at, "from")) != NULL)
        sig->from = ph_build_expr(b, e, e->text);
    if ((e = ph_yaml_get(at, "pick")) != NULL)
        sig->first_only = ph_slice_eq(e->text, PH_S("first"));
    if ((e = ph_yaml_get(at, "repeat")) != NULL)
        sig->header_may_repeat = ph_slice_eq(e->text, PH_S("true"));
    forms_of(b, at, sig);
    if ((e = ph_yaml_get(at, "key")) != NULL)
        sig->key = ph_build_expr(b, e, e->text);
    if ((e = ph_yaml_get(at, "message")) != NULL) {
        const struct ph_slice *texts = ph_build_list(b, e, &sig->message_count);
        struct ph_template *messages = ph_build_alloc(b, (sig->message_count + 1U) * sizeof(*messages));
        for (uint16_t i = 0; i < sig->message_count; i++)
            messages[i] = ph_build_template(b, e, texts[i]);
        sig->messages = messages;
    } else if (sig->kind == PH_SIG_TOKEN) {
        struct ph_template *messages = ph_build_alloc(b, sizeof(*messages));
        messages[0] = ph_build_template(b, at, PH_S("{secret}"));
        sig->messages = messages;
        sig->message_count = 1;
    }
    sig->require = ph_build_tests(b, ph_yaml_get(at, "require"), &sig->require_count);
    if ((e = ph_yaml_get(at, "time")) != NULL) {
        struct ph_slice text = e->text;
        if (!ph_build_time_unit(&text, &sig->time_unit))
            ph_build_error(b, e, "a time begins with unix, unix-ms or iso: ", e->text, "");
        else
            sig->time = ph_build_expr(b, e, text);
    }
    if ((e = ph_yaml_get(at, "tolerance")) != NULL)
        tolerance_of(b, e, sig);
    if ((e = ph_yaml_get(at, "covers")) != NULL)
        sig->covers = ph_build_list(b, e, &sig->cover_count);
    if ((e = ph_yaml_get(at, "algorithms")) != NULL)
        sig->algorithms = ph_build_list(b, e, &sig->algorithm_count);
    sig->fetch = ph_build_fetch(b, ph_yaml_get(at, "fetch"), PH_FETCH_CERTIFICATE);
    if ((e = ph_yaml_get(at, "certificate")) != NULL)
        sig->certificate_names = ph_build_list(b, e, &sig->certificate_name_count);
    sig->send = ph_build_headers(b, ph_yaml_get(at, "send"), &sig->send_count);
    sig->protect = ph_build_headers(b, ph_yaml_get(at, "protect"), &sig->protect_count);
    check(b, at, sig);
    struct ph_slice *names = ph_build_alloc(b, sizeof(b->captures));
    memcpy(names, b->captures, sizeof(b->captures));
    sig->captures = names;
    sig->capture_count = (uint16_t)b->capture_count;
    b->capture_count = 0;
}

struct ph_signature *ph_build_signatures(struct ph_build *b, struct ph_yaml *at, uint16_t *ret_count)
{
    size_t count = 0;
    if (at->kind == PH_YAML_MAP) {
        struct ph_signature *one = ph_build_alloc(b, sizeof(*one));
        signature_of(b, at, one);
        *ret_count = 1;
        return one;
    }
    for (struct ph_yaml *e = at->first; e != NULL; e = e->next)
        count++;
    struct ph_signature *list = ph_build_alloc(b, (count + 1) * sizeof(*list));
    *ret_count = 0;
    for (struct ph_yaml *e = at->first; e != NULL; e = e->next)
        signature_of(b, e, &list[(*ret_count)++]);
    if (*ret_count == 0)
        ph_build_error(b, at, "a signature, or a list of them, belongs here", PH_S(""), "");
    return list;
}
