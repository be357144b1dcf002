/* The engine's own reading: documents, values, money, times, rules and keys, over small tables
 * made here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "core/codec.h"
#include "core/engine.h"
#include "core/run.h"
#include "core/value.h"

static size_t allocations;

static void *give(void *ctx, size_t bytes)
{
    (void)ctx;
    allocations++;
    return malloc(bytes);
}

static void take(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

static const struct ph_allocator heap = {give, take, NULL};

static int open_worker(void **state)
{
    *state = ph_worker_new(&heap);
    return *state == NULL;
}

static int close_worker(void **state)
{
    ph_worker_free(*state);
    return 0;
}

static void assert_text(struct ph_slice got, const char *want)
{
    if (want == NULL) {
        assert_false(ph_slice_present(got));
        return;
    }
    assert_true(ph_slice_present(got));
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* clang-format off */
#define KEY(name) {.kind = PH_STEP_KEY, .index = -1, .key = PH_SI(name)}
#define POINTER(var, path, ...)                                                                    \
    static const struct ph_step var##_steps[] = {__VA_ARGS__};                                     \
    static const struct ph_pointer var##_pointer = {PH_SI(path), var##_steps, PH_COUNTOF(var##_steps)};\
    static const struct ph_piece var##_piece[] = {{.source = PH_SRC_POINTER, .pointer = &var##_pointer}};\
    __attribute__((unused)) static const struct ph_template var##_template[] = {{var##_piece, 1}}
#define EXPR(var) {var##_template, 1}
/* clang-format on */

POINTER(id, "/id", KEY("id"));
POINTER(type, "/type", KEY("type"));
POINTER(object, "/object", KEY("object"));
POINTER(amount, "/amount", KEY("amount"));
POINTER(currency, "/currency", KEY("currency"));
POINTER(created, "/created", KEY("created"));
POINTER(nested, "/list/1/b", KEY("list"), {.kind = PH_STEP_KEY, .index = 1, .key = PH_SI("1")},
        KEY("b"));
POINTER(last, "/list/last/b", KEY("list"),
        {.kind = PH_STEP_LAST, .index = -1, .key = PH_SI("last")}, KEY("b"));
POINTER(picked, "/list/[b=2]/c", KEY("list"), {PH_STEP_SELECT, -1, PH_SI("b"), PH_SI("2")},
        KEY("c"));

static struct ph_field_rule fields[] = {
    {.field = PH_F_CONNECTOR_TRANSACTION_ID,
     .unit = PH_UNIT_TEXT,
     .required = true,
     .value = EXPR(object)},
    {.field = PH_F_AMOUNT,
     .unit = PH_UNIT_MINOR,
     .value = EXPR(amount),
     .currency = EXPR(currency)},
    {.field = PH_F_CREATED_AT, .unit = PH_UNIT_UNIX, .value = EXPR(created)},
};
static const struct ph_block payment = {.name = PH_SI("payment"),
                                        .kind = PH_KIND_PAYMENT,
                                        .fields = fields,
                                        .field_count = PH_COUNTOF(fields),
                                        .id_count = 1,
                                        .reference_kind = PH_KIND_PAYMENT};
static const struct ph_slice on_paid[] = {PH_SI("paid")}, on_pay[] = {PH_SI("pay.")},
                             on_manual[] = {PH_SI("manual")}, on_auto[] = {PH_SI("auto")},
                             on_reserved[] = {PH_SI("reserved")};
static const struct ph_rule rules[] = {
    {.on = on_paid,
     .on_count = 1,
     .is = {.word = PH_PAYMENT_INTENT_SUCCESS},
     .content = &payment,
     .status = {.word = PH_CHARGED}},
    {.on = on_pay, .on_count = 1, .on_prefix = true, .is = {.word = PH_PAYMENT_INTENT_PROCESSING}},
    {.on = on_manual,
     .on_count = 1,
     .is = {.word = PH_PAYMENT_INTENT_AUTHORIZATION_SUCCESS},
     .content = &payment,
     .status = {.word = PH_CHARGED},
     .needs_capture_method = true},
    {.on = on_auto,
     .on_count = 1,
     .is = {.word = PH_PAYMENT_INTENT_AUTHORIZATION_SUCCESS},
     .content = &payment,
     .status = {.word = PH_CHARGED}},
    {.on = on_reserved,
     .on_count = 1,
     .is = {.word = PH_PAYMENT_INTENT_SUCCESS},
     .content = &payment,
     .status = {.word = PH_AUTHORIZED}},
};
static const uint16_t in_manual[] = {2}, in_paid[] = {0}, in_auto[] = {3}, in_reserved[] = {4},
                      open_rules[] = {1};
static const struct ph_rule_group groups[] = {{PH_SI("auto"), in_auto, 1},
                                              {PH_SI("paid"), in_paid, 1},
                                              {PH_SI("manual"), in_manual, 1},
                                              {PH_SI("reserved"), in_reserved, 1}};
/* place_groups fills them, as the reader does */
static uint16_t group_slots[2 * PH_COUNTOF(groups)];
static const struct ph_key_part dedupe[] = {{.of = EXPR(id)}, {.of = EXPR(object)}};
static struct ph_variant variant = {.name = PH_SI(""),
                                    .id = EXPR(id),
                                    .type = EXPR(type),
                                    .rules = rules,
                                    .rule_count = PH_COUNTOF(rules),
                                    .groups = groups,
                                    .group_count = PH_COUNTOF(groups),
                                    .group_slots = group_slots,
                                    .group_slot_count = PH_COUNTOF(group_slots),
                                    .open_rules = open_rules,
                                    .open_rule_count = 1,
                                    .dedupe = dedupe,
                                    .dedupe_count = 2};
static const struct ph_currency_exception exceptions[] = {
    {"ISK", "", 2}, {"MGA", "", 0}, {"XCG", "", PH_DECIMALS_NONE}, {"RM", "MYR", 0}};
static const struct ph_connector acme = {.name = PH_SI("acme"),
                                         .variants = &variant,
                                         .variant_count = 1,
                                         .currencies = exceptions,
                                         .currency_count = PH_COUNTOF(exceptions)};

static int place_groups(void **state)
{
    for (uint16_t g = 0; g < PH_COUNTOF(groups); g++) {
        size_t at = ph_type_slot(groups[g].type, PH_COUNTOF(group_slots));
        while (group_slots[at] != 0)
            at = (at + 1) % PH_COUNTOF(group_slots);
        group_slots[at] = (uint16_t)(g + 1);
    }
    return open_worker(state);
}

