/* The public face of the engine, inwards: a hook's life, what arrived, and the run. */
#include "api/hook.h"

_Static_assert((int)PH_HOOK_NO_MEMORY == (int)PH_ERR_NO_MEMORY &&
                   (int)PH_HOOK_TOO_LARGE == (int)PH_ERR_TOO_LARGE &&
                   (int)PH_HOOK_MALFORMED == (int)PH_ERR_MALFORMED &&
                   (int)PH_HOOK_INVALID == (int)PH_ERR_INVALID &&
                   (int)PH_HOOK_NOT_FOUND == (int)PH_ERR_NOT_FOUND &&
                   (int)PH_HOOK_UNSUPPORTED == (int)PH_ERR_UNSUPPORTED &&
                   (int)PH_HOOK_CRYPTO == (int)PH_ERR_CRYPTO,
               "the public statuses are the engine's");
_Static_assert((int)PH_HOOK_PARSE == (int)PH_WANT_REFERENCE &&
                   (int)PH_HOOK_VERIFY == (int)PH_WANT_VERDICT &&
                   (int)PH_HOOK_HANDLE == (int)PH_WANT_ALL,
               "the public wants are the engine's");

/* ---- the library ----------------------------------------------------------------------------- */

const char *ph_hook_version(void)
{
    return PAYHOOK_VERSION;
}

const char *ph_hook_status_text(int status)
{
    return ph_status_text((enum ph_status)status);
}

const char *ph_hook_connector_name(size_t index)
{
    return index < ph_connectors_builtin_count ? ph_connectors_builtin[index]->name.ptr : NULL;
}

const char *ph_hook_connector_title(size_t index)
{
    return index < ph_connectors_builtin_count ? ph_connectors_builtin[index]->title.ptr : NULL;
}

/* ---- a hook's life --------------------------------------------------------------------------- */

static void *take(void *ctx, size_t bytes)
{
    const struct ph_hook *hook = ctx;
    return hook->alloc(bytes);
}

static void give_back(void *ctx, void *ptr)
{
    const struct ph_hook *hook = ctx;
    hook->release(ptr);
}

struct ph_hook *ph_hook_new(void *(*alloc)(size_t bytes), void (*release)(void *ptr))
{
    if (alloc == NULL || release == NULL)
        return NULL;
    struct ph_hook *hook = alloc(sizeof(*hook));
    if (hook == NULL)
        return NULL;
    *hook = (struct ph_hook){.alloc = alloc, .release = release};
    hook->allocator = (struct ph_allocator){.alloc = take, .free = give_back, .ctx = hook};
    hook->worker = ph_worker_new(&hook->allocator);
    if (hook->worker == NULL) {
        release(hook);
        return NULL;
    }
    return hook;
}

void ph_hook_free(struct ph_hook *hook)
{
    if (hook == NULL)
        return;
    ph_worker_free(hook->worker); /* wipes the arena: secrets lie in it */
    hook->release(hook);
}

static void forget(struct ph_hook *hook)
{
    ph_worker_reset(hook->worker);
    hook->header_bytes = 0;
    hook->request = (struct ph_request){.method = PH_S("POST"), .headers = hook->headers};
    hook->in = (struct ph_input){
        .request = &hook->request, .secrets = hook->secrets, .config = hook->config, .now_ms = -1};
    hook->answer = (struct ph_answer){0};
    hook->signature = (struct ph_signed){0};
    hook->sign_reason = (struct ph_slice){0};
    hook->answered = false;
}

int ph_hook_begin(struct ph_hook *hook, const char *connector)
{
    if (hook == NULL || connector == NULL)
        return PH_HOOK_INVALID;
    forget(hook);
    for (size_t i = 0; i < ph_connectors_builtin_count; i++)
        if (ph_slice_eq(ph_connectors_builtin[i]->name, ph_slice_str(connector)))
            hook->in.connector = ph_connectors_builtin[i];
    return hook->in.connector != NULL ? PH_HOOK_OK : PH_HOOK_NOT_FOUND;
}

/* ---- what arrived ---------------------------------------------------------------------------- */

/* Copies into the hook. An answer that was given before no longer fits what arrived. */
static int keep(struct ph_hook *hook, const void *ptr, size_t len, size_t max, struct ph_slice *ret)
{
    if (hook == NULL || hook->in.connector == NULL || (ptr == NULL && len > 0))
        return PH_HOOK_INVALID;
    if (len > max)
        return PH_HOOK_TOO_LARGE;
    struct ph_slice copy =
        ph_arena_copy(ph_worker_arena(hook->worker), ph_slice_of(len > 0 ? ptr : "", len));
    if (!ph_slice_present(copy))
        return PH_HOOK_NO_MEMORY;
    hook->answered = false;
    *ret = copy;
    return PH_HOOK_OK;
}

static int keep_text(struct ph_hook *hook, const char *text, size_t max, struct ph_slice *ret)
{
    return text == NULL ? PH_HOOK_INVALID : keep(hook, text, strlen(text), max, ret);
}

int ph_hook_method(struct ph_hook *hook, const char *method)
{
    return keep_text(hook, method, PH_URI_BYTES_MAX, hook != NULL ? &hook->request.method : NULL);
}

int ph_hook_uri(struct ph_hook *hook, const char *uri)
{
    return keep_text(hook, uri, PH_URI_BYTES_MAX, hook != NULL ? &hook->request.uri : NULL);
}

