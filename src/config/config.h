/* The configuration: one YAML file, the environment over it, defaults under it, as plain data.
 *
 * C1: every setting is a row (settings.h): reading, checking, `config show`, help and
 *     docs/config.md follow it.
 * C2: all that is wrong is said at once, with its place, and a configuration with an error is
 *     never given out.
 * C3: immutable once loaded: any number of threads may read it. A reload makes another
 *     (ph_config_diff).
 * C4: secrets come from `env:` and `file:`, are not printed by anything here, and are wiped by
 *     ph_config_free.
 * C5: exact: times are whole ms, sizes whole bytes, amounts whole minor units. */
#ifndef PH_CONFIG_CONFIG_H
#define PH_CONFIG_CONFIG_H

#include "config/quantity.h"
#include "core/engine.h"

/* Some of a kind, in the order of the file. */
#define PH_MANY(type)                                                                              \
    struct {                                                                                       \
        type const *items;                                                                         \
        size_t count;                                                                              \
    }

/* Where the value of a row came from. */
enum ph_config_source { PH_FROM_DEFAULT, PH_FROM_FILE, PH_FROM_ENVIRONMENT };
struct ph_config_origin {
    uint32_t line; /* of the file; 0: not from it */
    uint16_t column;
    uint8_t source; /* enum ph_config_source */
    bool given;
};

/* What an entry with a name, and every other group of rows, begins with. */
struct ph_config_entry {
    struct ph_slice name; /* empty: it has none */
    struct ph_slice path; /* "endpoints.shop." */
    struct ph_config_origin at;
    const struct ph_config_origin *origins; /* one for each row of its scope */
};

/* Something secret, and where it is from: the only part that may be printed. */
struct ph_config_key {
    struct ph_slice from;  /* "env:STRIPE_WHSEC" */
    struct ph_slice value; /* absent: not given */
};

struct ph_config_secret {
    struct ph_config_entry entry;
    struct ph_config_key secret, additional;
    int64_t not_before_ms, not_after_ms; /* valid from, and up to (not at) that time; 0: no bound */
};

struct ph_config_member {
    struct ph_slice name;
    struct ph_config_key key; /* from absent: written in the file as it is */
};

enum ph_config_mode { PH_CONFIG_MODE_ANY, PH_CONFIG_MODE_LIVE, PH_CONFIG_MODE_TEST };

/* One of the merchant accounts that share an endpoint's URL; its name is what `by` reads. */
struct ph_config_account {
    struct ph_config_entry entry;
    PH_MANY(struct ph_config_secret) secrets;
    PH_MANY(struct ph_config_member) fields;
    PH_MANY(struct ph_config_value)
    values; /* for the engine: the fields, then the endpoint's that it lacks */
};

struct ph_config_endpoint {
    struct ph_config_entry entry; /* its name is the URL's: /webhooks/NAME */
    struct ph_slice connector;
    const struct ph_connector *page;
    PH_MANY(struct ph_config_secret) secrets;
    int32_t capture_method; /* enum ph_capture_method; 0: not told */
    PH_MANY(struct ph_config_member) fields;
    PH_MANY(struct ph_config_value)
    values; /* for the engine: the fields, notification_url, tolerance_seconds */
    struct ph_slice account;
    int32_t mode; /* enum ph_config_mode */
    struct ph_slice public_url;
    int64_t tolerance_ms; /* 0: the page's */
    PH_MANY(struct ph_network)
    trusted_proxies, allow_ips; /* none: nobody is trusted; anybody may send */
    struct ph_slice by;         /* "/pointer" or "header:Name"; absent: one account */
    PH_MANY(struct ph_config_account) accounts;
};

enum ph_config_kind { PH_CONFIG_HTTP = 1, PH_CONFIG_REDIS = 2 };
enum ph_config_ordering { PH_ORDERING_NONE, PH_ORDERING_PAYMENT };
enum ph_config_once { PH_ONCE_PER_EVENT, PH_ONCE_PER_EFFECT };
enum ph_config_format { PH_CONFIG_STRUCTURED, PH_CONFIG_BATCH };
/* Bits of `verdicts` and `modes` of a destination. */
enum ph_config_verdicts { PH_TELL_VERIFIED = 1, PH_TELL_UNSIGNED = 2, PH_TELL_UNSUPPORTED = 4 };
enum ph_config_modes { PH_TELL_LIVE = 1, PH_TELL_TEST = 2, PH_TELL_UNKNOWN = 4 };

struct ph_config_tls {
    struct ph_slice certificate, key, ca; /* paths; absent: none */
    struct ph_slice content;              /* a digest of the files; absent: none */
};

