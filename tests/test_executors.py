"""Executors: jobs in processes of their own, whatever happens to these."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_cuda import fake_devices

from hsi_suite.engine import dask_executor, executors
from hsi_suite.engine.dask_executor import DaskExecutor
from hsi_suite.engine.executors import ProcessExecutor, processors
from hsi_suite.engine.jobs import Job, JobObserver
from hsi_suite.engine.visible_devices import visible_devices
from hsi_suite.errors import ConfigError, InputFileError, Stopped

MODULE = "worker_samples"
PARENT = """
import sys
from hsi_suite.engine.executors import ProcessExecutor
from hsi_suite.engine.jobs import Job, JobObserver

order = {"do": "beat", "pulse": sys.argv[1], "saved": sys.argv[2]}
ProcessExecutor("worker_samples").carry_out([Job("beat", order)], JobObserver(), print)
"""


@pytest.fixture(autouse=True)
def findable(monkeypatch):
    """The module of the worker lies beside the tests."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


class Notes(JobObserver):
    """Keeps what it hears."""

    def __init__(self):
        self.started, self.ended, self.messages, self.steps = [], [], [], []

    def job_started(self, name):
        self.started.append(name)

    def job_advanced(self, name, what, done, total, figures):
        self.steps.append((name, what, done, total))

    def job_ended(self, name, error):
        self.ended.append((name, error))

    def message(self, text):
        self.messages.append(text)


@dataclass(eq=False)
class Place:
    """A process that only knows where it would be."""

    device: str | None


def jobs(*what, **further):
    return [
        Job(f"job {number}", {"do": do, "value": number, **further})
        for number, do in enumerate(what)
    ]


def carried_out(executor, work, observer=None):
    endings = {}

    def report(ending):
        assert ending.job.name not in endings
        endings[ending.job.name] = ending

    executor.carry_out(work, observer or Notes(), report)
    return [endings[job.name] for job in work]


def test_jobs_share_a_process_and_answers_do_not_depend_on_the_number_of_processes():
    one, two = (
        [ending.result for ending in carried_out(ProcessExecutor(MODULE, n), jobs(*["answer"] * 4))]
        for n in (1, 2)
    )
    assert (
        [result["value"] for result in one] == [result["value"] for result in two] == [0, 1, 2, 3]
    )
    assert len({result["process"] for result in one}) == 1
    assert len({result["process"] for result in two}) <= 2


def test_a_job_that_wants_to_be_alone_has_a_process_of_its_own():
    work = [Job(str(n), {"do": "answer", "value": n}, alone=True) for n in range(3)]
    results = [ending.result for ending in carried_out(ProcessExecutor(MODULE), work)]
    assert len({result["process"] for result in results}) == 3


def test_jobs_that_may_take_any_device_are_spread_over_them(monkeypatch):
    monkeypatch.setattr(executors, "WorkerProcess", lambda module, device: Place(device))
    executor = ProcessExecutor(MODULE, 5, devices=("2", "GPU-7"))
    free = Job("free", {}, alone=True, spread=True)
    bound = Job("bound", {}, alone=True)
    for job, device in ((free, "2"), (bound, None), (free, "GPU-7"), (free, "2"), (free, "GPU-7")):
        process = executor._worker(job)
        assert process.device == device
        executor._busy[process] = job
    # Where one ends there is room.
    del executor._busy[next(each for each in executor._busy if each.device == "GPU-7")]
    assert executor._worker(free).device == "GPU-7"
    for devices in ((), ("0",)):
        assert ProcessExecutor(MODULE, 2, devices=devices)._worker(free).device is None


def test_a_process_sees_the_device_it_is_given():
    executor = ProcessExecutor(MODULE, devices=("5", "3"))
    work, notes = [Job("job", {"do": "sees"}, alone=True, spread=True)], Notes()
    assert [ending.result for ending in carried_out(executor, work, notes)] == ["5"]
    assert notes.messages[0].startswith("2 CUDA devices")


@pytest.mark.parametrize(
    ("own", "count", "names"),
    [
        (None, 3, ["0", "1", "2"]),
        ("4, 6", 2, ["4", "6"]),
        # Torch sees those before the first that is not there.
        ("1,99,2", 1, ["1"]),
        (None, 0, []),
        ("GPU-3f1a, GPU-77", 2, ["GPU-3f1a", "GPU-77"]),
        # Of parts of devices torch sees the first.
        ("MIG-0a, MIG-1b,MIG-2c", 1, ["MIG-0a", "MIG-1b", "MIG-2c"]),
        ("MIG-0a", 0, []),
    ],
)
def test_which_devices_there_are(monkeypatch, own, count, names):
    fake_devices(monkeypatch, count)
    if own is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", own)
    assert visible_devices() == names


