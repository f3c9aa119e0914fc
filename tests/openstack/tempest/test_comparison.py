"""What counts as lost: the judge itself must not be wrong."""

from pathlib import Path

import pytest

from tests.openstack.progress import BedError
from tests.openstack.tempest.comparison import Row, compare, read, read_known, report

_PASS = Row("pass", 1.0)
_RESULT = """\
# tempest, region Pod1, wall 9 s, status 0
# pass 1  fail 2  skip 1  other 0
pass     0.50 api.A.test_one[id-1,smoke]
fail     2.00 api.A.test_two[id-2]  # ValueError: # is no comment here
skip     0.00 api.A.test_three  # not now
fail     0.00 setUpClass (api.B)  # Forbidden: no
"""


def test_a_result_is_read_with_its_reasons(tmp_path: Path) -> None:
    file = tmp_path / "result.txt"
    file.write_text(_RESULT)

    assert read(file) == {
        "api.A.test_one[id-1,smoke]": Row("pass", 0.5),
        "api.A.test_two[id-2]": Row("fail", 2.0, "ValueError: # is no comment here"),
        "api.A.test_three": Row("skip", 0.0, "not now"),
        "setUpClass (api.B)": Row("fail", 0.0, "Forbidden: no"),
    }


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        (_PASS, {}),
        (Row("fail", 1.0, "why"), {"api.A.test[id-1]": Row("fail", 1.0, "why")}),
        (Row("skip", 1.0, "why"), {"api.A.test[id-1]": Row("skip", 1.0, "why")}),
    ],
)
def test_what_passed_before_and_does_not_now_is_lost(after: Row, lost: dict[str, Row]) -> None:
    found = compare({"api.A.test[id-1]": _PASS}, {"api.A.test[id-1]": after}, {})

    assert found.lost == lost
    assert report(found) == (1 if lost else 0)


def test_what_was_not_run_is_lost() -> None:
    assert compare({"api.A.test": _PASS}, {}, {}).lost["api.A.test"].state == "absent"


def test_a_class_that_could_not_be_set_up_says_why() -> None:
    failed = Row("fail", 0.0, "no servers")

    found = compare({"api.A.test[id-1]": _PASS}, {"setUpClass (api.A)": failed}, {})

    assert found.lost == {"api.A.test[id-1]": failed}


def test_what_failed_before_cannot_be_lost() -> None:
    found = compare({"a": Row("fail", 1.0)}, {"a": Row("fail", 1.0)}, {})

    assert not found.lost


def test_what_is_known_is_not_lost(tmp_path: Path) -> None:
    file = tmp_path / "known.txt"
    file.write_text("# a comment\n\na.test  # for a good reason\n")

    found = compare({"a.test[id-1]": _PASS}, {}, read_known(file))

    assert found.known == {"a.test[id-1]": "for a good reason"}
    assert report(found) == 0


def test_nothing_is_known_without_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "known.txt"
    file.write_text("a.test\n")

    with pytest.raises(BedError, match="line 1"):
        read_known(file)
