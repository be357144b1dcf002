// What `make run` shows: payhook as a gateway with a shop behind it, and as a service behind a gRPC client.
import { execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { createServer } from "node:net";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const payhook = process.argv[2];
const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const folder = mkdtempSync(join(tmpdir(), "payhook-demo-"));
const key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const env = {
  ...process.env,
  STRIPE: "whsec_demo_b5c1f0a2d4e6", ADYEN: key, RAZORPAY: "demo-razorpay", REVOLUT: "wsk_demo", AUTHORIZEDOTNET: key,
  WRONG: "whsec_somebody_else", SHOP_WEBHOOK_SECRET: "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
};
const processors = ["stripe", "adyen", "razorpay", "revolut", "authorizedotnet"];

const freePort = () =>
  new Promise((resolve) => {
    const s = createServer().listen(0, "127.0.0.1", () => {
      const { port } = s.address();
      s.close(() => resolve(port));
    });
  });
const bold = (s) => (process.stdout.isTTY ? `\x1b[1m${s}\x1b[0m` : s);
const pause = (ms) => new Promise((r) => setTimeout(r, ms));

let failed = false;
const expect = (what, ok) => {
  if (!ok) {
    failed = true;
    console.log(`  UNEXPECTED: ${what}`);
  }
};

// ---- processes ------------------------------------------------------------------------------------
const running = new Set();
process.on("exit", () => {
  for (const p of running) p.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});
const heard = []; // lines of the shop
/** Starts a process, shows its lines, and resolves once `ready` many lines have matched. */
const start = (name, command, args, ready, count = 1) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    running.add(child);
    createInterface({ input: child.stdout }).on("line", (line) => {
      console.log(`  ${name} | ${line.replace(folder, "…")}`);
      if (name === "shop") heard.push(line);
      if (ready.test(line) && --count === 0) resolve(child);
    });
    child.on("exit", (code) => {
      running.delete(child);
      reject(new Error(`${name} ended with ${code}`));
    });
  });
const stop = (child) =>
  new Promise((resolve) => {
    child.once("exit", resolve);
    child.kill("SIGTERM");
  });
