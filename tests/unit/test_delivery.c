/* How deliveries are decided: the state machine, the breaker, the pace, the selection. All pure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those above */

#include "delivery/breaker.h"
#include "delivery/decide.h"
#include "delivery/selection.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR, NOW = 10 * DAY };

static const int64_t ladder[] = {5 * SECOND, MINUTE, HOUR};
static const struct ph_retry retry = {.after_ms = ladder,
                                      .after_count = PH_COUNTOF(ladder),
                                      .every_ms = 12 * HOUR,
                                      .for_ms = 3 * DAY,
                                      .park_ms = 30 * MINUTE};

static struct ph_delivery made(enum ph_delivery_state state, bool leased, int64_t age_ms)
{
    return (struct ph_delivery){
        .state = state, .leased = leased, .made_ms = NOW - age_ms, .due_ms = NOW - 1};
}

static struct ph_move step(struct ph_delivery from, enum ph_signal_kind kind,
                           int64_t retry_after_ms, uint64_t random)
{
    return ph_delivery_step(&retry, &from,
                            (struct ph_signal){.kind = kind, .retry_after_ms = retry_after_ms}, NOW,
                            random);
}

/* ---- the state machine ----------------------------------------------------------------------- */

#define Q       PH_DELIVERY_QUEUED
#define W       PH_DELIVERY_WAITING
#define P       PH_DELIVERY_PARKED
#define DONE    PH_DELIVERY_DONE
#define DEAD    PH_DELIVERY_DEAD
#define DROPPED PH_DELIVERY_DROPPED

static const struct {
    enum ph_delivery_state from;
    bool leased;
    enum ph_signal_kind signal;
    int64_t age_ms;
    enum ph_delivery_state to;
    bool leased_then;
    int32_t tries;
    enum ph_delivery_action action;
} table[] = {
    {Q, false, PH_SIGNAL_TAKEN, 0, Q, true, 0, PH_ACTION_SEND},
    {W, false, PH_SIGNAL_TAKEN, 0, W, true, 0, PH_ACTION_SEND},
    {P, false, PH_SIGNAL_TAKEN, 0, P, true, 0, PH_ACTION_SEND},
    {Q, true, PH_SIGNAL_RETURNED, 0, Q, false, 0, PH_ACTION_RELEASE},
    {W, true, PH_SIGNAL_RETURNED, 0, W, false, 0, PH_ACTION_RELEASE},
    {P, true, PH_SIGNAL_RETURNED, 0, P, false, 0, PH_ACTION_RELEASE},
    {Q, true, PH_SIGNAL_ACCEPTED, 0, DONE, false, 0, PH_ACTION_SETTLE},
    {W, true, PH_SIGNAL_ACCEPTED, 0, DONE, false, 0, PH_ACTION_SETTLE},
    {P, true, PH_SIGNAL_ACCEPTED, 0, DONE, false, 0, PH_ACTION_SETTLE},
    {Q, true, PH_SIGNAL_ACCEPTED, 9 * DAY, DONE, false, 0, PH_ACTION_SETTLE},
    {Q, true, PH_SIGNAL_FAILED, 0, W, false, 1, PH_ACTION_SETTLE},
    {W, true, PH_SIGNAL_FAILED, 0, W, false, 1, PH_ACTION_SETTLE},
    {P, true, PH_SIGNAL_FAILED, 0, W, false, 1, PH_ACTION_SETTLE},
    {Q, true, PH_SIGNAL_FAILED, 3 * DAY, DEAD, false, 1, PH_ACTION_SETTLE},
    {W, true, PH_SIGNAL_FAILED, 3 * DAY, DEAD, false, 1, PH_ACTION_SETTLE},
    {P, true, PH_SIGNAL_FAILED, 3 * DAY, DEAD, false, 1, PH_ACTION_SETTLE},
    {W, true, PH_SIGNAL_FAILED, 3 * DAY - 1, W, false, 1, PH_ACTION_SETTLE},
    {Q, true, PH_SIGNAL_NOT_YET, 0, P, false, 0, PH_ACTION_SETTLE},
    {W, true, PH_SIGNAL_NOT_YET, 0, P, false, 0, PH_ACTION_SETTLE},
    {P, true, PH_SIGNAL_NOT_YET, 0, P, false, 0, PH_ACTION_SETTLE},
    {P, true, PH_SIGNAL_NOT_YET, 30 * MINUTE - 1, P, false, 0, PH_ACTION_SETTLE},
    {P, true, PH_SIGNAL_NOT_YET, 30 * MINUTE, W, false, 1, PH_ACTION_SETTLE},
    {P, true, PH_SIGNAL_NOT_YET, 3 * DAY, DEAD, false, 1, PH_ACTION_SETTLE},
};

