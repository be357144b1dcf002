// What the server fetches before it answers: key sets, certificates, the processor's own verdict; from a TLS server of
// this test, which --egress leads to under the processors' names.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { binary, root, startServer } from './server.mjs';

const dir = mkdtempSync(join(tmpdir(), 'payhook-callouts-'));
const file = (name) => join(dir, name);
const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe', cwd: dir });
const hosts = ['webhooks.truelayer-sandbox.com', 'api.sandbox.paypal.com', 'api-m.sandbox.paypal.com'];

let processor; // the far end: what it was asked, and what it answers, by path
const asked = [];
const answers = {};
let server, alone;

function makeCertificate(name, subject, names) {
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${subject}`);
  writeFileSync(file('ext'), `subjectAltName=${names.map((n) => `DNS:${n}`).join(',')}\n`);
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext', '-out', `${name}.pem`);
}

before(async () => {
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test CA', '-days', '2');
  makeCertificate('site', 'site', hosts);
  makeCertificate('signer', 'messageverificationcerts.sandbox.paypal.com', ['messageverificationcerts.sandbox.paypal.com']);
  makeCertificate('stranger', 'stranger.example', ['stranger.example']);
  processor = https.createServer({ key: readFileSync(file('site.key')), cert: readFileSync(file('site.pem')) }, (request, response) => {
    let body = '';
    request.on('data', (part) => { body += part; }).on('end', () => {
      asked.push({ host: request.headers.host, path: request.url, authorization: request.headers.authorization, body });
      const answer = answers[request.url];
      setTimeout(() => {
        response.writeHead(answer ? 200 : 404, { 'content-type': 'application/json' });
        response.end(answer?.text ?? 'nothing');
      }, answer?.delay ?? 0);
    });
  });
  await new Promise((resolve) => processor.listen(0, '127.0.0.1', resolve));
  server = await startServer(['--ca-file', file('ca.pem'), '--egress', `127.0.0.1:${processor.address().port}`]);
  alone = await startServer(['--no-callouts']);
});
after(async () => {
  assert.equal(await server?.stop(), 0);
  assert.equal(await alone?.stop(), 0);
  processor?.closeAllConnections();
  processor?.close();
  rmSync(dir, { recursive: true });
});

const sample = (connector, name) => readFileSync(`${root}connectors/samples/${connector}/${name}.json`, 'utf8');

function sign(connector, body, { secret, key, config = {}, uri = '/webhooks/x' }) {
  const args = ['sign', '--connector', connector, '--body', '-', '--format', 'json', '--uri', uri];
  if (secret) args.push('--secret-env', 'TEST_SECRET');
  if (key) args.push('--config-env', 'private_key_pem=TEST_KEY');
  for (const [name, value] of Object.entries(config)) args.push('--config', `${name}=${value}`);
  const out = JSON.parse(execFileSync(binary, args, { input: body, env: { ...process.env, TEST_SECRET: secret ?? '', TEST_KEY: key ?? '' } }).toString());
  return { method: 'HTTP_METHOD_POST', uri: out.uri, headers: Object.fromEntries(out.headers), body: Buffer.from(out.body).toString('base64') };
}

function handle(port, connector, details, { secret, config, timeout } = {}) {
  const headers = { 'content-type': 'application/json', 'x-connector': connector };
  if (config) headers['x-connector-config'] = JSON.stringify({ config: { [connector[0].toUpperCase() + connector.slice(1)]: config } });
  const body = JSON.stringify({ request_details: details, ...(secret ? { webhook_secrets: { secret } } : {}) });
  return new Promise((resolve, reject) => {
    const request = http.request({ host: '127.0.0.1', port, method: 'POST', path: '/v1/handle', headers, timeout }, (response) => {
      let text = '';
      response.on('data', (part) => { text += part; }).on('end', () => resolve(JSON.parse(text)));
    });
    request.on('error', reject).end(body);
  });
}
const countOf = (path) => asked.filter((one) => one.path === path).length;

// ---- TrueLayer: a key set ----

const kid = '45fc75cf-5649-4134-84b3-192c2c78e990';
const pair = generateKeyPairSync('ec', { namedCurve: 'P-521' });
const trueLayer = (key = pair, id = kid) => sign('truelayer', sample('truelayer', 'payment/payment_executed'), {
  key: key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), config: { kid: id } });
const jwks = '/.well-known/jwks';

test('a key set is fetched once for many who wait, kept, and verifies', async () => {
  answers[jwks] = { delay: 100, text: JSON.stringify({ keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid, alg: 'ES512' }] }) };
  const details = trueLayer();
  const together = await Promise.all(Array.from({ length: 20 }, () => handle(server.port, 'truelayer', details)));
  for (const answer of together) assert.equal(answer.verdict, 'VERIFIED', JSON.stringify(answer));
  assert.equal((await handle(server.port, 'truelayer', details)).verdict, 'VERIFIED');
  assert.equal(countOf(jwks), 1);
  assert.equal(asked[0].host, 'webhooks.truelayer-sandbox.com');
});

test('what a fetched key set does not prove is forged, and costs no further fetch', async () => {
  const before = countOf(jwks);
  const other = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  assert.equal((await handle(server.port, 'truelayer', trueLayer(other))).verdict, 'FORGED');
  assert.equal((await handle(server.port, 'truelayer', trueLayer(other, 'another-key'))).verdict, 'FORGED');
  assert.equal(countOf(jwks), before);
});

test('without callouts the same request is unreachable, and says why', async () => {
  const answer = await handle(alone.port, 'truelayer', trueLayer());
  assert.equal(answer.verdict, 'UNREACHABLE');
  assert.equal(answer.event_response, undefined);
});

// ---- PayPal: a certificate, or its API ----

const paypal = (certificate, key, secret = 'WEBHOOK-1') => {
  const details = sign('paypal', sample('paypal', 'PAYMENT.CAPTURE.COMPLETED'), { secret, key: readFileSync(file(`${key}.key`), 'utf8') });
  details.headers['Paypal-Cert-Url'] = `https://api.sandbox.paypal.com/v1/notifications/certs/${certificate}`;
  return details;
};

