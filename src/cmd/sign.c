/* sign and trigger: requests as the processor would make them. */
#include <netdb.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cmd/args.h"
#include "core/codec.h"

static const struct ph_sample *sample_of(const struct ph_connector *c, const char *event)
{
    for (uint16_t i = 0; i < c->sample_count; i++)
        if (ph_slice_eq(c->samples[i].event, ph_slice_str(event)))
            return &c->samples[i];
    fprintf(stderr, "payhook: %.*s has no sample called %s; it has:\n", (int)c->name.len, c->name.ptr, event);
    for (uint16_t i = 0; i < c->sample_count; i++)
        fprintf(stderr, "  %.*s\n", (int)c->samples[i].event.len, c->samples[i].event.ptr);
    return NULL;
}

/* Signs args->body, or the sample of that name. */
static bool make(struct ph_args *args, struct ph_worker *worker, const struct ph_connector *c, const char *sample,
                 struct ph_signed *ret)
{
    struct ph_request request;
    struct ph_input in;
    struct ph_slice variant = args->variant != NULL ? ph_slice_str(args->variant) : (struct ph_slice){0}, why = {0};
    if (sample != NULL) {
        const struct ph_sample *s = sample_of(c, sample);
        if (s == NULL)
            return false;
        args->body = s->body;
        variant = s->variant.len > 0 ? s->variant : variant;
    }
    if (!ph_slice_present(args->body)) {
        fprintf(stderr, "payhook: what should be signed? --body FILE|- or --sample EVENT\n");
        return false;
    }
    unsigned char bytes[12];
    struct ph_slice unique = PH_S("msg_0");
    if (RAND_bytes(bytes, sizeof(bytes)) == 1) {
        struct ph_slice hex = PH_S("");
        (void)ph_hex_encode(&args->arena, ph_slice_of(bytes, sizeof(bytes)), &hex);
        char *id = ph_arena_alloc(&args->arena, hex.len + 5);
        if (id != NULL) {
            memcpy(id, "msg_", 4);
            memcpy(id + 4, hex.ptr, hex.len);
            unique = ph_slice_of(id, hex.len + 4);
        }
    }
    ph_args_input(args, c, &request, &in);
    enum ph_status st = PH_ERR_NOT_FOUND;
    /* Without a word which shape it is: the first one that the body fits. */
    for (uint16_t i = 0; st != PH_OK && i < c->variant_count; i++) {
        st = ph_engine_sign(worker, &in, variant.len > 0 ? variant : c->variants[i].name, args->body, unique, ret, &why);
        if (variant.len > 0)
            break;
    }
    if (st != PH_OK)
        fprintf(stderr, "payhook: cannot sign it: %.*s (%s)\n", (int)why.len, why.ptr != NULL ? why.ptr : "", ph_status_text(st));
    return st == PH_OK;
}

static void put_json(struct ph_arena *arena, struct ph_slice s)
{
    struct ph_slice escaped = PH_S("");
    (void)ph_json_escape(arena, s, &escaped);
    printf("\"%.*s\"", (int)escaped.len, escaped.ptr);
}

static void print_signed(struct ph_args *args, const struct ph_signed *s)
{
    if (args->format != NULL && strcmp(args->format, "json") == 0) {
        printf("{\"method\":");
        put_json(&args->arena, s->method);
        printf(",\"uri\":");
        put_json(&args->arena, ph_slice_present(args->uri) ? args->uri : PH_S("/"));
        printf(",\"headers\":{");
        for (size_t i = 0; i < s->header_count; i++) {
            printf("%s", i > 0 ? "," : "");
            put_json(&args->arena, s->headers[i].name);
            printf(":");
            put_json(&args->arena, s->headers[i].value);
        }
        printf("},\"body\":");
        put_json(&args->arena, s->body);
        printf("}\n");
        return;
    }
    printf("%.*s %.*s HTTP/1.1\r\n", (int)s->method.len, s->method.ptr, (int)(args->uri.len > 0 ? args->uri.len : 1),
           args->uri.len > 0 ? args->uri.ptr : "/");
    for (size_t i = 0; i < s->header_count; i++)
        printf("%.*s: %.*s\r\n", (int)s->headers[i].name.len, s->headers[i].name.ptr, (int)s->headers[i].value.len, s->headers[i].value.ptr);
    printf("Content-Length: %zu\r\n\r\n", s->body.len);
    fwrite(s->body.ptr, 1, s->body.len, stdout);
}

int ph_cmd_sign(int argc, char **argv)
{
    struct ph_args args;
    struct ph_signed s;
    int code = PH_EXIT_USAGE;
    if (!ph_args_read(&args, argc, argv)) {
        ph_args_done(&args);
        return code;
    }
    if (args.help) {
        printf("usage: payhook sign --connector NAME --secret-env NAME (--body FILE|- | --sample EVENT) [--format http|json]\n\n"
               "Signs a body as the processor would and prints the request. Asymmetric kinds take\n"
               "--config private_key_pem=@FILE (and kid=… for JWS). Other options as in payhook handle --help.\n");
        ph_args_done(&args);
        return PH_EXIT_OK;
    }
    const struct ph_connector *c = ph_args_connector(&args, args.connector);
    struct ph_worker *worker = c != NULL ? ph_worker_new(&ph_cmd_allocator) : NULL;
    if (worker != NULL && make(&args, worker, c, args.sample, &s)) {
        print_signed(&args, &s);
        code = PH_EXIT_OK;
    }
    ph_worker_free(worker);
    ph_args_done(&args);
    return code;
}

