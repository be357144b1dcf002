// What a user of the peer sees who changes an address and nothing else: its own published classes (npm
// hyperswitch-prism) encode every recorded request and decode our answers, and these say what `payhook handle
// --as handle-event` and `payhook parse` print.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import protobuf from 'protobufjs';
import { binary, root, startServer } from './server.mjs';

const require = createRequire(import.meta.url);
const { types } = require('hyperswitch-prism/dist/src/payments/generated/proto.js');
const ours = protobuf.loadSync(`${root}proto/events.proto`);

// Every recorded request whose headers fit a map. A call has one pair of secrets.
const vectors = readdirSync(`${root}tests/connectors`).flatMap((folder) => ['vectors', 'handle'].flatMap((name) => {
  const file = `${root}tests/connectors/${folder}/${name}.json`;
  if (!existsSync(file)) return [];
  const { connector, cases } = JSON.parse(readFileSync(file));
  return cases.map((one) => ({ ...one, connector, name: `${connector}/${name}/${one.name}`, headers: mapOf(one.request.headers ?? {}) }));
})).filter((one) => one.headers !== null && !Array.isArray(one.secrets));

function mapOf(headers) {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  const map = Object.fromEntries(pairs);
  return Object.keys(map).length === pairs.length ? map : null;
}

let server, client;
before(async () => {
  server = await startServer(['--no-callouts']);
  client = new grpc.Client(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
});
after(async () => {
  client?.close();
  assert.equal(await server?.stop(), 0);
});

const now = Math.floor(Date.now() / 1000);
const timeOf = (one) => one.verify_at ?? one.received_at ?? one.at ?? one.signed_at ?? now;

function printed(args) {
  const lines = vectors.map((one) => JSON.stringify({ connector: one.connector, at: timeOf(one), request: one.request, secrets: one.secrets,
    config: one.config, event_context: one.event_context, merchant_event_id: one.merchant_event_id }));
  const ran = spawnSync(binary, [...args, '--ndjson'], { input: `${lines.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 28 });
  const answers = ran.stdout.trim().split('\n').map((line) => JSON.parse(line));
  assert.equal(answers.length, vectors.length, ran.stderr);
  return answers;
}

// ---- requests, as a user of the peer's classes writes them ----

const pascal = (name) => name.replace(/(^|_)([a-z])/g, (all, before, letter) => letter.toUpperCase());
const camel = (name) => name.replace(/_([a-z0-9])/g, (all, letter) => letter.toUpperCase());

function detailsOf({ request, headers }) {
  const body = request.body_base64 !== undefined ? Buffer.from(request.body_base64, 'base64') : Buffer.from(request.body ?? '');
  return { method: types.HttpMethod[`HTTP_METHOD_${request.method ?? 'POST'}`], uri: request.uri, headers, body, queryParams: request.query_params };
}

function contextOf(context) {
  if (!context?.payment) return undefined;
  return { payment: { captureMethod: types.CaptureMethod[context.payment.capture_method] } };
}

function callOf(one) {
  const { secret, additional_secret: additionalSecret } = one.secrets ?? {};
  const given = secret !== null && secret !== undefined;
  return { requestDetails: detailsOf(one), webhookSecrets: given ? { secret, additionalSecret: additionalSecret ?? undefined } : undefined,
    merchantEventId: one.merchant_event_id, eventContext: contextOf(one.event_context) };
}

function metadataOf(one) {
  const metadata = new grpc.Metadata();
  metadata.set('x-received-at', String(timeOf(one) * 1000));
  if (one.config && Object.keys(one.config).length > 0) metadata.set('x-connector-config', JSON.stringify({ config: { [pascal(one.connector)]: one.config } }));
  else metadata.set('x-connector', one.connector);
  return metadata;
}

function call(path, Request, Response, request, metadata) {
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, (value) => Buffer.from(Request.encode(value).finish()), (bytes) => Response.decode(bytes), request, metadata,
      { deadline: Date.now() + 60_000 }, (error, answer) => resolve(error ? { code: error.code, message: error.details } : { answer }));
  });
}

// ---- answers, as these classes show them ----

const isMessage = (value) => value !== null && typeof value === 'object' && !Array.isArray(value) && !(value instanceof Uint8Array) && !isLong(value);
const isLong = (value) => typeof value === 'object' && value !== null && 'low' in value && 'high' in value;

// What a message holds, as plain values.
function seen(value) {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (isLong(value)) return value.toString();
  if (Array.isArray(value)) return value.map(seen);
  if (!isMessage(value)) return value;
  return Object.fromEntries(Object.keys(value).filter((name) => value[name] !== null && value[name] !== undefined).sort().map((name) => [name, seen(value[name])]));
}

// What was printed, as the same message of the newest schema, less what the published classes do not know.
const newer = new Set();
function expected(type, json) {
  const camelled = (value, field) => {
    if (Array.isArray(value)) return value.map((item) => camelled(item));
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [field === 'map' ? name : camel(name),
      camelled(inner, /headers$/.test(name) ? 'map' : undefined)]));
  };
  return known(seen(ours.lookupType(`types.${type}`).fromObject(camelled(json))), ours.lookupType(`types.${type}`));
}
function known(value, type) {
  const Class = types[type.name];
  for (const [name, inner] of Object.entries(value)) {
    if (!(name in Class.prototype)) {
      newer.add(`${type.name}.${name}`);
      delete value[name];
    } else if (!type.fields[name].map && type.fields[name].resolve().resolvedType instanceof protobuf.Type) {
      for (const part of [inner].flat()) known(part, type.fields[name].resolvedType);
    }
  }
  return value;
}

const statuses = { NOT_FOUND: 5, DECODING_FAILED: 3, REQUIRED_FIELD: 3, REQUIRED_CONTEXT: 3, CONVERSION_FAILED: 13 };

function compare(one, got, want, type) {
  if (want.error?.code !== undefined && want.event_type === undefined) {
    const [, status] = Object.entries(statuses).find(([end]) => want.error.code.endsWith(end)) ?? assert.fail(want.error.code);
    assert.deepEqual(got, { code: status, message: want.error.message }, one.name);
    return 0;
  }
  assert.equal(got.code, undefined, `${one.name}: ${got.message}`);
  assert.deepEqual(seen(got.answer), expected(type, want), one.name);
  return 1;
}

async function all(path, name, requestOf, wants) {
  let answers = 0;
  const Request = types[`${name}Request`], Response = types[`${name}Response`];
  for (let at = 0; at < vectors.length; at += 32) {
    const some = vectors.slice(at, at + 32);
    const got = await Promise.all(some.map((one) => call(path, Request, Response, requestOf(one), metadataOf(one))));
    for (const [i, one] of some.entries()) answers += compare(one, got[i], wants[at + i], `${name}Response`);
  }
  assert.ok(answers > vectors.length / 2, `only ${answers} of ${vectors.length} were answered`);
}

test('HandleEvent says what `payhook handle --as handle-event` prints, for every vector', () =>
  all('/types.EventService/HandleEvent', 'EventServiceHandle', callOf, printed(['handle', '--as', 'handle-event'])));

test('ParseEvent says what `payhook parse` prints, for every vector', () =>
  all('/types.EventService/ParseEvent', 'EventServiceParse', (one) => ({ requestDetails: detailsOf(one) }), printed(['parse'])));

test('the composite says both, for every vector', () => {
  const parsed = printed(['parse']);
  const both = printed(['handle', '--as', 'handle-event']).map((answer, i) => {
    const { supported_integrity_checks: none, ...rest } = answer; // no field of the composite's
    return answer.error && answer.event_type === undefined ? answer : { ...rest, reference: parsed[i].reference };
  });
  return all('/types.CompositeEventService/HandleEvent', 'CompositeEventHandle', callOf, both);
});

// The peer's schema has grown since its classes were published: only these may be what they do not know.
test('what the published classes do not know is what came after them', () => {
  for (const name of newer) {
    assert.ok(['EventContent.payoutsResponse', 'RefundEventReference.merchantTransactionId', 'MandateEventReference.merchantTransactionId'].includes(name), name);
  }
});
