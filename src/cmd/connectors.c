/* connectors list, show, check, explain; and version. */
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <yyjson.h>

#include "cmd/args.h"
#include "reader/page.h"

#ifndef PAYHOOK_VERSION
#define PAYHOOK_VERSION "0.1.0"
#endif

#define S(slice) (int)(slice).len, (slice).ptr != NULL ? (slice).ptr : ""

static const char *kind_name(const struct ph_signature *s)
{
    static const char *const kinds[] = {"none, a hint", "HMAC", "digest", "RSA", "RSA-PSS", "ECDSA", "Ed25519", "JWS", "token", "Basic", "API call"};
    return kinds[s->kind];
}
static const char *hash_name(const struct ph_signature *s)
{
    static const char *const hashes[] = {"", " MD5", " SHA-1", " SHA-256", " SHA-384", " SHA-512"};
    return hashes[s->hash];
}

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

static void list(const struct ph_args *args)
{
    if (args->markdown)
        printf("# Connectors\n\nGenerated from the pages by `payhook connectors list --markdown`.\n\n"
               "| name | processor | signature | shapes | rules | samples | sources |\n|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < args->pages.count; i++) {
        const struct ph_connector *c = args->pages.connectors[i];
        const struct ph_signature *s = &c->variants[0].signatures[0];
        if (args->markdown) {
            printf("| %.*s | %.*s | %s%s | %u | %zu | %u | ", S(c->name), S(c->title), kind_name(s), hash_name(s), c->variant_count, rule_count(c), c->sample_count);
            for (uint16_t k = 0; k < c->source_count; k++)
                printf("%s%.*s", k > 0 ? "; " : "", S(c->sources[k].text));
            printf(" |\n");
        } else {
            printf("%-18.*s %-28.*s %s%s%s\n", S(c->name), S(c->title), kind_name(s), hash_name(s), is_builtin(c) ? "" : "  (from --connectors)");
        }
    }
}

static void show(const struct ph_connector *c)
{
    printf("%.*s: %.*s\n", S(c->name), S(c->title));
    if (c->notes.len > 0)
        printf("\n%.*s\n", S(c->notes));
    if (c->retry.len > 0)
        printf("\nretries: %.*s\n", S(c->retry));
    for (uint16_t i = 0; i < c->variant_count; i++) {
        const struct ph_variant *v = &c->variants[i];
        printf("\nshape %.*s\n", S(v->name.len > 0 ? v->name : PH_S("(the only one)")));
        for (uint16_t k = 0; k < v->signature_count; k++)
            printf("  signature  %s%s\n", kind_name(&v->signatures[k]), hash_name(&v->signatures[k]));
        for (uint16_t k = 0; k < v->rule_count; k++) {
            const struct ph_rule *r = &v->rules[k];
            struct ph_slice is = r->is.map != NULL ? PH_S("(by a field)") : ph_word_name(PH_WORDS_EVENT_TYPE, r->is.word);
            printf("  %-44.*s%s %.*s\n", S(r->on_count > 0 ? r->on[0] : PH_S("(any)")), r->on_count > 1 ? " …" : r->on_prefix ? "*" : "", S(is));
        }
    }
    printf("\nconfig fields:%s\n", c->config_count == 0 ? " none" : "");
    for (uint16_t i = 0; i < c->config_count; i++)
        printf("  %.*s: %.*s\n", S(c->config[i].name), S(c->config[i].help));
    printf("\nsamples (payhook trigger %.*s EVENT):\n", S(c->name));
    for (uint16_t i = 0; i < c->sample_count; i++)
        printf("  %.*s\n", S(c->samples[i].event));
    printf("\nsources:\n");
    for (uint16_t i = 0; i < c->source_count; i++)
        printf("  %.*s  %.*s\n", S(c->sources[i].tag), S(c->sources[i].text));
    printf("\npage %.*s\n", S(c->hash));
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
            code = PH_EXIT_NOT_VERIFIED;
        for (size_t e = 0; e < errors.count; e++)
            printf("%.*s\n", S(errors.list[e].text));
    }
    return code;
}

int ph_cmd_connectors(int argc, char **argv)
{
    struct ph_args args;
    int code = PH_EXIT_USAGE;
    if (argc > 1 && strcmp(argv[1], "explain") == 0)
        return ph_cmd_verify(argc, argv);
    bool read = ph_args_read(&args, argc, argv);
    const char *what = read && args.word_count > 0 ? args.words[0] : "";
    if (read && !args.help && strcmp(what, "list") == 0) {
        list(&args);
        code = PH_EXIT_OK;
    } else if (read && !args.help && strcmp(what, "show") == 0 && args.word_count > 1) {
        const struct ph_connector *c = ph_args_connector(&args, args.words[1]);
        if (c != NULL) {
            show(c);
            code = PH_EXIT_OK;
        }
    } else if (read && !args.help && strcmp(what, "check") == 0 && args.word_count > 1) {
        code = check(&args);
    } else if (read) {
        fprintf(args.help ? stdout : stderr, "usage: payhook connectors list [--markdown] | show NAME | check FILE… | explain OPTION…\n\n"
                                             "explain takes the options of payhook verify and shows the steps: the signed text, the\n"
                                             "secret's form (never the secret), expected and received signature and where they part.\n");
        code = args.help ? PH_EXIT_OK : PH_EXIT_USAGE;
    }
    ph_args_done(&args);
    return code;
}

int ph_cmd_version(int argc, char **argv)
{
    (void)argc, (void)argv;
    printf("payhook %s, connector language %d, %zu connectors\n", PAYHOOK_VERSION, PH_LANGUAGE_VERSION, ph_connectors_builtin_count);
    printf("%s, nghttp2 %s, yyjson %s\n", OpenSSL_version(OPENSSL_VERSION), nghttp2_version(0)->version_str, YYJSON_VERSION_STRING);
    return PH_EXIT_OK;
}
