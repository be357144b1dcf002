#include "server/operation.h"

#include "os/clock.h"
#include "server/asking.h"
#include "server/metadata.h"
#include "wire/wire.h"

static bool fail_status(struct ph_fault *ret_fault, enum ph_status st)
{
    if (st == PH_ERR_NO_MEMORY || st == PH_ERR_TOO_LARGE)
        return ph_fault_set(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED,
                            PH_S("the call needs too much memory"));
    return ph_fault_set(ret_fault, PH_GRPC_INTERNAL, ph_slice_str(ph_status_text(st)));
}

static enum ph_want want_of(enum ph_form form)
{
    switch (form) {
    case PH_FORM_PARSE:
        return PH_WANT_REFERENCE;
    case PH_FORM_HANDLE:
        return PH_WANT_ALL;
    case PH_FORM_HANDLE_EVENT:
    case PH_FORM_COMPOSITE:
        break;
    }
    return (enum ph_want)(PH_WANT_ALL | PH_WANT_PEER_REPLY | PH_WANT_NO_KEYS);
}

static enum ph_status decode(struct ph_arena *arena, enum ph_form form, enum ph_dialect dialect,
                             struct ph_slice bytes, struct ph_call *ret_call,
                             struct ph_slice *ret_why)
{
    if (dialect == PH_DIALECT_PROTOBUF)
        return ph_wire_read_call(arena, form, bytes, ret_call, ret_why);
    return ph_wire_read_call_json(arena, form, bytes, ret_call, ret_why);
}

static bool read_call(struct ph_arena *arena, enum ph_form form, enum ph_dialect dialect,
                      struct ph_slice bytes, struct ph_call *ret_call, struct ph_fault *ret_fault)
{
    struct ph_slice why = {0};
    enum ph_status st = decode(arena, form, dialect, bytes, ret_call, &why);
    if (st == PH_ERR_INVALID || st == PH_ERR_MALFORMED) {
        (void)ph_fault_set(ret_fault, PH_GRPC_INVALID_ARGUMENT,
                           why.len > 0 ? why : PH_S("the request cannot be decoded"));
        ret_fault->name = st == PH_ERR_INVALID ? PH_S("WEBHOOK_MISSING_REQUIRED_FIELD")
                                               : PH_S("INVALID_ARGUMENT");
        return false;
    }
    if (st != PH_OK)
        return fail_status(ret_fault, st);
    if (ret_call->request.body.len > PH_BODY_BYTES_MAX)
        return ph_fault_set(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED,
                            PH_S("the webhook's body is larger than the limit"));
    return true;
}

static enum ph_status encode(struct ph_arena *arena, enum ph_form form, enum ph_dialect dialect,
                             const struct ph_answer *answer, struct ph_slice *ret_bytes)
{
    switch (dialect) {
    case PH_DIALECT_JSON:
        return ph_wire_write_json(arena, form, answer, ret_bytes);
    case PH_DIALECT_SERDE:
        return ph_wire_write_serde(arena, form, answer, ret_bytes);
    case PH_DIALECT_PROTOBUF:
        break;
    }
    return ph_wire_write(arena, form, answer, ret_bytes);
}

bool ph_operation_run(struct ph_service *service, const struct ph_http_request *request,
                      enum ph_form form, enum ph_dialect dialect, struct ph_slice bytes,
                      struct ph_slice *ret_bytes, struct ph_fault *ret_fault)
{
    struct ph_arena *arena = ph_worker_arena(service->worker);
    struct ph_metadata metadata;
    struct ph_call call = {0};
    int64_t now_ms = service->asking != NULL ? service->asking->received_ms : ph_os_unix_ms();
    if (!ph_metadata_read(service->config, arena, request, now_ms, &metadata, ret_fault) ||
        !read_call(arena, form, dialect, bytes, &call, ret_fault))
        return false;
    const struct ph_config_value *config = metadata.config;
    if (!ph_asking_config(service, &config, &metadata.config_count))
        return fail_status(ret_fault, PH_ERR_NO_MEMORY);
    const struct ph_input in = {
        .connector = metadata.connector,
        .request = &call.request,
        .secrets = &call.secret,
        .secret_count = call.has_secret ? 1 : 0,
        .config = config,
        .config_count = metadata.config_count,
        .capture_method = call.capture_method,
        .now_ms = metadata.received_ms,
        .merchant_event_id = call.merchant_event_id,
    };
    struct ph_answer answer = {0};
    enum ph_status st = ph_engine_run_keep(service->worker, &in, want_of(form), &answer);
    if (st != PH_OK)
        return fail_status(ret_fault, st);
    ph_asking_look(service, &answer, now_ms);
    if (answer.error != PH_E_NONE) {
        (void)ph_fault_set(ret_fault, ph_wire_grpc_status(answer.error), answer.error_message);
        ret_fault->name = ph_error_code_name(answer.error);
        return false;
    }
    st = encode(arena, form, dialect, &answer, ret_bytes);
    return st == PH_OK || fail_status(ret_fault, st);
}
