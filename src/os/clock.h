/* The clocks. Nothing above os/ reads one. */
#ifndef PH_OS_CLOCK_H
#define PH_OS_CLOCK_H

#include <stdint.h>

/* Unix time in ms. */
int64_t ph_os_unix_ms(void);
/* A clock that never goes back, in ms; for time limits. */
int64_t ph_os_steady_ms(void);
/* The same clock in µs; for measurements. */
int64_t ph_os_steady_us(void);

#endif
