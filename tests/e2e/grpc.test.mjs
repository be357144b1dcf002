// The Event Service as a gRPC client of another maker sees it.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { after, before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { rawExchange, root, secret, startServer, stripeEvent, stripeSignature } from './server.mjs';

let server;
let client;

before(async () => {
  server = await startServer();
  const definition = loader.loadSync(`${root}proto/events.proto`, {
    keepCase: true, longs: String, enums: String, includeDirs: [`${root}proto`],
  });
  const { types } = grpc.loadPackageDefinition(definition);
  client = new types.EventService(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
});

after(async () => {
  client?.close();
  assert.equal(await server?.stop(), 0, 'SIGTERM ends the server with status 0');
});

function metadata(values) {
  const result = new grpc.Metadata();
  for (const [name, value] of Object.entries(values)) result.set(name, value);
  return result;
}

function call(method, request, headers = { 'x-connector': 'stripe' }, options = {}) {
  return new Promise((resolve, reject) => {
    const running = client[method](request, metadata(headers), options, (error, answer) =>
      (error ? reject(error) : resolve({ answer, headers: received })));
    let received;
    running.on('metadata', (values) => { received = values; });
  });
}

function signedRequest(body = stripeEvent(), key = secret) {
  return {
    request_details: {
      method: 'HTTP_METHOD_POST', uri: '/webhooks/stripe', body: Buffer.from(body),
      headers: { 'Stripe-Signature': stripeSignature(body, key), 'Content-Type': 'application/json' },
    },
    webhook_secrets: { secret },
    merchant_event_id: 'mine_1',
  };
}

const rejects = (promise, code, text) => assert.rejects(promise, (error) => {
  assert.equal(error.code, code, error.message);
  if (text) assert.match(error.details, text);
  return true;
});

test('Handle verifies and normalises', async () => {
  const { answer } = await call('Handle', signedRequest());
  assert.equal(answer.source_verified, true);
  assert.equal(answer.event_type, 'PAYMENT_INTENT_SUCCESS');
  assert.equal(answer.verdict, 'VERIFIED');
  assert.equal(answer.merchant_event_id, 'mine_1');
  assert.ok(answer.event_response);
});

test('Handle tells nothing of a forged request as true', async () => {
  const { answer } = await call('Handle', signedRequest(stripeEvent(), 'whsec_of_somebody_else'));
  assert.notEqual(answer.source_verified, true);
  assert.equal(answer.event_type ?? 'WEBHOOK_EVENT_TYPE_UNSPECIFIED', 'WEBHOOK_EVENT_TYPE_UNSPECIFIED');
  assert.equal(answer.event_response ?? null, null);
  assert.ok(answer.unverified_response);
});

test('HandleEvent gives the content of a forged request, marked unverified', async () => {
  const { answer } = await call('HandleEvent', signedRequest(stripeEvent(), 'other'));
  assert.notEqual(answer.source_verified, true);
  assert.equal(answer.event_type, 'PAYMENT_INTENT_SUCCESS');
  const verified = await call('HandleEvent', signedRequest());
  assert.equal(verified.answer.source_verified, true);
});

test('ParseEvent needs no secret', async () => {
  const { request_details } = signedRequest();
  const { answer } = await call('ParseEvent', { request_details });
  assert.equal(answer.event_type, 'PAYMENT_INTENT_SUCCESS');
  assert.ok(answer.reference);
});

test('x-request-id comes back, or a UUID when there was none', async () => {
  const sent = await call('Handle', signedRequest(), { 'x-connector': 'stripe', 'x-request-id': 'r-1' });
  assert.deepEqual(sent.headers.get('x-request-id'), ['r-1']);
  const fresh = await call('Handle', signedRequest());
  assert.match(fresh.headers.get('x-request-id')[0], /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
});

test('the connector must be named, and known, and in its own case', async () => {
  await rejects(call('Handle', signedRequest(), {}), grpc.status.INVALID_ARGUMENT, /x-connector/);
  await rejects(call('Handle', signedRequest(), { 'x-connector': 'nobody' }), grpc.status.INVALID_ARGUMENT);
  await rejects(call('Handle', signedRequest(), { 'x-connector': 'Stripe' }), grpc.status.INVALID_ARGUMENT);
});

test('x-connector-config wins over x-connector, but not over x-auth: NoKey', async () => {
  const config = JSON.stringify({ config: { Stripe: { api_key: 'sk' } } });
  const { answer } = await call('Handle', signedRequest(), { 'x-connector-config': config, 'x-connector': 'nobody' });
  assert.equal(answer.source_verified, true);
  await rejects(call('Handle', signedRequest(), {
    'x-connector-config': config, 'x-connector': 'nobody', 'x-auth': 'nokey',
  }), grpc.status.INVALID_ARGUMENT);
  await rejects(call('Handle', signedRequest(), { 'x-connector-config': '{"config":' }), grpc.status.INVALID_ARGUMENT);
  await rejects(call('Handle', signedRequest(), { 'x-connector-config': '{}' }), grpc.status.INVALID_ARGUMENT);
});

test('x-received-at is the time the signature is judged at', async () => {
  const body = stripeEvent();
  const request = signedRequest(body);
  request.request_details.headers['Stripe-Signature'] = stripeSignature(body, secret, 1700000000);
  const late = await call('Handle', request);
  assert.equal(late.answer.verdict, 'STALE');
  for (const time of ['1700000001000', '2023-11-14T22:13:21Z', '2023-11-15T00:13:21.5+02:00']) {
    const { answer } = await call('Handle', request, { 'x-connector': 'stripe', 'x-received-at': time });
    assert.equal(answer.verdict, 'VERIFIED', time);
  }
  await rejects(call('Handle', request, { 'x-connector': 'stripe', 'x-received-at': 'yesterday' }),
    grpc.status.INVALID_ARGUMENT);
});

test('a request without request_details is an invalid argument', async () => {
  await rejects(call('HandleEvent', {}), grpc.status.INVALID_ARGUMENT, /request_details/);
});

test('bodies of 60 KB pass; over the limit the call is refused, and the connection lives on', async () => {
  const large = stripeEvent({ description: 'x'.repeat(60_000) });
  assert.equal((await call('Handle', signedRequest(large))).answer.source_verified, true);
  const over = signedRequest();
  over.request_details.body = Buffer.alloc(1024 * 1024 + 1, 0x20);
  await rejects(call('Handle', over), grpc.status.RESOURCE_EXHAUSTED);
  over.request_details.body = Buffer.alloc(3 * 1024 * 1024, 0x20);
  await rejects(call('Handle', over), grpc.status.RESOURCE_EXHAUSTED);
  assert.equal((await call('Handle', signedRequest())).answer.source_verified, true);
});

test('2000 calls at once are all answered', async () => {
  const answers = await Promise.all(Array.from({ length: 2000 }, (_, i) => {
    const request = signedRequest();
    request.merchant_event_id = `m_${i}`;
    return call('Handle', request);
  }));
  answers.forEach(({ answer }, i) => assert.equal(answer.merchant_event_id, `m_${i}`));
});

test('methods that are not there are unimplemented', async () => {
  const unknown = (path) => new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, (x) => x, (x) => x, Buffer.alloc(0),
      (error, answer) => (error ? reject(error) : resolve(answer)));
  });
  await rejects(unknown('/types.EventService/NotifyConnector'), grpc.status.UNIMPLEMENTED);
  await rejects(unknown('/types.PaymentService/Authorize'), grpc.status.UNIMPLEMENTED);
  assert.deepEqual([...await unknown('/grpc.health.v1.Health/Check')], [0x08, 0x01]);
});