struct ph_config_destination {
    struct ph_config_entry entry;
    struct ph_slice url;
    enum ph_config_kind kind; /* by the URL's scheme */
    bool allow_private; /* also when the URL itself has a private address: then that is said */
    struct ph_config_tls tls;
    PH_MANY(struct ph_config_secret) secrets;    /* Standard Webhooks; each that is valid signs */
    PH_MANY(struct ph_slice) events, connectors; /* none: all */
    uint32_t verdicts;                           /* enum ph_config_verdicts */
    uint32_t modes; /* enum ph_config_modes; 0: the mode that the endpoint is for */
    struct {
        struct ph_slice currency; /* absent: any amount */
        int64_t least, most;      /* minor units; 0: no bound */
    } amount;
    struct {
        PH_MANY(int64_t) after_ms;
        int64_t every_ms, for_ms, park_ms; /* every 0: the ladder ends it */
    } retry;
    struct {
        int64_t connect_ms, total_ms;
    } timeout;
    int64_t concurrency, rate; /* rate a second; 0: as fast as it goes */
    int32_t ordering, once_per, format;
    int64_t batch;
    struct {
        struct ph_slice username, stream;
        struct ph_config_key password;
        int64_t length; /* 0: the stream is not cut */
    } redis;
};

enum ph_config_scopes {
    PH_SCOPE_READ = 1,
    PH_SCOPE_RAW = 2,
    PH_SCOPE_REPLAY = 4,
    PH_SCOPE_CONTROL = 8
};

struct ph_config_token {
    struct ph_config_entry entry;
    struct ph_config_key secret;
    uint32_t scopes; /* enum ph_config_scopes */
};

struct ph_config_listener {
    struct ph_slice listen;   /* "127.0.0.1:8080"; absent: off */
    struct ph_config_tls tls; /* ca: clients must show a certificate of it */
    struct ph_config_key token;
    bool insecure;
};

enum ph_log_format { PH_LOG_TEXT, PH_LOG_JSON };
enum ph_log_level { PH_LOG_ERROR, PH_LOG_WARNING, PH_LOG_INFO, PH_LOG_DEBUG };

struct ph_config {
    struct ph_config_entry entry;
    struct ph_slice file;             /* absent: the built-in configuration */
    struct ph_slice data, connectors; /* folders */
    int64_t threads;                  /* 0: one for each core */
    struct ph_config_listener webhooks, service;
    bool service_config_override;
    int64_t service_connection_age_ms; /* 0: connections may grow old */
    PH_MANY(struct ph_config_endpoint) endpoints;
    PH_MANY(struct ph_config_destination) destinations;
    struct {
        int64_t age_ms, size_bytes, keys_ms; /* 0: for ever, no bound */
    } retention;
    struct {
        int64_t requests, bytes, age_ms;
    } quarantine;
    struct {
        int64_t body_bytes, headers, header_bytes, connections, head_ms, body_ms, idle_ms;
    } limits;
    struct {
        bool enabled;
        struct ph_slice ca, egress; /* a path; HOST:PORT, absent: none */
    } callouts;
    struct {
        int32_t format, level; /* enum ph_log_format, ph_log_level */
    } log;
    bool metrics;
    struct {
        struct ph_slice socket; /* absent: off */
        PH_MANY(struct ph_config_token) tokens;
    } admin;
    struct ph_arena arena; /* all of it, and its secrets */
};

/* ---- what is wrong --------------------------------------------------------------------------- */

struct ph_config_finding {
    struct ph_slice text; /* "payhook.yaml:12:5: endpoints.shop.mode: …; …" */
    bool warning;
    uint32_t line, column; /* 0: not of the file */
};
struct ph_config_report {
    struct ph_arena arena;
    struct ph_config_finding list[PH_CONFIG_FINDINGS_MAX]; /* in the order of the file */
    size_t count, errors, left_out;
    bool no_memory;
};
void ph_config_report_init(struct ph_config_report *report, const struct ph_allocator *allocator);
void ph_config_report_done(struct ph_config_report *report);

/* ---- loading --------------------------------------------------------------------------------- */

/* All that loading takes from outside; kept until it returns. */
struct ph_config_world {
    const struct ph_allocator *allocator; /* kept as long as the configuration */
    const char *const *environment;       /* "NAME=VALUE", NULL at the end */
    /* A regular file's bytes, in the arena, and its permission bits; ph_os_read_file_mode. */
    enum ph_status (*read_file)(struct ph_arena *arena, const char *path, size_t bytes_max,
                                struct ph_slice *ret_bytes, uint32_t *ret_mode);
    /* The connectors there are, with those of a folder (NULL: none); they outlive the
     * configuration. False: what is wrong has been said. */
    bool (*pages)(void *ctx, const char *folder, const struct ph_connector *const **ret,
                  size_t *ret_count);
    void *ctx;
    int64_t now_ms; /* unix */
    bool thorough;  /* somebody asks to have it checked: what may be meant so is said, too */
};

