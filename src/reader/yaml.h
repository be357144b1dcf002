/* YAML as a page needs it: maps, lists and plain texts, each with its place in the file. No anchors, no
 * aliases, no tags, no second document; a key that comes twice is an error. */
#ifndef PH_READER_YAML_H
#define PH_READER_YAML_H

#include "base/arena.h"

enum { PH_PAGE_BYTES_MAX = 512 * 1024, PH_PAGE_DEPTH_MAX = 16, PH_PAGE_ERRORS_MAX = 20, PH_PAGE_NODES_MAX = 50000 };

struct ph_page_error {
    struct ph_slice text; /* "connectors/acme.yaml:12:5: unknown key …" */
};
/* Collects; the caller zeroes it. Texts lie in the arena. */
struct ph_page_errors {
    struct ph_page_error list[PH_PAGE_ERRORS_MAX];
    size_t count;
};

enum ph_yaml_kind { PH_YAML_TEXT, PH_YAML_LIST, PH_YAML_MAP };
struct ph_yaml {
    enum ph_yaml_kind kind;
    size_t line, column;  /* from 1 */
    struct ph_slice key;  /* in a map */
    struct ph_slice text; /* TEXT */
    bool quoted;
    struct ph_yaml *first, *last, *next;
    bool used;            /* a key that the reader looked at */
};

/* NULL on error (told in `errors`). Lives in the arena. */
struct ph_yaml *ph_yaml_read(struct ph_arena *arena, struct ph_slice file, struct ph_slice text,
                             struct ph_page_errors *errors);
/* The member of a map, marked used; NULL: none. */
struct ph_yaml *ph_yaml_get(struct ph_yaml *map, const char *key);
/* Appends "file:line:column: what". */
void ph_page_error(struct ph_arena *arena, struct ph_page_errors *errors, struct ph_slice file, size_t line,
                   size_t column, const struct ph_slice *parts, size_t count);

#endif
