#include "os/random.h"

#include <endian.h>
#include <errno.h>
#include <stdint.h>
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

/* Four bytes as eight digits: a nibble in each byte of a word, and what lies over 9 moved up to
 * the letters. */
static void put_hex(const unsigned char bytes[4], char ret_digits[8])
{
    const uint64_t ones = 0x0101010101010101U;
    uint64_t v =
        (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 8 | bytes[3];
    v = (v << 16 | v) & 0x0000ffff0000ffffU;
    v = (v << 8 | v) & 0x00ff00ff00ff00ffU;
    v = (v << 4 | v) & 0x0f0f0f0f0f0f0f0fU;
    uint64_t over_9 = (v + ones * 6) >> 4 & ones;
    v = htobe64(v + ones * '0' + over_9 * ('a' - '0' - 10));
    memcpy(ret_digits, &v, sizeof v);
}

enum ph_status ph_os_uuid(struct ph_random_pool *pool, char ret_text[PH_UUID_TEXT_BYTES])
{
    char digits[2 * PH_UUID_BYTES];
    unsigned char bytes[PH_UUID_BYTES];
    PH_TRY(take(pool, bytes, sizeof bytes));
    bytes[6] = (unsigned char)(0x40 | (bytes[6] & 0x0f));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3f));
    for (size_t i = 0; i < PH_UUID_BYTES; i += 4)
        put_hex(bytes + i, digits + 2 * i);
    memcpy(ret_text, digits, 8);
    memcpy(ret_text + 9, digits + 8, 4);
    memcpy(ret_text + 14, digits + 12, 4);
    memcpy(ret_text + 19, digits + 16, 4);
    memcpy(ret_text + 24, digits + 20, 12);
    ret_text[8] = ret_text[13] = ret_text[18] = ret_text[23] = '-';
    return PH_OK;
}
