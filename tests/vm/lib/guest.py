#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The host's end of a guest: its agent (over the management network) and its QEMU (QMP).

  guest.py wait ADDRESS PID LIMIT            until the agent answers
  guest.py run [--stdin] [--host-clock] ADDRESS PID LIMIT SCRIPT
                                             run SCRIPT in the guest; its output, its exit status. --host-clock: for
                                             a guest whose clock leaps, the limit is kept here and not by the agent
  guest.py pid SOCKET                        process id of the QEMU that listens there
  guest.py qmp SOCKET COMMAND [ARGUMENTS]    one QMP command (arguments in JSON), prints what comes back
  guest.py save DIR SOCKET...                stop the guests, write their states to DIR, let them go on
  guest.py resume SOCKET...                  when all of them have read their states, let them go on

PID is QEMU's: when it ends, nobody answers any more. Exit status 124 means over the time limit, 125 that the guest
died or could not be reached.
"""

import json
import os
import select
import socket
import struct
import sys
import threading
import time

PORT = 7000
HEADER = struct.Struct("!III")
FRAME = struct.Struct("!cI")
FLAG_STDIN = 1
GRACE = 20              # s that the agent gets to kill a command and say so
TIMED_OUT, LOST = 124, 125


class GuestError(Exception):
    def __init__(self, text, status=LOST):
        super().__init__(text)
        self.status = status


def connect(address, pid, limit):
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if not os.path.exists(f"/proc/{pid}"):
            raise GuestError(f"guest {address}: its QEMU (process {pid}) has ended")
        try:
            conn = socket.create_connection((address, PORT), 1)
            conn.settimeout(None)
            return conn
        except OSError:
            time.sleep(0.05)
    raise GuestError(f"guest {address}: no answer for {limit} s", TIMED_OUT)


def receive(conn, length, pid, deadline):
    data = b""
    while len(data) < length:
        if not select.select([conn], [], [], 1)[0]:
            if not os.path.exists(f"/proc/{pid}"):
                raise GuestError(f"guest died while a command ran (QEMU, process {pid}, has ended)")
            if time.monotonic() > deadline:
                raise GuestError("the command is over its time limit, and the guest does not say so", TIMED_OUT)
            continue
        try:
            part = conn.recv(min(length - len(data), 1 << 20))
        except OSError as error:
            raise GuestError(f"guest lost: {error.strerror}") from error
        if not part:
            raise GuestError("guest's agent closed the connection before the command ended")
        data += part
    return data


def send_stdin(conn):
    try:
        while data := os.read(0, 1 << 18):
            conn.sendall(data)
        conn.shutdown(socket.SHUT_WR)
    except OSError:
        pass                    # the command ended without reading all; its exit status comes from the other thread


def write(fd, data):
    while data:
        data = data[os.write(fd, data):]


def run(address, pid, limit, script, options):
    limit = int(limit)
    stdin, host_clock = "--stdin" in options, "--host-clock" in options
    conn = connect(address, pid, 15)
    text = script.encode()
    conn.sendall(HEADER.pack(0 if host_clock else limit, FLAG_STDIN if stdin else 0, len(text)) + text)
    if stdin:
        threading.Thread(target=send_stdin, args=(conn,), daemon=True).start()
    deadline = time.monotonic() + limit + (0 if host_clock else GRACE)
    while True:
        kind, length = FRAME.unpack(receive(conn, FRAME.size, pid, deadline))
        data = receive(conn, length, pid, deadline)
        if kind == b"x":
            return int(data)
        write(1 if kind == b"o" else 2, data)


class Qmp:
    def __init__(self, path):
        # A path may be longer than a socket's address can hold.
        os.chdir(os.path.dirname(path) or ".")
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        try:
            self.sock.connect(os.path.basename(path))
        except OSError as error:
            raise GuestError(f"{path}: no QEMU there ({error.strerror})") from error

    def pid(self):
        return struct.unpack("iii", self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]

    def open(self):
        self.file = self.sock.makefile("rw")
        self.file.readline()
        self.command("qmp_capabilities")
        return self

    def command(self, name, arguments=None):
        json.dump({"execute": name, "arguments": arguments or {}}, self.file)
        self.file.flush()
        for line in self.file:
            reply = json.loads(line)
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise GuestError(f"QMP {name}: {reply['error']['desc']}")
        raise GuestError(f"QMP {name}: QEMU closed the connection")


def save(directory, paths):
    """All are stopped before the first is written: together they are one moment of the whole set."""
    guests = [(path, Qmp(path).open()) for path in paths]
    for _, qmp in guests:
        qmp.command("stop")
    for path, qmp in guests:
        file = os.path.join(directory, os.path.basename(path).removesuffix(".qmp"))
        qmp.command("migrate-set-parameters", {"max-bandwidth": 1 << 40})
        qmp.command("migrate", {"uri": f"exec:cat >'{file}'"})
    for path, qmp in guests:
        while (state := qmp.command("query-migrate"))["status"] != "completed":
            if state["status"] in ("failed", "cancelled"):
                raise GuestError(f"{path}: cannot save the guest: {state.get('error-desc', state['status'])}")
            time.sleep(0.02)
    for _, qmp in guests:
        qmp.command("cont")


def resume(paths):
    guests = [Qmp(path).open() for path in paths]
    for qmp in guests:
        while qmp.command("query-status")["status"] == "inmigrate":
            time.sleep(0.02)
    for qmp in guests:
        qmp.command("cont")


def main(words):
    try:
        match words:
            case ["wait", address, pid, limit]:
                connect(address, pid, float(limit)).close()
            case ["run", *options, address, pid, limit, script]:
                return run(address, pid, limit, script, options)
            case ["pid", path]:
                print(Qmp(path).pid())
            case ["qmp", path, command, *arguments]:
                print(json.dumps(Qmp(path).open().command(command, json.loads(arguments[0]) if arguments else None)))
            case ["save", directory, *paths]:
                save(directory, paths)
            case ["resume", *paths]:
                resume(paths)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except GuestError as error:
        print(error, file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    return 0


sys.exit(main(sys.argv[1:]))
