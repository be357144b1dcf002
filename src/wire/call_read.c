/* EventServiceHandleRequest and its two relatives from their bytes, without a tree: what is read
 * is noted where it stands. As every protobuf runtime does, the last of a field counts, and a
 * message that comes twice is one message. What we do not read is checked by its descriptor all
 * the same: a call is good as a whole or not at all. */
#include "events.pb-c.h"
#include "wire/call.h"
#include "wire/message.h"
#include "wire/scan.h"

struct reading {
    struct ph_raw_call *raw;
    const char *text; /* the name of a text that is none; NULL: what is wrong is no text */
};

typedef bool take_fn(struct reading *r, const struct ph_scanned *s);

static bool each_field(struct reading *r, struct ph_slice bytes, take_fn *take)
{
    while (bytes.len > 0) {
        struct ph_scanned s;
        if (!ph_scan_next(&bytes, &s) || !take(r, &s))
            return false;
    }
    return true;
}

static bool take_text(struct reading *r, const struct ph_scanned *s, const char *name,
                      struct ph_slice *ret)
{
    if (s->wire != PH_WIRE_BYTES)
        return false;
    if (!ph_text_valid(s->bytes)) {
        r->text = name;
        return false;
    }
    *ret = s->bytes;
    return true;
}

static bool take_unread(struct reading *r, const struct ph_scanned *s,
                        const ProtobufCMessageDescriptor *type)
{
    const char *name = NULL;
    enum ph_scan found = s->wire == PH_WIRE_BYTES
                             ? ph_scan_message(type, s->bytes, PH_DEPTH_MAX, &name)
                             : PH_SCAN_MALFORMED;
    if (found == PH_SCAN_TEXT)
        r->text = name;
    return found == PH_SCAN_GOOD;
}

static bool take_header(struct reading *r, struct ph_slice entry)
{
    struct ph_header header = {PH_S(""), PH_S("")};
    while (entry.len > 0) {
        struct ph_scanned s;
        if (!ph_scan_next(&entry, &s))
            return false;
        if (s.number == 1 && !take_text(r, &s, "key", &header.name))
            return false;
        if (s.number == 2 && !take_text(r, &s, "value", &header.value))
            return false;
    }
    if (r->raw->header_count < PH_HEADERS_MAX)
        r->raw->headers[r->raw->header_count] = header;
    r->raw->header_count++;
    return true;
}

static bool take_details(struct reading *r, const struct ph_scanned *s)
{
    struct ph_raw_call *raw = r->raw;
    switch (s->number) {
    case 1:
        raw->method = (int)(uint32_t)s->varint;
        return s->wire == PH_WIRE_VARINT;
    case 2:
        return take_text(r, s, "uri", &raw->uri);
    case 3:
        return s->wire == PH_WIRE_BYTES && take_header(r, s->bytes);
    case 4:
        raw->body = s->bytes;
        return s->wire == PH_WIRE_BYTES;
    case 5:
        return take_text(r, s, "query_params", &raw->query);
    default:
        return true;
    }
}

static bool take_secrets(struct reading *r, const struct ph_scanned *s)
{
    if (s->number == 1)
        return take_text(r, s, "secret", &r->raw->secret);
    return s->number != 2 || take_text(r, s, "additional_secret", &r->raw->additional);
}

static bool take_payment_context(struct reading *r, const struct ph_scanned *s)
{
    if (s->number == 1)
        r->raw->capture_method = (int32_t)(uint32_t)s->varint;
    return s->number != 1 || s->wire == PH_WIRE_VARINT;
}

/* One of them: the last arm counts. */
static bool take_context(struct reading *r, const struct ph_scanned *s)
{
    static const ProtobufCMessageDescriptor *const arms[] = {
        [2] = &types__refund_event_context__descriptor,
        [3] = &types__dispute_event_context__descriptor,
        [4] = &types__mandate_event_context__descriptor,
        [5] = &types__payout_event_context__descriptor};
    if (s->number == 1)
        return s->wire == PH_WIRE_BYTES && each_field(r, s->bytes, take_payment_context);
    if (s->number >= PH_COUNTOF(arms))
        return true;
    r->raw->capture_method = 0;
    return take_unread(r, s, arms[s->number]);
}

static bool take_handle(struct reading *r, const struct ph_scanned *s)
{
    struct ph_raw_call *raw = r->raw;
    switch (s->number) {
    case 1:
        return take_text(r, s, "merchant_event_id", &raw->merchant_event_id);
    case 2:
        raw->has_details = true;
        return s->wire == PH_WIRE_BYTES && each_field(r, s->bytes, take_details);
    case 3:
        raw->has_secret = true;
        return s->wire == PH_WIRE_BYTES && each_field(r, s->bytes, take_secrets);
    case 4:
        return take_unread(r, s, &types__access_token__descriptor);
    case 5:
        return s->wire == PH_WIRE_BYTES && each_field(r, s->bytes, take_context);
    default:
        return true;
    }
}

static bool take_parse(struct reading *r, const struct ph_scanned *s)
{
    if (s->number != 1)
        return true;
    r->raw->has_details = true;
    return s->wire == PH_WIRE_BYTES && each_field(r, s->bytes, take_details);
}

/* The fields of a handle request under other numbers. */
static bool take_composite(struct reading *r, const struct ph_scanned *s)
{
    static const uint32_t as_handle[] = {[1] = 2, [2] = 3, [3] = 1, [4] = 4, [5] = 5};
    struct ph_scanned field = *s;
    if (s->number >= PH_COUNTOF(as_handle))
        return true;
    field.number = as_handle[s->number];
    return take_handle(r, &field);
}

enum ph_status ph_raw_call_read(struct ph_arena *arena, enum ph_form form, struct ph_slice bytes,
                                struct ph_raw_call *raw, struct ph_slice *ret_why)
{
    static take_fn *const takes[] = {[PH_FORM_HANDLE] = take_handle,
                                     [PH_FORM_HANDLE_EVENT] = take_handle,
                                     [PH_FORM_PARSE] = take_parse,
                                     [PH_FORM_COMPOSITE] = take_composite};
    struct reading r = {.raw = raw};
    if (each_field(&r, bytes, takes[form]))
        return PH_OK;
    if (r.text == NULL) {
        *ret_why = PH_S("the message is not a protobuf of its type");
        return PH_ERR_MALFORMED;
    }
    struct ph_slice parts[] = {ph_slice_str(r.text), PH_S(": a text is not UTF-8, or holds NUL")};
    *ret_why = ph_text_join(arena, parts, PH_COUNTOF(parts));
    return PH_ERR_MALFORMED;
}
