/* A sender of Stripe webhooks: each signed, each another event of 2.1 KB, over keep-alive
 * connections of HTTP/1.1, one request on its way on each. Without RATE each connection sends as
 * soon as it has heard; with it requests are due at even times, and their latency counts from
 * then, also when they were sent late. With FOLDER a probe writes and syncs 4 KiB there, twenty
 * times a second, meanwhile: what the disk does to anybody.
 *
 * usage: bench_ingest PORT ENDPOINT SECONDS CONNECTIONS [RATE [FOLDER]]     (secret: whsec_bench)
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "os/clock.h"

enum {
    BODY_BYTES = 2100,
    REQUEST_BYTES = 4096,
    CONNECTIONS_MAX = 1024,
    LATENCIES_MAX = 8000000,
    PROBES_MAX = 100000
};

struct sender {
    int fd;
    bool busy;
    int64_t due_us;
    size_t sent, len;
    char request[REQUEST_BYTES];
    size_t answer_len;
    char answer[4096];
};

static struct sender senders[CONNECTIONS_MAX];
static int32_t *latencies;
static size_t latency_count, refused;
static uint64_t next_id;
static const char *endpoint;

static int64_t cpu_us(void)
{
    struct rusage used = {0};
    (void)getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
           used.ru_stime.tv_usec;
}

static int by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* ---- the probe ------------------------------------------------------------------------------- */

struct probe {
    const char *folder;
    _Atomic bool stop;
    int32_t us[PROBES_MAX];
    size_t count;
};

