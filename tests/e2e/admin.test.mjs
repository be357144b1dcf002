// The admin API and the commands that speak it, against a running gateway with a sink as its destination.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync, existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import { own } from './children.mjs';
import { askAdmin } from './openapi.mjs';
import { binary, rawExchange, stripeSignature } from './server.mjs';

const folder = mkdtempSync(`${tmpdir()}/payhook-admin-`), data = `${folder}/data`, socket = `${data}/admin.sock`;
const secrets = { NEW: 'whsec_new_secret_of_the_shop', OLD: 'whsec_old_secret_of_the_shop' };
const tokens = { READ: 'token-read-0123456789', OPS: 'token-ops-0123456789', ALL: 'token-all-0123456789' };
const env = { ...process.env, ...secrets, SIGN: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', T_READ: tokens.READ, T_OPS: tokens.OPS, T_ALL: tokens.ALL };
for (const name of ['PAYHOOK_CONFIG', 'PAYHOOK_DATA', 'PAYHOOK_ADMIN_SOCKET']) delete env[name];
let gateway, sink;

// ---- what the tests run ----

// An application: keeps what it gets, answers with `status`.
async function startSink() {
  const seen = [], state = { seen, status: 200, fragile: 500 };
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part) => { body += part; }).on('end', () => {
      const status = request.url === '/fragile' ? state.fragile : state.status;
      if (status < 300) seen.push(JSON.parse(body));
      response.writeHead(status).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(state, { port: server.address().port, stop: () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); }) });
}

function configure(extra = '') {
  writeFileSync(`${folder}/payhook.yaml`, `
data: ${data}
log: { level: error }
webhooks: { listen: "127.0.0.1:0" }
service: { listen: "127.0.0.1:0", token: env:T_ALL }
endpoints:
  shop: { connector: stripe, secrets: [env:NEW, env:OLD] }
  many:
    connector: stripe
    by: /account
    accounts:
      acct_1: { secrets: env:OLD, config: { api_key: env:OLD } }
      acct_2: { secrets: env:OLD }
destinations:
  app: { url: "http://127.0.0.1:${sink.port}/events?key=hidden", secret: env:SIGN, retry: { after: [1h] } }
  fragile: { url: "http://127.0.0.1:${sink.port}/fragile", secret: env:SIGN, events: [dispute], retry: { after: [1s], every: never } }
  refunds: { url: "http://127.0.0.1:${sink.port}/refunds", secret: env:SIGN, events: [refund] }
admin:
  tokens:
    read: { secret: env:T_READ, scopes: [read] }
    ops: { secret: env:T_OPS, scopes: [read, replay, control] }
    all: { secret: env:T_ALL, scopes: [read, raw, replay, control] }
${extra}`);
}

async function startGateway() {
  const child = own(spawn(binary, ['serve', '--config', `${folder}/payhook.yaml`, '--threads', '2'], { env, stdio: ['ignore', 'pipe', 'inherit'] }));
  const started = { child, output: '' };
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`payhook ended with ${code}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      started.output += text;
      started.port = started.output.match(/listening on 127\.0\.0\.1:(\d+) \(event/)?.[1];
      started.webhooks = started.output.match(/listening on 127\.0\.0\.1:(\d+) \(webhooks/)?.[1];
      if (/admin API on/.test(started.output)) resolve();
    });
  });
  started.stop = () => new Promise((resolve) => {
    child.removeAllListeners('exit');
    child.once('exit', (code, signal) => resolve(code ?? signal));
    child.kill('SIGTERM');
  });
  return started;
}

// Each answer is held against docs/openapi.yaml.
function call(method, path, { token, body, type, tcp = token !== undefined } = {}) {
  return askAdmin(tcp ? { host: '127.0.0.1', port: gateway.port } : { socketPath: socket }, method, path, { token, body, type });
}

function run(...args) {
  return new Promise((resolve) => {
    execFile(binary, [...args, ...(args.includes('--admin') ? [] : ['--data', data])], { env, timeout: 30000, maxBuffer: 1 << 26 },
      (error, out, err) => resolve({ code: error ? error.code : 0, out, err }));
  });
}

let number = 0;
async function post({ id = `evt_admin_${++number}`, type = 'payment_intent.succeeded', key = secrets.NEW, object = {} } = {}) {
  const body = JSON.stringify({
    id, object: 'event', type, created: 1764000000, livemode: true,
    data: { object: { id: `pi_${id}`, object: 'payment_intent', amount: 4905, currency: 'eur', status: 'succeeded', ...object } },
  });
  const response = await fetch(`http://127.0.0.1:${gateway.webhooks}/webhooks/shop`,
    { method: 'POST', body, headers: { 'stripe-signature': stripeSignature(body, key), 'content-type': 'application/json' } });
  await response.text();
  return { status: response.status, id, event: `shop:stripe:${id}` };
}

