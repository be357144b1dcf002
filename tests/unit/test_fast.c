/* Where the engine has a fast way and a slow one, both say the same: here the fast one is held
 * against a plain twin over every byte, every place or every table. (Pointers have theirs in
 * test_point.c.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/digits.h"
#include "base/utf8.h"
#include "core/codec.h"
#include "core/steps.h"
#include "core/value.h"
#include "crypto/crypto.h"
#include "os/heap.h"
#include "os/random.h"
#include "reader/page.h"

static int open_worker(void **state)
{
    *state = ph_worker_new(&ph_os_heap);
    return *state == NULL;
}

static int close_worker(void **state)
{
    ph_worker_free(*state);
    return 0;
}

/* ---- UTF-8: judged by the parser ------------------------------------------------------------- */

/* The parser either vouches for the whole text or for nothing. */
static bool parser_vouches(struct ph_worker *worker, struct ph_slice text)
{
    struct ph_run run = {.worker = worker, .arena = ph_worker_arena(worker)};
    struct ph_slice why;
    ph_worker_reset(worker);
    /* invalid UTF-8 is let through: it is not our word */
    assert_non_null(ph_read_json(&run, text, &why));
    assert_true(run.utf8.ptr == NULL || (run.utf8.ptr == text.ptr && run.utf8.len == text.len));
    return run.utf8.ptr != NULL;
}

