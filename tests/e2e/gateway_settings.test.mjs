// What a configuration asks for is what the gateway does: settings from the file (or from none) to what destinations get.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { createClient } from 'redis';
import { Webhook } from 'standardwebhooks';
import { own } from './children.mjs';
import { adyen, post, query, startGateway, stripe, stripeSecret, twoEndpoints, until } from './gateway.mjs';
import { closeRest, connect } from './raw.mjs';
import { binary } from './server.mjs';

const dir = mkdtempSync(join(tmpdir(), 'payhook-settings-'));
const file = (name) => join(dir, name);
after(() => { closeRest(); rmSync(dir, { recursive: true, force: true }); });

const secretOf = (text) => `whsec_${Buffer.from(text.padEnd(32, '.')).toString('base64')}`;
const secrets = { SHOP_SECRET: secretOf('the shop'), NEXT_SECRET: secretOf('the next one'), PAST_SECRET: secretOf('the one before') };
const soon = { after: Array(16).fill('1s') }; // drawn from up to that
const idOf = (event) => event.id.split(':').pop();

// An application with several doors: `answer(told)` gives a status, or { status, headers }, or a promise of one.
async function startShop(answer = () => 204, server = http.createServer()) {
  const shop = { told: [], under: 0, peak: 0 };
  server.on('request', async (request, response) => {
    const told = { at: Date.now(), path: request.url, headers: request.headers, peer: request.socket.getPeerCertificate?.().subject?.CN };
    shop.peak = Math.max(shop.peak, ++shop.under);
    const parts = [];
    request.on('error', () => {});
    request.on('data', (part) => parts.push(part)).on('end', async () => {
      told.text = Buffer.concat(parts).toString();
      told.events = [JSON.parse(told.text)].flat();
      shop.told.push(told);
      const said = await answer(told), { status, headers } = typeof said === 'number' ? { status: said } : said;
      Object.assign(told, { status, answered: Date.now() });
      shop.under--;
      response.writeHead(status, headers).end();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  shop.at = (path, more) => ({ url: `http${server instanceof https.Server ? 's' : ''}://127.0.0.1:${server.address().port}${path}`,
    secret: ['env:SHOP_SECRET'], retry: soon, ...more });
  shop.asked = (path) => shop.told.filter((told) => told.path === path).flatMap((told) => told.events.map(idOf));
  shop.got = (path) => shop.told.filter((told) => told.path === path && told.status < 300).flatMap((told) => told.events.map(idOf));
  shop.stop = () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); });
  return shop;
}

const gateOf = () => { const gate = {}; gate.opened = new Promise((resolve) => { gate.open = resolve; }); return gate; };
const start = (config) => startGateway(config, { more: secrets });
const stop = async (gateway, ...shops) => {
  assert.equal(await gateway.stop(), 0);
  await Promise.all(shops.map((shop) => shop.stop()));
};
const taken = async (gateway, endpoint, webhook) => assert.equal((await post(gateway, endpoint, webhook)).status, 200);
// Asked while something is waited for: query() would hold the applications here up.
const figure = async (gateway, name, destination, more = '') => (await gateway.figures())[`payhook_destination_${name}{destination="${destination}"${more}}`];
const deliveries = (gateway, destination) => query(gateway, `SELECT l.*, d.made_ms, d.due_ms, d.ended_ms FROM delivery_list l JOIN deliveries d ON d.id = l.id WHERE l.destination = '${destination}'`);

// ---- how it is sent ----

test('ordering: payment: what comes after an event that fails waits for it, another payment does not; then they come in order', async () => {
  let open = false;
  const shop = await startShop(({ events: [event] }) => (open || idOf(event) !== 'evt_first' ? 204 : 400));
  const g = await start({ destinations: { ordered: shop.at('/ordered', { ordering: 'payment' }), loose: shop.at('/loose') } });
  for (const id of ['first', 'second', 'third']) await taken(g, 'stripe', stripe(id, { id: 'pi_one' }));
  await taken(g, 'stripe', stripe('other'));
  await until(() => shop.got('/loose').length === 3, 'the destination without order to have the other three');
  await until(() => shop.asked('/ordered').filter((id) => id === 'evt_first').length > 3 && shop.got('/ordered').length > 0, 'the first to fail for a while');
  assert.deepEqual(shop.got('/ordered'), ['evt_other']);
  assert.deepEqual([...new Set(shop.asked('/ordered'))].sort(), ['evt_first', 'evt_other']);
  open = true;
  await until(() => shop.got('/ordered').length === 4, 'the rest');
  assert.deepEqual(shop.got('/ordered'), ['evt_other', 'evt_first', 'evt_second', 'evt_third']);
  await stop(g, shop);
});

test('concurrency: so many requests are under way at once, and never more', async () => {
  const gate = gateOf(), shop = await startShop(() => gate.opened.then(() => new Promise((resolve) => { setTimeout(resolve, 50, 204); })));
  const g = await start({ destinations: { shop: shop.at('/', { concurrency: 3 }) } });
  for (let i = 0; i < 40; i++) await taken(g, 'stripe', stripe(`wide${i}`));
  gate.open();
  await until(() => shop.got('/').length === 40, 'all of them');
  assert.equal(shop.peak, 3);
  await stop(g, shop);
});

test('rate: no more requests are begun in a second than that', async () => {
  const shop = await startShop();
  const g = await start({ destinations: { shop: shop.at('/', { rate: 10 }) } });
  const started = Date.now();
  await Promise.all(Array.from({ length: 20 }, (_, i) => taken(g, 'stripe', stripe(`paced${i}`))));
  await until(() => shop.got('/').length === 20, 'all of them');
  shop.told.forEach(({ at }, i) => assert.ok(at - started >= (i - 3) * 100, `number ${i} after ${at - started} ms`));
  await stop(g, shop);
});

test('format: batch: events that wait travel together as a CloudEvents batch, up to `batch` of them, signed by each secret that is valid', async () => {
  const gate = gateOf(), shop = await startShop(() => gate.opened.then(() => 204));
  const g = await start({ destinations: {
    batches: shop.at('/batches', { format: 'batch', batch: 4,
      secret: [{ secret: 'env:PAST_SECRET', not_after: '2026-01-01T00:00:00Z' }, 'env:SHOP_SECRET', 'env:NEXT_SECRET'] }),
    single: shop.at('/single'),
  } });
  await taken(g, 'stripe', stripe('one'));
  await until(() => shop.told.length === 2, 'the first to be under way to both');
  for (const id of ['two', 'three', 'four', 'five', 'six']) await taken(g, 'stripe', stripe(id));
  gate.open();
  await until(() => shop.got('/batches').length === 6 && shop.got('/single').length === 6, 'all of them, twice');
  const sent = (path) => shop.told.filter((told) => told.path === path);
  assert.deepEqual(sent('/batches').map(({ events }) => events.length).sort(), [1, 1, 4]);
  for (const { headers, text, events } of sent('/batches')) {
    assert.match(headers['content-type'], /^application\/cloudevents-batch\+json\b/);
    assert.match(headers['user-agent'], /^payhook\/\d/);
    assert.ok(Array.isArray(JSON.parse(text)));
    for (const key of [secrets.SHOP_SECRET, secrets.NEXT_SECRET]) new Webhook(key).verify(text, headers);
    assert.throws(() => new Webhook(secrets.PAST_SECRET).verify(text, headers));
    for (const event of events) assert.deepEqual([event.specversion, event.type, event.attempt], ['1.0', 'PAYMENT_INTENT_SUCCESS', 1]);
  }
  for (const { headers, text } of sent('/single')) {
    assert.match(headers['content-type'], /^application\/cloudevents\+json\b/);
    new Webhook(secrets.SHOP_SECRET).verify(text, headers);
  }
  assert.deepEqual(shop.got('/batches').sort(), ['one', 'two', 'three', 'four', 'five', 'six'].map((id) => `evt_${id}`).sort());
  await stop(g, shop);
});

test('timeout, retry.after, .every, .for and .park bound how long an event is tried', async () => {
  const shop = await startShop(({ path }) => ({ '/hangs': new Promise(() => {}), '/refuses': 400, '/unknown': 425 })[path]);
  const mute = net.createServer((socket) => { socket.on('error', () => {}).resume(); }); // speaks no TLS, nor anything else
  await new Promise((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const twice = { after: ['1s'], every: 'never' };
  const g = await start({ destinations: {
    hangs: shop.at('/hangs', { timeout: { connect: '500ms', total: '500ms' }, retry: twice }),
    mute: { url: `https://127.0.0.1:${mute.address().port}/`, secret: ['env:SHOP_SECRET'], timeout: { connect: '500ms' }, retry: twice },
    refuses: shop.at('/refuses', { retry: { ...soon, for: '3s' } }),
    unknown: shop.at('/unknown', { retry: { ...twice, park: '3s' } }),
  } });
  await taken(g, 'stripe', stripe('bounded'));
  const names = ['hangs', 'mute', 'refuses', 'unknown'];
  for (const name of names) await until(async () => await figure(g, 'dead_letters', name) === 1, `${name} to have a dead letter`);
  const ended = Object.fromEntries(names.map((name) => [name, deliveries(g, name)[0]]));
  assert.deepEqual([ended.hangs.tries, ended.mute.tries, ended.unknown.tries], [2, 2, 2]);
  const tried = (name) => query(g, `SELECT a.*, b.elapsed_ms FROM attempt_list a JOIN attempts b USING(delivery, number) WHERE a.delivery = ${ended[name].id} ORDER BY a.number`);
  for (const { elapsed_ms: elapsed, status } of [...tried('hangs'), ...tried('mute')]) assert.ok(elapsed >= 490 && elapsed < 5_000 && !status, `${elapsed} ms, ${status}`);
  assert.ok(ended.refuses.ended_ms - ended.refuses.made_ms >= 3_000);
  assert.ok(ended.refuses.tries > 1);
  const parked = tried('unknown').map((a) => a.state);
  assert.equal(parked[0], 'parked');
  assert.deepEqual(parked.slice(-2), ['waiting', 'dead']);
  await stop(g, shop);
  mute.close();
});

test('Retry-After, in seconds or as a date: the delivery is due then, and nothing is sent before', async () => {
  const asked = {};
  const shop = await startShop(({ path }) => {
    if (asked[path]) return 204;
    const at = Date.now() + 4_000, date = new Date(at).toUTCString();
    asked[path] = path === '/date' ? Date.parse(date) : at;
    return { status: 503, headers: { 'retry-after': path === '/date' ? date : '4' } };
  });
  const g = await start({ destinations: { seconds: shop.at('/seconds'), date: shop.at('/date') } });
  await taken(g, 'stripe', stripe('asked'));
  for (const name of ['seconds', 'date']) await until(async () => await figure(g, 'attempts_total', name, ',outcome="failed"') === 1, `${name} to fail`);
  const waiting = () => query(g, "SELECT n.name, d.due_ms FROM deliveries d JOIN destinations n ON n.id = d.destination WHERE d.state = 2 AND d.attempts = 1");
  for (const { name, due_ms: due } of await until(() => { const both = waiting(); return both.length === 2 && both; }, 'both to be stored')) {
    const late = due - asked[`/${name}`];
    assert.ok(late >= 0 && late < 10_000, `${name}: due ${late} ms after the time that it asked for`);
  }
  await taken(g, 'stripe', stripe('meanwhile'));
  for (const path of ['/seconds', '/date']) {
    await until(() => shop.got(path).length === 2, `both at ${path}`);
    for (const { at } of shop.told.filter((told) => told.path === path).slice(1)) assert.ok(at >= asked[path], `${path}: ${asked[path] - at} ms early`);
  }
  await stop(g, shop);
});

// ---- what is sent ----

const peachBody = (id) => JSON.stringify({ webhookId: id, webhookType: 'transaction', reversalFailureReason: null, transaction: {
  transactionId: `txn-${id}`, originalTransactionId: null, referenceId: `pay-${id}`, transactionResult: 'successful', errorMessage: null,
  transactionType: { value: 0, description: 'Debit' }, responseCode: { value: '00', description: 'Approved' },
  ecommerceCardPaymentOnlyTransactionData: { amount: { amount: 10450, currencyCode: 'ZAR' } }, paymentMethod: 'ecommerce_card_payment_only' } });

test('connectors, events, verdicts and amount: a destination is told what it asks for and nothing else', async () => {
  const shop = await startShop();
  const wanted = { adyen: { connectors: ['adyen'] }, refunds: { events: ['refund'] }, proven: { verdicts: ['verified'] },
    euros: { amount: { currency: 'EUR' } }, large: { amount: { currency: 'EUR', least: 1000 } }, small: { amount: { currency: 'EUR', most: 5000 } }, all: {} };
  const g = await start({
    endpoints: { ...twoEndpoints, peach: { connector: 'peachpayments', secrets: ['env:SHOP_SECRET'] } },
    destinations: Object.fromEntries(Object.entries(wanted).map(([name, more]) => [name, shop.at(`/${name}`, more)])),
  });
  const priced = (id, amount, currency = 'eur') => taken(g, 'stripe', stripe(id, { amount, amount_received: amount, currency }));
  await priced('999', 999);
  await priced('1000', 1000);
  await priced('5000', 5000);
  await priced('5001', 5001);
  await priced('usd', 4905, 'usd');
  await taken(g, 'adyen', adyen('A')); // 4905 EUR
  await taken(g, 'peach', { body: peachBody('hint') });
  await until(() => shop.got('/all').length === 7, 'all of them');
  for (const name of Object.keys(wanted)) await until(async () => await figure(g, 'backlog', name) === 0, `${name} to have all`); // decided when stored
  const subjects = (name) => shop.told.filter((told) => told.path === `/${name}`).map(({ events: [event] }) => event.subject.replace(/^(pi_|txn-)/, '')).sort();
  const stripes = ['1000', '5000', '5001', '999'];
  assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, subjects(name)])), {
    adyen: ['PSPA'], refunds: [], proven: [...stripes, 'PSPA', 'usd'], euros: [...stripes, 'PSPA'], large: ['1000', '5000', '5001', 'PSPA'],
    small: ['1000', '5000', '999', 'PSPA'], all: [...stripes, 'PSPA', 'hint', 'usd'],
  });
  await stop(g, shop);
});

