/* Every limit of the engine, with its reason. Nothing that strangers feed grows without one. */
#ifndef PH_BASE_LIMITS_H
#define PH_BASE_LIMITS_H

enum {
    /* A webhook body. The largest documented one is some hundred KiB (Stripe invoices). */
    PH_BODY_BYTES_MAX = 1024 * 1024,
    /* Nesting of JSON and XML: processors use under 12; the parsers recurse or keep a stack. */
    PH_DEPTH_MAX = 64,
    /* Headers of one request, and their bytes. nginx allows 32 KiB by default. */
    PH_HEADERS_MAX = 128,
    PH_HEADER_BYTES_MAX = 32 * 1024,
    PH_URI_BYTES_MAX = 8 * 1024,
    /* Events in one request: GoCardless sends up to 250, Adyen six. */
    PH_ITEMS_MAX = 1000,
    /* Entries of a signature header, and signatures tried in it: senders use two during a
     * rotation. */
    PH_SIGNATURE_ENTRIES_MAX = 32,
    PH_SIGNATURES_MAX = 8,
    /* Secrets of one endpoint: a rotation needs two. */
    PH_SECRETS_MAX = 16,
    PH_SECRET_BYTES_MAX = 64 * 1024, /* a JWKS document may be handed over as a secret */
    /* Config fields of one call; the largest connector has eight, and callouts add one each. */
    PH_CONFIG_VALUES_MAX = 64,
    /* Of a sender's text, quoted in a reason: a person must recognise it, and no more. */
    PH_QUOTED_BYTES_MAX = 64,
    /* Form fields and XML elements of one body. */
    PH_FORM_FIELDS_MAX = 2000,
    PH_XML_NODES_MAX = 20000,
    /* Keys of one JWKS document; TrueLayer has four. */
    PH_JWKS_KEYS_MAX = 64,
    /* Root certificates a chain may end in: Mozilla's list has about 150. */
    PH_ROOTS_MAX = 256,
    /* Memory of one request: a 1 MiB body decoded twice, its tree (13 x its size in yyjson's worst
     * case, which has a pool of its own), its answer. */
    PH_ARENA_BYTES_MAX = 64 * 1024 * 1024,
    PH_ARENA_KEEP_BYTES = 1024 * 1024,

    /* ---- the command line -------------------------------------------------------------------- */
    /* A file that an option names: a HAR of a browser session holds more than the one request. */
    PH_FILE_BYTES_MAX = 16 * 1024 * 1024,
    /* A line of --ndjson: a 1 MiB body whose every byte is written \u00XX, with its headers and
     * config. */
    PH_LINE_BYTES_MAX = 8 * 1024 * 1024,

    /* ---- pages (connectors/<name>.yaml) ------------------------------------------------------
     * A page may come from anybody, and is read at start: every count below bounds time and
     * memory, and is several times what the largest page of ours (stripe, 27 KiB) uses. */
    PH_PAGE_BYTES_MAX = 512 * 1024,
    PH_PAGE_TEXT_BYTES_MAX = 4096,  /* one text: notes are paragraphs, the rest are lines */
    PH_PAGE_DEPTH_MAX = 16,         /* the loader recurses; a page of ours nests 6 deep */
    PH_PAGE_NODES_MAX = 50 * 1000,  /* texts, lists and maps */
    PH_PAGE_MEMBERS_MAX = 1000,     /* of one map or list: keys are compared each with each */
    PH_PAGE_ERRORS_MAX = 20,        /* told at once: a screenful */
    PH_PAGE_DETAIL_BYTES_MAX = 120, /* of the page, quoted in one error */
    PH_PAGE_NAME_BYTES_MAX = 64,    /* of a connector: it stands in URLs, file names and C */
    PH_HANDSHAKE_HEADERS_MAX = 8,
    PH_PAGE_VARIANTS_MAX = 16,   /* each reads the page's sections again */
    PH_PAGE_SIGNATURES_MAX = 8,  /* schemes of one variant; paypal has two */
    PH_PAGE_MESSAGES_MAX = 8,    /* signed texts that one scheme allows; phonepe has two */
    PH_PAGE_TIME_PIECES_MAX = 8, /* of a signed time: each is looked for in every message */
    PH_PAGE_KEY_PARTS_MAX = 32,  /* of a dedupe key; razorpay has 15 */
    PH_PAGE_KEY_PIECES_MAX = 16, /* of one part: each is looked for in every message */
    PH_PAGE_LAYOUTS_MAX = 16,
    PH_PAGE_LAYOUT_PARTS_MAX = 16,
    PH_PAGE_LETS_MAX = 16,
    PH_LET_DEPTH_MAX = 4,    /* lets that name lets: what a text needs is walked recursively */
    PH_LET_PIECES_MAX = 256, /* of a let, its own lets written out: they must not multiply */
    PH_PAGE_MAPS_MAX = 128,  /* maps, each counted once for every vocabulary it serves */
    PH_PAGE_BLOCKS_MAX = 64,
    PH_PAGE_RULES_MAX = 500,  /* of a variant; the most is 53 */
    PH_PAGE_TYPES_MAX = 1000, /* event types that a variant's rules spell out: each gets a group */
    PH_POINTER_STEPS_MAX = PH_DEPTH_MAX, /* no document is deeper */
    PH_POINTER_NODES_MAX = 1024, /* different beginnings of a page's pointers; the most is 91 */
    PH_TEMPLATE_PIECES_MAX = 64, /* paypal's verify call has 17 */
    PH_ALTERNATIVES_MAX = 16,    /* of one value: a or b or … */
    PH_FILTERS_MAX = 8,          /* on one reference */

