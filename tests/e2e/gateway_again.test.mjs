// Requests that are read a second time: verified again when a secret was added late, judged as of their receipt, read anew
// to the same bytes, and thin events whose object is fetched first.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { adyen, post, query, startGateway, startSink, stripe, twoEndpoints, until } from './gateway.mjs';
import { binary, root } from './server.mjs';
import { makeSite } from './site.mjs';

const minute = 60_000;
const keys = { NEW: 'whsec_the_new_secret_of_the_shop', NEW_HMAC: 'B'.repeat(64) };
const iso = (ms) => new Date(ms).toISOString().replace(/\.\d+Z/, 'Z');
// Windows are in seconds: the one that has just begun is after all that was there before.
async function nextSecond() {
  const second = Math.floor(Date.now() / 1000);
  await until(() => Math.floor(Date.now() / 1000) > second, 'the next second');
  return iso(Date.now());
}
const sinks = [], gateways = [];
after(async () => {
  for (const gateway of gateways) await gateway.stop();
  for (const sink of sinks) await sink.stop();
});

// A gateway of its own, with a sink that is told everything.
async function start(config = {}, options = {}) {
  const sink = await startSink();
  sinks.push(sink);
  const whole = (endpoints) => ({ ...config, endpoints: { ...twoEndpoints, ...endpoints }, destinations: { shop: sink.destination },
    log: { level: 'info', format: 'json' } });
  const gateway = await startGateway(whole(config.endpoints), { more: { ...keys, ...options.more } });
  gateways.push(gateway);
  // All rounds of verifying the quarantine again that the log tells of.
  gateway.rounds = () => gateway.log.split('\n').filter((line) => line.includes('quarantine verified again')).map((line) => JSON.parse(line));
  // Gives what the round was that `begin` began.
  gateway.round = async (begin) => {
    const before = gateway.rounds().length;
    await begin();
    return until(() => gateway.rounds()[before], 'the quarantine to be verified again');
  };
  gateway.reloaded = (endpoints) => gateway.round(() => gateway.reload(whole(endpoints)));
  gateway.told = (subject) => sink.bySubject.get(subject) ?? [];
  gateway.standings = () => Object.fromEntries(query(gateway, 'SELECT e.subject, r.standing FROM events e JOIN requests r ON r.id = e.request')
    .map((row) => [row.subject, ['accepted', 'hint', 'pending', 'quarantined', 'revision', 'dropped'][row.standing - 1]]));
  // Stops it, changes its inbox, and starts it with these endpoints.
  gateway.again = async (script, args, endpoints) => {
    assert.equal(await gateway.end(), 0);
    execFileSync('python3', ['-c', `import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n${script}\ndb.commit()`, join(gateway.home, 'data', 'inbox.db'), ...args]);
    gateway.write(whole(endpoints));
    await gateway.start();
  };
  // … with requests about these received so much earlier.
  gateway.back = (ms, subjects, endpoints) => gateway.again('for subject in sys.argv[3:]:\n' +
    ' n = db.execute("UPDATE requests SET received_ms = received_ms - ? WHERE id IN (SELECT request FROM events WHERE subject = ?)",' +
    ' (int(sys.argv[2]), subject)).rowcount\n assert n == 1, (subject, n)', [`${ms}`, ...subjects], endpoints);
  gateway.run = (...args) => new Promise((resolve) => {
    execFile(binary, [...args, '--data', join(gateway.home, 'data')], { timeout: 30_000 }, (error, out, err) => resolve({ code: error ? error.code : 0, out, err }));
  });
  gateway.call = (path, body) => new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    http.request({ socketPath: join(gateway.home, 'data', 'admin.sock'), method: 'POST', path: `/admin/v1/${path}`,
      headers: { host: 'x', 'content-type': 'application/json', 'content-length': text.length } }, (response) => {
      let all = '';
      response.setEncoding('utf8').on('data', (part) => { all += part; }).on('end', () => resolve(JSON.parse(all)));
    }).on('error', reject).end(text);
  });
  // What `replay` finds when it reads all of an endpoint anew.
  gateway.rederived = async (endpoint) => (await gateway.call('replay', { filter: { endpoint, from: '1h' }, dry_run: true, rederive: true })).rederived;
  return gateway;
}
const same = (rederived, count) => assert.deepEqual(rederived, { same: count, changed: 0, changes: [], skipped: [] });
// A round's numbers, without what the log's lines have in common.
const numbers = ({ requests, accepted, refused }) => ({ requests, accepted, refused });

