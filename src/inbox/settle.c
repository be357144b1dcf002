/* SETTLE, SEND and CONTROL: what became of deliveries, deliveries made anew, destinations paused.
 */
#include "inbox/inbox_private.h"

static void wake(struct ph_inbox *inbox, int64_t number)
{
    int bit = inbox->names[number].bit;
    if (bit >= 0)
        inbox->woken |= (uint64_t)1 << bit;
}

enum ph_status ph_delivery_add(struct ph_inbox *inbox, int64_t event, int number, int64_t sending)
{
    int64_t id = ph_delivery_id(event, number, sending);
    PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_DELIVERY_ADD, ph_sql_int(id), ph_sql_int(number),
                      ph_sql_int(inbox->now_ms), ph_sql_int(inbox->now_ms)));
    ph_figures_moved(inbox, id, 0, PH_DELIVERY_QUEUED);
    wake(inbox, number);
    return PH_OK;
}

static enum ph_status get(struct ph_inbox *inbox, int64_t delivery, int32_t *ret_state,
                          int64_t *ret_attempts)
{
    sqlite3_stmt *statement;
    bool row;
    PH_TRY(PH_SQL_BIND(&inbox->sql, PH_W_DELIVERY_GET, &statement, ph_sql_int(delivery)));
    PH_TRY(ph_sql_next(&inbox->sql, statement, &row));
    if (!row)
        return PH_ERR_NOT_FOUND;
    *ret_state = sqlite3_column_int(statement, 0);
    *ret_attempts = sqlite3_column_int64(statement, 1);
    ph_sql_end(statement);
    return PH_OK;
}

static enum ph_status settle(struct ph_inbox *inbox, const struct ph_inbox_attempt *a)
{
    int32_t was, state = a->state;
    int64_t attempts;
    enum ph_status st = get(inbox, a->delivery, &was, &attempts);
    if (st == PH_ERR_NOT_FOUND)
        return PH_OK; /* its event was forgotten meanwhile */
    PH_TRY(st);
    /* What is done stays done; what was dropped is tried no more, and may still turn out to have
     * arrived. */
    if (was == PH_DELIVERY_DONE || (was == PH_DELIVERY_DROPPED && ph_state_open(state)))
        state = was;
    attempts += a->counted;
    bool open = ph_state_open(state);
    PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_DELIVERY_SET, ph_sql_int(state),
                      open ? ph_sql_int(a->due_ms) : ph_sql_int_or_null(0),
                      open ? ph_sql_int_or_null(0) : ph_sql_int(inbox->now_ms),
                      ph_sql_int(a->tries), ph_sql_int(attempts), ph_sql_int(a->delivery)));
    if (a->counted)
        PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_ATTEMPT_ADD, ph_sql_int(a->delivery),
                          ph_sql_int(attempts), ph_sql_int(a->at_ms), ph_sql_int(a->elapsed_ms),
                          ph_sql_int_or_null(a->status), ph_sql_int(a->state),
                          ph_sql_int_or_null(a->due_ms), ph_sql_int(a->tries),
                          ph_sql_text(a->reason)));
    ph_figures_moved(inbox, a->delivery, was, state);
    return PH_OK;
}

static bool is_sound(const struct ph_inbox_attempt *a)
{
    return a->state >= PH_DELIVERY_QUEUED && a->state <= PH_DELIVERY_DROPPED && a->delivery > 0;
}

enum ph_status ph_settle(struct ph_inbox *inbox, const struct ph_inbox_settle *op)
{
    for (size_t i = 0; i < op->count; i++)
        if (!is_sound(&op->attempts[i]))
            return PH_ERR_INVALID;
    for (size_t i = 0; i < op->count; i++)
        PH_TRY(settle(inbox, &op->attempts[i]));
    return PH_OK;
}

static enum ph_status replay(struct ph_inbox *inbox, int64_t event, struct ph_inbox_send *op)
{
    int64_t held, last;
    enum ph_status st = PH_SQL_NUMBER(&inbox->sql, PH_W_EVENT_HELD, &held, ph_sql_int(event));
    if (st == PH_ERR_NOT_FOUND || (st == PH_OK && held != 0))
        return PH_OK;
    PH_TRY(st);
    for (uint64_t left = op->destinations; left != 0; left &= left - 1) {
        int number = inbox->numbers[__builtin_ctzll(left)];
        if (number < 0)
            continue;
        PH_TRY(PH_SQL_NUMBER(&inbox->sql, PH_W_DELIVERY_LAST, &last,
                             ph_sql_int(ph_delivery_id(event, number, 0)),
                             ph_sql_int(ph_delivery_id(event, number, PH_INBOX_SENDINGS_MAX - 1))));
        int64_t sending =
            last > 0 ? last % PH_INBOX_SENDINGS_MAX + 1 : 1; /* 0 is the first telling's */
        if (sending == PH_INBOX_SENDINGS_MAX) {
            op->denied++;
            continue;
        }
        PH_TRY(ph_delivery_add(inbox, event, number, sending));
        op->made++;
    }
    return PH_OK;
}

static enum ph_status retry(struct ph_inbox *inbox, int64_t delivery, size_t *made)
{
    int32_t was;
    int64_t attempts;
    enum ph_status st = get(inbox, delivery, &was, &attempts);
    if (st == PH_ERR_NOT_FOUND)
        return PH_OK;
    PH_TRY(st);
    int64_t number = ph_delivery_destination(delivery);
    if (was == PH_DELIVERY_QUEUED || was == PH_DELIVERY_DONE || inbox->names[number].bit < 0)
        return PH_OK;
    PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_DELIVERY_AGAIN, ph_sql_int(inbox->now_ms),
                      ph_sql_int(delivery)));
    ph_figures_moved(inbox, delivery, was, PH_DELIVERY_QUEUED);
    wake(inbox, number);
    (*made)++;
    return PH_OK;
}

enum ph_status ph_send(struct ph_inbox *inbox, struct ph_inbox_send *op)
{
    op->made = op->denied = 0;
    for (size_t i = 0; i < op->event_count; i++)
        PH_TRY(replay(inbox, op->events[i], op));
    for (size_t i = 0; i < op->delivery_count; i++)
        PH_TRY(retry(inbox, op->deliveries[i], &op->made));
    return PH_OK;
}

enum ph_status ph_control(struct ph_inbox *inbox, const struct ph_inbox_control *op)
{
    for (int number = 0; number < PH_INBOX_NAMES_MAX; number++) {
        struct ph_name *name = &inbox->names[number];
        if (name->text == NULL || name->bit < 0 ||
            !ph_slice_eq(ph_slice_str(name->text), op->destination))
            continue;
        PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_DESTINATION_PAUSE, ph_sql_int(op->paused),
                          ph_sql_int(number)));
        inbox->figures.paused[number] = op->paused;
        wake(inbox, number);
        return PH_OK;
    }
    return PH_ERR_NOT_FOUND;
}
