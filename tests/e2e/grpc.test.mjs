// The Event Service as a gRPC client of another maker sees it.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { gzipSync } from 'node:zlib';
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
  await rejects(call('Handle', signedRequest(), { 'x-connector-config': '{"config":{"Stripe":{}}}' }), grpc.status.FAILED_PRECONDITION, /no field/);
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

// A call by its path, with bytes; fails with the grpc-js error.
function unary(path, bytes = Buffer.alloc(0), headers = {}, options = {}) {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, (x) => x, (x) => x, bytes, metadata(headers), options,
      (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}

test('methods that are not there are unimplemented', async () => {
  await rejects(unary('/types.EventService/NotifyConnector'), grpc.status.UNIMPLEMENTED, /notifications/);
  await rejects(unary('/types.CompositeEventService/Notify'), grpc.status.UNIMPLEMENTED);
  await rejects(unary('/types.PaymentService/Authorize'), grpc.status.UNIMPLEMENTED, /no such method/);
});

test('the composite is ParseEvent and HandleEvent in one answer', async () => {
  const definition = loader.loadSync(`${root}proto/events.proto`, { keepCase: true, longs: String, enums: String });
  const composite = new (grpc.loadPackageDefinition(definition).types.CompositeEventService)(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  const run = (request, headers = { 'x-connector': 'stripe' }) => new Promise((resolve, reject) =>
    composite.HandleEvent(request, metadata(headers), (error, answer) => (error ? reject(error) : resolve(answer))));
  const request = signedRequest();
  const [answer, parsed, handled] = [await run(request), (await call('ParseEvent', { request_details: request.request_details })).answer,
    (await call('HandleEvent', request)).answer];
  assert.deepEqual(answer.reference, parsed.reference);
  assert.ok(answer.reference);
  for (const field of ['event_type', 'event_content', 'source_verified', 'merchant_event_id', 'event_ack_response']) {
    assert.deepEqual(answer[field], handled[field], field);
  }
  assert.equal(answer.source_verified, true);
  await rejects(run({}), grpc.status.INVALID_ARGUMENT, /request_details/);
  await rejects(run(request, {}), grpc.status.INVALID_ARGUMENT, /x-connector/);
  composite.close();
});

// google.rpc is not involved: the bytes are a types.IntegrationError.
test('errors of headers carry their details, errors of the payload none', async () => {
  const { types } = grpc.loadPackageDefinition(loader.loadSync(`${root}proto/events.proto`, { keepCase: true }));
  assert.ok(types.IntegrationError.type);
  const error = await call('Handle', signedRequest(), {}).catch((e) => e);
  const [details] = error.metadata.get('grpc-status-details-bin');
  const fields = {};
  for (let at = 0; at < details.length;) { // two-byte heads are enough here
    const [tag, length] = [details[at] >> 3, details[at + 1]];
    fields[tag] = details.subarray(at + 2, at + 2 + length).toString();
    at += 2 + length;
  }
  assert.equal(fields[1], error.details);
  assert.equal(fields[2], 'MISSING_REQUIRED_FIELD');
  assert.match(fields[3], /x-connector-config/);
  const unknown = await call('Handle', signedRequest(), { 'x-connector': 'nobody' }).catch((e) => e);
  assert.match(unknown.metadata.get('grpc-status-details-bin')[0].toString('latin1'), /INVALID_DATA_FORMAT/);
  const payload = await call('HandleEvent', {}).catch((e) => e);
  assert.deepEqual(payload.metadata.get('grpc-status-details-bin'), []);
});

test('a status text may hold any bytes', async () => {
  const body = '{"id": "\u00e9\u2028", "unfinished';
  const request = signedRequest(body);
  const error = await call('HandleEvent', request).catch((e) => e);
  assert.equal(error.code, grpc.status.INVALID_ARGUMENT);
  assert.ok(error.details.length > 0);
});

test('x-config-override is refused unless the server allows it', async () => {
  await rejects(call('Handle', signedRequest(), { 'x-connector': 'stripe', 'x-config-override': '{}' }), grpc.status.PERMISSION_DENIED);
  assert.equal((await call('Handle', signedRequest(), { 'x-connector': 'stripe', 'x-config-override': '' })).answer.source_verified, true);
});

test('legacy credentials are ignored: x-auth and its keys', async () => {
  const { answer } = await call('Handle', signedRequest(), {
    'x-connector': 'stripe', 'x-auth': 'signature-key', 'x-api-key': 'k', 'x-key1': '1', 'x-api-secret': 's',
  });
  assert.equal(answer.source_verified, true);
});

const asked = (service) => (service ? Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]) : Buffer.alloc(0));
const check = '/grpc.health.v1.Health/Check';

