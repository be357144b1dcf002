#include "server/metadata.h"

#include "server/override.h"
#include "wire/wire.h"

/* An error of headers or config (PEER-CONTRACT §7). */
static bool fault(struct ph_fault *ret_fault, struct ph_slice name, struct ph_slice message,
                  struct ph_slice suggestion)
{
    bool bad_config = ph_slice_eq(name, PH_S("INVALID_CONNECTOR_CONFIG"));
    *ret_fault = (struct ph_fault){.code = bad_config ? PH_GRPC_FAILED_PRECONDITION
                                                      : PH_GRPC_INVALID_ARGUMENT,
                                   .name = name,
                                   .message = message,
                                   .integration = true,
                                   .suggestion = suggestion};
    return false;
}

const struct ph_connector *ph_metadata_connector(const struct ph_server_config *config,
                                                 struct ph_slice name)
{
    size_t low = 0, high = config->connector_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct ph_slice at = config->connectors[middle]->name;
        size_t shorter = at.len < name.len ? at.len : name.len;
        int order = shorter > 0 ? (unsigned char)at.ptr[0] - (unsigned char)name.ptr[0] : 0;
        if (order == 0 && shorter > 0) /* mostly the first letter says it */
            order = memcmp(at.ptr, name.ptr, shorter);
        if (order == 0 && at.len == name.len)
            return config->connectors[middle];
        if (order < 0 || (order == 0 && at.len < name.len))
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ---- times ----------------------------------------------------------------------------------- */

static bool take_digits(struct ph_slice *text, size_t count, int64_t *ret)
{
    if (text->len < count)
        return false;
    int64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        number = number * 10 + (text->ptr[i] - '0');
    }
    *text = ph_slice_from(*text, count);
    *ret = number;
    return true;
}

