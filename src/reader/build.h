/* What the reader's files share: one page being read. Private to reader/.
 *
 * R1: nothing is held but the arena: when it is empty the page is given up at once, by a jump to
 *     ph_page_read, from wherever the reader is.
 * R2: every count that becomes a uint16_t or a loop within a loop has its limit in
 *     base/limits.h, checked before anything of that size is made.
 * R3: an error never ends the reading: what is wrong becomes an empty table, and the rest is
 *     looked at. */
#ifndef PH_READER_BUILD_H
#define PH_READER_BUILD_H

#include <setjmp.h>

#include "reader/nearest.h"
#include "reader/page.h"

enum { PH_READER_CAPTURES_MAX = 8 }; /* core's PH_CAPTURES_MAX */

/* A map of the page, read for one vocabulary. */
struct ph_built_map {
    const struct ph_yaml *at;
    const struct ph_map *map;
};

struct ph_build {
    struct ph_arena *arena;
    struct ph_slice file;
    struct ph_page_errors *errors;
    jmp_buf no_memory;
    const struct ph_config_field *config; /* the page's */
    size_t config_count;
    struct ph_yaml *maps; /* the section in force, or NULL */
    struct ph_built_map built_maps[PH_PAGE_MAPS_MAX];
    size_t built_map_count;
    const struct ph_pointer *inner; /* where the body holds the event's text, if it does */
    const struct ph_let *lets;      /* in force */
    struct ph_yaml *let_nodes[PH_PAGE_LETS_MAX];
    size_t let_pieces[PH_PAGE_LETS_MAX], let_depth[PH_PAGE_LETS_MAX];
    unsigned let_holds[PH_PAGE_LETS_MAX][2]; /* by `as_key` (holds.c) */
    size_t let_count;
    struct ph_slice
        captures[PH_READER_CAPTURES_MAX]; /* of the signature being read; [0] "signature" */
    size_t capture_count;
    struct ph_node *nodes; /* the pointers' tree so far, room for PH_POINTER_NODES_MAX */
    uint16_t *node_slots;  /* where a node is found again (nodes.c) */
    size_t node_count;
    bool many_fits;         /* a `*` may stand in the value being read */
    bool secrets;           /* `secret` means something here */
    size_t errors_before;   /* … the signature being read began */
    bool rules_crooked;     /* a rule did not read: what it takes is not known */
    bool signature_visible; /* {signature} is known here */
};

/* The texts of a list (one text counts as a list of one), with their places. */
struct ph_build_list {
    const struct ph_yaml **at;
    struct ph_slice *texts;
    uint16_t count;
};

/* ---- build.c --------------------------------------------------------------------------------- */
void *ph_build_alloc(struct ph_build *b, size_t bytes); /* zeroed; never NULL (R1) */
/* An error at a node: `what`, the page's own words, `more`. */
void ph_build_error(struct ph_build *b, const struct ph_yaml *at, const char *what,
                    struct ph_slice detail, const char *more);
/* The same at a member's key. */
void ph_build_error_key(struct ph_build *b, const struct ph_yaml *member, const char *what,
                        const char *more);
/* unknown `word`; did you mean `near`? */
void ph_build_unknown(struct ph_build *b, const struct ph_yaml *at, const char *what,
                      struct ph_slice word, const struct ph_slice *known, size_t count);
/* Whether the node is of that kind; else an error. NULL is not, without one. */
bool ph_build_is(struct ph_build *b, const struct ph_yaml *at, enum ph_yaml_kind kind);
/* The node's text; an error and an empty text where it is a list or a map. */
struct ph_slice ph_build_text(struct ph_build *b, const struct ph_yaml *at);
/* true or false, nothing else. */
bool ph_build_flag(struct ph_build *b, const struct ph_yaml *at);
/* A whole number between the two; an error and `least` otherwise. */
int32_t ph_build_number(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text,
                        int32_t least, int32_t most);
