/* Keys: which event has one, and who comes again.
 *
 * A key's place in `keys` is anywhere: a batch of fifty webhooks would change thirty pages of that
 * table, each to be logged and copied. So keys that STORE takes wait in memory, their events' rows
 * hold them meanwhile (`digest`), and they go to `keys` in their order, some with each batch: keys
 * of one page go together.
 *
 * K1: an event from figures.keys_from on whose `digest` is not NULL has a key that may not be in
 * `keys` yet; all other keys are there. Event and key are one transaction either way (G3). K2: a
 * key waits from its STORE until anything else is done with it or its event: a notice that comes
 * again, JUDGE, forgetting. K3: after a rollback nothing of what waits in memory is believed: the
 * next transaction, or the first after the file was opened, begins with all that the rows still
 * hold. */
#include <stdlib.h>

#include "inbox/inbox_private.h"

/* One that waits. */
struct waiting {
    struct ph_slice key; /* in its generation's texts */
    int64_t event, seen_ms;
    unsigned char digest[PH_KEY_DIGEST_BYTES];
    bool moved; /* to `keys` */
};

enum { SLOTS = 2 * PH_INBOX_KEYS_WAITING };

/* Keys that came one after the other. */
struct generation {
    struct waiting keys[PH_INBOX_KEYS_WAITING];
    uint16_t slots[SLOTS]; /* by hash: an index in `keys` and 1; 0: none */
    size_t count, text_len;
    char texts[PH_INBOX_KEYS_WAITING_BYTES];
};

struct ph_waiting_keys {
    struct generation generations[2], *filling, *leaving; /* leaving NULL: none is */
    struct waiting *order[PH_INBOX_KEYS_WAITING];         /* of `leaving`, by key */
    size_t left;                                          /* of `order` these are done */
    size_t most;                                          /* of a generation */
    bool is_behind;                                       /* K3 */
};

static struct ph_slice digest_of(const struct ph_inbox_event *event)
{
    return ph_slice_of(event->digest, PH_KEY_DIGEST_BYTES);
}

/* ---- those that wait ------------------------------------------------------------------------- */

/* Who holds a secret may choose keys that meet in one slot: then all of a generation are looked
 * through, which is bounded. */
static size_t slot_of(struct ph_slice key)
{
    uint64_t h = ph_slice_hash(PH_HASH_START, key);
    return (size_t)(h ^ h >> 32) % SLOTS;
}

static struct waiting *find_in(struct generation *g, struct ph_slice key)
{
    if (g == NULL || g->count == 0)
        return NULL;
    for (size_t slot = slot_of(key); g->slots[slot] != 0; slot = (slot + 1) % SLOTS) {
        struct waiting *w = &g->keys[g->slots[slot] - 1];
        if (!w->moved && ph_slice_eq(w->key, key))
            return w;
    }
    return NULL;
}

static struct waiting *find(struct ph_waiting_keys *k, struct ph_slice key)
{
    struct waiting *found = find_in(k->filling, key);
    return found != NULL ? found : find_in(k->leaving, key);
}

static void clear(struct generation *g)
{
    g->count = g->text_len = 0;
    memset(g->slots, 0, sizeof g->slots);
}

static int by_key(const void *a, const void *b)
{
    struct ph_slice x = (*(struct waiting *const *)a)->key, y = (*(struct waiting *const *)b)->key;
    int order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);
    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

/* What has filled leaves, the other fills. */
static void turn(struct ph_waiting_keys *k)
{
    struct generation *full = k->filling;
    k->filling = full == &k->generations[0] ? &k->generations[1] : &k->generations[0];
    clear(k->filling);
    k->leaving = full;
    k->left = 0;
    for (size_t i = 0; i < full->count; i++)
        k->order[i] = &full->keys[i];
    qsort(k->order, full->count, sizeof k->order[0], by_key);
}

static bool has_room(const struct ph_waiting_keys *k, struct ph_slice key)
{
    const struct generation *g = k->filling;
    return g->count < k->most && g->text_len + key.len <= sizeof g->texts;
}

