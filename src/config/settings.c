#include "config/settings.h"

#include <stddef.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
#define DAY   ((int64_t)24 * HOUR)
#define YEARS (3653 * DAY) /* ten: longer is written `forever` */
#define KIB   ((int64_t)1024)
#define MIB   (KIB * KIB)
#define TIB   (MIB * MIB)

/* ---- words ----------------------------------------------------------------------------------- */

static const struct ph_slice mode_words[] = {[PH_CONFIG_MODE_ANY] = PH_SI("any"),
                                             [PH_CONFIG_MODE_LIVE] = PH_SI("live"),
                                             [PH_CONFIG_MODE_TEST] = PH_SI("test"),
                                             {0}};
static const struct ph_slice told_modes[] = {PH_SI("live"), PH_SI("test"), PH_SI("unknown"), {0}};
static const struct ph_slice told_verdicts[] = {
    PH_SI("verified"), PH_SI("unsigned"), PH_SI("unsupported"), {0}};
static const struct ph_slice scope_words[] = {
    PH_SI("read"), PH_SI("raw"), PH_SI("replay"), PH_SI("control"), {0}};
static const struct ph_slice ordering_words[] = {
    [PH_ORDERING_NONE] = PH_SI("none"), [PH_ORDERING_PAYMENT] = PH_SI("payment"), {0}};
static const struct ph_slice once_words[] = {
    [PH_ONCE_PER_EVENT] = PH_SI("event"), [PH_ONCE_PER_EFFECT] = PH_SI("effect"), {0}};
static const struct ph_slice format_words[] = {
    [PH_CONFIG_STRUCTURED] = PH_SI("structured"), [PH_CONFIG_BATCH] = PH_SI("batch"), {0}};
static const struct ph_slice log_formats[] = {
    [PH_LOG_TEXT] = PH_SI("text"), [PH_LOG_JSON] = PH_SI("json"), {0}};
static const struct ph_slice log_levels[] = {[PH_LOG_ERROR] = PH_SI("error"),
                                             [PH_LOG_WARNING] = PH_SI("warning"),
                                             [PH_LOG_INFO] = PH_SI("info"),
                                             [PH_LOG_DEBUG] = PH_SI("debug"),
                                             {0}};
static const struct ph_slice destination_schemes[] = {
    PH_SI("http"), PH_SI("https"), PH_SI("redis"), PH_SI("rediss"), {0}};
static const struct ph_slice web_schemes[] = {PH_SI("https"), PH_SI("http"), {0}};

/* ---- rows ------------------------------------------------------------------------------------ */

