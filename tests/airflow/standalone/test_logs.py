"""What keeps the logs of `make run` from growing for ever."""

from pathlib import Path

from ingest.airflow.standalone import logs


def test_the_log_of_a_running_component_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "scheduler.log"
    with path.open("ab", buffering=0) as output:
        output.write(b"first\n" * 10)
        logs.rotate(path, most_bytes=60)
        assert not path.with_name("scheduler.log.1").exists()
        output.write(b"second\n")
        logs.rotate(path, most_bytes=60)
        output.write(b"third\n")
    assert path.read_bytes() == b"third\n"
    assert path.with_name("scheduler.log.1").read_bytes() == b"first\n" * 10 + b"second\n"
    logs.rotate(tmp_path / "none.log")
