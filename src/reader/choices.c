/* Words and maps, times, tests, and what a well-formed event has. */
#include "reader/build.h"

#define WORDS(array) array, PH_COUNTOF(array)

/* ---- words of the schema --------------------------------------------------------------------- */

static const char *vocabulary_name(enum ph_vocabulary words)
{
    static const char *const names[] = {
        [PH_WORDS_NONE] = "word",
        [PH_WORDS_EVENT_TYPE] = "event type",
        [PH_WORDS_PAYMENT_STATUS] = "payment status",
        [PH_WORDS_REFUND_STATUS] = "refund status",
        [PH_WORDS_DISPUTE_STATUS] = "dispute status",
        [PH_WORDS_DISPUTE_STAGE] = "dispute stage",
        [PH_WORDS_PAYOUT_STATUS] = "payout status",
        [PH_WORDS_CAPTURE_METHOD] = "capture method",
        [PH_WORDS_MODE] = "mode",
        [PH_WORDS_VERDICT] = "verdict",
    };
    return names[words];
}

static void unknown_word(struct ph_build *b, const struct ph_yaml *at, enum ph_vocabulary words,
                         struct ph_slice text)
{
    for (int other = PH_WORDS_EVENT_TYPE; other <= PH_WORDS_MODE; other++) {
        if (ph_word_number((enum ph_vocabulary)other, text) < 0)
            continue;
        char more[96] = "` is a word for ";
        const char *parts[] = {vocabulary_name((enum ph_vocabulary)other),
                               "; what uses it wants a word for ", vocabulary_name(words)};
        size_t len = strlen(more);
        for (size_t i = 0; i < PH_COUNTOF(parts); i++) {
            size_t n = strlen(parts[i]);
            if (len + n < sizeof(more))
                memcpy(more + len, parts[i], n + 1);
            len += n;
        }
        ph_build_error(b, at, "`", text, more);
        return;
    }
    size_t count;
    const struct ph_word *list = ph_words(words, &count);
    struct ph_slice *names = ph_build_alloc(b, (count + 1) * sizeof(*names));
    for (size_t i = 0; i < count; i++)
        names[i] = list[i].name;
    ph_build_unknown(b, at, vocabulary_name(words), text, names, count);
}

static int32_t word_of(struct ph_build *b, const struct ph_yaml *at, enum ph_vocabulary words)
{
    struct ph_slice text = ph_build_text(b, at);
    int32_t number = ph_word_number(words, text);
    if (number >= 0)
        return number;
    if (at->kind == PH_YAML_TEXT && b->errors->count <= PH_PAGE_ERRORS_MAX)
        unknown_word(b, at, words, text);
    return 0;
}

/* ---- maps ------------------------------------------------------------------------------------ */

static const struct ph_map *read_map(struct ph_build *b, const struct ph_yaml *at,
                                     enum ph_vocabulary words)
{
    struct ph_map *map = ph_build_alloc(b, sizeof(*map));
    struct ph_map_entry *entries = ph_build_alloc(b, (at->count + 1) * sizeof(*entries));
    *map = (struct ph_map){.name = at->key, .vocabulary = words, .entries = entries};
    for (const struct ph_yaml *e = at->first; e != NULL; e = e->next) {
        int32_t number = word_of(b, e, words);
        if (ph_slice_eq(e->key, PH_S("else"))) {
            map->has_otherwise = true;
            map->otherwise = number;
        } else {
            entries[map->count++] = (struct ph_map_entry){e->key, number};
        }
    }
    if (at->count == 0)
        ph_build_error(b, at, "this map has no entries", PH_S(""), "");
    return map;
}

static void unknown_map(struct ph_build *b, const struct ph_yaml *at, struct ph_slice name)
{
    struct ph_slice known[PH_PAGE_MAPS_MAX];
    size_t count = 0;
    for (const struct ph_yaml *m = b->maps != NULL ? b->maps->first : NULL;
         m != NULL && count < PH_PAGE_MAPS_MAX; m = m->next)
        known[count++] = m->key;
    ph_build_unknown(b, at, "map (of the section `maps`)", name, known, count);
}

