#include "gateway/completer.h"

#include <pthread.h>
#include <stdlib.h>

#include "gateway/policy.h"
#include "gateway/proven.h"
#include "gateway/record.h"
#include "os/clock.h"
#include "os/heap.h"
#include "os/thread.h"

enum {
    AT_ONCE = 64,
    POLL_MS = 60 * 1000,
    STORE_RETRY_MS = 1000,
    OURS_RETRY_MS = 15 * 60 * 1000 /* what waits for our configuration (C7) */
};

/* One thread's. */
struct hand {
    struct ph_completer *completer;
    pthread_t thread;
    bool running;
    int64_t number;
    struct ph_inbox_reader *reader;
    struct ph_worker *worker;
    struct ph_arena arena; /* of what was read; the worker's own is reset with each run */
    uint64_t rounds;       /* of reverification that it has seen; with `last` behind the lock */
    struct ph_gateway_round round, last; /* the one that it is in; the one before */
};

struct ph_completer {
    struct ph_gateway *gateway;
    struct ph_callouts *callouts; /* NULL: nothing can be asked */
    struct ph_slice roots;
    const char *proven_path;
    struct hand hands[PH_WORK_THREADS];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    uint64_t woken,
        rounds; /* rounds: how often all quarantined and dropped requests were to be looked at */
    struct ph_gateway_counts counts;
    uint64_t lacks[PH_ENDPOINTS_MAX / 64],
        lacks_rounds; /* of which endpoints it was told; since which round */
};

/* ---- when ------------------------------------------------------------------------------------ */

int64_t ph_work_due(int32_t tries, int64_t since_ms, int64_t now_ms)
{
    static const int64_t after_s[] = {2, 10, 60, 300, 900, 3600, 3 * 3600, 6 * 3600};
    size_t step = tries < 1 ? 0 : (size_t)tries - 1;
    if (step >= PH_COUNTOF(after_s))
        step = PH_COUNTOF(after_s) - 1;
    return now_ms - since_ms >= PH_WORK_FOR_MS ? 0 : now_ms + after_s[step] * 1000;
}

bool ph_work_leaves(bool denied, int64_t since_ms, int64_t now_ms)
{
    return denied || now_ms - since_ms >= PH_WORK_UNKNOWN_MS;
}

/* ---- asking and storing, waited for ---------------------------------------------------------- */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended, ok, denied;
    struct ph_arena *arena;
    struct ph_slice body;
    int64_t age_ms;
};

static void waiting_init(struct waiting *w, struct ph_arena *arena)
{
    *w = (struct waiting){.arena = arena};
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
}

static void waiting_end(struct waiting *w, bool ok)
{
    pthread_mutex_lock(&w->lock);
    w->ended = true;
    w->ok = ok;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static bool waiting_wait(struct waiting *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->ended)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    return w->ok;
}

static void on_callout(void *ctx, const struct ph_callout_result *result)
{
    struct waiting *w = ctx;
    w->age_ms = result->age_ms;
    w->denied = result->denied;
    w->body = result->ok ? ph_arena_copy(w->arena, result->body) : (struct ph_slice){0};
    waiting_end(w, ph_slice_present(w->body));
}

struct stored {
    struct ph_inbox_store store; /* first */
    struct waiting waiting;
};

static void on_stored(struct ph_inbox_op *op)
{
    struct stored *s = (struct stored *)(void *)op;
    waiting_end(&s->waiting, op->status == PH_OK);
}

/* False: the inbox would not, and the request stays as it was. */
static bool store(struct hand *hand, struct ph_inbox_store *judged)
{
    struct stored s = {.store = *judged};
    s.store.op.done = on_stored;
    s.store.op.bytes = sizeof s.store;
    waiting_init(&s.waiting, NULL);
    if (ph_inbox_submit(ph_gateway_inbox(hand->completer->gateway), &s.store.op) != PH_OK) {
        waiting_end(&s.waiting, false);
        return waiting_wait(&s.waiting);
    }
    bool good = waiting_wait(&s.waiting);
    judged->stored = s.store.stored;
    return good;
}

