/* The configuration: what is read, what is refused and how it is said, what is never said.
 * Files, environment and clock are the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* wants those above */

#include <stdio.h>
#include <stdlib.h>

#include "config/settings.h"
#include "os/file.h"

/* ---- a world --------------------------------------------------------------------------------- */

#define SECRET  "whsec_S3cretThatMustNeverBePrinted"
#define SIGNING "whsec_c2lnbmluZy1rZXktb2YtdGhlLXRlc3Qtc2hvcA=="
#define NOW_MS  INT64_C(1764064800000) /* 2025-11-25T10:00:00Z */

/* An allocator that fails on request, counts, and looks at what it gets back. */
static struct {
    size_t live, calls, fail_at, unwiped;
} heap;

static void *heap_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    if (++heap.calls == heap.fail_at)
        return NULL;
    size_t *ptr = malloc(bytes + 2 * sizeof *ptr);
    if (ptr == NULL)
        return NULL;
    ptr[0] = bytes;
    memset(ptr + 2, 0x5a, bytes);
    heap.live++;
    return ptr + 2;
}

static void heap_free(void *ctx, void *ptr)
{
    (void)ctx;
    size_t *block = (size_t *)ptr - 2;
    struct ph_slice bytes = ph_slice_of(ptr, block[0]);
    heap.unwiped += ph_slice_find(bytes, PH_S("S3cretThatMustNeverBePrinted"), 0) != SIZE_MAX;
    heap.live--;
    free(block);
}

static const struct ph_allocator allocator = {.alloc = heap_alloc, .free = heap_free};

struct file {
    const char *path, *text;
    uint32_t mode;
};
static const struct file files[] = {
    {"/s/stripe", SECRET "\n", 0600},
    {"/s/open", SECRET, 0644},
    {"/s/empty", "\n", 0600},
    {"/s/signing", SIGNING "\r\n", 0400},
    {"/s/blank", " " SECRET, 0600},
    {"conf/relative", SECRET, 0600},
    {"/run/credentials/stripe", SECRET, 0400},
    {"/t/cert.pem", "x", 0644},
    {"/t/key.pem", "x", 0600},
    {"/s/no-base64", "whsec_%%%", 0600},
    {"/s/hex", "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056\n", 0600},
    {"/s/pem", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n", 0600},
    {"/t/open-key.pem", "x", 0640 | 0004},
    {"./payhook-data/development-secret", SIGNING, 0600},
};
static bool no_development;
static const char *turned = "x"; /* what /t/turned.pem holds */

static enum ph_status read_file(struct ph_arena *arena, const char *path, size_t bytes_max,
                                struct ph_slice *ret_bytes, uint32_t *ret_mode)
{
    if (strcmp(path, "/t/turned.pem") == 0) {
        *ret_bytes = ph_arena_copy(arena, ph_slice_str(turned));
        *ret_mode = 0600;
        return ph_slice_present(*ret_bytes) ? PH_OK : PH_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < PH_COUNTOF(files); i++) {
        if (strcmp(files[i].path, path) != 0 || (no_development && i == PH_COUNTOF(files) - 1))
            continue;
        *ret_bytes = ph_arena_copy(arena, ph_slice_str(files[i].text));
        *ret_mode = files[i].mode;
        if (!ph_slice_present(*ret_bytes))
            return PH_ERR_NO_MEMORY;
        return ret_bytes->len > bytes_max ? PH_ERR_TOO_LARGE : PH_OK;
    }
    return PH_ERR_NOT_FOUND;
}

static bool pages(void *ctx, const char *folder, const struct ph_connector *const **ret,
                  size_t *ret_count)
{
    (void)ctx;
    *ret = ph_connectors_builtin;
    *ret_count = ph_connectors_builtin_count;
    return folder == NULL;
}

static const char *environment[] = {"WHSEC=" SECRET,
                                    "SIGNING=" SIGNING,
                                    "EMPTY=",
                                    "BLANK= \t ",
                                    "PATH=/bin",
                                    NULL,
                                    NULL,
                                    NULL,
                                    NULL};
enum { FREE_VARIABLES = 5 }; /* environment[5 …] are a test's own */

static struct ph_config_report report;
static bool thorough; /* as for `config check` */
static const struct ph_config *config;

static struct ph_config_world world_of(void)
{
    return (struct ph_config_world){.allocator = &allocator,
                                    .environment = environment,
                                    .read_file = read_file,
                                    .pages = pages,
                                    .now_ms = NOW_MS,
                                    .thorough = thorough};
}

/* Loads `text` as the file conf/payhook.yaml; NULL: without a file. */
static enum ph_status load(const char *text)
{
    struct ph_config_world world = world_of();
    ph_config_report_done(&report);
    ph_config_report_init(&report, &allocator);
    ph_config_free(config);
    config = NULL;
    return text != NULL ? ph_config_load_text(&world, PH_S("conf/payhook.yaml"), ph_slice_str(text),
                                              &report, &config)
                        : ph_config_load(&world, NULL, &report, &config);
}

static int set_up(void **state)
{
    (void)state;
    memset(&heap, 0, sizeof heap);
    for (size_t i = FREE_VARIABLES; i < PH_COUNTOF(environment); i++)
        environment[i] = NULL;
    no_development = thorough = false;
    ph_config_report_init(&report, &allocator);
    config = NULL;
    return 0;
}

/* Whatever a test did: nothing is left, nothing that was given back held the secret, and nothing
 * that was said does. */
static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < report.count; i++)
        if (ph_slice_find(report.list[i].text, PH_S("S3cret"), 0) != SIZE_MAX)
            fail_msg("a secret is said: %.*s", (int)report.list[i].text.len,
                     report.list[i].text.ptr);
    ph_config_free(config);
    ph_config_report_done(&report);
    assert_int_equal(heap.live, 0);
    assert_int_equal(heap.unwiped, 0);
    return 0;
}

static void loads(const char *text)
{
    enum ph_status st = load(text);
    for (size_t i = 0; i < report.count; i++)
        print_message("%.*s\n", (int)report.list[i].text.len, report.list[i].text.ptr);
    assert_int_equal(st, PH_OK);
    assert_int_equal(report.count, 0);
}

static bool is_said(const char *text)
{
    for (size_t i = 0; i < report.count; i++)
        if (ph_slice_find(report.list[i].text, ph_slice_str(text), 0) != SIZE_MAX)
            return true;
    return false;
}

static void says(const char *text)
{
    if (is_said(text))
        return;
    for (size_t i = 0; i < report.count; i++)
        print_message("  %.*s\n", (int)report.list[i].text.len, report.list[i].text.ptr);
    fail_msg("nobody says: %s", text);
}

/* That one thing is wrong, said with its place, and nothing else is. */
static void refuses(const char *text, const char *error)
{
    assert_int_equal(load(text), PH_ERR_MALFORMED);
    assert_null(config);
    says(error);
    if (report.errors != 1)
        says("only one thing");
}

static void warns(const char *text, const char *warning)
{
    if (load(text) != PH_OK)
        says("nothing but a warning");
    says(warning);
    assert_int_equal(report.count, 1);
}

#define ENDPOINT "endpoints:\n  shop:\n    connector: stripe\n    secrets: [ env:WHSEC ]\n"
#define DESTINATION                                                                                \
    "destinations:\n  app:\n    url: https://app.example/events\n    secret: env:SIGNING\n"
#define slice_is(slice, text) assert_true(ph_slice_eq(slice, PH_S(text)))

/* ---- rows ------------------------------------------------------------------------------------ */

static void every_row_says_what_it_is_and_what_happens_without_it(void **state)
{
    (void)state;
    for (size_t s = 0; s < PH_SCOPE_COUNT; s++) {
        for (size_t i = 0; i < ph_scopes[s].count; i++) {
            const struct ph_setting *row = &ph_scopes[s].rows[i];
            if (row->help == NULL ||
                (row->fallback != NULL) + (row->unset != NULL) + row->required != 1)
                fail_msg("%s%s: help, and one of default, `unset` and required", ph_scopes[s].title,
                         row->key);
            bool number = row->kind == PH_SET_COUNT || row->kind == PH_SET_SIZE ||
                          row->kind == PH_SET_DURATION;
            if (number && (row->max <= row->min || row->offset >= ph_scopes[s].bytes))
                fail_msg("%s: a range", row->key);
            if (row->kind != PH_SET_NAMED && row->kind != PH_SET_FIELDS && s != PH_IN_ACCOUNT &&
                s != PH_IN_SECRET && row->env == NULL)
                fail_msg("%s%s has no variable", ph_scopes[s].title, row->key);
        }
    }
}

