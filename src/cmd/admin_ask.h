/* What the commands that look at a running payhook share: whom they ask, and how. Private to cmd/.
 */
#ifndef PH_CMD_ADMIN_ASK_H
#define PH_CMD_ADMIN_ASK_H

#include <yyjson.h>

#include "client/ask.h"
#include "cmd/args.h"

struct ph_admin_asker {
    struct ph_args *args;
    const char *socket, *base, *token;
    struct ph_arena arena; /* of one answer */
    bool json;
};

/* From --admin, --data, --config and --token. PH_EXIT_OK, or the code to end with. Pair with
 * ph_asker_done.
 */
int ph_asker_init(struct ph_args *args, struct ph_admin_asker *ret);
void ph_asker_done(struct ph_admin_asker *asker);

/* --limit N or --all, in place of *ret. PH_EXIT_OK, or the code to end with. */
int ph_asker_limit(struct ph_admin_asker *asker, int64_t *ret);

/* A path with a query, put together. */
struct ph_cmd_query {
    char text[4096];
    size_t len;
    bool has_query, too_long;
};
void ph_query_path(struct ph_cmd_query *query, const char *path);
/* One part of the path, percent-encoded. */
void ph_query_word(struct ph_cmd_query *query, const char *word);
/* NULL or empty: left out. */
void ph_query_add(struct ph_cmd_query *query, const char *name, const char *value);
/* The filters that the command was given. */
void ph_query_filters(struct ph_cmd_query *query, const struct ph_args *args);
/* The same as a JSON object's members. */
void ph_filters_json(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct ph_args *args);
bool ph_filters_given(const struct ph_args *args);

/* Asks, and says what is wrong: what the server answers with an error, or that it is not there.
 * PH_EXIT_OK: *ret is its answer, until the next one. `body`: JSON, or absent. */
int ph_asker_ask(struct ph_admin_asker *asker, const char *method, const struct ph_cmd_query *query,
                 struct ph_slice body, int64_t total_ms, struct ph_asked *ret);
/* The same, with the answer read as JSON (freed with ph_asker_done or the next answer). */
int ph_asker_json(struct ph_admin_asker *asker, const char *method,
                  const struct ph_cmd_query *query, struct ph_slice body, yyjson_val **ret);
/* A document's text, in the asker's arguments' arena; absent: no memory. */
struct ph_slice ph_asker_body(struct ph_admin_asker *asker, yyjson_mut_doc *doc);

#endif
