/* What has to fit together: rules about more than one row, or about the connectors there are. */
#include "config/reading.h"
#include "core/codec.h"
#include "crypto/crypto.h"
#include "os/socket.h"

enum { TOKEN_BYTES_MIN = 16 };

/* ---- listeners ------------------------------------------------------------------------------- */

/* Of all files together; absent: no memory. */
static struct ph_slice digest_of(struct ph_reading *r, const struct ph_slice *contents,
                                 size_t count)
{
    unsigned char digest[PH_DIGEST_BYTES_MAX];
    size_t len = 0;
    struct ph_slice all = {0};
    struct ph_crypto *crypto = ph_crypto_new(r->world->allocator);
    if (crypto != NULL &&
        ph_crypto_digest(crypto, PH_HASH_SHA256, contents, count, digest, &len) == PH_OK)
        all = ph_config_join(r, PH_PARTS(ph_slice_of(digest, len)));
    r->no_memory = r->no_memory || !ph_slice_present(all);
    ph_crypto_free(crypto);
    return all;
}

void ph_config_check_tls(struct ph_reading *r, const void *scope, enum ph_scope which,
                         struct ph_config_tls *tls, const char *prefix)
{
    struct ph_slice contents[3] = {0};

    const struct {
        const char *name;
        struct ph_slice file;
        bool secret;
    } files[] = {{"tls.certificate", tls->certificate, false},
                 {"tls.key", tls->key, true},
                 {"tls.ca", tls->ca, false}};
    for (size_t i = 0; i < PH_COUNTOF(files); i++) {
        struct ph_slice key =
            ph_config_join(r, PH_PARTS(ph_slice_str(prefix), ph_slice_str(files[i].name)));
        struct ph_place at = ph_place_of(r, scope, which, key.ptr);
        struct ph_slice path = ph_path_of(r, scope, key.ptr);
        if (files[i].file.len > 0)
            contents[i] = ph_config_need_file(r, files[i].file, files[i].secret, at, path);
    }
    if (tls->certificate.len > 0 || tls->ca.len > 0)
        tls->content = digest_of(r, contents, PH_COUNTOF(contents));
    if ((tls->certificate.len > 0) != (tls->key.len > 0)) {
        struct ph_slice key =
            ph_config_join(r, PH_PARTS(ph_slice_str(prefix), PH_S("tls."),
                                       tls->key.len > 0 ? PH_S("key") : PH_S("certificate")));
        ph_config_error(r, ph_place_of(r, scope, which, key.ptr), ph_path_of(r, scope, key.ptr),
                        PH_PARTS(tls->key.len > 0
                                     ? PH_S("a key without its certificate; add tls.certificate")
                                     : PH_S("a certificate without its key; add tls.key")));
    }
}

static void check_listener(struct ph_reading *r, const struct ph_config *config,
                           struct ph_config_listener *listener, const char *prefix,
                           bool wants_token)
{
    struct ph_slice key = ph_config_join(r, PH_PARTS(ph_slice_str(prefix), PH_S("listen")));
    struct ph_place at = ph_place_of(r, config, PH_IN_CONFIG, key.ptr);
    bool has_tls = listener->tls.certificate.len > 0, has_token = listener->token.value.len > 0;
    ph_config_check_tls(r, config, PH_IN_CONFIG, &listener->tls, prefix);
    if (listener->tls.ca.len > 0 && !has_tls)
        ph_config_error(r, at, key,
                        PH_PARTS(PH_S("tls.ca asks clients for certificates, which takes TLS; add "
                                      "tls.certificate and tls.key")));
    if (has_token && listener->token.value.len < TOKEN_BYTES_MIN)
        ph_config_warn(
            r, at, key,
            PH_PARTS(PH_S("the token is short enough to be guessed; 32 random bytes are right")));
    if (listener->listen.len == 0 || listener->insecure ||
        ph_os_address_is_loopback(listener->listen.ptr))
        return;
    if (!has_tls)
        ph_config_error(
            r, at, key,
            PH_PARTS(listener->listen,
                     PH_S(" can be reached by others, and what is sent there can be read on its "
                          "way; add tls, or insecure: true behind a proxy that has it")));
    if (wants_token && !has_token && listener->tls.ca.len == 0)
        ph_config_error(
            r, at, key,
            PH_PARTS(listener->listen, PH_S(" can be used by everybody who reaches it; add a token "
                                            "or tls.ca, or insecure: true")));
}

