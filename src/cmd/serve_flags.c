#include "cmd/serve_flags.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/args.h"

enum kind { TEXT, YES, NO, SECONDS };

struct flag {
    /* second: another variable that is told the same */
    const char *name, *value, *variable, *second;
    enum kind kind;
    const char *help;
};

/* A flag is a row. */
static const struct flag flags[] = {
    {"listen", "HOST:PORT", "PAYHOOK_SERVICE_LISTEN", NULL, TEXT,
     "Event Service, metrics, admin API (default 127.0.0.1:8080); none: off"},
    {"listen-webhooks", "HOST:PORT", "PAYHOOK_WEBHOOKS_LISTEN", NULL, TEXT,
     "webhooks (default 127.0.0.1:8081); none: off, and no inbox"},
    {"data", "DIR", "PAYHOOK_DATA", NULL, TEXT, "the inbox's folder (default ./payhook-data)"},
    {"tls-cert", "FILE", "PAYHOOK_SERVICE_TLS_CERTIFICATE", NULL, TEXT,
     "PEM certificate chain: the Event Service speaks TLS only"},
    {"tls-key", "FILE", "PAYHOOK_SERVICE_TLS_KEY", NULL, TEXT,
     "its key (PEM, without a passphrase)"},
    {"tls-client-ca", "FILE", "PAYHOOK_SERVICE_TLS_CA", NULL, TEXT,
     "clients must show a certificate from this CA (PEM)"},
    {"webhooks-tls-cert", "FILE", "PAYHOOK_WEBHOOKS_TLS_CERTIFICATE", NULL, TEXT,
     "the same for the webhooks' listener"},
    {"webhooks-tls-key", "FILE", "PAYHOOK_WEBHOOKS_TLS_KEY", NULL, TEXT, ""},
    {"webhooks-tls-client-ca", "FILE", "PAYHOOK_WEBHOOKS_TLS_CA", NULL, TEXT, ""},
    {"token", "env:NAME|file:PATH", "PAYHOOK_SERVICE_TOKEN", NULL, TEXT,
     "the Event Service wants `authorization: Bearer <token>`; health is open"},
    {"allow-config-override", NULL, "PAYHOOK_SERVICE_CONFIG_OVERRIDE", NULL, YES,
     "accept x-config-override (it lets callers redirect outbound calls)"},
    {"no-callouts", NULL, "PAYHOOK_CALLOUTS_ENABLED", NULL, NO,
     "fetch no certificates, key sets and verdicts: what needs them is unreachable"},
    {"ca-file", "FILE", "PAYHOOK_CALLOUTS_CA", NULL, TEXT,
     "PEM: who those servers' certificates must come from (default: the system's)"},
    {"egress", "HOST:PORT", "PAYHOOK_CALLOUTS_EGRESS", NULL, TEXT,
     "a gateway that all of those connections go to"},
    {"max-connection-age", "SECONDS", "PAYHOOK_SERVICE_CONNECTION_AGE", NULL, SECONDS,
     "ask clients to connect anew after this long (default: never)"},
    {"threads", "N", "PAYHOOK_THREADS", NULL, TEXT, "reactor threads (default: one per core)"},
    {"connectors", "DIR", "PAYHOOK_CONNECTORS", NULL, TEXT,
     "read further connector pages (*.yaml) from DIR"},
    {"insecure", NULL, "PAYHOOK_SERVICE_INSECURE", "PAYHOOK_WEBHOOKS_INSECURE", YES,
     "allow listening off loopback without TLS and a token"},
};
enum { CONFIG = PH_COUNTOF(flags), CHECK, DEV, HELP, OPTIONS };

void ph_serve_flags_help(void)
{
    printf("usage: payhook serve [options]\n"
           "\n"
           "Receives webhooks at POST /webhooks/<endpoint>, keeps them, answers, and delivers "
           "their events; and serves the\n"
           "Event Service, gRPC (HTTP/2) and JSON (POST /v1/handle), which keeps nothing. Without "
           "a configuration file each\n"
           "PAYHOOK_<CONNECTOR>_SECRET (and PAYHOOK_<CONNECTOR>_ADDITIONAL_SECRET) makes an "
           "endpoint of that name.\n"
           "\n"
           "  %-33s the configuration (docs/config.md; default: what PAYHOOK_CONFIG names)\n"
           "  %-33s say everything that is wrong with the configuration, and end\n"
           "  %-33s webhooks of every connector are verified and printed. NOT DURABLE: nothing is "
           "kept\n",
           "--config FILE", "--check", "--dev");
    for (size_t i = 0; i < PH_COUNTOF(flags); i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", flags[i].name, flags[i].value != NULL ? " " : "",
                 flags[i].value != NULL ? flags[i].value : "");
        printf("  %-33s %s\n", left, flags[i].help);
    }
    printf("  %-33s this text\n"
           "\n"
           "These flags go over the settings' variables, and those over the file. SIGHUP reads the "
           "file, secrets and certificates\n"
           "again; SIGTERM ends it when what is under way has been answered.\n",
           "--help");
}

