#include "cmd/config_load.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/args.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/heap.h"

static bool pages(void *ctx, const char *folder, const struct ph_connector *const **ret,
                  size_t *ret_count)
{
    struct ph_pages found;
    if (!ph_cmd_pages_load(ctx, folder, &found))
        return false;
    *ret = found.connectors;
    *ret_count = found.count;
    return true;
}

void ph_cmd_config_say(struct ph_log *log, bool warning, struct ph_slice text)
{
    struct ph_log_line line;
    if (log == NULL) {
        fprintf(stderr, "%.*s\n", (int)text.len, text.ptr);
    } else if (ph_log_open(log, warning ? PH_SEVERITY_WARNING : PH_SEVERITY_ERROR, PH_S("reload"),
                           &line)) {
        ph_log_ours(&line, "text", text);
        ph_log_write(log, &line);
    }
}

static void tell(struct ph_log *log, const struct ph_config_report *report)
{
    char more[64];
    for (size_t i = 0; i < report->count; i++)
        ph_cmd_config_say(log, report->list[i].warning, report->list[i].text);
    if (report->left_out > 0) {
        (void)snprintf(more, sizeof more, "… and %zu more", report->left_out);
        ph_cmd_config_say(log, true, ph_slice_str(more));
    }
}

static const char *variable(const char *const *environment, struct ph_slice name)
{
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, name.ptr, name.len) == 0 && (*environment)[name.len] == '=')
            return *environment + name.len + 1;
    return NULL;
}

struct how {
    bool places_only, thorough;
    struct ph_log *log;
};

static const struct ph_config *load(struct ph_arena *arena, const char *path,
                                    const char *const *environment, struct how how,
                                    const char **ret_path)
{
    struct ph_config_report *report = malloc(sizeof *report); /* some KiB: not for a stack */
    const struct ph_config *config = NULL;
    struct ph_config_world world = {.allocator = &ph_os_heap,
                                    .environment = environment,
                                    .read_file = ph_os_read_file_mode,
                                    .pages = pages,
                                    .ctx = arena,
                                    .now_ms = ph_os_unix_ms(),
                                    .thorough = how.thorough};
    if (report == NULL) {
        fprintf(stderr, "payhook: out of memory\n");
        return NULL;
    }
    if (path == NULL)
        path = variable(environment, PH_S("PAYHOOK_CONFIG"));
    *ret_path = path;
    ph_config_report_init(report, &ph_os_heap);
    enum ph_status st = how.places_only ? ph_config_load_places(&world, path, report, &config)
                                        : ph_config_load(&world, path, report, &config);
    tell(how.log, report);
    if (st == PH_ERR_NO_MEMORY)
        ph_cmd_config_say(how.log, false, PH_S("payhook: no memory for the configuration"));
    ph_config_report_done(report);
    free(report);
    return st == PH_OK ? config : NULL;
}

const struct ph_config *ph_cmd_config_load(struct ph_arena *arena, const char *path)
{
    return load(arena, path, (const char *const *)environ, (struct how){.thorough = true}, &path);
}

const struct ph_config *ph_cmd_config_load_with(struct ph_arena *arena, const char *path,
                                                const char *const *environment, bool thorough,
                                                struct ph_log *log, const char **ret_path)
{
    return load(arena, path, environment, (struct how){.thorough = thorough, .log = log}, ret_path);
}

const struct ph_config *ph_cmd_config_places(struct ph_arena *arena, const char *path)
{
    return load(arena, path, (const char *const *)environ, (struct how){.places_only = true},
                &path);
}