static void *run_probe(void *arg)
{
    struct probe *probe = arg;
    static char block[4096];
    char path[4096];
    snprintf(path, sizeof path, "%s/probe", probe->folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    if (fd < 0)
        return NULL;
    while (!probe->stop && probe->count < PROBES_MAX) {
        int64_t start = ph_os_steady_us();
        if (pwrite(fd, block, sizeof block, (off_t)(probe->count % 256 * sizeof block)) < 0 ||
            fdatasync(fd) != 0)
            break;
        probe->us[probe->count++] = (int32_t)(ph_os_steady_us() - start);
        usleep(50 * 1000);
    }
    close(fd);
    unlink(path);
    return NULL;
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Ids as Stripe makes them: they begin with the time, then chance. */
static size_t make_body(char *body)
{
    uint64_t n = next_id++, chance = n * 0x9e3779b97f4a7c15u;
    long long now = (long long)time(NULL);
    int len = snprintf(body, BODY_BYTES + 1,
                       "{\"id\":\"evt_1%08llxX%012llx\",\"object\":\"event\",\"api_version\":"
                       "\"2024-06-20\",\"created\":%lld,"
                       "\"livemode\":true,\"pending_webhooks\":1,\"type\":\"payment_intent."
                       "succeeded\",\"data\":{\"object\":{"
                       "\"id\":\"pi_3%08llxX%012llx\",\"object\":\"payment_intent\",\"amount\":"
                       "2000,\"amount_received\":2000,"
                       "\"currency\":\"usd\",\"status\":\"succeeded\",\"metadata\":{\"order_id\":"
                       "\"order-%llu\"},\"description\":\"",
                       now, (unsigned long long)(chance ^ n) & 0xffffffffffff, now, now,
                       (unsigned long long)(chance ^ n) & 0xffffffffffff, (unsigned long long)n);
    memset(body + len, 'x', BODY_BYTES - (size_t)len - 4);
    memcpy(body + BODY_BYTES - 4, "\"}}}", 4);
    return BODY_BYTES;
}

static void fail(const char *what)
{
    fprintf(stderr, "bench_ingest: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void make_request(struct sender *s, int64_t due_us)
{
    static const char secret[] = "whsec_bench", digits[] = "0123456789abcdef";
    static EVP_MAC_CTX *keyed;
    char body[BODY_BYTES + 1], signed_text[BODY_BYTES + 32], hex[65];
    unsigned char mac[32];
    size_t mac_len = 0;
    size_t body_len = make_body(body);
    int start = snprintf(signed_text, sizeof signed_text, "%lld.", (long long)time(NULL));
    memcpy(signed_text + start, body, body_len);
    if (keyed == NULL) {
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
            OSSL_PARAM_END};
        keyed = EVP_MAC_CTX_new(EVP_MAC_fetch(NULL, "HMAC", NULL));
        if (EVP_MAC_init(keyed, (const unsigned char *)secret, sizeof secret - 1, params) != 1)
            fail("HMAC");
    }
    if (EVP_MAC_init(keyed, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(keyed, (unsigned char *)signed_text, (size_t)start + body_len) != 1 ||
        EVP_MAC_final(keyed, mac, &mac_len, sizeof mac) != 1)
        fail("HMAC");
    for (size_t i = 0; i < sizeof mac; i++) {
        hex[2 * i] = digits[mac[i] >> 4];
        hex[2 * i + 1] = digits[mac[i] & 15];
    }
    hex[64] = '\0';
    int head = snprintf(s->request, sizeof s->request,
                        "POST /webhooks/%s HTTP/1.1\r\nHost: hooks.example.com\r\nUser-Agent: "
                        "Stripe/1.0\r\nAccept: */*\r\n"
                        "Content-Type: application/json; charset=utf-8\r\nStripe-Signature: "
                        "t=%.*s,v1=%s\r\nContent-Length: %zu\r\n\r\n",
                        endpoint, start - 1, signed_text, hex, body_len);
    memcpy(s->request + head, body, body_len);
    s->len = (size_t)head + body_len;
    s->sent = s->answer_len = 0;
    s->due_us = due_us;
    s->busy = true;
}

static void send_some(struct sender *s)
{
    while (s->sent < s->len) {
        ssize_t n = write(s->fd, s->request + s->sent, s->len - s->sent);
        if (n < 0 && errno == EAGAIN)
            return; /* the next event goes on with it */
        if (n <= 0)
            fail("a connection was closed");
        s->sent += (size_t)n;
    }
}

/* True: the answer is complete. Answers of success have no body, or a short one with its length. */
static bool receive(struct sender *s)
{
    ssize_t n = read(s->fd, s->answer + s->answer_len, sizeof s->answer - s->answer_len);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0)
        fail("a connection was closed");
    s->answer_len += (size_t)n;
    struct ph_slice answer = ph_slice_of(s->answer, s->answer_len);
    size_t end = ph_slice_find(answer, PH_S("\r\n\r\n"), 0),
           length = ph_slice_find(answer, PH_S("content-length: "), 0);
    if (end == SIZE_MAX || length == SIZE_MAX ||
        s->answer_len < end + 4 + strtoul(s->answer + length + 16, NULL, 10))
        return false;
    refused += !ph_slice_starts(answer, PH_S("HTTP/1.1 200"));
    return true;
}

/* ---- the run --------------------------------------------------------------------------------- */

static void run(int epoll, size_t count, int64_t rate, int64_t start_us, int64_t end_us)
{
    int64_t asked = 0;
    size_t busy = 0, turn = 0;
    for (;;) {
        int64_t now_us = ph_os_steady_us();
        for (size_t i = 0; i < count && now_us < end_us; i++) {
            int64_t due_us = rate > 0 ? start_us + asked * 1000000 / rate : now_us;
            if (due_us > now_us)
                break;
            struct sender *s = &senders[turn];
            turn = (turn + 1) % count; /* each in its turn: one that stays idle is closed on */
            if (s->busy)
                continue;
            asked++;
            busy++;
            make_request(s, due_us);
            send_some(s);
        }
        if (now_us >= end_us && busy == 0)
            return;
        struct epoll_event events[256];
        int ready = epoll_wait(epoll, events, 256, 1);
        for (int i = 0; i < ready; i++) {
            struct sender *s = events[i].data.ptr;
            if (!s->busy)
                continue;
            send_some(s);
            if (!receive(s))
                continue;
            if (latency_count < LATENCIES_MAX)
                latencies[latency_count++] = (int32_t)(ph_os_steady_us() - s->due_us);
            s->busy = false;
            busy--;
        }
    }
}

static void connect_all(int epoll, const char *port, size_t count)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atol(port)),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    for (size_t i = 0; i < count; i++) {
        struct sender *s = &senders[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
        s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (s->fd < 0 || connect(s->fd, (struct sockaddr *)&to, sizeof to) != 0 ||
            fcntl(s->fd, F_SETFL, O_NONBLOCK) != 0 ||
            epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event) != 0)
            fail("cannot connect");
    }
}

int main(int argc, char **argv)
{
    static struct probe probe;
    pthread_t thread;
    if (argc < 5) {
        fprintf(stderr, "usage: bench_ingest PORT ENDPOINT SECONDS CONNECTIONS [RATE [FOLDER]]\n");
        return 2;
    }
    endpoint = argv[2];
    int64_t seconds = atol(argv[3]), rate = argc > 5 ? atol(argv[5]) : 0;
    size_t count =
        (size_t)atol(argv[4]) < CONNECTIONS_MAX ? (size_t)atol(argv[4]) : CONNECTIONS_MAX;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    latencies = malloc(LATENCIES_MAX * sizeof *latencies);
    next_id = (uint64_t)ph_os_unix_ms() << 20;
    probe.folder = argc > 6 ? argv[6] : NULL;
    connect_all(epoll, argv[1], count);
    bool probing = probe.folder != NULL && pthread_create(&thread, NULL, run_probe, &probe) == 0;
    int64_t start_us = ph_os_steady_us(), start_cpu_us = cpu_us();
    run(epoll, count, rate, start_us, start_us + seconds * 1000000);
    int64_t took_us = ph_os_steady_us() - start_us, took_cpu_us = cpu_us() - start_cpu_us;
    probe.stop = true;
    if (probing)
        pthread_join(thread, NULL);
    if (latency_count == 0)
        fail("nothing was answered");
    qsort(latencies, latency_count, sizeof *latencies, by_value);
    printf("{\"requests\":%zu,\"refused\":%zu,\"per_second\":%lld,\"p50_us\":%d,\"p99_us\":%d,"
           "\"worst_us\":%d,\"cpu_us\":%lld",
           latency_count, refused, (long long)latency_count * 1000000 / (long long)took_us,
           latencies[latency_count / 2], latencies[latency_count * 99 / 100],
           latencies[latency_count - 1], (long long)took_cpu_us);
    if (probe.count > 0) {
        qsort(probe.us, probe.count, sizeof *probe.us, by_value);
        printf(",\"probe_p50_us\":%d,\"probe_p99_us\":%d,\"probe_worst_us\":%d",
               probe.us[probe.count / 2], probe.us[probe.count * 99 / 100],
               probe.us[probe.count - 1]);
    }
    printf("}\n");
    return refused > 0;
}