static struct ph_answer run_body(struct ph_worker *worker, const char *body, enum ph_want want)
{
    static struct ph_request request;
    struct ph_answer answer = {0};
    request = (struct ph_request){.method = PH_S("POST"), .body = ph_slice_str(body)};
    struct ph_input in = {.connector = &acme, .request = &request, .now_ms = -1};
    assert_int_equal(ph_engine_run(worker, &in, want, &answer), PH_OK);
    return answer;
}

static struct ph_event content_of(struct ph_worker *worker, const char *body)
{
    struct ph_answer answer = run_body(worker, body, PH_WANT_CONTENT);
    assert_int_equal(answer.error, PH_E_NONE);
    assert_int_equal(answer.event_count, 1);
    return answer.events[0];
}

static struct ph_event money(struct ph_worker *worker, enum ph_unit unit, const char *amount,
                             const char *currency)
{
    static char body[512];
    strcpy(body, "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\",\"amount\":");
    strcat(strcat(strcat(strcat(body, amount), ",\"currency\":\""), currency), "\"}");
    fields[1].unit = unit;
    return content_of(worker, body);
}

static void assert_money(void **state, enum ph_unit unit, const char *amount, const char *currency,
                         int64_t want)
{
    struct ph_event event = money(*state, unit, amount, currency);
    assert_true(event.fields[PH_F_AMOUNT].present);
    assert_int_equal(event.fields[PH_F_AMOUNT].number, want);
    assert_false(ph_slice_present(event.incomplete));
}

static void assert_left_out(void **state, enum ph_unit unit, const char *amount,
                            const char *currency)
{
    struct ph_event event = money(*state, unit, amount, currency);
    assert_false(event.fields[PH_F_AMOUNT].present);
    assert_true(ph_slice_present(event.incomplete));
}

/* ---- money ----------------------------------------------------------------------------------- */

static void major_units_become_iso_minor_units(void **state)
{
    assert_money(state, PH_UNIT_MAJOR, "\"10.50\"", "EUR", 1050);
    assert_money(state, PH_UNIT_MAJOR, "10", "EUR", 1000);
    assert_money(state, PH_UNIT_MAJOR, "\"500\"", "JPY", 500);
    assert_money(state, PH_UNIT_MAJOR, "\"500.00\"", "JPY", 500);
    assert_money(state, PH_UNIT_MAJOR, "\"1.234\"", "KWD", 1234);
    assert_money(state, PH_UNIT_MAJOR, "\"-0.01\"", "EUR", -1);
    assert_money(state, PH_UNIT_MAJOR, "\"1,234.50\"", "MYR", 123450);
}

static void what_would_need_rounding_is_left_out(void **state)
{
    assert_left_out(state, PH_UNIT_MAJOR, "\"10.505\"", "EUR");
    assert_left_out(state, PH_UNIT_MAJOR, "\"0.5\"", "JPY");
    assert_left_out(state, PH_UNIT_MINOR, "1050", "ISK"); /* hundredths there, whole krona by ISO */
}

static void minor_units_follow_the_pages_exceptions(void **state)
{
    assert_money(state, PH_UNIT_MINOR, "1050", "EUR", 1050);
    assert_money(state, PH_UNIT_MINOR, "500", "JPY", 500);
    assert_money(state, PH_UNIT_MINOR, "1200", "ISK", 12);
    assert_money(state, PH_UNIT_MINOR, "7", "MGA", 700);
}

static void a_processors_own_word_for_a_currency_is_read(void **state)
{
    assert_money(state, PH_UNIT_MAJOR, "\"10.50\"", "RM", 1050);
    assert_money(state, PH_UNIT_MINOR, "1050", "RM", 1050);
    assert_money(state, PH_UNIT_MAJOR, "\"10.50\"", "MYR", 1050);
}

static void amounts_too_large_are_left_out_not_wrapped(void **state)
{
    assert_money(state, PH_UNIT_MINOR, "9223372036854775807", "EUR", INT64_MAX);
    assert_left_out(state, PH_UNIT_MINOR, "9223372036854775808", "EUR");
    assert_left_out(state, PH_UNIT_MAJOR, "\"92233720368547758.08\"", "EUR");
    assert_left_out(state, PH_UNIT_MAJOR, "\"99999999999999999999999999\"", "EUR");
}

static void what_is_no_number_or_no_currency_is_left_out(void **state)
{
    assert_left_out(state, PH_UNIT_MAJOR, "\"ten\"", "EUR");
    assert_left_out(state, PH_UNIT_MAJOR, "\"1.2.3\"", "EUR");
    assert_left_out(state, PH_UNIT_MINOR, "\"0x10\"", "EUR");
    assert_left_out(state, PH_UNIT_MINOR, "10", "XQQ");
}

static void a_listed_currency_no_answer_can_carry_is_well_formed(void **state)
{
    static const struct ph_need needs[] = {{.of = EXPR(currency), .type = PH_NEED_CURRENCY}};
    variant.needs = needs;
    variant.need_count = 1;
    assert_left_out(state, PH_UNIT_MINOR, "10", "XCG");
    struct ph_answer unlisted = run_body(
        *state,
        "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\",\"amount\":10,\"currency\":\"XQQ\"}",
        PH_WANT_CONTENT);
    variant.needs = NULL;
    variant.need_count = 0;
    assert_int_equal(unlisted.error, PH_E_WEBHOOK_BODY_DECODING_FAILED);
}

static void a_required_amount_that_is_no_number_is_an_error(void **state)
{
    fields[1].required = true;
    struct ph_answer answer =
        run_body(*state,
                 "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\",\"amount\":\"ten\","
                 "\"currency\":\"EUR\"}",
                 PH_WANT_CONTENT);
    fields[1].required = false;
    assert_int_equal(answer.error, PH_E_WEBHOOK_AMOUNT_CONVERSION_FAILED);
}

/* ---- times ----------------------------------------------------------------------------------- */

static void times_of_1970_to_9999_are_read(void **state)
{
    int64_t ms = 0;
    (void)state;
    assert_true(ph_parse_iso(PH_S("2026-11-24T10:00:00Z"), &ms));
    assert_int_equal(ms, 1795514400000);
    assert_true(ph_parse_iso(PH_S("2026-11-24T11:00:00.250+01:00"), &ms));
    assert_int_equal(ms, 1795514400250);
    assert_true(ph_parse_iso(PH_S("2026-11-24 10:00:00"), &ms));
    assert_int_equal(ms, 1795514400000);
    assert_true(ph_parse_iso(PH_S("2024-02-29"), &ms));
    assert_int_equal(ms, 1709164800000);
    assert_true(ph_parse_iso(PH_S("1970-01-01T00:00:00Z"), &ms));
    assert_int_equal(ms, 0);
}