/* Port 0 is another one each time. */
static bool is_any_port(struct ph_slice address)
{
    struct ph_slice end = PH_S(":0");
    return address.len >= end.len &&
           ph_slice_eq(ph_slice_from(address, address.len - end.len), end);
}

static void check_listeners(struct ph_reading *r, struct ph_config *config)
{
    struct ph_place at = ph_place_of(r, config, PH_IN_CONFIG, "webhooks.listen");
    struct ph_slice path = PH_S("webhooks.listen");
    check_listener(r, config, &config->webhooks, "webhooks.", false);
    check_listener(r, config, &config->service, "service.", true);
    if (config->webhooks.listen.len == 0 && config->service.listen.len == 0)
        ph_config_error(r, at, path,
                        PH_PARTS(PH_S("both listeners are off: there is nothing to serve")));
    else if (ph_slice_eq(config->webhooks.listen, config->service.listen) &&
             !is_any_port(config->service.listen))
        ph_config_error(r, at, path,
                        PH_PARTS(PH_S("the same as service.listen; webhooks have a listener of "
                                      "their own, the only one for the internet")));
    if (config->callouts.ca.len > 0)
        (void)ph_config_need_file(r, config->callouts.ca, false,
                                  ph_place_of(r, config, PH_IN_CONFIG, "callouts.ca"),
                                  PH_S("callouts.ca"));
    if (config->webhooks.listen.len == 0 && config->endpoints.count > 0)
        ph_config_warn(r, at, path,
                       PH_PARTS(PH_S("there are endpoints, and no listener for them")));
}

static void check_tokens(struct ph_reading *r, const struct ph_config *config)
{
    for (size_t i = 0; i < config->admin.tokens.count; i++) {
        const struct ph_config_token *token = &config->admin.tokens.items[i];
        struct ph_place at = ph_place_of(r, token, PH_IN_TOKEN, "secret");
        struct ph_slice path = ph_path_of(r, token, "secret");
        if (token->secret.value.len > 0 && token->secret.value.len < TOKEN_BYTES_MIN)
            ph_config_warn(
                r, at, path,
                PH_PARTS(
                    PH_S("the token is short enough to be guessed; 32 random bytes are right")));
        for (size_t k = 0; k < i; k++) {
            const struct ph_config_token *other = &config->admin.tokens.items[k];
            if (token->secret.value.len > 0 &&
                ph_crypto_equal(token->secret.value, other->secret.value))
                ph_config_error(r, at, path,
                                PH_PARTS(PH_S("the same token as "), other->entry.name,
                                         PH_S("; each wants its own")));
        }
    }
}

/* ---- secrets --------------------------------------------------------------------------------- */

static bool mentions_secret(const struct ph_template *templates, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (uint16_t k = 0; k < templates[i].count; k++)
            if (templates[i].pieces[k].source == PH_SRC_SECRET)
                return true;
    return false;
}

/* Whether it is made with what the processor gives the operator: without that it is never verified.
 */
static bool signature_wants(const struct ph_signature *sig)
{
    bool in_message =
        sig->kind == PH_SIG_DIGEST || (sig->kind == PH_SIG_TOKEN && sig->message_count > 0);
    if (sig->kind == PH_SIG_NONE)
        return false;
    if (sig->fetch != NULL &&
        sig->kind != PH_SIG_CALLOUT) /* a key that anybody may fetch: what is signed may name it */
        return mentions_secret(sig->messages, sig->message_count);
    return sig->kind == PH_SIG_CALLOUT || (sig->key.count == 0 && !in_message) ||
           mentions_secret(sig->key.alternatives, sig->key.count) ||
           mentions_secret(sig->messages, sig->message_count);
}

