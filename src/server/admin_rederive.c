/* Events read again from their stored requests, by the pages there are now: what differs is shown,
 * and stored when asked.
 *
 * R1: a request is judged as of its receipt, with the secrets that the completer verifies it with
 * (ph_view_keys_again) and the callout answers kept with it: nothing is asked of the network, and
 * the same page gives the same bytes.
 * R2: nothing gets worse by it: where the verdict would be another (a secret that is not configured
 * any more), the request stays as it is, and that is said. */
#include "base/limits.h"
#include "gateway/record.h"
#include "server/admin_call.h"
#include "wire/json_pool.h"

struct rederiving {
    struct ph_admin_call *call;
    bool dry_run;
    yyjson_mut_doc *doc;
    yyjson_mut_val *changes, *skipped;
    size_t same, changed, shown;
    struct ph_arena scratch; /* of one request */
    /* The request whose events are looked at. */
    int64_t request;
    struct ph_inbox_kept kept;
    struct ph_inbox_store judged; /* in the worker's arena: until the next request */
    struct ph_slice why_not;      /* it cannot be read again; absent: it can */
    bool differs;                 /* one of its events does */
};

/* ---- one request ----------------------------------------------------------------------------- */

static const struct ph_config_value *config_of(struct rederiving *r,
                                               const struct ph_view_keys *keys, size_t *ret_count)
{
    const struct ph_inbox_request *kept = &r->kept.request;
    struct ph_slice roots = ph_gateway_roots(r->call->room->gateway);
    struct ph_config_value *all =
        ph_arena_alloc(&r->scratch, (keys->value_count + kept->brought_count + 1) * sizeof *all);
    size_t count = 0;
    if (all == NULL)
        return NULL;
    for (size_t i = 0; i < keys->value_count; i++)
        all[count++] = keys->values[i];
    for (size_t i = 0; i < kept->brought_count; i++)
        all[count++] = kept->brought[i];
    if (ph_slice_present(roots))
        all[count++] = (struct ph_config_value){PH_S("root_certificates_der_base64"), roots};
    *ret_count = count;
    return all;
}

