# SPDX-License-Identifier: MIT
"""Two programs that bring connections into many states, and keep them there.

    python3 stage.py server     on 10.0.0.1
    python3 stage.py client     on 10.0.0.2, when the server has said "ready"

Each says "ready" when it has done its part, and waits for the end of its standard input. Ports are
fixed, so that the rows of ss can be compared: the server's are 80 and 81, the client's 40001 to
40006. Nothing of Parley is in here: it is run over the kernel as well.
"""
import socket
import sys

FULL = 81
held = []


def serve(listener, count):
    """What the first byte of a connection asks for."""
    for _ in range(count):
        end, _ = listener.accept()
        held.append(end)
        order = end.recv(1)
        if order == b"d":
            end.sendall(b"x" * 3000)
        elif order == b"w":
            end.recv(1)  # the end of the stream: it is not answered
        elif order == b"c":
            end.close()


def server():
    listener = socket.create_server(("", 80), backlog=100)
    held.extend([listener, socket.create_server(("10.0.0.1", FULL), backlog=0)])
    print("ready", flush=True)
    serve(listener, 4)


def connect(source, port, order=b""):
    end = socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    end.bind(("10.0.0.2", source))
    end.connect(("10.0.0.1", port))
    end.sendall(order)
    held.append(end)
    return end


def client():
    connect(40001, 80, b"d")
    connect(40002, 80, b"w").shutdown(socket.SHUT_WR)
    connect(40003, 80, b"w").close()
    last = connect(40004, 80, b"c")
    last.recv(1)
    last.close()
    connect(40005, FULL)
    # The accept queue has room for one: who comes now gets no answer.
    late = socket.socket()
    late.setblocking(False)
    late.bind(("10.0.0.2", 40006))
    late.connect_ex(("10.0.0.1", FULL))
    held.append(late)
    print("ready", flush=True)


if __name__ == "__main__":
    {"server": server, "client": client}[sys.argv[1]]()
    sys.stdin.read()
