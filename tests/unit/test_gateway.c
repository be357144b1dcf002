/* The gateway's decisions, without a disk or a network: standings, replies, senders, secrets,
 * copies, waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/completer.h"
#include "gateway/policy.h"
#include "gateway/record.h"
#include "gateway/sender.h"
#include "os/heap.h"

/* ---- standings ------------------------------------------------------------------------------- */

static struct ph_event events[3];
static struct ph_answer answer;

static struct ph_judgement judged(size_t count, enum ph_verdict a, enum ph_verdict b)
{
    events[0] = (struct ph_event){.verdict = a, .verdict_reason = PH_S("first")};
    events[1] = (struct ph_event){.verdict = b, .verdict_reason = PH_S("second")};
    answer = (struct ph_answer){.events = events, .event_count = count};
    return ph_policy_judge(&answer);
}

static void a_request_stands_as_its_verdict_says(void **state)
{
    static const struct {
        enum ph_verdict verdict;
        enum ph_inbox_standing standing;
        bool held;
    } rows[] = {{PH_VERIFIED, PH_STANDING_ACCEPTED, false},
                {PH_FORGED, PH_STANDING_QUARANTINED, true},
                {PH_STALE, PH_STANDING_QUARANTINED, true},
                {PH_NO_SIGNATURE, PH_STANDING_QUARANTINED, true},
                {PH_NO_SECRET, PH_STANDING_QUARANTINED, true},
                {PH_UNSIGNED, PH_STANDING_HINT, false},
                {PH_UNSUPPORTED, PH_STANDING_HINT, false},
                {PH_UNREACHABLE, PH_STANDING_PENDING, true},
                {PH_VERDICT_UNSPECIFIED, PH_STANDING_QUARANTINED, true}};
    (void)state;
    for (size_t i = 0; i < PH_COUNTOF(rows); i++) {
        struct ph_judgement j = judged(1, rows[i].verdict, 0);
        assert_int_equal(j.standing, rows[i].standing);
        assert_int_equal(j.verdict, rows[i].verdict);
        assert_int_equal(ph_policy_holds(&answer, 0), rows[i].held);
        assert_int_equal(j.match_only, rows[i].verdict == PH_STALE);
        assert_int_equal(j.alarm, rows[i].verdict == PH_NO_SECRET);
        assert_int_equal(j.work, rows[i].verdict == PH_UNREACHABLE ? PH_WORK_VERIFY : PH_WORK_NONE);
    }
}

static void a_batch_stands_by_its_best_item_and_holds_the_bad(void **state)
{
    (void)state;
    assert_int_equal(judged(2, PH_FORGED, PH_VERIFIED).standing, PH_STANDING_ACCEPTED);
    assert_true(ph_policy_holds(&answer, 0));
    assert_false(ph_policy_holds(&answer, 1));
    assert_int_equal(judged(2, PH_VERIFIED, PH_FORGED).verdict, PH_VERIFIED);
    assert_int_equal(judged(2, PH_STALE, PH_FORGED).standing, PH_STANDING_QUARANTINED);
    assert_false(judged(2, PH_STALE, PH_FORGED).match_only);
    assert_true(judged(2, PH_STALE, PH_STALE).match_only);
}

static void a_body_that_cannot_be_read_is_quarantined_with_what_is_wrong(void **state)
{
    (void)state;
    answer = (struct ph_answer){.error = PH_E_WEBHOOK_BODY_DECODING_FAILED,
                                .error_message = PH_S("not JSON")};
    struct ph_judgement j = ph_policy_judge(&answer);
    assert_int_equal(j.standing, PH_STANDING_QUARANTINED);
    assert_false(j.match_only);
    assert_true(ph_slice_eq(j.reason, PH_S("not JSON")));
}

static void
a_thin_event_is_held_until_its_object_is_fetched_and_a_forged_one_fetches_nothing(void **state)
{
    struct ph_callout callout = {.kind = PH_FETCH_EVENT};
    (void)state;
    (void)judged(1, PH_VERIFIED, 0);
    events[0].incomplete = PH_S("thin");
    assert_false(ph_policy_holds(&answer, 0)); /* nothing can complete it: told as it is */
    answer.callout = &callout;
    assert_true(ph_policy_holds(&answer, 0));
    assert_int_equal(ph_policy_judge(&answer).work, PH_WORK_FETCH);
    events[0].verdict = PH_FORGED;
    assert_int_equal(ph_policy_judge(&answer).work, PH_WORK_NONE);
}

