"""Who sent this Stripe webhook, and what happened? Through libpayhook, with ctypes alone.

STRIPE_WHSEC=whsec_… python3 verify_stripe.py "$STRIPE_SIGNATURE" <body.json
"""
import ctypes, os, sys, time

C, P, Z = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t
lib = ctypes.CDLL(os.environ.get("PAYHOOK_LIB", "libpayhook.so.0"))
libc = ctypes.CDLL(None)
for name, result, arguments in [
    ("new", P, [P, P]), ("free", None, [P]), ("begin", ctypes.c_int, [P, C]),
    ("header", ctypes.c_int, [P, C, C]), ("body", ctypes.c_int, [P, C, Z]),
    ("secret", ctypes.c_int, [P, C, C]), ("received_at", ctypes.c_int, [P, ctypes.c_int64]),
    ("run", ctypes.c_int, [P, ctypes.c_int]), ("error_message", C, [P]), ("status_text", C, [ctypes.c_int]),
    ("verdict", ctypes.c_int, [P, Z]), ("text", C, [P, Z, C]),
    ("money", ctypes.c_int, [P, Z, C, ctypes.POINTER(ctypes.c_int64), ctypes.POINTER(C)]),
]:
    function = getattr(lib, "ph_hook_" + name)
    function.restype, function.argtypes = result, arguments
VERIFIED, HANDLE = 1, 3


def must(status):
    if status != 0:
        sys.exit("payhook: " + lib.ph_hook_status_text(status).decode())


hook = lib.ph_hook_new(ctypes.cast(libc.malloc, P), ctypes.cast(libc.free, P))
body = sys.stdin.buffer.read()
must(lib.ph_hook_begin(hook, b"stripe"))
must(lib.ph_hook_header(hook, b"Stripe-Signature", sys.argv[1].encode()))
must(lib.ph_hook_body(hook, body, len(body)))
must(lib.ph_hook_secret(hook, os.environ["STRIPE_WHSEC"].encode(), None))
must(lib.ph_hook_received_at(hook, int(time.time() * 1000)))
must(lib.ph_hook_run(hook, HANDLE))
why = lib.ph_hook_error_message(hook)
if why:
    sys.exit("not a webhook that can be read: " + why.decode())
if lib.ph_hook_verdict(hook, 0) != VERIFIED:
    sys.exit("do not act on it: " + lib.ph_hook_text(hook, 0, b"verdict_reason").decode())
minor, currency = ctypes.c_int64(), C(b"")
lib.ph_hook_money(hook, 0, b"amount", ctypes.byref(minor), ctypes.byref(currency))
kind = lib.ph_hook_text(hook, 0, b"event_type") or b"(an event we do not know)"
key = lib.ph_hook_text(hook, 0, b"dedupe_key")
print(f"{kind.decode()} {minor.value} {currency.value.decode()}, once per {key.decode()}")
lib.ph_hook_free(hook)
