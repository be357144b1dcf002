/* Requests of ours against a small TLS server in this process, on loopback. The name in the URLs is
 * in its certificate; connect_to brings them here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those above */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/address.h"
#include "client/callouts.h"
#include "client/client.h"
#include "gateway/proven.h"
#include "os/heap.h"

/* ---- addresses ------------------------------------------------------------------------------- */

static bool is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return ph_address_is_public((const struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return ph_address_is_public((const struct sockaddr *)&in6);
}

static void addresses_inside_are_told_from_public_ones(void **state)
{
    static const char *const inside[] = {"0.0.0.0",
                                         "10.1.2.3",
                                         "100.64.0.1",
                                         "127.0.0.1",
                                         "127.255.255.255",
                                         "169.254.169.254",
                                         "172.16.0.1",
                                         "172.31.255.255",
                                         "192.0.0.1",
                                         "192.168.1.1",
                                         "198.18.0.1",
                                         "224.0.0.1",
                                         "240.0.0.1",
                                         "255.255.255.255",
                                         "::",
                                         "::1",
                                         "::ffff:10.0.0.1",
                                         "::ffff:127.0.0.1",
                                         "64:ff9b::a00:1",
                                         "64:ff9b:1::1",
                                         "2002:7f00:1::",
                                         "2002:c0a8:101::1",
                                         "fc00::1",
                                         "fd12:3456::1",
                                         "fe80::1",
                                         "fec0::1",
                                         "ff02::1",
                                         "2001:db8::1",
                                         "2001::1",
                                         "::7f00:1",
                                         "4000::1"};
    static const char *const outside[] = {"1.1.1.1",         "9.255.255.255",  "11.0.0.0",
                                          "100.63.255.255",  "100.128.0.0",    "172.15.255.255",
                                          "172.32.0.0",      "192.169.0.0",    "223.255.255.255",
                                          "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101",
                                          "2002:101:101::1", "2a00:1450::1"};
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(inside); i++)
        if (is_public(inside[i]))
            fail_msg("%s passes for a public address", inside[i]);
    for (size_t i = 0; i < PH_COUNTOF(outside); i++)
        if (!is_public(outside[i]))
            fail_msg("%s does not pass for a public address", outside[i]);
    struct sockaddr other = {.sa_family = AF_UNIX};
    assert_false(ph_address_is_public(&other));
}

/* ---- the server ------------------------------------------------------------------------------ */

static struct {
    pthread_t thread;
    SSL_CTX *context;
    int listener;
    char address[32], ca_file[64], pem[4096];
    atomic_int requests;
    atomic_bool stopping, leaving;
} server;

static SSL_CTX *make_context(const char *ca_file)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *certificate = X509_new();
    assert_non_null(key);
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"keys.example", -1,
                               -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:keys.example");
    X509_EXTENSION *authority = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE");
    X509_add_ext(certificate, names, -1);
    X509_add_ext(certificate, authority, -1);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    FILE *file = fopen(ca_file, "w");
    assert_non_null(file);
    PEM_write_X509(file, certificate);
    fclose(file);
    file = fopen(ca_file, "r");
    assert_non_null(file);
    server.pem[fread(server.pem, 1, sizeof server.pem - 1, file)] = '\0';
    fclose(file);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(context, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(context, key), 1);
    X509_EXTENSION_free(names);
    X509_EXTENSION_free(authority);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

#define KEYS "{\"keys\":[{\"kid\":\"1\",\"kty\":\"RSA\"}]}"

