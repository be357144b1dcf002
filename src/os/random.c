#include "os/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

enum ph_status ph_os_random(void *ret_bytes, size_t count)
{
    char *at = ret_bytes;
    while (count > 0) {
        ssize_t got = getrandom(at, count, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return PH_ERR_SYSTEM;
        at += got;
        count -= (size_t)got;
    }
    return PH_OK;
}

static enum ph_status take(struct ph_random_pool *pool, unsigned char *ret_bytes, size_t count)
{
    if (pool->left < count) {
        PH_TRY(ph_os_random(pool->bytes, sizeof pool->bytes));
        pool->left = sizeof pool->bytes;
    }
    pool->left -= count;
    memcpy(ret_bytes, pool->bytes + pool->left, count);
    return PH_OK;
}

enum ph_status ph_os_uuid(struct ph_random_pool *pool, char ret_text[PH_UUID_TEXT_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[PH_UUID_BYTES];
    PH_TRY(take(pool, bytes, sizeof bytes));
    bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0f));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
    size_t at = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret_text[at++] = '-';
        ret_text[at++] = hex[bytes[i] >> 4];
        ret_text[at++] = hex[bytes[i] & 15];
    }
    return PH_OK;
}
