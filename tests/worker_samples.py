"""A worker process for tests of the executors: quick to start, and able to break."""

import os
import signal
import time
from pathlib import Path

from hsi_suite.engine.observer import stop_requests
from hsi_suite.engine.worker_loop import serve
from hsi_suite.errors import ConfigError, Stopped


def work(order, observer):
    observer.begin("work", 4)
    observer.message(f"doing {order['do']}")
    return globals()[order["do"]](order)


def answer(order):
    return {"value": order["value"], "process": os.getpid()}


def sees(order):
    return os.environ.get("CUDA_VISIBLE_DEVICES")


def chatter(order):
    print("this must not reach the channel", flush=True)
    return order["value"]


def user_error(order):
    raise ConfigError("key", "a bad value", "a good one")


def defect(order):
    raise ZeroDivisionError("a defect")


def crash(order):
    os._exit(7)


def crash_once(order):
    mark = Path(f"{order['mark']}{order['value']}")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return order["value"]


def beat(order):
    """Writes on and on, as a training does; a stop is heard between two steps."""
    with stop_requests() as stop:
        while not stop.pending:
            Path(order["pulse"]).write_text(str(time.monotonic()))
            time.sleep(0.02)
    Path(order["saved"]).touch()
    raise Stopped


def wait_for(order):
    while not Path(order["mark"]).exists():
        time.sleep(0.02)
    return order["value"]


if __name__ == "__main__":
    serve(work)