static void no_two_rows_share_a_key_a_variable_or_a_place(void **state)
{
    (void)state;
    for (size_t s = 0; s < PH_SCOPE_COUNT; s++) {
        for (size_t i = 0; i < ph_scopes[s].count; i++) {
            const struct ph_setting *a = &ph_scopes[s].rows[i];
            for (size_t k = 0; k < i; k++) {
                const struct ph_setting *b = &ph_scopes[s].rows[k];
                assert_string_not_equal(a->key, b->key);
                assert_int_not_equal(a->offset, b->offset);
                if (a->env != NULL && b->env != NULL)
                    assert_string_not_equal(a->env, b->env);
            }
        }
    }
}

static void the_defaults_are_the_limits_of_the_engine(void **state)
{
    (void)state;
    loads("");
    assert_int_equal(config->limits.body_bytes, PH_BODY_BYTES_MAX);
    assert_int_equal(config->limits.headers, PH_HEADERS_MAX);
    assert_int_equal(config->limits.header_bytes, PH_HEADER_BYTES_MAX);
    assert_int_equal(config->limits.connections, PH_CONNECTIONS_MAX);
    assert_int_equal(config->limits.head_ms, PH_HEAD_READ_MS);
    assert_int_equal(config->limits.body_ms, PH_BODY_READ_MS);
    assert_int_equal(config->limits.idle_ms, PH_IDLE_MS);
    assert_int_equal(config->threads, 0);
    slice_is(config->webhooks.listen, "127.0.0.1:8081");
    slice_is(config->service.listen, "127.0.0.1:8080");
    slice_is(config->data, "./payhook-data");
    slice_is(config->admin.socket, "./payhook-data/admin.sock");
    assert_int_equal(config->retention.keys_ms, 0);
    assert_true(config->metrics);
    assert_int_equal(config->log.level, PH_LOG_INFO);
}

static void a_destination_retries_as_the_design_says(void **state)
{
    static const int64_t after[] = {5000, 60000, 300000, 900000, 3600000, 10800000, 21600000};
    (void)state;
    loads(DESTINATION);
    const struct ph_config_destination *d = &config->destinations.items[0];
    assert_int_equal(d->retry.after_ms.count, PH_COUNTOF(after));
    assert_memory_equal(d->retry.after_ms.items, after, sizeof after);
    assert_int_equal(d->retry.every_ms, 12 * 3600000);
    assert_int_equal(d->retry.for_ms, 3 * 86400000);
    assert_int_equal(d->timeout.connect_ms, 5000);
    assert_int_equal(d->timeout.total_ms, 15000);
    assert_int_equal(d->kind, PH_CONFIG_HTTP);
    assert_int_equal(d->verdicts, PH_TELL_VERIFIED | PH_TELL_UNSIGNED | PH_TELL_UNSUPPORTED);
    loads(DESTINATION "    timeout: { total: 500ms }\n");
    d = &config->destinations.items[0];
    assert_int_equal(d->timeout.total_ms, 500);
    assert_int_equal(d->timeout.connect_ms, 500);
}

/* ---- quantities ------------------------------------------------------------------------------ */

static void times_and_sizes_are_exact(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } times[] = {{"0s", 0},
                 {"1ms", 1},
                 {"15s", 15000},
                 {"5m", 300000},
                 {"3d", 259200000},
                 {"2w", 1209600000},
                 {"9223372036854775807ms", INT64_MAX},
                 {"90 m", 5400000}};
    static const char *const no_times[] = {"",
                                           "15",
                                           "s",
                                           "1.5s",
                                           "-1s",
                                           "+1s",
                                           "1S",
                                           "1h30m",
                                           "9223372036854775808ms",
                                           "9223372036854775807s",
                                           "1e3s",
                                           "0x1s",
                                           " 1s"};
    static const char *const no_sizes[] = {
        "", "64", "64KB", "64kib", "-1B", "1.5MiB", "9223372036854775807KiB"};
    int64_t got;
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(times); i++) {
        if (!ph_duration_read(ph_slice_str(times[i].text), &got) || got != times[i].ms)
            fail_msg("%s is %lld ms", times[i].text, (long long)got);
    }
    for (size_t i = 0; i < PH_COUNTOF(no_times); i++)
        if (ph_duration_read(ph_slice_str(no_times[i]), &got))
            fail_msg("`%s` passes for a time", no_times[i]);
    assert_true(ph_size_read(PH_S("64KiB"), &got) && got == 65536);
    assert_true(ph_size_read(PH_S("1TiB"), &got) && got == INT64_C(1) << 40);
    for (size_t i = 0; i < PH_COUNTOF(no_sizes); i++)
        if (ph_size_read(ph_slice_str(no_sizes[i]), &got))
            fail_msg("`%s` passes for a size", no_sizes[i]);
}

static void what_is_shown_of_a_number_reads_back_to_it(void **state)
{
    static const int64_t numbers[] = {0,        1,         999,       1000,  60000,   3600000,
                                      86400000, 604800000, 604800001, 65536, 1048577, INT64_MAX};
    struct ph_arena arena;
    int64_t got;
    (void)state;
    ph_arena_init(&arena, &allocator, 1 << 20, 0);
    for (size_t i = 0; i < PH_COUNTOF(numbers); i++) {
        assert_true(ph_duration_read(ph_duration_text(&arena, numbers[i]), &got) &&
                    got == numbers[i]);
        assert_true(ph_size_read(ph_size_text(&arena, numbers[i]), &got) && got == numbers[i]);
    }
    ph_arena_done(&arena);
}

static void a_network_has_its_addresses_and_no_others(void **state)
{
    struct ph_network net, one;
    (void)state;
    assert_int_equal(ph_network_read(PH_S("10.1.0.0/16"), &net), PH_NETWORK_OK);
    assert_int_equal(ph_network_read(PH_S("10.1.255.255"), &one), PH_NETWORK_OK);
    assert_true(ph_network_has(&net, one.address));
    assert_int_equal(ph_network_read(PH_S("10.2.0.0"), &one), PH_NETWORK_OK);
    assert_false(ph_network_has(&net, one.address));
    assert_int_equal(ph_network_read(PH_S("::/0"), &net), PH_NETWORK_OK);
    assert_true(ph_network_has(&net, one.address));
    assert_int_equal(ph_network_read(PH_S("2001:db8::/33"), &net), PH_NETWORK_OK);
    assert_int_equal(ph_network_read(PH_S("2001:db8:8000::1"), &one), PH_NETWORK_OK);
    assert_false(ph_network_has(&net, one.address));
    assert_int_equal(ph_network_read(PH_S("10.1.2.3/16"), &net), PH_NETWORK_HOST_BITS);
    static const char *const none[] = {"",        "10",   "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
                                       "::1/129", "host", "10.0.0.0/8/8"};
    for (size_t i = 0; i < PH_COUNTOF(none); i++)
        if (ph_network_read(ph_slice_str(none[i]), &net) != PH_NETWORK_NOT_ONE)
            fail_msg("`%s` passes for a network", none[i]);
}

static void a_url_is_taken_apart_or_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "app.example",
                                      "https://",
                                      "https:///x",
                                      "https://u@h/",
                                      "https://u:p@h/",
                                      "https://h:0/",
                                      "https://h:65536/",
                                      "https://h:/",
                                      "https://[::1/",
                                      "https://[x]/",
                                      "https://h/#f",
                                      "https://h /",
                                      "https://h\\x",
                                      "https://[::1]x/",
                                      "https://h:1:2/"};
    struct ph_url url;
    struct ph_slice why;
    (void)state;
    assert_true(ph_url_read(PH_S("https://[::1]:8443/a?b=c@d"), &url, &why));
    slice_is(url.host, "::1");
    slice_is(url.port, "8443");
    slice_is(url.path, "/a?b=c@d");
    for (size_t i = 0; i < PH_COUNTOF(bad); i++)
        if (ph_url_read(ph_slice_str(bad[i]), &url, &why))
            fail_msg("`%s` passes for a URL", bad[i]);
}

/* ---- what is read ---------------------------------------------------------------------------- */

