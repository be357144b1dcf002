/* Sends some events to one destination, as the dispatcher would, and says how each ended:
 *   deliver URL SECRET [batch]
 * DELIVER_CA, DELIVER_CERT and DELIVER_KEY name PEM files.
 * A payment that is paid, the same event again, another one, and a hint that proves nothing. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "destination/destination.h"
#include "os/clock.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;
static int ended;

static void on_done(void *ctx, const struct ph_outcome *outcome)
{
    static const char *const told[] = {"", "accepted", "not yet", "refused", "failed", "returned"};
    (void)ctx;
    pthread_mutex_lock(&lock);
    printf("%s %d%s%.*s\n", told[outcome->told], outcome->status,
           outcome->reason.len > 0 ? " " : "", (int)outcome->reason.len,
           outcome->reason.len > 0 ? outcome->reason.ptr : "");
    ended++;
    pthread_cond_signal(&news);
    pthread_mutex_unlock(&lock);
}

#define PAID                                                                                       \
    .type = PH_SI("PAYMENT_INTENT_SUCCESS"), .connector = PH_SI("stripe"),                         \
    .endpoint = PH_SI("shop"),                                                                     \
    .answer = PH_SI("{\"event_type\":\"PAYMENT_INTENT_SUCCESS\",\"source_verified\":true,"         \
                    "\"verdict\":\"VERIFIED\"}")

static struct ph_inbox_due events[] = {
    {PAID, .event_id = PH_SI("stripe:evt_1.a"), .subject = PH_SI("pi_1")},
    {PAID, .event_id = PH_SI("stripe:evt_1.a"), .subject = PH_SI("pi_1"), .replay = true},
    {PAID, .event_id = PH_SI("stripe:evt_2"), .subject = PH_SI("pi_2"), .late = true},
    {.event_id = PH_SI("evt_3"),
     .type = PH_SI("WEBHOOK_EVENT_TYPE_UNSPECIFIED"),
     .subject = PH_SI("pi_3"),
     .connector = PH_SI("stripe"),
     .endpoint = PH_SI("shop"),
     .answer = PH_SI("{\"verdict\":\"UNSIGNED\"}")},
};

int main(int argc, char **argv)
{
    enum { COUNT = 4 };
    struct ph_notice notices[COUNT];
    struct ph_destination *destination;
    bool batch = argc > 3 && strcmp(argv[3], "batch") == 0;
    if (argc < 3)
        return 2;
    struct ph_destination_secret secret = {.key = ph_slice_str(argv[2])};
    struct ph_destination_settings settings = {.url = ph_slice_str(argv[1]),
                                               .allow_private = true,
                                               .connect_ms = 5000,
                                               .total_ms = 5000,
                                               .secrets = &secret,
                                               .secret_count = 1,
                                               .batches = batch,
                                               .ca_file = ph_slice_str(getenv("DELIVER_CA")),
                                               .certificate_file =
                                                   ph_slice_str(getenv("DELIVER_CERT")),
                                               .key_file = ph_slice_str(getenv("DELIVER_KEY")),
                                               .stream = PH_S("payhook"),
                                               .agent = PH_S("payhook/test")};
    if (ph_destination_open(&settings, &destination) != PH_OK)
        return 1;
    for (int i = 0; i < COUNT; i++) {
        events[i].received_ms = ph_os_unix_ms();
        notices[i] = (struct ph_notice){.due = &events[i], .attempt = 1};
    }
    for (int i = 0; i < COUNT; i += batch ? COUNT : 1) {
        int before = ended;
        if (ph_destination_send(destination, &notices[i], batch ? COUNT : 1, ph_os_unix_ms(),
                                on_done, NULL) != PH_OK)
            return 1;
        pthread_mutex_lock(&lock);
        while (ended == before)
            pthread_cond_wait(&news, &lock);
        pthread_mutex_unlock(&lock);
    }
    ph_destination_close(destination);
    return 0;
}
