/* What every section needs: memory, errors, and the small shapes (texts, words, flags, numbers,
 * lists). */
#include "reader/build.h"

/* ---- memory and errors ----------------------------------------------------------------------- */

void *ph_build_alloc(struct ph_build *b, size_t bytes)
{
    void *ptr = ph_arena_zalloc(b->arena, bytes);
    if (ptr == NULL)
        longjmp(b->no_memory, 1); /* R1 */
    return ptr;
}

static void tell(struct ph_build *b, const struct ph_yaml *at, const struct ph_slice *parts,
                 size_t count)
{
    ph_page_error(b->arena, b->errors, b->file, at->line, at->column, parts, count);
    if (b->errors->no_memory)
        longjmp(b->no_memory, 1);
}

void ph_build_error(struct ph_build *b, const struct ph_yaml *at, const char *what,
                    struct ph_slice detail, const char *more)
{
    struct ph_slice parts[] = {ph_slice_str(what), detail, ph_slice_str(more)};
    tell(b, at, parts, PH_COUNTOF(parts));
}

void ph_build_error_key(struct ph_build *b, const struct ph_yaml *member, const char *what,
                        const char *more)
{
    struct ph_yaml key = ph_yaml_key(member);
    ph_build_error(b, &key, what, member->key, more);
}

/* "; known: a, b, c", where the words are few enough to read. */
static struct ph_slice all_of(struct ph_build *b, const struct ph_slice *known, size_t count)
{
    enum { LISTED_MAX = 12 };
    struct ph_slice head = PH_S("; known: "), comma = PH_S(", ");
    if (count == 0 || count > LISTED_MAX)
        return PH_S("");
    size_t len = 0, room = head.len;
    for (size_t i = 0; i < count; i++)
        room += known[i].len + comma.len;
    char *out = ph_build_alloc(b, room);
    for (size_t i = 0; i < count; i++) {
        struct ph_slice between = i == 0 ? head : comma;
        memcpy(out + len, between.ptr, between.len);
        len += between.len;
        if (known[i].len > 0)
            memcpy(out + len, known[i].ptr, known[i].len);
        len += known[i].len;
    }
    return ph_slice_of(out, len);
}

void ph_build_unknown(struct ph_build *b, const struct ph_yaml *at, const char *what,
                      struct ph_slice word, const struct ph_slice *known, size_t count)
{
    if (b->errors->count > PH_PAGE_ERRORS_MAX)
        return; /* told by nobody: not worth the search for the nearest word */
    struct ph_slice near = ph_nearest(word, known, count);
    bool found = near.len > 0;
    struct ph_slice parts[] = {PH_S("unknown "),
                               ph_slice_str(what),
                               PH_S(" `"),
                               word,
                               found ? PH_S("`; did you mean `") : PH_S("`"),
                               found ? near : all_of(b, known, count),
                               found ? PH_S("`?") : PH_S("")};
    tell(b, at, parts, PH_COUNTOF(parts));
}

/* ---- shapes ---------------------------------------------------------------------------------- */

bool ph_build_is(struct ph_build *b, const struct ph_yaml *at, enum ph_yaml_kind kind)
{
    static const char *const wanted[] = {[PH_YAML_TEXT] = "a plain text belongs here",
                                         [PH_YAML_LIST] = "a list belongs here",
                                         [PH_YAML_MAP] = "a map belongs here"};
    static const char *const found[] = {[PH_YAML_TEXT] = ", not a text",
                                        [PH_YAML_LIST] = ", not a list",
                                        [PH_YAML_MAP] = ", not a map"};
    if (at != NULL && at->kind != kind)
        ph_build_error(b, at, wanted[kind], PH_S(""), found[at->kind]);
    return at != NULL && at->kind == kind;
}

struct ph_slice ph_build_text(struct ph_build *b, const struct ph_yaml *at)
{
    return ph_build_is(b, at, PH_YAML_TEXT) ? at->text : PH_S("");
}

size_t ph_build_word(struct ph_build *b, const struct ph_yaml *at, const char *what,
                     struct ph_slice word, const struct ph_slice *known, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ph_slice_eq(known[i], word))
            return i;
    ph_build_unknown(b, at, what, word, known, count);
    return SIZE_MAX;
}

