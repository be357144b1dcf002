/* Who sent this Stripe webhook, and what happened?
 *
 * cc verify_stripe.c $(pkg-config --cflags --libs payhook) -o verify_stripe
 * STRIPE_WHSEC=whsec_… ./verify_stripe "$STRIPE_SIGNATURE" <body.json */
#include <payhook.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
    static char body[1024 * 1024];
    const char *secret = getenv("STRIPE_WHSEC");
    size_t len = fread(body, 1, sizeof(body), stdin);
    if (argc != 2 || secret == NULL) {
        fprintf(stderr, "usage: STRIPE_WHSEC=whsec_… verify_stripe STRIPE_SIGNATURE <BODY\n");
        return 2;
    }
    struct ph_hook *hook = ph_hook_new(malloc, free);
    int status = hook != NULL ? ph_hook_begin(hook, "stripe") : PH_HOOK_NO_MEMORY;
    if (status == PH_HOOK_OK)
        status = ph_hook_header(hook, "Stripe-Signature", argv[1]);
    if (status == PH_HOOK_OK)
        status = ph_hook_body(hook, body, len);
    if (status == PH_HOOK_OK)
        status = ph_hook_secret(hook, secret, NULL);
    if (status == PH_HOOK_OK)
        status = ph_hook_received_at(hook, (int64_t)time(NULL) * 1000);
    if (status == PH_HOOK_OK)
        status = ph_hook_run(hook, PH_HOOK_HANDLE);
    if (status != PH_HOOK_OK || ph_hook_error(hook) != NULL) {
        const char *why =
            status != PH_HOOK_OK ? ph_hook_status_text(status) : ph_hook_error_message(hook);
        fprintf(stderr, "not a webhook that can be read: %s\n", why);
    } else if (ph_hook_verdict(hook, 0) != PH_HOOK_VERIFIED) {
        fprintf(stderr, "do not act on it: %s\n", ph_hook_text(hook, 0, "verdict_reason"));
    } else {
        int64_t minor = 0;
        const char *currency = "", *type = ph_hook_text(hook, 0, "event_type");
        (void)ph_hook_money(hook, 0, "amount", &minor, &currency);
        printf("%s %lld %s, once per %s\n", type != NULL ? type : "(an event we do not know)",
               (long long)minor, currency, ph_hook_text(hook, 0, "dedupe_key"));
    }
    int verified = status == PH_HOOK_OK && ph_hook_verdict(hook, 0) == PH_HOOK_VERIFIED;
    ph_hook_free(hook);
    return verified ? 0 : 1;
}
