// Starts the gateway on a folder of its own, with sinks for its deliveries; signs as Stripe and Adyen do.
import { execFileSync, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { own } from './children.mjs';
import { binary } from './server.mjs';

export const stripeSecret = 'whsec_gateway_secret';
export const adyenSecret = '44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056';
const env = { STRIPE_WHSEC: stripeSecret, ADYEN_HMAC: adyenSecret, SHOP_SECRET: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=' };

export const twoEndpoints = {
  stripe: { connector: 'stripe', secrets: ['env:STRIPE_WHSEC'] },
  adyen: { connector: 'adyen', secrets: ['env:ADYEN_HMAC'] },
};

// `config` is the file as an object: JSON is YAML. `folder` keeps what is there; `wrap` is a command to run it by.
export async function startGateway(config, { folder, more = {}, wrap = [], stderr = 'ignore' } = {}) {
  const home = folder ?? mkdtempSync(join(tmpdir(), 'payhook-'));
  const gateway = { home, output: '', log: '' };
  gateway.write = (c) => writeFileSync(join(home, 'payhook.yaml'), JSON.stringify({
    data: join(home, 'data'), threads: 2, webhooks: { listen: '127.0.0.1:0' }, service: { listen: '127.0.0.1:0' },
    log: { level: 'error' }, endpoints: twoEndpoints, ...c,
  }));
  gateway.write(config);
  gateway.start = () => new Promise((resolve, reject) => {
    const [command, ...args] = [...wrap, binary, 'serve', '--config', join(home, 'payhook.yaml')];
    const child = own(spawn(command, args, { env: { ...process.env, ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] }));
    gateway.child = child;
    gateway.port = gateway.servicePort = undefined;
    let output = '';
    child.once('exit', (code, signal) => reject(new Error(`payhook ended with ${code ?? signal}: ${gateway.log}`)));
    child.stderr.setEncoding('utf8').on('data', (text) => {
      gateway.log += text;
      if (stderr === 'inherit') process.stderr.write(text);
    });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      gateway.output += text;
      gateway.port ??= output.match(/listening on 127\.0\.0\.1:(\d+) \(webhooks/)?.[1];
      gateway.servicePort ??= output.match(/listening on 127\.0\.0\.1:(\d+) \(event/)?.[1];
      if (gateway.port && gateway.servicePort && /inbox in /.test(output)) resolve(gateway);
    });
  });
  gateway.end = (signal = 'SIGTERM') => new Promise((resolve) => {
    gateway.child.removeAllListeners('exit');
    if (gateway.child.exitCode !== null || gateway.child.signalCode !== null) return resolve(gateway.child.exitCode);
    gateway.child.once('exit', (code) => resolve(code));
    gateway.child.kill(signal);
  });
  gateway.stop = async () => {
    const code = await gateway.end();
    if (folder === undefined) rmSync(home, { recursive: true, force: true });
    return code;
  };
  gateway.reload = async (c) => {
    const times = async () => (await gateway.figures())['payhook_reloads_total{outcome="read"}'] ?? 0; // none while they are off
    const before = await times();
    if (c) gateway.write(c);
    gateway.child.kill('SIGHUP');
    await until(async () => await times() > before, 'the configuration to be read again');
  };
  gateway.get = async (path) => {
    const response = await fetch(`http://127.0.0.1:${gateway.servicePort}${path}`);
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  // Figures of /metrics, by name and labels as they stand there.
  gateway.figures = async () => Object.fromEntries((await gateway.get('/metrics')).text.split('\n')
    .filter((line) => line && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]));
  await gateway.start();
  return gateway;
}

// Rows of the inbox, as its users may read it; by Python, whose library everybody has.
export function query(gateway, sql) {
  const script = 'import json, sqlite3, sys\ndb = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, timeout=10)\n' +
    'db.row_factory = sqlite3.Row\nprint(json.dumps([dict(row) for row in db.execute(sys.argv[2])]))';
  return JSON.parse(execFileSync('python3', ['-c', script, join(gateway.home, 'data', 'inbox.db'), sql], { encoding: 'utf8' }));
}

export async function until(check, what, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

// An application: `answer(event, count)` gives a status, or a function that does something to the response itself.
export async function startSink(answer = () => 200, port = 0) {
  const sink = { events: [], requests: 0, bySubject: new Map() };
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('error', () => {});
    request.on('data', (part) => parts.push(part)).on('end', () => {
      const body = JSON.parse(Buffer.concat(parts));
      sink.requests++;
      for (const event of [body].flat()) {
        const status = answer(event, sink.requests);
        if (typeof status === 'function') return status(response, request);
        if (status < 300) {
          event.at = Date.now();
          event.headers = request.headers;
          sink.events.push(event);
          sink.bySubject.set(event.subject, [...(sink.bySubject.get(event.subject) ?? []), event]);
        }
        response.statusCode = status;
      }
      response.end();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  sink.port = server.address().port;
  sink.destination = { url: `http://127.0.0.1:${sink.port}/events`, secret: ['env:SHOP_SECRET'] };
  sink.stop = () => new Promise((resolve) => { server.closeAllConnections(); server.close(resolve); });
  return sink;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

// Gives status, headers, text; an error of the connection is status 0.
export function post(gateway, endpoint, { headers = {}, body = '', method = 'POST', agent: own = agent, localAddress } = {}) {
  return new Promise((resolve) => {
    const request = http.request({ host: '127.0.0.1', port: gateway.port, method, path: `/webhooks/${endpoint}`, agent: own, localAddress,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => { text += part; });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.on('error', (error) => resolve({ status: 0, headers: {}, text: error.message }));
    });
    request.on('error', (error) => resolve({ status: 0, headers: {}, text: error.message }));
    request.end(body);
  });
}

export function stripe(id, { secret = stripeSecret, at = Date.now(), livemode = true, ...object } = {}) {
  const body = JSON.stringify({
    id: `evt_${id}`, object: 'event', type: 'payment_intent.succeeded', created: Math.floor(at / 1000), livemode, api_version: '2024-06-20',
    data: { object: { id: `pi_${id}`, object: 'payment_intent', amount: 4905, amount_received: 4905, currency: 'eur',
      status: 'succeeded', metadata: {}, ...object } },
  });
  const time = Math.floor(at / 1000);
  const mac = createHmac('sha256', secret).update(`${time}.`).update(body).digest('hex');
  return { body, headers: { 'stripe-signature': `t=${time},v1=${mac}` } };
}

export function adyen(id, { secret = adyenSecret, live = 'true', account = 'ShopECOM' } = {}) {
  const item = { pspReference: `PSP${id}`, merchantAccountCode: account, merchantReference: `order-${id}`, eventCode: 'AUTHORISATION',
    success: 'true', eventDate: '2026-11-25T10:00:00+01:00', amount: { value: 4905, currency: 'EUR' }, additionalData: {} };
  const text = [item.pspReference, '', account, item.merchantReference, 4905, 'EUR', 'AUTHORISATION', 'true'].join(':');
  item.additionalData.hmacSignature = createHmac('sha256', Buffer.from(secret, 'hex')).update(text).digest('base64');
  return { body: JSON.stringify({ live, notificationItems: [{ NotificationRequestItem: item }] }), headers: {} };
}

// Runs jobs 0 … count-1, `width` at a time.
export async function each(count, width, job) {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => {
    while (next < count) await job(next++);
  }));
}
