/* The pages that are compiled in are the pages of connectors/: read at run time, each gives the
 * same tables. */
#include <dirent.h>

#include "pages.h"
#include "tables.h"

static void read_file(struct page *p, const char *file)
{
    static char text[PH_PAGE_BYTES_MAX + 1];
    char path[1024];
    snprintf(path, sizeof(path), "%s/connectors/%s", PAYHOOK_SOURCE_DIR, file);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(text, 1, sizeof(text), f);
    fclose(f);
    page_read(p, ph_slice_of(text, len));
    if (p->connector == NULL)
        print_error("%s: %s\n", file, page_told(p));
    assert_non_null(p->connector);
}

static const struct ph_connector *builtin(struct ph_slice name)
{
    for (size_t i = 0; i < ph_connectors_builtin_count; i++)
        if (ph_slice_eq(ph_connectors_builtin[i]->name, name))
            return ph_connectors_builtin[i];
    return NULL;
}

/* Calls `visit` for every page of connectors/; how many there were. */
static size_t each_page(void (*visit)(const char *file))
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/connectors", PAYHOOK_SOURCE_DIR);
    DIR *folder = opendir(path);
    size_t count = 0;
    assert_non_null(folder);
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        size_t len = strlen(e->d_name);
        if (len < 6 || strcmp(e->d_name + len - 5, ".yaml") != 0)
            continue;
        visit(e->d_name);
        count++;
    }
    closedir(folder);
    return count;
}

static void compare(const char *file)
{
    struct page p;
    read_file(&p, file);
    const struct ph_connector *compiled = builtin(ph_slice_of(file, strlen(file) - 5));
    assert_non_null(compiled);
    tables_differ[0] = '\0';
    if (!same_connector(p.connector, compiled))
        fail_msg("%s: %s does not hold", file, tables_differ);
    page_done(&p);
}

static void every_page_read_at_run_time_gives_the_tables_that_are_compiled_in(void **state)
{
    (void)state;
    assert_int_equal(each_page(compare), ph_connectors_builtin_count);
    assert_true(ph_connectors_builtin_count >= 14);
}

/* The example a page's author begins with. */
static void the_page_of_the_documentation_reads(void **state)
{
    (void)state;
    static char text[PH_PAGE_BYTES_MAX];
    snprintf(text, sizeof(text), "%s/docs/connector-language.md", PAYHOOK_SOURCE_DIR);
    FILE *f = fopen(text, "rb");
    assert_non_null(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    fclose(f);
    const char *begin = strstr(text, "```yaml\n"),
               *end = begin != NULL ? strstr(begin + 8, "```") : NULL;
    assert_non_null(end);
    assert_told(ph_slice_of(begin + 8, (size_t)(end - begin - 8)), "");
}

/* The comparison itself: pages that differ in one fact differ there. */
static void tables_of_pages_that_differ_in_one_fact_differ(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *where;
    } cases[] = {
        {"/data/paid: { under: /data/amount }", "/data/paid: { under: /data/amounts }", "against"},
        {"tolerance: 300s past", "tolerance: 301s past", "past_ms"},
        {"keys: false", "keys: true", "account_apart"},
        {"CNH: none", "CNX: none", "a->code"},
        {"RM: MYR", "RM: SGD", "a->is"},
        {"skip-empty: true", "skip-empty: false", "skip_empty"},
        {"within: 10s", "within: 11s", "ack_within_ms"},
        {"failed: FAILURE", "failed: VOIDED", "a->to"},
        {"\"[accepted]\"", "\"accepted\"", "ack"},
        {"query:mode: subscribe", "query:mode: subscribed", "handshake"},
    };
    char path[1024], text[8192] = "";
    snprintf(path, sizeof(path), "%s/tests/unit/pages/acme.yaml", PAYHOOK_SOURCE_DIR);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
    fclose(f);
    for (size_t i = 0; i < PH_COUNTOF(cases); i++) {
        struct page one, other, again;
        char *edited = page_edited(text, cases[i].from, cases[i].to);
        page_read(&one, ph_slice_str(text));
        page_read(&again, ph_slice_str(text));
        page_read(&other, ph_slice_str(edited));
        assert_true(same_connector(one.connector, again.connector));
        tables_differ[0] = '\0'; /* the pages' hashes differ too: what was met first counts */
        assert_false(same_connector(one.connector, other.connector));
        assert_non_null(strstr(tables_differ, cases[i].where));
        page_done(&one);
        page_done(&again);
        page_done(&other);
        free(edited);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_page_read_at_run_time_gives_the_tables_that_are_compiled_in),
        cmocka_unit_test(the_page_of_the_documentation_reads),
        cmocka_unit_test(tables_of_pages_that_differ_in_one_fact_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
