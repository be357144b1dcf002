#include "server/watch.h"

#include "gateway/gateway.h"
#include "os/clock.h"

/* ---- webhooks -------------------------------------------------------------------------------- */

/* The sum of a counter of each reactor's row; `offset`: of the counter in it. */
static int64_t sum_of_rows(const struct ph_watch *watch, const struct ph_config_endpoint *endpoint,
                           size_t offset)
{
    uint64_t sum = 0;
    size_t count = atomic_load_explicit(&watch->tally_count, memory_order_acquire);
    for (size_t i = 0; i < count; i++) {
        const struct ph_tally_row *row =
            ph_tally_find(watch->tallies[i], endpoint->entry.name, endpoint->connector);
        if (row != NULL)
            sum += atomic_load_explicit(
                (const _Atomic uint64_t *)(const void *)((const char *)row + offset),
                memory_order_relaxed);
    }
    return (int64_t)sum;
}

static int64_t sum_of(const struct ph_watch *watch, size_t offset)
{
    uint64_t sum = 0;
    size_t count = atomic_load_explicit(&watch->tally_count, memory_order_acquire);
    for (size_t i = 0; i < count; i++)
        sum += atomic_load_explicit(
            (const _Atomic uint64_t *)(const void *)((const char *)watch->tallies[i] + offset),
            memory_order_relaxed);
    return (int64_t)sum;
}

/* Lower case, like all label values of ours. */
static struct ph_slice verdict_name(struct ph_arena *arena, int32_t verdict)
{
    struct ph_slice word = ph_word_name(PH_WORDS_VERDICT, verdict),
                    copy = ph_arena_copy(arena, word);
    if (verdict == PH_VERDICT_UNSPECIFIED || copy.len == 0)
        return PH_S("unreadable");
    for (size_t i = 0; i < copy.len; i++)
        if (copy.ptr[i] >= 'A' && copy.ptr[i] <= 'Z')
            ((char *)copy.ptr)[i] |= 0x20;
    return copy;
}

static void put_verdicts(const struct ph_watch *watch, const struct ph_config *config,
                         struct ph_exposition *out)
{
    struct ph_slice names[PH_VERDICT_COUNT];
    for (int32_t v = 0; v < PH_VERDICT_COUNT; v++)
        names[v] = verdict_name(out->arena, v);
    ph_exposition_family(out, "payhook_webhooks_received_total", PH_METRIC_COUNTER,
                         "webhooks judged, by their verdict");
    for (size_t i = 0; i < config->endpoints.count; i++)
        for (size_t v = 0; v < PH_VERDICT_COUNT; v++) {
            const struct ph_config_endpoint *e = &config->endpoints.items[i];
            const struct ph_label labels[] = {
                {"endpoint", e->entry.name}, {"connector", e->connector}, {"verdict", names[v]}};
            size_t offset = offsetof(struct ph_tally_row, verdicts) + v * sizeof(uint64_t);
            ph_exposition_sample(out, labels, PH_COUNTOF(labels), sum_of_rows(watch, e, offset));
        }
}

static void put_fates(const struct ph_watch *watch, const struct ph_config *config,
                      struct ph_exposition *out)
{
    ph_exposition_family(out, "payhook_webhooks_ended_total", PH_METRIC_COUNTER,
                         "webhooks by what became of them");
    for (size_t i = 0; i < config->endpoints.count; i++)
        for (size_t o = 0; o < PH_FATE_COUNT; o++) {
            const struct ph_config_endpoint *e = &config->endpoints.items[i];
            const struct ph_label labels[] = {{"endpoint", e->entry.name},
                                              {"connector", e->connector},
                                              {"outcome", ph_fate_name((enum ph_fate)o)}};
            size_t offset = offsetof(struct ph_tally_row, fates) + o * sizeof(uint64_t);
            ph_exposition_sample(out, labels, PH_COUNTOF(labels), sum_of_rows(watch, e, offset));
        }
    ph_exposition_family(out, "payhook_webhooks_unknown_account_total", PH_METRIC_COUNTER,
                         "webhooks that named no account of their endpoint");
    for (size_t i = 0; i < config->endpoints.count; i++) {
        const struct ph_config_endpoint *e = &config->endpoints.items[i];
        const struct ph_label labels[] = {{"endpoint", e->entry.name}, {"connector", e->connector}};
        if (ph_slice_present(e->by))
            ph_exposition_sample(out, labels, PH_COUNTOF(labels),
                                 sum_of_rows(watch, e, offsetof(struct ph_tally_row, no_account)));
    }
    ph_exposition_family(out, "payhook_webhooks_unknown_endpoint_total", PH_METRIC_COUNTER,
                         "requests for endpoints that are not configured");
    ph_exposition_sample(out, NULL, 0, sum_of(watch, offsetof(struct ph_tally, unknown)));
}

