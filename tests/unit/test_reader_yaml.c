/* The text of a page before it means anything: what YAML we take, where its errors are, and
 * every limit, met and passed by one. */
#include "pages.h"

#define HEAD "language: 1\nname: acme\ntitle: Acme\nsources: { S1: acme.example (2026-11-25) }\n"
#define REST "event: { type: /type }\ndedupe: none\nsignature: { kind: none }\n"

/* A text put together piece by piece. */
struct text {
    char *ptr;
    size_t len, room;
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->ptr + t->len, t->room - t->len, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < t->room - t->len);
    t->len += (size_t)n;
}

static struct text text_new(const char *head)
{
    struct text t = {.room = 4 * PH_PAGE_BYTES_MAX};
    t.ptr = malloc(t.room);
    assert_non_null(t.ptr);
    add(&t, "%s", head);
    return t;
}

static void assert_text_told(struct text *t, const char *expected)
{
    assert_told(ph_slice_of(t->ptr, t->len), expected);
    free(t->ptr);
}

/* The YAML alone, before any word is looked at. */
static void assert_yaml_told(struct ph_slice text, const char *expected)
{
    struct page p = {0};
    struct ph_yaml *root = NULL;
    char told[512];
    ph_arena_init(&p.arena, &pages_heap, PH_ARENA_BYTES_MAX, 0);
    enum ph_status st = ph_yaml_read(&p.arena, PH_S("acme.yaml"), text, &p.errors, &root);
    assert_true(st == PH_OK || st == PH_ERR_MALFORMED);
    assert_int_equal(st == PH_OK, root != NULL);
    assert_true(p.errors.count > 0);
    snprintf(told, sizeof(told), "acme.yaml:%s", expected);
    assert_string_equal(page_told(&p), told);
    page_done(&p);
}

/* ---- what is no page ------------------------------------------------------------------------- */

static void what_would_mean_something_else_than_it_shows_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"a: &x b\n", "1:4: an anchor (&x) is not part of the language; leave it out"},
        {"a: { b: &x c, d: *x }\n",
         "1:9: an anchor (&x) is not part of the language; leave it out\n"
         "acme.yaml:1:18: an alias (*x) is not part of the language; write it out"},
        {"&x a: b\n", "1:1: an anchor (&x) is not part of the language; leave it out"},
        {"a: !!str b\n",
         "1:4: a tag (tag:yaml.org,2002:str) is not part of the language; leave it out"},
        {"a: !x [ b ]\n", "1:4: a tag (!x) is not part of the language; leave it out"},
        {"%YAML 1.1\n---\na: b\n",
         "1:1: a YAML directive (%) is not part of the language; leave it out"},
        {"a: b\n---\nc: d\n", "2:1: a second document begins here; a page is one"},
        {"? [ a ]\n: b\n", "1:3: a key must be a plain text"},
        {"a: b\nc: d\na: e\n", "3:1: this key stands here twice: a; keep one of them"},
        {"a: { b: c, b: d }\n", "1:12: this key stands here twice: b; keep one of them"},
        {"a: \"x\\0y\"\n", "1:4: a NUL (\\0) in a text: x?y; leave it out"},
        {"a:\tb\n",
         "1:3: a tab; indent and separate by blanks (in double quotes \\t stands for one)"},
        {"a: b\rc: d\n", "1:5: a carriage return without a line feed; end lines with LF"},
        {"a: b\001\n", "1:5: a control character; a page is text"},
        {"é: b\xff\n", "1:5: not UTF-8; save the page as UTF-8"},
        {"a: \xc0\xaf\n", "1:4: not UTF-8; save the page as UTF-8"},
        {"a: \xed\xa0\x80\n", "1:4: not UTF-8; save the page as UTF-8"},
        {"a: \xf4\x90\x80\x80\n", "1:4: not UTF-8; save the page as UTF-8"},
        {"a: \xc3", "1:4: not UTF-8; save the page as UTF-8"},
        {"a: b\u2028c\n", "1:5: a Unicode line separator; end lines with LF"},
        {"a: b\u202ec\n", "1:5: a character that turns the direction of writing: the page would "
                          "not read as it shows"},
        {"a: b\ufeff\n", "1:5: a byte order mark in the middle of the page"},
        {"a: [ b\n",
         "2:1: not YAML: did not find expected ',' or ']' while parsing a flow sequence; "
         "look at quotes, brackets and indentation here and above"},
        {"", "1:1: the page is empty"},
        {"# nothing\n", "1:1: the page is empty"},
    };
    for (size_t i = 0; i < PH_COUNTOF(cases); i++)
        assert_yaml_told(ph_slice_str(cases[i].text), cases[i].told);
    assert_yaml_told(ph_slice_of("a: b\0\n", 6), "1:5: a NUL byte; a page is text");
}

