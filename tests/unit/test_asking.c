/* What a call asks of the network, between the engine and the answer. (The rest:
 * tests/e2e/callouts.test.mjs.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/limits.h"
#include "server/asking.h"

static struct ph_service service;
static struct ph_asking asking;
static struct ph_event event;
static struct ph_answer answer;

/* A call run with a key set that had been in the cache for that long, and what the engine said. */
static bool runs_again(int64_t age_ms, enum ph_verdict verdict, enum ph_fetch_kind kind, bool fresh)
{
    static int something;
    service = (struct ph_service){.asking = &asking,
                                  .callouts = (struct ph_callouts *)(void *)&something};
    asking = (struct ph_asking){.count = 1, .kind = kind, .age_ms = age_ms, .fresh = fresh};
    event = (struct ph_event){.verdict = verdict};
    answer = (struct ph_answer){.events = &event, .event_count = 1};
    ph_asking_look(&service, &answer, 7);
    return service.again;
}

static void an_old_key_set_that_proves_nothing_is_fetched_again_once(void **state)
{
    (void)state;
    assert_true(runs_again(PH_JWKS_FRESH_MS + 1, PH_FORGED, PH_FETCH_JWKS, false));
    assert_false(runs_again(PH_JWKS_FRESH_MS + 1, PH_FORGED, PH_FETCH_JWKS, true));
    assert_false(runs_again(PH_JWKS_FRESH_MS, PH_FORGED, PH_FETCH_JWKS, false));
    assert_false(runs_again(PH_JWKS_FRESH_MS + 1, PH_VERIFIED, PH_FETCH_JWKS, false));
    assert_false(runs_again(PH_JWKS_FRESH_MS + 1, PH_FORGED, PH_FETCH_CERTIFICATE, false));
}

static void only_what_proves_is_asked_for_and_a_failure_is_the_end(void **state)
{
    (void)state;
    struct ph_callout callout = {.kind = PH_FETCH_JWKS};
    answer.callout = &callout;
    (void)runs_again(0, PH_UNREACHABLE, PH_FETCH_JWKS, false);
    answer.callout = &callout;
    ph_asking_look(&service, &answer, 7);
    assert_ptr_equal(service.wanted, &callout);
    callout.kind = PH_FETCH_EVENT; /* the caller's to complete */
    ph_asking_look(&service, &answer, 7);
    assert_null(service.wanted);
    callout.kind = PH_FETCH_VERDICT;
    asking.count = PH_CALLOUTS_PER_CALL_MAX;
    ph_asking_look(&service, &answer, 7);
    assert_null(service.wanted);
    asking.count = 0;
    asking.failed = true;
    ph_asking_look(&service, &answer, 7);
    assert_null(service.wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_key_set_that_proves_nothing_is_fetched_again_once),
        cmocka_unit_test(only_what_proves_is_asked_for_and_a_failure_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
