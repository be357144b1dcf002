/* "did you mean": the known word with the fewest edits, if they are few. */
#include "reader/nearest.h"

enum { WORD_MAX = 48, LISTED_MAX = 12 };

static size_t distance(struct ph_slice a, struct ph_slice b)
{
    size_t row[WORD_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            diagonal = row[j];
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < best ? change : best;
        }
    }
    return row[b.len];
}

struct ph_slice ph_nearest(struct ph_slice word, const struct ph_slice *known, size_t count)
{
    struct ph_slice best = {0};
    size_t least = SIZE_MAX;
    if (word.len == 0 || word.len > WORD_MAX)
        return best;
    for (size_t i = 0; i < count; i++) {
        size_t d = known[i].len <= WORD_MAX ? distance(word, known[i]) : SIZE_MAX;
        if (d < least) {
            least = d;
            best = known[i];
        }
    }
    return least <= 1 + word.len / 3 ? best : (struct ph_slice){0};
}

/* Words of the schema are in capitals, and people write them small. */
static struct ph_slice nearest_of_both(struct ph_slice word, const struct ph_slice *known,
                                       size_t count)
{
    char capitals[WORD_MAX];
    struct ph_slice near = ph_nearest(word, known, count);
    if (near.len > 0 || word.len > sizeof capitals)
        return near;
    for (size_t i = 0; i < word.len; i++)
        capitals[i] =
            (char)(word.ptr[i] >= 'a' && word.ptr[i] <= 'z' ? word.ptr[i] - 32 : word.ptr[i]);
    return ph_nearest(ph_slice_of(capitals, word.len), known, count);
}

static void put(char *text, size_t *len, struct ph_slice part)
{
    if (text != NULL && part.len > 0)
        memcpy(text + *len, part.ptr, part.len);
    *len += part.len;
}

/* With text NULL: how long it is. */
static size_t write_unknown(char *text, struct ph_slice what, struct ph_slice shown,
                            struct ph_slice near, const struct ph_slice *known, size_t count)
{
    size_t len = 0;
    put(text, &len, what);
    put(text, &len, PH_S(" "));
    put(text, &len, shown);
    if (near.len > 0) {
        put(text, &len, PH_S("; did you mean \""));
        put(text, &len, near);
        put(text, &len, PH_S("\"?"));
    }
    for (size_t i = 0; near.len == 0 && count <= LISTED_MAX && i < count; i++) {
        put(text, &len, i == 0 ? PH_S("; known: ") : PH_S(", "));
        put(text, &len, known[i]);
    }
    return len;
}

struct ph_slice ph_unknown(struct ph_arena *arena, struct ph_slice what, struct ph_slice shown,
                           struct ph_slice word, const struct ph_slice *known, size_t count)
{
    struct ph_slice near = nearest_of_both(word, known, count);
    char *text = ph_arena_alloc(arena, write_unknown(NULL, what, shown, near, known, count) + 1);
    if (text == NULL)
        return (struct ph_slice){0};
    return ph_slice_of(text, write_unknown(text, what, shown, near, known, count));
}
