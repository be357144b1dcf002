/* A webhook's way through the gateway, told when it ends: counted, and one line of the log.
 *
 * T1: a request ends once, in one outcome; what comes after an end is not told.
 * T2: nothing of its body, its headers or its secrets is told but what stands here; strangers'
 * texts are cut and masked. */
#ifndef PH_SERVER_PASSAGE_H
#define PH_SERVER_PASSAGE_H

#include "inbox/inbox.h"
#include "server/service.h"
#include "server/tally.h"

struct ph_passage {
    struct ph_tally_row *row; /* of its endpoint; NULL: none, or no memory */
    int64_t began_ms;         /* its head was complete; steady */
    struct ph_slice id;       /* x-request-id: the sender's, or ours */
    struct ph_slice endpoint, connector, remote, trace; /* absent: not known yet */
    /* of what no endpoint took; without its query, which may hold anything. Absent: not told */
    struct ph_slice method, path;
    bool alarm; /* only the operator can mend it */
    bool ended;
};

/* It was judged, and was not stored: told with the status the sender hears. */
void ph_passage_refused(struct ph_service *service, struct ph_passage *passage, enum ph_fate fate,
                        int status);
/* It was given to the inbox. `done`: the inbox has answered, else time was over. Status 0: the
 * sender had gone. */
void ph_passage_stored(struct ph_service *service, struct ph_passage *passage,
                       const struct ph_inbox_store *store, bool done, int status);

#endif
