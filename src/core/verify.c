/* Verdicts.
 *
 * V1: an empty secret, and an empty message secret, never verifies anything.
 * V2: every compare of a signature or token takes a time that depends on lengths alone.
 * V3: what is ambiguous is forged; what needs the network and has not got it is unreachable,
 *     never forged.
 * V4: the time is judged after the signature: an unsigned time proves nothing.
 * V5: a key out of a fetched certificate proves nothing unless the page says what name it must
 *     bear. The reader refuses such pages; neither is the only lock. */
#include "core/verify.h"

#include "core/codec.h"

static enum ph_status say(struct ph_event *event, enum ph_verdict verdict, struct ph_slice reason)
{
    event->verdict = verdict;
    event->verdict_reason = ph_slice_present(reason) ? reason : PH_S("no memory to say why");
    return PH_OK;
}

/* ---- keys ------------------------------------------------------------------------------------ */

static enum ph_status no_key(struct ph_judge *j, const struct ph_callout **ret_callout)
{
    struct ph_run *run = j->run;
    bool fetchable = j->sig->fetch != NULL;
    if (fetchable) {
        if (run->in->secret_count > 0)
            ph_use_secret(run, 1); /* the request may name it (paypal's webhook id) */
        if (ph_any_computable(j)) {
            PH_TRY(ph_make_callout(run, j->sig->fetch, ret_callout));
            ph_use_secret(run, 0);
            if (*ret_callout == NULL || ph_slice_present(run->ambiguous)) {
                *ret_callout = NULL;
                return say(
                    j->event, PH_FORGED,
                    PH_S("host not allowed: the key's address is not one of the processor's"));
            }
            return say(
                j->event, PH_UNREACHABLE,
                PH_S("the key must be fetched from the processor first (or given in config)"));
        }
        ph_use_secret(run, 0);
    }
    if (run->in->secret_count == 0)
        return say(j->event, PH_NO_SECRET,
                   PH_S("no secret is configured: nothing can be verified"));
    return say(
        j->event, PH_NO_SECRET,
        PH_S(
            "the secret is empty or not of the form this processor uses: nothing can be verified"));
}

/* ---- time ------------------------------------------------------------------------------------ */

static enum ph_status judge_time(struct ph_judge *j)
{
    const struct ph_signature *sig = j->sig;
    struct ph_run *run = j->run;
    if (sig->time.count == 0)
        return PH_OK;
    struct ph_slice text = {0};
    int64_t signed_ms = 0;
    PH_TRY(ph_eval_expr(run, &sig->time, &text));
    bool read = false;
    if (sig->time_unit == PH_UNIT_ISO)
        read = ph_parse_iso(text, &signed_ms);
    else if (ph_parse_int64(text, &signed_ms) && signed_ms >= 0)
        read = sig->time_unit == PH_UNIT_UNIX_MS ||
               !__builtin_mul_overflow(signed_ms, 1000, &signed_ms);
    if (!read)
        return say(j->event, PH_FORGED, PH_S("the signed time is not a time"));
    int64_t past = sig->past_ms, future = sig->future_ms, seconds;
    struct ph_slice own = ph_run_config(run, PH_S("tolerance_seconds"));
    if (own.len > 0 && ph_parse_int64(own, &seconds) && seconds >= 0 &&
        seconds < INT64_MAX / 1000) {
        past = past < 0 ? past : seconds * 1000;
        future = future < 0 ? future : seconds * 1000;
    }
    if (run->in->now_ms < 0)
        return PH_OK;
    /* Processors sign whole seconds: a receipt time's milliseconds are not held against them. */
    int64_t now =
        sig->time_unit == PH_UNIT_UNIX_MS ? run->in->now_ms : run->in->now_ms / 1000 * 1000;
    bool old = past >= 0 && signed_ms < now && now - signed_ms > past;
    bool early = future >= 0 && signed_ms > now && signed_ms - now > future;
    if (!old && !early && !run->in->explain)
        return PH_OK;
    struct ph_slice clock = ph_explain_clock(run, signed_ms, now, past, future);
    if (!old && !early)
        return PH_OK;
    struct ph_slice parts[] = {old ? PH_S("the signature is right but too old: ")
                                   : PH_S("the signature is right but from the future: "),
                               clock, PH_S(" (a replay, or a clock that is wrong)")};
    return say(j->event, PH_STALE, ph_join(run, parts, PH_COUNTOF(parts)));
}

