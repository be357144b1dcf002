/* Which certificates may bring a key, and which addresses are asked for one: each accept has its
 * rejects. The certificates are those of the PayPal cases
 * (tests/connectors/paypal/certificates/make.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "core/codec.h"
#include "core/engine.h"
#include "core/run.h"
#include "crypto/crypto.h"
#include "os/heap.h"
#include "reader/page.h"

enum { FILE_BYTES = 16 * 1024 };

static const int64_t IN_2026 = 1795600000000, IN_2024 = 1718000000000, IN_2029 = 1861920000000;

static struct ph_slice file(const char *name, char store[FILE_BYTES])
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/tests/connectors/paypal/certificates/%s.pem",
             PAYHOOK_SOURCE_DIR, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(store, 1, FILE_BYTES, f);
    fclose(f);
    assert_true(len > 0 && len < FILE_BYTES);
    return ph_slice_of(store, len);
}

/* The first certificate of a PEM as DER. */
static struct ph_slice der(struct ph_arena *arena, struct ph_slice pem)
{
    struct ph_slice begin = PH_S("-----BEGIN CERTIFICATE-----"), out = {0};
    size_t end = ph_slice_find(pem, PH_S("-----END"), 0);
    assert_true(end != SIZE_MAX);
    assert_true(ph_base64_decode(arena, ph_slice_of(pem.ptr + begin.len, end - begin.len), false,
                                 true, &out));
    return out;
}

static const struct ph_slice names[] = {PH_SI("messageverificationcerts.paypal.com"),
                                        PH_SI("messageverificationcerts.sandbox.paypal.com")};

static bool chain(const char *leaf, const char *root, int64_t at_ms, const struct ph_slice *bearing,
                  size_t count)
{
    char leaf_text[FILE_BYTES], root_text[FILE_BYTES];
    struct ph_crypto *crypto = ph_crypto_new(&ph_os_heap);
    struct ph_arena arena;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    struct ph_slice roots[1] = {der(&arena, file(root, root_text))};
    const struct ph_roots *set = ph_crypto_roots_add(crypto, PH_S(""), roots, 1);
    assert_non_null(set);
    bool good = ph_crypto_chain_ok(crypto, file(leaf, leaf_text), set, at_ms, bearing, count);
    ph_arena_done(&arena);
    ph_crypto_free(crypto);
    return good;
}

static bool trusted(const char *leaf, int64_t at_ms)
{
    return chain(leaf, "root", at_ms, names, PH_COUNTOF(names));
}

static void a_certificate_that_leads_to_the_root_and_bears_the_name_is_trusted(void **state)
{
    (void)state;
    assert_true(trusted("live", IN_2026));
    assert_true(trusted("common_name", IN_2026)); /* no DNS name in it: the common name counts */
}

static void a_certificate_of_another_name_is_not(void **state)
{
    (void)state;
    assert_false(trusted("other_name", IN_2026));
    assert_false(trusted("longer_name", IN_2026)); /* the name, and then a domain of somebody's */
    /* where there is a DNS name the common name is nothing */
    assert_false(trusted("other_dns", IN_2026));
    assert_false(trusted("wildcard", IN_2026));
    static const struct ph_slice nobody[] = {PH_SI("")};
    /* no name to look for must not mean any name */
    assert_false(chain("live", "root", IN_2026, nobody, 1));
    assert_false(chain("live", "root", IN_2026, names, 0));
}

static void a_certificate_is_judged_at_the_time_of_receipt(void **state)
{
    (void)state;
    assert_true(trusted("expired", IN_2024)); /* it was good when the notice came */
    assert_false(trusted("expired", IN_2026));
    assert_false(trusted("live", IN_2024)); /* not yet */
    assert_false(trusted("live", IN_2029));
    assert_false(trusted("live", -1)); /* no clock */
}

