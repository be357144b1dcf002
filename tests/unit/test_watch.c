/* What the server says of itself: figures as Prometheus reads them, lines of the log, whose
 * trace it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "gateway/trace.h"
#include "os/clock.h"
#include "server/exposition.h"
#include "server/log.h"
#include "server/tally.h"

static struct ph_arena arena;

static void *take(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}

static void give(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

static const struct ph_allocator heap = {.alloc = take, .free = give};

static int set_up(void **state)
{
    (void)state;
    ph_arena_init(&arena, &heap, PH_ARENA_BYTES_MAX, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ph_arena_done(&arena);
    return 0;
}

static void assert_text(struct ph_slice text, const char *expected)
{
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.ptr, expected, text.len);
}

static bool has(struct ph_slice text, const char *part)
{
    return ph_slice_find(text, ph_slice_str(part), 0) != SIZE_MAX;
}

/* ---- trace ----------------------------------------------------------------------------------- */

#define TRACE_ID  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT_ID "00f067aa0ba902b7"

static struct ph_slice trace_of(const char *value)
{
    const struct ph_header headers[] = {{PH_S("Accept"), PH_S("*")},
                                        {PH_S("TraceParent"), ph_slice_str(value)}};
    return ph_trace_parent(headers, 2);
}

static void a_well_formed_traceparent_is_taken_over(void **state)
{
    (void)state;
    assert_text(trace_of("00-" TRACE_ID "-" PARENT_ID "-01"), "00-" TRACE_ID "-" PARENT_ID "-01");
    assert_text(trace_of(" 00-" TRACE_ID "-" PARENT_ID "-00 "), "00-" TRACE_ID "-" PARENT_ID "-00");
    /* Of a version to come, as far as it is like ours. */
    assert_text(trace_of("cc-" TRACE_ID "-" PARENT_ID "-01-more"),
                "cc-" TRACE_ID "-" PARENT_ID "-01");
}

static void a_traceparent_that_is_not_well_formed_is_none(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        "00-" TRACE_ID "-" PARENT_ID,
        "00-" TRACE_ID "-" PARENT_ID "-1",
        "00-" TRACE_ID "-" PARENT_ID "-01-more",
        "00-" TRACE_ID "-" PARENT_ID "-011",
        "cc-" TRACE_ID "-" PARENT_ID "-01more",
        "ff-" TRACE_ID "-" PARENT_ID "-01",
        "0g-" TRACE_ID "-" PARENT_ID "-01",
        "00_" TRACE_ID "-" PARENT_ID "-01",
        "00-00000000000000000000000000000000-" PARENT_ID "-01",
        "00-" TRACE_ID "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT_ID "-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473\n-" PARENT_ID "-01",
    };
    for (size_t i = 0; i < PH_COUNTOF(bad); i++)
        assert_false(ph_slice_present(trace_of(bad[i])));
    assert_false(ph_slice_present(ph_trace_parent(NULL, 0)));
}

static void two_traceparents_that_differ_are_none(void **state)
{
    (void)state;
    struct ph_slice one = PH_S("00-" TRACE_ID "-" PARENT_ID "-01"),
                    two = PH_S("00-" TRACE_ID "-" PARENT_ID "-00");
    const struct ph_header same[] = {{PH_S("traceparent"), one}, {PH_S("traceparent"), one}};
    const struct ph_header differ[] = {{PH_S("traceparent"), one}, {PH_S("traceparent"), two}};
    assert_true(ph_slice_present(ph_trace_parent(same, 2)));
    assert_false(ph_slice_present(ph_trace_parent(differ, 2)));
}

/* ---- figures --------------------------------------------------------------------------------- */

static void a_family_is_written_as_prometheus_reads_it(void **state)
{
    (void)state;
    struct ph_exposition out = {.arena = &arena};
    const struct ph_label labels[] = {{"endpoint", PH_S("a\"b\\c\nd")},
                                      {"verdict", PH_S("verified")}};
    ph_exposition_family(&out, "x_total", PH_METRIC_COUNTER, "first\nsecond \\ \"third\"");
    ph_exposition_sample(&out, labels, 2, 7);
    ph_exposition_family(&out, "y_seconds", PH_METRIC_GAUGE, "y");
    ph_exposition_sample_ms(&out, NULL, 0, 61005);
    ph_exposition_sample_ms(&out, labels + 1, 1, -3);
    assert_text(ph_exposition_text(&out),
                "# HELP x_total first\\nsecond \\\\ \"third\"\n"
                "# TYPE x_total counter\n"
                "x_total{endpoint=\"a\\\"b\\\\c\\nd\",verdict=\"verified\"} 7\n"
                "# HELP y_seconds y\n"
                "# TYPE y_seconds gauge\n"
                "y_seconds 61.005\n"
                "y_seconds{verdict=\"verified\"} 0.000\n");
}

