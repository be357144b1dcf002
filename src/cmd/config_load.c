#include "cmd/config_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/args.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/heap.h"

static bool pages(void *ctx, const char *folder, const struct ph_connector *const **ret, size_t *ret_count)
{
    struct ph_pages found;
    if (!ph_cmd_pages_load(ctx, folder, &found))
        return false;
    *ret = found.connectors;
    *ret_count = found.count;
    return true;
}

static void print(const struct ph_config_report *report)
{
    for (size_t i = 0; i < report->count; i++)
        fprintf(stderr, "%.*s\n", (int)report->list[i].text.len, report->list[i].text.ptr);
    if (report->left_out > 0)
        fprintf(stderr, "… and %zu more\n", report->left_out);
}

static const char *variable(const char *const *environment, struct ph_slice name)
{
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name.ptr, name.len) == 0 && (*environment)[name.len] == '=')
            return *environment + name.len + 1;
    return NULL;
}

static const struct ph_config *load(struct ph_arena *arena, const char *path, const char *const *environment,
                                    bool places_only, const char **ret_path)
{
    struct ph_config_report *report = malloc(sizeof *report); /* some KiB: not for a stack */
    const struct ph_config *config = NULL;
    struct ph_config_world world = {.allocator = &ph_os_heap,
                                    .environment = environment,
                                    .read_file = ph_os_read_file_mode,
                                    .pages = pages,
                                    .ctx = arena,
                                    .now_ms = ph_os_unix_ms()};
    if (report == NULL) {
        fprintf(stderr, "payhook: out of memory\n");
        return NULL;
    }
    if (path == NULL)
        path = variable(environment, PH_S("PAYHOOK_CONFIG"));
    *ret_path = path;
    ph_config_report_init(report, &ph_os_heap);
    enum ph_status st = places_only ? ph_config_load_places(&world, path, report, &config)
                                    : ph_config_load(&world, path, report, &config);
    print(report);
    if (st == PH_ERR_NO_MEMORY)
        fprintf(stderr, "payhook: no memory for the configuration\n");
    ph_config_report_done(report);
    free(report);
    return st == PH_OK ? config : NULL;
}

const struct ph_config *ph_cmd_config_load(struct ph_arena *arena, const char *path)
{
    return load(arena, path, (const char *const *)environ, false, &path);
}

const struct ph_config *ph_cmd_config_load_with(struct ph_arena *arena, const char *path, const char *const *environment,
                                                const char **ret_path)
{
    return load(arena, path, environment, false, ret_path);
}

const struct ph_config *ph_cmd_config_places(struct ph_arena *arena, const char *path)
{
    return load(arena, path, (const char *const *)environ, true, &path);
}
