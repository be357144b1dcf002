// What the gateway says of itself: /metrics, /healthz, /readyz, a line for each webhook, whose trace it is.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { adyen, each, post, query, startGateway, startSink, stripe, stripeSecret, until } from './gateway.mjs';
import { askAdmin } from './openapi.mjs';
import { binary, root } from './server.mjs';

const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const parse = (log) => log.split('\n').filter(Boolean).map((line) => JSON.parse(line));
let sink, gateway, config;

before(async () => {
  sink = await startSink();
  config = { destinations: { shop: sink.destination }, log: { level: 'info', format: 'json' } };
  gateway = await startGateway(config);
});
after(async () => {
  assert.equal(await gateway.stop(), 0);
  await sink.stop();
});

// As promtool check metrics does: HELP and TYPE once and before the samples, samples of a family together, no series
// twice, names and values that read, counters named so, histograms cumulative and complete.
function checkExposition(text) {
  const families = new Map(), series = new Set();
  let current;
  assert.ok(text.endsWith('\n'));
  for (const line of text.slice(0, -1).split('\n')) {
    const head = line.match(/^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/);
    if (head) {
      const [, kind, name, rest] = head;
      if (kind === 'HELP') assert.ok(!families.has(name), `HELP of ${name} twice`);
      else assert.equal(current?.name, name, `TYPE of ${name} without its HELP before it`);
      if (kind === 'HELP') families.set(name, current = { name, samples: [] });
      else current.type = rest;
      continue;
    }
    const sample = line.match(/^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (-?\d+(?:\.\d+)?)$/);
    assert.ok(sample, `not a sample: ${line}`);
    const [, name, labels = '', value] = sample;
    const base = current.type === 'histogram' ? name.replace(/_(bucket|sum|count)$/, '') : name;
    assert.equal(base, current.name, `${name} stands outside its family`);
    assert.ok(!series.has(`${name}{${labels}}`), `${name}{${labels}} twice`);
    series.add(`${name}{${labels}}`);
    current.samples.push({ name, labels, value: Number(value) });
  }
  for (const { name, type, samples } of families.values()) {
    assert.match(type, /^(counter|gauge|histogram)$/, name);
    assert.equal(type === 'counter', name.endsWith('_total'), `${name} is a ${type}`);
    if (type !== 'histogram') continue;
    const buckets = samples.filter((s) => s.name === `${name}_bucket`).map((s) => s.value);
    assert.deepEqual(buckets, [...buckets].sort((a, b) => a - b), `${name} is not cumulative`);
    assert.ok(samples.some((s) => s.labels.endsWith('le="+Inf"')), name);
    assert.equal(samples.find((s) => s.name === `${name}_count`).value, buckets.at(-1), name);
    assert.ok(samples.some((s) => s.name === `${name}_sum`), name);
  }
  return families;
}