/* ---- trigger --------------------------------------------------------------------------------------- */

struct target {
    char host[256], port[8], path[2048];
};

static bool split_url(const char *url, struct target *t)
{
    if (strncmp(url, "http://", 7) != 0) {
        fprintf(stderr, "payhook: trigger posts to http:// URLs, not %s\n", url);
        return false;
    }
    const char *host = url + 7, *slash = strchr(host, '/'), *colon = strchr(host, ':');
    size_t host_len = slash != NULL ? (size_t)(slash - host) : strlen(host);
    snprintf(t->path, sizeof(t->path), "%s", slash != NULL ? slash : "/");
    snprintf(t->port, sizeof(t->port), "80");
    if (colon != NULL && (slash == NULL || colon < slash)) {
        snprintf(t->port, sizeof(t->port), "%.*s", (int)(host + host_len - colon - 1), colon + 1);
        host_len = (size_t)(colon - host);
    }
    snprintf(t->host, sizeof(t->host), "%.*s", (int)host_len, host);
    return t->host[0] != '\0';
}

static int dial(const struct target *t)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    struct timeval limit = {.tv_sec = 15};
    int fd = -1;
    if (getaddrinfo(t->host, t->port, &hints, &list) != 0)
        return -1;
    for (struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    }
    return fd;
}

/* Posts and prints the status line and body; true: 2xx. */
static bool post(const struct target *t, const struct ph_signed *s)
{
    int fd = dial(t);
    char *bytes = NULL, head[65536];
    size_t len = 0, got = 0;
    FILE *f = fd >= 0 ? open_memstream(&bytes, &len) : NULL;
    if (f == NULL) {
        fprintf(stderr, "payhook: cannot connect to %s port %s: is it running?\n", t->host, t->port);
        return false;
    }
    fprintf(f, "%.*s %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\nContent-Length: %zu\r\n", (int)s->method.len, s->method.ptr,
            t->path, t->host, t->port, s->body.len);
    for (size_t i = 0; i < s->header_count; i++)
        fprintf(f, "%.*s: %.*s\r\n", (int)s->headers[i].name.len, s->headers[i].name.ptr, (int)s->headers[i].value.len, s->headers[i].value.ptr);
    fputs("\r\n", f);
    fwrite(s->body.ptr, 1, s->body.len, f);
    fclose(f);
    for (size_t sent = 0; sent < len;) {
        ssize_t n = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL);
        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    free(bytes);
    for (ssize_t n; got < sizeof(head) - 1 && (n = recv(fd, head + got, sizeof(head) - 1 - got, 0)) > 0;)
        got += (size_t)n;
    close(fd);
    head[got] = '\0';
    char *line_end = strstr(head, "\r\n"), *body = strstr(head, "\r\n\r\n");
    printf("answer: %.*s%s%s\n", line_end != NULL ? (int)(line_end - head) : (int)got, head, body != NULL && body[4] != '\0' ? "  body: " : "",
           body != NULL ? body + 4 : "");
    return strncmp(head, "HTTP/1.1 2", 10) == 0;
}

int ph_cmd_trigger(int argc, char **argv)
{
    struct ph_args args;
    struct ph_signed s;
    struct target target;
    int code = PH_EXIT_USAGE;
    if (!ph_args_read(&args, argc, argv) || args.help || args.word_count == 0) {
        fprintf(args.help ? stdout : stderr, "usage: payhook trigger CONNECTOR [EVENT] --secret-env NAME [--url URL]\n\n"
                                             "Sends a sample, signed, to URL (default http://127.0.0.1:8081/webhooks/CONNECTOR).\n"
                                             "Without EVENT: lists the samples.\n");
        code = args.help ? PH_EXIT_OK : PH_EXIT_USAGE;
        ph_args_done(&args);
        return code;
    }
    const struct ph_connector *c = ph_args_connector(&args, args.words[0]);
    if (c != NULL && args.word_count == 1) {
        for (uint16_t i = 0; i < c->sample_count; i++)
            printf("%.*s\n", (int)c->samples[i].event.len, c->samples[i].event.ptr);
        code = PH_EXIT_OK;
    } else if (c != NULL) {
        char url[512];
        snprintf(url, sizeof(url), "http://127.0.0.1:8081/webhooks/%s", args.words[0]);
        struct ph_worker *worker = ph_worker_new(&ph_cmd_allocator);
        if (split_url(args.url != NULL ? args.url : url, &target)) {
            args.uri = ph_slice_str(target.path);
            if (worker != NULL && make(&args, worker, c, args.words[1], &s)) {
                printf("%s %s to http://%s:%s%s\n", args.words[0], args.words[1], target.host, target.port, target.path);
                code = post(&target, &s) ? PH_EXIT_OK : PH_EXIT_NOT_VERIFIED;
            }
        }
        ph_worker_free(worker);
    }
    ph_args_done(&args);
    return code;
}
