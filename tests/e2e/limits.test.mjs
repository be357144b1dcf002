// The configuration's `limits`, on both listeners: what is past them is refused, and a new value needs no restart.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { own } from './children.mjs';
import { post, startGateway, stripe, until } from './gateway.mjs';
import { binary, rawExchange } from './server.mjs';

const config = (limits) => ({ limits: { headers: 16, header_size: '1KiB', header_time: '2s', body_time: '1s', idle_time: '5s', connections: 8, ...limits } });
let gateway;
before(async () => { gateway = await startGateway(config()); });
after(async () => assert.equal(await gateway?.stop(), 0));

const listeners = () => [['webhooks', gateway.port, '/webhooks/stripe'], ['event service', gateway.servicePort, '/healthz']];
const head = (path, lines, method = 'GET') => `${[`${method} ${path} HTTP/1.1`, 'Host: x', ...lines].join('\r\n')}\r\n\r\n`;
const many = (count) => Array.from({ length: count }, (_, i) => `x-${i}: 1`);
// How long a connection on which `bytes` were sent stays open, and what came back.
async function lasting(port, bytes) {
  const began = Date.now();
  const result = await rawExchange(port, bytes, 15_000);
  return { ...result, seconds: (Date.now() - began) / 1000 };
}
const status = ({ text }) => Number(text.match(/^HTTP\/1\.1 (\d+)/)?.[1]);

test('more headers, or more bytes of them, are answered 431', async () => {
  for (const [name, port, path] of listeners()) {
    assert.notEqual(status(await rawExchange(port, head(path, [...many(14), 'Connection: close']))), 431, name);
    assert.equal(status(await rawExchange(port, head(path, many(16)))), 431, name);
    assert.equal(status(await rawExchange(port, head(path, [`x: ${'a'.repeat(1100)}`]))), 431, name);
  }
});

test('a head or a body that does not come in its time is answered 408', async () => {
  await Promise.all(listeners().flatMap(([name, port, path]) => [
    lasting(port, `GET ${path} HTTP/1.1\r\nHost: x\r\n`).then((half) => {
      assert.equal(status(half), 408, name);
      assert.ok(half.seconds > 1.9 && half.seconds < 4.5, `${name}: ${half.seconds} s`);
    }),
    lasting(port, `${head(path, ['Content-Length: 10'], 'POST')}abc`).then((half) => {
      assert.equal(status(half), 408, name);
      assert.ok(half.seconds > 0.9 && half.seconds < 3.5, `${name}: ${half.seconds} s`);
    }),
  ]));
});

test('a connection without a request is closed after idle_time, counted from its last answer', async () => {
  await gateway.reload(config({ idle_time: '3s', header_time: '10s' }));
  await Promise.all(listeners().flatMap(([name, port, path]) => [
    lasting(port, '').then((silent) => {
      assert.equal(silent.text, '');
      assert.ok(silent.closed && silent.seconds > 2.9 && silent.seconds < 5.5, `${name}, silent: ${silent.seconds} s`);
    }),
    lasting(port, [1000, head(path, [])]).then((served) => {
      assert.ok(status(served) > 0, name);
      assert.ok(served.closed && served.seconds > 3.9 && served.seconds < 6.5, `${name}, served: ${served.seconds} s`);
    }),
  ]));
});

test('past limits.connections, of both listeners together, one is closed at once, and the operator still gets in', async () => {
  await gateway.reload(config({ idle_time: '1m', header_time: '1m' }));
  const sockets = [];
  const connect = (port) => new Promise((resolve) => {
    const socket = net.connect(Number(port), '127.0.0.1', () => resolve(socket));
    socket.on('error', () => {}).on('close', () => { socket.gone = true; }).resume();
    sockets.push(socket);
  });
  try {
    await until(async () => (await gateway.figures()).payhook_connections_open <= 2, 'the connections before to be closed');
    for (let i = 0; i < 12; i++) await connect(i % 2 ? gateway.port : gateway.servicePort);
    await until(() => sockets.filter((socket) => socket.gone).length >= 4, 'those past the limit to be closed');
    await new Promise((next) => setTimeout(next, 300));
    const open = sockets.filter((socket) => !socket.gone).length;
    assert.ok(open >= 6 && open <= 8, `${open} are open`); // fetch may hold one or two of its own
    const admin = await new Promise((resolve) => {
      const socket = net.connect(`${gateway.home}/data/admin.sock`, () => socket.write('GET /admin/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'));
      let text = '';
      socket.on('data', (part) => { text += part; }).on('close', () => resolve(text)).on('error', () => {});
    });
    assert.match(admin, /^HTTP\/1\.1 \d+/);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await until(async () => (await post(gateway, 'stripe', stripe('after'))).status === 200, 'room for the next');
  assert.ok((await gateway.figures()).payhook_limit_connections_total >= 4);
});

test('new limits are followed without a restart', async () => {
  await gateway.reload(config({ headers: 64, header_size: '8KiB', header_time: '1s' }));
  for (const [name, port, path] of listeners()) {
    assert.notEqual(status(await rawExchange(port, head(path, [...many(40), `x: ${'a'.repeat(4000)}`, 'Connection: close']))), 431, name);
    assert.ok((await lasting(port, 'GET ')).seconds < 3, name);
  }
});

test('without a webhooks listener a reload changes them, too', async () => {
  const home = mkdtempSync(join(tmpdir(), 'payhook-'));
  const file = join(home, 'payhook.yaml');
  const write = (headers) => writeFileSync(file, JSON.stringify({ webhooks: { listen: 'none' }, service: { listen: '127.0.0.1:0' }, limits: { headers } }));
  write(64);
  const child = own(spawn(binary, ['serve', '--config', file], { stdio: ['ignore', 'pipe', 'pipe'] }));
  let output = '', log = '', port;
  child.stderr.setEncoding('utf8').on('data', (text) => { log += text; });
  child.stdout.setEncoding('utf8').on('data', (text) => { output += text; });
  await until(() => { port = output.match(/listening on 127\.0\.0\.1:(\d+) \(event/)?.[1]; return port; }, 'it to listen');
  const answer = async () => status(await rawExchange(port, head('/healthz', [...many(30), 'Connection: close'])));
  assert.equal(await answer(), 200);
  write(16);
  child.kill('SIGHUP');
  await until(() => /info reload configuration=read changed=1 settings=limits\.headers/.test(log), 'the reload to be told');
  assert.equal(await answer(), 431);
  write(0);
  child.kill('SIGHUP');
  await until(() => /error reload configuration=kept/.test(log), 'what is wrong to be told');
  assert.equal(await answer(), 431);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
  assert.match(log, /info shutdown state=draining connections=\d[^]*info shutdown state=finished ms=/);
  rmSync(home, { recursive: true });
});