static bool wants_secret(const struct ph_connector *page)
{
    for (uint16_t v = 0; v < page->variant_count; v++) {
        const struct ph_variant *variant = &page->variants[v];
        for (uint16_t s = 0; s < variant->signature_count; s++)
            if (signature_wants(&variant->signatures[s]))
                return true;
    }
    return false;
}

static int64_t end_of(const struct ph_config_secret *s)
{
    return s->not_after_ms > 0 ? s->not_after_ms : INT64_MAX;
}

/* From when on, at or after `from_ms`, some secret is valid without a break, and until when.
 * INT64_MAX as from: never again. */
static void next_span(const struct ph_config_secret *secrets, size_t count, int64_t from_ms,
                      int64_t *ret_from, int64_t *ret_to)
{
    *ret_from = INT64_MAX;
    for (size_t i = 0; i < count; i++)
        if (end_of(&secrets[i]) > from_ms && secrets[i].not_before_ms < *ret_from)
            *ret_from = secrets[i].not_before_ms;
    *ret_to = *ret_from;
    for (bool grown = true; grown;) {
        grown = false;
        for (size_t i = 0; i < count; i++) {
            if (secrets[i].not_before_ms <= *ret_to && end_of(&secrets[i]) > *ret_to) {
                *ret_to = end_of(&secrets[i]);
                grown = true;
            }
        }
    }
}

void ph_config_check_windows(struct ph_reading *r, const struct ph_config_secret *secrets,
                             size_t count, struct ph_slice path)
{
    int64_t from_ms, to_ms, after_ms, end_ms;
    bool empty = false;
    for (size_t i = 0; i < count; i++) {
        const struct ph_config_secret *s = &secrets[i];
        if (end_of(s) <= s->not_before_ms) {
            ph_config_error(
                r, ph_place_of(r, s, PH_IN_SECRET, "not_after"), path,
                PH_PARTS(PH_S("a window that ends before it begins: the secret is never valid")));
            empty = true;
        }
        for (size_t k = 0; k < i; k++)
            if (s->secret.value.len > 0 &&
                ph_crypto_equal(s->secret.value, secrets[k].secret.value) &&
                ph_slice_eq(s->additional.from, secrets[k].additional.from))
                ph_config_warn(r, ph_place_of(r, s, PH_IN_SECRET, "secret"), path,
                               PH_PARTS(PH_S("the same secret stands here twice")));
    }
    if (count == 0 || empty)
        return;
    struct ph_place at = ph_place_of(r, &secrets[0], PH_IN_SECRET, "not_after");
    next_span(secrets, count, r->world->now_ms, &from_ms, &to_ms);
    if (from_ms == INT64_MAX) {
        ph_config_warn(r, at, path, PH_PARTS(PH_S("no secret is valid any more; add the new one")));
        return;
    }
    for (; to_ms != INT64_MAX; to_ms = end_ms) {
        next_span(secrets, count, to_ms, &after_ms, &end_ms);
        if (after_ms == INT64_MAX)
            return; /* the last one runs out: that is what not_after says */
        ph_config_error(r, at, path,
                        PH_PARTS(PH_S("the windows do not overlap: no secret is valid from "),
                                 ph_iso_text(r->arena, to_ms), PH_S(" to "),
                                 ph_iso_text(r->arena, after_ms)));
    }
}

/* ---- endpoints ------------------------------------------------------------------------------- */

static const struct ph_connector *page_of(const struct ph_connector *const *pages, size_t count,
                                          struct ph_slice name)
{
    for (size_t i = 0; i < count; i++)
        if (ph_slice_eq(pages[i]->name, name))
            return pages[i];
    return NULL;
}

static void check_fields(struct ph_reading *r, const void *scope, enum ph_scope which,
                         const struct ph_config_member *fields, size_t count,
                         const struct ph_connector *page)
{
    struct ph_slice *known = ph_config_alloc(r, (page->config_count + 1U) * sizeof *known);
    for (uint16_t i = 0; known != NULL && i < page->config_count; i++)
        known[i] = page->config[i].name;
    for (size_t i = 0; known != NULL && i < count; i++) {
        bool found = false;
        for (uint16_t k = 0; k < page->config_count; k++)
            found = found || ph_slice_eq(known[k], fields[i].name);
        if (!found)
            ph_config_unknown(r, ph_place_of(r, scope, which, "config"),
                              ph_path_of(r, scope, "config"),
                              ph_config_join(r, PH_PARTS(page->name, PH_S(" has no config field"))),
                              fields[i].name, known, page->config_count);
    }
}