test('a fetched certificate verifies when it leads to a root and bears the processor\'s name', async () => {
  answers['/v1/notifications/certs/CERT-good'] = { text: readFileSync(file('signer.pem'), 'utf8') };
  answers['/v1/notifications/certs/CERT-stranger'] = { text: readFileSync(file('stranger.pem'), 'utf8') };
  assert.equal((await handle(server.port, 'paypal', paypal('CERT-good', 'signer'), { secret: 'WEBHOOK-1' })).verdict, 'VERIFIED');
  assert.equal((await handle(server.port, 'paypal', paypal('CERT-good', 'stranger'), { secret: 'WEBHOOK-1' })).verdict, 'FORGED');
  assert.equal((await handle(server.port, 'paypal', paypal('CERT-stranger', 'stranger'), { secret: 'WEBHOOK-1' })).verdict, 'FORGED');
  assert.equal((await handle(server.port, 'paypal', paypal('CERT-good', 'signer'), { secret: 'WEBHOOK-2' })).verdict, 'FORGED');
});

test('a certificate that is not to be had makes the request unreachable, never forged', async () => {
  const answer = await handle(server.port, 'paypal', paypal('CERT-missing', 'signer'), { secret: 'WEBHOOK-1' });
  assert.equal(answer.verdict, 'UNREACHABLE');
  assert.equal(answer.event_response, undefined);
});

test('a far end that answers with garbage makes the request unreachable, and is asked again', async () => {
  const path = '/v1/notifications/certs/CERT-garbage';
  answers[path] = { text: '<html>back soon</html>' };
  for (let i = 1; i <= 2; i++) {
    assert.equal((await handle(server.port, 'paypal', paypal('CERT-garbage', 'signer'), { secret: 'WEBHOOK-1' })).verdict, 'UNREACHABLE');
    assert.equal(countOf(path), i);
  }
  answers[path] = { text: readFileSync(file('signer.pem'), 'utf8') };
  assert.equal((await handle(server.port, 'paypal', paypal('CERT-garbage', 'signer'), { secret: 'WEBHOOK-1' })).verdict, 'VERIFIED');
});

