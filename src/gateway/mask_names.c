/* Names under which persons and secrets stand, as processors write them: compared without case and
 * punctuation, so that card_holder, cardHolder and CARD-HOLDER are one. */
#include "gateway/mask_private.h"

/* Anywhere in a name. */
static const struct ph_slice parts[] = {
    PH_SI("email"),        PH_SI("phone"),          PH_SI("mobile"),
    PH_SI("firstname"),    PH_SI("lastname"),       PH_SI("givenname"),
    PH_SI("familyname"),   PH_SI("surname"),        PH_SI("fullname"),
    PH_SI("holder"),       PH_SI("shoppername"),    PH_SI("customername"),
    PH_SI("buyername"),    PH_SI("payername"),      PH_SI("billingname"),
    PH_SI("shippingname"), PH_SI("recipientname"),  PH_SI("ownername"),
    PH_SI("cardname"),     PH_SI("nameoncard"),     PH_SI("address"),
    PH_SI("street"),       PH_SI("postal"),         PH_SI("zipcode"),
    PH_SI("postcode"),     PH_SI("birth"),          PH_SI("passport"),
    PH_SI("nationalid"),   PH_SI("socialsecurity"), PH_SI("taxid"),
    PH_SI("iban"),         PH_SI("accountnumber"),  PH_SI("accountno"),
    PH_SI("cardnumber"),   PH_SI("cardno"),         PH_SI("cvc"),
    PH_SI("cvv"),          PH_SI("secret"),         PH_SI("password"),
    PH_SI("passwd"),       PH_SI("passphrase"),     PH_SI("token"),
    PH_SI("signature"),    PH_SI("hmac"),           PH_SI("apikey"),
    PH_SI("privatekey"),   PH_SI("authorization"),  PH_SI("credential"),
    PH_SI("cookie"),
};
/* The whole name. */
static const struct ph_slice wholes[] = {
    PH_SI("name"),     PH_SI("line1"),  PH_SI("line2"), PH_SI("city"),     PH_SI("zip"),
    PH_SI("tel"),      PH_SI("dob"),    PH_SI("pan"),   PH_SI("ip"),       PH_SI("ssn"),
    PH_SI("cpf"),      PH_SI("pin"),    PH_SI("vpa"),   PH_SI("upi"),      PH_SI("contact"),
    PH_SI("track1"),   PH_SI("track2"), PH_SI("hash"),  PH_SI("sign"),     PH_SI("sig"),
    PH_SI("checksum"), PH_SI("key"),    PH_SI("skey"),  PH_SI("username"), PH_SI("user"),
    PH_SI("digest"),
};
/* Names of our own that only look like those. */
static const struct ph_slice harmless[] = {PH_SI("matchedsecret")};

/* Header names: what proves, and what opens doors. */
static const struct ph_slice header_parts[] = {
    PH_SI("authorization"), PH_SI("cookie"),     PH_SI("signature"), PH_SI("hmac"),
    PH_SI("token"),         PH_SI("secret"),     PH_SI("password"),  PH_SI("apikey"),
    PH_SI("digest"),        PH_SI("credential"), PH_SI("verify"),    PH_SI("checksum"),
    PH_SI("jws"),           PH_SI("auth"),       PH_SI("sha"),       PH_SI("hash"),
};

enum { NAME_MAX = 64 };

/* Lower case letters and digits of a name; what is longer than any name of ours is cut. */
static struct ph_slice plain(struct ph_slice name, char room[NAME_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < name.len && len < NAME_MAX;) {
        const struct ph_mask_unit unit = ph_mask_unit_at(name, i);
        unsigned char c = unit.c >= 'A' && unit.c <= 'Z' ? (unsigned char)(unit.c | 0x20) : unit.c;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            room[len++] = (char)c;
        i += unit.width;
    }
    return ph_slice_of(room, len);
}

static bool has(struct ph_slice name, const struct ph_slice *list, size_t count, bool whole)
{
    for (size_t i = 0; i < count; i++)
        if (whole ? ph_slice_eq(name, list[i]) : ph_slice_find(name, list[i], 0) != SIZE_MAX)
            return true;
    return false;
}

bool ph_mask_hides(struct ph_slice name)
{
    char room[NAME_MAX];
    struct ph_slice text = plain(name, room);
    if (has(text, harmless, PH_COUNTOF(harmless), true))
        return false;
    return has(text, wholes, PH_COUNTOF(wholes), true) ||
           has(text, parts, PH_COUNTOF(parts), false);
}

bool ph_mask_is_secret(struct ph_slice name)
{
    char room[NAME_MAX];
    struct ph_slice text = plain(name, room), sig = PH_S("sig"), sign = PH_S("sign");
    bool ends = (text.len >= 3 && ph_slice_eq(ph_slice_from(text, text.len - 3), sig)) ||
                (text.len >= 4 && ph_slice_eq(ph_slice_from(text, text.len - 4), sign));
    return ends || has(text, header_parts, PH_COUNTOF(header_parts), false);
}
