/* Requests that the engine would like made. The page names the hosts; nothing a sender writes
 * can widen them. */
#include "core/run.h"

static struct ph_slice result_name(enum ph_fetch_kind kind)
{
    switch (kind) {
    case PH_FETCH_EVENT:
        return PH_S("fetched");
    case PH_FETCH_CERTIFICATE:
        return PH_S("fetched_certificate_pem"); /* never taken for the one the operator pins */
    case PH_FETCH_JWKS:
        return PH_S("jwks");
    case PH_FETCH_VERDICT:
        return PH_S("verdict");
    }
    return (struct ph_slice){0};
}

static size_t dot_bytes(struct ph_slice s)
{
    if (s.len > 0 && s.ptr[0] == '.')
        return 1;
    return s.len >= 3 && ph_slice_eq_nocase(ph_slice_of(s.ptr, 3), PH_S("%2e")) ? 3 : 0;
}

/* "." or "..": a client would walk to another path than the one that was looked at. */
static bool is_dots(struct ph_slice segment)
{
    size_t at = 0, count = 0;
    for (size_t len; (len = dot_bytes(ph_slice_from(segment, at))) > 0; at += len)
        count++;
    return at == segment.len && (count == 1 || count == 2);
}

static bool has_dot_segment(struct ph_slice path)
{
    for (size_t at = 0; at < path.len; at++) {
        size_t start = at;
        while (at < path.len && path.ptr[at] != '/' && path.ptr[at] != '?' && path.ptr[at] != '#')
            at++;
        if (is_dots(ph_slice_of(path.ptr + start, at - start)))
            return true;
        if (at < path.len && path.ptr[at] != '/')
            return false;
    }
    return false;
}

/* https, a bare host of the list (no port, no user), a path without dot segments, and nothing
 * that could end the request line. */
static bool url_allowed(const struct ph_fetch *fetch, struct ph_slice url)
{
    struct ph_slice scheme = PH_S("https://");
    if (!ph_slice_starts(url, scheme))
        return false;
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= ' ' || (unsigned char)url.ptr[i] >= 0x7f ||
            url.ptr[i] == '\\')
            return false;
    struct ph_slice host = ph_slice_from(url, scheme.len);
    size_t end = 0;
    while (end < host.len && host.ptr[end] != '/' && host.ptr[end] != '?' && host.ptr[end] != '#')
        end++;
    if (has_dot_segment(ph_slice_from(host, end)))
        return false;
    host.len = end;
    for (uint16_t i = 0; i < fetch->host_count; i++)
        if (ph_slice_eq_nocase(fetch->hosts[i], host))
            return true;
    return false;
}

enum ph_status ph_make_callout(struct ph_run *run, const struct ph_fetch *fetch,
                               const struct ph_callout **ret)
{
    *ret = NULL;
    struct ph_slice url;
    PH_TRY(ph_eval_template(run, &fetch->url, &url));
    if (!url_allowed(fetch, url)) {
        ph_trace(run, PH_S("host not allowed"), ph_slice_present(url) ? url : PH_S("(no address)"));
        return PH_OK;
    }
    struct ph_callout *c = ph_arena_zalloc(run->arena, sizeof(*c));
    struct ph_header *headers =
        ph_arena_zalloc(run->arena, (fetch->header_count + 1u) * sizeof(*headers));
    if (c == NULL || headers == NULL)
        return PH_ERR_NO_MEMORY;
    *c = (struct ph_callout){.kind = fetch->kind,
                             .method = fetch->method.len > 0 ? fetch->method : PH_S("GET"),
                             .url = url,
                             .headers = headers,
                             .result_name = result_name(fetch->kind)};
    for (uint16_t i = 0; i < fetch->header_count; i++) {
        struct ph_header *header = &headers[c->header_count];
        header->name = fetch->headers[i].name;
        PH_TRY(ph_eval_template(run, &fetch->headers[i].value, &header->value));
        /* what is absent is not sent: stripe's Stripe-Context */
        c->header_count += ph_slice_present(header->value);
    }
    if (fetch->body.count > 0)
        PH_TRY(ph_eval_template(run, &fetch->body, &c->body));
    *ret = c;
    return PH_OK;
}
