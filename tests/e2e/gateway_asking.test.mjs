// What the gateway asks the network for: a key set that is not there yet makes a request pending, acknowledged, and told
// once it is verified; one in the cache verifies at once; a new key of the processor's is found; a far end that is down
// loses nothing.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { own } from './children.mjs';
import { binary, root } from './server.mjs';
import { makeSite } from './site.mjs';

const dir = mkdtempSync(join(tmpdir(), 'payhook-asking-'));
const file = (name) => join(dir, name);
const wait = (ms) => new Promise((next) => setTimeout(next, ms));
let processor, sink, child, port;
let keySet = null; // null: the far end answers 503
let fetches = 0;
const told = [];

before(async () => {
  processor = https.createServer(makeSite(dir, 'webhooks.truelayer-sandbox.com'), (request, response) => {
    fetches++;
    response.writeHead(keySet ? 200 : 503, { 'content-type': 'application/json' }).end(keySet ? JSON.stringify({ keys: keySet }) : 'no');
  });
  await new Promise((next) => processor.listen(0, '127.0.0.1', next));
  sink = http.createServer((request, response) => {
    let body = '';
    request.on('data', (part) => { body += part; }).on('end', () => {
      told.push(JSON.parse(body));
      response.writeHead(204).end();
    });
  });
  await new Promise((next) => sink.listen(0, '127.0.0.1', next));
  writeFileSync(file('payhook.yaml'), `webhooks: { listen: 127.0.0.1:0 }
service: { listen: 127.0.0.1:0 }
callouts: { ca: ca.pem, egress: 127.0.0.1:${processor.address().port} }
endpoints: { tl: { connector: truelayer } }
destinations: { shop: { url: "http://127.0.0.1:${sink.address().port}/", secret: env:SHOP, verdicts: [ verified ] } }
`);
  child = own(spawn(binary, ['serve', '--config', 'payhook.yaml', '--data', file('data')], {
    cwd: dir, env: { ...process.env, SHOP: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=' }, stdio: ['ignore', 'pipe', 'inherit'] }));
  let output = '';
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`payhook ended with ${code}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      port ??= output.match(/listening on 127\.0\.0\.1:(\d+) \(webhooks/)?.[1];
      if (port && /inbox in/.test(output)) resolve();
    });
  });
});
after(async () => {
  child.removeAllListeners('exit');
  const code = new Promise((next) => child.once('exit', next));
  child.kill('SIGTERM');
  assert.equal(await code, 0);
  processor.closeAllConnections();
  processor.close();
  sink.closeAllConnections();
  sink.close();
  rmSync(dir, { recursive: true });
});

const newKey = (kid) => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  return { kid, pem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), jwk: { ...pair.publicKey.export({ format: 'jwk' }), kid, alg: 'ES512' } };
};
/** Posts a sample with an id of its own, signed with the key; answers the status. */
async function post(key, id) {
  const body = readFileSync(`${root}connectors/samples/truelayer/payment/payment_executed.json`, 'utf8').replace(/"event_id": ?"[^"]*"/, `"event_id":"${id}"`);
  const out = JSON.parse(execFileSync(binary, ['sign', '--connector', 'truelayer', '--body', '-', '--format', 'json', '--uri', '/webhooks/tl',
    '--config-env', 'private_key_pem=TEST_KEY', '--config', `kid=${key.kid}`], { input: body, env: { ...process.env, TEST_KEY: key.pem } }).toString());
  const response = await fetch(`http://127.0.0.1:${port}/webhooks/tl`, { method: 'POST', headers: Object.fromEntries(out.headers), body: out.body });
  return response.status;
}
const isTold = async (id, ms = 15000) => {
  for (let left = ms; left > 0; left -= 50) {
    if (told.some((event) => event.id.includes(id))) return true;
    await wait(50);
  }
  return false;
};

const first = newKey('first'), second = newKey('second'), stranger = newKey('first');

test('while the far end is down a request is acknowledged, and told once it can be verified', async () => {
  assert.equal(await post(first, 'evt-down'), 200);
  assert.equal(await isTold('evt-down', 500), false);
  keySet = [first.jwk];
  assert.equal(await isTold('evt-down'), true);
  assert.equal(told.filter((event) => event.id.includes('evt-down')).length, 1);
});

test('with the key set in the cache the sender hears what it is, at once', async () => {
  const before = fetches;
  assert.equal(await post(first, 'evt-cached'), 200);
  assert.equal(await isTold('evt-cached', 3000), true);
  assert.equal(await post(stranger, 'evt-forged'), 401);
  assert.equal(fetches, before);
});

test('a key set younger than a minute is taken at its word: what it does not prove is refused, and nothing is fetched', async () => {
  const before = fetches;
  keySet = [first.jwk, second.jwk];
  const status = await post(second, 'evt-rotated');
  // The set is younger than a minute: it is taken at its word, and the request quarantined. A sender that comes again later is heard.
  assert.equal(status, 401);
  assert.equal(await isTold('evt-rotated', 500), false);
  assert.equal(fetches, before);
});

test('nothing that was forged has been told', () => {
  assert.deepEqual(told.filter((event) => /forged|rotated/.test(event.id)), []);
  for (const event of told) assert.equal(event.data.verdict, 'VERIFIED');
});