void ph_watch_reloaded(struct ph_watch *watch, bool good)
{
    atomic_fetch_add_explicit(good ? &watch->reloads : &watch->reloads_failed, 1,
                              memory_order_relaxed);
}

static void put_reloads(const struct ph_watch *watch, struct ph_exposition *out)
{
    const struct ph_label done = {"outcome", PH_S("read")}, kept = {"outcome", PH_S("kept")};
    ph_exposition_family(out, "payhook_reloads_total", PH_METRIC_COUNTER,
                         "configurations read again; kept: it was wrong, and the old one stays");
    ph_exposition_sample(out, &done, 1,
                         (int64_t)atomic_load_explicit(&watch->reloads, memory_order_relaxed));
    ph_exposition_sample(
        out, &kept, 1, (int64_t)atomic_load_explicit(&watch->reloads_failed, memory_order_relaxed));
}

static void put_times(const struct ph_watch *watch, struct ph_exposition *out)
{
    int64_t bounds_us[PH_TALLY_BUCKETS];
    uint64_t counts[PH_TALLY_BUCKETS + 1];
    for (size_t i = 0; i <= PH_TALLY_BUCKETS; i++) {
        if (i < PH_TALLY_BUCKETS)
            bounds_us[i] = ph_tally_bounds_ms[i] * 1000;
        counts[i] =
            (uint64_t)sum_of(watch, offsetof(struct ph_tally, times) + i * sizeof(uint64_t));
    }
    ph_exposition_family(out, "payhook_webhook_seconds", PH_METRIC_HISTOGRAM,
                         "from a webhook's head to its answer, the commit included");
    ph_exposition_histogram(out, NULL, 0,
                            &(struct ph_exposition_histogram){
                                bounds_us, counts, PH_TALLY_BUCKETS,
                                sum_of(watch, offsetof(struct ph_tally, time_sum_ms)) * 1000});
}

/* ---- the inbox ------------------------------------------------------------------------------- */

struct inbox_row {
    const char *name;
    enum ph_metric_kind kind;
    const char *help;
    size_t offset;
};
#define AT(member) offsetof(struct ph_inbox_counts, member)
static const struct inbox_row inbox_rows[] = {
    {"payhook_inbox_requests_total", PH_METRIC_COUNTER, "requests stored, since the file was made",
     AT(requests)},
    {"payhook_inbox_events_total", PH_METRIC_COUNTER, "events stored, since the file was made",
     AT(events)},
    {"payhook_inbox_duplicates_total", PH_METRIC_COUNTER,
     "events that came again, since the file was made", AT(duplicates)},
    {"payhook_inbox_revisions_total", PH_METRIC_COUNTER,
     "events that came again and said something else", AT(revisions)},
    {"payhook_inbox_quarantined_requests", PH_METRIC_GAUGE, "refused requests that are kept",
     AT(quarantined)},
    {"payhook_inbox_quarantined_bytes", PH_METRIC_GAUGE, "their bytes", AT(quarantined_bytes)},
    {"payhook_inbox_pending_requests", PH_METRIC_GAUGE, "requests whose verdict is still asked for",
     AT(pending)},
    {"payhook_inbox_pending_bytes", PH_METRIC_GAUGE, "their bytes", AT(pending_bytes)},
    {"payhook_inbox_pending_unknown_requests", PH_METRIC_GAUGE,
     "of these, whose address has never brought anything", AT(pending_unknown)},
    {"payhook_inbox_dropped_requests", PH_METRIC_GAUGE,
     "requests that were pending, and have no room there any more", AT(dropped)},
    {"payhook_inbox_dropped_bytes", PH_METRIC_GAUGE, "their bytes", AT(dropped_bytes)},
    {"payhook_inbox_hinted_requests", PH_METRIC_GAUGE,
     "unproven requests received within quarantine.age", AT(hinted)},
    {"payhook_inbox_hinted_bytes", PH_METRIC_GAUGE, "their bytes", AT(hinted_bytes)},
    {"payhook_inbox_batches_total", PH_METRIC_COUNTER, "commits", AT(batches)},
    {"payhook_inbox_operations_total", PH_METRIC_COUNTER,
     "operations in them: by batches, the size of a batch", AT(ops)},
    {"payhook_inbox_waiting_operations", PH_METRIC_GAUGE, "operations that wait for the writer",
     AT(waiting_ops)},
    {"payhook_inbox_waiting_bytes", PH_METRIC_GAUGE, "their bytes", AT(waiting_bytes)},
    {"payhook_inbox_file_bytes", PH_METRIC_GAUGE, "the inbox's file", AT(file_bytes)},
    {"payhook_inbox_wal_bytes", PH_METRIC_GAUGE, "its write-ahead log", AT(wal_bytes)},
};
#undef AT

