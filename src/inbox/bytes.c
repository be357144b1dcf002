/* Headers and callout answers as texts that a person can read in the file and that read back to the
 * same bytes. */
#include <stdio.h>

#include "inbox/inbox_private.h"

/* "Name: value\n". No header has a line feed, a colon in its name or blanks before its value: the
 * HTTP parsers refuse them; other callers hear PH_ERR_INVALID. */
enum ph_status ph_headers_text(struct ph_arena *arena, const struct ph_header *headers,
                               size_t count, struct ph_slice *ret)
{
    size_t room = 1;
    for (size_t i = 0; i < count; i++) {
        if (ph_slice_find(headers[i].name, PH_S("\n"), 0) != SIZE_MAX ||
            ph_slice_find(headers[i].value, PH_S("\n"), 0) != SIZE_MAX ||
            ph_slice_find(headers[i].name, PH_S(": "), 0) != SIZE_MAX)
            return PH_ERR_INVALID;
        room += headers[i].name.len + headers[i].value.len + 3;
    }
    char *text = ph_arena_alloc(arena, room), *out = text;
    if (text == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const struct ph_slice parts[] = {headers[i].name, PH_S(": "), headers[i].value, PH_S("\n")};
        for (size_t n = 0; n < PH_COUNTOF(parts); n++) {
            if (parts[n].len > 0)
                memcpy(out, parts[n].ptr, parts[n].len);
            out += parts[n].len;
        }
    }
    *ret = ph_slice_of(text, (size_t)(out - text));
    return PH_OK;
}

enum ph_status ph_headers_read(struct ph_arena *arena, struct ph_slice text,
                               const struct ph_header **ret, size_t *ret_count)
{
    size_t lines = 0, at = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    struct ph_header *headers = ph_arena_alloc(arena, (lines + 1) * sizeof *headers);
    if (headers == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < lines; i++) {
        size_t end = ph_slice_find(text, PH_S("\n"), at),
               colon = ph_slice_find(text, PH_S(": "), at);
        if (end == SIZE_MAX || colon == SIZE_MAX || colon > end)
            return PH_ERR_MALFORMED;
        headers[i].name = ph_slice_of(text.ptr + at, colon - at);
        headers[i].value = ph_slice_of(text.ptr + colon + 2, end - colon - 2);
        at = end + 1;
    }
    *ret = headers;
    *ret_count = lines;
    return PH_OK;
}

/* "name length\nbytes\n". None: absent. */
enum ph_status ph_brought_bytes(struct ph_arena *arena, const struct ph_config_value *values,
                                size_t count, struct ph_slice *ret)
{
    enum { LENGTH_BYTES = 24 };
    size_t room = 1, len = 0;
    if (count == 0) {
        *ret = (struct ph_slice){0};
        return PH_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (ph_slice_find(values[i].name, PH_S(" "), 0) != SIZE_MAX)
            return PH_ERR_INVALID;
        room += values[i].name.len + values[i].value.len + LENGTH_BYTES;
    }
    char *text = ph_arena_alloc(arena, room);
    if (text == NULL)
        return PH_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        len +=
            (size_t)snprintf(text + len, room - len, "%.*s %zu\n", (int)values[i].name.len,
                             values[i].name.len > 0 ? values[i].name.ptr : "", values[i].value.len);
        if (values[i].value.len > 0)
            memcpy(text + len, values[i].value.ptr, values[i].value.len);
        len += values[i].value.len;
        text[len++] = '\n';
    }
    *ret = ph_slice_of(text, len);
    return PH_OK;
}

static bool read_length(struct ph_slice digits, size_t most, size_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9' || n > most)
            return false;
        n = n * 10 + (size_t)(digits.ptr[i] - '0');
    }
    *ret = n;
    return digits.len > 0 && n <= most;
}

enum ph_status ph_brought_read(struct ph_arena *arena, struct ph_slice bytes,
                               const struct ph_config_value **ret, size_t *ret_count)
{
    struct ph_config_value *values = ph_arena_alloc(arena, PH_CONFIG_VALUES_MAX * sizeof *values);
    size_t count = 0, at = 0, len;
    if (values == NULL)
        return PH_ERR_NO_MEMORY;
    while (at < bytes.len) {
        size_t space = ph_slice_find(bytes, PH_S(" "), at),
               line = ph_slice_find(bytes, PH_S("\n"), at);
        if (count == PH_CONFIG_VALUES_MAX || space == SIZE_MAX || line == SIZE_MAX || space > line)
            return PH_ERR_MALFORMED;
        if (!read_length(ph_slice_of(bytes.ptr + space + 1, line - space - 1), bytes.len, &len) ||
            line + 1 + len >= bytes.len)
            return PH_ERR_MALFORMED;
        values[count].name = ph_slice_of(bytes.ptr + at, space - at);
        values[count++].value = ph_slice_of(bytes.ptr + line + 1, len);
        at = line + 1 + len + 1;
    }
    *ret = values;
    *ret_count = count;
    return PH_OK;
}