async function until(what, check, ms = 10000) {
  for (const end = Date.now() + ms; Date.now() < end;) {
    const found = await check();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not in time: ${what}`);
}

const told = (id) => sink.seen.filter((event) => event.id === id);
const error = (answer, status, message) => {
  assert.equal(answer.status, status, answer.text);
  assert.ok(answer.json.error.code.length > 0 && message.test(answer.json.error.message), answer.text);
};

before(async () => {
  sink = await startSink();
  configure();
  gateway = await startGateway();
});
after(async () => {
  try {
    assert.equal(await gateway?.stop(), 0);
    assert.equal(existsSync(socket), false, 'the socket goes with the server');
  } finally {
    await sink?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

// ---- who may ask ----

test('the socket is for its user alone, and needs no token', async () => {
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  assert.equal((await call('GET', 'status')).status, 200);
});

test('on the listener a token is asked for, and its scopes hold', async () => {
  error(await call('GET', 'events', { tcp: true }), 401, /admin\.tokens/);
  error(await call('GET', 'events', { token: 'token-read-012345678' }), 401, /admin\.tokens/);
  error(await call('GET', 'events', { token: `${tokens.READ}x` }), 401, /admin\.tokens/);
  assert.equal((await call('GET', 'events', { token: tokens.READ })).status, 200);
  error(await call('POST', 'replay', { token: tokens.READ, body: { events: ['1'] } }), 403, /scope replay/);
  error(await call('POST', 'destinations/app/pause', { token: tokens.READ }), 403, /scope control/);
  error(await call('GET', 'requests/1/raw', { token: tokens.OPS }), 403, /scope raw/);
  error(await call('GET', 'events/1?unmasked=true', { token: tokens.OPS }), 403, /scope raw/);
  const answer = await call('GET', 'events', { tcp: true });
  assert.equal(answer.headers['www-authenticate'], 'Bearer');
});

test('a token that is shown twice is none', async () => {
  const lines = (...shown) => ['GET /admin/v1/events HTTP/1.1', 'Host: x', 'Connection: close', ...shown.map((token) => `Authorization: Bearer ${token}`), '', ''].join('\r\n');
  assert.match((await rawExchange(gateway.port, lines(tokens.READ))).text, /^HTTP\/1\.1 200 /);
  assert.match((await rawExchange(gateway.port, lines(tokens.READ, 'another'))).text, /^HTTP\/1\.1 401 /);
  assert.match((await rawExchange(gateway.port, lines('another', tokens.READ))).text, /^HTTP\/1\.1 401 /);
});

test('a fragment is refused, and a target in absolute form is taken', async () => {
  const get = (target) => rawExchange(gateway.port, `GET ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokens.READ}\r\nConnection: close\r\n\r\n`);
  for (const target of ['/admin/v1/status#x', '/admin/v1/events?limit=1#x', '/admin/v1/status#'])
    assert.match((await get(target)).text, /^HTTP\/1\.1 400 [^]*%23/);
  assert.match((await get('http://payhook.example/admin/v1/status')).text, /^HTTP\/1\.1 200 [^]*"version"/);
  assert.match((await get('HTTPS://payhook.example:81/admin/v1/events?limit=x')).text, /^HTTP\/1\.1 400 [^]*limit/);
});

test('a name that is twice in a body is refused, and told', async () => {
  const twice = (path, body) => call('POST', path, { body });
  error(await twice('replay', '{"dry_run":true,"events":["1"],"dry_run":false}'), 400, /^dry_run: is there twice/);
  error(await twice('replay', '{"dry_run":true,"filter":{"from":"1970-01-01","type":"a","type":"b"}}'), 400, /^type: is there twice/);
  error(await twice('deliveries/retry', '{"filter":{"destination":"app"},"filter":{},"dry_run":true}'), 400, /^filter: is there twice/);
  error(await twice('replay', `{${Array.from({ length: 30 }, (_, i) => `"a${i}":1`).join()}}`), 400, /more members/);
});

test('the webhooks listener has no admin API', async () => {
  const response = await fetch(`http://127.0.0.1:${gateway.webhooks}/admin/v1/events`, { headers: { authorization: `Bearer ${tokens.ALL}` } });
  assert.equal(response.status, 404);
});