int ph_hook_header(struct ph_hook *hook, const char *name, const char *value)
{
    struct ph_header header;
    if (hook == NULL || hook->request.header_count == PH_HEADERS_MAX)
        return hook == NULL ? PH_HOOK_INVALID : PH_HOOK_TOO_LARGE;
    int status = keep_text(hook, name, PH_HEADER_BYTES_MAX - hook->header_bytes, &header.name);
    if (status == PH_HOOK_OK)
        status = keep_text(hook, value, PH_HEADER_BYTES_MAX - hook->header_bytes - header.name.len,
                           &header.value);
    if (status != PH_HOOK_OK)
        return status;
    hook->header_bytes += header.name.len + header.value.len;
    hook->headers[hook->request.header_count++] = header;
    return PH_HOOK_OK;
}

int ph_hook_body(struct ph_hook *hook, const void *bytes, size_t len)
{
    return keep(hook, bytes, len, PH_BODY_BYTES_MAX, hook != NULL ? &hook->request.body : NULL);
}

int ph_hook_secret(struct ph_hook *hook, const char *secret, const char *additional)
{
    struct ph_secret_pair pair = {0};
    if (hook == NULL || hook->in.secret_count == PH_SECRETS_MAX)
        return hook == NULL ? PH_HOOK_INVALID : PH_HOOK_TOO_LARGE;
    int status = keep_text(hook, secret, PH_SECRET_BYTES_MAX, &pair.secret);
    if (status == PH_HOOK_OK && additional != NULL)
        status = keep_text(hook, additional, PH_SECRET_BYTES_MAX, &pair.additional);
    if (status == PH_HOOK_OK)
        hook->secrets[hook->in.secret_count++] = pair;
    return status;
}

/* A name given again replaces: callouts are answered so. */
static struct ph_config_value *config_place(struct ph_hook *hook, struct ph_slice name)
{
    for (size_t i = 0; i < hook->in.config_count; i++)
        if (ph_slice_eq(hook->config[i].name, name))
            return &hook->config[i];
    return hook->in.config_count < PH_CONFIG_VALUES_MAX ? &hook->config[hook->in.config_count]
                                                        : NULL;
}

int ph_hook_config(struct ph_hook *hook, const char *name, const void *value, size_t len)
{
    struct ph_config_value field;
    int status = keep_text(hook, name, PH_URI_BYTES_MAX, &field.name);
    if (status == PH_HOOK_OK)
        status = keep(hook, value, len, PH_BODY_BYTES_MAX, &field.value);
    if (status != PH_HOOK_OK)
        return status;
    struct ph_config_value *place = config_place(hook, field.name);
    if (place == NULL)
        return PH_HOOK_TOO_LARGE;
    if (place == &hook->config[hook->in.config_count])
        hook->in.config_count++;
    *place = field;
    return PH_HOOK_OK;
}

int ph_hook_capture_method(struct ph_hook *hook, const char *word)
{
    if (hook == NULL || hook->in.connector == NULL || word == NULL)
        return PH_HOOK_INVALID;
    int32_t number = ph_word_number(PH_WORDS_CAPTURE_METHOD, ph_slice_str(word));
    if (number < 0)
        return PH_HOOK_INVALID;
    hook->answered = false;
    hook->in.capture_method = number;
    return PH_HOOK_OK;
}

int ph_hook_received_at(struct ph_hook *hook, int64_t unix_ms)
{
    if (hook == NULL || hook->in.connector == NULL || unix_ms < 0)
        return PH_HOOK_INVALID;
    hook->answered = false;
    hook->in.now_ms = unix_ms;
    return PH_HOOK_OK;
}

int ph_hook_event_id(struct ph_hook *hook, const char *id)
{
    return keep_text(hook, id, PH_URI_BYTES_MAX, hook != NULL ? &hook->in.merchant_event_id : NULL);
}

/* ---- run ------------------------------------------------------------------------------------- */

int ph_hook_run(struct ph_hook *hook, int want)
{
    if (hook == NULL || hook->in.connector == NULL ||
        (want != PH_HOOK_PARSE && want != PH_HOOK_VERIFY && want != PH_HOOK_HANDLE))
        return PH_HOOK_INVALID;
    hook->answered = false;
    enum ph_status st =
        ph_engine_run_keep(hook->worker, &hook->in, (enum ph_want)want, &hook->answer);
    hook->answered = st == PH_OK;
    return (int)st;
}

int ph_hook_callout_done(struct ph_hook *hook, const void *body, size_t len)
{
    if (hook == NULL || !hook->answered || hook->answer.callout == NULL)
        return PH_HOOK_INVALID;
    const char *name = ph_hook_give(hook, hook->answer.callout->result_name, NULL);
    return name == NULL ? PH_HOOK_NO_MEMORY : ph_hook_config(hook, name, body, len);
}

int ph_hook_sign(struct ph_hook *hook, const char *variant, const char *unique)
{
    if (hook == NULL || hook->in.connector == NULL || hook->in.now_ms < 0 || unique == NULL)
        return PH_HOOK_INVALID;
    hook->signature = (struct ph_signed){0};
    hook->sign_reason = (struct ph_slice){0};
    struct ph_slice id;
    int status = keep_text(hook, unique, PH_URI_BYTES_MAX, &id);
    if (status != PH_HOOK_OK)
        return status;
    enum ph_status st = PH_ERR_INVALID;
    const struct ph_connector *connector = hook->in.connector;
    for (uint16_t i = 0; st != PH_OK && i < connector->variant_count; i++) {
        struct ph_slice name =
            variant != NULL ? ph_slice_str(variant) : connector->variants[i].name;
        st = ph_engine_sign_keep(hook->worker, &hook->in, name, hook->request.body, id,
                                 &hook->signature, &hook->sign_reason);
        if (variant != NULL)
            break;
    }
    if (st == PH_OK)
        hook->sign_reason = (struct ph_slice){0};
    else
        hook->signature = (struct ph_signed){0};
    return (int)st;
}