/* ---- replies --------------------------------------------------------------------------------- */

static enum ph_reply_kind reply(enum ph_status status, enum ph_inbox_stored stored,
                                enum ph_inbox_standing standing)
{
    const struct ph_inbox_store store = {
        .op.status = status, .stored = stored, .request.standing = standing};
    return ph_policy_reply(&store);
}

static void success_is_for_what_is_stored_only(void **state)
{
    (void)state;
    for (int standing = PH_STANDING_ACCEPTED; standing <= PH_STANDING_QUARANTINED; standing++) {
        assert_int_equal(reply(PH_ERR_IO, 0, standing), PH_REPLY_BUSY);
        assert_int_equal(reply(PH_ERR_AGAIN, PH_STORED_NEW, standing), PH_REPLY_BUSY);
        assert_int_equal(reply(PH_OK, PH_STORED_FULL, standing), PH_REPLY_BUSY);
        assert_int_equal(reply(PH_OK, PH_STORED_NEW, standing),
                         standing == PH_STANDING_QUARANTINED ? PH_REPLY_REFUSE : PH_REPLY_GOOD);
        assert_int_equal(reply(PH_OK, PH_STORED_DUPLICATE, standing), PH_REPLY_GOOD);
    }
}

/* ---- senders --------------------------------------------------------------------------------- */

static struct ph_network network(const char *text)
{
    struct ph_network n;
    assert_int_equal(ph_network_read(ph_slice_str(text), &n), PH_NETWORK_OK);
    return n;
}

static bool sender_is(const char *peer, const char *first, const char *second, const char *expected)
{
    const struct ph_network trusted[] = {network("10.0.0.0/8"), network("fd00::/8")};
    const struct ph_header headers[] = {{PH_S("X-Forwarded-For"), ph_slice_str(first)},
                                        {PH_S("x-forwarded-for"), ph_slice_str(second)}};
    const struct ph_request request = {.headers = headers,
                                       .header_count = second != NULL  ? 2
                                                       : first != NULL ? 1
                                                                       : 0};
    struct ph_config_endpoint endpoint = {0};
    uint8_t got[16];
    endpoint.trusted_proxies.items = trusted;
    endpoint.trusted_proxies.count = PH_COUNTOF(trusted);
    ph_sender_address(&endpoint, network(peer).address, &request, got);
    return memcmp(got, network(expected).address, 16) == 0;
}

static void the_sender_is_the_last_address_that_no_trusted_proxy_has(void **state)
{
    (void)state;
    assert_true(sender_is("192.0.2.1", NULL, NULL, "192.0.2.1"));
    /* nobody trusted wrote that */
    assert_true(sender_is("192.0.2.1", "203.0.113.9", NULL, "192.0.2.1"));
    assert_true(sender_is("10.0.0.1", "203.0.113.9", NULL, "203.0.113.9"));
    /* what the sender wrote itself */
    assert_true(sender_is("10.0.0.1", "1.1.1.1, 203.0.113.9", NULL, "203.0.113.9"));
    assert_true(sender_is("10.0.0.1", "203.0.113.9, 10.0.0.2", NULL, "203.0.113.9"));
    assert_true(sender_is("10.0.0.1", "1.1.1.1", "203.0.113.9", "203.0.113.9"));
    assert_true(sender_is("10.0.0.1", "203.0.113.9", "10.1.1.1", "203.0.113.9"));
    assert_true(sender_is("fd00::1", "2001:db8::7", NULL, "2001:db8::7"));
    assert_true(sender_is("10.0.0.1", "203.0.113.9, nonsense", NULL, "10.0.0.1"));
    assert_true(sender_is("10.0.0.1", "203.0.113.0/24", NULL, "10.0.0.1"));
    /* all are proxies: the farthest */
    assert_true(sender_is("10.0.0.1", "10.0.0.3", NULL, "10.0.0.3"));
    assert_true(sender_is("10.0.0.1", "", NULL, "10.0.0.1"));
}