// ---- where to ----

const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe', cwd: dir });
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
function makeCertificate(name, authority) {
  if (!authority) return openssl('req', '-x509', ...newKey, '-days', '2', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.pem`);
  writeFileSync(file('ext'), 'subjectAltName=IP:127.0.0.1\n');
  openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
  return openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-days', '2',
    '-extfile', 'ext', '-out', `${name}.pem`);
}

test('tls: with our certificate and its authority events arrive, without either none does; a new one in the same place is shown after a reload', async () => {
  makeCertificate('authority');
  makeCertificate('stranger');
  for (const name of ['server', 'ours', 'renewed']) makeCertificate(name, 'authority');
  const pair = (name) => ({ certificate: file(`${name}.pem`), key: file(`${name}.key`) });
  const use = (name) => { for (const end of ['pem', 'key']) copyFileSync(file(`${name}.${end}`), file(`used.${end}`)); };
  use('ours');
  const shop = await startShop(() => 204, https.createServer({ cert: readFileSync(file('server.pem')), key: readFileSync(file('server.key')),
    ca: readFileSync(file('authority.pem')), requestCert: true, rejectUnauthorized: true }));
  const ca = file('authority.pem'), bad = ['bare', 'strange', 'wary', 'public'];
  const config = { destinations: {
    good: shop.at('/good', { tls: { ca, ...pair('used') } }),
    bare: shop.at('/bare', { tls: { ca } }),
    strange: shop.at('/strange', { tls: { ca, ...pair('stranger') } }),
    wary: shop.at('/wary', { tls: { ca: file('stranger.pem'), ...pair('ours') } }),
    public: shop.at('/public', { tls: pair('ours') }),
  } };
  const g = await start(config);
  await taken(g, 'stripe', stripe('mutual'));
  await until(() => shop.got('/good').length === 1, 'the good one');
  for (const name of bad) await until(async () => await figure(g, 'attempts_total', name, ',outcome="failed"') > 1, `${name} to fail`);
  const reasons = (name) => query(g, `SELECT a.reason FROM attempt_list a JOIN delivery_list d ON d.id = a.delivery WHERE d.destination = '${name}'`);
  for (const name of ['wary', 'public']) assert.match(reasons(name)[0].reason, /certificate/i);
  use('renewed');
  await g.reload(config);
  await taken(g, 'stripe', stripe('again'));
  await until(() => shop.got('/good').length === 2, 'the next one');
  assert.deepEqual(shop.told.map(({ path, peer }) => [path, peer]), [['/good', 'ours'], ['/good', 'renewed']]);
  await stop(g, shop);
});

function sparePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

test('redis: each event is an entry of the stream, in the database of the URL, by the user of the file; a stream is cut to its length', async () => {
  const port = await sparePort(), password = 'a password of the test', data = mkdtempSync(file('redis-'));
  const server = own(spawn('redis-server', ['--port', port, '--bind', '127.0.0.1', '--dir', data, '--save', '', '--stream-node-max-entries', '10'], { stdio: 'ignore' }));
  const ended = new Promise((resolve) => { server.once('exit', resolve); });
  const cli = (...args) => execFileSync('redis-cli', ['-p', port, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  await until(() => { try { return cli('PING') === 'PONG'; } catch { return false; } }, 'redis-server (scripts/bootstrap installs it)');
  assert.equal(cli('ACL', 'SETUSER', 'payhook', 'on', `>${password}`, '~payments', '~short', '+xadd', '+select'), 'OK');
  assert.equal(cli('ACL', 'SETUSER', 'reader', 'on', '>read', '~*', '+@all'), 'OK');
  assert.equal(cli('ACL', 'SETUSER', 'default', 'off'), 'OK');
  const client = await createClient({ url: `redis://reader:read@127.0.0.1:${port}/2` }).connect();
  const url = `redis://127.0.0.1:${port}/2`, redis = { stream: 'payments', username: 'payhook', password: 'env:REDIS_PASSWORD' };
  const g = await startGateway({ destinations: {
    ledger: { url, redis, batch: 16 },
    short: { url, redis: { ...redis, stream: 'short', length: 20 } },
    nobody: { url, redis: { stream: 'payments' }, retry: soon },
  } }, { more: { REDIS_PASSWORD: password } });
  for (let i = 0; i < 60; i++) await taken(g, 'stripe', stripe(`r${i}`));
  for (const name of ['ledger', 'short']) await until(async () => await figure(g, 'backlog', name) === 0, `${name} to have all`);
  const entries = (await client.xRange('payments', '-', '+')).map(({ message }) => message);
  assert.deepEqual(entries.map(({ subject }) => subject).sort(), Array.from({ length: 60 }, (_, i) => `pi_r${i}`).sort());
  for (const { id, type, specversion, connector, attempt, data: text, subject } of entries) {
    assert.deepEqual([id, type, specversion, connector, attempt], [`stripe:stripe:evt_${subject.slice(3)}`, 'PAYMENT_INTENT_SUCCESS', '1.0', 'stripe', '1']);
    assert.equal(JSON.parse(text).verdict, 'VERIFIED');
  }
  const kept = await client.xLen('short');
  assert.ok(kept >= 20 && kept < 40, `${kept} entries`);
  assert.ok(deliveries(g, 'nobody').every((d) => ['queued', 'waiting'].includes(d.state)));
  await client.close();
  await stop(g);
  server.kill('SIGKILL');
  await ended;
});

