/* What becomes of a webhook by its verdicts (DESIGN §6), and what its sender hears. Pure.
 *
 * P1: only what is stored is answered with success, and only as the page says (G1, G4).
 * P2: what is not VERIFIED is never told as if it were: it is held, or told as a hint. */
#ifndef PH_GATEWAY_POLICY_H
#define PH_GATEWAY_POLICY_H

#include "inbox/inbox.h"

struct ph_judgement {
    enum ph_inbox_standing standing;
    bool match_only; /* all that is wrong with it is its age: a known key makes it a duplicate */
    enum ph_inbox_work work;
    enum ph_verdict verdict; /* of the request: the best of its events' by standing */
    struct ph_slice reason;  /* that event's, or the error of the whole body */
    bool alarm;              /* nobody but the operator can mend it: no secret */
};
struct ph_judgement ph_policy_judge(const struct ph_answer *answer);
/* Whether an event is told to nobody for now: it proves nothing, or is to be completed. */
bool ph_policy_holds(const struct ph_answer *answer, size_t index);

enum ph_reply_kind {
    PH_REPLY_GOOD,   /* the page's ack */
    PH_REPLY_REFUSE, /* the page's refusal */
    PH_REPLY_BUSY,   /* 503, Retry-After: it was not stored, or there is no room for it (G4, G8) */
};
/* After the store has ended. */
enum ph_reply_kind ph_policy_reply(const struct ph_inbox_store *store);

#endif
