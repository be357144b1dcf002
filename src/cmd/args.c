#include "cmd/args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yyjson.h>

static void *heap_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}
static void heap_free(void *ctx, void *ptr)
{
    (void)ctx;
    free(ptr);
}
const struct ph_allocator ph_cmd_allocator = {.alloc = heap_alloc, .free = heap_free};

enum { FILE_BYTES_MAX = 16 * 1024 * 1024 };

struct ph_slice ph_args_file(struct ph_args *args, const char *path)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    size_t len = 0, room = 64 * 1024;
    char *bytes = ph_arena_alloc(&args->arena, room);
    if (f == NULL) {
        fprintf(stderr, "payhook: cannot read %s: %s\n", path, strerror(errno));
        return (struct ph_slice){0};
    }
    while (bytes != NULL) {
        size_t n = fread(bytes + len, 1, room - len, f);
        len += n;
        if (n == 0)
            break;
        if (len == room) {
            char *more = room < FILE_BYTES_MAX ? ph_arena_alloc(&args->arena, room * 2) : NULL;
            if (more != NULL)
                memcpy(more, bytes, len);
            bytes = more;
            room *= 2;
        }
    }
    if (f != stdin)
        fclose(f);
    if (bytes == NULL)
        fprintf(stderr, "payhook: %s is larger than 16 MiB\n", path);
    return ph_slice_of(bytes, len);
}

static struct ph_slice without_line_end(struct ph_slice s)
{
    while (s.len > 0 && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
        s.len--;
    return s;
}

static struct ph_slice from_env(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL)
        fprintf(stderr, "payhook: the environment variable %s is not set\n", name);
    return ph_slice_str(value);
}

static bool add_secret(struct ph_args *a, struct ph_slice text, bool additional)
{
    if (!ph_slice_present(text))
        return false;
    if (additional) {
        if (a->secret_count == 0) {
            fprintf(stderr, "payhook: an additional secret follows the secret it belongs to\n");
            return false;
        }
        a->secrets[a->secret_count - 1].additional = text;
        return true;
    }
    if (a->secret_count == PH_SECRETS_MAX) {
        fprintf(stderr, "payhook: more than %d secrets\n", PH_SECRETS_MAX);
        return false;
    }
    a->secrets[a->secret_count++] = (struct ph_secret_pair){.secret = text};
    return true;
}

static bool add_config(struct ph_args *a, const char *text)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || a->config_count == PH_COUNTOF(a->config)) {
        fprintf(stderr, "payhook: --config takes NAME=VALUE, or NAME=@FILE\n");
        return false;
    }
    struct ph_slice value = ph_slice_str(equals + 1);
    if (value.len > 1 && value.ptr[0] == '@')
        value = ph_args_file(a, value.ptr + 1);
    a->config[a->config_count++] = (struct ph_config_value){ph_slice_of(text, (size_t)(equals - text)), value};
    return ph_slice_present(value);
}

static bool add_header(struct ph_args *a, struct ph_slice line)
{
    size_t colon = ph_slice_find(line, PH_S(":"), 0);
    if (colon == SIZE_MAX || a->header_count == PH_HEADERS_MAX) {
        fprintf(stderr, "payhook: a header is written 'Name: value'\n");
        return false;
    }
    a->headers[a->header_count++] =
        (struct ph_header){ph_slice_trim(ph_slice_of(line.ptr, colon)), ph_slice_trim(ph_slice_from(line, colon + 1))};
    return true;
}

