"""What a button does, a program may call by XML-RPC, which cannot carry None: each public action ends with an answer.

usage: answers.py [DIRECTORY]      names each action that may return None, exit code 1 when there is one

Runs without Odoo, over the syntax tree of the addons' models and wizards; `isp-py/tests/test_addon_rules.py` runs it in `make test`.
"""

import ast
import pathlib
import sys

ADDONS = pathlib.Path(__file__).parents[1]


def answers(body):
    """Whether each way through the statements ends with a value or an exception."""
    last = body[-1] if body else None
    if isinstance(last, ast.Return):
        return is_value(last)
    if isinstance(last, ast.If):
        return answers(last.body) and answers(last.orelse)
    if isinstance(last, ast.With):
        return answers(last.body)
    if isinstance(last, ast.Try):
        return (answers(last.body) or answers(last.orelse)) and all(answers(handler.body) for handler in last.handlers)
    return isinstance(last, ast.Raise)


def is_value(statement):
    return statement.value is not None and not (isinstance(statement.value, ast.Constant) and statement.value.value is None)


def own(function):
    """The nodes of a function without those of functions inside it."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, (ast.FunctionDef, ast.Lambda)):
            yield node
            yield from own(node)


def look(addons=ADDONS):
    found = []
    for path in sorted(addons.glob("isp_management*/models/*.py")) + sorted(addons.glob("isp_management*/wizard/*.py")):
        for model in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for function in model.body if isinstance(model, ast.ClassDef) else ():
                if isinstance(function, ast.FunctionDef) and function.name.startswith(("action_", "button_")):
                    empty = [node for node in own(function) if isinstance(node, ast.Return) and not is_value(node)]
                    if empty or not answers(function.body):
                        found.append("%s:%s: %s may return None" % (path.relative_to(addons), function.lineno, function.name))
    return found


if __name__ == "__main__":
    places = look(pathlib.Path(sys.argv[1])) if len(sys.argv) > 1 else look()
    print("\n".join(places))
    sys.exit(bool(places))
