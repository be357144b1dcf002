/* events, deliveries, requests, destinations, endpoints, status: lists, and one thing whole. */
#include <stdio.h>

#include "cmd/admin_ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"

/* ---- lists ----------------------------------------------------------------------------------- */

static const struct ph_column events[] = {{"ID", "/id", 10},
                                          {"RECEIVED", "/received_at", 20},
                                          {"ENDPOINT", "/endpoint", 12},
                                          {"VERDICT", "/verdict", 8},
                                          {"TYPE", "/type", 30},
                                          {"SUBJECT", "/subject", 20},
                                          {"AMOUNT", "/amount_minor", 8},
                                          {"CUR", "/currency", 3},
                                          {"OPEN", "/deliveries_count/open", 4},
                                          {"DONE", "/deliveries_count/done", 4},
                                          {"DEAD", "/deliveries_count/dead", 4},
                                          {"EVENT", "/event_id", 0}};
static const struct ph_column deliveries[] = {{"ID", "/id", 14},
                                              {"MADE", "/made_at", 20},
                                              {"DESTINATION", "/destination", 12},
                                              {"STATE", "/state", 8},
                                              {"ATTEMPTS", "/attempts_count", 8},
                                              {"DUE", "/due_at", 20},
                                              {"STATUS", "/last_status", 6},
                                              {"TYPE", "/type", 28},
                                              {"EVENT", "/event_id", 20},
                                              {"WHY", "/last_reason", 0}};
static const struct ph_column requests[] = {{"ID", "/id", 10},
                                            {"RECEIVED", "/received_at", 20},
                                            {"ENDPOINT", "/endpoint", 12},
                                            {"STANDING", "/standing", 11},
                                            {"VERDICT", "/verdict", 12},
                                            {"SECRET", "/secret", 20},
                                            {"BYTES", "/bytes", 6},
                                            {"FROM", "/remote", 15},
                                            {"WHY", "/verdict_reason", 0}};
static const struct ph_column destinations[] = {{"NAME", "/name", 12},
                                                {"BACKLOG", "/backlog", 7},
                                                {"OLDEST", "/oldest_at", 20},
                                                {"DEAD", "/dead", 6},
                                                {"PAUSED", "/paused", 6},
                                                {"BREAKER", "/breaker", 9},
                                                {"UNTIL", "/breaker_until", 20},
                                                {"ACCEPTED", "/last_accepted_at", 20},
                                                {"URL", "/url", 20},
                                                {"LAST FAILURE", "/last_failure", 0}};
static const struct ph_column endpoints[] = {{"NAME", "/name", 16},
                                             {"CONNECTOR", "/connector", 16},
                                             {"SECRET", "/secret", 28},
                                             {"ACCOUNT", "/account", 12},
                                             {"VALID", "/valid", 5},
                                             {"FIRST USED", "/first_used_at", 20},
                                             {"LAST USED", "/last_used_at", 20},
                                             {"ALONE SINCE", "/alone_since", 20},
                                             {"LACKS", "/lacks", 0}};

static const struct list {
    enum ph_command command;
    const char *path, *member, *none;
    const struct ph_column *columns;
    size_t count;
    bool pages;
} lists[] = {
    {PH_CMD_EVENTS_LS, "events", "events", "no such events", events, PH_COUNTOF(events), true},
    {PH_CMD_DELIVERIES_LS, "deliveries", "deliveries", "no such deliveries", deliveries,
     PH_COUNTOF(deliveries), true},
    {PH_CMD_REQUESTS_LS, "requests", "requests", "no such requests", requests, PH_COUNTOF(requests),
     true},
    {PH_CMD_DESTINATIONS_LS, "destinations", "destinations", "no destinations", destinations,
     PH_COUNTOF(destinations), false},
    {PH_CMD_ENDPOINTS, "endpoints", "endpoints", "no endpoints", endpoints, PH_COUNTOF(endpoints),
     false},
};

struct listing {
    struct ph_admin_asker *asker;
    const struct list *list;
    int64_t left; /* rows that may be shown still */
    int64_t shown;
};

static void show_row(struct listing *l, yyjson_val *row)
{
    if (l->asker->json) {
        ph_table_json(row);
    } else {
        if (l->shown == 0)
            ph_table_titles(l->list->columns, l->list->count);
        ph_table_row(l->list->columns, l->list->count, row);
    }
    l->shown++;
    l->left--;
}

