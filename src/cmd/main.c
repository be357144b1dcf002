/* payhook: chooses the subcommand. */
#include <stdio.h>
#include <string.h>

#include "cmd/args.h"
#include "cmd/serve.h"

static int cmd_handle(int argc, char **argv)
{
    return ph_cmd_answer(argc, argv, PH_CMD_HANDLE);
}
static int cmd_parse(int argc, char **argv)
{
    return ph_cmd_answer(argc, argv, PH_CMD_PARSE);
}
static int cmd_verify(int argc, char **argv)
{
    return ph_cmd_answer(argc, argv, PH_CMD_VERIFY);
}

static const struct {
    const char *name, *help;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"serve", "the gateway (webhooks in, events out) and the Event Service", ph_cmd_serve},
    {"handle", "one request: verify, parse, normalise (or many, with --ndjson)", cmd_handle},
    {"parse", "one request: event type and reference, unverified", cmd_parse},
    {"verify", "one request: the verdict and why; the exit code says it", cmd_verify},
    {"sign", "sign a body, or a sample, as the processor would", ph_cmd_sign},
    {"trigger", "send a signed sample to a URL", ph_cmd_trigger},
    {"connectors", "list, show NAME, check FILE…, explain a signature step by step",
     ph_cmd_connectors},
    {"config", "check FILE, show FILE, help KEY: the server's configuration", ph_cmd_config},
    {"events", "ls, show ID: what was received, on a running payhook", ph_cmd_running},
    {"deliveries", "ls, show ID, retry ID…: who was told, and who was not", ph_cmd_running},
    {"requests", "ls, show ID, reverify: what was posted, and quarantined", ph_cmd_running},
    {"replay", "send events again: some, or those of a time", ph_cmd_running},
    {"tail", "events as they come", ph_cmd_running},
    {"destinations", "ls, pause NAME, resume NAME", ph_cmd_running},
    {"endpoints", "status: which secrets are in use", ph_cmd_running},
    {"status", "of a running payhook", ph_cmd_running},
    {"inbox", "check: whether the file of a stopped payhook is sound", ph_cmd_inbox},
    {"version", "versions of this program and what it stands on", ph_cmd_version},
};

int main(int argc, char **argv)
{
    if (argc > 1)
        for (size_t i = 0; i < PH_COUNTOF(commands); i++)
            if (strcmp(commands[i].name, argv[1]) == 0)
                return commands[i].run(argc - 1, argv + 1);
    bool asked = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
                              strcmp(argv[1], "help") == 0);
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return ph_cmd_version(1, argv);
    FILE *out = asked ? stdout : stderr;
    if (!asked && argc > 1)
        fprintf(out, "payhook: unknown command %s\n\n", argv[1]);
    fprintf(out, "usage: payhook COMMAND [OPTION…]\n\nReceives, verifies and normalises payment "
                 "processors' webhooks.\n\n");
    for (size_t i = 0; i < PH_COUNTOF(commands); i++)
        fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].help);
    fprintf(out, "\npayhook COMMAND --help says more.\n");
    return asked ? PH_EXIT_OK : PH_EXIT_USAGE;
}