/* ---- one request ----------------------------------------------------------------------------- */

struct judging {
    const struct ph_view *view;
    const struct ph_config_endpoint *endpoint;
    struct ph_inbox_kept kept;
    struct ph_view_keys keys;
    struct ph_config_value brought[PH_CALLOUTS_PER_CALL_MAX];
    size_t brought_count;
    struct ph_input in;
    struct ph_request request;
    struct ph_answer answer;
    enum ph_fetch_kind asked; /* of the last one */
    struct ph_slice
        address;     /* … in the hand's arena: what is kept of it is that it proved a request */
    int64_t age_ms;  /* … how long it had been in the cache */
    bool fresh;      /* the next key set is not to come from the cache */
    bool only_known; /* addresses that never brought anything are not asked */
    bool failed;     /* a callout: what the engine said stands, without it */
    bool denied;     /* … since what it asked for is not there */
};

/* The endpoint's fields, what was brought, and the roots that a fetched certificate must lead to.
 */
static bool fill_config(struct hand *hand, struct judging *j)
{
    size_t count = 0;
    struct ph_config_value *all =
        ph_arena_alloc(&hand->arena, (j->keys.value_count + j->brought_count + 1) * sizeof *all);
    if (all == NULL)
        return false;
    for (size_t i = 0; i < j->keys.value_count; i++)
        all[count++] = j->keys.values[i];
    for (size_t i = 0; i < j->brought_count; i++)
        all[count++] = j->brought[i];
    if (ph_slice_present(hand->completer->roots))
        all[count++] =
            (struct ph_config_value){PH_S("root_certificates_der_base64"), hand->completer->roots};
    j->in.config = all;
    j->in.config_count = count;
    return true;
}

static bool ask(struct hand *hand, struct judging *j)
{
    struct waiting w;
    const struct ph_callout *callout = j->answer.callout;
    if (hand->completer->callouts == NULL ||
        (j->only_known && !ph_callouts_knows(hand->completer->callouts, callout)))
        return false;
    waiting_init(&w, &hand->arena);
    struct ph_config_value *value = &j->brought[j->brought_count];
    value->name = callout->result_name; /* one of the engine's constants */
    ph_callouts_ask(hand->completer->callouts, callout, j->fresh ? PH_JWKS_FRESH_MS : INT64_MAX,
                    on_callout, &w);
    j->asked = callout->kind;
    j->address = ph_arena_copy(&hand->arena, callout->url);
    bool brought = waiting_wait(&w);
    j->denied = w.denied;
    if (!brought)
        return false;
    value->value = w.body;
    j->age_ms = w.age_ms;
    j->brought_count++;
    return true;
}

/* Processors rotate keys: a key set of some age that proves nothing is asked for anew, once. */
static bool is_proof_too_old(const struct judging *j)
{
    return j->brought_count > 0 && !j->fresh && j->asked == PH_FETCH_JWKS &&
           j->age_ms > PH_JWKS_FRESH_MS && j->answer.event_count > 0 &&
           j->answer.events[0].verdict == PH_FORGED;
}

/* Runs the engine, with what it asks for. False: no memory. */
static bool judge(struct hand *hand, struct judging *j)
{
    const struct ph_inbox_request *kept = &j->kept.request;
    j->request = (struct ph_request){.method = kept->method,
                                     .uri = kept->uri,
                                     .headers = kept->headers,
                                     .header_count = kept->header_count,
                                     .body = kept->body};
    j->in = (struct ph_input){
        .connector = j->endpoint->page,
        .request = &j->request,
        .secrets = j->keys.pairs,
        .secret_count = j->keys.count,
        .capture_method = j->endpoint->capture_method,
        .now_ms = kept->received_ms, /* C1 */
    };
    for (;;) {
        enum ph_want want = (enum ph_want)(PH_WANT_ALL | PH_WANT_EVERY_ITEM);
        if (!fill_config(hand, j) || ph_engine_run(hand->worker, &j->in, want, &j->answer) != PH_OK)
            return false;
        if (is_proof_too_old(j)) {
            j->fresh = true;
            j->brought_count--;
            continue;
        }
        if (j->answer.callout == NULL || j->brought_count == PH_CALLOUTS_PER_CALL_MAX)
            return true;
        if (!ask(hand, j)) {
            j->failed = true;
            return true;
        }
    }
}

