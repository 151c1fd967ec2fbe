"""The files of the Rust core lean on each other in one direction, and each is short enough to hold one idea.

File A *uses* file B when the code of A, its tests aside, names an item that is defined in B. Names are followed through
`use` and through the `mod.rs` files that hand them on, so a `pub use` alone is not a use of the file behind it, and
neither is `mod b;`. A `mod.rs` is therefore in a circle with its child only if both need an item of the other. What a
method call leans on cannot be told from names: its type has been named somewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "rust" / "core" / "src"
MOST_LINES = 500

NOT_CODE = re.compile(
    r"""
    //[^\n]*
    | /\*.*?\*/
    | b?r(?P<hashes>\#*)".*?"(?P=hashes)
    | b?"(?:\\.|[^"\\])*"
    | b?'(?:\\[^u]|\\u\{\w+\}|[^'\\])'
    """,
    re.VERBOSE | re.DOTALL,
)
TESTS = re.compile(r"^#\[cfg\(test\)\]\n(?:#\[.*\]\n)*mod \w+ \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
USE = re.compile(r"\b(?P<handed_on>pub(?:\(\w+\))? )?use (?P<tree>[^;]+);")
CHILD = re.compile(r"\bmod \w+;")
DEFINED = re.compile(
    r"^(?:pub(?:\([a-z]+\))? )?(?:const |unsafe )*"
    r"(?:(?:fn|struct|enum|trait|type|static|union) |const |macro_rules! )(\w+)",
    re.MULTILINE,
)
PATH = re.compile(r"(?<![\w:])\w+(?:::\w+)+")
# A name, but for those of fields and methods.
NAMED = re.compile(r"(?<![.\w])(?<!fn )\w+\b(?!\s*:(?!:))")

Module = tuple[str, ...]


def branches(tree: str) -> list[tuple[str, str]]:
    """List the paths of a `use` tree, each with the name that it gets."""
    head, brace, rest = tree.strip().partition("{")
    if not brace:
        path, _, alias = head.partition(" as ")
        return [(path.strip(), alias.strip() or path.strip().rpartition("::")[2])]
    found, depth, start = [], 0, 0
    inner = rest.rpartition("}")[0]
    for at, letter in enumerate(inner + ","):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            if branch := inner[start:at].strip():
                paths = branches(branch)
                found += [(head.removesuffix("::") if p == "self" else head + p, n) for p, n in paths]
            start = at + 1
    return [(path, path.rpartition("::")[2] if name == "self" else name) for path, name in found]


@dataclass
class File:
    """One file: what it defines, the names that `use` brings into it, and its code with these and without."""

    module: Module
    path: Path
    defined: set[str] = field(default_factory=set)
    brought: dict[str, str] = field(default_factory=dict)
    handed_on: set[str] = field(default_factory=set)
    names: str = ""
    code: str = ""

    @classmethod
    def read(cls, path: Path, root: Path) -> File:
        """Read a file of the crate whose sources are in `root`."""
        parts = path.relative_to(root).with_suffix("").parts
        file = cls(parts[:-1] if parts[-1] in ("mod", "lib") else parts, path)
        text = NOT_CODE.sub(lambda found: '""' if found[0][0] in "br\"'" else "", path.read_text(encoding="utf-8"))
        text = TESTS.sub("", text)
        for use in USE.finditer(text):
            for target, name in branches(" ".join(use["tree"].split())):
                assert name != "*" or target.partition("::")[0] not in ("crate", "self", "super"), path
                file.brought[name] = target
                if use["handed_on"]:
                    file.handed_on.add(name)
        file.names, file.code = text, CHILD.sub("", USE.sub("", text))
        file.defined = set(DEFINED.findall(file.code))
        return file


class Crate:
    """The files of a crate by module."""

    def __init__(self, root: Path) -> None:
        read = (File.read(path, root) for path in sorted(root.rglob("*.rs")) if not path.stem.endswith("tests"))
        self.files = {file.module: file for file in read}

    def owner(self, module: Module, path: str, inside: bool = False) -> Module | None:
        """Find the file that defines the item a path in a file's code leads to; None for another crate's.

        `inside` says that the path came from elsewhere into this file: a name that is not found is then one that a
        macro defines there.
        """
        first, _, rest = path.partition("::")
        file = self.files[module]
        if first in ("crate", "self", "super"):
            start = {"crate": (), "self": module, "super": module[:-1]}[first]
            return self.owner(start, rest, True) if rest else start
        if first in file.defined:
            return module
        target = file.brought.get(first, first)
        if target.partition("::")[0] != first:
            return self.owner(module, f"{target}::{rest}" if rest else target)
        child = (*module, first)
        if child in self.files:
            return self.owner(child, rest, True) if rest else child
        return module if inside else None

    def uses(self, file: File) -> set[Module]:
        """List the other files whose items a file names."""
        handed_on_alone = file.handed_on - set(NAMED.findall(file.code))
        paths = file.brought.keys() - handed_on_alone | set(PATH.findall(file.code))
        return {owner for path in paths if (owner := self.owner(file.module, path))} - {file.module}

    def circle(self) -> list[str]:
        """Name the files of one circle, the first of them twice; nothing where there is none."""
        graph = {module: self.uses(file) for module, file in self.files.items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as e:
            return ["::".join(("crate", *module)) for module in e.args[1]]
        return []


def crate_of(root: Path, **files: str) -> Crate:
    for name, text in files.items():
        path = root / f"{name.replace('__', '/')}.rs"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return Crate(root)


def test_uses_are_followed_to_the_file_that_defines_the_item(tmp_path: Path) -> None:
    crate = crate_of(
        tmp_path,
        lib="mod made;\nmod room;\nmod top;\n",
        made="macro_rules! made { ($name:ident) => { pub struct $name; }; }\nmade!(Made);\n",
        room__mod="mod one;\nmod two;\npub use one::{self, One as First};\nstruct Own { one: u8 }\n",
        room__one='use super::Own;\npub struct One;\nconst TEXT: &str = "crate::top::Top";\n// crate::top::Top\n',
        room__two="use super::First;\nuse crate::{made, made::Made};\nfn two() { super::one::one(); made::Made }\n",
        top="use crate::room::{First, two};\nstruct Top;\n#[cfg(test)]\nmod tests {\n    use crate::made::Made;\n}\n",
    )
    found = {"::".join(module): {"::".join(used) for used in crate.uses(file)} for module, file in crate.files.items()}
    assert found == {
        "": set(),
        "made": set(),
        "room": set(),
        "room::one": {"room"},
        "room::two": {"room::one", "made"},
        "top": {"room::one", "room::two"},
    }
    assert crate.circle() == []


def test_a_circle_is_found_through_the_file_that_hands_names_on(tmp_path: Path) -> None:
    crate = crate_of(
        tmp_path,
        lib="mod a;\nmod b;\npub use a::A;\n",
        a="pub struct A;\nfn f() -> crate::b::B { todo!() }\n",
        b="pub struct B(crate::A);\n",
    )
    assert sorted(set(crate.circle())) == ["crate::a", "crate::b"]


def test_there_is_no_circle_in_the_core() -> None:
    crate = Crate(CORE)
    assert sum(len(crate.uses(file)) for file in crate.files.values()) > 400
    circle = crate.circle()
    assert not circle, " -> ".join(circle)


def test_only_its_own_room_and_the_table_of_formats_name_coco() -> None:
    """Comments and sentences may: masks and boxes follow its conventions."""
    mod, table = CORE / "formats" / "mod.rs", CORE / "formats" / "registry.rs"
    naming = [
        str(file.path.relative_to(CORE))
        for file in Crate(CORE).files.values()
        if file.module[:2] != ("formats", "coco") and file.path not in (mod, table) and "coco" in file.names.lower()
    ]
    assert naming == []


def test_no_file_is_over_500_lines() -> None:
    files = [path for room in ("rust", "python") for kind in ("rs", "py", "pyi") for path in room_files(room, kind)]
    assert len(files) > 200
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {str(path.relative_to(ROOT)): length for path, length in lengths.items() if length > MOST_LINES} == {}


def room_files(room: str, kind: str) -> list[Path]:
    return [path for path in (ROOT / room).rglob(f"*.{kind}") if "target" not in path.relative_to(ROOT).parts]