static bool take_one_of(struct ph_slice *text, const char *set)
{
    if (text->len == 0 || text->ptr[0] == '\0' || strchr(set, text->ptr[0]) == NULL)
        return false;
    *text = ph_slice_from(*text, 1);
    return true;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar: years are counted from March, so that
 * the leap day is the last of its year. */
static int64_t days_since_epoch(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t months = (month + 9) % 12;
    return y * 365 + y / 4 - y / 100 + y / 400 + (months * 306 + 5) / 10 + day - 1 - 719468;
}

static bool take_fraction(struct ph_slice *text, int64_t *ret_ms)
{
    *ret_ms = 0;
    if (!take_one_of(text, "."))
        return true;
    int64_t weight = 100, digit = 0;
    size_t count = 0;
    while (take_digits(text, 1, &digit)) {
        *ret_ms += digit * weight;
        weight /= 10;
        count++;
    }
    return count > 0;
}

static bool take_zone(struct ph_slice *text, int64_t *ret_minutes)
{
    int64_t hours = 0, minutes = 0;
    *ret_minutes = 0;
    if (take_one_of(text, "Zz"))
        return true;
    bool west = text->len > 0 && text->ptr[0] == '-';
    if (!take_one_of(text, "+-") || !take_digits(text, 2, &hours) || !take_one_of(text, ":") ||
        !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = (hours * 60 + minutes) * (west ? -1 : 1);
    return true;
}

static bool read_rfc3339(struct ph_slice text, int64_t *ret_ms)
{
    int64_t year, month, day, hour, minute, second, ms, zone;
    if (!take_digits(&text, 4, &year) || !take_one_of(&text, "-") ||
        !take_digits(&text, 2, &month) || !take_one_of(&text, "-") ||
        !take_digits(&text, 2, &day) || !take_one_of(&text, "Tt ") ||
        !take_digits(&text, 2, &hour) || !take_one_of(&text, ":") ||
        !take_digits(&text, 2, &minute) || !take_one_of(&text, ":") ||
        !take_digits(&text, 2, &second) || !take_fraction(&text, &ms) || !take_zone(&text, &zone) ||
        text.len > 0)
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60)
        return false;
    int64_t minutes = (days_since_epoch(year, month, day) * 24 + hour) * 60 + minute - zone;
    *ret_ms = (minutes * 60 + second) * 1000 + ms;
    return *ret_ms >= 0;
}

bool ph_metadata_time(struct ph_slice text, int64_t *ret_ms)
{
    enum { DIGITS_MAX = 16 };
    struct ph_slice digits = text;
    if (text.len > 0 && text.len <= DIGITS_MAX && take_digits(&digits, text.len, ret_ms))
        return true;
    return read_rfc3339(text, ret_ms);
}

/* ---- the connector --------------------------------------------------------------------------- */

/* "<header>: <why>": of two headers that may hold it, the one that does not read. */
static struct ph_slice say(struct ph_arena *arena, struct ph_slice header, struct ph_slice why)
{
    struct ph_slice between = PH_S(": ");
    char *text = ph_arena_alloc(arena, header.len + between.len + why.len);
    if (text == NULL)
        return why;
    memcpy(text, header.ptr, header.len);
    memcpy(text + header.len, between.ptr, between.len);
    memcpy(text + header.len + between.len, why.ptr, why.len);
    return ph_slice_of(text, header.len + between.len + why.len);
}

static bool read_config(struct ph_arena *arena, struct ph_slice header, struct ph_slice text,
                        struct ph_slice member, struct ph_slice *ret_name, struct ph_metadata *ret,
                        struct ph_fault *ret_fault)
{
    struct ph_slice why = {0};
    enum ph_status st =
        ph_wire_read_config(arena, text, member, ret_name, &ret->config, &ret->config_count, &why);
    if (st == PH_OK && ret->config_count == 0)
        return fault(ret_fault, PH_S("INVALID_CONNECTOR_CONFIG"),
                     PH_S("Invalid connector config: it has no field"),
                     PH_S("to send no credentials, send x-connector instead"));
    if (st == PH_OK)
        return true;
    if (st == PH_ERR_NO_MEMORY) {
        *ret_fault = (struct ph_fault){.code = PH_GRPC_RESOURCE_EXHAUSTED,
                                       .name = PH_S("RESOURCE_EXHAUSTED"),
                                       .message = PH_S("out of memory")};
        return false;
    }
    return fault(ret_fault,
                 st == PH_ERR_NOT_FOUND ? PH_S("MISSING_REQUIRED_FIELD")
                                        : PH_S("INVALID_DATA_FORMAT"),
                 say(arena, header, why.len > 0 ? why : PH_S("not the JSON it should be")),
                 PH_S("send {\"config\":{\"<Connector>\":{…}}}"));
}

/* Which header names the connector: x-connector-config wins, unless `x-auth: NoKey` says that there
 * are no credentials; then x-connector alone counts. */
static bool read_name(struct ph_arena *arena, const struct ph_http_request *request,
                      struct ph_slice *ret_name, struct ph_metadata *ret,
                      struct ph_fault *ret_fault)
{
    bool no_key = ph_slice_eq_nocase(ph_http_header(request, PH_S("x-auth")), PH_S("NoKey"));
    struct ph_slice config = ph_http_header(request, PH_S("x-connector-config"));
    if (ph_slice_present(config) && !no_key)
        return read_config(arena, PH_S("x-connector-config"), config, PH_S("config"), ret_name, ret,
                           ret_fault);
    struct ph_slice auth = ph_http_header(request, PH_S("x-connector-auth"));
    if (ph_slice_present(auth) && !no_key)
        return read_config(arena, PH_S("x-connector-auth"), auth, PH_S("auth_type"), ret_name, ret,
                           ret_fault);
    *ret_name = ph_http_header(request, PH_S("x-connector"));
    if (ret_name->len == 0)
        return fault(ret_fault, PH_S("MISSING_REQUIRED_FIELD"),
                     PH_S("Missing required field: x-connector (header)"),
                     PH_S("send x-connector, or x-connector-config"));
    return true;
}

bool ph_metadata_read(const struct ph_server_config *config, struct ph_arena *arena,
                      const struct ph_http_request *request, int64_t now_ms,
                      struct ph_metadata *ret, struct ph_fault *ret_fault)
{
    struct ph_metadata found = {.received_ms = now_ms};
    struct ph_slice name = {0};
    if (!read_name(arena, request, &name, &found, ret_fault))
        return false;
    found.connector = ph_metadata_connector(config, name);
    if (found.connector == NULL)
        return fault(ret_fault, PH_S("INVALID_DATA_FORMAT"),
                     PH_S("Invalid data format: no connector has the name given; names are "
                          "snake_case, as `payhook connectors list` shows them"),
                     PH_S("see `payhook connectors list`"));
    struct ph_slice received = ph_http_header(request, PH_S("x-received-at"));
    if (ph_slice_present(received) && !ph_metadata_time(received, &found.received_ms))
        return fault(ret_fault, PH_S("INVALID_DATA_FORMAT"),
                     PH_S("Invalid data format: x-received-at takes unix milliseconds or RFC 3339"),
                     (struct ph_slice){0});
    if (!ph_override_apply(config, arena, ph_http_header(request, PH_S("x-config-override")),
                           &found, ret_fault))
        return false;
    *ret = found;
    return true;
}
