/* JUDGE: a stored request read again. What was told stays told; what was held is told now, stays
 * held, or turns out to be known. The raw bytes stay as they are (G6). */
#include "inbox/inbox_private.h"

struct row {
    int64_t id;
    bool held, late, seen;
};

struct hearing {
    struct ph_context context;
    struct ph_standing was;
    struct row *rows; /* its events, as stored */
    size_t row_count, told;
    size_t fresh, held, known, kept; /* as in store.c */
};

static enum ph_status load_request(struct ph_inbox *inbox, int64_t id, struct hearing *h)
{
    sqlite3_stmt *get;
    bool row;
    PH_TRY(PH_SQL_BIND(&inbox->sql, PH_W_REQUEST_GET, &get, ph_sql_int(id)));
    PH_TRY(ph_sql_next(&inbox->sql, get, &row));
    if (!row)
        return PH_ERR_NOT_FOUND;
    h->was = (struct ph_standing){.request = id,
                                  .standing = (enum ph_inbox_standing)sqlite3_column_int(get, 0),
                                  .bytes = sqlite3_column_int64(get, 1),
                                  .work = (enum ph_inbox_work)sqlite3_column_int(get, 6)};
    h->context.received_ms = sqlite3_column_int64(get, 2);
    enum ph_status st = ph_sql_copy(get, 3, &inbox->scratch, &h->context.endpoint);
    if (st == PH_OK)
        st = ph_sql_copy(get, 4, &inbox->scratch, &h->context.connector);
    if (st == PH_OK)
        st = ph_sql_copy(get, 5, &inbox->scratch, &h->context.trace);
    ph_sql_end(get);
    h->was.endpoint = h->context.endpoint;
    return st;
}

static enum ph_status load_events(struct ph_inbox *inbox, int64_t id, struct hearing *h)
{
    sqlite3_stmt *get;
    bool row;
    h->rows = ph_arena_alloc(&inbox->scratch, PH_INBOX_ITEMS_MAX * sizeof *h->rows);
    if (h->rows == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(PH_SQL_BIND(&inbox->sql, PH_W_EVENTS_OF, &get, ph_sql_int(ph_event_id(id, 0)),
                       ph_sql_int(ph_event_id(id, PH_INBOX_ITEMS_MAX - 1))));
    for (;;) {
        PH_TRY(ph_sql_next(&inbox->sql, get, &row));
        if (!row)
            return PH_OK;
        struct row *r = &h->rows[h->row_count++];
        *r = (struct row){.id = sqlite3_column_int64(get, 0),
                          .held = sqlite3_column_int(get, 1) != 0,
                          .late = sqlite3_column_int(get, 2) != 0};
        h->told += !r->held;
    }
}

static struct row *find_row(struct hearing *h, int64_t id)
{
    for (size_t i = 0; i < h->row_count; i++)
        if (h->rows[i].id == id)
            return &h->rows[i];
    return NULL;
}

/* The key, taken or already its own; *ret_own false: another event's. */
static enum ph_status claim(struct ph_inbox *inbox, const struct ph_inbox_event *event,
                            bool *ret_own, struct ph_known *ret_known)
{
    *ret_known = (struct ph_known){.event = event->id, .same = true};
    *ret_own = true;
    if (event->verdict != PH_VERIFIED || event->dedupe_key.len == 0)
        return PH_OK;
    PH_TRY(ph_key_take(inbox, event, event->id, PH_KEY_NOW, ret_own, ret_known));
    if (*ret_own) {
        *ret_known = (struct ph_known){.event = event->id, .same = true};
        return PH_OK;
    }
    *ret_own = ret_known->event == event->id;
    if (*ret_own && !ret_known->same)
        return PH_SQL_RUN(&inbox->sql, PH_W_KEY_DIGEST,
                          ph_sql_blob(ph_slice_of(event->digest, PH_KEY_DIGEST_BYTES)),
                          ph_sql_int(inbox->now_ms), ph_sql_text(event->dedupe_key));
    return PH_OK;
}

/* It was told: only what it reads may change. */
static enum ph_status judge_told(struct ph_inbox *inbox, struct hearing *h, const struct row *row,
                                 struct ph_inbox_event *event)
{
    struct ph_known known;
    bool own;
    event->found = PH_FOUND_DUPLICATE;
    event->late = row->late;
    if (!ph_may_be_told(event->verdict) || event->held)
        return PH_OK;
    PH_TRY(claim(inbox, event, &own, &known));
    if (!own)
        return PH_OK;
    if (!known.same)
        event->found = PH_FOUND_REVISION;
    return ph_event_put(inbox, &h->context, PH_EVENT_WAS_TOLD, false, event);
}

static enum ph_status put_held(struct ph_inbox *inbox, struct hearing *h,
                               struct ph_inbox_event *event)
{
    bool asked = event->held;
    event->held = true;
    event->found = PH_FOUND_HELD;
    enum ph_status st = ph_event_put(inbox, &h->context, PH_EVENT_WAS_HELD, false, event);
    event->held = asked;
    return st;
}

static enum ph_status judge_event(struct ph_inbox *inbox, struct hearing *h, bool refused,
                                  int64_t request, struct ph_inbox_event *event)
{
    struct ph_known known;
    bool own, kept;
    event->id = ph_event_id(request, event->item);
    struct row *row = find_row(h, event->id);
    if (row != NULL)
        row->seen = true;
    if (row != NULL && !row->held)
        return judge_told(inbox, h, row, event);
    if (refused || !ph_may_be_told(event->verdict)) {
        h->held++;
        return put_held(inbox, h, event);
    }
    PH_TRY(claim(inbox, event, &own, &known));
    if (own) {
        h->fresh++;
        if (row == NULL)
            inbox->figures.events++;
        if (event->held)
            return put_held(inbox, h, event);
        event->found = PH_FOUND_NEW;
        return ph_event_put(inbox, &h->context, PH_EVENT_WAS_HELD, false, event);
    }
    PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_EVENT_DROP, ph_sql_int(event->id)));
    event->id = known.event;
    event->found = known.same ? PH_FOUND_DUPLICATE : PH_FOUND_REVISION;
    h->known++;
    if (row == NULL && h->row_count > 0)
        return PH_OK; /* others of its request have rows: this one was known then, and was counted */
    PH_TRY(ph_key_again(inbox, event, known, request, &kept));
    h->kept += kept;
    return PH_OK;
}

