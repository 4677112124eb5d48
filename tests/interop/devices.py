# SPDX-License-Identifier: MIT
"""`parley run` on interfaces of a network namespace, for the tests."""
import filecmp
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from kernel import PARLEY, enter_namespace, ip

KERNEL, HOST = "198.18.0.1", "198.18.0.2"
PATIENCE = 30


class DeviceTest(unittest.TestCase):
    """A namespace of its own for each test, with a directory that holds a file."""

    def setUp(self):
        self.assertIsNone(enter_namespace())
        ip("link", "set", "lo", "up")
        self.directory = tempfile.mkdtemp(prefix="parley-")
        self.addCleanup(shutil.rmtree, self.directory)
        os.chmod(self.directory, 0o777)
        # Where it was built others may not be allowed to look.
        self.parley = shutil.copy(PARLEY, self.path("parley"))
        self.file = self.path("file")
        with open(self.file, "wb") as file:
            file.write(os.urandom(3_000_000))
        os.chmod(self.file, 0o644)
        self.running = []
        self.addCleanup(self.clean)

    def clean(self):
        for process in self.running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)

    def path(self, name):
        return os.path.join(self.directory, name)

    def start(self, *argv, **more):
        process = subprocess.Popen(
            argv,
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            **more,
        )
        self.running.append(process)
        return process

    def run_parley(self, dev, *program, peer=True, options=(), before=(), **more):
        argv = [*before, self.parley, "run", "--dev", dev, "--addr", f"{HOST}/24", *options]
        if peer:
            argv += ["--peer-addr", f"{KERNEL}/24"]
        return self.start(*argv, "--", *program, **more)

    def expect(self, process, status=0):
        output, _ = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, status, output)
        return output

    def serve(self, *program, **more):
        """A web server of the directory: of Parley's with run_parley's arguments."""
        server = ["python3", "-u", "-m", "http.server", "80"]
        if program:
            process = self.run_parley(*program, *server, **more)
        else:
            process = self.start(*server)
        line = process.stdout.readline()
        self.assertIn("Serving", line)
        return process

    def fetch(self, *before, host):
        return [*before, "curl", "-sS", "-o", "copy", f"http://{host}/file"]

    def same(self):
        self.assertTrue(filecmp.cmp(self.file, self.path("copy"), shallow=False))
        os.unlink(self.path("copy"))
