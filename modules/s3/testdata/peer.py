"""Talks to S3 for the tests, with a client that is not hookd's: boto3.

usage: peer.py ENDPOINT REGION KEY SECRET

Each line of the input is a JSON list, an operation and its arguments; the answer
is a JSON line for each message or object and an empty line.
"""
import base64
import email.header
import gzip
import json
import re
import sys
import time

import boto3
import botocore.config
import botocore.exceptions

endpoint, region, key, secret = sys.argv[1:]
s3 = boto3.client(
    "s3", endpoint_url=endpoint, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret,
    config=botocore.config.Config(retries={"max_attempts": 5}, s3={"addressing_style": "path"}, max_pool_connections=4))

uuid = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
seen = {}  # what was read of an object, by what the list tells of it


def listed(bucket):
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            yield from page.get("Contents", [])
    except s3.exceptions.NoSuchBucket:
        return


def decoded(value):
    return str(email.header.make_header(email.header.decode_header(value)))


def read(bucket, entry):
    name = (bucket, entry["Key"], entry["ETag"], str(entry["LastModified"]))
    if name not in seen:
        o = s3.get_object(Bucket=bucket, Key=entry["Key"])
        seen[name] = {
            "key": entry["Key"], "body": o["Body"].read(), "type": o["ContentType"], "encoding": o.get("ContentEncoding", ""),
            "metadata": {k.lower(): decoded(v) for k, v in o["Metadata"].items()},
            "size": sum(len(k) + len(v) for k, v in o["Metadata"].items()),
        }
    return seen[name]


def objects(bucket):
    for entry in listed(bucket):
        o = read(bucket, entry)
        yield {**o, "body": base64.b64encode(o["body"]).decode()}


def body_of(line):
    """The bytes of the last member as they are written, not as they are read."""
    text, decoder, at = line.decode(), json.JSONDecoder(), 1
    while True:
        name, at = decoder.raw_decode(text, at)
        start = at + 1
        value, at = decoder.raw_decode(text, start)
        if name == "body":
            return text[start:at].encode()
        if name == "body_text":
            return value.encode()
        if name == "body_base64":
            return base64.b64decode(value)
        at += 1


def messages(bucket):
    for entry in listed(bucket):
        o = read(bucket, entry)
        body = gzip.decompress(o["body"]) if o["encoding"] == "gzip" else o["body"]
        if ".ndjson" in o["key"]:
            lines = body.split(b"\n")
            if lines.pop() != b"" or len(lines) != int(o["metadata"]["hookd-events"]):
                raise RuntimeError(o["key"] + " is not whole")
            for line in lines:
                m = json.loads(line)
                header = {**m.get("headers", {}), **m["delivery"]}
                yield {"key": o["key"], "id": header["hookd-delivery-id"], "body": base64.b64encode(body_of(line)).decode(), "header": header}
        else:
            header = {**o["metadata"], "content-type": o["type"]}
            yield {"key": o["key"], "id": header["hookd-delivery-id"], "body": base64.b64encode(body).decode(), "header": header}


def ids(bucket):
    """The delivery ids, from the keys, or from the lines."""
    for entry in listed(bucket):
        if ".ndjson" in entry["Key"]:
            for line in read(bucket, entry)["body"].splitlines():
                yield json.loads(line)["delivery"]["hookd-delivery-id"]
        elif entry["Size"] == 0:
            raise RuntimeError(entry["Key"] + " is empty")
        else:
            yield uuid.findall(entry["Key"])[-1]


def count(bucket):
    yield str(len(list(listed(bucket))))


def create(bucket):
    s3.create_bucket(Bucket=bucket)
    return ()


def delete(bucket):
    while True:
        for entry in listed(bucket):
            s3.delete_object(Bucket=bucket, Key=entry["Key"])
        try:
            s3.delete_bucket(Bucket=bucket)
        except s3.exceptions.NoSuchBucket:
            pass
        except botocore.exceptions.ClientError as e:
            if e.response["Error"]["Code"] == "BucketNotEmpty":
                continue  # a request that hookd had given up got through after all
            raise
        return ()


operations = {f.__name__: f for f in (objects, messages, ids, count, create, delete)}

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
