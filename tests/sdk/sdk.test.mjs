// Live round trips with the processors' own SDKs: they sign and we verify; we sign and they verify; and
// after any one-byte change neither side accepts. Bounded: a fixed number of seeded random bodies.
import test from "node:test";
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, createHash } from "node:crypto";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const bin = process.env.PAYHOOK_BIN;
assert.ok(bin, "PAYHOOK_BIN names the built program");
const NOW = 1764000000;

// One run of the program for many requests: JSON lines in, JSON lines out.
const verifyAll = (lines) =>
  execFileSync(bin, ["handle", "--ndjson"], { input: lines.map((l) => JSON.stringify(l)).join("\n") + "\n", maxBuffer: 1 << 28 })
    .toString()
    .trim()
    .split("\n")
    .map((l) => JSON.parse(l));
const verdicts = (lines) => verifyAll(lines).map((a) => a.verdict ?? `error ${a.error?.code}`);
// `privateKey` goes by the environment: the program refuses a key on its command line.
const sign = (connector, body, secrets, { more = [], at = NOW, privateKey = "" } = {}) => {
  const env = { ...process.env, SDK_SECRET: secrets[0], SDK_SECRET2: secrets[1] ?? "", SDK_KEY: privateKey };
  const args = ["sign", "--connector", connector, "--body", "-", "--format", "json", "--at", String(at), "--secret-env", "SDK_SECRET"];
  if (secrets[1]) args.push("--additional-secret-env", "SDK_SECRET2");
  if (privateKey) args.push("--config-env", "private_key_pem=SDK_KEY");
  const out = JSON.parse(execFileSync(bin, [...args, ...more], { input: body, env }).toString());
  return { ...out, headers: Object.fromEntries(out.headers) };
};
const header = (headers, name) => headers[Object.keys(headers).find((k) => k.toLowerCase() === name.toLowerCase())];

// Seeded: a failure can be run again.
let seed = 20261124;
const rand = (n) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) / 2 ** 32) * n | 0;
const alphabet = ["a", "Z", "0", "é", "😀", "\\\"", "\\\\", "\u2028", " ", "\\u0007", "{", "}"];
const text = (n) => Array.from({ length: n }, () => alphabet[rand(alphabet.length)]).join("");
const secretText = () => Array.from({ length: [1, 20, 63, 64, 65, 200][rand(6)] }, () => String.fromCharCode(33 + rand(94))).join("");
const stripeBody = (i) =>
  JSON.stringify({ id: `evt_${i}`, object: "event", created: NOW, livemode: false, type: "payment_intent.succeeded", data: { object: { id: `pi_${i}`, object: "payment_intent", amount: 100 + i, amount_received: 100 + i, currency: "usd", status: "succeeded", metadata: {}, description: "@" } } }).replace('"@"', () => `"${text(rand(400))}"`);
const flip = (s) => {
  const b = Buffer.from(s);
  b[b.length - 2 - rand(Math.max(1, b.length >> 2))] ^= 1;
  return b;
};

test("what Stripe's SDK signs verifies, and nothing does after a changed byte", () => {
  const stripe = new (require("stripe").default ?? require("stripe"))("sk_test_x");
  const lines = [], want = [];
  for (let i = 0; i < 200; i++) {
    const body = stripeBody(i), secret = secretText();
    const signature = stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: NOW });
    const one = (b64, sec, at) => ({ connector: "stripe", request: { method: "POST", uri: "/w", headers: { "Stripe-Signature": signature }, body_base64: b64.toString("base64") }, secrets: { secret: sec }, at });
    lines.push(one(Buffer.from(body), secret, NOW), one(flip(body), secret, NOW), one(Buffer.from(body), secret + "x", NOW), one(Buffer.from(body), secret, NOW + 300), one(Buffer.from(body), secret, NOW + 301));
    want.push("VERIFIED", "not", "FORGED", "VERIFIED", "STALE");
  }
  verdicts(lines).forEach((v, i) => (want[i] === "not" ? assert.notEqual(v, "VERIFIED") : assert.equal(v, want[i], `line ${i}`)));
});

test("what we sign, Stripe's SDK verifies", () => {
  const stripe = new (require("stripe").default ?? require("stripe"))("sk_test_x");
  for (let i = 0; i < 10; i++) {
    const body = stripeBody(i), secret = "whsec_" + secretText();
    const out = sign("stripe", body, [secret]);
    const event = stripe.webhooks.constructEvent(out.body, header(out.headers, "Stripe-Signature"), secret, 300, undefined, NOW * 1000);
    assert.equal(event.id, `evt_${i}`);
  }
});

const adyenItem = (i) => ({ NotificationRequestItem: { additionalData: {}, amount: { currency: "EUR", value: 100 + i }, eventCode: "AUTHORISATION", eventDate: "2026-01-01T00:00:00+01:00", merchantAccountCode: "Shop", merchantReference: `order-${i}:é\\`, pspReference: `8814000000${i}`, originalReference: "", success: "true", reason: "" } });