// ---- the same secrets, by whichever way ----

test('verified late by a secret that is valid from now on, an event reads the same bytes again', async () => {
  const gateway = await start();
  assert.equal((await post(gateway, 'stripe', stripe('late', { secret: keys.NEW }))).status, 401);
  assert.equal((await post(gateway, 'stripe', stripe('forged', { secret: 'whsec_of_somebody_else' }))).status, 401);
  const since = await nextSecond();
  const round = await gateway.reloaded({ stripe: { connector: 'stripe', secrets: [{ secret: 'env:NEW', not_before: since }, 'env:STRIPE_WHSEC'] } });
  assert.deepEqual(numbers(round), { requests: 2, accepted: 1, refused: 1 });
  await until(() => gateway.told('pi_late').length, 'the genuine one to be told');
  const [request] = query(gateway, 'SELECT standing, secret, received_ms FROM requests WHERE standing = 1');
  assert.equal(request.secret, 'env:NEW');
  assert.ok(request.received_ms < Date.parse(since));
  const before = query(gateway, "SELECT answer FROM events WHERE processor_id = 'evt_late'");
  same(await gateway.rederived('stripe'), 1);
  // Also once that secret has had its day, though it was valid neither then nor is now …
  const ended = [{ secret: 'env:NEW', not_before: since, not_after: await nextSecond() }, 'env:STRIPE_WHSEC'];
  await gateway.reloaded({ stripe: { connector: 'stripe', secrets: ended } });
  same(await gateway.rederived('stripe'), 1);
  const sent = await gateway.call('replay', { events: ['stripe:stripe:evt_late'], rederive: true });
  assert.equal(sent.deliveries, 1, JSON.stringify(sent));
  await until(() => gateway.told('pi_late').length === 2, 'it to be told again');
  const [first, second] = gateway.told('pi_late');
  assert.deepEqual(second.data, first.data);
  assert.deepEqual(query(gateway, "SELECT answer FROM events WHERE processor_id = 'evt_late'"), before);
  // … when it verifies nothing that came later.
  assert.equal((await post(gateway, 'stripe', stripe('after', { secret: keys.NEW }))).status, 401);
  assert.deepEqual(numbers(await gateway.reloaded({ stripe: { connector: 'stripe', secrets: ended } })), { requests: 2, accepted: 0, refused: 2 });
  assert.deepEqual(gateway.told('pi_after'), []);
  // A secret that is not configured any more is said to be missing, and nothing changes.
  await gateway.reloaded({});
  const gone = await gateway.rederived('stripe');
  assert.equal(gone.skipped.length, 1);
  assert.match(gone.skipped[0].why, /is its secret configured still/);
  assert.equal(gateway.standings().pi_late, 'accepted');
});

// ---- as of the receipt ----

test('a signature is as old as it was at the receipt: ten minutes later a request is not stale, and one that was stays so', async () => {
  const gateway = await start();
  const signed = { secret: keys.NEW, at: Date.now() - 10 * minute };
  assert.equal((await post(gateway, 'stripe', stripe('then', signed))).status, 401);
  assert.equal((await post(gateway, 'stripe', stripe('stale', signed))).status, 401);
  await gateway.back(10 * minute, ['pi_then'], { stripe: { connector: 'stripe', secrets: ['env:STRIPE_WHSEC', 'env:NEW'] } });
  assert.deepEqual(numbers(await gateway.round(() => gateway.run('requests', 'reverify'))), { requests: 2, accepted: 1, refused: 1 });
  await until(() => gateway.told('pi_then').length, 'it to be told');
  assert.deepEqual(gateway.standings(), { pi_then: 'accepted', pi_stale: 'quarantined' });
  assert.deepEqual(gateway.told('pi_stale'), []);
  same(await gateway.rederived('stripe'), 1);
});

