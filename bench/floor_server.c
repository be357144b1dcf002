/* The floor of row 3 (docs/internals/benchmarks.md): as little of a gRPC server as nghttp2 allows.
 * It decodes the same request, reads the same JSON, hashes the same bytes with a keyed HMAC, and
 * answers a fixed message. It knows no path, no limit, no time and no error: what our server costs
 * beside it is what those cost.
 *
 * usage: floor_server ANSWER    prints its port; ANSWER is the message to answer, a file */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/arena.h"
#include "wire/wire.h"

enum {
    ANSWER_BYTES_MAX = 64 * 1024,
    READ_BYTES = 64 * 1024,
    PREFIX_BYTES = 5,
    STREAM_BYTES = 16 * 1024
};

struct conn {
    nghttp2_session *session;
    int fd;
    struct stream *spare;
};

struct stream {
    struct stream *next;
    size_t len, sent;
    char body[STREAM_BYTES];
};

static char answer[ANSWER_BYTES_MAX];
static size_t answer_len;
static struct ph_arena arena;
static EVP_MAC_CTX *mac;
static void *pool;
static size_t pool_bytes;

static void *plain_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}
static void plain_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}
static const struct ph_allocator allocator = {.alloc = plain_alloc, .free = plain_free};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- the work -------------------------------------------------------------------------------- */

static void hash(struct ph_slice body)
{
    static char digest[] = "SHA256";
    unsigned char out[32];
    size_t len = 0;
    if (mac == NULL) {
        const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", digest, 0),
                                     OSSL_PARAM_construct_end()};
        mac = EVP_MAC_CTX_new(EVP_MAC_fetch(NULL, "HMAC", NULL));
        if (EVP_MAC_init(mac, (const unsigned char *)"whsec_of_the_floor", 18, params) != 1)
            die("HMAC");
    }
    if (EVP_MAC_init(mac, NULL, 0, NULL) != 1 ||
        EVP_MAC_update(mac, (const unsigned char *)"1700000000.", 11) != 1 ||
        EVP_MAC_update(mac, (const unsigned char *)body.ptr, body.len) != 1 ||
        EVP_MAC_final(mac, out, &len, sizeof out) != 1)
        die("HMAC");
}

static void work(const struct stream *s)
{
    struct ph_call call;
    struct ph_slice why;
    yyjson_alc alc;
    ph_arena_reset(&arena);
    if (s->len < PREFIX_BYTES ||
        ph_wire_read_call(&arena, PH_FORM_HANDLE_EVENT,
                          ph_slice_of(s->body + PREFIX_BYTES, s->len - PREFIX_BYTES), &call,
                          &why) != PH_OK)
        die("the call does not read");
    struct ph_slice body = call.request.body;
    yyjson_alc_pool_init(&alc, pool, pool_bytes);
    if (yyjson_read_opts((char *)(uintptr_t)body.ptr, body.len, YYJSON_READ_NUMBER_AS_RAW, &alc,
                         NULL) == NULL)
        die("the body is no JSON");
    hash(body);
}

/* ---- nghttp2 --------------------------------------------------------------------------------- */

/* clang-format off */
#define NV(n, v)                                                                                   \
    {                                                                                              \
        (uint8_t *)(n), (uint8_t *)(v), sizeof(n) - 1, sizeof(v) - 1, NGHTTP2_NV_FLAG_NONE         \
    }
/* clang-format on */

