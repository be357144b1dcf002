"""Finix: Handle. Sources: docs.finix.com, integrating-into-webhooks, webhook-events, dispute-states, refunds and
card-payouts; the official OpenAPI document in finix-payments/finix-python (read 2026-11-30)."""
import hmac, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, hmac_hex, promises_of_a_header, refused, signed_in_a_header, write

SECRET = "3afb49c98ac08a67a58efa5580b24e5984bc36d7ebd404e875234f107deed108"
TRANSFER = {"id": "TRhwT52n9T6KcWoZDejceQah", "created_at": "2026-11-29T08:46:47.69Z", "amount": 10000, "currency": "USD",
            "application": "APc9vhYcPsRuTSpKD9KpMtPe", "failure_code": None, "failure_message": None, "fee": 0,
            "idempotency_id": "ID8812", "merchant": "MUmfEGv5bMpSJ9k5TFRUjkmm", "messages": [], "state": "SUCCEEDED",
            "source": "PIe2YvpcjvoVJ6PzoRPBK137", "subtype": "API", "tags": {"order_number": "21DFASJSAKAS"},
            "trace_id": "bb80a5e7-9b1a-4c8a-b3a7-2f6b0b6d9a11", "type": "DEBIT"}
REVERSAL = {**TRANSFER, "id": "TRnAxvkdEykFZTwRWmKPpW4U", "type": "REVERSAL", "amount": 2500,
            "parent_transfer": "TRhwT52n9T6KcWoZDejceQah"}
AUTHORIZATION = {"id": "AUdQ36iMP8UBVzxGJwAFcVCD", "created_at": "2026-11-29T08:46:47.69Z", "amount": 5000, "currency": "USD",
                 "capture_amount": 0, "failure_code": None, "failure_message": None, "is_void": False,
                 "state": "SUCCEEDED", "tags": {}, "transfer": None, "void_state": "UNATTEMPTED"}
DISPUTE = {"id": "DIs7yQRkHDdMYhurzYz72SFk", "created_at": "2026-11-29T07:43:03.74Z", "action": None, "amount": 888888,
           "currency": "USD", "message": None, "reason": "FRAUD", "respond_by": "2026-12-06T07:43:03.73Z",
           "response_state": "NEEDS_RESPONSE", "state": "PENDING", "tags": {}, "transfer": "TRhwT52n9T6KcWoZDejceQah"}


def event(entity, resource, type="updated", id="event_cqXfLuuDRYVKgeeUhJNQyS"):
    return {"id": id, "type": type, "entity": entity, "occurred_at": "2026-11-29T08:46:50.123456",
            "_embedded": {entity + "s": [resource]}}


def sign(text, key, timestamp="1795855610"):
    return f"timestamp={timestamp},sig={hmac_hex(key, timestamp + ':' + text)}"


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "covers": ["body", "time"],
            "matched_secret": 1, **more}


def payment(status, amount="10000", **more):
    return {"payments_response": {"connector_transaction_id": "TRhwT52n9T6KcWoZDejceQah", "status": status,
                                  "amount": {"minor_amount": amount, "currency": "USD"}, **more}}


def reserved(status, **more):
    return {"payments_response": {"connector_transaction_id": "AUdQ36iMP8UBVzxGJwAFcVCD", "status": status,
                                  "amount": {"minor_amount": "5000", "currency": "USD"}, **more}}


def refund(status):
    return {"refunds_response": {"connector_refund_id": "TRnAxvkdEykFZTwRWmKPpW4U", "status": status,
                                 "connector_transaction_id": "TRhwT52n9T6KcWoZDejceQah",
                                 "refund_amount": {"minor_amount": "2500", "currency": "USD"}}}


def dispute(status, stage="ACTIVE_DISPUTE"):
    return {"disputes_response": {"connector_dispute_id": "DIs7yQRkHDdMYhurzYz72SFk", "dispute_status": status,
                                  "connector_transaction_id": "TRhwT52n9T6KcWoZDejceQah", "dispute_stage": stage,
                                  "dispute_amount": {"minor_amount": "888888", "currency": "USD"},
                                  "dispute_reason": "FRAUD"}}


