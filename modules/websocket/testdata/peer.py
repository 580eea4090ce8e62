"""A WebSocket server for the tests: Python's websockets, which is not hookd's library.

usage: peer.py PORT [FILE [CERTIFICATE KEY]]

What arrives is appended to FILE, when there is one ("" for none), before it is
replied to. Each line of the input is a JSON list, an operation and its arguments;
the answer is a JSON line for each result and an empty line.
"""
import asyncio
import base64
import json
import os
import ssl
import sys
from http import HTTPStatus

import websockets

port, (file, cert, key) = int(sys.argv[1]), (sys.argv[2:] + ["", "", ""])[:3]
context = None
if cert:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
got, requests, sockets = [], [], set()
log = os.open(file, os.O_CREAT | os.O_APPEND | os.O_RDWR, 0o600) if file else None
state = {
    "server": None, "reply": None, "chatter": False, "close": None, "status": None, "hello": None, "limit": None, "deaf": False, "subprotocols": None,
}


def keep(m):
    line = json.dumps({"text": isinstance(m, str), "data": base64.b64encode(m.encode() if isinstance(m, str) else m).decode()})
    if log is None:
        got.append(line)
    else:
        os.write(log, line.encode() + b"\n")


async def answer(ws, m):
    if state["chatter"]:
        await ws.send("by the way")
    if state["reply"] == "id":
        await ws.send(json.dumps({"id": json.loads(m)["id"]}))
    elif state["reply"] == "id, not in order":  # of two each
        ws.kept = getattr(ws, "kept", []) + [json.loads(m)["id"]]
        if len(ws.kept) == 2:
            for i in reversed(ws.kept):
                await ws.send(json.dumps({"id": i}))
            ws.kept = []
    elif state["reply"] == "error":
        await ws.send(json.dumps({"id": json.loads(m)["id"], "error": "no"}))
    elif state["reply"] is not None:
        await ws.send(state["reply"])


async def handler(ws):
    sockets.add(ws)
    try:
        if state["hello"]:
            await ws.send(state["hello"])
        async for m in ws:
            if state["close"] and state["close"][2].encode() in (m.encode() if isinstance(m, str) else m):
                await ws.close(*state["close"][:2])
                return
            keep(m)
            await answer(ws, m)
    except websockets.ConnectionClosed:
        pass
    finally:
        sockets.discard(ws)


class Protocol(websockets.WebSocketServerProtocol):
    def connection_open(self):
        self.max_size = state["limit"]
        super().connection_open()

    async def pong(self, data=b""):
        if not state["deaf"]:
            await super().pong(data)


async def request(path, headers):
    requests.append(json.dumps({"path": path, "headers": {k.lower(): v for k, v in headers.raw_items()}}))
    if state["status"]:
        code, more = state["status"]
        return HTTPStatus(code), list(more.items()), b"no\n"


async def start():
    state["server"] = await websockets.serve(
        handler, "127.0.0.1", port, ssl=context, create_protocol=Protocol, process_request=request, max_size=None, ping_interval=None,
        subprotocols=state["subprotocols"], compression=None, close_timeout=2,
    )


async def stop():
    state["server"].close()
    await state["server"].wait_closed()


async def received():
    # What a ping was answered behind is in a queue at the latest.
    while any(ws.messages for ws in sockets):
        await asyncio.sleep(0)
    if log is None:
        return got
    with open(file) as f:
        return [line.rstrip("\n") for line in f]


async def forget():
    got.clear()


async def ids():
    out = []
    for line in await received():
        m = json.loads(base64.b64decode(json.loads(line)["data"]))
        out.append(m.get("headers", {}).get("hookd-delivery-id", "") or m.get("id", ""))
    return out


async def asked():
    return requests


async def count():
    return [str(len(sockets))]


async def set_(name, value):
    state[name] = value
    if name == "limit":
        for ws in sockets:
            ws.max_size = value


async def drop(code):
    for ws in list(sockets):
        await ws.close(code, "all")


async def say(text):
    for ws in list(sockets):
        await ws.send(text)


operations = {"start": start, "stop": stop, "received": received, "forget": forget, "ids": ids, "asked": asked, "count": count, "set": set_, "drop": drop, "say": say}


async def main():
    reader = asyncio.StreamReader(limit=64 << 20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print()
    while line := await reader.readline():
        name, *arguments = json.loads(line)
        for result in await operations[name](*arguments) or ():
            print(result)
        print()


asyncio.run(main())
