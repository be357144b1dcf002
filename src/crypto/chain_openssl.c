/* X.509 chains, checked against roots and a time that the caller passes: no system store, no clock. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "crypto/openssl_private.h"

enum { CHAIN_MAX = 8, CERTIFICATE_BYTES_MAX = 64 * 1024 };

/* Without it an encrypted PEM would ask at the terminal. */
static int no_password(char *buf, int size, int writing, void *ctx)
{
    (void)buf, (void)size, (void)writing, (void)ctx;
    return -1;
}

static X509 *read_next(struct ph_crypto *c, BIO *bio)
{
    X509 *x = X509_new_ex(c->lib, NULL);
    if (x != NULL && PEM_read_bio_X509(bio, &x, no_password, NULL) == NULL) {
        X509_free(x);
        return NULL;
    }
    return x;
}

bool ph_crypto_certificate_reads(struct ph_crypto *c, struct ph_slice pem)
{
    if (pem.len == 0 || pem.len > CERTIFICATE_BYTES_MAX)
        return false;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *leaf = bio != NULL ? read_next(c, bio) : NULL;
    bool good = leaf != NULL;
    X509_free(leaf);
    BIO_free(bio);
    ph_openssl_drop_errors(c);
    return good;
}

bool ph_crypto_chain_ok(struct ph_crypto *c, struct ph_slice pem, const struct ph_slice *roots, size_t root_count,
                        int64_t at_ms, const struct ph_slice *names, size_t name_count)
{
    if (pem.len == 0 || pem.len > CERTIFICATE_BYTES_MAX || root_count == 0 || name_count == 0 || at_ms < 0)
        return false;
    bool good = false;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(c->lib, NULL);
    STACK_OF(X509) *between = sk_X509_new_null();
    X509 *leaf = bio != NULL ? read_next(c, bio) : NULL;
    if (leaf == NULL || store == NULL || ctx == NULL || between == NULL)
        goto out;
    for (int i = 0; i < CHAIN_MAX; i++) {
        X509 *x = read_next(c, bio);
        if (x == NULL)
            break;
        if (sk_X509_push(between, x) <= 0) {
            X509_free(x);
            goto out;
        }
    }
    for (size_t i = 0; i < root_count; i++) {
        const unsigned char *at = (const unsigned char *)roots[i].ptr;
        X509 *root = X509_new_ex(c->lib, NULL);
        bool added = root != NULL && d2i_X509(&root, &at, (long)roots[i].len) != NULL &&
                     X509_STORE_add_cert(store, root) == 1;
        X509_free(root);
        if (!added)
            goto out;
    }
    if (X509_STORE_CTX_init(ctx, store, leaf, between) != 1)
        goto out;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)(at_ms / 1000));
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_WILDCARDS);
    for (size_t i = 0; i < name_count; i++) /* an empty name would switch the check off */
        if (names[i].len == 0 || X509_VERIFY_PARAM_add1_host(param, names[i].ptr, names[i].len) != 1)
            goto out;
    good = X509_verify_cert(ctx) == 1;
    c->ran_out = c->ran_out || X509_STORE_CTX_get_error(ctx) == X509_V_ERR_OUT_OF_MEM;
out:
    sk_X509_pop_free(between, X509_free);
    X509_free(leaf);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    BIO_free(bio);
    ph_openssl_drop_errors(c);
    return good;
}
