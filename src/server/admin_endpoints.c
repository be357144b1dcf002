/* GET endpoints: their secrets, and whether a rotation is done. What was used when is kept by the
 * inbox, for good. */
#include "base/limits.h"
#include "server/admin_call.h"

struct whose {
    struct ph_slice endpoint, account; /* account: absent: the endpoint's own */
};

static enum ph_status add_use(struct ph_admin_call *call, yyjson_mut_doc *doc,
                              yyjson_mut_val *secret, struct whose whose, struct ph_slice name)
{
    struct ph_inbox_use use;
    enum ph_status st =
        ph_inbox_use_get(call->room->reader, whose.endpoint, whose.account, name, &use);
    if (st != PH_OK)
        return st == PH_ERR_NOT_FOUND ? PH_OK : st;
    yyjson_mut_obj_add_sint(doc, secret, "used", use.used);
    ph_admin_time(call, doc, secret, "first_used_at", use.first_ms);
    ph_admin_time(call, doc, secret, "last_used_at", use.last_ms);
    ph_admin_time(call, doc, secret, "alone_since", use.alone_ms);
    return PH_OK;
}

static enum ph_status add_secrets(struct ph_admin_call *call, yyjson_mut_doc *doc,
                                  yyjson_mut_val *list, const struct ph_config_secret *secrets,
                                  size_t count, struct whose whose)
{
    for (size_t i = 0; i < count; i++) {
        const struct ph_config_secret *secret = &secrets[i];
        yyjson_mut_val *s = yyjson_mut_arr_add_obj(doc, list);
        bool valid = call->now_ms >= secret->not_before_ms &&
                     (secret->not_after_ms == 0 || call->now_ms < secret->not_after_ms);
        ph_admin_text(call, doc, s, "secret", secret->secret.from);
        ph_admin_text(call, doc, s, "account", whose.account);
        yyjson_mut_obj_add_bool(doc, s, "valid", valid);
        ph_admin_time(call, doc, s, "not_before", secret->not_before_ms);
        ph_admin_time(call, doc, s, "not_after", secret->not_after_ms);
        PH_TRY(add_use(call, doc, s, whose, secret->secret.from));
    }
    return PH_OK;
}

/* Of the endpoint, or of the first of its accounts that lacks something. */
static void add_lack(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *endpoint,
                     const struct ph_config_endpoint *e)
{
    struct ph_slice lacks = {0};
    if (e->accounts.count == 0)
        lacks = ph_config_page_lacks(e->page, e->values.items, e->values.count);
    for (size_t i = 0; !ph_slice_present(lacks) && i < e->accounts.count; i++) {
        const struct ph_config_account *a = &e->accounts.items[i];
        lacks = ph_config_page_lacks(e->page, a->values.items, a->values.count);
        if (ph_slice_present(lacks))
            ph_admin_text(call, doc, endpoint, "lacks_account", a->entry.name);
    }
    ph_admin_text(call, doc, endpoint, "lacks", lacks);
}

static enum ph_status add_endpoint(struct ph_admin_call *call, yyjson_mut_doc *doc,
                                   yyjson_mut_val *list, const struct ph_config_endpoint *e)
{
    yyjson_mut_val *endpoint = yyjson_mut_arr_add_obj(doc, list);
    ph_admin_text(call, doc, endpoint, "name", e->entry.name);
    ph_admin_text(call, doc, endpoint, "connector", e->connector);
    ph_admin_text(call, doc, endpoint, "account", e->account);
    yyjson_mut_obj_add_str(doc, endpoint, "mode",
                           e->mode == PH_CONFIG_MODE_LIVE   ? "live"
                           : e->mode == PH_CONFIG_MODE_TEST ? "test"
                                                            : "any");
    add_lack(call, doc, endpoint, e);
    yyjson_mut_val *secrets = yyjson_mut_obj_add_arr(doc, endpoint, "secrets");
    PH_TRY(add_secrets(call, doc, secrets, e->secrets.items, e->secrets.count,
                       (struct whose){.endpoint = e->entry.name}));
    for (size_t i = 0; i < e->accounts.count; i++) {
        const struct ph_config_account *a = &e->accounts.items[i];
        PH_TRY(add_secrets(call, doc, secrets, a->secrets.items, a->secrets.count,
                           (struct whose){e->entry.name, a->entry.name}));
    }
    return PH_OK;
}

enum ph_admin_end ph_admin_endpoints(struct ph_admin_call *call)
{
    const struct ph_config *config = call->view->config;
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc),
                   *list = yyjson_mut_obj_add_arr(doc, root, "endpoints");
    for (size_t i = 0; i < config->endpoints.count; i++) {
        enum ph_status st = add_endpoint(call, doc, list, &config->endpoints.items[i]);
        if (st != PH_OK)
            return ph_admin_failed(call, st);
    }
    return ph_admin_json(call, 200, doc, root);
}
