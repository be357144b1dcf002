/* "did you mean": the known word with the fewest edits, if they are few. */
#include "reader/nearest.h"

enum { WORD_MAX = 48 };

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
