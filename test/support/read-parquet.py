"""Prints the rows of a Parquet file, one JSON array a line, as DuckDB reads them.

Decimals are plain text without the zeros that fill up the column's scale, times are microseconds.
"""

import datetime
import decimal
import json
import sys

import duckdb

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
MICROSECOND = datetime.timedelta(microseconds=1)


def plain(value):
    if isinstance(value, decimal.Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, datetime.datetime):
        return (value - EPOCH) // MICROSECOND
    return value


connection = duckdb.connect()
connection.execute("set timezone = 'UTC'")
result = connection.execute("select * from read_parquet(?)", [sys.argv[1]])
print(json.dumps([[name, str(kind)] for name, kind, *_ in result.description]))
while rows := result.fetchmany(1000):
    for row in rows:
        print(json.dumps([plain(value) for value in row]))
