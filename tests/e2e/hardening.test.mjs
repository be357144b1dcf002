// What hostile clients do. Each attack meets a limit with a name (src/base/limits.h), the limit's counter moves, who
// behaves is served meanwhile and afterwards, and memory is what it was: an attack is made thrice more after it was
// made once, and what the process holds must not grow by it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { gzipSync } from 'node:zlib';
import { after, afterEach, before, test } from 'node:test';
import * as raw from './raw.mjs';
import { secret, startServer, stripeEvent, stripeSignature } from './server.mjs';

// A build with sanitizers keeps what was freed for a while: as little as it can, here.
const small = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1:thread_local_quarantine_size_kb=64` };
const MEMORY_SLACK_KIB = 4096;
const HANDLE = '/types.EventService/Handle';
const call = { 'content-type': 'application/grpc', te: 'trailers', 'x-connector': 'stripe' };

let server;
before(async () => { server = await startServer(['--threads', '1', '--no-callouts'], small); });
after(async () => assert.equal(await server?.stop(), 0));

afterEach(() => raw.closeRest());

function ask(port, { method = 'GET', path = '/metrics', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method, path, headers, agent: false, timeout: 5000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer within 5 s'))).on('error', reject).end(body);
  });
}

async function counters(port) {
  const { text } = await ask(port);
  return Object.fromEntries([...text.matchAll(/^payhook_(\w+?)(?:_total)? (\d+)$/gm)].map(([, name, value]) => [name, Number(value)]));
}

async function goodCall(port) {
  const body = stripeEvent();
  const { status, text } = await ask(port, { method: 'POST', path: '/v1/handle', headers: { 'content-type': 'application/json', 'x-connector': 'stripe' },
    body: JSON.stringify({ request_details: { method: 'HTTP_METHOD_POST', uri: '/', body: Buffer.from(body).toString('base64'),
      headers: { 'Stripe-Signature': stripeSignature(body) } }, webhook_secrets: { secret } }) });
  assert.equal(status, 200, text);
  assert.equal(JSON.parse(text).verdict, 'VERIFIED');
}

async function until(isTrue, what) {
  for (let i = 0; i < 200; i++) {
    if (isTrue()) return;
    await raw.sleep(50);
  }
  assert.fail(`within 10 s: ${what}`);
}

async function untilQuiet(to = server) {
  for (let i = 0; i < 100; i++) {
    const now = await counters(to.port).catch(() => ({})); // while the last of them are let go, one that asks may be shed too
    if (now.connections_open <= 1) return;
    await raw.sleep(50);
  }
  assert.fail(`connections stay open: ${(await counters(to.port)).connections_open}`);
}

// An attack, its counter, and by how much it moves each time.
function hostile(name, counter, atLeast, attack) {
  test(name, { timeout: 60_000 }, async () => {
    const once = async () => {
      const before = (await counters(server.port))[counter];
      assert.notEqual(before, undefined, `there is no counter ${counter}`);
      await attack(server.port);
      await goodCall(server.port);
      const moved = (await counters(server.port))[counter] - before;
      assert.ok(moved >= atLeast, `${counter} moved by ${moved}, not ${atLeast}`);
      await untilQuiet();
    };
    await once();
    await raw.sleep(1100); // quiet connections give their buffers back
    const [memory, files] = [raw.rssAnonKiB(server.child.pid), raw.filesOf(server.child.pid)];
    for (let i = 0; i < 3; i++) await once();
    await raw.sleep(1100);
    const grown = raw.rssAnonKiB(server.child.pid) - memory;
    assert.ok(grown < MEMORY_SLACK_KIB, `${grown} KiB more than before`);
    assert.ok(raw.filesOf(server.child.pid) <= files, 'no descriptor is left open');
  });
}

// One HTTP/2 connection that sends all of this and waits until it is told to go.
async function sentAway(port, ...parts) {
  const one = await raw.connect(port);
  await one.send(raw.start());
  for (const part of parts) await one.send(part);
  await Promise.race([one.gone, raw.sleep(10_000)]);
  assert.ok(one.closed, 'the connection was ended');
  const goaway = one.frames().find((frame) => frame.type === raw.GOAWAY);
  one.socket.destroy();
  return goaway?.payload.readUInt32BE(4); // its error code
}

const repeat = (count, make) => Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
const odd = (i) => 2 * i + 1;
const request = (path, flags, more) => (i) => raw.frame(raw.HEADERS, raw.END_HEADERS | flags, odd(i), raw.head(path, more));

// ---- heads ----

hostile('a flood of headers over HTTP/1: 431', 'limit_head_bytes', 3, async (port) => {
  const many = Array.from({ length: 129 }, (_, i) => `h${i}: v\r\n`).join('');
  const large = `h: ${'x'.repeat(50_000)}\r\n`;
  for (const text of [`GET /health HTTP/1.1\r\nHost: x\r\n${many}\r\n`, `GET /health HTTP/1.1\r\nHost: x\r\n${large}\r\n`,
    `GET /health HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(20_000)}`]) {
    const one = await raw.connect(port);
    await one.send(text);
    await Promise.race([one.gone, raw.sleep(5000)]);
    assert.match(one.received.toString(), /^HTTP\/1\.1 431 /);
    one.socket.destroy();
  }
});

hostile('a target without end: 414', 'limit_target_bytes', 1, async (port) => {
  const one = await raw.connect(port);
  await one.send(`GET /${'x'.repeat(1_000_000)}`);
  await Promise.race([one.gone, raw.sleep(5000)]);
  assert.match(one.received.toString(), /^HTTP\/1\.1 414 /);
  one.socket.destroy();
});

hostile('a flood of headers over HTTP/2: RESOURCE_EXHAUSTED', 'limit_head_bytes', 1, async (port) => {
  const one = await raw.connect(port);
  const fields = Buffer.concat([raw.head(HANDLE, call), ...Array.from({ length: 200 }, (_, i) => raw.literal(`h${i}`, 'v'))]);
  await one.send(raw.start(), raw.frame(raw.HEADERS, raw.END_HEADERS | raw.END_STREAM, 1, fields));
  await until(() => one.frames().some((frame) => frame.type === raw.HEADERS && frame.id === 1), 'it is answered');
  one.socket.destroy();
});

hostile('a header block that one byte makes long, again and again', 'limit_header_block', 1, async (port) => {
  const first = Buffer.concat([raw.head(HANDLE, call), raw.indexed('a', 'x'.repeat(3900))]);
  const bomb = Buffer.alloc(16_000, 0x80 | 62); // the newest entry of the table, 4 KB each
  await sentAway(port, raw.frame(raw.HEADERS, 0, 1, first), raw.frame(raw.CONTINUATION, raw.END_HEADERS, 1, bomb));
});

hostile('CONTINUATION without end', 'limit_header_block', 1, async (port) => {
  await sentAway(port, raw.frame(raw.HEADERS, 0, 1, raw.head(HANDLE, call)),
    repeat(2000, () => raw.frame(raw.CONTINUATION, 0, 1, Buffer.alloc(0))));
});

hostile('CONTINUATION without end, each with a header', 'limit_header_block', 1, async (port) => {
  await sentAway(port, raw.frame(raw.HEADERS, 0, 1, raw.head(HANDLE, call)),
    repeat(2000, (i) => raw.frame(raw.CONTINUATION, 0, 1, raw.literal(`h${i}`, 'x'.repeat(1000)))));
});

// ---- streams and frames ----

hostile('a flood of streams: those past the limit are refused', 'limit_streams', 800, async (port) => {
  const one = await raw.connect(port);
  await one.send(raw.start(), repeat(1000, request(HANDLE, 0, call)));
  const refused = () => one.frames().filter((frame) => frame.type === raw.RST_STREAM && frame.payload.readUInt32BE(0) === 7);
  await until(() => refused().length >= 800, '800 are refused');
  one.socket.destroy();
});

hostile('rapid reset: sent away with ENHANCE_YOUR_CALM', 'limit_resets', 1, async (port) => {
  const code = await sentAway(port, repeat(1000, (i) => Buffer.concat([request(HANDLE, 0, call)(i), raw.frame(raw.RST_STREAM, 0, odd(i), raw.u32(8))])));
  assert.equal(code, 11);
});

// What the server must reset itself costs as much (CVE-2025-8671).
for (const [name, make] of Object.entries({
  'windows that overflow': (i) => Buffer.concat([request(HANDLE, 0, call)(i), raw.frame(raw.WINDOW_UPDATE, 0, odd(i), raw.u32(0x7fffffff))]),
  'bodies that are not as long as told': request(HANDLE, raw.END_STREAM, { ...call, 'content-length': '5' }),
})) {
  hostile(`resets that are made the server's, by ${name}: sent away with ENHANCE_YOUR_CALM`, 'limit_resets', 1, async (port) => {
    assert.equal(await sentAway(port, repeat(1000, make)), 11);
  });
}

