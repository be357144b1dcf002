/* deliveries, deliveries/{id}, their retries; destinations, paused and resumed. */
#include "base/limits.h"
#include "server/admin_call.h"

/* ---- looking --------------------------------------------------------------------------------- */

enum ph_admin_end ph_admin_deliveries_list(struct ph_admin_call *call)
{
    struct ph_inbox_delivery_row *rows;
    size_t count;
    enum ph_status st = ph_inbox_deliveries(call->room->reader, &call->filter.inbox, 0,
                                            call->filter.limit, &call->room->arena, &rows, &count);
    if (st != PH_OK)
        return ph_admin_failed(call, st);
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc),
                   *list = yyjson_mut_obj_add_arr(doc, root, "deliveries");
    for (size_t i = 0; i < count; i++)
        yyjson_mut_arr_append(list, ph_admin_delivery(call, doc, &rows[i], false));
    ph_admin_next(doc, root, count, call->filter.limit, count > 0 ? rows[count - 1].id : 0);
    return ph_admin_json(call, 200, doc, root);
}

static enum ph_status find(struct ph_admin_call *call, struct ph_inbox_delivery_row *ret)
{
    int64_t id;
    struct ph_inbox_delivery_row *rows;
    size_t count = 0;
    if (!ph_admin_id_read(call->named, &id) || id == INT64_MAX)
        return PH_ERR_NOT_FOUND;
    const struct ph_inbox_filter nearest = {.before = id + 1};
    PH_TRY(
        ph_inbox_deliveries(call->room->reader, &nearest, 0, 1, &call->room->arena, &rows, &count));
    if (count == 0 || rows[0].id != id)
        return PH_ERR_NOT_FOUND;
    *ret = rows[0];
    return PH_OK;
}

static enum ph_admin_end not_there(struct ph_admin_call *call, enum ph_status st)
{
    return ph_admin_absent(call, "delivery", call->named, st);
}

enum ph_admin_end ph_admin_deliveries_show(struct ph_admin_call *call)
{
    struct ph_inbox_delivery_row row;
    enum ph_status st = find(call, &row);
    if (st != PH_OK)
        return not_there(call, st);
    yyjson_mut_doc *doc = ph_admin_doc(call);
    return ph_admin_json(call, 200, doc, ph_admin_delivery(call, doc, &row, true));
}

/* ---- retrying -------------------------------------------------------------------------------- */

static bool may_retry(enum ph_delivery_state state)
{
    return state == PH_DELIVERY_DEAD || state == PH_DELIVERY_DROPPED ||
           state == PH_DELIVERY_WAITING || state == PH_DELIVERY_PARKED;
}

static enum ph_status retry(struct ph_admin_call *call, const int64_t *ids, size_t count,
                            size_t *ret_made)
{
    struct ph_inbox_send send = {.op.kind = PH_INBOX_SEND,
                                 .deliveries = ids,
                                 .delivery_count = count,
                                 .now_ms = call->now_ms};
    send.op.bytes = sizeof send + count * sizeof *ids;
    enum ph_status st = count > 0 ? ph_admin_submit(call, &send.op) : PH_OK;
    *ret_made = st == PH_OK ? send.made : 0;
    return st;
}

enum ph_admin_end ph_admin_deliveries_retry(struct ph_admin_call *call)
{
    struct ph_inbox_delivery_row row;
    size_t made = 0;
    enum ph_status st = find(call, &row);
    if (st != PH_OK)
        return not_there(call, st);
    if (!may_retry(row.state))
        return ph_admin_error(call, 409, PH_S("FAILED_PRECONDITION"),
                              row.state == PH_DELIVERY_DONE
                                  ? PH_S("it was accepted: to send the event again, replay it")
                                  : PH_S("it is queued already"));
    st = retry(call, &row.id, 1, &made);
    if (st != PH_OK)
        return ph_admin_failed(call, st);
    if (made == 0)
        return ph_admin_error(call, 409, PH_S("FAILED_PRECONDITION"),
                              PH_S("its destination is not configured (any more)"));
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_uint(doc, root, "deliveries", made);
    return ph_admin_json(call, 200, doc, root);
}

/* One page of those that the filter names; the caller goes on with `next`. */
static enum ph_admin_end retry_page(struct ph_admin_call *call,
                                    const struct ph_admin_filter *filter, bool dry_run)
{
    struct ph_inbox_delivery_row *rows;
    size_t count = 0, wanted = 0, made = 0;
    enum ph_status st = ph_inbox_deliveries(call->room->reader, &filter->inbox, 0,
                                            PH_ADMIN_PAGE_MAX, &call->room->arena, &rows, &count);
    int64_t *ids =
        st == PH_OK ? ph_arena_alloc(&call->room->arena, (count + 1) * sizeof *ids) : NULL;
    if (ids == NULL)
        return ph_admin_failed(call, st != PH_OK ? st : PH_ERR_NO_MEMORY);
    for (size_t i = 0; i < count; i++)
        if (may_retry(rows[i].state))
            ids[wanted++] = rows[i].id;
    if (!dry_run && (st = retry(call, ids, wanted, &made)) != PH_OK)
        return ph_admin_failed(call, st);
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_bool(doc, root, "dry_run", dry_run);
    yyjson_mut_obj_add_uint(doc, root, "deliveries", dry_run ? wanted : made);
    ph_admin_next(doc, root, count, PH_ADMIN_PAGE_MAX, count > 0 ? rows[count - 1].id : 0);
    return ph_admin_json(call, 200, doc, root);
}

