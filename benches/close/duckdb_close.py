"""The month close as one would ask a columnar database for it: 20 M rows (series, hour, quantity) in memory, and a table
of each series' cover and price; what is above the cover, hour by hour, times the price, exactly.

    python duckdb_close.py THREADS...

Prints the version of DuckDB, and for each number of threads the nanoseconds a row: the median of seven runs.
"""

import statistics
import sys
import time

import duckdb

ROWS = 20_000_000
HOURS = 744
SERIES = ROWS // HOURS

db = duckdb.connect()
db.execute(f"""
    create table usage as
    select s::uinteger as series, h::usmallint as hour, ((s * 31 + h * 7) % 97)::uinteger as quantity
    from range({HOURS}) hours(h), range({SERIES}) series(s)
""")
db.execute(f"""
    create table terms as
    select s::uinteger as series,
           (case when (s // 10) % 2 = 0 then s % 10 * 4 + 5 else 0 end)::uinteger as cover,
           ((s % 10 + 10) / 100)::decimal(18, 8) as price
    from range({SERIES}) series(s)
""")
QUERY = """
    select series, sum(greatest(quantity::integer - cover::integer, 0)) * any_value(price) as amount
    from usage join terms using (series)
    group by series
"""
rows = db.execute("select count(*) from usage").fetchone()[0]
print(duckdb.__version__)
for threads in [int(text) for text in sys.argv[1:]]:
    db.execute(f"set threads = {threads}")
    times = []
    for _ in range(8):
        began = time.perf_counter()
        amounts = db.execute(f"select count(*), sum(amount) from ({QUERY})").fetchone()
        times.append(time.perf_counter() - began)
        assert amounts[0] == SERIES, amounts
    print(threads, statistics.median(times[1:]) * 1e9 / rows)