// ---- what comes in ----

test('public_url is what a processor has signed: Host does not matter, and another URL is a forgery', async () => {
  const g = await start({ endpoints: Object.fromEntries(Object.entries({ right: 'https://shop.example/webhooks/right', wrong: 'https://other.example/webhooks/right' })
    .map(([name, url]) => [name, { connector: 'peachpayments', secrets: ['env:SHOP_SECRET'], public_url: url }])) });
  const signed = (id, url, host) => {
    const body = peachBody(id), at = Math.floor(Date.now() / 1000);
    return { body, headers: { host, 'x-webhook-timestamp': `${at}`, 'x-webhook-id': id, 'x-webhook-signature-algorithm': 'HMAC-SHA256',
      'x-webhook-signature': createHmac('sha256', secrets.SHOP_SECRET).update(`${at}.${id}.${url}.${body}`).digest('hex') } };
  };
  const url = 'https://shop.example/webhooks/right';
  assert.equal((await post(g, 'right', signed('w1', url, 'evil.example'))).status, 200);
  for (const scheme of ['http', 'https']) // the URL as Host would have it
    assert.equal((await post(g, 'right', signed('w2', `${scheme}://evil.example/webhooks/right`, 'evil.example'))).status, 401);
  assert.equal((await post(g, 'wrong', signed('w3', url, 'shop.example'))).status, 401);
  assert.deepEqual(query(g, 'SELECT endpoint, verdict FROM request_list ORDER BY id').map((row) => `${row.endpoint} ${row.verdict}`),
    ['right verified', 'right forged', 'right forged', 'wrong forged']);
  await stop(g);
});

