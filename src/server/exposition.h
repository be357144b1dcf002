/* Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats, read
 * 2026-11), into an arena. Pure.
 *
 * E1: a family has one HELP and one TYPE line, before its samples, and its samples stand together.
 * E2: label values are escaped, whatever is in them. */
#ifndef PH_SERVER_EXPOSITION_H
#define PH_SERVER_EXPOSITION_H

#include "base/arena.h"

struct ph_label {
    const char *name;
    struct ph_slice value;
};

struct ph_exposition {
    struct ph_arena *arena;
    char *ptr;
    size_t len, room;
    bool failed;        /* no memory */
    const char *family; /* being written */
};

enum ph_metric_kind { PH_METRIC_COUNTER, PH_METRIC_GAUGE, PH_METRIC_HISTOGRAM };

/* Begins a family; a counter's name ends with _total. `name` is kept until the next one. */
void ph_exposition_family(struct ph_exposition *out, const char *name, enum ph_metric_kind kind,
                          const char *help);
void ph_exposition_sample(struct ph_exposition *out, const struct ph_label *labels, size_t count,
                          int64_t value);
/* Thousandths, as a decimal fraction: times that are kept in ms are told in seconds. */
void ph_exposition_sample_ms(struct ph_exposition *out, const struct ph_label *labels, size_t count,
                             int64_t ms);

struct ph_exposition_histogram {
    const int64_t *bounds_us; /* upper bounds of the buckets, rising */
    const uint64_t *counts;   /* of each bucket by itself, then of what is above all bounds */
    size_t buckets;           /* bounds */
    int64_t sum_us;
};
void ph_exposition_histogram(struct ph_exposition *out, const struct ph_label *labels, size_t count,
                             const struct ph_exposition_histogram *histogram);

/* {NULL,0}: no memory. */
struct ph_slice ph_exposition_text(const struct ph_exposition *out);

#endif