/* The inbox keeps a bucket for every quarter power of two; every whole one from 64 µs on is told.
 */
static void put_commits(const struct ph_inbox_counts *counts, struct ph_exposition *out)
{
    enum { FIRST = 6, LAST = 15, BUCKETS = LAST - FIRST + 1 };
    int64_t bounds_us[BUCKETS];
    uint64_t told[BUCKETS + 1] = {0};
    for (size_t i = 0; i < BUCKETS; i++)
        bounds_us[i] = (int64_t)1 << (FIRST + i);
    for (size_t n = 0; n < PH_COUNTOF(counts->commit_us); n++) {
        size_t power = (n + 3) / 4, at = power < FIRST ? 0 : power > LAST ? BUCKETS : power - FIRST;
        told[at] += (uint64_t)counts->commit_us[n];
    }
    ph_exposition_family(out, "payhook_inbox_commit_seconds", PH_METRIC_HISTOGRAM,
                         "commits, the sync included");
    ph_exposition_histogram(
        out, NULL, 0,
        &(struct ph_exposition_histogram){bounds_us, told, BUCKETS, counts->commit_us_sum});
}

static void put_inbox(struct ph_inbox *inbox, const struct ph_inbox_counts *counts,
                      struct ph_exposition *out)
{
    struct ph_inbox_health health;
    ph_inbox_health(inbox, &health);
    for (size_t i = 0; i < PH_COUNTOF(inbox_rows); i++) {
        const struct inbox_row *row = &inbox_rows[i];
        ph_exposition_family(out, row->name, row->kind, row->help);
        ph_exposition_sample(out, NULL, 0,
                             *(const int64_t *)(const void *)((const char *)counts + row->offset));
    }
    put_commits(counts, out);
    ph_exposition_family(out, "payhook_inbox_failed", PH_METRIC_GAUGE,
                         "1: the writer has stopped for good; restart");
    ph_exposition_sample(out, NULL, 0, health.failed);
    ph_exposition_family(out, "payhook_inbox_ailing", PH_METRIC_GAUGE, "1: the last commit failed");
    ph_exposition_sample(out, NULL, 0, health.ailing);
}

/* ---- destinations ---------------------------------------------------------------------------- */

struct destinations {
    const struct ph_view *view;
    const struct ph_inbox_counts *counts;
    struct ph_dispatcher_stats *stats; /* by bit */
    int64_t now_ms;
};

/* A family with one sample for each destination that there is; `value` reads it. */
static void put_each(const struct destinations *d, struct ph_exposition *out, const char *name,
                     enum ph_metric_kind kind, const char *help,
                     int64_t (*value)(const struct destinations *d, size_t bit), bool is_time)
{
    ph_exposition_family(out, name, kind, help);
    for (size_t bit = 0; bit < d->view->destination_count; bit++) {
        const struct ph_label label = {"destination", d->view->names[bit]};
        if (d->view->destinations[bit] == NULL)
            continue;
        if (is_time)
            ph_exposition_sample_ms(out, &label, 1, value(d, bit));
        else
            ph_exposition_sample(out, &label, 1, value(d, bit));
    }
}