static void each_state_and_signal_leads_where_the_drawing_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(table); i++) {
        struct ph_move s =
            step(made(table[i].from, table[i].leased, table[i].age_ms), table[i].signal, 0, 77);
        if (s.to.state != table[i].to || s.to.leased != table[i].leased_then ||
            s.to.tries != table[i].tries || s.action != table[i].action)
            fail_msg("row %zu: state %d, leased %d, tries %d, action %d", i, (int)s.to.state,
                     s.to.leased, s.to.tries, (int)s.action);
    }
}

static bool is_in_table(enum ph_delivery_state from, bool leased, enum ph_signal_kind signal)
{
    for (size_t i = 0; i < PH_COUNTOF(table); i++)
        if (table[i].from == from && table[i].leased == leased && table[i].signal == signal)
            return true;
    return false;
}

static void what_cannot_happen_changes_nothing(void **state)
{
    size_t seen = 0;
    (void)state;
    for (int s = Q; s <= DROPPED; s++)
        for (int leased = 0; leased < 2; leased++)
            for (int k = PH_SIGNAL_TAKEN; k <= PH_SIGNAL_NOT_YET; k++) {
                struct ph_delivery from = made((enum ph_delivery_state)s, leased, 0);
                if (is_in_table(from.state, leased, (enum ph_signal_kind)k))
                    continue;
                struct ph_move got = step(from, (enum ph_signal_kind)k, 0, 5);
                assert_int_equal(got.action, PH_ACTION_NONE);
                assert_memory_equal(&got.to, &from, sizeof from);
                seen++;
            }
    assert_int_equal(seen, 6 * 2 * 5 - 3 * 5); /* all others are in the table */
}

static void nothing_is_taken_before_it_is_due(void **state)
{
    struct ph_delivery later = made(W, false, 0);
    (void)state;
    later.due_ms = NOW + 1;
    assert_int_equal(step(later, PH_SIGNAL_TAKEN, 0, 0).action, PH_ACTION_NONE);
    later.due_ms = NOW;
    assert_int_equal(step(later, PH_SIGNAL_TAKEN, 0, 0).action, PH_ACTION_SEND);
}

static int64_t wait_after(int32_t tries, int64_t retry_after_ms, uint64_t random)
{
    struct ph_delivery from = made(W, true, 0);
    from.tries = tries;
    return step(from, PH_SIGNAL_FAILED, retry_after_ms, random).to.due_ms - NOW;
}

static void a_wait_is_drawn_from_the_whole_of_its_step(void **state)
{
    static const int64_t most[] = {5 * SECOND, MINUTE, HOUR, 12 * HOUR, 12 * HOUR};
    (void)state;
    for (int32_t tries = 0; tries < (int32_t)PH_COUNTOF(most); tries++) {
        assert_int_equal(wait_after(tries, 0, 0), 1);
        assert_int_equal(wait_after(tries, 0, (uint64_t)most[tries] - 1), most[tries]);
        assert_int_equal(wait_after(tries, 0, (uint64_t)most[tries]), 1);
    }
}

