/* The environment: a variable for each row, over the file. */
#include "config/reading.h"
#include "reader/nearest.h"

static const struct ph_slice prefix = PH_SI("PAYHOOK_");

struct ph_slice ph_config_env(struct ph_reading *r, struct ph_slice name)
{
    for (size_t i = 0; i < r->env_count; i++) {
        struct ph_slice variable = ph_slice_str(r->world->environment[i]);
        if (variable.len > name.len && variable.ptr[name.len] == '=' &&
            ph_slice_starts(variable, name)) {
            r->env_used[i] = true;
            return ph_slice_from(variable, name.len + 1);
        }
    }
    return (struct ph_slice){0};
}

struct ph_slice ph_config_env_name(struct ph_reading *r, const struct ph_setting *row,
                                   struct ph_slice entry)
{
    struct ph_slice pattern = ph_slice_str(row->env);
    size_t star = ph_slice_find(pattern, PH_S("*"), 0);
    if (star == SIZE_MAX)
        return pattern;
    struct ph_slice name = ph_config_join(r, PH_PARTS(entry));
    for (char *c = (char *)name.ptr; c < name.ptr + name.len; c++) { /* ours, from join */
        bool small = *c >= 'a' && *c <= 'z',
             kept = (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');
        *c = (char)(small ? *c - 32 : kept ? *c : '_');
    }
    return ph_config_join(
        r, PH_PARTS(ph_slice_of(pattern.ptr, star), name, ph_slice_from(pattern, star + 1)));
}

/* PAYHOOK_<CONNECTOR>_SECRET counts only without a file; who sets it beside one may not know. */
static bool is_builtin_secret(struct ph_slice name)
{
    struct ph_slice end = PH_S("_SECRET");
    return name.len > prefix.len + end.len &&
           ph_slice_eq(ph_slice_from(name, name.len - end.len), end);
}

void ph_config_env_rest(struct ph_reading *r)
{
    struct ph_slice known[64];
    size_t count = 0;
    for (size_t i = 0; i < ph_scopes[PH_IN_CONFIG].count && count < PH_COUNTOF(known); i++)
        if (ph_scopes[PH_IN_CONFIG].rows[i].env != NULL)
            known[count++] =
                ph_slice_from(ph_slice_str(ph_scopes[PH_IN_CONFIG].rows[i].env), prefix.len);
    for (size_t i = 0; i < r->env_count; i++) {
        struct ph_slice variable = ph_slice_str(r->world->environment[i]);
        size_t equals = ph_slice_find(variable, PH_S("="), 0);
        if (r->env_used[i] || equals == SIZE_MAX || !ph_slice_starts(variable, prefix))
            continue;
        struct ph_slice name = ph_slice_of(variable.ptr, equals),
                        near = ph_nearest(ph_slice_from(name, prefix.len), known, count);
        struct ph_place at = {.variable = name};
        if (is_builtin_secret(name) && !r->is_builtin)
            ph_config_warn(r, at, PH_S(""),
                           PH_PARTS(PH_S("there is a configuration file, which does not use it: "
                                         "name it under an endpoint's `secrets`, as env:"),
                                    name));
        else if (near.len > 0)
            ph_config_warn(r, at, PH_S(""),
                           PH_PARTS(PH_S("not the variable of a setting; did you mean "), prefix,
                                    near, PH_S("?")));
    }
}
