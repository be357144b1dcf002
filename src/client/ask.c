#include "client/ask.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

struct answer {
    struct ph_arena *arena;
    char *bytes;
    size_t len, room, max;
    struct ph_slice after;
};

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct answer *a = ctx;
    size_t more = size * count;
    if (more > a->max - a->len)
        return 0;
    if (a->room - a->len < more) {
        size_t room = (a->len + more) * 2;
        char *grown = realloc(a->bytes, room);
        if (grown == NULL)
            return 0;
        a->bytes = grown;
        a->room = room;
    }
    memcpy(a->bytes + a->len, bytes, more);
    a->len += more;
    return more;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct answer *a = ctx;
    struct ph_slice line = ph_slice_of(bytes, size * count), name = PH_S("payhook-after:");
    if (line.len > name.len && ph_slice_eq_nocase(ph_slice_of(line.ptr, name.len), name))
        a->after = ph_arena_copy(a->arena, ph_slice_trim(ph_slice_from(line, name.len)));
    return size * count;
}

static struct curl_slist *headers_of(struct ph_arena *arena, const struct ph_ask *ask,
                                     bool *ret_good)
{
    struct curl_slist *list = NULL, *grown;
    char *line = NULL;
    *ret_good = true;
    if (ask->token != NULL) {
        size_t room = strlen(ask->token) + sizeof "authorization: Bearer ";
        line = ph_arena_alloc(arena, room);
        if (line != NULL)
            (void)snprintf(line, room, "authorization: Bearer %s", ask->token);
    }
    const char *lines[] = {
        line, ph_slice_present(ask->body) ? "content-type: application/json" : NULL, "expect:"};
    for (size_t i = 0; i < PH_COUNTOF(lines); i++) {
        if (lines[i] == NULL)
            continue;
        grown = curl_slist_append(list, lines[i]);
        *ret_good = *ret_good && grown != NULL;
        list = grown != NULL ? grown : list;
    }
    *ret_good = *ret_good && (ask->token == NULL || line != NULL);
    return list;
}

static bool prepare(CURL *easy, const struct ph_ask *ask, struct curl_slist *headers,
                    struct answer *answer, char *error)
{
    bool good = curl_easy_setopt(easy, CURLOPT_URL, ask->url) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ask->total_ms) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_HEADERDATA, answer) == CURLE_OK &&
                curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error) == CURLE_OK;
    if (strcmp(ask->method, "POST") == 0)
        good = good && curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)ask->body.len) == CURLE_OK &&
               curl_easy_setopt(easy, CURLOPT_POSTFIELDS, ask->body.len > 0 ? ask->body.ptr : "") ==
                   CURLE_OK;
    if (ask->socket != NULL)
        good = good && curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, ask->socket) == CURLE_OK;
    if (ask->ca_file != NULL)
        good = good && curl_easy_setopt(easy, CURLOPT_CAINFO, ask->ca_file) == CURLE_OK;
    return good;
}

enum ph_status ph_ask(struct ph_arena *arena, const struct ph_ask *ask, struct ph_asked *ret,
                      char ret_why[PH_ASK_WHY_BYTES])
{
    struct answer answer = {.arena = arena, .max = ask->answer_bytes_max};
    char error[CURL_ERROR_SIZE] = "";
    bool good;
    long status = 0;
    (void)snprintf(ret_why, PH_ASK_WHY_BYTES, "out of memory");
    CURL *easy = curl_easy_init();
    struct curl_slist *headers = headers_of(arena, ask, &good);
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (easy != NULL && good && prepare(easy, ask, headers, &answer, error)) {
        code = curl_easy_perform(easy);
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        if (code != CURLE_OK)
            (void)snprintf(ret_why, PH_ASK_WHY_BYTES, "%s",
                           error[0] != '\0' ? error : curl_easy_strerror(code));
    }
    ret->status = (int)status;
    ret->after = answer.after;
    ret->body =
        ph_arena_copy(arena, ph_slice_of(answer.bytes != NULL ? answer.bytes : "", answer.len));
    curl_slist_free_all(headers);
    curl_easy_cleanup(easy);
    free(answer.bytes);
    return code == CURLE_OK && ph_slice_present(ret->body) ? PH_OK : PH_ERR_IO;
}
