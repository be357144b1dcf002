// Whose event it is: endpoints, accounts and modes do not take each other's keys, and nothing unsigned makes a second event.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { adyenSecret, post, startGateway, startSink, stripe, stripeSecret, until } from './gateway.mjs';
import { askAdmin } from './openapi.mjs';

let gateway, sink;
const other = 'A'.repeat(64);
before(async () => {
  sink = await startSink();
  gateway = await startGateway({
    endpoints: {
      one: { connector: 'stripe', secrets: ['env:STRIPE_WHSEC'] },
      two: { connector: 'stripe', secrets: ['env:OTHER'] },
      here: { connector: 'stripe', secrets: ['env:STRIPE_WHSEC'], account: 'acct_1' },
      there: { connector: 'stripe', secrets: ['env:OTHER'], account: 'acct_1' },
      adyen: { connector: 'adyen', secrets: ['env:ADYEN_HMAC'] },
      plain: { connector: 'standardwebhooks', secrets: ['env:SHOP_SECRET'] },
      shared: {
        connector: 'adyen', by: '/notificationItems/0/NotificationRequestItem/merchantAccountCode',
        accounts: { EU: { secrets: 'env:ADYEN_HMAC' }, US: { secrets: 'env:OTHER' } },
      },
    },
    destinations: { shop: { ...sink.destination, once_per: 'effect' } },
  }, { more: { OTHER: other } });
});
after(async () => {
  assert.equal(await gateway.stop(), 0);
  await sink.stop();
});
const told = (subject) => sink.bySubject.get(subject) ?? [];
const quiet = () => new Promise((next) => setTimeout(next, 500));

const item = (psp, { account = 'EU', secret = adyenSecret } = {}) => {
  const i = { pspReference: psp, originalReference: '', merchantAccountCode: account, merchantReference: 'o1', amount: { value: 1130, currency: 'EUR' },
    eventCode: 'AUTHORISATION', success: 'true', eventDate: '2026-11-29T10:00:00+01:00', paymentMethod: 'visa', additionalData: {} };
  const text = [psp, '', account, 'o1', '1130', 'EUR', 'AUTHORISATION', 'true'].join(':');
  i.additionalData.hmacSignature = createHmac('sha256', Buffer.from(secret, 'hex')).update(text).digest('base64');
  return { NotificationRequestItem: i };
};
const notice = (items, live = 'true') => ({ body: JSON.stringify({ live, notificationItems: items }) });

test('the same id at two endpoints is two events, each with an id of its own', async () => {
  assert.equal((await post(gateway, 'one', stripe('twin'))).status, 200);
  assert.equal((await post(gateway, 'two', stripe('twin', { secret: other }))).status, 200);
  const events = await until(() => told('pi_twin').length === 2 && told('pi_twin'), 'both to be told');
  assert.deepEqual(events.map((event) => event.id).sort(), ['one:stripe:evt_twin', 'two:stripe:evt_twin']);
  for (const event of events) assert.equal(event.data.merchant_event_id, event.id);
});

test('endpoints that say they are of one account share its keys', async () => {
  assert.equal((await post(gateway, 'here', stripe('same'))).status, 200);
  assert.equal((await post(gateway, 'there', stripe('same', { secret: other }))).status, 200);
  await until(() => told('pi_same').length > 0, 'it to be told');
  await quiet();
  assert.deepEqual(told('pi_same').map((event) => event.id), ['@acct_1:stripe:evt_same']);
});

test('ids that are no text are told apart all the same', async () => {
  const send = (id) => { // beside a body of bytes a header is sent as latin1: one byte a character
    const at = Math.floor(Date.now() / 1000), body = '{"type":"odd.bytes"}';
    const signature = createHmac('sha256', Buffer.from('MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=', 'base64')).update(Buffer.from(`${id}.${at}.${body}`, 'latin1')).digest('base64');
    return post(gateway, 'plain', { body: Buffer.from(body), headers: { 'webhook-id': id, 'webhook-timestamp': `${at}`, 'webhook-signature': `v1,${signature}` } });
  };
  const odd = () => sink.events.filter((event) => event.data.processor_event?.type === 'odd.bytes');
  for (const id of ['\xff', '\xfe', '\xff']) assert.equal((await send(id)).status, 200);
  await until(() => odd().length >= 2, 'both to be told');
  await quiet();
  assert.equal(odd().length, 2);
  assert.equal(new Set(odd().map((event) => event.id)).size, 2);
  for (const event of odd()) assert.match(event.id, /^evt_[0-9a-f]+_\d+$/);
});

test('a mode that is not signed makes no second event', async () => {
  for (const live of ['true', 'false', 'true'])
    assert.equal((await post(gateway, 'adyen', notice([item('PSP0000000000MODE')], live))).status, 200);
  await until(() => told('PSP0000000000MODE').length > 0, 'it to be told');
  await quiet();
  assert.equal(told('PSP0000000000MODE').length, 1);
});

test('an item of another account, signed with the keys of its batch, is told to nobody', async () => {
  const answer = await post(gateway, 'shared', notice([item('PSP00000000000EU'), item('PSP00000000000US', { account: 'US' })]));
  assert.equal(answer.status, 200);
  await until(() => told('PSP00000000000EU').length === 1, 'the good item to be told');
  await quiet();
  assert.deepEqual(told('PSP00000000000US'), []);
  assert.equal((await post(gateway, 'shared', notice([item('PSP00000000000US', { account: 'US', secret: other })]))).status, 200);
  await until(() => told('PSP00000000000US').length === 1, 'the genuine one to be told');
});

test('a forged Adyen item hears success once it is quarantined, so that the queue behind it goes on; at Stripe it hears 401', async () => {
  const answer = await post(gateway, 'adyen', notice([item('PSP000000000FORGE', { secret: other })]));
  assert.equal(answer.status, 200);
  assert.equal(answer.text, '[accepted]');
  assert.equal((await post(gateway, 'one', stripe('forged', { secret: other }))).status, 401);
  await quiet();
  assert.deepEqual(told('PSP000000000FORGE'), []);
  assert.notEqual(stripeSecret, other);
});

test('read again, an event keeps the account in its key', async () => {
  assert.equal((await post(gateway, 'shared', notice([item('PSP000000000AGAIN')]))).status, 200);
  await until(() => told('PSP000000000AGAIN').length === 1, 'it to be told');
  const { text, json: { rederived } } = await askAdmin({ socketPath: `${gateway.home}/data/admin.sock` }, 'POST', 'replay',
    { body: { filter: { endpoint: 'shared', from: '1h' }, dry_run: true, rederive: true } });
  assert.ok(rederived.same > 0, text);
  assert.equal(rederived.changed, 0, text);
});
