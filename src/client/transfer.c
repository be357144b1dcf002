#include "client/transfer.h"

#include <stdlib.h>
#include <unistd.h>

#include "client/address.h"
#include "os/file.h"
#include "os/heap.h"

/* ---- its life -------------------------------------------------------------------------------- */

static char *copy_text(struct ph_arena *arena, struct ph_slice text)
{
    return (char *)ph_arena_copy(arena, text).ptr;
}

static bool add_line(struct ph_transfer *t, const char *line)
{
    struct curl_slist *grown = curl_slist_append(t->headers, line);
    if (grown != NULL)
        t->headers = grown;
    return grown != NULL;
}

/* "Name: value"; curl sends a header written "Name;" empty. */
static bool add_header(struct ph_transfer *t, struct ph_slice name, struct ph_slice value)
{
    struct ph_slice separator = value.len > 0 ? PH_S(": ") : PH_S(";");
    size_t len = name.len + separator.len + value.len;
    char *line = ph_arena_alloc(&t->arena, len + 1);
    if (line == NULL)
        return false;
    memcpy(line, name.ptr, name.len);
    memcpy(line + name.len, separator.ptr, separator.len);
    if (value.len > 0)
        memcpy(line + name.len + separator.len, value.ptr, value.len);
    line[len] = '\0';
    return add_line(t, line);
}

/* A line break in a header or URL would let a text write the rest of our request. */
static bool fits_a_line(struct ph_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\r' || text.ptr[i] == '\n' || text.ptr[i] == '\0')
            return false;
    return true;
}

bool ph_transfer_fits(const struct ph_client_request *request)
{
    if (request->url.len == 0 || request->method.len == 0 || !fits_a_line(request->url) ||
        !fits_a_line(request->method))
        return false;
    for (size_t i = 0; i < request->header_count; i++) {
        const struct ph_header *h = &request->headers[i];
        if (h->name.len == 0 || !fits_a_line(h->name) || !fits_a_line(h->value) ||
            ph_slice_find(h->name, PH_S(":"), 0) != SIZE_MAX)
            return false;
    }
    return true;
}

static bool copy_request(struct ph_transfer *t, const struct ph_client_request *request)
{
    t->url = copy_text(&t->arena, request->url);
    t->method = copy_text(&t->arena, request->method);
    t->body = ph_arena_copy(&t->arena, request->body);
    if (t->url == NULL || t->method == NULL || !ph_slice_present(t->body))
        return false;
    for (size_t i = 0; i < request->header_count; i++)
        if (!add_header(t, request->headers[i].name, request->headers[i].value))
            return false;
    /* No "Expect: 100-continue", which curl would add to larger bodies: it costs a round trip, or a
     * second. */
    return add_line(t, "Expect:") && add_line(t, "Accept-Encoding: identity");
}