#define AT(member) .offset = offsetof(struct ph_config, member)
/* clang-format off */
static const struct ph_setting config_rows[] = {
    {.key = "data", .kind = PH_SET_PATH, AT(data), .fallback = "./payhook-data", .restart = true,
     .place = true, .env = "PAYHOOK_DATA",
     .help = "the folder of the inbox; made with mode 0700 and locked"},
    {.key = "connectors", .kind = PH_SET_PATH, AT(connectors), .unset = "none", .restart = true,
     .env = "PAYHOOK_CONNECTORS",
     .help = "a folder with further connector pages (*.yaml), over those compiled in"},
    {.key = "threads", .kind = PH_SET_COUNT, AT(threads), .fallback = "auto", .min = 1,
     .max = PH_THREADS_MAX, .zero = "auto", .restart = true, .env = "PAYHOOK_THREADS",
     .help = "reactor threads; auto: one for each core"},

    {.key = "webhooks.listen", .kind = PH_SET_LISTEN, AT(webhooks.listen),
     .fallback = "127.0.0.1:8081", .zero = "none", .restart = true, .place = true,
     .env = "PAYHOOK_WEBHOOKS_LISTEN",
     .help = "where processors post to (/webhooks/NAME and nothing else)"},
    {.key = "webhooks.tls.certificate", .kind = PH_SET_PATH, AT(webhooks.tls.certificate),
     .unset = "no TLS", .env = "PAYHOOK_WEBHOOKS_TLS_CERTIFICATE",
     .help = "PEM file with the certificate and its chain"},
    {.key = "webhooks.tls.key", .kind = PH_SET_PATH, AT(webhooks.tls.key), .unset = "no TLS",
     .env = "PAYHOOK_WEBHOOKS_TLS_KEY", .help = "PEM file with the certificate's private key"},
    {.key = "webhooks.tls.ca", .kind = PH_SET_PATH, AT(webhooks.tls.ca),
     .unset = "processors need no certificate", .env = "PAYHOOK_WEBHOOKS_TLS_CA",
     .help = "PEM file with the authorities that a processor's certificate must lead to"},
    {.key = "webhooks.insecure", .kind = PH_SET_FLAG, AT(webhooks.insecure), .fallback = "false",
     .env = "PAYHOOK_WEBHOOKS_INSECURE",
     .help = "allow it off loopback without TLS, as behind a proxy that has TLS"},

    {.key = "service.listen", .kind = PH_SET_LISTEN, AT(service.listen),
     .fallback = "127.0.0.1:8080", .zero = "none", .restart = true,
     .env = "PAYHOOK_SERVICE_LISTEN", .help = "the Event Service, metrics and admin API"},
    {.key = "service.tls.certificate", .kind = PH_SET_PATH, AT(service.tls.certificate),
     .unset = "no TLS", .env = "PAYHOOK_SERVICE_TLS_CERTIFICATE",
     .help = "PEM file with the certificate and its chain"},
    {.key = "service.tls.key", .kind = PH_SET_PATH, AT(service.tls.key), .unset = "no TLS",
     .env = "PAYHOOK_SERVICE_TLS_KEY", .help = "PEM file with the certificate's private key"},
    {.key = "service.tls.ca", .kind = PH_SET_PATH, AT(service.tls.ca),
     .unset = "clients need no certificate", .env = "PAYHOOK_SERVICE_TLS_CA",
     .help = "PEM file with the authorities that a client's certificate must lead to"},
    {.key = "service.token", .kind = PH_SET_KEY, AT(service.token),
     .unset = "no token is asked for", .env = "PAYHOOK_SERVICE_TOKEN",
     .help = "what callers of the Event Service send as Authorization: Bearer"},
    {.key = "service.insecure", .kind = PH_SET_FLAG, AT(service.insecure), .fallback = "false",
     .env = "PAYHOOK_SERVICE_INSECURE",
     .help = "allow it off loopback without TLS or without a token"},
    {.key = "service.config_override", .kind = PH_SET_FLAG, AT(service_config_override),
     .fallback = "false", .restart = true, .env = "PAYHOOK_SERVICE_CONFIG_OVERRIDE",
     .help = "accept x-config-override: callers may then redirect requests of ours"},
    {.key = "service.connection_age", .kind = PH_SET_DURATION, AT(service_connection_age_ms),
     .fallback = "unlimited", .min = SECOND, .max = YEARS, .zero = "unlimited", .restart = true,
     .env = "PAYHOOK_SERVICE_CONNECTION_AGE",
     .help = "ask clients to connect anew after this long"},

    {.key = "endpoints", .kind = PH_SET_NAMED, AT(endpoints), .of = PH_IN_ENDPOINT,
     .max = PH_ENDPOINTS_MAX, .unset = "none",
     .help = "the URLs that processors post to: /webhooks/NAME"},
    {.key = "destinations", .kind = PH_SET_NAMED, AT(destinations), .of = PH_IN_DESTINATION,
     .max = PH_DESTINATIONS_MAX, .unset = "none", .help = "where events are delivered to"},

    {.key = "retention.age", .kind = PH_SET_DURATION, AT(retention.age_ms), .fallback = "90d",
     .min = HOUR, .max = YEARS, .zero = "forever", .env = "PAYHOOK_RETENTION_AGE",
     .help = "how long requests and events are kept once delivered"},
    {.key = "retention.size", .kind = PH_SET_SIZE, AT(retention.size_bytes),
     .fallback = "unlimited", .min = 16 * MIB, .max = 64 * TIB, .zero = "unlimited",
     .env = "PAYHOOK_RETENTION_SIZE",
     .help = "past this size of the inbox the oldest delivered go early"},
    {.key = "retention.keys", .kind = PH_SET_DURATION, AT(retention.keys_ms),
     .fallback = "forever", .min = 400 * DAY, .max = YEARS, .zero = "forever",
     .env = "PAYHOOK_RETENTION_KEYS",
     .help = "how long a key is remembered after its event: what comes again meanwhile is no new "
             "event"},

    {.key = "quarantine.requests", .kind = PH_SET_COUNT, AT(quarantine.requests),
     .fallback = "100000", .min = 1, .max = 10000000, .unit = "requests",
     .env = "PAYHOOK_QUARANTINE_REQUESTS",
     .help = "refused requests kept at most, then senders hear 503; as many pending and as many "
             "unproven ones"},
    {.key = "quarantine.size", .kind = PH_SET_SIZE, AT(quarantine.bytes), .fallback = "256MiB",
     .min = MIB, .max = TIB, .env = "PAYHOOK_QUARANTINE_SIZE",
     .help = "bytes of refused requests kept at most, then senders hear 503; pending and unproven "
             "ones have the same each"},
    {.key = "quarantine.age", .kind = PH_SET_DURATION, AT(quarantine.age_ms), .fallback = "7d",
     .min = HOUR, .max = YEARS, .env = "PAYHOOK_QUARANTINE_AGE",
     .help = "how long a refused request waits to be verified again, and an unproven one counts"},

    {.key = "limits.body", .kind = PH_SET_SIZE, AT(limits.body_bytes), .fallback = "1MiB",
     .min = KIB, .max = PH_BODY_BYTES_MAX, .env = "PAYHOOK_LIMITS_BODY",
     .help = "a webhook's body; larger: 413 (a call's message has a limit of its own, 1.5 MiB)"},
    {.key = "limits.headers", .kind = PH_SET_COUNT, AT(limits.headers), .fallback = "128",
     .min = 16, .max = PH_HEADERS_MAX, .unit = "headers", .env = "PAYHOOK_LIMITS_HEADERS",
     .help = "a request's headers; more: 431"},
    {.key = "limits.header_size", .kind = PH_SET_SIZE, AT(limits.header_bytes),
     .fallback = "32KiB", .min = KIB, .max = PH_HEADER_BYTES_MAX,
     .env = "PAYHOOK_LIMITS_HEADER_SIZE", .help = "their bytes, all together; more: 431"},
    {.key = "limits.connections", .kind = PH_SET_COUNT, AT(limits.connections), .fallback = "8192",
     .min = 8, .max = PH_CONNECTIONS_MAX, .unit = "connections", .restart = true,
     .env = "PAYHOOK_LIMITS_CONNECTIONS",
     .help = "open at once, on both listeners together; more are closed at once"},
    {.key = "limits.header_time", .kind = PH_SET_DURATION, AT(limits.head_ms), .fallback = "10s",
     .min = SECOND, .max = 5 * MINUTE, .env = "PAYHOOK_LIMITS_HEADER_TIME",
     .help = "for a request's head to arrive; later: 408 (HTTP/2: the stream is reset)"},
    {.key = "limits.body_time", .kind = PH_SET_DURATION, AT(limits.body_ms), .fallback = "30s",
     .min = SECOND, .max = 5 * MINUTE, .env = "PAYHOOK_LIMITS_BODY_TIME",
     .help = "for its body; later: the same"},
    {.key = "limits.idle_time", .kind = PH_SET_DURATION, AT(limits.idle_ms), .fallback = "60s",
     .min = SECOND, .max = HOUR, .env = "PAYHOOK_LIMITS_IDLE_TIME",
     .help = "how long a connection without a request stays open"},

    {.key = "callouts.enabled", .kind = PH_SET_FLAG, AT(callouts.enabled), .fallback = "true",
     .restart = true, .env = "PAYHOOK_CALLOUTS_ENABLED",
     .help = "ask processors for certificates, key sets, verdicts and thin events; false: given "
             "in config, or UNREACHABLE"},
    {.key = "callouts.ca", .kind = PH_SET_PATH, AT(callouts.ca), .unset = "the system's",
     .restart = true, .env = "PAYHOOK_CALLOUTS_CA",
     .help = "PEM file with the authorities that processors' certificates must lead to"},
    {.key = "callouts.egress", .kind = PH_SET_LISTEN, AT(callouts.egress), .fallback = "none",
     .zero = "none", .restart = true, .env = "PAYHOOK_CALLOUTS_EGRESS",
     .help = "a gateway that every such request goes through; TLS is still with the processor"},

    {.key = "log.format", .kind = PH_SET_WORD, AT(log.format), .fallback = "text",
     .words = log_formats, .env = "PAYHOOK_LOG_FORMAT", .help = "lines for people or for programs"},
    {.key = "log.level", .kind = PH_SET_WORD, AT(log.level), .fallback = "info",
     .words = log_levels, .env = "PAYHOOK_LOG_LEVEL",
     .help = "what is logged: that and all before it in this list"},
    {.key = "metrics", .kind = PH_SET_FLAG, AT(metrics), .fallback = "true",
     .env = "PAYHOOK_METRICS", .help = "serve /metrics (Prometheus) on the service's listener"},

    {.key = "admin.socket", .kind = PH_SET_PATH, AT(admin.socket), .fallback = "admin.sock",
     .zero = "none", .in_data = true, .restart = true, .place = true,
     .env = "PAYHOOK_ADMIN_SOCKET",
     .help = "the admin API's unix socket, for the user that payhook runs as; relative to the "
             "data folder"},
    {.key = "admin.tokens", .kind = PH_SET_NAMED, AT(admin.tokens), .of = PH_IN_TOKEN,
     .max = PH_TOKENS_MAX, .unset = "none: the socket only",
     .help = "who may use the admin API on the service's listener"},
};
/* clang-format on */
#undef AT