/* A raw HTTP message: request line, headers, an empty line, the body byte for byte. */
static bool read_message(struct ph_args *a, struct ph_slice text)
{
    size_t at = 0;
    for (size_t line_no = 0;; line_no++) {
        size_t end = ph_slice_find(text, PH_S("\n"), at);
        if (end == SIZE_MAX) {
            fprintf(stderr, "payhook: the HTTP message has no empty line after its headers\n");
            return false;
        }
        struct ph_slice line = without_line_end(ph_slice_of(text.ptr + at, end - at));
        at = end + 1;
        if (line.len == 0)
            break;
        if (line_no > 0) {
            if (!add_header(a, line))
                return false;
            continue;
        }
        size_t first = ph_slice_find(line, PH_S(" "), 0), second = first == SIZE_MAX ? SIZE_MAX : ph_slice_find(line, PH_S(" "), first + 1);
        if (second == SIZE_MAX) {
            fprintf(stderr, "payhook: an HTTP message begins like 'POST /path HTTP/1.1'\n");
            return false;
        }
        a->method = ph_slice_of(line.ptr, first);
        a->uri = ph_slice_of(line.ptr + first + 1, second - first - 1);
    }
    a->body = ph_slice_from(text, at);
    return true;
}

/* The first entry of an HTTP archive. */
static bool read_har(struct ph_args *a, struct ph_slice text)
{
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
    yyjson_val *request = yyjson_ptr_get(yyjson_doc_get_root(doc), "/log/entries/0/request"), *h;
    bool ok = yyjson_is_obj(request);
    if (!ok)
        fprintf(stderr, "payhook: the file is neither a raw HTTP message nor a HAR with an entry\n");
    size_t index, count;
    yyjson_arr_foreach(yyjson_obj_get(request, "headers"), index, count, h) {
        const char *name = yyjson_get_str(yyjson_obj_get(h, "name")), *value = yyjson_get_str(yyjson_obj_get(h, "value"));
        if (name != NULL && value != NULL && a->header_count < PH_HEADERS_MAX)
            a->headers[a->header_count++] = (struct ph_header){ph_arena_copy(&a->arena, ph_slice_str(name)),
                                                               ph_arena_copy(&a->arena, ph_slice_str(value))};
    }
    if (ok) {
        a->method = ph_arena_copy(&a->arena, ph_slice_str(yyjson_get_str(yyjson_obj_get(request, "method"))));
        a->uri = ph_arena_copy(&a->arena, ph_slice_str(yyjson_get_str(yyjson_obj_get(request, "url"))));
        yyjson_val *body = yyjson_ptr_get(request, "/postData/text");
        a->body = ph_arena_copy(&a->arena, ph_slice_of(yyjson_get_str(body), yyjson_get_len(body)));
    }
    yyjson_doc_free(doc);
    return ok;
}

static bool read_request(struct ph_args *a, const char *path)
{
    struct ph_slice text = ph_args_file(a, path);
    if (!ph_slice_present(text))
        return false;
    struct ph_slice start = ph_slice_trim(text);
    return start.len > 0 && start.ptr[0] == '{' ? read_har(a, text) : read_message(a, text);
}

static bool number(const char *text, int64_t *ret)
{
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno != 0 || *text == '\0' || *end != '\0' || n < 0 || n > INT64_MAX / 1000) {
        fprintf(stderr, "payhook: --at takes unix seconds, not %s\n", text);
        return false;
    }
    *ret = n;
    return true;
}

