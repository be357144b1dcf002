/* GET events, events/{id}, tail. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "core/codec.h"
#include "os/clock.h"
#include "server/admin_call.h"

yyjson_mut_val *ph_admin_event(struct ph_admin_call *call, yyjson_mut_doc *doc,
                               const struct ph_inbox_event_row *row)
{
    yyjson_mut_val *event = yyjson_mut_obj(doc), *part;
    ph_admin_id(doc, event, "id", row->id);
    ph_admin_text(call, doc, event, "event_id", row->event_id);
    ph_admin_text(call, doc, event, "type", row->type);
    ph_admin_text(call, doc, event, "class", row->class);
    ph_admin_text(call, doc, event, "endpoint", row->endpoint);
    ph_admin_text(call, doc, event, "connector", row->connector);
    ph_admin_word(doc, event, "verdict", PH_WORDS_VERDICT, (int32_t)row->verdict);
    ph_admin_word(doc, event, "mode", PH_WORDS_MODE, (int32_t)row->mode);
    ph_admin_time(call, doc, event, "received_at", row->received_ms);
    ph_admin_time(call, doc, event, "occurred_at", row->occurred_ms);
    ph_admin_text(call, doc, event, "subject", row->subject);
    ph_admin_text(call, doc, event, "account", row->account);
    if (row->currency.len > 0) {
        yyjson_mut_obj_add_sint(doc, event, "amount_minor", row->amount);
        ph_admin_text(call, doc, event, "currency", row->currency);
    }
    part = yyjson_mut_obj_add_obj(doc, event, "processor_event");
    ph_admin_text(call, doc, part, "id", row->processor_id);
    ph_admin_text(call, doc, part, "type", row->processor_type);
    ph_admin_id(doc, event, "request", row->request);
    yyjson_mut_obj_add_bool(doc, event, "held", row->held);
    yyjson_mut_obj_add_bool(doc, event, "incomplete", row->incomplete);
    yyjson_mut_obj_add_bool(doc, event, "late", row->late);
    part = yyjson_mut_obj_add_obj(doc, event, "deliveries_count");
    yyjson_mut_obj_add_int(doc, part, "open", row->open);
    yyjson_mut_obj_add_int(doc, part, "done", row->done);
    yyjson_mut_obj_add_int(doc, part, "dead", row->dead);
    yyjson_mut_obj_add_int(doc, event, "duplicates", row->duplicates);
    yyjson_mut_obj_add_int(doc, event, "revisions", row->revisions);
    return event;
}

enum ph_admin_end ph_admin_events_list(struct ph_admin_call *call)
{
    struct ph_inbox_event_row *rows;
    size_t count;
    enum ph_status st = ph_inbox_events(call->room->reader, &call->filter.inbox, call->filter.limit,
                                        &call->room->arena, &rows, &count);
    if (st != PH_OK)
        return ph_admin_failed(call, st);
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc), *list = yyjson_mut_obj_add_arr(doc, root, "events");
    for (size_t i = 0; i < count; i++)
        yyjson_mut_arr_append(list, ph_admin_event(call, doc, &rows[i]));
    ph_admin_next(doc, root, count, call->filter.limit, count > 0 ? rows[count - 1].id : 0);
    return ph_admin_json(call, 200, doc, root);
}

enum ph_status ph_admin_event_of(struct ph_admin_call *call, struct ph_slice text, int64_t *ret_id)
{
    struct ph_inbox_event_row row;
    int64_t id;
    if (ph_admin_id_read(text, &id) &&
        ph_inbox_event_get(call->room->reader, id, &call->room->arena, &row) == PH_OK) {
        *ret_id = id;
        return PH_OK;
    }
    return ph_inbox_event_find(call->room->reader, text, ret_id);
}

/* The latest ones, oldest first: as it went. */
static void add_attempts(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *delivery,
                         const struct ph_inbox_delivery_row *row)
{
    struct ph_inbox_attempt *attempts;
    size_t count;
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, delivery, "attempts");
    if (ph_inbox_attempts(call->room->reader, row->id, PH_ADMIN_ATTEMPTS_MAX, &call->room->arena,
                          &attempts, &count) != PH_OK)
        return;
    for (size_t i = count; i-- > 0;) {
        yyjson_mut_val *attempt = yyjson_mut_arr_add_obj(doc, list);
        yyjson_mut_obj_add_sint(doc, attempt, "number", row->attempts - (int64_t)i);
        ph_admin_time(call, doc, attempt, "at", attempts[i].at_ms);
        yyjson_mut_obj_add_sint(doc, attempt, "elapsed_ms", attempts[i].elapsed_ms);
        if (attempts[i].status > 0)
            yyjson_mut_obj_add_int(doc, attempt, "status", attempts[i].status);
        ph_admin_text(call, doc, attempt, "then", ph_delivery_state_name(attempts[i].state));
        ph_admin_text(call, doc, attempt, "reason", attempts[i].reason);
    }
}

