/* Answers that come later: one end for every exchange, whoever is first; and bytes that stay. */
#include "http_fixture.h"

#include <pthread.h>

#include "http/h1.h"
#include "server/later.h"

struct work {
    struct ph_ticket ticket;
    const char *body; /* of the request, read by the worker */
    int resumed, expired, cancelled, discarded;
};

static struct ph_later *later;
static struct work work;
static int wakes, flushes;

static void on_wake(void *ctx)
{
    (void)ctx;
    wakes++;
}

static void on_flush(void *ctx, void *connection)
{
    (void)ctx;
    assert_ptr_equal(connection, &work);
    flushes++;
}

static void answer(struct ph_http_exchange *exchange, struct ph_slice body)
{
    const struct ph_http_response response = {.status = 200, .body = body};
    assert_int_equal(ph_http_answer(exchange, &response), PH_OK);
}

static void on_resume(void *ctx, struct ph_http_exchange *exchange, void *w)
{
    (void)ctx;
    ((struct work *)w)->resumed++;
    answer(exchange, PH_S("done"));
}

static void on_expire(void *ctx, struct ph_http_exchange *exchange, void *w)
{
    (void)ctx;
    ((struct work *)w)->expired++;
    answer(exchange, PH_S("too late"));
}

static void on_cancel(void *ctx, void *w)
{
    (void)ctx;
    ((struct work *)w)->cancelled++;
}

static void on_discard(void *ctx, void *w)
{
    (void)ctx;
    ((struct work *)w)->discarded++;
}

static const struct ph_later_job job = {on_resume, on_expire, on_cancel, on_discard};

static enum ph_http_outcome hold(void *ctx, struct ph_http_exchange *exchange,
                                 const struct ph_http_request *request,
                                 struct ph_http_response *ret_response)
{
    (void)ctx;
    (void)ret_response;
    work.body = request->body.ptr;
    assert_int_equal(ph_later_begin(later, exchange, &job, NULL, &work, 1000, &work.ticket), PH_OK);
    return PH_HTTP_LATER;
}

static struct ph_h1 *begin(void)
{
    work = (struct work){0};
    wakes = flushes = 0;
    fixture->handler.handle = hold;
    later = ph_later_new(&fixture->counters, on_wake, NULL);
    struct ph_h1 *h1 = ph_h1_new(&fixture->site, &work, &fixture->out, false);
    ph_h1_feed(h1, PH_S("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"), 1);
    assert_int_equal(ph_later_count(later), 1);
    return h1;
}

static void finish(struct ph_h1 *h1)
{
    ph_h1_free(h1);
    assert_int_equal(ph_later_count(later), 0);
    ph_later_free(later);
}

static bool answered_with(const char *text)
{
    return ph_slice_find(ph_buffer_slice(&fixture->out), ph_slice_str(text), 0) != SIZE_MAX;
}

static void a_completion_resumes_and_flushes(void **state)
{
    (void)state;
    struct ph_h1 *h1 = begin();
    assert_int_equal(ph_later_next_ms(later), 1000);
    ph_later_run(later, on_flush, NULL);
    assert_int_equal(work.resumed, 0);
    ph_later_complete(work.ticket);
    assert_int_equal(wakes, 1);
    ph_later_run(later, on_flush, NULL);
    assert_int_equal(work.resumed, 1);
    assert_int_equal(flushes, 1);
    assert_true(answered_with("done"));
    finish(h1);
    assert_int_equal(work.cancelled + work.discarded + work.expired, 0);
}

static void a_client_that_goes_first_cancels_and_the_work_is_discarded_when_it_is_done(void **state)
{
    (void)state;
    ph_h1_free(begin());
    assert_int_equal(work.cancelled, 1);
    assert_int_equal(work.discarded, 0);
    assert_int_equal(ph_later_count(later), 1);
    assert_memory_equal(work.body, "body", 4); /* L3 */
    ph_later_complete(work.ticket);
    ph_later_run(later, on_flush, NULL);
    assert_int_equal(work.discarded, 1);
    assert_int_equal(work.resumed, 0);
    assert_int_equal(fixture->counters.exchanges_gone, 1);
    finish(NULL);
}