/* What each path answers. */
static void answer(SSL *tls, const char *request)
{
    static char big[300 * 1024];
    char text[8192];
    const char *path = strchr(request, '/');
    if (strncmp(path, "/slow", 5) == 0)
        usleep(300 * 1000);
    if (strncmp(path, "/never", 6) == 0) {
        for (int i = 0; i < 100 && !atomic_load(&server.stopping); i++)
            usleep(20 * 1000);
        return;
    }
    if (strncmp(path, "/big", 4) == 0) {
        memset(big, 'x', sizeof big);
        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", sizeof big);
        SSL_write(tls, text, (int)strlen(text));
        SSL_write(tls, big, sizeof big);
        return;
    }
    int status = strncmp(path, "/500", 4) == 0                                            ? 500
                 : strncmp(path, "/302", 4) == 0                                          ? 302
                 : strncmp(path, "/jwks?leaves", 12) == 0 && atomic_load(&server.leaving) ? 410
                                                                                          : 200;
    const char *body = strstr(request, "X-Told: yes") != NULL ? "told"
                       : strncmp(path, "/garbage", 8) == 0    ? "<html>back soon</html>"
                       : strncmp(path, "/none", 5) == 0       ? "{\"keys\":[]}"
                       : strncmp(path, "/slow", 5) == 0 || strncmp(path, "/cert", 5) == 0
                           ? server.pem
                           : KEYS;
    snprintf(text, sizeof text,
             "HTTP/1.1 %d X\r\nLocation: https://keys.example/keys\r\nRetry-After: "
             "7\r\nCache-Control: max-age=120\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             status, strlen(body), body);
    SSL_write(tls, text, (int)strlen(text));
}

static void *serve_connection(void *arg)
{
    SSL *tls = SSL_new(server.context);
    SSL_set_fd(tls, (int)(intptr_t)arg);
    if (SSL_accept(tls) == 1) {
        char request[8192];
        for (int got; (got = SSL_read(tls, request, sizeof request - 1)) > 0;) {
            request[got] = '\0';
            atomic_fetch_add(&server.requests, 1);
            answer(tls, request);
        }
    }
    SSL_free(tls);
    close((int)(intptr_t)arg);
    return NULL;
}

static void *serve(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(server.listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

static int start_server(void **state)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    (void)state;
    signal(SIGPIPE, SIG_IGN); /* this server's clients leave when they like */
    snprintf(server.ca_file, sizeof server.ca_file, "/tmp/payhook-client-%d.pem", (int)getpid());
    server.context = make_context(server.ca_file);
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server.listener, (struct sockaddr *)&in, sizeof in) != 0 ||
        listen(server.listener, 64) != 0 ||
        getsockname(server.listener, (struct sockaddr *)&in, &len) != 0)
        return -1;
    snprintf(server.address, sizeof server.address, "127.0.0.1:%d", ntohs(in.sin_port));
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int stop_server(void **state)
{
    (void)state;
    atomic_store(&server.stopping, true);
    shutdown(server.listener, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.listener);
    usleep(100 * 1000); /* connections' threads see their clients go */
    SSL_CTX_free(server.context);
    unlink(server.ca_file);
    return 0;
}

/* ---- asking ---------------------------------------------------------------------------------- */

struct heard {
    pthread_mutex_t lock;
    pthread_cond_t told;
    int count;
    enum ph_client_result result;
    int status;
    bool ok;
    size_t body_bytes;
    char body[64], reason[200], retry_after[16];
    int64_t age_ms;
};

static void heard_init(struct heard *h)
{
    memset(h, 0, sizeof *h);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->told, NULL);
}

static void copy(char *out, size_t room, struct ph_slice text)
{
    snprintf(out, room, "%.*s", (int)text.len, text.ptr != NULL ? text.ptr : "");
}

static void on_response(void *ctx, const struct ph_client_response *response)
{
    struct heard *h = ctx;
    pthread_mutex_lock(&h->lock);
    h->count++;
    h->result = response->result;
    h->status = response->status;
    h->body_bytes = response->body.len;
    copy(h->body, sizeof h->body, response->body);
    copy(h->reason, sizeof h->reason, response->reason);
    copy(h->retry_after, sizeof h->retry_after, ph_client_header(response, PH_S("retry-AFTER")));
    pthread_cond_broadcast(&h->told);
    pthread_mutex_unlock(&h->lock);
}

static void wait_for(struct heard *h, int count)
{
    pthread_mutex_lock(&h->lock);
    while (h->count < count)
        pthread_cond_wait(&h->told, &h->lock);
    pthread_mutex_unlock(&h->lock);
}

static struct ph_client *new_client(void)
{
    struct ph_client_options options = {.ca_file = server.ca_file, .connect_to = server.address};
    struct ph_client *client = ph_client_new(&options);
    assert_non_null(client);
    return client;
}

static struct ph_client_request get(const char *url)
{
    return (struct ph_client_request){.method = PH_S("GET"),
                                      .url = ph_slice_str(url),
                                      .connect_ms = 2000,
                                      .total_ms = 2000,
                                      .response_bytes_max = 64 * 1024,
                                      .https_only = true,
                                      .allow_private = true};
}

static void ask(struct ph_client *client, const struct ph_client_request *request, struct heard *h)
{
    heard_init(h);
    assert_int_equal(ph_client_submit(client, request, on_response, h), PH_OK);
    wait_for(h, 1);
}

static void a_response_of_any_status_is_an_answer(void **state)
{
    struct ph_client *client = new_client();
    struct heard h;
    (void)state;
    struct ph_header header = {PH_S("X-Told"), PH_S("yes")};
    struct ph_client_request request = get("https://keys.example/x");
    request.headers = &header;
    request.header_count = 1;
    ask(client, &request, &h);
    assert_int_equal(h.result, PH_CLIENT_ANSWERED);
    assert_int_equal(h.status, 200);
    assert_string_equal(h.body, "told");
    assert_string_equal(h.retry_after, "7");
    request = get("https://keys.example/500");
    ask(client, &request, &h);
    assert_int_equal(h.result, PH_CLIENT_ANSWERED);
    assert_int_equal(h.status, 500);
    ph_client_free(client);
}

