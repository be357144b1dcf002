#include "destination/destination.h"

static const struct ph_destination_kind *const kinds[] = {&ph_destination_http,
                                                          &ph_destination_redis};

static struct ph_slice scheme_of(struct ph_slice url)
{
    size_t colon = ph_slice_find(url, PH_S("://"), 0);
    return colon == SIZE_MAX ? (struct ph_slice){0} : ph_slice_of(url.ptr, colon);
}

static const struct ph_destination_kind *kind_of(struct ph_slice url)
{
    struct ph_slice scheme = scheme_of(url);
    for (size_t i = 0; i < PH_COUNTOF(kinds); i++)
        for (size_t k = 0; k < kinds[i]->scheme_count; k++)
            if (ph_slice_eq_nocase(kinds[i]->schemes[k], scheme))
                return kinds[i];
    return NULL;
}

enum ph_status ph_destination_open(const struct ph_destination_settings *settings,
                                   struct ph_destination **ret)
{
    const struct ph_destination_kind *kind = kind_of(settings->url);
    if (kind == NULL)
        return PH_ERR_UNSUPPORTED;
    PH_TRY(kind->open(settings, ret));
    (*ret)->kind = kind;
    return PH_OK;
}

enum ph_status ph_destination_send(struct ph_destination *destination,
                                   const struct ph_notice *notices, size_t count, int64_t now_ms,
                                   ph_destination_done *done, void *ctx)
{
    return destination->kind->send(destination, notices, count, now_ms, done, ctx);
}

void ph_destination_close(struct ph_destination *destination)
{
    if (destination != NULL)
        destination->kind->close(destination);
}
