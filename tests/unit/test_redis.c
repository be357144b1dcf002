/* The Redis destination against a real redis-server, on a spare port of loopback with a folder of
 * its own, and against a server that does not speak as Redis does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those above */

#include <arpa/inet.h>
#include <ctype.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "destination/destination.h"
#include "os/clock.h"

/* ---- the server ------------------------------------------------------------------------------ */

static struct {
    pid_t pid;
    int port, tls_port;
    char folder[64];
    redisContext *client;
} server;

static int spare_port(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
    close(fd);
    return ntohs(in.sin_port);
}

static void start_redis(void)
{
    char port[16], tls_port[16], certificate[96], key[96];
    snprintf(port, sizeof port, "%d", server.port);
    snprintf(tls_port, sizeof tls_port, "%d", server.tls_port);
    snprintf(certificate, sizeof certificate, "%s/cert.pem", server.folder);
    snprintf(key, sizeof key, "%s/key.pem", server.folder);
    pid_t parent = getpid();
    server.pid = fork();
    if (server.pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that is killed leaves nothing behind */
        if (getppid() != parent)
            _exit(127);
        execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir",
               server.folder, "--save", "", "--appendonly", "no", "--logfile", "redis.log",
               "--tls-port", tls_port, "--tls-cert-file", certificate, "--tls-key-file", key,
               "--tls-auth-clients", "no", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500; i++) {
        server.client = redisConnect("127.0.0.1", server.port);
        if (server.client != NULL && server.client->err == 0)
            return;
        redisFree(server.client);
        usleep(20 * 1000);
    }
    fail_msg("redis-server does not start; scripts/bootstrap installs it; see %s/redis.log",
             server.folder);
}

static void stop_redis(void)
{
    redisFree(server.client);
    server.client = NULL;
    kill(server.pid, SIGCONT);
    kill(server.pid, SIGKILL);
    waitpid(server.pid, NULL, 0);
}

static int start(void **state)
{
    char command[512];
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(server.folder, sizeof server.folder, "/tmp/payhook-redis-%d", (int)getpid());
    snprintf(command, sizeof command,
             "mkdir -p %s && openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "
             "/CN=redis.example -addext "
             "subjectAltName=IP:127.0.0.1 -keyout %s/key.pem -out %s/cert.pem 2>/dev/null",
             server.folder, server.folder, server.folder);
    assert_int_equal(system(command), 0);
    server.port = spare_port();
    server.tls_port = spare_port();
    start_redis();
    return 0;
}

static int stop(void **state)
{
    char command[128];
    (void)state;
    stop_redis();
    snprintf(command, sizeof command, "rm -rf %s", server.folder);
    return system(command);
}

static redisReply *ask(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = redisvCommand(server.client, format, args);
    va_end(args);
    assert_non_null(reply);
    return reply;
}

static int64_t ask_number(const char *format, const char *word)
{
    redisReply *reply = ask(format, word);
    int64_t number = reply->integer;
    freeReplyObject(reply);
    return number;
}