/* False: there is no room, it must go to `keys` at once. */
static bool let_wait(struct ph_inbox *inbox, const struct ph_inbox_event *event, int64_t id)
{
    struct ph_waiting_keys *k = inbox->waiting_keys;
    if (!has_room(k, event->dedupe_key) && k->leaving == NULL)
        turn(k);
    if (!has_room(k, event->dedupe_key))
        return false;
    struct generation *g = k->filling;
    struct waiting *w = &g->keys[g->count++];
    memcpy(g->texts + g->text_len, event->dedupe_key.ptr, event->dedupe_key.len);
    *w = (struct waiting){.key = ph_slice_of(g->texts + g->text_len, event->dedupe_key.len),
                          .event = id,
                          .seen_ms = inbox->now_ms};
    g->text_len += w->key.len;
    memcpy(w->digest, event->digest, sizeof w->digest);
    size_t slot = slot_of(w->key);
    while (g->slots[slot] != 0)
        slot = (slot + 1) % SLOTS;
    g->slots[slot] = (uint16_t)g->count;
    inbox->keys_let_wait++;
    return true;
}

/* ---- their way to `keys` --------------------------------------------------------------------- */

static enum ph_status move(struct ph_inbox *inbox, struct waiting *w)
{
    if (w->moved)
        return PH_OK;
    PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_KEY_TAKE, ph_sql_text(w->key), ph_sql_int(w->event),
                      ph_sql_int(w->seen_ms),
                      ph_sql_blob(ph_slice_of(w->digest, sizeof w->digest))));
    w->moved = true;
    return PH_OK;
}

/* Up to `max` of those that are leaving. */
static enum ph_status move_some(struct ph_inbox *inbox, size_t max)
{
    struct ph_waiting_keys *k = inbox->waiting_keys;
    for (; max > 0 && k->left < k->leaving->count; max--, k->left++)
        PH_TRY(move(inbox, k->order[k->left]));
    if (k->left < k->leaving->count)
        return PH_OK;
    /* Items of one request come in any order, and may be divided between two generations. */
    int64_t request = k->filling->count > 0 ? k->filling->keys[0].event / PH_INBOX_ITEMS_MAX
                                            : inbox->figures.next_request;
    inbox->figures.keys_from = ph_event_id(request, 0);
    inbox->figures_touched = true;
    k->leaving = NULL;
    return PH_OK;
}

enum ph_status ph_keys_move(struct ph_inbox *inbox, size_t ops)
{
    struct ph_waiting_keys *k = inbox->waiting_keys;
    size_t max = ops == 0 ? PH_INBOX_KEYS_MOVED_IDLE
                          : 2 * ops + PH_INBOX_KEYS_MOVED_MIN; /* ahead of what comes */
    if (ops == 0 && k->leaving == NULL && k->filling->count > 0)
        turn(k); /* nobody comes: the file is made as people expect it */
    if (k->leaving != NULL)
        PH_TRY(move_some(inbox, max));
    inbox->tending.more =
        inbox->tending.more || (ops == 0 && (k->leaving != NULL || k->filling->count > 0));
    return PH_OK;
}

enum ph_status ph_keys_settle(struct ph_inbox *inbox, int64_t first_event, int64_t last_event)
{
    for (size_t n = 0; n < PH_COUNTOF(inbox->waiting_keys->generations); n++) {
        struct generation *g = &inbox->waiting_keys->generations[n];
        if (g != inbox->waiting_keys->filling && g != inbox->waiting_keys->leaving)
            continue;
        for (size_t i = 0; i < g->count; i++)
            if (g->keys[i].event >= first_event && g->keys[i].event <= last_event)
                PH_TRY(move(inbox, &g->keys[i]));
    }
    return PH_OK;
}

enum ph_status ph_keys_ready(struct ph_inbox *inbox)
{
    struct ph_waiting_keys *k = inbox->waiting_keys;
    int64_t next = ph_event_id(inbox->figures.next_request, 0);
    if (!k->is_behind)
        return PH_OK;
    clear(k->filling);
    k->leaving = NULL;
    if (inbox->figures.keys_from < next) {
        PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_KEYS_OF_EVENTS, ph_sql_int(inbox->figures.keys_from)));
        inbox->figures.keys_from = next;
        inbox->figures_touched = true;
    }
    k->is_behind = false;
    return PH_OK;
}

