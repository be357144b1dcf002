/* The file: its tables, views and version. docs/inbox.md tells users what is in them; the schema is
 * a public promise.
 *
 * S1: ids are made of parts, so that nothing needs an index to find what belongs to what:
 *     event = request * 1024 + item, delivery = event * 65536 + destination * 256 + sending.
 * S2: a file of a newer version is not touched. */
#ifndef PH_INBOX_SCHEMA_H
#define PH_INBOX_SCHEMA_H

#include "inbox/inbox.h"
#include "inbox/sql.h"

enum {
    PH_INBOX_APPLICATION_ID = 0x70686b31, /* "phk1" */
    PH_INBOX_VERSION = 2,
};

/* Opens (and for `create` makes) `path` as the inbox's file: pages, log, durability. Not migrated
 * yet. On failure ret_why says what and what to do. */
PH_MUST_USE enum ph_status ph_schema_open(struct ph_sql *sql, const char *path, const char *vfs,
                                          char *ret_why);
/* Brings the file to PH_INBOX_VERSION. ret_why as above. */
PH_MUST_USE enum ph_status ph_schema_migrate(struct ph_sql *sql, const char *path, char *ret_why);

static inline int64_t ph_event_id(int64_t request, int32_t item)
{
    return request * PH_INBOX_ITEMS_MAX + item;
}
static inline int32_t ph_event_item(int64_t event)
{
    return (int32_t)(event % PH_INBOX_ITEMS_MAX);
}
static inline int64_t ph_event_request(int64_t event)
{
    return event / PH_INBOX_ITEMS_MAX;
}
static inline int64_t ph_delivery_id(int64_t event, int64_t destination, int64_t sending)
{
    return (event * PH_INBOX_NAMES_MAX + destination) * PH_INBOX_SENDINGS_MAX + sending;
}
static inline int64_t ph_delivery_event(int64_t delivery)
{
    return delivery / (PH_INBOX_NAMES_MAX * PH_INBOX_SENDINGS_MAX);
}
static inline int64_t ph_delivery_destination(int64_t delivery)
{
    return delivery / PH_INBOX_SENDINGS_MAX % PH_INBOX_NAMES_MAX;
}

#endif
