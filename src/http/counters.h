/* What one reactor thread counts. One thread writes, any thread reads (relaxed): a sum over
 * reactors is made when somebody asks for it. */
#ifndef PH_HTTP_COUNTERS_H
#define PH_HTTP_COUNTERS_H

#include <stdatomic.h>

#include "base/slice.h"

/* name, kind, help: the rows of GET /metrics. A `limit_` row counts how often a limit was met. */
#define PH_COUNTERS(X)                                                                             \
    X(connections_accepted, counter, "connections taken on")                                       \
    X(connections_open, gauge, "connections open now")                                             \
    X(requests_http1, counter, "HTTP/1 requests handled")                                          \
    X(requests_http2, counter, "HTTP/2 requests handled")                                          \
    X(grpc_calls, counter, "gRPC calls begun")                                                     \
    X(grpc_errors, counter, "gRPC calls ended with a status other than OK")                        \
    X(exchanges_later, counter, "exchanges whose answer came later")                               \
    X(exchanges_gone, counter, "exchanges whose client went away before the answer")               \
    X(tls_handshakes, counter, "TLS handshakes completed")                                         \
    X(tls_failures, counter, "TLS handshakes that failed")                                         \
    X(unauthenticated, counter, "requests without the token asked for")                            \
    X(limit_connections, counter, "connections refused: limits.connections")                       \
    X(limit_dealt, counter, "connections refused: PH_DEALT_MAX")                                   \
    X(limit_descriptors, counter, "connections refused: out of file descriptors")                  \
    X(limit_head_time, counter, "heads and handshakes too slow: limits.header_time")               \
    X(limit_body_time, counter, "bodies too slow: limits.body_time")                               \
    X(limit_write_stall, counter, "readers too slow: PH_WRITE_STALL_MS")                           \
    X(limit_keepalive, counter, "peers that stopped answering: PH_KEEPALIVE_MS")                   \
    X(limit_head_bytes, counter, "heads too large: limits.headers, limits.header_size")            \
    X(limit_target_bytes, counter, "targets too long: PH_URI_BYTES_MAX")                           \
    X(limit_body_bytes, counter, "bodies too large: PH_MESSAGE_BYTES_MAX")                         \
    X(limit_inflated_bytes, counter, "messages too large once decompressed: PH_MESSAGE_BYTES_MAX") \
    X(limit_memory, counter, "requests refused: PH_REACTOR_BYTES_MAX")                             \
    X(limit_streams, counter, "streams refused: PH_STREAMS_MAX")                                   \
    X(limit_resets, counter, "connections ended: PH_RESETS_MAX")                                   \
    X(limit_control_frames, counter, "connections ended: PH_CONTROL_FRAMES_MAX")                   \
    X(limit_header_block, counter,                                                                 \
      "connections ended: PH_HEADER_BLOCK_BYTES_MAX, PH_CONTINUATIONS_MAX")                        \
    X(limit_stream_output, counter, "streams that waited: PH_STREAM_OUTPUT_BYTES_MAX")             \
    X(limit_later, counter, "requests refused: PH_LATER_MAX")                                      \
    X(limit_deadline, counter, "exchanges whose deadline passed before the answer")                \
    X(malformed, counter, "requests and connections refused as malformed")

struct ph_counters {
#define PH_COUNTER_FIELD(name, kind, help) _Atomic uint64_t name;
    PH_COUNTERS(PH_COUNTER_FIELD)
#undef PH_COUNTER_FIELD
};

enum {
#define PH_COUNTER_ONE(name, kind, help) +1
    PH_COUNTER_COUNT = 0 PH_COUNTERS(PH_COUNTER_ONE)
#undef PH_COUNTER_ONE
};

/* Only the owner writes: no locked instruction is needed. */
static inline void ph_count_by(_Atomic uint64_t *counter, int64_t by)
{
    uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, before + (uint64_t)by, memory_order_relaxed);
}

static inline void ph_count(_Atomic uint64_t *counter)
{
    ph_count_by(counter, 1);
}

#endif
