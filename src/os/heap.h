/* The heap, for arenas of what lies beneath the I/O line. */
#ifndef PH_OS_HEAP_H
#define PH_OS_HEAP_H

#include "base/arena.h"

/* malloc and free. Any thread. */
extern const struct ph_allocator ph_os_heap;
/* Gives the system back what was freed: malloc keeps it for the next. Takes some microseconds for
 * each megabyte. Any thread. */
void ph_os_heap_trim(void);

#endif
