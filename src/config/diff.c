/* What a reload changes, row by row. */
#include "config/settings.h"
#include "crypto/crypto.h"

struct differ {
    struct ph_arena *arena;
    struct ph_config_change *list;
    size_t count, room;
    bool restart, no_memory;
};

static struct ph_slice join(struct differ *d, struct ph_slice a, struct ph_slice b)
{
    char *out = ph_arena_alloc(d->arena, a.len + b.len + 1);
    d->no_memory = d->no_memory || out == NULL;
    if (out == NULL)
        return PH_S("");
    if (a.len > 0)
        memcpy(out, a.ptr, a.len);
    if (b.len > 0)
        memcpy(out + a.len, b.ptr, b.len);
    return ph_slice_of(out, a.len + b.len);
}

static void add(struct differ *d, struct ph_slice path, enum ph_config_how how, bool restart)
{
    if (d->count == d->room) {
        size_t room = d->room * 2 + 16;
        struct ph_config_change *list = ph_arena_alloc(d->arena, room * sizeof *list);
        d->no_memory = d->no_memory || list == NULL;
        if (list == NULL)
            return;
        if (d->count > 0)
            memcpy(list, d->list, d->count * sizeof *list);
        d->list = list;
        d->room = room;
    }
    d->list[d->count++] = (struct ph_config_change){.path = path, .how = how, .restart = restart};
    d->restart = d->restart || restart;
}

/* ---- whether two values are the same --------------------------------------------------------- */

static bool same_key(const struct ph_config_key *a, const struct ph_config_key *b)
{
    return ph_slice_eq(a->from, b->from) && a->value.len == b->value.len &&
           (a->value.len == 0 || ph_crypto_equal(a->value, b->value));
}

static bool same_scope(enum ph_scope which, const void *a, const void *b);

static bool same_item(const struct ph_setting *row, const void *a, const void *b, size_t i)
{
    size_t bytes =
        row->kind == PH_SET_LIST || row->kind == PH_SET_NAMED ? ph_scopes[row->of].bytes : 0;
    const struct ph_config_member *fa = a, *fb = b;
    const struct ph_network *na = a, *nb = b;
    switch (row->kind) {
    case PH_SET_TEXTS:
        return ph_slice_eq(((const struct ph_slice *)a)[i], ((const struct ph_slice *)b)[i]);
    case PH_SET_DURATIONS:
        return ((const int64_t *)a)[i] == ((const int64_t *)b)[i];
    case PH_SET_NETWORKS:
        return na[i].bits == nb[i].bits &&
               memcmp(na[i].address, nb[i].address, sizeof na[i].address) == 0;
    case PH_SET_FIELDS:
        return ph_slice_eq(fa[i].name, fb[i].name) && same_key(&fa[i].key, &fb[i].key);
    default:
        return same_scope(row->of, (const char *)a + i * bytes, (const char *)b + i * bytes);
    }
}

static bool same_many(const struct ph_setting *row, struct ph_many a, struct ph_many b)
{
    bool same = a.count == b.count;
    for (size_t i = 0; same && i < a.count; i++)
        same = same_item(row, a.items, b.items, i);
    return same;
}

static bool same_value(const struct ph_setting *row, const void *old, const void *now)
{
    const void *a = ph_setting_in(row, old), *b = ph_setting_in(row, now);
    switch (row->kind) {
    case PH_SET_TEXT:
    case PH_SET_PATH:
    case PH_SET_LISTEN:
    case PH_SET_URL:
        return ph_slice_eq(*(const struct ph_slice *)a, *(const struct ph_slice *)b);
    case PH_SET_WORD:
    case PH_SET_BITS:
        return memcmp(a, b, sizeof(int32_t)) == 0;
    case PH_SET_FLAG:
        return *(const bool *)a == *(const bool *)b;
    case PH_SET_COUNT:
    case PH_SET_SIZE:
    case PH_SET_DURATION:
    case PH_SET_TIME:
        return *(const int64_t *)a == *(const int64_t *)b;
    case PH_SET_KEY:
        return same_key(a, b);
    default:
        return same_many(row, ph_setting_many(row, old), ph_setting_many(row, now));
    }
}

static bool same_scope(enum ph_scope which, const void *a, const void *b)
{
    bool same = ph_slice_eq(((const struct ph_config_entry *)a)->name,
                            ((const struct ph_config_entry *)b)->name);
    for (size_t i = 0; same && i < ph_scopes[which].count; i++)
        same = same_value(&ph_scopes[which].rows[i], a, b);
    return same;
}

/* ---- telling them ---------------------------------------------------------------------------- */

static void diff_scope(struct differ *d, enum ph_scope which, const void *old, const void *now);

static const void *of_name(enum ph_scope which, struct ph_many many, struct ph_slice name)
{
    for (size_t i = 0; i < many.count; i++) {
        const struct ph_config_entry *entry =
            (const void *)((const char *)many.items + i * ph_scopes[which].bytes);
        if (ph_slice_eq(entry->name, name))
            return entry;
    }
    return NULL;
}