/* The page's map of that name, read once for each vocabulary it serves. */
static const struct ph_map *map_of(struct ph_build *b, const struct ph_yaml *at,
                                   struct ph_slice name, enum ph_vocabulary words)
{
    struct ph_yaml *found = b->maps != NULL ? b->maps->first : NULL;
    while (found != NULL && !ph_slice_eq(found->key, name))
        found = found->next;
    if (found == NULL) {
        unknown_map(b, at, name);
        return NULL;
    }
    found->used = true;
    if (!ph_build_is(b, found, PH_YAML_MAP))
        return NULL;
    for (size_t i = 0; i < b->built_map_count; i++)
        if (b->built_maps[i].at == found && b->built_maps[i].map->vocabulary == words)
            return b->built_maps[i].map;
    if (!ph_build_within(b, found, b->built_map_count + 1, PH_PAGE_MAPS_MAX, "more than 128 maps"))
        return NULL;
    const struct ph_map *map = read_map(b, found, words);
    b->built_maps[b->built_map_count++] = (struct ph_built_map){found, map};
    return map;
}

struct ph_choice ph_build_choice(struct ph_build *b, const struct ph_yaml *at,
                                 enum ph_vocabulary words)
{
    struct ph_choice choice = {0};
    if (at->kind != PH_YAML_TEXT) {
        ph_build_error(b, at, "a word or `map NAME VALUE` belongs here", PH_S(""), "");
        return choice;
    }
    struct ph_slice rest = at->text;
    if (!ph_slice_eq(ph_cut_word(&rest), PH_S("map"))) {
        choice.word = word_of(b, at, words);
        return choice;
    }
    struct ph_slice name = ph_cut_word(&rest);
    if (rest.len == 0) {
        ph_build_error(b, at, "a map is used as `map NAME VALUE`, not ", at->text, "");
        return choice;
    }
    choice.map = map_of(b, at, name, words);
    choice.of = ph_build_expr(b, at, rest);
    return choice;
}

/* ---- times ----------------------------------------------------------------------------------- */

struct ph_expr ph_build_time(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text,
                             enum ph_unit *ret)
{
    static const struct ph_slice words[] = {PH_SI("unix"), PH_SI("unix-ms"), PH_SI("iso")};
    static const enum ph_unit units[] = {PH_UNIT_UNIX, PH_UNIT_UNIX_MS, PH_UNIT_ISO};
    struct ph_slice rest = text, word = ph_cut_word(&rest);
    for (size_t i = 0; i < PH_COUNTOF(words); i++) {
        if (!ph_slice_eq(words[i], word))
            continue;
        *ret = units[i];
        return ph_build_expr(b, at, rest);
    }
    if (at->kind == PH_YAML_TEXT)
        ph_build_error(b, at, "a time begins with unix, unix-ms or iso, not `", word, "`");
    return (struct ph_expr){0};
}

/* ---- tests ----------------------------------------------------------------------------------- */

static bool is_decimal(struct ph_slice s)
{
    size_t digits = 0, points = 0;
    for (size_t i = s.len > 0 && s.ptr[0] == '-'; i < s.len; i++) {
        digits += s.ptr[i] >= '0' && s.ptr[i] <= '9';
        points += s.ptr[i] == '.';
    }
    return digits > 0 && points <= 1 && digits + points + (s.ptr[0] == '-') == s.len;
}

static void check_test(struct ph_build *b, const struct ph_yaml *e, struct ph_test *test)
{
    switch (test->op) {
    case PH_TEST_PRESENT:
        if (!ph_build_flag(b, e))
            test->op = PH_TEST_ABSENT;
        break;
    case PH_TEST_UTF8:
        if (!ph_build_flag(b, e) && ph_slice_eq(e->text, PH_S("false")))
            ph_build_error(b, e, "utf8 can only be asked for: true", PH_S(""), "");
        break;
    case PH_TEST_PREFIX:
    case PH_TEST_SHAPE:
    case PH_TEST_WITHOUT:
    case PH_TEST_OVER:
        if (test->value_count != 1 || test->values[0].len == 0)
            ph_build_error(b, e, "one text belongs here", PH_S(""), "");
        else if (test->op == PH_TEST_OVER && !is_decimal(test->values[0]))
            ph_build_error(b, e, "a decimal number belongs here, not `", test->values[0], "`");
        break;
    default:
        break;
    }
}

