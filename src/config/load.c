/* From a file, or from none, to a configuration that is right, or to all that is wrong with it. */
#include "config/reading.h"
#include "core/codec.h"
#include "reader/yaml.h"

enum { CONFIG_BYTES_MAX = 64 * 1024 * 1024 };

/* ---- what follows from the settings ---------------------------------------------------------- */

static void derive_paths(struct ph_reading *r, struct ph_config *config)
{
    struct ph_slice *socket = &config->admin.socket;
    if (socket->len > 0 && socket->ptr[0] != '/')
        *socket = ph_config_join(r, PH_PARTS(config->data, PH_S("/"), *socket));
}

static void derive_destination(struct ph_config_destination *d)
{
    struct ph_url url;
    struct ph_slice why;
    if (!ph_slice_present(d->url) || !ph_url_read(d->url, &url, &why))
        return;
    d->kind = ph_slice_starts(url.scheme, PH_S("redis")) ? PH_CONFIG_REDIS : PH_CONFIG_HTTP;
    if (!ph_is_given(d, PH_IN_DESTINATION, "allow_private"))
        d->allow_private = ph_url_host_is_private(url.host);
}

static bool has_value(const struct ph_config_value *values, size_t count, struct ph_slice name)
{
    for (size_t i = 0; i < count; i++)
        if (ph_slice_eq(values[i].name, name))
            return true;
    return false;
}

static void add_fields(const struct ph_config_member *fields, size_t field_count,
                       struct ph_config_value *values, size_t *count)
{
    for (size_t i = 0; i < field_count; i++)
        if (!has_value(values, *count, fields[i].name))
            values[(*count)++] = (struct ph_config_value){fields[i].name, fields[i].key.value};
}

/* What the engine is given as config: an account's fields, the endpoint's, and what other
 * settings say. */
static struct ph_many values_of(struct ph_reading *r, const struct ph_config_endpoint *e,
                                const struct ph_config_account *a)
{
    size_t room = e->fields.count + (a != NULL ? a->fields.count : 0) + 2, count = 0;
    struct ph_config_value *values = ph_config_alloc(r, room * sizeof *values);
    if (values == NULL)
        return (struct ph_many){0};
    if (a != NULL)
        add_fields(a->fields.items, a->fields.count, values, &count);
    add_fields(e->fields.items, e->fields.count, values, &count);
    if (ph_slice_present(e->public_url))
        values[count++] = (struct ph_config_value){PH_S("notification_url"), e->public_url};
    if (e->tolerance_ms > 0) {
        struct ph_slice text = ph_decimal(r->arena, e->tolerance_ms / 1000);
        values[count++] = (struct ph_config_value){PH_S("tolerance_seconds"), text};
    }
    return (struct ph_many){values, count};
}

static void derive(struct ph_reading *r, struct ph_config *config)
{
    derive_paths(r, config);
    for (size_t i = 0; i < config->destinations.count; i++)
        derive_destination((struct ph_config_destination *)&config->destinations.items[i]);
    for (size_t i = 0; i < config->endpoints.count; i++) {
        struct ph_config_endpoint *e = (struct ph_config_endpoint *)&config->endpoints.items[i];
        struct ph_many values = values_of(r, e, NULL);
        e->values.items = values.items;
        e->values.count = values.count;
        for (size_t k = 0; k < e->accounts.count; k++) {
            struct ph_config_account *a = (struct ph_config_account *)&e->accounts.items[k];
            values = values_of(r, e, a);
            a->values.items = values.items;
            a->values.count = values.count;
        }
    }
}

/* ---- loading --------------------------------------------------------------------------------- */

static struct ph_slice folder_of(struct ph_slice file)
{
    size_t len = file.len;
    while (len > 0 && file.ptr[len - 1] != '/')
        len--;
    return ph_slice_of(file.ptr, len);
}

/* The file's tree; NULL: none, and why has been said. */
static const struct ph_yaml *read_tree(struct ph_reading *r, struct ph_arena *tree,
                                       struct ph_slice text)
{
    struct ph_page_errors errors = {0};
    struct ph_yaml *root = NULL;
    enum ph_status st = ph_yaml_read(tree, r->file, text, &errors, &root);
    for (size_t i = 0; i < errors.count; i++)
        ph_config_error_text(r->report, (uint32_t)errors.list[i].line,
                             (uint32_t)errors.list[i].column, errors.list[i].text);
    r->no_memory = r->no_memory || errors.no_memory || st == PH_ERR_NO_MEMORY;
    return st == PH_OK ? root : NULL;
}

static bool says_nothing(struct ph_slice text)
{
    bool comment = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        comment = c == '#' || (comment && c != '\n');
        if (!comment && c != ' ' && c != '\n' && c != '\r')
            return false;
    }
    return true;
}

