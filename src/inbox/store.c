/* STORE: a request and its events, as received. Whether it is known is asked of the keys first,
 * within the batch's own transaction: what is all known leaves nothing but a count (I2). */
#include <stdio.h>

#include "inbox/inbox_private.h"

bool ph_may_be_told(enum ph_verdict verdict)
{
    return verdict == PH_VERIFIED || verdict == PH_UNSIGNED || verdict == PH_UNSUPPORTED;
}

/* ---- rooms (I4) ------------------------------------------------------------------------------ */

/* Endpoints whose names fall together have their share together: a few bytes for each are enough,
 * however many there are. */
static struct ph_room *share_of(struct ph_figures *f, const struct ph_standing *s)
{
    uint64_t h = ph_slice_hash(PH_HASH_START, s->endpoint);
    return &f->shares[s->work == PH_WORK_VERIFY_UNKNOWN][h % PH_INBOX_SHARES];
}

/* An endpoint's part is at most what all of them leave free: one alone has half, and a flood of
 * its own never takes the last place. */
static bool has_pending_room(const struct ph_inbox *inbox, const struct ph_standing *s)
{
    const struct ph_inbox_options *o = &inbox->settings.options;
    const struct ph_figures *f = &inbox->figures;
    const struct ph_room *share = share_of((struct ph_figures *)f, s);
    bool unknown = s->work == PH_WORK_VERIFY_UNKNOWN;
    int64_t requests = o->quarantine_requests - (f->pending - f->unknown.requests);
    int64_t bytes = o->quarantine_bytes - (f->pending_bytes - f->unknown.bytes);
    if (unknown) {
        requests = (o->quarantine_requests + 3) / 4 - f->unknown.requests;
        bytes = o->quarantine_bytes / 4 - f->unknown.bytes;
    }
    return share->requests < requests && share->bytes + s->bytes <= bytes;
}

bool ph_has_room(const struct ph_inbox *inbox, const struct ph_standing *s)
{
    const struct ph_inbox_options *o = &inbox->settings.options;
    const struct ph_figures *f = &inbox->figures;
    switch (s->standing) {
    case PH_STANDING_QUARANTINED:
        return f->quarantined < o->quarantine_requests &&
               f->quarantined_bytes + s->bytes <= o->quarantine_bytes;
    case PH_STANDING_PENDING:
        return has_pending_room(inbox, s);
    case PH_STANDING_HINT:
        return f->hints < o->quarantine_requests && f->hint_bytes + s->bytes <= o->quarantine_bytes;
    case PH_STANDING_ACCEPTED:
    case PH_STANDING_REVISION:
    case PH_STANDING_DROPPED:
    default:
        return true;
    }
}

struct ph_room ph_dropped_over(const struct ph_inbox *inbox)
{
    const struct ph_inbox_options *o = &inbox->settings.options;
    const struct ph_room *there = &inbox->figures.dropped;
    return (struct ph_room){
        there->requests > o->quarantine_requests ? there->requests - o->quarantine_requests : 0,
        there->bytes > o->quarantine_bytes ? there->bytes - o->quarantine_bytes : 0};
}

static void add_to(struct ph_room *room, int64_t requests, int64_t bytes)
{
    room->requests += requests;
    room->bytes += bytes;
}

void ph_count_room(struct ph_figures *f, const struct ph_standing *s, int64_t by_requests,
                   int64_t by_bytes)
{
    if (s->standing == PH_STANDING_DROPPED)
        add_to(&f->dropped, by_requests, by_bytes);
    if (s->standing != PH_STANDING_PENDING)
        return;
    add_to(share_of(f, s), by_requests, by_bytes);
    if (s->work == PH_WORK_VERIFY_UNKNOWN)
        add_to(&f->unknown, by_requests, by_bytes);
}