static int usage_error(const char *what, const char *value)
{
    fprintf(stderr, "payhook serve: %s%s%s\nTry 'payhook serve --help'.\n", what,
            value != NULL ? ": " : "", value != NULL ? value : "");
    return PH_EXIT_USAGE;
}

/* "NAME=value" */
static const char *entry(struct ph_arena *arena, const char *variable, const char *value,
                         const char *unit)
{
    size_t room = strlen(variable) + strlen(value) + strlen(unit) + 2;
    char *text = ph_arena_alloc(arena, room);
    if (text != NULL)
        snprintf(text, room, "%s=%s%s", variable, value, unit);
    return text;
}

static bool is_set(const char *const *entries, size_t count, const char *variable)
{
    size_t len = strcspn(variable, "=");
    for (size_t i = 0; i < count; i++)
        if (strncmp(entries[i], variable, len + 1) == 0)
            return true;
    return false;
}

static int add(struct ph_arena *arena, const struct flag *flag, const char *value,
               const char **entries, size_t *count)
{
    if (flag->kind == SECONDS && (value[0] == '\0' || value[strspn(value, "0123456789")] != '\0'))
        return usage_error("takes whole seconds", flag->name);
    const char *text = flag->kind == YES ? "true" : flag->kind == NO ? "false" : value;
    const char *variables[] = {flag->variable, flag->second};
    for (size_t i = 0; i < 2 && variables[i] != NULL; i++) {
        const char *made = entry(arena, variables[i], text, flag->kind == SECONDS ? "s" : "");
        if (made == NULL)
            return usage_error("out of memory", NULL);
        entries[(*count)++] = made;
    }
    return 0;
}

/* Later flags go over earlier ones, and all over the environment. */
static const char **join(struct ph_arena *arena, const char **entries, size_t count)
{
    size_t total = 0, kept = 0;
    while (environ[total] != NULL)
        total++;
    const char **all = ph_arena_alloc(arena, (total + count + 1) * sizeof *all);
    if (all == NULL)
        return NULL;
    for (size_t i = count; i > 0; i--)
        if (!is_set(all, kept, entries[i - 1]))
            all[kept++] = entries[i - 1];
    for (size_t i = 0; i < total; i++)
        if (strchr(environ[i], '=') != NULL && !is_set(all, kept, environ[i]))
            all[kept++] = environ[i];
    all[kept] = NULL;
    return all;
}

int ph_serve_flags_read(struct ph_arena *arena, int argc, char **argv, struct ph_serve_flags *ret)
{
    struct option known[OPTIONS + 1] = {0};
    const char *entries[2 * 64];
    size_t count = 0;
    int option, wrong = 0;
    for (int i = 0; i < CONFIG; i++)
        known[i] = (struct option){
            flags[i].name, flags[i].value != NULL ? required_argument : no_argument, NULL, i + 1};
    known[CONFIG] = (struct option){"config", required_argument, NULL, CONFIG + 1};
    known[CHECK] = (struct option){"check", no_argument, NULL, CHECK + 1};
    known[DEV] = (struct option){"dev", no_argument, NULL, DEV + 1};
    known[HELP] = (struct option){"help", no_argument, NULL, HELP + 1};
    *ret = (struct ph_serve_flags){0};
    optind = 1;
    while (wrong == 0 && (option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option - 1) {
        case CONFIG:
            ret->config = optarg;
            break;
        case CHECK:
            ret->check = true;
            break;
        case DEV:
            ret->dev = true;
            break;
        case HELP:
            ret->help = true;
            break;
        default: /* '?': getopt has said what is wrong */
            if (option < 1 || option > CONFIG)
                wrong = usage_error("see the options", NULL);
            else if (count + 2 > PH_COUNTOF(entries))
                wrong = usage_error("too many options", NULL);
            else
                wrong = add(arena, &flags[option - 1], optarg, entries, &count);
        }
    }
    if (wrong == 0 && optind < argc)
        wrong = usage_error("takes options only", argv[optind]);
    if (wrong == 0 && (ret->environment = join(arena, entries, count)) == NULL)
        wrong = usage_error("out of memory", NULL);
    return wrong;
}
