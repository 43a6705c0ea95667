"""The function app: the one object that the Azure Functions host looks for. What each function does is in `functions/`."""

from pathlib import Path

import azure.functions as func

import functions
import shared

ROOT = Path(__file__).resolve().parent

for package in (functions, shared):
    # In production site-packages come before this folder on the path: a package of the same name there would be taken for ours.
    if not Path(str(package.__file__)).resolve().is_relative_to(ROOT):
        raise ImportError(f"another package called {package.__name__} was imported from {package.__file__}: remove it from requirements.txt")

from functions import collect, deliver, portal, seal  # noqa: E402 - only now it is sure whose they are

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)  # who may ask is decided by functions/access.py, for every route
app.register_functions(collect.blueprint)
app.register_functions(seal.blueprint)
app.register_functions(deliver.blueprint)
app.register_functions(portal.blueprint)
