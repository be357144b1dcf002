#include "http/grpc.h"

#include "base/limits.h"
#include "http/gzip.h"

static bool fault(struct ph_fault *ret_fault, int code, struct ph_slice message)
{
    *ret_fault =
        (struct ph_fault){.code = code, .name = ph_grpc_code_name(code), .message = message};
    return false;
}

bool ph_grpc_is_call(const struct ph_http_request *request)
{
    struct ph_slice type = ph_http_header(request, PH_S("content-type"));
    struct ph_slice prefix = PH_S("application/grpc");
    if (!request->http2 || !ph_slice_starts(type, prefix))
        return false;
    return type.len == prefix.len || type.ptr[prefix.len] == '+' || type.ptr[prefix.len] == ';';
}

bool ph_grpc_encodings(const struct ph_http_request *request, struct ph_grpc_encodings *ret,
                       struct ph_fault *ret_fault)
{
    struct ph_slice encoding = ph_http_header(request, PH_S("grpc-encoding"));
    struct ph_slice accepts = ph_http_header(request, PH_S("grpc-accept-encoding"));
    *ret = (struct ph_grpc_encodings){
        .request_gzip = ph_slice_eq(encoding, PH_S("gzip")),
        .accepts_gzip = ph_http_list_has(accepts, PH_S("gzip")),
    };
    if (ret->request_gzip || encoding.len == 0 || ph_slice_eq(encoding, PH_S("identity")))
        return true;
    return fault(ret_fault, PH_GRPC_UNIMPLEMENTED,
                 PH_S("this grpc-encoding is not supported; see grpc-accept-encoding"));
}

static bool inflate_message(struct ph_slice in, size_t message_max, struct ph_arena *arena,
                            struct ph_slice *ret_message, struct ph_fault *ret_fault)
{
    switch (ph_gzip_inflate(arena, in, message_max, ret_message)) {
    case PH_OK:
        return true;
    case PH_ERR_TOO_LARGE:
        return fault(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED,
                     PH_S("the decompressed message is larger than the limit"));
    case PH_ERR_NO_MEMORY:
        return fault(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED, PH_S("the call needs too much memory"));
    default:
        return fault(ret_fault, PH_GRPC_INTERNAL, PH_S("the message is not the gzip it should be"));
    }
}

bool ph_grpc_take(struct ph_slice bytes, bool gzip, size_t message_max, struct ph_arena *arena,
                  struct ph_slice *ret_message, size_t *ret_used, struct ph_fault *ret_fault)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    *ret_used = 0;
    if (bytes.len < PH_GRPC_PREFIX_BYTES)
        return true;
    size_t len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    if (p[0] > 1 || (p[0] == 1 && !gzip))
        return fault(ret_fault, PH_GRPC_INTERNAL,
                     PH_S("the message is marked compressed, but no grpc-encoding is given"));
    if (len > message_max)
        return fault(ret_fault, PH_GRPC_RESOURCE_EXHAUSTED,
                     PH_S("the message is larger than the limit"));
    if (len > bytes.len - PH_GRPC_PREFIX_BYTES)
        return true;
    struct ph_slice message = ph_slice_of(bytes.ptr + PH_GRPC_PREFIX_BYTES, len);
    if (p[0] == 1 && !inflate_message(message, message_max, arena, &message, ret_fault))
        return false;
    *ret_message = message;
    *ret_used = PH_GRPC_PREFIX_BYTES + len;
    return true;
}

bool ph_grpc_read(struct ph_slice body, bool gzip, size_t message_max, struct ph_arena *arena,
                  struct ph_slice *ret_message, struct ph_fault *ret_fault)
{
    size_t used = 0;
    if (!ph_grpc_take(body, gzip, message_max, arena, ret_message, &used, ret_fault))
        return false;
    if (body.len == 0)
        return fault(ret_fault, PH_GRPC_INTERNAL, PH_S("the call ended without a message"));
    if (used == 0)
        return fault(ret_fault, PH_GRPC_INTERNAL, PH_S("the message is cut short"));
    if (used < body.len)
        return fault(ret_fault, PH_GRPC_INTERNAL, PH_S("a unary call has one message, not more"));
    return true;
}

