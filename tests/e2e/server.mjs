// Starts `payhook serve` on free ports and stops it; signs like Stripe does.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import net from 'node:net';
import { own } from './children.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const secret = 'whsec_e2e_secret';
export const binary = process.env.PAYHOOK_BIN ?? `${root}build/payhook`;

// before: a command that starts it.
export async function startServer(args = [], env = {}, before = []) {
  const [command, ...first] = [...before, binary, 'serve'];
  const child = own(spawn(command, [...first, '--listen', '127.0.0.1:0', '--dev',
    '--listen-webhooks', '127.0.0.1:0', '--threads', '2', ...args], {
    env: { ...process.env, PAYHOOK_STRIPE_SECRET: secret, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  }));
  const server = { child, output: '', log: '' };
  child.stderr.setEncoding('utf8').on('data', (text) => {
    server.log += text;
    process.stderr.write(text);
  });
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`payhook ended with ${code}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      server.output += text;
      server.port ??= server.output.match(/listening on 127\.0\.0\.1:(\d+) \(event/)?.[1];
      server.webhookPort ??= server.output.match(/listening on 127\.0\.0\.1:(\d+) \(webhooks/)?.[1];
      if (server.port && server.webhookPort) resolve();
    });
  });
  server.stop = () => new Promise((resolve) => {
    child.removeAllListeners('exit');
    if (child.exitCode !== null) resolve(child.exitCode);
    child.once('exit', (code) => resolve(code));
    child.kill('SIGTERM');
  });
  return server;
}

export function stripeSignature(body, key = secret, time = Math.floor(Date.now() / 1000)) {
  const mac = createHmac('sha256', key).update(`${time}.`).update(body).digest('hex');
  return `t=${time},v1=${mac}`;
}

export function stripeEvent(extra = {}) {
  return JSON.stringify({
    id: 'evt_e2e_1', object: 'event', type: 'payment_intent.succeeded', created: 1764000000,
    livemode: false, api_version: '2024-06-20',
    data: { object: { id: 'pi_e2e_1', object: 'payment_intent', amount: 4905, amount_received: 4905,
      currency: 'eur', status: 'succeeded', metadata: {}, ...extra } },
  });
}

// Sends bytes as they are; gives all that comes back until the server closes or `ms` pass.
export function rawExchange(port, chunks, ms = 1500) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), '127.0.0.1');
    const result = { text: '', closed: false };
    const finish = () => { socket.destroy(); resolve(result); };
    const timer = setTimeout(finish, ms);
    socket.setEncoding('latin1').on('data', (text) => { result.text += text; });
    socket.on('end', () => { result.closed = true; clearTimeout(timer); finish(); });
    socket.on('error', (error) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') return;
      clearTimeout(timer);
      reject(error);
    });
    socket.on('connect', async () => {
      for (const chunk of [chunks].flat()) {
        if (typeof chunk === 'number') await new Promise((next) => setTimeout(next, chunk));
        else socket.write(chunk);
      }
    });
  });
}
