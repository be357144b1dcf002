// The calls that every client makes, and what each must get: every method, and every status that a call can end with.
// A case is JSON, so that clients in other languages read it:
//   target    host:port              method     "package.Service/Method"
//   metadata  {name: value}          request    canonical protobuf JSON with proto field names
//   deadline_ms, cancel_after_first  of calls that do not end by themselves
// and, for the judge alone:
//   want      {code, message: a pattern, details: the error_code of types.IntegrationError, answer}
//   http      {path, body, status, answer}: the same call over HTTP, where there is one
import { execFileSync } from 'node:child_process';
import { binary, secret, stripeEvent, stripeSignature } from '../server.mjs';

const AT = 1764000000; // when all of them were received
const EVENTS = 'types.EventService';
const stripe = { 'x-connector': 'stripe', 'x-received-at': String(AT * 1000) };

function details(body, headers = { 'Stripe-Signature': stripeSignature(body, secret, AT) }) {
  return { method: 'HTTP_METHOD_POST', uri: '/webhooks/x', headers, body: Buffer.from(body).toString('base64') };
}
const event = stripeEvent();
const signed = { request_details: details(event), webhook_secrets: { secret }, merchant_event_id: 'mine_1' };
const forged = { ...signed, webhook_secrets: { secret: 'whsec_of_somebody_else' } };

// What the command line prints of the same request.
function printed(command, request, connector = 'stripe') {
  const line = {
    connector, at: AT, merchant_event_id: request.merchant_event_id, secrets: { secret: request.webhook_secrets?.secret ?? null },
    request: { method: 'POST', uri: request.request_details.uri, headers: request.request_details.headers, body_base64: request.request_details.body },
    ...(request.event_context ? { event_context: request.event_context } : {}),
  };
  return JSON.parse(execFileSync(binary, [...command, '--ndjson'], { input: `${JSON.stringify(line)}\n` }));
}
const handled = printed(['handle'], signed);
const handledEvent = printed(['handle', '--as', 'handle-event'], signed);
const parsed = printed(['parse'], signed);

const novalnet = JSON.stringify({
  event: { type: 'CHARGEBACK', checksum: 'x', tid: '1', parent_tid: '1' }, result: { status: 'SUCCESS' },
  transaction: { tid: '1', amount: 'much', currency: 'EUR', status: 'CONFIRMED', date: '2025-11-24' },
});
const fiuu = 'skey=x&tranID=1&domain=d&status=00&amount=1.00&currency=MYR&paydate=2025-11-24+10%3A00%3A00&orderid=1&appcode=&channel=c&nbcb=1';

