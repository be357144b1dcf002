/* W3C Trace Context: who was sending us something, in the words of their own tracing. Pure. */
#ifndef PH_GATEWAY_TRACE_H
#define PH_GATEWAY_TRACE_H

#include "core/engine.h"

enum { PH_TRACE_BYTES = 55, PH_TRACE_ID_START = 3, PH_TRACE_ID_BYTES = 32 };

/* The request's traceparent, when it is one that a tracing system may go on with: of version 00, or
 * the part of a later version that is like it; else absent, as when it comes twice with different
 * values (W3C Trace Context, level 1, §3.2 and §4.3; read 2026-11). Borrows the headers. */
struct ph_slice ph_trace_parent(const struct ph_header *headers, size_t count);

#endif
