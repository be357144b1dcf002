/* A stream in Redis (XADD, redis.io/docs/latest/commands/xadd, read 2026-11-29): an entry for each
 * event, its CloudEvents attributes and `data` as fields. hiredis writes and reads the protocol;
 * the connection is ours (outbound.h), so that rediss:// has our TLS and our look at addresses.
 *
 * R1: an event is accepted when its own reply has come, with the entry's id; entries are in the
 *     order of the notices. A reply that comes before its entry was written, or is no id, ends the
 *     connection.
 * R2: what a server says is bounded: replies are texts of a line, never lists.
 * R3: one thread connects, writes and reads; parcels that wait are written together, and their
 *     replies read after. */
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/codec.h"
#include "destination/outbound.h"
#include "destination/xadd.h"
#include "os/clock.h"
#include "os/heap.h"
#include "os/thread.h"

enum {
    HOST_BYTES_MAX = 256,
    PORT_BYTES_MAX = 6,
    DATABASE_BYTES_MAX = 8,
    REPLY_BYTES_MAX = 64 * 1024, /* R2; an entry's id has under 50 */
    READ_BYTES = 16 * 1024,
    WAITING_MAX = 256, /* as the most that `concurrency` may be */
};

/* A parcel, as the protocol writes it. */
struct parcel {
    struct parcel *next;
    ph_destination_done *done;
    void *ctx;
    size_t commands, replies, accepted; /* replies read; accepted before the first error */
    bool refused;
    struct ph_arena arena; /* bytes */
    struct ph_slice bytes;
    char reason[PH_OUTBOUND_WHY_BYTES];
};

struct reply {
    int type; /* REDIS_REPLY_… */
    char text[PH_OUTBOUND_WHY_BYTES];
};

struct redis {
    struct ph_destination base; /* first */
    const struct ph_destination_settings *settings;
    struct ph_outbound_options to;
    char host[HOST_BYTES_MAX], port[PORT_BYTES_MAX], database[DATABASE_BYTES_MAX];
    struct ph_arena kept; /* paths */
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock; /* of what follows, to `stopping` */
    pthread_cond_t news;
    struct parcel *first, **last;
    size_t waiting;
    bool stopping;
    int stop_fd;
    /* The thread's own. */
    struct ph_outbound *outbound;
    redisReader *reader;
    struct reply reply; /* the last one read */
};

/* ---- replies --------------------------------------------------------------------------------- */

/* The reader's objects are one reply of ours, which needs no memory (R2). */
static void *on_text(const redisReadTask *task, char *text, size_t len)
{
    struct reply *reply = task->privdata;
    size_t used = len < sizeof reply->text ? len : sizeof reply->text - 1;
    memcpy(reply->text, text, used);
    reply->text[used] = '\0';
    reply->type = task->type;
    return reply;
}

#if HIREDIS_MAJOR >= 1
typedef size_t elements;
#else
typedef int elements;
#endif

static void *on_list(const redisReadTask *task, elements count)
{
    (void)task, (void)count;
    return NULL; /* the reader calls it a lack of memory, and fails */
}

static void *on_integer(const redisReadTask *task, long long number)
{
    (void)number;
    return on_text(task, "", 0);
}

static void *on_nil(const redisReadTask *task)
{
    struct reply *reply = on_text(task, "", 0);
    reply->type = REDIS_REPLY_NIL; /* the task's is that of the text or list there is none of */
    return reply;
}

static void on_free(void *object)
{
    (void)object;
}

static redisReplyObjectFunctions functions = {.createString = on_text,
                                              .createArray = on_list,
                                              .createInteger = on_integer,
                                              .createNil = on_nil,
                                              .freeObject = on_free};