static enum ph_status verified(struct ph_judge *j, int32_t index)
{
    if (ph_slice_present(j->run->ambiguous))
        return say(j->event, PH_FORGED, j->run->ambiguous); /* V3 */
    j->event->matched_secret = index;
    j->event->covers = j->sig->covers;
    j->event->cover_count = j->sig->cover_count;
    (void)say(j->event, PH_VERIFIED, PH_S("the signature matches"));
    PH_TRY(judge_time(j));
    if (j->event->verdict == PH_VERIFIED && ph_slice_present(j->run->ambiguous))
        (void)say(j->event, PH_FORGED, j->run->ambiguous); /* the signed time came twice */
    if (j->event->verdict != PH_VERIFIED && j->event->verdict != PH_STALE)
        j->event->matched_secret = 0;
    if (j->event->verdict != PH_VERIFIED)
        j->event->cover_count = 0;
    return PH_OK;
}

/* The page's `require`; what is ambiguous does not hold (V3). */
static enum ph_status require_holds(struct ph_judge *j, bool *ret)
{
    PH_TRY(ph_eval_tests(j->run, j->sig->require, j->sig->require_count, ret));
    if (*ret && !ph_slice_present(j->run->ambiguous))
        return PH_OK;
    *ret = false;
    return say(
        j->event, PH_FORGED,
        ph_slice_present(j->run->ambiguous)
            ? j->run->ambiguous
            : PH_S(
                  "the request (or its JWS header) does not say what this processor's always say"));
}

/* ---- the kinds of scheme --------------------------------------------------------------------- */

static struct ph_slice mismatch(void)
{
    return PH_S("the signature does not match: a wrong secret, or a body that was changed or "
                "re-written (parsed "
                "and printed again) before it got here");
}

static struct ph_slice nobodys_certificate(void)
{
    return PH_S("the page takes a key from a fetched certificate and does not say whose it must "
                "be: nothing is proven");
}

/* What the last try says. `brought`: its key is the config's, where callouts put theirs. */
static enum ph_status no_jws(struct ph_judge *j, enum ph_jws last, bool brought)
{
    switch (last) {
    case PH_JWS_ALGORITHM:
        return say(j->event, PH_FORGED,
                   PH_S("the JWS names an algorithm this processor does not use"));
    case PH_JWS_BAD_KEYS:
        if (brought && j->sig->fetch != NULL) /* V3: no word against the sender */
            return say(
                j->event, PH_UNREACHABLE,
                PH_S(
                    "the processor's key set, or the key of it that the JWS names, does not read"));
        return say(j->event, PH_FORGED,
                   PH_S("the configured key does not read: a key set (JSON) or a public key (PEM) "
                        "is wanted"));
    case PH_JWS_NO_KEY:
        return say(j->event, PH_FORGED,
                   PH_S("no key of the key set has the id (kid) the JWS names"));
    case PH_JWS_MALFORMED:
        return say(j->event, PH_FORGED, PH_S("the signature is not a JWS"));
    case PH_JWS_MISMATCH:
    case PH_JWS_GOOD:
        break;
    }
    return say(j->event, PH_FORGED, mismatch());
}