/* Reads the file, or for NULL makes the built-in configuration: an endpoint for each connector
 * whose PAYHOOK_<CONNECTOR>_SECRET is set, otherwise a development endpoint when the data folder
 * has a secret for it. Gives the configuration, or PH_ERR_MALFORMED with errors in the report,
 * which may hold warnings after PH_OK. */
PH_MUST_USE enum ph_status ph_config_load(const struct ph_config_world *world, const char *path,
                                          struct ph_config_report *report,
                                          const struct ph_config **ret);
/* The same from text that was read already; `file` names it. */
PH_MUST_USE enum ph_status ph_config_load_text(const struct ph_config_world *world,
                                               struct ph_slice file, struct ph_slice text,
                                               struct ph_config_report *report,
                                               const struct ph_config **ret);
/* Of the file, or of none, what says where a running payhook is found, the environment over it:
 * `data`, `webhooks.listen`, `admin.socket`. The rest is zero, and neither read nor checked: who
 * asks a running payhook needs none of its secrets. */
PH_MUST_USE enum ph_status ph_config_load_places(const struct ph_config_world *world,
                                                 const char *path, struct ph_config_report *report,
                                                 const struct ph_config **ret);
/* Wipes and frees. NULL is fine. */
void ph_config_free(const struct ph_config *config);

/* The file, under the data folder, with the secret of the built-in development endpoint; who wants
 * that endpoint writes it before loading. */
#define PH_DEVELOPMENT_SECRET_FILE "development-secret"

/* ---- asking ---------------------------------------------------------------------------------- */

/* NULL: none of that name. */
const struct ph_config_endpoint *ph_config_endpoint_find(const struct ph_config *config,
                                                         struct ph_slice name);
const struct ph_config_account *ph_config_account_find(const struct ph_config_endpoint *endpoint,
                                                       struct ph_slice name);
/* Of a request, the first time (both times are its receipt) or once more from the inbox. */
struct ph_config_reading {
    int64_t received_ms, now_ms;
    struct ph_slice verified_by; /* the name of the secret that has verified it; absent: none has */
};
/* The secrets that it is judged with: those valid at its receipt, those valid now, and the one that
 * has verified it, each once and in order; ret_which[i] is their place in the list. So one that was
 * added late verifies what came before it, one that has ended since still verifies what it did, and
 * none verifies anything that was received after its end. Gives how many, at most PH_SECRETS_MAX. */
size_t ph_config_secrets_for(const struct ph_config_secret *secrets, size_t count,
                             const struct ph_config_reading *reading,
                             struct ph_secret_pair ret_pairs[PH_SECRETS_MAX],
                             size_t ret_which[PH_SECRETS_MAX]);
/* The first config field that a request for more (of a thin event) is made with, and that is not
 * given; absent: none. */
struct ph_slice ph_config_fetch_lacks(const struct ph_fetch *fetch,
                                      const struct ph_config_value *values, size_t count);
/* The same for a page: absent, too, when it asks for nothing more, or has what one of its ways
 * takes. */
struct ph_slice ph_config_page_lacks(const struct ph_connector *page,
                                     const struct ph_config_value *values, size_t count);
/* The configuration as a file that loads to the same, secrets as names; absent: no memory. */
struct ph_slice ph_config_show(const struct ph_config *config, struct ph_arena *arena);

/* ---- reloading ------------------------------------------------------------------------------- */

enum ph_config_how { PH_CHANGE_ADDED, PH_CHANGE_REMOVED, PH_CHANGE_CHANGED };
struct ph_config_change {
    struct ph_slice path; /* "endpoints.shop.secrets" */
    enum ph_config_how how;
    bool restart; /* it takes effect with the next start only */
};
struct ph_config_changes {
    const struct ph_config_change *list;
    size_t count;
    bool restart; /* of any of them */
};
/* What a configuration says of the settings that take a restart, copied into the arena; nothing
 * secret is among them, and the rest is zero. NULL: no memory. For ph_config_restart_diff, as long
 * as the process runs by it. */
const struct ph_config *ph_config_keep_restart(const struct ph_config *config,
                                               struct ph_arena *arena);
/* What `now` says otherwise of them: it waits for a restart, by whichever reload it came. */
PH_MUST_USE enum ph_status ph_config_restart_diff(const struct ph_config *kept,
                                                  const struct ph_config *now,
                                                  struct ph_arena *arena,
                                                  struct ph_config_changes *ret);
/* What differs, in the order of the rows. A secret that was read anew and is another counts as
 * changed. */
PH_MUST_USE enum ph_status ph_config_diff(const struct ph_config *old, const struct ph_config *now,
                                          struct ph_arena *arena, struct ph_config_changes *ret);

#endif
