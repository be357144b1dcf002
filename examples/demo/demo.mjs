// What `make run` shows: payhook as a service, a real gRPC client, signed webhooks, and the answers.
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const payhook = process.argv[2];
const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const env = {
  ...process.env,
  PAYHOOK_STRIPE_SECRET: "whsec_demo_b5c1f0a2d4e6",
  PAYHOOK_ADYEN_SECRET: "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056",
};
const secrets = { stripe: env.PAYHOOK_STRIPE_SECRET, adyen: env.PAYHOOK_ADYEN_SECRET };

const freePort = () =>
  new Promise((resolve) => {
    const s = createServer().listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });

const bold = (s) => (process.stdout.isTTY ? `\x1b[1m${s}\x1b[0m` : s);
const [port, hooks] = [await freePort(), await freePort()];
const address = `127.0.0.1:${port}`;
const server = spawn(payhook, ["serve", "--dev", "--listen", address, "--listen-webhooks", `127.0.0.1:${hooks}`], {
  env,
  stdio: ["ignore", "pipe", "inherit"],
});
const stop = () => server.kill("SIGTERM");
process.on("exit", stop);
console.log(bold("payhook serve --dev"));
let listening = 0;
await new Promise((resolve, reject) => {
  createInterface({ input: server.stdout }).on("line", (line) => {
    console.log("  serve | " + line);
    if (/listening on/i.test(line) && ++listening === 2) resolve();
  });
  server.on("exit", (code) => reject(new Error(`payhook serve ended with ${code}`)));
});

const types = grpc.loadPackageDefinition(
  loader.loadSync(join(root, "proto/events.proto"), { keepCase: true, longs: String, enums: String, defaults: false, oneofs: false }),
).types;
const client = new types.EventService(address, grpc.credentials.createInsecure());
const call = (connector, request) =>
  new Promise((resolve, reject) => {
    const metadata = new grpc.Metadata();
    metadata.set("x-connector", connector);
    client.Handle(request, metadata, { deadline: Date.now() + 5000 }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

// Adyen sends the same events in two shapes.
const shape = (connector) => (connector === "adyen" ? ["--variant", "json"] : []);
// `payhook sign` signs a sample as the processor would, so that the demo holds no signing code.
const sign = (connector, event) => {
  const args = ["sign", "--connector", connector, "--sample", event, ...shape(connector), "--secret-env", `PAYHOOK_${connector.toUpperCase()}_SECRET`, "--format", "json"];
  const signed = JSON.parse(execFileSync(payhook, args, { env, encoding: "utf8" }));
  return { ...signed, headers: Object.fromEntries(signed.headers) };
};
const show = (title, a) => {
  const c = a.event_response?.payments_response ?? a.event_response?.refunds_response ?? a.event_response?.disputes_response;
  const money = c?.amount ?? c?.refund_amount ?? c?.dispute_amount;
  console.log(`\n${bold(title)}`);
  console.log(`  verdict      ${a.verdict}  ${a.verdict_reason ?? ""}`);
  console.log(`  event        ${a.event_name || a.event_type || "(none: not verified, nothing to act on)"}`);
  if (c) console.log(`  object       ${c.connector_transaction_id ?? c.connector_refund_id ?? c.connector_dispute_id}  ${c.status ?? c.dispute_status ?? ""}`);
  if (money) console.log(`  amount       ${money.minor_amount} ${money.currency} (minor units)`);
  if (a.dedupe_key) console.log(`  dedupe_key   ${a.dedupe_key}`);
  const ack = a.event_ack_response;
  if (ack) console.log(`  answer it    HTTP ${ack.status_code} ${ack.body ? Buffer.from(ack.body).toString() : ""}`);
};
const request = (signed, body = signed.body) => ({
  request_details: { method: "HTTP_METHOD_POST", uri: signed.uri ?? "/", headers: signed.headers, body: Buffer.from(body) },
  webhook_secrets: { secret: secrets[signed.connector] },
});

let failed = false;
const expect = (what, ok) => {
  if (!ok) {
    failed = true;
    console.log(`  UNEXPECTED: ${what}`);
  }
};
try {
  for (const [connector, event] of [["stripe", "payment_intent.succeeded"], ["adyen", "AUTHORISATION"]]) {
    const signed = { connector, ...sign(connector, event) };
    const answer = await call(connector, request(signed));
    show(`gRPC Handle: ${connector} ${event}, signed`, answer);
    expect("a signed event must be VERIFIED", answer.verdict === "VERIFIED");
    if (connector === "stripe") {
      const forged = await call(connector, request(signed, signed.body.replace(/"amount": ?\d+/, '"amount": 999999')));
      show("gRPC Handle: the same, its amount changed on the way", forged);
      expect("a changed event must be FORGED", forged.verdict === "FORGED" && !forged.event_response);
    }
  }
  console.log(`\n${bold("payhook trigger")}: the same processors post to the webhook listener themselves`);
  for (const [connector, event] of [["stripe", "charge.refund.updated"], ["adyen", "CAPTURE"]]) {
    const args = ["trigger", connector, event, ...shape(connector), "--url", `http://127.0.0.1:${hooks}/webhooks/${connector}`, "--secret-env", `PAYHOOK_${connector.toUpperCase()}_SECRET`];
    // The child's output comes back while ours goes on reading the server's.
    await new Promise((resolve) => {
      const p = spawn(payhook, args, { env, stdio: ["ignore", "pipe", "inherit"] });
      createInterface({ input: p.stdout }).on("line", (line) => console.log("  " + line));
      p.on("exit", (code) => {
        expect(`trigger ${connector} ${event}`, code === 0);
        resolve();
      });
    });
  }
  await new Promise((r) => setTimeout(r, 200));
} catch (error) {
  expect(error.message, false);
} finally {
  client.close();
  server.removeAllListeners("exit");
  stop();
}
console.log(`
${bold("Try next")}
  build/payhook connectors list
  build/payhook connectors show stripe
  export PAYHOOK_STRIPE_SECRET=whsec_...
  build/payhook serve --dev
  build/payhook trigger stripe payment_intent.succeeded --secret-env PAYHOOK_STRIPE_SECRET   # in another terminal
  build/payhook handle --help`);
process.exit(failed ? 1 : 0);
