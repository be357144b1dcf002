#include "os/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"

struct ph_tls_context {
    SSL_CTX *ctx;
};

struct ph_tls {
    SSL *ssl;
    bool wants_write;
};

/* ---- the context ----------------------------------------------------------------------------- */

/* Our order, not the client's: h2 first. Without a common name the handshake fails (RFC 7301 §3.2).
 */
static int on_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                   const unsigned char *offered, unsigned int offered_len, void *arg)
{
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *chosen = NULL;
    (void)ssl, (void)arg;
    if (SSL_select_next_proto(&chosen, ret_len, ours, sizeof ours - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static enum ph_status fail(const char *what, const char *file, char why[PH_TLS_WHY_BYTES])
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    (void)snprintf(why, PH_TLS_WHY_BYTES, "%s %s: %s", what, file,
                   reason != NULL ? reason : "cannot be used");
    ERR_clear_error();
    return PH_ERR_INVALID;
}

static enum ph_status require_client_certificates(SSL_CTX *ctx, const char *file,
                                                  char why[PH_TLS_WHY_BYTES])
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
    if (names == NULL || SSL_CTX_load_verify_file(ctx, file) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return fail("the client CA", file, why);
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return PH_OK;
}

/* No terminal is asked for a passphrase: a server starts unattended. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return -1;
}

/* OpenSSL opens them itself, and would wait for a pipe's other end. */
static enum ph_status need_files(const struct ph_tls_files *files, char why[PH_TLS_WHY_BYTES])
{
    const struct {
        const char *what, *path;
    } all[] = {{"the certificate", files->certificate},
               {"the key", files->key},
               {"the client CA", files->client_ca}};
    for (size_t i = 0; i < PH_COUNTOF(all); i++) {
        if (all[i].path == NULL || ph_os_is_file(all[i].path))
            continue;
        (void)snprintf(why, PH_TLS_WHY_BYTES, "%s %s: is not there, or not a regular file",
                       all[i].what, all[i].path);
        return PH_ERR_INVALID;
    }
    return PH_OK;
}

static enum ph_status load(SSL_CTX *ctx, const struct ph_tls_files *files,
                           char why[PH_TLS_WHY_BYTES])
{
    static const unsigned char name[] = "payhook";
    PH_TRY(need_files(files, why));
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(ctx, files->certificate) != 1)
        return fail("the certificate", files->certificate, why);
    if (SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM) != 1)
        return fail("the key", files->key, why);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return fail("the certificate is not this key's:", files->key, why);
    (void)SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    (void)SSL_CTX_set_session_id_context(ctx, name, sizeof name - 1);
    return files->client_ca != NULL ? require_client_certificates(ctx, files->client_ca, why)
                                    : PH_OK;
}

enum ph_status ph_tls_context_new(const struct ph_tls_files *files, struct ph_tls_context **ret,
                                  char ret_why[PH_TLS_WHY_BYTES])
{
    struct ph_tls_context *context = calloc(1, sizeof *context);
    enum ph_status st = PH_ERR_NO_MEMORY;
    (void)snprintf(ret_why, PH_TLS_WHY_BYTES, "out of memory");
    ERR_clear_error();
    if (context != NULL)
        context->ctx = SSL_CTX_new(TLS_server_method());
    if (context != NULL && context->ctx != NULL)
        st = load(context->ctx, files, ret_why);
    if (st == PH_OK)
        *ret = context;
    else
        ph_tls_context_free(context);
    return st;
}

void ph_tls_context_free(struct ph_tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ctx);
    free(context);
}

/* ---- connections ----------------------------------------------------------------------------- */

struct ph_tls *ph_tls_new(struct ph_tls_context *context, int fd)
{
    struct ph_tls *tls = calloc(1, sizeof *tls);
    if (tls == NULL)
        return NULL;
    tls->ssl = SSL_new(context->ctx);
    if (tls->ssl == NULL || SSL_set_fd(tls->ssl, fd) != 1) {
        ph_tls_free(tls);
        return NULL;
    }
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void ph_tls_free(struct ph_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

static enum ph_status status_of(struct ph_tls *tls, int rc)
{
    int error = SSL_get_error(tls->ssl, rc);
    tls->wants_write = error == SSL_ERROR_WANT_WRITE;
    switch (error) {
    case SSL_ERROR_NONE:
        return PH_OK;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return PH_ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return PH_ERR_NOT_FOUND;
    default: /* the end of the socket without close_notify is one of these: it may be an attacker's
                cut */
        ERR_clear_error();
        return PH_ERR_IO;
    }
}

enum ph_status ph_tls_handshake(struct ph_tls *tls)
{
    ERR_clear_error();
    return status_of(tls, SSL_do_handshake(tls->ssl));
}

enum ph_tls_protocol ph_tls_protocol(const struct ph_tls *tls)
{
    const unsigned char *name = NULL;
    unsigned int len = 0;
    SSL_get0_alpn_selected(tls->ssl, &name, &len);
    return len == 0 ? PH_TLS_UNSAID : len == 2 ? PH_TLS_H2 : PH_TLS_HTTP1;
}

enum ph_status ph_tls_recv(struct ph_tls *tls, char *room, size_t bytes, size_t *ret_count)
{
    ERR_clear_error();
    return status_of(tls, SSL_read_ex(tls->ssl, room, bytes, ret_count));
}

enum ph_status ph_tls_send(struct ph_tls *tls, struct ph_slice bytes, size_t *ret_count)
{
    ERR_clear_error();
    return status_of(tls, SSL_write_ex(tls->ssl, bytes.ptr, bytes.len, ret_count));
}

bool ph_tls_wants_write(const struct ph_tls *tls)
{
    return tls->wants_write;
}

bool ph_tls_has_pending(const struct ph_tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}

void ph_tls_end_sending(struct ph_tls *tls)
{
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl); /* the socket is shut down next: nobody waits for the peer's */
    ERR_clear_error();
}
