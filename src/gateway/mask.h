/* What people may see of a request without asking for more: card numbers, e-mail addresses, names,
 * postal addresses, phone numbers, secrets and signatures become stars. Pure.
 *
 * M1: a card number (13 to 19 digits that begin as a card scheme's do, with the right check digit,
 *     spaced or not, escaped or not) keeps its last four digits and no others. Other numbers stay,
 *     and UUIDs and traceparents whole: they are ids that people search by, and times.
 * M2: what stands under a name that means a person or a secret is hidden whole, with all that is
 *     inside.
 * M5: a JWT, wherever it stands, is hidden.
 * M3: JSON stays JSON (a number alone is a text). What is neither JSON, XML nor a form is looked
 *     through for M1 and e-mail addresses.
 * M4: documents within documents (JSON in a text, in a form's field) are masked too, to a depth;
 *     base64 of one is hidden. */
#ifndef PH_GATEWAY_MASK_H
#define PH_GATEWAY_MASK_H

#include "base/arena.h"

/* A body, or any text. Absent: no memory. */
struct ph_slice ph_mask_text(struct ph_arena *arena, struct ph_slice text);
/* One value, no document: card numbers and e-mail addresses in it (M1). Takes no memory: it is
 * never longer than the text, for which there is room at `to`. Gives its length. */
size_t ph_mask_words(struct ph_slice text, char *to);
/* A path with a query. Absent: no memory. */
struct ph_slice ph_mask_uri(struct ph_arena *arena, struct ph_slice uri);
/* A header's value. Absent: no memory. */
struct ph_slice ph_mask_header(struct ph_arena *arena, struct ph_slice name, struct ph_slice value);
/* Whether a header carries a secret or a signature: those are shown to nobody, whatever he may see.
 */
bool ph_mask_is_secret(struct ph_slice name);
/* A URL of a configuration: without user, password and query. */
struct ph_slice ph_mask_url(struct ph_arena *arena, struct ph_slice url);

#endif
