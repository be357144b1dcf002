/* The small sections: body, let, event, ack and refuse. */
#include "reader/build.h"

#define WORDS(array) array, PH_COUNTOF(array)

/* ---- body ------------------------------------------------------------------------------------ */

static void decode_of(struct ph_build *b, const struct ph_yaml *at, struct ph_variant *v)
{
    static const struct ph_slice words[] = {[PH_DECODE_BASE64] = PH_SI("base64"),
                                            [PH_DECODE_JSON] = PH_SI("json"),
                                            [PH_DECODE_XML] = PH_SI("xml"),
                                            [PH_DECODE_FORM] = PH_SI("form"),
                                            [PH_DECODE_JWT] = PH_SI("jwt")};
    struct ph_build_list list = ph_build_list(b, at);
    enum ph_decode *decode = ph_build_alloc(b, (list.count + 1U) * sizeof(*decode));
    for (uint16_t i = 0; i < list.count; i++) {
        size_t word = ph_build_word(b, list.at[i], "decoding", list.texts[i], WORDS(words));
        bool packed = word == PH_DECODE_BASE64, last = i + 1U == list.count;
        if (word != SIZE_MAX && packed == last)
            ph_build_error(
                b, list.at[i],
                "`decode` unpacks (base64) and ends with what it reads: json, xml, form or jwt",
                PH_S(""), "");
        decode[i] = word == SIZE_MAX ? PH_DECODE_JSON : (enum ph_decode)word;
    }
    v->decode = decode;
    v->decode_count = list.count;
}

void ph_build_body(struct ph_build *b, const struct ph_yaml *at, struct ph_variant *v)
{
    static const struct ph_slice known[] = {PH_SI("format"), PH_SI("inner"), PH_SI("decode")};
    static const struct ph_slice formats[] = {[PH_FORMAT_JSON] = PH_SI("json"),
                                              [PH_FORMAT_FORM] = PH_SI("form"),
                                              [PH_FORMAT_XML] = PH_SI("xml"),
                                              [PH_FORMAT_MEDIA_TYPE] = PH_SI("media-type"),
                                              [PH_FORMAT_TEXT] = PH_SI("text")};
    b->inner = NULL;
    if (at == NULL)
        return;
    bool map = at->kind == PH_YAML_MAP;
    const struct ph_yaml *format = map ? ph_yaml_get(at, "format") : at;
    if (format != NULL) {
        size_t i =
            ph_build_word(b, format, "format of a body", ph_build_text(b, format), WORDS(formats));
        v->format = i == SIZE_MAX ? PH_FORMAT_JSON : (enum ph_format)i;
    }
    if (!map || !ph_build_keys(b, at, WORDS(known)))
        return;
    const struct ph_yaml *inner = ph_yaml_get(at, "inner"), *decode = ph_yaml_get(at, "decode");
    if ((inner == NULL) != (decode == NULL))
        ph_build_error(b, at,
                       "`inner` (where the text is) and `decode` (how it is read) go together",
                       PH_S(""), "");
    if (inner != NULL) {
        v->inner = ph_build_ref(b, inner, ph_build_text(b, inner));
        if (v->inner.source != PH_SRC_POINTER && v->inner.source != PH_SRC_OUTER)
            ph_build_error(b, inner, "`inner` is a pointer into the body as sent, not ",
                           inner->text, "");
        b->inner = v->inner.pointer;
    }
    if (decode != NULL)
        decode_of(b, decode, v);
}

/* ---- let ------------------------------------------------------------------------------------- */

static void pair_of(struct ph_build *b, const struct ph_yaml *at, struct ph_let *let)
{
    struct ph_slice text = ph_build_text(b, at);
    let->keys = text.len > 0 && text.ptr[0] == 'k';
    let->values = text.len > 0 && text.ptr[text.len - 1] == 'v';
    size_t ends = (size_t)let->keys + (size_t)let->values;
    let->between_pair = ends == 2 ? ph_slice_of(text.ptr + 1, text.len - 2) : PH_S("");
    if (ends == 0 || (ends == 1 && text.len > 1))
        ph_build_error(b, at, "a pair is k=v (any text between), kv, k or v, not `", text, "`");
}

