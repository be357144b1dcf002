// A processor's own server, for what payhook asks over TLS.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// Makes an authority (`ca.pem` in the folder) and what a server of that name shows: {key, cert}, for https.createServer.
export function makeSite(folder, host) {
  const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe', cwd: folder });
  openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test CA', '-days', '2');
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'site.key', '-out', 'site.csr', '-subj', '/CN=site');
  writeFileSync(join(folder, 'ext'), `subjectAltName=DNS:${host}\n`);
  openssl('x509', '-req', '-in', 'site.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext', '-out', 'site.pem');
  return { key: readFileSync(join(folder, 'site.key')), cert: readFileSync(join(folder, 'site.pem')) };
}
