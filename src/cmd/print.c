#include "cmd/print.h"

#include <stdio.h>

#include "base/utf8.h"
#include "core/codec.h"
#include "wire/message.h"

/* Bytes of the UTF-8 character at the start of s that may be shown as it is; 0: the byte is
 * escaped. */
static size_t shown(struct ph_slice s)
{
    unsigned char c = (unsigned char)s.ptr[0];
    size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (c < 0x20 || c == 0x7f || c == '\\' || len > s.len ||
        !ph_text_valid(ph_slice_of(s.ptr, len)))
        return 0;
    return ph_utf8_hidden(s) > 0 ? 0 : len;
}

void ph_print_escaped_to(FILE *out, struct ph_slice s)
{
    while (s.len > 0) {
        size_t len = shown(s);
        if (len > 0) {
            fwrite(s.ptr, 1, len, out);
            s = ph_slice_from(s, len);
            continue;
        }
        switch (s.ptr[0]) {
        case '\n':
            fputs("\\n", out);
            break;
        case '\r':
            fputs("\\r", out);
            break;
        case '\t':
            fputs("\\t", out);
            break;
        case '\\':
            fputs("\\\\", out);
            break;
        default:
            fprintf(out, "\\x%02x", (unsigned char)s.ptr[0]);
        }
        s = ph_slice_from(s, 1);
    }
}

void ph_print_escaped(struct ph_slice s)
{
    ph_print_escaped_to(stdout, s);
}

void ph_print_json_string(struct ph_arena *arena, struct ph_slice s)
{
    struct ph_slice escaped = PH_S("");
    struct ph_slice clean = s.len > 0 ? ph_text_clean(arena, s) : s;
    (void)ph_json_escape(arena, clean, &escaped);
    putchar('"');
    ph_print_json(escaped);
    putchar('"');
}

void ph_print_json(struct ph_slice text)
{
    size_t from = 0;
    for (size_t at = 0; at < text.len;) {
        struct ph_slice rest = ph_slice_from(text, at);
        bool plain = (unsigned char)rest.ptr[0] < 0x7f;
        size_t hidden = plain ? 0 : rest.ptr[0] == 0x7f ? 1 : ph_utf8_hidden(rest);
        if (hidden == 0) {
            at++;
            continue;
        }
        const unsigned char *p = (const unsigned char *)rest.ptr;
        unsigned c = hidden == 1   ? p[0]
                     : hidden == 2 ? (unsigned)(p[0] & 0x1f) << 6 | (p[1] & 0x3fU)
                                   : (unsigned)(p[0] & 0x0f) << 12 | (unsigned)(p[1] & 0x3f) << 6 |
                                         (p[2] & 0x3fU);
        fwrite(text.ptr + from, 1, at - from, stdout);
        printf("\\u%04x", c);
        at = from = at + hidden;
    }
    if (text.len > from)
        fwrite(text.ptr + from, 1, text.len - from, stdout);
}

static void row(const char *label, struct ph_slice text)
{
    if (text.len == 0)
        return;
    printf("%-22s ", label);
    ph_print_escaped(text);
    putchar('\n');
}

static void print_value(enum ph_field field, const struct ph_value *value)
{
    const struct ph_currency *currency;
    char label[64];
    struct ph_slice name = ph_field_name(field);
    snprintf(label, sizeof(label), "  %.*s", (int)name.len, name.ptr);
    switch (ph_field_type(field)) {
    case PH_FIELD_TEXT:
        row(label, value->text);
        break;
    case PH_FIELD_MONEY:
        currency = ph_currency_by_number(value->currency);
        printf("%-22s %lld %s (minor units)\n", label, (long long)value->number,
               currency != NULL ? currency->code : "?");
        break;
    case PH_FIELD_TIME:
        printf("%-22s %lld (unix ms)\n", label, (long long)value->number);
        break;
    case PH_FIELD_STAGE:
        row(label, ph_word_name(PH_WORDS_DISPUTE_STAGE, value->currency));
        break;
    }
}

static enum ph_vocabulary statuses_of(enum ph_kind kind)
{
    switch (kind) {
    case PH_KIND_PAYMENT:
        return PH_WORDS_PAYMENT_STATUS;
    case PH_KIND_REFUND:
        return PH_WORDS_REFUND_STATUS;
    case PH_KIND_DISPUTE:
        return PH_WORDS_DISPUTE_STATUS;
    case PH_KIND_PAYOUT:
        return PH_WORDS_PAYOUT_STATUS;
    case PH_KIND_MANDATE:
    case PH_KIND_NONE:
        break;
    }
    return PH_WORDS_NONE;
}

void ph_print_event(const struct ph_event *event)
{
    row("verdict", ph_word_name(PH_WORDS_VERDICT, event->verdict));
    row("why", event->verdict_reason);
    if (event->verdict == PH_VERIFIED)
        row("event", ph_word_name(PH_WORDS_EVENT_TYPE, event->handle_event_type));
    else
        printf("%-22s not verified: nothing to act on; what the request claims follows\n", "event");
    row("processor's type", event->type);
    row("processor's id", event->id);
    row("status", ph_word_name(statuses_of(event->kind), event->status));
    row("incomplete", event->incomplete);
    row("account", event->account);
    row("dedupe key", event->dedupe_key);
    row("effect key", event->effect_key);
    for (int field = 0; event->kind != PH_KIND_NONE && field < PH_FIELD_COUNT; field++)
        if (event->fields[field].present)
            print_value((enum ph_field)field, &event->fields[field]);
}
