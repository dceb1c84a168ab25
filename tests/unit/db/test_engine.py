"""URLs of databases, shown without their passwords."""

import pytest

from db import without_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql://u:***@h:5432/d"),
        ("postgresql://u:p#w@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p@w/x?y@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p%w@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u@/d?host=%2Ftmp&password=secret&x=1", "postgresql://u@/d?host=%2Ftmp&password=***"),
        ("postgresql://u:p@h/d?sslpassword=s&x=1", "postgresql://u:***@h/d?sslpassword=***"),
        ("postgresql://u@/d?p%61ssword=secret", "postgresql://u@/d?p%61ssword=***"),
        ("postgresql://u@corp:p@w@h/d", "postgresql://u@corp:***@h/d"),
        ("postgresql://u@h:5432/d?password=p@w", "postgresql://u@h:***"),
        ("postgresql://u:forgot-the-host", "postgresql://u:***"),
        ("postgresql://a:1,b:2/d?x=y", "postgresql://a:1,b:2/d?x=y"),
        ("postgresql://u@[::1]:5432/d", "postgresql://u@[::1]:5432/d"),
        ("postgresql://h:5432/d", "postgresql://h:5432/d"),
        ("postgresql:///d", "postgresql:///d"),
    ],
)
def test_without_password(url: str, shown: str) -> None:
    assert without_password(url) == shown
