/* What destinations are sent: CloudEvents, Standard Webhooks signatures, Retry-After. All pure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those above */

#include <yyjson.h>

#include "destination/cloudevent.h"
#include "destination/retry_after.h"
#include "destination/standard_webhooks.h"
#include "os/heap.h"

static struct ph_arena arena;

static int fresh_arena(void **state)
{
    (void)state;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    arena.exact = true; /* a byte past the end is seen */
    return 0;
}

static int free_arena(void **state)
{
    (void)state;
    ph_arena_done(&arena);
    return 0;
}

static void assert_text(struct ph_slice got, const char *want)
{
    if (!ph_slice_eq(got, ph_slice_str(want)))
        fail_msg("got:  %.*s\nwant: %s", (int)got.len, got.ptr, want);
}

/* ---- CloudEvents ----------------------------------------------------------------------------- */

static const struct ph_inbox_due paid = {
    .event_id = PH_SI("stripe:evt_1"),
    .type = PH_SI("PAYMENT_INTENT_SUCCESS"),
    .class = PH_SI("payment"),
    .subject = PH_SI("pi_1"),
    .connector = PH_SI("stripe"),
    .endpoint = PH_SI("stripe-shop"),
    .received_ms = 1764453600000,
    .occurred_ms = 1764453590000,
    .answer = PH_SI("{\"event_type\":\"PAYMENT_INTENT_SUCCESS\"}"),
};

static struct ph_slice json_of(const struct ph_inbox_due *due, int32_t attempt)
{
    struct ph_notice notice = {.due = due, .attempt = attempt};
    struct ph_slice text;
    assert_int_equal(ph_cloudevent_json(&arena, &notice, 1, false, &text), PH_OK);
    return text;
}

static void an_event_is_a_structured_cloudevent(void **state)
{
    (void)state;
    assert_text(
        json_of(&paid, 1),
        "{\"specversion\":\"1.0\",\"id\":\"stripe:evt_1\",\"source\":\"/webhooks/stripe-shop\","
        "\"type\":\"PAYMENT_INTENT_SUCCESS\",\"subject\":\"pi_1\",\"time\":\"2025-11-29T21:59:"
        "50Z\","
        "\"datacontenttype\":\"application/json\",\"connector\":\"stripe\","
        "\"receivedtime\":\"2025-11-29T22:00:00Z\",\"attempt\":1,"
        "\"data\":{\"event_type\":\"PAYMENT_INTENT_SUCCESS\"}}");
}

static void a_replay_and_a_late_event_say_so(void **state)
{
    struct ph_inbox_due due = paid;
    (void)state;
    due.replay = due.late = true;
    due.occurred_ms = 0;
    due.trace = PH_S("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    struct ph_slice text = json_of(&due, 7);
    assert_true(
        ph_slice_find(text,
                      PH_S("\"attempt\":7,\"replay\":true,\"late\":true,\"traceparent\":\"00-0af7"),
                      0) != SIZE_MAX);
    assert_true(ph_slice_find(text, PH_S("\"time\":\"2025-11-29T22:00:00Z\""), 0) !=
                SIZE_MAX); /* the receipt's */
    assert_true(ph_slice_find(json_of(&paid, 1), PH_S("replay"), 0) == SIZE_MAX);
}

static void what_is_absent_is_not_there(void **state)
{
    struct ph_inbox_due due = paid;
    (void)state;
    due.subject = due.answer = (struct ph_slice){0};
    struct ph_slice text = json_of(&due, 1);
    assert_true(ph_slice_find(text, PH_S("subject"), 0) == SIZE_MAX);
    assert_true(ph_slice_find(text, PH_S("data\":"), 0) == SIZE_MAX);
}

static void any_bytes_make_json_that_reads(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char bytes[] = {'a',        (char)c,    '\\',       '"',       (char)0xc2,
                        (char)0x85, (char)0xe2, (char)0x82, (char)0xac};
        struct ph_inbox_due due = paid;
        due.subject = due.event_id = ph_slice_of(bytes, sizeof bytes);
        struct ph_slice text = json_of(&due, 1);
        yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
        if (doc == NULL)
            fail_msg("byte %d: %.*s", c, (int)text.len, text.ptr);
        yyjson_val *subject = yyjson_obj_get(yyjson_doc_get_root(doc), "subject");
        const char *got = yyjson_get_str(subject);
        assert_int_equal(yyjson_get_len(subject), strlen(got)); /* no NUL inside */
        for (size_t i = 0; got[i] != '\0'; i++)
            assert_true((unsigned char)got[i] >= 0x20 && got[i] != 0x7f);
        assert_non_null(strstr(got, "\\\"\xef\xbf\xbd")); /* C1 is not allowed in an attribute */
        assert_non_null(strstr(got, "\xe2\x82\xac"));     /* the euro sign is */
        yyjson_doc_free(doc);
    }
}

