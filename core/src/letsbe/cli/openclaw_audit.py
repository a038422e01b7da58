"""``letsbe openclaw audit``: OpenClaw's own audit, against what we accept."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import click

from letsbe.cli.openclaw_program import configured, needed_program, program_options
from letsbe.cli.output import (
    EXIT_FAILED,
    home_option,
    json_option,
    print_json,
    print_table,
    reporting,
)
from letsbe.home import Home


@click.command()
@home_option
@program_options
@json_option
@reporting
def audit(
    home: Home, program_path: Path | None, node: Path | None, as_json: bool
) -> None:
    """Run OpenClaw's own security audit and hold it against what is accepted.

    The gateway must be running. Ends with 1 if there is a finding that is not on the
    list of accepted ones, or one that is more severe than there.
    """
    from letsbe.openclaw import auditing  # noqa: PLC0415 - slow to import

    _, places = configured(home)
    findings = auditing.audit(needed_program(program_path, node), places)
    new = [finding for finding in findings if finding.accepted is None]
    if as_json:
        listed = [dataclasses.asdict(finding) for finding in findings]
        print_json({"ok": not new, "findings": listed})
    else:
        rows = [
            (f.check, f.severity, f.accepted or f"NEW: {f.title}") for f in findings
        ]
        print_table(("check", "severity", "accepted because"), rows)
        for finding in new:
            click.echo(f"\n{finding.check}: {finding.detail}\n  {finding.remediation}")
        click.echo(f"\n{len(new)} new, {len(findings) - len(new)} accepted")
    if new:
        sys.exit(EXIT_FAILED)