static void a_histogram_is_cumulative_and_ends_with_all(void **state)
{
    (void)state;
    struct ph_exposition out = {.arena = &arena};
    static const int64_t bounds[] = {64, 1000000};
    static const uint64_t counts[] = {3, 4, 5};
    ph_exposition_family(&out, "t_seconds", PH_METRIC_HISTOGRAM, "t");
    ph_exposition_histogram(&out, NULL, 0,
                            &(struct ph_exposition_histogram){bounds, counts, 2, 2500001});
    assert_true(has(ph_exposition_text(&out), "t_seconds_bucket{le=\"0.000064\"} 3\n"
                                              "t_seconds_bucket{le=\"1.000000\"} 7\n"
                                              "t_seconds_bucket{le=\"+Inf\"} 12\n"
                                              "t_seconds_sum 2.500001\n"
                                              "t_seconds_count 12\n"));
}

static void without_memory_there_are_no_half_figures(void **state)
{
    (void)state;
    struct ph_arena small;
    ph_arena_init(&small, &heap, 20 * 1024, 0);
    struct ph_exposition out = {.arena = &small};
    ph_exposition_family(&out, "x_total", PH_METRIC_COUNTER, "x");
    for (int i = 0; i < 10000; i++)
        ph_exposition_sample(&out, NULL, 0, i);
    assert_false(ph_slice_present(ph_exposition_text(&out)));
    ph_arena_done(&small);
}

static void endpoints_are_counted_by_verdict_and_fate(void **state)
{
    (void)state;
    static struct ph_tally tally;
    struct ph_tally_row *shop = ph_tally_row(&tally, PH_S("shop"), PH_S("stripe"));
    assert_non_null(shop);
    assert_ptr_equal(ph_tally_row(&tally, PH_S("shop"), PH_S("stripe")), shop);
    assert_ptr_not_equal(ph_tally_row(&tally, PH_S("shop"), PH_S("adyen")), shop);
    assert_null(ph_tally_find(&tally, PH_S("nobody"), PH_S("stripe")));
    ph_tally_judged(&tally, shop, PH_VERIFIED, 1000);
    ph_tally_judged(&tally, shop, PH_FORGED, 1000);
    ph_tally_judged(&tally, shop, PH_FORGED, 1000);
    ph_tally_ended(&tally, shop, PH_FATE_stored, 3);
    ph_tally_ended(&tally, shop, PH_FATE_quarantined, 100000);
    const struct ph_tally_row *row = ph_tally_find(&tally, PH_S("shop"), PH_S("stripe"));
    assert_int_equal(row->verdicts[PH_VERIFIED], 1);
    assert_int_equal(row->verdicts[PH_FORGED], 2);
    assert_int_equal(row->fates[PH_FATE_stored], 1);
    assert_int_equal(tally.times[2], 1); /* up to 5 ms */
    assert_int_equal(tally.times[PH_TALLY_BUCKETS], 1);
    assert_int_equal(tally.time_sum_ms, 100003);
    ph_tally_done(&tally);
}

static void rows_of_a_tally_are_bounded(void **state)
{
    (void)state;
    static struct ph_tally tally;
    char name[32];
    for (int i = 0; i < PH_TALLY_ROWS_MAX; i++)
        assert_non_null(
            ph_tally_row(&tally, ph_slice_of(name, (size_t)snprintf(name, sizeof name, "e%d", i)),
                         PH_S("stripe")));
    assert_null(ph_tally_row(&tally, PH_S("one-more"), PH_S("stripe")));
    assert_non_null(ph_tally_row(&tally, PH_S("e7"), PH_S("stripe")));
    ph_tally_judged(&tally, NULL, PH_VERIFIED, 1000); /* still counted in the sums */
    ph_tally_ended(&tally, NULL, PH_FATE_stored, 1);
    assert_int_equal(tally.times[0], 1);
    ph_tally_done(&tally);
}