test('a second payhook does not take a live socket away', async () => {
  const holder = net.createServer();
  const path = `${folder}/live.sock`;
  await new Promise((resolve) => holder.listen(path, resolve));
  const other = await new Promise((resolve) => {
    execFile(binary, ['serve', '--listen', '127.0.0.1:0', '--listen-webhooks', '127.0.0.1:0', '--data', `${folder}/other`],
      { env: { ...env, PAYHOOK_ADMIN_SOCKET: path }, timeout: 10000 }, (failed, out, err) => resolve({ code: failed?.code, err }));
  });
  assert.equal(other.code, 1);
  assert.match(other.err, /another process answers there/);
  await new Promise((resolve) => holder.close(resolve));
});

test('a socket that a killed payhook left is replaced', async () => {
  gateway.child.removeAllListeners('exit');
  const gone = new Promise((resolve) => gateway.child.once('exit', resolve));
  gateway.child.kill('SIGKILL');
  await gone;
  assert.ok(existsSync(socket));
  gateway = await startGateway();
  assert.equal((await call('GET', 'status')).status, 200);
});

// ---- looking ----

test('an event is listed, and shown with its deliveries and attempts', async () => {
  const sent = await post();
  assert.equal(sent.status, 200);
  await until('told', () => told(sent.event).length > 0);
  const shown = await until('done', async () => {
    const answer = await call('GET', `events/${encodeURIComponent(sent.event)}`);
    return answer.json.deliveries?.[0]?.state === 'done' && answer.json;
  });
  assert.equal(shown.type, 'PAYMENT_INTENT_SUCCESS');
  assert.equal(shown.verdict, 'verified');
  assert.equal(shown.amount_minor, 4905);
  assert.equal(shown.currency, 'EUR');
  assert.equal(shown.answer.processor_event.id, sent.id);
  assert.equal(shown.deliveries.length, 1, 'refunds is not told of a payment');
  assert.equal(shown.deliveries[0].attempts[0].status, 200);
  const byNumber = await call('GET', `events/${shown.id}`);
  assert.equal(byNumber.json.event_id, sent.event);
  const delivery = await call('GET', `deliveries/${shown.deliveries[0].id}`);
  assert.equal(delivery.json.destination, 'app');
  const { events } = (await call('GET', `events?subject=pi_${sent.id}&type=PAYMENT_INTENT_SUCCESS&class=payment&endpoint=shop&connector=stripe&from=1h`)).json;
  assert.deepEqual(events.map((event) => event.event_id), [sent.event]);
  const text = await run('events', 'show', sent.event);
  assert.equal(text.code, 0, text.err);
  assert.match(text.out, /^event_id +shop:stripe:evt_admin_/m);
  assert.match((await run('events', 'ls', '--subject', `pi_${sent.id}`)).out, new RegExp(sent.event));
});

test('pages are bounded, follow each other without gaps, and the command reads them all', async () => {
  for (let i = 0; i < 12; i++) await post();
  const all = (await call('GET', 'events?limit=500')).json.events.map((event) => event.id);
  const paged = [];
  let cursor;
  do {
    const page = (await call('GET', `events?limit=5${cursor ? `&cursor=${cursor}` : ''}`)).json;
    assert.ok(page.events.length <= 5);
    paged.push(...page.events.map((event) => event.id));
    cursor = page.next;
  } while (cursor);
  assert.deepEqual(paged, all);
  assert.equal((await call('GET', 'events?limit=999999999')).status, 200, 'a huge limit is the largest page');
  const lines = (await run('events', 'ls', '--all', '--output', 'json')).out.trim().split('\n').map((line) => JSON.parse(line).id);
  assert.deepEqual(lines, all);
  const some = await run('events', 'ls', '--limit', '3', '--output', 'json');
  assert.equal(some.out.trim().split('\n').length, 3);
});

