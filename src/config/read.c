/* The tree of a file, by the rows: defaults first, then what the file says, then the
 * environment. */
#include "config/reading.h"
#include "reader/yaml.h"

enum { KNOWN_MAX = 64, NAME_BYTES_MAX = 64, ACCOUNT_BYTES_MAX = 200 };

/* ---- the reader's tree ----------------------------------------------------------------------- */

static struct ph_place place_of(const struct ph_yaml *node)
{
    return (struct ph_place){.line = (uint32_t)node->line, .column = (uint32_t)node->column};
}

/* Of what has a name: where the name stands. */
static struct ph_place key_of(const struct ph_yaml *node)
{
    return (struct ph_place){.line = (uint32_t)node->key_line,
                             .column = (uint32_t)node->key_column};
}

static bool is_nothing(const struct ph_yaml *node)
{
    return node->kind == PH_YAML_TEXT && node->text.len == 0;
}

/* Who only asks a running payhook need not be able to read its secrets. */
static bool is_wanted(const struct ph_reading *r, const struct ph_setting *row)
{
    return !r->places_only || row->place;
}

/* ---- setting one row ------------------------------------------------------------------------- */

static void *field_of(const struct ph_target *t, const struct ph_setting *row)
{
    return (char *)t->base + row->offset;
}

static struct ph_slice path_of(struct ph_reading *r, const struct ph_target *t,
                               const struct ph_setting *row)
{
    return ph_config_join(r, PH_PARTS(t->entry->path, ph_slice_str(row->key)));
}

static void note(const struct ph_target *t, const struct ph_setting *row, struct ph_place at,
                 enum ph_config_source source)
{
    t->origins[row - ph_scopes[t->scope].rows] = (struct ph_config_origin){
        .line = at.line,
        .column = (uint16_t)(at.column > UINT16_MAX ? UINT16_MAX : at.column),
        .source = (uint8_t)source,
        .given = source != PH_FROM_DEFAULT};
}

/* How many values a row takes. */
static bool takes_values(const struct ph_setting *row)
{
    return row->kind == PH_SET_BITS || row->kind == PH_SET_TEXTS || row->kind == PH_SET_DURATIONS ||
           row->kind == PH_SET_NETWORKS;
}

static void read_list(struct ph_reading *r, const struct ph_target *t, const struct ph_setting *row,
                      const struct ph_config_item *items, const struct ph_yaml *const *maps,
                      size_t count, enum ph_config_source source);

/* "a, b, c" of a default or a variable. */
static void set_text(struct ph_reading *r, const struct ph_target *t, const struct ph_setting *row,
                     struct ph_slice text, struct ph_place at, enum ph_config_source source)
{
    bool many = takes_values(row) || row->kind == PH_SET_LIST;
    size_t count = 0, commas = 0;
    for (size_t i = 0; i < text.len; i++)
        commas += text.ptr[i] == ',';
    struct ph_config_item *items = many ? ph_config_alloc(r, (commas + 1) * sizeof *items) : NULL;
    note(t, row, at, source);
    if (!many) {
        (void)ph_config_value_read(r, row, text, at, path_of(r, t, row), source, field_of(t, row));
        return;
    }
    while (items != NULL) {
        size_t comma = ph_slice_find(text, PH_S(","), 0);
        items[count++] = (struct ph_config_item){
            .text = ph_slice_trim(ph_slice_of(text.ptr, comma == SIZE_MAX ? text.len : comma)),
            .at = at};
        if (comma == SIZE_MAX)
            break;
        text = ph_slice_from(text, comma + 1);
    }
    if (items == NULL)
        return;
    if (row->kind == PH_SET_LIST)
        read_list(r, t, row, items, NULL, count, source);
    else
        (void)ph_config_values_read(r, row, items, count, path_of(r, t, row), field_of(t, row));
}

/* ---- several entries ------------------------------------------------------------------------- */

static struct ph_slice index_text(struct ph_reading *r, struct ph_slice path, size_t i)
{
    /* at most PH_SECRETS_MAX of them */
    char digits[] = {(char)('0' + (i + 1) / 10), (char)('0' + (i + 1) % 10)};
    size_t from = digits[0] == '0';
    return ph_config_join(
        r, PH_PARTS(path, PH_S("["), ph_slice_of(digits + from, 2 - from), PH_S("].")));
}
_Static_assert(PH_SECRETS_MAX < 100, "the place of a list's entry is written with two digits");

