// TLS, ALPN, client certificates, tokens, certificates read again; and what is refused at the start.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { after, before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import { own } from './children.mjs';
import { until } from './gateway.mjs';
import { rawExchange, root, startServer } from './server.mjs';

const binary = process.env.PAYHOOK_BIN ?? `${root}build/payhook`;
const dir = mkdtempSync(join(tmpdir(), 'payhook-tls-'));
const file = (name) => join(dir, name);
const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe', cwd: dir });

function makeAuthority(name) {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`,
    '-out', `${name}.pem`, '-subj', `/CN=test ${name}`, '-days', '2');
}

function makeCertificate(name, subject, authority = 'ca') {
  openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`,
    '-out', `${name}.csr`, '-subj', `/CN=${subject}`);
  writeFileSync(file('ext'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  openssl('x509', '-req', '-in', `${name}.csr`, '-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-days', '2',
    '-extfile', 'ext', '-out', `${name}.pem`);
}

let server;
let mtls;
before(async () => {
  makeAuthority('ca');
  makeAuthority('ca2');
  makeCertificate('client2', 'a client', 'ca2');
  for (const [name, subject] of [['one', 'first'], ['two', 'second'], ['client', 'a client']]) makeCertificate(name, subject);
  copyFileSync(file('one.pem'), file('used.pem'));
  copyFileSync(file('one.key'), file('used.key'));
  writeFileSync(file('token'), 'a token of the test\n');
  server = await startServer(['--tls-cert', file('used.pem'), '--tls-key', file('used.key'), '--token', `file:${file('token')}`,
    '--webhooks-tls-cert', file('one.pem'), '--webhooks-tls-key', file('one.key')]);
  mtls = await startServer(['--tls-cert', file('one.pem'), '--tls-key', file('one.key'), '--tls-client-ca', file('ca.pem')]);
});
after(async () => {
  assert.equal(await server?.stop(), 0);
  assert.equal(await mtls?.stop(), 0);
  rmSync(dir, { recursive: true });
});

const ca = () => readFileSync(file('ca.pem'));

// One TLS connection: what was agreed, and what comes back for `text`.
function talk(port, text, options = {}) {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port: Number(port), host: '127.0.0.1', ca: ca(), ...options }, () => {
      const found = { protocol: socket.getProtocol(), alpn: socket.alpnProtocol, name: socket.getPeerCertificate().subject.CN, text: '' };
      socket.setEncoding('latin1').on('data', (part) => { found.text += part; }).on('end', () => resolve(found)).on('close', () => resolve(found));
      if (text) socket.write(text);
      else socket.end();
    });
    socket.on('error', reject);
  });
}

const get = (path, ...lines) => `${['GET ' + path + ' HTTP/1.1', 'Host: x', 'Connection: close', ...lines].join('\r\n')}\r\n\r\n`;
const bearer = 'Authorization: Bearer a token of the test';

test('HTTP/1.1 over TLS; ALPN offers http/1.1 and h2, and nothing else is taken', async () => {
  const http1 = await talk(server.port, get('/health'), { ALPNProtocols: ['http/1.1'] });
  assert.match(http1.text, /^HTTP\/1\.1 200 /);
  assert.equal(http1.alpn, 'http/1.1');
  assert.equal((await talk(server.port, '', { ALPNProtocols: ['http/1.1', 'h2'] })).alpn, 'h2');
  assert.match((await talk(server.port, get('/health'))).text, /^HTTP\/1\.1 200 /);
  await assert.rejects(talk(server.port, '', { ALPNProtocols: ['spdy/3'] }));
});

