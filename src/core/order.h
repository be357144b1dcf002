/* A stable sort of pointers in n log n: what strangers send must not be sorted in n². */
#ifndef PH_CORE_ORDER_H
#define PH_CORE_ORDER_H

#include "base/slice.h"

/* Negative, zero, positive: a before, beside, after b. */
typedef int ph_order_fn(const void *a, const void *b, const void *ctx);

/* Sorts items[0..count) in place; `scratch` has room for as many. Equal items stay in their
 * order. */
void ph_order(const void **items, const void **scratch, size_t count, ph_order_fn *compare,
              const void *ctx);
/* Byte order; a prefix comes first. `nocase`: ASCII letters as if lower case. */
int ph_order_bytes(struct ph_slice a, struct ph_slice b, bool nocase);

#endif
