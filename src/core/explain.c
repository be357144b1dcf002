/* The steps of `explain`, for a person who asks why a signature does not match. They are made
 * only when in->explain, and show no key: what bears a secret or a config field is shown by its
 * name. */
#include "core/codec.h"
#include "core/verify.h"

static struct ph_slice seconds(struct ph_run *run, int64_t ms)
{
    struct ph_slice parts[] = {ph_decimal(run->arena, ms / 1000), PH_S(" s")};
    return ms < 0 ? PH_S("any") : ph_join(run, parts, PH_COUNTOF(parts));
}

static struct ph_slice form_name(enum ph_secret_form form)
{
    static const struct ph_slice names[] = {
        [PH_SECRET_TEXT] = PH_SI("text"),        [PH_SECRET_HEX] = PH_SI("hex"),
        [PH_SECRET_BASE64] = PH_SI("base64"),    [PH_SECRET_WHSEC] = PH_SI("whsec_ and base64"),
        [PH_SECRET_SHA1] = PH_SI("its SHA-1"),   [PH_SECRET_PEM] = PH_SI("PEM"),
        [PH_SECRET_JWKS] = PH_SI("JWKS or PEM"),
    };
    return names[form];
}

void ph_explain_scheme(struct ph_judge *j)
{
    static const struct ph_slice kinds[] = {
        [PH_SIG_NONE] = PH_SI("none"),       [PH_SIG_HMAC] = PH_SI("hmac"),
        [PH_SIG_DIGEST] = PH_SI("digest"),   [PH_SIG_RSA] = PH_SI("rsa"),
        [PH_SIG_RSA_PSS] = PH_SI("rsa-pss"), [PH_SIG_ECDSA] = PH_SI("ecdsa"),
        [PH_SIG_ED25519] = PH_SI("ed25519"), [PH_SIG_JWS] = PH_SI("jws"),
        [PH_SIG_TOKEN] = PH_SI("token"),     [PH_SIG_BASIC] = PH_SI("basic"),
        [PH_SIG_CALLOUT] = PH_SI("callout"),
    };
    static const struct ph_slice hashes[] = {PH_SI(""),        PH_SI("-md5"),    PH_SI("-sha1"),
                                             PH_SI("-sha256"), PH_SI("-sha384"), PH_SI("-sha512")};
    struct ph_run *run = j->run;
    struct ph_slice parts[] = {kinds[j->sig->kind], hashes[j->sig->hash]};
    ph_trace(run, PH_S("scheme"), ph_join(run, parts, PH_COUNTOF(parts)));
    bool is_secret = j->sig->kind == PH_SIG_TOKEN || j->sig->kind == PH_SIG_BASIC;
    ph_trace(run, PH_S("signature text"),
             !ph_slice_present(j->text) ? PH_S("(none)")
             : is_secret                ? PH_S("(a token: not shown)")
                                        : j->text);
}

void ph_explain_key(struct ph_judge *j, int32_t index, struct ph_slice key)
{
    struct ph_run *run = j->run;
    bool keyed = j->sig->kind == PH_SIG_HMAC;
    struct ph_slice parts[] = {index > 0 ? PH_S("secret ") : PH_S("from the config"),
                               index > 0 ? ph_decimal(run->arena, index) : PH_S(""),
                               PH_S(", read as "),
                               form_name(j->sig->secret_form),
                               keyed ? PH_S(": a key of ") : PH_S(""),
                               keyed ? ph_decimal(run->arena, (int64_t)key.len) : PH_S(""),
                               keyed ? PH_S(" bytes") : PH_S("")};
    ph_trace(run, PH_S("key"), ph_join(run, parts, PH_COUNTOF(parts)));
}

