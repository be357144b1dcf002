/* trigger: sends a sample, signed, to a URL and shows the answer. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "cmd/args.h"
#include "cmd/config_load.h"
#include "cmd/print.h"
#include "cmd/show.h"
#include "cmd/sign.h"
#include "os/heap.h"

enum { WAIT_SECONDS = 15, ANSWER_BYTES_MAX = 64 * 1024 };

struct target {
    char host[256], port[8], path[2048];
};

/* A piece of the URL; false: it does not fit, or is empty. */
static bool piece(char *to, size_t room, const char *from, size_t len)
{
    if (len == 0 || len >= room)
        return false;
    memcpy(to, from, len);
    to[len] = '\0';
    return true;
}

static bool split_url(const char *url, struct target *t)
{
    static const char scheme[] = "http://";
    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
        return false;
    const char *host = url + sizeof(scheme) - 1;
    size_t all = strcspn(host, "/?#"), len = all;
    const char *path = host[all] == '/' ? host + all : "/";
    const char *colon = memchr(host, ':', all);
    if (host[0] == '[') { /* an IPv6 address */
        const char *end = memchr(host, ']', all);
        if (end == NULL)
            return false;
        colon = end[1] == ':' ? end + 1 : NULL;
        len = (size_t)(end - host) - 1;
        host++;
    } else if (colon != NULL) {
        len = (size_t)(colon - host);
    }
    const char *port = colon != NULL ? colon + 1 : "80";
    return piece(t->host, sizeof(t->host), host, len) &&
           piece(t->path, sizeof(t->path), path, strcspn(path, "#")) &&
           piece(t->port, sizeof(t->port), port, strspn(port, "0123456789")) &&
           t->path[strcspn(t->path, " \r\n")] == '\0';
}

static int dial(const struct target *t)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    struct timeval limit = {.tv_sec = WAIT_SECONDS};
    int fd = -1;
    if (getaddrinfo(t->host, t->port, &hints, &list) != 0)
        return -1;
    for (struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)); /* connecting too */
        if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

static bool send_request(int fd, const struct target *t, const struct ph_made *made)
{
    char *bytes = NULL;
    size_t len = 0, sent = 0;
    FILE *f = open_memstream(&bytes, &len);
    if (f == NULL)
        return false;
    fprintf(f, "%.*s %.*s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\nContent-Length: %zu\r\n",
            (int)made->method.len, made->method.ptr, (int)made->uri.len, made->uri.ptr, t->host,
            t->port, made->body.len);
    for (size_t i = 0; i < made->header_count; i++)
        fprintf(f, "%.*s: %.*s\r\n", (int)made->headers[i].name.len, made->headers[i].name.ptr,
                (int)made->headers[i].value.len, made->headers[i].value.ptr);
    fputs("\r\n", f);
    fwrite(made->body.ptr, 1, made->body.len, f);
    if (fclose(f) != 0)
        len = 0;
    for (ssize_t n; sent < len && (n = send(fd, bytes + sent, len - sent, MSG_NOSIGNAL)) > 0;)
        sent += (size_t)n;
    free(bytes);
    return len > 0 && sent == len;
}

/* Whether the answer's status begins so. */
static bool has_status(struct ph_slice answer, struct ph_slice digits)
{
    const struct ph_slice newer = PH_S("HTTP/1.1 "), older = PH_S("HTTP/1.0 ");
    return (ph_slice_starts(answer, newer) || ph_slice_starts(answer, older)) &&
           ph_slice_starts(ph_slice_from(answer, newer.len), digits);
}

/* Prints the status line and the body; true: 2xx. `endpoint`: of a gateway's path, for whom it
 * has no such one. */
static bool read_answer(int fd, const char *endpoint)
{
    static char text[ANSWER_BYTES_MAX];
    size_t got = 0;
    for (ssize_t n; got < sizeof(text) && (n = recv(fd, text + got, sizeof(text) - got, 0)) > 0;)
        got += (size_t)n;
    struct ph_slice answer = ph_slice_of(text, got);
    size_t line = ph_slice_find(answer, PH_S("\r\n"), 0),
           head = ph_slice_find(answer, PH_S("\r\n\r\n"), 0);
    if (line == SIZE_MAX || head == SIZE_MAX) {
        fprintf(stderr, "payhook: the answer is no HTTP answer, or took longer than %d s\n",
                WAIT_SECONDS);
        return false;
    }
    printf("answer: ");
    ph_print_escaped(ph_slice_of(text, line));
    if (head + 4 < got) {
        printf("  body: ");
        ph_print_escaped(ph_slice_from(answer, head + 4));
    }
    putchar('\n');
    if (endpoint != NULL && has_status(answer, PH_S("404")))
        fprintf(stderr,
                "payhook: no endpoint is called %s there: --endpoint NAME (payhook endpoints "
                "status lists them)\n",
                endpoint);
    return has_status(answer, PH_S("2"));
}