void ph_count_standing(struct ph_inbox *inbox, const struct ph_standing *s, int64_t by)
{
    struct ph_figures *f = &inbox->figures;
    if (s->standing == PH_STANDING_QUARANTINED)
        f->quarantined += by, f->quarantined_bytes += by * s->bytes;
    if (s->standing == PH_STANDING_PENDING)
        f->pending += by, f->pending_bytes += by * s->bytes;
    if (s->standing == PH_STANDING_HINT && s->request >= f->hints_from)
        f->hints += by, f->hint_bytes += by * s->bytes;
    ph_count_room(f, s, by, by * s->bytes);
    inbox->figures_touched = true;
}

/* ---- an event's rows ------------------------------------------------------------------------- */

static uint64_t hash_texts(const struct ph_slice *texts, size_t count)
{
    uint64_t h = PH_HASH_START; /* a hit is confirmed by nothing but 64 bits: see find_kind */
    for (size_t i = 0; i < count; i++)
        h = (ph_slice_hash(h, texts[i]) ^ 0x100) * 1099511628211u; /* where one text ends */
    return h;
}

static struct ph_slice or_empty(struct ph_slice text)
{
    return text.ptr != NULL ? text : PH_S("");
}

/* The number of what the event has in common with others. The cache is of our own names (endpoints,
 * connectors, types), which no stranger chooses: 64 bits tell them apart. */
static enum ph_status find_kind(struct ph_inbox *inbox, const struct ph_context *context,
                                const struct ph_inbox_event *event, int64_t *ret)
{
    const struct ph_slice t[] = {or_empty(context->endpoint), or_empty(context->connector),
                                 or_empty(event->type), or_empty(event->class)};
    uint64_t hash = hash_texts(t, PH_COUNTOF(t));
    struct ph_known_kind *cached = &inbox->kinds[hash % PH_INBOX_KINDS_CACHED];
    if (cached->id == 0 || cached->hash != hash) {
        const struct ph_sql_value values[] = {ph_sql_text(t[0]), ph_sql_text(t[1]),
                                              ph_sql_text(t[2]), ph_sql_text(t[3])};
        int64_t id = 0;
        enum ph_status st =
            ph_sql_number(&inbox->sql, PH_W_KIND_GET, values, PH_COUNTOF(values), &id);
        if (st == PH_ERR_NOT_FOUND)
            st = ph_sql_number(&inbox->sql, PH_W_KIND_ADD, values, PH_COUNTOF(values), &id);
        PH_TRY(st);
        *cached = (struct ph_known_kind){.id = id, .hash = hash};
    }
    *ret = cached->id;
    return PH_OK;
}

static enum ph_status is_of(struct ph_inbox *inbox, const struct ph_context *context, int64_t kind,
                            bool *ret)
{
    int64_t one;
    enum ph_status st = PH_SQL_NUMBER(&inbox->sql, PH_W_KIND_IS_OF, &one, ph_sql_int(kind),
                                      ph_sql_text(or_empty(context->endpoint)),
                                      ph_sql_text(or_empty(context->connector)));
    *ret = st == PH_OK;
    return st == PH_ERR_NOT_FOUND ? PH_OK : st;
}

/* Nearly always there is nothing newer; joined with `kinds` in one statement, each look for it made
 * a table of its own first. */
static enum ph_status find_late(struct ph_inbox *inbox, const struct ph_context *context,
                                int64_t kind, struct ph_inbox_event *event)
{
    int64_t kinds[PH_INBOX_NEWER_LOOKED_AT];
    size_t count = 0;
    sqlite3_stmt *rows;
    bool row;
    event->late = false;
    if (event->held || event->subject.len == 0 || event->occurred_ms <= 0)
        return PH_OK;
    PH_TRY(PH_SQL_BIND(&inbox->sql, PH_W_EVENT_NEWER, &rows, ph_sql_text(event->subject),
                       ph_sql_int(event->occurred_ms),
                       ph_sql_int(inbox->now_ms + PH_INBOX_AHEAD_MS_MAX),
                       ph_sql_int(PH_INBOX_NEWER_LOOKED_AT)));
    do {
        PH_TRY(ph_sql_next(&inbox->sql, rows, &row));
        if (row && sqlite3_column_int(rows, 1) == (int)event->verdict &&
            sqlite3_column_int64(rows, 2) <= PH_INBOX_AHEAD_MS_MAX)
            kinds[count++] = sqlite3_column_int64(rows, 0);
    } while (row);
    for (size_t i = 0; !event->late && i < count; i++) {
        event->late = kinds[i] == kind;
        if (!event->late)
            PH_TRY(is_of(inbox, context, kinds[i], &event->late));
    }
    return PH_OK;
}

