"""Turn a subunit stream into one line a test; runs inside the tests' virtual environment.

rows.py SUBUNIT TITLE STATUS
"""

import collections
import sys

import subunit
import testtools

_NAMES = {"success": "pass"}


def _reason(test):
    for key, detail in test["details"].items():
        lines = [line for line in detail.as_text().strip().splitlines() if line.strip()]
        if key == "reason" and lines:
            return lines[0][:110]
        if key.startswith("traceback") and test["status"] == "fail" and lines:
            raised = (
                line
                for line in reversed(lines)
                if not line.startswith((" ", "Details")) and ":" in line
            )
            return next(raised, lines[-1])[:200]
    return ""


def _seconds(test):
    start, end = test["timestamps"]
    return (end - start).total_seconds() if start and end else 0.0


def main():
    """Print the counts, then a line a test, sorted."""
    file, title, status = sys.argv[1:]
    rows, times = {}, []

    def keep(test):
        if test["status"] != "exists":
            times.extend(time for time in test["timestamps"] if time)
            rows[test["id"]] = (test["status"], _seconds(test), _reason(test))

    result = testtools.StreamToDict(keep)
    result.startTestRun()
    with open(file, "rb") as stream:
        subunit.ByteStreamToStreamResult(stream, non_subunit_name="stdout").run(result)
    result.stopTestRun()
    count = collections.Counter(_NAMES.get(row[0], row[0]) for row in rows.values())
    other = sum(n for state, n in count.items() if state not in ("pass", "fail", "skip"))
    seconds = (max(times) - min(times)).total_seconds() if times else 0
    print(f"# {title}, wall {seconds:.0f} s, status {status}")
    print(f"# pass {count['pass']}  fail {count['fail']}  skip {count['skip']}  other {other}")
    for name in sorted(rows):
        state, took, why = rows[name]
        tail = f"  # {why}" if why else ""
        print(f"{_NAMES.get(state, state):<5} {took:7.2f} {name}{tail}")


if __name__ == "__main__":
    main()
