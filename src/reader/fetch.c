/* `fetch`: what the engine may ask somebody else's API; and headers, which several sections
 * have. */
#include "reader/build.h"

#define WORDS(array) array, PH_COUNTOF(array)

const struct ph_header_template *ph_build_headers(struct ph_build *b, const struct ph_yaml *map,
                                                  uint16_t *ret_count)
{
    *ret_count = 0;
    if (!ph_build_is(b, map, PH_YAML_MAP))
        return NULL;
    struct ph_header_template *headers = ph_build_alloc(b, (map->count + 1) * sizeof(*headers));
    for (const struct ph_yaml *e = map->first; e != NULL; e = e->next)
        headers[(*ret_count)++] =
            (struct ph_header_template){e->key, ph_build_template(b, e, ph_build_text(b, e))};
    return headers;
}

/* An answer that says yes by what it lacks would say yes by being empty. */
static bool says_yes(const struct ph_fetch *fetch)
{
    for (uint16_t i = 0; i < fetch->accept_count; i++) {
        const struct ph_test *test = &fetch->accept[i];
        bool positive =
            test->op == PH_TEST_ONE_OF || test->op == PH_TEST_PREFIX || test->op == PH_TEST_OVER;
        bool fetched = test->of.count > 0;
        for (uint16_t k = 0; k < test->value_count; k++)
            positive = positive && test->values[k].len > 0;
        for (uint16_t k = 0; k < test->of.count; k++)
            fetched = fetched && test->of.alternatives[k].count == 1 &&
                      test->of.alternatives[k].pieces[0].source == PH_SRC_FETCHED;
        if (positive && fetched)
            return true;
    }
    return false;
}

static void kind_of(struct ph_build *b, const struct ph_yaml *at, enum ph_fetch_kind wanted,
                    struct ph_fetch *fetch)
{
    static const struct ph_slice kinds[] = {[PH_FETCH_EVENT] = PH_SI("event"),
                                            [PH_FETCH_CERTIFICATE] = PH_SI("certificate"),
                                            [PH_FETCH_JWKS] = PH_SI("jwks"),
                                            [PH_FETCH_VERDICT] = PH_SI("verdict")};
    const struct ph_yaml *e = ph_yaml_get(at, "kind");
    if (e == NULL)
        return;
    size_t i = ph_build_word(b, e, "kind of fetch", ph_build_text(b, e), WORDS(kinds));
    if (i == SIZE_MAX)
        return;
    fetch->kind = (enum ph_fetch_kind)i;
    if ((fetch->kind == PH_FETCH_EVENT) != (wanted == PH_FETCH_EVENT))
        ph_build_error(b, e,
                       "the section `fetch` reads the event, the fetch of a signature a "
                       "certificate, jwks or verdict; not here: ",
                       e->text, "");
}

static bool is_host(struct ph_slice s)
{
    bool good = s.len > 0 && s.ptr[0] != '.' && s.ptr[s.len - 1] != '.';
    for (size_t i = 0; i < s.len && good; i++) {
        char c = s.ptr[i];
        good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    }
    return good;
}

/* What the page itself writes of the address must be right; the rest is checked when it is
 * known. */
static void check_url(struct ph_build *b, const struct ph_yaml *at, const struct ph_fetch *fetch)
{
    struct ph_slice scheme = PH_S("https://");
    if (fetch->host_count == 0 || fetch->url.count == 0 ||
        fetch->url.pieces[0].source != PH_SRC_LITERAL)
        return;
    struct ph_slice text = fetch->url.pieces[0].text;
    if (!ph_slice_starts(text, scheme)) {
        ph_build_error(b, at, "an address to fetch from begins with https://, not ", text, "");
        return;
    }
    struct ph_slice host = ph_slice_from(text, scheme.len);
    size_t end = ph_slice_find(host, PH_S("/"), 0);
    if (end == SIZE_MAX && fetch->url.count > 1)
        return; /* a part of the host is read */
    if (end != SIZE_MAX)
        host.len = end;
    for (uint16_t i = 0; i < fetch->host_count; i++)
        if (ph_slice_eq(fetch->hosts[i], host))
            return;
    ph_build_error(b, at, "this host is not one of `hosts`: ", host, "");
}

static void hosts_of(struct ph_build *b, const struct ph_yaml *at, struct ph_fetch *fetch)
{
    struct ph_build_list list = ph_build_list(b, at);
    bool good = true;
    for (uint16_t i = 0; i < list.count; i++) {
        bool host = is_host(list.texts[i]);
        good = good && host;
        if (!host && list.at[i]->kind == PH_YAML_TEXT)
            ph_build_error(b, list.at[i],
                           "a host is a bare name in lower case, without port, path or '*', not `",
                           list.texts[i], "`");
    }
    fetch->hosts = list.texts;
    fetch->host_count = good ? list.count : 0; /* none: what is not known is not compared with */
}

const struct ph_fetch *ph_build_fetch(struct ph_build *b, const struct ph_yaml *at,
                                      enum ph_fetch_kind kind)
{
    static const struct ph_slice known[] = {PH_SI("kind"),  PH_SI("method"),  PH_SI("url"),
                                            PH_SI("hosts"), PH_SI("headers"), PH_SI("body"),
                                            PH_SI("accept")};
    static const struct ph_slice methods[] = {PH_SI("GET"), PH_SI("POST")};
    const struct ph_yaml *e;
    if (at == NULL || !ph_build_keys(b, at, WORDS(known)))
        return NULL;
    struct ph_fetch *fetch = ph_build_alloc(b, sizeof(*fetch));
    fetch->kind = kind;
    kind_of(b, at, kind, fetch);
    if ((e = ph_yaml_get(at, "method")) != NULL) {
        fetch->method = ph_build_text(b, e);
        ph_build_word(b, e, "method", fetch->method, WORDS(methods));
    }
    if ((e = ph_yaml_get(at, "hosts")) != NULL)
        hosts_of(b, e, fetch);
    else
        ph_build_error(b, at, "`hosts` is missing: no other than these is ever asked", PH_S(""),
                       "");
    if ((e = ph_yaml_get(at, "url")) != NULL) {
        fetch->url = ph_build_template(b, e, ph_build_text(b, e));
        check_url(b, e, fetch);
    } else {
        ph_build_error(b, at, "`url` is missing: the address to ask", PH_S(""), "");
    }
    fetch->headers = ph_build_headers(b, ph_yaml_get(at, "headers"), &fetch->header_count);
    if ((e = ph_yaml_get(at, "body")) != NULL)
        fetch->body = ph_build_template(b, e, ph_build_text(b, e));
    fetch->accept = ph_build_tests(b, ph_yaml_get(at, "accept"), &fetch->accept_count);
    if ((e = ph_yaml_get(at, "accept")) != NULL && fetch->kind != PH_FETCH_VERDICT)
        ph_build_error_key(b, e, "`", "` is for `kind: verdict` alone");
    else if (fetch->kind == PH_FETCH_VERDICT && !says_yes(fetch))
        ph_build_error(b, e != NULL ? e : at,
                       "`accept` must name a fetched:/ member and the word by which it says yes",
                       PH_S(""), "");
    return fetch;
}
