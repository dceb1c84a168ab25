"""The command line as a user meets it: exit codes, messages, files."""

import csv
import json
import os
import signal
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from db import Database
from ingest.runtime.clock import utc_now
from ingest.text.folding import content_identity
from tests.conftest import INGEST, ROOT, SHARED, Run, Serve
from tests.rules_only import RULES_ONLY
from tests.waiting import until

SEEDS = {
    "000_00112233445566ff.txt": "قال المتحدث إن انسحاب القوات الأمريكية من العراق سيبدأ قريبا.\r\n\r\nنهاية\n",
    "001_aabbccddeeff0011.txt": "\ufeffThe withdrawal of US troops from Iraq was voted on in Baghdad.",
    "002_0000000000000abc.txt": "A recipe for lentil soup, with onions and a little cumin.",
}


def entries(database: Database) -> int:
    with database.connect() as connection:
        row = connection.execute("SELECT (SELECT count(*) FROM news.feeds) + (SELECT count(*) FROM news.entries)")
        return int((row.fetchone() or (0,))[0])


class TestWrongConfiguration:
    @pytest.mark.parametrize(
        ("content", "line", "problem"),
        [
            (
                "feeds:\n  - url: https://a.example/\n    outlett: A\n",
                3,
                "unknown key 'outlett'; did you mean 'outlet'?",
            ),
            ("feeds:\n  - https://a.example/\n  - https://a.example/\n", 3, "already used on line 2"),
            ("feeds:\n  - {id: x, url: 'https://a.example/'}\n  - {id: x, url: 'https://b.example/'}\n", 3, "id 'x'"),
            ("defaults:\n  poll_every: 10 minutes\nfeeds:\n  - https://a.example/\n", 2, "is not a duration"),
            ("feeds:\n  - https://a.example/\n bad\n", 3, "not valid YAML"),
            ("", 1, "the file is empty"),
            ("feeds:\n", 1, "expected a list under 'feeds', found nothing"),
            ("feeds:\n  - ftp://a.example/\n", 2, "not an http:// or https:// address"),
            ("feeds:\n  - https://me:secret@a.example/\n", 2, "would put a secret into the database"),
        ],
    )
    def test_feeds_file(
        self, run: Run, database: Database, tmp_path: Path, content: str, line: int, problem: str
    ) -> None:
        (tmp_path / "feeds.yaml").write_text(content)
        result = run("run", "--once")
        assert result.returncode == 2
        (message,) = result.stderr.splitlines()
        assert message.startswith(f"error: feeds.yaml:{line}: ")
        assert problem in message
        assert "secret@" not in message
        assert entries(database) == 0

    def test_missing_file(self, run: Run, database: Database) -> None:
        result = run("run", "--once", "--feeds", "nowhere.yaml")
        assert (result.returncode, result.stderr.count("\n")) == (2, 1)
        assert "nowhere.yaml: no such file" in result.stderr
        assert entries(database) == 0

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            ("topics:\n  t:\n    match: {any_of: [{all_of: [a]}]}\n", "concept 'a', which is not defined"),
            ("topics:\n  t:\n    match: some\n", "topics.yaml:3"),
            ("topics:\n  t:\n    concepts: {a: {ar: ['!']}}\n    match: all\n", "'!' has no letters"),
            ("topics: {}\n", "topics.yaml:1"),
        ],
    )
    def test_topics_file(self, run: Run, tmp_path: Path, content: str, problem: str) -> None:
        (tmp_path / "feeds.yaml").write_text("feeds: ['https://a.example/']\n")
        (tmp_path / "topics.yaml").write_text(content)
        result = run("run", "--once", "--topics", "topics.yaml")
        assert (result.returncode, result.stderr.count("\n")) == (2, 1)
        assert problem in result.stderr

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("NEWS_HOST_DELAY", "soon"),
            ("NEWS_ALLOW_NETWORKS", "10.0.0.0/99"),
            ("NEWS_DATABASE_URL", "mysql://me:secret@host/x"),
            ("NEWS_CONTACT", "a\nb"),
        ],
    )
    def test_settings(self, run: Run, variable: str, value: str) -> None:
        result = run("status", **{variable: value})
        assert (result.returncode, result.stderr.count("\n")) == (2, 1)
        assert result.stderr.startswith(f"error: {variable}: ")
        assert "secret" not in result.stderr

    def test_usage(self, run: Run) -> None:
        assert run("run").returncode == 2
        assert run("run", "--once", "--follow").returncode == 2
        assert run("no-such-command").returncode == 2
        assert run("feeds", "check", "nobody", NEWS_FEEDS=str(ROOT / "feeds.yaml")).returncode == 2