#define AT(member) .offset = offsetof(struct ph_config_endpoint, member)
/* clang-format off */
static const struct ph_setting endpoint_rows[] = {
    {.key = "connector", .kind = PH_SET_TEXT, AT(connector), .required = true, .max = 64,
     .env = "PAYHOOK_ENDPOINT_*_CONNECTOR", .help = "the processor (payhook connectors list)"},
    {.key = "secrets", .kind = PH_SET_LIST, AT(secrets), .of = PH_IN_SECRET, .max = PH_SECRETS_MAX,
     .unset = "none", .env = "PAYHOOK_ENDPOINT_*_SECRETS",
     .help = "what the processor signs with, tried in order: env:NAME or file:PATH"},
    {.key = "context.capture_method", .kind = PH_SET_WORD, AT(capture_method),
     .vocabulary = PH_WORDS_CAPTURE_METHOD, .unset = "not told",
     .env = "PAYHOOK_ENDPOINT_*_CAPTURE_METHOD", .help = "what its payments are created with"},
    {.key = "config", .kind = PH_SET_FIELDS, AT(fields), .max = PH_CONFIG_VALUES_MAX - 2,
     .unset = "none",
     .help = "the connector's fields (payhook connectors show NAME); a value may be env:NAME or "
             "file:PATH"},
    {.key = "account", .kind = PH_SET_TEXT, AT(account), .max = 200,
     .unset = "as the payload says", .env = "PAYHOOK_ENDPOINT_*_ACCOUNT",
     .help = "the merchant account, where payloads do not name it"},
    {.key = "mode", .kind = PH_SET_WORD, AT(mode), .fallback = "any", .words = mode_words,
     .env = "PAYHOOK_ENDPOINT_*_MODE",
     .help = "the mode it is for; an event of the other one is kept, and told only where a "
             "destination asks for it"},
    {.key = "public_url", .kind = PH_SET_URL, AT(public_url), .words = web_schemes,
     .max = PH_URI_BYTES_MAX, .unset = "processors that sign the URL are not verified",
     .env = "PAYHOOK_ENDPOINT_*_PUBLIC_URL",
     .help = "the whole URL as the processor has it; signed URLs are never rebuilt from Host"},
    {.key = "tolerance", .kind = PH_SET_DURATION, AT(tolerance_ms), .fallback = "page",
     .min = SECOND, .max = 31 * DAY, .zero = "page", .env = "PAYHOOK_ENDPOINT_*_TOLERANCE",
     .help = "how old a signed time may be, in whole seconds; page: the connector's own figure"},
    {.key = "trusted_proxies", .kind = PH_SET_NETWORKS, AT(trusted_proxies),
     .max = PH_NETWORKS_MAX, .unset = "none", .env = "PAYHOOK_ENDPOINT_*_TRUSTED_PROXIES",
     .help = "whose X-Forwarded-For says who the sender is"},
    {.key = "allow_ips", .kind = PH_SET_NETWORKS, AT(allow_ips), .max = PH_NETWORKS_MAX,
     .unset = "all", .env = "PAYHOOK_ENDPOINT_*_ALLOW_IPS",
     .help = "senders that may post here; others hear 403"},
    {.key = "by", .kind = PH_SET_TEXT, AT(by), .max = 200, .unset = "one account",
     .env = "PAYHOOK_ENDPOINT_*_BY",
     .help = "where accounts share the URL, what tells them apart: a JSON pointer "
             "(/merchantAccountCode) or header:NAME"},
    {.key = "accounts", .kind = PH_SET_NAMED, AT(accounts), .of = PH_IN_ACCOUNT,
     .max = PH_ACCOUNTS_MAX, .unset = "one account",
     .help = "the accounts, by the value that `by` reads"},
};
/* clang-format on */
#undef AT

