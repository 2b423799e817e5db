"""What is declared is what is there, and the wheel works on its own."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from scenes_samples import write_scene

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", target, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = target.glob("*.whl")
    return path


def test_the_top_level_is_as_agreed():
    for name in ("setup.cfg", "hsi_suite", "pipelines", "configs", "tests", "Makefile"):
        assert (ROOT / name).exists()


def test_the_wheel_holds_every_file_and_no_generic_name(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, _, files in os.walk(ROOT / "hsi_suite", followlinks=True):
        for path in (Path(folder) / name for name in files):
            if path.suffix in {".py", ".yaml", ".toml", ".html", ".css", ".typed", ".safetensors"}:
                assert str(path.relative_to(ROOT)) in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"hsi_suite"}


def test_a_second_clone_imports_only_its_own_code(tmp_path):
    for name in ("hsi_suite", "pipelines", "configs"):
        ignored = shutil.ignore_patterns("__pycache__", "*.safetensors")
        shutil.copytree(ROOT / name, tmp_path / name, symlinks=True, ignore=ignored)
    code = (
        "import hsi_suite, hsi_suite.pipelines, hsi_suite.tasks, hsi_suite.configs as configs;"
        "modules = hsi_suite, hsi_suite.pipelines, hsi_suite.tasks, configs;"
        "print(*(module.__file__ for module in modules), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert all(line.startswith(f"{tmp_path}/hsi_suite/") for line in done.stdout.splitlines())


@pytest.mark.slow
def test_the_wheel_trains_and_reports_installed_elsewhere(wheel, tmp_path):
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    options = write_scene(tmp_path)
    code = (
        "import sys, hsi_suite; assert hsi_suite.__file__.startswith(sys.argv.pop(1));"
        "from hsi_suite.cli import main; main()"
    )
    command = [
        sys.executable, "-c", code, str(site), "train", "--config", "smoke/classification",
        "--scene", options["scene"], "--labels", options["labels"], "--output", "runs",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (report,) = tmp_path.glob("runs/*/report.html")
    assert str(report.relative_to(tmp_path)) in done.stdout
    assert "</html>" in report.read_text()


def test_importing_the_package_does_not_import_torch():
    code = "import sys, hsi_suite, hsi_suite.cli; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
