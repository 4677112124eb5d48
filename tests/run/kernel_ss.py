# SPDX-License-Identifier: MIT
"""What the kernel's ss prints of stage.py, in a network namespace of its own.

    unshare -n python3 kernel_ss.py LINE...

Each LINE is a command line of ss, its words divided by single spaces; N@ in front stands for a
terminal of N columns. The answers go to standard output as a list of JSON.
"""
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def on_terminal(argv, columns, user):
    """What a command prints on a terminal."""
    pid, fd = pty.fork()
    if pid == 0:
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.execvp(argv[0], argv)
    text = b""
    try:
        while chunk := os.read(fd, 65536):
            text += chunk
    except OSError:
        pass  # that is how the end of a terminal looks
    os.close(fd)
    os.waitpid(pid, 0)
    return text.decode().replace("\r\n", "\n")


def ask(command, line, user=None):
    """What `command`, run by the user, answers to one command line."""
    columns, _, words = line.rpartition("@")
    argv = command + words.split(" ")
    if columns:
        return on_terminal(argv, int(columns), user)
    return subprocess.run(
        argv, stdout=subprocess.PIPE, check=True, text=True, user=user, group=user,
        extra_groups=None if user is None else [],
    ).stdout


def settled():
    """Whether the last of the segments have arrived."""
    rows = subprocess.run(["ss", "-Htan"], stdout=subprocess.PIPE, check=True, text=True).stdout
    states = sorted(row.split()[0] for row in rows.splitlines())
    return states.count("CLOSE-WAIT") == 2 and states.count("FIN-WAIT-2") == 2


def main():
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["ip", "link", "set", "lo", "up"], **quiet)
    for address in ("10.0.0.1/24", "10.0.0.2/24"):
        subprocess.run(["ip", "address", "add", address, "dev", "lo"], **quiet)
    ends = []
    for role in ("server", "client"):
        argv = [sys.executable, os.path.join(HERE, "stage.py"), role]
        end = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert end.stdout.readline() == b"ready\n"
        ends.append(end)
    while not settled():
        time.sleep(0.01)
    json.dump([ask(["ss"], line) for line in sys.argv[1:]], sys.stdout)
    for end in ends:
        end.communicate()


if __name__ == "__main__":
    main()