test('Health/Check knows the services that are here, and NOT_FOUND', async () => {
  for (const service of ['', 'types.EventService', 'types.CompositeEventService', 'grpc.health.v1.Health']) {
    assert.deepEqual([...await unary(check, asked(service))], [0x08, 0x01], service);
  }
  await rejects(unary(check, asked('types.Nothing')), grpc.status.NOT_FOUND);
  await rejects(unary(check, Buffer.from([0xff])), grpc.status.INVALID_ARGUMENT);
});

function watch(target, service, options = {}) {
  const stream = target.makeServerStreamRequest('/grpc.health.v1.Health/Watch', (x) => x, (x) => x, asked(service), new grpc.Metadata(), options);
  const seen = { messages: [], stream };
  stream.on('data', (bytes) => seen.messages.push(bytes[1]));
  seen.ended = new Promise((resolve) => { stream.on('error', () => {}).on('status', resolve); });
  seen.first = new Promise((resolve) => { stream.once('data', resolve); });
  return seen;
}

test('Health/Watch tells the state at once, SERVICE_UNKNOWN too, and NOT_SERVING when the server drains', async () => {
  const other = await startServer();
  const target = new grpc.Client(`127.0.0.1:${other.port}`, grpc.credentials.createInsecure());
  const [known, unknown, limited] = [watch(target, 'types.EventService'), watch(target, 'types.Nothing'), watch(target, '', { deadline: Date.now() + 300 })];
  await Promise.all([known.first, unknown.first, limited.first]);
  assert.deepEqual([known.messages, unknown.messages], [[1], [3]]);
  assert.equal((await limited.ended).code, grpc.status.DEADLINE_EXCEEDED);
  const stopped = other.stop();
  assert.equal((await known.ended).code, grpc.status.UNAVAILABLE);
  assert.deepEqual(known.messages, [1, 2]);
  assert.deepEqual(unknown.messages, [3]);
  target.close();
  assert.equal(await stopped, 0);
});