#define AT(member) .offset = offsetof(struct ph_config_account, member)
/* clang-format off */
static const struct ph_setting account_rows[] = {
    {.key = "secrets", .kind = PH_SET_LIST, AT(secrets), .of = PH_IN_SECRET, .max = PH_SECRETS_MAX,
     .unset = "the endpoint's", .help = "its own secrets, in place of the endpoint's"},
    {.key = "config", .kind = PH_SET_FIELDS, AT(fields), .max = PH_CONFIG_VALUES_MAX - 2,
     .unset = "the endpoint's", .help = "its own fields, over the endpoint's"},
};
/* clang-format on */
#undef AT

#define AT(member) .offset = offsetof(struct ph_config_secret, member)
/* clang-format off */
static const struct ph_setting secret_rows[] = {
    {.key = "secret", .kind = PH_SET_KEY, AT(secret), .required = true,
     .help = "env:NAME or file:PATH; a line end after it is cut"},
    {.key = "additional", .kind = PH_SET_KEY, AT(additional), .unset = "none",
     .help = "what belongs to it at some processors (Braintree's public key)"},
    {.key = "not_before", .kind = PH_SET_TIME, AT(not_before_ms), .unset = "from ever",
     .help = "valid from that time on: 2026-11-25T10:00:00Z"},
    {.key = "not_after", .kind = PH_SET_TIME, AT(not_after_ms), .unset = "for ever",
     .help = "valid up to that time"},
};
/* clang-format on */
#undef AT

