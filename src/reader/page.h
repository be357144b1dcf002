/* Pages to tables. The only reader there is: connectorc and the program both use it. */
#ifndef PH_READER_PAGE_H
#define PH_READER_PAGE_H

#include "connector/connector.h"
#include "reader/yaml.h"

/* Reads one page. `file` names it in messages. The tables live in the arena and point into a
 * copy of the text. PH_ERR_MALFORMED: `errors` says where, what and what to do, in the order of
 * the page. PH_ERR_NO_MEMORY: nothing is known of the page. *ret is written on PH_OK only. */
PH_MUST_USE enum ph_status ph_page_read(struct ph_arena *arena, struct ph_slice file,
                                        struct ph_slice text, struct ph_page_errors *errors,
                                        const struct ph_connector **ret);

#endif
