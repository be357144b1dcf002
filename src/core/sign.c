/* A request signed as the processor would sign it: the verifier's tables, run backwards. */
#include "core/codec.h"
#include "core/place.h"
#include "core/verify.h"

enum {
    SEND_ROOM = 24
}; /* headers beside the caller's: the page's `send`, the signature, Content-Type, time */

struct signing {
    struct ph_run run;
    struct ph_input in;
    struct ph_request request; /* grows: what is sent can be signed */
    struct ph_connector connector;
    struct ph_variant variant; /* the page's, with tests and Content-Type settled */
    const struct ph_signature *sig;
    struct ph_header *headers;
    size_t given; /* of the caller */
    struct ph_slice unique;
    struct ph_slice body, inner; /* inner present: body wraps it */
    struct ph_slice *ret_reason;
};

static enum ph_status fail(struct signing *s, enum ph_status status, struct ph_slice reason)
{
    *s->ret_reason = reason;
    return status;
}

static bool add_header(struct signing *s, struct ph_slice name, struct ph_slice value)
{
    if (s->request.header_count - s->given == SEND_ROOM)
        return false;
    s->headers[s->request.header_count++] = (struct ph_header){name, value};
    return true;
}

/* ---- the body -------------------------------------------------------------------------------- */

static bool is_form(const struct signing *s)
{
    return s->variant.format == PH_FORMAT_FORM;
}

/* The inner text packed as `decode` unpacks it, at its place in the outer body. */
static enum ph_status wrap(struct signing *s)
{
    const struct ph_variant *v = &s->variant;
    struct ph_run *run = &s->run;
    struct ph_slice text = s->inner;
    for (uint16_t i = v->decode_count; i-- > 0;) {
        if (v->decode[i] == PH_DECODE_JWT)
            return fail(s, PH_ERR_UNSUPPORTED, PH_S("a JWT body is not made here"));
        if (v->decode[i] == PH_DECODE_BASE64 &&
            !ph_base64_encode(run->arena, text, false, true, &text))
            return PH_ERR_NO_MEMORY;
    }
    const struct ph_pointer *at = v->inner.pointer;
    if (at == NULL || at->count == 0)
        return fail(s, PH_ERR_UNSUPPORTED, PH_S("the page does not say where the inner text goes"));
    if (is_form(s)) {
        s->body = ph_place_field(run, PH_S(""), at->steps[at->count - 1].key, text);
    } else {
        yyjson_mut_doc *doc = ph_place_open(run, NULL);
        if (doc == NULL || !ph_place_set(doc, NULL, 0, at, text))
            return fail(s, PH_ERR_UNSUPPORTED,
                        PH_S("the inner text cannot be put where the page says"));
        s->body = ph_place_write(run, doc);
    }
    return ph_slice_present(s->body) ? PH_OK : PH_ERR_NO_MEMORY;
}

static enum ph_status open_body(struct signing *s, struct ph_worker *worker, bool *ret_reads,
                                struct ph_slice *ret_why)
{
    enum ph_error_code error;
    s->request.body = s->body;
    PH_TRY(ph_run_open(&s->run, worker, &s->in, NULL, ret_why, &error));
    s->run.unique = s->unique;
    if (s->in.secret_count > 0) {
        s->run.secret = s->in.secrets[0].secret;
        s->run.secret2 = s->in.secrets[0].additional;
    }
    *ret_reads = error == PH_E_NONE;
    return PH_OK;
}

static enum ph_status prepare_body(struct signing *s, struct ph_worker *worker,
                                   struct ph_slice body)
{
    bool reads;
    struct ph_slice why = PH_S("the body does not read");
    s->body = body;
    PH_TRY(open_body(s, worker, &reads, &why));
    if (!reads && s->variant.decode_count > 0) {
        s->inner = body;
        PH_TRY(wrap(s));
        PH_TRY(open_body(s, worker, &reads, &why));
    }
    return reads ? PH_OK : fail(s, PH_ERR_MALFORMED, why);
}

