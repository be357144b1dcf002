// docs/openapi.yaml against what a gateway answers that has everything in its inbox: every standing, hints, what cannot be read,
// deliveries that wait and that died. admin.test.mjs holds its answers against it, too (openapi.mjs).
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { post, startGateway, startSink, stripe, twoEndpoints, until } from './gateway.mjs';
import { answered, askAdmin, checkAnswer, doc, values } from './openapi.mjs';
import { binary, root } from './server.mjs';
import { makeSite } from './site.mjs';

const dir = mkdtempSync(join(tmpdir(), 'payhook-openapi-')), file = (name) => join(dir, name);
let processor, gateway, sink;
let found = 503; // what the far end says of the key set

before(async () => {
  processor = https.createServer(makeSite(dir, 'webhooks.truelayer-sandbox.com'), (request, response) => {
    response.writeHead(found).end('no');
  });
  await new Promise((resolve) => processor.listen(0, '127.0.0.1', resolve));
  sink = await startSink();
  gateway = await startGateway({
    endpoints: { ...twoEndpoints, mollie: { connector: 'mollie', secrets: ['env:STRIPE_WHSEC'] }, tl: { connector: 'truelayer' } },
    destinations: {
      shop: sink.destination,
      broken: { ...sink.destination, url: 'http://127.0.0.1:1/events', retry: { after: ['1s'], every: 'never' } },
      later: { ...sink.destination, url: 'http://127.0.0.1:1/later', retry: { after: ['1h'] } },
    },
    callouts: { ca: file('ca.pem'), egress: `127.0.0.1:${processor.address().port}` },
  });
});
after(async () => {
  assert.equal(await gateway?.stop(), 0);
  await sink?.stop();
  processor?.closeAllConnections();
  processor?.close();
  rmSync(dir, { recursive: true });
});

const ask = (method, path, body) => askAdmin({ socketPath: `${gateway.home}/data/admin.sock` }, method, path, { body });
const list = async (path, name) => (await ask('GET', path)).json[name];
const one = async (path, name) => until(async () => (await list(path, name))[0], path);
const run = (...args) => new Promise((resolve) => {
  execFile(binary, [...args, '--data', `${gateway.home}/data`], { timeout: 30_000 }, (error, out, err) => resolve({ code: error?.code ?? 0, out, err }));
});

function truelayer(id) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-521' });
  const body = readFileSync(`${root}connectors/samples/truelayer/payment/payment_executed.json`, 'utf8').replace(/"event_id": ?"[^"]*"/, `"event_id":"${id}"`);
  const out = JSON.parse(execFileSync(binary, ['sign', '--connector', 'truelayer', '--body', '-', '--format', 'json', '--uri', '/webhooks/tl',
    '--config-env', 'private_key_pem=TEST_KEY', '--config', 'kid=k'], { input: body, env: { ...process.env, TEST_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() } }).toString());
  return { body: out.body, headers: Object.fromEntries(out.headers) };
}

test('requests of every standing, as a list and each whole', async () => {
  assert.equal((await post(gateway, 'stripe', stripe('good'))).status, 200);
  assert.equal((await post(gateway, 'stripe', stripe('good', { amount: 1 }))).status, 200); // says something else under its key
  assert.equal((await post(gateway, 'stripe', stripe('forged', { secret: 'another' }))).status, 401);
  assert.equal((await post(gateway, 'stripe', stripe('stale', { at: Date.now() - 3600_000 }))).status, 401);
  assert.equal((await post(gateway, 'stripe', { body: stripe('bare').body })).status, 401);
  assert.equal((await post(gateway, 'stripe', { body: '{' })).status, 400);
  assert.equal((await post(gateway, 'stripe', { body: Buffer.from([0xff, 0xfe, 0]) })).status, 400);
  assert.equal((await post(gateway, 'mollie', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'id=tr_1' })).status, 200);
  assert.equal((await post(gateway, 'tl', truelayer('evt-pending'))).status, 200);
  const [pending] = await list('requests?standing=pending', 'requests');
  assert.equal(pending.verdict, 'unreachable');
  assert.equal((await ask('GET', `requests/${pending.id}`)).json.work, 'verify');
  found = 404;
  await one('requests?standing=dropped', 'requests');
  const requests = await list('requests', 'requests');
  for (const { id } of requests)
    for (const unmasked of ['', '?unmasked=true']) {
      await ask('GET', `requests/${id}${unmasked}`);
      await ask('GET', `requests/${id}/raw${unmasked}`);
    }
  for (const standing of doc.components.schemas.Standing.enum) assert.ok(values.standing.has(standing), `${standing} was not seen`);
  for (const verdict of ['verified', 'forged', 'stale', 'no_signature', 'unsigned', 'unreachable']) assert.ok(values.verdict.has(verdict), `${verdict} was not seen`);
});

