"""Jobs by the workers of a dask.distributed cluster, on this machine or on many.

Whichever worker of the cluster takes a job carries it out in a worker process of ours. A worker
that is lost takes its processes with it and the scheduler gives their jobs to others, which go on
from what lies in the jobs' folders: all machines must see the same folder.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

from ..errors import ConfigError, RunError, Stopped
from ..user_files import require_regular
from .jobs import Ending, Event, Job, JobObserver, ending, relay
from .observer import stop_requests

LOCAL = "local"
_LOOPBACK = "127.0.0.1"
_SECURE = "tls://"
_WORKER_SIDE = "hsi_suite.engine.dask_worker"
_LOOK_SECONDS = 0.5
_SAVING_SECONDS = 30.0
_CONNECTING_SECONDS = 30


@dataclass(frozen=True)
class TlsFiles:
    """The certificates by which a cluster and who may use it know each other, in PEM.

    Attributes:
        ca_file: of the authority that signed the others.
        cert: one's own.
        key: its private key.
    """

    ca_file: str
    cert: str
    key: str

    def check(self, address: str | None) -> None:
        """Refuse certificates that are not there, or mean nothing.

        Args:
            address: of the scheduler they are for; None for none.

        Raises:
            ConfigError: none, or one without TLS.
            InputFileError: a file is missing.
        """
        if address is None or not address.startswith(_SECURE):
            found = f"certificates for {address or 'none'}"
            raise ConfigError("--scheduler", found, f"an address that begins with {_SECURE}")
        for path in vars(self).values():
            require_regular(Path(path), "a certificate or key in PEM")


def check_address(address: str) -> None:
    """Refuse what is no address of a scheduler.

    Raises:
        ConfigError: it is neither local nor has a port.
    """
    if address != LOCAL and ":" not in address:
        raise ConfigError("--scheduler", repr(address), "local, or an address: tcp://HOST:PORT")


def tls_files(ca_file: str | None, cert: str | None, key: str | None) -> TlsFiles | None:
    """The certificates that options name; None where they name none.

    Raises:
        ConfigError: some are named and others are not.
    """
    if ca_file and cert and key:
        return TlsFiles(ca_file, cert, key)
    if ca_file or cert or key:
        raise ConfigError("--tls-ca-file, --tls-cert, --tls-key", "not all of them", "all three")
    return None


@dataclass
class DaskExecutor:
    """Runs jobs on a cluster, as many at a time as its workers have threads.

    Attributes:
        module: the module that worker processes run, see `worker_loop.serve`.
        address: of the scheduler; or local, for a cluster on this machine that ends with the
            batch.
        processes: workers of a local cluster.
        retries: how often a job is begun again whose process broke down; lost workers are not
            counted.
        tls: certificates for a scheduler with TLS; None takes those of dask's configuration.
    """

    module: str
    address: str
    processes: int = 1
    retries: int = 1
    tls: TlsFiles | None = None

    def carry_out(
        self, jobs: Sequence[Job], observer: JobObserver, report: Callable[[Ending], None]
    ) -> None:
        """See `Executor`.

        Raises:
            ConfigError: dask.distributed is missing, or no scheduler answers at the address.
            RunError: the scheduler was lost.
            Stopped: a stop was asked for.
        """
        if not jobs:
            return
        if self.address != LOCAL and not self.address.startswith(_SECURE):
            observer.message(
                f"{self.address} is a scheduler without TLS: whoever reaches it can run programs "
                "as you. See docs/how_to/cluster.md"
            )
        with stop_requests() as stop, self.cluster(min(self.processes, len(jobs))) as client:
            crowd = _Crowd(client, self, jobs, observer, report)
            while crowd.pending:
                if stop.pending:
                    crowd.wind_up()
                    raise Stopped
                crowd.listen()

    @contextmanager
    def cluster(self, workers: int) -> Iterator[Any]:
        """A client of the cluster; a local one has certificates of its own and no other visitors.

        Args:
            workers: of a local cluster.

        Raises:
            ConfigError: as `carry_out`.
        """
        try:
            distributed = import_module("distributed")
            ioloop = import_module("tornado.ioloop").IOLoop
            import_module("cryptography")
        except ImportError as error:
            raise ConfigError(
                "--scheduler",
                f"dask.distributed cannot be used ({error})",
                "the extra `cluster`",
                "install it with: pip install 'hsi-suite[cluster]'",
            ) from error
        with _running(ioloop) as loop, self._client(distributed, workers, loop) as client:
            yield client

    @contextmanager
    def _client(self, distributed: Any, workers: int, loop: Any) -> Iterator[Any]:
        security = self._security(distributed)
        if self.address == LOCAL:
            with (
                distributed.LocalCluster(
                    n_workers=workers,
                    # Without certificates every user of the machine could run anything here.
                    host=_LOOPBACK,
                    security=distributed.Security.temporary(),
                    threads_per_worker=1,
                    memory_limit=0,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                    loop=loop,
                ) as cluster,
                distributed.Client(cluster, loop=loop) as client,
            ):
                yield client
            return
        dask = import_module("dask")
        before = dask.config.get("scheduler", None)
        # Known before it connects: one that finds no scheduler must be closed, too.
        client = distributed.Client.__new__(distributed.Client)
        try:
            client.__init__(self.address, timeout=_CONNECTING_SECONDS, security=security, loop=loop)
        except (OSError, ValueError) as error:
            if client.status != "newly-created":
                client.close()
            # Who does not get through has made itself the scheduler of the whole process.
            dask.config.set(scheduler=before)
            raise ConfigError(
                "--scheduler",
                f"no scheduler answers at {self.address} ({error})",
                "the address of a running dask scheduler, or local",
            ) from error
        with client:
            yield client

    def _security(self, distributed: Any) -> Any:
        """What a client shows; without certificates what dask's own configuration says."""
        if self.tls is None:
            return None
        self.tls.check(self.address)
        return distributed.Security(
            require_encryption=True,
            tls_ca_file=self.tls.ca_file,
            tls_client_cert=self.tls.cert,
            tls_client_key=self.tls.key,
        )


