/* POST replay: events sent again, a page at a time. What a call does to the inbox is bounded;
 * whoever wants more goes on with `next`. */
#include "base/limits.h"
#include "server/admin_call.h"

enum { FIRST_SHOWN = 10 };

/* One call's. */
struct replay {
    struct ph_admin_call *call;
    bool dry_run, rederive;
    bool chosen; /* destinations are named; else each event goes where it goes by the configuration
                  */
    uint64_t destinations;
    struct ph_inbox_event_row *rows;
    size_t count;      /* rows to send */
    uint64_t *masks;   /* of each: 0, nobody is to be told */
    size_t held;       /* not among them: they prove nothing, or are not complete … */
    size_t incomplete; /* … those of them that are not complete yet */
    bool more;
    int64_t last_id; /* of the page */
};

/* ---- what is asked for ----------------------------------------------------------------------- */

static uint64_t bit_of(const struct ph_view *view, struct ph_slice name)
{
    for (size_t bit = 0; bit < view->destination_count; bit++)
        if (view->destinations[bit] != NULL && ph_slice_eq(view->names[bit], name))
            return (uint64_t)1 << bit;
    return 0;
}

static bool read_destinations(struct replay *r, yyjson_val *list, enum ph_admin_end *ret_end)
{
    yyjson_val *value;
    size_t i, n;
    if (list == NULL)
        return true;
    r->chosen = true;
    yyjson_arr_foreach(list, i, n, value)
    {
        struct ph_slice name = ph_slice_of(yyjson_get_str(value), yyjson_get_len(value)),
                        known[PH_DESTINATIONS_MAX];
        uint64_t bit = yyjson_is_str(value) ? bit_of(r->call->view, name) : 0;
        r->destinations |= bit;
        if (yyjson_is_str(value) && bit == 0) {
            size_t count = ph_admin_destination_names(r->call, known);
            *ret_end = ph_admin_invalid(
                r->call, ph_admin_unknown(&r->call->room->arena, PH_S("destinations"),
                                          "destination", name, known, count));
            return false;
        }
        if (bit == 0)
            break;
    }
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) == 0 || i < n) {
        *ret_end = ph_admin_invalid(
            r->call, PH_S("destinations: takes a list of names that the configuration has"));
        return false;
    }
    return true;
}

/* Events by their ids, each once. */
static bool read_events(struct replay *r, yyjson_val *list, enum ph_admin_end *ret_end)
{
    struct ph_admin_call *call = r->call;
    yyjson_val *value;
    size_t i, n;
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) == 0 ||
        yyjson_arr_size(list) > PH_ADMIN_SEND_MAX) {
        *ret_end = ph_admin_invalid(call, PH_S("events: takes a list of 1 to 1000 ids"));
        return false;
    }
    r->rows = ph_arena_alloc(&call->room->arena, yyjson_arr_size(list) * sizeof *r->rows);
    yyjson_arr_foreach(list, i, n, value)
    {
        if (!yyjson_is_str(value) && !yyjson_is_raw(value)) {
            *ret_end = ph_admin_invalid(call, PH_S("events: takes a list of 1 to 1000 ids"));
            return false;
        }
        struct ph_slice text =
            ph_slice_of(unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value));
        enum ph_status st = PH_OK;
        int64_t id = 0;
        if (r->rows == NULL)
            st = PH_ERR_NO_MEMORY;
        if (st == PH_OK)
            st = ph_admin_event_of(call, text, &id);
        if (st == PH_OK)
            st = ph_inbox_event_get(call->room->reader, id, &call->room->arena, &r->rows[r->count]);
        if (st != PH_OK) {
            *ret_end = ph_admin_absent(call, "event", text, st);
            return false;
        }
        bool twice = false;
        for (size_t k = 0; k < r->count && !twice; k++)
            twice = r->rows[k].id == id;
        r->count += !twice;
    }
    return true;
}

