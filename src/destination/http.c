/* The application, over HTTP: CloudEvents in structured JSON or batches, signed by Standard
 * Webhooks. A client (client/) of its own, so that one application that hangs takes no other's
 * connections (V1 of the dispatcher).
 *
 * What an answer means (RFC 9110, RFC 8470 for 425):
 *   2xx                       accepted
 *   409, 425                  not yet: it does not know the object
 *   408, 429, 5xx, no answer  failed: it is ill or overwhelmed
 *   all others                refused; redirects too, which are not followed: where events go is
 *                             the configuration's affair */
#include <stdio.h>
#include <stdlib.h>

#include "client/client.h"
#include "core/codec.h"
#include "destination/cloudevent.h"
#include "destination/retry_after.h"
#include "destination/standard_webhooks.h"
#include "os/clock.h"
#include "os/heap.h"

enum { HEADERS_MAX = 8 };

struct key {
    struct ph_slice bytes;
    int64_t not_before_ms, not_after_ms;
};

struct http {
    struct ph_destination base; /* first */
    const struct ph_destination_settings *settings;
    struct ph_arena kept;    /* keys and paths; wiped */
    struct ph_arena scratch; /* of one parcel, until the client has its copy */
    struct ph_client *client;
    struct ph_crypto *crypto;
    struct key *keys;
    size_t key_count;
    const char *certificate_file, *key_file;
};

struct sent {
    ph_destination_done *done;
    void *ctx;
    size_t count;
};

/* ---- opening --------------------------------------------------------------------------------- */

static void http_close(struct ph_destination *destination)
{
    struct http *http = (struct http *)destination;
    ph_client_free(http->client);
    ph_crypto_free(http->crypto);
    ph_arena_wipe(&http->kept);
    ph_arena_done(&http->kept);
    ph_arena_done(&http->scratch);
    free(http);
}

/* A path that ends in NUL, or NULL: none. */
static const char *path_of(struct http *http, struct ph_slice path)
{
    return path.len > 0 ? ph_arena_copy(&http->kept, path).ptr : NULL;
}

static enum ph_status take_keys(struct http *http, const struct ph_destination_settings *settings)
{
    http->keys = ph_arena_alloc(&http->kept, (settings->secret_count + 1) * sizeof *http->keys);
    if (http->keys == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < settings->secret_count; i++) {
        const struct ph_destination_secret *secret = &settings->secrets[i];
        struct key key = {.not_before_ms = secret->not_before_ms,
                          .not_after_ms = secret->not_after_ms};
        PH_TRY(ph_standard_webhooks_key(&http->kept, secret->key, &key.bytes));
        http->keys[http->key_count++] = key;
    }
    return PH_OK;
}

static enum ph_status http_open(const struct ph_destination_settings *settings,
                                struct ph_destination **ret)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return PH_ERR_NO_MEMORY;
    http->settings = settings;
    ph_arena_init(&http->kept, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    ph_arena_init(&http->scratch, &ph_os_heap, PH_ARENA_BYTES_MAX, PH_ARENA_KEEP_BYTES);
    struct ph_client_options options = {.ca_file = path_of(http, settings->ca_file)};
    http->certificate_file = path_of(http, settings->certificate_file);
    http->key_file = path_of(http, settings->key_file);
    http->client = ph_client_new(&options);
    http->crypto = ph_crypto_new(&ph_os_heap);
    enum ph_status st = http->client == NULL || http->crypto == NULL || http->kept.ran_out
                            ? PH_ERR_NO_MEMORY
                            : take_keys(http, settings);
    if (st != PH_OK)
        http_close(&http->base);
    else
        *ret = &http->base;
    return st;
}

/* ---- sending --------------------------------------------------------------------------------- */

static size_t keys_at(const struct http *http, int64_t now_ms, struct ph_slice ret[PH_SECRETS_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < http->key_count && count < PH_SECRETS_MAX; i++) {
        const struct key *key = &http->keys[i];
        if ((key->not_before_ms == 0 || key->not_before_ms <= now_ms) &&
            (key->not_after_ms == 0 || now_ms < key->not_after_ms))
            ret[count++] = key->bytes;
    }
    return count;
}

/* A batch is made once and never again as it is, so that its id is that of its first event, and how
 * many there are. */
static enum ph_status id_of(struct http *http, const struct ph_notice *notices, size_t count,
                            struct ph_slice *ret)
{
    struct ph_slice id;
    PH_TRY(ph_standard_webhooks_id(&http->scratch, notices[0].due->event_id, &id));
    if (count > 1) {
        size_t room = id.len + 32;
        char *text = ph_arena_alloc(&http->scratch, room);
        if (text == NULL)
            return PH_ERR_NO_MEMORY;
        int len = snprintf(text, room, "batch:%zu:%.*s", count, (int)id.len, id.ptr);
        id = ph_slice_of(text, (size_t)len);
    }
    *ret = id;
    return PH_OK;
}

struct headers {
    struct ph_header list[HEADERS_MAX];
    size_t count;
};

static void add(struct headers *headers, struct ph_slice name, struct ph_slice value)
{
    if (value.len > 0)
        headers->list[headers->count++] = (struct ph_header){.name = name, .value = value};
}