void ph_keys_forget(struct ph_inbox *inbox)
{
    inbox->waiting_keys->is_behind = true;
}

enum ph_status ph_keys_open(struct ph_inbox *inbox)
{
    inbox->waiting_keys = calloc(1, sizeof *inbox->waiting_keys);
    if (inbox->waiting_keys == NULL)
        return PH_ERR_NO_MEMORY;
    inbox->waiting_keys->filling = &inbox->waiting_keys->generations[0];
    inbox->waiting_keys->is_behind = true;
    int32_t most = inbox->settings.options.keys_waiting;
    inbox->waiting_keys->most =
        most > 0 && most < PH_INBOX_KEYS_WAITING ? (size_t)most : PH_INBOX_KEYS_WAITING;
    return PH_OK;
}

void ph_keys_close(struct ph_inbox *inbox)
{
    free(inbox->waiting_keys);
    inbox->waiting_keys = NULL;
}

/* ---- what is asked of them ------------------------------------------------------------------- */

enum ph_status ph_key_get(struct ph_inbox *inbox, const struct ph_inbox_event *event,
                          bool *ret_found, struct ph_known *ret)
{
    const struct waiting *w = find(inbox->waiting_keys, event->dedupe_key);
    sqlite3_stmt *get;
    *ret_found = w != NULL;
    if (w != NULL) {
        ret->event = w->event;
        ret->same = ph_slice_eq(ph_slice_of(w->digest, sizeof w->digest), digest_of(event));
        return PH_OK;
    }
    PH_TRY(PH_SQL_BIND(&inbox->sql, PH_W_KEY_GET, &get, ph_sql_text(event->dedupe_key)));
    PH_TRY(ph_sql_next(&inbox->sql, get, ret_found));
    if (*ret_found) {
        ret->event = sqlite3_column_int64(get, 0);
        ret->same = ph_slice_eq(ph_sql_bytes(get, 1), digest_of(event));
        ph_sql_end(get);
    }
    return PH_OK;
}

enum ph_status ph_key_take(struct ph_inbox *inbox, const struct ph_inbox_event *event, int64_t id,
                           enum ph_key_wait wait, bool *ret_taken, struct ph_known *ret_known)
{
    bool found;
    PH_TRY(ph_key_get(inbox, event, &found, ret_known));
    *ret_taken = !found;
    if (found || (wait == PH_KEY_MAY_WAIT && let_wait(inbox, event, id)))
        return PH_OK;
    return PH_SQL_RUN(&inbox->sql, PH_W_KEY_TAKE, ph_sql_text(event->dedupe_key), ph_sql_int(id),
                      ph_sql_int(inbox->now_ms), ph_sql_blob(digest_of(event)));
}

enum ph_status ph_key_again(struct ph_inbox *inbox, const struct ph_inbox_event *event,
                            struct ph_known known, int64_t request, bool *ret_kept)
{
    int64_t kept = PH_INBOX_REVISIONS_MAX;
    struct waiting *w = find(inbox->waiting_keys, event->dedupe_key);
    *ret_kept = false;
    if (w != NULL)
        PH_TRY(move(inbox, w));
    if (!known.same && request > 0)
        PH_TRY(PH_SQL_NUMBER(&inbox->sql, PH_W_REVISION_COUNT, &kept, ph_sql_int(known.event)));
    if (kept < PH_INBOX_REVISIONS_MAX) {
        PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_REVISION_ADD, ph_sql_int(known.event),
                          ph_sql_int(request), ph_sql_int(event->item),
                          ph_sql_blob(digest_of(event))));
        *ret_kept = sqlite3_changes(inbox->sql.db) > 0;
    }
    if (*ret_kept)
        inbox->figures.revisions++;
    else
        inbox->figures.duplicates++;
    inbox->figures_touched = true;
    return PH_SQL_RUN(&inbox->sql, PH_W_KEY_SEEN, ph_sql_int(inbox->now_ms), ph_sql_int(!*ret_kept),
                      ph_sql_int(*ret_kept), ph_sql_text(event->dedupe_key));
}
