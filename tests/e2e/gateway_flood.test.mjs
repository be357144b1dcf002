// Strangers who make up names of PayPal certificates: what they hold, and that genuine notices come in meanwhile and afterwards.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { post, query, startGateway, startSink, until } from './gateway.mjs';
import { binary, root } from './server.mjs';

const dir = mkdtempSync(join(tmpdir(), 'payhook-flood-'));
const file = (name) => join(dir, name);
const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe', cwd: dir });
const room = 40; // quarantine.requests: a quarter of it for unknown certificates, and half of that for one endpoint
let processor, sink, gateway;
const served = new Set();
let requests = 0; // that the host was asked
let failing = false; // the host answers names that it does not serve with an error of its own
let release; // the host answers nobody before that
const released = new Promise((next) => { release = next; });

function makeCertificate(name, subject) {
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${subject}`);
  writeFileSync(file('ext'), `subjectAltName=DNS:${subject}\n`);
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext', '-out', `${name}.pem`);
}

before(async () => {
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test CA', '-days', '2');
  makeCertificate('site', 'api.sandbox.paypal.com');
  makeCertificate('signer', 'messageverificationcerts.sandbox.paypal.com');
  processor = https.createServer({ key: readFileSync(file('site.key')), cert: readFileSync(file('site.pem')) }, async (request, response) => {
    requests++;
    await released;
    const known = served.has(request.url.slice(request.url.lastIndexOf('/') + 1));
    response.writeHead(known ? 200 : failing ? 500 : 404, { 'content-type': 'text/plain' }).end(known ? readFileSync(file('signer.pem')) : 'no');
  });
  await new Promise((next) => processor.listen(0, '127.0.0.1', next));
  sink = await startSink();
  gateway = await startGateway({
    callouts: { ca: file('ca.pem'), egress: `127.0.0.1:${processor.address().port}` },
    quarantine: { requests: room },
    endpoints: { paypal: { connector: 'paypal', secrets: ['env:WEBHOOK'] }, books: { connector: 'paypal', secrets: ['env:WEBHOOK'] } },
    destinations: { shop: { ...sink.destination, verdicts: ['verified'] } },
  }, { more: { WEBHOOK: 'WEBHOOK-1' } });
});
after(async () => {
  assert.equal(await gateway?.stop(), 0);
  await sink?.stop();
  processor?.closeAllConnections();
  processor?.close();
  rmSync(dir, { recursive: true });
});

const key = () => readFileSync(file('signer.key'), 'utf8');
// Notices of one event each, signed as PayPal does; nobody has served the certificate that it names, unless `served` has it.
function notice(id, certificate) {
  const body = readFileSync(`${root}connectors/samples/paypal/PAYMENT.CAPTURE.COMPLETED.json`, 'utf8').replace(/"id": ?"WH-[^"]*"/, `"id":"WH-${id}"`);
  const out = JSON.parse(execFileSync(binary, ['sign', '--connector', 'paypal', '--body', '-', '--format', 'json', '--uri', '/webhooks/paypal',
    '--secret-env', 'TEST_SECRET', '--config-env', 'private_key_pem=TEST_KEY'],
    { input: body, env: { ...process.env, TEST_SECRET: 'WEBHOOK-1', TEST_KEY: key() } }).toString());
  return { body: out.body, headers: { ...Object.fromEntries(out.headers), 'Paypal-Cert-Url': `https://api.sandbox.paypal.com/v1/notifications/certs/${certificate}` } };
}
const standing = () => Object.fromEntries(query(gateway, 'SELECT standing, count(*) AS count FROM request_list GROUP BY standing').map((row) => [row.standing, row.count]));
const isTold = (id) => until(() => sink.events.some((event) => event.id.includes(id)), `${id} to be told`);
let made = 0;
async function flood(endpoint, count) {
  const forged = notice('flood', 'CERT-x');
  const statuses = [];
  for (let i = 0; i < count; i++) {
    forged.headers['Paypal-Cert-Url'] = `https://api.sandbox.paypal.com/v1/notifications/certs/CERT-made-up-${made++}`;
    statuses.push((await post(gateway, endpoint, forged)).status);
  }
  return statuses;
}

test('made-up certificates fill their own small room, and no other endpoint\'s', async () => {
  const statuses = await flood('paypal', 20);
  assert.equal(statuses.filter((status) => status === 200).length, room / 8);
  assert.equal(statuses.filter((status) => status === 503).length, 20 - room / 8);
  assert.equal((await post(gateway, 'books', notice('other-endpoint', 'CERT-good'))).status, 200);
  assert.equal((await post(gateway, 'paypal', notice('first', 'CERT-good'))).status, 503); // it comes again
  const figures = await gateway.figures();
  assert.equal(figures.payhook_inbox_pending_unknown_requests, room / 8 + 1);
});

test('once the host has denied them, a first notice of an unknown certificate comes in, and is told', async () => {
  served.add('CERT-good');
  release();
  await until(async () => (await post(gateway, 'paypal', notice('first', 'CERT-good'))).status === 200, 'the first notice to be taken', 120_000);
  await isTold('WH-first');
  await isTold('WH-other-endpoint');
  await until(() => standing().pending === undefined, 'what was made up to be denied', 120_000);
  assert.equal(standing().dropped, room / 8);
  assert.equal(query(gateway, "SELECT count(*) AS count FROM request_list r JOIN requests USING (id) WHERE r.standing = 'dropped' AND work > 0")[0].count, room / 8);
});

test('a notice of a known certificate comes in through any flood, and dropped ones are bounded', async () => {
  const floods = [flood('paypal', 60), flood('books', 60)];
  for (let i = 0; i < 5; i++) {
    assert.equal((await post(gateway, 'paypal', notice(`meanwhile-${i}`, 'CERT-good'))).status, 200);
    await isTold(`WH-meanwhile-${i}`);
  }
  await Promise.all(floods);
  await until(() => !standing().pending && standing().dropped <= room, 'the oldest dropped ones to be forgotten', 120_000);
  assert.ok(standing().dropped > room / 8);
});

test('a genuine notice that was dropped is verified at a reload once its certificate is known; nothing else is asked for', async () => {
  assert.equal((await post(gateway, 'paypal', notice('early', 'CERT-later'))).status, 200);
  await until(() => !standing().pending, 'it to be denied');
  served.add('CERT-later');
  assert.equal((await post(gateway, 'paypal', notice('second', 'CERT-later'))).status, 200);
  await isTold('WH-second');
  const asked = requests;
  await gateway.reload();
  await isTold('WH-early');
  assert.equal(requests, asked);
});

test('a certificate that proved a notice is known after a restart, whatever strangers make up meanwhile', async () => {
  assert.match(readFileSync(join(gateway.home, 'data', 'proven-addresses'), 'utf8'), /^\d+ https:\/\/api\.sandbox\.paypal\.com\/v1\/notifications\/certs\/CERT-good$/m);
  assert.doesNotMatch(readFileSync(join(gateway.home, 'data', 'proven-addresses'), 'utf8'), /made-up/);
  failing = true;
  await gateway.end();
  await gateway.start();
  assert.ok((await flood('paypal', 20)).includes(503)); // their room is full, and their host paused
  assert.equal((await post(gateway, 'paypal', notice('restarted', 'CERT-good'))).status, 200);
  await isTold('WH-restarted');
});

test('nothing of theirs was told', () => {
  assert.deepEqual(sink.events.filter((event) => event.id.includes('flood')), []);
});
