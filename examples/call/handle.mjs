// Asks payhook's Event Service about one webhook, by gRPC.
// usage: STRIPE_WHSEC=... node handle.mjs 127.0.0.1:8080 SIGNATURE <body.json
// needs: npm install --no-save --ignore-scripts --prefix examples/call @grpc/grpc-js @grpc/proto-loader
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const proto = fileURLToPath(new URL('../../proto/events.proto', import.meta.url));
const { types } = grpc.loadPackageDefinition(loader.loadSync(proto, { keepCase: true, enums: String, defaults: true }));
const [address, signature] = process.argv.slice(2);
const client = new types.EventService(address, grpc.credentials.createInsecure());
const metadata = new grpc.Metadata();
metadata.set('x-connector', 'stripe');

client.Handle({
  request_details: {
    method: 'HTTP_METHOD_POST', uri: '/webhooks/stripe', headers: { 'Stripe-Signature': signature },
    body: readFileSync(0), // the raw bytes: with Express, express.raw(), never the parsed req.body
  },
  webhook_secrets: { secret: process.env.STRIPE_WHSEC },
}, metadata, { deadline: Date.now() + 5000 }, (error, answer) => {
  if (error) throw error;
  console.log(answer.verdict, answer.event_type, answer.dedupe_key);
  process.exitCode = answer.verdict === 'VERIFIED' ? 0 : 1;
  client.close();
});