static void an_endpoint_is_what_the_file_says(void **state)
{
    (void)state;
    loads(
        "endpoints:\n"
        "  braintree-eu:\n"
        "    connector: authorizedotnet\n"
        "    secrets:\n"
        "      - { secret: env:WHSEC, additional: env:SIGNING, not_after: 2030-01-01T00:00:00Z }\n"
        "      - file:relative\n"
        "    context: { capture_method: manual }\n"
        "    config: { currency: EUR }\n"
        "    account: Shop-EU\n"
        "    mode: live\n"
        "    public_url: https://pay.example/webhooks/braintree-eu\n"
        "    tolerance: 10m\n"
        "    allow_ips: 192.0.2.0/24\n");
    const struct ph_config_endpoint *e = ph_config_endpoint_find(config, PH_S("braintree-eu"));
    assert_non_null(e);
    slice_is(e->page->name, "authorizedotnet");
    assert_int_equal(e->secrets.count, 2);
    slice_is(e->secrets.items[0].secret.value, SECRET);
    slice_is(e->secrets.items[0].additional.value, SIGNING);
    slice_is(e->secrets.items[0].secret.from, "env:WHSEC");
    assert_int_equal(e->secrets.items[0].not_after_ms, INT64_C(1893456000000));
    slice_is(e->secrets.items[1].secret.value, SECRET);
    slice_is(e->secrets.items[1].secret.from, "file:conf/relative"); /* from the file's folder */
    assert_int_equal(e->capture_method, PH_MANUAL);
    assert_int_equal(e->mode, PH_CONFIG_MODE_LIVE);
    assert_int_equal(e->allow_ips.count, 1);
    assert_null(ph_config_endpoint_find(config, PH_S("other")));
    /* … and what the engine is given of it. */
    static const struct ph_config_value values[] = {
        {PH_SI("currency"), PH_SI("EUR")},
        {PH_SI("notification_url"), PH_SI("https://pay.example/webhooks/braintree-eu")},
        {PH_SI("tolerance_seconds"), PH_SI("600")}};
    assert_int_equal(e->values.count, PH_COUNTOF(values));
    for (size_t i = 0; i < PH_COUNTOF(values); i++)
        assert_true(ph_slice_eq(e->values.items[i].name, values[i].name) &&
                    ph_slice_eq(e->values.items[i].value, values[i].value));
}

static void accounts_share_a_url_and_have_secrets_of_their_own(void **state)
{
    (void)state;
    loads("endpoints:\n  adyen:\n    connector: authorizedotnet\n    by: /merchantAccountCode\n    "
          "config: { currency: EUR }\n"
          "    accounts:\n      Shop EU: { secrets: [ env:WHSEC ] }\n      Shop US: { secrets: [ "
          "env:SIGNING ], config: { currency: USD } }\n");
    const struct ph_config_endpoint *e = &config->endpoints.items[0];
    const struct ph_config_account *us = ph_config_account_find(e, PH_S("Shop US")),
                                   *eu = ph_config_account_find(e, PH_S("Shop EU"));
    assert_non_null(us);
    slice_is(us->secrets.items[0].secret.value, SIGNING);
    slice_is(us->values.items[0].value, "USD");
    slice_is(eu->values.items[0].value, "EUR");
    assert_null(ph_config_account_find(e, PH_S("shop us")));
}

/* Which secrets of the first endpoint a request is judged with, as a word: "0 2". */
static const char *judged_with(int64_t received_ms, int64_t now_ms, const char *verified_by)
{
    static char word[4 * PH_SECRETS_MAX];
    const struct ph_config_endpoint *e = &config->endpoints.items[0];
    const struct ph_config_reading reading = {received_ms, now_ms, ph_slice_str(verified_by)};
    struct ph_secret_pair pairs[PH_SECRETS_MAX];
    size_t which[PH_SECRETS_MAX],
        len = 0,
        count = ph_config_secrets_for(e->secrets.items, e->secrets.count, &reading, pairs, which);
    word[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        assert_true(ph_slice_eq(pairs[i].secret, e->secrets.items[which[i]].secret.value));
        len += (size_t)snprintf(word + len, sizeof word - len, "%s%zu", i > 0 ? " " : "", which[i]);
    }
    return word;
}

static void secrets_are_valid_in_their_windows_only(void **state)
{
    (void)state;
    loads("endpoints:\n  shop:\n    connector: stripe\n    secrets:\n"
          "      - { secret: env:WHSEC, not_after: 2025-12-01T00:00:00Z }\n"
          "      - { secret: env:SIGNING, not_before: 2025-11-30T00:00:00Z }\n");
    /* 30 November, 1 December */
    const int64_t overlap_ms = INT64_C(1764460800000), end_ms = INT64_C(1764547200000);
    assert_string_equal(judged_with(overlap_ms - 1, overlap_ms - 1, ""), "0");
    assert_string_equal(judged_with(overlap_ms, overlap_ms, ""), "0 1");
    assert_string_equal(judged_with(end_ms - 1, end_ms - 1, ""), "0 1");
    assert_string_equal(judged_with(end_ms, end_ms, ""), "1");
}

/* The order of the file is not that of the windows. */
static void a_request_is_read_again_with_secrets_of_its_receipt_and_of_now_and_its_own(void **state)
{
    (void)state;
    loads("endpoints:\n  shop:\n    connector: stripe\n    secrets:\n"
          "      - { secret: env:SIGNING, not_before: 2025-11-30T00:00:00Z, not_after: "
          "2025-12-03T00:00:00Z }\n"
          "      - { secret: env:WHSEC, not_after: 2025-12-01T00:00:00Z }\n"
          "      - { secret: file:/s/hex, not_before: 2025-12-02T00:00:00Z }\n");
    const int64_t day = INT64_C(86400000), nov30 = INT64_C(1764460800000), dec1 = nov30 + day,
                  dec2 = dec1 + day, dec3 = dec2 + day;
    /* One that was added late verifies what came before it … */
    assert_string_equal(judged_with(nov30 - 1, nov30, ""), "0 1");
    /* … one that has ended since, what came within its window, and what it has verified … */
    assert_string_equal(judged_with(dec1 - 1, dec2, ""), "0 1 2");
    assert_string_equal(judged_with(nov30 - 1, dec3, ""), "1 2");
    assert_string_equal(judged_with(nov30 - 1, dec3, "env:SIGNING"), "0 1 2");
    /* … and none anything that came after its end, though one of that name verified another. */
    assert_string_equal(judged_with(dec1, dec3, ""), "0 2");
    assert_string_equal(judged_with(dec3, dec3, ""), "2");
    /* In a clock that was set back nothing comes back to life. */
    assert_string_equal(judged_with(dec3, nov30, ""), "2");
    /* A name that the configuration does not have is no secret. */
    assert_string_equal(judged_with(dec3, dec3, "env:GONE"), "2");
    assert_string_equal(judged_with(dec2, dec2, "file:/s/hex"), "0 2"); /* each once */
}

static void a_private_address_in_a_url_says_so_itself(void **state)
{
    (void)state;
    loads("destinations:\n  a: { url: 'http://127.0.0.1:3000/events', secret: env:SIGNING }\n"
          "  b: { url: 'https://app.example/', secret: env:SIGNING }\n"
          "  c: { url: 'redis://localhost:6379' }\n"
          "  d: { url: 'http://[::ffff:10.0.0.1]/', secret: env:SIGNING }\n");
    assert_true(config->destinations.items[0].allow_private);
    assert_false(config->destinations.items[1].allow_private);
    assert_true(config->destinations.items[2].allow_private);
    assert_true(config->destinations.items[3].allow_private);
    assert_int_equal(config->destinations.items[2].kind, PH_CONFIG_REDIS);
    refuses("destinations:\n  a:\n    url: http://169.254.169.254/\n    allow_private: false\n    "
            "secret: env:SIGNING\n",
            "conf/payhook.yaml:4:20: destinations.a.allow_private: false, and the URL has a "
            "private address");
}

static void credentials_of_systemd_are_found_by_their_folder(void **state)
{
    (void)state;
    environment[FREE_VARIABLES] = "CREDENTIALS_DIRECTORY=/run/credentials";
    loads(
        "endpoints:\n  shop: { connector: stripe, secrets: file:$CREDENTIALS_DIRECTORY/stripe }\n");
    slice_is(config->endpoints.items[0].secrets.items[0].secret.from,
             "file:/run/credentials/stripe");
}

static void credentials_without_their_folder_are_told_so(void **state)
{
    (void)state;
    refuses(
        "endpoints:\n  shop: { connector: stripe, secrets: file:$CREDENTIALS_DIRECTORY/stripe }\n",
        "CREDENTIALS_DIRECTORY is not set; systemd sets it for a unit with LoadCredential=");
    environment[FREE_VARIABLES] = "CREDENTIALS_DIRECTORY=";
    refuses("callouts: { ca: $CREDENTIALS_DIRECTORY/ca }\n" ENDPOINT,
            "callouts.ca: CREDENTIALS_DIRECTORY is not set");
}

/* ---- the environment ------------------------------------------------------------------------- */

static void the_environment_goes_over_the_file(void **state)
{
    (void)state;
    environment[FREE_VARIABLES] = "PAYHOOK_LOG_LEVEL=debug";
    environment[FREE_VARIABLES + 1] = "PAYHOOK_ENDPOINT_SHOP_SECRETS=env:SIGNING, file:/s/stripe";
    environment[FREE_VARIABLES + 2] = "PAYHOOK_DESTINATION_APP_RETRY_AFTER=1s, 2s";
    loads("log: { level: error }\n" ENDPOINT DESTINATION);
    assert_int_equal(config->log.level, PH_LOG_DEBUG);
    assert_int_equal(config->endpoints.items[0].secrets.count, 2);
    slice_is(config->endpoints.items[0].secrets.items[0].secret.value, SIGNING);
    assert_int_equal(config->destinations.items[0].retry.after_ms.items[1], 2000);
}

