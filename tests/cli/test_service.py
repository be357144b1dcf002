#!/usr/bin/env python3
"""contrib/payhook.service: its commands run, as it has them, with the credentials that it loads; and it is a unit as systemd reads one."""
import configparser, json, os, re, shlex, shutil, signal, subprocess, threading

from harness import PAYHOOK, SECRET, WORK, file, main, promise

ROOT = os.environ["PAYHOOK_SOURCE_DIR"]
SIGNING = "whsec_c2lnbmluZy1rZXktb2YtdGhlLXRlc3Qtc2hvcA=="
with open(os.path.join(ROOT, "contrib/payhook.service"), encoding="utf-8") as f:
    UNIT = f.read()
LINES = [tuple(line.split("=", 1)) for line in UNIT.splitlines() if line and line[0] not in "#["]
# systemd leaves out what it does not know, and says so in a log that nobody reads: a name that is new here has to be looked up.
KNOWN = """After AmbientCapabilities CapabilityBoundingSet Description Documentation DynamicUser ExecReload ExecStart ExecStartPre LimitNOFILE
LoadCredential LockPersonality MemoryDenyWriteExecute NoNewPrivileges PrivateDevices PrivateTmp ProcSubset ProtectClock
ProtectControlGroups ProtectHome ProtectHostname ProtectKernelLogs ProtectKernelModules ProtectKernelTunables ProtectProc ProtectSystem
ReadOnlyPaths RemoveIPC Restart RestartSec RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID StateDirectory
StateDirectoryMode SystemCallArchitectures SystemCallErrorNumber SystemCallFilter TimeoutStopSec Type UMask WantedBy Wants""".split()


def values(name):
    return [value for key, value in LINES if key == name]


def place(path):
    """A path of the unit's, in the folder of this test."""
    return os.path.join(WORK.name, path.lstrip("/"))


def words(command, pid=None):
    """The command as systemd starts it, on this build and in this test's folder."""
    assert command[0] == "/", f"a prefix of systemd's: {command}"
    found = [word.replace("$MAINPID", str(pid)) for word in shlex.split(command)]
    if found[0] == "/bin/kill":  # machines with systemd have it (procps); the shell's own does the same
        return ["sh", "-c", 'kill "$@"', *found]
    return [PAYHOOK if word == "/usr/bin/payhook" else place(word) if word.startswith("/etc/") else word for word in found]


def set_up():
    """/etc/payhook as the unit's head says, on free ports."""
    os.makedirs(place("/etc/payhook/secrets"))
    os.makedirs(place("/var/lib"))
    credentials = os.path.join(WORK.name, "credentials")
    os.makedirs(credentials)
    with open(os.path.join(ROOT, "contrib/payhook.yaml"), encoding="utf-8") as f:
        text = f.read()
    assert f"data: /var/lib/{values('StateDirectory')[0]}\n" in text, "the data folder is the unit's"
    text = re.sub(r"(listen: 127\.0\.0\.1):\d+", r"\1:0", text).replace("data: /var/lib/", f"data: {place('/var/lib')}/")
    file("etc/payhook/payhook.yaml", text)
    for credential in values("LoadCredential"):
        name, path = credential.split(":")
        secret = SIGNING if name == "shop" else SECRET if name == "stripe-old" else "0123456789abcdef" * 4
        file(path.lstrip("/"), secret)
        shutil.copy(place(path), os.path.join(credentials, name))
        os.chmod(os.path.join(credentials, name), 0o400)
    kept = {name: value for name, value in os.environ.items() if name == "PATH" or name.endswith("SAN_OPTIONS")}
    return {**kept, "CREDENTIALS_DIRECTORY": credentials, "STATE_DIRECTORY": place("/var/lib/payhook")}


class Service:
    """ExecStart, until it ends; what it prints is waited for."""

    def __init__(self, env):
        (command,) = values("ExecStart")
        self.said, self.came = "", threading.Condition()
        self.process = subprocess.Popen(words(command), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, cwd="/", umask=int(values("UMask")[0], 8))
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            with self.came:
                self.said += line
                self.came.notify_all()

    def says(self, text):
        with self.came:
            assert self.came.wait_for(lambda: text in self.said, 60), f"{text!r} was not said:\n{self.said}"


def reload(env, pid):
    """As systemd does: one after the other, up to the first that fails. Gives how it ended."""
    code = 0
    for command in values("ExecReload"):
        code = code or subprocess.run(words(command, pid), env=env, timeout=60, capture_output=True).returncode
    return code


def line_of_log(text):
    return json.loads(text) if text.startswith("{") else {}


@promise
def its_commands_run_as_it_has_them():
    env = set_up()
    for command in values("ExecStartPre"):
        subprocess.run(words(command), env=env, timeout=60, check=True, capture_output=True)
    service = Service(env)
    try:
        service.says("inbox in ")
        assert os.path.exists(place("/var/lib/payhook/inbox.db"))
        assert reload(env, service.process.pid) == 0
        service.says('"configuration":"read"')
        with open(place("/etc/payhook/payhook.yaml"), "a", encoding="utf-8") as f:
            f.write("nonsense: 1\n")
        assert reload(env, service.process.pid) == 1, "what is wrong is said, and the service left as it is"
        assert service.process.poll() is None
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(int(values("TimeoutStopSec")[0].rstrip("s"))) == 0
        service.reader.join(10)
        reloads = [line for line in map(line_of_log, service.said.splitlines()) if line.get("message") == "reload"]
        assert len([line for line in reloads if line.get("configuration") == "read"]) == 1, reloads
        assert SECRET not in service.said
    finally:
        service.process.kill()
        service.process.wait()


@promise
def every_name_in_it_is_one_of_systemd():
    assert sorted({name for name, _ in LINES}) == KNOWN
    sections = configparser.RawConfigParser(strict=False)
    sections.read_string(UNIT)
    assert sections.sections() == ["Unit", "Service", "Install"]


@promise
def systemd_itself_has_nothing_against_it_where_there_is_one():
    if shutil.which("systemd-analyze") is None:
        print("no systemd-analyze on this machine: its names and commands were checked, not what systemd says of it")
        return
    path = file("payhook.service", UNIT.replace("/usr/bin/payhook", PAYHOOK))
    run = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True, timeout=60)
    said = [line for line in (run.stdout + run.stderr).splitlines() if "payhook.service" in line]  # not of the machine's own units
    assert said == [], said


main()