static enum ph_status tell(struct ph_inbox *inbox, const struct ph_inbox_event *event)
{
    for (uint64_t left = event->destinations; left != 0; left &= left - 1) {
        int bit = __builtin_ctzll(left), number = inbox->numbers[bit];
        if (number < 0)
            continue;
        if ((event->once_per_effect >> bit & 1) != 0 && event->effect_key.len > 0) {
            PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_EFFECT_TAKE, ph_sql_text(event->effect_key),
                              ph_sql_int(number), ph_sql_int(event->id),
                              ph_sql_int(inbox->now_ms)));
            if (sqlite3_changes(inbox->sql.db) == 0)
                continue;
        }
        PH_TRY(ph_delivery_add(inbox, event->id, number, 0));
    }
    return PH_OK;
}

enum ph_status ph_event_put(struct ph_inbox *inbox, const struct ph_context *context,
                            enum ph_event_was was, bool has_key, struct ph_inbox_event *event)
{
    bool told = was == PH_EVENT_WAS_TOLD;
    char made[PH_EVENT_NAME_BYTES];
    int64_t kind;
    struct ph_slice name = event->event_id;
    bool is_key = event->verdict == PH_VERIFIED && event->dedupe_key.len > 0 &&
                  ph_slice_eq(name, event->dedupe_key);
    PH_TRY(find_kind(inbox, context, event, &kind));
    if (!told)
        PH_TRY(find_late(inbox, context, kind, event));
    if (name.len == 0) {
        int len = snprintf(made, sizeof made, "evt_%s_%lld", inbox->file, (long long)event->id);
        name = ph_slice_of(made, (size_t)len);
    } else if (!is_key && !event->held) {
        PH_TRY(
            PH_SQL_RUN(&inbox->sql, PH_W_EVENT_NAME_ADD, ph_sql_text(name), ph_sql_int(event->id)));
    }
    bool money = event->currency.len > 0;
    PH_TRY(PH_SQL_RUN(
        &inbox->sql, was == PH_EVENT_WAS_NOT ? PH_W_EVENT_ADD : PH_W_EVENT_SET,
        ph_sql_int(event->id), ph_sql_int(kind), ph_sql_int(event->verdict),
        ph_sql_int(event->mode), ph_sql_int(event->held), ph_sql_int(event->incomplete),
        ph_sql_int(event->late), ph_sql_int(context->received_ms),
        ph_sql_int_or_null(event->occurred_ms),
        money ? ph_sql_int(event->amount) : ph_sql_int_or_null(0), ph_sql_text(event->currency),
        ph_sql_text(event->dedupe_key), ph_sql_text(event->effect_key),
        is_key ? ph_sql_int_or_null(0) : ph_sql_text(name), ph_sql_text(event->processor_id),
        ph_sql_text(event->processor_type), ph_sql_text(event->subject),
        ph_sql_text(event->account), ph_sql_text(context->trace),
        has_key ? ph_sql_blob(ph_slice_of(event->digest, PH_KEY_DIGEST_BYTES))
                : ph_sql_int_or_null(0),
        ph_sql_text(event->answer)));
    return event->held || told ? PH_OK : tell(inbox, event);
}

/* ---- the request ----------------------------------------------------------------------------- */