    /* ---- the server -------------------------------------------------------------------------- */
    /* A call's whole message: the largest body as base64 text, with its headers and secrets. */
    PH_MESSAGE_BYTES_MAX = PH_BODY_BYTES_MAX / 2 * 3,
    /* A status message: clients refuse trailers over 8 KiB, and percent-encoding can treble it. */
    PH_GRPC_TEXT_BYTES_MAX = 2000,
    /* Calls open at once on one HTTP/2 connection; RFC 9113 asks for at least 100. */
    PH_STREAMS_MAX = 128,
    /* Streams a client may reset beyond those it lets finish (CVE-2023-44487). */
    PH_RESETS_MAX = 200,
    /* Frames that ask for work and carry none (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty
     * DATA) beyond one a second and those that go with real ones (CVE-2019-9512, -9515, -9518).
     * Careful clients send some at every message. */
    PH_CONTROL_FRAMES_MAX = 400,
    /* A header block is decoded to its end even when it is refused; past this it is an attack. */
    PH_HEADER_BLOCK_BYTES_MAX = 16 * PH_HEADER_BYTES_MAX,
    /* CONTINUATION frames of one header block (CVE-2024-28182): PH_HEADER_BYTES_MAX needs two. */
    PH_CONTINUATIONS_MAX = 8,
    PH_CONNECTIONS_MAX = 8192,
    /* beyond those: when strangers hold all, whoever runs it still gets in */
    PH_ADMIN_CONNECTIONS_SPARE = 16,
    /* Accepted connections that a reactor has not looked at yet: it looks each round, a
     * millisecond or so. */
    PH_DEALT_MAX = 256,
    /* Exchanges of one reactor whose answer comes later; also the places of its completion
     * queue. */
    PH_LATER_MAX = 4096,
    /* What one stream of many answers may leave unsent before its handler waits for room. */
    PH_STREAM_OUTPUT_BYTES_MAX = 256 * 1024,
    /* What waits in one socket's output before we stop reading from it. */
    PH_OUTPUT_BYTES_HIGH = 256 * 1024,
    /* Buffers of all connections of one reactor thread. */
    PH_REACTOR_BYTES_MAX = 256 * 1024 * 1024,
    PH_BUFFER_KEEP_BYTES = 16 * 1024, /* a stream keeps buffers up to this size for the next */
    PH_READ_BYTES = 64 * 1024,        /* one recv */
    PH_THREADS_MAX = 64,
    PH_ENDPOINTS_MAX = 4096,
    /* Times, in ms. A head takes one round trip, a body of 1 MiB 30 s even at 300 kbit/s. */
    PH_HEAD_READ_MS = 10 * 1000,
    PH_BODY_READ_MS = 30 * 1000,
    PH_IDLE_MS = 60 * 1000,
    PH_WRITE_STALL_MS = 30 * 1000,
    PH_LINGER_MS = 2 * 1000, /* after a refusal: long enough that the client reads it */
    PH_DRAIN_MS = 5 * 1000,
    /* A quiet connection with open streams is asked whether it still lives, and has this long to
     * say so. */
    PH_KEEPALIVE_MS = 60 * 1000,
    PH_KEEPALIVE_WAIT_MS = 20 * 1000,

