/* One call of the admin API, from its reactor to the admin thread and back. Private to
 * server/admin*.c.
 *
 *   reactor: made, queued -> admin thread: run, maybe PARKED (a tail without news) -> ended ->
 * reactor: answered, freed */
#ifndef PH_SERVER_ADMIN_CALL_H
#define PH_SERVER_ADMIN_CALL_H

#include <stdatomic.h>
#include <yyjson.h>

#include "config/config.h"
#include "gateway/gateway.h"
#include "gateway/mask.h"
#include "server/admin.h"
#include "server/admin_params.h"
#include "server/later.h"

struct ph_admin_call;

enum ph_admin_end {
    PH_ADMIN_ENDED,
    PH_ADMIN_PARKED, /* run again when there is news, or its time is over */
};

/* A route is a row: docs/openapi.yaml has the same ones. */
struct ph_admin_route {
    struct ph_slice method;
    struct ph_slice path; /* behind /admin/v1/; a part may be {id} or {name} */
    uint32_t scope;       /* enum ph_config_scopes */
    uint32_t takes;       /* enum ph_admin_takes; the rest of a POST is in its body */
    enum ph_admin_end (*run)(struct ph_admin_call *call);
};
extern const struct ph_admin_route ph_admin_routes[];
extern const size_t ph_admin_route_count;
/* NULL: no row has that path; *ret_allow: methods that it does have. *ret_word: what stands for
 * {…}, as written. */
const struct ph_admin_route *ph_admin_route_find(struct ph_slice method, struct ph_slice path,
                                                 struct ph_slice *ret_word,
                                                 struct ph_slice *ret_allow);

/* What the calls of the admin thread share. */
struct ph_admin_room {
    struct ph_gateway *gateway;
    struct ph_inbox_reader *reader;
    struct ph_worker *worker;
    struct ph_arena arena; /* of the call that runs */
    bool draining;
};

struct ph_admin_call {
    struct ph_admin_call *next;
    struct ph_ticket ticket;
    const struct ph_admin_route *route;
    struct ph_slice word, query, body, who; /* in the call's own block */
    uint32_t scopes;
    int64_t until_ms;    /* steady: when a parked call is answered without news */
    int64_t events_seen; /* … and what makes it run again */
    int64_t after;       /* … and from where */
    atomic_bool gone;    /* nobody waits for the answer */
    /* ---- while it runs ----------------------------------------------------------------------- */
    struct ph_admin_room *room;
    struct ph_view *view;
    struct ph_slice named; /* the word, its escapes read */
    struct ph_admin_params params;
    struct ph_admin_filter filter;
    int64_t now_ms;
    /* ---- the answer -------------------------------------------------------------------------- */
    int status;
    struct ph_slice content_type;
    char *answer; /* heap; NULL: no memory */
    size_t answer_bytes;
    char after_text[24]; /* payhook-after; "": none */
};

/* ---- answers, each the last thing of a run --------------------------------------------------- */

enum ph_admin_end ph_admin_error(struct ph_admin_call *call, int status, struct ph_slice code,
                                 struct ph_slice message);
enum ph_admin_end ph_admin_not_found(struct ph_admin_call *call, struct ph_slice what);
/* `status`, of one thing that was looked for by its id: where it is not there, which. */
enum ph_admin_end ph_admin_absent(struct ph_admin_call *call, const char *kind, struct ph_slice id,
                                  enum ph_status status);
/* 400, with what is wrong. */
enum ph_admin_end ph_admin_invalid(struct ph_admin_call *call, struct ph_slice why);
/* What the inbox said when it could not. */
enum ph_admin_end ph_admin_failed(struct ph_admin_call *call, enum ph_status status);
enum ph_admin_end ph_admin_bytes(struct ph_admin_call *call, int status,
                                 struct ph_slice content_type, struct ph_slice bytes);

/* ---- JSON (admin_json.c) --------------------------------------------------------------------- */

/* In the call's arena; what finds no memory is said by ph_admin_json at the end. */
yyjson_mut_doc *ph_admin_doc(struct ph_admin_call *call);
enum ph_admin_end ph_admin_json(struct ph_admin_call *call, int status, yyjson_mut_doc *doc,
                                yyjson_mut_val *root);
/* Absent and empty texts are left out; bytes that are not UTF-8 become U+FFFD. Names are literals.
 */
void ph_admin_text(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *object,
                   const char *name, struct ph_slice text);
/* Ids are texts: they may be larger than what JavaScript's numbers hold. */
void ph_admin_id(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name, int64_t id);
/* RFC 3339; 0 is left out. */
void ph_admin_time(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *object,
                   const char *name, int64_t ms);
