/* An application in this process that is told of events over HTTP: it remembers what it was told,
 * and answers as told to, by a function or by the path ("/409", "/hang", …). */
#ifndef PH_TESTS_APPLICATION_H
#define PH_TESTS_APPLICATION_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { APPLICATION_CALLS_MAX = 4096, APPLICATION_BYTES_MAX = 256 * 1024 };

static struct {
    pthread_mutex_t lock;
    pthread_t thread;
    int listener, port;
    bool stopping;
    int calls, connections;
    int status; /* of answers by /; 0: 200 */
    char *bodies[APPLICATION_CALLS_MAX];
    char *last; /* the last request, whole */
} application = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* A whole request in `text`, or 0; its length. */
static inline size_t application_whole(const char *text, size_t len)
{
    const char *end = memmem(text, len, "\r\n\r\n", 4);
    const char *length = end != NULL ? strcasestr(text, "content-length:") : NULL;
    size_t whole = end == NULL ? 0
                               : (size_t)(end + 4 - text) +
                                     (length != NULL ? strtoul(length + 15, NULL, 10) : 0);
    return whole > 0 && whole <= len ? whole : 0;
}

static inline void application_say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0)
        return;
}

/* "headers/SIZE/COUNT": an answer with so many headers of that size. */
static inline void application_say_headers(int fd, const char *path)
{
    int size = 0, count = 0;
    if (sscanf(path, "headers/%d/%d", &size, &count) != 2)
        return;
    char *value = malloc((size_t)size + 1);
    memset(value, 'a', (size_t)size);
    value[size] = '\0';
    application_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
    for (int i = 0; i < count; i++) {
        application_say(fd, "X-A: ");
        application_say(fd, value);
        application_say(fd, "\r\n");
    }
    application_say(fd, "\r\nok");
    free(value);
}

/* False: the connection ends. */
static inline bool application_answer(int fd, const char *path)
{
    char text[256];
    int status = atoi(path);
    if (strncmp(path, "hang", 4) == 0) {
        for (int i = 0; i < 500 && !application.stopping; i++)
            usleep(20 * 1000);
        return false;
    }
    if (strncmp(path, "close", 5) == 0)
        return false;
    if (strncmp(path, "cut", 3) == 0) {
        application_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
        return false;
    }
    if (strncmp(path, "headers", 7) == 0) {
        application_say_headers(fd, path);
        return true;
    }
    pthread_mutex_lock(&application.lock);
    status = status > 0 ? status : application.status > 0 ? application.status : 200;
    pthread_mutex_unlock(&application.lock);
    snprintf(text, sizeof text, "HTTP/1.1 %d X\r\nContent-Length: 2\r\nLocation: /200\r\n%s\r\nok",
             status, status == 503 ? "Retry-After: 7\r\n" : "");
    application_say(fd, text);
    return true;
}

static inline void application_note(const char *request, size_t len)
{
    const char *head_end = memmem(request, len, "\r\n\r\n", 4),
               *body = head_end != NULL ? head_end + 4 : request;
    pthread_mutex_lock(&application.lock);
    if (application.calls < APPLICATION_CALLS_MAX)
        application.bodies[application.calls] = strndup(body, len - (size_t)(body - request));
    application.calls++;
    free(application.last);
    application.last = strndup(request, len);
    pthread_mutex_unlock(&application.lock);
}

static inline void *application_serve(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char *room = malloc(APPLICATION_BYTES_MAX + 1);
    size_t len = 0;
    for (ssize_t got; (got = read(fd, room + len, APPLICATION_BYTES_MAX - len)) > 0;) {
        len += (size_t)got;
        room[len] = '\0';
        size_t whole = application_whole(room, len);
        if (whole == 0)
            continue;
        application_note(room, whole);
        if (!application_answer(fd, strchr(room, '/') + 1))
            break;
        len = 0;
    }
    free(room);
    close(fd);
    return NULL;
}

static inline void *application_run(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(application.listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        application.connections++;
        if (pthread_create(&thread, NULL, application_serve, (void *)(intptr_t)fd) == 0)
            pthread_detach(thread);
    }
    return NULL;
}

static inline void application_start(void)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    signal(SIGPIPE, SIG_IGN);
    application.listener = socket(AF_INET, SOCK_STREAM, 0);
    application.stopping = false;
    assert_int_equal(bind(application.listener, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(application.listener, 64), 0);
    assert_int_equal(getsockname(application.listener, (struct sockaddr *)&in, &len), 0);
    application.port = ntohs(in.sin_port);
    pthread_create(&application.thread, NULL, application_run, NULL);
}

static inline void application_forget(void)
{
    pthread_mutex_lock(&application.lock);
    for (int i = 0; i < application.calls && i < APPLICATION_CALLS_MAX; i++)
        free(application.bodies[i]);
    memset(application.bodies, 0, sizeof application.bodies);
    free(application.last);
    application.last = NULL;
    application.calls = application.status = 0;
    pthread_mutex_unlock(&application.lock);
}

static inline void application_stop(void)
{
    application.stopping = true;
    shutdown(application.listener, SHUT_RDWR);
    pthread_join(application.thread, NULL);
    close(application.listener);
    usleep(100 * 1000); /* its threads see their clients go */
    application_forget();
}

static inline int application_calls(void)
{
    pthread_mutex_lock(&application.lock);
    int calls = application.calls;
    pthread_mutex_unlock(&application.lock);
    return calls;
}

static inline void application_answers(int status)
{
    pthread_mutex_lock(&application.lock);
    application.status = status;
    pthread_mutex_unlock(&application.lock);
}

#endif
