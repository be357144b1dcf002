// The Event Service by the clients that people have: every call of clients/cases.mjs by each of them, and the same
// answer, the same status, the same text and the same details from all.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import { cases } from './clients/cases.mjs';
import { root, startServer } from './server.mjs';
import { buildGo, python } from './tools.mjs';

const dir = mkdtempSync(join(tmpdir(), 'payhook-clients-'));
const protos = ['events.proto', 'health.proto', 'reflection_v1.proto', 'reflection_v1alpha.proto'];
const options = { keepCase: true, longs: String, enums: String, bytes: String, oneofs: false };
const servers = {};
let all, go;

before(async () => {
  servers.plain = await startServer();
  servers.token = await startServer(['--token', 'env:TEST_TOKEN'], { TEST_TOKEN: 't-o-k-e-n' });
  servers.override = await startServer(['--allow-config-override']);
  all = cases(Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, `127.0.0.1:${server.port}`])));
  go = buildGo('./call', 'github.com/fullstorydev/grpcurl/cmd/grpcurl');
});
after(async () => {
  for (const server of Object.values(servers)) assert.equal(await server.stop(), 0);
  rmSync(dir, { recursive: true });
});

// ---- judging ----

const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

// One shape for all: snake_case names, 64-bit integers as text, nothing where the default stands.
function plainAnswer(value, ofMap = false) {
  if (Array.isArray(value)) return value.map((item) => plainAnswer(item));
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined && inner !== '' &&
    inner !== false && inner !== 0 && !(Array.isArray(inner) && inner.length === 0) && !/_UNSPECIFIED$/.test(inner));
  // original_request: reflection's echo of what was asked
  return Object.fromEntries(kept.filter(([name]) => snake(name) !== 'original_request').map(([name, inner]) => [ofMap ? name : snake(name), plainAnswer(inner, name.endsWith('eaders'))])
    .sort(([a], [b]) => (a < b ? -1 : 1)));
}

// Fields 1 and 2 of types.IntegrationError: its text and its code. Lengths here have one byte or two.
function integrationError(base64) {
  const bytes = Buffer.from(base64, 'base64'), fields = {};
  for (let at = 0; at < bytes.length;) {
    const long = bytes[at + 1] > 127, length = long ? (bytes[at + 1] & 127) | bytes[at + 2] << 7 : bytes[at + 1];
    const start = at + (long ? 3 : 2);
    fields[bytes[at] >> 3] = bytes.subarray(start, start + length).toString();
    at = start + length;
  }
  return { message: fields[1], code: fields[2] };
}

function judge(wanted, results, { details = true } = {}) {
  assert.equal(results.length, wanted.length, 'every call has a result');
  for (const [i, { name, want }] of wanted.entries()) {
    const got = results[i];
    assert.equal(got.name, name);
    assert.equal(got.code, want.code, `${name}: ${got.message}`);
    if (want.answer) assert.deepEqual(plainAnswer(got.answer), plainAnswer(want.answer), name);
    if (want.message !== undefined) assert.match(got.message, new RegExp(want.message), name);
    if (!details) continue;
    if (want.details) assert.deepEqual(integrationError(got.details), { message: got.message, code: want.details }, name);
    else assert.equal(got.details ?? null, null, name);
  }
}

function lines(command, args, input) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part) => { text += part; });
    child.on('error', reject).on('close', (code) => (code === 0 ? resolve(text.trim().split('\n').map((line) => JSON.parse(line)))
      : reject(new Error(`${command} ended with ${code}`))));
    child.stdin.end(JSON.stringify(input));
  });
}

// ---- grpc-js ----

// From descriptors alone proto-loader knows no maps: they are lists of entries there, both ways.
const isEntries = (value) => Array.isArray(value) && value.length > 0 && value.every((item) => Object.keys(item ?? {}).join() === 'key,value');
function withMaps(value) {
  if (isEntries(value)) return Object.fromEntries(value.map(({ key, value: inner }) => [key, inner]));
  if (Array.isArray(value) || value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withMaps(inner)]));
}

