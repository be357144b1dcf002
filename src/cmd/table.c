#include "cmd/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "cmd/print.h"

enum { LABEL = 18, DEPTH_MAX = 6 };

/* A scalar as text; "" for what is none, or null. */
static struct ph_slice text_of(yyjson_val *value)
{
    if (yyjson_is_str(value) || yyjson_is_raw(value))
        return ph_slice_of(unsafe_yyjson_get_str(value), unsafe_yyjson_get_len(value));
    if (yyjson_is_bool(value))
        return yyjson_get_bool(value) ? PH_S("yes") : PH_S("");
    return PH_S("");
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void cell(struct ph_slice text, int width, bool last)
{
    int shown = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c & 0xc0) == 0x80)
            continue; /* of a character that has its '?' */
        putchar(c < 0x20 || c >= 0x7f ? '?' : c);
        shown++;
    }
    if (!last)
        printf("%*s", (shown < width ? width - shown : 0) + 2, "");
}

void ph_table_titles(const struct ph_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        cell(ph_slice_str(columns[i].title), columns[i].width, i + 1 == count);
    putchar('\n');
}

void ph_table_row(const struct ph_column *columns, size_t count, yyjson_val *object)
{
    for (size_t i = 0; i < count; i++) {
        struct ph_slice text = text_of(yyjson_ptr_get(object, columns[i].pointer));
        cell(text.len > 0 ? text : PH_S("-"), columns[i].width, i + 1 == count);
    }
    putchar('\n');
}

/* ---- objects --------------------------------------------------------------------------------- */

static void document(const char *name, yyjson_val *value)
{
    size_t len = 0;
    char *text =
        yyjson_val_write(value, YYJSON_WRITE_PRETTY_TWO_SPACES | YYJSON_WRITE_ESCAPE_UNICODE, &len);
    printf("%s\n%s\n", name, text != NULL ? text : "");
    free(text);
}

static void member(const char *prefix, yyjson_val *name, yyjson_val *value, int depth);

static void members(const char *prefix, yyjson_val *object, int depth)
{
    yyjson_val *name, *value;
    size_t i, n;
    yyjson_obj_foreach(object, i, n, name, value)
    {
        member(prefix, name, value, depth);
    }
}

static void list(const char *label, yyjson_val *values, int depth)
{
    yyjson_val *value;
    size_t i, n;
    yyjson_arr_foreach(values, i, n, value)
    {
        if (yyjson_is_obj(value)) {
            printf("%*s%s %zu\n", depth * 2, "", label, i + 1);
            members("", value, depth + 1);
        } else {
            printf("%*s%-*s ", depth * 2, "", LABEL, label);
            ph_print_escaped(text_of(value));
            putchar('\n');
        }
    }
}

static void member(const char *prefix, yyjson_val *name, yyjson_val *value, int depth)
{
    char label[128];
    (void)snprintf(label, sizeof label, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "",
                   yyjson_get_str(name));
    if (strcmp(label, "answer") == 0) {
        document("answer", value);
    } else if (yyjson_is_obj(value) && depth < DEPTH_MAX) {
        members(label, value, depth);
    } else if (yyjson_is_arr(value) && depth < DEPTH_MAX) {
        list(label, value, depth);
    } else if (text_of(value).len > 0) {
        printf("%*s%-*s ", depth * 2, "", LABEL, label);
        ph_print_escaped(text_of(value));
        putchar('\n');
    }
}

void ph_table_object(yyjson_val *object)
{
    members("", object, 0);
}

void ph_table_json(yyjson_val *value)
{
    size_t len = 0;
    char *text = yyjson_val_write(value, YYJSON_WRITE_NOFLAG, &len);
    if (text != NULL)
        (void)fwrite(text, 1, len, stdout);
    putchar('\n');
    free(text);
}