static void what_is_wrong_in_the_environment_names_the_variable(void **state)
{
    (void)state;
    environment[FREE_VARIABLES] = "PAYHOOK_LIMITS_BODY=64KB";
    refuses("", "environment variable PAYHOOK_LIMITS_BODY: limits.body: \"64KB\" is no size");
    environment[FREE_VARIABLES] = "PAYHOOK_ENDPOINT_SHOP_MODE=" SECRET;
    refuses(ENDPOINT, "environment variable PAYHOOK_ENDPOINT_SHOP_MODE: endpoints.shop.mode: "
                      "unknown word (not shown");
    environment[FREE_VARIABLES] = "PAYHOOK_DESTINATION_APP_AMOUNT_LEAST=5";
    refuses(DESTINATION, "environment variable PAYHOOK_DESTINATION_APP_AMOUNT_LEAST: "
                         "destinations.app.amount.least: an amount of which currency?");
}

static void a_variable_that_looks_like_a_setting_is_pointed_at(void **state)
{
    (void)state;
    environment[FREE_VARIABLES] = "PAYHOOK_LOG_LEVLE=debug";
    warns("", "environment variable PAYHOOK_LOG_LEVLE: warning: not the variable of a setting; did "
              "you mean PAYHOOK_LOG_LEVEL?");
    environment[FREE_VARIABLES] = "PAYHOOK_STRIPE_SECRET=" SECRET;
    warns(ENDPOINT,
          "PAYHOOK_STRIPE_SECRET: warning: there is a configuration file, which does not use it");
    environment[FREE_VARIABLES] = "PAYHOOK_MY_OWN=1";
    loads(ENDPOINT);
}

/* ---- without a file -------------------------------------------------------------------------- */

static void a_secret_in_the_environment_alone_is_an_endpoint(void **state)
{
    (void)state;
    environment[FREE_VARIABLES] = "PAYHOOK_STRIPE_SECRET=" SECRET;
    environment[FREE_VARIABLES + 1] = "PAYHOOK_BRAINTREE_SECRET=" SECRET;
    environment[FREE_VARIABLES + 2] = "PAYHOOK_BRAINTREE_ADDITIONAL_SECRET=" SIGNING;
    loads(NULL);
    assert_int_equal(config->endpoints.count, 2);
    assert_false(ph_slice_present(config->file));
    const struct ph_config_endpoint *stripe = ph_config_endpoint_find(config, PH_S("stripe"));
    const struct ph_config_endpoint *braintree = ph_config_endpoint_find(config, PH_S("braintree"));
    slice_is(stripe->connector, "stripe");
    slice_is(stripe->secrets.items[0].secret.value, SECRET);
    slice_is(braintree->secrets.items[0].additional.value, SIGNING);
}

static void an_empty_secret_in_the_environment_is_said_and_not_served(void **state)
{
    (void)state;
    environment[FREE_VARIABLES] = "PAYHOOK_STRIPE_SECRET=";
    refuses(NULL, "built-in configuration:4:26: endpoints.stripe.secrets[1].secret: "
                  "env:PAYHOOK_STRIPE_SECRET is empty");
}

static void with_nothing_at_all_there_is_a_development_endpoint_or_none(void **state)
{
    (void)state;
    loads(NULL);
    assert_int_equal(config->endpoints.count, 1);
    slice_is(config->endpoints.items[0].entry.name, "dev");
    slice_is(config->endpoints.items[0].secrets.items[0].secret.value, SIGNING);
    no_development = true;
    loads(NULL);
    assert_int_equal(config->endpoints.count, 0);
}

