/* Arguments of the commands: option rows that parsing, --help and the manual share. Private to cmd/. */
#ifndef PH_CMD_ARGS_H
#define PH_CMD_ARGS_H

#include "cmd/pages.h"
#include "core/engine.h"
#include "wire/wire.h"

enum { PH_EXIT_OK = 0, PH_EXIT_NOT_VERIFIED = 1, PH_EXIT_USAGE = 2 };

/* What the options of handle, parse, verify, explain, sign and trigger say. Texts lie in the arena. */
struct ph_args {
    struct ph_arena arena;
    struct ph_pages pages;
    const char *connector, *connectors_dir, *as, *format, *sample, *variant, *url;
    bool ndjson, json, markdown, help;
    struct ph_secret_pair secrets[PH_SECRETS_MAX];
    size_t secret_count;
    struct ph_config_value config[PH_CONFIG_VALUES_MAX];
    size_t config_count;
    struct ph_header headers[PH_HEADERS_MAX];
    size_t header_count;
    struct ph_slice method, uri, body, event_id;
    int32_t capture_method;
    int64_t now_ms; /* the clock, unless --at */
    const char *words[8]; /* arguments that are no options */
    size_t word_count;
};

/* Reads argv[1…]. False: what is wrong has been said on stderr. Always pair with ph_args_done, which wipes
 * the secrets. */
bool ph_args_read(struct ph_args *args, int argc, char **argv);
void ph_args_done(struct ph_args *args);
/* The connector of that name; NULL after saying so, with the nearest name. */
const struct ph_connector *ph_args_connector(struct ph_args *args, const char *name);
/* A whole file, or standard input for "-"; absent after saying why. */
struct ph_slice ph_args_file(struct ph_args *args, const char *path);
void ph_args_input(struct ph_args *args, const struct ph_connector *connector, struct ph_request *request,
                   struct ph_input *ret);

int ph_cmd_answer(int argc, char **argv, enum ph_form form); /* handle, parse */
int ph_cmd_verify(int argc, char **argv);
int ph_cmd_sign(int argc, char **argv);
int ph_cmd_trigger(int argc, char **argv);
int ph_cmd_connectors(int argc, char **argv);
int ph_cmd_version(int argc, char **argv);
int ph_cmd_ndjson(struct ph_args *args, enum ph_form form);

extern const struct ph_allocator ph_cmd_allocator;

#endif