static bool read_filter(struct replay *r, yyjson_val *object, int64_t cursor,
                        enum ph_admin_end *ret_end)
{
    struct ph_admin_call *call = r->call;
    struct ph_admin_params params;
    struct ph_admin_filter filter;
    struct ph_slice why;
    if (!ph_admin_params_of(object, &params)) {
        *ret_end = ph_admin_invalid(call, PH_S("filter: takes an object of texts"));
        return false;
    }
    if (!ph_admin_filter_of(call, &params, PH_TAKES_EVENTS | PH_TAKES_DELIVERY, &filter, &why)) {
        *ret_end = ph_admin_invalid(call, why);
        return false;
    }
    if (!filter.bounded) {
        *ret_end = ph_admin_invalid(
            call, PH_S("filter: say which events; for all of them give from (1970-01-01)"));
        return false;
    }
    filter.inbox.before = cursor;
    enum ph_status st = ph_inbox_events(call->room->reader, &filter.inbox, PH_ADMIN_PAGE_MAX,
                                        &call->room->arena, &r->rows, &r->count);
    if (st != PH_OK) {
        *ret_end = ph_admin_failed(call, st);
        return false;
    }
    r->more = r->count == PH_ADMIN_PAGE_MAX;
    r->last_id = r->count > 0 ? r->rows[r->count - 1].id : 0;
    return true;
}

static bool read_body(struct replay *r, enum ph_admin_end *ret_end)
{
    yyjson_val *root, *name, *value;
    size_t i, n;
    int64_t cursor = 0;
    if (!ph_admin_body(r->call, &root, ret_end))
        return false;
    yyjson_obj_foreach(root, i, n, name, value)
    {
        if (yyjson_equals_str(name, "dry_run") && yyjson_is_bool(value))
            r->dry_run = yyjson_get_bool(value);
        else if (yyjson_equals_str(name, "rederive") && yyjson_is_bool(value))
            r->rederive = yyjson_get_bool(value);
        else if (yyjson_equals_str(name, "cursor") && yyjson_is_str(value) &&
                 ph_admin_id_read(ph_slice_of(yyjson_get_str(value), yyjson_get_len(value)),
                                  &cursor))
            continue;
        else if (!yyjson_equals_str(name, "events") && !yyjson_equals_str(name, "filter") &&
                 !yyjson_equals_str(name, "destinations")) {
            *ret_end = ph_admin_invalid(
                r->call,
                PH_S("takes events or filter, destinations, dry_run, rederive and cursor"));
            return false;
        }
    }
    yyjson_val *events = yyjson_obj_get(root, "events"), *filter = yyjson_obj_get(root, "filter");
    if ((events == NULL) == (filter == NULL)) {
        *ret_end = ph_admin_invalid(
            r->call, PH_S("say which: events (a list of ids), or filter (an object)"));
        return false;
    }
    if (!read_destinations(r, yyjson_obj_get(root, "destinations"), ret_end))
        return false;
    return events != NULL ? read_events(r, events, ret_end)
                          : read_filter(r, filter, cursor, ret_end);
}

/* ---- who is told ----------------------------------------------------------------------------- */

/* Where the event goes by the present configuration: those that were not told at first may be now.
 */
static uint64_t pick(const struct ph_view *view, const struct ph_inbox_event_row *row)
{
    const struct ph_config_endpoint *endpoint =
        ph_config_endpoint_find(view->config, row->endpoint);
    uint64_t once;
    const struct ph_inbox_event event = {
        .verdict = row->verdict,
        .type = row->type,
        .class = row->class,
        .subject = row->subject,
        .account = row->account,
        .mode = row->mode,
        .amount = row->amount,
        .currency = row->currency,
        .incomplete = row->incomplete,
    };
    if (endpoint != NULL)
        return ph_view_pick(view, endpoint, &event, &once);
    return ph_selection_pick(view->selections, view->destination_count, &event, row->connector,
                             PH_MODE_UNSPECIFIED, &once);
}