static void a_batch_is_a_list_in_order(void **state)
{
    struct ph_inbox_due other = paid;
    struct ph_slice text;
    (void)state;
    other.event_id = PH_S("stripe:evt_2");
    struct ph_notice notices[] = {{&paid, 1}, {&other, 1}, {&paid, 2}};
    assert_int_equal(ph_cloudevent_json(&arena, notices, 3, true, &text), PH_OK);
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
    assert_non_null(doc);
    yyjson_val *root = yyjson_doc_get_root(doc);
    assert_int_equal(yyjson_arr_size(root), 3);
    assert_string_equal(yyjson_get_str(yyjson_obj_get(yyjson_arr_get(root, 1), "id")),
                        "stripe:evt_2");
    assert_int_equal(yyjson_get_int(yyjson_obj_get(yyjson_arr_get(root, 2), "attempt")), 2);
    yyjson_doc_free(doc);
    assert_int_equal(ph_cloudevent_json(&arena, notices, 1, true, &text), PH_OK);
    assert_true(text.ptr[0] == '[' && text.ptr[text.len - 1] == ']'); /* one is a list too */
}

static void without_memory_there_is_no_event(void **state)
{
    struct ph_notice notice = {.due = &paid, .attempt = 1};
    struct ph_slice text;
    int refused = 0;
    (void)state;
    for (size_t limit = 0; limit < 8192; limit += 16) {
        ph_arena_done(&arena);
        ph_arena_init(&arena, &ph_os_heap, limit, 0);
        arena.exact = true;
        enum ph_status st = ph_cloudevent_json(&arena, &notice, 1, false, &text);
        assert_true(st == PH_OK || st == PH_ERR_NO_MEMORY);
        refused += st != PH_OK;
    }
    assert_in_range(refused, 2, 500);
}

/* ---- Standard Webhooks ----------------------------------------------------------------------- */

/* Of the specification's own libraries: libraries/python/tests/test_webhooks.py (read 2026-11-29).
 */
#define OFFICIAL_SECRET    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define OFFICIAL_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static struct ph_slice signature_of(const struct ph_slice *keys, size_t count)
{
    struct ph_crypto *crypto = ph_crypto_new(&ph_os_heap);
    struct ph_slice text;
    assert_int_equal(
        ph_standard_webhooks_sign(crypto, &arena, keys, count, PH_S("msg_p5jXN8AQM9LWM0D4loKWxJek"),
                                  PH_S("1614265330"), PH_S("{\"test\": 2432232314}"), &text),
        PH_OK);
    ph_crypto_free(crypto);
    return text;
}

static void the_official_vector_is_signed_the_same(void **state)
{
    struct ph_slice key;
    (void)state;
    assert_int_equal(ph_standard_webhooks_key(&arena, PH_S(OFFICIAL_SECRET), &key), PH_OK);
    assert_text(signature_of(&key, 1), OFFICIAL_SIGNATURE);
}