static void dates_that_never_were_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "2026",
                                      "2026-13-01",
                                      "2025-02-29",
                                      "1969-12-31",
                                      "2026-11-24T25:00:00Z",
                                      "2026-11-24T10:60:00Z",
                                      "2026-11-24T10:00:00+1",
                                      "24/11/2026",
                                      "2026-11-24x"};
    int64_t ms;
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(bad); i++)
        assert_false(ph_parse_iso(ph_slice_str(bad[i]), &ms));
}

static void iso_text_and_back_is_the_same_time(void **state)
{
    struct ph_arena *arena = ph_worker_arena(*state);
    static const int64_t times[] = {0, 951782400000, 1795514400000, 253402300799000};
    for (size_t i = 0; i < PH_COUNTOF(times); i++) {
        int64_t back = -1;
        assert_true(ph_parse_iso(ph_iso_text(arena, times[i]), &back));
        assert_int_equal(back, times[i]);
    }
    assert_false(ph_slice_present(ph_iso_text(arena, 253402300800000)));
    assert_false(ph_slice_present(ph_iso_text(arena, -1)));
}

static void unix_times_out_of_range_are_left_out(void **state)
{
    struct ph_event event = content_of(
        *state, "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\",\"created\":1795514400}");
    assert_true(event.fields[PH_F_CREATED_AT].present);
    assert_int_equal(event.fields[PH_F_CREATED_AT].number, 1795514400000);
    event = content_of(
        *state, "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\",\"created\":253402300800}");
    assert_false(event.fields[PH_F_CREATED_AT].present);
    event = content_of(*state, "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\",\"created\":-1}");
    assert_false(event.fields[PH_F_CREATED_AT].present);
}

/* ---- documents and pointers ------------------------------------------------------------------ */

static struct ph_run a_run(struct ph_worker *worker)
{
    static const struct ph_request nothing;
    static const struct ph_input in = {.connector = &acme, .request = &nothing, .now_ms = -1};
    ph_worker_reset(worker);
    return (struct ph_run){.worker = worker,
                           .arena = ph_worker_arena(worker),
                           .in = &in,
                           .connector = &acme,
                           .variant = &variant};
}

static struct ph_slice read_at(struct ph_run *run, yyjson_val *tree, const struct ph_piece *piece)
{
    struct ph_slice text = {0};
    run->item = tree;
    assert_int_equal(ph_eval_piece(run, piece, &text), PH_OK);
    return text;
}

static void numbers_keep_the_text_they_had(void **state)
{
    struct ph_run run = a_run(*state);
    struct ph_slice why;
    yyjson_val *tree = ph_read_json(
        &run, PH_S("{\"amount\":10000.00,\"id\":true,\"type\":null,\"object\":{}}"), &why);
    assert_non_null(tree);
    assert_text(read_at(&run, tree, amount_piece), "10000.00");
    assert_text(read_at(&run, tree, id_piece), "true");
    assert_text(read_at(&run, tree, type_piece), NULL);
    assert_text(read_at(&run, tree, object_piece), NULL);
}

static void pointers_reach_into_arrays(void **state)
{
    struct ph_run run = a_run(*state);
    struct ph_slice why;
    yyjson_val *tree =
        ph_read_json(&run, PH_S("{\"list\":[{\"b\":1},{\"b\":2,\"c\":\"hit\"},{\"b\":3}]}"), &why);
    assert_text(read_at(&run, tree, nested_piece), "2");
    assert_text(read_at(&run, tree, last_piece), "3");
    assert_text(read_at(&run, tree, picked_piece), "hit");
    tree = ph_read_json(&run, PH_S("{\"list\":[]}"), &why);
    assert_text(read_at(&run, tree, nested_piece), NULL);
    assert_text(read_at(&run, tree, last_piece), NULL);
    assert_text(read_at(&run, tree, picked_piece), NULL);
}

static void what_is_not_json_is_refused_with_its_place(void **state)
{
    static const char *const bad[] = {"",        "{",          "{\"a\":01}",     "{\"a\":1}x",
                                      "{'a':1}", "{\"a\":1,}", "\xef\xbb\xbf{}", "{\"a\":NaN}"};
    struct ph_run run = a_run(*state);
    for (size_t i = 0; i < PH_COUNTOF(bad); i++) {
        struct ph_slice why = {0};
        assert_null(ph_read_json(&run, ph_slice_str(bad[i]), &why));
        assert_true(why.len > 0);
    }
}

static void half_a_surrogate_pair_is_an_unreadable_sign_and_no_error(void **state)
{
    static const struct {
        const char *in, *want;
    } cases[] = {
        {"\"a\\ud83d\"", "a\ufffd"},
        {"\"\\uDE02b\"", "\ufffd"
                         "b"},
        {"\"\\ud83d\\ud83d\\ude02\"", "\ufffd\U0001f602"},
        {"\"\\ud83d\\n\\\\ud83d\"", "\ufffd\n\\ud83d"},
    };
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        struct ph_run run = a_run(*state);
        struct ph_slice why;
        assert_text(ph_json_text(ph_read_json(&run, ph_slice_str(cases[i].in), &why)),
                    cases[i].want);
    }
    static const char *const broken[] = {"\"\\ud83d", "\"\\ud83", "\"\\ud8zz\"", "\"\\ud83d\\x\"",
                                         "\\ud83d"};
    for (size_t i = 0; i < PH_COUNTOF(broken); i++) {
        struct ph_run run = a_run(*state);
        struct ph_slice why;
        assert_null(ph_read_json(&run, ph_slice_str(broken[i]), &why));
    }
}

static void json_nests_64_deep_and_no_deeper(void **state)
{
    char text[2 * 65 + 1] = {0};
    struct ph_slice why;
    struct ph_run run = a_run(*state);
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    assert_non_null(ph_read_json(&run, ph_slice_of(text, 128), &why));
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    assert_null(ph_read_json(&run, ph_slice_of(text, 130), &why));
}

static void forms_become_members(void **state)
{
    struct ph_run run = a_run(*state);
    struct ph_slice why;
    yyjson_val *tree =
        ph_read_form(&run, PH_S("id=a%20b+c&amount=1%2E50&type=&object=%22%5c"), &why);
    assert_text(read_at(&run, tree, id_piece), "a b c");
    assert_text(read_at(&run, tree, amount_piece), "1.50");
    assert_text(read_at(&run, tree, type_piece), "");
    assert_text(read_at(&run, tree, object_piece), "\"\\");
    assert_null(ph_read_form(&run, PH_S(""), &why));
    assert_null(ph_read_form(&run, PH_S("{\"a\":1}"), &why));
}

