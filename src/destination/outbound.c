#include "destination/outbound.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/address.h"
#include "os/clock.h"
#include "os/file.h"

struct ph_outbound {
    int fd, stop_fd;
    SSL_CTX *context; /* NULL: no TLS */
    SSL *tls;
};

static enum ph_outbound_result fail(char why[PH_OUTBOUND_WHY_BYTES], const char *what,
                                    const char *detail)
{
    (void)snprintf(why, PH_OUTBOUND_WHY_BYTES, "%s%s%s", what, detail != NULL ? ": " : "",
                   detail != NULL ? detail : "");
    return PH_OUTBOUND_FAILED;
}

/* U3 */
static enum ph_outbound_result wait_for(const struct ph_outbound *o, short events,
                                        int64_t deadline_ms, char why[PH_OUTBOUND_WHY_BYTES])
{
    struct pollfd fds[] = {{.fd = o->fd, .events = events}, {.fd = o->stop_fd, .events = POLLIN}};
    for (;;) {
        int64_t left_ms = deadline_ms - ph_os_steady_ms();
        int got = left_ms > 0 ? poll(fds, 2, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX) : 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got > 0 && fds[1].revents != 0)
            return PH_OUTBOUND_STOPPED;
        if (got > 0)
            return PH_OUTBOUND_OK;
        return fail(why, "timed out", NULL);
    }
}

/* ---- TCP ------------------------------------------------------------------------------------- */

static enum ph_outbound_result connect_one(struct ph_outbound *o, const struct addrinfo *address,
                                           int64_t deadline_ms, char why[PH_OUTBOUND_WHY_BYTES])
{
    int error = 0, on = 1;
    socklen_t len = sizeof error;
    o->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (o->fd < 0)
        return fail(why, "no socket", strerror(errno));
    (void)setsockopt(o->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(o->fd, address->ai_addr, address->ai_addrlen) == 0)
        return PH_OUTBOUND_OK;
    if (errno != EINPROGRESS)
        return fail(why, "cannot connect", strerror(errno));
    enum ph_outbound_result result = wait_for(o, POLLOUT, deadline_ms, why);
    if (result != PH_OUTBOUND_OK)
        return result;
    if (getsockopt(o->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0)
        return fail(why, "cannot connect", strerror(error != 0 ? error : errno));
    return PH_OUTBOUND_OK;
}

/* Each address in turn, until one answers. */
static enum ph_outbound_result connect_any(struct ph_outbound *o, const struct addrinfo *list,
                                           bool allow_private, int64_t deadline_ms,
                                           char why[PH_OUTBOUND_WHY_BYTES])
{
    enum ph_outbound_result result =
        fail(why, "the name leads to a private address, and the config does not allow that", NULL);
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        if (!allow_private && !ph_address_is_public(a->ai_addr))
            continue; /* U1 */
        result = connect_one(o, a, deadline_ms, why);
        if (result != PH_OUTBOUND_FAILED)
            return result;
        if (o->fd >= 0)
            close(o->fd);
        o->fd = -1;
    }
    return result;
}

static enum ph_outbound_result connect_tcp(struct ph_outbound *o,
                                           const struct ph_outbound_options *options,
                                           int64_t deadline_ms, char why[PH_OUTBOUND_WHY_BYTES])
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list = NULL;
    int error = getaddrinfo(options->host, options->port, &hints, &list);
    if (error != 0)
        return fail(why, "the name is not found", gai_strerror(error));
    enum ph_outbound_result result = connect_any(o, list, options->allow_private, deadline_ms, why);
    freeaddrinfo(list);
    return result;
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static enum ph_outbound_result tls_failed(const struct ph_outbound *o,
                                          char why[PH_OUTBOUND_WHY_BYTES], const char *what)
{
    long verdict = o->tls != NULL ? SSL_get_verify_result(o->tls) : X509_V_OK;
    const char *detail = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
                                              : ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return fail(why, what, detail);
}

static bool is_none_or_file(const char *path)
{
    return path == NULL || ph_os_is_file(path);
}

static bool load_files(SSL_CTX *context, const struct ph_outbound_options *options)
{
    const char *key = options->key_file != NULL ? options->key_file : options->certificate_file;
    if (!is_none_or_file(options->ca_file) || !is_none_or_file(options->certificate_file) ||
        !is_none_or_file(key))
        return false;
    bool roots = options->ca_file != NULL
                     ? SSL_CTX_load_verify_locations(context, options->ca_file, NULL) == 1
                     : SSL_CTX_set_default_verify_paths(context) == 1;
    return roots && (options->certificate_file == NULL ||
                     (SSL_CTX_use_certificate_chain_file(context, options->certificate_file) == 1 &&
                      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1));
}

/* The name, or the address, that the certificate must be of (U2). */
static bool expect_name(SSL *tls, const char *host)
{
    unsigned char address[16];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1;
    return SSL_set_tlsext_host_name(tls, host) == 1 && SSL_set1_host(tls, host) == 1;
}

/* What to do about a call that did not succeed: OK: wait was enough, try again. */
static enum ph_outbound_result after(struct ph_outbound *o, int got, int64_t deadline_ms,
                                     const char *what, char why[PH_OUTBOUND_WHY_BYTES])
{
    switch (SSL_get_error(o->tls, got)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(o, POLLIN, deadline_ms, why);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(o, POLLOUT, deadline_ms, why);
    case SSL_ERROR_ZERO_RETURN:
        return fail(why, "the connection was closed", NULL);
    default:
        return tls_failed(o, why, what);
    }
}

