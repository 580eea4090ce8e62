"""Talks to Kafka for the tests, with a client that is not hookd's: librdkafka.

usage: peer.py HOST:PORT

Each line of the input is a JSON list, an operation and its arguments; the answer
is a JSON line for each message and an empty line.
"""
import base64
import json
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

servers = {"bootstrap.servers": sys.argv[1], "log_level": 0, "reconnect.backoff.max.ms": 1000}
admin = AdminClient(servers)
consumer = Consumer({
    **servers, "group.id": "peer", "enable.auto.commit": False, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10})
read = {}  # offset of the next message, by topic and partition


def patiently(ask):
    """The broker may have been restarted just now."""
    for left in range(20, -1, -1):
        try:
            return ask()
        except KafkaException:
            if not left:
                raise
            time.sleep(0.5)


def partitions(topic):
    return sorted(patiently(lambda: consumer.list_topics(topic, timeout=5)).topics[topic].partitions)


def create(topic, n=1, config=None):
    def ask():
        for f in admin.create_topics([NewTopic(topic, num_partitions=n, replication_factor=1, config=config or {})]).values():
            f.result(10)
    patiently(ask)
    while len(partitions(topic)) < n:
        time.sleep(0.05)
    return ()


def delete(topic):
    for f in admin.delete_topics([topic]).values():
        f.result(10)
    while partitions(topic):
        time.sleep(0.05)
    for at in [at for at in read if at[0] == topic]:
        del read[at]
    return ()


def configure(topic, config):
    for f in admin.alter_configs([ConfigResource("topic", topic, set_config=config)]).values():
        f.result(10)
    return ()


def refuse(topic):
    """The broker confirms a setting before it holds."""
    configure(topic, {"max.message.bytes": "10"})
    producer = Producer(servers)
    refused = []
    while not refused:
        producer.produce(topic, b"is it refused by now?", on_delivery=lambda error, _: error and refused.append(error))
        producer.flush(20)
    return ()


def drain(topic):
    todo = {}
    for p in partitions(topic):
        end = patiently(lambda: consumer.get_watermark_offsets(TopicPartition(topic, p), timeout=5))[1]
        if read.get((topic, p), 0) < end:
            todo[p] = end
    consumer.assign([TopicPartition(topic, p, read.get((topic, p), 0)) for p in todo])
    deadline = time.time() + 45
    while todo and time.time() < deadline:
        m = consumer.poll(1)
        if m is None or m.error():
            continue
        p = m.partition()
        read[topic, p] = m.offset() + 1
        if p in todo and m.offset() + 1 >= todo[p]:
            del todo[p]
        yield {
            "key": None if m.key() is None else base64.b64encode(m.key()).decode(),
            "body": base64.b64encode(m.value() or b"").decode(), "null": m.value() is None, "partition": p, "offset": m.offset(),
            "headers": [[name, base64.b64encode(v).decode()] for name, v in m.headers() or ()],
        }
    consumer.unassign()
    if todo:
        raise RuntimeError("messages did not come")


def ids(topic):
    return [base64.b64decode(v).decode() for m in drain(topic) for name, v in m["headers"] if name == "hookd-delivery-id"]


def produce(topic, keys):
    """Partitions by key as the Java client does."""
    producer = Producer({**servers, "partitioner": "murmur2"})
    for key in keys:
        producer.produce(topic, b"{}", key=key)
    producer.flush(20)
    return ()


operations = {f.__name__: f for f in (create, delete, refuse, drain, ids, produce)}

print()
for line in sys.stdin:
    name, *arguments = json.loads(line)
    for message in list(operations[name](*arguments)):
        print(message if isinstance(message, str) else json.dumps(message))
    print()
