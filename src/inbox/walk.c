/* Which indexes a filter can go along, and the merge of them. Newest first, by id; the next page
 * begins where the last one ended. */
#include <stdlib.h>

#include "inbox/walk.h"

enum {
    REQUEST_SLACK_MS = 20 * 1000
}; /* between receipt and commit: a callout and a commit's deadline */

/* ---- where a time is ------------------------------------------------------------------------- */

/* The first request received at or after `ms`, give or take the slack; requests are stored about in
 * order. */
static enum ph_status find_time(struct ph_inbox_reader *reader, int64_t ms, int64_t *ret)
{
    int64_t low = 1, high = 0;
    PH_TRY(ph_sql_number(&reader->sql, PH_R_LAST_REQUEST, NULL, 0, &high));
    for (high++; low < high;) {
        int64_t middle = low + (high - low) / 2;
        sqlite3_stmt *row;
        bool found;
        PH_TRY(PH_SQL_BIND(&reader->sql, PH_R_RECEIVED_AT, &row, ph_sql_int(middle)));
        PH_TRY(ph_sql_next(&reader->sql, row, &found));
        bool before = found && sqlite3_column_int64(row, 1) < ms;
        int64_t id = found ? sqlite3_column_int64(row, 0) : middle;
        ph_sql_end(row);
        if (before)
            low = id + 1;
        else
            high = middle;
    }
    *ret = low;
    return PH_OK;
}

static enum ph_status set_times(struct ph_walk *w, int64_t ids_per_request)
{
    int64_t request;
    w->first = 0;
    w->last = INT64_MAX / 65536 - 1;
    if (w->filter->from_ms > 0) {
        PH_TRY(find_time(w->reader, w->filter->from_ms - REQUEST_SLACK_MS, &request));
        w->first = request * ids_per_request;
    }
    if (w->filter->to_ms > 0 && w->filter->to_ms <= INT64_MAX - REQUEST_SLACK_MS) {
        PH_TRY(find_time(w->reader, w->filter->to_ms + REQUEST_SLACK_MS, &request));
        w->last = (request + 1) * ids_per_request;
    }
    return PH_OK;
}

/* ---- tracks ---------------------------------------------------------------------------------- */

static void add_track(struct ph_walk *w, int below, int64_t a, int64_t b)
{
    if (w->track_count < PH_TRACKS_MAX)
        w->tracks[w->track_count++] = (struct ph_track){.below = below, .a = a, .b = b};
}

static bool wants_kinds(const struct ph_inbox_filter *f)
{
    return f->endpoint.ptr != NULL || f->connector.ptr != NULL || f->type.ptr != NULL ||
           f->class.ptr != NULL;
}

