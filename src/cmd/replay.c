/* replay, deliveries retry: what is picked by options is counted first, and sent with --yes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "cmd/commands.h"
#include "cmd/print.h"
#include "cmd/table.h"
#include "core/codec.h"

/* What all the pages of one run come to. */
struct sum {
    int64_t events, held, incomplete, deliveries, denied, same, changed, skipped;
    bool shown_first;
};

static int64_t number_of(yyjson_val *value)
{
    int64_t number = 0;
    if (yyjson_is_raw(value))
        (void)ph_parse_int64(ph_slice_of(yyjson_get_raw(value), yyjson_get_len(value)), &number);
    return number;
}

/* ---- what is shown --------------------------------------------------------------------------- */

/* A text of strangers, which a server that is none of ours may have left out. */
static void show_text(const char *before, yyjson_val *object, const char *name, const char *behind)
{
    yyjson_val *value = yyjson_obj_get(object, name);
    printf("%s", before);
    ph_print_escaped(ph_slice_of(yyjson_get_str(value), yyjson_get_len(value)));
    printf("%s", behind);
}

static void show_value(const char *label, yyjson_val *value)
{
    size_t len = 0;
    char *text = value != NULL ? yyjson_val_write(value, YYJSON_WRITE_ESCAPE_UNICODE, &len) : NULL;
    printf("      %s %s\n", label, text != NULL ? text : "(not there)");
    free(text);
}

static void show_change(yyjson_val *change)
{
    yyjson_val *difference;
    size_t i, n;
    show_text("  event ", change, "id", " reads otherwise:\n");
    yyjson_arr_foreach(yyjson_obj_get(change, "differences"), i, n, difference)
    {
        show_text("    ", difference, "path", "\n");
        show_value("-", yyjson_obj_get(difference, "before"));
        show_value("+", yyjson_obj_get(difference, "after"));
    }
}

static void show_rederived(yyjson_val *found, struct sum *sum)
{
    yyjson_val *one;
    size_t i, n;
    if (found == NULL)
        return;
    sum->same += number_of(yyjson_obj_get(found, "same"));
    sum->changed += number_of(yyjson_obj_get(found, "changed"));
    sum->skipped += (int64_t)yyjson_arr_size(yyjson_obj_get(found, "skipped"));
    yyjson_arr_foreach(yyjson_obj_get(found, "changes"), i, n, one)
    {
        show_change(one);
    }
    yyjson_arr_foreach(yyjson_obj_get(found, "skipped"), i, n, one)
    {
        show_text("  event ", one, "id", " stays as it is: ");
        show_text("", one, "why", "\n");
    }
}

static void add_page(yyjson_val *root, struct sum *sum)
{
    sum->events += number_of(yyjson_obj_get(root, "events"));
    sum->held += number_of(yyjson_obj_get(root, "held"));
    sum->incomplete += number_of(yyjson_obj_get(root, "held_incomplete"));
    sum->deliveries += number_of(yyjson_obj_get(root, "deliveries"));
    sum->denied += number_of(yyjson_obj_get(root, "denied"));
}

static void show_page(yyjson_val *root, struct sum *sum)
{
    yyjson_val *one;
    size_t i, n;
    show_rederived(yyjson_obj_get(root, "rederived"), sum);
    if (!sum->shown_first)
        yyjson_arr_foreach(yyjson_obj_get(root, "first"), i, n, one)
        {
            show_text("  ", one, "id", "  ");
            show_text("", one, "type", "  ");
            show_text("", one, "event_id", "\n");
        }
    sum->shown_first = true;
}

static void show_held(int64_t count, const char *why)
{
    if (count > 0)
        printf("%lld %s held and not sent: %s\n", (long long)count,
               count == 1 ? "event is" : "events are", why);
}

static void show_replayed(const struct sum *sum, bool dry_run)
{
    show_held(sum->held - sum->incomplete,
              "forged, or not verified yet; what is verified later is told by itself");
    show_held(sum->incomplete,
              "not complete yet; what is completed, or cannot be, is told by itself");
    if (sum->denied > 0)
        printf(
            "%lld deliveries were not made: an event is sent to a destination %d times at most\n",
            (long long)sum->denied, PH_INBOX_SENDINGS_MAX);
    else if (sum->events > 0 && sum->deliveries == 0)
        printf(
            "by the configuration nobody is told of %s: --only-to NAME sends to one destination\n",
            sum->events == 1 ? "it" : "them");
    if (sum->events == 0 && sum->held == 0)
        printf("no such events\n");
    printf("%s %lld events in %lld deliveries\n", dry_run ? "would send" : "sent",
           (long long)sum->events, (long long)sum->deliveries);
}

static void show_retried(const struct sum *sum, const char *state, bool dry_run)
{
    if (sum->deliveries == 0 && state == NULL)
        printf("nothing is dead\n");
    else if (sum->deliveries == 0)
        printf("nothing that can be retried is %s\n", state);
    printf("%s %lld deliveries\n", dry_run ? "would retry" : "retried", (long long)sum->deliveries);
}

