/* Memory that runs out, at every point where it can: for one signed sample of every shape of
 * every connector, allocation number 1, 2, 3 … is refused until a run needs no more of them.
 * Each run says "out of memory" or exactly what it says when there is enough (E5), the worker is
 * as good as new afterwards, and nothing leaks.
 *
 * The arena cuts each piece from a block of its own here (ph_arena.exact), so every cut is an
 * allocation. */
#include "sample_fixture.h"

#include <openssl/crypto.h>

#include "core/codec.h"
#include "events.pb-c.h"
#include "wire/message.h"
#include "wire/wire.h"

enum { TELLING_BYTES_MAX = 256 * 1024, CALL_BYTES_MAX = 256 * 1024, ROUNDS_MAX = 20000 };

/* ---- memory that can be told to fail --------------------------------------------------------- */

struct failing {
    size_t live, count, fail_at; /* fail_at 0: never */
    bool failed;
};

static struct failing ours, library; /* what payhook takes; what OpenSSL takes */

static bool refuses(struct failing *f)
{
    bool now = ++f->count == f->fail_at;
    f->failed = f->failed || now;
    return now;
}

static void *failing_alloc(void *ctx, size_t bytes)
{
    void *ptr = refuses(ctx) ? NULL : malloc(bytes);
    ours.live += ptr != NULL;
    return ptr;
}

static void failing_free(void *ctx, void *ptr)
{
    (void)ctx;
    ours.live -= ptr != NULL;
    free(ptr);
}

static const struct ph_allocator failing_heap = {failing_alloc, failing_free, &ours};

static void arm(struct failing *f, size_t n)
{
    *f = (struct failing){.live = f->live, .fail_at = n};
}

/* OpenSSL's own memory: one process has one, and it must be told before OpenSSL takes any. */
static void *library_malloc(size_t bytes, const char *file, int line)
{
    (void)file, (void)line;
    return refuses(&library) ? NULL : malloc(bytes);
}

static void *library_realloc(void *ptr, size_t bytes, const char *file, int line)
{
    (void)file, (void)line;
    if (bytes == 0) {
        free(ptr);
        return NULL;
    }
    return refuses(&library) ? NULL : realloc(ptr, bytes);
}

static void library_free(void *ptr, const char *file, int line)
{
    (void)file, (void)line;
    free(ptr);
}

/* ---- what is tried --------------------------------------------------------------------------- */

/* What a run told, as bytes to compare. */
struct telling {
    char text[TELLING_BYTES_MAX];
    size_t len;
};

struct sample {
    struct signed_sample made;
    struct ph_slice variant, event, body; /* unsigned, to sign */
    const struct key *key;
    char json[CALL_BYTES_MAX], protobuf[CALL_BYTES_MAX]; /* the same as calls */
    struct ph_slice json_call, protobuf_call;
};

typedef enum ph_status (*try_fn)(struct ph_worker *worker, const struct sample *s,
                                 struct telling *ret);

static void tell(struct telling *t, struct ph_slice text)
{
    assert_true(t->len + text.len + 1 <= sizeof(t->text));
    if (text.len > 0)
        memcpy(t->text + t->len, text.ptr, text.len);
    t->len += text.len;
    t->text[t->len++] = '\n';
}

static void tell_number(struct telling *t, int number)
{
    char byte = (char)('0' + number);
    tell(t, ph_slice_of(&byte, 1));
}

static void tell_verdict(struct telling *t, const struct ph_answer *answer)
{
    tell_number(t, (int)answer->error);
    for (size_t i = 0; i < answer->event_count; i++) {
        tell_number(t, (int)answer->events[i].verdict);
        tell(t, answer->events[i].verdict_reason);
    }
    tell_number(t, answer->ack_status / 100);
    tell(t, answer->ack_body);
    if (answer->callout != NULL)
        tell(t, answer->callout->url);
}