static void retry_after_is_obeyed_up_to_a_day(void **state)
{
    (void)state;
    assert_int_equal(wait_after(0, 20 * SECOND, 0), 20 * SECOND);
    assert_int_equal(wait_after(0, SECOND, 4999), 5 * SECOND); /* a least wait, no most */
    assert_int_equal(wait_after(0, 400LL * DAY, 0), DAY);
    assert_int_equal(wait_after(0, INT64_MAX, 0), DAY);
    assert_int_equal(wait_after(0, -5, 0), 1);
}

static void the_last_attempt_is_at_the_end_and_not_before(void **state)
{
    struct ph_delivery from = made(W, true, 3 * DAY - 10);
    (void)state;
    from.tries = 9;
    struct ph_move s = step(from, PH_SIGNAL_FAILED, 0, (uint64_t)(11 * HOUR));
    assert_int_equal(s.to.state, W);
    assert_int_equal(s.to.due_ms, NOW + 10);
}

static void what_the_application_asks_for_does_not_outlast_the_retries(void **state)
{
    static const struct {
        enum ph_signal_kind signal;
        int64_t for_ms, park_ms, age_ms, retry_after_ms, wait_ms;
    } rows[] = {
        {PH_SIGNAL_FAILED, 8 * SECOND, 0, 0, 400LL * DAY, 8 * SECOND},
        {PH_SIGNAL_FAILED, 8 * SECOND, 0, 0, INT64_MAX, 8 * SECOND},
        {PH_SIGNAL_FAILED, 8 * SECOND, 0, 7 * SECOND, DAY, SECOND},
        {PH_SIGNAL_FAILED, 8 * SECOND, 0, 8 * SECOND - 1, DAY, 1},
        {PH_SIGNAL_FAILED, 8 * SECOND, 0, 0, 3 * SECOND, 3 * SECOND},
        {PH_SIGNAL_FAILED, 3 * DAY, 0, 0, 400LL * DAY, DAY},
        {PH_SIGNAL_NOT_YET, 8 * SECOND, 30 * MINUTE, 0, DAY, 8 * SECOND},
        {PH_SIGNAL_NOT_YET, 8 * SECOND, 30 * MINUTE, MINUTE, DAY, 29 * MINUTE},
        {PH_SIGNAL_NOT_YET, 3 * DAY, 30 * MINUTE, 0, HOUR, HOUR},
        {PH_SIGNAL_NOT_YET, 3 * DAY, 30 * MINUTE, 0, INT64_MAX, DAY},
    };
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(rows); i++) {
        struct ph_retry r = {
            .every_ms = HOUR, .for_ms = rows[i].for_ms, .park_ms = rows[i].park_ms};
        struct ph_delivery from = made(W, true, rows[i].age_ms);
        struct ph_signal signal = {.kind = rows[i].signal,
                                   .retry_after_ms = rows[i].retry_after_ms};
        struct ph_move move = ph_delivery_step(&r, &from, signal, NOW, 0);
        if (move.to.due_ms - NOW != rows[i].wait_ms || move.to.state == DEAD)
            fail_msg("row %zu: waits %lld, state %d", i, (long long)(move.to.due_ms - NOW),
                     (int)move.to.state);
    }
}

static void without_every_the_ladder_ends_it(void **state)
{
    struct ph_retry short_one = {.after_ms = ladder, .after_count = 2, .for_ms = 3 * DAY};
    struct ph_delivery from = made(W, true, 0);
    struct ph_signal failed = {.kind = PH_SIGNAL_FAILED};
    (void)state;
    from.tries = 1;
    assert_int_equal(ph_delivery_step(&short_one, &from, failed, NOW, 0).to.state, W);
    from.tries = 2;
    assert_int_equal(ph_delivery_step(&short_one, &from, failed, NOW, 0).to.state, DEAD);
}

static void a_parked_delivery_comes_back_soon_and_later_less_often(void **state)
{
    (void)state;
    int64_t young = step(made(P, true, 0), PH_SIGNAL_NOT_YET, 0, 499).to.due_ms - NOW;
    int64_t older = step(made(P, true, 20 * SECOND), PH_SIGNAL_NOT_YET, 0, 0).to.due_ms - NOW;
    int64_t oldest = step(made(P, true, 29 * MINUTE), PH_SIGNAL_NOT_YET, 0, 29999).to.due_ms - NOW;
    assert_int_equal(young, SECOND);
    assert_int_equal(older, 10 * SECOND + 1);
    assert_int_equal(oldest, MINUTE);
    assert_int_equal(step(made(P, true, 0), PH_SIGNAL_NOT_YET, 9 * SECOND, 0).to.due_ms - NOW,
                     9 * SECOND);
}

