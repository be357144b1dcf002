/* Asking a configuration. */
#include "config/config.h"

const struct ph_config_endpoint *ph_config_endpoint_find(const struct ph_config *config, struct ph_slice name)
{
    for (size_t i = 0; i < config->endpoints.count; i++)
        if (ph_slice_eq(config->endpoints.items[i].entry.name, name))
            return &config->endpoints.items[i];
    return NULL;
}

const struct ph_config_account *ph_config_account_find(const struct ph_config_endpoint *endpoint, struct ph_slice name)
{
    for (size_t i = 0; i < endpoint->accounts.count; i++)
        if (ph_slice_eq(endpoint->accounts.items[i].entry.name, name))
            return &endpoint->accounts.items[i];
    return NULL;
}

size_t ph_config_secrets_at(const struct ph_config_secret *secrets, size_t count, int64_t now_ms,
                            struct ph_secret_pair ret_pairs[PH_SECRETS_MAX], size_t ret_which[PH_SECRETS_MAX])
{
    size_t valid = 0;
    for (size_t i = 0; i < count && valid < PH_SECRETS_MAX; i++) {
        const struct ph_config_secret *s = &secrets[i];
        if (now_ms < s->not_before_ms || (s->not_after_ms > 0 && now_ms >= s->not_after_ms))
            continue;
        ret_pairs[valid] = (struct ph_secret_pair){s->secret.value, s->additional.value};
        ret_which[valid++] = i;
    }
    return valid;
}
