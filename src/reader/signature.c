/* `signature:`, scheme by scheme. What would make a scheme prove nothing is found in proof.c. */
#include "reader/build.h"

#define WORDS(array) array, PH_COUNTOF(array)

bool ph_build_kind(struct ph_build *b, const struct ph_yaml *at, enum ph_signature_kind *ret_kind,
                   enum ph_hash *ret_hash)
{
    static const struct {
        struct ph_slice name;
        enum ph_signature_kind kind;
    } plain[] = {{PH_SI("none"), PH_SIG_NONE},   {PH_SI("ed25519"), PH_SIG_ED25519},
                 {PH_SI("jws"), PH_SIG_JWS},     {PH_SI("token"), PH_SIG_TOKEN},
                 {PH_SI("basic"), PH_SIG_BASIC}, {PH_SI("callout"), PH_SIG_CALLOUT}},
      families[] = {{PH_SI("hmac-"), PH_SIG_HMAC},
                    {PH_SI("rsa-pss-"), PH_SIG_RSA_PSS},
                    {PH_SI("rsa-"), PH_SIG_RSA},
                    {PH_SI("ecdsa-"), PH_SIG_ECDSA},
                    {PH_SI(""), PH_SIG_DIGEST}};
    static const struct ph_slice hashes[] = {PH_SI("md5"), PH_SI("sha1"), PH_SI("sha256"),
                                             PH_SI("sha384"), PH_SI("sha512")};
    static const struct ph_slice usual[] = {
        PH_SI("hmac-sha256"),  PH_SI("hmac-sha512"),  PH_SI("hmac-sha1"),
        PH_SI("hmac-sha384"),  PH_SI("hmac-md5"),     PH_SI("rsa-sha256"),
        PH_SI("rsa-sha1"),     PH_SI("rsa-sha512"),   PH_SI("rsa-pss-sha256"),
        PH_SI("ecdsa-sha256"), PH_SI("ecdsa-sha384"), PH_SI("ecdsa-sha512"),
        PH_SI("ed25519"),      PH_SI("sha256"),       PH_SI("sha512"),
        PH_SI("sha1"),         PH_SI("md5"),          PH_SI("jws"),
        PH_SI("token"),        PH_SI("basic"),        PH_SI("callout"),
        PH_SI("none")};
    struct ph_slice name = ph_build_text(b, at);
    for (size_t i = 0; i < PH_COUNTOF(plain); i++) {
        if (ph_slice_eq(plain[i].name, name)) {
            *ret_kind = plain[i].kind;
            *ret_hash = PH_HASH_NONE;
            return true;
        }
    }
    for (size_t i = 0; i < PH_COUNTOF(families); i++) {
        if (!ph_slice_starts(name, families[i].name))
            continue;
        struct ph_slice rest = ph_slice_from(name, families[i].name.len);
        for (size_t h = 0; h < PH_COUNTOF(hashes); h++) {
            if (ph_slice_eq(hashes[h], rest)) {
                *ret_kind = families[i].kind;
                *ret_hash = (enum ph_hash)(PH_HASH_MD5 + h);
                return true;
            }
        }
    }
    if (at->kind == PH_YAML_TEXT)
        ph_build_unknown(b, at, "kind of signature", name, WORDS(usual));
    return false;
}

enum ph_encoding ph_build_encoding(struct ph_build *b, const struct ph_yaml *at)
{
    static const struct ph_slice names[] = {[PH_ENC_TEXT] = PH_SI("text"),
                                            [PH_ENC_HEX] = PH_SI("hex"),
                                            [PH_ENC_HEX_LOWER] = PH_SI("hex-lower"),
                                            [PH_ENC_BASE64] = PH_SI("base64"),
                                            [PH_ENC_BASE64URL] = PH_SI("base64url")};
    size_t i = ph_build_word(b, at, "encoding", ph_build_text(b, at), WORDS(names));
    return i == SIZE_MAX ? PH_ENC_HEX : (enum ph_encoding)i;
}

/* ---- parts of a scheme ----------------------------------------------------------------------- */

/* "300s past", "5m", "4d past", "none" */
static void tolerance_of(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig)
{
    enum { NUMBER_DIGITS_MAX = 9 };
    struct ph_slice rest = ph_build_text(b, at), word = ph_cut_word(&rest);
    if (ph_slice_eq(word, PH_S("none")) && rest.len == 0)
        return;
    int64_t number = 0, unit = 0;
    size_t i = 0;
    for (; i < word.len && i < NUMBER_DIGITS_MAX && word.ptr[i] >= '0' && word.ptr[i] <= '9'; i++)
        number = number * 10 + (word.ptr[i] - '0');
    if (i > 0 && i + 1 == word.len)
        unit = word.ptr[i] == 's'   ? 1000
               : word.ptr[i] == 'm' ? 60000
               : word.ptr[i] == 'h' ? 3600000
               : word.ptr[i] == 'd' ? 86400000
                                    : 0;
    bool past_only = ph_slice_eq(rest, PH_S("past"));
    if (unit == 0 || (rest.len > 0 && !past_only)) {
        if (at->kind == PH_YAML_TEXT)
            ph_build_error(b, at,
                           "a tolerance is `300s`, `300s past` or `none` (s, m, h, d), not `",
                           at->text, "`");
        return;
    }
    sig->past_ms = number * unit;
    sig->future_ms = past_only ? -1 : number * unit;
}