static enum ph_status tell_answer(struct ph_worker *worker, const struct ph_answer *answer,
                                  struct telling *ret)
{
    struct ph_slice text;
    tell_verdict(ret, answer);
    for (enum ph_form form = PH_FORM_HANDLE;
         answer->error == PH_E_NONE && form <= PH_FORM_COMPOSITE; form++) {
        PH_TRY(ph_wire_write_json(ph_worker_arena(worker), form, answer, &text));
        tell(ret, text);
        PH_TRY(ph_wire_write(ph_worker_arena(worker), form, answer, &text));
        tell(ret, text);
    }
    return PH_OK;
}

static enum ph_status try_handle(struct ph_worker *worker, const struct sample *s,
                                 struct telling *ret)
{
    struct ph_answer answer;
    PH_TRY(ph_engine_run(worker, &s->made.in, PH_WANT_ALL, &answer));
    return tell_answer(worker, &answer, ret);
}

static enum ph_status try_explain(struct ph_worker *worker, const struct sample *s,
                                  struct telling *ret)
{
    struct ph_input in = s->made.in;
    struct ph_answer answer;
    in.explain = true;
    PH_TRY(ph_engine_run(worker, &in, PH_WANT_ALL, &answer));
    tell_verdict(ret, &answer);
    for (size_t i = 0; i < answer.trace_count; i++) {
        tell(ret, answer.trace[i].label);
        tell(ret, answer.trace[i].text);
    }
    return PH_OK;
}

/* Signatures differ from one run to the next (ECDSA): what is told is that another worker
 * verifies them. */
static enum ph_status try_sign(struct ph_worker *worker, const struct sample *s,
                               struct telling *ret)
{
    static struct signed_sample again;
    const struct ph_sample plain = {.variant = s->variant, .event = s->event, .body = s->body};
    struct ph_answer answer;
    PH_TRY(sign_status(worker, s->made.in.connector, &plain, s->key, &again));
    struct ph_worker *judge = ph_worker_new(&ph_os_heap);
    assert_int_equal(ph_engine_run(judge, &again.in, PH_WANT_ALL, &answer), PH_OK);
    tell_verdict(ret, &answer);
    ph_worker_free(judge);
    return PH_OK;
}

static enum ph_status run_call(struct ph_worker *worker, const struct sample *s,
                               const struct ph_call *call, struct telling *ret)
{
    struct ph_input in = s->made.in;
    struct ph_answer answer;
    in.request = &call->request;
    in.secrets = &call->secret;
    in.secret_count = call->has_secret;
    PH_TRY(ph_engine_run_keep(worker, &in, PH_WANT_ALL, &answer));
    return tell_answer(worker, &answer, ret);
}

static enum ph_status try_json_call(struct ph_worker *worker, const struct sample *s,
                                    struct telling *ret)
{
    struct ph_call call;
    struct ph_slice why;
    ph_worker_reset(worker);
    PH_TRY(
        ph_wire_read_call_json(ph_worker_arena(worker), PH_FORM_HANDLE, s->json_call, &call, &why));
    return run_call(worker, s, &call, ret);
}

static enum ph_status try_protobuf_call(struct ph_worker *worker, const struct sample *s,
                                        struct telling *ret)
{
    struct ph_call call;
    struct ph_slice why;
    ph_worker_reset(worker);
    PH_TRY(
        ph_wire_read_call(ph_worker_arena(worker), PH_FORM_HANDLE, s->protobuf_call, &call, &why));
    return run_call(worker, s, &call, ret);
}

/* ---- the samples as calls -------------------------------------------------------------------- */

static struct ph_slice add(char *text, size_t *len, struct ph_slice more)
{
    assert_true(*len + more.len <= CALL_BYTES_MAX);
    memcpy(text + *len, more.ptr, more.len);
    *len += more.len;
    return ph_slice_of(text, *len);
}

static void add_quoted(struct ph_arena *arena, char *text, size_t *len, struct ph_slice plain)
{
    struct ph_slice escaped;
    assert_true(ph_json_escape(arena, plain, &escaped));
    add(text, len, PH_S("\""));
    add(text, len, escaped);
    add(text, len, PH_S("\""));
}

