/* The settings for people: `payhook config help`, and docs/config.md. */
#include "config/out.h"
#include "config/settings.h"
#include "core/codec.h"

struct manual {
    struct ph_out_text out;
    struct ph_arena *arena;
    bool markdown;
};

static void put(struct manual *m, const char *text)
{
    ph_out(&m->out, ph_slice_str(text));
}

/* Inside a table's cell a bar is a border. */
static void put_cell(struct manual *m, const char *text)
{
    for (const char *bar; (bar = strchr(text, '|')) != NULL; text = bar + 1) {
        ph_out(&m->out, ph_slice_of(text, (size_t)(bar - text)));
        put(m, "\\|");
    }
    put(m, text);
}

static void code(struct manual *m, const char *text)
{
    put(m, m->markdown ? "`" : "");
    put(m, text);
    put(m, m->markdown ? "`" : "");
}

/* ---- what a row takes ------------------------------------------------------------------------ */

static void put_words(struct manual *m, const struct ph_setting *row)
{
    struct ph_slice word;
    int32_t number;
    for (size_t i = 0; ph_setting_word(row, i, &word, &number); i++) {
        put(m, i > 0 ? ", " : "");
        ph_out(&m->out, word);
    }
}

static struct ph_slice number_text(struct manual *m, const struct ph_setting *row, int64_t number)
{
    if (row->kind == PH_SET_SIZE)
        return ph_size_text(m->arena, number);
    if (row->kind == PH_SET_DURATION || row->kind == PH_SET_DURATIONS)
        return ph_duration_text(m->arena, number);
    return ph_decimal(m->arena, number);
}

static void put_range(struct manual *m, const struct ph_setting *row)
{
    if (row->max == INT64_MAX) {
        put(m, "from ");
        ph_out(&m->out, number_text(m, row, row->min));
    } else {
        ph_out(&m->out, number_text(m, row, row->min));
        put(m, " to ");
        ph_out(&m->out, number_text(m, row, row->max));
    }
    if (row->unit != NULL) {
        put(m, " ");
        put(m, row->unit);
    }
    if (row->zero != NULL) {
        put(m, ", or ");
        put(m, row->zero);
    }
}

static const char *kind_text(enum ph_setting_kind kind)
{
    static const char *const texts[PH_SET_KIND_COUNT] = {
        [PH_SET_TEXT] = "text",
        [PH_SET_PATH] = "path",
        [PH_SET_LISTEN] = "HOST:PORT",
        [PH_SET_URL] = "URL: ",
        [PH_SET_WORD] = "one of ",
        [PH_SET_BITS] = "list of ",
        [PH_SET_FLAG] = "true or false",
        [PH_SET_COUNT] = "number: ",
        [PH_SET_SIZE] = "size: ",
        [PH_SET_DURATION] = "time: ",
        [PH_SET_TIME] = "date and time",
        [PH_SET_KEY] = "env:NAME or file:PATH",
        [PH_SET_TEXTS] = "list of words",
        [PH_SET_DURATIONS] = "list of times: ",
        [PH_SET_NETWORKS] = "list of networks",
        [PH_SET_FIELDS] = "NAME: VALUE for each",
        [PH_SET_LIST] = "list of secrets",
        [PH_SET_NAMED] = "NAME: its settings, for each",
    };
    return texts[kind];
}

static void put_kind(struct manual *m, const struct ph_setting *row)
{
    put(m, kind_text(row->kind));
    switch (row->kind) {
    case PH_SET_WORD:
    case PH_SET_BITS:
    case PH_SET_URL:
        put_words(m, row);
        break;
    case PH_SET_COUNT:
    case PH_SET_SIZE:
    case PH_SET_DURATION:
    case PH_SET_DURATIONS:
        put_range(m, row);
        break;
    case PH_SET_PATH:
    case PH_SET_LISTEN:
        put(m, row->zero != NULL ? ", or " : "");
        put(m, row->zero != NULL ? row->zero : "");
        break;
    default:
        break;
    }
}