static void a_redirect_is_not_followed(void **state)
{
    struct ph_client *client = new_client();
    struct ph_client_request request = get("https://keys.example/302");
    struct heard h;
    (void)state;
    int before = atomic_load(&server.requests);
    ask(client, &request, &h);
    assert_int_equal(h.status, 302);
    assert_int_equal(atomic_load(&server.requests), before + 1);
    ph_client_free(client);
}

static void a_private_address_is_refused_unless_allowed(void **state)
{
    struct ph_client *client = new_client();
    struct ph_client_request request = get("https://keys.example/x");
    struct heard h;
    (void)state;
    int before = atomic_load(&server.requests);
    request.allow_private = false;
    ask(client, &request, &h);
    assert_int_equal(h.result, PH_CLIENT_PRIVATE_ADDRESS);
    assert_int_equal(atomic_load(&server.requests), before);
    ph_client_free(client);
}

static void another_name_than_the_certificates_is_refused(void **state)
{
    struct ph_client *client = new_client();
    struct ph_client_request request = get("https://other.example/x");
    struct heard h;
    (void)state;
    ask(client, &request, &h);
    assert_int_equal(h.result, PH_CLIENT_TLS);
    ph_client_free(client);
}

static void limits_end_a_request(void **state)
{
    struct ph_client *client = new_client();
    struct ph_client_request request = get("https://keys.example/never");
    struct heard h;
    (void)state;
    request.total_ms = 150;
    ask(client, &request, &h);
    assert_int_equal(h.result, PH_CLIENT_TIMEOUT);
    request = get("https://keys.example/big");
    ask(client, &request, &h);
    assert_int_equal(h.result, PH_CLIENT_TOO_LARGE);
    assert_int_equal(h.body_bytes, 0);
    request = get("http://keys.example/x");
    ask(client, &request, &h);
    assert_int_equal(h.result, PH_CLIENT_BAD_URL);
    request = get("file:///etc/passwd");
    ask(client, &request, &h);
    assert_int_equal(h.result, PH_CLIENT_BAD_URL);
    ph_client_free(client);
}

static void a_refused_connection_is_unreachable(void **state)
{
    struct ph_client_options options = {.connect_to = "127.0.0.1:1"};
    struct ph_client *client = ph_client_new(&options);
    struct ph_client_request request = get("https://keys.example/x");
    struct heard h;
    (void)state;
    ask(client, &request, &h);
    assert_int_equal(h.result, PH_CLIENT_UNREACHABLE);
    ph_client_free(client);
}

static void a_pipe_in_a_tls_files_place_is_refused_and_holds_up_nobody(void **state)
{
    char pipe_name[80];
    struct ph_client_request request = get("https://keys.example/x");
    struct heard h;
    (void)state;
    snprintf(pipe_name, sizeof pipe_name, "%s.pipe", server.ca_file);
    assert_int_equal(mkfifo(pipe_name, 0600), 0);
    const char *const bad[] = {pipe_name, "/tmp", "/dev/null", "/tmp/payhook-not-there"};
    for (size_t i = 0; i < PH_COUNTOF(bad); i++) {
        struct ph_client_options options = {.ca_file = bad[i], .connect_to = server.address};
        struct ph_client *client = ph_client_new(&options);
        ask(client, &request, &h);
        assert_int_equal(h.result, PH_CLIENT_TLS);
        ph_client_free(client);
        client = new_client();
        request.certificate_file = bad[i];
        ask(client, &request, &h);
        assert_int_equal(h.result, PH_CLIENT_TLS);
        assert_non_null(strstr(h.reason, "not a regular file"));
        request.certificate_file = NULL;
        ask(client, &request, &h);
        assert_int_equal(h.result, PH_CLIENT_ANSWERED);
        ph_client_free(client);
    }
    unlink(pipe_name);
}

static void a_line_break_never_reaches_a_request(void **state)
{
    static const struct ph_header bad[] = {{PH_SI("X"), PH_SI("a\r\nEvil: 1")},
                                           {PH_SI("X\n"), PH_SI("a")},
                                           {PH_SI(""), PH_SI("a")},
                                           {PH_SI("X:Y"), PH_SI("a")}};
    struct ph_client *client = new_client();
    struct heard h;
    (void)state;
    heard_init(&h);
    for (size_t i = 0; i < PH_COUNTOF(bad); i++) {
        struct ph_client_request request = get("https://keys.example/x");
        request.headers = &bad[i];
        request.header_count = 1;
        assert_int_equal(ph_client_submit(client, &request, on_response, &h), PH_ERR_INVALID);
    }
    struct ph_client_request request = get("https://keys.example/x\r\n");
    assert_int_equal(ph_client_submit(client, &request, on_response, &h), PH_ERR_INVALID);
    assert_int_equal(h.count, 0);
    ph_client_free(client);
}