static void note_proof(struct hand *hand, const struct judging *j, int64_t now_ms)
{
    if (j->brought_count > 0 && !j->failed && j->answer.event_count > 0 &&
        j->answer.events[0].verdict == PH_VERIFIED)
        ph_callouts_prove(hand->completer->callouts, j->address, now_ms);
}

/* What becomes of a request whose callout failed. */
static void postpone(struct judging *j, struct ph_inbox_store *judged, int64_t now_ms)
{
    enum {
        DENIED_STEPS = 2
    }; /* of the ladder, that are left out: it is not there in a second either */
    struct ph_inbox_request *r = &judged->request;
    r->work_tries = j->kept.request.work_tries + 1;
    r->work_due_ms =
        ph_work_due(r->work_tries + (j->denied ? DENIED_STEPS : 0), r->received_ms, now_ms);
    bool leaves =
        r->work == PH_WORK_VERIFY_UNKNOWN && ph_work_leaves(j->denied, r->received_ms, now_ms);
    if (leaves || j->kept.request.standing ==
                      PH_STANDING_DROPPED) /* once out, always out: it has no room any more */
        r->standing = PH_STANDING_DROPPED;
    if (r->work_due_ms > 0)
        return;
    bool proved = r->standing != PH_STANDING_PENDING && r->standing != PH_STANDING_DROPPED;
    r->work = PH_WORK_NONE;
    if (!proved)
        r->standing = PH_STANDING_DROPPED;
    for (size_t i = 0; proved && i < judged->event_count; i++) {
        struct ph_inbox_event *event = &judged->events[i];
        if (!event->held || (event->verdict != PH_VERIFIED && event->verdict != PH_UNSIGNED &&
                             event->verdict != PH_UNSUPPORTED))
            continue;
        event->held = false;
        event->incomplete = true;
        event->destinations = ph_view_pick(j->view, j->endpoint, event, &event->once_per_effect);
    }
}

static void count(struct hand *hand, uint64_t *counter)
{
    pthread_mutex_lock(&hand->completer->lock);
    (*counter)++;
    pthread_mutex_unlock(&hand->completer->lock);
}

/* Nobody can mend it but the operator, who is told once: what is asked without it is refused. */
static void tell_lack(struct hand *hand, const struct judging *j)
{
    struct ph_completer *c = hand->completer;
    size_t number = (size_t)(j->endpoint - j->view->config->endpoints.items);
    const struct ph_fetch *fetch = j->answer.variant != NULL ? j->answer.variant->fetch : NULL;
    struct ph_slice field = {0};
    if (fetch != NULL)
        field = ph_config_fetch_lacks(fetch, j->keys.values, j->keys.value_count);
    if (!ph_slice_present(field) || number >= PH_ENDPOINTS_MAX)
        return;
    pthread_mutex_lock(&c->lock);
    if (c->lacks_rounds != c->rounds)
        memset(c->lacks, 0, sizeof c->lacks);
    c->lacks_rounds = c->rounds;
    bool told = (c->lacks[number / 64] >> number % 64 & 1) != 0;
    c->lacks[number / 64] |= (uint64_t)1 << number % 64;
    pthread_mutex_unlock(&c->lock);
    if (!told)
        ph_gateway_tell_lack(c->gateway, j->endpoint->entry.name, field);
}

/* How one of a round ended. */
static void note_round(struct ph_gateway_round *round, const struct ph_inbox_store *judged)
{
    round->looked_at++;
    if (judged->request.standing == PH_STANDING_QUARANTINED)
        round->refused++;
    else if (judged->stored == PH_STORED_DUPLICATE)
        round->known++;
    else if (judged->request.standing == PH_STANDING_PENDING ||
             judged->request.standing == PH_STANDING_DROPPED)
        round->pending++;
    else
        round->accepted++;
}

