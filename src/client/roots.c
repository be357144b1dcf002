#include "client/roots.h"

#include "base/limits.h"
#include "os/file.h"

static const char *const usual[] = {"/etc/ssl/certs/ca-certificates.crt",
                                    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};

static enum ph_status read_usual(struct ph_arena *arena, struct ph_slice *ret)
{
    enum ph_status st = PH_ERR_NOT_FOUND;
    for (size_t i = 0; st == PH_ERR_NOT_FOUND && i < PH_COUNTOF(usual); i++)
        st = ph_os_read_file(arena, usual[i], PH_CA_FILE_BYTES_MAX, ret);
    return st;
}

/* The armour's inside, without its line ends. */
static size_t copy_body(struct ph_slice body, char *to)
{
    size_t len = 0;
    for (size_t i = 0; i < body.len; i++)
        if (body.ptr[i] > ' ')
            to[len++] = body.ptr[i];
    return len;
}

enum ph_status ph_roots_read(struct ph_arena *arena, const char *path, struct ph_slice *ret)
{
    struct ph_slice begin = PH_S("-----BEGIN CERTIFICATE-----"),
                    end = PH_S("-----END CERTIFICATE-----"), pem;
    PH_TRY(path != NULL ? ph_os_read_file(arena, path, PH_CA_FILE_BYTES_MAX, &pem)
                        : read_usual(arena, &pem));
    char *list = ph_arena_alloc(arena, pem.len + 1); /* each comma stands for a longer line */
    size_t len = 0;
    if (list == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t at = 0; (at = ph_slice_find(pem, begin, at)) != SIZE_MAX;) {
        at += begin.len;
        size_t stop = ph_slice_find(pem, end, at);
        if (stop == SIZE_MAX)
            break;
        if (len > 0)
            list[len++] = ',';
        len += copy_body(ph_slice_of(pem.ptr + at, stop - at), list + len);
        at = stop;
    }
    *ret = ph_slice_of(list, len);
    return len > 0 ? PH_OK : PH_ERR_MALFORMED;
}
