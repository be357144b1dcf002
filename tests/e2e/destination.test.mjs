// The HTTP destination and servers of other makers: Node's HTTP/2 with mutual TLS; what arrives, by the official libraries
// of CloudEvents and Standard Webhooks.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createSecureServer } from 'node:http2';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { promisify } from 'node:util';
import { HTTP } from 'cloudevents';
import { Webhook } from 'standardwebhooks';
import { root } from './server.mjs';

const build = process.env.PAYHOOK_BUILD_DIR ?? `${root}build`;
const secret = `whsec_${Buffer.from('a secret of a test, 24 bytes and more').toString('base64')}`;
const run = promisify(execFile);
const deliver = async (args, env) =>
  (await run(`${build}/tests/deliver`, args, { env: { ...process.env, ...env } })).stdout.trim().split('\n');

// Listens, remembers what it is told, answers 204.
async function application(server) {
  const told = [];
  server.on('request', async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    told.push({ version: request.httpVersion, method: request.method, headers: { ...request.headers }, body: Buffer.concat(chunks).toString(),
      peer: request.socket.getPeerCertificate?.()?.subject?.CN });
    response.writeHead(204).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { told, port: server.address().port };
}

test('the official libraries read what is sent, one event a request and in batches', async () => {
  const server = createServer(), { told, port } = await application(server);
  try {
    assert.deepEqual(await deliver([`http://127.0.0.1:${port}/`, secret]), Array(4).fill('accepted 204'));
    assert.deepEqual(await deliver([`http://127.0.0.1:${port}/`, secret, 'batch']), ['accepted 204']);
    assert.equal(told.length, 5);
    const events = told.map(({ headers, body }) => {
      new Webhook(secret).verify(body, headers);
      return HTTP.toEvent({ headers, body });
    });
    assert.deepEqual(events.flat().map((event) => event.id), [...['stripe:evt_1.a', 'stripe:evt_1.a', 'stripe:evt_2', 'evt_3'], ...['stripe:evt_1.a', 'stripe:evt_1.a', 'stripe:evt_2', 'evt_3']]);
    for (const event of events.flat()) assert.equal(event.validate(), true);
    const [paid, again, late, hint] = events;
    assert.equal(paid.type, 'PAYMENT_INTENT_SUCCESS');
    assert.equal(paid.source, '/webhooks/shop');
    assert.equal(paid.attempt, 1);
    assert.deepEqual([again.replay, late.late, paid.replay, paid.late], [true, true, undefined, undefined]);
    assert.deepEqual(hint.data, { verdict: 'UNSIGNED' });
    assert.equal(told[0].headers['user-agent'], 'payhook/test');
  } finally {
    server.close();
    server.closeAllConnections();
  }
});

test('HTTP/2 is spoken where the application does, with a certificate of ours where it asks for one', async () => {
  const folder = mkdtempSync(`${tmpdir()}/payhook-tls-`), at = (name) => `${folder}/${name}`;
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'ignore' });
  for (const name of ['server', 'ours', 'others'])
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', `/CN=${name}.example`, '-addext', 'subjectAltName=IP:127.0.0.1',
      '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`));
  const server = createSecureServer({ cert: readFileSync(at('server.pem')), key: readFileSync(at('server.key')), ca: readFileSync(at('ours.pem')),
    requestCert: true, rejectUnauthorized: true });
  const { told, port } = await application(server), sessions = new Set();
  server.on('session', (session) => sessions.add(session));
  const url = `https://127.0.0.1:${port}/`;
  const files = (name) => ({ DELIVER_CA: at('server.pem'), DELIVER_CERT: at(`${name}.pem`), DELIVER_KEY: at(`${name}.key`) });
  try {
    assert.deepEqual(await deliver([url, secret], files('ours')), Array(4).fill('accepted 204'));
    assert.deepEqual([...new Set(told.map((request) => `${request.version} ${request.peer}`))], ['2.0 ours.example']);
    new Webhook(secret).verify(told[0].body, told[0].headers);
    assert.equal(sessions.size, 1); // one connection for all four
    for (const lines of [await deliver([url, secret], files('others')), await deliver([url, secret], { DELIVER_CA: at('server.pem') }),
      await deliver([url, secret], { ...files('ours'), DELIVER_CA: at('others.pem') })])
      for (const line of lines) assert.match(line, /^failed 0 /);
    assert.equal(told.length, 4);
  } finally {
    server.close();
    for (const session of sessions) session.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
});