static enum ph_outbound_result start_tls(struct ph_outbound *o,
                                         const struct ph_outbound_options *options,
                                         int64_t deadline_ms, char why[PH_OUTBOUND_WHY_BYTES])
{
    ERR_clear_error();
    o->context = SSL_CTX_new(TLS_client_method());
    if (o->context == NULL || SSL_CTX_set_min_proto_version(o->context, TLS1_2_VERSION) != 1)
        return tls_failed(o, why, "no TLS");
    if (!load_files(o->context, options))
        return tls_failed(o, why, "a TLS file cannot be used");
    SSL_CTX_set_verify(o->context, SSL_VERIFY_PEER, NULL);
    o->tls = SSL_new(o->context);
    if (o->tls == NULL || SSL_set_fd(o->tls, o->fd) != 1 || !expect_name(o->tls, options->host))
        return tls_failed(o, why, "no TLS");
    for (int got; (got = SSL_connect(o->tls)) != 1;) {
        enum ph_outbound_result result =
            after(o, got, deadline_ms, "the TLS handshake failed", why);
        if (result != PH_OUTBOUND_OK)
            return result;
        ERR_clear_error();
    }
    return PH_OUTBOUND_OK;
}

/* ---- outside --------------------------------------------------------------------------------- */

enum ph_outbound_result ph_outbound_open(const struct ph_outbound_options *options,
                                         int64_t deadline_ms, struct ph_outbound **ret,
                                         char ret_why[PH_OUTBOUND_WHY_BYTES])
{
    struct ph_outbound *o = calloc(1, sizeof *o);
    if (o == NULL)
        return fail(ret_why, "out of memory", NULL);
    o->fd = -1;
    o->stop_fd = options->stop_fd;
    enum ph_outbound_result result = connect_tcp(o, options, deadline_ms, ret_why);
    if (result == PH_OUTBOUND_OK && options->tls)
        result = start_tls(o, options, deadline_ms, ret_why);
    if (result == PH_OUTBOUND_OK)
        *ret = o;
    else
        ph_outbound_close(o);
    return result;
}

void ph_outbound_close(struct ph_outbound *o)
{
    if (o == NULL)
        return;
    SSL_free(o->tls);
    SSL_CTX_free(o->context);
    if (o->fd >= 0)
        close(o->fd);
    free(o);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

enum ph_outbound_result ph_outbound_write(struct ph_outbound *o, struct ph_slice bytes,
                                          int64_t deadline_ms, char ret_why[PH_OUTBOUND_WHY_BYTES])
{
    while (bytes.len > 0) {
        enum ph_outbound_result result = PH_OUTBOUND_OK;
        size_t put = 0;
        if (o->tls != NULL) {
            ERR_clear_error();
            int got = SSL_write_ex(o->tls, bytes.ptr, bytes.len, &put);
            if (got != 1)
                result = after(o, got, deadline_ms, "cannot be written to", ret_why);
        } else {
            ssize_t got = send(o->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
            put = got > 0 ? (size_t)got : 0;
            if (got < 0)
                result = would_block() ? wait_for(o, POLLOUT, deadline_ms, ret_why)
                                       : fail(ret_why, "cannot be written to", strerror(errno));
        }
        if (result != PH_OUTBOUND_OK)
            return result;
        bytes = ph_slice_from(bytes, put);
    }
    return PH_OUTBOUND_OK;
}

/* Reads what there is. *ret_count 0, and OK: nothing, before the descriptor is ready for
 * *ret_events. */
static enum ph_outbound_result read_once(struct ph_outbound *o, char *room, size_t bytes,
                                         size_t *ret_count, short *ret_events,
                                         char why[PH_OUTBOUND_WHY_BYTES])
{
    *ret_count = 0;
    *ret_events = POLLIN;
    if (o->tls != NULL) {
        ERR_clear_error();
        int got = SSL_read_ex(o->tls, room, bytes, ret_count), error = SSL_get_error(o->tls, got);
        if (got == 1 || error == SSL_ERROR_WANT_READ)
            return PH_OUTBOUND_OK;
        *ret_count = 0;
        *ret_events = POLLOUT;
        if (error == SSL_ERROR_WANT_WRITE)
            return PH_OUTBOUND_OK;
        return error == SSL_ERROR_ZERO_RETURN ? fail(why, "the connection was closed", NULL)
                                              : tls_failed(o, why, "the connection was lost");
    }
    ssize_t got = recv(o->fd, room, bytes, 0);
    *ret_count = got > 0 ? (size_t)got : 0;
    if (got > 0 || (got < 0 && would_block()))
        return PH_OUTBOUND_OK;
    return got == 0 ? fail(why, "the connection was closed", NULL)
                    : fail(why, "the connection was lost", strerror(errno));
}

enum ph_outbound_result ph_outbound_read(struct ph_outbound *o, char *room, size_t bytes,
                                         int64_t deadline_ms, size_t *ret_count,
                                         char ret_why[PH_OUTBOUND_WHY_BYTES])
{
    for (short events;;) {
        enum ph_outbound_result result = read_once(o, room, bytes, ret_count, &events, ret_why);
        if (result != PH_OUTBOUND_OK || *ret_count > 0)
            return result;
        result = wait_for(o, events, deadline_ms, ret_why);
        if (result != PH_OUTBOUND_OK)
            return result;
    }
}

enum ph_outbound_result ph_outbound_read_now(struct ph_outbound *o, char *room, size_t bytes,
                                             size_t *ret_count, char ret_why[PH_OUTBOUND_WHY_BYTES])
{
    short events;
    return read_once(o, room, bytes, ret_count, &events, ret_why);
}

bool ph_outbound_is_stale(struct ph_outbound *o)
{
    struct pollfd fd = {.fd = o->fd, .events = POLLIN};
    return poll(&fd, 1, 0) != 0;
}
