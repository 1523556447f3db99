"""Great Expectations suites generated from declared tables, and what a run of one says.

Belongs here: the translation of ``canonical.schema`` declarations into expectations, running them, a report that a person reads.
Does not belong here: rules across rows of a match (``canonical/invariants.py``), Dagster.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from esports_assets.canonical.schema import Column, Table
from esports_assets.quality.witnesses import EACH, NUMBERS, Witnesses, witnesses

_LOOKS_AT = {
    "expect_column_values_to_not_be_null": "null",
    "expect_column_values_to_be_between": "range",
    "expect_column_distinct_values_to_be_in_set": "value",
    "expect_column_values_to_be_unique": "key",
    "expect_compound_columns_to_be_unique": "key",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One expectation: what was expected of which column, whether it held, and how many rows broke it."""

    expectation: str
    column: str
    success: bool
    unexpected: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """All expectations of a table."""

    table: str
    rows: int
    outcomes: tuple[Outcome, ...]

    @property
    def success(self) -> bool:
        """Whether every expectation held."""
        return all(outcome.success for outcome in self.outcomes)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Those that did not."""
        return tuple(outcome for outcome in self.outcomes if not outcome.success)

    def markdown(self) -> str:
        """The report as a table, failures first."""
        lines = [
            f"**{self.table}**: {len(self.outcomes) - len(self.failed)} of {len(self.outcomes)} expectations hold "
            f"on {self.rows:,} rows.",
            "",
            "| holds | expectation | column | rows against it | examples |",
            "|---|---|---|---|---|",
        ]
        for outcome in sorted(self.outcomes, key=lambda o: o.success):
            mark = "yes" if outcome.success else "**NO**"
            examples = ", ".join(outcome.examples)
            lines.append(f"| {mark} | {outcome.expectation} | {outcome.column} | {outcome.unexpected} | {examples} |")
        return "\n".join(lines)


def validate(table: Table, parts: Iterable[pa.Table]) -> SuiteReport:
    """Run the generated suite of a declared table on data that may come in parts, one match or more in each.

    Great Expectations judges the rows that decide (``witnesses.py`` says why that is the same as judging all rows);
    numbers of rows against an expectation are counted on all of them.
    """
    found = [_judge(table, group) for group in witnesses(table, parts)]
    if len(found) == 1:
        return found[0]
    worst = (min(outcomes, key=lambda o: o.success) for outcomes in zip(*(r.outcomes for r in found), strict=True))
    return SuiteReport(table.name, sum(report.rows for report in found), tuple(worst))


def _judge(table: Table, group: Witnesses) -> SuiteReport:
    results = judge_frame(table, group.rows.to_pandas())
    return SuiteReport(table.name, group.total, tuple(_outcome(result, group) for result in results))


def judge_frame(table: Table, frame: Any) -> list[Any]:
    """What Great Expectations says of every row of a pandas frame, one result per expectation."""
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = context.data_sources.add_pandas("lake").add_dataframe_asset(table.name)
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name=table.name, expectations=expectations(table))
    return list(batch.validate(suite, result_format="BASIC").results)


def expectations(table: Table) -> list[Any]:
    """Columns in order, no nulls where forbidden, ranges, allowed values, and a unique key."""
    gxe = _great_expectations().expectations
    found = [gxe.ExpectTableColumnsToMatchOrderedList(column_list=list(table.names))]
    for column in table.columns:
        found.extend(_of_column(gxe, column))
    if len(table.key) == 1:
        found.append(gxe.ExpectColumnValuesToBeUnique(column=table.key[0]))
    else:
        found.append(gxe.ExpectCompoundColumnsToBeUnique(column_list=list(table.key)))
    return found


def _of_column(gxe: Any, column: Column) -> list[Any]:
    found = []
    if not column.nullable:
        found.append(gxe.ExpectColumnValuesToNotBeNull(column=column.name))
    if column.kind in NUMBERS and not (column.minimum is None and column.maximum is None):
        found.append(
            gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=column.minimum, max_value=column.maximum)
        )
    if column.allowed:
        found.append(gxe.ExpectColumnDistinctValuesToBeInSet(column=column.name, value_set=list(column.allowed)))
    return found


def _outcome(result: Any, group: Witnesses) -> Outcome:
    config = result.expectation_config
    column = str(config.kwargs.get("column") or ", ".join(config.kwargs.get("column_list", [])))
    return Outcome(
        expectation=config.type.removeprefix("expect_").replace("_", " "),
        column="all" if config.type == "expect_table_columns_to_match_ordered_list" else column,
        success=bool(result.success),
        unexpected=group.against.get((_LOOKS_AT.get(config.type, ""), column), 0),
        examples=() if result.success else tuple(_examples(result, group)[:EACH]),
    )


def _examples(result: Any, group: Witnesses) -> list[str]:
    config, detail = result.expectation_config, result.result
    if config.type == "expect_table_columns_to_match_ordered_list":
        return [f"found {', '.join(group.rows.column_names)}"]
    if config.type == "expect_column_values_to_not_be_null":
        return []
    if (
        config.type == "expect_column_distinct_values_to_be_in_set"
        and config.kwargs["column"] in group.rows.column_names
    ):
        words = {str(word) for word in group.rows[config.kwargs["column"]].to_pylist() if word is not None}
        return sorted(words - set(config.kwargs["value_set"]))
    return [str(example) for example in detail.get("partial_unexpected_list") or []]


def _great_expectations() -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx

    return gx