static void check_all(struct ph_reading *r, struct ph_config *config)
{
    const struct ph_connector *const *pages = NULL;
    size_t count = 0;
    struct ph_slice folder = config->connectors;
    if (!r->world->pages(r->world->ctx, folder.len > 0 ? folder.ptr : NULL, &pages, &count)) {
        ph_config_error(r, ph_place_of(r, config, PH_IN_CONFIG, "connectors"), PH_S("connectors"),
                        PH_PARTS(PH_S("the pages of "), folder,
                                 PH_S(" are not right; payhook connectors check says why")));
        return;
    }
    ph_config_check(r, config, pages, count);
}

static struct ph_config *read_all(struct ph_reading *r, struct ph_arena *tree, struct ph_slice text)
{
    struct ph_config *config = ph_config_alloc(r, sizeof *config);
    bool nothing = says_nothing(text);
    const struct ph_yaml *root = nothing ? NULL : read_tree(r, tree, text);
    if (config != NULL && !r->is_builtin)
        config->file = ph_config_join(r, &r->file, 1);
    if (config == NULL || (root == NULL && !nothing))
        return config; /* without its tree nothing more can be said of it */
    ph_config_scope_read(r, PH_IN_CONFIG, root, PH_S(""), PH_S(""), (struct ph_place){0}, config);
    if (r->no_memory)
        return config;
    if (r->places_only) {
        derive_paths(r, config);
        return config;
    }
    derive(r, config);
    check_all(r, config);
    ph_config_env_rest(r);
    return config;
}

static size_t variables(const char *const *environment)
{
    size_t count = 0;
    while (environment[count] != NULL)
        count++;
    return count;
}

/* path present: the file is still to be read; text absent and path absent: the built-in
 * configuration. */
static enum ph_status load(const struct ph_config_world *world, struct ph_slice path,
                           struct ph_slice text, bool has_text, bool places_only,
                           struct ph_config_report *report, const struct ph_config **ret)
{
    struct ph_arena arena, tree;
    struct ph_reading r = {.arena = &arena,
                           .world = world,
                           .report = report,
                           .file = path,
                           .folder = folder_of(path),
                           .places_only = places_only};
    struct ph_config *config = NULL;
    enum ph_status st = PH_OK;
    uint32_t mode;
    ph_arena_init(&arena, world->allocator, CONFIG_BYTES_MAX, 0);
    ph_arena_init(&tree, world->allocator, CONFIG_BYTES_MAX, 0);
    r.env_count = variables(world->environment);
    r.env_used = ph_config_alloc(&r, r.env_count + 1);
    if (r.no_memory)
        goto out;
    r.is_builtin = !ph_slice_present(path);
    if (r.is_builtin)
        text = places_only ? PH_S("") : ph_config_builtin(&r);
    else if (!has_text)
        st = world->read_file(&tree, path.ptr, PH_PAGE_BYTES_MAX, &text, &mode);
    if (st == PH_ERR_NO_MEMORY)
        r.no_memory = true;
    else if (st != PH_OK)
        ph_config_error(&r, (struct ph_place){0}, PH_S(""),
                        PH_PARTS(st == PH_ERR_NOT_FOUND
                                     ? PH_S("is not there")
                                     : PH_S("cannot be read: it is no file, larger than 512 KiB, "
                                            "or this user may not")));
    else if (!r.no_memory)
        config = read_all(&r, &tree, text);
    ph_config_report_sort(report);
out:
    ph_arena_wipe(&tree); /* somebody may have written a secret into the file */
    ph_arena_done(&tree);
    bool no_memory = r.no_memory || report->no_memory;
    if (no_memory || report->errors > 0) {
        ph_arena_wipe(&arena);
        ph_arena_done(&arena);
        return no_memory ? PH_ERR_NO_MEMORY : PH_ERR_MALFORMED;
    }
    config->arena = arena;
    *ret = config;
    return PH_OK;
}

enum ph_status ph_config_load(const struct ph_config_world *world, const char *path,
                              struct ph_config_report *report, const struct ph_config **ret)
{
    return load(world, ph_slice_str(path), (struct ph_slice){0}, false, false, report, ret);
}

enum ph_status ph_config_load_places(const struct ph_config_world *world, const char *path,
                                     struct ph_config_report *report, const struct ph_config **ret)
{
    return load(world, ph_slice_str(path), (struct ph_slice){0}, false, true, report, ret);
}

enum ph_status ph_config_load_text(const struct ph_config_world *world, struct ph_slice file,
                                   struct ph_slice text, struct ph_config_report *report,
                                   const struct ph_config **ret)
{
    return load(world, file, text, true, false, report, ret);
}

void ph_config_free(const struct ph_config *config)
{
    if (config == NULL)
        return;
    struct ph_arena arena = config->arena; /* it holds the configuration itself */
    ph_arena_wipe(&arena);
    ph_arena_done(&arena);
}