test("what Adyen's SDK signs verifies, and what we sign its SDK verifies", async () => {
  const { hmacValidator: Validator } = require("@adyen/api-library");
  const validator = new Validator();
  const key = createHash("sha256").update("adyen").digest("hex").toUpperCase();
  const lines = [], want = [];
  for (let i = 0; i < 50; i++) {
    const items = [adyenItem(i), adyenItem(i + 1000)];
    for (const it of items) it.NotificationRequestItem.additionalData.hmacSignature = validator.calculateHmac(it.NotificationRequestItem, key);
    const body = JSON.stringify({ live: "false", notificationItems: items });
    const one = (b, k) => ({ connector: "adyen", request: { method: "POST", uri: "/w", headers: {}, body: b }, secrets: { secret: k }, at: NOW });
    lines.push(one(body, key), one(body.replace(`"value":${100 + i}`, `"value":${900 + i}`), key), one(body, key.replace(/^./, (c) => (c === "0" ? "1" : "0"))));
    want.push("VERIFIED", "FORGED", "FORGED");
  }
  assert.deepEqual(verdicts(lines), want);
  const out = sign("adyen", JSON.stringify({ live: "false", notificationItems: [adyenItem(1), adyenItem(2)] }), [key]);
  for (const { NotificationRequestItem: item } of JSON.parse(out.body).notificationItems) assert.ok(validator.validateHMAC(item, key));
});

test("what Braintree's SDK signs verifies, and what we sign its SDK parses", async () => {
  const braintree = require("braintree");
  const gateway = new braintree.BraintreeGateway({ environment: braintree.Environment.Sandbox, merchantId: "m", publicKey: "pub_key", privateKey: "private_key_1" });
  const sample = gateway.webhookTesting.sampleNotification(braintree.WebhookNotification.Kind.DisputeLost, "my_id");
  const form = (s, p) => new URLSearchParams({ bt_signature: s, bt_payload: p }).toString();
  const one = (body, secret, additional_secret) => ({ connector: "braintree", request: { method: "POST", uri: "/w", headers: { "Content-Type": "application/x-www-form-urlencoded" }, body }, secrets: { secret, additional_secret }, at: NOW });
  const good = form(sample.bt_signature, sample.bt_payload);
  assert.deepEqual(verdicts([one(good, "private_key_1", "pub_key"), one(good, "private_key_2", "pub_key"), one(good, "private_key_1", "other")]), ["VERIFIED", "FORGED", "FORGED"]);
  const xml = Buffer.from(sample.bt_payload, "base64").toString();
  const out = sign("braintree", xml, ["private_key_1", "pub_key"]);
  const fields = new URLSearchParams(out.body);
  const parsed = await gateway.webhookNotification.parse(fields.get("bt_signature"), fields.get("bt_payload"));
  assert.equal(parsed.kind, "dispute_lost");
});

test("what the Standard Webhooks SDK signs verifies, and what we sign it verifies", () => {
  const { Webhook } = require("standardwebhooks");
  const secret = "whsec_" + Buffer.from("0123456789abcdef0123456789abcdef").toString("base64");
  const hook = new Webhook(secret);
  const lines = [], want = [];
  for (let i = 0; i < 50; i++) {
    const body = JSON.stringify({ type: "invoice.paid", data: { n: i, t: text(40) } });
    const headers = { "webhook-id": `msg_${i}`, "webhook-timestamp": String(NOW), "webhook-signature": `v1,AAAA ${hook.sign(`msg_${i}`, new Date(NOW * 1000), body)}` };
    for (const [at, b, v] of [[NOW, body, "VERIFIED"], [NOW + 300, body, "VERIFIED"], [NOW - 300, body, "VERIFIED"], [NOW + 301, body, "STALE"], [NOW - 301, body, "STALE"], [NOW, body.replace("paid", "Paid"), "FORGED"]]) {
      lines.push({ connector: "standardwebhooks", request: { method: "POST", uri: "/w", headers, body: b }, secrets: { secret }, at });
      want.push(v);
    }
  }
  assert.deepEqual(verdicts(lines), want);
  const now = Math.floor(Date.now() / 1000);
  const out = sign("standardwebhooks", '{"type":"invoice.paid","data":{}}', [secret], { at: now });
  assert.equal(hook.verify(out.body, Object.fromEntries(Object.entries(out.headers).map(([k, v]) => [k.toLowerCase(), v]))).type, "invoice.paid");
});

test("what TrueLayer's SDK signs verifies, and what we sign it verifies", () => {
  const tl = require("truelayer-signing");
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-521" });
  const kid = "45fc75cf-5649-4134-84b3-192c2c78e990";
  const jwk = { ...publicKey.export({ format: "jwk" }), kid, alg: "EC" };
  const jwks = JSON.stringify({ keys: [jwk] });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const body = JSON.stringify({ type: "payment_settled", event_version: 1, event_id: "e1", payment_id: "p1", settled_at: "2026-01-15T10:00:00Z" });
  const headers = { "X-TL-Webhook-Timestamp": "2026-01-15T10:00:00Z" };
  // The SDK writes no jku, and TrueLayer's webhooks always carry one: without it we refuse, so the SDK's
  // half of the promise is proved on what we sign.
  const path = "/webhooks/truelayer";
  const signature = tl.sign({ kid, method: tl.HttpMethod?.Post ?? "POST", path, headers, body, privateKeyPem: pem });
  assert.deepEqual(verdicts([{ connector: "truelayer", request: { method: "POST", uri: path, headers: { ...headers, "Tl-Signature": signature }, body }, secrets: { secret: jwks }, at: NOW }]), ["FORGED"]);
  const out = sign("truelayer", body, [jwks], { more: ["--uri", path, "--config", `kid=${kid}`], privateKey: pem });
  tl.verify({ jwks, signature: header(out.headers, "Tl-Signature"), method: tl.HttpMethod?.Post ?? "POST", path, headers: out.headers, body: out.body, requiredHeaders: ["X-TL-Webhook-Timestamp"] });
  const lines = [out.body, out.body.replace("p1", "p2")].map((b) => ({ connector: "truelayer", request: { method: "POST", uri: path, headers: out.headers, body: b }, secrets: { secret: jwks }, at: NOW }));
  assert.deepEqual(verdicts(lines), ["VERIFIED", "FORGED"]);
});
