#include <assert.h>

#include "gateway/mask_private.h"

enum { DEPTH_MAX = 4, FIRST_ROOM = 1024 };

void ph_mask_put(struct ph_mask_out *out, struct ph_slice bytes)
{
    if (out->failed || bytes.len == 0)
        return;
    if (out->room - out->len < bytes.len) {
        assert(out->arena != NULL); /* ph_mask_words: what is masked is never longer */
        size_t room = (out->len + bytes.len) * 2 + FIRST_ROOM;
        char *more = ph_arena_alloc(out->arena, room);
        if (more == NULL) {
            out->failed = true;
            return;
        }
        if (out->len > 0)
            memcpy(more, out->ptr, out->len);
        out->ptr = more;
        out->room = room;
    }
    memcpy(out->ptr + out->len, bytes.ptr, bytes.len);
    out->len += bytes.len;
}

static struct ph_slice end(const struct ph_mask_out *out)
{
    if (out->failed)
        return (struct ph_slice){0};
    return ph_slice_of(out->ptr != NULL ? out->ptr : "", out->len);
}

static char first_of(struct ph_slice text)
{
    struct ph_slice rest = ph_slice_trim(text);
    return rest.len > 0 ? rest.ptr[0] : '\0';
}

bool ph_mask_is_document(struct ph_slice text)
{
    char c = first_of(text);
    return c == '{' || c == '[' || c == '<';
}

static bool is_form(struct ph_slice text)
{
    return ph_slice_find(text, PH_S("="), 0) != SIZE_MAX &&
           ph_slice_find(text, PH_S(" "), 0) == SIZE_MAX;
}

void ph_mask_document(struct ph_mask_out *out, struct ph_slice text)
{
    char c = first_of(text);
    if (out->depth == DEPTH_MAX) {
        ph_mask_put(out, PH_MASK_STARS); /* nobody nests so deep in good faith */
        return;
    }
    out->depth++;
    if (c == '{' || c == '[' || c == '"')
        ph_mask_json(out, text);
    else if (c == '<')
        ph_mask_xml(out, text);
    else if (is_form(text))
        ph_mask_form(out, text);
    else if (ph_mask_is_encoded(text))
        ph_mask_put(out, PH_MASK_STARS);
    else
        ph_mask_value(out, text);
    out->depth--;
}

struct ph_slice ph_mask_text(struct ph_arena *arena, struct ph_slice text)
{
    struct ph_mask_out out = {.arena = arena};
    ph_mask_document(&out, text);
    return end(&out);
}

size_t ph_mask_words(struct ph_slice text, char *to)
{
    struct ph_mask_out out = {.ptr = to, .room = text.len};
    ph_mask_value(&out, text);
    return out.len;
}

struct ph_slice ph_mask_uri(struct ph_arena *arena, struct ph_slice uri)
{
    struct ph_mask_out out = {.arena = arena};
    size_t query = ph_slice_find(uri, PH_S("?"), 0);
    ph_mask_value(&out, ph_slice_of(uri.ptr, query == SIZE_MAX ? uri.len : query));
    if (query != SIZE_MAX) {
        ph_mask_put_byte(&out, '?');
        ph_mask_form(&out, ph_slice_from(uri, query + 1));
    }
    return end(&out);
}

struct ph_slice ph_mask_header(struct ph_arena *arena, struct ph_slice name, struct ph_slice value)
{
    struct ph_mask_out out = {.arena = arena};
    if (value.len > 0 && (ph_mask_is_secret(name) || ph_mask_hides(name)))
        ph_mask_put(&out, PH_MASK_STARS);
    else
        ph_mask_value(&out, value);
    return end(&out);
}

struct ph_slice ph_mask_url(struct ph_arena *arena, struct ph_slice url)
{
    struct ph_mask_out out = {.arena = arena};
    size_t scheme = ph_slice_find(url, PH_S("://"), 0), host = scheme == SIZE_MAX ? 0 : scheme + 3,
           stop = host;
    while (stop < url.len && url.ptr[stop] != '/' && url.ptr[stop] != '?' && url.ptr[stop] != '#')
        stop++;
    ph_mask_put(&out, ph_slice_of(url.ptr, host));
    for (size_t i = stop; i > host; i--)
        if (url.ptr[i - 1] == '@') {
            host = i;
            break;
        }
    while (stop < url.len && url.ptr[stop] != '?' && url.ptr[stop] != '#')
        stop++;
    ph_mask_put(&out, ph_slice_of(url.ptr + host, stop - host));
    return end(&out);
}
