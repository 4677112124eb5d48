# SPDX-License-Identifier: MIT
"""Real programs over Parley, on a LAN of their own, for the tests.

    class Downloads(LanTest):
        network = ("--loss", "5", "--delay", "2")

        def test_download(self):
            self.host(1, "python3", "-u", "-m", "http.server", "80").line("Serving")
            curl = self.run_host(2, "curl", "-sS", "http://10.0.0.1/file")
            self.assertEqual(curl.status, 0, curl.text())

    main()

Each test has a hub, a directory, and as many hosts as it starts: number n is 10.0.0.n/24. As root
everything runs as an ordinary user. Whoever waits, waits for a line of output, for an event of the
host's trace, or for an end: never for time to pass, and never longer than PATIENCE seconds.

Nothing is left behind: at the end of a test each program that it started is ended, with all that
these have started, and the directory is removed.
"""
import ctypes
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ORDINARY_USER = 65534
PATIENCE = 60
PR_SET_CHILD_SUBREAPER = 36

# Servers often are where ordinary users do not look.
os.environ["PATH"] += ":/usr/sbin:/sbin"

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("PARLEY_SOURCE", os.path.join(HERE, "..", ".."))
PARLEY = os.path.abspath(os.environ.get("PARLEY_BIN", os.path.join(SOURCE, "build", "parley")))


def guest(name):
    """A test program that was built beside the command."""
    return os.path.join(os.path.dirname(PARLEY), "tests", "run", name)


def needs(*programs):
    """For a test that cannot be without these programs."""
    missing = [name for name in programs if not shutil.which(name)]
    return unittest.skipIf(missing, f"{', '.join(missing)} not installed")


def parse(record):
    """An event from a line of a trace (RFC 7464)."""
    return json.loads(record.lstrip("\036"))


# A shell cannot trap what it was started without, as behind nohup or an "&".
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


class Reader(threading.Thread):
    """Collects the lines of one stream and lets others wait until there are those they want."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.lines = []
        self.ended = False
        self.changed = threading.Condition()
        self.stream = stream
        self.start()

    def run(self):
        # A FIFO that nobody writes to yet would seem to have ended.
        poll = select.poll()
        poll.register(self.stream, select.POLLIN)
        poll.poll()
        os.set_blocking(self.stream, True)
        rest = b""
        while chunk := os.read(self.stream, 65536):
            *lines, rest = (rest + chunk).split(b"\n")
            self.add(lines)
        self.add([rest] if rest else [])
        with self.changed:
            self.ended = True
            self.changed.notify_all()
        os.close(self.stream)

    def add(self, lines):
        with self.changed:
            self.lines += [line.decode("utf-8", "replace") for line in lines]
            self.changed.notify_all()

    def find(self, wanted, count=1):
        """The count-th line that `wanted` accepts; None when the stream ends without it."""
        deadline = time.monotonic() + PATIENCE
        with self.changed:
            while True:
                found = [line for line in self.lines if wanted(line)]
                if len(found) >= count:
                    return found[count - 1]
                if self.ended or not self.changed.wait(deadline - time.monotonic()):
                    return None

    def wait_end(self):
        """False when it did not come in time."""
        with self.changed:
            return self.changed.wait_for(lambda: self.ended, PATIENCE)


class Running:
    """A process with its output."""

    def __init__(self, lan, argv, trace=None, user=None, **more):
        self.name = " ".join(argv)
        self.trace = Reader(os.open(trace, os.O_RDONLY | os.O_NONBLOCK)) if trace else None
        environment = {"HOME": lan.directory, "LC_ALL": "C.UTF-8", "http_proxy": ""}
        self.process = subprocess.Popen(
            argv,
            stdin=more.pop("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=lan.directory,
            env={**os.environ, **environment, **more.pop("env", {})},
            **(identity(user)),
            **more,
        )
        self.output = Reader(os.dup(self.process.stdout.fileno()))
        self.process.stdout.close()

    @property
    def pid(self):
        return self.process.pid

    def text(self):
        return "\n".join(self.output.lines)

    def fail(self, what):
        raise AssertionError(f"{self.name}: {what}; its output:\n{self.text()}")

    def line(self, pattern, count=1):
        """Waits for a line of output that the pattern matches somewhere."""
        found = self.output.find(re.compile(pattern).search, count)
        if found is None:
            self.fail(f"no line {pattern!r}")
        return found

    def event(self, count=1, **fields):
        """Waits for an event of the trace with these fields; returns it."""

        def wanted(record):
            event = parse(record)
            return all(event.get(name) == value for name, value in fields.items())

        found = self.trace.find(wanted, count)
        if found is None:
            self.fail(f"no event {fields}")
        return parse(found)

    def events(self):
        """All that the trace has, waited for until the process has closed it."""
        if not self.trace.wait_end():
            self.fail("does not close its trace")
        return [parse(record) for record in self.trace.lines]

    def signal(self, number):
        os.kill(self.pid, number)

    @property
    def status(self):
        """The exit status, waited for; negative when a signal ended it."""
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.fail("does not end")
        if not self.output.wait_end():
            self.fail("something still holds its output")
        return self.process.returncode

    def end(self):
        """Ends it by a signal, if it has not ended, and returns the exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.status


