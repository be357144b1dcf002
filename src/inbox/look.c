/* Listings for people. */
#include "inbox/walk.h"

/* ---- events ---------------------------------------------------------------------------------- */

static bool fits(struct ph_slice wanted, struct ph_slice text)
{
    return wanted.ptr == NULL || ph_slice_eq(wanted, text);
}

static enum ph_status read_event(struct ph_inbox_reader *reader, int64_t id, bool answer,
                                 struct ph_arena *arena, struct ph_inbox_event_row *e)
{
    sqlite3_stmt *row;
    bool found;
    int32_t verdict = 0, mode = 0;
    *e = (struct ph_inbox_event_row){0};
    const struct ph_column columns[] = {
        {PH_COLUMN_INT64, &e->id},          {PH_COLUMN_INT64, &e->received_ms},
        {PH_COLUMN_INT64, &e->occurred_ms}, {PH_COLUMN_TEXT, &e->event_id},
        {PH_COLUMN_TEXT, &e->type},         {PH_COLUMN_TEXT, &e->class},
        {PH_COLUMN_TEXT, &e->processor_id}, {PH_COLUMN_TEXT, &e->processor_type},
        {PH_COLUMN_TEXT, &e->subject},      {PH_COLUMN_TEXT, &e->endpoint},
        {PH_COLUMN_TEXT, &e->connector},    {PH_COLUMN_TEXT, &e->account},
        {PH_COLUMN_TEXT, &e->dedupe_key},   {PH_COLUMN_TEXT, &e->effect_key},
        {PH_COLUMN_TEXT, &e->currency},     {PH_COLUMN_INT64, &e->amount},
        {PH_COLUMN_INT32, &verdict},        {PH_COLUMN_INT32, &mode},
        {PH_COLUMN_BOOL, &e->incomplete},   {PH_COLUMN_BOOL, &e->held},
        {PH_COLUMN_BOOL, &e->late},         {PH_COLUMN_INT32, &e->duplicates},
        {PH_COLUMN_INT32, &e->revisions},   {PH_COLUMN_TEXT, &e->answer}};
    PH_TRY(PH_SQL_BIND(&reader->sql, PH_R_EVENT, &row, ph_sql_int(id)));
    PH_TRY(ph_sql_next(&reader->sql, row, &found));
    if (!found)
        return PH_ERR_NOT_FOUND;
    PH_TRY(ph_read_columns(row, arena, columns, PH_COUNTOF(columns) - !answer));
    e->request = ph_event_request(e->id);
    e->item = ph_event_item(e->id);
    e->verdict = (enum ph_verdict)verdict;
    e->mode = (enum ph_mode)mode;
    PH_TRY(PH_SQL_BIND(&reader->sql, PH_R_EVENT_TALLY, &row, ph_sql_int(id)));
    PH_TRY(ph_sql_next(&reader->sql, row, &found));
    e->open = sqlite3_column_int(row, 0);
    e->done = sqlite3_column_int(row, 1);
    e->dead = sqlite3_column_int(row, 2);
    return PH_OK;
}

static enum ph_status has_delivery(struct ph_walk *w, int64_t event, bool *ret)
{
    sqlite3_stmt *rows;
    *ret = w->destination < 0 && w->filter->state == 0;
    if (*ret)
        return PH_OK;
    PH_TRY(PH_SQL_BIND(&w->reader->sql, PH_R_DELIVERIES, &rows, ph_sql_int(event),
                       ph_sql_int(w->destination), ph_sql_int(w->filter->state)));
    PH_TRY(ph_sql_next(&w->reader->sql, rows, ret));
    ph_sql_end(rows);
    return PH_OK;
}

/* Whether the row is what the filter asks for, but for its deliveries. */
static bool event_fits(const struct ph_walk *w, const struct ph_inbox_event_row *e)
{
    const struct ph_inbox_filter *f = w->filter;
    return fits(f->endpoint, e->endpoint) && fits(f->connector, e->connector) &&
           fits(f->type, e->type) && fits(f->class, e->class) && fits(f->subject, e->subject) &&
           fits(f->event_id, e->event_id) && ph_walk_is_in_time(w, e->received_ms);
}