function node(definition, one, entries) {
  const [service, method] = one.method.split('/');
  const Client = service.split('.').reduce((at, name) => at[name], grpc.loadPackageDefinition(definition));
  const client = new Client(one.target, grpc.credentials.createInsecure());
  const metadata = new grpc.Metadata();
  for (const [name, value] of Object.entries(one.metadata)) metadata.set(name, value);
  const request = structuredClone(one.request);
  if (request.request_details) {
    const { body, headers } = request.request_details;
    request.request_details.body = Buffer.from(body, 'base64');
    if (entries) request.request_details.headers = Object.entries(headers).map(([key, value]) => ({ key, value }));
  }
  const deadline = { deadline: Date.now() + (one.deadline_ms ?? 20_000) };
  const out = { name: one.name, code: 'OK', message: '', answer: null };
  return new Promise((resolve) => {
    const finish = (error) => {
      if (entries) out.answer = withMaps(out.answer);
      out.code = grpc.status[error?.code ?? 0];
      out.message = error?.details ?? '';
      out.details = error?.metadata?.get('grpc-status-details-bin')[0]?.toString('base64');
      client.close();
      resolve(out);
    };
    const { requestStream, responseStream } = client[method];
    if (!responseStream) {
      client[method](request, metadata, deadline, (error, answer) => { out.answer = answer; finish(error); });
      return;
    }
    const stream = requestStream ? client[method](metadata, deadline) : client[method](request, metadata, deadline);
    stream.on('data', (answer) => {
      out.answer = answer;
      if (one.cancel_after_first) stream.cancel();
      if (requestStream) stream.end();
    });
    stream.on('error', () => {}).on('status', finish);
    if (requestStream) stream.write(request);
  });
}

async function nodeAll(definition, entries) {
  const results = [];
  for (const one of all) results.push(await node(definition, one, entries));
  return results;
}

test('grpc-js, from the proto files', async () => {
  judge(all, await nodeAll(loader.loadSync(protos.map((name) => `${root}proto/${name}`), { ...options, includeDirs: [`${root}proto`] })));
});

// A FileDescriptorSet of what the server says of itself: the files of each service, and the files these need.
async function reflected(version) {
  const proto = loader.loadSync(`${root}proto/reflection_${version}.proto`, options);
  const Client = grpc.loadPackageDefinition(proto).grpc.reflection[version].ServerReflection;
  const client = new Client(all[0].target, grpc.credentials.createInsecure());
  const stream = client.ServerReflectionInfo();
  const ask = (request) => new Promise((resolve, reject) => { stream.once('data', resolve).once('error', reject).write(request); });
  const files = new Set();
  const listed = (await ask({ list_services: '*' })).list_services_response.service;
  for (const { name } of listed) {
    for (const file of (await ask({ file_containing_symbol: name })).file_descriptor_response.file_descriptor_proto) files.add(file);
  }
  stream.end();
  client.close();
  return Buffer.concat([...files].map((file) => Buffer.from(file, 'base64')).map((bytes) => {
    const length = [];
    for (let rest = bytes.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from([0x0a, ...length]), bytes]);
  }));
}

for (const version of ['v1', 'v1alpha']) {
  test(`grpc-js, from what reflection ${version} says`, async () => {
    judge(all, await nodeAll(loader.loadFileDescriptorSetFromBuffer(await reflected(version), options), true));
  });
}

// ---- Python, Go ----

test('Python, grpcio', async () => {
  const results = await lines(python(), [`${root}tests/e2e/clients/call.py`], { proto: `${root}proto`, cases: all });
  const descriptors = results.pop();
  assert.deepEqual([descriptors.name, descriptors.code], ['descriptors', 'OK']);
  judge(all, results);
});

test('Go, grpc-go', async () => {
  const descriptors = join(dir, 'all.pb');
  execFileSync('protoc', [`-I${root}proto`, '--include_imports', `--descriptor_set_out=${descriptors}`, ...protos]);
  judge(all, await lines(go.call, [], { descriptors, cases: all }));
});

// ---- grpcurl ----

function grpcurl(one, source) {
  const args = ['-plaintext', '-max-time', String((one.deadline_ms ?? (one.cancel_after_first ? 1000 : 20_000)) / 1000), '-d', '@'];
  for (const [name, value] of Object.entries(one.metadata)) args.push('-rpc-header', `${name}: ${value}`);
  return new Promise((resolve) => {
    const child = spawn(go.grpcurl, [...args, ...source, one.target, one.method], { stdio: 'pipe' });
    const out = { name: one.name, code: 'OK', message: '', answer: null };
    let text = '', errors = '';
    child.stdout.setEncoding('utf8').on('data', (part) => { text += part; });
    child.stderr.setEncoding('utf8').on('data', (part) => { errors += part; });
    child.on('close', (code) => {
      if (text.trim()) out.answer = JSON.parse(text);
      const error = errors.match(/Code: (\w+)\n\s*Message: (.*)/);
      if (code !== 0) [out.code, out.message] = error ? [snake(error[1][0].toLowerCase() + error[1].slice(1)).toUpperCase(), error[2]] : ['?', errors];
      resolve(out);
    });
    child.stdin.end(JSON.stringify(one.request));
  });
}

