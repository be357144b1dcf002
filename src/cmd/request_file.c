#include "cmd/request_file.h"

#include <stdio.h>
#include <yyjson.h>

#include "core/codec.h"

struct reader {
    struct ph_arena *arena;
    struct ph_request_file *ret;
    struct ph_slice why;
};

/* Always false, for `return`. */
static bool fail(struct reader *r, const char *why)
{
    r->why = ph_slice_str(why);
    return false;
}

/* The same with a number after it: a line, an entry. */
static bool fail_at(struct reader *r, const char *why, size_t number)
{
    char text[160];
    int len = snprintf(text, sizeof(text), "%s %zu", why, number);
    r->why = ph_arena_copy(r->arena, ph_slice_of(text, len > 0 ? (size_t)len : 0));
    return false;
}

/* A name without blanks, a value on one line. */
static bool is_header(const struct ph_header *h)
{
    for (size_t i = 0; i < h->name.len; i++)
        if ((unsigned char)h->name.ptr[i] <= ' ')
            return false;
    for (size_t i = 0; i < h->value.len; i++)
        if (h->value.ptr[i] == '\0' || h->value.ptr[i] == '\r' || h->value.ptr[i] == '\n')
            return false;
    return h->name.len > 0;
}

bool ph_request_file_header(struct ph_slice line, struct ph_header *ret)
{
    size_t colon = ph_slice_find(line, PH_S(":"), 0);
    if (colon == SIZE_MAX)
        return false;
    *ret = (struct ph_header){ph_slice_of(line.ptr, colon),
                              ph_slice_trim(ph_slice_from(line, colon + 1))};
    return is_header(ret);
}

static struct ph_slice header_of(const struct ph_request_file *f, struct ph_slice name)
{
    for (size_t i = 0; i < f->header_count; i++)
        if (ph_slice_eq_nocase(f->headers[i].name, name))
            return f->headers[i].value;
    return (struct ph_slice){0};
}

/* ---- a raw message --------------------------------------------------------------------------- */

/* The next line without its end; false: there is no line end any more. */
static bool next_line(struct ph_slice text, size_t *at, struct ph_slice *ret)
{
    size_t end = ph_slice_find(text, PH_S("\n"), *at);
    if (end == SIZE_MAX)
        return false;
    *ret = ph_slice_of(text.ptr + *at, end - *at);
    if (ret->len > 0 && ret->ptr[ret->len - 1] == '\r')
        ret->len--;
    *at = end + 1;
    return true;
}

static bool read_request_line(struct reader *r, struct ph_slice line)
{
    size_t first = ph_slice_find(line, PH_S(" "), 0);
    size_t second = first == SIZE_MAX ? SIZE_MAX : ph_slice_find(line, PH_S(" "), first + 1);
    if (first == SIZE_MAX || first == 0 || second == SIZE_MAX || second == first + 1 ||
        !ph_slice_starts(ph_slice_from(line, second + 1), PH_S("HTTP/")))
        return fail(
            r, "the file is no HAR, and no HTTP message, which begins like 'POST /path HTTP/1.1'");
    r->ret->method = ph_slice_of(line.ptr, first);
    r->ret->uri = ph_slice_of(line.ptr + first + 1, second - first - 1);
    return true;
}

static bool read_chunk_size(struct ph_slice line, size_t *ret)
{
    size_t size = 0, i = 0;
    for (; i < line.len && line.ptr[i] != ';' && line.ptr[i] != ' '; i++) {
        char c = line.ptr[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0 || size > SIZE_MAX / 32)
            return false;
        size = size * 16 + (size_t)digit;
    }
    *ret = size;
    return i > 0;
}

static bool join_chunks(struct reader *r, struct ph_slice text)
{
    static const char *const not_chunks =
        "Transfer-Encoding says chunked, but the body is not in chunks (take the "
        "header out if they were put together already)";
    char *joined = ph_arena_alloc(r->arena, text.len + 1);
    size_t at = 0, len = 0, size;
    struct ph_slice line;
    if (joined == NULL)
        return fail(r, "out of memory");
    for (;;) {
        if (!next_line(text, &at, &line) || !read_chunk_size(line, &size) || size > text.len - at)
            return fail(r, not_chunks);
        if (size == 0)
            break; /* trailers say nothing about the body */
        memcpy(joined + len, text.ptr + at, size);
        len += size;
        at += size;
        if (!next_line(text, &at, &line) || line.len != 0)
            return fail(r, not_chunks);
    }
    r->ret->body = ph_slice_of(joined, len);
    return true;
}

