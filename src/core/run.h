/* What one engine call carries from step to step. Private to core/.
 *
 * run.c builds it (decode the body, choose the variant, split items), value.c evaluates the page's
 * values over it, verify.c judges the signature, sign.c makes one, rules.c and content.c say what
 * happened, keys.c names it, engine.c runs them in order. */
#ifndef PH_CORE_RUN_H
#define PH_CORE_RUN_H

#include <yyjson.h>

#include "core/engine.h"

enum { PH_CAPTURES_MAX = 8, PH_LETS_MAX = 16 };

/* What a currency code means to the processor (content.c). */
struct ph_money_unit {
    struct ph_slice code;
    const struct ph_currency *currency; /* NULL: none that an answer can carry */
    int decimals;                       /* the processor's */
};

/* What has been seen of one event (point.c, P1). */
struct ph_seen {
    yyjson_val *tree; /* NULL: nothing was looked at */
    /* the same, as nearly always; &nobody: a key of it that is named comes twice */
    yyjson_val *clear;
    yyjson_val **values; /* one for each of the connector's nodes; NULL: not there */
    uint16_t *twice;     /* … the node on the way to it whose key comes twice; 0: none */
    yyjson_val nobody;
};

struct ph_run {
    struct ph_worker *worker;
    struct ph_arena *arena;
    const struct ph_input *in;
    const struct ph_connector *connector;
    const struct ph_variant *variant;
    yyjson_val *outer;   /* the body as sent, as a tree (form and XML too); NULL: text */
    yyjson_val *root;    /* the decoded document; == outer without `inner` */
    yyjson_val *item;    /* the event: root, or one item of it */
    yyjson_val *fetched; /* NULL: not there */
    yyjson_val *jws; /* protected header: while a JWS is judged or signed, and of a verified one */
    yyjson_val *claims; /* the object it carries, where it is not detached; as long */
    /* a text that is known to be UTF-8: the last JSON that was read so (document.c, D4) */
    struct ph_slice utf8;
    struct ph_seen seen;
    struct ph_money_unit money; /* the last that was asked for */
    struct ph_slice type;
    struct ph_slice secret, secret2; /* being tried; absent between tries */
    struct ph_slice captures[PH_CAPTURES_MAX];
    struct ph_slice unique;
    /* The first ambiguity met (a key or header that comes twice, differing), as text; sticky
     * until the caller clears it. Absent: none. */
    struct ph_slice ambiguous;
    bool ambiguous_head; /* it is of the request's head, not of its body */
    struct ph_trace_step *trace;
    size_t trace_count, trace_room;
};

/* Texts of values. *ret is {NULL,0} when absent (missing, null, object or array without a filter
 * that takes one). PH_ERR_NO_MEMORY only. Numbers give their source token, booleans true/false.
 * Text points into the document, the input or the arena. (value.c) */
PH_MUST_USE enum ph_status ph_eval_piece(struct ph_run *run, const struct ph_piece *piece,
                                         struct ph_slice *ret);
PH_MUST_USE enum ph_status ph_eval_template(struct ph_run *run, const struct ph_template *t,
                                            struct ph_slice *ret);
PH_MUST_USE static inline enum ph_status
ph_eval_expr(struct ph_run *run, const struct ph_expr *expr, struct ph_slice *ret);
/* What ph_eval_expr does where the expression is more than one of the connector's nodes. */
PH_MUST_USE enum ph_status ph_eval_alternatives(struct ph_run *run, const struct ph_expr *expr,
                                                struct ph_slice *ret);
/* Text of a JSON scalar; absent for null, objects, arrays and what is not there (NULL). */
static inline struct ph_slice ph_json_text(yyjson_val *value);
/* All of the tests hold. */
PH_MUST_USE static inline enum ph_status
ph_eval_tests(struct ph_run *run, const struct ph_test *tests, size_t count, bool *ret);
/* The same where there are any. */
PH_MUST_USE enum ph_status ph_eval_some_tests(struct ph_run *run, const struct ph_test *tests,
                                              size_t count, bool *ret);
PH_MUST_USE static inline enum ph_status
ph_eval_choice(struct ph_run *run, const struct ph_choice *choice, int32_t *ret);
/* The same where a map chooses. */
PH_MUST_USE enum ph_status ph_eval_map(struct ph_run *run, const struct ph_choice *choice,
                                       int32_t *ret);
/* A pointer's value in a tree; NULL: not there. Notes run->ambiguous on a doubled key. (point.c) */
yyjson_val *ph_point(struct ph_run *run, yyjson_val *from, const struct ph_pointer *pointer);
/* Makes room in run->seen for the connector's nodes; looks at run->item, or notes that what was
 * found at the node is ambiguous, if it is. (point.c) */
