/* Every value of a document in one text, in byte order and without the names: what trustpay
 * signs. It writes numbers with two decimals, and null, true and false as JSON does; what more
 * decimals would change stays as it came. */
#include "core/codec.h"
#include "core/order.h"
#include "core/run.h"
#include "core/value.h"

struct leaves {
    struct ph_run *run;
    struct ph_slice *texts; /* NULL while they are counted */
    size_t count;
    enum ph_status status;
};

static struct ph_slice two_decimals(struct leaves *l, struct ph_slice text)
{
    int64_t hundredths;
    if (ph_parse_exact(text, 2, &hundredths) != PH_EXACT_OK)
        return text;
    uint64_t size = hundredths < 0 ? 0 - (uint64_t)hundredths : (uint64_t)hundredths;
    const char digits[] = {(char)('0' + size / 10 % 10), (char)('0' + size % 10)};
    char *last = ph_arena_alloc(l->run->arena, sizeof(digits));
    struct ph_slice whole = ph_decimal(l->run->arena, (int64_t)(size / 100)), out = {0};
    if (last != NULL && ph_slice_present(whole)) {
        memcpy(last, digits, sizeof(digits));
        struct ph_slice parts[] = {hundredths < 0 ? PH_S("-") : PH_S(""), whole, PH_S("."),
                                   ph_slice_of(last, sizeof(digits))};
        out = ph_join(l->run, parts, PH_COUNTOF(parts));
    }
    if (!ph_slice_present(out))
        l->status = PH_ERR_NO_MEMORY;
    return out;
}

static void leaf(struct leaves *l, yyjson_val *value)
{
    if (l->texts != NULL) {
        struct ph_slice text = yyjson_is_null(value) ? PH_S("null") : ph_json_text(value);
        bool is_number = yyjson_is_num(value) || yyjson_is_raw(value);
        l->texts[l->count] = is_number ? two_decimals(l, text) : text;
    }
    l->count++;
}

/* Depth is bounded by the document reader. */
static void walk(struct leaves *l, const struct ph_let *let, yyjson_val *value)
{
    size_t index, count;
    yyjson_val *k, *v;
    if (yyjson_is_arr(value)) {
        yyjson_arr_foreach(value, index, count, v)
        {
            walk(l, NULL, v);
        }
    } else if (yyjson_is_obj(value)) {
        yyjson_obj_foreach(value, index, count, k, v)
        {
            if (let == NULL ||
                !ph_let_drops(let, ph_slice_of(yyjson_get_str(k), yyjson_get_len(k))))
                walk(l, NULL, v);
        }
    } else {
        leaf(l, value);
    }
}

static int by_text(const void *a, const void *b, const void *ctx)
{
    const struct ph_slice *x = a, *y = b;
    (void)ctx;
    return ph_order_bytes(*x, *y, false);
}

enum ph_status ph_leaves_text(struct ph_run *run, const struct ph_let *let, yyjson_val *from,
                              struct ph_slice *ret)
{
    struct leaves l = {.run = run, .status = PH_OK};
    walk(&l, let, from);
    size_t count = l.count;
    struct ph_slice *parts = ph_arena_alloc(run->arena, (count + 1) * 2 * sizeof(*parts));
    const void **sorted = ph_arena_alloc(run->arena, (count + 1) * 2 * sizeof(*sorted));
    l.texts = ph_arena_alloc(run->arena, (count + 1) * sizeof(*l.texts));
    if (parts == NULL || sorted == NULL || l.texts == NULL)
        return PH_ERR_NO_MEMORY;
    l.count = 0;
    walk(&l, let, from);
    if (l.status != PH_OK)
        return l.status;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &l.texts[i];
    ph_order(sorted, sorted + count + 1, count, by_text, NULL);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            parts[n++] = let->between;
        parts[n++] = *(const struct ph_slice *)sorted[i];
    }
    *ret = n == 0 ? PH_S("") : ph_join(run, parts, n);
    return ph_slice_present(*ret) ? PH_OK : PH_ERR_NO_MEMORY;
}