static int64_t backlog(const struct destinations *d, size_t bit)
{
    return d->counts->backlog[bit];
}
static int64_t oldest_age(const struct destinations *d, size_t bit)
{
    return d->counts->oldest_ms[bit] > 0 ? d->now_ms - d->counts->oldest_ms[bit] : 0;
}
static int64_t dead_now(const struct destinations *d, size_t bit)
{
    return d->counts->dead[bit];
}
static int64_t is_paused(const struct destinations *d, size_t bit)
{
    return d->counts->paused[bit];
}
static int64_t parcels(const struct destinations *d, size_t bit)
{
    return (int64_t)d->stats[bit].attempts;
}
static int64_t in_flight(const struct destinations *d, size_t bit)
{
    return d->stats[bit].in_flight;
}
static int64_t died(const struct destinations *d, size_t bit)
{
    return (int64_t)d->stats[bit].dead;
}
static int64_t openings(const struct destinations *d, size_t bit)
{
    return (int64_t)d->stats[bit].breaker_openings;
}

static void put_attempts(const struct destinations *d, struct ph_exposition *out)
{
    ph_exposition_family(out, "payhook_destination_attempts_total", PH_METRIC_COUNTER,
                         "attempts to deliver an event, by what they came to");
    for (size_t bit = 0; bit < d->view->destination_count; bit++) {
        const struct ph_dispatcher_stats *s = &d->stats[bit];
        const struct {
            struct ph_slice name;
            uint64_t count;
        } ends[] = {{PH_S("accepted"), s->accepted},
                    {PH_S("refused"), s->refused},
                    {PH_S("failed"), s->failed},
                    {PH_S("not_yet"), s->not_yet}};
        for (size_t i = 0; i < PH_COUNTOF(ends) && d->view->destinations[bit] != NULL; i++) {
            const struct ph_label labels[] = {{"destination", d->view->names[bit]},
                                              {"outcome", ends[i].name}};
            ph_exposition_sample(out, labels, 2, (int64_t)ends[i].count);
        }
    }
}

static void put_breakers(const struct destinations *d, struct ph_exposition *out)
{
    static const struct ph_slice states[] = {[PH_BREAKER_CLOSED] = PH_SI("closed"),
                                             [PH_BREAKER_OPEN] = PH_SI("open"),
                                             [PH_BREAKER_HALF_OPEN] = PH_SI("half_open")};
    ph_exposition_family(out, "payhook_destination_breaker", PH_METRIC_GAUGE,
                         "1 for the state that the circuit breaker is in");
    for (size_t bit = 0; bit < d->view->destination_count; bit++)
        for (size_t i = 0; i < PH_COUNTOF(states) && d->view->destinations[bit] != NULL; i++) {
            const struct ph_label labels[] = {{"destination", d->view->names[bit]},
                                              {"state", states[i]}};
            ph_exposition_sample(out, labels, 2, (size_t)d->stats[bit].breaker == i);
        }
}

static void put_destinations(const struct ph_view *view, const struct ph_inbox_counts *counts,
                             struct ph_dispatcher *dispatcher, struct ph_exposition *out)
{
    struct destinations d = {.view = view, .counts = counts, .now_ms = ph_os_unix_ms()};
    d.stats = ph_arena_zalloc(out->arena, (view->destination_count + 1) * sizeof *d.stats);
    out->failed = out->failed || d.stats == NULL;
    if (d.stats == NULL)
        return;
    for (size_t bit = 0; bit < view->destination_count; bit++)
        if (view->destinations[bit] != NULL)
            ph_dispatcher_stats(dispatcher, bit, &d.stats[bit]);
    put_each(&d, out, "payhook_destination_backlog", PH_METRIC_GAUGE,
             "deliveries that are not final", backlog, false);
    put_each(&d, out, "payhook_destination_oldest_seconds", PH_METRIC_GAUGE,
             "age of the oldest of them", oldest_age, true);
    put_each(&d, out, "payhook_destination_dead_letters", PH_METRIC_GAUGE,
             "dead letters that are kept", dead_now, false);
    put_each(&d, out, "payhook_destination_paused", PH_METRIC_GAUGE, "1: somebody has paused it",
             is_paused, false);
    put_attempts(&d, out);
    put_each(&d, out, "payhook_destination_requests_total", PH_METRIC_COUNTER,
             "requests to it that have ended; one may carry many events", parcels, false);
    put_each(&d, out, "payhook_destination_in_flight", PH_METRIC_GAUGE, "requests on their way",
             in_flight, false);
    put_each(&d, out, "payhook_destination_died_total", PH_METRIC_COUNTER,
             "deliveries that became dead letters", died, false);
    put_breakers(&d, out);
    put_each(&d, out, "payhook_destination_breaker_openings_total", PH_METRIC_COUNTER,
             "times the circuit breaker opened", openings, false);
}

