// The gateway's promises about what comes in: once, kept, answered in the processor's words, and bounded.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import http from 'node:http';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adyen, adyenSecret, each, post, query, startGateway, startSink, stripe, twoEndpoints, until } from './gateway.mjs';
import { rssAnonKiB } from './raw.mjs';
import { rawExchange, root } from './server.mjs';

let sink, gateway, config;
const events = (g, where = '1') => query(g, `SELECT count(*) AS n FROM events WHERE ${where}`)[0].n;

before(async () => {
  sink = await startSink();
  config = { destinations: { shop: sink.destination } };
  gateway = await startGateway(config);
});
after(async () => {
  assert.equal(await gateway.stop(), 0);
  await sink.stop();
});

test('50 copies at once over 50 connections: 50 acknowledgements, one event, one delivery (G3)', async () => {
  const copies = Array.from({ length: 50 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
  const webhook = stripe('copies');
  await Promise.all(copies.map((agent) => post(gateway, 'stripe', { body: '{}', agent }))); // 50 connections are open
  const answers = await Promise.all(copies.map((agent) => post(gateway, 'stripe', { ...webhook, agent })));
  assert.deepEqual(answers.map((a) => a.status), Array(50).fill(200));
  await until(() => sink.bySubject.has('pi_copies'), 'the event');
  await new Promise((next) => setTimeout(next, 200));
  assert.equal(sink.bySubject.get('pi_copies').length, 1);
  assert.equal(events(gateway, "subject = 'pi_copies'"), 1);
  copies.forEach((agent) => agent.destroy());
});

test('each processor hears success in its own words, and nobody else does', async () => {
  const one = await post(gateway, 'stripe', stripe('ack'));
  assert.deepEqual([one.status, one.text], [200, '']);
  const two = await post(gateway, 'adyen', adyen('ack'));
  assert.deepEqual([two.status, two.text], [200, '[accepted]']);
  // A forged item of Adyen's is kept and acknowledged: a refusal would stop the queue behind it.
  const forged = await post(gateway, 'adyen', adyen('forged', { secret: '00'.repeat(32) }));
  assert.equal(forged.status, 200);
  assert.equal((await post(gateway, 'stripe', stripe('forged', { secret: 'another' }))).status, 401);
  assert.equal((await post(gateway, 'stripe', { body: '{}' })).status, 401);
  await until(() => sink.bySubject.has('PSPack'), 'the genuine one');
  assert.ok(!sink.bySubject.has('PSPforged') && !sink.bySubject.has('pi_forged'));
});

test('a forged request takes no key: the genuine one of that id is new afterwards (G3)', async () => {
  const forged = stripe('guessed', { secret: 'another', amount: 1 });
  for (let i = 0; i < 5; i++) assert.equal((await post(gateway, 'stripe', forged)).status, 401);
  assert.equal((await post(gateway, 'stripe', stripe('guessed'))).status, 200);
  const [event] = await until(() => sink.bySubject.get('pi_guessed'), 'the genuine one');
  assert.equal(event.data.event_response.payments_response.amount.minor_amount, '4905');
  // Nor does what is stale, though it is signed.
  assert.equal((await post(gateway, 'stripe', stripe('old', { at: Date.now() - 3_600_000 }))).status, 401);
  assert.equal((await post(gateway, 'stripe', stripe('old'))).status, 200);
  await until(() => sink.bySubject.get('pi_old'), 'the fresh one');
  // … and what is stale and known is a duplicate.
  assert.equal((await post(gateway, 'stripe', stripe('old', { at: Date.now() - 3_600_000 }))).status, 200);
});

test('an event of the wrong mode is acknowledged and kept, and told only where that mode is asked for', async () => {
  const all = await startSink(), live = await startSink();
  const g = await startGateway({
    endpoints: { shop: { connector: 'stripe', secrets: ['env:STRIPE_WHSEC'], mode: 'live' } },
    destinations: { live: live.destination, all: { ...all.destination, modes: ['live', 'test', 'unknown'] } },
  });
  assert.equal((await post(g, 'shop', stripe('test', { livemode: false }))).status, 200);
  assert.equal((await post(g, 'shop', stripe('live'))).status, 200);
  await until(() => live.bySubject.has('pi_live') && all.bySubject.has('pi_live') && all.bySubject.has('pi_test'), 'three deliveries');
  assert.ok(!live.bySubject.has('pi_test'));
  assert.equal(events(g), 2);
  assert.equal(await g.stop(), 0);
  await Promise.all([all.stop(), live.stop()]);
});

test('only senders that may post here are heard; X-Forwarded-For counts from trusted proxies alone', async () => {
  const endpoint = { connector: 'stripe', secrets: ['env:STRIPE_WHSEC'], allow_ips: ['192.0.2.0/24'] };
  const g = await startGateway({ endpoints: { direct: endpoint, proxied: { ...endpoint, trusted_proxies: ['127.0.0.0/8', '198.51.100.7'] } } });
  const from = (id, value) => { const s = stripe(id); return { ...s, headers: { ...s.headers, 'x-forwarded-for': value } }; };
  const statuses = [];
  for (const [endpoint_, value] of [['direct', '192.0.2.1'], ['proxied', '192.0.2.1'], ['proxied', '203.0.113.9'],
    ['proxied', '192.0.2.1, 203.0.113.9'], ['proxied', '203.0.113.9, 192.0.2.1'], ['proxied', '192.0.2.1, 198.51.100.7'],
    ['proxied', '192.0.2.1, garbage'], ['proxied', '']])
    statuses.push((await post(g, endpoint_, from(`ip${statuses.length}`, value))).status);
  assert.deepEqual(statuses, [403, 200, 403, 403, 200, 200, 403, 403]);
  assert.equal(events(g), 3);
  assert.deepEqual([...new Set(query(g, 'SELECT remote FROM requests').map((row) => row.remote))], ['192.0.2.1']);
  assert.equal(await g.stop(), 0);
});

test('accounts that share an URL are told apart by a field of the payload; an account that is not known verifies nothing', async () => {
  const other = 'AB'.repeat(32);
  const g = await startGateway({ endpoints: { adyen: {
    connector: 'adyen', by: '/notificationItems/0/NotificationRequestItem/merchantAccountCode',
    accounts: { ShopECOM: { secrets: ['env:ADYEN_HMAC'] }, ShopPOS: { secrets: ['env:OTHER'] } },
  } } }, { more: { OTHER: other } });
  const verdicts = async () => query(g, 'SELECT verdict FROM request_list ORDER BY id').map((row) => row.verdict);
  await post(g, 'adyen', adyen('a1'));
  await post(g, 'adyen', adyen('a2', { account: 'ShopPOS', secret: other }));
  await post(g, 'adyen', adyen('a3', { account: 'ShopPOS', secret: adyenSecret })); // the other's secret
  await post(g, 'adyen', adyen('a4', { account: 'Nobody' }));
  assert.deepEqual(await verdicts(), ['verified', 'verified', 'forged', 'no_secret']);
  assert.equal(await g.stop(), 0);
});

test('the quarantine is bounded: then refused senders hear 503, and genuine ones are stored as before (G8)', async () => {
  const g = await startGateway({ destinations: { shop: sink.destination }, quarantine: { requests: 20 } });
  const statuses = [];
  for (let i = 0; i < 30; i++) statuses.push((await post(g, 'stripe', stripe(`q${i}`, { secret: 'another' }))).status);
  assert.deepEqual(statuses, [...Array(20).fill(401), ...Array(10).fill(503)]);
  const full = await post(g, 'adyen', adyen('q', { secret: '00'.repeat(32) }));
  assert.equal(full.status, 503);
  assert.ok(Number(full.headers['retry-after']) > 0);
  assert.equal((await post(g, 'stripe', stripe('genuine'))).status, 200);
  assert.equal((await g.figures()).payhook_inbox_quarantined_requests, 20);
  assert.equal(await g.stop(), 0);
});

test('hints are bounded too, and by themselves: strangers fill neither the disk nor the quarantine with them (G8)', async () => {
  const g = await startGateway({
    endpoints: { ...twoEndpoints, mollie: { connector: 'mollie', secrets: ['env:STRIPE_WHSEC'] } },
    destinations: { shop: sink.destination }, quarantine: { requests: 4 },
  });
  const hint = (i) => post(g, 'mollie', { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `id=tr_${i}` });
  const statuses = [];
  for (let i = 0; i < 8; i++) statuses.push((await hint(i)).status);
  assert.deepEqual(statuses, [...Array(4).fill(200), ...Array(4).fill(503)]);
  assert.equal((await post(g, 'stripe', stripe('h', { secret: 'another' }))).status, 401, 'the quarantine has its room');
  assert.equal((await post(g, 'stripe', stripe('h'))).status, 200);
  const figures = await g.figures();
  assert.equal(figures.payhook_inbox_hinted_requests, 4);
  assert.ok(figures.payhook_inbox_hinted_bytes > 0);
  assert.equal(figures.payhook_inbox_quarantined_requests, 1);
  assert.equal(query(g, 'SELECT id FROM requests WHERE standing = 2').length, 4);
  assert.equal(await g.stop(), 0);
});

test('a rotation done late loses nothing: what came in between is verified and delivered, each once', { timeout: 300_000 }, async () => {
  const own = await startSink();
  const files = { destinations: { shop: own.destination } };
  const g = await startGateway(files);
  const fresh = { stripe: 'whsec_new', adyen: 'CD'.repeat(32) };
  const count = Number(process.env.PAYHOOK_ROTATION ?? 1000);
  const statuses = { stripe: new Set(), adyen: new Set() };
  await each(count, 16, async (i) => {
    statuses.stripe.add((await post(g, 'stripe', stripe(`rot${i}`, { secret: fresh.stripe }))).status);
    statuses.adyen.add((await post(g, 'adyen', adyen(`rot${i}`, { secret: fresh.adyen }))).status);
  });
  assert.deepEqual([...statuses.adyen], [200], 'Adyen is never refused: its queue would stop');
  assert.deepEqual([...statuses.stripe], [401]);
  assert.equal(own.events.length, 0);
  // Ten minutes later somebody puts the new secrets in. A quarter of Stripe's has come again meanwhile.
  const folder = g.home;
  writeFileSync(`${folder}/stripe`, fresh.stripe);
  writeFileSync(`${folder}/adyen`, fresh.adyen);
  await g.reload({ ...files, endpoints: {
    stripe: { connector: 'stripe', secrets: ['env:STRIPE_WHSEC', `file:${folder}/stripe`] },
    adyen: { connector: 'adyen', secrets: ['env:ADYEN_HMAC', `file:${folder}/adyen`] },
  } });
  await each(count / 4, 16, async (i) => {
    assert.equal((await post(g, 'stripe', stripe(`rot${i}`, { secret: fresh.stripe }))).status, 200);
  });
  await until(() => own.bySubject.size === 2 * count, `${2 * count} events`, 120_000);
  await until(async () => (await g.figures()).payhook_inbox_quarantined_requests === 0, 'an empty quarantine');
  await new Promise((next) => setTimeout(next, 300));
  assert.equal(own.events.length, 2 * count);
  assert.ok([...own.bySubject.values()].every((list) => list.length === 1 && list[0].data.verdict === 'VERIFIED'));
  assert.equal(events(g), 2 * count);
  assert.ok((await g.figures()).payhook_completer_recovered_total > count);
  assert.equal(await g.stop(), 0);
  await own.stop();
});

test('a handshake is answered from the page, and nothing of it is kept', async () => {
  const pages = mkdtempSync(join(tmpdir(), 'payhook-pages-'));
  const page = readFileSync(`${root}connectors/standardwebhooks.yaml`, 'utf8').replace('name: standardwebhooks', 'name: greeter');
  writeFileSync(join(pages, 'greeter.yaml'), `${page}handshake:
  when: { query:mode: subscribe, query:challenge: { present: true } }
  headers: { X-Mode: "{query:mode}", X-Echo: "{query:echo}" }
  body: "{query:challenge}"
`);
  const g = await startGateway({
    connectors: pages, endpoints: { greeter: { connector: 'greeter', secrets: ['env:SHOP_SECRET'] }, stripe: { connector: 'stripe', secrets: ['env:STRIPE_WHSEC'] } },
  });
  const get = async (path, method = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${g.port}/webhooks/${path}`, { method });
    return [response.status, await response.text(), response.headers];
  };
  const [status, text, headers] = await get('greeter?mode=subscribe&challenge=a%3Cb%26c');
  assert.deepEqual([status, text], [200, 'a<b&c']);
  assert.deepEqual(['content-type', 'x-content-type-options', 'x-mode'].map((name) => headers.get(name)), ['text/plain', 'nosniff', 'subscribe']);
  const { text: split } = await rawExchange(g.port, 'GET /webhooks/greeter?mode=subscribe&challenge=x&echo=a%0d%0aset-cookie:%20a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.match(split, /^HTTP\/1\.1 200 /);
  assert.doesNotMatch(split, /x-echo|set-cookie/i, 'what would begin a header of its own is left out');
  for (const path of ['greeter', 'greeter?mode=subscribe', 'greeter?mode=other&challenge=x', 'greeter?mode=subscribe&challenge=x&challenge=y'])
    assert.equal((await get(path))[0], 404, path);
  for (const method of ['PUT', 'DELETE']) {
    const refused = await get('greeter?mode=subscribe&challenge=x', method);
    assert.deepEqual([refused[0], refused[2].get('allow')], [405, 'GET, POST']);
  }
  const stripe = await get('stripe?mode=subscribe&challenge=x');
  assert.deepEqual([stripe[0], stripe[2].get('allow')], [405, 'POST']);
  assert.equal(query(g, 'SELECT count(*) AS n FROM requests')[0].n, 0);
  assert.equal((await g.figures())['payhook_webhooks_ended_total{endpoint="greeter",connector="greeter",outcome="handshake"}'], 2);
  assert.equal(await g.stop(), 0);
});

test('what cannot be a webhook gets the right status, and leaves nothing behind', async () => {
  const before = await gateway.figures();
  const stored = query(gateway, 'SELECT count(*) AS n FROM requests')[0].n;
  const status = async (options) => (await post(gateway, 'stripe', options)).status;
  assert.equal(await status({ body: 'x'.repeat(1024 * 1024 + 1) }), 413);
  assert.equal(await status({ method: 'GET' }), 405);
  assert.equal(await status({ method: 'DELETE' }), 405);
  assert.equal(await status({ ...stripe('gz'), headers: { ...stripe('gz').headers, 'content-encoding': 'gzip' } }), 415);
  assert.equal(await status({ body: '{}', headers: { 'x-long': 'a'.repeat(50_000) } }), 431);
  assert.equal((await post(gateway, '../v1/handle', { body: '{}' })).status, 404);
  assert.equal((await post(gateway, 'stripe/..', { body: '{}' })).status, 404);
  assert.equal(query(gateway, 'SELECT count(*) AS n FROM requests')[0].n, stored);
  assert.equal((await gateway.figures()).payhook_inbox_events_total, before.payhook_inbox_events_total);
  // The webhooks' listener serves nothing else.
  for (const path of ['/metrics', '/readyz', '/v1/handle', '/admin/v1/events', '/']) {
    const answer = await new Promise((resolve) => http.get({ port: gateway.port, path }, (r) => { r.resume(); resolve(r.statusCode); }));
    assert.equal(answer, 404, path);
  }
});

test('garbage that is signed by nobody is kept for a while and told to nobody', async () => {
  const told = sink.events.length;
  for (const body of ['', 'no JSON', '[]', '{"id":', '\0\x01\x02', '{"id":"evt_g","type":"payment_intent.succeeded"}'])
    assert.ok([400, 401].includes((await post(gateway, 'stripe', { body, headers: { 'stripe-signature': 't=1,v1=00' } })).status), body);
  for (const body of ['', 'no JSON', '{"notificationItems":[]}', '{"notificationItems":[{}]}'])
    assert.ok((await post(gateway, 'adyen', { body })).status > 0, body);
  await new Promise((next) => setTimeout(next, 300));
  assert.equal(sink.events.length, told);
});

test('thousands of forged, stale, oversize and garbled requests make nothing grow, and nothing of them is told', async () => {
  const own = await startSink();
  const asan = [process.env.ASAN_OPTIONS, 'quarantine_size_mb=1'].filter(Boolean).join(':'); // it keeps what is freed for a while
  const g = await startGateway({ quarantine: { requests: 500, size: '1MiB' }, destinations: { shop: own.destination } }, { more: { ASAN_OPTIONS: asan } });
  const long = 'x'.repeat(1024 * 1024 + 1);
  const hostile = (i) => [
    () => ['stripe', stripe(`f${i}`, { secret: 'a guess' }), [401, 503]],
    () => ['stripe', stripe(`s${i}`, { at: Date.now() - 3_600_000 }), [401, 503]],
    () => ['stripe', { body: `{"id":"evt_${i}`, headers: { 'stripe-signature': 't=1,v1=00' } }, [400, 401, 503]],
    () => ['adyen', { ...adyen(`a${i}`, { secret: '00' }) }, [200, 503]],
    () => ['nobody', stripe(`n${i}`), [404]],
    () => ['stripe', { body: i % 50 === 4 ? long : '\0', headers: {} }, [400, 401, 413, 503]],
  ][i % 6]();
  const send = async (first, count) => each(count, 16, async (k) => {
    const [endpoint, request, statuses] = hostile(first + k), { status } = await post(g, endpoint, request);
    assert.ok(statuses.includes(status), `${endpoint} ${status}`);
  });
  await send(0, 1500);
  const before = rssAnonKiB(g.child.pid);
  await send(1500, 3000);
  assert.ok(rssAnonKiB(g.child.pid) < before + 8 * 1024, 'memory grew');
  assert.ok(query(g, "SELECT count(*) AS n FROM request_list WHERE standing = 'quarantined'")[0].n <= 500);
  assert.equal(query(g, 'SELECT count(*) AS n FROM deliveries')[0].n, 0);
  assert.equal((await post(g, 'stripe', stripe('genuine'))).status, 200);
  await until(() => own.bySubject.has('pi_genuine'), 'the genuine one');
  assert.equal(own.events.length, 1);
  assert.equal(await g.stop(), 0);
  await own.stop();
});

test('slow senders are cut, many at once cost others nothing, and memory does not grow', { timeout: 60_000 }, async () => {
  const g = await startGateway({ limits: { header_time: '1s', body_time: '2s' } });
  const rss = () => rssAnonKiB(g.child.pid);
  await each(100, 8, (i) => post(g, 'stripe', stripe(`slow${i}`)));
  const before = rss();
  const drip = (start) => new Promise((resolve) => {
    const socket = net.connect(Number(g.port), '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (part) => { text += part; }).on('error', () => {});
    socket.write(start);
    const timer = setInterval(() => socket.write('a'), 300);
    socket.on('close', () => { clearInterval(timer); resolve(text); });
  });
  const heads = Array.from({ length: 100 }, () => drip('POST /webhooks/stripe HTTP/1.1\r\nx-a: '));
  const bodies = Array.from({ length: 100 }, () => drip('POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n'));
  const started = Date.now();
  assert.equal((await post(g, 'stripe', stripe('quick'))).status, 200);
  assert.ok(Date.now() - started < 5000);
  for (const text of await Promise.all([...heads, ...bodies])) assert.match(text, /^HTTP\/1\.1 408 /);
  assert.ok(rss() < before + 8 * 1024, 'memory grew');
  assert.equal(events(g), 101);
  assert.equal(await g.stop(), 0);
});

test('an application that refuses is named in the log once, and once more when it accepts again', async () => {
  let refuse = true;
  const sink = await startSink(() => (refuse ? 401 : 204));
  const gateway = await startGateway({ log: { level: 'info' }, destinations: { shop: { ...sink.destination, retry: { after: ['1s', '1s', '1s'] } } } });
  const lines = (text) => gateway.log.split('\n').filter((line) => line.includes(text));
  assert.equal((await post(gateway, 'stripe', stripe('refused-1'))).status, 200);
  assert.equal((await post(gateway, 'stripe', stripe('refused-2'))).status, 200);
  await until(() => sink.requests >= 3, 'it to be refused again');
  assert.equal(lines('refuses events').length, 1, gateway.log);
  assert.match(lines('refuses events')[0], /shop.*401/);
  refuse = false;
  await until(() => lines('accepts events again').length === 1, 'it to be said');
  assert.equal(await gateway.stop(), 0);
  await sink.stop();
});
