/* What the targets that read calls share: what any call must be, and its three writings
 * (protobuf, canonical JSON, the peer's JSON), made here by hand, apart from the code that reads
 * them. */
#ifndef PH_FUZZ_CALLS_H
#define PH_FUZZ_CALLS_H

#include <stdio.h>

#include "heap.h"
#include "wire/message.h"
#include "wire/wire.h"

enum writing { AS_PROTOBUF, AS_CANONICAL, AS_PEER, WRITINGS };

static inline void must_be_clean(const struct ph_call *call)
{
    const struct ph_request *r = &call->request;
    must(r->header_count <= PH_HEADERS_MAX && r->method.len > 0);
    must(ph_text_valid(r->uri) && ph_text_valid(r->query) &&
         ph_text_valid(call->merchant_event_id));
    must(ph_text_valid(call->secret.secret) && ph_text_valid(call->secret.additional));
    for (size_t i = 0; i < r->header_count; i++)
        must(ph_text_valid(r->headers[i].name) && ph_text_valid(r->headers[i].value));
    must(ph_slice_present(ph_word_name(PH_WORDS_CAPTURE_METHOD, call->capture_method)));
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < r->body.len; i++) /* every byte is there to be read */
        sum = (uint8_t)(sum + (uint8_t)r->body.ptr[i]);
}

static inline bool same_text(struct ph_slice a, struct ph_slice b)
{
    return ph_slice_present(a) == ph_slice_present(b) && ph_slice_eq(a, b);
}

static inline void must_be_same(const struct ph_call *a, const struct ph_call *b)
{
    const struct ph_request *r = &a->request, *s = &b->request;
    must(ph_slice_eq(r->method, s->method) && same_text(r->uri, s->uri) &&
         same_text(r->query, s->query));
    must(ph_slice_eq(r->body, s->body) && r->header_count == s->header_count);
    for (size_t i = 0; i < r->header_count; i++)
        must(ph_slice_eq(r->headers[i].name, s->headers[i].name) &&
             ph_slice_eq(r->headers[i].value, s->headers[i].value));
    must(a->has_secret == b->has_secret && same_text(a->secret.secret, b->secret.secret));
    must(same_text(a->secret.additional, b->secret.additional) &&
         same_text(a->merchant_event_id, b->merchant_event_id));
    must(a->capture_method == b->capture_method);
}

/* ---- writing --------------------------------------------------------------------------------- */

struct text {
    char *ptr;
    size_t len, room;
};

static inline void put(struct text *t, struct ph_slice bytes)
{
    if (t->room - t->len < bytes.len + 1) {
        t->room = (t->room + bytes.len + 64) * 2;
        t->ptr = realloc(t->ptr, t->room);
        must(t->ptr != NULL);
    }
    if (bytes.len > 0)
        memcpy(t->ptr + t->len, bytes.ptr, bytes.len);
    t->len += bytes.len;
}

static inline void put_str(struct text *t, const char *text)
{
    put(t, ph_slice_str(text));
}

static inline void put_varint(struct text *t, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        put(t, ph_slice_of(&(char){(char)(n | 0x80)}, 1));
    put(t, ph_slice_of(&(char){(char)n}, 1));
}

static inline void put_field(struct text *t, uint32_t number, struct ph_slice bytes)
{
    put_varint(t, number << 3 | 2);
    put_varint(t, bytes.len);
    put(t, bytes);
}

static inline void put_present(struct text *t, uint32_t number, struct ph_slice bytes)
{
    if (ph_slice_present(bytes))
        put_field(t, number, bytes);
}

static inline void put_message(struct text *t, uint32_t number, struct text *message)
{
    put_field(t, number, ph_slice_of(message->ptr, message->len));
    free(message->ptr);
}

static inline int method_number(struct ph_slice name)
{
    static const char *const names[] = {"", "GET", "POST", "PUT", "DELETE"};
    for (int i = 1; i < (int)PH_COUNTOF(names); i++)
        if (ph_slice_eq(name, ph_slice_str(names[i])))
            return i;
    abort();
}

static inline void write_protobuf(struct text *t, enum ph_form form, const struct ph_call *call)
{
    const struct ph_request *r = &call->request;
    const bool composite = form == PH_FORM_COMPOSITE;
    struct text details = {0}, secrets = {0}, context = {0}, payment = {0};
    put_varint(&details, 1 << 3);
    put_varint(&details, (uint64_t)method_number(r->method));
    put_present(&details, 2, r->uri);
    for (size_t i = 0; i < r->header_count; i++) {
        struct text header = {0};
        put_field(&header, 1, r->headers[i].name);
        put_field(&header, 2, r->headers[i].value);
        put_message(&details, 3, &header);
    }
    put_field(&details, 4, r->body);
    put_present(&details, 5, r->query);
    put_message(t, form == PH_FORM_PARSE || composite ? 1 : 2, &details);
    if (form == PH_FORM_PARSE)
        return;
    put_present(t, composite ? 3 : 1, call->merchant_event_id);
    if (call->has_secret) {
        put_field(&secrets, 1, call->secret.secret);
        put_present(&secrets, 2, call->secret.additional);
        put_message(t, composite ? 2 : 3, &secrets);
    }
    put_varint(&payment, 1 << 3);
    put_varint(&payment, (uint64_t)call->capture_method);
    put_message(&context, 1, &payment);
    put_message(t, 5, &context);
}