for (const [name, make] of Object.entries({
  PING: () => raw.frame(raw.PING, 0, 0, Buffer.alloc(8)),
  SETTINGS: () => raw.frame(raw.SETTINGS, 0, 0),
  PRIORITY: (i) => raw.frame(raw.PRIORITY, 0, odd(i), Buffer.alloc(5, 1)),
  WINDOW_UPDATE: () => raw.frame(raw.WINDOW_UPDATE, 0, 0, raw.u32(1)),
})) {
  hostile(`a flood of ${name} frames`, 'limit_control_frames', 1, async (port) => {
    assert.equal(await sentAway(port, repeat(5000, make)), 11);
  });
}

hostile('a flood of empty DATA frames', 'limit_control_frames', 1, async (port) => {
  assert.equal(await sentAway(port, request(HANDLE, 0, call)(0), repeat(5000, () => raw.frame(raw.DATA, 0, 1))), 11);
});

// ---- bodies ----

const grpcFrame = (bytes, compressed) => Buffer.concat([Buffer.from([compressed ? 1 : 0]), raw.u32(bytes.length), bytes]);

function dataFrames(id, bytes) {
  const frames = [];
  for (let at = 0; at < bytes.length; at += 16_384) frames.push(raw.frame(raw.DATA, at + 16_384 >= bytes.length ? raw.END_STREAM : 0, id, bytes.subarray(at, at + 16_384)));
  return Buffer.concat(frames);
}

