/* Asking a configuration. */
#include "config/config.h"

const struct ph_config_endpoint *ph_config_endpoint_find(const struct ph_config *config,
                                                         struct ph_slice name)
{
    for (size_t i = 0; i < config->endpoints.count; i++)
        if (ph_slice_eq(config->endpoints.items[i].entry.name, name))
            return &config->endpoints.items[i];
    return NULL;
}

const struct ph_config_account *ph_config_account_find(const struct ph_config_endpoint *endpoint,
                                                       struct ph_slice name)
{
    for (size_t i = 0; i < endpoint->accounts.count; i++)
        if (ph_slice_eq(endpoint->accounts.items[i].entry.name, name))
            return &endpoint->accounts.items[i];
    return NULL;
}

static bool is_valid_at(const struct ph_config_secret *s, int64_t at_ms)
{
    return at_ms >= s->not_before_ms && (s->not_after_ms == 0 || at_ms < s->not_after_ms);
}

size_t ph_config_secrets_for(const struct ph_config_secret *secrets, size_t count,
                             const struct ph_config_reading *reading,
                             struct ph_secret_pair ret_pairs[PH_SECRETS_MAX],
                             size_t ret_which[PH_SECRETS_MAX])
{
    /* A clock that was set back brings no secret back that had ended at the receipt. */
    int64_t now_ms =
        reading->now_ms < reading->received_ms ? reading->received_ms : reading->now_ms;
    size_t valid = 0;
    for (size_t i = 0; i < count && valid < PH_SECRETS_MAX; i++) {
        const struct ph_config_secret *s = &secrets[i];
        bool named =
            reading->verified_by.len > 0 && ph_slice_eq(s->secret.from, reading->verified_by);
        if (!is_valid_at(s, reading->received_ms) && !is_valid_at(s, now_ms) && !named)
            continue;
        ret_pairs[valid] = (struct ph_secret_pair){s->secret.value, s->additional.value};
        ret_which[valid++] = i;
    }
    return valid;
}

static bool is_given(struct ph_slice name, const struct ph_config_value *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ph_slice_eq(values[i].name, name))
            return values[i].value.len > 0;
    return false;
}

static struct ph_slice template_lacks(const struct ph_template *t,
                                      const struct ph_config_value *values, size_t count)
{
    for (uint16_t i = 0; i < t->count; i++)
        if (t->pieces[i].source == PH_SRC_CONFIG && !is_given(t->pieces[i].text, values, count))
            return t->pieces[i].text;
    return (struct ph_slice){0};
}

struct ph_slice ph_config_fetch_lacks(const struct ph_fetch *fetch,
                                      const struct ph_config_value *values, size_t count)
{
    struct ph_slice lacks = template_lacks(&fetch->url, values, count);
    for (uint16_t i = 0; !ph_slice_present(lacks) && i < fetch->header_count; i++)
        lacks = template_lacks(&fetch->headers[i].value, values, count);
    return ph_slice_present(lacks) ? lacks : template_lacks(&fetch->body, values, count);
}

struct ph_slice ph_config_page_lacks(const struct ph_connector *page,
                                     const struct ph_config_value *values, size_t count)
{
    struct ph_slice first = {0};
    for (uint16_t v = 0; v < page->variant_count; v++) {
        const struct ph_fetch *fetch = page->variants[v].fetch;
        if (fetch == NULL)
            continue;
        struct ph_slice lacks = ph_config_fetch_lacks(fetch, values, count);
        if (!ph_slice_present(lacks))
            return lacks;
        first = ph_slice_present(first) ? first : lacks;
    }
    return first;
}