static void forms_of(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig)
{
    static const struct ph_slice forms[] = {
        [PH_SECRET_TEXT] = PH_SI("text"),     [PH_SECRET_HEX] = PH_SI("hex"),
        [PH_SECRET_BASE64] = PH_SI("base64"), [PH_SECRET_WHSEC] = PH_SI("whsec"),
        [PH_SECRET_SHA1] = PH_SI("sha1"),     [PH_SECRET_PEM] = PH_SI("pem"),
        [PH_SECRET_JWKS] = PH_SI("jwks")};
    const struct ph_yaml *e;
    bool asymmetric = sig->kind >= PH_SIG_RSA && sig->kind <= PH_SIG_ED25519;
    bool mac = sig->kind == PH_SIG_HMAC || sig->kind == PH_SIG_DIGEST;
    sig->encoding = mac ? PH_ENC_HEX : asymmetric ? PH_ENC_BASE64 : PH_ENC_TEXT;
    sig->secret_form = asymmetric                ? PH_SECRET_PEM
                       : sig->kind == PH_SIG_JWS ? PH_SECRET_JWKS
                                                 : PH_SECRET_TEXT;
    if ((e = ph_yaml_get(at, "encoding")) != NULL) {
        sig->encoding = ph_build_encoding(b, e);
        if (sig->kind == PH_SIG_TOKEN && sig->encoding != PH_ENC_TEXT)
            ph_build_error(b, e,
                           "a token is compared as it came; put the secret into that form instead: "
                           "message: \"{secret|base64}\"",
                           PH_S(""), "");
    }
    if ((e = ph_yaml_get(at, "secret")) == NULL)
        return;
    size_t i = ph_build_word(b, e, "form of a secret", ph_build_text(b, e), WORDS(forms));
    if (i == SIZE_MAX)
        return;
    sig->secret_form = (enum ph_secret_form)i;
    bool public_form = sig->secret_form == PH_SECRET_PEM || sig->secret_form == PH_SECRET_JWKS;
    bool fits = asymmetric                 ? sig->secret_form == PH_SECRET_PEM
                : sig->kind == PH_SIG_JWS  ? true
                : sig->kind == PH_SIG_HMAC ? !public_form
                                           : sig->secret_form == PH_SECRET_TEXT;
    if (!fits)
        ph_build_error(b, e, "this kind of signature has no secret of the form ", e->text,
                       asymmetric ? "; it takes pem"
                       : mac      ? "; a filter can give the secret its form: {secret|…}"
                                  : "; it takes text");
}

static void algorithms_of(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig)
{
    static const struct ph_slice known[] = {
        PH_SI("ES256"), PH_SI("ES384"), PH_SI("ES512"), PH_SI("RS256"), PH_SI("RS384"),
        PH_SI("RS512"), PH_SI("PS256"), PH_SI("PS384"), PH_SI("PS512"), PH_SI("EdDSA"),
        PH_SI("HS256"), PH_SI("HS384"), PH_SI("HS512")};
    struct ph_build_list list = ph_build_list(b, at);
    bool public_form = sig->secret_form == PH_SECRET_PEM || sig->secret_form == PH_SECRET_JWKS;
    sig->algorithms = list.texts;
    sig->algorithm_count = list.count;
    for (uint16_t i = 0; i < list.count; i++) {
        if (ph_build_word(b, list.at[i], "algorithm", list.texts[i], WORDS(known)) == SIZE_MAX)
            continue;
        if (ph_slice_starts(list.texts[i], PH_S("HS")) == public_form)
            ph_build_error(
                b, list.at[i], "", list.texts[i],
                public_form
                    ? " takes a shared secret: say `secret: text` (or hex, base64), not pem or jwks"
                    : " takes a public key: say `secret: jwks` or `secret: pem`");
    }
}