/* An endpoint has a line for each of its secrets: that is what is looked for. */
static void show_endpoint(struct listing *l, yyjson_val *endpoint)
{
    yyjson_val *secrets = yyjson_obj_get(endpoint, "secrets"), *secret;
    size_t i, n;
    if (l->asker->json || yyjson_arr_size(secrets) == 0) {
        show_row(l, endpoint);
        return;
    }
    yyjson_arr_foreach(secrets, i, n, secret)
    {
        yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
        yyjson_mut_val *line = yyjson_val_mut_copy(doc, secret);
        yyjson_mut_obj_add_val(doc, line, "name",
                               yyjson_val_mut_copy(doc, yyjson_obj_get(endpoint, "name")));
        yyjson_mut_obj_add_val(doc, line, "connector",
                               yyjson_val_mut_copy(doc, yyjson_obj_get(endpoint, "connector")));
        yyjson_mut_obj_add_val(doc, line, "lacks",
                               yyjson_val_mut_copy(doc, yyjson_obj_get(endpoint, "lacks")));
        yyjson_mut_doc_set_root(doc, line);
        yyjson_doc *fixed = yyjson_mut_doc_imut_copy(doc, NULL);
        show_row(l, yyjson_doc_get_root(fixed));
        yyjson_doc_free(fixed);
        yyjson_mut_doc_free(doc);
    }
}

/* One page; *ret_cursor: where the next one begins, "": nowhere. */
static int show_page(struct listing *l, const char *cursor, char *ret_cursor, size_t room)
{
    struct ph_cmd_query query = {0};
    yyjson_val *root, *row;
    size_t i, n;
    ph_query_path(&query, l->list->path);
    ph_query_filters(&query, l->asker->args);
    if (l->list->pages) {
        char limit[24];
        (void)snprintf(limit, sizeof limit, "%lld", (long long)(l->left < 500 ? l->left : 500));
        ph_query_add(&query, "limit", limit);
        ph_query_add(&query, "cursor", cursor);
    }
    int code = ph_asker_json(l->asker, "GET", &query, (struct ph_slice){0}, &root);
    if (code != PH_EXIT_OK)
        return code;
    yyjson_arr_foreach(yyjson_obj_get(root, l->list->member), i, n, row)
    {
        if (l->list->command == PH_CMD_ENDPOINTS)
            show_endpoint(l, row);
        else
            show_row(l, row);
    }
    yyjson_val *next = yyjson_obj_get(root, "next");
    (void)snprintf(ret_cursor, room, "%s", yyjson_is_str(next) ? yyjson_get_str(next) : "");
    return PH_EXIT_OK;
}

static int show_list(struct ph_admin_asker *asker, const struct list *list)
{
    enum { ROWS = 100 };
    struct listing l = {.asker = asker, .list = list, .left = ROWS};
    char cursor[24] = "";
    if (asker->args->word_count > 0)
        return ph_args_wrong("takes options only, not", asker->args->words[0]);
    int code = ph_asker_limit(asker, &l.left);
    while (code == PH_EXIT_OK && l.left > 0) {
        code = show_page(&l, cursor, cursor, sizeof cursor);
        if (cursor[0] == '\0')
            break;
    }
    if (code == PH_EXIT_OK && l.shown == 0 && !asker->json)
        printf("%s\n", list->none);
    if (code == PH_EXIT_OK && cursor[0] != '\0' && !asker->json)
        fprintf(stderr, "there is more: --limit N, or --all\n");
    return code;
}

/* ---- one thing ------------------------------------------------------------------------------- */

static int show_answer(struct ph_admin_asker *asker, const struct ph_cmd_query *query)
{
    yyjson_val *root;
    int code = ph_asker_json(asker, "GET", query, (struct ph_slice){0}, &root);
    if (code == PH_EXIT_OK && asker->json)
        ph_table_json(root);
    else if (code == PH_EXIT_OK)
        ph_table_object(root);
    return code;
}

static int show_one(struct ph_admin_asker *asker, const char *path, const char *what)
{
    struct ph_args *args = asker->args;
    struct ph_cmd_query query = {0};
    struct ph_asked answer;
    bool raw = args->one[PH_OPT_RAW] != NULL;
    if (args->word_count != 1)
        return ph_args_wrong(what, NULL);
    ph_query_path(&query, path);
    ph_query_word(&query, args->words[0]);
    if (raw)
        ph_query_path(&query, "/raw");
    ph_query_add(&query, "unmasked", args->one[PH_OPT_UNMASKED] != NULL ? "true" : NULL);
    if (raw) {
        int code = ph_asker_ask(asker, "GET", &query, (struct ph_slice){0}, 30 * 1000, &answer);
        if (code == PH_EXIT_OK)
            (void)fwrite(answer.body.ptr, 1, answer.body.len, stdout);
        return code;
    }
    return show_answer(asker, &query);
}

static int show_status(struct ph_admin_asker *asker)
{
    struct ph_cmd_query query = {0};
    ph_query_path(&query, "status");
    return show_answer(asker, &query);
}

int ph_cmd_look(struct ph_admin_asker *asker)
{
    for (size_t i = 0; i < PH_COUNTOF(lists); i++)
        if (lists[i].command == asker->args->command)
            return show_list(asker, &lists[i]);
    switch (asker->args->command) {
    case PH_CMD_EVENTS_SHOW:
        return show_one(asker, "events/", "which event? events show ID");
    case PH_CMD_DELIVERIES_SHOW:
        return show_one(asker, "deliveries/", "which delivery? deliveries show ID");
    case PH_CMD_REQUESTS_SHOW:
        return show_one(asker, "requests/", "which request? requests show ID");
    default:
        return show_status(asker);
    }
}
