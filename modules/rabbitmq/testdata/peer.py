"""Talks to RabbitMQ for the tests, with a client that is not hookd's: pika.

usage: peer.py PORT VHOST USER PASSWORD

Each line of the input is a JSON list, an operation and its arguments; the answer
is a JSON line for each message and an empty line.
"""
import base64
import json
import sys

import pika

port, vhost, user, password = sys.argv[1:]
parameters = pika.ConnectionParameters(
    "127.0.0.1", int(port), vhost, pika.PlainCredentials(user, password), heartbeat=0, connection_attempts=5, retry_delay=1)
state = {}


def channel():
    if "connection" not in state or not state["connection"].is_open:
        state["connection"] = pika.BlockingConnection(parameters)
    if "channel" not in state or not state["channel"].is_open:
        state["channel"] = state["connection"].channel()
    return state["channel"]


def drain(queue):
    ch = channel()
    while True:
        try:
            method, p, body = ch.basic_get(queue, auto_ack=True)
        except pika.exceptions.ChannelClosedByBroker as e:
            if e.reply_code != 404:
                raise
            return  # it was never declared
        if method is None:
            return
        yield {
            "id": p.message_id, "body": base64.b64encode(body).decode(), "headers": {k: v for k, v in p.headers.items() if k != "x-delivery-count"}, "content_type": p.content_type,
            "delivery_mode": p.delivery_mode, "app_id": p.app_id, "expiration": p.expiration, "key": method.routing_key, "exchange": method.exchange,
        }


def ids(queue):
    return [m["id"] for m in drain(queue)]


def declare(queue, arguments=None):
    channel().queue_declare(queue, durable=True, arguments=arguments)
    return ()


def delete(queue):
    channel().queue_delete(queue)
    return ()


def exchange(name, kind):
    channel().exchange_delete(name)
    channel().exchange_declare(name, kind, durable=True)
    return ()


def delete_exchange(name):
    channel().exchange_delete(name)
    return ()


def bind(queue, name, key):
    channel().queue_bind(queue, name, key)
    return ()


def fill(queue, n):
    for _ in range(n):
        channel().basic_publish("", queue, b"filler")
    return ()


operations = {f.__name__: f for f in (drain, ids, declare, delete, exchange, delete_exchange, bind, fill)}

channel()
print()
for line in sys.stdin:
    name, *arguments = json.loads(line)
    try:
        answer = list(operations[name](*arguments))
    except pika.exceptions.AMQPConnectionError:  # it was restarted
        state.clear()
        answer = list(operations[name](*arguments))
    for message in answer:
        print(message if isinstance(message, str) else json.dumps(message))
    print()
