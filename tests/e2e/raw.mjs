// Sockets and HTTP/2 frames by hand, for what no client library would send.
import fs from 'node:fs';
import net from 'node:net';

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
export const DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8, CONTINUATION = 9;
export const END_STREAM = 1, ACK = 1, END_HEADERS = 4;

export function frame(type, flags, id, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(id, 5);
  return Buffer.concat([head, payload]);
}

export const u32 = (number) => { const out = Buffer.alloc(4); out.writeUInt32BE(number); return out; };

// HPACK: a literal without indexing, its texts plain.
function text(value) {
  const bytes = Buffer.from(value), length = [];
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  let rest = bytes.length - 127;
  for (length.push(127); rest > 127; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}
export const literal = (name, value) => Buffer.concat([Buffer.from([0]), text(name), text(value)]);
export const indexed = (name, value) => Buffer.concat([Buffer.from([0x40]), text(name), text(value)]); // and into the table
export const block = (fields) => Buffer.concat(Object.entries(fields).map(([name, value]) => literal(name, value)));

export const head = (path, more = {}) => block({ ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'x', ...more });
export const start = (settings = Buffer.alloc(0)) => Buffer.concat([PREFACE, frame(SETTINGS, 0, 0, settings)]);

const all = new Set();
export function closeRest() { for (const socket of all) socket.destroy(); all.clear(); }

// A socket that keeps what comes: received, ended, and, of HTTP/2, the frames.
export function connect(port, { reading = true } = {}) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    all.add(socket);
    const it = { socket, received: Buffer.alloc(0), closed: false };
    it.gone = new Promise((done) => { socket.once('close', done).once('end', done); });
    it.gone.then(() => { it.closed = true; });
    it.send = (...bytes) => new Promise((done) => { if (socket.writable) socket.write(Buffer.concat(bytes.map((part) => Buffer.from(part))), () => done()); else done(); });
    it.frames = () => {
      const found = [];
      for (let at = 0; at + 9 <= it.received.length;) {
        const length = it.received.readUIntBE(at, 3);
        found.push({ type: it.received[at + 3], flags: it.received[at + 4], id: it.received.readUInt32BE(at + 5), payload: it.received.subarray(at + 9, at + 9 + length) });
        at += 9 + length;
      }
      return found;
    };
    socket.on('error', (error) => { if (error.code === 'ECONNREFUSED') reject(error); });
    socket.once('connect', () => resolve(it));
    if (reading) socket.on('data', (bytes) => { it.received = Buffer.concat([it.received, bytes]); });
    else socket.pause();
  });
}

export const connectMany = (port, count, options) => Promise.all(Array.from({ length: count }, () => connect(port, options)));
export const closeAll = (connections) => { for (const { socket } of connections) socket.destroy(); };

export const rssAnonKiB = (pid) => Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/RssAnon:\s+(\d+)/)[1]);
export const filesOf = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;