static void drop_of(struct ph_build *b, const struct ph_yaml *at, struct ph_let *let)
{
    const struct ph_yaml *e = ph_yaml_get(at, "drop");
    if (e == NULL)
        return;
    struct ph_build_list list = ph_build_list(b, e);
    let->drop = list.texts;
    let->drop_count = list.count;
}

/* `{ leaves: /, drop: [ Signature ], join: "/" }` */
static void leaves_of(struct ph_build *b, const struct ph_yaml *at, struct ph_let *let)
{
    static const struct ph_slice known[] = {PH_SI("leaves"), PH_SI("drop"), PH_SI("join")};
    const struct ph_yaml *e = ph_yaml_get(at, "leaves"), *join = ph_yaml_get(at, "join");
    ph_build_keys(b, at, WORDS(known));
    let->kind = PH_LET_LEAVES;
    let->values = true;
    let->of = ph_build_ref(b, e, ph_build_text(b, e));
    if (let->of.pointer == NULL || let->of.source == PH_SRC_LISTED_HEADERS ||
        let->of.filter_count > 0)
        ph_build_error(b, e, "`leaves` takes a pointer to what has them, not ", e->text, "");
    drop_of(b, at, let);
    if (join != NULL)
        let->between = ph_build_text(b, join);
}

static void each_of(struct ph_build *b, const struct ph_yaml *at, struct ph_let *let)
{
    static const struct ph_slice known[] = {PH_SI("each"), PH_SI("drop"), PH_SI("order"),
                                            PH_SI("pair"), PH_SI("join"), PH_SI("skip-empty")};
    static const struct ph_slice orders[] = {[PH_ORDER_RECEIVED] = PH_SI("received"),
                                             [PH_ORDER_KEY] = PH_SI("key"),
                                             [PH_ORDER_KEY_NOCASE] = PH_SI("key-nocase")};
    const struct ph_yaml *e;
    ph_build_keys(b, at, WORDS(known));
    let->kind = PH_LET_EACH;
    let->keys = let->values = true;
    let->between_pair = PH_S("=");
    if ((e = ph_yaml_get(at, "each")) == NULL) {
        ph_build_error(b, at, "`each` is missing: a pointer to the object whose members are listed",
                       PH_S(""), "");
    } else {
        let->of = ph_build_ref(b, e, ph_build_text(b, e));
        if (let->of.pointer == NULL || let->of.source == PH_SRC_LISTED_HEADERS ||
            let->of.filter_count > 0)
            ph_build_error(b, e, "`each` takes a pointer to an object, not ", e->text, "");
    }
    drop_of(b, at, let);
    if ((e = ph_yaml_get(at, "order")) != NULL) {
        size_t i = ph_build_word(b, e, "order", ph_build_text(b, e), WORDS(orders));
        let->order = i == SIZE_MAX ? PH_ORDER_RECEIVED : (enum ph_order)i;
    }
    if ((e = ph_yaml_get(at, "join")) != NULL)
        let->between = ph_build_text(b, e);
    if ((e = ph_yaml_get(at, "skip-empty")) != NULL)
        let->skip_empty = ph_build_flag(b, e);
    if ((e = ph_yaml_get(at, "pair")) != NULL)
        pair_of(b, e, let);
}

/* Lets that name lets must neither nest without end nor multiply: what they come to, written
 * out. */