/* Whether another look has brought something: a refusal is not refused again, and what was dropped
 * does not come back to wait in a room that it had to leave. */
static bool has_changed(const struct judging *j, const struct ph_inbox_store *judged)
{
    enum ph_inbox_standing was = j->kept.request.standing, is = judged->request.standing;
    return is != was && !(was == PH_STANDING_DROPPED && is == PH_STANDING_PENDING) &&
           is != PH_STANDING_DROPPED;
}

/* It was verified, and its secret has been taken out since. */
static bool is_worse(const struct judging *j, const struct ph_inbox_store *judged)
{
    return j->kept.request.standing == PH_STANDING_ACCEPTED &&
           judged->request.standing == PH_STANDING_QUARANTINED;
}

/* C7: it stays as it is, and so do its events. Others are looked at meanwhile. */
static bool wait_on(struct hand *hand, const struct judging *j, int64_t now_ms)
{
    struct ph_inbox_store as_it_is = {.op.kind = PH_INBOX_JUDGE, .request = j->kept.request};
    as_it_is.request.work_due_ms = now_ms + OURS_RETRY_MS;
    if (!store(hand, &as_it_is))
        return false;
    count(hand, &hand->completer->counts.postponed);
    return true;
}

/* `again`: it is quarantined or dropped; only a better verdict changes anything. False: the inbox
 * or memory failed. */
static bool look_at(struct hand *hand, const struct ph_view *view, int64_t id, bool again)
{
    struct ph_gateway_counts *counts = &hand->completer->counts;
    struct judging j = {.view = view};
    struct ph_inbox_store judged;
    ph_arena_reset(&hand->arena);
    if (ph_inbox_request_get(hand->reader, id, &hand->arena, &j.kept) != PH_OK)
        return true; /* retention was faster */
    int64_t now_ms = ph_os_unix_ms();
    j.endpoint = ph_config_endpoint_find(view->config, j.kept.request.endpoint);
    if (j.endpoint == NULL ||
        !ph_view_keys_again(j.endpoint, &j.kept.request, now_ms, &hand->arena, &j.keys)) {
        if (!again)
            return wait_on(hand, &j, now_ms);
        hand->round.looked_at++;
        hand->round.skipped++;
        return true; /* its endpoint is gone: it waits for it to come back, or to age */
    }
    j.only_known = again && j.kept.request.standing == PH_STANDING_DROPPED; /* C6 */
    if (!judge(hand, &j))
        return false;
    note_proof(hand, &j, now_ms);
    ph_record_part_accounts(j.endpoint, &j.answer);
    const struct ph_record_input input = {
        .view = view,
        .endpoint = j.endpoint,
        .in = &j.in,
        .answer = &j.answer,
        .account = j.keys.account,
        .secret = ph_view_matched(&j.keys, &j.answer),
        .secret_of = j.keys.secret_of,
        .unknown = hand->completer->callouts != NULL && j.answer.callout != NULL &&
                   !ph_callouts_knows(hand->completer->callouts, j.answer.callout),
        .remote = j.kept.request.remote,
        .trace = j.kept.request.trace,
        .brought = j.brought,
        .brought_count = j.brought_count,
    };
    if (ph_record_make(hand->worker, &input, &judged) != PH_OK)
        return false;
    judged.op.kind = PH_INBOX_JUDGE;
    judged.request.id = id;
    if (!again && is_worse(&j, &judged) && now_ms - j.kept.request.received_ms < PH_WORK_FOR_MS)
        return wait_on(hand, &j, now_ms);
    if (again)
        count(hand, &counts->reverified);
    if (again && !has_changed(&j, &judged)) {
        note_round(&hand->round, &judged);
        return true;
    }
    if (judged.request.work == PH_WORK_FETCH && j.failed)
        tell_lack(hand, &j);
    if (judged.request.work != PH_WORK_NONE && j.failed)
        postpone(&j, &judged, now_ms);
    if (!store(hand, &judged))
        return false;
    if (again)
        note_round(&hand->round, &judged);
    count(hand, again                                            ? &counts->recovered
                : judged.request.work != PH_WORK_NONE            ? &counts->postponed
                : judged.request.standing == PH_STANDING_DROPPED ? &counts->given_up
                                                                 : &counts->completed);
    return true;
}

