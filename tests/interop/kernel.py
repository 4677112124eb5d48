# SPDX-License-Identifier: MIT
"""Parley against the Linux kernel, for the tests.

    class Open(InteropTest):
        def test_connect(self):
            listener = self.listen()
            end = self.parley.connect(listener)
            self.both(end, "ESTABLISHED", "ESTAB", port)

Each test has a network namespace of its own with one interface, a TUN or TAP: the kernel, with
these Python sockets, is at its one end, and the driver (driver.c), a Parley host, at the other. Or
(`link` is "packet") a cable between two interfaces, of which the kernel has an address at one only.
Where `device` is "netem" the packets between them can be lost at will (`net`). The namespace and
all in it end with the test. Nobody sleeps for a state to come: whoever waits asks again and again,
at most PATIENCE seconds.
"""
import ctypes
import errno
import os
import re
import select
import socket
import subprocess
import sys
import time
import unittest

CLONE_NEWNET = 0x40000000
CLONE_NEWUSER = 0x10000000
PATIENCE = 20
PORT = 7
CONGESTION = (b"cubic", b"reno")

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("PARLEY_SOURCE", os.path.join(HERE, "..", ".."))
BUILD = os.path.join(SOURCE, "build")
PARLEY = os.path.abspath(os.environ.get("PARLEY_BIN", os.path.join(BUILD, "parley")))
DRIVER = os.path.abspath(
    os.environ.get("PARLEY_DRIVER", os.path.join(BUILD, "tests", "interop", "driver"))
)

# The families that the tests run over.
FAMILIES = [int(word) for word in os.environ.get("PARLEY_FAMILIES", "4 6").split()]

# What the two sides are called, by family.
KERNEL = {4: "198.18.0.1", 6: "fd00:198:18::1"}
PARLEY_HOST = {4: "198.18.0.2", 6: "fd00:198:18::2"}
PREFIX = {4: 24, 6: 64}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}

# Our names of the states, and those of ss.
SS_STATES = {
    "LISTEN": "LISTEN",
    "SYN-SENT": "SYN-SENT",
    "SYN-RECV": "SYN-RECEIVED",
    "ESTAB": "ESTABLISHED",
    "FIN-WAIT-1": "FIN-WAIT-1",
    "FIN-WAIT-2": "FIN-WAIT-2",
    "CLOSE-WAIT": "CLOSE-WAIT",
    "CLOSING": "CLOSING",
    "LAST-ACK": "LAST-ACK",
    "TIME-WAIT": "TIME-WAIT",
    "UNCONN": "CLOSED",
}


def make_pattern():
    """The same bytes as in pattern.c."""
    x, period = 1, bytearray()
    for _ in range(65521):
        x = (x * 1103515245 + 12345) & 0xFFFFFFFF
        period.append(x >> 16 & 0xFF)
    return bytes(period)


PERIOD = make_pattern()


