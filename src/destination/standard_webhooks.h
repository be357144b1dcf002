/* Signatures by Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks,
 * spec/standard-webhooks.md, read 2026-11-29): HMAC-SHA256 of "<id>.<timestamp>.<body>", one for
 * each key, all in one header. Pure. */
#ifndef PH_DESTINATION_STANDARD_WEBHOOKS_H
#define PH_DESTINATION_STANDARD_WEBHOOKS_H

#include "crypto/crypto.h"

/* The key behind a secret's text: base64 behind "whsec_", else the text itself. PH_ERR_INVALID: no
 * base64, or empty. */
PH_MUST_USE enum ph_status ph_standard_webhooks_key(struct ph_arena *arena, struct ph_slice secret,
                                                    struct ph_slice *ret);
/* An id as `webhook-id` takes it: letters, digits, '-', '_' and ':' as they are, other bytes as
 * %XX. Dots too: the parts of what is signed are joined by them. */
PH_MUST_USE enum ph_status ph_standard_webhooks_id(struct ph_arena *arena, struct ph_slice id,
                                                   struct ph_slice *ret);
/* `webhook-signature`: "v1,… v1,…". `timestamp`: `webhook-timestamp`, seconds, as text. */
PH_MUST_USE enum ph_status ph_standard_webhooks_sign(struct ph_crypto *crypto,
                                                     struct ph_arena *arena,
                                                     const struct ph_slice *keys, size_t count,
                                                     struct ph_slice id, struct ph_slice timestamp,
                                                     struct ph_slice body, struct ph_slice *ret);

#endif