struct ph_transfer *ph_transfer_new(const struct ph_client_request *request, ph_client_done *done,
                                    void *ctx)
{
    struct ph_transfer *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    ph_arena_init(&t->arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    t->connect_ms = request->connect_ms;
    t->total_ms = request->total_ms;
    t->https_only = request->https_only;
    t->allow_private = request->allow_private;
    t->certificate_file = request->certificate_file;
    t->key_file = request->key_file;
    t->response_bytes_max = request->response_bytes_max;
    t->done = done;
    t->ctx = ctx;
    if (!copy_request(t, request)) {
        ph_transfer_free(t);
        return NULL;
    }
    return t;
}

void ph_transfer_free(struct ph_transfer *t)
{
    if (t == NULL)
        return;
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    curl_slist_free_all(t->connect_to);
    ph_arena_wipe(&t->arena); /* headers carry API keys */
    ph_arena_done(&t->arena);
    free(t->response);
    free(t);
}

/* ---- curl's callbacks ------------------------------------------------------------------------ */

static size_t on_body(char *bytes, size_t one, size_t count, void *ctx)
{
    struct ph_transfer *t = ctx;
    (void)one;
    if (count > t->response_bytes_max - t->response_bytes) {
        t->too_large = true;
        return 0;
    }
    if (count > t->response_room - t->response_bytes) {
        size_t room = t->response_room > 0 ? t->response_room : 4096;
        while (room < t->response_bytes + count)
            room *= 2;
        char *grown = realloc(t->response, room);
        if (grown == NULL) {
            t->no_memory = true;
            return 0;
        }
        t->response = grown;
        t->response_room = room;
    }
    memcpy(t->response + t->response_bytes, bytes, count);
    t->response_bytes += count;
    return count;
}

static size_t on_header(char *bytes, size_t one, size_t count, void *ctx)
{
    struct ph_transfer *t = ctx;
    (void)one;
    struct ph_slice line = ph_slice_trim(ph_slice_of(bytes, count));
    if (count > PH_CLIENT_HEADER_BYTES_MAX - t->header_bytes) {
        t->header_too_large = true;
        return 0;
    }
    t->header_bytes += count;
    if (ph_slice_starts(
            line, PH_S("HTTP/"))) { /* a response begins: after "100 Continue", a second one */
        t->response_header_count = 0;
        return count;
    }
    size_t colon = ph_slice_find(line, PH_S(":"), 0);
    if (colon == SIZE_MAX || t->response_header_count == PH_CLIENT_HEADERS_MAX)
        return count; /* what is over the limit is not looked at */
    struct ph_slice copy = ph_arena_copy(&t->arena, line);
    if (!ph_slice_present(copy)) {
        t->no_memory = true;
        return 0;
    }
    t->response_headers[t->response_header_count++] =
        (struct ph_header){.name = ph_slice_of(copy.ptr, colon),
                           .value = ph_slice_trim(ph_slice_from(copy, colon + 1))};
    return count;
}

/* The address is the one about to be connected to: whatever the name says, or said before. */
static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct ph_transfer *t = ctx;
    if (purpose != CURLSOCKTYPE_IPCXN ||
        (!t->allow_private && !ph_address_is_public(&address->addr))) {
        t->private_address = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- options --------------------------------------------------------------------------------- */

#define SET(option, value) (ok = ok && curl_easy_setopt(t->easy, (option), (value)) == CURLE_OK)

static bool set_request(struct ph_transfer *t)
{
    bool ok = true;
    SET(CURLOPT_URL, t->url);
    SET(CURLOPT_CUSTOMREQUEST, t->method);
    SET(CURLOPT_HTTPHEADER, t->headers);
    if (t->body.len > 0 || strcmp(t->method, "POST") == 0 || strcmp(t->method, "PUT") == 0) {
        SET(CURLOPT_POSTFIELDS, t->body.ptr);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body.len);
    } else {
        SET(CURLOPT_HTTPGET, 1L);
        SET(CURLOPT_CUSTOMREQUEST, t->method);
    }
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_ERRORBUFFER, t->error);
    SET(CURLOPT_PRIVATE, t);
    return ok;
}

static bool set_bounds(struct ph_transfer *t)
{
    bool ok = true;
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_PROTOCOLS_STR, t->https_only ? "https" : "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)t->connect_ms);
    SET(CURLOPT_TIMEOUT_MS, (long)t->total_ms);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    SET(CURLOPT_OPENSOCKETDATA, t);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    return ok;
}

bool ph_transfer_has_files(const struct ph_transfer *t, const struct ph_client_options *options)
{
    const char *const files[] = {options->ca_file, t->certificate_file, t->key_file};
    for (size_t i = 0; i < PH_COUNTOF(files); i++)
        if (files[i] != NULL && !ph_os_is_file(files[i]))
            return false;
    return true;
}