test('TLS 1.2 is the oldest that is spoken', async () => {
  assert.equal((await talk(server.port, get('/health'), { maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2');
  await assert.rejects(talk(server.port, '', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' }));
});

test('the webhooks have TLS of their own, and no token', async () => {
  assert.match((await talk(server.webhookPort, get('/webhooks/stripe'))).text, /^HTTP\/1\.1 405 /);
});

test('plain HTTP on a TLS port is closed without an answer', async () => {
  const result = await rawExchange(server.port, get('/health'));
  assert.doesNotMatch(result.text, /HTTP/);
});

test('without the token nothing but health is told', async () => {
  assert.match((await talk(server.port, get('/nothing'))).text, /^HTTP\/1\.1 401 [^]*www-authenticate: Bearer/);
  assert.match((await talk(server.port, get('/nothing', 'Authorization: Bearer another token of it'))).text, /^HTTP\/1\.1 401 /);
  assert.match((await talk(server.port, get('/nothing', bearer))).text, /^HTTP\/1\.1 404 /);
  assert.match((await talk(server.port, get('/nothing', bearer.replace('Bearer', 'bearer')))).text, /^HTTP\/1\.1 404 /);
});

test('a token that is shown twice is none, whatever the other one is', async () => {
  for (const other of ['Authorization: Bearer another token of it', 'authorization: Basic eDp5', bearer]) {
    assert.match((await talk(server.port, get('/nothing', bearer, other))).text, /^HTTP\/1\.1 401 /);
    assert.match((await talk(server.port, get('/nothing', other, bearer))).text, /^HTTP\/1\.1 401 /);
  }
});

function unary(address, credentials, path, metadata = new grpc.Metadata()) {
  const client = new grpc.Client(address, credentials);
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, (x) => x, (x) => x, Buffer.alloc(0), metadata, (error, answer) => {
      client.close();
      resolve(error ? error.code : [...answer]);
    });
  });
}

test('gRPC over TLS; UNAUTHENTICATED without the token', async () => {
  const credentials = grpc.credentials.createSsl(ca());
  const address = `localhost:${server.port}`;
  assert.deepEqual(await unary(address, credentials, '/grpc.health.v1.Health/Check'), [8, 1]);
  assert.equal(await unary(address, credentials, '/types.EventService/Handle'), grpc.status.UNAUTHENTICATED);
  const metadata = new grpc.Metadata();
  metadata.set('authorization', 'Bearer a token of the test');
  assert.equal(await unary(address, credentials, '/types.EventService/Handle', metadata), grpc.status.INVALID_ARGUMENT);
  const twice = execFileSync('curl', ['-sS', '--http2', '--cacert', file('ca.pem'), '-o', file('answer'), '-D', '-', '-H', 'content-type: application/grpc', '-H', 'te: trailers',
    '-H', bearer, '-H', bearer, '--data-binary', '', `https://${address}/types.EventService/Handle`], { encoding: 'utf8' });
  assert.match(twice, /^grpc-status: 16\r$/m);
});

test('with a client CA, a certificate is needed', async () => {
  const own = { cert: readFileSync(file('client.pem')), key: readFileSync(file('client.key')) };
  assert.match((await talk(mtls.port, get('/health'), own)).text, /^HTTP\/1\.1 200 /);
  const without = await talk(mtls.port, get('/health')).catch((error) => ({ text: '', error }));
  assert.doesNotMatch(without.text, /HTTP/);
});

test('SIGHUP brings new certificates and drops no connection; bad ones leave the old in use', async () => {
  const old = tls.connect({ port: Number(server.port), host: '127.0.0.1', ca: ca() });
  await new Promise((resolve, reject) => old.on('secureConnect', resolve).on('error', reject));
  const said = (text) => new Promise((resolve) => {
    const look = setInterval(() => { if (server.log.includes(text)) { clearInterval(look); resolve(); } }, 20);
  });
  copyFileSync(file('two.pem'), file('used.pem'));
  copyFileSync(file('two.key'), file('used.key'));
  server.child.kill('SIGHUP');
  await said('info reload certificates=read text="event service"');
  assert.equal((await talk(server.port, '')).name, 'second');
  old.write(get('/health'));
  assert.match(await new Promise((resolve) => { let text = ''; old.on('data', (part) => { text += part; }).on('end', () => resolve(text)); }), /^HTTP\/1\.1 200 /);
  writeFileSync(file('used.pem'), 'no certificate');
  server.child.kill('SIGHUP');
  await said('error reload certificates=kept');
  assert.equal((await talk(server.port, '')).name, 'second');
});

test('a pipe, a device or a folder in a certificate\'s place is refused at once, and the old stays in use', async () => {
  const puts = { pipe: () => execFileSync('mkfifo', [file('used.pem')]), device: () => symlinkSync('/dev/zero', file('used.pem')), folder: () => mkdirSync(file('used.pem')) };
  for (const [name, put] of Object.entries(puts)) {
    rmSync(file('used.pem'), { recursive: true });
    put();
    const from = server.log.length;
    server.child.kill('SIGHUP');
    await until(() => /configuration=kept/.test(server.log.slice(from)) && /certificates=kept [^\n]*not a regular file/.test(server.log.slice(from)), `the ${name} to be refused`, 10_000);
    assert.equal((await talk(server.port, '')).name, 'second');
  }
  rmSync(file('used.pem'), { recursive: true });
  copyFileSync(file('two.pem'), file('used.pem'));
});

// `serve --config`, as the gateway and as the Event Service alone; reload() gives the lines that are logged of it.
const forms = [['with the gateway', '127.0.0.1:0'], ['as the Event Service alone', 'none']];
async function serve(listen, config, more = {}) {
  const home = mkdtempSync(join(dir, 'serve-'));
  const write = (c) => writeFileSync(join(home, 'payhook.yaml'), JSON.stringify({ data: join(home, 'data'), threads: 2, endpoints: {}, ...c,
    webhooks: { listen, ...c.webhooks }, service: { listen: '127.0.0.1:0', ...c.service } }));
  write(config);
  const child = own(spawn(binary, ['serve', '--config', join(home, 'payhook.yaml')], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...more } }));
  const found = { log: '' };
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { found.log += text; process.stderr.write(text); });
  child.stdout.setEncoding('utf8').on('data', (text) => { output += text; });
  await until(() => {
    found.port = output.match(/listening on 127\.0\.0\.1:(\d+) \(event/)?.[1];
    found.webhookPort = output.match(/listening on 127\.0\.0\.1:(\d+) \(webhooks/)?.[1];
    return found.port && (listen === 'none' || found.webhookPort);
  }, 'it to listen');
  found.reload = async (c) => {
    const from = found.log.length;
    write(c);
    child.kill('SIGHUP');
    return await until(() => found.log.slice(from).match(/reload configuration=.*\n/)?.[0], 'the reload to be told');
  };
  found.stop = () => new Promise((resolve) => { child.once('exit', resolve); child.kill('SIGTERM'); });
  return found;
}

const plainly = async (port, ...lines) => Number((await rawExchange(port, get('/nothing', ...lines))).text.match(/^HTTP\/1\.1 (\d+)/)?.[1]);
const securely = async (port, options) => Number((await talk(port, get('/nothing'), options).catch(() => ({ text: '' }))).text.match(/^HTTP\/1\.1 (\d+)/)?.[1]);
const pairOf = (name, more = {}) => ({ certificate: file(`${name}.pem`), key: file(`${name}.key`), ...more });
const shown = (name) => ({ cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)) });