static void messages_of(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig)
{
    const struct ph_yaml *e = ph_yaml_get(at, "message");
    if (e == NULL && sig->kind == PH_SIG_TOKEN) {
        struct ph_template *message = ph_build_alloc(b, sizeof(*message));
        *message = ph_build_template(b, at, PH_S("{secret}"));
        sig->messages = message;
        sig->message_count = 1;
    }
    if (e == NULL)
        return;
    struct ph_build_list list = ph_build_list(b, e);
    if (!ph_build_within(b, e, list.count, PH_PAGE_MESSAGES_MAX, "more than 8 signed texts"))
        return;
    struct ph_template *messages = ph_build_alloc(b, (list.count + 1U) * sizeof(*messages));
    for (uint16_t i = 0; i < list.count; i++) {
        messages[i] = ph_build_template(b, list.at[i], list.texts[i]);
        if (messages[i].count == 0 && list.at[i]->kind == PH_YAML_TEXT)
            ph_build_error(b, list.at[i], "an empty text is signed by nobody", PH_S(""), "");
    }
    sig->messages = messages;
    sig->message_count = list.count;
}

/* ---- which words a kind honours -------------------------------------------------------------- */

#define KIND(name) (1U << PH_SIG_##name)
enum {
    ASYMMETRIC = KIND(RSA) | KIND(RSA_PSS) | KIND(ECDSA) | KIND(ED25519),
    SIGNED = ASYMMETRIC | KIND(HMAC) | KIND(DIGEST) | KIND(JWS) | KIND(TOKEN) | KIND(BASIC) |
             KIND(CALLOUT),
    /* the signature is an entry of a text */
    SHAPED = ASYMMETRIC | KIND(HMAC) | KIND(DIGEST) | KIND(TOKEN),
    ANY = SIGNED | KIND(NONE),
};
static const struct ph_slice words[] = {
    PH_SI("when"),   PH_SI("kind"),      PH_SI("from"),    PH_SI("list"),
    PH_SI("layout"), PH_SI("pick"),      PH_SI("repeat"),  PH_SI("encoding"),
    PH_SI("secret"), PH_SI("key"),       PH_SI("message"), PH_SI("require"),
    PH_SI("time"),   PH_SI("tolerance"), PH_SI("covers"),  PH_SI("algorithms"),
    PH_SI("fetch"),  PH_SI("send"),      PH_SI("protect"), PH_SI("certificate")};
static const unsigned honours[] = {ANY,
                                   ANY,
                                   SIGNED,
                                   SHAPED,
                                   SHAPED,
                                   SHAPED,
                                   SIGNED,
                                   SHAPED,
                                   SIGNED & ~KIND(CALLOUT),
                                   ASYMMETRIC | KIND(HMAC) | KIND(BASIC) | KIND(JWS),
                                   SHAPED | KIND(JWS),
                                   SIGNED,
                                   SIGNED & ~(KIND(TOKEN) | KIND(BASIC)),
                                   SIGNED & ~(KIND(TOKEN) | KIND(BASIC)),
                                   SIGNED,
                                   KIND(JWS),
                                   ASYMMETRIC | KIND(JWS) | KIND(CALLOUT),
                                   SIGNED & ~KIND(CALLOUT),
                                   KIND(JWS),
                                   ASYMMETRIC};
_Static_assert(PH_COUNTOF(words) == PH_COUNTOF(honours), "one row for each word");

static void check_honoured(struct ph_build *b, const struct ph_yaml *at,
                           enum ph_signature_kind kind)
{
    bool in_message = kind == PH_SIG_DIGEST || kind == PH_SIG_TOKEN;
    for (const struct ph_yaml *e = at->first; e != NULL; e = e->next) {
        const char *more = in_message && ph_slice_eq(e->key, PH_S("key"))
                               ? "`; its secret stands in `message`"
                               : "`: it would be ignored";
        for (size_t i = 0; i < PH_COUNTOF(words); i++)
            if (ph_slice_eq(words[i], e->key) && (honours[i] & 1U << kind) == 0)
                ph_build_error_key(b, e, "this kind of signature takes no `", more);
    }
}

/* ---- the scheme ------------------------------------------------------------------------------ */

static void keep_captures(struct ph_build *b, struct ph_signature *sig)
{
    struct ph_slice *names = ph_build_alloc(b, sizeof(b->captures));
    memcpy(names, b->captures, sizeof(b->captures));
    sig->captures = names;
    sig->capture_count = (uint16_t)b->capture_count;
    b->capture_count = 0;
}