test('a secret verifies again what came within its window, and nothing that came after its end', async () => {
  const gateway = await start();
  for (const id of ['within', 'after']) {
    assert.equal((await post(gateway, 'stripe', stripe(id, { secret: keys.NEW, at: Date.now() - (id === 'within') * 10 * minute }))).status, 401);
    assert.equal((await post(gateway, 'adyen', adyen(id, { secret: keys.NEW_HMAC }))).text, '[accepted]');
  }
  const ended = (name, own) => [{ secret: `env:${name}`, not_after: iso(Date.now() - 5 * minute) }, `env:${own}`];
  await gateway.back(10 * minute, ['pi_within', 'PSPwithin'], {
    stripe: { connector: 'stripe', secrets: ended('NEW', 'STRIPE_WHSEC') },
    adyen: { connector: 'adyen', secrets: ended('NEW_HMAC', 'ADYEN_HMAC') } });
  for (const accepted of [2, 0])
    assert.deepEqual(numbers(await gateway.round(() => gateway.run('requests', 'reverify'))), { requests: 2 + accepted, accepted, refused: 2 });
  await until(() => gateway.told('pi_within').length && gateway.told('PSPwithin').length, 'both to be told');
  assert.deepEqual(gateway.standings(), { pi_within: 'accepted', PSPwithin: 'accepted', pi_after: 'quarantined', PSPafter: 'quarantined' });
  assert.deepEqual([...gateway.told('pi_after'), ...gateway.told('PSPafter')], []);
  same(await gateway.rederived('stripe'), 1);
  same(await gateway.rederived('adyen'), 1);
});

test('payhook requests reverify: what has become genuine is told once, what came again meanwhile is known, a forgery stays', async () => {
  const gateway = await start();
  for (const id of ['genuine', 'again']) assert.equal((await post(gateway, 'stripe', stripe(id, { secret: keys.NEW }))).status, 401);
  assert.equal((await post(gateway, 'stripe', stripe('forged', { secret: 'whsec_of_somebody_else' }))).status, 401);
  assert.deepEqual(await gateway.run('requests', 'reverify', 'all'), { code: 2, out: '', err: 'payhook: takes options only, not: all (see --help)\n' });
  const nothing = await gateway.round(() => gateway.run('requests', 'reverify'));
  assert.deepEqual(numbers(nothing), { requests: 3, accepted: 0, refused: 3 });
  await gateway.back(0, [], { stripe: { connector: 'stripe', secrets: ['env:NEW', 'env:STRIPE_WHSEC'] } }); // a start verifies nothing by itself
  assert.equal((await post(gateway, 'stripe', stripe('again', { secret: keys.NEW }))).status, 200);
  await until(() => gateway.told('pi_again').length, 'what came again to be told');
  assert.equal(query(gateway, 'SELECT count(*) AS n FROM requests WHERE standing = 4')[0].n, 3);
  let said;
  const round = await gateway.round(async () => { said = await gateway.run('requests', 'reverify'); });
  assert.deepEqual(said, { code: 0, err: '', out: 'quarantined requests are verified again now; see: payhook requests ls --standing quarantined\n' });
  assert.deepEqual({ ...numbers(round), known: round.known }, { requests: 3, accepted: 1, refused: 1, known: 1 });
  await until(() => gateway.told('pi_genuine').length, 'it to be told');
  await gateway.round(async () => { said = await gateway.run('requests', 'reverify', '--output', 'json'); });
  assert.deepEqual([said.code, JSON.parse(said.out)], [0, { quarantined: 1 }]);
  assert.match((await gateway.run('requests', 'ls', '--standing', 'quarantined')).out, /^ID .*\n.* forged .*\n$/);
  assert.equal(gateway.standings().pi_genuine, 'accepted');
  assert.equal(gateway.standings().pi_forged, 'quarantined');
  // A later event to the same destination has been told: nothing is under way any more.
  assert.equal((await post(gateway, 'stripe', stripe('last'))).status, 200);
  await until(() => gateway.told('pi_last').length, 'the last one to be told');
  assert.deepEqual(['pi_genuine', 'pi_again', 'pi_forged'].map((id) => gateway.told(id).length), [1, 1, 0]);
});