static enum ph_status sign(struct http *http, const struct ph_notice *notices, size_t count,
                           int64_t now_ms, struct ph_slice body, struct headers *headers)
{
    struct ph_slice keys[PH_SECRETS_MAX], id, timestamp = ph_decimal(&http->scratch, now_ms / 1000),
                                              signature;
    size_t key_count = keys_at(http, now_ms, keys);
    if (!ph_slice_present(timestamp))
        return PH_ERR_NO_MEMORY;
    PH_TRY(id_of(http, notices, count, &id));
    add(headers, PH_S("webhook-id"), id);
    add(headers, PH_S("webhook-timestamp"), timestamp);
    if (key_count ==
        0) /* the configuration has no secret, which it is told at the start; or all have ended */
        return http->key_count == 0 ? PH_OK : PH_ERR_NOT_FOUND;
    PH_TRY(ph_standard_webhooks_sign(http->crypto, &http->scratch, keys, key_count, id, timestamp,
                                     body, &signature));
    add(headers, PH_S("webhook-signature"), signature);
    return PH_OK;
}

static enum ph_told told_of(int status)
{
    if (status >= 200 && status < 300)
        return PH_TOLD_ACCEPTED;
    if (status == 409 || status == 425)
        return PH_TOLD_NOT_YET;
    return status == 408 || status == 429 || status >= 500 ? PH_TOLD_FAILED : PH_TOLD_REFUSED;
}

static struct ph_slice reason_of(const struct ph_client_response *response, char *room,
                                 size_t bytes)
{
    if (response->result != PH_CLIENT_ANSWERED)
        return response->reason;
    const char *more = response->status >= 300 && response->status < 400
                           ? ", a redirect, which is not followed"
                           : "";
    int len = snprintf(room, bytes, "answered %d%s", response->status, more);
    return ph_slice_of(room, (size_t)len);
}

/* On the client's thread. */
static void answered(void *ctx, const struct ph_client_response *response)
{
    struct sent *sent = ctx;
    char room[64];
    struct ph_outcome outcome = {.elapsed_ms = response->elapsed_ms, .status = response->status};
    if (response->result == PH_CLIENT_ANSWERED)
        outcome.told = told_of(response->status);
    else
        outcome.told = response->result == PH_CLIENT_STOPPED ? PH_TOLD_RETURNED : PH_TOLD_FAILED;
    if (outcome.told == PH_TOLD_ACCEPTED) {
        outcome.accepted = sent->count;
    } else {
        outcome.reason = reason_of(response, room, sizeof room);
        outcome.retry_after_ms =
            ph_retry_after_ms(ph_client_header(response, PH_S("retry-after")), ph_os_unix_ms());
    }
    sent->done(sent->ctx, &outcome);
    free(sent);
}

static enum ph_status submit(struct http *http, const struct headers *headers, struct ph_slice body,
                             struct sent *sent)
{
    const struct ph_destination_settings *settings = http->settings;
    struct ph_client_request request = {
        .method = PH_S("POST"),
        .url = settings->url,
        .headers = headers->list,
        .header_count = headers->count,
        .body = body,
        .connect_ms = settings->connect_ms,
        .total_ms = settings->total_ms,
        .response_bytes_max = PH_DELIVERY_RESPONSE_BYTES_MAX,
        .allow_private = settings->allow_private,
        .certificate_file = http->certificate_file,
        .key_file = http->key_file,
    };
    return ph_client_submit(http->client, &request, answered, sent);
}

/* It came with a webhook: a line break in it would make the request one that cannot be sent. */
static bool is_traceparent(struct ph_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr("0123456789abcdef-", text.ptr[i]) == NULL || text.ptr[i] == '\0')
            return false;
    return true;
}

static enum ph_status http_send(struct ph_destination *destination, const struct ph_notice *notices,
                                size_t count, int64_t now_ms, ph_destination_done *done, void *ctx)
{
    struct http *http = (struct http *)destination;
    struct headers headers = {.count = 0};
    struct ph_slice body;
    bool batch = http->settings->batches;
    ph_arena_reset(&http->scratch);
    add(&headers, PH_S("Content-Type"),
        batch ? PH_S("application/cloudevents-batch+json; charset=utf-8")
              : PH_S("application/cloudevents+json; charset=utf-8"));
    add(&headers, PH_S("User-Agent"), http->settings->agent);
    if (count == 1 && is_traceparent(notices[0].due->trace))
        add(&headers, PH_S("traceparent"), notices[0].due->trace);
    PH_TRY(ph_cloudevent_json(&http->scratch, notices, count, batch, &body));
    PH_TRY(sign(http, notices, count, now_ms, body, &headers));
    struct sent *sent = malloc(sizeof *sent);
    if (sent == NULL)
        return PH_ERR_NO_MEMORY;
    *sent = (struct sent){.done = done, .ctx = ctx, .count = count};
    enum ph_status st = submit(http, &headers, body, sent);
    if (st != PH_OK)
        free(sent);
    return st;
}

static const struct ph_slice schemes[] = {PH_SI("http"), PH_SI("https")};

const struct ph_destination_kind ph_destination_http = {.schemes = schemes,
                                                        .scheme_count = PH_COUNTOF(schemes),
                                                        .open = http_open,
                                                        .send = http_send,
                                                        .close = http_close};