/* ---- the threads ----------------------------------------------------------------------------- */

static bool is_stopping(struct ph_completer *completer)
{
    pthread_mutex_lock(&completer->lock);
    bool stopping = completer->stopping;
    pthread_mutex_unlock(&completer->lock);
    return stopping;
}

static bool is_mine(const struct hand *hand, int64_t id)
{
    return id % PH_WORK_THREADS == hand->number; /* C3 */
}

/* All that is due. Answers when to come back at the latest. */
static int64_t do_work(struct hand *hand, const struct ph_view *view, int64_t now_ms)
{
    struct ph_arena list = {0};
    int64_t *ids = NULL, next_ms = INT64_MAX;
    size_t id_count = 0, mine = 0;
    ph_arena_init(&list, hand->arena.allocator, PH_ARENA_BYTES_MAX, 0);
    if (ph_inbox_work_due(hand->reader, now_ms, AT_ONCE * PH_WORK_THREADS, &list, &ids, &id_count,
                          &next_ms) != PH_OK)
        next_ms = now_ms + STORE_RETRY_MS;
    bool well = true;
    for (size_t i = 0; i < id_count && well && !is_stopping(hand->completer); i++)
        if (is_mine(hand, ids[i])) {
            mine++;
            well = look_at(hand, view, ids[i], false);
        }
    ph_arena_done(&list);
    if (!well)
        return now_ms + STORE_RETRY_MS;
    return mine > 0 ? now_ms : next_ms; /* some were done: there may be more */
}

/* The last of the hands tells of all of them. */
static void end_round(struct hand *hand, uint64_t rounds)
{
    struct ph_completer *c = hand->completer;
    struct ph_gateway_round sum = {0};
    bool all = true;
    pthread_mutex_lock(&c->lock);
    hand->rounds = rounds;
    hand->last = hand->round;
    for (size_t i = 0; i < PH_WORK_THREADS; i++) {
        const struct ph_gateway_round *part = &c->hands[i].last;
        all = all && c->hands[i].rounds >= rounds;
        sum.looked_at += part->looked_at;
        sum.accepted += part->accepted;
        sum.known += part->known;
        sum.pending += part->pending;
        sum.refused += part->refused;
        sum.skipped += part->skipped;
    }
    pthread_mutex_unlock(&c->lock);
    if (all)
        ph_gateway_tell_round(c->gateway, &sum);
}

static bool reverify_all(struct hand *hand, const struct ph_view *view,
                         enum ph_inbox_standing standing)
{
    int64_t after = 0;
    struct ph_arena list;
    size_t id_count = 1;
    bool well = true;
    ph_arena_init(&list, hand->arena.allocator, PH_ARENA_BYTES_MAX, 0);
    while (id_count > 0 && well && !is_stopping(hand->completer)) {
        int64_t *ids = NULL;
        ph_arena_reset(&list);
        well = ph_inbox_standing_ids(hand->reader, standing, (struct ph_slice){0}, after, AT_ONCE,
                                     &list, &ids, &id_count) == PH_OK;
        for (size_t i = 0; well && i < id_count && !is_stopping(hand->completer); i++) {
            after = ids[i];
            well = !is_mine(hand, ids[i]) || look_at(hand, view, ids[i], true);
        }
    }
    ph_arena_done(&list);
    return well;
}

static bool reverify(struct hand *hand, const struct ph_view *view)
{
    hand->round = (struct ph_gateway_round){0};
    return reverify_all(hand, view, PH_STANDING_QUARANTINED) &&
           reverify_all(hand, view, PH_STANDING_DROPPED);
}

