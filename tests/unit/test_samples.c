/* Every sample of every page compiled in: signed as the processor would sign it, it must verify, and it must
 * not under another secret or none. `payhook trigger` sends just these. */
#include "sample_fixture.h"

static bool make_signed(struct ph_worker *worker, const struct ph_connector *c, const struct ph_sample *sample,
                        struct signed_sample *ret)
{
    for (size_t i = 0; i < KEYS; i++)
        if (sign_with(worker, c, sample, &keys[i], ret))
            return true;
    return false;
}

static enum ph_verdict verdict_of(struct ph_worker *worker, const struct signed_sample *s, const struct ph_variant **ret_variant)
{
    struct ph_answer answer;
    assert_int_equal(ph_engine_run(worker, &s->in, PH_WANT_ALL, &answer), PH_OK);
    if (ret_variant != NULL)
        *ret_variant = answer.variant;
    if (answer.event_count == 0 || answer.error != PH_E_NONE)
        return PH_VERDICT_UNSPECIFIED;
    return answer.events[0].verdict;
}

/* Which verdict a sound sample earns: some processors sign nothing, some keep the key to themselves. */
static enum ph_verdict deserved(const struct ph_variant *variant)
{
    const struct ph_signature *last = &variant->signatures[variant->signature_count - 1];
    if (last->kind == PH_SIG_NONE)
        return PH_UNSIGNED;
    if (last->fetch != NULL && last->fetch->kind == PH_FETCH_CERTIFICATE)
        return PH_UNREACHABLE;
    return PH_VERIFIED;
}

static void name_failure(const struct ph_connector *c, const struct ph_sample *s, const char *what, int verdict)
{
    fail_msg("%.*s %.*s/%.*s: %s (verdict %d)", (int)c->name.len, c->name.ptr, (int)s->variant.len,
             s->variant.len > 0 ? s->variant.ptr : "", (int)s->event.len, s->event.ptr, what, verdict);
}

static void samples_sign_and_verify(void **state)
{
    (void)state;
    static struct signed_sample made;
    struct ph_worker *signer = ph_worker_new(&heap), *worker = ph_worker_new(&heap);
    size_t verified = 0;
    for (size_t n = 0; n < ph_connectors_builtin_count; n++) {
        const struct ph_connector *c = ph_connectors_builtin[n];
        for (uint16_t i = 0; i < c->sample_count; i++) {
            const struct ph_variant *variant = NULL;
            if (!make_signed(signer, c, &c->samples[i], &made))
                name_failure(c, &c->samples[i], "cannot be signed", 0);
            enum ph_verdict got = verdict_of(worker, &made, &variant);
            if (variant == NULL || got != deserved(variant))
                name_failure(c, &c->samples[i], "does not verify as it should", (int)got);
            verified += got == PH_VERIFIED;
        }
    }
    assert_true(verified > 100);
    ph_worker_free(signer);
    ph_worker_free(worker);
}

static void samples_do_not_verify_under_another_secret(void **state)
{
    (void)state;
    static struct signed_sample made;
    struct ph_worker *signer = ph_worker_new(&heap), *worker = ph_worker_new(&heap);
    for (size_t n = 0; n < ph_connectors_builtin_count; n++) {
        const struct ph_connector *c = ph_connectors_builtin[n];
        for (uint16_t i = 0; i < c->sample_count; i++) {
            if (!make_signed(signer, c, &c->samples[i], &made))
                name_failure(c, &c->samples[i], "cannot be signed", 0);
            made.secret = (struct ph_secret_pair){PH_S("ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
                                                  PH_S("additional")};
            if (verdict_of(worker, &made, NULL) == PH_VERIFIED)
                name_failure(c, &c->samples[i], "verifies under a secret that did not sign it", PH_VERIFIED);
            made.secret.secret = PH_S("");
            if (verdict_of(worker, &made, NULL) == PH_VERIFIED)
                name_failure(c, &c->samples[i], "verifies under an empty secret", PH_VERIFIED);
        }
    }
    ph_worker_free(signer);
    ph_worker_free(worker);
}

static int set_up(void **state)
{
    (void)state;
    make_keys();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_sign_and_verify),
        cmocka_unit_test(samples_do_not_verify_under_another_secret),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