const metrics = async () => (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
const value = (text, name) => Number(text.match(new RegExp(`^payhook_${name} (\\d+)$`, 'm'))?.[1]);

test('a watch that is cancelled is forgotten', async () => {
  const gone = async () => value(await metrics(), 'exchanges_gone_total');
  const before = await gone();
  const seen = watch(client, '');
  await seen.first;
  seen.stream.cancel();
  assert.equal((await seen.ended).code, grpc.status.CANCELLED);
  for (let i = 0; i < 50 && await gone() === before; i++) await new Promise((next) => setTimeout(next, 20));
  assert.equal(await gone(), before + 1);
});

test('a watch ends at its deadline, whatever the client does', async () => {
  const found = await rawCall({ ':path': '/grpc.health.v1.Health/Watch', 'grpc-timeout': '100m' }, (stream) =>
    stream.end(Buffer.from([0, 0, 0, 0, 0])));
  assert.equal(found['grpc-status'], String(grpc.status.DEADLINE_EXCEEDED));
});

test('a call that is half sent when the server is told to stop is answered; new ones are not', async () => {
  const other = await startServer();
  const session = http2.connect(`http://127.0.0.1:${other.port}`);
  const away = new Promise((resolve) => { session.on('goaway', (code) => resolve(code)); });
  const stream = session.request({ ':method': 'POST', ':path': check, te: 'trailers', 'content-type': 'application/grpc' });
  const trailers = new Promise((resolve, reject) => { stream.on('trailers', resolve).on('error', reject); });
  stream.on('data', () => {});
  stream.write(Buffer.from([0, 0, 0]));
  await new Promise((next) => setTimeout(next, 100));
  const stopped = other.stop();
  assert.equal(await away, 0);
  await assert.rejects(fetch(`http://127.0.0.1:${other.port}/health`));
  stream.end(Buffer.from([0, 0]));
  assert.equal((await trailers)['grpc-status'], '0');
  assert.equal(await stopped, 0);
});

for (const version of ['v1', 'v1alpha']) {
  test(`reflection ${version} lists the services and gives the files of their symbols`, async () => {
    const definition = loader.loadSync(`${root}proto/reflection_${version}.proto`, { keepCase: true, oneofs: true });
    const { ServerReflection } = grpc.loadPackageDefinition(definition).grpc.reflection[version];
    const reflection = new ServerReflection(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
    const stream = reflection.ServerReflectionInfo();
    const answers = [];
    const ended = new Promise((resolve) => { stream.on('data', (answer) => answers.push(answer)).on('status', resolve); });
    stream.write({ list_services: '*' });
    stream.write({ file_containing_symbol: 'types.EventService.Handle' });
    stream.write({ file_containing_symbol: 'types.Nothing' });
    stream.end();
    assert.equal((await ended).code, grpc.status.OK);
    reflection.close();
    const names = answers[0].list_services_response.service.map(({ name }) => name);
    for (const name of ['types.EventService', 'types.CompositeEventService', 'grpc.health.v1.Health', `grpc.reflection.${version}.ServerReflection`]) {
      assert.ok(names.includes(name), name);
    }
    const [file] = answers[1].file_descriptor_response.file_descriptor_proto;
    const set = Buffer.concat([Buffer.from([0x0a, 0x80 | (file.length & 0x7f), 0x80 | ((file.length >> 7) & 0x7f), file.length >> 14]), file]);
    assert.ok(loader.loadFileDescriptorSetFromBuffer(set)['types.EventService'].Handle);
    assert.equal(answers[2].error_response.error_code, grpc.status.NOT_FOUND);
  });
}

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

test('a deadline is kept for a request that is never complete', async () => {
  const found = await rawCall({ 'grpc-timeout': '50m' }, (stream) => stream.write(Buffer.from([0, 0, 0])));
  assert.equal(found['grpc-status'], String(grpc.status.DEADLINE_EXCEEDED));
});

test('gzip in and out; other encodings are unimplemented and told which are not', async () => {
  const large = signedRequest(stripeEvent({ description: 'x'.repeat(100_000) }));
  const plain = (await call('Handle', large)).answer;
  const gzip = new client.constructor(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure(), { 'grpc.default_compression_algorithm': 2 });
  const answer = await new Promise((resolve, reject) => gzip.Handle(large,
    metadata({ 'x-connector': 'stripe' }), (error, value) => (error ? reject(error) : resolve(value))));
  gzip.close();
  assert.deepEqual(answer, plain);
  const brotli = await rawCall({ 'grpc-encoding': 'br' }, (stream) => stream.end(Buffer.from([1, 0, 0, 0, 0])));
  assert.equal(brotli['grpc-status'], String(grpc.status.UNIMPLEMENTED));
  assert.equal(brotli['grpc-accept-encoding'], 'identity,gzip');
});

const framed = (bytes, flag = 0) => { const head = Buffer.alloc(5); head[0] = flag; head.writeUInt32BE(bytes.length, 1); return Buffer.concat([head, bytes]); };

test('a message that becomes too large, or is no gzip, is refused', async () => {
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
  const found = await rawCall({ 'grpc-encoding': 'gzip' }, (stream) => stream.end(framed(bomb, 1)));
  assert.equal(found['grpc-status'], String(grpc.status.RESOURCE_EXHAUSTED));
  for (const bad of [Buffer.from('no gzip at all'), gzipSync(Buffer.from('cut')).subarray(0, 12), Buffer.concat([gzipSync(Buffer.from('a')), Buffer.from('more')])]) {
    assert.equal((await rawCall({ 'grpc-encoding': 'gzip' }, (stream) => stream.end(framed(bad, 1))))['grpc-status'], String(grpc.status.INTERNAL));
  }
});

test('cut and doubled messages are refused, and those marked compressed without an encoding', async () => {
  for (const bytes of [[], [0, 0], [0, 0, 0, 0, 9, 1], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [2, 0, 0, 0, 0]]) {
    const found = await rawCall({}, (stream) => stream.end(Buffer.from(bytes)));
    assert.notEqual(found['grpc-status'] ?? '0', '0', `bytes ${bytes}`);
  }
});

test('GET /metrics counts what was met', async () => {
  const text = await metrics();
  assert.ok(value(text, 'grpc_calls_total') > 2000);
  assert.ok(value(text, 'limit_inflated_bytes_total') >= 1);
  assert.ok(value(text, 'limit_body_bytes_total') >= 1);
  assert.ok(value(text, 'connections_open') >= 1);
  for (const line of text.trim().split('\n')) assert.match(line, /^(# (HELP|TYPE) payhook_\w+ .+|payhook_\w+ \d+)$/);
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
