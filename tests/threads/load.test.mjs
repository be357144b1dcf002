// The threads of `payhook serve` under many clients at once: JSON over HTTP/1, gRPC over HTTP/2, webhooks, and reads of
// the counters, over connections that stay and connections that come and go; then SIGHUP and SIGTERM in the midst of it.
// Made for a build with TSan (scripts/tsan), whose reports fail the last test: the server's status is 0 without one.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { secret, startServer, stripeEvent, stripeSignature } from '../e2e/server.mjs';

const SECONDS = Number(process.env.LOAD_SECONDS ?? 6);
const THREADS = '4';
const dir = mkdtempSync(join(tmpdir(), 'payhook-load-'));
after(() => rmSync(dir, { recursive: true }));

// ---- protobuf and gRPC by hand: this needs no package ----

const field = (number, bytes) => {
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7];
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes]);
};
const text = (number, value) => field(number, Buffer.from(value));

// types.EventServiceHandleRequest
function protobufCall(body, key) {
  const signature = Buffer.concat([text(1, 'Stripe-Signature'), text(2, stripeSignature(body, key))]);
  const details = Buffer.concat([Buffer.from([8, 2]), text(2, '/webhooks/stripe'), field(3, signature), text(4, body)]);
  return Buffer.concat([field(2, details), field(3, text(1, secret))]);
}

// Whether HandleResponse says source_verified (field 3) and which verdict (field 101) it gives.
function readAnswer(message) {
  const answer = { verified: false, verdict: 0 };
  const varint = (at) => {
    let value = 0, shift = 0, byte;
    do { byte = message[at++]; value += (byte & 127) * 2 ** shift; shift += 7; } while (byte & 128);
    return [value, at];
  };
  for (let at = 0; at < message.length;) {
    let key, value;
    [key, at] = varint(at);
    [value, at] = varint(at);
    if ((key & 7) === 2) at += value;
    else if (key >> 3 === 3) answer.verified = value === 1;
    else if (key >> 3 === 101) answer.verdict = value;
  }
  return answer;
}

// ---- clients: each asks once, and throws when the answer is wrong ----

function http1(isTls, options, body) {
  return new Promise((resolve, reject) => {
    const request = (isTls ? https : http).request({ host: '127.0.0.1', rejectUnauthorized: false, ...options }, (response) => {
      let got = '';
      response.setEncoding('utf8').on('data', (part) => { got += part; }).on('error', reject)
        .on('end', () => resolve({ status: response.statusCode, text: got }));
    });
    request.on('error', reject).end(body);
  });
}

function grpcCall(session, path, message, isLarge) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', 'x-connector': 'stripe' });
    const parts = [];
    let status;
    stream.on('error', reject).on('trailers', (headers) => { status = headers['grpc-status']; })
      .on('response', (headers) => { status ??= headers['grpc-status']; })
      .on('data', (part) => parts.push(part))
      .on('close', () => (status === undefined ? reject(new Error('the stream ended without a status'))
        : resolve({ status, message: Buffer.concat(parts).subarray(5) })));
    const frame = Buffer.concat([Buffer.alloc(5), message]);
    frame.writeUInt32BE(message.length, 1);
    if (isLarge) { stream.write(frame.subarray(0, 7)); stream.end(frame.subarray(7)); } else stream.end(frame);
  });
}

