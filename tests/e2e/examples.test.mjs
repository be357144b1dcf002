// The programs of examples/call, as README.md shows them: each says what a signed webhook is, and refuses a changed one.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { root, secret, startServer, stripeEvent, stripeSignature } from './server.mjs';
import { python } from './tools.mjs';

const dir = mkdtempSync(join(tmpdir(), 'payhook-examples-'));
const body = stripeEvent(), signature = stripeSignature(body);
let server;
before(async () => { server = await startServer(); });
after(async () => {
  assert.equal(await server?.stop(), 0);
  rmSync(dir, { recursive: true });
});

function saysAndRefuses(command, args) {
  const run = (input) => spawnSync(command, [...args, `127.0.0.1:${server.port}`, signature], { input, encoding: 'utf8', env: { ...process.env, STRIPE_WHSEC: secret } });
  const good = run(body), changed = run(body.replace('4905', '9905'));
  assert.equal(good.status, 0, good.stderr);
  assert.match(good.stdout, /VERIFIED[\s\S]*stripe:evt_e2e_1|stripe:evt_e2e_1[\s\S]*VERIFIED/);
  assert.match(good.stdout, /PAYMENT_INTENT_SUCCESS/);
  assert.equal(changed.status, 1, changed.stderr);
  assert.match(changed.stdout, /FORGED/);
}

test('Python', () => saysAndRefuses(python(), [`${root}examples/call/handle.py`]));

test('Node.js', () => {
  cpSync(`${root}examples/call/handle.mjs`, join(dir, 'examples/call/handle.mjs'));
  cpSync(`${root}proto/events.proto`, join(dir, 'proto/events.proto'));
  symlinkSync(`${root}tests/e2e/node_modules`, join(dir, 'node_modules')); // what its npm install would bring
  saysAndRefuses('node', [join(dir, 'examples/call/handle.mjs')]);
});

test('Go', () => {
  execFileSync('go', ['build', '-o', join(dir, 'handle-go'), `${root}examples/call/handle.go`], { stdio: ['ignore', 'inherit', 'inherit'] });
  saysAndRefuses(join(dir, 'handle-go'), []);
});

test('C', () => {
  const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'libcurl'], { encoding: 'utf8' }).trim().split(/\s+/);
  execFileSync('cc', ['-std=gnu11', '-Wall', '-Wextra', '-Werror', `${root}examples/call/handle.c`, ...flags, '-o', join(dir, 'handle-c')]);
  saysAndRefuses(join(dir, 'handle-c'), []);
});
