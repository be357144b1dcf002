"""Asks payhook's Event Service about one webhook, by gRPC.
usage: STRIPE_WHSEC=... python3 handle.py 127.0.0.1:8080 SIGNATURE <body.json
needs: pip install grpcio grpcio-tools"""
import os, sys

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../proto"))
events, services = grpc.protos_and_services("events.proto")  # or made once: python3 -m grpc_tools.protoc

request = events.EventServiceHandleRequest(
    request_details=events.RequestDetails(
        method=events.HTTP_METHOD_POST, uri="/webhooks/stripe", headers={"Stripe-Signature": sys.argv[2]},
        body=sys.stdin.buffer.read()),  # the raw bytes, never parsed and printed again
    webhook_secrets=events.WebhookSecrets(secret=os.environ["STRIPE_WHSEC"]))
with grpc.insecure_channel(sys.argv[1]) as channel:
    answer = services.EventServiceStub(channel).Handle(request, metadata=[("x-connector", "stripe")], timeout=5)

print(events.HandleResponse.Verdict.Name(answer.verdict), events.WebhookEventType.Name(answer.event_type), answer.dedupe_key)
sys.exit(0 if answer.verdict == events.HandleResponse.VERIFIED else 1)
