// HTTP/1.1: the JSON route, the ingress of dev mode, and what a hostile client tries.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { execFileSync } from 'node:child_process';
import { binary as payhookBin, rawExchange, secret, startServer, stripeEvent, stripeSignature } from './server.mjs';

let server;
before(async () => { server = await startServer(); });
after(async () => assert.equal(await server?.stop(), 0));

function send(port, method, path, { headers = {}, body, agent } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method, path, headers, agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => { text += part; })
        .on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    request.on('error', reject);
    for (const part of [body ?? []].flat()) request.write(part);
    request.end();
  });
}

const json = { 'content-type': 'application/json', 'x-connector': 'stripe' };

function handleBody(body = stripeEvent(), key = secret) {
  return JSON.stringify({
    request_details: {
      method: 'HTTP_METHOD_POST', uri: '/webhooks/stripe', body: Buffer.from(body).toString('base64'),
      headers: { 'Stripe-Signature': stripeSignature(body, key) },
    },
    webhook_secrets: { secret },
  });
}

function assertError(response, status) {
  assert.equal(response.status, status, response.text);
  const { error } = JSON.parse(response.text);
  assert.ok(error.code.length > 0 && error.message.length > 0);
}

const head = (lines, body = '') => `${lines.join('\r\n')}\r\n\r\n${body}`;
const get = head(['GET /health HTTP/1.1', 'Host: x']);

test('GET /health is healthy', async () => {
  const response = await send(server.port, 'GET', '/health');
  assert.equal(response.status, 200);
  assert.deepEqual(JSON.parse(response.text), { status: 'healthy', service: 'connector-service' });
  assert.match(response.headers['x-request-id'], /^[0-9a-f-]{36}$/);
});

test('POST /v1/handle verifies and normalises; a forgery is not told as true', async () => {
  const good = await send(server.port, 'POST', '/v1/handle', { headers: json, body: handleBody() });
  assert.equal(good.status, 200, good.text);
  const answer = JSON.parse(good.text);
  assert.equal(answer.source_verified, true);
  assert.equal(answer.event_type, 'PAYMENT_INTENT_SUCCESS');
  const forged = await send(server.port, 'POST', '/v1/handle', { headers: json, body: handleBody(stripeEvent(), 'other') });
  assert.equal(forged.status, 200);
  assert.notEqual(JSON.parse(forged.text).source_verified, true);
  assert.equal(JSON.parse(forged.text).event_response, undefined);
});

// ---- the peer's routes and its JSON ----

// A request as the peer's clients write it: bytes as integers, a oneof one level deeper.
function peerBody(body = stripeEvent(), key = secret) {
  return {
    merchant_event_id: 'm-1',
    request_details: {
      method: 'HTTP_METHOD_POST', uri: '/webhooks/stripe', query_params: '', body: [...Buffer.from(body)],
      headers: { 'Stripe-Signature': stripeSignature(body, key) },
    },
    webhook_secrets: { secret, additional_secret: null },
    event_context: { event_context: { Payment: { capture_method: 'MANUAL' } } },
  };
}

// The peer's JSON in protobuf's own words, by the names of its oneofs alone.
function fromPeer(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const out = {};
  for (const [key, inner] of Object.entries(value)) {
    if (['content', 'resource', 'mandate_id_type', 'payment_method_update_data'].includes(key)) {
      const [[arm, message]] = Object.entries(inner);
      out[arm.replace(/(?<!^)[A-Z]/g, (c) => `_${c}`).toLowerCase()] = fromPeer(message);
    } else if (key === 'body') out[key] = Buffer.from(inner).toString('base64');
    else if (['minor_amount', 'captured_amount', 'created_at', 'updated_at', 'captured_at', 'authorized_at'].includes(key)) out[key] = String(inner);
    else out[key] = fromPeer(inner);
  }
  return out;
}
const withoutDefaults = (value) => JSON.parse(JSON.stringify(value, (key, inner) => (inner === '' || inner === false || inner === 0 ? undefined : inner)));