PH_MUST_USE enum ph_status ph_point_room(struct ph_run *run);
yyjson_val *ph_point_anew(struct ph_run *run, uint16_t node);
/* As ph_point, for one of the connector's nodes, in run->item. */
static inline yyjson_val *ph_point_node(struct ph_run *run, uint16_t node);
/* A header by name; absent: none. Twice with different values: run->ambiguous, and the first. */
struct ph_slice ph_run_header(struct ph_run *run, struct ph_slice name);
static inline struct ph_slice ph_run_config(const struct ph_run *run, struct ph_slice name);
/* The same where there is any. */
struct ph_slice ph_run_some_config(const struct ph_run *run, struct ph_slice name);
/* Of the request line, without '?'; the query as the caller gives it apart, or else the URI's.
 * (run.c) */
struct ph_slice ph_run_path(const struct ph_run *run);
struct ph_slice ph_run_query(const struct ph_run *run);

/* JSON text to a tree in the worker's parser pool (numbers raw, invalid UTF-8 let through, no
 * BOM, no trailing text, depth at most PH_DEPTH_MAX); NULL: not JSON, *ret_why says what and
 * where. (document.c) */
yyjson_val *ph_read_json(struct ph_run *run, struct ph_slice text, struct ph_slice *ret_why);
yyjson_val *ph_read_form(struct ph_run *run, struct ph_slice text, struct ph_slice *ret_why);
yyjson_val *ph_read_xml(struct ph_run *run, struct ph_slice text, struct ph_slice *ret_why);

/* Chooses the variant (`only`: that one) and decodes the body: run->outer, ->root.
 * *ret_error not PH_E_NONE: it does not read, *ret_why says what and where. (run.c) */
PH_MUST_USE enum ph_status ph_run_open(struct ph_run *run, struct ph_worker *worker,
                                       const struct ph_input *in, const struct ph_variant *only,
                                       struct ph_slice *ret_why, enum ph_error_code *ret_error);
/* Events in the request, and the tree of one; NULL: that element has no such inside. (run.c) */
size_t ph_run_item_count(struct ph_run *run);
yyjson_val *ph_run_next_item(struct ph_run *run, size_t index);
/* Room for a document of the request. (run.c) */
bool ph_run_pool(struct ph_run *run, size_t bytes, yyjson_alc *ret);
/* Describes a request for the caller to make; *ret NULL when its URL is not https on an allowed
 * host (*ret stays NULL, which for key material is a forgery's mark). (callout.c) */
PH_MUST_USE enum ph_status ph_make_callout(struct ph_run *run, const struct ph_fetch *fetch,
                                           const struct ph_callout **ret);
/* {signature} of a signed reply; absent: its key is missing. (sign.c) */
PH_MUST_USE enum ph_status ph_sign_reply(struct ph_run *run, const struct ph_reply *reply,
                                         struct ph_slice *ret_signature);

/* Judges the event in run->item by variant->signatures: verdict, verdict_reason, matched_secret,
 * covers; sets *ret_callout when the network is needed. Trace steps when in->explain. (verify.c) */
PH_MUST_USE enum ph_status ph_verify(struct ph_run *run, struct ph_event *event,
                                     const struct ph_callout **ret_callout);

/* Appends a trace step when in->explain; never a key. */
void ph_trace(struct ph_run *run, struct ph_slice label, struct ph_slice text);

/* "what: detail" in the arena, for messages. printf-like formats are not used above the I/O
 * line. */
struct ph_slice ph_join(struct ph_run *run, const struct ph_slice *parts, size_t count);

/* ---- inline: what is asked of every field of every event ------------------------------------- */

static inline yyjson_val *ph_point_node(struct ph_run *run, uint16_t node)
{
    return run->seen.clear == run->item ? run->seen.values[node] : ph_point_anew(run, node);
}

static inline struct ph_slice ph_run_config(const struct ph_run *run, struct ph_slice name)
{
    return run->in->config_count == 0 ? (struct ph_slice){0} : ph_run_some_config(run, name);
}

static inline struct ph_slice ph_json_text(yyjson_val *value)
{
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_STR:
    case YYJSON_TYPE_RAW:
        return ph_slice_of(unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value));
    case YYJSON_TYPE_BOOL:
        return yyjson_get_bool(value) ? PH_S("true") : PH_S("false");
    default:
        return (struct ph_slice){0};
    }
}

static inline enum ph_status ph_eval_tests(struct ph_run *run, const struct ph_test *tests,
                                           size_t count, bool *ret)
{
    *ret = true; /* most things have none */
    return count == 0 ? PH_OK : ph_eval_some_tests(run, tests, count, ret);
}

static inline enum ph_status ph_eval_choice(struct ph_run *run, const struct ph_choice *choice,
                                            int32_t *ret)
{
    *ret = choice->word;
    return choice->map == NULL ? PH_OK : ph_eval_map(run, choice, ret);
}

static inline enum ph_status ph_eval_expr(struct ph_run *run, const struct ph_expr *expr,
                                          struct ph_slice *ret)
{
    /* apart, so that the usual value stays in registers: read whole right after it was written
     * in halves, it would wait for the store */
    struct ph_slice text;
    if (expr->node == 0) {
        enum ph_status st = ph_eval_alternatives(run, expr, &text);
        *ret = ph_slice_of(text.ptr, text.len);
        return st;
    }
    *ret = ph_json_text(ph_point_node(run, expr->node)); /* as nearly always */
    return PH_OK;
}

#endif
