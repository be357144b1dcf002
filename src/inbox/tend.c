/* Forgetting, in small steps within the batches: what retention says, what the quarantine has held
 * long enough, keys that are too old, deliveries to destinations that are gone. A step that does
 * not get to its end goes on with the next batch, and forgets at least as much as that batch
 * brings.
 *
 * T1: a request goes only when all its deliveries are final, nothing more is to be done for it, and
 * it is neither pending nor quarantined (that has an age of its own; so may what is dropped, past
 * its bound); with it go its events,
 * deliveries and attempts, not its keys. T2: a key goes only when its event is gone and nobody has
 * asked for it within keys_ms. */
#include <assert.h>

#include "inbox/inbox_private.h"
#include "os/clock.h"

enum {
    PASS_MS = 1000,             /* between two passes of retention */
    PASS_LONG_MS = 60 * 1000,   /* … when the last left much that may not go yet */
    KEYS_PASS_MS = 3600 * 1000, /* keys live for months: a pass an hour is plenty */
    LEFT_MANY = 1000,
    VACUUM_PAGES_MIN = 1024 /* below 8 MiB free it is not worth it: the next rows take the room */
};

struct kept {
    int64_t id, received_ms, bytes;
    enum ph_inbox_standing standing;
    enum ph_inbox_work work;
};

/* A page of rows, read before any is deleted: a statement does not like its table changed under it.
 * `standing` 0: any. */
static enum ph_status scan_requests(struct ph_inbox *inbox, int standing, int64_t after, size_t max,
                                    struct kept **ret, size_t *ret_count)
{
    const struct ph_sql_value values[] = {ph_sql_int(after), ph_sql_int((int64_t)max),
                                          ph_sql_int(standing)};
    int statement = standing == 0 ? PH_W_REQUEST_SCAN : PH_W_STANDING_SCAN;
    sqlite3_stmt *rows;
    bool row;
    struct kept *kept = ph_arena_alloc(&inbox->scratch, (max + 1) * sizeof *kept);
    if (kept == NULL)
        return PH_ERR_NO_MEMORY;
    *ret_count = 0;
    PH_TRY(ph_sql_bind(&inbox->sql, statement, values, standing == 0 ? 2 : 3, &rows));
    for (;;) {
        PH_TRY(ph_sql_next(&inbox->sql, rows, &row));
        if (!row)
            break;
        kept[(*ret_count)++] =
            (struct kept){.id = sqlite3_column_int64(rows, 0),
                          .standing = (enum ph_inbox_standing)sqlite3_column_int(rows, 1),
                          .received_ms = sqlite3_column_int64(rows, 2),
                          .work = (enum ph_inbox_work)sqlite3_column_int(rows, 3),
                          .bytes = sqlite3_column_int64(rows, 4)};
    }
    *ret = kept;
    return PH_OK;
}

/* Of requests a to b, in order, with no others between them: their range of deliveries. */
static void deliveries_of(const struct kept *a, const struct kept *b, int64_t *ret_first,
                          int64_t *ret_last)
{
    *ret_first = ph_delivery_id(ph_event_id(a->id, 0), 0, 0);
    *ret_last = ph_delivery_id(ph_event_id(b->id, PH_INBOX_ITEMS_MAX - 1) + 1, 0, 0) - 1;
}

/* What is pending is never counted here: it neither ages nor is forgotten. */
static void count_off(struct ph_inbox *inbox, const struct kept *r)
{
    const struct ph_standing was = {
        .request = r->id, .standing = r->standing, .work = r->work, .bytes = r->bytes};
    assert(r->standing != PH_STANDING_PENDING);
    ph_count_standing(inbox, &was, -1);
}

/* Forgets them by ranges: six statements for all, not for each. */
static enum ph_status forget_requests(struct ph_inbox *inbox, const struct kept *kept, size_t count)
{
    struct ph_sql *sql = &inbox->sql;
    const struct kept *a = &kept[0], *b = &kept[count - 1];
    int64_t event = ph_event_id(a->id, 0), last_event = ph_event_id(b->id, PH_INBOX_ITEMS_MAX - 1),
            first, last;
    sqlite3_stmt *rows;
    bool row;
    deliveries_of(a, b, &first, &last);
    PH_TRY(ph_keys_settle(inbox, event, last_event));
    PH_TRY(PH_SQL_BIND(sql, PH_W_DELIVERIES_OF, &rows, ph_sql_int(first), ph_sql_int(last)));
    do {
        PH_TRY(ph_sql_next(sql, rows, &row));
        if (row)
            ph_figures_moved(inbox, sqlite3_column_int64(rows, 0), sqlite3_column_int(rows, 1), 0);
    } while (row);
    PH_TRY(PH_SQL_RUN(sql, PH_W_ATTEMPTS_FORGET, ph_sql_int(first), ph_sql_int(last)));
    PH_TRY(PH_SQL_RUN(sql, PH_W_DELIVERIES_FORGET, ph_sql_int(first), ph_sql_int(last)));
    PH_TRY(PH_SQL_RUN(sql, PH_W_EVENT_NAMES_FORGET, ph_sql_int(event), ph_sql_int(last_event)));
    PH_TRY(PH_SQL_RUN(sql, PH_W_EVENTS_FORGET, ph_sql_int(event), ph_sql_int(last_event)));
    PH_TRY(PH_SQL_RUN(sql, PH_W_REVISIONS_FORGET, ph_sql_int(a->id), ph_sql_int(b->id)));
    PH_TRY(PH_SQL_RUN(sql, PH_W_REQUESTS_FORGET, ph_sql_int(a->id), ph_sql_int(b->id)));
    for (size_t i = 0; i < count; i++)
        count_off(inbox, &kept[i]);
    return PH_OK;
}

