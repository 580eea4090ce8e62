"""Jobs that a worker of RQ runs in the tests."""
import base64
import json

from rq import get_current_job


def record(payload, headers):
    """Notes what it was called with, in Redis."""
    if isinstance(payload, bytes):
        body = payload
    elif isinstance(payload, str):
        body = payload.encode("utf-8", "surrogateescape")
    else:
        body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    job = get_current_job()
    job.connection.rpush("ran:" + job.origin, json.dumps({
        "id": job.id, "kind": type(payload).__name__, "body": base64.b64encode(body).decode(), "repr": repr(payload), "headers": headers,
    }))
    return "ran"


def fail(payload, headers):
    raise ValueError("no")
