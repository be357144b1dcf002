/* What would let a request verify that nobody signed. The engine compares what the page tells it
 * to: a page whose texts hold no secret, or whose key the sender chooses, would call every
 * forgery genuine.
 *
 * P1: what a keyed hash is made with, a token or a password is compared to, and a digest is
 *     taken of, holds a secret (or a config field that may be one) in every alternative, whole.
 * P2: a public key comes from the configuration, the page or the processor's own API, never from
 *     the request.
 * P3: the signature is read from the request, and from nothing that only we know.
 * P4: the signed text holds something of the request, and the time that is judged. (A digest of
 *     credentials alone is a token in other words: phonepe sends one; its page says that it
 *     covers nothing.) */
#include "reader/build.h"

static bool is_asymmetric(enum ph_signature_kind kind)
{
    return kind >= PH_SIG_RSA && kind <= PH_SIG_ED25519;
}

static bool is_shared(const struct ph_signature *sig)
{
    return sig->kind == PH_SIG_HMAC || sig->kind == PH_SIG_BASIC ||
           (sig->kind == PH_SIG_JWS && sig->algorithm_count > 0 &&
            ph_slice_starts(sig->algorithms[0], PH_S("HS")));
}

/* ---- P1 -------------------------------------------------------------------------------------- */

static void no_secret(struct ph_build *b, const struct ph_yaml *at, const char *what,
                      unsigned holds)
{
    if ((holds & PH_HOLDS_CUT) != 0)
        ph_build_error(b, at,
                       "anyone could sign this: a filter may leave nothing of the secret in ",
                       ph_slice_str(what),
                       "; there only lower, upper, reverse, hex, base64, base64url, json, "
                       "url-encode and digests keep it");
    else if ((holds & PH_HOLDS_PUBLIC) != 0)
        ph_build_error(b, at,
                       "anyone could sign this: certificates, key sets and addresses are no "
                       "secret; name secret, secret2 or a config field of the page in ",
                       ph_slice_str(what), "");
    else
        ph_build_error(b, at, "anyone could sign this: no secret is in ", ph_slice_str(what),
                       "; name secret, secret2 or config:… in every alternative of it");
}

static bool bears(unsigned holds)
{
    return (holds & (PH_HOLDS_SECRET | PH_HOLDS_CONFIG)) != 0;
}

static void check_key(struct ph_build *b, const struct ph_yaml *at, const struct ph_signature *sig)
{
    const struct ph_yaml *key = ph_yaml_get(at, "key");
    for (uint16_t i = 0; i < sig->key.count && key != NULL; i++) {
        unsigned holds = ph_template_holds(b, &sig->key.alternatives[i], true);
        if (is_shared(sig) && !bears(holds))
            no_secret(b, key, "`key`", holds);
        else if (!is_shared(sig) && (holds & (PH_HOLDS_REQUEST | PH_HOLDS_FETCHED)) != 0) /* P2 */
            ph_build_error(
                b, key,
                "the sender would choose the key that proves it: `key` must not read the request",
                PH_S(""), "; name secret or config:…, or `fetch` it from the processor");
    }
}

/* The place of message m: a list has one for each. */
static const struct ph_yaml *message_at(const struct ph_yaml *at, uint16_t m)
{
    const struct ph_yaml *message = ph_yaml_get(at, "message");
    if (message == NULL || message->kind != PH_YAML_LIST)
        return message != NULL ? message : at;
    const struct ph_yaml *e = message->first;
    while (m-- > 0 && e->next != NULL)
        e = e->next;
    return e;
}