void ph_explain_shape(struct ph_run *run, const struct ph_signature *sig, size_t entry,
                      const struct ph_layout *layout)
{
    struct ph_slice text = layout != NULL ? PH_S("is ") : PH_S("fits no shape: ignored");
    for (uint16_t i = 0; layout != NULL && i < layout->count; i++) {
        const struct ph_layout_part *p = &layout->parts[i];
        bool named = p->kind != PH_LAYOUT_LITERAL;
        struct ph_slice name = p->kind == PH_LAYOUT_SIGNATURE ? PH_S("signature")
                               : p->kind == PH_LAYOUT_SECRET2 ? PH_S("secret2")
                               : p->kind == PH_LAYOUT_LITERAL ? p->text
                                                              : sig->captures[p->capture];
        struct ph_slice parts[] = {text, named ? PH_S("{") : PH_S(""), name,
                                   named ? PH_S("}") : PH_S("")};
        text = ph_join(run, parts, PH_COUNTOF(parts));
    }
    struct ph_slice label[] = {PH_S("signature entry "),
                               ph_decimal(run->arena, (int64_t)entry + 1)};
    ph_trace(run, ph_join(run, label, PH_COUNTOF(label)), text);
}

/* What stands for a piece that must not be shown; absent: it may be. */
static struct ph_slice stand_in(struct ph_run *run, const struct ph_piece *piece)
{
    struct ph_slice name = {0};
    bool bears = false;
    if (piece->source == PH_SRC_SECRET)
        name = PH_S("secret");
    else if (piece->source == PH_SRC_SECRET2)
        name = PH_S("secret2");
    else if (piece->source == PH_SRC_CONFIG)
        name = piece->text;
    else if (piece->source == PH_SRC_LET &&
             !ph_lacks_secret(run, &run->variant->lets[piece->index].value, &bears) && bears)
        name = PH_S("a text with the secret in it");
    if (!ph_slice_present(name))
        return name;
    struct ph_slice parts[] = {PH_S("{"), name, PH_S("}")};
    return ph_join(run, parts, PH_COUNTOF(parts));
}

enum ph_status ph_explain_message(struct ph_run *run, const struct ph_template *message)
{
    struct ph_slice text = PH_S("");
    for (uint16_t i = 0; i < message->count; i++) {
        struct ph_slice piece = stand_in(run, &message->pieces[i]);
        if (!ph_slice_present(piece))
            PH_TRY(ph_eval_piece(run, &message->pieces[i], &piece));
        struct ph_slice parts[] = {text, piece};
        text = ph_join(run, parts, PH_COUNTOF(parts));
        if (!ph_slice_present(text))
            return PH_ERR_NO_MEMORY;
    }
    ph_trace(run, PH_S("signed text"), text);
    return PH_OK;
}

void ph_explain_parting(struct ph_judge *j, struct ph_slice expected, struct ph_slice received)
{
    struct ph_run *run = j->run;
    struct ph_slice a = ph_encode_signature(run, j->sig->encoding, expected);
    struct ph_slice b = ph_encode_signature(run, j->sig->encoding, received);
    ph_trace(run, PH_S("expected"), a);
    ph_trace(run, PH_S("received"), b);
    size_t at = 0;
    while (at < a.len && at < b.len && a.ptr[at] == b.ptr[at])
        at++;
    struct ph_slice parts[] = {PH_S("at character "), ph_decimal(run->arena, (int64_t)at + 1)};
    ph_trace(run, PH_S("they part"),
             at == a.len && at == b.len ? PH_S("nowhere: it matches")
                                        : ph_join(run, parts, PH_COUNTOF(parts)));
}

/* A signature may name any number of seconds. */
static struct ph_slice time_text(struct ph_run *run, int64_t ms)
{
    struct ph_slice text = ph_iso_text(run->arena, ms);
    return ph_slice_present(text) ? text : PH_S("a time past the year 9999");
}

struct ph_slice ph_explain_clock(struct ph_run *run, int64_t signed_ms, int64_t now_ms,
                                 int64_t past_ms, int64_t future_ms)
{
    bool late = now_ms >= signed_ms;
    struct ph_slice parts[] = {PH_S("signed at "),
                               time_text(run, signed_ms),
                               PH_S(", received at "),
                               time_text(run, now_ms),
                               PH_S(", "),
                               seconds(run, late ? now_ms - signed_ms : signed_ms - now_ms),
                               late ? PH_S(" later; allowed is ") : PH_S(" earlier; allowed is "),
                               seconds(run, late ? past_ms : future_ms)};
    struct ph_slice text = ph_join(run, parts, PH_COUNTOF(parts));
    ph_trace(run, PH_S("clock"), text);
    return text;
}
