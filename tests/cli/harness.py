"""What the tests of the command line share: run payhook, compare, count. No dependencies."""
import os, subprocess, sys, tempfile, traceback

PAYHOOK = os.environ.get("PAYHOOK_BIN") or os.path.abspath("build/payhook")
SECRET = "whsec_S3cretThatMustNeverBePrinted"
ENV = {**os.environ, "SECRET": SECRET, "OTHER": "whsec_An0therSecret", "EMPTY": ""}
WORK = tempfile.TemporaryDirectory(prefix="payhook-cli-")
promises = []


def promise(function):
    """A test; its name is the promise."""
    promises.append(function)
    return function


class Run:
    def __init__(self, *args, stdin=b"", env=None, timeout=60):
        env = {name: value for name, value in {**ENV, **(env or {})}.items() if value is not None}  # None: not set
        p = subprocess.run([PAYHOOK, *args], input=stdin, env=env, timeout=timeout, capture_output=True)
        self.code, self.out, self.err = p.returncode, p.stdout, p.stderr.decode("utf-8", "replace")
        self.text = self.out.decode("utf-8", "replace")
        self.args = args
        # Nothing that any command prints may hold a secret (sign's tokens are the exception: they are the signature).
        if args and args[0] not in ("sign",):
            assert SECRET not in self.text and SECRET not in self.err, f"the secret is printed by {args}"

    def exits(self, code, *, out=None, err=None):
        shown = f"\n  payhook {' '.join(self.args)}\n  code {self.code}\n  out: {self.text[:1500]}\n  err: {self.err[:1500]}"
        assert self.code == code, f"exit code {self.code}, not {code}{shown}"
        if out is not None:
            assert out in self.text, f"{out!r} is not in the output{shown}"
        if err is not None:
            assert err in self.err, f"{err!r} is not in the error{shown}"
        return self


def file(name, content):
    path = os.path.join(WORK.name, name)
    with open(path, "wb") as f:
        f.write(content if isinstance(content, bytes) else content.encode())
    return path


def main():
    passed = failed = 0
    for function in promises:
        try:
            function()
            passed += 1
        except Exception:
            failed += 1
            print(f"FAIL {function.__name__}")
            traceback.print_exc(file=sys.stdout)
    WORK.cleanup()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