/* A list of entries: each a map, or a text that is its first row. */
static void read_list(struct ph_reading *r, const struct ph_target *t, const struct ph_setting *row,
                      const struct ph_config_item *items, const struct ph_yaml *const *maps,
                      size_t count, enum ph_config_source source)
{
    const struct ph_scope_rows *scope = &ph_scopes[row->of];
    struct ph_slice path = path_of(r, t, row);
    if (count > (size_t)row->max) {
        ph_config_error(
            r, items[0].at, path,
            PH_PARTS(PH_S("too many entries; a rotation needs two, and 16 are the most")));
        return;
    }
    char *list = ph_config_alloc(r, (count + 1) * scope->bytes);
    for (size_t i = 0; list != NULL && i < count; i++) {
        char *base = list + i * scope->bytes;
        const struct ph_yaml *map = maps != NULL ? maps[i] : NULL;
        if (map != NULL) {
            ph_config_scope_read(r, row->of, map, (struct ph_slice){0}, index_text(r, path, i),
                                 items[i].at, base);
            continue;
        }
        struct ph_target child = {
            .scope = row->of,
            .base = base,
            .entry = (struct ph_config_entry *)base,
            .origins = ph_config_alloc(r, scope->count * sizeof(struct ph_config_origin))};
        child.entry->path = index_text(r, path, i);
        child.entry->at = (struct ph_config_origin){.line = items[i].at.line,
                                                    .column = (uint16_t)items[i].at.column,
                                                    .source = (uint8_t)source,
                                                    .given = true};
        child.entry->origins = child.origins;
        if (child.origins == NULL)
            return;
        note(&child, &scope->rows[0], items[i].at, source);
        (void)ph_config_value_read(r, &scope->rows[0], items[i].text, items[i].at, path, source,
                                   field_of(&child, &scope->rows[0]));
    }
    struct ph_many many = {.items = list, .count = list != NULL ? count : 0};
    memcpy(field_of(t, row), &many, sizeof many);
}

static bool is_name(struct ph_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool inner = c == '-' || c == '_' || c == '.';
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              (inner && i > 0)))
            return false;
    }
    return name.len > 0 && name.len <= NAME_BYTES_MAX;
}

static void read_named(struct ph_reading *r, const struct ph_target *t,
                       const struct ph_setting *row, const struct ph_yaml *map)
{
    const struct ph_scope_rows *scope = &ph_scopes[row->of];
    struct ph_slice path = path_of(r, t, row);
    bool is_free = row->of == PH_IN_ACCOUNT; /* its names are the processor's */
    size_t count = map->kind == PH_YAML_MAP ? map->count : 0, i = 0;
    if (map->kind != PH_YAML_MAP && !is_nothing(map)) {
        ph_config_error(r, place_of(map), path,
                        PH_PARTS(PH_S("names belong here, each with its settings below it")));
        return;
    }
    if (count > (size_t)row->max) {
        ph_config_error(r, place_of(map), path, PH_PARTS(PH_S("too many entries")));
        return;
    }
    char *list = ph_config_alloc(r, (count + 1) * scope->bytes);
    for (const struct ph_yaml *e = map->first; list != NULL && e != NULL && i < count;
         e = e->next, i++) {
        if (is_free ? e->key.len == 0 || e->key.len > ACCOUNT_BYTES_MAX : !is_name(e->key)) {
            ph_config_error(
                r, key_of(e), path,
                PH_PARTS(
                    ph_config_quote(r, e->key),
                    is_free
                        ? PH_S(" is no account; up to 200 bytes")
                        : PH_S(" is no name; letters, digits, - _ and . (not first), up to 64")));
            continue; /* its own errors would be told under a name that is none */
        }
        struct ph_slice own = ph_config_join(r, PH_PARTS(path, PH_S("."), e->key, PH_S(".")));
        ph_config_scope_read(r, row->of, e, e->key, own, key_of(e), list + i * scope->bytes);
    }
    struct ph_many many = {.items = list, .count = i};
    memcpy(field_of(t, row), &many, sizeof many);
}

/* ---- fields of a connector ------------------------------------------------------------------- */

/* Names of fields that hold a secret: what is written in the file is read by whoever may read
 * the file. */