static void forms_of_too_many_fields_are_refused(void **state)
{
    static char text[2 * (PH_FORM_FIELDS_MAX + 1) * 2];
    struct ph_run run = a_run(*state);
    struct ph_slice why;
    for (size_t i = 0; i <= PH_FORM_FIELDS_MAX; i++)
        memcpy(text + 4 * i, "a=1&", 4);
    assert_non_null(ph_read_form(&run, ph_slice_of(text, 4 * PH_FORM_FIELDS_MAX), &why));
    assert_null(ph_read_form(&run, ph_slice_of(text, 4 * (PH_FORM_FIELDS_MAX + 1)), &why));
}

static void xml_becomes_members_under_its_root(void **state)
{
    struct ph_run run = a_run(*state);
    struct ph_slice why;
    yyjson_val *tree =
        ph_read_xml(&run,
                    PH_S("<n><id>a&amp;b</id><type "
                         "nil=\"true\"/><object/><list><b>0</b></list><list><b>2</b></list></n>"),
                    &why);
    tree = yyjson_obj_get(tree, "n");
    assert_text(read_at(&run, tree, id_piece), "a&b");
    assert_text(read_at(&run, tree, type_piece), NULL);
    assert_text(read_at(&run, tree, object_piece), "");
    assert_text(read_at(&run, tree, nested_piece), "2");
    assert_text(read_at(&run, tree, amount_piece), NULL);
}

static void xml_with_a_doctype_is_refused(void **state)
{
    struct ph_run run = a_run(*state);
    struct ph_slice why = {0};
    assert_null(ph_read_xml(&run, PH_S("<!DOCTYPE n><n/>"), &why));
    assert_true(ph_slice_find(why, PH_S("DOCTYPE"), 0) != SIZE_MAX);
    assert_null(ph_read_xml(
        &run, PH_S("<!DOCTYPE n [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><n>&b;</n>"), &why));
    assert_null(ph_read_xml(
        &run, PH_S("<!DOCTYPE n [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><n>&x;</n>"), &why));
    assert_null(ph_read_xml(&run, PH_S("<n>&undefined;</n>"), &why));
    assert_null(ph_read_xml(&run, PH_S("<n></m>"), &why));
}

static void xml_bombs_of_depth_and_number_are_refused(void **state)
{
    static char text[4 * (PH_XML_NODES_MAX + 4)];
    struct ph_slice why;
    size_t len = 0;
    struct ph_run run = a_run(*state);
    for (size_t i = 0; i < 100; i++, len += 3)
        memcpy(text + len, "<a>", 3);
    assert_null(ph_read_xml(&run, ph_slice_of(text, len), &why));
    assert_true(ph_slice_find(why, PH_S("deeper"), 0) != SIZE_MAX);
    memcpy(text, "<n>", 3);
    for (len = 3; len < 4 * (PH_XML_NODES_MAX + 1); len += 4)
        memcpy(text + len, "<a/>", 4);
    assert_null(ph_read_xml(&run, ph_slice_of(text, len), &why));
    assert_true(ph_slice_find(why, PH_S("20000"), 0) != SIZE_MAX);
}

/* ---- values ---------------------------------------------------------------------------------- */

static struct ph_slice filtered(struct ph_run *run, enum ph_filter_op op, const char *arg,
                                const char *in)
{
    struct ph_filter filter = {.op = op, .arg = ph_slice_str(arg)};
    struct ph_slice out = {0};
    assert_int_equal(ph_filter_text(run, &filter, ph_slice_str(in), &out), PH_OK);
    return out;
}