static void read_texts(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig)
{
    const struct ph_yaml *e;
    /* Judged before the signature text is taken apart: names of the layout mean nothing here. */
    sig->when = ph_build_tests(b, ph_yaml_get(at, "when"), &sig->when_count);
    if ((e = ph_yaml_get(at, "from")) != NULL)
        sig->from = ph_build_expr(b, e, ph_build_text(b, e));
    sig->require = ph_build_tests(b, ph_yaml_get(at, "require"), &sig->require_count);
    b->secrets = true;
    if ((e = ph_yaml_get(at, "key")) != NULL)
        sig->key = ph_build_expr(b, e, ph_build_text(b, e));
    if ((e = ph_yaml_get(at, "fetch")) != NULL)
        sig->fetch = ph_build_fetch(b, e,
                                    sig->kind == PH_SIG_CALLOUT ? PH_FETCH_VERDICT
                                    : sig->kind == PH_SIG_JWS   ? PH_FETCH_JWKS
                                                                : PH_FETCH_CERTIFICATE);
    b->captures[0] = PH_S("signature");
    b->capture_count = 1;
    if ((e = ph_yaml_get(at, "list")) != NULL && (sig->list = ph_build_text(b, e)).len == 0 &&
        e->kind == PH_YAML_TEXT)
        ph_build_error(b, e, "the separator of a list is missing", PH_S(""), "");
    if ((e = ph_yaml_get(at, "layout")) != NULL)
        ph_build_layouts(b, e, sig);
    messages_of(b, at, sig);
    if ((e = ph_yaml_get(at, "time")) != NULL)
        sig->time = ph_build_time(b, e, ph_build_text(b, e), &sig->time_unit);
    b->secrets = false;
    sig->send = ph_build_headers(b, ph_yaml_get(at, "send"), &sig->send_count);
    sig->protect = ph_build_headers(b, ph_yaml_get(at, "protect"), &sig->protect_count);
    ph_check_captures(b, at, sig);
    keep_captures(b, sig);
}

static void signature_of(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig)
{
    const struct ph_yaml *e;
    *sig = (struct ph_signature){.past_ms = -1, .future_ms = -1};
    b->errors_before = b->errors->count;
    if (!ph_build_keys(b, at, WORDS(words)))
        return;
    if ((e = ph_yaml_get(at, "kind")) == NULL)
        ph_build_error(b, at, "`kind` is missing: how it is signed (hmac-sha256, …, none)",
                       PH_S(""), "");
    bool known = e != NULL && ph_build_kind(b, e, &sig->kind, &sig->hash);
    if ((e = ph_yaml_get(at, "pick")) != NULL &&
        !(sig->first_only = ph_slice_eq(ph_build_text(b, e), PH_S("first"))))
        ph_build_error(b, e,
                       "of several signatures `first` can be picked; leave it out to try them all",
                       PH_S(""), "");
    if ((e = ph_yaml_get(at, "repeat")) != NULL)
        sig->header_may_repeat = ph_build_flag(b, e);
    if (known)
        forms_of(b, at, sig);
    read_texts(b, at, sig);
    if ((e = ph_yaml_get(at, "tolerance")) != NULL)
        tolerance_of(b, e, sig);
    /* []: nothing */
    if ((e = ph_yaml_get(at, "covers")) != NULL && (e->kind != PH_YAML_LIST || e->count > 0)) {
        struct ph_build_list list = ph_build_list(b, e);
        sig->covers = list.texts;
        sig->cover_count = list.count;
    }
    if ((e = ph_yaml_get(at, "algorithms")) != NULL)
        algorithms_of(b, e, sig);
    if ((e = ph_yaml_get(at, "certificate")) != NULL) {
        struct ph_build_list list = ph_build_list(b, e);
        sig->certificate_names = list.texts;
        sig->certificate_name_count = list.count;
    }
    if (known) {
        check_honoured(b, at, sig->kind);
        ph_check_signature(b, at, sig);
    }
}

struct ph_signature *ph_build_signatures(struct ph_build *b, const struct ph_yaml *at,
                                         uint16_t *ret_count)
{
    *ret_count = 0;
    if (at->kind == PH_YAML_MAP) {
        struct ph_signature *one = ph_build_alloc(b, sizeof(*one));
        signature_of(b, at, one);
        *ret_count = 1;
        return one;
    }
    if (!ph_build_is(b, at, PH_YAML_LIST) ||
        !ph_build_within(b, at, at->count, PH_PAGE_SIGNATURES_MAX, "more than 8 signatures"))
        return NULL;
    if (at->count == 0)
        ph_build_error(b, at,
                       "a signature, or a list of them, belongs here; a processor that signs "
                       "nothing says `kind: none`",
                       PH_S(""), "");
    struct ph_signature *list = ph_build_alloc(b, (at->count + 1) * sizeof(*list));
    for (const struct ph_yaml *e = at->first; e != NULL; e = e->next) {
        if (*ret_count > 0 && list[*ret_count - 1].when_count == 0 &&
            ph_yaml_get(e, "kind") != NULL)
            ph_build_error(b, e,
                           "this signature is never used: the one before it has no `when` and "
                           "takes every request",
                           PH_S(""), "");
        signature_of(b, e, &list[(*ret_count)++]);
    }
    return list;
}
