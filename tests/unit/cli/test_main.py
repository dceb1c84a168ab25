"""How the command line ends."""

import pytest

import ingest.cli
from ingest.config.errors import ConfigError, IngestError
from ingest.text.arabic import LexiconError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("feeds.yaml:3: no such key"), 2),
        (LexiconError("lexicon.txt:7: 'nuon' is no kind of word"), 2),
        (IngestError("no feed answered"), 1),
    ],
)
def test_what_can_be_foreseen_ends_with_one_line(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr("sys.argv", ["ingest"])
    monkeypatch.setattr(ingest.cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        ingest.cli.main()
    assert ended.value.code == code
    assert capsys.readouterr().err == f"error: {error}\n"