bool ph_grpc_timeout_ms(struct ph_slice text, int64_t *ret_ms)
{
    enum { DIGITS_MAX = 8 };
    if (text.len < 2 || text.len > DIGITS_MAX + 1)
        return false;
    int64_t number = 0;
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        number = number * 10 + (text.ptr[i] - '0');
    }
    switch (text.ptr[text.len - 1]) {
    case 'H':
        *ret_ms = number * 3600 * 1000;
        return true;
    case 'M':
        *ret_ms = number * 60 * 1000;
        return true;
    case 'S':
        *ret_ms = number * 1000;
        return true;
    case 'm':
        *ret_ms = number;
        return true;
    case 'u':
        *ret_ms = (number + 999) / 1000;
        return true;
    case 'n':
        *ret_ms = (number + 999999) / 1000000;
        return true;
    default:
        return false;
    }
}

void ph_grpc_write_prefix(char prefix[PH_GRPC_PREFIX_BYTES], size_t message_bytes, bool compressed)
{
    prefix[0] = compressed ? 1 : 0;
    for (int i = 0; i < 4; i++)
        prefix[1 + i] = (char)(unsigned char)(message_bytes >> (24 - 8 * i));
}

struct ph_slice ph_grpc_encode_message(struct ph_arena *arena, struct ph_slice text)
{
    static const char hex[] = "0123456789ABCDEF";
    if (text.len > PH_GRPC_TEXT_BYTES_MAX) {
        const char *cut = text.ptr + PH_GRPC_TEXT_BYTES_MAX;
        text.len = PH_GRPC_TEXT_BYTES_MAX;
        for (int i = 0; i < 3 && ((unsigned char)*cut & 0xc0) == 0x80; i++, cut--)
            text.len--;
    }
    char *out = ph_arena_alloc(arena, text.len * 3 + 1);
    if (out == NULL)
        return (struct ph_slice){0};
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x20 && c <= 0x7e && c != '%') {
            out[len++] = (char)c;
            continue;
        }
        out[len++] = '%';
        out[len++] = hex[c >> 4];
        out[len++] = hex[c & 15];
    }
    return ph_slice_of(out, len);
}

#define GRPC_CODES(X)                                                                              \
    X(0, "OK")                                                                                     \
    X(1, "CANCELLED")                                                                              \
    X(2, "UNKNOWN")                                                                                \
    X(3, "INVALID_ARGUMENT")                                                                       \
    X(4, "DEADLINE_EXCEEDED")                                                                      \
    X(5, "NOT_FOUND")                                                                              \
    X(6, "ALREADY_EXISTS")                                                                         \
    X(7, "PERMISSION_DENIED")                                                                      \
    X(8, "RESOURCE_EXHAUSTED")                                                                     \
    X(9, "FAILED_PRECONDITION")                                                                    \
    X(10, "ABORTED")                                                                               \
    X(11, "OUT_OF_RANGE")                                                                          \
    X(12, "UNIMPLEMENTED")                                                                         \
    X(13, "INTERNAL")                                                                              \
    X(14, "UNAVAILABLE")                                                                           \
    X(15, "DATA_LOSS")                                                                             \
    X(16, "UNAUTHENTICATED")

struct ph_slice ph_grpc_status_text(int code)
{
#define GRPC_TEXT(number, name) PH_SI(#number),
    static const struct ph_slice texts[] = {GRPC_CODES(GRPC_TEXT)};
#undef GRPC_TEXT
    return code >= 0 && (size_t)code < PH_COUNTOF(texts) ? texts[code] : texts[2];
}

struct ph_slice ph_grpc_code_name(int code)
{
#define GRPC_NAME(number, name) PH_SI(name),
    static const struct ph_slice names[] = {GRPC_CODES(GRPC_NAME)};
#undef GRPC_NAME
    return code >= 0 && (size_t)code < PH_COUNTOF(names) ? names[code] : names[2];
}
