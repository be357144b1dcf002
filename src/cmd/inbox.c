/* inbox check. */
#include <stdio.h>
#include <string.h>

#include "cmd/args.h"
#include "cmd/config_load.h"
#include "inbox/inbox.h"

/* --data, or that of the configuration. */
static int folder_of(struct ph_args *args, const char **ret)
{
    *ret = args->one[PH_OPT_DATA];
    if (*ret != NULL)
        return PH_EXIT_OK;
    const struct ph_config *config = ph_cmd_config_places(&args->arena, args->one[PH_OPT_SETTINGS]);
    if (config == NULL)
        return PH_EXIT_USAGE;
    *ret = ph_arena_copy(&args->arena, config->data).ptr;
    ph_config_free(config);
    return *ret != NULL ? PH_EXIT_OK : PH_EXIT_FAILED;
}

static int check(struct ph_args *args)
{
    const char *data = NULL;
    struct ph_slice findings = {0};
    if (args->word_count > 1)
        return ph_args_wrong("takes options only", args->words[1]);
    if (args->one[PH_OPT_DATA] != NULL && args->one[PH_OPT_SETTINGS] != NULL)
        return ph_args_wrong("give --data or --config", NULL);
    int code = folder_of(args, &data);
    if (code != PH_EXIT_OK)
        return code;
    enum ph_status st = ph_inbox_check(data, &args->arena, &findings);
    if (findings.len > 0)
        printf("%.*s", (int)findings.len, findings.ptr);
    if (st == PH_OK && findings.len == 0) {
        printf("%s: sound\n", data);
        return PH_EXIT_OK;
    }
    if (st == PH_ERR_AGAIN)
        fprintf(stderr, "payhook: %s is open in a running payhook: stop it first\n", data);
    else if (st != PH_OK)
        fprintf(stderr, "payhook: %s cannot be checked: %s\n", data, ph_status_text(st));
    return PH_EXIT_FAILED;
}

int ph_cmd_inbox(int argc, char **argv)
{
    struct ph_args args;
    bool asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (argc < 2 || strcmp(argv[1], "check") != 0) {
        fprintf(asked ? stdout : stderr,
                "usage: payhook inbox check [OPTION…]\n\npayhook inbox check --help says more.\n");
        return asked ? PH_EXIT_OK : PH_EXIT_USAGE;
    }
    int code = ph_args_read(&args, PH_CMD_INBOX_CHECK, argc, argv, &asked);
    if (code == PH_EXIT_OK && !asked)
        code = check(&args);
    ph_args_done(&args);
    return code;
}
