/* connectors show: a page's tables as lines for a person, each rule with what it wants and what
 * it says. */
#include "cmd/show.h"

#include <stdio.h>
#include <stdlib.h>

#define S(slice) (int)(slice).len, (slice).ptr != NULL ? (slice).ptr : ""

const char *ph_show_kind(const struct ph_signature *s)
{
    static const char *const kinds[] = {"none, a hint", "HMAC",  "digest",  "RSA",
                                        "RSA-PSS",      "ECDSA", "Ed25519", "JWS",
                                        "token",        "Basic", "API call"};
    return kinds[s->kind];
}

const char *ph_show_hash(const struct ph_signature *s)
{
    static const char *const hashes[] = {"", " MD5", " SHA-1", " SHA-256", " SHA-384", " SHA-512"};
    return hashes[s->hash];
}

/* ---- values and tests, as the page writes them ----------------------------------------------- */

static void put_piece(FILE *f, const struct ph_variant *v, const struct ph_piece *p)
{
    switch (p->source) {
    case PH_SRC_LITERAL:
        fprintf(f, "=%.*s", S(p->text));
        break;
    case PH_SRC_OUTER:
    case PH_SRC_FETCHED:
    case PH_SRC_JWS:
    case PH_SRC_CLAIMS:
        fputs(p->source == PH_SRC_OUTER    ? "outer:"
              : p->source == PH_SRC_JWS    ? "jws:"
              : p->source == PH_SRC_CLAIMS ? "claims:"
                                           : "fetched:",
              f);
        fprintf(f, "%.*s", S(p->pointer->text));
        break;
    case PH_SRC_HEADER:
    case PH_SRC_QUERY:
    case PH_SRC_CONFIG:
    case PH_SRC_CONTEXT:
        fputs(p->source == PH_SRC_HEADER   ? "header:"
              : p->source == PH_SRC_QUERY  ? "query:"
              : p->source == PH_SRC_CONFIG ? "config:"
                                           : "context:",
              f);
        fprintf(f, "%.*s", S(p->text));
        break;
    case PH_SRC_LET:
        fprintf(f, "%.*s", S(v->lets[p->index].name));
        break;
    case PH_SRC_TYPE:
        fputs("type", f);
        break;
    case PH_SRC_BODY:
        fputs("body", f);
        break;
    default:
        fprintf(f, "%.*s", S(p->pointer != NULL ? p->pointer->text : PH_S("(a text)")));
    }
    if (p->filter_count > 0)
        fputs("|…", f);
}

static void put_value(FILE *f, const struct ph_variant *v, const struct ph_expr *e)
{
    for (uint16_t i = 0; i < e->count; i++) {
        fputs(i > 0 ? " or " : "", f);
        for (uint16_t k = 0; k < e->alternatives[i].count; k++)
            put_piece(f, v, &e->alternatives[i].pieces[k]);
    }
}