static bool is_secret_name(struct ph_slice name)
{
    static const struct ph_slice ends[] = {PH_SI("secret"), PH_SI("token"), PH_SI("password"),
                                           PH_SI("api_key"), PH_SI("private_key")};
    for (size_t i = 0; i < PH_COUNTOF(ends); i++)
        if (name.len >= ends[i].len &&
            ph_slice_eq(ph_slice_from(name, name.len - ends[i].len), ends[i]))
            return true;
    return false;
}

static void read_field(struct ph_reading *r, const struct ph_yaml *e, struct ph_slice path,
                       struct ph_config_member *ret)
{
    ret->name = ph_config_join(r, &e->key, 1);
    if (e->key.len == 0 || e->key.len > NAME_BYTES_MAX)
        ph_config_error(r, key_of(e), path,
                        PH_PARTS(ph_config_quote(r, e->key), PH_S(" is no name of a field")));
    else if (e->kind != PH_YAML_TEXT || e->text.len == 0)
        ph_config_error(r, place_of(e), path, PH_PARTS(PH_S("a field's value is one text")));
    else if (ph_is_reference(e->text) || is_secret_name(e->key) || ph_looks_secret(e->text))
        (void)ph_config_key_read(r, e->text, place_of(e), path, PH_FROM_FILE, &ret->key);
    else
        ret->key.value = ph_config_join(r, &e->text, 1);
}

static void read_fields(struct ph_reading *r, const struct ph_target *t,
                        const struct ph_setting *row, const struct ph_yaml *map)
{
    struct ph_slice path = path_of(r, t, row);
    size_t count = map->kind == PH_YAML_MAP ? map->count : 0, i = 0;
    if ((map->kind != PH_YAML_MAP && !is_nothing(map)) || count > (size_t)row->max) {
        ph_config_error(
            r, place_of(map), path,
            PH_PARTS(PH_S("fields and their values belong here, NAME: VALUE, at most 62")));
        return;
    }
    struct ph_config_member *list = ph_config_alloc(r, (count + 1) * sizeof *list);
    for (const struct ph_yaml *e = map->first; list != NULL && e != NULL && i < count;
         e = e->next, i++)
        read_field(r, e,
                   ph_config_join(r, PH_PARTS(path, PH_S("."),
                                              e->key.len > NAME_BYTES_MAX ? PH_S("") : e->key)),
                   &list[i]);
    struct ph_many many = {.items = list, .count = i};
    memcpy(field_of(t, row), &many, sizeof many);
}

/* ---- one setting of the file ----------------------------------------------------------------- */

/* The members of a list, or the one text in its place. */
static void read_items(struct ph_reading *r, const struct ph_target *t,
                       const struct ph_setting *row, const struct ph_yaml *node)
{
    bool alone = node->kind != PH_YAML_LIST;
    size_t count = alone ? 1 : node->count, i = 0;
    struct ph_config_item *items = ph_config_alloc(r, (count + 1) * sizeof *items);
    const struct ph_yaml **maps = ph_config_alloc(r, (count + 1) * sizeof *maps);
    struct ph_slice path = path_of(r, t, row);
    if (items == NULL || maps == NULL)
        return;
    for (const struct ph_yaml *e = alone ? node : node->first; e != NULL && i < count;
         e = e->next, i++) {
        bool map = e->kind == PH_YAML_MAP && row->kind == PH_SET_LIST;
        items[i] = (struct ph_config_item){.text = e->text, .at = place_of(e)};
        maps[i] = map ? e : NULL;
        if (e->kind != PH_YAML_TEXT && !map) {
            ph_config_error(r, place_of(e), path,
                            PH_PARTS(PH_S("an entry of this list is a single value")));
            return;
        }
    }
    if (row->kind == PH_SET_LIST)
        read_list(r, t, row, items, maps, count, PH_FROM_FILE);
    else
        (void)ph_config_values_read(r, row, items, count, path, field_of(t, row));
}

static void read_setting(struct ph_reading *r, const struct ph_target *t,
                         const struct ph_setting *row, const struct ph_yaml *node)
{
    note(t, row, place_of(node), PH_FROM_FILE);
    if (row->kind == PH_SET_NAMED)
        read_named(r, t, row, node);
    else if (row->kind == PH_SET_FIELDS)
        read_fields(r, t, row, node);
    else if (row->kind == PH_SET_LIST || takes_values(row))
        read_items(r, t, row, node);
    else if (node->kind == PH_YAML_TEXT)
        (void)ph_config_value_read(r, row, node->text, place_of(node), path_of(r, t, row),
                                   PH_FROM_FILE, field_of(t, row));
    else
        ph_config_error(r, place_of(node), path_of(r, t, row),
                        PH_PARTS(PH_S("one value belongs here, not a list or a map")));
}

