#include "gateway/view.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/mask.h"
#include "wire/json_pool.h"

struct ph_view *ph_view_ref(struct ph_view *view)
{
    atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
    return view;
}

void ph_view_unref(struct ph_view *view)
{
    if (view == NULL || atomic_fetch_sub_explicit(&view->refs, 1, memory_order_acq_rel) > 1)
        return;
    ph_config_free(view->config);
    if (view->pages != NULL)
        ph_arena_done(view->pages);
    free(view->pages);
    free(view);
}

/* ---- destinations ---------------------------------------------------------------------------- */

/* The words of both are the same numbers, by design. */
_Static_assert((int)PH_TELL_VERIFIED == (int)PH_SELECT_VERIFIED &&
                   (int)PH_TELL_UNSIGNED == (int)PH_SELECT_UNSIGNED &&
                   (int)PH_TELL_UNSUPPORTED == (int)PH_SELECT_UNSUPPORTED &&
                   (int)PH_TELL_LIVE == (int)PH_SELECT_LIVE &&
                   (int)PH_TELL_TEST == (int)PH_SELECT_TEST &&
                   (int)PH_TELL_UNKNOWN == (int)PH_SELECT_UNKNOWN,
               "a configuration's bits are the selection's");

static const struct ph_config_destination *destination_named(const struct ph_config *config,
                                                             struct ph_slice name)
{
    for (size_t i = 0; i < config->destinations.count; i++)
        if (ph_slice_eq(config->destinations.items[i].entry.name, name))
            return &config->destinations.items[i];
    return NULL;
}

static bool has_name(const struct ph_view *view, struct ph_slice name)
{
    for (size_t i = 0; i < view->destination_count; i++)
        if (ph_slice_eq(view->names[i], name))
            return true;
    return false;
}

static bool add(struct ph_view *view, const struct ph_config_destination *d)
{
    size_t bit = view->destination_count;
    if (bit == PH_DESTINATIONS_MAX)
        return false;
    view->destination_count++;
    view->destinations[bit] = d;
    view->selections[bit].off = d == NULL;
    if (d == NULL)
        return true;
    view->names[bit] = d->entry.name;
    view->selections[bit] = (struct ph_selection){
        .events = d->events.items,
        .event_count = d->events.count,
        .connectors = d->connectors.items,
        .connector_count = d->connectors.count,
        .verdicts = d->verdicts,
        .modes = d->modes,
        .currency = d->amount.currency,
        .least = d->amount.least,
        .most = d->amount.most,
        .once_per_effect = d->once_per == PH_ONCE_PER_EFFECT,
    };
    return true;
}

/* A name keeps its bit, and a bit whose name is gone is not given to another. */
static bool add_destinations(struct ph_view *view, const struct ph_view *before)
{
    const struct ph_config *config = view->config;
    for (size_t i = 0; before != NULL && i < before->destination_count; i++)
        if (!add(view,
                 before->names[i].len > 0 ? destination_named(config, before->names[i]) : NULL))
            return false;
    for (size_t i = 0; i < config->destinations.count; i++)
        if (!has_name(view, config->destinations.items[i].entry.name) &&
            !add(view, &config->destinations.items[i]))
            return false;
    return true;
}

struct ph_view *ph_view_new(const struct ph_config *config, struct ph_arena *pages,
                            const struct ph_view *before)
{
    struct ph_view *view = calloc(1, sizeof *view);
    if (view == NULL) {
        ph_config_free(config);
        ph_arena_done(pages);
        free(pages);
        return NULL;
    }
    atomic_init(&view->refs, 1);
    view->config = config;
    view->pages = pages;
    if (add_destinations(view, before))
        return view;
    ph_view_unref(view);
    return NULL;
}

uint64_t ph_view_pick(const struct ph_view *view, const struct ph_config_endpoint *endpoint,
                      const struct ph_inbox_event *event, uint64_t *ret_once)
{
    static const enum ph_mode modes[] = {[PH_CONFIG_MODE_ANY] = PH_MODE_UNSPECIFIED,
                                         [PH_CONFIG_MODE_LIVE] = PH_LIVE,
                                         [PH_CONFIG_MODE_TEST] = PH_TEST};
    return ph_selection_pick(view->selections, view->destination_count, event, endpoint->connector,
                             modes[endpoint->mode], ret_once);
}

/* ---- an endpoint's request ------------------------------------------------------------------- */