/* The next reply. With `ret_none` it does not wait: *ret_none is whether there is none yet. */
static enum ph_outbound_result read_reply(struct redis *redis, int64_t deadline_ms, bool *ret_none,
                                          char why[PH_OUTBOUND_WHY_BYTES])
{
    char room[READ_BYTES];
    size_t count;
    for (void *reply = NULL;;) {
        redisReader *reader = redis->reader;
        if (redisReaderGetReply(reader, &reply) != REDIS_OK ||
            (reply == NULL && reader->len - reader->pos > REPLY_BYTES_MAX)) {
            (void)snprintf(why, PH_OUTBOUND_WHY_BYTES, "what answers does not speak as Redis does");
            return PH_OUTBOUND_FAILED;
        }
        if (ret_none != NULL)
            *ret_none = reply == NULL;
        if (reply != NULL)
            return PH_OUTBOUND_OK;
        enum ph_outbound_result result =
            ret_none == NULL
                ? ph_outbound_read(redis->outbound, room, sizeof room, deadline_ms, &count, why)
                : ph_outbound_read_now(redis->outbound, room, sizeof room, &count, why);
        if (result != PH_OUTBOUND_OK || count == 0)
            return result;
        if (redisReaderFeed(reader, room, count) != REDIS_OK) {
            (void)snprintf(why, PH_OUTBOUND_WHY_BYTES, "out of memory");
            return PH_OUTBOUND_FAILED;
        }
    }
}

/* ---- the connection -------------------------------------------------------------------------- */

static void disconnect(struct redis *redis)
{
    ph_outbound_close(redis->outbound);
    redis->outbound = NULL;
    if (redis->reader != NULL)
        redisReaderFree(redis->reader);
    redis->reader = NULL;
}

/* Says something at the beginning that must be answered without an error. The command may hold a
 * password. */
static enum ph_outbound_result say(struct redis *redis, int count, const char **words,
                                   const size_t *lens, int64_t deadline_ms,
                                   char why[PH_OUTBOUND_WHY_BYTES])
{
    char *command = NULL;
    long long len = redisFormatCommandArgv(&command, count, words, lens);
    if (len < 0) {
        (void)snprintf(why, PH_OUTBOUND_WHY_BYTES, "out of memory");
        return PH_OUTBOUND_FAILED;
    }
    enum ph_outbound_result result =
        ph_outbound_write(redis->outbound, ph_slice_of(command, (size_t)len), deadline_ms, why);
    explicit_bzero(command, (size_t)len);
    redisFreeCommand(command);
    if (result == PH_OUTBOUND_OK)
        result = read_reply(redis, deadline_ms, NULL, why);
    if (result == PH_OUTBOUND_OK && redis->reply.type == REDIS_REPLY_ERROR) {
        (void)snprintf(why, PH_OUTBOUND_WHY_BYTES, "%.*s", PH_OUTBOUND_WHY_BYTES - 1,
                       redis->reply.text);
        return PH_OUTBOUND_FAILED;
    }
    return result;
}

static enum ph_outbound_result introduce(struct redis *redis, int64_t deadline_ms,
                                         char why[PH_OUTBOUND_WHY_BYTES])
{
    const struct ph_destination_settings *s = redis->settings;
    enum ph_outbound_result result = PH_OUTBOUND_OK;
    if (s->password.len > 0) {
        const char *words[3] = {"AUTH"};
        size_t lens[3] = {4};
        int count = 1;
        if (s->username.len > 0)
            words[count] = s->username.ptr, lens[count++] = s->username.len;
        words[count] = s->password.ptr, lens[count++] = s->password.len;
        result = say(redis, count, words, lens, deadline_ms, why);
    }
    if (result == PH_OUTBOUND_OK && redis->database[0] != '\0') {
        const char *words[] = {"SELECT", redis->database};
        size_t lens[] = {6, strlen(redis->database)};
        result = say(redis, 2, words, lens, deadline_ms, why);
    }
    return result;
}

static enum ph_outbound_result connect_once(struct redis *redis, char why[PH_OUTBOUND_WHY_BYTES])
{
    int64_t deadline_ms = ph_os_steady_ms() + redis->settings->connect_ms;
    if (redis->outbound != NULL && ph_outbound_is_stale(redis->outbound))
        disconnect(redis); /* the server has closed what was idle */
    if (redis->outbound != NULL)
        return PH_OUTBOUND_OK;
    enum ph_outbound_result result =
        ph_outbound_open(&redis->to, deadline_ms, &redis->outbound, why);
    if (result != PH_OUTBOUND_OK)
        return result;
    redis->reader = redisReaderCreateWithFunctions(&functions);
    if (redis->reader == NULL) {
        (void)snprintf(why, PH_OUTBOUND_WHY_BYTES, "out of memory");
        return PH_OUTBOUND_FAILED;
    }
    redis->reader->privdata = &redis->reply;
    return introduce(redis, deadline_ms, why);
}

