/* Addresses of certificates and key sets that proved a request, across a restart: so that a
 * genuine notice that names one is not taken for one of those that name what they made up, while
 * the addresses' host answers nobody.
 *
 * V1: a file of the data folder, a line for each address: when it last proved a request (unix ms),
 *     a blank, the address.
 * V2: an address alone, never what it brought: that is fetched again, from hosts that the page
 *     allows, before it proves anything. Whoever writes into the file gets it asked for, no more.
 * V3: bounded as the cache of callouts is; after PH_PROVEN_FOR_DAYS without a proof it is
 *     forgotten.
 * V4: an aid: a file that is not there or does not read leaves all addresses unknown, and nobody
 *     waits for its writing. */
#ifndef PH_GATEWAY_PROVEN_H
#define PH_GATEWAY_PROVEN_H

#include "client/callouts.h"

#define PH_PROVEN_FILE "proven-addresses"

/* Makes those of the file known to the callouts. */
void ph_proven_load(const char *path, struct ph_callouts *callouts, int64_t now_ms);
/* Writes the file when they have changed; what cannot be written is tried again with the next call.
 */
void ph_proven_save(const char *path, struct ph_callouts *callouts, int64_t now_ms);

#endif