    /* ---- the configuration ------------------------------------------------------------------- */
    PH_CONFIG_FINDINGS_MAX = 200, /* said at once; the rest is counted */
    PH_DESTINATIONS_MAX = 64,     /* each is a delivery of each event */
    PH_ACCOUNTS_MAX = 1000,       /* of one endpoint; the reader takes no larger map */
    PH_TOKENS_MAX = 64,
    /* of one list; processors that publish their addresses name some dozens */
    PH_NETWORKS_MAX = 256,
    PH_WORDS_MAX = 128, /* of one list */

    /* ---- watching ---------------------------------------------------------------------------- */
    /* of one reactor: those of a whole other configuration, too */
    PH_TALLY_ROWS_MAX = 2 * PH_ENDPOINTS_MAX,
    /* A clock that is wrong makes all that is signed with a time stale; a queue that a processor
     * works off, a few. */
    PH_STALE_MINUTES = 5,
    PH_STALE_LEAST = 10,
    PH_STALE_PERCENT = 10,
    PH_LOG_LINE_BYTES_MAX = 2048,
    PH_LOG_TEXT_BYTES_MAX = 200, /* of a value that strangers chose */
    /* of one of ours: what is wrong with a configuration, with its place */
    PH_LOG_OURS_BYTES_MAX = 800,
    /* two of them: what waits for a slow reader; past it lines are lost and counted */
    PH_LOG_BUFFER_BYTES = 256 * 1024,
    PH_LOG_GATHER_MS = 20,  /* lines are written together */
    PH_LOG_FLUSH_MS = 1000, /* at the end, for a reader that does not read */

    /* ---- the inbox ---------------------------------------------------------------------------
     * An op that waits holds its webhook's bytes: 64 MiB are 25,000 usual ones, seconds of work,
     * and what a reactor may hold too. Past it the sender is told to come again. */
    PH_INBOX_OPS_MAX = 16 * 1024,
    PH_INBOX_OPS_BYTES_MAX = 64 * 1024 * 1024,
    /* One commit: what fits the writer's page cache several times over; more would not be
     * faster, only later. */
    PH_INBOX_BATCH_OPS_MAX = 1024,
    PH_INBOX_BATCH_BYTES_MAX = 8 * 1024 * 1024,
    PH_INBOX_PAGE_BYTES = 8192,
    /* What waits for a destination that is configured no longer is kept so long: it may have
     * been a slip of the pen. */
    PH_INBOX_GONE_MS = 24 * 3600 * 1000,
    /* Keys that wait for their place (inbox/keys.c): twice so many, of so many bytes; enough
     * that those of one page meet. */
    PH_INBOX_KEYS_WAITING = 2048,
    PH_INBOX_KEYS_WAITING_BYTES = 128 * 1024,
    PH_INBOX_KEYS_MOVED_MIN = 8,    /* with each batch, beside two for each op */
    PH_INBOX_KEYS_MOVED_IDLE = 512, /* when nobody comes: two or three milliseconds, and a sync */
    /* So many pages of log are copied into the database at a time, in a millisecond or two,
     * without a sync; after so many the log is to begin anew, which takes a sync of the
     * database, of little by then. */
    PH_INBOX_COPY_PAGES = 250,
    PH_INBOX_LOG_PAGES = 4000,
    /* Past this a checkpoint waits for readers (PH_INBOX_WAIT_MS) so that the log can begin
     * anew: it has an end. */
    PH_INBOX_WAL_PAGES_HIGH = 16 * 1024,
    PH_INBOX_WAIT_MS = 100,
    PH_INBOX_RESCUE_MS = 2000, /* longer than any reader of ours (PH_INBOX_READ_MS) */
    /* Free beyond what the log has still to give: with less no webhook is taken in, so that ends of
     * deliveries and forgetting go on; with twice that the log is copied early. */
    PH_INBOX_ROOM_BYTES = 4 * 1024 * 1024,
    PH_INBOX_BUSY_MS = 2000, /* somebody else writes: a shell, a backup */
    /* A read that takes longer holds up the log's new beginning, and is ended. */
    PH_INBOX_READ_MS = 1000,
    PH_INBOX_WRITER_CACHE_KIB = 4096,
    /* Of the log, for one call of the system: 15 pages. SQLite's own VFS takes less than 128 KiB
     * at once, and of just as much nothing at all. */
    PH_INBOX_GATHER_BYTES = 124 * 1024,
    PH_INBOX_READER_CACHE_KIB = 512,
    /* Ids are made of parts: a request has room for this many events, an event for 256
     * destinations in its life, and 256 deliveries to each, the first and its replays. */
    PH_INBOX_ITEMS_MAX = 1024, /* PH_ITEMS_MAX, rounded up */
    PH_INBOX_NAMES_MAX = 256,
    /* of one event to one destination, the first and replays: in a delivery's id */
    PH_INBOX_SENDINGS_MAX = 256,
    /* Other contents of one event that are kept; processors that change what they said do so
     * once or twice. */
    PH_INBOX_REVISIONS_MAX = 16,
    /* (endpoint, connector, type, class) that the writer knows by heart */
    PH_INBOX_KINDS_CACHED = 512,
    /* Forgetting goes in steps within the batches: about 5 us a row, so a millisecond, and never
     * behind what comes in. */
    PH_INBOX_TEND_ROWS = 128,
    PH_INBOX_USES_MAX = 64, /* secrets that one batch used, gathered before they are written */
    /* of what is pending, by endpoint: 16 bytes each, copied with every commit */
    PH_INBOX_SHARES = 256,
    PH_INBOX_OLDEST_ROWS = 512,
    PH_INBOX_NEWER_LOOKED_AT = 16, /* later events of a subject, to say whether one is late */
    /* Clocks differ by minutes, and local times without a zone by up to 14 h; what claims to
     * have happened later than a day after its receipt is wrong, and makes no other late. */
    PH_INBOX_AHEAD_MS_MAX = 24 * 60 * 60 * 1000,