/* ---- a destination --------------------------------------------------------------------------- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t news;
    int ended;
    struct ph_outcome last;
    char reason[256];
    size_t accepted;
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER, .news = PTHREAD_COND_INITIALIZER};

static char url[128], stream[64], ca_file[96];
static struct ph_destination_settings settings;
static struct ph_destination *destination;

static int fresh(void **state)
{
    static int number;
    (void)state;
    heard.ended = 0;
    heard.accepted = 0;
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", server.port);
    snprintf(stream, sizeof stream, "payhook:%d", ++number);
    snprintf(ca_file, sizeof ca_file, "%s/cert.pem", server.folder);
    settings = (struct ph_destination_settings){.url = ph_slice_str(url),
                                                .allow_private = true,
                                                .connect_ms = 2000,
                                                .total_ms = 2000,
                                                .stream = ph_slice_str(stream)};
    return 0;
}

static int close_destination(void **state)
{
    (void)state;
    ph_destination_close(destination);
    destination = NULL;
    return 0;
}

static void open_it(void)
{
    assert_int_equal(ph_destination_open(&settings, &destination), PH_OK);
}

static void on_done(void *ctx, const struct ph_outcome *outcome)
{
    (void)ctx;
    pthread_mutex_lock(&heard.lock);
    heard.ended++;
    heard.last = *outcome;
    heard.accepted += outcome->accepted;
    snprintf(heard.reason, sizeof heard.reason, "%.*s", (int)outcome->reason.len,
             outcome->reason.len > 0 ? outcome->reason.ptr : "");
    pthread_cond_signal(&heard.news);
    pthread_mutex_unlock(&heard.lock);
}

static void send_some(size_t count, int first)
{
    static char ids[256][32];
    struct ph_inbox_due due[256];
    struct ph_notice notices[256];
    for (size_t i = 0; i < count; i++) {
        snprintf(ids[i], sizeof ids[i], "evt_%zu", (size_t)first + i);
        due[i] =
            (struct ph_inbox_due){.event_id = ph_slice_str(ids[i]),
                                  .type = PH_S("CHARGE_REFUNDED"),
                                  .subject = PH_S("pi_1"),
                                  .connector = PH_S("stripe"),
                                  .endpoint = PH_S("shop"),
                                  .received_ms = 1764453600000,
                                  .late = true,
                                  .answer = PH_S("{\"event_type\":\"WEBHOOK_REFUND_SUCCESS\"}")};
        notices[i] = (struct ph_notice){.due = &due[i], .attempt = 2};
    }
    assert_int_equal(ph_destination_send(destination, notices, count, 0, on_done, NULL), PH_OK);
}

static void wait_for(int ended)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&heard.lock);
    while (heard.ended < ended)
        assert_int_equal(pthread_cond_timedwait(&heard.news, &heard.lock, &until), 0);
    pthread_mutex_unlock(&heard.lock);
}

static enum ph_told told_of(size_t count, int first)
{
    int before = heard.ended;
    send_some(count, first);
    wait_for(before + 1);
    return heard.last.told;
}

/* ---- promises -------------------------------------------------------------------------------- */

static void an_event_is_an_entry_with_its_attributes_as_fields(void **state)
{
    static const char *const want[] = {"specversion",
                                       "1.0",
                                       "id",
                                       "evt_1",
                                       "source",
                                       "/webhooks/shop",
                                       "type",
                                       "CHARGE_REFUNDED",
                                       "subject",
                                       "pi_1",
                                       "time",
                                       "2025-11-29T22:00:00Z",
                                       "datacontenttype",
                                       "application/json",
                                       "connector",
                                       "stripe",
                                       "receivedtime",
                                       "2025-11-29T22:00:00Z",
                                       "attempt",
                                       "2",
                                       "late",
                                       "true",
                                       "data",
                                       "{\"event_type\":\"WEBHOOK_REFUND_SUCCESS\"}"};
    (void)state;
    open_it();
    assert_int_equal(told_of(1, 1), PH_TOLD_ACCEPTED);
    redisReply *reply = ask("XRANGE %s - +", stream);
    assert_int_equal(reply->elements, 1);
    redisReply *fields = reply->element[0]->element[1];
    assert_int_equal(fields->elements, PH_COUNTOF(want));
    for (size_t i = 0; i < PH_COUNTOF(want); i++)
        assert_string_equal(fields->element[i]->str, want[i]);
    freeReplyObject(reply);
}

static void parcels_are_entries_in_their_order(void **state)
{
    (void)state;
    open_it();
    for (int i = 0; i < 20; i++)
        send_some(100, i * 100);
    wait_for(20);
    assert_int_equal(heard.accepted, 2000);
    redisReply *reply = ask("XRANGE %s - +", stream);
    assert_int_equal(reply->elements, 2000);
    for (size_t i = 0; i < 2000; i++) {
        char id[32];
        snprintf(id, sizeof id, "evt_%zu", i);
        assert_string_equal(reply->element[i]->element[1]->element[3]->str, id);
    }
    freeReplyObject(reply);
}

static void a_stream_is_cut_where_asked(void **state)
{
    (void)state;
    settings.stream_length = 100;
    open_it();
    for (int i = 0; i < 20; i++)
        assert_int_equal(told_of(100, i * 100), PH_TOLD_ACCEPTED);
    assert_in_range(ask_number("XLEN %s", stream), 100, 400);
}