def identity(user):
    """How subprocess is told to become the user."""
    if os.geteuid() != 0 or user == 0:
        return {}
    return {"user": ORDINARY_USER, "group": ORDINARY_USER, "extra_groups": []}


def children():
    found = []
    for task in os.listdir("/proc/self/task"):
        try:
            with open(f"/proc/self/task/{task}/children", encoding="ascii") as file:
                found += [int(pid) for pid in file.read().split()]
        except FileNotFoundError:
            pass  # a thread that has just ended
    return found


def kill_children():
    """Ends all that is left, and what falls to us as its children end. Returns their names."""
    names = []
    while left := children():
        for pid in left:
            try:
                with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
                    # It is empty for those that have ended and were not waited for.
                    names += [name for name in [file.read().replace("\0", " ").strip()] if name]
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ChildProcessError, ProcessLookupError, FileNotFoundError):
                pass
    return names


class LanTest(unittest.TestCase):
    """Tests on a hub with the options `network`."""

    network = ()
    root = False  # stay root, if that is what we are

    def setUp(self):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self.directory = tempfile.mkdtemp(prefix="parley-")
        self.addCleanup(shutil.rmtree, self.directory)
        self.addCleanup(self.clean)
        if os.geteuid() == 0 and not self.root:
            os.chown(self.directory, ORDINARY_USER, ORDINARY_USER)
        # Where it was built others may not be allowed to look.
        self.parley = shutil.copy(PARLEY, self.path("parley"))
        self.running = []
        self.hub = self.start("lan", self.path("hub"), *self.network)
        self.hub.line("ready")

    def clean(self):
        for running in self.running:
            if running.process.poll() is None:
                running.signal(signal.SIGTERM)
        for running in self.running:
            try:
                running.process.wait(PATIENCE / 4)
            except subprocess.TimeoutExpired:
                pass
        left = kill_children()
        for running in self.running:
            running.process.poll()
            running.output.join(PATIENCE / 4)
        self.assertEqual(left, [], "processes were left behind")

    def path(self, name):
        return os.path.join(self.directory, name)

    def file(self, name, content=b""):
        """Makes a file in the directory; returns its path."""
        with open(self.path(name), "wb") as file:
            file.write(content)
        os.chmod(self.path(name), 0o644)
        return self.path(name)

    def content(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def bring(self, name):
        """A copy of a test program; returns how to call it."""
        shutil.copy(guest(name), self.path(name))
        return self.path(name)

    def start(self, *argv, **more):
        """Starts the command."""
        running = Running(self, [self.parley, *argv], user=0 if self.root else None, **more)
        self.running.append(running)
        return running

    def host(self, number, *program, options=(), trace=False, **more):
        """Starts a program on host `number`."""
        argv = ["run", "--dev", f"lan:{self.path('hub')}", "--addr", f"10.0.0.{number}/24"]
        fifo = None
        if trace:
            fifo = self.path(f"trace{len(self.running)}")
            os.mkfifo(fifo)
            os.chmod(fifo, 0o666)
            argv += ["--trace", fifo]
        return self.start(*argv, *options, "--", *program, trace=fifo, **more)

    def run_host(self, number, *program, **more):
        """The same, and waits for its end."""
        running = self.host(number, *program, **more)
        assert running.status is not None
        return running

    def neighbour(self, number):
        """A host that has its address, does nothing, and stays."""
        ours, theirs = os.pipe()
        self.addCleanup(os.close, theirs)
        host = self.host(number, "sh", "-c", "echo there; read line", stdin=ours)
        os.close(ours)
        host.line("there")
        return host

    def expect(self, running, status=0):
        """Waits for its end."""
        self.assertEqual(running.status, status, f"{running.name}:\n{running.text()}")
        return running


class Result(unittest.TextTestResult):
    """Says of each test how long it took."""

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.stream.write(f"{time.monotonic() - self.began:.1f} s ")
        super().addSuccess(test)


def main():
    """Runs the tests of the script; exits 77 when some could not run here."""
    sys.stdout = sys.stderr
    if not os.path.exists(PARLEY):
        print(f"{PARLEY} is not there: build it, or set PARLEY_BIN")
        sys.exit(1)
    runner = unittest.TextTestRunner(resultclass=Result, verbosity=2)
    program = unittest.main(exit=False, testRunner=runner)
    if not program.result.wasSuccessful():
        sys.exit(1)
    for test, why in program.result.skipped:
        print(f"skipped: {test}: {why}")
    sys.exit(77 if program.result.skipped else 0)
