#include "os/thread.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

void ph_os_thread_name(const char *name)
{
    assert(strlen(name) < 16);
    (void)pthread_setname_np(pthread_self(), name); /* a help for people; nothing depends on it */
}
