#include "gateway/record.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "crypto/crypto.h"
#include "gateway/policy.h"
#include "wire/wire.h"

/* ---- an event -------------------------------------------------------------------------------- */

/* What it is about: the payment's id where there is one, for subjects, ordering and lateness. */
static struct ph_slice subject_of(const struct ph_event *event)
{
    static const enum ph_field ids[] = {PH_F_CONNECTOR_TRANSACTION_ID, PH_F_MERCHANT_TRANSACTION_ID,
                                        PH_F_CONNECTOR_REFUND_ID,      PH_F_MERCHANT_REFUND_ID,
                                        PH_F_CONNECTOR_DISPUTE_ID,     PH_F_CONNECTOR_MANDATE_ID,
                                        PH_F_CONNECTOR_PAYOUT_ID,      PH_F_MERCHANT_PAYOUT_ID};
    for (size_t i = 0; i < PH_COUNTOF(ids); i++)
        if (event->fields[ids[i]].text.len > 0)
            return event->fields[ids[i]].text;
    for (size_t i = 0; i < PH_REFERENCE_COUNT; i++)
        if (event->reference[i].text.len > 0)
            return event->reference[i].text;
    return (struct ph_slice){0};
}

/* By its type, or where the type is none that we have a word for (a payment that failed before
 * it began) by what it holds. */
static struct ph_slice class_of(const struct ph_event *event, int32_t type)
{
    static const struct ph_slice kinds[] = {
        [PH_KIND_NONE] = PH_SI(""),           [PH_KIND_PAYMENT] = PH_SI("payment"),
        [PH_KIND_REFUND] = PH_SI("refund"),   [PH_KIND_DISPUTE] = PH_SI("dispute"),
        [PH_KIND_MANDATE] = PH_SI("mandate"), [PH_KIND_PAYOUT] = PH_SI("payout")};
    struct ph_slice class = ph_event_type_class(type);
    bool known =
        class.len > 0 || event->verdict != PH_VERIFIED || (size_t)event->kind >= PH_COUNTOF(kinds);
    return known ? class : kinds[event->kind];
}

static void fill_amount(const struct ph_event *event, struct ph_inbox_event *ret)
{
    static const enum ph_field amounts[] = {PH_F_AMOUNT, PH_F_REFUND_AMOUNT, PH_F_DISPUTE_AMOUNT};
    for (size_t i = 0; i < PH_COUNTOF(amounts); i++) {
        const struct ph_value *money = &event->fields[amounts[i]];
        const struct ph_currency *currency =
            money->present ? ph_currency_by_number(money->currency) : NULL;
        if (currency == NULL)
            continue;
        ret->amount = money->number;
        ret->currency = ph_slice_of(currency->code, 3);
        return;
    }
}

/* ---- keys ------------------------------------------------------------------------------------ */

void ph_record_part_accounts(const struct ph_config_endpoint *endpoint, struct ph_answer *answer)
{
    if (!ph_slice_present(endpoint->by))
        return;
    for (size_t i = 1; i < answer->event_count; i++) {
        struct ph_event *event = &answer->events[i];
        if (event->verdict != PH_VERIFIED || ph_slice_eq(event->account, answer->events[0].account))
            continue;
        event->verdict = PH_FORGED;
        event->verdict_reason = PH_S("it names another account than the first of its batch, with "
                                     "whose keys the batch was judged");
    }
}

static char *put(char *at, struct ph_slice text)
{
    if (text.len > 0)
        memcpy(at, text.ptr, text.len);
    return at + text.len;
}

/* ':' and '%' are escaped, as in the key's own parts. */
static char *put_escaped(char *at, struct ph_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ':' || text.ptr[i] == '%')
            at = put(at, text.ptr[i] == ':' ? PH_S("%3A") : PH_S("%25"));
        else
            *at++ = text.ptr[i];
    }
    return at;
}

/* Whose key it is (G3: one event of one connector, account and mode). Only what the operator
 * says counts here, for not all processors sign their account and mode: the endpoint, with the
 * account that `by` picked; or, where endpoints are told to be of one `account`, that and the
 * endpoint's mode.
 *
 *   shop:stripe:evt_1      shop/EU:adyen:…      @acct_1/live:stripe:evt_1 */