static void put_test(FILE *f, const struct ph_variant *v, const struct ph_test *t)
{
    static const char *const says[] = {[PH_TEST_ONE_OF] = " is",
                                       [PH_TEST_NOT_ONE_OF] = " is not",
                                       [PH_TEST_PREFIX] = " begins with",
                                       [PH_TEST_PRESENT] = " is there",
                                       [PH_TEST_ABSENT] = " is not there",
                                       [PH_TEST_OVER] = " is over",
                                       [PH_TEST_UNDER] = " is under ",
                                       [PH_TEST_UTF8] = " is UTF-8",
                                       [PH_TEST_SHAPE] = " has the shape",
                                       [PH_TEST_WITHOUT] = " is without",
                                       [PH_TEST_MEDIA_TYPE] = " is of type"};
    put_value(f, v, &t->of);
    fputs(says[t->op], f);
    /* what it wants is said */
    bool bare = t->op == PH_TEST_PRESENT || t->op == PH_TEST_ABSENT || t->op == PH_TEST_UTF8;
    for (uint16_t i = 0; i < t->value_count && !bare; i++)
        fprintf(f, "%s%.*s",
                i == 0                    ? " "
                : i + 1 == t->value_count ? " or "
                                          : ", ",
                S(t->values[i]));
    put_value(f, v, &t->against);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static enum ph_vocabulary statuses_of(enum ph_kind kind)
{
    static const enum ph_vocabulary words[] = {[PH_KIND_NONE] = PH_WORDS_NONE,
                                               [PH_KIND_PAYMENT] = PH_WORDS_PAYMENT_STATUS,
                                               [PH_KIND_REFUND] = PH_WORDS_REFUND_STATUS,
                                               [PH_KIND_DISPUTE] = PH_WORDS_DISPUTE_STATUS,
                                               [PH_KIND_MANDATE] = PH_WORDS_PAYMENT_STATUS,
                                               [PH_KIND_PAYOUT] = PH_WORDS_PAYOUT_STATUS};
    return words[kind];
}

static void put_choice(FILE *f, const struct ph_variant *v, const struct ph_choice *c,
                       enum ph_vocabulary words)
{
    if (c->map == NULL) {
        fprintf(f, "%.*s", S(ph_word_name(words, c->word)));
        return;
    }
    fputs("by ", f);
    put_value(f, v, &c->of);
}

static void put_rule(FILE *f, const struct ph_variant *v, const struct ph_rule *r)
{
    enum { COLUMN = 44 };
    size_t width = 0;
    fputs("  ", f);
    for (uint16_t i = 0; i < r->on_count; i++) {
        fprintf(f, "%s%.*s%s", i > 0 ? ", " : "", S(r->on[i]), r->on_prefix ? "*" : "");
        width += r->on[i].len + (i > 0 ? 2 : 0) + r->on_prefix;
    }
    if (r->on_count == 0)
        width = (size_t)fprintf(f, "(any)");
    if (width > COLUMN)
        fputs("\n  ", f);
    fprintf(f, "%*s ", width > COLUMN ? COLUMN : (int)(COLUMN - width), "");
    put_choice(f, v, &r->is, PH_WORDS_EVENT_TYPE);
    if (r->content != NULL) {
        fprintf(f, ", %.*s ", S(r->content->name));
        put_choice(f, v, &r->status, statuses_of(r->content->kind));
    }
    fputc('\n', f);
    for (uint16_t i = 0; i < r->test_count; i++) {
        fputs(i == 0 ? "      when " : "       and ", f);
        put_test(f, v, &r->when[i]);
        fputc('\n', f);
    }
}

/* What says the same as the line before is not said again. */
static void show_rules(const struct ph_variant *v)
{
    char *before = NULL;
    for (uint16_t k = 0; k < v->rule_count; k++) {
        char *text = NULL;
        size_t len;
        FILE *f = open_memstream(&text, &len);
        if (f == NULL)
            break;
        put_rule(f, v, &v->rules[k]);
        fclose(f);
        if (text != NULL && (before == NULL || strcmp(before, text) != 0))
            fputs(text, stdout);
        free(before);
        before = text;
    }
    free(before);
}

/* ---- the page -------------------------------------------------------------------------------- */

void ph_show_samples(const struct ph_connector *c, const char *indent)
{
    if (c->sample_count == 0)
        printf("%s(no samples: a page from --connectors has none; `payhook sign --body FILE` signs "
               "a body of yours)\n",
               indent);
    for (uint16_t i = 0; i < c->sample_count; i++) {
        const struct ph_sample *one = &c->samples[i];
        bool twice = false;
        for (uint16_t k = 0; k < c->sample_count && !twice; k++)
            twice = k != i && ph_slice_eq(c->samples[k].event, one->event);
        if (twice) /* the name alone does not say which */
            printf("%s%.*s --variant %.*s\n", indent, S(one->event), S(one->variant));
        else
            printf("%s%.*s\n", indent, S(one->event));
    }
}

void ph_show_connector(const struct ph_connector *c)
{
    printf("%.*s: %.*s\n", S(c->name), S(c->title));
    if (c->notes.len > 0)
        printf("\n%.*s\n", S(c->notes));
    if (c->retry.len > 0)
        printf("\nretries: %.*s\n", S(c->retry));
    for (uint16_t i = 0; i < c->variant_count; i++) {
        const struct ph_variant *v = &c->variants[i];
        printf("\nshape %.*s\n", S(v->name.len > 0 ? v->name : PH_S("(the only one)")));
        for (uint16_t k = 0; k < v->signature_count; k++) {
            printf("  signature  %s%s%s", ph_show_kind(&v->signatures[k]),
                   ph_show_hash(&v->signatures[k]), v->signatures[k].from.count > 0 ? ", in " : "");
            put_value(stdout, v, &v->signatures[k].from);
            putchar('\n');
        }
        show_rules(v);
    }
    printf("\nconfig fields:%s\n", c->config_count == 0 ? " none" : "");
    for (uint16_t i = 0; i < c->config_count; i++)
        printf("  %.*s: %.*s\n", S(c->config[i].name), S(c->config[i].help));
    printf("\nsamples (payhook trigger %.*s EVENT):\n", S(c->name));
    ph_show_samples(c, "  ");
    printf("\nsources:\n");
    for (uint16_t i = 0; i < c->source_count; i++)
        printf("  %.*s  %.*s\n", S(c->sources[i].tag), S(c->sources[i].text));
    printf("\npage %.*s\n", S(c->hash));
}