static bool post(const struct target *t, const struct ph_made *made)
{
    const struct ph_slice prefix = PH_S("/webhooks/");
    int fd = dial(t);
    if (fd < 0) {
        fprintf(stderr, "payhook: cannot connect to %s port %s: is it running?\n", t->host,
                t->port);
        return false;
    }
    bool good =
        send_request(fd, t, made) &&
        read_answer(fd,
                    ph_slice_starts(ph_slice_str(t->path), prefix) ? t->path + prefix.len : NULL);
    close(fd);
    return good;
}

static int trigger(struct ph_args *args, const struct ph_connector *c,
                   const struct ph_sample *sample, const struct target *target)
{
    struct ph_request request;
    struct ph_input in;
    struct ph_made made;
    struct ph_slice variant = ph_slice_str(args->one[PH_OPT_VARIANT]), why = {0};
    args->request.body = sample->body;
    args->request.uri = ph_slice_str(target->path);
    ph_args_input(args, c, &request, &in);
    struct ph_worker *worker = ph_worker_new(&ph_os_heap);
    bool good = worker != NULL && ph_make(worker, &args->arena, &in,
                                          variant.len > 0 ? variant : sample->variant, &made, &why);
    if (!good) {
        fprintf(stderr, "payhook: cannot sign it: %.*s\n", (int)why.len,
                why.len > 0 ? why.ptr : "");
    } else {
        printf("%s %s to http://%s:%s%.*s\n", args->words[0], args->words[1], target->host,
               target->port, (int)made.uri.len, made.uri.ptr);
        good = post(target, &made);
    }
    ph_worker_free(worker);
    return good ? PH_EXIT_OK : PH_EXIT_FAILED;
}

/* Where a payhook with this process's configuration takes webhooks. False: it has been said why
 * not. */
static bool endpoint_url(struct ph_args *args, const char *endpoint, char *url, size_t room)
{
    const struct ph_config *config = ph_cmd_config_places(&args->arena, NULL);
    if (config == NULL)
        return false;
    struct ph_slice listen = config->webhooks.listen, any4 = PH_S("0.0.0.0:"), any6 = PH_S("[::]:");
    const char *host = "";
    if (ph_slice_starts(listen, any4)) {
        host = "127.0.0.1:";
        listen = ph_slice_from(listen, any4.len);
    } else if (ph_slice_starts(listen, any6)) {
        host = "[::1]:";
        listen = ph_slice_from(listen, any6.len);
    }
    bool on = listen.len > 0;
    if (on)
        (void)snprintf(url, room, "http://%s%.*s/webhooks/%s", host, (int)listen.len, listen.ptr,
                       endpoint);
    else
        ph_args_wrong("webhooks.listen is off in this configuration: give --url URL", NULL);
    ph_config_free(config);
    return on;
}

static int run_command(struct ph_args *args)
{
    char url[512];
    struct target target;
    if (args->word_count == 0 || args->word_count > 2)
        return ph_args_wrong("trigger CONNECTOR [EVENT]", NULL);
    const struct ph_connector *c = ph_args_connector(args, args->words[0]);
    if (c == NULL)
        return PH_EXIT_USAGE;
    if (args->word_count == 1) {
        ph_show_samples(c, "");
        return PH_EXIT_OK;
    }
    const struct ph_sample *sample =
        ph_sample_find(c, ph_slice_str(args->words[1]), ph_slice_str(args->one[PH_OPT_VARIANT]));
    if (sample == NULL)
        return ph_sample_unknown(args, c, args->words[1], args->one[PH_OPT_VARIANT]);
    const char *asked = args->one[PH_OPT_URL], *endpoint = args->one[PH_OPT_ENDPOINT];
    if (asked != NULL && endpoint != NULL)
        return ph_args_wrong("give --url or --endpoint", NULL);
    if (asked == NULL &&
        !endpoint_url(args, endpoint != NULL ? endpoint : args->words[0], url, sizeof(url)))
        return PH_EXIT_USAGE;
    asked = asked != NULL ? asked : url;
    if (!split_url(asked, &target))
        return ph_args_wrong("trigger posts to http://HOST[:PORT]/PATH, not", asked);
    return trigger(args, c, sample, &target);
}

int ph_cmd_trigger(int argc, char **argv)
{
    struct ph_args args;
    bool help;
    int code = ph_args_read(&args, PH_CMD_TRIGGER, argc, argv, &help);
    if (code == PH_EXIT_OK && !help)
        code = run_command(&args);
    ph_args_done(&args);
    return code;
}
