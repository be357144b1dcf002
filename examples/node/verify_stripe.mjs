// Who sent this Stripe webhook, and what happened? Through libpayhook's C ABI, with koffi.
//
// npm ci && STRIPE_WHSEC=whsec_… node verify_stripe.mjs "$STRIPE_SIGNATURE" <body.json
import { readFileSync } from 'node:fs';
import koffi from 'koffi';

const lib = koffi.load(process.env.PAYHOOK_LIB ?? 'libpayhook.so.0');
const libc = koffi.load('libc.so.6');
const f = (result, name, ...args) => lib.func(`ph_hook_${name}`, result, args);
const create = f('void *', 'new', 'void *', 'void *');
const free = f('void', 'free', 'void *');
const begin = f('int', 'begin', 'void *', 'str');
const header = f('int', 'header', 'void *', 'str', 'str');
const bodyOf = f('int', 'body', 'void *', 'void *', 'size_t');
const secret = f('int', 'secret', 'void *', 'str', 'str');
const receivedAt = f('int', 'received_at', 'void *', 'int64');
const run = f('int', 'run', 'void *', 'int');
const statusText = f('str', 'status_text', 'int');
const errorMessage = f('str', 'error_message', 'void *');
const verdict = f('int', 'verdict', 'void *', 'size_t');
const text = f('str', 'text', 'void *', 'size_t', 'str');
const money = lib.func('int ph_hook_money(void *, size_t, str, _Out_ int64_t *, _Out_ const char **)');
const [VERIFIED, HANDLE] = [1, 3];

function stop(why) {
  console.error(why);
  process.exit(1);
}
function must(status) {
  if (status !== 0) stop(`payhook: ${statusText(status)}`);
}

const body = readFileSync(0);
const hook = create(libc.symbol('malloc', 'void *'), libc.symbol('free', 'void *'));
must(begin(hook, 'stripe'));
must(header(hook, 'Stripe-Signature', process.argv[2]));
must(bodyOf(hook, body, body.length));
must(secret(hook, process.env.STRIPE_WHSEC, null));
must(receivedAt(hook, Date.now()));
must(run(hook, HANDLE));
if (errorMessage(hook)) stop(`not a webhook that can be read: ${errorMessage(hook)}`);
if (verdict(hook, 0) !== VERIFIED) stop(`do not act on it: ${text(hook, 0, 'verdict_reason')}`);
const [minor, currency] = [[0], ['']];
money(hook, 0, 'amount', minor, currency);
console.log(`${text(hook, 0, 'event_type') ?? '(an event we do not know)'} ${minor[0]} ${currency[0]}, once per ${text(hook, 0, 'dedupe_key')}`);
free(hook);