/* Leaves out what is held, and finds who is told of the rest. */
static bool choose(struct replay *r)
{
    size_t kept = 0;
    r->masks = ph_arena_alloc(&r->call->room->arena, (r->count + 1) * sizeof *r->masks);
    if (r->masks == NULL)
        return false;
    for (size_t i = 0; i < r->count; i++) {
        if (r->rows[i].held) {
            r->held++;
            r->incomplete += r->rows[i].incomplete;
            continue;
        }
        r->masks[kept] = r->chosen ? r->destinations : pick(r->call->view, &r->rows[i]);
        r->rows[kept++] = r->rows[i];
    }
    r->count = kept;
    return true;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* One op for each set of destinations: there are few. */
static enum ph_status send(struct replay *r, size_t *ret_made, size_t *ret_denied)
{
    struct ph_admin_call *call = r->call;
    int64_t *ids = ph_arena_alloc(&call->room->arena, (r->count + 1) * sizeof *ids);
    bool *sent = ph_arena_zalloc(&call->room->arena, r->count + 1);
    if (ids == NULL || sent == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t first = 0; first < r->count; first++) {
        if (sent[first] || r->masks[first] == 0)
            continue;
        struct ph_inbox_send op = {.op.kind = PH_INBOX_SEND,
                                   .events = ids,
                                   .destinations = r->masks[first],
                                   .now_ms = call->now_ms};
        for (size_t i = first; i < r->count; i++)
            if (!sent[i] && r->masks[i] == op.destinations) {
                ids[op.event_count++] = r->rows[i].id;
                sent[i] = true;
            }
        op.op.bytes = sizeof op + op.event_count * sizeof *ids;
        PH_TRY(ph_admin_submit(call, &op.op));
        *ret_made += op.made;
        *ret_denied += op.denied;
    }
    return PH_OK;
}

static size_t planned(const struct replay *r)
{
    size_t sum = 0;
    for (size_t i = 0; i < r->count; i++)
        sum += (size_t)__builtin_popcountll(r->masks[i]);
    return sum;
}

enum ph_admin_end ph_admin_replay(struct ph_admin_call *call)
{
    struct replay r = {.call = call};
    enum ph_admin_end end;
    size_t made = 0, denied = 0;
    if (!read_body(&r, &end))
        return end;
    if (!choose(&r))
        return ph_admin_failed(call, PH_ERR_NO_MEMORY);
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (r.rederive) {
        enum ph_status st = ph_admin_rederive(call, r.rows, r.count, r.dry_run, doc, root);
        if (st != PH_OK)
            return ph_admin_failed(call, st);
    }
    if (!r.dry_run) {
        enum ph_status st = send(&r, &made, &denied);
        if (st != PH_OK)
            return ph_admin_failed(call, st);
    }
    yyjson_mut_obj_add_bool(doc, root, "dry_run", r.dry_run);
    yyjson_mut_obj_add_uint(doc, root, "events", r.count);
    yyjson_mut_obj_add_uint(doc, root, "held", r.held);
    yyjson_mut_obj_add_uint(doc, root, "held_incomplete", r.incomplete);
    yyjson_mut_obj_add_uint(doc, root, "deliveries", r.dry_run ? planned(&r) : made);
    yyjson_mut_obj_add_uint(doc, root, "denied", denied);
    yyjson_mut_val *first = yyjson_mut_obj_add_arr(doc, root, "first");
    for (size_t i = 0; i < r.count && i < FIRST_SHOWN; i++) {
        yyjson_mut_val *shown = yyjson_mut_arr_add_obj(doc, first);
        ph_admin_id(doc, shown, "id", r.rows[i].id);
        ph_admin_text(call, doc, shown, "event_id", r.rows[i].event_id);
        ph_admin_text(call, doc, shown, "type", r.rows[i].type);
    }
    if (r.more)
        ph_admin_id(doc, root, "next", r.last_id);
    else
        yyjson_mut_obj_add_null(doc, root, "next");
    return ph_admin_json(call, 200, doc, root);
}
