/* The connectors a command works with: those compiled in, and a folder's pages over them. */
#ifndef PH_CMD_PAGES_H
#define PH_CMD_PAGES_H

#include "base/arena.h"
#include "connector/connector.h"

struct ph_pages {
    const struct ph_connector *const *connectors; /* sorted by name */
    size_t count;
};

/* folder NULL: those compiled in. A page with the name of one of them takes its place. False:
 * what is wrong with the pages has been said on stderr. */
bool ph_cmd_pages_load(struct ph_arena *arena, const char *folder, struct ph_pages *ret);

#endif
