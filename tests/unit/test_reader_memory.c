/* Reading a page when memory ends, at every place where it can: PH_ERR_NO_MEMORY, nothing kept,
 * nothing lost.
 *
 * The reader has two sources of memory: the arena, and the heap that libyaml takes from. Either
 * can be the one that fails: libyaml is linked into this test, and the linker turns its calls to
 * these (tests/meson.build). To define libyaml's own yaml_malloc here is not enough: a shared
 * libyaml may be bound to itself (-Bsymbolic-functions). */
#include "mends.h"

static size_t taken, live, fails_at; /* 0: never */
static size_t from_yaml;

static bool fails(void)
{
    return ++taken == fails_at;
}

void *__real_malloc(size_t size);
void *__real_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *ptr, size_t size);
char *__wrap_strdup(const char *s);
void __wrap_free(void *ptr);

void *__wrap_malloc(size_t size)
{
    void *ptr = fails() ? NULL : __real_malloc(size);
    from_yaml++;
    live += ptr != NULL;
    return ptr;
}
void *__wrap_realloc(void *ptr, size_t size)
{
    if (ptr == NULL)
        return __wrap_malloc(size);
    from_yaml++;
    return fails() ? NULL : __real_realloc(ptr, size);
}
char *__wrap_strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = __wrap_malloc(size);
    if (copy != NULL)
        memcpy(copy, s, size);
    return copy;
}
void __wrap_free(void *ptr)
{
    live -= ptr != NULL;
    __real_free(ptr);
}

static void *take(void *ctx, size_t bytes)
{
    (void)ctx;
    void *ptr = fails() ? NULL : __real_malloc(bytes);
    live += ptr != NULL;
    return ptr;
}
static void give(void *ctx, void *ptr)
{
    (void)ctx;
    __wrap_free(ptr);
}
static const struct ph_allocator allocator = {take, give, NULL};

/* One reading whose allocation `fails_at` fails and whose arena ends at `limit`; how it ended. */
static enum ph_status once(const char *text, size_t n, size_t limit)
{
    struct ph_arena arena;
    struct ph_page_errors errors = {0};
    const struct ph_connector *c = NULL;
    taken = live = 0;
    fails_at = n;
    ph_arena_init(&arena, &allocator, limit, 0);
    enum ph_status st = ph_page_read(&arena, PH_S("acme.yaml"), ph_slice_str(text), &errors, &c);
    fails_at = 0; /* the test's own memory is not refused */
    assert_int_equal(st == PH_OK, c != NULL);
    assert_true(st != PH_OK || errors.count == 0);
    assert_true(st != PH_ERR_MALFORMED || errors.count > 0);
    ph_arena_done(&arena);
    assert_int_equal(live, 0);
    return st;
}

/* Fails allocation 1, 2, 3 … until a reading meets none that fails; how many there were. */
static size_t until(const char *text, enum ph_status expected)
{
    for (size_t n = 1;; n++) {
        enum ph_status st = once(text, n, PH_ARENA_BYTES_MAX);
        if (taken < n) {
            assert_int_equal(st, expected);
            return n - 1;
        }
        assert_int_equal(st, PH_ERR_NO_MEMORY);
    }
}

static void a_page_read_without_its_nth_allocation_is_no_memory(void **state)
{
    (void)state;
    char *page = mends_file("acme.yaml");
    from_yaml = 0;
    assert_true(until(page, PH_OK) > 100);
    assert_true(from_yaml > 100); /* its calls come here */
    free(page);
}

static void a_wrong_page_without_its_nth_allocation_is_no_memory_too(void **state)
{
    (void)state;
    char *page = mends_file("acme.yaml"), *cases = mends_file("errors.txt");
    const char *at = cases;
    struct mend m;
    for (size_t i = 0; mend_next(&at, &m); i++) {
        char *wrong = page_edited(page, m.right, m.wrong);
        if (i % 20 == 0)
            assert_true(until(wrong, PH_ERR_MALFORMED) > 100);
        free(wrong);
    }
    free(cases);
    free(page);
    assert_true(until("a: [ *b, &c d, !e f ]\n---\ng\n", PH_ERR_MALFORMED) > 10);
    assert_true(until("a: [ b\n", PH_ERR_MALFORMED) > 10);
    assert_true(until("a: \xff\n", PH_ERR_MALFORMED) > 0);
}

/* The arena's blocks are large: by its limit it ends between any two of the reader's own steps. */
static void an_arena_that_ends_anywhere_is_no_memory(void **state)
{
    (void)state;
    enum { STEP = 128 };
    char *page = mends_file("acme.yaml");
    enum ph_status st = PH_ERR_NO_MEMORY;
    size_t limit = 0;
    for (; limit < 16 * PH_PAGE_BYTES_MAX && st == PH_ERR_NO_MEMORY; limit += STEP)
        st = once(page, 0, limit);
    assert_int_equal(st, PH_OK);
    assert_true(limit > 200 * STEP);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_read_without_its_nth_allocation_is_no_memory),
        cmocka_unit_test(a_wrong_page_without_its_nth_allocation_is_no_memory_too),
        cmocka_unit_test(an_arena_that_ends_anywhere_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
