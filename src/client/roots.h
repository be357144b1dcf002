/* The root certificates of this machine, for those who check a chain themselves. */
#ifndef PH_CLIENT_ROOTS_H
#define PH_CLIENT_ROOTS_H

#include "base/arena.h"

/* The certificates of a PEM file as base64 DER in a comma list, in the arena: what the engine's
 * config `root_certificates_der_base64` takes. path NULL: the file that Debian, Fedora or Alpine
 * keep; PH_ERR_NOT_FOUND when there is none. PH_ERR_MALFORMED: no certificate in it. */
PH_MUST_USE enum ph_status ph_roots_read(struct ph_arena *arena, const char *path,
                                         struct ph_slice *ret_list);

#endif