static inline void put_json(struct text *t, struct ph_slice text)
{
    char escaped[8];
    put_str(t, "\"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            snprintf(escaped, sizeof(escaped), "\\u%04x", c);
            put_str(t, escaped);
        } else {
            put(t, ph_slice_from(ph_slice_of(text.ptr, i + 1), i));
        }
    }
    put_str(t, "\"");
}

static inline void put_member(struct text *t, const char *name, struct ph_slice text)
{
    if (!ph_slice_present(text))
        return;
    put_str(t, ",");
    put_json(t, ph_slice_str(name));
    put_str(t, ":");
    put_json(t, text);
}

static inline void put_number(struct text *t, int64_t n)
{
    char digits[24];
    snprintf(digits, sizeof(digits), "%lld", (long long)n);
    put_str(t, digits);
}

static inline void put_base64(struct text *t, struct ph_slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    put_str(t, "\"");
    for (size_t i = 0; i < bytes.len; i += 3) {
        uint32_t three = 0;
        for (size_t k = 0; k < 3; k++)
            three = three << 8 | (i + k < bytes.len ? (uint8_t)bytes.ptr[i + k] : 0);
        const char four[] = {digits[three >> 18], digits[three >> 12 & 63],
                             i + 1 < bytes.len ? digits[three >> 6 & 63] : '=',
                             i + 2 < bytes.len ? digits[three & 63] : '='};
        put(t, ph_slice_of(four, sizeof(four)));
    }
    put_str(t, "\"");
}

static inline void put_list(struct text *t, struct ph_slice bytes)
{
    put_str(t, "[");
    for (size_t i = 0; i < bytes.len; i++) {
        put_str(t, i > 0 ? "," : "");
        put_number(t, (uint8_t)bytes.ptr[i]);
    }
    put_str(t, "]");
}

static inline void write_json(struct text *t, const struct ph_call *call, bool peer)
{
    const struct ph_request *r = &call->request;
    put_str(t, peer ? "{\"request_details\":{\"method\":" : "{\"requestDetails\":{\"method\":");
    put_number(t, method_number(r->method));
    put_member(t, "uri", r->uri);
    put_member(t, peer ? "query_params" : "queryParams", r->query);
    put_str(t, ",\"headers\":{");
    for (size_t i = 0; i < r->header_count; i++) {
        put_str(t, i > 0 ? "," : "");
        put_json(t, r->headers[i].name);
        put_str(t, ":");
        put_json(t, r->headers[i].value);
    }
    put_str(t, "},\"body\":");
    (peer ? put_list : put_base64)(t, r->body);
    put_str(t, "}");
    put_member(t, "merchant_event_id", call->merchant_event_id);
    if (call->has_secret) {
        put_str(t, ",\"webhook_secrets\":{\"none\":null");
        put_member(t, "secret", call->secret.secret);
        put_member(t, "additional_secret", call->secret.additional);
        put_str(t, "}");
    }
    put_str(t, peer ? ",\"event_context\":{\"event_context\":{\"Payment\":{\"capture_method\":"
                    : ",\"eventContext\":{\"payment\":{\"captureMethod\":");
    if (peer)
        put_number(t, call->capture_method);
    else
        put_json(t, ph_word_name(PH_WORDS_CAPTURE_METHOD, call->capture_method));
    put_str(t, peer ? "}}}}" : "}}}");
}

/* However it was read: written in all three ways, it is read to the same call again. */
static inline void must_come_back(enum ph_form form, const struct ph_call *call)
{
    for (enum writing how = AS_PROTOBUF; how < WRITINGS; how++) {
        struct ph_arena arena;
        struct ph_call again;
        struct ph_slice why;
        struct text t = {0};
        ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
        if (how == AS_PROTOBUF) {
            write_protobuf(&t, form, call);
            must(ph_wire_read_call(&arena, form, ph_slice_of(t.ptr, t.len), &again, &why) == PH_OK);
        } else {
            write_json(&t, call, how == AS_PEER);
            must(ph_wire_read_call_json(&arena, form, ph_slice_of(t.ptr, t.len), &again, &why) ==
                 PH_OK);
        }
        must_be_same(call, &again);
        ph_arena_done(&arena);
        free(t.ptr);
    }
}

typedef enum ph_status read_fn(struct ph_arena *arena, enum ph_form form, struct ph_slice bytes,
                               struct ph_call *ret_call, struct ph_slice *ret_why);

/* As each of the forms. */
static inline void read_forms(read_fn *read, struct ph_slice bytes)
{
    static const enum ph_form forms[] = {PH_FORM_HANDLE, PH_FORM_PARSE, PH_FORM_COMPOSITE};
    for (size_t i = 0; i < PH_COUNTOF(forms); i++) {
        struct ph_arena arena;
        struct ph_call call = {0};
        struct ph_slice why = {0};
        ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
        if (read(&arena, forms[i], bytes, &call, &why) == PH_OK) {
            must_be_clean(&call);
            must_come_back(forms[i], &call);
        } else {
            must(why.len > 0);
        }
        ph_arena_done(&arena);
    }
}

#endif
