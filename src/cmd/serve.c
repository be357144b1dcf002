/* payhook serve: reads its arguments, makes the connector and endpoint tables, runs the server. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/pages.h"
#include "cmd/serve.h"
#include "os/socket.h"
#include "server/server.h"

static volatile sig_atomic_t stop_asked;

static void on_signal(int number)
{
    (void)number;
    stop_asked = 1;
}

static const char help[] =
    "usage: payhook serve [options]\n"
    "\n"
    "Serves the Event Service: gRPC (HTTP/2) and JSON (POST /v1/handle) on one port. It keeps nothing:\n"
    "callers send the request their processor sent, with the secret, and get the event.\n"
    "\n"
    "  --listen HOST:PORT           Event Service (default 127.0.0.1:8080)\n"
    "  --dev                        also take webhooks at POST /webhooks/<connector>, verify and print\n"
    "                               them. NOT DURABLE: nothing is kept. Secrets come from\n"
    "                               PAYHOOK_<CONNECTOR>_SECRET and PAYHOOK_<CONNECTOR>_ADDITIONAL_SECRET\n"
    "  --listen-webhooks HOST:PORT  webhooks, with --dev (default 127.0.0.1:8081)\n"
    "  --threads N                  reactor threads (default: one per core)\n"
    "  --connectors DIR             read further connector pages (*.yaml) from DIR\n"
    "  --insecure                   allow listening off loopback: no TLS, no authentication\n"
    "  --help                       this text\n";

struct options {
    struct ph_server_config server;
    const char *connectors_dir;
    bool insecure, help;
};

static int usage_error(const char *what, const char *value)
{
    fprintf(stderr, "payhook serve: %s%s%s\nTry 'payhook serve --help'.\n", what,
            value != NULL ? ": " : "", value != NULL ? value : "");
    return 2;
}

static bool read_threads(const char *text, unsigned *ret)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || number < 1 || number > PH_THREADS_MAX)
        return false;
    *ret = (unsigned)number;
    return true;
}

static unsigned default_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > PH_THREADS_MAX ? PH_THREADS_MAX : (unsigned)cores;
}

/* 0, or the exit status of a usage error. */
static int read_options(int argc, char **argv, struct options *ret)
{
    enum { LISTEN = 1, LISTEN_WEBHOOKS, DEV, THREADS, CONNECTORS, INSECURE, HELP };
    static const struct option known[] = {
        {"listen", required_argument, NULL, LISTEN},
        {"listen-webhooks", required_argument, NULL, LISTEN_WEBHOOKS},
        {"dev", no_argument, NULL, DEV},
        {"threads", required_argument, NULL, THREADS},
        {"connectors", required_argument, NULL, CONNECTORS},
        {"insecure", no_argument, NULL, INSECURE},
        {"help", no_argument, NULL, HELP},
        {NULL, 0, NULL, 0},
    };
    int option;
    optind = 1;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case LISTEN:
            ret->server.listen = optarg;
            break;
        case LISTEN_WEBHOOKS:
            ret->server.listen_webhooks = optarg;
            break;
        case DEV:
            ret->server.dev = true;
            break;
        case THREADS:
            if (!read_threads(optarg, &ret->server.threads))
                return usage_error("--threads takes a number from 1 to 64", optarg);
            break;
        case CONNECTORS:
            ret->connectors_dir = optarg;
            break;
        case INSECURE:
            ret->insecure = true;
            break;
        case HELP:
            ret->help = true;
            return 0;
        default: /* getopt has said what is wrong */
            return usage_error("see the options", NULL);
        }
    }
    return optind < argc ? usage_error("takes options only", argv[optind]) : 0;
}

static int check_address(const char *address, bool insecure)
{
    char host[256], port[8];
    if (ph_os_split_address(address, host, sizeof host, port, sizeof port) != PH_OK)
        return usage_error("not HOST:PORT", address);
    if (!insecure && !ph_os_address_is_loopback(address))
        return usage_error("not a loopback address; everybody who reaches it could use it "
                           "(--insecure allows that)",
                           address);
    return 0;
}

static int check_options(struct options *options)
{
    struct ph_server_config *server = &options->server;
    if (server->listen_webhooks != NULL && !server->dev)
        return usage_error("--listen-webhooks needs --dev", NULL);
    if (server->dev && server->listen_webhooks == NULL)
        server->listen_webhooks = "127.0.0.1:8081";
    int wrong = check_address(server->listen, options->insecure);
    if (wrong == 0 && server->listen_webhooks != NULL)
        wrong = check_address(server->listen_webhooks, options->insecure);
    return wrong;
}

/* ---- endpoints of dev mode --------------------------------------------------------------------- */

/* PAYHOOK_<NAME>_<suffix> of the environment; absent when it is not set. */
static struct ph_slice read_env(struct ph_slice connector, const char *suffix)
{
    char name[160];
    if (connector.len > 100)
        return (struct ph_slice){0};
    int len = snprintf(name, sizeof name, "PAYHOOK_%.*s_%s", (int)connector.len, connector.ptr,
                       suffix);
    for (int i = 0; i < len; i++)
        if (name[i] >= 'a' && name[i] <= 'z')
            name[i] = (char)(name[i] - 'a' + 'A');
    return ph_slice_str(getenv(name));
}

/* One endpoint per connector, named like it. `secrets` has as many entries as there are connectors. */
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

/* ---- run --------------------------------------------------------------------------------------- */

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
    status = ph_server_run(server, &stop_asked);
out:
    free(endpoints);
    free(secrets);
    return status;
}

static void *heap_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}

static void heap_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}

/* The pages live as long as the server does. */
static int load_and_run(struct options *options)
{
    static const struct ph_allocator heap = {.alloc = heap_alloc, .free = heap_free};
    struct ph_arena arena;
    struct ph_pages pages;
    int status = 1;
    ph_arena_init(&arena, &heap, PH_ARENA_BYTES_MAX, 0);
    if (ph_cmd_pages_load(&arena, options->connectors_dir, &pages)) {
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
        .server = {.listen = "127.0.0.1:8080", .threads = default_threads()},
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