static void a_list_of_addresses_lets_nobody_else_in(void **state)
{
    const struct ph_network allowed[] = {network("192.0.2.0/24")};
    struct ph_config_endpoint endpoint = {0};
    (void)state;
    assert_true(ph_sender_allowed(&endpoint, network("198.51.100.1").address));
    endpoint.allow_ips.items = allowed;
    endpoint.allow_ips.count = 1;
    assert_true(ph_sender_allowed(&endpoint, network("192.0.2.200").address));
    assert_false(ph_sender_allowed(&endpoint, network("192.0.3.1").address));
    assert_false(ph_sender_allowed(&endpoint, (const uint8_t[16]){0})); /* not known who it is */
}

/* ---- secrets --------------------------------------------------------------------------------- */

static bool keys_for(struct ph_config_endpoint *endpoint, const char *body,
                     struct ph_view_keys *ret)
{
    struct ph_arena arena;
    const struct ph_header header = {PH_S("x-account"), PH_S("two")};
    const struct ph_request request = {
        .headers = &header, .header_count = 1, .body = ph_slice_str(body)};
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    bool found = ph_view_keys_for(endpoint, &request, 1000, &arena, ret);
    ph_arena_done(&arena);
    return found;
}

static void an_account_is_picked_by_what_the_request_says_and_an_unknown_one_is_none(void **state)
{
    const struct ph_config_secret own = {.secret = {PH_S("env:OWN"), PH_S("own")}},
                                  late = {.secret = {PH_S("env:LATE"), PH_S("late")},
                                          .not_before_ms = 2000},
                                  shared[] = {late, {.secret = {PH_S("env:ALL"), PH_S("all")}}};
    struct ph_config_account accounts[2] = {{.entry.name = PH_S("one")},
                                            {.entry.name = PH_S("two")}};
    struct ph_config_endpoint endpoint = {.by = PH_S("/account")};
    struct ph_view_keys keys;
    (void)state;
    accounts[0].secrets.items = &own;
    accounts[0].secrets.count = 1;
    endpoint.accounts.items = accounts;
    endpoint.accounts.count = 2;
    endpoint.secrets.items = shared;
    endpoint.secrets.count = 2;
    assert_true(keys_for(&endpoint, "{\"account\":\"one\"}", &keys));
    assert_int_equal(keys.count, 1);
    assert_true(ph_slice_eq(keys.names[0], PH_S("env:OWN")));
    /* none of its own: the endpoint's, those that are valid */
    assert_true(keys_for(&endpoint, "{\"account\":\"two\"}", &keys));
    assert_int_equal(keys.count, 1);
    assert_true(ph_slice_eq(keys.names[0], PH_S("env:ALL")));
    assert_false(keys_for(&endpoint, "{\"account\":\"three\"}", &keys));
    assert_false(keys_for(&endpoint, "{\"account\":\"\"}", &keys));
    assert_false(keys_for(&endpoint, "{\"account\":[\"one\"]}", &keys));
    assert_false(keys_for(&endpoint, "not JSON", &keys));
    assert_false(keys_for(&endpoint, "", &keys));
    endpoint.by = PH_S("header:X-Account");
    assert_true(keys_for(&endpoint, "", &keys));
    endpoint.by = (struct ph_slice){0};
    assert_true(keys_for(&endpoint, "", &keys));
}