/* The word's place in `known`; SIZE_MAX and an error that tells the nearest: it is none of them. */
size_t ph_build_word(struct ph_build *b, const struct ph_yaml *at, const char *what,
                     struct ph_slice word, const struct ph_slice *known, size_t count);
/* False, with an error, when there are more than that. */
bool ph_build_within(struct ph_build *b, const struct ph_yaml *at, size_t count, size_t most,
                     const char *what);
/* Every key of the map must be one of `known` (a trailing '.' marks a prefix). False: not a map. */
bool ph_build_keys(struct ph_build *b, const struct ph_yaml *map, const struct ph_slice *known,
                   size_t count);
struct ph_build_list ph_build_list(struct ph_build *b, const struct ph_yaml *at);
/* A word cut off the front, up to a blank. */
struct ph_slice ph_cut_word(struct ph_slice *text);
/* Whether it is of a-z, 0-9, '_' and '-'. */
bool ph_is_name(struct ph_slice text);

/* ---- values.c: the value grammar ------------------------------------------------------------- */
struct ph_template ph_build_template(struct ph_build *b, const struct ph_yaml *at,
                                     struct ph_slice text);
struct ph_expr ph_build_expr(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text);
/* The same, where one pointer with `*` may stand alone for many values. */
struct ph_expr ph_build_many_expr(struct ph_build *b, const struct ph_yaml *at,
                                  struct ph_slice text);
struct ph_pointer *ph_build_pointer(struct ph_build *b, const struct ph_yaml *at,
                                    struct ph_slice text);
/* A pointer to one place, or to many where they fit. */
struct ph_pointer *ph_build_place(struct ph_build *b, const struct ph_yaml *at,
                                  struct ph_slice text);
struct ph_piece ph_build_ref(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text);
/* Whether a let or a name of a layout would hide a word of the language. */
bool ph_is_reference_word(struct ph_slice name);

/* ---- nodes.c --------------------------------------------------------------------------------- */
/* Starts the page's tree of pointers; notes one in it, telling the pointer where it leads; and
 * gives every node its table of children. */
void ph_nodes_start(struct ph_build *b);
void ph_nodes_note(struct ph_build *b, const struct ph_yaml *at, struct ph_pointer *pointer);
void ph_nodes_end(struct ph_build *b, struct ph_connector *connector);

/* ---- filters.c ------------------------------------------------------------------------------- */
/* The filters of "ref|a|b:c"; cut off `text`. */
const struct ph_filter *ph_build_filters(struct ph_build *b, const struct ph_yaml *at,
                                         struct ph_slice *text, uint16_t *ret_count);

/* ---- choices.c: words, maps, tests, times ---------------------------------------------------- */
struct ph_choice ph_build_choice(struct ph_build *b, const struct ph_yaml *at,
                                 enum ph_vocabulary words);
struct ph_test *ph_build_tests(struct ph_build *b, const struct ph_yaml *map, uint16_t *ret_count);
/* What a test expects: a text, a list, or `{ shape: … }` and the like. */
void ph_build_expected(struct ph_build *b, const struct ph_yaml *at, struct ph_test *test);
const struct ph_need *ph_build_needs(struct ph_build *b, const struct ph_yaml *map,
                                     uint16_t *ret_count);
/* "unix V", "iso V", …: the unit, and V. */
struct ph_expr ph_build_time(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text,
                             enum ph_unit *ret);

/* ---- holds.c: what a text is made of --------------------------------------------------------- */
enum {
    PH_HOLDS_SECRET = 1,  /* secret or secret2, whole */
    PH_HOLDS_CONFIG = 2,  /* a config field that may be a secret, whole */
    PH_HOLDS_PUBLIC = 4,  /* a config field that is none: certificates, addresses */
    PH_HOLDS_REQUEST = 8, /* something the sender chooses */
    PH_HOLDS_CUT = 16,    /* a secret that a filter may have left nothing of */
    PH_HOLDS_FETCHED = 32 /* an answer of the processor's API */
};
/* `as_key`: the engine refuses the text when it comes out empty. */
unsigned ph_template_holds(const struct ph_build *b, const struct ph_template *t, bool as_key);
/* Whether no filter makes what it reads less than it is. */
bool ph_piece_is_whole(const struct ph_piece *p);
/* Keeps what a let holds, once it is read: lets that name it then need not look into it again. */
void ph_note_let(struct ph_build *b, size_t index);
unsigned ph_expr_holds(const struct ph_build *b, const struct ph_expr *e);
bool ph_config_is_public(struct ph_slice name);

