/* Cases as files: what is wrong in a page, how it is mended, what is said of it.
 *
 *     # a comment, blank lines between cases
 *     - wrong lines
 *     + the right ones
 *       7:3: an error, without the file's name; all of them, in order */
#ifndef PH_TESTS_MENDS_H
#define PH_TESTS_MENDS_H

#include "pages.h"

enum { MEND_BYTES = 4096 };

struct mend {
    char wrong[MEND_BYTES], right[MEND_BYTES], told[MEND_BYTES];
};

static inline char *mends_file(const char *name)
{
    char path[MEND_BYTES];
    snprintf(path, sizeof(path), "%s/tests/unit/pages/%s", PAYHOOK_SOURCE_DIR, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *text = calloc(1, PH_PAGE_BYTES_MAX);
    assert_non_null(text);
    size_t len = fread(text, 1, PH_PAGE_BYTES_MAX - 1, f);
    assert_true(len > 0 && len < PH_PAGE_BYTES_MAX - 1);
    fclose(f);
    return text;
}

/* One more line, parted from those before it. */
static inline void mend_add(char *to, const char *before, const char *line, size_t len)
{
    size_t used = strlen(to);
    int n = snprintf(to + used, MEND_BYTES - used, "%s%s%.*s", used > 0 ? "\n" : "", before,
                     (int)len, line);
    assert_true(n >= 0 && (size_t)n < MEND_BYTES - used);
}

/* The next case; false: there is none. */
static inline bool mend_next(const char **at, struct mend *ret)
{
    *ret = (struct mend){0};
    while (**at != '\0') {
        size_t len = strcspn(*at, "\n");
        const char *line = *at;
        *at += len + (line[len] == '\n');
        if (len == 0 && ret->told[0] != '\0')
            return true;
        if (len > 1 && strncmp(line, "- ", 2) == 0)
            mend_add(ret->wrong, "", line + 2, len - 2);
        else if (len > 1 && strncmp(line, "+ ", 2) == 0)
            mend_add(ret->right, "", line + 2, len - 2);
        else if (len > 1 && strncmp(line, "  ", 2) == 0)
            mend_add(ret->told, "acme.yaml:", line + 2, len - 2);
        else
            assert_true(len == 0 || line[0] == '#');
    }
    return ret->told[0] != '\0';
}

#endif