test('context and tolerance of an endpoint: how its payments are captured says what an authorisation is, and how old a signed time may be is its own', async () => {
  const shop = await startShop(), one = { connector: 'stripe', secrets: ['env:STRIPE_WHSEC'] }, two = { connector: 'adyen', secrets: ['env:ADYEN_HMAC'] };
  const late = 'CD'.repeat(32), config = {
    endpoints: { page: one, patient: { ...one, tolerance: '2h' }, strict: { ...one, tolerance: '30s' },
      plain: two, manual: { ...two, context: { capture_method: 'MANUAL' } }, automatic: { ...two, context: { capture_method: 'AUTOMATIC' } } },
    destinations: { shop: shop.at('/') },
  };
  const g = await startGateway(config, { more: { ...secrets, LATE_HMAC: late } });
  const statuses = [];
  for (const age of [60_000, 3_600_000])
    for (const name of ['page', 'patient', 'strict']) statuses.push((await post(g, name, stripe(`old${age}`, { at: Date.now() - age }))).status);
  assert.deepEqual(statuses, [200, 200, 401, 401, 200, 401]);
  for (const name of ['plain', 'manual', 'automatic']) await taken(g, name, adyen(name));
  for (const name of ['manual', 'automatic']) await taken(g, name, adyen(`${name}.late`, { secret: late })); // quarantined, and verified again
  for (const name of ['manual', 'automatic']) config.endpoints[name].secrets = ['env:ADYEN_HMAC', 'env:LATE_HMAC'];
  await g.reload(config);
  await until(() => shop.told.length === 8, 'all of them');
  const said = Object.fromEntries(shop.told.map(({ events: [event] }) => [event.subject, `${event.type} ${event.data.event_response.payments_response.status}`]));
  assert.deepEqual(['plain', 'manual', 'manual.late', 'automatic', 'automatic.late'].map((name) => said[`PSP${name}`]),
    [...Array(3).fill('PAYMENT_INTENT_AUTHORIZATION_SUCCESS AUTHORIZED'), ...Array(2).fill('PAYMENT_INTENT_SUCCESS CHARGED')]);
  await stop(g, shop);
});