static void weigh(struct ph_build *b, const struct ph_yaml *at, size_t index,
                  const struct ph_let *let)
{
    size_t pieces = 0, depth = 1;
    for (uint16_t i = 0; i < let->value.count; i++) {
        const struct ph_piece *p = &let->value.pieces[i];
        bool named = p->source == PH_SRC_LET;
        pieces += named ? b->let_pieces[p->index] : 1;
        if (named && b->let_depth[p->index] >= depth)
            depth = b->let_depth[p->index] + 1;
    }
    if (depth > PH_LET_DEPTH_MAX)
        ph_build_error(b, at, "lets name each other more than 4 deep; write a part of it out",
                       PH_S(""), "");
    if (pieces > PH_LET_PIECES_MAX)
        ph_build_error(b, at, "with the lets it names this comes to more than 256 pieces", PH_S(""),
                       "");
    b->let_pieces[index] = pieces > PH_LET_PIECES_MAX ? 1 : pieces + (let->kind != PH_LET_TEMPLATE);
    b->let_depth[index] = depth > PH_LET_DEPTH_MAX ? 1 : depth;
}

void ph_build_lets(struct ph_build *b, struct ph_yaml *at, struct ph_variant *v)
{
    b->lets = NULL;
    b->let_count = 0;
    if (!ph_build_is(b, at, PH_YAML_MAP))
        return;
    (void)ph_build_within(b, at, at->count, PH_PAGE_LETS_MAX, "more than 16 lets");
    struct ph_let *lets = ph_build_alloc(b, (at->count + 1) * sizeof(*lets));
    b->lets = lets;
    b->secrets = true;
    for (struct ph_yaml *e = at->first; e != NULL && b->let_count < PH_PAGE_LETS_MAX; e = e->next) {
        struct ph_let *let = &lets[b->let_count];
        let->name = e->key;
        if (!ph_is_name(e->key) || ph_is_reference_word(e->key))
            ph_build_error_key(b, e, "a let has a name of its own, of a-z, 0-9, _ and -, not `",
                               "`");
        if (e->kind == PH_YAML_MAP && ph_yaml_get(e, "leaves") != NULL)
            leaves_of(b, e, let);
        else if (e->kind == PH_YAML_MAP)
            each_of(b, e, let);
        else
            let->value = ph_build_template(b, e, ph_build_text(b, e));
        weigh(b, e, b->let_count, let);
        ph_note_let(b, b->let_count);
        b->let_nodes[b->let_count++] = e;
    }
    b->secrets = false;
    v->lets = lets;
    v->let_count = (uint16_t)b->let_count;
}

/* ---- event ----------------------------------------------------------------------------------- */

static bool reads_type(const struct ph_expr *e)
{
    for (uint16_t i = 0; i < e->count; i++)
        for (uint16_t k = 0; k < e->alternatives[i].count; k++)
            if (e->alternatives[i].pieces[k].source == PH_SRC_TYPE)
                return true;
    return false;
}

void ph_build_event(struct ph_build *b, const struct ph_yaml *at, struct ph_variant *v)
{
    static const struct ph_slice known[] = {PH_SI("id"), PH_SI("type"), PH_SI("time")};
    const struct ph_yaml *e;
    if (!ph_build_keys(b, at, WORDS(known)))
        return;
    if ((e = ph_yaml_get(at, "id")) != NULL)
        v->id = ph_build_expr(b, e, ph_build_text(b, e));
    if ((e = ph_yaml_get(at, "type")) == NULL) {
        ph_build_error(b, at, "`type` is missing: where the event says what happened", PH_S(""),
                       "; the rules go by it");
    } else {
        v->type = ph_build_expr(b, e, ph_build_text(b, e));
        if (reads_type(&v->type))
            ph_build_error(b, e, "the type cannot be read from `type` itself", PH_S(""), "");
    }
    if ((e = ph_yaml_get(at, "time")) != NULL)
        v->time = ph_build_time(b, e, ph_build_text(b, e), &v->time_unit);
}

/* ---- ack and refuse -------------------------------------------------------------------------- */

