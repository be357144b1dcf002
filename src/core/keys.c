/* The two keys (DESIGN §5): dedupe_key names one event, effect_key one change. Parts are joined
 * by ':' and escape it, so that different parts never make one key. */
#include "core/codec.h"
#include "core/steps.h"
#include "crypto/crypto.h"

enum { PARTS_MAX = PH_PAGE_KEY_PARTS_MAX + 1, KEY_BYTES_MAX = 200 };

static bool is_special(unsigned char c)
{
    return c == ':' || c == '%' || c < 0x20;
}

/* Not zero where one of eight bytes is special: a bit trick per kind of byte, for each marks its
 * own top bit when the byte is below 0x20 or equal. Bytes over 0x7f may be called special
 * wrongly: they are then looked at singly. */
static inline uint64_t special8(uint64_t v)
{
    const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    uint64_t colon = v ^ ones * ':', percent = v ^ ones * '%';
    return (v | (v - ones * 0x20) | (colon - ones) | (percent - ones)) & tops;
}

/* The part as it is, in strides of which the last overlaps the one before; not zero: it may have
 * special bytes. */
static inline uint64_t put_plain(char *out, struct ph_slice in)
{
    uint64_t v, special = 0;
    uint32_t front, back;
    if (in.len >= 8) {
        for (size_t i = 0; i + 8 < in.len; i += 8) {
            memcpy(&v, in.ptr + i, 8), memcpy(out + i, &v, 8);
            special |= special8(v);
        }
        memcpy(&v, in.ptr + in.len - 8, 8), memcpy(out + in.len - 8, &v, 8);
        return special | special8(v);
    }
    if (in.len >= 4) {
        memcpy(&front, in.ptr, 4), memcpy(&back, in.ptr + in.len - 4, 4);
        memcpy(out, &front, 4), memcpy(out + in.len - 4, &back, 4);
        return special8((uint64_t)front << 32 | back);
    }
    for (size_t i = 0; i < in.len; i++)
        special |= is_special((unsigned char)(out[i] = in.ptr[i]));
    return special;
}

/* The parts with ':', '%' and control bytes as %XX; answers where they end. */
PH_COLD static char *put_escaped(char *out, const struct ph_slice *parts, size_t count)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t k = 0; k < count; k++) {
        if (k > 0)
            *out++ = ':';
        for (size_t i = 0; i < parts[k].len; i++) {
            unsigned char c = (unsigned char)parts[k].ptr[i];
            if (is_special(c)) {
                *out++ = '%';
                *out++ = digits[c >> 4];
                *out++ = digits[c & 15];
            } else {
                *out++ = (char)c;
            }
        }
    }
    return out;
}

/* What is too long for a key, as its digest. */
PH_COLD static enum ph_status shorten_key(struct ph_run *run, struct ph_slice name,
                                          struct ph_slice key, struct ph_slice *ret)
{
    unsigned char digest[PH_DIGEST_BYTES_MAX];
    size_t len;
    struct ph_slice hex;
    PH_TRY(ph_crypto_digest(ph_worker_crypto(run->worker), PH_HASH_SHA256, &key, 1, digest, &len));
    if (!ph_hex_encode(run->arena, ph_slice_of(digest, len), &hex))
        return PH_ERR_NO_MEMORY;
    struct ph_slice shorter[] = {name, PH_S(":sha256:"), hex};
    *ret = ph_join(run, shorter, PH_COUNTOF(shorter));
    return ph_slice_present(*ret) ? PH_OK : PH_ERR_NO_MEMORY;
}

static enum ph_status join_key(struct ph_run *run, const struct ph_slice *parts, size_t count,
                               struct ph_slice *ret)
{
    size_t room = count;
    for (size_t i = 0; i < count; i++)
        room += 3 * parts[i].len;
    char *start = ph_arena_alloc(run->arena, room), *out = start;
    if (start == NULL)
        return PH_ERR_NO_MEMORY;
    uint64_t special = 0; /* as nearly all are none */
    for (size_t i = 0; i < count; i++) {
        *out = ':';
        out += i > 0;
        special |= put_plain(out, parts[i]);
        out += parts[i].len;
    }
    if (special != 0)
        out = put_escaped(start, parts, count);
    if (out - start > KEY_BYTES_MAX)
        return shorten_key(run, parts[0], ph_slice_of(start, (size_t)(out - start)), ret);
    *ret = ph_slice_of(start, (size_t)(out - start));
    return PH_OK;
}

static enum ph_status dedupe(struct ph_run *run, bool told, struct ph_slice *ret)
{
    struct ph_slice parts[PARTS_MAX]; /* the first `count` are set */
    parts[0] = run->connector->name;
    size_t count = 1;
    bool any = false;
    for (uint16_t i = 0; i < run->variant->dedupe_count && count < PARTS_MAX; i++) {
        const struct ph_key_part *part = &run->variant->dedupe[i];
        bool joins = true;
        if (part->when_count > 0)
            PH_TRY(ph_eval_tests(run, part->when, part->when_count, &joins));
        parts[count] = (struct ph_slice){0};
        if (joins)
            PH_TRY(ph_eval_expr(run, &part->of, &parts[count]));
        any = any || parts[count].len > 0;
        count++; /* present or not: parts keep their places */
    }
    return any && told ? join_key(run, parts, count, ret) : PH_OK;
}

