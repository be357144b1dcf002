/* The page reader on any bytes: errors with their places, or tables; and what the tables then
 * take for proof. The input is a page and what the sender of a request chooses, parted by NULs:
 * the value of every header that a scheme looks for its signature in, and the body.
 *
 * F1: a page is read or it is told why, in its order, in text that can be printed.
 * F2: no page that reads verifies a request whose signature is absent or empty.
 * F3: nor anything that its sender chose without knowing the secrets. */
#include <openssl/rand.h>

#include "base/limits.h"
#include "core/engine.h"
#include "heap.h"
#include "reader/page.h"

enum { SECRET_BYTES = 32, HEADERS_MAX = 32 };
static unsigned char secret[2][SECRET_BYTES];

static void check_errors(const struct ph_page_errors *errors) /* F1 */
{
    must(errors->count <= PH_PAGE_ERRORS_MAX + 1);
    for (size_t i = 0; i < errors->count; i++) {
        const struct ph_page_error *e = &errors->list[i];
        must(ph_slice_starts(e->text, PH_S("page:")) && e->line > 0 && e->column > 0);
        for (size_t k = 0; k < e->text.len; k++)
            must((unsigned char)e->text.ptr[k] >= 0x20 && e->text.ptr[k] != 0x7f);
        must(i == 0 || errors->list[i - 1].line <= e->line);
    }
}

/* Every header that a scheme may look for its signature in, with that value. */
static size_t headers_of(const struct ph_connector *c, struct ph_slice value,
                         struct ph_header headers[HEADERS_MAX])
{
    size_t count = 0;
    for (uint16_t v = 0; v < c->variant_count; v++)
        for (uint16_t s = 0; s < c->variants[v].signature_count; s++) {
            const struct ph_expr *from = &c->variants[v].signatures[s].from;
            for (uint16_t i = 0; i < from->count; i++)
                for (uint16_t k = 0; k < from->alternatives[i].count && count < HEADERS_MAX; k++)
                    if (from->alternatives[i].pieces[k].source == PH_SRC_HEADER)
                        headers[count++] =
                            (struct ph_header){from->alternatives[i].pieces[k].text, value};
        }
    return count;
}

static void must_not_verify(struct ph_worker *worker, const struct ph_connector *c,
                            const struct ph_header *headers, size_t header_count,
                            struct ph_slice body)
{
    const struct ph_secret_pair pairs[] = {
        {ph_slice_of(secret[0], SECRET_BYTES), ph_slice_of(secret[1], SECRET_BYTES)},
        {PH_S(""), PH_S("")},
        {ph_slice_of(secret[0], SECRET_BYTES), PH_S("")}};
    struct ph_config_value config[PH_CONFIG_VALUES_MAX];
    size_t config_count = 0;
    for (; config_count < c->config_count; config_count++)
        config[config_count] = (struct ph_config_value){c->config[config_count].name,
                                                        ph_slice_of(secret[0], SECRET_BYTES)};
    struct ph_request request = {.method = PH_S("POST"),
                                 .uri = PH_S("/w?a=1&sign="),
                                 .headers = headers,
                                 .header_count = header_count,
                                 .body = body};
    struct ph_input in = {
        .connector = c, .request = &request, .capture_method = 1, .now_ms = 1795600000000};
    for (size_t p = 0; p <= PH_COUNTOF(pairs); p++) {
        struct ph_answer a;
        in.secrets = p < PH_COUNTOF(pairs) ? &pairs[p] : NULL;
        in.secret_count = p < PH_COUNTOF(pairs);
        in.config = p % 2 == 0 ? config : NULL;
        in.config_count = p % 2 == 0 ? config_count : 0;
        if (ph_engine_run(worker, &in, PH_WANT_ALL, &a) != PH_OK)
            continue;
        for (size_t i = 0; i < a.event_count; i++)
            must(a.events[i].verdict != PH_VERIFIED);
    }
}

/* Up to the next NUL, which is passed by. */
static struct ph_slice part(struct ph_slice *rest)
{
    size_t cut = ph_slice_find(*rest, ph_slice_of("", 1), 0);
    struct ph_slice one = cut == SIZE_MAX ? *rest : ph_slice_of(rest->ptr, cut);
    *rest = cut == SIZE_MAX ? PH_S("") : ph_slice_from(*rest, cut + 1);
    return one;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct ph_worker *worker;
    if (worker == NULL) {
        worker = ph_worker_new(&ph_os_heap);
        must(worker != NULL && RAND_bytes(secret[0], sizeof(secret)) == 1);
    }
    struct ph_arena arena;
    struct ph_page_errors errors = {0};
    const struct ph_connector *c = NULL;
    struct ph_slice rest = ph_slice_of(data, size), text = part(&rest), value = part(&rest),
                    body = rest;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    enum ph_status st = ph_page_read(&arena, PH_S("page"), text, &errors, &c);
    must((st == PH_OK) == (c != NULL) && (st != PH_ERR_MALFORMED || errors.count > 0) &&
         (st != PH_OK || errors.count == 0));
    check_errors(&errors);
    if (c != NULL) {
        struct ph_header headers[HEADERS_MAX];
        must_not_verify(worker, c, NULL, 0, body);
        must_not_verify(worker, c, headers, headers_of(c, PH_S(""), headers), body);
        must_not_verify(worker, c, headers, headers_of(c, value, headers), body);
    }
    ph_arena_done(&arena);
    return 0;
}
