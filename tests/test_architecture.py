"""The floors of the house: who may import whom, what is pure, and where Azure, the clock and the environment may be touched."""

import ast
import importlib
import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(path.relative_to(ROOT) for folder in ("shared", "functions") for path in (ROOT / folder).rglob("*.py"))

FLOORS = [
    {"errors", "canonical"},
    {"model", "layout", "settings", "records", "schedule", "recent", "alarms"},
    {"privacy", "judge", "collect", "seal"},
    {"deliver"},
    {"service"},
    {"terminal"},
    {"commands"},
    {"cli"},
    {"__main__"},
]
"""Rooms of `shared`, from the ground up; a room stands only on floors below its own."""


def room(module: Path) -> str:
    return module.parts[1].removesuffix(".py") if len(module.parts) > 1 else module.stem


def imports(module: Path):
    """(dotted name, line, inside a function or TYPE_CHECKING) of every import."""
    tree = ast.parse((ROOT / module).read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)


def floor_of(name: str) -> int:
    return next((number for number, rooms in enumerate(FLOORS) if name in rooms), -1)


@pytest.mark.parametrize("module", [m for m in MODULES if (m.parts[0] == "shared" and m.name != "__init__.py") or len(m.parts) > 2], ids=str)
def test_a_room_stands_only_on_floors_below(module):
    here = room(module)
    assert floor_of(here) >= 0, f"{here} is on no floor: put it into FLOORS"
    for name, line in imports(module):
        parts = name.split(".")
        if parts[0] == "functions" or (parts[0] == "infra" and here not in ("commands", "service")):
            raise AssertionError(f"{module}:{line} imports {name}")
        if parts[0] == "shared" and len(parts) > 1 and floor_of(parts[1]) >= 0 and parts[1] != here:
            assert floor_of(parts[1]) < floor_of(here), f"{module}:{line}: {here} stands on {parts[1]}"


def at_import(module: Path):
    """The modules of ours that importing this one imports, their packages included. Not what functions and annotations import."""
    for node in ast.parse((ROOT / module).read_text()).body:
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            yield from (place for end in range(1, len(parts) + 1) if (place := MODULE_OF.get(".".join(parts[:end]))))


MODULE_OF = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in MODULES}


def test_no_module_imports_itself_in_a_circle():
    """In a circle it depends on who is imported first whether a program starts at all."""
    waiting = {module: set(at_import(module)) - {module} for module in MODULES}
    # A package's own __init__ may import its modules: their import of the package is then under way already, and asks nothing of it.
    for module, needed in waiting.items():
        needed -= {package / "__init__.py" for package in module.parents}
    while free := [module for module, needed in waiting.items() if not needed]:
        for module in free:
            del waiting[module]
        for needed in waiting.values():
            needed -= set(free)
    assert not waiting, f"these import each other, or stand on such: {', '.join(map(str, waiting))}"


AZURE_ALLOWED = (
    "shared/collect/", "shared/seal/store", "shared/seal/blob", "shared/seal/lease", "shared/seal/vault", "shared/deliver/alerts",
    "shared/service/compose.py", "shared/service/stores.py", "functions/",
)  # fmt: skip
ENVIRONMENT_READ = ("shared/commands/context.py", "functions/process.py")
"""Each hands the environment to who reads it: `shared.settings`, and what the platform says of its authentication."""


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_azure_clock_and_environment_stay_where_they_belong(module):
    text = str(module)
    for name, line in imports(module):
        if name.startswith("azure.functions"):
            assert text.startswith("functions/"), f"{module}:{line}: triggers are in functions/"
        elif name.split(".")[0] == "azure":
            assert text.startswith(AZURE_ALLOWED), f"{module}:{line}: azure is not for here"
        if name.split(".")[0] in ("random", "secrets", "uuid"):
            assert text.startswith("shared/service/"), f"{module}:{line}: randomness comes in through service"
    source = (ROOT / module).read_text()
    if text not in ENVIRONMENT_READ:
        assert "os.environ" not in source and "os.getenv" not in source, f"{module} reads the environment: settings.py does"
    if not text.startswith("shared/service/"):
        for word in ("datetime.now(", "utcnow(", "time.time(", "date.today("):
            assert word not in source, f"{module} reads the clock with {word}: the clock comes in through service"


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[:2] == ("shared", "judge")], ids=str)
def test_judging_is_pure(module):
    banned = {"os", "io", "socket", "subprocess", "time", "random", "threading", "urllib", "http", "logging", "pathlib", "tempfile"}
    found = {name.split(".")[0] for name, _ in imports(module)} & banned
    assert not found, f"{module} imports {found}"
    assert "open(" not in (ROOT / module).read_text().replace("importlib", "")