static enum ph_status scope_key(struct ph_arena *arena, const struct ph_record_input *input,
                                struct ph_slice key, struct ph_slice *ret)
{
    static const struct ph_slice modes[] = {[PH_CONFIG_MODE_ANY] = PH_SI(""),
                                            [PH_CONFIG_MODE_LIVE] = PH_SI("/live"),
                                            [PH_CONFIG_MODE_TEST] = PH_SI("/test")};
    const struct ph_config_endpoint *e = input->endpoint;
    bool shared = e->account.len > 0;
    struct ph_slice whose = shared ? e->account : e->entry.name;
    if (key.len == 0)
        return PH_OK;
    char *text = ph_arena_alloc(arena, 3 * (whose.len + input->account.len) + key.len + 16),
         *at = text;
    if (text == NULL)
        return PH_ERR_NO_MEMORY;
    at = put(at, shared ? PH_S("@") : PH_S(""));
    at = put_escaped(at, whose);
    if (input->account.len > 0) {
        at = put(at, PH_S("/"));
        at = put_escaped(at, input->account);
    }
    at = put(at, shared ? modes[e->mode] : PH_S(""));
    at = put(at, PH_S(":"));
    at = put(at, key);
    *ret = ph_slice_of(text, (size_t)(at - text));
    return PH_OK;
}

static enum ph_status digest(struct ph_worker *worker, const struct ph_answer *answer, size_t index,
                             unsigned char ret[PH_DIGEST_BYTES])
{
    unsigned char whole[PH_DIGEST_BYTES_MAX];
    struct ph_slice said;
    size_t len;
    PH_TRY(ph_wire_write_said(ph_worker_arena(worker), answer, index, &said));
    PH_TRY(ph_crypto_digest(ph_worker_crypto(worker), PH_HASH_SHA256, &said, 1, whole, &len));
    memcpy(ret, whole, PH_DIGEST_BYTES);
    return PH_OK;
}

static enum ph_status fill_event(struct ph_worker *worker, const struct ph_record_input *input,
                                 size_t index, struct ph_inbox_event *ret)
{
    struct ph_arena *arena = ph_worker_arena(worker);
    struct ph_event *event = &input->answer->events[index];
    struct ph_slice key = {0}, effect = {0};
    bool good = event->verdict == PH_VERIFIED, held = ph_policy_holds(input->answer, index);
    int32_t type = good ? event->handle_event_type : PH_WEBHOOK_EVENT_TYPE_UNSPECIFIED;
    /* A stale one's key is looked at, to know a duplicate; the inbox lets it take none. */
    if (good || event->verdict == PH_STALE) {
        PH_TRY(scope_key(arena, input, event->dedupe_key, &key));
        PH_TRY(scope_key(arena, input, event->effect_key, &effect));
        /* As told: of this inbox, not of one processor alone. Bytes that are no text would all
         * be told as one replacement character: such an event gets a name of the inbox's own. */
        event->merchant_event_id = ph_utf8_valid(key) ? key : (struct ph_slice){0};
    }
    struct ph_slice named = ph_event_type_specification_name(type);
    *ret = (struct ph_inbox_event){
        .item = (int32_t)index,
        .verdict = event->verdict,
        .dedupe_key = key,
        .effect_key = effect,
        .event_id = good ? event->merchant_event_id : (struct ph_slice){0},
        .type = named.len > 0 ? named : ph_word_name(PH_WORDS_EVENT_TYPE, type),
        .class = class_of(event, type),
        .processor_id = event->id,
        .processor_type = event->type,
        .subject = subject_of(event),
        .account = event->account.len > 0 ? event->account : input->endpoint->account,
        .mode = event->mode,
        .occurred_ms = event->has_time ? event->time_ms : 0,
        .incomplete = ph_slice_present(event->incomplete) && !held,
        .held = held,
    };
    fill_amount(event, ret);
    if (key.len > 0)
        PH_TRY(digest(worker, input->answer, index, ret->digest));
    PH_TRY(ph_wire_write_event_json(arena, input->answer, index, &ret->answer));
    if (!held)
        ret->destinations = ph_view_pick(input->view, input->endpoint, ret, &ret->once_per_effect);
    return PH_OK;
}

/* ---- the request ----------------------------------------------------------------------------- */

enum ph_status ph_record_make(struct ph_worker *worker, const struct ph_record_input *input,
                              struct ph_inbox_store *ret)
{
    const struct ph_answer *answer = input->answer;
    const struct ph_request *request = input->in->request;
    const struct ph_judgement judged = ph_policy_judge(answer);
    struct ph_inbox_event *events =
        ph_arena_alloc(ph_worker_arena(worker), (answer->event_count + 1) * sizeof *events);
    if (events == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < answer->event_count; i++)
        PH_TRY(fill_event(worker, input, i, &events[i]));
    *ret = (struct ph_inbox_store){
        .op.kind = PH_INBOX_STORE,
        .request =
            {
                .standing = judged.standing,
                .match_only = judged.match_only,
                .received_ms = input->in->now_ms,
                .endpoint = input->endpoint->entry.name,
                .connector = input->in->connector->name,
                .method = request->method,
                .uri = request->uri,
                .remote = input->remote,
                .headers = request->headers,
                .header_count = request->header_count,
                .body = request->body,
                .verdict = judged.verdict,
                .verdict_reason = judged.reason,
                .secret = input->secret,
                .secret_of = input->secret_of,
                .page_hash = input->in->connector->hash,
                .engine_version = PH_S(PAYHOOK_VERSION),
                .trace = input->trace,
                .brought = input->brought,
                .brought_count = input->brought_count,
                .work = judged.work == PH_WORK_VERIFY && input->unknown ? PH_WORK_VERIFY_UNKNOWN
                                                                        : judged.work,
                .work_due_ms = input->in->now_ms,
            },
        .events = events,
        .event_count = answer->event_count,
    };
    return PH_OK;
}

