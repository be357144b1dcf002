/* Field numbers of descriptors: google/protobuf/descriptor.proto of protobuf 3.21; those of
 * reflection: proto/reflection_v1.proto. */
#include "server/reflection.h"

#include "wire/fields.h"
#include "wire/out.h"

extern const unsigned char ph_descriptor_set[];
extern const size_t ph_descriptor_set_bytes;

struct ph_slice ph_reflection_descriptors(void)
{
    return ph_slice_of(ph_descriptor_set, ph_descriptor_set_bytes);
}

/* ---- symbols --------------------------------------------------------------------------------- */

enum {
    SET_FILE = 1,
    FILE_NAME = 1,
    FILE_PACKAGE = 2,
    FILE_MESSAGE = 4,
    FILE_ENUM = 5,
    FILE_SERVICE = 6,
    ANY_NAME = 1,
    MESSAGE_FIELD = 2,
    MESSAGE_NESTED = 3,
    MESSAGE_ENUM = 4,
    MESSAGE_ONEOF = 8,
    ENUM_VALUE = 2,
    SERVICE_METHOD = 2,
};

/* Whether `symbol` is `name` (then *ret_rest is empty) or lies in it (then *ret_rest is what
 * follows). */
static bool is_within(struct ph_slice symbol, struct ph_slice name, struct ph_slice *ret_rest)
{
    if (!ph_slice_starts(symbol, name))
        return false;
    *ret_rest = ph_slice_from(symbol, name.len);
    if (ret_rest->len == 0)
        return true;
    if (ret_rest->ptr[0] != '.' || ret_rest->len == 1)
        return false;
    *ret_rest = ph_slice_from(*ret_rest, 1);
    return true;
}

/* Whether one of the fields `number` of `message` is called `name`. */
static bool has_named(struct ph_slice message, uint32_t number, struct ph_slice name)
{
    struct ph_scanned field;
    while (ph_scan_next(&message, &field))
        if (field.number == number && field.wire == PH_WIRE_BYTES &&
            ph_slice_eq(ph_scan_bytes_of(field.bytes, ANY_NAME), name))
            return true;
    return false;
}

static bool enum_has(struct ph_slice type, struct ph_slice rest)
{
    return rest.len == 0 || has_named(type, ENUM_VALUE, rest);
}

/* rest: the symbol within the message's name. Walks down, not by recursion: each step shortens
 * `rest`. */
static bool message_has(struct ph_slice message, struct ph_slice rest)
{
    while (rest.len > 0) {
        struct ph_slice all = message, inner = {0}, within = {0};
        struct ph_scanned field;
        if (has_named(message, MESSAGE_FIELD, rest) || has_named(message, MESSAGE_ONEOF, rest))
            return true;
        while (ph_scan_next(&all, &field)) {
            if (field.wire != PH_WIRE_BYTES ||
                (field.number != MESSAGE_NESTED && field.number != MESSAGE_ENUM) ||
                !is_within(rest, ph_scan_bytes_of(field.bytes, ANY_NAME), &within))
                continue;
            if (field.number == MESSAGE_ENUM)
                return enum_has(field.bytes, within);
            inner = field.bytes;
            break;
        }
        if (!ph_slice_present(inner))
            return false;
        message = inner;
        rest = within;
    }
    return true;
}

static bool file_has(struct ph_slice file, struct ph_slice symbol, bool messages_only)
{
    struct ph_slice rest = {0}, within = {0};
    struct ph_scanned field;
    if (!is_within(symbol, ph_scan_bytes_of(file, FILE_PACKAGE), &rest) || rest.len == 0)
        return false;
    for (struct ph_slice all = file; ph_scan_next(&all, &field);) {
        if (field.wire != PH_WIRE_BYTES || field.number < FILE_MESSAGE ||
            field.number > FILE_SERVICE ||
            !is_within(rest, ph_scan_bytes_of(field.bytes, ANY_NAME), &within))
            continue;
        if (field.number == FILE_MESSAGE && message_has(field.bytes, within))
            return true;
        if (messages_only)
            continue;
        if (field.number == FILE_ENUM && enum_has(field.bytes, within))
            return true;
        if (field.number == FILE_SERVICE &&
            (within.len == 0 || has_named(field.bytes, SERVICE_METHOD, within)))
            return true;
    }
    return false;
}

