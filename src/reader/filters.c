/* Filters: "|lower", "|after-last:/". */
#include "reader/build.h"

static const struct ph_slice names[PH_FILTER_COUNT] = {
    [PH_FILTER_LOWER] = PH_SI("lower"),
    [PH_FILTER_UPPER] = PH_SI("upper"),
    [PH_FILTER_TRIM] = PH_SI("trim"),
    [PH_FILTER_STRIP_SPACE] = PH_SI("strip-space"),
    [PH_FILTER_REVERSE] = PH_SI("reverse"),
    [PH_FILTER_HEX] = PH_SI("hex"),
    [PH_FILTER_UNHEX] = PH_SI("unhex"),
    [PH_FILTER_BASE64] = PH_SI("base64"),
    [PH_FILTER_BASE64URL] = PH_SI("base64url"),
    [PH_FILTER_UNBASE64] = PH_SI("unbase64"),
    [PH_FILTER_MD5] = PH_SI("md5"),
    [PH_FILTER_SHA1] = PH_SI("sha1"),
    [PH_FILTER_SHA256] = PH_SI("sha256"),
    [PH_FILTER_SHA384] = PH_SI("sha384"),
    [PH_FILTER_SHA512] = PH_SI("sha512"),
    [PH_FILTER_CRC32] = PH_SI("crc32"),
    [PH_FILTER_JSON] = PH_SI("json"),
    [PH_FILTER_URL_ENCODE] = PH_SI("url-encode"),
    [PH_FILTER_URL_DECODE] = PH_SI("url-decode"),
    [PH_FILTER_SORTED] = PH_SI("sorted"),
    [PH_FILTER_MINIFY] = PH_SI("minify"),
    [PH_FILTER_RFC8785] = PH_SI("rfc8785"),
    [PH_FILTER_SORTED_JSON] = PH_SI("sorted-json"),
    [PH_FILTER_PICK] = PH_SI("pick"),
    [PH_FILTER_BEFORE_FIRST] = PH_SI("before-first"),
    [PH_FILTER_AFTER_FIRST] = PH_SI("after-first"),
    [PH_FILTER_AFTER_LAST] = PH_SI("after-last"),
    [PH_FILTER_STRIP_PREFIX] = PH_SI("strip-prefix"),
    [PH_FILTER_PAD2] = PH_SI("pad2"),
    [PH_FILTER_ISO] = PH_SI("iso"),
    [PH_FILTER_MS] = PH_SI("ms")};

static bool wants_argument(enum ph_filter_op op)
{
    return op >= PH_FILTER_PICK && op <= PH_FILTER_STRIP_PREFIX;
}

static void filter_of(struct ph_build *b, const struct ph_yaml *at, struct ph_slice text,
                      struct ph_filter *filter)
{
    size_t colon = ph_slice_find(text, PH_S(":"), 0);
    struct ph_slice name = colon == SIZE_MAX ? text : ph_slice_of(text.ptr, colon);
    size_t op = ph_build_word(b, at, "filter", name, names, PH_COUNTOF(names));
    if (op == SIZE_MAX)
        return;
    filter->op = (enum ph_filter_op)op;
    if (colon != SIZE_MAX)
        filter->arg = ph_slice_from(text, colon + 1);
    if (wants_argument(filter->op) && filter->arg.len == 0)
        ph_build_error(b, at, "the filter ", name, " needs an argument: name:argument");
    else if (!wants_argument(filter->op) && colon != SIZE_MAX)
        ph_build_error(b, at, "the filter ", name, " takes no argument");
    else if (filter->op == PH_FILTER_PICK)
        filter->pointer = ph_build_place(b, at, filter->arg);
}

const struct ph_filter *ph_build_filters(struct ph_build *b, const struct ph_yaml *at,
                                         struct ph_slice *text, uint16_t *ret_count)
{
    size_t bar = ph_slice_find(*text, PH_S("|"), 0), count = 0;
    *ret_count = 0;
    if (bar == SIZE_MAX)
        return NULL;
    struct ph_slice rest = ph_slice_from(*text, bar);
    text->len = bar;
    for (size_t i = 0; i < rest.len; i++)
        count += rest.ptr[i] == '|';
    if (!ph_build_within(b, at, count, PH_FILTERS_MAX, "more than 8 filters on one reference"))
        return NULL;
    struct ph_filter *filters = ph_build_alloc(b, count * sizeof(*filters));
    for (size_t i = 0, start = 1; i < count; i++) {
        size_t end = ph_slice_find(rest, PH_S("|"), start);
        if (end == SIZE_MAX)
            end = rest.len;
        filter_of(b, at, ph_slice_of(rest.ptr + start, end - start), &filters[i]);
        start = end + 1;
    }
    *ret_count = (uint16_t)count;
    return filters;
}
