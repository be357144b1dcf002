/* Rules of destinations. */
#include "config/reading.h"
#include "core/codec.h"

#define IN PH_IN_DESTINATION
enum {
    KEY_BYTES_MIN = 24,
    KNOWN_MAX = 160
}; /* 24: Standard Webhooks, spec/standard-webhooks.md, read 2026-11-25 */

static void wrong(struct ph_reading *r, const struct ph_config_destination *d, const char *key,
                  struct ph_slice what)
{
    ph_config_error(r, ph_place_of(r, d, IN, key), ph_path_of(r, d, key), &what, 1);
}

/* ---- where to -------------------------------------------------------------------------------- */

static void check_url(struct ph_reading *r, struct ph_config_destination *d)
{
    struct ph_url url;
    struct ph_slice why;
    if (!ph_slice_present(d->url) || !ph_url_read(d->url, &url, &why))
        return;
    bool is_private = ph_url_host_is_private(url.host),
         tls = ph_slice_eq(url.scheme, PH_S("https")) || ph_slice_eq(url.scheme, PH_S("rediss"));
    if (is_private && !d->allow_private)
        wrong(r, d, "allow_private",
              PH_S("false, and the URL has a private address: nothing could be delivered; leave it "
                   "out"));
    if (!is_private && !tls && !d->allow_private)
        ph_config_warn(
            r, ph_place_of(r, d, IN, "url"), ph_path_of(r, d, "url"),
            PH_PARTS(
                url.scheme,
                PH_S(":// over the internet: what happened to payments could be read on its way")));
    if (!tls && d->tls.certificate.len + d->tls.key.len + d->tls.ca.len > 0)
        wrong(r, d, d->tls.ca.len > 0 ? "tls.ca" : "tls.certificate",
              PH_S("the URL has no TLS; write https:// or rediss://, or leave tls out"));
    ph_config_check_tls(r, d, IN, &d->tls, "");
}

static void check_kind(struct ph_reading *r, const struct ph_config_destination *d)
{
    if (d->kind == 0)
        return;
    for (size_t i = 0; i < ph_scopes[IN].count; i++) {
        const struct ph_setting *row = &ph_scopes[IN].rows[i];
        if (row->kinds != 0 && (row->kinds & d->kind) == 0 && ph_is_given(d, IN, row->key))
            wrong(r, d, row->key,
                  d->kind == PH_CONFIG_HTTP ? PH_S("for redis:// and rediss:// only; leave it out")
                                            : PH_S("for http:// and https:// only; leave it out"));
    }
    if (d->kind == PH_CONFIG_HTTP && d->batch > 1 && d->format == PH_CONFIG_STRUCTURED)
        wrong(r, d, "batch", PH_S("a structured message holds one event; add format: batch"));
    if (d->redis.username.len > 0 && d->redis.password.value.len == 0)
        wrong(r, d, "redis.username", PH_S("a user without a password; add redis.password"));
}

/* ---- what it is signed with ------------------------------------------------------------------ */

static void check_secret(struct ph_reading *r, const struct ph_config_secret *s,
                         struct ph_slice path)
{
    struct ph_slice prefix = PH_S("whsec_"), key = s->secret.value;
    struct ph_place at = ph_place_of(r, s, PH_IN_SECRET, "secret");
    if (key.len == 0)
        return; /* said */
    if (ph_slice_starts(key, prefix) &&
        !ph_base64_decode(r->arena, ph_slice_from(key, prefix.len), false, false, &key)) {
        ph_config_error(
            r, at, path,
            PH_PARTS(s->secret.from, PH_S(": behind whsec_ comes base64; make one with: echo "
                                          "whsec_$(openssl rand -base64 32)")));
        return;
    }
    if (key.len < KEY_BYTES_MIN)
        ph_config_warn(
            r, at, path,
            PH_PARTS(s->secret.from, PH_S(": a key of fewer than 24 bytes can be guessed; make one "
                                          "with: echo whsec_$(openssl rand -base64 32)")));
    else if (!ph_slice_starts(s->secret.value, prefix))
        ph_config_warn(r, at, path,
                       PH_PARTS(s->secret.from,
                                PH_S(": without whsec_ its text is the key as it stands, where "
                                     "Standard Webhooks libraries decode base64; make one "
                                     "with: echo whsec_$(openssl rand -base64 32)")));
    if (s->additional.value.len > 0)
        ph_config_error(
            r, at, path,
            PH_PARTS(PH_S("a destination's secret has nothing additional; leave it out")));
}

