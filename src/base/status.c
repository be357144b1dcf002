#include "base/status.h"

const char *ph_status_text(enum ph_status status)
{
    switch (status) {
#define PH_STATUS_TEXT(name, number, text)                                                         \
    case name:                                                                                     \
        return text;
        PH_STATUSES(PH_STATUS_TEXT)
#undef PH_STATUS_TEXT
    }
    return "unknown status";
}
