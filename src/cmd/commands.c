/* Chooses among the commands that speak to a running payhook. */
#include "cmd/commands.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    const char *group, *name; /* NULL: the group is the command */
    enum ph_command command;
    int (*run)(struct ph_admin_asker *asker);
} commands[] = {
    {"events", "ls", PH_CMD_EVENTS_LS, ph_cmd_look},
    {"events", "show", PH_CMD_EVENTS_SHOW, ph_cmd_look},
    {"deliveries", "ls", PH_CMD_DELIVERIES_LS, ph_cmd_look},
    {"deliveries", "show", PH_CMD_DELIVERIES_SHOW, ph_cmd_look},
    {"deliveries", "retry", PH_CMD_DELIVERIES_RETRY, ph_cmd_replay},
    {"requests", "ls", PH_CMD_REQUESTS_LS, ph_cmd_look},
    {"requests", "show", PH_CMD_REQUESTS_SHOW, ph_cmd_look},
    {"requests", "reverify", PH_CMD_REQUESTS_REVERIFY, ph_cmd_control},
    {"destinations", "ls", PH_CMD_DESTINATIONS_LS, ph_cmd_look},
    {"destinations", "pause", PH_CMD_DESTINATIONS_PAUSE, ph_cmd_control},
    {"destinations", "resume", PH_CMD_DESTINATIONS_RESUME, ph_cmd_control},
    {"endpoints", "status", PH_CMD_ENDPOINTS, ph_cmd_look},
    {"replay", NULL, PH_CMD_REPLAY, ph_cmd_replay},
    {"tail", NULL, PH_CMD_TAIL, ph_cmd_tail},
    {"status", NULL, PH_CMD_STATUS, ph_cmd_look},
};

static int usage(const char *group, bool asked)
{
    FILE *out = asked ? stdout : stderr;
    const char *between = "";
    fprintf(out, "usage: payhook %s ", group);
    for (size_t i = 0; i < PH_COUNTOF(commands); i++)
        if (strcmp(commands[i].group, group) == 0) {
            fprintf(out, "%s%s", between, commands[i].name != NULL ? commands[i].name : "");
            between = " | ";
        }
    fprintf(out, "\n\npayhook %s ls --help, and so on, say more.\n", group);
    return asked ? PH_EXIT_OK : PH_EXIT_USAGE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct ph_args args;
    struct ph_admin_asker asker;
    bool help;
    int code = ph_args_read(&args, command->command, argc, argv, &help);
    if (code == PH_EXIT_OK && !help) {
        code = ph_asker_init(&args, &asker);
        if (code == PH_EXIT_OK)
            code = command->run(&asker);
        ph_asker_done(&asker);
    }
    ph_args_done(&args);
    return code;
}

int ph_cmd_running(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < PH_COUNTOF(commands); i++) {
        const struct command *c = &commands[i];
        if (strcmp(c->group, argv[0]) != 0)
            continue;
        if (c->name == NULL)
            return run(c, argc, argv);
        if (strcmp(c->name, what) == 0)
            return run(c, argc - 1, argv + 1);
    }
    return usage(argv[0], strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0);
}
