"""The closed lists of words: the native module's tables, the aliases of the records and the stubs say the same."""

import ast
from pathlib import Path
from typing import Literal, get_args, get_origin

import isp_engine as isp
from isp_engine import records

# Words that come out and are never read.
ANSWERS = {"Action", "Evidence", "Fate", "LookAction", "LookReason", "Outcome", "ReceivedOutcome", "RowVerdict", "StepAction", "Verdict"}


def aliases() -> dict[str, tuple[str, ...]]:
    return {name: get_args(value) for name, value in vars(records).items() if get_origin(value) is Literal}


def test_every_alias_has_the_words_that_are_read() -> None:
    found = aliases()
    assert set(found) - ANSWERS == set(isp.WORDS)
    assert {name: set(found[name]) for name in isp.WORDS} == {name: set(words) for name, words in isp.WORDS.items()}
    assert all(len(set(words)) == len(words) > 1 for words in isp.WORDS.values())


def test_no_record_and_no_stub_writes_such_a_list_again() -> None:
    known = {frozenset(words): name for name, words in isp.WORDS.items()}
    package, again = Path(isp.__file__).parent, []
    for path in [*package.glob("records/*.py"), *package.glob("_isp_engine/*.pyi")]:
        tree = ast.parse(path.read_text())
        defined = {id(node.value) for node in tree.body if isinstance(node, ast.AnnAssign)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal":
                items = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                words = frozenset(item.value for item in items if isinstance(item, ast.Constant))
                if words in known and id(node) not in defined:
                    again.append(f"{path.name}:{node.lineno}: {known[words]}")
    assert again == []
