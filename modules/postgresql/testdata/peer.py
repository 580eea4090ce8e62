"""Reads and changes PostgreSQL for the tests, with psycopg2.

usage: peer.py PORT USER PASSWORD DATABASE

Each line of the input is a JSON list, an operation and its arguments; the answer
is a JSON line for each item and an empty line. The server may go away between
two operations.
"""
import json
import sys

import psycopg2

port, user, password, database = sys.argv[1:]
connection = None


def execute(sql, *args):
    global connection
    for attempt in (1, 2):
        try:
            if connection is None or connection.closed:
                connection = psycopg2.connect(host="127.0.0.1", port=port, user=user, password=password, dbname=database)
                connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(sql, args or None)
            return cursor
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            connection = None
            if attempt == 2:
                raise


def do(sql, *args):
    """A statement that yields nothing."""
    execute(sql, *args)
    return ()


def rows(sql, *args):
    """The rows of a query, as lists of texts and nulls."""
    for row in execute(sql, *args).fetchall():
        yield [None if v is None else v if isinstance(v, (str, bool)) else str(v) for v in row]


operations = {"do": do, "rows": rows}

print(flush=True)
for line in sys.stdin:
    name, *args = json.loads(line)
    for item in operations[name](*args):
        print(json.dumps(item))
    print(flush=True)