static void stopping_ends_what_is_in_flight_once(void **state)
{
    struct ph_client *client = new_client();
    struct ph_client_request request = get("https://keys.example/never");
    struct heard h[8];
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(h); i++) {
        heard_init(&h[i]);
        assert_int_equal(ph_client_submit(client, &request, on_response, &h[i]), PH_OK);
    }
    assert_int_equal(ph_client_inflight(client), PH_COUNTOF(h));
    ph_client_free(client);
    for (size_t i = 0; i < PH_COUNTOF(h); i++) {
        assert_int_equal(h[i].count, 1);
        assert_int_equal(h[i].result, PH_CLIENT_STOPPED);
    }
    ph_client_free(NULL);
}

static void more_than_the_limit_in_flight_are_refused(void **state)
{
    struct ph_client_options options = {.connect_to = "127.0.0.1:1"};
    struct ph_client *client = ph_client_new(&options);
    struct ph_client_request request = get("https://keys.example/x");
    static struct heard h;
    int taken = 0;
    (void)state;
    heard_init(&h);
    pthread_mutex_lock(
        &h.lock); /* the first answer blocks the client's thread: the rest stay in flight */
    for (int i = 0; i < PH_CLIENT_INFLIGHT_MAX + 8; i++) {
        enum ph_status st = ph_client_submit(client, &request, on_response, &h);
        assert_true(st == PH_OK || st == PH_ERR_AGAIN);
        taken += st == PH_OK;
    }
    pthread_mutex_unlock(&h.lock);
    assert_int_equal(taken, PH_CLIENT_INFLIGHT_MAX);
    wait_for(&h, taken);
    ph_client_free(client);
}

/* ---- callouts -------------------------------------------------------------------------------- */

static atomic_llong clock_ms;

static int64_t fake_now_ms(void)
{
    return atomic_load(&clock_ms);
}

static void on_callout(void *ctx, const struct ph_callout_result *result)
{
    struct heard *h = ctx;
    pthread_mutex_lock(&h->lock);
    h->count++;
    h->ok = result->ok;
    h->age_ms = result->age_ms;
    h->body_bytes = result->body.len;
    copy(h->body, sizeof h->body, result->body);
    copy(h->reason, sizeof h->reason, result->reason);
    pthread_cond_broadcast(&h->told);
    pthread_mutex_unlock(&h->lock);
}

struct pair {
    struct ph_client *client;
    struct ph_callouts *callouts;
};

static struct pair new_callouts(void)
{
    struct ph_callouts_options options = {
        .allow_private = true, .total_ms = 1500, .now_ms = fake_now_ms};
    struct pair pair = {.client = new_client()};
    atomic_store(&clock_ms, 1000000);
    pair.callouts = ph_callouts_new(pair.client, &options);
    assert_non_null(pair.callouts);
    return pair;
}

static void end_callouts(struct pair *pair)
{
    ph_client_free(pair->client);
    ph_callouts_free(pair->callouts);
}

static void call_out(struct pair *pair, enum ph_fetch_kind kind, const char *url, int64_t fresh_ms,
                     struct heard *h)
{
    struct ph_callout callout = {.kind = kind, .method = PH_S("GET"), .url = ph_slice_str(url)};
    heard_init(h);
    ph_callouts_ask(pair->callouts, &callout, fresh_ms, on_callout, h);
    wait_for(h, 1);
}

static void a_key_set_is_fetched_once_and_kept_as_long_as_it_says(void **state)
{
    struct pair pair = new_callouts();
    struct heard h;
    (void)state;
    int before = atomic_load(&server.requests);
    call_out(&pair, PH_FETCH_JWKS, "https://keys.example/jwks", INT64_MAX, &h);
    assert_true(h.ok);
    assert_string_equal(h.body, KEYS);
    atomic_fetch_add(&clock_ms, 119 * 1000); /* max-age=120 */
    call_out(&pair, PH_FETCH_JWKS, "https://keys.example/jwks", INT64_MAX, &h);
    assert_true(h.ok);
    assert_int_equal(h.age_ms, 119 * 1000);
    assert_int_equal(atomic_load(&server.requests), before + 1);
    call_out(&pair, PH_FETCH_JWKS, "https://keys.example/jwks", 60 * 1000,
             &h); /* must be fresher */
    assert_int_equal(atomic_load(&server.requests), before + 2);
    assert_int_equal(h.age_ms, 0);
    atomic_fetch_add(&clock_ms, 121 * 1000);
    call_out(&pair, PH_FETCH_JWKS, "https://keys.example/jwks", INT64_MAX, &h);
    assert_int_equal(atomic_load(&server.requests), before + 3);
    end_callouts(&pair);
}

