#include "cmd/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"

enum { FIRST_BYTES = 256 * 1024 };

struct ph_lines {
    int fd;
    char *bytes;
    size_t room, start, end; /* bytes[start…end) are read and not given out */
    size_t searched;         /* bytes[start…searched) hold no LF */
    bool skipping, over;
};

struct ph_lines *ph_lines_new(int fd)
{
    struct ph_lines *l = calloc(1, sizeof(*l));
    if (l == NULL)
        return NULL;
    *l = (struct ph_lines){.fd = fd, .room = FIRST_BYTES, .bytes = malloc(FIRST_BYTES)};
    if (l->bytes == NULL) {
        free(l);
        return NULL;
    }
    return l;
}

void ph_lines_free(struct ph_lines *l)
{
    if (l == NULL)
        return;
    explicit_bzero(l->bytes, l->room);
    free(l->bytes);
    free(l);
}

/* Room behind `end`: what was given out is overwritten, then the buffer grows. */
static bool make_room(struct ph_lines *l)
{
    if (l->start > 0) {
        memmove(l->bytes, l->bytes + l->start, l->end - l->start);
        l->end -= l->start;
        l->searched -= l->start;
        l->start = 0;
    }
    if (l->end < l->room)
        return true;
    size_t room = l->room * 2;
    char *bytes = malloc(room);
    if (bytes == NULL)
        return false;
    memcpy(bytes, l->bytes, l->end);
    explicit_bzero(l->bytes, l->room);
    free(l->bytes);
    l->bytes = bytes;
    l->room = room;
    return true;
}

static bool fill(struct ph_lines *l)
{
    if (l->end == l->room && !make_room(l))
        return false;
    ssize_t n;
    do
        n = read(l->fd, l->bytes + l->end, l->room - l->end);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        l->end += (size_t)n;
    l->over = n == 0;
    return n >= 0;
}

static enum ph_line give(struct ph_lines *l, size_t end, size_t next, char **ret, size_t *ret_len)
{
    bool skipped = l->skipping;
    l->skipping = false;
    *ret = l->bytes + l->start;
    *ret_len = end - l->start;
    l->start = l->searched = next;
    return skipped || *ret_len > PH_LINE_BYTES_MAX ? PH_LINE_TOO_LONG : PH_LINE_OK;
}

enum ph_line ph_lines_next(struct ph_lines *l, char **ret, size_t *ret_len)
{
    for (;;) {
        char *lf = l->end > l->searched ? memchr(l->bytes + l->searched, '\n', l->end - l->searched)
                                        : NULL;
        if (lf != NULL)
            return give(l, (size_t)(lf - l->bytes), (size_t)(lf - l->bytes) + 1, ret, ret_len);
        l->searched = l->end;
        if (l->over)
            return l->end > l->start || l->skipping ? give(l, l->end, l->end, ret, ret_len)
                                                    : PH_LINE_END;
        if (l->end - l->start > PH_LINE_BYTES_MAX) { /* L1: forget it, remember that it was there */
            l->skipping = true;
            l->start = l->searched = l->end = 0;
        }
        if (!fill(l))
            return PH_LINE_FAILED;
    }
}
