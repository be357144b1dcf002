"""The calls of cases.mjs by grpcio: reads {"proto": folder, "cases": […]} from standard input, prints one JSON line
per call: name, code, message, details (base64), answer (canonical protobuf JSON, proto field names)."""
import base64, json, os, sys, tempfile

import grpc
from google.protobuf import json_format, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2 as v1alpha_pb2, reflection_pb2_grpc as v1alpha_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_tools import protoc

given = json.load(sys.stdin)
folder = tempfile.TemporaryDirectory()
args = ["protoc", f"-I{given['proto']}", f"--python_out={folder.name}", f"--grpc_python_out={folder.name}"]
assert protoc.main([*args, "events.proto", "reflection_v1.proto"]) == 0
sys.path.insert(0, folder.name)
import events_pb2, events_pb2_grpc, reflection_v1_pb2, reflection_v1_pb2_grpc  # noqa: E402

STUBS = {
    "types.EventService": (events_pb2_grpc.EventServiceStub, events_pb2),
    "types.CompositeEventService": (events_pb2_grpc.CompositeEventServiceStub, events_pb2),
    "grpc.health.v1.Health": (health_pb2_grpc.HealthStub, health_pb2),
    "grpc.reflection.v1.ServerReflection": (reflection_v1_pb2_grpc.ServerReflectionStub, reflection_v1_pb2),
    "grpc.reflection.v1alpha.ServerReflection": (v1alpha_grpc.ServerReflectionStub, v1alpha_pb2),
}


def request_of(module, service, method, values):
    kind = module.DESCRIPTOR.services_by_name[service.rpartition(".")[2]].methods_by_name[method].input_type
    return json_format.ParseDict(values, message_factory.GetMessageClass(kind)())


def run(case):
    service, _, method = case["method"].rpartition("/")
    stub, module = STUBS[service]
    out = {"name": case["name"], "code": "OK", "message": "", "details": None, "answer": None}
    with grpc.insecure_channel(case["target"], options=[("grpc.max_send_message_length", -1)]) as channel:
        call = getattr(stub(channel), method)
        request = request_of(module, service, method, case["request"])
        streams = "Reflection" in method
        options = {"metadata": list(case["metadata"].items()), "timeout": case.get("deadline_ms", 20_000) / 1000}
        try:
            if method == "Watch":
                running = call(request, **options)
                for answer in running:
                    out["answer"] = answer
                    if case.get("cancel_after_first"):
                        running.cancel()
            elif streams:
                out["answer"] = next(iter(call(iter([request]), **options)))
            else:
                out["answer"] = call(request, **options)
        except grpc.RpcError as error:
            out["code"], out["message"] = error.code().name, error.details()
            for name, value in error.trailing_metadata() or ():
                if name == "grpc-status-details-bin":
                    out["details"] = base64.b64encode(value).decode()
    if out["answer"] is not None:
        out["answer"] = json_format.MessageToDict(out["answer"], preserving_proto_field_name=True)
    print(json.dumps(out), flush=True)


for case in given["cases"]:
    run(case)
# What the reflection client of grpcio makes of the answers: the same messages as the files.
with grpc.insecure_channel(given["cases"][0]["target"]) as channel:
    database = ProtoReflectionDescriptorDatabase(channel)
    found = database.FindFileContainingSymbol("types.EventService")
    mine = type(found)()
    events_pb2.DESCRIPTOR.CopyToProto(mine)
    same = [m.name for m in found.message_type] == [m.name for m in mine.message_type] and len(found.enum_type) == len(mine.enum_type)
    print(json.dumps({"name": "descriptors", "code": "OK" if same else "DIFFERENT", "message": "", "details": None, "answer": None}))
