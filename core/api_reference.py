"""The API's description as a page of ours: read from the OpenAPI document, never written by hand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _
from drf_spectacular.generators import SchemaGenerator

_METHODS = ("get", "post", "put", "patch", "delete")
Node = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """A parameter, or a field of a body: its name, what it may be, and whether it must be there."""

    name: str
    kind: str
    is_required: bool
    about: str


@dataclass(frozen=True)
class Answer:
    """What comes back with a status."""

    status: str
    kind: str
    about: str
    fields: list[Field]


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    anchor: str
    about: str
    needs_token: bool
    parameters: list[Field]
    body: list[Field]
    answers: list[Answer]


@dataclass(frozen=True)
class Group:
    """The operations on one kind of thing."""

    name: str
    anchor: str
    operations: list[Operation]


@cache
def document(urlconf: str) -> Node:
    """The OpenAPI document of one kind of host. It changes only with the code, so it is made once."""
    generator: Any = SchemaGenerator
    made: Node = generator(urlconf=urlconf).get_schema(request=None, public=True)
    return made


@cache
def groups(urlconf: str) -> list[Group]:
    """Everything the API of one kind of host can do, read once."""
    described = document(urlconf)
    reader = _Reader(described)
    found: dict[str, list[Operation]] = {}
    for path, methods in described["paths"].items():
        for method in _METHODS:
            if method in methods:
                found.setdefault(methods[method]["tags"][0], []).append(reader.operation(method, path, methods[method]))
    return [Group(name=name, anchor=slugify(name), operations=found[name]) for name in sorted(found)]


class _Reader:
    """Resolves references within one OpenAPI document."""

    def __init__(self, document: Node) -> None:
        self._schemas: Node = document.get("components", {}).get("schemas", {})

    def operation(self, method: str, path: str, node: Node) -> Operation:
        content = node.get("requestBody", {}).get("content", {})
        return Operation(
            method=method.upper(),
            path=path,
            anchor=slugify(f"{method}-{path.replace('/', '-')}"),
            about=node.get("description", ""),
            needs_token={} not in node.get("security", [{}]),
            parameters=[
                Field(each["name"], self._kind(each["schema"]), bool(each.get("required")), each.get("description", ""))
                for each in node.get("parameters", [])
            ],
            body=self._body(content.get("application/json", {}).get("schema", {})),
            answers=[self._answer(status, answer) for status, answer in node["responses"].items()],
        )

    def _answer(self, status: str, node: Node) -> Answer:
        schema = node.get("content", {}).get("application/json", {}).get("schema") or {}  # null: nothing is promised
        whole = self._resolve(schema)
        rows = whole.get("properties", {}).get("results")
        if rows:  # a page of a list
            return Answer(status, _("A page of:"), node.get("description", ""), self._body(rows["items"]))
        if whole.get("type") == "array":
            return Answer(status, _("A list of:"), node.get("description", ""), self._body(whole["items"]))
        return Answer(status, "", node.get("description", ""), self._body(schema))

    def _body(self, schema: Node) -> list[Field]:
        return list(self._fields(self._resolve(schema)))

    def _fields(self, schema: Node) -> Iterator[Field]:
        required = schema.get("required", [])
        for name, field in schema.get("properties", {}).items():
            about = field.get("description", "").partition("\n")[0]
            # A list of choices is told by its kind.
            yield Field(name, self._kind(field), name in required, "" if about.startswith("* ") else about)

    def _resolve(self, schema: Node) -> Node:
        reference = schema.get("$ref") or next((each["$ref"] for each in schema.get("allOf", [])), "")
        return self._schemas[reference.rpartition("/")[2]] if reference else schema

    def _kind(self, schema: Node) -> str:
        whole = self._resolve(schema)
        if "enum" in whole:
            choices = [str(choice) for choice in whole["enum"]]
            return ", ".join(choices) if len(choices) < 12 else _("one of %(count)d codes") % {"count": len(choices)}
        if whole.get("type") == "array":
            inside = self._resolve(whole["items"])
            return _("list of: %(kind)s") % {
                "kind": ", ".join(inside["properties"]) if "properties" in inside else self._kind(inside)
            }
        kinds = whole.get("type", "object")
        named = " / ".join(kinds) if isinstance(kinds, list) else str(kinds)
        return f"{named} ({whole['format']})" if "format" in whole else named