static void check_messages(struct ph_build *b, const struct ph_yaml *at,
                           const struct ph_signature *sig)
{
    bool in_text = sig->kind == PH_SIG_DIGEST || sig->kind == PH_SIG_TOKEN;
    for (uint16_t m = 0; m < sig->message_count; m++) {
        const struct ph_yaml *place = message_at(at, m);
        unsigned holds = ph_template_holds(b, &sig->messages[m], false);
        if (in_text && !bears(holds))
            no_secret(b, place, "`message`", holds);
        else if (!in_text && (holds & PH_HOLDS_REQUEST) == 0) /* P4 */
            ph_build_error(
                b, place,
                "nothing of the request is in `message`: one signature would fit every request",
                PH_S(""), "; name what is signed");
    }
}

/* ---- P3 -------------------------------------------------------------------------------------- */

static void check_from(struct ph_build *b, const struct ph_yaml *at, const struct ph_signature *sig)
{
    const struct ph_yaml *from = ph_yaml_get(at, "from");
    for (uint16_t i = 0; i < sig->from.count && from != NULL; i++) {
        unsigned holds = ph_template_holds(b, &sig->from.alternatives[i], false);
        if ((holds & PH_HOLDS_REQUEST) == 0 || (holds & ~(unsigned)PH_HOLDS_REQUEST) != 0)
            ph_build_error(b, from,
                           "the signature must come from the request (header:…, query:…, a "
                           "pointer), and nothing of ours with it: ",
                           from->text, "");
    }
}

/* ---- P4: the time ---------------------------------------------------------------------------- */

static bool begins_with(const struct ph_pointer *whole, const struct ph_pointer *part)
{
    bool same = part->count <= whole->count;
    for (uint16_t i = 0; i < part->count && same; i++)
        same = part->steps[i].kind == whole->steps[i].kind &&
               ph_slice_eq(part->steps[i].key, whole->steps[i].key) &&
               ph_slice_eq(part->steps[i].value, whole->steps[i].value);
    return same;
}

/* Whether signing what `p` reads of the body signs what `time` reads of it: the same place, or
 * one around it. */
static bool around(const struct ph_build *b, const struct ph_piece *p, const struct ph_piece *time)
{
    if (p->source == PH_SRC_BODY)
        return time->source == PH_SRC_POINTER || time->source == PH_SRC_OUTER ||
               time->source == PH_SRC_BODY;
    if (p->pointer == NULL || time->pointer == NULL)
        return false;
    if (p->source == time->source)
        return begins_with(time->pointer, p->pointer);
    const struct ph_pointer *inner = b->inner; /* the event is the document that stands there */
    return p->source == PH_SRC_OUTER && time->source == PH_SRC_POINTER &&
           (p->pointer->count == 0 || (inner != NULL && begins_with(inner, p->pointer)));
}

static bool each_signs(const struct ph_build *b, const struct ph_let *let,
                       const struct ph_piece *time)
{
    if (!let->values || !around(b, &let->of, time))
        return false;
    uint16_t member = let->of.pointer->count;
    for (uint16_t i = 0;
         i < let->drop_count && let->of.source == time->source && member < time->pointer->count;
         i++)
        if (ph_slice_eq(let->drop[i], time->pointer->steps[member].key))
            return false;
    return true;
}

static bool signs(const struct ph_build *b, const struct ph_template *t,
                  const struct ph_piece *time, int depth)
{
    for (uint16_t i = 0; i < t->count; i++) {
        const struct ph_piece *p = &t->pieces[i];
        if (!ph_piece_is_whole(p))
            continue;
        if (p->source == PH_SRC_LET && depth < PH_LET_DEPTH_MAX) {
            const struct ph_let *let = &b->lets[p->index];
            if (let->kind != PH_LET_TEMPLATE ? each_signs(b, let, time)
                                             : signs(b, &let->value, time, depth + 1))
                return true;
        }
        bool named = p->source == time->source && time->pointer == NULL &&
                     p->index == time->index && ph_slice_eq_nocase(p->text, time->text);
        bool listed = p->source == PH_SRC_LISTED_HEADERS && time->source == PH_SRC_HEADER;
        if (named || listed || around(b, p, time))
            return true;
    }
    return false;
}

