/* payhook serve: the configuration read, and the server and the gateway set up by it. */
#include "cmd/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "client/roots.h"
#include "cmd/args.h"
#include "cmd/config_load.h"
#include "cmd/pages.h"
#include "cmd/serve_flags.h"
#include "gateway/gateway.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/folder.h"
#include "os/heap.h"
#include "os/random.h"
#include "server/server.h"

static struct ph_server_signals signals;

static void on_signal(int number)
{
    if (number == SIGHUP)
        signals.reload = 1;
    else
        signals.stop = 1;
}

/* What lives as long as the server. */
struct serving {
    struct ph_arena arena;
    struct ph_serve_flags flags;
    const char *file; /* of the configuration; NULL: none */
    struct ph_server_config server;
    struct ph_view *view; /* the first one, until the server takes it */
};

/* ---- the configuration ----------------------------------------------------------------------- */

static const char *variable(const char *const *environment, const char *name)
{
    for (size_t len = strlen(name); *environment != NULL; environment++)
        if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
            return *environment + len + 1;
    return NULL;
}

/* Without a file, and without secrets of processors, there is an endpoint to try things with:
 * for that its secret must be there before the configuration is read. */
static bool make_development_secret(struct serving *s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { KEY_CHARS = 43, PATH_MAX_BYTES = 4096 };
    unsigned char random[KEY_CHARS];
    char path[PATH_MAX_BYTES], secret[6 + KEY_CHARS + 2] = "whsec_";
    const char *data = variable(s->flags.environment, "PAYHOOK_DATA");
    if (data == NULL)
        data = "./payhook-data";
    if (snprintf(path, sizeof path, "%s/%s", data, PH_DEVELOPMENT_SECRET_FILE) >=
        (int)sizeof path) {
        fprintf(stderr, "payhook serve: the path of the data folder is too long\n");
        return false;
    }
    if (ph_os_random(random, sizeof random) != PH_OK)
        return false;
    for (size_t i = 0; i < KEY_CHARS; i++)
        secret[6 + i] = digits[random[i] % 64];
    /* 43 characters are 32 bytes and two bits of none */
    secret[6 + KEY_CHARS - 1] = digits[random[KEY_CHARS - 1] % 64 & ~3U];
    secret[6 + KEY_CHARS] = '=';
    enum ph_status st = ph_os_folder_make(data);
    if (st == PH_OK)
        st = ph_os_write_new_file(path, ph_slice_str(secret));
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(random, sizeof random);
    if (st == PH_OK || st == PH_ERR_INVALID) /* there is one already */
        return true;
    fprintf(stderr, "payhook serve: cannot write %s: %s; give another folder with --data\n", path,
            strerror(errno));
    return false;
}

/* Gives a view, or NULL when what is wrong has been said: to the log, where there is one
 * already. */
