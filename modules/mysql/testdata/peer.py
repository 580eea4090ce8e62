"""Talks to MariaDB or MySQL for the tests, with a client that is not hookd's: PyMySQL.

usage: peer.py PORT USER PASSWORD DATABASE [SOCKET]

Each line of the input is a JSON list, an operation and its arguments; the answer
is a JSON line for each row and an empty line. With SOCKET, "root" works as the
server's own administrator.
"""
import base64
import datetime
import decimal
import json
import sys

import pymysql

port, user, password, database = sys.argv[1:5]
socket = sys.argv[5] if len(sys.argv) > 5 else None
state = {}


def connection(name):
    if name not in state:
        if name == "root":
            state[name] = pymysql.connect(unix_socket=socket, user="root", database=database, charset="utf8mb4", autocommit=True)
        else:
            state[name] = pymysql.connect(host="127.0.0.1", port=int(port), user=user, password=password, database=database, charset="utf8mb4", autocommit=True)
    return state[name]


def plain(v):
    if isinstance(v, (bytes, decimal.Decimal, datetime.timedelta)):
        return v.decode() if isinstance(v, bytes) else str(v)
    if isinstance(v, (datetime.datetime, datetime.date)):
        return v.isoformat(sep=" ") if isinstance(v, datetime.datetime) else v.isoformat()
    return v


def run(name, sql, arguments=None):
    with connection(name).cursor(pymysql.cursors.DictCursor) as cursor:
        cursor.execute(sql, arguments)
        return [{k: plain(v) for k, v in row.items()} for row in cursor.fetchall()]


def query(sql, *arguments):
    return run("own", sql, arguments or None)


def root(sql, *arguments):
    return run("root", sql, arguments or None)


def received(table, id, body, headers):
    """All rows as the suite wants them; none while there is no table."""
    try:
        rows = query("SELECT `%s` AS id, `%s` AS body%s FROM `%s`" % (id, body, ", `%s` AS headers" % headers if headers else "", table))
    except pymysql.err.ProgrammingError as e:
        if e.args[0] != 1146:
            raise
        return ()
    return [{
        "id": r["id"], "body": base64.b64encode((r["body"] or "").encode()).decode(),
        "headers": json.loads(r["headers"]) if r.get("headers") else None,
    } for r in rows]


def ids(table, id="id"):
    return [r["id"] for r in query("SELECT `%s` AS id FROM `%s`" % (id, table))]


operations = {f.__name__: f for f in (query, root, received, ids)}

connection("own")
print()
for line in sys.stdin:
    name, *arguments = json.loads(line)
    try:
        answer = list(operations[name](*arguments))
    except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as e:  # it was restarted
        if e.args[0] not in (0, 2006, 2013, 2055):
            raise
        state.clear()
        answer = list(operations[name](*arguments))
    for row in answer:
        print(row if isinstance(row, str) else json.dumps(row))
    print()
