"""A gateway on loopback with one destination, and an application behind it: what bench/ingest and scripts/soak-gateway share."""
import atexit, http.client, http.server, json, os, shutil, socket, subprocess, sys, tempfile, threading

CONNECTIONS = "512"  # as many as bench_inbox has on their way


class Application:
    """Takes batches, answers 200 at once, and counts events."""

    def __init__(self):
        application = self

        class Sink(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with application.lock:
                    application.events += body.count(b'"specversion"')
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.lock, self.events = threading.Lock(), 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Hostile:
    """An application that takes connections and never answers, answers 500, or cuts its answer off: `answer` is what it says."""

    def __init__(self, answer):
        self.answer, self.socket = answer, socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        held = []
        while True:
            connection, _ = self.socket.accept()
            if self.answer is None:
                held.append(connection)
                continue
            connection.recv(65536)
            connection.sendall(self.answer)
            connection.close()


def hostile_ones():
    return [Hostile(None), Hostile(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
            Hostile(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of")]


def destination(url):
    return {"url": url, "secret": ["env:D"], "format": "batch", "batch": 100}


class Gateway:
    def __init__(self, build, url, level="error", settings={}):
        self.build = build
        self.home = tempfile.mkdtemp(prefix="payhook-bench-", dir=os.environ.get("PAYHOOK_BENCH_DIR"))
        env = {**os.environ, "S": "whsec_bench", "D": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
        with open(f"{self.home}/payhook.yaml", "w") as f:
            json.dump({"data": f"{self.home}/data", "webhooks": {"listen": "127.0.0.1:0"}, "service": {"listen": "127.0.0.1:0"},
                       "log": {"level": level}, "endpoints": {"shop": {"connector": "stripe", "secrets": ["env:S"]}},
                       "destinations": {"app": destination(url)}, **settings}, f)
        self.child = subprocess.Popen([f"{build}/payhook", "serve", "--config", f"{self.home}/payhook.yaml"], env=env, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        atexit.register(self.child.kill)  # also when the sender fails
        for line in self.child.stdout:
            if "(webhooks" in line:
                self.port = line.split("listening on 127.0.0.1:")[1].split()[0]
            elif "listening on" in line:
                self.service_port = line.split("listening on 127.0.0.1:")[1].split()[0]
            if line.startswith("inbox in"):
                break

    def threads_us(self):
        """Processor time by the names of threads."""
        us = {}
        for task in os.listdir(f"/proc/{self.child.pid}/task"):
            folder = f"/proc/{self.child.pid}/task/{task}"
            with open(f"{folder}/comm") as name, open(f"{folder}/schedstat") as used:
                name = name.read().strip()
                us[name] = us.get(name, 0) + int(used.read().split()[0]) / 1000
        return us

    def send(self, seconds, *args):
        """What bench_ingest prints, and under "cpu" what a webhook took of each thread, in µs."""
        before = self.threads_us()
        out = subprocess.run([f"{self.build}/bench/bench_ingest", self.port, "shop", str(seconds), CONNECTIONS, *args],
                             text=True, stdout=subprocess.PIPE)
        if out.returncode:
            sys.exit(f"bench_ingest: exit code {out.returncode} {out.stdout}")
        answer, after = json.loads(out.stdout), self.threads_us()
        answer["cpu"] = {name: (us - before.get(name, 0)) / answer["requests"] for name, us in after.items()}
        return answer

    def metrics(self):
        """Those without labels, by name."""
        web = http.client.HTTPConnection("127.0.0.1", self.service_port, timeout=10)
        web.request("GET", "/metrics")
        lines = (line.split() for line in web.getresponse().read().decode().splitlines() if line[:1] != "#")
        web.close()
        return {parts[0]: float(parts[1]) for parts in lines if len(parts) == 2}

    def memory(self):
        """RssAnon, RssFile, … in MiB."""
        with open(f"/proc/{self.child.pid}/status") as f:
            return {k: int(v.split()[0]) / 1024 for k, v in (line.split(":") for line in f if line.startswith("Rss"))}

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))

    def files(self):
        """Bytes of the inbox on disk, the log of SQLite included."""
        return sum(os.path.getsize(f"{self.home}/data/{name}") for name in os.listdir(f"{self.home}/data"))

    def pause(self, name="app"):
        subprocess.run([f"{self.build}/payhook", "destinations", "pause", name, "--data", f"{self.home}/data"], check=True,
                       stdout=subprocess.DEVNULL)

    def stop(self):
        self.child.terminate()
        code = self.child.wait(60)
        shutil.rmtree(self.home)
        return code