static void make_calls(struct ph_arena *arena, struct sample *s)
{
    const struct ph_request *request = &s->made.request;
    struct ph_slice body, why;
    ProtobufCMessage *message;
    size_t len = 0;
    add(s->json, &len,
        PH_S("{\"request_details\":{\"method\":\"HTTP_METHOD_POST\",\"uri\":\"/webhooks/"
             "x\",\"headers\":{"));
    for (size_t i = 0; i < request->header_count; i++) {
        if (i > 0)
            add(s->json, &len, PH_S(","));
        add_quoted(arena, s->json, &len, request->headers[i].name);
        add(s->json, &len, PH_S(":"));
        add_quoted(arena, s->json, &len, request->headers[i].value);
    }
    assert_true(ph_base64_encode(arena, request->body, false, true, &body));
    add(s->json, &len, PH_S("},\"body\":"));
    add_quoted(arena, s->json, &len, body);
    add(s->json, &len, PH_S("},\"webhook_secrets\":{\"secret\":"));
    add_quoted(arena, s->json, &len, s->made.secret.secret);
    s->json_call = add(s->json, &len, PH_S(",\"additional_secret\":\"additional\"}}"));
    assert_int_equal(ph_message_read_json(arena, &types__event_service_handle_request__descriptor,
                                          s->json_call, &message, &why),
                     PH_OK);
    assert_true(protobuf_c_message_get_packed_size(message) <= CALL_BYTES_MAX);
    s->protobuf_call =
        ph_slice_of(s->protobuf, protobuf_c_message_pack(message, (uint8_t *)s->protobuf));
}

/* The first sample of that variant; false: it has none. */
static bool make_sample(struct ph_worker *signer, const struct ph_connector *c,
                        const struct ph_variant *variant, struct sample *ret)
{
    for (uint16_t i = 0; i < c->sample_count; i++) {
        const struct ph_sample *sample = &c->samples[i];
        if (!ph_slice_eq(sample->variant.len > 0 ? sample->variant : c->variants[0].name,
                         variant->name))
            continue;
        ret->variant = sample->variant, ret->event = sample->event, ret->body = sample->body;
        for (size_t k = 0; k < KEYS; k++) {
            if (!sign_with(signer, c, sample, &keys[k], &ret->made))
                continue;
            ret->key = &keys[k];
            make_calls(ph_worker_arena(signer), ret);
            return true;
        }
        fail_msg("%.*s: a sample cannot be signed", (int)c->name.len, c->name.ptr);
    }
    return false;
}

/* ---- every failure --------------------------------------------------------------------------- */

static struct telling wanted, told;

static void assert_as_wanted(const struct sample *s, size_t n)
{
    if (told.len != wanted.len || memcmp(told.text, wanted.text, told.len) != 0)
        fail_msg("%.*s %.*s, refusal %zu: another answer\nwanted %.*s\ntold   %.*s",
                 (int)s->made.in.connector->name.len, s->made.in.connector->name.ptr,
                 (int)s->event.len, s->event.ptr, n, (int)wanted.len, wanted.text, (int)told.len,
                 told.text);
}

static void each_cut(try_fn try, const struct sample *s)
{
    struct ph_worker *worker = ph_worker_new(&failing_heap);
    ph_worker_arena(worker)->exact = true;
    arm(&ours, 0);
    wanted.len = told.len = 0;
    assert_int_equal(try(worker, s, &wanted), PH_OK);
    bool failed = true;
    size_t refused = 0;
    for (size_t n = 1; failed; n++) {
        assert_true(n < ROUNDS_MAX);
        told.len = 0;
        arm(&ours, n);
        enum ph_status st = try(worker, s, &told);
        failed = ours.failed;
        arm(&ours, 0);
        if (st == PH_OK)
            assert_as_wanted(s, n);
        else
            assert_int_equal(st, PH_ERR_NO_MEMORY);
        refused += st == PH_ERR_NO_MEMORY;
        told.len = 0;
        assert_int_equal(try(worker, s, &told), PH_OK); /* enough again: nothing is left over */
        assert_as_wanted(s, n);
    }
    assert_true(refused > 0);
    ph_worker_free(worker);
    assert_int_equal(ours.live, 0);
}

