/* connectors list, show, check, explain; and version. */
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <yyjson.h>

#include "cmd/args.h"
#include "cmd/print.h"
#include "cmd/show.h"
#include "reader/page.h"

#define S(slice) (int)(slice).len, (slice).ptr != NULL ? (slice).ptr : ""

static size_t rule_count(const struct ph_connector *c)
{
    size_t n = 0;
    for (uint16_t i = 0; i < c->variant_count; i++)
        n += c->variants[i].rule_count;
    return n;
}

static bool is_builtin(const struct ph_connector *c)
{
    for (size_t i = 0; i < ph_connectors_builtin_count; i++)
        if (ph_connectors_builtin[i] == c)
            return true;
    return false;
}

static void list_markdown(const struct ph_connector *c)
{
    const struct ph_signature *s = &c->variants[0].signatures[0];
    printf("| %.*s | %.*s | %s%s | %u | %zu | %u | ", S(c->name), S(c->title), ph_show_kind(s),
           ph_show_hash(s), c->variant_count, rule_count(c), c->sample_count);
    for (uint16_t k = 0; k < c->source_count; k++)
        printf("%s%.*s", k > 0 ? "; " : "", S(c->sources[k].text));
    printf(" |\n");
}

static void list_json(struct ph_args *args, const struct ph_connector *c)
{
    const struct ph_signature *s = &c->variants[0].signatures[0];
    printf("{\"name\":");
    ph_print_json_string(&args->arena, c->name);
    printf(",\"title\":");
    ph_print_json_string(&args->arena, c->title);
    printf(",\"signature\":\"%s%s\",\"shapes\":%u,\"rules\":%zu,\"samples\":%u,\"builtin\":%s}",
           ph_show_kind(s), ph_show_hash(s), c->variant_count, rule_count(c), c->sample_count,
           is_builtin(c) ? "true" : "false");
}

static int list(struct ph_args *args)
{
    const char *output = args->one[PH_OPT_OUTPUT];
    bool markdown = args->one[PH_OPT_MARKDOWN] != NULL,
         json = output != NULL && strcmp(output, "json") == 0;
    if (output != NULL && !json && strcmp(output, "text") != 0)
        return ph_args_wrong("--output takes json or text, not", output);
    if (markdown)
        printf(
            "# Connectors\n\nGenerated from the pages by `payhook connectors list --markdown`.\n\n"
            "| name | processor | signature | shapes | rules | samples | sources "
            "|\n|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < args->pages.count; i++) {
        const struct ph_connector *c = args->pages.connectors[i];
        const struct ph_signature *s = &c->variants[0].signatures[0];
        if (markdown) {
            list_markdown(c);
        } else if (json) {
            printf("%s", i > 0 ? ",\n " : "[");
            list_json(args, c);
        } else {
            printf("%-18.*s %-28.*s %s%s%s\n", S(c->name), S(c->title), ph_show_kind(s),
                   ph_show_hash(s), is_builtin(c) ? "" : "  (from --connectors)");
        }
    }
    printf("%s", json ? "]\n" : "");
    return PH_EXIT_OK;
}

static int check(struct ph_args *args)
{
    int code = PH_EXIT_OK;
    for (size_t i = 1; i < args->word_count; i++) {
        struct ph_page_errors errors = {0};
        const struct ph_connector *c = NULL;
        struct ph_slice text = ph_args_file(args, args->words[i]);
        if (!ph_slice_present(text))
            return PH_EXIT_USAGE;
        if (ph_page_read(&args->arena, ph_slice_str(args->words[i]), text, &errors, &c) == PH_OK)
            printf("%s: ok: %.*s, %zu rules\n", args->words[i], S(c->name), rule_count(c));
        else
            code = PH_EXIT_FAILED;
        for (size_t e = 0; e < errors.count; e++)
            printf("%.*s\n", S(errors.list[e].text));
    }
    return code;
}

static int run_pages(struct ph_args *args)
{
    if (args->command == PH_CMD_LIST) {
        if (args->word_count > 1)
            return ph_args_wrong("takes options only, not", args->words[1]);
        return list(args);
    }
    if (args->command == PH_CMD_CHECK)
        return args->word_count > 1 ? check(args)
                                    : ph_args_wrong("which page? connectors check FILE…", NULL);
    if (args->word_count != 2)
        return ph_args_wrong("which connector? connectors show NAME", NULL);
    const struct ph_connector *c = ph_args_connector(args, args->words[1]);
    if (c != NULL)
        ph_show_connector(c);
    return c != NULL ? PH_EXIT_OK : PH_EXIT_USAGE;
}

int ph_cmd_connectors(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum ph_command command;
    } subcommands[] = {{"list", PH_CMD_LIST},
                       {"show", PH_CMD_SHOW},
                       {"check", PH_CMD_CHECK},
                       {"explain", PH_CMD_EXPLAIN}};
    enum ph_command command = 0;
    const char *what = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < PH_COUNTOF(subcommands); i++)
        if (strcmp(subcommands[i].name, what) == 0)
            command = subcommands[i].command;
    if (command == PH_CMD_EXPLAIN)
        return ph_cmd_answer(argc, argv, command);
    if (command == 0) {
        bool asked = strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0;
        fprintf(asked ? stdout : stderr,
                "usage: payhook connectors list | show NAME | check FILE… | explain OPTION…\n\n"
                "payhook connectors list --help, and so on, say more.\n");
        return asked ? PH_EXIT_OK : PH_EXIT_USAGE;
    }
    struct ph_args args;
    bool help;
    int code = ph_args_read(&args, command, argc, argv, &help);
    if (code == PH_EXIT_OK && !help)
        code = run_pages(&args);
    ph_args_done(&args);
    return code;
}

int ph_cmd_version(int argc, char **argv)
{
    struct ph_args args;
    bool help;
    int code = ph_args_read(&args, PH_CMD_VERSION, argc, argv, &help);
    if (code == PH_EXIT_OK && !help && args.word_count > 0)
        code = ph_args_wrong("takes no arguments, not", args.words[0]);
    if (code == PH_EXIT_OK && !help) {
        printf("payhook %s, connector language %d, %zu connectors\n", PAYHOOK_VERSION,
               PH_LANGUAGE_VERSION, ph_connectors_builtin_count);
        printf("%s, nghttp2 %s, yyjson %s\n", OpenSSL_version(OPENSSL_VERSION),
               nghttp2_version(0)->version_str, YYJSON_VERSION_STRING);
    }
    ph_args_done(&args);
    return code;
}