/* ---- the signature --------------------------------------------------------------------------- */

static struct ph_slice now_in(struct signing *s)
{
    int64_t now_ms = s->in.now_ms < 0 ? 0 : s->in.now_ms;
    if (s->sig->time_unit == PH_UNIT_ISO)
        return ph_iso_text(s->run.arena, now_ms);
    return ph_decimal(s->run.arena, s->sig->time_unit == PH_UNIT_UNIX_MS ? now_ms : now_ms / 1000);
}

/* The first thing `time` reads, where it is that kind of thing. */
static const struct ph_piece *time_piece(const struct ph_signature *sig, enum ph_source source)
{
    const struct ph_expr *time = &sig->time;
    if (time->count == 0 || time->alternatives[0].count == 0 ||
        time->alternatives[0].pieces[0].source != source)
        return NULL;
    return &time->alternatives[0].pieces[0];
}

static enum ph_status set_captures(struct signing *s)
{
    const struct ph_piece *time = time_piece(s->sig, PH_SRC_CAPTURE);
    for (int16_t i = 1; i < s->sig->capture_count && i < PH_CAPTURES_MAX; i++)
        s->run.captures[i] = ph_run_config(&s->run, s->sig->captures[i]);
    if (time != NULL)
        s->run.captures[time->index] = now_in(s);
    return PH_OK;
}

static enum ph_status send_headers(struct signing *s)
{
    const struct ph_signature *sig = s->sig;
    for (uint16_t i = 0; i < sig->send_count; i++) {
        struct ph_slice value;
        PH_TRY(ph_eval_template(&s->run, &sig->send[i].value, &value));
        if (!add_header(s, sig->send[i].name, ph_slice_present(value) ? value : PH_S("")))
            return PH_ERR_TOO_LARGE;
    }
    const struct ph_piece *time = time_piece(sig, PH_SRC_HEADER);
    if (time != NULL && !ph_slice_present(ph_run_header(&s->run, time->text)) &&
        !add_header(s, time->text, now_in(s)))
        return PH_ERR_TOO_LARGE;
    return PH_OK;
}

static struct ph_slice private_key(struct signing *s)
{
    return ph_run_config(&s->run, PH_S("private_key_pem"));
}

/* What a JWS carries: the body, where it is in it; a token beside it says when it was made
 * (tamara). */
static struct ph_slice payload_of(struct signing *s)
{
    /* place() sees to that it is there */
    enum ph_source at = s->sig->from.alternatives[0].pieces[0].source;
    if (at != PH_SRC_HEADER && at != PH_SRC_QUERY)
        return s->body;
    struct ph_slice parts[] = {PH_S("{\"iat\":"), now_in(s), PH_S("}")};
    return ph_join(&s->run, parts, PH_COUNTOF(parts));
}