static void a_byte_order_mark_and_crlf_are_what_editors_write(void **state)
{
    (void)state;
    assert_told(PH_S("\xef\xbb\xbf" HEAD REST "rules: []\n"), "");
    assert_told(
        PH_S(
            "language: 1\r\nname: acme\r\ntitle: Acme\r\nsources: { S1: a (2026-11-25) }\r\n"
            "event: { type: /type }\r\ndedupe: none\r\nsignature: { kind: none }\r\nrules: []\r\n"),
        "");
    assert_told(PH_S("\xef\xbb\xbflanguage: 2\n"
                     "name: acme\ntitle: \"é\" x\n"),
                "acme.yaml:3:12: not YAML: did not find expected key while parsing a block "
                "mapping; look at quotes, brackets and "
                "indentation here and above");
}

/* ---- limits: as many as fit, and one more ---------------------------------------------------- */

static void a_page_has_its_size(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct text t = text_new(HEAD REST "rules: []\n");
        size_t left = PH_PAGE_BYTES_MAX + over - t.len;
        for (; left > 0; left--)
            t.ptr[t.len++] = left % 64 == 0 ? '#' : left % 64 == 1 || left == 1 ? '\n' : ' ';
        assert_text_told(&t, over ? "acme.yaml:1:1: the page is larger than 512 KiB" : "");
    }
}

static void a_text_has_its_size(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        struct text t = text_new(HEAD REST "rules: []\nnotes: ");
        add(&t, "%0*d\n", PH_PAGE_TEXT_BYTES_MAX + over, 0);
        struct page p;
        page_read(&p, ph_slice_of(t.ptr, t.len));
        assert_int_equal(p.status, over ? PH_ERR_MALFORMED : PH_OK);
        static const char told[] = "acme.yaml:9:8: a text of more than 4096 bytes: 000";
        assert_true(!over || strncmp(page_told(&p), told, strlen(told)) == 0);
        page_done(&p);
        free(t.ptr);
    }
}

static void nesting_has_its_depth(void **state)
{
    (void)state;
    struct text fits = text_new(""), deep = text_new(""), endless = text_new("");
    struct page p;
    for (int i = 0; i < PH_PAGE_DEPTH_MAX; i++)
        add(&fits, "[");
    add(&fits, "a");
    for (int i = 0; i < PH_PAGE_DEPTH_MAX; i++)
        add(&fits, "]");
    assert_text_told(&fits, "acme.yaml:1:1: a map belongs here, not a list");
    for (int i = 0; i <= PH_PAGE_DEPTH_MAX; i++)
        add(&deep, "[");
    add(&deep, "a");
    assert_text_told(&deep, "acme.yaml:1:18: nested deeper than 16 levels");
    while (endless.len < PH_PAGE_BYTES_MAX)
        endless.ptr[endless.len++] = '[';
    page_read(&p, ph_slice_of(endless.ptr, endless.len));
    assert_string_equal(page_told(&p), "acme.yaml:1:18: nested deeper than 16 levels");
    page_done(&p);
    free(endless.ptr);
}

static void texts_lists_and_maps_are_counted(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        /* the map, its key and the list in it; lists of 999 texts; the rest in one more */
        struct text t = text_new("x:\n");
        int left = PH_PAGE_NODES_MAX + over - 3;
        while (left > 0) {
            int in_list = left > PH_PAGE_MEMBERS_MAX ? PH_PAGE_MEMBERS_MAX - 1 : left - 1;
            add(&t, " - [");
            for (int i = 0; i < in_list; i++)
                add(&t, i > 0 ? ",a" : "a");
            add(&t, "]\n");
            left -= in_list + 1;
        }
        struct page p;
        page_read(&p, ph_slice_of(t.ptr, t.len));
        assert_int_equal(strstr(page_told(&p), "more than 50000 texts, lists and maps") != NULL,
                         over);
        page_done(&p);
        free(t.ptr);
    }
}

/* `most` times `format` with its number between two texts reads; once more, and that is told. */
static void assert_limit(const char *before, const char *format, const char *after, int most,
                         const char *told)
{
    for (int over = 0; over < 2; over++) {
        struct text t = text_new(before);
        for (int i = 0; i < most + over; i++)
            add(&t, format, i);
        add(&t, "%s", after);
        assert_text_told(&t, over ? told : "");
    }
}

