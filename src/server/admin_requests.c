/* requests, requests/{id} and its bytes, reverification. */
#include "server/admin_call.h"

/* ---- looking --------------------------------------------------------------------------------- */

enum ph_admin_end ph_admin_requests_list(struct ph_admin_call *call)
{
    struct ph_inbox_request_row *rows;
    size_t count;
    enum ph_status st =
        ph_inbox_requests(call->room->reader, &call->filter.inbox, call->filter.standing,
                          call->filter.limit, &call->room->arena, &rows, &count);
    if (st != PH_OK)
        return ph_admin_failed(call, st);
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc),
                   *list = yyjson_mut_obj_add_arr(doc, root, "requests");
    for (size_t i = 0; i < count; i++) {
        yyjson_mut_val *request = yyjson_mut_arr_add_obj(doc, list);
        ph_admin_id(doc, request, "id", rows[i].id);
        ph_admin_time(call, doc, request, "received_at", rows[i].received_ms);
        ph_admin_text(call, doc, request, "endpoint", rows[i].endpoint);
        ph_admin_text(call, doc, request, "connector", rows[i].connector);
        ph_admin_text(call, doc, request, "standing", ph_standing_name(rows[i].standing));
        ph_admin_word(doc, request, "verdict", PH_WORDS_VERDICT, (int32_t)rows[i].verdict);
        ph_admin_text(call, doc, request, "verdict_reason", rows[i].verdict_reason);
        ph_admin_text(call, doc, request, "secret", rows[i].secret);
        ph_admin_text(call, doc, request, "remote", rows[i].remote);
        yyjson_mut_obj_add_sint(doc, request, "bytes", rows[i].bytes);
        yyjson_mut_obj_add_int(doc, request, "events", rows[i].events);
    }
    ph_admin_next(doc, root, count, call->filter.limit, count > 0 ? rows[count - 1].id : 0);
    return ph_admin_json(call, 200, doc, root);
}

static enum ph_status get(struct ph_admin_call *call, struct ph_inbox_kept *ret)
{
    int64_t id;
    return ph_admin_id_read(call->named, &id)
               ? ph_inbox_request_get(call->room->reader, id, &call->room->arena, ret)
               : PH_ERR_NOT_FOUND;
}

static enum ph_admin_end not_there(struct ph_admin_call *call, enum ph_status st)
{
    return ph_admin_absent(call, "request", call->named, st);
}

static void add_headers(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *root,
                        const struct ph_inbox_request *r)
{
    struct ph_arena *arena = &call->room->arena;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "headers");
    for (size_t i = 0; i < r->header_count; i++) {
        const struct ph_header *h = &r->headers[i];
        bool shown = ph_admin_unmasked(call) && !ph_mask_is_secret(h->name);
        yyjson_mut_val *header = yyjson_mut_arr_add_obj(doc, list);
        ph_admin_text(call, doc, header, "name", h->name);
        ph_admin_text(call, doc, header, "value",
                      shown ? h->value : ph_mask_header(arena, h->name, h->value));
    }
}

enum ph_admin_end ph_admin_requests_show(struct ph_admin_call *call)
{
    struct ph_inbox_kept kept;
    const struct ph_inbox_request *r = &kept.request;
    enum ph_status st = get(call, &kept);
    if (st != PH_OK)
        return not_there(call, st);
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    bool bare = ph_admin_unmasked(call);
    ph_admin_id(doc, root, "id", r->id);
    ph_admin_time(call, doc, root, "received_at", r->received_ms);
    ph_admin_text(call, doc, root, "endpoint", r->endpoint);
    ph_admin_text(call, doc, root, "connector", r->connector);
    ph_admin_text(call, doc, root, "standing", ph_standing_name(r->standing));
    ph_admin_word(doc, root, "verdict", PH_WORDS_VERDICT, (int32_t)r->verdict);
    ph_admin_text(call, doc, root, "verdict_reason", r->verdict_reason);
    ph_admin_text(call, doc, root, "secret", r->secret);
    ph_admin_text(call, doc, root, "method", r->method);
    ph_admin_text(call, doc, root, "uri", bare ? r->uri : ph_mask_uri(&call->room->arena, r->uri));
    ph_admin_text(call, doc, root, "remote", r->remote);
    ph_admin_text(call, doc, root, "page_hash", r->page_hash);
    ph_admin_text(call, doc, root, "engine_version", r->engine_version);
    ph_admin_text(call, doc, root, "traceparent", r->trace);
    yyjson_mut_obj_add_int(doc, root, "events", kept.event_count);
    yyjson_mut_obj_add_int(doc, root, "events_held", kept.held);
    if (r->work != PH_WORK_NONE) {
        ph_admin_text(call, doc, root, "work",
                      r->work == PH_WORK_FETCH ? PH_S("fetch") : PH_S("verify"));
        ph_admin_time(call, doc, root, "work_due_at", r->work_due_ms);
        yyjson_mut_obj_add_int(doc, root, "work_tries", r->work_tries);
    }
    yyjson_mut_obj_add_uint(doc, root, "bytes", r->body.len);
    yyjson_mut_obj_add_bool(doc, root, "masked", !bare);
    add_headers(call, doc, root, r);
    ph_admin_text(call, doc, root, "body", ph_admin_seen(call, r->body));
    return ph_admin_json(call, 200, doc, root);
}

/* The body alone; a browser is not to run what a stranger sent. */
enum ph_admin_end ph_admin_requests_raw(struct ph_admin_call *call)
{
    struct ph_inbox_kept kept;
    enum ph_status st = get(call, &kept);
    if (st != PH_OK)
        return not_there(call, st);
    struct ph_slice body = ph_admin_seen(call, kept.request.body);
    if (!ph_slice_present(body) || ph_admin_no_memory(call))
        return ph_admin_failed(call, PH_ERR_NO_MEMORY);
    return ph_admin_bytes(call, 200, PH_S("application/octet-stream"), body);
}

enum ph_admin_end ph_admin_requests_reverify(struct ph_admin_call *call)
{
    struct ph_inbox_counts counts;
    ph_inbox_counts(ph_gateway_inbox(call->room->gateway), &counts);
    ph_gateway_reverify(call->room->gateway);
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_sint(doc, root, "quarantined", counts.quarantined);
    return ph_admin_json(call, 202, doc, root);
}