static enum ph_status sign_jws(struct signing *s, struct ph_slice message, struct ph_slice *ret)
{
    const struct ph_signature *sig = s->sig;
    struct ph_run *run = &s->run;
    struct ph_slice why, alg = sig->algorithm_count > 0 ? sig->algorithms[0] : (struct ph_slice){0};
    struct ph_slice kid = ph_run_config(run, PH_S("kid"));
    yyjson_mut_doc *doc = ph_place_open(run, NULL);
    if (doc == NULL)
        return PH_ERR_NO_MEMORY;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_strncpy(doc, root, "alg", alg.len > 0 ? alg.ptr : "", alg.len);
    if (kid.len > 0)
        yyjson_mut_obj_add_strncpy(doc, root, "kid", kid.ptr, kid.len);
    for (uint16_t i = 0; i < sig->protect_count; i++) {
        struct ph_step step = {.kind = PH_STEP_KEY, .index = -1, .key = sig->protect[i].name};
        struct ph_pointer pointer = {.steps = &step, .count = 1};
        struct ph_slice value;
        PH_TRY(ph_eval_template(run, &sig->protect[i].value, &value));
        if (!ph_place_set(doc, NULL, 0, &pointer, ph_slice_present(value) ? value : PH_S("")))
            return PH_ERR_NO_MEMORY;
    }
    struct ph_slice header = ph_place_write(run, doc);
    run->jws = ph_slice_present(header) ? ph_read_json(run, header, &why) : NULL;
    if (run->jws == NULL)
        return PH_ERR_NO_MEMORY;
    bool detached = sig->message_count > 0;
    if (detached)
        PH_TRY(ph_eval_template(run, &sig->messages[0], &message));
    else
        message = payload_of(s);
    if (!ph_slice_present(message))
        return PH_ERR_NO_MEMORY;
    bool shared = ph_slice_starts(alg, PH_S("HS"));
    return ph_jws_sign(run, sig, alg, header, message, detached,
                       shared ? run->secret : private_key(s), ret);
}

static enum ph_status sign_basic(struct ph_run *run, struct ph_slice *ret)
{
    struct ph_slice parts[] = {run->secret, run->secret2.len > 0 ? PH_S(":") : PH_S(""),
                               run->secret2},
                    packed;
    struct ph_slice plain = ph_join(run, parts, PH_COUNTOF(parts));
    if (run->secret.len == 0)
        return PH_ERR_INVALID;
    if (!ph_slice_present(plain) || !ph_base64_encode(run->arena, plain, false, true, &packed))
        return PH_ERR_NO_MEMORY;
    struct ph_slice whole[] = {PH_S("Basic "), packed};
    *ret = ph_join(run, whole, PH_COUNTOF(whole));
    return ph_slice_present(*ret) ? PH_OK : PH_ERR_NO_MEMORY;
}

static enum ph_status mac_or_key(struct signing *s, enum ph_signature_kind kind,
                                 struct ph_slice *ret)
{
    struct ph_run *run = &s->run;
    struct ph_slice key = run->secret;
    if (kind == PH_SIG_DIGEST)
        return PH_OK;
    if (kind != PH_SIG_HMAC) {
        *ret = private_key(s);
        return ret->len > 0 ? PH_OK : PH_ERR_INVALID;
    }
    if (s->sig->key.count > 0)
        PH_TRY(ph_eval_key(run, &s->sig->key, &key));
    PH_TRY(ph_mac_key(run, s->sig->secret_form, key, ret));
    return ret->len > 0 ? PH_OK : PH_ERR_INVALID;
}

/* The whole signature text for what run->item points at. */
static enum ph_status make_text(struct signing *s, struct ph_slice *ret)
{
    const struct ph_signature *sig = s->sig;
    struct ph_run *run = &s->run;
    struct ph_slice message = {0}, key = {0}, raw;
    enum ph_signature_kind kind;
    enum ph_hash hash;
    ph_layout_algorithm(sig, &kind, &hash);
    if (kind == PH_SIG_JWS)
        return sign_jws(s, message, ret);
    if (kind == PH_SIG_BASIC)
        return sign_basic(run, ret);
    bool bears = false;
    if (sig->message_count > 0) {
        if (ph_lacks_secret(run, &sig->messages[0], &bears))
            return PH_ERR_INVALID;
        PH_TRY(ph_eval_template(run, &sig->messages[0], &message));
    }
    if (kind == PH_SIG_TOKEN) {
        run->captures[0] = sig->message_count > 0 ? message : run->secret;
        if (run->captures[0].len == 0)
            return PH_ERR_INVALID;
    } else {
        PH_TRY(mac_or_key(s, kind, &key));
        PH_TRY(ph_sign_bytes(run, kind, hash, key, message, &raw));
        run->captures[0] = ph_encode_signature(run, sig->encoding, raw);
    }
    *ret = ph_write_layout(run, sig);
    return ph_slice_present(*ret) ? PH_OK : PH_ERR_NO_MEMORY;
}

