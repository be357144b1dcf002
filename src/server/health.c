#include "server/health.h"

#include "wire/fields.h"

/* False: no protobuf. */
static bool read_service(struct ph_slice message, struct ph_slice *ret_name)
{
    struct ph_scanned field;
    *ret_name = PH_S("");
    while (message.len > 0) {
        if (!ph_scan_next(&message, &field))
            return false;
        if (field.number == 1 && field.wire == PH_WIRE_BYTES)
            *ret_name = field.bytes;
    }
    return true;
}

/* The empty name is the server as a whole. */
static bool is_ours(struct ph_slice name)
{
    static const struct ph_slice names[] = {
        PH_SI(""),
        PH_SI("types.EventService"),
        PH_SI("types.CompositeEventService"),
        PH_SI("grpc.health.v1.Health"),
        PH_SI("grpc.reflection.v1.ServerReflection"),
        PH_SI("grpc.reflection.v1alpha.ServerReflection"),
    };
    for (size_t i = 0; i < PH_COUNTOF(names); i++)
        if (ph_slice_eq(name, names[i]))
            return true;
    return false;
}

struct ph_slice ph_health_status(bool known, bool draining)
{
    /* field 1, a varint: SERVING 1, NOT_SERVING 2, SERVICE_UNKNOWN 3 */
    if (!known)
        return PH_S("\x08\x03");
    return draining ? PH_S("\x08\x02") : PH_S("\x08\x01");
}

bool ph_health_check(struct ph_service *service, struct ph_slice message,
                     struct ph_slice *ret_message, struct ph_fault *ret_fault)
{
    struct ph_slice name;
    if (!read_service(message, &name))
        return ph_fault_set(ret_fault, PH_GRPC_INVALID_ARGUMENT,
                            PH_S("the message is not a protobuf of its type"));
    if (!is_ours(name))
        return ph_fault_set(ret_fault, PH_GRPC_NOT_FOUND, PH_S("this server has no such service"));
    *ret_message = ph_health_status(true, service->draining);
    return true;
}

struct ph_slice ph_health_watch(struct ph_rpc_stream *stream, struct ph_slice message)
{
    struct ph_slice name;
    stream->known = read_service(message, &name) && is_ours(name);
    return ph_health_status(stream->known, stream->service->draining);
}
