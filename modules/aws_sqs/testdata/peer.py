"""Talks to SQS for the tests, with a client that is not hookd's: boto3.

usage: peer.py ENDPOINT REGION

Each line of the input is a JSON list, an operation and its arguments; the answer
is a JSON line for each message and an empty line.
"""
import base64
import json
import sys
import time
import urllib.request

import boto3
import botocore.config
import botocore.exceptions

endpoint, region = sys.argv[1:]
sqs = boto3.client(
    "sqs", endpoint_url=endpoint, region_name=region, aws_access_key_id="reader", aws_secret_access_key="reader",
    config=botocore.config.Config(retries={"max_attempts": 5}))


def url(queue):
    return sqs.get_queue_url(QueueName=queue)["QueueUrl"]


def drain(queue):
    try:
        u = url(queue)
    except sqs.exceptions.QueueDoesNotExist:
        return
    while True:
        messages = sqs.receive_message(QueueUrl=u, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]).get("Messages", [])
        if not messages:
            return
        sqs.delete_message_batch(QueueUrl=u, Entries=[{"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(messages)])
        for m in messages:
            attributes = {k: v["StringValue"] for k, v in m.get("MessageAttributes", {}).items()}
            body = m["Body"].encode()
            if attributes.get("hookd-body-encoding") == "base64":
                body = base64.b64decode(m["Body"])
            yield {
                "id": attributes["hookd-delivery-id"], "body": base64.b64encode(body).decode(), "attributes": attributes,
                "group": m["Attributes"].get("MessageGroupId", ""), "deduplication": m["Attributes"].get("MessageDeduplicationId", ""),
            }


def ids(queue):
    return [m["id"] for m in drain(queue)]


def create(queue, attributes=None):
    sqs.create_queue(QueueName=queue, Attributes=attributes or {})
    return ()


def delete(queue):
    try:
        sqs.delete_queue(QueueUrl=url(queue))
    except sqs.exceptions.QueueDoesNotExist:
        pass
    return ()


def wait(queue):
    """Waits for a queue that a server restores after its start."""
    for _ in range(100):
        try:
            url(queue)
            return ()
        except sqs.exceptions.QueueDoesNotExist:
            time.sleep(0.1)
    raise RuntimeError(queue + " is not there")


def raw(queue):
    """The bodies by the JSON protocol: XML keeps no carriage return at the end."""
    request = urllib.request.Request(
        endpoint, json.dumps({"QueueUrl": url(queue), "MaxNumberOfMessages": 10}).encode(),
        {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ReceiveMessage"})
    with urllib.request.urlopen(request) as answer:
        return [{"body": base64.b64encode(m["Body"].encode()).decode()} for m in json.load(answer)["Messages"]]


operations = {f.__name__: f for f in (drain, ids, create, delete, wait, raw)}

print()
for line in sys.stdin:
    name, *arguments = json.loads(line)
    for attempt in range(10):
        try:
            answer = list(operations[name](*arguments))
            break
        except (botocore.exceptions.ConnectionClosedError, botocore.exceptions.EndpointConnectionError):  # it was restarted
            time.sleep(0.5)
    for message in answer:
        print(message if isinstance(message, str) else json.dumps(message))
    print()
