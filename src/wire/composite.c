#include "wire/composite.h"

#include "wire/fields.h"

/* numbers[n]: what field n becomes; 0: left out. */
static enum ph_status renumber(struct ph_pb_writer *w, struct ph_slice bytes,
                               const uint32_t *numbers, size_t count)
{
    struct ph_pb_field field;
    enum ph_status st;
    while ((st = ph_pb_next(&bytes, &field)) == PH_OK)
        if (field.number < count && numbers[field.number] != 0)
            ph_pb_put_field(w, numbers[field.number], &field);
    if (st != PH_ERR_NOT_FOUND)
        return st;
    return w->failed ? PH_ERR_NO_MEMORY : PH_OK;
}

enum ph_status ph_wire_composite_request(struct ph_arena *arena, struct ph_slice bytes,
                                         struct ph_slice *ret_handle)
{
    /* request_details, webhook_secrets, merchant_event_id, access_token, event_context */
    static const uint32_t numbers[] = {0, 2, 3, 1, 4, 5};
    struct ph_pb_writer w = {.arena = arena};
    PH_TRY(renumber(&w, bytes, numbers, PH_COUNTOF(numbers)));
    *ret_handle = ph_pb_written(&w);
    return PH_OK;
}

enum ph_status ph_wire_composite_answer(struct ph_arena *arena, struct ph_slice parse,
                                        struct ph_slice handle, struct ph_slice *ret)
{
    static const uint32_t reference[] = {0, 1};
    /* event_type, event_content, source_verified, merchant_event_id, event_ack_response */
    static const uint32_t rest[] = {0, 2, 3, 4, 5, 6};
    struct ph_pb_writer w = {.arena = arena};
    PH_TRY(renumber(&w, parse, reference, PH_COUNTOF(reference)));
    PH_TRY(renumber(&w, handle, rest, PH_COUNTOF(rest)));
    *ret = ph_pb_written(&w);
    return PH_OK;
}

enum ph_status ph_wire_integration_error(struct ph_arena *arena, struct ph_slice message,
                                         struct ph_slice code, struct ph_slice suggestion,
                                         struct ph_slice *ret)
{
    struct ph_pb_writer w = {.arena = arena};
    ph_pb_put_bytes(&w, 1, message);
    ph_pb_put_bytes(&w, 2, code);
    if (ph_slice_present(suggestion))
        ph_pb_put_bytes(&w, 3, suggestion);
    if (w.failed)
        return PH_ERR_NO_MEMORY;
    *ret = ph_pb_written(&w);
    return PH_OK;
}
