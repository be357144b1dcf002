/* Where a made signature goes: into the JSON document or the form that is sent. */
#include "core/place.h"

#include "core/codec.h"

static void *arena_malloc(void *ctx, size_t bytes)
{
    return ph_arena_alloc(ctx, bytes);
}

static void *arena_realloc(void *ctx, void *ptr, size_t old_bytes, size_t bytes)
{
    void *fresh = ph_arena_alloc(ctx, bytes);
    if (fresh != NULL && ptr != NULL)
        memcpy(fresh, ptr, old_bytes < bytes ? old_bytes : bytes);
    return fresh;
}

static void arena_free(void *ctx, void *ptr)
{
    (void)ctx, (void)ptr; /* the arena has it */
}

static yyjson_alc arena_alc(struct ph_run *run)
{
    return (yyjson_alc){arena_malloc, arena_realloc, arena_free, run->arena};
}

yyjson_mut_doc *ph_place_open(struct ph_run *run, yyjson_val *tree)
{
    yyjson_alc alc = arena_alc(run);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&alc);
    if (doc == NULL)
        return NULL;
    yyjson_mut_doc_set_root(doc,
                            tree != NULL ? yyjson_val_mut_copy(doc, tree) : yyjson_mut_obj(doc));
    return yyjson_mut_doc_get_root(doc) != NULL ? doc : NULL;
}

struct ph_slice ph_place_write(struct ph_run *run, yyjson_mut_doc *doc)
{
    yyjson_alc alc = arena_alc(run);
    size_t len;
    /* Samples hold what the reader let in: invalid UTF-8 goes out as it came. */
    char *text = yyjson_mut_write_opts(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &alc, &len, NULL);
    return text != NULL ? ph_slice_of(text, len) : (struct ph_slice){0};
}

static yyjson_mut_val *child(yyjson_mut_doc *doc, yyjson_mut_val *from, const struct ph_step *step,
                             size_t item)
{
    if (yyjson_mut_is_arr(from)) {
        if (step->kind == PH_STEP_LAST)
            return yyjson_mut_arr_get_last(from);
        return yyjson_mut_arr_get(from,
                                  step->kind == PH_STEP_ANY ? item : (size_t)(uint32_t)step->index);
    }
    if (!yyjson_mut_is_obj(from) || step->kind == PH_STEP_SELECT)
        return NULL;
    yyjson_mut_val *hit = yyjson_mut_obj_getn(from, step->key.ptr, step->key.len);
    if (hit != NULL && !yyjson_mut_is_null(hit))
        return hit;
    yyjson_mut_val *key = yyjson_mut_strncpy(doc, step->key.ptr, step->key.len),
                   *fresh = yyjson_mut_obj(doc);
    return key != NULL && fresh != NULL && yyjson_mut_obj_put(from, key, fresh) ? fresh : NULL;
}

bool ph_place_set(yyjson_mut_doc *doc, const struct ph_pointer *items, size_t item,
                  const struct ph_pointer *pointer, struct ph_slice text)
{
    yyjson_mut_val *at = yyjson_mut_doc_get_root(doc);
    for (uint16_t i = 0; items != NULL && at != NULL && i < items->count; i++)
        at = child(doc, at, &items->steps[i], item);
    for (uint16_t i = 0; at != NULL && i + 1 < pointer->count; i++)
        at = child(doc, at, &pointer->steps[i], item);
    if (pointer->count == 0 || !yyjson_mut_is_obj(at) ||
        pointer->steps[pointer->count - 1].kind != PH_STEP_KEY)
        return false;
    struct ph_slice name = pointer->steps[pointer->count - 1].key;
    yyjson_mut_val *key = yyjson_mut_strncpy(doc, name.ptr, name.len);
    yyjson_mut_val *value = yyjson_mut_strncpy(doc, text.ptr, text.len);
    return key != NULL && value != NULL && yyjson_mut_obj_put(at, key, value);
}

/* `form` without the field of that name. */
static struct ph_slice without(struct ph_run *run, struct ph_slice form, struct ph_slice name)
{
    struct ph_slice out = PH_S("");
    for (size_t at = 0; at < form.len && ph_slice_present(out);) {
        size_t end = ph_slice_find(form, PH_S("&"), at);
        if (end == SIZE_MAX)
            end = form.len;
        struct ph_slice pair = ph_slice_of(form.ptr + at, end - at), key;
        at = end + 1;
        size_t equals = ph_slice_find(pair, PH_S("="), 0);
        if (!ph_percent_decode(run->arena,
                               ph_slice_of(pair.ptr, equals == SIZE_MAX ? pair.len : equals), true,
                               &key))
            return (struct ph_slice){0};
        if (pair.len == 0 || ph_slice_eq(key, name))
            continue;
        struct ph_slice parts[] = {out, out.len > 0 ? PH_S("&") : PH_S(""), pair};
        out = ph_join(run, parts, PH_COUNTOF(parts));
    }
    return out;
}

struct ph_slice ph_place_field(struct ph_run *run, struct ph_slice form, struct ph_slice name,
                               struct ph_slice value)
{
    struct ph_slice key, text, rest = without(run, form, name);
    if (!ph_slice_present(rest) || !ph_percent_encode(run->arena, name, &key) ||
        !ph_percent_encode(run->arena, value, &text))
        return (struct ph_slice){0};
    struct ph_slice parts[] = {rest, rest.len > 0 ? PH_S("&") : PH_S(""), key, PH_S("="), text};
    return ph_join(run, parts, PH_COUNTOF(parts));
}