const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024)); // a quarter of a megabyte
hostile('zip bombs: RESOURCE_EXHAUSTED once they pass the limit', 'limit_inflated_bytes', 20, async (port) => {
  const one = await raw.connect(port);
  await one.send(raw.start());
  for (let i = 0; i < 20; i++) {
    await one.send(request(HANDLE, 0, { ...call, 'grpc-encoding': 'gzip' })(i), dataFrames(odd(i), grpcFrame(bomb, true)));
    await raw.sleep(20);
  }
  await until(() => one.frames().filter((frame) => frame.type === raw.HEADERS).length === 20, 'each is answered');
  one.socket.destroy();
});

hostile('bodies past the limit, said and unsaid: 413', 'limit_body_bytes', 2, async (port) => {
  for (const how of [`Content-Length: ${1 << 30}\r\n\r\n`, `Transfer-Encoding: chunked\r\n\r\n${'10000\r\n' + 'x'.repeat(65536) + '\r\n'}`.concat(`10000\r\n${'x'.repeat(65536)}\r\n`.repeat(40))]) {
    const one = await raw.connect(port);
    await one.send(`POST /v1/handle HTTP/1.1\r\nHost: x\r\n${how}`);
    await Promise.race([one.gone, raw.sleep(5000)]);
    assert.match(one.received.toString(), /^HTTP\/1\.1 413 /);
    one.socket.destroy();
  }
});

hostile('more bodies at once than a thread has memory for: 503 for those that are too much', 'limit_memory', 20, async (port) => {
  const many = await raw.connectMany(port, 260);
  const part = Buffer.alloc(1_300_000, 0x20);
  await Promise.all(many.map((one) => one.send('POST /v1/handle HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1400000\r\n\r\n', part)));
  let refused = [];
  for (let i = 0; i < 100 && refused.length < 20; i++) { // those sent may not have been read yet
    await raw.sleep(100);
    refused = many.filter((one) => /^HTTP\/1\.1 503 /.test(one.received.toString('latin1', 0, 20)));
  }
  assert.ok(refused.length >= 20 && refused.length < 200, `${refused.length} were refused`);
  raw.closeAll(many);
});

// ---- smuggling ----