static void verdicts_and_events_are_never_kept(void **state)
{
    struct pair pair = new_callouts();
    struct heard h;
    (void)state;
    int before = atomic_load(&server.requests);
    for (int i = 0; i < 2; i++) {
        call_out(&pair, PH_FETCH_VERDICT, "https://keys.example/v", INT64_MAX, &h);
        call_out(&pair, PH_FETCH_EVENT, "https://keys.example/e", INT64_MAX, &h);
    }
    assert_int_equal(atomic_load(&server.requests), before + 4);
    end_callouts(&pair);
}

static void many_waiters_share_one_fetch(void **state)
{
    enum { WAITERS = 20 };
    struct pair pair = new_callouts();
    struct ph_callout callout = {.kind = PH_FETCH_CERTIFICATE,
                                 .method = PH_S("GET"),
                                 .url = PH_S("https://keys.example/slow")};
    static struct heard h;
    struct ph_callout_counts counts;
    (void)state;
    int before = atomic_load(&server.requests);
    heard_init(&h);
    for (int i = 0; i < WAITERS; i++)
        ph_callouts_ask(pair.callouts, &callout, INT64_MAX, on_callout, &h);
    wait_for(&h, WAITERS);
    assert_true(h.ok);
    assert_int_equal(h.body_bytes, strlen(server.pem));
    assert_int_equal(atomic_load(&server.requests), before + 1);
    ph_callouts_counts(pair.callouts, &counts);
    assert_int_equal(counts.joined, WAITERS - 1);
    end_callouts(&pair);
}

static void a_failing_host_is_left_alone_and_then_probed(void **state)
{
    struct pair pair = new_callouts();
    struct heard h;
    (void)state;
    int before = atomic_load(&server.requests);
    for (int i = 0; i < PH_CALLOUT_FAILURES_MAX; i++) {
        call_out(&pair, PH_FETCH_VERDICT, "https://keys.example/500", INT64_MAX, &h);
        assert_false(h.ok);
        assert_non_null(strstr(h.reason, "500"));
    }
    call_out(&pair, PH_FETCH_VERDICT, "https://keys.example/v", INT64_MAX, &h);
    assert_false(h.ok);
    assert_int_equal(atomic_load(&server.requests), before + PH_CALLOUT_FAILURES_MAX);
    atomic_fetch_add(&clock_ms, PH_CALLOUT_PAUSE_MS);
    call_out(&pair, PH_FETCH_VERDICT, "https://keys.example/v", INT64_MAX, &h);
    assert_true(h.ok);
    call_out(&pair, PH_FETCH_VERDICT, "https://keys.example/500", INT64_MAX,
             &h); /* one failure pauses nothing */
    call_out(&pair, PH_FETCH_VERDICT, "https://keys.example/v", INT64_MAX, &h);
    assert_true(h.ok);
    end_callouts(&pair);
}

static bool is_kept(struct pair *pair, const char *url)
{
    struct heard h;
    int before = atomic_load(&server.requests);
    call_out(pair, PH_FETCH_JWKS, url, INT64_MAX, &h);
    assert_true(h.ok);
    return atomic_load(&server.requests) == before;
}

static void addresses_that_strangers_make_up_put_out_nothing_and_pause_nobody(void **state)
{
    struct pair pair = new_callouts();
    struct heard h;
    char url[64];
    (void)state;
    assert_false(is_kept(&pair, "https://keys.example/jwks"));
    for (int i = 0; i < 3 * PH_CALLOUT_FAILURES_MAX; i++) {
        snprintf(url, sizeof url, "https://keys.example/%s?%d",
                 i % 3 == 0   ? "500"
                 : i % 3 == 1 ? "302"
                              : "big",
                 i);
        call_out(&pair, PH_FETCH_JWKS, url, INT64_MAX, &h);
        assert_false(h.ok);
    }
    for (int i = 0; i < PH_CALLOUT_FAILURES_MAX; i++) {
        snprintf(url, sizeof url, "https://keys.example/500?again%d", i);
        call_out(&pair, PH_FETCH_JWKS, url, INT64_MAX, &h);
    }
    call_out(&pair, PH_FETCH_JWKS, "https://keys.example/other", INT64_MAX, &h);
    assert_false(h.ok); /* their like is paused … */
    assert_true(is_kept(&pair, "https://keys.example/jwks"));
    atomic_fetch_add(&clock_ms, 121 * 1000);
    for (int i = 0; i < PH_CALLOUT_FAILURES_MAX; i++) {
        snprintf(url, sizeof url, "https://keys.example/500?later%d", i);
        call_out(&pair, PH_FETCH_JWKS, url, INT64_MAX, &h);
    }
    assert_false(
        is_kept(&pair, "https://keys.example/jwks")); /* … and what has proven good is fetched */
    call_out(&pair, PH_FETCH_VERDICT, "https://keys.example/v", INT64_MAX, &h);
    assert_true(h.ok);
    end_callouts(&pair);
}

