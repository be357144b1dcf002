// A shop that is told by payhook, in thirty lines: one HTTP route, Standard Webhooks checked by hand, CloudEvents read.
// usage: SHOP_WEBHOOK_SECRET=whsec_… node shop.mjs PORT
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const key = Buffer.from(process.env.SHOP_WEBHOOK_SECRET.replace("whsec_", ""), "base64");
const told = new Set(); // a real shop has this in its database, beside its orders

const isOurs = (headers, body) => {
  const mac = createHmac("sha256", key).update(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`).digest();
  return (headers["webhook-signature"] ?? "").split(" ").some((s) => {
    const theirs = Buffer.from(s.replace("v1,", ""), "base64");
    return theirs.length === mac.length && timingSafeEqual(theirs, mac);
  });
};
const money = (m) => (m ? ` ${m.minor_amount} ${m.currency}` : "");

createServer(async (request, response) => {
  let body = "";
  for await (const part of request.setEncoding("utf8")) body += part;
  if (!isOurs(request.headers, body)) return response.writeHead(401).end();
  const event = JSON.parse(body);
  if (!told.has(event.id)) {
    told.add(event.id); // delivery is at least once: the id tells a repetition
    const { payments_response: paid, refunds_response: refund, disputes_response: dispute } = event.data.event_response ?? {};
    if (paid?.status === "CHARGED") console.log(`fulfil order of ${event.subject}${money(paid.amount)}`);
    else if (refund?.status === "REFUND_SUCCESS") console.log(`book refund ${refund.connector_refund_id}${money(refund.refund_amount)}`);
    else if (dispute) console.log(`dispute ${dispute.connector_dispute_id}: ${dispute.dispute_status}`);
    else console.log(`note ${event.type} of ${event.subject ?? event.source}`);
  }
  response.writeHead(204).end();
}).listen(Number(process.argv[2]), "127.0.0.1", () => console.log("open"));
