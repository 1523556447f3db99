"""What assets of tables share: tables as column schemas, suites as check results, lists as metadata.

Belongs here: the translation between Dagster's words and the platform's.
Does not belong here: domain logic.
"""

from collections.abc import Iterable

import dagster as dg

from esports_assets.canonical.schema import Table
from esports_assets.quality.suite import SuiteReport

SUITE = "Great Expectations suite of the declared columns: order, nulls, ranges, allowed values, unique key."


def column_schema(table: Table) -> dg.TableSchema:
    """A declared table as Dagster shows it: type, unit, constraints and meaning of every column."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=f"{column.kind.value} [{column.unit}]" if column.unit else column.kind.value,
                description=column.doc,
                constraints=dg.TableColumnConstraints(nullable=column.nullable, unique=table.key == (column.name,)),
            )
            for column in table.columns
        ]
    )


def suite_result(report: SuiteReport, check_name: str, asset_key: dg.AssetKey) -> dg.AssetCheckResult:
    """A suite's report as a check: counts that plot, and the readable table."""
    return dg.AssetCheckResult(
        passed=report.success,
        check_name=check_name,
        asset_key=asset_key,
        description=None if report.success else "; ".join(f"{o.column}: {o.expectation}" for o in report.failed),
        metadata={
            "rows": report.rows,
            "expectations": len(report.outcomes),
            "failed_expectations": len(report.failed),
            "report": dg.MetadataValue.md(report.markdown()),
        },
    )


def sentences(lines: Iterable[str], none: str) -> dg.MarkdownMetadataValue:
    """A list of sentences, or the word for none."""
    return dg.MetadataValue.md("\n".join(f"* {line}" for line in lines) or none)