static void a_certificate_without_a_trusted_root_is_not(void **state)
{
    (void)state;
    assert_false(trusted("self_signed", IN_2026));
    assert_false(chain("live", "self_signed", IN_2026, names, PH_COUNTOF(names)));
    struct ph_crypto *crypto = ph_crypto_new(&ph_os_heap);
    char text[FILE_BYTES], root_text[FILE_BYTES];
    struct ph_arena arena;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    struct ph_slice roots[] = {PH_S("no DER"), der(&arena, file("root", root_text))};
    assert_false(
        ph_crypto_chain_ok(crypto, file("live", text), NULL, IN_2026, names, PH_COUNTOF(names)));
    assert_null(ph_crypto_roots_add(crypto, PH_S("none"), NULL, 0));
    assert_null(ph_crypto_roots_add(crypto, PH_S("none reads"), roots, 1));
    const struct ph_roots *set = ph_crypto_roots_add(crypto, PH_S("one reads"), roots, 2);
    assert_true(
        ph_crypto_chain_ok(crypto, file("live", text), set, IN_2026, names, PH_COUNTOF(names)));
    assert_false(
        ph_crypto_chain_ok(crypto, PH_S("no certificate"), set, IN_2026, names, PH_COUNTOF(names)));
    ph_arena_done(&arena);
    ph_crypto_free(crypto);
}

static void roots_are_parsed_once_and_only_so_many_lists_are_kept(void **state)
{
    (void)state;
    struct ph_crypto *crypto = ph_crypto_new(&ph_os_heap);
    char text[FILE_BYTES], root_text[FILE_BYTES], other_text[FILE_BYTES];
    struct ph_arena arena;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    struct ph_slice good[] = {der(&arena, file("root", root_text))},
                    other[] = {der(&arena, file("self_signed", other_text))};
    assert_null(ph_crypto_roots_find(crypto, PH_S("a")));
    const struct ph_roots *set = ph_crypto_roots_add(crypto, PH_S("a"), good, 1);
    assert_ptr_equal(ph_crypto_roots_find(crypto, PH_S("a")), set);
    const struct ph_roots *second = ph_crypto_roots_add(crypto, PH_S("b"), other, 1);
    assert_ptr_equal(ph_crypto_roots_find(crypto, PH_S("a")), set); /* each list has its own */
    assert_true(
        ph_crypto_chain_ok(crypto, file("live", text), set, IN_2026, names, PH_COUNTOF(names)));
    assert_false(
        ph_crypto_chain_ok(crypto, file("live", text), second, IN_2026, names, PH_COUNTOF(names)));
    assert_non_null(ph_crypto_roots_add(crypto, PH_S("c"), other, 1));
    assert_null(ph_crypto_roots_find(crypto, PH_S("b"))); /* longest unused */
    assert_non_null(ph_crypto_roots_find(crypto, PH_S("a")));
    ph_arena_done(&arena);
    ph_crypto_free(crypto);
}

/* ---- addresses ------------------------------------------------------------------------------- */

static const char page[] =
    "language: 1\nname: acme\ntitle: Acme\nsources:\n  S1: acme.example (2026-11-25)\n"
    "signature:\n  kind: rsa-sha256\n  from: header:Sig\n  secret: pem\n  key: "
    "config:fetched_certificate_pem\n"
    "  certificate: [ keys.example ]\n  message: \"{body}\"\n"
    "  fetch: { kind: certificate, url: \"{header:Cert}\", hosts: [ keys.example ] }\n"
    "event: { type: /type }\ndedupe: none\nrules: []\n";

static bool asked(const char *url)
{
    struct ph_arena arena;
    struct ph_page_errors errors = {0};
    const struct ph_connector *c = NULL;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    assert_int_equal(ph_page_read(&arena, PH_S("acme.yaml"), ph_slice_str(page), &errors, &c),
                     PH_OK);
    struct ph_worker *worker = ph_worker_new(&ph_os_heap);
    struct ph_header headers[] = {{PH_SI("Sig"), PH_SI("c2ln")},
                                  {PH_SI("Cert"), ph_slice_str(url)}};
    struct ph_request request = {.method = PH_SI("POST"),
                                 .headers = headers,
                                 .header_count = 2,
                                 .body = PH_SI("{\"type\":\"t\"}")};
    struct ph_secret_pair secret = {PH_SI("s"), {0}};
    struct ph_input in = {.connector = c,
                          .request = &request,
                          .secrets = &secret,
                          .secret_count = 1,
                          .now_ms = IN_2026};
    struct ph_answer answer;
    assert_int_equal(ph_engine_run(worker, &in, PH_WANT_ALL, &answer), PH_OK);
    bool out = answer.callout != NULL;
    assert_int_equal(answer.events[0].verdict, out ? PH_UNREACHABLE : PH_FORGED);
    if (out)
        assert_true(ph_slice_eq(answer.callout->result_name, PH_S("fetched_certificate_pem")));
    ph_worker_free(worker);
    ph_arena_done(&arena);
    return out;
}

