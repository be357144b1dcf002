/* What a text is made of: whether a secret is in it, and whether the sender chooses some of it. */
#include "reader/build.h"

/* How a filter treats a secret: PH_KEEPS, whatever the secret is, something of it that cannot be
 * guessed comes out. PH_MAY_EMPTY: a secret of another form comes out empty. PH_CUTS: what comes
 * out may be known (a prefix, a member's name) or few enough to try. */
enum keeping { PH_KEEPS, PH_MAY_EMPTY, PH_CUTS };

static enum keeping keeping_of(enum ph_filter_op op)
{
    switch (op) {
    case PH_FILTER_LOWER:
    case PH_FILTER_UPPER:
    case PH_FILTER_REVERSE:
    case PH_FILTER_HEX:
    case PH_FILTER_BASE64:
    case PH_FILTER_BASE64URL:
    case PH_FILTER_MD5:
    case PH_FILTER_SHA1:
    case PH_FILTER_SHA256:
    case PH_FILTER_SHA384:
    case PH_FILTER_SHA512:
    case PH_FILTER_JSON:
    case PH_FILTER_URL_ENCODE:
    case PH_FILTER_SORTED: /* of a text: itself */
    case PH_FILTER_MINIFY:
    case PH_FILTER_RFC8785:
    case PH_FILTER_SORTED_JSON:
        return PH_KEEPS;
    case PH_FILTER_TRIM:
    case PH_FILTER_STRIP_SPACE:
    case PH_FILTER_UNHEX:
    case PH_FILTER_UNBASE64:
    case PH_FILTER_URL_DECODE:
        return PH_MAY_EMPTY;
    case PH_FILTER_CRC32:
    case PH_FILTER_PICK:
    case PH_FILTER_BEFORE_FIRST:
    case PH_FILTER_AFTER_FIRST:
    case PH_FILTER_AFTER_LAST:
    case PH_FILTER_STRIP_PREFIX:
    case PH_FILTER_PAD2:
    case PH_FILTER_ISO:
    case PH_FILTER_MS:
    case PH_FILTER_COUNT:
        break;
    }
    return PH_CUTS;
}

static unsigned source_holds(const struct ph_build *b, const struct ph_piece *p, bool as_key)
{
    switch (p->source) {
    case PH_SRC_LITERAL:
    case PH_SRC_NOW:
    case PH_SRC_UNIQUE:
    case PH_SRC_CONTEXT:
        return 0;
    case PH_SRC_SECRET:
    case PH_SRC_SECRET2:
        return PH_HOLDS_SECRET;
    case PH_SRC_CONFIG:
        return ph_config_is_public(p->text) ? PH_HOLDS_PUBLIC : PH_HOLDS_CONFIG;
    case PH_SRC_URL: /* as configured */
        return PH_HOLDS_PUBLIC;
    case PH_SRC_FETCHED:
        return PH_HOLDS_FETCHED;
    case PH_SRC_LET:
        return b->let_holds[p->index][as_key];
    case PH_SRC_POINTER:
    case PH_SRC_OUTER:
    case PH_SRC_JWS:
    case PH_SRC_CLAIMS:
    case PH_SRC_HEADER:
    case PH_SRC_QUERY:
    case PH_SRC_BODY:
    case PH_SRC_METHOD:
    case PH_SRC_PATH:
    case PH_SRC_TYPE:
    case PH_SRC_CAPTURE:
    case PH_SRC_LISTED_HEADERS:
        break;
    }
    return PH_HOLDS_REQUEST;
}

unsigned ph_template_holds(const struct ph_build *b, const struct ph_template *t, bool as_key)
{
    unsigned all = 0;
    for (uint16_t i = 0; i < t->count; i++) {
        const struct ph_piece *p = &t->pieces[i];
        bool alone = as_key && t->count == 1;
        unsigned one = source_holds(b, p, alone);
        bool kept = true;
        for (uint16_t f = 0; f < p->filter_count; f++) {
            enum keeping k = keeping_of(p->filters[f].op);
            kept = kept && (k == PH_KEEPS || (k == PH_MAY_EMPTY && alone && p->filter_count == 1));
        }
        if (!kept && (one & (PH_HOLDS_SECRET | PH_HOLDS_CONFIG)) != 0)
            one = (one & ~(unsigned)(PH_HOLDS_SECRET | PH_HOLDS_CONFIG)) | PH_HOLDS_CUT;
        all |= one;
    }
    return all;
}

bool ph_piece_is_whole(const struct ph_piece *p)
{
    bool whole = true;
    for (uint16_t f = 0; f < p->filter_count && whole; f++)
        whole = keeping_of(p->filters[f].op) != PH_CUTS;
    return whole;
}

void ph_note_let(struct ph_build *b, size_t index)
{
    const struct ph_let *let = &b->lets[index];
    for (int as_key = 0; as_key < 2; as_key++)
        b->let_holds[index][as_key] = let->kind != PH_LET_TEMPLATE
                                          ? source_holds(b, &let->of, false)
                                          : ph_template_holds(b, &let->value, as_key != 0);
}

unsigned ph_expr_holds(const struct ph_build *b, const struct ph_expr *e)
{
    unsigned all = 0;
    for (uint16_t i = 0; i < e->count; i++)
        all |= ph_template_holds(b, &e->alternatives[i], false);
    return all;
}
