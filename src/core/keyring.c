/* The keys a scheme is tried with: of the endpoint's secrets in their order, or of the config
 * alone. */
#include "core/codec.h"
#include "core/verify.h"

/* Whether a message can be computed: nothing it names is missing, and a digest or token holds a
 * secret (V1). */
bool ph_computable(const struct ph_judge *j, const struct ph_template *message)
{
    bool bears = false;
    if (ph_lacks_secret(j->run, message, &bears))
        return false;
    return bears || (j->sig->kind != PH_SIG_DIGEST && j->sig->kind != PH_SIG_TOKEN);
}

bool ph_any_computable(const struct ph_judge *j)
{
    bool any = j->sig->message_count == 0;
    for (uint16_t i = 0; i < j->sig->message_count && !any; i++)
        any = ph_computable(j, &j->sig->messages[i]);
    return any;
}

/* Whether anything of the scheme comes from the endpoint's secrets: if not, the config alone has
 * the key. */
static bool depends_on_secret(const struct ph_judge *j)
{
    const struct ph_signature *sig = j->sig;
    bool in_message =
        sig->kind == PH_SIG_DIGEST || (sig->kind == PH_SIG_TOKEN && sig->message_count > 0);
    if ((sig->key.count == 0 && !in_message) ||
        ph_uses_secret(j->run, sig->messages, sig->message_count) ||
        ph_uses_secret(j->run, sig->key.alternatives, sig->key.count))
        return true;
    for (uint16_t i = 0; i < sig->layout_count; i++)
        for (uint16_t k = 0; k < sig->layouts[i].count; k++)
            if (sig->layouts[i].parts[k].kind == PH_LAYOUT_SECRET2)
                return true;
    return false;
}

/* A shape that names the additional secret means nothing without it. */
static bool layout_lacks(const struct ph_judge *j)
{
    for (uint16_t i = 0; i < j->sig->layout_count; i++)
        for (uint16_t k = 0; k < j->sig->layouts[i].count; k++)
            if (j->sig->layouts[i].parts[k].kind == PH_LAYOUT_SECRET2 && j->run->secret2.len == 0)
                return true;
    return false;
}

static enum ph_status add_key(struct ph_judge *j, int32_t index,
                              struct ph_key_text keys[PH_KEYS_MAX], size_t *count)
{
    struct ph_run *run = j->run;
    const struct ph_signature *sig = j->sig;
    struct ph_slice text = run->secret;
    if (!ph_any_computable(j) || layout_lacks(j))
        return PH_OK;
    if (sig->key.count > 0)
        PH_TRY(ph_eval_key(run, &sig->key, &text));
    else if (sig->message_count > 0 && (sig->kind == PH_SIG_DIGEST || sig->kind == PH_SIG_TOKEN))
        text = PH_S("in the message"); /* the key text only says that there is one */
    if (sig->kind == PH_SIG_HMAC && text.len > 0)
        PH_TRY(ph_mac_key(run, sig->secret_form, text, &text));
    if (text.len == 0 || *count == PH_KEYS_MAX)
        return PH_OK;
    keys[(*count)++] = (struct ph_key_text){text, index};
    if (run->in->explain)
        ph_explain_key(j, index, text);
    return PH_OK;
}

void ph_use_secret(struct ph_run *run, int32_t index)
{
    run->secret = run->secret2 = (struct ph_slice){0};
    if (index > 0) {
        run->secret = run->in->secrets[index - 1].secret;
        run->secret2 = run->in->secrets[index - 1].additional;
    }
}

enum ph_status ph_gather_keys(struct ph_judge *j, struct ph_key_text keys[PH_KEYS_MAX],
                              size_t *ret_count)
{
    struct ph_run *run = j->run;
    *ret_count = 0;
    bool depends = depends_on_secret(j);
    for (size_t i = 0; depends && i < run->in->secret_count && i < PH_SECRETS_MAX; i++) {
        ph_use_secret(run, (int32_t)i + 1);
        if (ph_slice_trim(run->secret).len == 0)
            continue; /* V1; blanks alone are a slip, too */
        PH_TRY(add_key(j, (int32_t)i + 1, keys, ret_count));
    }
    ph_use_secret(run, 0);
    if (*ret_count == 0)
        PH_TRY(add_key(j, 0, keys, ret_count));
    return PH_OK;
}

/* V5: whether a key is of a certificate that was fetched. Whoever sends may choose whose, so it
 * proves something only where the page says the name it must bear, and a JWS names none. */
bool ph_is_fetched_certificate(const struct ph_run *run, const struct ph_key_text *keys,
                               size_t count)
{
    struct ph_slice fetched = ph_slice_trim(ph_run_config(run, PH_S("fetched_certificate_pem")));
    bool any = false;
    for (size_t i = 0; i < count && fetched.len > 0; i++)
        any = any || ph_slice_eq(ph_slice_trim(keys[i].text), fetched);
    return any;
}
