/* Writing a value into a body: for sign.c. Private to core/. */
#ifndef PH_CORE_PLACE_H
#define PH_CORE_PLACE_H

#include "core/run.h"

/* A copy of the tree that can be changed (NULL: an empty object), in the arena; NULL: no memory. */
yyjson_mut_doc *ph_place_open(struct ph_run *run, yyjson_val *tree);
/* Its text; absent: no memory. */
struct ph_slice ph_place_write(struct ph_run *run, yyjson_mut_doc *doc);
/* Sets the member that `pointer` names to a text, from the root or, with `items`, from that item
 * of it; objects on the way are made. False: the way leads through something else, or no memory. */
bool ph_place_set(yyjson_mut_doc *doc, const struct ph_pointer *items, size_t item,
                  const struct ph_pointer *pointer, struct ph_slice text);
/* A form (or query) with that field, once. Absent: no memory. */
struct ph_slice ph_place_field(struct ph_run *run, struct ph_slice form, struct ph_slice name,
                               struct ph_slice value);

#endif