test('what could not be read has no verdict, and a hint no mode', async () => {
  const unread = (await list('requests?standing=quarantined', 'requests')).filter((request) => request.bytes < 4);
  assert.equal(unread.length, 2);
  for (const request of [...unread, (await ask('GET', `requests/${unread[0].id}`)).json]) assert.ok(!('verdict' in request) && request.verdict_reason.length > 0, JSON.stringify(request));
  const [hint] = await list('events?endpoint=mollie', 'events');
  for (const event of [hint, (await ask('GET', `events/${hint.id}`)).json]) assert.ok(!('mode' in event) && event.verdict === 'unsigned', JSON.stringify(event));
  assert.equal((await list('events?endpoint=stripe&to=1s', 'events')).every((event) => event.mode === 'live'), true);
  for (const args of [['requests', 'ls'], ['requests', 'show', unread[0].id], ['events', 'ls'], ['events', 'show', hint.id]]) {
    const { code, out, err } = await run(...args);
    assert.equal(code, 0, err);
    assert.doesNotMatch(out, /_unspecified|\(null\)/);
  }
  assert.match((await run('requests', 'ls')).out, new RegExp(`^${unread[0].id} .* quarantined +- `, 'm'));
});

test('events and their deliveries, whole and in pages', async () => {
  await until(async () => (await list('deliveries?state=done', 'deliveries')).length > 0, 'one to be accepted');
  await one('deliveries?state=waiting', 'deliveries');
  await one('deliveries?state=dead', 'deliveries');
  for (const { id } of await list('events', 'events'))
    for (const unmasked of ['', '?unmasked=true']) await ask('GET', `events/${id}${unmasked}`);
  for (const { id } of await list('deliveries', 'deliveries')) await ask('GET', `deliveries/${id}`);
  for (const path of ['events', 'requests', 'deliveries']) {
    const page = (await ask('GET', `${path}?limit=1`)).json;
    assert.notEqual(page.next, null);
    await ask('GET', `${path}?limit=500&cursor=${page.next}`);
  }
});

test('destinations, endpoints, status; lines of tail', async () => {
  await until(async () => (await list('destinations', 'destinations')).some((destination) => destination.last_failure && destination.oldest_at), 'a failure to be told');
  for (const action of ['pause', 'resume'])
    assert.deepEqual((await ask('POST', `destinations/later/${action}`)).json, { name: 'later', paused: action === 'pause' });
  assert.ok((await list('endpoints', 'endpoints')).some((endpoint) => endpoint.secrets.some((secret) => secret.last_used_at)));
  await ask('GET', 'status');
  assert.ok((await ask('GET', 'tail?after=0&wait=0')).text.split('\n').length > 3);
  assert.equal((await ask('GET', 'tail?wait=0')).text, '');
});

test('retries, replays, readings anew, and their dry runs', async () => {
  const [dead] = await list('deliveries?state=dead', 'deliveries');
  assert.ok((await ask('POST', 'deliveries/retry', { filter: { destination: 'broken' }, dry_run: true })).json.deliveries > 0);
  await ask('POST', 'deliveries/retry', { filter: { destination: 'later', state: 'waiting' } });
  await ask('POST', `deliveries/${dead.id}/retry`);
  await ask('POST', 'deliveries/retry');
  const filter = { from: '1970-01-01' };
  for (const body of [{ filter, dry_run: true }, { filter, destinations: ['shop'] }, { filter, rederive: true, dry_run: true }, { events: ['stripe:stripe:evt_good'], rederive: true }])
    assert.ok((await ask('POST', 'replay', body)).json.events > 0);
  const { rederived } = (await ask('POST', 'replay', { filter, rederive: true, dry_run: true })).json;
  assert.ok(rederived.same > 0, JSON.stringify(rederived));
  assert.equal((await ask('POST', 'requests/reverify')).status, 202);
});

test('errors', async () => {
  for (const [method, path, status, body] of [['GET', 'nothing', 404], ['GET', 'events/none', 404], ['GET', 'events?limit=0', 400], ['DELETE', 'events', 405],
    ['POST', 'replay', 400, {}], ['POST', 'destinations/none/pause', 404], ['GET', 'requests/0/raw', 404], ['POST', 'deliveries/0/retry', 404]])
    assert.equal((await ask(method, path, body)).status, status, path);
});

test('every operation of the document was answered, and an answer that it does not describe is found', () => {
  const operations = Object.values(doc.paths).flatMap((item) => Object.values(item)).map((operation) => operation.operationId);
  assert.ok(operations.length > 10);
  assert.deepEqual(operations.filter((id) => !answered.has(id)), []);
  const json = { 'content-type': 'application/json' };
  const bad = (path, text, message, headers = json, status = 200) => assert.throws(() => checkAnswer('GET', `/admin/v1/${path}`, { status, headers, text }), message);
  bad('endpoints', '{"endpoints":[],"more":1}', /unevaluated.*more/);
  bad('endpoints', '{"endpoints":[{"name":"a","connector":"b","mode":"none","secrets":[]}]}', /mode must be equal to one of/);
  bad('endpoints', '{"endpoints":[{"name":"a","connector":"b","mode":"any","secrets":[{"secret":"x","valid":true,"value":"y"}]}]}', /value/);
  bad('endpoints', '{}', /required/);
  bad('endpoints', '{"endpoints":[]}', /is not described/, { 'content-type': 'text/plain' });
  bad('tail', '', /payhook-after is missing/, { 'content-type': 'application/x-ndjson' });
  bad('events?nope=1', '{"events":[],"next":null}', /the parameter nope was taken/);
  bad('endpoints', '{"error":{"code":"X","message":"y"}}', /no such error is described/, json, 418);
  bad('endpoints', '{"error":{"code":"X","message":"y","why":"z"}}', /why/, json, 503);
});
