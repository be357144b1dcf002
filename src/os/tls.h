/* TLS on an accepted socket, by OpenSSL: its types stay in tls.c.
 *
 * L1: TLS 1.2 or newer, no renegotiation, no compression.
 * L2: a context is read-only once made; connections keep the one they began with, so that new
 *     certificates reach new connections and drop none.
 * L3: with a client CA, a client without a certificate from it does not get past the handshake. */
#ifndef PH_OS_TLS_H
#define PH_OS_TLS_H

#include "base/slice.h"
#include "base/status.h"

struct ph_tls_context;
struct ph_tls;

struct ph_tls_files {
    const char *certificate; /* PEM, with the chain behind it; NULL: no TLS */
    const char *key;         /* PEM, not encrypted */
    const char *client_ca;   /* PEM; NULL: clients need no certificate */
};

enum { PH_TLS_WHY_BYTES = 512 };

/* Gives a context. On failure ret_why says which file and what is wrong with it. */
PH_MUST_USE enum ph_status ph_tls_context_new(const struct ph_tls_files *files,
                                              struct ph_tls_context **ret,
                                              char ret_why[PH_TLS_WHY_BYTES]);
/* NULL is fine; connections made of it live on. */
void ph_tls_context_free(struct ph_tls_context *context);

/* Gives the server's side of a connection on `fd`, which stays the caller's; NULL without memory.
 */
struct ph_tls *ph_tls_new(struct ph_tls_context *context, int fd);
void ph_tls_free(struct ph_tls *tls);
/* PH_OK: done. PH_ERR_AGAIN: wait for the socket, see ph_tls_wants_write. Else it has failed. */
PH_MUST_USE enum ph_status ph_tls_handshake(struct ph_tls *tls);
enum ph_tls_protocol { PH_TLS_UNSAID, PH_TLS_HTTP1, PH_TLS_H2 };
/* What ALPN agreed on. */
enum ph_tls_protocol ph_tls_protocol(const struct ph_tls *tls);
/* As ph_os_recv and ph_os_send. */
PH_MUST_USE enum ph_status ph_tls_recv(struct ph_tls *tls, char *room, size_t bytes,
                                       size_t *ret_count);
PH_MUST_USE enum ph_status ph_tls_send(struct ph_tls *tls, struct ph_slice bytes,
                                       size_t *ret_count);
/* The last PH_ERR_AGAIN waits for the socket to become writable, not readable. */
bool ph_tls_wants_write(const struct ph_tls *tls);
/* Bytes are decrypted already, or at least here: the socket will not say so again. */
bool ph_tls_has_pending(const struct ph_tls *tls);
/* close_notify; the peer's side may go on. */
void ph_tls_end_sending(struct ph_tls *tls);

#endif