static void a_file_that_is_not_there_is_said(void **state)
{
    struct ph_config_world world = world_of();
    (void)state;
    assert_int_equal(ph_config_load(&world, "/nowhere/payhook.yaml", &report, &config),
                     PH_ERR_MALFORMED);
    says("/nowhere/payhook.yaml: is not there");
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void each_mistake_is_said_where_it_stands_and_what_to_do(void **state)
{
    static const struct {
        const char *text, *error;
    } mistakes[] = {
        /* the tree */
        {"lgo: { level: debug }\n",
         "conf/payhook.yaml:1:1: unknown key \"lgo\"; did you mean \"log\"?"},
        {"log:\n  levle: debug\n",
         "conf/payhook.yaml:2:3: log: unknown key \"levle\"; did you mean \"level\"?"},
        {"log: debug\n", "conf/payhook.yaml:1:6: log: settings belong here"},
        {"log: { level: [ debug ] }\n", "log.level: one value belongs here"},
        {"log: { level: }\n", "log.level: there is no value"},
        {"endpoints: [ shop ]\n", "endpoints: names belong here"},
        {"endpoints:\n  shop: stripe\n", ""},
        {"- a\n", "settings belong here"},
        {"log: &x { level: info }\n", "conf/payhook.yaml:1:6: an anchor"},
        {"log: { level: info }\nlog: { level: info }\n",
         "conf/payhook.yaml:2:1: this key stands here twice: log"},
        {"log: {\n", "conf/payhook.yaml:"},
        /* values */
        {"log: { level: noisy }\n",
         "log.level: unknown word \"noisy\"; known: error, warning, info, debug"},
        {"log: { level: inf }\n", "did you mean \"info\"?"},
        {"threads: 65\n", "threads: \"65\" is out of range; from 1 to 64, or auto"},
        {"threads: -1\n", "threads: \"-1\" is no whole number, or auto"},
        {"limits: { body: 2MiB }\n", "limits.body: \"2MiB\" is out of range; from 1KiB to 1MiB"},
        {"limits: { header_time: 15 }\n",
         "limits.header_time: \"15\" is no time; write a whole number and ms, s, m, h, d or w"},
        {"retention: { keys: 399d }\n", "retention.keys: \"399d\" is out of range; from 400d to"},
        {"metrics: yes\n", "metrics: \"yes\" is neither true nor false"},
        {"webhooks: { listen: 8081 }\n",
         "webhooks.listen: \"8081\" is no address; write HOST:PORT"},
        /* listeners */
        {"webhooks: { listen: 0.0.0.0:8081 }\n",
         "webhooks.listen: 0.0.0.0:8081 can be reached by others"},
        {"service: { listen: 0.0.0.0:8080, tls: { certificate: /t/cert.pem, key: /t/key.pem } }\n",
         "service.listen: 0.0.0.0:8080 can be used by everybody"},
        {"service: { listen: 127.0.0.1:8081 }\n", "webhooks.listen: the same as service.listen"},
        {"service: { listen: none }\nwebhooks: { listen: none }\n", "both listeners are off"},
        {"service: { tls: { certificate: /t/cert.pem } }\n",
         "service.tls.certificate: a certificate without its key"},
        {"service: { tls: { key: /t/key.pem } }\n",
         "service.tls.key: a key without its certificate"},
        {"service: { tls: { certificate: /t/none.pem, key: /t/key.pem } }\n",
         "service.tls.certificate: /t/none.pem is not there"},
        {"callouts: { ca: /t/none.pem }\n", "callouts.ca: /t/none.pem is not there"},
        {"callouts: { egress: gateway }\n", "callouts.egress: \"gateway\" is no address"},
        {"service: { tls: { ca: /t/cert.pem } }\n",
         "tls.ca asks clients for certificates, which takes TLS"},
        {"admin:\n  tokens:\n    a: { secret: env:SIGNING }\n    b: { secret: env:SIGNING }\n",
         "conf/payhook.yaml:4:18: admin.tokens.b.secret: the same token as a"},
        {"admin: { tokens: { a: { secret: env:SIGNING, scopes: [ read, wrte ] } } }\n",
         "scopes: unknown word \"wrte\""},
        {"admin: { tokens: { a: { scopes: [ read ] } } }\n",
         "admin.tokens.a.secret: is missing; it is the token"},
        /* endpoints */
        {"endpoints:\n  shop: { secrets: [ env:WHSEC ] }\n",
         "conf/payhook.yaml:2:3: endpoints.shop.connector: is missing; it is the processor"},
        {"endpoints:\n  shop: { connector: strip, secrets: [ env:WHSEC ] }\n",
         "conf/payhook.yaml:2:22: endpoints.shop.connector: no connector is called \"strip\"; did "
         "you mean \"stripe\"?"},
        {"endpoints:\n  shop: { connector: stripe }\n",
         "conf/payhook.yaml:2:3: endpoints.shop.secrets: no secret: nothing that is sent here "
         "could be verified"},
        {"endpoints:\n  ../x: { connector: stripe, secrets: [ env:WHSEC ] }\n",
         "endpoints: \"../x\" is no name"},
        {ENDPOINT "  Shop: { connector: stripe, secrets: [ env:WHSEC ] }\n",
         "conf/payhook.yaml:5:3: endpoints.Shop: all but the same name as shop"},
        {ENDPOINT "  shop: { connector: stripe, secrets: [ env:WHSEC ] }\n",
         "conf/payhook.yaml:5:3: this key stands here twice: shop"},
        {ENDPOINT "    config: { api_kye: env:WHSEC }\n",
         "endpoints.shop.config: stripe has no config field \"api_kye\"; did you mean "
         "\"api_key\"?"},
        {ENDPOINT "    config: { api_key: live-key-of-mine }\n",
         "endpoints.shop.config.api_key: a secret is never written here"},
        {ENDPOINT "    by: merchant\n", "endpoints.shop.by: write a JSON pointer"},
        {ENDPOINT "    by: /account\n", "endpoints.shop.by: there are no accounts to choose from"},
        {ENDPOINT "    accounts: { a: { secrets: [ env:WHSEC ] } }\n",
         "endpoints.shop.accounts: nothing says which account"},
        {ENDPOINT "    public_url: https://user:pw@shop.example/\n",
         "endpoints.shop.public_url: a URL here has no user or password"},
        {ENDPOINT "    public_url: ftp://shop.example/\n",
         "endpoints.shop.public_url: unknown scheme \"ftp\""},
        {ENDPOINT "    allow_ips: [ 10.0.0.1/8 ]\n",
         "endpoints.shop.allow_ips: \"10.0.0.1/8\" has bits behind its prefix; did you mean "
         "10.0.0.0/8?"},
        {ENDPOINT "    allow_ips: [ ten ]\n", "endpoints.shop.allow_ips: \"ten\" is no network"},
        {ENDPOINT "    allow_ips: [ 10.0.0.0/8, 10.0.0.0/8 ]\n",
         "\"10.0.0.0/8\" stands here twice"},
        {ENDPOINT "    tolerance: 1500ms\n", "endpoints.shop.tolerance: whole seconds only"},
        /* secrets */
        {"endpoints:\n  s: { connector: stripe, secrets: [ " SECRET " ] }\n",
         "conf/payhook.yaml:2:38: endpoints.s.secrets: a secret is never written here: put it into "
         "a file or a variable"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ { secret: " SECRET " } ] }\n",
         "endpoints.s.secrets[1].secret: a secret is never written here"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ env:" SECRET " ] }\n",
         "the environment variable it names is not set"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ 'file:/x/" SECRET "' ] }\n", ""},
        {"endpoints:\n  s: { connector: stripe, secrets: [ env:NOT_SET ] }\n",
         "the environment variable NOT_SET is not set"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ env:EMPTY ] }\n", "env:EMPTY is empty"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ env:BLANK ] }\n", "env:BLANK is empty"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ file:/s/empty ] }\n",
         "file:/s/empty is empty"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ file:/s/none ] }\n",
         "/s/none is not there"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ { secret: env:WHSEC, not_before: "
         "2026-01-02, not_after: 2026-01-01 } ] }\n",
         "a window that ends before it begins"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ { secret: env:WHSEC, not_after: "
         "2026-01-01 }, { secret: env:SIGNING, not_before: 2026-01-02 } ] }\n",
         "no secret is valid from 2026-01-01T00:00:00Z to 2026-01-02T00:00:00Z"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ { secret: env:WHSEC, not_after: "
         "tomorrow } ] }\n",
         "\"tomorrow\" is no time"},
        {"endpoints:\n  s: { connector: adyen, secrets: [ env:WHSEC ] }\n",
         "conf/payhook.yaml:2:37: endpoints.s.secrets: env:WHSEC is of the wrong form: keys of "
         "adyen are hex: an even number of digits and letters a to f"},
        {"endpoints:\n  s: { connector: adyen, by: /a, secrets: [ file:/s/hex ], accounts: { EU: { "
         "secrets: [ file:/s/signing ] } } }\n",
         "endpoints.s.accounts.EU.secrets: file:/s/signing is of the wrong form: keys of adyen are "
         "hex"},
        {"endpoints:\n  s: { connector: standardwebhooks, secrets: [ file:/s/no-base64 ] }\n",
         "file:/s/no-base64 is of the wrong form: keys of standardwebhooks are whsec_ and base64 "
         "behind it"},
        {"endpoints:\n  s: { connector: trustly, secrets: [ env:WHSEC ] }\n",
         "env:WHSEC is of the wrong form: keys of trustly are a public key or certificate in PEM"},
        /* destinations */
        {"destinations:\n  app: { url: 'https://app.example/' }\n",
         "conf/payhook.yaml:2:3: destinations.app.secret: is missing"},
        {"destinations:\n  app: { secret: env:SIGNING }\n", "destinations.app.url: is missing"},
        {"destinations:\n  app: { url: 'https://u:" SECRET
         "@app.example/', secret: env:SIGNING }\n",
         "destinations.app.url: a URL here has no user or password"},
        {"destinations:\n  app: { url: 'amqp://app.example/', secret: env:SIGNING }\n",
         "destinations.app.url: unknown scheme \"amqp\"; known: http, https, redis, rediss"},
        {DESTINATION "    events: [ paymnt ]\n", "destinations.app.events: no event type or class "
                                                 "is called \"paymnt\"; did you mean \"payment\"?"},
        {DESTINATION "    events: [ dispute_craeted ]\n", "did you mean \"DISPUTE_CREATED\"?"},
        {DESTINATION "    events: [ payment, PAYMENT ]\n", "\"PAYMENT\" stands here twice"},
        {DESTINATION "    connectors: [ stripee ]\n",
         "destinations.app.connectors: no connector is called \"stripee\"; did you mean "
         "\"stripe\"?"},
        {DESTINATION "    verdicts: [ forged ]\n",
         "destinations.app.verdicts: unknown word \"forged\""},
        {DESTINATION "    amount: { least: 100 }\n",
         "destinations.app.amount.least: an amount of which currency?"},
        {DESTINATION "    amount: { currency: EUX }\n", "\"EUX\" is no currency"},
        {DESTINATION "    amount: { currency: EUR, least: 10, most: 9 }\n",
         "destinations.app.amount.least: more than amount.most"},
        {DESTINATION "    amount: { currency: EUR, least: 10.50 }\n",
         "\"10.50\" is no whole number"},
        {DESTINATION "    timeout: { connect: 3s, total: 2s }\n",
         "destinations.app.timeout.total: timeout.total is the whole attempt"},
        {DESTINATION "    batch: 10\n",
         "destinations.app.batch: a structured message holds one event; add format: batch"},
        {DESTINATION "    redis: { stream: x }\n",
         "destinations.app.redis.stream: for redis:// and rediss:// only"},
        {DESTINATION "    retry: { after: [ 0s ] }\n",
         "destinations.app.retry.after: \"0s\" is out of range; from 1s to"},
        {DESTINATION
         "    retry: { after: [ 1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s ] }\n",
         "more than 16 entries"},
        {"destinations:\n  r: { url: 'redis://localhost/', secret: env:SIGNING }\n",
         "destinations.r.secret: for http:// and https:// only"},
        {"destinations:\n  r: { url: 'redis://localhost/', redis: { username: u } }\n",
         "a user without a password"},
        {"destinations:\n  a: { url: 'http://127.0.0.1/', secret: env:SIGNING, tls: { ca: "
         "/t/cert.pem } }\n",
         "the URL has no TLS"},
        {"destinations:\n  app: { url: 'https://app.example/', secret: file:/s/no-base64 }\n",
         "destinations.app.secret: file:/s/no-base64: behind whsec_ comes base64"},
    };
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(mistakes); i++) {
        if (load(mistakes[i].text) == PH_OK)
            fail_msg("nobody minds: %s", mistakes[i].text);
        says(mistakes[i].error);
        if (mistakes[i].error[0] != '\0' && report.errors != 1) {
            print_message("%s", mistakes[i].text);
            says("only that");
        }
        for (size_t k = 0; k < report.count; k++)
            if (ph_slice_find(report.list[k].text, PH_S("S3cret"), 0) != SIZE_MAX)
                fail_msg("a secret is said: %.*s", (int)report.list[k].text.len,
                         report.list[k].text.ptr);
    }
}