/* ---- all ------------------------------------------------------------------------------------- */

static void put_completer(struct ph_gateway *gateway, struct ph_exposition *out)
{
    struct ph_gateway_counts c;
    ph_gateway_counts(gateway, &c);
    const struct {
        const char *name, *help;
        uint64_t count;
    } rows[] = {
        {"payhook_completer_reverified_total", "quarantined requests that were judged again",
         c.reverified},
        {"payhook_completer_recovered_total", "quarantined requests that were found genuine then",
         c.recovered},
        {"payhook_completer_completed_total", "requests whose verdict or object was fetched",
         c.completed},
        {"payhook_completer_postponed_total", "fetches that failed and are tried again",
         c.postponed},
        {"payhook_completer_given_up_total",
         "requests dropped because they could not be verified in time", c.given_up},
    };
    for (size_t i = 0; i < PH_COUNTOF(rows); i++) {
        ph_exposition_family(out, rows[i].name, PH_METRIC_COUNTER, rows[i].help);
        ph_exposition_sample(out, NULL, 0, (int64_t)rows[i].count);
    }
}

static void put_log(struct ph_log *log, struct ph_exposition *out)
{
    ph_exposition_family(out, "payhook_log_lines_total", PH_METRIC_COUNTER, "lines of the log");
    ph_exposition_sample(out, NULL, 0, log != NULL ? (int64_t)ph_log_lines(log) : 0);
    ph_exposition_family(out, "payhook_log_lines_lost_total", PH_METRIC_COUNTER,
                         "lines lost: the log is not read fast enough");
    ph_exposition_sample(out, NULL, 0, log != NULL ? (int64_t)ph_log_lost(log) : 0);
}

void ph_watch_metrics(const struct ph_watch *watch, struct ph_gateway *gateway,
                      struct ph_exposition *out)
{
    struct ph_inbox_counts counts;
    struct ph_view *view = ph_gateway_view(gateway);
    ph_inbox_counts(ph_gateway_inbox(gateway), &counts);
    put_verdicts(watch, view->config, out);
    put_fates(watch, view->config, out);
    put_times(watch, out);
    put_reloads(watch, out);
    put_inbox(ph_gateway_inbox(gateway), &counts, out);
    put_destinations(view, &counts, ph_gateway_dispatcher(gateway), out);
    put_completer(gateway, out);
    put_log(watch->log, out);
    ph_view_unref(view);
}

/* ---- ready ----------------------------------------------------------------------------------- */

enum ph_readiness ph_watch_readiness(const struct ph_watch *watch, struct ph_gateway *gateway,
                                     bool draining, int64_t unix_ms, struct ph_slice *ret_why)
{
    struct ph_inbox_health health = {0};
    uint64_t judged = 0, stale = 0;
    if (gateway != NULL)
        ph_inbox_health(ph_gateway_inbox(gateway), &health);
    *ret_why = draining ? PH_S("the server is going away")
               : health.missing
                   ? PH_S("the inbox has stopped: one of its files was deleted or replaced; "
                          "`payhook status` and the log say which, and what to do")
               : health.failed ? PH_S("the inbox has stopped: its disk failed; see the log, and "
                                      "restart once the disk is trusted")
                               : PH_S("the inbox cannot be written now: see the log; it goes on by "
                                      "itself once the disk is well");
    if (draining || health.failed || health.ailing)
        return PH_NOT_READY;
    size_t count = atomic_load_explicit(&watch->tally_count, memory_order_acquire);
    for (size_t i = 0; i < count; i++)
        ph_tally_recent(watch->tallies[i], unix_ms, &judged, &stale);
    if (ph_tally_too_stale(judged, stale)) {
        *ret_why = PH_S("many webhooks are stale: is this machine's clock right?");
        return PH_DEGRADED;
    }
    *ret_why = (struct ph_slice){0};
    return PH_READY;
}
