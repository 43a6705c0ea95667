"""Runs a query that `infra.local.kql` has read over the tables of a workspace.

Values: text, numbers, booleans, None, times as datetime with a seventh digit lost, dynamic values as parsed JSON. A comparison with nothing is
false, as is one of things of two kinds; text compares as the operators say. A column, function or table that is not there is a
semantic error, a table of a fuzzy union apart.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from infra.local import kql_values as kusto
from infra.local.clock import stamp
from infra.local.kql import KqlError, Node, Query, Source, Step, read_query
from infra.local.log_tables import Table

Json = Any
Rows = list[dict[str, Json]]


def run(text: str, tables: Mapping[str, Table], now: datetime) -> Table:
    """The result of a query: columns with their types, and rows. Raises KqlError."""
    query = read_query(text)
    return _Run(query, tables, now).result()


class _Run:
    def __init__(self, query: Query, tables: Mapping[str, Table], now: datetime) -> None:
        self._query = query
        made = {one.table: Table(dict(one.columns), []) for one in query.sources if one.columns is not None}
        self._tables = {**tables, **made}
        self._now = now
        self._columns: dict[str, str] = {}

    def result(self) -> Table:
        found = [table for source in self._sources() if (table := self._of(source)) is not None]
        if not found:
            raise KqlError("SEM0100", "'union' operator: Failed to resolve table expression: none of the tables is there")
        self._columns = {name: kind for table in found for name, kind in table.columns.items()}
        rows = [row for table in found for row in table.rows]
        for step in self._query.steps:
            rows = self._step(step, rows)
        return Table(self._columns, rows)

    def _sources(self) -> list[Source]:
        """The sources of the query; a name that ends with `*` is every table whose name begins so, of which a fuzzy union may have none."""
        found = []
        for source in self._query.sources:
            start = source.table.removesuffix("*")
            names = [source.table] if start == source.table else sorted(name for name in self._tables if name.startswith(start))
            found += [Source(name, source.steps) for name in names or ([] if self._query.fuzzy else [source.table])]
        return found

    def _of(self, source: Source) -> Table | None:
        held = self._tables.get(source.table)
        if held is None:
            if self._query.fuzzy and len(self._query.sources) > 1:
                return None
            raise KqlError("SEM0100", f"'where' operator: Failed to resolve table or column expression named '{source.table}'")
        self._columns, rows = dict(held.columns), list(held.rows)
        for step in source.steps:
            rows = self._step(step, rows)
        if self._query.named:
            self._columns[self._query.named] = "string"
            rows = [{**row, self._query.named: source.table} for row in rows]
        return Table(self._columns, rows)

    def _step(self, step: Step, rows: Rows) -> Rows:
        match step.kind:
            case "where":
                self._check(step.items[0][1])
                return [row for row in rows if self._value(step.items[0][1], row) is True]
            case "extend" | "project" | "distinct":
                return self._computed(step, rows)
            case "project-away":
                for name, node in step.items:
                    self._check(node)
                    del self._columns[name]
                return rows
            case "summarize":
                return self._summed(step, rows)
            case "order":
                return self._sorted(step, rows)
        self._check(step.items[0][1])
        return rows[: int(self._value(step.items[0][1], {}))]

    def _computed(self, step: Step, rows: Rows) -> Rows:
        items = [(name or _name_of(node), node) for name, node in step.items]
        for _, node in items:
            self._check(node)
        made = [{name: self._kept(node, row) for name, node in items} for row in rows]
        columns = {name: self._type(node, [row[name] for row in made]) for name, node in items}
        if step.kind == "extend":
            self._columns |= columns
            return [row | new for row, new in zip(rows, made, strict=True)]
        self._columns = columns
        if step.kind == "distinct":
            return list({json.dumps(row, default=str): row for row in made}.values())
        return [{**new, "$ingested": row.get("$ingested")} for row, new in zip(rows, made, strict=True)]

    def _summed(self, step: Step, rows: Rows) -> Rows:
        keys = [(name or _name_of(node), node) for name, node in step.by]
        groups: dict[str, tuple[dict[str, Json], Rows]] = {}
        for _, node in keys:
            self._check(node)
        for row in rows:
            key = {name: self._kept(node, row) for name, node in keys}
            groups.setdefault(json.dumps(key, default=str), (key, []))[1].append(row)
        if not keys:
            groups = {"": ({}, rows)}
        found, columns = [], {name: self._type(node, [key[name] for key, _ in groups.values()]) for name, node in keys}
        sums = [(name or _name_of(node), self._aggregate(node)) for name, node in step.items]
        for key, members in groups.values():
            found.append(key | {name: sum_up(members) for name, (_, sum_up) in sums})
        columns |= {name: kind for name, (kind, _) in sums}
        self._columns = columns
        return found

    def _aggregate(self, node: Node) -> tuple[str, Callable[[Rows], Json]]:
        if node.kind != "call" or node.value not in kusto.AGGREGATES:
            raise KqlError("SEM0080", f"'summarize' operator: '{node.value or node.kind}' is no aggregate that is known here")
        for part in node.parts:
            self._check(part)
        kind, combine = kusto.AGGREGATES[node.value]
        of = node.parts[0] if node.parts else Node("constant", "true")
        kind = kind or self._type(of, [])
        return kind, lambda members: combine([self._value(of, row) for row in members])

    def _sorted(self, step: Step, rows: Rows) -> Rows:
        for way, node in reversed(step.by):
            self._check(node)
            rows = sorted(rows, key=lambda row, node=node: kusto.order(self._value(node, row)), reverse=way == "desc")  # type: ignore[misc]
        return rows

    def _kept(self, node: Node, row: Mapping[str, Json]) -> Json:
        """A value for a result: a column's as it is, all digits of a time included."""
        return row.get(node.value) if node.kind == "name" and node.value in self._columns else self._value(node, row)

    def _check(self, node: Node) -> None:
        """Every name must be a column or let, every function known: also where there are no rows."""
        if node.kind == "name" and node.value not in self._columns and node.value not in self._query.lets:
            raise KqlError("SEM0100", f"Failed to resolve column or scalar expression named '{node.value}'")
        if node.kind == "call" and node.value not in (*kusto.FUNCTIONS, *kusto.LAZY):
            raise KqlError("SEM0260", f"Unknown function: '{node.value}'")
        for part in node.parts[1:] if node.kind == "call" and node.value == "column_ifexists" else node.parts:
            self._check(part)

    def _value(self, node: Node, row: Mapping[str, Json]) -> Json:
        match node.kind:
            case "text":
                return node.value
            case "number":
                return float(node.value) if "." in node.value else int(node.value)
            case "time":
                return kusto.moment(node.value)
            case "constant":
                return {"true": True, "false": False, "null": None}[node.value]
            case "name":
                if node.value in self._columns:
                    held = row.get(node.value)
                    return kusto.moment(held) if self._columns[node.value] == "datetime" and isinstance(held, str) else held
                return self._value(self._query.lets[node.value], row)
            case "member":
                held = self._value(node.parts[0], row)
                return held.get(node.value) if isinstance(held, dict) else None
            case "and":
                return all(self._value(part, row) is True for part in node.parts)
            case "or":
                return any(self._value(part, row) is True for part in node.parts)
            case "call":
                return self._called(node, row)
        return kusto.compare(node.kind, *(self._value(part, row) for part in node.parts))

    def _called(self, node: Node, row: Mapping[str, Json]) -> Json:
        match node.value:
            case "ingestion_time":
                return kusto.moment(row["$ingested"]) if row.get("$ingested") else None
            case "now":
                return self._now
            case "column_ifexists":
                name = self._value(node.parts[0], row)
                return self._value(Node("name", name) if name in self._columns else node.parts[1], row)
            case "iff" | "iif":
                return self._value(node.parts[1 if self._value(node.parts[0], row) is True else 2], row)
        return kusto.FUNCTIONS[node.value](*(self._value(part, row) for part in node.parts))

    def _type(self, node: Node, values: Iterable[Json]) -> str:
        if node.kind == "name" and node.value in self._columns:
            return self._columns[node.value]
        if node.kind == "call" and node.value in ("ingestion_time", "now", "todatetime"):
            return "datetime"
        for value in values:
            for kind, sort in ((bool, "bool"), (int, "long"), (float, "real"), (datetime, "datetime"), (dict | list, "dynamic")):
                if isinstance(value, kind):
                    return sort
        return "string"


def shown(value: Json) -> Json:
    """A value as JSON: times are text again."""
    return stamp(value, 8).replace("9Z", "0Z") if isinstance(value, datetime) else value


def _name_of(node: Node) -> str:
    if node.kind == "name":
        return node.value
    if node.kind == "call":
        of = node.parts[0].value if node.parts and node.parts[0].kind == "name" else ""
        return f"{node.value}_{of}"
    return "Column1"