#define FEW  "; a page has no need of so many"
#define OPEN HEAD "event: { type: /type }\ndedupe: none\nrules: []\n"
#define HMAC OPEN "signature: { kind: hmac-sha256, from: header:S, "

static void every_list_of_a_page_has_its_limit(void **state)
{
    (void)state;
    assert_limit(HEAD REST "rules:\n - on: [", "t%d, ", "]\n", PH_PAGE_MEMBERS_MAX,
                 "acme.yaml:9:5899: more than 1000 members in one map or list");
    assert_limit(HEAD REST "rules:\n - on: u\n - on: [ ", "t%d, ", "]\n", PH_PAGE_TYPES_MAX - 1,
                 "acme.yaml:9:2: more than 1000 event types in all rules" FEW);
    assert_limit(HEAD REST "rules:\n", " - on: t%d\n", "", PH_PAGE_RULES_MAX,
                 "acme.yaml:9:2: more than 500 rules" FEW);
    assert_limit(OPEN "signature:\n", " - { kind: none, when: { /a: b%d } }\n", "",
                 PH_PAGE_SIGNATURES_MAX, "acme.yaml:9:2: more than 8 signatures" FEW);
    assert_limit(HEAD REST "rules: []\nvariants:\n", " - { name: v%d, when: { /a: b } }\n", "",
                 PH_PAGE_VARIANTS_MAX, "acme.yaml:10:2: more than 16 variants" FEW);
    assert_limit(HEAD REST "rules: []\nconfig:\n", " c%d: x\n", "", PH_CONFIG_VALUES_MAX,
                 "acme.yaml:10:2: more than 64 config fields" FEW);
}

static void every_text_of_a_page_has_its_limits(void **state)
{
    (void)state;
    assert_limit(HMAC "message: [ ", "\"{body}%d\", ", "] }\n", PH_PAGE_MESSAGES_MAX,
                 "acme.yaml:8:58: more than 8 signed texts" FEW);
    assert_limit(HMAC "message: \"{header:T}{body}\", tolerance: 300s, time: \"unix {header:T}",
                 "{header:T}", "\" }\n", PH_PAGE_TIME_PIECES_MAX - 1,
                 "acme.yaml:8:101: a time of more than 8 pieces" FEW);
    assert_limit(HMAC "message: \"{body}\", layout: [ ", "\"v%d={signature}\", ", "] }\n",
                 PH_PAGE_LAYOUTS_MAX, "acme.yaml:8:76: more than 16 layouts" FEW);
    assert_limit(HMAC "message: \"{body}\", list: \",\", layout: [ \"{signature}\", ",
                 "\"v%d={n%1$d}\", ", "] }\n", 7,
                 "acme.yaml:8:181: more than 7 names in the layouts: n7");
    assert_limit(HMAC "message: \"{body}\", layout: \"{signature}", ".{a}", "\" }\n", 1,
                 "acme.yaml:8:76: one name stands twice in {signature}.{a}.{a}");
    assert_limit(HMAC "message: \"{body}\", layout: \"{signature}", "x{secret2}", "\" }\n", 7,
                 "acme.yaml:8:76: more than 16 parts in "
                 "{signature}x{secret2}x{secret2}x{secret2}x{secret2}x{secret2}x{secret2}x{secret2}"
                 "x{secret2}");
    assert_limit(HMAC "message: \"", "{body}", "\" }\n", PH_TEMPLATE_PIECES_MAX - 1,
                 "acme.yaml:8:58: more than 64 pieces in {body}{body}{body}{body}{body}"
                 "{body}{body}{body}{body}{body}{body}{body}{body}{body}{body}{body}{body}{body}{"
                 "body}{body}…; a `let` can hold a part of them");
    assert_limit(OPEN "signature: { kind: none }\naccount: /a", " or /a%d", "\n",
                 PH_ALTERNATIVES_MAX - 1, "acme.yaml:9:10: more than 16 alternatives" FEW);
    assert_limit(OPEN "signature: { kind: none }\naccount: /a", "|upper", "\n", PH_FILTERS_MAX,
                 "acme.yaml:9:10: more than 8 filters on one reference" FEW);
    assert_limit(OPEN "signature: { kind: none }\naccount: ", "/a", "\n", PH_POINTER_STEPS_MAX,
                 "acme.yaml:9:10: a pointer of more than 64 steps" FEW);
    assert_limit("language: 1\nname: ", "a",
                 "\ntitle: A\nsources: { S1: a (2026-11-25) }\n" REST "rules: []\n",
                 PH_PAGE_NAME_BYTES_MAX,
                 "acme.yaml:2:7: a name is of a-z, 0-9 and _, at most 64 of them, not "
                 "`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`");
}

