#include "core/order.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void ph_order(const void **items, const void **scratch, size_t count, ph_order_fn *compare,
              const void *ctx)
{
    const void **from = items, **to = scratch;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t start = 0; start < count; start += 2 * width) {
            size_t a = start, a_end = smaller(start + width, count);
            size_t b = a_end, b_end = smaller(start + 2 * width, count);
            for (size_t at = start; at < b_end; at++) {
                bool take_a = b == b_end || (a < a_end && compare(from[a], from[b], ctx) <= 0);
                to[at] = take_a ? from[a++] : from[b++];
            }
        }
        const void **swap = from;
        from = to;
        to = swap;
    }
    if (from != items && count > 0)
        memcpy(items, from, count * sizeof(*items));
}

static unsigned char folded(char c, bool nocase)
{
    return (unsigned char)(nocase && c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

int ph_order_bytes(struct ph_slice a, struct ph_slice b, bool nocase)
{
    size_t shared = smaller(a.len, b.len);
    for (size_t i = 0; i < shared; i++) {
        unsigned char x = folded(a.ptr[i], nocase), y = folded(b.ptr[i], nocase);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}