static enum ph_status load_kinds(struct ph_walk *w, struct ph_arena *arena)
{
    const struct ph_inbox_filter *f = w->filter;
    sqlite3_stmt *rows;
    bool row = true;
    w->kinds = ph_arena_alloc(arena, PH_TRACKS_MAX * sizeof *w->kinds);
    if (w->kinds == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(PH_SQL_BIND(&w->reader->sql, PH_R_KINDS, &rows, ph_sql_text(f->endpoint),
                       ph_sql_text(f->connector), ph_sql_text(f->type), ph_sql_text(f->class)));
    while (row) {
        PH_TRY(ph_sql_next(&w->reader->sql, rows, &row));
        if (row && w->kind_count < PH_TRACKS_MAX)
            w->kinds[w->kind_count++] = sqlite3_column_int64(rows, 0);
    }
    return PH_OK;
}

/* Deliveries in a state are found by it where they are few: the dead, the dropped, and the open
 * ones while most events have been told. */
static bool state_is_rare(struct ph_walk *w)
{
    struct ph_inbox_counts counts;
    int64_t open = 0;
    if (w->filter->state == PH_DELIVERY_DEAD || w->filter->state == PH_DELIVERY_DROPPED)
        return true;
    if (!ph_state_open(w->filter->state))
        return false;
    ph_inbox_counts(w->reader->inbox, &counts);
    for (int bit = 0; bit < PH_DESTINATIONS_MAX; bit++)
        open += counts.backlog[bit];
    return open < 1000;
}

static void add_state_tracks(struct ph_walk *w)
{
    int below = ph_state_open(w->filter->state) ? PH_R_OPEN_BELOW : PH_R_ENDED_BELOW;
    for (int number = 0; number < PH_INBOX_NAMES_MAX; number++)
        if (w->destination < 0 || w->destination == number)
            add_track(w, below, number, w->filter->state);
}

static enum ph_status start_events(struct ph_walk *w, struct ph_arena *arena)
{
    const struct ph_inbox_filter *f = w->filter;
    w->destination = -1;
    w->tracks = ph_arena_alloc(arena, PH_TRACKS_MAX * sizeof *w->tracks);
    if (w->tracks == NULL)
        return PH_ERR_NO_MEMORY;
    if (f->destination.ptr != NULL) {
        int64_t number = -1;
        enum ph_status st =
            PH_SQL_NUMBER(&w->reader->sql, PH_R_DESTINATION, &number, ph_sql_text(f->destination));
        if (st != PH_OK && st != PH_ERR_NOT_FOUND)
            return st;
        w->nothing = st == PH_ERR_NOT_FOUND;
        w->destination = (int)number;
    }
    PH_TRY(set_times(w, PH_INBOX_ITEMS_MAX));
    if (wants_kinds(f))
        PH_TRY(load_kinds(w, arena));
    if (f->subject.ptr != NULL)
        w->subject = f->subject;
    else if (state_is_rare(w))
        add_state_tracks(w);
    else if (w->kinds != NULL)
        for (size_t i = 0; i < w->kind_count; i++)
            add_track(w, PH_R_KIND_BELOW, w->kinds[i], 0);
    else
        add_track(w, PH_R_ALL_BELOW, 0, 0);
    w->nothing = w->nothing || (w->kinds != NULL && w->kind_count == 0);
    return PH_OK;
}

static enum ph_status ask(struct ph_walk *w, const struct ph_track *s, int64_t *ret)
{
    int statement = s->below + !w->newest_first;
    enum ph_status st;
    if (w->subject.ptr != NULL)
        st = PH_SQL_NUMBER(&w->reader->sql,
                           w->newest_first ? PH_R_SUBJECT_BELOW : PH_R_SUBJECT_ABOVE, ret,
                           ph_sql_text(w->subject), ph_sql_int(w->at));
    else if (s->below == PH_R_STANDING_BELOW)
        st = PH_SQL_NUMBER(&w->reader->sql, statement, ret, ph_sql_int(s->a),
                           ph_sql_text(w->filter->endpoint), ph_sql_int(w->at));
    else
        st = PH_SQL_NUMBER(&w->reader->sql, statement, ret, ph_sql_int(s->a), ph_sql_int(s->b),
                           ph_sql_int(w->at));
    if (st == PH_ERR_NOT_FOUND ||
        (st == PH_OK && *ret == 0)) /* max() and min() of nothing are NULL */
        *ret = -1;
    return st == PH_ERR_NOT_FOUND ? PH_OK : st;
}

/* The next id in the walk's direction; -1: no more. */
enum ph_status ph_walk_step(struct ph_walk *w, int64_t *ret)
{
    int64_t best = -1;
    struct ph_track only = {0};
    struct ph_track *tracks = w->subject.ptr != NULL ? &only : w->tracks;
    size_t count = w->nothing ? 0 : w->subject.ptr != NULL ? 1 : w->track_count;
    for (size_t i = 0; i < count; i++) {
        struct ph_track *s = &tracks[i];
        if (s->next == 0 || s->next == w->at)
            PH_TRY(ask(w, s, &s->next));
        if (s->next > 0 && (best < 0 || (s->next > best) == w->newest_first))
            best = s->next;
    }
    if (best < w->first || best > w->last)
        best = -1;
    w->at = best;
    *ret = best;
    return PH_OK;
}

void ph_walk_from(struct ph_walk *w, int64_t before, int64_t after)
{
    w->newest_first = after == 0;
    w->at = w->newest_first ? w->last + 1 : w->first - 1;
    if (w->newest_first && before > 0 && before < w->at)
        w->at = before;
    if (!w->newest_first && after > w->at)
        w->at = after;
}

enum ph_status ph_event_find(struct ph_inbox_reader *reader, struct ph_slice event_id, int64_t *ret)
{
    enum ph_status st = PH_SQL_NUMBER(&reader->sql, PH_R_EVENT_BY_KEY, ret, ph_sql_text(event_id));
    if (st == PH_ERR_NOT_FOUND)
        st = PH_SQL_NUMBER(&reader->sql, PH_R_EVENT_BY_NAME, ret, ph_sql_text(event_id));
    if (st != PH_ERR_NOT_FOUND)
        return st;
    /* "evt_<file>_<number>": one of ours. */
    int64_t number = 0;
    size_t at = event_id.len, digits = 0;
    for (int64_t ten = 1;
         at > 0 && digits < 18 && event_id.ptr[at - 1] >= '0' && event_id.ptr[at - 1] <= '9';
         digits++, ten *= 10)
        number += ten * (event_id.ptr[--at] - '0');
    return PH_SQL_NUMBER(&reader->sql, PH_R_EVENT_NAMED, ret, ph_sql_int(number),
                         ph_sql_text(event_id));
}

/* A filter by event id is that one event, if all else fits. */
static enum ph_status start_named(struct ph_walk *w, struct ph_arena *arena)
{
    int64_t id = 0;
    PH_TRY(start_events(w, arena));
    enum ph_status st = ph_event_find(w->reader, w->filter->event_id, &id);
    w->nothing = w->nothing || st == PH_ERR_NOT_FOUND;
    w->subject = (struct ph_slice){0};
    w->track_count = 0;
    w->first = w->last = id;
    add_track(w, PH_R_ALL_BELOW, 0, 0);
    return st == PH_ERR_NOT_FOUND ? PH_OK : st;
}

enum ph_status ph_walk_events(struct ph_walk *w, struct ph_inbox_reader *reader,
                              const struct ph_inbox_filter *filter, struct ph_arena *arena)
{
    *w = (struct ph_walk){.reader = reader, .filter = filter};
    return filter->event_id.ptr != NULL ? start_named(w, arena) : start_events(w, arena);
}

enum ph_status ph_walk_requests(struct ph_walk *w, struct ph_inbox_reader *reader,
                                const struct ph_inbox_filter *f, int32_t standing,
                                struct ph_arena *arena)
{
    *w = (struct ph_walk){.reader = reader, .filter = f, .destination = -1};
    w->tracks = ph_arena_alloc(arena, PH_TRACKS_MAX * sizeof *w->tracks);
    if (w->tracks == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(set_times(w, 1));
    bool filtered = f->endpoint.ptr != NULL || f->connector.ptr != NULL;
    if (standing <= PH_STANDING_ACCEPTED && !filtered) {
        add_track(w, PH_R_REQUESTS_BELOW, 0, 0);
        return PH_OK;
    }
    /* Accepted ones are found by their events, the others by where they stand. */
    for (int32_t s = PH_STANDING_HINT; s <= PH_STANDING_DROPPED; s++)
        if (standing == 0 || standing == s)
            add_track(w, PH_R_STANDING_BELOW, s, 0);
    if (standing > PH_STANDING_ACCEPTED)
        return PH_OK;
    PH_TRY(load_kinds(w, arena));
    for (size_t i = 0; i < w->kind_count; i++)
        add_track(w, PH_R_KIND_REQUEST_BELOW, w->kinds[i], 0);
    return PH_OK;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

enum ph_status ph_walk_may_fit(struct ph_walk *w, int64_t event, bool *ret)
{
    const struct ph_inbox_filter *f = w->filter;
    bool is_kind =
        w->kinds == NULL || (w->track_count > 0 && w->tracks[0].below == PH_R_KIND_BELOW);
    sqlite3_stmt *row;
    *ret = is_kind && f->from_ms == 0 && f->to_ms == 0;
    if (*ret)
        return PH_OK;
    PH_TRY(PH_SQL_BIND(&w->reader->sql, PH_R_EVENT_KIND, &row, ph_sql_int(event)));
    PH_TRY(ph_sql_next(&w->reader->sql, row, ret));
    if (!*ret)
        return PH_OK;
    int64_t kind = sqlite3_column_int64(row, 0), received_ms = sqlite3_column_int64(row, 1);
    ph_sql_end(row);
    *ret = ph_walk_is_in_time(w, received_ms) &&
           (is_kind || bsearch(&kind, w->kinds, w->kind_count, sizeof kind, by_number) != NULL);
    return PH_OK;
}

bool ph_walk_is_in_time(const struct ph_walk *w, int64_t received_ms)
{
    return received_ms >= w->filter->from_ms &&
           (w->filter->to_ms == 0 || received_ms < w->filter->to_ms);
}
