/* payhook serve: reads its arguments, makes the connector and endpoint tables, runs the server. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "client/roots.h"
#include "cmd/pages.h"
#include "cmd/serve.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/socket.h"
#include "server/server.h"

static struct ph_server_signals signals;

static void on_signal(int number)
{
    if (number == SIGHUP)
        signals.reload = 1;
    else
        signals.stop = 1;
}

static const char help[] =
    "usage: payhook serve [options]\n"
    "\n"
    "Serves the Event Service: gRPC (HTTP/2) and JSON (POST /v1/handle) on one port. It keeps "
    "nothing:\n"
    "callers send the request their processor sent, with the secret, and get the event.\n"
    "\n"
    "  --listen HOST:PORT           Event Service (default 127.0.0.1:8080)\n"
    "  --dev                        also take webhooks at POST /webhooks/<connector>, verify and "
    "print\n"
    "                               them. NOT DURABLE: nothing is kept. Secrets come from\n"
    "                               PAYHOOK_<CONNECTOR>_SECRET and "
    "PAYHOOK_<CONNECTOR>_ADDITIONAL_SECRET\n"
    "  --listen-webhooks HOST:PORT  webhooks, with --dev (default 127.0.0.1:8081)\n"
    "  --tls-cert FILE              PEM certificate chain: the Event Service speaks TLS only\n"
    "  --tls-key FILE               its key (PEM, without a passphrase)\n"
    "  --tls-client-ca FILE         clients must show a certificate from this CA (PEM)\n"
    "  --webhooks-tls-cert FILE, --webhooks-tls-key FILE, --webhooks-tls-client-ca FILE\n"
    "                               the same for the webhooks' listener. SIGHUP reads all of them "
    "again\n"
    "  --token env:NAME|file:PATH   the Event Service wants `authorization: Bearer <token>`; "
    "health is open\n"
    "  --allow-config-override      accept x-config-override (it lets callers redirect outbound "
    "calls)\n"
    "  --no-callouts                fetch no certificates, key sets and verdicts: what needs them is "
    "unreachable\n"
    "  --ca-file FILE               PEM: who those servers' certificates must come from (default: the "
    "system's)\n"
    "  --egress HOST:PORT           a gateway that all of those connections go to\n"
    "  --max-connection-age SECONDS ask clients to connect anew after this long (default: never)\n"
    "  --threads N                  reactor threads (default: one per core)\n"
    "  --connectors DIR             read further connector pages (*.yaml) from DIR\n"
    "  --insecure                   allow listening off loopback without TLS and a token\n"
    "  --help                       this text\n";

struct options {
    struct ph_server_config server;
    const char *connectors_dir, *token;
    bool insecure, help;
};

static int usage_error(const char *what, const char *value)
{
    fprintf(stderr, "payhook serve: %s%s%s\nTry 'payhook serve --help'.\n", what,
            value != NULL ? ": " : "", value != NULL ? value : "");
    return 2;
}

static bool read_number(const char *text, unsigned long max, unsigned long *ret)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < 1 || number > max)
        return false;
    *ret = number;
    return true;
}

static unsigned default_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > PH_THREADS_MAX ? PH_THREADS_MAX : (unsigned)cores;
}

enum option_id {
    LISTEN = 1,
    LISTEN_WEBHOOKS,
    DEV,
    TLS_CERT,
    TLS_KEY,
    TLS_CLIENT_CA,
    WEBHOOKS_TLS_CERT,
    WEBHOOKS_TLS_KEY,
    WEBHOOKS_TLS_CLIENT_CA,
    TOKEN,
    ALLOW_CONFIG_OVERRIDE,
    NO_CALLOUTS,
    CA_FILE,
    EGRESS,
    MAX_CONNECTION_AGE,
    THREADS,
    CONNECTORS,
    INSECURE,
    HELP
};

/* Options that are a text and no more. */
static const char **text_of(struct options *options, int option)
{
    struct ph_server_config *server = &options->server;
    switch (option) {
    case LISTEN:
        return &server->listen;
    case LISTEN_WEBHOOKS:
        return &server->listen_webhooks;
    case TLS_CERT:
        return &server->tls.certificate;
    case TLS_KEY:
        return &server->tls.key;
    case TLS_CLIENT_CA:
        return &server->tls.client_ca;
    case WEBHOOKS_TLS_CERT:
        return &server->tls_webhooks.certificate;
    case WEBHOOKS_TLS_KEY:
        return &server->tls_webhooks.key;
    case WEBHOOKS_TLS_CLIENT_CA:
        return &server->tls_webhooks.client_ca;
    case CA_FILE:
        return &server->ca_file;
    case EGRESS:
        return &server->egress;
    case TOKEN:
        return &options->token;
    case CONNECTORS:
        return &options->connectors_dir;
    default:
        return NULL;
    }
}

