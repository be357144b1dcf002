/* What people may see: card numbers, persons, secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yyjson.h>

#include "base/limits.h"
#include "gateway/mask.h"

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
static const struct ph_allocator heap = {take, give, NULL};

/* Each text in a block of its own, so that a sanitizer sees what is read past its end. */
static void is_masked(const char *from, const char *to)
{
    struct ph_arena arena;
    size_t len = strlen(from);
    char *own = malloc(len + 1);
    memcpy(own, from, len);
    own = realloc(own, len > 0 ? len : 1);
    ph_arena_init(&arena, &heap, PH_ARENA_BYTES_MAX, 0);
    struct ph_slice masked = ph_mask_text(&arena, ph_slice_of(own, len));
    char *text = strndup(masked.ptr, masked.len);
    assert_string_equal(text, to);
    free(text);
    ph_arena_done(&arena);
    free(own);
}

static void stays(const char *text)
{
    is_masked(text, text);
}

static void a_card_number_keeps_its_last_four_digits(void **state)
{
    (void)state;
    is_masked("card 4242424242424242.", "card ************4242.");
    is_masked("4242 4242 4242 4242", "**** **** **** 4242");
    is_masked("3782-822463-10005", "****-******-*0005");
    is_masked("12 4242424242424242 7", "12 ************4242 7");
    is_masked("{\"n\":\"4242424242424242\",\"m\":4242424242424242}",
              "{\"n\":\"************4242\",\"m\":\"************4242\"}");
    is_masked("{\"m\":4242424242424242.50,\"k\":-4242424242424242}",
              "{\"m\":\"************4242.50\",\"k\":\"-************4242\"}");
    is_masked("n=4242+4242+4242+4242&a=1", "n=****+****+****+4242&a=1");
    is_masked("n=4242%204242%204242%204242", "n=****%20****%20****%204242");
    is_masked("{\"n\":\"\\u0034242424242424242\"}", "{\"n\":\"************4242\"}");
    is_masked("<a>&#52;242424242424242</a>", "<a>************4242</a>");
    is_masked("id_4000056655665556-x", "id_************5556-x");
    is_masked("6304000000000000000 x", "***************0000 x"); /* 19 digits */
    is_masked("2200123456789019 9816000000000005 1946000000000005",
              "************9019 ************0005 ************0005");
    is_masked("\\4242424242424242", "\\************4242"); /* no escape has a digit there */
}

/* All of these have the right check digit: one id in ten has. */
static void an_id_that_begins_as_no_card_does_stays(void **state)
{
    (void)state;
    stays("{\"processor_event\":{\"id\":\"8835513921644841\"},\"connector_transaction_id\":"
          "\"14950600004890404\"}");
    stays("0000000000000000 1500000000000003 8000000000000003");
    stays("00000000-0000-0000-0000-000000000000");
    stays("b881d9f1-57a8-4129-9943-118603eea6c7"); /* 4129 9943 1186 03 */
    stays("00-59fd272f84bda53e075dce45d5b9e000-6113602912540b4c-01");
    stays("{\"id\":\"b881d9f1-57a8-4129-9943-118603eea6c7\"}");
    is_masked("g-57a8-4129-9943-118603eea6c7", "g-57a8-****-****-**8603eea6c7");
    is_masked("x881d9f1-57a8-4129-9943-118603eea6c7", "x881d9f1-57a8-****-****-**8603eea6c7");
    is_masked("b881d9f1-57a8-4129-9943-118603eea6c7-4242424242424242",
              "b881d9f1-57a8-4129-9943-118603eea6c7-************4242");
    is_masked("11111111-1111-1111-4242-424242424242", "11111111-1111-1111-****-********4242");
}

static void words_are_masked_where_there_is_room_for_them(void **state)
{
    static const char text[] = "4242424242424242 of jo@shop.example, 8835513921644841";
    char *to =
        malloc(sizeof text - 1); /* its own block: a sanitizer sees what is written past it */
    (void)state;
    size_t len = ph_mask_words(PH_S("4242424242424242 of jo@shop.example, 8835513921644841"), to);
    assert_int_equal(len, sizeof text - 1);
    assert_memory_equal(to, "************4242 of **@****.*******, 8835513921644841", len);
    free(to);
}

static void a_number_that_is_no_card_stays(void **state)
{
    (void)state;
    stays("{\"psp\":\"8835513921644843\",\"amount\":4242,\"at\":1761998400000}");
    stays("6304000000000000001");
    stays("1761998400002"); /* a time in ms whose check digit is right */
    stays("42424242424242424242424242424242");
}

static void an_email_address_is_hidden_wherever_it_stands(void **state)
{
    (void)state;
    is_masked("write to jo.d+x@shop.example now", "write to **.***@****.******* now");
    is_masked("{\"note\":\"a\\njo@shop.example\"}", "{\"note\":\"a\\n**@****.*******\"}");
    is_masked("m=jo%40shop.example", "m=**%40****.*******");
    is_masked("{\"note\":\"jo\\u0040shop.example\"}", "{\"note\":\"**\\u0040****.*******\"}");
    is_masked("<note>jos\xc3\xa9@shop.example</note>", "<note>****@****.*******</note>");
    stays("a @ b, @, x@");
}