/* T1, but for the deliveries. */
static bool may_go(const struct kept *r)
{
    return r->work == PH_WORK_NONE && r->standing != PH_STANDING_PENDING &&
           r->standing != PH_STANDING_QUARANTINED;
}

/* How many of these, from the first on, have no open delivery. */
static enum ph_status count_settled(struct ph_inbox *inbox, const struct kept *kept, size_t count,
                                    size_t *ret)
{
    int64_t first, last, open;
    deliveries_of(&kept[0], &kept[count - 1], &first, &last);
    *ret = count;
    enum ph_status st =
        PH_SQL_NUMBER(&inbox->sql, PH_W_OPEN_FIRST, &open, ph_sql_int(first), ph_sql_int(last));
    for (size_t i = 0; st == PH_OK && i < count; i++) {
        deliveries_of(&kept[i], &kept[i], &first, &last);
        if (open <= last) {
            *ret = i;
            break;
        }
    }
    return st == PH_ERR_NOT_FOUND ? PH_OK : st;
}

/* With its event and keys, about: the next pass measures. */
static int64_t bytes_of(const struct kept *r)
{
    return 2 * r->bytes;
}

/* Forgets of these what is older than `before_ms`, and the oldest until `too_many` bytes are gone,
 * as far as they may go. *ret_seen: how many it looked at; behind them none need go. */
static enum ph_status forget_due(struct ph_inbox *inbox, const struct kept *kept, size_t count,
                                 int64_t before_ms, int64_t too_many, size_t *ret_seen)
{
    size_t i = 0;
    while (i < count && (kept[i].received_ms < before_ms || too_many > 0)) {
        size_t run = 0, settled = 0;
        for (int64_t left = too_many; i + run < count && may_go(&kept[i + run]) &&
                                      (kept[i + run].received_ms < before_ms || left > 0);
             run++)
            left -= bytes_of(&kept[i + run]);
        if (run > 0)
            PH_TRY(count_settled(inbox, &kept[i], run, &settled));
        if (settled > 0)
            PH_TRY(forget_requests(inbox, &kept[i], settled));
        for (size_t end = i + settled; i < end; i++)
            too_many -= bytes_of(&kept[i]);
        if (settled < run || run == 0) { /* the next one may not go yet */
            inbox->tending.passed++;
            i++;
        }
    }
    *ret_seen = i;
    return PH_OK;
}

static enum ph_status retain(struct ph_inbox *inbox, size_t max)
{
    const struct ph_inbox_options *o = &inbox->settings.options;
    struct ph_tending *t = &inbox->tending;
    int64_t used = (t->pages - t->pages_free) * PH_INBOX_PAGE_BYTES;
    int64_t too_many = o->retention_bytes > 0 ? used - o->retention_bytes : 0;
    int64_t before_ms = o->retention_age_ms > 0 ? inbox->now_ms - o->retention_age_ms : INT64_MIN;
    struct kept *kept;
    size_t count = 0, seen = 0;
    if (o->retention_age_ms <= 0 && too_many <= 0)
        return PH_OK;
    PH_TRY(scan_requests(inbox, 0, t->request, max, &kept, &count));
    PH_TRY(forget_due(inbox, kept, count, before_ms, too_many, &seen));
    if (seen == count && count == max) {
        t->request = kept[count - 1].id;
        t->more = true;
        return PH_OK;
    }
    if (t->passed > LEFT_MANY)
        t->again_ms = ph_os_steady_ms() + PASS_LONG_MS;
    t->request = t->passed = 0;
    return PH_OK;
}