static struct ph_slice object_id(const struct ph_event *event)
{
    /* The processor's id, or else the merchant's. */
    static const enum ph_field ids[][2] = {
        [PH_KIND_NONE] = {PH_F_CONNECTOR_TRANSACTION_ID, PH_F_MERCHANT_TRANSACTION_ID},
        [PH_KIND_PAYMENT] = {PH_F_CONNECTOR_TRANSACTION_ID, PH_F_MERCHANT_TRANSACTION_ID},
        [PH_KIND_REFUND] = {PH_F_CONNECTOR_REFUND_ID, PH_F_MERCHANT_REFUND_ID},
        [PH_KIND_DISPUTE] = {PH_F_CONNECTOR_DISPUTE_ID, PH_F_MERCHANT_DISPUTE_ID},
        [PH_KIND_MANDATE] = {PH_F_CONNECTOR_MANDATE_ID, PH_F_CONNECTOR_MANDATE_ID},
        [PH_KIND_PAYOUT] = {PH_F_CONNECTOR_PAYOUT_ID, PH_F_MERCHANT_PAYOUT_ID}};
    struct ph_slice own = event->fields[ids[event->kind][0]].text;
    return own.len > 0 ? own : event->fields[ids[event->kind][1]].text;
}

static enum ph_status effect(struct ph_run *run, const struct ph_block *block,
                             const struct ph_event *event, bool told, struct ph_slice *ret)
{
    static const struct {
        struct ph_slice name;
        enum ph_vocabulary words;
        enum ph_field amount, cumulative;
    } kinds[] = {
        [PH_KIND_PAYMENT] = {PH_SI("payment"), PH_WORDS_PAYMENT_STATUS, PH_F_AMOUNT,
                             PH_F_CAPTURED_AMOUNT},
        [PH_KIND_REFUND] = {PH_SI("refund"), PH_WORDS_REFUND_STATUS, PH_F_REFUND_AMOUNT,
                            PH_F_REFUND_AMOUNT},
        [PH_KIND_DISPUTE] = {PH_SI("dispute"), PH_WORDS_DISPUTE_STATUS, PH_F_DISPUTE_AMOUNT,
                             PH_F_DISPUTE_AMOUNT},
        [PH_KIND_MANDATE] = {PH_SI("mandate"), PH_WORDS_PAYMENT_STATUS, PH_F_AMOUNT, PH_F_AMOUNT},
        [PH_KIND_PAYOUT] = {PH_SI("payout"), PH_WORDS_PAYOUT_STATUS, PH_F_AMOUNT, PH_F_AMOUNT}};
    struct ph_slice object = {0};
    if (block->effect.count > 0)
        PH_TRY(ph_eval_expr(run, &block->effect, &object));
    if (object.len == 0)
        object = object_id(event);
    if (object.len == 0 || !told)
        return PH_OK;
    const struct ph_value *money = &event->fields[kinds[event->kind].cumulative];
    if (!money->present)
        money = &event->fields[kinds[event->kind].amount];
    const struct ph_currency *currency =
        money->present ? ph_currency_by_number(money->currency) : NULL;
    struct ph_slice parts[] = {run->connector->name,
                               run->variant->account_apart ? PH_S("") : event->account,
                               kinds[event->kind].name,
                               object,
                               ph_word_name(kinds[event->kind].words, event->status),
                               currency != NULL ? ph_decimal(run->arena, money->number) : PH_S(""),
                               currency != NULL ? ph_slice_of(currency->code, 3) : PH_S("")};
    return join_key(run, parts, PH_COUNTOF(parts), ret);
}

enum ph_status ph_name_event(struct ph_run *run, const struct ph_rule *rule, size_t index,
                             bool told, struct ph_event *event)
{
    PH_TRY(dedupe(run, told, &event->dedupe_key));
    /* What is not fetched yet is not known: the key of a change is told once its object is. */
    bool known = rule != NULL && (!rule->fetch || run->fetched != NULL);
    if (known && rule->content != NULL && event->status != 0)
        PH_TRY(effect(run, rule->content, event, told, &event->effect_key));
    struct ph_slice given = run->in->merchant_event_id;
    if (given.len == 0) {
        event->merchant_event_id = event->dedupe_key;
    } else if (index == 0) {
        event->merchant_event_id = given;
    } else {
        struct ph_slice parts[] = {given, PH_S("."), ph_decimal(run->arena, (int64_t)index)};
        event->merchant_event_id = ph_join(run, parts, PH_COUNTOF(parts));
    }
    return PH_OK;
}