const post = (lines, body = '') => `POST /v1/handle HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${lines}\r\n\r\n${body}`;
const smuggled = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
hostile('requests that two readers could cut differently: refused, and nothing behind them is read', 'malformed', 16, async (port) => {
  for (const text of [
    post('Content-Length: 5\r\nTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked\r\nContent-Length: 5', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: xchunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding : chunked', `0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding:\x0bchunked', `0\r\n\r\n${smuggled}`),
    post('X: y\r\n Transfer-Encoding: chunked', `0\r\n\r\n${smuggled}`),
    post('X: y\nTransfer-Encoding: chunked', `0\r\n\r\n${smuggled}`),
    post('Content-Length: 5\r\nContent-Length: 6', `xxxxx${smuggled}`),
    post('Content-Length: +5', `xxxxx${smuggled}`),
    post('Content-Length: 5, 5', `xxxxx${smuggled}`),
    post('Content-Length: -1', smuggled),
    post('Content-Length: 0x5', `xxxxx${smuggled}`),
    post('Content-Length: 99999999999999999999', smuggled),
    post('Transfer-Encoding: chunked', `+0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked', `0x0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked', `5\r\nxxxxxyy0\r\n\r\n${smuggled}`),
    post('Transfer-Encoding: chunked', `fffffffffffffffff\r\n${smuggled}`),
    `POST /v1/handle HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 0\r\n\r\n${smuggled}`,
    `POST /v1/handle HTTP/1.1\r\nHost: x\r\nA\x00B: c\r\n\r\n${smuggled}`,
    `POST  /v1/handle HTTP/1.1\r\nHost: x\r\n\r\n${smuggled}`,
  ]) {
    const one = await raw.connect(port);
    await one.send(text);
    await Promise.race([one.gone, raw.sleep(3000)]);
    assert.ok(one.closed, `left open after ${JSON.stringify(text.slice(60, 160))}`);
    const answers = one.received.toString().match(/^HTTP\/1\.1 \d+/gm) ?? [];
    assert.ok(answers.length <= 1 && !/healthy/.test(one.received), `answered ${answers} to ${JSON.stringify(text.slice(60, 160))}`);
    assert.ok(answers.length === 0 || /HTTP\/1\.1 [45]\d\d/.test(answers[0]), `${answers} to ${JSON.stringify(text.slice(60, 160))}`);
    one.socket.destroy();
  }
});

hostile('HTTP/2 headers that would smuggle into HTTP/1 are refused', 'malformed', 6, async (port) => {
  for (const more of [{ 'transfer-encoding': 'chunked' }, { connection: 'close' }, { 'x\r\ny': 'z' }, { x: 'a\r\nb' }, { 'X-Upper': 'a' }, { 'content-length': '5' }]) {
    const one = await raw.connect(port);
    await one.send(raw.start(), raw.frame(raw.HEADERS, raw.END_HEADERS | raw.END_STREAM, 1, raw.head('/v1/handle', more)));
    await raw.sleep(100);
    assert.ok(!one.frames().some((frame) => frame.type === raw.HEADERS), `answered with ${JSON.stringify(more)}`);
    one.socket.destroy();
  }
});

// ---- connections ----

hostile('half-closed connections are answered where there is something to answer, and then gone', 'connections_accepted', 100, async (port) => {
  const many = await raw.connectMany(port, 100);
  await Promise.all(many.map((one, i) => one.send(
    ['GET /health HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /heal', 'POST /v1/handle HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nxx', '', raw.PREFACE][i % 5])));
  for (const { socket } of many) socket.end();
  await Promise.all(many.map((one) => Promise.race([one.gone, raw.sleep(3000)])));
  for (const [i, one] of many.entries()) {
    assert.ok(one.closed, `kind ${i % 5} is left open`);
    if (i % 5 === 0) assert.match(one.received.toString(), /^HTTP\/1\.1 200 [\s\S]*healthy/);
  }
  raw.closeAll(many);
});

hostile('clients that hang up in the middle, in every state', 'connections_accepted', 200, async (port) => {
  const many = await raw.connectMany(port, 200);
  const parts = ['GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50), 'POST /v1/handle HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nxx',
    Buffer.concat([raw.start(), repeat(50, request(HANDLE, 0, call))]), Buffer.concat([raw.start(), request('/grpc.health.v1.Health/Watch', 0, call)(0), dataFrames(1, grpcFrame(Buffer.alloc(0)))])];
  await Promise.all(many.map((one, i) => one.send(parts[i % 4])));
  for (const { socket } of many) socket.resetAndDestroy();
});

test('out of descriptors: who comes too much is closed, who is there is served, and then all is well', { timeout: 60_000 }, async () => {
  const few = await startServer(['--threads', '1', '--no-callouts'], small, ['bash', '-c', 'ulimit -n 64; exec "$0" "$@"']);
  try {
    const before = raw.filesOf(few.child.pid);
    const first = await raw.connect(few.port);
    const keep = 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n';
    await first.send(keep);
    const many = await raw.connectMany(few.port, 200);
    await raw.sleep(300);
    const closed = many.filter((one) => one.closed).length;
    assert.ok(closed >= 100, `${closed} were closed`);
    await first.send(keep);
    await raw.sleep(300);
    const shed = first.received.toString().match(/payhook_limit_descriptors_total (\d+)/g)?.pop();
    assert.ok(Number(shed?.split(' ')[1]) >= 100, `${shed}`);
    raw.closeAll([...many, first]);
    await untilQuiet(few);
    await goodCall(few.port);
    assert.ok(raw.filesOf(few.child.pid) <= before + 1);
  } finally {
    assert.equal(await few.stop(), 0);
  }
});

test('more connections than the limit: the rest is closed, and counted', { timeout: 60_000 }, async () => {
  const LIMIT = 8192; // PH_CONNECTIONS_MAX
  const many = [];
  for (let i = 0; i < LIMIT + 200; i += 400) many.push(...await raw.connectMany(server.port, 400).catch(() => []));
  await raw.sleep(500);
  const open = many.filter((one) => !one.closed);
  assert.ok(open.length <= LIMIT && open.length > LIMIT - 600, `${open.length} of ${many.length} are open`);
  raw.closeAll(many);
  await untilQuiet();
  assert.ok((await counters(server.port)).limit_connections + (await counters(server.port)).limit_dealt >= many.length - LIMIT);
  await goodCall(server.port);
});

// ---- those that take their time: all at once, as the limits are in seconds ----

test('slow writers and slow readers are cut when their time is over, and not before', { timeout: 120_000 }, async () => {
  const slow = await startServer(['--threads', '1', '--no-callouts'], small);
  const { port, child } = slow;
  let drip;
  try {
    await goodCall(port);
    const memory = raw.rssAnonKiB(child.pid);
    const began = Date.now();
    const cut = (one) => one.gone.then(() => Date.now() - began);
    const silent = await raw.connectMany(port, 100); // says nothing
    const heads = await raw.connectMany(port, 100); // a byte of its head now and then
    const bodies = await raw.connectMany(port, 50); // HTTP/1 bodies
    const streams = await raw.connectMany(port, 20); // HTTP/2 bodies
    const readers = await raw.connectMany(port, 20, { reading: false }); // HTTP/1: asks much, reads nothing
    const windows = await raw.connectMany(port, 20); // HTTP/2: asks, and opens no window
    await Promise.all(bodies.map((one) => one.send('POST /v1/handle HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')));
    await Promise.all(streams.map((one) => one.send(raw.start(), request(HANDLE, 0, call)(0))));
    for (const one of readers) void one.send('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5000));
    const closed = Buffer.concat([Buffer.from([0, 4]), raw.u32(0)]); // SETTINGS_INITIAL_WINDOW_SIZE 0
    const get = raw.block({ ':method': 'GET', ':scheme': 'http', ':path': '/metrics', ':authority': 'x' });
    await Promise.all(windows.map((one) => one.send(raw.start(closed), raw.frame(raw.HEADERS, raw.END_HEADERS | raw.END_STREAM, 1, get))));
    const text = 'GET /health HTTP/1.1\r\nX: ';
    let ticks = 0;
    drip = setInterval(() => {
      for (const one of heads) void one.send(text[ticks] ?? 'x');
      ticks++;
      for (const one of bodies) void one.send('x');
      for (const one of streams) void one.send(raw.frame(raw.DATA, 0, 1, Buffer.from('x')));
    }, 1000);
    const times = { silent: Promise.all(silent.map(cut)), heads: Promise.all(heads.map(cut)), bodies: Promise.all(bodies.map(cut)) };
    for (let i = 0; i < 35; i++) { // who behaves is served all the while
      await goodCall(port);
      await raw.sleep(1000);
    }
    clearInterval(drip);
    const within = (values, from, to) => assert.ok(values.every((ms) => ms >= from && ms <= to), `${Math.min(...values)} … ${Math.max(...values)} ms`);
    within(await times.silent, 9_000, 13_500); // PH_HEAD_READ_MS
    within(await times.heads, 9_000, 13_500);
    within(await times.bodies, 29_000, 34_500); // PH_BODY_READ_MS
    for (const one of heads) assert.match(one.received.toString(), /^HTTP\/1\.1 408 /);
    for (const one of [...streams, ...windows]) assert.ok(one.frames().some((frame) => frame.type === raw.RST_STREAM && frame.id === 1), 'the stream was reset');
    const now = await counters(port);
    assert.equal(now.limit_head_time, 200);
    assert.equal(now.limit_body_time, 70);
    assert.equal(now.limit_write_stall, 40); // PH_WRITE_STALL_MS: 20 connections, 20 streams
    raw.closeAll([...silent, ...heads, ...bodies, ...streams, ...readers, ...windows]);
    await untilQuiet(slow);
    await raw.sleep(1100);
    const grown = raw.rssAnonKiB(child.pid) - memory;
    assert.ok(grown < 2 * MEMORY_SLACK_KIB, `${grown} KiB more than before`);
  } finally {
    clearInterval(drip);
    raw.closeRest();
    assert.equal(await slow.stop(), 0);
  }
});
