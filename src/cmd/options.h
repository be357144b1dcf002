/* The commands and their options as rows: reading, --help and the manual's check share them.
 * Private to cmd/. */
#ifndef PH_CMD_OPTIONS_H
#define PH_CMD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Bits, so that an option row can say which commands take it. */
enum ph_command {
    PH_CMD_HANDLE = 1 << 0,
    PH_CMD_PARSE = 1 << 1,
    PH_CMD_VERIFY = 1 << 2,
    PH_CMD_EXPLAIN = 1 << 3,
    PH_CMD_SIGN = 1 << 4,
    PH_CMD_TRIGGER = 1 << 5,
    PH_CMD_LIST = 1 << 6,
    PH_CMD_SHOW = 1 << 7,
    PH_CMD_CHECK = 1 << 8,
    PH_CMD_VERSION = 1 << 9,
    PH_CMD_CONFIG_CHECK = 1 << 10,
    PH_CMD_CONFIG_SHOW = 1 << 11,
    PH_CMD_CONFIG_HELP = 1 << 12,
    /* They speak to a running payhook. */
    PH_CMD_EVENTS_LS = 1 << 13,
    PH_CMD_EVENTS_SHOW = 1 << 14,
    PH_CMD_DELIVERIES_LS = 1 << 15,
    PH_CMD_DELIVERIES_SHOW = 1 << 16,
    PH_CMD_DELIVERIES_RETRY = 1 << 17,
    PH_CMD_REQUESTS_LS = 1 << 18,
    PH_CMD_REQUESTS_SHOW = 1 << 19,
    PH_CMD_REQUESTS_REVERIFY = 1 << 20,
    PH_CMD_DESTINATIONS_LS = 1 << 21,
    PH_CMD_DESTINATIONS_PAUSE = 1 << 22,
    PH_CMD_DESTINATIONS_RESUME = 1 << 23,
    PH_CMD_ENDPOINTS = 1 << 24,
    PH_CMD_REPLAY = 1 << 25,
    PH_CMD_TAIL = 1 << 26,
    PH_CMD_STATUS = 1 << 27,
    /* Of one that does not run. */
    PH_CMD_INBOX_CHECK = 1 << 28,
};

enum ph_option_id {
    PH_OPT_CONNECTOR,
    PH_OPT_SECRET_ENV,
    PH_OPT_SECRET_FILE,
    PH_OPT_ADDITIONAL_ENV,
    PH_OPT_ADDITIONAL_FILE,
    PH_OPT_CONFIG,
    PH_OPT_CONFIG_ENV,
    PH_OPT_CONFIG_FILE,
    PH_OPT_REQUEST,
    PH_OPT_ENTRY,
    PH_OPT_METHOD,
    PH_OPT_URI,
    PH_OPT_HEADER,
    PH_OPT_BODY,
    PH_OPT_SAMPLE,
    PH_OPT_VARIANT,
    PH_OPT_AT,
    PH_OPT_CAPTURE_METHOD,
    PH_OPT_EVENT_ID,
    PH_OPT_URL,
    PH_OPT_AS,
    PH_OPT_NDJSON,
    PH_OPT_OUTPUT,
    PH_OPT_FORMAT,
    PH_OPT_MARKDOWN,
    PH_OPT_CONNECTORS,
    PH_OPT_SETTINGS,
    PH_OPT_DATA,
    PH_OPT_ADMIN,
    PH_OPT_TOKEN,
    PH_OPT_ENDPOINT,
    PH_OPT_TYPE,
    PH_OPT_CLASS,
    PH_OPT_SUBJECT,
    PH_OPT_DESTINATION,
    PH_OPT_STATE,
    PH_OPT_STANDING,
    PH_OPT_FROM,
    PH_OPT_TO,
    PH_OPT_LIMIT,
    PH_OPT_ALL,
    PH_OPT_UNMASKED,
    PH_OPT_RAW,
    PH_OPT_DEAD,
    PH_OPT_TO_DESTINATION,
    PH_OPT_REDERIVE,
    PH_OPT_DRY_RUN,
    PH_OPT_YES,
    PH_OPT_HELP,
    PH_OPT_COUNT,
};

struct ph_option {
    const char *name;  /* "--connector" */
    const char *value; /* what it takes, as --help shows it; NULL: nothing */
    uint32_t commands; /* enum ph_command */
    bool many;         /* may be given more than once */
    const char *help;
};

extern const struct ph_option ph_options[PH_OPT_COUNT];

/* The option of that name among the command's; -1: none. `len`: the name ends there. */
int ph_option_find(enum ph_command command, const char *name, unsigned long len);
/* The command's usage, options and exit codes, on standard output. */
void ph_option_help(enum ph_command command);

#endif