test('the peer\'s routes read its JSON and answer in it, with what gRPC answers', async () => {
  const text = JSON.stringify(peerBody());
  for (const path of ['/events/handle', '/payments/transform', '/refunds/transform', '/disputes/transform']) {
    const response = await send(server.port, 'POST', path, { headers: json, body: text });
    assert.equal(response.status, 200, response.text);
    const answer = JSON.parse(response.text);
    assert.equal(answer.source_verified, true);
    assert.equal(answer.merchant_event_id, 'm-1');
    assert.equal(answer.event_content.content.PaymentsResponse.connector_transaction_id, 'pi_e2e_1');
    assert.equal(typeof answer.event_content.content.PaymentsResponse.amount.minor_amount, 'number');
    assert.deepEqual(answer.event_ack_response.body, []);
  }
  const parsed = JSON.parse((await send(server.port, 'POST', '/events/parse', { headers: json, body: text })).text);
  assert.deepEqual(parsed.reference.resource.Payment.connector_transaction_id, 'pi_e2e_1');
  assert.equal(parsed.event_type, 'PAYMENT_INTENT_SUCCESS');
  const whole = JSON.parse((await send(server.port, 'POST', '/composite/events/handle', { headers: json, body: text })).text);
  assert.deepEqual(whole.reference, parsed.reference);
  assert.equal(whole.source_verified, true);
  const forged = JSON.parse((await send(server.port, 'POST', '/events/handle', { headers: json, body: JSON.stringify(peerBody(stripeEvent(), 'other')) })).text);
  assert.equal(forged.source_verified, false);
});

test('the peer\'s JSON says what canonical JSON says, and both are read', async () => {
  const canonical = JSON.parse(handleBody());
  const asPeer = peerBody();
  delete asPeer.merchant_event_id;
  const line = JSON.stringify({ connector: 'stripe', secrets: { secret }, at: Math.floor(Date.now() / 1000),
    request: { method: 'POST', uri: '/webhooks/stripe', headers: canonical.request_details.headers, body: stripeEvent() } });
  const run = (form) => JSON.parse(execFileSync(payhookBin, ['handle', '--ndjson', ...form], { input: `${line}\n` }).toString());
  const want = run(['--as', 'handle-event']);
  for (const request of [canonical, asPeer]) {
    const response = await send(server.port, 'POST', '/events/handle', { headers: json, body: JSON.stringify(request) });
    assert.deepEqual(withoutDefaults(fromPeer(JSON.parse(response.text))), withoutDefaults(want), response.text);
  }
});

test('what the peer\'s routes refuse has its shape and status', async () => {
  const assertPeer = (response, status) => {
    assert.equal(response.status, status, response.text);
    const { error, ...rest } = JSON.parse(response.text);
    assert.deepEqual([error.code, typeof error.message, Object.keys(error).length, rest], [String(status), 'string', 2, {}]);
  };
  const post = (body, headers = json, path = '/events/handle') => send(server.port, 'POST', path, { headers, body });
  const broken = (change) => JSON.stringify(Object.assign(peerBody(), change));
  assertPeer(await post('{'), 400);
  assertPeer(await post('{}'), 400);
  assertPeer(await post(broken({}), { ...json, 'content-type': 'text/plain' }), 400);
  assertPeer(await post(broken({}), { 'content-type': 'application/json' }), 400);
  assertPeer(await post(broken({}), { ...json, 'x-connector': 'Stripe' }), 400);
  for (const body of [[256], [-1], [1.5], ['1'], [null], '%', {}, 7])
    assertPeer(await post(broken({ request_details: { ...peerBody().request_details, body } })), 400);
  assertPeer(await post(broken({ event_context: { event_context: { Payment: { capture_method: 'LATER' } } } })), 400);
  assertPeer(await post(broken({ event_context: { event_context: { Payment: [] } } })), 400);
  assert.equal((await post('x'.repeat(9_000_000))).status, 413);
  assert.equal((await post(broken({ event_context: { event_context: { Payout: {} } } }))).status, 200);
  assertError(await send(server.port, 'GET', '/events/handle'), 405);
});

test('chunked requests are read', async () => {
  const text = handleBody();
  const response = await send(server.port, 'POST', '/v1/handle',
    { headers: { ...json, 'transfer-encoding': 'chunked' }, body: [text.slice(0, 7), text.slice(7)] });
  assert.equal(response.status, 200);
  assert.equal(JSON.parse(response.text).source_verified, true);
});