static void each_allocation_of_a_new_worker(try_fn try, const struct sample *s)
{
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        assert_true(n < ROUNDS_MAX);
        told.len = 0;
        arm(&ours, n);
        struct ph_worker *worker = ph_worker_new(&failing_heap);
        enum ph_status st = worker != NULL ? try(worker, s, &told) : PH_ERR_NO_MEMORY;
        failed = ours.failed;
        arm(&ours, 0);
        if (st == PH_OK)
            assert_as_wanted(s, n);
        else
            assert_int_equal(st, PH_ERR_NO_MEMORY);
        ph_worker_free(worker);
        assert_int_equal(ours.live, 0);
    }
}

/* OpenSSL's own allocations, once what it fetches is fetched. */
static void each_allocation_of_the_library(try_fn try, const struct sample *s)
{
    struct ph_worker *worker = ph_worker_new(&ph_os_heap);
    wanted.len = 0;
    assert_int_equal(try(worker, s, &wanted), PH_OK);
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        assert_true(n < ROUNDS_MAX);
        told.len = 0;
        arm(&library, n);
        enum ph_status st = try(worker, s, &told);
        failed = library.failed;
        arm(&library, 0);
        if (st == PH_OK)
            assert_as_wanted(s, n);
        else
            assert_true(st == PH_ERR_NO_MEMORY ||
                        st == PH_ERR_CRYPTO); /* OpenSSL does not always say why */
    }
    ph_worker_free(worker);
}

static void for_each_shape(try_fn try, void (*check)(try_fn, const struct sample *))
{
    static struct sample s;
    struct ph_worker *signer = ph_worker_new(&ph_os_heap);
    size_t count = 0;
    for (size_t n = 0; n < ph_connectors_builtin_count; n++) {
        const struct ph_connector *c = ph_connectors_builtin[n];
        size_t before = count;
        for (uint16_t v = 0; v < c->variant_count; v++) {
            if (!make_sample(signer, c, &c->variants[v], &s))
                continue;
            check(try, &s);
            count++;
        }
        assert_true(count > before);
    }
    ph_worker_free(signer);
}

static void handle_without_memory_says_so_or_is_right(void **state)
{
    (void)state;
    for_each_shape(try_handle, each_cut);
}

static void explain_without_memory_says_so_or_is_right(void **state)
{
    (void)state;
    for_each_shape(try_explain, each_cut);
}

static void sign_without_memory_says_so_or_verifies(void **state)
{
    (void)state;
    for_each_shape(try_sign, each_cut);
}

static void a_json_call_without_memory_says_so_or_is_right(void **state)
{
    (void)state;
    for_each_shape(try_json_call, each_cut);
}

static void a_protobuf_call_without_memory_says_so_or_is_right(void **state)
{
    (void)state;
    for_each_shape(try_protobuf_call, each_cut);
}

static void check_new_worker(try_fn try, const struct sample *s)
{
    struct ph_worker *worker = ph_worker_new(&ph_os_heap);
    wanted.len = 0;
    assert_int_equal(try(worker, s, &wanted), PH_OK);
    ph_worker_free(worker);
    each_allocation_of_a_new_worker(try, s);
}

static void a_new_worker_without_memory_says_so_or_is_right(void **state)
{
    (void)state;
    for_each_shape(try_handle, check_new_worker);
}

static void a_signature_is_not_forged_because_openssl_has_no_memory(void **state)
{
    (void)state;
    for_each_shape(try_handle, each_allocation_of_the_library);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handle_without_memory_says_so_or_is_right),
        cmocka_unit_test(explain_without_memory_says_so_or_is_right),
        cmocka_unit_test(sign_without_memory_says_so_or_verifies),
        cmocka_unit_test(a_json_call_without_memory_says_so_or_is_right),
        cmocka_unit_test(a_protobuf_call_without_memory_says_so_or_is_right),
        cmocka_unit_test(a_new_worker_without_memory_says_so_or_is_right),
        cmocka_unit_test(a_signature_is_not_forged_because_openssl_has_no_memory),
    };
    if (CRYPTO_set_mem_functions(library_malloc, library_realloc, library_free) != 1)
        return EXIT_FAILURE;
    make_keys();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