static void check_accounts(struct ph_reading *r, const struct ph_config_endpoint *e)
{
    struct ph_place at = ph_place_of(r, e, PH_IN_ENDPOINT, "by");
    struct ph_slice path = ph_path_of(r, e, "by");
    bool is_pointer = ph_slice_starts(e->by, PH_S("/")),
         is_header = ph_slice_starts(e->by, PH_S("header:")) && e->by.len > 7;
    if (ph_slice_present(e->by) && !is_pointer && !is_header)
        ph_config_error(
            r, at, path,
            PH_PARTS(PH_S("write a JSON pointer, as /merchantAccountCode, or header:NAME")));
    else if (ph_slice_present(e->by) && e->accounts.count == 0)
        ph_config_error(
            r, at, path,
            PH_PARTS(
                PH_S("there are no accounts to choose from; add `accounts`, or leave `by` out")));
    if (!ph_slice_present(e->by) && e->accounts.count > 0)
        ph_config_error(r, ph_place_of(r, e, PH_IN_ENDPOINT, "accounts"),
                        ph_path_of(r, e, "accounts"),
                        PH_PARTS(PH_S("nothing says which account a request is for; add `by`")));
    if (e->account.len > 0 && e->accounts.count > 0)
        ph_config_error(
            r, ph_place_of(r, e, PH_IN_ENDPOINT, "account"), ph_path_of(r, e, "account"),
            PH_PARTS(PH_S("one account, and several under `accounts`; leave one of them out")));
    for (size_t i = 0; i < e->accounts.count; i++) {
        const struct ph_config_account *a = &e->accounts.items[i];
        ph_config_check_windows(r, a->secrets.items, a->secrets.count, ph_path_of(r, a, "secrets"));
        if (e->page != NULL) {
            ph_config_check_forms(r, e->page, a->secrets.items, a->secrets.count,
                                  ph_path_of(r, a, "secrets"));
            check_fields(r, a, PH_IN_ACCOUNT, a->fields.items, a->fields.count, e->page);
            if (r->world->thorough)
                ph_config_check_fetch(r, e, a);
        }
        if (e->page != NULL && wants_secret(e->page) && a->secrets.count + e->secrets.count == 0 &&
            a->values.count == 0)
            ph_config_error(r, ph_place_of(r, a, PH_IN_ACCOUNT, "secrets"),
                            ph_path_of(r, a, "secrets"),
                            PH_PARTS(PH_S("no secret: nothing that is sent for it could be "
                                          "verified; add env:NAME or file:PATH")));
    }
}

static void check_secrets(struct ph_reading *r, const struct ph_config_endpoint *e)
{
    struct ph_place at = ph_place_of(r, e, PH_IN_ENDPOINT, "secrets");
    struct ph_slice path = ph_path_of(r, e, "secrets");
    ph_config_check_windows(r, e->secrets.items, e->secrets.count, path);
    ph_config_check_forms(r, e->page, e->secrets.items, e->secrets.count, path);
    if (e->secrets.count > 0 || e->accounts.count > 0 || !wants_secret(e->page))
        return;
    if (e->fields.count > 0)
        ph_config_warn(r, at, path,
                       PH_PARTS(PH_S("no secret: what is signed with one cannot be verified")));
    else
        ph_config_error(r, at, path,
                        PH_PARTS(PH_S("no secret: nothing that is sent here could be verified; add "
                                      "env:NAME or file:PATH")));
}