static void what_is_kept_stays_whoever_else_is_answered(void **state)
{
    struct pair pair = new_callouts();
    char url[64];
    (void)state;
    assert_false(is_kept(&pair, "https://keys.example/jwks"));
    for (int i = 0; i < 2 * PH_CALLOUT_CACHE_MAX; i++) { /* every one of them is a key set */
        snprintf(url, sizeof url, "https://keys.example/jwks?%d", i);
        assert_false(is_kept(&pair, url));
    }
    assert_true(is_kept(&pair, "https://keys.example/jwks"));
    assert_true(is_kept(&pair, "https://keys.example/jwks?0"));
    snprintf(url, sizeof url, "https://keys.example/jwks?%d", PH_CALLOUT_CACHE_PER_HOST_MAX - 1);
    assert_false(is_kept(&pair, url)); /* one host has so many places and no more */
    atomic_fetch_add(&clock_ms, 121 * 1000);
    assert_false(is_kept(&pair, url)); /* what has expired makes room */
    assert_true(is_kept(&pair, url));
    end_callouts(&pair);
}

static void few_unknown_addresses_are_under_way_at_once_and_known_ones_pass_them(void **state)
{
    struct pair pair = new_callouts();
    struct heard waiting[PH_CALLOUT_UNKNOWN_MAX], h;
    char url[64];
    (void)state;
    assert_false(is_kept(&pair, "https://keys.example/jwks"));
    for (int i = 0; i < PH_CALLOUT_UNKNOWN_MAX; i++) {
        snprintf(url, sizeof url, "https://keys.example/never?%d", i);
        struct ph_callout callout = {
            .kind = PH_FETCH_JWKS, .method = PH_S("GET"), .url = ph_slice_str(url)};
        heard_init(&waiting[i]);
        ph_callouts_ask(pair.callouts, &callout, INT64_MAX, on_callout, &waiting[i]);
    }
    call_out(&pair, PH_FETCH_JWKS, "https://keys.example/one-more", INT64_MAX, &h);
    assert_false(h.ok);
    assert_string_equal(h.reason, "no room for another fetch");
    atomic_fetch_add(&clock_ms, 121 * 1000);
    assert_false(is_kept(&pair, "https://keys.example/jwks"));
    for (int i = 0; i < PH_CALLOUT_UNKNOWN_MAX; i++)
        wait_for(&waiting[i], 1);
    atomic_fetch_add(&clock_ms, PH_CALLOUT_PAUSE_MS); /* they all failed */
    assert_false(is_kept(&pair, "https://keys.example/one-more"));
    end_callouts(&pair);
}

static bool knows(struct pair *pair, const char *url)
{
    struct ph_callout callout = {
        .kind = PH_FETCH_JWKS, .method = PH_S("GET"), .url = ph_slice_str(url)};
    return ph_callouts_knows(pair->callouts, &callout);
}

static void fail_unknown_ones_until_they_pause(struct pair *pair)
{
    struct heard h;
    char url[64];
    for (int i = 0; i < PH_CALLOUT_FAILURES_MAX; i++) {
        snprintf(url, sizeof url, "https://keys.example/500?%d", i);
        call_out(pair, PH_FETCH_JWKS, url, INT64_MAX, &h);
        assert_false(h.ok);
    }
    call_out(pair, PH_FETCH_JWKS, "https://keys.example/jwks?first-seen", INT64_MAX, &h);
    assert_false(h.ok);
}