test('errors are JSON: 400, 404, 405, 413, 415, 431', async () => {
  assertError(await send(server.port, 'POST', '/v1/handle', { headers: json, body: '{' }), 400);
  assertError(await send(server.port, 'POST', '/v1/handle', { headers: json, body: '{}' }), 400);
  assertError(await send(server.port, 'POST', '/v1/handle', { headers: { 'content-type': 'application/json' }, body: handleBody() }), 400);
  assertError(await send(server.port, 'GET', '/nothing'), 404);
  assertError(await send(server.port, 'GET', '/v1/handle'), 405);
  assertError(await send(server.port, 'DELETE', '/health'), 405);
  assertError(await send(server.port, 'POST', '/v1/handle', { headers: { ...json, 'content-type': 'text/plain' }, body: '{}' }), 415);
  const big = await rawExchange(server.port, head(['POST /v1/handle HTTP/1.1', 'Host: x', 'Content-Length: 9000000']));
  assert.match(big.text, /^HTTP\/1\.1 413 [^]*"error"/);
  assert.ok(big.closed);
  const many = await rawExchange(server.port, head(['GET /health HTTP/1.1', 'Host: x', ...Array.from({ length: 200 }, (_, i) => `x-${i}: 1`)]));
  assert.match(many.text, /^HTTP\/1\.1 431 /);
  const long = await rawExchange(server.port, head(['GET /health HTTP/1.1', 'Host: x', `x-long: ${'a'.repeat(50_000)}`]));
  assert.match(long.text, /^HTTP\/1\.1 431 /);
  const target = await rawExchange(server.port, head([`GET /${'a'.repeat(9000)} HTTP/1.1`, 'Host: x']));
  assert.match(target.text, /^HTTP\/1\.1 414 /);
});

test('pipelined requests are answered in order', async () => {
  const three = get + head(['GET /nothing HTTP/1.1', 'Host: x']) + head(['GET /health HTTP/1.1', 'Host: x', 'Connection: close']);
  const whole = await rawExchange(server.port, three);
  const statuses = (text) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]);
  assert.deepEqual(statuses(whole.text), ['200', '404', '200']);
  assert.ok(whole.closed);
  const bytewise = await rawExchange(server.port, [...three].flatMap((byte) => [byte, 0]), 5000);
  assert.deepEqual(statuses(bytewise.text), ['200', '404', '200']);
});