/* Sections whose members something else of the page must name. `most` of them read; one more
 * does not. */
static void assert_named_limit(void (*page)(struct text *t, int count), int most, const char *told)
{
    for (int over = 0; over < 2; over++) {
        struct text t = text_new(OPEN "signature: { kind: none }\n");
        page(&t, most + over);
        assert_text_told(&t, over ? told : "");
    }
}

static void lets(struct text *t, int count)
{
    add(t, "let:\n");
    for (int i = 0; i < count; i++)
        add(t, " l%d: a\n", i);
    add(t, "ack: { body: \"");
    for (int i = 0; i < count; i++)
        add(t, "{l%d}", i);
    add(t, "\" }\n");
}

static void lets_of_lets(struct text *t, int count)
{
    add(t, "let:\n l0: \"{/a}\"\n");
    for (int i = 1; i < count; i++)
        add(t, " l%d: \"{l%d}\"\n", i, i - 1);
    add(t, "account: l%d\n", count - 1);
}

static void lets_that_multiply(struct text *t, int count)
{
    add(t, "let:\n l0: \"{/a}{/b}{/c}{/d}{/e}{/f}{/g}{/h}\"\n l1: \"");
    for (int i = 0; i < 8; i++)
        add(t, "{l0}");
    add(t, "\"\n l2: \"{l1}{l1}{l1}{l0}{l0}{l0}{l0}{l0}{l0}{l0}");
    for (int i = 0; i < count - 248; i++)
        add(t, "{/x}");
    add(t, "\"\naccount: l2\n");
}

static void maps(struct text *t, int count)
{
    add(t, "maps:\n");
    for (int i = 0; i < count; i++)
        add(t, " m%d: { a: CHARGED }\n", i);
    add(t, "variants:\n - name: v\n   rules:\n");
    for (int i = 0; i < count; i++)
        add(t, "    - { on: t%d, payment: map m%d /a }\n", i, i);
    add(t, "payment: { amount: minor /a in /b }\n");
}

static void blocks(struct text *t, int count)
{
    for (int i = 0; i < count; i++)
        add(t, "payment.b%d: { amount: minor /a in /b }\n", i);
    add(t, "variants:\n - name: v\n   rules:\n");
    for (int i = 0; i < count; i++)
        add(t, "    - { on: t%d, payment.b%d: CHARGED }\n", i, i);
}

static void pointers(struct text *t, int count)
{
    add(t, "require: {");
    for (int i = 0; i < count - 35; i++) /* the whole, /type, 32 that share, /a */
        add(t, " /%d/%d: any,", i % 32, i);
    add(t, " /a: any }\n");
}

static void sections_that_are_named_have_their_limits(void **state)
{
    (void)state;
    assert_named_limit(lets, PH_PAGE_LETS_MAX,
                       "acme.yaml:10:2: more than 16 lets" FEW "\n"
                       "acme.yaml:27:14: unknown reference `l16`; did you mean `l1`?");
    assert_named_limit(
        lets_of_lets, PH_LET_DEPTH_MAX,
        "acme.yaml:14:6: lets name each other more than 4 deep; write a part of it out");
    assert_named_limit(lets_that_multiply, PH_LET_PIECES_MAX,
                       "acme.yaml:12:6: with the lets it names this comes to more than 256 pieces");
    assert_named_limit(maps, PH_PAGE_MAPS_MAX, "acme.yaml:138:8: more than 128 maps" FEW);
    assert_named_limit(blocks, PH_PAGE_BLOCKS_MAX,
                       "acme.yaml:73:14: more than 64 blocks" FEW "\n"
                       "acme.yaml:141:18: unknown block (the page has none of that name) "
                       "`payment.b64`; did you mean `payment.b4`?");
    assert_named_limit(pointers, PH_POINTER_NODES_MAX,
                       "acme.yaml:9:13452: more than 1023 different pointers, at /a" FEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_would_mean_something_else_than_it_shows_is_refused),
        cmocka_unit_test(a_byte_order_mark_and_crlf_are_what_editors_write),
        cmocka_unit_test(a_page_has_its_size),
        cmocka_unit_test(a_text_has_its_size),
        cmocka_unit_test(nesting_has_its_depth),
        cmocka_unit_test(texts_lists_and_maps_are_counted),
        cmocka_unit_test(every_list_of_a_page_has_its_limit),
        cmocka_unit_test(every_text_of_a_page_has_its_limits),
        cmocka_unit_test(sections_that_are_named_have_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
