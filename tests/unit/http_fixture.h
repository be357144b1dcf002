/* What the HTTP tests share: memory that is counted, and a handler that notes what it is asked.
 * A target that starts with /later is held, /open begins an answer of many parts, /parts takes
 * its body in parts; the body of one that ends with -passing may pass. */
#ifndef TESTS_HTTP_FIXTURE_H
#define TESTS_HTTP_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "http/h2.h"
#include "http/message.h"

enum { SEEN_MAX = 512, LOG_BYTES = 16 * 1024 };

struct fixture {
    struct ph_allocator allocator;
    struct ph_memory memory;
    struct ph_counters counters;
    struct ph_http_handler handler;
    struct ph_http_limits limits;
    struct ph_http_site site;
    struct ph_h2_spares spares;
    struct ph_http_owner owner;
    struct ph_buffer out;
    char log[LOG_BYTES]; /* "METHOD target body;" per request, "gone;" per death */
    size_t log_len;
    struct ph_http_exchange *held[SEEN_MAX];
    size_t held_count, gone_count, data_count;
    bool ended;
};

static struct fixture *fixture; /* of the running test: owners are found from it */

static void *fixture_take(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}

static void fixture_give(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

static void note(struct ph_slice text)
{
    assert_true(fixture->log_len + text.len < LOG_BYTES);
    if (text.len > 0)
        memcpy(fixture->log + fixture->log_len, text.ptr, text.len);
    fixture->log_len += text.len;
    fixture->log[fixture->log_len] = '\0';
}

static void on_gone(struct ph_http_owner *owner, struct ph_http_exchange *exchange)
{
    (void)owner;
    (void)exchange;
    fixture->gone_count++;
    note(PH_S("gone;"));
}

static void on_data(struct ph_http_owner *owner, struct ph_http_exchange *exchange, bool ended)
{
    (void)owner;
    fixture->data_count++;
    fixture->ended |= ended;
    if (exchange->body.len < 1024)
        note(ph_buffer_slice(&exchange->body));
    ph_buffer_drop(&exchange->body, exchange->body.len);
}

static enum ph_http_outcome on_request(void *ctx, struct ph_http_exchange *exchange,
                                       const struct ph_http_request *request,
                                       struct ph_http_response *ret_response)
{
    (void)ctx;
    note(request->method);
    note(PH_S(" "));
    note(request->target);
    note(PH_S(" "));
    note(request->body);
    note(request->refusal != PH_HTTP_FINE ? PH_S(" refused;") : PH_S(";"));
    *ret_response = (struct ph_http_response){.status = 200, .body = PH_S("ok")};
    exchange->owner = &fixture->owner;
    if (ph_slice_starts(request->target, PH_S("/open")) ||
        ph_slice_starts(request->target, PH_S("/parts"))) {
        ret_response->open = true;
        fixture->held[fixture->held_count++] = exchange;
    } else if (ph_slice_starts(request->target, PH_S("/later"))) {
        fixture->held[fixture->held_count++] = exchange;
        return PH_HTTP_LATER;
    }
    return PH_HTTP_ANSWERED;
}

static bool wants_parts(void *ctx, struct ph_slice target)
{
    (void)ctx;
    return ph_slice_starts(target, PH_S("/parts"));
}

static bool lets_pass(void *ctx, struct ph_slice target)
{
    struct ph_slice end = PH_S("-passing");
    (void)ctx;
    return target.len >= end.len && ph_slice_eq(ph_slice_from(target, target.len - end.len), end);
}

static int open_fixture(void **state)
{
    fixture = calloc(1, sizeof *fixture);
    fixture->allocator = (struct ph_allocator){fixture_take, fixture_give, NULL};
    fixture->memory = (struct ph_memory){.allocator = &fixture->allocator, .limit = 64u << 20};
    fixture->handler =
        (struct ph_http_handler){.handle = on_request, .streams = wants_parts, .passes = lets_pass};
    fixture->limits = ph_http_limits_usual;
    fixture->site = (struct ph_http_site){&fixture->memory, &fixture->handler, &fixture->counters,
                                          &fixture->limits, &fixture->spares};
    fixture->owner = (struct ph_http_owner){.gone = on_gone, .data = on_data};
    ph_buffer_init(&fixture->out, &fixture->memory);
    *state = fixture;
    return 0;
}

/* Whatever a test did, all memory has come back. */
static int close_fixture(void **state)
{
    (void)state;
    ph_buffer_done(&fixture->out);
    ph_h2_spares_done(&fixture->spares, &fixture->memory);
    size_t left = fixture->memory.used + fixture->memory.beside;
    free(fixture);
    return left == 0 ? 0 : -1;
}

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

/* Answers the exchange that was held as number `at`. */
static inline void answer_held(size_t at, struct ph_slice body)
{
    const struct ph_http_response response = {.status = 200, .body = body};
    assert_int_equal(ph_http_answer(fixture->held[at], &response), PH_OK);
}

#endif