static void filters_give_their_documented_texts(void **state)
{
    struct ph_run run = a_run(*state);
    static const struct {
        enum ph_filter_op op;
        const char *arg, *in, *want;
    } cases[] = {
        {PH_FILTER_LOWER, NULL, "aBC", "abc"},
        {PH_FILTER_UPPER, NULL, "aBc", "ABC"},
        {PH_FILTER_TRIM, NULL, " a ", "a"},
        {PH_FILTER_STRIP_SPACE, NULL, " a\tb\n", "ab"},
        {PH_FILTER_REVERSE, NULL, "abc", "cba"},
        {PH_FILTER_HEX, NULL, "\x01\xff", "01ff"},
        {PH_FILTER_UNHEX, NULL, "6162", "ab"},
        {PH_FILTER_UNHEX, NULL, "616", NULL},
        {PH_FILTER_BASE64, NULL, "ab", "YWI="},
        {PH_FILTER_BASE64URL, NULL, "\xff\xfe", "__4"},
        {PH_FILTER_UNBASE64, NULL, "YW\nI", "ab"},
        {PH_FILTER_UNBASE64, NULL, "Y", NULL},
        {PH_FILTER_MD5, NULL, "abc", "900150983cd24fb0d6963f7d28e17f72"},
        {PH_FILTER_SHA1, NULL, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {PH_FILTER_SHA256, NULL, "",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {PH_FILTER_CRC32, NULL, "123456789", "3421780262"},
        {PH_FILTER_JSON, NULL, "a\"\\", "a\\\"\\\\"},
        {PH_FILTER_JSON, NULL, "\n\t\x01", "\\n\\t\\u0001"},
        {PH_FILTER_URL_ENCODE, NULL, "a b/~", "a%20b%2F~"},
        {PH_FILTER_URL_DECODE, NULL, "a%20b+c%zz", "a b c%zz"},
        {PH_FILTER_BEFORE_FIRST, "/", "a/b/c", "a"},
        {PH_FILTER_AFTER_FIRST, "/", "a/b/c", "b/c"},
        {PH_FILTER_AFTER_LAST, "/", "a/b/c", "c"},
        {PH_FILTER_AFTER_LAST, "/", "abc", "abc"},
        {PH_FILTER_STRIP_PREFIX, "a", "abc", "bc"},
        {PH_FILTER_STRIP_PREFIX, "x", "abc", NULL},
        {PH_FILTER_PAD2, NULL, "3", "03"},
        {PH_FILTER_PAD2, NULL, "12", "12"},
        {PH_FILTER_ISO, NULL, "1795514400", "2026-11-24T10:00:00Z"},
        {PH_FILTER_ISO, NULL, "soon", NULL},
        {PH_FILTER_MS, NULL, "17", "17000"},
    };
    for (size_t i = 0; i < PH_COUNTOF(cases); i++)
        assert_text(filtered(&run, cases[i].op, cases[i].arg, cases[i].in), cases[i].want);
}

static void sorted_runs_keys_and_values_together_on_all_levels(void **state)
{
    struct ph_run run = a_run(*state);
    struct ph_slice why, out = {0};
    struct ph_filter filter = {.op = PH_FILTER_SORTED};
    yyjson_val *tree =
        ph_read_json(&run, PH_S("{\"b\":{\"z\":1,\"y\":[2,3]},\"a\":\"x\",\"c\":null}"), &why);
    assert_int_equal(ph_filter_tree(&run, &filter, tree, &out), PH_OK);
    assert_text(out, "axby23z1c");
    assert_false(ph_slice_present(run.ambiguous));
    tree = ph_read_json(&run, PH_S("{\"a\":1,\"b\":2,\"a\":3}"), &why);
    assert_int_equal(ph_filter_tree(&run, &filter, tree, &out), PH_OK);
    assert_true(ph_slice_present(run.ambiguous));
}

/* What it writes: rfc8785 by that document (3.2.2, 3.2.3), sorted-json as calida was seen to.
 * NULL: nothing. */
static void json_is_written_as_its_signers_write_it(void **state)
{
    static const struct {
        const char *in, *rfc8785, *sorted_json;
    } cases[] = {
        {"{ \"b\" : [ 1 , true , null ], \"a\" : { } }", "{\"a\":{},\"b\":[1,true,null]}",
         "{\"a\":{},\"b\":[1,true,null]}"},
        {"\"\\u00e9 \\/ \\u001f \\b \\u007f \\\"\"", "\"\u00e9 / \\u001f \\b \x7f \\\"\"",
         "\"\u00e9 / \\u001f \\b \x7f \\\"\""},
        {"{\"\\ufb33\":1,\"\\ud83d\\ude02\":2}", "{\"\U0001f602\":2,\"\ufb33\":1}",
         "{\"\ufb33\":1,\"\U0001f602\":2}"},
        {"[10.0,1e2,1.50,-0,-0.0,0]", "[10,100,1.5,0,0,0]", "[10.0,100.0,1.5,-0.0,-0.0,0]"},
        {"[0.000001,0.0000001,0.00001]", "[0.000001,1e-7,0.00001]", "[1e-6,1e-7,0.00001]"},
        {"[1e15,1e16,1e20,1e21,-1.5E+21]",
         "[1000000000000000,10000000000000000,100000000000000000000,1e+21,-1.5e+21]",
         "[1000000000000000.0,1e+16,1e+20,1e+21,-1.5e+21]"},
        {"[18446744073709551615,-9223372036854775808]",
         "[18446744073709551615,-9223372036854775808]",
         "[18446744073709551615,-9223372036854775808]"},
        {"[18446744073709551616]", "[18446744073709551616]", "[1.8446744073709551616e+19]"},
        /* T1 */
        {"[104.49999999999999999999]", "[104.49999999999999999999]", "[104.49999999999999999999]"},
        {"[1e9999999]", NULL, NULL},
    };
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        struct ph_run run = a_run(*state);
        struct ph_slice why, out = {0};
        yyjson_val *tree = ph_read_json(&run, ph_slice_str(cases[i].in), &why);
        assert_int_equal(
            ph_filter_tree(&run, &(struct ph_filter){.op = PH_FILTER_RFC8785}, tree, &out), PH_OK);
        assert_text(out, cases[i].rfc8785);
        assert_int_equal(
            ph_filter_tree(&run, &(struct ph_filter){.op = PH_FILTER_SORTED_JSON}, tree, &out),
            PH_OK);
        assert_text(out, cases[i].sorted_json);
        assert_false(ph_slice_present(run.ambiguous));
    }
}

static void json_with_a_key_twice_is_ambiguous_however_it_is_written(void **state)
{
    static const enum ph_filter_op ops[] = {PH_FILTER_RFC8785, PH_FILTER_SORTED_JSON};
    for (size_t i = 0; i < PH_COUNTOF(ops); i++) {
        struct ph_run run = a_run(*state);
        struct ph_slice why, out = {0};
        yyjson_val *tree = ph_read_json(&run, PH_S("[{\"a\":{\"b\":1,\"c\":2,\"b\":1}}]"), &why);
        assert_int_equal(ph_filter_tree(&run, &(struct ph_filter){.op = ops[i]}, tree, &out),
                         PH_OK);
        assert_true(ph_slice_present(run.ambiguous));
    }
}

static void alternatives_skip_what_is_empty(void **state)
{
    static const struct ph_template either[] = {{id_piece, 1}, {object_piece, 1}};
    static const struct ph_expr expr = {either, 2};
    static const struct {
        const char *body, *want;
    } cases[] = {{"{\"id\":\"\",\"object\":\"o\"}", "o"},
                 {"{\"id\":null,\"object\":\"o\"}", "o"},
                 {"{\"id\":\"i\",\"object\":\"o\"}", "i"},
                 {"{\"id\":\"\"}", ""},
                 {"{\"id\":null}", NULL}};
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        struct ph_run run = a_run(*state);
        struct ph_slice why, text = {0};
        run.item = ph_read_json(&run, ph_slice_str(cases[i].body), &why);
        assert_int_equal(ph_eval_expr(&run, &expr, &text), PH_OK);
        assert_text(text, cases[i].want);
    }
}

static void codecs_refuse_what_could_be_written_otherwise(void **state)
{
    struct ph_arena *arena = ph_worker_arena(*state);
    struct ph_slice out;
    assert_true(ph_base64_decode(arena, PH_S("YWI="), false, false, &out));
    assert_false(ph_base64_decode(arena, PH_S("YWJ="), false, false, &out)); /* unused bits set */
    assert_false(ph_base64_decode(arena, PH_S("YW I="), false, false, &out));
    assert_false(ph_base64_decode(arena, PH_S("YWI=="), false, false, &out));
    assert_false(ph_base64_decode(arena, PH_S("__4"), false, false, &out));
    assert_true(ph_base64_decode(arena, PH_S("__4"), true, false, &out));
    assert_true(ph_hex_decode(arena, PH_S("FF"), false, &out));
    assert_false(ph_hex_decode(arena, PH_S("FF"), true, &out));
    assert_false(ph_hex_decode(arena, PH_S("fg"), false, &out));
}

/* ---- the engine ------------------------------------------------------------------------------ */

