"""PhonePe: Handle. Sources: developer.phonepe.com, v1/reference/server-to-server-callback-5 and payment-gateway webhook
pages; the callbacks in the tests of the official SDKs (phonepe-pg-sdk-python, -node); phonepe-pg-skills, autopay
(read 2026-11-25)."""
import base64, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from making import changed, compact, refused, sha256_hex, write

SALT, LOGIN = "099eb0cd-02cf-4e2a-8aca-3e6c6aff0399", "username:password"
ORDER, REFUND = "OMO2403282020198641071317", "OMR7878098045517540996"
ATTEMPT, MANDATE = "OM2403282020198651071949", "OMS2403041556097829596189"


def request(body, headers):
    return {"method": "POST", "headers": [["Content-Type", "application/json"], *headers], "body": body}


def v1(name, inner, handle, verify=None, secrets=(SALT,), outer=None, headers=(), **more):
    packed = base64.b64encode((inner if isinstance(inner, str) else compact(inner)).encode()).decode()
    verify = f"{sha256_hex(packed + SALT)}###1" if verify is None else verify
    sent = [["X-VERIFY", verify]] if verify else []
    return {"name": "v1: " + name, "request": request(outer or compact({"response": packed}), [*sent, *headers]),
            "secrets": list(secrets), **more, "handle": handle}


def v2(name, body, handle, login=LOGIN, authorization=None, secrets=(LOGIN,), headers=(), **more):
    authorization = sha256_hex(login) if authorization is None else authorization
    sent = [["Authorization", authorization]] if authorization else []
    return {"name": "v2: " + name, "request": request(body if isinstance(body, str) else compact(body),
                                                      [*sent, *headers]),
            "secrets": list(secrets), **more, "handle": handle}


def good(event_type, **more):
    return {"verdict": "VERIFIED", "source_verified": True, "event_type": event_type, "event_status": "COMPLETE",
            "event_ack_response": {"status_code": 200}, "unverified_response": None, "matched_secret": 1,
            "mode": None, **more}


def money(minor):
    return {"minor_amount": str(minor), "currency": "INR"}


# ---- v1: a callback ---------------------------------------------------------------------------------------------

callback = {"success": True, "code": "PAYMENT_SUCCESS", "message": "Your payment is successful.",
            "data": {"merchantId": "PGTESTPAYUAT", "merchantTransactionId": "MT7850590068188104",
                     "transactionId": "T2111221437456190170379", "amount": 10000, "state": "COMPLETED",
                     "responseCode": "SUCCESS", "paymentInstrument": {"type": "UPI", "utr": "206378866112"}}}
pending = changed(callback, code="PAYMENT_PENDING", data__state="PENDING", data__responseCode="PAYMENT_PENDING")
failed = changed(callback, success=False, code="PAYMENT_ERROR", message="Payment Failed", data__state="FAILED",
                 data__responseCode="ZM", data__paymentInstrument=None)
packed = base64.b64encode(compact(callback).encode()).decode()


def called(status, **more):
    return {"payments_response": {"connector_transaction_id": "T2111221437456190170379", "status": status,
                                  "merchant_transaction_id": "MT7850590068188104", "amount": money(10000), **more}}