static void check_secrets(struct ph_reading *r, const struct ph_config_destination *d)
{
    struct ph_slice path = ph_path_of(r, d, "secret");
    if (d->kind == PH_CONFIG_HTTP && d->secrets.count == 0 && !ph_is_given(d, IN, "secret"))
        wrong(r, d, "secret",
              PH_S("is missing: the application could not tell our messages from others; add "
                   "env:NAME or file:PATH"));
    ph_config_check_windows(r, d->secrets.items, d->secrets.count, path);
    for (size_t i = 0; i < d->secrets.count; i++)
        check_secret(r, &d->secrets.items[i], path);
}

/* ---- what it is told ------------------------------------------------------------------------- */

/* Classes of events; the rest are words of the schema and names of the specification. */
static size_t event_words(struct ph_slice known[KNOWN_MAX])
{
    size_t count;
    const struct ph_slice *classes = ph_event_classes(&count);
    memcpy(known, classes, count * sizeof *known);
    return count + ph_event_type_names(known + count, KNOWN_MAX - count);
}

static bool is_among(struct ph_slice word, const struct ph_slice *known, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (ph_slice_eq_nocase(known[i], word))
            return true;
    return false;
}

static void check_filters(struct ph_reading *r, const struct ph_config *config,
                          const struct ph_config_destination *d, const struct ph_slice *connectors,
                          size_t count)
{
    struct ph_slice known[KNOWN_MAX], path = ph_path_of(r, d, "events");
    size_t known_count = event_words(known);
    for (size_t i = 0; i < d->events.count; i++)
        if (!is_among(d->events.items[i], known, known_count))
            ph_config_unknown(r, ph_place_of(r, d, IN, "events"), path,
                              PH_S("no event type or class is called"), d->events.items[i], known,
                              known_count);
    path = ph_path_of(r, d, "connectors");
    for (size_t i = 0; i < d->connectors.count; i++) {
        bool used = false;
        for (size_t k = 0; k < config->endpoints.count; k++)
            used = used ||
                   ph_slice_eq_nocase(config->endpoints.items[k].connector, d->connectors.items[i]);
        if (!is_among(d->connectors.items[i], connectors, count))
            ph_config_unknown(r, ph_place_of(r, d, IN, "connectors"), path,
                              PH_S("no connector is called"), d->connectors.items[i], connectors,
                              count);
        else if (!used)
            ph_config_warn(r, ph_place_of(r, d, IN, "connectors"), path,
                           PH_PARTS(PH_S("no endpoint is of "), d->connectors.items[i]));
    }
}

static void check_amount(struct ph_reading *r, const struct ph_config_destination *d)
{
    bool bounded = d->amount.least > 0 || d->amount.most > 0;
    struct ph_slice currency = d->amount.currency;
    if (bounded && currency.len == 0)
        wrong(r, d, d->amount.least > 0 ? "amount.least" : "amount.most",
              PH_S("an amount of which currency? add amount.currency"));
    if (currency.len > 0 && ph_currency_find(currency) == NULL)
        ph_config_error(
            r, ph_place_of(r, d, IN, "amount.currency"), ph_path_of(r, d, "amount.currency"),
            PH_PARTS(ph_config_quote(r, currency), PH_S(" is no currency of ISO 4217, as EUR")));
    if (d->amount.most > 0 && d->amount.least > d->amount.most)
        wrong(r, d, "amount.least", PH_S("more than amount.most: no amount fits"));
}

void ph_config_check_destination(struct ph_reading *r, struct ph_config *config,
                                 struct ph_config_destination *d, const struct ph_slice *connectors,
                                 size_t count)
{
    if (d->entry.origins == NULL)
        return; /* its name is no name: said */
    check_url(r, d);
    check_kind(r, d);
    check_secrets(r, d);
    check_filters(r, config, d, connectors, count);
    check_amount(r, d);
    if (!ph_is_given(d, IN, "timeout.connect") && d->timeout.total_ms < d->timeout.connect_ms)
        d->timeout.connect_ms =
            d->timeout.total_ms; /* the default is for those who have the time */
    if (d->timeout.total_ms < d->timeout.connect_ms)
        wrong(
            r, d, ph_is_given(d, IN, "timeout.total") ? "timeout.total" : "timeout.connect",
            PH_S("timeout.total is the whole attempt: it cannot be shorter than timeout.connect"));
}
