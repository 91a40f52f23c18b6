"""What a fresh machine lacks is said in one sentence with the remedy."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "uname", "cat", "env")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Give a directory that is the whole PATH of a bare machine: a shell, and no Python."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found is not None
        (folder / tool).symlink_to(found)
    return folder


def python_that(machine: Path, name: str, script: str) -> None:
    path = machine / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def bootstrap(machine: Path, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(machine), "ALGO_VENV": str(tmp_path / "venv")}
    command = [str(machine / "sh"), str(ROOT / "scripts" / "bootstrap.sh"), "run"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def test_without_python_the_sentence_names_the_need_and_the_remedy(machine: Path, tmp_path: Path) -> None:
    done = bootstrap(machine, tmp_path)

    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert "needs Python 3.11 or newer and this machine has none" in sentence
    assert "install" in sentence


def test_a_too_old_python_is_named(machine: Path, tmp_path: Path) -> None:
    python_that(machine, "python3", 'case "$2" in *exit*) exit 1 ;; *) echo 3.9.2 ;; esac')

    done = bootstrap(machine, tmp_path)

    (sentence,) = done.stderr.splitlines()
    assert "needs Python 3.11 or newer and this machine has 3.9.2" in sentence
    assert not (tmp_path / "venv").exists()


def test_a_missing_venv_module_is_named_with_its_package(machine: Path, tmp_path: Path) -> None:
    python_that(
        machine,
        "python3",
        'case "$2" in *ensurepip*) exit 1 ;; *version_info\\[:2\\]*) echo 3.12 ;; *) exit 0 ;; esac',
    )

    done = bootstrap(machine, tmp_path)

    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert "venv module is missing" in sentence
    assert "apt install python3.12-venv" in sentence


def fake_environment(tmp_path: Path, *, is_venv: bool) -> Path:
    """Make an environment whose Python only notes what it is asked for; nothing can be installed by it."""
    binary = tmp_path / "venv" / "bin"
    binary.mkdir(parents=True)
    asked = tmp_path / "asked"
    base = 0 if is_venv else 1
    python_that(
        binary,
        "python",
        f'echo "$*" >>"{asked}"; case "$*" in *base_prefix*) exit {base} ;; *hashlib*) echo the-sum ;; esac',
    )
    python_that(binary, "uv", f'echo "uv $*" >>"{asked}"')
    return asked


def test_requirements_are_installed_once_with_hashes_and_then_left_alone(machine: Path, tmp_path: Path) -> None:
    asked = fake_environment(tmp_path, is_venv=True)

    first = bootstrap(machine, tmp_path)
    installs = [line for line in asked.read_text().splitlines() if " install " in line]
    asked.write_text("")
    second = bootstrap(machine, tmp_path)

    assert (first.returncode, second.returncode) == (0, 0)
    assert len(installs) == 2
    assert all("--require-hashes" in line for line in installs)
    assert "Installing requirements.txt" in first.stderr
    assert second.stderr == ""
    assert " install " not in asked.read_text()


def test_nothing_is_installed_into_a_python_that_is_no_environment_of_its_own(machine: Path, tmp_path: Path) -> None:
    asked = fake_environment(tmp_path, is_venv=False)

    done = bootstrap(machine, tmp_path)

    assert done.returncode == 1
    assert " install " not in asked.read_text()


def old_python(tmp_path: Path, version: str) -> subprocess.CompletedProcess[str]:
    shutil.copy(ROOT / "manage.py", tmp_path / "manage.py")
    program = (
        f"import runpy, sys; sys.version_info = {version}; sys.prefix = sys.base_prefix; "
        "sys.argv = ['manage.py', 'check']; "
        f"runpy.run_path({str(tmp_path / 'manage.py')!r}, run_name='__main__')"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_manage_py_says_that_python_is_too_old(tmp_path: Path) -> None:
    done = old_python(tmp_path, "(3, 9, 2)")

    assert done.returncode == 1
    assert done.stderr.startswith("AlgoSystem needs Python 3.11 or newer, this is ")
    assert "make run" in done.stderr


def test_manage_py_says_that_the_environment_is_missing(tmp_path: Path) -> None:
    shutil.copy(ROOT / "manage.py", tmp_path / "manage.py")
    base = Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    environment = {**os.environ, "PYTHONNOUSERSITE": "1"}

    done = subprocess.run(
        [base, "-S", tmp_path / "manage.py", "check"], env=environment, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert done.stderr == "Django is not installed for this Python: run `make setup` (or `make run`) first.\n"


def test_manage_py_goes_on_in_the_projects_own_environment(tmp_path: Path) -> None:
    shutil.copy(ROOT / "manage.py", tmp_path / "manage.py")
    own = tmp_path / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.write_text('#!/bin/sh\necho "moved: $*"\n')
    own.chmod(0o755)

    done = old_python(tmp_path, "(3, 9, 2)")

    assert done.stdout.startswith("moved: ")
    assert done.stdout.endswith("manage.py check\n")