older = [
    v1("PAYMENT_SUCCESS is the payment that succeeded", callback, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=called(
            "CHARGED", status_code=200, error=None), account="PGTESTPAYUAT", covers=["response"],
        reference={"payment": {"connector_transaction_id": "T2111221437456190170379",
                               "merchant_transaction_id": "MT7850590068188104"}},
        processor_event={"id": None, "type": "COMPLETED"}),
       same_dedupe="v1 paid", other_dedupe="v1 states", other_effect="v1 states"),
    v1("sent again, signed with the same salt", callback, good("PAYMENT_INTENT_SUCCESS"), same_dedupe="v1 paid"),
    v1("PAYMENT_PENDING", pending, good("PAYMENT_INTENT_PROCESSING", event_name=None, event_response=called("PENDING")),
       other_dedupe="v1 states", other_effect="v1 states"),
    v1("PAYMENT_ERROR says why", failed, good(
        "PAYMENT_INTENT_FAILURE", event_name="PAYMENT_INTENT_PAYMENT_FAILED", event_response=called(
            "FAILURE", error={"connector_details": {"code": "ZM", "message": "Payment Failed",
                                                    "reason": "PAYMENT_ERROR"}})),
       other_dedupe="v1 states", other_effect="v1 states"),
    v1("TIMED_OUT", changed(failed, code="TIMED_OUT"), good("PAYMENT_INTENT_FAILURE", event_response=called("FAILURE"))),
    v1("a state that is not known is no success", changed(callback, code="PAYMENT_HELD", data__state="HELD"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=called("PENDING"))),
    v1("a payment that is completed and no success is none of either: ask", changed(callback, success=False), good(
        "PAYMENT_INTENT_PROCESSING", event_name=None, event_status="INCOMPLETE", event_response=called("PENDING"))),
    v1("a payment that is completed and in error is none of either: ask", changed(callback, code="PAYMENT_ERROR"), good(
        "PAYMENT_INTENT_PROCESSING", event_name=None, event_status="INCOMPLETE", event_response=called("PENDING"))),
    v1("a success that is neither true nor false", changed(callback, success={}),
       {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
    v1("a refund's callback looks like a payment's: ask", changed(
        callback, data__transactionId="R2111221437456190170380", data__merchantTransactionId="RF7850590068188104"), good(
            None, event_status="INCOMPLETE", effect_key=None, event_response={"payments_response": {
                "connector_transaction_id": "R2111221437456190170380", "status": None}})),
    v1("another salt index, whose key is the second secret", callback, good(
        "PAYMENT_INTENT_SUCCESS", matched_secret=2), secrets=("another-salt", SALT),
       verify=f"{sha256_hex(packed + SALT)}###2", same_dedupe="v1 paid"),
    v1("the url is not part of the checksum", callback, good("PAYMENT_INTENT_SUCCESS"), same_dedupe="v1 paid"),
    v1("white space around the response is not signed", callback, good("PAYMENT_INTENT_SUCCESS"),
       outer=f'{{ "response" : "{packed}" }}\n'),
    v1("no salt index", callback, refused("FORGED", unverified_response=called("CHARGED")),
       verify=sha256_hex(packed + SALT)),
    v1("the wrong salt", callback, refused("FORGED"), verify=f"{sha256_hex(packed + 'guess')}###1"),
    v1("the text alone, without a salt", callback, refused("FORGED"), verify=f"{sha256_hex(packed)}###1"),
    v1("an empty salt", callback, refused("NO_SECRET", 503), secrets=("",), verify=f"{sha256_hex(packed)}###1"),
    v1("no salt is configured", callback, refused("NO_SECRET", 503, unverified_response=called("CHARGED")), secrets=()),
    v1("no signature", callback, refused("NO_SIGNATURE", unverified_response=called("CHARGED")), verify=""),
    v1("a v2 header does not verify it", callback, refused("NO_SIGNATURE"), verify="", secrets=(LOGIN,),
       headers=[["Authorization", sha256_hex(LOGIN)]]),
    v1("another response than the signed one", pending, refused("FORGED"), verify=f"{sha256_hex(packed + SALT)}###1"),
    v1("two headers that differ", callback, refused("FORGED"), headers=[["x-verify", "0" * 64 + "###1"]]),
    v1("a response that comes twice", callback, {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}},
       outer=f'{{"response":"{packed}","response":"e30="}}'),
    v1("no transaction", changed(callback, data__transactionId=...), {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
]

# ---- v2: a webhook ------------------------------------------------------------------------------------------------

detail = {"paymentMode": "UPI_COLLECT", "transactionId": ATTEMPT, "timestamp": 1768471200000, "amount": 10000,
          "state": "COMPLETED"}
completed = {"event": "checkout.order.completed", "payload": {
    "merchantId": "M22XXXXXXX", "merchantOrderId": "MO-pay_77", "orderId": ORDER, "state": "COMPLETED", "amount": 10000,
    "currency": "INR", "expireAt": 1768557600000, "metaInfo": {"udf1": ""}, "paymentDetails": [detail]}}
attempt = changed(completed, event="checkout.transaction.attempt.failed", payload__state="PENDING",
                  payload__paymentDetails=[{**detail, "state": "FAILED", "errorCode": "AUTHORIZATION_ERROR",
                                            "detailedErrorCode": "ZM"}])
other_attempt = changed(attempt, payload__paymentDetails=attempt["payload"]["paymentDetails"] + [
    {**attempt["payload"]["paymentDetails"][0], "transactionId": "OM2403282020198651071950"}])
accepted = {"event": "pg.refund.accepted", "payload": {
    "merchantId": "M22XXXXXXX", "merchantRefundId": "RF-77", "originalMerchantOrderId": "MO-pay_77", "refundId": REFUND,
    "amount": 5000, "state": "CONFIRMED", "timestamp": 1768471200000, "paymentDetails": []}}
cancelled = {"event": "subscription.cancelled", "payload": {
    "merchantSubscriptionId": "MS1708797962855", "subscriptionId": MANDATE, "state": "CANCELLED",
    "authWorkflowType": "TRANSACTION", "amountType": "FIXED", "maxAmount": 200, "frequency": "ON_DEMAND",
    "expireAt": 1737278524000, "pauseStartDate": None, "pauseEndDate": None}}
redeemed = changed(completed, event="subscription.redemption.order.completed", payload__paymentFlow={
    "type": "SUBSCRIPTION_REDEMPTION", "merchantSubscriptionId": "MS1", "subscriptionId": MANDATE})


def ordered(status, **more):
    return {"payments_response": {"connector_transaction_id": ORDER, "merchant_transaction_id": "MO-pay_77",
                                  "status": status, "amount": money(10000), **more}}


def refunded(status, **more):
    return {"refunds_response": {"connector_refund_id": REFUND, "merchant_refund_id": "RF-77", "status": status,
                                 "merchant_transaction_id": "MO-pay_77", "refund_amount": money(5000), **more}}


newer = [
    v2("checkout.order.completed is the payment that succeeded, by a header that covers nothing", completed, good(
        "PAYMENT_INTENT_SUCCESS", event_name="PAYMENT_INTENT_SUCCESS", event_response=ordered("CHARGED", error=None),
        account="M22XXXXXXX", covers=None, reference={"payment": {"connector_transaction_id": ORDER,
                                                                  "merchant_transaction_id": "MO-pay_77"}},
        processor_event={"id": None, "type": "checkout.order.completed"}),
       same_dedupe="v2 paid", other_dedupe="v2 order", other_effect="v2 order"),
    v2("sent again", completed, good("PAYMENT_INTENT_SUCCESS"), same_dedupe="v2 paid"),
    v2("without a currency it is rupees", changed(completed, payload__currency=...), good(
        "PAYMENT_INTENT_SUCCESS", event_response=ordered("CHARGED")), same_dedupe="v2 paid"),
    v2("the deprecated type alone", {**changed(completed, event=...), "type": "PG_ORDER_COMPLETED"}, good(
        "PAYMENT_INTENT_SUCCESS", event_response=ordered("CHARGED"))),
    v2("checkout.order.failed says why", changed(
        completed, event="checkout.order.failed", payload__state="FAILED", payload__errorCode="TRANSACTION_LIMIT_EXCEEDED",
        payload__detailedErrorCode="ZU"), good(
            "PAYMENT_INTENT_FAILURE", event_name="PAYMENT_INTENT_PAYMENT_FAILED", event_response=ordered(
                "FAILURE", error={"connector_details": {"code": "TRANSACTION_LIMIT_EXCEEDED", "reason": "ZU"}})),
       other_dedupe="v2 order", other_effect="v2 order"),
    v2("the state decides, not the event's name", changed(completed, payload__state="FAILED"), good(
        "PAYMENT_INTENT_FAILURE", event_response=ordered("FAILURE"))),
    v2("an order that is completed by expiring", changed(
        attempt, event="pg.order.completed", payload__state="EXPIRED"), good(
            "PAYMENT_INTENT_EXPIRED", event_name=None, event_response=ordered(
                "EXPIRED", error={"connector_details": {"code": "AUTHORIZATION_ERROR", "reason": "ZM"}})),
       other_dedupe="v2 order", other_effect="v2 order"),
    v2("a failed attempt does not end the order", attempt, good(
        "PAYMENT_INTENT_PROCESSING", event_name=None, event_response=ordered(
            "PENDING", error={"connector_details": {"code": "AUTHORIZATION_ERROR", "reason": "ZM"}})),
       other_dedupe="v2 order", other_effect="v2 order"),
    v2("another attempt on that order is another event", other_attempt, good("PAYMENT_INTENT_PROCESSING"),
       other_dedupe="v2 order"),
    v2("pg.refund.accepted is under way", accepted, good(
        "WEBHOOK_REFUND_PROCESSING", event_name=None, event_response=refunded("REFUND_PENDING"),
        reference={"refund": {"connector_refund_id": REFUND, "merchant_refund_id": "RF-77"}}),
       other_dedupe="v2 refund", other_effect="v2 refund"),
    v2("pg.refund.completed", changed(accepted, event="pg.refund.completed", payload__state="COMPLETED"), good(
        "WEBHOOK_REFUND_SUCCESS", event_name="CHARGE_REFUNDED", event_response=refunded("REFUND_SUCCESS")),
       other_dedupe="v2 refund", other_effect="v2 refund"),
    v2("pg.refund.failed says why", changed(accepted, event="pg.refund.failed", payload__state="FAILED",
                                            payload__errorCode="REFUND_WINDOW_EXCEEDED"), good(
        "WEBHOOK_REFUND_FAILURE", event_name=None, event_response=refunded(
            "REFUND_FAILURE", error={"connector_details": {"code": "REFUND_WINDOW_EXCEEDED"}})),
       other_dedupe="v2 refund", other_effect="v2 refund"),
    v2("autopay took the money, under a mandate", redeemed, good(
        "PAYMENT_INTENT_SUCCESS", event_response=ordered(
            "CHARGED", mandate_reference={"connector_mandate_id": {"connector_mandate_id": MANDATE}})),
       same_effect="redeemed", other_dedupe="redeemed"),
    v2("its transaction tells the same", changed(redeemed, event="subscription.redemption.transaction.completed"), good(
        "PAYMENT_INTENT_SUCCESS"), same_effect="redeemed", other_dedupe="redeemed"),
    v2("autopay told the payer", changed(redeemed, event="subscription.notification.completed",
                                         payload__state="NOTIFIED"), good(
        "PAYMENT_INTENT_PROCESSING", event_response=ordered("PENDING")), other_dedupe="redeemed"),
    v2("subscription.cancelled ends a mandate", cancelled, good(
        "MANDATE_REVOKED", reference={"mandate": {"connector_mandate_id": MANDATE}}),
       other_dedupe="v2 mandate", other_effect="v2 mandate"),
    v2("subscription.unpaused can come again: no key", changed(cancelled, event="subscription.unpaused",
                                                               payload__state="ACTIVE"), good(
        "MANDATE_ACTIVE", dedupe_key=None, reference={"mandate": {"connector_mandate_id": MANDATE}}),
       other_effect="v2 mandate"),
    *[v2(f"payment.dispute.{name}", {"event": f"payment.dispute.{name}", "payload": {
        "merchantId": "M22XXXXXXX", "disputeId": "D23456", "merchantOrderId": "MO2321", "orderId": ORDER}}, good(
            f"WEBHOOK_DISPUTE_{word}", event_name=event_name, dedupe_key=None, event_response={"disputes_response": {
                "connector_dispute_id": "D23456", "connector_transaction_id": ORDER,
                "dispute_status": f"DISPUTE_{word}"}}), other_effect="v2 dispute")
      for name, word, event_name in [("created", "OPENED", "DISPUTE_CREATED"), ("under_review", "CHALLENGED", None),
                                     ("won", "WON", "DISPUTE_CLOSED"), ("lost", "LOST", "DISPUTE_CLOSED")]],
    v2("an event that is not known is an answer", changed(completed, event="settlement.attempt.failed"), good(
        None, event_response=None)),
    v2("user and password of the configuration", completed, good("PAYMENT_INTENT_SUCCESS", matched_secret=None),
       secrets=(), config={"username": "username", "password": "password"}),
    v2("the second login", completed, good("PAYMENT_INTENT_SUCCESS", matched_secret=2), secrets=("old:one", LOGIN)),
    v2("the hash that the official SDK has for username:password", completed, good("PAYMENT_INTENT_SUCCESS"),
       authorization="bc842c31a9e54efe320d30d948be61291f3ceee4766e36ab25fa65243cd76e0e"),
    v2("the wrong password", completed, refused("FORGED", unverified_response=ordered("CHARGED")), login="username:guess"),
    v2("the password itself is no hash", completed, refused("FORGED"), authorization=LOGIN),
    v2("no authorization", completed, refused("NO_SIGNATURE", unverified_response=ordered("CHARGED")), authorization=""),
    v2("no login is configured", completed, refused("NO_SECRET", 503, unverified_response=ordered("CHARGED")), secrets=()),
    v2("an empty secret, hashed", completed, refused("NO_SECRET", 503), secrets=("",), login=""),
    v2("half a login of the configuration is none", completed, refused("NO_SECRET", 503), secrets=(), login="username:",
       config={"username": "username"}),
    v2("two headers that differ", completed, refused("FORGED"), headers=[["authorization", sha256_hex("guess")]]),
    v2("an order without its state is malformed", changed(completed, payload__state=...),
       {"error": {"code": "WEBHOOK_BODY_DECODING_FAILED"}}),
]
older[8]["request"]["uri"] = "/callbacks/phonepe?x=1"
write(__file__, "phonepe", "Made by handle.py; answers by hand, from PhonePe's documentation.", older + newer)
