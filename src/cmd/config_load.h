/* A configuration from this process's world: its environment, files and clock. Private to cmd/. */
#ifndef PH_CMD_CONFIG_LOAD_H
#define PH_CMD_CONFIG_LOAD_H

#include "config/config.h"
#include "server/log.h"

/* path NULL: the file that PAYHOOK_CONFIG names, else the built-in configuration. What is wrong,
 * and every warning, goes to stderr; NULL when it is wrong. `arena` gets the pages of its
 * `connectors` folder and must outlive it. ph_config_free it. */
const struct ph_config *ph_cmd_config_load(struct ph_arena *arena, const char *path);
/* The same with an environment of the caller's, NULL at the end; *ret_path: the file that was
 * read, or NULL. What is to be said goes to the log, where there is one. `thorough`: as
 * ph_config_world has it; the one above is. */
const struct ph_config *ph_cmd_config_load_with(struct ph_arena *arena, const char *path,
                                                const char *const *environment, bool thorough,
                                                struct ph_log *log, const char **ret_path);
/* Of the same file, or of none, what says where a running payhook is found
 * (ph_config_load_places). */
const struct ph_config *ph_cmd_config_places(struct ph_arena *arena, const char *path);
/* A line about a configuration: to the log, or without one to stderr. */
void ph_cmd_config_say(struct ph_log *log, bool warning, struct ph_slice text);

#endif
