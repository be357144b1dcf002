/* Field numbers of descriptors: google/protobuf/descriptor.proto of protobuf 3.21; those of
 * reflection: proto/reflection_v1.proto. */
#include "server/reflection.h"

#include "wire/fields.h"

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
    struct ph_pb_field field;
    while (ph_pb_next(&message, &field) == PH_OK)
        if (field.number == number && field.type == PH_PB_BYTES &&
            ph_slice_eq(ph_pb_bytes_of(field.bytes, ANY_NAME), name))
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
        struct ph_pb_field field;
        if (has_named(message, MESSAGE_FIELD, rest) || has_named(message, MESSAGE_ONEOF, rest))
            return true;
        while (ph_pb_next(&all, &field) == PH_OK) {
            if (field.type != PH_PB_BYTES ||
                (field.number != MESSAGE_NESTED && field.number != MESSAGE_ENUM) ||
                !is_within(rest, ph_pb_bytes_of(field.bytes, ANY_NAME), &within))
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
    struct ph_pb_field field;
    if (!is_within(symbol, ph_pb_bytes_of(file, FILE_PACKAGE), &rest) || rest.len == 0)
        return false;
    for (struct ph_slice all = file; ph_pb_next(&all, &field) == PH_OK;) {
        if (field.type != PH_PB_BYTES || field.number < FILE_MESSAGE ||
            field.number > FILE_SERVICE ||
            !is_within(rest, ph_pb_bytes_of(field.bytes, ANY_NAME), &within))
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
    struct ph_pb_field file;
    while (ph_pb_next(&set, &file) == PH_OK) {
        if (file.number != SET_FILE || file.type != PH_PB_BYTES)
            continue;
        if (ph_slice_present(name) ? ph_slice_eq(ph_pb_bytes_of(file.bytes, FILE_NAME), name)
                                   : file_has(file.bytes, symbol, messages_only))
            return file.bytes;
    }
    return (struct ph_slice){0};
}

/* ---- answers --------------------------------------------------------------------------------- */

enum {
    ASK_FILE = 3,
    ASK_SYMBOL = 4,
    ASK_EXTENSION = 5,
    ASK_EXTENSION_NUMBERS = 6,
    ASK_SERVICES = 7,
    ANSWER_FILES = 4,
    ANSWER_EXTENSION_NUMBERS = 5,
    ANSWER_SERVICES = 6,
    ANSWER_ERROR = 7,
};

static void put_error(struct ph_pb_writer *w, enum ph_grpc_code code, struct ph_slice message)
{
    struct ph_pb_writer error = {.arena = w->arena};
    ph_pb_put_number(&error, 1, code);
    ph_pb_put_bytes(&error, 2, message);
    w->failed = w->failed || error.failed;
    ph_pb_put_bytes(w, ANSWER_ERROR, ph_pb_written(&error));
}

static void put_file(struct ph_pb_writer *w, struct ph_slice file)
{
    struct ph_pb_writer files = {.arena = w->arena};
    if (!ph_slice_present(file)) {
        put_error(w, PH_GRPC_NOT_FOUND, PH_S("no file here is called so, or has this symbol"));
        return;
    }
    ph_pb_put_bytes(&files, 1, file);
    w->failed = w->failed || files.failed;
    ph_pb_put_bytes(w, ANSWER_FILES, ph_pb_written(&files));
}

/* Our messages have no extensions: a type that is ours has an empty list of them. */
static void put_extension_numbers(struct ph_pb_writer *w, struct ph_slice set, struct ph_slice type)
{
    struct ph_pb_writer numbers = {.arena = w->arena};
    if (!ph_slice_present(find_file(set, (struct ph_slice){0}, type, true))) {
        put_error(w, PH_GRPC_NOT_FOUND, PH_S("no message here is called so"));
        return;
    }
    ph_pb_put_bytes(&numbers, 1, type);
    w->failed = w->failed || numbers.failed;
    ph_pb_put_bytes(w, ANSWER_EXTENSION_NUMBERS, ph_pb_written(&numbers));
}

static void put_service(struct ph_pb_writer *services, struct ph_slice package,
                        struct ph_slice name)
{
    struct ph_pb_writer one = {.arena = services->arena};
    size_t len = package.len + 1 + name.len;
    char *full = ph_arena_alloc(services->arena, len);
    if (full == NULL) {
        services->failed = true;
        return;
    }
    memcpy(full, package.ptr, package.len);
    full[package.len] = '.';
    memcpy(full + package.len + 1, name.ptr, name.len);
    ph_pb_put_bytes(&one, 1, ph_slice_of(full, len));
    services->failed = services->failed || one.failed;
    ph_pb_put_bytes(services, 1, ph_pb_written(&one));
}

static void put_services(struct ph_pb_writer *w, struct ph_slice set)
{
    struct ph_pb_writer services = {.arena = w->arena};
    struct ph_pb_field file, field;
    while (ph_pb_next(&set, &file) == PH_OK) {
        if (file.number != SET_FILE || file.type != PH_PB_BYTES)
            continue;
        struct ph_slice package = ph_pb_bytes_of(file.bytes, FILE_PACKAGE);
        for (struct ph_slice all = file.bytes; ph_pb_next(&all, &field) == PH_OK;)
            if (field.number == FILE_SERVICE && field.type == PH_PB_BYTES)
                put_service(&services, package, ph_pb_bytes_of(field.bytes, ANY_NAME));
    }
    w->failed = w->failed || services.failed;
    ph_pb_put_bytes(w, ANSWER_SERVICES, ph_pb_written(&services));
}

/* The last arm of the request's oneof counts, as in every protobuf runtime. */
static enum ph_status read_request(struct ph_slice request, struct ph_slice *ret_host,
                                   struct ph_pb_field *ret_ask)
{
    struct ph_pb_field field;
    enum ph_status st;
    *ret_host = (struct ph_slice){0};
    *ret_ask = (struct ph_pb_field){0};
    while ((st = ph_pb_next(&request, &field)) == PH_OK) {
        if (field.type != PH_PB_BYTES)
            continue;
        if (field.number == 1)
            *ret_host = field.bytes;
        else if (field.number >= ASK_FILE && field.number <= ASK_SERVICES)
            *ret_ask = field;
    }
    return st == PH_ERR_NOT_FOUND ? PH_OK : st;
}

enum ph_status ph_reflection_answer(struct ph_arena *arena, struct ph_slice descriptors,
                                    struct ph_slice request, struct ph_slice *ret)
{
    struct ph_slice host, none = {0};
    struct ph_pb_field ask;
    struct ph_pb_writer w = {.arena = arena};
    PH_TRY(read_request(request, &host, &ask));
    if (host.len > 0)
        ph_pb_put_bytes(&w, 1, host);
    ph_pb_put_bytes(&w, 2, request);
    switch (ask.number) {
    case ASK_FILE:
        put_file(&w, find_file(descriptors, ask.bytes, none, false));
        break;
    case ASK_SYMBOL:
        put_file(&w, find_file(descriptors, none, ask.bytes, false));
        break;
    case ASK_EXTENSION:
        put_error(&w, PH_GRPC_NOT_FOUND, PH_S("no message here has extensions"));
        break;
    case ASK_EXTENSION_NUMBERS:
        put_extension_numbers(&w, descriptors, ask.bytes);
        break;
    case ASK_SERVICES:
        put_services(&w, descriptors);
        break;
    default:
        put_error(&w, PH_GRPC_INVALID_ARGUMENT, PH_S("the request asks for nothing that is known"));
        break;
    }
    if (w.failed)
        return PH_ERR_NO_MEMORY;
    *ret = ph_pb_written(&w);
    return PH_OK;
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
