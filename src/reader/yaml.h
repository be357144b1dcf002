/* YAML as a page needs it: maps, lists and plain texts, each with its place in the file. No
 * anchors, no aliases, no tags, no directives, no second document, no tabs; UTF-8 only; a key
 * that comes twice is an error. */
#ifndef PH_READER_YAML_H
#define PH_READER_YAML_H

#include "base/arena.h"
#include "base/limits.h"

struct ph_page_error {
    size_t line, column;
    struct ph_slice text; /* "connectors/acme.yaml:12:5: unknown key …" */
};
/* Collects; the caller zeroes it. Texts lie in the arena. An error told twice is kept once; beyond
 * PH_PAGE_ERRORS_MAX one last entry says that there are more. */
struct ph_page_errors {
    struct ph_page_error list[PH_PAGE_ERRORS_MAX + 1];
    size_t count;
    bool no_memory; /* an error got lost: nothing may be concluded from `count` */
};

enum ph_yaml_kind { PH_YAML_TEXT, PH_YAML_LIST, PH_YAML_MAP };
struct ph_yaml {
    enum ph_yaml_kind kind;
    size_t line, column;         /* from 1, columns in characters */
    size_t key_line, key_column; /* in a map */
    struct ph_slice key;         /* in a map */
    struct ph_slice text;        /* TEXT: never absent, NUL behind it */
    struct ph_yaml *first, *last, *next;
    size_t count; /* of members */
    bool used;    /* a map, let or block that something names */
};

/* The page's tree, in the arena. PH_OK may come with errors that leave the tree as it was meant
 * (a key twice, a text too long); PH_ERR_MALFORMED: there is none, `errors` says why. */
PH_MUST_USE enum ph_status ph_yaml_read(struct ph_arena *arena, struct ph_slice file,
                                        struct ph_slice text, struct ph_page_errors *errors,
                                        struct ph_yaml **ret);
/* The member of a map; NULL: none (or not a map). */
struct ph_yaml *ph_yaml_get(const struct ph_yaml *map, const char *key);
/* A member's key as a text of its own, where it stands. */
struct ph_yaml ph_yaml_key(const struct ph_yaml *member);
/* Whether the page's bytes are a text that means what it shows; else `errors` says where not.
 * (encoding.c) */
bool ph_yaml_encoding_ok(struct ph_arena *arena, struct ph_slice file, struct ph_slice text,
                         struct ph_page_errors *errors);

/* Notes "file:line:column: what", the parts run together: what they quote is cut short and made
 * harmless to print. (errors.c) */
void ph_page_error(struct ph_arena *arena, struct ph_page_errors *errors, struct ph_slice file,
                   size_t line, size_t column, const struct ph_slice *parts, size_t count);
/* In the order of the file. */
void ph_page_errors_sort(struct ph_page_errors *errors);

#endif
