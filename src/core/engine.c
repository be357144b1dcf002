/* The engine's steps, in order: open the body, check what a well-formed event has, judge the
 * signature, find the rule, read the content, name the event, choose the reply. */
#include "core/engine.h"

#include "core/codec.h"
#include "core/steps.h"
#include "core/value.h"
#include "core/verify.h"
#include "crypto/crypto.h"

struct ph_slice ph_error_code_name(enum ph_error_code code)
{
    static const struct ph_slice names[] = {
#define PH_ERROR_NAME(name) [PH_E_##name] = PH_SI(#name),
        PH_ERROR_CODES(PH_ERROR_NAME)
#undef PH_ERROR_NAME
    };
    return (size_t)code < PH_COUNTOF(names) ? names[code] : PH_S("NONE");
}

static enum ph_status read_event(struct ph_run *run, struct ph_event *event, struct ph_problem *ret)
{
    const struct ph_variant *v = run->variant;
    struct ph_slice type = {0};
    if (v->type.count > 0) {
        PH_TRY(ph_eval_expr(run, &v->type, &type));
        run->type = type;
        if (type.len == 0) {
            *ret = (struct ph_problem){PH_E_WEBHOOK_EVENT_TYPE_NOT_FOUND,
                                       PH_S("the body does not say what kind of event it is")};
            return PH_OK;
        }
    }
    event->type = run->type = type; /* not the one from the other: see ph_eval_expr */
    PH_TRY(ph_eval_expr(run, &v->id, &event->id));
    PH_TRY(ph_eval_expr(run, &v->account, &event->account));
    PH_TRY(ph_read_time(run, &v->time, v->time_unit, &event->time_ms, &event->has_time));
    return ph_check_needs(run, v->needs, v->need_count, ret);
}

/* One event whose verdict is known: what it says. */
static enum ph_status tell(struct ph_run *run, enum ph_want want, size_t index,
                           struct ph_event *event, struct ph_problem *ret)
{
    const struct ph_rule *rule;
    bool content = (want & PH_WANT_CONTENT) != 0;
    int32_t mode;
    /* here: it may stand in the verified JWS header */
    PH_TRY(ph_eval_choice(run, &run->variant->mode, &mode));
    event->mode = (enum ph_mode)mode;
    PH_TRY(ph_find_rule(run, &rule));
    if (rule != NULL) {
        PH_TRY(ph_apply_rule(run, rule, content, event, ret));
        if (rule->content != NULL) {
            PH_TRY(ph_read_reference(run, rule->content, event));
            if (content && ret->code == PH_E_NONE)
                PH_TRY(ph_read_content(run, rule->content, event, ret));
        }
    }
    if (content)
        PH_TRY(ph_name_event(run, rule, index, (want & PH_WANT_NO_KEYS) == 0, event));
    /* Last, so that what the keys read counts too. */
    if (ret->code == PH_E_NONE && ph_slice_present(run->ambiguous))
        *ret = (struct ph_problem){PH_E_WEBHOOK_BODY_DECODING_FAILED, run->ambiguous};
    return PH_OK;
}

/* `head`: a header that the event was read from came twice, differing. The body is well-formed;
 * the request is nobody's word. */
static enum ph_status verify(struct ph_run *run, size_t index, struct ph_event *events,
                             struct ph_slice head, const struct ph_callout **ret_callout)
{
    struct ph_event *event = &events[index];
    const struct ph_variant *v = run->variant;
    bool per_item = false;
    for (uint16_t i = 0; i < v->signature_count; i++)
        per_item = per_item || v->signatures[i].per_item;
    if (index > 0 && !per_item) {
        event->verdict = events[0].verdict;
        event->verdict_reason = events[0].verdict_reason;
        event->matched_secret = events[0].matched_secret;
        event->covers = events[0].covers;
        event->cover_count = events[0].cover_count;
        return PH_OK;
    }
    if (ph_slice_present(head)) {
        event->verdict = PH_FORGED;
        event->verdict_reason = head;
        run->jws = run->claims = NULL;
        return PH_OK;
    }
    PH_TRY(ph_verify(run, event, ret_callout));
    run->ambiguous = (struct ph_slice){0}; /* what made it forged is told in the verdict */
    return PH_OK;
}

/* ---- the reply ------------------------------------------------------------------------------- */

/* What a request brought may be in it: a line end there would begin a header of its own. */
static bool is_field_value(struct ph_slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.ptr[i] < ' ' && value.ptr[i] != '\t') || value.ptr[i] == 0x7f)
            return false;
    return ph_slice_present(value);
}