static enum ph_status judge(struct rederiving *r, const struct ph_config_endpoint *endpoint)
{
    struct ph_admin_room *room = r->call->room;
    const struct ph_inbox_request *kept = &r->kept.request;
    struct ph_view_keys keys;
    struct ph_answer answer;
    const struct ph_request request = {.method = kept->method,
                                       .uri = kept->uri,
                                       .headers = kept->headers,
                                       .header_count = kept->header_count,
                                       .body = kept->body};
    if (!ph_view_keys_again(endpoint, kept, r->call->now_ms, &r->scratch, &keys))
        return PH_ERR_NOT_FOUND;
    struct ph_input in = {
        .connector = endpoint->page,
        .request = &request,
        .secrets = keys.pairs,
        .secret_count = keys.count,
        .capture_method = endpoint->capture_method,
        .now_ms = kept->received_ms,
    };
    in.config = config_of(r, &keys, &in.config_count);
    if (in.config == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(ph_engine_run(room->worker, &in, (enum ph_want)(PH_WANT_ALL | PH_WANT_EVERY_ITEM),
                         &answer));
    ph_record_part_accounts(endpoint, &answer);
    const struct ph_record_input input = {
        .view = r->call->view,
        .endpoint = endpoint,
        .in = &in,
        .answer = &answer,
        .account = keys.account,
        .secret = ph_view_matched(&keys, &answer),
        .secret_of = keys.secret_of,
        .remote = kept->remote,
        .trace = kept->trace,
        .brought = kept->brought,
        .brought_count = kept->brought_count,
    };
    PH_TRY(ph_record_make(room->worker, &input, &r->judged));
    r->judged.op.kind = PH_INBOX_JUDGE;
    r->judged.op.bytes = sizeof r->judged;
    r->judged.request.id = kept->id;
    return PH_OK;
}

/* Fills r->judged, or r->why_not. */
static enum ph_status read_again(struct rederiving *r, int64_t request)
{
    r->request = request;
    r->differs = false;
    r->why_not = (struct ph_slice){0};
    ph_arena_wipe(&r->scratch);
    enum ph_status st = ph_inbox_request_get(r->call->room->reader, request, &r->scratch, &r->kept);
    if (st == PH_ERR_NOT_FOUND)
        r->why_not = PH_S("its request is not kept any more");
    if (st != PH_OK)
        return st == PH_ERR_NOT_FOUND ? PH_OK : st;
    const struct ph_config_endpoint *endpoint =
        ph_config_endpoint_find(r->call->view->config, r->kept.request.endpoint);
    st = endpoint != NULL ? judge(r, endpoint) : PH_ERR_NOT_FOUND;
    if (st == PH_ERR_NOT_FOUND)
        r->why_not = PH_S("its endpoint is not configured any more");
    else if (st == PH_OK && (r->judged.request.verdict != r->kept.request.verdict ||
                             r->judged.request.standing != r->kept.request.standing))
        r->why_not = PH_S("its verdict would be another: is its secret configured still?");
    return st == PH_ERR_NOT_FOUND ? PH_OK : st;
}

/* The pages' reading is what the events are from now on; who was told of them is told by the
 * replay. */
static enum ph_status store(struct rederiving *r)
{
    if (r->dry_run || !r->differs || ph_slice_present(r->why_not))
        return PH_OK;
    r->differs = false;
    return ph_admin_submit(r->call, &r->judged.op);
}

/* ---- the difference -------------------------------------------------------------------------- */

/* Two readings, each with its masked twin, which has the same members in the same order. */
struct side {
    yyjson_val *raw, *masked;
};

struct path {
    char text[256];
    size_t len;
};

static void add_change(struct rederiving *r, yyjson_mut_val *list, const struct path *path,
                       struct side before, struct side after)
{
    yyjson_mut_val *change = yyjson_mut_arr_add_obj(r->doc, list);
    yyjson_mut_obj_add_strncpy(r->doc, change, "path", path->text, path->len);
    if (before.masked != NULL)
        yyjson_mut_obj_add_val(r->doc, change, "before",
                               yyjson_val_mut_copy(r->doc, before.masked));
    if (after.masked != NULL)
        yyjson_mut_obj_add_val(r->doc, change, "after", yyjson_val_mut_copy(r->doc, after.masked));
}

static struct side member(struct side side, struct ph_slice name)
{
    return (struct side){yyjson_obj_getn(side.raw, name.ptr, name.len),
                         yyjson_obj_getn(side.masked, name.ptr, name.len)};
}

static struct path below(const struct path *path, struct ph_slice name)
{
    struct path longer = *path;
    if (path->len + 1 + name.len > sizeof longer.text)
        return longer;
    longer.text[longer.len++] = '/';
    memcpy(longer.text + longer.len, name.ptr, name.len);
    longer.len += name.len;
    return longer;
}

/* Answers are ours: their depth is the schema's. */
static void compare(struct rederiving *r, yyjson_mut_val *list, const struct path *path,
                    struct side before, struct side after)
{
    yyjson_val *name, *value;
    size_t i, n;
    if (yyjson_equals(before.raw, after.raw))
        return;
    if (!yyjson_is_obj(before.raw) || !yyjson_is_obj(after.raw)) {
        add_change(r, list, path, before, after);
        return;
    }
    yyjson_obj_foreach(before.raw, i, n, name, value)
    {
        struct ph_slice text = ph_slice_of(yyjson_get_str(name), yyjson_get_len(name));
        struct path longer = below(path, text);
        compare(r, list, &longer, member(before, text), member(after, text));
    }
    yyjson_obj_foreach(after.raw, i, n, name, value)
    {
        struct ph_slice text = ph_slice_of(yyjson_get_str(name), yyjson_get_len(name));
        struct path longer = below(path, text);
        if (member(before, text).raw == NULL)
            add_change(r, list, &longer, member(before, text), member(after, text));
    }
}

static yyjson_val *read_json(struct rederiving *r, struct ph_slice text)
{
    const yyjson_alc pool = ph_json_pool(&r->scratch);
    yyjson_doc *doc =
        yyjson_read_opts((char *)text.ptr, text.len, YYJSON_READ_NUMBER_AS_RAW, &pool, NULL);
    return doc != NULL ? yyjson_doc_get_root(doc) : NULL;
}

static struct side side_of(struct rederiving *r, struct ph_slice text)
{
    struct ph_slice masked = ph_mask_text(&r->scratch, text);
    return (struct side){read_json(r, text),
                         ph_slice_present(masked) ? read_json(r, masked) : NULL};
}

static void show_change(struct rederiving *r, const struct ph_inbox_event_row *row,
                        struct ph_slice before, struct ph_slice after)
{
    struct path path = {.len = 0};
    yyjson_mut_val *change = yyjson_mut_arr_add_obj(r->doc, r->changes);
    ph_admin_id(r->doc, change, "id", row->id);
    ph_admin_text(r->call, r->doc, change, "event_id", row->event_id);
    ph_admin_text(r->call, r->doc, change, "page_before", r->kept.request.page_hash);
    ph_admin_text(r->call, r->doc, change, "page_now", r->judged.request.page_hash);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(r->doc, change, "differences");
    compare(r, list, &path, side_of(r, before), side_of(r, after));
}

/* ---- all ------------------------------------------------------------------------------------- */

static enum ph_status look_at(struct rederiving *r, const struct ph_inbox_event_row *listed)
{
    struct ph_inbox_event_row row;
    const struct ph_inbox_event *event = NULL;
    struct ph_slice why = r->why_not;
    for (size_t i = 0; !ph_slice_present(why) && i < r->judged.event_count; i++)
        if (r->judged.events[i].item == listed->item)
            event = &r->judged.events[i];
    if (!ph_slice_present(why) && event == NULL)
        why = PH_S("the page reads no such event in its request any more");
    if (ph_slice_present(why)) {
        yyjson_mut_val *skipped = yyjson_mut_arr_add_obj(r->doc, r->skipped);
        ph_admin_id(r->doc, skipped, "id", listed->id);
        ph_admin_text(r->call, r->doc, skipped, "why", why);
        return PH_OK;
    }
    PH_TRY(ph_inbox_event_get(r->call->room->reader, listed->id, &r->scratch, &row));
    if (ph_slice_eq(row.answer, event->answer)) {
        r->same++;
        return PH_OK;
    }
    r->changed++;
    r->differs = true;
    if (r->shown < PH_ADMIN_DIFFER_MAX) {
        r->shown++;
        show_change(r, &row, row.answer, event->answer);
    }
    return ph_admin_no_memory(r->call) || r->scratch.ran_out ? PH_ERR_NO_MEMORY : PH_OK;
}

static enum ph_status look_at_all(struct rederiving *r, const struct ph_inbox_event_row *rows,
                                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i].request != r->request) {
            PH_TRY(store(r));
            PH_TRY(read_again(r, rows[i].request));
        }
        enum ph_status st = look_at(r, &rows[i]);
        if (st != PH_OK && st != PH_ERR_NOT_FOUND) /* retention was faster */
            return st;
    }
    return store(r);
}

enum ph_status ph_admin_rederive(struct ph_admin_call *call, const struct ph_inbox_event_row *rows,
                                 size_t count, bool dry_run, yyjson_mut_doc *doc,
                                 yyjson_mut_val *root)
{
    struct rederiving r = {.call = call, .dry_run = dry_run, .doc = doc};
    yyjson_mut_val *found = yyjson_mut_obj_add_obj(doc, root, "rederived");
    r.changes = yyjson_mut_arr(doc);
    r.skipped = yyjson_mut_arr(doc);
    ph_arena_init(&r.scratch, call->room->arena.allocator, PH_ARENA_BYTES_MAX, PH_ARENA_KEEP_BYTES);
    enum ph_status st = look_at_all(&r, rows, count);
    ph_arena_wipe(&r.scratch);
    ph_arena_done(&r.scratch);
    if (st != PH_OK)
        return st;
    yyjson_mut_obj_add_uint(doc, found, "same", r.same);
    yyjson_mut_obj_add_uint(doc, found, "changed", r.changed);
    yyjson_mut_obj_add_val(doc, found, "changes", r.changes);
    yyjson_mut_obj_add_val(doc, found, "skipped", r.skipped);
    return PH_OK;
}
