/* GET status; and ops submitted from the admin thread, which may wait for the writer. */
#include <pthread.h>

#include "server/admin_call.h"

/* ---- ops ------------------------------------------------------------------------------------- */

/* An op with the place where it is waited for. */
struct submitted {
    union {
        struct ph_inbox_op op;
        struct ph_inbox_store store;
        struct ph_inbox_send send;
        struct ph_inbox_control control;
    } u; /* first */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended;
};

static size_t bytes_of(const struct ph_inbox_op *op)
{
    return op->kind == PH_INBOX_SEND      ? sizeof(struct ph_inbox_send)
           : op->kind == PH_INBOX_CONTROL ? sizeof(struct ph_inbox_control)
                                          : sizeof(struct ph_inbox_store);
}

static void on_done(struct ph_inbox_op *op)
{
    struct submitted *s = (struct submitted *)(void *)op;
    pthread_mutex_lock(&s->lock);
    s->ended = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

enum ph_status ph_admin_submit(struct ph_admin_call *call, struct ph_inbox_op *op)
{
    struct submitted s = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    memcpy(&s.u, op, bytes_of(op));
    s.u.op.done = on_done;
    PH_TRY(ph_inbox_submit(ph_gateway_inbox(call->room->gateway), &s.u.op));
    pthread_mutex_lock(&s.lock);
    while (!s.ended)
        pthread_cond_wait(&s.changed, &s.lock);
    pthread_mutex_unlock(&s.lock);
    pthread_mutex_destroy(&s.lock);
    pthread_cond_destroy(&s.changed);
    memcpy(op, &s.u, bytes_of(op));
    return op->status;
}

/* ---- status ---------------------------------------------------------------------------------- */

static void add_inbox(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *root,
                      const struct ph_inbox_counts *c)
{
    struct ph_inbox_health health;
    yyjson_mut_val *inbox = yyjson_mut_obj_add_obj(doc, root, "inbox");
    ph_inbox_health(ph_gateway_inbox(call->room->gateway), &health);
    yyjson_mut_obj_add_str(doc, inbox, "state",
                           health.failed   ? "failed"
                           : health.ailing ? "ailing"
                                           : "healthy");
    if (health.failed || health.ailing)
        ph_admin_text(call, doc, inbox, "why", ph_slice_str(health.why));
    ph_admin_text(call, doc, inbox, "folder", ph_gateway_folder(call->room->gateway));
    yyjson_mut_obj_add_sint(doc, inbox, "requests", c->requests);
    yyjson_mut_obj_add_sint(doc, inbox, "events", c->events);
    yyjson_mut_obj_add_sint(doc, inbox, "duplicates", c->duplicates);
    yyjson_mut_obj_add_sint(doc, inbox, "revisions", c->revisions);
    yyjson_mut_obj_add_sint(doc, inbox, "quarantined", c->quarantined);
    yyjson_mut_obj_add_sint(doc, inbox, "quarantined_bytes", c->quarantined_bytes);
    yyjson_mut_obj_add_sint(doc, inbox, "pending", c->pending);
    yyjson_mut_obj_add_sint(doc, inbox, "pending_bytes", c->pending_bytes);
    yyjson_mut_obj_add_sint(doc, inbox, "pending_unknown", c->pending_unknown);
    yyjson_mut_obj_add_sint(doc, inbox, "dropped", c->dropped);
    yyjson_mut_obj_add_sint(doc, inbox, "dropped_bytes", c->dropped_bytes);
    yyjson_mut_obj_add_sint(doc, inbox, "hinted", c->hinted);
    yyjson_mut_obj_add_sint(doc, inbox, "hinted_bytes", c->hinted_bytes);
    yyjson_mut_obj_add_sint(doc, inbox, "file_bytes", c->file_bytes);
    yyjson_mut_obj_add_sint(doc, inbox, "wal_bytes", c->wal_bytes);
    yyjson_mut_obj_add_sint(doc, inbox, "waiting_ops", c->waiting_ops);
    yyjson_mut_obj_add_sint(doc, inbox, "batches", c->batches);
}

enum ph_admin_end ph_admin_status(struct ph_admin_call *call)
{
    struct ph_inbox_counts counts;
    struct ph_gateway_counts work;
    int64_t backlog = 0, dead = 0;
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    ph_inbox_counts(ph_gateway_inbox(call->room->gateway), &counts);
    ph_gateway_counts(call->room->gateway, &work);
    yyjson_mut_obj_add_str(doc, root, "version", PAYHOOK_VERSION);
    ph_admin_text(call, doc, root, "config", call->view->config->file);
    ph_admin_time(call, doc, root, "now", call->now_ms);
    yyjson_mut_obj_add_uint(doc, root, "endpoints", call->view->config->endpoints.count);
    yyjson_mut_obj_add_uint(doc, root, "destinations", call->view->config->destinations.count);
    add_inbox(call, doc, root, &counts);
    for (size_t bit = 0; bit < call->view->destination_count; bit++) {
        backlog += counts.backlog[bit];
        dead += counts.dead[bit];
    }
    yyjson_mut_val *deliveries = yyjson_mut_obj_add_obj(doc, root, "deliveries");
    yyjson_mut_obj_add_sint(doc, deliveries, "backlog", backlog);
    yyjson_mut_obj_add_sint(doc, deliveries, "dead", dead);
    yyjson_mut_val *follow = yyjson_mut_obj_add_obj(doc, root, "follow_up");
    yyjson_mut_obj_add_uint(doc, follow, "reverified", work.reverified);
    yyjson_mut_obj_add_uint(doc, follow, "recovered", work.recovered);
    yyjson_mut_obj_add_uint(doc, follow, "completed", work.completed);
    yyjson_mut_obj_add_uint(doc, follow, "postponed", work.postponed);
    yyjson_mut_obj_add_uint(doc, follow, "given_up", work.given_up);
    return ph_admin_json(call, 200, doc, root);
}