/* The file that is called so, or that has the symbol; absent: none. */
static struct ph_slice find_file(struct ph_slice set, struct ph_slice name, struct ph_slice symbol,
                                 bool messages_only)
{
    struct ph_scanned file;
    while (ph_scan_next(&set, &file)) {
        if (file.number != SET_FILE || file.wire != PH_WIRE_BYTES)
            continue;
        if (ph_slice_present(name) ? ph_slice_eq(ph_scan_bytes_of(file.bytes, FILE_NAME), name)
                                   : file_has(file.bytes, symbol, messages_only))
            return file.bytes;
    }
    return (struct ph_slice){0};
}

/* ---- answers --------------------------------------------------------------------------------- */

enum {
    ASK_HOST = 1,
    ASK_FILE = 3,
    ASK_SYMBOL = 4,
    ASK_EXTENSION = 5,
    ASK_EXTENSION_NUMBERS = 6,
    ASK_SERVICES = 7
};

static void put_error(struct ph_out *o, enum ph_grpc_code code, struct ph_slice message)
{
    static const struct ph_row error = PH_ROW_ALWAYS(7, error_response),
                               number = PH_ROW(1, error_code), text = PH_ROW(2, error_message);
    size_t mark = ph_out_open(o, &error);
    ph_out_int32(o, &number, (int32_t)code);
    ph_out_text(o, &text, message);
    ph_out_close(o, mark);
}

static void put_file(struct ph_out *o, struct ph_slice file)
{
    static const struct ph_row files = PH_ROW_ALWAYS(4, file_descriptor_response),
                               one = PH_ROW(1, file_descriptor_proto);
    if (!ph_slice_present(file)) {
        put_error(o, PH_GRPC_NOT_FOUND, PH_S("no file here is called so, or has this symbol"));
        return;
    }
    size_t mark = ph_out_open(o, &files);
    ph_out_bytes(o, &one, file);
    ph_out_close(o, mark);
}

/* Our messages have no extensions: a type that is ours has an empty list of them. */
static void put_extension_numbers(struct ph_out *o, struct ph_slice set, struct ph_slice type)
{
    static const struct ph_row numbers = PH_ROW_ALWAYS(5, all_extension_numbers_response),
                               name = PH_ROW(1, base_type_name);
    if (!ph_slice_present(find_file(set, (struct ph_slice){0}, type, true))) {
        put_error(o, PH_GRPC_NOT_FOUND, PH_S("no message here is called so"));
        return;
    }
    size_t mark = ph_out_open(o, &numbers);
    ph_out_text(o, &name, type);
    ph_out_close(o, mark);
}

static void put_service(struct ph_out *o, size_t index, struct ph_slice package,
                        struct ph_slice name)
{
    static const struct ph_row service = PH_ROW_ALWAYS(1, service), full_name = PH_ROW(1, name);
    size_t len = package.len + 1 + name.len, mark = ph_out_list_open(o, &service, index);
    char *full = ph_arena_alloc(o->arena, len);
    o->failed = o->failed || full == NULL;
    if (full != NULL) {
        memcpy(full, package.ptr, package.len);
        full[package.len] = '.';
        memcpy(full + package.len + 1, name.ptr, name.len);
        ph_out_text(o, &full_name, ph_slice_of(full, len));
    }
    ph_out_close(o, mark);
}

static void put_services(struct ph_out *o, struct ph_slice set)
{
    static const struct ph_row services = PH_ROW_ALWAYS(6, list_services_response);
    struct ph_scanned file, field;
    size_t mark = ph_out_open(o, &services), count = 0;
    while (ph_scan_next(&set, &file)) {
        if (file.number != SET_FILE || file.wire != PH_WIRE_BYTES)
            continue;
        struct ph_slice package = ph_scan_bytes_of(file.bytes, FILE_PACKAGE);
        for (struct ph_slice all = file.bytes; ph_scan_next(&all, &field);)
            if (field.number == FILE_SERVICE && field.wire == PH_WIRE_BYTES)
                put_service(o, count++, package, ph_scan_bytes_of(field.bytes, ANY_NAME));
    }
    ph_out_close(o, mark);
}