/* ---- sections -------------------------------------------------------------------------------- */
struct ph_signature *ph_build_signatures(struct ph_build *b, const struct ph_yaml *at,
                                         uint16_t *ret_count);
/* What would let a request verify that nobody signed. (proof.c) */
void ph_check_signature(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig);
void ph_build_layouts(struct ph_build *b, const struct ph_yaml *at, struct ph_signature *sig);
/* Every name the message and the time use is caught wherever there is a signature. (layouts.c) */
void ph_check_captures(struct ph_build *b, const struct ph_yaml *at,
                       const struct ph_signature *sig);
const struct ph_fetch *ph_build_fetch(struct ph_build *b, const struct ph_yaml *at,
                                      enum ph_fetch_kind kind);
const struct ph_header_template *ph_build_headers(struct ph_build *b, const struct ph_yaml *map,
                                                  uint16_t *ret_count);
bool ph_build_kind(struct ph_build *b, const struct ph_yaml *at, enum ph_signature_kind *ret_kind,
                   enum ph_hash *ret_hash);
enum ph_encoding ph_build_encoding(struct ph_build *b, const struct ph_yaml *at);
void ph_build_lets(struct ph_build *b, struct ph_yaml *at, struct ph_variant *v);
/* Whether a scheme is a JWS in a header or in the query that has a payload of its own. (proof.c) */
bool ph_is_bare_token(const struct ph_signature *sig);
/* Whether a scheme's signed text holds what `piece` reads of the request. (proof.c) */
bool ph_piece_is_signed(const struct ph_build *b, const struct ph_signature *sig,
                        const struct ph_piece *piece);
/* `at` NULL: an error at `page`. Needs the variant's signatures and event type. (keys.c) */
void ph_build_dedupe(struct ph_build *b, const struct ph_yaml *at, const struct ph_yaml *page,
                     struct ph_variant *v);
void ph_build_body(struct ph_build *b, const struct ph_yaml *at, struct ph_variant *v);
void ph_build_event(struct ph_build *b, const struct ph_yaml *at, struct ph_variant *v);
/* A page's `handshake`; NULL: it has none. */
const struct ph_handshake *ph_build_handshake(struct ph_build *b, const struct ph_yaml *at);
void ph_build_reply(struct ph_build *b, const struct ph_yaml *at, bool ack, struct ph_variant *v,
                    struct ph_reply *reply);

/* A block under construction, with its node. */
struct ph_built_blocks {
    struct ph_block *list;
    struct ph_yaml **at;
    size_t count;
};
/* "payment", "refund.late": which kind of block a key names; PH_KIND_NONE: none. */
enum ph_kind ph_block_kind(struct ph_slice key);
enum ph_vocabulary ph_block_words(enum ph_kind kind);
/* The blocks of a variant: its own, then the page's that it does not replace. (blocks.c) */
void ph_build_blocks(struct ph_build *b, const struct ph_yaml *own, const struct ph_yaml *page,
                     struct ph_built_blocks *ret);
bool ph_block_reads_fetched(const struct ph_build *b, const struct ph_block *block);
void ph_build_rules(struct ph_build *b, const struct ph_yaml *rules,
                    const struct ph_built_blocks *blocks, struct ph_variant *v);
/* Groups the rules by event type, and tells of those that no event reaches. (groups.c) */
void ph_build_groups(struct ph_build *b, const struct ph_yaml *rules, struct ph_variant *v);

#endif