static void check_url(struct ph_reading *r, const struct ph_config_endpoint *e)
{
    struct ph_url url;
    struct ph_slice why;
    if (ph_slice_present(e->public_url) && ph_url_read(e->public_url, &url, &why) &&
        ph_slice_eq(url.scheme, PH_S("http")) && !ph_url_host_is_private(url.host))
        ph_config_warn(
            r, ph_place_of(r, e, PH_IN_ENDPOINT, "public_url"), ph_path_of(r, e, "public_url"),
            PH_PARTS(
                PH_S("http:// over the internet: what processors send could be read on its way")));
}

static void check_endpoint(struct ph_reading *r, struct ph_config_endpoint *e,
                           const struct ph_connector *const *pages, size_t count,
                           const struct ph_slice *names)
{
    if (e->entry.origins == NULL)
        return; /* its name is no name: said */
    e->page = page_of(pages, count, e->connector);
    if (e->page == NULL && ph_slice_present(e->connector))
        ph_config_unknown(r, ph_place_of(r, e, PH_IN_ENDPOINT, "connector"),
                          ph_path_of(r, e, "connector"), PH_S("no connector is called"),
                          e->connector, names, count);
    if (e->page != NULL) {
        check_secrets(r, e);
        check_fields(r, e, PH_IN_ENDPOINT, e->fields.items, e->fields.count, e->page);
        if (e->accounts.count == 0 && r->world->thorough)
            ph_config_check_fetch(r, e, NULL);
    }
    check_accounts(r, e);
    check_url(r, e);
    if (e->tolerance_ms % 1000 != 0)
        ph_config_error(r, ph_place_of(r, e, PH_IN_ENDPOINT, "tolerance"),
                        ph_path_of(r, e, "tolerance"), PH_PARTS(PH_S("whole seconds only")));
}

/* Names that are one in the environment, and that people take for one. The very same twice: the
 * reader says it. */
static bool nearly_same(struct ph_slice a, struct ph_slice b)
{
    if (a.len != b.len || ph_slice_eq(a, b))
        return false;
    for (size_t i = 0; i < a.len; i++) {
        char x = a.ptr[i], y = b.ptr[i];
        bool letter = (x >= 'a' && x <= 'z') || (x >= 'A' && x <= 'Z');
        bool x_mark = x == '-' || x == '_' || x == '.', y_mark = y == '-' || y == '_' || y == '.';
        if (x != y && !(letter && (x ^ y) == 0x20) && !(x_mark && y_mark))
            return false;
    }
    return true;
}

static void check_names(struct ph_reading *r, const void *items, size_t count, size_t bytes)
{
    for (size_t i = 0; i < count; i++) {
        const struct ph_config_entry *a = (const void *)((const char *)items + i * bytes);
        for (size_t k = 0; k < i; k++) {
            const struct ph_config_entry *b = (const void *)((const char *)items + k * bytes);
            if (a->name.len > 0 && nearly_same(a->name, b->name))
                ph_config_error(
                    r, (struct ph_place){.line = a->at.line, .column = a->at.column},
                    ph_slice_of(a->path.ptr, a->path.len - 1),
                    PH_PARTS(PH_S("all but the same name as "), b->name,
                             PH_S(": they would share their variables; choose another")));
        }
    }
}

void ph_config_check(struct ph_reading *r, struct ph_config *config,
                     const struct ph_connector *const *pages, size_t count)
{
    struct ph_slice *names = ph_config_alloc(r, (count + 1) * sizeof *names);
    if (names == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        names[i] = pages[i]->name;
    check_listeners(r, config);
    check_tokens(r, config);
    check_names(r, config->endpoints.items, config->endpoints.count,
                sizeof *config->endpoints.items);
    check_names(r, config->destinations.items, config->destinations.count,
                sizeof *config->destinations.items);
    check_names(r, config->admin.tokens.items, config->admin.tokens.count,
                sizeof *config->admin.tokens.items);
    for (size_t i = 0; i < config->endpoints.count; i++)
        check_endpoint(r, (struct ph_config_endpoint *)&config->endpoints.items[i], pages, count,
                       names);
    for (size_t i = 0; i < config->destinations.count; i++)
        ph_config_check_destination(r, config,
                                    (struct ph_config_destination *)&config->destinations.items[i],
                                    names, count);
}
