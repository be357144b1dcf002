/* What the wire refuses although its libraries would let it through, and what it must not lose. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "events.pb-c.h"
#include "wire/message.h"
#include "wire/wire.h"

static enum ph_status read_call(struct ph_slice bytes, struct ph_call *ret_call,
                                struct ph_slice *ret_why)
{
    return ph_wire_read_call(&arena, PH_FORM_HANDLE, bytes, ret_call, ret_why);
}

static enum ph_status read_json(const char *text, struct ph_call *ret_call,
                                struct ph_slice *ret_why)
{
    return ph_wire_read_call_json(&arena, PH_FORM_HANDLE, ph_slice_str(text), ret_call, ret_why);
}

static void assert_slice(struct ph_slice got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static void a_protobuf_text_with_nul_is_malformed_not_cut(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(read_call(PH_S("\x12\x05\x12\x03/ab"), &call, &why), PH_OK);
    assert_slice(call.request.uri, "/ab");
    assert_int_equal(read_call(PH_S("\x12\x05\x12\x03/\0b"), &call, &why), PH_ERR_MALFORMED);
    assert_slice(why, "uri: a text is not UTF-8, or holds NUL");
    assert_int_equal(read_call(PH_S("\x0a\x03m\0e\x12\x00"), &call, &why), PH_ERR_MALFORMED);
}

static void a_secret_that_is_no_utf8_is_malformed(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(read_call(PH_S("\x12\x00\x1a\x04\x0a\x02\xc3\xa9"), &call, &why), PH_OK);
    assert_int_equal(read_call(PH_S("\x12\x00\x1a\x04\x0a\x02\xc3\x28"), &call, &why),
                     PH_ERR_MALFORMED);
    assert_int_equal(read_call(PH_S("\x12\x00\x1a\x04\x0a\x02s\0"), &call, &why), PH_ERR_MALFORMED);
}

static void of_a_header_sent_twice_under_one_key_the_last_counts(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(read_call(PH_S("\x12\x18\x1a\x06\x0a\x01"
                                    "a\x12\x01"
                                    "1\x1a\x06\x0a\x01"
                                    "A\x12\x01"
                                    "2"
                                    "\x1a\x06\x0a\x01"
                                    "a\x12\x01"
                                    "3"),
                               &call, &why),
                     PH_OK);
    assert_int_equal(call.request.header_count, 2);
    assert_slice(call.request.headers[0].value, "3");
    assert_slice(call.request.headers[1].name, "A");
}

static void a_number_too_large_for_its_field_is_malformed_not_cut(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(read_json("{\"request_details\":{\"method\":2}}", &call, &why), PH_OK);
    assert_int_equal(read_json("{\"request_details\":{\"method\":4294967298}}", &call, &why),
                     PH_ERR_MALFORMED);
    ProtobufCMessage *m;
    assert_int_equal(ph_message_read_json(&arena, &types__event_ack_response__descriptor,
                                          PH_S("{\"status_code\":-1}"), &m, &why),
                     PH_ERR_MALFORMED);
    assert_int_equal(ph_message_read_json(&arena, &types__event_ack_response__descriptor,
                                          PH_S("{\"status_code\":4294967295}"), &m, &why),
                     PH_OK);
}

static void an_error_names_the_path_to_what_is_wrong(void **state)
{
    struct ph_call call;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(read_json("{\"requestDetails\":{\"body\":7}}", &call, &why), PH_ERR_MALFORMED);
    assert_slice(
        why, "request_details.body: bytes are written as base64 text, or as a list of integers");
    assert_int_equal(read_json("{\"request_details\":{\"headers\":{\"a\":1}}}", &call, &why),
                     PH_ERR_MALFORMED);
    assert_int_equal(ph_slice_find(why, PH_S("request_details.headers: "), 0), 0);
    assert_int_equal(read_json("{\"request_details\":}", &call, &why), PH_ERR_MALFORMED);
    assert_true(ph_slice_find(why, PH_S(", at byte 19"), 0) != SIZE_MAX);
}

static void an_object_is_a_map_and_nothing_else_repeated(void **state)
{
    ProtobufCMessage *m;
    struct ph_slice why = {0};
    (void)state;
    assert_int_equal(
        ph_message_read_json(&arena, &types__dispute_response__descriptor,
                             PH_S("{\"evidence_documents\":[{\"text_content\":\"x\"}]}"), &m, &why),
        PH_OK);
    assert_int_equal(ph_message_read_json(&arena, &types__dispute_response__descriptor,
                                          PH_S("{\"evidence_documents\":{\"text_content\":\"x\"}}"),
                                          &m, &why),
                     PH_ERR_MALFORMED);
    assert_int_equal(ph_message_read_json(&arena, &types__event_ack_response__descriptor,
                                          PH_S("{\"headers\":[{\"key\":\"a\",\"value\":\"b\"}]}"),
                                          &m, &why),
                     PH_ERR_MALFORMED);
}

static struct ph_slice handle_event_json(const struct ph_event *e)
{
    struct ph_event copy = *e;
    struct ph_answer a = {.events = &copy, .event_count = 1};
    struct ph_slice text = {0};
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_HANDLE_EVENT, &a, &text), PH_OK);
    return text;
}

static void a_refunds_email_is_told(void **state)
{
    struct ph_event e = {.kind = PH_KIND_REFUND};
    (void)state;
    e.fields[PH_F_EMAIL] = (struct ph_value){.present = true, .text = PH_S("a@b.c")};
    assert_true(ph_slice_find(handle_event_json(&e), PH_S("\"email\":{\"value\":\"a@b.c\"}"), 0) !=
                SIZE_MAX);
}

static void a_mandate_without_a_payment_has_neither_content_nor_checks(void **state)
{
    struct ph_event e = {.kind = PH_KIND_MANDATE, .event_type = PH_MANDATE_ACTIVE};
    (void)state;
    e.fields[PH_F_AMOUNT] = (struct ph_value){.present = true, .number = 1, .currency = 146};
    assert_slice(handle_event_json(&e), "{\"event_type\":\"MANDATE_ACTIVE\"}");
    e.status = PH_CHARGED;
    assert_true(ph_slice_find(handle_event_json(&e), PH_S("INTEGRITY_CHECK_AMOUNT"), 0) !=
                SIZE_MAX);
}

static void a_reference_without_an_id_of_its_kind_is_absent(void **state)
{
    struct ph_event e = {.reference_kind = PH_KIND_MANDATE};
    struct ph_answer a = {.events = &e, .event_count = 1};
    struct ph_slice text = {0};
    (void)state;
    e.reference[PH_F_CONNECTOR_TRANSACTION_ID] =
        (struct ph_value){.present = true, .text = PH_S("pi_1")};
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_PARSE, &a, &text), PH_OK);
    assert_slice(text, "{\"event_type\":\"WEBHOOK_EVENT_TYPE_UNSPECIFIED\"}");
    e.reference[PH_F_CONNECTOR_MANDATE_ID] =
        (struct ph_value){.present = true, .text = PH_S("m_1")};
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_PARSE, &a, &text), PH_OK);
    assert_true(ph_slice_find(text, PH_S("{\"mandate\":{\"connector_mandate_id\":\"m_1\"}}"), 0) !=
                SIZE_MAX);
}

static void an_answer_without_events_is_invalid(void **state)
{
    struct ph_answer a = {0};
    struct ph_slice out;
    (void)state;
    assert_int_equal(ph_wire_write(&arena, PH_FORM_HANDLE, &a, &out), PH_ERR_INVALID);
    assert_int_equal(ph_wire_write_json(&arena, PH_FORM_PARSE, &a, &out), PH_ERR_INVALID);
}

static void no_memory_is_told_apart_from_no_protobuf(void **state)
{
    struct ph_arena small;
    struct ph_call call;
    struct ph_slice why;
    (void)state;
    ph_arena_init(&small, &ph_os_heap, 16, 0);
    assert_int_equal(
        ph_wire_read_call(&small, PH_FORM_HANDLE, PH_S("\x12\x05\x12\x03/ab"), &call, &why),
        PH_ERR_NO_MEMORY);
    assert_int_equal(ph_wire_read_call_json(&small, PH_FORM_HANDLE, PH_S("{}"), &call, &why),
                     PH_ERR_NO_MEMORY);
    ph_arena_done(&small);
}

static void a_config_of_many_nested_values_loses_none(void **state)
{
    enum { VALUES = 1000 };
    static char text[16 * 1024] = "{\"config\":{\"Acme\":{";
    struct ph_slice name, why;
    struct ph_config_value *values;
    size_t count, len = strlen(text);
    (void)state;
    for (int i = 0; i < VALUES; i++) {
        memcpy(text + len, i > 0 ? ",\"a\":[1]" : " \"a\":[1]", 8);
        len += 8;
    }
    memcpy(text + len, "}}}", 3);
    assert_int_equal(ph_wire_read_config(&arena, ph_slice_of(text, len + 3), PH_S("config"), &name,
                                         &values, &count, &why),
                     PH_OK);
    assert_int_equal(count, VALUES);
    assert_slice(values[VALUES - 1].value, "[1]");
    assert_int_equal(ph_wire_read_config(&arena, PH_S("{\"config\":{\"Acme\":\"x\"}}"),
                                         PH_S("config"), &name, &values, &count, &why),
                     PH_ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_protobuf_text_with_nul_is_malformed_not_cut),
        cmocka_unit_test(a_secret_that_is_no_utf8_is_malformed),
        cmocka_unit_test(of_a_header_sent_twice_under_one_key_the_last_counts),
        cmocka_unit_test(a_number_too_large_for_its_field_is_malformed_not_cut),
        cmocka_unit_test(an_error_names_the_path_to_what_is_wrong),
        cmocka_unit_test(an_object_is_a_map_and_nothing_else_repeated),
        cmocka_unit_test(a_refunds_email_is_told),
        cmocka_unit_test(a_mandate_without_a_payment_has_neither_content_nor_checks),
        cmocka_unit_test(a_reference_without_an_id_of_its_kind_is_absent),
        cmocka_unit_test(an_answer_without_events_is_invalid),
        cmocka_unit_test(no_memory_is_told_apart_from_no_protobuf),
        cmocka_unit_test(a_config_of_many_nested_values_loses_none),
    };
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
