#include "server/passage.h"

#include "gateway/gateway.h"
#include "os/clock.h"
#include "server/watch.h"

static enum ph_fate fate_of(const struct ph_inbox_store *store)
{
    if (store->op.status != PH_OK)
        return PH_FATE_failed;
    if (store->stored == PH_STORED_FULL)
        return PH_FATE_full;
    if (store->stored == PH_STORED_DUPLICATE)
        return PH_FATE_duplicate;
    return store->request.standing == PH_STANDING_QUARANTINED ? PH_FATE_quarantined
                                                              : PH_FATE_stored;
}

static enum ph_log_severity severity_of(const struct ph_passage *passage, enum ph_fate fate)
{
    if (passage->alarm)
        return PH_SEVERITY_ERROR;
    switch (fate) {
    case PH_FATE_failed:
        return PH_SEVERITY_ERROR;
    case PH_FATE_quarantined:
    case PH_FATE_full:
    case PH_FATE_late:
        return PH_SEVERITY_WARNING;
    case PH_FATE_refused: /* a scanner tries names all day */
        return passage->endpoint.len > 0 ? PH_SEVERITY_WARNING : PH_SEVERITY_INFO;
    case PH_FATE_stored:
    case PH_FATE_duplicate:
    case PH_FATE_handshake:
    case PH_FATE_COUNT:
        break;
    }
    return PH_SEVERITY_INFO;
}

static void tell_store(struct ph_log_line *line, struct ph_inbox *inbox,
                       const struct ph_inbox_store *store, bool done)
{
    const struct ph_inbox_request *r = &store->request;
    char room[PH_INBOX_WHY_BYTES];
    ph_log_text(line, "verdict", ph_word_name(PH_WORDS_VERDICT, r->verdict));
    if (r->verdict != PH_VERIFIED)
        ph_log_text(line, "reason", r->verdict_reason);
    if (store->event_count > 0) {
        ph_log_text(line, "event_type", store->events[0].type);
        ph_log_text(line, "processor_event", store->events[0].processor_id);
    }
    ph_log_number(line, "events", (int64_t)store->event_count);
    if (!done)
        return;
    if (store->op.status != PH_OK)
        ph_log_text(line, "error", ph_inbox_op_why(inbox, &store->op, room));
    else if (r->id > 0)
        ph_log_number(line, "request", r->id);
}

static void end(struct ph_service *service, struct ph_passage *passage, enum ph_fate fate,
                const struct ph_inbox_store *store, bool done, int status)
{
    struct ph_log_line line;
    struct ph_log *log = service->watch->log;
    int64_t took_ms = ph_os_steady_ms() - passage->began_ms;
    if (passage->ended)
        return;
    passage->ended = true;
    ph_tally_ended(service->tally, passage->row, fate, took_ms);
    if (!ph_log_open(log, severity_of(passage, fate), PH_S("webhook"), &line))
        return;
    ph_log_text(&line, "endpoint", passage->endpoint);
    ph_log_text(&line, "connector", passage->connector);
    ph_log_text(&line, "outcome", ph_fate_name(fate));
    if (status > 0)
        ph_log_number(&line, "status", status);
    else
        ph_log_text(&line, "sender", PH_S("gone"));
    ph_log_number(&line, "ms", took_ms);
    if (store != NULL)
        tell_store(&line, ph_gateway_inbox(service->gateway), store, done);
    ph_log_text(&line, "method", passage->method);
    ph_log_text(&line, "path", passage->path);
    ph_log_text(&line, "remote", passage->remote);
    ph_log_text(&line, "request_id", passage->id);
    ph_log_text(&line, "traceparent", passage->trace);
    ph_log_write(log, &line);
}

void ph_passage_refused(struct ph_service *service, struct ph_passage *passage, enum ph_fate fate,
                        int status)
{
    end(service, passage, fate, NULL, false, status);
}

void ph_passage_stored(struct ph_service *service, struct ph_passage *passage,
                       const struct ph_inbox_store *store, bool done, int status)
{
    end(service, passage, done ? fate_of(store) : PH_FATE_late, store, done, status);
}
