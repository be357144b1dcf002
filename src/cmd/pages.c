#include "cmd/pages.h"

#include <stdio.h>
#include <stdlib.h>

#include "os/file.h"
#include "reader/page.h"

enum { PAGES_MAX = 1000 };

static int by_name(const void *a, const void *b)
{
    struct ph_slice x = (*(const struct ph_connector *const *)a)->name;
    struct ph_slice y = (*(const struct ph_connector *const *)b)->name;
    size_t shorter = x.len < y.len ? x.len : y.len;
    int order = shorter > 0 ? memcmp(x.ptr, y.ptr, shorter) : 0;
    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

static bool read_page(struct ph_arena *arena, const char *path, const struct ph_connector **ret)
{
    struct ph_page_errors errors = {0};
    struct ph_slice text = {0};
    enum ph_status st = ph_os_read_file(arena, path, PH_PAGE_BYTES_MAX, &text);
    if (st == PH_OK)
        st = ph_page_read(arena, ph_slice_str(path), text, &errors, ret);
    for (size_t i = 0; i < errors.count; i++)
        fprintf(stderr, "%.*s\n", (int)errors.list[i].text.len, errors.list[i].text.ptr);
    if (st != PH_OK && errors.count == 0)
        fprintf(stderr, "%s: %s\n", path, ph_status_text(st));
    return st == PH_OK;
}

/* Puts a page among the others: in place of its namesake, or at the end. Two pages of one folder
 * with one name are an error: which would count? */
static bool place(const struct ph_connector **connectors, size_t *count, size_t builtin_count,
                  const struct ph_connector *page, const char *path)
{
    for (size_t i = 0; i < *count; i++) {
        if (!ph_slice_eq(connectors[i]->name, page->name))
            continue;
        if (i >= builtin_count || connectors[i] != ph_connectors_builtin[i]) {
            fprintf(stderr, "%s: another page has the name %.*s already\n", path,
                    (int)page->name.len, page->name.ptr);
            return false;
        }
        connectors[i] = page;
        return true;
    }
    connectors[(*count)++] = page;
    return true;
}

bool ph_cmd_pages_load(struct ph_arena *arena, const char *folder, struct ph_pages *ret)
{
    *ret = (struct ph_pages){.connectors = ph_connectors_builtin,
                             .count = ph_connectors_builtin_count};
    if (folder == NULL)
        return true;
    const char **paths = NULL;
    size_t path_count = 0, count = ph_connectors_builtin_count;
    enum ph_status st =
        ph_os_list_files(arena, folder, PH_S(".yaml"), PAGES_MAX, &paths, &path_count);
    const struct ph_connector **connectors =
        st == PH_OK ? ph_arena_alloc(arena, (count + path_count + 1) * sizeof *connectors) : NULL;
    if (connectors == NULL) {
        fprintf(stderr, "%s: %s\n", folder, ph_status_text(st != PH_OK ? st : PH_ERR_NO_MEMORY));
        return false;
    }
    memcpy(connectors, ph_connectors_builtin, count * sizeof *connectors);
    bool good = true;
    for (size_t i = 0; i < path_count; i++) {
        const struct ph_connector *page = NULL;
        good = read_page(arena, paths[i], &page) &&
               place(connectors, &count, ph_connectors_builtin_count, page, paths[i]) && good;
    }
    qsort(connectors, count, sizeof *connectors, by_name);
    ret->connectors = connectors;
    ret->count = count;
    return good;
}