static void test_map(struct ph_build *b, const struct ph_yaml *at, struct ph_test *test)
{
    static const struct ph_slice known[] = {PH_SI("not"),        PH_SI("prefix"), PH_SI("present"),
                                            PH_SI("over"),       PH_SI("under"),  PH_SI("utf8"),
                                            PH_SI("media-type"), PH_SI("shape"),  PH_SI("without")};
    static const enum ph_test_op ops[] = {PH_TEST_NOT_ONE_OF, PH_TEST_PREFIX, PH_TEST_PRESENT,
                                          PH_TEST_OVER,       PH_TEST_UNDER,  PH_TEST_UTF8,
                                          PH_TEST_MEDIA_TYPE, PH_TEST_SHAPE,  PH_TEST_WITHOUT};
    const struct ph_yaml *e = at->first;
    if (at->count != 1) {
        ph_build_error(b, at,
                       "one test belongs here: not, prefix, present, over, under, utf8, "
                       "media-type, shape or without",
                       PH_S(""), "");
        return;
    }
    struct ph_yaml key = ph_yaml_key(e);
    size_t i = ph_build_word(b, &key, "test", e->key, WORDS(known));
    if (i != SIZE_MAX)
        test->op = ops[i];
    if (test->op == PH_TEST_UNDER) {
        test->against = ph_build_expr(b, e, ph_build_text(b, e));
        return;
    }
    struct ph_build_list list = ph_build_list(b, e);
    test->values = list.texts;
    test->value_count = list.count;
    if (i != SIZE_MAX)
        check_test(b, e, test);
}

void ph_build_expected(struct ph_build *b, const struct ph_yaml *at, struct ph_test *test)
{
    if (at->kind == PH_YAML_MAP) {
        test_map(b, at, test);
        return;
    }
    struct ph_build_list list = ph_build_list(b, at);
    test->values = list.texts;
    test->value_count = list.count;
}

struct ph_test *ph_build_tests(struct ph_build *b, const struct ph_yaml *map, uint16_t *ret_count)
{
    *ret_count = 0;
    if (map == NULL)
        return NULL;
    if (map->kind != PH_YAML_MAP || map->count == 0) {
        ph_build_error(b, map, "tests are written as VALUE: expected", PH_S(""), "");
        return NULL;
    }
    struct ph_test *tests = ph_build_alloc(b, map->count * sizeof(*tests));
    for (const struct ph_yaml *e = map->first; e != NULL; e = e->next) {
        struct ph_test *test = &tests[(*ret_count)++];
        struct ph_yaml key = ph_yaml_key(e);
        test->of = ph_build_many_expr(b, &key, e->key);
        ph_build_expected(b, e, test);
    }
    return tests;
}

/* ---- require --------------------------------------------------------------------------------- */

const struct ph_need *ph_build_needs(struct ph_build *b, const struct ph_yaml *map,
                                     uint16_t *ret_count)
{
    static const struct ph_slice types[] = {
        [PH_NEED_ANY] = PH_SI("any"),          [PH_NEED_STRING] = PH_SI("string"),
        [PH_NEED_INTEGER] = PH_SI("integer"),  [PH_NEED_NUMBER] = PH_SI("number"),
        [PH_NEED_DECIMAL] = PH_SI("decimal"),  [PH_NEED_BOOLEAN] = PH_SI("boolean"),
        [PH_NEED_OBJECT] = PH_SI("object"),    [PH_NEED_ARRAY] = PH_SI("array"),
        [PH_NEED_CURRENCY] = PH_SI("currency")};
    *ret_count = 0;
    if (!ph_build_is(b, map, PH_YAML_MAP))
        return NULL;
    struct ph_need *needs = ph_build_alloc(b, (map->count + 1) * sizeof(*needs));
    for (const struct ph_yaml *e = map->first; e != NULL; e = e->next) {
        struct ph_need *need = &needs[(*ret_count)++];
        struct ph_slice type = ph_build_text(b, e);
        struct ph_yaml key = ph_yaml_key(e);
        need->of = ph_build_expr(b, &key, e->key);
        need->optional = type.len > 0 && type.ptr[type.len - 1] == '?';
        type.len -= need->optional;
        size_t i =
            e->kind == PH_YAML_TEXT ? ph_build_word(b, e, "type", type, WORDS(types)) : SIZE_MAX;
        need->type = i == SIZE_MAX ? PH_NEED_ANY : (uint8_t)i;
    }
    return needs;
}