static enum ph_status fill_reply(struct ph_run *run, const struct ph_reply *reply, int32_t usual,
                                 struct ph_answer *answer)
{
    struct ph_header *headers =
        ph_arena_alloc(run->arena, (reply->header_count + 1U) * sizeof(*headers));
    if (headers == NULL)
        return PH_ERR_NO_MEMORY;
    answer->ack_status = reply->status != 0 ? reply->status : usual;
    bool tell_body = true;
    if (reply->sign_kind != PH_SIG_NONE) {
        PH_TRY(ph_sign_reply(run, reply, &run->captures[0]));
        tell_body = ph_slice_present(run->captures[0]); /* no key: the status alone */
    }
    answer->ack_header_count = 0;
    for (uint16_t i = 0; i < reply->header_count; i++) {
        struct ph_header *header = &headers[answer->ack_header_count];
        header->name = reply->headers[i].name;
        PH_TRY(ph_eval_template(run, &reply->headers[i].value, &header->value));
        answer->ack_header_count += is_field_value(header->value);
    }
    answer->ack_headers = headers;
    if (tell_body && reply->body.count > 0)
        PH_TRY(ph_eval_template(run, &reply->body, &answer->ack_body));
    run->captures[0] = (struct ph_slice){0};
    return PH_OK;
}

