/* A configuration as a file that loads to the same. Of secrets it writes where they are from, and
 * what a URL's query says it hides: there such a file is refused. */
#include "config/out.h"
#include "config/settings.h"
#include "core/codec.h"

struct show {
    struct ph_out_text out;
    struct ph_arena *arena;
};

static void put(struct show *s, const char *text)
{
    ph_out(&s->out, ph_slice_str(text));
}

static void indent(struct show *s, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        put(s, "  ");
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool is_plain(struct ph_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool mark = c == '.' || c == '/' || c == '_' || c == '$' ||
                    (i > 0 && (c == '-' || c == ':' || c == '+' || c == '='));
        if (!letter && !mark)
            return false;
    }
    return text.len > 0 && text.ptr[text.len - 1] != ':';
}

static void put_text(struct show *s, struct ph_slice text)
{
    static const char hex[] = "0123456789abcdef";
    if (is_plain(text)) {
        ph_out(&s->out, text);
        return;
    }
    put(s, "\"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        char escaped[] = {'\\', 'x', hex[c >> 4], hex[c & 15]}, marked[] = {'\\', (char)c};
        if (c == '"' || c == '\\')
            ph_out(&s->out, ph_slice_of(marked, sizeof marked));
        else if (c < ' ' || c == 0x7f)
            ph_out(&s->out, ph_slice_of(escaped, sizeof escaped));
        else
            ph_out(&s->out, ph_slice_of(&text.ptr[i], 1));
    }
    put(s, "\"");
}

/* Keys stand in queries; a URL with a user or a password is not loaded at all. */
static void put_url(struct show *s, struct ph_slice url)
{
    size_t at = ph_slice_find(url, PH_S("?"), 0);
    struct ph_out_text masked = {.arena = s->arena};
    if (at == SIZE_MAX) {
        put_text(s, url);
        return;
    }
    ph_out(&masked, ph_slice_of(url.ptr, ++at));
    while (at < url.len) {
        size_t end = ph_slice_find(url, PH_S("&"), at), equals = ph_slice_find(url, PH_S("="), at);
        if (end == SIZE_MAX)
            end = url.len;
        if (equals < end)
            ph_out(&masked, ph_slice_of(url.ptr + at, equals + 1 - at));
        if (end > at && equals + 1 != end)
            ph_out(&masked, PH_S(PH_CONFIG_HIDDEN));
        if (end < url.len)
            ph_out(&masked, PH_S("&"));
        at = end + 1;
    }
    s->out.no_memory = s->out.no_memory || masked.no_memory;
    put_text(s, ph_out_done(&masked));
}

/* ---- values ---------------------------------------------------------------------------------- */

static void put_number(struct show *s, const struct ph_setting *row, int64_t number)
{
    bool is_duration = row->kind == PH_SET_DURATION || row->kind == PH_SET_DURATIONS;
    if (number == 0 && row->zero != NULL)
        put(s, row->zero);
    else
        ph_out(&s->out, is_duration                ? ph_duration_text(s->arena, number)
                        : row->kind == PH_SET_SIZE ? ph_size_text(s->arena, number)
                        : row->kind == PH_SET_TIME ? ph_iso_text(s->arena, number)
                                                   : ph_decimal(s->arena, number));
}

static void put_word(struct show *s, const struct ph_setting *row, int32_t want)
{
    struct ph_slice word;
    int32_t number;
    for (size_t i = 0; ph_setting_word(row, i, &word, &number); i++)
        if (number == want)
            ph_out(&s->out, word);
}

static void put_bits(struct show *s, const struct ph_setting *row, uint32_t bits)
{
    const char *before = "";
    put(s, "[");
    for (size_t i = 0; ph_slice_present(row->words[i]); i++) {
        if ((bits & 1U << i) == 0)
            continue;
        put(s, before);
        ph_out(&s->out, row->words[i]);
        before = ", ";
    }
    put(s, "]");
}

static void put_items(struct show *s, const struct ph_setting *row, struct ph_many many)
{
    put(s, "[");
    for (size_t i = 0; i < many.count; i++) {
        put(s, i > 0 ? ", " : "");
        if (row->kind == PH_SET_TEXTS)
            put_text(s, ((const struct ph_slice *)many.items)[i]);
        else if (row->kind == PH_SET_DURATIONS)
            put_number(s, row, ((const int64_t *)many.items)[i]);
        else
            put_text(s, ph_network_text(s->arena, &((const struct ph_network *)many.items)[i]));
    }
    put(s, "]");
}

static bool has_value(enum ph_scope which, const struct ph_setting *row, const void *scope,
                      const struct ph_config_origin *origin)
{
    const void *at = ph_setting_in(row, scope);
    if (which == PH_IN_DESTINATION && row->kinds != 0 &&
        (row->kinds & ((const struct ph_config_destination *)scope)->kind) == 0)
        return false; /* a default that means nothing to this kind, and would be refused */
    switch (row->kind) {
    case PH_SET_TEXT:
    case PH_SET_URL:
        return ph_slice_present(*(const struct ph_slice *)at);
    case PH_SET_PATH:
    case PH_SET_LISTEN:
        return row->zero != NULL || ph_slice_present(*(const struct ph_slice *)at);
    case PH_SET_KEY:
        return ph_slice_present(((const struct ph_config_key *)at)->value);
    case PH_SET_TEXTS:
    case PH_SET_DURATIONS:
    case PH_SET_NETWORKS:
    case PH_SET_FIELDS:
    case PH_SET_LIST:
    case PH_SET_NAMED:
        return origin->given || ph_setting_many(row, scope).count > 0;
    default:
        return origin->given || row->fallback != NULL;
    }
}