/* ---- its place ------------------------------------------------------------------------------- */

static enum ph_status unfilter(struct ph_run *run, const struct ph_piece *piece,
                               struct ph_slice *text)
{
    for (uint16_t i = piece->filter_count; i-- > 0;) {
        const struct ph_filter *f = &piece->filters[i];
        struct ph_slice parts[] = {f->arg, *text};
        switch (f->op) {
        case PH_FILTER_STRIP_PREFIX:
        case PH_FILTER_AFTER_FIRST:
        case PH_FILTER_AFTER_LAST:
            if (!ph_slice_starts(*text, f->arg))
                *text = ph_join(run, parts, PH_COUNTOF(parts));
            break;
        case PH_FILTER_UNBASE64:
            if (!ph_base64_encode(run->arena, *text, false, true, text))
                return PH_ERR_NO_MEMORY;
            break;
        case PH_FILTER_TRIM:
        case PH_FILTER_LOWER:
        case PH_FILTER_UPPER:
        case PH_FILTER_BEFORE_FIRST:
        case PH_FILTER_STRIP_SPACE:
            break;
        default:
            return PH_ERR_UNSUPPORTED;
        }
    }
    return ph_slice_present(*text) ? PH_OK : PH_ERR_NO_MEMORY;
}

/* Into the document: each item's own signature, where the page signs items. */
static enum ph_status into_body(struct signing *s, const struct ph_piece *piece)
{
    struct ph_run *run = &s->run;
    bool outer = piece->source == PH_SRC_OUTER || s->variant.decode_count == 0;
    bool items = piece->source == PH_SRC_POINTER && s->variant.items != NULL;
    if (s->variant.format == PH_FORMAT_XML || s->variant.format == PH_FORMAT_TEXT)
        return fail(s, PH_ERR_UNSUPPORTED,
                    PH_S("a signature inside this kind of body is not made here"));
    yyjson_mut_doc *doc = ph_place_open(run, outer ? run->outer : run->root);
    size_t count = items ? ph_run_item_count(run) : 1;
    if (doc == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < count && i < PH_ITEMS_MAX; i++) {
        struct ph_slice text;
        run->item = items ? ph_run_next_item(run, i) : run->root;
        if (run->item == NULL)
            continue;
        PH_TRY(make_text(s, &text));
        PH_TRY(unfilter(run, piece, &text));
        if (outer && is_form(s)) {
            s->body = ph_place_field(run, s->body,
                                     piece->pointer->steps[piece->pointer->count - 1].key, text);
            return ph_slice_present(s->body) ? PH_OK : PH_ERR_NO_MEMORY;
        }
        if (!ph_place_set(doc, items ? s->variant.items : NULL, i, piece->pointer, text))
            return fail(s, PH_ERR_UNSUPPORTED,
                        PH_S("the signature cannot be put where the page reads it"));
    }
    s->body = ph_place_write(run, doc);
    if (!ph_slice_present(s->body))
        return PH_ERR_NO_MEMORY;
    if (outer)
        return PH_OK;
    s->inner = s->body;
    return wrap(s);
}

static enum ph_status place(struct signing *s, struct ph_signed *out)
{
    const struct ph_expr *from = &s->sig->from;
    if (from->count == 0 || from->alternatives[0].count != 1)
        return fail(s, PH_ERR_UNSUPPORTED,
                    PH_S("the page reads the signature in a way that cannot be written"));
    const struct ph_piece *piece = &from->alternatives[0].pieces[0];
    if ((piece->source == PH_SRC_POINTER || piece->source == PH_SRC_OUTER) &&
        piece->pointer->count > 0)
        return into_body(s, piece);
    struct ph_slice text;
    PH_TRY(make_text(s, &text));
    PH_TRY(unfilter(&s->run, piece, &text));
    if (piece->source == PH_SRC_HEADER)
        return add_header(s, piece->text, text) ? PH_OK : PH_ERR_TOO_LARGE;
    if (piece->source == PH_SRC_QUERY) {
        out->query = ph_place_field(&s->run, out->query, piece->text, text);
        return ph_slice_present(out->query) ? PH_OK : PH_ERR_NO_MEMORY;
    }
    return fail(s, PH_ERR_UNSUPPORTED,
                PH_S("the page reads the signature in a way that cannot be written"));
}