static enum ph_status choose_reply(struct ph_run *run, enum ph_want want, struct ph_answer *answer)
{
    bool good = true, wait = false;
    for (size_t i = 0; i < answer->event_count; i++) {
        enum ph_verdict verdict = answer->events[i].verdict;
        good =
            good && (verdict == PH_VERIFIED || verdict == PH_UNSIGNED || verdict == PH_UNSUPPORTED);
        wait = wait || verdict == PH_UNREACHABLE || verdict == PH_NO_SECRET;
    }
    if (good || (want & PH_WANT_PEER_REPLY) != 0)
        return fill_reply(run, &run->variant->ack, 200, answer);
    PH_TRY(fill_reply(run, &run->variant->refuse, 401, answer));
    if (wait)
        answer->ack_status = 503; /* ours to mend: the sender should come again */
    return PH_OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* One element of the batch, or the one event: read, judged, told. */
static enum ph_status run_item(struct ph_run *run, enum ph_want want, size_t index,
                               struct ph_answer *answer, struct ph_problem *found)
{
    struct ph_event *event = &answer->events[index];
    event->verdict_reason = PH_S("not judged");
    run->ambiguous = (struct ph_slice){0};
    run->ambiguous_head = false;
    run->item = ph_run_next_item(run, index);
    /* two insides: neither is the event, and nobody's word is judged */
    if (ph_slice_present(run->ambiguous)) {
        *found = (struct ph_problem){PH_E_WEBHOOK_BODY_DECODING_FAILED, run->ambiguous};
        event->verdict = (want & PH_WANT_VERDICT) != 0 ? PH_FORGED : event->verdict;
        event->verdict_reason = run->ambiguous;
        run->ambiguous = (struct ph_slice){0};
        return PH_OK;
    }
    if (run->variant->format != PH_FORMAT_TEXT && !yyjson_is_obj(run->item))
        *found = (struct ph_problem){PH_E_WEBHOOK_BODY_DECODING_FAILED,
                                     PH_S("an event of the batch is not an object")};
    if (found->code == PH_E_NONE)
        PH_TRY(read_event(run, event, found));
    struct ph_slice head = run->ambiguous_head ? run->ambiguous : (struct ph_slice){0};
    if (found->code == PH_E_NONE && ph_slice_present(run->ambiguous) && !ph_slice_present(head))
        *found = (struct ph_problem){PH_E_WEBHOOK_BODY_DECODING_FAILED, run->ambiguous};
    run->ambiguous = (struct ph_slice){0};
    if ((want & PH_WANT_VERDICT) != 0)
        PH_TRY(verify(run, index, answer->events, head, &answer->callout));
    if (found->code == PH_E_NONE)
        PH_TRY(tell(run, want, index, event, found));
    return PH_OK;
}

static enum ph_status run_items(struct ph_run *run, enum ph_want want, struct ph_answer *answer,
                                struct ph_problem *problem)
{
    size_t count = ph_run_item_count(run);
    if (ph_slice_present(run->ambiguous)) { /* two lists: which one is the batch? */
        *problem = (struct ph_problem){PH_E_WEBHOOK_BODY_DECODING_FAILED, run->ambiguous};
        return PH_OK;
    }
    if (count == 0 || count > PH_ITEMS_MAX) {
        *problem = (struct ph_problem){PH_E_WEBHOOK_BODY_DECODING_FAILED,
                                       count == 0 ? PH_S("the batch has no events")
                                                  : PH_S("the batch has more than 1000 events")};
        return PH_OK;
    }
    answer->events = ph_arena_plain(run->arena, count * sizeof(*answer->events));
    if (answer->events == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        struct ph_event *event = &answer->events[i];
        struct ph_problem found = {0};
        PH_TRY(run_item(run, want, i, answer, &found));
        answer->event_count = i + 1;
        if (found.code == PH_E_NONE)
            continue;
        if (i == 0 && (want & PH_WANT_EVERY_ITEM) == 0) {
            *problem = found;
            return PH_OK;
        }
        /* A bad item does not take the good ones with it. */
        event->kind = PH_KIND_NONE;
        event->effect_key = (struct ph_slice){0};
        event->incomplete = found.message;
        if (found.code != PH_E_NONE && event->event_type != 0)
            event->event_type = event->handle_event_type = PH_WEBHOOK_EVENT_TYPE_UNSPECIFIED;
    }
    return PH_OK;
}

/* Whether the processor may be asked. Never for a notice that was judged and found wrong:
 * strangers must not make us call anyone. */
static bool may_fetch(const struct ph_run *run, enum ph_want want, const struct ph_answer *answer)
{
    if ((want & PH_WANT_ALL) != PH_WANT_ALL || answer->event_count == 0 ||
        run->variant->fetch == NULL || run->fetched != NULL ||
        !ph_slice_present(answer->events[0].incomplete))
        return false;
    return answer->events[0].verdict == PH_VERIFIED || answer->events[0].verdict == PH_UNSIGNED;
}

static enum ph_status run_all(struct ph_worker *worker, const struct ph_input *in,
                              enum ph_want want, struct ph_answer *answer)
{
    struct ph_run run;
    struct ph_problem problem = {0};
    *answer = (struct ph_answer){0};
    PH_TRY(ph_run_open(&run, worker, in, NULL, &problem.message, &problem.code));
    if (problem.code == PH_E_NONE) {
        PH_TRY(run_items(&run, want, answer, &problem));
        answer->variant = run.variant;
        if (problem.code == PH_E_NONE && (want & PH_WANT_VERDICT) != 0) {
            run.item = ph_run_next_item(&run, 0);
            run.type = answer->events[0].type;
            PH_TRY(choose_reply(&run, want, answer));
        }
    }
    answer->merchant_event_id_given = in->merchant_event_id.len > 0;
    if (problem.code != PH_E_NONE) {
        answer->error = problem.code;
        answer->error_message =
            ph_slice_present(problem.message) ? problem.message : PH_S("malformed");
    }
    if (answer->callout == NULL && problem.code == PH_E_NONE && may_fetch(&run, want, answer))
        PH_TRY(ph_make_callout(&run, run.variant->fetch, &answer->callout));
    answer->trace = run.trace;
    answer->trace_count = run.trace_count;
    return PH_OK;
}

/* What a text or a check that was lost would have changed is not asked: E5. */
enum ph_status ph_engine_run_keep(struct ph_worker *worker, const struct ph_input *in,
                                  enum ph_want want, struct ph_answer *ret_answer)
{
    struct ph_arena *arena = ph_worker_arena(worker);
    struct ph_answer answer;
    arena->ran_out = false;
    enum ph_status st = run_all(worker, in, want, &answer),
                   trouble = ph_crypto_trouble(ph_worker_crypto(worker));
    if (arena->ran_out)
        return PH_ERR_NO_MEMORY;
    PH_TRY(trouble);
    PH_TRY(st);
    *ret_answer = answer;
    return PH_OK;
}

enum ph_status ph_engine_run(struct ph_worker *worker, const struct ph_input *in, enum ph_want want,
                             struct ph_answer *ret_answer)
{
    ph_worker_reset(worker);
    return ph_engine_run_keep(worker, in, want, ret_answer);
}

static enum ph_status greet(struct ph_worker *worker, const struct ph_input *in,
                            struct ph_answer *answer)
{
    const struct ph_handshake *h = in->connector->handshake;
    struct ph_run run = {
        .worker = worker, .arena = ph_worker_arena(worker), .in = in, .connector = in->connector};
    bool holds;
    *answer = (struct ph_answer){0};
    if (h == NULL)
        return PH_ERR_NOT_FOUND;
    PH_TRY(ph_point_room(&run));
    PH_TRY(ph_eval_tests(&run, h->when, h->when_count, &holds));
    if (!holds)
        return PH_ERR_NOT_FOUND;
    PH_TRY(fill_reply(&run, &h->reply, 200, answer));
    return ph_slice_present(run.ambiguous) ? PH_ERR_NOT_FOUND : PH_OK; /* which of the two? */
}

enum ph_status ph_engine_handshake(struct ph_worker *worker, const struct ph_input *in,
                                   struct ph_answer *ret_answer)
{
    struct ph_arena *arena = ph_worker_arena(worker);
    arena->ran_out = false;
    enum ph_status st = greet(worker, in, ret_answer);
    return arena->ran_out ? PH_ERR_NO_MEMORY : st;
}

bool ph_engine_reads(struct ph_worker *worker, enum ph_fetch_kind kind, struct ph_slice text)
{
    struct ph_run run = {.worker = worker, .arena = ph_worker_arena(worker)};
    ph_worker_reset(worker);
    switch (kind) {
    case PH_FETCH_CERTIFICATE:
        return ph_crypto_certificate_reads(ph_worker_crypto(worker), text);
    case PH_FETCH_JWKS:
        return ph_jwks_reads(&run, text);
    case PH_FETCH_EVENT:
    case PH_FETCH_VERDICT:
        break;
    }
    return true;
}