static void an_event_is_read_with_its_keys(void **state)
{
    fields[1].unit = PH_UNIT_MINOR;
    struct ph_event event = content_of(
        *state,
        "{\"id\":\"e:1\",\"type\":\"paid\",\"object\":\"o\",\"amount\":5,\"currency\":\"EUR\"}");
    assert_int_equal(event.event_type, PH_PAYMENT_INTENT_SUCCESS);
    assert_int_equal(event.status, PH_CHARGED);
    assert_text(event.reference[PH_F_CONNECTOR_TRANSACTION_ID].text, "o");
    assert_text(event.dedupe_key, "acme:e%3A1:o");
    assert_text(event.merchant_event_id, "acme:e%3A1:o");
    assert_true(ph_slice_starts(event.effect_key, PH_S("acme::payment:o:CHARGED:5")));
}

static void handle_says_paid_exactly_when_the_money_is_taken(void **state)
{
    struct ph_event event = content_of(*state, "{\"id\":\"e\",\"type\":\"auto\",\"object\":\"o\"}");
    assert_int_equal(event.event_type, PH_PAYMENT_INTENT_AUTHORIZATION_SUCCESS);
    assert_int_equal(event.handle_event_type, PH_PAYMENT_INTENT_SUCCESS);
    event = content_of(*state, "{\"id\":\"e\",\"type\":\"reserved\",\"object\":\"o\"}");
    assert_int_equal(event.event_type, PH_PAYMENT_INTENT_SUCCESS);
    assert_int_equal(event.handle_event_type, PH_PAYMENT_INTENT_AUTHORIZATION_SUCCESS);
    event = content_of(*state, "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\"}");
    assert_int_equal(event.handle_event_type, PH_PAYMENT_INTENT_SUCCESS);
}

static void long_keys_are_hashed(void **state)
{
    static char body[512] = "{\"type\":\"x\",\"id\":\"";
    memset(body + strlen(body), 'a', 300);
    strcat(body, "\"}");
    struct ph_event event = content_of(*state, body);
    assert_true(ph_slice_starts(event.dedupe_key, PH_S("acme:sha256:")));
    assert_int_equal(event.dedupe_key.len, strlen("acme:sha256:") + 64);
    assert_text(content_of(*state, "{\"type\":\"x\"}").dedupe_key, NULL);
}

static void unknown_types_are_events_without_content(void **state)
{
    struct ph_event event = content_of(*state, "{\"id\":\"e\",\"type\":\"never.seen\"}");
    assert_int_equal(event.event_type, PH_WEBHOOK_EVENT_TYPE_UNSPECIFIED);
    assert_int_equal(event.kind, PH_KIND_NONE);
    event = content_of(*state, "{\"id\":\"e\",\"type\":\"pay.new\"}");
    assert_int_equal(event.event_type, PH_PAYMENT_INTENT_PROCESSING);
}

static void what_is_missing_is_said_with_its_code(void **state)
{
    assert_int_equal(run_body(*state, "{\"id\":\"e\"}", PH_WANT_REFERENCE).error,
                     PH_E_WEBHOOK_EVENT_TYPE_NOT_FOUND);
    assert_int_equal(run_body(*state, "{\"type\":\"paid\"}", PH_WANT_CONTENT).error,
                     PH_E_WEBHOOK_REFERENCE_ID_NOT_FOUND);
    assert_int_equal(run_body(*state, "{\"type\":\"paid\"}", PH_WANT_REFERENCE).error, PH_E_NONE);
    assert_int_equal(
        run_body(*state, "{\"type\":\"manual\",\"object\":\"o\"}", PH_WANT_CONTENT).error,
        PH_E_WEBHOOK_MISSING_REQUIRED_CONTEXT);
    assert_int_equal(run_body(*state, "[]", PH_WANT_REFERENCE).error,
                     PH_E_WEBHOOK_BODY_DECODING_FAILED);
    assert_int_equal(run_body(*state, "{", PH_WANT_REFERENCE).error,
                     PH_E_WEBHOOK_BODY_DECODING_FAILED);
}

static void a_key_that_comes_twice_is_ambiguous_where_it_is_read(void **state)
{
    struct ph_answer answer =
        run_body(*state, "{\"type\":\"paid\",\"type\":\"x\",\"object\":\"o\"}", PH_WANT_REFERENCE);
    assert_int_equal(answer.error, PH_E_WEBHOOK_BODY_DECODING_FAILED);
    assert_true(ph_slice_find(answer.error_message, PH_S("ambiguous"), 0) != SIZE_MAX);
    answer = run_body(*state, "{\"type\":\"paid\",\"other\":1,\"other\":2,\"object\":\"o\"}",
                      PH_WANT_CONTENT);
    assert_int_equal(answer.error, PH_E_NONE);
}

static void what_comes_twice_in_a_key_is_ambiguous_in_answers_without_keys_too(void **state)
{
    static const struct ph_key_part other[] = {{.of = EXPR(id)}, {.of = EXPR(created)}};
    const enum ph_want want = (enum ph_want)(PH_WANT_CONTENT | PH_WANT_NO_KEYS);
    variant.dedupe = other;
    struct ph_answer answer = run_body(*state, "{\"id\":\"e\",\"type\":\"x\",\"created\":1}", want);
    assert_int_equal(answer.error, PH_E_NONE);
    assert_text(answer.events[0].dedupe_key, NULL);
    answer = run_body(*state, "{\"id\":\"e\",\"type\":\"x\",\"created\":1,\"created\":2}", want);
    assert_int_equal(answer.error, PH_E_WEBHOOK_BODY_DECODING_FAILED);
    variant.dedupe = dedupe;
}

static void a_warm_worker_allocates_nothing(void **state)
{
    static const char body[] =
        "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\",\"amount\":5,\"currency\":\"EUR\"}";
    (void)content_of(*state, body);
    size_t before = allocations;
    for (int i = 0; i < 100; i++)
        (void)content_of(*state, body);
    assert_int_equal(allocations, before);
}

/* ---- what strangers send must not cost n², and reads one way only ---------------------------- */