/* The form is the page's: text is any, and what is only a part of what is signed has none. */
static void keys_of_their_pages_form_are_taken(void **state)
{
    static const char *const good[] = {
        "endpoints:\n  s: { connector: adyen, secrets: [ file:/s/hex ] }\n",
        "endpoints:\n  s: { connector: standardwebhooks, secrets: [ env:SIGNING ] }\n",
        "endpoints:\n  s: { connector: stripe, secrets: [ file:/s/no-base64 ] }\n",
        "endpoints:\n  s: { connector: trustly, secrets: [ file:/s/pem ] }\n",
        /* a webhook's id, in what is signed */
        "endpoints:\n  s: { connector: paypal, secrets: [ env:WHSEC ] }\n",
        "endpoints:\n  s: { connector: braintree, secrets: [ env:WHSEC ] }\n",
    };
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(good); i++) {
        if (load(good[i]) == PH_OK && report.errors == 0)
            continue;
        for (size_t k = 0; k < report.count; k++)
            print_message("%.*s\n", (int)report.list[k].text.len, report.list[k].text.ptr);
        fail_msg("refused: %s", good[i]);
    }
}

static void a_check_says_what_thin_events_would_be_fetched_with(void **state)
{
    static const struct {
        const char *text, *warning;
    } doubts[] = {
        {"endpoints:\n  s: { connector: stripe, secrets: [ env:WHSEC ] }\n",
         "endpoints.s.config: no api_key: thin events, should they be sent here, cannot be "
         "fetched"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ env:WHSEC ], config: { api_key: "
         "env:SIGNING } }\n",
         NULL},
        {"endpoints:\n  s: { connector: stripe, by: /a, accounts: { EU: { secrets: [ env:WHSEC ] } "
         "} }\n",
         "endpoints.s.accounts.EU.config: no api_key"},
        {"endpoints:\n  s: { connector: stripe, by: /a, config: { api_key: env:SIGNING }, "
         "accounts: { EU: { secrets: [ env:WHSEC ] } } }\n",
         NULL},
        {"endpoints:\n  s: { connector: adyen, secrets: [ file:/s/hex ] }\n", NULL},
        /* one of its two ways */
        {"endpoints:\n  m: { connector: mollie, config: { api_key: env:SIGNING } }\n", NULL},
    };
    (void)state;
    for (int round = 0; round < 2; round++) {
        thorough = round == 0;
        for (size_t i = 0; i < PH_COUNTOF(doubts); i++) {
            size_t found = 0;
            assert_int_equal(load(doubts[i].text), PH_OK);
            for (size_t k = 0; k < report.count; k++) {
                found += doubts[i].warning != NULL &&
                         ph_slice_find(report.list[k].text, ph_slice_str(doubts[i].warning), 0) !=
                             SIZE_MAX;
                if (!thorough || doubts[i].warning == NULL)
                    assert_true(ph_slice_find(report.list[k].text, PH_S("thin events"), 0) ==
                                SIZE_MAX);
            }
            assert_int_equal(found, thorough && doubts[i].warning != NULL);
        }
    }
}

static void what_may_be_a_mistake_is_a_warning(void **state)
{
    static const struct {
        const char *text, *warning;
    } doubts[] = {
        {"endpoints:\n  s: { connector: stripe, secrets: [ file:/s/open ] }\n",
         "conf/payhook.yaml:2:38: warning: endpoints.s.secrets: /s/open is open to every user of "
         "this machine; chmod 600 it"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ file:/s/blank ] }\n",
         "begins or ends in white space"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ env:WHSEC, file:/s/stripe ] }\n",
         "the same secret stands here twice"},
        {"endpoints:\n  s: { connector: stripe, secrets: [ { secret: env:WHSEC, not_after: "
         "2025-01-01 } ] }\n",
         "no secret is valid any more"},
        {ENDPOINT "    public_url: http://shop.example/\n",
         "endpoints.shop.public_url: http:// over the internet"},
        {"endpoints:\n  p: { connector: phonepe, config: { username: u, password: env:WHSEC } }\n",
         "endpoints.p.secrets: no secret: what is signed with one cannot be verified"},
        {"service: { tls: { certificate: /t/cert.pem, key: /t/open-key.pem } }\n",
         "service.tls.key: /t/open-key.pem is open to every user"},
        {"destinations:\n  app: { url: 'http://app.example/', secret: env:SIGNING }\n",
         "http:// over the internet"},
        {"destinations:\n  app: { url: 'https://app.example/', secret: env:WHSEC }\n",
         "env:WHSEC: a key of fewer than 24 bytes can be guessed"},
        {"destinations:\n  app: { url: 'https://app.example/', secret: file:/s/hex }\n",
         "file:/s/hex: without whsec_ its text is the key as it stands"},
        {DESTINATION "    connectors: [ stripe ]\n",
         "destinations.app.connectors: no endpoint is of stripe"},
        {ENDPOINT "webhooks: { listen: none }\n", "there are endpoints, and no listener for them"},
    };
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(doubts); i++)
        warns(doubts[i].text, doubts[i].warning);
}

static void everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file(void **state)
{
    (void)state;
    assert_int_equal(load("log: { level: noisy }\n"
                          "endpoints:\n"
                          "  shop:\n"
                          "    connector: strip\n"
                          "    secrets: [ env:NOT_SET ]\n"
                          "    mood: live\n"
                          "destinations:\n"
                          "  app:\n"
                          "    url: https://app.example/\n"
                          "    batch: 0\n"),
                     PH_ERR_MALFORMED);
    static const char *const errors[] = {
        "yaml:1:", "yaml:4:16:", "yaml:5:16:", "yaml:6:5:", "yaml:8:3:", "yaml:10:12:"};
    assert_int_equal(report.errors, PH_COUNTOF(errors));
    for (size_t i = 0; i < PH_COUNTOF(errors); i++)
        assert_true(ph_slice_find(report.list[i].text, ph_slice_str(errors[i]), 0) != SIZE_MAX);
}

static void more_mistakes_than_fit_are_counted(void **state)
{
    static char text[16 * 1024] = "";
    size_t len = 0;
    (void)state;
    for (int i = 0; i < PH_CONFIG_FINDINGS_MAX + 5; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "unknown%d: 1\n", i);
    assert_int_equal(load(text), PH_ERR_MALFORMED);
    assert_int_equal(report.count, PH_CONFIG_FINDINGS_MAX);
    assert_int_equal(report.errors, PH_CONFIG_FINDINGS_MAX + 5);
    assert_int_equal(report.left_out, 5);
}

static void what_is_said_does_nothing_to_a_terminal(void **state)
{
    (void)state;
    refuses("\"lo\\e[31mg\": 1\n", "unknown key \"lo?[31mg\"");
}

/* ---- connectors that need no secret ---------------------------------------------------------- */

static void every_connector_has_an_endpoint_that_is_right(void **state)
{
    /* of one of these forms */
    static const char *const keys[] = {"env:WHSEC", "file:/s/hex", "file:/s/pem"};
    (void)state;
    for (size_t i = 0; i < ph_connectors_builtin_count; i++) {
        char text[256];
        struct ph_slice name = ph_connectors_builtin[i]->name;
        bool good = false;
        for (size_t k = 0; k < PH_COUNTOF(keys) && !good; k++) {
            snprintf(text, sizeof text, "endpoints:\n  it: { connector: %.*s, secrets: [ %s ] }\n",
                     (int)name.len, name.ptr, keys[k]);
            good = load(text) == PH_OK;
        }
        loads(text);
    }
    loads("endpoints:\n  t: { connector: truelayer }\n"); /* keys that anyone may fetch */
}

/* ---- showing --------------------------------------------------------------------------------- */

static const char everything[] =
    "data: /var/lib/payhook\nthreads: 2\n"
    "webhooks: { listen: '0.0.0.0:8443', tls: { certificate: /t/cert.pem, key: /t/key.pem } }\n"
    "service: { listen: '[::1]:9000', token: env:SIGNING, connection_age: 1h }\n"
    "endpoints:\n"
    "  a.b-c_d:\n"
    "    connector: authorizedotnet\n"
    "    secrets: [ { secret: env:WHSEC, additional: file:/s/signing, not_before: 2025-01-01, "
    "not_after: 2030-06-01T12:00:00Z }, file:/s/stripe ]\n"
    "    context: { capture_method: SEQUENTIAL_AUTOMATIC }\n"
    "    config: { currency: EUR }\n"
    "    mode: test\n"
    "    public_url: https://shop.example/webhooks/a\n"
    "    trusted_proxies: [ 10.0.0.0/8, '2001:db8::/32', '::1' ]\n"
    "    by: header:X-Account\n"
    "    accounts: { 'Shop \"EU\": #1': { secrets: [ env:SIGNING ], config: { currency: USD } }, "
    "'2': {} }\n"
    "destinations:\n"
    "  app: { url: 'https://app.example/e', secret: [ env:SIGNING, file:/s/signing ], events: [ "
    "payment, DISPUTE_CLOSED ],\n"
    "         connectors: [ authorizedotnet ], verdicts: verified, modes: [ live, unknown ], "
    "amount: { currency: EUR, least: 1000, most: 500000 },\n"
    "         retry: { after: [ 500s, 2w ], every: never, for: 1w }, timeout: { connect: 150ms }, "
    "concurrency: 2, rate: 5, ordering: payment,\n"
    "         once_per: effect, batch: 50, format: batch, tls: { certificate: /t/cert.pem, key: "
    "/t/key.pem } }\n"
    "  stream: { url: 'rediss://redis.example:6380/2', allow_private: true, redis: { username: u, "
    "password: env:SIGNING, stream: s, length: 1000 } }\n"
    "callouts: { enabled: false, ca: /t/cert.pem, egress: 'gateway:3128' }\n"
    "retention: { age: 30d, size: 10GiB, keys: 400d }\nlog: { format: json, level: debug "
    "}\nmetrics: false\n"
    "admin: { socket: /run/payhook.sock, tokens: { ops: { secret: env:WHSEC, scopes: [ read, "
    "replay, control ] } } }\n";