static void an_address_that_proved_a_request_is_known_after_a_restart_and_no_other_is(void **state)
{
    static const int64_t now_ms = 1795514400000;
    char path[64];
    struct ph_slice body;
    struct ph_arena arena;
    int64_t age_ms;
    (void)state;
    snprintf(path, sizeof path, "/tmp/payhook-proven-%d", (int)getpid());
    struct pair pair = new_callouts();
    assert_false(is_kept(&pair, "https://keys.example/jwks"));
    assert_false(is_kept(&pair, "https://keys.example/jwks?proves-nothing"));
    ph_callouts_prove(pair.callouts, PH_S("https://keys.example/jwks"), now_ms);
    ph_callouts_prove(pair.callouts, PH_S("https://keys.example/never-fetched"), now_ms);
    ph_proven_save(path, pair.callouts, now_ms);
    end_callouts(&pair);

    pair = new_callouts();
    ph_proven_load(path, pair.callouts, now_ms + 1000);
    assert_true(knows(&pair, "https://keys.example/jwks"));
    assert_false(knows(&pair, "https://keys.example/jwks?proves-nothing"));
    assert_false(knows(&pair, "https://keys.example/never-fetched"));
    struct ph_callout callout = {.kind = PH_FETCH_JWKS, .url = PH_S("https://keys.example/jwks")};
    ph_arena_init(&arena, &ph_os_heap, SIZE_MAX / 2, 0);
    assert_false(ph_callouts_peek(pair.callouts, &callout, &arena, &body, &age_ms)); /* V2 */
    ph_arena_done(&arena);
    fail_unknown_ones_until_they_pause(&pair);
    assert_false(is_kept(&pair, "https://keys.example/jwks"));
    assert_true(is_kept(&pair, "https://keys.example/jwks"));
    end_callouts(&pair);

    pair = new_callouts();
    ph_proven_load(path, pair.callouts, now_ms + (int64_t)PH_PROVEN_FOR_DAYS * 24 * 3600 * 1000);
    assert_false(knows(&pair, "https://keys.example/jwks")); /* V3 */
    end_callouts(&pair);
    unlink(path);
}

static void a_file_of_addresses_that_does_not_read_leaves_them_unknown(void **state)
{
    static const int64_t now_ms = 1795514400000;
    char path[64];
    (void)state;
    snprintf(path, sizeof path, "/tmp/payhook-proven-%d", (int)getpid());
    struct pair pair = new_callouts();
    ph_proven_load(path, pair.callouts, now_ms); /* none is there */
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "https://keys.example/a\n1795514300000 http://keys.example/b\n1795514500000 "
                  "https://keys.example/c\n"
                  "x https://keys.example/d\n1795514300000 https://keys.example/e\n1795514300000 "
                  "https://keys.example/f");
    fclose(file);
    ph_proven_load(path, pair.callouts, now_ms);
    for (char name = 'a'; name <= 'f'; name++) {
        char url[] = "https://keys.example/?";
        url[sizeof url - 2] = name;
        assert_int_equal(knows(&pair, url), name == 'e');
    }
    end_callouts(&pair);
    unlink(path);
}

static void strangers_addresses_make_room_before_proven_ones(void **state)
{
    struct pair pair = new_callouts();
    char url[64];
    (void)state;
    assert_false(is_kept(&pair, "https://keys.example/jwks"));
    ph_callouts_prove(pair.callouts, PH_S("https://keys.example/jwks"), 1795514400000);
    for (int i = 0; i < 3 * PH_CALLOUT_CACHE_PER_HOST_MAX; i++) {
        atomic_fetch_add(&clock_ms, 121 * 1000); /* all that went before has expired */
        snprintf(url, sizeof url, "https://keys.example/jwks?%d", i);
        assert_false(is_kept(&pair, url));
    }
    assert_true(knows(&pair, "https://keys.example/jwks"));
    assert_false(knows(&pair, "https://keys.example/jwks?0"));
    end_callouts(&pair);
}

static void an_address_that_its_host_gave_up_is_unknown_once_it_has_expired(void **state)
{
    struct pair pair = new_callouts();
    struct heard h;
    (void)state;
    assert_false(is_kept(&pair, "https://keys.example/jwks?leaves"));
    ph_callouts_prove(pair.callouts, PH_S("https://keys.example/jwks?leaves"), 1795514400000);
    atomic_store(&server.leaving, true);
    call_out(&pair, PH_FETCH_JWKS, "https://keys.example/jwks?leaves", -1, &h);
    assert_false(h.ok);
    assert_true(knows(&pair, "https://keys.example/jwks?leaves"));
    atomic_fetch_add(&clock_ms, 121 * 1000);
    call_out(&pair, PH_FETCH_JWKS, "https://keys.example/jwks?leaves", INT64_MAX, &h);
    assert_false(h.ok);
    assert_false(knows(&pair, "https://keys.example/jwks?leaves"));
    atomic_store(&server.leaving, false);
    end_callouts(&pair);
}

static void what_reads_as_no_key_is_a_failure_and_not_kept(void **state)
{
    static const struct {
        enum ph_fetch_kind kind;
        const char *url;
    } cases[] = {{PH_FETCH_JWKS, "https://keys.example/garbage"},
                 {PH_FETCH_JWKS, "https://keys.example/none"},
                 {PH_FETCH_JWKS, "https://keys.example/cert"},
                 {PH_FETCH_CERTIFICATE, "https://keys.example/garbage?c"},
                 {PH_FETCH_CERTIFICATE, "https://keys.example/jwks"}};
    struct pair pair = new_callouts();
    struct heard h;
    (void)state;
    int before = atomic_load(&server.requests), asked = 0;
    for (size_t i = 0; i < PH_COUNTOF(cases); i++)
        for (int times = 0; times < 2; times++, asked++) {
            call_out(&pair, cases[i].kind, cases[i].url, INT64_MAX, &h);
            assert_false(h.ok);
            assert_non_null(strstr(h.reason, "what is no"));
        }
    assert_int_equal(atomic_load(&server.requests), before + asked); /* and the host lives */
    call_out(&pair, PH_FETCH_CERTIFICATE, "https://keys.example/cert", INT64_MAX, &h);
    assert_true(h.ok);
    end_callouts(&pair);
}

