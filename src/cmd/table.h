/* Answers of the admin API for people. What strangers wrote is shown without control characters.
 * Private to cmd/. */
#ifndef PH_CMD_TABLE_H
#define PH_CMD_TABLE_H

#include <yyjson.h>

#include "base/slice.h"

/* A column is a row: what stands in it is the member at `pointer`. */
struct ph_column {
    const char *title, *pointer;
    int width; /* least; wider cells push the rest */
};

void ph_table_titles(const struct ph_column *columns, size_t count);
void ph_table_row(const struct ph_column *columns, size_t count, yyjson_val *object);
/* An object as lines: name and value; lists of objects below. */
void ph_table_object(yyjson_val *object);
/* One line of JSON. */
void ph_table_json(yyjson_val *value);

#endif