static void what_stands_under_a_persons_name_is_hidden_whole(void **state)
{
    (void)state;
    is_masked("{\"id\":\"x\",\"name\":\"Jo "
              "Do\",\"customer_name\":\"J\",\"cardHolder\":\"JO\",\"phone\":49123,\"email\":null,"
              "\"n\":\"\"}",
              "{\"id\":\"x\",\"name\":\"***\",\"customer_name\":\"***\",\"cardHolder\":\"***\","
              "\"phone\":\"***\",\"email\":null,\"n\":\"\"}");
    is_masked("{\"address\":{\"line1\":\"Way "
              "1\",\"tags\":[\"a\",1,true],\"in\":{\"x\":\"y\"}},\"country\":\"DE\"}",
              "{\"address\":{\"line1\":\"***\",\"tags\":[\"***\",\"***\",true],\"in\":{\"x\":\"***"
              "\"}},\"country\":\"DE\"}");
    is_masked("{\"\\u006eame\":\"Jo\"}", "{\"\\u006eame\":\"***\"}");
    is_masked("first_name=Jo&amount=5&LastName=D&x", "first_name=***&amount=5&LastName=***&x");
    is_masked("<r><b:BillingAddress><City>X</City> <Z/></b:BillingAddress><id>7</id></r>",
              "<r><b:BillingAddress><City>***</City> <Z/></b:BillingAddress><id>7</id></r>");
    is_masked("<r phone=\"1\" id='2'/>", "<r phone=\"***\" id='2'/>");
    is_masked("<name><![CDATA[Jo]]></name><i><![CDATA[a]]></i>",
              "<name><![CDATA[***]]></name><i><![CDATA[a]]></i>");
}

static void secrets_within_a_body_are_hidden(void **state)
{
    (void)state;
    is_masked("{\"additionalData\":{\"hmacSignature\":\"abc=\"},\"client_secret\":\"s\"}",
              "{\"additionalData\":{\"hmacSignature\":\"***\"},\"client_secret\":\"***\"}");
    is_masked("skey=ab12&amount=1.00", "skey=***&amount=1.00");
}

static void documents_within_documents_are_masked_too(void **state)
{
    (void)state;
    is_masked("{\"data\":\"{\\\"email\\\":\\\"a\\\",\\\"id\\\":\\\"7\\\"}\"}",
              "{\"data\":\"{\\\"email\\\":\\\"***\\\",\\\"id\\\":\\\"7\\\"}\"}");
    is_masked("p=%7B%22name%22%3A%22Jo%22%7D&q=1", "p=%7B%22name%22%3A%22***%22%7D&q=1");
    is_masked("{\"response\":\"eyJlbWFpbCI6ImpvQHNob3AuZXhhbXBsZSJ9\"}", "{\"response\":\"***\"}");
    is_masked("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqbyJ9.c2ln", "***");
    is_masked("<a><![CDATA[{\"name\":\"Jo\"}]]></a>", "<a><![CDATA[{\"name\":\"***\"}]]></a>");
}

static void names_of_our_own_answers_stay(void **state)
{
    (void)state;
    stays("{\"event_name\":\"PAYMENT_INTENT_SUCCESS\",\"matched_secret\":1,\"verdict\":"
          "\"VERIFIED\",\"covers\":[\"body\"],"
          "\"dedupe_key\":\"stripe:evt_1\",\"merchant_event_id\":\"m\",\"event_type\":\"PAYMENT_"
          "INTENT_SUCCESS\"}");
}

static void broken_bodies_come_out_no_worse(void **state)
{
    (void)state;
    is_masked("{\"name\":\"Jo", "{\"name\":\"***");
    is_masked("{\"a\":\"\\", "{\"a\":\"\\");
    stays("");
    stays("}}]]");
    stays("<");
    stays("<a href=\"");
    stays("{\"a\":\"\\u00\"}");
    stays("a=%4&%&=&&=");
    is_masked("<name>Jo", "<name>***");
}

static void deep_nesting_ends_in_stars(void **state)
{
    (void)state;
    is_masked("[\"[\\\"[\\\\\\\"[\\\\\\\\\\\\\\\"[1]\\\\\\\\\\\\\\\"]\\\\\\\"]\\\"]\"]",
              "[\"[\\\"[\\\\\\\"[\\\\\\\\\\\\\\\"***\\\\\\\\\\\\\\\"]\\\\\\\"]\\\"]\"]");
}