static void a_share_of_stale_ones_is_seen_and_forgotten(void **state)
{
    (void)state;
    static struct ph_tally tally;
    const int64_t minute = 60 * 1000, start = 30000000 * minute;
    for (int i = 0; i < 20; i++)
        ph_tally_judged(&tally, NULL, PH_STALE, start);
    for (int i = 0; i < 80; i++)
        ph_tally_judged(&tally, NULL, PH_VERIFIED, start + minute);
    for (int i = 0; i < 1000; i++) /* who cannot sign cannot hide it */
        ph_tally_judged(&tally, NULL, PH_FORGED, start + minute);
    uint64_t judged = 0, stale = 0;
    ph_tally_recent(&tally, start + minute, &judged, &stale);
    assert_int_equal(judged, 100);
    assert_int_equal(stale, 20);
    assert_true(ph_tally_too_stale(judged, stale));
    judged = stale = 0;
    ph_tally_recent(&tally, start + (PH_STALE_MINUTES + 1) * minute, &judged, &stale);
    assert_int_equal(judged, 80);
    assert_int_equal(stale, 0);
    ph_tally_judged(&tally, NULL, PH_VERIFIED,
                    start + (PH_STALE_MINUTES + 1) * minute); /* takes the oldest one's place */
    judged = stale = 0;
    ph_tally_recent(&tally, start + (PH_STALE_MINUTES + 1) * minute, &judged, &stale);
    assert_int_equal(judged, 81);
    assert_false(ph_tally_too_stale(0, 0));
    assert_false(ph_tally_too_stale(9, 9)); /* a few are a queue that is worked off */
    assert_false(ph_tally_too_stale(101, 10));
    assert_true(ph_tally_too_stale(100, 10));
    ph_tally_done(&tally);
}

/* ---- lines ----------------------------------------------------------------------------------- */

static struct ph_slice line_of(struct ph_log_line *line, bool json, const char *key,
                               struct ph_slice text)
{
    ph_log_begin(line, json, 1764000000123, PH_SEVERITY_INFO, PH_S("webhook"));
    ph_log_text(line, key, text);
    ph_log_number(line, "ms", -7);
    return ph_log_end(line);
}

static void a_line_is_for_people_or_for_programs(void **state)
{
    (void)state;
    struct ph_log_line line;
    assert_text(line_of(&line, false, "endpoint", PH_S("shop")),
                "2025-11-24T16:00:00.123Z info webhook endpoint=shop ms=-7\n");
    assert_text(line_of(&line, false, "reason", PH_S("no \"v1\" in it")),
                "2025-11-24T16:00:00.123Z info webhook reason=\"no \\\"v1\\\" in it\" ms=-7\n");
    assert_text(line_of(&line, true, "endpoint", PH_S("sh\\op")),
                "{\"time\":\"2025-11-24T16:00:00.123Z\",\"level\":\"info\",\"message\":\"webhook\","
                "\"endpoint\":\"sh\\\\op\",\"ms\":-7}\n");
    assert_text(line_of(&line, true, "absent", (struct ph_slice){0}),
                "{\"time\":\"2025-11-24T16:00:00.123Z\",\"level\":\"info\",\"message\":\"webhook\","
                "\"ms\":-7}\n");
}

static void what_strangers_send_cannot_fake_a_line(void **state)
{
    (void)state;
    struct ph_log_line line;
    for (int json = 0; json < 2; json++) {
        struct ph_slice text = line_of(&line, json, "request_id", PH_S("a\nb\r\x1b[2J\x80\0z"));
        assert_int_equal(ph_slice_find(text, PH_S("\n"), 0), text.len - 1);
        assert_true(has(text, "a?b??[2J??z"));
    }
}

static void lines_are_bounded_and_stay_whole(void **state)
{
    (void)state;
    struct ph_log_line line;
    char much[4000];
    memset(much, '"', sizeof much);
    for (int json = 0; json < 2; json++) {
        ph_log_begin(&line, json, 0, PH_SEVERITY_ERROR, ph_slice_of(much, sizeof much));
        for (int i = 0; i < 100; i++)
            ph_log_text(&line, "key", ph_slice_of(much, sizeof much));
        ph_log_number(&line, "n", 1);
        struct ph_slice text = ph_log_end(&line);
        assert_true(text.len <= PH_LOG_LINE_BYTES_MAX);
        assert_true(text.ptr[text.len - 1] == '\n' && text.ptr[text.len - 2] == (json ? '}' : '1'));
    }
}

static void card_numbers_and_addresses_are_masked(void **state)
{
    (void)state;
    struct ph_log_line line;
    assert_true(has(line_of(&line, false, "id", PH_S("4242424242424242")), "id=************4242 "));
    assert_true(has(line_of(&line, true, "id", PH_S("pay 4242 4242 4242 4242 now")),
                    "pay **** **** **** 4242 now"));
    assert_true(has(line_of(&line, true, "id", PH_S("x378282246310005")), "x***********0005"));
    assert_true(has(line_of(&line, false, "id", PH_S("4242424242424241")),
                    "id=4242424242424241 ")); /* no card */
    assert_true(has(line_of(&line, false, "id", PH_S("123456789012")), "id=123456789012 "));
    struct ph_slice mail = line_of(&line, true, "reason", PH_S("of jane.doe@example.com"));
    assert_false(has(mail, "jane"));
    assert_true(has(mail, "of ****.***@*******.***"));
    assert_true(has(line_of(&line, false, "processor_event", PH_S("8835513921644841")),
                    "processor_event=8835513921644841 ")); /* Adyen's: a check digit, no card */
}