static int read_option(struct options *ret, int option, const char *value)
{
    enum { YEAR_SECONDS = 366 * 24 * 3600 };
    unsigned long number = 0;
    const char **text = text_of(ret, option);
    if (text != NULL) {
        *text = value;
        return 0;
    }
    switch (option) {
    case DEV:
        ret->server.dev = true;
        return 0;
    case ALLOW_CONFIG_OVERRIDE:
        ret->server.allow_config_override = true;
        return 0;
    case NO_CALLOUTS:
        ret->server.callouts = false;
        return 0;
    case MAX_CONNECTION_AGE:
        if (!read_number(value, YEAR_SECONDS, &number))
            return usage_error("--max-connection-age takes seconds, from 1", value);
        ret->server.connection_age_max_ms = (int64_t)number * 1000;
        return 0;
    case THREADS:
        if (!read_number(value, PH_THREADS_MAX, &number))
            return usage_error("--threads takes a number from 1 to 64", value);
        ret->server.threads = (unsigned)number;
        return 0;
    case INSECURE:
        ret->insecure = true;
        return 0;
    case HELP:
        ret->help = true;
        return 0;
    default: /* getopt has said what is wrong */
        return usage_error("see the options", NULL);
    }
}

/* 0, or the exit status of a usage error. */
static int read_options(int argc, char **argv, struct options *ret)
{
    static const struct option known[] = {
        {"listen", required_argument, NULL, LISTEN},
        {"listen-webhooks", required_argument, NULL, LISTEN_WEBHOOKS},
        {"dev", no_argument, NULL, DEV},
        {"tls-cert", required_argument, NULL, TLS_CERT},
        {"tls-key", required_argument, NULL, TLS_KEY},
        {"tls-client-ca", required_argument, NULL, TLS_CLIENT_CA},
        {"webhooks-tls-cert", required_argument, NULL, WEBHOOKS_TLS_CERT},
        {"webhooks-tls-key", required_argument, NULL, WEBHOOKS_TLS_KEY},
        {"webhooks-tls-client-ca", required_argument, NULL, WEBHOOKS_TLS_CLIENT_CA},
        {"token", required_argument, NULL, TOKEN},
        {"allow-config-override", no_argument, NULL, ALLOW_CONFIG_OVERRIDE},
        {"no-callouts", no_argument, NULL, NO_CALLOUTS},
        {"ca-file", required_argument, NULL, CA_FILE},
        {"egress", required_argument, NULL, EGRESS},
        {"max-connection-age", required_argument, NULL, MAX_CONNECTION_AGE},
        {"threads", required_argument, NULL, THREADS},
        {"connectors", required_argument, NULL, CONNECTORS},
        {"insecure", no_argument, NULL, INSECURE},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    int option, wrong = 0;
    optind = 1;
    while (wrong == 0 && (option = getopt_long(argc, argv, "", known, NULL)) != -1)
        wrong = read_option(ret, option, optarg);
    if (wrong == 0 && optind < argc)
        wrong = usage_error("takes options only", argv[optind]);
    return wrong;
}

static int check_tls(const struct ph_tls_files *files, const char *pair)
{
    if ((files->certificate == NULL) != (files->key == NULL))
        return usage_error("a certificate and its key go together", pair);
    if (files->client_ca != NULL && files->certificate == NULL)
        return usage_error("a client CA needs a certificate of the server's own", pair);
    return 0;
}

/* safe: whoever reaches it is kept out or cannot listen in; `wanted` says how it would be. */
static int check_address(const char *address, bool safe, const char *wanted)
{
    char host[256], port[8];
    if (ph_os_split_address(address, host, sizeof host, port, sizeof port) != PH_OK)
        return usage_error("not HOST:PORT", address);
    if (!safe && !ph_os_address_is_loopback(address))
        return usage_error(wanted, address);
    return 0;
}

static int check_options(struct options *options)
{
    struct ph_server_config *server = &options->server;
    bool tls = server->tls.certificate != NULL,
         webhooks_tls = server->tls_webhooks.certificate != NULL;
    if (server->listen_webhooks != NULL && !server->dev)
        return usage_error("--listen-webhooks needs --dev", NULL);
    if (server->dev && server->listen_webhooks == NULL)
        server->listen_webhooks = "127.0.0.1:8081";
    int wrong = check_tls(&server->tls, "--tls-cert, --tls-key");
    if (wrong == 0)
        wrong = check_tls(&server->tls_webhooks, "--webhooks-tls-cert, --webhooks-tls-key");
    if (wrong == 0)
        wrong = check_address(server->listen, options->insecure || (tls && options->token != NULL),
                              "not a loopback address: everybody who reaches it could use it; give "
                              "--tls-cert, --tls-key and --token, or --insecure");
    if (wrong == 0 && server->egress != NULL)
        wrong = check_address(server->egress, true, "");
    if (wrong == 0 && server->listen_webhooks != NULL)
        wrong = check_address(server->listen_webhooks, options->insecure || webhooks_tls,
                              "not a loopback address: give --webhooks-tls-cert and "
                              "--webhooks-tls-key, or --insecure");
    return wrong;
}

/* From where it says, never from the command line itself: others can read that. */
static int read_token(struct ph_arena *arena, struct options *options)
{
    struct ph_slice from = ph_slice_str(options->token), env = PH_S("env:"), file = PH_S("file:");
    struct ph_slice *token = &options->server.token;
    if (!ph_slice_present(from))
        return 0;
    if (ph_slice_starts(from, env))
        *token = ph_slice_str(getenv(from.ptr + env.len));
    else if (!ph_slice_starts(from, file))
        return usage_error("--token takes env:NAME or file:PATH, not the token itself", NULL);
    else if (ph_os_read_file(arena, from.ptr + file.len, PH_SECRET_BYTES_MAX, token) != PH_OK)
        return usage_error("the token's file cannot be read", from.ptr + file.len);
    *token = ph_slice_trim(*token);
    if (token->len == 0)
        return usage_error("the token is empty", options->token);
    return 0;
}

/* ---- endpoints of dev mode ------------------------------------------------------------------- */

/* PAYHOOK_<NAME>_<suffix> of the environment; absent when it is not set. */
static struct ph_slice read_env(struct ph_slice connector, const char *suffix)
{
    char name[160];
    if (connector.len > 100)
        return (struct ph_slice){0};
    int len =
        snprintf(name, sizeof name, "PAYHOOK_%.*s_%s", (int)connector.len, connector.ptr, suffix);
    for (int i = 0; i < len; i++)
        if (name[i] >= 'a' && name[i] <= 'z')
            name[i] = (char)(name[i] - 'a' + 'A');
    return ph_slice_str(getenv(name));
}

/* One endpoint per connector, named like it. `secrets` has as many entries as there are connectors.
 */
static void fill_endpoints(const struct ph_server_config *server, struct ph_endpoint *endpoints,
                           struct ph_secret_pair *secrets)
{
    for (size_t i = 0; i < server->connector_count; i++) {
        const struct ph_connector *connector = server->connectors[i];
        secrets[i] = (struct ph_secret_pair){
            .secret = read_env(connector->name, "SECRET"),
            .additional = read_env(connector->name, "ADDITIONAL_SECRET"),
        };
        endpoints[i] = (struct ph_endpoint){
            .name = connector->name,
            .connector = connector,
            .secrets = &secrets[i],
            .secret_count = ph_slice_present(secrets[i].secret) ? 1 : 0,
        };
    }
}

/* ---- run ------------------------------------------------------------------------------------- */

static int run(struct ph_server_config *server)
{
    struct ph_endpoint *endpoints = calloc(server->connector_count + 1, sizeof *endpoints);
    struct ph_secret_pair *secrets = calloc(server->connector_count + 1, sizeof *secrets);
    int status = 1;
    if (endpoints == NULL || secrets == NULL) {
        fprintf(stderr, "payhook serve: out of memory\n");
        goto out;
    }
    if (server->dev) {
        fill_endpoints(server, endpoints, secrets);
        server->endpoints = endpoints;
        server->endpoint_count = server->connector_count;
    }
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    status = ph_server_run(server, &signals);
out:
    free(endpoints);
    free(secrets);
    return status;
}

/* A machine without a list of roots cannot check fetched certificates: those requests are unreachable. */
static bool read_roots(struct ph_arena *arena, struct ph_server_config *server)
{
    if (!server->callouts || ph_roots_read(arena, server->ca_file, &server->roots) == PH_OK || server->ca_file == NULL)
        return true;
    fprintf(stderr, "payhook serve: --ca-file: no certificates can be read from %s\n", server->ca_file);
    return false;
}

/* The pages live as long as the server does. */
static int load_and_run(struct options *options)
{
    struct ph_arena arena;
    struct ph_pages pages;
    int status = 1;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    int wrong = read_token(&arena, options);
    if (wrong != 0)
        status = wrong;
    else if (read_roots(&arena, &options->server) && ph_cmd_pages_load(&arena, options->connectors_dir, &pages)) {
        options->server.connectors = pages.connectors;
        options->server.connector_count = pages.count;
        status = run(&options->server);
    }
    ph_arena_done(&arena);
    return status;
}

int ph_cmd_serve(int argc, char **argv)
{
    struct options options = {
        .server = {.listen = "127.0.0.1:8080", .threads = default_threads(), .callouts = true},
    };
    int wrong = read_options(argc, argv, &options);
    if (wrong != 0)
        return wrong;
    if (options.help) {
        fputs(help, stdout);
        return 0;
    }
    wrong = check_options(&options);
    return wrong != 0 ? wrong : load_and_run(&options);
}