static struct ph_standing standing_of(const struct ph_inbox_request *r,
                                      enum ph_inbox_standing standing, struct ph_slice headers)
{
    return (struct ph_standing){.request = r->id,
                                .standing = standing,
                                .work = r->work,
                                .endpoint = r->endpoint,
                                .bytes = (int64_t)(headers.len + r->body.len)};
}

static enum ph_status put_request(struct ph_inbox *inbox, const struct ph_inbox_request *r,
                                  enum ph_inbox_standing standing, size_t event_count,
                                  struct ph_slice headers)
{
    struct ph_slice brought;
    const struct ph_standing counted = standing_of(r, standing, headers);
    PH_TRY(ph_brought_bytes(&inbox->scratch, r->brought, r->brought_count, &brought));
    PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_REQUEST_ADD, ph_sql_int(r->id), ph_sql_int(standing),
                      ph_sql_int(r->received_ms), ph_sql_text(or_empty(r->endpoint)),
                      ph_sql_text(or_empty(r->connector)), ph_sql_int(r->verdict),
                      ph_sql_text(r->verdict_reason), ph_sql_text(r->secret), ph_sql_int(r->work),
                      r->work != PH_WORK_NONE ? ph_sql_int(r->work_due_ms) : ph_sql_int_or_null(0),
                      ph_sql_int(r->work_tries), ph_sql_int((int64_t)event_count),
                      ph_sql_int(counted.bytes), ph_sql_text(r->method), ph_sql_text(r->uri),
                      ph_sql_text(r->remote), ph_sql_text(r->trace), ph_sql_text(r->page_hash),
                      ph_sql_text(r->engine_version), ph_sql_blob(brought), ph_sql_text(headers),
                      ph_sql_blob(or_empty(r->body))));
    ph_count_standing(inbox, &counted, 1);
    inbox->figures.requests++;
    return PH_OK;
}

struct tally {
    size_t fresh, held, known,
        kept; /* trusted and new; not trusted; known; of these revisions that were kept */
};

static bool is_refused(const struct ph_inbox_store *op)
{
    return op->request.standing == PH_STANDING_QUARANTINED ||
           op->request.standing == PH_STANDING_PENDING;
}

static bool takes_key(const struct ph_inbox_store *op, const struct ph_inbox_event *event)
{
    return !is_refused(op) && event->verdict == PH_VERIFIED && event->dedupe_key.len > 0;
}

/* What each event is, and keys for the new ones. `id` is the request's, should it be stored. */
static enum ph_status classify(struct ph_inbox *inbox, struct ph_inbox_store *op, int64_t id,
                               struct tally *ret)
{
    for (size_t i = 0; i < op->event_count; i++) {
        struct ph_inbox_event *event = &op->events[i];
        struct ph_known known = {0};
        bool taken = true, kept;
        event->id = ph_event_id(id, event->item);
        if (is_refused(op) || !ph_may_be_told(event->verdict)) {
            event->found = PH_FOUND_HELD;
            ret->held++;
            continue;
        }
        if (takes_key(op, event))
            PH_TRY(ph_key_take(inbox, event, event->id, PH_KEY_MAY_WAIT, &taken, &known));
        if (taken) {
            event->found = event->held ? PH_FOUND_HELD : PH_FOUND_NEW;
            ret->fresh++;
            continue;
        }
        event->id = known.event;
        event->found = known.same ? PH_FOUND_DUPLICATE : PH_FOUND_REVISION;
        PH_TRY(ph_key_again(inbox, event, known, id, &kept));
        ret->known++;
        ret->kept += kept;
    }
    return PH_OK;
}