    /* ---- the admin API ----------------------------------------------------------------------- */
    PH_ADMIN_WHO_BYTES_MAX = 64, /* of a token's name, in a line of the log */
    PH_ADMIN_PAGE = 50,          /* rows of a page: a screenful */
    PH_ADMIN_PAGE_MAX = 500,     /* a page is read in some ms, and written in memory */
    /* that wait for the one thread that reads for people; tails included */
    PH_ADMIN_CALLS_MAX = 64,
    PH_ADMIN_MS = 30 * 1000,      /* for an answer */
    PH_ADMIN_TAIL_MS = 25 * 1000, /* a tail without news answers: below what proxies cut */
    PH_ADMIN_POLL_MS = 200,
    /* events replayed, or deliveries retried, by one call: some ms of the writer's */
    PH_ADMIN_SEND_MAX = 1000,
    /* differences shown of a call's rederived events, both texts of each */
    PH_ADMIN_DIFFER_MAX = 20,
    PH_ADMIN_ATTEMPTS_MAX = 100, /* of one delivery; the ladder makes some twenty in three days */

    /* ---- requests of ours -------------------------------------------------------------------- */
    /* In flight at once, callouts and deliveries together: a descriptor and some 40 KiB each. */
    PH_CLIENT_INFLIGHT_MAX = 512,
    PH_CLIENT_IDLE_MAX = 128,   /* connections kept for the next request */
    PH_CLIENT_HEADERS_MAX = 64, /* of a response that are looked at */
    /* Of all of a request's responses, "100 Continue" with them: servers send under 16 KiB.
     * libcurl itself ends a line at 100 KiB. */
    PH_CLIENT_HEADER_BYTES_MAX = 64 * 1024,
    /* Callouts. A webhook's sender waits meanwhile: most give 10 s or more. */
    PH_CALLOUT_CONNECT_MS = 2 * 1000,
    PH_CALLOUT_TOTAL_MS = 5 * 1000,
    /* a key set or one payment: under 64 KiB as a rule */
    PH_CALLOUT_RESPONSE_BYTES_MAX = 256 * 1024,
    /* certificates and key sets: a few per host, and PayPal has four hosts */
    PH_CALLOUT_CACHE_MAX = 128,
    PH_CALLOUT_CACHE_PER_HOST_MAX = 16,
    /* Certificates and key sets being fetched, each with those who wait for it. */
    PH_CALLOUT_PENDING_MAX = 128,
    /* … of one host, at addresses that never brought anything: whoever may write to us can name
     *     them (paypal). */
    PH_CALLOUT_UNKNOWN_MAX = 8,
    PH_CALLOUT_CACHE_MIN_MS = 60 * 1000,
    PH_CALLOUT_CACHE_DEFAULT_MS = 3600 * 1000,
    PH_CALLOUT_CACHE_MAX_MS = 24 * 3600 * 1000,
    PH_CALLOUT_HOSTS_MAX = 64,
    PH_CALLOUT_HOST_BYTES_MAX = 256, /* of DNS */
    PH_CALLOUT_FAILURES_MAX = 5,
    PH_CALLOUT_PAUSE_MS = 30 * 1000,
    PH_CALLOUTS_PER_CALL_MAX = 3, /* a key set, once more when it lacks the key, and room for one */
    /* a sender who names keys that are not there costs a fetch a minute at most */
    PH_JWKS_FRESH_MS = 60 * 1000,
    PH_CA_FILE_BYTES_MAX = 4 * 1024 * 1024, /* Mozilla's list is a quarter of a megabyte */