static bool take(struct ph_args *a, const char *name, const char *v)
{
    int64_t n;
    if (strcmp(name, "--connector") == 0)
        a->connector = v;
    else if (strcmp(name, "--connectors") == 0)
        a->connectors_dir = v;
    else if (strcmp(name, "--as") == 0)
        a->as = v;
    else if (strcmp(name, "--format") == 0)
        a->format = v;
    else if (strcmp(name, "--sample") == 0)
        a->sample = v;
    else if (strcmp(name, "--variant") == 0)
        a->variant = v;
    else if (strcmp(name, "--url") == 0)
        a->url = v;
    else if (strcmp(name, "--secret-env") == 0 || strcmp(name, "--additional-secret-env") == 0)
        return add_secret(a, from_env(v), name[2] == 'a');
    else if (strcmp(name, "--secret-file") == 0 || strcmp(name, "--additional-secret-file") == 0)
        return add_secret(a, without_line_end(ph_args_file(a, v)), name[2] == 'a');
    else if (strcmp(name, "--config") == 0)
        return add_config(a, v);
    else if (strcmp(name, "--header") == 0)
        return add_header(a, ph_slice_str(v));
    else if (strcmp(name, "--uri") == 0)
        a->uri = ph_slice_str(v);
    else if (strcmp(name, "--method") == 0)
        a->method = ph_slice_str(v);
    else if (strcmp(name, "--event-id") == 0)
        a->event_id = ph_slice_str(v);
    else if (strcmp(name, "--body") == 0)
        return ph_slice_present(a->body = ph_args_file(a, v));
    else if (strcmp(name, "--request") == 0)
        return read_request(a, v);
    else if (strcmp(name, "--at") == 0) {
        if (!number(v, &n))
            return false;
        a->now_ms = n * 1000;
    } else if (strcmp(name, "--capture-method") == 0) {
        a->capture_method = ph_word_number(PH_WORDS_CAPTURE_METHOD, ph_slice_str(v));
        if (a->capture_method < 0) {
            fprintf(stderr, "payhook: --capture-method takes AUTOMATIC, MANUAL, …, not %s\n", v);
            return false;
        }
    } else {
        fprintf(stderr, "payhook: unknown option %s (see --help)\n", name);
        return false;
    }
    return true;
}

bool ph_args_read(struct ph_args *a, int argc, char **argv)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    memset(a, 0, sizeof(*a));
    a->now_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
    ph_arena_init(&a->arena, &ph_cmd_allocator, SIZE_MAX / 4, 0);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--ndjson") == 0)
            a->ndjson = true;
        else if (strcmp(argv[i], "--json") == 0)
            a->json = true;
        else if (strcmp(argv[i], "--markdown") == 0)
            a->markdown = true;
        else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            a->help = true;
        else if (strncmp(argv[i], "--", 2) == 0) {
            if (i + 1 == argc) {
                fprintf(stderr, "payhook: %s needs a value (see --help)\n", argv[i]);
                return false;
            }
            if (!take(a, argv[i], argv[i + 1]))
                return false;
            i++;
        } else if (a->word_count < PH_COUNTOF(a->words))
            a->words[a->word_count++] = argv[i];
    }
    return a->help || ph_cmd_pages_load(&a->arena, a->connectors_dir, &a->pages);
}

void ph_args_done(struct ph_args *a)
{
    explicit_bzero(a->secrets, sizeof(a->secrets));
    ph_arena_wipe(&a->arena);
    ph_arena_done(&a->arena);
}

const struct ph_connector *ph_args_connector(struct ph_args *a, const char *name)
{
    if (name == NULL) {
        fprintf(stderr, "payhook: --connector NAME is missing (see: payhook connectors list)\n");
        return NULL;
    }
    for (size_t i = 0; i < a->pages.count; i++)
        if (ph_slice_eq(a->pages.connectors[i]->name, ph_slice_str(name)))
            return a->pages.connectors[i];
    fprintf(stderr, "payhook: no connector is called %s (see: payhook connectors list)\n", name);
    return NULL;
}

void ph_args_input(struct ph_args *a, const struct ph_connector *connector, struct ph_request *request, struct ph_input *ret)
{
    *request = (struct ph_request){.method = ph_slice_present(a->method) ? a->method : PH_S("POST"),
                                   .uri = a->uri,
                                   .headers = a->headers,
                                   .header_count = a->header_count,
                                   .body = a->body};
    *ret = (struct ph_input){.connector = connector,
                             .request = request,
                             .secrets = a->secrets,
                             .secret_count = a->secret_count,
                             .config = a->config,
                             .config_count = a->config_count,
                             .capture_method = a->capture_method,
                             .now_ms = a->now_ms,
                             .merchant_event_id = a->event_id};
}
