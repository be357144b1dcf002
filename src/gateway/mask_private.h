/* What the files of masking share. */
#ifndef PH_GATEWAY_MASK_PRIVATE_H
#define PH_GATEWAY_MASK_PRIVATE_H

#include "gateway/mask.h"

#define PH_MASK_STARS PH_S("***")

/* What is put, in an arena (NULL: in the room given, which is enough); without memory the rest is
 * lost, and said at the end. */
struct ph_mask_out {
    struct ph_arena *arena;
    char *ptr;
    size_t len, room;
    bool failed;
    int depth; /* documents within documents (M4) */
};

void ph_mask_put(struct ph_mask_out *out, struct ph_slice bytes);
static inline void ph_mask_put_byte(struct ph_mask_out *out, char c)
{
    ph_mask_put(out, ph_slice_of(&c, 1));
}

/* One character as it is written: itself, \u0040, %40 or &#64;. */
struct ph_mask_unit {
    unsigned char c; /* 0x80: not ASCII; 0: an escape that is none of the others */
    size_t width;
};
struct ph_mask_unit ph_mask_unit_at(struct ph_slice text, size_t at);

/* A text that is one value: card numbers and e-mail addresses in it (M1). */
void ph_mask_value(struct ph_mask_out *out, struct ph_slice text);
/* A JSON number with a card's in it, as a text; false: there is none, nothing is put. */
bool ph_mask_card_number(struct ph_mask_out *out, struct ph_slice number);
/* Whether a text is base64 of a document, or a JWT. */
bool ph_mask_is_encoded(struct ph_slice text);
/* Whether what stands under this name is hidden (M2). */
bool ph_mask_hides(struct ph_slice name);

/* By its first byte: JSON, XML, or else a form. */
void ph_mask_document(struct ph_mask_out *out, struct ph_slice text);
bool ph_mask_is_document(struct ph_slice text);
void ph_mask_json(struct ph_mask_out *out, struct ph_slice text);
void ph_mask_xml(struct ph_mask_out *out, struct ph_slice text);
void ph_mask_form(struct ph_mask_out *out, struct ph_slice text);

#endif
