// The Go tools and clients of go/, built once a run from what go.mod and go.sum pin.
import { execFileSync } from 'node:child_process';
import { root } from './server.mjs';

const folder = `${process.env.PAYHOOK_BUILD_DIR ?? `${root}build`}/tools/`;

export function buildGo(...packages) {
  execFileSync('go', ['build', '-o', folder, ...packages], { cwd: `${root}tests/e2e/go`, stdio: ['ignore', 'inherit', 'inherit'] });
  return Object.fromEntries(packages.map((name) => [name.split('/').pop(), folder + name.split('/').pop()]));
}
