/* TCP sockets: non-blocking, close-on-exec, without Nagle's delay. */
#ifndef PH_OS_SOCKET_H
#define PH_OS_SOCKET_H

#include "base/slice.h"
#include "base/status.h"

enum { PH_OS_ADDRESS_TEXT_BYTES = 80 };

/* "127.0.0.1:8080", "[::1]:0", "localhost:80"; *ret_host without brackets. PH_ERR_INVALID: not
 * such. */
PH_MUST_USE enum ph_status ph_os_split_address(const char *text, char *ret_host, size_t host_bytes,
                                               char *ret_port, size_t port_bytes);
/* Whether the address is one only this machine reaches. */
bool ph_os_address_is_loopback(const char *text);
/* Listens. *ret_fd: gives. ret_text gets the address bound, with the port that port 0 became. On
 * failure errno says why. */
PH_MUST_USE enum ph_status ph_os_listen(const char *text, int *ret_fd,
                                        char ret_text[PH_OS_ADDRESS_TEXT_BYTES]);
/* Listens on a unix socket, for this user alone (0600). A socket that nobody answers at is
 * replaced; where somebody does it is EADDRINUSE, and so is a file that is no socket. *ret_fd:
 * gives. On failure errno says why. */
PH_MUST_USE enum ph_status ph_os_listen_unix(const char *path, int *ret_fd);
/* Takes the socket's file away. */
void ph_os_unlisten_unix(const char *path);
/* The next connection; PH_ERR_AGAIN: none waits. *ret_fd: gives. */
PH_MUST_USE enum ph_status ph_os_accept(int listener, int *ret_fd);
/* Bytes read into `room`; PH_ERR_AGAIN: none now, PH_ERR_NOT_FOUND: the peer has ended its side. */
PH_MUST_USE enum ph_status ph_os_recv(int fd, char *room, size_t bytes, size_t *ret_count);
/* Bytes taken by the socket; PH_ERR_AGAIN: none now. */
PH_MUST_USE enum ph_status ph_os_send(int fd, struct ph_slice bytes, size_t *ret_count);
/* Who is at the other end; IPv4 as ::ffff:a.b.c.d. Zeros when that is not known, or it is a unix
 * socket. */
void ph_os_peer(int fd, uint8_t ret_address[16]);
enum { PH_OS_IP_TEXT_BYTES = 46 };
/* "192.0.2.1", "2001:db8::1"; with a NUL. */
void ph_os_ip_text(const uint8_t address[16], char ret_text[PH_OS_IP_TEXT_BYTES]);
/* Ends our side; the peer's may go on. */
void ph_os_end_sending(int fd);
/* Allows as many open files as the hard limit does. */
void ph_os_raise_file_limit(void);
/* A file kept open for nothing, to be closed when there are no others; -1 without one. */
int ph_os_reserve_file(void);
/* -1 is fine. */
void ph_os_close(int fd);

#endif