static void show_sum(const struct ph_args *args, const struct sum *sum, bool dry_run)
{
    if (args->one[PH_OPT_REDERIVE] != NULL)
        printf("%lld read the same, %lld otherwise, %lld stay as they are\n", (long long)sum->same,
               (long long)sum->changed, (long long)sum->skipped);
    if (args->command == PH_CMD_REPLAY)
        show_replayed(sum, dry_run);
    else
        show_retried(sum, args->one[PH_OPT_STATE], dry_run);
    if (dry_run && args->one[PH_OPT_DRY_RUN] == NULL && sum->deliveries > 0)
        printf("nothing was sent: add --yes\n");
}

/* ---- asking ---------------------------------------------------------------------------------- */

static struct ph_slice body_of(struct ph_admin_asker *asker, const char *cursor, bool dry_run)
{
    const struct ph_args *args = asker->args;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc), *list;
    yyjson_mut_doc_set_root(doc, root);
    if (args->word_count > 0) {
        list = yyjson_mut_obj_add_arr(doc, root, "events");
        for (size_t i = 0; i < args->word_count; i++)
            yyjson_mut_arr_add_str(doc, list, args->words[i]);
    } else {
        ph_filters_json(doc, yyjson_mut_obj_add_obj(doc, root, "filter"), args);
    }
    if (args->one[PH_OPT_TO_DESTINATION] != NULL)
        yyjson_mut_arr_add_str(doc, yyjson_mut_obj_add_arr(doc, root, "destinations"),
                               args->one[PH_OPT_TO_DESTINATION]);
    if (args->one[PH_OPT_REDERIVE] != NULL)
        yyjson_mut_obj_add_bool(doc, root, "rederive", true);
    if (cursor[0] != '\0')
        yyjson_mut_obj_add_str(doc, root, "cursor", cursor);
    yyjson_mut_obj_add_bool(doc, root, "dry_run", dry_run);
    struct ph_slice body = ph_asker_body(asker, doc);
    yyjson_mut_doc_free(doc);
    return body;
}

static int run_pages(struct ph_admin_asker *asker, const char *path, bool dry_run)
{
    struct sum sum = {0};
    char cursor[24] = "";
    bool rederive = asker->args->one[PH_OPT_REDERIVE] != NULL; /* then storing is the point */
    int code;
    do {
        struct ph_cmd_query query = {0};
        yyjson_val *root;
        struct ph_slice body = body_of(asker, cursor, dry_run);
        ph_query_path(&query, path);
        code = ph_slice_present(body) ? ph_asker_json(asker, "POST", &query, body, &root)
                                      : PH_EXIT_FAILED;
        if (code != PH_EXIT_OK)
            return code;
        add_page(root, &sum);
        if (asker->json)
            ph_table_json(root);
        else
            show_page(root, &sum);
        yyjson_val *next = yyjson_obj_get(root, "next");
        (void)snprintf(cursor, sizeof cursor, "%s",
                       yyjson_is_str(next) ? yyjson_get_str(next) : "");
    } while (cursor[0] != '\0');
    if (!asker->json)
        show_sum(asker->args, &sum, dry_run);
    bool nobody = sum.events + sum.held > 0 && sum.deliveries == 0; /* … of what is there is told */
    return !dry_run && nobody && !rederive ? PH_EXIT_FAILED : PH_EXIT_OK;
}

static int retry_each(struct ph_admin_asker *asker)
{
    int worst = PH_EXIT_OK;
    for (size_t i = 0; i < asker->args->word_count; i++) {
        struct ph_cmd_query query = {0};
        yyjson_val *root;
        ph_query_path(&query, "deliveries/");
        ph_query_word(&query, asker->args->words[i]);
        ph_query_path(&query, "/retry");
        int code = ph_asker_json(asker, "POST", &query, (struct ph_slice){0}, &root);
        if (code == PH_EXIT_OK && asker->json)
            ph_table_json(root);
        else if (code == PH_EXIT_OK)
            printf("delivery %s is tried again now\n", asker->args->words[i]);
        else
            worst = code;
    }
    return worst;
}

int ph_cmd_replay(struct ph_admin_asker *asker)
{
    const struct ph_args *args = asker->args;
    bool ids = args->word_count > 0,
         picks = ph_filters_given(args) || args->one[PH_OPT_DEAD] != NULL;
    if (ids && picks)
        return ph_args_wrong("give ids, or options that pick, not both", NULL);
    if (args->one[PH_OPT_YES] != NULL && args->one[PH_OPT_DRY_RUN] != NULL)
        return ph_args_wrong("give --dry-run or --yes", NULL);
    bool surprising = !ids || args->one[PH_OPT_REDERIVE] != NULL;
    bool dry_run =
        args->one[PH_OPT_DRY_RUN] != NULL || (surprising && args->one[PH_OPT_YES] == NULL);
    if (args->command == PH_CMD_DELIVERIES_RETRY) {
        if (ids && dry_run)
            return ph_args_wrong("--dry-run is for --dead", NULL);
        if (!ids && args->one[PH_OPT_DEAD] == NULL)
            return ph_args_wrong("which deliveries? deliveries retry ID…, or --dead", NULL);
        return ids ? retry_each(asker) : run_pages(asker, "deliveries/retry", dry_run);
    }
    if (!ids && !picks)
        return ph_args_wrong(
            "which events? replay EVENT…, or options that pick (--from 1970-01-01: all)", NULL);
    return run_pages(asker, "replay", dry_run);
}
