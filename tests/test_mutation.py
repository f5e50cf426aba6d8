"""tools.mutation: what it changes, that it finds a gap in the tests, and that only a good reason makes up for one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools.mutation import Mutant, python_mutants, script_mutants, settle

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent


def test_a_mutant_of_a_module_is_python_with_one_thing_changed():
    source = (
        'def f(x):\n    """1 + 1"""\n    check(x)\n    if x > 2 and not x == 5:\n        x += -1\n    return x * 3\n'
    )
    skipped = r"Variable.*|.*_(Is|IsNot|Invert|FloorDiv|Mod|Bit\w+|.Shift)"
    changed = {re.sub(" +", " ", each) for each in python_mutants(source, skipped)}
    for before, after in [
        ("x * 3", "x + 3"),
        ("x * 3", "x * 4"),
        ("x > 2", "x >= 2"),
        ("2 and not", "2 or not"),
        ("and not x", "and x"),
        ("if x", "if not x"),
        ("-1", "+1"),
        ("check(x)", "pass"),
    ]:
        assert re.sub(" +", " ", source.replace(before, after)) in changed, after
    assert all('"""1 + 1"""' in each for each in changed)


def test_a_mutant_of_a_script_has_one_operator_or_number_changed_within_the_part():
    source = "before(1 + 1);\nfrom;\nconst f = (x) => -2.5 * x; // 1 + 1\nx <= a - 0x1f && !b ? t++ : 'to'"
    changed = set(script_mutants(source, "from;", "'to'"))
    expected = [("=> -", "=> +"), ("2.5", "3.5"), ("2.5", "1.5"), ("0x1f", "32"), ("0x1f", "30"), ("!b", "b")]
    expected += [("* x", f"{other} x") for other in ("+", "-", "/", "**")]
    expected += [("a - 0", f"a {other} 0") for other in ("+", "*", "/", "**")]
    expected += [("<=", other) for other in ("<", ">", ">=", "===", "!==")] + [("&&", "||"), ("++", "--")]
    assert changed == {source.replace(before, after) for before, after in expected}


SURVIVOR = Mutant(7, "x = 1", "x = 2", "…")
WHY = {"module": "m", "before": "x = 1", "after": ["x = 2"], "why": "Nobody reads x."}


@pytest.mark.parametrize(
    ("killed", "survivors", "arguments", "complaint"),
    [
        (99, [SURVIVOR], [WHY], None),
        (99, [SURVIVOR], [], "line 7 survives:\n- x = 1\n+ x = 2"),
        (99, [SURVIVOR], [WHY | {"module": "another"}], "line 7 survives"),
        (99, [SURVIVOR], [WHY | {"after": ["x = 3"]}], "line 7 survives"),
        (100, [], [WHY], "argued away, but no survivor:\n- x = 1\n+ x = 2"),
        (95, [SURVIVOR] * 5, [WHY], None),
        (94, [SURVIVOR] * 6, [WHY], "94.0 % are killed, at least 95 % should be"),
    ],
)
def test_what_makes_a_module_red(killed, survivors, arguments, complaint):
    results = [(Mutant(1, "", "", "…"), "killed")] * killed + [(each, "survived") for each in survivors]
    row, complaints = settle("m", results, arguments)
    assert row[:4] == ("m", 100, killed, len(survivors))
    assert row[5] == killed
    assert bool(complaints) == bool(complaint)
    assert (complaint or "") in "\n".join(complaints)


def test_a_gap_in_the_tests_turns_the_target_red_until_it_is_closed(tmp_path):
    def write(path, text):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)

    def run():
        program = "from pathlib import Path; from tools import mutation, repository\n"
        program += f"root = mutation.ROOT = Path({str(tmp_path)!r}); mutation.SLOW_IMPORTS = ()\n"
        program += "mutation.CONFIGURATION, mutation.RESULTS = root / 'mutation.toml', root / '.mutation'\n"
        program += "mutation.copy = lambda folder: repository.copy(folder, root)\nmutation.main()"
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    test = "from sign import sign\n\ndef test_sign():\n    assert (sign(-0.5), sign(0.5)) == (-1, 1)\n"
    skip = '[[skip]]\noperators = "Variable.*|.*_(Is|IsNot|Invert|Not|Delete_USub)"'
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    write("sign.py", "def sign(x):\n    if x >= 0:\n        return 1\n    return -1\n")
    write("mutation.toml", f'[modules.sign]\npath = "sign.py"\ntests = ["tests/test_sign.py"]\n{skip}\n')
    write("pyproject.toml", '[tool.pytest.ini_options]\npythonpath = ["."]\n')
    write("tests/conftest.py", "")
    write("tests/test_sign.py", test)
    for to_do in (13, 0):
        status, out, err = run()
        assert status == 1, out + err
        assert f"sign: 13 mutants, {to_do} to do" in out
        assert out.count("survives") == 1
        assert "sign.py: line 2 survives:\n- if x >= 0:\n+ if x > 0:\n" in out

    write("tests/test_sign.py", test + "    assert sign(0) == 1\n")
    status, out, err = run()
    assert status == 0, out + err
    assert "sign: 13 mutants, 13 to do" in out
    assert re.search(r"sign +13 +13 +0 +0 +100.0\n", out)

    write("tests/test_sign.py", "def test_nothing():\n    pass\n")
    status, out, err = run()
    assert status == 1
    assert "the tests do not notice that sign.py is broken altogether" in err
    write("tests/test_sign.py", "def test_nothing():\n    assert False\n")
    assert "the tests are red without any mutant" in run()[2]