static void exact_numbers_take_json_notation_and_thousands(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int shift;
        enum ph_exact want;
        int64_t number;
    } cases[] = {
        {"1e3", 2, PH_EXACT_OK, 100000},
        {"1.5E+1", 0, PH_EXACT_OK, 15},
        {"1000.00", 0, PH_EXACT_OK, 1000},
        {"1,234,567.8", 1, PH_EXACT_OK, 12345678},
        {"-0", 2, PH_EXACT_OK, 0},
        {"0.000000000000000000000000", 2, PH_EXACT_OK, 0},
        {"12,50", 2, PH_EXACT_NOT_A_NUMBER, 0},
        {"1,23,456", 2, PH_EXACT_NOT_A_NUMBER, 0},
        {",123", 2, PH_EXACT_NOT_A_NUMBER, 0},
        {"1e", 0, PH_EXACT_NOT_A_NUMBER, 0},
        {"1e999", 0, PH_EXACT_NOT_A_NUMBER, 0},
        {"", 0, PH_EXACT_NOT_A_NUMBER, 0},
        {"-", 0, PH_EXACT_NOT_A_NUMBER, 0},
        {".", 0, PH_EXACT_NOT_A_NUMBER, 0},
        {"1 0", 0, PH_EXACT_NOT_A_NUMBER, 0},
        {"+1", 0, PH_EXACT_NOT_A_NUMBER, 0},
        {"1e-3", 2, PH_EXACT_NEEDS_ROUNDING, 0},
        {"1e30", 2, PH_EXACT_TOO_LARGE, 0},
        {"-9223372036854775808", 0, PH_EXACT_OK, INT64_MIN},
        {"9223372036854775808", 0, PH_EXACT_TOO_LARGE, 0},
    };
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        int64_t number = 0;
        assert_int_equal(ph_parse_exact(ph_slice_str(cases[i].text), cases[i].shift, &number),
                         cases[i].want);
        assert_int_equal(number, cases[i].number);
    }
}

static void xml_attributes_are_members_beside_elements(void **state)
{
    struct ph_run run = a_run(*state);
    struct ph_slice why;
    yyjson_val *tree =
        ph_read_xml(&run, PH_S("<n v=\"1\"><amount currency=\"EUR\">5</amount></n>"), &why);
    tree = yyjson_obj_get(tree, "n");
    assert_text(ph_json_text(yyjson_obj_get(tree, "@v")), "1");
    assert_text(read_at(&run, tree, amount_piece), "5");
    assert_null(yyjson_obj_get(tree, "v"));
}

static void xml_of_many_names_and_lines_stays_cheap(void **state)
{
    static char text[PH_BODY_BYTES_MAX];
    struct ph_run run = a_run(*state);
    struct ph_slice why;
    size_t len = 0;
    memcpy(text, "<n>", 3);
    for (len = 3; len < 3 + 19000 * 9; len += 9) { /* <a00000/> */
        size_t n = (len - 3) / 9;
        memcpy(text + len, "<a00000/>", 9);
        for (size_t digit = 6; digit >= 2; digit--, n /= 10)
            text[len + digit] = (char)('0' + n % 10);
    }
    memcpy(text + len, "</n>", 4);
    assert_non_null(ph_read_xml(&run, ph_slice_of(text, len + 4), &why));
    run = a_run(*state);
    memset(text, '\n', sizeof(text));
    memcpy(text, "<n>", 3);
    memcpy(text + sizeof(text) - 4, "</n>", 4);
    assert_non_null(ph_read_xml(&run, ph_slice_of(text, sizeof(text)), &why));
}

static void sorting_many_keys_stays_cheap(void **state)
{
    static char text[64 + 12 * 60000];
    struct ph_run run = a_run(*state);
    struct ph_filter filter = {.op = PH_FILTER_SORTED};
    struct ph_slice why, out = {0};
    size_t len = 1;
    text[0] = '{';
    for (size_t i = 60000; i-- > 0; len += 10) { /* "00000":1, in falling order */
        size_t n = i;
        memcpy(text + len, "\"00000\":1,", 10);
        for (size_t digit = 5; digit >= 1; digit--, n /= 10)
            text[len + digit] = (char)('0' + n % 10);
    }
    text[len - 1] = '}';
    yyjson_val *tree = ph_read_json(&run, ph_slice_of(text, len), &why);
    assert_non_null(tree);
    assert_int_equal(ph_filter_tree(&run, &filter, tree, &out), PH_OK);
    assert_true(ph_slice_starts(out, PH_S("000001000011")));
    assert_false(ph_slice_present(run.ambiguous));
}

static void unix_times_may_have_a_fraction(void **state)
{
    struct ph_event event = content_of(
        *state, "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\",\"created\":1795514400.2509}");
    assert_int_equal(event.fields[PH_F_CREATED_AT].number, 1795514400250);
    event = content_of(*state,
                       "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\",\"created\":\"1.2345x\"}");
    assert_false(event.fields[PH_F_CREATED_AT].present);
}

static void shapes_and_characters_keep_the_parts_of_a_signed_text_apart(void **state)
{
    static const struct ph_slice date = PH_SI("9999-99-99 99:99:99"), money = PH_SI("9+.99"),
                                 colon = PH_SI(":|");
    static const struct {
        enum ph_test_op op;
        const struct ph_slice *value;
        const char *body;
        bool want;
    } cases[] = {
        {PH_TEST_SHAPE, &date, "{\"amount\":\"2026-11-25 10:00:00\"}", true},
        {PH_TEST_SHAPE, &date, "{\"amount\":\"2026-11-25 10:00:00x\"}", false},
        {PH_TEST_SHAPE, &date, "{\"amount\":\"2026-11-25 10:00:0\"}", false},
        {PH_TEST_SHAPE, &date, "{\"amount\":\"2026-11-25T10:00:00\"}", false},
        {PH_TEST_SHAPE, &date, "{\"amount\":\"\"}", false},
        {PH_TEST_SHAPE, &date, "{}", false},
        {PH_TEST_SHAPE, &money, "{\"amount\":\"1.00\"}", true},
        {PH_TEST_SHAPE, &money, "{\"amount\":\"99999999999.99\"}", true},
        {PH_TEST_SHAPE, &money, "{\"amount\":\".99\"}", false},
        {PH_TEST_SHAPE, &money, "{\"amount\":\"1.0\"}", false},
        {PH_TEST_SHAPE, &money, "{\"amount\":\"1.000\"}", false},
        {PH_TEST_SHAPE, &money, "{\"amount\":\"9+.99\"}", false},
        {PH_TEST_WITHOUT, &colon, "{\"amount\":\"a.b\"}", true},
        {PH_TEST_WITHOUT, &colon, "{\"amount\":\"a:b\"}", false},
        {PH_TEST_WITHOUT, &colon, "{\"amount\":\"|\"}", false},
        {PH_TEST_WITHOUT, &colon, "{}", true},
    };
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        struct ph_test test = {
            .op = cases[i].op, .of = EXPR(amount), .values = cases[i].value, .value_count = 1};
        struct ph_run run = a_run(*state);
        struct ph_slice why;
        bool holds = !cases[i].want;
        run.item = ph_read_json(&run, ph_slice_str(cases[i].body), &why);
        assert_non_null(run.item);
        assert_int_equal(ph_eval_tests(&run, &test, 1, &holds), PH_OK);
        if (holds != cases[i].want)
            fail_msg("%s", cases[i].body);
    }
}

