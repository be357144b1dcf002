/* Arguments of the commands. Private to cmd/. */
#ifndef PH_CMD_ARGS_H
#define PH_CMD_ARGS_H

#include "cmd/options.h"
#include "cmd/pages.h"
#include "cmd/request_file.h"
#include "core/engine.h"
#include "wire/wire.h"

/* Exit codes, a public promise (docs/cli.md). From FORGED on: verdicts. */
enum ph_exit {
    PH_EXIT_OK = 0,
    PH_EXIT_FAILED = 1, /* the request does not read, the page is wrong, the target refused */
    PH_EXIT_USAGE = 2,  /* an argument, or what it names, cannot be used */
    PH_EXIT_FORGED = 3,
    PH_EXIT_STALE = 4,
    PH_EXIT_NO_SIGNATURE = 5,
    PH_EXIT_NO_SECRET = 6,
    PH_EXIT_UNSIGNED = 7,
    PH_EXIT_UNREACHABLE = 8,
    PH_EXIT_UNSUPPORTED = 9,
};

/* What the options say. Texts lie in the arena. */
struct ph_args {
    enum ph_command command;
    struct ph_arena arena;
    struct ph_pages pages;
    /* the value of an option that is given once; a flag: its name; NULL: not given */
    const char *one[PH_OPT_COUNT];
    bool stdin_taken;
    struct ph_secret_pair secrets[PH_SECRETS_MAX];
    size_t secret_count;
    struct ph_config_value config[PH_CONFIG_VALUES_MAX];
    size_t config_count;
    struct ph_request_file request; /* headers of the options come after the file's */
    int32_t capture_method;
    bool has_at;
    int64_t now_ms;         /* the clock, unless --at */
    const char *words[256]; /* arguments that are no options */
    size_t word_count;
};

/* Reads argv[1…]. PH_EXIT_OK, or the code to end with: then what is wrong, or the help, has been
 * said, unless words are missing, which the caller knows. Always pair with ph_args_done, which
 * wipes the secrets. */
int ph_args_read(struct ph_args *args, enum ph_command command, int argc, char **argv,
                 bool *ret_help);
void ph_args_done(struct ph_args *args);
/* One line on stderr, and where to read more; PH_EXIT_USAGE. `value` may be NULL. */
int ph_args_wrong(const char *what, const char *value);
/* One line on stderr: the word, the nearest of `known`, and the command that lists them;
 * PH_EXIT_USAGE. */
int ph_args_unknown(struct ph_args *args, struct ph_slice what, const char *word,
                    const struct ph_slice *known, size_t count, const char *see);
/* The connector of that name; NULL after saying so. */
const struct ph_connector *ph_args_connector(struct ph_args *args, const char *name);
const struct ph_connector *ph_args_find(const struct ph_args *args, struct ph_slice name);
/* A whole file, or standard input for "-"; absent after saying why. */
struct ph_slice ph_args_file(struct ph_args *args, const char *path);
void ph_args_input(struct ph_args *args, const struct ph_connector *connector,
                   struct ph_request *request, struct ph_input *ret);

/* handle, parse, verify, explain */
int ph_cmd_answer(int argc, char **argv, enum ph_command command);
int ph_cmd_sign(int argc, char **argv);
int ph_cmd_trigger(int argc, char **argv);
int ph_cmd_connectors(int argc, char **argv);
int ph_cmd_config(int argc, char **argv);
/* events, deliveries, requests, destinations, endpoints, replay, tail, status */
int ph_cmd_running(int argc, char **argv);
int ph_cmd_inbox(int argc, char **argv);
int ph_cmd_version(int argc, char **argv);
int ph_cmd_ndjson(struct ph_args *args);

#endif