/* ---- copies ---------------------------------------------------------------------------------- */

#define TEXT(type, member) offsetof(struct type, member)
static const size_t request_texts[] = {
    TEXT(ph_inbox_request, endpoint),       TEXT(ph_inbox_request, connector),
    TEXT(ph_inbox_request, method),         TEXT(ph_inbox_request, uri),
    TEXT(ph_inbox_request, remote),         TEXT(ph_inbox_request, body),
    TEXT(ph_inbox_request, verdict_reason), TEXT(ph_inbox_request, secret),
    TEXT(ph_inbox_request, secret_of),      TEXT(ph_inbox_request, page_hash),
    TEXT(ph_inbox_request, engine_version), TEXT(ph_inbox_request, trace)};
static const size_t event_texts[] = {
    TEXT(ph_inbox_event, dedupe_key),     TEXT(ph_inbox_event, effect_key),
    TEXT(ph_inbox_event, event_id),       TEXT(ph_inbox_event, type),
    TEXT(ph_inbox_event, class),          TEXT(ph_inbox_event, processor_id),
    TEXT(ph_inbox_event, processor_type), TEXT(ph_inbox_event, subject),
    TEXT(ph_inbox_event, account),        TEXT(ph_inbox_event, currency),
    TEXT(ph_inbox_event, answer)};
/* of headers and of what was brought */
static const size_t pair_texts[] = {0, sizeof(struct ph_slice)};
#undef TEXT
_Static_assert(sizeof(struct ph_header) == 2 * sizeof(struct ph_slice), "name, value");
_Static_assert(sizeof(struct ph_config_value) == 2 * sizeof(struct ph_slice), "name, value");

/* First it counts, then it copies. */
struct packer {
    char *at; /* NULL: counting */
    size_t need;
};

static void pack(struct packer *p, void *item, const size_t *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ph_slice *text = (struct ph_slice *)(void *)((char *)item + texts[i]);
        p->need += text->len;
        if (p->at == NULL || text->len == 0)
            continue;
        memcpy(p->at, text->ptr, text->len);
        text->ptr = p->at;
        p->at += text->len;
    }
}

static void pack_all(struct packer *p, struct ph_inbox_store *store)
{
    struct ph_inbox_request *r = &store->request;
    pack(p, r, request_texts, PH_COUNTOF(request_texts));
    for (size_t i = 0; i < r->header_count; i++)
        pack(p, (void *)&r->headers[i], pair_texts, 2);
    for (size_t i = 0; i < r->brought_count; i++)
        pack(p, (void *)&r->brought[i], pair_texts, 2);
    for (size_t i = 0; i < store->event_count; i++)
        pack(p, &store->events[i], event_texts, PH_COUNTOF(event_texts));
}

static void *carve(char **at, const void *from, size_t bytes)
{
    void *to = *at;
    if (bytes > 0)
        memcpy(to, from, bytes);
    *at += bytes;
    return to;
}

void *ph_record_copy(const struct ph_inbox_store *from, size_t extra, struct ph_inbox_store **ret)
{
    struct packer p = {0};
    struct ph_inbox_store counted = *from;
    size_t headers = from->request.header_count * sizeof(struct ph_header),
           brought = from->request.brought_count * sizeof(struct ph_config_value),
           events = from->event_count * sizeof(struct ph_inbox_event);
    pack_all(&p, &counted);
    size_t bytes = extra + sizeof *from + headers + brought + events + p.need;
    char *block = malloc(bytes), *at = block + extra;
    if (block == NULL)
        return NULL;
    memset(block, 0, extra);
    struct ph_inbox_store *store = carve(&at, from, sizeof *from);
    store->events = carve(&at, from->events, events);
    store->request.headers = carve(&at, from->request.headers, headers);
    store->request.brought = carve(&at, from->request.brought, brought);
    p.at = at;
    pack_all(&p, store);
    store->op.bytes = bytes;
    *ret = store;
    return block;
}
