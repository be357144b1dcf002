/* gRPC framing and compression, protobuf without a schema, reflection, and what is made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "http/grpc.h"
#include "http/gzip.h"
#include "server/metrics.h"
#include "server/override.h"
#include "server/reflection.h"
#include "wire/fields.h"

static struct ph_slice zeroes(size_t bytes)
{
    return ph_slice_of(ph_arena_zalloc(&arena, bytes), bytes);
}

static void assert_slice(struct ph_slice got, struct ph_slice wanted)
{
    assert_int_equal(got.len, wanted.len);
    assert_memory_equal(got.ptr, wanted.ptr, wanted.len);
}

/* ---- gzip ------------------------------------------------------------------------------------ */

static void gzip_goes_there_and_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 100000};
    for (size_t i = 0; i < PH_COUNTOF(sizes); i++) {
        struct ph_slice plain = zeroes(sizes[i]), packed, back;
        assert_int_equal(ph_gzip_deflate(&arena, plain, &packed), PH_OK);
        assert_int_equal(ph_gzip_inflate(&arena, packed, sizes[i], &back), PH_OK);
        assert_slice(back, plain);
    }
}

static void a_zip_bomb_is_stopped_at_the_limit_and_not_after_it(void **state)
{
    (void)state;
    struct ph_slice packed, back = PH_S("untouched");
    assert_int_equal(ph_gzip_deflate(&arena, zeroes(100000), &packed), PH_OK);
    assert_int_equal(ph_gzip_inflate(&arena, packed, 99999, &back), PH_ERR_TOO_LARGE);
    assert_slice(back, PH_S("untouched"));
    assert_int_equal(ph_gzip_inflate(&arena, packed, 100000, &back), PH_OK);
    struct ph_arena small;
    ph_arena_init(&small, &ph_os_heap, 128 * 1024, 0); /* what it may use is bounded, too */
    assert_int_equal(ph_gzip_inflate(&small, packed, 100000, &back), PH_ERR_NO_MEMORY);
    ph_arena_done(&small);
}