/* Held events that the new reading does not have. */
static enum ph_status drop_unseen(struct ph_inbox *inbox, struct hearing *h)
{
    for (size_t i = 0; i < h->row_count; i++)
        if (h->rows[i].held && !h->rows[i].seen)
            PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_EVENT_DROP, ph_sql_int(h->rows[i].id)));
    return PH_OK;
}

static enum ph_status put_request(struct ph_inbox *inbox, const struct ph_inbox_request *r,
                                  const struct hearing *h, enum ph_inbox_standing standing,
                                  size_t event_count)
{
    struct ph_slice brought;
    PH_TRY(ph_brought_bytes(&inbox->scratch, r->brought, r->brought_count, &brought));
    struct ph_standing is = h->was;
    is.standing = standing;
    is.work = r->work;
    ph_count_standing(inbox, &h->was, -1);
    ph_count_standing(inbox, &is, 1);
    return PH_SQL_RUN(&inbox->sql, PH_W_REQUEST_JUDGE, ph_sql_int(standing), ph_sql_int(r->verdict),
                      ph_sql_text(r->verdict_reason), ph_sql_text(r->secret), ph_sql_int(r->work),
                      r->work != PH_WORK_NONE ? ph_sql_int(r->work_due_ms) : ph_sql_int_or_null(0),
                      ph_sql_int(r->work_tries), ph_sql_int((int64_t)event_count),
                      ph_sql_text(r->page_hash), ph_sql_text(r->engine_version),
                      ph_sql_blob(brought), ph_sql_int(r->id));
}

/* What strangers brought goes there as far as there is room, by whichever way it comes. */
static bool may_join_quarantine(const struct ph_inbox *inbox, const struct hearing *h)
{
    struct ph_standing is = h->was;
    is.standing = PH_STANDING_QUARANTINED;
    return h->was.standing == PH_STANDING_QUARANTINED || h->was.standing == PH_STANDING_ACCEPTED ||
           ph_has_room(inbox, &is);
}

/* Of the endpoint that it was stored for, when it was received. */
static enum ph_status note_use(struct ph_inbox *inbox, const struct ph_inbox_request *r,
                               const struct hearing *h)
{
    struct ph_inbox_request use = {.endpoint = r->endpoint,
                                   .verdict = r->verdict,
                                   .secret = r->secret,
                                   .secret_of = r->secret_of,
                                   .received_ms = h->context.received_ms};
    return ph_use_note(inbox, &use);
}

enum ph_status ph_judge(struct ph_inbox *inbox, struct ph_inbox_store *op)
{
    struct hearing h = {0};
    const struct ph_inbox_request *r = &op->request;
    enum ph_inbox_standing standing = r->standing;
    bool refused = standing != PH_STANDING_ACCEPTED && standing != PH_STANDING_HINT;
    for (size_t i = 0; i < op->event_count; i++)
        if (op->events[i].item < 0 || op->events[i].item >= PH_INBOX_ITEMS_MAX)
            return PH_ERR_INVALID;
    PH_TRY(
        ph_keys_settle(inbox, ph_event_id(r->id, 0), ph_event_id(r->id, PH_INBOX_ITEMS_MAX - 1)));
    PH_TRY(load_request(inbox, r->id, &h));
    PH_TRY(load_events(inbox, r->id, &h));
    if (h.was.standing != PH_STANDING_ACCEPTED && h.was.standing != PH_STANDING_REVISION)
        PH_TRY(note_use(inbox, r, &h));
    for (size_t i = 0; i < op->event_count; i++)
        PH_TRY(judge_event(inbox, &h, refused, r->id, &op->events[i]));
    if (op->event_count > 0)
        PH_TRY(drop_unseen(inbox, &h));
    size_t left = op->event_count == 0 ? h.row_count : h.told + h.fresh + h.held;
    op->stored = PH_STORED_NEW;
    if (op->event_count > 0 && h.known == op->event_count && left == 0) {
        op->stored = PH_STORED_DUPLICATE;
        standing = PH_STANDING_REVISION;
        if (h.kept == 0) {
            ph_count_standing(inbox, &h.was, -1);
            return PH_SQL_RUN(&inbox->sql, PH_W_REQUEST_DROP, ph_sql_int(r->id));
        }
    }
    if (h.held > 0 && h.fresh == 0 && h.told == 0 && standing == PH_STANDING_ACCEPTED)
        standing = PH_STANDING_QUARANTINED;
    if (standing == PH_STANDING_QUARANTINED && !may_join_quarantine(inbox, &h))
        standing = PH_STANDING_DROPPED;
    return put_request(inbox, r, &h, standing, left);
}
