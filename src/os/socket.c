#include "os/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static bool copy(char *to, size_t room, const char *from, size_t len)
{
    if (len == 0 || len >= room)
        return false;
    memcpy(to, from, len);
    to[len] = '\0';
    return true;
}

enum ph_status ph_os_split_address(const char *text, char *ret_host, size_t host_bytes,
                                   char *ret_port, size_t port_bytes)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL)
        return PH_ERR_INVALID;
    size_t port_len = strlen(colon + 1);
    if (port_len > 5 || strspn(colon + 1, "0123456789") != port_len)
        return PH_ERR_INVALID;
    const char *host = text;
    size_t host_len = (size_t)(colon - text);
    if (host_len >= 2 && host[0] == '[' && host[host_len - 1] == ']') {
        host++;
        host_len -= 2;
    } else if (memchr(host, ':', host_len) != NULL) {
        return PH_ERR_INVALID; /* an IPv6 address needs its brackets */
    }
    if (!copy(ret_host, host_bytes, host, host_len) ||
        !copy(ret_port, port_bytes, colon + 1, port_len))
        return PH_ERR_INVALID;
    return PH_OK;
}

static struct addrinfo *resolve(const char *text)
{
    char host[256], port[8];
    if (ph_os_split_address(text, host, sizeof host, port, sizeof port) != PH_OK) {
        errno = EINVAL;
        return NULL;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        errno = EADDRNOTAVAIL;
        return NULL;
    }
    return found;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const void *)address;
        return ntohl(in->sin_addr.s_addr) >> 24 == 127;
    }
    if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)address;
        return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) != 0;
    }
    return false;
}

bool ph_os_address_is_loopback(const char *text)
{
    struct addrinfo *found = resolve(text);
    bool all = found != NULL;
    for (struct addrinfo *a = found; a != NULL; a = a->ai_next)
        all = all && is_loopback(a->ai_addr);
    if (found != NULL)
        freeaddrinfo(found);
    return all;
}

static void write_address(int fd, char ret_text[PH_OS_ADDRESS_TEXT_BYTES])
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    char host[64] = "?", port[8] = "?";
    if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
        (void)getnameinfo((struct sockaddr *)&address, len, host, sizeof host, port, sizeof port,
                          NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(ret_text, PH_OS_ADDRESS_TEXT_BYTES,
                   address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}

static int listen_on(const struct addrinfo *a)
{
    static const int on = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

enum ph_status ph_os_listen(const char *text, int *ret_fd, char ret_text[PH_OS_ADDRESS_TEXT_BYTES])
{
    struct addrinfo *found = resolve(text);
    if (found == NULL)
        return PH_ERR_INVALID;
    int fd = -1;
    for (struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next)
        fd = listen_on(a);
    int why = errno;
    freeaddrinfo(found);
    errno = why;
    if (fd < 0)
        return PH_ERR_SYSTEM;
    write_address(fd, ret_text);
    *ret_fd = fd;
    return PH_OK;
}

/* Whether the file at the address may be taken away: a socket that nobody answers at. */
static bool is_stale(const struct sockaddr_un *address)
{
    struct stat found;
    if (lstat(address->sun_path, &found) != 0 || !S_ISSOCK(found.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                   errno == ECONNREFUSED;
    ph_os_close(fd);
    return refused;
}

static bool bind_unix(int fd, const struct sockaddr_un *address)
{
    const struct sockaddr *at = (const struct sockaddr *)address;
    if (bind(fd, at, sizeof *address) == 0)
        return true;
    if (errno != EADDRINUSE)
        return false;
    if (is_stale(address) && unlink(address->sun_path) == 0 && bind(fd, at, sizeof *address) == 0)
        return true;
    errno = EADDRINUSE;
    return false;
}

enum ph_status ph_os_listen_unix(const char *path, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!copy(address.sun_path, sizeof address.sun_path, path, strlen(path))) {
        errno = ENAMETOOLONG;
        return PH_ERR_INVALID;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* The mode is set before the file is there: at no moment may others connect. */
    if (fd >= 0 && fchmod(fd, 0600) == 0 && bind_unix(fd, &address) && listen(fd, BACKLOG) == 0) {
        *ret_fd = fd;
        return PH_OK;
    }
    int why = errno;
    ph_os_close(fd);
    errno = why;
    return PH_ERR_SYSTEM;
}

void ph_os_unlisten_unix(const char *path)
{
    (void)unlink(path);
}

enum ph_status ph_os_accept(int listener, int *ret_fd)
{
    static const int on = 1;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM
                   ? PH_ERR_NO_MEMORY
                   : PH_ERR_AGAIN;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *ret_fd = fd;
    return PH_OK;
}

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

void ph_os_peer(int fd, uint8_t ret_address[16])
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    memset(ret_address, 0, 16);
    if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0)
        return;
    if (peer.ss_family == AF_INET6)
        memcpy(ret_address, &((const struct sockaddr_in6 *)&peer)->sin6_addr, 16);
    if (peer.ss_family != AF_INET)
        return;
    memcpy(ret_address, mapped, sizeof mapped);
    memcpy(ret_address + sizeof mapped, &((const struct sockaddr_in *)&peer)->sin_addr, 4);
}

/* inet_ntop prints them with printf, which each request would pay for. */
static void write_ipv4(const uint8_t address[4], char *at)
{
    for (int i = 0; i < 4; i++) {
        unsigned part = address[i];
        if (part >= 100)
            *at++ = (char)('0' + part / 100);
        if (part >= 10)
            *at++ = (char)('0' + part / 10 % 10);
        *at++ = (char)('0' + part % 10);
        *at++ = i < 3 ? '.' : '\0';
    }
}

void ph_os_ip_text(const uint8_t address[16], char ret_text[PH_OS_IP_TEXT_BYTES])
{
    ret_text[0] = '\0';
    if (memcmp(address, mapped, sizeof mapped) == 0)
        write_ipv4(address + sizeof mapped, ret_text);
    else
        (void)inet_ntop(AF_INET6, address, ret_text, PH_OS_IP_TEXT_BYTES);
}

enum ph_status ph_os_recv(int fd, char *room, size_t bytes, size_t *ret_count)
{
    ssize_t got = recv(fd, room, bytes, 0);
    if (got > 0) {
        *ret_count = (size_t)got;
        return PH_OK;
    }
    if (got == 0)
        return PH_ERR_NOT_FOUND;
    return errno == EAGAIN || errno == EINTR ? PH_ERR_AGAIN : PH_ERR_IO;
}

enum ph_status ph_os_send(int fd, struct ph_slice bytes, size_t *ret_count)
{
    ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
    if (sent >= 0) {
        *ret_count = (size_t)sent;
        return PH_OK;
    }
    return errno == EAGAIN || errno == EINTR ? PH_ERR_AGAIN : PH_ERR_IO;
}

void ph_os_end_sending(int fd)
{
    (void)shutdown(fd, SHUT_WR);
}

void ph_os_raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int ph_os_reserve_file(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void ph_os_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