/* ---- the log --------------------------------------------------------------------------------- */

static void lines_come_out_whole_and_in_order(void **state)
{
    (void)state;
    int ends[2];
    static char read_back[64 * 1024];
    assert_int_equal(pipe(ends), 0);
    struct ph_log *log = ph_log_start(ends[1], false, PH_SEVERITY_INFO);
    assert_non_null(log);
    for (int i = 0; i < 200; i++) {
        struct ph_log_line line;
        assert_true(ph_log_open(log, PH_SEVERITY_INFO, PH_S("n"), &line));
        ph_log_number(&line, "i", i);
        ph_log_write(log, &line);
    }
    struct ph_log_line line;
    assert_false(ph_log_open(log, PH_SEVERITY_DEBUG, PH_S("n"), &line));
    ph_log_configure(log, true, PH_SEVERITY_DEBUG);
    assert_true(ph_log_open(log, PH_SEVERITY_DEBUG, PH_S("n"), &line));
    assert_int_equal(ph_log_lines(log), 200);
    ph_log_stop(log);
    close(ends[1]);
    size_t len = 0;
    for (ssize_t n; (n = read(ends[0], read_back + len, sizeof read_back - len)) > 0;)
        len += (size_t)n;
    close(ends[0]);
    size_t at = 0;
    for (int i = 0; i < 200; i++) {
        char end[32];
        snprintf(end, sizeof end, " info n i=%d\n", i);
        size_t found = ph_slice_find(ph_slice_of(read_back, len), ph_slice_str(end), at);
        assert_int_equal(found, at + 24); /* right after the time */
        at = found + strlen(end);
    }
    assert_int_equal(at, len);
}

static void say(struct ph_log *log, enum ph_log_severity severity, struct ph_slice what)
{
    struct ph_log_line line;
    if (!ph_log_open(log, severity, what, &line))
        return;
    ph_log_text(&line, "text", PH_S("text"));
    ph_log_write(log, &line);
}

static void a_log_that_nobody_reads_holds_nobody_up(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct ph_log *log = ph_log_start(ends[1], true, PH_SEVERITY_INFO);
    int64_t start_ms = ph_os_steady_ms();
    for (int i = 0; i < 20000; i++)
        say(log, PH_SEVERITY_ERROR,
            PH_S("a line that is not short at all, so that the buffers fill soon"));
    assert_true(ph_os_steady_ms() - start_ms < 5000);
    assert_true(ph_log_lost(log) > 0);
    assert_int_equal(ph_log_lost(log) + ph_log_lines(log), 20000);
    start_ms = ph_os_steady_ms();
    ph_log_stop(log); /* gives up on it */
    assert_true(ph_os_steady_ms() - start_ms < 10000);
    close(ends[0]);
    close(ends[1]);
}

static void lost_lines_are_told_of_once_there_is_room(void **state)
{
    (void)state;
    int ends[2];
    static char read_back[2 * 1024 * 1024];
    size_t len = 0;
    assert_int_equal(pipe(ends), 0);
    struct ph_log *log = ph_log_start(ends[1], false, PH_SEVERITY_INFO);
    while (ph_log_lost(log) == 0)
        say(log, PH_SEVERITY_INFO, PH_S("full"));
    while (!has(ph_slice_of(read_back, len), "lines were lost")) {
        ssize_t n = read(ends[0], read_back + len, sizeof read_back - len);
        assert_true(n > 0);
        len += (size_t)n;
    }
    assert_true(has(ph_slice_of(read_back, len),
                    "warning the log is not read fast enough: lines were lost lines="));
    close(ends[0]); /* whoever reads has gone: that is no reason to stay */
    say(log, PH_SEVERITY_INFO, PH_S("gone"));
    ph_log_stop(log);
    close(ends[1]);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* as the server has it */
    const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        CASE(a_well_formed_traceparent_is_taken_over),
        CASE(a_traceparent_that_is_not_well_formed_is_none),
        CASE(two_traceparents_that_differ_are_none),
        CASE(a_family_is_written_as_prometheus_reads_it),
        CASE(a_histogram_is_cumulative_and_ends_with_all),
        CASE(without_memory_there_are_no_half_figures),
        CASE(endpoints_are_counted_by_verdict_and_fate),
        CASE(rows_of_a_tally_are_bounded),
        CASE(a_share_of_stale_ones_is_seen_and_forgotten),
        CASE(a_line_is_for_people_or_for_programs),
        CASE(what_strangers_send_cannot_fake_a_line),
        CASE(lines_are_bounded_and_stay_whole),
        CASE(card_numbers_and_addresses_are_masked),
        CASE(lines_come_out_whole_and_in_order),
        CASE(a_log_that_nobody_reads_holds_nobody_up),
        CASE(lost_lines_are_told_of_once_there_is_room),
#undef CASE
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