test('a message that is no protobuf is an invalid argument', async () => {
  const garbage = new Promise((resolve, reject) => {
    client.makeUnaryRequest('/types.EventService/Handle', (x) => x, (x) => x, Buffer.from([0xff, 0xff, 0xff]),
      metadata({ 'x-connector': 'stripe' }), (error, answer) => (error ? reject(error) : resolve(answer)));
  });
  await rejects(garbage, grpc.status.INVALID_ARGUMENT);
});

// One call frame by frame: what a gRPC library would not send.
function rawCall(headers, write) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${server.port}`).on('error', reject);
    const stream = session.request({
      ':method': 'POST', ':path': '/types.EventService/Handle', te: 'trailers',
      'content-type': 'application/grpc', 'x-connector': 'stripe', ...headers,
    });
    let found = {};
    stream.on('response', (values) => { found = { ...found, ...values }; });
    stream.on('trailers', (values) => { found = { ...found, ...values }; });
    stream.on('error', reject).on('data', () => {}).on('close', () => { session.close(); resolve(found); });
    write(stream);
  });
}

test('a deadline that passes before the request is complete is exceeded', async () => {
  const found = await rawCall({ 'grpc-timeout': '50m' }, (stream) =>
    setTimeout(() => stream.end(Buffer.from([0, 0, 0, 0, 0])), 150));
  assert.equal(found['grpc-status'], String(grpc.status.DEADLINE_EXCEEDED));
  const malformed = await rawCall({ 'grpc-timeout': 'soon' }, (stream) => stream.end(Buffer.from([0, 0, 0, 0, 0])));
  assert.equal(malformed['grpc-status'], String(grpc.status.INVALID_ARGUMENT));
});

test('compressed messages are unimplemented; cut and doubled ones are refused', async () => {
  const gzip = await rawCall({ 'grpc-encoding': 'gzip' }, (stream) => stream.end(Buffer.from([1, 0, 0, 0, 0])));
  assert.equal(gzip['grpc-status'], String(grpc.status.UNIMPLEMENTED));
  assert.equal(gzip['grpc-accept-encoding'], 'identity');
  for (const bytes of [[], [0, 0], [0, 0, 0, 0, 9, 1], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]) {
    const found = await rawCall({}, (stream) => stream.end(Buffer.from(bytes)));
    assert.notEqual(found['grpc-status'] ?? '0', '0', `bytes ${bytes}`);
  }
});

test('headers past the limit are refused with RESOURCE_EXHAUSTED', async () => {
  const found = await rawCall({ 'x-long': 'a'.repeat(40_000) }, (stream) => stream.end(Buffer.from([0, 0, 0, 0, 0])))
    .catch((error) => ({ error }));
  assert.ok(found.error || found['grpc-status'] === String(grpc.status.RESOURCE_EXHAUSTED));
});

// Frames by hand: Node's client does not send the streams it resets at once.
function frame(type, flags, stream, payload) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

test('a client that resets stream after stream is sent away', async () => {
  const request = Buffer.from([0x83, 0x86, 0x04, 1, 0x2f, 0x41, 1, 0x78]); // POST http / x
  const frames = [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, Buffer.alloc(0))];
  for (let i = 0; i < 400; i++) {
    frames.push(frame(1, 4, 2 * i + 1, request), frame(3, 0, 2 * i + 1, Buffer.from([0, 0, 0, 8])));
  }
  const result = await rawExchange(server.port, Buffer.concat(frames));
  const goaway = Buffer.from(result.text, 'latin1').subarray(-17);
  assert.equal(goaway[3], 7, 'the last frame is a GOAWAY');
  assert.equal(goaway.readUInt32BE(13), 0x0b, 'ENHANCE_YOUR_CALM');
  assert.ok(result.closed);
  assert.equal((await call('Handle', signedRequest())).answer.source_verified, true);
});
