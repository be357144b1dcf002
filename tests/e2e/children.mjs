// What a file's tests have started ends with them, passed or failed: else a test that fails leaves its servers behind, and node
// waits for them until its runner's time is over.
import { after } from 'node:test';

const children = new Set();
const late = 15_000, soon = 3_000; // ms

// Gives the child, which is killed at the end of the file's tests unless it has ended.
export function own(child) {
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

function killAll() {
  for (const child of children) child.kill('SIGKILL');
}

// Neither timer holds node up: it is for what still does when all tests and hooks have ended, or will never end.
function leave(ms) {
  setTimeout(() => process.exit(process.exitCode || 1), ms).unref();
}

process.on('exit', killAll);
for (const [signal, number] of [['SIGHUP', 1], ['SIGINT', 2], ['SIGTERM', 15]]) process.once(signal, () => process.exit(128 + number));

// Hooks run in their order, and none after one that throws: the first of all is for that case, the last for all others.
if (process.env.NODE_TEST_CONTEXT) { // not when a program of ours imports this
  after(() => leave(late));
  queueMicrotask(() => after(() => { killAll(); leave(soon); }));
}
