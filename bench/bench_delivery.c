/* Row 6b of the measurements (docs/internals/benchmarks.md): how fast what waits in an inbox is
 * delivered to an application that answers at once, on the same machine: one event a request, then
 * in CloudEvents batches. The application is a process of its own that reads each request to its
 * end. Prints rates; asserts only that all was delivered. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "delivery/dispatcher.h"
#include "os/clock.h"

enum { EVENTS = 60000, ANSWER_BYTES = 1200, STORE_AT_ONCE = 500 };

/* ---- the application ------------------------------------------------------------------------- */

enum { CONNECTIONS_MAX = 1024, HEAD_BYTES_MAX = 8192 };

static struct conn {
    char head[HEAD_BYTES_MAX];
    size_t len;
    long long body_left; /* < 0: reading the head */
} conns[CONNECTIONS_MAX];

/* False: the connection ends. */
static bool answer(const struct conn *c, int fd)
{
    static const char good[] = "HTTP/1.1 204 No Content\r\n\r\n",
                      ill[] = "HTTP/1.1 500 Ill\r\nContent-Length: 0\r\n\r\n",
                      cut[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this";
    const char *text = good, *path = c->head + 5; /* "POST /" */
    if (strncmp(path, "/hang ", 6) == 0)
        return true; /* and says nothing */
    if (strncmp(path, "/ill ", 5) == 0)
        text = ill;
    if (strncmp(path, "/cut ", 5) == 0)
        text = cut;
    return write(fd, text, strlen(text)) > 0 && text != cut;
}

/* Takes bytes until none are left; false: the connection ends. */
static bool take(struct conn *c, int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        if (c->body_left >= 0) {
            size_t used = (long long)count < c->body_left ? count : (size_t)c->body_left;
            c->body_left -= (long long)used;
            bytes += used, count -= used;
        } else {
            size_t used = count < HEAD_BYTES_MAX - 1 - c->len ? count : HEAD_BYTES_MAX - 1 - c->len,
                   before = c->len;
            if (used == 0)
                return false;
            memcpy(c->head + c->len, bytes, used);
            c->len += used;
            c->head[c->len] = '\0';
            char *end = strstr(c->head, "\r\n\r\n"),
                 *length = strcasestr(c->head, "content-length:");
            size_t head_len = end != NULL ? (size_t)(end + 4 - c->head) : c->len;
            bytes += head_len - before, count -= head_len - before;
            if (end != NULL)
                c->body_left = length != NULL ? strtoll(length + 15, NULL, 10) : 0;
        }
        if (c->body_left == 0) {
            if (!answer(c, fd))
                return false;
            c->body_left = -1;
            c->len = 0;
        }
    }
    return true;
}

static void serve(int listener)
{
    static char room[256 * 1024];
    struct epoll_event events[256], add = {.events = EPOLLIN, .data.fd = listener};
    int epoll = epoll_create1(0), on = 1;
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &add);
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int got = accept(listener, NULL, NULL);
                if (got < 0 || got >= CONNECTIONS_MAX)
                    exit(1);
                setsockopt(got, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                conns[got] = (struct conn){.body_left = -1};
                add.data.fd = got;
                epoll_ctl(epoll, EPOLL_CTL_ADD, got, &add);
                continue;
            }
            ssize_t got = read(fd, room, sizeof room);
            if (got <= 0 || !take(&conns[fd], fd, room, (size_t)got))
                close(fd);
        }
    }
}

static pid_t start_application(int *ret_port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&in, sizeof in) != 0 || listen(listener, 512) != 0 ||
        getsockname(listener, (struct sockaddr *)&in, &len) != 0)
        exit(1);
    *ret_port = ntohs(in.sin_port);
    pid_t pid = fork();
    if (pid == 0)
        serve(listener);
    close(listener);
    return pid;
}

/* ---- the inbox ------------------------------------------------------------------------------- */

static struct ph_dispatcher *dispatcher;

