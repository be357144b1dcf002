/* Figures: kept in memory, written with the batch that changed them, so that nobody ever counts
 * rows. */
#include "inbox/inbox_private.h"

static enum ph_status load_row(struct ph_inbox *inbox, const char *text,
                               bool (*take)(struct ph_inbox *, sqlite3_stmt *))
{
    sqlite3_stmt *statement;
    int rc = sqlite3_prepare_v2(inbox->sql.db, text, -1, &statement, NULL);
    bool good = true;
    if (rc != SQLITE_OK)
        return ph_sql_failed(&inbox->sql, rc);
    while (good && (rc = sqlite3_step(statement)) == SQLITE_ROW)
        good = take(inbox, statement);
    enum ph_status st = rc == SQLITE_DONE ? PH_OK
                        : !good           ? PH_ERR_MALFORMED
                                          : ph_sql_failed(&inbox->sql, rc);
    (void)sqlite3_finalize(statement);
    return st;
}

static bool take_figures(struct ph_inbox *inbox, sqlite3_stmt *row)
{
    struct ph_figures *f = &inbox->figures;
    int64_t *const places[] = {
        &f->next_request, &f->requests,          &f->events,   &f->duplicates,    &f->revisions,
        &f->quarantined,  &f->quarantined_bytes, &f->pending,  &f->pending_bytes, &f->hints,
        &f->hint_bytes,   &f->hints_from,        &f->keys_from};
    struct ph_slice file = ph_sql_bytes(row, 0);
    if (file.len == 0 || file.len >= sizeof inbox->file)
        return false;
    memcpy(inbox->file, file.ptr, file.len);
    for (size_t i = 0; i < PH_COUNTOF(places); i++)
        *places[i] = sqlite3_column_int64(row, (int)i + 1);
    return true;
}

static bool take_destination(struct ph_inbox *inbox, sqlite3_stmt *row)
{
    int64_t id = sqlite3_column_int64(row, 0);
    if (id < 0 || id >= PH_INBOX_NAMES_MAX)
        return false;
    inbox->figures.backlog[id] = sqlite3_column_int64(row, 1);
    inbox->figures.dead[id] = sqlite3_column_int64(row, 2);
    inbox->figures.oldest[id] = sqlite3_column_int64(row, 3);
    inbox->figures.paused[id] = sqlite3_column_int(row, 4) != 0;
    inbox->oldest_stale[id] = inbox->made_stale[id] = true;
    return true;
}

/* Ids are never given twice, whatever happened to the figures. */
static bool take_last(struct ph_inbox *inbox, sqlite3_stmt *row)
{
    int64_t next = sqlite3_column_int64(row, 0) + 1;
    if (inbox->figures.next_request < next)
        inbox->figures.next_request = next;
    return true;
}

/* What the file's figures do not hold, of an index alone: as many rows as the rooms have. */
static bool take_rooms(struct ph_inbox *inbox, sqlite3_stmt *row)
{
    const struct ph_standing s = {.standing = (enum ph_inbox_standing)sqlite3_column_int(row, 0),
                                  .endpoint = ph_sql_bytes(row, 1),
                                  .work = (enum ph_inbox_work)sqlite3_column_int(row, 2)};
    ph_count_room(&inbox->figures, &s, sqlite3_column_int64(row, 3), sqlite3_column_int64(row, 4));
    return true;
}

enum ph_status ph_figures_load(struct ph_inbox *inbox)
{
    inbox->figures = (struct ph_figures){0};
    PH_TRY(
        load_row(inbox,
                 "SELECT file, next_request, requests, events, duplicates, revisions, "
                 "quarantined, quarantined_bytes,"
                 " pending, pending_bytes, hints, hint_bytes, hints_from, keys_from FROM figures",
                 take_figures));
    PH_TRY(load_row(inbox, "SELECT id, backlog, dead, oldest, paused FROM destinations",
                    take_destination));
    PH_TRY(load_row(inbox, "SELECT coalesce(max(id), 0) FROM requests", take_last));
    PH_TRY(load_row(inbox,
                    "SELECT standing, endpoint, work, count(*), sum(bytes) FROM requests INDEXED BY"
                    " requests_standing WHERE standing IN (3, 6) AND standing<>1"
                    " GROUP BY standing, endpoint, work",
                    take_rooms));
    if (inbox->figures.next_request < 1)
        return PH_ERR_MALFORMED;
    inbox->committed = inbox->figures;
    return PH_OK;
}