/* ---- the breaker ----------------------------------------------------------------------------- */

static void fail_times(struct ph_breaker *b, int count, int64_t now_ms)
{
    for (int i = 0; i < count; i++) {
        uint32_t epoch;
        assert_true(ph_breaker_admit(b, now_ms, &epoch));
        ph_breaker_ended(b, epoch, PH_BREAKER_BAD, 0, now_ms, 0);
    }
}

static void failures_in_a_row_open_the_breaker(void **state)
{
    struct ph_breaker b = {0};
    uint32_t epoch;
    (void)state;
    fail_times(&b, PH_BREAKER_FAILURES - 1, 0);
    assert_true(ph_breaker_admit(&b, 0, &epoch));
    ph_breaker_ended(&b, epoch, PH_BREAKER_GOOD, 0, 0,
                     0); /* one that went well starts the count anew */
    fail_times(&b, PH_BREAKER_FAILURES - 1, 0);
    assert_int_equal(b.state, PH_BREAKER_CLOSED);
    fail_times(&b, 1, 0);
    assert_int_equal(b.state, PH_BREAKER_OPEN);
    assert_false(ph_breaker_admit(&b, PH_BREAKER_OPEN_MS - 1, &epoch));
    assert_int_equal(ph_breaker_free_ms(&b), PH_BREAKER_OPEN_MS);
}

static void probes_close_it_and_one_that_fails_opens_it_for_longer(void **state)
{
    struct ph_breaker b = {0};
    uint32_t first, second, third;
    (void)state;
    fail_times(&b, PH_BREAKER_FAILURES, 0);
    assert_true(ph_breaker_admit(&b, 1000, &first));
    assert_true(ph_breaker_admit(&b, 1000, &second));
    assert_false(ph_breaker_admit(&b, 1000, &third)); /* B2 */
    assert_int_equal(ph_breaker_free_ms(&b), INT64_MAX);
    ph_breaker_ended(&b, first, PH_BREAKER_GOOD, 0, 1000, 0);
    ph_breaker_ended(&b, second, PH_BREAKER_BAD, 0, 1000, 0);
    assert_int_equal(b.state, PH_BREAKER_OPEN);
    assert_int_equal(ph_breaker_free_ms(&b), 1000 + 2 * PH_BREAKER_OPEN_MS);
    for (int i = 0; i < PH_BREAKER_PROBES; i++) {
        assert_true(ph_breaker_admit(&b, 3000, &first));
        ph_breaker_ended(&b, first, PH_BREAKER_GOOD, 0, 3000, 0);
    }
    assert_int_equal(b.state, PH_BREAKER_CLOSED);
    fail_times(&b, PH_BREAKER_FAILURES, 3000);
    assert_int_equal(ph_breaker_free_ms(&b), 3000 + PH_BREAKER_OPEN_MS); /* and it is forgiven */
}

static void attempts_of_another_epoch_say_nothing(void **state)
{
    struct ph_breaker b = {0};
    uint32_t old, probe;
    (void)state;
    assert_true(ph_breaker_admit(&b, 0, &old));
    fail_times(&b, PH_BREAKER_FAILURES, 0);
    ph_breaker_ended(&b, old, PH_BREAKER_GOOD, 0, 0, 0);
    assert_int_equal(b.state, PH_BREAKER_OPEN);
    assert_true(ph_breaker_admit(&b, 1000, &probe));
    ph_breaker_ended(&b, old, PH_BREAKER_BAD, 0, 1000, 0);
    assert_int_equal(b.state, PH_BREAKER_HALF_OPEN);
    assert_int_equal(b.probes, 1);
    ph_breaker_ended(&b, probe, PH_BREAKER_VOID, 0, 1000,
                     0); /* a probe that says nothing may be made again */
    assert_int_equal(b.probes, 0);
    assert_int_equal(ph_breaker_free_ms(&b), 0);
}