// ---- an object that has to be fetched first ----

// The processor's API: `objects` by path, with what it was asked; a path it has nothing for is 503.
async function startProcessor() {
  const folder = mkdtempSync(join(tmpdir(), 'payhook-thin-')), file = (name) => join(folder, name);
  const processor = { objects: {}, asked: [], ca: file('ca.pem') };
  const server = https.createServer(makeSite(folder, 'api.stripe.com'), (request, response) => {
    processor.asked.push({ method: request.method, host: request.headers.host, path: request.url, authorization: request.headers.authorization });
    const object = processor.objects[request.url];
    response.writeHead(object ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify(object ?? { error: {} }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  processor.egress = `127.0.0.1:${server.address().port}`;
  processor.stop = () => new Promise((resolve) => { rmSync(folder, { recursive: true }); server.closeAllConnections(); server.close(resolve); });
  sinks.push(processor);
  return processor;
}

// A thin event of the samples with an id of its own, and the object that it names.
function thin(id, { secret } = {}) {
  const body = readFileSync(`${root}connectors/samples/stripe/thin/v1.payment_intent.succeeded.json`, 'utf8')
    .replace('evt_test_Sample0019068749', `evt_${id}`).replaceAll('pi_3Sample00000000000001', `pi_${id}`);
  const out = JSON.parse(execFileSync(binary, ['sign', '--connector', 'stripe', '--body', '-', '--format', 'json', '--uri', '/webhooks/stripe',
    '--secret-env', 'SIGN_WITH'], { input: body, env: { ...process.env, SIGN_WITH: secret } }));
  return { body: out.body, headers: Object.fromEntries(out.headers) };
}
const object = (id) => ({ id: `pi_${id}`, object: 'payment_intent', amount: 4905, amount_received: 4905, currency: 'eur', status: 'succeeded',
  created: 1790000000, metadata: { order_id: `order_${id}` } });

test('a thin event is told once its object was fetched, whole, and once', async () => {
  const processor = await startProcessor();
  const secrets = ['env:STRIPE_WHSEC', 'env:NEW'], config = { api_key: 'env:API_KEY' };
  const gateway = await start({ callouts: { ca: processor.ca, egress: processor.egress }, endpoints: { stripe: { connector: 'stripe', config, secrets } } },
    { more: { API_KEY: 'sk_test_of_the_shop' } });
  const path = '/v1/payment_intents/pi_thin';
  assert.equal((await post(gateway, 'stripe', thin('false', { secret: 'whsec_of_somebody_else' }))).status, 401);
  assert.equal((await post(gateway, 'stripe', thin('thin', { secret: keys.NEW }))).status, 200);
  await until(() => query(gateway, 'SELECT work_tries FROM requests WHERE standing = 1')[0].work_tries > 0, 'it to be asked for in vain');
  assert.deepEqual(query(gateway, 'SELECT r.work, e.held FROM events e JOIN requests r ON r.id = e.request WHERE r.standing = 1'), [{ work: 2, held: 1 }]);
  assert.deepEqual(gateway.told('pi_thin'), []);
  // Its secret has had its day before the object is there: it was verified, and stays so.
  await gateway.reloaded({ stripe: { connector: 'stripe', config, secrets: ['env:STRIPE_WHSEC', { secret: 'env:NEW', not_after: await nextSecond() }] } });
  processor.objects[path] = object('thin');
  const [event] = await until(() => gateway.told('pi_thin').length && gateway.told('pi_thin'), 'it to be told');
  assert.equal(event.id, 'stripe:stripe:evt_thin');
  assert.equal(event.data.verdict, 'VERIFIED');
  assert.equal(event.data.incomplete, undefined);
  const payment = event.data.event_response.payments_response;
  assert.equal(payment.merchant_transaction_id, 'order_thin');
  assert.deepEqual(payment.amount, { minor_amount: '4905', currency: 'EUR' });
  for (const one of processor.asked)
    assert.deepEqual(one, { method: 'GET', host: 'api.stripe.com', path, authorization: 'Bearer sk_test_of_the_shop' }, 'a forgery asks for nothing');
  assert.deepEqual(query(gateway, 'SELECT work, secret FROM requests WHERE standing = 1'), [{ work: 0, secret: 'env:NEW' }]);
  // Read anew it is the same, by the object that was kept …
  const asked = processor.asked.length;
  same(await gateway.rederived('stripe'), 1);
  assert.equal(processor.asked.length, asked);
  // … and sent again it is known, once its object is, too: nothing is left of it.
  assert.equal((await post(gateway, 'stripe', thin('thin', { secret: 'whsec_gateway_secret' }))).status, 200);
  assert.equal((await post(gateway, 'stripe', stripe('last'))).status, 200);
  await until(() => gateway.told('pi_last').length, 'the last one to be told');
  await until(() => query(gateway, 'SELECT count(*) AS n FROM requests WHERE standing <> 4')[0].n === 2, 'the repetition to be known');
  assert.equal(gateway.told('pi_thin').length, 1);
});

test('a verified event whose secret or endpoint is taken out before its object is there waits for it, and costs nothing meanwhile', async () => {
  const processor = await startProcessor();
  const one = (...secrets) => ({ connector: 'stripe', config: { api_key: 'env:API_KEY' }, secrets });
  const both = { stripe: one('env:NEW', 'env:STRIPE_WHSEC'), other: one('env:NEW') };
  const gateway = await start({ callouts: { ca: processor.ca, egress: processor.egress }, endpoints: both }, { more: { API_KEY: 'sk_test_of_the_shop' } });
  assert.equal((await post(gateway, 'stripe', thin('unsure', { secret: keys.NEW }))).status, 200);
  assert.equal((await post(gateway, 'other', thin('homeless', { secret: keys.NEW }))).status, 200);
  const rows = (what) => query(gateway, `SELECT ${what} FROM requests r JOIN events e ON e.request = r.id ORDER BY r.id`);
  await until(() => rows('r.work_tries AS n').every(({ n }) => n > 0), 'both to be asked for in vain');
  await gateway.reloaded({ stripe: one('env:STRIPE_WHSEC') });
  for (const subject of ['pi_unsure', 'pi_homeless']) processor.objects[`/v1/payment_intents/${subject}`] = object(subject.slice(3));
  await until(() => rows('r.work_due_ms AS due').every(({ due }) => due > Date.now() + 10 * minute), 'both to wait');
  assert.deepEqual(rows('r.standing, r.secret, r.work, e.held'), Array(2).fill({ standing: 1, secret: 'env:NEW', work: 2, held: 1 }));
  assert.equal(processor.asked.length > 0 && gateway.told('pi_unsure').length + gateway.told('pi_homeless').length, 0);
  // What is there again, and due, is told.
  await gateway.again('db.execute("UPDATE requests SET work_due_ms = 1 WHERE work = 2")', [], both);
  await until(() => gateway.told('pi_unsure').length && gateway.told('pi_homeless').length, 'both to be told');
  for (const subject of ['pi_unsure', 'pi_homeless']) {
    assert.equal(gateway.told(subject)[0].data.incomplete, undefined);
    assert.deepEqual(gateway.told(subject)[0].data.event_response.payments_response.amount, { minor_amount: '4905', currency: 'EUR' });
  }
  // After three days without its secret it is refused as any other, and freed by it as any other.
  processor.objects = {};
  assert.equal((await post(gateway, 'stripe', thin('old', { secret: keys.NEW }))).status, 200);
  await until(() => gateway.standings().pi_old, 'it to be stored');
  await gateway.back(73 * 60 * minute, ['pi_old'], { stripe: one('env:STRIPE_WHSEC') });
  await until(() => gateway.standings().pi_old === 'quarantined', 'it to be given up');
  processor.objects['/v1/payment_intents/pi_old'] = object('old');
  assert.deepEqual(numbers(await gateway.reloaded(both)), { requests: 1, accepted: 1, refused: 0 });
  await until(() => gateway.told('pi_old').length, 'it to be told');
});