/* Sleeps until it is woken, or for that long. Answers whether to go on. */
static bool rest(struct hand *hand, int64_t for_ms, uint64_t *seen, uint64_t *ret_rounds)
{
    struct ph_completer *c = hand->completer;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + for_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(for_ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&c->lock);
    while (!c->stopping && c->woken == *seen &&
           pthread_cond_timedwait(&c->changed, &c->lock, &until) == 0)
        continue;
    *seen = c->woken;
    *ret_rounds = c->rounds;
    bool go_on = !c->stopping;
    pthread_mutex_unlock(&c->lock);
    return go_on;
}

static void save_proven(struct ph_completer *c)
{
    if (c->callouts != NULL && c->proven_path != NULL)
        ph_proven_save(c->proven_path, c->callouts, ph_os_unix_ms());
}

static void *run(void *arg)
{
    struct hand *hand = arg;
    uint64_t seen = 0, rounds = 0;
    int64_t wait_ms = 0;
    ph_os_thread_name("completer");
    while (rest(hand, wait_ms, &seen, &rounds)) {
        struct ph_view *view = ph_gateway_view(hand->completer->gateway);
        int64_t now_ms = ph_os_unix_ms(), next_ms = do_work(hand, view, now_ms);
        if (hand->rounds != rounds && reverify(hand, view))
            end_round(hand, rounds);
        else if (hand->rounds != rounds)
            next_ms = now_ms + STORE_RETRY_MS;
        ph_view_unref(view);
        if (hand->number == 0)
            save_proven(hand->completer);
        wait_ms = next_ms <= now_ms ? 0 : next_ms - now_ms < POLL_MS ? next_ms - now_ms : POLL_MS;
    }
    return NULL;
}

/* ---- outside --------------------------------------------------------------------------------- */

static bool start_hand(struct ph_completer *c, struct hand *hand, int64_t number)
{
    hand->completer = c;
    hand->number = number;
    ph_arena_init(&hand->arena, &ph_os_heap, PH_ARENA_BYTES_MAX, PH_BUFFER_KEEP_BYTES);
    hand->worker = ph_worker_new(&ph_os_heap);
    if (hand->worker == NULL ||
        ph_inbox_reader_open(ph_gateway_inbox(c->gateway), &hand->reader) != PH_OK)
        return false;
    hand->running = pthread_create(&hand->thread, NULL, run, hand) == 0;
    return hand->running;
}

struct ph_completer *ph_completer_start(struct ph_gateway *gateway, struct ph_callouts *callouts,
                                        struct ph_slice roots, const char *proven_path)
{
    struct ph_completer *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->gateway = gateway;
    c->callouts = callouts;
    c->roots = roots;
    c->proven_path = proven_path;
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, &steady);
    pthread_condattr_destroy(&steady);
    for (int64_t i = 0; i < PH_WORK_THREADS; i++)
        if (!start_hand(c, &c->hands[i], i)) {
            ph_completer_stop(c);
            return NULL;
        }
    return c;
}

void ph_completer_stop(struct ph_completer *c)
{
    if (c == NULL)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    for (size_t i = 0; i < PH_WORK_THREADS; i++) {
        struct hand *hand = &c->hands[i];
        if (hand->running)
            pthread_join(hand->thread, NULL);
        ph_inbox_reader_close(hand->reader);
        ph_worker_free(hand->worker);
        ph_arena_done(&hand->arena);
    }
    save_proven(c);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void wake(struct ph_completer *c, bool again)
{
    pthread_mutex_lock(&c->lock);
    c->woken++;
    c->rounds += again;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

void ph_completer_wake(struct ph_completer *c)
{
    wake(c, false);
}

void ph_completer_reverify(struct ph_completer *c)
{
    wake(c, true);
}

void ph_completer_counts(struct ph_completer *c, struct ph_gateway_counts *ret)
{
    pthread_mutex_lock(&c->lock);
    *ret = c->counts;
    pthread_mutex_unlock(&c->lock);
}
