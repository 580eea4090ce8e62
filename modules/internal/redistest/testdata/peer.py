"""Talks to Redis for the tests, with clients that are not hookd's: redis-py and RQ.

usage: peer.py PORT USER PASSWORD

Each line of the input is a JSON list, an operation and its arguments; the answer
is a JSON line for each item and an empty line.
"""
import base64
import importlib
import json
import os
import sys

import redis

port, user, password = sys.argv[1:]
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def connect(**more):
    return redis.Redis("127.0.0.1", int(port), username=user, password=password, **more)


client = connect()
subscribers = {}


def plain(v):
    """What JSON can carry: bytes as text where they are text, else in base64."""
    if isinstance(v, bytes):
        try:
            return v.decode()
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(v).decode()}
    if isinstance(v, (list, tuple, set)):
        return [plain(x) for x in v]
    if isinstance(v, dict):
        return {plain(k): plain(x) for k, x in v.items()}
    return v if isinstance(v, (str, int, float, bool, type(None))) else str(v)


def command(*words):
    """Any command; one line with the answer, or with the error."""
    try:
        yield {"answer": plain(client.execute_command(*words))}
    except redis.ResponseError as e:
        yield {"error": str(e)}


def stream(key):
    for entry, fields in client.xrange(key):
        yield {"entry": entry.decode(), "fields": {k.decode(): base64.b64encode(v).decode() for k, v in fields.items()}}


def subscribe(channel):
    p = subscribers[channel] = connect().pubsub()
    p.subscribe(channel)
    assert p.get_message(timeout=10)["type"] == "subscribe"
    return ()


def heard(channel):
    """What was published since the last time: all that is before the server's pong."""
    p = subscribers[channel]
    p.ping()
    while True:
        m = p.get_message(timeout=10)
        if m is None:
            raise RuntimeError("no pong")
        if m["type"] == "pong":
            return
        if m["type"] == "message":
            yield {"data": base64.b64encode(m["data"]).decode()}


def deafen(channel):
    subscribers.pop(channel).close()
    return ()


def work(queue, serializer, module="rq"):
    """Runs all jobs of a queue by RQ's worker, in this process."""
    if client.llen("rq:queue:" + queue) == 0:
        return ()
    rq = importlib.import_module(module)
    queues = [rq.Queue(queue, connection=client, serializer=serializer)]
    worker = rq.SimpleWorker(queues, connection=client, serializer=serializer)
    worker.work(burst=True, logging_level="CRITICAL")
    return ()


def ran(queue):
    """What the function was called with, in all workers so far."""
    for line in client.lrange("ran:" + queue, 0, -1):
        yield json.loads(line)


def job(id, serializer):
    """A job as RQ reads it."""
    rq = importlib.import_module("rq")
    j = rq.job.Job.fetch(id, connection=client, serializer=serializer)
    yield {
        "status": j.get_status(), "func": j.func_name, "kwargs": j.kwargs, "instance": j.instance, "timeout": j.timeout,
        "result_ttl": j.result_ttl, "failure_ttl": j.failure_ttl, "description": j.description, "origin": j.origin,
        "enqueued": j.enqueued_at is not None and j.created_at is not None, "args": [repr(a) for a in j.args],
    }


def queued(queue):
    """The ids in a queue, each whose job a worker could run."""
    rq = importlib.import_module("rq")
    all = [id.decode() for id in client.lrange("rq:queue:" + queue, 0, -1)]
    for i in range(0, len(all), 500):
        for j in rq.job.Job.fetch_many(all[i:i + 500], connection=client):
            if j is not None and j.get_status(refresh=False) == "queued" and len(j.args) == 2:
                yield j.id


def appended(key):
    """The delivery ids in a stream, in chunks."""
    at = "-"
    while True:
        entries = client.xrange(key, min=at, count=1000)
        if not entries:
            return
        for _, fields in entries:
            yield fields[b"hookd-delivery-id"].decode()
        at = "(" + entries[-1][0].decode()


def equal(body, shown):
    """Whether repr() of the value that Python's json makes of a text is shown."""
    want = repr(json.loads(base64.b64decode(body)))
    yield {"equal": want == shown, "want": want[:200]}


operations = {f.__name__: f for f in (command, stream, subscribe, heard, deafen, work, ran, job, queued, appended, equal)}

client.ping()
print()
for line in sys.stdin:
    name, *arguments = json.loads(line)
    try:
        answer = list(operations[name](*arguments))
    except redis.ConnectionError:  # it was restarted
        answer = list(operations[name](*arguments))
    for item in answer:
        print(json.dumps(item))
    print()