test('an address that the page does not allow is never asked', async () => {
  const details = paypal('CERT-good', 'signer');
  details.headers['Paypal-Cert-Url'] = 'https://stranger.example/v1/notifications/certs/CERT-good';
  const before = asked.length;
  assert.equal((await handle(server.port, 'paypal', details, { secret: 'WEBHOOK-1' })).verdict, 'FORGED');
  assert.equal(asked.length, before);
});

test('the processor\'s own verdict decides where the config asks for it, and is asked each time', async () => {
  const path = '/v1/notifications/verify-webhook-signature';
  const config = { verify: 'api', api_host: 'api-m.sandbox.paypal.com', access_token: 'T-1' };
  const details = paypal('CERT-good', 'stranger');
  answers[path] = { text: '{"verification_status":"SUCCESS"}' };
  assert.equal((await handle(server.port, 'paypal', details, { secret: 'WEBHOOK-1', config })).verdict, 'VERIFIED');
  answers[path] = { text: '{"verification_status":"FAILURE"}' };
  assert.equal((await handle(server.port, 'paypal', details, { secret: 'WEBHOOK-1', config })).verdict, 'FORGED');
  answers[path] = undefined;
  assert.equal((await handle(server.port, 'paypal', details, { secret: 'WEBHOOK-1', config })).verdict, 'UNREACHABLE');
  const calls = asked.filter((one) => one.path === path);
  assert.equal(calls.length, 3);
  assert.equal(calls[0].authorization, 'Bearer T-1');
  assert.equal(JSON.parse(calls[0].body).webhook_id, 'WEBHOOK-1');
});

test('clients that leave while a callout is out cost nothing, and the next is served', async () => {
  const path = '/v1/notifications/certs/CERT-slow';
  answers[path] = { delay: 300, text: readFileSync(file('signer.pem'), 'utf8') };
  const details = paypal('CERT-slow', 'signer');
  const body = JSON.stringify({ request_details: details, webhook_secrets: { secret: 'WEBHOOK-1' } });
  for (let i = 0; i < 20; i++) {
    const request = http.request({ host: '127.0.0.1', port: server.port, method: 'POST', path: '/v1/handle',
      headers: { 'content-type': 'application/json', 'x-connector': 'paypal' } });
    request.on('error', () => {}).end(body);
    setTimeout(() => request.destroy(), 50);
  }
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal((await handle(server.port, 'paypal', details, { secret: 'WEBHOOK-1' })).verdict, 'VERIFIED');
});

test('a gRPC call that waits for a callout keeps its deadline, and answers when there is time', async () => {
  const definition = loader.loadSync(`${root}proto/events.proto`, { keepCase: true, enums: String, includeDirs: [`${root}proto`] });
  const { types } = grpc.loadPackageDefinition(definition);
  const client = new types.EventService(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  const call = (name, ms) => {
    const path = `/v1/notifications/certs/${name}`;
    answers[path] = { delay: 600, text: readFileSync(file('signer.pem'), 'utf8') };
    const details = paypal(name, 'signer');
    const metadata = new grpc.Metadata();
    metadata.set('x-connector', 'paypal');
    return new Promise((resolve) => client.HandleEvent({ request_details: { ...details, body: Buffer.from(details.body, 'base64') },
      webhook_secrets: { secret: 'WEBHOOK-1' } }, metadata, { deadline: Date.now() + ms }, (error, answer) => resolve(error?.code ?? answer)));
  };
  const [late, good] = await Promise.all([call('CERT-late', 150), call('CERT-in-time', 4000)]);
  assert.equal(late, grpc.status.DEADLINE_EXCEEDED);
  assert.equal(good.source_verified, true);
  client.close();
});