static void json_the_parser_vouches_for_is_the_json_that_is_utf8(void **state)
{
    /* All first bytes, and behind them the bytes at which a rule of RFC 3629 changes its mind. */
    static const unsigned char edges[] = {'a',  0x7f, 0x80, 0x8f, 0x90,
                                          0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    size_t good = 0, bad = 0;
    for (unsigned first = 0x80; first <= 0xff; first++) {
        for (size_t e = 0; e < PH_COUNTOF(edges) * PH_COUNTOF(edges) * PH_COUNTOF(edges); e++) {
            char body[] = {'{',
                           '"',
                           (char)(unsigned char)first,
                           (char)edges[e % 10],
                           (char)edges[e / 10 % 10],
                           (char)edges[e / 100],
                           '"',
                           ':',
                           '1',
                           '}'};
            struct ph_slice text = ph_slice_of(body, sizeof(body));
            bool valid = ph_utf8_valid(text);
            assert_int_equal(parser_vouches(*state, text), valid);
            good += valid;
            bad += !valid;
        }
    }
    assert_true(good > 100 && bad > 100);
}

static void bytes_outside_of_strings_are_no_matter_of_utf8(void **state)
{
    struct ph_run run = {.worker = *state, .arena = ph_worker_arena(*state)};
    struct ph_slice why;
    assert_null(ph_read_json(&run, PH_S("{\"a\":1}\xc3\xa9"), &why));
    assert_null(ph_read_json(&run, PH_S("\xef\xbb\xbf{\"a\":1}"), &why));
    assert_false(ph_slice_present(run.utf8));
}

/* ---- codecs and names ------------------------------------------------------------------------ */

static int digit_of(unsigned c, bool lower_only)
{
    if (c >= '0' && c <= '9')
        return (int)c - '0';
    if (c >= 'a' && c <= 'f')
        return (int)c - 'a' + 10;
    return !lower_only && c >= 'A' && c <= 'F' ? (int)c - 'A' + 10 : -1;
}

/* A pair of bytes among digits, at a place where sixteen are read at once or behind it. */
static void assert_hex(struct ph_worker *worker, unsigned high, unsigned low, bool lower_only,
                       size_t place)
{
    char text[38];
    unsigned char want[19];
    struct ph_slice out = {0};
    int a = digit_of(high, lower_only), b = digit_of(low, lower_only);
    for (size_t i = 0; i < sizeof(want); i++) {
        text[2 * i] = "0123456789abcdef"[i % 16];
        text[2 * i + 1] = "7f0a9"[i % 5];
        want[i] = (unsigned char)(digit_of((unsigned char)text[2 * i], false) * 16 +
                                  digit_of((unsigned char)text[2 * i + 1], false));
    }
    text[2 * place] = (char)(unsigned char)high;
    text[2 * place + 1] = (char)(unsigned char)low;
    ph_worker_reset(worker);
    assert_int_equal(
        ph_hex_decode(ph_worker_arena(worker), ph_slice_of(text, sizeof(text)), lower_only, &out),
        a >= 0 && b >= 0);
    if (a < 0 || b < 0) {
        assert_null(out.ptr); /* nothing is given out on failure */
        return;
    }
    want[place] = (unsigned char)(a * 16 + b);
    assert_int_equal(out.len, sizeof(want));
    assert_memory_equal(out.ptr, want, sizeof(want));
}

static void every_pair_of_bytes_is_hex_or_not(void **state)
{
    static const size_t places[] = {0, 5, 7, 8, 15, 16, 18};
    for (unsigned pair = 0; pair < 0x20000; pair++)
        assert_hex(*state, pair >> 8 & 0xff, pair & 0xff, pair > 0xffff,
                   places[pair % PH_COUNTOF(places)]);
    for (unsigned byte = 0; byte < 0x400; byte++)
        for (size_t i = 0; i < PH_COUNTOF(places); i++)
            assert_hex(*state, byte & 0x100 ? byte & 0xff : 'a', byte & 0x100 ? '7' : byte & 0xff,
                       byte > 0x1ff, places[i]);
}

static void texts_are_equal_only_when_every_bit_is(void **state)
{
    char a[40], b[40];
    (void)state;
    for (size_t i = 0; i < sizeof(a); i++)
        a[i] = b[i] = (char)(i * 37);
    for (size_t len = 0; len <= sizeof(a); len++) {
        assert_true(ph_crypto_equal(ph_slice_of(a, len), ph_slice_of(b, len)));
        for (size_t bit = 0; bit < 8 * len; bit++) {
            b[bit / 8] ^= (char)(1 << bit % 8);
            assert_false(ph_crypto_equal(ph_slice_of(a, len), ph_slice_of(b, len)));
            b[bit / 8] ^= (char)(1 << bit % 8);
        }
        if (len > 0)
            assert_false(ph_crypto_equal(ph_slice_of(a, len), ph_slice_of(b, len - 1)));
    }
    assert_true(ph_crypto_equal((struct ph_slice){0}, (struct ph_slice){0}));
}

static void digits_are_read_at_every_place_and_nothing_else_is(void **state)
{
    (void)state;
    for (size_t len = 0; len <= PH_DIGITS_MAX + 1; len++) {
        for (size_t at = 0; at == 0 || at < len; at++) {
            for (unsigned byte = 0; byte < 0x100; byte++) {
                char text[] = "9876543210123456789";
                int64_t value = -1, want = 0;
                text[at] = (char)(unsigned char)byte;
                bool good = len > 0 && len <= PH_DIGITS_MAX && byte >= '0' && byte <= '9';
                for (size_t i = 0; good && i < len; i++)
                    want = want * 10 + (text[i] - '0');
                assert_int_equal(ph_digits(ph_slice_of(text, len), &value), good);
                assert_true(value == (good ? want : -1)); /* nothing is given out on failure */
            }
        }
    }
}

static unsigned lower(unsigned c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static void names_are_compared_without_case_at_every_place(void **state)
{
    (void)state;
    for (size_t at = 0; at < 17; at += 4) {
        char a[17], b[17];
        memset(a, 'x', sizeof(a));
        memset(b, 'X', sizeof(b));
        for (unsigned pair = 0; pair < 0x10000; pair++) {
            a[at] = (char)(unsigned char)(pair >> 8);
            b[at] = (char)(unsigned char)pair;
            assert_int_equal(
                ph_slice_eq_nocase(ph_slice_of(a, sizeof(a)), ph_slice_of(b, sizeof(b))),
                lower(pair >> 8) == lower(pair & 0xff));
        }
    }
    assert_false(ph_slice_eq_nocase(PH_S("content-typ"), PH_S("content-type")));
}

static void short_numbers_are_what_the_long_way_makes_of_them(void **state)
{
    static const char *const numbers[] = {
        "0", "7", "00", "2000", "1700000000", "999999999999999", "123456789012345"};
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(numbers); i++) {
        for (int shift = 0; shift <= 3; shift++) {
            char slow[32] = {0};
            int64_t fast_value = -1, slow_value = -2;
            memcpy(slow, numbers[i], strlen(numbers[i]));
            memcpy(slow + strlen(numbers[i]), "e0", 3);
            assert_int_equal(ph_parse_exact(ph_slice_str(numbers[i]), shift, &fast_value),
                             PH_EXACT_OK);
            assert_int_equal(ph_parse_exact(ph_slice_str(slow), shift, &slow_value), PH_EXACT_OK);
            assert_int_equal(fast_value, slow_value);
        }
    }
}

/* ---- keys ------------------------------------------------------------------------------------ */

static const char page[] =
    "language: 1\nname: acme\ntitle: Acme\nsources: { S1: acme.example (2026-11-24) }\n"
    "body: form\nsignature: { kind: none }\n"
    "event: { id: /id, type: =note }\n"
    "rules:\n  - on: note\n    is: PAYMENT_INTENT_PROCESSING\n"
    "dedupe: [ /id ]\nack: { status: 200 }\nrefuse: { status: 401 }\n";

static const struct ph_connector *acme(struct ph_arena *arena)
{
    struct ph_page_errors errors = {0};
    const struct ph_connector *c = NULL;
    ph_arena_init(arena, &ph_os_heap, 1 << 20, 0);
    if (ph_page_read(arena, PH_S("acme.yaml"), ph_slice_of(page, sizeof(page) - 1), &errors, &c) !=
        PH_OK)
        print_message("%.*s\n", (int)errors.list[0].text.len, errors.list[0].text.ptr);
    assert_non_null(c);
    return c;
}

static void assert_dedupe_key(struct ph_worker *worker, const struct ph_connector *c,
                              const char *id, size_t len)
{
    char body[128] = "id=", want[128] = "acme:";
    size_t at = 3, end = 5;
    for (size_t i = 0; i < len; i++) {
        static const char digits[] = "0123456789ABCDEF";
        unsigned char byte = (unsigned char)id[i];
        char escaped[] = {'%', digits[byte >> 4], digits[byte & 15]};
        memcpy(body + at, escaped, 3);
        at += 3;
        if (byte == ':' || byte == '%' || byte < 0x20) {
            memcpy(want + end, escaped, 3);
            end += 3;
        } else {
            want[end++] = id[i];
        }
    }
    struct ph_request request = {.method = PH_S("POST"), .body = ph_slice_of(body, at)};
    struct ph_input in = {.connector = c, .request = &request, .now_ms = -1};
    struct ph_answer answer = {0};
    assert_int_equal(ph_engine_run(worker, &in, PH_WANT_CONTENT, &answer), PH_OK);
    assert_int_equal(answer.event_count, 1);
    assert_int_equal(answer.events[0].dedupe_key.len, end);
    assert_memory_equal(answer.events[0].dedupe_key.ptr, want, end);
}

static void keys_escape_at_every_place_of_parts_of_every_length(void **state)
{
    static const char odd[] = {':', '%', '\x01', '\x1f', '\t',   ' ',
                               '9', ';', '&',    '$',    '\x7f', '~'};
    struct ph_arena arena;
    const struct ph_connector *c = acme(&arena);
    for (size_t len = 1; len <= 26; len++) {
        for (size_t at = 0; at < len; at++) {
            for (size_t o = 0; o < sizeof(odd); o++) {
                char id[26];
                memset(id, 'x', sizeof(id));
                id[at] = odd[o];
                assert_dedupe_key(*state, c, id, len);
            }
        }
    }
    ph_arena_done(&arena);
}

/* ---- rules ----------------------------------------------------------------------------------- */

/* The page's own words: in order, the first that fits. */
static const struct ph_rule *first_that_fits(struct ph_run *run)
{
    for (uint16_t i = 0; i < run->variant->rule_count; i++) {
        const struct ph_rule *rule = &run->variant->rules[i];
        bool fits = rule->on_count == 0, holds = false;
        for (uint16_t k = 0; k < rule->on_count; k++)
            fits = fits || (rule->on_prefix ? ph_slice_starts(run->type, rule->on[k])
                                            : ph_slice_eq(run->type, rule->on[k]));
        if (fits)
            assert_int_equal(ph_eval_tests(run, rule->when, rule->test_count, &holds), PH_OK);
        if (fits && holds)
            return rule;
    }
    return NULL;
}

static size_t compare_rules(struct ph_worker *worker, const struct ph_connector *c,
                            const struct ph_variant *v, struct ph_slice type)
{
    struct ph_request request = {.method = PH_S("POST")};
    struct ph_input in = {.connector = c, .request = &request};
    struct ph_run run = {.worker = worker,
                         .arena = ph_worker_arena(worker),
                         .in = &in,
                         .connector = c,
                         .variant = v,
                         .type = type};
    const struct ph_rule *found;
    ph_worker_reset(worker);
    assert_int_equal(ph_point_room(&run), PH_OK);
    assert_int_equal(ph_find_rule(&run, &found), PH_OK);
    assert_ptr_equal(found, first_that_fits(&run));
    return found != NULL;
}

static void the_rule_found_is_the_first_that_fits(void **state)
{
    size_t found = 0;
    for (size_t i = 0; i < ph_connectors_builtin_count; i++) {
        const struct ph_connector *c = ph_connectors_builtin[i];
        for (uint16_t k = 0; k < c->variant_count; k++) {
            const struct ph_variant *v = &c->variants[k];
            for (uint16_t g = 0; g < v->group_count; g++) {
                struct ph_slice type = v->groups[g].type;
                found += compare_rules(*state, c, v, type);
                (void)compare_rules(*state, c, v, ph_slice_of(type.ptr, type.len - 1));
                (void)compare_rules(*state, c, v, ph_slice_from(type, 1));
            }
            (void)compare_rules(*state, c, v, PH_S("a type no page has"));
        }
    }
    assert_true(found > 200);
}

/* ---- templates ------------------------------------------------------------------------------- */

static bool names_ours(const struct ph_variant *v, const struct ph_template *t)
{
    bool any = false;
    for (uint16_t i = 0; i < t->count; i++) {
        const struct ph_piece *p = &t->pieces[i];
        any = any || p->source == PH_SRC_SECRET || p->source == PH_SRC_SECRET2 ||
              p->source == PH_SRC_CONFIG || p->source == PH_SRC_URL ||
              (p->source == PH_SRC_LET && names_ours(v, &v->lets[p->index].value));
    }
    return any;
}

/* Were one that names a secret called open, it would be computed without the secret. */
static void a_template_is_open_when_it_names_nothing_of_ours(void **state)
{
    size_t open = 0, closed = 0;
    (void)state;
    for (size_t i = 0; i < ph_connectors_builtin_count; i++) {
        for (uint16_t k = 0; k < ph_connectors_builtin[i]->variant_count; k++) {
            const struct ph_variant *v = &ph_connectors_builtin[i]->variants[k];
            for (uint16_t s = 0; s < v->signature_count; s++) {
                const struct ph_signature *sig = &v->signatures[s];
                for (uint16_t m = 0; m < sig->message_count + sig->key.count; m++) {
                    const struct ph_template *t =
                        m < sig->message_count ? &sig->messages[m]
                                               : &sig->key.alternatives[m - sig->message_count];
                    assert_int_equal(t->open, !names_ours(v, t));
                    open += t->open;
                    closed += !t->open;
                }
            }
        }
    }
    assert_true(open > 20 && closed > 20);
}

/* ---- depth ----------------------------------------------------------------------------------- */

/* A list nested that deep, numbers and small objects before it and behind it on its first level. */
static struct ph_slice nested(char *out, size_t depth, size_t before, size_t behind)
{
    size_t len = 0;
    out[len++] = '[';
    for (size_t i = 0; i < before; i++) {
        memcpy(out + len, i % 3 == 0 ? "{},1," : "1,1,1", 5);
        len += 5;
        if (i % 3 != 0)
            out[len++] = ',';
    }
    for (size_t i = 1; i < depth; i++)
        out[len++] = '[';
    out[len++] = '1';
    for (size_t i = 1; i < depth; i++)
        out[len++] = ']';
    for (size_t i = 0; i < behind; i++) {
        memcpy(out + len, ",[1]", 4);
        len += 4;
    }
    out[len++] = ']';
    return ph_slice_of(out, len);
}

static void depth_is_judged_wherever_it_stands(void **state)
{
    static char text[4096];
    for (size_t depth = PH_DEPTH_MAX - 2; depth <= PH_DEPTH_MAX + 2; depth++) {
        for (size_t before = 0; before < 80; before++) {
            for (size_t behind = 0; behind < 80; behind += before % 7 == 0 ? 1 : 13) {
                struct ph_run run = {.worker = *state, .arena = ph_worker_arena(*state)};
                struct ph_slice why;
                ph_worker_reset(*state);
                yyjson_val *root = ph_read_json(&run, nested(text, depth, before, behind), &why);
                assert_int_equal(root != NULL, depth <= PH_DEPTH_MAX);
            }
        }
    }
}

/* ---- the arena ------------------------------------------------------------------------------- */

static void the_plain_lies_apart_from_what_is_wiped(void **state)
{
    enum { CUT = 48, CUTS = 2000 };
    struct ph_arena arena;
    char *wiped[CUTS], *plain[CUTS];
    (void)state;
    ph_arena_init(&arena, &ph_os_heap, 1 << 20, 1 << 20);
    for (size_t i = 0; i < CUTS; i++) {
        wiped[i] = ph_arena_alloc(&arena, CUT - i % 16);
        plain[i] = ph_arena_plain(&arena, CUT - i % 16);
        assert_true((uintptr_t)plain[i] % 16 == 0);
        for (size_t k = 0; k < CUT - i % 16; k++)
            assert_int_equal(plain[i][k], 0);
        memset(wiped[i], 'w', CUT - i % 16);
        memset(plain[i], 'p', CUT - i % 16);
    }
    for (size_t i = 0; i < CUTS; i++)
        for (size_t k = 0; k < CUT - i % 16; k++)
            assert_true(wiped[i][k] == 'w' && plain[i][k] == 'p');
    struct ph_arena_block *last = arena.head;
    ph_arena_wipe(&arena);
    assert_ptr_equal(arena.head, last); /* the largest, where the last cuts lie */
    for (size_t k = 0; k < CUT - (CUTS - 1) % 16; k++)
        assert_int_equal(wiped[CUTS - 1][k], 0);
    ph_arena_done(&arena);
}

/* ---- texts and ids --------------------------------------------------------------------------- */

static void texts_are_plain_when_every_byte_is(void **state)
{
    (void)state;
    char text[40];
    for (size_t len = 0; len <= sizeof(text); len++) {
        memset(text, 'x', sizeof(text));
        assert_true(ph_utf8_plain(ph_slice_of(text, len)));
        for (size_t at = 0; at < sizeof(text); at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                text[at] = (char)(unsigned char)byte;
                assert_int_equal(ph_utf8_plain(ph_slice_of(text, len)),
                                 at >= len || (byte > 0 && byte < 0x80));
            }
            text[at] = 'x';
        }
    }
}