/* {"filter":{"destination":"shop"},"dry_run":true,"cursor":"…"}; without a state: the dead ones. */
enum ph_admin_end ph_admin_deliveries_retry_many(struct ph_admin_call *call)
{
    yyjson_val *root, *name, *value;
    struct ph_admin_params params;
    struct ph_admin_filter filter;
    struct ph_slice why;
    enum ph_admin_end end;
    size_t i, n;
    bool dry_run = false;
    int64_t cursor = 0;
    if (!ph_admin_body(call, &root, &end))
        return end;
    yyjson_obj_foreach(root, i, n, name, value)
    {
        if (yyjson_equals_str(name, "dry_run") && yyjson_is_bool(value))
            dry_run = yyjson_get_bool(value);
        else if (yyjson_equals_str(name, "cursor") && yyjson_is_str(value) &&
                 ph_admin_id_read(ph_slice_of(yyjson_get_str(value), yyjson_get_len(value)),
                                  &cursor))
            continue;
        else if (!(yyjson_equals_str(name, "filter") && yyjson_is_obj(value)))
            return ph_admin_invalid(call, PH_S("takes filter (an object), dry_run (true or false) "
                                               "and cursor (the `next` of the answer before)"));
    }
    if (!ph_admin_params_of(yyjson_obj_get(root, "filter"), &params))
        return ph_admin_invalid(call, PH_S("filter: takes texts"));
    if (!ph_admin_filter_of(call, &params, PH_TAKES_EVENTS | PH_TAKES_DELIVERY, &filter, &why))
        return ph_admin_invalid(call, why);
    if (filter.inbox.state == 0)
        filter.inbox.state = PH_DELIVERY_DEAD;
    filter.inbox.before = cursor;
    return retry_page(call, &filter, dry_run);
}

/* ---- destinations ---------------------------------------------------------------------------- */

static const char *breaker_name(enum ph_breaker_state state)
{
    return state == PH_BREAKER_OPEN        ? "open"
           : state == PH_BREAKER_HALF_OPEN ? "half_open"
                                           : "closed";
}

static void add_destination(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *list,
                            size_t bit, const struct ph_inbox_counts *counts)
{
    struct ph_dispatcher_stats stats = {0};
    const struct ph_config_destination *settings = call->view->destinations[bit];
    yyjson_mut_val *d = yyjson_mut_arr_add_obj(doc, list);
    ph_dispatcher_stats(ph_gateway_dispatcher(call->room->gateway), bit, &stats);
    ph_admin_text(call, doc, d, "name", call->view->names[bit]);
    ph_admin_text(call, doc, d, "url", ph_mask_url(&call->room->arena, settings->url));
    yyjson_mut_obj_add_bool(doc, d, "paused", counts->paused[bit]);
    yyjson_mut_obj_add_sint(doc, d, "backlog", counts->backlog[bit]);
    yyjson_mut_obj_add_sint(doc, d, "dead", counts->dead[bit]);
    ph_admin_time(call, doc, d, "oldest_at", counts->oldest_ms[bit]);
    yyjson_mut_obj_add_str(doc, d, "breaker", breaker_name(stats.breaker));
    ph_admin_time(call, doc, d, "breaker_until", stats.breaker_until_ms);
    yyjson_mut_obj_add_sint(doc, d, "in_flight", stats.in_flight);
    yyjson_mut_obj_add_uint(doc, d, "attempts", stats.attempts);
    yyjson_mut_obj_add_uint(doc, d, "accepted", stats.accepted);
    yyjson_mut_obj_add_uint(doc, d, "refused", stats.refused);
    yyjson_mut_obj_add_uint(doc, d, "failed", stats.failed);
    ph_admin_time(call, doc, d, "last_accepted_at", stats.last_accepted_ms);
    ph_admin_time(call, doc, d, "last_failed_at", stats.last_failed_ms);
    ph_admin_text(call, doc, d, "last_failure", ph_slice_str(stats.why));
}

enum ph_admin_end ph_admin_destinations(struct ph_admin_call *call)
{
    struct ph_inbox_counts counts;
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc),
                   *list = yyjson_mut_obj_add_arr(doc, root, "destinations");
    ph_inbox_counts(ph_gateway_inbox(call->room->gateway), &counts);
    for (size_t bit = 0; bit < call->view->destination_count; bit++)
        if (call->view->destinations[bit] != NULL)
            add_destination(call, doc, list, bit, &counts);
    return ph_admin_json(call, 200, doc, root);
}

static enum ph_admin_end no_destination(struct ph_admin_call *call)
{
    struct ph_slice known[PH_DESTINATIONS_MAX];
    size_t count = ph_admin_destination_names(call, known);
    return ph_admin_not_found(call, ph_admin_unknown(&call->room->arena, PH_S("name"),
                                                     "destination", call->named, known, count));
}

static enum ph_admin_end control(struct ph_admin_call *call, bool paused)
{
    struct ph_inbox_control op = {.op = {.kind = PH_INBOX_CONTROL, .bytes = sizeof op},
                                  .destination = call->named,
                                  .paused = paused};
    enum ph_status st = PH_ERR_NOT_FOUND;
    for (size_t bit = 0; bit < call->view->destination_count && st != PH_OK; bit++)
        if (call->view->destinations[bit] != NULL &&
            ph_slice_eq(call->view->names[bit], call->named))
            st = PH_OK;
    if (st == PH_OK)
        st = ph_admin_submit(call, &op.op);
    if (st == PH_ERR_NOT_FOUND)
        return no_destination(call);
    if (st != PH_OK)
        return ph_admin_failed(call, st);
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    ph_admin_text(call, doc, root, "name", call->named);
    yyjson_mut_obj_add_bool(doc, root, "paused", paused);
    return ph_admin_json(call, 200, doc, root);
}

enum ph_admin_end ph_admin_pause(struct ph_admin_call *call)
{
    return control(call, true);
}

enum ph_admin_end ph_admin_resume(struct ph_admin_call *call)
{
    return control(call, false);
}