def test_the_observer_hears_of_steps_and_messages_and_prints_do_not_disturb():
    notes = Notes()
    (ending,) = carried_out(ProcessExecutor(MODULE), jobs("chatter"), notes)
    assert ending.result == 0
    assert notes.steps == [("job 0", "work", 0, 4)]
    assert notes.messages == ["job 0: doing chatter"]
    assert notes.started == ["job 0"] and notes.ended == [("job 0", None)]


def test_failures_are_told_and_the_rest_goes_on():
    notes = Notes()
    executor = ProcessExecutor(MODULE, 2)
    endings = carried_out(executor, jobs("user_error", "defect", "crash", "answer"), notes)
    errors = [ending.error for ending in endings]
    assert errors[0] == "key: a bad value; expected a good one"
    assert errors[1] == "ZeroDivisionError: a defect"
    assert "in defect" in endings[1].details
    assert errors[2] == "its process ended with status 7"
    assert errors[3] is None and endings[3].result["value"] == 3
    # A crash is tried again, an error of the user's is not.
    assert notes.started.count("job 2") == 2
    assert notes.started.count("job 0") == notes.started.count("job 1") == 1


def test_a_killed_process_takes_only_its_own_job_with_it(tmp_path):
    work = jobs("answer", "crash_once", "answer", mark=str(tmp_path / "mark"))
    endings = carried_out(ProcessExecutor(MODULE), work)
    assert [ending.error for ending in endings] == [None] * 3
    again = jobs("crash_once", mark=str(tmp_path / "other"))
    (ending,) = carried_out(ProcessExecutor(MODULE, retries=0), again)
    assert ending.error == "its process was killed, by hand or for want of memory"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_lets_jobs_save_and_begins_no_further_one(tmp_path, number):
    saved, pulse = tmp_path / "saved", tmp_path / "pulse"
    work = [*jobs("beat", pulse=str(pulse), saved=str(saved)), Job("other", {"do": "answer"})]

    def stop():
        while not pulse.exists():
            time.sleep(0.02)
        os.kill(os.getpid(), number)

    threading.Thread(target=stop).start()
    notes = Notes()
    with pytest.raises(Stopped):
        carried_out(ProcessExecutor(MODULE), work, notes)
    assert saved.exists()
    assert notes.started == ["job 0"] and notes.ended == []


def test_a_killed_parent_leaves_nobody_writing(tmp_path):
    pulse = tmp_path / "pulse"
    command = [sys.executable, "-c", PARENT, str(pulse), str(tmp_path / "saved")]
    parent = subprocess.Popen(command)
    while not pulse.exists():
        assert parent.poll() is None
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    deadline, last = time.monotonic() + 20, None
    while (now := pulse.read_text()) != last:
        assert time.monotonic() < deadline
        last = now
        time.sleep(0.5)