static void
a_request_from_the_inbox_is_judged_with_the_secrets_of_its_account_whenever_valid(void **state)
{
    const struct ph_config_secret own[] = {
        {.secret = {PH_S("env:LATE"), PH_S("late")}, .not_before_ms = 2000},
        {.secret = {PH_S("env:PAST"), PH_S("past")}, .not_after_ms = 1500},
        {.secret = {PH_S("env:OVER"), PH_S("over")}, .not_after_ms = 500}};
    const struct ph_config_secret shared = {.secret = {PH_S("env:ALL"), PH_S("all")}};
    struct ph_config_account account = {.entry.name = PH_S("one")};
    struct ph_config_endpoint endpoint = {.by = PH_S("/account")};
    struct ph_inbox_request kept = {.received_ms = 1000, .body = PH_S("{\"account\":\"one\"}")};
    struct ph_view_keys keys;
    struct ph_arena arena;
    (void)state;
    account.secrets.items = own;
    account.secrets.count = PH_COUNTOF(own);
    endpoint.accounts.items = &account;
    endpoint.accounts.count = 1;
    endpoint.secrets.items = &shared;
    endpoint.secrets.count = 1;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    assert_true(ph_view_keys_again(&endpoint, &kept, 3000, &arena, &keys));
    assert_int_equal(keys.count, 2);
    assert_true(ph_slice_eq(keys.names[0], PH_S("env:LATE")));
    assert_true(ph_slice_eq(keys.names[1], PH_S("env:PAST")));
    assert_true(ph_slice_eq(keys.account, PH_S("one")));
    assert_true(ph_slice_eq(keys.secret_of, PH_S("one")));
    kept.secret = PH_S("env:OVER");
    assert_true(ph_view_keys_again(&endpoint, &kept, 3000, &arena, &keys));
    assert_int_equal(keys.count, 3);
    assert_true(ph_slice_eq(keys.names[2], PH_S("env:OVER")));
    kept.secret = PH_S("env:ALL"); /* another account's, or the endpoint's: not in its list */
    assert_true(ph_view_keys_again(&endpoint, &kept, 3000, &arena, &keys));
    assert_int_equal(keys.count, 2);
    kept.body = PH_S("{\"account\":\"two\"}");
    assert_false(ph_view_keys_again(&endpoint, &kept, 3000, &arena, &keys));
    ph_arena_done(&arena);
}

static void the_secret_that_is_kept_is_that_of_the_first_item_that_one_verified(void **state)
{
    struct ph_event batch[3] = {{.verdict = PH_FORGED},
                                {.verdict = PH_VERIFIED, .matched_secret = 2},
                                {.verdict = PH_VERIFIED, .matched_secret = 1}};
    const struct ph_answer said = {.events = batch, .event_count = 3};
    const struct ph_view_keys keys = {.names = {PH_S("env:NEW"), PH_S("env:OLD")}, .count = 2};
    (void)state;
    assert_true(ph_slice_eq(ph_view_matched(&keys, &said), PH_S("env:OLD")));
    batch[1].matched_secret = batch[2].matched_secret = 0;
    assert_false(ph_slice_present(ph_view_matched(&keys, &said)));
}

/* ---- copies ---------------------------------------------------------------------------------- */

static void a_copy_stands_alone(void **state)
{
    char text[] = "the body", name[] = "x-name", key[] = "acme:1";
    struct ph_header header = {ph_slice_of(name, 6), ph_slice_of(text, 3)};
    struct ph_inbox_event event = {
        .dedupe_key = ph_slice_of(key, 6), .answer = ph_slice_of(text, 8), .amount = 7};
    struct ph_inbox_store store = {.events = &event, .event_count = 1}, *copy;
    (void)state;
    store.request.body = ph_slice_of(text, 8);
    store.request.headers = &header;
    store.request.header_count = 1;
    char *block = ph_record_copy(&store, 48, &copy);
    assert_non_null(block);
    assert_ptr_equal(block + 48, copy);
    for (int i = 0; i < 48; i++)
        assert_int_equal(block[i], 0);
    memset(text, '#', 8), memset(name, '#', 6), memset(key, '#', 6);
    memset(&event, 0xff, sizeof event), memset(&header, 0xff, sizeof header);
    assert_true(ph_slice_eq(copy->request.body, PH_S("the body")));
    assert_true(ph_slice_eq(copy->request.headers[0].name, PH_S("x-name")));
    assert_true(ph_slice_eq(copy->request.headers[0].value, PH_S("the")));
    assert_true(ph_slice_eq(copy->events[0].dedupe_key, PH_S("acme:1")));
    assert_true(ph_slice_eq(copy->events[0].answer, PH_S("the body")));
    assert_int_equal(copy->events[0].amount, 7);
    assert_false(ph_slice_present(copy->request.trace));
    assert_true(copy->op.bytes >=
                48 + sizeof *copy + sizeof event + sizeof header + 8 + 6 + 3 + 6 + 8);
    free(block);
}

/* ---- a real request -------------------------------------------------------------------------- */

