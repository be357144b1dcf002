#!/usr/bin/env python3
"""Rows 3 and 6 of docs/internals/benchmarks.md: gRPC HandleEvent on one core, beside a bare nghttp2 server that does
the same work on the same request, in turns; and what the process holds after a million calls.
usage: bench/wire.py BUILD [CALLS]

The rate of one core is 1 / (the server's own processor time per call): a busy neighbour slows the clock on the wall,
and h2load on the other core is sometimes the slower side. The wall's ratio stands beside it."""
import os, re, shutil, signal, socket, statistics, struct, subprocess, sys, tempfile, time

build = sys.argv[1]
million = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
ROUNDS, CALLS = 9, 200_000
if shutil.which("h2load") is None:
    sys.exit("rows 3 and 6 need h2load: apt-get install nghttp2-client")
cores = sorted(os.sched_getaffinity(0))
folder = tempfile.TemporaryDirectory()
request = os.path.join(folder.name, "request")
subprocess.run([f"{build}/bench/bench_handle", "request", request], check=True)


class Server:
    def __init__(self, args, port_at):
        self.process = subprocess.Popen(args, stdout=subprocess.PIPE, text=True)
        os.sched_setaffinity(self.process.pid, {cores[0]})
        self.port = int(re.search(port_at, self.process.stdout.readline()).group(1))

    def processor_s(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self, what):
        return int(re.search(rf"{what}:\s+(\d+)", open(f"/proc/{self.process.pid}/status").read()).group(1))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def load(server, calls, clients=8, streams=32):
    """(calls a second, microseconds of the server's processor time per call)"""
    before = server.processor_s()
    out = subprocess.run(["h2load", "-n", str(calls), "-c", str(clients), "-m", str(streams), "-d", request,
                          "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", "x-connector: stripe",
                          "-H", "x-received-at: 1700000000000",
                          f"http://127.0.0.1:{server.port}/types.EventService/HandleEvent"],
                         stdout=subprocess.PIPE, text=True, check=True,
                         preexec_fn=lambda: os.sched_setaffinity(0, {cores[-1]})).stdout
    rate = float(re.search(r"finished in [^,]*, ([\d.]+) req/s", out).group(1))
    if f"{calls} succeeded, 0 failed" not in out:
        sys.exit(f"h2load: {re.search('requests:.*', out).group(0)}")
    return rate, (server.processor_s() - before) / calls * 1e6


def get(port, path):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        out = b""
        while part := s.recv(65536):
            out += part
    return out.decode()


def answer_of(port):
    """The answer to the same request, as the floor's fixed message."""
    out = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "--data-binary", f"@{request}",
                          "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", "x-connector: stripe",
                          "-H", "x-received-at: 1700000000000",
                          f"http://127.0.0.1:{port}/types.EventService/HandleEvent"], stdout=subprocess.PIPE, check=True).stdout
    assert len(out) > 5 and struct.unpack(">I", out[1:5])[0] == len(out) - 5, out
    path = os.path.join(folder.name, "answer")
    open(path, "wb").write(out[5:])
    return path


ours = Server([f"{build}/payhook", "serve", "--listen", "127.0.0.1:0", "--listen-webhooks", "none", "--threads", "1", "--no-callouts"], r":(\d+) ")
floor = Server([f"{build}/bench/floor_server", answer_of(ours.port)], r"(\d+)")
rows = []
for turn in range(-1, ROUNDS):  # -1: warm-up
    pair = load(floor, CALLS), load(ours, CALLS)
    if turn >= 0:
        rows.append(pair)
floor_us, ours_us = (statistics.median(pair[i][1] for pair in rows) for i in (0, 1))
by_core = statistics.median(pair[0][1] / pair[1][1] for pair in rows)
by_wall = statistics.median(pair[1][0] / pair[0][0] for pair in rows)
print(f"row 3  gRPC HandleEvent, one core         {ours_us:6.2f} us   {1e6 / ours_us:.0f}/s; floor {floor_us:.2f} us, {1e6 / floor_us:.0f}/s   "
      f"ratio {by_core:.2f} (aim >= 0.75); on the wall {statistics.median(p[1][0] for p in rows):.0f}/s of {statistics.median(p[0][0] for p in rows):.0f}/s, {by_wall:.2f}")
floor.process.kill()
before = ours.memory_kib("RssAnon")
done = 0
while done < million:
    load(ours, min(100_000, million - done), clients=100, streams=10)
    done += 100_000
time.sleep(1.2)  # quiet connections give their buffers back
errors = int(re.search(r"payhook_grpc_errors_total (\d+)", get(ours.port, "/metrics")).group(1))
print(f"row 6  RssAnon after {million} calls     {ours.memory_kib('RssAnon') / 1024:6.2f} MiB  (aim <= 8); before them {before / 1024:.2f}; "
      f"RssFile {ours.memory_kib('RssFile') / 1024:.1f}; {errors} calls failed")
ours.stop()
sys.exit(errors != 0)