static enum ph_status judge_jws(struct ph_judge *j, const struct ph_callout **ret_callout)
{
    struct ph_run *run = j->run;
    struct ph_slice why = {0};
    bool detached = j->sig->message_count > 0, holds;
    PH_TRY(ph_jws_open(run, j->text, detached, &why));
    if (run->jws == NULL)
        return say(j->event, PH_FORGED, why);
    PH_TRY(require_holds(j, &holds));
    if (!holds)
        return PH_OK;
    struct ph_key_text keys[PH_KEYS_MAX];
    size_t count;
    PH_TRY(ph_gather_keys(j, keys, &count));
    if (count == 0)
        return no_key(j, ret_callout);
    if (ph_is_fetched_certificate(run, keys, count))
        return say(j->event, PH_UNSUPPORTED, nobodys_certificate());
    enum ph_jws last = PH_JWS_MALFORMED;
    for (size_t k = 0; k < count; k++) {
        ph_use_secret(run, keys[k].index);
        for (uint16_t m = 0; m < (detached ? j->sig->message_count : 1); m++) {
            struct ph_slice payload = {0};
            if (detached && !ph_computable(j, &j->sig->messages[m]))
                continue;
            if (detached) {
                PH_TRY(ph_eval_template(run, &j->sig->messages[m], &payload));
                if (run->in->explain)
                    PH_TRY(ph_explain_message(run, &j->sig->messages[m]));
            }
            PH_TRY(ph_jws_judge(run, j->sig, j->text, keys[k].text, detached ? &payload : NULL,
                                &last));
            if (last == PH_JWS_GOOD) {
                ph_use_secret(run, 0);
                return verified(j, keys[k].index);
            }
        }
    }
    ph_use_secret(run, 0);
    return no_jws(j, last, keys[count - 1].index == 0);
}

/* Whether any of the tests has something to look at. */
static enum ph_status any_there(struct ph_run *run, const struct ph_test *tests, size_t count,
                                bool *ret)
{
    *ret = false;
    for (size_t i = 0; i < count && !*ret; i++) {
        struct ph_slice text;
        PH_TRY(ph_eval_expr(run, &tests[i].of, &text));
        *ret = text.len > 0;
    }
    return PH_OK;
}

static enum ph_status judge_callout(struct ph_judge *j, const struct ph_callout **ret_callout)
{
    struct ph_run *run = j->run;
    if (j->sig->fetch == NULL || j->sig->fetch->accept_count == 0)
        return say(j->event, PH_UNSUPPORTED,
                   PH_S("the page does not say how the processor's API answers"));
    struct ph_slice verdict = ph_run_config(run, PH_S("verdict")), why;
    if (run->in->secret_count > 0)
        ph_use_secret(run, 1);
    bool has_secret = run->secret.len > 0;
    if (verdict.len == 0) {
        if (!has_secret)
            return say(j->event, PH_NO_SECRET,
                       PH_S("no secret is configured: nothing can be verified"));
        PH_TRY(ph_make_callout(run, j->sig->fetch, ret_callout));
        ph_use_secret(run, 0);
        if (ph_slice_present(run->ambiguous))
            *ret_callout = NULL;
        return *ret_callout != NULL
                   ? say(j->event, PH_UNREACHABLE,
                         PH_S("the processor's API must be asked whether this is its own"))
                   : say(j->event, PH_FORGED,
                         PH_S(
                             "host not allowed: the address to ask is not one of the processor's"));
    }
    ph_use_secret(run, 0);
    if (!has_secret)
        return say(j->event, PH_NO_SECRET,
                   PH_S("no secret is configured: nothing can be verified"));
    yyjson_val *kept = run->fetched;
    bool holds = false, told = false;
    run->fetched = ph_read_json(run, verdict, &why);
    if (run->fetched != NULL) {
        PH_TRY(ph_eval_tests(run, j->sig->fetch->accept, j->sig->fetch->accept_count, &holds));
        PH_TRY(any_there(run, j->sig->fetch->accept, j->sig->fetch->accept_count, &told));
    }
    run->fetched = kept;
    if (!holds && !told) /* V3: an answer that is none is no word against the sender */
        return say(j->event, PH_UNREACHABLE,
                   PH_S("the processor's API answered something else than a verdict"));
    return holds
               ? verified(j, 1)
               : say(j->event, PH_FORGED, PH_S("the processor's API says that it is not its own"));
}

