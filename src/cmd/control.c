/* destinations pause, destinations resume, requests reverify. */
#include <stdio.h>

#include "cmd/commands.h"
#include "cmd/print.h"
#include "cmd/table.h"

static int destination(struct ph_admin_asker *asker, const char *what, const char *done)
{
    struct ph_cmd_query query = {0};
    yyjson_val *root;
    if (asker->args->word_count != 1)
        return ph_args_wrong("which destination? destinations pause NAME, destinations resume NAME",
                             NULL);
    ph_query_path(&query, "destinations/");
    ph_query_word(&query, asker->args->words[0]);
    ph_query_path(&query, what);
    int code = ph_asker_json(asker, "POST", &query, (struct ph_slice){0}, &root);
    if (code == PH_EXIT_OK && asker->json) {
        ph_table_json(root);
    } else if (code == PH_EXIT_OK) {
        ph_print_escaped(ph_slice_str(asker->args->words[0]));
        printf(" %s\n", done);
    }
    return code;
}

static int reverify(struct ph_admin_asker *asker)
{
    struct ph_cmd_query query = {0};
    yyjson_val *root;
    if (asker->args->word_count != 0)
        return ph_args_wrong("takes options only, not", asker->args->words[0]);
    ph_query_path(&query, "requests/reverify");
    int code = ph_asker_json(asker, "POST", &query, (struct ph_slice){0}, &root);
    if (code == PH_EXIT_OK && asker->json)
        ph_table_json(root);
    else if (code == PH_EXIT_OK)
        printf("quarantined requests are verified again now; see: payhook requests ls --standing "
               "quarantined\n");
    return code;
}

int ph_cmd_control(struct ph_admin_asker *asker)
{
    if (asker->args->command == PH_CMD_DESTINATIONS_PAUSE)
        return destination(asker, "/pause", "is paused: what comes for it waits");
    if (asker->args->command == PH_CMD_DESTINATIONS_RESUME)
        return destination(asker, "/resume", "goes on");
    return reverify(asker);
}
