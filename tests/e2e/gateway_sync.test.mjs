// The gateway on a disk whose sync fails once: what it wrote may be lost though it reads well, so nothing is taken until a restart (G7).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { each, post, query, startGateway, startSink, stripe, until } from './gateway.mjs';
import { askAdmin } from './openapi.mjs';
import { root } from './server.mjs';

const dir = mkdtempSync(join(tmpdir(), 'payhook-sync-')), shim = join(dir, 'failing_sync.so'), trigger = join(dir, 'fails');
let sink, gateway;

before(async () => {
  execFileSync('gcc', ['-shared', '-fPIC', '-o', shim, `${root}tests/e2e/failing_sync.c`, '-ldl'], { stdio: 'inherit' });
  sink = await startSink();
  gateway = await startGateway({ destinations: { shop: sink.destination } }, { more: {
    LD_PRELOAD: shim, FAILING_SYNC: trigger,
    ASAN_OPTIONS: [process.env.ASAN_OPTIONS, 'verify_asan_link_order=0'].filter(Boolean).join(':'), // of a build with it
  } });
});
after(async () => {
  await gateway?.stop();
  await sink?.stop();
  rmSync(dir, { recursive: true, force: true });
});

test('a failed sync stops the inbox until a restart, though the disk is well again; nothing acknowledged is lost (G7)', { timeout: 120_000 }, async () => {
  const acknowledged = new Set();
  const send = async (id) => {
    const answer = await post(gateway, 'stripe', stripe(id));
    if (answer.status === 200) acknowledged.add(`pi_${id}`);
    return answer;
  };
  const refused = async (id) => {
    const { status, headers } = await send(id);
    assert.equal(status, 503);
    assert.ok(Number(headers['retry-after']) > 0);
  };
  await each(20, 4, (i) => send(`before${i}`));
  assert.equal(acknowledged.size, 20);
  assert.equal((await gateway.get('/readyz')).status, 200);

  writeFileSync(trigger, '');
  await refused('during');
  rmSync(trigger);
  const readiness = await gateway.get('/readyz');
  assert.deepEqual([readiness.status, JSON.parse(readiness.text).status], [503, 'unavailable']);
  for (let i = 0; i < 5; i++) await refused(`after${i}`);
  assert.equal((await gateway.get('/readyz')).status, 503, 'it does not mend itself');
  assert.equal((await gateway.get('/healthz')).status, 200);
  const { inbox } = (await askAdmin({ socketPath: `${gateway.home}/data/admin.sock` }, 'GET', 'status')).json;
  assert.equal(inbox.state, 'failed');
  assert.ok(inbox.why.length > 0);
  await until(() => /a commit failed: .*nothing more is written/.test(gateway.log), 'the log to say so');

  await gateway.end();
  await gateway.start();
  assert.equal((await gateway.get('/readyz')).status, 200);
  for (const id of ['during', 'after0']) assert.equal((await send(id)).status, 200, 'the processor comes again');
  const kept = query(gateway, 'SELECT subject FROM events').map((row) => row.subject);
  assert.deepEqual([...acknowledged].filter((subject) => !kept.includes(subject)), []);
  assert.equal(new Set(kept).size, kept.length, 'each once');
  await until(() => sink.bySubject.size === acknowledged.size, 'all deliveries');
  assert.equal(await gateway.end(), 0);
});
