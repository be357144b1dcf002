/* Samples of the pages signed as their processors would sign them, for tests that need sound
 * requests. */
#ifndef PH_TESTS_SAMPLE_FIXTURE_H
#define PH_TESTS_SAMPLE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/engine.h"
#include "os/heap.h"

enum {
    NOW_MS = 1795514400,
    KEYS = 3,
    PEM_BYTES_MAX = 8192,
    HEADERS_MAX = 32,
    QUERY_BYTES_MAX = 1024
};

/* One text that is a key in every form of a shared secret: text, hex, base64. The others are key
 * pairs. */
struct key {
    struct ph_slice secret;  /* what the verifier is given */
    struct ph_slice private; /* what the signer is given */
    char pem[2][PEM_BYTES_MAX];
};

static struct key keys[KEYS] = {
    {.secret = PH_SI("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")}};

static void fill_pair(struct key *key, EVP_PKEY *pair)
{
    assert_non_null(pair);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(out, pair), 1);
    int len = BIO_read(out, key->pem[0], PEM_BYTES_MAX);
    assert_true(len > 0);
    key->secret = ph_slice_of(key->pem[0], (size_t)len);
    assert_int_equal(PEM_write_bio_PrivateKey(out, pair, NULL, NULL, 0, NULL, NULL), 1);
    len = BIO_read(out, key->pem[1], PEM_BYTES_MAX);
    assert_true(len > 0);
    key->private = ph_slice_of(key->pem[1], (size_t)len);
    BIO_free(out);
    EVP_PKEY_free(pair);
}

static void make_keys(void)
{
    fill_pair(&keys[1], EVP_RSA_gen(2048));
    fill_pair(&keys[2], EVP_EC_gen("P-521"));
}

/* A signed sample as a request to verify. The signer's worker holds what it points to. */
struct signed_sample {
    struct ph_request request;
    struct ph_header headers[HEADERS_MAX];
    struct ph_secret_pair secret;
    struct ph_input in;
    char body[PH_BODY_BYTES_MAX];
    char query[QUERY_BYTES_MAX];
};

static enum ph_status sign_status(struct ph_worker *worker, const struct ph_connector *c,
                                  const struct ph_sample *sample, const struct key *key,
                                  struct signed_sample *ret)
{
    struct ph_config_value config[] = {{PH_S("private_key_pem"), key->private},
                                       {PH_S("kid"), PH_S("k1")},
                                       {PH_S("webhook_id"), PH_S("WH-1")},
                                       {PH_S("api_key"), PH_S("k")}};
    const struct ph_request plain = {.method = PH_S("POST"), .uri = PH_S("/webhooks/x")};
    struct ph_signed out;
    struct ph_slice reason = {0};
    ret->secret = (struct ph_secret_pair){key->secret, PH_S("additional")};
    struct ph_input in = {.connector = c,
                          .request = &plain,
                          .secrets = &ret->secret,
                          .secret_count = 1,
                          .config = config,
                          .config_count = PH_COUNTOF(config),
                          .now_ms = NOW_MS * (int64_t)1000};
    PH_TRY(
        ph_engine_sign(worker, &in, sample->variant, sample->body, PH_S("msg_1"), &out, &reason));
    assert_true(out.header_count <= HEADERS_MAX && out.body.len < sizeof(ret->body));
    if (out.header_count > 0)
        memcpy(ret->headers, out.headers, out.header_count * sizeof(*out.headers));
    memcpy(ret->body, out.body.ptr, out.body.len);
    assert_true(out.query.len < sizeof(ret->query));
    if (out.query.len > 0)
        memcpy(ret->query, out.query.ptr, out.query.len);
    ret->request = (struct ph_request){.method = out.method,
                                       .uri = PH_S("/webhooks/x"),
                                       .headers = ret->headers,
                                       .header_count = out.header_count,
                                       .body = ph_slice_of(ret->body, out.body.len),
                                       .query = ph_slice_of(ret->query, out.query.len)};
    ret->in = (struct ph_input){.connector = c,
                                .request = &ret->request,
                                .secrets = &ret->secret,
                                .secret_count = 1,
                                .capture_method = PH_AUTOMATIC,
                                .now_ms = NOW_MS * (int64_t)1000};
    return PH_OK;
}

static bool sign_with(struct ph_worker *worker, const struct ph_connector *c,
                      const struct ph_sample *sample, const struct key *key,
                      struct signed_sample *ret)
{
    return sign_status(worker, c, sample, key, ret) == PH_OK;
}

#endif
