/* A walk along the indexes that fit a filter, from id to id, newest or oldest first. */
#ifndef PH_INBOX_WALK_H
#define PH_INBOX_WALK_H

#include "inbox/reads.h"

enum { PH_TRACKS_MAX = 4096 }; /* kinds that one filter may mean; the rest is not looked at */

/* One index to go along: a statement for each direction, its parameters, and the next id it has. */
struct ph_track {
    int below; /* its PH_R_…_BELOW; …_ABOVE is the next number */
    int64_t a, b;
    int64_t next; /* 0: not asked yet, -1: no more */
};

struct ph_walk {
    struct ph_inbox_reader *reader;
    const struct ph_inbox_filter *filter;
    bool newest_first;
    int64_t at;          /* the last id that was given */
    int64_t first, last; /* ids outside are not received in the filter's time */
    struct ph_track *tracks;
    size_t track_count;
    struct ph_slice subject; /* present: its index is the track */
    int64_t *kinds;          /* NULL: any */
    size_t kind_count;
    int destination; /* -1: any */
    bool nothing;    /* the filter names what is not there */
};

/* Events that may fit the filter: its kinds, subject or states choose the indexes. */
PH_MUST_USE enum ph_status ph_walk_events(struct ph_walk *walk, struct ph_inbox_reader *reader,
                                          const struct ph_inbox_filter *filter,
                                          struct ph_arena *arena);
PH_MUST_USE enum ph_status ph_walk_requests(struct ph_walk *walk, struct ph_inbox_reader *reader,
                                            const struct ph_inbox_filter *filter, int32_t standing,
                                            struct ph_arena *arena);
/* The page begins below `before`, or above `after`, or at the newest. */
void ph_walk_from(struct ph_walk *walk, int64_t before, int64_t after);
/* The next id; -1: no more. */
PH_MUST_USE enum ph_status ph_walk_step(struct ph_walk *walk, int64_t *ret);
/* Whether an event's kind and time are what the filter asks for: a cheap look before its row is
 * read. */
PH_MUST_USE enum ph_status ph_walk_may_fit(struct ph_walk *walk, int64_t event, bool *ret);
bool ph_walk_is_in_time(const struct ph_walk *walk, int64_t received_ms);
PH_MUST_USE enum ph_status ph_event_find(struct ph_inbox_reader *reader, struct ph_slice event_id,
                                         int64_t *ret);

#endif
