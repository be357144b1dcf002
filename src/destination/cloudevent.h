/* An event as a CloudEvent 1.0 (github.com/cloudevents/spec: spec.md, json-format.md, and the
 * extension for distributed tracing; read 2026-11-29). Pure.
 *
 * attribute        value
 * id               merchant_event_id: the same at every attempt and replay
 * source           /webhooks/<endpoint>
 * type             the specification's name of the event, or the schema's
 * subject          the id of the payment, or of what else it is about
 * time             when it occurred, or was received where that is not told
 * datacontenttype  application/json
 * connector        the processor
 * receivedtime     when the webhook was received
 * attempt          1 at first
 * replay, late     true, or not there
 * traceparent      as the webhook had it, or not there
 * data             the event's `Handle` answer, as it was stored */
#ifndef PH_DESTINATION_CLOUDEVENT_H
#define PH_DESTINATION_CLOUDEVENT_H

#include "destination/destination.h"

enum { PH_ATTRIBUTES_MAX = 16 };

struct ph_attribute {
    struct ph_slice name, value;
    bool bare; /* a number or boolean: JSON writes it without quotes */
};

/* All attributes but data, without what CloudEvents allows no text to have (control characters,
 * bytes that are not UTF-8: U+FFFD). Borrows from the notice. */
PH_MUST_USE enum ph_status ph_cloudevent_attributes(struct ph_arena *arena,
                                                    const struct ph_notice *notice,
                                                    struct ph_attribute ret[PH_ATTRIBUTES_MAX],
                                                    size_t *ret_count);
/* Structured JSON: one event, or, `batch`, a list of them. */
PH_MUST_USE enum ph_status ph_cloudevent_json(struct ph_arena *arena,
                                              const struct ph_notice *notices, size_t count,
                                              bool batch, struct ph_slice *ret);

#endif
