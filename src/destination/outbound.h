/* A connection of ours to a broker: TCP, or TLS on it, for one thread that waits for it with a time
 * limit.
 *
 * U1: no address that is not public is connected to unless that is allowed; the name is looked up
 *     once, and what was judged is what is connected to.
 * U2: TLS 1.2 or newer; the peer shows a certificate of the name in the URL that leads to the
 *     authorities; before that nothing is sent.
 * U3: every wait ends at its deadline, or at once when the stop descriptor becomes readable. */
#ifndef PH_DESTINATION_OUTBOUND_H
#define PH_DESTINATION_OUTBOUND_H

#include "base/limits.h"
#include "base/slice.h"
#include "base/status.h"

struct ph_outbound;

struct ph_outbound_options {
    const char *host, *port; /* the host without brackets */
    bool tls, allow_private;
    const char *ca_file, *certificate_file, *key_file; /* PEM; NULL: the system's; none */
    int stop_fd;
};

enum ph_outbound_result {
    PH_OUTBOUND_OK,
    PH_OUTBOUND_FAILED,  /* ret_why says how */
    PH_OUTBOUND_STOPPED, /* stop_fd (U3) */
};

enum { PH_OUTBOUND_WHY_BYTES = PH_DELIVERY_REASON_BYTES_MAX + 1 };

/* Deadlines are steady ms. Gives a connection. */
PH_MUST_USE enum ph_outbound_result ph_outbound_open(const struct ph_outbound_options *options,
                                                     int64_t deadline_ms, struct ph_outbound **ret,
                                                     char ret_why[PH_OUTBOUND_WHY_BYTES]);
/* NULL is fine. */
void ph_outbound_close(struct ph_outbound *outbound);
/* All of it. */
PH_MUST_USE enum ph_outbound_result ph_outbound_write(struct ph_outbound *outbound,
                                                      struct ph_slice bytes, int64_t deadline_ms,
                                                      char ret_why[PH_OUTBOUND_WHY_BYTES]);
/* Some bytes, at least one. */
PH_MUST_USE enum ph_outbound_result ph_outbound_read(struct ph_outbound *outbound, char *room,
                                                     size_t bytes, int64_t deadline_ms,
                                                     size_t *ret_count,
                                                     char ret_why[PH_OUTBOUND_WHY_BYTES]);
/* What there is now, without waiting; *ret_count 0: nothing. */
PH_MUST_USE enum ph_outbound_result ph_outbound_read_now(struct ph_outbound *outbound, char *room,
                                                         size_t bytes, size_t *ret_count,
                                                         char ret_why[PH_OUTBOUND_WHY_BYTES]);
/* Nothing is being said, yet there is something to read: the peer has gone, or talks out of turn.
 */
bool ph_outbound_is_stale(struct ph_outbound *outbound);

#endif