static void wake(void *ctx, uint64_t mask)
{
    struct ph_dispatcher *d = __atomic_load_n(&dispatcher, __ATOMIC_ACQUIRE);
    (void)ctx;
    if (d != NULL)
        ph_dispatcher_wake(d, mask);
}

struct stored {
    struct ph_inbox_store store;
    struct ph_inbox_event event;
    char key[32], id[32];
};

static int stored_count;

static void on_stored(struct ph_inbox_op *op)
{
    if (op->status != PH_OK)
        exit(1);
    free(op);
    __atomic_add_fetch(&stored_count, 1, __ATOMIC_RELEASE);
}

static void store_one(struct ph_inbox *inbox, int number, uint64_t destinations)
{
    static char answer_text[ANSWER_BYTES + 64];
    struct stored *s = calloc(1, sizeof *s);
    if (answer_text[0] == '\0') {
        int at = snprintf(answer_text, sizeof answer_text,
                          "{\"event_type\":\"PAYMENT_INTENT_SUCCESS\",\"filler\":\"");
        memset(answer_text + at, 'x', ANSWER_BYTES - (size_t)at - 2);
        memcpy(answer_text + ANSWER_BYTES - 2, "\"}", 3);
    }
    snprintf(s->key, sizeof s->key, "bench:%d", number);
    snprintf(s->id, sizeof s->id, "evt_bench_%d", number);
    s->event = (struct ph_inbox_event){.verdict = PH_VERIFIED,
                                       .dedupe_key = ph_slice_str(s->key),
                                       .event_id = ph_slice_str(s->id),
                                       .type = PH_S("PAYMENT_INTENT_SUCCESS"),
                                       .class = PH_S("payment"),
                                       .subject = ph_slice_str(s->key),
                                       .answer = ph_slice_str(answer_text),
                                       .destinations = destinations};
    memcpy(s->event.digest, s->key, sizeof s->event.digest);
    s->store.op = (struct ph_inbox_op){
        .kind = PH_INBOX_STORE, .bytes = sizeof *s + 2 * ANSWER_BYTES, .done = on_stored};
    s->store.request = (struct ph_inbox_request){.standing = PH_STANDING_ACCEPTED,
                                                 .received_ms = ph_os_unix_ms(),
                                                 .endpoint = PH_S("shop"),
                                                 .connector = PH_S("stripe"),
                                                 .method = PH_S("POST"),
                                                 .uri = PH_S("/webhooks/shop"),
                                                 .remote = PH_S("127.0.0.1"),
                                                 .body = ph_slice_str(answer_text),
                                                 .verdict = PH_VERIFIED,
                                                 .verdict_reason = PH_S("the signature matches"),
                                                 .page_hash = PH_S("0"),
                                                 .engine_version = PH_S("0")};
    s->store.events = &s->event;
    s->store.event_count = 1;
    while (ph_inbox_submit(inbox, &s->store.op) == PH_ERR_AGAIN)
        usleep(1000);
}

static void fill(struct ph_inbox *inbox, int from, uint64_t destinations)
{
    for (int i = 0; i < EVENTS; i++)
        store_one(inbox, from + i, destinations);
    while (__atomic_load_n(&stored_count, __ATOMIC_ACQUIRE) < from + EVENTS)
        usleep(1000);
}

/* ---- the rows -------------------------------------------------------------------------------- */

