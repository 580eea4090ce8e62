"""Talks to ActiveMQ for the tests, with a client that is not hookd's: stomp.py.

usage: peer.py PORT USER PASSWORD DESTINATION

It listens to the destination from its start. Each line of the input is a JSON
list, an operation and its arguments; the answer is a JSON line for each message
and an empty line.
"""
import base64
import json
import queue
import sys
import threading
import time
import uuid

import stomp

port, user, password, destination = sys.argv[1:]
listener = None
connection = None


class Listener(stomp.ConnectionListener):
    """What came on one connection: another one knows nothing of its messages."""

    def __init__(self):
        self.arrived = queue.Queue()
        self.listening = threading.Event()

    def on_message(self, frame):
        self.arrived.put(frame)

    def on_receipt(self, frame):
        self.listening.set()

    def on_error(self, frame):
        print(frame.headers, frame.body, file=sys.stderr)

    def on_disconnected(self):
        self.arrived.put(None)


def connect():
    global connection, listener
    for attempt in range(100):
        connection = stomp.StompConnection12([("127.0.0.1", int(port))], auto_decode=False, heartbeats=(0, 0))
        listener = Listener()
        connection.set_listener("", listener)
        try:
            connection.connect(user, password, wait=True)
            break
        except stomp.exception.ConnectFailedException:
            time.sleep(0.2)
    connection.subscribe(destination, id="1", ack="client-individual", headers={"activemq.prefetchSize": "1000", "receipt": "listening"})
    if not listener.listening.wait(20):
        raise Exception("the broker does not confirm the subscription")


def drain():
    """All messages so far: those before a mark that it sends behind them."""
    while True:
        try:
            mark = str(uuid.uuid4())
            connection.send(destination, b"", headers={"mark": mark, "persistent": "true"})
            while True:
                frame = listener.arrived.get(timeout=20)
                if frame is None:
                    raise stomp.exception.NotConnectedException("the broker was restarted")
                h = frame.headers
                connection.ack(h["ack"])
                if "mark" not in h:
                    body = frame.body if isinstance(frame.body, bytes) else frame.body.encode()
                    yield {"id": h.get("hookd-delivery-id", ""), "body": base64.b64encode(body).decode(), "headers": h}
                elif h["mark"] == mark:
                    return
        except stomp.exception.NotConnectedException:
            time.sleep(0.2)
            connect()


def ids():
    return [m["id"] for m in drain()]


operations = {f.__name__: f for f in (drain, ids)}

connect()
print()
for line in sys.stdin:
    name, *arguments = json.loads(line)
    for message in operations[name](*arguments):
        print(message if isinstance(message, str) else json.dumps(message))
    print()