/* ---- parcels --------------------------------------------------------------------------------- */

static void parcel_free(struct parcel *parcel)
{
    if (parcel == NULL)
        return;
    ph_arena_done(&parcel->arena);
    free(parcel);
}

/* Tells how it ended, and frees it. `why` absent: by its replies. */
static void finish(struct parcel *parcel, enum ph_told told, const char *why, int64_t elapsed_ms)
{
    struct ph_outcome outcome = {
        .told = told, .accepted = parcel->accepted, .elapsed_ms = elapsed_ms};
    if (why == NULL && !parcel->refused)
        outcome.told = PH_TOLD_ACCEPTED;
    else
        outcome.reason = ph_slice_str(why != NULL ? why : parcel->reason);
    parcel->done(parcel->ctx, &outcome);
    parcel_free(parcel);
}

static bool is_answered(const struct parcel *parcel)
{
    return parcel->replies == parcel->commands;
}

/* "1526919030474-55" */
static bool is_entry_id(struct ph_slice text)
{
    size_t dash = ph_slice_find(text, PH_S("-"), 0);
    if (dash == SIZE_MAX || dash == 0 || dash + 1 == text.len)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (i != dash && (text.ptr[i] < '0' || text.ptr[i] > '9'))
            return false;
    return true;
}

/* The reply is of the first entry that has none: *first is the first parcel written that may have
 * one, `unwritten` the first that cannot (R1). A server that answers an error is ill or wrongly set
 * up, whatever the event: it fails, and is asked again later. One that answers anything else but an
 * id is not understood, nor will be what it says next. */
static enum ph_outbound_result take_reply(const struct redis *redis, struct parcel **first,
                                          const struct parcel *unwritten,
                                          char why[PH_OUTBOUND_WHY_BYTES])
{
    const struct reply *reply = &redis->reply;
    while (*first != unwritten && is_answered(*first))
        *first = (*first)->next;
    struct parcel *parcel = *first;
    bool good = reply->type == REDIS_REPLY_STRING && is_entry_id(ph_slice_str(reply->text));
    if (parcel == unwritten || (!good && reply->type != REDIS_REPLY_ERROR)) {
        const char *what = reply->type == REDIS_REPLY_ERROR ? reply->text /* it wants none of us */
                           : parcel == unwritten            ? "what nobody asked"
                                                            : "no entry's id";
        (void)snprintf(why, PH_OUTBOUND_WHY_BYTES, "answered %.*s", PH_OUTBOUND_WHY_BYTES - 10,
                       what);
        return PH_OUTBOUND_FAILED;
    }
    parcel->replies++;
    if (!good && !parcel->refused)
        (void)snprintf(parcel->reason, sizeof parcel->reason, "answered %.*s",
                       PH_OUTBOUND_WHY_BYTES - 10, reply->text);
    parcel->refused = parcel->refused || !good;
    parcel->accepted += !parcel->refused;
    return PH_OUTBOUND_OK;
}

/* What has been answered already, before more is written: afterwards nobody can say what came
 * before its entry (R1). */
static enum ph_outbound_result take_early(struct redis *redis, struct parcel **first,
                                          const struct parcel *unwritten,
                                          char why[PH_OUTBOUND_WHY_BYTES])
{
    for (bool none;;) {
        enum ph_outbound_result result = read_reply(redis, 0, &none, why);
        if (result != PH_OUTBOUND_OK || none)
            return result;
        result = take_reply(redis, first, unwritten, why);
        if (result != PH_OUTBOUND_OK)
            return result;
    }
}

static enum ph_outbound_result write_all(struct redis *redis, struct parcel *parcels,
                                         int64_t deadline_ms, char why[PH_OUTBOUND_WHY_BYTES])
{
    enum ph_outbound_result result = PH_OUTBOUND_OK;
    struct parcel *first = parcels;
    for (struct parcel *p = parcels; p != NULL && result == PH_OUTBOUND_OK; p = p->next) {
        result = take_early(redis, &first, p, why);
        if (result == PH_OUTBOUND_OK)
            result = ph_outbound_write(redis->outbound, p->bytes, deadline_ms, why);
    }
    return result;
}