class TestDatabaseTrouble:
    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            ("postgresql://news:secret@127.0.0.1:9/news", "connection refused"),
            ("postgresql://news@/news?host=/nowhere", "start the server"),
            ("postgresql://news@no-such-host.invalid/news", "check the host name"),
            ("postgresql://news@127.0.0.1:x/news", "error: "),
        ],
    )
    def test_a_server_that_is_not_there(self, run: Run, url: str, problem: str) -> None:
        result = run("status", NEWS_DATABASE_URL=url)
        assert result.returncode == 1
        assert problem in result.stderr.lower()
        assert "Traceback" not in result.stderr
        assert "secret" not in result.stderr

    def test_a_user_that_is_not_there(self, run: Run, database: Database) -> None:
        result = run("status", NEWS_DATABASE_URL=database.url.replace("//news@", "//nobody@"))
        assert result.returncode == 1
        assert 'role "nobody" does not exist' in result.stderr
        assert "Traceback" not in result.stderr

    def test_a_schema_from_the_future(self, run: Run, database: Database) -> None:
        with database.connect() as connection:
            connection.execute("UPDATE news.alembic_version SET version_num = '9999'")
        for arguments in (("status",), ("run", "--once"), ("db", "upgrade")):
            result = run(*arguments, NEWS_FEEDS=str(ROOT / "feeds.yaml"))
            assert result.returncode == 1
            assert "Upgrade the program" in result.stderr
            assert "Traceback" not in result.stderr


