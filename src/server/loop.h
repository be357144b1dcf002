/* A reactor: one thread, one epoll, its connections, its engine worker. */
#ifndef PH_SERVER_LOOP_H
#define PH_SERVER_LOOP_H

#include "os/tls.h"
#include "server/metrics.h"
#include "server/server.h"

struct ph_reactor;

struct ph_admin;
struct ph_callouts;
struct ph_gateway;
struct ph_tally;
struct ph_view;
struct ph_watch;

/* What all reactors share. */
struct ph_reactor_shared {
    const struct ph_server_config *config;
    struct ph_callouts *callouts; /* NULL: none are made */
    struct ph_gateway *gateway;   /* NULL: there is none */
    struct ph_admin *admin;       /* NULL: there is none */
    const struct ph_counter_set *counters;
    const struct ph_watch *watch;
    struct ph_view *view; /* what they begin with: see ph_reactor_set_view */
};

/* Gives a running reactor, or NULL. Keeps all that is shared. Signals must be blocked in the
 * calling thread. */
struct ph_reactor *ph_reactor_start(const struct ph_reactor_shared *shared);
/* Any thread, until it is freed. */
const struct ph_counters *ph_reactor_counters(const struct ph_reactor *reactor);
const struct ph_tally *ph_reactor_tally(const struct ph_reactor *reactor);
/* By which listener a connection came in, and so what it may ask. */
enum ph_reactor_site { PH_SITE_CALLS, PH_SITE_WEBHOOKS, PH_SITE_ADMIN };
/* Deals it a connection; takes `fd` and `tls` (NULL: plain). False: PH_DEALT_MAX wait for it
 * already, and this one was closed. Any thread. */
PH_MUST_USE bool ph_reactor_deal(struct ph_reactor *reactor, int fd, struct ph_tls *tls,
                                 enum ph_reactor_site site);
/* What its requests are asked for, and may cost, from now on. Takes a reference of its own.
 * `leaving` has a bit 1 << enum ph_reactor_site for each listener whose connections so far end
 * with what is in flight. Any thread. */
void ph_reactor_set_view(struct ph_reactor *reactor, struct ph_view *view, unsigned leaving);
/* Connections it has, those dealt and not yet seen included. Any thread. */
size_t ph_reactor_load(struct ph_reactor *reactor);
/* Begins to finish: what is in flight has PH_DRAIN_MS. */
void ph_reactor_stop(struct ph_reactor *reactor);
/* Waits for its end. What it has asked of the network may still be answered afterwards, until it is
 * freed. */
void ph_reactor_join(struct ph_reactor *reactor);
/* Once all reactors have ended: they read each other's counters. */
void ph_reactor_free(struct ph_reactor *reactor);

#endif
