#include "server/metrics.h"

#include <stddef.h>
#include <stdio.h>

struct row {
    const char *name, *kind, *help;
    size_t offset;
};

#define METRIC_ROW(name, kind, help) {#name, kind, help, offsetof(struct ph_counters, name)},
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

struct ph_slice ph_metrics_text(struct ph_arena *arena, const struct ph_counter_set *set)
{
    enum { ROW_BYTES_MAX = 512 };
    size_t room = PH_COUNTOF(rows) * ROW_BYTES_MAX, len = 0;
    char *text = ph_arena_alloc(arena, room);
    if (text == NULL)
        return (struct ph_slice){0};
    for (size_t i = 0; i < PH_COUNTOF(rows); i++) {
        const struct row *row = &rows[i];
        const char *suffix = row->kind[0] == 'c' ? "_total" : "";
        int more = snprintf(text + len, room - len,
                            "# HELP payhook_%s%s %s\n# TYPE payhook_%s%s %s\npayhook_%s%s %llu\n",
                            row->name, suffix, row->help, row->name, suffix, row->kind, row->name,
                            suffix, (unsigned long long)sum_of(set, row));
        if (more < 0 || (size_t)more >= room - len)
            return (struct ph_slice){0};
        len += (size_t)more;
    }
    return ph_slice_of(text, len);
}