yyjson_mut_val *ph_admin_delivery(struct ph_admin_call *call, yyjson_mut_doc *doc,
                                  const struct ph_inbox_delivery_row *row, bool whole)
{
    yyjson_mut_val *delivery = yyjson_mut_obj(doc);
    ph_admin_id(doc, delivery, "id", row->id);
    ph_admin_id(doc, delivery, "event", row->event);
    ph_admin_text(call, doc, delivery, "event_id", row->event_id);
    ph_admin_text(call, doc, delivery, "type", row->type);
    ph_admin_text(call, doc, delivery, "destination", row->destination);
    ph_admin_text(call, doc, delivery, "state", ph_delivery_state_name(row->state));
    yyjson_mut_obj_add_bool(doc, delivery, "replay", row->replay);
    ph_admin_time(call, doc, delivery, "made_at", row->made_ms);
    ph_admin_time(call, doc, delivery, "due_at", row->due_ms);
    ph_admin_time(call, doc, delivery, "ended_at", row->ended_ms);
    yyjson_mut_obj_add_int(doc, delivery, "tries", row->tries);
    yyjson_mut_obj_add_int(doc, delivery, "attempts_count", row->attempts);
    if (row->last_status > 0)
        yyjson_mut_obj_add_int(doc, delivery, "last_status", row->last_status);
    ph_admin_text(call, doc, delivery, "last_reason", row->last_reason);
    if (whole)
        add_attempts(call, doc, delivery, row);
    return delivery;
}

enum ph_admin_end ph_admin_events_show(struct ph_admin_call *call)
{
    int64_t id = 0;
    struct ph_inbox_event_row row;
    struct ph_inbox_delivery_row *deliveries;
    struct ph_inbox_filter all = {0};
    size_t count = 0;
    enum ph_status st = ph_admin_event_of(call, call->named, &id);
    if (st == PH_OK)
        st = ph_inbox_event_get(call->room->reader, id, &call->room->arena, &row);
    if (st == PH_OK)
        st = ph_inbox_deliveries(call->room->reader, &all, id, PH_ADMIN_PAGE_MAX,
                                 &call->room->arena, &deliveries, &count);
    if (st != PH_OK)
        return ph_admin_absent(call, "event", call->named, st);
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = ph_admin_event(call, doc, &row);
    ph_admin_text(call, doc, root, "dedupe_key", row.dedupe_key);
    ph_admin_text(call, doc, root, "effect_key", row.effect_key);
    yyjson_mut_obj_add_bool(doc, root, "masked", !ph_admin_unmasked(call));
    ph_admin_raw(call, doc, root, "answer", ph_admin_seen(call, row.answer));
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "deliveries");
    for (size_t i = 0; i < count; i++)
        yyjson_mut_arr_append(list, ph_admin_delivery(call, doc, &deliveries[i], true));
    return ph_admin_json(call, 200, doc, root);
}

