#include "client/client.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "client/transfer.h"
#include "os/thread.h"

struct ph_client {
    struct ph_client_options options;
    pthread_mutex_t lock;             /* of what follows, to `multi` */
    struct ph_transfer *first, *last; /* taken, not yet begun */
    size_t inflight;
    bool running, stopping;
    CURLM *multi; /* made under the lock, then the thread's own, save curl_multi_wakeup */
    pthread_t thread;
    struct ph_transfer *begun; /* the thread's own */
};

struct ph_client *ph_client_new(const struct ph_client_options *options)
{
    struct ph_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->options = *options;
    pthread_mutex_init(&client->lock, NULL);
    return client;
}

/* ---- the thread ------------------------------------------------------------------------------ */

static void ended(struct ph_client *client, struct ph_transfer *t)
{
    ph_transfer_free(t);
    pthread_mutex_lock(&client->lock);
    client->inflight--;
    pthread_mutex_unlock(&client->lock);
}

static void forget(struct ph_client *client, const struct ph_transfer *t)
{
    struct ph_transfer **at = &client->begun;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
}

static void begin(struct ph_client *client, struct ph_transfer *t)
{
    if (!ph_transfer_has_files(t, &client->options)) {
        ph_transfer_fail(t, PH_CLIENT_TLS, PH_S("a TLS file is not there, or not a regular file"));
        ended(client, t);
        return;
    }
    if (!ph_transfer_prepare(t, &client->options) ||
        curl_multi_add_handle(client->multi, t->easy) != CURLM_OK) {
        ph_transfer_fail(t, PH_CLIENT_STOPPED, PH_S("out of memory"));
        ended(client, t);
        return;
    }
    t->next = client->begun;
    client->begun = t;
}

/* Takes over what was submitted; false: stop. */
static bool take_over(struct ph_client *client)
{
    pthread_mutex_lock(&client->lock);
    struct ph_transfer *next = client->first;
    client->first = client->last = NULL;
    bool stopping = client->stopping;
    pthread_mutex_unlock(&client->lock);
    while (next != NULL) {
        struct ph_transfer *t = next;
        next = t->next;
        begin(client, t);
    }
    return !stopping;
}

static void collect(struct ph_client *client)
{
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        struct ph_transfer *t = NULL;
        CURLcode code = message->data.result;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        (void)curl_multi_remove_handle(client->multi, t->easy);
        forget(client, t);
        ph_transfer_finish(t, code);
        ended(client, t);
    }
}

static void *run(void *arg)
{
    enum { POLL_MS = 10 * 1000 };
    struct ph_client *client = arg;
    int running = 0;
    sigset_t all;
    ph_os_thread_name("client");
    sigfillset(&all); /* signals are the main thread's; a lost peer must not raise SIGPIPE here */
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
    while (take_over(client)) {
        (void)curl_multi_perform(client->multi, &running);
        collect(client);
        (void)curl_multi_poll(client->multi, NULL, 0, POLL_MS, NULL);
    }
    while (client->begun != NULL) {
        struct ph_transfer *t = client->begun;
        client->begun = t->next;
        (void)curl_multi_remove_handle(client->multi, t->easy);
        ph_transfer_fail(t, PH_CLIENT_STOPPED, PH_S("payhook is stopping"));
        ended(client, t);
    }
    return NULL;
}

/* ---- outside --------------------------------------------------------------------------------- */

/* curl_global_init once per process; it may be called from several threads. */
static void global_init(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* With the lock. */
static bool start(struct ph_client *client)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, global_init);
    client->multi = curl_multi_init();
    if (client->multi == NULL)
        return false;
    (void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)PH_CLIENT_IDLE_MAX);
    (void)curl_multi_setopt(client->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                            (long)PH_CLIENT_INFLIGHT_MAX);
    if (pthread_create(&client->thread, NULL, run, client) != 0) {
        (void)curl_multi_cleanup(client->multi);
        client->multi = NULL;
        return false;
    }
    client->running = true;
    return true;
}

enum ph_status ph_client_submit(struct ph_client *client, const struct ph_client_request *request,
                                ph_client_done *done, void *ctx)
{
    if (!ph_transfer_fits(request))
        return PH_ERR_INVALID;
    struct ph_transfer *t = ph_transfer_new(request, done, ctx);
    if (t == NULL)
        return PH_ERR_NO_MEMORY;
    enum ph_status st = PH_OK;
    pthread_mutex_lock(&client->lock);
    if (client->stopping || client->inflight >= PH_CLIENT_INFLIGHT_MAX)
        st = PH_ERR_AGAIN;
    else if (!client->running && !start(client))
        st = PH_ERR_SYSTEM;
    if (st == PH_OK) {
        client->inflight++;
        if (client->last != NULL)
            client->last->next = t;
        else
            client->first = t;
        client->last = t;
    }
    pthread_mutex_unlock(&client->lock);
    if (st != PH_OK)
        ph_transfer_free(t);
    else
        (void)curl_multi_wakeup(client->multi);
    return st;
}

size_t ph_client_inflight(struct ph_client *client)
{
    pthread_mutex_lock(&client->lock);
    size_t count = client->inflight;
    pthread_mutex_unlock(&client->lock);
    return count;
}

void ph_client_free(struct ph_client *client)
{
    if (client == NULL)
        return;
    pthread_mutex_lock(&client->lock);
    client->stopping = true;
    bool running = client->running;
    pthread_mutex_unlock(&client->lock);
    if (running) {
        (void)curl_multi_wakeup(client->multi);
        pthread_join(client->thread, NULL);
        (void)curl_multi_cleanup(client->multi);
    }
    pthread_mutex_destroy(&client->lock);
    free(client);
}

struct ph_slice ph_client_header(const struct ph_client_response *response, struct ph_slice name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (ph_slice_eq_nocase(response->headers[i].name, name))
            return response->headers[i].value;
    return (struct ph_slice){0};
}