test('Expect: 100-continue is answered; any other expectation is refused', async () => {
  const body = handleBody();
  const lines = ['POST /v1/handle HTTP/1.1', 'Host: x', 'Content-Type: application/json', 'x-connector: stripe',
    `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  const result = await rawExchange(server.port, [head([...lines, 'Expect: 100-continue']), 100, body]);
  assert.match(result.text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
  const other = await rawExchange(server.port, head([...lines, 'Expect: the-unexpected']));
  assert.match(other.text, /^HTTP\/1\.1 417 /);
});

test('what two readers could read differently is refused, and the connection closed', async () => {
  const smuggled = get.replace('/health', '/smuggled');
  const post = 'POST /v1/handle HTTP/1.1';
  const probes = {
    'both lengths': head([post, 'Host: x', 'Content-Length: 4', 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`),
    'two content lengths': head([post, 'Host: x', 'Content-Length: 0', 'Content-Length: 44'], smuggled),
    'a list of lengths': head([post, 'Host: x', 'Content-Length: 0, 44'], smuggled),
    'a signed length': head([post, 'Host: x', 'Content-Length: +4'], 'abcd'),
    'chunked twice': head([post, 'Host: x', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], `0\r\n\r\n${smuggled}`),
    'a disguised chunked': head([post, 'Host: x', 'Transfer-Encoding: xchunked'], `0\r\n\r\n${smuggled}`),
    'a space before the colon': head([post, 'Host: x', 'Content-Length : 44'], smuggled),
    'a folded line': head([post, 'Host: x', 'X-A: b', ' Content-Length: 44'], smuggled),
    'bare LF lines': `POST /v1/handle HTTP/1.1\nHost: x\nContent-Length: 44\n\n${smuggled}`,
    'a bare CR': `GET /health HTTP/1.1\r\nHost: x\r\nX-A: b\rContent-Length: 44\r\n\r\n${smuggled}`,
    'a NUL': 'GET /health HTTP/1.1\r\nHost: x\r\nX-A: b\0c\r\n\r\n',
    'no host': head(['GET /health HTTP/1.1']),
    'two hosts': head(['GET /health HTTP/1.1', 'Host: a', 'Host: b']),
    'chunked in HTTP/1.0': head(['POST /v1/handle HTTP/1.0', 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`),
    'a chunk size past its end': head([post, 'Host: x', 'Transfer-Encoding: chunked'], `fffffffffffffffff\r\n${smuggled}`),
    'a chunk with bare LF': head([post, 'Host: x', 'Transfer-Encoding: chunked'], `0\n\n${smuggled}`),
    'CONNECT': head(['CONNECT x:1 HTTP/1.1', 'Host: x']),
    'a broken preface': 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n',
  };
  for (const [name, bytes] of Object.entries(probes)) {
    const result = await rawExchange(server.port, Buffer.from(bytes, 'latin1'));
    assert.match(result.text, /^HTTP\/1\.1 (4|5)\d\d /, name);
    assert.equal(result.text.match(/HTTP\/1\.1 \d/g).length, 1, name);
    assert.ok(result.closed, name);
  }
});

test('what is no HTTP at all is closed without an answer', async () => {
  for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n', 'INVALID CONNECTION PREFACE\r\n\r\n']) {
    const result = await rawExchange(server.port, Buffer.from(bytes, 'latin1'));
    assert.equal(result.text, '');
    assert.ok(result.closed);
  }
});

test('an h2c upgrade offer is taken: 101, then the answer on stream 1', async () => {
  const lines = ['GET /health HTTP/1.1', 'Host: x', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c'];
  const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]);
  const result = await rawExchange(server.port, [head([...lines, 'HTTP2-Settings: AAMAAABkAAQAAP__']), 50, preface], 400);
  assert.match(result.text, /^HTTP\/1\.1 101 [^]*?\r\n\r\n/);
  assert.match(result.text, /"status":"healthy"/);
  const bad = await rawExchange(server.port, head([...lines, 'HTTP2-Settings: !!']), 400);
  assert.ok(bad.closed);
  const plain = await rawExchange(server.port, head(['GET /health HTTP/1.1', 'Host: x', 'Connection: Upgrade, close', 'Upgrade: h2c']));
  assert.match(plain.text, /^HTTP\/1\.1 200 /);
});

test('chunk heads and trailers without end are refused', async () => {
  const trailers = await rawExchange(server.port, [head(['POST /v1/handle HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked'], '0\r\n'),
    ...Array.from({ length: 8 }, (_, i) => [`x-${i}: ${'a'.repeat(30_000)}\r\n`, 20]).flat()]);
  assert.match(trailers.text, /^HTTP\/1\.1 4\d\d /);
  assert.ok(trailers.closed);
});

test('a client that sends its head too slowly is cut', { timeout: 20_000 }, async () => {
  const socket = net.connect(Number(server.port), '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (part) => { text += part; }).on('error', () => {});
  const started = Date.now();
  socket.write('GET /health HTTP/1.1\r\n');
  const drip = setInterval(() => socket.write('x-a: b\r\n'), 500);
  await new Promise((resolve) => socket.on('end', resolve).on('close', resolve));
  clearInterval(drip);
  socket.destroy();
  const seconds = (Date.now() - started) / 1000;
  assert.ok(seconds > 9 && seconds < 14, `${seconds} s`);
  assert.match(text, /^HTTP\/1\.1 408 /);
});

test('a signed webhook is acknowledged and printed; a forged one is refused', async () => {
  const body = stripeEvent();
  const path = '/webhooks/stripe';
  const good = await send(server.webhookPort, 'POST', path, { headers: { 'Stripe-Signature': stripeSignature(body) }, body });
  assert.equal(good.status, 200, good.text);
  assert.equal(good.headers['x-payhook-durable'], 'no');
  const forged = await send(server.webhookPort, 'POST', path, { headers: { 'Stripe-Signature': stripeSignature(body, 'other') }, body });
  assert.equal(forged.status, 401, forged.text);
  const bare = await send(server.webhookPort, 'POST', path, { body });
  assert.equal(bare.status, 401, bare.text);
  assert.match(server.output, /NOT DURABLE/);
  assert.match(server.output, /VERIFIED.*PAYMENT_INTENT_SUCCESS.*evt_e2e_1.*49\.05 EUR/);
  assert.match(server.output, /FORGED/);
});

test('the ingress refuses unknown endpoints, other methods and bodies past the limit', async () => {
  assertError(await send(server.webhookPort, 'POST', '/webhooks/nobody', { body: '{}' }), 404);
  assertError(await send(server.webhookPort, 'POST', '/v1/handle', { body: '{}' }), 404);
  assertError(await send(server.webhookPort, 'GET', '/webhooks/stripe'), 405);
  assertError(await send(server.webhookPort, 'POST', '/webhooks/stripe', { body: Buffer.alloc(1024 * 1024 + 1) }), 413);
});

test('a webhook cannot write control characters to the terminal', async () => {
  const body = stripeEvent().replace('evt_e2e_1', 'evt_\\u001b[2J\\nfake');
  await send(server.webhookPort, 'POST', '/webhooks/stripe', { headers: { 'Stripe-Signature': stripeSignature(body) }, body });
  assert.ok(!server.output.includes('\x1b'));
});