test('SIGHUP drops neither a connection that is kept nor a request that is half sent; both go on by what was read', async () => {
  const shop = await startShop();
  const config = { destinations: { before: shop.at('/before') } };
  const g = await start(config);
  const [idle, head, body] = await Promise.all([connect(g.port), connect(g.port), connect(g.port)]);
  const requestOf = (id, more = '') => {
    const webhook = stripe(id);
    return [`POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: ${Buffer.byteLength(webhook.body)}\r\nStripe-Signature: ${webhook.headers['stripe-signature']}\r\n${more}\r\n`, webhook.body];
  };
  const answers = (socket) => socket.received.toString('latin1').match(/HTTP\/1\.1 [2-5]\d\d/g) ?? [];
  const ask = async (socket, id) => {
    const had = answers(socket).length;
    await socket.send(...requestOf(id));
    await until(() => answers(socket).length > had || socket.closed, `an answer to ${id}`);
  };
  for (const [i, socket] of [idle, head, body].entries()) await ask(socket, `first${i}`);
  const [halfHead, wholeBody] = requestOf('head'), [wholeHead, halfBody] = requestOf('body', 'Expect: 100-continue\r\n');
  await head.send(halfHead.slice(0, 40));
  await body.send(wholeHead);
  await until(() => /HTTP\/1\.1 100 /.test(body.received.toString('latin1')), 'the body to be asked for');
  await body.send(halfBody.slice(0, 100));
  for (const path of ['/after', '/then']) await g.reload({ destinations: { ...config.destinations, after: shop.at(path) } });
  await head.send(halfHead.slice(40), wholeBody);
  await body.send(halfBody.slice(100));
  await until(() => [head, body].every((socket) => answers(socket).length === 2 || socket.closed), 'both to be answered');
  for (const [i, socket] of [idle, head, body].entries()) await ask(socket, `last${i}`);
  assert.deepEqual([idle, head, body].map((socket) => [answers(socket).join(), socket.closed]),
    [2, 3, 3].map((count) => [Array(count).fill('HTTP/1.1 200').join(), false]));
  const late = ['head', 'body', 'last0', 'last1', 'last2'].map((id) => `evt_${id}`);
  await until(() => late.every((id) => shop.got('/before').includes(id) && shop.got('/then').includes(id)), 'all to be told, to the new destination as well');
  assert.deepEqual(shop.got('/after'), []);
  await stop(g, shop);
});