bool ph_transfer_prepare(struct ph_transfer *t, const struct ph_client_options *options)
{
    t->easy = curl_easy_init();
    if (t->easy == NULL || !set_request(t) || !set_bounds(t))
        return false;
    bool ok = true;
    if (options->ca_file != NULL)
        SET(CURLOPT_CAINFO, options->ca_file);
    if (t->certificate_file != NULL) {
        SET(CURLOPT_SSLCERT, t->certificate_file);
        SET(CURLOPT_SSLKEY, t->key_file != NULL ? t->key_file : t->certificate_file);
    }
    if (options->connect_to != NULL) {
        struct ph_slice parts[] = {PH_S("::"), ph_slice_str(options->connect_to)};
        char *line = ph_arena_alloc(&t->arena, parts[0].len + parts[1].len + 1);
        if (line == NULL)
            return false;
        memcpy(line, parts[0].ptr, parts[0].len);
        memcpy(line + parts[0].len, parts[1].ptr, parts[1].len + 1);
        t->connect_to = curl_slist_append(NULL, line);
        ok = ok && t->connect_to != NULL;
        SET(CURLOPT_CONNECT_TO, t->connect_to);
    }
    return ok;
}

/* ---- the end --------------------------------------------------------------------------------- */

void ph_transfer_fail(struct ph_transfer *t, enum ph_client_result result, struct ph_slice reason)
{
    struct ph_client_response response = {.result = result, .reason = reason};
    t->done(t->ctx, &response);
}

/* Whether any of the request has gone out: then it was made, whatever becomes of the response (H4).
 */
static bool is_sent(const struct ph_transfer *t)
{
    long request_bytes = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    return request_bytes > 0 || t->header_bytes > 0;
}

static enum ph_client_result result_of(const struct ph_transfer *t, CURLcode code)
{
    if (t->private_address)
        return PH_CLIENT_PRIVATE_ADDRESS;
    if (t->too_large || t->header_too_large || t->no_memory)
        return PH_CLIENT_TOO_LARGE;
    switch (code) {
    case CURLE_OK:
        return PH_CLIENT_ANSWERED;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return PH_CLIENT_BAD_URL;
    case CURLE_OPERATION_TIMEDOUT:
        return PH_CLIENT_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_USE_SSL_FAILED:
        return PH_CLIENT_TLS;
    case CURLE_OUT_OF_MEMORY: /* libcurl says so, too, of a header line over its own limit */
        return is_sent(t) ? PH_CLIENT_TOO_LARGE : PH_CLIENT_STOPPED;
    default:
        return PH_CLIENT_UNREACHABLE;
    }
}

static struct ph_slice reason_of(const struct ph_transfer *t, enum ph_client_result result,
                                 CURLcode code)
{
    if (result == PH_CLIENT_PRIVATE_ADDRESS)
        return PH_S("the name leads to a private address, and the config does not allow that");
    if (t->header_too_large)
        return PH_S("the response's header is larger than the limit");
    if (t->too_large)
        return PH_S("the response is larger than the limit");
    if (result == PH_CLIENT_TOO_LARGE)
        return PH_S("a line of the response's header is larger than the limit, or there is no "
                    "memory for the response");
    return ph_slice_str(t->error[0] != '\0' ? t->error : curl_easy_strerror(code));
}

void ph_transfer_finish(struct ph_transfer *t, CURLcode code)
{
    enum ph_client_result result = result_of(t, code);
    long status = 0;
    curl_off_t elapsed_us = 0, connect_us = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &elapsed_us);
    (void)curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &connect_us);
    struct ph_client_response response = {
        .result = result,
        .status = result == PH_CLIENT_ANSWERED ? (int)status : 0,
        .headers = t->response_headers,
        .header_count = result == PH_CLIENT_ANSWERED ? t->response_header_count : 0,
        .body = ph_slice_of(t->response != NULL ? t->response : "", t->response_bytes),
        .elapsed_ms = (int64_t)elapsed_us / 1000,
        .connected = connect_us > 0,
    };
    if (result != PH_CLIENT_ANSWERED) {
        response.body = PH_S("");
        response.reason = reason_of(t, result, code);
    }
    t->done(t->ctx, &response);
}
