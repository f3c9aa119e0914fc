"""A file of pods: a YAML stream, a list, or `pods:` with a list; `-` is standard input."""

from collections.abc import Iterator
from pathlib import Path

import click
import yaml

from control_plane.administration.spec import PodSpec, check_all
from control_plane.model.errors import Invalid, StartupError
from control_plane.settings import YamlLoader


def read_documents(path: Path) -> list[object]:
    """Read the documents of a YAML file, the empty ones left out; StartupError."""
    try:
        with click.open_file(str(path), encoding="utf-8") as file:
            return [entry for entry in yaml.load_all(file, YamlLoader) if entry is not None]
    except OSError as error:
        message = f"{path}: {error.strerror or error}"
    except (yaml.YAMLError, ValueError) as error:
        message = f"{path}: not YAML: {' '.join(str(error).split())}"
    raise StartupError(message)


def read_pods(path: Path) -> list[PodSpec]:
    """Read and check the pods of a file; StartupError that names the file and the pod."""
    try:
        specs = [PodSpec.read(written) for written in _entries(read_documents(path))]
        check_all(specs)
    except Invalid as error:
        message = f"{path}: {error}"
        raise StartupError(message) from error
    if not specs:
        message = f"{path}: holds no pod"
        raise StartupError(message)
    return specs


def _entries(documents: list[object]) -> Iterator[object]:
    for document in documents:
        if isinstance(document, dict) and isinstance(document.get("pods"), list):
            yield from document["pods"]
        elif isinstance(document, list):
            yield from document
        else:
            yield document
