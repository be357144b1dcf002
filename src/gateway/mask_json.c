/* JSON, masked as it stands: no tree of it is built, and what is no JSON after all comes out no
 * worse. */
#include "base/utf8.h"
#include "gateway/mask_private.h"

struct walk {
    struct ph_mask_out *out;
    struct ph_slice text;
    size_t at;
    size_t level, hidden; /* hidden: the level that is hidden with all in it; 0: none */
    bool hide_next;       /* the value of the name just read */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The end of the string whose first quote is at `at`: its last quote, or the text's end. */
static size_t string_end(struct ph_slice text, size_t at)
{
    size_t i = at + 1;
    while (i < text.len && text.ptr[i] != '"')
        i += text.ptr[i] == '\\' && i + 1 < text.len ? 2 : 1;
    return i;
}

/* ---- a document in a string ------------------------------------------------------------------ */

static size_t put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xc0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    to[0] = (char)(0xe0 | code >> 12);
    to[1] = (char)(0x80 | (code >> 6 & 0x3f));
    to[2] = (char)(0x80 | (code & 0x3f));
    return 3;
}

static uint32_t hex4(const char *text)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = (char)(text[i] | 0x20);
        value = value * 16 + (uint32_t)(text[i] <= '9' ? text[i] - '0' : c - 'a' + 10);
    }
    return value;
}

/* What a string says. Surrogates become '?': it is only for looking at. */
static struct ph_slice unescape(struct ph_mask_out *out, struct ph_slice text)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char *room = ph_arena_alloc(out->arena, text.len + 1);
    size_t len = 0;
    if (room == NULL) {
        out->failed = true;
        return (struct ph_slice){0};
    }
    for (size_t i = 0; i < text.len;) {
        char c = text.ptr[i];
        char next = i + 1 < text.len ? text.ptr[i + 1] : '\0';
        const char *known = next != '\0' ? strchr(from, next) : NULL;
        if (c != '\\' || next == '\0') {
            room[len++] = c;
            i++;
        } else if (next == 'u' && ph_mask_unit_at(text, i).width == 6) {
            uint32_t code = hex4(text.ptr + i + 2);
            len += put_utf8(room + len, code >= 0xd800 && code <= 0xdfff ? '?' : code);
            i += 6;
        } else {
            room[len++] = known != NULL ? to[known - from] : next;
            i += 2;
        }
    }
    return ph_slice_of(room, len);
}

static void put_escaped(struct ph_mask_out *out, struct ph_slice text)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.ptr[i];
        size_t width = ph_utf8_char(ph_slice_from(text, i));
        if (c == '"' || c == '\\') {
            ph_mask_put_byte(out, '\\');
            ph_mask_put_byte(out, (char)c);
        } else if (c < 0x20) {
            ph_mask_put(out, PH_S("\\u00"));
            ph_mask_put_byte(out, digits[c >> 4]);
            ph_mask_put_byte(out, digits[c & 15]);
        } else if (width == 0) {
            ph_mask_put_byte(out, '?');
        } else {
            ph_mask_put(out, ph_slice_of(text.ptr + i, width));
        }
        i += width > 0 ? width : 1;
    }
}

static void put_string(struct ph_mask_out *out, struct ph_slice text)
{
    struct ph_mask_out within = {.arena = out->arena, .depth = out->depth};
    if (ph_mask_is_encoded(text)) {
        ph_mask_put(out, PH_MASK_STARS);
    } else if (ph_mask_is_document(text) || ph_slice_starts(text, PH_S("\\n")) ||
               ph_slice_starts(text, PH_S("\\u"))) {
        struct ph_slice said = unescape(out, text);
        if (out->failed)
            return;
        if (ph_mask_is_document(said)) {
            ph_mask_document(&within, said);
            out->failed = out->failed || within.failed;
            put_escaped(out, ph_slice_of(within.len > 0 ? within.ptr : "", within.len));
        } else {
            ph_mask_value(out, text);
        }
    } else {
        ph_mask_value(out, text);
    }
}

/* ---- the walk -------------------------------------------------------------------------------- */

static bool hides(struct walk *w)
{
    bool hide = w->hidden > 0 || w->hide_next;
    w->hide_next = false;
    return hide;
}

static void on_string(struct walk *w)
{
    size_t end = string_end(w->text, w->at), next = end + 1;
    struct ph_slice inside =
        ph_slice_of(w->text.ptr + w->at + 1, (end < w->text.len ? end : w->text.len) - w->at - 1);
    bool closed = end < w->text.len;
    while (next < w->text.len && is_blank(w->text.ptr[next]))
        next++;
    bool is_name = closed && next < w->text.len && w->text.ptr[next] == ':';
    ph_mask_put_byte(w->out, '"');
    if (is_name) {
        ph_mask_value(w->out, inside);
        w->hide_next = ph_mask_hides(inside);
    } else if (hides(w)) {
        if (inside.len > 0)
            ph_mask_put(w->out, PH_MASK_STARS);
    } else {
        put_string(w->out, inside);
    }
    if (closed)
        ph_mask_put_byte(w->out, '"');
    w->at = closed ? end + 1 : w->text.len;
}

static void on_bracket(struct walk *w, char c)
{
    if (c == '{' || c == '[') {
        w->level++;
        if (w->hide_next && w->hidden == 0)
            w->hidden = w->level;
    } else if (w->level > 0) {
        if (w->hidden == w->level)
            w->hidden = 0;
        w->level--;
    }
    w->hide_next = false;
    ph_mask_put_byte(w->out, c);
    w->at++;
}

static void on_number(struct walk *w)
{
    size_t end = w->at + 1;
    while (end < w->text.len &&
           (strchr("0123456789.eE+-", w->text.ptr[end]) != NULL && w->text.ptr[end] != '\0'))
        end++;
    struct ph_slice number = ph_slice_of(w->text.ptr + w->at, end - w->at);
    if (hides(w))
        ph_mask_put(w->out, PH_S("\"***\""));
    else if (!ph_mask_card_number(w->out, number))
        ph_mask_put(w->out, number);
    w->at = end;
}

void ph_mask_json(struct ph_mask_out *out, struct ph_slice text)
{
    struct walk w = {.out = out, .text = text};
    while (w.at < text.len && !out->failed) {
        char c = text.ptr[w.at];
        if (c == '"') {
            on_string(&w);
        } else if (c == '{' || c == '[' || c == '}' || c == ']') {
            on_bracket(&w, c);
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            on_number(&w);
        } else {
            if (c == ',')
                w.hide_next = false;
            ph_mask_put_byte(out, c);
            w.at++;
        }
    }
}