static void a_uuid_spells_its_bytes_but_for_version_and_variant(void **state)
{
    (void)state;
    static struct ph_random_pool pool;
    for (unsigned round = 0; round < 256; round++) {
        char want[PH_UUID_TEXT_BYTES + 1] = "", text[PH_UUID_TEXT_BYTES];
        pool.left = PH_UUID_BYTES;
        for (unsigned i = 0; i < PH_UUID_BYTES; i++) {
            unsigned byte = (round + 17 * i) & 0xff;
            pool.bytes[i] = (unsigned char)byte;
            byte = i == 6 ? (byte & 15) | 0x40 : i == 8 ? (byte & 0x3f) | 0x80 : byte;
            const char *dash = i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "";
            snprintf(want + strlen(want), sizeof(want) - strlen(want), "%s%02x", dash, byte);
        }
        assert_int_equal(ph_os_uuid(&pool, text), PH_OK);
        assert_int_equal(pool.left, 0);
        assert_memory_equal(text, want, sizeof(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_the_parser_vouches_for_is_the_json_that_is_utf8),
        cmocka_unit_test(bytes_outside_of_strings_are_no_matter_of_utf8),
        cmocka_unit_test(every_pair_of_bytes_is_hex_or_not),
        cmocka_unit_test(texts_are_equal_only_when_every_bit_is),
        cmocka_unit_test(digits_are_read_at_every_place_and_nothing_else_is),
        cmocka_unit_test(names_are_compared_without_case_at_every_place),
        cmocka_unit_test(short_numbers_are_what_the_long_way_makes_of_them),
        cmocka_unit_test(keys_escape_at_every_place_of_parts_of_every_length),
        cmocka_unit_test(the_rule_found_is_the_first_that_fits),
        cmocka_unit_test(a_template_is_open_when_it_names_nothing_of_ours),
        cmocka_unit_test(depth_is_judged_wherever_it_stands),
        cmocka_unit_test(the_plain_lies_apart_from_what_is_wiped),
        cmocka_unit_test(texts_are_plain_when_every_byte_is),
        cmocka_unit_test(a_uuid_spells_its_bytes_but_for_version_and_variant),
    };
    return cmocka_run_group_tests(tests, open_worker, close_worker);
}