def test_there_is_at_least_one_processor():
    assert 1 <= processors() <= (os.cpu_count() or 1)


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers in processes of their own."""
    distributed = pytest.importorskip("distributed")
    folder = str(Path(__file__).parent)
    old = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = folder
    try:
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit=0, dashboard_address=None
        ) as running:
            yield running
    finally:
        if old is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = old


def test_a_cluster_gives_the_same_answers_and_retries_crashes(cluster, tmp_path):
    work = jobs("answer", "crash_once", "user_error", "crash", "defect", mark=str(tmp_path / "m"))
    executor = DaskExecutor(MODULE, cluster.scheduler_address)
    notes = Notes()
    endings = carried_out(executor, work, notes)
    here = carried_out(
        ProcessExecutor(MODULE), jobs(*[job.order["do"] for job in work], mark=str(tmp_path / "n"))
    )
    assert [ending.error for ending in endings] == [ending.error for ending in here]
    assert endings[0].result["value"] == 0 and endings[1].result == 1
    assert notes.started.count("job 3") == 2
    assert sorted(name for name, _ in notes.ended) == [job.name for job in work]


def test_jobs_that_crash_at_the_same_time_keep_their_own_results(cluster, tmp_path):
    work = jobs(*["crash_once"] * 6, mark=str(tmp_path / "m"))
    endings = carried_out(DaskExecutor(MODULE, cluster.scheduler_address), work)
    assert [ending.result for ending in endings] == list(range(6))


def test_a_lost_worker_of_the_cluster_loses_nothing(cluster, tmp_path):
    mark = tmp_path / "go"
    work = jobs("wait_for", "wait_for", "answer", "answer", mark=str(mark))

    class Killer(Notes):
        def job_started(self, name):
            super().job_started(name)
            if len(self.started) == 2:
                victim = next(iter(cluster.workers.values()))
                os.kill(victim.pid, signal.SIGKILL)
                mark.touch()

    endings = carried_out(DaskExecutor(MODULE, cluster.scheduler_address), work, Killer())
    assert [ending.error for ending in endings] == [None] * 4


def test_a_stop_reaches_the_jobs_on_the_cluster(cluster, tmp_path):
    saved, pulse = tmp_path / "saved", tmp_path / "pulse"
    work = jobs("beat", pulse=str(pulse), saved=str(saved))

    def stop():
        while not pulse.exists():
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=stop).start()
    with pytest.raises(Stopped):
        carried_out(DaskExecutor(MODULE, cluster.scheduler_address), work)
    assert saved.exists()


def test_without_the_extra_or_a_scheduler_the_user_is_told(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(dask_executor, "_CONNECTING_SECONDS", 1)
    for address in ("tcp://127.0.0.1:9", "nonsense:", "http://x y"):
        with pytest.raises(ConfigError, match="no scheduler answers") as caught:
            carried_out(DaskExecutor(MODULE, address), jobs("answer"))
        assert "\n" not in str(caught.value)

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(dask_executor, "import_module", missing)
    with pytest.raises(ConfigError, match=r"hsi-suite\[cluster\]"):
        carried_out(DaskExecutor(MODULE, "local"), jobs("answer"))


@pytest.mark.parametrize("address", ["local", "tcp://127.0.0.1:9", None])
def test_dask_starts_no_thread_of_messages_that_may_be_late_or_stay(monkeypatch, request, address):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(dask_executor, "_CONNECTING_SECONDS", 1)
    address = address or request.getfixturevalue("cluster").scheduler_address
    start = distributed.utils.LoopRunner._start_unlocked

    def late(runner):
        # What Dask does after ten seconds without the thread.
        assert runner._loop is not None, "a loop of Dask's own"
        start(runner)

    monkeypatch.setattr(distributed.utils.LoopRunner, "_start_unlocked", late)
    before = threading.enumerate()
    if address.endswith(":9"):
        with pytest.raises(ConfigError, match="no scheduler answers"):
            carried_out(DaskExecutor(MODULE, address), jobs("answer"))
    else:
        (ending,) = carried_out(DaskExecutor(MODULE, address), jobs("answer"))
        assert ending.error is None
    left = set(threading.enumerate()) - set(before)
    assert not [thread.name for thread in left if thread.name in ("IO loop", "messages")]


def test_a_cluster_of_our_own_knows_nobody_else(tmp_path):
    distributed = pytest.importorskip("distributed")
    with DaskExecutor(MODULE, "local").cluster(1) as client:
        client.wait_for_workers(1)
        address = client.scheduler.address
        workers = client.scheduler_info()["workers"]
        for place in (address, *workers, *(worker["nanny"] for worker in workers.values())):
            assert place.startswith("tls://127.0.0.1:")
        strangers = (
            (address.replace("tls://", "tcp://"), None),
            (address, distributed.Security.temporary()),
        )
        for place, security in strangers:
            with pytest.raises((OSError, ValueError, TypeError)):
                distributed.Client(place, security=security, timeout=1)


def test_certificates_open_a_scheduler_with_tls(tmp_path):
    distributed = pytest.importorskip("distributed")
    security = distributed.Security.temporary()
    names = {"ca_file": "tls_ca_file", "cert": "tls_client_cert", "key": "tls_client_key"}
    for name, field in names.items():
        (tmp_path / name).write_text(getattr(security, field))
    tls = dask_executor.tls_files(*(str(tmp_path / name) for name in names))
    with (
        distributed.LocalCluster(
            n_workers=0, security=security, host="127.0.0.1", dashboard_address=None
        ) as running,
        DaskExecutor(MODULE, running.scheduler_address, tls=tls).cluster(0) as client,
    ):
        assert client.scheduler_info()["workers"] == {}
    with pytest.raises(ConfigError, match="begins with tls://"):
        carried_out(DaskExecutor(MODULE, "tcp://127.0.0.1:9", tls=tls), jobs("answer"))
    (tmp_path / "key").unlink()
    with pytest.raises(InputFileError, match="key"):
        carried_out(DaskExecutor(MODULE, "tls://127.0.0.1:9", tls=tls), jobs("answer"))
    with pytest.raises(ConfigError, match="all three"):
        dask_executor.tls_files("ca", None, "key")


def test_a_scheduler_without_tls_is_warned_of(cluster, tmp_path):
    notes = Notes()
    carried_out(DaskExecutor(MODULE, cluster.scheduler_address), jobs("answer"), notes)
    assert any("without TLS" in text for text in notes.messages)