test('/metrics counts webhooks by endpoint, verdict and what became of them', async () => {
  await post(gateway, 'stripe', stripe('m1'));
  await post(gateway, 'stripe', stripe('m1'));
  await post(gateway, 'stripe', stripe('m2', { secret: 'another' }));
  await post(gateway, 'stripe', stripe('m3', { at: Date.now() - 3_600_000 }));
  await post(gateway, 'stripe', { body: '{}' });
  await post(gateway, 'stripe', { body: 'no JSON', headers: stripe('m4').headers });
  await post(gateway, 'stripe', { method: 'GET' });
  await post(gateway, 'adyen', adyen('m1'));
  await post(gateway, 'nobody', stripe('m1'));
  await post(gateway, 'nobody"} 1\n', stripe('m1')).catch(() => {});
  await until(async () => (await gateway.figures())['payhook_destination_attempts_total{destination="shop",outcome="accepted"}'] === 2, '2 deliveries');
  const figures = await gateway.figures();
  const received = (endpoint, verdict) => figures[`payhook_webhooks_received_total{endpoint="${endpoint}",connector="${endpoint}",verdict="${verdict}"}`];
  const ended = (endpoint, outcome) => figures[`payhook_webhooks_ended_total{endpoint="${endpoint}",connector="${endpoint}",outcome="${outcome}"}`];
  assert.equal(received('stripe', 'verified'), 2);
  assert.equal(received('stripe', 'stale'), 1);
  assert.equal(received('stripe', 'no_signature'), 1);
  assert.ok(received('stripe', 'forged') >= 1);
  assert.equal(received('adyen', 'verified'), 1);
  assert.equal(ended('stripe', 'stored'), 1);
  assert.equal(ended('stripe', 'duplicate'), 1);
  assert.equal(ended('stripe', 'quarantined'), 4);
  assert.equal(ended('stripe', 'refused'), 1);
  assert.equal(ended('stripe', 'failed'), 0);
  assert.ok(figures.payhook_webhooks_unknown_endpoint_total >= 1);
  assert.equal(figures.payhook_inbox_quarantined_requests, 4);
  assert.equal(figures['payhook_destination_backlog{destination="shop"}'], 0);
  assert.ok(figures.payhook_inbox_batches_total > 0 && figures.payhook_inbox_commit_seconds_count === figures.payhook_inbox_batches_total);
  assert.ok(figures.payhook_webhook_seconds_count >= 8);
});

