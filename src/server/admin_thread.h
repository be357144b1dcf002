/* The admin thread's queue. Private to server/admin*.c. */
#ifndef PH_SERVER_ADMIN_THREAD_H
#define PH_SERVER_ADMIN_THREAD_H

#include "server/admin_call.h"

/* A place for one call, before its ticket is out: PH_ERR_AGAIN, none is free. */
PH_MUST_USE enum ph_status ph_admin_reserve(struct ph_admin *admin);
/* … which is not used after all. */
void ph_admin_release(struct ph_admin *admin);
/* Takes the call, whose place is reserved; its ticket is completed once. */
void ph_admin_queue(struct ph_admin *admin, struct ph_admin_call *call);
/* NULL is fine. */
void ph_admin_call_free(struct ph_admin_call *call);

#endif