/* The next event that fits; *ret_id -1: no more. `e` is in the arena of the result: at most what is
 * asked for is kept. */
static enum ph_status next_event(struct ph_walk *w, struct ph_arena *arena,
                                 struct ph_inbox_event_row *e, int64_t *ret_id)
{
    for (;;) {
        bool good;
        PH_TRY(ph_walk_step(w, ret_id));
        if (*ret_id < 0)
            return PH_OK;
        PH_TRY(ph_walk_may_fit(w, *ret_id, &good));
        if (good)
            PH_TRY(has_delivery(w, *ret_id, &good));
        if (!good)
            continue;
        PH_TRY(read_event(w->reader, *ret_id, false, arena, e));
        if (event_fits(w, e))
            return PH_OK;
    }
}

static enum ph_status list_events(struct ph_inbox_reader *reader,
                                  const struct ph_inbox_filter *filter, size_t max,
                                  struct ph_arena *arena, struct ph_inbox_event_row *rows,
                                  size_t *count)
{
    struct ph_walk w;
    int64_t id;
    PH_TRY(ph_walk_events(&w, reader, filter, arena));
    ph_walk_from(&w, filter->before, filter->after);
    while (*count < max) {
        PH_TRY(next_event(&w, arena, &rows[*count], &id));
        if (id < 0)
            return PH_OK;
        ++*count;
    }
    return PH_OK;
}