#define AT(member) .offset = offsetof(struct ph_config_destination, member)
/* clang-format off */
static const struct ph_setting destination_rows[] = {
    {.key = "url", .kind = PH_SET_URL, AT(url), .required = true, .words = destination_schemes,
     .max = PH_URI_BYTES_MAX, .env = "PAYHOOK_DESTINATION_*_URL",
     .help = "where to: http:// or https:// the application, redis:// or rediss:// a stream"},
    {.key = "secret", .kind = PH_SET_LIST, AT(secrets), .of = PH_IN_SECRET, .max = PH_SECRETS_MAX,
     .unset = "none", .kinds = PH_CONFIG_HTTP, .env = "PAYHOOK_DESTINATION_*_SECRET",
     .help = "signs what is sent (Standard Webhooks); two while it is changed: env:NAME or "
             "file:PATH"},
    {.key = "allow_private", .kind = PH_SET_FLAG, AT(allow_private), .fallback = "false",
     .env = "PAYHOOK_DESTINATION_*_ALLOW_PRIVATE",
     .help = "its name may lead to a private address; a private address or localhost in the URL "
             "says so itself"},
    {.key = "tls.ca", .kind = PH_SET_PATH, AT(tls.ca), .unset = "the system's",
     .env = "PAYHOOK_DESTINATION_*_TLS_CA",
     .help = "PEM file with the authorities that its certificate must lead to"},
    {.key = "tls.certificate", .kind = PH_SET_PATH, AT(tls.certificate), .unset = "none",
     .env = "PAYHOOK_DESTINATION_*_TLS_CERTIFICATE",
     .help = "PEM file with our certificate, for mutual TLS"},
    {.key = "tls.key", .kind = PH_SET_PATH, AT(tls.key), .unset = "none",
     .env = "PAYHOOK_DESTINATION_*_TLS_KEY", .help = "PEM file with its private key"},
    {.key = "events", .kind = PH_SET_TEXTS, AT(events), .max = PH_WORDS_MAX, .unset = "all",
     .env = "PAYHOOK_DESTINATION_*_EVENTS",
     .help = "event types, names of the specification, or payment, refund, dispute, mandate, "
             "payout, recovery, fraud"},
    {.key = "connectors", .kind = PH_SET_TEXTS, AT(connectors), .max = PH_WORDS_MAX,
     .unset = "all", .env = "PAYHOOK_DESTINATION_*_CONNECTORS",
     .help = "events of these connectors only"},
    {.key = "verdicts", .kind = PH_SET_BITS, AT(verdicts),
     .fallback = "verified, unsigned, unsupported", .words = told_verdicts,
     .env = "PAYHOOK_DESTINATION_*_VERDICTS",
     .help = "what is not verified is told as a hint, and never names an event type"},
    {.key = "modes", .kind = PH_SET_BITS, AT(modes), .words = told_modes,
     .unset = "the mode its endpoint is for", .env = "PAYHOOK_DESTINATION_*_MODES",
     .help = "events of these modes, whatever mode their endpoint is for"},
    {.key = "amount.currency", .kind = PH_SET_TEXT, AT(amount.currency), .max = 3,
     .unset = "any amount", .env = "PAYHOOK_DESTINATION_*_AMOUNT_CURRENCY",
     .help = "amounts of this currency (ISO 4217) only"},
    {.key = "amount.least", .kind = PH_SET_COUNT, AT(amount.least), .fallback = "any",
     .max = INT64_MAX, .zero = "any", .unit = "minor units",
     .env = "PAYHOOK_DESTINATION_*_AMOUNT_LEAST", .help = "from this amount on: 1000 is 10.00 EUR"},
    {.key = "amount.most", .kind = PH_SET_COUNT, AT(amount.most), .fallback = "any", .min = 1,
     .max = INT64_MAX, .zero = "any", .unit = "minor units",
     .env = "PAYHOOK_DESTINATION_*_AMOUNT_MOST", .help = "up to this amount"},
    {.key = "retry.after", .kind = PH_SET_DURATIONS, AT(retry.after_ms),
     .fallback = "5s, 1m, 5m, 15m, 1h, 3h, 6h", .min = SECOND, .max = 31 * DAY,
     .env = "PAYHOOK_DESTINATION_*_RETRY_AFTER",
     .help = "the waits after the first try, the second, …; up to 16"},
    {.key = "retry.every", .kind = PH_SET_DURATION, AT(retry.every_ms), .fallback = "12h",
     .min = SECOND, .max = 31 * DAY, .zero = "never", .env = "PAYHOOK_DESTINATION_*_RETRY_EVERY",
     .help = "the wait once these are used up"},
    {.key = "retry.for", .kind = PH_SET_DURATION, AT(retry.for_ms), .fallback = "3d",
     .min = SECOND, .max = 31 * DAY, .env = "PAYHOOK_DESTINATION_*_RETRY_FOR",
     .help = "for how long it is tried; then it is a dead letter"},
    {.key = "retry.park", .kind = PH_SET_DURATION, AT(retry.park_ms), .fallback = "30m",
     .min = SECOND, .max = 31 * DAY, .env = "PAYHOOK_DESTINATION_*_RETRY_PARK",
     .help = "for how long 425 and 409 (not known yet) do not count as failures"},
    {.key = "timeout.connect", .kind = PH_SET_DURATION, AT(timeout.connect_ms), .fallback = "5s",
     .min = 100, .max = MINUTE, .env = "PAYHOOK_DESTINATION_*_TIMEOUT_CONNECT",
     .help = "for the connection; where it is not said, no longer than timeout.total"},
    {.key = "timeout.total", .kind = PH_SET_DURATION, AT(timeout.total_ms), .fallback = "15s",
     .min = 100, .max = 5 * MINUTE, .env = "PAYHOOK_DESTINATION_*_TIMEOUT_TOTAL",
     .help = "for one attempt, connection and answer"},
    {.key = "concurrency", .kind = PH_SET_COUNT, AT(concurrency), .fallback = "16", .min = 1,
     .max = 256, .unit = "attempts", .env = "PAYHOOK_DESTINATION_*_CONCURRENCY",
     .help = "under way at once"},
    {.key = "rate", .kind = PH_SET_COUNT, AT(rate), .fallback = "unlimited", .min = 1,
     .max = 1000000, .zero = "unlimited", .unit = "a second", .env = "PAYHOOK_DESTINATION_*_RATE",
     .help = "attempts begun at most"},
    {.key = "ordering", .kind = PH_SET_WORD, AT(ordering), .fallback = "none",
     .words = ordering_words, .env = "PAYHOOK_DESTINATION_*_ORDERING",
     .help = "payment: events of one payment one after the other, as they came"},
    {.key = "once_per", .kind = PH_SET_WORD, AT(once_per), .fallback = "event",
     .words = once_words, .env = "PAYHOOK_DESTINATION_*_ONCE_PER",
     .help = "effect: of several events that announce one change only the first is told"},
    {.key = "format", .kind = PH_SET_WORD, AT(format), .fallback = "structured",
     .words = format_words, .kinds = PH_CONFIG_HTTP, .env = "PAYHOOK_DESTINATION_*_FORMAT",
     .help = "CloudEvents: one to a request, or a list of them"},
    {.key = "batch", .kind = PH_SET_COUNT, AT(batch), .fallback = "1", .min = 1,
     .max = PH_DELIVERY_PAGE_MAX, .unit = "events", .env = "PAYHOOK_DESTINATION_*_BATCH",
     .help = "sent together at most (http: with format: batch)"},
    {.key = "redis.stream", .kind = PH_SET_TEXT, AT(redis.stream), .fallback = "payhook",
     .max = 200, .kinds = PH_CONFIG_REDIS, .env = "PAYHOOK_DESTINATION_*_REDIS_STREAM",
     .help = "the stream's key"},
    {.key = "redis.length", .kind = PH_SET_COUNT, AT(redis.length), .fallback = "unlimited",
     .min = 1, .max = 1000000000, .zero = "unlimited", .unit = "entries", .kinds = PH_CONFIG_REDIS,
     .env = "PAYHOOK_DESTINATION_*_REDIS_LENGTH",
     .help = "the stream is cut to about so many, read or not"},
    {.key = "redis.username", .kind = PH_SET_TEXT, AT(redis.username), .max = 200,
     .kinds = PH_CONFIG_REDIS, .unset = "none", .env = "PAYHOOK_DESTINATION_*_REDIS_USERNAME",
     .help = "of AUTH"},
    {.key = "redis.password", .kind = PH_SET_KEY, AT(redis.password), .kinds = PH_CONFIG_REDIS,
     .unset = "none", .env = "PAYHOOK_DESTINATION_*_REDIS_PASSWORD",
     .help = "of AUTH: env:NAME or file:PATH"},
};
/* clang-format on */
#undef AT

