/* The commands that speak to a running payhook. Private to cmd/. */
#ifndef PH_CMD_COMMANDS_H
#define PH_CMD_COMMANDS_H

#include "cmd/admin_ask.h"

int ph_cmd_look(struct ph_admin_asker *asker);    /* look.c: ls, show, status */
int ph_cmd_tail(struct ph_admin_asker *asker);    /* tail.c */
int ph_cmd_replay(struct ph_admin_asker *asker);  /* replay.c: replay, deliveries retry */
int ph_cmd_control(struct ph_admin_asker *asker); /* control.c: pause, resume, reverify */

#endif