enum ph_status ph_figures_save(struct ph_inbox *inbox)
{
    const struct ph_figures *f = &inbox->figures;
    for (int i = 0; i < PH_INBOX_NAMES_MAX; i++) {
        if (!inbox->touched[i])
            continue;
        PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_DESTINATION_SET, ph_sql_int(f->backlog[i]),
                          ph_sql_int(f->dead[i]), ph_sql_int(f->oldest[i]), ph_sql_int(i)));
        inbox->touched[i] = false;
    }
    if (!inbox->figures_touched)
        return PH_OK;
    inbox->figures_touched = false;
    return PH_SQL_RUN(&inbox->sql, PH_W_FIGURES_SET, ph_sql_int(f->next_request),
                      ph_sql_int(f->requests), ph_sql_int(f->events), ph_sql_int(f->duplicates),
                      ph_sql_int(f->revisions), ph_sql_int(f->quarantined),
                      ph_sql_int(f->quarantined_bytes), ph_sql_int(f->pending),
                      ph_sql_int(f->pending_bytes), ph_sql_int(f->hints), ph_sql_int(f->hint_bytes),
                      ph_sql_int(f->hints_from), ph_sql_int(f->keys_from));
}

enum ph_status ph_uses_save(struct ph_inbox *inbox)
{
    for (size_t i = 0; i < inbox->used_count; i++) {
        const struct ph_used *u = &inbox->used[i];
        PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_USE_ADD, ph_sql_text(u->endpoint),
                          ph_sql_text(u->account), ph_sql_text(u->secret), ph_sql_int(u->count),
                          ph_sql_int(u->first_ms), ph_sql_int(u->last_ms)));
    }
    inbox->used_count = 0;
    return PH_OK;
}

enum ph_status ph_use_note(struct ph_inbox *inbox, const struct ph_inbox_request *r)
{
    struct ph_slice account = r->secret_of.len > 0 ? r->secret_of : PH_S("");
    if (r->verdict != PH_VERIFIED || r->secret.len == 0 || r->endpoint.len == 0)
        return PH_OK;
    for (size_t i = 0; i < inbox->used_count; i++) {
        struct ph_used *u = &inbox->used[i];
        if (!ph_slice_eq(u->secret, r->secret) || !ph_slice_eq(u->endpoint, r->endpoint) ||
            !ph_slice_eq(u->account, account))
            continue;
        u->count++;
        u->first_ms = r->received_ms < u->first_ms ? r->received_ms : u->first_ms;
        u->last_ms = r->received_ms > u->last_ms ? r->received_ms : u->last_ms;
        return PH_OK;
    }
    if (inbox->used_count == PH_INBOX_USES_MAX)
        PH_TRY(ph_uses_save(inbox));
    inbox->used[inbox->used_count++] =
        (struct ph_used){r->endpoint, account, r->secret, 1, r->received_ms, r->received_ms};
    return PH_OK;
}

void ph_figures_moved(struct ph_inbox *inbox, int64_t delivery, int32_t from, int32_t to)
{
    struct ph_figures *f = &inbox->figures;
    int64_t number = ph_delivery_destination(delivery);
    bool was_open = ph_state_open(from), is_open = ph_state_open(to);
    if (is_open && !was_open && (f->backlog[number] == 0 || delivery < f->oldest[number])) {
        f->oldest[number] = delivery;
        inbox->oldest_stale[number] = true;
    }
    if (!is_open && delivery == f->oldest[number])
        inbox->oldest_stale[number] = true;
    /* One more behind others is not the oldest. */
    if (from != 0 || f->backlog[number] == 0)
        inbox->made_stale[number] = true;
    f->backlog[number] += is_open - was_open;
    f->dead[number] += (to == PH_DELIVERY_DEAD) - (from == PH_DELIVERY_DEAD);
    inbox->touched[number] = true;
}

void ph_figures_publish(struct ph_inbox *inbox)
{
    const struct ph_figures *f = &inbox->figures;
    struct ph_inbox_counts *c = &inbox->counts;
    c->requests = f->requests;
    c->events = f->events;
    c->duplicates = f->duplicates;
    c->revisions = f->revisions;
    c->quarantined = f->quarantined;
    c->quarantined_bytes = f->quarantined_bytes;
    c->pending = f->pending;
    c->pending_bytes = f->pending_bytes;
    c->pending_unknown = f->unknown.requests;
    c->dropped = f->dropped.requests;
    c->dropped_bytes = f->dropped.bytes;
    c->hinted = f->hints;
    c->hinted_bytes = f->hint_bytes;
    c->file_bytes = inbox->tending.pages * PH_INBOX_PAGE_BYTES;
    c->wal_bytes = (int64_t)inbox->copying.wal_pages * PH_INBOX_PAGE_BYTES;
    for (int bit = 0; bit < PH_DESTINATIONS_MAX; bit++) {
        int number = inbox->shared_numbers[bit] = inbox->numbers[bit];
        inbox->shared_oldest[bit] = number < 0 ? 0 : f->oldest[number];
        c->backlog[bit] = number < 0 ? 0 : f->backlog[number];
        c->dead[bit] = number < 0 ? 0 : f->dead[number];
        c->oldest_ms[bit] = number < 0 || f->backlog[number] == 0 ? 0 : inbox->oldest_ms[number];
        c->paused[bit] = number >= 0 && f->paused[number];
    }
}