static enum ph_status age_quarantine(struct ph_inbox *inbox, size_t max)
{
    int64_t age_ms = inbox->settings.options.quarantine_age_ms;
    struct kept *kept;
    size_t count = 0, i = 0;
    if (age_ms <= 0 || inbox->figures.quarantined == 0)
        return PH_OK;
    PH_TRY(scan_requests(inbox, PH_STANDING_QUARANTINED, 0, max, &kept, &count));
    for (; i < count && kept[i].received_ms < inbox->now_ms - age_ms; i++)
        PH_TRY(forget_requests(inbox, &kept[i], 1));
    inbox->tending.more = inbox->tending.more || (count == max && i == count);
    return PH_OK;
}

/* They were acknowledged, and are of no more use than to be seen: the oldest go past the bound. */
static enum ph_status forget_dropped(struct ph_inbox *inbox, size_t max)
{
    struct ph_room over = ph_dropped_over(inbox);
    struct kept *kept;
    size_t count = 0;
    if (over.requests == 0 && over.bytes == 0)
        return PH_OK;
    PH_TRY(scan_requests(inbox, PH_STANDING_DROPPED, 0, max, &kept, &count));
    for (size_t i = 0; i < count && (over.requests > 0 || over.bytes > 0); i++) {
        PH_TRY(forget_requests(inbox, &kept[i], 1));
        over = ph_dropped_over(inbox);
    }
    ph_arena_reset(&inbox->scratch);
    return PH_OK;
}

/* Hints stay, but only the young ones count against their room. */
static enum ph_status age_hints(struct ph_inbox *inbox, size_t max)
{
    int64_t age_ms = inbox->settings.options.quarantine_age_ms;
    struct ph_figures *f = &inbox->figures;
    struct kept *kept;
    size_t count = 0, i = 0;
    if (age_ms <= 0 || f->hints == 0)
        return PH_OK;
    PH_TRY(scan_requests(inbox, PH_STANDING_HINT, f->hints_from - 1, max, &kept, &count));
    for (; i < count && kept[i].received_ms < inbox->now_ms - age_ms; i++) {
        count_off(inbox, &kept[i]);
        f->hints_from = kept[i].id + 1;
    }
    inbox->tending.more = inbox->tending.more || (count == max && i == count);
    return PH_OK;
}

static enum ph_status drop_gone(struct ph_inbox *inbox, int number, size_t max)
{
    int64_t ids[PH_INBOX_TEND_ROWS];
    int32_t states[PH_INBOX_TEND_ROWS];
    size_t count = 0;
    sqlite3_stmt *rows;
    bool row;
    max = max < PH_INBOX_TEND_ROWS ? max : PH_INBOX_TEND_ROWS;
    PH_TRY(PH_SQL_BIND(&inbox->sql, PH_W_GONE_SCAN, &rows, ph_sql_int(number),
                       ph_sql_int((int64_t)max)));
    do {
        PH_TRY(ph_sql_next(&inbox->sql, rows, &row));
        if (row) {
            ids[count] = sqlite3_column_int64(rows, 0);
            states[count++] = sqlite3_column_int(rows, 1);
        }
    } while (row);
    for (size_t i = 0; i < count; i++) {
        PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_DELIVERY_DROP, ph_sql_int(inbox->now_ms),
                          ph_sql_int(ids[i])));
        ph_figures_moved(inbox, ids[i], states[i], PH_DELIVERY_DROPPED);
    }
    inbox->tending.more = inbox->tending.more || count == max;
    return PH_OK;
}

/* Keys and effects alike: a page from where the last pass ended, what is too old and whose event is
 * gone is forgotten. */
static enum ph_status age_keys(struct ph_inbox *inbox, struct ph_pass *pass, int scan, int forget,
                               size_t max)
{
    int64_t keys_ms = inbox->settings.options.keys_ms, held;
    struct ph_slice *old = ph_arena_alloc(&inbox->scratch, (max + 1) * sizeof *old), last = {0};
    size_t count = 0, seen = 0;
    sqlite3_stmt *rows;
    bool row;
    if (keys_ms <= 0 || ph_os_steady_ms() < pass->again_ms)
        return PH_OK;
    if (old == NULL)
        return PH_ERR_NO_MEMORY;
    PH_TRY(PH_SQL_BIND(&inbox->sql, scan, &rows, ph_sql_text(ph_slice_of(pass->at, pass->at_len)),
                       ph_sql_int((int64_t)max)));
    for (;; seen++) {
        PH_TRY(ph_sql_next(&inbox->sql, rows, &row));
        if (!row)
            break;
        PH_TRY(ph_sql_copy(rows, 0, &inbox->scratch, &last));
        if (sqlite3_column_int64(rows, 2) >= inbox->now_ms - keys_ms)
            continue;
        enum ph_status st = PH_SQL_NUMBER(&inbox->sql, PH_W_EVENT_HELD, &held,
                                          ph_sql_int(sqlite3_column_int64(rows, 1)));
        if (st == PH_ERR_NOT_FOUND)
            old[count++] = last;
        else
            PH_TRY(st);
    }
    for (size_t i = 0; i < count; i++)
        PH_TRY(PH_SQL_RUN(&inbox->sql, forget, ph_sql_text(old[i])));
    pass->at_len = seen == max && last.len <= sizeof pass->at ? last.len : 0;
    memcpy(pass->at, last.len > 0 ? last.ptr : "", pass->at_len);
    if (pass->at_len == 0)
        pass->again_ms = ph_os_steady_ms() + KEYS_PASS_MS;
    inbox->tending.more = inbox->tending.more || pass->at_len > 0;
    return PH_OK;
}