static void what_is_shown_loads_to_the_same_and_holds_no_secret(void **state)
{
    static const char *const texts[] = {everything, ENDPOINT DESTINATION, "",
                                        "webhooks: { listen: none }\nadmin: { socket: none }\n"};
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(texts); i++) {
        struct ph_config_world world = world_of();
        const struct ph_config *again = NULL;
        struct ph_config_changes changes;
        struct ph_arena arena;
        ph_arena_init(&arena, &allocator, 1 << 20, 0);
        if (load(texts[i]) != PH_OK)
            says("nothing");
        struct ph_slice shown = ph_config_show(config, &arena);
        assert_true(shown.len > 0);
        assert_true(ph_slice_find(shown, PH_S("S3cret"), 0) == SIZE_MAX &&
                    ph_slice_find(shown, PH_S("c2lnbmluZy"), 0) == SIZE_MAX);
        if (ph_config_load_text(&world, PH_S("shown.yaml"), shown, &report, &again) != PH_OK)
            says("nothing wrong with what was shown");
        assert_int_equal(ph_config_diff(config, again, &arena, &changes), PH_OK);
        for (size_t k = 0; k < changes.count; k++)
            fail_msg("%.*s differs", (int)changes.list[k].path.len, changes.list[k].path.ptr);
        assert_int_equal(changes.count, 0);
        ph_config_free(again);
        ph_arena_done(&arena);
    }
}

static void what_a_urls_query_says_is_not_shown_and_stars_are_not_loaded(void **state)
{
    static const char *const urls[][2] = {
        {"https://app.example/e?key=S3cret", "https://app.example/e?key=***"},
        {"https://app.example/e?a=S3cret&b&c=&d=1=2", "https://app.example/e?a=***&***&c=&d=***"},
        {"https://app.example/e?S3cret", "https://app.example/e?***"},
        {"https://app.example/e?", "https://app.example/e?"}};
    char text[512], want[256];
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(urls); i++) {
        struct ph_arena arena;
        ph_arena_init(&arena, &allocator, 1 << 20, 0);
        snprintf(text, sizeof text, "destinations:\n  app: { url: '%s', secret: env:SIGNING }\n",
                 urls[i][0]);
        loads(text);
        struct ph_slice shown = ph_config_show(config, &arena);
        snprintf(want, sizeof want, "url: \"%s\"", urls[i][1]);
        assert_true(ph_slice_find(shown, ph_slice_str(want), 0) != SIZE_MAX);
        assert_true(ph_slice_find(shown, PH_S("S3cret"), 0) == SIZE_MAX);
        ph_arena_done(&arena);
        snprintf(text, sizeof text, "destinations:\n  app: { url: '%s', secret: env:SIGNING }\n",
                 urls[i][1]);
        if (strstr(urls[i][1], "***") != NULL) {
            assert_int_equal(load(text), PH_ERR_MALFORMED);
            says("config show");
        }
    }
}

static void help_and_manual_name_every_row(void **state)
{
    struct ph_arena arena;
    (void)state;
    ph_arena_init(&arena, &allocator, 1 << 20, 0);
    struct ph_slice all = ph_config_help(&arena, PH_S("")), manual = ph_config_manual(&arena);
    for (size_t s = 0; s < PH_SCOPE_COUNT; s++) {
        for (size_t i = 0; i < ph_scopes[s].count; i++) {
            const struct ph_setting *row = &ph_scopes[s].rows[i];
            assert_true(ph_slice_find(all, ph_slice_str(row->key), 0) != SIZE_MAX);
            assert_true(ph_slice_find(manual, ph_slice_str(row->key), 0) != SIZE_MAX);
        }
    }
    struct ph_slice retry = ph_config_help(&arena, PH_S("destinations.NAME.retry"));
    assert_true(ph_slice_starts(retry, PH_S("destinations.NAME.retry.after\n")));
    assert_true(ph_slice_find(retry, PH_S("timeout"), 0) == SIZE_MAX);
    assert_false(ph_slice_present(ph_config_help(&arena, PH_S("nothing"))));
    ph_arena_done(&arena);
}

/* ---- reloading ------------------------------------------------------------------------------- */

static void a_reload_tells_what_changed_and_what_takes_a_restart(void **state)
{
    static const struct {
        const char *old, *now, *path;
        enum ph_config_how how;
        bool restart;
    } reloads[] = {
        {"log: { level: info }\n", "log: { level: debug }\n", "log.level", PH_CHANGE_CHANGED,
         false},
        {"data: a\n", "data: /b\nadmin: { socket: conf/a/admin.sock }\n", "data", PH_CHANGE_CHANGED,
         true},
        {"threads: 1\n", "threads: 2\n", "threads", PH_CHANGE_CHANGED, true},
        {"", ENDPOINT, "endpoints.shop", PH_CHANGE_ADDED, false},
        {ENDPOINT, "", "endpoints.shop", PH_CHANGE_REMOVED, false},
        {ENDPOINT, ENDPOINT "    mode: live\n", "endpoints.shop.mode", PH_CHANGE_CHANGED, false},
        {ENDPOINT,
         "endpoints:\n  shop:\n    connector: stripe\n    secrets: [ env:WHSEC, env:SIGNING ]\n",
         "endpoints.shop.secrets", PH_CHANGE_CHANGED, false},
        {DESTINATION, DESTINATION "    retry: { after: [ 5s, 1m, 5m, 15m, 1h, 3h, 7h ] }\n",
         "destinations.app.retry.after", PH_CHANGE_CHANGED, false},
    };
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(reloads); i++) {
        struct ph_config_changes changes;
        struct ph_arena arena;
        ph_arena_init(&arena, &allocator, 1 << 20, 0);
        loads(reloads[i].old);
        const struct ph_config *old = config;
        config = NULL;
        loads(reloads[i].now);
        assert_int_equal(ph_config_diff(old, config, &arena, &changes), PH_OK);
        assert_true(changes.count >= 1);
        assert_true(ph_slice_eq(changes.list[0].path, ph_slice_str(reloads[i].path)));
        assert_int_equal(changes.list[0].how, reloads[i].how);
        assert_int_equal(changes.list[0].restart, reloads[i].restart);
        assert_int_equal(changes.restart, reloads[i].restart);
        ph_config_free(old);
        ph_arena_done(&arena);
    }
}

/* By whichever reload it came, and until it is what runs. */
static void what_waits_for_a_restart_is_told_until_it_is_as_it_runs(void **state)
{
    struct ph_config_changes changes;
    struct ph_arena arena, kept_arena;
    (void)state;
    ph_arena_init(&arena, &allocator, 1 << 20, 0);
    ph_arena_init(&kept_arena, &allocator, 1 << 20, 0);
    loads("threads: 2\nwebhooks: { listen: '127.0.0.1:81' }\n");
    const struct ph_config *kept = ph_config_keep_restart(config, &kept_arena);
    assert_non_null(kept);
    static const struct {
        const char *now;
        size_t count;
        const char *first;
    } reloads[] = {
        {"threads: 2\nwebhooks: { listen: '127.0.0.1:81' }\n", 0, NULL},
        {"threads: 3\nwebhooks: { listen: '127.0.0.1:81' }\n", 1, "threads"},
        {"threads: 3\nwebhooks: { listen: '127.0.0.1:82' }\nlog: { level: debug }\n", 2, "threads"},
        {"threads: 3\nwebhooks: { listen: '127.0.0.1:82' }\n" ENDPOINT, 2, "threads"},
        {"threads: 2\nwebhooks: { listen: '127.0.0.1:82' }\ncallouts: { enabled: false, egress: "
         "'gateway:1' }\n",
         3, "webhooks.listen"},
        {"threads: 2\nwebhooks: { listen: '127.0.0.1:81' }\n" ENDPOINT DESTINATION, 0, NULL},
    };
    for (size_t i = 0; i < PH_COUNTOF(reloads); i++) {
        loads(reloads[i].now); /* the one that it was kept of has gone */
        assert_int_equal(ph_config_restart_diff(kept, config, &arena, &changes), PH_OK);
        assert_int_equal(changes.count, reloads[i].count);
        assert_int_equal(changes.restart, reloads[i].count > 0);
        if (changes.count > 0)
            assert_true(ph_slice_eq(changes.list[0].path, ph_slice_str(reloads[i].first)));
    }
    ph_arena_done(&arena);
    ph_arena_done(&kept_arena);
}