@contextmanager
def _running(ioloop: Any) -> Iterator[Any]:
    """A running loop of messages in a thread that ends with the block.

    Dask's own gives up where a busy machine takes ten seconds to start the thread, and one whose
    client found no scheduler runs on as long as the process.

    Args:
        ioloop: tornado's IOLoop.
    """
    begun: Future[tuple[Any, asyncio.Event]] = Future()

    async def run() -> None:
        end = asyncio.Event()
        begun.set_result((ioloop.current(), end))
        await end.wait()

    thread = Thread(target=asyncio.run, args=(run(),), name="messages", daemon=True)
    thread.start()
    loop, end = begun.result()
    try:
        yield loop
    finally:
        loop.add_callback(end.set)
        thread.join()


class _Crowd:
    """The jobs of one batch on the cluster.

    Args:
        client: of the cluster.
        executor: what the jobs need to know.
        jobs: all of them.
        observer: reports progress.
        report: called at the end of every job.
    """

    def __init__(
        self,
        client: Any,
        executor: DaskExecutor,
        jobs: Sequence[Job],
        observer: JobObserver,
        report: Callable[[Ending], None],
    ) -> None:
        self._client, self._executor = client, executor
        self._observer, self._report = observer, report
        self._topic = f"hsi-{uuid4().hex}"
        self._at_work: set[str] = set()
        self._attempts: dict[str, int] = {}
        self.pending: dict[Any, Job] = {}
        client.subscribe_topic(self._topic, self._hear)
        # Only here, where dask.distributed is known to be there.
        self._dask_worker = import_module(_WORKER_SIDE)
        client.register_plugin(self._dask_worker.WorkerProcesses(executor.module))
        if not client.scheduler_info()["workers"]:
            observer.message("no worker of the cluster is there yet: waiting for one")
        for job in jobs:
            self._submit(job)

    def _submit(self, job: Job) -> None:
        attempt = self._attempts[job.name] = self._attempts.get(job.name, 0) + 1
        future = self._client.submit(
            self._dask_worker.carry_out_job,
            job,
            self._topic,
            key=f"{self._topic}-{job.name}-{attempt}",
            pure=False,
            # Earlier jobs first, so that the progress is in their order.
            priority=-len(self._attempts),
        )
        self.pending[future] = job

    def _hear(self, entry: tuple[float, Event]) -> None:
        event = dict(entry[1])
        name = event.pop("job")
        if event["event"] == "started":
            self._at_work.add(name)
            self._observer.job_started(name)
        elif event["event"] == "ended":
            self._at_work.discard(name)
        else:
            relay(name, event, self._observer)

    def listen(self) -> None:
        """Wait for endings for a moment and pass them on."""
        distributed = import_module("distributed")
        try:
            done = distributed.wait(
                list(self.pending), timeout=_LOOK_SECONDS, return_when="FIRST_COMPLETED"
            ).done
        except distributed.TimeoutError:
            done = set()
        except Exception as error:  # what a lost scheduler raises differs between versions
            raise self._lost(str(error)) from error
        if self._client.status != "running":
            raise self._lost(self._client.status)
        for future in done:
            self._end(future, self.pending.pop(future))

    def _end(self, future: Any, job: Job) -> None:
        if future.status == "cancelled":
            raise self._lost("the job was cancelled")
        if future.status == "error":
            # Its workers were lost too often, or cannot import this package.
            error = " ".join(f"{type(future.exception()).__name__}: {future.exception()}".split())
            self._conclude(job, Ending(job, error=error))
            return
        event = future.result()
        end = ending(job, event)
        if end is not None:
            self._conclude(job, end)
        elif event["event"] == "stopped" or self._attempts[job.name] <= self._executor.retries:
            self._observer.message(f"{job.name}: {event['why']}; it goes on in a new one")
            self._submit(job)
        else:
            self._conclude(job, Ending(job, error=event["why"]))

    def _conclude(self, job: Job, end: Ending) -> None:
        self._observer.job_ended(job.name, end.error)
        self._report(end)

    def _lost(self, why: str) -> RunError:
        return RunError(
            self._executor.address,
            f"the connection to the scheduler was lost ({why})",
            "one that lasts as long as the batch",
            "the same command goes on",
        )

    def wind_up(self) -> None:
        """Take back what has not begun and let trainings save their state."""
        self._observer.message("stopping: runs in work save their state")
        self._client.cancel(list(self.pending), force=True)
        deadline = monotonic() + _SAVING_SECONDS
        while self._at_work and monotonic() < deadline:
            sleep(_LOOK_SECONDS)