static bool cut_body(struct reader *r, struct ph_slice body)
{
    struct ph_slice length = header_of(r->ret, PH_S("Content-Length")),
                    coding = header_of(r->ret, PH_S("Transfer-Encoding"));
    int64_t bytes;
    r->ret->body = body;
    if (ph_slice_present(coding)) {
        if (!ph_slice_eq_nocase(coding, PH_S("chunked")))
            return fail(r, "of transfer encodings only chunked is read");
        return join_chunks(r, body);
    }
    if (!ph_slice_present(length))
        return true;
    if (!ph_parse_int64(length, &bytes) || bytes < 0)
        return fail(r, "Content-Length is not a number");
    if ((uint64_t)bytes > body.len)
        return fail_at(
            r, "the message is cut short: bytes that Content-Length says and that are missing:",
            (size_t)bytes - body.len);
    struct ph_slice rest = ph_slice_from(body, (size_t)bytes);
    /* Editors and shells put a line end behind what they save. */
    if (!(rest.len == 0 || ph_slice_eq(rest, PH_S("\n")) || ph_slice_eq(rest, PH_S("\r\n"))))
        return fail_at(r, "the body is longer than Content-Length says; bytes too many:", rest.len);
    r->ret->body.len = (size_t)bytes;
    return true;
}

static bool read_message(struct reader *r, struct ph_slice text)
{
    size_t at = 0;
    struct ph_slice line;
    for (size_t number = 1;; number++) {
        if (!next_line(text, &at, &line))
            return fail(r, number == 1 ? "the file is neither an HTTP message nor a HAR"
                                       : "the HTTP message has no empty line after its headers");
        if (line.len == 0 && number > 1)
            break;
        if (number == 1) {
            if (!read_request_line(r, line))
                return false;
            continue;
        }
        if (r->ret->header_count == PH_HEADERS_MAX)
            return fail(r, "the message has more than 128 headers");
        if (!ph_request_file_header(line, &r->ret->headers[r->ret->header_count]))
            return fail_at(r, "a header is written 'Name: value'; not so in line", number);
        r->ret->header_count++;
    }
    return cut_body(r, ph_slice_from(text, at));
}

/* ---- a HAR ----------------------------------------------------------------------------------- */

static struct ph_slice text_of(struct reader *r, yyjson_val *v)
{
    if (!yyjson_is_str(v))
        return (struct ph_slice){0};
    return ph_arena_copy(r->arena, ph_slice_of(yyjson_get_str(v), yyjson_get_len(v)));
}

static bool is_post(yyjson_val *entry)
{
    return yyjson_equals_str(yyjson_ptr_get(entry, "/request/method"), "POST");
}

/* The entries to choose from, for the message. */
static bool fail_listing(struct reader *r, yyjson_val *entries)
{
    /* a line: number, time, URL, cut below */
    enum { SHOWN_MAX = 20, LINE_BYTES = 300, TEXT_MAX = 200 + SHOWN_MAX * LINE_BYTES };
    char *text = ph_arena_alloc(r->arena, TEXT_MAX);
    int len = text != NULL
                  ? snprintf(text, TEXT_MAX,
                             "the HAR has several POST entries; choose one with --entry N:")
                  : -1;
    size_t i, n, shown = 0;
    yyjson_val *entry;
    yyjson_arr_foreach(entries, i, n, entry)
    {
        const char *url = yyjson_get_str(yyjson_ptr_get(entry, "/request/url")),
                   *time = yyjson_get_str(yyjson_obj_get(entry, "startedDateTime"));
        if (!is_post(entry) || len < 0 || shown == SHOWN_MAX)
            continue;
        shown++;
        len += snprintf(text + len, (size_t)(TEXT_MAX - len), "\n  %zu  %.40s  %.200s", i + 1,
                        time != NULL ? time : "-", url != NULL ? url : "-");
    }
    r->why = ph_slice_of(text, len > 0 ? (size_t)len : 0);
    return false;
}

static bool choose(struct reader *r, yyjson_val *entries, int64_t wanted, yyjson_val **ret)
{
    size_t i, n, posts = 0;
    yyjson_val *entry;
    if (wanted > 0) {
        *ret = yyjson_obj_get(yyjson_arr_get(entries, (size_t)wanted - 1), "request");
        return yyjson_is_obj(*ret) ||
               fail_at(r, "the HAR has no such entry; they are numbered from 1 to",
                       yyjson_arr_size(entries));
    }
    yyjson_arr_foreach(entries, i, n, entry)
    {
        if (!is_post(entry))
            continue;
        posts++;
        *ret = yyjson_obj_get(entry, "request");
    }
    if (posts > 1)
        return fail_listing(r, entries);
    return posts == 1 || fail(r, "the HAR has no POST entry");
}