static enum ph_outbound_result read_replies(struct redis *redis, struct parcel *parcel,
                                            int64_t deadline_ms, char why[PH_OUTBOUND_WHY_BYTES])
{
    enum ph_outbound_result result = PH_OUTBOUND_OK;
    while (!is_answered(parcel) && result == PH_OUTBOUND_OK) {
        struct parcel *first = parcel;
        result = read_reply(redis, deadline_ms, NULL, why);
        if (result == PH_OUTBOUND_OK)
            result = take_reply(redis, &first, NULL, why);
    }
    return result;
}

/* R3: all written, then all read, but for what comes in between. Takes the parcels. */
static void exchange(struct redis *redis, struct parcel *parcels)
{
    char why[PH_OUTBOUND_WHY_BYTES];
    int64_t began_ms = ph_os_steady_ms(), deadline_ms = began_ms + redis->settings->total_ms;
    enum ph_outbound_result result = connect_once(redis, why);
    if (result == PH_OUTBOUND_OK)
        result = write_all(redis, parcels, deadline_ms, why);
    while (parcels != NULL) {
        struct parcel *parcel = parcels;
        parcels = parcel->next;
        if (result == PH_OUTBOUND_OK)
            result = read_replies(redis, parcel, deadline_ms, why);
        if (is_answered(parcel))
            finish(parcel, PH_TOLD_FAILED, NULL, ph_os_steady_ms() - began_ms);
        else
            finish(parcel, result == PH_OUTBOUND_STOPPED ? PH_TOLD_RETURNED : PH_TOLD_FAILED, why,
                   ph_os_steady_ms() - began_ms);
    }
    if (result != PH_OUTBOUND_OK || redis->reader->len > redis->reader->pos)
        disconnect(redis); /* what is left was answered to nothing (R1) */
}