for (const [form, listen] of forms) {
  test(`SIGHUP takes another token, ${form}: the old one is refused`, async () => {
    const tokens = ['the first of the tokens', 'the second of the tokens', 'the third of the tokens'];
    writeFileSync(file('tok'), tokens[0]);
    const s = await serve(listen, { service: { token: `file:${file('tok')}` } }, { THIRD: tokens[2] });
    const taken = async () => (await Promise.all([undefined, ...tokens].map((token) => plainly(s.port, ...(token ? [`Authorization: Bearer ${token}`] : []))))).join();
    assert.equal(await taken(), '401,404,401,401');
    writeFileSync(file('tok'), tokens[1]);
    assert.match(await s.reload({ service: { token: `file:${file('tok')}` } }), /configuration=read changed=1 settings=service\.token\b/);
    await until(async () => await taken() === '401,401,404,401', 'the file\'s new token to be asked for');
    await s.reload({ service: { token: 'env:THIRD' } });
    await until(async () => await taken() === '401,401,401,404', 'the token of another place to be asked for');
    await s.reload({ service: { token: 'env:NOT_THERE' } });
    assert.equal(await taken(), '401,401,401,404');
    await s.reload({});
    await until(async () => await taken() === '404,404,404,404', 'no token to be asked for');
    await s.reload({ service: { token: 'env:THIRD' } });
    await until(async () => await taken() === '401,401,401,404', 'a token to be asked for again');
    assert.equal(await s.stop(), 0);
  });

  test(`SIGHUP takes other certificates, keys and client CAs, ${form}; what cannot be used leaves all as it was`, async () => {
    const tls_ = (more) => ({ service: { tls: more } });
    const s = await serve(listen, tls_(pairOf('one')));
    assert.equal(await securely(s.port), 404);
    await s.reload(tls_(pairOf('two')));
    assert.equal((await talk(s.port, '')).name, 'second');
    const old = tls.connect({ port: Number(s.port), host: '127.0.0.1', ca: ca() });
    await new Promise((resolve, reject) => old.on('secureConnect', resolve).on('error', reject));
    old.on('error', () => {}).resume();
    old.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => old.once('data', resolve));
    await s.reload(tls_(pairOf('two', { ca: file('ca.pem') })));
    assert.ok(Number.isNaN(await securely(s.port)), 'no certificate, no answer');
    assert.equal(await securely(s.port, shown('client')), 404);
    await until(() => old.destroyed, 'who came without a certificate to be sent away', 10_000);
    await s.reload(tls_(pairOf('two', { ca: file('ca2.pem') })));
    assert.ok(Number.isNaN(await securely(s.port, shown('client'))), 'a certificate of the old CA');
    assert.equal(await securely(s.port, shown('client2')), 404);
    writeFileSync(file('broken.pem'), 'no certificate');
    for (const wrong of [pairOf('two', { ca: file('broken.pem') }), { certificate: file('one.pem'), key: file('two.key'), ca: file('ca2.pem') }]) {
      assert.match(await s.reload({ log: { format: 'json' }, ...tls_(wrong) }), /configuration=kept/);
      assert.ok(Number.isNaN(await securely(s.port)));
      assert.equal(await securely(s.port, shown('client2')), 404);
    }
    await s.reload(tls_(pairOf('two')));
    assert.equal(await securely(s.port), 404);
    assert.equal(await s.stop(), 0);
  });

  test(`SIGHUP switches TLS on and off, ${form}`, async () => {
    const s = await serve(listen, {});
    assert.equal(await plainly(s.port), 404);
    await s.reload({ service: { tls: pairOf('one') } });
    assert.ok(Number.isNaN(await plainly(s.port)));
    assert.equal(await securely(s.port), 404);
    await s.reload({});
    assert.equal(await plainly(s.port), 404);
    assert.equal(await s.stop(), 0);
  });

  test(`an address that takes a restart does not take the token and TLS along, ${form}`, async () => {
    const guarded = { token: 'env:A_TOKEN', tls: pairOf('one', { ca: file('ca.pem') }) };
    const s = await serve(listen, { service: guarded }, { A_TOKEN: 'a token of the test' });
    for (const [name, rest] of Object.entries({ token: { tls: guarded.tls }, ca: { token: guarded.token, tls: pairOf('one') }, tls: { token: guarded.token } })) {
      assert.match(await s.reload({ service: { listen: '127.0.0.1:1', ...rest } }), /configuration=kept text="service\.listen takes a restart/, name);
      assert.equal(await securely(s.port, shown('client')), 401, name);
      assert.ok(Number.isNaN(await securely(s.port)), name);
    }
    assert.match(await s.reload({ service: { listen: '127.0.0.1:1', ...guarded } }), /configuration=read .*restart_for=service\.listen/);
    assert.equal(await s.stop(), 0);
  });

  test(`SIGHUP switches metrics off, ${form}`, async () => {
    const s = await serve(listen, {});
    const metrics = async () => (await fetch(`http://127.0.0.1:${s.port}/metrics`)).status;
    assert.equal(await metrics(), 200);
    await s.reload({ metrics: false });
    await until(async () => await metrics() === 404, 'metrics to be off');
    assert.equal(await s.stop(), 0);
  });
}