static bool read_har_body(struct reader *r, yyjson_val *request)
{
    yyjson_val *data = yyjson_obj_get(request, "postData"), *text = yyjson_obj_get(data, "text");
    if (data != NULL && !yyjson_is_str(text))
        return fail(r, "the HAR has the body's fields but not its text: a signature cannot be "
                       "checked without its bytes");
    r->ret->body = data != NULL ? text_of(r, text) : PH_S("");
    if (yyjson_equals_str(yyjson_obj_get(data, "encoding"), "base64") &&
        !ph_base64_decode(r->arena, r->ret->body, false, true, &r->ret->body))
        return fail(r, "the HAR says that the body is base64, and it is not");
    return ph_slice_present(r->ret->body) || fail(r, "out of memory");
}

static bool read_har_headers(struct reader *r, yyjson_val *request)
{
    size_t i, n;
    yyjson_val *h;
    yyjson_arr_foreach(yyjson_obj_get(request, "headers"), i, n, h)
    {
        struct ph_header header = {text_of(r, yyjson_obj_get(h, "name")),
                                   text_of(r, yyjson_obj_get(h, "value"))};
        if (header.name.len > 0 && header.name.ptr[0] == ':')
            continue; /* HTTP/2's own: the request line */
        if (header.name.len == 0 || !ph_slice_present(header.value))
            return fail_at(r, "the HAR has a header without name or value, number", i + 1);
        if (!is_header(&header))
            return fail_at(
                r, "the HAR has a header with a line break, or a blank in its name, number", i + 1);
        if (r->ret->header_count == PH_HEADERS_MAX)
            return fail(r, "the message has more than 128 headers");
        r->ret->headers[r->ret->header_count++] = header;
    }
    return true;
}

static bool read_har(struct reader *r, struct ph_slice text, int64_t entry)
{
    yyjson_read_err err;
    yyjson_alc alc;
    size_t need = yyjson_read_max_memory_usage(text.len, 0) + 256;
    char *pool = ph_arena_alloc(r->arena, need),
         *copy = pool != NULL ? ph_arena_alloc(r->arena, text.len + 1) : NULL;
    if (copy == NULL || !yyjson_alc_pool_init(&alc, pool, need))
        return fail(r, "out of memory");
    memcpy(copy, text.ptr, text.len);
    yyjson_doc *doc =
        yyjson_read_opts(copy, text.len, YYJSON_READ_ALLOW_INVALID_UNICODE, &alc, &err);
    if (doc == NULL && ph_json_too_deep(text) != SIZE_MAX)
        return fail_at(r, "the file looks like a HAR and is nested too deep, at byte",
                       ph_json_too_deep(text) + 1);
    if (doc == NULL)
        return fail_at(r, "the file looks like a HAR and is not JSON; wrong at byte", err.pos + 1);
    yyjson_val *entries = yyjson_ptr_get(yyjson_doc_get_root(doc), "/log/entries"), *request = NULL;
    if (!yyjson_is_arr(entries))
        return fail(r, "the JSON file is no HAR: /log/entries is missing");
    if (!choose(r, entries, entry, &request))
        return false;
    r->ret->method = text_of(r, yyjson_obj_get(request, "method"));
    r->ret->uri = text_of(r, yyjson_obj_get(request, "url"));
    if (r->ret->method.len == 0 || r->ret->uri.len == 0)
        return fail(r, "the HAR's request has no method or no url");
    return read_har_headers(r, request) && read_har_body(r, request);
}

bool ph_request_file_read(struct ph_arena *arena, struct ph_slice text, int64_t entry,
                          struct ph_request_file *ret, struct ph_slice *ret_why)
{
    struct reader r = {.arena = arena, .ret = ret, .why = PH_S("out of memory")};
    *ret = (struct ph_request_file){0};
    if (ph_slice_starts(text, PH_S("\xef\xbb\xbf")))
        text = ph_slice_from(text, 3);
    struct ph_slice start = ph_slice_trim(text);
    bool har = start.len > 0 && start.ptr[0] == '{', good;
    if (entry > 0 && !har)
        good = fail(&r, "--entry is for a HAR, and the file is none");
    else
        good = har ? read_har(&r, text, entry) : read_message(&r, text);
    if (!good)
        *ret_why = ph_slice_present(r.why) ? r.why : PH_S("out of memory");
    return good;
}
