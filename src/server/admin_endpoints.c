/* GET endpoints: their secrets, and whether a rotation is done. What was used when is read from the
 * latest requests that are kept, PH_ADMIN_USES_MAX of an endpoint. */
#include "base/limits.h"
#include "server/admin_call.h"

enum { NAMES_MAX = 64 };

struct use {
    struct ph_slice secret;
    int64_t first_ms, last_ms, count;
    int64_t alone_ms; /* the first use after the last one of any other; 0: another was used since */
};

struct uses {
    struct use list[NAMES_MAX];
    size_t count, requests;
    int64_t oldest_ms; /* of the requests looked at */
};

/* Newest first: what was seen before is later. */
static void note(struct uses *uses, const struct ph_inbox_request_row *row)
{
    size_t at = 0;
    uses->requests++;
    uses->oldest_ms = row->received_ms;
    if (row->secret.len == 0)
        return;
    while (at < uses->count && !ph_slice_eq(uses->list[at].secret, row->secret))
        at++;
    if (at == NAMES_MAX)
        return;
    if (at == uses->count)
        uses->list[uses->count++] =
            (struct use){.secret = row->secret, .last_ms = row->received_ms};
    struct use *use = &uses->list[at];
    use->first_ms = row->received_ms;
    use->count++;
    if (uses->count == 1)
        use->alone_ms = row->received_ms;
}

static enum ph_status look_back(struct ph_admin_call *call, struct ph_slice endpoint,
                                struct uses *uses)
{
    struct ph_inbox_filter filter = {.endpoint = endpoint};
    struct ph_inbox_request_row *rows;
    size_t count = PH_ADMIN_PAGE_MAX;
    *uses = (struct uses){0};
    while (count == PH_ADMIN_PAGE_MAX && uses->requests < PH_ADMIN_USES_MAX) {
        PH_TRY(ph_inbox_requests(call->room->reader, &filter, 0, PH_ADMIN_PAGE_MAX,
                                 &call->room->arena, &rows, &count));
        for (size_t i = 0; i < count; i++)
            note(uses, &rows[i]);
        if (count > 0)
            filter.before = rows[count - 1].id;
    }
    return PH_OK;
}

static void add_use(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *secret,
                    const struct uses *uses, struct ph_slice name)
{
    for (size_t i = 0; i < uses->count; i++) {
        if (!ph_slice_eq(uses->list[i].secret, name))
            continue;
        yyjson_mut_obj_add_sint(doc, secret, "used", uses->list[i].count);
        ph_admin_time(call, doc, secret, "first_used_at", uses->list[i].first_ms);
        ph_admin_time(call, doc, secret, "last_used_at", uses->list[i].last_ms);
        ph_admin_time(call, doc, secret, "alone_since", uses->list[i].alone_ms);
    }
}

static void add_secret(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *list,
                       const struct ph_config_secret *secret, struct ph_slice account,
                       const struct uses *uses)
{
    yyjson_mut_val *s = yyjson_mut_arr_add_obj(doc, list);
    bool valid = call->now_ms >= secret->not_before_ms &&
                 (secret->not_after_ms == 0 || call->now_ms < secret->not_after_ms);
    ph_admin_text(call, doc, s, "secret", secret->secret.from);
    ph_admin_text(call, doc, s, "account", account);
    yyjson_mut_obj_add_bool(doc, s, "valid", valid);
    ph_admin_time(call, doc, s, "not_before", secret->not_before_ms);
    ph_admin_time(call, doc, s, "not_after", secret->not_after_ms);
    add_use(call, doc, s, uses, secret->secret.from);
}

static enum ph_status add_endpoint(struct ph_admin_call *call, yyjson_mut_doc *doc,
                                   yyjson_mut_val *list, const struct ph_config_endpoint *e)
{
    struct uses uses;
    PH_TRY(look_back(call, e->entry.name, &uses));
    yyjson_mut_val *endpoint = yyjson_mut_arr_add_obj(doc, list);
    ph_admin_text(call, doc, endpoint, "name", e->entry.name);
    ph_admin_text(call, doc, endpoint, "connector", e->connector);
    ph_admin_text(call, doc, endpoint, "account", e->account);
    yyjson_mut_obj_add_str(doc, endpoint, "mode",
                           e->mode == PH_CONFIG_MODE_LIVE   ? "live"
                           : e->mode == PH_CONFIG_MODE_TEST ? "test"
                                                            : "any");
    yyjson_mut_obj_add_uint(doc, endpoint, "requests_looked_at", uses.requests);
    ph_admin_time(call, doc, endpoint, "looked_back_to", uses.oldest_ms);
    yyjson_mut_val *secrets = yyjson_mut_obj_add_arr(doc, endpoint, "secrets");
    for (size_t i = 0; i < e->secrets.count; i++)
        add_secret(call, doc, secrets, &e->secrets.items[i], (struct ph_slice){0}, &uses);
    for (size_t a = 0; a < e->accounts.count; a++)
        for (size_t i = 0; i < e->accounts.items[a].secrets.count; i++)
            add_secret(call, doc, secrets, &e->accounts.items[a].secrets.items[i],
                       e->accounts.items[a].entry.name, &uses);
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
