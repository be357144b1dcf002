/* tail: events as they come, by long polls. */
#include <stdio.h>

#include "base/limits.h"
#include "cmd/commands.h"
#include "cmd/table.h"

static const struct ph_column columns[] = {
    {"RECEIVED", "/received_at", 24}, {"ENDPOINT", "/endpoint", 14},
    {"VERDICT", "/verdict", 10},      {"TYPE", "/type", 30},
    {"SUBJECT", "/subject", 24},      {"AMOUNT", "/amount_minor", 8},
    {"CUR", "/currency", 3},          {"EVENT", "/event_id", 0}};

static void show_line(struct ph_admin_asker *asker, struct ph_slice line)
{
    yyjson_doc *doc =
        asker->json ? NULL : yyjson_read(line.ptr, line.len, YYJSON_READ_NUMBER_AS_RAW);
    if (asker->json)
        printf("%.*s\n", (int)line.len, line.ptr);
    else
        ph_table_row(columns, PH_COUNTOF(columns), yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
}

static void show_lines(struct ph_admin_asker *asker, struct ph_slice text, int64_t *left)
{
    for (size_t at = 0; at<text.len && * left> 0; (*left)--) {
        size_t end = ph_slice_find(text, PH_S("\n"), at);
        if (end == SIZE_MAX)
            end = text.len;
        show_line(asker, ph_slice_of(text.ptr + at, end - at));
        at = end + 1;
    }
    fflush(stdout);
}

int ph_cmd_tail(struct ph_admin_asker *asker)
{
    char after[32] = "";
    int64_t left = INT64_MAX;
    if (asker->args->word_count != 0)
        return ph_args_wrong("takes options only, not", asker->args->words[0]);
    int code = ph_asker_limit(asker, &left);
    if (code == PH_EXIT_OK && !asker->json)
        ph_table_titles(columns, PH_COUNTOF(columns));
    fflush(stdout);
    while (code == PH_EXIT_OK && left > 0 && !ferror(stdout)) {
        struct ph_cmd_query query = {0};
        struct ph_asked answer;
        ph_query_path(&query, "tail");
        ph_query_filters(&query, asker->args);
        ph_query_add(&query, "after", after);
        code = ph_asker_ask(asker, "GET", &query, (struct ph_slice){0},
                            PH_ADMIN_TAIL_MS + PH_ADMIN_MS, &answer);
        if (code != PH_EXIT_OK)
            break;
        if (answer.after.len == 0 || answer.after.len >= sizeof after)
            return ph_args_wrong("the answer is not the admin API's", NULL);
        (void)snprintf(after, sizeof after, "%.*s", (int)answer.after.len, answer.after.ptr);
        show_lines(asker, answer.body, &left);
    }
    return code;
}
