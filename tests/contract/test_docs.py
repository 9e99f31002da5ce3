"""README and docs: links and files exist, commands parse, tables agree with the program."""

import re
import shlex
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pytest
import typer

from blood_hpo import errors
from blood_hpo.cli.main import app
from blood_hpo.settings import Settings, _refuse_unknown

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
NAMED = re.compile(r"`((?:blood_hpo|docs|studies|tests|docker|\.ci)/[\w./-]+\.[a-z]+)`")
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names that code hosts give to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def shell_lines(page: Path) -> Iterator[str]:
    """What a reader types: the lines of blocks marked as shell, without comments."""
    for block in re.findall(r"^```sh\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield from filter(None, [line.partition(" #")[0].strip()])


def calls(line: str) -> Iterator[list[str]]:
    """Arguments of every call of the program in a line, also inside ``$(...)``."""
    for inner in re.findall(r"\$\((blood-hpo [^()]*)\)", line):
        yield shlex.split(inner)[1:]
    words = shlex.split(line.partition(" >")[0])
    while words and re.fullmatch(r"\w+=\S*", words[0]):
        words = words[1:]
    if words and words[0] == "blood-hpo":
        yield words[1:]


def parse(arguments: list[str]) -> None:
    """Read a command line as the program does, up to the point of doing it."""
    command: Any = typer.main.get_command(app)
    parent = None
    while True:
        context = command.make_context(command.name, list(arguments), parent=parent)
        if not hasattr(command, "resolve_command"):
            return
        rest = [*context._protected_args, *context.args]
        _, command, arguments = command.resolve_command(context, rest)
        parent = context


@EACH_PAGE
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    broken = []
    for link in (one for one in links if "://" not in one):
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        found = target.exists() and (not anchor or anchor in anchors(target))
        broken += [] if found else [link]
    assert broken == []


@EACH_PAGE
def test_every_named_file_exists(page: Path) -> None:
    created = set(re.findall(r"^Create `(\S+)`:", text_of(page), re.MULTILINE))
    named = set(NAMED.findall(prose(page))) - created
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


@EACH_PAGE
def test_every_command_parses_as_written(page: Path) -> None:
    for line in shell_lines(page):
        for arguments in calls(line):
            parse(arguments)


def test_the_parser_of_this_test_refuses_what_the_program_refuses() -> None:
    for wrong in (["run"], ["status", "a", "--wach"], ["db", "strat"], ["trial", "show", "a", "x"]):
        with pytest.raises(Exception, match=r"Missing|No such|invalid|not a valid|Input should"):
            parse(wrong)


def test_the_documents_hold_commands() -> None:
    assert sum(1 for page in PAGES for line in shell_lines(page) for _ in calls(line)) > 5


def test_the_readme_lists_every_command() -> None:
    listed = set(re.findall(r"^\| `blood-hpo (\w+)`", text_of(README), re.MULTILINE))
    assert listed == set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_the_readme_names_every_command_of_a_group() -> None:
    for group in typer.main.get_command(app).commands.values():  # type: ignore[attr-defined]
        row = re.search(rf"^\| `blood-hpo {group.name}` \|.*$", text_of(README), re.MULTILINE)
        assert row
        named = set(re.findall(r"\w+", row.group()))
        assert set(getattr(group, "commands", {})) <= named, group.name


def test_the_readme_lists_every_study_file() -> None:
    listed = set(re.findall(r"\(studies/([\w-]+\.toml)\)", text_of(README)))
    assert listed == {path.name for path in (ROOT / "studies").glob("*.toml")}


def test_the_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", text_of(README)))
    assert linked == {f"docs/{path.name}" for path in ROOT.glob("docs/*.md")}


def test_the_readme_lists_every_exit_code() -> None:
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", text_of(README), re.MULTILINE)}
    base = errors.BloodHpoError
    kinds: list[type[errors.BloodHpoError]] = [base, *base.__subclasses__()]
    interrupted, done = 130, 0
    assert listed == {done, interrupted, *(kind.exit_code for kind in kinds)}


def test_every_setting_is_documented() -> None:
    page = text_of(ROOT / "docs/troubleshooting.md")
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", page, re.MULTILINE))
    fields = Settings.model_fields.items()
    expected = {
        str(field.validation_alias or f"BLOOD_HPO_{name.upper()}") for name, field in fields
    }
    missing = {name: get_close_matches(name, listed, n=1) for name in expected - listed}
    assert missing == {}
    assert listed <= expected | {"BLOOD_HPO_LOG", "BLOOD_HPO_STUDY"}
    told = dict(re.findall(r"^\| `BLOOD_HPO_(\w+)` \|.*\| (\d+) \|$", page, re.MULTILINE))
    numbers = {
        name.upper(): one.default for name, one in fields if isinstance(one.default, float | int)
    }
    assert told == {name: f"{value:g}" for name, value in numbers.items()}


def test_every_variable_that_a_page_or_a_container_names_is_known() -> None:
    files = [*PAGES, ROOT / "docker-compose.yml", *filter(Path.is_file, ROOT.glob("docker/*"))]
    named = {one for file in files for one in re.findall(r"\bBLOOD_HPO_[A-Z_]+\b", text_of(file))}
    assert len(named) > 10
    _refuse_unknown(named)


def test_every_quoted_message_is_one_that_the_program_has() -> None:
    page = text_of(ROOT / "docs/troubleshooting.md")
    bold = re.findall(r"^\*\*(.*?)\*\*", page, re.MULTILINE | re.DOTALL)
    quoted = [one for each in bold for one in re.findall(r'"([^"]+)"', each.replace("\n", " "))]
    sources = [path.read_text(encoding="utf-8") for path in ROOT.glob("blood_hpo/**/*.py")]
    joined = re.sub(r'"\s+f?"', "", "".join(sources))
    assert min(map(len, quoted)) >= 12  # a shorter one would be found anywhere
    said = [re.escape(one).replace("…", ".*") for one in quoted]
    assert [one for one in said if not re.search(one, joined)] == []


@pytest.mark.parametrize("picture", sorted(ROOT.glob("docs/*.svg")), ids=lambda path: path.name)
def test_a_picture_stands_alone_and_is_legible_in_the_dark(picture: Path) -> None:
    drawn = text_of(picture)
    assert re.findall(r"(?:href|src|url)\s*[=(]\s*(?![\"']?#)\S+", drawn) == []
    assert "prefers-color-scheme: dark" in drawn
    assert all(tag in drawn for tag in ("<title", "<desc"))
    assert any(
        f"docs/{picture.name}" in text_of(page) or f"]({picture.name})" in text_of(page)
        for page in PAGES
    )
