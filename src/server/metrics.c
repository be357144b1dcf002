#include "server/metrics.h"

#include <stddef.h>

struct row {
    const char *name;
    enum ph_metric_kind kind;
    const char *help;
    size_t offset;
};

/* A counter's name ends with _total, and not a gauge's. */
#define NAME_counter(name) "payhook_" #name "_total"
#define NAME_gauge(name)   "payhook_" #name
#define KIND_counter       PH_METRIC_COUNTER
#define KIND_gauge         PH_METRIC_GAUGE
#define METRIC_ROW(name, kind, help)                                                               \
    {NAME_##kind(name), KIND_##kind, help, offsetof(struct ph_counters, name)},
static const struct row rows[] = {PH_COUNTERS(METRIC_ROW)};
#undef METRIC_ROW

static uint64_t sum_of(const struct ph_counter_set *set, const struct row *row)
{
    uint64_t sum = 0;
    size_t count = atomic_load_explicit(&set->count, memory_order_acquire);
    for (size_t i = 0; i < count; i++) {
        const void *at = (const char *)set->of[i] + row->offset;
        sum += atomic_load_explicit((const _Atomic uint64_t *)at, memory_order_relaxed);
    }
    return sum;
}

void ph_metrics_counters(const struct ph_counter_set *set, struct ph_exposition *out)
{
    for (size_t i = 0; i < PH_COUNTOF(rows); i++) {
        const struct row *row = &rows[i];
        ph_exposition_family(out, row->name, row->kind, row->help);
        ph_exposition_sample(out, NULL, 0, (int64_t)sum_of(set, row));
    }
}
