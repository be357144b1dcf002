/* Forms and XML, masked as they stand. */
#include "gateway/mask_private.h"

/* ---- forms ----------------------------------------------------------------------------------- */

static int digit_of(char c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

static struct ph_slice decode(struct ph_mask_out *out, struct ph_slice text)
{
    char *room = ph_arena_alloc(out->arena, text.len + 1);
    size_t len = 0;
    if (room == NULL) {
        out->failed = true;
        return (struct ph_slice){0};
    }
    for (size_t i = 0; i < text.len; i++) {
        int high = text.ptr[i] == '%' && i + 2 < text.len ? digit_of(text.ptr[i + 1]) : -1,
            low = high >= 0 ? digit_of(text.ptr[i + 2]) : -1;
        room[len++] = low >= 0 ? (char)(high * 16 + low) : text.ptr[i] == '+' ? ' ' : text.ptr[i];
        i += low >= 0 ? 2 : 0;
    }
    return ph_slice_of(room, len);
}

static void encode(struct ph_mask_out *out, struct ph_slice text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
            (c != '\0' && strchr("*-._", c) != NULL)) {
            ph_mask_put_byte(out, (char)c);
            continue;
        }
        ph_mask_put_byte(out, '%');
        ph_mask_put_byte(out, digits[c >> 4]);
        ph_mask_put_byte(out, digits[c & 15]);
    }
}

static void put_field(struct ph_mask_out *out, struct ph_slice value)
{
    struct ph_mask_out within = {.arena = out->arena, .depth = out->depth};
    struct ph_slice said = decode(out, value);
    if (out->failed)
        return;
    if (ph_mask_is_encoded(said)) {
        ph_mask_put(out, PH_MASK_STARS);
    } else if (ph_mask_is_document(said)) {
        ph_mask_document(&within, said);
        out->failed = out->failed || within.failed;
        encode(out, ph_slice_of(within.len > 0 ? within.ptr : "", within.len));
    } else {
        ph_mask_value(out, value);
    }
}

void ph_mask_form(struct ph_mask_out *out, struct ph_slice text)
{
    size_t at = 0;
    while (at < text.len && !out->failed) {
        size_t end = at, equals = SIZE_MAX;
        for (; end < text.len && text.ptr[end] != '&'; end++)
            if (text.ptr[end] == '=' && equals == SIZE_MAX)
                equals = end;
        struct ph_slice name = ph_slice_of(text.ptr + at, (equals == SIZE_MAX ? end : equals) - at);
        ph_mask_value(out, name);
        if (equals != SIZE_MAX) {
            struct ph_slice value = ph_slice_of(text.ptr + equals + 1, end - equals - 1);
            ph_mask_put_byte(out, '=');
            if (value.len > 0 && ph_mask_hides(name))
                ph_mask_put(out, PH_MASK_STARS);
            else
                put_field(out, value);
        }
        if (end < text.len)
            ph_mask_put_byte(out, '&');
        at = end + 1;
    }
}

/* ---- XML ------------------------------------------------------------------------------------- */

struct xml {
    struct ph_mask_out *out;
    struct ph_slice text;
    size_t at, level, hidden; /* as in mask_json.c */
};

static bool ends_name(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '/' || c == '>' || c == '=' ||
           c == '"' || c == '\'';
}

/* ns:Name is Name. */
static struct ph_slice local_name(struct ph_slice name)
{
    size_t colon = ph_slice_find(name, PH_S(":"), 0);
    return colon == SIZE_MAX ? name : ph_slice_from(name, colon + 1);
}

/* Between < and >: attributes' values are masked like elements'. */
static void put_tag(struct xml *x, size_t end)
{
    struct ph_slice name = {0}, text = x->text;
    while (x->at < end) {
        char c = text.ptr[x->at];
        size_t from = x->at;
        if (c == '"' || c == '\'') {
            size_t close = from + 1;
            while (close < end && text.ptr[close] != c)
                close++;
            struct ph_slice value = ph_slice_of(text.ptr + from + 1, close - from - 1);
            ph_mask_put_byte(x->out, c);
            if (value.len > 0 && (x->hidden > 0 || ph_mask_hides(local_name(name))))
                ph_mask_put(x->out, PH_MASK_STARS);
            else
                ph_mask_value(x->out, value);
            if (close < end)
                ph_mask_put_byte(x->out, c);
            x->at = close + 1;
        } else if (ends_name(c)) {
            ph_mask_put_byte(x->out, c);
            x->at++;
        } else {
            while (x->at < end && !ends_name(text.ptr[x->at]))
                x->at++;
            name = ph_slice_of(text.ptr + from, x->at - from);
            ph_mask_put(x->out, name);
        }
    }
    x->at = end;
}

/* The > of the tag at `at`, quotes aside. */
static size_t tag_end(struct ph_slice text, size_t at)
{
    char quote = '\0';
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return at;
    }
    return text.len;
}

static void on_tag(struct xml *x)
{
    size_t end = tag_end(x->text, x->at), first = x->at + 1, last = first;
    bool closes = first < x->text.len && x->text.ptr[first] == '/',
         other = first < x->text.len && strchr("?!", x->text.ptr[first]) != NULL;
    bool empty = end > x->at && end < x->text.len && x->text.ptr[end - 1] == '/';
    while (last < end && !ends_name(x->text.ptr[last]))
        last++;
    struct ph_slice name = local_name(
        ph_slice_of(x->text.ptr + (first < end ? first : end), last - (first < end ? first : end)));
    if (closes && x->level > 0) {
        if (x->hidden == x->level)
            x->hidden = 0;
        x->level--;
    } else if (!closes && !other && !empty) {
        x->level++;
        if (x->hidden == 0 && ph_mask_hides(name))
            x->hidden = x->level;
    }
    put_tag(x, end);
    if (end < x->text.len)
        ph_mask_put_byte(x->out, '>');
    x->at = end + 1;
}

static void on_text(struct xml *x, struct ph_slice said)
{
    struct ph_slice trimmed = ph_slice_trim(said);
    if (trimmed.len > 0 && (x->hidden > 0 || ph_mask_is_encoded(trimmed)))
        ph_mask_put(x->out, PH_MASK_STARS);
    else
        ph_mask_value(x->out, said);
}

void ph_mask_xml(struct ph_mask_out *out, struct ph_slice text)
{
    struct xml x = {.out = out, .text = text};
    struct ph_slice cdata = PH_S("<![CDATA["), close = PH_S("]]>");
    while (x.at < text.len && !out->failed) {
        if (ph_slice_starts(ph_slice_from(text, x.at), cdata)) {
            size_t from = x.at + cdata.len, end = ph_slice_find(text, close, from);
            struct ph_slice inside =
                ph_slice_of(text.ptr + from, (end == SIZE_MAX ? text.len : end) - from);
            ph_mask_put(out, cdata);
            if (x.hidden == 0 && ph_mask_is_document(inside) && inside.len < text.len)
                ph_mask_document(out, inside);
            else
                on_text(&x, inside);
            if (end != SIZE_MAX)
                ph_mask_put(out, close);
            x.at = end == SIZE_MAX ? text.len : end + close.len;
        } else if (text.ptr[x.at] == '<') {
            on_tag(&x);
        } else {
            size_t from = x.at;
            while (x.at < text.len && text.ptr[x.at] != '<')
                x.at++;
            on_text(&x, ph_slice_of(text.ptr + from, x.at - from));
        }
    }
}