static void diff_named(struct differ *d, const struct ph_setting *row, struct ph_many old,
                       struct ph_many now)
{
    size_t bytes = ph_scopes[row->of].bytes;
    for (size_t i = 0; i < old.count; i++) {
        const struct ph_config_entry *entry = (const void *)((const char *)old.items + i * bytes);
        const void *other = of_name(row->of, now, entry->name);
        if (other == NULL)
            add(d, ph_slice_of(entry->path.ptr, entry->path.len - 1), PH_CHANGE_REMOVED,
                row->restart);
        else
            diff_scope(d, row->of, entry, other);
    }
    for (size_t i = 0; i < now.count; i++) {
        const struct ph_config_entry *entry = (const void *)((const char *)now.items + i * bytes);
        if (of_name(row->of, old, entry->name) == NULL)
            add(d, ph_slice_of(entry->path.ptr, entry->path.len - 1), PH_CHANGE_ADDED,
                row->restart);
    }
}

/* Files of the same names that hold something else. A listener reads its own again whatever
 * happens. */
static void diff_files(struct differ *d, const struct ph_config_destination *old,
                       const struct ph_config_destination *now)
{
    bool same_names = ph_slice_eq(old->tls.certificate, now->tls.certificate) &&
                      ph_slice_eq(old->tls.key, now->tls.key) &&
                      ph_slice_eq(old->tls.ca, now->tls.ca);
    if (same_names && !ph_slice_eq(old->tls.content, now->tls.content))
        add(d, join(d, now->entry.path, PH_S("tls")), PH_CHANGE_CHANGED, false);
}

static void diff_scope(struct differ *d, enum ph_scope which, const void *old, const void *now)
{
    for (size_t i = 0; i < ph_scopes[which].count; i++) {
        const struct ph_setting *row = &ph_scopes[which].rows[i];
        if (row->kind == PH_SET_NAMED)
            diff_named(d, row, ph_setting_many(row, old), ph_setting_many(row, now));
        else if (!same_value(row, old, now))
            add(d, join(d, ((const struct ph_config_entry *)now)->path, ph_slice_str(row->key)),
                PH_CHANGE_CHANGED, row->restart);
    }
    if (which == PH_IN_DESTINATION)
        diff_files(d, old, now);
}

enum ph_status ph_config_diff(const struct ph_config *old, const struct ph_config *now,
                              struct ph_arena *arena, struct ph_config_changes *ret)
{
    struct differ d = {.arena = arena};
    diff_scope(&d, PH_IN_CONFIG, old, now);
    if (d.no_memory)
        return PH_ERR_NO_MEMORY;
    *ret = (struct ph_config_changes){.list = d.list, .count = d.count, .restart = d.restart};
    return PH_OK;
}

/* ---- what waits for a restart ---------------------------------------------------------------- */

/* Each is a row of the outermost scope, with a value that is no list and no secret: a test says so.
 */
static void keep_value(const struct ph_setting *row, const struct ph_config *config,
                       struct ph_config *kept, struct ph_arena *arena)
{
    const void *from = ph_setting_in(row, config);
    char *to = (char *)kept + row->offset;
    switch (row->kind) {
    case PH_SET_TEXT:
    case PH_SET_PATH:
    case PH_SET_LISTEN:
    case PH_SET_URL: {
        struct ph_slice text = *(const struct ph_slice *)from;
        if (ph_slice_present(text))
            text = ph_arena_copy(arena, text);
        memcpy(to, &text, sizeof text);
        break;
    }
    case PH_SET_WORD:
    case PH_SET_BITS:
        memcpy(to, from, sizeof(int32_t));
        break;
    case PH_SET_FLAG:
        memcpy(to, from, sizeof(bool));
        break;
    default:
        memcpy(to, from, sizeof(int64_t));
        break;
    }
}

const struct ph_config *ph_config_keep_restart(const struct ph_config *config,
                                               struct ph_arena *arena)
{
    struct ph_config *kept = ph_arena_zalloc(arena, sizeof *kept);
    for (size_t i = 0; kept != NULL && i < ph_scopes[PH_IN_CONFIG].count; i++)
        if (ph_scopes[PH_IN_CONFIG].rows[i].restart)
            keep_value(&ph_scopes[PH_IN_CONFIG].rows[i], config, kept, arena);
    return arena->ran_out ? NULL : kept;
}

enum ph_status ph_config_restart_diff(const struct ph_config *kept, const struct ph_config *now,
                                      struct ph_arena *arena, struct ph_config_changes *ret)
{
    struct differ d = {.arena = arena};
    for (size_t i = 0; i < ph_scopes[PH_IN_CONFIG].count; i++) {
        const struct ph_setting *row = &ph_scopes[PH_IN_CONFIG].rows[i];
        if (row->restart && !same_value(row, kept, now))
            add(&d, join(&d, now->entry.path, ph_slice_str(row->key)), PH_CHANGE_CHANGED, true);
    }
    if (d.no_memory)
        return PH_ERR_NO_MEMORY;
    *ret = (struct ph_config_changes){.list = d.list, .count = d.count, .restart = d.restart};
    return PH_OK;
}