static void one_amount_under_another_is_compared_exactly(void **state)
{
    static const struct ph_test under = {
        .op = PH_TEST_UNDER, .of = EXPR(amount), .against = EXPR(object)};
    static const struct {
        const char *body;
        bool want;
    } cases[] = {
        {"{\"amount\":1500,\"object\":2000}", true},
        {"{\"amount\":2000,\"object\":2000}", false},
        {"{\"amount\":2001,\"object\":2000}", false},
        /* as numbers: the texts stand the other way */
        {"{\"amount\":\"9.50\",\"object\":\"10\"}", true},
        {"{\"amount\":\"10\",\"object\":\"9.50\"}", false},
        {"{\"amount\":\"10.0\",\"object\":\"10.00\"}", false},
        {"{\"amount\":\"10.00\",\"object\":\"10.001\"}", true},
        /* one number to a double */
        {"{\"amount\":9007199254740992,\"object\":9007199254740993}", true},
        {"{\"amount\":-1,\"object\":0}", true},
        {"{\"amount\":0,\"object\":-1}", false},
        {"{\"amount\":null,\"object\":2000}", false},
        {"{\"amount\":1500}", false},
        {"{\"amount\":\"\",\"object\":2000}", false},
        {"{\"amount\":\"some\",\"object\":2000}", false},
        {"{\"amount\":1500,\"object\":{}}", false},
        {"{\"amount\":1,\"object\":9223372036854775808}", false}, /* too large to hold: not told */
    };
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        struct ph_run run = a_run(*state);
        struct ph_slice why;
        bool holds = !cases[i].want;
        run.item = ph_read_json(&run, ph_slice_str(cases[i].body), &why);
        assert_non_null(run.item);
        assert_int_equal(ph_eval_tests(&run, &under, 1, &holds), PH_OK);
        if (holds != cases[i].want)
            fail_msg("%s", cases[i].body);
    }
}

static void a_reason_quotes_no_more_of_a_strangers_text_than_tells_it(void **state)
{
    enum { LONG = 100 * 1000 };
    char *body = malloc(LONG + 200);
    assert_non_null(body);
    for (int part = 0; part < 2; part++) { /* the amount, then the currency */
        int len = sprintf(body, "{\"id\":\"e\",\"type\":\"paid\",\"object\":\"o\",\"%s\":\"",
                          part == 0 ? "amount" : "currency");
        for (int i = 0; i < LONG; i += 3)
            memcpy(body + len + i, "\xe2\x82\xac", 3);
        len += LONG / 3 * 3;
        sprintf(body + len, "\",\"%s\":\"%s\"}", part == 0 ? "currency" : "amount",
                part == 0 ? "EUR" : "1");
        struct ph_event event = content_of(*state, body);
        assert_true(event.incomplete.len > PH_QUOTED_BYTES_MAX &&
                    event.incomplete.len < 2 * PH_QUOTED_BYTES_MAX + 40);
        assert_true(ph_utf8_valid(event.incomplete));
    }
    free(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(major_units_become_iso_minor_units),
        cmocka_unit_test(what_would_need_rounding_is_left_out),
        cmocka_unit_test(minor_units_follow_the_pages_exceptions),
        cmocka_unit_test(a_processors_own_word_for_a_currency_is_read),
        cmocka_unit_test(amounts_too_large_are_left_out_not_wrapped),
        cmocka_unit_test(what_is_no_number_or_no_currency_is_left_out),
        cmocka_unit_test(a_listed_currency_no_answer_can_carry_is_well_formed),
        cmocka_unit_test(a_required_amount_that_is_no_number_is_an_error),
        cmocka_unit_test(a_reason_quotes_no_more_of_a_strangers_text_than_tells_it),
        cmocka_unit_test(times_of_1970_to_9999_are_read),
        cmocka_unit_test(dates_that_never_were_are_refused),
        cmocka_unit_test(iso_text_and_back_is_the_same_time),
        cmocka_unit_test(unix_times_out_of_range_are_left_out),
        cmocka_unit_test(numbers_keep_the_text_they_had),
        cmocka_unit_test(pointers_reach_into_arrays),
        cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
        cmocka_unit_test(half_a_surrogate_pair_is_an_unreadable_sign_and_no_error),
        cmocka_unit_test(json_nests_64_deep_and_no_deeper),
        cmocka_unit_test(forms_become_members),
        cmocka_unit_test(forms_of_too_many_fields_are_refused),
        cmocka_unit_test(xml_becomes_members_under_its_root),
        cmocka_unit_test(xml_with_a_doctype_is_refused),
        cmocka_unit_test(xml_bombs_of_depth_and_number_are_refused),
        cmocka_unit_test(filters_give_their_documented_texts),
        cmocka_unit_test(sorted_runs_keys_and_values_together_on_all_levels),
        cmocka_unit_test(json_is_written_as_its_signers_write_it),
        cmocka_unit_test(json_with_a_key_twice_is_ambiguous_however_it_is_written),
        cmocka_unit_test(alternatives_skip_what_is_empty),
        cmocka_unit_test(codecs_refuse_what_could_be_written_otherwise),
        cmocka_unit_test(an_event_is_read_with_its_keys),
        cmocka_unit_test(handle_says_paid_exactly_when_the_money_is_taken),
        cmocka_unit_test(long_keys_are_hashed),
        cmocka_unit_test(unknown_types_are_events_without_content),
        cmocka_unit_test(what_is_missing_is_said_with_its_code),
        cmocka_unit_test(a_key_that_comes_twice_is_ambiguous_where_it_is_read),
        cmocka_unit_test(what_comes_twice_in_a_key_is_ambiguous_in_answers_without_keys_too),
        cmocka_unit_test(a_warm_worker_allocates_nothing),
        cmocka_unit_test(exact_numbers_take_json_notation_and_thousands),
        cmocka_unit_test(xml_attributes_are_members_beside_elements),
        cmocka_unit_test(xml_of_many_names_and_lines_stays_cheap),
        cmocka_unit_test(sorting_many_keys_stays_cheap),
        cmocka_unit_test(unix_times_may_have_a_fraction),
        cmocka_unit_test(shapes_and_characters_keep_the_parts_of_a_signed_text_apart),
        cmocka_unit_test(one_amount_under_another_is_compared_exactly),
    };
    return cmocka_run_group_tests(tests, place_groups, close_worker);
}