/* The signed text of one message with one signature's captures, its pieces in `parts`. */
static enum ph_status signed_text(struct ph_judge *j, uint16_t m,
                                  struct ph_slice parts[PH_PARTS_USUAL], struct ph_message *ret)
{
    struct ph_run *run = j->run;
    const struct ph_signature *sig = j->sig;
    *ret = (struct ph_message){.parts = parts};
    if (sig->message_count == 0 || !ph_computable(j, &sig->messages[m]))
        return PH_OK;
    const struct ph_template *t = &sig->messages[m];
    bool there;
    ret->there = true;
    if (t->count > PH_PARTS_USUAL) {
        PH_TRY(ph_eval_template(run, t, &parts[0]));
        ret->count = 1;
    } else {
        PH_TRY(ph_eval_parts(run, t, parts, &there));
        ret->count = there ? t->count : 0; /* nothing of it is there: the text is empty */
    }
    return run->in->explain ? ph_explain_message(run, t) : PH_OK;
}

static bool same_captures(const struct ph_found_signature *a, const struct ph_found_signature *b,
                          size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (!ph_slice_eq(a->captures[i], b->captures[i]))
            return false;
    return true;
}

/* Every signature found, against one message and key. A text is built again only where captures
 * differ. */
static enum ph_status try_message(struct ph_judge *j, const struct ph_key_text *key, uint16_t m,
                                  const struct ph_found_signature *found, size_t count, bool *ret)
{
    struct ph_run *run = j->run;
    struct ph_slice parts[PH_PARTS_USUAL];
    struct ph_message message = {.parts = parts};
    bool is_key = j->sig->message_count == 0 && j->sig->kind == PH_SIG_TOKEN;
    *ret = false;
    for (size_t f = 0; f < count && !*ret; f++) {
        memcpy(run->captures, found[f].captures, j->sig->capture_count * sizeof(run->captures[0]));
        if (is_key) {
            parts[0] = key->text;
            message = (struct ph_message){.parts = parts, .count = 1, .there = true};
        } else if (f == 0 || !same_captures(&found[f], &found[f - 1], j->sig->capture_count)) {
            PH_TRY(signed_text(j, m, parts, &message));
        }
        if (ph_slice_present(run->ambiguous))
            return PH_OK;
        if (!message.there && j->sig->kind != PH_SIG_BASIC)
            return PH_OK;
        PH_TRY(ph_match_signature(j, &found[f], key->text, &message, ret));
    }
    return PH_OK;
}

static enum ph_status try_keys(struct ph_judge *j, struct ph_key_text *keys, size_t count,
                               bool *ret_entries)
{
    struct ph_run *run = j->run;
    struct ph_found_signature found[PH_SIGNATURES_MAX];
    uint16_t messages = j->sig->message_count > 0 ? j->sig->message_count : 1;
    *ret_entries = false;
    for (size_t k = 0; k < count; k++) {
        size_t found_count = 0;
        ph_use_secret(run, keys[k].index);
        if (count > 1 && run->in->explain)
            ph_trace(run, PH_S("trying key"), ph_decimal(run->arena, (int64_t)k + 1));
        ph_read_layout(run, j->sig, j->text, found, &found_count);
        *ret_entries = *ret_entries || found_count > 0;
        if (j->sig->first_only && found_count > 1)
            found_count = 1;
        for (uint16_t m = 0; m < messages; m++) {
            bool match = false;
            if (!ph_slice_present(run->ambiguous))
                PH_TRY(try_message(j, &keys[k], m, found, found_count, &match));
            if (ph_slice_present(run->ambiguous))
                return say(j->event, PH_FORGED, run->ambiguous);
            if (match)
                return verified(j, keys[k].index);
        }
    }
    return PH_OK;
}

/* A header that may come twice counts as one list. */
static enum ph_status join_repeated(struct ph_judge *j)
{
    const struct ph_expr *from = &j->sig->from;
    const struct ph_request *request = j->run->in->request;
    if (from->count == 0 || from->alternatives[0].count != 1 ||
        from->alternatives[0].pieces[0].source != PH_SRC_HEADER ||
        from->alternatives[0].pieces[0].filter_count > 0)
        return PH_OK;
    struct ph_slice all = {0};
    for (size_t i = 0; i < request->header_count; i++) {
        if (!ph_slice_eq_nocase(request->headers[i].name, from->alternatives[0].pieces[0].text))
            continue;
        struct ph_slice parts[] = {all, ph_slice_present(all) ? j->sig->list : PH_S(""),
                                   ph_slice_trim(request->headers[i].value)};
        all = ph_join(j->run, parts, PH_COUNTOF(parts));
        if (!ph_slice_present(all))
            return PH_ERR_NO_MEMORY;
    }
    if (ph_slice_present(all))
        j->text = all;
    return PH_OK;
}