static void put_default(struct manual *m, const struct ph_setting *row)
{
    if (row->required)
        put(m, "must be given");
    else if (row->fallback != NULL)
        code(m, row->fallback);
    else
        put(m, row->unset);
}

/* PAYHOOK_ENDPOINT_NAME_MODE: where the entry's name stands. */
static void put_env(struct manual *m, const struct ph_setting *row)
{
    const char *star = strchr(row->env, '*');
    put(m, m->markdown ? "`" : "");
    if (star != NULL) {
        ph_out(&m->out, ph_slice_of(row->env, (size_t)(star - row->env)));
        put(m, "NAME");
        put(m, star + 1);
    } else {
        put(m, row->env);
    }
    put(m, m->markdown ? "`" : "");
}

/* ---- help ------------------------------------------------------------------------------------ */

static void help_row(struct manual *m, const char *title, const struct ph_setting *row)
{
    put(m, title);
    put(m, row->key);
    put(m, "\n    ");
    put(m, row->help);
    put(m, "\n    ");
    put_kind(m, row);
    put(m, row->required ? "; " : "; default ");
    put_default(m, row);
    put(m, row->restart ? "; a change takes a restart\n" : "\n");
    if (row->env != NULL) {
        put(m, "    ");
        put_env(m, row);
        put(m, "\n");
    }
}

struct ph_slice ph_config_help(struct ph_arena *arena, struct ph_slice path)
{
    struct manual m = {.out = {.arena = arena}, .arena = arena};
    for (size_t s = 0; s < PH_SCOPE_COUNT; s++) {
        for (size_t i = 0; i < ph_scopes[s].count; i++) {
            const struct ph_setting *row = &ph_scopes[s].rows[i];
            struct ph_slice title = ph_slice_str(ph_scopes[s].title), key = ph_slice_str(row->key);
            size_t in_title = path.len < title.len ? path.len : title.len;
            bool fits =
                ph_slice_eq(ph_slice_of(path.ptr, in_title), ph_slice_of(title.ptr, in_title)) &&
                ph_slice_starts(key, ph_slice_from(path, in_title));
            if (path.len == 0 || fits)
                help_row(&m, ph_scopes[s].title, row);
        }
    }
    return ph_out_done(&m.out);
}

/* ---- the manual ------------------------------------------------------------------------------ */