/* ---- tail ------------------------------------------------------------------------------------ */

/* One line of JSON for each event, oldest first. */
static enum ph_admin_end answer_lines(struct ph_admin_call *call,
                                      const struct ph_inbox_event_row *rows, size_t count)
{
    char *bytes = NULL;
    size_t len = 0;
    FILE *lines = open_memstream(&bytes, &len);
    bool good = lines != NULL;
    for (size_t i = 0; good && i < count; i++) {
        yyjson_mut_doc *doc = ph_admin_doc(call);
        size_t line_len = 0;
        yyjson_mut_doc_set_root(doc, ph_admin_event(call, doc, &rows[i]));
        char *line = doc != NULL ? yyjson_mut_write(doc, YYJSON_WRITE_NOFLAG, &line_len) : NULL;
        good = line != NULL && fwrite(line, 1, line_len, lines) == line_len &&
               fputc('\n', lines) != EOF;
        free(line);
    }
    good = lines != NULL && fclose(lines) == 0 && good && !ph_admin_no_memory(call);
    (void)snprintf(call->after_text, sizeof call->after_text, "%lld", (long long)call->after);
    enum ph_admin_end end =
        good ? ph_admin_bytes(call, 200, PH_S("application/x-ndjson"), ph_slice_of(bytes, len))
             : ph_admin_failed(call, PH_ERR_NO_MEMORY);
    free(bytes);
    return end;
}

/* Where the newest event is. */
static enum ph_status find_end(struct ph_admin_call *call)
{
    const struct ph_inbox_filter all = {0};
    struct ph_inbox_event_row *rows;
    size_t count;
    PH_TRY(ph_inbox_events(call->room->reader, &all, 1, &call->room->arena, &rows, &count));
    call->after = count > 0 ? rows[0].id : 0;
    return PH_OK;
}

/* First run: where from, and how long. */
static bool begin_tail(struct ph_admin_call *call, enum ph_admin_end *ret_end)
{
    struct ph_slice after = ph_admin_param(&call->params, PH_S("after")),
                    wait = ph_admin_param(&call->params, PH_S("wait"));
    int64_t seconds = PH_ADMIN_TAIL_MS / 1000;
    if (ph_slice_present(wait) &&
        (!ph_parse_int64(wait, &seconds) || seconds > PH_ADMIN_TAIL_MS / 1000))
        seconds = PH_ADMIN_TAIL_MS / 1000;
    call->until_ms = ph_os_steady_ms() + seconds * 1000;
    if (ph_slice_present(after)) {
        (void)ph_parse_int64(after, &call->after);
        return true;
    }
    enum ph_status st = find_end(call);
    if (st == PH_OK)
        return true;
    *ret_end = ph_admin_failed(call, st);
    return false;
}

enum ph_admin_end ph_admin_tail(struct ph_admin_call *call)
{
    struct ph_inbox_event_row *rows;
    struct ph_inbox_counts counts;
    struct ph_inbox_filter filter = call->filter.inbox;
    size_t count;
    enum ph_admin_end end;
    if (call->until_ms == 0 && !begin_tail(call, &end))
        return end;
    ph_inbox_counts(ph_gateway_inbox(call->room->gateway),
                    &counts); /* before it looks: what comes meanwhile is seen next time */
    filter.after = call->after > 0 ? call->after : 1; /* there is no event before the first */
    enum ph_status st = ph_inbox_events(call->room->reader, &filter, PH_ADMIN_PAGE_MAX,
                                        &call->room->arena, &rows, &count);
    if (st != PH_OK)
        return ph_admin_failed(call, st);
    if (count > 0)
        call->after = rows[count - 1].id;
    call->events_seen = counts.events;
    if (count == 0 && !call->room->draining && ph_os_steady_ms() < call->until_ms)
        return PH_ADMIN_PARKED;
    return answer_lines(call, rows, count);
}