#define AT(member) .offset = offsetof(struct ph_config_token, member)
/* clang-format off */
static const struct ph_setting token_rows[] = {
    {.key = "secret", .kind = PH_SET_KEY, AT(secret), .required = true,
     .env = "PAYHOOK_ADMIN_TOKEN_*_SECRET", .help = "the token: env:NAME or file:PATH"},
    {.key = "scopes", .kind = PH_SET_BITS, AT(scopes), .fallback = "read", .words = scope_words,
     .env = "PAYHOOK_ADMIN_TOKEN_*_SCOPES",
     .help = "read: events and deliveries, masked; raw: requests as received; replay: send again; "
             "control: pause, reverify, reload"},
};
/* clang-format on */
#undef AT

/* clang-format off */
#define SCOPE(rows_, type_, title_) {.title = title_, .rows = rows_, .count = PH_COUNTOF(rows_), .bytes = sizeof(type_)}
/* clang-format on */
const struct ph_scope_rows ph_scopes[PH_SCOPE_COUNT] = {
    [PH_IN_CONFIG] = SCOPE(config_rows, struct ph_config, ""),
    [PH_IN_ENDPOINT] = SCOPE(endpoint_rows, struct ph_config_endpoint, "endpoints.NAME."),
    [PH_IN_ACCOUNT] =
        SCOPE(account_rows, struct ph_config_account, "endpoints.NAME.accounts.VALUE."),
    [PH_IN_SECRET] = SCOPE(secret_rows, struct ph_config_secret, "secrets[]."),
    [PH_IN_DESTINATION] =
        SCOPE(destination_rows, struct ph_config_destination, "destinations.NAME."),
    [PH_IN_TOKEN] = SCOPE(token_rows, struct ph_config_token, "admin.tokens.NAME."),
};

/* ---- asking ---------------------------------------------------------------------------------- */

struct ph_many ph_setting_many(const struct ph_setting *row, const void *scope)
{
    struct ph_many many;
    memcpy(&many, ph_setting_in(row, scope), sizeof many);
    return many;
}

bool ph_setting_word(const struct ph_setting *row, size_t at, struct ph_slice *ret_word,
                     int32_t *ret_number)
{
    if (row->words != NULL) {
        *ret_word = row->words[at];
        *ret_number = (int32_t)at;
        return ph_slice_present(row->words[at]);
    }
    size_t count;
    const struct ph_word *words = ph_words(row->vocabulary, &count);
    if (at >= count)
        return false;
    *ret_word = words[at].name;
    *ret_number = words[at].number;
    return true;
}

const struct ph_setting *ph_setting_find(enum ph_scope scope, struct ph_slice key)
{
    for (size_t i = 0; i < ph_scopes[scope].count; i++)
        if (ph_slice_eq(ph_slice_str(ph_scopes[scope].rows[i].key), key))
            return &ph_scopes[scope].rows[i];
    return NULL;
}
