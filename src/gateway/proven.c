#include "gateway/proven.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/digits.h"
#include "os/file.h"
#include "os/heap.h"

static const int64_t day_ms = 24 * 3600 * 1000;

enum { FILE_BYTES_MAX = 256 * 1024, TIME_TEXT_BYTES = PH_DIGITS_MAX + 4 };

static bool is_recent(int64_t at_ms, int64_t now_ms)
{
    return at_ms > 0 && at_ms <= now_ms && now_ms - at_ms < PH_PROVEN_FOR_DAYS * day_ms;
}

static bool read_line(struct ph_slice line, struct ph_proven *ret)
{
    size_t blank = ph_slice_find(line, PH_S(" "), 0);
    if (blank == SIZE_MAX || !ph_digits(ph_slice_of(line.ptr, blank), &ret->at_ms))
        return false;
    ret->url = ph_slice_from(line, blank + 1);
    return ret->url.len <= PH_URI_BYTES_MAX;
}

void ph_proven_load(const char *path, struct ph_callouts *callouts, int64_t now_ms)
{
    struct ph_arena arena;
    struct ph_slice text;
    struct ph_proven proven;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    if (ph_os_read_file(&arena, path, FILE_BYTES_MAX, &text) != PH_OK)
        text = (struct ph_slice){0};
    for (size_t at = 0, end; (end = ph_slice_find(text, PH_S("\n"), at)) != SIZE_MAX; at = end + 1)
        if (read_line(ph_slice_of(text.ptr + at, end - at), &proven) &&
            is_recent(proven.at_ms, now_ms))
            ph_callouts_recall(callouts, &proven);
    ph_arena_done(&arena);
}

/* Absent: no memory. What does not fit is left out. */
static struct ph_slice write_lines(struct ph_arena *arena, const struct ph_proven *list,
                                   size_t count, int64_t now_ms)
{
    char *text = ph_arena_alloc(arena, FILE_BYTES_MAX);
    size_t len = 0;
    for (size_t i = 0; text != NULL && i < count; i++) {
        struct ph_slice url = list[i].url;
        if (!is_recent(list[i].at_ms, now_ms) || len + TIME_TEXT_BYTES + url.len > FILE_BYTES_MAX)
            continue;
        len += (size_t)snprintf(text + len, FILE_BYTES_MAX - len, "%" PRId64 " %.*s\n",
                                list[i].at_ms, (int)url.len, url.ptr);
    }
    return ph_slice_of(text, len);
}

void ph_proven_save(const char *path, struct ph_callouts *callouts, int64_t now_ms)
{
    struct ph_arena arena;
    struct ph_proven *list;
    size_t count;
    ph_arena_init(&arena, &ph_os_heap, PH_ARENA_BYTES_MAX, 0);
    if (ph_callouts_proven(callouts, &arena, &list, &count)) {
        struct ph_slice text = write_lines(&arena, list, count, now_ms);
        if (!ph_slice_present(text) || ph_os_replace_file(path, text) != PH_OK)
            ph_callouts_proven_again(callouts);
    }
    ph_arena_done(&arena);
}
