#include "delivery/lane_settings.h"

#include <stdlib.h>

#include "crypto/crypto.h"
#include "os/heap.h"

/* The texts of a destination, for both copying and comparing: a text that is added is added here.
 */
#define TEXTS(X)                                                                                   \
    X(name)                                                                                        \
    X(settings.url)                                                                                \
    X(settings.ca_file)                                                                            \
    X(settings.certificate_file)                                                                   \
    X(settings.key_file)                                                                           \
    X(settings.files_content)                                                                      \
    X(settings.stream)                                                                             \
    X(settings.username)                                                                           \
    X(settings.password)                                                                           \
    X(settings.agent)
#define NUMBERS(X)                                                                                 \
    X(number)                                                                                      \
    X(settings.allow_private)                                                                      \
    X(settings.connect_ms)                                                                         \
    X(settings.total_ms)                                                                           \
    X(settings.secret_count)                                                                       \
    X(settings.batches)                                                                            \
    X(settings.stream_length)                                                                      \
    X(retry.after_count)                                                                           \
    X(retry.every_ms)                                                                              \
    X(retry.for_ms)                                                                                \
    X(retry.park_ms)                                                                               \
    X(concurrency)                                                                                 \
    X(rate)                                                                                        \
    X(batch)                                                                                       \
    X(ordered)

static void copy_text(struct ph_arena *arena, struct ph_slice *text)
{
    if (ph_slice_present(*text))
        *text = ph_arena_copy(arena, *text);
}

static void copy_lists(struct ph_arena *arena, struct ph_dispatcher_destination *d)
{
    size_t count = d->settings.secret_count, waits = d->retry.after_count;
    struct ph_destination_secret *secrets = ph_arena_alloc(arena, (count + 1) * sizeof *secrets);
    int64_t *after_ms = ph_arena_alloc(arena, (waits + 1) * sizeof *after_ms);
    if (secrets == NULL || after_ms == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        secrets[i] = d->settings.secrets[i];
        copy_text(arena, &secrets[i].key);
    }
    for (size_t i = 0; i < waits; i++)
        after_ms[i] = d->retry.after_ms[i];
    d->settings.secrets = secrets;
    d->retry.after_ms = after_ms;
}

struct ph_lane_settings *ph_lane_settings_copy(const struct ph_dispatcher_destination *d)
{
    struct ph_lane_settings *settings = calloc(1, sizeof *settings);
    if (settings == NULL)
        return NULL;
    ph_arena_init(&settings->arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    settings->d = *d;
#define COPY(member) copy_text(&settings->arena, &settings->d.member);
    TEXTS(COPY)
#undef COPY
    copy_lists(&settings->arena, &settings->d);
    if (!settings->arena.ran_out)
        return settings;
    ph_lane_settings_free(settings);
    return NULL;
}

void ph_lane_settings_free(struct ph_lane_settings *settings)
{
    if (settings == NULL)
        return;
    ph_arena_wipe(&settings->arena);
    ph_arena_done(&settings->arena);
    free(settings);
}

static bool same_secret(const struct ph_destination_secret *a,
                        const struct ph_destination_secret *b)
{
    return ph_crypto_equal(a->key, b->key) && a->not_before_ms == b->not_before_ms &&
           a->not_after_ms == b->not_after_ms;
}

bool ph_lane_settings_same(const struct ph_dispatcher_destination *a,
                           const struct ph_dispatcher_destination *b)
{
    bool same = true;
#define COMPARE(member) same = same && ph_crypto_equal(a->member, b->member);
    TEXTS(COMPARE)
#undef COMPARE
#define COMPARE(member) same = same && a->member == b->member;
    NUMBERS(COMPARE)
#undef COMPARE
    for (size_t i = 0; same && i < a->settings.secret_count; i++)
        same = same_secret(&a->settings.secrets[i], &b->settings.secrets[i]);
    for (size_t i = 0; same && i < a->retry.after_count; i++)
        same = a->retry.after_ms[i] == b->retry.after_ms[i];
    return same;
}
