/* config check, show, help. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/args.h"
#include "cmd/config_load.h"
#include "config/settings.h"

#define S(slice) (int)(slice).len, (slice).ptr != NULL ? (slice).ptr : ""

static int print(struct ph_slice text)
{
    if (!ph_slice_present(text)) {
        fprintf(stderr, "payhook: out of memory\n");
        return PH_EXIT_FAILED;
    }
    printf("%.*s", S(text));
    return PH_EXIT_OK;
}

static int check(const struct ph_config *config)
{
    struct ph_slice file =
        ph_slice_present(config->file) ? config->file : PH_S("no file, the built-in configuration");
    printf("%.*s: ok: %zu endpoint%s, %zu destination%s\n", S(file), config->endpoints.count,
           config->endpoints.count == 1 ? "" : "s", config->destinations.count,
           config->destinations.count == 1 ? "" : "s");
    return PH_EXIT_OK;
}

static int load(struct ph_args *args)
{
    const struct ph_config *config =
        ph_cmd_config_load(&args->arena, args->word_count > 1 ? args->words[1] : NULL);
    int code = PH_EXIT_FAILED;
    if (config != NULL)
        code = args->command == PH_CMD_CONFIG_SHOW ? print(ph_config_show(config, &args->arena))
                                                   : check(config);
    ph_config_free(config);
    return code;
}

static int help(struct ph_args *args)
{
    const char *key = args->word_count > 1 ? args->words[1] : "";
    if (args->one[PH_OPT_MARKDOWN] != NULL)
        return args->word_count > 1 ? ph_args_wrong("--markdown is the whole manual, without", key)
                                    : print(ph_config_manual(&args->arena));
    struct ph_slice text = ph_config_help(&args->arena, ph_slice_str(key));
    return ph_slice_present(text) ? print(text) : ph_args_wrong("no setting begins with", key);
}

static int run(struct ph_args *args)
{
    if (args->word_count > 2)
        return ph_args_wrong("one argument at most; not", args->words[2]);
    return args->command == PH_CMD_CONFIG_HELP ? help(args) : load(args);
}

int ph_cmd_config(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum ph_command command;
    } subcommands[] = {
        {"check", PH_CMD_CONFIG_CHECK}, {"show", PH_CMD_CONFIG_SHOW}, {"help", PH_CMD_CONFIG_HELP}};
    enum ph_command command = 0;
    const char *what = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < PH_COUNTOF(subcommands); i++)
        if (strcmp(subcommands[i].name, what) == 0)
            command = subcommands[i].command;
    if (command == 0) {
        bool asked = strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0;
        fprintf(asked ? stdout : stderr,
                "usage: payhook config check [FILE] | show [FILE] | help [KEY]\n\n"
                "payhook config check --help, and so on, say more.\n");
        return asked ? PH_EXIT_OK : PH_EXIT_USAGE;
    }
    struct ph_args args;
    bool asked;
    int code = ph_args_read(&args, command, argc, argv, &asked);
    if (code == PH_EXIT_OK && !asked)
        code = run(&args);
    ph_args_done(&args);
    return code;
}
