"""JUnit XML of a report, for what shows tests in a continuous integration."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from reports.model import Report, TestEntry, Verdict
from reports.text import first_line

_BENT = {
    Verdict.NOT_RUN: "not run",
    Verdict.WAIVED: "waived",
    Verdict.KNOWN_DEVIATION: "known deviation",
}


def render_junit(report: Report) -> str:
    """One testsuite for each folder; requirement ids and basis are properties.

    `error` and `failed` are JUnit's error and failure. What is not run, waived or a known deviation is skipped, with
    the typed reason as its message: JUnit knows nothing finer.
    """
    root = ET.Element("testsuites", _counts(report.tests) | {"name": f"matrix-conformance {report.run.id}"})
    folders: dict[str, list[TestEntry]] = {}
    for test in report.tests:
        folders.setdefault(test.id.partition("::")[0].rpartition("/")[0] or "tests", []).append(test)
    for folder, tests in folders.items():
        suite = ET.SubElement(
            root,
            "testsuite",
            _counts(tests) | {"name": folder, "timestamp": report.run.started.isoformat()},
        )
        suite.extend(_case(test) for test in tests)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _counts(tests: Iterable[TestEntry]) -> dict[str, str]:
    tests = list(tests)
    outcomes = [test.outcome for test in tests]
    return {
        "tests": str(len(tests)),
        "errors": str(outcomes.count(Verdict.ERROR)),
        "failures": str(outcomes.count(Verdict.FAILED)),
        "skipped": str(sum(outcome in _BENT for outcome in outcomes)),
        "time": f"{sum(test.duration_s for test in tests):.3f}",
    }


def _case(test: TestEntry) -> ET.Element:
    file, _, name = test.id.partition("::")
    case = ET.Element(
        "testcase",
        classname=file.removesuffix(".py").replace("/", "."),
        name=name or file,
        time=f"{test.duration_s:.3f}",
    )
    properties = [("requirement", name) for name in test.requirements]
    if test.basis:
        properties.append(("basis", test.basis))
    if properties:
        holder = ET.SubElement(case, "properties")
        for key, value in properties:
            ET.SubElement(holder, "property", name=key, value=value)
    reason = str(test.reason) if test.reason else ""
    match test.outcome:
        case Verdict.ERROR:
            ET.SubElement(case, "error", message=first_line(reason)).text = reason
        case Verdict.FAILED:
            ET.SubElement(case, "failure", message=first_line(reason)).text = reason
        case Verdict.NOT_RUN | Verdict.WAIVED | Verdict.KNOWN_DEVIATION:
            message = f"{_BENT[test.outcome]}: {first_line(reason, 1000)}"
            ET.SubElement(case, "skipped", message=message).text = reason
    return case