test('SIGHUP takes the webhooks\' client CA', async () => {
  const s = await serve('127.0.0.1:0', { webhooks: { tls: pairOf('one') } });
  assert.equal(await securely(s.webhookPort), 404);
  await s.reload({ webhooks: { tls: pairOf('one', { ca: file('ca.pem') }) } });
  assert.ok(Number.isNaN(await securely(s.webhookPort)));
  assert.equal(await securely(s.webhookPort, shown('client')), 404);
  assert.equal(await plainly(s.port), 404); // the other listener is as it was
  assert.equal(await s.stop(), 0);
});

test('a large answer and a large request pass, byte for byte', async () => {
  const body = JSON.stringify({ request_details: { body: 'x'.repeat(900_000) } }); // not base64: an error that is told after reading it all
  const text = `POST /v1/handle HTTP/1.1\r\nHost: x\r\nx-connector: stripe\r\nContent-Type: application/json\r\nConnection: close\r\n${bearer}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  assert.match((await talk(server.port, text)).text, /^HTTP\/1\.1 [24]\d\d /);
});

test('off loopback the server starts only with TLS and a token, or --insecure', () => {
  const start = (...args) => spawnSync(binary, ['serve', ...args], { encoding: 'utf8', timeout: 5000, env: { ...process.env, A_TOKEN: 't', EMPTY: '' } });
  const pair = ['--tls-cert', file('one.pem'), '--tls-key', file('one.key')];
  for (const args of [[], pair, ['--token', 'env:A_TOKEN']]) {
    const { status, stderr } = start('--listen', '0.0.0.0:0', '--listen-webhooks', 'none', ...args);
    assert.equal(status, 2, stderr);
    assert.match(stderr, /service\.listen: 0\.0\.0\.0:0 can be (read|used|reached)[^\n]*add [^\n]*(tls|token)/);
  }
  assert.match(start('--listen', '127.0.0.1:0', '--dev', '--listen-webhooks', '0.0.0.0:0').stderr, /webhooks\.listen: 0\.0\.0\.0:0 can be reached by others/);
  assert.match(start('--dev', '--token', 'the-token-itself').stderr, /file:PATH or env:NAME/);
  assert.match(start('--dev', '--token', 'env:EMPTY').stderr, /empty/);
  assert.match(start('--dev', '--tls-cert', file('one.pem')).stderr, /add tls\.key/);
  const wrong = start('--dev', '--listen', '127.0.0.1:0', '--tls-cert', file('one.pem'), '--tls-key', file('two.key'));
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /key/);
  assert.doesNotMatch(start('--dev', '--token', 'the-token-itself').stderr, /the-token-itself/);
});