static void it_stays_open_a_minute_at_most(void **state)
{
    struct ph_breaker b = {0};
    int64_t now = 0;
    (void)state;
    fail_times(&b, PH_BREAKER_FAILURES, now);
    for (int i = 0; i < 100; i++) {
        now = ph_breaker_free_ms(&b);
        fail_times(&b, 1, now);
        assert_true(ph_breaker_free_ms(&b) - now <= PH_BREAKER_OPEN_MAX_MS);
    }
    assert_int_equal(ph_breaker_free_ms(&b) - now, PH_BREAKER_OPEN_MAX_MS);
}

static void a_destination_that_asks_for_a_pause_gets_one(void **state)
{
    struct ph_breaker b = {0};
    uint32_t epoch;
    (void)state;
    assert_true(ph_breaker_admit(&b, 0, &epoch));
    ph_breaker_ended(&b, epoch, PH_BREAKER_BAD, 7000, 0, 0);
    assert_int_equal(ph_breaker_free_ms(&b), 7000);
    b = (struct ph_breaker){0};
    assert_true(ph_breaker_admit(&b, 0, &epoch));
    ph_breaker_ended(&b, epoch, PH_BREAKER_BAD, INT64_MAX, 0, 0);
    assert_int_equal(ph_breaker_free_ms(&b), PH_BREAKER_OPEN_MAX_MS);
}

static void more_go_at_once_as_they_are_answered_and_half_when_not(void **state)
{
    struct ph_width width = {0};
    (void)state;
    assert_int_equal(ph_width_now(&width, 16), 1);
    ph_width_ended(&width, PH_BREAKER_BAD, 16);
    ph_width_ended(&width, PH_BREAKER_VOID, 16);
    assert_int_equal(ph_width_now(&width, 16), 1);
    for (int i = 2; i <= 20; i++) {
        ph_width_ended(&width, PH_BREAKER_GOOD, 16);
        assert_int_equal(ph_width_now(&width, 16), i < 16 ? i : 16);
    }
    for (int most = 8; most >= 1; most /= 2) {
        ph_width_ended(&width, PH_BREAKER_BAD, 16);
        assert_int_equal(ph_width_now(&width, 16), most);
    }
    ph_width_ended(&width, PH_BREAKER_GOOD, 1); /* one at a time was asked for */
    assert_int_equal(ph_width_now(&width, 1), 1);
    width.more = 15;
    assert_int_equal(ph_width_now(&width, 4), 4); /* and fewer than there were */
}

static void the_pace_is_kept_and_catches_up_little(void **state)
{
    struct ph_pace pace = {.rate = 100};
    int count = 0;
    (void)state;
    for (int64_t us = 3600 * INT64_C(1000000); us < 3610 * INT64_C(1000000); us += 500)
        count += ph_pace_take(&pace, us);
    assert_in_range(count, 1000, 1011);
    pace = (struct ph_pace){.rate = 0};
    for (int i = 0; i < 1000; i++)
        assert_true(ph_pace_take(&pace, 0));
}

/* ---- the selection --------------------------------------------------------------------------- */

static const struct ph_inbox_event refund = {
    .verdict = PH_VERIFIED,
    .type = PH_SI("CHARGE_REFUNDED"),
    .class = PH_SI("refund"),
    .mode = PH_LIVE,
    .amount = 1000,
    .currency = PH_SI("EUR"),
    .effect_key = PH_SI("refund:1"),
    .answer = PH_SI("{\"event_type\":\"WEBHOOK_REFUND_SUCCESS\",\"source_verified\":true}"),
};

