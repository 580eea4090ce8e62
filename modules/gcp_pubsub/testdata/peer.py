"""Reads from Pub/Sub for the tests, with a client that is not hookd's:
google-cloud-pubsub.

usage: peer.py ADDRESS TOPIC SUBSCRIPTION

Each line of the input is a JSON list, an operation and its arguments; the answer
is a JSON line for each message and an empty line.
"""
import base64
import json
import os
import sys

address, topic, subscription = sys.argv[1:]
os.environ["PUBSUB_EMULATOR_HOST"] = address

from google.api_core import exceptions  # noqa: E402
from google.cloud import pubsub_v1  # noqa: E402

subscriber = pubsub_v1.SubscriberClient()
subscriber.create_subscription(request={"name": subscription, "topic": topic, "enable_message_ordering": True})


def drain():
    while True:
        try:
            received = subscriber.pull(subscription=subscription, max_messages=100, timeout=2).received_messages
        except exceptions.DeadlineExceeded:
            return
        if not received:
            return
        subscriber.acknowledge(subscription=subscription, ack_ids=[m.ack_id for m in received])
        for m in received:
            yield {"body": base64.b64encode(m.message.data).decode(), "attributes": dict(m.message.attributes), "key": m.message.ordering_key}


operations = {f.__name__: f for f in (drain,)}

print()
for line in sys.stdin:
    name, *arguments = json.loads(line)
    for message in list(operations[name](*arguments)):
        print(json.dumps(message))
    print()