enum ph_status ph_inbox_events(struct ph_inbox_reader *reader, const struct ph_inbox_filter *filter,
                               size_t max, struct ph_arena *arena, struct ph_inbox_event_row **ret,
                               size_t *ret_count)
{
    size_t count = 0;
    struct ph_inbox_event_row *rows = ph_arena_alloc(arena, (max + 1) * sizeof *rows);
    if (rows == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(ph_read_begin(reader));
    PH_TRY(ph_read_end(reader, list_events(reader, filter, max, arena, rows, &count)));
    *ret = rows;
    *ret_count = count;
    return PH_OK;
}

enum ph_status ph_inbox_event_get(struct ph_inbox_reader *reader, int64_t id,
                                  struct ph_arena *arena, struct ph_inbox_event_row *ret)
{
    struct ph_inbox_event_row row;
    PH_TRY(ph_read_begin(reader));
    PH_TRY(ph_read_end(reader, read_event(reader, id, true, arena, &row)));
    *ret = row;
    return PH_OK;
}

enum ph_status ph_inbox_event_find(struct ph_inbox_reader *reader, struct ph_slice event_id,
                                   int64_t *ret_id)
{
    int64_t id;
    PH_TRY(ph_read_begin(reader));
    PH_TRY(ph_read_end(reader, ph_event_find(reader, event_id, &id)));
    *ret_id = id;
    return PH_OK;
}

/* ---- deliveries ------------------------------------------------------------------------------ */

static enum ph_status take_delivery(sqlite3_stmt *row, struct ph_arena *arena,
                                    const struct ph_inbox_event_row *event,
                                    struct ph_inbox_delivery_row *d)
{
    int32_t state = 0;
    *d = (struct ph_inbox_delivery_row){
        .event = event->id, .event_id = event->event_id, .type = event->type};
    const struct ph_column columns[] = {
        {PH_COLUMN_INT64, &d->id},          {PH_COLUMN_INT32, &state},
        {PH_COLUMN_INT64, &d->made_ms},     {PH_COLUMN_INT64, &d->due_ms},
        {PH_COLUMN_INT64, &d->ended_ms},    {PH_COLUMN_INT32, &d->tries},
        {PH_COLUMN_INT32, &d->attempts},    {PH_COLUMN_TEXT, &d->destination},
        {PH_COLUMN_INT32, &d->last_status}, {PH_COLUMN_TEXT, &d->last_reason}};
    PH_TRY(ph_read_columns(row, arena, columns, PH_COUNTOF(columns)));
    d->state = (enum ph_delivery_state)state;
    d->replay = d->id % PH_INBOX_SENDINGS_MAX != 0;
    return PH_OK;
}

/* The event's deliveries that fit, on this side of the page's beginning, into `rows` in the walk's
 * direction. */
static enum ph_status add_deliveries(struct ph_walk *w, const struct ph_inbox_event_row *event,
                                     size_t max, struct ph_arena *arena,
                                     struct ph_inbox_delivery_row *rows, size_t *count)
{
    const struct ph_inbox_filter *f = w->filter;
    sqlite3_stmt *found;
    bool row;
    PH_TRY(PH_SQL_BIND(&w->reader->sql, w->newest_first ? PH_R_DELIVERIES_DOWN : PH_R_DELIVERIES,
                       &found, ph_sql_int(event->id), ph_sql_int(w->destination),
                       ph_sql_int(f->state)));
    while (*count < max) {
        PH_TRY(ph_sql_next(&w->reader->sql, found, &row));
        if (!row)
            return PH_OK;
        int64_t id = sqlite3_column_int64(found, 0);
        if ((w->newest_first && f->before > 0 && id >= f->before) ||
            (!w->newest_first && id <= f->after))
            continue;
        PH_TRY(take_delivery(found, arena, event, &rows[(*count)++]));
    }
    ph_sql_end(found);
    return PH_OK;
}

static enum ph_status list_deliveries(struct ph_inbox_reader *reader,
                                      const struct ph_inbox_filter *filter, int64_t event,
                                      size_t max, struct ph_arena *arena,
                                      struct ph_inbox_delivery_row *rows, size_t *count)
{
    struct ph_walk w;
    struct ph_inbox_event_row e;
    int64_t id;
    PH_TRY(ph_walk_events(&w, reader, filter, arena));
    if (event > 0)
        w.first = w.last = event;
    /* The page's first delivery may be of the event that the last one ended in. */
    ph_walk_from(&w, filter->before > 0 ? ph_delivery_event(filter->before) + 1 : 0,
                 filter->after > 0 ? ph_delivery_event(filter->after) - 1 : 0);
    while (*count < max) {
        PH_TRY(next_event(&w, arena, &e, &id));
        if (id < 0)
            return PH_OK;
        PH_TRY(add_deliveries(&w, &e, max, arena, rows, count));
    }
    return PH_OK;
}

enum ph_status ph_inbox_deliveries(struct ph_inbox_reader *reader,
                                   const struct ph_inbox_filter *filter, int64_t event, size_t max,
                                   struct ph_arena *arena, struct ph_inbox_delivery_row **ret,
                                   size_t *ret_count)
{
    size_t count = 0;
    struct ph_inbox_delivery_row *rows = ph_arena_alloc(arena, (max + 1) * sizeof *rows);
    if (rows == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(ph_read_begin(reader));
    PH_TRY(ph_read_end(reader, list_deliveries(reader, filter, event, max, arena, rows, &count)));
    *ret = rows;
    *ret_count = count;
    return PH_OK;
}

static enum ph_status list_attempts(struct ph_inbox_reader *reader, int64_t delivery, size_t max,
                                    struct ph_arena *arena, struct ph_inbox_attempt *rows,
                                    size_t *count)
{
    sqlite3_stmt *found;
    bool row;
    PH_TRY(PH_SQL_BIND(&reader->sql, PH_R_ATTEMPTS, &found, ph_sql_int(delivery),
                       ph_sql_int((int64_t)max)));
    for (;;) {
        struct ph_inbox_attempt *a = &rows[*count];
        int32_t state = 0;
        PH_TRY(ph_sql_next(&reader->sql, found, &row));
        if (!row)
            return PH_OK;
        *a = (struct ph_inbox_attempt){.counted = true};
        const struct ph_column columns[] = {
            {PH_COLUMN_INT64, &a->delivery}, {PH_COLUMN_INT32, &state},
            {PH_COLUMN_INT64, &a->due_ms},   {PH_COLUMN_INT32, &a->tries},
            {PH_COLUMN_INT64, &a->at_ms},    {PH_COLUMN_INT64, &a->elapsed_ms},
            {PH_COLUMN_INT32, &a->status},   {PH_COLUMN_TEXT, &a->reason}};
        PH_TRY(ph_read_columns(found, arena, columns, PH_COUNTOF(columns)));
        a->state = (enum ph_delivery_state)state;
        ++*count;
    }
}

enum ph_status ph_inbox_attempts(struct ph_inbox_reader *reader, int64_t delivery, size_t max,
                                 struct ph_arena *arena, struct ph_inbox_attempt **ret,
                                 size_t *ret_count)
{
    size_t count = 0;
    struct ph_inbox_attempt *rows = ph_arena_alloc(arena, (max + 1) * sizeof *rows);
    if (rows == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(ph_read_begin(reader));
    PH_TRY(ph_read_end(reader, list_attempts(reader, delivery, max, arena, rows, &count)));
    *ret = rows;
    *ret_count = count;
    return PH_OK;
}

/* ---- requests -------------------------------------------------------------------------------- */

static enum ph_status read_request_row(struct ph_inbox_reader *reader, int64_t id,
                                       struct ph_arena *arena, struct ph_inbox_request_row *r)
{
    sqlite3_stmt *row;
    bool found;
    int32_t standing = 0, verdict = 0;
    *r = (struct ph_inbox_request_row){0};
    const struct ph_column columns[] = {
        {PH_COLUMN_INT64, &r->id},      {PH_COLUMN_INT64, &r->received_ms},
        {PH_COLUMN_TEXT, &r->endpoint}, {PH_COLUMN_TEXT, &r->connector},
        {PH_COLUMN_TEXT, &r->remote},   {PH_COLUMN_TEXT, &r->verdict_reason},
        {PH_COLUMN_TEXT, &r->secret},   {PH_COLUMN_INT32, &standing},
        {PH_COLUMN_INT32, &verdict},    {PH_COLUMN_INT64, &r->bytes},
        {PH_COLUMN_INT32, &r->events}};
    PH_TRY(PH_SQL_BIND(&reader->sql, PH_R_REQUEST_ROW, &row, ph_sql_int(id)));
    PH_TRY(ph_sql_next(&reader->sql, row, &found));
    if (!found)
        return PH_ERR_NOT_FOUND;
    PH_TRY(ph_read_columns(row, arena, columns, PH_COUNTOF(columns)));
    r->standing = (enum ph_inbox_standing)standing;
    r->verdict = (enum ph_verdict)verdict;
    ph_sql_end(row);
    return PH_OK;
}

static enum ph_status list_requests(struct ph_inbox_reader *reader,
                                    const struct ph_inbox_filter *filter, int32_t standing,
                                    size_t max, struct ph_arena *arena,
                                    struct ph_inbox_request_row *rows, size_t *count)
{
    struct ph_walk w;
    int64_t id;
    PH_TRY(ph_walk_requests(&w, reader, filter, standing, arena));
    ph_walk_from(&w, filter->before, filter->after);
    while (*count < max) {
        struct ph_inbox_request_row *r = &rows[*count];
        PH_TRY(ph_walk_step(&w, &id));
        if (id < 0)
            return PH_OK;
        PH_TRY(read_request_row(reader, id, arena, r));
        *count += fits(filter->endpoint, r->endpoint) && fits(filter->connector, r->connector) &&
                  (standing == 0 || standing == (int32_t)r->standing) &&
                  ph_walk_is_in_time(&w, r->received_ms);
    }
    return PH_OK;
}

enum ph_status ph_inbox_requests(struct ph_inbox_reader *reader,
                                 const struct ph_inbox_filter *filter, int32_t standing, size_t max,
                                 struct ph_arena *arena, struct ph_inbox_request_row **ret,
                                 size_t *ret_count)
{
    size_t count = 0;
    struct ph_inbox_request_row *rows = ph_arena_alloc(arena, (max + 1) * sizeof *rows);
    if (rows == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(ph_read_begin(reader));
    PH_TRY(ph_read_end(reader, list_requests(reader, filter, standing, max, arena, rows, &count)));
    *ret = rows;
    *ret_count = count;
    return PH_OK;
}