class TestImportAndExport:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "seeds"
        folder.mkdir()
        for name, text in SEEDS.items():
            (folder / name).write_bytes(text.encode())
        return folder

    def test_texts_come_back_byte_for_byte(self, run: Run, folder: Path, tmp_path: Path) -> None:
        first = run("import", str(folder))
        assert "3 new, 0 known already; 2 landed, 0 duplicate, 1 off topic" in first.stdout
        again = run("import", str(folder))
        assert "0 new, 3 known already; 0 landed" in again.stdout
        assert run("export", str(tmp_path / "out"), "--format", "txt").returncode == 0
        texts = list(SEEDS.values())[:2]
        assert {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.txt")} == {
            f"{number:03d}_{content_identity(text).content_id}.txt": text.encode() for number, text in enumerate(texts)
        }

    def test_what_was_exported_can_be_imported(self, run: Run, folder: Path, tmp_path: Path) -> None:
        run("import", str(folder))
        run("export", str(tmp_path / "out"))
        result = run("import", str(tmp_path / "out"))
        assert "2 new, 0 known already; 0 landed, 2 duplicate" in result.stdout

    def test_the_ledger_keeps_digits_and_outcomes(self, run: Run, folder: Path, database: Database) -> None:
        run("import", str(folder))
        with database.connect() as connection:
            rows = connection.execute("SELECT url, status FROM news.entries ORDER BY id").fetchall()
            sighted = connection.execute("SELECT url FROM news.sightings ORDER BY id").fetchall()
        assert rows == [
            ("seed:00112233445566ff", "landed"),
            ("seed:aabbccddeeff0011", "landed"),
            ("seed:0000000000000abc", "off_topic"),
        ]
        assert sighted == [("seed:00112233445566ff",), ("seed:aabbccddeeff0011",)]

    def test_other_formats(self, run: Run, folder: Path, tmp_path: Path) -> None:
        run("import", str(folder))
        for kind in ("jsonl", "csv", "parquet"):
            assert run("export", str(tmp_path / kind), "--format", kind).returncode == 0
        texts = list(SEEDS.values())[:2]
        lines = (tmp_path / "jsonl" / "articles.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line)["text"] for line in lines] == texts
        with (tmp_path / "csv" / "articles.csv").open(encoding="utf-8-sig", newline="") as file:
            assert [row["text"] for row in csv.DictReader(file)] == texts
        table = pq.read_table(tmp_path / "parquet" / "articles.parquet")
        assert table.column("text").to_pylist() == texts
        assert str(table.schema.field("landed_at").type) == "timestamp[us, tz=UTC]"

    def test_a_folder_with_files_is_not_overwritten(self, run: Run, folder: Path) -> None:
        result = run("export", str(folder))
        assert result.returncode == 2
        assert "not an empty folder" in result.stderr
        assert len(list(folder.iterdir())) == len(SEEDS)
        assert [path.name for path in folder.parent.iterdir() if "partial" in path.name] == []

    def test_unreadable_files_are_named_and_the_others_taken(self, run: Run, folder: Path) -> None:
        (folder / "003_ffffffffffffffff.txt").write_bytes(b"\xff\xfe broken")
        (folder / "004_fffffffffffffff0.txt").write_bytes(b"")
        result = run("import", str(folder))
        assert result.returncode == 1
        assert "3 new" in result.stdout
        assert "003_ffffffffffffffff.txt: not UTF-8 text" in result.stderr
        assert "004_fffffffffffffff0.txt: holds no text" in result.stderr

    def test_a_folder_without_texts(self, run: Run, tmp_path: Path) -> None:
        assert run("import", str(tmp_path)).returncode == 2
        assert run("import", str(tmp_path / "nowhere")).returncode == 2

    @pytest.mark.skipif(not (SHARED / "seeds").is_dir(), reason="the seed corpus is not here (NEWS_TEST_SHARED)")
    def test_the_seed_corpus(self, run: Run, tmp_path: Path) -> None:
        result = run("import", str(SHARED / "seeds"))
        assert "5 landed, 0 duplicate, 0 off topic" in result.stdout
        run("export", str(tmp_path / "out"))
        exported = sorted((tmp_path / "out").glob("*.txt"))
        seeds = sorted((SHARED / "seeds").glob("*.txt"))
        assert [path.read_bytes() for path in exported] == [path.read_bytes() for path in seeds]


class TestAgainstTheNewsroom:
    @pytest.fixture
    def variables(self, newsroom: Serve, tmp_path: Path) -> dict[str, str]:
        room = newsroom(feeds=3, entries=12, now=utc_now())
        (tmp_path / "feeds.yaml").write_text(room.world.feeds_yaml(), encoding="utf-8")
        return {"NEWS_ALLOW_NETWORKS": "127.0.0.0/8", "NEWS_HOST_DELAY": "0"}

    def test_stage_by_stage(self, run: Run, variables: dict[str, str]) -> None:
        results = [run(stage, **variables) for stage in ("poll", "fetch", "extract", "land")]
        assert [result.returncode for result in results] == [0, 0, 0, 0]
        assert "3 polled, 3 new" in results[0].stdout
        assert "12 new entries" in results[0].stdout
        status = json.loads(run("status", "--json", **variables).stdout)
        assert {feed["health"] for feed in status["feeds"]} == {"ok"}
        assert sum(status["entries"].values()) == 12
        assert status["articles"] > 0

    def test_check_touches_nothing(self, run: Run, database: Database, variables: dict[str, str]) -> None:
        result = run("feeds", "check", "--json", **variables)
        assert result.returncode == 0
        assert [feed["entries"] for feed in json.loads(result.stdout)] == [4, 4, 4]
        assert entries(database) == 0

    def test_check_reports_what_cannot_be_reached(self, run: Run, variables: dict[str, str]) -> None:
        result = run("feeds", "check", **variables | {"NEWS_ALLOW_NETWORKS": ""})
        assert result.returncode == 1
        assert "not on the public Internet" in result.stdout
        assert "3 of 3 feeds failed" in result.stderr

    def test_brackets_in_what_feeds_say_are_only_text(
        self, run: Run, database: Database, variables: dict[str, str]
    ) -> None:
        run("poll", **variables)
        with database.connect() as connection:
            connection.execute("UPDATE news.feeds SET last_error = 'x [/b] [red]y'")
        result = run("status", **variables)
        assert result.returncode == 0
        assert "x [/b] [red]y" in result.stdout

    def test_list(self, run: Run, variables: dict[str, str]) -> None:
        assert len(json.loads(run("feeds", "list", "--json", **variables).stdout)) == 3

    @pytest.mark.slow
    def test_the_past_of_a_feed(self, run: Run, newsroom: Serve, tmp_path: Path, database: Database) -> None:
        room = newsroom(feeds=1, entries=20, now=utc_now())
        room.page_size = 5
        path = tmp_path / "feeds.yaml"
        path.write_text(room.world.feeds_yaml(), encoding="utf-8")
        variables = {"NEWS_FEEDS": str(path), "NEWS_ALLOW_NETWORKS": "127.0.0.0/8", "NEWS_HOST_DELAY": "0"}
        feed = room.world.feeds[0].id
        done = run("backfill", feed, "--since", "2020-01-01", **variables)
        assert done.returncode == 0, done.stderr
        assert "items of the period" in done.stdout
        assert "pages wait to be fetched" in done.stdout
        again = run("backfill", feed, "--since", "2020-01-01", **variables)
        assert (again.returncode, again.stdout) == (0, done.stdout)
        for arguments in ((feed, "--since", "soon"), ("nobody", "--since", "2020-01-01"), (feed,)):
            wrong = run("backfill", *arguments, **variables)
            assert wrong.returncode == 2
            assert "Traceback" not in wrong.stderr

    def test_follow_ends_in_order_when_told(
        self, database: Database, tmp_path: Path, variables: dict[str, str]
    ) -> None:
        environment = (
            os.environ
            | variables
            | {
                "NEWS_DATABASE_URL": database.url,
                "NEWS_TOPICS": str(RULES_ONLY),
            }
        )
        process = subprocess.Popen(
            [INGEST, "run", "--follow"], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        with database.connect() as connection:
            connection.autocommit = True
            until(lambda: connection.execute("SELECT FROM news.articles").fetchone() is not None)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "Traceback" not in err
        assert "landed" in out


def test_the_url_is_one_that_psql_takes(run: Run, database: Database) -> None:
    result = run("db", "url")
    assert result.stdout == database.url + "\n"
    assert "schema at revision" in run("db", "upgrade").stdout
