#include "http/message.h"

const struct ph_http_limits ph_http_limits_usual = {.headers = PH_HEADERS_MAX,
                                                    .header_bytes = PH_HEADER_BYTES_MAX,
                                                    .head_ms = PH_HEAD_READ_MS,
                                                    .body_ms = PH_BODY_READ_MS,
                                                    .idle_ms = PH_IDLE_MS};

struct ph_slice ph_http_find_header(const struct ph_http_request *request, struct ph_slice name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (request->headers[i].name.len == name.len &&
            ph_slice_eq_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return (struct ph_slice){0};
}

struct ph_slice ph_http_bearer(const struct ph_http_request *request)
{
    struct ph_slice name = PH_S("authorization"), scheme = PH_S("Bearer "),
                    text = ph_http_header(request, name);
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++)
        count += ph_slice_eq_nocase(request->headers[i].name, name);
    if (count != 1 || text.len <= scheme.len ||
        !ph_slice_eq_nocase(ph_slice_of(text.ptr, scheme.len), scheme))
        return (struct ph_slice){0};
    return ph_slice_trim(ph_slice_from(text, scheme.len));
}

bool ph_http_list_has(struct ph_slice list, struct ph_slice word)
{
    while (list.len > 0) {
        size_t comma = ph_slice_find(list, PH_S(","), 0);
        size_t end = comma < list.len ? comma : list.len;
        if (ph_slice_eq_nocase(ph_slice_trim(ph_slice_of(list.ptr, end)), word))
            return true;
        list = ph_slice_from(list, end < list.len ? end + 1 : end);
    }
    return false;
}

static struct ph_slice before(struct ph_slice text, char mark)
{
    const char *at = text.len > 0 ? memchr(text.ptr, mark, text.len) : NULL;
    return at != NULL ? ph_slice_of(text.ptr, (size_t)(at - text.ptr)) : text;
}

struct ph_slice ph_http_path(const struct ph_http_request *request)
{
    return before(before(request->target, '?'), '#');
}

struct ph_slice ph_http_reason(int status)
{
    static const struct {
        int status;
        struct ph_slice text;
    } reasons[] = {
        {200, PH_SI("OK")},
        {201, PH_SI("Created")},
        {202, PH_SI("Accepted")},
        {204, PH_SI("No Content")},
        {400, PH_SI("Bad Request")},
        {401, PH_SI("Unauthorized")},
        {403, PH_SI("Forbidden")},
        {404, PH_SI("Not Found")},
        {405, PH_SI("Method Not Allowed")},
        {408, PH_SI("Request Timeout")},
        {413, PH_SI("Content Too Large")},
        {414, PH_SI("URI Too Long")},
        {415, PH_SI("Unsupported Media Type")},
        {417, PH_SI("Expectation Failed")},
        {429, PH_SI("Too Many Requests")},
        {431, PH_SI("Request Header Fields Too Large")},
        {500, PH_SI("Internal Server Error")},
        {501, PH_SI("Not Implemented")},
        {503, PH_SI("Service Unavailable")},
        {504, PH_SI("Gateway Timeout")},
        {505, PH_SI("HTTP Version Not Supported")},
    };
    for (size_t i = 0; i < PH_COUNTOF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return PH_S("Status");
}