bool ph_build_flag(struct ph_build *b, const struct ph_yaml *at)
{
    struct ph_slice text = ph_build_text(b, at);
    bool yes = ph_slice_eq(text, PH_S("true"));
    if (!yes && !ph_slice_eq(text, PH_S("false")) && at->kind == PH_YAML_TEXT)
        ph_build_error(b, at, "true or false belongs here, not `", text, "`");
    return yes;
}

static struct ph_slice decimal(struct ph_build *b, int32_t n)
{
    enum { DIGITS = 10 };
    char *out = ph_build_alloc(b, DIGITS);
    size_t at = DIGITS;
    do {
        out[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    return ph_slice_of(out + at, DIGITS - at);
}

int32_t ph_build_number(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text,
                        int32_t least, int32_t most)
{
    int64_t n = text.len > 0 ? 0 : -1;
    for (size_t i = 0; i < text.len && n >= 0; i++) {
        bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        n = digit && n <= most ? n * 10 + (text.ptr[i] - '0') : -1;
    }
    if (n >= least && n <= most)
        return (int32_t)n;
    if (at->kind == PH_YAML_TEXT) {
        struct ph_slice parts[] = {PH_S("a whole number from "),
                                   decimal(b, least),
                                   PH_S(" to "),
                                   decimal(b, most),
                                   PH_S(" belongs here, not `"),
                                   text,
                                   PH_S("`")};
        tell(b, at, parts, PH_COUNTOF(parts));
    }
    return least;
}

bool ph_build_within(struct ph_build *b, const struct ph_yaml *at, size_t count, size_t most,
                     const char *what)
{
    if (count <= most)
        return true;
    ph_build_error(b, at, what, PH_S(""), "; a page has no need of so many");
    return false;
}

bool ph_build_keys(struct ph_build *b, const struct ph_yaml *map, const struct ph_slice *known,
                   size_t count)
{
    if (!ph_build_is(b, map, PH_YAML_MAP))
        return false;
    for (const struct ph_yaml *e = map->first; e != NULL; e = e->next) {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++) {
            bool prefix = known[i].ptr[known[i].len - 1] == '.';
            found = ph_slice_eq(known[i], e->key) ||
                    (prefix && ph_slice_starts(e->key, known[i]) && e->key.len > known[i].len);
        }
        if (!found) {
            struct ph_yaml key = ph_yaml_key(e);
            ph_build_unknown(b, &key, "key", e->key, known, count);
        }
    }
    return true;
}

struct ph_build_list ph_build_list(struct ph_build *b, const struct ph_yaml *at)
{
    size_t count = at->kind == PH_YAML_TEXT ? 1 : at->count;
    struct ph_build_list out = {.at = ph_build_alloc(b, (count + 1) * sizeof(*out.at)),
                                .texts = ph_build_alloc(b, (count + 1) * sizeof(*out.texts))};
    if (at->kind == PH_YAML_MAP || count == 0)
        ph_build_error(b, at,
                       at->kind == PH_YAML_MAP ? "a text or a list belongs here, not a map"
                                               : "this list is empty; leave it out",
                       PH_S(""), "");
    const struct ph_yaml *e = at->kind == PH_YAML_TEXT   ? at
                              : at->kind == PH_YAML_LIST ? at->first
                                                         : NULL;
    for (; e != NULL; e = at->kind == PH_YAML_TEXT ? NULL : e->next) {
        out.at[out.count] = e;
        out.texts[out.count++] = ph_build_text(b, e);
    }
    return out;
}

struct ph_slice ph_cut_word(struct ph_slice *text)
{
    *text = ph_slice_trim(*text);
    size_t end = ph_slice_find(*text, PH_S(" "), 0);
    struct ph_slice word = end == SIZE_MAX ? *text : ph_slice_of(text->ptr, end);
    *text = ph_slice_trim(ph_slice_from(*text, word.len));
    return word;
}

bool ph_is_name(struct ph_slice text)
{
    bool good = text.len > 0;
    for (size_t i = 0; i < text.len && good; i++) {
        char c = text.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    }
    return good;
}