static double cpu_s(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Delivers all that waits for the first of the destinations, and what it can to the others; events
 * a second. */
static double row(struct ph_inbox *inbox, const char *title, const char *aim,
                  const struct ph_dispatcher_destination *destinations, size_t count)
{
    struct ph_dispatcher *started;
    struct ph_dispatcher_options options = {
        .inbox = inbox, .destinations = destinations, .count = count};
    struct ph_dispatcher_stats stats;
    double cpu = cpu_s();
    int64_t from_ms = ph_os_steady_ms();
    if (ph_dispatcher_start(&options, &started) != PH_OK)
        exit(1);
    __atomic_store_n(&dispatcher, started, __ATOMIC_RELEASE);
    do {
        usleep(2000);
        ph_dispatcher_stats(started, destinations[0].number, &stats);
    } while (stats.accepted + stats.failed + stats.refused < EVENTS);
    double seconds = (double)(ph_os_steady_ms() - from_ms) / 1000;
    __atomic_store_n(&dispatcher, NULL, __ATOMIC_RELEASE);
    ph_dispatcher_stop(started, 100);
    cpu = cpu_s() - cpu;
    printf("row 6b %-36s %9.0f/s   %.1f us of ours each (aim %s)\n", title, EVENTS / seconds,
           cpu * 1e6 / EVENTS, aim);
    if (stats.accepted != EVENTS) {
        printf("not all were accepted: %s\n", stats.why);
        exit(1);
    }
    return EVENTS / seconds;
}

enum { SINGLE, BATCH, HANGS, ILL, CUTS, DESTINATIONS };

static const struct ph_slice names[] = {PH_SI("single"), PH_SI("batch"), PH_SI("hangs"),
                                        PH_SI("ill"), PH_SI("cuts")};

static struct ph_dispatcher_destination destination(size_t number, int port)
{
    static const char *const paths[] = {"", "", "hang", "ill", "cut"};
    static const int64_t ladder[] = {1000};
    static const struct ph_destination_secret secret = {
        .key = PH_SI("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")};
    static char urls[DESTINATIONS][64];
    snprintf(urls[number], sizeof urls[number], "http://127.0.0.1:%d/%s", port, paths[number]);
    return (struct ph_dispatcher_destination){
        .number = number,
        .name = names[number],
        .settings = {.url = ph_slice_str(urls[number]),
                     .allow_private = true,
                     .connect_ms = 5000,
                     .total_ms = 60 * 1000,
                     .secrets = &secret,
                     .secret_count = 1,
                     .batches = number == BATCH,
                     .agent = PH_S("payhook")},
        .retry = {.after_ms = ladder,
                  .after_count = 1,
                  .every_ms = 1000,
                  .for_ms = 1 << 30,
                  .park_ms = 1000},
        .concurrency = number == BATCH ? 8 : 32,
        .batch = number == BATCH ? 100 : 1,
    };
}

int main(void)
{
    struct ph_dispatcher_destination all[DESTINATIONS];
    char folder[64], command[96], why[PH_INBOX_WHY_BYTES];
    struct ph_inbox *inbox;
    int port;
    signal(SIGPIPE, SIG_IGN);
    pid_t application = start_application(&port);
    for (size_t n = 0; n < DESTINATIONS; n++)
        all[n] = destination(n, port);
    snprintf(folder, sizeof folder, "/tmp/payhook-bench-%d", (int)getpid());
    struct ph_inbox_options options = {
        .folder = folder, .destinations = names, .destination_count = DESTINATIONS, .wake = wake};
    if (ph_inbox_open(&options, &inbox, why) != PH_OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    fill(inbox, 0, 1 << BATCH);
    (void)row(inbox, "delivery, batches of 100", ">= 25,000/s", &all[BATCH], 1);
    fill(inbox, EVENTS, 1 << SINGLE);
    double alone = row(inbox, "delivery, one event a request", ">= 8,000/s", &all[SINGLE], 1);
    fill(inbox, 2 * EVENTS, 1 << SINGLE | 1 << HANGS | 1 << ILL | 1 << CUTS);
    struct ph_dispatcher_destination sick[] = {all[SINGLE], all[HANGS], all[ILL], all[CUTS]};
    double beside =
        row(inbox, "... beside three that are not well", "the same", sick, PH_COUNTOF(sick));
    fill(inbox, 3 * EVENTS, 1 << SINGLE);
    double again = row(inbox, "... alone once more", ">= 8,000/s", &all[SINGLE], 1);
    printf("row 6b one hangs, one answers 500, one cuts its answer off: %.2f of the rate alone "
           "(aim >= 0.90)\n",
           2 * beside / (alone + again));
    ph_inbox_close(inbox);
    kill(application, SIGTERM);
    waitpid(application, NULL, 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command) != 0;
}
