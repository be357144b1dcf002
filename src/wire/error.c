/* Errors as the wire tells them: their JSON, their details, and what their codes become. */
#include "core/codec.h"
#include "wire/message.h"
#include "wire/out.h"
#include "wire/wire.h"

enum ph_status ph_wire_write_error_json(struct ph_arena *arena, struct ph_slice code,
                                        struct ph_slice message, struct ph_slice *ret)
{
    struct ph_slice a, b;
    if (!ph_json_escape(arena, ph_text_clean(arena, code), &a) ||
        !ph_json_escape(arena, ph_text_clean(arena, message), &b))
        return PH_ERR_NO_MEMORY;
    struct ph_slice parts[] = {PH_S("{\"error\":{\"code\":\""), a, PH_S("\",\"message\":\""), b,
                               PH_S("\"}}")};
    struct ph_slice text = ph_text_join(arena, parts, PH_COUNTOF(parts));
    if (!ph_slice_present(text))
        return PH_ERR_NO_MEMORY;
    *ret = text;
    return PH_OK;
}

enum ph_status ph_wire_write_peer_error(struct ph_arena *arena, int http_status,
                                        struct ph_slice message, struct ph_slice *ret)
{
    struct ph_slice text, code = ph_decimal(arena, http_status);
    if (!ph_slice_present(code) || !ph_json_escape(arena, ph_text_clean(arena, message), &text))
        return PH_ERR_NO_MEMORY;
    struct ph_slice parts[] = {PH_S("{\"error\":{\"message\":\""), text, PH_S("\",\"code\":\""),
                               code, PH_S("\"}}")};
    *ret = ph_text_join(arena, parts, PH_COUNTOF(parts));
    return ph_slice_present(*ret) ? PH_OK : PH_ERR_NO_MEMORY;
}

enum ph_status ph_wire_write_integration_error(struct ph_arena *arena, struct ph_slice code,
                                               struct ph_slice message, struct ph_slice suggestion,
                                               struct ph_slice *ret)
{
    static const struct ph_row error_message = PH_ROW(1, error_message),
                               error_code = PH_ROW(2, error_code),
                               suggested_action = PH_ROW_ALWAYS(3, suggested_action);
    struct ph_out o = {.arena = arena};
    ph_out_begin(&o);
    ph_out_text(&o, &error_message, message);
    ph_out_text(&o, &error_code, code);
    ph_out_text(&o, &suggested_action, suggestion);
    return ph_out_end(&o, ret);
}

int ph_wire_grpc_status(enum ph_error_code code)
{
    switch (code) {
    case PH_E_NONE:
        return 0;
    case PH_E_WEBHOOKS_NOT_IMPLEMENTED:
        return 12;
    case PH_E_WEBHOOK_EVENT_TYPE_NOT_FOUND:
    case PH_E_WEBHOOK_REFERENCE_ID_NOT_FOUND:
    case PH_E_WEBHOOK_RESOURCE_OBJECT_NOT_FOUND:
        return 5;
    case PH_E_WEBHOOK_BODY_DECODING_FAILED:
    case PH_E_WEBHOOK_MISSING_REQUIRED_FIELD:
    case PH_E_WEBHOOK_MISSING_REQUIRED_CONTEXT:
        return 3;
    case PH_E_WEBHOOK_AMOUNT_CONVERSION_FAILED:
    case PH_E_WEBHOOK_PROCESSING_FAILED:
        return 13;
    }
    return 13;
}

int ph_wire_http_status(int grpc_status)
{
    static const int map[] = {200, 408, 500, 400, 504, 404, 409, 403, 429,
                              412, 409, 416, 501, 500, 503, 500, 401};
    return grpc_status >= 0 && grpc_status < (int)PH_COUNTOF(map) ? map[grpc_status] : 500;
}
