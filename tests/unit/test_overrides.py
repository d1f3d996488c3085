"""No addon of the suite replaces a method of another by accident: whoever has the name calls super()."""

import ast
from collections import defaultdict
from pathlib import Path

ADDONS = Path(__file__).parents[2] / "addons"


def model_of(node):
    """The model that a class defines or extends, ``None`` for other classes."""
    names = {
        statement.targets[0].id: statement.value.value
        for statement in node.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and isinstance(statement.value, ast.Constant)
    }
    return names.get("_name") or names.get("_inherit")


def replacing(sources):
    """``[(model, method, files)]`` of methods that two classes have and that do not go on.

    :param sources: ``{file name: text}``
    """
    found = defaultdict(list)
    for name, text in sources.items():
        for node in ast.parse(text).body:
            model = isinstance(node, ast.ClassDef) and model_of(node)
            for method in node.body if model else ():
                if isinstance(method, ast.FunctionDef) and "super()" not in ast.unparse(method):
                    found[model, method.name].append(name)
    return [(*key, files) for key, files in found.items() if len(files) > 1]


def test_no_method_is_replaced_by_accident():
    sources = {
        str(path.relative_to(ADDONS)): path.read_text()
        for path in ADDONS.glob("isp_*/**/*.py")
        if not {"tests", "migrations"} & set(path.parts)
    }
    assert len(sources) > 200
    assert replacing(sources) == []


def test_the_check_finds_one():
    one = "class A:\n    _name = 'm'\n    def hold(self): pass\n"
    other = "class B:\n    _inherit = 'm'\n    def hold(self): {}\n"
    assert replacing({"a": one, "b": other.format("pass")}) == [("m", "hold", ["a", "b"])]
    assert replacing({"a": one, "b": other.format("return super().hold()")}) == []
