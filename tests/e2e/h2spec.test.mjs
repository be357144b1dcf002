// HTTP/2 and HPACK conformance by h2spec, its strict cases too. What counts is its report, case by case: that it
// exits with 0 says nothing of cases that were not run.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startServer } from './server.mjs';
import { buildGo } from './tools.mjs';

const CASES = 146; // of h2spec 2.2.1 with --strict
const dir = mkdtempSync(join(tmpdir(), 'payhook-h2spec-'));
let h2spec, plain, tls;

before(async () => {
  ({ h2spec } = buildGo('github.com/summerwind/h2spec/cmd/h2spec'));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'cert.pem',
    '-subj', '/CN=localhost', '-days', '2'], { cwd: dir, stdio: 'pipe' });
  plain = await startServer();
  tls = await startServer(['--tls-cert', join(dir, 'cert.pem'), '--tls-key', join(dir, 'key.pem')]);
});
after(async () => {
  assert.equal(await plain?.stop(), 0);
  assert.equal(await tls?.stop(), 0);
  rmSync(dir, { recursive: true });
});

// [passed, what did not pass]
function report(port, args) {
  const file = join(dir, 'report.xml');
  rmSync(file, { force: true });
  const ran = spawnSync(h2spec, ['--host', '127.0.0.1', '--port', port, '--strict', '--timeout', '5', '--junit-report', file, ...args],
    { encoding: 'utf8', timeout: 600_000 });
  const text = readFileSync(file, 'utf8');
  const cases = [...text.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*?(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
  const bad = cases.filter(([, , , inside]) => /<(failure|error|skipped)/.test(inside ?? '')).map(([, part, title]) => `${part} ${title}`);
  assert.equal(ran.status, bad.length > 0 ? 1 : 0, ran.stdout);
  return [cases.length - bad.length, bad];
}

test('every case of h2spec passes in the clear', () => {
  assert.deepEqual(report(plain.port, ['--path', '/health']), [CASES, []]);
});

test('every case of h2spec passes over TLS', () => {
  assert.deepEqual(report(tls.port, ['--path', '/health', '--tls', '--insecure']), [CASES, []]);
});

test('every case of h2spec passes on the listener of the webhooks', () => {
  assert.deepEqual(report(plain.webhookPort, ['--path', '/webhooks/stripe']), [CASES, []]);
});