def pattern(length, offset=0):
    """`length` bytes of the pattern from `offset` on."""
    at = offset % len(PERIOD)
    return (PERIOD * ((at + length) // len(PERIOD) + 1))[at : at + length]


def enter_namespace():
    """A new network namespace for this process; None, or why it cannot be."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) == 0:
        return None
    return os.strerror(ctypes.get_errno())


def become_root_of_our_own():
    """Without root: a user namespace in which we are root, once."""
    if os.geteuid() == 0:
        return
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None).unshare(CLONE_NEWUSER) != 0:
        return
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {user} 1"),
        ("gid_map", f"0 {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def why_not():
    """Why these tests cannot run here, or None."""
    for program in ("ip", "ss"):
        if subprocess.run(["which", program], capture_output=True, check=False).returncode:
            return f"{program} (iproute2) is not installed"
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return "/dev/net/tun cannot be opened"
    become_root_of_our_own()
    why = enter_namespace()
    return f"no network namespace: {why}" if why else None


def ip(*args):
    """Runs ip; what it says."""
    run = subprocess.run(["ip", *args], check=True, capture_output=True, encoding="ascii")
    return run.stdout


def make_cable():
    """From the kernel's interface parley0 to another one, whose name it returns."""
    try:
        ip("link", "add", "parley0", "type", "veth", "peer", "name", "cable")
    except subprocess.CalledProcessError as error:
        raise unittest.SkipTest(f"this kernel has no veth: {error.stderr}") from error
    ip("link", "set", "cable", "up")
    return "cable"


def sysctl(name, value):
    with open(f"/proc/sys/net/{name}", "w", encoding="ascii") as file:
        file.write(str(value))


def until(what, wanted, patience=PATIENCE):
    """Asks `wanted` until its answer is true, and returns that."""
    deadline = time.monotonic() + patience
    pause = 0.0005
    while not (answer := wanted()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {patience} s: {what() if callable(what) else what}")
        select.select([], [], [], pause)
        pause = min(2 * pause, 0.02)
    return answer


class Refused(Exception):
    """The driver answered "error NAME"."""

    @property
    def name(self):
        return self.args[0]


class Driver:
    """Parley's side: a process that obeys."""

    def __init__(self, link, name, device, address):
        self.process = subprocess.Popen(
            [DRIVER, link, name, device, address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self.rest = b""
        answer = self.line()
        if not answer.startswith("ok"):
            raise RuntimeError(f"the driver does not start: {answer!r}")

    def line(self):
        while b"\n" not in self.rest:
            if not select.select([self.process.stdout], [], [], 3 * PATIENCE)[0]:
                raise AssertionError("the driver does not answer")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise AssertionError(f"the driver has ended: {self.process.wait()}")
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def __call__(self, *words):
        """Gives a command; what stands behind "ok", or Refused."""
        self.process.stdin.write((" ".join(str(word) for word in words) + "\n").encode())
        status, _, answer = self.line().partition(" ")
        if status != "ok":
            raise Refused(answer)
        return answer

    def table(self, *words):
        """The same for answers of the form name=value; numbers become int."""
        pairs = (pair.split("=") for pair in self(*words).split())
        return {name: int(value) if value.isdigit() else value for name, value in pairs}

    def count(self, name):
        return int(self("count", name))

    def close(self):
        """Ends it; True if that went well."""
        self.process.stdin.close()
        try:
            return self.process.wait(PATIENCE) == 0
        except subprocess.TimeoutExpired:
            self.process.kill()
            return False
        finally:
            self.process.stdout.close()


class End:
    """One of the driver's connections or listeners."""

    def __init__(self, driver, number):
        self.driver, self.number = driver, int(number)

    def __call__(self, command, *words):
        return self.driver(command, self.number, *words)

    def __getattr__(self, name):
        """end.state, end.received and so on: what the driver says now."""
        table = self.driver.table("state", self.number)
        if name not in table:
            raise AttributeError(name)
        return table[name]

    def info(self, name):
        return self.driver.table("info", self.number)[name]

    def text(self):
        return self.driver("state", self.number)

    def until(self, patience=PATIENCE, **wanted):
        """Waits until all these fields have these values."""

        def answer():
            table = self.driver.table("state", self.number)
            return all(table[name] == value for name, value in wanted.items())

        until(lambda: f"{wanted}; it is {self.text()}", answer, patience)

    def take(self, length):
        """Waits for bytes and takes them; b"" at the end of the stream."""
        got = b""
        while len(got) < length:
            try:
                answer = self("take", length - len(got))
            except Refused as refused:
                if refused.name != "EAGAIN":
                    raise
                until("bytes", lambda: self.receive_queue or self.dead or self.peer_closed())
                continue
            if answer == "eof":
                break
            got += bytes.fromhex(answer)
        return got

    def peer_closed(self):
        return self.state in ("CLOSE-WAIT", "LAST-ACK", "CLOSING", "TIME-WAIT", "CLOSED")


class InteropTest(unittest.TestCase):
    """A namespace with the kernel at one end and Parley at the other."""

    family = 4
    link = "tun"
    device = "offload"

    def setUp(self):
        why = enter_namespace()
        self.assertIsNone(why)
        ip("link", "set", "lo", "up")
        self.here, self.there = KERNEL[self.family], PARLEY_HOST[self.family]
        cable = make_cable() if self.link == "packet" else "parley0"
        self.driver = Driver(self.link, cable, self.device, f"{self.there}/{PREFIX[self.family]}")
        self.sockets = []
        self.addCleanup(self.clean)
        if self.family == 6:
            # As with IPv4, an interface that goes down and up has its address still.
            sysctl("ipv6/conf/parley0/keep_addr_on_down", 1)
        address = ["address", "add", f"{self.here}/{PREFIX[self.family]}", "dev", "parley0"]
        ip(*address, *(["nodad"] if self.family == 6 else []))
        ip("link", "set", "parley0", "up")
        if self.family == 6:
            until("an address in use", self.is_ready)

    def is_ready(self):
        """The kernel's IPv6 takes a moment; until then it hears nothing."""
        routed = ip("-6", "route", "get", self.here).startswith("local")
        # Its own address there is the last thing that the kernel makes when the interface is up.
        return routed and "fe80" in ip("-6", "address", "show", "dev", "parley0")

    def clean(self):
        for opened in self.sockets:
            opened.close()
        if self.driver.process.poll() is None:
            self.assertEqual(self.driver("check"), "")
        self.assertTrue(self.driver.close(), "the driver ended badly")

    def again(self):
        """Another namespace with another Parley in it."""
        self.doCleanups()
        self.setUp()

    # The kernel's side.

    def socket(self, **options):
        """A TCP socket of the kernel, non-blocking calls to be waited for with PATIENCE."""
        opened = socket.socket(FAMILY[self.family], socket.SOCK_STREAM)
        self.sockets.append(opened)
        opened.settimeout(PATIENCE)
        for name in CONGESTION:
            try:
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name)
                break
            except OSError:
                pass
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for name, value in options.items():
            level = socket.SOL_SOCKET if name.startswith("SO_") else socket.IPPROTO_TCP
            opened.setsockopt(level, getattr(socket, name), value)
        return opened

    def listener(self, port=PORT, backlog=128, **options):
        opened = self.socket(**options)
        opened.bind((self.here, port))
        opened.listen(backlog)
        return opened

    def accept(self, listener):
        accepted, _ = listener.accept()
        self.sockets.append(accepted)
        accepted.settimeout(PATIENCE)
        return accepted

    def start_connect(self, port=PORT, local=0, **options):
        """A socket whose connect has begun."""
        opened = self.socket(**options)
        if local:
            opened.bind((self.here, local))
        opened.setblocking(False)
        begun = opened.connect_ex((self.there, port))
        self.assertIn(begun, (0, errno.EINPROGRESS))
        opened.settimeout(PATIENCE)
        return opened

    def end_connect(self, opened, patience=PATIENCE):
        """Waits for the end of the connect: 0 or its error."""
        poll = select.poll()
        poll.register(opened, select.POLLOUT)
        poll.poll(patience * 1000)
        return opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def receive(self, opened, length, flags=0):
        """So many bytes, or those before the end of the stream."""
        got = b""
        while len(got) < length:
            piece = opened.recv(length - len(got), flags)
            if not piece:
                break
            got += piece
        return got

    def ss(self, port=PORT):
        """The kernel's connections to or from this port, as ss shows them: {state: count}."""
        text = subprocess.run(
            ["ss", "-tanH", f"( sport = :{port} or dport = :{port} )"],
            capture_output=True,
            check=True,
            encoding="ascii",
        ).stdout
        states = {}
        for line in text.splitlines():
            state = SS_STATES[line.split()[0]]
            states[state] = states.get(state, 0) + 1
        return states

    def until_ss(self, *wanted, port=PORT, patience=PATIENCE):
        """Waits until the kernel's connections (without listeners) have exactly these states."""
        self.until_counts({state: wanted.count(state) for state in wanted}, port, patience)

    def until_counts(self, wanted, port=PORT, patience=PATIENCE):
        """The same with numbers: {state: count}."""

        def answer():
            states = self.ss(port)
            states.pop("LISTEN", None)
            return states == wanted

        until(lambda: f"{wanted} in ss; it has {self.ss(port)}", answer, patience)

    # Parley's side.

    def net(self, out=True, into=True):
        """Whether Parley's packets get out, and those of the kernel in."""
        self.driver("net", 0 if out else 1000000, 0 if into else 1000000)

    def connect(self, port=PORT, local=0):
        return End(self.driver, self.driver("connect", self.here, port, local))

    def listen(self, port=PORT, backlog=128, mode="hold", decides=False):
        more = ["decide"] if decides else []
        return End(self.driver, self.driver("listen", port, backlog, mode, *more))

    def open_passive(self, port=PORT, peer=None):
        """One passive connection; peer is a port of the kernel's, None anyone."""
        return End(self.driver, self.driver("open", port, *([self.here, peer] if peer else [])))

    def decide(self, listening, decision):
        """Decides on the next SYN that comes; the port that it came from."""
        answer = []

        def answered():
            try:
                answer.append(int(listening("decide", decision)))
            except Refused as refused:
                if refused.name != "EAGAIN":
                    raise
            return answer

        until("a SYN to decide on", answered)
        return answer[0]

    def accepted(self, listener, nth=1):
        """The n-th end behind the listener, once it is there."""
        end = End(self.driver, listener.number + nth)

        def answer():
            try:
                return end.connected
            except Refused:
                return False

        until("an accepted connection", answer)
        return end

    def set(self, **settings):
        """Settings of the host, as setting.h counts them, with _ for -."""
        for name, value in settings.items():
            self.driver("set", 0, name.replace("_", "-"), value)

    # Both.

    def states(self, parley, kernel, end, port=PORT, patience=PATIENCE):
        """Waits until Parley's end and the kernel's are in these states (None: not there)."""
        end.until(patience, state=parley)
        self.until_ss(*([kernel] if kernel else []), port=port, patience=patience)

    def pair(self, by_parley, mode="hold", **options):
        """An established connection: Parley's end and the kernel's socket."""
        if by_parley:
            listener = self.listener(**options)
            end = self.connect()
            end("mode", mode)
            opened = self.accept(listener)
            listener.close()
        else:
            listening = self.listen(mode=mode)
            opened = self.start_connect(**options)
            self.assertEqual(self.end_connect(opened), 0)
            end = self.accepted(listening)
        self.states("ESTABLISHED", "ESTABLISHED", end)
        return end, opened

    def assert_raises_errno(self, number, call, *args):
        with self.assertRaises(OSError) as caught:
            call(*args)
        self.assertEqual(caught.exception.errno, number, caught.exception)


MS, S = 1_000_000, 1_000_000_000


def both_roles(test):
    """A test with the argument by_parley: who opens the connection."""

    def run(self):
        for by_parley in (True, False):
            with self.subTest(opened_by="parley" if by_parley else "kernel"):
                if not by_parley:
                    self.again()
                test(self, by_parley)

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


def over_families(cases):
    """Makes each class of InteropTests one for each of FAMILIES; IPv6's have "V6" behind them."""
    for name, case in list(cases.items()):
        if not (isinstance(case, type) and issubclass(case, InteropTest)) or case is InteropTest:
            continue
        if 6 in FAMILIES:
            cases[f"{name}V6"] = type(f"{name}V6", (case,), {"family": 6})
        if 4 not in FAMILIES:
            del cases[name]


class Result(unittest.TextTestResult):
    """Says of each test how long it took."""

    def startTest(self, test):
        self.began = time.monotonic()
        super().startTest(test)

    def addSuccess(self, test):
        self.stream.write(f"{time.monotonic() - self.began:.1f} s ")
        super().addSuccess(test)


def main():
    """Runs the tests of the script; exits 77 when they cannot run here."""
    why = why_not()
    if why:
        print(f"skipped: {why}", file=sys.stderr)
        sys.exit(77)
    for path in (DRIVER, PARLEY):
        if not os.path.exists(path):
            print(f"{path} is not there: build it, or set PARLEY_DRIVER and PARLEY_BIN")
            sys.exit(1)
    over_families(vars(sys.modules["__main__"]))
    runner = unittest.TextTestRunner(resultclass=Result, verbosity=2)
    program = unittest.main(exit=False, testRunner=runner)
    sys.exit(0 if program.result.wasSuccessful() else 1)
