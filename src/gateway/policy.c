#include "gateway/policy.h"

/* The better a request stands for one event of it, the better it stands: a batch is kept for its
 * good items. */
static enum ph_inbox_standing standing_of(enum ph_verdict verdict)
{
    switch (verdict) {
    case PH_VERIFIED:
        return PH_STANDING_ACCEPTED;
    case PH_UNREACHABLE:
        return PH_STANDING_PENDING;
    case PH_UNSIGNED:
    case PH_UNSUPPORTED:
        return PH_STANDING_HINT;
    case PH_VERDICT_UNSPECIFIED:
    case PH_FORGED:
    case PH_STALE:
    case PH_NO_SIGNATURE:
    case PH_NO_SECRET:
        break;
    }
    return PH_STANDING_QUARANTINED;
}

static int rank(enum ph_inbox_standing standing)
{
    return standing == PH_STANDING_ACCEPTED  ? 3
           : standing == PH_STANDING_PENDING ? 2
           : standing == PH_STANDING_HINT    ? 1
                                             : 0;
}

static bool is_fetchable(const struct ph_answer *answer)
{
    return answer->callout != NULL && answer->callout->kind == PH_FETCH_EVENT;
}

struct ph_judgement ph_policy_judge(const struct ph_answer *answer)
{
    struct ph_judgement j = {.standing = PH_STANDING_QUARANTINED,
                             .match_only = answer->event_count > 0};
    if (answer->event_count == 0)
        j.reason = answer->error_message;
    for (size_t i = 0; i < answer->event_count; i++) {
        const struct ph_event *event = &answer->events[i];
        enum ph_inbox_standing standing = standing_of(event->verdict);
        j.match_only = j.match_only && event->verdict == PH_STALE;
        j.alarm = j.alarm || event->verdict == PH_NO_SECRET;
        if (i > 0 && rank(standing) <= rank(j.standing))
            continue;
        j.standing = standing;
        j.verdict = event->verdict;
        j.reason = event->verdict_reason;
    }
    if (j.standing == PH_STANDING_PENDING)
        j.work = PH_WORK_VERIFY;
    else if (is_fetchable(answer) && j.standing != PH_STANDING_QUARANTINED)
        j.work = PH_WORK_FETCH;
    return j;
}

bool ph_policy_holds(const struct ph_answer *answer, size_t index)
{
    const struct ph_event *event = &answer->events[index];
    enum ph_inbox_standing standing = standing_of(event->verdict);
    if (standing == PH_STANDING_QUARANTINED || standing == PH_STANDING_PENDING)
        return true;
    return ph_slice_present(event->incomplete) && is_fetchable(answer);
}

enum ph_reply_kind ph_policy_reply(const struct ph_inbox_store *store)
{
    if (store->op.status != PH_OK || store->stored == PH_STORED_FULL)
        return PH_REPLY_BUSY;
    if (store->request.standing != PH_STANDING_QUARANTINED || store->stored == PH_STORED_DUPLICATE)
        return PH_REPLY_GOOD;
    return PH_REPLY_REFUSE;
}
