/* X.509 chains, checked against roots and a time that the caller passes: no system store, no
 * clock. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/limits.h"
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

/* ---- roots ----------------------------------------------------------------------------------- */

void ph_openssl_forget_roots(struct ph_crypto *c, struct ph_roots *roots)
{
    X509_STORE_free(roots->store);
    if (roots->list != NULL)
        c->allocator->free(c->allocator->ctx, roots->list);
    *roots = (struct ph_roots){0};
}

struct ph_roots *ph_crypto_roots_find(struct ph_crypto *c, struct ph_slice list)
{
    for (size_t i = 0; i < PH_ROOT_SETS; i++) {
        struct ph_roots *r = &c->roots[i];
        if (r->list == NULL || r->list_len != list.len || memcmp(r->list, list.ptr, list.len) != 0)
            continue;
        r->used = ++c->clock;
        return r;
    }
    return NULL;
}

static bool add_root(struct ph_crypto *c, X509_STORE *store, struct ph_slice der)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    X509 *root = X509_new_ex(c->lib, NULL);
    bool added = root != NULL && d2i_X509(&root, &at, (long)der.len) != NULL &&
                 X509_STORE_add_cert(store, root) == 1;
    X509_free(root);
    return added;
}

struct ph_roots *ph_crypto_roots_add(struct ph_crypto *c, struct ph_slice list,
                                     const struct ph_slice *roots_der, size_t count)
{
    struct ph_roots *oldest = &c->roots[0];
    for (size_t i = 1; i < PH_ROOT_SETS; i++)
        if (c->roots[i].used < oldest->used)
            oldest = &c->roots[i];
    ph_openssl_forget_roots(c, oldest);
    X509_STORE *store = X509_STORE_new();
    size_t added = 0;
    for (size_t i = 0; i < count && store != NULL; i++)
        added += add_root(c, store, roots_der[i]);
    ph_openssl_drop_errors(c);
    /* a set that lacks some for want of memory must not be found again */
    if (added == 0 || c->ran_out) {
        c->ran_out = c->ran_out || store == NULL;
        X509_STORE_free(store);
        return NULL;
    }
    *oldest = (struct ph_roots){.store = store, .used = ++c->clock};
    /* K4; without a copy it is parsed anew the next time */
    if (list.len > 0 && list.len <= PH_CA_FILE_BYTES_MAX) {
        oldest->list = c->allocator->alloc(c->allocator->ctx, list.len);
        oldest->list_len = list.len;
        if (oldest->list != NULL)
            memcpy(oldest->list, list.ptr, list.len);
    }
    return oldest;
}

/* ---- chains ---------------------------------------------------------------------------------- */

bool ph_crypto_chain_ok(struct ph_crypto *c, struct ph_slice pem, const struct ph_roots *roots,
                        int64_t at_ms, const struct ph_slice *names, size_t name_count)
{
    if (pem.len == 0 || pem.len > CERTIFICATE_BYTES_MAX || roots == NULL || name_count == 0 ||
        at_ms < 0)
        return false;
    bool good = false;
    BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(c->lib, NULL);
    STACK_OF(X509) *between = sk_X509_new_null();
    X509 *leaf = bio != NULL ? read_next(c, bio) : NULL;
    if (leaf == NULL || ctx == NULL || between == NULL)
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
    if (X509_STORE_CTX_init(ctx, roots->store, leaf, between) != 1)
        goto out;
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)(at_ms / 1000));
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_WILDCARDS);
    for (size_t i = 0; i < name_count; i++) /* an empty name would switch the check off */
        if (names[i].len == 0 ||
            X509_VERIFY_PARAM_add1_host(param, names[i].ptr, names[i].len) != 1)
            goto out;
    good = X509_verify_cert(ctx) == 1;
    c->ran_out = c->ran_out || X509_STORE_CTX_get_error(ctx) == X509_V_ERR_OUT_OF_MEM;
out:
    sk_X509_pop_free(between, X509_free);
    X509_free(leaf);
    X509_STORE_CTX_free(ctx);
    BIO_free(bio);
    ph_openssl_drop_errors(c);
    return good;
}
