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
arrived = queue.Queue()
got = []
listening = threading.Event()
connection = None


class Listener(stomp.ConnectionListener):
    def on_message(self, frame):
        arrived.put(frame)

    def on_error(self, frame):
        print(frame.headers, frame.body, file=sys.stderr)

    def on_receipt(self, frame):
        listening.set()

    def on_disconnected(self):
        arrived.put(None)


def connect():
    global connection
    for attempt in range(50):
        connection = stomp.StompConnection12([("127.0.0.1", int(port))], auto_decode=False, heartbeats=(0, 0))
        connection.set_listener("", Listener())
        try:
            connection.connect(user, password, wait=True)
            break
        except stomp.exception.ConnectFailedException:
            time.sleep(0.2)
    listening.clear()
    connection.subscribe(destination, id="1", ack="client-individual", headers={"activemq.prefetchSize": "1000", "receipt": "listening"})
    if not listening.wait(20):
        raise Exception("the broker does not confirm the subscription")


def drain(to=None):
    """All messages so far: those before a mark that it sends behind them."""
    mark = str(uuid.uuid4())
    sent = False
    while True:
        if not sent:
            try:
                connection.send(to or destination, b"", headers={"mark": mark, "persistent": "true"})
                sent = True
            except stomp.exception.NotConnectedException:
                connect()
                continue
        try:
            frame = arrived.get(timeout=20)
        except queue.Empty:
            raise Exception("the mark did not come")
        if frame is None:  # the broker was restarted
            time.sleep(0.2)
            if not connection.is_connected():
                connect()
                sent = False
            continue
        h = frame.headers
        connection.ack(h["ack"])
        if "mark" not in h:
            body = frame.body if isinstance(frame.body, bytes) else frame.body.encode()
            yield {"id": h.get("hookd-delivery-id", ""), "body": base64.b64encode(body).decode(), "headers": h}
        elif h["mark"] == mark:
            return


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