// ---- no file ----

const bare = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PAYHOOK_')));

async function serveBare(cwd, more = {}) {
  const served = { output: '' };
  served.child = own(spawn(binary, ['serve'], { cwd, stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...bare, PAYHOOK_WEBHOOKS_LISTEN: '127.0.0.1:0', PAYHOOK_SERVICE_LISTEN: '127.0.0.1:0', ...more } }));
  served.ended = new Promise((resolve) => { served.child.once('exit', (code, signal) => resolve(code ?? signal)); });
  served.child.stdout.setEncoding('utf8').on('data', (text) => { served.output += text; });
  await until(() => /admin API on/.test(served.output) || served.child.exitCode !== null, 'it to start');
  served.port = served.output.match(/listening on 127\.0\.0\.1:(\d+) \(webhooks\)/)?.[1];
  served.end = (signal = 'SIGTERM') => { served.child.kill(signal); return served.ended; };
  return served;
}

// As a second terminal in the same folder.
const listed = async (cwd) => (await promisify(execFile)(binary, ['events', 'ls', '--output', 'json'], { cwd, env: bare })).stdout
  .trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));

test('serve alone, in an empty folder: a development endpoint whose URL and secret are at hand, and what it takes is listed', async () => {
  const cwd = mkdtempSync(file('bare-'));
  const served = await serveBare(cwd);
  assert.match(served.output, new RegExp(`^endpoint dev: POST http://127\\.0\\.0\\.1:${served.port}/webhooks/dev \\(standardwebhooks\\)$`, 'm'));
  const secret = readFileSync(join(cwd, 'payhook-data', 'development-secret'), 'utf8').trim();
  const send = async (id, key) => {
    const body = JSON.stringify({ type: 'order.paid', timestamp: new Date().toISOString(), data: { order: id } }), now = new Date();
    return (await post(served, 'dev', { body, headers: { 'webhook-id': id, 'webhook-timestamp': `${Math.floor(now / 1000)}`,
      'webhook-signature': new Webhook(key).sign(id, now, body) } })).status;
  };
  assert.deepEqual(await listed(cwd), []);
  assert.equal(await send('msg_forged', secrets.SHOP_SECRET), 401);
  assert.equal(await send('msg_1', secret), 200);
  assert.equal(await send('msg_1', secret), 200);
  assert.deepEqual((await listed(cwd)).map(({ endpoint, connector, processor_event: event, verdict, held }) => [endpoint, connector, event.id, verdict, held]).sort(),
    [['dev', 'standardwebhooks', 'msg_1', 'verified', false], ['dev', 'standardwebhooks', 'msg_forged', 'forged', true]]);
  assert.equal(await served.end(), 0);
});