@pytest.mark.parametrize("module", [m for m in MODULES if m.parts[0] == "functions"], ids=str)
def test_functions_call_use_cases_and_nothing_below(module):
    allowed = {"settings", "service", "layout", "errors", "canonical", "alarms", "model", "__version__"}
    for name, line in imports(module):
        parts = name.split(".")
        if parts[0] == "shared":
            assert parts[1] in allowed, f"{module}:{line}: an entry point parses, calls a use-case and answers: {name} is below"


def test_verify_needs_the_standard_library_and_cryptography_alone():
    code = (
        "import sys, importlib.util\n"
        "import shared.deliver.verify.bundle, shared.deliver.verify.store\n"
        "third = sorted({m.split('.')[0] for m, v in sys.modules.items() if 'site-packages' in (getattr(v, '__file__', None) or '')})\n"
        "print(' '.join(third))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    found = {name for name in done.stdout.split() if not name.startswith("__editable__")}
    found -= {"bcrypt"}  # which cryptography takes where it is: here, because a library of the tests brings it
    assert found <= {"cryptography", "_cffi_backend", "_distutils_hack", "cffi", "pycparser", "typing_extensions"}, done.stdout


def test_our_packages_are_our_own():
    """The Functions worker puts site-packages before the app: a package that ships a top-level `shared` would shadow ours there."""
    import shared

    assert Path(shared.__file__).is_relative_to(ROOT)
    others = importlib.metadata.packages_distributions()
    assert set(others.get("shared", [])) <= {"aoai-evidence"}
    assert set(others.get("functions", [])) <= {"aoai-evidence"}


def test_no_module_outgrows_its_name():
    alone = Path("shared/deliver/bundle/verify_alone.py")  # one file on purpose: whoever runs it reads it first, and has nothing else of ours
    long = {str(m): n for m in MODULES if m != alone and (n := len((ROOT / m).read_text().splitlines())) > 330}
    assert not long, f"over 330 lines, so probably two things: {long}"


THE_QUERY = "shared/collect/logs.py"
"""The one module that sends something else than GET: a query of Log Analytics stands in the body of a POST."""


def test_nothing_sends_anything_but_get():
    for module in MODULES:
        source = (ROOT / module).read_text()
        allowed = 'HttpRequest("POST"' if str(module) == THE_QUERY else 'HttpRequest("GET"'
        assert source.count("HttpRequest(") == source.count(allowed) or module.name == "transport.py", module
    for word in ('"POST"', '"PUT"', '"DELETE"', '"PATCH"', "listKeys", "regenerateKey"):
        for module in MODULES:
            if module.parts[1:2] == ("collect",) and (word, str(module)) != ('"POST"', THE_QUERY):
                assert word not in (ROOT / module).read_text(), (module, word)
    query = (ROOT / THE_QUERY).read_text()
    assert query.count('"POST"') == 1 and 'endpoint.path}"' in query, "and it goes to the address of a row of the table"


@pytest.mark.parametrize("module", sorted((ROOT / "tests" / "bench").glob("*.py")), ids=lambda path: path.stem)
def test_what_the_measurements_take_from_elsewhere_is_there(module):
    """They run by hand, import where they measure, and would be found broken only then."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(("shared", "tests", "infra")):
            source = importlib.import_module(node.module)
            for alias in node.names:
                assert hasattr(source, alias.name) or importlib.util.find_spec(f"{node.module}.{alias.name}"), f"line {node.lineno}: {alias.name}"