static enum ph_status judge_scheme(struct ph_judge *j, const struct ph_callout **ret_callout)
{
    struct ph_run *run = j->run;
    const struct ph_signature *sig = j->sig;
    bool holds = true, entries;
    struct ph_slice why;
    PH_TRY(ph_eval_expr(run, &sig->from, &j->text));
    if (run->in->explain)
        ph_explain_scheme(j);
    if (ph_slice_present(run->ambiguous) && !sig->header_may_repeat)
        return say(j->event, PH_FORGED, run->ambiguous);
    if (sig->header_may_repeat) {
        run->ambiguous = (struct ph_slice){0};
        PH_TRY(join_repeated(j));
    }
    if (j->text.len == 0 && (sig->from.count > 0 || sig->kind != PH_SIG_CALLOUT))
        return say(j->event, PH_NO_SIGNATURE, PH_S("the request carries no signature"));
    if (sig->kind == PH_SIG_JWS)
        return judge_jws(j, ret_callout);
    PH_TRY(require_holds(j, &holds));
    if (!holds)
        return PH_OK;
    if (sig->kind == PH_SIG_CALLOUT)
        return judge_callout(j, ret_callout);
    struct ph_key_text keys[PH_KEYS_MAX];
    size_t count;
    PH_TRY(ph_gather_keys(j, keys, &count));
    if (count == 0)
        return no_key(j, ret_callout);
    if (sig->certificate_name_count == 0 && ph_is_fetched_certificate(run, keys, count))
        return say(j->event, PH_UNSUPPORTED, nobodys_certificate());
    enum ph_verdict certificate =
        sig->certificate_name_count > 0 ? ph_certificate_verdict(run, sig, &why) : PH_VERIFIED;
    if (certificate != PH_VERIFIED)
        return say(j->event, certificate, why);
    (void)say(j->event, PH_FORGED, mismatch());
    PH_TRY(try_keys(j, keys, count, &entries));
    if (!entries && !ph_slice_present(run->ambiguous))
        return say(j->event, PH_FORGED,
                   PH_S("the signature has none of the shapes this processor writes"));
    return PH_OK;
}

static enum ph_status judge(struct ph_judge *j, const struct ph_callout **ret_callout)
{
    struct ph_run *run = j->run;
    const struct ph_variant *v = run->variant;
    for (uint16_t i = 0; i < v->signature_count && j->sig == NULL; i++) {
        bool fits;
        PH_TRY(ph_eval_tests(run, v->signatures[i].when, v->signatures[i].when_count, &fits));
        if (fits)
            j->sig = &v->signatures[i];
    }
    if (ph_slice_present(run->ambiguous))
        return say(j->event, PH_FORGED, run->ambiguous);
    if (j->sig == NULL)
        return say(j->event, PH_UNSUPPORTED,
                   PH_S("this request is signed in no way this connector knows"));
    if (j->sig->kind == PH_SIG_NONE)
        return say(j->event, PH_UNSIGNED,
                   PH_S("this processor signs nothing: a hint, ask it before you act"));
    return judge_scheme(j, ret_callout);
}

enum ph_status ph_verify(struct ph_run *run, struct ph_event *event,
                         const struct ph_callout **ret_callout)
{
    struct ph_judge j = {.run = run, .event = event};
    run->ambiguous = (struct ph_slice){0};
    run->jws = run->claims = NULL;
    enum ph_status st = judge(&j, ret_callout);
    if (st != PH_OK || event->verdict != PH_VERIFIED)
        run->jws = run->claims = NULL; /* they are the signer's word, or nobody's */
    /* said in the verdict; content has questions of its own */
    run->ambiguous = (struct ph_slice){0};
    ph_use_secret(run, 0);
    memset(run->captures, 0, sizeof(run->captures));
    if (st == PH_OK && run->in->explain)
        ph_trace(run, PH_S("verdict"), event->verdict_reason);
    return st;
}