test('what is not well formed is an error that says what, and never a list of everything', async () => {
  for (const [query, message] of [
    ['cursor=x', /cursor/], ['cursor=-1', /cursor/], ['cursor=99999999999999999999', /cursor/], ['limit=0', /limit/], ['limit=ten', /limit/],
    ['endpont=shop', /endpont: there is no such parameter/], ['type=NOPE', /type/], ['state=gone', /state/], ['from=yesterday', /from/],
    ['endpoint=', /endpoint/], ['a=%zz', /query/], ['endpoint=a&endpoint=b', /query/], ['endpoint=%00', /query/], ['subject=%ff', /query/]])
    error(await call('GET', `events?${query}`), 400, message);
  error(await call('GET', 'events/999999999999'), 404, /no event "999999999999" in the inbox/);
  error(await call('GET', 'events/nope'), 404, /no event "nope" in the inbox/);
  error(await call('GET', 'requests/0'), 404, /no request "0" in the inbox/);
  error(await call('GET', 'deliveries/9223372036854775807'), 404, /no delivery "9223372036854775807" in the inbox/);
  error(await call('GET', 'nothing'), 404, /nothing at this path/);
  error(await call('GET', '/admin/v2/events'), 404, /nothing at this path/);
  error(await call('GET', '/admin'), 404, /nothing at this path/);
  error(await call('GET', 'events/'), 404, /nothing at this path/);
  const wrong = await call('DELETE', 'events');
  error(wrong, 405, /another method/);
  assert.equal(wrong.headers.allow, 'GET');
  error(await call('GET', 'replay'), 405, /another method/);
  for (const body of ['{', '[]', '1', '{"events":[]}', '{"events":"1"}', '{}', '{"events":["1"],"filter":{"endpoint":"shop"}}', '{"filter":{}}',
    '{"filter":{"endpoint":7.5,"x":{}}}', '{"event":["1"]}', '{"filter":{"endpoint":"shop"},"destinations":["nope"]}', '{"filter":{"endpoint":"shop"},"destinations":[]}',
    '{"filter":{"endpoint":"shop"},"cursor":"x"}', '{"filter":{"endpoint":"shop"},"dry_run":"no"}', `{"events":[${'"1",'.repeat(1000)}"1"]}`])
    error(await call('POST', 'replay', { body }), 400, /./);
  error(await call('POST', 'replay', { body: { events: ['nope'] } }), 404, /no event "nope" in the inbox/);
  for (const events of [[[1, 2]], [{ a: 1 }], [null], [true]]) error(await call('POST', 'replay', { body: { events } }), 400, /list of 1 to 1000 ids/);
  const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
  error(await call('POST', 'replay', { body: `{"filter":${deep}}` }), 400, /filter/);
  error(await call('POST', 'replay', { body: '{}', type: 'text/plain' }), 415, /application\/json/);
  error(await call('POST', 'deliveries/retry', { body: { all: true } }), 400, /filter/);
  error(await call('POST', 'destinations/nope/pause'), 404, /no destination/);
});

