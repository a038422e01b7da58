"""What requests may hold, read from the installed SDK's own types.

The SDK's services say which parameters go with which verb and path, and its
``params`` modules what each may be. Enumerations are open there, as in
``Literal["sum", "count"] | str``, for values to come; here they are closed again, and
unknown parameters are refused, or a fake would take any nonsense.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import stripe
from pydantic import TypeAdapter, ValidationError
from typing_extensions import is_typeddict, override

_ROOT = Path(stripe.__file__).parent
_FIELD = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class Route:
    """A request that the SDK can send.

    Args:
        verb: ``get``, ``post`` or ``delete``.
        path: With a name in braces for each id.
        module: The module of its parameters' type; ``None`` if it has none.
        parameters: The type's name.
    """

    verb: str
    path: str
    module: str | None
    parameters: str | None

    def matches(self, verb: str, path: str) -> bool:
        """Say whether a request goes to this route."""
        pattern = _FIELD.sub("[^/]+", self.path)
        return self.verb == verb and re.fullmatch(pattern, path) is not None

    @property
    def literal(self) -> int:
        """How much of the path is fixed: ``/search`` goes before ``/{customer}``."""
        return len(_FIELD.sub("", self.path))


@cache
def routes() -> tuple[Route, ...]:
    """Read every route of the SDK's first API version; takes about a second."""
    found = (
        route for file in sorted(_ROOT.rglob("*_service.py")) for route in _routes(file)
    )
    return tuple(sorted(found, key=lambda route: -route.literal))


def find_route(verb: str, path: str) -> Route | None:
    """Find the route of a request, the most literal one first."""
    return next((r for r in routes() if r.matches(verb.lower(), path)), None)


def problems(route: Route, sent: dict[str, Any]) -> list[str]:
    """Say what is wrong with a request's parameters.

    Args:
        route: Where it goes.
        sent: The parameters, decoded from their form; every value is text.

    Returns:
        Each wrong parameter's path and what is wrong; empty if all is well.
    """
    if route.module is None or route.parameters is None:
        return [f"{name}: unknown parameter" for name in sent]
    try:
        _adapter(route.module, route.parameters).validate_python(sent)
    except ValidationError as error:
        listed = error.errors(include_input=False, include_url=False)
        return [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in listed]
    return []


def _routes(file: Path) -> list[Route]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    modules = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and (sent := _request(node)):
            name = _parameters(node)
            found.append(Route(*sent, modules.get(name or ""), name))
    return found


def _request(function: ast.FunctionDef) -> tuple[str, str] | None:
    """Find ``self._request("post", "/v1/...", ...)`` in a method."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._request":
            verb, path = node.args[:2]
            if isinstance(path, ast.Call) and isinstance(path.func, ast.Attribute):
                path = path.func.value
            if isinstance(verb, ast.Constant) and isinstance(path, ast.Constant):
                return str(verb.value), str(path.value)
    return None


def _parameters(function: ast.FunctionDef) -> str | None:
    for argument in function.args.args:
        if argument.arg == "params" and argument.annotation is not None:
            names = re.findall(r"\w+Params\b", ast.unparse(argument.annotation))
            return names[0] if names else None
    return None


class _Closing(ast.NodeTransformer):
    """Closes open enumerations and takes the SDK's own types out of annotations."""

    @override
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Look into annotations that are text."""
        if isinstance(node.value, str) and re.search(r"Literal|Untyped", node.value):
            inner = ast.parse(node.value, mode="eval").body
            return ast.Constant(ast.unparse(self.visit(inner)))
        return node

    @override
    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Leave ``str`` out of ``Literal[...] | str``."""
        left, right = ast.unparse(node.left), ast.unparse(node.right)
        if left.startswith("Literal") and right == "str":
            return node.left
        if right.startswith("UntypedStripeObject"):
            return node.left
        self.generic_visit(node)
        return node

    @override
    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Leave ``str`` out of ``Union[Literal[...], str]``."""
        if ast.unparse(node.value) == "Literal":
            return node
        self.generic_visit(node)
        if ast.unparse(node.value) == "Union" and isinstance(node.slice, ast.Tuple):
            parts = node.slice.elts
            if any(ast.unparse(part).startswith("Literal") for part in parts):
                node.slice.elts = [p for p in parts if ast.unparse(p) != "str"]
        return node

    @override
    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Take away the options that are the SDK's and not the API's."""
        self.generic_visit(node)
        node.bases = [ast.Name("TypedDict", ast.Load())]
        return node


@cache
def _adapter(module: str, name: str) -> TypeAdapter[dict[str, Any]]:
    """Build the validator of a type from its module's source, with closed ends."""
    source = _ROOT.joinpath(*module.split(".")[1:]).with_suffix(".py")
    tree = _Closing().visit(ast.parse(source.read_text(encoding="utf-8")))
    imports = "from typing_extensions import Literal, NotRequired, TypedDict\n"
    made = ModuleType(f"{__name__}.{module.replace('.', '_')}")
    sys.modules[made.__name__] = made
    code = imports + ast.unparse(ast.fix_missing_locations(tree))
    exec(code, vars(made))  # noqa: S102 - the installed SDK's own source
    for thing in vars(made).values():
        if is_typeddict(thing):
            thing.__pydantic_config__ = {"extra": "forbid"}
    return TypeAdapter(getattr(made, name))
