"""The library, the command line and the verifier run on Python 3.11 and later: each module is imported by every such Python that is here.

Those Pythons have none of our packages. So what is no part of the standard library, and not ours, is played by a module that has whatever is
asked of it: whether a module can be imported shows, not whether it works.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.test_architecture import MODULES, ROOT
from tests.test_verify_alone import pythons

PROGRAM = r"""
import importlib, importlib.abc, importlib.machinery, json, sys

class Anything(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Exception if name.endswith(("Error", "Timeout")) else Anything(name, (), {})
    def __getitem__(cls, key):
        return cls
    def __call__(cls, *given, **named):
        made = [value for value in given if callable(value) and not isinstance(value, type)]
        return made[0] if made else cls
    def __iter__(cls):
        return iter(())
    def __or__(cls, other):
        return cls
    __ror__ = __or__

class Played(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"shared", "infra", "functions", *sys.stdlib_module_names}:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def exec_module(self, module):
        module.__getattr__ = lambda name: getattr(Anything("module", (), {}), name)

sys.path.insert(0, sys.argv[1])
sys.meta_path.append(Played())
failed = {}
for name in json.load(sys.stdin):
    try:
        importlib.import_module(name)
    except Exception as error:
        failed[name] = f"{type(error).__name__}: {error}"
print(json.dumps(failed))
"""


def names():
    for path in [*MODULES, *sorted(file.relative_to(ROOT) for file in (ROOT / "infra").rglob("*.py"))]:
        if path.parts[0] != "functions" and path.name != "__main__.py":  # the app runs on the Python of production
            yield ".".join(path.with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.14"])
def test_every_module_can_be_imported(version):
    python = pythons((version,))[version]
    if python is None:
        pytest.skip(f"no Python {version} is here: nothing was tried with it")
    command = [str(python), "-I", "-S", "-B", "-c", PROGRAM, str(ROOT)]
    done = subprocess.run(command, input=json.dumps(list(names())), capture_output=True, text=True, check=False, timeout=60, env={"PATH": os.defpath})
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


def test_what_cannot_be_imported_is_seen():
    """The program itself, with a name that is not there."""
    done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", PROGRAM, str(ROOT)], input='["shared.nothing"]', capture_output=True, text=True, check=True)
    assert list(json.loads(done.stdout)) == ["shared.nothing"]