export function cases({ plain, token, override }) {
  const on = (target, name, method, request, want, more = {}) => ({ name, target, method, metadata: stripe, request, want, ...more });
  const handle = (name, metadata, request, want, http) => on(plain, name, `${EVENTS}/Handle`, request, want,
    { metadata, http: { path: '/v1/handle', body: request, ...http } });
  const service = (method, request, want, more) => on(plain, method, method, request, want, more);
  const peer = (path, answer) => ({ http: { path, body: signed, status: 200, answer } });
  const composite = { ...handledEvent, reference: parsed.reference };
  delete composite.supported_integrity_checks; // no field of the composite's
  return [
    // ---- every method ----
    handle('Handle', stripe, signed, { code: 'OK', answer: handled }, { status: 200, answer: handled }),
    handle('Handle of a forgery', stripe, forged, { code: 'OK', answer: printed(['handle'], forged) }, { status: 200, answer: printed(['handle'], forged) }),
    service(`${EVENTS}/HandleEvent`, signed, { code: 'OK', answer: handledEvent }, peer('/events/handle')),
    service(`${EVENTS}/ParseEvent`, { request_details: signed.request_details }, { code: 'OK', answer: parsed }, peer('/events/parse')),
    service('types.CompositeEventService/HandleEvent', signed, { code: 'OK', answer: composite }, peer('/composite/events/handle')),
    service(`${EVENTS}/NotifyConnector`, {}, { code: 'UNIMPLEMENTED', message: 'notifications' }),
    service('types.CompositeEventService/Notify', {}, { code: 'UNIMPLEMENTED', message: 'notifications' }),
    service('grpc.health.v1.Health/Check', { service: EVENTS }, { code: 'OK', answer: { status: 'SERVING' } }),
    service('grpc.health.v1.Health/Watch', { service: EVENTS }, { code: 'CANCELLED', answer: { status: 'SERVING' } }, { cancel_after_first: true }),
    ...['v1', 'v1alpha'].map((version) => service(`grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`, { list_services: '*' },
      { code: 'OK', answer: { list_services_response: { service: [EVENTS, 'types.CompositeEventService', 'grpc.health.v1.Health',
        'grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'].map((name) => ({ name })) } } })),
    // ---- every status ----
    handle('no connector is named', { 'x-received-at': '1' }, signed, { code: 'INVALID_ARGUMENT', message: 'x-connector', details: 'MISSING_REQUIRED_FIELD' }, { status: 400 }),
    handle('a connector that is not there', { 'x-connector': 'Stripe' }, signed, { code: 'INVALID_ARGUMENT', message: 'no connector', details: 'INVALID_DATA_FORMAT' }, { status: 400 }),
    handle('a config that is no JSON', { 'x-connector-config': '{' }, signed, { code: 'INVALID_ARGUMENT', message: 'x-connector-config', details: 'INVALID_DATA_FORMAT' }, { status: 400 }),
    handle('a config without "config"', { 'x-connector-config': '{}' }, signed, { code: 'INVALID_ARGUMENT', message: 'x-connector-config', details: 'MISSING_REQUIRED_FIELD' }, { status: 400 }),
    handle('a config without its fields', { 'x-connector-config': '{"config":{"Stripe":{}}}' }, signed, { code: 'FAILED_PRECONDITION', message: 'no field', details: 'INVALID_CONNECTOR_CONFIG' }, { status: 412 }),
    handle('no request_details', stripe, {}, { code: 'INVALID_ARGUMENT', message: "Missing required field 'request_details' in webhook request" }, { status: 400 }),
    handle('a body that does not read', stripe, { request_details: details('{') }, { code: 'INVALID_ARGUMENT', message: '.' }, { status: 400 }),
    service(`${EVENTS}/HandleEvent`, { request_details: details(fiuu, { 'Content-Type': 'application/x-www-form-urlencoded' }) },
      { code: 'INVALID_ARGUMENT', message: 'capture_method is missing' }, { name: 'the context is missing', metadata: { 'x-connector': 'fiuu' } }),
    handle('a body that names no event', stripe, { request_details: details('{}') }, { code: 'NOT_FOUND', message: 'what kind of event' }, { status: 404 }),
    handle('an amount that is no number', { 'x-connector': 'novalnet' }, { request_details: details(novalnet, {}) }, { code: 'INTERNAL', message: 'not a number' }, { status: 500 }),
    handle('an override that is not allowed', { ...stripe, 'x-config-override': '{}' }, signed, { code: 'PERMISSION_DENIED', message: 'allow-config-override' }, { status: 403 }),
    on(override, 'an override that is no JSON', `${EVENTS}/Handle`, signed, { code: 'INTERNAL', message: '^Failed to merge config with override config' },
      { metadata: { ...stripe, 'x-config-override': '{' }, http: { path: '/v1/handle', body: signed, status: 500 } }),
    on(token, 'no token', `${EVENTS}/Handle`, signed, { code: 'UNAUTHENTICATED', message: 'token' }, { http: { path: '/v1/handle', body: signed, status: 401 } }),
    on(token, 'the token', `${EVENTS}/Handle`, signed, { code: 'OK', answer: handled },
      { metadata: { ...stripe, authorization: 'Bearer t-o-k-e-n' }, http: { path: '/v1/handle', body: signed, status: 200, answer: handled } }),
    handle('a message past the limit', stripe, { request_details: details('x'.repeat(1_700_000)) }, { code: 'RESOURCE_EXHAUSTED', message: 'larger than' }, { status: 413 }),
    handle('a webhook past the limit', stripe, { request_details: details('x'.repeat(1_100_000)) }, { code: 'RESOURCE_EXHAUSTED', message: 'larger than' }, { status: 413 }),
    service('grpc.health.v1.Health/Check', { service: 'types.Nothing' }, { code: 'NOT_FOUND', message: '' }, { name: 'the health of nothing' }),
    service('grpc.health.v1.Health/Watch', { service: EVENTS }, { code: 'DEADLINE_EXCEEDED', answer: { status: 'SERVING' } }, { name: 'a watch with a deadline', deadline_ms: 400 }),
  ];
}
