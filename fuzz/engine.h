/* What the targets that go through the engine share: a worker, a secret no input can know, and
 * the promise that nothing verifies under it. */
#ifndef PH_FUZZ_ENGINE_H
#define PH_FUZZ_ENGINE_H

#include <openssl/rand.h>
#include <yyjson.h>

#include "core/codec.h"
#include "core/engine.h"
#include "heap.h"
#include "wire/wire.h"

static inline struct ph_worker *the_worker(void)
{
    static struct ph_worker *worker;
    if (worker == NULL)
        worker = ph_worker_new(&ph_os_heap);
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

/* An answer can be told in every form, as protobuf and in both dialects of JSON, and what is
 * told is JSON. */
static inline void must_be_told(const struct ph_answer *a)
{
    static const enum ph_form forms[] = {PH_FORM_HANDLE, PH_FORM_HANDLE_EVENT, PH_FORM_PARSE,
                                         PH_FORM_COMPOSITE};
    struct ph_arena *arena = ph_worker_arena(the_worker());
    for (size_t i = 0; i < PH_COUNTOF(forms); i++) {
        struct ph_slice bytes, json[2];
        enum ph_status st = ph_wire_write(arena, forms[i], a, &bytes);
        must(st == PH_OK || st == PH_ERR_NO_MEMORY);
        must(ph_wire_write_json(arena, forms[i], a, &json[0]) == st &&
             ph_wire_write_serde(arena, forms[i], a, &json[1]) == st);
        for (size_t k = 0; st == PH_OK && k < PH_COUNTOF(json); k++) {
            yyjson_doc *doc = yyjson_read(json[k].ptr, json[k].len, 0);
            must(yyjson_is_obj(yyjson_doc_get_root(doc)));
            yyjson_doc_free(doc);
        }
    }
}

/* Whatever it reads to, it is not proved, and it can be told. `in`: connector, request, config.
 * Input that lies in the worker's arena is kept. */
static inline void must_not_verify(struct ph_input *in)
{
    struct ph_secret_pair pair = {.secret = the_secret(), .additional = PH_S("public")};
    struct ph_answer a;
    if (in->secrets == NULL) {
        in->secrets = &pair;
        in->secret_count = 1;
    }
    in->now_ms = 1764000000000;
    if (ph_engine_run_keep(the_worker(), in, PH_WANT_ALL, &a) != PH_OK || a.error != PH_E_NONE)
        return;
    for (size_t i = 0; i < a.event_count; i++)
        must(a.events[i].verdict != PH_VERIFIED);
    must_be_told(&a);
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
