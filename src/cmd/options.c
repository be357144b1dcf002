#include "cmd/options.h"

#include <stdio.h>
#include <string.h>

#include "base/slice.h"

enum {
    ONE = PH_CMD_HANDLE | PH_CMD_PARSE | PH_CMD_VERIFY | PH_CMD_EXPLAIN, /* take one request */
    KEYED = ONE | PH_CMD_SIGN | PH_CMD_TRIGGER,
    MADE = PH_CMD_SIGN | PH_CMD_TRIGGER,
    PAGES = KEYED | PH_CMD_LIST | PH_CMD_SHOW,
    CONFIG = PH_CMD_CONFIG_CHECK | PH_CMD_CONFIG_SHOW | PH_CMD_CONFIG_HELP,
    LISTS = PH_CMD_EVENTS_LS | PH_CMD_DELIVERIES_LS | PH_CMD_REQUESTS_LS,
    SHOWS = PH_CMD_EVENTS_SHOW | PH_CMD_REQUESTS_SHOW,
    SENDS = PH_CMD_REPLAY | PH_CMD_DELIVERIES_RETRY,
    RUNNING = LISTS | SHOWS | SENDS | PH_CMD_DELIVERIES_SHOW | PH_CMD_REQUESTS_REVERIFY |
              PH_CMD_DESTINATIONS_LS | PH_CMD_DESTINATIONS_PAUSE | PH_CMD_DESTINATIONS_RESUME |
              PH_CMD_ENDPOINTS | PH_CMD_TAIL | PH_CMD_STATUS,
    /* Those that pick by what events say. */
    PICKS = PH_CMD_EVENTS_LS | PH_CMD_DELIVERIES_LS | SENDS | PH_CMD_TAIL,
    ALL = RUNNING | PH_CMD_INBOX_CHECK | PAGES | PH_CMD_CHECK | PH_CMD_VERSION | CONFIG,
};