static void a_user_and_a_database_are_said_first(void **state)
{
    char with_database[160];
    (void)state;
    freeReplyObject(ask("ACL SETUSER shop on >s3cret-of-the-shop ~* +@all"));
    snprintf(with_database, sizeof with_database, "%s/3", url);
    settings.url = ph_slice_str(with_database);
    settings.username = PH_S("shop");
    settings.password = PH_S("s3cret-of-the-shop");
    open_it();
    assert_int_equal(told_of(1, 1), PH_TOLD_ACCEPTED);
    assert_int_equal(ask_number("EXISTS %s", stream), 0);
    freeReplyObject(ask("SELECT 3"));
    assert_int_equal(ask_number("EXISTS %s", stream), 1);
    freeReplyObject(ask("SELECT 0"));
}

static void a_wrong_password_fails_and_is_not_repeated(void **state)
{
    (void)state;
    settings.username = PH_S("shop");
    settings.password = PH_S("another-s3cret");
    open_it();
    assert_int_equal(told_of(1, 1), PH_TOLD_FAILED);
    assert_non_null(strstr(heard.reason, "WRONGPASS"));
    assert_null(strstr(heard.reason, "another"));
    assert_int_equal(heard.last.accepted, 0);
}

static void an_error_of_redis_is_a_failure_with_its_text(void **state)
{
    (void)state;
    freeReplyObject(ask("SET %s x", stream));
    open_it();
    assert_int_equal(told_of(3, 1), PH_TOLD_FAILED);
    assert_non_null(strstr(heard.reason, "WRONGTYPE"));
    assert_int_equal(heard.last.accepted, 0);
    freeReplyObject(ask("DEL %s", stream));
    assert_int_equal(told_of(3, 1), PH_TOLD_ACCEPTED);
}

static void a_server_that_goes_and_comes_back_is_found_again(void **state)
{
    (void)state;
    open_it();
    assert_int_equal(told_of(1, 1), PH_TOLD_ACCEPTED);
    stop_redis();
    assert_int_equal(told_of(1, 2), PH_TOLD_FAILED);
    assert_non_null(strstr(heard.reason, "refused"));
    start_redis();
    assert_int_equal(told_of(1, 3), PH_TOLD_ACCEPTED); /* at the first attempt */
    stop_redis();
    start_redis();
    assert_int_equal(told_of(1, 4), PH_TOLD_ACCEPTED); /* the old connection is seen to be dead */
}

static void a_server_that_hangs_is_given_up_on_in_time(void **state)
{
    (void)state;
    settings.total_ms = 300;
    open_it();
    assert_int_equal(told_of(1, 1), PH_TOLD_ACCEPTED);
    kill(server.pid, SIGSTOP);
    int64_t from_ms = ph_os_steady_ms();
    enum ph_told told = told_of(1, 2);
    int64_t took_ms = ph_os_steady_ms() - from_ms;
    kill(server.pid, SIGCONT);
    assert_int_equal(told, PH_TOLD_FAILED);
    assert_string_equal(heard.reason, "timed out");
    assert_in_range(took_ms, 250, 2000);
}

static void closing_does_not_wait_for_an_answer(void **state)
{
    (void)state;
    settings.total_ms = 60 * 1000;
    open_it();
    assert_int_equal(told_of(1, 1), PH_TOLD_ACCEPTED);
    kill(server.pid, SIGSTOP);
    send_some(1, 2);
    usleep(50 * 1000);
    int64_t from_ms = ph_os_steady_ms();
    send_some(1, 3); /* not even begun */
    ph_destination_close(destination);
    destination = NULL;
    int64_t took_ms = ph_os_steady_ms() - from_ms;
    kill(server.pid, SIGCONT);
    assert_in_range(took_ms, 0, 1000);
    assert_int_equal(heard.ended, 3);
    assert_int_equal(heard.last.told, PH_TOLD_RETURNED);
}

static void a_private_address_is_not_connected_to_unless_allowed(void **state)
{
    (void)state;
    settings.allow_private = false;
    open_it();
    int64_t before = ask_number("XLEN %s", stream);
    assert_int_equal(told_of(1, 1), PH_TOLD_FAILED);
    assert_non_null(strstr(heard.reason, "private address"));
    assert_int_equal(ask_number("XLEN %s", stream), before);
}