static void two_keys_make_two_signatures(void **state)
{
    struct ph_slice keys[2] = {{0}, PH_SI("another key that is not base64")};
    (void)state;
    assert_int_equal(ph_standard_webhooks_key(&arena, PH_S(OFFICIAL_SECRET), &keys[0]), PH_OK);
    struct ph_slice text = signature_of(keys, 2), first = PH_S(OFFICIAL_SIGNATURE " v1,");
    assert_true(ph_slice_starts(text, first));
    assert_int_equal(text.len, 2 * (sizeof OFFICIAL_SIGNATURE - 1) + 1);
}

static void a_secret_is_base64_behind_its_prefix_and_itself_without(void **state)
{
    struct ph_slice key;
    (void)state;
    assert_int_equal(ph_standard_webhooks_key(&arena, PH_S("whsec_AAAA"), &key), PH_OK);
    assert_int_equal(key.len, 3);
    assert_int_equal(ph_standard_webhooks_key(&arena, PH_S("AAAA"), &key), PH_OK);
    assert_text(key, "AAAA");
    assert_int_equal(ph_standard_webhooks_key(&arena, PH_S("whsec_A!"), &key), PH_ERR_INVALID);
    assert_int_equal(ph_standard_webhooks_key(&arena, PH_S("whsec_"), &key), PH_ERR_INVALID);
    assert_int_equal(ph_standard_webhooks_key(&arena, PH_S(""), &key), PH_ERR_INVALID);
}

static void an_id_has_no_dot_and_no_line_break(void **state)
{
    struct ph_slice id;
    (void)state;
    assert_int_equal(ph_standard_webhooks_id(&arena, PH_S("adyen:Shop_1:8-a.1%\r\n"), &id), PH_OK);
    assert_text(id, "adyen:Shop_1:8-a%2E1%25%0D%0A");
}

/* ---- Retry-After ----------------------------------------------------------------------------- */

static void retry_after_is_read_in_both_its_forms(void **state)
{
    const int64_t now = 784111777000; /* Sun, 06 Nov 1994 08:49:37 GMT */
    (void)state;
    assert_int_equal(ph_retry_after_ms(PH_S("120"), now), 120000);
    assert_int_equal(ph_retry_after_ms(PH_S(" 1 "), now), 1000);
    assert_int_equal(ph_retry_after_ms(PH_S("Sun, 06 Nov 1994 08:49:47 GMT"), now), 10000);
    assert_int_equal(ph_retry_after_ms(PH_S("Sun, 06 Nov 1994 08:49:37 GMT"), now), 0);
    assert_int_equal(ph_retry_after_ms(PH_S("Sun, 06 Nov 1993 08:49:37 GMT"), now), 0);
    assert_true(ph_retry_after_ms(PH_S("9223372036854775807"), now) > 0);
    static const char *const others[] = {"",
                                         "0",
                                         "-1",
                                         "soon",
                                         "1.5",
                                         "12s",
                                         "Sun, 06 Nov 1994 08:49:37 CET",
                                         "99999999999999999999",
                                         "Sun, 99 Nov 1994 08:49:37 GMT"};
    for (size_t i = 0; i < PH_COUNTOF(others); i++)
        assert_int_equal(ph_retry_after_ms(ph_slice_str(others[i]), now), 0);
    assert_int_equal(ph_retry_after_ms((struct ph_slice){0}, now), 0);
}

#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, fresh_arena, free_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ARENA(an_event_is_a_structured_cloudevent),
        WITH_ARENA(a_replay_and_a_late_event_say_so),
        WITH_ARENA(what_is_absent_is_not_there),
        WITH_ARENA(any_bytes_make_json_that_reads),
        WITH_ARENA(a_batch_is_a_list_in_order),
        WITH_ARENA(without_memory_there_is_no_event),
        WITH_ARENA(the_official_vector_is_signed_the_same),
        WITH_ARENA(two_keys_make_two_signatures),
        WITH_ARENA(a_secret_is_base64_behind_its_prefix_and_itself_without),
        WITH_ARENA(an_id_has_no_dot_and_no_line_break),
        cmocka_unit_test(retry_after_is_read_in_both_its_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
