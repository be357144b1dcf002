/* Threads as tools for looking at processes see them. */
#ifndef PH_OS_THREAD_H
#define PH_OS_THREAD_H

/* The calling thread's name in top -H, perf and /proc; up to 15 bytes. */
void ph_os_thread_name(const char *name);

#endif