/* It signs what it carries, and nothing else of the request (tamara). */
bool ph_is_bare_token(const struct ph_signature *sig)
{
    bool bare = sig->kind == PH_SIG_JWS && sig->message_count == 0;
    for (uint16_t i = 0; i < sig->from.count && bare; i++)
        for (uint16_t k = 0; k < sig->from.alternatives[i].count && bare; k++) {
            enum ph_source from = sig->from.alternatives[i].pieces[k].source;
            bare = from == PH_SRC_HEADER || from == PH_SRC_QUERY || from == PH_SRC_LITERAL;
        }
    return bare;
}

bool ph_piece_is_signed(const struct ph_build *b, const struct ph_signature *sig,
                        const struct ph_piece *time)
{
    if (sig->kind == PH_SIG_CALLOUT)
        return true; /* the processor's API judges all of it */
    if (sig->kind == PH_SIG_JWS && (time->source == PH_SRC_JWS || time->source == PH_SRC_CLAIMS))
        return true;
    if (ph_is_bare_token(sig))
        return false;
    if (sig->kind == PH_SIG_JWS && sig->message_count == 0 && time->source != PH_SRC_HEADER &&
        time->source != PH_SRC_QUERY)
        return true;
    for (uint16_t m = 0; m < sig->message_count; m++)
        if (!signs(b, &sig->messages[m], time, 0))
            return false;
    return sig->message_count > 0;
}

