"""The other end of hookd's ZeroMQ sockets, for the tests: libzmq by pyzmq.

usage: peer.py TYPE bind|connect ENDPOINT [FILE]

TYPE is PULL, SUB, REP, ROUTER or DEALER. What arrives is appended to FILE, when
there is one, before it is replied to. Each line of the input is a JSON list, an
operation and its arguments; the answer is a JSON line for each message and an
empty line.
"""
import base64
import json
import os
import sys

import zmq

kind, how, endpoint = sys.argv[1:4]
context = zmq.Context()
socket = context.socket(getattr(zmq, kind))
socket.setsockopt(zmq.LINGER, 0)
got = []
state = {"paused": False, "reply": b"ok"}
log = os.open(sys.argv[4], os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600) if len(sys.argv) > 4 else None


def keep(frames):
    if kind == "ROUTER":
        frames = frames[1:]
    headers = {}
    if len(frames) > 1:
        try:
            headers = json.loads(frames[-2])
        except ValueError:
            pass
    m = {"frames": [base64.b64encode(f).decode() for f in frames], "headers": headers}
    if log is None:
        got.append(m)
    else:
        os.write(log, json.dumps(m).encode() + b"\n")


def receive():
    frames = socket.recv_multipart()
    keep(frames)
    if state["reply"] is None:
        return
    if kind == "REP":
        socket.send(state["reply"])
    elif kind == "ROUTER" and len(frames) > 2 and frames[1] == b"":
        socket.send_multipart([frames[0], b"", state["reply"]])


def drain():
    while not state["paused"] and socket.poll(50):
        receive()
    if log is None:
        for m in got:
            yield json.dumps(m)
    else:
        with open(sys.argv[4]) as f:
            yield from (line.rstrip("\n") for line in f)


def ids():
    for line in drain():
        yield json.loads(line)["headers"].get("hookd-delivery-id", "")


def subscribe(topic):
    socket.setsockopt(zmq.SUBSCRIBE, topic.encode())
    return ()


def unsubscribe(topic):
    socket.setsockopt(zmq.UNSUBSCRIBE, topic.encode())
    return ()


def mark(n):
    """Takes effect for what is bound or connected after it."""
    socket.setsockopt(zmq.RCVHWM, n)
    return ()


def start():
    getattr(socket, how)(endpoint)
    return ()


def stop():
    getattr(socket, "unbind" if how == "bind" else "disconnect")(endpoint)
    return ()


def pause(on):
    state["paused"] = on
    return ()


def reply(text):
    state["reply"] = None if text is None else text.encode()
    return ()


operations = {f.__name__: f for f in (drain, ids, subscribe, unsubscribe, mark, start, stop, pause, reply)}

print()
poller = zmq.Poller()
poller.register(sys.stdin.fileno(), zmq.POLLIN)
poller.register(socket, zmq.POLLIN)
pending = b""
while True:
    # A socket that is paused is not looked at.
    ready = dict(poller.poll()) if not state["paused"] else {sys.stdin.fileno(): zmq.POLLIN}
    if socket in ready:
        receive()
    if sys.stdin.fileno() not in ready:
        continue
    data = os.read(sys.stdin.fileno(), 65536)
    if not data:
        break
    *lines, pending = (pending + data).split(b"\n")
    for line in lines:
        name, *arguments = json.loads(line)
        for message in operations[name](*arguments):
            print(message)
        print()
