"""Razorpay: Handle. Sources: razorpay.com/docs/webhooks, validate-test, best-practices, payments, orders, refunds,
disputes, payouts, invoices; docs/api/payments/recurring-payments/webhooks (read 2026-11-25)."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, hmac_hex, refused, write

SECRET, OLD = "rzp_whsec_9f2d7c", "rzp_whsec_before_it_was_changed"
PAYMENT = {"id": "pay_DESlfW9H8K9uqM", "entity": "payment", "amount": 100000, "currency": "INR", "status": "captured",
           "order_id": "order_DESlLckIVRkHWj", "invoice_id": None, "international": False, "method": "card",
           "amount_refunded": 0, "refund_status": None, "captured": True, "description": None,
           "card_id": "card_DESlfVh2qnUz8h",
           "card": {"id": "card_DESlfVh2qnUz8h", "entity": "card", "name": "Gaurav Kumar", "last4": "0153",
                    "network": "Visa", "type": "debit", "issuer": "HDFC", "international": False, "emi": False},
           "bank": None, "wallet": None, "vpa": None, "email": "gaurav.kumar@example.com", "contact": "+919876543210",
           "customer_id": "cust_K6fNE0WJZWGqtN", "notes": [], "fee": 2900, "tax": 0, "error_code": None,
           "error_description": None, "error_source": None, "error_step": None, "error_reason": None,
           "acquirer_data": {"auth_code": "064381"}, "created_at": 1567674599}
REFUND = {"id": "rfnd_FS8SHj4XyUnDxs", "entity": "refund", "amount": 50000, "currency": "INR",
          "payment_id": "pay_DESlfW9H8K9uqM", "notes": [], "receipt": "RF-77", "acquirer_data": {"arn": None},
          "created_at": 1597734071, "batch_id": None, "status": "pending", "speed_processed": "normal",
          "speed_requested": "normal"}
DISPUTE = {"id": "disp_EsIAlDcoUr8CaQ", "entity": "dispute", "payment_id": "pay_EFtmUsbwpXwBHI", "amount": 39000,
           "currency": "INR", "amount_deducted": 0, "reason_code": "processed_invalid_expired_card",
           "respond_by": 1590431400, "status": "open", "phase": "chargeback", "created_at": 1589907957}
PAYOUT = {"id": "pout_1Aa00000000001", "entity": "payout", "fund_account_id": "fa_1Aa00000000001", "amount": 212,
          "currency": "INR", "notes": {}, "fees": 9, "tax": 2, "status": "processed", "purpose": "payout",
          "utr": None, "mode": "IMPS", "reference_id": "PO-9", "narration": "Acme", "batch_id": None,
          "status_details": {"description": "Payout is processed", "source": "beneficiary_bank",
                             "reason": "payout_processed"}, "created_at": 1580118057}
ORDER = {"id": "order_DESlLckIVRkHWj", "entity": "order", "amount": 100000, "amount_paid": 100000, "amount_due": 0,
         "currency": "INR", "receipt": "rcptid #1", "offer_id": None, "status": "paid", "attempts": 1, "notes": [],
         "created_at": 1567674581}


def event(name, created_at=1567674606, **entities):
    return {"entity": "event", "account_id": "acc_BFQ7uQEaa7j2z7", "event": name, "contains": list(entities),
            "payload": {k: {"entity": v} for k, v in entities.items()}, "created_at": created_at}


def case(name, body, handle, secrets=SECRET, key=SECRET, signature=None, headers=(), body_sent=None, **more):
    text = body if isinstance(body, str) else compact(body)
    sent = [["Content-Type", "application/json"], ["X-Razorpay-Signature", signature or hmac_hex(key, text)],
            ["x-razorpay-event-id", "evt_1Ab2Cd3Ef4Gh5I"], *headers]
    return {"name": name, "request": {"method": "POST", "uri": "/webhooks/razorpay",
                                      "headers": [h for h in sent if h[1] != "none"], "body": body_sent or text},
            "secrets": secrets if isinstance(secrets, list) else [secrets], **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "account": "acc_BFQ7uQEaa7j2z7",
            "covers": ["body"], "matched_secret": 1, **more}


captured = event("payment.captured", payment=PAYMENT)
paid = event("order.paid", payment=PAYMENT, order=ORDER)
PAYMENT_ANSWER = {"connector_transaction_id": "pay_DESlfW9H8K9uqM", "status": "CHARGED",
                  "amount": {"minor_amount": "100000", "currency": "INR"}}
charged = {"payments_response": PAYMENT_ANSWER}


def refund(status, **more):
    return {"refunds_response": {"connector_refund_id": "rfnd_FS8SHj4XyUnDxs", "merchant_refund_id": "RF-77",
                                 "connector_transaction_id": "pay_DESlfW9H8K9uqM", "status": status,
                                 "refund_amount": {"minor_amount": "50000", "currency": "INR"}, **more}}


def dispute(status, **more):
    return {"disputes_response": {"connector_dispute_id": "disp_EsIAlDcoUr8CaQ", "dispute_status": status,
                                  "connector_transaction_id": "pay_EFtmUsbwpXwBHI", "dispute_stage": "ACTIVE_DISPUTE",
                                  "dispute_amount": {"minor_amount": "39000", "currency": "INR"},
                                  "dispute_reason": "processed_invalid_expired_card", "due_date": "1590431400",
                                  **more}}


def disputed(name, status, created_at, **changes):
    return event("payment.dispute." + name, created_at, payment=PAYMENT,
                 dispute={**DISPUTE, "status": status, **changes})


cases = [
    case("order.paid is the payment that succeeded", paid, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS",
        event_response={"payments_response": {
            **PAYMENT_ANSWER, "status_code": 200, "merchant_order_id": "rcptid #1", "error": None,
            "email": "gaurav.kumar@example.com", "connector_customer_id": "cust_K6fNE0WJZWGqtN",
            "created_at": "1567674599"}},
        reference={"payment": {"connector_transaction_id": "pay_DESlfW9H8K9uqM"}},
        processor_event={"id": "evt_1Ab2Cd3Ef4Gh5I", "type": "order.paid", "time_ms": "1567674606000"}),
        same_effect="captured", other_dedupe="one payment", same_dedupe="paid"),
    case("payment.captured announces the same change, and is another event", captured, good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS", event_name=None, event_response=charged),
        same_effect="captured", other_dedupe="one payment", same_dedupe="captured"),
    case("a redelivery has the same dedupe key, whatever its unsigned id", captured, good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS"), same_dedupe="captured"),
    case("payment.authorized of the same payment", event(
        "payment.authorized", 1567674600, payment={**PAYMENT, "status": "authorized", "captured": False}), good(
            "PAYMENT_INTENT_AUTHORIZATION_SUCCESS", event_response={"payments_response": {
                "connector_transaction_id": "pay_DESlfW9H8K9uqM", "status": "AUTHORIZED"}}),
        other_dedupe="one payment", other_effect="one payment"),
    case("payment.failed says why", event("payment.failed", 1567610214, payment={
        **PAYMENT, "id": "pay_DEAQmW9H8K9uqM", "status": "failed", "captured": False,
        "error_code": "BAD_REQUEST_ERROR", "error_description": "Payment failed", "error_reason": "payment_failed"}),
        good("PAYMENT_INTENT_FAILURE", event_name="PAYMENT_INTENT_PAYMENT_FAILED", event_response={
            "payments_response": {"connector_transaction_id": "pay_DEAQmW9H8K9uqM", "status": "FAILURE",
                                  "error": {"connector_details": {"code": "BAD_REQUEST_ERROR",
                                                                  "message": "Payment failed",
                                                                  "reason": "payment_failed"}}}}),
        other_effect="one payment"),
    case("yen have no decimals", event("payment.captured", payment={**PAYMENT, "amount": 295, "currency": "JPY"}),
         good("PAYMENT_INTENT_CAPTURE_SUCCESS", event_response={"payments_response": {
             "amount": {"minor_amount": "295", "currency": "JPY"}}})),
    case("dinars have three", event("payment.captured", payment={**PAYMENT, "amount": 99990, "currency": "KWD"}),
         good("PAYMENT_INTENT_CAPTURE_SUCCESS", event_response={"payments_response": {
             "amount": {"minor_amount": "99990", "currency": "KWD"}}})),
    case("a currency nobody knows leaves the amount out and says so", event(
        "payment.captured", payment={**PAYMENT, "currency": "XXX"}), good(
            "PAYMENT_INTENT_CAPTURE_SUCCESS", event_status="INCOMPLETE", event_response={"payments_response": {
                "status": "CHARGED", "amount": None}})),
    case("half an invoice is paid", event("invoice.partially_paid", payment=PAYMENT, order={
        **ORDER, "status": "attempted"}, invoice={"id": "inv_DAweOiQ7amIUVd", "status": "partially_paid"}), good(
            "PAYMENT_INTENT_PARTIALLY_FUNDED", event_name=None, event_response=charged),
        other_dedupe="two parts of one invoice"),
    case("the other half, in the same second", event("invoice.partially_paid", payment={
        **PAYMENT, "id": "pay_OTHERHALF00001"}, order={**ORDER, "status": "attempted"},
        invoice={"id": "inv_DAweOiQ7amIUVd", "status": "partially_paid"}), good("PAYMENT_INTENT_PARTIALLY_FUNDED"),
        other_dedupe="two parts of one invoice"),
    case("refund.created is under way", event("refund.created", 1597734071, refund=REFUND, payment=PAYMENT), good(
        "WEBHOOK_REFUND_PROCESSING", event_name=None, event_response=refund("REFUND_PENDING"),
        reference={"refund": {"connector_refund_id": "rfnd_FS8SHj4XyUnDxs", "merchant_refund_id": "RF-77",
                              "connector_transaction_id": "pay_DESlfW9H8K9uqM"}}),
        other_dedupe="one refund", other_effect="one refund"),
    case("refund.created of a refund that is processed already", event(
        "refund.created", 1597734072, refund={**REFUND, "status": "processed"}, payment=PAYMENT), good(
            "WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", event_response=refund("REFUND_SUCCESS")),
        same_effect="refunded", other_dedupe="one refund"),
    case("refund.processed, with the bank's number", event("refund.processed", 1597734090, refund={
        **REFUND, "status": "processed", "acquirer_data": {"rrn": "322206890934"}}, payment=PAYMENT), good(
            "WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", event_response=refund(
                "REFUND_SUCCESS", acquirer_reference_number={"value": "322206890934"}, payment_amount="100000")),
        same_effect="refunded", other_dedupe="one refund", other_effect="one refund"),
    case("refund.failed", event("refund.failed", 1597734095, refund={**REFUND, "status": "failed"}, payment=PAYMENT),
         good("WEBHOOK_REFUND_FAILURE", event_name=None, event_response=refund("REFUND_FAILURE")),
         other_dedupe="one refund", other_effect="one refund"),
    case("payment.dispute.created", disputed("created", "open", 1589907977), good(
        "WEBHOOK_DISPUTE_OPENED", event_name="DISPUTE_CREATED", event_response=dispute(
            "DISPUTE_OPENED", connector_status_code="open", dispute_date="1589907957"),
        reference={"dispute": {"connector_dispute_id": "disp_EsIAlDcoUr8CaQ",
                               "connector_transaction_id": "pay_EFtmUsbwpXwBHI"}}),
        other_dedupe="one dispute", other_effect="one dispute"),
    case("payment.dispute.under_review", disputed("under_review", "under_review", 1589909172), good(
        "WEBHOOK_DISPUTE_CHALLENGED", event_name=None, event_response=dispute("DISPUTE_CHALLENGED")),
        other_dedupe="one dispute", other_effect="one dispute"),
    case("payment.dispute.action_required asks again: another event of a dispute that is open", disputed(
        "action_required", "open", 1589909200), good(
            "WEBHOOK_DISPUTE_OPENED", event_name="DISPUTE_CREATED", event_response=dispute("DISPUTE_OPENED")),
        other_dedupe="one dispute"),
    case("payment.dispute.won, in pre-arbitration", disputed("won", "won", 1589909999, phase="pre_arbitration"), good(
        "WEBHOOK_DISPUTE_WON", event_name="DISPUTE_CLOSED", event_response=dispute(
            "DISPUTE_WON", dispute_stage="PRE_ARBITRATION")), other_dedupe="one dispute", other_effect="one dispute"),
    case("payment.dispute.lost", disputed("lost", "lost", 1589909999, amount_deducted=39000), good(
        "WEBHOOK_DISPUTE_LOST", event_name="DISPUTE_CLOSED", event_response=dispute("DISPUTE_LOST")),
        other_dedupe="one dispute", other_effect="one dispute"),
    case("payment.dispute.closed has no winner: ask", disputed("closed", "closed", 1589910000, phase="fraud"), good(
        "WEBHOOK_DISPUTE_CANCELLED", event_name="DISPUTE_CLOSED", event_status="INCOMPLETE",
        event_response=dispute("DISPUTE_CANCELLED", dispute_stage="PRE_DISPUTE")),
        other_dedupe="one dispute", other_effect="one dispute"),
    case("payout.processed", event("payout.processed", 1580118100, payout=PAYOUT), good(
        "PAYOUT_SUCCESS", event_response={"payouts_response": {
            "connector_payout_id": "pout_1Aa00000000001", "merchant_payout_id": "PO-9", "payout_status": "SUCCESS",
            "error": None}}, reference={"payout": {"connector_payout_id": "pout_1Aa00000000001",
                                                   "merchant_payout_id": "PO-9"}}),
        same_effect="payout", other_dedupe="payout"),
    case("payout.updated tells the bank's number of the same payout", event("payout.updated", 1580118200, payout={
        **PAYOUT, "utr": "933815233814"}), good("PAYOUT_SUCCESS", event_response={"payouts_response": {
            "payout_status": "SUCCESS"}}), same_effect="payout", other_dedupe="payout"),
    case("payout.reversed says why", event("payout.reversed", 1580118468, payout={
        **PAYOUT, "status": "reversed", "status_details": {
            "description": "Beneficiary bank systems are offline", "source": "beneficiary_bank",
            "reason": "beneficiary_bank_offline"}}), good("PAYOUT_REVERSED", event_response={"payouts_response": {
                "payout_status": "REVERSED", "error": {"connector_details": {
                    "code": "beneficiary_bank_offline", "message": "Beneficiary bank systems are offline"}}}}),
        other_dedupe="payout"),
    case("token.cancelled ends a mandate", event("token.cancelled", 1681372110, token={
        "id": "token_KaQbMNOeH67CZj", "entity": "token", "recurring_details": {"status": "cancelled",
                                                                              "failure_reason": None}}), good(
            "MANDATE_REVOKED", reference={"mandate": {"connector_mandate_id": "token_KaQbMNOeH67CZj"}})),
    case("an event that is not known is an answer", event("payment.downtime.started", payment_downtime={"id": "d_1"}),
         good(None, event_status="COMPLETE", event_response=None), other_dedupe="not known"),
    case("another of that second has another key", event("payment.downtime.started", payment_downtime={"id": "d_2"}),
         good(None), other_dedupe="not known"),
    case("without the unsigned id it is the same event", captured, good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS", processor_event={"id": None, "type": "payment.captured"}),
        same_dedupe="captured", headers=[]),
    case("the old secret, while it is being changed", captured, good(
        "PAYMENT_INTENT_CAPTURE_SUCCESS", matched_secret=2), secrets=[SECRET, OLD], key=OLD, same_dedupe="captured"),
    case("header names in any case, signature in capitals", captured, good("PAYMENT_INTENT_CAPTURE_SUCCESS"),
         signature="none", headers=[["X-RAZORPAY-SIGNATURE", hmac_hex(SECRET, compact(captured)).upper()]]),
    case("the same signature twice is one signature", captured, good("PAYMENT_INTENT_CAPTURE_SUCCESS"),
         headers=[["X-Razorpay-Signature", hmac_hex(SECRET, compact(captured))]]),
    case("two different signatures are ambiguous", captured, refused("FORGED"),
         headers=[["X-Razorpay-Signature", hmac_hex(OLD, compact(captured))]]),
    case("two different event ids are ambiguous, though neither is signed", captured, refused("FORGED"),
         headers=[["X-Razorpay-Event-Id", "evt_another0000000"]]),
    case("a body changed after signing tells nothing that is trusted", captured, refused(
        "FORGED", unverified_response={"payments_response": {"amount": {"minor_amount": "100", "currency": "INR"}}}),
        body_sent=compact(changed(captured, payload__payment__entity={**PAYMENT, "amount": 100}))),
    case("a body that was parsed and printed again is forged", captured, refused("FORGED"),
         body_sent=compact(captured).replace(":", ": ")),
    case("another's secret", captured, refused("FORGED"), key="guess"),
    case("an empty key signs nothing", captured, refused("NO_SECRET", 503), secrets="", key=""),
    case("no secret is configured", captured, refused("NO_SECRET", 503, unverified_response=charged), secrets=[]),
    case("no signature", captured, refused("NO_SIGNATURE", unverified_response=charged), signature="none"),
    case("an empty signature is none", captured, refused("NO_SIGNATURE"), signature=" "),
    case("a cut signature", captured, refused("FORGED"), signature=hmac_hex(SECRET, compact(captured))[:40]),
    case("a status that comes twice cannot be told", compact(captured).replace(
        '"payload":', '"event":"payment.failed","payload":'), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
]
for c in cases:
    if c["name"].startswith("without the unsigned id"):
        c["request"]["headers"] = [h for h in c["request"]["headers"] if h[0] != "x-razorpay-event-id"]
    if c["name"].startswith("a redelivery"):
        c["request"]["headers"] = [[n, "evt_another0000000" if n == "x-razorpay-event-id" else v]
                                   for n, v in c["request"]["headers"]]
write(__file__, "razorpay", "Made by handle.py; answers by hand, from Razorpay's documentation.", cases)