static void a_document_stays_a_document(void **state)
{
    static const char *const texts[] = {
        "{\"a\":\"\\ud83d\\ude00 "
        "jo@x.y\",\"name\":[1,-2.5e9,{\"b\":[]}],\"d\":\"[\\\"\\\\ud83d\\\\ude00\\\"]\",\"e\":\"{"
        "\\\"x\\\":1\"}",
        "[4242424242424242,\"4242 4242 4242 4242\",{\"card_number\":4242424242424242e0}]",
        "\"jo@x.y\""};
    struct ph_arena arena;
    (void)state;
    ph_arena_init(&arena, &heap, PH_ARENA_BYTES_MAX, 0);
    for (size_t i = 0; i < PH_COUNTOF(texts); i++) {
        struct ph_slice masked = ph_mask_text(&arena, ph_slice_str(texts[i]));
        yyjson_doc *doc = yyjson_read(masked.ptr, masked.len, 0);
        assert_non_null(doc);
        yyjson_doc_free(doc);
        assert_int_equal(ph_slice_find(masked, PH_S("jo@"), 0), SIZE_MAX);
        assert_int_equal(ph_slice_find(masked, PH_S("424242"), 0), SIZE_MAX);
    }
    ph_arena_done(&arena);
}

static void slice_is(struct ph_slice slice, const char *text)
{
    assert_int_equal(slice.len, strlen(text));
    assert_memory_equal(slice.ptr, text, slice.len);
}

static void a_jwt_is_hidden_wherever_it_stands(void **state)
{
    (void)state;
    is_masked("the token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqbyJ9.c2ln is old",
              "the token *** is old");
    is_masked("{\"note\":\"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqbyJ9.c2ln\",\"id\":\"7\"}",
              "{\"note\":\"Bearer ***\",\"id\":\"7\"}");
    is_masked("a=1&back=x:eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqbyJ9.c2_-n&b=2", "a=1&back=x:***&b=2");
    is_masked("see eyJhbGciOiJIUzI1NiJ9..c2ln, detached", "see ***, detached");
    is_masked("five eyJhbGciOiJIUzI1NiJ9.a.b.c.d.e", "five ***.e");
    stays("two eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqbyJ9 parts");
    stays("none eyJhbGciOiJIUzI1NiJ9.. signed");
    stays("at eyJet.example.com and xeyJhbGciOiJIUzI1NiJ9.a.b");
    struct ph_arena arena;
    ph_arena_init(&arena, &heap, PH_ARENA_BYTES_MAX, 0);
    slice_is(ph_mask_header(&arena, PH_S("X-Any"),
                            PH_S("v1 eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqbyJ9.c2ln")),
             "v1 ***");
    ph_arena_done(&arena);
}

static void headers_that_prove_or_open_doors_are_secret(void **state)
{
    static const char *const secret[] = {
        "Stripe-Signature", "Authorization",           "Cookie",
        "X-Api-Key",        "x-hub-signature-256",     "HMACSignature",
        "X-VERIFY",         "Webhook-Signature",       "X-Auth-Token",
        "Tl-Sig",           "paypal-transmission-sig", "Digest"};
    static const char *const plain[] = {"Content-Type", "User-Agent", "webhook-id",
                                        "X-Request-Id", "Host",       "x-forwarded-for"};
    struct ph_arena arena;
    (void)state;
    ph_arena_init(&arena, &heap, PH_ARENA_BYTES_MAX, 0);
    for (size_t i = 0; i < PH_COUNTOF(secret); i++) {
        assert_true(ph_mask_is_secret(ph_slice_str(secret[i])));
        slice_is(ph_mask_header(&arena, ph_slice_str(secret[i]), PH_S("abc")), "***");
    }
    for (size_t i = 0; i < PH_COUNTOF(plain); i++)
        assert_false(ph_mask_is_secret(ph_slice_str(plain[i])));
    slice_is(ph_mask_header(&arena, PH_S("From"), PH_S("jo@x.y")), "**@*.*");
    slice_is(ph_mask_uri(&arena, PH_S("/webhooks/a?token=x&id=7&mail=jo@x.y")),
             "/webhooks/a?token=***&id=7&mail=**@*.*");
    slice_is(ph_mask_url(&arena, PH_S("https://me:pw@app.example:8/in?key=1#f")),
             "https://app.example:8/in");
    slice_is(ph_mask_url(&arena, PH_S("redis://:p%40@h/0")), "redis://h/0");
    ph_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_number_keeps_its_last_four_digits),
        cmocka_unit_test(an_id_that_begins_as_no_card_does_stays),
        cmocka_unit_test(words_are_masked_where_there_is_room_for_them),
        cmocka_unit_test(a_number_that_is_no_card_stays),
        cmocka_unit_test(an_email_address_is_hidden_wherever_it_stands),
        cmocka_unit_test(what_stands_under_a_persons_name_is_hidden_whole),
        cmocka_unit_test(secrets_within_a_body_are_hidden),
        cmocka_unit_test(documents_within_documents_are_masked_too),
        cmocka_unit_test(a_jwt_is_hidden_wherever_it_stands),
        cmocka_unit_test(names_of_our_own_answers_stay),
        cmocka_unit_test(broken_bodies_come_out_no_worse),
        cmocka_unit_test(deep_nesting_ends_in_stars),
        cmocka_unit_test(a_document_stays_a_document),
        cmocka_unit_test(headers_that_prove_or_open_doors_are_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
