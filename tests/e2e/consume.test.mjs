// docs/consume.md: its programs are taken out of the page and run; each fulfils each payment once.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import test from 'node:test';
import { own } from './children.mjs';
import { root } from './server.mjs';
import { python } from './tools.mjs';

const build = process.env.PAYHOOK_BUILD_DIR ?? `${root}build`;
const secret = `whsec_${Buffer.from('a secret of a test, 24 bytes and more').toString('base64')}`;
const other = `whsec_${Buffer.from('another secret, of somebody else, who forges').toString('base64')}`;
const page = readFileSync(`${root}docs/consume.md`, 'utf8');
const folder = `${root}tests/e2e/node_modules/.consume`; // where Node finds the packages
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

function program(language, kind) {
  const found = page.match(new RegExp('```' + `${language} ${kind}\n([\\s\\S]*?)\n` + '```'));
  assert.ok(found, `docs/consume.md has a program in ${language} for ${kind}`);
  const file = `${folder}/from-${kind}.${language === 'js' ? 'mjs' : 'py'}`;
  writeFileSync(file, found[1]);
  return [language === 'js' ? process.execPath : python(), file];
}

function sparePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function until(what, condition) {
  for (let i = 0; i < 500; i++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`waited in vain: ${what}`);
}

const answers = (port) => new Promise((resolve) => {
  const socket = connect(port, '127.0.0.1').on('connect', () => resolve(true) || socket.destroy()).on('error', () => resolve(false));
});

function start(command, args, env) {
  const child = own(spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] }));
  child.text = '';
  child.stdout.on('data', (bytes) => { child.text += bytes; });
  child.ended = new Promise((resolve) => child.on('exit', resolve));
  return child;
}

const deliver = (...args) => execFileSync(`${build}/tests/deliver`, args, { encoding: 'utf8' }).trim().split('\n');

for (const language of ['python', 'js']) {
  test(`the ${language} program takes events over HTTP, each once, and no forged one`, async () => {
    const port = await sparePort(), [command, file] = program(language, 'http');
    const shop = start(command, [file], { PORT: port, SHOP_WEBHOOK_SECRET: secret });
    try {
      await until('the program listens', () => answers(port));
      const url = `http://127.0.0.1:${port}/events`;
      assert.deepEqual(deliver(url, other), Array(4).fill('refused 401 answered 401'));
      assert.deepEqual(deliver(url, secret), Array(4).fill('accepted 204'));
      assert.deepEqual(deliver(url, secret, 'batch'), ['accepted 204']);
      await until('both payments', () => shop.text.includes('pi_2'));
      assert.equal(shop.text, 'fulfil pi_1\nfulfil pi_2\n');
    } finally {
      shop.kill('SIGKILL');
      await shop.ended;
    }
  });

  test(`the ${language} program takes events from a Redis stream, each once, and what another has left`, async () => {
    const port = await sparePort(), data = mkdtempSync(`${tmpdir()}/payhook-consume-`), [command, file] = program(language, 'redis');
    const redis = start('redis-server', ['--port', port, '--bind', '127.0.0.1', '--dir', data, '--save', '']);
    let shop;
    try {
      await until('redis-server listens (scripts/bootstrap installs it)', () => answers(port));
      const url = `redis://127.0.0.1:${port}`, cli = (...args) => execFileSync('redis-cli', ['-p', port, ...args], { encoding: 'utf8' });
      assert.deepEqual(deliver(url, secret), Array(4).fill('accepted 0'));
      shop = start(command, [file], { REDIS_URL: url });
      await until('both payments', () => shop.text.includes('pi_2'));
      assert.deepEqual(deliver(url, secret, 'batch'), ['accepted 0']);
      await until('all are acknowledged', () => cli('XINFO', 'GROUPS', 'payhook').replace(/\s+/g, ' ').match(/pending 0 .*lag 0 /));
      assert.equal(shop.text, 'fulfil pi_1\nfulfil pi_2\n');
    } finally {
      shop?.kill('SIGKILL');
      redis.kill('SIGKILL');
      await Promise.all([shop?.ended, redis.ended]);
      rmSync(data, { recursive: true, force: true });
    }
  });
}