test('a processor\'s secret alone in the environment: its webhooks are verified and kept, and kill -9 loses none', async () => {
  const cwd = mkdtempSync(file('bare-')), more = { PAYHOOK_STRIPE_SECRET: stripeSecret };
  let served = await serveBare(cwd, more);
  assert.match(served.output, new RegExp(`^endpoint stripe: POST http://127\\.0\\.0\\.1:${served.port}/webhooks/stripe \\(stripe\\)$`, 'm'));
  assert.equal((await post(served, 'stripe', stripe('forged', { secret: 'another' }))).status, 401);
  assert.equal((await post(served, 'dev', { body: '{}' })).status, 404);
  assert.equal((await post(served, 'stripe', stripe('durable'))).status, 200);
  assert.equal(await served.end('SIGKILL'), 'SIGKILL');
  served = await serveBare(cwd, more);
  const subjects = async () => (await listed(cwd)).filter(({ held }) => !held).map(({ subject }) => subject).sort();
  assert.deepEqual(await subjects(), ['pi_durable']);
  assert.equal((await post(served, 'stripe', stripe('durable'))).status, 200);
  assert.equal((await post(served, 'stripe', stripe('after'))).status, 200);
  assert.deepEqual(await subjects(), ['pi_after', 'pi_durable']);
  assert.equal(await served.end(), 0);
});