static void only_the_pages_hosts_are_asked_by_https_and_by_a_straight_path(void **state)
{
    (void)state;
    static const char *const good[] = {"https://keys.example/certs/CERT-1",
                                       "https://KEYS.example/a..b/..c/...",
                                       "https://keys.example/a?b=/../c"};
    static const char *const bad[] = {
        "http://keys.example/certs/CERT-1",
        "https://evil.example/certs/CERT-1",
        "https://keys.example.evil.example/certs",
        "https://keys.example@evil.example/certs",
        "https://user@keys.example/certs",
        "https://keys.example:8443/certs",
        "https://keys.example\\@evil.example/certs",
        "https://keys.example/certs/../other",
        "https://keys.example/./certs",
        "https://keys.example/certs/%2e%2E/other",
        "https://keys.example/certs/.%2e",
        "https://keys.example/certs/a b",
        "//keys.example/certs",
        "",
    };
    for (size_t i = 0; i < PH_COUNTOF(good); i++)
        assert_true(asked(good[i]));
    for (size_t i = 0; i < PH_COUNTOF(bad); i++)
        assert_false(asked(bad[i]));
}

/* The page above, answered with a fetched certificate; roots: base64 of one, or none. */
static enum ph_verdict brought(const char *certificate, const char *as, const char *root,
                               bool *ret_called)
{
    char text[FILE_BYTES], root_text[FILE_BYTES], packed[FILE_BYTES];
    struct ph_arena arena;
    struct ph_page_errors errors = {0};
    const struct ph_connector *c = NULL;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    assert_int_equal(ph_page_read(&arena, PH_S("acme.yaml"), ph_slice_str(page), &errors, &c),
                     PH_OK);
    struct ph_worker *worker = ph_worker_new(&ph_os_heap);
    struct ph_header headers[] = {{PH_SI("Sig"), PH_SI("c2ln")},
                                  {PH_SI("Cert"), PH_SI("https://keys.example/c")}};
    struct ph_request request = {.method = PH_SI("POST"),
                                 .headers = headers,
                                 .header_count = 2,
                                 .body = PH_SI("{\"type\":\"t\"}")};
    struct ph_secret_pair secret = {PH_SI("s"), {0}};
    struct ph_config_value config[2] = {{ph_slice_str(as), file(certificate, text)}};
    if (root != NULL) {
        struct ph_slice base64;
        assert_true(
            ph_base64_encode(&arena, der(&arena, file(root, root_text)), false, true, &base64));
        memcpy(packed, base64.ptr, base64.len);
        config[1] = (struct ph_config_value){PH_S("root_certificates_der_base64"),
                                             ph_slice_of(packed, base64.len)};
    }
    struct ph_input in = {.connector = c,
                          .request = &request,
                          .secrets = &secret,
                          .secret_count = 1,
                          .config = config,
                          .config_count = root != NULL ? 2 : 1,
                          .now_ms = IN_2026};
    struct ph_answer answer;
    assert_int_equal(ph_engine_run(worker, &in, PH_WANT_ALL, &answer), PH_OK);
    enum ph_verdict verdict = answer.events[0].verdict;
    *ret_called = answer.callout != NULL;
    ph_worker_free(worker);
    ph_arena_done(&arena);
    return verdict;
}

