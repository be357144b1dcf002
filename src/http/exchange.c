/* The life of an exchange; message.h draws it. */
#include "http/message.h"

#include <assert.h>

enum ph_status ph_http_answer(struct ph_http_exchange *exchange,
                              const struct ph_http_response *response)
{
    assert(exchange->held);
    return exchange->transport->answer(exchange, response);
}

enum ph_status ph_http_write(struct ph_http_exchange *exchange, struct ph_slice prefix,
                             struct ph_slice body)
{
    assert(exchange->held);
    return exchange->transport->write(exchange, prefix, body);
}

void ph_http_end(struct ph_http_exchange *exchange, const struct ph_header *trailers, size_t count)
{
    assert(exchange->held);
    exchange->transport->end(exchange, trailers, count);
}

void ph_http_exchange_request(const struct ph_http_exchange *exchange,
                              struct ph_header headers[PH_HEADERS_MAX],
                              struct ph_http_request *ret_request)
{
    const struct ph_buffer *head = &exchange->head;
    struct ph_slice body =
        exchange->passing.len > 0 ? exchange->passing : ph_buffer_slice(&exchange->body);
    uint64_t marks = 0;
    for (size_t i = 0; i < exchange->field_count; i++) {
        headers[i] = (struct ph_header){
            .name = ph_http_span(head, exchange->fields[i].name),
            .value = ph_slice_trim(ph_http_span(head, exchange->fields[i].value)),
        };
        marks |= ph_http_mark(headers[i].name);
    }
    *ret_request = (struct ph_http_request){
        .method = ph_http_span(head, exchange->method),
        .target = ph_http_span(head, exchange->target),
        .headers = headers,
        .header_count = exchange->field_count,
        .marks = marks,
        .body = body.len > 0 ? body : PH_S(""),
        .headers_ms = exchange->headers_ms,
        .http2 = exchange->http2,
        .streams = exchange->streams,
        .refusal = exchange->refusal,
    };
}

void ph_http_take_bytes(struct ph_http_exchange *exchange, struct ph_buffer *ret_head,
                        struct ph_buffer *ret_body)
{
    *ret_head = exchange->head;
    *ret_body = exchange->body;
    ph_buffer_init(&exchange->head, ret_head->memory);
    ph_buffer_init(&exchange->body, ret_body->memory);
}

void ph_http_exchange_init(struct ph_http_exchange *exchange, struct ph_memory *memory)
{
    ph_buffer_init(&exchange->head, memory);
    ph_buffer_init(&exchange->body, memory);
}

void ph_http_exchange_clear(struct ph_http_exchange *exchange)
{
    ph_buffer_clear(&exchange->head);
    ph_buffer_clear(&exchange->body);
    exchange->owner = NULL;
    exchange->passing = (struct ph_slice){0};
    exchange->held = exchange->streams = false;
    exchange->method = exchange->target = (struct ph_span){0};
    /* One more than were counted may be half written. */
    size_t used =
        exchange->field_count < PH_HEADERS_MAX ? exchange->field_count + 1 : PH_HEADERS_MAX;
    memset(exchange->fields, 0, used * sizeof exchange->fields[0]);
    exchange->field_count = 0;
    exchange->headers_ms = 0;
    exchange->refusal = PH_HTTP_FINE;
}

void ph_http_exchange_done(struct ph_http_exchange *exchange)
{
    ph_buffer_done(&exchange->head);
    ph_buffer_done(&exchange->body);
}

enum ph_status ph_http_exchange_settle(struct ph_http_exchange *exchange)
{
    struct ph_slice bytes = exchange->passing;
    exchange->passing = (struct ph_slice){0};
    return ph_buffer_append(&exchange->body, bytes);
}

void ph_http_exchange_gone(struct ph_http_exchange *exchange)
{
    if (!exchange->held)
        return;
    exchange->held = false;
    exchange->owner->gone(exchange->owner, exchange);
}

void ph_http_exchange_data(struct ph_http_exchange *exchange, bool ended)
{
    if (exchange->held && exchange->owner->data != NULL)
        exchange->owner->data(exchange->owner, exchange, ended);
}
