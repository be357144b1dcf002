/* The server: the Event Service (stateless calls), and the webhooks' listener: the gateway's, or
 * in dev mode one that prints and keeps nothing.
 *
 * S1: one acceptor (the caller's thread) deals connections to reactor threads; a connection
 *     stays with its reactor, and a reactor's state is touched by its own thread only.
 * S2: the config is read-only while the server runs; every thread reads it. What a reload may
 *     change is in the view, of which each reactor has the one in use handed to it.
 * S3: a listener asks for nothing less than the configuration in use says: one whose
 *     certificates cannot be read is not taken, nor one that gives up what is asked for at an
 *     address that only a restart would leave. */
#ifndef PH_SERVER_SERVER_H
#define PH_SERVER_SERVER_H

#include <signal.h>

#include "core/engine.h"
#include "http/message.h"

/* One URL of ours: POST /webhooks/<name>. */
struct ph_endpoint {
    struct ph_slice name;
    const struct ph_connector *connector;
    const struct ph_secret_pair *secrets;
    size_t secret_count;
    const struct ph_config_value *config;
    size_t config_count;
    int32_t capture_method; /* enum ph_capture_method; 0: not told */
};

struct ph_config;
struct ph_log;
struct ph_view;

struct ph_server_config {
    const char *listen;          /* "127.0.0.1:8080": the Event Service; NULL: none */
    const char *listen_webhooks; /* NULL: no ingress */
    const char *admin_socket;    /* a path: the admin API without a token; NULL: none */
    unsigned threads;            /* reactors; 1 … PH_THREADS_MAX */
    const struct ph_connector *const *connectors; /* sorted by name */
    size_t connector_count;
    const struct ph_endpoint *endpoints; /* sorted by name */
    size_t endpoint_count;
    bool allow_config_override; /* x-config-override is accepted */
    bool callouts;              /* what a page needs from the network is fetched */
    const char *ca_file;        /* of those: PEM; NULL: the system's */
    const char *egress;         /* HOST:PORT that all of them go through; NULL: none */
    struct ph_slice roots; /* what a fetched certificate must lead to: base64 DER in a comma list */
    int64_t connection_age_max_ms; /* 0: connections may grow old */
    size_t connections_max;        /* of the two listeners together */
    bool dev;                      /* ingress prints events and keeps none */
    /* SIGHUP: another view that takes over from this one, with a reference, or NULL when what is
     * wrong has been told to the log. */
    struct ph_view *(*load)(void *ctx, const struct ph_view *before, struct ph_log *log);
    void *load_ctx;
};

/* What signal handlers set; the server looks at it between waits, and only then lets signals in. */
struct ph_server_signals {
    volatile sig_atomic_t stop; /* SIGINT, SIGTERM: finish what is in flight, and end */
    /* SIGHUP: read the configuration, secrets and certificates again */
    volatile sig_atomic_t reload;
};

/* Serves until signals->stop is set. Takes `view`: the rest of the configuration, for which
 * another takes over at SIGHUP; what is here stays as at the start. Prints "listening on …" once
 * per listener when ready. The three signals must interrupt it. What cannot be read again leaves
 * the old in use, with the reason in the log. Gives the program's exit status: 0, or 1 with the
 * reason on stderr. */
int ph_server_run(const struct ph_server_config *config, struct ph_view *view,
                  struct ph_server_signals *signals);

#endif