/* `stale` requests: duplicates when all their keys are known, which is only looked at. */
static enum ph_status match(struct ph_inbox *inbox, struct ph_inbox_store *op, bool *ret_known)
{
    *ret_known = op->event_count > 0;
    for (size_t i = 0; *ret_known && i < op->event_count; i++) {
        struct ph_inbox_event *event = &op->events[i];
        struct ph_known known;
        *ret_known = event->dedupe_key.len > 0;
        if (*ret_known)
            PH_TRY(ph_key_get(inbox, event, ret_known, &known));
        if (!*ret_known)
            break;
        event->id = known.event;
        event->found = known.same ? PH_FOUND_DUPLICATE : PH_FOUND_REVISION;
    }
    for (size_t i = 0; *ret_known && i < op->event_count; i++) {
        bool kept;
        PH_TRY(ph_key_again(inbox, &op->events[i], (struct ph_known){.same = true}, 0, &kept));
    }
    return PH_OK;
}

static enum ph_status put_events(struct ph_inbox *inbox, struct ph_inbox_store *op)
{
    const struct ph_inbox_request *r = &op->request;
    const struct ph_context context = {.endpoint = r->endpoint,
                                       .connector = r->connector,
                                       .trace = r->trace,
                                       .received_ms = r->received_ms};
    for (size_t i = 0; i < op->event_count; i++) {
        struct ph_inbox_event *event = &op->events[i];
        if (event->found != PH_FOUND_NEW && event->found != PH_FOUND_HELD)
            continue;
        bool asked = event->held;
        event->held = event->found == PH_FOUND_HELD;
        enum ph_status st =
            ph_event_put(inbox, &context, PH_EVENT_WAS_NOT, takes_key(op, event), event);
        event->held = asked; /* the caller's: the op may be done again, alone */
        PH_TRY(st);
        inbox->figures.events++;
    }
    return PH_OK;
}

static bool items_are_sound(const struct ph_inbox_store *op)
{
    for (size_t i = 0; i < op->event_count; i++)
        if (op->events[i].item < 0 || op->events[i].item >= PH_INBOX_ITEMS_MAX)
            return false;
    return true;
}

enum ph_status ph_store(struct ph_inbox *inbox, struct ph_inbox_store *op)
{
    struct tally tally = {0};
    struct ph_slice headers;
    struct ph_inbox_request *r = &op->request;
    enum ph_inbox_standing standing = r->standing;
    bool known = false;
    r->id = 0;
    if (!items_are_sound(op))
        return PH_ERR_INVALID;
    PH_TRY(ph_headers_text(&inbox->scratch, r->headers, r->header_count, &headers));
    struct ph_standing counted = standing_of(r, standing, headers);
    /* Hints are never known; nothing of one that is not kept may have taken a key. */
    if (standing == PH_STANDING_HINT && !ph_has_room(inbox, &counted)) {
        op->stored = PH_STORED_FULL;
        return PH_OK;
    }
    if (r->match_only)
        PH_TRY(match(inbox, op, &known));
    int64_t id = inbox->figures.next_request;
    if (!known)
        PH_TRY(classify(inbox, op, id, &tally));
    /* Good items that are all known, with bad ones beside them: the bad ones are nobody's but the
     * sender's, and go where they are bounded. */
    if (tally.held > 0 && tally.fresh == 0 && standing == PH_STANDING_ACCEPTED)
        standing = PH_STANDING_QUARANTINED;
    if (op->event_count > 0 && tally.known == op->event_count) {
        known = tally.kept == 0;
        standing = PH_STANDING_REVISION;
    }
    op->stored = known || standing == PH_STANDING_REVISION ? PH_STORED_DUPLICATE : PH_STORED_NEW;
    PH_TRY(ph_use_note(inbox, r));
    if (known)
        return PH_OK;
    counted.standing = standing;
    if (!ph_has_room(inbox, &counted)) {
        op->stored = PH_STORED_FULL;
        inbox->figures.next_request += tally.kept > 0; /* a revision's row names this request */
        return PH_OK;
    }
    r->id = id;
    inbox->figures.next_request = id + 1;
    PH_TRY(put_request(inbox, r, standing, tally.fresh + tally.held, headers));
    return put_events(inbox, op);
}