static void a_response_over_the_limit_is_a_sign_of_life(void **state)
{
    struct pair pair = new_callouts();
    struct heard h;
    (void)state;
    for (int i = 0; i < 2 * PH_CALLOUT_FAILURES_MAX; i++) {
        call_out(&pair, PH_FETCH_VERDICT, "https://keys.example/big", INT64_MAX, &h);
        assert_false(h.ok);
    }
    call_out(&pair, PH_FETCH_VERDICT, "https://keys.example/v", INT64_MAX, &h);
    assert_true(h.ok);
    end_callouts(&pair);
}

static void what_is_not_https_is_not_asked(void **state)
{
    struct pair pair = new_callouts();
    struct heard h;
    (void)state;
    call_out(&pair, PH_FETCH_JWKS, "http://keys.example/jwks", INT64_MAX, &h);
    assert_false(h.ok);
    call_out(&pair, PH_FETCH_JWKS, "https:///jwks", INT64_MAX, &h);
    assert_false(h.ok);
    end_callouts(&pair);
}

static void cache_control_is_obeyed_within_bounds(void **state)
{
    static const struct {
        const char *control, *age;
        int64_t seconds;
    } cases[] = {{"max-age=600", NULL, 600},
                 {"public, Max-Age=600", "100", 500},
                 {"max-age=\"300\"", NULL, 300},
                 {"no-store", NULL, 60},
                 {"no-cache, max-age=600", NULL, 60},
                 {"max-age=1", NULL, 60},
                 {"max-age=99999999999999999999", NULL, 24 * 3600},
                 {"max-age=abc", NULL, 3600},
                 {"", NULL, 3600}};
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        struct ph_header headers[] = {
            {PH_S("cache-control"), ph_slice_str(cases[i].control)},
            {PH_S("age"), ph_slice_str(cases[i].age != NULL ? cases[i].age : "0")}};
        struct ph_client_response response = {.headers = headers, .header_count = 2};
        if (ph_callout_keep_ms(&response) != cases[i].seconds * 1000)
            fail_msg("%s keeps %lld ms", cases[i].control,
                     (long long)ph_callout_keep_ms(&response));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_inside_are_told_from_public_ones),
        cmocka_unit_test(a_response_of_any_status_is_an_answer),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(a_private_address_is_refused_unless_allowed),
        cmocka_unit_test(another_name_than_the_certificates_is_refused),
        cmocka_unit_test(limits_end_a_request),
        cmocka_unit_test(a_refused_connection_is_unreachable),
        cmocka_unit_test(a_pipe_in_a_tls_files_place_is_refused_and_holds_up_nobody),
        cmocka_unit_test(a_line_break_never_reaches_a_request),
        cmocka_unit_test(stopping_ends_what_is_in_flight_once),
        cmocka_unit_test(more_than_the_limit_in_flight_are_refused),
        cmocka_unit_test(a_key_set_is_fetched_once_and_kept_as_long_as_it_says),
        cmocka_unit_test(verdicts_and_events_are_never_kept),
        cmocka_unit_test(many_waiters_share_one_fetch),
        cmocka_unit_test(a_failing_host_is_left_alone_and_then_probed),
        cmocka_unit_test(addresses_that_strangers_make_up_put_out_nothing_and_pause_nobody),
        cmocka_unit_test(what_is_kept_stays_whoever_else_is_answered),
        cmocka_unit_test(few_unknown_addresses_are_under_way_at_once_and_known_ones_pass_them),
        cmocka_unit_test(an_address_that_proved_a_request_is_known_after_a_restart_and_no_other_is),
        cmocka_unit_test(a_file_of_addresses_that_does_not_read_leaves_them_unknown),
        cmocka_unit_test(strangers_addresses_make_room_before_proven_ones),
        cmocka_unit_test(an_address_that_its_host_gave_up_is_unknown_once_it_has_expired),
        cmocka_unit_test(what_reads_as_no_key_is_a_failure_and_not_kept),
        cmocka_unit_test(a_response_over_the_limit_is_a_sign_of_life),
        cmocka_unit_test(what_is_not_https_is_not_asked),
        cmocka_unit_test(cache_control_is_obeyed_within_bounds),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