/* ---- the whole ------------------------------------------------------------------------------- */

static const struct ph_variant *find_variant(const struct ph_connector *connector,
                                             struct ph_slice name)
{
    for (uint16_t i = 0; i < connector->variant_count; i++)
        if (name.len == 0 || ph_slice_eq(connector->variants[i].name, name))
            return &connector->variants[i];
    return NULL;
}

static struct ph_slice content_type(const struct ph_variant *v)
{
    switch (v->format) {
    case PH_FORMAT_FORM:
        return PH_S("application/x-www-form-urlencoded");
    case PH_FORMAT_XML:
        return PH_S("application/xml");
    case PH_FORMAT_TEXT:
        return PH_S("text/plain");
    case PH_FORMAT_JSON:
    case PH_FORMAT_MEDIA_TYPE:
        break;
    }
    return PH_S("application/json");
}

/* Copies of what is given, so that headers can be added and tests on them need not hold yet. */
static enum ph_status begin(struct signing *s, struct ph_worker *worker, const struct ph_input *in,
                            const struct ph_variant *variant, struct ph_slice body)
{
    struct ph_slice start = ph_slice_trim(body);
    s->in = *in;
    s->request = *in->request;
    s->connector = *in->connector;
    s->variant = *variant;
    s->variant.when_count = 0;
    if (variant->format == PH_FORMAT_MEDIA_TYPE)
        s->variant.format = start.len > 0 && (*start.ptr == '{' || *start.ptr == '[')
                                ? PH_FORMAT_JSON
                                : PH_FORMAT_FORM;
    s->connector.variants = &s->variant;
    s->connector.variant_count = 1;
    s->in.connector = &s->connector;
    s->in.request = &s->request;
    s->given = s->request.header_count;
    if (s->given > PH_HEADERS_MAX)
        return fail(s, PH_ERR_TOO_LARGE, PH_S("too many headers"));
    s->headers =
        ph_arena_alloc(ph_worker_arena(worker), (s->given + SEND_ROOM) * sizeof(*s->headers));
    if (s->headers == NULL)
        return PH_ERR_NO_MEMORY;
    struct ph_slice type = content_type(&s->variant);
    for (size_t i = 0; i < s->given; i++) {
        s->headers[i] = in->request->headers[i];
        if (ph_slice_eq_nocase(s->headers[i].name, PH_S("Content-Type")))
            type = s->headers[i].value;
    }
    s->request.headers = s->headers;
    return add_header(s, PH_S("Content-Type"), type) ? PH_OK : PH_ERR_TOO_LARGE;
}

static enum ph_status choose_scheme(struct signing *s)
{
    const struct ph_variant *v = &s->variant;
    for (uint16_t i = 0; i < v->signature_count && s->sig == NULL; i++) {
        bool fits;
        PH_TRY(ph_eval_tests(&s->run, v->signatures[i].when, v->signatures[i].when_count, &fits));
        if (fits)
            s->sig = &v->signatures[i];
    }
    if (s->sig == NULL && v->signature_count > 0)
        s->sig = &v->signatures[0]; /* its `when` asks for what signing adds */
    return PH_OK;
}