    /* ---- the gateway ------------------------------------------------------------------------- */
    PH_WORK_THREADS = 4,                   /* each waits for one callout at a time */
    PH_WORK_FOR_MS = 3 * 24 * 3600 * 1000, /* how long a verdict or an object is asked for */
    /* How long one that waits for an address that never brought anything keeps its place among
     * the pending ones: who made it up must not hold it for days. */
    PH_WORK_UNKNOWN_MS = 3600 * 1000,
    /* How long the address of a certificate or key set is known after the last request that it
     * proved: processors change them once a year or so, and a quiet month is no reason to
     * forget. */
    PH_PROVEN_FOR_DAYS = 90,
    /* for the commit, where the page knows no deadline: most senders give 10 s or more */
    PH_COMMIT_MS = 8 * 1000,
    PH_COMMIT_LEAST_MS = 500,

    /* ---- delivery ---------------------------------------------------------------------------- */
    /* due deliveries of one destination read ahead, with their events; and sent together */
    PH_DELIVERY_PAGE_MAX = 256,
    /* of one destination: on their way, or ended and not stored yet */
    PH_DELIVERY_LEASES_MAX = 2048,
    /* Attempts stored together (delivery/settle.c): more, and whoever waits for that commit
     * waits long. */
    PH_DELIVERY_PIECE_MIN = 64,
    PH_DELIVERY_PIECE_MAX = 512,
    /* Events sent together, all bytes; a single one may be larger. Applications' servers take 1
     * MiB as a rule. */
    PH_PARCEL_BYTES_MAX = 1024 * 1024,
    PH_DELIVERY_SAY_AGAIN_MS = 60 * 1000, /* that a destination fails, when it does now and then */
    PH_DELIVERY_REASON_BYTES_MAX = 200,   /* of an attempt: a line for a person */
    /* nobody reads it: an application that answers more is wrong */
    PH_DELIVERY_RESPONSE_BYTES_MAX = 1024 * 1024,
    PH_RETRY_AFTER_MAX_MS = 24 * 3600 * 1000, /* a year in Retry-After would be a delivery lost */
    PH_PARK_MIN_MS = 1000, /* events of one payment come apart by that much as a rule */
    PH_PARK_MAX_MS = 60 * 1000,
    PH_BREAKER_FAILURES = 5, /* in a row */
    PH_BREAKER_PROBES = 2,
    PH_BREAKER_OPEN_MS = 1000,
    PH_BREAKER_OPEN_MAX_MS = 60 * 1000, /* an application that is back waits no longer for us */
    PH_PACE_BURST_US = 100 * 1000,
    /* attempts in a row that end as none, while nothing stops; more have failed */
    PH_DELIVERY_RETURNS_MAX = 10,
    /* a destination's worker looks again at least that often: pauses, clocks set anew */
    PH_DELIVERY_IDLE_MS = 1000,
};

#endif