static void a_fetched_certificate_proves_nothing_without_roots(void **state)
{
    (void)state;
    bool called;
    assert_int_equal(brought("live", "fetched_certificate_pem", NULL, &called), PH_UNREACHABLE);
    assert_false(called); /* asking again would not help */
    /* of another name */
    assert_int_equal(brought("live", "fetched_certificate_pem", "root", &called), PH_FORGED);
    assert_int_equal(brought("live", "something_else", NULL, &called), PH_UNREACHABLE);
    assert_true(called);
}

static void a_page_that_fetches_a_certificate_says_whose_it_must_be(void **state)
{
    (void)state;
    char text[sizeof(page)];
    memcpy(text, page, sizeof(page));
    memset(strstr(text, "  certificate:"), '#', 1); /* a comment in its place */
    struct ph_arena arena;
    struct ph_page_errors errors = {0};
    const struct ph_connector *c = NULL;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    assert_int_equal(ph_page_read(&arena, PH_S("acme.yaml"), ph_slice_str(text), &errors, &c),
                     PH_ERR_MALFORMED);
    ph_arena_done(&arena);
}

/* The page above as the reader would never let it through: without the certificate's names, and
 * as a JWS. */
static void the_engine_refuses_a_key_of_anybodys_certificate_by_itself(void **state)
{
    (void)state;
    static const enum ph_signature_kind kinds[] = {PH_SIG_RSA, PH_SIG_JWS};
    char text[FILE_BYTES];
    struct ph_arena arena;
    struct ph_page_errors errors = {0};
    const struct ph_connector *c = NULL;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    assert_int_equal(ph_page_read(&arena, PH_S("acme.yaml"), ph_slice_str(page), &errors, &c),
                     PH_OK);
    struct ph_worker *worker = ph_worker_new(&ph_os_heap);
    for (size_t i = 0; i < PH_COUNTOF(kinds); i++) {
        struct ph_slice algorithm = PH_SI("RS256");
        struct ph_signature sig = c->variants[0].signatures[0];
        struct ph_variant variant = c->variants[0];
        struct ph_connector crooked = *c;
        sig.kind = kinds[i];
        sig.certificate_name_count = 0;
        sig.algorithms = &algorithm;
        sig.algorithm_count = 1;
        variant.signatures = &sig;
        crooked.variants = &variant;
        struct ph_header headers[] = {{PH_SI("Sig"), kinds[i] == PH_SIG_JWS
                                                         ? PH_S("eyJhbGciOiJSUzI1NiJ9..c2ln")
                                                         : PH_S("c2ln")}};
        struct ph_request request = {.method = PH_SI("POST"),
                                     .headers = headers,
                                     .header_count = 1,
                                     .body = PH_SI("{\"type\":\"t\"}")};
        struct ph_secret_pair secret = {PH_SI("s"), {0}};
        struct ph_config_value config[] = {{PH_SI("fetched_certificate_pem"), file("live", text)}};
        struct ph_input in = {.connector = &crooked,
                              .request = &request,
                              .secrets = &secret,
                              .secret_count = 1,
                              .config = config,
                              .config_count = 1,
                              .now_ms = IN_2026};
        struct ph_answer answer;
        assert_int_equal(ph_engine_run(worker, &in, PH_WANT_ALL, &answer), PH_OK);
        assert_int_equal(answer.events[0].verdict, PH_UNSUPPORTED);
    }
    ph_worker_free(worker);
    ph_arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_that_leads_to_the_root_and_bears_the_name_is_trusted),
        cmocka_unit_test(a_certificate_of_another_name_is_not),
        cmocka_unit_test(a_certificate_is_judged_at_the_time_of_receipt),
        cmocka_unit_test(a_certificate_without_a_trusted_root_is_not),
        cmocka_unit_test(roots_are_parsed_once_and_only_so_many_lists_are_kept),
        cmocka_unit_test(only_the_pages_hosts_are_asked_by_https_and_by_a_straight_path),
        cmocka_unit_test(a_fetched_certificate_proves_nothing_without_roots),
        cmocka_unit_test(a_page_that_fetches_a_certificate_says_whose_it_must_be),
        cmocka_unit_test(the_engine_refuses_a_key_of_anybodys_certificate_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
