"""Problems for machines: GitHub's annotations, and SARIF 2.1.0.

Enters: Problems whose paths are relative to where the machine looks. Leaves: text. What an author
wrote is in them, so nothing of it may end a line or a field.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from newsletter.lint.rule import Rule
from newsletter.lint.rules import BY_CODE
from newsletter.model import Problem, Severity

_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_SARIF = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def github(problems: Iterable[Problem]) -> str:
    """Workflow commands, one a line: they annotate the lines of a pull request."""
    return "\n".join(map(_annotation, problems))


def _annotation(problem: Problem) -> str:
    line = f",line={problem.line}" if problem.line else ""
    place = f"file={_property(problem.path.as_posix())}{line},title={_property(problem.code)}"
    hint = f"\n{problem.hint}" if problem.hint else ""
    return f"::{_GITHUB[problem.severity]} {place}::{_escaped(problem.message + hint)}"


def _escaped(text: str) -> str:
    """As the runner's toolkit writes data: percent, CR and LF."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def sarif(problems: Iterable[Problem], version: str) -> str:
    """One run of this program, for code scanning and editors."""
    found = list(problems)
    codes = sorted({problem.code for problem in found})
    driver = {
        "name": "newsletter check",
        "semanticVersion": version,
        "rules": [_descriptor(code, BY_CODE.get(code)) for code in codes],
    }
    results = [_result(problem, codes) for problem in found]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=1)


def _descriptor(code: str, rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        return {"id": code}
    affected = f" Affects {', '.join(rule.clients)}." if rule.clients else ""
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "help": {"text": f"{rule.remedy}.{affected} Source: {rule.source}."},
        "defaultConfiguration": {"level": _SARIF[rule.severity]},
    }


def _result(problem: Problem, codes: list[str]) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": problem.path.as_posix()}}
    if problem.line:
        place["region"] = {"startLine": problem.line}
    mark = f"{problem.path.as_posix()}\0{problem.code}\0{problem.message}"
    return {
        "ruleId": problem.code,
        "ruleIndex": codes.index(problem.code),
        "level": _SARIF[problem.severity],
        "message": {"text": problem.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"finding/v1": sha256(mark.encode()).hexdigest()[:32]},
    }