test('garbage on the socket is refused by the same HTTP reader', async () => {
  const text = await new Promise((resolve) => {
    let got = '';
    const client = net.connect(socket, () => client.write('GET /admin/v1/events HTTP/1.1\r\n\r\n'));
    client.setEncoding('latin1').on('data', (part) => { got += part; }).on('close', () => resolve(got));
  });
  assert.match(text, /^HTTP\/1\.1 400 /);
  const { text: huge } = await rawExchange(gateway.port, `GET /admin/v1/events?subject=${'a'.repeat(100000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  assert.match(huge, /^HTTP\/1\.1 (4\d\d) /);
});

// ---- what may be seen ----

test('personal data is masked, unless the scope raw is there and asks; signatures never show', async () => {
  const sent = await post({ object: { receipt_email: 'jo.do@shop.example', shipping: { name: 'Jo Do', address: { line1: 'Way 1' } }, note: 'card 4242 4242 4242 4242' } });
  const { request } = (await call('GET', `events/${encodeURIComponent(sent.event)}`)).json;
  const masked = await call('GET', `requests/${request}`);
  assert.equal(masked.json.masked, true);
  for (const secret of ['jo.do', 'Jo Do', 'Way 1', '4242 4242', secrets.NEW]) assert.ok(!masked.text.includes(secret), `${secret} in ${masked.text}`);
  assert.match(masked.json.body, /\*\*\*\* \*\*\*\* \*\*\*\* 4242/);
  assert.equal(masked.json.headers.find((header) => /^stripe-signature$/i.test(header.name)).value, '***');
  const raw = await call('GET', `requests/${request}/raw`, { token: tokens.ALL });
  assert.equal(raw.headers['content-type'], 'application/octet-stream');
  assert.equal(raw.headers['x-content-type-options'], 'nosniff');
  assert.ok(!raw.text.includes('jo.do'));
  const bare = await call('GET', `requests/${request}?unmasked=true`, { token: tokens.ALL });
  assert.equal(bare.json.masked, false);
  assert.match(bare.json.body, /jo\.do@shop\.example/);
  assert.equal(bare.json.headers.find((header) => /^stripe-signature$/i.test(header.name)).value, '***');
  const bytes = await run('requests', 'show', request, '--raw', '--unmasked');
  assert.equal(JSON.parse(bytes.out).data.object.shipping.name, 'Jo Do');
  const command = await run('requests', 'show', request);
  assert.equal(command.code, 0, command.err);
  assert.ok(!command.out.includes('jo.do'));
});

test('a forgery is in quarantine, told to nobody, and is not replayed', async () => {
  const forged = await post({ key: 'whsec_of_somebody_else' });
  assert.equal(forged.status, 401);
  const { requests } = (await call('GET', 'requests?standing=quarantined')).json;
  assert.equal(requests[0].verdict, 'forged');
  const held = (await call('GET', 'events?limit=1')).json.events[0];
  assert.equal(held.held, true);
  const replayed = await call('POST', 'replay', { body: { events: [held.id], destinations: ['app'] } });
  assert.deepEqual([replayed.json.events, replayed.json.held, replayed.json.held_incomplete, replayed.json.deliveries], [0, 1, 0, 0]);
  const typed = await run('replay', held.id);
  assert.equal(typed.code, 1, 'it was to be sent, and was not');
  assert.match(typed.out, /^1 event is held and not sent: forged, or not verified yet/m);
  assert.match(typed.out, /^sent 0 events in 0 deliveries/m);
  assert.equal((await run('replay', held.id, '--output', 'json')).code, 1);
  assert.equal((await run('replay', held.id, '--dry-run')).code, 0, 'it was asked what would be, and that is said');
  assert.equal((await call('POST', 'requests/reverify')).status, 202);
  await until('looked at again', async () => (await call('GET', 'status')).json.follow_up.reverified > 0);
  assert.match((await run('requests', 'ls', '--standing', 'quarantined')).out, /forged/);
});

test('a name or word in a filter that nothing has is an error that tells the nearest', async () => {
  for (const [path, message] of [
    ['events?endpoint=shp', /^endpoint: no endpoint is called "shp"; did you mean "shop"\?$/],
    ['events?connector=strpe', /^connector: no connector is called "strpe"; did you mean "stripe"\?$/],
    ['events?destination=ap', /^destination: no destination is called "ap"; did you mean "app"\?$/],
    ['deliveries?destination=nobody', /^destination: no destination is called "nobody"; known: app, fragile, refunds$/],
    ['events?class=paymnt', /^class: no class is called "paymnt"; did you mean "payment"\?$/],
    ['events?class=card', /^class: no class is called "card"; known: payment, refund, dispute, /],
    ['events?type=payment_intent_succes', /^type: no event type is called .*; did you mean "PAYMENT_INTENT_SUCCESS"\?$/],
    ['deliveries?state=deed', /^state: no state is called "deed"; did you mean "dead"\?$/],
    ['requests?standing=quarantine', /did you mean "quarantined"\?$/],
    ['requests?endpoint=shp', /did you mean "shop"\?$/],
    ['tail?endpoint=shp&wait=0', /did you mean "shop"\?$/]])
    error(await call('GET', path), 400, message);
  error(await call('POST', 'replay', { body: { filter: { endpoint: 'shp' } } }), 400, /did you mean "shop"/);
  error(await call('POST', 'replay', { body: { events: ['1'], destinations: ['ap'] } }), 400, /did you mean "app"/);
  error(await call('POST', 'replay', { body: { events: ['1'], destinations: ['app', 1] } }), 400, /a list of names/);
  error(await call('POST', 'deliveries/retry', { body: { filter: { destination: 'ap' } } }), 400, /did you mean "app"/);
  error(await call('POST', 'destinations/ap/pause'), 404, /did you mean "app"/);
  assert.equal((await call('GET', 'events?connector=adyen')).status, 200, 'a connector that nothing came for is no slip');
  assert.equal((await call('GET', 'events?class=Payment')).status, 200);
  const typed = await run('replay', '1', '--only-to', 'ap');
  assert.equal(typed.code, 2);
  assert.match(typed.err, /no destination is called "ap"; did you mean "app"\?/);
});

test('a request is as long in the list as when it is shown', async () => {
  await post();
  const [listed] = (await call('GET', 'requests?limit=1')).json.requests;
  const raw = await run('requests', 'show', listed.id, '--raw', '--unmasked');
  assert.equal(listed.bytes, raw.out.length);
  assert.equal((await call('GET', `requests/${listed.id}`)).json.bytes, listed.bytes);
});

// ---- sending again ----

test('a replay sends the same event again, marked; a dry run sends nothing', async () => {
  const sent = await post();
  await until('told', () => told(sent.event).length === 1);
  const dry = await call('POST', 'replay', { body: { events: [sent.event], dry_run: true } });
  assert.deepEqual([dry.json.dry_run, dry.json.events, dry.json.deliveries], [true, 1, 1]);
  assert.equal(dry.json.first[0].event_id, sent.event);
  const done = await run('replay', sent.event);
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /sent 1 events in 1 deliveries/);
  await until('told again', () => told(sent.event).length === 2);
  const [first, second] = told(sent.event);
  assert.equal(first.replay, undefined);
  assert.equal(second.replay, true);
  assert.deepEqual(second.data, first.data);
  const one = await call('POST', 'replay', { body: { events: [sent.event, sent.event], destinations: ['refunds'] } });
  assert.equal(one.json.deliveries, 1, 'named destinations are told, whatever they ask for; an event twice is one');
  await until('told a third time', () => told(sent.event).length === 3);
});

test('a replay by time counts first, and sends page by page with --yes', async () => {
  const from = new Date(Date.now() - 1).toISOString();
  await new Promise((resolve) => setTimeout(resolve, 10));
  const sent = [];
  for (let i = 0; i < 5; i++) sent.push((await post()).event);
  await until('told', () => sent.every((id) => told(id).length === 1));
  const dry = await run('replay', '--from', from);
  assert.match(dry.out, /would send 5 events in 5 deliveries/);
  assert.match(dry.out, /nothing was sent: add --yes/);
  assert.equal((await run('replay')).code, 2, 'without any filter it is refused');
  const done = await run('replay', '--from', from, '--yes');
  assert.match(done.out, /sent 5 events in 5 deliveries/);
  await until('told again', () => sent.every((id) => told(id).length === 2));
  const none = await run('replay', '--from', from, '--to', from, '--yes');
  assert.match(none.out, /^no such events\nsent 0 events/m);
  assert.equal(none.code, 0, 'there was nothing to send');
});

test('the same version reads the same bytes again; a page that changed shows the difference first', async () => {
  const sent = await post();
  await until('told', () => told(sent.event).length === 1);
  const all = await call('POST', 'replay', { body: { filter: { from: '1h' }, dry_run: true, rederive: true } });
  assert.equal(all.json.rederived.changed, 0, all.text);
  assert.ok(all.json.rederived.same > 10);
  assert.deepEqual(all.json.rederived.skipped, []);
  const same = await run('replay', sent.event, '--rederive');
  assert.match(same.out, /1 read the same, 0 otherwise/);
  assert.match(same.out, /nothing was sent: add --yes/);
});

test('a dead letter is retried by hand; what was accepted is not', async () => {
  const sent = await post({ type: 'charge.dispute.created', object: { object: 'dispute', status: 'needs_response' } });
  const dead = await until('dead', async () => (await call('GET', 'deliveries?state=dead&destination=fragile')).json.deliveries
    .find((delivery) => delivery.event_id === sent.event));
  sink.fragile = 200;
  assert.equal(dead.last_status, 500);
  await until('told app', () => told(sent.event).length === 1);
  const seen = (await call('GET', `events/${dead.event}`)).json;
  assert.equal(seen.deliveries_count.dead, 1);
  assert.match((await run('deliveries', 'retry', '--dead', '--destination', 'fragile')).out, /would retry 1 deliveries/);
  const retried = await run('deliveries', 'retry', '--dead', '--destination', 'fragile', '--yes');
  assert.match(retried.out, /retried 1 deliveries/);
  await until('told fragile', () => told(sent.event).length === 2);
  const done = await until('done', async () => {
    const { json } = await call('GET', `deliveries/${dead.id}`);
    return json.state === 'done' && json;
  });
  assert.deepEqual(done.attempts.map(({ number, status, then }) => [number, status, then]),
    [[1, 500, 'waiting'], [2, 500, 'dead'], [3, 200, 'done']], 'as it went');
  assert.equal(done.attempts_count, 3, 'a retry keeps what was');
  assert.equal(done.tries, 0, 'and begins anew');
  assert.match((await run('deliveries', 'ls', '--destination', 'fragile')).out, /^ID .* ATTEMPTS .*\n.* done +3 /);
  error(await call('POST', `deliveries/${dead.id}/retry`), 409, /replay/);
  const none = await run('deliveries', 'retry', '--dead', '--destination', 'fragile', '--yes');
  assert.equal(none.code, 0, none.err);
  assert.match(none.out, /^nothing is dead\nretried 0 deliveries\n$/);
  assert.doesNotMatch((await run('deliveries', 'retry', '--dead')).out, /add --yes/);
  const again = await run('deliveries', 'retry', dead.id);
  assert.equal(again.code, 1);
  assert.match(again.err, /to send the event again, replay it/);
});

test('a delivery that waits is tried now', async () => {
  sink.status = 503;
  const sent = await post();
  const waiting = await until('waiting', async () => (await call('GET', 'deliveries?state=waiting')).json.deliveries
    .find((delivery) => delivery.event_id === sent.event));
  sink.status = 200;
  assert.equal((await run('deliveries', 'retry', waiting.id)).code, 0);
  await until('told', () => told(sent.event).length === 1);
});

test('a paused destination is sent nothing until it is resumed', async () => {
  assert.equal((await run('destinations', 'pause', 'app')).code, 0);
  const sent = await post();
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(told(sent.event).length, 0);
  const app = (await call('GET', 'destinations')).json.destinations.find((one) => one.name === 'app');
  assert.equal(app.paused, true);
  assert.ok(app.backlog >= 1);
  assert.ok(!app.url.includes('hidden'), 'a query may be a key');
  assert.match((await run('destinations', 'ls')).out, /app +\d+ .* yes /);
  assert.equal((await run('destinations', 'resume', 'app')).code, 0);
  await until('told', () => told(sent.event).length === 1);
});

// ---- tail, endpoints, status ----

test('tail shows events as they come, from where it was', async () => {
  const begin = await call('GET', 'tail?wait=0');
  assert.equal(begin.text, '');
  const waiting = call('GET', `tail?after=${begin.headers['payhook-after']}`);
  const sent = await post();
  const lines = (await waiting).text.trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(lines.map((line) => line.event_id), [sent.event]);
  const next = await post();
  const later = await call('GET', `tail?after=${(await waiting).headers['payhook-after']}&wait=1`);
  assert.deepEqual(later.text.trim().split('\n').map((line) => JSON.parse(line).event_id), [next.event]);
  const tail = run('tail', '--limit', '1', '--output', 'json', '--subject', 'pi_evt_tail');
  await new Promise((resolve) => setTimeout(resolve, 400));
  await post();
  await post({ id: 'evt_tail' });
  assert.equal(JSON.parse((await tail).out).event_id, 'shop:stripe:evt_tail');
});

test('a client of tail that goes away leaves nothing behind, and tails have a bound', async () => {
  const clients = Array.from({ length: 80 }, () => net.connect(socket, function ask() {
    this.write('GET /admin/v1/tail HTTP/1.1\r\nHost: x\r\n\r\n');
  }));
  const answers = clients.map((client) => { client.text = ''; client.setEncoding('latin1').on('data', (part) => { client.text += part; }).on('error', () => {}); return client; });
  await until('refused past the bound', async () => answers.filter((client) => client.text.startsWith('HTTP/1.1 503')).length >= 80 - 64);
  assert.ok(answers.filter((client) => client.text.startsWith('HTTP/1.1 503')).length < 80);
  for (const client of clients) client.destroy();
  await until('there is room again', async () => (await call('GET', 'status')).status === 200);
});

test('endpoints say which secrets are in use, and since when the new one alone', async () => {
  await post({ key: secrets.OLD });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const before = (await call('GET', 'endpoints')).json.endpoints[0].secrets;
  assert.deepEqual(before.map((secret) => secret.secret), ['env:NEW', 'env:OLD']);
  assert.equal(before[0].alone_since, undefined);
  await post();
  const [fresh, old] = (await call('GET', 'endpoints')).json.endpoints[0].secrets;
  assert.ok(fresh.alone_since >= old.last_used_at, JSON.stringify([fresh, old]));
  assert.equal(old.alone_since, undefined);
  assert.equal(old.used, 1);
  const text = await run('endpoints', 'status');
  assert.match(text.out, /shop +stripe +env:NEW/);
  assert.ok(!text.out.includes(secrets.NEW));
});

test('endpoints say what keeps thin events from being fetched, and for which account', async () => {
  const [shop, many] = (await call('GET', 'endpoints')).json.endpoints;
  assert.deepEqual([shop.name, shop.lacks, shop.lacks_account], ['shop', 'api_key', undefined]);
  assert.deepEqual([many.name, many.lacks, many.lacks_account], ['many', 'api_key', 'acct_2']);
});

test('status says how the inbox is', async () => {
  const status = (await call('GET', 'status', { token: tokens.READ })).json;
  assert.equal(status.inbox.state, 'healthy');
  assert.equal(status.inbox.folder, data);
  assert.ok(status.inbox.events > 20);
  assert.match((await run('status', '--admin', `http://127.0.0.1:${gateway.port}`, '--token', 'env:T_READ')).out, /^inbox\.state +healthy/m);
});

test('the commands say who does not answer, and take no token from the command line', async () => {
  const nobody = await run('events', 'ls', '--admin', `unix:${folder}/none.sock`);
  assert.equal(nobody.code, 1);
  assert.match(nobody.err, /nobody answers; is payhook serve running there/);
  const told = await run('events', 'ls', '--admin', `http://127.0.0.1:${gateway.port}`, '--token', tokens.READ);
  assert.equal(told.code, 2);
  assert.ok(!told.err.includes(tokens.READ));
  assert.equal((await run('events', 'ls', '--state', 'gone')).code, 2);
  assert.equal((await run('events', 'nope')).code, 2);
});

test('a page that reads events otherwise: the difference is shown, and stored with --yes', async () => {
  const sent = await post();
  await until('told', () => told(sent.event).length === 1);
  assert.equal(await gateway.stop(), 0);
  const page = readFileSync(new URL('../../connectors/stripe.yaml', import.meta.url), 'utf8');
  const other = page.replace('/data/object/metadata/order_id', '/data/object/id');
  assert.notEqual(other, page);
  rmSync(`${folder}/pages`, { recursive: true, force: true });
  (await import('node:fs')).mkdirSync(`${folder}/pages`);
  writeFileSync(`${folder}/pages/stripe.yaml`, other);
  configure(`connectors: ${folder}/pages\n`);
  gateway = await startGateway();
  const dry = await run('replay', sent.event, '--rederive');
  assert.equal(dry.code, 0, dry.err);
  assert.match(dry.out, /merchant_transaction_id\n +- \(not there\)\n +\+ "pi_evt_admin_/);
  assert.match(dry.out, /0 read the same, 1 otherwise/);
  assert.equal((await call('GET', `events/${encodeURIComponent(sent.event)}`)).json.answer.event_response.payments_response.merchant_transaction_id, undefined);
  const done = await run('replay', sent.event, '--rederive', '--yes');
  assert.equal(done.code, 0, done.err);
  await until('told again', () => told(sent.event).length === 2);
  assert.equal(told(sent.event)[1].data.event_response.payments_response.merchant_transaction_id, `pi_${sent.id}`);
  assert.match((await run('replay', sent.event, '--rederive')).out, /1 read the same, 0 otherwise/);
});

test('what the configuration had once can still be looked for', async () => {
  assert.equal(await gateway.stop(), 0);
  const path = `${folder}/payhook.yaml`;
  writeFileSync(path, readFileSync(path, 'utf8').replace('  shop: {', '  store: {').replace(/^  fragile: .*\n/m, ''));
  gateway = await startGateway();
  assert.ok((await call('GET', 'events?endpoint=shop')).json.events.length > 0);
  assert.ok((await call('GET', 'deliveries?destination=fragile')).json.deliveries.length > 0);
  assert.equal((await call('GET', 'events?endpoint=store')).json.events.length, 0, 'nothing came by it yet');
  error(await call('GET', 'events?endpoint=shops'), 400, /no endpoint is called "shops"; known: store/);
  error(await call('POST', 'replay', { body: { events: ['1'], destinations: ['fragile'] } }), 400, /no destination is called "fragile"/);
});
