// A payment's life in every order in which its webhooks can arrive: an application that does as docs/consume.md says ends in one state.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { each, post, query, startGateway, startSink, stripeSecret, until } from './gateway.mjs';
import { root } from './server.mjs';

const page = readFileSync(`${root}docs/consume.md`, 'utf8').match(/```js state\n([\s\S]*?)\n```/);
const file = `${mkdtempSync(`${tmpdir()}/payhook-state-`)}/state.mjs`;
writeFileSync(file, page[1]);
const { paymentAfter } = await import(file);

const second = Math.floor(Date.now() / 1000) - 100;
// Processors tell whole seconds: three of these are in one.
const life = [['payment_intent.created', 0], ['payment_intent.payment_failed', 1], ['payment_intent.amount_capturable_updated', 1],
  ['payment_intent.succeeded', 1], ['charge.refunded', 2]];

function permutations(list) {
  return list.length < 2 ? [list] : list.flatMap((one, i) => permutations(list.toSpliced?.(i, 1) ?? list.filter((_, k) => k !== i)).map((rest) => [one, ...rest]));
}

function webhook(payment, [type, after]) {
  const event = JSON.parse(readFileSync(`${root}connectors/samples/stripe/${type}.json`, 'utf8'));
  event.id = `evt_${payment}_${type}`;
  event.created = second + after;
  const object = event.data.object;
  if (object.object === 'payment_intent') object.id = `pi_${payment}`;
  else Object.assign(object, { id: `ch_${payment}`, payment_intent: `pi_${payment}` });
  const body = JSON.stringify(event), time = Math.floor(Date.now() / 1000);
  return { body, headers: { 'stripe-signature': `t=${time},v1=${createHmac('sha256', stripeSecret).update(`${time}.${body}`).digest('hex')}` } };
}

test('a payment ends in one state in whatever order its webhooks arrive and its events are told', async () => {
  const sink = await startSink(), orders = permutations(life);
  const g = await startGateway({ destinations: { shop: sink.destination } });
  assert.equal(orders.length, 120);
  await each(orders.length, 8, async (i) => {
    for (const one of orders[i]) assert.equal((await post(g, 'stripe', webhook(`life${i}`, one))).status, 200);
  });
  await until(() => orders.every((_, i) => sink.bySubject.get(`pi_life${i}`)?.length === life.length), 'all of them', 60_000);
  const states = new Set(), last = new Set();
  orders.forEach((order, i) => {
    const told = sink.bySubject.get(`pi_life${i}`).map((event) => event.body ?? event);
    for (const events of [told, [...told].reverse()]) states.add(events.reduce(paymentAfter, undefined).status);
    last.add(told.filter((event) => event.data.event_response?.payments_response).at(-1).data.event_response.payments_response.status);
  });
  assert.deepEqual([...states], ['CHARGED']);
  assert.ok(last.size > 1, 'the last event alone would have told it otherwise');
  // `late`: something newer was there when it came, which the order of arrival says.
  const late = new Map(query(g, 'SELECT subject, processor_type AS type, late FROM events').map((row) => [`${row.subject} ${row.type}`, row.late]));
  orders.forEach((order, i) => order.forEach(([type, after], k) => {
    const expected = order.slice(0, k).some(([, other]) => other > after);
    assert.equal(late.get(`pi_life${i} ${type}`), Number(expected), `${order.map(([t]) => t)}: ${type}`);
  }));
  assert.equal(await g.stop(), 0);
  await sink.stop();
});