/* The last arm of the request's oneof counts, as in every protobuf runtime. */
static bool read_request(struct ph_slice request, struct ph_slice *ret_host,
                         struct ph_scanned *ret_ask)
{
    struct ph_scanned field;
    *ret_host = (struct ph_slice){0};
    *ret_ask = (struct ph_scanned){0};
    while (request.len > 0) {
        if (!ph_scan_next(&request, &field))
            return false;
        if (field.wire != PH_WIRE_BYTES)
            continue;
        if (field.number == ASK_HOST)
            *ret_host = field.bytes;
        else if (field.number >= ASK_FILE && field.number <= ASK_SERVICES)
            *ret_ask = field;
    }
    return true;
}

static void put_answer(struct ph_out *o, struct ph_slice set, const struct ph_scanned *ask)
{
    const struct ph_slice none = {0};
    switch (ask->number) {
    case ASK_FILE:
        put_file(o, find_file(set, ask->bytes, none, false));
        break;
    case ASK_SYMBOL:
        put_file(o, find_file(set, none, ask->bytes, false));
        break;
    case ASK_EXTENSION:
        put_error(o, PH_GRPC_NOT_FOUND, PH_S("no message here has extensions"));
        break;
    case ASK_EXTENSION_NUMBERS:
        put_extension_numbers(o, set, ask->bytes);
        break;
    case ASK_SERVICES:
        put_services(o, set);
        break;
    default:
        put_error(o, PH_GRPC_INVALID_ARGUMENT, PH_S("the request asks for nothing that is known"));
        break;
    }
}

enum ph_status ph_reflection_answer(struct ph_arena *arena, struct ph_slice descriptors,
                                    struct ph_slice request, struct ph_slice *ret)
{
    static const struct ph_row valid_host = PH_ROW(1, valid_host),
                               original_request = PH_ROW_ALWAYS(2, original_request);
    struct ph_slice host;
    struct ph_scanned ask;
    struct ph_out o = {.arena = arena};
    if (!read_request(request, &host, &ask))
        return PH_ERR_MALFORMED;
    ph_out_begin(&o);
    ph_out_text(&o, &valid_host, host);
    ph_out_bytes(&o, &original_request, request);
    put_answer(&o, descriptors, &ask);
    return ph_out_end(&o, ret);
}

/* ---- the stream ------------------------------------------------------------------------------ */

/* True when one was answered and the stream lives. */
static bool answer_next(struct ph_rpc_stream *stream, struct ph_fault *ret_fault)
{
    struct ph_service *service = stream->service;
    struct ph_arena *arena = ph_worker_arena(service->worker);
    struct ph_buffer *body = &stream->exchange->body;
    struct ph_slice request = {0}, answer = {0};
    size_t used = 0;
    ph_worker_reset(service->worker);
    if (!ph_grpc_take(ph_buffer_slice(body), stream->gzip, PH_MESSAGE_BYTES_MAX, arena, &request,
                      &used, ret_fault) ||
        used == 0)
        return false;
    if (ph_reflection_answer(arena, ph_reflection_descriptors(), request, &answer) != PH_OK) {
        (void)ph_fault_set(ret_fault, PH_GRPC_INVALID_ARGUMENT,
                           PH_S("the message is not a protobuf of its type"));
        return false;
    }
    enum ph_status st = ph_rpc_send(stream, answer);
    if (st == PH_ERR_AGAIN) {
        stream->waiting = true; /* the request stays where it is */
        return false;
    }
    if (st != PH_OK) {
        ret_fault->code = PH_GRPC_CANCELLED; /* gone already */
        return false;
    }
    ph_buffer_drop(body, used);
    return true;
}

void ph_reflection_data(struct ph_rpc_stream *stream, bool ended)
{
    struct ph_fault fault = {0};
    const struct ph_http_request head = {.refusal = stream->exchange->refusal};
    stream->waiting = false;
    if (ph_service_check_refusal(&head, &fault))
        while (answer_next(stream, &fault))
            ;
    if (fault.code == PH_GRPC_CANCELLED)
        return;
    if (fault.code == PH_GRPC_OK && (stream->waiting || !ended))
        return;
    if (fault.code == PH_GRPC_OK && stream->exchange->body.len > 0)
        (void)ph_fault_set(&fault, PH_GRPC_INTERNAL, PH_S("the message is cut short"));
    ph_rpc_end(stream, &fault);
}