static ssize_t on_source(nghttp2_session *session, int32_t id, uint8_t *to, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)user;
    struct stream *s = source->ptr;
    size_t left = answer_len - s->sent, count = left < room ? left : room;
    memcpy(to, answer + s->sent, count);
    s->sent += count;
    if (s->sent == answer_len) {
        nghttp2_nv trailer[] = {NV("grpc-status", "0")};
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, trailer, 1);
    }
    return (ssize_t)count;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct conn *conn = user;
    struct stream *s = conn->spare;
    if (s != NULL)
        conn->spare = s->next;
    else if ((s = malloc(sizeof *s)) == NULL)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    s->len = s->sent = 0;
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, s);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *user)
{
    (void)flags, (void)user;
    struct stream *s = nghttp2_session_get_stream_user_data(session, id);
    if (s == NULL || len > STREAM_BYTES - s->len)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    memcpy(s->body + s->len, bytes, len);
    s->len += len;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    struct stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    nghttp2_nv fields[] = {NV(":status", "200"), NV("content-type", "application/grpc")};
    work(s);
    const nghttp2_data_provider source = {.source.ptr = s, .read_callback = on_source};
    return nghttp2_submit_response(session, frame->hd.stream_id, fields, 2, &source);
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    (void)code;
    struct conn *conn = user;
    struct stream *s = nghttp2_session_get_stream_user_data(session, id);
    if (s != NULL) {
        s->next = conn->spare;
        conn->spare = s;
    }
    return 0;
}

static void begin(struct conn *conn)
{
    nghttp2_session_callbacks *callbacks;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        die("nghttp2");
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (nghttp2_session_server_new(&conn->session, callbacks, conn) != 0)
        die("nghttp2");
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 128},
                                         {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 256 * 1024}};
    nghttp2_submit_settings(conn->session, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(conn->session, NGHTTP2_FLAG_NONE, 0, 1024 * 1024);
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* Frames are gathered, so that one send carries many. False: the connection is over. */
static bool flush(struct conn *conn)
{
    static char out[256 * 1024];
    for (;;) {
        const uint8_t *bytes;
        ssize_t len;
        size_t count = 0;
        while (count < sizeof out - 32 * 1024 &&
               (len = nghttp2_session_mem_send(conn->session, &bytes)) > 0) {
            memcpy(out + count, bytes, (size_t)len);
            count += (size_t)len;
        }
        if (count == 0)
            return true;
        for (size_t sent = 0; sent < count;) {
            ssize_t now = send(conn->fd, out + sent, count - sent, MSG_NOSIGNAL);
            if (now < 0)
                return false; /* blocking sends: the client of a benchmark reads */
            sent += (size_t)now;
        }
    }
}

static bool serve(struct conn *conn)
{
    static uint8_t in[READ_BYTES];
    ssize_t len = recv(conn->fd, in, sizeof in, MSG_DONTWAIT);
    if (len < 0 && errno == EAGAIN)
        return true;
    return len > 0 && nghttp2_session_mem_recv(conn->session, in, (size_t)len) >= 0 && flush(conn);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL)
        die("usage: floor_server ANSWER");
    answer_len = PREFIX_BYTES + fread(answer + PREFIX_BYTES, 1, sizeof answer - PREFIX_BYTES, file);
    answer[3] = (char)((answer_len - PREFIX_BYTES) >> 8);
    answer[4] = (char)(answer_len - PREFIX_BYTES);
    fclose(file);
    ph_arena_init(&arena, &allocator, PH_ARENA_BYTES_MAX, PH_ARENA_KEEP_BYTES);
    pool_bytes = yyjson_read_max_memory_usage(64 * 1024, 0);
    pool = malloc(pool_bytes);

    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), epoll = epoll_create1(0), on = 1;
    struct epoll_event event = {.events = EPOLLIN}, events[64];
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 128) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
        die("listen");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            struct conn *conn = events[i].data.ptr;
            if (conn == NULL) {
                conn = calloc(1, sizeof *conn);
                conn->fd = accept(listener, NULL, NULL);
                setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                begin(conn);
                event = (struct epoll_event){.events = EPOLLIN, .data.ptr = conn};
                epoll_ctl(epoll, EPOLL_CTL_ADD, conn->fd, &event);
                flush(conn);
            } else if (!serve(conn)) {
                close(conn->fd); /* its memory is the benchmark's to lose */
            }
        }
    }
}