// Every kind of client: `wanted` of them run at once, each until the end; `reused` says whether connections stay.
function clientsOf(server, isTls) {
  const agents = { kept: new (isTls ? https : http).Agent({ keepAlive: true, maxSockets: 12 }), fresh: new (isTls ? https : http).Agent({ keepAlive: false }) };
  const scheme = isTls ? 'https' : 'http';
  const open = () => {
    const session = http2.connect(`${scheme}://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
    session.on('error', () => {}); // its calls say it
    return session;
  };
  const json = (agent, key) => async () => {
    const body = stripeEvent();
    const asked = JSON.stringify({ request_details: { method: 'HTTP_METHOD_POST', uri: '/webhooks/stripe', body: Buffer.from(body).toString('base64'),
      headers: { 'Stripe-Signature': stripeSignature(body, key) } }, webhook_secrets: { secret } });
    const { status, text: got } = await http1(isTls, { agent, port: server.port, method: 'POST', path: '/v1/handle',
      headers: { 'content-type': 'application/json', 'x-connector': 'stripe' } }, asked);
    assert.equal(status, 200, got);
    assert.equal(JSON.parse(got).verdict, key === secret ? 'VERIFIED' : 'FORGED');
  };
  const webhook = (agent, key, status) => async () => {
    const body = stripeEvent();
    const got = await http1(isTls, { agent, port: server.webhookPort, method: 'POST', path: '/webhooks/stripe',
      headers: { 'stripe-signature': stripeSignature(body, key) } }, body);
    assert.equal(got.status, status, got.text);
  };
  const grpc = (path, key, ret) => async (state) => {
    if (!state.session || state.session.destroyed || state.session.closed) state.session = open();
    const { status, message } = await grpcCall(state.session, path, protobufCall(stripeEvent(ret), key), ret !== undefined);
    assert.equal(status, '0');
    assert.equal(readAnswer(message).verified, key === secret);
    if (path.endsWith('/Handle')) assert.equal(readAnswer(message).verdict, key === secret ? 1 : 2);
  };
  const shortGrpc = async () => {
    const state = {};
    try { await grpc('/types.EventService/Handle', secret)(state); } finally { state.session.destroy(); }
  };
  const metrics = async () => {
    const { status, text: got } = await http1(isTls, { agent: agents.kept, port: server.port, path: '/metrics' });
    assert.equal(status, 200);
    assert.match(got, /payhook_/);
  };
  const kinds = [
    [6, json(agents.kept, secret)], [2, json(agents.kept, 'other')], [2, json(agents.fresh, secret)],
    [6, webhook(agents.kept, secret, 200)], [2, webhook(agents.fresh, 'other', 401)],
    [6, grpc('/types.EventService/Handle', secret)], [3, grpc('/types.EventService/HandleEvent', 'other')],
    [2, grpc('/types.EventService/Handle', secret, { description: 'x'.repeat(9000) })], [2, shortGrpc], [2, metrics],
  ];
  return { kinds, close: () => Object.values(agents).forEach((agent) => agent.destroy()) };
}

// Runs all of them; `stopped` ends them, `mayFail` (once the server was told to stop) forgives broken connections.
function load({ kinds }) {
  const run = { asked: 0, wrong: [], stopped: false, mayFail: false };
  const one = async (ask) => {
    const state = {};
    while (!run.stopped) {
      try {
        await ask(state);
        run.asked++;
      } catch (error) {
        if (error.code === 'ERR_ASSERTION' || !run.mayFail) run.wrong.push(error);
        if (run.mayFail || run.wrong.length > 20) break;
      }
    }
    state.session?.destroy();
  };
  run.ended = Promise.all(kinds.flatMap(([count, ask]) => Array.from({ length: count }, () => one(ask))));
  return run;
}

const seconds = (n) => new Promise((resolve) => setTimeout(resolve, n * 1000));

for (const how of ['plain', 'TLS']) {
  describe(how, () => {
    const isTls = how === 'TLS';
    let server, clients, running;
    before(async () => {
      const args = ['--threads', THREADS];
      if (isTls) {
        const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
        execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-days', '2'], { stdio: 'pipe' });
        args.push('--tls-cert', cert, '--tls-key', key, '--webhooks-tls-cert', cert, '--webhooks-tls-key', key);
      }
      server = await startServer(args);
      clients = clientsOf(server, isTls);
      running = load(clients);
    });
    after(() => { clients?.close(); server?.child.kill('SIGKILL'); });

    const allRight = () => assert.deepEqual(running.wrong.map((error) => error.message), []);

    test('every call of every client is answered right', async () => {
      await seconds(SECONDS);
      allRight();
      assert.ok(running.asked > 200, `only ${running.asked} answers`);
    });

    test('SIGHUP under load disturbs nobody', async () => {
      const before = running.asked;
      for (let i = 0; i < 10; i++) { server.child.kill('SIGHUP'); await seconds(SECONDS / 20); }
      allRight();
      assert.ok(running.asked > before + 20, 'nothing was answered meanwhile');
      if (isTls) assert.match(server.log, /info reload certificates=read text=webhooks/);
    });

    test('SIGTERM under load: no wrong answer, and an end with status 0 and no report', async () => {
      running.mayFail = true;
      const began = Date.now();
      const status = await server.stop();
      running.stopped = true;
      await running.ended;
      allRight();
      assert.equal(status, 0);
      assert.ok(Date.now() - began < 15_000, 'the drain takes its five seconds at most, and TSan slows the rest');
      console.log(`${how}: ${running.asked} answers`);
    });
  });
}
