#include "server/handshake.h"

#include "core/engine.h"

/* Ours first: past the room for them headers are left out. */
static void add_headers(struct ph_service *service, const struct ph_answer *answer,
                        struct ph_http_response *ret_response)
{
    bool typed = false;
    /* what it says back is no page of ours, whatever a browser thinks */
    ph_service_add_header(service, ret_response, PH_S("x-content-type-options"), PH_S("nosniff"));
    for (size_t i = 0; i < answer->ack_header_count; i++)
        typed = typed || ph_slice_eq_nocase(answer->ack_headers[i].name, PH_S("content-type"));
    if (!typed)
        ph_service_add_header(service, ret_response, PH_S("content-type"), PH_S("text/plain"));
    for (size_t i = 0; i < answer->ack_header_count; i++)
        ph_service_add_header(service, ret_response,
                              ph_service_lower(service, answer->ack_headers[i].name),
                              answer->ack_headers[i].value);
}

bool ph_handshake_answer(struct ph_service *service, const struct ph_connector *page,
                         const struct ph_http_request *request,
                         struct ph_http_response *ret_response)
{
    const struct ph_request asked = {.method = request->method,
                                     .uri = request->target,
                                     .headers = request->headers,
                                     .header_count = request->header_count};
    const struct ph_input in = {.connector = page, .request = &asked};
    struct ph_answer answer;
    if (page->handshake == NULL || !ph_slice_eq(request->method, PH_S("GET"))) {
        ph_service_add_header(service, ret_response, PH_S("allow"),
                              page->handshake != NULL ? PH_S("GET, POST") : PH_S("POST"));
        ph_service_answer_error(service, 405, PH_S("METHOD_NOT_ALLOWED"),
                                PH_S("webhooks are sent with POST"), ret_response);
        return false;
    }
    enum ph_status st = ph_engine_handshake(service->worker, &in, &answer);
    if (st == PH_OK) {
        ret_response->status = answer.ack_status;
        ret_response->body = answer.ack_status != 204 ? answer.ack_body : (struct ph_slice){0};
        add_headers(service, &answer, ret_response);
        return true;
    }
    if (st == PH_ERR_NOT_FOUND)
        ph_service_answer_error(service, 404, PH_S("NOT_FOUND"),
                                PH_S("this is no handshake of the endpoint's processor; webhooks "
                                     "are sent with POST"),
                                ret_response);
    else
        ph_service_answer_error(service, 503, PH_S("UNAVAILABLE"),
                                PH_S("no memory for this now; come again later"), ret_response);
    return false;
}
