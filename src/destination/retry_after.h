/* The header Retry-After (RFC 9110, 10.2.3): seconds, or an HTTP date. Pure. */
#ifndef PH_DESTINATION_RETRY_AFTER_H
#define PH_DESTINATION_RETRY_AFTER_H

#include "base/slice.h"

/* How long from now, in ms; 0: not told, not understood, or over already. */
int64_t ph_retry_after_ms(struct ph_slice value, int64_t now_ms);

#endif