static void *run(void *arg)
{
    struct redis *redis = arg;
    sigset_t all;
    ph_os_thread_name("redis");
    sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (;;) {
        pthread_mutex_lock(&redis->lock);
        while (redis->first == NULL && !redis->stopping)
            pthread_cond_wait(&redis->news, &redis->lock);
        struct parcel *parcels = redis->first;
        redis->first = NULL;
        redis->last = &redis->first;
        redis->waiting = 0;
        bool stopping = redis->stopping;
        pthread_mutex_unlock(&redis->lock);
        if (!stopping) {
            exchange(redis, parcels);
            continue;
        }
        for (struct parcel *next; parcels != NULL; parcels = next) {
            next = parcels->next;
            finish(parcels, PH_TOLD_RETURNED, "payhook is stopping", 0);
        }
        break;
    }
    disconnect(redis);
    return NULL;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void redis_close(struct ph_destination *destination)
{
    struct redis *redis = (struct redis *)destination;
    if (redis->runs) {
        pthread_mutex_lock(&redis->lock);
        redis->stopping = true;
        pthread_cond_signal(&redis->news);
        pthread_mutex_unlock(&redis->lock);
        (void)eventfd_write(redis->stop_fd, 1);
        pthread_join(redis->thread, NULL);
    }
    if (redis->stop_fd >= 0)
        close(redis->stop_fd);
    pthread_cond_destroy(&redis->news);
    pthread_mutex_destroy(&redis->lock);
    ph_arena_done(&redis->kept);
    free(redis);
}

static bool copy(char *to, size_t room, struct ph_slice from)
{
    if (from.len >= room)
        return false;
    memcpy(to, from.ptr, from.len);
    to[from.len] = '\0';
    return true;
}

/* "redis://host:6379/0": the port and the database may be left out. */
static enum ph_status read_url(struct redis *redis, struct ph_slice url)
{
    struct ph_slice rest = ph_slice_from(url, ph_slice_find(url, PH_S("://"), 0) + 3),
                    port = PH_S("6379");
    size_t slash = ph_slice_find(rest, PH_S("/"), 0), end;
    struct ph_slice database = slash == SIZE_MAX ? PH_S("") : ph_slice_from(rest, slash + 1), host;
    int64_t number;
    if (slash != SIZE_MAX)
        rest = ph_slice_of(rest.ptr, slash);
    if (ph_slice_find(rest, PH_S("@"), 0) != SIZE_MAX)
        return PH_ERR_INVALID;
    if (rest.len > 0 && rest.ptr[0] == '[') {
        end = ph_slice_find(rest, PH_S("]"), 0);
        if (end == SIZE_MAX)
            return PH_ERR_INVALID;
        host = ph_slice_of(rest.ptr + 1, end - 1);
        end++;
    } else {
        end = ph_slice_find(rest, PH_S(":"), 0);
        end = end == SIZE_MAX ? rest.len : end;
        host = ph_slice_of(rest.ptr, end);
    }
    if (end < rest.len)
        port = ph_slice_from(rest, end + 1);
    bool reads = host.len > 0 && ph_parse_int64(port, &number) && number > 0 && number < 65536 &&
                 (database.len == 0 || (ph_parse_int64(database, &number) && number >= 0));
    return reads && copy(redis->host, sizeof redis->host, host) &&
                   copy(redis->port, sizeof redis->port, port) &&
                   copy(redis->database, sizeof redis->database, database)
               ? PH_OK
               : PH_ERR_INVALID;
}

static const char *path_of(struct redis *redis, struct ph_slice path)
{
    return path.len > 0 ? ph_arena_copy(&redis->kept, path).ptr : NULL;
}

static enum ph_status redis_open(const struct ph_destination_settings *settings,
                                 struct ph_destination **ret)
{
    struct redis *redis = calloc(1, sizeof *redis);
    if (redis == NULL)
        return PH_ERR_NO_MEMORY;
    redis->settings = settings;
    redis->last = &redis->first;
    pthread_mutex_init(&redis->lock, NULL);
    pthread_cond_init(&redis->news, NULL);
    ph_arena_init(&redis->kept, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    redis->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    redis->to =
        (struct ph_outbound_options){.host = redis->host,
                                     .port = redis->port,
                                     .tls = ph_slice_starts(settings->url, PH_S("rediss:")),
                                     .allow_private = settings->allow_private,
                                     .ca_file = path_of(redis, settings->ca_file),
                                     .certificate_file = path_of(redis, settings->certificate_file),
                                     .key_file = path_of(redis, settings->key_file),
                                     .stop_fd = redis->stop_fd};
    enum ph_status st = read_url(redis, settings->url);
    if (st == PH_OK && (redis->stop_fd < 0 || redis->kept.ran_out))
        st = PH_ERR_SYSTEM;
    if (st == PH_OK && pthread_create(&redis->thread, NULL, run, redis) != 0)
        st = PH_ERR_SYSTEM;
    redis->runs = st == PH_OK;
    if (st != PH_OK)
        redis_close(&redis->base);
    else
        *ret = &redis->base;
    return st;
}

/* ---- sending --------------------------------------------------------------------------------- */

static enum ph_status redis_send(struct ph_destination *destination,
                                 const struct ph_notice *notices, size_t count, int64_t now_ms,
                                 ph_destination_done *done, void *ctx)
{
    struct redis *redis = (struct redis *)destination;
    struct parcel *parcel = calloc(1, sizeof *parcel);
    (void)now_ms;
    if (parcel == NULL)
        return PH_ERR_NO_MEMORY;
    parcel->done = done;
    parcel->ctx = ctx;
    parcel->commands = count;
    ph_arena_init(&parcel->arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    enum ph_status st =
        ph_xadd_write(&parcel->arena, redis->settings->stream, redis->settings->stream_length,
                      notices, count, &parcel->bytes);
    pthread_mutex_lock(&redis->lock);
    if (st == PH_OK && redis->waiting >= WAITING_MAX)
        st = PH_ERR_AGAIN;
    if (st == PH_OK) {
        *redis->last = parcel;
        redis->last = &parcel->next;
        redis->waiting++;
        pthread_cond_signal(&redis->news);
    }
    pthread_mutex_unlock(&redis->lock);
    if (st != PH_OK)
        parcel_free(parcel);
    return st;
}

static const struct ph_slice schemes[] = {PH_SI("redis"), PH_SI("rediss")};

const struct ph_destination_kind ph_destination_redis = {.schemes = schemes,
                                                         .scheme_count = PH_COUNTOF(schemes),
                                                         .open = redis_open,
                                                         .send = redis_send,
                                                         .close = redis_close};