static void tls_is_spoken_with_whom_the_certificate_names(void **state)
{
    (void)state;
    snprintf(url, sizeof url, "rediss://127.0.0.1:%d", server.tls_port);
    settings.url = ph_slice_str(url);
    open_it();
    assert_int_equal(told_of(1, 1), PH_TOLD_FAILED); /* no authority of the system's */
    assert_non_null(strstr(heard.reason, "certificate"));
    ph_destination_close(destination);
    settings.ca_file = ph_slice_str(ca_file);
    open_it();
    assert_int_equal(told_of(100, 1), PH_TOLD_ACCEPTED);
    assert_int_equal(told_of(100, 101), PH_TOLD_ACCEPTED);
    ph_destination_close(destination);
    snprintf(url, sizeof url, "rediss://localhost:%d",
             server.tls_port); /* it names the address only */
    settings.url = ph_slice_str(url);
    open_it();
    assert_int_equal(told_of(1, 1), PH_TOLD_FAILED);
    assert_non_null(strstr(heard.reason, "mismatch"));
}

/* ---- one that is no Redis -------------------------------------------------------------------- */

struct liar {
    int listener, port;
    const char *says;
    bool endless; /* it never comes to the end of what it says */
    bool first;   /* it says it before it has heard anything, and hears it all */
    size_t written;
    pthread_t thread;
};

static void *lie(void *arg)
{
    struct liar *liar = arg;
    char room[4096];
    int fd = accept(liar->listener, NULL, NULL);
    if (fd < 0)
        return NULL;
    if (!liar->first)
        (void)!read(fd, room, sizeof room);
    (void)!write(fd, liar->says, strlen(liar->says));
    while (liar->first && read(fd, room, sizeof room) > 0)
        ;
    while (liar->endless && write(fd, room, sizeof room) > 0)
        liar->written += sizeof room;
    (void)!read(fd, room, sizeof room); /* until we leave */
    close(fd);
    return NULL;
}

/* Opens a destination there. */
static void begin_lying(struct liar *liar)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    liar->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(liar->listener, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(liar->listener, 4), 0);
    assert_int_equal(getsockname(liar->listener, (struct sockaddr *)&in, &len), 0);
    pthread_create(&liar->thread, NULL, lie, liar);
    snprintf(url, sizeof url, "redis://127.0.0.1:%d", ntohs(in.sin_port));
    settings.url = ph_slice_str(url);
    open_it();
}

static void end_lying(struct liar *liar)
{
    ph_destination_close(destination);
    destination = NULL;
    shutdown(liar->listener, SHUT_RDWR);
    pthread_join(liar->thread, NULL);
    close(liar->listener);
}

static enum ph_told told_by(const char *says, bool endless, size_t *ret_written)
{
    struct liar liar = {.says = says, .endless = endless};
    settings.total_ms = endless ? 10 * 1000 : 300;
    begin_lying(&liar);
    enum ph_told told = told_of(1, 1);
    end_lying(&liar);
    *ret_written = liar.written;
    return told;
}

static void what_is_no_redis_accepts_nothing(void **state)
{
    static const char *const lies[] = {"HTTP/1.1 200 OK\r\n\r\n",
                                       "*1000000000\r\n",
                                       "*-1\r\n",
                                       "$-1\r\n",
                                       "+OK\r\n",
                                       ":1\r\n",
                                       "$999999999\r\n",
                                       "$4\r\nab",
                                       "\r\n",
                                       "-ERR no\r\n",
                                       "$0\r\n\r\n",
                                       "$2\r\nOK\r\n",
                                       "$2\r\n1-\r\n",
                                       "$2\r\n-1\r\n",
                                       "$5\r\n1-1-1\r\n",
                                       "$3\r\n1-a\r\n",
                                       "$3\r\n1.1\r\n",
                                       "+1-1\r\n"};
    size_t written;
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(lies); i++) {
        assert_int_equal(told_by(lies[i], false, &written), PH_TOLD_FAILED);
        assert_int_equal(heard.accepted, 0);
    }
    assert_int_equal(told_by("$3\r\n1-1\r\n", false, &written),
                     PH_TOLD_ACCEPTED); /* the same way, by one that is */
}

#define FIVE_IDS "$3\r\n1-1\r\n$3\r\n1-2\r\n$3\r\n1-3\r\n$3\r\n1-4\r\n$3\r\n1-5\r\n"

