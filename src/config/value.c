/* One value from its text, by its row. What is wrong names what would be right. */
#include "base/utf8.h"
#include "config/reading.h"
#include "core/codec.h"
#include "os/socket.h"

enum { KNOWN_MAX = 64, WAITS_MAX = 16 };

struct value {
    struct ph_reading *r;
    const struct ph_setting *row;
    struct ph_slice text;
    struct ph_place at;
    struct ph_slice path;
    enum ph_config_source source;
};

#define WRONG(v, ...) (ph_config_error((v)->r, (v)->at, (v)->path, PH_PARTS(__VA_ARGS__)), false)

static struct ph_slice quoted(const struct value *v)
{
    return ph_config_quote(v->r, v->text);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static struct ph_slice number_text(const struct value *v, int64_t number)
{
    struct ph_arena *arena = v->r->arena;
    if (v->row->kind == PH_SET_DURATION || v->row->kind == PH_SET_DURATIONS)
        return ph_duration_text(arena, number);
    return v->row->kind == PH_SET_SIZE ? ph_size_text(arena, number) : ph_decimal(arena, number);
}

static bool read_number(const struct value *v, int64_t *ret)
{
    const struct ph_setting *row = v->row;
    struct ph_slice zero = ph_slice_str(row->zero);
    bool is_duration = row->kind == PH_SET_DURATION || row->kind == PH_SET_DURATIONS;
    if (zero.len > 0 && ph_slice_eq(v->text, zero)) {
        *ret = 0;
        return true;
    }
    bool good = is_duration ? ph_duration_read(v->text, ret)
                : row->kind == PH_SET_SIZE
                    ? ph_size_read(v->text, ret)
                    : v->text.len > 0 && v->text.ptr[0] != '-' && ph_parse_int64(v->text, ret);
    struct ph_slice or_word =
        zero.len > 0 ? ph_config_join(v->r, PH_PARTS(PH_S(", or "), zero)) : PH_S("");
    if (!good)
        return WRONG(
            v, quoted(v),
            is_duration ? PH_S(" is no time; write a whole number and ms, s, m, h, d or w, as 15s")
            : row->kind == PH_SET_SIZE
                ? PH_S(" is no size; write a whole number and B, KiB, MiB, GiB or TiB, as 64KiB")
                : PH_S(" is no whole number"),
            or_word);
    if (*ret >= row->min && *ret <= row->max)
        return true;
    if (row->max == INT64_MAX)
        return WRONG(v, quoted(v), PH_S(" is too little; at least "), number_text(v, row->min),
                     or_word);
    return WRONG(v, quoted(v), PH_S(" is out of range; from "), number_text(v, row->min),
                 PH_S(" to "), number_text(v, row->max), or_word);
}

static bool read_time(const struct value *v, int64_t *ret)
{
    return ph_parse_iso(v->text, ret) ||
           WRONG(v, quoted(v), PH_S(" is no time; write 2026-11-25T10:00:00Z"));
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool read_word(const struct value *v, int32_t *ret)
{
    struct ph_slice known[KNOWN_MAX], word;
    size_t count = 0;
    int32_t number;
    for (size_t i = 0; ph_setting_word(v->row, i, &word, &number) && count < KNOWN_MAX; i++) {
        if (ph_slice_eq_nocase(word, v->text)) {
            *ret = number;
            return true;
        }
        known[count++] = word;
    }
    ph_config_unknown(v->r, v->at, v->path, PH_S("unknown word"), v->text, known, count);
    return false;
}

static bool read_flag(const struct value *v, bool *ret)
{
    *ret = ph_slice_eq(v->text, PH_S("true"));
    return *ret || ph_slice_eq(v->text, PH_S("false")) ||
           WRONG(v, quoted(v), PH_S(" is neither true nor false"));
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool keep(const struct value *v, struct ph_slice text, struct ph_slice *ret)
{
    if (v->row->max > 0 && text.len > (size_t)v->row->max)
        return WRONG(v, PH_S("longer than "), ph_decimal(v->r->arena, v->row->max), PH_S(" bytes"));
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
            return WRONG(v, PH_S("a control character does not belong here"));
    if (!ph_utf8_valid(text))
        return WRONG(v, PH_S("not UTF-8"));
    *ret = ph_config_join(v->r, &text, 1);
    return true;
}

static bool read_listen(const struct value *v, struct ph_slice *ret)
{
    char host[256], port[8];
    if (ph_slice_eq(v->text, PH_S("none"))) {
        *ret = (struct ph_slice){0};
        return true;
    }
    if (!keep(v, v->text, ret))
        return false;
    if (ph_os_split_address(ret->ptr, host, sizeof host, port, sizeof port) == PH_OK)
        return true;
    *ret = (struct ph_slice){0};
    return WRONG(v, quoted(v),
                 PH_S(" is no address; write HOST:PORT, as 127.0.0.1:8081 or [::1]:8081, or none"));
}

static bool read_url(const struct value *v, struct ph_slice *ret)
{
    struct ph_url url;
    struct ph_slice why, known[KNOWN_MAX];
    size_t count = 0;
    bool fits = false;
    if (!ph_url_read(v->text, &url, &why))
        return WRONG(v, why);
    for (; ph_slice_present(v->row->words[count]); count++) {
        known[count] = v->row->words[count];
        fits = fits || ph_slice_eq(known[count], url.scheme);
    }
    if (!fits) {
        ph_config_unknown(v->r, v->at, v->path, PH_S("unknown scheme"), url.scheme, known, count);
        return false;
    }
    size_t query = ph_slice_find(url.path, PH_S("?"), 0);
    if (query != SIZE_MAX && ph_slice_find(url.path, PH_S(PH_CONFIG_HIDDEN), query) != SIZE_MAX)
        return WRONG(
            v, PH_S(PH_CONFIG_HIDDEN
                    " is what `config show` writes for a value that it hides; write the value"));
    return keep(v, v->text, ret);
}

static bool read_path(const struct value *v, struct ph_slice *ret)
{
    struct ph_slice text;
    if (v->row->zero != NULL && ph_slice_eq(v->text, ph_slice_str(v->row->zero))) {
        *ret = (struct ph_slice){0};
        return true;
    }
    if (!keep(v, v->text, &text))
        return false;
    if (v->row->in_data) { /* the data folder is known at the end */
        *ret = text;
        return true;
    }
    return ph_config_path(v->r, text, v->at, v->path, v->source, ret);
}

/* ---- one value ------------------------------------------------------------------------------- */

bool ph_config_value_read(struct ph_reading *r, const struct ph_setting *row, struct ph_slice text,
                          struct ph_place at, struct ph_slice path, enum ph_config_source source,
                          void *ret)
{
    struct value v = {.r = r, .row = row, .text = text, .at = at, .path = path, .source = source};
    if (text.len == 0)
        return WRONG(&v, PH_S("there is no value; write one, or leave the key out"));
    switch (row->kind) {
    case PH_SET_TEXT:
        return keep(&v, text, ret);
    case PH_SET_PATH:
        return read_path(&v, ret);
    case PH_SET_LISTEN:
        return read_listen(&v, ret);
    case PH_SET_URL:
        return read_url(&v, ret);
    case PH_SET_WORD:
        return read_word(&v, ret);
    case PH_SET_FLAG:
        return read_flag(&v, ret);
    case PH_SET_COUNT:
    case PH_SET_SIZE:
    case PH_SET_DURATION:
        return read_number(&v, ret);
    case PH_SET_TIME:
        return read_time(&v, ret);
    case PH_SET_KEY:
        return ph_config_key_read(r, text, at, path, source, ret);
    case PH_SET_BITS:
    case PH_SET_TEXTS:
    case PH_SET_DURATIONS:
    case PH_SET_NETWORKS:
    case PH_SET_FIELDS:
    case PH_SET_LIST:
    case PH_SET_NAMED:
    case PH_SET_KIND_COUNT:
        break;
    }
    return WRONG(&v, PH_S("a single value does not belong here"));
}

/* ---- several --------------------------------------------------------------------------------- */

static bool read_network(const struct value *v, struct ph_network *ret)
{
    switch (ph_network_read(v->text, ret)) {
    case PH_NETWORK_OK:
        return true;
    case PH_NETWORK_HOST_BITS:
        return WRONG(v, quoted(v), PH_S(" has bits behind its prefix; did you mean "),
                     ph_network_text(v->r->arena, ret), PH_S("?"));
    case PH_NETWORK_NOT_ONE:
        break;
    }
    return WRONG(v, quoted(v),
                 PH_S(" is no network; write 192.0.2.0/24, 2001:db8::/32 or a single address"));
}

static size_t item_bytes(enum ph_setting_kind kind)
{
    return kind == PH_SET_NETWORKS    ? sizeof(struct ph_network)
           : kind == PH_SET_DURATIONS ? sizeof(int64_t)
                                      : sizeof(struct ph_slice);
}

static bool read_item(const struct value *v, void *ret, uint32_t *bits)
{
    int32_t number;
    if (v->text.len == 0)
        return WRONG(v, PH_S("an empty entry; write one, or leave it out"));
    switch (v->row->kind) {
    case PH_SET_TEXTS:
        return keep(v, v->text, ret);
    case PH_SET_DURATIONS:
        return read_number(v, ret);
    case PH_SET_NETWORKS:
        return read_network(v, ret);
    default:
        if (!read_word(v, &number))
            return false;
        *bits |= 1U << number;
        return true;
    }
}

static bool stands_before(const struct ph_config_item *items, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (ph_slice_eq_nocase(items[k].text, items[i].text))
            return true;
    return false;
}

bool ph_config_values_read(struct ph_reading *r, const struct ph_setting *row,
                           const struct ph_config_item *items, size_t count, struct ph_slice path,
                           void *ret)
{
    bool is_bits = row->kind == PH_SET_BITS, good = true;
    size_t max = is_bits ? KNOWN_MAX : row->kind == PH_SET_DURATIONS ? WAITS_MAX : (size_t)row->max;
    size_t bytes = item_bytes(row->kind);
    uint32_t bits = 0;
    struct value v = {.r = r, .row = row, .path = path, .source = PH_FROM_FILE};
    if (count > 0)
        v.at = items[0].at;
    if (count > max)
        return WRONG(&v, PH_S("more than "), ph_decimal(r->arena, (int64_t)max), PH_S(" entries"));
    char *list = ph_config_alloc(r, (count + 1) * bytes);
    for (size_t i = 0; list != NULL && i < count; i++) {
        v.text = items[i].text;
        v.at = items[i].at;
        if (row->kind != PH_SET_DURATIONS && stands_before(items, i))
            good = WRONG(&v, quoted(&v), PH_S(" stands here twice"));
        else
            good = read_item(&v, list + i * bytes, &bits) && good;
    }
    if (list == NULL || !good)
        return false;
    struct ph_many many = {.items = list, .count = count};
    memcpy(ret, is_bits ? (const void *)&bits : (const void *)&many,
           is_bits ? sizeof bits : sizeof many);
    return true;
}