static void sign_of(struct ph_build *b, const struct ph_yaml *at, struct ph_reply *reply)
{
    static const struct ph_slice known[] = {PH_SI("kind"), PH_SI("key"), PH_SI("message"),
                                            PH_SI("encoding")};
    const struct ph_yaml *kind = ph_yaml_get(at, "kind"), *key = ph_yaml_get(at, "key"),
                         *message = ph_yaml_get(at, "message"), *e;
    if (!ph_build_keys(b, at, WORDS(known)))
        return;
    if (kind == NULL || key == NULL || message == NULL) {
        ph_build_error(b, at, "a signed reply says `kind`, `key` and `message`", PH_S(""), "");
        return;
    }
    if (ph_build_kind(b, kind, &reply->sign_kind, &reply->sign_hash) &&
        (reply->sign_kind == PH_SIG_DIGEST || reply->sign_kind < PH_SIG_HMAC ||
         reply->sign_kind > PH_SIG_ED25519))
        ph_build_error(b, kind,
                       "a reply is signed by hmac-, rsa-, rsa-pss-, ecdsa- or ed25519, not ",
                       kind->text, "");
    reply->sign_key = ph_build_expr(b, key, ph_build_text(b, key));
    for (uint16_t i = 0; i < reply->sign_key.count; i++)
        if ((ph_template_holds(b, &reply->sign_key.alternatives[i], true) & PH_HOLDS_CONFIG) == 0)
            ph_build_error(b, key, "the key of a reply is a config field: config:…, not ",
                           key->text, "");
    reply->sign_message = ph_build_template(b, message, ph_build_text(b, message));
    if ((e = ph_yaml_get(at, "encoding")) != NULL)
        reply->sign_encoding = ph_build_encoding(b, e);
    b->captures[0] = PH_S("signature");
    b->capture_count = 1;
    b->signature_visible = true;
}

/* "10s" */
static int32_t within_of(struct ph_build *b, const struct ph_yaml *at)
{
    enum { DEADLINE_SECONDS_MAX = 3600 };
    struct ph_slice text = ph_build_text(b, at);
    if (text.len > 1 && text.ptr[text.len - 1] == 's') {
        text.len--;
        return ph_build_number(b, at, text, 1, DEADLINE_SECONDS_MAX) * 1000;
    }
    if (at->kind == PH_YAML_TEXT)
        ph_build_error(b, at, "a deadline is written in seconds, 10s, not `", text, "`");
    return 0;
}

void ph_build_reply(struct ph_build *b, const struct ph_yaml *at, bool ack, struct ph_variant *v,
                    struct ph_reply *reply)
{
    static const struct ph_slice known[] = {PH_SI("status"), PH_SI("headers"),
                                            PH_SI("body"),   PH_SI("within"),
                                            PH_SI("sign"),   PH_SI("stops_queue")};
    const struct ph_yaml *e;
    *reply = (struct ph_reply){.status = ack ? 200 : 401};
    if (at == NULL || !ph_build_keys(b, at, WORDS(known)))
        return;
    if ((e = ph_yaml_get(at, "status")) != NULL)
        reply->status = ph_build_number(b, e, ph_build_text(b, e), 200, ack ? 299 : 499);
    reply->headers = ph_build_headers(b, ph_yaml_get(at, "headers"), &reply->header_count);
    if ((e = ph_yaml_get(at, "within")) != NULL) {
        int32_t ms = within_of(b, e);
        if (ack)
            v->ack_within_ms = ms;
        else
            ph_build_error_key(b, e, "`", "` belongs to `ack`: the deadline is one for both");
    }
    if ((e = ph_yaml_get(at, "stops_queue")) != NULL) {
        reply->stops_queue = ph_build_flag(b, e);
        if (ack)
            ph_build_error_key(b, e, "`", "` belongs to `refuse`: success stops nothing");
    }
    if ((e = ph_yaml_get(at, "sign")) != NULL)
        sign_of(b, e, reply);
    if ((e = ph_yaml_get(at, "body")) != NULL)
        reply->body = ph_build_template(b, e, ph_build_text(b, e));
    b->capture_count = 0;
    b->signature_visible = false;
}