static void check_time(struct ph_build *b, const struct ph_yaml *at, const struct ph_signature *sig)
{
    const struct ph_yaml *time = ph_yaml_get(at, "time");
    size_t pieces = 0;
    for (uint16_t i = 0; i < sig->time.count; i++)
        pieces += sig->time.alternatives[i].count;
    if (!ph_build_within(b, time, pieces, PH_PAGE_TIME_PIECES_MAX, "a time of more than 8 pieces"))
        return;
    for (uint16_t i = 0; i < sig->time.count && time != NULL; i++) {
        const struct ph_template *t = &sig->time.alternatives[i];
        /* A claim that a token has not is signed as not there: a text may stand for it. */
        bool instead = i > 0 && t->count == 1 && t->pieces[0].source == PH_SRC_LITERAL &&
                       ph_is_bare_token(sig);
        bool good = instead || (ph_template_holds(b, t, false) & PH_HOLDS_REQUEST) != 0;
        for (uint16_t k = 0; k < t->count && good; k++)
            good =
                t->pieces[k].source == PH_SRC_LITERAL || ph_piece_is_signed(b, sig, &t->pieces[k]);
        if (!good)
            ph_build_error(b, time,
                           "this time is not signed, so a replay could bring any: `message` must "
                           "hold what is read here: ",
                           time->text, "");
    }
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* Whether a text reads what a fetched certificate comes back as. */
static bool reads_certificate(const struct ph_build *b, const struct ph_template *t, int depth)
{
    bool any = false;
    for (uint16_t i = 0; i < t->count && !any; i++) {
        const struct ph_piece *p = &t->pieces[i];
        any =
            (p->source == PH_SRC_CONFIG && ph_slice_eq(p->text, PH_S("fetched_certificate_pem"))) ||
            (p->source == PH_SRC_LET && depth < PH_LET_DEPTH_MAX &&
             reads_certificate(b, &b->lets[p->index].value, depth + 1));
    }
    return any;
}

/* P2: the address of a certificate may come from the sender, so its name must not be anybody's. */
static void check_certificate(struct ph_build *b, const struct ph_yaml *at,
                              const struct ph_signature *sig)
{
    bool fetched = sig->fetch != NULL && sig->fetch->kind == PH_FETCH_CERTIFICATE;
    for (uint16_t i = 0; i < sig->key.count && !fetched; i++)
        fetched = reads_certificate(b, &sig->key.alternatives[i], 0);
    if (fetched && sig->kind == PH_SIG_JWS)
        ph_build_error(b, at,
                       "the key of a jws is never fetched as a certificate, whose name nobody "
                       "would check: fetch `kind: jwks`",
                       PH_S(""), "");
    else if (fetched && sig->certificate_name_count == 0)
        ph_build_error(b, at,
                       "anyone's certificate would do: say `certificate`, the names that a fetched "
                       "one may bear",
                       PH_S(""), "");
}

static void check_fetch(struct ph_build *b, const struct ph_yaml *at,
                        const struct ph_signature *sig)
{
    const struct ph_yaml *fetch = ph_yaml_get(at, "fetch");
    if (sig->fetch != NULL &&
        (sig->kind == PH_SIG_CALLOUT) != (sig->fetch->kind == PH_FETCH_VERDICT))
        ph_build_error(b, fetch, "a callout fetches a verdict, and nothing else does", PH_S(""),
                       "");
    bool asks = false; /* P4 */
    for (int i = 0; i < 2 && sig->fetch != NULL; i++)
        asks = asks || (ph_template_holds(b, i == 0 ? &sig->fetch->url : &sig->fetch->body, false) &
                        PH_HOLDS_REQUEST) != 0;
    if (sig->kind == PH_SIG_CALLOUT && sig->fetch != NULL && !asks)
        ph_build_error(b, fetch,
                       "nothing of the request is asked about: one yes would do for every request; "
                       "put it in `body` or `url`",
                       PH_S(""), "");
}

/* What each kind cannot do without. */
static void check_complete(struct ph_build *b, const struct ph_yaml *at,
                           enum ph_signature_kind kind)
{
    const struct ph_yaml *time = ph_yaml_get(at, "time"), *tolerance = ph_yaml_get(at, "tolerance");
    bool text = kind == PH_SIG_DIGEST || kind == PH_SIG_HMAC || is_asymmetric(kind);
    if (ph_yaml_get(at, "from") == NULL)
        ph_build_error(b, at, "`from` is missing: where the signature text is", PH_S(""), "");
    if (text && ph_yaml_get(at, "message") == NULL)
        ph_build_error(b, at, "`message` is missing: the signed text", PH_S(""), "");
    if (tolerance != NULL && time == NULL)
        ph_build_error_key(b, tolerance, "`",
                           "` judges the signed time, and no `time` says where that is");
    if (time != NULL && tolerance == NULL)
        ph_build_error_key(b, time, "how far may `",
                           "` be off? say `tolerance` (300s, 300s past, none)");
    if (kind == PH_SIG_CALLOUT && ph_yaml_get(at, "fetch") == NULL)
        ph_build_error(b, at, "a callout needs `fetch`: whom to ask, and what answer says yes",
                       PH_S(""), "");
    if (kind == PH_SIG_JWS && ph_yaml_get(at, "algorithms") == NULL)
        ph_build_error(
            b, at,
            "`algorithms` is missing: which `alg` values are taken (the sender must not choose)",
            PH_S(""), "");
}

static bool reads_event(const struct ph_template *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (uint16_t k = 0; k < list[i].count; k++)
            if (list[i].pieces[k].source == PH_SRC_POINTER ||
                list[i].pieces[k].source == PH_SRC_LET)
                return true;
    return false;
}

void ph_check_signature(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig)
{
    if (sig->kind == PH_SIG_NONE)
        return;
    bool read = b->errors->count == b->errors_before;
    check_complete(b, at, sig->kind);
    if (!read)
        return; /* refused already, and what its texts hold is not known for certain */
    check_from(b, at, sig);
    check_key(b, at, sig);
    check_messages(b, at, sig);
    check_time(b, at, sig);
    check_fetch(b, at, sig);
    check_certificate(b, at, sig);
    sig->per_item = reads_event(sig->messages, sig->message_count) ||
                    reads_event(sig->from.alternatives, sig->from.count) ||
                    reads_event(sig->key.alternatives, sig->key.count);
}