case = signed_in_a_header("finix", "Finix-Signature", sign, SECRET)
paid = event("transfer", TRANSFER)
paid_answer = good("PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=payment("CHARGED"))
unread = good(None, event_response=None)

cases = [
    case("a transfer that succeeded is the payment", paid, {
        **paid_answer, "reference": {"payment": {"connector_transaction_id": "TRhwT52n9T6KcWoZDejceQah"}},
        "dedupe_key": "finix:event_cqXfLuuDRYVKgeeUhJNQyS",
        "processor_event": {"id": "event_cqXfLuuDRYVKgeeUhJNQyS", "type": "transfer.updated", "time_ms": "1795942010123"}},
        same_dedupe="redelivery"),
    case("the same transfer while it is pending", event("transfer", {**TRANSFER, "state": "PENDING"}, "created", "event_1"),
         good("PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING")), other_dedupe="payment", other_effect="payment"),
    case("a transfer that failed says why", event("transfer", {
        **TRANSFER, "state": "FAILED", "failure_code": "INSUFFICIENT_FUNDS", "failure_message": "Too little."}, id="event_2"),
        good("PAYMENT_INTENT_FAILURE", event_response=payment("FAILURE", error={"connector_details": {
            "code": "INSUFFICIENT_FUNDS", "message": "Too little."}})), other_dedupe="payment", other_effect="payment"),
    case("how it ended is not known: under way, not failed", event("transfer", {**TRANSFER, "state": "UNKNOWN"}),
         good("PAYMENT_INTENT_PROCESSING", event_response=payment("PENDING"))),
    case("a state nobody knows is no success", event("transfer", {**TRANSFER, "state": "SUCCEEDED_PARTLY"}),
         good(None, event_response=payment(None))),
    case("a reversal is a refund of its parent", event("transfer", REVERSAL), good(
        "WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", event_response=refund("REFUND_SUCCESS"),
        reference={"refund": {"connector_refund_id": "TRnAxvkdEykFZTwRWmKPpW4U"}})),
    case("a reversal under way is no payment", event("transfer", {**REVERSAL, "state": "PENDING"}, "created"), good(
        "WEBHOOK_REFUND_PROCESSING", event_response={**refund("REFUND_PENDING"), "payments_response": None})),
    case("a reversal that failed", event("transfer", {**REVERSAL, "state": "FAILED"}), good(
        "WEBHOOK_REFUND_FAILURE", event_response=refund("REFUND_FAILURE"))),
    case("a credit is a payout", event("transfer", {**TRANSFER, "type": "CREDIT"}), good(
        "PAYOUT_SUCCESS", event_response={"payments_response": None, "payouts_response": {
            "connector_payout_id": "TRhwT52n9T6KcWoZDejceQah", "payout_status": "SUCCESS"}})),
    case("a fee is no payment", event("transfer", {**TRANSFER, "type": "FEE"}), unread),
    case("a seller's account that is debited is no payment", event("transfer", {
        **TRANSFER, "subtype": "SETTLEMENT_MERCHANT"}), unread),
    *[case(f"nor is a kind of transfer that is not the buyer's: {subtype} {type}", event("transfer", {**TRANSFER, "subtype": subtype}, type), unread)
      for subtype, type in (("PLACEHOLDER_TEMPORARY", "updated"), ("TO_COME", "updated"), ("PLATFORM_FEE", "settled"))],
    case("nor the refund of one", event("transfer", {**REVERSAL, "subtype": "TO_COME"}), unread),
    *[case(f"but this is: {name}", event("transfer", {**TRANSFER, **of}), paid_answer)
      for name, of in (("imported", {"subtype": "SYSTEM"}), ("no subtype is told", {"subtype": None}))],
    case("an authorization", event("authorization", AUTHORIZATION, "created"), good(
        "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response=reserved("AUTHORIZED"))),
    case("an authorization that failed", event("authorization", {
        **AUTHORIZATION, "state": "FAILED", "failure_code": "GENERIC_DECLINE", "failure_message": "No."}), good(
            "PAYMENT_INTENT_AUTHORIZATION_FAILURE", event_response=reserved("AUTHORIZATION_FAILED", error={
                "connector_details": {"code": "GENERIC_DECLINE", "message": "No."}}))),
    case("an authorization that was voided", event("authorization", {
        **AUTHORIZATION, "is_void": True, "void_state": "PENDING"}), good(
            "PAYMENT_INTENT_CANCELLED", event_response=reserved("VOIDED"))),
    case("a void that failed", event("authorization", {**AUTHORIZATION, "is_void": True, "void_state": "FAILED"}), good(
        "PAYMENT_INTENT_CANCEL_FAILURE", event_response=reserved("VOID_FAILED"))),
    case("a void of what is not authorized yet is under way", event("authorization", {
        **AUTHORIZATION, "is_void": True, "void_state": "PENDING", "state": "PENDING"}), good(
            "PAYMENT_INTENT_PROCESSING", event_response=reserved("VOID_INITIATED"))),
    case("a dispute", event("dispute", DISPUTE, "created"), good(
        "WEBHOOK_DISPUTE_OPENED", event_name="DISPUTE_CREATED", event_response=dispute("DISPUTE_OPENED"))),
    case("an inquiry comes before the dispute", event("dispute", {**DISPUTE, "state": "INQUIRY"}, "created"), good(
        "WEBHOOK_DISPUTE_OPENED", event_response=dispute("DISPUTE_OPENED", "PRE_DISPUTE"))),
    case("a dispute that was answered", event("dispute", {**DISPUTE, "response_state": "RESPONDED"}), good(
        "WEBHOOK_DISPUTE_CHALLENGED", event_response=dispute("DISPUTE_CHALLENGED"))),
    case("a dispute that was accepted", event("dispute", {**DISPUTE, "response_state": "ACCEPTED"}), good(
        "WEBHOOK_DISPUTE_ACCEPTED", event_name="DISPUTE_CLOSED", event_response=dispute("DISPUTE_ACCEPTED"))),
    case("a dispute that was won", event("dispute", {**DISPUTE, "state": "WON", "response_state": "NO_RESPONSE_ALLOWED"}),
         good("WEBHOOK_DISPUTE_WON", event_name="DISPUTE_CLOSED", event_response=dispute("DISPUTE_WON"))),
    case("a dispute that was lost", event("dispute", {**DISPUTE, "state": "LOST", "response_state": "NO_RESPONSE_ALLOWED"}),
         good("WEBHOOK_DISPUTE_LOST", event_name="DISPUTE_CLOSED", event_response=dispute("DISPUTE_LOST"))),
    case("a dispute in a state nobody knows is told, not named", event("dispute", {**DISPUTE, "state": "ARBITRATION"}),
         good(None, event_response=dispute(None))),
    case("an entity without a meaning of ours is an answer", event("merchant", {"id": "MU1", "tags": {}}, "underwritten"), unread),
    case("a type of event nobody knows is an answer", event("transfer", TRANSFER, "settled"), good(
        None, event_response=payment("CHARGED"))),
    case("the empty body by which an endpoint is tried out proves nothing and hears success", "", {
        **refused("UNSIGNED", 200), "unverified_response": None}, signature="none"),
    case("signed it proves no more", "{}", refused("UNSIGNED", 200)),
    case("an event with a body is no trial", paid, refused("NO_SIGNATURE"), signature="none"),
    case("an older event without an id has a key", changed(paid, id=...), {**paid_answer, "processor_event": {"id": None}}),
    case("yen have no decimals", event("transfer", {**TRANSFER, "amount": 295, "currency": "JPY"}), good(
        "PAYMENT_INTENT_SUCCESS", event_response={"payments_response": {"amount": {"minor_amount": "295", "currency": "JPY"}}})),
    case("an amount with a fraction is no amount", event("transfer", {**TRANSFER, "amount": 100.5}),
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("nor is one above what can be counted", compact(paid).replace('"amount":10000', '"amount":92233720368547758080'),
         {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("a state that comes twice cannot be told", compact(paid).replace(
        '"state":"SUCCEEDED"', '"state":"FAILED","state":"SUCCEEDED"'), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    case("parts in another order, a blank between them", paid, paid_answer,
         signature=", ".join(reversed(sign(compact(paid), SECRET).split(",")))),
    case("the signature in capitals", paid, paid_answer,
         signature="timestamp=1795855610,sig=" + sign(compact(paid), SECRET).split("sig=")[1].upper()),
    case("a timestamp that was changed", paid, refused("FORGED"),
         signature=sign(compact(paid), SECRET).replace("1795855610", "1795855611")),
    case("a timestamp that is no time", paid, refused("FORGED"), signature=sign(compact(paid), SECRET, "yesterday")),
    case("an old one: a retry may be as old, the event's id protects", paid, paid_answer, signature=sign(compact(paid), SECRET, "1")),
    case("two timestamps are ambiguous", paid, refused("FORGED"),
         signature="timestamp=1," + sign(compact(paid), SECRET)),
    case("without a timestamp nothing is signed", paid, refused("FORGED"),
         signature="sig=" + hmac_hex(SECRET, compact(paid))),
    case("the key is the text, not what it stands for in hex", paid, refused("FORGED"),
         signature="timestamp=1,sig=" + hmac.new(bytes.fromhex(SECRET), b"1:" + compact(paid).encode(), "sha256").hexdigest()),
    *promises_of_a_header(case, "Finix-Signature", sign, SECRET, paid, paid_answer, payment("CHARGED"),
                          changed(paid, _embedded__transfers=[{**TRANSFER, "amount": 1}])),
]
write(__file__, "finix", "Made by handle.py; answers by hand, from Finix's documentation.", cases)
