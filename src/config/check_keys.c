/* What an endpoint's page asks of its keys: the form of its secrets, and the fields that it
 * fetches with. Said of any page by its tables; a secret itself gets into no message. */
#include "config/reading.h"
#include "core/codec.h"

/* ---- the form of a secret -------------------------------------------------------------------- */

static bool is_plain_secret(const struct ph_template *t)
{
    return t->count == 1 && t->pieces[0].source == PH_SRC_SECRET && t->pieces[0].filter_count == 0;
}

/* Whether the secret, as it is configured, is the key: not a part of what is signed, not one of
 * several texts. */
static bool is_key(const struct ph_signature *sig)
{
    if (sig->kind != PH_SIG_HMAC && sig->kind != PH_SIG_JWS &&
        !(sig->kind >= PH_SIG_RSA && sig->kind <= PH_SIG_ED25519))
        return false;
    bool plain = sig->key.count == 0;
    for (uint16_t i = 0; i < sig->key.count; i++)
        plain = plain || is_plain_secret(&sig->key.alternatives[i]);
    return plain;
}

/* A document, or base64 of one or of DER, which begins with a SEQUENCE. */
static bool is_pem(struct ph_arena *arena, struct ph_slice text)
{
    struct ph_slice begin = PH_S("-----BEGIN "), bytes;
    return ph_slice_starts(text, begin) ||
           (ph_base64_decode(arena, text, false, true, &bytes) &&
            (ph_slice_starts(bytes, begin) || ph_slice_starts(bytes, PH_S("0"))));
}

/* As ph_mac_key and the engine's key reader take it. */
static bool fits(struct ph_reading *r, enum ph_secret_form form, struct ph_slice secret)
{
    struct ph_slice text = ph_slice_trim(secret), prefix = PH_S("whsec_"), bytes;
    switch (form) {
    case PH_SECRET_HEX:
        return ph_hex_decode(r->arena, text, false, &bytes) && bytes.len > 0;
    case PH_SECRET_BASE64:
        return ph_base64_decode(r->arena, text, false, false, &bytes) && bytes.len > 0;
    case PH_SECRET_WHSEC: /* without the prefix any text is a key */
        return !ph_slice_starts(secret, prefix) ||
               (ph_base64_decode(r->arena, ph_slice_from(secret, prefix.len), false, false,
                                 &bytes) &&
                bytes.len > 0);
    case PH_SECRET_PEM:
        return is_pem(r->arena, text);
    case PH_SECRET_JWKS:
        return is_pem(r->arena, text) || (text.len > 0 && text.ptr[0] == '{');
    case PH_SECRET_TEXT:
    case PH_SECRET_SHA1:
        break;
    }
    return true;
}

static struct ph_slice form_name(enum ph_secret_form form)
{
    static const struct ph_slice names[] = {
        [PH_SECRET_TEXT] = PH_SI("text"),
        [PH_SECRET_HEX] = PH_SI("hex: an even number of digits and letters a to f"),
        [PH_SECRET_BASE64] = PH_SI("base64"),
        [PH_SECRET_WHSEC] = PH_SI("whsec_ and base64 behind it"),
        [PH_SECRET_SHA1] = PH_SI("text"),
        [PH_SECRET_PEM] = PH_SI("a public key or certificate in PEM"),
        [PH_SECRET_JWKS] = PH_SI("a JSON Web Key Set, or a key in PEM"),
    };
    return names[form];
}

/* A page may sign in several ways: a secret is wrong when none of those that take it as their
 * key can read it. */
static void check_form(struct ph_reading *r, const struct ph_connector *page,
                       const struct ph_config_secret *s, struct ph_slice path)
{
    enum ph_secret_form wanted = PH_SECRET_TEXT;
    for (uint16_t v = 0; v < page->variant_count; v++)
        for (uint16_t i = 0; i < page->variants[v].signature_count; i++) {
            const struct ph_signature *sig = &page->variants[v].signatures[i];
            if (sig->kind == PH_SIG_NONE)
                continue;
            bool good = !is_key(sig) || fits(r, sig->secret_form, s->secret.value);
            r->no_memory = r->no_memory || r->arena->ran_out;
            if (good || r->no_memory)
                return;
            wanted = sig->secret_form;
        }
    if (wanted != PH_SECRET_TEXT)
        ph_config_error(r, ph_place_of(r, s, PH_IN_SECRET, "secret"), path,
                        PH_PARTS(s->secret.from, PH_S(" is of the wrong form: keys of "),
                                 page->name, PH_S(" are "), form_name(wanted),
                                 PH_S("; nothing could be verified with it, copy it anew as the "
                                      "processor shows it")));
}

void ph_config_check_forms(struct ph_reading *r, const struct ph_connector *page,
                           const struct ph_config_secret *secrets, size_t count,
                           struct ph_slice path)
{
    for (size_t i = 0; i < count; i++)
        if (secrets[i].secret.value.len > 0)
            check_form(r, page, &secrets[i], path);
}

/* ---- what is fetched with -------------------------------------------------------------------- */

void ph_config_check_fetch(struct ph_reading *r, const struct ph_config_endpoint *e,
                           const struct ph_config_account *a)
{
    size_t count = 0, own = a != NULL ? a->fields.count : 0;
    struct ph_config_value *given = ph_config_alloc(r, (own + e->fields.count + 1) * sizeof *given);
    if (given == NULL)
        return;
    for (size_t i = 0; i < own; i++)
        given[count++] =
            (struct ph_config_value){a->fields.items[i].name, a->fields.items[i].key.value};
    for (size_t i = 0; i < e->fields.count; i++)
        given[count++] =
            (struct ph_config_value){e->fields.items[i].name, e->fields.items[i].key.value};
    struct ph_slice lacks = ph_config_page_lacks(e->page, given, count);
    if (!ph_slice_present(lacks))
        return;
    const void *scope = a != NULL ? (const void *)a : e;
    enum ph_scope which = a != NULL ? PH_IN_ACCOUNT : PH_IN_ENDPOINT;
    ph_config_warn(r, ph_place_of(r, scope, which, "config"), ph_path_of(r, scope, "config"),
                   PH_PARTS(PH_S("no "), lacks,
                            PH_S(": thin events, should they be sent here, cannot be fetched; they "
                                 "are held, and told incomplete after three days; add config: { "),
                            lacks, PH_S(": env:NAME }")));
}