static void other_content_of_a_destinations_files_is_a_change(void **state)
{
    struct ph_config_changes changes;
    struct ph_arena arena;
    (void)state;
    ph_arena_init(&arena, &allocator, 1 << 20, 0);
    const char *text = "destinations:\n  app: { url: 'https://app.example/e', secret: env:SIGNING, "
                       "tls: { certificate: /t/cert.pem, key: /t/turned.pem } }\n";
    turned = "one key";
    loads(text);
    const struct ph_config *old = config;
    config = NULL;
    loads(text);
    assert_int_equal(ph_config_diff(old, config, &arena, &changes), PH_OK);
    assert_int_equal(changes.count, 0);
    turned = "another";
    loads(text);
    assert_int_equal(ph_config_diff(old, config, &arena, &changes), PH_OK);
    assert_int_equal(changes.count, 1);
    slice_is(changes.list[0].path, "destinations.app.tls");
    assert_false(changes.restart);
    ph_config_free(old);
    ph_arena_done(&arena);
}

/* Who follows a setting at a reload; one that nobody follows takes a restart, and says so. */
static void each_setting_is_followed_at_a_reload_or_takes_a_restart(void **state)
{
    static const struct {
        const char *key, *by; /* NULL: it takes a restart */
    } rows[] = {
        {"data", NULL},
        {"connectors", NULL},
        {"threads", NULL},
        {"webhooks.listen", NULL},
        {"webhooks.tls.certificate", "server.c, prepare"},
        {"webhooks.tls.key", "server.c, prepare"},
        {"webhooks.tls.ca", "server.c, prepare"},
        {"webhooks.insecure", "check.c, and server.c, is_safe_where_it_is"},
        {"service.listen", NULL},
        {"service.tls.certificate", "server.c, prepare"},
        {"service.tls.key", "server.c, prepare"},
        {"service.tls.ca", "server.c, prepare"},
        {"service.token", "service.c, check_token"},
        {"service.insecure", "check.c, and server.c, is_safe_where_it_is"},
        {"service.config_override", NULL},
        {"service.connection_age", NULL},
        {"endpoints", "receive.c, by the gateway's view"},
        {"destinations", "gateway.c, ph_gateway_reload"},
        {"retention.age", "inbox.h, ph_inbox_reconfigure"},
        {"retention.size", "inbox.h, ph_inbox_reconfigure"},
        {"retention.keys", "inbox.h, ph_inbox_reconfigure"},
        {"quarantine.requests", "inbox.h, ph_inbox_reconfigure"},
        {"quarantine.size", "inbox.h, ph_inbox_reconfigure"},
        {"quarantine.age", "inbox.h, ph_inbox_reconfigure"},
        {"limits.body", "receive.c, by the gateway's view"},
        {"limits.headers", "loop.c, use_view"},
        {"limits.header_size", "loop.c, use_view"},
        {"limits.connections", NULL},
        {"limits.header_time", "loop.c, use_view"},
        {"limits.body_time", "loop.c, use_view"},
        {"limits.idle_time", "loop.c, use_view"},
        {"callouts.enabled", NULL},
        {"callouts.ca", NULL},
        {"callouts.egress", NULL},
        {"log.format", "log.h, ph_log_configure"},
        {"log.level", "log.h, ph_log_configure"},
        {"metrics", "service.c, handle_metrics"},
        {"admin.socket", NULL},
        {"admin.tokens", "admin.c, by the gateway's view"},
    };
    (void)state;
    assert_int_equal(ph_scopes[PH_IN_CONFIG].count, PH_COUNTOF(rows));
    for (size_t i = 0; i < PH_COUNTOF(rows); i++) {
        const struct ph_setting *row = &ph_scopes[PH_IN_CONFIG].rows[i];
        assert_string_equal(row->key, rows[i].key);
        if (row->restart != (rows[i].by == NULL))
            fail_msg("%s: who follows it at a reload? If nobody does, it takes a restart",
                     row->key);
    }
    for (size_t scope = PH_IN_CONFIG + 1; scope < PH_SCOPE_COUNT;
         scope++) /* entries are used from the view, or handed on whole */
        for (size_t i = 0; i < ph_scopes[scope].count; i++)
            assert_false(ph_scopes[scope].rows[i].restart);
}

static void a_secret_that_is_another_under_its_old_name_is_a_change(void **state)
{
    struct ph_config_changes changes;
    struct ph_arena arena;
    (void)state;
    ph_arena_init(&arena, &allocator, 1 << 20, 0);
    environment[FREE_VARIABLES] = "TURNED=" SECRET;
    loads("endpoints:\n  shop: { connector: stripe, secrets: [ env:TURNED ] }\n");
    const struct ph_config *old = config;
    config = NULL;
    /* as long as the old one */
    environment[FREE_VARIABLES] = "TURNED=whsec_S3cretThatMustNeverBePrinteX";
    loads("endpoints:\n  shop: { connector: stripe, secrets: [ env:TURNED ] }\n");
    assert_int_equal(ph_config_diff(old, config, &arena, &changes), PH_OK);
    assert_int_equal(changes.count, 1);
    slice_is(changes.list[0].path, "endpoints.shop.secrets");
    ph_config_free(old);
    ph_arena_done(&arena);
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void memory_that_runs_out_anywhere_is_an_error_and_leaks_nothing(void **state)
{
    (void)state;
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        heap.calls = 0;
        heap.fail_at = n;
        enum ph_status st = load(everything);
        heap.fail_at = 0;
        if (st == PH_OK)
            break;
        assert_int_equal(st, PH_ERR_NO_MEMORY);
        assert_null(config);
        failures++;
    }
    assert_true(failures > 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(every_row_says_what_it_is_and_what_happens_without_it),
        TEST(no_two_rows_share_a_key_a_variable_or_a_place),
        TEST(the_defaults_are_the_limits_of_the_engine),
        TEST(a_destination_retries_as_the_design_says),
        TEST(times_and_sizes_are_exact),
        TEST(what_is_shown_of_a_number_reads_back_to_it),
        TEST(a_network_has_its_addresses_and_no_others),
        TEST(a_url_is_taken_apart_or_refused),
        TEST(an_endpoint_is_what_the_file_says),
        TEST(accounts_share_a_url_and_have_secrets_of_their_own),
        TEST(secrets_are_valid_in_their_windows_only),
        TEST(a_request_is_read_again_with_secrets_of_its_receipt_and_of_now_and_its_own),
        TEST(a_private_address_in_a_url_says_so_itself),
        TEST(credentials_of_systemd_are_found_by_their_folder),
        TEST(credentials_without_their_folder_are_told_so),
        TEST(the_environment_goes_over_the_file),
        TEST(what_is_wrong_in_the_environment_names_the_variable),
        TEST(a_variable_that_looks_like_a_setting_is_pointed_at),
        TEST(a_secret_in_the_environment_alone_is_an_endpoint),
        TEST(an_empty_secret_in_the_environment_is_said_and_not_served),
        TEST(with_nothing_at_all_there_is_a_development_endpoint_or_none),
        TEST(a_file_that_is_not_there_is_said),
        TEST(each_mistake_is_said_where_it_stands_and_what_to_do),
        TEST(keys_of_their_pages_form_are_taken),
        TEST(a_check_says_what_thin_events_would_be_fetched_with),
        TEST(what_may_be_a_mistake_is_a_warning),
        TEST(everything_that_is_wrong_is_said_at_once_in_the_order_of_the_file),
        TEST(more_mistakes_than_fit_are_counted),
        TEST(what_is_said_does_nothing_to_a_terminal),
        TEST(every_connector_has_an_endpoint_that_is_right),
        TEST(what_is_shown_loads_to_the_same_and_holds_no_secret),
        TEST(what_a_urls_query_says_is_not_shown_and_stars_are_not_loaded),
        TEST(help_and_manual_name_every_row),
        TEST(a_reload_tells_what_changed_and_what_takes_a_restart),
        TEST(what_waits_for_a_restart_is_told_until_it_is_as_it_runs),
        TEST(other_content_of_a_destinations_files_is_a_change),
        TEST(each_setting_is_followed_at_a_reload_or_takes_a_restart),
        TEST(a_secret_that_is_another_under_its_old_name_is_a_change),
        TEST(memory_that_runs_out_anywhere_is_an_error_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