const run = (args) =>
  new Promise((resolve) => {
    const child = spawn(payhook, args, { env, cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (d) => (text += d));
    child.on("exit", (code) => resolve({ code, text }));
  });

// ---- the gateway ------------------------------------------------------------------------------------
const [port, hooks, shopPort] = [await freePort(), await freePort(), await freePort()];
writeFileSync(
  join(folder, "payhook.yaml"),
  `webhooks: { listen: 127.0.0.1:${hooks} }
service: { listen: 127.0.0.1:${port} }
log: { level: error }
endpoints:
${processors.map((p) => `  ${p}: { connector: ${p}, secrets: env:${p.toUpperCase()} }`).join("\n")}
destinations:
  shop:
    url: http://127.0.0.1:${shopPort}/events
    secret: env:SHOP_WEBHOOK_SECRET
    once_per: effect
    retry: { after: [ 1s, 1s, 1s ] }
`,
);
// `payhook trigger` signs a sample as the processor would and posts it, as the processor would.
const post = async (connector, event, { secret = connector.toUpperCase(), wants = /200/, note = "" } = {}) => {
  const shape = connector === "adyen" ? ["--variant", "json"] : []; // Adyen has two shapes
  const { text } = await run(["trigger", connector, event, ...shape, "--url", `http://127.0.0.1:${hooks}/webhooks/${connector}`, "--secret-env", secret]);
  const answer = /^answer: HTTP\/1\.1 (.*)$/m.exec(text)?.[1] ?? text.trim();
  console.log(`  post | ${connector} ${event}${note ? ` (${note})` : ""}: ${answer}`);
  expect(`${connector} ${event} is answered ${wants}`, wants.test(answer));
};
const shopHears = async (count) => {
  for (let i = 0; i < 100 && heard.length < count; i++) await pause(50);
  await pause(100);
  expect(`the shop heard ${count} lines, not ${heard.length}`, heard.length === count);
};

let gateway;
try {
  console.log(bold("A gateway, and a shop behind it"));
  let shop = await start("shop", process.execPath, [join(root, "examples/shop/shop.mjs"), String(shopPort)], /open/);
  gateway = await start("payhook", payhook, ["serve", "--config", "payhook.yaml"], /inbox in/);

  console.log(`\n${bold("Five processors post; one event comes twice, one refund as both of its events, one is forged")}`);
  await post("stripe", "payment_intent.succeeded");
  await post("stripe", "payment_intent.succeeded", { note: "again" });
  await post("adyen", "AUTHORISATION");
  await post("razorpay", "payment.captured");
  await post("revolut", "ORDER_COMPLETED");
  await post("authorizedotnet", "payment.authcapture.created");
  await post("stripe", "refund.updated");
  await post("stripe", "charge.refund.updated", { note: "the same refund" });
  await post("stripe", "charge.dispute.created", { secret: "WRONG", wants: /401/, note: "forged" });
  await shopHears(7);

  console.log(`\n${bold("payhook requests ls --standing quarantined")}`);
  const { text } = await run(["requests", "ls", "--standing", "quarantined", "--output", "json"]);
  for (const line of text.trim().split("\n").filter(Boolean)) {
    const kept = JSON.parse(line);
    console.log(`  ${kept.endpoint}  ${kept.verdict}  ${kept.verdict_reason}`);
  }

  console.log(`\n${bold("The shop is closed; more come in; it opens again")}`);
  await stop(shop);
  heard.length = 0;
  await post("stripe", "charge.dispute.closed");
  await post("adyen", "CAPTURE");
  await pause(300);
  shop = await start("shop", process.execPath, [join(root, "examples/shop/shop.mjs"), String(shopPort)], /open/);
  await shopHears(3);
  shop.removeAllListeners("exit");
  await stop(shop);

  // ---- the Event Service ----------------------------------------------------------------------------
  const types = grpc.loadPackageDefinition(
    loader.loadSync(join(root, "proto/events.proto"), { keepCase: true, longs: String, enums: String, defaults: false, oneofs: false }),
  ).types;
  const client = new types.EventService(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  const handle = (request) =>
    new Promise((resolve, reject) => {
      const metadata = new grpc.Metadata();
      metadata.set("x-connector", "stripe");
      client.Handle(request, metadata, { deadline: Date.now() + 5000 }, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  const show = (title, a) => {
    const c = a.event_response?.payments_response;
    console.log(`\n${bold(title)}`);
    console.log(`  verdict      ${a.verdict}  ${a.verdict_reason ?? ""}`);
    console.log(`  event        ${a.event_name || a.event_type || "(none: not verified, nothing to act on)"}`);
    if (c) console.log(`  object       ${c.connector_transaction_id}  ${c.status}  ${c.amount.minor_amount} ${c.amount.currency} (minor units)`);
    if (a.dedupe_key) console.log(`  dedupe_key   ${a.dedupe_key}`);
    console.log(`  answer it    HTTP ${a.event_ack_response.status_code}`);
  };
  const signed = JSON.parse(
    execFileSync(payhook, ["sign", "--connector", "stripe", "--sample", "payment_intent.succeeded", "--secret-env", "STRIPE", "--format", "json"], { env, encoding: "utf8" }),
  );
  const request = (body) => ({
    request_details: { method: "HTTP_METHOD_POST", uri: "/", headers: Object.fromEntries(signed.headers), body: Buffer.from(body) },
    webhook_secrets: { secret: env.STRIPE },
  });
  const good = await handle(request(signed.body));
  show("The Event Service, by gRPC: a signed event", good);
  expect("a signed event must be VERIFIED", good.verdict === "VERIFIED");
  const forged = await handle(request(signed.body.replace(/"amount": ?\d+/, '"amount": 999999')));
  show("The same, its amount changed on the way", forged);
  expect("a changed event must be FORGED", forged.verdict === "FORGED" && !forged.event_response);
  client.close();
} catch (error) {
  expect(error.message, false);
}
if (gateway) {
  gateway.removeAllListeners("exit");
  await stop(gateway);
}
console.log(`
${bold("Try next")}
  build/payhook connectors list
  build/payhook config help
  export PAYHOOK_STRIPE_SECRET=whsec_...
  build/payhook serve                 # a gateway on ./payhook-data

and, while that runs, in another terminal
  export PAYHOOK_STRIPE_SECRET=whsec_...
  build/payhook trigger stripe payment_intent.succeeded --secret-env PAYHOOK_STRIPE_SECRET`);
process.exit(failed ? 1 : 0);