static void put_scalar(struct show *s, const struct ph_setting *row, const void *at)
{
    switch (row->kind) {
    case PH_SET_WORD:
        put_word(s, row, *(const int32_t *)at);
        break;
    case PH_SET_BITS:
        put_bits(s, row, *(const uint32_t *)at);
        break;
    case PH_SET_FLAG:
        put(s, *(const bool *)at ? "true" : "false");
        break;
    case PH_SET_COUNT:
    case PH_SET_SIZE:
    case PH_SET_DURATION:
    case PH_SET_TIME:
        put_number(s, row, *(const int64_t *)at);
        break;
    case PH_SET_KEY:
        put_text(s, ((const struct ph_config_key *)at)->from);
        break;
    case PH_SET_URL:
        put_url(s, *(const struct ph_slice *)at);
        break;
    default:
        if (ph_slice_present(*(const struct ph_slice *)at))
            put_text(s, *(const struct ph_slice *)at);
        else
            put(s, "none");
    }
}

/* A path under the data folder, as it is written: without that folder. */
static void put_in_data(struct show *s, struct ph_slice path, struct ph_slice data)
{
    if (path.len > data.len && ph_slice_starts(path, data) && path.ptr[data.len] == '/')
        path = ph_slice_from(path, data.len + 1);
    if (ph_slice_present(path))
        put_text(s, path);
    else
        put(s, "none");
}

/* ---- the tree -------------------------------------------------------------------------------- */

static void put_scope(struct show *s, enum ph_scope which, const void *scope, unsigned depth,
                      bool after_dash);

static void put_entries(struct show *s, const struct ph_setting *row, struct ph_many many,
                        unsigned depth)
{
    put(s, many.count == 0 ? (row->kind == PH_SET_LIST ? " []\n" : " {}\n") : "\n");
    for (size_t i = 0; i < many.count; i++) {
        const void *scope = (const char *)many.items + i * ph_scopes[row->of].bytes;
        indent(s, depth + 1);
        if (row->kind == PH_SET_LIST) {
            put(s, "- ");
            put_scope(s, row->of, scope, depth + 2, true);
        } else {
            put_text(s, ((const struct ph_config_entry *)scope)->name);
            put(s, ":\n");
            put_scope(s, row->of, scope, depth + 2, false);
        }
    }
}

static void put_fields(struct show *s, struct ph_many many, unsigned depth)
{
    put(s, many.count == 0 ? " {}\n" : "\n");
    for (size_t i = 0; i < many.count; i++) {
        const struct ph_config_member *field = &((const struct ph_config_member *)many.items)[i];
        indent(s, depth + 1);
        put_text(s, field->name);
        put(s, ": ");
        put_text(s, ph_slice_present(field->key.from) ? field->key.from : field->key.value);
        put(s, "\n");
    }
}

static void put_origin(struct show *s, const struct ph_config_origin *origin)
{
    put(s, origin->source == PH_FROM_ENVIRONMENT ? " # from the environment\n"
           : origin->given                       ? "\n"
                                                 : " # default\n");
}

static void put_row(struct show *s, const struct ph_setting *row, const void *scope,
                    const struct ph_config_origin *origin, unsigned depth)
{
    const char *dot = strrchr(row->key, '.');
    put(s, dot != NULL ? dot + 1 : row->key);
    put(s, ":");
    if (row->kind == PH_SET_NAMED || row->kind == PH_SET_LIST) {
        put_entries(s, row, ph_setting_many(row, scope), depth);
    } else if (row->kind == PH_SET_FIELDS) {
        put_fields(s, ph_setting_many(row, scope), depth);
    } else {
        put(s, " ");
        if (row->kind == PH_SET_TEXTS || row->kind == PH_SET_DURATIONS ||
            row->kind == PH_SET_NETWORKS)
            put_items(s, row, ph_setting_many(row, scope));
        else if (row->in_data) /* only the file's own rows are */
            put_in_data(s, *(const struct ph_slice *)ph_setting_in(row, scope),
                        ((const struct ph_config *)scope)->data);
        else
            put_scalar(s, row, ph_setting_in(row, scope));
        put_origin(s, origin);
    }
}

/* Opens the maps that `key` lies in and `before` did not; gives how deep it then is. */
static unsigned open_maps(struct show *s, const char *key, const char *before, unsigned depth)
{
    unsigned level = depth;
    bool same = true;
    for (const char *dot = strchr(key, '.'); dot != NULL; dot = strchr(dot + 1, '.'), level++) {
        size_t len = (size_t)(dot - key) + 1, from = len - 1;
        same = same && strncmp(key, before, len) == 0;
        if (same)
            continue;
        while (from > 0 && key[from - 1] != '.')
            from--;
        indent(s, level);
        ph_out(&s->out, ph_slice_of(key + from, len - from - 1));
        put(s, ":\n");
    }
    return level;
}

static void put_scope(struct show *s, enum ph_scope which, const void *scope, unsigned depth,
                      bool after_dash)
{
    const struct ph_config_entry *entry = scope;
    const char *before = "";
    for (size_t i = 0; i < ph_scopes[which].count; i++) {
        const struct ph_setting *row = &ph_scopes[which].rows[i];
        if (!has_value(which, row, scope, &entry->origins[i]))
            continue;
        unsigned level = open_maps(s, row->key, before, depth);
        indent(s, after_dash ? 0 : level);
        after_dash = false;
        put_row(s, row, scope, &entry->origins[i], level);
        before = row->key;
    }
}

struct ph_slice ph_config_show(const struct ph_config *config, struct ph_arena *arena)
{
    struct show s = {.out = {.arena = arena}, .arena = arena};
    put_scope(&s, PH_IN_CONFIG, config, 0, false);
    return ph_out_done(&s.out);
}
