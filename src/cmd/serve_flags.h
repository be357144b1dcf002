/* What `payhook serve` is told on its command line: settings of the configuration by other
 * names. A flag goes over the setting's variable, and that over the file. */
#ifndef PH_CMD_SERVE_FLAGS_H
#define PH_CMD_SERVE_FLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct ph_serve_flags {
    const char *config; /* NULL: not given */
    bool dev, check, help;
    const char **environment; /* the process's, flags over it; NULL at the end */
};

/* 0, or the exit code of a usage error, which has been said. The environment is in the arena. */
int ph_serve_flags_read(struct ph_arena *arena, int argc, char **argv, struct ph_serve_flags *ret);
void ph_serve_flags_help(void);

#endif
