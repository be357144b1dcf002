#include "wire/out.h"

#include "core/codec.h"
#include "wire/message.h"

enum {
    WIRE_VARINT = 0,
    WIRE_BYTES = 2,
    VARINT_BYTES_MAX = 10,
    KEY_BYTES_MAX = 3,
    FIRST_ROOM = 512
};

/* Apart, so that protobuf, which is in more of a hurry, need not step around it. */
#define JSON_PART __attribute__((noinline))

/* ---- bytes ----------------------------------------------------------------------------------- */

/* Where `more` bytes fit behind what there is; NULL: nowhere. */
PH_COLD static char *grow(struct ph_out *out, size_t more)
{
    size_t room = out->room * 2 + more + FIRST_ROOM;
    char *ptr = out->failed ? NULL : ph_arena_alloc(out->arena, room);
    out->failed = ptr == NULL;
    if (ptr == NULL)
        return NULL;
    if (out->len > 0)
        memcpy(ptr, out->ptr, out->len);
    out->ptr = ptr;
    out->room = room;
    return ptr + out->len;
}

/* Room for `more` bytes at the end; NULL: none. */
static inline char *room_for(struct ph_out *out, size_t more)
{
    return out->room - out->len >= more ? out->ptr + out->len : grow(out, more);
}

static void put(struct ph_out *out, struct ph_slice s)
{
    char *to = s.len > 0 ? room_for(out, s.len) : NULL;
    if (to == NULL)
        return;
    memcpy(to, s.ptr, s.len);
    out->len += s.len;
}

static inline void put_byte(struct ph_out *out, char c)
{
    char *to = room_for(out, 1);
    if (to != NULL) {
        *to = c;
        out->len++;
    }
}

/* Answers where the number ends. Keys, lengths and enums: nearly all are one byte. */
static inline char *varint(char *to, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *to++ = (char)(unsigned char)(number | 0x80);
    *to++ = (char)number;
    return to;
}

static inline char *key(char *to, const struct ph_row *row, unsigned wire)
{
    return varint(to, (uint64_t)row->number << 3 | wire);
}

static inline void ends_at(struct ph_out *out, const char *end)
{
    out->len = (size_t)(end - out->ptr);
}

static void put_decimal(struct ph_out *out, int64_t number, bool quoted)
{
    enum { DIGITS_MAX = 20 };
    char digits[DIGITS_MAX + 2];
    size_t at = sizeof(digits);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    if (quoted)
        digits[--at] = '"';
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        digits[--at] = '-';
    if (quoted)
        put_byte(out, '"');
    put(out, ph_slice_of(digits + at, sizeof(digits) - at));
}

/* Bytes at the front that JSON takes as they are. */
static size_t plain_json(struct ph_slice s)
{
    const uint64_t ones = 0x0101010101010101U, tops = 0x8080808080808080U;
    size_t at = 0;
    for (uint64_t v; s.len - at >= sizeof(v); at += sizeof(v)) {
        memcpy(&v, s.ptr + at, sizeof(v));
        uint64_t quote = v ^ ones * '"', slash = v ^ ones * '\\';
        /* Marks bytes below 0x20, and the two; those over 0x7f stop the stride too. */
        if (((v | (v - ones * 0x20) | (quote - ones) | (slash - ones)) & tops) != 0)
            break;
    }
    while (at < s.len && (unsigned char)s.ptr[at] >= 0x20 && s.ptr[at] != '"' && s.ptr[at] != '\\')
        at++;
    return at;
}

static void put_json_text(struct ph_out *out, struct ph_slice s)
{
    put_byte(out, '"');
    size_t plain = plain_json(s);
    put(out, ph_slice_of(s.ptr, plain));
    if (plain < s.len) {
        struct ph_slice escaped = {0};
        if (!ph_json_escape(out->arena, ph_slice_from(s, plain), &escaped))
            out->failed = true;
        put(out, escaped);
    }
    put_byte(out, '"');
}

/* ---- fields ---------------------------------------------------------------------------------- */

static JSON_PART void put_json_key(struct ph_out *out, const struct ph_row *row)
{
    if (out->comma)
        put_byte(out, ',');
    out->comma = true;
    put(out, row->name);
}

/* Protobuf: key, length and bytes, with one look for room. */
static void put_delimited(struct ph_out *out, const struct ph_row *row, struct ph_slice s)
{
    char *to = room_for(out, KEY_BYTES_MAX + VARINT_BYTES_MAX + s.len);
    if (to == NULL)
        return;
    to = varint(key(to, row, WIRE_BYTES), s.len);
    if (s.len > 0)
        memcpy(to, s.ptr, s.len);
    ends_at(out, to + s.len);
}