const struct ph_option ph_options[PH_OPT_COUNT] = {
    [PH_OPT_CONNECTOR] = {"--connector", "NAME", ONE | PH_CMD_SIGN | PICKS | PH_CMD_REQUESTS_LS,
                          false, "the processor (payhook connectors list)"},
    [PH_OPT_SECRET_ENV] = {"--secret-env", "VARIABLE", KEYED, true,
                           "a secret, from the environment; several are tried in order"},
    [PH_OPT_SECRET_FILE] = {"--secret-file", "FILE", KEYED, true,
                            "a secret, from a file; the line end after it is cut"},
    [PH_OPT_ADDITIONAL_ENV] = {"--additional-secret-env", "VARIABLE", KEYED, true,
                               "what belongs to the secret before it"},
    [PH_OPT_ADDITIONAL_FILE] = {"--additional-secret-file", "FILE", KEYED, true,
                                "the same, from a file"},
    [PH_OPT_CONFIG] = {"--config", "NAME=VALUE", KEYED, true,
                       "a config field; NAME=@FILE reads it from a file"},
    [PH_OPT_CONFIG_ENV] = {"--config-env", "NAME=VARIABLE", KEYED, true,
                           "a config field, from the environment"},
    [PH_OPT_CONFIG_FILE] = {"--config-file", "FILE", KEYED, true,
                            "config fields, from a JSON object {\"NAME\": \"VALUE\"}"},
    [PH_OPT_REQUEST] = {"--request", "FILE", ONE, false,
                        "a raw HTTP message or a HAR; - is standard input"},
    [PH_OPT_ENTRY] = {"--entry", "N", ONE, false,
                      "which entry of a HAR that has several POSTs, from 1"},
    [PH_OPT_METHOD] = {"--method", "METHOD", ONE | PH_CMD_SIGN, false,
                       "the request's method (default POST)"},
    [PH_OPT_URI] = {"--uri", "URI", ONE | PH_CMD_SIGN, false,
                    "the request's path and query, or its whole URL"},
    [PH_OPT_HEADER] = {"--header", "'NAME: VALUE'", KEYED, true, "a header of the request"},
    [PH_OPT_BODY] = {"--body", "FILE", ONE | PH_CMD_SIGN, false,
                     "the body, byte for byte; - is standard input"},
    [PH_OPT_SAMPLE] = {"--sample", "EVENT", PH_CMD_SIGN, false,
                       "in place of --body: a sample of the page"},
    [PH_OPT_VARIANT] = {"--variant", "SHAPE", MADE, false,
                        "which of the page's shapes to sign as (default: the first it fits)"},
    [PH_OPT_AT] = {"--at", "SECONDS", KEYED, false,
                   "unix time of receipt, or of signing (default: now)"},
    [PH_OPT_CAPTURE_METHOD] = {"--capture-method", "WORD", PH_CMD_HANDLE | PH_CMD_PARSE, false,
                               "AUTOMATIC, MANUAL, …: what the payment was created with"},
    [PH_OPT_EVENT_ID] = {"--event-id", "ID", PH_CMD_HANDLE, false, "echoed as merchant_event_id"},
    [PH_OPT_URL] = {"--url", "URL", PH_CMD_TRIGGER, false,
                    "where to, in place of --endpoint (default: /webhooks/ENDPOINT where "
                    "PAYHOOK_CONFIG listens, or http://127.0.0.1:8081)"},
    [PH_OPT_AS] = {"--as", "CALL", PH_CMD_HANDLE, false,
                   "handle (default) or handle-event: whose answer to give"},
    [PH_OPT_NDJSON] = {"--ndjson", NULL, PH_CMD_HANDLE | PH_CMD_PARSE | PH_CMD_SIGN, false,
                       "one JSON object per line of standard input, one answer per line"},
    [PH_OPT_OUTPUT] = {"--output", "FORM", PH_CMD_HANDLE | PH_CMD_VERIFY | PH_CMD_LIST | RUNNING,
                       false, "json or text (default: handle json, others text)"},
    [PH_OPT_FORMAT] = {"--format", "FORM", PH_CMD_SIGN, false,
                       "http (default) or json: how to print the request"},
    [PH_OPT_MARKDOWN] = {"--markdown", NULL, PH_CMD_LIST | PH_CMD_CONFIG_HELP, false,
                         "a table for documents"},
    [PH_OPT_CONNECTORS] = {"--connectors", "DIR", PAGES, false,
                           "further pages (*.yaml), over those compiled in"},
    [PH_OPT_SETTINGS] = {"--config", "FILE", RUNNING | PH_CMD_INBOX_CHECK, false,
                         "the configuration that payhook runs by (default: PAYHOOK_CONFIG, or "
                         "none): its data folder and socket"},
    [PH_OPT_DATA] =
        {"--data", "DIR", RUNNING | PH_CMD_INBOX_CHECK, false,
         "in place of --config: the data folder; a running payhook is asked by admin.sock there"},
    [PH_OPT_ADMIN] =
        {"--admin", "URL", RUNNING, false,
         "in place of both: http(s)://HOST:PORT of its service listener, or unix:PATH"},
    [PH_OPT_TOKEN] = {"--token", "env:NAME|file:PATH", RUNNING, false,
                      "a token of admin.tokens, for --admin"},
    [PH_OPT_ENDPOINT] =
        {"--endpoint", "NAME", PICKS | PH_CMD_REQUESTS_LS | PH_CMD_TRIGGER, false,
         "of this endpoint; of trigger: to which (default: the one called CONNECTOR)"},
    [PH_OPT_TYPE] = {"--type", "EVENT", PICKS, false, "of this type (PAYMENT_INTENT_SUCCESS)"},
    [PH_OPT_CLASS] = {"--class", "CLASS", PICKS, false,
                      "of this class: payment, refund, dispute, mandate, payout, …"},
    [PH_OPT_SUBJECT] = {"--subject", "ID", PICKS, false, "of this payment"},
    [PH_OPT_DESTINATION] = {"--destination", "NAME",
                            PH_CMD_EVENTS_LS | PH_CMD_DELIVERIES_LS | SENDS, false,
                            "with a delivery to this destination"},
    [PH_OPT_STATE] = {"--state", "STATE", PH_CMD_EVENTS_LS | PH_CMD_DELIVERIES_LS | SENDS, false,
                      "with a delivery that is queued, waiting, parked, done, dead or dropped"},
    [PH_OPT_STANDING] = {"--standing", "WORD", PH_CMD_REQUESTS_LS, false,
                         "accepted, hint, pending, quarantined, revision or dropped"},
    [PH_OPT_FROM] = {"--from", "TIME", PICKS | PH_CMD_REQUESTS_LS, false,
                     "received at or after: 2026-11-29T12:00:00Z, 2026-11-29, or 2h (so long ago)"},
    [PH_OPT_TO] = {"--to", "TIME", PICKS | PH_CMD_REQUESTS_LS, false, "received before"},
    [PH_OPT_LIMIT] = {"--limit", "N", LISTS | PH_CMD_TAIL, false,
                      "so many lines at most (lists: default 100; tail: no end)"},
    [PH_OPT_ALL] = {"--all", NULL, LISTS, false, "all there are"},
    [PH_OPT_UNMASKED] = {"--unmasked", NULL, SHOWS, false,
                         "with card numbers and personal data (needs the scope raw)"},
    [PH_OPT_RAW] = {"--raw", NULL, PH_CMD_REQUESTS_SHOW, false,
                    "the body alone, byte for byte with --unmasked"},
    [PH_OPT_DEAD] = {"--dead", NULL, PH_CMD_DELIVERIES_RETRY, false,
                     "all dead letters that the options pick, in place of ID"},
    [PH_OPT_TO_DESTINATION] =
        {"--only-to", "NAME", PH_CMD_REPLAY, false,
         "to this destination alone (default: where each event goes by the configuration)"},
    [PH_OPT_REDERIVE] =
        {"--rederive", NULL, PH_CMD_REPLAY, false,
         "first read the events anew from their requests by the present pages; shows what differs"},
    [PH_OPT_DRY_RUN] = {"--dry-run", NULL, SENDS, false, "only say what would be sent"},
    [PH_OPT_YES] =
        {"--yes", NULL, SENDS, false,
         "do it: what is picked by options, or reads otherwise, is else only counted and shown"},
    [PH_OPT_HELP] = {"--help", NULL, ALL, false, "this text"},
};