static const char preamble[] =
    "# Configuration\n\n"
    "Generated from the rows by `payhook config help --markdown`.\n\n"
    "One YAML file; `PAYHOOK_CONFIG` names it where the command line does not. `payhook config "
    "check FILE` says everything that\n"
    "is wrong with it at once, `payhook config show FILE` what it amounts to, `payhook config help "
    "KEY` explains a key.\n\n"
    "```yaml\n"
    "endpoints:\n"
    "  stripe-shop:                       # POST /webhooks/stripe-shop\n"
    "    connector: stripe\n"
    "    secrets: [ env:STRIPE_WHSEC, file:/run/secrets/stripe_old ]\n"
    "    context: { capture_method: AUTOMATIC }\n"
    "destinations:\n"
    "  shop:\n"
    "    url: http://127.0.0.1:3000/events\n"
    "    secret: env:SHOP_WEBHOOK_SECRET\n"
    "    events: [ payment, refund, DISPUTE_CREATED ]\n"
    "```\n\n"
    "- **Keys** below are written with dots; in the file `log.level: debug` is `log: { level: "
    "debug }`, or two lines.\n"
    "- **The environment** goes over the file. In a variable's name NAME is the entry's own name "
    "in capitals, with `_` for\n"
    "  all but letters and digits; a list is written with commas. Entries themselves are made in "
    "the file only.\n"
    "- **Secrets** are never written in the file, but as `env:NAME` (a variable) or `file:PATH` (a "
    "file, whose line end is\n"
    "  cut). A file that every user may read is warned of. A secret that is not of the form that "
    "its processor's keys have (hex,\n"
    "  base64, PEM …) is an error; it is named by its place, and never shown.\n"
    "- **Paths** of the file are relative to its folder, others to where payhook is started. A "
    "path may begin with\n"
    "  `$CREDENTIALS_DIRECTORY/` (systemd's `LoadCredential=`, whose copies stay as they\n"
    "  were at the start: a changed one takes a restart).\n"
    "  What is named so is a regular file: a pipe, a device or a folder in its place is refused, "
    "and not waited for. So is the\n"
    "  configuration itself, `/dev/stdin` only where a file is put in.\n"
    "- **Times** are a whole number and `ms`, `s`, `m`, `h`, `d` or `w`; **sizes** a whole number "
    "and `B`, `KiB`, `MiB`, `GiB`\n"
    "  or `TiB`. **Amounts** are minor units: 1000 is 10.00 EUR.\n"
    "- **No file**: each `PAYHOOK_<CONNECTOR>_SECRET` (and "
    "`PAYHOOK_<CONNECTOR>_ADDITIONAL_SECRET`) makes an endpoint named\n"
    "  like the connector; when there is none, a development endpoint `dev` takes Standard "
    "Webhooks signed with the secret\n"
    "  in `development-secret` in the data folder. Everything else has its default.\n"
    "- **Reload** (SIGHUP) reads the file, the secrets and the certificates again. What is marked "
    "*restart* changes with the next\n"
    "  start only, all else at once: tokens for the next request, TLS for the next connection. TLS "
    "switched on, and another\n"
    "  `tls.ca`, end the connections that the listener has, once what is under way is answered.\n"
    "- A reload is refused whole when certificates that it names anew cannot be used, and when "
    "another `listen`, which takes a\n"
    "  restart, comes without the token or TLS that the listener has where it still is.\n"
    "- A configuration with an error is not used: at the start payhook ends, at a reload the old "
    "one stays.\n";

static const char *scope_title(enum ph_scope scope)
{
    static const char *const titles[PH_SCOPE_COUNT] = {
        [PH_IN_CONFIG] = "The file",
        [PH_IN_ENDPOINT] = "An endpoint: `endpoints.NAME`",
        [PH_IN_ACCOUNT] = "An account of an endpoint: `endpoints.NAME.accounts.VALUE`",
        [PH_IN_SECRET] =
            ("A secret of a list\n\n`env:NAME` alone is short for `{ secret: env:NAME }`. Windows "
             "serve a rotation: their ends may not leave a\ntime in which no secret is valid"),
        [PH_IN_DESTINATION] = "A destination: `destinations.NAME`",
        [PH_IN_TOKEN] = "A token of the admin API: `admin.tokens.NAME`",
    };
    return titles[scope];
}

static void manual_row(struct manual *m, const struct ph_setting *row)
{
    put(m, "| ");
    code(m, row->key);
    put(m, " | ");
    put_cell(m, row->help);
    put(m, " | ");
    put_kind(m, row);
    put(m, " | ");
    put_default(m, row);
    put(m, " | ");
    if (row->env != NULL)
        put_env(m, row);
    put(m, row->restart ? " | restart |\n" : " | |\n");
}

struct ph_slice ph_config_manual(struct ph_arena *arena)
{
    struct manual m = {.out = {.arena = arena}, .arena = arena, .markdown = true};
    put(&m, preamble);
    for (size_t s = 0; s < PH_SCOPE_COUNT; s++) {
        put(&m, "\n## ");
        put(&m, scope_title((enum ph_scope)s));
        put(&m,
            "\n\n| key | what it is | takes | default | variable | |\n|---|---|---|---|---|---|\n");
        for (size_t i = 0; i < ph_scopes[s].count; i++)
            manual_row(&m, &ph_scopes[s].rows[i]);
    }
    return ph_out_done(&m.out);
}