/* A word of ours in lower case; 0, which says that there is none, is left out. */
void ph_admin_word(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name,
                   enum ph_vocabulary vocabulary, int32_t number);
/* JSON text as it stands; "null" where it is none. */
void ph_admin_raw(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *object,
                  const char *name, struct ph_slice json);
/* "next": the cursor of the following page when this one is full, else null. */
void ph_admin_next(yyjson_mut_doc *doc, yyjson_mut_val *root, size_t count, size_t limit,
                   int64_t last_id);
yyjson_mut_val *ph_admin_event(struct ph_admin_call *call, yyjson_mut_doc *doc,
                               const struct ph_inbox_event_row *row);
/* `whole`: with its attempts. */
yyjson_mut_val *ph_admin_delivery(struct ph_admin_call *call, yyjson_mut_doc *doc,
                                  const struct ph_inbox_delivery_row *row, bool whole);

/* ---- shared by the handlers ------------------------------------------------------------------ */

/* The event that {id} names: its number or its event id. */
enum ph_status ph_admin_event_of(struct ph_admin_call *call, struct ph_slice text, int64_t *ret_id);
/* The body as JSON, numbers as they are written; false: it has been answered (*ret_end). An empty
 * one is {}. */
bool ph_admin_body(struct ph_admin_call *call, yyjson_val **ret_root, enum ph_admin_end *ret_end);
/* ph_admin_filter_read, and whether the names in it are of something. (admin_names.c) */
bool ph_admin_filter_of(struct ph_admin_call *call, const struct ph_admin_params *params,
                        uint32_t takes, struct ph_admin_filter *ret, struct ph_slice *ret_why);
/* The configuration's; gives how many. */
size_t ph_admin_destination_names(const struct ph_admin_call *call,
                                  struct ph_slice ret[PH_DESTINATIONS_MAX]);
/* The members of a JSON object as parameters; numbers and true/false as texts. False: something
 * else is among them. */
bool ph_admin_params_of(yyjson_val *object, struct ph_admin_params *ret);
/* Submits an op (STORE, JUDGE, SEND, CONTROL) and waits for the writer, who fills it. */
enum ph_status ph_admin_submit(struct ph_admin_call *call, struct ph_inbox_op *op);
/* Whether the caller sees everything: he may, and has asked. */
bool ph_admin_unmasked(const struct ph_admin_call *call);
/* A body's or answer's text as the caller may see it. Absent: no memory. */
struct ph_slice ph_admin_seen(struct ph_admin_call *call, struct ph_slice text);
bool ph_admin_no_memory(struct ph_admin_call *call);

/* Reads the events' requests again with the present pages; adds what differs to the answer, and
 * unless `dry_run` stores it. */
enum ph_status ph_admin_rederive(struct ph_admin_call *call, const struct ph_inbox_event_row *rows,
                                 size_t count, bool dry_run, yyjson_mut_doc *doc,
                                 yyjson_mut_val *root);

/* ---- the routes ------------------------------------------------------------------------------ */
enum ph_admin_end ph_admin_events_list(struct ph_admin_call *call);
enum ph_admin_end ph_admin_events_show(struct ph_admin_call *call);
enum ph_admin_end ph_admin_tail(struct ph_admin_call *call);
enum ph_admin_end ph_admin_requests_list(struct ph_admin_call *call);
enum ph_admin_end ph_admin_requests_show(struct ph_admin_call *call);
enum ph_admin_end ph_admin_requests_raw(struct ph_admin_call *call);
enum ph_admin_end ph_admin_requests_reverify(struct ph_admin_call *call);
enum ph_admin_end ph_admin_deliveries_list(struct ph_admin_call *call);
enum ph_admin_end ph_admin_deliveries_show(struct ph_admin_call *call);
enum ph_admin_end ph_admin_deliveries_retry(struct ph_admin_call *call);
enum ph_admin_end ph_admin_deliveries_retry_many(struct ph_admin_call *call);
enum ph_admin_end ph_admin_replay(struct ph_admin_call *call);
enum ph_admin_end ph_admin_destinations(struct ph_admin_call *call);
enum ph_admin_end ph_admin_pause(struct ph_admin_call *call);
enum ph_admin_end ph_admin_resume(struct ph_admin_call *call);
enum ph_admin_end ph_admin_endpoints(struct ph_admin_call *call);
enum ph_admin_end ph_admin_status(struct ph_admin_call *call);

#endif