test('/metrics is as Prometheus reads it, and its families are those of the documentation', async () => {
  const response = await gateway.get('/metrics');
  assert.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const families = checkExposition(response.text);
  const told = new Set([...readFileSync(`${root}docs/watching.md`, 'utf8').matchAll(/^\| `(payhook_\w+)/gm)].map((match) => match[1]));
  assert.deepEqual([...families.keys()].sort(), [...told].sort());
});

test('label values come from the configuration alone: strangers make no series', async () => {
  const before = Object.keys(await gateway.figures()).length;
  await each(200, 20, (i) => post(gateway, `made-up-${i}`, { body: '{}' }));
  assert.equal(Object.keys(await gateway.figures()).length, before);
});

function destinations(g) {
  const out = execFileSync(binary, ['destinations', 'ls', '--output', 'json', '--admin', `unix:${g.home}/data/admin.sock`], { encoding: 'utf8' });
  return out.trim().split('\n').map((line) => JSON.parse(line));
}

test('a backlog shows with its age, and a destination that fails with its breaker', async () => {
  const gone = { url: 'http://127.0.0.1:1/events', secret: ['env:SHOP_SECRET'] };
  const g = await startGateway({ destinations: { gone } });
  await each(20, 4, (i) => post(g, 'stripe', stripe(`b${i}`)));
  const figures = await until(async () => {
    const f = await g.figures();
    return f['payhook_destination_breaker{destination="gone",state="open"}'] === 1 && f['payhook_destination_oldest_seconds{destination="gone"}'] > 0.5 && f;
  }, 'the breaker to open');
  assert.equal(figures['payhook_destination_backlog{destination="gone"}'], 20);
  assert.equal(figures['payhook_destination_breaker{destination="gone",state="closed"}'], 0);
  assert.ok(figures['payhook_destination_attempts_total{destination="gone",outcome="failed"}'] >= 5);
  assert.ok(figures['payhook_destination_breaker_openings_total{destination="gone"}'] >= 1);
  const shown = await until(() => destinations(g).find((d) => d.breaker === 'open'), 'it to be open, as the admin API has it');
  assert.ok(Math.abs(Date.parse(shown.breaker_until) - Date.now()) < 60_000, `open until ${shown.breaker_until}`);
  assert.equal(await g.stop(), 0);
});

test('each webhook is one line, with what became of it and no secret', async () => {
  const g = await startGateway(config);
  const body = stripe('l1');
  await post(g, 'stripe', { ...body, headers: { ...body.headers, traceparent: trace, 'x-request-id': 'ours-1' } });
  await post(g, 'stripe', stripe('l1'));
  await post(g, 'stripe', stripe('l2', { secret: 'another' }));
  await post(g, 'stripe', { ...stripe('l3'), headers: { ...stripe('l3').headers, 'x-request-id': '4242424242424242' } });
  await post(g, 'adyen', adyen('l1'));
  await post(g, 'nobody?token=t0ken', stripe('l1'));
  assert.equal(await g.stop(), 0);
  const lines = parse(g.log).filter((line) => line.message === 'webhook');
  assert.deepEqual(lines.map((l) => [l.level, l.endpoint, l.outcome, l.status, l.verdict]), [
    ['info', 'stripe', 'stored', 200, 'VERIFIED'], ['info', 'stripe', 'duplicate', 200, 'VERIFIED'],
    ['warning', 'stripe', 'quarantined', 401, 'FORGED'], ['info', 'stripe', 'stored', 200, 'VERIFIED'],
    ['info', 'adyen', 'stored', 200, 'VERIFIED'], ['info', undefined, 'refused', 404, undefined]]);
  const [first, , forged, masked, , lost] = lines;
  assert.equal(first.traceparent, trace);
  assert.equal(first.request_id, 'ours-1');
  assert.equal(first.event_type, 'PAYMENT_INTENT_SUCCESS');
  assert.equal(first.remote, '127.0.0.1');
  assert.equal(first.request, 1);
  assert.ok(Number.isInteger(first.ms) && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(first.time));
  assert.match(forged.reason, /signature/);
  assert.equal(masked.request_id, '************4242');
  assert.deepEqual([lost.method, lost.path, lost.remote, first.path], ['POST', '/webhooks/nobody', '127.0.0.1', undefined]);
  assert.ok(!g.log.includes('t0ken'));
  for (const secret of [body.headers['stripe-signature'].slice(-64), 'gateway_secret', '44782DEF'])
    assert.ok(!g.log.includes(secret));
});

test('an endpoint without a valid secret is an alarm, in lines for people too', async () => {
  const g = await startGateway({ endpoints: { bare: { connector: 'stripe', secrets: [{ secret: 'env:STRIPE_WHSEC', not_after: '2020-01-01T00:00:00Z' }] } }, log: { format: 'text' } });
  assert.equal((await post(g, 'bare', stripe('n1'))).status, 503);
  assert.equal(await g.stop(), 0);
  assert.match(g.log, /^\S+Z error webhook endpoint=bare connector=stripe outcome=quarantined status=503 .*verdict=NO_SECRET/m);
});

test('what no endpoint takes is told with its path and its sender, masked and cut', async () => {
  const g = await startGateway(config);
  assert.equal((await post(g, 'stripe', { method: 'GET' })).status, 405);
  assert.equal((await post(g, '4242424242424242', { body: '{}' })).status, 404);
  assert.equal((await post(g, 'x'.repeat(1000), { body: '{}' })).status, 404);
  assert.equal(await g.stop(), 0);
  const lines = parse(g.log).filter((line) => line.message === 'webhook');
  assert.deepEqual(lines.map((l) => [l.status, l.method, l.path.slice(0, 30), l.remote]), [
    [405, 'GET', '/webhooks/stripe', '127.0.0.1'], [404, 'POST', '/webhooks/************4242', '127.0.0.1'],
    [404, 'POST', `/webhooks/${'x'.repeat(20)}`, '127.0.0.1']]);
  assert.equal(lines[2].path.length, 200);
});

test('an account that is not configured is named, in the log and with the request, and counted', async () => {
  const g = await startGateway({ log: { level: 'error', format: 'json' }, endpoints: { shops: {
    connector: 'adyen', by: '/notificationItems/0/NotificationRequestItem/merchantAccountCode', accounts: { ShopECOM: { secrets: ['env:ADYEN_HMAC'] } } } } });
  assert.equal((await post(g, 'shops', adyen('a1'))).status, 200);
  assert.equal((await post(g, 'shops', adyen('a2', { account: 'ShopDE' }))).status, 503);
  const [row] = query(g, "SELECT verdict, verdict_reason FROM request_list WHERE standing = 'quarantined'");
  assert.equal(row.verdict, 'no_secret');
  assert.match(row.verdict_reason, /^no account of this endpoint is called "ShopDE" \(by \/notificationItems/);
  assert.equal((await g.figures())['payhook_webhooks_unknown_account_total{endpoint="shops",connector="adyen"}'], 1);
  assert.equal(await g.stop(), 0);
  const [line] = parse(g.log);
  assert.deepEqual([line.level, line.endpoint, line.outcome, line.reason], ['error', 'shops', 'quarantined', row.verdict_reason]);
});

test('reloads, what they verify again, and the end are lines of the log', async () => {
  const endpoints = (...names) => ({ stripe: { connector: 'stripe', secrets: names.map((name) => `env:${name}`) } });
  const settings = { log: { format: 'json' }, endpoints: endpoints('STRIPE_WHSEC') };
  const g = await startGateway(settings, { more: { OTHER: 'whsec_other' } });
  const lines = (message) => parse(g.log).filter((line) => line.message === message);
  assert.equal((await post(g, 'stripe', stripe('late', { secret: 'whsec_other' }))).status, 401);
  assert.equal((await post(g, 'stripe', stripe('never', { secret: 'whsec_nobody' }))).status, 401);
  await g.reload({ ...settings, endpoints: endpoints('STRIPE_WHSEC', 'OTHER'), threads: 3 });
  const [round] = await until(() => lines('quarantine verified again').length > 0 && lines('quarantine verified again'), 'the quarantine to be verified again');
  assert.deepEqual([round.level, round.requests, round.accepted, round.known, round.pending, round.refused, round.skipped], ['info', 2, 1, 0, 0, 1, 0]);
  const [read] = lines('reload').filter((line) => line.configuration);
  assert.deepEqual([read.level, read.configuration, read.changed, read.settings, read.restart_for], ['warning', 'read', 2, 'endpoints.stripe.secrets', 'threads']);
  await g.reload({ ...settings, endpoints: endpoints('STRIPE_WHSEC', 'OTHER'), threads: 3 }); // nothing new, and still
  const again = await until(() => lines('reload').filter((line) => line.configuration)[1], 'the second reload to be told');
  assert.deepEqual([again.level, again.changed, again.settings, again.restart_for], ['warning', 0, undefined, 'threads']);
  g.write({ ...settings, endpoints: { stripe: { connector: 'strip' } } });
  g.child.kill('SIGHUP');
  const after = await until(() => lines('reload').some((line) => line.configuration === 'kept') && lines('reload'), 'what is wrong to be said');
  assert.ok(after.some((line) => line.level === 'error' && /no connector is called "strip"; did you mean "stripe"/.test(line.text)), JSON.stringify(after));
  assert.deepEqual([after.at(-1).level, after.at(-1).configuration], ['error', 'kept']);
  assert.equal((await g.figures())['payhook_reloads_total{outcome="kept"}'], 1);
  assert.equal((await post(g, 'stripe', stripe('still'))).status, 200);
  assert.equal(await g.stop(), 0);
  assert.deepEqual(lines('shutdown').map((line) => [line.level, line.state]), [['info', 'draining'], ['info', 'finished']]);
  for (const line of g.log.split('\n').filter(Boolean)) assert.match(JSON.parse(line).time, /^\d{4}-/);
});

test('who changed what through the admin API is a line of the log, and who was not allowed to', async () => {
  const g = await startGateway({
    log: { level: 'info', format: 'json' }, admin: { tokens: { ops: { secret: 'env:T_OPS', scopes: ['control'] } } }, destinations: { shop: sink.destination },
  }, { more: { T_OPS: 'token_of_the_operators' } });
  const ask = async (path, { body, method = 'POST' } = {}) =>
    (await askAdmin({ host: '127.0.0.1', port: g.servicePort }, method, path, { token: 'token_of_the_operators', body })).status;
  assert.deepEqual([await ask('destinations/shop/pause'), await ask('destinations/nobody/pause')], [200, 404]);
  assert.equal(await ask('replay', { body: '{"events":["evt_1"],"mail":"someone@shop.example"}' }), 403);
  assert.equal(await ask('destinations', { method: 'GET' }), 403); // nothing was to change
  assert.equal(await g.stop(), 0);
  const lines = parse(g.log).filter((line) => line.message === 'admin');
  assert.deepEqual(lines.map((l) => [l.level, l.by, l.action, l.status]), [
    ['info', 'ops', 'destinations/shop/pause', 200], ['warning', 'ops', 'destinations/nobody/pause', 404], ['warning', 'ops', 'replay', 403],
  ]);
  assert.match(lines[2].body, /evt_1/);
  assert.ok(!g.log.includes('token_of_the_operators') && !g.log.includes('someone@shop.example'));
});

test('a destination that fails is told of at once, and not each time', async () => {
  const gone = { url: 'http://127.0.0.1:1/events', secret: ['env:SHOP_SECRET'], retry: { after: ['1s'] } };
  const g = await startGateway({ log: { level: 'info', format: 'json' }, destinations: { gone } });
  await each(3, 3, (i) => post(g, 'stripe', stripe(`f${i}`)));
  const told = () => parse(g.log).filter((line) => /does not get its events/.test(line.text));
  await until(() => told().length > 0, 'the first failure to be told');
  assert.deepEqual([told()[0].level, told()[0].destination], ['warning', 'gone']);
  await until(async () => (await g.figures())['payhook_destination_attempts_total{destination="gone",outcome="failed"}'] > 2, 'it to fail again');
  assert.equal(told().length, 1);
  assert.equal(await g.stop(), 0);
});

test('thin events that cannot be fetched are said once for each endpoint, until the next reload', async () => {
  const settings = { log: { level: 'warning', format: 'json' }, callouts: { enabled: false } };
  const g = await startGateway(settings);
  const held = () => parse(g.log).filter((line) => line.message === 'thin events are held');
  const thin = (id) => {
    const body = readFileSync(`${root}connectors/samples/stripe/thin/v1.payment_intent.succeeded.json`, 'utf8').replace(/"id":"evt_[^"]*"/, `"id":"evt_${id}"`);
    const time = Math.floor(Date.now() / 1000);
    return { body, headers: { 'stripe-signature': `t=${time},v1=${createHmac('sha256', stripeSecret).update(`${time}.`).update(body).digest('hex')}` } };
  };
  assert.equal((await post(g, 'stripe', thin('t1'))).status, 200);
  assert.equal((await post(g, 'stripe', thin('t2'))).status, 200);
  await until(() => query(g, 'SELECT count(*) AS count FROM requests WHERE work_tries > 0')[0].count === 2, 'both to be tried');
  await until(() => held().length > 0, 'it to be said');
  assert.deepEqual(held().map((line) => [line.level, line.endpoint, line.lacks]), [['warning', 'stripe', 'api_key']]);
  await g.reload(settings);
  assert.equal((await post(g, 'stripe', thin('t3'))).status, 200);
  await until(() => held().length === 2, 'it to be said again');
  assert.equal(await g.stop(), 0);
});

test('a dead letter is a line that names its delivery', async () => {
  const fails = { url: 'http://127.0.0.1:1/events', secret: ['env:SHOP_SECRET'], retry: { after: ['1s'], every: 'never' } };
  const g = await startGateway({ log: { level: 'warning', format: 'json' }, destinations: { fails } });
  await post(g, 'stripe', stripe('dead'));
  const line = await until(() => parse(g.log).find((one) => /is a dead letter/.test(one.text)), 'the line');
  const [row] = query(g, 'SELECT id FROM deliveries');
  assert.deepEqual([line.level, line.message, line.destination, line.delivery], ['warning', 'delivery', 'fails', row.id]);
  assert.ok(parse(g.log).filter((one) => one.message === 'delivery' && one.text !== line.text).every((one) => one.delivery === undefined));
  assert.equal(await g.stop(), 0);
});

test('the log follows the configuration at a reload', async () => {
  const g = await startGateway({ ...config, log: { level: 'error' } });
  await post(g, 'stripe', stripe('r1'));
  await g.reload({ ...config, log: { level: 'info', format: 'text' } });
  await post(g, 'stripe', stripe('r2'));
  assert.equal(await g.stop(), 0);
  assert.ok(!g.log.includes('evt_r1'));
  assert.match(g.log, /info webhook endpoint=stripe .*processor_event=evt_r2/);
});

test('a traceparent goes on to the destination; one that is not well-formed does not', async () => {
  const withTrace = (id, value) => { const s = stripe(id); return { ...s, headers: { ...s.headers, traceparent: value } }; };
  await post(gateway, 'stripe', withTrace('t1', trace));
  await post(gateway, 'stripe', withTrace('t2', trace.replace('4bf92f', '4BF92F')));
  await until(() => sink.bySubject.has('pi_t1') && sink.bySubject.has('pi_t2'), 'both events');
  const [one] = sink.bySubject.get('pi_t1'), [two] = sink.bySubject.get('pi_t2');
  assert.equal(one.traceparent, trace);
  assert.equal(one.headers.traceparent, trace);
  assert.equal(two.traceparent, undefined);
  assert.equal(two.headers.traceparent, undefined);
});

test('/healthz says alive, /readyz ready; many stale webhooks degrade it without taking it out', async () => {
  const g = await startGateway(config);
  assert.deepEqual(await g.get('/healthz').then((r) => [r.status, JSON.parse(r.text)]), [200, { status: 'alive' }]);
  assert.deepEqual(await g.get('/readyz').then((r) => [r.status, JSON.parse(r.text)]), [200, { status: 'ready' }]);
  await each(20, 4, (i) => post(g, 'stripe', stripe(`s${i}`, { at: Date.now() - 3_600_000, secret: 'a forger' })));
  assert.equal(JSON.parse((await g.get('/readyz')).text).status, 'ready'); // a forger cannot degrade it
  await each(20, 4, (i) => post(g, 'stripe', stripe(`s${i}`, { at: Date.now() - 3_600_000 })));
  const degraded = await g.get('/readyz');
  assert.equal(degraded.status, 200);
  assert.equal(JSON.parse(degraded.text).status, 'degraded');
  assert.match(JSON.parse(degraded.text).reason, /clock/);
  assert.equal(await g.stop(), 0);
});

test('health is told without the token, and metrics are not', async () => {
  const g = await startGateway({ service: { listen: '127.0.0.1:0', token: 'env:TOKEN' } }, { more: { TOKEN: 'a-long-enough-token' } });
  assert.equal((await g.get('/readyz')).status, 200);
  assert.equal((await g.get('/healthz')).status, 200);
  assert.equal((await g.get('/metrics')).status, 401);
  assert.equal(await g.stop(), 0);
});

test('metrics: false switches them off, at a reload too', async () => {
  const g = await startGateway({ metrics: false });
  assert.equal((await g.get('/metrics')).status, 404);
  await g.reload({ metrics: true });
  assert.equal((await g.get('/metrics')).status, 200);
  assert.equal(await g.stop(), 0);
});

// No file may grow past 600 blocks, as on a disk without room: a pipe is none.
test('a webhook that is not stored is logged with what the disk said and what to do', async () => {
  const g = await startGateway({ log: { level: 'info', format: 'json' } }, { wrap: ['sh', '-c', 'trap "" XFSZ; ulimit -f 600; exec "$@"', 'sh'] });
  let answer;
  for (let i = 0; i < 200 && answer?.status !== 503; i++) answer = await post(g, 'stripe', stripe(`full${i}`, { description: 'x'.repeat(20_000) }));
  assert.equal(answer.status, 503);
  const line = await until(() => g.log.split('\n').slice(0, -1).map((text) => JSON.parse(text)).find((l) => l.outcome === 'failed'), 'the line');
  assert.match(line.error, /inbox\.db: a commit failed: .*SQLite \d+\); check the disk: it goes on by itself/);
  await g.end('SIGKILL');
});
