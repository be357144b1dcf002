#include "os/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t clock)
{
    struct timespec t = {0};
    (void)clock_gettime(clock, &t); /* cannot fail for these two clocks */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t ph_os_unix_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t ph_os_steady_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t ph_os_steady_us(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
