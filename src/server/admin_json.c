/* Answers of the admin API. */
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "core/codec.h"
#include "server/admin_call.h"
#include "wire/json_pool.h"

/* ---- whole answers --------------------------------------------------------------------------- */

enum ph_admin_end ph_admin_bytes(struct ph_admin_call *call, int status,
                                 struct ph_slice content_type, struct ph_slice bytes)
{
    call->status = status;
    call->content_type = content_type;
    call->answer = malloc(bytes.len + 1);
    call->answer_bytes = bytes.len;
    if (call->answer != NULL && bytes.len > 0)
        memcpy(call->answer, bytes.ptr, bytes.len);
    return PH_ADMIN_ENDED;
}

enum ph_admin_end ph_admin_error(struct ph_admin_call *call, int status, struct ph_slice code,
                                 struct ph_slice message)
{
    yyjson_mut_doc *doc = ph_admin_doc(call);
    yyjson_mut_val *root = yyjson_mut_obj(doc), *error = yyjson_mut_obj_add_obj(doc, root, "error");
    ph_admin_text(call, doc, error, "code", code);
    ph_admin_text(call, doc, error, "message", message);
    return ph_admin_json(call, status, doc, root);
}

enum ph_admin_end ph_admin_not_found(struct ph_admin_call *call, struct ph_slice what)
{
    return ph_admin_error(call, 404, PH_S("NOT_FOUND"), what);
}

enum ph_admin_end ph_admin_absent(struct ph_admin_call *call, const char *kind, struct ph_slice id,
                                  enum ph_status status)
{
    enum { ID_SHOWN = 60 };
    char what[ID_SHOWN + 64];
    if (status != PH_ERR_NOT_FOUND)
        return ph_admin_failed(call, status);
    (void)snprintf(what, sizeof what, "there is no %s \"%.*s\" in the inbox (any more)", kind,
                   (int)(id.len < ID_SHOWN ? id.len : ID_SHOWN), id.len > 0 ? id.ptr : "");
    return ph_admin_not_found(call, ph_slice_str(what));
}

enum ph_admin_end ph_admin_invalid(struct ph_admin_call *call, struct ph_slice why)
{
    return ph_admin_error(call, 400, PH_S("INVALID_ARGUMENT"), why);
}

enum ph_admin_end ph_admin_failed(struct ph_admin_call *call, enum ph_status status)
{
    switch (status) {
    case PH_ERR_NOT_FOUND:
        return ph_admin_not_found(call, PH_S("there is no such thing in the inbox (any more)"));
    case PH_ERR_AGAIN:
        return ph_admin_error(call, 503, PH_S("UNAVAILABLE"), PH_S("the inbox is busy; try again"));
    case PH_ERR_NO_MEMORY:
    case PH_ERR_TOO_LARGE:
        return ph_admin_error(call, 503, PH_S("RESOURCE_EXHAUSTED"),
                              PH_S("no memory for this answer now; ask for less"));
    default:
        return ph_admin_error(call, 503, PH_S("UNAVAILABLE"),
                              PH_S("the inbox cannot do this now; see GET /admin/v1/status"));
    }
}

/* ---- documents ------------------------------------------------------------------------------- */

bool ph_admin_no_memory(struct ph_admin_call *call)
{
    return call->room->arena.ran_out;
}

yyjson_mut_doc *ph_admin_doc(struct ph_admin_call *call)
{
    const yyjson_alc pool = ph_json_pool(&call->room->arena);
    return yyjson_mut_doc_new(&pool);
}

enum ph_admin_end ph_admin_json(struct ph_admin_call *call, int status, yyjson_mut_doc *doc,
                                yyjson_mut_val *root)
{
    const yyjson_alc pool = ph_json_pool(&call->room->arena);
    size_t len = 0;
    char *text = NULL;
    call->status = status;
    call->content_type = PH_S("application/json");
    if (doc == NULL || root == NULL)
        return PH_ADMIN_ENDED; /* without memory; the reactor says so */
    yyjson_mut_doc_set_root(doc, root);
    text = yyjson_mut_write_opts(doc, YYJSON_WRITE_NOFLAG, &pool, &len, NULL);
    if (text == NULL || ph_admin_no_memory(call))
        return PH_ADMIN_ENDED;
    return ph_admin_bytes(call, status, call->content_type, ph_slice_of(text, len));
}

/* ---- members --------------------------------------------------------------------------------- */

static struct ph_slice as_utf8(struct ph_admin_call *call, struct ph_slice text)
{
    enum { REPLACEMENT = 3 };
    if (ph_utf8_valid(text))
        return text;
    char *to = ph_arena_alloc(&call->room->arena, text.len * REPLACEMENT);
    size_t len = 0;
    if (to == NULL)
        return PH_S("");
    for (size_t i = 0; i < text.len;) {
        size_t width = ph_utf8_char(ph_slice_from(text, i));
        memcpy(to + len, width > 0 ? text.ptr + i : "\xef\xbf\xbd",
               width > 0 ? width : REPLACEMENT);
        len += width > 0 ? width : REPLACEMENT;
        i += width > 0 ? width : 1;
    }
    return ph_slice_of(to, len);
}

void ph_admin_text(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *object,
                   const char *name, struct ph_slice text)
{
    struct ph_slice good = as_utf8(call, text);
    if (good.len > 0)
        yyjson_mut_obj_add_strncpy(doc, object, name, good.ptr, good.len);
}

void ph_admin_id(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name, int64_t id)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%lld", (long long)id);
    if (len > 0)
        yyjson_mut_obj_add_strncpy(doc, object, name, text, (size_t)len);
}

void ph_admin_time(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *object,
                   const char *name, int64_t ms)
{
    if (ms > 0)
        ph_admin_text(call, doc, object, name, ph_iso_text(&call->room->arena, ms));
}

