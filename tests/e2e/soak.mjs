// Many good calls from many connections, by h2load, while hostile clients do what they can: no good call may fail, and
// memory must be what it was. usage: node soak.mjs [CALLS [CONNECTIONS]] (PAYHOOK_BIN), or from soak.test.mjs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import loader from '@grpc/proto-loader';
import * as raw from './raw.mjs';
import { root, secret, startServer, stripeEvent, stripeSignature } from './server.mjs';

const HANDLE = '/types.EventService/HandleEvent';
const AT = 1764000000;
const call = { 'content-type': 'application/grpc', te: 'trailers', 'x-connector': 'stripe' };

function grpcRequest() {
  const definition = loader.loadSync(`${root}proto/events.proto`, { keepCase: true, enums: String, includeDirs: [`${root}proto`] });
  const body = stripeEvent();
  const bytes = definition['types.EventService'].HandleEvent.requestSerialize({ request_details: { method: 'HTTP_METHOD_POST', uri: '/', body: Buffer.from(body),
    headers: { 'Stripe-Signature': stripeSignature(body, secret, AT) } }, webhook_secrets: { secret } });
  return Buffer.concat([Buffer.from([0]), raw.u32(bytes.length), bytes]);
}

// One call by another client: the answer that each good call must get.
function answerTo(port, request) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${port}`).on('error', reject);
    const stream = session.request({ ':method': 'POST', ':path': HANDLE, ...call, 'x-received-at': String(AT * 1000) });
    const parts = [];
    let status;
    stream.on('data', (part) => parts.push(part)).on('trailers', (fields) => { status = fields['grpc-status']; })
      .on('end', () => { session.close(); assert.equal(Number(status), 0); resolve(Buffer.concat(parts)); });
    stream.end(request);
  });
}

// ---- the hostile ----

const many = (count, make) => Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
const begin = (i, flags = 0) => raw.frame(raw.HEADERS, raw.END_HEADERS | flags, 2 * i + 1, raw.head(HANDLE, call));
const attacks = [
  () => [], // says nothing, for a while
  () => ['GET /metr'],
  () => [`GET /health HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(8000)}`],
  () => ['POST /v1/handle HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  () => ['GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(500)],
  () => ['\x16\x03\x01\x02\x00 and so on'],
  () => [raw.start(), many(300, (i) => Buffer.concat([begin(i), raw.frame(raw.RST_STREAM, 0, 2 * i + 1, raw.u32(8))]))],
  () => [raw.start(), many(600, () => raw.frame(raw.PING, 0, 0, Buffer.alloc(8)))],
  () => [raw.start(), many(300, (i) => begin(i))],
  () => [raw.start(), raw.frame(raw.HEADERS, 0, 1, raw.head(HANDLE, call)), many(50, () => raw.frame(raw.CONTINUATION, 0, 1))],
  () => [raw.start(), begin(0, raw.END_STREAM), begin(1), raw.frame(raw.DATA, 0, 3, Buffer.alloc(16_000))],
];

async function beHostile(port, which, state) {
  for (let i = which; !state.stop; i++) {
    const reading = i % 3 !== 0;
    const one = await raw.connect(port, { reading }).catch(() => null);
    if (one === null) continue;
    void one.send(...attacks[i % attacks.length]());
    await Promise.race([one.gone, raw.sleep(20 + (i % 7) * 40)]);
    if (i % 2 === 0) one.socket.resetAndDestroy();
    else one.socket.destroy();
    state.done++;
  }
}

// ---- the good ----

function load(port, file, calls, clients, threads = 1) {
  return new Promise((resolve, reject) => {
    const child = spawn('h2load', ['-n', calls, '-c', clients, '-m', 10, '-t', threads, '-d', file, ...Object.entries({ ...call, 'x-received-at': AT * 1000 })
      .flatMap(([name, value]) => ['-H', `${name}: ${value}`]), `http://127.0.0.1:${port}${HANDLE}`].map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part) => { text += part; });
    child.on('error', reject).on('close', () => {
      const [, succeeded, failed] = text.match(/(\d+) succeeded, (\d+) failed/) ?? [];
      resolve({ succeeded: Number(succeeded), failed: Number(failed), rate: Number(text.match(/([\d.]+) req\/s/)?.[1]),
        dataBytes: Number(text.match(/\((\d+)\) data/)?.[1]) });
    });
  });
}

export async function soak(calls, connections) {
  const dir = mkdtempSync(join(tmpdir(), 'payhook-soak-'));
  const server = await startServer(['--no-callouts'], { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1:thread_local_quarantine_size_kb=64` });
  const state = { stop: false, done: 0 };
  const memory = () => raw.rssAnonKiB(server.child.pid);
  try {
    const file = join(dir, 'request'), request = grpcRequest();
    writeFileSync(file, request);
    const answer = await answerTo(server.port, request);
    const hostileCount = Math.max(10, Math.round(connections / 10)), good = connections - hostileCount;
    const hostile = Array.from({ length: hostileCount }, (_, i) => beHostile(server.port, i, state));
    await load(server.port, file, Math.max(good * 10, Math.round(calls / 20)), good); // warm: every connection and stream was there once
    await raw.sleep(2500);
    const before = memory();
    let most = before;
    const watch = setInterval(() => { most = Math.max(most, memory()); }, 500);
    const result = await load(server.port, file, calls, good);
    clearInterval(watch);
    state.stop = true;
    await Promise.all(hostile);
    raw.closeRest();
    await raw.sleep(2500);
    assert.deepEqual(await answerTo(server.port, request), answer);
    return { ...result, calls, connections, hostile: state.done, expectedBytes: calls * answer.length, before, most, after: memory() };
  } finally {
    state.stop = true;
    raw.closeRest();
    assert.equal(await server.stop(), 0);
    rmSync(dir, { recursive: true });
  }
}

export function judge(report, slackKiB) {
  assert.equal(report.succeeded, report.calls, 'every good call succeeded');
  assert.equal(report.failed, 0);
  assert.equal(report.dataBytes, report.expectedBytes, 'every answer is as long as the right one');
  assert.ok(report.hostile > 0);
  assert.ok(report.after - report.before < slackKiB, `memory: ${report.before} KiB before, ${report.after} after`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const report = await soak(Number(process.argv[2] ?? 1_000_000), Number(process.argv[3] ?? 1000));
  console.log(JSON.stringify(report, null, 2));
  judge(report, 4096);
  console.log(`no good call of ${report.calls} failed, beside ${report.hostile} hostile connections; RssAnon ${report.before} KiB before, at most ${report.most}, ${report.after} after`);
}