/* Protobuf: key and number. */
static inline void put_varint(struct ph_out *out, const struct ph_row *row, uint64_t number)
{
    char *to = room_for(out, KEY_BYTES_MAX + VARINT_BYTES_MAX);
    if (to != NULL)
        ends_at(out, varint(key(to, row, WIRE_VARINT), number));
}

static struct ph_slice cleaned(struct ph_out *out, struct ph_slice text)
{
    text = ph_text_clean(out->arena, text);
    out->failed = out->failed || !ph_slice_present(text);
    return text;
}

void ph_out_begin(struct ph_out *out)
{
    if (out->json)
        put_byte(out, '{');
}

enum ph_status ph_out_end(struct ph_out *out, struct ph_slice *ret)
{
    if (out->json)
        put_byte(out, '}');
    if (room_for(out, 1) == NULL || out->failed) /* an empty message is there too */
        return PH_ERR_NO_MEMORY;
    *ret = ph_slice_of(out->ptr, out->len);
    return PH_OK;
}

static JSON_PART void put_json_member(struct ph_out *out, const struct ph_row *row,
                                      struct ph_slice text)
{
    put_json_key(out, row);
    put_json_text(out, text);
}

void ph_out_text(struct ph_out *out, const struct ph_row *row, struct ph_slice text)
{
    if (!ph_slice_present(text) || (text.len == 0 && !row->always))
        return;
    text = cleaned(out, text);
    if (out->json)
        put_json_member(out, row, text);
    else
        put_delimited(out, row, text);
}

/* Only texts that are empty are left out by serde. */
static bool is_default(const struct ph_out *out, const struct ph_row *row, bool zero)
{
    return zero && !row->always && !out->serde;
}

static void put_byte_list(struct ph_out *out, struct ph_slice bytes)
{
    put_byte(out, '[');
    for (size_t i = 0; i < bytes.len; i++) {
        if (i > 0)
            put_byte(out, ',');
        put_decimal(out, (unsigned char)bytes.ptr[i], false);
    }
    put_byte(out, ']');
}

void ph_out_bytes(struct ph_out *out, const struct ph_row *row, struct ph_slice bytes)
{
    struct ph_slice text = {0};
    if (is_default(out, row, bytes.len == 0))
        return;
    if (!out->json) {
        put_delimited(out, row, bytes);
        return;
    }
    put_json_key(out, row);
    if (out->serde) {
        put_byte_list(out, bytes);
        return;
    }
    if (!ph_base64_encode(out->arena, bytes, false, true, &text))
        out->failed = true;
    put_json_text(out, text);
}

static JSON_PART void put_json_number(struct ph_out *out, const struct ph_row *row, int64_t number,
                                      bool quoted)
{
    put_json_key(out, row);
    put_decimal(out, number, quoted);
}

static inline void put_number(struct ph_out *out, const struct ph_row *row, int64_t number,
                              bool quoted)
{
    if (is_default(out, row, number == 0))
        return;
    if (out->json)
        put_json_number(out, row, number, quoted);
    else
        put_varint(out, row, (uint64_t)number);
}

void ph_out_int32(struct ph_out *out, const struct ph_row *row, int32_t number)
{
    put_number(out, row, number, false);
}

void ph_out_int64(struct ph_out *out, const struct ph_row *row, int64_t number)
{
    put_number(out, row, number, !out->serde);
}

static JSON_PART void put_json_word(struct ph_out *out, const struct ph_row *row,
                                    struct ph_slice word)
{
    put_json_key(out, row);
    put(out, word);
}

void ph_out_bool(struct ph_out *out, const struct ph_row *row, bool value)
{
    if (is_default(out, row, !value))
        return;
    if (out->json)
        put_json_word(out, row, value ? PH_S("true") : PH_S("false"));
    else
        put_varint(out, row, value);
}

void ph_out_named(struct ph_out *out, const struct ph_row *row, int32_t number,
                  struct ph_slice name)
{
    if (is_default(out, row, number == 0))
        return;
    if (!out->json)
        put_varint(out, row, (uint64_t)(int64_t)number);
    else if (ph_slice_present(name))
        put_json_member(out, row, name);
    else
        put_json_number(out, row, number, false);
}

void ph_out_word(struct ph_out *out, const struct ph_row *row, enum ph_vocabulary words,
                 int32_t number)
{
    ph_out_named(out, row, number, out->json ? ph_word_name(words, number) : (struct ph_slice){0});
}

/* ---- messages within ------------------------------------------------------------------------- */

/* Key, and a byte left for the length, which most messages need no more than. */
static size_t open_delimited(struct ph_out *out, const struct ph_row *row)
{
    char *to = room_for(out, KEY_BYTES_MAX + 1);
    if (to == NULL)
        return out->len;
    ends_at(out, key(to, row, WIRE_BYTES) + 1);
    return out->len;
}