static bool picks(struct ph_selection s, const struct ph_inbox_event *event,
                  enum ph_mode endpoint_mode)
{
    uint64_t once;
    if (s.verdicts == 0)
        s.verdicts = PH_SELECT_VERIFIED | PH_SELECT_UNSIGNED | PH_SELECT_UNSUPPORTED;
    return ph_selection_pick(&s, 1, event, PH_S("stripe"), endpoint_mode, &once) == 1;
}

static bool picks_word(struct ph_slice word, const struct ph_inbox_event *event)
{
    return picks((struct ph_selection){.events = &word, .event_count = 1}, event,
                 PH_MODE_UNSPECIFIED);
}

static void an_event_is_wanted_by_any_of_its_names(void **state)
{
    struct ph_inbox_event won = refund;
    (void)state;
    assert_true(picks((struct ph_selection){0}, &refund, PH_MODE_UNSPECIFIED));
    assert_true(picks_word(PH_S("CHARGE_REFUNDED"), &refund));
    assert_true(picks_word(PH_S("WEBHOOK_REFUND_SUCCESS"), &refund));
    assert_true(picks_word(PH_S("webhook_refund_success"), &refund));
    assert_true(picks_word(PH_S("Refund"), &refund));
    assert_false(picks_word(PH_S("payment"), &refund));
    assert_false(picks_word(PH_S("WEBHOOK_REFUND_FAILURE"), &refund));
    won.type = PH_S("DISPUTE_CLOSED");
    won.class = PH_S("dispute");
    won.answer = PH_S("{\"event_type\":\"WEBHOOK_DISPUTE_WON\"}");
    assert_true(picks_word(PH_S("DISPUTE_CLOSED"), &won));
    assert_true(picks_word(PH_S("WEBHOOK_DISPUTE_WON"), &won));
    assert_false(picks_word(PH_S("WEBHOOK_DISPUTE_LOST"), &won));
    assert_false(picks_word(
        PH_S(""),
        &(struct ph_inbox_event){.verdict = PH_UNSIGNED, .class = PH_S(""), .type = PH_S("x")}));
}

static void a_word_of_the_schema_also_names_an_event_told_by_it(void **state)
{
    struct ph_inbox_event plain = refund;
    (void)state;
    plain.answer = PH_S("{}");
    assert_true(picks_word(PH_S("WEBHOOK_REFUND_SUCCESS"), &plain)); /* its type is the alias */
    plain.type = PH_S("WEBHOOK_REFUND_SUCCESS");
    assert_true(picks_word(PH_S("CHARGE_REFUNDED"), &plain));
}

static void what_proves_a_forger_is_told_to_nobody(void **state)
{
    (void)state;
    for (int v = 0; v <= PH_UNREACHABLE; v++) {
        struct ph_inbox_event event = refund;
        struct ph_selection all = {.verdicts = UINT32_MAX};
        bool told = v == PH_VERIFIED || v == PH_UNSIGNED || v == PH_UNSUPPORTED;
        event.verdict = (enum ph_verdict)v;
        assert_int_equal(picks(all, &event, PH_MODE_UNSPECIFIED), told);
    }
    struct ph_inbox_event hint = refund;
    hint.verdict = PH_UNSIGNED;
    assert_false(
        picks((struct ph_selection){.verdicts = PH_SELECT_VERIFIED}, &hint, PH_MODE_UNSPECIFIED));
}

static void the_other_mode_is_told_only_where_it_is_asked_for(void **state)
{
    struct ph_inbox_event test = refund, unsaid = refund;
    struct ph_selection asks = {.modes = PH_SELECT_TEST},
                        asks_unknown = {.modes = PH_SELECT_UNKNOWN};
    (void)state;
    test.mode = PH_TEST;
    unsaid.mode = PH_MODE_UNSPECIFIED;
    assert_true(picks((struct ph_selection){0}, &test, PH_MODE_UNSPECIFIED));
    assert_true(picks((struct ph_selection){0}, &test, PH_TEST));
    assert_false(picks((struct ph_selection){0}, &test, PH_LIVE));
    assert_true(picks(asks, &test, PH_LIVE));
    assert_false(picks(asks, &refund, PH_LIVE));
    assert_true(picks((struct ph_selection){0}, &unsaid, PH_LIVE));
    assert_false(picks(asks, &unsaid, PH_LIVE));
    assert_true(picks(asks_unknown, &unsaid, PH_LIVE));
}

