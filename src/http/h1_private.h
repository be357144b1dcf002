/* The inside of an HTTP/1 connection: h1.c reads, h1_answer.c writes. */
#ifndef PH_HTTP_H1_PRIVATE_H
#define PH_HTTP_H1_PRIVATE_H

#include "http/h1.h"

#if !defined(LLHTTP_STRICT_MODE) || LLHTTP_STRICT_MODE != 1
#error "compile with -DLLHTTP_STRICT_MODE=1: the lax parser lets smuggled headers through"
#endif
#include <llhttp.h>

struct ph_h1 {
    struct ph_http_exchange exchange; /* of the request being read or answered */
    llhttp_t parser;
    llhttp_settings_t settings;
    const struct ph_http_site *site;
    struct ph_buffer *out;
    struct ph_buffer rest; /* what came while a request waited for its answer */
    size_t head_bytes;     /* as received, trailers and chunk heads included */
    size_t header_bytes;   /* of those, the head's behind its first line */
    bool in_head;          /* the head of a request is being read */
    bool line_empty, after_cr, after_space, line_seen;
    bool line_named; /* the header being read has a name */
    bool may_upgrade, asks_upgrade;
    bool draining, keep_alive;
    bool is_http;                /* a head was complete once: this peer speaks HTTP */
    bool open, chunked, stalled; /* an answer of many parts has begun */
    int refusal;                 /* HTTP status; 0: none */
    enum ph_h1_phase phase;
    int64_t since_ms, now_ms;
};

extern const struct ph_http_transport ph_h1_transport;

void ph_h1_enter(struct ph_h1 *h1, enum ph_h1_phase phase);
/* Ready for the next request. */
void ph_h1_begin_request(struct ph_h1 *h1);
/* Writes an answer, whole or begun, and enters the phase that follows it. */
void ph_h1_respond(struct ph_h1 *h1, const struct ph_http_response *response, bool close);
/* Answers with an error of our own, the last thing on this connection. */
void ph_h1_refuse(struct ph_h1 *h1, int status);

#endif
