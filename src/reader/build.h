/* What the reader's files share: one page being read. Private to reader/. */
#ifndef PH_READER_BUILD_H
#define PH_READER_BUILD_H

#include "reader/page.h"

enum { PH_NAMES_MAX = 64, PH_NODES_MAX = 1024 };

struct ph_build {
    struct ph_arena *arena;
    struct ph_slice file;
    struct ph_page_errors *errors;
    struct ph_yaml *maps; /* the section, or NULL */
    const struct ph_let *lets;
    size_t let_count;
    struct ph_slice captures[8]; /* of the signature being read; [0] "signature" */
    size_t capture_count;
    bool many_fits; /* a `*` may stand in the value being read */
    struct ph_node *nodes; /* of the pointers so far, room for PH_NODES_MAX */
    size_t node_count;
    bool no_memory;
};

void *ph_build_alloc(struct ph_build *b, size_t bytes); /* zeroed; never NULL: a spill area on no memory */
/* An error at a node: parts run together. */
void ph_build_error(struct ph_build *b, const struct ph_yaml *at, const char *what, struct ph_slice detail,
                    const char *more);
/* The nearest of `known` to `word` for "did you mean"; absent: none is near. (nearest.c) */
struct ph_slice ph_nearest(struct ph_slice word, const struct ph_slice *known, size_t count);
/* unknown `word`; did you mean `near`? */
void ph_build_unknown(struct ph_build *b, const struct ph_yaml *at, const char *what, struct ph_slice word,
                      const struct ph_slice *known, size_t count);
/* Every key of the map must be one of `known` (a trailing '.' marks a prefix). */
void ph_build_keys(struct ph_build *b, struct ph_yaml *map, const struct ph_slice *known, size_t count);

/* The value grammar. (values.c) */
struct ph_template ph_build_template(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text);
struct ph_expr ph_build_expr(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text);
/* The same, where one pointer with `*` may stand alone for many values. */
struct ph_expr ph_build_many_expr(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text);
struct ph_pointer *ph_build_pointer(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text);
/* Starts the page's tree of pointers; notes one in it, telling the pointer where it leads; and gives every
 * node its table of children. (nodes.c) */
void ph_nodes_start(struct ph_build *b);
void ph_nodes_note(struct ph_build *b, const struct ph_yaml *at, struct ph_pointer *pointer);
void ph_nodes_end(struct ph_build *b, struct ph_connector *connector);
struct ph_piece ph_build_ref(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text);
struct ph_choice ph_build_choice(struct ph_build *b, const struct ph_yaml *at, enum ph_vocabulary words);
struct ph_test *ph_build_tests(struct ph_build *b, struct ph_yaml *map, uint16_t *ret_count);
const struct ph_slice *ph_build_list(struct ph_build *b, const struct ph_yaml *at, uint16_t *ret_count);
/* "unix V", "iso V", …: cuts the unit word. False: no such word. */
bool ph_build_time_unit(struct ph_slice *text, enum ph_unit *ret);
/* A word cut off the front, up to a blank. */
struct ph_slice ph_cut_word(struct ph_slice *text);

/* Sections. */
struct ph_signature *ph_build_signatures(struct ph_build *b, struct ph_yaml *at, uint16_t *ret_count);
const struct ph_fetch *ph_build_fetch(struct ph_build *b, struct ph_yaml *at, enum ph_fetch_kind kind);
const struct ph_header_template *ph_build_headers(struct ph_build *b, struct ph_yaml *map, uint16_t *ret_count);
bool ph_build_kind(struct ph_slice name, enum ph_signature_kind *ret_kind, enum ph_hash *ret_hash);
bool ph_build_encoding(struct ph_slice name, enum ph_encoding *ret);
void ph_build_rules(struct ph_build *b, struct ph_yaml *page, struct ph_variant *variant);
const struct ph_need *ph_build_needs(struct ph_build *b, struct ph_yaml *map, uint16_t *ret_count);

#endif
