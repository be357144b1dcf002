/* The configuration reader on any bytes, in a world where every file and variable is there:
 * errors, each with a text that is printable and holds no secret, or a configuration that is
 * shown as one that loads to the same, or hides something. */
#include "config/config.h"
#include "heap.h"

#define SECRET "Wg7cretThatNobodyPrints-0123456789"

static enum ph_status read_file(struct ph_arena *arena, const char *path, size_t bytes_max,
                                struct ph_slice *ret_bytes, uint32_t *ret_mode)
{
    (void)bytes_max;
    *ret_mode = path[0] == '/' ? 0600 : 0644;
    *ret_bytes = ph_arena_copy(arena, PH_S(SECRET "\n"));
    return ph_slice_present(*ret_bytes) ? PH_OK : PH_ERR_NO_MEMORY;
}

static bool pages(void *ctx, const char *folder, const struct ph_connector *const **ret,
                  size_t *ret_count)
{
    (void)ctx;
    *ret = ph_connectors_builtin;
    *ret_count = ph_connectors_builtin_count;
    return folder == NULL || folder[0] != '!';
}

static void check_report(const struct ph_config_report *report, enum ph_status st)
{
    if ((st == PH_ERR_MALFORMED) != (report->errors > 0))
        abort();
    for (size_t i = 0; i < report->count; i++) {
        struct ph_slice text = report->list[i].text;
        if (ph_slice_find(text, PH_S(SECRET), 0) != SIZE_MAX)
            abort();
        for (size_t k = 0; k < text.len; k++)
            if ((unsigned char)text.ptr[k] < ' ')
                abort();
    }
}

static void shows_itself(const struct ph_config_world *world, const struct ph_config *config)
{
    static struct ph_config_report report;
    struct ph_config_changes changes;
    struct ph_arena arena;
    const struct ph_config *again = NULL;
    ph_arena_init(&arena, &ph_os_heap, 64 * 1024 * 1024, 0);
    ph_config_report_init(&report, &ph_os_heap);
    struct ph_slice shown = ph_config_show(config, &arena);
    if (ph_slice_find(shown, PH_S(SECRET), 0) != SIZE_MAX)
        abort();
    /* What is shown may be larger than a file may be: defaults and all. */
    enum ph_status st = ph_config_load_text(world, PH_S("shown.yaml"), shown, &report, &again);
    /* what a URL's query says: that is not loaded */
    bool hides = ph_slice_find(shown, PH_S("***"), 0) != SIZE_MAX;
    if (st == PH_OK &&
        (ph_config_diff(config, again, &arena, &changes) != PH_OK || changes.count > 0))
        abort();
    if (st != PH_OK && !hides && shown.len < 256 * 1024)
        abort();
    ph_config_free(again);
    ph_config_report_done(&report);
    ph_arena_done(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const environment[] = {"A=" SECRET, "STRIPE_WHSEC=" SECRET,
                                              "SHOP_WEBHOOK_SECRET=" SECRET, NULL};
    static struct ph_config_report report;
    const struct ph_config_world world = {.allocator = &ph_os_heap,
                                          .environment = environment,
                                          .read_file = read_file,
                                          .pages = pages,
                                          .now_ms = INT64_C(1764064800000)};
    const struct ph_config *config = NULL;
    /* The fuzzer learns the text from our looking for it: a file that holds it already may be
     * told of as it is. */
    if (ph_slice_find(ph_slice_of(data, size), PH_S(SECRET), 0) != SIZE_MAX)
        return 0;
    ph_config_report_init(&report, &ph_os_heap);
    enum ph_status st = ph_config_load_text(&world, PH_S("payhook.yaml"), ph_slice_of(data, size),
                                            &report, &config);
    if ((st == PH_OK) != (config != NULL))
        abort();
    check_report(&report, st);
    if (st == PH_OK)
        shows_itself(&world, config);
    ph_config_free(config);
    ph_config_report_done(&report);
    return 0;
}