static void connectors_and_amounts_are_filters(void **state)
{
    struct ph_slice adyen = PH_S("adyen"), stripe = PH_S("Stripe");
    struct ph_selection eur = {.currency = PH_S("eur"), .least = 1000, .most = 1000};
    struct ph_inbox_event none = refund;
    (void)state;
    assert_false(
        picks((struct ph_selection){.connectors = &adyen, .connector_count = 1}, &refund, PH_LIVE));
    assert_true(picks((struct ph_selection){.connectors = &stripe, .connector_count = 1}, &refund,
                      PH_LIVE));
    assert_true(picks(eur, &refund, PH_LIVE));
    eur.least = 1001, eur.most = 0;
    assert_false(picks(eur, &refund, PH_LIVE));
    eur.least = 0, eur.most = 999;
    assert_false(picks(eur, &refund, PH_LIVE));
    eur = (struct ph_selection){.currency = PH_S("USD")};
    assert_false(picks(eur, &refund, PH_LIVE));
    none.currency = (struct ph_slice){0};
    assert_false(picks((struct ph_selection){.currency = PH_S("EUR")}, &none, PH_LIVE));
}

static void each_destination_has_its_bit(void **state)
{
    struct ph_selection s[64] = {{0}};
    struct ph_inbox_event without = refund;
    uint64_t once;
    (void)state;
    for (size_t i = 0; i < 64; i++)
        s[i] = (struct ph_selection){
            .verdicts = PH_SELECT_VERIFIED, .off = i == 1, .once_per_effect = i == 63 || i == 1};
    assert_true(ph_selection_pick(s, 64, &refund, PH_S("stripe"), PH_LIVE, &once) ==
                (UINT64_MAX & ~UINT64_C(2)));
    assert_true(once == UINT64_C(1) << 63);
    without.effect_key = (struct ph_slice){0};
    assert_true(ph_selection_pick(s, 64, &without, PH_S("stripe"), PH_LIVE, &once) ==
                (UINT64_MAX & ~UINT64_C(2)));
    assert_true(once == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_state_and_signal_leads_where_the_drawing_says),
        cmocka_unit_test(what_cannot_happen_changes_nothing),
        cmocka_unit_test(nothing_is_taken_before_it_is_due),
        cmocka_unit_test(a_wait_is_drawn_from_the_whole_of_its_step),
        cmocka_unit_test(retry_after_is_obeyed_up_to_a_day),
        cmocka_unit_test(the_last_attempt_is_at_the_end_and_not_before),
        cmocka_unit_test(what_the_application_asks_for_does_not_outlast_the_retries),
        cmocka_unit_test(without_every_the_ladder_ends_it),
        cmocka_unit_test(a_parked_delivery_comes_back_soon_and_later_less_often),
        cmocka_unit_test(failures_in_a_row_open_the_breaker),
        cmocka_unit_test(probes_close_it_and_one_that_fails_opens_it_for_longer),
        cmocka_unit_test(attempts_of_another_epoch_say_nothing),
        cmocka_unit_test(it_stays_open_a_minute_at_most),
        cmocka_unit_test(a_destination_that_asks_for_a_pause_gets_one),
        cmocka_unit_test(more_go_at_once_as_they_are_answered_and_half_when_not),
        cmocka_unit_test(the_pace_is_kept_and_catches_up_little),
        cmocka_unit_test(an_event_is_wanted_by_any_of_its_names),
        cmocka_unit_test(a_word_of_the_schema_also_names_an_event_told_by_it),
        cmocka_unit_test(what_proves_a_forger_is_told_to_nobody),
        cmocka_unit_test(the_other_mode_is_told_only_where_it_is_asked_for),
        cmocka_unit_test(connectors_and_amounts_are_filters),
        cmocka_unit_test(each_destination_has_its_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
