// What the tests run of other makers' clients: built or installed once, from pinned versions.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { root } from './server.mjs';

const folder = `${process.env.PAYHOOK_BUILD_DIR ?? `${root}build`}/tools`;

// The Go programs of go/, or those that go.mod names: {name: path}.
export function buildGo(...packages) {
  execFileSync('go', ['build', '-o', `${folder}/`, ...packages], { cwd: `${root}tests/e2e/go`, stdio: ['ignore', 'inherit', 'inherit'] });
  return Object.fromEntries(packages.map((name) => [name.split('/').pop(), `${folder}/${name.split('/').pop()}`]));
}

// A Python that has what clients/requirements.txt asks for.
export function python() {
  const venv = `${folder}/python`, wanted = readFileSync(`${root}tests/e2e/clients/requirements.txt`, 'utf8');
  if (existsSync(`${venv}/requirements`) && readFileSync(`${venv}/requirements`, 'utf8') === wanted) return `${venv}/bin/python`;
  rmSync(venv, { recursive: true, force: true });
  execFileSync('python3', ['-m', 'venv', venv], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync(`${venv}/bin/pip`, ['install', '--quiet', '--no-deps', '-r', `${root}tests/e2e/clients/requirements.txt`], { stdio: ['ignore', 'ignore', 'inherit'] });
  writeFileSync(`${venv}/requirements`, wanted);
  return `${venv}/bin/python`;
}
