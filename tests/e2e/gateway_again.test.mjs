// Requests that are read a second time: verified again when a secret was added late, and read anew to the same bytes.
import assert from 'node:assert/strict';
import http from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { post, query, startGateway, startSink, stripe, twoEndpoints, until } from './gateway.mjs';

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