static enum ph_status sign(struct signing *s, struct ph_worker *worker, struct ph_slice body,
                           struct ph_signed *out)
{
    PH_TRY(prepare_body(s, worker, body));
    PH_TRY(choose_scheme(s));
    out->query = ph_run_query(&s->run);
    if (s->sig != NULL && s->sig->kind == PH_SIG_CALLOUT)
        return fail(s, PH_ERR_UNSUPPORTED,
                    PH_S("only the processor's own API can vouch for its requests"));
    if (s->sig == NULL || s->sig->kind == PH_SIG_NONE)
        return PH_OK;
    PH_TRY(set_captures(s));
    PH_TRY(send_headers(s));
    return place(s, out);
}

static struct ph_slice default_reason(enum ph_status status)
{
    if (status == PH_ERR_INVALID)
        return PH_S("the key is missing, or not of the form this processor signs with (secret; for "
                    "public-key "
                    "schemes config private_key_pem)");
    return ph_slice_str(ph_status_text(status));
}

enum ph_status ph_engine_sign(struct ph_worker *worker, const struct ph_input *in,
                              struct ph_slice variant_name, struct ph_slice body,
                              struct ph_slice unique, struct ph_signed *ret_signed,
                              struct ph_slice *ret_reason)
{
    ph_worker_reset(worker);
    return ph_engine_sign_keep(worker, in, variant_name, body, unique, ret_signed, ret_reason);
}

enum ph_status ph_engine_sign_keep(struct ph_worker *worker, const struct ph_input *in,
                                   struct ph_slice variant_name, struct ph_slice body,
                                   struct ph_slice unique, struct ph_signed *ret_signed,
                                   struct ph_slice *ret_reason)
{
    *ret_reason = (struct ph_slice){0};
    const struct ph_variant *variant = find_variant(in->connector, variant_name);
    if (variant == NULL) {
        *ret_reason = PH_S("this connector has no variant of that name");
        return PH_ERR_NOT_FOUND;
    }
    struct signing s = {.ret_reason = ret_reason, .unique = unique};
    struct ph_signed out = {.method = ph_slice_present(in->request->method) ? in->request->method
                                                                            : PH_S("POST")};
    struct ph_arena *arena = ph_worker_arena(worker);
    arena->ran_out = false;
    enum ph_status st = begin(&s, worker, in, variant, body);
    if (st == PH_OK) {
        s.request.method = out.method;
        st = sign(&s, worker, body, &out);
    }
    enum ph_status trouble = ph_crypto_trouble(ph_worker_crypto(worker));
    if (arena->ran_out)
        trouble = PH_ERR_NO_MEMORY;
    if (trouble == PH_ERR_NO_MEMORY) { /* whatever it led to: E5 */
        st = trouble;
        *ret_reason = default_reason(st);
    }
    if (st != PH_OK) {
        if (!ph_slice_present(*ret_reason))
            *ret_reason = default_reason(st);
        return st;
    }
    out.headers = s.headers + s.given;
    out.header_count = s.request.header_count - s.given;
    out.body = s.body;
    *ret_signed = out;
    return PH_OK;
}

enum ph_status ph_sign_reply(struct ph_run *run, const struct ph_reply *reply,
                             struct ph_slice *ret_signature)
{
    struct ph_slice key = {0}, message = {0}, raw;
    *ret_signature = key;
    PH_TRY(ph_eval_expr(run, &reply->sign_key, &key));
    PH_TRY(ph_eval_template(run, &reply->sign_message, &message));
    if (key.len == 0)
        return PH_OK;
    enum ph_status st = ph_sign_bytes(run, reply->sign_kind, reply->sign_hash, key, message, &raw);
    if (st == PH_ERR_INVALID || st == PH_ERR_CRYPTO || st == PH_ERR_UNSUPPORTED)
        return PH_OK; /* an unusable key is no key: the reply goes unsigned */
    if (st != PH_OK)
        return st;
    *ret_signature = ph_encode_signature(run, reply->sign_encoding, raw);
    return ph_slice_present(*ret_signature) ? PH_OK : PH_ERR_NO_MEMORY;
}
