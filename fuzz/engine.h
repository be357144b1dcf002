/* What the targets that go through the engine share: a worker, a secret no input can know, and the promise that
 * nothing verifies under it. */
#ifndef PH_FUZZ_ENGINE_H
#define PH_FUZZ_ENGINE_H

#include <openssl/rand.h>
#include <stdlib.h>

#include "core/codec.h"
#include "core/engine.h"
#include "wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *plain_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}
static void plain_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}
static const struct ph_allocator allocator = {.alloc = plain_alloc, .free = plain_free};

static inline void must(bool holds)
{
    if (!holds)
        abort();
}

static inline struct ph_worker *the_worker(void)
{
    static struct ph_worker *worker;
    if (worker == NULL)
        worker = ph_worker_new(&allocator);
    must(worker != NULL);
    return worker;
}

static inline struct ph_slice the_secret(void)
{
    static unsigned char secret[32];
    static bool made;
    if (!made)
        must(RAND_bytes(secret, sizeof(secret)) == 1);
    made = true;
    return ph_slice_of(secret, sizeof(secret));
}

static inline const struct ph_connector *connector_of(const char *name)
{
    for (size_t i = 0; i < ph_connectors_builtin_count; i++)
        if (ph_slice_eq(ph_connectors_builtin[i]->name, ph_slice_str(name)))
            return ph_connectors_builtin[i];
    abort();
}

/* Whatever it reads to, it is not proved, and it can be told. `in`: connector, request, config. Input that lies in
 * the worker's arena is kept. */
static inline void must_not_verify(struct ph_input *in)
{
    struct ph_secret_pair pair = {.secret = the_secret(), .additional = PH_S("public")};
    struct ph_answer a;
    struct ph_slice out;
    if (in->secrets == NULL) {
        in->secrets = &pair;
        in->secret_count = 1;
    }
    in->now_ms = 1764000000000;
    if (ph_engine_run_keep(the_worker(), in, PH_WANT_ALL, &a) != PH_OK || a.error != PH_E_NONE)
        return;
    for (size_t i = 0; i < a.event_count; i++)
        must(a.events[i].verdict != PH_VERIFIED);
    must(ph_wire_write_json(ph_worker_arena(the_worker()), PH_FORM_HANDLE, &a, &out) != PH_OK || out.len > 0);
}

/* Up to the next NUL, which is passed by. */
static inline struct ph_slice part(struct ph_slice *rest)
{
    size_t cut = ph_slice_find(*rest, ph_slice_of("", 1), 0);
    struct ph_slice one = cut == SIZE_MAX ? *rest : ph_slice_of(rest->ptr, cut);
    *rest = cut == SIZE_MAX ? PH_S("") : ph_slice_from(*rest, cut + 1);
    return one;
}

#endif