void ph_admin_word(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name,
                   enum ph_vocabulary vocabulary, int32_t number)
{
    char text[64];
    struct ph_slice word = ph_word_name(vocabulary, number);
    if (number == 0 || word.len == 0 || word.len > sizeof text)
        return;
    for (size_t i = 0; i < word.len; i++)
        text[i] =
            word.ptr[i] >= 'A' && word.ptr[i] <= 'Z' ? (char)(word.ptr[i] | 0x20) : word.ptr[i];
    yyjson_mut_obj_add_strncpy(doc, object, name, text, word.len);
}

void ph_admin_raw(struct ph_admin_call *call, yyjson_mut_doc *doc, yyjson_mut_val *object,
                  const char *name, struct ph_slice json)
{
    const yyjson_alc pool = ph_json_pool(&call->room->arena);
    yyjson_doc *read = json.len > 0 ? yyjson_read_opts((char *)json.ptr, json.len,
                                                       YYJSON_READ_NUMBER_AS_RAW, &pool, NULL)
                                    : NULL;
    yyjson_mut_val *value =
        read != NULL ? yyjson_val_mut_copy(doc, yyjson_doc_get_root(read)) : yyjson_mut_null(doc);
    yyjson_mut_obj_add_val(doc, object, name, value);
}

void ph_admin_next(yyjson_mut_doc *doc, yyjson_mut_val *root, size_t count, size_t limit,
                   int64_t last_id)
{
    if (count == limit)
        ph_admin_id(doc, root, "next", last_id);
    else
        yyjson_mut_obj_add_null(doc, root, "next");
}

/* ---- bodies ---------------------------------------------------------------------------------- */

enum { DEPTH_MAX = 8 }; /* of objects; bodies have two */

/* What comes twice is what two readers read differently. The first name that does; absent: none. */
static struct ph_slice twice_in(yyjson_val *object, int depth)
{
    yyjson_val *name, *value, *other, *ignored;
    size_t i, n, k, m;
    yyjson_obj_foreach(object, i, n, name, value)
    {
        struct ph_slice text = ph_slice_of(yyjson_get_str(name), yyjson_get_len(name));
        yyjson_obj_foreach(object, k, m, other, ignored)
        {
            if (k < i && yyjson_equals_strn(other, text.ptr, text.len))
                return text;
        }
        if (depth < DEPTH_MAX && yyjson_is_obj(value) &&
            yyjson_obj_size(value) <= PH_ADMIN_PARAMS_MAX) {
            text = twice_in(value, depth + 1);
            if (ph_slice_present(text))
                return text;
        }
    }
    return (struct ph_slice){0};
}

static bool has_names_once(struct ph_admin_call *call, yyjson_val *root, enum ph_admin_end *ret_end)
{
    enum { SHOWN_BYTES_MAX = 64 };
    char why[SHOWN_BYTES_MAX + 64];
    struct ph_slice name = {0};
    if (yyjson_obj_size(root) > PH_ADMIN_PARAMS_MAX) {
        *ret_end = ph_admin_invalid(call, PH_S("the body has more members than there are to take"));
        return false;
    }
    name = twice_in(root, 0);
    if (!ph_slice_present(name))
        return true;
    int len = snprintf(why, sizeof why, "%.*s: is there twice",
                       (int)(name.len < SHOWN_BYTES_MAX ? name.len : SHOWN_BYTES_MAX), name.ptr);
    *ret_end = ph_admin_invalid(call, ph_slice_of(why, (size_t)len));
    return false;
}

bool ph_admin_body(struct ph_admin_call *call, yyjson_val **ret_root, enum ph_admin_end *ret_end)
{
    const yyjson_alc pool = ph_json_pool(&call->room->arena);
    struct ph_slice text = call->body.len > 0 ? call->body : PH_S("{}");
    yyjson_doc *doc =
        yyjson_read_opts((char *)text.ptr, text.len, YYJSON_READ_NUMBER_AS_RAW, &pool, NULL);
    *ret_root = doc != NULL ? yyjson_doc_get_root(doc) : NULL;
    if (yyjson_is_obj(*ret_root))
        return has_names_once(call, *ret_root, ret_end);
    *ret_end = ph_admin_invalid(call, PH_S("the body is not a JSON object"));
    return false;
}

bool ph_admin_params_of(yyjson_val *object, struct ph_admin_params *ret)
{
    yyjson_val *name, *value;
    size_t i, n;
    *ret = (struct ph_admin_params){0};
    if (object == NULL)
        return true;
    if (!yyjson_is_obj(object))
        return false;
    yyjson_obj_foreach(object, i, n, name, value)
    {
        struct ph_slice text;
        if (yyjson_is_str(value) || yyjson_is_raw(value))
            text = ph_slice_of(unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value));
        else if (yyjson_is_bool(value))
            text = yyjson_get_bool(value) ? PH_S("true") : PH_S("false");
        else
            return false;
        if (ret->count == PH_ADMIN_PARAMS_MAX || memchr(text.ptr, '\0', text.len) != NULL)
            return false;
        ret->names[ret->count] = ph_slice_of(yyjson_get_str(name), yyjson_get_len(name));
        ret->values[ret->count++] = text;
    }
    return true;
}

/* ---- what may be seen ------------------------------------------------------------------------ */

bool ph_admin_unmasked(const struct ph_admin_call *call)
{
    return call->filter.unmasked && (call->scopes & PH_SCOPE_RAW) != 0;
}

struct ph_slice ph_admin_seen(struct ph_admin_call *call, struct ph_slice text)
{
    return ph_admin_unmasked(call) ? text : ph_mask_text(&call->room->arena, text);
}