static JSON_PART size_t open_brace(struct ph_out *out)
{
    put_byte(out, '{');
    out->comma = false;
    return out->len;
}

size_t ph_out_open(struct ph_out *out, const struct ph_row *row)
{
    if (!out->json)
        return open_delimited(out, row);
    put_json_key(out, row);
    return open_brace(out);
}

static JSON_PART void close_brace(struct ph_out *out)
{
    put_byte(out, '}');
    out->comma = true;
}

/* A length of more than the one byte that was left for it. */
PH_COLD static void close_long(struct ph_out *out, size_t mark, size_t len)
{
    char bytes[VARINT_BYTES_MAX];
    size_t n = (size_t)(varint(bytes, len) - bytes);
    if (out->failed || room_for(out, n - 1) == NULL)
        return;
    memmove(out->ptr + mark - 1 + n, out->ptr + mark, len);
    memcpy(out->ptr + mark - 1, bytes, n);
    out->len += n - 1;
}

void ph_out_close(struct ph_out *out, size_t mark)
{
    size_t len = out->len - mark;
    if (out->json)
        close_brace(out);
    else if (out->failed || len >= 0x80)
        close_long(out, mark, len);
    else
        out->ptr[mark - 1] = (char)len;
}

/* "payments_response": to "PaymentsResponse": */
static void put_pascal(struct ph_out *out, struct ph_slice name)
{
    bool upper = false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c != '_')
            put_byte(out, (char)(upper && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
        upper = c == '_' || (i == 0 && c == '"');
    }
}

size_t ph_out_open_arm(struct ph_out *out, const struct ph_row *row, struct ph_slice oneof)
{
    if (!out->serde)
        return ph_out_open(out, row);
    const struct ph_row level = {.name = oneof};
    (void)ph_out_open(out, &level);
    put_pascal(out, row->name);
    return open_brace(out);
}

void ph_out_close_arm(struct ph_out *out, size_t mark)
{
    ph_out_close(out, mark);
    if (out->serde)
        put_byte(out, '}');
}

/* ---- lists and maps -------------------------------------------------------------------------- */

/* Before an element JSON opens the list or parts its elements; protobuf repeats the key. */
static void json_element(struct ph_out *out, const struct ph_row *row, size_t index, char open)
{
    if (index == 0)
        put_json_key(out, row);
    put_byte(out, index == 0 ? open : ',');
}

void ph_out_list_text(struct ph_out *out, const struct ph_row *row, size_t index,
                      struct ph_slice text)
{
    text = cleaned(out, text);
    if (!out->json) {
        put_delimited(out, row, text);
        return;
    }
    json_element(out, row, index, '[');
    put_json_text(out, text);
}

size_t ph_out_list_open(struct ph_out *out, const struct ph_row *row, size_t index)
{
    if (!out->json)
        return open_delimited(out, row);
    json_element(out, row, index, '[');
    return open_brace(out);
}

void ph_out_list_end(struct ph_out *out)
{
    if (out->json)
        put_byte(out, ']');
    out->comma = true;
}

/* A number of a packed list. */
static void put_bare(struct ph_out *out, int32_t number)
{
    char *to = room_for(out, VARINT_BYTES_MAX);
    if (to != NULL)
        ends_at(out, varint(to, (uint64_t)number));
}

void ph_out_list_named(struct ph_out *out, const struct ph_row *row, const struct ph_word *words,
                       size_t count)
{
    if (count == 0)
        return;
    if (!out->json) {
        size_t mark = open_delimited(out, row);
        for (size_t i = 0; i < count; i++)
            put_bare(out, words[i].number);
        ph_out_close(out, mark);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        json_element(out, row, i, '[');
        put_json_text(out, words[i].name);
    }
    ph_out_list_end(out);
}

void ph_out_map_text(struct ph_out *out, const struct ph_row *row, size_t index,
                     struct ph_slice name, struct ph_slice value)
{
    static const struct ph_row key_row = {1, false, {0}}, value_row = {2, false, {0}};
    if (!out->json) {
        size_t mark = open_delimited(out, row);
        ph_out_text(out, &key_row, name);
        ph_out_text(out, &value_row, value);
        ph_out_close(out, mark);
        return;
    }
    json_element(out, row, index, '{');
    put_json_text(out, cleaned(out, ph_slice_present(name) ? name : PH_S("")));
    put_byte(out, ':');
    put_json_text(out, cleaned(out, ph_slice_present(value) ? value : PH_S("")));
}

void ph_out_map_end(struct ph_out *out)
{
    if (out->json)
        put_byte(out, '}');
    out->comma = true;
}
