"""A slice of the harness; `python -m tests.kills` kills every kind of command."""

import kills


def test_a_training_killed_by_each_signal_ends_with_the_bits_of_an_unbroken_one(tmp_path):
    kills._import_everything()
    job = kills._training("denoising", tmp_path)
    kills._reference(job, tmp_path)
    results = kills.carry_out(tmp_path, len(kills.SIGNALS), seed=1, wanted=[job])
    assert {result.number for result in results} == set(kills.SIGNALS)
    assert not [problem for result in results for problem in result.problems]


def test_the_harness_notices_what_is_left_over_and_other_bits(tmp_path):
    kills._import_everything()
    job = kills._training("denoising", tmp_path)
    kills._reference(job, tmp_path)
    [checkpoint] = [name for name in job.files if name.endswith("history.csv")]
    job.files = {name: "0" if name == checkpoint else sum_ for name, sum_ in job.files.items()}
    job.files.pop(next(name for name in job.files if name.endswith("model.safetensors")))
    result = kills.kill(job, kills.SIGNALS[0], 0.0, tmp_path)
    assert any(problem.startswith("other bits: ") for problem in result.problems)
    assert any(problem.startswith("left over: ") for problem in result.problems)