// It cannot leave off after a message: a watch that is cancelled it watches until its time is over. It shows details
// only of a google.rpc.Status. And it asks reflection without the token, unless that is a header of its own.
async function grpcurlAll(source) {
  const asked = all.filter((one) => !(one.name === 'no token' && source.length === 0))
    .map((one) => (one.cancel_after_first ? { ...one, want: { ...one.want, code: 'DEADLINE_EXCEEDED' } } : one));
  const results = [];
  for (const one of asked) {
    const more = source.length === 0 && one.metadata.authorization ? ['-reflect-header', `authorization: ${one.metadata.authorization}`] : source;
    results.push(await grpcurl(one, more));
  }
  judge(asked, results, { details: false });
}

test('grpcurl, from the proto files', () =>
  grpcurlAll(['-import-path', `${root}proto`, ...protos.flatMap((name) => ['-proto', name])]));
test('grpcurl, from reflection', () => grpcurlAll([]));

// ---- curl ----

// curl 7.88 (Debian 12) loses an HTTP/2 answer that comes before it has sent all: it ends with 92 when the stream is
// reset with NO_ERROR behind the answer, as RFC 9113 §8.1 lets a server do. The other clients show that one.
const isEarly = ({ name }) => name === 'a message past the limit';

function curl(args, input) {
  return new Promise((resolve, reject) => {
    const child = spawn('curl', ['-sS', '--max-time', '20', '-D', join(dir, 'head'), '-o', join(dir, 'body'), '-H', 'expect:', ...args, '--data-binary', '@-'],
      { stdio: ['pipe', 'inherit', 'inherit'] });
    child.on('error', reject).on('close', (code) => {
      const head = readFileSync(join(dir, 'head'), 'utf8');
      resolve({ code, head, status: Number([...head.matchAll(/^HTTP\/[\d.]+ (\d+)/gm)].pop()?.[1]), version: head.match(/^HTTP\/(\S+)/)?.[1],
        body: existsSync(join(dir, 'body')) ? readFileSync(join(dir, 'body')) : Buffer.alloc(0) });
    });
    child.stdin.on('error', () => {}).end(input);
  });
}

const headersOf = (values) => Object.entries(values).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);

for (const [name, args, version] of [['HTTP/1.1', ['--http1.1'], '1.1'], ['h2c', ['--http2-prior-knowledge'], '2'], ['h2c by upgrade', ['--http2'], null]]) {
  test(`curl, JSON over ${name}`, async () => {
    for (const { name: title, target, metadata, http, want } of all.filter((one) => one.http && !(version === '2' && isEarly(one)))) {
      const got = await curl([...args, '-H', 'content-type: application/json', ...headersOf(metadata), `http://${target}${http.path}`], JSON.stringify(http.body));
      assert.equal(got.status, http.status, `${title}: ${got.body}`);
      if (version) assert.equal(got.version, version);
      const answer = JSON.parse(got.body);
      if (http.answer) assert.deepEqual(plainAnswer(answer), plainAnswer(http.answer), title);
      if (http.status !== 200) assert.match(answer.error.message, new RegExp(want.message), title);
    }
  });
}

test('curl, gRPC frames over h2c', async () => {
  const definition = loader.loadSync(protos.map((name) => `${root}proto/${name}`), { ...options, includeDirs: [`${root}proto`] });
  const asked = all.filter((one) => !one.cancel_after_first && !one.deadline_ms && !isEarly(one));
  const results = [];
  for (const one of asked) {
    const [service, name] = one.method.split('/');
    const method = definition[service][name];
    const request = structuredClone(one.request);
    if (request.request_details) request.request_details.body = Buffer.from(request.request_details.body, 'base64');
    const bytes = method.requestSerialize(request), prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(bytes.length, 1);
    const got = await curl(['--http2-prior-knowledge', '-H', 'content-type: application/grpc', '-H', 'te: trailers', ...headersOf(one.metadata),
      `http://${one.target}/${one.method}`], Buffer.concat([prefix, bytes]));
    const field = (key) => got.head.match(new RegExp(`^${key}: (.*?)\\r?$`, 'm'))?.[1];
    const answer = got.body.length > 5 ? method.responseDeserialize(got.body.subarray(5)) : null;
    results.push({ name: one.name, code: grpc.status[field('grpc-status')], message: decodeURIComponent(field('grpc-message') ?? ''),
      details: field('grpc-status-details-bin'), answer });
  }
  judge(asked, results);
});