/* Gives free pages back, where a good part of the file is free and nobody waits. */
static enum ph_status shrink(struct ph_inbox *inbox)
{
    struct ph_tending *t = &inbox->tending;
    if (t->pages_free < VACUUM_PAGES_MIN || t->pages_free < t->pages / 4)
        return PH_OK;
    t->more = true;
    return ph_sql_exec(&inbox->sql, "PRAGMA incremental_vacuum(128)");
}

enum ph_status ph_tend(struct ph_inbox *inbox, size_t ops)
{
    struct ph_tending *t = &inbox->tending;
    /* A little more than the batch brings, so that it gets ahead; much more, and the batch is late.
     */
    size_t max = ops + ops / 4 > PH_INBOX_TEND_ROWS ? ops + ops / 4 : PH_INBOX_TEND_ROWS;
    /* with each batch: a flood brings more than a pass a second forgets */
    PH_TRY(forget_dropped(inbox, max));
    if (!t->more && ph_os_steady_ms() < t->again_ms)
        return PH_OK;
    t->more = false;
    t->again_ms = ph_os_steady_ms() + PASS_MS;
    PH_TRY(ph_sql_number(&inbox->sql, PH_W_PAGES, NULL, 0, &t->pages));
    PH_TRY(ph_sql_number(&inbox->sql, PH_W_PAGES_FREE, NULL, 0, &t->pages_free));
    for (int number = 0; number < PH_INBOX_NAMES_MAX; number++)
        if (inbox->names[number].gone_ms != 0 && inbox->figures.backlog[number] > 0 &&
            inbox->now_ms >= inbox->names[number].gone_ms + PH_INBOX_GONE_MS)
            PH_TRY(drop_gone(inbox, number, max));
    PH_TRY(age_quarantine(inbox, max));
    PH_TRY(age_hints(inbox, max));
    PH_TRY(retain(inbox, max));
    PH_TRY(age_keys(inbox, &t->keys, PH_W_KEY_SCAN, PH_W_KEY_FORGET, max));
    PH_TRY(age_keys(inbox, &t->effects, PH_W_EFFECT_SCAN, PH_W_EFFECT_FORGET, max));
    ph_arena_reset(&inbox->scratch);
    return ops == 0 ? shrink(inbox) : PH_OK;
}

static enum ph_status find_oldest(struct ph_inbox *inbox, int number)
{
    int64_t *oldest = &inbox->figures.oldest[number];
    sqlite3_stmt *rows;
    bool row;
    PH_TRY(PH_SQL_BIND(&inbox->sql, PH_W_OLDEST_SCAN, &rows, ph_sql_int(*oldest),
                       ph_sql_int(PH_INBOX_OLDEST_ROWS)));
    for (;;) {
        PH_TRY(ph_sql_next(&inbox->sql, rows, &row));
        if (!row)
            return PH_OK; /* further on next time */
        int64_t id = sqlite3_column_int64(rows, 0);
        bool found =
            sqlite3_column_int(rows, 1) == number && ph_state_open(sqlite3_column_int(rows, 2));
        inbox->touched[number] = inbox->touched[number] || *oldest != id;
        *oldest = found ? id : id + 1;
        if (!found)
            continue;
        inbox->oldest_stale[number] = false;
        ph_sql_end(rows);
        return PH_OK;
    }
}

enum ph_status ph_oldest_find(struct ph_inbox *inbox)
{
    for (int number = 0; number < PH_INBOX_NAMES_MAX; number++) {
        bool some = inbox->figures.backlog[number] > 0;
        if (inbox->oldest_stale[number] && some)
            PH_TRY(find_oldest(inbox, number));
        if (inbox->made_stale[number] && some)
            PH_TRY(PH_SQL_NUMBER(&inbox->sql, PH_W_OLDEST_MADE, &inbox->oldest_ms[number],
                                 ph_sql_int(number)));
        inbox->oldest_stale[number] = inbox->oldest_stale[number] && some;
        inbox->made_stale[number] = false;
    }
    return PH_OK;
}
