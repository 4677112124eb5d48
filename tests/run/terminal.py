# SPDX-License-Identifier: MIT
"""A pseudo-terminal at which a test types; a program gets `theirs` as its input."""
import os

# For a shell at the other end's terminal: says so, and waits for what the terminal makes of \x03.
WAIT_FOR_INTERRUPT = (
    'python3 -c "from signal import *; pthread_sigmask(SIG_BLOCK, [SIGINT]);'
    " print('wai''ting', flush=True); sigwait([SIGINT]); print('inter''rupted')\"\n"
)


class Terminal:
    def __init__(self, test):
        self.ours, self.theirs = os.openpty()
        # A program that runs as another user may have to open it again by name.
        os.chmod(os.ttyname(self.theirs), 0o666)
        test.addCleanup(os.close, self.ours)

    def close_theirs(self):
        os.close(self.theirs)

    def type(self, text):
        os.write(self.ours, text.encode())