static void what_nobody_asked_for_accepts_nothing(void **state)
{
    struct liar liar = {.says = FIVE_IDS};
    (void)state;
    settings.total_ms = 300;
    begin_lying(&liar);
    assert_int_equal(told_of(1, 1), PH_TOLD_ACCEPTED);
    for (int i = 2; i <= 4; i++)
        assert_int_equal(told_of(1, i), PH_TOLD_FAILED);
    assert_int_equal(heard.accepted, 1);
    end_lying(&liar);
}

/* Parcels that no socket holds: while they are being written, what was said before is there. */
static void what_is_said_before_an_entry_is_written_accepts_it_not(void **state)
{
    enum { BYTES = 16 * 1024 * 1024, PARCELS = 3 };
    struct liar liar = {.says = FIVE_IDS, .first = true};
    char *large = malloc(BYTES);
    (void)state;
    memset(large, 'x', BYTES);
    settings.total_ms = 1000;
    begin_lying(&liar);
    struct ph_inbox_due due = {.event_id = PH_S("evt_1"),
                               .type = PH_S("CHARGE_REFUNDED"),
                               .connector = PH_S("stripe"),
                               .endpoint = PH_S("shop"),
                               .answer = ph_slice_of(large, BYTES)};
    struct ph_notice notice = {.due = &due, .attempt = 1};
    for (int i = 0; i < PARCELS; i++)
        assert_int_equal(ph_destination_send(destination, &notice, 1, 0, on_done, NULL), PH_OK);
    wait_for(PARCELS);
    assert_true(heard.accepted <= 1);
    end_lying(&liar);
    free(large);
}

static void an_answer_without_an_end_is_not_listened_to(void **state)
{
    size_t written;
    (void)state;
    int64_t from_ms = ph_os_steady_ms();
    assert_int_equal(told_by("$500000000\r\n", true, &written), PH_TOLD_FAILED);
    assert_in_range(ph_os_steady_ms() - from_ms, 0, 5000);
    assert_in_range(written, 64 * 1024, 16 * 1024 * 1024); /* ours, and what the sockets hold */
}

static void a_url_that_says_too_little_is_refused(void **state)
{
    static const char *const urls[] = {
        "redis://",      "redis://:6379", "redis://h:0", "redis://h:66000", "redis://h:x",
        "redis://u:p@h", "redis://[::1",  "redis://h/x", "redis://h/-1",    "amqp://h"};
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(urls); i++) {
        settings.url = ph_slice_str(urls[i]);
        if (ph_destination_open(&settings, &destination) == PH_OK)
            fail_msg("%s is taken", urls[i]);
    }
    static const char *const good[] = {"redis://h", "redis://[::1]", "redis://[::1]:6380/2",
                                       "rediss://h/0", "redis://h/"};
    for (size_t i = 0; i < PH_COUNTOF(good); i++) {
        settings.url = ph_slice_str(good[i]);
        open_it();
        ph_destination_close(destination);
        destination = NULL;
    }
}

#define PROMISE(test) cmocka_unit_test_setup_teardown(test, fresh, close_destination)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(an_event_is_an_entry_with_its_attributes_as_fields),
        PROMISE(parcels_are_entries_in_their_order),
        PROMISE(a_stream_is_cut_where_asked),
        PROMISE(a_user_and_a_database_are_said_first),
        PROMISE(a_wrong_password_fails_and_is_not_repeated),
        PROMISE(an_error_of_redis_is_a_failure_with_its_text),
        PROMISE(a_server_that_goes_and_comes_back_is_found_again),
        PROMISE(a_server_that_hangs_is_given_up_on_in_time),
        PROMISE(closing_does_not_wait_for_an_answer),
        PROMISE(a_private_address_is_not_connected_to_unless_allowed),
        PROMISE(tls_is_spoken_with_whom_the_certificate_names),
        PROMISE(what_is_no_redis_accepts_nothing),
        PROMISE(what_nobody_asked_for_accepts_nothing),
        PROMISE(what_is_said_before_an_entry_is_written_accepts_it_not),
        PROMISE(an_answer_without_an_end_is_not_listened_to),
        PROMISE(a_url_that_says_too_little_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