/* ---- maps ------------------------------------------------------------------------------------ */

/* The words that may stand at this level: of "tls." certificate, key, ca. */
static size_t known_at(enum ph_scope scope, struct ph_slice prefix,
                       struct ph_slice known[KNOWN_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < ph_scopes[scope].count && count < KNOWN_MAX; i++) {
        struct ph_slice key = ph_slice_str(ph_scopes[scope].rows[i].key);
        if (!ph_slice_starts(key, prefix))
            continue;
        key = ph_slice_from(key, prefix.len);
        size_t dot = ph_slice_find(key, PH_S("."), 0);
        key.len = dot != SIZE_MAX ? dot : key.len;
        if (count == 0 || !ph_slice_eq(known[count - 1], key))
            known[count++] = key;
    }
    return count;
}

static void read_map(struct ph_reading *r, const struct ph_target *t, const struct ph_yaml *map,
                     struct ph_slice prefix)
{
    struct ph_slice known[KNOWN_MAX], path = ph_config_join(r, PH_PARTS(t->entry->path, prefix));
    size_t count = known_at(t->scope, prefix, known);
    if (is_nothing(map))
        return;
    path.len -= path.len > 0; /* the dot */
    if (map->kind != PH_YAML_MAP) {
        ph_config_error(r, place_of(map), path,
                        PH_PARTS(PH_S("settings belong here, each on its line below: KEY: VALUE")));
        return;
    }
    for (const struct ph_yaml *e = map->first; e != NULL; e = e->next) {
        struct ph_slice key = ph_config_join(r, PH_PARTS(prefix, e->key));
        const struct ph_setting *row = ph_setting_find(t->scope, key);
        bool is_group = false;
        for (size_t i = 0; i < count; i++)
            is_group = is_group || ph_slice_eq(known[i], e->key);
        if (row != NULL && is_wanted(r, row))
            read_setting(r, t, row, e);
        else if (row != NULL)
            continue;
        else if (is_group)
            read_map(r, t, e, ph_config_join(r, PH_PARTS(key, PH_S("."))));
        else
            ph_config_unknown(r, key_of(e), path, PH_S("unknown key"), e->key, known, count);
    }
}

/* ---- a scope --------------------------------------------------------------------------------- */

static void read_environment(struct ph_reading *r, const struct ph_target *t)
{
    for (size_t i = 0; i < ph_scopes[t->scope].count; i++) {
        const struct ph_setting *row = &ph_scopes[t->scope].rows[i];
        if (row->env == NULL || !is_wanted(r, row))
            continue;
        struct ph_slice name = ph_config_env_name(r, row, t->entry->name),
                        value = ph_config_env(r, name);
        if (ph_slice_present(value))
            set_text(r, t, row, value, (struct ph_place){.variable = name}, PH_FROM_ENVIRONMENT);
    }
}

void ph_config_scope_read(struct ph_reading *r, enum ph_scope scope, const struct ph_yaml *map,
                          struct ph_slice name, struct ph_slice path, struct ph_place at,
                          void *base)
{
    const struct ph_scope_rows *rows = &ph_scopes[scope];
    struct ph_target t = {.scope = scope,
                          .base = base,
                          .entry = base,
                          .origins =
                              ph_config_alloc(r, rows->count * sizeof(struct ph_config_origin))};
    if (t.origins == NULL)
        return;
    *t.entry = (struct ph_config_entry){
        .name = ph_config_join(r, &name, 1),
        .path = path,
        .origins = t.origins,
        .at = {
            .line = at.line, .column = (uint16_t)at.column, .source = PH_FROM_FILE, .given = true}};
    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].fallback != NULL && is_wanted(r, &rows->rows[i]))
            set_text(r, &t, &rows->rows[i], ph_slice_str(rows->rows[i].fallback),
                     (struct ph_place){0}, PH_FROM_DEFAULT);
    if (map != NULL)
        read_map(r, &t, map, PH_S(""));
    read_environment(r, &t);
    for (size_t i = 0; i < rows->count; i++)
        if (rows->rows[i].required && !t.origins[i].given)
            ph_config_error(r, at, path_of(r, &t, &rows->rows[i]),
                            PH_PARTS(PH_S("is missing; it is "), ph_slice_str(rows->rows[i].help)));
}
