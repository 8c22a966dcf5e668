"""What mkdocs asks us while it builds the site (mkdocs.yml): pages that are files elsewhere, and links to them.

The README is the first page. Programs of examples/ and stories of tests/ get a page each, so that links to them stay on
the site. The public names of `mesolite` are spread over the pages of the reference by the module they live in, so none
is forgotten. A link to any other file leads to the repository if its address is known, and is plain text if not.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pygments.formatters import HtmlFormatter

from pages.links import ROOT, plain_fences, relinked, repository

LABELS = re.compile(r"\[(\w+)\](?=\s\[)")
"""A label before another, as the specifications have them; mkdocs would take the pair for a link."""

DOCS = ROOT / "docs"
STYLE = "site.css"
CODE_COLOURS = {"default": "[data-bs-theme=light] .highlight", "github-dark": "[data-bs-theme=dark] .highlight"}

FOLDERS = {"examples/__init__.py": "examples/index.md", "tests/stories": "stories/index.md"}
"""What a link to a folder, or to the file that speaks for it, leads to."""

REFERENCE = {
    "Clusters and simulations": (
        "cluster", "simulation", "simulation.view", "simulation.beliefs", "simulation.probe", "simulation.network",
        "machines", "wiring", "actors.trace", "actors.runtime.disk",
    ),
    "Schedulers and executors": ("callbacks", "drivers", "actors.decisions.driver_calls"),
    "Operators": (
        "operator", "drain", "reclaim", "operation_handle", "messages.drains", "messages.reclaims", "messages.state",
    ),
    "Errors": ("actors.errors", "messages.errors", "actors.user_errors", "user_errors"),
    "Settings": ("actors.decisions.settings",),
    "Nouns": (),
}  # fmt: skip
"""The pages of the reference, each with the modules whose public names it shows; the last shows all others."""

MADE_BY_USERS = {"Clusters and simulations", "Settings", "Nouns"}
"""Pages of what people construct; on the others, what makes an object is nobody's business but ours."""

NOT_MADE = "    options:\n      merge_init_into_class: false\n"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Learn where the sources are, and put the pages made here where the navigation names their folder.

    What it does not name at all comes under "Project", so that no page is without a way to it.
    """
    pages = [*elsewhere().values(), *(str(path.relative_to(DOCS)) for path in sorted(DOCS.rglob("*.md")))]
    made = {
        "examples/": ["examples/index.md", *(page for page in pages if page.startswith("examples/"))],
        "reference/": list(_reference()),
        "stories/": ["stories/index.md", *(page for page in pages if page.startswith("stories/"))],
    }
    named = set(_named(config.nav)) | {page for folder in made.values() for page in folder}
    config.repo_url = repository()
    config.nav = [
        {title: made.get(page, page) if isinstance(page, str) else page for title, page in entry.items()}
        for entry in config.nav or ()
    ]
    if others := [page for page in pages if page not in named]:
        config.nav.append({"Project": others})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are files elsewhere, and those that are made here."""
    texts = {page: _text(ROOT / source) for source, page in elsewhere().items()}
    for page, text in {**texts, **_lists(), **_reference()}.items():
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, STYLE, content=_style()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let links lead to where files are on the site, or to the repository."""
    here = page.file.src_uri
    source = next((file for file, name in elsewhere().items() if name == here), f"docs/{here}")
    names = {f"docs/{file.src_uri}": file.src_uri for file in files} | elsewhere() | FOLDERS

    def address(file: str) -> str | None:
        if file in names:
            return posixpath.relpath(names[file], posixpath.dirname(here) or ".")
        return f"{config.repo_url}/blob/main/{file}" if config.repo_url else None

    return LABELS.sub(r"\\[\1\\]", plain_fences(relinked(markdown, source, address)))


def _named(nav: Any) -> Iterator[str]:
    """The pages of a navigation, however deep."""
    match nav:
        case str():
            yield nav
        case list():
            for entry in nav:
                yield from _named(entry)
        case dict():
            yield from _named([*nav.values()])


# ---------------------------------------------------------------------------------------------------------- the pages


def _style() -> str:
    """Our changes of the theme, and the colours of code, by day and by night."""
    colours = (HtmlFormatter(style=style).get_style_defs(where) for style, where in CODE_COLOURS.items())
    return "\n".join([Path(__file__).with_suffix(".css").read_text(encoding="utf-8"), *colours])


def elsewhere() -> dict[str, str]:
    """Files that are pages, though they are not in docs/: which page each of them is."""
    pages = {"README.md": "index.md"}
    pages |= {path.name: path.name for path in ROOT.glob("*.md") if path.name != "README.md"}
    pages |= {f"examples/{path.name}": f"examples/{path.stem}.md" for path in _programs()}
    return pages | {f"tests/stories/{path.name}": f"stories/{path.stem}.md" for path in _stories()}


def _programs() -> list[Path]:
    """What is to be read: the programs and schedulers that `examples` lists, in its order."""
    folder = ROOT / "examples"
    listed = re.findall(r"^ {4}(\w+)  |^`(\w+)`", (folder / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    return [folder / f"{name or other}.py" for name, other in listed]


def _stories() -> list[Path]:
    return sorted((ROOT / "tests" / "stories").glob("*.txt"))


def _text(path: Path) -> str:
    """A file as a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    language = "python" if path.suffix == ".py" else "text"
    return f"# {path.relative_to(ROOT)}\n\n```{language}\n{text}```\n"


def _lists() -> dict[str, str]:
    """A page each that lists the programs and the stories, with their first words."""
    programs = [(path, ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "") for path in _programs()]
    stories = [(path, path.read_text(encoding="utf-8").partition("\n")[0].partition(": ")[2]) for path in _stories()]
    return {
        f"{folder}/index.md": f"# {title}\n\n" + "".join(
            f"- [{path.stem}]({path.stem}.md): {words.partition(chr(10))[0]}\n" for path, words in found
        )
        for folder, title, found in (("examples", "Examples", programs), ("stories", "Stories", stories))
    }


def _reference() -> dict[str, str]:
    """The pages of the reference: every public name, at the place of the module it lives in."""
    tree = ast.parse((ROOT / "mesolite" / "__init__.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    module_of = {
        alias.name: (node.module or "").removeprefix("mesolite.")
        for node in imports
        if (node.module or "").startswith("mesolite.")
        for alias in node.names
    }
    pages = {module: title for title, modules in REFERENCE.items() for module in modules}
    *_, rest = REFERENCE
    names: dict[str, list[str]] = {title: [] for title in REFERENCE}
    for name, module in sorted(module_of.items()):
        names[pages.get(module, rest)].append(name)
    return {
        f"reference/{title.lower().replace(' ', '-')}.md": f"# {title}\n\n"
        + "\n".join(f"::: mesolite.{name}\n{'' if title in MADE_BY_USERS else NOT_MADE}" for name in listed)
        for title, listed in names.items()
        if listed
    }