static void what_is_stored_of_a_verified_event_is_what_handle_says_of_it(void **state)
{
    /* HMAC-SHA256 of "1700000000.{body}" with "whsec_test", by another tool. */
    static const char body[] =
        "{\"id\":\"evt_1\",\"object\":\"event\",\"created\":1700000000,\"livemode\":true,"
        "\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":\"pi_1\",\"object\":"
        "\"payment_intent\","
        "\"amount\":4900,\"amount_received\":4900,\"currency\":\"eur\",\"status\":\"succeeded\"}}}";
    const struct ph_connector *stripe = NULL;
    struct ph_worker *worker = ph_worker_new(&ph_os_heap);
    const struct ph_secret_pair secret = {.secret = PH_S("whsec_test")};
    const struct ph_request bare = {.method = PH_S("POST"), .uri = PH_S("/webhooks/shop")};
    struct ph_signed made;
    struct ph_slice reason;
    struct ph_view view = {0};
    struct ph_config_endpoint endpoint = {.entry.name = PH_S("shop"), .account = PH_S("acct:9")};
    struct ph_inbox_store store;
    (void)state;
    for (size_t i = 0; i < ph_connectors_builtin_count; i++)
        if (ph_slice_eq(ph_connectors_builtin[i]->name, PH_S("stripe")))
            stripe = ph_connectors_builtin[i];
    struct ph_input in = {.connector = stripe,
                          .request = &bare,
                          .secrets = &secret,
                          .secret_count = 1,
                          .now_ms = 1700000000000};
    assert_int_equal(ph_engine_sign(worker, &in, (struct ph_slice){0}, ph_slice_str(body),
                                    PH_S("u"), &made, &reason),
                     PH_OK);
    struct ph_request request = bare;
    request.headers = made.headers;
    request.header_count = made.header_count;
    request.body = made.body;
    in.request = &request;
    assert_int_equal(
        ph_engine_run_keep(worker, &in, (enum ph_want)(PH_WANT_ALL | PH_WANT_EVERY_ITEM), &answer),
        PH_OK);
    const struct ph_record_input input = {.view = &view,
                                          .endpoint = &endpoint,
                                          .in = &in,
                                          .answer = &answer,
                                          .secret = PH_S("env:S")};
    assert_int_equal(ph_record_make(worker, &input, &store), PH_OK);
    assert_int_equal(store.event_count, 1);
    const struct ph_inbox_event *event = &store.events[0];
    assert_int_equal(store.request.standing, PH_STANDING_ACCEPTED);
    assert_true(ph_slice_eq(store.request.secret, PH_S("env:S")));
    assert_true(ph_slice_eq(event->type, PH_S("PAYMENT_INTENT_SUCCESS")));
    assert_true(ph_slice_eq(event->class, PH_S("payment")));
    assert_true(ph_slice_eq(event->subject, PH_S("pi_1")));
    assert_true(ph_slice_eq(event->dedupe_key, PH_S("@acct%3A9:stripe:evt_1")));
    assert_true(ph_slice_eq(event->event_id, event->dedupe_key));
    assert_true(ph_slice_find(event->answer,
                              PH_S("\"merchant_event_id\":\"@acct%3A9:stripe:evt_1\""),
                              0) != SIZE_MAX);
    assert_true(ph_slice_eq(event->currency, PH_S("EUR")));
    assert_int_equal(event->amount, 4900);
    assert_int_equal(event->occurred_ms, 1700000000000);
    assert_false(event->held);
    assert_true(ph_slice_starts(event->answer, PH_S("{\"event_type\":\"PAYMENT_INTENT_SUCCESS\"")));
    /* The digest is of what it says, not of how it came. */
    unsigned char before[PH_DIGEST_BYTES];
    memcpy(before, event->digest, sizeof before);
    answer.events[0].matched_secret = 2;
    answer.events[0].verdict_reason = PH_S("otherwise");
    assert_int_equal(ph_record_make(worker, &input, &store), PH_OK);
    assert_memory_equal(before, store.events[0].digest, sizeof before);
    answer.events[0].fields[PH_F_AMOUNT].number++;
    assert_int_equal(ph_record_make(worker, &input, &store), PH_OK);
    assert_memory_not_equal(before, store.events[0].digest, sizeof before);
    /* Verified, and no word for it: it is still about a payment, for those who ask for payments. */
    answer.events[0].handle_event_type = PH_WEBHOOK_EVENT_TYPE_UNSPECIFIED;
    assert_int_equal(ph_record_make(worker, &input, &store), PH_OK);
    assert_true(ph_slice_eq(store.events[0].type, PH_S("WEBHOOK_EVENT_TYPE_UNSPECIFIED")));
    assert_true(ph_slice_eq(store.events[0].class, PH_S("payment")));
    /* A forged one has no key, no type, and is told to nobody. */
    answer.events[0].verdict = PH_FORGED;
    assert_int_equal(ph_record_make(worker, &input, &store), PH_OK);
    assert_false(ph_slice_present(store.events[0].dedupe_key));
    assert_true(ph_slice_eq(store.events[0].type, PH_S("WEBHOOK_EVENT_TYPE_UNSPECIFIED")));
    assert_true(ph_slice_eq(store.events[0].class, PH_S("")));
    assert_true(store.events[0].held);
    assert_int_equal(store.events[0].destinations, 0);
    ph_worker_free(worker);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static struct ph_slice key_of(struct ph_worker *worker, const struct ph_config_endpoint *endpoint,
                              struct ph_slice account, enum ph_mode mode)
{
    static const struct ph_connector connector = {.name = PH_SI("acme")};
    static struct ph_inbox_store store;
    const struct ph_request request = {0};
    const struct ph_input in = {.connector = &connector, .request = &request};
    struct ph_view view = {0};
    events[0] = (struct ph_event){.verdict = PH_VERIFIED,
                                  .dedupe_key = PH_S("acme:1"),
                                  .account = PH_S("said"),
                                  .mode = mode};
    answer = (struct ph_answer){.events = events, .event_count = 1};
    const struct ph_record_input input = {
        .view = &view, .endpoint = endpoint, .in = &in, .answer = &answer, .account = account};
    assert_int_equal(ph_record_make(worker, &input, &store), PH_OK);
    return store.events[0].dedupe_key;
}

static void a_key_is_its_endpoints_own_unless_endpoints_share_an_account(void **state)
{
    struct ph_worker *worker = ph_worker_new(&ph_os_heap);
    struct ph_config_endpoint endpoint = {.entry.name = PH_S("shop")};
    (void)state;
    assert_true(
        ph_slice_eq(key_of(worker, &endpoint, (struct ph_slice){0}, PH_TEST), PH_S("shop:acme:1")));
    /* What a processor may not sign, its account and mode, changes nothing. */
    assert_true(
        ph_slice_eq(key_of(worker, &endpoint, (struct ph_slice){0}, PH_LIVE), PH_S("shop:acme:1")));
    assert_true(
        ph_slice_eq(key_of(worker, &endpoint, PH_S("E:U"), PH_LIVE), PH_S("shop/E%3AU:acme:1")));
    endpoint.account = PH_S("acct");
    assert_true(ph_slice_eq(key_of(worker, &endpoint, (struct ph_slice){0}, PH_TEST),
                            PH_S("@acct:acme:1")));
    endpoint.mode = PH_CONFIG_MODE_LIVE;
    assert_true(ph_slice_eq(key_of(worker, &endpoint, (struct ph_slice){0}, PH_TEST),
                            PH_S("@acct/live:acme:1")));
    ph_worker_free(worker);
}

static void an_item_of_another_account_than_its_batch_proves_nothing(void **state)
{
    struct ph_config_endpoint endpoint = {.by = PH_S("/items/0/account")};
    (void)state;
    for (size_t i = 0; i < 3; i++)
        events[i] =
            (struct ph_event){.verdict = PH_VERIFIED, .account = i == 1 ? PH_S("US") : PH_S("EU")};
    answer = (struct ph_answer){.events = events, .event_count = 3};
    ph_record_part_accounts(&endpoint, &answer);
    assert_int_equal(events[0].verdict, PH_VERIFIED);
    assert_int_equal(events[1].verdict, PH_FORGED);
    assert_int_equal(events[2].verdict, PH_VERIFIED);
    events[1].verdict = PH_VERIFIED;
    endpoint.by = (struct ph_slice){0}; /* one account's keys for all */
    ph_record_part_accounts(&endpoint, &answer);
    assert_int_equal(events[1].verdict, PH_VERIFIED);
}

static void says_no_account(struct ph_slice by, struct ph_slice named, const char *expected)
{
    const struct ph_config_endpoint endpoint = {.by = by};
    struct ph_arena arena;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    struct ph_slice said = ph_view_no_account(&endpoint, named, &arena);
    if (!ph_slice_eq(said, ph_slice_str(expected)))
        fail_msg("%.*s", (int)said.len, said.ptr);
    ph_arena_done(&arena);
}

static void an_unknown_account_is_named_masked_and_cut(void **state)
{
    char long_name[5000];
    (void)state;
    memset(long_name, 'x', sizeof long_name);
    says_no_account(PH_S("/merchant"), PH_S("ShopDE"),
                    "no account of this endpoint is called \"ShopDE\" (by /merchant)");
    says_no_account(PH_S("header:X-Account"), (struct ph_slice){0},
                    "the request names no account (by header:X-Account)");
    says_no_account(PH_S("/m"), PH_S("a\"b\nc\x1b"),
                    "no account of this endpoint is called \"a?b?c?\" (by /m)");
    says_no_account(PH_S("/m"), PH_S("4111111111111111"),
                    "no account of this endpoint is called \"************1111\" (by /m)");
    says_no_account(PH_S("/m"), ph_slice_of(long_name, sizeof long_name),
                    "no account of this endpoint is called "
                    "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\" (by /m)");
}

/* ---- waits ----------------------------------------------------------------------------------- */

static void work_that_fails_is_tried_again_for_days_and_then_no_more(void **state)
{
    int64_t now_ms = 0, last = 0;
    int32_t tries = 0;
    (void)state;
    for (; (last = ph_work_due(tries + 1, 0, now_ms)) != 0; now_ms = last) {
        assert_true(last > now_ms);
        assert_true(last - now_ms <= 6 * 3600 * 1000);
        tries++;
    }
    assert_true(now_ms >= PH_WORK_FOR_MS);
    assert_in_range(tries, 10, 40);
}

static void
a_made_up_address_holds_its_place_until_its_host_denies_it_and_an_hour_at_most(void **state)
{
    (void)state;
    assert_true(ph_work_leaves(true, 1000, 1000));
    assert_false(ph_work_leaves(false, 1000, 1000 + PH_WORK_UNKNOWN_MS - 1));
    assert_true(ph_work_leaves(false, 1000, 1000 + PH_WORK_UNKNOWN_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_stands_as_its_verdict_says),
        cmocka_unit_test(a_batch_stands_by_its_best_item_and_holds_the_bad),
        cmocka_unit_test(a_body_that_cannot_be_read_is_quarantined_with_what_is_wrong),
        cmocka_unit_test(
            a_thin_event_is_held_until_its_object_is_fetched_and_a_forged_one_fetches_nothing),
        cmocka_unit_test(success_is_for_what_is_stored_only),
        cmocka_unit_test(the_sender_is_the_last_address_that_no_trusted_proxy_has),
        cmocka_unit_test(a_list_of_addresses_lets_nobody_else_in),
        cmocka_unit_test(an_account_is_picked_by_what_the_request_says_and_an_unknown_one_is_none),
        cmocka_unit_test(
            a_request_from_the_inbox_is_judged_with_the_secrets_of_its_account_whenever_valid),
        cmocka_unit_test(the_secret_that_is_kept_is_that_of_the_first_item_that_one_verified),
        cmocka_unit_test(an_unknown_account_is_named_masked_and_cut),
        cmocka_unit_test(a_copy_stands_alone),
        cmocka_unit_test(what_is_stored_of_a_verified_event_is_what_handle_says_of_it),
        cmocka_unit_test(a_key_is_its_endpoints_own_unless_endpoints_share_an_account),
        cmocka_unit_test(an_item_of_another_account_than_its_batch_proves_nothing),
        cmocka_unit_test(work_that_fails_is_tried_again_for_days_and_then_no_more),
        cmocka_unit_test(
            a_made_up_address_holds_its_place_until_its_host_denies_it_and_an_hour_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