static struct ph_slice header_of(const struct ph_request *request, struct ph_slice name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (ph_slice_eq_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return (struct ph_slice){0};
}

/* The text, or the number as written, that a pointer leads to. */
static struct ph_slice member_of(struct ph_slice body, struct ph_slice pointer,
                                 struct ph_arena *arena)
{
    const yyjson_alc memory = ph_json_pool(arena);
    yyjson_doc *doc =
        yyjson_read_opts((char *)body.ptr, body.len, YYJSON_READ_NUMBER_AS_RAW, &memory, NULL);
    yyjson_val *value = doc != NULL ? yyjson_doc_ptr_getn(doc, pointer.ptr, pointer.len) : NULL;
    if (yyjson_is_str(value))
        return ph_slice_of(yyjson_get_str(value), yyjson_get_len(value));
    return yyjson_is_raw(value) ? ph_slice_of(yyjson_get_raw(value), yyjson_get_len(value))
                                : (struct ph_slice){0};
}

static bool find_keys(const struct ph_config_endpoint *endpoint, const struct ph_request *request,
                      const struct ph_config_reading *reading, struct ph_arena *arena,
                      struct ph_view_keys *ret)
{
    const struct ph_config_secret *secrets = endpoint->secrets.items;
    size_t secret_count = endpoint->secrets.count, which[PH_SECRETS_MAX];
    struct ph_slice header = PH_S("header:");
    ret->account = ret->secret_of = ret->named = (struct ph_slice){0};
    ret->values = endpoint->values.items;
    ret->value_count = endpoint->values.count;
    if (ph_slice_present(endpoint->by)) {
        struct ph_slice name = ph_slice_starts(endpoint->by, header)
                                   ? header_of(request, ph_slice_from(endpoint->by, header.len))
                                   : member_of(request->body, endpoint->by, arena);
        ret->named = name;
        const struct ph_config_account *account =
            name.len > 0 ? ph_config_account_find(endpoint, name) : NULL;
        if (account == NULL)
            return false;
        ret->account = account->entry.name;
        ret->values = account->values.items;
        ret->value_count = account->values.count;
        if (account->secrets.count > 0) {
            secrets = account->secrets.items;
            secret_count = account->secrets.count;
            ret->secret_of = ret->account;
        }
    }
    ret->count = ph_config_secrets_for(secrets, secret_count, reading, ret->pairs, which);
    for (size_t i = 0; i < ret->count; i++)
        ret->names[i] = secrets[which[i]].secret.from;
    return true;
}

bool ph_view_keys_for(const struct ph_config_endpoint *endpoint, const struct ph_request *request,
                      int64_t now_ms, struct ph_arena *arena, struct ph_view_keys *ret)
{
    const struct ph_config_reading reading = {.received_ms = now_ms, .now_ms = now_ms};
    return find_keys(endpoint, request, &reading, arena, ret);
}

bool ph_view_keys_again(const struct ph_config_endpoint *endpoint,
                        const struct ph_inbox_request *kept, int64_t now_ms, struct ph_arena *arena,
                        struct ph_view_keys *ret)
{
    const struct ph_request request = {
        .headers = kept->headers, .header_count = kept->header_count, .body = kept->body};
    const struct ph_config_reading reading = {
        .received_ms = kept->received_ms, .now_ms = now_ms, .verified_by = kept->secret};
    return find_keys(endpoint, &request, &reading, arena, ret);
}

struct ph_slice ph_view_matched(const struct ph_view_keys *keys, const struct ph_answer *answer)
{
    for (size_t i = 0; i < answer->event_count; i++)
        if (answer->events[i].matched_secret > 0)
            return keys->names[answer->events[i].matched_secret - 1];
    return (struct ph_slice){0};
}

struct ph_slice ph_view_no_account(const struct ph_config_endpoint *endpoint, struct ph_slice named,
                                   struct ph_arena *arena)
{
    enum { LOOKED_AT = 200, SHOWN = 40, BY_SHOWN = 80, TEXT_BYTES = 256 };
    char *text = ph_arena_alloc(arena, TEXT_BYTES), printable[LOOKED_AT], shown[LOOKED_AT];
    size_t by_len = endpoint->by.len < BY_SHOWN ? endpoint->by.len : BY_SHOWN,
           len = named.len < LOOKED_AT ? named.len : LOOKED_AT;
    if (text == NULL)
        return PH_S("the request names no account of this endpoint");
    for (size_t i = 0; i < len; i++)
        printable[i] =
            named.ptr[i] >= ' ' && named.ptr[i] < 0x7f && named.ptr[i] != '"' ? named.ptr[i] : '?';
    /* before it is cut: half a card number is one, too */
    len = ph_mask_words(ph_slice_of(printable, len), shown);
    int written = len == 0 ? snprintf(text, TEXT_BYTES, "the request names no account (by %.*s)",
                                      (int)by_len, endpoint->by.ptr)
                           : snprintf(text, TEXT_BYTES,
                                      "no account of this endpoint is called \"%.*s%s\" (by %.*s)",
                                      (int)(len < SHOWN ? len : SHOWN), shown,
                                      len > SHOWN ? "..." : "", (int)by_len, endpoint->by.ptr);
    return ph_slice_of(text, (size_t)written);
}