static struct ph_view *load(void *ctx, const struct ph_view *before, struct ph_log *log)
{
    struct serving *s = ctx;
    struct ph_arena *pages = malloc(sizeof *pages);
    if (pages == NULL)
        return NULL;
    ph_arena_init(pages, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    const struct ph_config *config = ph_cmd_config_load_with(
        pages, s->flags.config, s->flags.environment, s->flags.check, log, &s->file);
    struct ph_view *view = config != NULL ? ph_view_new(config, pages, before) : NULL;
    if (config == NULL) {
        ph_arena_done(pages);
        free(pages);
    } else if (view == NULL) {
        ph_cmd_config_say(log, false,
                          PH_S("more destinations, those that went since the start included, than "
                               "one process can have: restart"));
    }
    return view;
}

/* A copy of ours: the first configuration goes, secrets and all, when another takes over. False:
 * no memory. */
static bool keep_text(struct serving *s, struct ph_slice text, const char **ret)
{
    char *copy = text.len > 0 ? ph_arena_zalloc(&s->arena, text.len + 1) : NULL;
    if (copy != NULL)
        memcpy(copy, text.ptr, text.len);
    *ret = copy;
    return copy != NULL || text.len == 0;
}

static bool keep_texts(struct serving *s, const struct ph_config *config)
{
    struct ph_server_config *server = &s->server;
    bool kept = keep_text(s, config->service.listen, &server->listen) &&
                keep_text(s, config->webhooks.listen, &server->listen_webhooks) &&
                keep_text(s, config->admin.socket, &server->admin_socket) &&
                keep_text(s, config->callouts.ca, &server->ca_file) &&
                keep_text(s, config->callouts.egress, &server->egress);
    if (!kept)
        fprintf(stderr, "payhook serve: out of memory\n");
    return kept;
}

static unsigned threads_of(const struct ph_config *config)
{
    long cores = config->threads > 0 ? (long)config->threads : sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > PH_THREADS_MAX ? PH_THREADS_MAX : (unsigned)cores;
}

/* A machine without a list of roots cannot check fetched certificates: those requests are
 * unreachable. */
static bool read_roots(struct serving *s)
{
    struct ph_server_config *server = &s->server;
    if (!server->callouts || ph_roots_read(&s->arena, server->ca_file, &server->roots) == PH_OK ||
        server->ca_file == NULL)
        return true;
    fprintf(stderr, "payhook serve: no certificates can be read from %s (callouts.ca)\n",
            server->ca_file);
    return false;
}

/* ---- dev mode -------------------------------------------------------------------------------- */

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

/* One endpoint per connector, named like it. */
static bool fill_endpoints(struct serving *s)
{
    struct ph_server_config *server = &s->server;
    struct ph_endpoint *endpoints =
        ph_arena_zalloc(&s->arena, (server->connector_count + 1) * sizeof *endpoints);
    struct ph_secret_pair *secrets =
        ph_arena_zalloc(&s->arena, (server->connector_count + 1) * sizeof *secrets);
    if (endpoints == NULL || secrets == NULL)
        return false;
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
    server->endpoints = endpoints;
    server->endpoint_count = server->connector_count;
    return true;
}

/* ---- run ------------------------------------------------------------------------------------- */

static bool set_up(struct serving *s)
{
    const struct ph_config *config = s->view->config;
    const char *folder;
    struct ph_pages pages;
    if (!keep_text(s, config->connectors, &folder) || !ph_cmd_pages_load(&s->arena, folder, &pages))
        return false;
    s->server = (struct ph_server_config){
        .threads = threads_of(config),
        .connectors = pages.connectors,
        .connector_count = pages.count,
        .allow_config_override = config->service_config_override,
        .callouts = config->callouts.enabled,
        .connection_age_max_ms = config->service_connection_age_ms,
        .connections_max = (size_t)config->limits.connections,
        .dev = s->flags.dev,
        .load = load,
        .load_ctx = s,
    };
    return keep_texts(s, config) && read_roots(s) && (!s->flags.dev || fill_endpoints(s));
}

static int serve(struct serving *s)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGHUP, &action, NULL);
    struct ph_view *view = s->view;
    s->view = NULL;
    return ph_server_run(&s->server, view, &signals);
}

static int run(struct serving *s)
{
    bool has_file =
        s->flags.config != NULL || variable(s->flags.environment, "PAYHOOK_CONFIG") != NULL;
    const char *webhooks = variable(s->flags.environment, "PAYHOOK_WEBHOOKS_LISTEN");
    bool gateway =
        !s->flags.dev && !s->flags.check && (webhooks == NULL || strcmp(webhooks, "none") != 0);
    if (!has_file && gateway && !make_development_secret(s))
        return PH_EXIT_FAILED;
    s->view = load(s, NULL, NULL);
    if (s->view == NULL) /* without a file, what is wrong is a flag or a variable */
        return has_file ? PH_EXIT_FAILED : PH_EXIT_USAGE;
    if (s->flags.check) {
        printf("%s: ok\n", s->file != NULL ? s->file : "no file, the built-in configuration");
        return PH_EXIT_OK;
    }
    return set_up(s) ? serve(s) : PH_EXIT_FAILED;
}

int ph_cmd_serve(int argc, char **argv)
{
    struct serving s = {0};
    ph_arena_init(&s.arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    int code = ph_serve_flags_read(&s.arena, argc, argv, &s.flags);
    if (code == PH_EXIT_OK && s.flags.help)
        ph_serve_flags_help();
    else if (code == PH_EXIT_OK)
        code = run(&s);
    ph_view_unref(s.view);
    ph_arena_done(&s.arena);
    return code;
}
