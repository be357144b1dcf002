/* What the files that load a configuration share. Private to config/. */
#ifndef PH_CONFIG_READING_H
#define PH_CONFIG_READING_H

#include "config/settings.h"

struct ph_yaml;

struct ph_reading {
    struct ph_arena *arena; /* the configuration's own: it is wiped, so secrets may lie in it */
    const struct ph_config_world *world;
    struct ph_config_report *report;
    struct ph_slice file;   /* for messages */
    struct ph_slice folder; /* of the file, with a slash at its end; empty: where we are */
    bool *env_used;         /* one for each variable of the environment */
    size_t env_count;
    bool is_builtin;  /* there is no file */
    bool places_only; /* where a running payhook is found, and of the rest nothing */
    bool no_memory;
};

/* One entry of a scope while it is read. */
struct ph_target {
    enum ph_scope scope;
    void *base;                    /* the scope's struct */
    struct ph_config_entry *entry; /* its head */
    struct ph_config_origin *origins;
};

/* Where something stands. */
struct ph_place {
    uint32_t line, column;    /* of the file; 0: not there */
    struct ph_slice variable; /* of the environment; absent: not there */
};

/* ---- messages (report.c) --------------------------------------------------------------------- */

#define PH_PARTS(...)                                                                              \
    (const struct ph_slice[]){__VA_ARGS__}, PH_COUNTOF(((const struct ph_slice[]){__VA_ARGS__}))

/* "file:line:column: path: " and the parts run together: what is wrong, and what to do. */
void ph_config_error(struct ph_reading *r, struct ph_place at, struct ph_slice path,
                     const struct ph_slice *parts, size_t count);
void ph_config_warn(struct ph_reading *r, struct ph_place at, struct ph_slice path,
                    const struct ph_slice *parts, size_t count);
/* The same with the nearest of `known` behind it, if one is near. */
void ph_config_unknown(struct ph_reading *r, struct ph_place at, struct ph_slice path,
                       struct ph_slice what, struct ph_slice word, const struct ph_slice *known,
                       size_t count);
/* Takes over what the YAML reader said: text with its place in it. */
void ph_config_error_text(struct ph_config_report *report, uint32_t line, uint32_t column,
                          struct ph_slice text);
void ph_config_report_sort(struct ph_config_report *report);
/* `text` in quotes, cut short; in its place a remark when it is long or looks like a secret. */
struct ph_slice ph_config_quote(struct ph_reading *r, struct ph_slice text);
bool ph_looks_secret(struct ph_slice text);
/* The parts run together, in the arena, NUL behind them. Never absent: empty on no memory, which is
 * noted. */
struct ph_slice ph_config_join(struct ph_reading *r, const struct ph_slice *parts, size_t count);
/* Zeroed; NULL on no memory, which is noted. */
void *ph_config_alloc(struct ph_reading *r, size_t bytes);

/* The place of a row's value, and its path. */
struct ph_place ph_place_of(struct ph_reading *r, const void *scope, enum ph_scope which,
                            const char *key);
struct ph_slice ph_path_of(struct ph_reading *r, const void *scope, const char *key);
bool ph_is_given(const void *scope, enum ph_scope which, const char *key);

/* ---- values (value.c) ------------------------------------------------------------------------ */

/* A scalar row's value from its text. False: said why. */
bool ph_config_value_read(struct ph_reading *r, const struct ph_setting *row, struct ph_slice text,
                          struct ph_place at, struct ph_slice path, enum ph_config_source source,
                          void *ret);
/* The values of a row that holds several scalars. */
struct ph_config_item {
    struct ph_slice text;
    struct ph_place at;
};
bool ph_config_values_read(struct ph_reading *r, const struct ph_setting *row,
                           const struct ph_config_item *items, size_t count, struct ph_slice path,
                           void *ret);

/* ---- secrets and paths (secret.c) ------------------------------------------------------------ */

bool ph_is_reference(struct ph_slice text);
/* "env:NAME" or "file:PATH" and what is there. False: said why, without the text. */
bool ph_config_key_read(struct ph_reading *r, struct ph_slice text, struct ph_place at,
                        struct ph_slice path, enum ph_config_source source,
                        struct ph_config_key *ret);
/* A path as written, from the file's folder or systemd's credentials. False: said why. */
bool ph_config_path(struct ph_reading *r, struct ph_slice text, struct ph_place at,
                    struct ph_slice path, enum ph_config_source source, struct ph_slice *ret);
/* A file that must be there (a certificate); `secret`: nobody else should be able to read it. Gives
 * what it holds; absent: said why. */
struct ph_slice ph_config_need_file(struct ph_reading *r, struct ph_slice file, bool secret,
                                    struct ph_place at, struct ph_slice path);

/* ---- the environment (environment.c) --------------------------------------------------------- */

/* The variable's value, noted as used; absent: not set. */
struct ph_slice ph_config_env(struct ph_reading *r, struct ph_slice name);
/* The row's variable for an entry of that name, in the arena. */
struct ph_slice ph_config_env_name(struct ph_reading *r, const struct ph_setting *row,
                                   struct ph_slice entry);
/* Warnings: PAYHOOK_ variables that look like settings and were not looked at. */
void ph_config_env_rest(struct ph_reading *r);
/* The configuration without a file, as the text of one; *ret_file names it. (builtin.c) */
struct ph_slice ph_config_builtin(struct ph_reading *r);

/* ---- the tree (read.c) ----------------------------------------------------------------------- */

/* Defaults, the file's map (NULL: none), then the environment. */
void ph_config_scope_read(struct ph_reading *r, enum ph_scope scope, const struct ph_yaml *map,
                          struct ph_slice name, struct ph_slice path, struct ph_place at,
                          void *base);

/* ---- rules that are about more than one row (check.c, check_destination.c) ------------------- */

void ph_config_check(struct ph_reading *r, struct ph_config *config,
                     const struct ph_connector *const *pages, size_t count);
void ph_config_check_destination(struct ph_reading *r, struct ph_config *config,
                                 struct ph_config_destination *d, const struct ph_slice *connectors,
                                 size_t count);
/* A list of secrets: windows that are empty, leave a gap, or are over. */
void ph_config_check_windows(struct ph_reading *r, const struct ph_config_secret *secrets,
                             size_t count, struct ph_slice path);
/* … and secrets that are not of the form that the page's keys have (check_keys.c). */
void ph_config_check_forms(struct ph_reading *r, const struct ph_connector *page,
                           const struct ph_config_secret *secrets, size_t count,
                           struct ph_slice path);
/* … and what thin events are to be fetched with, and is not given; `a` NULL: the endpoint has one
 * account. */
void ph_config_check_fetch(struct ph_reading *r, const struct ph_config_endpoint *e,
                           const struct ph_config_account *a);
/* The files are there, and go together; notes their content. */
void ph_config_check_tls(struct ph_reading *r, const void *scope, enum ph_scope which,
                         struct ph_config_tls *tls, const char *prefix);

#endif