/* ---- handshake ------------------------------------------------------------------------------- */

/* There is no body to point into, and whoever asks may be anybody. */
static void check_open(struct ph_build *b, const struct ph_yaml *at, const struct ph_template *t)
{
    for (uint16_t i = 0; i < t->count; i++) {
        enum ph_source source = t->pieces[i].source;
        if (source == PH_SRC_LITERAL || source == PH_SRC_QUERY || source == PH_SRC_HEADER)
            continue;
        ph_build_error(b, at,
                       "a handshake is asked for by GET, by anybody: it is made of query:…, "
                       "header:… and texts, not of ",
                       at->kind == PH_YAML_TEXT ? at->text : at->key, "");
        return;
    }
}

static void check_open_expr(struct ph_build *b, const struct ph_yaml *at, const struct ph_expr *of)
{
    for (uint16_t i = 0; i < of->count; i++)
        check_open(b, at, &of->alternatives[i]);
}

/* What frames the answer is ours to say; and whoever asks must not choose what a browser takes it
 * for. */
static void check_greeting_headers(struct ph_build *b, const struct ph_yaml *map,
                                   const struct ph_handshake *h)
{
    static const struct ph_slice ours[] = {
        PH_SI("content-length"), PH_SI("transfer-encoding"), PH_SI("connection"), PH_SI("trailer"),
        PH_SI("keep-alive"),     PH_SI("upgrade"),           PH_SI("te"),         PH_SI("date")};
    if (map == NULL)
        return;
    (void)ph_build_within(b, map, map->count, PH_HANDSHAKE_HEADERS_MAX, "more than 8 headers");
    const struct ph_yaml *e = map->first;
    for (uint16_t i = 0; i < h->reply.header_count; i++, e = e->next) {
        const struct ph_header_template *header = &h->reply.headers[i];
        for (size_t k = 0; k < PH_COUNTOF(ours); k++)
            if (ph_slice_eq_nocase(header->name, ours[k]))
                ph_build_error_key(b, e, "the header `", "` is the server's own");
        check_open(b, e, &header->value);
        if (ph_slice_eq_nocase(header->name, PH_S("content-type")))
            for (uint16_t k = 0; k < header->value.count; k++)
                if (header->value.pieces[k].source != PH_SRC_LITERAL)
                    ph_build_error_key(b, e, "`", "` is a text: whoever asks would choose it");
    }
}

const struct ph_handshake *ph_build_handshake(struct ph_build *b, const struct ph_yaml *at)
{
    static const struct ph_slice known[] = {PH_SI("when"), PH_SI("status"), PH_SI("headers"),
                                            PH_SI("body")};
    const struct ph_yaml *e, *headers;
    if (at == NULL || !ph_build_keys(b, at, WORDS(known)))
        return NULL;
    struct ph_handshake *h = ph_build_alloc(b, sizeof *h);
    h->reply.status = 200;
    if ((e = ph_yaml_get(at, "when")) == NULL)
        ph_build_error(b, at, "`when` is missing: how a handshake is told from other requests",
                       PH_S(""), "");
    h->when = ph_build_tests(b, e, &h->when_count);
    for (uint16_t i = 0; i < h->when_count; i++) {
        check_open_expr(b, e, &h->when[i].of);
        check_open_expr(b, e, &h->when[i].against);
    }
    if ((e = ph_yaml_get(at, "status")) != NULL)
        h->reply.status = ph_build_number(b, e, ph_build_text(b, e), 200, 204);
    headers = ph_yaml_get(at, "headers");
    h->reply.headers = ph_build_headers(b, headers, &h->reply.header_count);
    check_greeting_headers(b, headers, h);
    if ((e = ph_yaml_get(at, "body")) != NULL) {
        h->reply.body = ph_build_template(b, e, ph_build_text(b, e));
        check_open(b, e, &h->reply.body);
    }
    return h;
}