static void gzip_that_is_cut_short_followed_or_changed_is_malformed(void **state)
{
    (void)state;
    struct ph_slice packed, back;
    char bytes[128];
    assert_int_equal(ph_gzip_deflate(&arena, PH_S("some text, some text"), &packed), PH_OK);
    memcpy(bytes, packed.ptr, packed.len);
    for (size_t len = 0; len < packed.len; len++)
        assert_int_equal(ph_gzip_inflate(&arena, ph_slice_of(bytes, len), 1000, &back),
                         PH_ERR_MALFORMED);
    bytes[packed.len] = 0;
    assert_int_equal(ph_gzip_inflate(&arena, ph_slice_of(bytes, packed.len + 1), 1000, &back),
                     PH_ERR_MALFORMED);
    bytes[packed.len - 5] ^= 1; /* the checksum */
    assert_int_equal(ph_gzip_inflate(&arena, ph_slice_of(bytes, packed.len), 1000, &back),
                     PH_ERR_MALFORMED);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void a_message_is_taken_once_it_is_whole(void **state)
{
    (void)state;
    struct ph_slice bytes = PH_S("\0\0\0\0\3abc\0\0\0\0\0"), message;
    struct ph_fault fault;
    size_t used;
    for (size_t len = 0; len < 8; len++) {
        assert_true(
            ph_grpc_take(ph_slice_of(bytes.ptr, len), false, 10, &arena, &message, &used, &fault));
        assert_int_equal(used, 0);
    }
    assert_true(ph_grpc_take(bytes, false, 10, &arena, &message, &used, &fault));
    assert_int_equal(used, 8);
    assert_slice(message, PH_S("abc"));
    assert_true(ph_grpc_take(ph_slice_from(bytes, 8), false, 10, &arena, &message, &used, &fault));
    assert_int_equal(used, 5);
    assert_int_equal(message.len, 0);
}

static void a_message_past_the_limit_is_refused_by_its_prefix(void **state)
{
    (void)state;
    struct ph_slice message;
    struct ph_fault fault;
    size_t used;
    assert_false(ph_grpc_take(PH_S("\0\0\0\0\4"), false, 3, &arena, &message, &used, &fault));
    assert_int_equal(fault.code, PH_GRPC_RESOURCE_EXHAUSTED);
    assert_false(
        ph_grpc_take(PH_S("\0\xff\xff\xff\xff"), false, 3, &arena, &message, &used, &fault));
    assert_false(ph_grpc_take(PH_S("\1\0\0\0\0"), false, 3, &arena, &message, &used, &fault));
    assert_int_equal(fault.code, PH_GRPC_INTERNAL);
}

static void encodings_are_read_from_their_headers(void **state)
{
    (void)state;
    struct ph_header headers[] = {{PH_SI("grpc-encoding"), PH_SI("gzip")},
                                  {PH_SI("grpc-accept-encoding"), PH_SI("identity, deflate,gzip")}};
    struct ph_http_request request = {.headers = headers,
                                      .header_count = 2,
                                      .marks = ph_http_mark(headers[0].name) |
                                               ph_http_mark(headers[1].name)};
    struct ph_grpc_encodings encodings;
    struct ph_fault fault;
    assert_true(ph_grpc_encodings(&request, &encodings, &fault));
    assert_true(encodings.request_gzip && encodings.accepts_gzip);
    headers[0].value = PH_S("identity");
    headers[1].value = PH_S("gzipped");
    assert_true(ph_grpc_encodings(&request, &encodings, &fault));
    assert_false(encodings.request_gzip || encodings.accepts_gzip);
    headers[0].value = PH_S("snappy");
    assert_false(ph_grpc_encodings(&request, &encodings, &fault));
    assert_int_equal(fault.code, PH_GRPC_UNIMPLEMENTED);
}

static void status_texts_are_percent_encoded_and_cut(void **state)
{
    (void)state;
    assert_slice(ph_grpc_encode_message(&arena, PH_S("50% caf\xc3\xa9\n")),
                 PH_S("50%25 caf%C3%A9%0A"));
    assert_int_equal(ph_grpc_encode_message(&arena, zeroes(5000)).len, 3 * PH_GRPC_TEXT_BYTES_MAX);
}

static void a_status_text_is_not_cut_within_a_character(void **state)
{
    (void)state;
    char text[PH_GRPC_TEXT_BYTES_MAX + 4];
    for (size_t fits = 0; fits <= 4; fits++) { /* bytes of the character before the limit */
        const size_t at = PH_GRPC_TEXT_BYTES_MAX - fits;
        memset(text, 'a', sizeof(text));
        memcpy(text + at, "\xf0\x9f\x98\x80", 4);
        assert_int_equal(ph_grpc_encode_message(&arena, ph_slice_of(text, sizeof(text))).len,
                         fits < 4 ? at : at + 12);
    }
}

/* ---- protobuf without a schema --------------------------------------------------------------- */

static void fields_are_taken_one_by_one(void **state)
{
    (void)state;
    struct ph_slice rest = PH_S("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                                "\x82\x7d\x04text"
                                "\x78\x00");
    struct ph_scanned field;
    assert_true(ph_scan_next(&rest, &field));
    assert_true(field.number == 1 && field.varint == UINT64_MAX);
    assert_true(ph_scan_next(&rest, &field));
    assert_int_equal(field.number, 2000);
    assert_slice(field.bytes, PH_S("text"));
    assert_true(ph_scan_next(&rest, &field));
    assert_true(field.number == 15 && field.varint == 0);
    assert_int_equal(rest.len, 0);
}

static void malformed_fields_are_told(void **state)
{
    (void)state;
    static const struct ph_slice bad[] = {
        PH_SI("\x0a"),
        PH_SI("\x0a\x05"
              "abc"),
        PH_SI("\x08"),
        PH_SI("\x08\x80"),
        PH_SI("\x00\x01"),
        PH_SI("\x0b"),
        PH_SI("\x0d\x01\x02\x03"),
        PH_SI("\x09\x01"),
        PH_SI("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        PH_SI("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    };
    for (size_t i = 0; i < PH_COUNTOF(bad); i++) {
        struct ph_slice rest = bad[i];
        struct ph_scanned field;
        assert_false(ph_scan_next(&rest, &field));
        assert_false(ph_slice_present(ph_scan_bytes_of(bad[i], 1)));
    }
}

/* ---- reflection ------------------------------------------------------------------------------ */

/* The answer's arm for a question of one text; *ret_bytes is the arm. */
static uint32_t ask(uint32_t number, const char *text, struct ph_slice *ret_bytes)
{
    char question[256];
    struct ph_slice answer;
    struct ph_scanned field;
    uint32_t arm = 0;
    int len = snprintf(question, sizeof question, "\x0a\x04host%c%c%s", (char)(number << 3 | 2),
                       (char)strlen(text), text);
    struct ph_slice asked = ph_slice_of(question, (size_t)len);
    assert_int_equal(ph_reflection_answer(&arena, ph_reflection_descriptors(), asked, &answer),
                     PH_OK);
    assert_slice(ph_scan_bytes_of(answer, 1), PH_S("host"));
    assert_slice(ph_scan_bytes_of(answer, 2), asked);
    while (ph_scan_next(&answer, &field))
        if (field.number >= 4) {
            arm = field.number;
            *ret_bytes = field.bytes;
        }
    return arm;
}

static void symbols_are_found_in_the_file_that_has_them(void **state)
{
    (void)state;
    static const struct {
        const char *symbol, *file; /* NULL: none */
    } cases[] = {
        {"types.EventService", "events.proto"},
        {"types.EventService.HandleEvent", "events.proto"},
        {"types.HandleResponse", "events.proto"},
        {"types.HandleResponse.Verdict", "events.proto"},
        {"types.HandleResponse.verdict", "events.proto"},
        {"types.WebhookEventType", "events.proto"},
        {"types.RequestDetails.HeadersEntry", "events.proto"},
        {"grpc.health.v1.HealthCheckResponse.ServingStatus", "health.proto"},
        {"grpc.reflection.v1.ServerReflection", "reflection_v1.proto"},
        {"grpc.reflection.v1alpha.ServerReflection", "reflection_v1alpha.proto"},
        {"types", NULL},
        {"", NULL},
        {"types.", NULL},
        {"types.EventServic", NULL},
        {"types.EventService.", NULL},
        {"types.EventService.HandleEvent.x", NULL},
        {"types.HandleResponse.Verdict.VERIFIED.x", NULL},
        {"types.HandleResponse.nothing", NULL},
    };
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        struct ph_slice arm = {0};
        uint32_t number = ask(4, cases[i].symbol, &arm);
        if (cases[i].file == NULL) {
            assert_int_equal(number, 7);
            continue;
        }
        assert_int_equal(number, 4);
        assert_slice(ph_scan_bytes_of(ph_scan_bytes_of(arm, 1), 1), ph_slice_str(cases[i].file));
    }
}

static void files_services_and_extensions_are_answered(void **state)
{
    (void)state;
    struct ph_slice arm, rest;
    struct ph_scanned field;
    size_t services = 0;
    assert_int_equal(ask(3, "health.proto", &arm), 4);
    assert_int_equal(ask(3, "nothing.proto", &arm), 7);
    assert_int_equal(ask(6, "types.RequestDetails", &arm), 5);
    assert_slice(ph_scan_bytes_of(arm, 1), PH_S("types.RequestDetails"));
    assert_int_equal(ask(6, "types.EventService", &arm), 7);
    assert_int_equal(ask(5, "", &arm), 7);
    assert_int_equal(ask(7, "*", &arm), 6);
    for (rest = arm; ph_scan_next(&rest, &field);)
        services++;
    assert_int_equal(services, 5);
    assert_int_equal(ph_reflection_answer(&arena, ph_reflection_descriptors(), PH_S("\xff"), &arm),
                     PH_ERR_MALFORMED);
}

/* ---- metrics, override ----------------------------------------------------------------------- */

static void metrics_are_sums_over_the_threads(void **state)
{
    (void)state;
    static struct ph_counters one, two;
    struct ph_counter_set set = {.of = {&one, &two}, .count = 2};
    ph_count(&one.limit_resets);
    ph_count_by(&two.limit_resets, 4);
    ph_count_by(&one.connections_open, 2);
    ph_count_by(&two.connections_open, -1);
    struct ph_exposition out = {.arena = &arena};
    ph_metrics_counters(&set, &out);
    struct ph_slice text = ph_exposition_text(&out);
    assert_true(ph_slice_find(text, PH_S("\npayhook_limit_resets_total 5\n"), 0) != SIZE_MAX);
    assert_true(ph_slice_find(text, PH_S("\npayhook_connections_open 1\n"), 0) != SIZE_MAX);
    assert_true(ph_slice_find(text, PH_S("# TYPE payhook_connections_open gauge\n"), 0) !=
                SIZE_MAX);
}

static void an_override_needs_to_be_allowed_and_comes_before_the_config(void **state)
{
    (void)state;
    static const struct ph_connector connector = {.name = PH_SI("acme")};
    struct ph_config_value own = {PH_SI("base_url"), PH_SI("https://own")};
    struct ph_metadata metadata = {.connector = &connector, .config = &own, .config_count = 1};
    struct ph_server_config config = {0};
    struct ph_fault fault;
    struct ph_slice patch =
        PH_S("{\"connectors\":{\"acme\":{\"base_url\":\"https://other\",\"n\":1},\"b\":{}}}");
    assert_true(ph_override_apply(&config, &arena, PH_S("  "), &metadata, &fault));
    assert_false(ph_override_apply(&config, &arena, patch, &metadata, &fault));
    assert_int_equal(fault.code, PH_GRPC_PERMISSION_DENIED);
    config.allow_config_override = true;
    assert_true(ph_override_apply(&config, &arena, patch, &metadata, &fault));
    assert_int_equal(metadata.config_count, 2);
    assert_slice(metadata.config[0].value, PH_S("https://other"));
    assert_slice(metadata.config[1].value, PH_S("https://own"));
    assert_false(ph_override_apply(&config, &arena, PH_S("[1]"), &metadata, &fault));
    assert_int_equal(fault.code, PH_GRPC_INTERNAL);
    assert_true(
        ph_slice_starts(fault.message, PH_S("Failed to merge config with override config")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gzip_goes_there_and_back),
        TEST(a_zip_bomb_is_stopped_at_the_limit_and_not_after_it),
        TEST(gzip_that_is_cut_short_followed_or_changed_is_malformed),
        TEST(a_message_is_taken_once_it_is_whole),
        TEST(a_message_past_the_limit_is_refused_by_its_prefix),
        TEST(encodings_are_read_from_their_headers),
        TEST(status_texts_are_percent_encoded_and_cut),
        TEST(a_status_text_is_not_cut_within_a_character),
        TEST(fields_are_taken_one_by_one),
        TEST(malformed_fields_are_told),
        TEST(symbols_are_found_in_the_file_that_has_them),
        TEST(files_services_and_extensions_are_answered),
        TEST(metrics_are_sums_over_the_threads),
        TEST(an_override_needs_to_be_allowed_and_comes_before_the_config),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