#define VERDICT_CODES                                                                              \
    "exit code: 0 verified, 1 the request does not read, 2 usage, 3 forged, 4 stale, 5 no "        \
    "signature,\n"                                                                                 \
    "6 no secret, 7 unsigned, 8 unreachable, 9 unsupported. Of a batch: the first that is not "    \
    "verified.\n"

#define REPLAY_CODES                                                                               \
    "exit code: 0 done, or no such events, 1 it cannot be done, none of them was sent, or "        \
    "payhook does not answer, 2 usage.\n"
#define RUNNING_CODES                                                                              \
    "exit code: 0 done, 1 it cannot be done, or payhook does not answer, 2 usage.\n"

static const struct {
    enum ph_command command;
    const char *usage, *about, *codes;
} commands[] = {
    {PH_CMD_HANDLE, "handle --connector NAME [OPTION…]",
     "Verifies, parses and normalises one request; prints HandleResponse as canonical JSON.\n",
     VERDICT_CODES},
    {PH_CMD_PARSE, "parse --connector NAME [OPTION…]",
     "Tells what one request says it is: event type and reference, unverified, as JSON.\n",
     "exit code: 0 read, 1 the request does not read, 2 usage.\n"},
    {PH_CMD_VERIFY, "verify --connector NAME [OPTION…]", "Says one request's verdict, and why.\n",
     VERDICT_CODES},
    {PH_CMD_EXPLAIN, "connectors explain --connector NAME [OPTION…]",
     "Verifies one request step by step: the signed text, the key's form (never the key), the "
     "expected and\n"
     "the received signature and where they part, the shape that fits, the clock.\n",
     VERDICT_CODES},
    {PH_CMD_SIGN, "sign --connector NAME (--body FILE | --sample EVENT) [OPTION…]",
     "Signs a body as the processor would and prints the request. Asymmetric kinds take\n"
     "--config private_key_pem=@FILE (and kid=… for JWS).\n",
     "exit code: 0 printed, 1 it cannot be signed, 2 usage.\n"},
    {PH_CMD_TRIGGER, "trigger CONNECTOR [EVENT] [OPTION…]",
     "Sends a sample, signed, to a URL. Without EVENT: lists the samples.\n",
     "exit code: 0 the answer is 2xx, 1 it is not, or it cannot be signed or sent, 2 usage.\n"},
    {PH_CMD_LIST, "connectors list [OPTION…]", "Lists the connectors.\n",
     "exit code: 0, or 2 usage.\n"},
    {PH_CMD_SHOW, "connectors show NAME [OPTION…]", "Shows what a connector's page says.\n",
     "exit code: 0, or 2 usage.\n"},
    {PH_CMD_CHECK, "connectors check FILE…",
     "Checks pages; says file, line and column of what is wrong.\n",
     "exit code: 0 all are right, 1 one is wrong, 2 usage.\n"},
    {PH_CMD_CONFIG_CHECK, "config check [FILE]",
     "Says everything that is wrong with a configuration, each with file, line and column, and "
     "what to do.\n"
     "Without FILE: the one that PAYHOOK_CONFIG names, or what payhook does without a file.\n",
     "exit code: 0 it is right (warnings aside), 1 it is wrong, 2 usage.\n"},
    {PH_CMD_CONFIG_SHOW, "config show [FILE]",
     "Prints what a configuration amounts to, defaults and environment included, as a file that "
     "loads to the\n"
     "same from where payhook is started. Secrets are shown as where they come from. Without FILE: "
     "as config check.\n",
     "exit code: 0 printed, 1 it is wrong, 2 usage.\n"},
    {PH_CMD_CONFIG_HELP, "config help [KEY]",
     "Explains the settings: all of them, or those whose key begins with KEY "
     "(destinations.NAME.retry).\n",
     "exit code: 0, or 2 usage.\n"},
    {PH_CMD_EVENTS_LS, "events ls [OPTION…]", "Lists events, newest first.\n", RUNNING_CODES},
    {PH_CMD_EVENTS_SHOW, "events show ID [OPTION…]",
     "Shows one event whole: what it says, its deliveries and their attempts. ID: its number, or "
     "its event id.\n",
     RUNNING_CODES},
    {PH_CMD_DELIVERIES_LS, "deliveries ls [OPTION…]", "Lists deliveries, newest first.\n",
     RUNNING_CODES},
    {PH_CMD_DELIVERIES_SHOW, "deliveries show ID [OPTION…]",
     "Shows one delivery with its attempts.\n", RUNNING_CODES},
    {PH_CMD_DELIVERIES_RETRY, "deliveries retry ID… | --dead [OPTION…]",
     "Tries deliveries again now that are dead, dropped, waiting or parked. With --dead: those "
     "that the options pick, which is\n"
     "a dry run without --yes.\n",
     RUNNING_CODES},
    {PH_CMD_REQUESTS_LS, "requests ls [OPTION…]",
     "Lists requests as they were received, newest first.\n", RUNNING_CODES},
    {PH_CMD_REQUESTS_SHOW, "requests show ID [OPTION…]",
     "Shows one request: verdict, headers (never secrets and signatures), body.\n", RUNNING_CODES},
    {PH_CMD_REQUESTS_REVERIFY, "requests reverify [OPTION…]",
     "Has every quarantined request verified again, as of its receipt, with the secrets there are "
     "now. It happens by itself\n"
     "when the configuration is read anew.\n",
     RUNNING_CODES},
    {PH_CMD_DESTINATIONS_LS, "destinations ls [OPTION…]",
     "Lists destinations: what waits for them, and how they are.\n", RUNNING_CODES},
    {PH_CMD_DESTINATIONS_PAUSE, "destinations pause NAME [OPTION…]",
     "Sends nothing to a destination until it is resumed; what comes for it waits.\n",
     RUNNING_CODES},
    {PH_CMD_DESTINATIONS_RESUME, "destinations resume NAME [OPTION…]",
     "Goes on sending to a destination.\n", RUNNING_CODES},
    {PH_CMD_ENDPOINTS, "endpoints status [OPTION…]",
     "Lists endpoints and the use of their secrets: whether a rotation is done.\n", RUNNING_CODES},
    {PH_CMD_REPLAY, "replay EVENT… | OPTION…",
     "Sends events again, with the same ids, marked as a replay. Picked by options it is a dry run "
     "without --yes: it says how\n"
     "many, and which are the first. Events that are held (forged, not verified or not complete "
     "yet) are not sent.\n",
     REPLAY_CODES},
    {PH_CMD_TAIL, "tail [OPTION…]", "Shows events as they come.\n", RUNNING_CODES},
    {PH_CMD_STATUS, "status [OPTION…]",
     "Shows the running payhook's state: its inbox, what waits, versions.\n", RUNNING_CODES},
    {PH_CMD_INBOX_CHECK, "inbox check [OPTION…]",
     "Checks an inbox that no payhook has open: SQLite's own check of the file, and that what it "
     "holds fits together.\n"
     "Takes as long as reading all of it. Changes nothing.\n",
     "exit code: 0 sound, 1 it is not, or it cannot be read, 2 usage.\n"},
    {PH_CMD_VERSION, "version", "Versions of this program and of what it stands on.\n",
     "exit code: 0, or 2 usage.\n"},
};

int ph_option_find(enum ph_command command, const char *name, unsigned long len)
{
    for (int i = 0; i < PH_OPT_COUNT; i++)
        if ((ph_options[i].commands & command) != 0 && strlen(ph_options[i].name) == len &&
            memcmp(ph_options[i].name, name, len) == 0)
            return i;
    return -1;
}

void ph_option_help(enum ph_command command)
{
    for (size_t i = 0; i < PH_COUNTOF(commands); i++) {
        if (commands[i].command != command)
            continue;
        printf("usage: payhook %s\n\n%s\n", commands[i].usage, commands[i].about);
        for (int k = 0; k < PH_OPT_COUNT; k++) {
            const struct ph_option *o = &ph_options[k];
            char left[64];
            if ((o->commands & command) == 0)
                continue;
            snprintf(left, sizeof(left), "%s%s%s", o->name, o->value != NULL ? " " : "",
                     o->value != NULL ? o->value : "");
            printf("  %-34s %s%s\n", left, o->help, o->many ? "; may repeat" : "");
        }
        printf("\n%s", commands[i].codes);
    }
}