static void a_deadline_answers_and_the_late_result_is_discarded(void **state)
{
    (void)state;
    struct ph_h1 *h1 = begin();
    ph_later_expire(later, 999, on_flush, NULL);
    assert_int_equal(work.expired, 0);
    ph_later_expire(later, 1000, on_flush, NULL);
    assert_int_equal(work.expired, 1);
    assert_int_equal(work.cancelled, 1);
    assert_true(answered_with("too late"));
    assert_memory_equal(work.body, "body", 4); /* L3 */
    assert_int_equal(ph_later_next_ms(later), INT64_MAX);
    ph_later_complete(work.ticket);
    ph_later_run(later, on_flush, NULL);
    assert_int_equal(work.discarded, 1);
    assert_int_equal(work.resumed, 0);
    finish(h1);
}

static void a_client_that_goes_after_the_deadline_is_not_told_twice(void **state)
{
    (void)state;
    struct ph_h1 *h1 = begin();
    ph_later_expire(later, 5000, on_flush, NULL);
    ph_h1_free(h1);
    assert_int_equal(work.cancelled, 1);
    ph_later_complete(work.ticket);
    ph_later_run(later, on_flush, NULL);
    assert_int_equal(work.discarded, 1);
    finish(NULL);
}

static void a_completion_before_the_death_that_is_seen_after_it_is_discarded(void **state)
{
    (void)state;
    struct ph_h1 *h1 = begin();
    ph_later_complete(work.ticket);
    ph_h1_free(h1);
    ph_later_run(later, on_flush, NULL);
    assert_int_equal(work.discarded, 1);
    assert_int_equal(work.resumed, 0);
    finish(NULL);
}

static void work_that_is_still_out_at_the_end_is_discarded(void **state)
{
    (void)state;
    ph_h1_free(begin());
    ph_later_free(later);
    assert_int_equal(work.discarded, 1);
}

static void past_the_limit_nothing_more_waits(void **state)
{
    (void)state;
    static struct ph_http_exchange exchanges[PH_LATER_MAX + 1];
    static struct ph_ticket tickets[PH_LATER_MAX + 1];
    later = ph_later_new(&fixture->counters, on_wake, NULL);
    work = (struct work){0};
    for (size_t i = 0; i < PH_LATER_MAX; i++) {
        ph_http_exchange_init(&exchanges[i], &fixture->memory);
        exchanges[i].held = true;
        assert_int_equal(ph_later_begin(later, &exchanges[i], &job, NULL, &work, 1000, &tickets[i]),
                         PH_OK);
    }
    assert_int_equal(ph_later_begin(later, &exchanges[PH_LATER_MAX], &job, NULL, &work, 1000,
                                    &tickets[PH_LATER_MAX]),
                     PH_ERR_AGAIN);
    assert_int_equal(fixture->counters.limit_later, 1);
    for (size_t i = 0; i < PH_LATER_MAX; i++) {
        ph_http_exchange_gone(&exchanges[i]);
        ph_later_complete(tickets[i]); /* L2: all of them at once */
    }
    ph_later_run(later, on_flush, NULL);
    assert_int_equal(work.discarded, PH_LATER_MAX);
    finish(NULL);
}

static void *complete_it(void *arg)
{
    struct work *w = arg;
    assert_memory_equal(w->body, "body", 4);
    ph_later_complete(w->ticket);
    return NULL;
}

static void another_thread_completes(void **state)
{
    (void)state;
    struct ph_h1 *h1 = begin();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, complete_it, &work), 0);
    pthread_join(thread, NULL);
    ph_later_run(later, on_flush, NULL);
    assert_int_equal(work.resumed, 1);
    finish(h1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_completion_resumes_and_flushes),
        HTTP_TEST(a_client_that_goes_first_cancels_and_the_work_is_discarded_when_it_is_done),
        HTTP_TEST(a_deadline_answers_and_the_late_result_is_discarded),
        HTTP_TEST(a_client_that_goes_after_the_deadline_is_not_told_twice),
        HTTP_TEST(a_completion_before_the_death_that_is_seen_after_it_is_discarded),
        HTTP_TEST(work_that_is_still_out_at_the_end_is_discarded),
        HTTP_TEST(past_the_limit_nothing_more_waits),
        HTTP_TEST(another_thread_completes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
